//! Files that are cut short, damaged or made to do harm: a named error with a hint, never a panic, never memory that
//! the file only claims to need.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{path::Path, sync::LazyLock};

use errors::{ErrorCode, Explain};
use gemma4::gguf::{Error, GgufFile, Value, optional, parse};
use proptest::prelude::*;
use test_support::synth::{GgufBuilder, Kind, TensorEntry};

#[path = "../../../fuzz/exercise.rs"]
mod exercise;

use exercise::exercise;

/// A small sound file with every kind of value and three tensors.
fn sound() -> GgufBuilder {
    let mut builder = GgufBuilder::default();
    builder
        .key("general.architecture", "gemma4")
        .key("a.u8", 200u8)
        .key("a.i8", -3i8)
        .key("a.u16", 60_000u16)
        .key("a.i16", -300i16)
        .key("a.u32", 4_000_000_000u32)
        .key("a.i32", -5i32)
        .key("a.f32", 1.5f32)
        .key("a.bool", true)
        .key("a.u64", u64::MAX)
        .key("a.i64", i64::MIN)
        .key("a.f64", 0.25f64)
        .array("b.texts", &["uno", "", "três"])
        .array("b.i32", &[6144i32, 12_288])
        .array("b.f32", &[0.5f32])
        .array("b.bool", &[true, false, true])
        .array::<u64>("b.none", &[])
        .raw_key("b.nested", &nested(2, &[9, 0, 0, 0]))
        .tensor("one", &[2, 32], Kind::Q4_0)
        .tensor("two", &[3], Kind::F32)
        .tensor("three", &[2, 256], Kind::Q6K);
    builder
}

