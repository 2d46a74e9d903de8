//! Which tensors a Gemma 4 file has, in which shapes and types.

use super::blocks::Kind;

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A few megabytes with every structural feature of E2B; all row lengths are multiples of 256.
    Tiny,
    /// Gemma 4 E2B.
    E2b,
    /// Gemma 4 E4B.
    E4b,
}

/// Which quantization mix, named after whoever publishes files like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Google's QAT files: Q4_0, Q6_K tables, F16 projection, no K/V tensors in sharing layers.
    GoogleQatQ4_0,
    /// llama.cpp's Q4_0: Q6_K tables, BF16 projection.
    GgmlQ4_0,
    /// llama.cpp's Q4_K_M: Q6_K tables and half of `attn_v` and `ffn_down`, BF16 projection.
    GgmlQ4KM,
    /// Unsloth's Q4_K_M: Q4_K token table, Q5_K per-layer table, F32 gates.
    UnslothQ4KM,
    /// bartowski's Q4_K_M: Q5_K gates, more Q6_K.
    BartowskiQ4KM,
    /// The exact rebuild of the QAT weights: Q4_0 everywhere, no K/V tensors in sharing layers.
    ExactQ4_0,
    /// Q4_0 with Q4_1 in early `ffn_down`, Q4_K and Q5_K tables.
    OtherQ4_0,
    /// Q5_0 with a Q6_K token table.
    Q5_0,
    /// Q5_1 with a Q6_K token table.
    Q5_1,
    /// Q8_0 with a BF16 projection.
    Q8_0,
    /// BF16 throughout.
    Bf16,
    /// F16 throughout.
    F16,
    /// F32 throughout.
    F32,
}

impl Mix {
    /// Every mix.
    pub const ALL: [Self; 13] = [
        Self::GoogleQatQ4_0,
        Self::GgmlQ4_0,
        Self::GgmlQ4KM,
        Self::UnslothQ4KM,
        Self::BartowskiQ4KM,
        Self::ExactQ4_0,
        Self::OtherQ4_0,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Bf16,
        Self::F16,
        Self::F32,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GoogleQatQ4_0 => "google-qat-q4_0",
            Self::GgmlQ4_0 => "ggml-q4_0",
            Self::GgmlQ4KM => "ggml-q4_k_m",
            Self::UnslothQ4KM => "unsloth-q4_k_m",
            Self::BartowskiQ4KM => "bartowski-q4_k_m",
            Self::ExactQ4_0 => "exact-q4_0",
            Self::OtherQ4_0 => "other-q4_0",
            Self::Q5_0 => "q5_0",
            Self::Q5_1 => "q5_1",
            Self::Q8_0 => "q8_0",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }

    /// The mix with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mix| mix.name() == name)
    }

    /// Whether sharing layers lack the K/V tensors that they do not use.
    pub fn is_compact(self) -> bool {
        matches!(self, Self::GoogleQatQ4_0 | Self::ExactQ4_0)
    }

    /// `general.file_type`, as llama.cpp numbers the mixes.
    pub fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::GoogleQatQ4_0 | Self::GgmlQ4_0 | Self::ExactQ4_0 | Self::OtherQ4_0 => 2,
            Self::Q8_0 => 7,
            Self::Q5_0 => 8,
            Self::Q5_1 => 9,
            Self::GgmlQ4KM | Self::UnslothQ4KM | Self::BartowskiQ4KM => 15,
            Self::Bf16 => 32,
        }
    }

    /// The type of a matrix. `layer` counts from 0; for tables it is not used.
    fn kind(self, part: Part, layer: usize, n_layers: usize) -> Kind {
        let bulk = match self {
            Self::F32 => return Kind::F32,
            Self::F16 => return Kind::F16,
            Self::Bf16 => return Kind::Bf16,
            Self::GoogleQatQ4_0 | Self::GgmlQ4_0 | Self::ExactQ4_0 | Self::OtherQ4_0 => Kind::Q4_0,
            Self::GgmlQ4KM | Self::UnslothQ4KM | Self::BartowskiQ4KM => Kind::Q4K,
            Self::Q5_0 => Kind::Q5_0,
            Self::Q5_1 => Kind::Q5_1,
            Self::Q8_0 => Kind::Q8_0,
        };
        let is_k_m = bulk == Kind::Q4K;
        match part {
            Part::ModelProj => match self {
                Self::GoogleQatQ4_0 => Kind::F16,
                Self::ExactQ4_0 => Kind::Q4_0,
                _ => Kind::Bf16,
            },
            Part::TokenTable => match self {
                Self::ExactQ4_0 | Self::Q8_0 => bulk,
                Self::UnslothQ4KM | Self::OtherQ4_0 => Kind::Q4K,
                _ => Kind::Q6K,
            },
            Part::PerLayerTable => match self {
                Self::ExactQ4_0 | Self::Q8_0 | Self::Q5_0 | Self::Q5_1 => bulk,
                Self::UnslothQ4KM | Self::OtherQ4_0 => Kind::Q5K,
                _ => Kind::Q6K,
            },
            Part::Gate => match self {
                Self::UnslothQ4KM => Kind::F32,
                Self::BartowskiQ4KM => Kind::Q5K,
                _ => bulk,
            },
            Part::AttnV if is_k_m && has_more_bits(layer, n_layers) => Kind::Q6K,
            Part::FfnDown if is_k_m && has_more_bits(layer, n_layers) => Kind::Q6K,
            Part::AttnK if self == Self::BartowskiQ4KM && has_more_bits(layer, n_layers) => Kind::Q6K,
            Part::FfnDown if self == Self::OtherQ4_0 && layer < n_layers.div_ceil(8) => Kind::Q4_1,
            Part::AttnV | Part::AttnK | Part::FfnDown | Part::Other => bulk,
        }
    }
}

