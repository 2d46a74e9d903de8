//! Writes a whole model.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

use super::{
    gguf::GgufBuilder,
    plan::{Mix, Role, Shape, Size, TensorPlan, plan},
    rng::Rng,
    vocab::vocabulary,
};

/// Bytes that one thread makes at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// End of text, end of turn, and the token before a tool's answer.
const STOP_IDS: [u64; 3] = [1, 106, 50];

/// What the real files carry, shortened to what E2B and E4B need.
const CHAT_TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}<|turn>{{ 'model' if message['role'] == \
'assistant' else message['role'] }}\n{{ message['content'] | trim }}<turn|>\n{% endfor %}{% if add_generation_prompt \
%}<|turn>model\n{% endif %}";

/// Which model to write.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Which shape.
    pub size: Size,
    /// Which storage types.
    pub mix: Mix,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// Leave out the K/V tensors of sharing layers, whatever the mix usually does. The others stay the same.
    pub without_shared_kv: bool,
    /// Never ends an answer by itself: the rows of the stop tokens are zero, and so are their logits, which are then
    /// not among the likely ones.
    pub endless: bool,
}

impl Spec {
    /// A model with seed 1, with or without the K/V tensors of sharing layers as its mix is published.
    pub fn new(size: Size, mix: Mix) -> Self {
        Self { size, mix, seed: 1, without_shared_kv: mix.is_compact(), endless: false }
    }
}

/// The tensors that the file of `spec` has.
pub(super) fn kept(spec: Spec) -> Vec<TensorPlan> {
    let mut tensors = plan(&Shape::of(spec.size), spec.mix);
    tensors.retain(|tensor| !(spec.without_shared_kv && tensor.is_shared_kv));
    tensors
}

/// Metadata and tensor table of `spec`, with `tensors` in their types.
pub(super) fn builder(spec: Spec, tensors: &[TensorPlan]) -> GgufBuilder {
    let mut builder = GgufBuilder::default();
    put_parameters(&mut builder, &Shape::of(spec.size), spec.mix);
    put_vocabulary(&mut builder, &Shape::of(spec.size));
    for tensor in tensors {
        builder.tensor(&tensor.name, &tensor.shape, tensor.kind);
    }
    builder
}

