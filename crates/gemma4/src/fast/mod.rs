//! The fast forward pass on the processor, from the operations of `kernels`.
//!
//! It computes what `plain` defines, with activations rounded to 8 bits before products with quantized weights, as
//! there, and with keys and values in f16.
//!
//! * `pass` – one pass over a chunk of tokens, from the embedding to the logits; `layer` – one layer of it
//! * `weights` – packed matrices and norms; `cache` – keys and values; `scratch` – everything else that a pass writes
//! * `sequence` – the conversation: chunks, going back; `state` – keeping it in a file
//!
//! **A row's result is the same bit for bit whatever it is computed with**: the chunk, the batch, the number of threads.
//! Every operation of `kernels` promises that for itself; here nothing may depend on how many rows there are.
//!
//! **Layers behind the last owner of keys and values leave no trace**, so they run for those rows alone whose logits are
//! wanted. The last owner itself computes keys and values for the others, and nothing else.

mod cache;
mod layer;
mod pass;
mod rope;
mod scratch;
mod sequence;
mod state;
mod weights;

use std::{num::NonZero, sync::Arc, thread};

use kernels::{Compute, Kernels, Pool};

pub(crate) use self::{cache::most_bytes, scratch::scratch_bytes};
pub use self::{
    pass::{Place, Probe},
    sequence::FastSequence,
};
use self::{scratch::InputNeeds, weights::Weights};
use crate::{
    config::Config,
    error::Error,
    gguf::GgufFile,
    load::LoadOptions,
    model::{Model, Runtime, Sequence},
    packed::PackOptions,
    plain::rope::Rope,
};

/// Most tokens of one pass. More would gain nothing and cost memory; longer chunks are computed in several passes.
pub(crate) const CHUNK_LIMIT: usize = 512;

/// For each operation, by name, the instruction set that computes it on this processor.
///
/// # Errors
/// If `AULA_KERNELS` asks for one that is not there.
pub fn kernels_in_use() -> Result<Vec<(&'static str, &'static str)>, Error> {
    Ok(Kernels::from_env()?.report())
}

/// A model that computes with the kernels of this processor.
pub struct FastModel(Arc<Shared>);

/// What all sequences of a model read.
struct Shared {
    config: Config,
    weights: Weights,
    needs: InputNeeds,
    sliding_rope: Rope,
    global_rope: Rope,
    compute: Compute,
    fingerprint: u64,
}

impl FastModel {
    /// The model in `file`.
    ///
    /// # Errors
    /// If the tensors are not those that `config` calls for; [`Error::Unsupported`] if they are, and the kernels cannot
    /// compute with a shape.
    pub fn new(file: &Arc<GgufFile>, config: Config, options: &LoadOptions) -> Result<Self, Error> {
        // First, because it is the cheapest to fail.
        let kernels = Kernels::from_env()?;
        let threads = options.threads.and_then(NonZero::new).or_else(|| thread::available_parallelism().ok());
        let threads = threads.unwrap_or(NonZero::<usize>::MIN);
        let weights = Weights::load(file, &config, &PackOptions::new(&options.packed_dirs, threads))?;
        let c = &config;
        let sliding_rope = Rope::sliding(c.sliding_rope_theta, c.sliding_head_dim);
        let global_rope = Rope::global(c.global_rope_theta, c.global_head_dim, weights.rope_freqs.as_deref());
        let fingerprint = state::fingerprint(file, c);
        let needs = weights.needs();
        let cpus = options.cpus.as_deref();
        if let Some(cpus) = cpus {
            // Refused, it is slower and nothing worse.
            Pool::bind_caller(cpus);
        }
        let compute = Compute::new(Pool::on_cpus(threads.get(), cpus), kernels);
        Ok(Self(Arc::new(Shared { config, weights, needs, sliding_rope, global_rope, compute, fingerprint })))
    }

    /// An empty sequence of at most `context_len` positions, with the means to look inside.
    ///
    /// # Errors
    /// If `context_len` is zero or more than the model was made for.
    pub fn fast_sequence(&self, context_len: usize) -> Result<FastSequence, Error> {
        let most = self.0.config.max_context_len;
        if context_len == 0 || context_len > most {
            return Err(Error::ContextLength { asked: context_len, most });
        }
        Ok(FastSequence::new(Arc::clone(&self.0), context_len))
    }
}

impl Model for FastModel {
    fn config(&self) -> &Config {
        &self.0.config
    }

    fn runtime(&self) -> Runtime {
        Runtime {
            device: "CPU".to_owned(),
            kernels: self.0.compute.kernels().name().to_owned(),
            threads: self.0.compute.pool().active(),
        }
    }

    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error> {
        Ok(Box::new(self.fast_sequence(context_len)?))
    }

    fn chunk_limit(&self) -> usize {
        CHUNK_LIMIT
    }

    fn kv_bytes(&self, context_len: usize) -> u64 {
        most_bytes(&self.0.config, context_len)
    }

    fn set_threads(&self, threads: usize) {
        self.0.compute.pool().set_active(threads);
    }
}
