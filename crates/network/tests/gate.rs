//! The gate and the client against a server on this computer.

use std::time::Duration;

use errors::{ErrorCode, Explain};
use network::{Client, Error, Gate, Options, Permit, Purpose, Request, Response};
use test_support::faulty_server::{Fault, FaultyServer};

const PURPOSE: Purpose = Purpose::ModelDownload;

fn client() -> Client {
    let options = Options { stall_timeout: Duration::from_millis(300), system_proxy: false, ..Options::default() };
    Client::new(Gate::new(), options)
}

fn open(client: &Client) -> Permit {
    client.gate().open(PURPOSE)
}

fn content() -> Vec<u8> {
    (0..100_000_u32).map(|index| (index * 7 % 251) as u8).collect()
}

async fn read(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

async fn fetch(client: &Client, address: &str) -> Result<Vec<u8>, Error> {
    read(client.send(PURPOSE, &Request::get(address)).await?).await
}

#[tokio::test]
async fn without_a_permit_nothing_leaves_this_computer() {
    let server = FaultyServer::start(content()).await;
    let client = client();
    for address in [server.address(), server.other_name(), "https://huggingface.co/".to_owned()] {
        let error = fetch(&client, &address).await.expect_err("closed");
        assert!(matches!(error, Error::Closed { purpose: PURPOSE }), "{error:?}");
        assert_eq!(error.code(), ErrorCode::NetworkClosed);
    }
    assert_eq!((client.gate().count(), client.gate().lookups()), (0, 0));
    assert_eq!(server.record().connections, 0);
}

#[tokio::test]
async fn a_body_stops_and_idle_connections_end_when_the_permit_goes() {
    let server = FaultyServer::start(content()).await;
    let client = client();
    let permit = open(&client);
    assert_eq!(fetch(&client, &server.address()).await.expect("served"), content());
    server.next([Fault::StallAfter(10)]);
    let mut response = client.send(PURPOSE, &Request::get(&server.address())).await.expect("an answer");
    assert!(response.chunk().await.expect("the first bytes").is_some());
    assert_eq!(client.gate().count(), 1);
    drop(permit);
    assert!(matches!(response.chunk().await.map(|_| ()), Err(Error::Closed { .. })));
    let permit = open(&client);
    assert_eq!(fetch(&client, &server.address()).await.expect("served"), content());
    assert_eq!(client.gate().count(), 2, "the connection from before was not kept");
    drop(permit);
}

#[tokio::test]
async fn each_connection_is_counted_once_under_its_host() {
    let server = FaultyServer::start(content()).await;
    let elsewhere = FaultyServer::start(content()).await;
    let client = client();
    let _permit = open(&client);
    for _ in 0..3 {
        fetch(&client, &server.address()).await.expect("served");
    }
    assert_eq!((client.gate().count(), server.record().connections), (1, 1), "one connection for three requests");
    server.next([Fault::RedirectTo(format!("{}/x", elsewhere.other_name()))]);
    assert_eq!(fetch(&client, &server.address()).await.expect("served elsewhere"), content());
    let hosts: Vec<_> = client.gate().recent().into_iter().map(|connection| connection.host).collect();
    assert_eq!(hosts, ["localhost", "127.0.0.1"]);
    assert_eq!(client.gate().lookups(), 1, "only `localhost` is a name");
    server.next([Fault::HangUp]);
    assert!(fetch(&client, &server.address()).await.is_err());
    fetch(&client, &server.address()).await.expect("served");
    assert_eq!(client.gate().count(), server.record().connections + elsewhere.record().connections);
}

#[tokio::test]
async fn a_port_without_a_server_is_no_connection_and_a_failed_handshake_is_one() {
    let server = FaultyServer::start(content()).await;
    let client = client();
    let _permit = open(&client);
    let plain = server.address().replace("http:", "https:");
    let error = fetch(&client, &plain).await.expect_err("no TLS there");
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!((error.code(), error.may_pass()), (ErrorCode::ServerRefused, true));
    assert_eq!(client.gate().count(), 1);
    let address = server.address();
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = fetch(&client, &address).await.expect_err("nobody there");
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.code(), ErrorCode::Offline);
    assert_eq!(client.gate().count(), 1);
}

