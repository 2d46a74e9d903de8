use super::*;
use crate::{
    activations::{ActivationRows, BlocksMut},
    ops::{Gathered, KeyBlock, Out, Strips},
};
use half::f16;

/// Right but for one value that is one step too large.
struct Wrong;

fn nudge(value: &mut f32) {
    *value = value.next_up();
}

impl MatmulKernel for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }

    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
        // SAFETY: by the caller's promise.
        unsafe { FUSED.product(weights, x, out) };
        if weights.format == Format::Q5K && x.rows == 3 {
            // SAFETY: row 2 is there.
            unsafe { nudge(&mut *out.at.add(2 * out.stride + 5)) };
        }
    }
}

impl RowKernel for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn quantize(&self, x: &[f32], out: BlocksMut<'_>) {
        FUSED.quantize(x, out);
    }
    fn inverse_rms(&self, x: &[f32], eps: f32) -> f32 {
        FUSED.inverse_rms(x, eps)
    }
    fn scale(&self, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]) {
        FUSED.scale(x, factor, weight, out);
    }
    fn add_scaled(&self, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32) {
        FUSED.add_scaled(x, y, factor, weight, gain);
    }
    fn rotate(&self, x: &mut [f32], cos: &[f32], sin: &[f32]) {
        FUSED.rotate(x, cos, sin);
        nudge(&mut x[7]);
    }
    fn gelu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        FUSED.gelu_mul(gate, up, out);
    }
    fn combine(&self, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]) {
        FUSED.combine(a, scale_a, b, gain, out);
    }
    fn softcap(&self, x: &mut [f32], cap: f32) {
        FUSED.softcap(x, cap);
    }
    fn to_f16(&self, x: &[f32], out: &mut [f16]) {
        FUSED.to_f16(x, out);
    }
}

impl AttentionKernel for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn block(&self, block: &KeyBlock<'_>, out: Gathered<'_>) {
        FUSED.block(block, out);
    }
    fn merge(&self, to: Gathered<'_>, from: (f32, f32, &[f32])) {
        let acc = &mut *to.acc;
        FUSED.merge(Gathered { max: &mut *to.max, sum: &mut *to.sum, acc: &mut *acc }, from);
        nudge(&mut acc[0]);
    }
}

/// A right one under another name.
struct Right;

impl MatmulKernel for Right {
    fn name(&self) -> &'static str {
        "right"
    }
    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
        // SAFETY: by the caller's promise.
        unsafe { FUSED.product(weights, x, out) };
    }
}

#[test]
fn a_wrong_kernel_is_replaced_by_the_next_and_a_right_one_is_kept() {
    let wrong = Set { name: "wrong", matmul: &Wrong, rows: &Wrong, attention: &Wrong };
    let right = Set { name: "right", matmul: &Right, rows: &FUSED, attention: &FUSED };
    let chosen = choose(&[wrong, right, sets::definition()]);
    for format in Format::ALL {
        // Only one format of the wrong set is wrong, and only for three rows.
        let expected = if format == Format::Q5K { "right" } else { "wrong" };
        assert_eq!(chosen.matmul[format as usize].name(), expected, "{format:?}");
    }
    assert_eq!(chosen.rows.name(), RowKernel::name(&FUSED));
    assert_eq!(chosen.attention.name(), AttentionKernel::name(&FUSED));
    let report = chosen.report();
    assert_eq!(report.len(), Format::COUNT + 2);
    assert!(report.contains(&("q5_k", "right")) && report.contains(&("q4_k", "wrong")), "{report:?}");
}

#[test]
fn every_kernel_that_this_processor_has_is_chosen_when_forced() {
    for (name, raw) in available() {
        let forced = Kernels::forced(name).expect("there");
        assert_eq!(forced.report(), raw.report(), "a kernel of `{name}` disagrees with the definition");
    }
    let best = available()[0].1;
    assert_eq!(Kernels::detect().report(), best.report());
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let error = Kernels::forced("abacus").expect_err("nobody has it");
    let names: Vec<_> = available().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        error.to_string(),
        format!("AULA_KERNELS asks for `abacus`, but this machine has only {}", names.join(", "))
    );
    assert_eq!(names.last(), Some(&"scalar"));
    assert!(Kernels::forced("").is_err());
}

#[test]
fn the_best_is_named_as_its_set() {
    for (name, kernels) in available() {
        assert!(kernels.name().starts_with(name), "{} of `{name}`", kernels.name());
    }
}

/// On emulated processors the variable says what must be there, so that no suite passes for want of instructions.
#[test]
fn the_environment_decides() {
    let chosen = Kernels::from_env().expect("what AULA_KERNELS asks for is there");
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => assert_eq!(chosen.report(), Kernels::forced(&name).expect("there").report()),
        _ => assert_eq!(chosen.report(), Kernels::detect().report()),
    }
}
