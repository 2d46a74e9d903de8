//! `aula profile …`

use api::places::Places;
use serde::Serialize;

use crate::args::Profile;
use crate::output::{Failure, print_all, print_json};

/// Whether there was a PIN.
#[derive(Serialize)]
struct Reset {
    had_pin: bool,
}

/// Runs one of the commands.
pub async fn run(command: Profile) -> Result<(), Failure> {
    match command {
        Profile::ResetPin { json } => {
            let had_pin = api::profile::reset_pin(&Places::of_this_user()?).await?;
            let said = if had_pin { "The PIN is removed.\n" } else { "The profile has no PIN.\n" };
            if json { print_json(&Reset { had_pin }) } else { print_all(said) }
        }
    }
}
