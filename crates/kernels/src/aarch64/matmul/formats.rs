//! Packed tiles as vectors. Four vectors of four rows each, a *quad*, make a strip.

use std::arch::aarch64::*;

use super::super::instructions::widen;
use crate::format::{BITS, BLOCK, Format, HALVES, K_SCALES, NIBBLES, PAIRS, STRIP_ROWS};

/// Rows of a vector.
pub(super) const QUAD: usize = 4;
/// Quads of a strip.
pub(super) const QUADS: usize = STRIP_ROWS / QUAD;

/// What is known of a quantized format, block by block.
pub(super) trait Blocks {
    /// The format.
    const FORMAT: Format;
    /// What is subtracted from what [`Self::quad`] gives.
    const ZERO: i8;
    /// Whether each half of a block has a scale of its own.
    const TWO_SCALES: bool = false;
    /// Whether something is added for each unit of the activations' sum.
    const MINIMA: bool = false;

    /// Blocks of a tile.
    const TILE_BLOCKS: usize = Self::FORMAT.tile_width() / BLOCK;

    /// Block `b` of rows `4·g..4·g + 4`: vector `i` holds columns `4·i..4·i + 4` of each.
    ///
    /// # Safety
    /// `tile` must be a tile of the format, `b` one of its blocks and `g` a quad.
    unsafe fn quad(tile: *const u8, b: usize, g: usize) -> [int8x16_t; 8];

    /// The scales of all rows in half `half` of block `b`.
    ///
    /// # Safety
    /// As for [`Self::quad`].
    unsafe fn scales(tile: *const u8, b: usize, half: usize) -> [float32x4_t; QUADS];

    /// What is added for each unit of the activations' sum, for all rows.
    ///
    /// # Safety
    /// As for [`Self::quad`], of a format with minima.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn minima(_tile: *const u8, _b: usize) -> [float32x4_t; QUADS] {
        [vdupq_n_f32(0.0); QUADS]
    }
}

/// Sixteen f16.
///
/// # Safety
/// They must be there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn halves(at: *const u8) -> [float32x4_t; QUADS] {
    let at = at.cast::<u16>();
    // SAFETY: by the caller's promise.
    unsafe {
        [widen(vld1_u16(at)), widen(vld1_u16(at.add(4))), widen(vld1_u16(at.add(8))), widen(vld1_u16(at.add(12)))]
    }
}

/// Sixteen bytes as numbers.
#[inline]
#[target_feature(enable = "neon")]
fn numbers(bytes: uint8x16_t) -> [float32x4_t; QUADS] {
    let (low, high) = (vmovl_u8(vget_low_u8(bytes)), vmovl_high_u8(bytes));
    [
        vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))),
        vcvtq_f32_u32(vmovl_high_u16(low)),
        vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))),
        vcvtq_f32_u32(vmovl_high_u16(high)),
    ]
}

/// Sixteen signed bytes as numbers.
#[inline]
#[target_feature(enable = "neon")]
fn signed_numbers(bytes: int8x16_t) -> [float32x4_t; QUADS] {
    let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
    [
        vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
        vcvtq_f32_s32(vmovl_high_s16(low)),
        vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
        vcvtq_f32_s32(vmovl_high_s16(high)),
    ]
}

#[inline]
#[target_feature(enable = "neon")]
fn times(a: [float32x4_t; QUADS], b: [float32x4_t; QUADS]) -> [float32x4_t; QUADS] {
    [vmulq_f32(a[0], b[0]), vmulq_f32(a[1], b[1]), vmulq_f32(a[2], b[2]), vmulq_f32(a[3], b[3])]
}

/// A plane of nibbles.
///
/// # Safety
/// It must be there, and `g` a quad.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn nibbles(plane: *const u8, g: usize) -> [uint8x16_t; 8] {
    let at = plane.wrapping_add(16 * g);
    // SAFETY: the plane is four vectors of 64 bytes.
    let packed = unsafe { [vld1q_u8(at), vld1q_u8(at.add(64)), vld1q_u8(at.add(128)), vld1q_u8(at.add(192))] };
    let mask = vdupq_n_u8(15);
    [
        vandq_u8(packed[0], mask),
        vandq_u8(packed[1], mask),
        vandq_u8(packed[2], mask),
        vandq_u8(packed[3], mask),
        vshrq_n_u8::<4>(packed[0]),
        vshrq_n_u8::<4>(packed[1]),
        vshrq_n_u8::<4>(packed[2]),
        vshrq_n_u8::<4>(packed[3]),
    ]
}

