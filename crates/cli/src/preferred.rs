//! The model chosen in Settings, as far as it can be read from here.

use api::places::Places;

use crate::output::{Failure, note};

/// The chosen model's id. Settings that cannot be read are no reason to refuse an answer: a line says so.
pub async fn preferred(places: &Places) -> Option<String> {
    match api::installed_models::preferred(places).await {
        Ok(id) => id,
        Err(error) => {
            let failure = Failure::from(error);
            note(&format!("note: the choice of model in Settings could not be read ({})", failure.message()));
            None
        }
    }
}
