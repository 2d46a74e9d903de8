//! Keys and values of one layer, in f16.

use std::{
    io::{self, Read, Write},
    ops::Range,
};

use half::{
    f16,
    slice::{HalfBitsSliceExt, HalfFloatSliceExt},
};

use crate::{
    compute::Parts,
    ops::{KEY_BLOCK, KEY_TILE},
};

/// Keys and values of one layer's positions. Position `p` lies in slot `p mod capacity`; the capacity is a multiple of a
/// key block, so that blocks aligned to absolute positions are blocks of slots.
///
/// Keys of a head lie in tiles of 16 slots `(head_dim, 16)`, values as `(slots, head_dim)`. What was never stored is zero
/// and, where the system gives out zeroed pages on first use, costs no memory.
#[derive(Debug, Clone)]
pub struct KvLayer {
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    /// Bits of `(kv_heads, capacity / 16, head_dim, 16)`. Bits, because zeros of an integer are asked for as zeroed
    /// memory, and those of an f16 are written.
    k: Vec<u16>,
    /// Bits of `(kv_heads, capacity, head_dim)`.
    v: Vec<u16>,
}

impl KvLayer {
    /// Room for `capacity` positions, rounded up to whole key blocks.
    ///
    /// # Panics
    /// If `head_dim` is not a multiple of 16.
    pub fn new(kv_heads: usize, head_dim: usize, capacity: usize) -> Self {
        assert!(head_dim.is_multiple_of(KEY_TILE), "a head of {head_dim}");
        let capacity = capacity.next_multiple_of(KEY_BLOCK);
        let size = kv_heads * capacity * head_dim;
        Self { kv_heads, head_dim, capacity, k: vec![0; size], v: vec![0; size] }
    }

    /// Heads.
    pub fn kv_heads(&self) -> usize {
        self.kv_heads
    }

    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Positions that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes of a layer with this shape.
    pub fn size_bytes(kv_heads: usize, head_dim: usize, capacity: usize) -> usize {
        2 * 2 * kv_heads * head_dim * capacity.next_multiple_of(KEY_BLOCK)
    }

    /// Makes room for `capacity` positions, keeping what is there. For layers that never wrap.
    pub fn grow(&mut self, capacity: usize) {
        if capacity <= self.capacity {
            return;
        }
        let mut larger = Self::new(self.kv_heads, self.head_dim, capacity);
        let (old, new) = (self.capacity * self.head_dim, larger.capacity * self.head_dim);
        for (from, to) in [(&self.k, &mut larger.k), (&self.v, &mut larger.v)] {
            for (from, to) in from.chunks_exact(old.max(1)).zip(to.chunks_exact_mut(new)) {
                to[..old].copy_from_slice(from);
            }
        }
        *self = larger;
    }

    /// Stores one position of one head.
    ///
    /// # Panics
    /// If there is no such head, or `k` or `v` is not as wide as one.
    pub fn store(&mut self, position: usize, head: usize, k: &[f16], v: &[f16]) {
        // SAFETY: the layer is borrowed by this call alone.
        unsafe { self.writer().store(position, head, k, v) };
    }

    /// Reads one position of one head back, as it was stored.
    ///
    /// # Panics
    /// If there is no such head, or `k` or `v` is not as wide as one.
    pub fn load(&self, position: usize, head: usize, k: &mut [f16], v: &mut [f16]) {
        assert!(head < self.kv_heads && k.len() == self.head_dim, "head {head} of {} keys", k.len());
        let slot = position % self.capacity;
        let at = (head * self.capacity + slot) * self.head_dim;
        let tile = at - slot % KEY_TILE * self.head_dim;
        let keys = &self.k[tile..tile + KEY_TILE * self.head_dim];
        for (k, keys) in k.iter_mut().zip(keys.chunks_exact(KEY_TILE)) {
            *k = f16::from_bits(keys[slot % KEY_TILE]);
        }
        v.copy_from_slice(self.v[at..at + self.head_dim].reinterpret_cast());
    }

