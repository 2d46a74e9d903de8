//! What goes wrong, each with its code; and nothing of the token anywhere.

use crate::peer::{End, Peer, Reply};
use crate::*;
use generation::Generator;

const TOKEN: &str = "school-token-7f3a9c2e51";

async fn code_of(reply: Reply) -> Option<ErrorCode> {
    let peer = Peer::start(move |_, _| reply.clone()).await;
    run(&school_of(&peer, ServerKind::Vllm, Some(TOKEN)), question()).await.code()
}

#[tokio::test]
async fn every_bad_day_has_its_code() {
    use ErrorCode::{
        AnswerTooLarge, BadAnswer, CaptivePortal, ContentBlocked, KeyRejected, ModelNotServed, PromptTooLong,
        ServerRefused, ServerSilent, Truncated,
    };
    let hello = delta(&json!("Hello"));
    let page = "<!DOCTYPE html><html><body>Sign in to the school's network</body></html>";
    let large = "x".repeat(3_000_000);
    let in_stream = |error: &str| Reply::events(format!("{hello}{error}"));
    for (name, reply, expected) in [
        ("a login page", Reply::new(200, "text/html", page), CaptivePortal),
        ("a login page called JSON", Reply::new(200, "application/json", page), CaptivePortal),
        ("a login page called events", Reply::events(page), CaptivePortal),
        ("sent on to a login page", Reply::status(302, "").header("location", "http://login.example/"), CaptivePortal),
        ("a wrong token", Reply::status(401, r#"{"error":"Unauthorized"}"#), KeyRejected),
        ("a forbidden one", Reply::status(403, "no"), KeyRejected),
        (
            "no such model",
            Reply::status(404, r#"{"message":"The model `gemma` does not exist.","object":"error"}"#),
            ModelNotServed,
        ),
        ("no such address", Reply::status(404, r#"{"detail":"Not Found"}"#), ServerRefused),
        (
            "too long",
            Reply::status(400, r#"{"error":{"message":"exceeds the available context size"}}"#),
            PromptTooLong,
        ),
        ("broken JSON", Reply::events("data: {\"choices\": [\n\n"), BadAnswer),
        ("another JSON", Reply::json(&json!({"hello": "world"})), BadAnswer),
        ("no JSON", Reply::new(200, "text/plain", "hello"), BadAnswer),
        ("nothing at all", Reply::new(200, "text/event-stream", ""), BadAnswer),
        ("no text", Reply::events(finish("stop")), BadAnswer),
        ("the body ends early", Reply::events(hello.clone()), Truncated),
        ("the connection breaks", Reply::events(hello.clone()).end(End::Cut), Truncated),
        ("silence within", Reply::events(hello.clone()).end(End::Silence), ServerSilent),
        ("a filter", Reply::events(format!("{hello}{}", finish("content_filter"))), ContentBlocked),
        ("the server gives up", Reply::events(format!("{hello}{}", finish("abort"))), Truncated),
        ("an error in the stream", in_stream("data: {\"error\":{\"message\":\"out of memory\"}}\n\n"), ServerRefused),
        ("an error event", in_stream("event: error\ndata: {\"message\": \"boom\"}\n\n"), ServerRefused),
        (
            "a bare error in the stream",
            in_stream("{\n  \"error\": {\"code\": 400, \"message\": \"context length exceeded\"}\n}\n"),
            PromptTooLong,
        ),
        ("50 MB", Reply::events(format!("data: {{\"choices\": [], \"x\": \"{large}\"}}\n\n")), AnswerTooLarge),
        (
            "50 MB of events",
            Reply::events(delta(&json!("ab cd ef gh ij kl mn op qr st uv wx yz")).repeat(40_000)),
            AnswerTooLarge,
        ),
    ] {
        let code = code_of(reply).await;
        // Repeating events are noticed as a loop before they are too many.
        let looped = name.starts_with("50 MB of") && code == Some(ErrorCode::AnswerLooped);
        assert!(code == Some(expected) || looped, "{name}: {code:?}");
    }
}

#[tokio::test]
async fn what_came_before_a_break_is_kept() {
    let peer = Peer::start(|_, _| Reply::events(delta(&json!("One half")).repeat(2)).end(End::Cut)).await;
    let outcome = run(&school_of(&peer, ServerKind::Vllm, None), question()).await;
    assert_eq!((outcome.text().as_str(), outcome.code()), ("One halfOne half", Some(ErrorCode::Truncated)));
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing() {
    let peer = Peer::start(|_, _| Reply::status(200, "")).await;
    let options = SchoolOptions::new(peer.address(), "gemma", ServerKind::Other);
    drop(peer);
    assert_eq!(run(&school(options, None), question()).await.code(), Some(ErrorCode::Offline));

    let silent = Peer::start(|_, _| Reply::events("").end(End::NoHead)).await;
    let mut options = SchoolOptions::new(silent.address(), "gemma", ServerKind::Other);
    options.patience.first_byte = Duration::from_millis(200);
    let client =
        Client::new(Gate::new(), Options { connect_timeout: Duration::from_millis(200), ..Options::default() });
    let school = School::new(client, options, None).expect("an address nearby");
    assert_eq!(run(&school, question()).await.code(), Some(ErrorCode::ServerSilent));

    let options = SchoolOptions::new("no-such-school.invalid", "gemma", ServerKind::Other);
    let code = run(&crate::school(options, None), question()).await.code();
    assert!(matches!(code, Some(ErrorCode::NameNotFound | ErrorCode::Offline)), "{code:?}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_people_hear_of_it() {
    let peer = Peer::start(|_, before| match before {
        0 => Reply::status(503, r#"{"error":{"code":503,"message":"Loading model"}}"#),
        1 => Reply::status(429, "<html>429</html>").header("retry-after", "0"),
        _ => Reply::events(stream(&["Hello"])),
    })
    .await;
    let outcome = run(&school_of(&peer, ServerKind::LlamaServer, None), question()).await;
    assert_eq!((outcome.text().as_str(), outcome.waits, peer.chats().len()), ("Hello", 2, 3));
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up() {
    let peer = Peer::start(|_, _| Reply::status(503, "")).await;
    let options = SchoolOptions {
        most_waiting: Duration::from_millis(300),
        pause: Duration::from_millis(10),
        ..SchoolOptions::new(peer.address(), "gemma", ServerKind::Vllm)
    };
    let outcome = run(&school(options, None), question()).await;
    assert_eq!(outcome.code(), Some(ErrorCode::ServerBusy));
    assert!(outcome.waits >= 3 && peer.chats().len() == outcome.waits + 1, "{outcome:?}");

    let tomorrow = Peer::start(|_, _| Reply::status(429, "").header("retry-after", "3600")).await;
    let outcome = run(&school_of(&tomorrow, ServerKind::Vllm, None), question()).await;
    assert_eq!((outcome.code(), outcome.waits), (Some(ErrorCode::ServerBusy), 0));
}

#[tokio::test]
async fn a_token_goes_to_its_server_and_shows_up_nowhere_else() {
    let peer =
        Peer::start(|_, _| Reply::status(500, &format!("{{\"error\":{{\"message\":\"who is Bearer {TOKEN}?\"}}}}")))
            .await;
    let school = school_of(&peer, ServerKind::Vllm, Some(TOKEN));
    let mut generation = school.generate(question()).expect("admitted");
    let mut seen = format!("{school:?}");
    while let Some(event) = generation.next().await {
        seen.push_str(&format!("{event:?}"));
    }
    for error in [format!("{:?}", school.models().await), format!("{:?}", school.discover().await)] {
        seen.push_str(&error);
    }
    assert!(seen.contains("who is Bearer") && !seen.contains("7f3a9c2e51"), "{seen}");
    assert!(peer.asked().iter().all(|asked| asked.authorization.as_deref() == Some(&format!("Bearer {TOKEN}"))));
    let open = Peer::start(|_, _| Reply::events(stream(&["Hello"]))).await;
    run(&school_of(&open, ServerKind::Vllm, Some("  ")), question()).await;
    assert_eq!(open.chats()[0].authorization, None, "an empty token is none");
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let elsewhere = Peer::start(|_, _| Reply::events(stream(&["Hello"]))).await;
    let to = format!("http://{}/v1/chat/completions", elsewhere.address());
    let peer = Peer::start(move |_, _| Reply::status(307, "").header("location", &to)).await;
    let outcome = run(&school_of(&peer, ServerKind::Vllm, Some(TOKEN)), question()).await;
    assert_eq!(outcome.code(), Some(ErrorCode::CaptivePortal));
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn the_network_is_open_only_while_something_is_asked() {
    let peer = Peer::start(|_, _| Reply::events(stream(&["Hello"]))).await;
    let gate = Gate::new();
    let client = Client::new(gate.clone(), Options::default());
    let school =
        School::new(client, SchoolOptions::new(peer.address(), "gemma", ServerKind::Vllm), None).expect("an address");
    assert!(!gate.is_open_at_all());
    assert_eq!(run(&school, question()).await.text(), "Hello");
    assert_eq!(gate.recent()[0].host, "127.0.0.1");
    for _ in 0..100 {
        if !gate.is_open_at_all() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the gate is still open");
}
