//! Sixteen lanes of f32 in four registers.

use std::arch::aarch64::*;

use half::f16;

use super::instructions::{narrow, widen};
use crate::lanes::{
    LANES, Lanes,
    attention::{Block, panel},
    attention_kernel, proven, row_kernel,
};

/// Vector instructions as every processor of this architecture has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Neon(());

impl Neon {
    /// They are part of the architecture.
    pub fn new() -> Self {
        Self(())
    }
}

/// Four quarters of four lanes.
type Quarters = [float32x4_t; 4];

/// Applies an instruction to all quarters.
macro_rules! all {
    ($instruction:expr; $($x:expr),+) => {
        [
            $instruction($($x[0]),+),
            $instruction($($x[1]),+),
            $instruction($($x[2]),+),
            $instruction($($x[3]),+),
        ]
    };
}

impl Lanes for Neon {
    type V = Quarters;

    proven! {
        fn splat(x: f32) -> Quarters { [vdupq_n_f32(x); 4] }
        fn load(at: &[f32; LANES]) -> Quarters {{
            let at = at.as_ptr();
            [vld1q_f32(at), vld1q_f32(at.add(4)), vld1q_f32(at.add(8)), vld1q_f32(at.add(12))]
        }}
        fn store(x: Quarters, at: &mut [f32; LANES]) {{
            let at = at.as_mut_ptr();
            vst1q_f32(at, x[0]);
            vst1q_f32(at.add(4), x[1]);
            vst1q_f32(at.add(8), x[2]);
            vst1q_f32(at.add(12), x[3])
        }}
        fn load_f16(at: &[f16; LANES]) -> Quarters {{
            let at: *const u16 = at.as_ptr().cast();
            let (low, high) = (vld1q_u16(at), vld1q_u16(at.add(8)));
            [widen(vget_low_u16(low)), widen(vget_high_u16(low)), widen(vget_low_u16(high)), widen(vget_high_u16(high))]
        }}
        fn store_f16(x: Quarters, at: &mut [f16; LANES]) {{
            let at: *mut u16 = at.as_mut_ptr().cast();
            vst1q_u16(at, vcombine_u16(narrow(x[0]), narrow(x[1])));
            vst1q_u16(at.add(8), vcombine_u16(narrow(x[2]), narrow(x[3])))
        }}
        fn add(a: Quarters, b: Quarters) -> Quarters { all!(vaddq_f32; a, b) }
        fn sub(a: Quarters, b: Quarters) -> Quarters { all!(vsubq_f32; a, b) }
        fn mul(a: Quarters, b: Quarters) -> Quarters { all!(vmulq_f32; a, b) }
        fn div(a: Quarters, b: Quarters) -> Quarters { all!(vdivq_f32; a, b) }
        fn min(a: Quarters, b: Quarters) -> Quarters { all!(min4; a, b) }
        fn max(a: Quarters, b: Quarters) -> Quarters { all!(max4; a, b) }
        fn abs(x: Quarters) -> Quarters { all!(vabsq_f32; x) }
        fn fma(a: Quarters, b: Quarters, c: Quarters) -> Quarters { all!(vfmaq_f32; c, a, b) }
        fn fms(a: Quarters, b: Quarters, c: Quarters) -> Quarters { all!(fms4; a, b, c) }
        fn round(x: Quarters) -> Quarters { all!(vrndnq_f32; x) }
        fn scale_exponent(x: Quarters, n: Quarters) -> Quarters { all!(scale_exponent4; x, n) }
        fn where_nonzero(x: Quarters, test: Quarters) -> Quarters { all!(where_nonzero4; x, test) }
        fn where_seen(x: Quarters, score: Quarters) -> Quarters { all!(where_seen4; x, score) }
        fn within(x: Quarters, first: usize, end: usize, other: Quarters) -> Quarters {{
            let (first, end) = (vdupq_n_u32(first as u32), vdupq_n_u32(end as u32));
            let index = vld1q_u32([0, 1, 2, 3].as_ptr());
            let index = [
                index,
                vaddq_u32(index, vdupq_n_u32(4)),
                vaddq_u32(index, vdupq_n_u32(8)),
                vaddq_u32(index, vdupq_n_u32(12)),
            ];
            all!(within4; x, index, [first; 4], [end; 4], other)
        }}
        fn sum(x: Quarters) -> f32 { sum16(x) }
        fn largest(x: Quarters) -> f32 { vmaxnmvq_f32(max4(max4(x[0], x[1]), max4(x[2], x[3]))) }
        fn to_i8(x: [Quarters; 2], at: &mut [i8; 2 * LANES]) -> [i32; 2] {{
            let (a, b) = (bytes(x[0]), bytes(x[1]));
            vst1q_s8(at.as_mut_ptr(), a);
            vst1q_s8(at.as_mut_ptr().add(LANES), b);
            [i32::from(vaddlvq_s8(a)), i32::from(vaddlvq_s8(b))]
        }}
    }