    /// Writes what is stored for `positions`: one position after the other, of each its heads, of each head its keys and
    /// then its values, as f16 in little-endian order. [`Self::range_bytes`] says how many bytes these are.
    ///
    /// # Errors
    /// What writing gives.
    ///
    /// # Panics
    /// If there are more positions than fit.
    pub fn write_range(&self, positions: Range<usize>, out: &mut dyn Write) -> io::Result<()> {
        assert!(positions.len() <= self.capacity, "{} positions of {}", positions.len(), self.capacity);
        let mut halves = vec![f16::ZERO; 2 * self.head_dim];
        let mut bytes = Vec::new();
        for position in positions {
            for head in 0..self.kv_heads {
                let (k, v) = halves.split_at_mut(self.head_dim);
                self.load(position, head, k, v);
                bytes.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
            }
            if bytes.len() >= IO_BYTES {
                out.write_all(&bytes)?;
                bytes.clear();
            }
        }
        out.write_all(&bytes)
    }

    /// Stores for `positions` what [`Self::write_range`] of a layer with the same heads has written for as many.
    ///
    /// # Errors
    /// What reading gives; [`io::ErrorKind::InvalidData`] if a value is infinite or no number. The positions before what
    /// could not be read are stored then.
    ///
    /// # Panics
    /// If there are more positions than fit.
    pub fn read_range(&mut self, positions: Range<usize>, input: &mut dyn Read) -> io::Result<()> {
        assert!(positions.len() <= self.capacity, "{} positions of {}", positions.len(), self.capacity);
        let size = self.range_bytes(1);
        if size == 0 {
            return Ok(());
        }
        let at_once = (IO_BYTES / size).max(1);
        let mut bytes = vec![0; at_once.min(positions.len()) * size];
        let mut halves = vec![f16::ZERO; 2 * self.head_dim];
        for first in positions.clone().step_by(at_once) {
            let bytes = &mut bytes[..at_once.min(positions.end - first) * size];
            input.read_exact(bytes)?;
            for (index, bytes) in bytes.chunks_exact(4 * self.head_dim).enumerate() {
                for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *half = f16::from_le_bytes(*bytes);
                }
                if !halves.iter().all(|half| half.is_finite()) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a key or value that is no finite number"));
                }
                let (k, v) = halves.split_at(self.head_dim);
                self.store(first + index / self.kv_heads, index % self.kv_heads, k, v);
            }
        }
        Ok(())
    }

    /// Bytes that [`Self::write_range`] writes for `n` positions.
    pub fn range_bytes(&self, n: usize) -> usize {
        2 * 2 * self.kv_heads * self.head_dim * n
    }

    /// Keys and values of the key block that begins at position `first`, a multiple of [`KEY_BLOCK`].
    pub(crate) fn block(&self, head: usize, first: usize) -> (&[f16], &[f16]) {
        let at = (head * self.capacity + first % self.capacity) * self.head_dim;
        let block = at..at + KEY_BLOCK * self.head_dim;
        (self.k[block.clone()].reinterpret_cast(), self.v[block].reinterpret_cast())
    }

    /// For writing from several threads.
    pub(crate) fn writer(&mut self) -> KvWriter {
        KvWriter {
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            capacity: self.capacity,
            k: Parts::new(&mut self.k),
            v: Parts::new(&mut self.v),
        }
    }
}

/// Bytes that are written or read at once.
const IO_BYTES: usize = 64 << 10;

/// Writes into a layer from several threads, each its own tiles.
#[derive(Clone, Copy)]
pub(crate) struct KvWriter {
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    k: Parts<u16>,
    v: Parts<u16>,
}

