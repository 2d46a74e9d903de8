//! What is done to single rows.

mod elements;
mod quantize;

use half::f16;

use super::lanes::{Avx2, Avx512};
use crate::{activations::BlocksMut, ops::RowKernel};

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
        impl RowKernel for $proof {
            fn name(&self) -> &'static str {
                $name
            }

            fn quantize(&self, x: &[f32], out: BlocksMut<'_>) {
                let with = with_features!($proof, $features, quantize::quantize, x: &[f32], out: BlocksMut<'_> => ());
                // SAFETY: `self` proves that the processor has the features.
                unsafe { with(*self, x, out) }
            }

            fn inverse_rms(&self, x: &[f32], eps: f32) -> f32 {
                let with = with_features!($proof, $features, elements::inverse_rms, x: &[f32], eps: f32 => f32);
                // SAFETY: as above.
                unsafe { with(*self, x, eps) }
            }

            fn scale(&self, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]) {
                let with = with_features!($proof, $features, elements::scale,
                    x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, factor, weight, out) }
            }

            fn add_scaled(&self, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32) {
                let with = with_features!($proof, $features, elements::add_scaled,
                    x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32 => ());
                // SAFETY: as above.
                unsafe { with(*self, x, y, factor, weight, gain) }
            }

            fn rotate(&self, x: &mut [f32], cos: &[f32], sin: &[f32]) {
                let with = with_features!($proof, $features, elements::rotate,
                    x: &mut [f32], cos: &[f32], sin: &[f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, cos, sin) }
            }

            fn gelu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
                let with = with_features!($proof, $features, elements::gelu_mul,
                    gate: &[f32], up: &[f32], out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, gate, up, out) }
            }

            fn combine(&self, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]) {
                let with = with_features!($proof, $features, elements::combine,
                    a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32] => ());
                // SAFETY: as above.
                unsafe { with(*self, a, scale_a, b, gain, out) }
            }

            fn softcap(&self, x: &mut [f32], cap: f32) {
                let with = with_features!($proof, $features, elements::softcap, x: &mut [f32], cap: f32 => ());
                // SAFETY: as above.
                unsafe { with(*self, x, cap) }
            }

            fn to_f16(&self, x: &[f32], out: &mut [f16]) {
                let with = with_features!($proof, $features, elements::to_f16, x: &[f32], out: &mut [f16] => ());
                // SAFETY: as above.
                unsafe { with(*self, x, out) }
            }
        }
    };
}

row_kernel!(Avx512, "avx512", "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c");
row_kernel!(Avx2, "avx2", "avx2,fma,f16c");
