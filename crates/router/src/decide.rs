//! The table.

use crate::facts::{Feature, Group, Network, OnDevice, Person, Place, Situation};
use errors::{ErrorCode, Explain};
use generation::{EngineKind, GenerateError};

/// Where a feature runs, or why it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There; the badge of its answers follows.
    Run(EngineKind),
    /// Not where it was chosen to run.
    Unavailable {
        /// Why.
        why: Unavailable,
        /// What would change that.
        unlock: Unlock,
        /// Who could do it now, if the person says so. Never taken without asking.
        instead: Option<EngineKind>,
    },
    /// It does not exist for this person.
    Hidden,
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
    /// No engine that can do it is chosen for it.
    #[error("nothing that can do this is switched on")]
    NothingChosen,
    /// Cloud Boost is for adults.
    #[error("Cloud Boost is for adult profiles")]
    AdultsOnly,
    /// It is chosen and not switched on.
    #[error("the engine that was chosen for this is switched off")]
    SwitchedOff,
    /// There is no key.
    #[error("there is no key for Cloud Boost")]
    NoKey,
    /// Nobody agreed yet.
    #[error("nobody has agreed yet to what Cloud Boost sends")]
    NotAgreed,
    /// There is no address.
    #[error("there is no address of the school's server")]
    NoServer,
    /// None of the server's models was chosen.
    #[error("no model of the school's server was chosen")]
    NoServerModel,
    /// The server's model cannot read pictures.
    #[error("the model of the school's server cannot read pictures")]
    NoVision,
    /// There is no network.
    #[error("this computer is connected to no network")]
    NoNetwork,
}

/// What would make a feature available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unlock {
    /// Install a model.
    InstallModel,
    /// Choose who does it.
    ChooseEngine,
    /// Enter the key.
    EnterKey,
    /// An adult reads what is sent and agrees.
    Agree,
    /// Enter the server's address.
    EnterServer,
    /// Choose another of the server's models.
    ChooseServerModel,
    /// An adult does it in their profile.
    AskAnAdult,
    /// Connect to a network.
    Connect,
    /// Try again.
    Retry,
}

impl Explain for Unavailable {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NoModel => ErrorCode::ModelMissing,
            Self::ModelFailed(error) => error.code,
            Self::NothingChosen | Self::SwitchedOff | Self::NoServer => ErrorCode::EngineOff,
            Self::AdultsOnly => ErrorCode::AdultOnly,
            Self::NoKey => ErrorCode::KeyMissing,
            Self::NotAgreed => ErrorCode::ConsentNeeded,
            Self::NoServerModel => ErrorCode::ModelNotServed,
            Self::NoVision => ErrorCode::NoVision,
            Self::NoNetwork => ErrorCode::Offline,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoModel => "Install a model in Settings, or with `aula models import`.",
            Self::ModelFailed(error) => return error.hint.clone(),
            Self::NoNetwork => "Connect to a network, then try again.",
            Self::AdultsOnly => "An adult can do it in their profile.",
            _ => "See Settings, `Who answers`.",
        };
        Some(hint.to_owned())
    }
}

/// Decides where `feature` runs. A choice is never replaced: where it cannot run, the decision says why, what would
/// change that, and who could do it instead if the person asks for it.
pub fn decide(feature: Feature, situation: &Situation) -> Decision {
    if feature.adults_only() && situation.person == Person::Learner {
        return Decision::Hidden;
    }
    let place = match feature.group() {
        Group::Tutor => Place::Device,
        _ => situation.place,
    };
    let (why, unlock) = match run_at(place, feature, situation) {
        Ok(engine) => return Decision::Run(engine),
        Err(reason) => reason,
    };
    // A feature that nobody switched on and that this computer cannot do is nothing to advertise in every chat.
    if feature == Feature::SecondAnswer && why == Unavailable::NothingChosen {
        return Decision::Hidden;
    }
    Decision::Unavailable { why, unlock, instead: instead(feature, situation) }
}

/// Who on this computer could do `feature` in the place of who was chosen, if the person says so; none where this computer
/// was chosen, or cannot do it.
pub fn instead(feature: Feature, situation: &Situation) -> Option<EngineKind> {
    if feature.group() == Group::Tutor || situation.place == Place::Device {
        return None;
    }
    if feature.adults_only() && situation.person == Person::Learner {
        return None;
    }
    on_device(feature, situation).ok()
}

fn run_at(place: Place, feature: Feature, situation: &Situation) -> Result<EngineKind, (Unavailable, Unlock)> {
    match place {
        Place::Device => on_device(feature, situation),
        Place::Cloud => in_the_cloud(situation),
        Place::School => at_school(feature, situation),
    }
}

fn on_device(feature: Feature, situation: &Situation) -> Result<EngineKind, (Unavailable, Unlock)> {
    if matches!(feature.group(), Group::Reading | Group::SecondAnswer) {
        let unlock = match situation.person {
            Person::Adult => Unlock::ChooseEngine,
            Person::Learner => Unlock::AskAnAdult,
        };
        return Err((Unavailable::NothingChosen, unlock));
    }
    match &situation.on_device {
        // A request made while the model is opened waits in the engine's queue: nothing is blocked.
        OnDevice::Loading { demo } | OnDevice::Ready { demo } => {
            Ok(if *demo { EngineKind::Demo } else { EngineKind::Local })
        }
        OnDevice::Absent => Err((Unavailable::NoModel, Unlock::InstallModel)),
        OnDevice::Failed(error) => Err((Unavailable::ModelFailed(error.clone()), Unlock::Retry)),
    }
}

fn in_the_cloud(situation: &Situation) -> Result<EngineKind, (Unavailable, Unlock)> {
    let cloud = situation.cloud;
    if situation.person == Person::Learner {
        Err((Unavailable::AdultsOnly, Unlock::AskAnAdult))
    } else if !cloud.on {
        Err((Unavailable::SwitchedOff, Unlock::ChooseEngine))
    } else if !cloud.key {
        Err((Unavailable::NoKey, Unlock::EnterKey))
    } else if !cloud.agreed {
        Err((Unavailable::NotAgreed, Unlock::Agree))
    } else if situation.network == Network::Down {
        Err((Unavailable::NoNetwork, Unlock::Connect))
    } else {
        Ok(EngineKind::Cloud)
    }
}

fn at_school(feature: Feature, situation: &Situation) -> Result<EngineKind, (Unavailable, Unlock)> {
    let school = situation.school;
    // What an adult has to do is asked of them.
    let of = |unlock| if situation.person == Person::Adult { unlock } else { Unlock::AskAnAdult };
    if !school.on {
        Err((Unavailable::SwitchedOff, of(Unlock::ChooseEngine)))
    } else if !school.address {
        Err((Unavailable::NoServer, of(Unlock::EnterServer)))
    } else if !school.model {
        Err((Unavailable::NoServerModel, of(Unlock::ChooseServerModel)))
    } else if feature.group() == Group::Reading && school.vision == Some(false) {
        Err((Unavailable::NoVision, of(Unlock::ChooseServerModel)))
    } else if situation.network == Network::Down {
        Err((Unavailable::NoNetwork, Unlock::Connect))
    } else {
        Ok(EngineKind::School)
    }
}
