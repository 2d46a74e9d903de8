//! 512-bit vectors: a strip is one vector wide.

use std::arch::x86_64::*;

use super::{
    Avx512Vnni,
    formats::Quantized,
    isa::{Int, Isa, Vector, spread},
};

/// 512-bit vectors.
#[derive(Debug)]
pub(super) struct Wide;

impl Vector for Wide {
    type Int = __m512i;
    type Float = __m512;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn load(at: *const u8) -> __m512i {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_loadu_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn splat_int(value: i32) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn shifted(a: __m512i, left: i32) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe {
            match left {
                4 => _mm512_slli_epi32::<4>(a),
                3 => _mm512_slli_epi32::<3>(a),
                2 => _mm512_slli_epi32::<2>(a),
                1 => _mm512_slli_epi32::<1>(a),
                -1 => _mm512_srli_epi32::<1>(a),
                -2 => _mm512_srli_epi32::<2>(a),
                -3 => _mm512_srli_epi32::<3>(a),
                -4 => _mm512_srli_epi32::<4>(a),
                _ => a,
            }
        }
    }

    #[inline(always)]
    unsafe fn and(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    unsafe fn or(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_or_si512(a, b) }
    }

    #[inline(always)]
    unsafe fn xor(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    unsafe fn to_float(a: __m512i) -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_cvtepi32_ps(a) }
    }

    #[inline(always)]
    unsafe fn zero() -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_f32(at: *const f32) -> __m512 {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn store_f32(at: *mut f32, a: __m512) {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_storeu_ps(at, a) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const u8) -> __m512 {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u8) -> __m512 {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(at.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn load_i8(at: *const u8) -> __m512 {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_u8(at: *const u8) -> __m512 {
        // SAFETY: the caller has AVX-512 and a valid pointer.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn negated(a: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512 with DQ.
        unsafe { _mm512_xor_ps(a, _mm512_set1_ps(-0.0)) }
    }

    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
}

impl Isa for Avx512Vnni {
    type V = Wide;
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
                        // SAFETY: the caller has AVX-512 VNNI, and `4 · N` activations behind each pointer.
                        unsafe {
                            let four = _mm512_set1_epi32(x[row].add(4 * $g).cast::<i32>().read_unaligned());
                            for vector in 0..VS {
                                let w = w[vector][(FROM + $g) % 8];
                                sums[row][vector] = _mm512_dpbusd_epi32(sums[row][vector], w, four);
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
