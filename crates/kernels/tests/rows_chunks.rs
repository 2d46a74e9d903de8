//! What is done to rows gives a row the same bits alone and among others, on one thread and on several.

use kernels::{Activations, Compute, Kernels, Needs, PerLayerScales, Pool, select::sample::Numbers};

const WIDTH: usize = 288;
const HEADS: usize = 3;
const HEAD_DIM: usize = 96;
const GATE: usize = 64;
const EPS: f32 = 1e-6;
const ROWS: usize = 43;

/// Inputs of [`ROWS`] rows.
struct Inputs {
    x: Vec<f32>,
    y: Vec<f32>,
    gate: Vec<f32>,
    w: Vec<f32>,
    next: Vec<f32>,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Inputs {
    fn new() -> Self {
        let mut numbers = Numbers::new(1);
        let mut some = |n: usize| numbers.values(n, 3.0);
        let (x, y, gate) = (some(ROWS * WIDTH), some(ROWS * WIDTH), some(ROWS * GATE));
        let (w, next) = (some(WIDTH), some(WIDTH));
        let (cos, sin) = some(ROWS * HEAD_DIM / 2).iter().map(|angle| (angle.cos(), angle.sin())).unzip();
        Self { x, y, gate, w, next, cos, sin }
    }

    /// All operations on rows `first..first + n`: for each row all results, one after the other.
    fn run(&self, compute: &Compute, first: usize, n: usize) -> Vec<Vec<u32>> {
        let some = |values: &[f32], width: usize| values[first * width..(first + n) * width].to_vec();
        let (x, y, gate) = (some(&self.x, WIDTH), some(&self.y, WIDTH), some(&self.gate, GATE));
        let (cos, sin) = (some(&self.cos, HEAD_DIM / 2), some(&self.sin, HEAD_DIM / 2));
        let mut results = vec![Vec::new(); n];
        let mut out = Activations::new(Needs { quantized: true, exact: true });
        compute.quantize(&x, WIDTH, &mut out);
        keep_activations(&mut results, &out);
        compute.norm(&x, &self.w, EPS, &mut out);
        keep_activations(&mut results, &out);
        let mut sum = x.clone();
        compute.add_norm(&mut sum, &y, &self.w, EPS, 0.7, Some((&self.next, &mut out)));
        keep(&mut results, &sum);
        keep_activations(&mut results, &out);
        let mut alone = x.clone();
        compute.add_norm(&mut alone, &y, &self.w, EPS, 0.7, None);
        assert_eq!(alone, sum, "the sum does not depend on what follows it");
        let mut heads = x.clone();
        compute.norm_heads(&mut heads, HEADS, HEAD_DIM, Some(&self.w[..HEAD_DIM]), EPS, Some((&cos, &sin)));
        keep(&mut results, &heads);
        compute.norm_heads(&mut heads, HEADS, HEAD_DIM, None, EPS, None);
        keep(&mut results, &heads);
        // The factor is the beginning of a longer row.
        compute.gate_by(&gate, GATE, &y, WIDTH, &mut out);
        keep_activations(&mut results, &out);
        let scales = PerLayerScales { before: 0.1, eps: EPS, table: 16.0, gain: 0.5 };
        let mut context = x.clone();
        compute.per_layer(&mut context, HEADS, &y, WIDTH, &self.w[..HEAD_DIM], scales);
        keep(&mut results, &context);
        results
    }
}

/// Adds each row of `values` to its results.
fn keep(results: &mut [Vec<u32>], values: &[f32]) {
    let width = values.len() / results.len();
    for (result, values) in results.iter_mut().zip(values.chunks_exact(width)) {
        result.extend(values.iter().map(|value| value.to_bits()));
    }
}

fn keep_activations(results: &mut [Vec<u32>], x: &Activations) {
    let x = x.view();
    assert_eq!(x.rows, results.len());
    let floats = |values: &[i32]| -> Vec<f32> { values.iter().map(|value| *value as f32).collect() };
    keep(results, &floats(x.offset32));
    keep(results, &floats(x.offset16));
    keep(results, &x.q.iter().map(|q| f32::from(*q)).collect::<Vec<_>>());
    for values in [x.scale, x.scaled_sum, x.exact] {
        keep(results, values);
    }
}

#[test]
fn a_row_s_bits_depend_on_no_other_row_and_on_no_thread() {
    let inputs = Inputs::new();
    let one = Compute::new(Pool::new(1), Kernels::scalar());
    let expected: Vec<_> = (0..ROWS).flat_map(|row| inputs.run(&one, row, 1)).collect();
    for threads in [1, 2, 5] {
        let compute = Compute::new(Pool::new(threads), Kernels::detect());
        for chunk in [1, 2, 4, 5, 9, 17, ROWS] {
            for first in (0..ROWS).step_by(chunk) {
                let n = chunk.min(ROWS - first);
                let got = inputs.run(&compute, first, n);
                assert!(got == expected[first..first + n], "{n} rows from {first} on {threads} threads");
            }
        }
    }
}

#[test]
fn no_rows_are_no_work() {
    let compute = Compute::new(Pool::new(3), Kernels::detect());
    let mut out = Activations::new(Needs { quantized: true, exact: true });
    compute.quantize(&[], 32, &mut out);
    compute.norm(&[], &[1.0; 32], EPS, &mut out);
    compute.add_norm(&mut [], &[], &[1.0; 32], EPS, 1.0, Some((&[1.0; 32], &mut out)));
    assert_eq!((out.rows(), out.width()), (0, 32));
}
