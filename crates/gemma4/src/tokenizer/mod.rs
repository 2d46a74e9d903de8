//! Text to token ids and back, from the arrays in the GGUF file.
//!
//! Gemma's tokenizer is byte-pair encoding by merge rank on Unicode characters: every space becomes U+2581, characters
//! that the vocabulary lacks become byte tokens, nothing cuts the text into words first. The `tokenizers` crate runs
//! it; the model it runs is [`RankedBpe`], ours, because the crate's own `BPE` can be made only by hashing 262 144
//! texts and 514 906 merges anew at every start (half a second on a laptop), while ours is read back from a cache in a
//! few milliseconds. Tests hold the two against each other.
//!
//! A user's text is encoded without any search for control tokens, so `<turn|>` typed by a user is seven harmless
//! characters. Control tokens come from [`crate::chat_template`] alone.

mod bpe;
mod build;
mod cache;
mod error;
mod special;

use std::path::Path;

use tokenizers::{DecoderWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl, normalizers::Replace};

pub use bpe::RankedBpe;
pub use error::Error;
pub use special::SpecialTokens;

use crate::{detokenizer::Detokenizer, gguf::GgufFile};

/// What Gemma writes for a space.
pub(crate) const SPACE: &str = "\u{2581}";

type Pipeline = TokenizerImpl<RankedBpe, Replace, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// The tokenizer of one model file. Share it in an `Arc`.
pub struct Tokenizer {
    pipeline: Pipeline,
    special: SpecialTokens,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocab_size", &self.vocab_size()).finish()
    }
}

impl Tokenizer {
    /// Builds the tokenizer of `file`, or reads it back from `cache_dir` if it was built before.
    ///
    /// The cache is a convenience: if it is absent, damaged or cannot be written, the tokenizer is built from the
    /// file and nobody is told.
    ///
    /// # Errors
    /// If the file has no tokenizer, one of another kind, or one that contradicts itself.
    pub fn from_gguf(file: &GgufFile, cache_dir: Option<&Path>) -> Result<Self, Error> {
        let metadata = file.metadata();
        build::check_kind(&metadata)?;
        let bpe = match cache_dir {
            None => build::from_metadata(&metadata)?,
            Some(dir) => {
                let key = cache::key(&metadata)?;
                match cache::read(dir, key) {
                    Some(bpe) => bpe,
                    None => {
                        let bpe = build::from_metadata(&metadata)?;
                        cache::write(dir, key, &bpe);
                        bpe
                    }
                }
            }
        };
        let special = SpecialTokens::find(&bpe, &metadata)?;
        let normalizer = Replace::new(" ", SPACE).map_err(Error::Pipeline)?;
        let mut pipeline = Pipeline::new(bpe);
        pipeline.with_normalizer(Some(normalizer)).map_err(Error::Pipeline)?;
        Ok(Self { pipeline, special })
    }

    fn bpe(&self) -> &RankedBpe {
        self.pipeline.get_model()
    }

    /// How many tokens there are.
    pub fn vocab_size(&self) -> usize {
        self.bpe().len()
    }

    /// The ids of `text`, all of it plain text, without `<bos>`.
    ///
    /// # Errors
    /// If the tokenizers crate refuses, which no text is known to cause.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let encoding = self.pipeline.encode_fast(text, false).map_err(Error::Pipeline)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of `text` after exactly one `<bos>`, whatever the file's `add_bos_token` says.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`].
    pub fn encode_with_bos(&self, text: &str) -> Result<Vec<u32>, Error> {
        let mut ids = vec![self.special.bos];
        ids.extend(self.encode(text)?);
        Ok(ids)
    }

    /// The text that a user sees of `ids`: no control tokens, no thoughts, whole characters only.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut detokenizer = self.detokenizer();
        let mut text = String::new();
        for id in ids {
            text.push_str(&detokenizer.push(*id));
        }
        text.push_str(&detokenizer.finish());
        text
    }

    /// A streaming decoder, at the start of an answer.
    pub fn detokenizer(&self) -> Detokenizer<'_> {
        Detokenizer::new(self)
    }

    /// The token as it stands in the vocabulary, with U+2581 for spaces and `<0x0A>` for bytes.
    pub fn token(&self, id: u32) -> Option<&str> {
        self.bpe().text(id)
    }

    /// The byte that a byte token stands for.
    pub fn token_byte(&self, id: u32) -> Option<u8> {
        self.bpe().byte(id)
    }

    /// The bytes that the token adds to a text: a byte token's one byte, otherwise its characters with spaces for
    /// U+2581. None for control tokens, which are never text, and for ids beyond the vocabulary.
    pub fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        if self.is_control(id) {
            return None;
        }
        match self.token_byte(id) {
            Some(byte) => Some(vec![byte]),
            None => self.token(id).map(|text| text.replace(SPACE, " ").into_bytes()),
        }
    }

    /// The id of the token that stands in the vocabulary as `token`. Looks through all of it.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.bpe().id(token)
    }

    /// Whether the token steers the conversation instead of being text.
    pub fn is_control(&self, id: u32) -> bool {
        self.bpe().is_control(id)
    }

    /// The tokens that the chat format is made of.
    pub fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// Whether an answer ends at this token.
    pub fn is_stop(&self, id: u32) -> bool {
        self.special.stop.contains(&id)
    }
}
