//! Answers of one model in this process, for measurements over many of them.

use std::path::Path;

use gemma4::LoadOptions;
use generation::{Completion, EngineInfo, EngineKind, GenerateRequest, TokenEvent};

use crate::{
    answer::Writer,
    answer_memory::AnswerMemory,
    backend::{GemmaCodec, Parts, packed_dirs},
    codec::Codec,
    device::DeviceChoice,
    error::Error,
    guided::Guides,
    logits_processor::Chain,
    session::Session,
    speculation::Speculation,
};

/// Writes answers as the worker does, one after the other, on the processor.
pub struct Author {
    codec: GemmaCodec,
    session: Session,
    speculation: Speculation,
    memory: AnswerMemory,
    guides: Guides,
    engine: EngineInfo,
}

impl Author {
    /// Opens the file at `path` for conversations of at most `context_len` tokens, computed by `threads` threads.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path, context_len: usize, threads: usize) -> Result<Self, Error> {
        let options =
            LoadOptions { threads: Some(threads), packed_dirs: packed_dirs(path, None), ..LoadOptions::default() };
        let parts = Parts::open(path, DeviceChoice::Cpu, None, &options)?;
        let codec = GemmaCodec::new(parts.tokenizer);
        Ok(Self {
            session: Session::new(parts.model.sequence(context_len)?, parts.model.chunk_limit()),
            speculation: Speculation::default(),
            memory: AnswerMemory::default(),
            guides: Guides::new(codec.vocabulary()),
            engine: EngineInfo { kind: EngineKind::Local, model: String::new(), device: parts.model.runtime().device },
            codec,
        })
    }

    /// The text of the answer to `request`, and how it ended.
    ///
    /// # Errors
    /// Those of an engine: a request that contradicts a limit, a prompt that is too long, a failure of the model.
    pub fn write(&mut self, request: &GenerateRequest) -> Result<(String, Completion), Error> {
        self.write_while(request, &|_| true)
    }

    /// The same, stopped as soon as `goes_on`, which is told the text so far, says no.
    ///
    /// # Errors
    /// Those of [`Author::write`].
    pub fn write_while(
        &mut self,
        request: &GenerateRequest,
        goes_on: &dyn Fn(&str) -> bool,
    ) -> Result<(String, Completion), Error> {
        let text = std::cell::RefCell::new(String::new());
        let completion = Writer {
            session: &mut self.session,
            codec: &self.codec,
            speculation: &mut self.speculation,
            memory: &mut self.memory,
            guides: &mut self.guides,
            engine: &self.engine,
            kept: None,
            processors: Chain::default(),
            cancelled: &|| !goes_on(&text.borrow()),
            emit: &mut |event| {
                if let TokenEvent::Token { text: piece } = event {
                    text.borrow_mut().push_str(&piece);
                }
            },
        }
        .write(request)?;
        Ok((text.into_inner(), completion))
    }
}
