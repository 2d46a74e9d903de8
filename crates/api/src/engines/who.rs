//! From a decision to who does it: an engine that can be asked, and the badge before it was.

use super::setup::{Setup, cloud_account, school_account};
use super::situation::Facts;
use crate::App;
use crate::convert;
use crate::dto::{Badge, BadgeKind, ServerKind};
use crate::failure::{Refusal, Reply};
use crate::opening::Slot;
use cloud::{Gemini, SchoolOptions, Secret};
use errors::{ErrorCode, Explain};
use generation::{EngineInfo, EngineKind, Generator};
use router::{Decision, Feature, Unavailable};
use std::sync::Arc;

/// Who will do something, if nothing changes until then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Who {
    pub(crate) kind: EngineKind,
    /// What the badge shows.
    pub(crate) badge: Badge,
    /// The computer that will get the request; none for this one.
    pub(crate) host: Option<String>,
    /// Whether an adult must still agree before anything is sent.
    pub(crate) needs_consent: bool,
}

/// Where an answer is written.
#[derive(Clone)]
pub(crate) enum Where {
    /// By the model of this computer, which is chosen and opened first.
    Here,
    /// By an engine elsewhere.
    Elsewhere(Arc<dyn Generator>),
}

/// The engine that was asked for is not one that was offered.
#[derive(Debug, thiserror::Error)]
#[error("that engine was not offered for this")]
struct NotOffered;

impl Explain for NotOffered {
    fn code(&self) -> ErrorCode {
        ErrorCode::EngineOff
    }

    fn hint(&self) -> Option<String> {
        Some("See Settings, `Who answers`.".to_owned())
    }
}

impl Facts {
    /// Who does `feature`: as chosen in Settings, or by `wanted`, which must be what is chosen or what this computer offers
    /// instead. Where only an agreement is missing, and `before_consent` says so, that is not yet a failure.
    pub(crate) fn who(
        &self,
        app: &App,
        feature: Feature,
        wanted: Option<BadgeKind>,
        before_consent: bool,
    ) -> Reply<Who> {
        let situation = self.of(feature);
        let chosen = router::decide(feature, &situation);
        let instead = router::instead(feature, &situation);
        let here = |kind: BadgeKind| matches!(kind, BadgeKind::Local | BadgeKind::Demo);
        let kind = match (wanted, &chosen) {
            (None, Decision::Run(kind)) => *kind,
            (Some(wanted), Decision::Run(kind)) if is(*kind, wanted) => *kind,
            (Some(wanted), Decision::Run(_) | Decision::Unavailable { .. }) if here(wanted) => {
                instead.ok_or(NotOffered)?
            }
            (None, Decision::Unavailable { why: Unavailable::NotAgreed, .. }) if before_consent => EngineKind::Cloud,
            (Some(BadgeKind::Cloud), Decision::Unavailable { why: Unavailable::NotAgreed, .. }) if before_consent => {
                EngineKind::Cloud
            }
            (None, Decision::Unavailable { why, .. }) => return Err(why.clone().into()),
            (_, Decision::Hidden) if feature.adults_only() => return Err(Refusal::AdultsOnly.into()),
            (_, Decision::Hidden) => return Err(Unavailable::NothingChosen.into()),
            (Some(_), _) => return Err(NotOffered.into()),
        };
        let needs_consent = kind == EngineKind::Cloud && self.setup.agreed_at.is_none();
        Ok(Who { kind, badge: self.badge(app, kind), host: self.host(app, kind), needs_consent })
    }

    /// The badge of an engine of `kind` before it did anything.
    pub(crate) fn badge(&self, app: &App, kind: EngineKind) -> Badge {
        let elsewhere = app.elsewhere();
        let info = match kind {
            EngineKind::Local | EngineKind::Demo => {
                let (model, device) = on_this_computer(app);
                EngineInfo { kind, model, device }
            }
            // An engine names itself; for that it needs no key.
            EngineKind::Cloud => {
                Gemini::new(elsewhere.client.clone(), elsewhere.cloud.clone(), Secret::new("")).engine()
            }
            EngineKind::School => {
                let nameless = EngineInfo { kind, model: String::new(), device: String::new() };
                let made = cloud::School::new(elsewhere.client.clone(), school_options(&self.setup), None);
                made.map_or(nameless, |school| school.engine())
            }
        };
        convert::badge(&info)
    }

