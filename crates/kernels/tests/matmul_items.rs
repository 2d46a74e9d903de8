//! However a product is cut into items: each row has the bits that it has alone.

use kernels::{
    Activations, Compute, Format, Kernels, Matrix, Needs, Pool, Product,
    select::sample::{self, Numbers},
};

const WIDTH: usize = 256;

fn activations(compute: &Compute, values: &[f32], needs: Needs) -> Activations {
    let mut x = Activations::new(needs);
    compute.quantize(values, WIDTH, &mut x);
    x
}

/// Two products in one job, and the gated product, for the rows in `values`.
fn all(compute: &Compute, values: &[f32], format: Format, n_rows: usize) -> [Vec<f32>; 3] {
    let x = activations(compute, values, Needs::of([format]));
    let rows = values.len() / WIDTH;
    let packed = [1, 2].map(|seed| sample::weights(format, n_rows, WIDTH, seed));
    let matrix = |bytes| Matrix::new(format, n_rows, WIDTH, bytes).unwrap_or_else(|| panic!("{format:?} {n_rows}"));
    let (a, b) = (matrix(&packed[0]), matrix(&packed[1]));
    let (mut first, mut second) = (vec![f32::NAN; rows * n_rows], vec![f32::NAN; rows * n_rows]);
    let mut both = [Product { weights: a, out: &mut first }, Product { weights: b, out: &mut second }];
    compute.products(&x, &mut both);
    let mut gated = Activations::new(Needs { quantized: false, exact: true });
    if n_rows.is_multiple_of(32) {
        compute.gated(&x, a, b, &mut gated);
    }
    [first, second, gated.view().exact.to_vec()]
}

#[test]
fn a_row_does_not_depend_on_the_others() {
    let one = Compute::new(Pool::new(1), Kernels::detect());
    for (format, n_rows) in
        [(Format::Q4_0, 544), (Format::Q4_0, 30), (Format::Q6K, 1), (Format::BF16, 544), (Format::Q4K, 1056)]
    {
        let values = Numbers::new(3).values(210 * WIDTH, 2.0);
        let alone: Vec<_> = values.chunks_exact(WIDTH).map(|row| all(&one, row, format, n_rows)).collect();
        for threads in [1, 3] {
            let compute = Compute::new(Pool::new(threads), Kernels::detect());
            for rows in [1, 8, 9, 48, 97, 210] {
                let together = all(&compute, &values[..rows * WIDTH], format, n_rows);
                for (index, got) in together.iter().enumerate() {
                    let expected = alone[..rows].iter().flat_map(|row| &row[index]);
                    let same = got.iter().map(|value| value.to_bits()).eq(expected.map(|value| value.to_bits()));
                    assert!(same, "{format:?} {n_rows}: part {index} of {rows} rows on {threads} threads");
                }
            }
        }
    }
}
