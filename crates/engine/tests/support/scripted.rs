//! A toy model for tests: its logits depend on every token fed, in order, so a wrong return to an earlier point
//! shows; what the last question says decides how it behaves.
//!
//! Directives in the last user turn, separated by spaces: `len=N` (tokens of the answer), `delay=MS` (per token),
//! `layer=MS` (per layer of prefill; there are 4), `crash` (the process aborts in the answer's third token), `stall`
//! (the engine thread stops for good there), `panic`, `noise` (prints to standard output).

use std::{
    any::Any,
    io::{Read, Write},
    time::Duration,
};

use gemma4::{Checkpoint, Logits, MAX_DRAFT, Rows, Sequence, error::KvStateReason};

/// Bytes, then four control tokens.
pub const VOCAB: usize = 260;
/// Opens the user's turn; 256 begins the prompt.
pub const TURN_START: u32 = 257;
/// Ends a turn.
pub const TURN_END: u32 = 258;
/// Opens an answer.
pub const ANSWER: u32 = 259;
const LAYERS: u64 = 4;

/// The tokens fed (which can be cut anywhere, like global layers) and a digest of them (which cannot, like the rings
/// of sliding layers).
pub struct ScriptedSequence {
    context_len: usize,
    tokens: Vec<u32>,
    digest: u64,
    /// The digest before each token of the last call.
    last_digests: Vec<u64>,
    /// Time that each call takes whatever the question says.
    pace: Duration,
}

impl ScriptedSequence {
    /// An empty sequence.
    pub fn new(context_len: usize) -> Self {
        Self { context_len, tokens: Vec::new(), digest: 1, last_digests: Vec::new(), pace: Duration::ZERO }
    }

    /// The same, taking so long for each call.
    #[allow(dead_code, reason = "only the worker paces")]
    pub fn paced(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    /// The last user turn, and how many tokens of an answer follow it.
    fn question(&self) -> (String, usize) {
        let begin = self.tokens.iter().rposition(|&token| token == TURN_START).map_or(0, |at| at + 1);
        let bytes = self.tokens[begin..].iter().take_while(|&&token| token < 256).map(|&token| token as u8);
        let question = String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned();
        let answer = self.tokens.iter().rposition(|&token| token == ANSWER).map_or(0, |at| self.tokens.len() - at - 1);
        (question, answer)
    }

    fn row(&self) -> Vec<f32> {
        let (question, answered) = self.question();
        let mut row: Vec<f32> = (0..VOCAB as u64)
            .map(|token| {
                let mixed = (self.digest ^ token).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 40) as f32 / (1u64 << 24) as f32
            })
            .collect();
        // Letters and spaces are likely, so that answers are text; control tokens are not.
        for (token, logit) in row.iter_mut().enumerate() {
            *logit += if token == 32 || (97..123).contains(&token) { 10.0 } else { 0.0 };
        }
        let len = directive(&question, "len=").unwrap_or(20) as usize;
        row[TURN_END as usize] = if answered >= len { 1000.0 } else { f32::NEG_INFINITY };
        row
    }
}

impl Sequence for ScriptedSequence {
    fn len(&self) -> usize {
        self.tokens.len()
    }

    fn context_len(&self) -> usize {
        self.context_len
    }

