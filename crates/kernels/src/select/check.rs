//! Whether a kernel agrees with the definition, on inputs small enough to be computed at every start.

use half::f16;

use super::sample::{Numbers, weights};
use crate::{
    Activations, Needs,
    activations::BlocksMut,
    format::{BLOCK, Format, STRIP_ROWS, SUPER_BLOCK},
    ops::{AttentionKernel, Gathered, KEY_BLOCK, KeyBlock, MatmulKernel, Out, RowKernel, Strips},
    scalar::Scalar,
};

/// Rows of activations computed at once: one, the small numbers that verify drafts, and more than any tile takes.
const ROW_COUNTS: [usize; 6] = [1, 2, 3, 4, 7, 17];
const MOST_ROWS: usize = 17;
const STRIPS: usize = 2;
const HEAD_DIM: usize = 64;
/// Lengths of rows, one of them no multiple of any register.
const LENGTHS: [usize; 3] = [16, 96, 173];

/// Inputs, the same at every start.
pub(super) struct Inputs {
    /// 17 rows of one super block.
    wide: Activations,
    /// 17 rows of three blocks.
    narrow: Activations,
}

impl Inputs {
    pub(super) fn new() -> Self {
        Self { wide: activations(SUPER_BLOCK, 1), narrow: activations(3 * BLOCK, 2) }
    }

    /// The largest number of rows that a product is checked with.
    pub(super) fn rows(&self) -> usize {
        MOST_ROWS
    }

    fn activations(&self, format: Format) -> &Activations {
        if format.tile_width() == SUPER_BLOCK { &self.wide } else { &self.narrow }
    }

    /// `rows` rows times two strips of `format`.
    pub(super) fn products(&self, kernel: &dyn MatmulKernel, format: Format, rows: usize) -> Vec<f32> {
        let x = self.activations(format).row_range(0, rows);
        let bytes = weights(format, STRIPS * STRIP_ROWS, x.width, 3 + format as u64);
        let mut out = vec![f32::NAN; rows * STRIPS * STRIP_ROWS];
        let strips = Strips { format, width: x.width, bytes: &bytes };
        // SAFETY: the buffer holds `rows` rows of two strips, and is nobody else's.
        unsafe { kernel.product(&strips, &x, Out { at: out.as_mut_ptr(), stride: STRIPS * STRIP_ROWS }) };
        out
    }

    /// Whether `kernel` gives for every number of rows what the definition gives for most of them.
    pub(super) fn product_agrees(&self, kernel: &dyn MatmulKernel, format: Format, expected: &[f32]) -> bool {
        ROW_COUNTS.into_iter().all(|rows| {
            let got = self.products(kernel, format, rows);
            same(&got, &expected[..got.len()])
        })
    }

    /// Everything that is done to rows, one result after the other.
    pub(super) fn row_operations(&self, kernel: &dyn RowKernel) -> Vec<f32> {
        let mut all = Vec::new();
        for length in LENGTHS {
            let mut numbers = Numbers::new(100 + length as u64);
            let (a, b) = (numbers.values(length, 4.0), numbers.values(length, 3.0));
            let mut out = vec![f32::NAN; length];
            let factor = kernel.inverse_rms(&a, 1e-6);
            all.push(factor);
            kernel.scale(&a, factor, Some(&b), &mut out);
            all.extend_from_slice(&out);
            kernel.scale(&a, 0.3, None, &mut out);
            all.extend_from_slice(&out);
            kernel.add_scaled(&mut out, &b, 0.7, &a, 1.1);
            all.extend_from_slice(&out);
            kernel.gelu_mul(&a, &b, &mut out);
            all.extend_from_slice(&out);
            kernel.combine(&a, 0.25, &b, 0.7, &mut out);
            all.extend_from_slice(&out);
            kernel.softcap(&mut out, 30.0);
            all.extend_from_slice(&out);
            let mut head = numbers.values(2 * length, 2.0);
            let (cos, sin) = (numbers.values(length, 1.0), numbers.values(length, 1.0));
            kernel.rotate(&mut head, &cos, &sin);
            all.extend_from_slice(&head);
            let mut halves = vec![f16::ZERO; length];
            kernel.to_f16(&a, &mut halves);
            all.extend(halves.iter().map(|half| half.to_f32()));
        }
        let mut numbers = Numbers::new(7);
        let mut x = numbers.values(5 * BLOCK, 2.0);
        x[2 * BLOCK..3 * BLOCK].fill(0.0);
        all.extend(quantized(kernel, &x, x.len()).flat_map());
        all
    }

