//! Weights that are floats.

use std::{
    arch::x86_64::{_MM_HINT_T0, _mm_prefetch},
    cell::RefCell,
};

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

/// How far ahead of the reads memory is asked for, as in `direct`.
const AHEAD: usize = 4096;

/// From so many strips on it pays to bring the rows into pairs first.
pub(super) const WORTH_PAIRING: usize = 4;

/// `R` rows times all strips, `VS` vectors of a strip at a time. `PAIRED` says that `x` has been through [`paired`];
/// otherwise it is `(R, width)`.
///
/// # Safety
/// The instruction set must be there, `x` have `R` rows of `weights.width` values, and `out` be valid for writes.
#[inline(always)]
pub(super) unsafe fn rows<I: Isa, F: Floats, const PAIRED: bool, const R: usize, const VS: usize>(
    weights: &Strips<'_>,
    x: *const f32,
    out: Out,
) {
    let (width, lanes) = (weights.width, I::V::LANES);
    let column = STRIP_ROWS * F::SIZE;
    // SAFETY: a strip is `width` times sixteen weights and a row an even number of values; the rest by the caller's
    // promise.
    unsafe {
        for group in 0..weights.count() * STRIP_ROWS / lanes / VS {
            let first_lane = group * VS * lanes;
            let (strip, lane) = (first_lane / STRIP_ROWS, first_lane % STRIP_ROWS);
            let at = weights.bytes.as_ptr().add(strip * width * column + lane * F::SIZE);
            let mut even = [[I::V::zero(); VS]; R];
            let mut odd = [[I::V::zero(); VS]; R];
            for k in (0..width).step_by(2) {
                let pair = at.add(k * column);
                _mm_prefetch::<_MM_HINT_T0>(pair.wrapping_add(AHEAD).cast());
                let mut first = [F::load::<I>(pair); VS];
                let mut second = [F::load::<I>(pair.add(column)); VS];
                for v in 1..VS {
                    first[v] = F::load::<I>(pair.add(v * lanes * F::SIZE));
                    second[v] = F::load::<I>(pair.add(column + v * lanes * F::SIZE));
                }
                for row in 0..R {
                    let x = if PAIRED { x.add(k * R + 2 * row) } else { x.add(row * width + k) };
                    let (a, b) = (I::V::splat(x.read()), I::V::splat(x.add(1).read()));
                    for v in 0..VS {
                        even[row][v] = I::V::fma(first[v], a, even[row][v]);
                        odd[row][v] = I::V::fma(second[v], b, odd[row][v]);
                    }
                }
            }
            for row in 0..R {
                for v in 0..VS {
                    let to = out.at.add(row * out.stride + first_lane + v * lanes);
                    I::V::store_f32(to, I::V::add(even[row][v], odd[row][v]));
                }
            }
        }
    }
}

thread_local! {
    /// Rows in pairs of columns. Kept by each thread, so that nothing is allocated once it has grown.
    static PAIRS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Gives `body` the rows of `x` in groups of `R`, two columns of all rows of a group side by side, so that a group is read
/// as one sequence.
pub(super) fn paired<const R: usize>(x: &ActivationRows<'_>, body: impl FnOnce(*const f32)) {
    PAIRS.with_borrow_mut(|pairs| {
        if pairs.len() < x.exact.len() {
            pairs.resize(x.exact.len(), 0.0);
        }
        let groups = pairs.chunks_exact_mut(R * x.width).zip(x.exact.chunks_exact(R * x.width));
        for (to, from) in groups {
            for (row, values) in from.chunks_exact(x.width).enumerate() {
                for (to, pair) in to.chunks_exact_mut(2 * R).zip(values.chunks_exact(2)) {
                    (to[2 * row], to[2 * row + 1]) = (pair[0], pair[1]);
                }
            }
        }
        body(pairs.as_ptr());
    });
}

/// Strips one by one.
pub(super) fn each<'a>(weights: &Strips<'a>) -> impl Iterator<Item = Strips<'a>> {
    let weights = *weights;
    let size = weights.format.strip_bytes(weights.width);
    weights.bytes.chunks_exact(size).map(move |bytes| Strips { bytes, ..weights })
}
