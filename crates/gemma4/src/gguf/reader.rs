//! A cursor over untrusted bytes: every read is checked, nothing is copied.

use super::error::Error;

/// Reads little-endian values from the front of a slice.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: u64, what: &'static str) -> Result<&'a [u8], Error> {
        let truncated =
            || Error::Truncated { what, at: self.at as u64, needed: len, available: self.remaining() as u64 };
        let len = usize::try_from(len).map_err(|_| truncated())?;
        let end = self.at.checked_add(len).ok_or_else(truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64, what)?);
        Ok(out)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A count that must be at most `limit` and whose items, of at least `min_bytes` each, must fit in what is left.
    pub(super) fn count(&mut self, what: &'static str, limit: u64, min_bytes: u64) -> Result<usize, Error> {
        let at = self.at as u64;
        let count = self.u64(what)?;
        if count > limit {
            return Err(Error::Absurd { what, at, count, limit });
        }
        let needed = count.saturating_mul(min_bytes);
        let available = self.remaining() as u64;
        if needed > available {
            return Err(Error::Truncated { what, at, needed, available });
        }
        usize::try_from(count).map_err(|_| Error::Absurd { what, at, count, limit })
    }

    /// A length-prefixed text of at most `limit` bytes.
    pub(super) fn str(&mut self, what: &'static str, limit: u64) -> Result<&'a str, Error> {
        let at = self.at as u64;
        let len = self.u64(what)?;
        if len > limit {
            return Err(Error::Absurd { what, at, count: len, limit });
        }
        std::str::from_utf8(self.take(len, what)?).map_err(|_| Error::NotUtf8 { what, at })
    }
}
