//! The fast path against what two independent implementations answer, and against the plain path layer by layer.
//!
//! Where limits differ from the plain path's it is for keys and values in f16, each rounded by up to 2⁻¹¹ of itself. A
//! score is then off by up to 2⁻¹¹ · Σ|q·k|, which is at most 2⁻¹¹ · |q| · |k|: with normed heads of 32 to 64 elements and
//! weights near 1 that is 0.03 at the worst and 2⁻¹¹ · √d = 0.004 for what rounds at random; an attention weight is off by
//! that share of itself, and a value by 2⁻¹¹. So the output of one attention is off by about half a percent of its size at
//! most. It is added to the stream, and there it stays.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::HashMap, sync::Arc};

use candle_core::Tensor;
use common::*;
use gemma4::{
    Config, Error, LoadOptions, Logits, Model, Rows,
    fast::{self, FastModel},
    gguf::GgufFile,
};
use test_support::synth::{GgufBuilder, Mix, Shape, Size, Spec, plan, put_parameters, write_f32_twin, write_model};

/// Largest difference of unquantized logits from f32 references, whose standard deviation is 5. Twice what was measured;
/// a mistake costs 0.9 and more (`tests/golden/README.md`).
const F16_LIMIT: f32 = 0.02;

const EXACT: [(&str, &str); 2] =
    [("tiny-e2b", "tiny-e2b/tiny-e2b-F16.gguf"), ("tiny-e4b", "tiny-e4b/tiny-e4b-BF16.gguf")];
const PROMPTS: [&str; 7] = ["single", "short", "bytes", "long", "chat", "chat_system", "chat_tools"];
const QUANTIZED: [(&str, &str); 3] = [("tiny-e2b", "Q8_0"), ("tiny-e2b", "Q4_0"), ("tiny-e4b", "Q4_K_M")];

fn reference(variant: &str) -> Arrays {
    Arrays::open(&format!("{variant}/reference.safetensors"))
}

#[test]
fn prefill_gives_the_references_logits() {
    for (variant, file) in EXACT {
        let (model, reference) = (load_fast(&golden(file), 2), reference(variant));
        for prompt in PROMPTS {
            let ids = reference.ids(&format!("prompt.{prompt}.input_ids"));
            let logits = prefill(&model, &ids, ids.len());
            assert_eq!(logits.n_rows(), ids.len());
            let expected = reference.last_rows(&format!("prompt.{prompt}.logits"));
            assert_close(&format!("{file} {prompt}"), logits.as_slice(), &expected, F16_LIMIT);
        }
    }
}

#[test]
fn greedy_decoding_chooses_the_references_tokens() {
    for (variant, file) in EXACT {
        let (model, reference) = (load_fast(&golden(file), 2), reference(variant));
        for prompt in ["short", "chat"] {
            let ids = reference.ids(&format!("prompt.{prompt}.input_ids"));
            let expected = reference.ids(&format!("greedy.{prompt}.new_ids"));
            assert_eq!(expected.len(), 64);
            let chosen: Vec<u32> = greedy(&model, &ids, expected.len()).into_iter().map(|(token, _)| token).collect();
            assert_eq!(chosen, expected, "{file} {prompt}");
        }
    }
}

#[test]
fn quantized_files_answer_like_llama_cpp() {
    for (variant, kind) in QUANTIZED {
        let model = load_fast(&golden(&format!("{variant}/{variant}-{kind}.gguf")), 2);
        let ids = reference(variant).ids("prompt.long.input_ids");
        let logits = prefill(&model, &ids, ids.len());
        for other in ["llamacpp", "dequant"] {
            let expected = Arrays::open(&format!("{variant}/{other}.safetensors"));
            let expected = expected.last_rows(&format!("{kind}.long.logits"));
            let got = &logits.as_slice()[logits.as_slice().len() - expected.len()..];
            let d = distance(got, &expected);
            println!("{variant} {kind} against {other}: {d:?}");
            assert!(d.max <= 1.2 && d.mean <= 0.15, "{variant} {kind} against {other}: {d:?}");
        }
    }
}

