//! The laboratory: one model in this process, without worker or queue, for `aula logits`, `bench` and `tokenize`.

mod author;
mod bandwidth;
mod bench;
mod grammars;
mod guided_cost;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use gemma4::{LoadOptions, Logits, Rows, Tokenizer, Turn, chat_template, gguf::GgufFile, model::prefill};

pub use author::Author;
pub use bandwidth::{Bandwidth, read_bandwidth};
pub use bench::{BenchOptions, BenchReport, Spread, TurnsReport, VerifyReport, bench};
pub use grammars::{Grammar, Grammars, Verdict};
pub use guided_cost::{GuidedCostOptions, GuidedCostReport, Micros, guided_cost};

use crate::{
    backend::{of_this_computer, open_model},
    device::DeviceChoice,
    error::Error,
};

/// For each operation on the processor, by name, the instruction set that computes it.
///
/// # Errors
/// If `AULA_KERNELS` asks for one that is not there.
pub fn kernels() -> Result<Vec<(&'static str, &'static str)>, Error> {
    Ok(gemma4::fast::kernels_in_use()?)
}

/// How tokens are fed for [`logits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogitsMode {
    /// In chunks, as a prompt is.
    #[default]
    Prefill,
    /// One at a time through the KV cache, as an answer is.
    Decode,
}

/// What [`logits`] computes.
#[derive(Debug, Clone)]
pub struct LogitsRequest {
    /// The GGUF file.
    pub model: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// The token ids, at least one.
    pub tokens: Vec<u32>,
    /// How they are fed.
    pub mode: LogitsMode,
    /// Only the last row, the way generation runs.
    pub last: bool,
    /// The plain path, which is the definition.
    pub plain: bool,
}

/// Logits after the final softcap, `(n_tokens, vocab)`, or one row with `last`.
///
/// # Errors
/// If the file cannot be opened, or a token is not in the vocabulary.
pub fn logits(request: &LogitsRequest) -> Result<Logits, Error> {
    if request.tokens.is_empty() {
        return Err(Error::NoTokens);
    }
    let file = Arc::new(GgufFile::open(&request.model).map_err(gemma4::Error::from)?);
    let options = LoadOptions { plain: request.plain, ..of_this_computer() };
    let (model, _) = open_model(&file, request.device, &options)?;
    let mut sequence = model.sequence(request.tokens.len())?;
    let rows = if request.last { Rows::Last } else { Rows::All };
    if request.mode == LogitsMode::Prefill {
        return Ok(prefill(&mut *sequence, &request.tokens, model.chunk_limit(), rows, &|| false, &mut |_, _| {})?);
    }
    let mut values = Vec::new();
    let mut row = Logits::default();
    for (index, &token) in request.tokens.iter().enumerate() {
        let wanted = !request.last || index + 1 == request.tokens.len();
        let rows = if wanted { Rows::Last } else { Rows::None };
        sequence.forward(&[token], rows, &|| false, &mut row)?;
        values.extend_from_slice(row.as_slice());
    }
    Ok(Logits::new(values, model.config().vocab_size))
}

/// The token ids of `text`: plain text after one `<bos>`, or with `chat` the prompt that puts it as a question.
///
/// # Errors
/// If the file cannot be opened or its tokenizer is not Gemma 4's.
pub fn tokenize(model: &Path, text: &str, chat: bool, cache_dir: Option<&Path>) -> Result<Vec<u32>, Error> {
    let file = GgufFile::open(model).map_err(gemma4::Error::from)?;
    let tokenizer = Tokenizer::from_gguf(&file, cache_dir)?;
    let ids = if chat {
        chat_template::render(&tokenizer, &[Turn::User(text.to_owned())])?
    } else {
        tokenizer.encode_with_bos(text)?
    };
    Ok(ids)
}
