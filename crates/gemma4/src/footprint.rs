//! How much memory a model takes, from the file's own tensor table and without loading anything.

use crate::{config::Config, fast, gguf::GgufFile, kv_cache};

/// Bytes of a file's tensors by how they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Read for every token: what a graphics card has to hold, and the traffic of one decode step.
    pub per_token_bytes: u64,
    /// The per-layer embedding table, of which a token reads one row. It stays in the file's map.
    pub per_layer_table_bytes: u64,
    /// Keys and values of layers that share, which some files have and nothing reads, and tensors of other parts.
    pub unused_bytes: u64,
}

impl Footprint {
    /// The tensors of `file`, a model of `config`.
    pub fn of(file: &GgufFile, config: &Config) -> Self {
        let mut footprint = Self { per_token_bytes: 0, per_layer_table_bytes: 0, unused_bytes: 0 };
        for tensor in file.tensors() {
            let sum = match use_of(&tensor.name, config) {
                Use::PerToken => &mut footprint.per_token_bytes,
                Use::PerLayerTable => &mut footprint.per_layer_table_bytes,
                Use::Unused => &mut footprint.unused_bytes,
            };
            *sum += tensor.n_bytes as u64;
        }
        footprint
    }
}

enum Use {
    PerToken,
    PerLayerTable,
    Unused,
}

fn use_of(name: &str, config: &Config) -> Use {
    if let Some((layer, tensor)) = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
        let Some(layer) = layer.parse().ok().filter(|&layer: &usize| layer < config.n_layers) else {
            return Use::Unused;
        };
        let is_kv = matches!(tensor, "attn_k.weight" | "attn_v.weight" | "attn_k_norm.weight");
        return if is_kv && !config.owns_kv(layer) { Use::Unused } else { Use::PerToken };
    }
    match name {
        "per_layer_token_embd.weight" => Use::PerLayerTable,
        "token_embd.weight"
        | "per_layer_model_proj.weight"
        | "per_layer_proj_norm.weight"
        | "output_norm.weight"
        | "rope_freqs.weight" => Use::PerToken,
        _ => Use::Unused,
    }
}

/// Bytes of a KV cache in f16 for `context_len` positions, sliding layers at exactly their window: what an
/// implementation needs at least.
pub fn kv_bytes_f16(config: &Config, context_len: usize) -> u64 {
    sum_over_owners(config, |window| window.map_or(context_len, |window| window.min(context_len))) * 2
}

/// Most bytes that the plain path's KV cache takes for `context_len` positions when fed in chunks of at most `chunk`.
pub fn kv_bytes_plain(config: &Config, context_len: usize, chunk: usize) -> u64 {
    sum_over_owners(config, |window| kv_cache::most_capacity(window, context_len, chunk)) * 4
}

/// Most bytes that the fast path's KV cache takes for `context_len` positions.
pub fn kv_bytes_fast(config: &Config, context_len: usize) -> u64 {
    fast::most_bytes(config, context_len)
}

/// Bytes that one sequence of the fast path works in besides its KV cache: buffers for one pass.
pub fn scratch_bytes_fast(config: &Config, context_len: usize) -> u64 {
    fast::scratch_bytes(config, context_len)
}

/// Values of keys and values, where `positions` says how many positions a layer with that window keeps.
fn sum_over_owners(config: &Config, positions: impl Fn(Option<usize>) -> usize) -> u64 {
    (0..config.n_layers)
        .filter(|&l| config.owns_kv(l))
        .map(|l| {
            let window = config.is_sliding(l).then_some(config.sliding_window);
            (positions(window) * config.n_kv_heads[l] * config.head_dim(l) * 2) as u64
        })
        .sum()
}
