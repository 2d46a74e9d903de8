//! What is set up, for the page.

use super::setup::{Setup, cloud_account, school_account};
use crate::App;
use crate::dto::{CloudState, EnginesState, SchoolState, SecretKept, ServerModel};
use crate::failure::Reply;
use store::LearnerKind;

pub(super) async fn read(app: &App) -> Reply<EnginesState> {
    let open = app.store()?;
    let editable = open.store.default_learner().await?.kind == LearnerKind::Adult;
    let setup = Setup::load(app).await?;
    of(app, &setup, editable)
}

fn of(app: &App, setup: &Setup, editable: bool) -> Reply<EnginesState> {
    let elsewhere = app.elsewhere();
    let school = &setup.school;
    let token = match &elsewhere.managed {
        // It is read from its file each time and kept nowhere.
        Some(managed) if managed.token_file.is_some() => SecretKept::Session,
        Some(_) => SecretKept::None,
        None => kept(school.token_in_keychain, elsewhere.secrets.is_known(&school_account(app, &school.origin)?)),
    };
    Ok(EnginesState {
        editable,
        places: setup.places,
        cloud: CloudState {
            on: setup.cloud_on,
            key: kept(setup.cloud_key_in_keychain, elsewhere.secrets.is_known(&cloud_account(app)?)),
            agreed_at: setup.agreed_at.map(|at| at as f64),
            model: elsewhere.cloud.model.clone(),
            host: elsewhere.cloud_host(),
        },
        school: SchoolState {
            on: setup.school_on,
            address: school.address.clone(),
            token,
            kind: school.kind,
            models: school
                .models
                .iter()
                .map(|model| ServerModel { id: model.id.clone(), context_len: model.context_len })
                .collect(),
            model: school.model.clone(),
            vision: school.vision,
            managed: elsewhere.managed.is_some(),
        },
    })
}

fn kept(in_keychain: bool, is_known: bool) -> SecretKept {
    match (in_keychain, is_known) {
        (true, _) => SecretKept::Keychain,
        (false, true) => SecretKept::Session,
        (false, false) => SecretKept::None,
    }
}
