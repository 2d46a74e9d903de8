//! Makes the tables from the arrays of a GGUF file.

use std::collections::HashMap;

use super::{
    bpe::{NO_TOKEN, RankedBpe},
    error::Error,
    special,
};
use crate::gguf::{Metadata, optional};

/// Token type of the format: stands for a byte.
const BYTE: i32 = 6;
/// Token type of the format: ordinary text.
const NORMAL: i32 = 1;

/// Checks that the file's tokenizer is of Gemma 4's kind. Others have merges and scores too and would give wrong ids.
pub(super) fn check_kind(metadata: &Metadata<'_>) -> Result<(), Error> {
    match metadata.str("tokenizer.ggml.model")? {
        "gemma4" => Ok(()),
        found => Err(Error::Kind { found: found.to_owned() }),
    }
}

/// Makes the tables of the file that `metadata` belongs to.
pub(super) fn from_metadata(metadata: &Metadata<'_>) -> Result<RankedBpe, Error> {
    let tokens = metadata.str_array("tokenizer.ggml.tokens")?;
    let n_tokens = tokens.len();
    let types: Vec<i32> = match optional(metadata.i32_array("tokenizer.ggml.token_type"))? {
        Some(types) => types.collect(),
        None => vec![NORMAL; n_tokens],
    };
    if types.len() != n_tokens {
        return Err(Error::Vocabulary { what: "token types", found: types.len(), expected: n_tokens });
    }

    let mut bpe = RankedBpe {
        texts: String::new(),
        text_starts: Vec::with_capacity(n_tokens + 1),
        control: vec![0; n_tokens.div_ceil(32)],
        chars: Vec::new(),
        bytes: vec![NO_TOKEN; 256],
        unknown: 0,
        merge_starts: Vec::new(),
        merges: Vec::new(),
    };
    // Tokens that merges may use and make: text only, so that no typed text can turn into a control or byte token.
    let mut mergeable: HashMap<&str, u32> = HashMap::with_capacity(n_tokens);
    for (index, (text, kind)) in tokens.zip(&types).enumerate() {
        let too_much = Error::Vocabulary { what: "tokens", found: n_tokens, expected: NO_TOKEN as usize };
        let (Ok(id), Ok(start)) = (u32::try_from(index), u32::try_from(bpe.texts.len())) else {
            return Err(too_much);
        };
        bpe.text_starts.push(start);
        bpe.texts.push_str(text);
        if let Some(byte) = byte_of(text, *kind) {
            bpe.bytes[usize::from(byte)] = id;
        } else if special::is_control(text, *kind) {
            bpe.control[index / 32] |= 1 << (index % 32);
            if text == "<unk>" {
                bpe.unknown = id;
            }
        } else {
            mergeable.insert(text, id);
        }
    }
    bpe.text_starts.push(u32::try_from(bpe.texts.len()).map_err(|_| Error::Vocabulary {
        what: "bytes of text",
        found: bpe.texts.len(),
        expected: NO_TOKEN as usize,
    })?);

    for (text, id) in &mergeable {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            bpe.chars.push([u32::from(c), *id]);
        }
    }
    bpe.chars.sort_unstable();
    put_merges(&mut bpe, metadata, &mergeable)?;
    Ok(bpe)
}

/// The byte that a token of the form `<0x0A>` stands for. Files without types give such tokens the ordinary type.
fn byte_of(text: &str, kind: i32) -> Option<u8> {
    if kind != BYTE && kind != NORMAL {
        return None;
    }
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn put_merges(bpe: &mut RankedBpe, metadata: &Metadata<'_>, ids: &HashMap<&str, u32>) -> Result<(), Error> {
    let lines = metadata.str_array("tokenizer.ggml.merges")?;
    let n_tokens = bpe.text_starts.len() - 1;
    // (left, right, rank, product)
    let mut merges: Vec<(u32, u32, u32, u32)> = Vec::with_capacity(lines.len());
    let mut product = String::new();
    for (rank, line) in (0u32..).zip(lines) {
        // Some files list merges whose product, or a part, is not in the vocabulary: they can never apply.
        let Some((left, right)) = line.split_once(' ') else { continue };
        product.clear();
        product.push_str(left);
        product.push_str(right);
        if let (Some(left), Some(right), Some(product)) = (ids.get(left), ids.get(right), ids.get(product.as_str())) {
            merges.push((*left, *right, rank, *product));
        }
    }
    // Of two merges of the same pair the later one counts, as in the tokenizers crate.
    merges.sort_unstable_by_key(|(left, right, rank, _)| (*left, *right, std::cmp::Reverse(*rank)));
    merges.dedup_by_key(|(left, right, ..)| (*left, *right));
    let mut starts = vec![0u32; n_tokens + 1];
    for (left, ..) in &merges {
        starts[*left as usize + 1] += 1;
    }
    for index in 0..n_tokens {
        starts[index + 1] += starts[index];
    }
    bpe.merge_starts = starts;
    bpe.merges = merges.into_iter().map(|(_, right, rank, product)| [right, rank, product]).collect();
    Ok(())
}
