//! A sequence's keys and values as bytes.
//!
//! Numbers are little-endian. A header: the magic, then as u64 the version, the model's fingerprint and the length.
//! Then for each layer with keys and values of its own the positions that can still be seen: for each position and head
//! the key and the value, in f16. Then a checksum (u64) of everything before it.

use std::{io, ops::Range, sync::Arc};

use half::f16;

use super::cache::Cache;
use crate::{
    checksum::mix,
    config::Config,
    error::{Error, KvStateReason},
    gguf::{GgufFile, dtype_id},
};

const MAGIC: [u8; 8] = *b"AULA-KV\n";
const VERSION: u64 = 1;
/// Positions that are read or written at a time.
const PIECE: usize = 64;

/// What keys and values belong to: the configuration, and the tensors by name, type, shape and place. Another
/// quantization of a model has another one; another model of the same shapes differs in its norms.
pub(super) fn fingerprint(file: &Arc<GgufFile>, config: &Config) -> u64 {
    file.tensors().iter().fold(mix(VERSION, format!("{config:?}").as_bytes()), |sum, tensor| {
        let what = format!("{} {} {:?} {}", tensor.name, dtype_id(tensor.dtype), tensor.shape, tensor.offset);
        let sum = mix(sum, what.as_bytes());
        if tensor.shape.len() == 1 { mix(sum, file.tensor_bytes(tensor)) } else { sum }
    })
}

/// Writes the state of `cache`.
///
/// # Errors
/// [`Error::KvStateIo`].
pub(super) fn save(cache: &Cache, fingerprint: u64, out: &mut dyn io::Write) -> Result<(), Error> {
    let mut sum = 0;
    let mut put = |bytes: &[u8]| {
        sum = mix(sum, bytes);
        out.write_all(bytes).map_err(Error::KvStateIo)
    };
    let numbers = [VERSION, fingerprint, cache.len() as u64].map(u64::to_le_bytes);
    put(&[&MAGIC, numbers.as_flattened()].concat())?;
    let (mut values, mut bytes) = (Vec::new(), Vec::new());
    for (l, positions) in pieces(cache, cache.len()) {
        values.resize(cache.values_of(l, positions.len()), f16::ZERO);
        cache.read(l, positions, &mut values);
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        put(&bytes)?;
    }
    out.write_all(&sum.to_le_bytes()).map_err(Error::KvStateIo)
}

/// Replaces the state of `cache` by what `input` holds. After an error the cache is empty.
///
/// # Errors
/// [`Error::KvState`], [`Error::KvStateIo`].
pub(super) fn restore(cache: &mut Cache, fingerprint: u64, input: &mut dyn io::Read) -> Result<(), Error> {
    cache.clear();
    let mut sum = 0;
    let mut get = |bytes: &mut [u8]| {
        read_exact(input, bytes)?;
        sum = mix(sum, bytes);
        Ok::<_, Error>(())
    };
    let mut header = [0; 32];
    get(&mut header)?;
    let number = |at: usize| header[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    if header[..8] != MAGIC || number(8) != VERSION {
        return Err(refused(KvStateReason::Format));
    }
    if number(16) != fingerprint {
        return Err(refused(KvStateReason::OtherModel));
    }
    let len = usize::try_from(number(24)).ok().filter(|len| *len <= cache.context_len());
    let Some(len) = len else { return Err(refused(KvStateReason::TooLong)) };
    let (mut values, mut bytes) = (Vec::new(), Vec::new());
    // Memory is taken as data arrives: the length alone is no reason.
    for (l, positions) in pieces(cache, len) {
        bytes.resize(2 * cache.values_of(l, positions.len()), 0);
        get(&mut bytes)?;
        values.clear();
        values.extend(bytes.as_chunks().0.iter().map(|value| f16::from_le_bytes(*value)));
        // An infinite value that nobody sees would still spoil a sum: it is multiplied by zero.
        if !values.iter().all(|value| value.is_finite()) {
            return Err(refused(KvStateReason::Damaged));
        }
        cache.make_room(positions.end);
        cache.write(l, positions, &values);
    }
    let expected = sum;
    let mut found = [0; 8];
    read_exact(input, &mut found)?;
    if u64::from_le_bytes(found) != expected || read_some(input)? {
        return Err(refused(KvStateReason::Damaged));
    }
    cache.restored(len);
    Ok(())
}

/// Layers and positions of a state of length `len`, in the order in which they stand there.
fn pieces(cache: &Cache, len: usize) -> Vec<(usize, Range<usize>)> {
    let mut pieces = Vec::new();
    for l in 0..cache.n_owners() {
        let visible = cache.visible(l, len);
        let ends = |first: usize| visible.end.min(first + PIECE);
        pieces.extend(visible.clone().step_by(PIECE).map(|first| (l, first..ends(first))));
    }
    pieces
}

fn read_exact(input: &mut dyn io::Read, bytes: &mut [u8]) -> Result<(), Error> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => refused(KvStateReason::Damaged),
        _ => Error::KvStateIo(error),
    })
}

/// Whether something is left to be read.
fn read_some(input: &mut dyn io::Read) -> Result<bool, Error> {
    let mut byte = [0; 1];
    loop {
        match input.read(&mut byte) {
            Ok(n) => return Ok(n > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::KvStateIo(error)),
        }
    }
}

fn refused(reason: KvStateReason) -> Error {
    Error::KvState { reason }
}
