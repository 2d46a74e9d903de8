//! Requests that carry words and secrets: posts, who is trusted with them, and every way in which no answer comes.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use errors::{ErrorCode, Explain};
use network::{Client, Error, Gate, Header, Options, Patience, Permit, Purpose, Request, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use test_support::http::{HttpServer, Reply, Step};

/// For a server that proves nothing: nobody trusts it. Made for this test, of no use elsewhere.
const SELF_SIGNED: &str = include_str!("data/self_signed.pem");

const SHORT: Duration = Duration::from_millis(300);

fn client() -> Client {
    Client::new(Gate::new(), Options { connect_timeout: SHORT, system_proxy: false, ..Options::default() })
}

fn patience() -> Patience {
    Patience { first_byte: Duration::from_secs(5), silence: SHORT, slowest: None, most_bytes: Some(10_000) }
}

fn open(client: &Client) -> Permit {
    client.gate().open(Purpose::CloudBoost)
}

async fn post(client: &Client, address: &str, patience: Patience) -> Result<Vec<u8>, Error> {
    let request = Request::post_json(address, b"{}").patience(patience);
    read(client.send(Purpose::CloudBoost, &request).await?).await
}

async fn read(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[tokio::test]
async fn a_post_carries_its_body_and_headers() {
    let server = HttpServer::start([Reply::json(200, "{\"ok\": true}")]).await;
    let client = client();
    let _permit = open(&client);
    let address = format!("{}/v1?alt=sse", server.address());
    let request = Request::post_json(&address, "{\"q\": \"¿?\"}".as_bytes())
        .header(Header::secret("x-goog-api-key", "secret"))
        .header(Header::plain("accept", "text/event-stream"));
    let response = client.send(Purpose::CloudBoost, &request).await.expect("an answer");
    assert_eq!((response.status(), read(response).await.expect("a body")), (200, b"{\"ok\": true}".to_vec()));
    let asked = &server.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str(), asked.text().as_str()),
        ("POST", "/v1?alt=sse", "{\"q\": \"¿?\"}")
    );
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!((asked.header("x-goog-api-key"), asked.header("accept")), (Some("secret"), Some("text/event-stream")));
    assert_eq!(client.gate().recent()[0].purpose, Purpose::CloudBoost);
}

#[tokio::test]
async fn a_permit_is_for_one_purpose() {
    let server = HttpServer::start([Reply::json(200, "{}")]).await;
    let client = client();
    let address = server.address();
    for purpose in [Purpose::ModelDownload, Purpose::CloudBoost, Purpose::SchoolServer] {
        let _permit = client.gate().open(purpose);
        for asked in [Purpose::ModelDownload, Purpose::CloudBoost, Purpose::SchoolServer] {
            let outcome = client.send(asked, &Request::post_json(&address, b"{}")).await;
            assert_eq!(outcome.is_ok(), asked == purpose, "{asked:?} with a permit for {purpose:?}");
            assert!(asked == purpose || outcome.is_err_and(|error| error.code() == ErrorCode::NetworkClosed));
        }
    }
    assert_eq!(client.gate().count(), 3);
}

