//! Which hub models are downloaded from, and what whoever looks after the computers set in `aula.toml`.

mod error;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::Error;

/// The hub that is asked unless somebody chose another.
pub const DEFAULT_HUB: &str = "https://huggingface.co";
/// Chooses another hub, before every other setting.
pub const HUB_VARIABLE: &str = "AULA_HUB_ENDPOINT";
/// Chooses another hub for all programs that use one.
pub const SHARED_HUB_VARIABLE: &str = "HF_ENDPOINT";
/// Names the one file with settings that is read, instead of those of the computer and the person.
pub const CONFIG_VARIABLE: &str = "AULA_CONFIG";
/// The name of the file with settings for many computers.
pub const CONFIG_FILE: &str = "aula.toml";

/// Where models are downloaded from, and within which limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// The hub's address, without a slash at the end.
    pub hub: String,
    /// Other addresses with the same files, asked in this order when the hub does not serve.
    pub mirrors: Vec<String>,
    /// The folder of installed models, where somebody chose another.
    pub models_dir: Option<PathBuf>,
    /// Most kilobytes (1000 bytes) that all downloads together may take in a second; none without a limit.
    pub download_limit_kb: Option<u32>,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self { hub: DEFAULT_HUB.to_owned(), mirrors: Vec::new(), models_dir: None, download_limit_kb: None }
    }
}

/// `aula.toml`, every line of which may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    hub: Option<String>,
    mirrors: Option<Vec<String>>,
    models_dir: Option<PathBuf>,
    download_limit_kb: Option<u32>,
    /// The answers to the first run, which are none of the hub's business: `api` reads them.
    #[serde(rename = "setup")]
    _setup: Option<toml::Table>,
    /// The school's server, likewise.
    #[serde(rename = "school")]
    _school: Option<toml::Table>,
}

/// Where settings for this computer and for the person who runs this program may lie, in the order of reading.
pub fn config_files_of_this_user() -> Vec<PathBuf> {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path(CONFIG_VARIABLE).map_or_else(|| config_files(std::env::consts::OS, path), |only| vec![only])
}

impl HubConfig {
    /// The settings in `files` that exist, later ones over earlier ones, then the environment as `variable` describes it.
    ///
    /// # Errors
    /// If a file cannot be read or says something that is no setting, or an address is not `https`.
    pub fn load(files: &[PathBuf], variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut config = Self::default();
        for path in files {
            if let Some(file) = ConfigFile::read(path)? {
                config.take(file, path)?;
            }
        }
        for name in [SHARED_HUB_VARIABLE, HUB_VARIABLE] {
            if let Some(address) = variable(name).filter(|address| !address.is_empty()) {
                let reason = |problem| Error::Setting { place: name.to_owned(), problem };
                config.hub = checked(&address).map_err(reason)?;
            }
        }
        Ok(config)
    }

    /// The settings of this computer and of the person who runs this program.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn of_this_user() -> Result<Self, Error> {
        Self::load(&config_files_of_this_user(), |name| std::env::var(name).ok())
    }

    /// The hub and its mirrors, in the order in which they are asked, each once.
    pub fn addresses(&self) -> Vec<&str> {
        let mut all = vec![self.hub.as_str()];
        for mirror in &self.mirrors {
            if !all.contains(&mirror.as_str()) {
                all.push(mirror);
            }
        }
        all
    }

    /// The hub's host, for people.
    pub fn host(&self) -> String {
        network::host_of(&self.hub).unwrap_or_default()
    }

    fn take(&mut self, file: ConfigFile, path: &Path) -> Result<(), Error> {
        let reason = |problem| Error::Setting { place: path.display().to_string(), problem };
        if let Some(hub) = file.hub {
            self.hub = checked(&hub).map_err(reason)?;
        }
        if let Some(mirrors) = file.mirrors {
            self.mirrors = mirrors.iter().map(|mirror| checked(mirror)).collect::<Result<_, _>>().map_err(reason)?;
        }
        if let Some(folder) = file.models_dir {
            if !folder.is_absolute() {
                return Err(reason(format!("`{}` is not the whole path of a folder", folder.display())));
            }
            self.models_dir = Some(folder);
        }
        if let Some(limit) = file.download_limit_kb {
            self.download_limit_kb = Some(limit).filter(|limit| *limit > 0);
        }
        Ok(())
    }
}

impl ConfigFile {
    fn read(path: &Path) -> Result<Option<Self>, Error> {
        let reason = |problem| Error::Setting { place: path.display().to_string(), problem };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(reason(format!("it cannot be read: {error}"))),
        };
        toml::from_str(&text).map(Some).map_err(|error| reason(error.message().to_owned()))
    }
}

