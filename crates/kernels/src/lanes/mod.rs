//! Rows and attention, written once for every set of vector instructions, in sixteen lanes of f32: one register, two halves
//! or four quarters.
//!
//! A type that implements [`Lanes`] is the proof that the processor has the instructions, so that using them is safe. Code
//! written for any [`Lanes`] has to be inlined into a function with the features of its proof; otherwise every instruction
//! would be a call. So everything here is `#[inline(always)]`, and closures are avoided. [`row_kernel`] and
//! [`attention_kernel`] make kernels of a proof.

pub(crate) mod attention;
pub(crate) mod elements;
mod math;
pub(crate) mod quantize;

use half::f16;

/// Lanes of a vector.
pub(crate) const LANES: usize = 16;

/// Sixteen f32 at a time.
pub(crate) trait Lanes: Copy {
    /// Sixteen f32.
    type V: Copy;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, at: &[f32; LANES]) -> Self::V;
    fn store(self, x: Self::V, at: &mut [f32; LANES]);
    fn load_f16(self, at: &[f16; LANES]) -> Self::V;
    /// Ties to even.
    fn store_f16(self, x: Self::V, at: &mut [f16; LANES]);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `b` where one of them is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `b` where one of them is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    fn abs(self, x: Self::V) -> Self::V;
    /// `a · b + c`, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a · b − c`, rounded once.
    fn fms(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// To whole numbers, ties to even.
    fn round(self, x: Self::V) -> Self::V;
    /// `x · 2ⁿ` by adding to the exponent, for whole `n`.
    fn scale_exponent(self, x: Self::V, n: Self::V) -> Self::V;
    /// `x` where `test` is not zero, otherwise zero.
    fn where_nonzero(self, x: Self::V, test: Self::V) -> Self::V;
    /// `x` in lanes `first..end` (within 0..=16), `other` elsewhere.
    fn within(self, x: Self::V, first: usize, end: usize, other: Self::V) -> Self::V;
    /// The sum as the tree that [`crate::ops`] prescribes.
    fn sum(self, x: Self::V) -> f32;
    /// The largest.
    fn largest(self, x: Self::V) -> f32;
    /// Rounds 32 numbers between −128 and 127, ties to even; the sums of both halves.
    fn to_i8(self, x: [Self::V; 2], at: &mut [i8; 2 * LANES]) -> [i32; 2];

    /// The largest of each, in lane `i` that of vector `i`.
    #[inline(always)]
    fn largest_of_each(self, x: &[Self::V; LANES]) -> Self::V {
        let mut all = [0f32; LANES];
        for (largest, x) in all.iter_mut().zip(x) {
            *largest = self.largest(*x);
        }
        self.load(&all)
    }

    /// [`Self::to_i8`] for 64 numbers.
    #[inline(always)]
    fn to_i8_twice(self, [a, b]: [[Self::V; 2]; 2], at: &mut [[i8; 2 * LANES]; 2]) -> [[i32; 2]; 2] {
        let [at_a, at_b] = at;
        [self.to_i8(a, at_a), self.to_i8(b, at_b)]
    }

    /// `x` where `score` is not −∞, otherwise zero.
    fn where_seen(self, x: Self::V, score: Self::V) -> Self::V;
    /// Sixteen f16 from `at` on.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load_f16_at(self, at: *const f16) -> Self::V;
    /// Asks for the cache line of `at`, which may be any address.
    fn prefetch<T>(self, at: *const T);
}

/// Bodies of methods that are one unsafe expression.
macro_rules! proven {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)? { $body:expr })*) => {$(
        #[inline(always)]
        $(#[$meta])*
        fn $name(self, $($arg: $ty),*) $(-> $ret)? {
            // SAFETY: `self` proves that the processor has the instructions; what is read and written are whole arrays.
            unsafe { $body }
        }
    )*};
}

/// A method that runs its generic form with the features of its proof.
macro_rules! with_features {
    ($proof:ty, $features:literal, $form:path, $($arg:ident: $ty:ty),* => $ret:ty) => {{
        #[target_feature(enable = $features)]
        fn with(proof: $proof, $($arg: $ty),*) -> $ret {
            $form(proof, $($arg),*)
        }
        with
    }};
}

macro_rules! row_kernel {
    ($proof:ty, $name:literal, $features:literal) => {
        impl crate::ops::RowKernel for $proof {
            fn name(&self) -> &'static str {
                $name
            }

            fn quantize(&self, x: &[f32], out: crate::activations::BlocksMut<'_>) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::quantize::quantize, x: &[f32], out: crate::activations::BlocksMut<'_> => ());
                // SAFETY: `self` proves that the processor has the features.
                unsafe { with(*self, x, out) }
            }

            fn inverse_rms(&self, x: &[f32], eps: f32) -> f32 {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::inverse_rms, x: &[f32], eps: f32 => f32);
                // SAFETY: as above.
                unsafe { with(*self, x, eps) }
            }

            fn scale(&self, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::scale,
                    x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, factor, weight, out) }
            }

            fn add_scaled(&self, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::add_scaled,
                    x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32 => ());
                // SAFETY: as above.
                unsafe { with(*self, x, y, factor, weight, gain) }
            }

            fn rotate(&self, x: &mut [f32], cos: &[f32], sin: &[f32]) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::rotate,
                    x: &mut [f32], cos: &[f32], sin: &[f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, cos, sin) }
            }

            fn gelu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::gelu_mul,
                    gate: &[f32], up: &[f32], out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, gate, up, out) }
            }

            fn combine(&self, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::combine,
                    a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, a, scale_a, b, gain, out) }
            }

            fn softcap(&self, x: &mut [f32], cap: f32) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::softcap, x: &mut [f32], cap: f32 => ());
                // SAFETY: as above.
                unsafe { with(*self, x, cap) }
            }

            fn to_f16(&self, x: &[f32], out: &mut [half::f16]) {
                let with = crate::lanes::with_features!($proof, $features, crate::lanes::elements::to_f16, x: &[f32], out: &mut [half::f16] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, out) }
            }
        }
    };
}

/// [`crate::ops::AttentionKernel`] for a proof; `$panels` says how many queries are taken at once.
macro_rules! attention_kernel {
    ($proof:ty, $name:literal, $features:literal, $panels:path) => {
        impl crate::ops::AttentionKernel for $proof {
            fn name(&self) -> &'static str {
                $name
            }

            fn block(&self, block: &crate::ops::KeyBlock<'_>, out: crate::ops::Gathered<'_>) {
                #[target_feature(enable = $features)]
                fn with(proof: $proof, block: &crate::ops::KeyBlock<'_>, out: crate::ops::Gathered<'_>) {
                    $panels(proof, &mut crate::lanes::attention::Block::new(block, out));
                }
                // SAFETY: `self` proves that the processor has the features.
                unsafe { with(*self, block, out) }
            }

            fn merge(&self, to: crate::ops::Gathered<'_>, from: (f32, f32, &[f32])) {
                #[target_feature(enable = $features)]
                fn with(proof: $proof, to: crate::ops::Gathered<'_>, from: (f32, f32, &[f32])) {
                    crate::lanes::attention::merge(proof, to, from);
                }
                // SAFETY: as above.
                unsafe { with(*self, to, from) }
            }
        }
    };
}

pub(crate) use {attention_kernel, proven, row_kernel, with_features};
