//! Which model a file holds, in words for people.

use crate::{config::Config, gguf::GgufFile};

/// Metadata key by which the demo model says what it is.
const DEMO_KEY: &str = "aula.demo";

/// The variant's name where the dimensions are a published one's, otherwise the file's own name for itself.
pub fn display_name(file: &GgufFile, config: &Config) -> String {
    match (config.n_layers, config.hidden_size) {
        (35, 1536) => "Gemma 4 E2B".to_owned(),
        (42, 2560) => "Gemma 4 E4B".to_owned(),
        _ => match file.metadata().str("general.name") {
            Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
            _ => file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        },
    }
}

/// Whether the file says of itself that it is the demo model, which shows the app and knows little.
pub fn is_demo(file: &GgufFile) -> bool {
    file.metadata().bool(DEMO_KEY).unwrap_or(false)
}
