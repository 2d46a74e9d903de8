//! Full-size files: the published tensor tables, with holes where the weights would be.

use std::sync::Arc;

use catalog::{InstalledModel, inspect};
use test_support::synth::{Mix, Size, Spec, write_sparse};

/// The published files that are told apart here, by short name.
pub const FILES: [(&str, Size, Mix); 8] = [
    ("e2b-qat-q4_0", Size::E2b, Mix::GoogleQatQ4_0),
    ("e2b-q4_k_m", Size::E2b, Mix::GgmlQ4KM),
    ("e2b-unsloth-q4_k_m", Size::E2b, Mix::UnslothQ4KM),
    ("e2b-q8_0", Size::E2b, Mix::Q8_0),
    ("e4b-qat-q4_0", Size::E4b, Mix::GoogleQatQ4_0),
    ("e4b-q4_k_m", Size::E4b, Mix::GgmlQ4KM),
    ("e4b-unsloth-q4_k_m", Size::E4b, Mix::UnslothQ4KM),
    ("e4b-q8_0", Size::E4b, Mix::Q8_0),
];

/// The files of these names as if they were installed; a name is the model's id.
pub fn installed(names: &[&str]) -> Vec<InstalledModel> {
    let folder = test_support::temp_folder();
    let model = |&(name, size, mix): &(&str, Size, Mix)| {
        let path = folder.path().join(format!("{name}.gguf"));
        write_sparse(&path, Spec::new(size, mix)).unwrap();
        let inspection = Arc::new(inspect(&path).unwrap());
        InstalledModel { id: name.to_owned(), path, inspection }
    };
    let models: Vec<_> = FILES.iter().filter(|(name, ..)| names.contains(name)).map(model).collect();
    assert_eq!(models.len(), names.len(), "{names:?}");
    models
}

/// All of them.
pub fn all_names() -> Vec<&'static str> {
    FILES.iter().map(|(name, ..)| *name).collect()
}
