//! Sixteen lanes of f32, in one register or in two halves.

use std::arch::x86_64::*;

use half::f16;

use crate::lanes::{
    LANES, Lanes,
    attention::{Block, panel},
    attention_kernel, proven, row_kernel,
};

/// Proof of AVX-512 F, BW, DQ and VL, with AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(());

/// Proof of AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

impl Avx512 {
    /// If this processor has the instructions and the system keeps their registers.
    pub fn new() -> Option<Self> {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        (wide && Avx2::new().is_some()).then_some(Self(()))
    }
}

impl Avx2 {
    /// If this processor has the instructions and the system keeps their registers.
    pub fn new() -> Option<Self> {
        let has =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
        has.then_some(Self(()))
    }
}

impl Lanes for Avx512 {
    type V = __m512;

    proven! {
        fn splat(x: f32) -> __m512 { _mm512_set1_ps(x) }
        fn load(at: &[f32; LANES]) -> __m512 { _mm512_loadu_ps(at.as_ptr()) }
        fn store(x: __m512, at: &mut [f32; LANES]) { _mm512_storeu_ps(at.as_mut_ptr(), x) }
        fn load_f16(at: &[f16; LANES]) -> __m512 { _mm512_cvtph_ps(_mm256_loadu_si256(at.as_ptr().cast())) }
        fn store_f16(x: __m512, at: &mut [f16; LANES]) {
            _mm256_storeu_si256(at.as_mut_ptr().cast(), _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x))
        }
        fn add(a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn sub(a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn mul(a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn min(a: __m512, b: __m512) -> __m512 { _mm512_min_ps(a, b) }
        fn max(a: __m512, b: __m512) -> __m512 { _mm512_max_ps(a, b) }
        fn abs(x: __m512) -> __m512 { _mm512_abs_ps(x) }
        fn fma(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn fms(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmsub_ps(a, b, c) }
        fn round(x: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
        }
        fn scale_exponent(x: __m512, n: __m512) -> __m512 {
            _mm512_castsi512_ps(_mm512_add_epi32(
                _mm512_castps_si512(x),
                _mm512_slli_epi32::<23>(_mm512_cvttps_epi32(n)),
            ))
        }
        fn where_nonzero(x: __m512, test: __m512) -> __m512 {
            _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(test, _mm512_setzero_ps()), x)
        }
        fn where_seen(x: __m512, score: __m512) -> __m512 {
            _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(score, _mm512_set1_ps(f32::NEG_INFINITY)), x)
        }
        fn within(x: __m512, first: usize, end: usize, other: __m512) -> __m512 {
            _mm512_mask_mov_ps(other, (((1u32 << end) - 1) & !((1u32 << first) - 1)) as u16, x)
        }
        fn sum(x: __m512) -> f32 {
            sum8(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)))
        }
        fn largest(x: __m512) -> f32 {
            largest8(_mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)))
        }
        fn to_i8(x: [__m512; 2], at: &mut [i8; 2 * LANES]) -> [i32; 2] {{
            let [a, b] = x;
            let a = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a));
            let b = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(b));
            store_and_sum(_mm256_set_m128i(b, a), at)
        }}
        fn largest_of_each(x: &[__m512; LANES]) -> __m512 {{
            let (low, high) = (quarters(four(x, 0), four(x, 4)), quarters(four(x, 8), four(x, 12)));
            quarters(low, high)
        }}
        fn to_i8_twice(x: [[__m512; 2]; 2], at: &mut [[i8; 2 * LANES]; 2]) -> [[i32; 2]; 2] {{
            let [[a0, a1], [b0, b1]] = x;
            let a = _mm512_packs_epi32(_mm512_cvtps_epi32(a0), _mm512_cvtps_epi32(a1));
            let b = _mm512_packs_epi32(_mm512_cvtps_epi32(b0), _mm512_cvtps_epi32(b1));
            // Packing works within 128-bit quarters: of each of the four there are four numbers in every quarter.
            let q = _mm512_packs_epi16(a, b);
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            let q = _mm512_permutexvar_epi32(order, q);
            _mm512_storeu_si512(at.as_mut_ptr().cast(), q);
            // Sums of bytes are there for unsigned ones only: 128 is added to each of eight, and taken off.
            let unsigned = _mm512_xor_si512(q, _mm512_set1_epi8(i8::MIN));
            let mut sums = [0i64; 8];
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), _mm512_sad_epu8(unsigned, _mm512_setzero_si512()));
            let less = 128 * LANES as i32;
            [
                [(sums[0] + sums[1]) as i32 - less, (sums[2] + sums[3]) as i32 - less],
                [(sums[4] + sums[5]) as i32 - less, (sums[6] + sums[7]) as i32 - less],
            ]
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
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
}

/// Two halves of eight lanes.
type Halves = (__m256, __m256);

/// Applies an instruction to both halves.
macro_rules! both {
    ($instruction:expr; $($x:ident),+) => { ($instruction($($x.0),+), $instruction($($x.1),+)) };
}

