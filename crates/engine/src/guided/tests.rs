//! Answers held to forms: by the demo model, by random logits, and by the toy.

mod random;
mod toy;

use std::path::{Path, PathBuf};

use gemma4::LoadOptions;
use generation::{Completion, EngineInfo, EngineKind, FinishReason, GenerateRequest, Message, Role, Sampling};
use generation::{Structure, TokenEvent};
use serde_json::{Value, json};

use super::{Dialect, Guides, Place, Workshop, environment};
use crate::{
    answer::Writer,
    answer_memory::AnswerMemory,
    backend::{GemmaCodec, Parts},
    codec::Codec,
    device::DeviceChoice,
    error::Error,
    lab::Author,
    logits_processor::Chain,
    session::Session,
    speculation::Speculation,
};

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo/aula-demo.gguf")
}

fn parts(plain: bool) -> Parts {
    let options = LoadOptions { plain, threads: Some(1), ..LoadOptions::default() };
    Parts::open(&demo(), DeviceChoice::Cpu, None, &options).expect("the demo model opens")
}

fn structure(schema: Value) -> Structure {
    Structure { name: "test".to_owned(), schema }
}

fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().expect("an object").keys().collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

fn text(most: usize) -> Value {
    object(json!({"text": {"type": "string", "minLength": 1, "maxLength": most}}))
}

/// Three cards, of which much is forced.
fn cards() -> Value {
    let card = object(json!({"front": text(30), "back": text(60), "level": {"enum": ["easy", "hard"]}}));
    object(json!({"title": text(20), "cards": {"type": "array", "minItems": 3, "maxItems": 3, "items": card}}))
}

fn ask(question: &str, schema: Value, seed: u64) -> GenerateRequest {
    GenerateRequest {
        sampling: Sampling { seed: Some(seed), ..Sampling::default() },
        structure: Some(structure(schema)),
        max_tokens: 390,
        ..GenerateRequest::new("r", vec![Message::new(Role::User, question)])
    }
}

/// What answers are written with, whatever the model.
struct Desk {
    codec: Box<dyn Codec>,
    session: Session,
    memory: AnswerMemory,
    guides: Guides,
}

impl Desk {
    fn new(codec: Box<dyn Codec>, session: Session) -> Self {
        Self { guides: Guides::new(codec.vocabulary()), codec, session, memory: AnswerMemory::default() }
    }

    fn write(&mut self, request: &GenerateRequest) -> (String, Completion) {
        let (text, _, completion) = self.write_while(request, &|| false);
        (text, completion.expect("an answer"))
    }

    /// The text, whether anything was begun, and the end.
    fn write_while(
        &mut self,
        request: &GenerateRequest,
        cancelled: &dyn Fn() -> bool,
    ) -> (String, bool, Result<Completion, Error>) {
        let (mut text, mut begun) = (String::new(), false);
        let completion = Writer {
            session: &mut self.session,
            codec: &*self.codec,
            speculation: &mut Speculation::default(),
            memory: &mut self.memory,
            guides: &mut self.guides,
            engine: &EngineInfo { kind: EngineKind::Demo, model: String::new(), device: String::new() },
            kept: None,
            processors: Chain::default(),
            cancelled,
            emit: &mut |event| match event {
                TokenEvent::Token { text: piece } => text.push_str(&piece),
                TokenEvent::Started { .. } => begun = true,
                _ => {}
            },
        }
        .write(request);
        (text, begun, completion)
    }
}

