//! The committed bindings are the commands' own.

use super::commands_with_types;
use specta_typescript::Typescript;
use std::path::Path;

/// `AULA_UPDATE_BINDINGS=1 cargo test -p aula-desktop bindings` writes the file anew.
#[test]
fn bindings_are_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/lib/backend/bindings.ts");
    let folder = tempfile::tempdir().expect("temporary folder");
    let fresh = folder.path().join("bindings.ts");
    commands_with_types::<tauri::test::MockRuntime>()
        // No float that crosses is NaN or infinite (`api` guards it), so the page need not expect null.
        .semantic_types(specta_typescript::semantic::Configuration::empty().enable_lossless_floats())
        .export(Typescript::default(), &fresh)
        .expect("export");
    let fresh = std::fs::read_to_string(&fresh).expect("exported text");
    if std::env::var_os("AULA_UPDATE_BINDINGS").is_some() {
        std::fs::write(&committed, &fresh).expect("write bindings");
    }
    let committed = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        committed == fresh,
        "ui/src/lib/backend/bindings.ts is out of date: run `AULA_UPDATE_BINDINGS=1 cargo test -p aula-desktop bindings`"
    );
}