/// Type and value of an array that holds arrays of one empty array each, `depth` deep.
fn nested(depth: usize, array_type: &[u8; 4]) -> Vec<u8> {
    let mut bytes = array_type.to_vec();
    for _ in 0..depth {
        bytes.extend([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
    bytes.extend([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| sound().file());

fn at(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle).unwrap()
}

/// The sound file with `with` written at `offset`.
fn patched(offset: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = SOUND.clone();
    bytes[offset..offset + with.len()].copy_from_slice(with);
    bytes
}

fn entry(name: &str, shape: &[usize], type_id: u32, offset: u64) -> TensorEntry {
    TensorEntry { name: name.to_owned(), shape: shape.to_vec(), type_id, offset, n_bytes: 0 }
}

/// A sound file with one more table entry.
fn with_entry(entry: TensorEntry) -> Vec<u8> {
    sound().raw_tensor(entry).file()
}

fn with_raw_key(type_and_value: &[u8]) -> Vec<u8> {
    sound().raw_key("x", type_and_value).file()
}

/// Every way to be wrong that has a name: file name, bytes, the error's words, its code.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str, ErrorCode)> {
    use ErrorCode::{ModelFileDamaged as Damaged, ModelUnsupported as Unsupported};
    let huge = u64::MAX.to_le_bytes();
    let architecture = at(&SOUND, b"general.architecture") - 8;
    let text_value = at(&SOUND, b"gemma4");
    let bool_value = at(&SOUND, b"a.bool") + 6 + 4;
    let texts = at(&SOUND, b"b.texts") + 7 + 4 + 4;
    let tensor = at(&SOUND, b"\x03\0\0\0\0\0\0\0one") + 11;
    vec![
        ("empty", Vec::new(), "begins with the bytes []", Damaged),
        ("web-page", b"<!DOCTYPE html>".to_vec(), "not a GGUF file", Damaged),
        ("big-endian", patched(4, &3u32.to_be_bytes()), "big-endian", Unsupported),
        ("version-1", patched(4, &1u32.to_le_bytes()), "version 1", Unsupported),
        ("version-4", patched(4, &4u32.to_le_bytes()), "version 4", Unsupported),
        ("tensors-without-end", patched(8, &huge), "the number of tensors at byte 8 is 18446744073709551615", Damaged),
        ("tensors-too-many", patched(8, &60_000u64.to_le_bytes()), "needs 1440000 bytes", Damaged),
        ("keys-without-end", patched(16, &huge), "the number of keys at byte 16", Damaged),
        ("keys-too-many", patched(16, &60_000u64.to_le_bytes()), "needs 780000 bytes", Damaged),
        ("key-without-end", patched(architecture, &huge), "a key at byte 24 is 18446744073709551615", Damaged),
        ("key-too-long", patched(architecture, &60_000u64.to_le_bytes()), "cut short: a key", Damaged),
        ("key-not-text", patched(architecture + 8, &[0xff]), "a key at byte 24 is not UTF-8", Damaged),
        ("text-without-end", patched(text_value - 8, &huge), "a text at byte", Damaged),
        ("text-too-long", patched(text_value - 8, &(1u64 << 20).to_le_bytes()), "cut short: a text", Damaged),
        ("text-not-text", patched(text_value, &[0xc0]), "is not UTF-8", Damaged),
        ("item-not-text", patched(texts + 16, &[0xff]), "is not UTF-8", Damaged),
        ("array-without-end", patched(texts, &huge), "the length of an array at byte", Damaged),
        ("array-too-long", patched(texts, &(1u64 << 27).to_le_bytes()), "needs 1073741824 bytes", Damaged),
        ("no-such-type", with_raw_key(&[13, 0, 0, 0, 0]), "value type 13", Damaged),
        (
            "no-such-item-type",
            with_raw_key(&[9, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            "value type 77",
            Damaged,
        ),
        ("truth-of-2", patched(bool_value, &[2]), "a truth value at byte", Damaged),
        ("nested-deep", with_raw_key(&nested(5, &[9, 0, 0, 0])), "nested more than 4 deep", Damaged),
        ("nested-abyss", with_raw_key(&nested(100_000, &[9, 0, 0, 0])), "nested more than 4 deep", Damaged),
        ("key-twice", sound().key("a.u8", 1u8).file(), "the key `a.u8` occurs twice", Damaged),
        ("alignment-0", sound().key("general.alignment", 0u32).file(), "an alignment of 0", Damaged),
        ("alignment-odd", sound().key("general.alignment", 48u32).file(), "an alignment of 48", Damaged),
        (
            "alignment-huge",
            sound().key("general.alignment", 1u64 << 40).file(),
            "an alignment of 1099511627776",
            Damaged,
        ),
        ("alignment-text", sound().key("general.alignment", "32").file(), "`general.alignment` holds text", Damaged),
        ("name-without-end", patched(tensor - 11, &huge), "the name of a tensor", Damaged),
        ("name-twice", with_entry(entry("two", &[3], 0, 0)), "the tensor `two` occurs twice", Damaged),
        ("dims-5", with_entry(entry("x", &[1, 1, 1, 1, 1], 0, 0)), "a count of dimensions at byte", Damaged),
        ("dims-0", with_entry(entry("x", &[], 0, 0)), "impossible shape []", Damaged),
        ("dim-zero", with_entry(entry("x", &[4, 0], 0, 0)), "impossible shape [4, 0]", Damaged),
        ("dims-overflow", with_entry(entry("x", &[1 << 33, 1 << 33], 0, 0)), "impossible shape", Damaged),
        ("bytes-overflow", with_entry(entry("x", &[1 << 31, 1 << 31], 0, 0)), "impossible shape", Damaged),
        ("row-not-blocks", with_entry(entry("x", &[2, 100], 12, 0)), "[2, 100] for its type Q4_K", Damaged),
        ("misaligned", with_entry(entry("x", &[1], 0, 8)), "begins at 8, which is not a multiple of 32", Damaged),
        ("offset-beyond", with_entry(entry("x", &[1], 0, 1 << 40)), "cut short: the tensor `x`", Damaged),
        ("offset-overflow", with_entry(entry("x", &[1], 0, u64::MAX - 31)), "cut short: the tensor `x`", Damaged),
        ("overlap", with_entry(entry("x", &[1], 0, 32)), "overlap", Damaged),
    ]
}

#[test]
fn each_fault_is_named() {
    for (name, bytes, words, code) in cases() {
        let error = parse(&bytes).map(|_| ()).expect_err(name);
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{name}");
        exercise(&bytes);
    }
}

#[test]
fn a_sound_file_gives_back_what_was_written() {
    let header = parse(&SOUND).unwrap();
    let metadata = header.metadata(&SOUND);
    assert_eq!(metadata.keys().len(), 18);
    assert_eq!(metadata.str("general.architecture").unwrap(), "gemma4");
    assert_eq!((metadata.u32("a.u8").unwrap(), metadata.u32("a.u32").unwrap()), (200, 4_000_000_000));
    assert_eq!((metadata.u64("a.u64").unwrap(), metadata.get("a.i64")), (u64::MAX, Some(Value::Int(i64::MIN.into()))));
    assert_eq!((metadata.get("a.i8"), metadata.get("a.i16")), (Some(Value::Int(-3)), Some(Value::Int(-300))));
    assert_eq!((metadata.f32("a.f32").unwrap(), metadata.f32("a.f64").unwrap()), (1.5, 0.25));
    assert!(metadata.bool("a.bool").unwrap());
    assert_eq!(metadata.str_array("b.texts").unwrap().collect::<Vec<_>>(), ["uno", "", "três"]);
    assert_eq!(metadata.u32_array("b.i32").unwrap().collect::<Vec<_>>(), [6144, 12_288]);
    assert_eq!(metadata.f32_array("b.f32").unwrap().collect::<Vec<_>>(), [0.5]);
    assert_eq!(metadata.bool_array("b.bool").unwrap().collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(metadata.array("b.none").unwrap().len(), 0);
    let tensors: Vec<_> =
        header.tensors().iter().map(|info| (info.name.as_str(), &info.shape[..], info.n_bytes)).collect();
    assert_eq!(tensors, [("one", &[2, 32][..], 36), ("two", &[3][..], 12), ("three", &[2, 256][..], 420)]);
    assert_eq!(header.tensors()[2].offset, header.data_offset() + 64 + 32);
    exercise(&SOUND);
}

#[test]
fn wrong_questions_get_named_answers() {
    let header = parse(&SOUND).unwrap();
    let metadata = header.metadata(&SOUND);
    assert!(matches!(metadata.u32("no"), Err(Error::MissingKey { .. })));
    assert!(matches!(metadata.u32("a.i32"), Err(Error::OutOfRange { found: -5, .. })));
    assert!(matches!(metadata.u32("a.f32"), Err(Error::WrongType { .. })));
    assert!(matches!(metadata.str_array("b.i32").map(|_| ()), Err(Error::WrongType { .. })));
    assert!(matches!(metadata.f32_array("b.i32").map(|_| ()), Err(Error::WrongType { .. })));
    assert_eq!(metadata.f32("a.u8").unwrap_err().to_string(), "the key `a.u8` holds u8 where f32 is needed");
    assert_eq!(optional(metadata.u32("no")).unwrap(), None);
    assert_eq!(optional(metadata.u32("a.u8")).unwrap(), Some(200));
    assert!(optional(metadata.u32("a.f32")).is_err());
}

#[test]
fn version_2_and_other_alignments_are_read() {
    let mut builder = sound();
    builder.version = 2;
    assert_eq!(parse(&builder.file()).unwrap().version(), 2);
    let mut builder = GgufBuilder::default();
    builder.alignment = 64;
    builder.key("general.alignment", 64u32).tensor("a", &[1], Kind::F32).tensor("b", &[1], Kind::F32);
    let file = builder.file();
    let header = parse(&file).unwrap();
    assert_eq!(header.alignment(), 64);
    assert_eq!(header.tensors()[1].offset - header.tensors()[0].offset, 64);
}

#[test]
fn a_file_with_an_unknown_type_can_be_inspected_but_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, with_entry(entry("odd", &[8, 256], 23, 0))).unwrap();
    let file = GgufFile::open(&path).unwrap();
    assert_eq!((file.tensors().len(), file.unsupported().len()), (3, 1));
    assert_eq!(file.metadata().str("general.architecture").unwrap(), "gemma4");
    let error = file.require_tensor("odd").unwrap_err();
    assert_eq!(error.to_string(), "the tensor `odd` has the type IQ4_XS, which this program cannot use");
    assert_eq!(error.code(), ErrorCode::ModelUnsupported);
    assert!(matches!(file.require_tensor("none"), Err(Error::MissingTensor { .. })));
    assert_eq!(file.tensor_bytes(file.tensor("one").unwrap()).len(), 36);
}

#[test]
fn files_that_cannot_be_opened_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let missing = GgufFile::open(&dir.path().join("none.gguf")).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::ModelMissing);
    assert!(missing.to_string().contains("none.gguf"));
    assert!(GgufFile::open(dir.path()).is_err(), "a folder");
    for (name, bytes) in [("nothing", &b""[..]), ("short", b"GGU"), ("half", &SOUND[..SOUND.len() / 2])] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = GgufFile::open(&path).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ModelFileDamaged, "{name}");
        assert!(errors::chain(&error).contains(name) && error.hint().is_some());
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    // The last tensor ends before the padding that closes the file.
    let header = parse(&SOUND).unwrap();
    let end = header.tensors().iter().map(|info| info.offset as usize + info.n_bytes).max().unwrap();
    for len in 0..end {
        let error = parse(&SOUND[..len]).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ModelFileDamaged, "cut at {len}: {error}");
        assert!(error.hint().is_some());
    }
    assert!(parse(&SOUND[..end]).is_ok());
}

