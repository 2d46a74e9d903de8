//! Quantized formats: how a block of a tile is unpacked.

use super::isa::{Float, Int, Isa, Vector};
use crate::format::{BITS, HALVES, K_SCALES, NIBBLES, PAIRS, STRIP_ROWS};

/// Blocks of a tile of the K formats.
const K_BLOCKS: usize = 8;

/// Six-bit scales and minima of a Q4_K or Q5_K tile, a byte each, by block and row.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct KScales {
    scale: [[u8; STRIP_ROWS]; K_BLOCKS],
    minimum: [[u8; STRIP_ROWS]; K_BLOCKS],
}

impl KScales {
    /// Nothing yet.
    pub(super) const EMPTY: Self = Self { scale: [[0; STRIP_ROWS]; K_BLOCKS], minimum: [[0; STRIP_ROWS]; K_BLOCKS] };

    /// Takes the 192 bytes of `scales` apart.
    ///
    /// # Safety
    /// `scales` must be valid for reads of that many.
    #[inline(always)]
    unsafe fn read(&mut self, scales: *const u8) {
        // SAFETY: by the caller's promise; arrays of bytes have no alignment.
        let (low, high) = unsafe {
            (
                &*scales.cast::<[[u8; STRIP_ROWS]; K_BLOCKS]>(),
                &*scales.add(K_BLOCKS * STRIP_ROWS).cast::<[[u8; STRIP_ROWS]; K_BLOCKS / 2]>(),
            )
        };
        for pair in 0..K_BLOCKS / 2 {
            for row in 0..STRIP_ROWS {
                let (even, odd, high) = (low[2 * pair][row], low[2 * pair + 1][row], high[pair][row]);
                self.scale[2 * pair][row] = (even & 15) | (high & 3) << 4;
                self.minimum[2 * pair][row] = (even >> 4) | (high & 12) << 2;
                self.scale[2 * pair + 1][row] = (odd & 15) | (high & 0x30);
                self.minimum[2 * pair + 1][row] = (odd >> 4) | (high >> 2 & 0x30);
            }
        }
    }
}

/// One block of 32 columns of some lanes.
pub(super) struct Block<I: Isa> {
    /// For each four of columns, four weights a lane.
    pub(super) w: [Int<I>; 8],
    /// The weights' scale in the first and in the second half of the block; the same but for Q6_K.
    pub(super) scale: [Float<I>; 2],
    /// What is added for each unit of the activations' sum; zero without minima.
    pub(super) minimum: Float<I>,
}

impl<I: Isa> Clone for Block<I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I: Isa> Copy for Block<I> {}

/// A quantized format.
pub(super) trait Quantized {
    /// Bits of a stored weight.
    const BITS: u32;
    /// What it subtracts, as a shift of the −8 times (Q6_K: −32 times) the activations' sum that is kept with them;
    /// `None` for nothing.
    const ZERO_SHIFT: Option<i32>;
    /// Scales of a block.
    const HALVES: usize = 1;
    /// Whether it has minima.
    const MINIMA: bool = false;
    /// Blocks of a tile.
    const BLOCKS: usize = 1;
    /// Bytes of a tile.
    const TILE: usize;

    /// What is done once for all blocks of a tile.
    ///
    /// # Safety
    /// `tile` must be valid for reads.
    #[inline(always)]
    unsafe fn open(tile: *const u8, scales: &mut KScales) {
        let _ = (tile, scales);
    }

    /// Block `block` of `tile` for the lanes from `lane` on.
    ///
    /// # Safety
    /// `tile` must be valid for reads, and the instruction set there.
    unsafe fn block<I: Isa>(tile: *const u8, scales: &KScales, block: usize, lane: usize) -> Block<I>;
}

/// Sixteen nibbles a lane from each of two halves.
///
/// # Safety
/// A plane of nibbles at `at`, and the instruction set.
#[inline(always)]
unsafe fn nibbles<I: Isa>(at: *const u8, lane: usize) -> [Int<I>; 8] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mask = I::V::splat_int(0x0f0f_0f0f);
        let mut w = [mask; 8];
        for v in 0..4 {
            let both = I::V::load(at.add(64 * v + 4 * lane));
            w[v] = I::V::and(both, mask);
            w[4 + v] = I::V::and(I::V::shifted(both, -4), mask);
        }
        w
    }
}

/// [`nibbles`] with the fifth bits from the plane before them.
///
/// # Safety
/// A plane of bits and one of nibbles at `at`, and the instruction set.
#[inline(always)]
unsafe fn five_bits<I: Isa>(at: *const u8, lane: usize) -> [Int<I>; 8] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut w = nibbles::<I>(at.add(BITS), lane);
        let top = I::V::load(at.add(4 * lane));
        let mask = I::V::splat_int(0x1010_1010);
        for bit in 0..8 {
            w[bit] = I::V::or(w[bit], I::V::and(I::V::shifted(top, 4 - bit as i32), mask));
        }
        w
    }
}

/// [`nibbles`] with the fifth and sixth bits from the plane before them.
///
/// # Safety
/// A plane of pairs and one of nibbles at `at`, and the instruction set.
#[inline(always)]
unsafe fn six_bits<I: Isa>(at: *const u8, lane: usize) -> [Int<I>; 8] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut w = nibbles::<I>(at.add(PAIRS), lane);
        let mask = I::V::splat_int(0x3030_3030);
        for half in 0..2 {
            let top = I::V::load(at.add(64 * half + 4 * lane));
            for v in 0..4 {
                let pair = I::V::and(I::V::shifted(top, 4 - 2 * v as i32), mask);
                w[4 * half + v] = I::V::or(w[4 * half + v], pair);
            }
        }
        w
    }
}

