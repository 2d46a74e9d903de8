//! A sequence's keys and values as bytes.
//!
//! Numbers are little-endian. A header: the magic, then as u64 the version, the model's fingerprint and the length.
//! Then for each layer with keys and values of its own the positions that can still be seen, as
//! [`kernels::KvLayer::write_range`] writes them. Then a checksum (u64) of everything before it.

use std::{io, sync::Arc};

use super::cache::Cache;
use crate::{
    checksum::mix,
    config::Config,
    error::{Error, KvStateReason},
    gguf::{GgufFile, dtype_id},
};

const MAGIC: [u8; 8] = *b"AULA-KV\n";
const VERSION: u64 = 1;
/// Bytes that enter the checksum together.
const SUMMED: usize = 4096;

/// What keys and values belong to: the configuration, and the tensors by name, type, shape and place. Another
/// quantization of a model has another one; another model of the same shapes differs in its norms.
pub(super) fn fingerprint(file: &Arc<GgufFile>, config: &Config) -> u64 {
    let sum = file.tensors().iter().fold(mix(VERSION, format!("{config:?}").as_bytes()), |sum, tensor| {
        let what = format!("{} {} {:?} {}", tensor.name, dtype_id(tensor.dtype), tensor.shape, tensor.offset);
        let sum = mix(sum, what.as_bytes());
        if tensor.shape.len() == 1 { mix(sum, file.tensor_bytes(tensor)) } else { sum }
    });
    // The system maps many pages around each that was read here, and nobody reads them again.
    file.give_back_pages();
    sum
}

/// Writes the state of `cache`.
///
/// # Errors
/// [`Error::KvStateIo`].
pub(super) fn save(cache: &Cache, fingerprint: u64, out: &mut dyn io::Write) -> Result<(), Error> {
    let mut out = Summed::new(out);
    let mut write = || {
        let numbers = [VERSION, fingerprint, cache.len() as u64].map(u64::to_le_bytes);
        io::Write::write_all(&mut out, &[&MAGIC, numbers.as_flattened()].concat())?;
        cache.write_all(&mut out)?;
        let sum = out.sum();
        out.inner.write_all(&sum.to_le_bytes())
    };
    write().map_err(Error::KvStateIo)
}

/// Replaces the state of `cache` by what `input` holds. After an error the cache is empty.
///
/// # Errors
/// [`Error::KvState`], [`Error::KvStateIo`].
pub(super) fn restore(cache: &mut Cache, fingerprint: u64, input: &mut dyn io::Read) -> Result<(), Error> {
    cache.clear();
    let mut input = Summed::new(input);
    let mut header = [0; 32];
    io::Read::read_exact(&mut input, &mut header).map_err(unreadable)?;
    let number = |at: usize| header[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    if header[..8] != MAGIC || number(8) != VERSION {
        return Err(refused(KvStateReason::Format));
    }
    if number(16) != fingerprint {
        return Err(refused(KvStateReason::OtherModel));
    }
    let len = usize::try_from(number(24)).ok().filter(|len| *len <= cache.context_len());
    let Some(len) = len else { return Err(refused(KvStateReason::TooLong)) };
    cache.read_all(len, &mut input).map_err(unreadable)?;
    let expected = input.sum();
    let mut found = [0; 8];
    input.inner.read_exact(&mut found).map_err(unreadable)?;
    let mut behind = [0; 1];
    let over =
        matches!(input.inner.read_exact(&mut behind), Err(error) if error.kind() == io::ErrorKind::UnexpectedEof);
    if u64::from_le_bytes(found) != expected || !over {
        return Err(refused(KvStateReason::Damaged));
    }
    cache.restored(len);
    Ok(())
}

/// Reads or writes, and sums up what passes.
struct Summed<T> {
    inner: T,
    sum: u64,
    /// What has passed and is not summed up yet: the sum does not depend on the pieces in which bytes come.
    pending: Vec<u8>,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Self {
        Self { inner, sum: 0, pending: Vec::with_capacity(SUMMED) }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(SUMMED - self.pending.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() == SUMMED {
                self.sum = mix(self.sum, &self.pending);
                self.pending.clear();
            }
        }
    }

    /// The checksum of everything that has passed.
    fn sum(&self) -> u64 {
        mix(self.sum, &self.pending)
    }
}

impl io::Write for Summed<&mut dyn io::Write> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.add(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl io::Read for Summed<&mut dyn io::Read> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(bytes)?;
        self.add(&bytes[..n]);
        Ok(n)
    }
}

/// Why a state could not be read: it ends early, holds what nothing would have stored, or its source failed.
fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => refused(KvStateReason::Damaged),
        _ => Error::KvStateIo(error),
    }
}

fn refused(reason: KvStateReason) -> Error {
    Error::KvState { reason }
}
