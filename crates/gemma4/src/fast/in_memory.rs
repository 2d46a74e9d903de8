//! Weights packed at each start.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use kernels::{Format, Matrix, format::STRIP_ROWS};

use crate::{error::Error, gguf::GgufFile, weights::Tensors};

#[derive(Debug, Clone, Copy)]
pub(super) struct MatrixId(usize);

pub(super) struct Packing {
    file: Arc<GgufFile>,
    matrices: Vec<(Format, usize, usize, Vec<u8>)>,
}

pub(super) struct PackedWeights {
    matrices: Vec<(Format, usize, usize, Vec<u8>)>,
}

impl Packing {
    pub(super) fn new(file: &Arc<GgufFile>) -> Self {
        Self { file: Arc::clone(file), matrices: Vec::new() }
    }

    pub(super) fn matrix(&mut self, name: &str, n_out: usize, n_in: usize) -> Result<MatrixId, Error> {
        let mapped = Tensors(&self.file).mapped(name, n_out, n_in)?;
        let format = match mapped.dtype() {
            GgmlDType::F32 => Format::F32,
            GgmlDType::F16 => Format::F16,
            GgmlDType::BF16 => Format::BF16,
            GgmlDType::Q4_0 => Format::Q4_0,
            GgmlDType::Q4_1 => Format::Q4_1,
            GgmlDType::Q5_0 => Format::Q5_0,
            GgmlDType::Q5_1 => Format::Q5_1,
            GgmlDType::Q8_0 => Format::Q8_0,
            GgmlDType::Q4K => Format::Q4K,
            GgmlDType::Q5K => Format::Q5K,
            GgmlDType::Q6K => Format::Q6K,
            dtype => return Err(Error::TensorType { name: name.to_owned(), dtype }),
        };
        let mut bytes = vec![0; format.packed_bytes(n_out, n_in)];
        kernels::pack::pack(format, mapped.bytes(), n_out, n_in, 0..n_out.div_ceil(STRIP_ROWS), &mut bytes);
        self.matrices.push((format, n_out, n_in, bytes));
        Ok(MatrixId(self.matrices.len() - 1))
    }

    pub(super) fn open(self) -> Result<PackedWeights, Error> {
        Ok(PackedWeights { matrices: self.matrices })
    }
}

impl PackedWeights {
    pub(super) fn matrix(&self, id: MatrixId) -> Matrix<'_> {
        let (format, n_out, n_in, bytes) = &self.matrices[id.0];
        match Matrix::new(*format, *n_out, *n_in, bytes) {
            Some(matrix) => matrix,
            None => unreachable!("packed as it is read"),
        }
    }
}