    fn forward(
        &mut self,
        tokens: &[u32],
        rows: Rows,
        cancelled: &dyn Fn() -> bool,
        logits: &mut Logits,
    ) -> Result<(), gemma4::Error> {
        let asked = self.tokens.len() + tokens.len();
        if asked > self.context_len {
            return Err(gemma4::Error::ContextFull { asked, context_len: self.context_len });
        }
        let before = (self.tokens.len(), self.digest);
        let mut digests = Vec::new();
        let mut values = Vec::new();
        for &token in tokens {
            digests.push(self.digest);
            self.tokens.push(token);
            self.digest = (self.digest ^ u64::from(token)).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
            if rows == Rows::All {
                values.extend(self.row());
            }
        }
        if rows == Rows::Last {
            values = self.row();
        }
        let (question, answered) = self.question();
        let per_layer = if answered > 0 { directive(&question, "delay=") } else { directive(&question, "layer=") };
        for _ in 0..LAYERS {
            if cancelled() {
                self.tokens.truncate(before.0);
                self.digest = before.1;
                return Err(gemma4::Error::Cancelled);
            }
            std::thread::sleep(self.pace / LAYERS as u32);
            let layers = if answered > 0 { LAYERS } else { 1 };
            std::thread::sleep(Duration::from_micros(per_layer.unwrap_or(0) * 1000 / layers));
        }
        if answered == 3 {
            match () {
                () if question.contains("crash") => std::process::abort(),
                () if question.contains("panic") => panic!("asked to"),
                () if question.contains("stall") => loop {
                    std::thread::sleep(Duration::from_secs(3600));
                },
                () if question.contains("noise") => println!("a library prints to standard output"),
                () => {}
            }
        }
        self.last_digests = digests;
        *logits = Logits::new(values, VOCAB);
        Ok(())
    }

    fn truncate(&mut self, len: usize) -> Result<(), gemma4::Error> {
        let taken_back = self.tokens.len().checked_sub(len);
        let Some(taken_back) = taken_back.filter(|&n| n <= MAX_DRAFT.min(self.last_digests.len())) else {
            let least = self.tokens.len() - self.last_digests.len().min(MAX_DRAFT);
            return Err(gemma4::Error::Truncate { asked: len, least, len: self.tokens.len() });
        };
        if taken_back > 0 {
            self.last_digests.truncate(self.last_digests.len() - taken_back + 1);
            self.digest = self.last_digests.pop().expect("one for each token of the last pass");
            self.tokens.truncate(len);
        }
        Ok(())
    }

    /// The digest, the tokens and their sum, each in eight bytes.
    fn save(&self, out: &mut dyn Write) -> Result<(), gemma4::Error> {
        let tokens = self.tokens.iter().map(|&token| u64::from(token));
        let sum = tokens.clone().fold(self.digest, u64::wrapping_add);
        let words = std::iter::once(self.digest).chain(tokens).chain([sum]);
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        out.write_all(&bytes).map_err(gemma4::Error::KvStateIo)
    }

    fn restore(&mut self, input: &mut dyn Read) -> Result<(), gemma4::Error> {
        self.clear();
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(gemma4::Error::KvStateIo)?;
        let (words, rest) = bytes.as_chunks();
        let mut words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let sum = words.pop();
        if !rest.is_empty() || words.is_empty() || sum != Some(words.iter().copied().fold(0, u64::wrapping_add)) {
            return Err(gemma4::Error::KvState { reason: KvStateReason::Damaged });
        }
        if words.len() > self.context_len + 1 {
            return Err(gemma4::Error::KvState { reason: KvStateReason::TooLong });
        }
        self.digest = words.remove(0);
        self.tokens = words.into_iter().map(|word| word as u32).collect();
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, gemma4::Error> {
        Ok(Checkpoint {
            len: self.tokens.len(),
            size_bytes: 1 << 20,
            state: Box::new(self.digest) as Box<dyn Any + Send>,
        })
    }

    fn rewind(&mut self, checkpoint: &Checkpoint) -> Result<(), gemma4::Error> {
        assert!(checkpoint.len <= self.tokens.len(), "a checkpoint ahead of the sequence");
        self.digest = *checkpoint.state.downcast_ref().expect("a checkpoint of this kind");
        self.tokens.truncate(checkpoint.len);
        self.last_digests.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.tokens.clear();
        self.last_digests.clear();
        self.digest = 1;
    }
}

fn directive(question: &str, name: &str) -> Option<u64> {
    question.split_whitespace().find_map(|word| word.strip_prefix(name)).and_then(|value| value.parse().ok())
}
