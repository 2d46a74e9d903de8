//! What a forward pass works in.

use kernels::{Activations, AttentionScratch, Needs};

use super::{CHUNK_LIMIT, pass::TABLE_ROWS, rope::Rotation};
use crate::config::Config;

/// Buffers of a sequence. They grow to what the largest chunk so far needed, and decoding then allocates nothing.
///
/// Names in `inputs` are of the products that take these activations.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The residual stream, `(rows, hidden)`.
    pub(super) x: Vec<f32>,
    /// What a part of a layer adds to it, `(rows, hidden)`.
    pub(super) y: Vec<f32>,
    /// Queries, `(rows, heads, head_dim)`.
    pub(super) q: Vec<f32>,
    /// Keys, `(rows, kv heads, head_dim)`.
    pub(super) k: Vec<f32>,
    /// Values, `(rows, kv heads, head_dim)`.
    pub(super) v: Vec<f32>,
    /// The gate of the per-layer input, `(rows, ple)`.
    pub(super) gate: Vec<f32>,
    /// Inputs of the layers besides the residual stream, of all rows.
    pub(super) per_layer: PerLayer,
    /// The same of the last row alone, for all layers.
    pub(super) last_per_layer: PerLayer,
    /// Some rows of the per-layer table.
    pub(super) table: Vec<f32>,
    /// How positions turn in sliding layers.
    pub(super) sliding: Rotation,
    /// How positions turn in global layers.
    pub(super) global: Rotation,
    /// What products take.
    pub(super) inputs: Inputs,
    /// Attention's own.
    pub(super) attention: AttentionScratch,
}

/// Inputs of some layers besides the residual stream, `(rows, layers, ple)`.
#[derive(Debug, Default)]
pub(super) struct PerLayer {
    pub(super) values: Vec<f32>,
    /// Values of a row.
    pub(super) stride: usize,
}

/// Activations, each named after what takes them.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// The embedding, for `per_layer_model_proj`.
    pub(super) model_proj: Activations,
    /// The normed stream, for `attn_q`, `attn_k` and `attn_v`.
    pub(super) qkv: Activations,
    /// What attention gathered, for `attn_output`.
    pub(super) output: Activations,
    /// The normed stream, for `ffn_gate` and `ffn_up`.
    pub(super) gate_up: Activations,
    /// Gated values, for `ffn_down`.
    pub(super) down: Activations,
    /// The stream as it is, for `inp_gate`.
    pub(super) inp_gate: Activations,
    /// Gated per-layer input, for `proj`.
    pub(super) proj: Activations,
    /// The normed stream, for the head.
    pub(super) head: Activations,
}

/// The forms in which each of [`Inputs`] is kept: what the formats of a model's weights call for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InputNeeds {
    pub(super) model_proj: Needs,
    pub(super) qkv: Needs,
    pub(super) output: Needs,
    pub(super) gate_up: Needs,
    pub(super) down: Needs,
    pub(super) inp_gate: Needs,
    pub(super) proj: Needs,
    pub(super) head: Needs,
}

impl Scratch {
    /// Without any memory yet.
    pub(super) fn new(needs: &InputNeeds) -> Self {
        let inputs = Inputs {
            model_proj: Activations::new(needs.model_proj),
            qkv: Activations::new(needs.qkv),
            output: Activations::new(needs.output),
            gate_up: Activations::new(needs.gate_up),
            down: Activations::new(needs.down),
            inp_gate: Activations::new(needs.inp_gate),
            proj: Activations::new(needs.proj),
            head: Activations::new(needs.head),
        };
        Self { inputs, ..Self::default() }
    }
}

/// Bytes of a sequence's buffers after passes of as many tokens as one takes, at `context_len`, where prompts want the last
/// row at most and the weights are quantized: the two that are kept as floats besides are counted.
pub(crate) fn scratch_bytes(c: &Config, context_len: usize) -> u64 {
    let rows = CHUNK_LIMIT.min(context_len);
    let head_dim = c.global_head_dim.max(c.sliding_head_dim);
    let kv_heads = c.n_kv_heads.iter().copied().max().unwrap_or(0);
    let ffn = (0..c.last_kv_owner()).map(|l| c.ffn_width(l)).max().unwrap_or(0);
    let stream = 2 * c.hidden_size;
    let heads = (c.n_heads + 2 * kv_heads) * head_dim;
    let per_layer = (c.last_kv_owner() + 1) * c.ple_width;
    let rotation = c.global_head_dim + c.sliding_head_dim;
    let floats = stream + heads + per_layer + rotation + c.hidden_size;
    let table = TABLE_ROWS.min(rows) * c.n_layers * c.ple_width;
    // Of 32 values 32 bytes, and 20 of scales and sums.
    let rounded = 3 * c.hidden_size + c.n_heads * head_dim + ffn + c.ple_width;
    (4 * (rows * floats + table) + rows * rounded / 32 * 52) as u64
}

/// The first `len` of `values`, which grows if it must. What stands there is arbitrary.
pub(super) fn sized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.reserve_exact(len - values.len());
        values.resize(len, 0.0);
    }
    &mut values[..len]
}