/// Weights with one scale, perhaps a minimum, both f16, for 32 columns: Q4_0 to Q5_1.
macro_rules! simple {
    ($name:ident, $bits:literal, $shift:expr, $minima:literal, $planes:ident, $size:expr) => {
        pub(super) struct $name;

        impl Quantized for $name {
            const BITS: u32 = $bits;
            const ZERO_SHIFT: Option<i32> = $shift;
            const MINIMA: bool = $minima;
            const TILE: usize = if $minima { 2 * HALVES + $size } else { HALVES + $size };

            #[inline(always)]
            unsafe fn block<I: Isa>(tile: *const u8, _: &KScales, _: usize, lane: usize) -> Block<I> {
                // SAFETY: the planes of a tile, by the caller's promise.
                unsafe {
                    let planes = tile.add(Self::TILE - $size);
                    let scale = I::V::load_f16(tile.add(2 * lane));
                    let minimum = if $minima { I::V::load_f16(tile.add(HALVES + 2 * lane)) } else { I::V::zero() };
                    Block { w: $planes::<I>(planes, lane), scale: [scale; 2], minimum }
                }
            }
        }
    };
}

simple!(Q4_0, 4, Some(0), false, nibbles, NIBBLES);
simple!(Q4_1, 4, None, true, nibbles, NIBBLES);
simple!(Q5_0, 5, Some(1), false, five_bits, (BITS + NIBBLES));
simple!(Q5_1, 5, None, true, five_bits, (BITS + NIBBLES));
simple!(Q8_0, 8, Some(4), false, bytes, crate::format::BYTES);

/// Four whole bytes a lane, eight times.
///
/// # Safety
/// A plane of bytes at `at`, and the instruction set.
#[inline(always)]
unsafe fn bytes<I: Isa>(at: *const u8, lane: usize) -> [Int<I>; 8] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut w = [I::V::load(at.add(4 * lane)); 8];
        for g in 1..8 {
            w[g] = I::V::load(at.add(64 * g + 4 * lane));
        }
        if I::SIGNED_BYTES {
            let sign = I::V::splat_int(0x8080_8080_u32.cast_signed());
            for w in &mut w {
                *w = I::V::xor(*w, sign);
            }
        }
        w
    }
}

/// Weights with a scale and a minimum of six bits for 32 columns, and an f16 each for 256: Q4_K and Q5_K.
macro_rules! k_scaled {
    ($name:ident, $bits:literal, $planes:ident, $size:expr) => {
        pub(super) struct $name;

        impl Quantized for $name {
            const BITS: u32 = $bits;
            const ZERO_SHIFT: Option<i32> = None;
            const MINIMA: bool = true;
            const BLOCKS: usize = K_BLOCKS;
            const TILE: usize = 2 * HALVES + K_SCALES + K_BLOCKS * $size;

            #[inline(always)]
            unsafe fn open(tile: *const u8, scales: &mut KScales) {
                // SAFETY: the third part of a tile, by the caller's promise.
                unsafe { scales.read(tile.add(2 * HALVES)) }
            }

            #[inline(always)]
            unsafe fn block<I: Isa>(tile: *const u8, scales: &KScales, block: usize, lane: usize) -> Block<I> {
                // SAFETY: the planes of a tile, by the caller's promise; `scales` has every block and row.
                unsafe {
                    let d = I::V::load_f16(tile.add(2 * lane));
                    let d_minimum = I::V::negated(I::V::load_f16(tile.add(HALVES + 2 * lane)));
                    let scale = I::V::mul(d, I::V::load_u8(scales.scale[block].as_ptr().add(lane)));
                    let minimum = I::V::mul(d_minimum, I::V::load_u8(scales.minimum[block].as_ptr().add(lane)));
                    let w = $planes::<I>(tile.add(2 * HALVES + K_SCALES + block * $size), lane);
                    Block { w, scale: [scale; 2], minimum }
                }
            }
        }
    };
}

k_scaled!(Q4K, 4, nibbles, NIBBLES);
k_scaled!(Q5K, 5, five_bits, (BITS + NIBBLES));

/// Six bits, with a scale of eight bits for 16 columns and an f16 for 256.
pub(super) struct Q6K;

impl Quantized for Q6K {
    const BITS: u32 = 6;
    const ZERO_SHIFT: Option<i32> = Some(0);
    const HALVES: usize = 2;
    const BLOCKS: usize = K_BLOCKS;
    const TILE: usize = HALVES + 2 * K_BLOCKS * STRIP_ROWS + K_BLOCKS * (PAIRS + NIBBLES);

    #[inline(always)]
    unsafe fn block<I: Isa>(tile: *const u8, _: &KScales, block: usize, lane: usize) -> Block<I> {
        // SAFETY: the planes of a tile, by the caller's promise.
        unsafe {
            let d = I::V::load_f16(tile.add(2 * lane));
            let scales = tile.add(HALVES + 2 * block * STRIP_ROWS + lane);
            let first = I::V::mul(d, I::V::load_i8(scales));
            let second = I::V::mul(d, I::V::load_i8(scales.add(STRIP_ROWS)));
            let planes = tile.add(HALVES + 2 * K_BLOCKS * STRIP_ROWS + block * (PAIRS + NIBBLES));
            Block { w: six_bits::<I>(planes, lane), scale: [first, second], minimum: I::V::zero() }
        }
    }
}
