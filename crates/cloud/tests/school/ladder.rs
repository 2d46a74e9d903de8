//! How results are asked for, and what is learnt from how that goes.

use crate::peer::{Peer, Reply};
use crate::*;
use cloud::Rung;

const GOOD: &str = r#"{"a":1,"b":"x"}"#;

/// What each chat asked for: the type of its `response_format`.
fn formats(peer: &Peer) -> Vec<Option<String>> {
    peer.chats().iter().map(|asked| asked.body["response_format"]["type"].as_str().map(str::to_owned)).collect()
}

fn names(expected: &[Option<&str>]) -> Vec<Option<String>> {
    expected.iter().map(|name| name.map(str::to_owned)).collect()
}

#[tokio::test]
async fn the_schema_is_sent_strict_and_closed() {
    let peer = Peer::start(|_, _| Reply::events(stream(&[GOOD]))).await;
    assert_eq!(run(&school_of(&peer, ServerKind::Vllm, None), task()).await.text(), GOOD);
    let body = &peer.chats()[0].body;
    let format = &body["response_format"];
    assert_eq!((&format["type"], &format["json_schema"]["name"]), (&json!("json_schema"), &json!("pair")));
    assert_eq!(format["json_schema"]["schema"]["additionalProperties"], json!(false));
    assert_eq!(body["chat_template_kwargs"]["enable_thinking"], json!(false));
}

#[tokio::test]
async fn a_server_without_schemas_is_asked_in_words_and_remembered() {
    let peer = Peer::start(|asked, _| match asked.body.get("response_format") {
        Some(_) => Reply::status(400, r#"{"error":{"message":"response_format is not supported"}}"#),
        None => Reply::events(stream(&["Sure: ", GOOD])),
    })
    .await;
    let school = school_of(&peer, ServerKind::Other, None);
    assert_eq!(run(&school, task()).await.text(), GOOD);
    assert_eq!(formats(&peer), names(&[Some("json_schema"), Some("json_object"), None]));
    assert_eq!(school.rung(), Rung::Words);
    assert_eq!(run(&school.clone(), task()).await.text(), GOOD);
    assert_eq!(peer.chats().len(), 4, "the second time it is asked as it works");
    let words = peer.chats()[3].body["messages"][1]["content"].as_str().expect("a text").to_owned();
    assert!(words.contains("additionalProperties"), "{words}");
    assert_eq!(school_of(&peer, ServerKind::Other, None).rung(), Rung::Schema, "another client knows nothing yet");
}

#[tokio::test]
async fn a_wrong_form_is_corrected_with_nothing_but_what_is_wrong() {
    let peer = Peer::start(|_, before| match before {
        // A server that says 200 and ignores the schema.
        0 => Reply::events(stream(&[r#"{"a": "one", "b": "x"}"#])),
        _ => Reply::events(stream(&[GOOD])),
    })
    .await;
    let school = school_of(&peer, ServerKind::Ollama, None);
    assert_eq!(run(&school, task()).await.text(), GOOD);
    let chats = peer.chats();
    assert_eq!(chats.len(), 2);
    assert_eq!(chats[0].body["reasoning_effort"], json!("none"));
    assert_eq!(chats[1].body.get("reasoning_effort"), None, "on some servers it is what breaks the form");
    let messages = chats[1].body["messages"].as_array().expect("messages").clone();
    assert_eq!(messages.len(), 1);
    let text = messages[0]["content"].as_str().expect("a text");
    assert!(text.contains("\"one\"") && text.contains("/a") && !text.contains("fraction"), "{text}");
    assert_eq!(school.rung(), Rung::Schema);
}

#[tokio::test]
async fn after_three_calls_it_is_a_bad_answer() {
    for bad in ["I will not.", "{\"a\": 1}", "", "{}{}{}", "{\"a\": 1, \"b\": \"x\""] {
        let peer = Peer::start(move |_, _| Reply::events(stream(&[bad]))).await;
        let outcome = run(&school_of(&peer, ServerKind::Vllm, None), task()).await;
        assert_eq!((outcome.code(), outcome.text()), (Some(ErrorCode::BadAnswer), String::new()), "{bad}");
        assert_eq!(peer.chats().len(), 3, "{bad}");
    }
    let refusing = Peer::start(|_, _| Reply::status(400, "no")).await;
    let outcome = run(&school_of(&refusing, ServerKind::Vllm, None), task()).await;
    assert_eq!((outcome.code(), refusing.chats().len()), (Some(ErrorCode::ServerRefused), 3));
}

#[tokio::test]
async fn a_loop_of_white_space_is_stopped_and_asked_without_the_grammar() {
    let peer = Peer::start(|_, before| match before {
        0 => {
            // It would go on for ever.
            let mut reply = Reply::events(delta(&json!("{\"a\": 1,")));
            reply.pieces.extend((0..2000).map(|_| delta(&json!(" \n")).into_bytes()));
            reply.pause = Duration::from_millis(1);
            reply
        }
        _ => Reply::events(stream(&[GOOD])),
    })
    .await;
    let school = school_of(&peer, ServerKind::Vllm, None);
    let outcome = run(&school, task()).await;
    assert_eq!(outcome.text(), GOOD);
    assert_eq!(formats(&peer), names(&[Some("json_schema"), Some("json_object")]));
    assert_eq!(school.rung(), Rung::Object);
}

#[tokio::test]
async fn endless_loops_end() {
    let looping = |text: &'static str| {
        Peer::start(move |_, _| {
            let mut reply = Reply::events("");
            reply.pieces = (0..3000).map(|_| delta(&json!(text)).into_bytes()).collect();
            reply
        })
    };
    for text in ["\n", "la ", "La fracción es una fracción de la fracción. "] {
        let peer = looping(text).await;
        assert_eq!(
            run(&school_of(&peer, ServerKind::Vllm, None), question()).await.code(),
            Some(ErrorCode::AnswerLooped),
            "{text}"
        );
        let outcome = run(&school_of(&peer, ServerKind::Vllm, None), task()).await;
        assert_eq!(outcome.code(), Some(ErrorCode::AnswerLooped), "{text}");
        assert_eq!(peer.chats().len(), 4, "{text}");
    }
}

#[tokio::test]
async fn a_chat_is_asked_without_what_the_server_does_not_know() {
    let peer = Peer::start(|asked, _| match asked.body.get("stream_options") {
        Some(_) => Reply::status(
            422,
            r#"{"detail":[{"msg":"Extra inputs are not permitted","loc":["body","stream_options"]}]}"#,
        ),
        None => Reply::events(stream(&["Hello"])),
    })
    .await;
    let school = school_of(&peer, ServerKind::Vllm, None);
    assert_eq!(run(&school, question()).await.text(), "Hello");
    assert_eq!(run(&school, question()).await.text(), "Hello");
    assert_eq!(peer.chats().len(), 3);
}

#[tokio::test]
async fn trying_costs_one_token_and_one_small_result() {
    let peer = Peer::start(|asked, _| match asked.body.get("response_format") {
        Some(_) => Reply::events(stream(&["{\"sum\": 5}"])),
        None => Reply::events(format!("{}{}", delta(&json!("")), finish("length"))),
    })
    .await;
    let school = school_of(&peer, ServerKind::LlamaServer, None);
    school.try_reply().await.expect("a token");
    assert_eq!(peer.chats()[0].body["max_tokens"], json!(1));
    assert_eq!(school.try_structure().await.expect("a result"), Rung::Schema);
}
