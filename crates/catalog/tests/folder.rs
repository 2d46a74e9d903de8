//! The models folder with real, tiny model files.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::{Catalog, Control, DEMO_ID, Error, inspect};
use errors::{ErrorCode, Explain};

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let variant = name.rsplit_once('-').expect("VARIANT-TYPE.gguf").0;
    folder.join(variant).join(name)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.retain(|name| name != ".import.lock" && name != ".incoming");
    names.sort();
    names
}

fn code_and_text(error: &Error) -> (ErrorCode, String) {
    (error.code(), errors::chain(error))
}

#[test]
fn a_model_goes_in_is_listed_and_goes_out() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = Catalog::new(root.path().join("models"), Some(golden("tiny-e2b-Q4_0.gguf")));
    let before = catalog.list().expect("an absent folder is an empty one");
    assert_eq!(before.models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), [DEMO_ID]);

    let imported = catalog.import(&golden("tiny-e4b-Q4_K_M.gguf"), &Control::default()).expect("imported").model;
    let total_bytes = fs::metadata(golden("tiny-e4b-Q4_K_M.gguf")).expect("a file").len();
    assert_eq!(names(catalog.folder()), ["tiny-e4b-Q4_K_M.gguf", "tiny-e4b-Q4_K_M.gguf.aula.toml"]);
    assert_eq!(imported.inspection.file_bytes, total_bytes);
    assert_eq!(imported.inspection.quantization, "Q4_K_M");

    let listed = catalog.list().expect("a folder");
    assert_eq!(
        listed.models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(),
        [imported.id.as_str(), DEMO_ID]
    );
    assert_eq!(catalog.find(&imported.id).expect("installed"), imported);
    let same_names = Catalog::new(catalog.folder().to_owned(), None);
    assert_eq!(same_names.find(&imported.id).expect("the id does not change"), imported);

    catalog.remove(&imported.id).expect("removed");
    assert_eq!(names(catalog.folder()), [""; 0]);
    assert!(matches!(catalog.remove(&imported.id), Err(Error::NoSuchModel { .. })));
    assert!(matches!(catalog.find(&imported.id), Err(Error::NoSuchModel { .. })));
    assert!(matches!(catalog.remove(DEMO_ID), Err(Error::DemoStays)));
    assert!(golden("tiny-e2b-Q4_0.gguf").exists());
}

/// Keeps packed weights of the model in a file in `dir`.
fn pack(model: &Path, dir: &Path) {
    let file = Arc::new(gemma4::gguf::GgufFile::open(model).expect("a model"));
    let mut packing = gemma4::packed::Packing::new(&file);
    let head = file.require_tensor("token_embd.weight").expect("the head");
    packing.matrix(&head.name, head.shape[0], head.shape[1]).expect("a matrix");
    let dirs = [dir.to_owned()];
    let threads = NonZero::<usize>::MIN;
    let options = gemma4::packed::PackOptions { dirs: &dirs, threads, file_from_bytes: 0 };
    packing.open(&options).expect("packed").finish();
}

#[test]
fn packed_weights_are_no_models_and_go_with_theirs() {
    let root = tempfile::tempdir().expect("a folder");
    let models = root.path().join("models");
    let dirs = [models.join("packed"), root.path().join("cache/packed")];
    let catalog = Catalog::new(models, None).with_packed_dirs(dirs.to_vec());
    assert_eq!(catalog.packed_bytes(), 0);
    let one = catalog.import(&golden("tiny-e2b-Q8_0.gguf"), &Control::default()).expect("imported").model;
    let other = catalog.import(&golden("tiny-e2b-Q4_0.gguf"), &Control::default()).expect("imported").model;
    let path = |id: &str| catalog.find(id).expect("a model").path;
    pack(&path(&one.id), &dirs[0]);
    pack(&path(&one.id), &dirs[1]);
    let of_one = catalog.packed_bytes();
    pack(&path(&other.id), &dirs[0]);
    let of_both = catalog.packed_bytes();
    assert!(0 < of_one && of_one < of_both);
    let listing = catalog.list().expect("a listing");
    assert_eq!((listing.models.len(), listing.unusable.len()), (2, 0));

    catalog.remove(&one.id).expect("removed");
    assert_eq!(catalog.packed_bytes(), of_both - of_one);
    catalog.remove(&other.id).expect("removed");
    assert_eq!(catalog.packed_bytes(), 0);
}

