//! The readable implementation: Gemma 4's decoder in stock candle operations, on any device candle knows.
//!
//! This is the definition that faster implementations are compared with. One forward pass is [`PlainSequence::run`];
//! one layer is `layer.rs`; the formulas are those of the model's description, in the same order.

mod attention;
mod embedding;
mod layer;
pub(crate) mod rope;

use std::{io, sync::Arc};

use candle_core::{Device, Result as TensorResult, Tensor};
use candle_nn::ops::rms_norm;

use self::{
    attention::Span,
    layer::{Layer, Sight, View},
    rope::Rope,
};
use crate::{
    config::Config,
    error::Error,
    footprint::kv_bytes_plain,
    gguf::GgufFile,
    kv_cache::{KvCache, Snapshot},
    model::{Checkpoint, Logits, Model, Rows, Runtime, Sequence},
    weights::Weights,
};

/// Most prompt tokens worth one forward pass: more gain little here and cost memory.
const CHUNK_LIMIT: usize = 64;

/// A model that computes with candle's own operations.
pub struct PlainModel(Arc<Shared>);

/// What all sequences of a model read.
struct Shared {
    config: Config,
    weights: Weights,
    sliding_rope: Rope,
    global_rope: Rope,
    /// Weights of the norms that have none: ones, for a sliding and a global head.
    sliding_ones: Tensor,
    global_ones: Tensor,
    device: Device,
    device_name: String,
}

