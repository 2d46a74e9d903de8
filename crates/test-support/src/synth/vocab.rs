//! A vocabulary laid out like Gemma 4's: the same control ids, byte tokens, newline and space runs, then pieces by
//! falling frequency, then single characters, then the image and audio markers; and its ranked merges.
//!
//! The pieces are all substrings of invented words, so that every piece can be reached by merges and nearly every way
//! of cutting a piece in two is a merge, as in a trained vocabulary.

use std::collections::HashMap;

use super::{
    rng::Rng,
    words::{SCRIPTS, STEMS, SUFFIXES, WORDS},
};

const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;
const BYTE: i32 = 6;

/// First newline run; `<eos>` and the other control tokens lie below.
const NEWLINES: usize = 107;
/// Newline runs of 1 to 31.
const N_NEWLINES: usize = 31;
/// First space run, of two spaces.
const SPACES: usize = NEWLINES + N_NEWLINES;
/// Space runs of 2 to 32.
const N_SPACES: usize = 31;
/// `<0x00>`.
const BYTES: usize = 238;
/// First piece.
const PIECES: usize = 500;
/// Longest piece in characters.
const PIECE_CHARS: usize = 12;
/// Where the image and audio markers begin in the full-size vocabulary.
const FULL_CHARS_END: usize = 255_999;
/// First single character of the full-size vocabulary.
const FULL_CHARS: usize = 236_743;
/// Merges of the full-size vocabulary.
const FULL_MERGES: usize = 514_906;

/// Tokens with their types, and merges by rank.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// By id.
    pub tokens: Vec<String>,
    /// By id: minus the id, as converters write for BPE.
    pub scores: Vec<f32>,
    /// By id: the type numbers of the format.
    pub types: Vec<i32>,
    /// `left right`, best first.
    pub merges: Vec<String>,
}

/// The control tokens with their real ids.
fn special(id: usize) -> Option<(&'static str, i32)> {
    Some(match id {
        0 => ("<pad>", CONTROL),
        1 => ("<eos>", CONTROL),
        2 => ("<bos>", CONTROL),
        3 => ("<unk>", UNKNOWN),
        4 => ("<mask>", CONTROL),
        46 => ("<|tool>", CONTROL),
        47 => ("<tool|>", CONTROL),
        48 => ("<|tool_call>", USER_DEFINED),
        49 => ("<tool_call|>", USER_DEFINED),
        50 => ("<|tool_response>", CONTROL),
        51 => ("<tool_response|>", CONTROL),
        52 => ("<|\"|>", USER_DEFINED),
        98 => ("<|think|>", CONTROL),
        100 => ("<|channel>", USER_DEFINED),
        101 => ("<channel|>", USER_DEFINED),
        105 => ("<|turn>", CONTROL),
        106 => ("<turn|>", CONTROL),
        212 => ("</s>", NORMAL),
        255_999 => ("<|image>", CONTROL),
        256_000 => ("<|audio>", CONTROL),
        258_880 => ("<|image|>", CONTROL),
        258_881 => ("<|audio|>", CONTROL),
        258_882 => ("<image|>", CONTROL),
        258_883 => ("<audio|>", CONTROL),
        258_884 => ("<|video|>", CONTROL),
        _ => return None,
    })
}

/// A vocabulary of `size` tokens: 262 144 as in the real files, or a small one of at least 700.
///
/// # Panics
/// If `size` leaves no room for pieces.
pub fn vocabulary(size: usize) -> Vocabulary {
    let full = size > FULL_CHARS_END;
    let chars = single_chars(if full { FULL_CHARS_END - FULL_CHARS } else { 120 });
    let (chars_start, chars_end) = if full { (FULL_CHARS, FULL_CHARS_END) } else { (size - chars.len(), size) };
    assert!(chars_start > PIECES + 50, "a vocabulary of {size} tokens leaves no room for pieces");
    let pieces = pieces(chars_start - PIECES, &chars);

    let mut tokens = Vec::with_capacity(size);
    let mut types = Vec::with_capacity(size);
    for id in 0..size {
        let (token, kind) = match id {
            _ if special(id).is_some() => special(id).map_or_else(Default::default, |(text, kind)| (text.into(), kind)),
            NEWLINES.. if id < SPACES => ("\n".repeat(id - NEWLINES + 1), NORMAL),
            SPACES.. if id < SPACES + N_SPACES => ("\u{2581}".repeat(id - SPACES + 2), NORMAL),
            BYTES.. if id < BYTES + 256 => (format!("<0x{:02X}>", id - BYTES), BYTE),
            PIECES.. if id < chars_start => (pieces[id - PIECES].clone(), NORMAL),
            _ if (chars_start..chars_end).contains(&id) => (chars[id - chars_start].to_string(), NORMAL),
            _ => (format!("<unused{id}>"), UNUSED),
        };
        tokens.push(token);
        types.push(kind);
    }
    let merges = merges(&tokens, &types, if full { FULL_MERGES } else { usize::MAX });
    let scores = (0..size).map(|id| -(id as f32)).collect();
    Vocabulary { tokens, scores, types, merges }
}

