//! The store on real files in a temporary folder.

mod creations;
mod damage;
mod limits;
mod profile;
mod tree;

use crate::{Branch, Ending, Learner, MessageState, Opened, Role, Store};
use tempfile::TempDir;

/// A store in a folder that goes away with it.
struct Bench {
    folder: TempDir,
    store: Store,
    learner: Learner,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let Opened { store, .. } = Store::open(folder.path()).await.expect("open");
        let learner = store.default_learner().await.expect("learner");
        Self { folder, store, learner }
    }

    /// Asks and answers at once; returns the conversation and the answer.
    async fn exchange(&self, conversation: Option<&str>, question: &str, answer: &str) -> (String, String) {
        let asked = self.store.ask(&self.learner.id, conversation, "title", question).await.expect("ask");
        self.answer(&asked.answer_id, answer).await;
        (asked.conversation_id, asked.answer_id)
    }

    async fn answer(&self, answer_id: &str, text: &str) {
        let mut writer = self.store.writer(answer_id);
        let _ = writer.push(text);
        writer.end(complete()).await.expect("end");
    }

    async fn branch(&self, conversation: &str) -> Branch {
        self.store.branch(&self.learner.id, conversation).await.expect("branch")
    }
}

fn complete() -> Ending {
    Ending { state: MessageState::Complete, finish_reason: Some("stop"), measured: None }
}

/// A branch as lines: who, state, which version of how many, text.
fn show(branch: &Branch) -> String {
    let mut out = format!("# {}\n", branch.line.title);
    for message in &branch.messages {
        let who = match message.role {
            Role::Student => "student",
            Role::Tutor => "tutor",
        };
        let version = message.version_ids.iter().position(|id| *id == message.id).map_or(0, |i| i + 1);
        out.push_str(&format!(
            "{who} {} {version}/{} {}\n",
            message.state.as_str(),
            message.version_ids.len(),
            message.text
        ));
    }
    out
}

/// The message and hint of an error, as a person would read them, with the temporary folder cut out.
fn explain(error: &crate::Error, folder: &std::path::Path) -> String {
    use errors::Explain;
    format!(
        "{} | {} | {}",
        error.code().as_str(),
        error.to_string().replace(&folder.display().to_string(), "<folder>"),
        error.hint().unwrap_or_default()
    )
}
