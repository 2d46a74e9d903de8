//! Synthetic Gemma 4 files: the names, shapes, types, metadata and vocabulary of published files, with random weights.
//!
//! They serve three purposes: hostile and ordinary test files of a few kilobytes, tiny models in every published
//! quantization mix, and full-size models whose speed and memory are those of the real ones. Everything follows from
//! the seed. Nothing is kept in memory beyond a few chunks, so a 5 GB file costs no more than its disk space.

mod blocks;
mod gguf;
mod model;
mod plan;
mod rng;
#[cfg(feature = "twin")]
mod twin;
mod vocab;
mod words;

pub use blocks::Kind;
pub use gguf::{GgufBuilder, Item, TensorEntry};
pub use model::{Spec, Summary, put_parameters, write_model, write_sparse};
pub use plan::{Mix, Role, Shape, Size, TensorPlan, plan};
pub use rng::Rng;
#[cfg(feature = "twin")]
pub use twin::write_f32_twin;
pub use vocab::{Vocabulary, vocabulary};

/// The beginning of a projector file, which is no model: architecture `clip`, no tensors.
pub fn projector() -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(text("general.architecture"));
    bytes.extend(8_u32.to_le_bytes());
    bytes.extend(text("clip"));
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes
}
