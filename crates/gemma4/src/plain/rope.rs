//! Rotary position embedding: element `i` of a head turns together with element `i + d/2`.

use std::ops::Range;

use candle_core::{Device, Result, Tensor};
use candle_nn::rotary_emb::rope_thd;

/// Share of a global head that turns, unless the file says otherwise by `rope_freqs`.
const GLOBAL_ROTATED: f64 = 0.25;

/// The frequencies of one kind of layer.
pub struct Rope {
    /// Angle per position for each of the `d/2` pairs.
    frequencies: Vec<f32>,
}

impl Rope {
    /// Sliding layers: every pair of the `head_dim` elements turns, at `θ^(−2i/d)`.
    pub fn sliding(theta: f32, head_dim: usize) -> Self {
        Self { frequencies: frequencies(theta, head_dim) }
    }

    /// Global layers: the same formula over the whole head, but only the first quarter of the pairs turns.
    /// `divisors` of length `head_dim / 2` say so where the file has them (1 for a pair that turns, 1e30 for one that
    /// does not).
    pub fn global(theta: f32, head_dim: usize, divisors: Option<&[f32]>) -> Self {
        let mut frequencies = frequencies(theta, head_dim);
        match divisors {
            Some(divisors) => frequencies.iter_mut().zip(divisors).for_each(|(f, divisor)| *f /= divisor),
            None => {
                let turning = (frequencies.len() as f64 * GLOBAL_ROTATED) as usize;
                frequencies[turning..].fill(0.0);
            }
        }
        Self { frequencies }
    }

    /// Angle per position for each of the `d/2` pairs.
    pub fn frequencies(&self) -> &[f32] {
        &self.frequencies
    }

    /// Cosines and sines for `positions`.
    ///
    /// # Errors
    /// If the device cannot take them.
    pub fn at(&self, positions: Range<usize>, device: &Device) -> Result<Rotation> {
        let shape = (positions.len(), self.frequencies.len());
        let angles: Vec<f32> = positions.flat_map(|t| self.frequencies.iter().map(move |f| t as f32 * f)).collect();
        let cos: Vec<f32> = angles.iter().map(|a| a.cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|a| a.sin()).collect();
        Ok(Rotation { cos: Tensor::from_vec(cos, shape, device)?, sin: Tensor::from_vec(sin, shape, device)? })
    }
}

fn frequencies(theta: f32, head_dim: usize) -> Vec<f32> {
    (0..head_dim / 2).map(|i| f64::from(theta).powf(-2.0 * i as f64 / head_dim as f64) as f32).collect()
}

/// Cosines and sines of some positions, each `(tokens, head_dim / 2)`.
pub struct Rotation {
    /// Cosines.
    pub cos: Tensor,
    /// Sines.
    pub sin: Tensor,
}

impl Rotation {
    /// `x` of shape `(tokens, heads, head_dim)`, turned.
    ///
    /// # Errors
    /// If the shapes do not fit or the device fails.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        rope_thd(&x.unsqueeze(0)?, &self.cos, &self.sin)?.squeeze(0)
    }

    /// The rotation of the last position only.
    ///
    /// # Errors
    /// If the device fails.
    pub fn last(&self) -> Result<Self> {
        let row = self.cos.dim(0)? - 1;
        Ok(Self { cos: self.cos.narrow(0, row, 1)?, sin: self.sin.narrow(0, row, 1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_global_head_turns_at_the_whole_heads_frequencies() {
        let rope = Rope::global(1e6, 512, None);
        let expected = 1e6f64.powf(-126.0 / 512.0) as f32;
        assert_eq!(rope.frequencies[63], expected);
        assert_eq!(rope.frequencies[64..], [0.0; 192]);
    }

    #[test]
    fn divisors_of_the_file_say_the_same() {
        let divisors: Vec<f32> = (0..256).map(|i| if i < 64 { 1.0 } else { 1e30 }).collect();
        let (by_file, by_rule) = (Rope::global(1e6, 512, Some(&divisors)), Rope::global(1e6, 512, None));
        for (a, b) in by_file.frequencies.iter().zip(&by_rule.frequencies) {
            assert!((a - b).abs() < 1e-30, "{a} {b}");
        }
    }

    #[test]
    fn cosines_and_sines_are_the_references() {
        for (variant, kind, rope) in [
            ("tiny-e2b", "sliding", Rope::sliding(1e4, 32)),
            ("tiny-e2b", "full", Rope::global(1e6, 64, None)),
            ("tiny-e4b", "sliding", Rope::sliding(1e4, 32)),
            ("tiny-e4b", "full", Rope::global(1e6, 64, None)),
        ] {
            let path = format!("{}/../../tests/golden/{variant}/reference.safetensors", env!("CARGO_MANIFEST_DIR"));
            let arrays = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
            let cos = &arrays[&format!("trace.rope.{kind}_attention.cos")]; // (positions, head_dim): both halves alike
            let sin = &arrays[&format!("trace.rope.{kind}_attention.sin")];
            let (positions, head_dim) = cos.dims2().unwrap();
            let got = rope.at(0..positions, &Device::Cpu).unwrap();
            for (got, expected) in [(&got.cos, cos), (&got.sin, sin)] {
                let both_halves = Tensor::cat(&[got, got], 1).unwrap();
                assert_eq!(both_halves.dims(), [positions, head_dim]);
                let worst = (both_halves - expected).unwrap().abs().unwrap().max_all().unwrap();
                let worst = worst.to_scalar::<f32>().unwrap();
                assert!(worst < 2e-6, "{variant} {kind}: {worst}");
            }
        }
    }
}