/// The first `n` characters by use: U+2581, ASCII, then other scripts.
fn single_chars(n: usize) -> Vec<char> {
    let ascii = "etaoinsrhldcumfpgwybvkxjqz0123456789.,ETAOINSRHLDCUMFPGWYBVKXJQZ-'\"()/:;?!=+*_#<>[]{}@&%$|\\`~^\t";
    let accents = "áéíóúñãõçâêôàü¿¡ÁÉÍÓÚÇ";
    let others = SCRIPTS.iter().flat_map(|(first, last)| (*first..=*last).filter_map(char::from_u32));
    let mut seen = std::collections::HashSet::new();
    let all = std::iter::once('\u{2581}').chain(ascii.chars()).chain(accents.chars()).chain(others);
    all.filter(|c| seen.insert(*c)).take(n).collect()
}

/// `n` different pieces of two characters or more, commonest first; each one's shorter substrings come before it.
fn pieces(n: usize, chars: &[char]) -> Vec<String> {
    let known: std::collections::HashSet<char> = chars.iter().copied().collect();
    let mut rng = Rng::new(4, "vocabulary");
    let stems: Vec<&str> = STEMS.split_whitespace().collect();
    let suffixes: Vec<&str> = SUFFIXES.split_whitespace().collect();
    let mut seen = std::collections::HashSet::new();
    let mut pieces = Vec::with_capacity(n);
    let mut words = WORDS.split_whitespace();
    while pieces.len() < n {
        let mut word = String::from("\u{2581}");
        match words.next() {
            Some(common) => word.push_str(common),
            None => {
                for _ in 0..=rng.below(2) {
                    word.push_str(stems[rng.below(stems.len())]);
                }
                for _ in 0..=rng.below(3) {
                    word.push_str(suffixes[rng.below(suffixes.len())]);
                }
            }
        }
        let word: Vec<char> = word.chars().collect();
        if word.iter().any(|c| !known.contains(c)) {
            continue;
        }
        for len in 2..=word.len().min(PIECE_CHARS) {
            for part in word.windows(len) {
                let part: String = part.iter().collect();
                if pieces.len() < n && seen.insert(part.clone()) {
                    pieces.push(part);
                }
            }
        }
    }
    pieces
}

/// All ways of cutting a token in two tokens, ranked by the token they make; at most `limit`, every token keeping some.
fn merges(tokens: &[String], types: &[i32], limit: usize) -> Vec<String> {
    let known: HashMap<&str, usize> = tokens
        .iter()
        .enumerate()
        .filter(|(id, _)| types[*id] == NORMAL)
        .map(|(id, token)| (token.as_str(), id))
        .collect();
    let cuts: Vec<Vec<usize>> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| {
            // From the right, so that a token that loses some keeps its likelier ones.
            let mut cuts: Vec<usize> = token.char_indices().skip(1).map(|(at, _)| at).collect();
            cuts.reverse();
            cuts.retain(|at| {
                types[id] == NORMAL && known.contains_key(&token[..*at]) && known.contains_key(&token[*at..])
            });
            cuts
        })
        .collect();
    // The deepest cut that everybody may keep, then what is left over by id.
    let count = |depth: usize| cuts.iter().map(|cuts| cuts.len().min(depth)).sum::<usize>();
    let mut depth = 1;
    while depth < 64 && count(depth + 1) <= limit {
        depth += 1;
    }
    let mut spare = limit.saturating_sub(count(depth));
    let mut merges = Vec::new();
    for (token, cuts) in tokens.iter().zip(&cuts) {
        let mut kept = cuts.len().min(depth);
        if spare > 0 && cuts.len() > kept {
            kept += 1;
            spare -= 1;
        }
        merges.extend(cuts[..kept].iter().map(|at| format!("{} {}", &token[..*at], &token[*at..])));
    }
    merges
}
