//! Exponential, GELU and softcap, step by step as vector code computes them.

use super::fma;

/// log₂ e.
pub(crate) const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts: the first has few bits, so that its multiples by small integers are exact.
pub(crate) const LN2_HIGH: f32 = 0.693_359_4;
/// The rest of ln 2.
pub(crate) const LN2_LOW: f32 = -2.121_944_4e-4;
/// Below it the exponential is taken as this argument's, the smallest that stays a normal number.
pub(crate) const EXP_LEAST: f32 = -87.0;
/// Above it the exponential is taken as this argument's.
pub(crate) const EXP_MOST: f32 = 88.0;
/// Coefficients of the series of `e^r` from `r^6` down to `r^0`, good for |r| ≤ ln 2 / 2.
pub(crate) const EXP_SERIES: [f32; 7] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
/// √(2/π), doubled: GELU needs the exponential of twice the tanh's argument.
pub(crate) const GELU_SCALE: f32 = (2.0 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2) as f32;
/// The cubic term of GELU's tanh form.
pub(crate) const GELU_CUBIC: f32 = 0.044_715;

/// `e^x`, within 3 ulp between −87 and 88 and constant outside. `n = round(x · log₂ e)`, ties to even;
/// `r = fma(n, −LN2_HIGH, x)`, `r = fma(n, −LN2_LOW, r)`; the series by Horner's rule with fma; then `· 2ⁿ`.
pub fn exp<const FUSED: bool>(x: f32) -> f32 {
    let x = x.clamp(EXP_LEAST, EXP_MOST);
    let n = (x * LOG2_E).round_ties_even();
    let r = fma::<FUSED>(n, -LN2_HIGH, x);
    let r = fma::<FUSED>(n, -LN2_LOW, r);
    let mut sum = EXP_SERIES[0];
    for coefficient in &EXP_SERIES[1..] {
        sum = fma::<FUSED>(sum, r, *coefficient);
    }
    f32::from_bits(sum.to_bits().wrapping_add_signed((n as i32) << 23))
}

/// GELU in its tanh form, as `x − x / (e^(2u) + 1)` with `2u = GELU_SCALE · (x + GELU_CUBIC · x³)`:
/// `t = (x · x) · x`, `u = fma(t, GELU_CUBIC, x)`, then `exp(u · GELU_SCALE)`.
pub fn gelu<const FUSED: bool>(x: f32) -> f32 {
    let u = fma::<FUSED>((x * x) * x, GELU_CUBIC, x);
    x - x / (exp::<FUSED>(u * GELU_SCALE) + 1.0)
}

/// `cap · tanh(x / cap)` as `cap − 2 · cap / (e^(2x / cap) + 1)`; `inverse` is `2 / cap`.
pub fn softcap<const FUSED: bool>(x: f32, cap: f32, inverse: f32) -> f32 {
    cap - (2.0 * cap) / (exp::<FUSED>(x * inverse) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_good_to_three_ulp() {
        let mut x = -87.0f32;
        while x < 88.0 {
            let (got, expected) = (exp::<true>(x), f64::from(x).exp());
            let ulp = f64::from((expected as f32).next_up() - expected as f32);
            assert!((f64::from(got) - expected).abs() <= 3.0 * ulp, "{x}: {got} {expected}");
            x += 0.003_7;
        }
        assert_eq!(exp::<true>(0.0), 1.0);
        assert_eq!(exp::<true>(-1e30), exp::<true>(-87.0));
    }

    #[test]
    fn gelu_and_softcap_follow_tanh() {
        for step in -4000..4000 {
            let x = step as f32 * 0.01;
            let wide = f64::from(x);
            let tanh = ((2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044_715 * wide.powi(3))).tanh();
            let expected = 0.5 * wide * (1.0 + tanh);
            assert!((f64::from(gelu::<true>(x)) - expected).abs() <= 1e-6 * wide.abs().max(1e-3), "gelu({x})");
            let expected = 30.0 * (wide / 30.0).tanh();
            assert!((f64::from(softcap::<true>(x, 30.0, 2.0 / 30.0)) - expected).abs() < 6e-6, "softcap({x})");
        }
    }
}
