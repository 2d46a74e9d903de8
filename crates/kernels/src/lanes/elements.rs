//! Operations on each element of a row, and the one sum.

use half::f16;

use super::{LANES, Lanes, math};

/// Computes `out[i]` from elements `i` of the inputs: whole vectors, then the rest in a padded one. With `in`, what is
/// written is also the first input.
macro_rules! by_lanes {
    ($l:ident, $out:ident = |$($x:ident),+| $value:expr) => {
        let n = $out.len()$(.min($x.len()))+;
        let (whole, rest) = $out[..n].as_chunks_mut::<LANES>();
        let at = whole.len() * LANES;
        {
            $(let $x = &$x.as_chunks::<LANES>().0[..whole.len()];)+
            for (index, out) in whole.iter_mut().enumerate() {
                $(let $x = $l.load(&$x[index]);)+
                $l.store($value, out);
            }
        }
        if !rest.is_empty() {
            $(let $x = $l.load(&padded(&$x[at..n]));)+
            let mut out = [0f32; LANES];
            $l.store($value, &mut out);
            rest.copy_from_slice(&out[..rest.len()]);
        }
    };
    ($l:ident, in $out:ident = |$($x:ident),*| $value:expr) => {
        let n = $out.len()$(.min($x.len()))*;
        let (whole, rest) = $out[..n].as_chunks_mut::<LANES>();
        let at = whole.len() * LANES;
        {
            $(let $x = &$x.as_chunks::<LANES>().0[..whole.len()];)*
            for (_index, out) in whole.iter_mut().enumerate() {
                let $out = $l.load(out);
                $(let $x = $l.load(&$x[_index]);)*
                $l.store($value, out);
            }
        }
        if !rest.is_empty() {
            let $out = $l.load(&padded(rest));
            $(let $x = $l.load(&padded(&$x[at..n]));)*
            let mut out = [0f32; LANES];
            $l.store($value, &mut out);
            rest.copy_from_slice(&out[..rest.len()]);
        }
        let _ = at;
    };
}

/// At most 16 values, and zeros.
#[inline(always)]
fn padded(x: &[f32]) -> [f32; LANES] {
    let mut all = [0f32; LANES];
    all[..x.len()].copy_from_slice(x);
    all
}

#[inline(always)]
pub(crate) fn inverse_rms<L: Lanes>(l: L, x: &[f32], eps: f32) -> f32 {
    let (whole, rest) = x.as_chunks::<LANES>();
    let mut sum = l.splat(0.0);
    for x in whole {
        let x = l.load(x);
        sum = l.fma(x, x, sum);
    }
    if !rest.is_empty() {
        // A zero more leaves a sum of squares as it is.
        let x = l.load(&padded(rest));
        sum = l.fma(x, x, sum);
    }
    1.0 / (l.sum(sum) / x.len() as f32 + eps).sqrt()
}

#[inline(always)]
pub(crate) fn scale<L: Lanes>(l: L, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]) {
    let factor = l.splat(factor);
    match weight {
        Some(weight) => {
            by_lanes!(l, out = |x, weight| l.mul(l.mul(x, factor), weight));
        }
        None => {
            by_lanes!(l, out = |x| l.mul(x, factor));
        }
    }
}

#[inline(always)]
pub(crate) fn add_scaled<L: Lanes>(l: L, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32) {
    let (factor, gain) = (l.splat(factor), l.splat(gain));
    by_lanes!(l, in x = |y, weight| l.mul(l.add(x, l.mul(l.mul(y, factor), weight)), gain));
}

#[inline(always)]
pub(crate) fn rotate<L: Lanes>(l: L, x: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = x.split_at_mut(cos.len());
    let n = first.len().min(second.len()).min(sin.len());
    let ((a, a_rest), (b, b_rest)) = (first[..n].as_chunks_mut::<LANES>(), second[..n].as_chunks_mut::<LANES>());
    let ((cos, cos_rest), (sin, sin_rest)) = (cos[..n].as_chunks::<LANES>(), sin[..n].as_chunks::<LANES>());
    for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
        rotate_lanes(l, a, b, cos, sin);
    }
    if !a_rest.is_empty() {
        let (mut a, mut b) = (padded(a_rest), padded(b_rest));
        rotate_lanes(l, &mut a, &mut b, &padded(cos_rest), &padded(sin_rest));
        a_rest.copy_from_slice(&a[..a_rest.len()]);
        b_rest.copy_from_slice(&b[..b_rest.len()]);
    }
}

#[inline(always)]
fn rotate_lanes<L: Lanes>(
    l: L,
    at_a: &mut [f32; LANES],
    at_b: &mut [f32; LANES],
    cos: &[f32; LANES],
    sin: &[f32; LANES],
) {
    let (a, b, cos, sin) = (l.load(at_a), l.load(at_b), l.load(cos), l.load(sin));
    l.store(l.fms(a, cos, l.mul(b, sin)), at_a);
    l.store(l.fma(b, cos, l.mul(a, sin)), at_b);
}

#[inline(always)]
pub(crate) fn gelu_mul<L: Lanes>(l: L, gate: &[f32], up: &[f32], out: &mut [f32]) {
    by_lanes!(l, out = |gate, up| l.mul(math::gelu(l, gate), up));
}

#[inline(always)]
pub(crate) fn combine<L: Lanes>(l: L, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]) {
    let (scale_a, gain) = (l.splat(scale_a), l.splat(gain));
    by_lanes!(l, out = |a, b| l.mul(l.add(l.mul(a, scale_a), b), gain));
}

#[inline(always)]
pub(crate) fn softcap<L: Lanes>(l: L, x: &mut [f32], cap: f32) {
    let inverse = 2.0 / cap;
    by_lanes!(l, in x = | | math::softcap(l, x, cap, inverse));
}

#[inline(always)]
pub(crate) fn to_f16<L: Lanes>(l: L, x: &[f32], out: &mut [f16]) {
    let n = x.len().min(out.len());
    let ((x, x_rest), (out, out_rest)) = (x[..n].as_chunks::<LANES>(), out[..n].as_chunks_mut::<LANES>());
    for (x, out) in x.iter().zip(out) {
        l.store_f16(l.load(x), out);
    }
    if !x_rest.is_empty() {
        let mut all = [f16::ZERO; LANES];
        l.store_f16(l.load(&padded(x_rest)), &mut all);
        out_rest.copy_from_slice(&all[..out_rest.len()]);
    }
}
