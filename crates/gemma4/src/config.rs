//! What a file says the model is.
//!
//! Keys are read under the prefix `gemma4.`; none has a default, because the defaults that other programs use belong to
//! other sizes of the model.

use std::fmt::Display;

use crate::{
    error::Error,
    gguf::{GgufFile, Metadata, Value, optional},
};

/// The architecture this crate computes, as `general.architecture` spells it.
pub const ARCHITECTURE: &str = "gemma4";

/// Hyper-parameters of the decoder, checked to be consistent with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Query heads of each layer.
    pub n_heads: usize,
    /// Heads of keys and values, for each layer.
    pub n_kv_heads: Vec<usize>,
    /// Width of a head in global layers.
    pub global_head_dim: usize,
    /// Width of a head in sliding layers.
    pub sliding_head_dim: usize,
    /// For each layer, whether it sees a sliding window (otherwise everything before it).
    pub sliding: Vec<bool>,
    /// Positions that a sliding layer sees, the token's own included.
    pub sliding_window: usize,
    /// How many of the last layers read another layer's keys and values.
    pub n_shared_kv_layers: usize,
    /// Width of the feed-forward part, for each layer.
    pub ffn_widths: Vec<usize>,
    /// Width of a per-layer embedding.
    pub ple_width: usize,
    /// Base of the rotary frequencies of global layers.
    pub global_rope_theta: f32,
    /// Base of the rotary frequencies of sliding layers.
    pub sliding_rope_theta: f32,
    /// Added under the root of every norm.
    pub rms_eps: f32,
    /// Logits are squeezed into ± this value.
    pub logit_softcap: f32,
    /// Positions that the model was made for.
    pub max_context_len: usize,
}

impl Config {
    /// Reads and checks the hyper-parameters of `file`.
    ///
    /// # Errors
    /// If the file holds another kind of model, lacks a key, or contradicts itself.
    pub fn from_gguf(file: &GgufFile) -> Result<Self, Error> {
        let metadata = file.metadata();
        let architecture = optional(metadata.str("general.architecture"))?.unwrap_or("not stated");
        if architecture != ARCHITECTURE {
            return Err(Error::Architecture { architecture: architecture.to_owned() });
        }
        let keys = Keys(metadata);
        keys.refuse_other_variants()?;
        if file.tensor("output.weight").is_some() {
            return Err(Error::Variant { what: "its output head is not its token table".to_owned() });
        }

        let n_layers = keys.count("block_count", 1024)?;
        let config = Self {
            vocab_size: vocab_size(file)?,
            hidden_size: keys.count("embedding_length", 1 << 16)?,
            n_layers,
            n_heads: keys.count("attention.head_count", 1024)?,
            n_kv_heads: keys.counts("attention.head_count_kv", 1024, n_layers)?,
            global_head_dim: keys.count("attention.key_length", 1 << 14)?,
            sliding_head_dim: keys.count("attention.key_length_swa", 1 << 14)?,
            sliding: keys.flags("attention.sliding_window_pattern", n_layers)?,
            sliding_window: keys.count("attention.sliding_window", 1 << 24)?,
            n_shared_kv_layers: keys.within("attention.shared_kv_layers", 0..=1024)?,
            ffn_widths: keys.counts("feed_forward_length", 1 << 20, n_layers)?,
            ple_width: keys.count("embedding_length_per_layer_input", 1 << 14)?,
            global_rope_theta: keys.positive("rope.freq_base")?,
            sliding_rope_theta: keys.positive("rope.freq_base_swa")?,
            rms_eps: keys.positive("attention.layer_norm_rms_epsilon")?,
            logit_softcap: keys.positive("final_logit_softcapping")?,
            max_context_len: keys.count("context_length", 1 << 24)?,
        };
        keys.same("attention.value_length", config.global_head_dim)?;
        keys.same("attention.value_length_swa", config.sliding_head_dim)?;
        keys.same("rope.dimension_count", config.global_head_dim)?;
        keys.same("rope.dimension_count_swa", config.sliding_head_dim)?;
        config.check()?;
        Ok(config)
    }

    /// Whether layer `l` sees a sliding window only.
    pub fn is_sliding(&self, l: usize) -> bool {
        self.sliding[l]
    }

    /// Whether layer `l` has keys and values of its own.
    pub fn owns_kv(&self, l: usize) -> bool {
        l < self.n_layers - self.n_shared_kv_layers
    }

    /// The layer whose keys and values layer `l` reads: itself, or the last owner of the same kind.
    pub fn kv_donor(&self, l: usize) -> usize {
        if self.owns_kv(l) {
            return l;
        }
        // `check` has made sure that there is one.
        (0..=self.last_kv_owner()).rev().find(|&owner| self.sliding[owner] == self.sliding[l]).unwrap_or(0)
    }

    /// The last layer with keys and values of its own. The layers behind it leave no trace in the cache.
    pub fn last_kv_owner(&self) -> usize {
        self.n_layers - self.n_shared_kv_layers - 1
    }

    /// Width of a head in layer `l`.
    pub fn head_dim(&self, l: usize) -> usize {
        if self.sliding[l] { self.sliding_head_dim } else { self.global_head_dim }
    }

    /// Width of the feed-forward part of layer `l`.
    pub fn ffn_width(&self, l: usize) -> usize {
        self.ffn_widths[l]
    }

