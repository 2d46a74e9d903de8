//! One conversation.

use std::{io, sync::Arc};

use super::{
    CHUNK_LIMIT, Shared,
    cache::{Cache, Snapshot},
    pass::{Pass, Probe},
    scratch::Scratch,
    state,
};
use crate::{
    error::{CheckpointReason, Error},
    model::{Checkpoint, Logits, Rows, Sequence},
};

/// One conversation on a [`super::FastModel`].
pub struct FastSequence {
    model: Arc<Shared>,
    cache: Cache,
    scratch: Scratch,
}

impl FastSequence {
    pub(super) fn new(model: Arc<Shared>, context_len: usize) -> Self {
        let (cache, scratch) = (Cache::new(&model.config, context_len), Scratch::new(&model.needs));
        Self { model, cache, scratch }
    }

    /// [`Sequence::forward`], showing `probe` what is computed on the way. Chunks of more than 512 tokens are shown pass
    /// by pass.
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
        let (start, context_len) = (self.cache.len(), self.cache.context_len());
        let asked = start + tokens.len();
        if asked > context_len {
            return Err(Error::ContextFull { asked, context_len });
        }
        let n_rows = match rows {
            Rows::All => tokens.len(),
            Rows::Last => tokens.len().min(1),
            Rows::None => 0,
        };
        let mut logits = logits.reset(n_rows, vocab);
        // The rings forgive one pass that fails, not several.
        let before = (tokens.len() > CHUNK_LIMIT).then(|| self.cache.snapshot()).transpose()?;
        let mut rest = tokens;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.len().min(CHUNK_LIMIT));
            rest = behind;
            let wanted = if rows == Rows::Last && !rest.is_empty() { Rows::None } else { rows };
            let n_rows = match wanted {
                Rows::All => part.len(),
                Rows::Last => 1,
                Rows::None => 0,
            };
            let (these, others) = logits.split_at_mut(n_rows * vocab);
            logits = others;
            let mut pass = Pass { model: &self.model, cache: &mut self.cache, scratch: &mut self.scratch };
            if let Err(error) = pass.run(part, wanted, cancelled, probe, these) {
                if let Some(before) = &before {
                    self.cache.undo(before)?;
                }
                return Err(error);
            }
            self.cache.advance(part.len());
        }
        self.cache.commit(start);
        Ok(())
    }

    /// Bytes that the KV cache takes now.
    pub fn cache_bytes(&self) -> usize {
        self.cache.size_bytes()
    }
}

impl Sequence for FastSequence {
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

    fn save(&self, out: &mut dyn io::Write) -> Result<(), Error> {
        state::save(&self.cache, self.model.fingerprint, out)
    }

    fn restore(&mut self, input: &mut dyn io::Read) -> Result<(), Error> {
        state::restore(&mut self.cache, self.model.fingerprint, input)
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let snapshot = self.cache.snapshot()?;
        Ok(Checkpoint { len: snapshot.len(), size_bytes: snapshot.size_bytes(), state: Box::new(snapshot) })
    }

    fn rewind(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        match checkpoint.state.downcast_ref::<Snapshot>() {
            Some(snapshot) => self.cache.rewind(snapshot),
            None => Err(Error::Checkpoint { len: checkpoint.len, reason: CheckpointReason::OtherSequence }),
        }
    }

    fn clear(&mut self) {
        self.cache.clear();
    }
}
