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
        if device.is_cpu() {
            return Ok(Self(Place::Mapped(weights)));
        }
        let storage = QStorage::from_data(Cow::Borrowed(weights.bytes()), device, weights.dtype())?;
        let tensor = QTensor::new(storage, weights.shape())?;
        let place = match weights.dtype() {
            GgmlDType::F32 => Place::Dense(tensor.dequantize(device)?),
            GgmlDType::F16 => Place::Dense(tensor.dequantize(device)?.to_dtype(DType::F16)?),
            GgmlDType::BF16 => Place::Dense(tensor.dequantize(device)?.to_dtype(DType::BF16)?),
            _ => Place::Quantized(QMatMul::from_qtensor(tensor)?),
        };
        Ok(Self(place))
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
