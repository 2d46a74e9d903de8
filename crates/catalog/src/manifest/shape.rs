//! The two models that Aula teaches with, by their published hyper-parameters.

use gemma4::Config;
use serde::Deserialize;

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Variant {
    /// Gemma 4 E2B.
    E2B,
    /// Gemma 4 E4B.
    E4B,
}

impl Variant {
    /// `E2B` or `E4B`.
    pub fn name(self) -> &'static str {
        match self {
            Self::E2B => "E2B",
            Self::E4B => "E4B",
        }
    }

    /// Parameters without the per-layer table and without tensors that are never used; a test adds them up.
    pub fn effective_parameters(self) -> u64 {
        match self {
            Self::E2B => 2_279_759_139,
            Self::E4B => 4_644_441_130,
        }
    }

    /// The hyper-parameters, as in the headers of the published files.
    pub(crate) fn config(self) -> Config {
        // Sliding layers in a row before each global one, and feed-forward widths before and behind a border.
        let (hidden_size, n_layers, n_kv_heads, in_a_row, n_shared_kv_layers, widths) = match self {
            Self::E2B => (1536, 35, 1, 4, 20, (6144, 15, 12_288)),
            Self::E4B => (2560, 42, 2, 5, 18, (10_240, 42, 10_240)),
        };
        Config {
            vocab_size: 262_144,
            hidden_size,
            n_layers,
            n_heads: 8,
            n_kv_heads: vec![n_kv_heads; n_layers],
            global_head_dim: 512,
            sliding_head_dim: 256,
            sliding: (0..n_layers).map(|layer| layer % (in_a_row + 1) != in_a_row).collect(),
            sliding_window: 512,
            n_shared_kv_layers,
            ffn_widths: (0..n_layers).map(|layer| if layer < widths.1 { widths.0 } else { widths.2 }).collect(),
            ple_width: 256,
            global_rope_theta: 1e6,
            sliding_rope_theta: 1e4,
            rms_eps: 1e-6,
            logit_softcap: 30.0,
            max_context_len: 131_072,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gemma4::footprint::kv_bytes_f16;

    #[test]
    fn the_kv_cache_is_the_published_one() {
        const MIB: u64 = 1 << 20;
        for (variant, at_2k, at_8k, at_128k) in [(Variant::E2B, 18, 54, 774), (Variant::E4B, 52, 148, 2068)] {
            let config = variant.config();
            let cache = |positions| kv_bytes_f16(&config, positions) / MIB;
            assert_eq!((cache(2048), cache(8192), cache(131_072)), (at_2k, at_8k, at_128k), "{variant:?}");
        }
    }
}
