//! What files may look like, and what is said about those that cannot be run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use common::{
    edit::{Contents, Setting, as_f32},
    *,
};
use errors::{ErrorCode, Explain};
use gemma4::Error;
use tempfile::TempDir;

const E2B: &str = "tiny-e2b/tiny-e2b-Q8_0.gguf";
const E2B_EXACT: &str = "tiny-e2b/tiny-e2b-F16.gguf";
const E4B_EXACT: &str = "tiny-e4b/tiny-e4b-BF16.gguf";

/// A folder with the golden file `from` as changed by `edit`.
fn edited(from: &str, edit: impl FnOnce(&mut Contents)) -> (TempDir, PathBuf) {
    let mut contents = Contents::read(&golden(from));
    edit(&mut contents);
    written(&contents)
}

fn written(contents: &Contents) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    contents.write(&path);
    (folder, path)
}

/// Logits of 40 tokens, more than the window, in two chunks.
fn logits(path: &std::path::Path) -> Vec<f32> {
    let tokens: Vec<u32> = (0..40).map(|i| (i * 37 + 5) % 576).collect();
    prefill(&load(path), &tokens, 23).into_vec()
}

/// What opening the edited file says, with its whole chain of causes, its code and its hint.
fn complaint(from: &str, edit: impl FnOnce(&mut Contents)) -> (String, ErrorCode, String) {
    let (_folder, path) = edited(from, edit);
    let error = match try_load(&path) {
        Ok(_) => panic!("the file was accepted"),
        Err(error) => error,
    };
    (errors::chain(&error), error.code(), error.hint().unwrap())
}

#[test]
fn keys_and_values_of_sharing_layers_are_ignored() {
    for (file, first_shared, removed) in [(E2B_EXACT, 4, 12), (E2B, 4, 12), (E4B_EXACT, 2, 6)] {
        let is_shared_kv = |name: &str| {
            let Some((layer, tensor)) = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) else {
                return false;
            };
            layer.parse::<usize>().unwrap() >= first_shared && tensor.starts_with("attn_") && {
                ["attn_k.weight", "attn_v.weight", "attn_k_norm.weight"].contains(&tensor)
            }
        };
        let mut full = Contents::read(&golden(file));
        if !full.tensors.iter().any(|tensor| is_shared_kv(&tensor.name)) {
            // This file is the compact form already: give it tensors that would ruin the result if they were used.
            for layer in first_shared..first_shared + removed / 3 {
                for tensor in ["attn_k.weight", "attn_v.weight", "attn_k_norm.weight"] {
                    let mut made_up = full.tensor(&format!("blk.{}.{tensor}", layer % first_shared)).clone();
                    made_up.name = format!("blk.{layer}.{tensor}");
                    full.tensors.push(made_up);
                }
            }
        }
        let (_full_folder, full_path) = written(&full);
        let n_full = full.tensors.len();
        full.remove_tensors(is_shared_kv);
        assert_eq!(n_full - full.tensors.len(), removed, "{file}");
        let (_compact_folder, compact_path) = written(&full);
        assert_eq!(logits(&full_path), logits(&compact_path), "{file}");
    }
}

#[test]
fn the_rotary_divisors_may_be_missing() {
    let (_folder, path) = edited(E2B, |c| c.remove_tensors(|name| name == "rope_freqs.weight"));
    assert_eq!(logits(&path), logits(&golden(E2B)));
}

#[test]
fn scalars_and_arrays_mean_the_same() {
    let (_folder, path) = edited(E4B_EXACT, |c| {
        c.set("gemma4.feed_forward_length", Setting::Ints(vec![256; 4]));
        c.set("gemma4.attention.head_count_kv", Setting::Ints(vec![2; 4]));
    });
    assert_eq!(logits(&path), logits(&golden(E4B_EXACT)));
}

#[test]
fn sixteen_bit_weights_compute_exactly_as_their_f32_twin() {
    for file in [E2B_EXACT, E4B_EXACT] {
        let (_folder, twin) = written(&as_f32(&golden(file)));
        assert_eq!(logits(&golden(file)), logits(&twin), "{file}");
    }
}

#[test]
fn f32_twins_of_quantized_files_give_the_references_logits() {
    for (variant, kind) in [("tiny-e2b", "Q8_0"), ("tiny-e2b", "Q4_0"), ("tiny-e4b", "Q4_K_M")] {
        let (_folder, twin) = written(&as_f32(&golden(&format!("{variant}/{variant}-{kind}.gguf"))));
        let ids = Arrays::open(&format!("{variant}/reference.safetensors")).ids("prompt.long.input_ids");
        let got = prefill(&load(&twin), &ids, ids.len());
        let expected = Arrays::open(&format!("{variant}/dequant.safetensors"));
        let expected = expected.last_rows(&format!("{kind}.long.logits"));
        assert_close(&format!("{variant} {kind}"), got.as_slice(), &expected, 5e-4);
    }
}

#[test]
fn a_missing_tensor_is_named() {
    for name in ["token_embd.weight", "per_layer_token_embd.weight", "blk.0.attn_k.weight", "blk.7.post_norm.weight"] {
        let (message, code, hint) = complaint(E2B, |c| c.remove_tensors(|tensor| tensor == name));
        assert!(message.contains(name) && message.contains("missing"), "{message}");
        assert_eq!(code, ErrorCode::ModelFileDamaged);
        assert!(!hint.is_empty());
    }
}

