//! Products with packed weights.

use crate::{
    activations::ActivationRows,
    ops::{MatmulKernel, Out, Strips},
    scalar::Scalar,
};

/// Defines an instruction set: detected when it is made, so that a value of the type proves that the processor has it.
macro_rules! instruction_set {
    ($(#[$doc:meta])* $name:ident, $label:literal, $($feature:tt),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(());

        impl $name {
            /// `None` if the processor lacks the instructions.
            pub fn new() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&+).then_some(Self(()))
            }
        }

        impl MatmulKernel for $name {
            fn name(&self) -> &'static str {
                $label
            }

            unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
                // SAFETY: by the caller's promise.
                unsafe { Scalar::<true>.product(weights, x, out) }
            }
        }
    };
}

instruction_set!(
    /// 512-bit vectors with integer dot products (Cascade Lake, Ice Lake, Zen 4 and later).
    Avx512Vnni, "AVX-512 VNNI", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx2", "fma", "f16c"
);
instruction_set!(
    /// 256-bit vectors with integer dot products (Alder Lake and later).
    AvxVnni, "AVX-VNNI", "avxvnni", "avx2", "fma", "f16c"
);
instruction_set!(
    /// 256-bit vectors (Haswell, Zen and later).
    Avx2, "AVX2", "avx2", "fma", "f16c"
);
