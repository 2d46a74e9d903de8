//! Weights read in place: bytes of the memory map seen as quantization blocks, and the two things done with them,
//! a matrix product and a gather of rows.
//!
//! Nothing is copied and nothing is repacked, so a model costs the memory of its file once. candle's own
//! `QMatMul` would keep a second, expanded copy of Q4_K, Q6_K and Q8_0 weights, and would compute one row by another
//! formula than many rows; here a row's result is bit for bit the same however many rows it is computed with.
#![expect(unsafe_code, reason = "the one place that reads mapped bytes as typed blocks")]

use std::sync::Arc;

use candle_core::{
    CpuStorage, CustomOp1, Layout, Shape,
    quantized::{
        GgmlDType, GgmlType,
        k_quants::{BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K, BlockQ8_0},
    },
};
use half::{bf16, f16};

use super::{
    product::{Exact, Rounded, product},
    super_blocks::{q4k_into, q5k_into},
};
use crate::{
    error::Error,
    gguf::{GgufFile, TensorInfo},
};

type Result<T, E = candle_core::Error> = std::result::Result<T, E>;

/// At most so many bytes of a row are read at once; on the stack. Enough for a row of the largest quantized table.
const ROW_BUFFER_BYTES: usize = 16 << 10;
/// Blocks are aligned to no more.
const BLOCK_ALIGNMENT: usize = 8;

/// A two-dimensional tensor in the map, `(n_rows, width)`, row-major.
#[derive(Clone)]
pub struct MappedMatrix {
    file: Arc<GgufFile>,
    info: TensorInfo,
    n_rows: usize,
    width: usize,
}

/// Blocks that any bytes are valid for: integers and floats without padding, at most 4-byte alignment.
///
/// # Safety
/// Every bit pattern must be a valid value, and the type must have no padding, no pointer and no drop glue.
unsafe trait AnyBytes: GgmlType {}

macro_rules! any_bytes {
    ($($block:ty),*) => { $(
        // SAFETY: a `repr(C)` record of f16 and integer arrays (or a plain float), whose size candle asserts to be
        // the sum of its fields.
        unsafe impl AnyBytes for $block {}
    )* };
}
any_bytes!(f32, f16, bf16, BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0, BlockQ4K, BlockQ5K, BlockQ6K);

/// Runs `$body` with `$block` standing for the Rust type of `$dtype`, or `$other` if weights cannot have that type.
macro_rules! with_block_type {
    ($dtype:expr, $block:ident => $body:expr, _ => $other:expr) => {
        match $dtype {
            GgmlDType::F32 => {
                type $block = f32;
                $body
            }
            GgmlDType::F16 => {
                type $block = f16;
                $body
            }
            GgmlDType::BF16 => {
                type $block = bf16;
                $body
            }
            GgmlDType::Q4_0 => {
                type $block = BlockQ4_0;
                $body
            }
            GgmlDType::Q4_1 => {
                type $block = BlockQ4_1;
                $body
            }
            GgmlDType::Q5_0 => {
                type $block = BlockQ5_0;
                $body
            }
            GgmlDType::Q5_1 => {
                type $block = BlockQ5_1;
                $body
            }
            GgmlDType::Q8_0 => {
                type $block = BlockQ8_0;
                $body
            }
            GgmlDType::Q4K => {
                type $block = BlockQ4K;
                $body
            }
            GgmlDType::Q5K => {
                type $block = BlockQ5K;
                $body
            }
            GgmlDType::Q6K => {
                type $block = BlockQ6K;
                $body
            }
            GgmlDType::Q8_1 | GgmlDType::Q2K | GgmlDType::Q3K | GgmlDType::Q8K => $other,
        }
    };
}

/// `bytes` as whole blocks; `None` if they are not a whole number of blocks or not aligned.
fn as_blocks<T: AnyBytes>(bytes: &[u8]) -> Option<&[T]> {
    let size = std::mem::size_of::<T>();
    let aligned = (bytes.as_ptr() as usize).is_multiple_of(std::mem::align_of::<T>());
    if !aligned || !bytes.len().is_multiple_of(size) {
        return None;
    }
    // SAFETY: the pointer is aligned and the bytes are initialised, readable for the slice's lifetime and a whole
    // number of `T`; `AnyBytes` promises that any bytes are a valid `T`.
    Some(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), bytes.len() / size) })
}

impl MappedMatrix {
    /// The tensor `info` of `file`, whose shape must be `(n_rows, width)`.
    ///
    /// # Errors
    /// If the type is not one that weights can have, or the bytes are not whole aligned rows of blocks.
    pub fn new(file: &Arc<GgufFile>, info: &TensorInfo, n_rows: usize, width: usize) -> Result<Self, Error> {
        let whole_rows = with_block_type!(info.dtype, Block => {
            let row_blocks = width / Block::BLCK_SIZE;
            width.is_multiple_of(Block::BLCK_SIZE)
                && as_blocks::<Block>(file.tensor_bytes(info)).is_some_and(|b| b.len() == n_rows * row_blocks)
        }, _ => return Err(Error::TensorType { name: info.name.clone(), dtype: info.dtype }));
        if !whole_rows {
            return Err(Error::TensorLayout { name: info.name.clone() });
        }
        Ok(Self { file: Arc::clone(file), info: info.clone(), n_rows, width })
    }

