//! Who answers: Cloud Boost, the school's server, what each group of features uses.
//!
//! What is set up lies in the store; keys and tokens lie in the system's keychain or in memory ([`crate::elsewhere`]) and
//! are read at the moment of use. Only an adult profile changes anything here, and a learner never reaches Cloud Boost.

mod overview;
mod setup;
mod situation;
mod state;
mod tests_of;
mod who;

pub use overview::{Overview, overview};
pub(crate) use setup::Setup;
pub(crate) use situation::{Facts, on_device};
pub(crate) use who::{Where, Who};

use crate::App;
use crate::dto::{EnginesInput, EnginesState, IpcError, SchoolInput, TestReport};
use crate::failure::{Refusal, Reply};
use cloud::Secret;
use generation::EngineKind;
use setup::School;
use std::time::{SystemTime, UNIX_EPOCH};
use store::LearnerKind;

/// A key or token has at most so many characters.
const MOST_SECRET_CHARS: usize = 512;
/// An address or a model's name has at most so many characters.
const MOST_NAME_CHARS: usize = 300;

/// Everything that is set up.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn get(app: &App) -> Result<EnginesState, IpcError> {
    state::read(app).await
}

/// Switches Cloud Boost and the school's server on and off, and says what each group of features uses. What is switched
/// off stops writing at once.
///
/// # Errors
/// When the profile is locked or not an adult's, or the store cannot be written.
pub async fn set(app: &App, input: EnginesInput) -> Result<EnginesState, IpcError> {
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    setup.cloud_on = input.cloud_on;
    setup.school_on = input.school_on;
    setup.places = input.places;
    setup.save(app).await?;
    if !input.cloud_on {
        app.cancel_elsewhere(EngineKind::Cloud);
    }
    if !input.school_on && app.elsewhere().managed.is_none() {
        app.cancel_elsewhere(EngineKind::School);
    }
    state::read(app).await
}

/// Keeps `key` for Cloud Boost: in the system's keychain, or until the program ends where there is none.
///
/// # Errors
/// When the profile is locked or not an adult's, `key` cannot be one, or the store cannot be written.
pub async fn cloud_key_set(app: &App, key: String) -> Result<EnginesState, IpcError> {
    // From here on the text is overwritten with zeros when it goes.
    let key = Secret::new(key);
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    check_secret(&key)?;
    app.elsewhere().forget_engines();
    let kept = app.elsewhere().secrets.set(&setup::cloud_account(app)?, key).await;
    setup.cloud_key_in_keychain = kept == crate::elsewhere::Kept::Keychain;
    setup.save(app).await?;
    state::read(app).await
}

/// Removes the key, and with it what was agreed to. What Cloud Boost is writing stops.
///
/// # Errors
/// When the profile is locked or not an adult's, the keychain does not let go of it, or the store cannot be written.
pub async fn cloud_key_remove(app: &App) -> Result<EnginesState, IpcError> {
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    app.cancel_elsewhere(EngineKind::Cloud);
    app.elsewhere().forget_engines();
    setup.agreed_at = None;
    setup.save(app).await?;
    app.elsewhere().secrets.remove(&setup::cloud_account(app)?, setup.cloud_key_in_keychain).await?;
    setup.cloud_key_in_keychain = false;
    setup.save(app).await?;
    state::read(app).await
}

/// Notes that an adult agreed to what Cloud Boost sends, or takes that back, which stops what it is writing.
///
/// # Errors
/// When the profile is locked or not an adult's, or the store cannot be written.
pub async fn cloud_agree(app: &App, agree: bool) -> Result<EnginesState, IpcError> {
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    setup.agreed_at = agree.then(now_ms);
    setup.save(app).await?;
    if !agree {
        app.cancel_elsewhere(EngineKind::Cloud);
    }
    state::read(app).await
}

/// Lists the models with the key, then has the model write one token.
///
/// # Errors
/// When the profile is locked or not an adult's, there is no key, or nobody agreed yet. How the test went is no error but
/// the report.
pub async fn cloud_test(app: &App) -> Result<TestReport, IpcError> {
    let setup = for_adults(app).await?;
    tests_of::cloud(app, &setup).await
}