#[test]
fn the_same_model_is_not_installed_twice() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = Catalog::new(root.path().join("models"), None);
    catalog.import(&golden("tiny-e2b-Q8_0.gguf"), &Control::default()).expect("imported");
    let again = catalog.import(&golden("tiny-e2b-Q8_0.gguf"), &Control::default()).expect_err("installed");
    assert!(matches!(again, Error::AlreadyInstalled { same_content: true, .. }), "{again:?}");

    let renamed = root.path().join("renamed.gguf");
    fs::copy(golden("tiny-e2b-Q8_0.gguf"), &renamed).expect("a copy");
    let again = catalog.import(&renamed, &Control::default()).expect_err("installed under another name");
    assert_eq!(again.to_string(), "`tiny-e2b-Q8_0.gguf` is already installed");
    assert!(matches!(again, Error::AlreadyInstalled { same_content: true, .. }), "{again:?}");

    let other = root.path().join("tiny-e2b-Q8_0.gguf");
    fs::copy(golden("tiny-e2b-Q4_0.gguf"), &other).expect("a copy");
    let again = catalog.import(&other, &Control::default()).expect_err("the name is taken");
    assert!(matches!(again, Error::AlreadyInstalled { same_content: false, .. }), "{again:?}");
    assert_eq!(names(catalog.folder()), ["tiny-e2b-Q8_0.gguf", "tiny-e2b-Q8_0.gguf.aula.toml"]);
}

#[test]
fn what_is_no_model_is_refused_and_leaves_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = Catalog::new(root.path().join("models"), None);
    let bytes = fs::read(golden("tiny-e2b-Q4_0.gguf")).expect("a file");
    let case = |name: &str, content: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, content).expect("a file");
        let error = catalog.import(&path, &Control::default()).expect_err(name);
        assert!(error.to_string().contains(name), "the message names the source: {error}");
        assert!(!errors::chain(&error).contains(".importing"), "{}", errors::chain(&error));
        assert!(error.hint().is_some(), "{error:?}");
        error.code()
    };
    assert_eq!(case("page.gguf", b"<!DOCTYPE html><html>"), ErrorCode::ModelFileDamaged);
    assert_eq!(case("half.gguf", &bytes[..bytes.len() / 2]), ErrorCode::ModelFileDamaged);
    assert_eq!(case("last-byte-missing.gguf", &bytes[..bytes.len() - 1]), ErrorCode::ModelFileDamaged);
    assert_eq!(case("header-only.gguf", &bytes[..1000]), ErrorCode::ModelFileDamaged);
    assert_eq!(names(catalog.folder()), [""; 0]);

    let folder = catalog.import(root.path(), &Control::default()).expect_err("a folder");
    assert!(matches!(&folder, Error::SeveralModels { files, .. } if files.len() == 4), "{folder:?}");
    let empty = tempfile::tempdir().expect("a folder");
    let folder = catalog.import(empty.path(), &Control::default()).expect_err("an empty folder");
    assert!(matches!(folder, Error::NoModelInFolder { .. }), "{folder:?}");
    let absent = catalog.import(&root.path().join("absent.gguf"), &Control::default()).expect_err("absent");
    assert_eq!(absent.code(), ErrorCode::ModelMissing);
    assert_eq!(names(catalog.folder()), [""; 0]);
}