#[test]
fn answers_of_the_demo_model_have_their_form() {
    let mut author = Author::open(&demo(), 4096, 1).expect("the demo model opens");
    for (seed, question) in ["What is a cell?", "¿Cuánto es 12 + 30?", "O que é uma fração?"].into_iter().enumerate()
    {
        let request = ask(question, cards(), seed as u64);
        let (text, completion) = author.write(&request).expect("an answer");
        assert_eq!(completion.finish_reason, FinishReason::Stop, "{text}");
        let value = structure(cards()).read(&text).expect("valid");
        assert_eq!(value.to_string(), text, "compact, in the schema's order");
        let usage = &completion.usage;
        assert!(usage.forced_tokens > 20 && usage.forced_tokens < usage.completion_tokens, "{usage:?}");
        assert_eq!(usage.completion_tokens, completion.token_ids.len());
        assert_eq!(completion.token_ids.last(), Some(&106), "the end of the turn is counted");
        assert_eq!(usage.drafted_tokens, 0);
        // The grammar is the same the second time, and so is the answer.
        let (again, repeated) = author.write(&request).expect("an answer");
        assert_eq!((again, repeated.token_ids), (text, completion.token_ids));
    }
}

#[test]
fn the_plain_path_keeps_to_the_form_too() {
    let parts = parts(true);
    assert_eq!(parts.model.runtime().kernels, "plain");
    let session = Session::new(parts.model.sequence(512).expect("small"), parts.model.chunk_limit());
    let mut desk = Desk::new(Box::new(GemmaCodec::new(parts.tokenizer)), session);
    for seed in 0..3 {
        let (text, completion) = desk.write(&ask("What is a prime number?", cards(), seed));
        assert_eq!(completion.finish_reason, FinishReason::Stop, "{text}");
        assert!(structure(cards()).read(&text).is_ok(), "{text}");
        assert!(completion.usage.forced_tokens > 20);
    }
}

#[test]
fn an_answer_without_a_form_is_what_it_was_before_and_after_one_with_a_form() {
    let mut plainly = ask("What is photosynthesis?", json!({}), 9);
    plainly.structure = None;
    let mut fresh = Author::open(&demo(), 4096, 1).expect("the demo model opens");
    let expected = fresh.write(&plainly).expect("an answer");
    assert_eq!(expected.1.usage.forced_tokens, 0);
    let mut author = Author::open(&demo(), 4096, 1).expect("the demo model opens");
    author.write(&ask("What is photosynthesis?", cards(), 9)).expect("an answer");
    let (text, completion) = author.write(&plainly).expect("an answer");
    assert_eq!((text, completion.token_ids), (expected.0, expected.1.token_ids));
    assert_eq!(completion.usage.prefilled_tokens, 0, "the prompt was read for the answer before");
}

/// Whether the grammar of answers takes `document`.
fn takes(schema: &Value, document: &str) -> bool {
    let codec = GemmaCodec::new(parts(false).tokenizer);
    let workshop = Workshop::new(&environment(codec.vocabulary()), Dialect::Answer).expect("a workshop");
    let mut place = Place::start(workshop.grammar(schema).expect("usable"));
    let tokens = codec.vocabulary().encode(document).expect("text");
    tokens.into_iter().all(|token| place.try_token(token)) && place.may_end()
}

