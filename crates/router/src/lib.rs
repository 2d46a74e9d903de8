//! Which engine does what: one table from features and what is available to a decision, never a silent substitute.
//!
//! Today there is one feature and one place to run it; Cloud Boost and the school's server become columns here.

use errors::{ErrorCode, Explain};
use generation::{EngineKind, GenerateError};

/// Something a person can do that needs an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Talking with the tutor.
    Chat,
}

/// The model on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDevice {
    /// None is installed.
    Absent,
    /// One is being opened; requests wait for it.
    Loading {
        /// Whether it is the demo model.
        demo: bool,
    },
    /// One answers.
    Ready {
        /// Whether it is the demo model.
        demo: bool,
    },
    /// It could not be opened.
    Failed(GenerateError),
}

/// Where a feature runs, or why it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There; the badge of its answers follows.
    Run(EngineKind),
    /// Nowhere now.
    Unavailable(Unavailable),
}

/// Why a feature cannot run; the message is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// There is no model.
    #[error("no model is installed")]
    NoModel,
    /// The model could not be opened.
    #[error("{0}")]
    ModelFailed(GenerateError),
}

impl Explain for Unavailable {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NoModel => ErrorCode::ModelMissing,
            Self::ModelFailed(error) => error.code,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoModel => Some("Install a model in Settings, or with `aula models import`.".to_owned()),
            Self::ModelFailed(error) => error.hint.clone(),
        }
    }
}

/// Decides where `feature` runs.
pub fn decide(feature: Feature, on_device: &OnDevice) -> Decision {
    match feature {
        Feature::Chat => match on_device {
            // A question asked while the model is opened waits in the engine's queue: typing is never blocked.
            OnDevice::Loading { demo } | OnDevice::Ready { demo } => {
                Decision::Run(if *demo { EngineKind::Demo } else { EngineKind::Local })
            }
            OnDevice::Absent => Decision::Unavailable(Unavailable::NoModel),
            OnDevice::Failed(error) => Decision::Unavailable(Unavailable::ModelFailed(error.clone())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let error = GenerateError {
            code: ErrorCode::OutOfMemory,
            message: "too large".to_owned(),
            hint: Some("Choose a smaller model.".to_owned()),
        };
        let table = [
            (OnDevice::Absent, Decision::Unavailable(Unavailable::NoModel)),
            (OnDevice::Loading { demo: false }, Decision::Run(EngineKind::Local)),
            (OnDevice::Loading { demo: true }, Decision::Run(EngineKind::Demo)),
            (OnDevice::Ready { demo: false }, Decision::Run(EngineKind::Local)),
            (OnDevice::Ready { demo: true }, Decision::Run(EngineKind::Demo)),
            (OnDevice::Failed(error.clone()), Decision::Unavailable(Unavailable::ModelFailed(error))),
        ];
        for (on_device, expected) in table {
            assert_eq!(decide(Feature::Chat, &on_device), expected, "{on_device:?}");
        }
    }

    #[test]
    fn a_reason_keeps_the_code_and_the_hint() {
        let error = GenerateError { code: ErrorCode::OutOfMemory, message: "too large".into(), hint: Some("h".into()) };
        let reason = Unavailable::ModelFailed(error);
        assert_eq!((reason.code(), reason.hint().as_deref()), (ErrorCode::OutOfMemory, Some("h")));
        assert_eq!(reason.to_string(), "too large");
        assert_eq!(Unavailable::NoModel.code(), ErrorCode::ModelMissing);
    }
}