#[test]
fn an_unusable_file_in_the_folder_is_listed_as_such_and_can_be_removed() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("broken.gguf"), "GGUF and no more").expect("a file");
    fs::write(root.path().join("notes.txt"), "not a model").expect("a file");
    fs::write(root.path().join(".hidden.gguf"), "not shown").expect("a file");
    fs::create_dir(root.path().join("folder.gguf")).expect("a folder");
    fs::copy(golden("tiny-e2b-Q4_0.gguf"), root.path().join("Good.GGUF")).expect("a copy");
    let catalog = Catalog::new(root.path().to_owned(), Some(root.path().join("no-demo.gguf")));
    let listing = catalog.list().expect("a folder");
    assert_eq!(listing.models.len(), 1, "{listing:?}");
    let [broken] = listing.unusable.as_slice() else { panic!("{listing:?}") };
    assert_eq!(code_and_text(&broken.error).0, ErrorCode::ModelUnsupported, "{:?}", broken.error);
    catalog.remove(&broken.id).expect("removed");
    assert!(catalog.list().expect("a folder").unusable.is_empty());
    assert!(catalog.find(DEMO_ID).is_err());
}

#[test]
fn a_replaced_file_is_inspected_again() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("m.gguf");
    fs::copy(golden("tiny-e2b-Q4_0.gguf"), &path).expect("a copy");
    let catalog = Catalog::new(root.path().to_owned(), None);
    let first = catalog.list().expect("a folder").models.remove(0);
    fs::remove_file(&path).expect("removed");
    fs::copy(golden("tiny-e2b-Q8_0.gguf"), &path).expect("a copy");
    let second = catalog.list().expect("a folder").models.remove(0);
    assert_eq!((first.id, first.inspection.quantization.as_str()), (second.id, "Q4_0"));
    assert_eq!(second.inspection.quantization, "Q8_0");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("file");
    fs::write(&file, "").expect("a file");
    let catalog = Catalog::new(file.join("models"), None);
    let error = catalog.import(&golden("tiny-e2b-Q4_0.gguf"), &Control::default()).expect_err("no folder");
    assert!(matches!(error, Error::Folder { .. }), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("may be written")), "{error:?}");
}

#[test]
fn inspection_counts_what_is_used_once() {
    let inspection = inspect(&golden("tiny-e2b-F16.gguf")).expect("a model");
    let counted: usize = inspection.tensor_types.values().map(|count| count.tensors).sum();
    assert_eq!(counted, inspection.n_tensors);
    assert_eq!(inspection.quantization, "F16");
    assert!(!inspection.demo);
    // The table of per-layer embeddings: 576 tokens, 8 layers of 32, two bytes.
    assert_eq!(inspection.per_layer_table_bytes, 576 * 8 * 32 * 2);

    // Layers sssfsssf of width 128 with 4 query heads and 1 head of keys of 32 (s) or 64 (f); the last four have no keys.
    let layer = |l: usize| {
        let d = if l % 4 == 3 { 64 } else { 32 };
        let keys = if l < 4 { 2 * d * 128 + d } else { 0 };
        let attention = 2 * 4 * d * 128 + d + keys;
        attention + 3 * 128 * inspection.config.ffn_widths[l] + 2 * 32 * 128 + 5 * 128 + 1
    };
    // The divisors of the rotary frequencies are constants.
    let shared = 576 * 128 + 8 * 32 * 128 + 32 + 128;
    let parameters: usize = (0..8).map(layer).sum::<usize>() + shared;
    assert_eq!(inspection.effective_parameters, parameters as u64);
    let all: u64 = inspection.tensor_types.values().map(|count| count.bytes).sum();
    assert!(inspection.resident_bytes + inspection.per_layer_table_bytes < all, "unused keys are not counted");
}

#[test]
fn memory_grows_with_the_context_up_to_what_the_model_was_made_for() {
    let inspection = inspect(&golden("tiny-e2b-Q4_0.gguf")).expect("a model");
    let short = inspection.memory_need(1024);
    let long = inspection.memory_need(2048);
    assert_eq!(short.weights, inspection.resident_bytes);
    // Of the four layers with keys of their own (sssf) only the global one grows: keys and values of
    // 1024 positions more, 64 numbers of 2 bytes each.
    assert_eq!(long.kv_cache - short.kv_cache, 2 * 1024 * 64 * 2);
    assert!(long.total() > short.total());
    let most = inspection.memory_need(inspection.config.max_context_len);
    assert_eq!(inspection.memory_need(usize::MAX), most);
}