#[tokio::test]
async fn ranges_and_what_is_said_about_them() {
    let server = FaultyServer::start(content()).await;
    let client = client();
    let _permit = open(&client);
    let address = server.address();
    let request = Request::get(&address).range(1000, 1999).if_range(Some("\"first\""));
    let response = client.send(PURPOSE, &request).await.expect("an answer");
    let range = response.content_range().expect("a range");
    assert_eq!((response.status(), range.start, range.end, range.total), (206, 1000, 1999, Some(100_000)));
    assert_eq!((response.header("etag"), response.content_length()), (Some("\"first\""), Some(1000)));
    assert_eq!(read(response).await.expect("a body"), content()[1000..2000]);
    server.replace(content(), Some("\"second\""));
    let response = client.send(PURPOSE, &request).await.expect("an answer");
    assert_eq!((response.status(), response.content_range()), (200, None), "another version comes whole");
    server.next([Fault::RetryAfter(503, 7)]);
    let response = client.send(PURPOSE, &request).await.expect("an answer");
    assert_eq!((response.status(), response.retry_after()), (503, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn redirects_end_and_secrets_stay_with_the_first_host() {
    let server = FaultyServer::start(content()).await;
    let elsewhere = FaultyServer::start(content()).await;
    let client = client();
    let _permit = open(&client);
    server.hub_says(Some("abc"));
    server.next([Fault::RedirectTo(format!("{}/", elsewhere.address()))]);
    let address = format!("{}/a/file", server.address());
    let request = Request { authorization: Some("Bearer secret"), ..Request::get(&address) };
    let response = client.send(PURPOSE, &request).await.expect("an answer");
    assert_eq!(response.address(), format!("{}/a/file", elsewhere.address()));
    assert_eq!(response.header_on_the_way("x-linked-etag"), Some("\"abc\""));
    assert_eq!(server.record().asked[0].authorization.as_deref(), Some("Bearer secret"));
    assert_eq!(elsewhere.record().asked[0].authorization, None);
    let shown = client.send(PURPOSE, &Request::head(&address)).await.expect("an answer");
    assert_eq!((shown.status(), shown.was_redirected()), (200, false));

    let refusals = [
        (Fault::RedirectToItself, "too many times"),
        (Fault::RedirectNowhere, "without saying where"),
        (Fault::RedirectTo("http://hub.example/x".to_owned()), "over an unprotected connection"),
        (Fault::RedirectTo("ftp://hub.example/x".to_owned()), "over an unprotected connection"),
    ];
    for (fault, expected) in refusals {
        server.always(fault);
        let error = fetch(&client, &address).await.expect_err("refused");
        assert!(matches!(&error, Error::Redirect { problem, .. } if *problem == expected), "{error:?}");
        assert_eq!((error.code(), error.may_pass()), (ErrorCode::ServerRefused, false));
    }
}

#[tokio::test]
async fn what_breaks_off_is_told_apart_from_what_stalls() {
    let server = FaultyServer::start(content()).await;
    let client = client();
    let _permit = open(&client);
    for fault in [Fault::CutAfter(10), Fault::ResetAfter(10), Fault::AnnounceMore(1), Fault::Noise, Fault::HangUp] {
        server.next([fault.clone()]);
        let error = fetch(&client, &server.address()).await.expect_err("broken");
        assert!(matches!(error, Error::Broken { .. }), "{fault:?}: {error:?}");
        assert_eq!((error.code(), error.may_pass()), (ErrorCode::Offline, true));
    }
    server.next([Fault::StallAfter(10)]);
    let error = fetch(&client, &server.address()).await.expect_err("stalled");
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");
    let slow = Fault::Drip(20_000, Duration::from_millis(20));
    server.next([slow]);
    assert_eq!(fetch(&client, &server.address()).await.expect("slow is not stalled"), content());
}

#[tokio::test]
async fn an_unprotected_address_is_refused_before_anything_happens() {
    let client = client();
    let _permit = open(&client);
    let error = fetch(&client, "http://huggingface.co/").await.expect_err("refused");
    assert!(matches!(error, Error::Address { .. }), "{error:?}");
    assert_eq!((client.gate().count(), client.gate().lookups()), (0, 0));
}