#[tokio::test]
async fn words_are_never_sent_on() {
    let elsewhere = HttpServer::start([Reply::json(200, "{}")]).await;
    let login = Reply::whole(302, "text/html", "").with_header(&format!("Location: {}/login", elsewhere.address()));
    let server = HttpServer::start([login]).await;
    let client = client();
    for purpose in [Purpose::CloudBoost, Purpose::SchoolServer] {
        let _permit = client.gate().open(purpose);
        let address = server.address();
        for request in [Request::post_json(&address, b"{}"), Request::get(&address)] {
            let response = client.send(purpose, &request).await.expect("an answer");
            assert_eq!((response.status(), response.was_redirected()), (302, false));
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_not_shown() {
    let client = client();
    let _permit = open(&client);
    let request = Request::post_json("http://127.0.0.1:1/", b"{}").header(Header::secret("x-key", "two\nlines"));
    let error = client.send(Purpose::CloudBoost, &request).await.expect_err("no header");
    assert!(matches!(error, Error::Header { name: "x-key" }), "{error:?}");
    assert!(!format!("{error:?} {}", errors::chain(&error)).contains("lines"));
    assert_eq!(client.gate().count(), 0);
}

#[tokio::test]
async fn every_way_in_which_no_answer_comes_has_its_code() {
    let client = client();
    let _permit = open(&client);
    let gone = HttpServer::start([]).await.address();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = post(&client, &gone, patience()).await.expect_err("nobody there");
    assert_eq!(error.code(), ErrorCode::Offline, "{error:?}");
    // No name has so long a part, so nobody on any network is asked about it and the answer comes at once.
    let name = format!("{}.local", "x".repeat(64));
    let error = post(&client, &format!("https://{name}/"), patience()).await.expect_err("no such name");
    assert!(matches!(error, Error::NameNotFound { .. }) && error.code() == ErrorCode::NameNotFound, "{error:?}");
    let school = client.gate().open(Purpose::SchoolServer);
    let error = client.send(Purpose::SchoolServer, &Request::post_json(&format!("http://{name}/"), b"{}")).await;
    let error = error.expect_err("no such name");
    drop(school);
    assert!(matches!(error, Error::NameNotFound { .. }) && error.code() == ErrorCode::NameNotFound, "{error:?}");
    assert!(error.may_pass() && error.hint().is_some());

    let stalls = HttpServer::start([Reply::raw([Step::Stall])]).await;
    let error =
        post(&client, &stalls.address(), Patience { first_byte: SHORT, ..patience() }).await.expect_err("silent");
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");

    let head = b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n".to_vec();
    let begins = |steps: Vec<Step>| Reply::raw([Step::Bytes(head.clone())].into_iter().chain(steps));
    let server = HttpServer::start([begins(vec![Step::Bytes(b"x".to_vec()), Step::Stall])]).await;
    let error = post(&client, &server.address(), patience()).await.expect_err("silent in the middle");
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");

    server.then([begins(vec![Step::Drip(vec![b'x'; 5000], Duration::from_millis(5))])]);
    let slow = Patience { slowest: Some((500, SHORT)), ..patience() };
    let error = post(&client, &server.address(), slow).await.expect_err("slow");
    assert!(matches!(error, Error::TooSlow { .. }) && error.code() == ErrorCode::TooSlow, "{error:?}");

    server.then([begins(vec![Step::Flood(50_000_000)])]);
    let error = post(&client, &server.address(), patience()).await.expect_err("large");
    assert!(matches!(error, Error::TooLarge { limit_bytes: 10_000, .. }), "{error:?}");
    assert_eq!((error.code(), error.may_pass()), (ErrorCode::AnswerTooLarge, false));

    server.then([begins(vec![Step::Bytes(b"x".to_vec()), Step::Reset])]);
    let error = post(&client, &server.address(), patience()).await.expect_err("broken");
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    // A long pause before the first byte is a model that thinks.
    server.then([begins(vec![Step::Pause(SHORT * 2), Step::Bytes(b"thought".to_vec()), Step::Close])]);
    assert_eq!(post(&client, &server.address(), patience()).await.expect("an answer"), b"thought");
}

/// A server with a certificate that nobody vouches for; gives the words that it was told before it knew better.
fn self_signed() -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let certificate = CertificateDer::from_pem_slice(SELF_SIGNED.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(SELF_SIGNED.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut stream = rustls::Stream::new(&mut connection, &mut stream);
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        let _ = stream.flush();
        told
    });
    (port, server)
}

#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_is_told_nothing() {
    let client = client();
    let _permit = open(&client);
    let (port, server) = self_signed();
    let error = post(&client, &format!("https://localhost:{port}/"), patience()).await.expect_err("not trusted");
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(error.code(), ErrorCode::UntrustedServer);
    assert!(server.join().expect("no panic").is_empty(), "not a word was said");
    assert_eq!(client.gate().count(), 1, "a connection all the same");
}

#[tokio::test]
async fn a_near_name_is_reached_without_protection_and_a_far_address_is_not() {
    let server = HttpServer::start([Reply::json(200, "{}")]).await;
    let client = client();
    let _permit = client.gate().open(Purpose::SchoolServer);
    let address = server.address().replace("127.0.0.1", "localhost");
    let response = client.send(Purpose::SchoolServer, &Request::post_json(&address, b"{}")).await;
    assert!(response.is_ok(), "{response:?}");
    let error = client.send(Purpose::SchoolServer, &Request::post_json("http://8.8.8.8/", b"{}")).await;
    assert!(matches!(error, Err(Error::Address { .. })), "{error:?}");
    assert_eq!(client.gate().count(), 1);
}

/// Set for the child of [`the_systems_proxy_is_used_for_protected_addresses_only`].
const CHILD: &str = "AULA_TEST_BEHIND_PROXY";

/// The environment belongs to the whole process, so a process of its own looks at it.
#[tokio::test]
async fn the_systems_proxy_is_used_for_protected_addresses_only() {
    if std::env::var_os(CHILD).is_some() {
        let client = Client::new(Gate::new(), Options::default());
        let _permit = open(&client);
        let request =
            Request::post_json("https://behind.invalid/v1", b"words").header(Header::secret("x-key", "secret"));
        let error = client.send(Purpose::CloudBoost, &request).await.expect_err("the proxy refuses");
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
        let near = HttpServer::start([Reply::json(200, "{}")]).await;
        post(&client, &near.address(), patience()).await.expect("without the proxy");
        return;
    }
    let proxy = HttpServer::start([Reply::whole(403, "text/plain", "")]).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "the_systems_proxy_is_used_for_protected_addresses_only", "--nocapture"]);
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        child.env(name, proxy.address());
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").env(CHILD, "1").output().await.expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let asked = proxy.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("CONNECT", "behind.invalid:443"));
    assert_eq!((asked[0].header("x-key"), asked[0].body.len()), (None, 0), "the proxy hears no words");
}
