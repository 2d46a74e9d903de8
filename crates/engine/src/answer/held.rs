//! Answers that are held to a form.

use generation::FinishReason;

use super::{Answer, Writer};
use crate::{error::Error, guided::Guide, logits_processor::LogitsProcessor, sampler::Sampler};

impl Writer<'_> {
    /// Draws tokens that the form allows and takes over those that it forces, until the answer is complete or full.
    ///
    /// Nothing is guessed ahead here: what is certain comes from the form, several tokens at a time.
    pub(super) fn held(
        &mut self,
        guide: &Guide,
        answer: &mut Answer<'_>,
        sampler: &mut Sampler,
    ) -> Result<FinishReason, Error> {
        let cancelled = self.cancelled;
        let Some(mut forced) = guide.start(cancelled)? else { return Ok(FinishReason::Cancelled) };
        // Tokens of the answer that are not in the cache yet.
        let mut unfed = Vec::new();
        loop {
            let taken = &forced.tokens[..forced.tokens.len().min(answer.left())];
            let mut text = String::new();
            for &token in taken {
                text.push_str(&answer.put(token, false));
            }
            answer.draft.forced += taken.len();
            unfed.extend_from_slice(taken);
            self.show(text);
            if forced.complete && taken.len() == forced.tokens.len() {
                self.close(answer);
                return Ok(FinishReason::Stop);
            }
            if let Some(full) = answer.full() {
                return Ok(full);
            }

            match self.session.append(&unfed, cancelled) {
                Ok(()) => unfed.clear(),
                Err(Error::Model(gemma4::Error::Cancelled)) => return Ok(FinishReason::Cancelled),
                Err(error) => return Err(error),
            }
            let Some(mask) = guide.mask(cancelled)? else { return Ok(FinishReason::Cancelled) };
            if cancelled() {
                return Ok(FinishReason::Cancelled);
            }
            let row = self.session.row_mut(0);
            if !self.processors.is_empty() {
                self.processors.process(&answer.draft.tokens, row);
            }
            mask.apply(row);
            let token = sampler.sample(self.session.row(0))?;
            let is_stop = self.codec.is_stop(token);
            let piece = answer.put(token, is_stop);
            self.show(piece);
            if is_stop {
                return Ok(FinishReason::Stop);
            }
            unfed.push(token);
            let Some(next) = guide.take(token, cancelled)? else { return Ok(FinishReason::Cancelled) };
            forced = next;
        }
    }

    /// The end of the turn, which is all that may follow, where there is room for it.
    fn close(&self, answer: &mut Answer<'_>) {
        if answer.left() > 0
            && let Some(&end) = self.codec.vocabulary().ends().first()
        {
            answer.put(end, true);
            answer.draft.forced += 1;
        }
    }
}
