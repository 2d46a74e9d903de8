//! Models on their way, in a terminal: progress with the time left, and Ctrl-C to pause.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::installed_models::{Control, Progress, Step};
use errors::Explain;

use crate::interrupts::Interrupts;
use crate::output::{Failure, size, status_line};

/// What a transfer shows.
#[derive(Debug, Clone, Copy)]
pub struct Show {
    /// No progress.
    pub quiet: bool,
    /// JSON at the end, and no progress.
    pub json: bool,
}

impl Show {
    fn progress(self) -> bool {
        !self.quiet && !self.json && std::io::stderr().is_terminal()
    }
}

/// Says something in place of the progress.
pub fn say(show: Show, text: &str) {
    if show.progress() {
        status_line(text);
    }
}

/// Runs `work`, which moves a model and blocks, on a thread of its own. Ctrl-C pauses it: what it has is kept, and the
/// same command goes on.
pub async fn run<T, E>(show: Show, work: impl FnOnce(&Control) -> Result<T, E> + Send + 'static) -> Result<T, Failure>
where
    T: Send + 'static,
    E: Explain + Send + 'static,
{
    let control = if show.progress() { shown() } else { Control::default() };
    let mut interrupts = Interrupts::listen();
    let inner = control.clone();
    let mut running = tokio::task::spawn_blocking(move || work(&inner));
    let mut asked = false;
    let done = loop {
        tokio::select! {
            done = &mut running => break done,
            () = interrupts.next() => {
                asked = true;
                control.pause();
            }
        }
    };
    if show.progress() {
        status_line("");
    }
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if asked => Err(paused(&errors::chain(&error))),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => Err(Failure::new(format!("the transfer ended: {panic}"), "Please report this defect")),
    }
}

/// What is said of a transfer that Ctrl-C ended.
fn paused(why: &str) -> Failure {
    Failure::new(why, "Give the same command again to go on where it stopped")
}

/// A handle whose progress stands on one line of stderr.
fn shown() -> Control {
    let meter = Mutex::new(Meter::default());
    Control::watched(move |now| {
        let line = meter.lock().unwrap_or_else(PoisonError::into_inner).line(now, Instant::now());
        if let Some(line) = line {
            status_line(&line);
        }
    })
}

/// Measures over the last seconds, so that the time left follows a stick that slows down.
#[derive(Default)]
struct Meter {
    step: Option<Step>,
    /// When how many bytes were done, oldest first.
    seen: VecDeque<(Instant, u64)>,
    shown: Option<Instant>,
}

/// Over how long speed is measured, and how often the line changes.
const WINDOW: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_millis(250);

impl Meter {
    /// The line to show, if it is time for one.
    fn line(&mut self, now: Progress, at: Instant) -> Option<String> {
        if self.step != Some(now.step) {
            *self = Self { step: Some(now.step), ..Self::default() };
        }
        if self.shown.is_some_and(|shown| at.duration_since(shown) < EVERY) {
            return None;
        }
        self.shown = Some(at);
        self.seen.push_back((at, now.done_bytes));
        while self.seen.len() > 2 && self.seen.front().is_some_and(|(seen, _)| at.duration_since(*seen) > WINDOW) {
            self.seen.pop_front();
        }
        Some(render(now, self.bytes_per_second(at, now.done_bytes)))
    }

    fn bytes_per_second(&self, at: Instant, done_bytes: u64) -> Option<f64> {
        let (from, bytes) = self.seen.front()?;
        let seconds = at.duration_since(*from).as_secs_f64();
        let moved = done_bytes.saturating_sub(*bytes);
        (seconds >= 1.0 && moved > 0).then(|| moved as f64 / seconds)
    }
}

fn render(now: Progress, bytes_per_second: Option<f64>) -> String {
    let what = match now.step {
        Step::Resuming => "Checking what is there",
        Step::Copying => "Copying",
        Step::Verifying => "Verifying",
    };
    let percent = (100 * now.done_bytes).checked_div(now.total_bytes).unwrap_or(100);
    let (done, total) = (size(now.done_bytes), size(now.total_bytes));
    let mut line = format!("{what}: {percent} %, {done} of {total}");
    if let Some(speed) = bytes_per_second {
        let left = now.total_bytes.saturating_sub(now.done_bytes) as f64 / speed;
        line.push_str(&format!(", {}/s, {} left", size(speed as u64), time(left)));
    }
    line
}

/// `seconds` for people.
fn time(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn at(step: Step, done_bytes: u64) -> Progress {
        Progress { step, done_bytes, total_bytes: 3_000_000_000, parts_done: 0, parts: 45 }
    }

    #[test]
    fn the_line_says_how_long_it_still_takes() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let mut lines = String::new();
        for (seconds, step, megabytes) in [
            (0, Step::Resuming, 0),
            (2, Step::Copying, 0),
            (4, Step::Copying, 40),
            (5, Step::Copying, 80),
            (40, Step::Copying, 2900),
        ] {
            let line = meter.line(at(step, megabytes * 1_000_000), start + Duration::from_secs(seconds));
            lines += &format!("{}\n", line.expect("it is time"));
        }
        assert_eq!(meter.line(at(Step::Copying, 1), start + Duration::from_millis(40_100)), None);
        expect![[r#"
            Checking what is there: 0 %, 0 B of 3.00 GB
            Copying: 0 %, 0 B of 3.00 GB
            Copying: 1 %, 40.0 MB of 3.00 GB, 20.0 MB/s, 3 min left
            Copying: 2 %, 80.0 MB of 3.00 GB, 26.7 MB/s, 2 min left
            Copying: 96 %, 2.90 GB of 3.00 GB, 80.6 MB/s, 2 s left
        "#]]
        .assert_eq(&lines);
    }

    #[test]
    fn times() {
        assert_eq!(
            [0.0, 0.2, 90.0, 91.0, 3000.0, 5400.0, 7261.0].map(time),
            ["0 s", "1 s", "90 s", "2 min", "50 min", "90 min", "2 h 1 min"]
        );
    }
}
