//! Remembers which tokens an answer was generated as.

use std::collections::VecDeque;

/// A small memory from an answer's visible text to its tokens; the least recently used is forgotten first.
#[derive(Debug)]
pub struct AnswerMemory {
    max_answers: usize,
    max_tokens: usize,
    /// Oldest use first.
    answers: VecDeque<(String, Vec<u32>)>,
}

impl Default for AnswerMemory {
    /// Room for the answers of a long conversation: at most about 1 MB.
    fn default() -> Self {
        Self::new(256, 64 * 1024)
    }
}

impl AnswerMemory {
    /// Remembers at most `max_answers` answers with at most `max_tokens` tokens in all.
    pub fn new(max_answers: usize, max_tokens: usize) -> Self {
        Self { max_answers, max_tokens, answers: VecDeque::new() }
    }

    /// Remembers that `text` was generated as `tokens`, without the stop token. Blank text is not worth it.
    pub fn remember(&mut self, text: &str, tokens: Vec<u32>) {
        let text = key(text);
        if text.is_empty() {
            return;
        }
        self.answers.retain(|(known, _)| known != text);
        self.answers.push_back((text.to_owned(), tokens));
        while self.answers.len() > self.max_answers || self.n_tokens() > self.max_tokens {
            self.answers.pop_front();
        }
    }

    /// The tokens of `text`, which counts as a use.
    pub fn recall(&mut self, text: &str) -> Option<Vec<u32>> {
        let text = key(text);
        let index = self.answers.iter().position(|(known, _)| known == text)?;
        let answer = self.answers.remove(index)?;
        let tokens = answer.1.clone();
        self.answers.push_back(answer);
        Some(tokens)
    }

    fn n_tokens(&self) -> usize {
        self.answers.iter().map(|(_, tokens)| tokens.len()).sum()
    }
}

/// The chat template trims what is said, so white space around it does not count.
fn key(text: &str) -> &str {
    text.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_does_not_count() {
        let mut memory = AnswerMemory::default();
        memory.remember(" four.\n", vec![1, 2]);
        assert_eq!(memory.recall("four."), Some(vec![1, 2]));
        assert_eq!(memory.recall("five."), None);
        memory.remember("\n", vec![3]);
        assert_eq!(memory.recall(""), None, "a blank answer is not remembered");
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut memory = AnswerMemory::new(2, 100);
        memory.remember("a", vec![1]);
        memory.remember("b", vec![2]);
        assert_eq!(memory.recall("a"), Some(vec![1]));
        memory.remember("c", vec![3]);
        assert_eq!(memory.recall("b"), None);
        assert_eq!(memory.recall("a"), Some(vec![1]));
    }

    #[test]
    fn tokens_are_bounded_too_and_the_newest_reading_wins() {
        let mut memory = AnswerMemory::new(10, 4);
        memory.remember("a", vec![1, 1]);
        memory.remember("a", vec![2, 2]);
        memory.remember("b", vec![3, 3]);
        assert_eq!(memory.recall("a"), Some(vec![2, 2]));
        memory.remember("c", vec![4]);
        assert_eq!(memory.recall("b"), None, "five tokens do not fit");
        assert_eq!(memory.recall("a"), Some(vec![2, 2]));
    }
}