impl Lanes for Avx2 {
    type V = Halves;

    proven! {
        fn splat(x: f32) -> Halves { (_mm256_set1_ps(x), _mm256_set1_ps(x)) }
        fn load(at: &[f32; LANES]) -> Halves { (_mm256_loadu_ps(at.as_ptr()), _mm256_loadu_ps(at.as_ptr().add(8))) }
        fn store(x: Halves, at: &mut [f32; LANES]) {{
            _mm256_storeu_ps(at.as_mut_ptr(), x.0);
            _mm256_storeu_ps(at.as_mut_ptr().add(8), x.1)
        }}
        fn load_f16(at: &[f16; LANES]) -> Halves {{
            let at: *const __m128i = at.as_ptr().cast();
            (_mm256_cvtph_ps(_mm_loadu_si128(at)), _mm256_cvtph_ps(_mm_loadu_si128(at.add(1))))
        }}
        fn store_f16(x: Halves, at: &mut [f16; LANES]) {{
            let at: *mut __m128i = at.as_mut_ptr().cast();
            _mm_storeu_si128(at, _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x.0));
            _mm_storeu_si128(at.add(1), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x.1))
        }}
        fn add(a: Halves, b: Halves) -> Halves { both!(_mm256_add_ps; a, b) }
        fn sub(a: Halves, b: Halves) -> Halves { both!(_mm256_sub_ps; a, b) }
        fn mul(a: Halves, b: Halves) -> Halves { both!(_mm256_mul_ps; a, b) }
        fn div(a: Halves, b: Halves) -> Halves { both!(_mm256_div_ps; a, b) }
        fn min(a: Halves, b: Halves) -> Halves { both!(_mm256_min_ps; a, b) }
        fn max(a: Halves, b: Halves) -> Halves { both!(_mm256_max_ps; a, b) }
        fn abs(x: Halves) -> Halves {{
            let sign = _mm256_set1_ps(-0.0);
            (_mm256_andnot_ps(sign, x.0), _mm256_andnot_ps(sign, x.1))
        }}
        fn fma(a: Halves, b: Halves, c: Halves) -> Halves { both!(_mm256_fmadd_ps; a, b, c) }
        fn fms(a: Halves, b: Halves, c: Halves) -> Halves { both!(_mm256_fmsub_ps; a, b, c) }
        fn round(x: Halves) -> Halves {
            both!(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>; x)
        }
        fn scale_exponent(x: Halves, n: Halves) -> Halves { both!(scale_exponent8; x, n) }
        fn where_nonzero(x: Halves, test: Halves) -> Halves { both!(where_nonzero8; x, test) }
        fn where_seen(x: Halves, score: Halves) -> Halves { both!(where_seen8; x, score) }
        fn within(x: Halves, first: usize, end: usize, other: Halves) -> Halves {{
            let (first, end) = (_mm256_set1_epi32(first as i32 - 1), _mm256_set1_epi32(end as i32));
            let low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let high = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
            (within8(x.0, low, first, end, other.0), within8(x.1, high, first, end, other.1))
        }}
        fn sum(x: Halves) -> f32 { sum8(_mm256_add_ps(x.0, x.1)) }
        fn largest(x: Halves) -> f32 { largest8(_mm256_max_ps(x.0, x.1)) }
        fn to_i8(x: [Halves; 2], at: &mut [i8; 2 * LANES]) -> [i32; 2] {{
            let a = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0].0), _mm256_cvtps_epi32(x[0].1));
            let b = _mm256_packs_epi32(_mm256_cvtps_epi32(x[1].0), _mm256_cvtps_epi32(x[1].1));
            // Packing works within 128-bit halves: groups of four come out as 0, 2, 4, 6, 1, 3, 5, 7.
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            store_and_sum(_mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order), at)
        }}
        fn largest_of_each(x: &[Halves; LANES]) -> Halves {
            (largest_of_eight(&x[0..8]), largest_of_eight(&x[8..16]))
        }
    }

    #[inline(always)]
    unsafe fn load_f16_at(self, at: *const f16) -> Self::V {
        // SAFETY: readable by the caller's promise; an array of f16 may lie wherever one may.
        self.load_f16(unsafe { &*at.cast() })
    }

    #[inline(always)]
    fn prefetch<T>(self, at: *const T) {
        // SAFETY: a hint, which no address can turn into a fault.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn scale_exponent8(x: __m256, n: __m256) -> __m256 {
    let n = _mm256_slli_epi32::<23>(_mm256_cvttps_epi32(n));
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), n))
}

#[inline]
#[target_feature(enable = "avx2")]
fn where_nonzero8(x: __m256, test: __m256) -> __m256 {
    _mm256_and_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(test, _mm256_setzero_ps()), x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn where_seen8(x: __m256, score: __m256) -> __m256 {
    _mm256_and_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(score, _mm256_set1_ps(f32::NEG_INFINITY)), x)
}

