//! Instructions that the standard library does not offer in stable form.
//!
//! Each is a single instruction, inlined into whoever has the same feature enabled.

use std::arch::{aarch64::*, asm};

/// Adds to each lane of `sums` the dot product of its four bytes of `w` with the four bytes of `x` that `LANE` says.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dot<const LANE: usize>(sums: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    let mut out = sums;
    // SAFETY: only registers are touched; the processor has the instruction, since the feature is enabled.
    unsafe {
        asm!(
            "sdot {out:v}.4s, {w:v}.16b, {x:v}.4b[{lane}]",
            out = inout(vreg) out,
            w = in(vreg) w,
            x = in(vreg) x,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}

/// Adds to `sums`, a matrix of 2 by 2, the products of the two rows of eight bytes of `a` with the two of `b`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(super) fn matrix(sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut out = sums;
    // SAFETY: only registers are touched; the processor has the instruction, since the feature is enabled.
    unsafe {
        asm!(
            "smmla {out:v}.4s, {a:v}.16b, {b:v}.16b",
            out = inout(vreg) out,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}

/// Four f16 as f32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widen(halves: uint16x4_t) -> float32x4_t {
    let out: float32x4_t;
    // SAFETY: only registers are touched; the processor has the instruction, since the feature is enabled.
    unsafe {
        asm!(
            "fcvtl {out:v}.4s, {halves:v}.4h",
            out = lateout(vreg) out,
            halves = in(vreg) halves,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}

/// Four f32 as f16, ties to even.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn narrow(x: float32x4_t) -> uint16x4_t {
    let out: uint16x4_t;
    // SAFETY: only registers are touched; the processor has the instruction, since the feature is enabled.
    unsafe {
        asm!(
            "fcvtn {out:v}.4h, {x:v}.4s",
            out = lateout(vreg) out,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}
