//! What a person chose about this computer, passed on to whichever worker runs.

use super::Supervisor;
use crate::{kept, protocol::Command};

impl Supervisor {
    pub(super) fn battery_saver(&mut self, on: bool) {
        self.options.battery_saver = on;
        self.tell(&Command::Choices(self.options.choices()));
    }

    /// What is kept is removed here, because there may be no worker, and by the worker, because it may be writing.
    pub(super) fn keep_ready(&mut self, on: bool) {
        self.options.keep_ready = on;
        if !on {
            kept::remove_all(&kept::folder(&self.options.cache_dir));
        }
        self.tell(&Command::Choices(self.options.choices()));
    }

    pub(super) fn forget(&mut self, conversation: String) {
        kept::remove(&kept::folder(&self.options.cache_dir), &conversation);
        self.tell(&Command::Forget { conversation });
    }
}
