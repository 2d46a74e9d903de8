//! The person who uses this computer, and the PIN that keeps others out of their conversations.
//!
//! The PIN guards against a classmate at the same computer, not against somebody who reads the disk: what is saved is
//! not encrypted. It is kept as an argon2id hash, and whoever looks after the computer can remove it ([`reset_pin`]).

mod lock;
mod pin;

pub(crate) use lock::Lock;

use crate::App;
use crate::dto::{IpcError, Profile, ProfileInput, ProfileKind, SetupState};
use crate::failure::{Refusal, Reply};
use crate::installed_models::open_patiently;
use crate::places::Places;
use std::time::Duration;
use store::{Learner, LearnerKind};

/// A name has at most so many characters.
pub const MAX_NAME_CHARS: usize = 40;

/// Saves who uses this computer; the PIN changes only where `input` says so, and an existing one must be given with it.
///
/// # Errors
/// When the name is too long, the PIN is not 4 to 8 digits, the PIN until now is wrong, or the store cannot be written.
pub async fn set(app: &App, input: ProfileInput) -> Result<Profile, IpcError> {
    let open = app.store()?;
    let name = checked_name(&input.name)?;
    let kind = match input.kind {
        ProfileKind::Adult => LearnerKind::Adult,
        ProfileKind::Learner => LearnerKind::Learner,
    };
    if let Some(pin) = &input.pin {
        pin::check_form(pin)?;
        if let Some(hash) = open.store.pin_hash(&open.learner).await? {
            app.lock().try_pin(input.old_pin.unwrap_or_default(), hash).await?;
        }
        let hash = if pin.is_empty() { None } else { Some(pin::hash(pin.clone()).await?) };
        open.store.set_pin_hash(&open.learner, hash.as_deref()).await?;
    }
    let learner = open.store.set_learner(&open.learner, &name, kind).await?;
    if kind == LearnerKind::Learner {
        // Cloud Boost is for adults, from this moment on.
        app.cancel_elsewhere(generation::EngineKind::Cloud);
    }
    Ok(profile(learner))
}

/// Opens the profile with its PIN. Without a PIN, or once it was given, there is nothing to open.
///
/// # Errors
/// When the PIN is wrong, or too many wrong ones were tried just now.
pub async fn unlock(app: &App, pin: String) -> Result<SetupState, IpcError> {
    // The lock itself cannot stand in the way of this.
    let open = app.locked_store()?;
    if app.lock().is_closed() {
        if let Some(hash) = open.store.pin_hash(&open.learner).await? {
            app.lock().try_pin(pin, hash).await?;
        }
        app.lock().open();
    }
    crate::setup::get(app).await
}

/// Removes the PIN of the profile at `places`; `false` where there was none. For the person who looks after the computer.
///
/// # Errors
/// When the store cannot be read or written; mostly because the window has it open.
pub async fn reset_pin(places: &Places) -> Result<bool, store::Error> {
    if !places.database().is_file() {
        return Ok(false);
    }
    let opened = open_patiently(&places.data_dir, Duration::from_millis(250)).await?;
    let done = async {
        let learner = opened.store.default_learner().await?;
        if learner.has_pin {
            opened.store.set_pin_hash(&learner.id, None).await?;
        }
        Ok(learner.has_pin)
    }
    .await;
    opened.store.close().await;
    done
}

/// `name` with single spaces and nothing that cannot be seen.
pub(crate) fn checked_name(name: &str) -> Reply<String> {
    let visible: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Refusal::Name { most: MAX_NAME_CHARS }.into());
    }
    Ok(name)
}

pub(crate) fn profile(learner: Learner) -> Profile {
    Profile {
        id: learner.id,
        name: learner.name,
        kind: match learner.kind {
            LearnerKind::Adult => ProfileKind::Adult,
            LearnerKind::Learner => ProfileKind::Learner,
        },
        has_pin: learner.has_pin,
    }
}