/// Where a traced value was computed: the layer, if it belongs to one, and what it is.
pub type Place = (Option<usize>, &'static str);

/// Is shown intermediate values of a forward pass; for tests.
pub type Probe<'a> = dyn FnMut(Place, &Tensor) + 'a;

impl PlainModel {
    /// The model in `file`, computing on `device`, which people know as `device_name`.
    ///
    /// # Errors
    /// If the tensors are not those that `config` calls for, or the device cannot take them.
    pub fn new(file: &Arc<GgufFile>, config: Config, device: Device, device_name: String) -> Result<Self, Error> {
        let weights = Weights::load(file, &config, &device)?;
        let c = &config;
        let sliding_rope = Rope::sliding(c.sliding_rope_theta, c.sliding_head_dim);
        let global_rope = Rope::global(c.global_rope_theta, c.global_head_dim, weights.rope_freqs.as_deref());
        let ones = |n: usize| Tensor::ones(n, candle_core::DType::F32, &device);
        let (sliding_ones, global_ones) = (ones(c.sliding_head_dim)?, ones(c.global_head_dim)?);
        Ok(Self(Arc::new(Shared {
            config,
            weights,
            sliding_rope,
            global_rope,
            sliding_ones,
            global_ones,
            device,
            device_name,
        })))
    }

    /// An empty sequence of at most `context_len` positions, with the means to look inside.
    ///
    /// # Errors
    /// If `context_len` is zero or more than the model was made for, or memory is short.
    pub fn plain_sequence(&self, context_len: usize) -> Result<PlainSequence, Error> {
        let most = self.0.config.max_context_len;
        if context_len == 0 || context_len > most {
            return Err(Error::ContextLength { asked: context_len, most });
        }
        let cache = KvCache::new(&self.0.config, context_len, &self.0.device)?;
        Ok(PlainSequence { model: Arc::clone(&self.0), cache })
    }
}

impl Model for PlainModel {
    fn config(&self) -> &Config {
        &self.0.config
    }

    fn runtime(&self) -> Runtime {
        Runtime {
            device: self.0.device_name.clone(),
            kernels: "plain".to_owned(),
            threads: rayon::current_num_threads(),
        }
    }

    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error> {
        Ok(Box::new(self.plain_sequence(context_len)?))
    }

    fn chunk_limit(&self) -> usize {
        CHUNK_LIMIT
    }

    fn kv_bytes(&self, context_len: usize) -> u64 {
        kv_bytes_plain(&self.0.config, context_len, CHUNK_LIMIT)
    }
}

/// One conversation on a [`PlainModel`].
pub struct PlainSequence {
    model: Arc<Shared>,
    cache: KvCache,
}

impl PlainSequence {
    /// [`Sequence::forward`], showing `probe` what is computed on the way.
    ///
    /// # Errors
    /// Those of [`Sequence::forward`].
    pub fn forward_probed(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        probe: &mut Probe<'_>,
        logits: &mut Logits,
    ) -> Result<(), Error> {
        let vocab = self.model.config.vocab_size;
        if let Some(&token) = tokens.iter().find(|&&token| token as usize >= vocab) {
            return Err(Error::TokenOutOfRange { token, vocab });
        }
        let (asked, context_len) = (self.cache.len() + tokens.len(), self.cache.context_len());
        if asked > context_len {
            return Err(Error::ContextFull { asked, context_len });
        }
        logits.reset(0, vocab);
        if tokens.is_empty() {
            return Ok(());
        }
        if let Some(rows) = self.run(tokens, rows, cancelled, probe)? {
            let values: Vec<f32> = rows.flatten_all()?.to_vec1()?;
            *logits = Logits::new(values, vocab);
        }
        self.cache.commit(tokens.len());
        Ok(())
    }

    /// The forward pass: logits `(rows, vocab)`, if any are wanted. It stores keys and values behind the cache's length,
    /// where they do not count yet.
    fn run(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        probe: &mut Probe<'_>,
    ) -> Result<Option<Tensor>, Error> {
        let model = Arc::clone(&self.model);
        let (config, weights) = (&model.config, &model.weights);
        let mut x = model.embed(tokens)?; // (tokens, hidden)
        probe((None, "embed"), &x);
        let mut per_layer = model.per_layer_inputs(tokens, &x, probe)?; // (tokens, layers, ple)
        let mut sight = model.sight(self.cache.len(), tokens.len())?;

        for (l, w) in weights.layers.iter().enumerate() {
            if cancelled() {
                return Err(Error::Cancelled);
            }
            let layer = Layer { l, w, model: &model };
            probe((Some(l), "in"), &x);
            layer.store_keys_and_values(&x, &sight, &mut self.cache, probe)?;
            if l == config.last_kv_owner() {
                // From here on nothing is stored: only the rows whose logits are wanted have to go on.
                match rows {
                    Rows::All => {}
                    Rows::Last => {
                        (x, per_layer) = (last_row(&x)?, last_row(&per_layer)?);
                        sight = sight.last()?;
                    }
                    Rows::None => return Ok(None),
                }
            }
            x = layer.forward(&x, &per_layer, &sight, &self.cache, probe)?;
            probe((Some(l), "out"), &x);
        }

        let x = rms_norm(&x, &weights.output_norm, config.rms_eps)?;
        probe((None, "final_norm"), &x);
        let logits = weights.head.apply(&x)?; // (rows, vocab)
        let cap = f64::from(config.logit_softcap);
        let logits = ((logits / cap)?.tanh()? * cap)?;
        probe((None, "logits"), &logits);
        Ok(Some(logits))
    }

    /// Bytes that the KV cache takes now.
    pub fn cache_bytes(&self) -> usize {
        self.cache.size_bytes()
    }
}

fn cannot_keep() -> Error {
    Error::Unsupported { what: "keeping the KV cache of the plain path".to_owned() }
}

/// The last row of `x`, as a tensor of one row.
fn last_row(x: &Tensor) -> TensorResult<Tensor> {
    x.narrow(0, x.dim(0)? - 1, 1)
}

impl Shared {
    /// What a chunk of `n` tokens behind `len` earlier ones sees in each kind of layer.
    fn sight(&self, len: usize, n: usize) -> TensorResult<Sight> {
        let span = |window| Span { first_query: len, n_queries: n, window };
        let window = Some(self.config.sliding_window);
        Ok(Sight {
            sliding: View::new(span(window), &self.sliding_rope, &self.device)?,
            global: View::new(span(None), &self.global_rope, &self.device)?,
        })
    }
}

impl Sequence for PlainSequence {
    fn len(&self) -> usize {
        self.cache.len()
    }

    fn context_len(&self) -> usize {
        self.cache.context_len()
    }

    fn forward(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        logits: &mut Logits,
    ) -> Result<(), Error> {
        self.forward_probed(tokens, rows, cancelled, &mut |_, _| (), logits)
    }

    fn truncate(&mut self, len: usize) -> Result<(), Error> {
        self.cache.truncate(len)
    }

    fn save(&self, _out: &mut dyn io::Write) -> Result<(), Error> {
        Err(cannot_keep())
    }

    fn restore(&mut self, _input: &mut dyn io::Read) -> Result<(), Error> {
        self.cache.clear();
        Err(cannot_keep())
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let (snapshot, size_bytes) = self.cache.snapshot()?;
        Ok(Checkpoint { len: self.cache.len(), size_bytes, state: Box::new(snapshot) })
    }

    fn rewind(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        match checkpoint.state.downcast_ref::<Snapshot>() {
            Some(snapshot) => self.cache.rewind(snapshot),
            None => {
                Err(Error::Checkpoint { len: checkpoint.len, reason: crate::error::CheckpointReason::OtherSequence })
            }
        }
    }

    fn clear(&mut self) {
        self.cache.clear();
    }
}
