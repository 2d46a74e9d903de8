//! Weights that are floats.

use super::isa::{Float, Isa, Vector};
use crate::{
    activations::ActivationRows,
    format::STRIP_ROWS,
    ops::{Out, Strips},
};

/// A format of floats.
pub(super) trait Floats {
    /// Bytes of a weight.
    const SIZE: usize;

    /// The weights of the lanes that start at `at`.
    ///
    /// # Safety
    /// The instruction set must be there and `at` valid for reads.
    unsafe fn load<I: Isa>(at: *const u8) -> Float<I>;
}

macro_rules! floats {
    ($name:ident, $size:literal, $load:ident, $cast:ty) => {
        pub(super) struct $name;

        impl Floats for $name {
            const SIZE: usize = $size;

            #[inline(always)]
            unsafe fn load<I: Isa>(at: *const u8) -> Float<I> {
                // SAFETY: by the caller's promise.
                unsafe { I::V::$load(at.cast::<$cast>()) }
            }
        }
    };
}

floats!(F32, 4, load_f32, f32);
floats!(F16, 2, load_f16, u8);
floats!(BF16, 2, load_bf16, u8);

/// `R` rows times all strips, one vector of weights at a time.
///
/// # Safety
/// The instruction set must be there, `x` have `R` rows, and `out` be valid for writes.
#[inline(always)]
pub(super) unsafe fn rows<I: Isa, F: Floats, const R: usize>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
    debug_assert!(x.rows == R);
    let (width, lanes) = (x.width, I::V::LANES);
    // SAFETY: a strip is `width` times sixteen weights and a row an even number of values; the rest by the caller's
    // promise.
    unsafe {
        for vector in 0..weights.count() * STRIP_ROWS / lanes {
            let (strip, lane) = (vector * lanes / STRIP_ROWS, vector * lanes % STRIP_ROWS);
            let at = weights.bytes.as_ptr().add((strip * width * STRIP_ROWS + lane) * F::SIZE);
            let mut even = [I::V::zero(); R];
            let mut odd = [I::V::zero(); R];
            for k in (0..width).step_by(2) {
                let first = F::load::<I>(at.add(k * STRIP_ROWS * F::SIZE));
                let second = F::load::<I>(at.add((k + 1) * STRIP_ROWS * F::SIZE));
                for row in 0..R {
                    let x = x.exact.as_ptr().add(row * width + k);
                    even[row] = I::V::fma(first, I::V::splat(x.read()), even[row]);
                    odd[row] = I::V::fma(second, I::V::splat(x.add(1).read()), odd[row]);
                }
            }
            for row in 0..R {
                I::V::store_f32(out.at.add(row * out.stride + vector * lanes), I::V::add(even[row], odd[row]));
            }
        }
    }
}
