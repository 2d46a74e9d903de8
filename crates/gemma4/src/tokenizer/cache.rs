//! The tables on disk, so that the second start need not build them again.
//!
//! A file is named after a fingerprint of the arrays it was made from, carries a checksum, and is put in place by
//! renaming. Neither guards against malice: the folder belongs to the user. Everything is checked all the same before
//! it is used, and whatever does not fit is built anew.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{bpe::RankedBpe, error::Error};
use crate::{checksum::mix, gguf::Metadata};

/// Changes whenever the tables or their layout do.
const MAGIC: u64 = u64::from_le_bytes(*b"AULATOK1");

/// A fingerprint of the arrays that the tables are made from.
pub(super) fn key(metadata: &Metadata<'_>) -> Result<u64, Error> {
    let mut key = mix(MAGIC, &[]);
    for name in ["tokenizer.ggml.tokens", "tokenizer.ggml.merges"] {
        key = mix(key, metadata.array(name)?.raw());
    }
    // Absent types and an empty array of them give different keys, because lengths are mixed in too.
    if let Ok(types) = metadata.array("tokenizer.ggml.token_type") {
        key = mix(key, types.raw());
    }
    Ok(key)
}

fn path(dir: &Path, key: u64) -> PathBuf {
    dir.join(format!("tokenizer-{key:016x}.bin"))
}

/// The tables under `key`, if they are there and sound.
pub(super) fn read(dir: &Path, key: u64) -> Option<RankedBpe> {
    let bytes = fs::read(path(dir, key)).ok()?;
    let (head, body) = bytes.split_at_checked(24)?;
    let word = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    if word(0)? != MAGIC || word(8)? != key || word(16)? != mix(key, body) {
        return None;
    }
    let mut rest = body;
    let bpe = RankedBpe {
        texts: String::from_utf8(section(&mut rest)?.to_vec()).ok()?,
        text_starts: numbers(&mut rest)?,
        control: numbers(&mut rest)?,
        chars: numbers(&mut rest)?.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect(),
        bytes: numbers(&mut rest)?,
        unknown: *numbers(&mut rest)?.first()?,
        merge_starts: numbers(&mut rest)?,
        merges: numbers(&mut rest)?.chunks_exact(3).map(|merge| [merge[0], merge[1], merge[2]]).collect(),
    };
    is_sound(&bpe).then_some(bpe)
}

/// Whether every index of the tables points inside them.
fn is_sound(bpe: &RankedBpe) -> bool {
    let n_tokens = bpe.len();
    let ascends = |starts: &[u32], end: usize| {
        starts.len() == n_tokens + 1
            && starts.windows(2).all(|pair| pair[0] <= pair[1])
            && starts.last().is_some_and(|last| *last as usize == end)
    };
    n_tokens > 0
        && bpe.bytes.len() == 256
        && bpe.control.len() == n_tokens.div_ceil(32)
        && ascends(&bpe.text_starts, bpe.texts.len())
        && bpe.text_starts.iter().all(|start| bpe.texts.is_char_boundary(*start as usize))
        && ascends(&bpe.merge_starts, bpe.merges.len())
        && bpe.merges.iter().all(|merge| (merge[2] as usize) < n_tokens)
}

/// Puts the tables under `key`; if that fails, the next start builds them again.
pub(super) fn write(dir: &Path, key: u64, bpe: &RankedBpe) {
    let mut body = Vec::new();
    put(&mut body, bpe.texts.as_bytes());
    for numbers in [&bpe.text_starts[..], &bpe.control, bpe.chars.as_flattened(), &bpe.bytes, &[bpe.unknown]] {
        put_numbers(&mut body, numbers);
    }
    put_numbers(&mut body, &bpe.merge_starts);
    put_numbers(&mut body, bpe.merges.as_flattened());
    let head = [MAGIC, key, mix(key, &body)].map(u64::to_le_bytes).concat();

    let place = path(dir, key);
    // Two may write at once: each writes its own file and the last to rename wins, with the same content.
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let temporary = place.with_extension(format!("{}-{write}.tmp", std::process::id()));
    let written = fs::create_dir_all(dir).and_then(|()| {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&head)?;
        file.write_all(&body)?;
        file.sync_all()?;
        fs::rename(&temporary, &place)
    });
    if let Err(error) = written {
        tracing::debug!(path = %place.display(), %error, "the tokenizer cache was not written");
        // Nothing more can be done about a half-written file than to try to remove it.
        let _ = fs::remove_file(&temporary);
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_numbers(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend_from_slice(&(numbers.len() as u64 * 4).to_le_bytes());
    out.reserve(numbers.len() * 4);
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn section<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk::<8>()?;
    let (bytes, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    *rest = after;
    Some(bytes)
}

fn numbers(rest: &mut &[u8]) -> Option<Vec<u32>> {
    let bytes = section(rest)?;
    Some(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
}
