//! Which implementation computes.
//!
//! Every instruction set that the processor has is a [`Set`], the best first and the definition last. For each operation
//! the first implementation is taken that agrees with the definition on a few small random inputs, so that a processor (or
//! an emulator, or a compiler) that gets an instruction wrong costs speed and not answers.

mod check;
pub mod sample;
mod sets;

use std::{fmt, sync::OnceLock};

use crate::{
    error::Error,
    format::Format,
    ops::{AttentionKernel, MatmulKernel, RowKernel},
    scalar::Scalar,
};

/// The environment variable that forces an instruction set.
pub const VARIABLE: &str = "AULA_KERNELS";

/// The chosen kernels.
#[derive(Clone, Copy)]
pub struct Kernels {
    pub(crate) matmul: [&'static dyn MatmulKernel; Format::COUNT],
    pub(crate) rows: &'static dyn RowKernel,
    pub(crate) attention: &'static dyn AttentionKernel,
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.report()).finish()
    }
}

/// All operations of one instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Set {
    /// The name that `AULA_KERNELS` knows.
    pub(crate) name: &'static str,
    pub(crate) matmul: &'static dyn MatmulKernel,
    pub(crate) rows: &'static dyn RowKernel,
    pub(crate) attention: &'static dyn AttentionKernel,
}

impl Set {
    /// All of it, unchecked.
    fn kernels(&self) -> Kernels {
        Kernels { matmul: [self.matmul; Format::COUNT], rows: self.rows, attention: self.attention }
    }
}

/// The definition, with fused multiply-add.
static FUSED: Scalar<true> = Scalar;

impl Kernels {
    /// The definition.
    pub fn scalar() -> Self {
        Self { matmul: [&FUSED; Format::COUNT], rows: &FUSED, attention: &FUSED }
    }

    /// The best that this processor has and that agrees with the definition. Checked once, which takes a few
    /// milliseconds; later calls give the same.
    pub fn detect() -> Self {
        static DETECTED: OnceLock<Kernels> = OnceLock::new();
        *DETECTED.get_or_init(|| choose(&sets::available()))
    }

    /// The instruction set called `name` (`scalar`, `avx2`, `avx_vnni`, `avx512_vnni`, `neon_dotprod`, `neon_i8mm`),
    /// checked like those of [`Self::detect`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there is no such set here.
    pub fn forced(name: &str) -> Result<Self, Error> {
        let sets = sets::available();
        match sets.iter().position(|set| set.name == name) {
            Some(index) => Ok(choose(&sets[index..])),
            None => {
                let available = sets.iter().map(|set| set.name).collect();
                Err(Error::Unavailable { asked: name.to_owned(), available })
            }
        }
    }

    /// What `AULA_KERNELS` asks for; [`Self::detect`] if it is unset or empty.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it asks for what is not there.
    pub fn from_env() -> Result<Self, Error> {
        match std::env::var_os(VARIABLE) {
            Some(name) if !name.is_empty() => Self::forced(&name.to_string_lossy()),
            _ => Ok(Self::detect()),
        }
    }

    /// The instruction set that computes products of 4-bit weights.
    pub fn name(&self) -> &'static str {
        self.matmul[Format::Q4_0 as usize].name()
    }

    /// Products with weights in `format`.
    pub fn matmul(&self, format: Format) -> &'static dyn MatmulKernel {
        self.matmul[format as usize]
    }

    /// What is done to single rows.
    pub fn rows(&self) -> &'static dyn RowKernel {
        self.rows
    }

    /// Attention over blocks of keys.
    pub fn attention(&self) -> &'static dyn AttentionKernel {
        self.attention
    }

    /// For each operation, by name, the instruction set that computes it.
    pub fn report(&self) -> Vec<(&'static str, &'static str)> {
        let products = Format::ALL.into_iter().map(|format| (format.name(), self.matmul[format as usize].name()));
        products.chain([("rows", self.rows.name()), ("attention", self.attention.name())]).collect()
    }
}

/// Every instruction set that this processor has, as it is, for tests that compare them: the best first, the definition
/// last.
pub fn available() -> Vec<(&'static str, Kernels)> {
    sets::available().iter().map(|set| (set.name, set.kernels())).collect()
}

/// For each operation the first of `sets` that agrees with the definition. The last of them is not checked: it is the
/// definition, or the one that rounds as this processor must.
fn choose(sets: &[Set]) -> Kernels {
    let inputs = check::Inputs::new();
    let pick = |operation: &str, agrees: &dyn Fn(&Set) -> bool| {
        for (index, set) in sets.iter().enumerate() {
            if index + 1 == sets.len() || agrees(set) {
                return *set;
            }
            tracing::warn!(
                "`{}` of `{}` disagrees with the definition on this processor; `{}` computes instead",
                operation,
                set.name,
                sets[index + 1].name
            );
        }
        sets::definition()
    };
    let alone = sets.len() == 1;
    let products = Format::ALL.map(|format| {
        let expected = if alone { Vec::new() } else { inputs.products(&FUSED, format, inputs.rows()) };
        pick(format.name(), &|set| inputs.product_agrees(set.matmul, format, &expected)).matmul
    });
    let rows = if alone { Vec::new() } else { inputs.row_operations(&FUSED) };
    let attention = if alone { Vec::new() } else { inputs.attention(&FUSED) };
    Kernels {
        matmul: products,
        rows: pick("rows", &|set| check::same(&inputs.row_operations(set.rows), &rows)).rows,
        attention: pick("attention", &|set| check::same(&inputs.attention(set.attention), &attention)).attention,
    }
}

#[cfg(test)]
mod tests;
