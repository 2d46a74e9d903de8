//! One pass over a chunk of tokens: from their ids to the logits.

use std::sync::{Mutex, PoisonError};

use kernels::{Activations, PerLayerScales, Product};

use super::{
    Shared,
    cache::Cache,
    layer::{Layer, Wants},
    scratch::{PerLayer, Scratch, sized},
};
use crate::{error::Error, model::Rows, weights::MappedMatrix};

/// Rows of the per-layer table that wait together for their context.
pub(super) const TABLE_ROWS: usize = 64;

/// Where a traced value was computed: the layer, if it belongs to one, and what it is.
pub type Place = (Option<usize>, &'static str);

/// Is shown intermediate values of a forward pass, row after row, as soon as they are there; for tests, and for timing
/// the steps. Values that are kept in 8 bits only are shown as none.
pub type Probe<'a> = dyn FnMut(Place, &[f32]) + 'a;

/// A pass on its way.
pub(super) struct Pass<'a> {
    pub(super) model: &'a Shared,
    pub(super) cache: &'a mut Cache,
    pub(super) scratch: &'a mut Scratch,
}

impl Pass<'_> {
    /// Feeds `tokens`, at least one, and writes the logits of the rows asked for. Keys and values are stored behind the
    /// cache's length, where they do not count yet. `cancelled` is asked before every layer.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or the file's map does not give a row.
    pub(super) fn run(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        probe: &mut Probe<'_>,
        logits: &mut [f32],
    ) -> Result<(), Error> {
        let (model, n, first) = (self.model, tokens.len(), self.cache.len());
        let (compute, c, weights) = (&model.compute, &model.config, &model.weights);
        self.cache.make_room(first + n);
        // What is computed for one row alone is computed for all rows of a chunk of one.
        let all = rows == Rows::All || (rows == Rows::Last && n == 1);
        let s = &mut *self.scratch;
        let x = sized(&mut s.x, n * c.hidden_size);
        model.embed(tokens, x)?;
        probe((None, "embed"), x);
        let n_layers = if all { c.n_layers } else { c.last_kv_owner() };
        model.per_layer_inputs(tokens, x, n_layers, (&mut s.table, &mut s.inputs.model_proj), &mut s.per_layer)?;
        probe((None, "ple"), &s.per_layer.values[..n * s.per_layer.stride]);
        if rows == Rows::Last && !all {
            let (token, x) = (&tokens[n - 1..], &x[(n - 1) * c.hidden_size..]);
            model.per_layer_inputs(
                token,
                x,
                c.n_layers,
                (&mut s.table, &mut s.inputs.model_proj),
                &mut s.last_per_layer,
            )?;
        }
        compute.norm(x, &weights.layers[0].attn_norm, c.rms_eps, &mut s.inputs.qkv);
        s.sliding.fill(compute, &model.sliding_rope, first, n);
        s.global.fill(compute, &model.global_rope, first, n);

        probe((None, "prepared"), &[]);
        let (mut skipped, mut at_work) = (0, n);
        for (l, w) in weights.layers.iter().enumerate() {
            if cancelled() {
                return Err(Error::Cancelled);
            }
            let mut layer = Layer { l, w, model, first, skipped, rows: at_work };
            if l < c.last_kv_owner() || all || skipped > 0 {
                layer.project(Wants::All, s, self.cache, probe);
            } else {
                layer.project(Wants::KeysAndValues, s, self.cache, probe);
                if rows == Rows::None {
                    return Ok(());
                }
                (skipped, at_work) = (n - 1, 1);
                (layer.skipped, layer.rows) = (skipped, at_work);
                s.x.copy_within(skipped * c.hidden_size..n * c.hidden_size, 0);
                compute.norm(&s.x[..c.hidden_size], &w.attn_norm, c.rms_eps, &mut s.inputs.qkv);
                layer.project(Wants::Queries, s, self.cache, probe);
            }
            layer.finish(s, self.cache, probe);
        }
        probe((None, "final_norm"), s.inputs.head.view().exact);
        compute.head(&s.inputs.head, weights.matrix(weights.head), c.logit_softcap, logits);
        probe((None, "logits"), logits);
        Ok(())
    }
}

impl Shared {
    /// Rows of the token table times √hidden: `(tokens, hidden)`.
    fn embed(&self, tokens: &[u32], out: &mut [f32]) -> Result<(), Error> {
        let hidden = self.config.hidden_size;
        self.gather(&self.weights.token_embd, tokens, hidden, (hidden as f64).sqrt() as f32, out)
    }

    /// The inputs of the first `n_layers` layers besides the stream: what each token's row of the per-layer table says,
    /// and what its embedding `x` (tokens, hidden) says, at equal weight.
    fn per_layer_inputs(
        &self,
        tokens: &[u32],
        x: &[f32],
        n_layers: usize,
        (table, input): (&mut Vec<f32>, &mut Activations),
        out: &mut PerLayer,
    ) -> Result<(), Error> {
        let (c, compute, w) = (&self.config, &self.compute, &self.weights);
        out.stride = n_layers * c.ple_width;
        if out.stride == 0 {
            return Ok(());
        }
        compute.quantize(x, c.hidden_size, input);
        let values = sized(&mut out.values, tokens.len() * out.stride);
        let weights = w.matrix(w.per_layer_model_proj).first_rows(out.stride);
        compute.products(input, &mut [Product { weights, out: values }]);

        let scales = PerLayerScales {
            before: (c.hidden_size as f64).powf(-0.5) as f32,
            eps: c.rms_eps,
            table: (c.ple_width as f64).sqrt() as f32,
            gain: std::f32::consts::FRAC_1_SQRT_2,
        };
        // Rows of the table come in whole blocks, and not all at once: they would be as much again.
        let width = out.stride.next_multiple_of(w.per_layer_token_embd.block_len());
        for (tokens, values) in tokens.chunks(TABLE_ROWS).zip(values.chunks_mut(TABLE_ROWS * out.stride)) {
            let table = sized(table, tokens.len() * width);
            self.gather(&w.per_layer_token_embd, tokens, width, 1.0, table)?;
            compute.per_layer(values, n_layers, table, width, &w.per_layer_proj_norm, scales);
        }
        Ok(())
    }

    /// The first `width` values of the rows `ids` of `matrix`, times `scale`.
    fn gather(
        &self,
        matrix: &MappedMatrix,
        ids: &[u32],
        width: usize,
        scale: f32,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let failed = Mutex::new(None);
        self.compute.fill_rows(out, width, &|row, values| match matrix.row_into(ids[row], values) {
            Ok(()) => values.iter_mut().for_each(|value| *value *= scale),
            Err(error) => *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}
