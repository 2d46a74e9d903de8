//! `aula setup`

use api::dto::ProfileKind;
use api::places::Places;
use api::setup::{Answers, Configured};

use crate::args::Setup;
use crate::output::{Failure, print_all, print_json};

/// Answers the first run in place of the person who will use this computer.
pub async fn run(args: Setup) -> Result<(), Failure> {
    let answers = Answers {
        language: Some(args.language.into()),
        // Of the two one is always given, says the command line.
        kind: Some(if args.adult { ProfileKind::Adult } else { ProfileKind::Learner }),
        name: args.name,
        done: args.done,
    };
    let saved = api::setup::configure(&Places::of_this_user()?, &answers).await?;
    if args.json { print_json(&saved) } else { print_all(said(&saved)) }
}

fn said(saved: &Configured) -> &'static str {
    if saved.done {
        "The first run is answered; the window begins without it.\n"
    } else {
        "The answers are saved; the window still shows the first run.\n"
    }
}