/// Fifth bits, in their place.
///
/// # Safety
/// The plane must be there, and `g` a quad.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn fifth_bits(plane: *const u8, g: usize) -> [uint8x16_t; 8] {
    // SAFETY: the plane is one vector of 64 bytes.
    let bits = unsafe { vld1q_u8(plane.add(16 * g)) };
    let mask = vdupq_n_u8(0x10);
    [
        vandq_u8(vshlq_n_u8::<4>(bits), mask),
        vandq_u8(vshlq_n_u8::<3>(bits), mask),
        vandq_u8(vshlq_n_u8::<2>(bits), mask),
        vandq_u8(vshlq_n_u8::<1>(bits), mask),
        vandq_u8(bits, mask),
        vandq_u8(vshrq_n_u8::<1>(bits), mask),
        vandq_u8(vshrq_n_u8::<2>(bits), mask),
        vandq_u8(vshrq_n_u8::<3>(bits), mask),
    ]
}

/// Fifth and sixth bits, in their place.
///
/// # Safety
/// The plane must be there, and `g` a quad.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn high_pairs(plane: *const u8, g: usize) -> [uint8x16_t; 8] {
    // SAFETY: the plane is two vectors of 64 bytes.
    let (a, b) = unsafe { (vld1q_u8(plane.add(16 * g)), vld1q_u8(plane.add(64 + 16 * g))) };
    let mask = vdupq_n_u8(0x30);
    [
        vandq_u8(vshlq_n_u8::<4>(a), mask),
        vandq_u8(vshlq_n_u8::<2>(a), mask),
        vandq_u8(a, mask),
        vandq_u8(vshrq_n_u8::<2>(a), mask),
        vandq_u8(vshlq_n_u8::<4>(b), mask),
        vandq_u8(vshlq_n_u8::<2>(b), mask),
        vandq_u8(b, mask),
        vandq_u8(vshrq_n_u8::<2>(b), mask),
    ]
}

/// All values are small enough to be signed bytes.
#[inline]
#[target_feature(enable = "neon")]
fn signed(q: [uint8x16_t; 8]) -> [int8x16_t; 8] {
    [
        vreinterpretq_s8_u8(q[0]),
        vreinterpretq_s8_u8(q[1]),
        vreinterpretq_s8_u8(q[2]),
        vreinterpretq_s8_u8(q[3]),
        vreinterpretq_s8_u8(q[4]),
        vreinterpretq_s8_u8(q[5]),
        vreinterpretq_s8_u8(q[6]),
        vreinterpretq_s8_u8(q[7]),
    ]
}

#[inline]
#[target_feature(enable = "neon")]
fn joined(a: [uint8x16_t; 8], b: [uint8x16_t; 8]) -> [int8x16_t; 8] {
    signed([
        vorrq_u8(a[0], b[0]),
        vorrq_u8(a[1], b[1]),
        vorrq_u8(a[2], b[2]),
        vorrq_u8(a[3], b[3]),
        vorrq_u8(a[4], b[4]),
        vorrq_u8(a[5], b[5]),
        vorrq_u8(a[6], b[6]),
        vorrq_u8(a[7], b[7]),
    ])
}

/// Scale, then, where the format has them, minima, fifth bits and nibbles, 32 columns at a time.
pub(super) struct Simple<const ZERO: i8, const MINIMA: bool, const FIFTH: bool>;

impl<const ZERO: i8, const MINIMA: bool, const FIFTH: bool> Simple<ZERO, MINIMA, FIFTH> {
    const PLANES: usize = if MINIMA { 2 * HALVES } else { HALVES };
}

