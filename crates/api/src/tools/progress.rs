//! How far a result is, told not more often than anybody can look.

use crate::convert::count;
use crate::dto::ToolEvent;
use std::time::{Duration, Instant};
use tutor::tools::Task;

/// Between two looks at a growing result, which is parsed each time.
const PAUSE: Duration = Duration::from_millis(100);

/// What has come of one attempt.
pub(super) struct Growing<'a> {
    task: &'a Task,
    pub(super) text: String,
    told: Option<Instant>,
}

impl<'a> Growing<'a> {
    pub(super) fn new(task: &'a Task) -> Self {
        Self { task, text: String::new(), told: None }
    }

    /// More text; an event where it is time for one.
    pub(super) fn push(&mut self, piece: &str) -> Option<ToolEvent> {
        self.text.push_str(piece);
        if self.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return None;
        }
        self.told = Some(Instant::now());
        Some(self.event())
    }

    /// How far it is.
    pub(super) fn event(&self) -> ToolEvent {
        let (items, of) = self.task.progress(&self.text);
        ToolEvent::Writing { characters: count(self.text.chars().count()), items: count(items), of: of.map(count) }
    }

    /// A server's result of which only the length is known yet.
    pub(super) fn receiving(&self, characters: usize) -> ToolEvent {
        let (_, of) = self.task.progress("");
        ToolEvent::Writing { characters: count(characters), items: 0, of: of.map(count) }
    }
}
