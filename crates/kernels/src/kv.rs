//! Keys and values of one layer, in f16.

use half::f16;

use crate::ops::{KEY_BLOCK, KEY_TILE};

/// Keys and values of one layer's positions. Position `p` lies in slot `p mod capacity`; the capacity is a multiple of a
/// key block, so that blocks aligned to absolute positions are blocks of slots.
///
/// Keys of a head lie in tiles of 16 slots `(head_dim, 16)`, values as `(slots, head_dim)`.
#[derive(Debug, Clone)]
pub struct KvLayer {
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    /// `(kv_heads, capacity / 16, head_dim, 16)`.
    k: Vec<f16>,
    /// `(kv_heads, capacity, head_dim)`.
    v: Vec<f16>,
}

impl KvLayer {
    /// Room for `capacity` positions, rounded up to whole key blocks.
    ///
    /// # Panics
    /// If `head_dim` is not a multiple of 16.
    pub fn new(kv_heads: usize, head_dim: usize, capacity: usize) -> Self {
        assert!(head_dim.is_multiple_of(KEY_TILE), "a head of {head_dim}");
        let capacity = capacity.next_multiple_of(KEY_BLOCK);
        let zeros = vec![f16::ZERO; kv_heads * capacity * head_dim];
        Self { kv_heads, head_dim, capacity, k: zeros.clone(), v: zeros }
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
        for (from, to, size) in [
            (&self.k, &mut larger.k, larger.capacity * self.head_dim),
            (&self.v, &mut larger.v, larger.capacity * self.head_dim),
        ] {
            let old = self.capacity * self.head_dim;
            for (from, to) in from.chunks_exact(old).zip(to.chunks_exact_mut(size)) {
                to[..old].copy_from_slice(from);
            }
        }
        *self = larger;
    }

    /// Stores one position of one head.
    pub fn store(&mut self, position: usize, head: usize, k: &[f16], v: &[f16]) {
        let slot = position % self.capacity;
        let base = head * self.capacity * self.head_dim;
        let tile = base + slot / KEY_TILE * KEY_TILE * self.head_dim + slot % KEY_TILE;
        for (i, k) in k.iter().enumerate() {
            self.k[tile + i * KEY_TILE] = *k;
        }
        self.v[base + slot * self.head_dim..][..self.head_dim].copy_from_slice(v);
    }

    /// Reads one position of one head back, as it was stored.
    pub fn load(&self, position: usize, head: usize, k: &mut [f16], v: &mut [f16]) {
        let slot = position % self.capacity;
        let base = head * self.capacity * self.head_dim;
        let tile = base + slot / KEY_TILE * KEY_TILE * self.head_dim + slot % KEY_TILE;
        for (i, k) in k.iter_mut().enumerate() {
            *k = self.k[tile + i * KEY_TILE];
        }
        v.copy_from_slice(&self.v[base + slot * self.head_dim..][..self.head_dim]);
    }

    /// Keys and values of the key block that begins at position `first`, a multiple of [`KEY_BLOCK`].
    pub(crate) fn block(&self, head: usize, first: usize) -> (&[f16], &[f16]) {
        let at = (head * self.capacity + first % self.capacity) * self.head_dim;
        (&self.k[at..][..KEY_BLOCK * self.head_dim], &self.v[at..][..KEY_BLOCK * self.head_dim])
    }
}
