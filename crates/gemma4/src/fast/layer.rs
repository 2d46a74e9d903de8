//! One layer of the decoder, for some rows of the residual stream.

use kernels::{Attend, Matrix, Product};

use super::{
    Shared,
    cache::Cache,
    pass::Probe,
    scratch::{Scratch, sized},
    weights::LayerWeights,
};
use crate::packed::MatrixId;

/// Layer `l` of a model, at work on the rows of a chunk from `skipped` on.
pub(super) struct Layer<'a> {
    pub(super) l: usize,
    pub(super) w: &'a LayerWeights,
    pub(super) model: &'a Shared,
    /// Position of the chunk's first row.
    pub(super) first: usize,
    /// Rows of the chunk in front of those at work.
    pub(super) skipped: usize,
    /// Rows at work.
    pub(super) rows: usize,
}

/// What a layer computes from the normed stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// Queries, and keys and values where the layer has its own.
    All,
    Queries,
    KeysAndValues,
}

impl Layer<'_> {
    /// From the normed stream in `inputs.qkv` to queries, and to keys and values in the cache.
    pub(super) fn project(&self, wants: Wants, s: &mut Scratch, cache: &mut Cache, probe: &mut Probe<'_>) {
        let (compute, c, w, rows) = (&self.model.compute, &self.model.config, self.w, self.rows);
        let (heads, kv_heads, d, eps) = (c.n_heads, c.n_kv_heads[self.l], c.head_dim(self.l), c.rms_eps);
        let queries = wants != Wants::KeysAndValues;
        let kv = w.kv.as_ref().filter(|_| wants != Wants::Queries);
        let q = sized(&mut s.q, if queries { rows * heads * d } else { 0 });
        let (k, v) = match kv {
            Some(_) => (sized(&mut s.k, rows * kv_heads * d), sized(&mut s.v, rows * kv_heads * d)),
            None => (&mut [][..], &mut [][..]),
        };
        let x = &s.inputs.qkv;
        match (queries, kv) {
            (true, Some(kv)) => compute
                .products(x, &mut [self.product(w.attn_q, q), self.product(kv.attn_k, k), self.product(kv.attn_v, v)]),
            (true, None) => compute.products(x, &mut [self.product(w.attn_q, q)]),
            (false, Some(kv)) => {
                compute.products(x, &mut [self.product(kv.attn_k, k), self.product(kv.attn_v, v)]);
            }
            (false, None) => {}
        }
        let rotation = if c.is_sliding(self.l) { &s.sliding } else { &s.global };
        let rope = Some(rotation.from(self.skipped));
        if queries {
            compute.norm_heads(q, heads, d, Some(&w.attn_q_norm), eps, rope);
            probe((Some(self.l), "q"), q);
        }
        if let Some(kv) = kv {
            compute.norm_heads(k, kv_heads, d, Some(&kv.attn_k_norm), eps, rope);
            compute.norm_heads(v, kv_heads, d, None, eps, None);
            probe((Some(self.l), "k"), k);
            probe((Some(self.l), "v"), v);
            compute.store(cache.layer_mut(self.l), self.first + self.skipped, k, v);
        }
    }

    /// From the queries to the stream behind the layer: attention, feed-forward part and per-layer input, each added to
    /// the stream, and a scale. Leaves the stream normed for what comes next, the following layer or the head.
    pub(super) fn finish(&self, s: &mut Scratch, cache: &Cache, probe: &mut Probe<'_>) {
        let (model, c, w, rows) = (self.model, &self.model.config, self.w, self.rows);
        let (compute, hidden, eps) = (&model.compute, c.hidden_size, c.rms_eps);
        let Scratch { inputs, attention, .. } = s;
        let (x, y) = (&mut s.x[..rows * hidden], sized(&mut s.y, rows * hidden));

        let attend = Attend {
            q: &s.q[..rows * c.n_heads * c.head_dim(self.l)],
            heads: c.n_heads,
            first: self.first + self.skipped,
            window: c.is_sliding(self.l).then_some(c.sliding_window),
        };
        compute.attend(&attend, cache.layer(c.kv_donor(self.l)), attention, &mut inputs.output);
        probe((Some(self.l), "attended"), inputs.output.view().exact);
        compute.products(&inputs.output, &mut [self.product(w.attn_output, y)]);
        probe((Some(self.l), "attn_out"), y);
        let next = (&w.ffn_norm[..], &mut inputs.gate_up);
        compute.add_norm(x, y, &w.post_attention_norm, eps, 1.0, Some(next));
        probe((Some(self.l), "after_attn"), x);

        compute.gated(&inputs.gate_up, self.matrix(w.ffn_gate), self.matrix(w.ffn_up), &mut inputs.down);
        probe((Some(self.l), "gated"), inputs.down.view().exact);
        compute.products(&inputs.down, &mut [self.product(w.ffn_down, y)]);
        probe((Some(self.l), "mlp_out"), y);
        compute.add_norm(x, y, &w.post_ffw_norm, eps, 1.0, None);
        probe((Some(self.l), "after_mlp"), x);

        compute.quantize(x, hidden, &mut inputs.inp_gate);
        let gate = sized(&mut s.gate, rows * c.ple_width);
        compute.products(&inputs.inp_gate, &mut [self.product(w.inp_gate, gate)]);
        probe((Some(self.l), "inp_gate"), gate);
        let p = if self.skipped > 0 { &s.last_per_layer } else { &s.per_layer };
        compute.gate_by(gate, c.ple_width, &p.values[self.l * c.ple_width..], p.stride, &mut inputs.proj);
        compute.products(&inputs.proj, &mut [self.product(w.proj, y)]);
        probe((Some(self.l), "proj"), y);
        let next = match model.weights.layers.get(self.l + 1) {
            Some(next) => (&next.attn_norm[..], &mut inputs.qkv),
            None => (&model.weights.output_norm[..], &mut inputs.head),
        };
        compute.add_norm(x, y, &w.post_norm, eps, w.layer_output_scale, Some(next));
        probe((Some(self.l), "out"), x);
    }

    fn matrix(&self, id: MatrixId) -> Matrix<'_> {
        self.model.weights.matrix(id)
    }

    fn product<'b>(&'b self, id: MatrixId, out: &'b mut [f32]) -> Product<'b> {
        Product { weights: self.matrix(id), out }
    }
}
