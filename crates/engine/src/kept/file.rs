//! What stands in a file before the model's own state.
//!
//! The magic, the version (u32), the length of the content (u32), its SHA-256, the content as JSON; numbers are
//! little-endian. The state that follows has a checksum of its own.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fingerprint::Fingerprint;

const MAGIC: [u8; 8] = *b"AULAKEPT";
const VERSION: u32 = 1;
/// Longest content: more than the longest conversation takes.
const MOST_CONTENT: u32 = 32 << 20;

/// What a conversation was when it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The tokens in the cache.
    pub(crate) tokens: Vec<u32>,
    /// Its answers, as text and as the tokens that they were generated as: text can be cut into tokens in several ways.
    pub(crate) answers: Vec<(String, Vec<u32>)>,
}

impl Content {
    /// Writes everything that stands before the state of `model`.
    pub(super) fn write(&self, model: &Fingerprint, out: &mut impl Write) -> io::Result<()> {
        let content = serde_json::to_vec(self)?;
        let len = u32::try_from(content.len()).ok().filter(|&len| len <= MOST_CONTENT);
        let len = len.ok_or_else(|| io::Error::other("the conversation is too long to be kept"))?;
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&len.to_le_bytes())?;
        out.write_all(&digest(model, &content))?;
        out.write_all(&content)
    }

    /// Reads it; `input` then stands before the state.
    pub(super) fn read(model: &Fingerprint, input: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 48];
        input.read_exact(&mut head)?;
        let number = |at: usize| head[at..at + 4].iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
        let (version, len) = (number(8), number(12));
        if head[..8] != MAGIC || version != VERSION || len > MOST_CONTENT {
            return Err(damaged("it is something else, or of another version"));
        }
        let mut content = Vec::new();
        // Grows with what is there, not with what was announced.
        input.by_ref().take(u64::from(len)).read_to_end(&mut content)?;
        if content.len() != len as usize || digest(model, &content)[..] != head[16..] {
            return Err(damaged("its checksum is wrong, or it is another model's"));
        }
        Ok(serde_json::from_slice(&content)?)
    }
}

fn digest(model: &Fingerprint, content: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(model).chain_update(content).finalize().to_vec()
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
