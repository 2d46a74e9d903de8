//! Guesses by prompt lookup: what followed the same few tokens when they stood in the conversation before.
//!
//! It needs no second model, and is right where answers quote: the question's own words, the lines of a list, a
//! calculation repeated with other numbers.

use super::drafter::{CONFIDENCES, Confidence, DraftContext, Drafter};

/// Fewest tokens that must agree.
const SHORTEST: usize = 2;
/// Most tokens compared. Longer agreement does not tell more.
const LONGEST: usize = SHORTEST + CONFIDENCES - 1;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct PromptLookup;

impl Drafter for PromptLookup {
    /// The confidence is the number of tokens that agreed, beyond the fewest.
    fn draft(&mut self, context: &DraftContext<'_>, max: usize, out: &mut Vec<u32>) -> Confidence {
        let Some((next, agreed)) = find(context.tokens) else { return 0 };
        let end = context.tokens.len().min(next + max);
        out.extend_from_slice(&context.tokens[next..end]);
        agreed - SHORTEST
    }

    fn observe(&mut self, _tried: &[u32], _right: usize) {}
}

/// Where the longest end of `tokens` stood before: the position behind it, and its length. Of equally long ones the most
/// recent counts.
fn find(tokens: &[u32]) -> Option<(usize, usize)> {
    let (&last, before) = tokens.split_last()?;
    let mut best = None;
    let mut longest = SHORTEST - 1;
    for (at, _) in before.iter().enumerate().rev().filter(|&(_, &token)| token == last) {
        // One is `last` itself.
        let agreed = 1 + before[..at]
            .iter()
            .rev()
            .zip(before.iter().rev())
            .take(LONGEST - 1)
            .take_while(|(a, b)| a == b)
            .count();
        if agreed > longest {
            (best, longest) = (Some((at + 1, agreed)), agreed);
            if agreed == LONGEST {
                break;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(tokens: &[u32], max: usize) -> (Vec<u32>, Confidence) {
        let mut out = Vec::new();
        let confidence = PromptLookup.draft(&DraftContext { tokens, hidden: None }, max, &mut out);
        (out, confidence)
    }

    #[test]
    fn the_longest_agreement_wins_then_the_most_recent() {
        // 1 2 is followed by 7, and more recently by 8; 5 1 2 only by 9.
        assert_eq!(draft(&[5, 1, 2, 9, 4, 1, 2, 7, 3, 1, 2, 8, 6, 1, 2], 1), (vec![8], 0));
        assert_eq!(draft(&[5, 1, 2, 9, 4, 1, 2, 7, 3, 1, 2, 8, 5, 1, 2], 1), (vec![9], 1));
    }

    #[test]
    fn a_draft_ends_with_the_text_or_at_the_most_that_is_wanted() {
        assert_eq!(draft(&[1, 2, 3, 4, 1, 2], 8).0, [3, 4, 1, 2]);
        assert_eq!(draft(&[1, 2, 3, 4, 1, 2], 2).0, [3, 4]);
        // Repetition overlaps with itself.
        assert_eq!(draft(&[7, 7, 7], 8), (vec![7], 0));
    }

    #[test]
    fn one_token_alone_is_no_agreement() {
        for tokens in [&[][..], &[1], &[1, 2], &[1, 2, 3, 2], &[2, 1, 1]] {
            assert_eq!(draft(tokens, 8), (vec![], 0), "{tokens:?}");
        }
    }

    #[test]
    fn long_agreement_is_the_highest_confidence() {
        let text: Vec<u32> = (0..30).chain(0..20).collect();
        let (out, confidence) = draft(&text, 3);
        assert_eq!((out, confidence), (vec![20, 21, 22], CONFIDENCES - 1));
    }

    /// The definition, as plainly as it can be put.
    fn by_definition(tokens: &[u32]) -> Option<(usize, usize)> {
        (SHORTEST..=LONGEST).rev().find_map(|length| {
            let start = tokens.len().checked_sub(length)?;
            (0..start).rev().find(|&at| tokens[at..at + length] == tokens[start..]).map(|at| (at + length, length))
        })
    }

    #[test]
    fn the_search_follows_its_definition() {
        use rand::{Rng, SeedableRng, rngs::StdRng};
        let mut rng = StdRng::seed_from_u64(4);
        for _ in 0..2000 {
            let len = rng.random_range(0..40);
            let tokens: Vec<u32> = (0..len).map(|_| rng.random_range(0..3)).collect();
            assert_eq!(find(&tokens), by_definition(&tokens), "{tokens:?}");
        }
    }
}
