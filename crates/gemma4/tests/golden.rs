//! The decoder against what two independent implementations answer; `tests/golden/README.md` says how the numbers and
//! the limits came about.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;

use candle_core::Tensor;
use common::*;
use gemma4::{Logits, Rows};

/// Largest difference from f32 references.
const F32_LIMIT: f32 = 2e-4;

/// Unquantized files and the prompts their references hold.
const EXACT: [(&str, &str); 2] =
    [("tiny-e2b", "tiny-e2b/tiny-e2b-F16.gguf"), ("tiny-e4b", "tiny-e4b/tiny-e4b-BF16.gguf")];
const PROMPTS: [&str; 7] = ["single", "short", "bytes", "long", "chat", "chat_system", "chat_tools"];

/// Quantized files.
const QUANTIZED: [(&str, &str); 3] = [("tiny-e2b", "Q8_0"), ("tiny-e2b", "Q4_0"), ("tiny-e4b", "Q4_K_M")];

fn reference(variant: &str) -> Arrays {
    Arrays::open(&format!("{variant}/reference.safetensors"))
}

#[test]
fn prefill_gives_the_references_logits() {
    for (variant, file) in EXACT {
        let (model, reference) = (load(&golden(file)), reference(variant));
        for prompt in PROMPTS {
            let ids = reference.ids(&format!("prompt.{prompt}.input_ids"));
            let logits = prefill(&model, &ids, ids.len());
            assert_eq!(logits.n_rows(), ids.len());
            let expected = reference.last_rows(&format!("prompt.{prompt}.logits"));
            assert_close(&format!("{file} {prompt}"), logits.as_slice(), &expected, F32_LIMIT);
        }
    }
}

#[test]
fn chunked_prefill_and_decode_give_the_references_logits() {
    for (variant, file) in EXACT {
        let (model, reference) = (load(&golden(file)), reference(variant));
        let ids = reference.ids("prompt.long.input_ids");
        let expected = reference.last_rows("prompt.long.logits");
        for chunk in [1, 3, 7, 16, 64] {
            let logits = prefill(&model, &ids, chunk);
            assert_close(&format!("{file} in chunks of {chunk}"), logits.as_slice(), &expected, F32_LIMIT);
            if chunk == 1 {
                let expected = reference.last_rows("prompt.long.decode_logits");
                assert_close(&format!("{file} decode"), logits.as_slice(), &expected, F32_LIMIT);
            }
        }
    }
}

#[test]
fn greedy_decoding_chooses_the_references_tokens() {
    for (variant, file) in EXACT {
        let (model, reference) = (load(&golden(file)), reference(variant));
        for prompt in ["short", "chat"] {
            let ids = reference.ids(&format!("prompt.{prompt}.input_ids"));
            let expected = reference.ids(&format!("greedy.{prompt}.new_ids"));
            let chosen: Vec<u32> = greedy(&model, &ids, expected.len()).into_iter().map(|(token, _)| token).collect();
            assert_eq!(chosen, expected, "{file} {prompt}");
        }
    }
}

#[test]
fn every_intermediate_value_is_the_references() {
    for (variant, file) in EXACT {
        let (model, reference) = (load(&golden(file)), reference(variant));
        let ids = reference.ids("prompt.short.input_ids");
        let mut seen: HashMap<String, Tensor> = HashMap::new();
        let mut probe = |(layer, what): gemma4::plain::Place, value: &Tensor| {
            let key = match layer {
                Some(layer) => format!("trace.layer.{layer}.{what}"),
                None => format!("trace.{what}"),
            };
            assert!(seen.insert(key, value.clone()).is_none(), "shown twice");
        };
        model
            .plain_sequence(512)
            .unwrap()
            .forward_probed(&ids, Rows::All, &go_on, &mut probe, &mut Logits::default())
            .unwrap();

        let traced: Vec<&str> = reference.keys().filter(|k| k.starts_with("trace.") && !k.contains("rope")).collect();
        assert!(traced.len() > 40, "{} traced values", traced.len());
        for key in traced {
            let got = seen.get(key).unwrap_or_else(|| panic!("{key} was not shown"));
            let expected = reference.tensor(key);
            // The reference holds the last positions only. They are the first dimension, except in the caches.
            let dim = if key.ends_with("_cache") { 1 } else { 0 };
            let kept = expected.dim(dim).unwrap();
            let got = got.narrow(dim, got.dim(dim).unwrap() - kept, kept).unwrap();
            let got: Vec<f32> = got.flatten_all().unwrap().to_vec1().unwrap();
            assert_eq!(got.len(), expected.elem_count(), "{key}");
            // Values inside a layer are larger than logits; the limit follows them.
            let expected = reference.values(key);
            let largest = expected.iter().fold(1f32, |m, x| m.max(x.abs()));
            assert_close(&format!("{file} {key}"), &got, &expected, 1e-5 * largest);
        }
    }
}

#[test]
fn quantized_files_answer_like_llama_cpp() {
    for (variant, kind) in QUANTIZED {
        let model = load(&golden(&format!("{variant}/{variant}-{kind}.gguf")));
        let ids = reference(variant).ids("prompt.long.input_ids");
        let logits = prefill(&model, &ids, ids.len());
        for (other, max, mean) in [("llamacpp", 1.2, 0.15), ("dequant", 1.2, 0.15)] {
            let expected = Arrays::open(&format!("{variant}/{other}.safetensors"));
            let expected = expected.last_rows(&format!("{kind}.long.logits"));
            let got = &logits.as_slice()[logits.as_slice().len() - expected.len()..];
            let d = distance(got, &expected);
            println!("{variant} {kind} against {other}: {d:?}");
            assert!(d.max <= max && d.mean <= mean, "{variant} {kind} against {other}: {d:?}");
        }
    }
}

/// Twice the largest difference of quantized logits that was measured: a wider margin decides the same in both.
const CLEAR_MARGIN: f32 = 0.9;

#[test]
fn quantized_files_make_llama_cpps_choices_where_they_are_clear() {
    for (variant, kind) in QUANTIZED {
        let model = load(&golden(&format!("{variant}/{variant}-{kind}.gguf")));
        let prompt = reference(variant).ids("prompt.short.input_ids");
        let expected = Arrays::open(&format!("{variant}/llamacpp.safetensors"));
        let margins = expected.values(&format!("{kind}.greedy.short.margin"));
        let chosen = expected.ids(&format!("{kind}.greedy.short.new_ids"));
        // With llama.cpp's own choices as the text, one unclear step does not spoil those behind it.
        let logits = prefill(&model, &[&prompt[..], &chosen].concat(), 16);
        let mut n_clear = 0;
        for (step, (token, margin)) in chosen.iter().zip(&margins).enumerate() {
            if *margin > CLEAR_MARGIN {
                assert_eq!(arg_max(logits.row(prompt.len() - 1 + step)), *token, "{variant} {kind}: step {step}");
                n_clear += 1;
            }
        }
        println!("{variant} {kind}: {n_clear} clear steps of {}", chosen.len());
        assert!(n_clear >= 16, "{variant} {kind}: only {n_clear} clear steps");
    }
}
