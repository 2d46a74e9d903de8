//! Which matrices are packed, and where each lies.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use kernels::Format;

use super::MatrixId;
use crate::{error::Error, gguf::GgufFile, weights::Tensors};

/// Matrices begin at multiples of this many bytes: a page, so that none shares one with its neighbour.
const ALIGNMENT: u64 = 4096;

/// The matrices of a model that are to be packed. They lie in the order in which they are named, which should be that of
/// the forward pass.
pub struct Packing<'a> {
    pub(super) file: &'a Arc<GgufFile>,
    pub(super) entries: Vec<Entry>,
    /// Bytes of all matrices and what lies between them.
    pub(super) data_bytes: u64,
}

/// One matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) n_rows: usize,
    pub(super) width: usize,
    /// Its first byte in the model file.
    pub(super) source_offset: u64,
    /// Its first byte, counted from the first matrix.
    pub(super) at: u64,
}

impl Entry {
    pub(super) fn packed_bytes(&self) -> usize {
        self.format.packed_bytes(self.n_rows, self.width)
    }

    /// Bytes of one row in the model file.
    pub(super) fn row_bytes(&self) -> usize {
        self.format.strip_bytes(self.width) / kernels::format::STRIP_ROWS
    }
}

impl<'a> Packing<'a> {
    /// No matrices of `file` yet.
    pub fn new(file: &'a Arc<GgufFile>) -> Self {
        Self { file, entries: Vec::new(), data_bytes: 0 }
    }

    /// Adds the matrix `name`, which must have the shape `(n_rows, width)`. Naming it again gives the same id.
    ///
    /// # Errors
    /// If it is missing, or has another shape or a type that weights cannot have; [`Error::Unsupported`] if it is sound
    /// but the kernels do not take rows of this width.
    pub fn matrix(&mut self, name: &str, n_rows: usize, width: usize) -> Result<MatrixId, Error> {
        let next = self.entries.len();
        let index = match self.entries.iter().position(|entry| entry.name == name) {
            Some(index) => index,
            None => {
                let tensors = Tensors(self.file);
                let info = tensors.info(name, &[n_rows, width])?;
                let dtype = info.dtype;
                let format = format_of(dtype).ok_or_else(|| Error::TensorType { name: name.to_owned(), dtype })?;
                if !format.fits(width) {
                    return Err(Error::Unsupported { what: format!("rows of {width} {dtype:?} weights, in {name}") });
                }
                let at = self.data_bytes.next_multiple_of(ALIGNMENT);
                let entry = Entry { name: name.to_owned(), format, n_rows, width, source_offset: info.offset, at };
                self.data_bytes = at + entry.packed_bytes() as u64;
                self.entries.push(entry);
                next
            }
        };
        let id = u32::try_from(index).map_err(|_| Error::Unsupported { what: format!("{index} matrices") })?;
        Ok(MatrixId(id))
    }
}

/// How weights of this type are packed; `None` if weights cannot have it.
fn format_of(dtype: GgmlDType) -> Option<Format> {
    Some(match dtype {
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
        GgmlDType::Q8_1 | GgmlDType::Q2K | GgmlDType::Q3K | GgmlDType::Q8K => return None,
    })
}
