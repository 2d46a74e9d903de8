//! The seam between the engine and an implementation of the forward pass.
//!
//! Behind these traits stand the plain path in candle operations, which is the definition, and faster ones, which must
//! agree with it.

use std::io;

use crate::{config::Config, error::Error};

/// Most tokens that are fed on suspicion and may be taken back: see [`Sequence::truncate`].
pub const MAX_DRAFT: usize = 16;

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

/// Logits after the final softcap, row-major `(n_rows, vocab)`, f32: a buffer that is used again for the next pass, so
/// that decoding allocates nothing.
#[derive(Clone, Default)]
pub struct Logits {
    /// At least `n_rows * vocab` values; those behind are of earlier passes.
    data: Vec<f32>,
    n_rows: usize,
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
        Self { n_rows: data.len() / vocab, data, vocab }
    }

    /// Makes room for `n_rows` rows of `vocab` values and returns them to be written; what stands there is arbitrary.
    /// Memory once taken is kept.
    pub fn reset(&mut self, n_rows: usize, vocab: usize) -> &mut [f32] {
        let len = n_rows * vocab;
        if self.data.len() < len {
            self.data.resize(len, 0.0);
        }
        (self.n_rows, self.vocab) = (n_rows, vocab);
        &mut self.data[..len]
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Values in a row.
    pub fn vocab(&self) -> usize {
        self.vocab
    }

    /// Row `index`, of `vocab` values.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        assert!(index < self.n_rows, "row {index} of {}", self.n_rows);
        &self.data[index * self.vocab..(index + 1) * self.vocab]
    }

    /// Row `index`, to be edited before a token is drawn.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, index: usize) -> &mut [f32] {
        assert!(index < self.n_rows, "row {index} of {}", self.n_rows);
        &mut self.data[index * self.vocab..(index + 1) * self.vocab]
    }

    /// The last row; `None` when there is no row.
    pub fn last(&self) -> Option<&[f32]> {
        self.n_rows().checked_sub(1).map(|index| self.row(index))
    }

    /// All values, row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data[..self.n_rows * self.vocab]
    }

    /// All values, row-major.
    pub fn into_vec(mut self) -> Vec<f32> {
        self.data.truncate(self.n_rows * self.vocab);
        self.data
    }
}

impl PartialEq for Logits {
    fn eq(&self, other: &Self) -> bool {
        (self.n_rows, self.vocab) == (other.n_rows, other.vocab) && self.as_slice() == other.as_slice()
    }
}

impl std::fmt::Debug for Logits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logits").field("n_rows", &self.n_rows).field("vocab", &self.vocab).finish_non_exhaustive()
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

    /// Most prompt tokens worth one forward pass. Longer chunks are computed, but take more memory than
    /// [`Model::kv_bytes`] says.
    fn chunk_limit(&self) -> usize;

    /// Bytes that a sequence of `context_len` positions takes at most, fed in chunks of at most
    /// [`Model::chunk_limit`] tokens.
    fn kv_bytes(&self, context_len: usize) -> u64;

    /// How many threads may compute from the next forward pass on, of this model's sequences old and new: fewer on
    /// battery. An implementation that shares a pool with others ignores it. More than it was loaded with are not used.
    fn set_threads(&self, threads: usize) {
        let _ = threads;
    }
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

    /// Feeds `tokens` at positions `len()..len() + tokens.len()` and puts the rows asked for into `logits`.
    ///
    /// `cancelled` is asked before every layer. One call is one chunk: the caller splits long prompts
    /// (see [`prefill`]). The sequence changes only if the call succeeds; after an error `logits` is arbitrary.
    /// A row is the same bit for bit however the tokens were split into calls.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::ContextFull`], [`Error::TokenOutOfRange`], or a failed tensor operation.
    fn forward(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        logits: &mut Logits,
    ) -> Result<(), Error>;

    /// Takes back what the last [`Sequence::forward`] fed behind position `len`: at most [`MAX_DRAFT`] positions, and
    /// none that was fed before that call. The logits that follow are those of a sequence that never saw them.
    /// Allocates nothing to speak of; [`Sequence::checkpoint`] is the way back over longer distances.
    ///
    /// # Errors
    /// [`Error::Truncate`]; the sequence is then unchanged.
    fn truncate(&mut self, len: usize) -> Result<(), Error>;

    /// Writes the KV cache, so that [`Sequence::restore`] need not compute it again: a header (what it is, of which
    /// model, how long), then keys and values of the positions that can still be seen, then a checksum.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where this implementation cannot; [`Error::KvStateIo`] if `out` fails.
    fn save(&self, out: &mut dyn io::Write) -> Result<(), Error>;

    /// Replaces everything by what [`Sequence::save`] wrote. The logits that follow are those of a fresh prefill.
    /// Earlier checkpoints are then another past's. `input` is believed in nothing: a state that is damaged, too long
    /// for this sequence or of another model is refused.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::KvState`], [`Error::KvStateIo`]; the sequence is then empty.
    fn restore(&mut self, input: &mut dyn io::Read) -> Result<(), Error>;

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
    let mut logits = Logits::default();
    let mut done = 0;
    for part in tokens.chunks(chunk.max(1)) {
        let last = done + part.len() == tokens.len();
        let wanted = match rows {
            Rows::Last if !last => Rows::None,
            other => other,
        };
        sequence.forward(part, wanted, cancelled, &mut logits)?;
        done += part.len();
        if rows == Rows::All {
            if all.is_empty() {
                all.reserve_exact(tokens.len() * logits.vocab());
            }
            all.extend_from_slice(logits.as_slice());
        }
        progress(done, tokens.len());
    }
    Ok(if rows == Rows::All && !tokens.is_empty() { Logits::new(all, logits.vocab()) } else { logits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_logits_is_used_again() {
        let mut logits = Logits::default();
        assert_eq!((logits.n_rows(), logits.last()), (0, None));
        logits.reset(3, 2).copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((logits.row(1), logits.last()), (&[3.0, 4.0][..], Some(&[5.0, 6.0][..])));
        let place = logits.as_slice().as_ptr();
        logits.reset(1, 2).copy_from_slice(&[7.0, 8.0]);
        assert_eq!((logits.n_rows(), logits.as_slice(), logits.last()), (1, &[7.0, 8.0][..], Some(&[7.0, 8.0][..])));
        assert_eq!(logits, Logits::new(vec![7.0, 8.0], 2), "earlier rows do not count");
        logits.reset(3, 2);
        assert_eq!(logits.as_slice().as_ptr(), place, "no other memory");
        logits.row_mut(2)[1] = 9.0;
        assert_eq!(logits.clone().into_vec()[5], 9.0);
        logits.reset(0, 2);
        assert_eq!((logits.as_slice(), logits.last()), (&[][..], None));
    }
}
