//! What this processor has.

use super::{FUSED, Set};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::ops::{AttentionKernel, MatmulKernel, RowKernel};
use crate::scalar::Scalar;

/// The definition, always there.
pub(super) fn definition() -> Set {
    Set { name: "scalar", matmul: &FUSED, rows: &FUSED, attention: &FUSED }
}

/// Plain loops as this processor runs them at a bearable speed: without fused multiply-add in hardware, every fused step
/// would be a call into a library.
fn fallback() -> Set {
    static ROUNDED_TWICE: Scalar<false> = Scalar;
    if has_fma() {
        definition()
    } else {
        Set { name: "scalar", matmul: &ROUNDED_TWICE, rows: &ROUNDED_TWICE, attention: &ROUNDED_TWICE }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_fma() -> bool {
    std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_fma() -> bool {
    cfg!(target_arch = "aarch64")
}

/// What this processor has: the best first, plain loops last.
pub(super) fn available() -> Vec<Set> {
    let mut sets = of_this_architecture();
    sets.push(fallback());
    sets
}

#[cfg(target_arch = "x86_64")]
fn of_this_architecture() -> Vec<Set> {
    use crate::x86_64::{
        Avx2, Avx512,
        matmul::{Avx2 as Avx2Products, Avx512Vnni, AvxVnni},
    };

    let mut sets = Vec::new();
    if let (Some(products), Some(lanes)) = (Avx512Vnni::new(), Avx512::new()) {
        sets.push(set("avx512_vnni", products, lanes));
    }
    if let Some(lanes) = Avx2::new() {
        sets.extend(AvxVnni::new().map(|products| set("avx_vnni", products, lanes)));
        sets.extend(Avx2Products::new().map(|products| set("avx2", products, lanes)));
    }
    sets
}

/// Kernels without a size, for which nothing is allocated.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn set<P, L>(name: &'static str, products: P, lanes: L) -> Set
where
    P: MatmulKernel + 'static,
    L: RowKernel + AttentionKernel + 'static,
{
    const { assert!(size_of::<P>() == 0 && size_of::<L>() == 0) };
    let lanes: &'static L = Box::leak(Box::new(lanes));
    Set { name, matmul: Box::leak(Box::new(products)), rows: lanes, attention: lanes }
}

#[cfg(target_arch = "aarch64")]
fn of_this_architecture() -> Vec<Set> {
    use crate::aarch64::{
        Neon,
        matmul::{NeonDotprod, NeonI8mm},
    };

    let mut sets = Vec::new();
    sets.extend(NeonI8mm::new().map(|products| set("neon_i8mm", products, Neon::new())));
    sets.extend(NeonDotprod::new().map(|products| set("neon_dotprod", products, Neon::new())));
    sets
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn of_this_architecture() -> Vec<Set> {
    Vec::new()
}