/// `x` in the lanes whose `index` lies above `before` and below `end`.
#[inline]
#[target_feature(enable = "avx2")]
fn within8(x: __m256, index: __m256i, before: __m256i, end: __m256i, other: __m256) -> __m256 {
    let inside = _mm256_and_si256(_mm256_cmpgt_epi32(index, before), _mm256_cmpgt_epi32(end, index));
    _mm256_blendv_ps(other, x, _mm256_castsi256_ps(inside))
}

/// Adds lanes `i` and `i + 4`, then `i + 2`, `i + 1`.
#[inline]
#[target_feature(enable = "avx2")]
fn sum8(x: __m256) -> f32 {
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn largest8(x: __m256) -> f32 {
    let x = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)))
}

/// Of four vectors from `at` on the largest of each quarter, side by side in every quarter.
#[inline]
#[target_feature(enable = "avx512f")]
fn four(x: &[__m512; LANES], at: usize) -> __m512 {
    let two = two_largest512(x[at], x[at + 1]);
    let (a, b) = (_mm512_castps_pd(two), _mm512_castps_pd(two_largest512(x[at + 2], x[at + 3])));
    let (low, high) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
    _mm512_max_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high))
}

/// In every quarter the larger of elements 0 and 2 of `a` and of `b`, and of elements 1 and 3.
#[inline]
#[target_feature(enable = "avx512f")]
fn two_largest512(a: __m512, b: __m512) -> __m512 {
    _mm512_max_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b))
}

/// The larger of quarters 0 and 1 of `a`, of its quarters 2 and 3, and the same of `b`.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarters(a: __m512, b: __m512) -> __m512 {
    let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
    _mm512_max_ps(even, _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b))
}

/// The largest of each of eight.
#[inline]
#[target_feature(enable = "avx2")]
fn largest_of_eight(x: &[Halves]) -> __m256 {
    // Halves of what is left of two vectors go side by side, until nothing but the largest is left of eight.
    let mut four = [_mm256_setzero_ps(); 2];
    for (four, x) in four.iter_mut().zip(x.as_chunks::<4>().0) {
        let a = two_largest(_mm256_max_ps(x[0].0, x[0].1), _mm256_max_ps(x[1].0, x[1].1));
        let b = two_largest(_mm256_max_ps(x[2].0, x[2].1), _mm256_max_ps(x[3].0, x[3].1));
        let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
        let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        *four = _mm256_max_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high));
    }
    let [a, b] = four;
    _mm256_max_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b))
}

/// In every half the larger of elements 0 and 2 of `a` and of `b`, and of elements 1 and 3.
#[inline]
#[target_feature(enable = "avx2")]
fn two_largest(a: __m256, b: __m256) -> __m256 {
    _mm256_max_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
}

/// Stores 32 bytes; the sums of both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn store_and_sum(q: __m256i, at: &mut [i8; 2 * LANES]) -> [i32; 2] {
    // SAFETY: the array has the 32 bytes that are written.
    unsafe { _mm256_storeu_si256(at.as_mut_ptr().cast(), q) };
    // Sums of bytes are there for unsigned ones only: 128 is added to each of eight, and taken off.
    let sums = _mm256_sad_epu8(_mm256_xor_si256(q, _mm256_set1_epi8(i8::MIN)), _mm256_setzero_si256());
    let sums = _mm256_add_epi64(sums, _mm256_shuffle_epi32::<0b01_00_11_10>(sums));
    let low = _mm_cvtsi128_si32(_mm256_castsi256_si128(sums));
    let high = _mm_cvtsi128_si32(_mm256_extracti128_si256::<1>(sums));
    [low - 128 * LANES as i32, high - 128 * LANES as i32]
}

row_kernel!(Avx512, "avx512", "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c");
row_kernel!(Avx2, "avx2", "avx2,fma,f16c");
attention_kernel!(Avx512, "avx512", "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c", panels32);
attention_kernel!(Avx2, "avx2", "avx2,fma,f16c", panels16);

/// All queries with 32 registers of sixteen lanes.
#[inline(always)]
fn panels32(l: Avx512, block: &mut Block<'_>) {
    loop {
        match block.left() {
            0 => return,
            1 => panel::<_, 1, 4>(l, block),
            2 | 3 => panel::<_, 2, 4>(l, block),
            4..8 => panel::<_, 4, 4>(l, block),
            8..16 => panel::<_, 8, 2>(l, block),
            16..24 => panel::<_, 16, 1>(l, block),
            24.. => panel::<_, 24, 1>(l, block),
        }
    }
}

/// All queries with 16 registers of eight lanes.
#[inline(always)]
fn panels16(l: Avx2, block: &mut Block<'_>) {
    loop {
        match block.left() {
            0 => return,
            1 => panel::<_, 1, 4>(l, block),
            2 | 3 => panel::<_, 2, 2>(l, block),
            // Two panels of four are faster than one of six and one of two.
            n if n < 6 || n % 6 == 2 => panel::<_, 4, 1>(l, block),
            _ => panel::<_, 6, 1>(l, block),
        }
    }
}