#[test]
fn a_mis_shaped_tensor_is_named_with_both_shapes() {
    for (name, expected, found) in [
        ("blk.2.ffn_gate.weight", "[64, 128]", "[128, 64]"),
        ("blk.3.attn_k.weight", "[64, 128]", "[128, 64]"),
        ("blk.7.attn_output.weight", "[128, 256]", "[256, 128]"),
        ("per_layer_model_proj.weight", "[256, 128]", "[128, 256]"),
    ] {
        let (message, code, _) = complaint(E2B_EXACT, |c| c.tensor(name).shape.reverse());
        assert!(message.contains(name) && message.contains(expected) && message.contains(found), "{message}");
        assert_eq!(code, ErrorCode::ModelFileDamaged);
    }
    // As many values in one dimension instead of two.
    let (message, ..) = complaint(E2B_EXACT, |c| c.tensor("blk.0.proj.weight").shape = vec![128 * 32]);
    assert!(message.contains("blk.0.proj.weight") && message.contains("[4096]"), "{message}");
}

#[test]
fn a_norm_must_be_f32() {
    let (message, code, _) = complaint(E2B_EXACT, |c| {
        let tensor = c.tensor("blk.1.attn_norm.weight");
        tensor.bytes.truncate(tensor.bytes.len() / 2);
        tensor.kind = test_support::synth::Kind::F16;
    });
    assert!(message.contains("blk.1.attn_norm.weight") && message.contains("F16"), "{message}");
    assert_eq!(code, ErrorCode::ModelUnsupported);
}

#[test]
fn a_missing_key_is_named() {
    for key in [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.key_length_swa",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "attention.shared_kv_layers",
        "attention.layer_norm_rms_epsilon",
        "final_logit_softcapping",
        "rope.freq_base",
        "rope.freq_base_swa",
    ] {
        let key = format!("gemma4.{key}");
        let (message, code, hint) = complaint(E2B, |c| c.remove_key(&key));
        assert!(message.contains(&key), "{message}");
        assert_eq!(code, ErrorCode::ModelFileDamaged, "{key}");
        assert!(!hint.is_empty());
    }
}

#[test]
fn keys_that_contradict_each_other_are_named() {
    let cases = [
        ("gemma4.block_count", Setting::Int(0)),
        ("gemma4.block_count", Setting::Int(4_000_000_000)),
        ("gemma4.block_count", Setting::Text("many".to_owned())),
        ("gemma4.embedding_length", Setting::Int(u32::MAX)),
        ("gemma4.attention.shared_kv_layers", Setting::Int(8)),
        ("gemma4.attention.shared_kv_layers", Setting::Int(7)),
        ("gemma4.attention.head_count_kv", Setting::Int(3)),
        ("gemma4.attention.head_count_kv", Setting::Ints(vec![1; 7])),
        ("gemma4.attention.sliding_window", Setting::Int(0)),
        ("gemma4.attention.sliding_window_pattern", Setting::Flags(vec![true; 9])),
        ("gemma4.attention.key_length", Setting::Int(63)),
        ("gemma4.attention.layer_norm_rms_epsilon", Setting::Float(f32::NAN)),
        ("gemma4.final_logit_softcapping", Setting::Float(0.0)),
        ("gemma4.rope.freq_base", Setting::Float(-1.0)),
        ("gemma4.feed_forward_length", Setting::Ints(vec![64, 64, 64, 64, 128, 128, 128, 0])),
    ];
    for (key, value) in cases {
        let (message, code, _) = complaint(E2B, |c| c.set(key, value.clone()));
        let part = key.trim_start_matches("gemma4.attention.").trim_start_matches("gemma4.");
        let named = message.contains(part) || (part == "key_length" && message.contains("value_length"));
        assert!(named, "{key} = {value:?}: {message}");
        assert_eq!(code, ErrorCode::ModelFileDamaged, "{key} = {value:?}: {message}");
    }
}

#[test]
fn other_models_are_called_what_they_are() {
    for (architecture, word) in [("clip", "mmproj"), ("gemma4-assistant", "draft"), ("llama", "E2B")] {
        let name = Setting::Text(architecture.to_owned());
        let (message, code, hint) = complaint(E2B, |c| c.set("general.architecture", name));
        assert!(message.contains(architecture), "{message}");
        assert_eq!(code, ErrorCode::ModelUnsupported);
        assert!(hint.contains(word), "{hint}");
    }
    let (message, code, _) = complaint(E2B, |c| c.keys.push(("gemma4.expert_count".to_owned(), Setting::Int(128))));
    assert!(message.contains("experts"), "{message}");
    assert_eq!(code, ErrorCode::ModelUnsupported);
    let (message, code, _) = complaint(E2B, |c| c.remove_key("gemma4.embedding_length_per_layer_input"));
    assert!(message.contains("per-layer embeddings"), "{message}");
    assert_eq!(code, ErrorCode::ModelUnsupported);
    let (message, code, _) = complaint(E2B, |c| {
        let mut head = c.tensor("token_embd.weight").clone();
        head.name = "output.weight".to_owned();
        c.tensors.push(head);
    });
    assert!(message.contains("output head"), "{message}");
    assert_eq!(code, ErrorCode::ModelUnsupported);
}

#[test]
fn a_device_that_this_build_lacks_is_refused_with_a_sentence() {
    use gemma4::{DeviceKind, LoadOptions};
    for device in [DeviceKind::Cuda, DeviceKind::Metal].into_iter().filter(|device| !device.in_this_build()) {
        let error = gemma4::load::open(&golden(E2B), &LoadOptions { device, ..LoadOptions::default() }).err().unwrap();
        assert!(matches!(error, Error::DeviceUnavailable { .. }), "{error}");
        assert_eq!(error.code(), ErrorCode::DeviceUnavailable);
        assert!(error.hint().is_some_and(|hint| hint.contains("CPU")));
    }
}
