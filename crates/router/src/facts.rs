//! What a decision is made from.

use generation::GenerateError;

/// Something a person can do that needs an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Talking with the tutor, re-explaining included.
    Chat,
    /// Another answer in the chat by a larger model, when a person asks for it.
    SecondAnswer,
    /// A quiz.
    Quiz,
    /// Practice on a free topic.
    Practice,
    /// Flashcards.
    Flashcards,
    /// A lesson or exam sheet.
    Sheet,
    /// A mind map.
    MindMap,
    /// An illustration.
    Illustration,
    /// Reading a photo.
    Photo,
    /// Reading the whiteboard.
    Handwriting,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Chat,
        Self::SecondAnswer,
        Self::Quiz,
        Self::Practice,
        Self::Flashcards,
        Self::Sheet,
        Self::MindMap,
        Self::Illustration,
        Self::Photo,
        Self::Handwriting,
    ];

    /// The group that it is chosen with in Settings.
    pub fn group(self) -> Group {
        match self {
            Self::Chat => Group::Tutor,
            Self::SecondAnswer => Group::SecondAnswer,
            Self::Quiz | Self::Practice | Self::Flashcards | Self::Sheet => Group::Questions,
            Self::MindMap | Self::Illustration => Group::Drawings,
            Self::Photo | Self::Handwriting => Group::Reading,
        }
    }

    /// Whether only adults have it.
    pub fn adults_only(self) -> bool {
        matches!(self, Self::Sheet)
    }
}

/// Features that are chosen together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Always on this computer.
    Tutor,
    /// Off, Cloud Boost or the school's server.
    SecondAnswer,
    /// Anywhere.
    Questions,
    /// Anywhere.
    Drawings,
    /// Cloud Boost or the school's server, until the model on this computer reads pictures.
    Reading,
}

/// Where a group runs, as a person chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On this computer.
    Device,
    /// Cloud Boost.
    Cloud,
    /// The school's server.
    School,
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

/// Who uses this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Person {
    /// A teacher or a family.
    Adult,
    /// A student.
    Learner,
}

/// Cloud Boost as far as it is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cloud {
    /// Whether it is switched on.
    pub on: bool,
    /// Whether there is a key.
    pub key: bool,
    /// Whether an adult agreed to what is sent.
    pub agreed: bool,
}

/// The school's server as far as it is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct School {
    /// Whether it is switched on.
    pub on: bool,
    /// Whether there is an address.
    pub address: bool,
    /// Whether one of its models was chosen.
    pub model: bool,
    /// Whether that model reads pictures; none where the server does not say, which does not forbid to try.
    pub vision: Option<bool>,
}

/// The network as far as it can be known without using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// This computer is connected to one, which says nothing about the internet behind it.
    Up,
    /// It is connected to none.
    Down,
}

/// Everything that a decision depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The model on this computer.
    pub on_device: OnDevice,
    /// Who asks.
    pub person: Person,
    /// What was chosen for the feature's group.
    pub place: Place,
    /// Cloud Boost.
    pub cloud: Cloud,
    /// The school's server.
    pub school: School,
    /// The network.
    pub network: Network,
}
