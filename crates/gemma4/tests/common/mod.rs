//! What the tests of the decoder share: the golden files, and the comparison with its limits.
#![allow(dead_code, clippy::unwrap_used, reason = "each test program uses a part of this, and fails by panicking")]

pub mod edit;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use candle_core::{DType, Device, Tensor};
use gemma4::{Config, LoadOptions, Logits, Model, Rows, Sequence, fast::FastModel, gguf::GgufFile, plain::PlainModel};

/// A file of `tests/golden/`.
pub fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(path)
}

/// The model in `path`, on the CPU.
pub fn load(path: &Path) -> PlainModel {
    try_load(path).unwrap()
}

/// The model in `path`, on the CPU, or why not.
pub fn try_load(path: &Path) -> Result<PlainModel, gemma4::Error> {
    let file = Arc::new(GgufFile::open(path)?);
    let config = Config::from_gguf(&file)?;
    PlainModel::new(&file, config, Device::Cpu, "CPU".to_owned())
}

/// The model in `path` on the fast path, with `threads` threads.
pub fn load_fast(path: &Path, threads: usize) -> FastModel {
    let file = Arc::new(GgufFile::open(path).unwrap());
    let config = Config::from_gguf(&file).unwrap();
    FastModel::new(&file, config, &LoadOptions { threads: Some(threads), ..LoadOptions::default() }).unwrap()
}

/// A model and what to call it when a test fails.
pub type Named = (String, Box<dyn Model>);

/// The model in `path` on every path of the processor.
pub fn every_path(path: &Path) -> [Named; 2] {
    let name = path.file_name().unwrap().to_str().unwrap();
    [
        (format!("{name} (plain)"), Box::new(load(path)) as Box<dyn Model>),
        (format!("{name} (fast)"), Box::new(load_fast(path, 3))),
    ]
}

/// Never cancels.
pub fn go_on() -> bool {
    false
}

/// One forward pass into logits of its own.
pub fn forward(
    sequence: &mut dyn Sequence,
    tokens: &[u32],
    rows: Rows,
    cancelled: &dyn Fn() -> bool,
) -> Result<Logits, gemma4::Error> {
    let mut logits = Logits::default();
    sequence.forward(tokens, rows, cancelled, &mut logits)?;
    Ok(logits)
}

/// Feeds `tokens` in chunks of at most `chunk`, wanting every row.
pub fn feed(sequence: &mut dyn Sequence, tokens: &[u32], chunk: usize) -> Logits {
    gemma4::model::prefill(sequence, tokens, chunk, Rows::All, &go_on, &mut |_, _| ()).unwrap()
}

/// Every row of logits for `tokens`, fed to a new sequence in chunks of at most `chunk`.
pub fn prefill(model: &dyn Model, tokens: &[u32], chunk: usize) -> Logits {
    feed(&mut *sequence(model), tokens, chunk)
}

/// A sequence with room for every prompt of the tests.
pub fn sequence(model: &dyn Model) -> Box<dyn Sequence> {
    model.sequence(512).unwrap()
}

/// The id with the highest logit, the first of equals.
pub fn arg_max(row: &[f32]) -> u32 {
    let mut best = 0;
    for (id, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = id;
        }
    }
    best as u32
}

/// `n` tokens chosen greedily after `prompt`, with the logits that each was chosen from.
pub fn greedy(model: &dyn Model, prompt: &[u32], n: usize) -> Vec<(u32, Vec<f32>)> {
    let mut sequence = sequence(model);
    let mut logits = forward(&mut *sequence, prompt, Rows::Last, &go_on).unwrap();
    let mut chosen = Vec::new();
    while chosen.len() < n {
        let row = logits.last().unwrap().to_vec();
        let token = arg_max(&row);
        chosen.push((token, row));
        logits = forward(&mut *sequence, &[token], Rows::Last, &go_on).unwrap();
    }
    chosen
}

/// The arrays of one `.safetensors` file.
pub struct Arrays(HashMap<String, Tensor>);

impl Arrays {
    /// Those of a golden file.
    pub fn open(path: &str) -> Self {
        Self(candle_core::safetensors::load(golden(path), &Device::Cpu).unwrap())
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The array `key`, in f32.
    pub fn tensor(&self, key: &str) -> Tensor {
        let found = self.0.get(key);
        found.unwrap_or_else(|| panic!("no array {key}")).to_dtype(DType::F32).unwrap()
    }

    /// The values of `key`, row-major.
    pub fn values(&self, key: &str) -> Vec<f32> {
        self.tensor(key).flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The token ids of `key`. They are small, so f32 holds them exactly.
    pub fn ids(&self, key: &str) -> Vec<u32> {
        self.values(key).into_iter().map(|id| id as u32).collect()
    }

    /// The logits of `key` or of `key_lastN`: the last rows of a prompt.
    pub fn last_rows(&self, key: &str) -> Vec<f32> {
        let full = self.keys().find(|k| *k == key || k.starts_with(&format!("{key}_last")));
        self.values(full.unwrap_or_else(|| panic!("no array {key}")))
    }
}

/// How far two arrays are apart.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    /// The largest difference of two elements.
    pub max: f32,
    /// The mean difference.
    pub mean: f32,
}

/// The distance of `got` from `expected`; both must have the same length and hold numbers only.
pub fn distance(got: &[f32], expected: &[f32]) -> Distance {
    assert_eq!(got.len(), expected.len(), "arrays of different lengths");
    assert!(!expected.is_empty(), "nothing to compare");
    let (mut max, mut sum) = (0f32, 0f64);
    for (a, b) in got.iter().zip(expected) {
        assert!(a.is_finite() && b.is_finite(), "not a number: {a} {b}");
        max = max.max((a - b).abs());
        sum += f64::from((a - b).abs());
    }
    Distance { max, mean: (sum / expected.len() as f64) as f32 }
}

/// Fails unless every element of `got` is within `limit` of the last elements of `expected`, or the other way round:
/// the shorter array is compared with the end of the longer one.
pub fn assert_close(what: &str, got: &[f32], expected: &[f32], limit: f32) {
    let n = got.len().min(expected.len());
    let d = distance(&got[got.len() - n..], &expected[expected.len() - n..]);
    assert!(d.max <= limit, "{what}: {d:?}, limit {limit}");
}