/// Values of a plain path's tensor in the order in which the fast path has them: `(rows, width)`.
fn plain_rows(place: &str, value: &Tensor) -> Vec<f32> {
    let value = if place.ends_with("_cache") { value.transpose(0, 1).unwrap() } else { value.clone() };
    value.contiguous().unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// What is traced on both paths, by its name there and here.
const TRACED: [(&str, &str); 8] = [
    ("embed", "embed"),
    ("ple", "ple"),
    ("k_cache", "k"),
    ("v_cache", "v"),
    ("attn_out", "attn_out"),
    ("after_attn", "after_attn"),
    ("after_mlp", "after_mlp"),
    ("out", "out"),
];

#[test]
fn every_layer_gives_what_the_plain_path_gives() {
    for (_, file) in EXACT {
        let (plain, fast) = (load(&golden(file)), load_fast(&golden(file), 2));
        let tokens: Vec<u32> = (0..60).map(|i| (i * 37 + 11) % 576).collect();
        let mut expected: HashMap<(Option<usize>, &str), Vec<f32>> = HashMap::new();
        let mut note = |(layer, what): gemma4::plain::Place, value: &Tensor| {
            if let Some((_, ours)) = TRACED.iter().find(|(theirs, _)| *theirs == what) {
                expected.insert((layer, ours), plain_rows(what, value));
            }
        };
        let mut sequence = plain.plain_sequence(512).unwrap();
        sequence.forward_probed(&tokens, Rows::All, &go_on, &mut note, &mut Logits::default()).unwrap();

        let mut compared = 0;
        let mut compare = |place: fast::Place, got: &[f32]| {
            let Some(expected) = expected.get(&place) else { return };
            let largest = expected.iter().fold(1f32, |most, x| most.max(x.abs()));
            // Before the first attention nothing was rounded to f16.
            let before = matches!(place, (None, "embed" | "ple") | (Some(0), "k" | "v"));
            let limit = largest * if before { 1e-5 } else { 0.005 };
            assert_close(&format!("{file} {place:?}"), got, expected, limit);
            compared += 1;
        };
        let mut sequence = fast.fast_sequence(512).unwrap();
        sequence.forward_probed(&tokens, Rows::All, &go_on, &mut compare, &mut Logits::default()).unwrap();
        let (layers, owners) = (plain.config().n_layers, plain.config().last_kv_owner() + 1);
        assert_eq!(compared, 2 + 2 * owners + 4 * layers);
    }
}

/// More tokens than the tiny model's window of 32.
fn tokens() -> Vec<u32> {
    (0..50).map(|i| (i * 197 + 11) % 1024).collect()
}

/// Every published mix of storage types: each format in every place where published files have it, so that each buffer of
/// activations is kept in the forms that its products take.
#[test]
fn every_mix_answers_like_its_f32_twin() {
    let folder = tempfile::tempdir().unwrap();
    let (path, twin) = (folder.path().join("mix.gguf"), folder.path().join("twin.gguf"));
    for mix in Mix::ALL {
        let name = mix.name();
        write_model(&path, Spec::new(Size::Tiny, mix)).unwrap();
        write_f32_twin(&twin, Spec::new(Size::Tiny, mix)).unwrap();
        let model = load_fast(&path, 2);
        let (mixed, exact) = (prefill(&model, &tokens(), 64), prefill(&load(&twin), &tokens(), 64));
        let d = distance(mixed.as_slice(), exact.as_slice());
        let size = distance(exact.as_slice(), &vec![0.0; exact.as_slice().len()]).mean;
        println!("{name}: {d:?}, logits have a mean size of {size}");
        let (mean, max) = if matches!(mix, Mix::F32 | Mix::F16 | Mix::Bf16) { (0.004, 0.04) } else { (0.12, 1.2) };
        assert!(d.mean <= mean * size && d.max <= max * size, "{name}: {d:?} of {size}");
        assert_eq!(mixed, prefill(&model, &tokens(), 1), "{name}: token by token");
        let last = forward(&mut *sequence(&model), &tokens(), Rows::Last, &go_on).unwrap();
        assert_eq!(mixed.last(), last.last(), "{name}: last row");
    }
}

#[test]
fn compact_files_answer_like_full_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (full, compact) = (folder.path().join("full.gguf"), folder.path().join("compact.gguf"));
    for mix in [Mix::GoogleQatQ4_0, Mix::UnslothQ4KM] {
        write_model(&full, Spec { without_shared_kv: false, ..Spec::new(Size::Tiny, mix) }).unwrap();
        write_model(&compact, Spec { without_shared_kv: true, ..Spec::new(Size::Tiny, mix) }).unwrap();
        let (a, b) = (load_fast(&full, 2), load_fast(&compact, 2));
        assert_eq!(prefill(&a, &tokens(), 7), prefill(&b, &tokens(), 7), "{}", mix.name());
    }
}

/// A model in F32 with random weights, of the tiny shape but for `change`.
fn write_shape(path: &std::path::Path, change: impl Fn(&mut Shape)) {
    let mut shape = Shape::of(Size::Tiny);
    change(&mut shape);
    let mut builder = GgufBuilder::default();
    put_parameters(&mut builder, &shape, Mix::F32);
    let tensors = plan(&shape, Mix::F32);
    for tensor in &tensors {
        builder.tensor(&tensor.name, &tensor.shape, tensor.kind);
    }
    let mut out = builder.header();
    let mut state = 1u32;
    for tensor in &tensors {
        for _ in 0..tensor.shape.iter().product() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            out.extend((((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 0.1).to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(32), 0);
    }
    std::fs::write(path, out).unwrap();
}

#[test]
fn a_shape_that_the_kernels_refuse_is_computed_on_the_plain_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let options = LoadOptions { threads: Some(2), ..LoadOptions::default() };
    let kernels = |options: &LoadOptions| {
        let model = gemma4::load::open(&path, options).unwrap();
        let logits = prefill(&*model, &[2, 5, 7], 3);
        assert!(logits.as_slice().iter().all(|logit| logit.is_finite()));
        model.runtime().kernels
    };
    write_shape(&path, |_| ());
    assert_ne!(kernels(&options), "plain");
    assert_eq!(kernels(&LoadOptions { plain: true, ..options.clone() }), "plain");
    type Change = fn(&mut Shape);
    let changes: [(&str, Change); 4] = [
        ("embedding of 208", |shape| shape.hidden = 208),
        ("heads of 24", |shape| shape.head_dim_sliding = 24),
        ("part of 200", |shape| shape.ffn = 200),
        ("per-layer embedding of 24", |shape| shape.per_layer = 24),
    ];
    for (said, change) in changes {
        write_shape(&path, change);
        let file = Arc::new(GgufFile::open(&path).unwrap());
        let config = Config::from_gguf(&file).unwrap();
        match FastModel::new(&file, config, &options).err().unwrap() {
            Error::Unsupported { what } => assert!(what.contains(said), "{what}"),
            other => panic!("{other}"),
        }
        assert_eq!(kernels(&options), "plain", "{said}");
    }
}
