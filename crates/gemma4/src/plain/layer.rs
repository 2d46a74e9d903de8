//! One layer of the decoder.

use candle_core::{Device, Result, Tensor};
use candle_nn::ops::rms_norm;

use super::{
    Probe, Shared,
    attention::Span,
    rope::{Rope, Rotation},
};
use crate::{kv_cache::KvCache, weights::LayerWeights};

/// What a chunk of tokens sees in each kind of layer.
pub(super) struct Sight {
    pub(super) sliding: View,
    pub(super) global: View,
}

/// What a chunk of tokens sees in one kind of layer, and how its positions turn.
pub(super) struct View {
    span: Span,
    rotation: Rotation,
    /// Only where attention goes through matrix products.
    mask: Option<Tensor>,
}

impl Sight {
    /// The same for the chunk's last token alone.
    pub(super) fn last(&self) -> Result<Self> {
        Ok(Self { sliding: self.sliding.last()?, global: self.global.last()? })
    }
}

impl View {
    /// What the queries of `span` see.
    pub(super) fn new(span: Span, rope: &Rope, device: &Device) -> Result<Self> {
        let rotation = rope.at(span.first_query..span.end_key(), device)?;
        let mask = if device.is_cpu() { None } else { span.mask(device)? };
        Ok(Self { span, rotation, mask })
    }

    /// The view of the last query alone, which sees every key of its span and needs no mask.
    fn last(&self) -> Result<Self> {
        Ok(Self { span: self.span.last(), rotation: self.rotation.last()?, mask: None })
    }

    /// Queries (tokens, heads, head_dim) over keys and values (kv_heads, keys, head_dim) → (tokens, heads · head_dim).
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
        if q.device().is_cpu() {
            self.span.attend_row_by_row(q, k, v)
        } else {
            Span::attend_by_matmul(q, k, v, self.mask.as_ref())
        }
    }
}

/// Layer `l` of a model. The residual stream is `x`, of shape `(tokens, hidden)`.
pub(super) struct Layer<'a> {
    pub(super) l: usize,
    pub(super) w: &'a LayerWeights,
    pub(super) model: &'a Shared,
}

impl Layer<'_> {
    /// Keys and values of the tokens go into the cache, if this layer has its own.
    pub(super) fn store_keys_and_values(
        &self,
        x: &Tensor,
        sight: &Sight,
        cache: &mut KvCache,
        probe: &mut Probe<'_>,
    ) -> Result<()> {
        let Some(w) = &self.w.kv else { return Ok(()) };
        let rotation = &self.view(sight).rotation;
        let u = self.norm(x, &self.w.attn_norm)?;
        let k = self.norm(&self.heads(&w.attn_k.apply(&u)?)?, &w.attn_k_norm)?; // (tokens, kv_heads, head_dim)
        probe((Some(self.l), "k_normed"), &k);
        let k = rotation.apply(&k)?.transpose(0, 1)?.contiguous()?; // (kv_heads, tokens, head_dim)
        let v = self.norm(&self.heads(&w.attn_v.apply(&u)?)?, self.ones())?.transpose(0, 1)?.contiguous()?;
        probe((Some(self.l), "k_cache"), &k);
        probe((Some(self.l), "v_cache"), &v);
        cache.store(self.l, &k, &v)
    }

    /// The layer itself: attention, feed-forward, per-layer embedding, each added to the residual stream, and a scale.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        per_layer: &Tensor, // (tokens, layers, ple)
        sight: &Sight,
        cache: &KvCache,
        probe: &mut Probe<'_>,
    ) -> Result<Tensor> {
        let w = self.w;
        let attended = self.attention(&self.norm(x, &w.attn_norm)?, sight, cache, probe)?;
        probe((Some(self.l), "attn_out"), &attended);
        let x = (x + self.norm(&attended, &w.post_attention_norm)?)?;
        probe((Some(self.l), "after_attn"), &x);

        let fed = self.feed_forward(&self.norm(&x, &w.ffn_norm)?)?;
        probe((Some(self.l), "mlp_out"), &fed);
        let x = (&x + self.norm(&fed, &w.post_ffw_norm)?)?;
        probe((Some(self.l), "after_mlp"), &x);

        let p = per_layer.narrow(1, self.l, 1)?.squeeze(1)?; // (tokens, ple)
        let gated = (w.inp_gate.apply(&x)?.gelu()? * p)?;
        probe((Some(self.l), "ple_gated"), &gated);
        let embedded = self.norm(&w.proj.apply(&gated)?, &w.post_norm)?;
        probe((Some(self.l), "ple_out"), &embedded);
        (x + embedded)? * w.layer_output_scale
    }

    /// `u` (tokens, hidden) asks the keys and values that this layer reads: its own or its donor's.
    fn attention(&self, u: &Tensor, sight: &Sight, cache: &KvCache, probe: &mut Probe<'_>) -> Result<Tensor> {
        let view = self.view(sight);
        let q = self.norm(&self.heads(&self.w.attn_q.apply(u)?)?, &self.w.attn_q_norm)?; // (tokens, heads, head_dim)
        probe((Some(self.l), "q_normed"), &q);
        let q = view.rotation.apply(&q)?;
        let donor = self.model.config.kv_donor(self.l);
        let (k, v) = cache.view(donor, view.span.first_key(), view.span.end_key())?; // (kv_heads, keys, head_dim)
        self.w.attn_output.apply(&view.attend(&q, &k, &v)?)
    }

    /// `z` (tokens, hidden) through the gated feed-forward part.
    fn feed_forward(&self, z: &Tensor) -> Result<Tensor> {
        let gate = self.w.ffn_gate.apply(z)?.gelu()?; // (tokens, ffn)
        self.w.ffn_down.apply(&(gate * self.w.ffn_up.apply(z)?)?)
    }

    fn norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        rms_norm(x, weight, self.model.config.rms_eps)
    }

    /// `(tokens, heads · head_dim)` → `(tokens, heads, head_dim)`.
    fn heads(&self, x: &Tensor) -> Result<Tensor> {
        let (tokens, width) = x.dims2()?;
        let head_dim = self.model.config.head_dim(self.l);
        x.reshape((tokens, width / head_dim, head_dim))
    }

    fn view<'s>(&self, sight: &'s Sight) -> &'s View {
        if self.model.config.is_sliding(self.l) { &sight.sliding } else { &sight.global }
    }

    /// The weight of the values' norm, which has none.
    fn ones(&self) -> &Tensor {
        if self.model.config.is_sliding(self.l) { &self.model.sliding_ones } else { &self.model.global_ones }
    }
}
