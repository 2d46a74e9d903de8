//! The demo model that ships with the app: text to tokens to text, against what llama.cpp and transformers answer
//! (`models/demo/README.md`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use common::{every_path, greedy};
use gemma4::{Tokenizer, Turn, chat_template, gguf::GgufFile};
use serde::Deserialize;

/// Two implementations with quantized activations part where the two best logits are nearer than this.
const NEAR_TIE: f32 = 0.2;
/// Tokens compared of each answer; some count to two hundred.
const COMPARED: usize = 120;

#[derive(Deserialize)]
struct Answer {
    user: String,
    turns: usize,
    prompt: String,
    ids: Vec<u32>,
    new_ids: Vec<u32>,
    margins: Vec<f32>,
    text: String,
}

fn demo(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/demo").join(name)
}

fn answers() -> Vec<Answer> {
    serde_json::from_slice(&std::fs::read(demo("greedy.json")).unwrap()).unwrap()
}

/// The system turn of a rendered prompt, if it has one.
fn system_turn(prompt: &str) -> Option<&str> {
    prompt.strip_prefix("<bos><|turn>system\n")?.split("<turn|>").next()
}

#[test]
fn prompts_become_the_same_tokens() {
    let file = GgufFile::open(&demo("aula-demo.gguf")).unwrap();
    let tokenizer = Tokenizer::from_gguf(&file, None).unwrap();
    let mut compared = 0;
    for answer in answers().iter().filter(|answer| answer.turns == 1) {
        let mut turns = Vec::new();
        turns.extend(system_turn(&answer.prompt).map(|text| Turn::System(text.to_owned())));
        turns.push(Turn::User(answer.user.clone()));
        assert_eq!(chat_template::render(&tokenizer, &turns).unwrap(), answer.ids, "{}", answer.user);
        compared += 1;
    }
    assert!(compared >= 30, "only {compared} prompts of one turn");
}

#[test]
fn greedy_answers_are_the_same() {
    let file = GgufFile::open(&demo("aula-demo.gguf")).unwrap();
    let tokenizer = Tokenizer::from_gguf(&file, None).unwrap();
    for (path, model) in every_path(&demo("aula-demo.gguf")) {
        let mut whole = 0;
        for answer in answers() {
            let n = answer.margins.iter().position(|margin| *margin < NEAR_TIE).unwrap_or(answer.new_ids.len());
            let n = n.min(COMPARED);
            let got: Vec<u32> = greedy(&*model, &answer.ids, n).into_iter().map(|(token, _)| token).collect();
            assert_eq!(got, answer.new_ids[..n], "{path}: {}", answer.user);
            if n == answer.new_ids.len() {
                let mut stream = tokenizer.detokenizer();
                let mut text: String = got.iter().map(|token| stream.push(*token)).collect();
                text.push_str(&stream.finish());
                assert_eq!(text.trim(), answer.text.trim(), "{path}: {}", answer.user);
                whole += 1;
            }
        }
        assert!(whole >= 20, "{path}: only {whole} answers were compared to their end");
    }
}
