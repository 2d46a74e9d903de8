//! A model's vocabulary in the shape that the grammar engine wants: a trie of the tokens' bytes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::codec::Vocabulary;

/// Longest token that takes part, in bytes: the trie is made for at most twice that. Longer ones are never drawn.
const LONGEST: usize = 512;

/// The trie, and the tokenizer it belongs to.
struct Tokens {
    trie: TokTrie,
    vocabulary: Arc<dyn Vocabulary>,
}

/// Makes the trie of `vocabulary`. With 262 144 tokens it takes a quarter of a second.
pub(crate) fn environment(vocabulary: Arc<dyn Vocabulary>) -> TokEnv {
    let size = u32::try_from(vocabulary.size()).unwrap_or(u32::MAX);
    let texts: Vec<Option<Vec<u8>>> = (0..size).map(|id| vocabulary.bytes(id)).collect();
    let trie =
        TokTrie::from(&info(size, &*vocabulary), &words(texts, &*vocabulary)).with_eos_tokens(&vocabulary.ends());
    Arc::new(Tokens { trie, vocabulary })
}

fn info(size: u32, vocabulary: &dyn Vocabulary) -> TokRxInfo {
    TokRxInfo::new(size, vocabulary.ends().first().copied().unwrap_or_default())
}

/// What each token stands for in the trie. Control tokens begin with the byte 0xFF, which no text contains, so that no
/// grammar of text ever allows one. Of several tokens with the same bytes (`A` and the byte token of its code, U+2581 and
/// a space) only the one that the tokenizer uses takes part: a model was never shown the others.
fn words(texts: Vec<Option<Vec<u8>>>, vocabulary: &dyn Vocabulary) -> Vec<Vec<u8>> {
    let mut owners: HashMap<&[u8], usize> = HashMap::with_capacity(texts.len());
    let mut left_out = Vec::new();
    for (id, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        match owners.entry(text) {
            _ if text.len() > LONGEST => left_out.push(id),
            Entry::Vacant(free) => _ = free.insert(id),
            Entry::Occupied(mut taken) => {
                let used = std::str::from_utf8(text).ok().and_then(|text| vocabulary.encode(text).ok());
                if used.is_some_and(|used| used == [id as u32]) {
                    left_out.push(taken.insert(id));
                } else {
                    left_out.push(id);
                }
            }
        }
    }
    let control = |id: usize| [&[TokTrie::SPECIAL_TOKEN_MARKER][..], format!("[{id}]").as_bytes()].concat();
    let mut words: Vec<Vec<u8>> =
        texts.into_iter().enumerate().map(|(id, text)| text.unwrap_or_else(|| control(id))).collect();
    for id in left_out {
        words[id].clear();
    }
    words
}

impl TokenizerEnv for Tokens {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    /// The model's own tokenization, so that forced text is fed as the model would have written it. What its tokenizer
    /// cannot spell is cut greedily.
    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            let tokens = self.vocabulary.encode(text).unwrap_or_default();
            if self.trie.decode_raw(&tokens) == text.as_bytes() {
                tokens
            } else {
                self.trie.greedy_tokenize(text.as_bytes())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Says `a` with token 3 and a line break with token 1.
    struct Given(Vec<Option<Vec<u8>>>);

    impl Vocabulary for Given {
        fn size(&self) -> usize {
            self.0.len()
        }

        fn bytes(&self, token: u32) -> Option<Vec<u8>> {
            self.0[token as usize].clone()
        }

        fn ends(&self) -> Vec<u32> {
            vec![0]
        }

        fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
            Ok(text.chars().map(|c| if c == 'a' { 3 } else { 1 }).collect())
        }
    }

    #[test]
    fn control_tokens_are_no_text_and_doubles_count_once() {
        let bytes = |text: &str| Some(text.as_bytes().to_vec());
        let texts = vec![
            None,
            bytes("\n"),
            bytes("a"),
            bytes("a"),
            bytes("\n"),
            Some(vec![0xC3]),
            Some(vec![b'x'; LONGEST + 1]),
        ];
        let expected: [&[u8]; 7] = [b"\xFF[0]", b"\n", b"", b"a", b"", b"\xC3", b""];
        assert_eq!(words(texts.clone(), &Given(texts.clone())), expected);
        let environment = environment(Arc::new(Given(texts)));
        assert_eq!(environment.tok_trie().greedy_tokenize(b"a\na"), [3, 1, 3]);
        assert_eq!(environment.tokenize_bytes(b"a\n"), [3, 1]);
        // The tokenizer says something else for what it does not know: then the trie cuts.
        assert_eq!(environment.tokenize_bytes(b"a\xC3"), [3, 5]);
    }
}