/// llama.cpp's rule for which layers of a Q4_K_M file keep more bits: the first and last eighth and every third between.
fn has_more_bits(layer: usize, n_layers: usize) -> bool {
    layer < n_layers / 8 || layer >= 7 * n_layers / 8 || (layer - n_layers / 8) % 3 == 2
}

/// The parts that mixes tell apart.
#[derive(Clone, Copy)]
enum Part {
    TokenTable,
    PerLayerTable,
    ModelProj,
    Gate,
    AttnK,
    AttnV,
    FfnDown,
    Other,
}

/// The hyper-parameters of a size.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are those of the configuration")]
pub struct Shape {
    pub name: &'static str,
    pub size_label: &'static str,
    pub vocab: usize,
    pub hidden: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim_sliding: usize,
    pub head_dim_global: usize,
    pub window: usize,
    /// Every so many layers one is global.
    pub global_every: usize,
    /// Width of the feed-forward part; twice as much in sharing layers where `double_wide`.
    pub ffn: usize,
    pub double_wide: bool,
    /// The last layers, which use the keys and values of earlier ones.
    pub n_shared: usize,
    pub per_layer: usize,
    pub context_len: usize,
}

impl Shape {
    /// The hyper-parameters of `size`.
    pub fn of(size: Size) -> Self {
        match size {
            Size::Tiny => Self {
                name: "Gemma 4 tiny (random weights)",
                size_label: "6M",
                vocab: 1024,
                hidden: 256,
                n_layers: 10,
                n_heads: 4,
                n_kv_heads: 1,
                head_dim_sliding: 64,
                head_dim_global: 128,
                window: 32,
                global_every: 5,
                ffn: 256,
                double_wide: true,
                n_shared: 5,
                per_layer: 256,
                context_len: 4096,
            },
            Size::E2b => Self {
                name: "Gemma 4 E2B (random weights)",
                size_label: "4.6B",
                vocab: 262_144,
                hidden: 1536,
                n_layers: 35,
                n_heads: 8,
                n_kv_heads: 1,
                head_dim_sliding: 256,
                head_dim_global: 512,
                window: 512,
                global_every: 5,
                ffn: 6144,
                double_wide: true,
                n_shared: 20,
                per_layer: 256,
                context_len: 131_072,
            },
            Size::E4b => Self {
                name: "Gemma 4 E4B (random weights)",
                size_label: "7.5B",
                hidden: 2560,
                n_layers: 42,
                n_kv_heads: 2,
                global_every: 6,
                ffn: 10_240,
                double_wide: false,
                n_shared: 18,
                ..Self::of(Size::E2b)
            },
        }
    }

    /// Whether `layer` sees the sliding window only.
    pub fn is_sliding(&self, layer: usize) -> bool {
        !(layer + 1).is_multiple_of(self.global_every)
    }

    /// Whether `layer` has keys and values of its own.
    pub fn owns_kv(&self, layer: usize) -> bool {
        layer < self.n_layers - self.n_shared
    }

    /// Width of a head in `layer`.
    pub fn head_dim(&self, layer: usize) -> usize {
        if self.is_sliding(layer) { self.head_dim_sliding } else { self.head_dim_global }
    }

    /// Width of the feed-forward part of `layer`.
    pub fn ffn_width(&self, layer: usize) -> usize {
        if self.double_wide && !self.owns_kv(layer) { 2 * self.ffn } else { self.ffn }
    }
}

/// What fills a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Random values of mean 0 and this standard deviation.
    Matrix {
        /// The deviation.
        std: f32,
    },
    /// Random values of ±20 % around this.
    Vector {
        /// The middle.
        middle: f32,
    },
    /// The divisors of the rotary frequencies: ones, then 1e30 from this index on.
    RopeFreqs {
        /// How many frequencies turn.
        n_turning: usize,
    },
}

