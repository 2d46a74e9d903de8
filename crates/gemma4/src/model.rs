//! The seam between the engine and an implementation of the forward pass.
//!
//! Three implementations are planned behind these traits: the plain path in candle ops, the fast CPU path and the
//! fast CUDA path. They must agree; the plain path is the definition.

use crate::{config::Config, error::Error};

/// Which rows of logits a forward pass has to produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One row for each token fed.
    All,
    /// The last token's row only: layers after the last KV owner run for that position alone.
    Last,
    /// No logits, only the KV cache: layers after the last KV owner do not run at all.
    None,
}

/// Logits after the final softcap, row-major `(n_rows, vocab)`, f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    data: Vec<f32>,
    vocab: usize,
}

impl Logits {
    /// Wraps `data` of shape `(n_rows, vocab)`.
    ///
    /// # Panics
    /// If `data` is not a whole number of rows.
    pub fn new(data: Vec<f32>, vocab: usize) -> Self {
        assert!(
            vocab > 0 && data.len().is_multiple_of(vocab),
            "logits of {} values are not rows of {vocab}",
            data.len()
        );
        Self { data, vocab }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.data.len() / self.vocab
    }

    /// Row `index`, of `vocab` values.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.vocab..(index + 1) * self.vocab]
    }

    /// The last row; `None` when there is no row.
    pub fn last(&self) -> Option<&[f32]> {
        self.n_rows().checked_sub(1).map(|index| self.row(index))
    }

    /// All values, row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All values, row-major.
    pub fn into_vec(self) -> Vec<f32> {
        self.data
    }
}

/// What computes: shown by `aula bench`, `aula doctor` and behind the badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// For people, e.g. `CPU` or the card's name.
    pub device: String,
    /// Which implementation, e.g. `plain` for stock candle ops.
    pub kernels: String,
    /// CPU threads in use.
    pub threads: usize,
}

/// A loaded model. It holds weights only; everything that changes lives in a [`Sequence`].
pub trait Model: Send + Sync {
    /// What the file says the model is.
    fn config(&self) -> &Config;

    /// What computes.
    fn runtime(&self) -> Runtime;

    /// An empty sequence of at most `context_len` positions.
    ///
    /// # Errors
    /// If `context_len` is zero or more than the model was made for, or memory is short.
    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error>;
}

/// One conversation's KV cache, and the forward pass over it.
pub trait Sequence: Send {
    /// Positions in the cache.
    fn len(&self) -> usize;

    /// Whether the cache is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Most positions the cache may hold.
    fn context_len(&self) -> usize;

    /// Feeds `tokens` at positions `len()..len() + tokens.len()` and returns the rows asked for.
    ///
    /// `cancelled` is asked before every layer. One call is one chunk: the caller splits long prompts
    /// (see [`prefill`]). The sequence changes only if the call succeeds.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::ContextFull`], [`Error::TokenOutOfRange`], or a failed tensor operation.
    fn forward(&mut self, tokens: &[u32], rows: Rows, cancelled: &dyn Fn() -> bool) -> Result<Logits, Error>;

    /// Remembers the sliding layers' state at the present length, so that [`Sequence::rewind`] can return here
    /// after their rings have moved on. Global layers need no copy.
    ///
    /// # Errors
    /// If memory is short.
    fn checkpoint(&self) -> Result<Checkpoint, Error>;

    /// Returns to `checkpoint`, taken earlier on this sequence, at or before the present length.
    /// The logits that follow are those of a fresh prefill.
    ///
    /// # Errors
    /// If the checkpoint is another sequence's, or lies ahead of the present length.
    fn rewind(&mut self, checkpoint: &Checkpoint) -> Result<(), Error>;

    /// Forgets everything.
    fn clear(&mut self);
}

/// The sliding layers' state at one length of one sequence (about 6 MiB for E2B, 20 MiB for E4B in f16).
pub struct Checkpoint {
    /// Positions in the cache when it was taken.
    pub len: usize,
    /// Bytes it keeps alive.
    pub size_bytes: usize,
    /// The implementation's own state.
    pub state: Box<dyn std::any::Any + Send>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint").field("len", &self.len).field("size_bytes", &self.size_bytes).finish()
    }
}

/// Prefills `tokens` in chunks of at most `chunk` and returns the rows asked for.
///
/// With [`Rows::Last`] every chunk but the last fills the cache only. `progress(done, total)` is called after each chunk.
///
/// # Errors
/// Those of [`Sequence::forward`]. After an error the chunks before it stay in the cache.
pub fn prefill(
    sequence: &mut dyn Sequence,
    tokens: &[u32],
    chunk: usize,
    rows: Rows,
    cancelled: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Logits, Error> {
    let mut all: Vec<f32> = Vec::new();
    let mut vocab = 1;
    let mut done = 0;
    for part in tokens.chunks(chunk.max(1)) {
        let last = done + part.len() == tokens.len();
        let wanted = match rows {
            Rows::Last if !last => Rows::None,
            other => other,
        };
        let logits = sequence.forward(part, wanted, cancelled)?;
        done += part.len();
        if logits.n_rows() > 0 {
            vocab = logits.vocab;
            if rows == Rows::All && all.is_empty() {
                all.reserve_exact(tokens.len() * vocab);
            }
            all.extend_from_slice(logits.as_slice());
        }
        progress(done, tokens.len());
    }
    Ok(Logits::new(all, vocab))
}