/// The school server's address and token. A token belongs to one address: with another one it is forgotten.
///
/// # Errors
/// When the profile is locked or not an adult's, `aula.toml` sets the server, the address is none that Aula connects to,
/// the keychain does not let go of a token, or the store cannot be written.
pub async fn school_set(app: &App, input: SchoolInput) -> Result<EnginesState, IpcError> {
    let token = input.token.map(Secret::new);
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    if app.elsewhere().managed.is_some() {
        return Err(Refusal::Managed.into());
    }
    let address = input.address.trim();
    if address.chars().count() > MOST_NAME_CHARS {
        return Err(Refusal::TooLongName { most: MOST_NAME_CHARS }.into());
    }
    let origin = if address.is_empty() { String::new() } else { cloud::school_origin(address)? };
    if let Some(token) = token.as_ref().filter(|token| !token.is_empty()) {
        check_secret(token)?;
    }
    app.cancel_elsewhere(EngineKind::School);
    app.elsewhere().forget_engines();
    let before = setup.school.clone();
    if origin != before.origin || token.as_ref().is_some_and(Secret::is_empty) {
        let account = setup::school_account(app, &before.origin)?;
        app.elsewhere().secrets.remove(&account, before.token_in_keychain).await?;
        setup.school.token_in_keychain = false;
    }
    if address != before.address {
        setup.school = School {
            token_in_keychain: setup.school.token_in_keychain,
            ..School::at(address.to_owned(), origin.clone())
        };
    }
    if let Some(token) = token.filter(|token| !token.is_empty() && !origin.is_empty()) {
        let kept = app.elsewhere().secrets.set(&setup::school_account(app, &origin)?, token).await;
        setup.school.token_in_keychain = kept == crate::elsewhere::Kept::Keychain;
    }
    setup.save(app).await?;
    state::read(app).await
}

/// Looks what the school's server is and offers, then has its model write one token and a small result of a given form.
///
/// # Errors
/// When the profile is locked or not an adult's, there is no address, or the store cannot be written. How the test went is
/// no error but the report.
pub async fn school_test(app: &App) -> Result<TestReport, IpcError> {
    let setup = for_adults(app).await?;
    tests_of::school(app, setup).await
}

/// Uses the model `id` of those that the school's server offers.
///
/// # Errors
/// When the profile is locked or not an adult's, `aula.toml` sets the server, it offers no such model as far as is known,
/// or the store cannot be written.
pub async fn school_model(app: &App, id: String) -> Result<EnginesState, IpcError> {
    let _changing = app.elsewhere().changing().await;
    let mut setup = for_adults(app).await?;
    if app.elsewhere().managed.is_some() {
        return Err(Refusal::Managed.into());
    }
    if !setup.school.models.iter().any(|model| model.id == id) {
        return Err(Refusal::NoSuchModel { id }.into());
    }
    if setup.school.model.as_deref() != Some(&id) {
        app.cancel_elsewhere(EngineKind::School);
        app.elsewhere().forget_engines();
        // What is known of pictures is known of the other model.
        setup.school.vision = None;
        setup.school.model = Some(id);
        setup.save(app).await?;
    }
    state::read(app).await
}

/// What is set up, for somebody who may change it.
async fn for_adults(app: &App) -> Reply<Setup> {
    let open = app.store()?;
    if open.store.default_learner().await?.kind != LearnerKind::Adult {
        return Err(Refusal::AdultsOnly.into());
    }
    Setup::load(app).await
}

fn check_secret(secret: &Secret) -> Result<(), Refusal> {
    let text = secret.reveal();
    let fits = !text.is_empty() && text.chars().count() <= MOST_SECRET_CHARS;
    // A header takes nothing else, and no service hands out anything else.
    if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(Refusal::NotASecret) }
}

/// Milliseconds since 1970; 0 for a clock before that.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