    /// One block of keys for queries that see all of it, parts, or nothing, merged one after the other.
    pub(super) fn attention(&self, kernel: &dyn AttentionKernel) -> Vec<f32> {
        let mut numbers = Numbers::new(11);
        let mut halves =
            || -> Vec<f16> { numbers.values(KEY_BLOCK * HEAD_DIM, 1.0).into_iter().map(f16::from_f32).collect() };
        let (k, v) = (halves(), halves());
        let visible = [(0, 64), (5, 23), (0, 0), (16, 17), (40, 64), (0, 33), (63, 64), (3, 61), (0, 64)];
        let n = visible.len();
        let q = numbers.values(n * HEAD_DIM, 1.0);
        let (mut max, mut sum, mut acc) = (vec![f32::NAN; n], vec![f32::NAN; n], vec![f32::NAN; n * HEAD_DIM]);
        let block = KeyBlock { head_dim: HEAD_DIM, k: &k, v: &v, q: &q, visible: &visible };
        kernel.block(&block, Gathered { max: &mut max, sum: &mut sum, acc: &mut acc });
        let mut merged_acc = vec![0.0; HEAD_DIM];
        let (mut merged_max, mut merged_sum) = ([f32::NEG_INFINITY], [0.0]);
        for query in 0..n {
            let to = Gathered { max: &mut merged_max, sum: &mut merged_sum, acc: &mut merged_acc };
            kernel.merge(to, (max[query], sum[query], &acc[query * HEAD_DIM..][..HEAD_DIM]));
        }
        [max, sum, acc, merged_max.to_vec(), merged_sum.to_vec(), merged_acc].concat()
    }
}

/// Whether two results are the same, bit for bit.
pub(super) fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// What quantizing gives.
struct Quantized {
    q: Vec<i8>,
    scale: Vec<f32>,
    offset32: Vec<i32>,
    offset16: Vec<i32>,
    scaled_sum: Vec<f32>,
}

impl Quantized {
    /// All of it as values; none of the integers is larger than an f32 holds exactly.
    fn flat_map(self) -> impl Iterator<Item = f32> {
        let integers = self.offset32.into_iter().chain(self.offset16).chain(self.q.into_iter().map(i32::from));
        self.scale.into_iter().chain(self.scaled_sum).chain(integers.map(|value| value as f32))
    }
}

fn quantized(kernel: &dyn RowKernel, x: &[f32], n: usize) -> Quantized {
    let blocks = n / BLOCK;
    let mut out = Quantized {
        q: vec![0; n],
        scale: vec![0.0; blocks],
        offset32: vec![0; blocks],
        offset16: vec![0; 2 * blocks],
        scaled_sum: vec![0.0; blocks],
    };
    let to = BlocksMut {
        q: &mut out.q,
        scale: &mut out.scale,
        offset32: &mut out.offset32,
        offset16: &mut out.offset16,
        scaled_sum: &mut out.scaled_sum,
    };
    kernel.quantize(x, to);
    out
}

/// Random rows of `width`, in both forms.
fn activations(width: usize, seed: u64) -> Activations {
    let mut out = Activations::new(Needs { quantized: true, exact: true });
    out.resize(MOST_ROWS, width);
    let mut numbers = Numbers::new(seed);
    let writer = out.writer();
    for row in 0..MOST_ROWS {
        let values = numbers.values(width, 2.0);
        // SAFETY: the activations are ours alone, and have these rows in both forms.
        unsafe {
            Scalar::<true>.quantize(&values, writer.blocks(row, 0, width / BLOCK));
            writer.exact(row, 0, width).copy_from_slice(&values);
        }
    }
    out
}
