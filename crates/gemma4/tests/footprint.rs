//! Shape and memory of full-size models from the header alone: the files are written without their data.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs::OpenOptions, io::Write};

use common::*;
use gemma4::{
    Config, Footprint, Model, Rows, Sequence,
    footprint::{kv_bytes_f16, kv_bytes_fast, kv_bytes_plain, scratch_bytes_fast},
    gguf::GgufFile,
};
use test_support::synth::{GgufBuilder, Mix, Shape, Size, plan, put_parameters};

/// The header of a full-size model; `compact` leaves out the keys and values that nothing reads. The data is a hole,
/// which takes no room on the disk.
fn full_size(size: Size, mix: Mix, compact: bool) -> (GgufFile, Config) {
    let shape = Shape::of(size);
    let mut builder = GgufBuilder::default();
    put_parameters(&mut builder, &shape, mix);
    for tensor in plan(&shape, mix).iter().filter(|tensor| !(compact && tensor.is_shared_kv)) {
        builder.tensor(&tensor.name, &tensor.shape, tensor.kind);
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let header = builder.header();
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + builder.data_bytes()).unwrap();
    // The map outlives the name.
    let file = GgufFile::open(&path).unwrap();
    let config = Config::from_gguf(&file).unwrap();
    (file, config)
}

#[test]
fn inventories_of_full_and_compact_files() {
    for (size, full, compact) in [(Size::E2b, 601, 541), (Size::E4b, 720, 666)] {
        assert_eq!(full_size(size, Mix::GgmlQ4KM, false).0.tensors().len(), full);
        assert_eq!(full_size(size, Mix::GgmlQ4KM, true).0.tensors().len(), compact);
    }
}

#[test]
fn layers_read_the_keys_of_the_last_owner_of_their_kind() {
    for (size, first_shared, sliding_donor, global_donor) in [(Size::E2b, 15, 13, 14), (Size::E4b, 24, 22, 23)] {
        let (_, config) = full_size(size, Mix::GgmlQ4KM, true);
        assert_eq!(config.last_kv_owner(), first_shared - 1);
        for l in 0..config.n_layers {
            assert_eq!(config.owns_kv(l), l < first_shared);
            let donor = if config.is_sliding(l) { sliding_donor } else { global_donor };
            assert_eq!(config.kv_donor(l), if l < first_shared { l } else { donor }, "layer {l}");
            assert_eq!(config.head_dim(l), if config.is_sliding(l) { 256 } else { 512 });
        }
        assert!(!config.is_sliding(config.n_layers - 1));
    }
}

/// Megabytes (10⁶ bytes) to one decimal, as published tables give them.
fn mb(bytes: u64) -> f64 {
    (bytes as f64 / 1e5).round() / 10.0
}

#[test]
fn bytes_read_for_each_token_are_those_of_the_published_files() {
    for (size, mix, per_token, table) in [
        (Size::E2b, Mix::GoogleQatQ4_0, 1406.9, 1926.8),
        (Size::E2b, Mix::ExactQ4_0, 1283.3, 1321.2),
        (Size::E2b, Mix::UnslothQ4KM, 1464.3, 1614.8),
        (Size::E2b, Mix::Q8_0, 2436.0, 2495.6),
        (Size::E2b, Mix::Bf16, 4560.1, 4697.6),
        (Size::E4b, Mix::GoogleQatQ4_0, 2827.0, 2312.1),
        (Size::E4b, Mix::ExactQ4_0, 2614.4, 1585.4),
        (Size::E4b, Mix::GgmlQ4KM, 2972.7, 2312.1),
        (Size::E4b, Mix::Q8_0, 4962.2, 2994.7),
    ] {
        for compact in [false, true] {
            let (file, config) = full_size(size, mix, compact);
            let footprint = Footprint::of(&file, &config);
            assert_eq!(mb(footprint.per_token_bytes), per_token, "{size:?} {mix:?}");
            assert_eq!(mb(footprint.per_layer_table_bytes), table, "{size:?} {mix:?}");
            assert_eq!(footprint.unused_bytes == 0, compact);
        }
    }
}

#[test]
fn bytes_of_keys_and_values_at_each_context_length() {
    const MIB: u64 = 1 << 20;
    for (context_len, e2b, e4b) in [(2048, 18, 52), (8192, 54, 148), (32_768, 198, 532), (131_072, 774, 2068)] {
        for (size, expected) in [(Size::E2b, e2b), (Size::E4b, e4b)] {
            let (_, config) = full_size(size, Mix::ExactQ4_0, true);
            assert_eq!(kv_bytes_f16(&config, context_len), expected * MIB);
            let plain = kv_bytes_plain(&config, context_len, 512);
            assert!(plain >= 2 * expected * MIB && plain < 4 * expected * MIB, "{plain}");
            // Rings of 1088 positions instead of 512 in 12 or 20 sliding layers with heads of 256.
            let rings = if size == Size::E2b { 12 } else { 2 * 20 } * (1088 - 512) * 1024;
            assert_eq!(kv_bytes_fast(&config, context_len), expected * MIB + rings);
            let scratch = scratch_bytes_fast(&config, context_len);
            assert!(scratch > 20 * MIB && scratch < 70 * MIB, "{scratch}");
        }
    }
}

#[test]
fn a_cache_takes_no_more_than_was_said() {
    let model = load(&golden("tiny-e4b/tiny-e4b-Q4_K_M.gguf"));
    for (context_len, chunk) in [(20, 7), (300, 1), (600, 64), (900, 300)] {
        let mut sequence = model.plain_sequence(context_len).unwrap();
        let said = kv_bytes_plain(model.config(), context_len, chunk);
        let tokens = vec![7; context_len];
        for part in tokens.chunks(chunk) {
            forward(&mut sequence, part, Rows::None, &go_on).unwrap();
            assert!(sequence.cache_bytes() as u64 <= said, "{} of {said}", sequence.cache_bytes());
        }
        assert_eq!(sequence.len(), context_len);
        // Full, the global layers take what was said; the sliding ones may have had no need of all their room.
        assert!(sequence.cache_bytes() as u64 * 2 > said);
    }
}
