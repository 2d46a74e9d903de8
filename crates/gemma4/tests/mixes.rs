//! Every published mix of storage types, each type in every place where published files have it: a tiny synthetic model
//! against its F32 twin, which computes on the values that the blocks stand for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use candle_core::{Device, Tensor};
use common::*;
use gemma4::{
    Footprint, Model,
    gguf::GgufFile,
    weights::{MappedMatrix, Matrix},
};
use test_support::synth::{Mix, Size, Spec, write_f32_twin, write_model};

/// More tokens than the tiny model's window of 32.
fn tokens() -> Vec<u32> {
    (0..50).map(|i| (i * 197 + 11) % 1024).collect()
}

#[test]
fn every_mix_answers_like_its_f32_twin() {
    let folder = tempfile::tempdir().unwrap();
    let (path, twin) = (folder.path().join("mix.gguf"), folder.path().join("twin.gguf"));
    for mix in Mix::ALL {
        let name = mix.name();
        write_model(&path, Spec::new(Size::Tiny, mix)).unwrap();
        write_f32_twin(&twin, Spec::new(Size::Tiny, mix)).unwrap();
        let model = load(&path);
        let (mixed, exact) = (prefill(&model, &tokens(), 64), prefill(&load(&twin), &tokens(), 64));
        let d = distance(mixed.as_slice(), exact.as_slice());
        let size = distance(exact.as_slice(), &vec![0.0; exact.as_slice().len()]).mean;
        println!("{name}: {d:?}, logits have a mean size of {size}");
        assert!(size > 0.3, "{name}: the logits say nothing");
        if matches!(mix, Mix::F32 | Mix::F16 | Mix::Bf16) {
            assert_eq!(mixed, exact, "{name}");
        } else {
            // Activations are rounded to 8 bits before each product. Ten random layers blow the error up to 4 to 9 %
            // of the logits; a matrix read wrongly leaves nothing alike.
            assert!(d.mean <= 0.12 * size && d.max <= 1.2 * size, "{name}: {d:?} of {size}");
            assert!(d.max > 0.0, "{name}: nothing was quantized");
        }

        assert_eq!(mixed, prefill(&model, &tokens(), 1), "{name}: token by token");
        let mut sequence = model.sequence(64).unwrap();
        let last = forward(&mut *sequence, &tokens(), gemma4::Rows::Last, &go_on).unwrap();
        assert_eq!(mixed.last(), last.last(), "{name}: last row");
    }
}

/// `(n, width)` values between −1 and 1.
fn activations(n: usize, width: usize) -> Tensor {
    let mut state = 1u32;
    let values: Vec<f32> = (0..n * width)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    Tensor::from_vec(values, (n, width), &Device::Cpu).unwrap()
}

#[test]
fn every_matrix_multiplies_like_its_dequantized_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mix.gguf");
    for mix in Mix::ALL {
        write_model(&path, Spec::new(Size::Tiny, mix)).unwrap();
        let file = Arc::new(GgufFile::open(&path).unwrap());
        for info in file.tensors().iter().filter(|info| info.shape.len() == 2) {
            let what = format!("{} {} {:?}", mix.name(), info.name, info.dtype);
            let (n_rows, width) = (info.shape[0], info.shape[1]);
            let mapped = MappedMatrix::new(&file, info, n_rows, width).unwrap();
            let ids: Vec<u32> = (0..n_rows as u32).collect();
            let dense = Tensor::from_vec(mapped.rows(&ids).unwrap(), (n_rows, width), &Device::Cpu).unwrap();
            let matrix = Matrix::new(mapped, &Device::Cpu).unwrap();

            let x = activations(5, width);
            let (got, expected) = (matrix.apply(&x).unwrap(), x.matmul(&dense.t().unwrap()).unwrap());
            let length = |t: Tensor| t.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
            let error = length((&got - &expected).unwrap()) / length(expected);
            let limit = if info.dtype.block_size() == 1 { 1e-6 } else { 0.01 };
            assert!(error <= limit, "{what}: relative error {error}");

            let alone = matrix.apply(&x.narrow(0, 3, 1).unwrap()).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(alone[0], got.to_vec2::<f32>().unwrap()[3], "{what}: one row alone");
        }
    }
}

#[test]
fn compact_files_answer_like_full_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (full, compact) = (folder.path().join("full.gguf"), folder.path().join("compact.gguf"));
    for mix in [Mix::GoogleQatQ4_0, Mix::UnslothQ4KM] {
        write_model(&full, Spec { without_shared_kv: false, ..Spec::new(Size::Tiny, mix) }).unwrap();
        write_model(&compact, Spec { without_shared_kv: true, ..Spec::new(Size::Tiny, mix) }).unwrap();
        let (a, b) = (load(&full), load(&compact));
        assert_eq!(prefill(&a, &tokens(), 7), prefill(&b, &tokens(), 7), "{}", mix.name());

        let footprint = |path| {
            let file = GgufFile::open(path).unwrap();
            Footprint::of(&file, a.config())
        };
        let (full, compact) = (footprint(&full), footprint(&compact));
        assert_eq!(full.per_token_bytes, compact.per_token_bytes);
        assert!(full.unused_bytes > 0 && compact.unused_bytes == 0);
    }
}
