//! Products with packed weights.
//!
//! * `isa` – what is asked of an instruction set; `avx512` and `avx2` have it
//! * `formats` – how a block of each quantized format is unpacked
//! * `step` – one block of columns
//! * `direct` – few rows, as in decoding; `chunk` – many, as in prefill
//! * `floats` – weights that are floats
#![expect(
    clippy::needless_range_loop,
    reason = "arrays of registers are walked by row and vector, several at once; iterators would be calls without the instructions"
)]

mod avx2;
mod avx512;
mod chunk;
mod direct;
mod floats;
mod formats;
mod isa;
mod step;

use self::{floats::Floats, formats::Quantized};
use crate::{
    activations::ActivationRows,
    format::{Format, STRIP_ROWS},
    ops::{MatmulKernel, Out, Strips},
};

/// The rows of `out` from `first` on.
fn skip(out: Out, first: usize) -> Out {
    Out { at: out.at.wrapping_add(first * out.stride), ..out }
}

/// Calls `$function::<$format, N>` for the `N` among `$count` that `$n` is.
macro_rules! with_count {
    ($n:expr, [$($count:literal),+], $function:ident::<$format:ty> $arguments:tt) => {
        match $n {
            $($count => $function::<$format, $count> $arguments,)+
            _ => {}
        }
    };
}

/// Defines an instruction set: detected when it is made, so that a value of the type proves that the processor has it.
/// Every function that does the work enables it, and everything that this function uses becomes part of it.
macro_rules! instruction_set {
    (
        $(#[$doc:meta])* $name:ident, $label:literal, $enable:literal, [$($feature:tt),+],
        vectors of a strip: $per_strip:literal,
        direct: up to $few:literal rows, [$($direct:literal),+],
        chunk: $chunk_rows:literal rows, $chunk_vectors:literal vectors,
        floats: $float_rows:literal rows, rest: [$($float_rest:literal),+]
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(());

        impl $name {
            /// `None` if the processor lacks the instructions.
            pub fn new() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&+).then_some(Self(()))
            }
        }

        const _: () = {
            #[target_feature(enable = $enable)]
            unsafe fn direct<F: Quantized, const R: usize>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                // SAFETY: the instruction set is enabled; the rest by the caller's promise.
                unsafe { direct::direct::<$name, F, R, $per_strip>(weights, x, out) }
            }

            #[target_feature(enable = $enable)]
            unsafe fn chunk<F: Quantized>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out, room: *mut u8) {
                // SAFETY: the instruction set is enabled; the rest by the caller's promise.
                unsafe { chunk::chunk::<$name, F, $chunk_rows, $chunk_vectors>(weights, x, out, room) }
            }

            #[target_feature(enable = $enable)]
            unsafe fn float_rows<F: Floats, const R: usize>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                // SAFETY: the instruction set is enabled; the rest by the caller's promise.
                unsafe {
                    // Whole strips at a time as far as the registers go: that is the order of memory.
                    if R <= $float_rows / $per_strip {
                        floats::rows::<$name, F, false, R, $per_strip>(weights, x.exact.as_ptr(), out);
                    } else {
                        floats::rows::<$name, F, false, R, 1>(weights, x.exact.as_ptr(), out);
                    }
                }
            }

            #[target_feature(enable = $enable)]
            unsafe fn float_pairs<F: Floats>(weights: &Strips<'_>, x: *const f32, out: Out) {
                // SAFETY: the instruction set is enabled; the rest by the caller's promise.
                unsafe { floats::rows::<$name, F, true, $float_rows, 1>(weights, x, out) }
            }

            unsafe fn quantized<F: Quantized>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                // SAFETY: a value of the type proves that the instruction set is there; the rest by the caller's promise.
                unsafe {
                    if x.rows > $few {
                        return chunk::with_room(|room| chunk::<F>(weights, x, out, room));
                    }
                    with_count!(x.rows, [$($direct),+], direct::<F> (weights, x, out));
                }
            }

            unsafe fn floats<F: Floats>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                let whole =
                    if weights.count() < floats::WORTH_PAIRING { 0 } else { x.rows / $float_rows * $float_rows };
                // SAFETY: as above; the pairs are groups of rows one after the other.
                unsafe {
                    if whole > 0 {
                        floats::paired::<$float_rows>(&x.range(0, whole), |pairs| {
                            for (index, strip) in floats::each(weights).enumerate() {
                                for first in (0..whole).step_by($float_rows) {
                                    let at = out.at.add(first * out.stride + index * STRIP_ROWS);
                                    float_pairs::<F>(&strip, pairs.add(first * x.width), Out { at, ..out });
                                }
                            }
                        });
                    }
                    for first in (whole..x.rows).step_by($float_rows) {
                        let some = x.range(first, $float_rows.min(x.rows - first));
                        let out = skip(out, first);
                        with_count!(some.rows, [$float_rows, $($float_rest),+], float_rows::<F> (weights, &some, out));
                    }
                }
            }

            impl MatmulKernel for $name {
                fn name(&self) -> &'static str {
                    $label
                }

                unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                    check(weights, x);
                    // SAFETY: as above.
                    unsafe {
                        match weights.format {
                            Format::F32 => floats::<floats::F32>(weights, x, out),
                            Format::F16 => floats::<floats::F16>(weights, x, out),
                            Format::BF16 => floats::<floats::BF16>(weights, x, out),
                            Format::Q4_0 => quantized::<formats::Q4_0>(weights, x, out),
                            Format::Q4_1 => quantized::<formats::Q4_1>(weights, x, out),
                            Format::Q5_0 => quantized::<formats::Q5_0>(weights, x, out),
                            Format::Q5_1 => quantized::<formats::Q5_1>(weights, x, out),
                            Format::Q8_0 => quantized::<formats::Q8_0>(weights, x, out),
                            Format::Q4K => quantized::<formats::Q4K>(weights, x, out),
                            Format::Q5K => quantized::<formats::Q5K>(weights, x, out),
                            Format::Q6K => quantized::<formats::Q6K>(weights, x, out),
                        }
                    }
                }
            }
        };
    };
}

