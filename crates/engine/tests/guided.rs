//! Answers with a form, through a real worker process.

#[path = "support/harness.rs"]
mod harness;

use engine::DeviceChoice;
use errors::ErrorCode;
use generation::{FinishReason, GenerateRequest, Generator, Image, Role, Sampling, Structure, TokenEvent};
use harness::*;
use serde_json::{Value, json};
use test_support::synth::{Mix, Size, Spec, write_model};

fn structure(schema: Value) -> Structure {
    Structure { name: "list".to_owned(), schema }
}

/// A list of so many words of up to 20 letters.
fn words(count: usize) -> Structure {
    let word = json!({"type": "string", "minLength": 3, "maxLength": 20});
    structure(json!({
        "type": "object", "required": ["words", "kind"], "additionalProperties": false,
        "properties": {
            "words": {"type": "array", "minItems": count, "maxItems": count, "items": word},
            "kind": {"enum": ["noun", "verb"]},
        },
    }))
}

fn ask_for(question: &str, structure: &Structure) -> GenerateRequest {
    let sampling = Sampling { seed: Some(4), ..Sampling::default() };
    GenerateRequest { structure: Some(structure.clone()), sampling, ..ask(question) }
}

#[tokio::test]
async fn an_answer_has_its_form_and_the_next_one_is_free_again() {
    let engine = start("toy", |_| {});
    let form = words(3);
    let answer = finish(&mut begin(&engine, ask_for("len=5", &form))).await;
    let completion = answer.end.expect("a good end");
    assert_eq!(completion.finish_reason, FinishReason::Stop, "{}", answer.text);
    let value = form.read(&answer.text).expect("valid");
    assert_eq!(value.to_string(), answer.text);
    assert!(completion.usage.forced_tokens > 10, "{:?}", completion.usage);

    let (text, completion) = harness::answer(&engine, ask("len=5")).await;
    assert_eq!((text.len(), completion.usage.forced_tokens), (5, 0));
    assert_eq!(completion.usage.prefilled_tokens, 0, "the question was read before");
    engine.shutdown().await;
}

#[tokio::test]
async fn the_conversation_goes_on_after_an_answer_with_a_form() {
    let engine = start("toy", |_| {});
    let question = "len=5 name some";
    let (text, first) = answer(&engine, ask_for(question, &words(20))).await;
    let turns = [(Role::User, question), (Role::Assistant, text.as_str()), (Role::User, "len=5 and more?")];
    let (_, second) = answer(&engine, conversation(&turns)).await;
    let written = first.usage.prompt_tokens + text.len();
    // What was forced last was never fed.
    assert!(second.usage.reused_tokens + 30 > written && second.usage.reused_tokens > 100, "{:?}", second.usage);
    engine.shutdown().await;
}

#[tokio::test]
async fn pictures_and_unusable_forms_are_refused() {
    let engine = start("toy", |_| {});
    let mut request = ask_for("len=5", &words(2));
    request.images = vec![Image { media_type: "image/png".into(), base64: "AA==".into(), width: 1, height: 1 }];
    let error = engine.generate(request).expect_err("no pictures");
    assert_eq!(error.code, ErrorCode::NoVision);
    assert!(error.message.contains("(1)") && error.hint.is_some(), "{}", error.message);

    let form = structure(json!({"type": "array", "uniqueItems": true}));
    let answer = finish(&mut begin(&engine, ask_for("len=5", &form))).await;
    let error = answer.end.expect_err("refused");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    assert!(error.message.contains("`list`") && error.message.contains("uniqueItems"), "{}", error.message);
    let begun = |event: &TokenEvent| matches!(event, TokenEvent::Started { .. } | TokenEvent::Prefill { .. });
    assert!(!answer.events.iter().any(begun), "{:?}", answer.events);

    let (text, _) = harness::answer(&engine, ask_for("len=5", &words(1))).await;
    assert!(words(1).read(&text).is_ok());
    assert_eq!(engine.worker().borrow().started, 1, "no refusal costs the process");
    engine.shutdown().await;
}

#[tokio::test]
async fn limits_and_cancellation_end_an_answer_with_a_form() {
    let engine = start("toy", |_| {});
    let form = words(40);
    let mut request = ask_for("len=5", &form);
    request.max_tokens = 30;
    let (text, completion) = answer(&engine, request).await;
    assert_eq!((completion.finish_reason, text.len()), (FinishReason::MaxTokens, 30));
    assert!(form.read(&text).is_err());

    let mut generation = begin(&engine, ask_for("len=5 delay=20", &form));
    first_text(&mut generation).await;
    generation.cancel();
    let end = finish(&mut generation).await.end.expect("cancelled is no failure");
    assert_eq!(end.finish_reason, FinishReason::Cancelled);
    let (text, _) = answer(&engine, ask_for("len=5", &words(2))).await;
    assert!(words(2).read(&text).is_ok());
    engine.shutdown().await;
}

#[tokio::test]
async fn random_weights_keep_to_the_form() {
    let folder = test_support::temp_folder();
    let path = folder.path().join("tiny.gguf");
    write_model(&path, Spec::new(Size::Tiny, Mix::ALL[0])).expect("the disk has room");
    let cache_dir = folder.path().join("cache");
    let engine = start("", |options| {
        options.model = Some(path);
        options.cache_dir = cache_dir;
        options.device = DeviceChoice::Cpu;
    });
    for seed in 0..4 {
        let form = words(seed + 1);
        let mut request = ask_for("¿Qué palabras conoces?", &form);
        request.sampling.seed = Some(seed as u64);
        let (text, completion) = answer(&engine, request).await;
        assert_eq!(completion.finish_reason, FinishReason::Stop, "{text}");
        form.read(&text).expect("valid");
    }
    engine.shutdown().await;
}
