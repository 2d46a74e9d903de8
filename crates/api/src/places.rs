//! Where Aula's files lie on this computer. The window and the `aula` command share them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use errors::{ErrorCode, Explain};

/// Chooses another data folder.
pub const DATA_DIR_VARIABLE: &str = "AULA_DATA_DIR";
/// Chooses another demo model.
pub const DEMO_MODEL_VARIABLE: &str = "AULA_DEMO_MODEL";
/// The remembered trials, in the data folder.
pub(crate) const TRIALS_FILE: &str = "trials.json";
const DEMO_MODEL: &str = "models/demo/aula-demo.gguf";

/// The folders and files that Aula keeps or comes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Everything a person made or installed: the database, `models/`.
    pub data_dir: PathBuf,
    /// The demo model's file; `None` where this installation has none.
    pub demo_model: Option<PathBuf>,
    /// Where models are installed instead of in the data folder; many people may share it.
    pub shared_models_dir: Option<PathBuf>,
}

/// The system does not say where a person's files belong.
#[derive(Debug, thiserror::Error)]
#[error("this system does not say where a person's files belong")]
pub struct NoDataFolder;

impl Explain for NoDataFolder {
    fn code(&self) -> ErrorCode {
        ErrorCode::Io
    }

    fn hint(&self) -> Option<String> {
        Some(format!("Name a folder in the environment variable {DATA_DIR_VARIABLE}"))
    }
}

impl Places {
    /// The places of the person who runs this program. Nothing is created.
    ///
    /// # Errors
    /// If the system does not say where a person's files belong.
    pub fn of_this_user() -> Result<Self, NoDataFolder> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let data_dir = data_dir(std::env::consts::OS, variable).ok_or(NoDataFolder)?;
        let shared_models_dir = match catalog::hub::HubConfig::of_this_user() {
            Ok(config) => config.models_dir,
            Err(error) => {
                // A typing mistake of whoever looks after the computers must not keep a class from its own models.
                tracing::warn!(error = %errors::chain(&error), "aula.toml is not used");
                None
            }
        };
        Ok(Self { data_dir, demo_model: demo_model(variable), shared_models_dir })
    }

    /// Installed models.
    pub fn models_dir(&self) -> PathBuf {
        self.shared_models_dir.clone().unwrap_or_else(|| self.data_dir.join("models"))
    }

    /// Where packed weights are kept: of models in the models folder beside them, so that all who share it share these
    /// too, otherwise, and where that cannot be written, in the cache. The engine knows the same by `models_dir` and
    /// `cache_dir`.
    pub fn packed_dirs(&self) -> Vec<PathBuf> {
        [self.models_dir(), self.cache_dir()].map(|dir| dir.join(engine::PACKED_FOLDER)).into()
    }

    /// The database of conversations and settings.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("aula.db")
    }

    /// What short measured trials of models showed.
    pub fn trials(&self) -> PathBuf {
        self.data_dir.join(TRIALS_FILE)
    }

    /// Files that only make the next start faster and may be deleted at any time.
    pub fn cache_dir(&self) -> PathBuf {
        self.data_dir.join("cache")
    }
}

/// The data folder by the customs of `system`, as `variable` describes the environment.
fn data_dir(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(chosen) = variable(DATA_DIR_VARIABLE) {
        return Some(chosen.into());
    }
    let home = || variable("HOME").map(PathBuf::from);
    let parent = match system {
        "windows" => PathBuf::from(variable("LOCALAPPDATA")?),
        "macos" => home()?.join("Library/Application Support"),
        // A relative path there is to be ignored, says the XDG specification.
        _ => match variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(chosen) => chosen,
            None => home()?.join(".local/share"),
        },
    };
    Some(parent.join("aula"))
}

/// The demo model: as chosen, otherwise beside the program, otherwise where its sources lie.
fn demo_model(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(chosen) = variable(DEMO_MODEL_VARIABLE) {
        return Some(chosen.into());
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(beside_program).unwrap_or_default();
    // A build from source, whose target folder may lie anywhere, knows where its sources were.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    beside.into_iter().chain([sources]).map(|folder| folder.join(DEMO_MODEL)).find(|path| path.is_file())
}

/// Folders in which an installer may have put what belongs to the program in `folder`.
fn beside_program(folder: &Path) -> Vec<PathBuf> {
    vec![folder.to_owned(), folder.join("../lib/aula"), folder.join("../lib/Aula"), folder.join("../Resources")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(system: &str, variables: &[(&str, &str)], expected: Option<&str>) {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        assert_eq!(data_dir(system, variable), expected.map(PathBuf::from), "{system} {variables:?}");
    }

    #[test]
    fn the_data_folder_follows_the_systems_customs() {
        check("linux", &[("HOME", "/home/ana")], Some("/home/ana/.local/share/aula"));
        check("linux", &[("HOME", "/home/ana"), ("XDG_DATA_HOME", "/data")], Some("/data/aula"));
        check("linux", &[("HOME", "/home/ana"), ("XDG_DATA_HOME", "data")], Some("/home/ana/.local/share/aula"));
        check("linux", &[], None);
        check("linux", &[("HOME", "/home/ana"), (DATA_DIR_VARIABLE, "/elsewhere")], Some("/elsewhere"));
        check("macos", &[("HOME", "/Users/ana")], Some("/Users/ana/Library/Application Support/aula"));
        check("windows", &[("LOCALAPPDATA", "L")], PathBuf::from("L").join("aula").to_str());
        check("windows", &[("HOME", "/home/ana")], None);
    }

    #[test]
    fn a_chosen_demo_model_wins() {
        let chosen = demo_model(|name| (name == DEMO_MODEL_VARIABLE).then(|| "/chosen.gguf".into()));
        assert_eq!(chosen, Some(PathBuf::from("/chosen.gguf")));
    }
}