impl<const ZERO: i8, const MINIMA: bool, const FIFTH: bool> Blocks for Simple<ZERO, MINIMA, FIFTH> {
    const FORMAT: Format = match (MINIMA, FIFTH) {
        (false, false) => Format::Q4_0,
        (true, false) => Format::Q4_1,
        (false, true) => Format::Q5_0,
        (true, true) => Format::Q5_1,
    };
    const ZERO: i8 = ZERO;
    const MINIMA: bool = MINIMA;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn quad(tile: *const u8, _: usize, g: usize) -> [int8x16_t; 8] {
        // SAFETY: by the caller's promise.
        unsafe {
            if FIFTH {
                joined(nibbles(tile.add(Self::PLANES + BITS), g), fifth_bits(tile.add(Self::PLANES), g))
            } else {
                signed(nibbles(tile.add(Self::PLANES), g))
            }
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scales(tile: *const u8, _: usize, _: usize) -> [float32x4_t; QUADS] {
        // SAFETY: by the caller's promise.
        unsafe { halves(tile) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn minima(tile: *const u8, _: usize) -> [float32x4_t; QUADS] {
        // SAFETY: by the caller's promise.
        unsafe { halves(tile.add(HALVES)) }
    }
}

pub(super) type Q4_0 = Simple<8, false, false>;
pub(super) type Q4_1 = Simple<0, true, false>;
pub(super) type Q5_0 = Simple<16, false, true>;
pub(super) type Q5_1 = Simple<0, true, true>;

/// Bytes.
pub(super) struct Q8_0;

impl Blocks for Q8_0 {
    const FORMAT: Format = Format::Q8_0;
    /// The top bit is flipped instead.
    const ZERO: i8 = 0;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn quad(tile: *const u8, _: usize, g: usize) -> [int8x16_t; 8] {
        let mut q = [vdupq_n_u8(0); 8];
        let flip = vdupq_n_u8(0x80);
        for (i, q) in q.iter_mut().enumerate() {
            // SAFETY: the plane is eight vectors of 64 bytes, by the caller's promise.
            *q = veorq_u8(unsafe { vld1q_u8(tile.add(HALVES + 64 * i + 16 * g)) }, flip);
        }
        signed(q)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scales(tile: *const u8, _: usize, _: usize) -> [float32x4_t; QUADS] {
        // SAFETY: by the caller's promise.
        unsafe { halves(tile) }
    }
}

/// Q4_K and Q5_K: super blocks with six-bit scales and minima.
pub(super) struct SixBit<const FIFTH: bool>;

pub(super) type Q4K = SixBit<false>;
pub(super) type Q5K = SixBit<true>;

impl<const FIFTH: bool> SixBit<FIFTH> {
    /// Low and high bits of the scales (or the minima) of block `b`.
    ///
    /// # Safety
    /// As for [`Blocks::quad`].
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn six(tile: *const u8, b: usize, minima: bool) -> [float32x4_t; QUADS] {
        // SAFETY: 192 bytes of scales follow on two vectors of f16, by the caller's promise.
        let (low, high) = unsafe {
            let scales = tile.add(2 * HALVES);
            (vld1q_u8(scales.add(STRIP_ROWS * b)), vld1q_u8(scales.add((8 + b / 2) * STRIP_ROWS)))
        };
        // Bits 0, 1 of the even block's scale, 2, 3 of its minimum, 4, 5 and 6, 7 of the odd one's.
        let shift = 4 * (b % 2) as i8 + if minima { 2 } else { 0 };
        let high = vandq_u8(vshlq_u8(high, vdupq_n_s8(-shift)), vdupq_n_u8(3));
        let low = if minima { vshrq_n_u8::<4>(low) } else { vandq_u8(low, vdupq_n_u8(15)) };
        numbers(vorrq_u8(low, vshlq_n_u8::<4>(high)))
    }
}

impl<const FIFTH: bool> Blocks for SixBit<FIFTH> {
    const FORMAT: Format = if FIFTH { Format::Q5K } else { Format::Q4K };
    const ZERO: i8 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn quad(tile: *const u8, b: usize, g: usize) -> [int8x16_t; 8] {
        // SAFETY: by the caller's promise.
        unsafe {
            let planes = tile.add(2 * HALVES + K_SCALES);
            if FIFTH {
                let planes = planes.add(b * (BITS + NIBBLES));
                joined(nibbles(planes.add(BITS), g), fifth_bits(planes, g))
            } else {
                signed(nibbles(planes.add(b * NIBBLES), g))
            }
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scales(tile: *const u8, b: usize, _: usize) -> [float32x4_t; QUADS] {
        // SAFETY: by the caller's promise.
        unsafe { times(halves(tile), Self::six(tile, b, false)) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn minima(tile: *const u8, b: usize) -> [float32x4_t; QUADS] {
        // SAFETY: by the caller's promise.
        let m = unsafe { times(halves(tile.add(HALVES)), Self::six(tile, b, true)) };
        [vnegq_f32(m[0]), vnegq_f32(m[1]), vnegq_f32(m[2]), vnegq_f32(m[3])]
    }
}

/// Super blocks with eight-bit scales for 16 columns.
pub(super) struct Q6K;

impl Blocks for Q6K {
    const FORMAT: Format = Format::Q6K;
    const ZERO: i8 = 32;
    const TWO_SCALES: bool = true;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn quad(tile: *const u8, b: usize, g: usize) -> [int8x16_t; 8] {
        // SAFETY: by the caller's promise.
        unsafe {
            let planes = tile.add(HALVES + 16 * STRIP_ROWS + b * (PAIRS + NIBBLES));
            joined(nibbles(planes.add(PAIRS), g), high_pairs(planes, g))
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scales(tile: *const u8, b: usize, half: usize) -> [float32x4_t; QUADS] {
        // SAFETY: sixteen times sixteen scales follow on the f16, by the caller's promise.
        unsafe {
            let scales = vld1q_s8(tile.add(HALVES + STRIP_ROWS * (2 * b + half)).cast());
            times(halves(tile), signed_numbers(scales))
        }
    }
}
