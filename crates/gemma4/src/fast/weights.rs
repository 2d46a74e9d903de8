//! The weights in the forms that the fast path computes with.

use std::sync::Arc;

use kernels::{Matrix, Needs, format::BLOCK};

use super::scratch::InputNeeds;
use crate::{
    config::Config,
    error::Error,
    gguf::GgufFile,
    packed::{MatrixId, PackOptions, PackedWeights, Packing},
    weights::{MappedMatrix, Tensors},
};

/// Widest head that attention takes.
const MOST_HEAD_DIM: usize = 1024;
/// Most query heads that share one of keys.
const MOST_GROUP: usize = 64;

/// All weights of a model. Field names are those of the file; shapes are `(out, in)`.
pub(super) struct Weights {
    packed: PackedWeights,
    /// `token_embd`, `(vocab, hidden)`: rows for the input, gathered from the file's map.
    pub(super) token_embd: MappedMatrix,
    /// The same tensor packed: the output head is tied to the input table.
    pub(super) head: MatrixId,
    /// `per_layer_token_embd`, `(vocab, layers · ple)`: gathered from the file's map, never copied anywhere.
    pub(super) per_layer_token_embd: MappedMatrix,
    /// `per_layer_model_proj`, `(layers · ple, hidden)`.
    pub(super) per_layer_model_proj: MatrixId,
    /// `per_layer_proj_norm`, `(ple)`.
    pub(super) per_layer_proj_norm: Vec<f32>,
    /// `output_norm`, `(hidden)`.
    pub(super) output_norm: Vec<f32>,
    /// `rope_freqs`, `(global head_dim / 2)`, if the file has it.
    pub(super) rope_freqs: Option<Vec<f32>>,
    /// One entry for each layer.
    pub(super) layers: Vec<LayerWeights>,
}

/// The weights of one layer; `d` is its head width and `F` its feed-forward width.
pub(super) struct LayerWeights {
    /// `(hidden)`.
    pub(super) attn_norm: Vec<f32>,
    /// `(heads · d, hidden)`.
    pub(super) attn_q: MatrixId,
    /// `(d)`.
    pub(super) attn_q_norm: Vec<f32>,
    /// Keys and values; `None` for a layer that reads another one's. What the file holds for such a layer is ignored.
    pub(super) kv: Option<KvWeights>,
    /// `(hidden, heads · d)`.
    pub(super) attn_output: MatrixId,
    /// `(hidden)`.
    pub(super) post_attention_norm: Vec<f32>,
    /// `(hidden)`.
    pub(super) ffn_norm: Vec<f32>,
    /// `(F, hidden)`.
    pub(super) ffn_gate: MatrixId,
    /// `(F, hidden)`.
    pub(super) ffn_up: MatrixId,
    /// `(hidden, F)`.
    pub(super) ffn_down: MatrixId,
    /// `(hidden)`.
    pub(super) post_ffw_norm: Vec<f32>,
    /// `(ple, hidden)`.
    pub(super) inp_gate: MatrixId,
    /// `(hidden, ple)`.
    pub(super) proj: MatrixId,
    /// `(hidden)`.
    pub(super) post_norm: Vec<f32>,
    /// A single factor.
    pub(super) layer_output_scale: f32,
}

/// What a layer with keys and values of its own has besides.
pub(super) struct KvWeights {
    /// `(kv heads · d, hidden)`.
    pub(super) attn_k: MatrixId,
    /// `(kv heads · d, hidden)`.
    pub(super) attn_v: MatrixId,
    /// `(d)`.
    pub(super) attn_k_norm: Vec<f32>,
}

impl Weights {
    /// The tensors of `file` that `config` calls for.
    ///
    /// # Errors
    /// If a tensor is missing, mis-shaped or of a type that cannot be used in its place; [`Error::Unsupported`] if the
    /// file is sound and the kernels cannot compute with a shape.
    pub(super) fn load(file: &Arc<GgufFile>, config: &Config, options: &PackOptions<'_>) -> Result<Self, Error> {
        let c = config;
        check_shapes(c)?;
        let tensors = Tensors(file);
        let mut packing = Packing::new(file);
        let all_ple = c.n_layers * c.ple_width;
        Ok(Self {
            token_embd: tensors.mapped("token_embd.weight", c.vocab_size, c.hidden_size)?,
            per_layer_token_embd: tensors.mapped("per_layer_token_embd.weight", c.vocab_size, all_ple)?,
            per_layer_model_proj: packing.matrix("per_layer_model_proj.weight", all_ple, c.hidden_size)?,
            per_layer_proj_norm: tensors.values("per_layer_proj_norm.weight", c.ple_width)?,
            output_norm: tensors.values("output_norm.weight", c.hidden_size)?,
            rope_freqs: tensors.optional_values("rope_freqs.weight", c.global_head_dim / 2)?,
            layers: (0..c.n_layers)
                .map(|l| LayerWeights::load(&tensors, &mut packing, c, l))
                .collect::<Result<_, _>>()?,
            // Packed in the order in which a pass reads them, so the head comes last.
            head: packing.matrix("token_embd.weight", c.vocab_size, c.hidden_size)?,
            packed: packing.open(options)?,
        })
    }

