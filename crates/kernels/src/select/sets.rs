//! What this processor has.

use super::{FUSED, Set};
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
    Vec::new()
}

#[cfg(target_arch = "aarch64")]
fn of_this_architecture() -> Vec<Set> {
    Vec::new()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn of_this_architecture() -> Vec<Set> {
    Vec::new()
}
