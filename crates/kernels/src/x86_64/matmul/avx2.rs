//! 256-bit vectors: a strip is two vectors wide.

use std::arch::x86_64::*;

use super::{
    Avx2, AvxVnni,
    formats::Quantized,
    isa::{Int, Isa, Vector, spread},
};

/// 256-bit vectors.
#[derive(Debug)]
pub(super) struct Half;

impl Vector for Half {
    type Int = __m256i;
    type Float = __m256;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn load(at: *const u8) -> __m256i {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe { _mm256_loadu_si256(at.cast()) }
    }

    #[inline(always)]
    unsafe fn splat_int(value: i32) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn shifted(a: __m256i, left: i32) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe {
            match left {
                4 => _mm256_slli_epi32::<4>(a),
                3 => _mm256_slli_epi32::<3>(a),
                2 => _mm256_slli_epi32::<2>(a),
                1 => _mm256_slli_epi32::<1>(a),
                -1 => _mm256_srli_epi32::<1>(a),
                -2 => _mm256_srli_epi32::<2>(a),
                -3 => _mm256_srli_epi32::<3>(a),
                -4 => _mm256_srli_epi32::<4>(a),
                _ => a,
            }
        }
    }

    #[inline(always)]
    unsafe fn and(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    unsafe fn or(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_or_si256(a, b) }
    }

    #[inline(always)]
    unsafe fn xor(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    unsafe fn to_float(a: __m256i) -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_cvtepi32_ps(a) }
    }

    #[inline(always)]
    unsafe fn zero() -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> __m256 {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe { _mm256_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn store_f32(at: *mut f32, a: __m256) {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe { _mm256_storeu_ps(at, a) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const u8) -> __m256 {
        // SAFETY: the caller has F16C and a valid pointer.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u8) -> __m256 {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn load_i8(at: *const u8) -> __m256 {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_u8(at: *const u8) -> __m256 {
        // SAFETY: the caller has AVX2 and a valid pointer.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn negated(a: __m256) -> __m256 {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_xor_ps(a, _mm256_set1_ps(-0.0)) }
    }

    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the caller has FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}

impl Isa for AvxVnni {
    type V = Half;
    const SIGNED_BYTES: bool = false;

    #[inline(always)]
    unsafe fn dots<F: Quantized, const FROM: usize, const N: usize, const R: usize, const VS: usize>(
        w: &[[Int<Self>; 8]; VS],
        x: [*const i8; R],
        start: [Int<Self>; R],
    ) -> [[Int<Self>; VS]; R] {
        let mut sums = spread(start);
        // Rows and vectors are the inner loops: each sum is a chain of products, and only other sums fill the wait. The
        // outer loop is written out, since the weights stay in registers only if no index is left to run time.
        macro_rules! fours {
            ($($g:literal)+) => {
                $(if $g < N {
                    for row in 0..R {
                        // SAFETY: the caller has AVX-VNNI, and `4 · N` activations behind each pointer.
                        unsafe {
                            let four = _mm256_set1_epi32(x[row].add(4 * $g).cast::<i32>().read_unaligned());
                            for vector in 0..VS {
                                let w = w[vector][(FROM + $g) % 8];
                                sums[row][vector] = _mm256_dpbusd_avx_epi32(sums[row][vector], w, four);
                            }
                        }
                    }
                })+
            };
        }
        fours!(0 1 2 3 4 5 6 7);
        sums
    }
}

/// Products of four activations with four weights a lane, added in pairs to 16 bits.
///
/// # Safety
/// AVX2, and four activations at `x`.
#[inline(always)]
unsafe fn pairs<F: Quantized>(x: *const i8, w: __m256i) -> __m256i {
    // SAFETY: by the caller's promise.
    unsafe {
        let four = _mm256_set1_epi32(x.cast::<i32>().read_unaligned());
        if F::BITS == 8 {
            // The weight's sign goes over to the activation, which is never −128.
            _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(four, w))
        } else {
            _mm256_maddubs_epi16(w, four)
        }
    }
}

impl Isa for Avx2 {
    type V = Half;
    const SIGNED_BYTES: bool = true;

    #[inline(always)]
    unsafe fn dots<F: Quantized, const FROM: usize, const N: usize, const R: usize, const VS: usize>(
        w: &[[Int<Self>; 8]; VS],
        x: [*const i8; R],
        start: [Int<Self>; R],
    ) -> [[Int<Self>; VS]; R] {
        // Two products of unsigned and signed bytes are added to 16 bits, where they must not saturate: as many of these
        // sums as fit are added before they become 32 bits wide. 15 · 127 · 2 · 8 = 30 480, 31 · 127 · 2 · 4 = 31 496,
        // 63 · 127 · 2 · 2 = 32 004; a signed byte's magnitude: 128 · 127 · 2 = 32 512.
        let together = match F::BITS {
            0..=4 => 8,
            5 => 4,
            6 => 2,
            _ => 1,
        };
        let mut sums = spread(start);
        for row in 0..R {
            for vector in 0..VS {
                // SAFETY: the caller has AVX2, and `4 · N` activations behind each pointer.
                unsafe {
                    for first in (0..N).step_by(together) {
                        let mut sum = pairs::<F>(x[row].add(4 * first), w[vector][FROM + first]);
                        for g in first + 1..N.min(first + together) {
                            sum = _mm256_add_epi16(sum, pairs::<F>(x[row].add(4 * g), w[vector][FROM + g]));
                        }
                        let fours = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
                        sums[row][vector] = _mm256_add_epi32(sums[row][vector], fours);
                    }
                }
            }
        }
        sums
    }
}