/// One tensor to be written.
#[derive(Debug, Clone)]
pub struct TensorPlan {
    /// Its name.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// How it is stored.
    pub kind: Kind,
    /// What fills it.
    pub role: Role,
    /// Whether it is a K/V tensor of a layer that uses another layer's: published files may have it or not.
    pub is_shared_kv: bool,
}

impl TensorPlan {
    fn matrix(name: String, kind: Kind, rows: usize, cols: usize, std: f32) -> Self {
        Self { name, shape: vec![rows, cols], kind, role: Role::Matrix { std }, is_shared_kv: false }
    }

    fn vector(name: String, len: usize, middle: f32) -> Self {
        Self { name, shape: vec![len], kind: Kind::F32, role: Role::Vector { middle }, is_shared_kv: false }
    }
}

/// All tensors of `shape` in `mix`, in the order of the file.
pub fn plan(shape: &Shape, mix: Mix) -> Vec<TensorPlan> {
    let kind = |part, layer| mix.kind(part, layer, shape.n_layers);
    // Random matrices of this deviation keep the size of what passes through them.
    let fan = |cols: usize| 1.0 / (cols as f32).sqrt();
    let (hidden, row) = (shape.hidden, shape.n_layers * shape.per_layer);
    let global = |name: &str| format!("{name}.weight");
    let mut tensors = vec![
        TensorPlan::matrix(global("token_embd"), kind(Part::TokenTable, 0), shape.vocab, hidden, fan(hidden)),
        TensorPlan::matrix(
            global("per_layer_token_embd"),
            kind(Part::PerLayerTable, 0),
            shape.vocab,
            row,
            fan(shape.per_layer),
        ),
        TensorPlan::matrix(global("per_layer_model_proj"), kind(Part::ModelProj, 0), row, hidden, fan(hidden)),
        TensorPlan::vector(global("per_layer_proj_norm"), shape.per_layer, 1.0),
        TensorPlan::vector(global("output_norm"), hidden, 1.0),
        TensorPlan {
            name: global("rope_freqs"),
            shape: vec![shape.head_dim_global / 2],
            kind: Kind::F32,
            role: Role::RopeFreqs { n_turning: shape.head_dim_global / 8 },
            is_shared_kv: false,
        },
    ];
    for layer in 0..shape.n_layers {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        let (head_dim, ffn) = (shape.head_dim(layer), shape.ffn_width(layer));
        let (q_width, kv_width) = (shape.n_heads * head_dim, shape.n_kv_heads * head_dim);
        // q·k has a deviation of sqrt(head_dim) times both middles: about 2, so that attention is neither flat nor
        // a single position.
        let qk_middle = (2.0 / (head_dim as f32).sqrt()).sqrt();
        let matrix = |part: &str, kind, rows, cols| TensorPlan::matrix(name(part), kind, rows, cols, fan(cols));
        let vector = |part: &str, len, middle| TensorPlan::vector(name(part), len, middle);
        tensors.push(vector("attn_norm", hidden, 1.0));
        tensors.push(matrix("attn_q", kind(Part::Other, layer), q_width, hidden));
        tensors.push(vector("attn_q_norm", head_dim, qk_middle));
        let kv = [
            matrix("attn_k", kind(Part::AttnK, layer), kv_width, hidden),
            vector("attn_k_norm", head_dim, qk_middle),
            matrix("attn_v", kind(Part::AttnV, layer), kv_width, hidden),
        ];
        tensors.extend(kv.map(|tensor| TensorPlan { is_shared_kv: !shape.owns_kv(layer), ..tensor }));
        tensors.push(matrix("attn_output", kind(Part::Other, layer), hidden, q_width));
        tensors.push(vector("post_attention_norm", hidden, 1.0));
        tensors.push(vector("ffn_norm", hidden, 1.0));
        tensors.push(matrix("ffn_gate", kind(Part::Other, layer), ffn, hidden));
        tensors.push(matrix("ffn_up", kind(Part::Other, layer), ffn, hidden));
        tensors.push(matrix("ffn_down", kind(Part::FfnDown, layer), hidden, ffn));
        tensors.push(vector("post_ffw_norm", hidden, 1.0));
        tensors.push(matrix("inp_gate", kind(Part::Gate, layer), shape.per_layer, hidden));
        tensors.push(matrix("proj", kind(Part::Gate, layer), hidden, shape.per_layer));
        tensors.push(vector("post_norm", hidden, 1.0));
        tensors.push(vector("layer_output_scale", 1, 0.9));
    }
    tensors
}