fn checked(address: &str) -> Result<String, String> {
    let address = address.trim().trim_end_matches('/');
    network::host_of(address).map(|_| address.to_owned()).map_err(|error| error.to_string())
}

/// Where `aula.toml` may lie by the customs of `system`: for the whole computer first, then for one person.
fn config_files(system: &str, path: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = || path("HOME");
    let folders = match system {
        "windows" => [path("ProgramData").map(|data| data.join("Aula")), path("APPDATA").map(|data| data.join("Aula"))],
        "macos" => [
            Some(PathBuf::from("/Library/Application Support/Aula")),
            home().map(|home| home.join("Library/Application Support/aula")),
        ],
        _ => [
            Some(PathBuf::from("/etc/aula")),
            path("XDG_CONFIG_HOME")
                .filter(|folder| folder.is_absolute())
                .or_else(|| home().map(|home| home.join(".config")))
                .map(|config| config.join("aula")),
        ],
    };
    folders.into_iter().flatten().map(|folder| folder.join(CONFIG_FILE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::{ErrorCode, Explain};

    fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    #[test]
    fn without_settings_it_is_the_public_hub() {
        let config = HubConfig::load(&["/nowhere/aula.toml".into()], |_| None).expect("nothing to read");
        assert_eq!(config, HubConfig::default());
        assert_eq!((config.host().as_str(), config.addresses()), ("huggingface.co", vec![DEFAULT_HUB]));
    }

    #[test]
    fn the_persons_settings_come_after_the_computers_and_the_environment_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let school = file(
            folder.path(),
            "school.toml",
            "hub = \"https://hub.school.example/\"\nmirrors = [\"https://huggingface.co\", \"https://hub.school.example\"]\n\
             models_dir = \"/srv/aula\"\ndownload_limit_kb = 500\n[setup]\ndone = true\n",
        );
        let person = file(folder.path(), "person.toml", "download_limit_kb = 0\n");
        let files = [school, person];
        let config = HubConfig::load(&files, |_| None).expect("sound");
        assert_eq!(config.hub, "https://hub.school.example");
        assert_eq!(config.addresses(), ["https://hub.school.example", "https://huggingface.co"]);
        assert_eq!(config.models_dir, Some("/srv/aula".into()));
        assert_eq!(config.download_limit_kb, None, "0 means no limit");
        let shared = |name: &str| (name == SHARED_HUB_VARIABLE).then(|| "https://shared.example".to_owned());
        assert_eq!(HubConfig::load(&files, shared).expect("sound").hub, "https://shared.example");
        let both =
            |name: &str| Some(if name == HUB_VARIABLE { "http://127.0.0.1:9" } else { "https://x.example" }.into());
        assert_eq!(HubConfig::load(&files, both).expect("sound").hub, "http://127.0.0.1:9");
    }

    #[test]
    fn what_makes_no_sense_is_said_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, expected) in [
            ("hubb = \"https://x.example\"", "unknown field `hubb`"),
            ("hub = 7", "invalid type"),
            ("hub = \"http://school.example\"", "not an address that Aula connects to"),
            ("mirrors = [\"ftp://x\"]", "not an address that Aula connects to"),
            ("models_dir = \"models\"", "not the whole path of a folder"),
            ("not toml", ""),
        ] {
            let path = file(folder.path(), "aula.toml", text);
            let error = HubConfig::load(std::slice::from_ref(&path), |_| None).expect_err(text);
            let message = error.to_string();
            assert!(message.contains(expected) && message.contains("aula.toml"), "{text}: {message}");
            assert_eq!(error.code(), ErrorCode::InvalidRequest);
        }
        let plain = |name: &str| (name == HUB_VARIABLE).then(|| "http://hub.example".to_owned());
        assert!(HubConfig::load(&[], plain).is_err());
    }

    #[test]
    fn settings_lie_where_each_system_keeps_them() {
        let check = |system, set: &[(&str, &str)], expected: &[&str]| {
            let path = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value));
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(config_files(system, path), expected, "{system} {set:?}");
        };
        let home = ("HOME", "/home/ana");
        check("linux", &[home], &["/etc/aula/aula.toml", "/home/ana/.config/aula/aula.toml"]);
        check("linux", &[home, ("XDG_CONFIG_HOME", "/c")], &["/etc/aula/aula.toml", "/c/aula/aula.toml"]);
        check("linux", &[("XDG_CONFIG_HOME", "c")], &["/etc/aula/aula.toml"]);
        let mac = ["/Library/Application Support/Aula/aula.toml", "/u/Library/Application Support/aula/aula.toml"];
        check("macos", &[("HOME", "/u")], &mac);
        check("windows", &[("ProgramData", "/pd"), ("APPDATA", "/ad")], &["/pd/Aula/aula.toml", "/ad/Aula/aula.toml"]);
    }
}
