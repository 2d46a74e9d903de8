//! One sequence that follows the conversation: the part of a prompt that was fed before is kept (prefix reuse).
//!
//! What counts is the token ids that were actually fed. Global layers can be cut anywhere; sliding layers keep only
//! a ring, so a return is possible where their state was saved. It is saved at turn boundaries: after the
//! instructions, before an answer (regenerate), after it (edit, branch). Every return gives the logits of a fresh
//! prefill.

use std::io;

use gemma4::{Checkpoint, Logits, Rows, Sequence};

use crate::{
    error::Error,
    pace::{LayerClock, Pace},
};

/// Fewest tokens worth a checkpoint inside a prompt.
const MIN_GAP: usize = 48;
/// Most checkpoints kept.
const MAX_CHECKPOINTS: usize = 8;
/// Most bytes kept in checkpoints: all eight of E2B (6 MiB each), six of E4B (20 MiB each).
const MAX_CHECKPOINT_BYTES: usize = 128 << 20;

/// How a prompt was brought into the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefilled {
    /// Tokens found in the cache.
    pub reused: usize,
    /// Tokens computed.
    pub computed: usize,
}

/// A sequence, the tokens that were fed to it, the logits that followed last, and the points to which it can return.
pub struct Session {
    sequence: Box<dyn Sequence>,
    fed: Vec<u32>,
    /// By ascending length; all on the path of `fed`.
    points: Vec<Point>,
    pace: Pace,
    /// Of the last forward pass.
    logits: Logits,
}

/// A length to which the sequence can return.
#[derive(Debug)]
struct Point {
    checkpoint: Checkpoint,
    /// The logits of the token before it, where they were computed: at the end of a prompt. An answer can then be
    /// generated again without computing anything.
    row: Option<Vec<f32>>,
}

impl Point {
    fn len(&self) -> usize {
        self.checkpoint.len
    }

    fn size_bytes(&self) -> usize {
        self.checkpoint.size_bytes + self.row.as_ref().map_or(0, |row| size_of_val(&row[..]))
    }
}

impl Session {
    /// Wraps an empty sequence of a model that takes at most `chunk_limit` prompt tokens at a time
    /// ([`gemma4::Model::chunk_limit`]).
    pub fn new(mut sequence: Box<dyn Sequence>, chunk_limit: usize) -> Self {
        sequence.clear();
        let fed = Vec::with_capacity(sequence.context_len());
        Self { sequence, fed, points: Vec::new(), pace: Pace::new(chunk_limit), logits: Logits::default() }
    }

    /// Most positions the cache may hold.
    pub fn context_len(&self) -> usize {
        self.sequence.context_len()
    }

    /// The sequence, to be saved.
    pub(crate) fn sequence(&self) -> &dyn Sequence {
        &*self.sequence
    }

    /// The tokens in the cache.
    pub fn fed(&self) -> &[u32] {
        &self.fed
    }