impl KvWriter {
    /// Stores one position of one head.
    ///
    /// # Safety
    /// The layer must live, and nobody else may use the position's tile of 16 of this head meanwhile.
    ///
    /// # Panics
    /// If there is no such head, or `k` or `v` is not as wide as one.
    pub(crate) unsafe fn store(self, position: usize, head: usize, k: &[f16], v: &[f16]) {
        let d = self.head_dim;
        assert!(head < self.kv_heads && k.len() == d, "head {head} of {} keys", k.len());
        let slot = position % self.capacity;
        let at = (head * self.capacity + slot) * d;
        // SAFETY: the tile and its values are the caller's.
        let (tile, values) = unsafe { (self.k.part(at - slot % KEY_TILE * d, KEY_TILE * d), self.v.part(at, d)) };
        for (tile, k) in tile.chunks_exact_mut(KEY_TILE).zip(k) {
            tile[slot % KEY_TILE] = k.to_bits();
        }
        values.copy_from_slice(v.reinterpret_cast());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::sample::Numbers;

    fn filled(kv_heads: usize, head_dim: usize, capacity: usize, positions: Range<usize>) -> KvLayer {
        let mut layer = KvLayer::new(kv_heads, head_dim, capacity);
        for position in positions {
            for head in 0..kv_heads {
                let (k, v) = entry(head_dim, position, head);
                layer.store(position, head, &k, &v);
            }
        }
        layer
    }

    fn entry(head_dim: usize, position: usize, head: usize) -> (Vec<f16>, Vec<f16>) {
        let mut numbers = Numbers::new((position * 8 + head) as u64);
        let mut some = || numbers.values(head_dim, 9.0).into_iter().map(f16::from_f32).collect();
        (some(), some())
    }

    fn check(layer: &KvLayer, positions: Range<usize>) {
        let d = layer.head_dim();
        for position in positions {
            for head in 0..layer.kv_heads() {
                let (mut k, mut v) = (vec![f16::NAN; d], vec![f16::NAN; d]);
                layer.load(position, head, &mut k, &mut v);
                assert_eq!((k, v), entry(d, position, head), "position {position}, head {head}");
            }
        }
    }

    #[test]
    fn the_last_positions_that_fit_are_there() {
        check(&filled(2, 32, 100, 0..100), 0..100);
        // 128 slots; 300 positions wrap twice.
        check(&filled(2, 32, 100, 0..300), 172..300);
    }

    #[test]
    fn keys_lie_in_transposed_tiles_and_values_in_rows() {
        let layer = filled(2, 16, 64, 0..64);
        let (k, v) = layer.block(1, 0);
        for position in 0..64 {
            let (keys, values) = entry(16, position, 1);
            for i in 0..16 {
                assert_eq!(k[position / 16 * 256 + i * 16 + position % 16], keys[i]);
            }
            assert_eq!(v[position * 16..][..16], values);
        }
    }

    #[test]
    fn growing_keeps_what_is_there() {
        let mut layer = filled(3, 16, 64, 0..64);
        layer.grow(10);
        assert_eq!(layer.capacity(), 64);
        layer.grow(200);
        assert_eq!(layer.capacity(), 256);
        check(&layer, 0..64);
        let mut empty = KvLayer::new(1, 16, 0);
        empty.grow(1);
        assert_eq!(empty.capacity(), 64);
    }

    #[test]
    fn a_range_comes_back_from_its_bytes_into_another_layer() {
        for (kv_heads, head_dim, positions) in [(1, 512, 0..70), (2, 256, 150..260), (4, 16, 190..190), (1, 16, 64..65)]
        {
            let layer = filled(kv_heads, head_dim, 128, 0..positions.end);
            let mut bytes = Vec::new();
            layer.write_range(positions.clone(), &mut bytes).expect("memory takes it");
            assert_eq!(bytes.len(), layer.range_bytes(positions.len()));
            // Another capacity: the bytes say nothing of slots.
            let mut other = KvLayer::new(kv_heads, head_dim, 320);
            other.read_range(positions.clone(), &mut bytes.as_slice()).expect("as many bytes");
            check(&other, positions.clone());
            if let Some(short) = bytes.len().checked_sub(1) {
                let error = other.read_range(positions, &mut &bytes[..short]).expect_err("too few");
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_finite_numbers_are_refused() {
        let mut bytes = vec![0; 4 * 16 * 3];
        bytes[4 * 16 + 5] = 0x7c;
        let error = KvLayer::new(1, 16, 64).read_range(0..3, &mut bytes.as_slice()).expect_err("infinite");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
