//! The school's server as whoever looks after the computers set it, in `aula.toml`:
//!
//! ```toml
//! [school]
//! address = "aula.school.local:8000"
//! model = "gemma-4-26b-a4b-it"
//! token_file = "/etc/aula/school-token"   # optional: one line, readable for those who use Aula
//! ```

use cloud::Secret;
use errors::{ErrorCode, Explain};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A token's file has at most so many bytes.
const MOST_BYTES: u64 = 4096;

/// The school's server in `aula.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedSchool {
    /// Its address.
    pub address: String,
    /// The model that answers.
    pub model: String,
    /// The file whose content is the token; none where the server wants none.
    pub token_file: Option<PathBuf>,
}

/// `aula.toml` as far as it matters here.
#[derive(Debug, Default, Deserialize)]
struct ConfigFile {
    school: Option<ManagedSchool>,
}

/// The part `[school]` of `aula.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotASchool {
    /// The file cannot be read or says something that is no setting.
    #[error("`{path}` cannot be used: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The token's file cannot be read.
    #[error("the file with the school server's token, `{path}`, cannot be read: {problem}")]
    Token {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Explain for NotASchool {
    fn code(&self) -> ErrorCode {
        match self {
            Self::File { .. } => ErrorCode::InvalidRequest,
            Self::Token { .. } => ErrorCode::KeyMissing,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("Tell whoever looks after the computers.".to_owned())
    }
}

impl ManagedSchool {
    /// As the files for this computer and this person say; the last one that says anything counts.
    ///
    /// # Errors
    /// If a file cannot be read, or its part `[school]` says something that is no setting.
    pub fn of_this_user() -> Result<Option<Self>, NotASchool> {
        Self::read(&catalog::hub::config_files_of_this_user())
    }

    fn read(files: &[PathBuf]) -> Result<Option<Self>, NotASchool> {
        let mut managed = None;
        for path in files {
            managed = read_file(path)?.or(managed);
        }
        Ok(managed)
    }

    /// The token, read anew each time: it can be changed without starting Aula again.
    ///
    /// # Errors
    /// If the file cannot be read or holds no token.
    pub(crate) fn token(&self) -> Result<Option<Secret>, NotASchool> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let failed = |problem: String| NotASchool::Token { path: path.clone(), problem };
        let bytes = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if bytes > MOST_BYTES {
            return Err(failed(format!("it has more than {MOST_BYTES} bytes")));
        }
        let token = Secret::new(std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?);
        if token.is_empty() { Err(failed("it is empty".to_owned())) } else { Ok(Some(token)) }
    }
}

fn read_file(path: &Path) -> Result<Option<ManagedSchool>, NotASchool> {
    let failed = |problem| NotASchool::File { path: path.to_owned(), problem };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let file: ConfigFile = toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))?;
            Ok(file.school)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_file_that_names_a_server_counts() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("file");
            path
        };
        let computer = file("computer.toml", "[school]\naddress = \"a:1\"\nmodel = \"m\"\n");
        let without = file("without.toml", "download_limit_kb = 5\n");
        let token = file("token", "  s3cret\n");
        let person =
            file("person.toml", &format!("[school]\naddress = \"b:2\"\nmodel = \"n\"\ntoken_file = {token:?}\n"));
        let read = |files: &[&PathBuf]| {
            let files: Vec<PathBuf> = files.iter().map(|path| (*path).clone()).collect();
            ManagedSchool::read(&files)
        };
        assert_eq!(read(&[&without]).expect("read"), None);
        let computers = read(&[&computer, &without]).expect("read").expect("a server");
        assert_eq!((computers.address.as_str(), computers.token().expect("none wanted").is_none()), ("a:1", true));
        let persons = read(&[&computer, &person]).expect("read").expect("a server");
        assert_eq!(persons.token().expect("read").expect("a token").reveal(), "s3cret");
        assert!(!format!("{persons:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_setting_is_said_with_its_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("aula.toml");
        for text in ["[school]\naddress = 1", "[school]\naddress = \"a\"", "[school]\ntoken = \"x\"", "nonsense"] {
            std::fs::write(&path, text).expect("file");
            let error = ManagedSchool::read(std::slice::from_ref(&path)).expect_err(text);
            assert!(error.to_string().contains("aula.toml"), "{error}");
        }
        let missing = ManagedSchool {
            address: "a".to_owned(),
            model: "m".to_owned(),
            token_file: Some(folder.path().join("nothing")),
        };
        assert_eq!(missing.token().expect_err("no file").code(), ErrorCode::KeyMissing);
    }
}