    /// The bytes in the map.
    pub fn bytes(&self) -> &[u8] {
        self.file.tensor_bytes(&self.info)
    }

    /// The type of its elements.
    pub fn dtype(&self) -> GgmlDType {
        self.info.dtype
    }

    /// `(n_rows, width)`.
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.width)
    }

    fn blocks<T: AnyBytes>(&self) -> Result<&[T]> {
        as_blocks(self.bytes())
            .ok_or_else(|| candle_core::Error::Msg(format!("tensor {} is not made of whole blocks", self.info.name)))
    }

    /// Values of one block: rows can be read in whole blocks only.
    pub fn block_len(&self) -> usize {
        self.info.dtype.block_size()
    }

    /// The rows `ids`, dequantized to f32: `(ids, width)`. Only these rows are touched.
    ///
    /// # Errors
    /// If an id is not a row.
    pub fn rows(&self, ids: &[u32]) -> Result<Vec<f32>> {
        let mut out = vec![0f32; ids.len() * self.width];
        for (&id, out) in ids.iter().zip(out.chunks_exact_mut(self.width)) {
            self.row_into(id, out)?;
        }
        Ok(out)
    }

    /// The first `out.len()` values of row `id`, dequantized to f32: a whole number of blocks. Allocates nothing.
    ///
    /// They are read from the file and not through its map: the system maps many pages around one that is touched, and a
    /// few hundred rows of the large tables would be half a gigabyte of resident memory.
    ///
    /// # Errors
    /// If `id` is not a row, that many values are not whole blocks of it, or the file cannot be read.
    pub fn row_into(&self, id: u32, out: &mut [f32]) -> Result<()> {
        let dtype = self.dtype();
        let (row_blocks, wanted) = (self.width / dtype.block_size(), out.len() / dtype.block_size());
        if id as usize >= self.n_rows || wanted > row_blocks || !out.len().is_multiple_of(dtype.block_size()) {
            candle_core::bail!(
                "{} values of row {id} of tensor {} of shape ({}, {})",
                out.len(),
                self.info.name,
                self.n_rows,
                self.width
            );
        }
        let mut buffer = [0; ROW_BUFFER_BYTES + BLOCK_ALIGNMENT];
        let aligned = buffer.as_ptr().align_offset(BLOCK_ALIGNMENT);
        let most_blocks = ROW_BUFFER_BYTES / dtype.type_size();
        let mut block = id as usize * row_blocks;
        for out in out.chunks_mut(most_blocks * dtype.block_size()) {
            let n_blocks = out.len() / dtype.block_size();
            let bytes = &mut buffer[aligned..aligned + n_blocks * dtype.type_size()];
            self.file.read_at(bytes, self.info.offset + (block * dtype.type_size()) as u64)?;
            self.dequantize(bytes, out)?;
            block += n_blocks;
        }
        Ok(())
    }

    /// Whole blocks of this matrix' type, as f32.
    fn dequantize(&self, bytes: &[u8], out: &mut [f32]) -> Result<()> {
        match self.dtype() {
            GgmlDType::Q4K => q4k_into(bytes, out),
            GgmlDType::Q5K => q5k_into(bytes, out),
            dtype => with_block_type!(dtype, Block => {
                let Some(blocks) = as_blocks::<Block>(bytes) else {
                    candle_core::bail!("{} bytes are not whole blocks of {}", bytes.len(), self.info.name)
                };
                Block::to_float(blocks, out);
            }, _ => candle_core::bail!("tensor {} has an unsupported type", self.info.name)),
        }
        Ok(())
    }

    /// `x · selfᵀ` for `x` of shape `(m, width)`: `(m, n_rows)`.
    ///
    /// Quantized weights are multiplied by activations quantized to 8 bits per row, as every implementation of these
    /// formats does; 16- and 32-bit weights by the activations as they are.
    fn product(&self, x: &[f32], m: usize) -> Result<Vec<f32>> {
        Ok(match self.dtype() {
            GgmlDType::F32 => product(self.blocks::<f32>()?, &Exact { x, k: self.width }, m),
            GgmlDType::F16 => product(self.blocks::<f16>()?, &Exact { x, k: self.width }, m),
            GgmlDType::BF16 => product(self.blocks::<bf16>()?, &Exact { x, k: self.width }, m),
            dtype => with_block_type!(dtype, Block => {
                product(self.blocks::<Block>()?, &Rounded::<Block>::new(x, self.width), m)
            }, _ => candle_core::bail!("tensor {} has an unsupported type", self.info.name)),
        })
    }
}

/// The product with the weight's transpose, `(tokens, width)` → `(tokens, n_rows)`, on the CPU.
impl CustomOp1 for MappedMatrix {
    fn name(&self) -> &'static str {
        "mapped-matmul"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (m, k) = layout.shape().dims2()?;
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("the input of {} is not contiguous", self.info.name)
        };
        if k != self.width {
            candle_core::bail!("the input of {} has width {k}, expected {}", self.info.name, self.width)
        }
        let out = self.product(&storage.as_slice::<f32>()?[start..end], m)?;
        Ok((CpuStorage::F32(out), Shape::from((m, self.n_rows))))
    }
}
