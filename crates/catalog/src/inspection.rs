//! What a model file is, read from its header without touching the weights.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gemma4::footprint::{Footprint, kv_bytes_f16, kv_bytes_fast, kv_bytes_plain, scratch_bytes_fast};
use gemma4::gguf::{GgufFile, dtype_id, type_name};
use gemma4::{Config, identity};
use serde::Serialize;

use crate::error::Error;
use crate::fit::{KvElement, MemoryNeed};

/// Tensors of one type in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    /// How many there are.
    pub tensors: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

/// What a model file is.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Name for people, e.g. `Gemma 4 E2B`.
    pub name: String,
    /// Quantization, e.g. `Q4_0`.
    pub quantization: String,
    /// Whether the weights were trained to be stored in four bits, as far as the tensor table shows it: Google's files
    /// of that kind, and rebuilds of them, are the only ones that have every layer in Q4_0 and the projection of the
    /// per-layer inputs in F16 or Q4_0. They answer best for their size.
    pub qat: bool,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Bytes of the weights that are read for every token.
    pub resident_bytes: u64,
    /// Bytes of the per-layer embedding table.
    pub per_layer_table_bytes: u64,
    /// Parameters without the per-layer table and without tensors that are never used.
    pub effective_parameters: u64,
    /// Number of tensors in the file.
    pub n_tensors: usize,
    /// The same by type, e.g. `Q4_0`.
    pub tensor_types: BTreeMap<String, TypeCount>,
    /// The model's hyper-parameters.
    pub config: Config,
}

/// Reads what the file at `path` is and checks that this program can run it: header, hyper-parameters, and every
/// tensor's presence, shape and type. Only the header's pages are read.
///
/// # Errors
/// If the file cannot be read or is not a model that this program runs.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    let unusable = |cause| Error::unusable(path, cause);
    if path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return Err(Error::NotAFile { path: path.to_owned() });
    }
    let file = Arc::new(GgufFile::open(path).map_err(|cause| unusable(cause.into()))?);
    // On the processor's plain path the weights stay in the map: nothing is read, everything is checked.
    let options = gemma4::LoadOptions { plain: true, ..gemma4::LoadOptions::default() };
    let model = gemma4::load::load(&file, &options).map_err(unusable)?;
    Ok(describe(&file, model.config()))
}

fn describe(file: &GgufFile, config: &Config) -> Inspection {
    let mut tensor_types: BTreeMap<String, TypeCount> = BTreeMap::new();
    let mut effective_parameters = 0;
    for tensor in file.tensors() {
        let count = tensor_types.entry(type_name(dtype_id(tensor.dtype))).or_default();
        count.tensors += 1;
        count.bytes += tensor.n_bytes as u64;
        if is_parameter(&tensor.name, config) {
            effective_parameters += tensor.elem_count() as u64;
        }
    }
    let footprint = Footprint::of(file, config);
    Inspection {
        name: identity::display_name(file, config),
        quantization: quantization(file),
        qat: is_qat(file),
        demo: identity::is_demo(file),
        file_bytes: file.file_bytes(),
        resident_bytes: footprint.per_token_bytes,
        per_layer_table_bytes: footprint.per_layer_table_bytes,
        effective_parameters,
        n_tensors: file.tensors().len() + file.unsupported().len(),
        tensor_types,
        config: config.clone(),
    }
}

/// Whether a tensor counts as effective parameters, which order the variants: equal for all files of one variant,
/// whatever tables, constants, unused keys and values or parts for pictures and sound they bring along.
fn is_parameter(tensor: &str, config: &Config) -> bool {
    let Some((layer, rest)) = tensor.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) else {
        return matches!(
            tensor,
            "token_embd.weight" | "per_layer_model_proj.weight" | "per_layer_proj_norm.weight" | "output_norm.weight"
        );
    };
    let Some(layer) = layer.parse().ok().filter(|&layer: &usize| layer < config.n_layers) else { return false };
    let is_kv = matches!(rest, "attn_k.weight" | "attn_v.weight" | "attn_k_norm.weight");
    config.owns_kv(layer) || !is_kv
}

/// See [`Inspection::qat`].
fn is_qat(file: &GgufFile) -> bool {
    let kind = |tensor: &gemma4::gguf::TensorInfo| type_name(dtype_id(tensor.dtype));
    let of_layers = |tensor: &&gemma4::gguf::TensorInfo| tensor.name.starts_with("blk.") && tensor.shape.len() == 2;
    let mut layers = file.tensors().iter().filter(of_layers).peekable();
    let projection = file.tensors().iter().find(|tensor| tensor.name == "per_layer_model_proj.weight");
    layers.peek().is_some()
        && layers.all(|tensor| kind(tensor) == "Q4_0")
        && projection.is_some_and(|tensor| matches!(kind(tensor).as_str(), "F16" | "Q4_0"))
}

