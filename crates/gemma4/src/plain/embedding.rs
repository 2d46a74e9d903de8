//! What goes into the layers: token embeddings and per-layer embeddings.

use candle_core::{Result, Tensor};
use candle_nn::ops::rms_norm;

use super::{Probe, Shared};

impl Shared {
    /// Rows of the token table times √hidden: `(tokens, hidden)`.
    pub(super) fn embed(&self, tokens: &[u32]) -> Result<Tensor> {
        let hidden = self.config.hidden_size;
        let rows = Tensor::from_vec(self.weights.token_embd.rows(tokens)?, (tokens.len(), hidden), &self.device)?;
        rows * (hidden as f64).sqrt()
    }

    /// The input of each layer besides the residual stream, `(tokens, layers, ple)`: what the token's row of the
    /// per-layer table says, and what its embedding `x` (tokens, hidden) says, at equal weight.
    pub(super) fn per_layer_inputs(&self, tokens: &[u32], x: &Tensor, probe: &mut Probe<'_>) -> Result<Tensor> {
        let c = &self.config;
        let shape = (tokens.len(), c.n_layers, c.ple_width);
        let rows = self.weights.per_layer_token_embd.rows(tokens)?;
        let token = (Tensor::from_vec(rows, shape, &self.device)? * (c.ple_width as f64).sqrt())?;
        probe((None, "ple.token"), &token);

        let context = (self.weights.per_layer_model_proj.apply(x)? * (c.hidden_size as f64).powf(-0.5))?;
        let context = rms_norm(&context.reshape(shape)?, &self.weights.per_layer_proj_norm, c.rms_eps)?;
        probe((None, "ple.context"), &context);

        let both = ((token + context)? * std::f64::consts::FRAC_1_SQRT_2)?;
        probe((None, "ple"), &both);
        Ok(both)
    }
}
