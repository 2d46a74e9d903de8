//! The definition: plain loops in the order that every other implementation keeps to.
//!
//! `Scalar<true>` multiplies and adds with one rounding, as the instruction sets with fused multiply-add do, and is what
//! they are compared with bit for bit. `Scalar<false>` rounds twice; it is what processors without such instructions run,
//! where fusing would be a call into a library for every step.

mod attention;
pub(crate) mod decode;
pub(crate) mod math;
mod matmul;
mod rows;

pub use self::math::{exp, gelu, softcap};

/// Plain loops; `FUSED` says whether a product and a sum are rounded once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scalar<const FUSED: bool>;

impl<const FUSED: bool> Scalar<FUSED> {
    const NAME: &'static str = if FUSED { "scalar (fused)" } else { "scalar" };
}

/// `a · b + c`.
fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Adds 16 lanes as a tree.
fn sum_lanes(mut lanes: [f32; 16]) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}