    /// The matrix `id`.
    pub(super) fn matrix(&self, id: MatrixId) -> Matrix<'_> {
        self.packed.matrix(id)
    }

    /// The forms of activations that these weights take.
    pub(super) fn needs(&self) -> InputNeeds {
        let of = |ids: &mut dyn Iterator<Item = MatrixId>| Needs::of(ids.map(|id| self.packed.format(id)));
        let each = |id: fn(&LayerWeights) -> MatrixId| of(&mut self.layers.iter().map(id));
        let kv = self.layers.iter().filter_map(|layer| layer.kv.as_ref());
        let qkv = self.layers.iter().map(|layer| layer.attn_q).chain(kv.flat_map(|kv| [kv.attn_k, kv.attn_v]));
        InputNeeds {
            model_proj: of(&mut [self.per_layer_model_proj].into_iter()),
            qkv: of(&mut { qkv }),
            output: each(|layer| layer.attn_output),
            gate_up: of(&mut self.layers.iter().flat_map(|layer| [layer.ffn_gate, layer.ffn_up])),
            down: each(|layer| layer.ffn_down),
            inp_gate: each(|layer| layer.inp_gate),
            proj: each(|layer| layer.proj),
            head: of(&mut [self.head].into_iter()),
        }
    }
}

impl LayerWeights {
    fn load(tensors: &Tensors<'_>, packing: &mut Packing<'_>, c: &Config, l: usize) -> Result<Self, Error> {
        let hidden = c.hidden_size;
        let d = c.head_dim(l);
        let (q_width, kv_width, ffn) = (c.n_heads * d, c.n_kv_heads[l] * d, c.ffn_width(l));
        let name = |tensor: &str| format!("blk.{l}.{tensor}.weight");
        let mut matrix = |tensor: &str, n_out, n_in| packing.matrix(&name(tensor), n_out, n_in);
        let vector = |tensor: &str, n| tensors.values(&name(tensor), n);
        let kv = if c.owns_kv(l) {
            Some(KvWeights {
                attn_k: matrix("attn_k", kv_width, hidden)?,
                attn_v: matrix("attn_v", kv_width, hidden)?,
                attn_k_norm: vector("attn_k_norm", d)?,
            })
        } else {
            None
        };
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
            layer_output_scale: vector("layer_output_scale", 1)?.first().copied().unwrap_or(1.0),
        })
    }
}

/// Whether the kernels can compute with these shapes: whole blocks of activations, whole tiles of keys.
fn check_shapes(c: &Config) -> Result<(), Error> {
    let unsupported = |what: String| Err(Error::Unsupported { what });
    let widths = [("embedding", c.hidden_size), ("per-layer embedding", c.ple_width)];
    let ffn = c.ffn_widths.iter().map(|width| ("feed-forward part", *width));
    for (what, width) in widths.into_iter().chain(ffn) {
        if !width.is_multiple_of(BLOCK) {
            return unsupported(format!("an {what} of {width} values, which is not a multiple of {BLOCK}"));
        }
    }
    for head_dim in [c.sliding_head_dim, c.global_head_dim] {
        if !head_dim.is_multiple_of(BLOCK) || head_dim > MOST_HEAD_DIM {
            return unsupported(format!(
                "attention heads of {head_dim} values, which is not a multiple of {BLOCK} up to {MOST_HEAD_DIM}"
            ));
        }
    }
    match c.n_kv_heads.iter().map(|kv_heads| c.n_heads / kv_heads).find(|group| *group > MOST_GROUP) {
        Some(group) => unsupported(format!("{group} query heads for one of keys; {MOST_GROUP} are the most")),
        None => Ok(()),
    }
}
