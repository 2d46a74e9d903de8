//! Exponential, GELU and softcap: the steps of [`crate::scalar`]'s, on sixteen lanes.

use super::Lanes;
use crate::scalar::math::{EXP_LEAST, EXP_MOST, EXP_SERIES, GELU_CUBIC, GELU_SCALE, LN2_HIGH, LN2_LOW, LOG2_E};

/// `e^x`.
#[inline(always)]
pub(super) fn exp<L: Lanes>(l: L, x: L::V) -> L::V {
    // In this order of the operands NaN stays NaN.
    let x = l.min(l.splat(EXP_MOST), l.max(l.splat(EXP_LEAST), x));
    let n = l.round(l.mul(x, l.splat(LOG2_E)));
    let r = l.fma(n, l.splat(-LN2_HIGH), x);
    let r = l.fma(n, l.splat(-LN2_LOW), r);
    let [c6, c5, c4, c3, c2, c1, c0] = EXP_SERIES;
    let mut sum = l.fma(l.splat(c6), r, l.splat(c5));
    sum = l.fma(sum, r, l.splat(c4));
    sum = l.fma(sum, r, l.splat(c3));
    sum = l.fma(sum, r, l.splat(c2));
    sum = l.fma(sum, r, l.splat(c1));
    sum = l.fma(sum, r, l.splat(c0));
    l.scale_exponent(sum, n)
}

/// GELU in its tanh form.
#[inline(always)]
pub(super) fn gelu<L: Lanes>(l: L, x: L::V) -> L::V {
    let u = l.fma(l.mul(l.mul(x, x), x), l.splat(GELU_CUBIC), x);
    let e = exp(l, l.mul(u, l.splat(GELU_SCALE)));
    l.sub(x, l.div(x, l.add(e, l.splat(1.0))))
}

/// `cap · tanh(x / cap)`; `inverse` is `2 / cap`.
#[inline(always)]
pub(super) fn softcap<L: Lanes>(l: L, x: L::V, cap: f32, inverse: f32) -> L::V {
    let e = exp(l, l.mul(x, l.splat(inverse)));
    l.sub(l.splat(cap), l.div(l.splat(2.0 * cap), l.add(e, l.splat(1.0))))
}
