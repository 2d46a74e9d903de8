//! Answers to the first run that were given before it: in `aula.toml`, or on the command line.
//!
//! ```toml
//! [setup]
//! language = "es"      # es, en or pt; without it the system's language
//! kind = "learner"     # adult or learner
//! name = ""            # what the tutor calls the person
//! done = true          # the first run is not shown
//! ```

use crate::dto::{Language, Profile, ProfileKind};
use crate::installed_models::open_patiently;
use crate::places::Places;
use crate::profile::{self, checked_name};
use errors::{ErrorCode, Explain};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{LearnerKind, Store};

/// Answers to the first run; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Language of the interface and the tutor.
    pub language: Option<Language>,
    /// Who the profile is for.
    pub kind: Option<ProfileKind>,
    /// What the tutor calls the person, at most [`crate::profile::MAX_NAME_CHARS`] characters.
    pub name: Option<String>,
    /// Whether the first run is finished with these answers.
    pub done: bool,
}

/// `aula.toml` as far as it matters here.
#[derive(Debug, Default, Deserialize)]
struct ConfigFile {
    setup: Option<Answers>,
}

/// The first run could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The file cannot be read or says something that is no answer.
    #[error("`{path}` cannot be used: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The name is too long.
    #[error("a name has at most {} characters", crate::profile::MAX_NAME_CHARS)]
    Name,
    /// The store could not be written.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Explain for ConfigureError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::File { .. } | Self::Name => ErrorCode::InvalidRequest,
            Self::Store(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File { .. } => Some("Correct the part [setup] of that file".to_owned()),
            Self::Name => None,
            Self::Store(error) => error.hint(),
        }
    }
}

impl Answers {
    /// The answers in `files`, of which any may be missing: the last one with answers counts.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, ConfigureError> {
        let mut answers = Self::default();
        for path in files {
            if let Some(found) = read_file(path)? {
                answers = found;
            }
        }
        Ok(answers)
    }
}

fn read_file(path: &Path) -> Result<Option<Answers>, ConfigureError> {
    let failed = |problem| ConfigureError::File { path: path.to_owned(), problem };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let file: ConfigFile = toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))?;
            Ok(file.setup)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// What the first run is answered with, as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Configured {
    /// Language of the interface and the tutor; `None` for the system's.
    pub language: Option<Language>,
    /// Who the profile is for.
    pub kind: ProfileKind,
    /// What the tutor calls the person; may be empty.
    pub name: String,
    /// Whether the first run is finished and not shown any more.
    pub done: bool,
}

/// Saves `answers` for the person at `places`, as if they had gone through the first run, and tells what is saved now.
/// For installing many computers.
///
/// # Errors
/// When the name is too long or the store cannot be written; mostly because the window has it open.
pub async fn configure(places: &Places, answers: &Answers) -> Result<Configured, ConfigureError> {
    let opened = open_patiently(&places.data_dir, Duration::from_millis(250)).await?;
    let saved = async {
        save(&opened.store, answers).await?;
        Ok(saved(&opened.store).await?)
    }
    .await;
    opened.store.close().await;
    saved
}

async fn saved(store: &Store) -> Result<Configured, store::Error> {
    let learner = store.default_learner().await?;
    let language = store.settings(&learner.id).await?.remove("language");
    let done = super::is_done(store, &learner.id).await?;
    let Profile { name, kind, .. } = profile::profile(learner);
    Ok(Configured { language: language.and_then(|word| serde_json::from_value(word).ok()), kind, name, done })
}

pub(super) async fn save(store: &Store, answers: &Answers) -> Result<(), ConfigureError> {
    let learner = store.default_learner().await?;
    let name = match &answers.name {
        Some(name) => checked_name(name).map_err(|_| ConfigureError::Name)?,
        None => learner.name,
    };
    let kind = answers.kind.map_or(learner.kind, |kind| match kind {
        ProfileKind::Adult => LearnerKind::Adult,
        ProfileKind::Learner => LearnerKind::Learner,
    });
    store.set_learner(&learner.id, &name, kind).await?;
    if let Some(language) = answers.language {
        let word = match language {
            Language::Es => "es",
            Language::En => "en",
            Language::Pt => "pt",
        };
        let language = BTreeMap::from([("language".to_owned(), Value::from(word))]);
        store.set_settings(&learner.id, &language).await?;
    }
    if answers.done {
        super::note_done(store, &learner.id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_of_the_person_replace_those_of_the_computer() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("file");
            path
        };
        let computer = file(
            "computer.toml",
            "hub = \"https://x.example\"\n[setup]\nlanguage = \"pt\"\nkind = \"adult\"\nname = \"Ana\"\ndone = true\n",
        );
        let without = file("without.toml", "download_limit_kb = 5\n");
        let expected = Answers {
            language: Some(Language::Pt),
            kind: Some(ProfileKind::Adult),
            name: Some("Ana".to_owned()),
            done: true,
        };
        assert_eq!(Answers::read(&[computer.clone(), without, "/nowhere.toml".into()]).expect("read"), expected);
        let person = file("person.toml", "[setup]\ndone = false\n");
        assert_eq!(Answers::read(&[computer, person]).expect("read"), Answers::default());
        assert_eq!(Answers::read(&[]).expect("read"), Answers::default());
    }

    #[test]
    fn what_is_no_answer_is_said_with_its_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("aula.toml");
        for text in ["[setup]\nlanguage = \"xx\"", "[setup]\ncolour = 1", "not toml"] {
            std::fs::write(&path, text).expect("file");
            let error = Answers::read(std::slice::from_ref(&path)).expect_err(text);
            assert!(error.to_string().contains("aula.toml"), "{error}");
            assert_eq!(error.code(), ErrorCode::InvalidRequest);
        }
    }
}
