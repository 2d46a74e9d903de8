//! The control tokens of the chat format.

use super::{bpe::RankedBpe, error::Error};
use crate::gguf::{Metadata, optional};

/// Token types of the format that are never text: unknown, control, unused.
const NEVER_TEXT: [i32; 3] = [2, 3, 5];

/// Control tokens by name. Files give some of them another type on purpose, so the type alone does not tell.
const NAMES: [&str; 25] = [
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "<|tool>",
    "<tool|>",
    "<|tool_call>",
    "<tool_call|>",
    "<|tool_response>",
    "<tool_response|>",
    "<|\"|>",
    "<|think|>",
    "<|channel>",
    "<channel|>",
    "<|turn>",
    "<turn|>",
    "<|image>",
    "<|audio>",
    "<|image|>",
    "<|audio|>",
    "<image|>",
    "<audio|>",
    "<|video|>",
    "[multimodal]",
];

/// Whether a token with this text and type steers the conversation instead of being text.
pub(super) fn is_control(text: &str, kind: i32) -> bool {
    let is_unused = || {
        text.strip_prefix("<unused")
            .and_then(|rest| rest.strip_suffix('>'))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    NEVER_TEXT.contains(&kind) || (text.starts_with(['<', '[']) && (NAMES.contains(&text) || is_unused()))
}

/// The ids that the chat format is made of. They are the same in every Gemma 4 file; that is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `<bos>`, 2: begins every prompt, once.
    pub bos: u32,
    /// `<eos>`, 1.
    pub eos: u32,
    /// `<|turn>`, 105: begins a turn.
    pub turn_start: u32,
    /// `<turn|>`, 106: ends a turn.
    pub turn_end: u32,
    /// `<|channel>`, 100, and `<channel|>`, 101: a thought stands between them.
    pub channel: Option<(u32, u32)>,
    /// An answer ends at any of these: `<eos>`, `<turn|>`, `<|tool_response>` (50), and the file's own end token.
    pub stop: Vec<u32>,
}

impl SpecialTokens {
    pub(super) fn find(bpe: &RankedBpe, metadata: &Metadata<'_>) -> Result<Self, Error> {
        // Looking at the expected place first saves a walk through the vocabulary.
        let id = |name: &'static str, expected: u32| match bpe.text(expected) == Some(name) {
            true => Some(expected),
            false => bpe.id(name),
        };
        let optional_id = |name: &'static str, expected: u32| match id(name, expected) {
            Some(found) if found != expected => Err(Error::ControlToken { name, expected, found: Some(found) }),
            found => Ok(found),
        };
        let required_id = |name: &'static str, expected: u32| {
            optional_id(name, expected)?.ok_or(Error::ControlToken { name, expected, found: None })
        };
        let (eos, turn_end) = (required_id("<eos>", 1)?, required_id("<turn|>", 106)?);
        let mut stop = vec![eos, turn_end];
        stop.extend(optional_id("<|tool_response>", 50)?);
        if let Some(own) = optional(metadata.u32("tokenizer.ggml.eos_token_id"))?
            && !stop.contains(&own)
            && bpe.is_control(own)
        {
            stop.push(own);
        }
        Ok(Self {
            bos: required_id("<bos>", 2)?,
            eos,
            turn_start: required_id("<|turn>", 105)?,
            turn_end,
            channel: optional_id("<|channel>", 100)?.zip(optional_id("<channel|>", 101)?),
            stop,
        })
    }
}
