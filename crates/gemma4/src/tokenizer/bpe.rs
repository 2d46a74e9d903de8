//! Byte-pair encoding by merge rank, on tables that can be stored and read back as they are.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    path::{Path, PathBuf},
};

use tokenizers::{Model, Token, models::bpe::BpeTrainer};

/// A byte token that the vocabulary lacks.
pub(super) const NO_TOKEN: u32 = u32::MAX;

/// A vocabulary and its merges, as flat tables.
///
/// Gives the same ids as [`tokenizers::models::bpe::BPE`] with byte fallback and fused unknowns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedBpe {
    /// All tokens one after the other.
    pub(super) texts: String,
    /// Where each token begins in `texts`; one more than there are tokens.
    pub(super) text_starts: Vec<u32>,
    /// Bit `id`: the token steers the conversation instead of being text.
    pub(super) control: Vec<u32>,
    /// Characters that are tokens, ascending, with their ids.
    pub(super) chars: Vec<[u32; 2]>,
    /// Ids of `<0x00>` to `<0xFF>`.
    pub(super) bytes: Vec<u32>,
    /// Id of `<unk>`.
    pub(super) unknown: u32,
    /// Where the merges of each left token begin in `merges`; one more than there are tokens.
    pub(super) merge_starts: Vec<u32>,
    /// `[right, rank, product]`, ascending by left token, then by right.
    pub(super) merges: Vec<[u32; 3]>,
}

/// A piece of the text while it is being merged.
#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    /// Bytes of the text; 0 once it has been merged into its left neighbour.
    len: u32,
    prev: u32,
    next: u32,
}

/// No neighbour on this side.
const END: u32 = u32::MAX;

impl RankedBpe {
    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.text_starts.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token as it stands in the vocabulary.
    pub fn text(&self, id: u32) -> Option<&str> {
        let index = usize::try_from(id).ok()?;
        let (start, end) = (self.text_starts.get(index)?, self.text_starts.get(index + 1)?);
        self.texts.get(*start as usize..*end as usize)
    }

    /// The id of a token; looks through the whole vocabulary.
    pub fn id(&self, text: &str) -> Option<u32> {
        (0..self.len() as u32).find(|id| self.text(*id) == Some(text))
    }

    /// Whether the token steers the conversation instead of being text.
    pub fn is_control(&self, id: u32) -> bool {
        self.control.get(id as usize / 32).is_some_and(|bits| bits & (1 << (id % 32)) != 0)
    }

    /// The byte that a byte token stands for.
    pub fn byte(&self, id: u32) -> Option<u8> {
        let text = self.text(id)?;
        (text.len() == 6 && text.starts_with("<0x"))
            .then(|| self.bytes.iter().position(|byte_id| *byte_id == id))
            .flatten()
            .and_then(|byte| u8::try_from(byte).ok())
    }

    /// Rank and product of merging `left` with `right`.
    fn merge_of(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let index = left as usize;
        let (start, end) = (self.merge_starts.get(index)?, self.merge_starts.get(index + 1)?);
        let merges = self.merges.get(*start as usize..*end as usize)?;
        let at = merges.binary_search_by_key(&right, |merge| merge[0]).ok()?;
        Some((merges[at][1], merges[at][2]))
    }

    /// One symbol for each character, or for each byte of a character that is no token.
    fn symbols(&self, text: &str) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = Vec::with_capacity(text.len());
        let mut after_unknown = false;
        for c in text.chars() {
            let len = c.len_utf8();
            if let Ok(at) = self.chars.binary_search_by_key(&u32::from(c), |entry| entry[0]) {
                push(&mut symbols, self.chars[at][1], len);
                after_unknown = false;
                continue;
            }
            let mut buffer = [0; 4];
            let ids = c.encode_utf8(&mut buffer).bytes().map(|byte| self.bytes[usize::from(byte)]);
            if ids.clone().all(|id| id != NO_TOKEN) {
                ids.for_each(|id| push(&mut symbols, id, 1));
                after_unknown = false;
            } else if let Some(last) = symbols.last_mut().filter(|_| after_unknown) {
                last.len += len as u32;
            } else {
                push(&mut symbols, self.unknown, len);
                after_unknown = true;
            }
        }
        symbols
    }

    /// Merges neighbours, the best rank first and from the left among equals, until nothing merges any more.
    fn merge(&self, symbols: &mut [Symbol]) {
        let mut queue: BinaryHeap<Reverse<(u32, u32, u32)>> = symbols
            .windows(2)
            .enumerate()
            .filter_map(|(at, pair)| {
                self.merge_of(pair[0].id, pair[1].id).map(|(rank, product)| Reverse((rank, at as u32, product)))
            })
            .collect();
        while let Some(Reverse((_, at, product))) = queue.pop() {
            let left = symbols[at as usize];
            if left.len == 0 || left.next == END {
                continue;
            }
            let right = symbols[left.next as usize];
            // Either side may have been merged since the entry was made.
            if self.merge_of(left.id, right.id).is_none_or(|(_, now)| now != product) {
                continue;
            }
            symbols[left.next as usize].len = 0;
            symbols[at as usize] = Symbol { id: product, len: left.len + right.len, prev: left.prev, next: right.next };
            if right.next != END {
                symbols[right.next as usize].prev = at;
                if let Some((rank, product)) = self.merge_of(product, symbols[right.next as usize].id) {
                    queue.push(Reverse((rank, at, product)));
                }
            }
            if left.prev != END
                && let Some((rank, product)) = self.merge_of(symbols[left.prev as usize].id, product)
            {
                queue.push(Reverse((rank, left.prev, product)));
            }
        }
    }
}

fn push(symbols: &mut Vec<Symbol>, id: u32, len: usize) {
    let at = symbols.len() as u32;
    let prev = match symbols.last_mut() {
        Some(last) => {
            last.next = at;
            at - 1
        }
        None => END,
    };
    symbols.push(Symbol { id, len: len as u32, prev, next: END });
}

impl Model for RankedBpe {
    type Trainer = BpeTrainer;

    fn tokenize(&self, sequence: &str) -> tokenizers::Result<Vec<Token>> {
        if u32::try_from(sequence.len()).is_err() {
            return Err("a text of more than 4 GB".into());
        }
        let mut symbols = self.symbols(sequence);
        self.merge(&mut symbols);
        let mut start = 0;
        let mut tokens = Vec::new();
        for symbol in symbols.iter().filter(|symbol| symbol.len > 0) {
            let end = start + symbol.len as usize;
            tokens.push(Token::new(symbol.id, self.text(symbol.id).unwrap_or_default().to_owned(), (start, end)));
            start = end;
        }
        Ok(tokens)
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.id(token)
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        self.text(id).map(str::to_owned)
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        (0..self.len() as u32).filter_map(|id| Some((self.text(id)?.to_owned(), id))).collect()
    }

    fn get_vocab_size(&self) -> usize {
        self.len()
    }

    fn save(&self, _folder: &Path, _prefix: Option<&str>) -> tokenizers::Result<Vec<PathBuf>> {
        Err("the vocabulary lives in the model file and is not saved elsewhere".into())
    }

    fn get_trainer(&self) -> BpeTrainer {
        BpeTrainer::default()
    }
}
