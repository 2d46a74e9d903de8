//! Tauri's build step, with every path inside `src-tauri/` although the configuration lies at the root.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/build.rs");
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    println!("cargo:rerun-if-changed=tauri.conf.json");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*"));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("{error:#}");
        std::process::exit(1);
    }
    // The schemas, which editors use, are written into the current folder; the top level stays clean.
    if let Err(error) = move_schemas(Path::new("gen/schemas"), Path::new("src-tauri/gen/schemas")) {
        println!("cargo:warning=the schemas stay in gen/: {error}");
    }
}

fn move_schemas(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    std::fs::remove_dir_all("gen")
}