    /// Lengths to which the sequence can return, ascending.
    pub fn checkpoints(&self) -> impl Iterator<Item = usize> + '_ {
        self.points.iter().map(Point::len)
    }

    /// Brings the cache to exactly `prompt`, computing as little as possible. [`Session::row`] 0 then holds the logits
    /// of its last token.
    ///
    /// `turn_start` is the control token that opens a turn: the state before it is worth saving. `started` is told
    /// how much is reused before anything is computed; `progress(done, total)` counts computed tokens.
    ///
    /// # Errors
    /// [`gemma4::Error::Cancelled`] and the model's other failures; what was computed until then stays reusable.
    /// An empty prompt is refused as [`Error::NoMessages`].
    pub fn prefill(
        &mut self,
        prompt: &[u32],
        turn_start: u32,
        cancelled: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(Prefilled, usize),
    ) -> Result<Prefilled, Error> {
        if prompt.is_empty() {
            return Err(Error::NoMessages);
        }
        let reused = self.keep_common(prompt)?;
        let total = prompt.len() - reused;
        progress(Prefilled { reused, computed: 0 }, total);
        if total == 0
            && let Some(row) = self.points.last().and_then(|point| point.row.as_ref())
        {
            self.logits.reset(1, row.len()).copy_from_slice(row);
            return Ok(Prefilled { reused, computed: 0 });
        }
        for end in self.stops(prompt, reused, turn_start) {
            while self.fed.len() < end {
                let from = self.fed.len();
                let part = &prompt[from..from + self.pace.chunk(end - from)];
                let rows = if from + part.len() == prompt.len() { Rows::Last } else { Rows::None };
                let clock = LayerClock::new(cancelled);
                self.sequence.forward(part, rows, &|| clock.cancelled(), &mut self.logits)?;
                self.pace.observe(part.len(), clock.longest());
                self.fed.extend_from_slice(part);
                progress(Prefilled { reused, computed: self.fed.len() - reused }, total);
            }
            self.save(self.logits.last().map(<[f32]>::to_vec))?;
        }
        if self.logits.n_rows() != 1 {
            return Err(Error::Logits { what: "the model returned no row".into() });
        }
        Ok(Prefilled { reused, computed: total })
    }

    /// Feeds one generated token and returns the logits after it.
    ///
    /// # Errors
    /// Those of [`Session::feed`].
    pub fn decode(&mut self, token: u32, cancelled: &dyn Fn() -> bool) -> Result<&[f32], Error> {
        self.feed(&[token], cancelled)?;
        Ok(self.row(0))
    }

    /// Feeds tokens that are certain to stand there, as a prompt is fed: in chunks, with the logits of the last one alone,
    /// which [`Session::row`] 0 then holds. They cannot be taken back.
    ///
    /// # Errors
    /// [`gemma4::Error::Cancelled`] and the model's other failures; the chunks fed until then stay in the cache.
    pub fn append(&mut self, tokens: &[u32], cancelled: &dyn Fn() -> bool) -> Result<(), Error> {
        let mut rest = tokens;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(self.pace.chunk(rest.len()));
            let rows = if after.is_empty() { Rows::Last } else { Rows::None };
            self.sequence.forward(part, rows, cancelled, &mut self.logits)?;
            self.fed.extend_from_slice(part);
            rest = after;
        }
        if self.logits.n_rows() != 1 {
            return Err(Error::Logits { what: "the model returned no row".into() });
        }
        Ok(())
    }

    /// Feeds generated tokens; [`Session::row`] `i` then holds the logits after `tokens[i]`. Guesses among them are taken
    /// back with [`Session::take_back`].
    ///
    /// # Errors
    /// [`gemma4::Error::Cancelled`] and the model's other failures; the cache is then as before.
    pub fn feed(&mut self, tokens: &[u32], cancelled: &dyn Fn() -> bool) -> Result<(), Error> {
        self.sequence.forward(tokens, Rows::All, cancelled, &mut self.logits)?;
        self.fed.extend_from_slice(tokens);
        if self.logits.n_rows() != tokens.len() {
            let what = format!("the model returned {} rows for {} tokens", self.logits.n_rows(), tokens.len());
            return Err(Error::Logits { what });
        }
        Ok(())
    }

    /// Takes back the last `count` tokens of what [`Session::feed`] fed last, at most [`gemma4::MAX_DRAFT`].
    ///
    /// # Errors
    /// If they are more than that.
    pub fn take_back(&mut self, count: usize) -> Result<(), Error> {
        let len = self.fed.len().saturating_sub(count);
        self.sequence.truncate(len)?;
        self.fed.truncate(len);
        Ok(())
    }

    /// Row `index` of the logits computed last.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn row(&self, index: usize) -> &[f32] {
        self.logits.row(index)
    }

    /// The same, to be edited before a token is drawn.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn row_mut(&mut self, index: usize) -> &mut [f32] {
        self.logits.row_mut(index)
    }

    /// Saves the present state, so that a later prompt that shares everything until here can return.
    ///
    /// # Errors
    /// If memory is short.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        self.save(None)
    }

    fn save(&mut self, row: Option<Vec<f32>>) -> Result<(), Error> {
        let len = self.fed.len();
        if len == 0 || self.points.last().is_some_and(|last| last.len() == len) {
            return Ok(());
        }
        self.points.push(Point { checkpoint: self.sequence.checkpoint()?, row });
        while self.points.len() > MAX_CHECKPOINTS
            || (self.points.len() > 1
                && self.points.iter().map(Point::size_bytes).sum::<usize>() > MAX_CHECKPOINT_BYTES)
        {
            self.points.remove(self.least_useful());
        }
        Ok(())
    }

    /// Which checkpoint to give up: the one whose loss makes a return the least longer, because its neighbours are
    /// nearest. The first (the instructions, which all conversations share) and the last two (before and after the
    /// present answer) stay while there are others.
    fn least_useful(&self) -> usize {
        let lens: Vec<usize> = self.checkpoints().collect();
        (1..lens.len().saturating_sub(2)).min_by_key(|&index| lens[index + 1] - lens[index - 1]).unwrap_or(0)
    }

    /// Cuts the cache back to a part of it that `prompt` begins with, and returns that part's length. It is the whole
    /// prompt only where the logits of its last token were kept.
    fn keep_common(&mut self, prompt: &[u32]) -> Result<usize, Error> {
        let (common, kept) = self.common(prompt);
        if common == self.fed.len() && common < prompt.len() {
            return Ok(common);
        }
        self.points.truncate(kept);
        match self.points.last() {
            Some(point) => {
                let len = point.len();
                if let Err(error) = self.sequence.rewind(&point.checkpoint) {
                    self.clear();
                    return Err(error.into());
                }
                self.fed.truncate(len);
            }
            None => self.clear(),
        }
        Ok(self.fed.len())
    }

    /// How many tokens `prompt` shares with the cache, and to how many points the sequence may return for it.
    fn common(&self, prompt: &[u32]) -> (usize, usize) {
        let common = self.fed.iter().zip(prompt).take_while(|(fed, wanted)| fed == wanted).count();
        let usable = |point: &Point| point.len() < prompt.len() || point.row.is_some();
        (common, self.points.partition_point(|point| point.len() <= common && usable(point)))
    }

    /// How many tokens of `prompt` need not be computed.
    pub(crate) fn reusable(&self, prompt: &[u32]) -> usize {
        let (common, kept) = self.common(prompt);
        if common == self.fed.len() && common < prompt.len() {
            return common;
        }
        kept.checked_sub(1).map_or(0, |last| self.points[last].len())
    }

    /// Takes over a state that was saved when the cache held `tokens`.
    ///
    /// # Errors
    /// If it is of no use; the session is then empty.
    pub(crate) fn adopt(&mut self, tokens: Vec<u32>, state: &mut dyn io::Read) -> Result<(), Error> {
        self.clear();
        self.sequence.restore(state)?;
        if self.sequence.len() != tokens.len() {
            self.clear();
            return Err(Error::Model(gemma4::Error::KvState { reason: gemma4::error::KvStateReason::Damaged }));
        }
        self.fed.extend_from_slice(&tokens);
        self.save(None)
    }

    /// Where to pause a prefill that begins at `from`: turn boundaries far enough apart, and the end.
    fn stops(&self, prompt: &[u32], from: usize, turn_start: u32) -> Vec<usize> {
        let mut stops = Vec::new();
        let mut last = self.points.last().map_or(0, Point::len);
        for (index, token) in prompt.iter().enumerate().skip(from + 1) {
            if *token == turn_start && index - last >= MIN_GAP {
                stops.push(index);
                last = index;
            }
        }
        stops.push(prompt.len());
        stops
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.sequence.clear();
        self.fed.clear();
        self.points.clear();
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("fed", &self.fed.len()).field("points", &self.points.len()).finish()
    }
}
