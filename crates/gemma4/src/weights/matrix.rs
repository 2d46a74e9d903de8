//! A weight matrix on the device that computes.

use std::borrow::Cow;

use candle_core::{
    DType, Device, Module, Result, Tensor,
    quantized::{GgmlDType, QMatMul, QStorage, QTensor},
};

use super::blocks::MappedMatrix;

/// A weight matrix of shape `(out, in)`, applied as `x · Wᵀ`.
pub struct Matrix(Place);

enum Place {
    /// On the CPU: read where the file is mapped, whatever its type.
    Mapped(MappedMatrix),
    /// On a graphics card: the file's quantized blocks.
    Quantized(QMatMul),
    /// On a graphics card: F32, F16 or BF16 as in the file. 16-bit weights are widened for each product, which keeps
    /// activations in f32 and memory at the file's size; published files have one such matrix.
    Dense(Tensor),
}

impl Matrix {
    /// `weights` on `device`: borrowed on the CPU, uploaded elsewhere.
    ///
    /// # Errors
    /// If the upload fails.
    pub fn new(weights: MappedMatrix, device: &Device) -> Result<Self> {
        Ok(Self(if device.is_cpu() { Place::Mapped(weights) } else { Place::upload(&weights, device)? }))
    }

    /// `(tokens, in)` → `(tokens, out)`, f32.
    ///
    /// On the CPU a row's result is bit for bit the same however many rows `x` has.
    ///
    /// # Errors
    /// If the shapes do not fit or the device fails.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        match &self.0 {
            Place::Mapped(weights) => x.apply_op1_no_bwd(weights),
            Place::Quantized(weights) => weights.forward(x),
            Place::Dense(weights) => x.matmul(&weights.to_dtype(DType::F32)?.t()?),
        }
    }
}

impl Place {
    fn upload(weights: &MappedMatrix, device: &Device) -> Result<Self> {
        let (n_out, n_in) = weights.shape();
        let dense = |dtype| Tensor::from_raw_buffer(weights.bytes(), dtype, &[n_out, n_in], device).map(Self::Dense);
        match weights.dtype() {
            GgmlDType::F32 => dense(DType::F32),
            GgmlDType::F16 => dense(DType::F16),
            GgmlDType::BF16 => dense(DType::BF16),
            dtype => {
                let storage = QStorage::from_data(Cow::Borrowed(weights.bytes()), device, dtype)?;
                Ok(Self::Quantized(QMatMul::from_qtensor(QTensor::new(storage, (n_out, n_in))?)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::gguf::GgufFile;

    /// What runs on a graphics card, run on the processor: candle's operations are the same there.
    #[test]
    fn uploaded_weights_multiply_like_mapped_ones() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
        for (path, limit) in [
            ("tiny-e2b/tiny-e2b-F16.gguf", 1e-6),
            ("tiny-e4b/tiny-e4b-BF16.gguf", 1e-6),
            ("tiny-e2b/tiny-e2b-Q4_0.gguf", 0.01),
            ("tiny-e4b/tiny-e4b-Q4_K_M.gguf", 0.01),
        ] {
            let file = Arc::new(GgufFile::open(&golden.join(path)).unwrap());
            for info in file.tensors().iter().filter(|info| info.shape.len() == 2) {
                let weights = MappedMatrix::new(&file, info, info.shape[0], info.shape[1]).unwrap();
                let uploaded = Matrix(Place::upload(&weights, &Device::Cpu).unwrap());
                let mapped = Matrix::new(weights, &Device::Cpu).unwrap();
                let x = Tensor::arange(0f32, 3.0 * info.shape[1] as f32, &Device::Cpu).unwrap().sin().unwrap();
                let x = x.reshape((3, info.shape[1])).unwrap();
                let (a, b) = (uploaded.apply(&x).unwrap(), mapped.apply(&x).unwrap());
                let length = |t: Tensor| t.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
                let error = length((&a - &b).unwrap()) / length(b);
                assert!(error <= limit, "{path} {}: {error}", info.name);
            }
        }
    }
}
