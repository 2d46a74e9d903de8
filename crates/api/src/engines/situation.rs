//! The one place where what a decision depends on is put together.

use super::setup::{Setup, cloud_account};
use crate::App;
use crate::dto;
use crate::failure::Reply;
use crate::host::HostStatus;
use crate::opening::Slot;
use router::{Cloud, Feature, Group, Network, OnDevice, Person, Place, School, Situation};
use store::LearnerKind;

/// Everything that decisions depend on, as it is now.
pub(crate) struct Facts {
    pub(crate) setup: Setup,
    person: Person,
    on_device: OnDevice,
    cloud: Cloud,
    school: School,
    to_cloud: bool,
    to_school: bool,
}

impl Facts {
    /// Looks. Nothing is sent, and no keychain is asked.
    pub(crate) async fn now(app: &App) -> Reply<Self> {
        let open = app.store()?;
        let setup = Setup::load(app).await?;
        let person = match open.store.default_learner().await?.kind {
            LearnerKind::Adult => Person::Adult,
            LearnerKind::Learner => Person::Learner,
        };
        let elsewhere = app.elsewhere();
        let key = setup.cloud_key_in_keychain || elsewhere.secrets.is_known(&cloud_account(app)?);
        let school_host = super::who::host_of(&setup.school.address);
        Ok(Self {
            person,
            on_device: on_device(app),
            cloud: Cloud { on: setup.cloud_on, key, agreed: setup.agreed_at.is_some() },
            school: School {
                on: setup.school_on,
                address: !setup.school.address.is_empty(),
                model: setup.school.model.is_some(),
                vision: setup.school.vision,
            },
            to_cloud: elsewhere.is_connected_to(&elsewhere.cloud_host()),
            to_school: elsewhere.is_connected_to(&school_host.unwrap_or_default()),
            setup,
        })
    }

    /// What a decision about `feature` depends on.
    pub(crate) fn of(&self, feature: Feature) -> Situation {
        let places = self.setup.places;
        let place = match feature.group() {
            Group::Tutor => dto::Place::Device,
            Group::SecondAnswer => places.second_answer,
            Group::Questions => places.questions,
            Group::Drawings => places.drawings,
            Group::Reading => places.reading,
        };
        let (place, is_up) = match place {
            dto::Place::Device => (Place::Device, true),
            dto::Place::Cloud => (Place::Cloud, self.to_cloud),
            dto::Place::School => (Place::School, self.to_school),
        };
        Situation {
            on_device: self.on_device.clone(),
            person: self.person,
            place,
            cloud: self.cloud,
            school: self.school,
            network: if is_up { Network::Up } else { Network::Down },
        }
    }
}

/// The model on this computer as decisions see it.
pub(crate) fn on_device(app: &App) -> OnDevice {
    match &*app.slot().borrow() {
        Slot::Choosing => OnDevice::Loading { demo: false },
        Slot::Trying(open) => OnDevice::Loading { demo: open.demo() },
        Slot::Empty => OnDevice::Absent,
        Slot::Failed(error) => OnDevice::Failed(error.clone()),
        Slot::Open(open) => match *open.host.status().borrow() {
            HostStatus::Ready { .. } | HostStatus::Resting { .. } => OnDevice::Ready { demo: open.demo() },
            // A model that could not be opened is tried again with the next request, which then says how that went.
            HostStatus::Loading | HostStatus::Failed(_) => OnDevice::Loading { demo: open.demo() },
        },
    }
}
