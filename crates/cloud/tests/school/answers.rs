//! Answers in all their shapes, cut everywhere.

use crate::peer::{End, Peer, Reply};
use crate::*;
use generation::{EngineKind, FinishReason, Image};

const TEXT: &str = "Una fracción: ½ — 🍕 entre dos.";

fn fraction() -> String {
    let pieces: Vec<String> = TEXT.chars().map(String::from).collect();
    stream(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn chat(reply: Reply) -> Outcome {
    let peer = Peer::start(move |_, _| reply.clone()).await;
    run(&school_of(&peer, ServerKind::Vllm, None), question()).await
}

async fn result(reply: Reply) -> Outcome {
    let peer = Peer::start(move |_, _| reply.clone()).await;
    run(&school_of(&peer, ServerKind::Vllm, None), task()).await
}

#[tokio::test]
async fn an_answer_is_the_same_however_it_is_cut() {
    let body = stream(&["Una ½", "\u{2028}fracción", " 🍕"]);
    let whole = "Una ½\u{2028}fracción 🍕";
    let (cuts, crlf) = (body.clone(), body.replace('\n', "\r\n"));
    let peer = Peer::start(move |_, before| {
        let body = if before % 2 == 0 { &cuts } else { &crlf };
        Reply::events(body.clone()).cut_at(&[(before / 2).min(body.len())])
    })
    .await;
    let school = lasting(&peer);
    for cut in 0..2 * body.len() {
        let outcome = run(&school, question()).await;
        assert_eq!(outcome.text(), whole, "cut {cut}");
        assert_eq!(outcome.completion().finish_reason, FinishReason::Stop, "cut {cut}");
    }
    let every_byte: Vec<usize> = (1..fraction().len()).collect();
    assert_eq!(chat(Reply::events(fraction()).cut_at(&every_byte)).await.text(), TEXT);
}

#[tokio::test]
async fn a_chat_tells_who_answered_and_what_it_took() {
    let outcome = chat(Reply::events(fraction())).await;
    let completion = outcome.completion();
    assert_eq!((completion.usage.prompt_tokens, completion.usage.completion_tokens), (5, 3));
    assert_eq!((completion.engine.kind, completion.engine.model.as_str()), (EngineKind::School, "gemma"));
    assert_eq!(completion.engine.device, "127.0.0.1");
    assert!(completion.timings.ttft_s > 0.0);
    assert!(outcome.tokens.len() > 20, "it comes piece by piece");
}

#[tokio::test]
async fn streams_may_hold_comments_pings_and_no_counts() {
    let plain = format!("{}{}", delta(&json!("Hello")), finish("stop"));
    let odd = format!(
        ": ping\n\n\r\n:\n\ndata:{}\n\nevent: ping\ndata: {{\"type\":\"ping\"}}\n\nid: 7\nretry: 10\n\n{}",
        json!({"choices": [{"delta": {"content": "Hello", "role": "assistant"}, "finish_reason": null, "logprobs": {}}], "x": 1}),
        finish("stop")
    );
    let unfinished_line = plain.trim_end().to_owned();
    let whole = json!({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]});
    let pretty = serde_json::to_string_pretty(&whole).expect("JSON");
    let parts = json!({"choices": [{"message": {"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}, "finish_reason": "stop"}]});
    let done_only = format!("{}data: [DONE]\n\n", delta(&json!("Hello")));
    for body in [plain, odd, unfinished_line, whole.to_string(), pretty, parts.to_string(), done_only] {
        let outcome = chat(Reply::events(body.clone())).await;
        assert_eq!((outcome.text().as_str(), outcome.code()), ("Hello", None), "{body}");
    }
}

#[tokio::test]
async fn a_stream_that_stays_open_after_its_end_is_left() {
    let body = format!("{}{}", delta(&json!("Hello")), finish("stop"));
    let outcome = chat(Reply::events(body).end(End::Silence)).await;
    assert_eq!((outcome.text().as_str(), outcome.code()), ("Hello", None));
}

#[tokio::test]
async fn thoughts_never_reach_people() {
    let reasoning = |name: &str| format!("data: {}\n\n", json!({"choices": [{"delta": {name: "I must think"}}]}));
    for before in [
        reasoning("reasoning"),
        reasoning("reasoning_content"),
        delta(&json!("<think>I must think</think>\n")),
        format!(
            "{}{}{}",
            delta(&json!("<|chan")),
            delta(&json!("nel>thought\nI must")),
            delta(&json!(" think<channel|>"))
        ),
    ] {
        let outcome = chat(Reply::events(format!("{before}{}", stream(&["Hel", "lo"])))).await;
        assert_eq!(outcome.text(), "Hello", "{before}");
    }
    let only_thoughts = format!("{}{}", reasoning("reasoning"), finish("stop"));
    assert_eq!(chat(Reply::events(only_thoughts)).await.code(), Some(ErrorCode::BadAnswer));
    let cut_in_thought = format!("{}{}", delta(&json!("<think>I must")), finish("length"));
    assert_eq!(chat(Reply::events(cut_in_thought)).await.code(), Some(ErrorCode::ResultCut));
}

#[tokio::test]
async fn a_cut_chat_says_which_limit() {
    let cut = |written: u32| {
        let usage = json!({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": written}});
        format!("{}{}data: {usage}\n\n", delta(&json!("Hello")), finish("length"))
    };
    let outcome = chat(Reply::events(cut(1024))).await;
    assert_eq!(outcome.completion().finish_reason, FinishReason::MaxTokens);
    let outcome = chat(Reply::events(cut(100))).await;
    assert_eq!(outcome.completion().finish_reason, FinishReason::ContextFull);
}

#[tokio::test]
async fn a_result_is_one_token_wherever_it_stands() {
    let value = json!({"a": 1, "b": "½"});
    let text = value.to_string();
    let thought = format!("data: {}\n\n", json!({"choices": [{"delta": {"content": "", "reasoning_content": text}}]}));
    for body in [
        stream(&[&text[..5], &text[5..]]),
        stream(&["```json\n", &text, "\n```"]),
        stream(&["<think>{\"a\": 2, \"b\": \"\"}</think>", &text]),
        stream(&["Here it is: ", &text, " I hope it helps {you}"]),
        stream(&[&serde_json::to_string_pretty(&value).expect("JSON")]),
        json!({"choices": [{"message": {"content": text, "role": "assistant"}, "finish_reason": "stop"}]}).to_string(),
        format!("{thought}{}", finish("stop")),
        // The limit cut only what follows the value.
        format!("{}{}", delta(&json!(format!("{text} and this is why"))), finish("length")),
    ] {
        let outcome = result(Reply::events(body.clone())).await;
        assert_eq!(outcome.tokens.as_slice(), std::slice::from_ref(&text), "{body}");
        assert_eq!(outcome.completion().finish_reason, FinishReason::Stop);
        assert!(outcome.received > 0);
    }
}

#[tokio::test]
async fn a_result_is_the_same_however_it_is_cut() {
    let body = stream(&["{\"a\":", " 1, \"b\": \"½", "\\n🍕\"}"]);
    let cuts = body.clone();
    let peer = Peer::start(move |_, before| Reply::events(cuts.clone()).cut_at(&[before.min(cuts.len())])).await;
    let school = lasting(&peer);
    for cut in 0..body.len() {
        let outcome = run(&school, task()).await;
        assert_eq!(outcome.tokens, [r#"{"a":1,"b":"½\n🍕"}"#], "cut {cut}");
    }
}

#[tokio::test]
async fn a_cut_result_is_never_shown() {
    let outcome = result(Reply::events(format!("{}{}", delta(&json!("{\"a\": 1, ")), finish("length")))).await;
    assert_eq!((outcome.code(), outcome.text()), (Some(ErrorCode::ResultCut), String::new()));
}

#[tokio::test]
async fn pictures_are_sent_and_refused_where_nobody_sees() {
    let image = Image { media_type: "image/jpeg".to_owned(), base64: "AAAA".to_owned(), width: 1, height: 1 };
    let with_picture = || GenerateRequest { images: vec![image.clone()], ..question() };
    let peer = Peer::start(|_, _| Reply::events(stream(&["I see."]))).await;
    assert_eq!(run(&school_of(&peer, ServerKind::Vllm, None), with_picture()).await.text(), "I see.");
    let parts = &peer.chats()[0].body["messages"][1]["content"];
    assert_eq!(parts[0]["image_url"]["url"], json!("data:image/jpeg;base64,AAAA"));

    let options =
        SchoolOptions { vision: Some(false), ..SchoolOptions::new(peer.address(), "gemma", ServerKind::Vllm) };
    assert_eq!(run(&school(options, None), with_picture()).await.code(), Some(ErrorCode::NoVision));
    assert_eq!(peer.chats().len(), 1, "nothing was sent");

    let blind = Peer::start(|_, _| {
        Reply::status(500, r#"{"error":{"code":500,"message":"image input is not supported","type":"server_error"}}"#)
    })
    .await;
    let outcome = run(&school_of(&blind, ServerKind::Other, None), with_picture()).await;
    assert_eq!(outcome.code(), Some(ErrorCode::NoVision));
}