    #[inline(always)]
    unsafe fn load_f16_at(self, at: *const f16) -> Self::V {
        // SAFETY: readable by the caller's promise; an array of f16 may lie wherever one may.
        self.load_f16(unsafe { &*at.cast() })
    }

    #[inline(always)]
    fn prefetch<T>(self, at: *const T) {
        // SAFETY: a hint, which no address can turn into a fault.
        unsafe {
            std::arch::asm!("prfm pldl2keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags));
        }
    }
}

/// `b` where one of them is NaN.
#[inline]
#[target_feature(enable = "neon")]
fn min4(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vbslq_f32(vcltq_f32(a, b), a, b)
}

/// `b` where one of them is NaN.
#[inline]
#[target_feature(enable = "neon")]
fn max4(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vbslq_f32(vcgtq_f32(a, b), a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn fms4(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    vfmaq_f32(vnegq_f32(c), a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn scale_exponent4(x: float32x4_t, n: float32x4_t) -> float32x4_t {
    let n = vshlq_n_s32::<23>(vcvtq_s32_f32(n));
    vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x), n))
}

#[inline]
#[target_feature(enable = "neon")]
fn where_nonzero4(x: float32x4_t, test: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(x), vceqzq_f32(test)))
}

#[inline]
#[target_feature(enable = "neon")]
fn where_seen4(x: float32x4_t, score: float32x4_t) -> float32x4_t {
    let unseen = vceqq_f32(score, vdupq_n_f32(f32::NEG_INFINITY));
    vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(x), unseen))
}

/// `x` in the lanes whose `index` is in `first..end`.
#[inline]
#[target_feature(enable = "neon")]
fn within4(x: float32x4_t, index: uint32x4_t, first: uint32x4_t, end: uint32x4_t, other: float32x4_t) -> float32x4_t {
    vbslq_f32(vandq_u32(vcgeq_u32(index, first), vcltq_u32(index, end)), x, other)
}

/// Adds lanes `i` and `i + 8`, then `i + 4`, `i + 2`, `i + 1`.
#[inline]
#[target_feature(enable = "neon")]
fn sum16(x: Quarters) -> f32 {
    let x = vaddq_f32(vaddq_f32(x[0], x[2]), vaddq_f32(x[1], x[3]));
    let x = vadd_f32(vget_low_f32(x), vget_high_f32(x));
    vpadds_f32(x)
}

/// Rounds sixteen numbers between −128 and 127, ties to even.
#[inline]
#[target_feature(enable = "neon")]
fn bytes(x: Quarters) -> int8x16_t {
    let x = all!(vcvtnq_s32_f32; x);
    let low = vcombine_s16(vmovn_s32(x[0]), vmovn_s32(x[1]));
    let high = vcombine_s16(vmovn_s32(x[2]), vmovn_s32(x[3]));
    vcombine_s8(vmovn_s16(low), vmovn_s16(high))
}

row_kernel!(Neon, "neon", "neon");
attention_kernel!(Neon, "neon", "neon", panels);

/// All queries with 32 registers of four lanes.
#[inline(always)]
fn panels(l: Neon, block: &mut Block<'_>) {
    loop {
        match block.left() {
            0 => return,
            1 => panel::<_, 1, 2>(l, block),
            2 | 3 => panel::<_, 2, 2>(l, block),
            // Two panels of four are faster than one of six and one of two.
            n if n < 6 || n % 6 == 2 => panel::<_, 4, 1>(l, block),
            _ => panel::<_, 6, 1>(l, block),
        }
    }
}