instruction_set!(
    /// 512-bit vectors with integer dot products (Cascade Lake, Ice Lake, Zen 4 and later).
    Avx512Vnni, "avx512_vnni", "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c",
    ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx2", "fma", "f16c"],
    vectors of a strip: 1,
    direct: up to 8 rows, [1, 2, 3, 4, 5, 6, 7, 8],
    chunk: 6 rows, 2 vectors,
    floats: 12 rows, rest: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
);
instruction_set!(
    /// 256-bit vectors with integer dot products (Alder Lake and later).
    AvxVnni, "avx_vnni", "avxvnni,avx2,fma,f16c",
    ["avxvnni", "avx2", "fma", "f16c"],
    vectors of a strip: 2,
    direct: up to 8 rows, [1, 2, 3, 4, 5, 6, 7, 8],
    chunk: 2 rows, 1 vectors,
    floats: 6 rows, rest: [1, 2, 3, 4, 5]
);
instruction_set!(
    /// 256-bit vectors (Haswell, Zen and later).
    Avx2, "avx2", "avx2,fma,f16c",
    ["avx2", "fma", "f16c"],
    vectors of a strip: 2,
    direct: up to 4 rows, [1, 2, 3, 4],
    chunk: 1 rows, 1 vectors,
    floats: 6 rows, rest: [1, 2, 3, 4, 5]
);

/// What the pointers in the functions above rest on.
///
/// # Panics
/// If the activations are of another width than the weights, or lack the form that the format takes.
fn check(weights: &Strips<'_>, x: &ActivationRows<'_>) {
    assert!(weights.width == x.width && weights.format.fits(x.width), "{} columns times {}", weights.width, x.width);
    let blocks = x.rows * x.width / crate::format::BLOCK;
    let whole = if weights.format.is_float() {
        x.exact.len() == x.rows * x.width
    } else {
        x.q.len() == x.rows * x.width
            && [x.scale.len(), x.offset32.len(), x.scaled_sum.len()] == [blocks; 3]
            && x.offset16.len() == 2 * blocks
    };
    assert!(whole, "activations that are not {} rows of {} columns", x.rows, x.width);
}