/// The whole of one tensor.
#[cfg(feature = "twin")]
pub(super) fn tensor_bytes(tensor: &TensorPlan, seed: u64) -> Vec<u8> {
    let n_bytes = tensor.kind.bytes(tensor.shape.iter().product());
    let mut bytes = Vec::with_capacity(n_bytes);
    // Writing to memory does not fail.
    let _ = write_tensor(&mut bytes, tensor, n_bytes, seed);
    bytes
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Tensors in the file.
    pub n_tensors: usize,
    /// Values in all of them.
    pub n_values: usize,
    /// Bytes before the data.
    pub header_bytes: u64,
    /// Bytes of the data section.
    pub data_bytes: u64,
    /// Tensors of each type, by name.
    pub kinds: Vec<(&'static str, usize)>,
}

/// Writes the model of `spec` to `path`, a chunk at a time, on as many threads as there are processors.
///
/// # Errors
/// If the file cannot be written.
pub fn write_model(path: &Path, spec: Spec) -> io::Result<Summary> {
    let tensors = kept(spec);
    let builder = builder(spec, &tensors);
    let header = builder.header();
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(&header)?;
    for (tensor, entry) in tensors.iter().zip(builder.tensors()) {
        write_tensor(&mut out, tensor, entry.n_bytes, spec.seed)?;
        let padding = entry.n_bytes.next_multiple_of(builder.alignment as usize) - entry.n_bytes;
        out.write_all(&vec![0; padding])?;
    }
    out.flush()?;
    if spec.endless {
        silence_stops(out.get_mut(), &builder, header.len() as u64)?;
    }

    let mut kinds = std::collections::BTreeMap::new();
    for tensor in &tensors {
        *kinds.entry(tensor.kind).or_insert(0) += 1;
    }
    Ok(Summary {
        n_tensors: tensors.len(),
        n_values: tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum(),
        header_bytes: header.len() as u64,
        data_bytes: builder.data_bytes(),
        kinds: kinds.into_iter().map(|(kind, count)| (kind.name(), count)).collect(),
    })
}

/// Overwrites the stop tokens' rows of the token table with zeros, which mean 0 in every storage type.
fn silence_stops(file: &mut File, builder: &GgufBuilder, data_start: u64) -> io::Result<()> {
    let Some(table) = builder.tensors().iter().find(|entry| entry.name == "token_embd.weight") else { return Ok(()) };
    let row = table.n_bytes / table.shape.first().copied().unwrap_or(1);
    for id in STOP_IDS {
        file.seek(SeekFrom::Start(data_start + table.offset + id * row as u64))?;
        file.write_all(&vec![0; row])?;
    }
    Ok(())
}

fn write_tensor(out: &mut impl Write, tensor: &TensorPlan, n_bytes: usize, seed: u64) -> io::Result<()> {
    match tensor.role {
        Role::Vector { middle } => {
            let mut rng = Rng::new(seed, &tensor.name);
            (0..n_bytes / 4).try_for_each(|_| out.write_all(&(middle * rng.range(0.8, 1.2)).to_le_bytes()))
        }
        Role::RopeFreqs { n_turning } => (0..n_bytes / 4).try_for_each(|index| {
            let divisor: f32 = if index < n_turning { 1.0 } else { 1e30 };
            out.write_all(&divisor.to_le_bytes())
        }),
        Role::Matrix { std } => {
            let chunk = CHUNK_BYTES / tensor.kind.block_bytes() * tensor.kind.block_bytes();
            let n_chunks = n_bytes.div_ceil(chunk);
            let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
            let make = |index: usize| {
                let mut rng = Rng::new(seed, &format!("{}/{index}", tensor.name));
                let mut bytes = vec![0; chunk.min(n_bytes - index * chunk)];
                tensor.kind.fill(&mut rng, std, &mut bytes);
                bytes
            };
            for first in (0..n_chunks).step_by(n_threads) {
                let last = (first + n_threads).min(n_chunks);
                let parts: Vec<Vec<u8>> = if last - first == 1 {
                    vec![make(first)]
                } else {
                    std::thread::scope(|scope| {
                        let threads: Vec<_> = (first..last).map(|index| scope.spawn(move || make(index))).collect();
                        threads
                            .into_iter()
                            .map(|thread| thread.join().map_err(|_| io::Error::other("a writing thread panicked")))
                            .collect::<io::Result<_>>()
                    })?
                };
                for part in parts {
                    out.write_all(&part)?;
                }
            }
            Ok(())
        }
    }
}

/// Writes the header of `spec` to `path`, with a hole where the weights would be: a file as long as a real one that takes
/// a few kilobytes of the disk, for whatever reads the tensor table only. It has no vocabulary either, so that it is
/// made in no time and answers nothing.
///
/// # Errors
/// If the file cannot be written.
pub fn write_sparse(path: &Path, spec: Spec) -> io::Result<()> {
    let mut builder = GgufBuilder::default();
    put_parameters(&mut builder, &Shape::of(spec.size), spec.mix);
    for tensor in kept(spec) {
        builder.tensor(&tensor.name, &tensor.shape, tensor.kind);
    }
    let header = builder.header();
    let mut file = File::create(path)?;
    file.write_all(&header)?;
    file.set_len(header.len() as u64 + builder.data_bytes())
}

/// The keys of published files before the vocabulary, in their order.
pub fn put_parameters(out: &mut GgufBuilder, shape: &Shape, mix: Mix) {
    let layers = || 0..shape.n_layers;
    let a = |key: &str| format!("gemma4.{key}");
    out.key("general.architecture", "gemma4");
    out.key("general.type", "model");
    out.key("general.sampling.top_k", 64i32);
    out.key("general.sampling.top_p", 0.95f32);
    out.key("general.sampling.temp", 1.0f32);
    out.key("general.name", shape.name);
    out.key("general.size_label", shape.size_label);
    out.key(&a("block_count"), shape.n_layers as u32);
    out.key(&a("context_length"), shape.context_len as u32);
    out.key(&a("embedding_length"), shape.hidden as u32);
    if shape.double_wide {
        let widths: Vec<i32> = layers().map(|layer| shape.ffn_width(layer) as i32).collect();
        out.array(&a("feed_forward_length"), &widths);
    } else {
        out.key(&a("feed_forward_length"), shape.ffn as u32);
    }
    out.key(&a("attention.head_count"), shape.n_heads as u32);
    out.key(&a("attention.head_count_kv"), shape.n_kv_heads as u32);
    out.key(&a("rope.freq_base"), 1e6f32);
    out.key(&a("rope.freq_base_swa"), 1e4f32);
    out.key(&a("attention.layer_norm_rms_epsilon"), 1e-6f32);
    out.key(&a("attention.key_length"), shape.head_dim_global as u32);
    out.key(&a("attention.value_length"), shape.head_dim_global as u32);
    out.key("general.file_type", mix.file_type());
    out.key(&a("final_logit_softcapping"), 30.0f32);
    out.key(&a("attention.sliding_window"), shape.window as u32);
    out.key(&a("attention.shared_kv_layers"), shape.n_shared as u32);
    out.key(&a("embedding_length_per_layer_input"), shape.per_layer as u32);
    let sliding: Vec<bool> = layers().map(|layer| shape.is_sliding(layer)).collect();
    out.array(&a("attention.sliding_window_pattern"), &sliding);
    out.key(&a("attention.key_length_swa"), shape.head_dim_sliding as u32);
    out.key(&a("attention.value_length_swa"), shape.head_dim_sliding as u32);
    out.key(&a("rope.dimension_count"), shape.head_dim_global as u32);
    out.key(&a("rope.dimension_count_swa"), shape.head_dim_sliding as u32);
    out.key("general.quantization_version", 2u32);
}

/// The rest of the keys.
fn put_vocabulary(out: &mut GgufBuilder, shape: &Shape) {
    let vocab = vocabulary(shape.vocab);
    out.key("tokenizer.ggml.model", "gemma4");
    out.array("tokenizer.ggml.tokens", &vocab.tokens);
    out.array("tokenizer.ggml.scores", &vocab.scores);
    out.array("tokenizer.ggml.token_type", &vocab.types);
    out.array("tokenizer.ggml.merges", &vocab.merges);
    out.key("tokenizer.ggml.bos_token_id", 2u32);
    out.key("tokenizer.ggml.eos_token_id", 106u32);
    out.key("tokenizer.ggml.unknown_token_id", 3u32);
    out.key("tokenizer.ggml.padding_token_id", 0u32);
    out.key("tokenizer.ggml.mask_token_id", 4u32);
    out.key("tokenizer.chat_template", CHAT_TEMPLATE);
    out.key("tokenizer.ggml.add_space_prefix", false);
    out.key("tokenizer.ggml.add_bos_token", true);
}
