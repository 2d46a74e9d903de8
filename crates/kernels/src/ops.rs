//! What an instruction set has to offer. Each trait has a scalar implementation, which is the definition; the others
//! must agree with it.
//!
//! The order of operations is part of the definition, so that a row's result does not depend on how many rows are
//! computed together, nor on the number of threads; instruction sets with fused multiply-add agree bit for bit.
//! Sums over a row run in 16 lanes (value `i` in lane `i mod 16`), which are then added as a tree: lane `i` and `i + 8`,
//! then `i + 4`, `i + 2`, `i + 1`.

use half::f16;

use crate::{
    activations::{ActivationRows, BlocksMut},
    format::Format,
};

/// Keys of one block of attention, aligned to absolute positions.
pub const KEY_BLOCK: usize = 64;
/// Keys of one transposed tile.
pub const KEY_TILE: usize = 16;

/// Consecutive strips of one matrix.
#[derive(Debug, Clone, Copy)]
pub struct Strips<'a> {
    /// How the weights are stored.
    pub format: Format,
    /// Columns.
    pub width: usize,
    /// Whole strips.
    pub bytes: &'a [u8],
}

impl Strips<'_> {
    /// Number of strips.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.format.strip_bytes(self.width)
    }
}

/// Where a product goes: rows of `n_strips · 16` values, `stride` values apart.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// Row 0, column 0.
    pub(crate) at: *mut f32,
    /// Values from a row to the next.
    pub(crate) stride: usize,
}

impl Out {
    /// Rows in `values`, `stride` values apart.
    pub fn new(values: &mut [f32], stride: usize) -> Self {
        Self { at: values.as_mut_ptr(), stride }
    }
}

/// The product of rows of activations with strips of weights.
pub trait MatmulKernel: Send + Sync {
    /// The instruction set's name.
    fn name(&self) -> &'static str;

    /// `out[row][16·s + lane] = Σ_k weights[s][lane][k] · x[row][k]` for all rows of `x` and all strips.
    ///
    /// Quantized formats: for each block of 32 columns in order, the integer dot product of a row and a lane is exact,
    /// and `acc = fma(dot, d · scale, acc)`, where `d` is the weights' scale (for Q4_K and Q5_K `d` times the six-bit
    /// scale, for Q6_K `d` times the eight-bit scale, one step for each half of the block) and `scale` the
    /// activations'. Then, where the format has minima, `acc = fma(m, scaled_sum, acc)`; for Q4_K and Q5_K `m` is
    /// `−(dmin · six-bit minimum)`. Floats: two sums, of even and of odd columns in order, by fma; then their sum.
    ///
    /// # Safety
    /// `out` must be valid for writes of all rows and strips, and nobody else may use those places meanwhile.
    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out);
}

/// What is done to single rows.
pub trait RowKernel: Send + Sync {
    /// The instruction set's name.
    fn name(&self) -> &'static str;

    /// Quantizes `x`, a whole number of blocks, as [`crate::Activations`] says.
    fn quantize(&self, x: &[f32], out: BlocksMut<'_>);

    /// `1 / √(mean of squares + eps)`: squares summed by fma in 16 lanes.
    fn inverse_rms(&self, x: &[f32], eps: f32) -> f32;

    /// `out = (x · factor) · weight`, or `x · factor` without a weight.
    fn scale(&self, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]);

    /// `x = (x + (y · factor) · weight) · gain`.
    fn add_scaled(&self, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32);

    /// Turns `x`, one head: element `i` with `i + n/2`, by `cos` and `sin` of length `n/2`:
    /// `a = fma(x₁, cos, −(x₂ · sin))`, `b = fma(x₂, cos, x₁ · sin)`.
    fn rotate(&self, x: &mut [f32], cos: &[f32], sin: &[f32]);

    /// `out = gelu(gate) · up`, GELU in its tanh form.
    fn gelu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]);

    /// `out = ((a · scale_a) + b) · gain`.
    fn combine(&self, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]);

    /// `x = cap · tanh(x / cap)`.
    fn softcap(&self, x: &mut [f32], cap: f32);

    /// To f16, ties to even.
    fn to_f16(&self, x: &[f32], out: &mut [f16]);
}

/// One block of 64 keys and values of one head, and the queries that ask it.
#[derive(Debug, Clone, Copy)]
pub struct KeyBlock<'a> {
    /// Width of a head, a multiple of 16.
    pub head_dim: usize,
    /// Keys: 4 tiles `(head_dim, 16)`.
    pub k: &'a [f16],
    /// Values `(64, head_dim)`.
    pub v: &'a [f16],
    /// Queries `(n, head_dim)`.
    pub q: &'a [f32],
    /// For each query the keys of the block that it sees: first, and one past the last.
    pub visible: &'a [(u8, u8)],
}

/// What a query has gathered: `(n)` maxima and sums, `(n, head_dim)` weighted values.
#[derive(Debug)]
pub struct Gathered<'a> {
    /// The largest score; −∞ if nothing was seen.
    pub max: &'a mut [f32],
    /// Sum of `exp(score − max)`.
    pub sum: &'a mut [f32],
    /// Sum of `exp(score − max) · value`.
    pub acc: &'a mut [f32],
}

/// Attention over blocks of keys.
pub trait AttentionKernel: Send + Sync {
    /// The instruction set's name.
    fn name(&self) -> &'static str;

    /// What each query gathers from this block alone. Scores sum over the head's elements in order, by fma, starting
    /// from zero; exponentials are summed lane by lane over the four tiles in order, then the lanes as a tree;
    /// weighted values are summed over the keys in order, by fma. A query that sees nothing gets −∞, 0 and zeros.
    fn block(&self, block: &KeyBlock<'_>, out: Gathered<'_>);

    /// Adds what `from` gathered to `to`, for one query: with `m` the larger maximum, `a = exp(to.max − m)` and
    /// `b = exp(from.max − m)`: `sum = fma(to.sum, a, from.sum · b)`, `acc = fma(to.acc, a, from.acc · b)`. If `to` has
    /// seen nothing it becomes `from`; if `from` has seen nothing, `to` stays.
    fn merge(&self, to: Gathered<'_>, from: (f32, f32, &[f32]));
}
