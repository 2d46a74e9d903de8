//! The commands that measure a model and look into it: their options and defaults.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Device, positive};

/// `aula bench`
#[derive(Debug, Args)]
pub struct Bench {
    /// A GGUF file
    #[arg(long, value_name = "FILE", required_unless_present = "bandwidth")]
    pub model: Option<PathBuf>,
    /// Where to compute
    #[arg(long, value_enum, default_value = "auto")]
    pub device: Device,
    /// Processor threads; without it, as generation uses them
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,
    /// Take the plain implementation, against which the others are compared
    #[arg(long)]
    pub reference: bool,
    /// Tokens of the prompt whose prefill is measured; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub prompt_tokens: usize,
    /// Tokens whose decoding is measured; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub decode_tokens: usize,
    /// Tokens in the cache before decoding is measured; 0 for an empty one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub depth: usize,
    /// Measure a pass of this many rows against a pass of one, as when drafted tokens are verified; at most 17
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=17))]
    pub verify: Option<u32>,
    /// Measure the first token of two turns of a conversation, the first with a prompt of `--prompt-tokens`
    #[arg(long)]
    pub turns: bool,
    /// Measure only how fast the memory can be read
    #[arg(long, conflicts_with_all = ["model", "reference", "verify", "turns"])]
    pub bandwidth: bool,
    /// Repetitions
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = 3)]
    pub reps: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How token ids are fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// As a prompt
    Prefill,
    /// One at a time through the KV cache
    Decode,
}

/// `aula logits`
#[derive(Debug, Args)]
pub struct Logits {
    /// A GGUF file
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Token ids, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true, num_args = 1)]
    pub tokens: Vec<u32>,
    /// The safetensors file to write: f32 `(n_tokens, vocab)` under the key `logits`
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the ids are fed
    #[arg(long, value_enum, default_value = "prefill")]
    pub mode: Mode,
    /// Only the last row, computed as generation computes it
    #[arg(long)]
    pub last: bool,
    /// Where to compute
    #[arg(long, value_enum, default_value = "auto")]
    pub device: Device,
    /// Take the plain implementation, against which the others are compared
    #[arg(long)]
    pub reference: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
}

/// `aula tokenize`
#[derive(Debug, Args)]
pub struct Tokenize {
    /// A GGUF file
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Apply the chat template, the text being the user's turn
    #[arg(long)]
    pub chat: bool,
    /// The text
    pub text: String,
    /// Accepted for symmetry: the ids are always printed as JSON
    #[arg(long)]
    pub json: bool,
}
