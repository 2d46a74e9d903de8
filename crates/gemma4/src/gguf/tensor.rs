//! The tensor table.

use candle_core::quantized::GgmlDType;

use super::{error::Error, reader::Reader};

/// Longest name of a tensor, in bytes. ggml itself stops at 64.
const NAME_LIMIT: u64 = 1024;
/// Most dimensions, as in ggml.
const DIMS_LIMIT: u32 = 4;

/// One tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// Row-major, so a matrix is `(out, in)`: the reverse of the order in the file.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub dtype: GgmlDType,
    /// Offset of its first byte from the start of the file.
    pub offset: u64,
    /// Its size in bytes.
    pub n_bytes: usize,
}

impl TensorInfo {
    /// Number of values.
    pub fn elem_count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A tensor whose type this program cannot use. The file may still be inspected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedTensor {
    /// Its name.
    pub name: String,
    /// Row-major.
    pub shape: Vec<u64>,
    /// The type as the file says.
    pub type_id: u32,
    /// Offset from the start of the file; its size is not known.
    pub offset: u64,
}

/// An entry of the table before its place in the file is known.
pub(super) struct Entry {
    pub(super) name: String,
    /// Row-major.
    pub(super) shape: Vec<u64>,
    pub(super) type_id: u32,
    /// Offset within the data section.
    pub(super) offset: u64,
}

impl Entry {
    /// Least bytes of an entry: name length, one dimension count, type, offset.
    pub(super) const MIN_BYTES: u64 = 8 + 4 + 4 + 8;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let name = reader.str("the name of a tensor", NAME_LIMIT)?.to_owned();
        let at = reader.at() as u64;
        let n_dims = reader.u32("a count of dimensions")?;
        if n_dims > DIMS_LIMIT {
            return Err(Error::Absurd {
                what: "a count of dimensions",
                at,
                count: n_dims.into(),
                limit: DIMS_LIMIT.into(),
            });
        }
        let mut shape = Vec::with_capacity(n_dims as usize);
        for _ in 0..n_dims {
            shape.push(reader.u64("a dimension")?);
        }
        shape.reverse();
        let type_id = reader.u32("the type of a tensor")?;
        let offset = reader.u64("the offset of a tensor")?;
        Ok(Self { name, shape, type_id, offset })
    }

    /// Bytes that the values take; an impossible shape is an error.
    pub(super) fn n_bytes(&self, dtype: GgmlDType) -> Result<u64, Error> {
        let (block, bytes) = (dtype.block_size() as u64, dtype.type_size() as u64);
        let n_values = self.shape.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim));
        match (n_values, self.shape.last()) {
            (Some(n_values), Some(row)) if n_values > 0 && row % block == 0 => (n_values / block).checked_mul(bytes),
            _ => None,
        }
        .filter(|n_bytes| isize::try_from(*n_bytes).is_ok())
        .ok_or_else(|| Error::Shape {
            name: self.name.clone(),
            shape: self.shape.clone(),
            dtype: type_name(self.type_id),
        })
    }
}

/// The type with this number, if tensors may be stored in it and candle can read it.
pub(super) fn dtype_from_id(id: u32) -> Option<GgmlDType> {
    Some(match id {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

/// The number that stands for `dtype` in a file.
pub fn dtype_id(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}

/// The usual name of the type with this number, known to this program or not.
pub fn type_name(id: u32) -> String {
    let name = match id {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        8 => "Q8_0",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        30 => "BF16",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        other => return format!("number {other}"),
    };
    name.to_owned()
}