/// What the file says about its quantization, otherwise the type that most bytes of its layers have.
fn quantization(file: &GgufFile) -> String {
    let stated = file.metadata().u32("general.file_type").ok().and_then(file_type_name);
    stated.map(str::to_owned).unwrap_or_else(|| {
        let mut bytes: BTreeMap<String, usize> = BTreeMap::new();
        for tensor in file.tensors().iter().filter(|tensor| tensor.name.starts_with("blk.")) {
            *bytes.entry(type_name(dtype_id(tensor.dtype))).or_default() += tensor.n_bytes;
        }
        bytes.into_iter().max_by_key(|(_, bytes)| *bytes).map(|(name, _)| name).unwrap_or_default()
    })
}

/// `general.file_type`, as llama.cpp numbers the mixes that occur for this family.
fn file_type_name(id: u32) -> Option<&'static str> {
    Some(match id {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        32 => "BF16",
        _ => return None,
    })
}

/// Bytes of one number in intermediate results.
const F32_BYTES: u64 = 4;
/// Tokens of a prefill chunk that scratch is reckoned for.
const CHUNK: usize = 256;
/// States of the sliding layers that a conversation keeps, so that it can go back a few turns, and their limit in bytes.
const CHECKPOINTS: u64 = 8;
const CHECKPOINTS_LIMIT_BYTES: u64 = 128 << 20;
/// Memory of the tokenizer for one token of the vocabulary: its text, its merges and the tables that find them.
/// Measured: about 20 MB for 262 144 tokens.
const TOKENIZER_BYTES_PER_TOKEN: u64 = 120;

impl Inspection {
    /// What the model needs on the processor at a context length (in tokens, at most what the model was made for).
    pub fn memory_need(&self, context_len: usize) -> MemoryNeed {
        self.memory_need_with(context_len, KvElement::F16Rings)
    }

    /// The same on a device that stores the KV cache as `kv`. In both cases the per-layer table stays in the file's map;
    /// where a graphics card has memory of its own, the tokenizer is not in it.
    pub fn memory_need_with(&self, context_len: usize, kv: KvElement) -> MemoryNeed {
        let positions = context_len.min(self.config.max_context_len);
        MemoryNeed {
            weights: self.resident_bytes,
            kv_cache: match kv {
                KvElement::F16 => kv_bytes_f16(&self.config, positions),
                KvElement::F16Rings => kv_bytes_fast(&self.config, positions),
                KvElement::F32 => kv_bytes_plain(&self.config, positions, CHUNK),
            },
            scratch: checkpoint_bytes(&self.config, positions, kv)
                + match kv {
                    KvElement::F16 | KvElement::F32 => results_bytes(&self.config, positions),
                    KvElement::F16Rings => scratch_bytes_fast(&self.config, positions) + logits_bytes(&self.config),
                }
                + match kv {
                    KvElement::F16 => 0,
                    KvElement::F16Rings | KvElement::F32 => TOKENIZER_BYTES_PER_TOKEN * self.config.vocab_size as u64,
                },
        }
    }
}

/// Intermediate results of the widest moment of a prefill chunk and one row of logits with its copies.
fn results_bytes(config: &Config, positions: usize) -> u64 {
    let chunk = CHUNK.min(positions);
    let widest_ffn = config.ffn_widths.iter().copied().max().unwrap_or(0);
    let per_layer_inputs = config.n_layers * config.ple_width;
    let scores = config.n_heads * (positions + chunk);
    let row = 8 * config.hidden_size + 4 * widest_ffn + 3 * per_layer_inputs + 2 * scores;
    F32_BYTES * (chunk * row) as u64 + logits_bytes(config)
}

/// One row of logits with its copies.
fn logits_bytes(config: &Config) -> u64 {
    4 * F32_BYTES * config.vocab_size as u64
}

/// The states of the sliding layers to which a conversation can return.
fn checkpoint_bytes(config: &Config, positions: usize, kv: KvElement) -> u64 {
    let window_bytes = |l: usize| {
        let kept = positions.min(config.sliding_window);
        kv.bytes() * (2 * kept * config.n_kv_heads[l] * config.head_dim(l)) as u64
    };
    let sliding_owners = (0..config.n_layers).filter(|&l| config.owns_kv(l) && config.is_sliding(l));
    (CHECKPOINTS * sliding_owners.map(window_bytes).sum::<u64>()).min(CHECKPOINTS_LIMIT_BYTES)
}