#[test]
fn strings_have_one_line_and_backslashes_are_doubled() {
    let schema = object(json!({"a": {"type": "string", "maxLength": 40}}));
    for (string, taken) in [
        (r"$\\frac{1}{2}$ \u00e1", false),
        (r#"$\\frac{1}{2}$ \"á\" 🙂 < > ½"#, true),
        (r"a\nb", false),
        (r"\frac", false),
        (r"\ud800", false),
        ("tab\t", false),
    ] {
        assert_eq!(takes(&schema, &format!(r#"{{"a":"{string}"}}"#)), taken, "{string}");
    }
    assert!(!takes(&schema, r#"{"a": "x"}"#), "no space between tokens");
    assert!(!takes(&schema, "{\"a\":\"<turn|>\"} "), "nothing follows");
    assert!(takes(&schema, "{\"a\":\"<turn|>\"}"), "typed out, a control token is text");
}

#[test]
fn there_is_no_minus_zero() {
    for (schema, documents) in [
        (json!({"type": "integer"}), ["0", "-1", "-120", "7"]),
        (json!({"type": "integer", "minimum": -10, "maximum": 10}), ["0", "-10", "10", "-1"]),
        (json!({"type": "integer", "minimum": -3}), ["0", "-3", "1000", "-1"]),
        (json!({"type": "integer", "maximum": 0}), ["0", "-3", "-1000", "-1"]),
    ] {
        let list = object(json!({"a": {"type": "array", "maxItems": 2, "items": schema}}));
        for (number, taken) in documents.into_iter().map(|number| (number, true)).chain([("-0", false)]) {
            assert_eq!(takes(&list, &format!("{{\"a\":[{number}]}}")), taken, "{list}: {number}");
        }
        assert!(!takes(&schema, "-11") || !schema.to_string().contains("-10"));
    }
}

#[test]
fn a_control_token_is_never_allowed_but_at_the_end() {
    let codec = GemmaCodec::new(parts(false).tokenizer);
    let vocabulary = codec.vocabulary();
    let workshop = Workshop::new(&environment(codec.vocabulary()), Dialect::Answer).expect("a workshop");
    let mut place = Place::start(workshop.grammar(&json!({"type": "string", "maxLength": 5})).expect("usable"));
    for (token, after) in [("\"", false), ("a", false), ("\"", true)] {
        let token = vocabulary.encode(token).expect("text")[0];
        place.advance(Some(token)).expect("allowed");
        if after {
            break;
        }
        let mask = place.mask().expect("a mask");
        let control = (0..vocabulary.size() as u32).filter(|&id| vocabulary.bytes(id).is_none());
        assert_eq!(control.filter(|&id| mask.allows(id)).count(), 0);
        assert!(!mask.allows(vocabulary.size() as u32), "nothing beyond the vocabulary");
    }
    assert!(place.may_end());
    // A number may go on or end here: then the end of the turn is among what may be drawn.
    let mut place = Place::start(workshop.grammar(&json!({"type": "integer", "minimum": 1})).expect("usable"));
    place.advance(Some(vocabulary.encode("7").expect("text")[0])).expect("allowed");
    let mask = place.mask().expect("a mask");
    assert!(mask.allows(106) && mask.allows(1) && !mask.allows(50) && !mask.allows(105));
}

#[test]
fn a_mask_forbids_all_others_and_the_padding() {
    let codec = GemmaCodec::new(parts(false).tokenizer);
    let size = codec.vocabulary().size();
    let workshop = Workshop::new(&environment(codec.vocabulary()), Dialect::Answer).expect("a workshop");
    for schema in [json!({"type": "boolean"}), json!({"type": "string", "maxLength": 9}), json!({"enum": [1, 12, "é"]})]
    {
        let mut place = Place::start(workshop.grammar(&schema).expect("usable"));
        place.advance(None).expect("a beginning");
        let mask = place.mask().expect("a mask");
        for width in [size + 100, size, size - 7] {
            let mut row = vec![1.0; width];
            mask.apply(&mut row);
            for (id, value) in row.iter().enumerate() {
                assert_eq!(*value == 1.0, mask.allows(id as u32), "{schema}, token {id} of {width}");
            }
        }
    }
}

#[test]
fn a_form_that_cannot_be_used_is_refused_before_anything_is_computed() {
    let parts = parts(false);
    let session = Session::new(parts.model.sequence(512).expect("small"), parts.model.chunk_limit());
    let mut desk = Desk::new(Box::new(GemmaCodec::new(parts.tokenizer)), session);
    for round in 0..2 {
        for schema in [
            json!({"type": "array", "uniqueItems": true}),
            json!({"type": "string", "pattern": "("}),
            json!({"not": {}}),
            json!("string"),
        ] {
            let (text, begun, end) = desk.write_while(&ask("x", schema.clone(), 1), &|| false);
            assert!(matches!(end, Err(Error::Form { .. })), "{schema}: {end:?}");
            assert!(text.is_empty() && !begun, "{schema}");
        }
        // The second time the vocabulary's own grammars are there to say it.
        let (text, _) = desk.write(&ask("x", json!({"enum": ["a", "b"]}), round));
        assert!(["\"a\"", "\"b\""].contains(&text.as_str()), "{text}");
    }
}
