//! Synthetic models against what is known of the published files: tensor counts, types, sizes, parameter totals.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{borrow::Cow, collections::BTreeMap};

use candle_core::{
    Device,
    quantized::{GgmlDType, QStorage, QTensor, gguf_file},
};
use test_support::synth::{
    Kind, Mix, Rng, Shape, Size, Spec, TensorPlan, plan, vocabulary, write_f32_twin, write_model,
};

/// The tensors of a file as it is published.
fn published(size: Size, mix: Mix) -> Vec<TensorPlan> {
    let mut tensors = plan(&Shape::of(size), mix);
    tensors.retain(|tensor| !(mix.is_compact() && tensor.is_shared_kv));
    tensors
}

fn n_values(tensor: &TensorPlan) -> usize {
    tensor.shape.iter().product()
}

fn megabytes(tensors: &[TensorPlan]) -> f64 {
    tensors.iter().map(|tensor| tensor.kind.bytes(n_values(tensor))).sum::<usize>() as f64 / 1e6
}

fn counts(tensors: &[TensorPlan]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for tensor in tensors {
        *counts.entry(tensor.kind.name()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn parameter_totals_are_the_models() {
    let total = |size| plan(&Shape::of(size), Mix::F32).iter().map(n_values).sum::<usize>();
    assert_eq!(total(Size::E2b), 4_647_450_147);
    assert_eq!(total(Size::E4b), 7_518_069_290);
}

#[test]
fn tensor_counts_and_types_are_those_of_published_files() {
    let check = |size, mix, expected: &[(&'static str, usize)]| {
        let tensors = published(size, mix);
        assert_eq!(counts(&tensors), expected.iter().copied().collect(), "{size:?} {}", mix.name());
        tensors.len()
    };
    let unsloth = [("F32", 353), ("Q4_K", 212), ("Q5_K", 1), ("Q6_K", 34), ("BF16", 1)];
    assert_eq!(check(Size::E2b, Mix::UnslothQ4KM, &unsloth), 601);
    let bartowski = [("F32", 283), ("Q4_K", 194), ("Q5_K", 70), ("Q6_K", 53), ("BF16", 1)];
    assert_eq!(check(Size::E2b, Mix::BartowskiQ4KM, &bartowski), 601);
    let ggml = [("F32", 339), ("Q4_K", 336), ("Q6_K", 44), ("BF16", 1)];
    assert_eq!(check(Size::E4b, Mix::GgmlQ4KM, &ggml), 720);
    let google = [("F32", 321), ("Q4_0", 342), ("Q6_K", 2), ("F16", 1)];
    assert_eq!(check(Size::E4b, Mix::GoogleQatQ4_0, &google), 666);
    assert_eq!(published(Size::E2b, Mix::GoogleQatQ4_0).len(), 541);
}

/// Sizes without the header, in megabytes; published files are 15.8 MB larger.
#[test]
fn sizes_are_those_of_published_files() {
    for (size, mix, expected) in [
        (Size::E2b, Mix::GoogleQatQ4_0, 3333.7),
        (Size::E4b, Mix::GoogleQatQ4_0, 5139.1),
        (Size::E2b, Mix::ExactQ4_0, 2604.6),
        (Size::E4b, Mix::ExactQ4_0, 4199.9),
        (Size::E4b, Mix::GgmlQ4KM, 5319.5),
        (Size::E4b, Mix::UnslothQ4KM, 4961.3),
        (Size::E2b, Mix::Q8_0, 4951.7),
    ] {
        let got = megabytes(&published(size, mix));
        assert!((got - expected).abs() < 0.06, "{size:?} {}: {got} MB, expected {expected}", mix.name());
    }
}

#[test]
fn the_tiny_model_has_every_feature_in_whole_blocks() {
    let shape = Shape::of(Size::Tiny);
    let owners: Vec<usize> = (0..shape.n_layers).filter(|layer| shape.owns_kv(*layer)).collect();
    assert!(
        owners.iter().any(|layer| shape.is_sliding(*layer)) && owners.iter().any(|layer| !shape.is_sliding(*layer))
    );
    assert!(shape.ffn_width(0) < shape.ffn_width(shape.n_layers - 1));
    for tensor in plan(&shape, Mix::F32).iter().filter(|tensor| tensor.shape.len() == 2) {
        assert_eq!(tensor.shape[1] % 256, 0, "{}", tensor.name);
    }
}

fn dtype(kind: Kind) -> GgmlDType {
    match kind {
        Kind::F32 => GgmlDType::F32,
        Kind::F16 => GgmlDType::F16,
        Kind::Bf16 => GgmlDType::BF16,
        Kind::Q4_0 => GgmlDType::Q4_0,
        Kind::Q4_1 => GgmlDType::Q4_1,
        Kind::Q5_0 => GgmlDType::Q5_0,
        Kind::Q5_1 => GgmlDType::Q5_1,
        Kind::Q8_0 => GgmlDType::Q8_0,
        Kind::Q4K => GgmlDType::Q4K,
        Kind::Q5K => GgmlDType::Q5K,
        Kind::Q6K => GgmlDType::Q6K,
    }
}

#[test]
fn random_blocks_have_mean_zero_and_the_deviation_asked_for() {
    let kinds = [Kind::F32, Kind::F16, Kind::Bf16, Kind::Q4_0, Kind::Q4_1, Kind::Q5_0, Kind::Q5_1, Kind::Q8_0];
    for kind in kinds.into_iter().chain([Kind::Q4K, Kind::Q5K, Kind::Q6K]) {
        let n = 256 * 400;
        let mut bytes = vec![0; kind.bytes(n)];
        kind.fill(&mut Rng::new(7, kind.name()), 0.05, &mut bytes);
        let storage = QStorage::from_data(Cow::Borrowed(&bytes), &Device::Cpu, dtype(kind)).unwrap();
        let values = QTensor::new(storage, n).unwrap().dequantize(&Device::Cpu).unwrap().to_vec1::<f32>().unwrap();
        let mean = values.iter().sum::<f32>() / n as f32;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n as f32).sqrt();
        assert!(mean.abs() < 0.005, "{}: mean {mean}", kind.name());
        assert!((0.045..0.057).contains(&deviation), "{}: deviation {deviation}", kind.name());
        assert!(values.iter().all(|x| x.abs() < 0.4), "{}: an outlier", kind.name());
    }
}

/// candle's own reader finds what was planned, the twin has the same values, and the seed decides about every byte.
#[test]
fn candle_reads_the_files_and_the_twin_has_the_same_values() {
    let dir = tempfile::tempdir().unwrap();
    let (path, again, twin) = (dir.path().join("a.gguf"), dir.path().join("b.gguf"), dir.path().join("c.gguf"));
    let spec = Spec::new(Size::Tiny, Mix::UnslothQ4KM);
    let summary = write_model(&path, spec).unwrap();
    write_model(&again, spec).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    write_model(&again, Spec { seed: 2, ..spec }).unwrap();
    assert_ne!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), summary.header_bytes + summary.data_bytes);

    write_f32_twin(&twin, spec).unwrap();
    let mut files = [&path, &twin].map(|path| std::fs::File::open(path).unwrap());
    let contents = files.each_mut().map(|file| gguf_file::Content::read(file).unwrap());
    assert_eq!(contents[0].tensor_infos.len(), summary.n_tensors);
    for name in ["token_embd.weight", "per_layer_token_embd.weight", "blk.3.ffn_down.weight", "blk.9.attn_norm.weight"]
    {
        let [mixed, exact] = [0, 1].map(|index| {
            let tensor = contents[index].tensor(&mut files[index], name, &Device::Cpu).unwrap();
            tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        });
        assert_eq!(mixed, exact, "{name}");
    }
}

#[test]
fn every_piece_can_be_reached_by_merges() {
    for size in [1024, 262_144] {
        let vocab = vocabulary(size);
        assert_eq!((vocab.tokens.len(), vocab.types.len(), vocab.scores.len()), (size, size, size));
        let ids: std::collections::HashMap<&str, usize> =
            vocab.tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
        assert_eq!(ids.len(), size, "all tokens differ");
        let mut made = vec![false; size];
        for merge in &vocab.merges {
            let (left, right) = merge.split_once(' ').unwrap();
            assert!(ids.contains_key(left) && ids.contains_key(right), "{merge}");
            made[ids[format!("{left}{right}").as_str()]] = true;
        }
        let orphans = (500..size)
            .filter(|id| vocab.types[*id] == 1 && !made[*id] && vocab.tokens[*id].chars().count() > 1)
            .count();
        assert_eq!(orphans, 0, "{size}");
        assert_eq!((ids["<turn|>"], ids["\n"], ids["<0x41>"]), (106, 107, 238 + 0x41));
    }
}

#[test]
fn an_endless_model_differs_in_the_rows_of_the_stop_tokens_alone() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec::new(Size::Tiny, Mix::GgmlQ4_0);
    let [usual, endless] = [false, true].map(|endless| {
        let path = folder.path().join(format!("{endless}.gguf"));
        write_model(&path, Spec { endless, ..spec }).unwrap();
        let mut file = std::fs::File::open(&path).unwrap();
        let content = gguf_file::Content::read(&mut file).unwrap();
        let table = content.tensor(&mut file, "token_embd.weight", &Device::Cpu).unwrap();
        table.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap()
    });
    for (id, (usual, endless)) in usual.iter().zip(&endless).enumerate() {
        if [1, 50, 106].contains(&id) {
            assert!(endless.iter().all(|value| *value == 0.0), "row {id}");
            assert_ne!(usual, endless, "row {id}");
        } else {
            assert_eq!(usual, endless, "row {id}");
        }
    }
}