    /// What the separate checks of each key cannot see.
    fn check(&self) -> Result<(), Error> {
        if self.n_shared_kv_layers >= self.n_layers {
            let expected = format!("fewer than the {} layers", self.n_layers);
            return Err(wrong("attention.shared_kv_layers", self.n_shared_kv_layers, expected));
        }
        for l in 0..self.n_layers {
            let kind = if self.sliding[l] { "sliding" } else { "global" };
            let donor = self.kv_donor(l);
            if self.sliding[donor] != self.sliding[l] {
                let expected = format!("at least one {kind} layer with keys of its own, for layer {l} to share");
                return Err(wrong("attention.shared_kv_layers", self.n_shared_kv_layers, expected));
            }
            if self.n_kv_heads[donor] != self.n_kv_heads[l] {
                let found = format!("{} in layer {l}", self.n_kv_heads[l]);
                let expected = format!("{}, as in layer {donor} whose keys it shares", self.n_kv_heads[donor]);
                return Err(wrong("attention.head_count_kv", found, expected));
            }
            if !self.n_heads.is_multiple_of(self.n_kv_heads[l]) {
                let expected = format!("a divisor of the {} query heads", self.n_heads);
                return Err(wrong("attention.head_count_kv", self.n_kv_heads[l], expected));
            }
        }
        for (key, head_dim) in
            [("attention.key_length", self.global_head_dim), ("attention.key_length_swa", self.sliding_head_dim)]
        {
            if !head_dim.is_multiple_of(2) {
                return Err(wrong(key, head_dim, "an even number"));
            }
        }
        Ok(())
    }
}

/// Rows of the token table.
fn vocab_size(file: &GgufFile) -> Result<usize, Error> {
    let info = file.require_tensor("token_embd.weight")?;
    match info.shape[..] {
        [rows, _] if rows <= 1 << 24 => Ok(rows),
        _ => Err(Error::TensorShape {
            name: info.name.clone(),
            expected: "(vocabulary, embedding_length)".to_owned(),
            found: info.shape.clone(),
        }),
    }
}

fn wrong(key: &str, found: impl Display, expected: impl Into<String>) -> Error {
    Error::Parameter { key: full(key), found: found.to_string(), expected: expected.into() }
}

fn full(key: &str) -> String {
    format!("{ARCHITECTURE}.{key}")
}

/// The keys of the architecture, with their bounds. The bounds are far above every published model; they keep the
/// products computed from these numbers from overflowing.
struct Keys<'a>(Metadata<'a>);

impl Keys<'_> {
    /// The larger Gemma 4 models share the architecture's name but have parts that E2B and E4B lack.
    fn refuse_other_variants(&self) -> Result<(), Error> {
        if optional(self.0.u32(&full("expert_count")))?.is_some_and(|n| n > 0) {
            return Err(Error::Variant { what: "it is a mixture of experts".to_owned() });
        }
        if optional(self.0.u32(&full("embedding_length_per_layer_input")))?.is_none_or(|n| n == 0) {
            return Err(Error::Variant { what: "it has no per-layer embeddings".to_owned() });
        }
        Ok(())
    }

    fn within(&self, key: &str, bounds: std::ops::RangeInclusive<usize>) -> Result<usize, Error> {
        in_bounds(key, self.0.u32(&full(key))?, bounds)
    }

    fn count(&self, key: &str, most: usize) -> Result<usize, Error> {
        self.within(key, 1..=most)
    }

    /// One number for all layers, or an array with one for each.
    fn counts(&self, key: &str, most: usize, n_layers: usize) -> Result<Vec<usize>, Error> {
        let name = full(key);
        if !matches!(self.0.get(&name), Some(Value::Array(_))) {
            return Ok(vec![self.count(key, most)?; n_layers]);
        }
        let items = self.0.u32_array(&name)?;
        one_each(key, items.len(), n_layers)?;
        items.map(|n| in_bounds(key, n, 1..=most)).collect()
    }

    fn flags(&self, key: &str, n_layers: usize) -> Result<Vec<bool>, Error> {
        let items = self.0.bool_array(&full(key))?;
        one_each(key, items.len(), n_layers)?;
        Ok(items.collect())
    }

    fn positive(&self, key: &str) -> Result<f32, Error> {
        let value = self.0.f32(&full(key))?;
        if value.is_finite() && value > 0.0 { Ok(value) } else { Err(wrong(key, value, "a positive number")) }
    }

    /// A key that says again what another one said.
    fn same(&self, key: &str, expected: usize) -> Result<(), Error> {
        match optional(self.0.u32(&full(key)))? {
            Some(found) if found as usize != expected => Err(wrong(key, found, expected.to_string())),
            _ => Ok(()),
        }
    }
}

fn in_bounds(key: &str, found: u32, bounds: std::ops::RangeInclusive<usize>) -> Result<usize, Error> {
    let value = found as usize;
    if bounds.contains(&value) {
        Ok(value)
    } else {
        Err(wrong(key, value, format!("between {} and {}", bounds.start(), bounds.end())))
    }
}

fn one_each(key: &str, found: usize, n_layers: usize) -> Result<(), Error> {
    if found == n_layers {
        Ok(())
    } else {
        Err(wrong(key, format!("an array of {found}"), format!("one value for each of {n_layers} layers")))
    }
}