    fn host(&self, app: &App, kind: EngineKind) -> Option<String> {
        match kind {
            EngineKind::Local | EngineKind::Demo => None,
            EngineKind::Cloud => Some(app.elsewhere().cloud_host()),
            EngineKind::School => host_of(&self.setup.school.address),
        }
    }
}

fn is(kind: EngineKind, wanted: BadgeKind) -> bool {
    match kind {
        // The page says `local` for this computer, whichever model answers there.
        EngineKind::Local | EngineKind::Demo => matches!(wanted, BadgeKind::Local | BadgeKind::Demo),
        EngineKind::Cloud => wanted == BadgeKind::Cloud,
        EngineKind::School => wanted == BadgeKind::School,
    }
}

/// Model and device of this computer, as far as they are known.
fn on_this_computer(app: &App) -> (String, String) {
    match &*app.slot().borrow() {
        Slot::Open(open) | Slot::Trying(open) => (open.candidate.name.clone(), open.candidate.device.name().to_owned()),
        Slot::Choosing | Slot::Empty | Slot::Failed(_) => (String::new(), String::new()),
    }
}

/// The computer at `address`, as a person typed it; none where that is no address.
pub(super) fn host_of(address: &str) -> Option<String> {
    let origin = cloud::school_origin(address).ok()?;
    network::host_for(network::Purpose::SchoolServer, &origin).ok()
}

impl Where {
    /// The engine of `kind`, ready to be asked.
    ///
    /// # Errors
    /// If its key or token cannot be had.
    pub(crate) async fn of(app: &App, kind: EngineKind, setup: &Setup) -> Reply<Self> {
        Ok(match kind {
            EngineKind::Local | EngineKind::Demo => Self::Here,
            EngineKind::Cloud => Self::Elsewhere(Arc::new(gemini(app, setup).await?)),
            EngineKind::School => Self::Elsewhere(Arc::new(school(app, setup).await?)),
        })
    }
}

/// Cloud Boost with this person's key.
pub(super) async fn gemini(app: &App, setup: &Setup) -> Reply<Gemini> {
    let elsewhere = app.elsewhere();
    let key = elsewhere.secrets.get(&cloud_account(app)?, setup.cloud_key_in_keychain).await?;
    let key = key.ok_or(Unavailable::NoKey)?;
    let make = || Gemini::new(elsewhere.client.clone(), elsewhere.cloud.clone(), key);
    Ok(elsewhere.engines().cloud.get_or_insert_with(make).clone())
}

/// The school's server with this person's token, or the one that `aula.toml` names.
pub(super) async fn school(app: &App, setup: &Setup) -> Reply<cloud::School> {
    let elsewhere = app.elsewhere();
    let school = &setup.school;
    if school.address.is_empty() {
        return Err(Unavailable::NoServer.into());
    }
    let token = school_token(app, setup).await?;
    if let Some(made) = &elsewhere.engines().school {
        return Ok(made.clone());
    }
    let made = cloud::School::new(elsewhere.client.clone(), school_options(setup), token)?;
    // A token in a file may change while Aula runs.
    if elsewhere.managed.is_none() {
        elsewhere.engines().school = Some(made.clone());
    }
    Ok(made)
}

fn school_options(setup: &Setup) -> SchoolOptions {
    let school = &setup.school;
    let kind = school.kind.map_or(cloud::ServerKind::Other, server_kind);
    let mut options = SchoolOptions::new(&school.address, school.model.clone().unwrap_or_default(), kind);
    options.vision = school.vision;
    options
}

async fn school_token(app: &App, setup: &Setup) -> Reply<Option<Secret>> {
    let elsewhere = app.elsewhere();
    if let Some(managed) = elsewhere.managed.clone() {
        let read = tokio::task::spawn_blocking(move || managed.token()).await;
        return Ok(read.map_err(|_| Refusal::TaskDied { what: "reading the token" })??);
    }
    let account = school_account(app, &setup.school.origin)?;
    let token = elsewhere.secrets.get(&account, setup.school.token_in_keychain).await?;
    if token.is_none() && setup.school.token_in_keychain {
        return Err(Refusal::TokenGone.into());
    }
    Ok(token)
}

pub(super) fn server_kind(kind: ServerKind) -> cloud::ServerKind {
    match kind {
        ServerKind::Vllm => cloud::ServerKind::Vllm,
        ServerKind::LlamaServer => cloud::ServerKind::LlamaServer,
        ServerKind::Ollama => cloud::ServerKind::Ollama,
        ServerKind::LmStudio => cloud::ServerKind::LmStudio,
        ServerKind::Other => cloud::ServerKind::Other,
    }
}
