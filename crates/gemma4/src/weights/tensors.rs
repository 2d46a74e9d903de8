//! Looking tensors up by name, and checking them.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;

use super::MappedMatrix;
use crate::{
    error::Error,
    gguf::{GgufFile, TensorInfo},
};

/// The tensors of a file.
pub(crate) struct Tensors<'a>(pub(crate) &'a Arc<GgufFile>);

impl Tensors<'_> {
    /// The tensor `name`, which must have the shape `expected`.
    pub(crate) fn info(&self, name: &str, expected: &[usize]) -> Result<&TensorInfo, Error> {
        let info = self.0.require_tensor(name)?;
        if info.shape != expected {
            return Err(Error::TensorShape {
                name: name.to_owned(),
                expected: format!("{expected:?}"),
                found: info.shape.clone(),
            });
        }
        Ok(info)
    }

    /// The matrix `name` of shape `(n_out, n_in)`, in the map.
    ///
    /// # Errors
    /// If it is missing, has another shape or a type that weights cannot have.
    pub(crate) fn mapped(&self, name: &str, n_out: usize, n_in: usize) -> Result<MappedMatrix, Error> {
        MappedMatrix::new(self.0, self.info(name, &[n_out, n_in])?, n_out, n_in)
    }

    /// A short F32 tensor of `n` values, copied.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub(crate) fn values(&self, name: &str, n: usize) -> Result<Vec<f32>, Error> {
        let info = self.info(name, &[n])?;
        if info.dtype != GgmlDType::F32 {
            return Err(Error::TensorType { name: name.to_owned(), dtype: info.dtype });
        }
        Ok(MappedMatrix::new(self.0, info, 1, n)?.rows(&[0])?)
    }

    /// [`Self::values`], of a tensor that some files lack.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn optional_values(&self, name: &str, n: usize) -> Result<Option<Vec<f32>>, Error> {
        self.0.tensor(name).map(|_| self.values(name, n)).transpose()
    }
}
