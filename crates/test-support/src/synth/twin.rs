//! F32 twins: the same model with every tensor dequantized by candle, for comparing storage types.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use candle_core::{
    Device,
    quantized::{GgmlDType, QStorage, QTensor},
};

use super::{
    blocks::Kind,
    model::{Spec, builder, kept, tensor_bytes},
    plan::TensorPlan,
};

/// Writes the model of `spec` with every tensor stored as the F32 values that its blocks stand for.
///
/// # Errors
/// If candle cannot dequantize a tensor or the file cannot be written. The whole of a tensor is held in memory: for
/// tiny models.
pub fn write_f32_twin(path: &Path, spec: Spec) -> io::Result<()> {
    let tensors = kept(spec);
    let as_f32: Vec<TensorPlan> =
        tensors.iter().map(|tensor| TensorPlan { kind: Kind::F32, ..tensor.clone() }).collect();
    let builder = builder(spec, &as_f32);
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(&builder.header())?;
    for (tensor, entry) in tensors.iter().zip(builder.tensors()) {
        for value in dequantize(tensor, &tensor_bytes(tensor, spec.seed)).map_err(io::Error::other)? {
            out.write_all(&value.to_le_bytes())?;
        }
        let padding = entry.n_bytes.next_multiple_of(builder.alignment as usize) - entry.n_bytes;
        out.write_all(&vec![0; padding])?;
    }
    out.flush()
}

fn dequantize(tensor: &TensorPlan, bytes: &[u8]) -> candle_core::Result<Vec<f32>> {
    let dtype = match tensor.kind {
        Kind::F32 => GgmlDType::F32,
        Kind::F16 => GgmlDType::F16,
        Kind::Bf16 => GgmlDType::BF16,
        Kind::Q4_0 => GgmlDType::Q4_0,
        Kind::Q4_1 => GgmlDType::Q4_1,
        Kind::Q5_0 => GgmlDType::Q5_0,
        Kind::Q5_1 => GgmlDType::Q5_1,
        Kind::Q8_0 => GgmlDType::Q8_0,
        Kind::Q4K => GgmlDType::Q4K,
        Kind::Q5K => GgmlDType::Q5K,
        Kind::Q6K => GgmlDType::Q6K,
    };
    let storage = QStorage::from_data(Cow::Borrowed(bytes), &Device::Cpu, dtype)?;
    QTensor::new(storage, tensor.shape.clone())?.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1()
}
