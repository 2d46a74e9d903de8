//! What products ask of an instruction set.

use super::formats::Quantized;

/// Vectors of one width. A value belongs to one row of a strip, or four bytes do.
///
/// # Safety
/// Every function needs the instruction set that the implementing type stands for, and pointers that are valid for what is
/// read or written; nothing needs to be aligned. The functions carry no instruction set of their own, so that they become
/// part of the function that uses them: it must have the instructions enabled, or each of them is a call.
pub(super) trait Vector {
    /// Integers: four bytes or one 32-bit number a lane.
    type Int: Copy;
    /// One f32 a lane.
    type Float: Copy;
    /// Lanes.
    const LANES: usize;

    unsafe fn load(at: *const u8) -> Self::Int;
    /// `value` in every lane.
    unsafe fn splat_int(value: i32) -> Self::Int;
    /// `a` shifted to the left by 0 to 4 bits, or by a negative number to the right; whole lanes.
    unsafe fn shifted(a: Self::Int, left: i32) -> Self::Int;
    unsafe fn and(a: Self::Int, b: Self::Int) -> Self::Int;
    unsafe fn or(a: Self::Int, b: Self::Int) -> Self::Int;
    unsafe fn xor(a: Self::Int, b: Self::Int) -> Self::Int;
    unsafe fn to_float(a: Self::Int) -> Self::Float;

    unsafe fn zero() -> Self::Float;
    unsafe fn splat(value: f32) -> Self::Float;
    unsafe fn load_f32(at: *const f32) -> Self::Float;
    unsafe fn store_f32(at: *mut f32, a: Self::Float);
    unsafe fn load_f16(at: *const u8) -> Self::Float;
    unsafe fn load_bf16(at: *const u8) -> Self::Float;
    unsafe fn load_i8(at: *const u8) -> Self::Float;
    unsafe fn load_u8(at: *const u8) -> Self::Float;
    unsafe fn mul(a: Self::Float, b: Self::Float) -> Self::Float;
    unsafe fn add(a: Self::Float, b: Self::Float) -> Self::Float;
    unsafe fn negated(a: Self::Float) -> Self::Float;
    /// `a · b + c`, rounded once.
    unsafe fn fma(a: Self::Float, b: Self::Float, c: Self::Float) -> Self::Float;
}

/// An instruction set: vectors, and how it multiplies bytes.
pub(super) trait Isa: Sized {
    type V: Vector;
    /// Whether 8-bit weights are multiplied as signed numbers; otherwise plus 128, as they are stored.
    const SIGNED_BYTES: bool;

    /// For each of `R` rows and `VS` vectors of weights `start[row] + Σ w · x`, over the `N` fours of columns from `FROM`
    /// on; `x[row]` is where the first of these columns is. Weights are those of `F`; of 8 bits, they are as
    /// [`Isa::SIGNED_BYTES`] says.
    ///
    /// # Safety
    /// As for [`Vector`].
    unsafe fn dots<F: Quantized, const FROM: usize, const N: usize, const R: usize, const VS: usize>(
        w: &[[Int<Self>; 8]; VS],
        x: [*const i8; R],
        start: [Int<Self>; R],
    ) -> [[Int<Self>; VS]; R];
}

/// Integers of an instruction set.
pub(super) type Int<I> = <<I as Isa>::V as Vector>::Int;
/// Floats of an instruction set.
pub(super) type Float<I> = <<I as Isa>::V as Vector>::Float;

/// The same start for all vectors of a row.
#[inline(always)]
pub(super) fn spread<T: Copy, const R: usize, const VS: usize>(start: [T; R]) -> [[T; VS]; R] {
    let mut sums = [[start[0]; VS]; R];
    for row in 1..R {
        sums[row] = [start[row]; VS];
    }
    sums
}
