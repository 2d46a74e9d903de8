//! Changed copies of model files: tensors dropped, renamed, retyped, keys altered.

use std::{path::Path, sync::Arc};

use candle_core::quantized::GgmlDType;
use gemma4::{
    gguf::{GgufFile, Value},
    weights::MappedMatrix,
};
use test_support::synth::{GgufBuilder, Kind};

/// A key's value, as far as the decoder's keys need.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    Int(u32),
    Float(f32),
    Text(String),
    Ints(Vec<u32>),
    Flags(Vec<bool>),
}

/// A tensor with its data.
#[derive(Clone)]
pub struct Stored {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

/// What a model file holds for the decoder: its keys without the tokenizer's, and its tensors.
#[derive(Clone)]
pub struct Contents {
    pub keys: Vec<(String, Setting)>,
    pub tensors: Vec<Stored>,
}

impl Contents {
    /// Those of the file at `path`.
    pub fn read(path: &Path) -> Self {
        let file = Arc::new(GgufFile::open(path).unwrap());
        let is_ours = |key: &str| key == "general.architecture" || key.starts_with("gemma4.");
        let keys = file.metadata().iter().filter(|(key, _)| is_ours(key));
        let tensors = file.tensors().iter().map(|info| Stored {
            name: info.name.clone(),
            shape: info.shape.clone(),
            kind: kind(info.dtype),
            bytes: file.tensor_bytes(info).to_vec(),
        });
        Self { keys: keys.map(|(key, value)| (key.to_owned(), setting(value))).collect(), tensors: tensors.collect() }
    }

    /// Writes them to `path`.
    pub fn write(&self, path: &Path) {
        let mut builder = GgufBuilder::default();
        for (key, value) in &self.keys {
            match value {
                Setting::Int(value) => builder.key(key, *value),
                Setting::Float(value) => builder.key(key, *value),
                Setting::Text(value) => builder.key(key, value.as_str()),
                Setting::Ints(values) => builder.array(key, values),
                Setting::Flags(values) => builder.array(key, values),
            };
        }
        for tensor in &self.tensors {
            builder.tensor(&tensor.name, &tensor.shape, tensor.kind);
        }
        let mut out = builder.header();
        for tensor in &self.tensors {
            out.extend_from_slice(&tensor.bytes);
            out.resize(out.len().next_multiple_of(32), 0);
        }
        std::fs::write(path, out).unwrap();
    }

    /// Sets `key`, which must be there.
    pub fn set(&mut self, key: &str, value: Setting) {
        let entry = self.keys.iter_mut().find(|(k, _)| k == key);
        entry.unwrap_or_else(|| panic!("no key {key}")).1 = value;
    }

    /// Removes `key`, which must be there.
    pub fn remove_key(&mut self, key: &str) {
        let before = self.keys.len();
        self.keys.retain(|(k, _)| k != key);
        assert_eq!(self.keys.len() + 1, before, "no key {key}");
    }

    /// The tensor `name`, which must be there.
    pub fn tensor(&mut self, name: &str) -> &mut Stored {
        let found = self.tensors.iter_mut().find(|tensor| tensor.name == name);
        found.unwrap_or_else(|| panic!("no tensor {name}"))
    }

    /// Removes the tensors that `is_unwanted` names; at least one.
    pub fn remove_tensors(&mut self, is_unwanted: impl Fn(&str) -> bool) {
        let before = self.tensors.len();
        self.tensors.retain(|tensor| !is_unwanted(&tensor.name));
        assert!(self.tensors.len() < before, "nothing to remove");
    }
}

/// The file at `path` with every tensor as the F32 values that it stands for.
pub fn as_f32(path: &Path) -> Contents {
    let mut contents = Contents::read(path);
    let file = Arc::new(GgufFile::open(path).unwrap());
    for (tensor, info) in contents.tensors.iter_mut().zip(file.tensors()) {
        let width = *info.shape.last().unwrap();
        let n_rows = info.elem_count() / width;
        let ids: Vec<u32> = (0..n_rows as u32).collect();
        let values = MappedMatrix::new(&file, info, n_rows, width).unwrap().rows(&ids).unwrap();
        tensor.bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensor.kind = Kind::F32;
    }
    contents
}

fn setting(value: Value<'_>) -> Setting {
    match value {
        Value::Int(value) => Setting::Int(value.try_into().unwrap()),
        Value::Float(value) => Setting::Float(value as f32),
        Value::Str(value) => Setting::Text(value.to_owned()),
        Value::Bool(_) => panic!("no key of the decoder is a single truth value"),
        Value::Array(array) => {
            let items: Vec<Value<'_>> = array.scalars().unwrap().collect();
            match items[0] {
                Value::Bool(_) => Setting::Flags(items.iter().map(|item| *item == Value::Bool(true)).collect()),
                _ => Setting::Ints(
                    items
                        .iter()
                        .map(|item| match item {
                            Value::Int(n) => u32::try_from(*n).unwrap(),
                            other => panic!("{other:?} in an array of the decoder"),
                        })
                        .collect(),
                ),
            }
        }
    }
}

fn kind(dtype: GgmlDType) -> Kind {
    match dtype {
        GgmlDType::F32 => Kind::F32,
        GgmlDType::F16 => Kind::F16,
        GgmlDType::BF16 => Kind::Bf16,
        GgmlDType::Q4_0 => Kind::Q4_0,
        GgmlDType::Q4_1 => Kind::Q4_1,
        GgmlDType::Q5_0 => Kind::Q5_0,
        GgmlDType::Q5_1 => Kind::Q5_1,
        GgmlDType::Q8_0 => Kind::Q8_0,
        GgmlDType::Q4K => Kind::Q4K,
        GgmlDType::Q5K => Kind::Q5K,
        GgmlDType::Q6K => Kind::Q6K,
        other => panic!("no test file has {other:?}"),
    }
}
