//! The tensors of a file, checked against the configuration, ready to compute with.

mod blocks;
mod matrix;
mod product;
mod super_blocks;
mod tensors;

use std::sync::Arc;

use candle_core::{Device, Tensor};

pub(crate) use self::tensors::Tensors;
pub use self::{blocks::MappedMatrix, matrix::Matrix};
use crate::{config::Config, error::Error, gguf::GgufFile};

/// All weights of a model. Field names are those of the file; shapes are `(out, in)`.
pub struct Weights {
    /// `token_embd`, `(vocab, hidden)`: rows for the input, read from the file.
    pub token_embd: MappedMatrix,
    /// The same tensor as a matrix: the output head is tied to the input table.
    pub head: Matrix,
    /// `per_layer_token_embd`, `(vocab, layers · ple)`: read from the file, never copied anywhere.
    pub per_layer_token_embd: MappedMatrix,
    /// `per_layer_model_proj`, `(layers · ple, hidden)`.
    pub per_layer_model_proj: Matrix,
    /// `per_layer_proj_norm`, `(ple)`.
    pub per_layer_proj_norm: Tensor,
    /// `output_norm`, `(hidden)`.
    pub output_norm: Tensor,
    /// `rope_freqs`, `(global head_dim / 2)`: divisors of the global layers' rotary frequencies, if the file has them.
    pub rope_freqs: Option<Vec<f32>>,
    /// One entry for each layer.
    pub layers: Vec<LayerWeights>,
}

/// The weights of one layer; `d` is its head width and `F` its feed-forward width.
pub struct LayerWeights {
    /// `(hidden)`.
    pub attn_norm: Tensor,
    /// `(heads · d, hidden)`.
    pub attn_q: Matrix,
    /// `(d)`.
    pub attn_q_norm: Tensor,
    /// Keys and values; `None` for a layer that reads another one's. What the file holds for such a layer is ignored.
    pub kv: Option<KvWeights>,
    /// `(hidden, heads · d)`.
    pub attn_output: Matrix,
    /// `(hidden)`.
    pub post_attention_norm: Tensor,
    /// `(hidden)`.
    pub ffn_norm: Tensor,
    /// `(F, hidden)`.
    pub ffn_gate: Matrix,
    /// `(F, hidden)`.
    pub ffn_up: Matrix,
    /// `(hidden, F)`.
    pub ffn_down: Matrix,
    /// `(hidden)`.
    pub post_ffw_norm: Tensor,
    /// `(ple, hidden)`.
    pub inp_gate: Matrix,
    /// `(hidden, ple)`.
    pub proj: Matrix,
    /// `(hidden)`.
    pub post_norm: Tensor,
    /// A single factor.
    pub layer_output_scale: f64,
}

/// What a layer with keys and values of its own has besides.
pub struct KvWeights {
    /// `(kv heads · d, hidden)`.
    pub attn_k: Matrix,
    /// `(kv heads · d, hidden)`.
    pub attn_v: Matrix,
    /// `(d)`.
    pub attn_k_norm: Tensor,
}

impl Weights {
    /// The tensors that `config` calls for, from `file`, for use on `device`.
    ///
    /// On the CPU matrices stay in the map. On another device everything that is read for each token is uploaded;
    /// the two tables that only give rows stay in the map there too.
    ///
    /// # Errors
    /// If a tensor is missing, mis-shaped or of a type that cannot be used in its place, or an upload fails.
    pub fn load(file: &Arc<GgufFile>, config: &Config, device: &Device) -> Result<Self, Error> {
        let load = Loader { tensors: Tensors(file), device };
        let c = config;
        let all_ple = c.n_layers * c.ple_width;
        Ok(Self {
            token_embd: load.tensors.mapped("token_embd.weight", c.vocab_size, c.hidden_size)?,
            head: load.matrix("token_embd.weight", c.vocab_size, c.hidden_size)?,
            per_layer_token_embd: load.tensors.mapped("per_layer_token_embd.weight", c.vocab_size, all_ple)?,
            per_layer_model_proj: load.matrix("per_layer_model_proj.weight", all_ple, c.hidden_size)?,
            per_layer_proj_norm: load.vector("per_layer_proj_norm.weight", c.ple_width)?,
            output_norm: load.vector("output_norm.weight", c.hidden_size)?,
            rope_freqs: load.tensors.optional_values("rope_freqs.weight", c.global_head_dim / 2)?,
            layers: (0..c.n_layers).map(|l| LayerWeights::load(&load, c, l)).collect::<Result<_, _>>()?,
        })
    }
}

impl LayerWeights {
    fn load(load: &Loader<'_>, c: &Config, l: usize) -> Result<Self, Error> {
        let hidden = c.hidden_size;
        let d = c.head_dim(l);
        let (q_width, kv_width, ffn) = (c.n_heads * d, c.n_kv_heads[l] * d, c.ffn_width(l));
        let name = |tensor: &str| format!("blk.{l}.{tensor}.weight");
        let matrix = |tensor: &str, n_out, n_in| load.matrix(&name(tensor), n_out, n_in);
        let vector = |tensor: &str, n| load.vector(&name(tensor), n);
        let kv = if c.owns_kv(l) {
            Some(KvWeights {
                attn_k: matrix("attn_k", kv_width, hidden)?,
                attn_v: matrix("attn_v", kv_width, hidden)?,
                attn_k_norm: vector("attn_k_norm", d)?,
            })
        } else {
            None
        };
        let scale = load.tensors.values(&name("layer_output_scale"), 1)?;
        Ok(Self {
            attn_norm: vector("attn_norm", hidden)?,
            attn_q: matrix("attn_q", q_width, hidden)?,
            attn_q_norm: vector("attn_q_norm", d)?,
            kv,
            attn_output: matrix("attn_output", hidden, q_width)?,
            post_attention_norm: vector("post_attention_norm", hidden)?,
            ffn_norm: vector("ffn_norm", hidden)?,
            ffn_gate: matrix("ffn_gate", ffn, hidden)?,
            ffn_up: matrix("ffn_up", ffn, hidden)?,
            ffn_down: matrix("ffn_down", hidden, ffn)?,
            post_ffw_norm: vector("post_ffw_norm", hidden)?,
            inp_gate: matrix("inp_gate", c.ple_width, hidden)?,
            proj: matrix("proj", hidden, c.ple_width)?,
            post_norm: vector("post_norm", hidden)?,
            layer_output_scale: f64::from(scale.first().copied().unwrap_or(1.0)),
        })
    }
}

/// Brings tensors to a device.
struct Loader<'a> {
    tensors: Tensors<'a>,
    device: &'a Device,
}

impl Loader<'_> {
    fn matrix(&self, name: &str, n_out: usize, n_in: usize) -> Result<Matrix, Error> {
        Ok(Matrix::new(self.tensors.mapped(name, n_out, n_in)?, self.device)?)
    }

    fn vector(&self, name: &str, n: usize) -> Result<Tensor, Error> {
        Ok(Tensor::new(self.tensors.values(name, n)?.as_slice(), self.device)?)
    }
}
