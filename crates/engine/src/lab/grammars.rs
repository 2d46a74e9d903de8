//! Grammars without a model that computes, for tests against other people's schemas.

use std::{path::Path, sync::Arc};

use gemma4::{Tokenizer, gguf::GgufFile};
use serde_json::Value;

use crate::{
    backend::GemmaCodec,
    codec::{Codec, Vocabulary},
    error::Error,
    guided::{Dialect, Place, Workshop, environment},
};

/// Makes grammars for the vocabulary of one model file.
pub struct Grammars {
    vocabulary: Arc<dyn Vocabulary>,
    workshop: Workshop,
}

/// Where a document leaves its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every token is allowed, and the document may end where it does.
    Accepted,
    /// The token at this place is not allowed.
    RejectedAt(usize),
    /// It may not end where it does.
    RejectedAtEnd,
}

impl Grammars {
    /// For the vocabulary of the file at `path`; documents are JSON without space between tokens, with every escape.
    ///
    /// # Errors
    /// If the file cannot be opened or its tokenizer is not Gemma 4's.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = GgufFile::open(path).map_err(gemma4::Error::from)?;
        let vocabulary = GemmaCodec::new(Tokenizer::from_gguf(&file, None)?).vocabulary();
        let workshop =
            Workshop::new(&environment(Arc::clone(&vocabulary)), Dialect::Any).map_err(|what| Error::Guide { what })?;
        Ok(Self { vocabulary, workshop })
    }

    /// The grammar of `schema`.
    ///
    /// # Errors
    /// Why the schema cannot be used.
    pub fn of(&self, schema: &Value) -> Result<Grammar<'_>, String> {
        let parser = self.workshop.grammar(schema)?;
        Ok(Grammar { vocabulary: &*self.vocabulary, parser })
    }
}

/// The grammar of one schema.
pub struct Grammar<'a> {
    vocabulary: &'a dyn Vocabulary,
    parser: llguidance::TokenParser,
}

impl Grammar<'_> {
    /// Walks through `document` token by token.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn judge(&self, document: &str) -> Result<Verdict, Error> {
        let mut place = Place::start(self.parser.deep_clone());
        for (at, token) in self.vocabulary.encode(document)?.into_iter().enumerate() {
            if !place.try_token(token) {
                return Ok(Verdict::RejectedAt(at));
            }
        }
        Ok(if place.may_end() { Verdict::Accepted } else { Verdict::RejectedAtEnd })
    }
}
