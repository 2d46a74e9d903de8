//! Logits processors edit a row of logits before a token is drawn. What an answer with a form allows is applied after
//! them; see [`crate::guided`].

/// Edits one row of logits.
pub trait LogitsProcessor: Send {
    /// `tokens` are the ids generated so far in this answer (the prompt is not among them); `logits` has one value
    /// for each token of the vocabulary. A token is forbidden by setting its value to negative infinity.
    fn process(&mut self, tokens: &[u32], logits: &mut [f32]);
}

/// Processors applied one after another, in the order in which they were added.
#[derive(Default)]
pub struct Chain {
    processors: Vec<Box<dyn LogitsProcessor>>,
}

impl Chain {
    /// Adds `processor` at the end.
    pub fn push(&mut self, processor: Box<dyn LogitsProcessor>) {
        self.processors.push(processor);
    }

    /// Whether there is nothing to apply, so that the row need not be copied.
    pub fn is_empty(&self) -> bool {
        self.processors.is_empty()
    }
}

impl LogitsProcessor for Chain {
    fn process(&mut self, tokens: &[u32], logits: &mut [f32]) {
        for processor in &mut self.processors {
            processor.process(tokens, logits);
        }
    }
}

/// Allows only some tokens.
#[derive(Debug, Clone)]
pub struct AllowOnly {
    allowed: Vec<bool>,
}

impl AllowOnly {
    /// Allows `tokens` of a vocabulary of `vocab`; ids beyond it are ignored.
    pub fn new(tokens: &[u32], vocab: usize) -> Self {
        let mut allowed = vec![false; vocab];
        for &token in tokens {
            if let Some(slot) = allowed.get_mut(token as usize) {
                *slot = true;
            }
        }
        Self { allowed }
    }
}

impl LogitsProcessor for AllowOnly {
    fn process(&mut self, _tokens: &[u32], logits: &mut [f32]) {
        for (index, logit) in logits.iter_mut().enumerate() {
            if !self.allowed.get(index).copied().unwrap_or(false) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Add(f32);
    impl LogitsProcessor for Add {
        fn process(&mut self, tokens: &[u32], logits: &mut [f32]) {
            for logit in logits {
                *logit = *logit * 10.0 + self.0 + tokens.len() as f32;
            }
        }
    }

    #[test]
    fn a_chain_applies_in_order() {
        let mut chain = Chain::default();
        assert!(chain.is_empty());
        chain.push(Box::new(Add(1.0)));
        chain.push(Box::new(Add(2.0)));
        let mut logits = [1.0, 2.0];
        chain.process(&[7], &mut logits);
        // (1 · 10 + 1 + 1) · 10 + 2 + 1 = 123
        assert_eq!(logits, [123.0, 223.0]);
    }

    #[test]
    fn allow_only_forbids_the_rest() {
        let mut logits = [1.0, 2.0, 3.0];
        AllowOnly::new(&[1, 9], 3).process(&[], &mut logits);
        assert_eq!(logits, [f32::NEG_INFINITY, 2.0, f32::NEG_INFINITY]);
    }
}