#[test]
fn every_single_byte_may_be_wrong() {
    for offset in 0..SOUND.len() {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff, SOUND[offset] ^ 1, SOUND[offset].wrapping_add(1)] {
            exercise(&patched(offset, &[value]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_files_never_panic(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 1usize..9), 1..6), cut in any::<prop::sample::Index>(), whole in any::<bool>()) {
        let mut bytes = SOUND.clone();
        for (index, value, len) in edits {
            let start = index.index(bytes.len() - 8);
            bytes[start..start + len].copy_from_slice(&value.to_le_bytes()[..len]);
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(&bytes);
    }

    #[test]
    fn noise_after_the_magic_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..200), counts in (0u64..4, 0u64..4)) {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(counts.0.to_le_bytes());
        bytes.extend(counts.1.to_le_bytes());
        bytes.extend(noise);
        exercise(&bytes);
    }
}

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/header")
}

/// The fuzzer's corpus, through the function that the fuzz target calls.
#[test]
fn the_fuzzers_corpus_finds_nothing() {
    let mut seen = 0;
    for file in std::fs::read_dir(corpus()).unwrap() {
        exercise(&std::fs::read(file.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen >= 40, "only {seen} files");
}

#[test]
#[ignore = "writes the named cases into the fuzzer's corpus; run it after adding one"]
fn write_the_corpus() {
    for (name, bytes, ..) in cases().into_iter().filter(|(_, bytes, ..)| bytes.len() < 4096) {
        std::fs::write(corpus().join(format!("{name}.gguf")), bytes).unwrap();
    }
    std::fs::write(corpus().join("sound.gguf"), &*SOUND).unwrap();
}
