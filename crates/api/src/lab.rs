//! The laboratory: logits, token ids and measurements of one model file, for `aula logits`, `tokenize` and `bench`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use errors::{ErrorCode, Explain, io_code};
use safetensors::tensor::{Dtype, TensorView};

pub use engine::DeviceChoice;
pub use engine::lab::{
    Bandwidth, BenchOptions, BenchReport, LogitsMode, LogitsRequest, Spread, TurnsReport, VerifyReport,
};
pub use generation::{DEFAULT_CONTEXT_LEN, DEFAULT_MAX_TOKENS};

use crate::places::Places;

/// An error of these functions.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not a model that this program runs.
    #[error(transparent)]
    Model(#[from] catalog::Error),
    /// The model failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The logits could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Model(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Write { cause, .. } => io_code(cause),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Model(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Write { .. } => Some("Check the folder and the room on its disk".to_owned()),
        }
    }
}

/// Computes logits and writes them to the safetensors file `out`: f32 `(n_tokens, vocab)` under the key `logits`.
/// Returns that shape.
///
/// # Errors
/// If the model cannot be opened, a token is not in its vocabulary, or the file cannot be written.
pub fn logits(request: &LogitsRequest, out: &Path) -> Result<[usize; 2], Error> {
    catalog::inspect(&request.model)?;
    let logits = engine::lab::logits(request)?;
    let n_rows = logits.n_rows();
    let shape = [n_rows, logits.as_slice().len().checked_div(n_rows).unwrap_or(0)];
    write_logits(out, shape, logits.as_slice()).map_err(|cause| Error::Write { path: out.to_owned(), cause })?;
    Ok(shape)
}

/// Writes beside `out` first, so that a reader never sees half a file.
fn write_logits(out: &Path, shape: [usize; 2], values: &[f32]) -> io::Result<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).map_err(io::Error::other)?;
    let file = safetensors::serialize([("logits", view)], None::<HashMap<String, String>>).map_err(io::Error::other)?;
    let mut partial = out.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let written = std::fs::write(&partial, file).and_then(|()| std::fs::rename(&partial, out));
    if written.is_err() {
        // What could not be finished is of no use; that it cannot be deleted either changes nothing.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

/// The token ids of `text`: plain text after one `<bos>`, or with `chat` the prompt that puts it as a question.
///
/// # Errors
/// If the model's tokenizer cannot be read.
pub fn tokenize(model: &Path, text: &str, chat: bool, places: &Places) -> Result<Vec<u32>, Error> {
    catalog::inspect(model)?;
    Ok(engine::lab::tokenize(model, text, chat, Some(&places.cache_dir()))?)
}

/// Measures a model; see [`BenchReport`].
///
/// # Errors
/// If the model cannot be opened, or a length does not fit it.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, Error> {
    catalog::inspect(&options.model)?;
    Ok(engine::lab::bench(options)?)
}

/// How fast `threads` threads together read this computer's memory, by default as many as there are processors.
///
/// # Errors
/// If the memory for it is not to be had.
pub fn read_bandwidth(threads: Option<usize>) -> Result<Bandwidth, Error> {
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    Ok(engine::lab::read_bandwidth(threads)?)
}
