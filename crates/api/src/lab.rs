//! The laboratory: logits, token ids and measurements of one model file, for `aula logits`, `tokenize` and `bench`.

pub use generation::{DEFAULT_CONTEXT_LEN, DEFAULT_MAX_TOKENS};
