//! One measured run of a program: what it printed and when, how much memory it took, and who disturbed it.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::machine::{Ticks, field, kibibytes};

/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// A program with its arguments, to be run as often as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    program: PathBuf,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
}

/// What a run showed.
#[derive(Debug, Clone)]
pub struct Run {
    /// Standard output.
    pub stdout: String,
    /// From the start to the end.
    pub seconds: f64,
    /// From the start to the first byte of standard output; `None` when nothing was printed.
    pub first_byte_s: Option<f64>,
    /// Most resident memory, mapped pages included; `None` where the system does not say.
    pub peak_rss_bytes: Option<u64>,
    /// Processors that other programs kept busy meanwhile; `None` where the system does not say.
    pub others: Option<f64>,
}

impl Spec {
    /// `program` without arguments.
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), variables: Vec::new() }
    }

    /// Adds the words of `line`, which hold no blanks themselves.
    pub fn words(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(OsString::from));
        self
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_owned()));
        self
    }

    /// The line that a person could type.
    pub fn line(&self) -> String {
        let variables = self.variables.iter().map(|(name, value)| format!("{name}={}", value.to_string_lossy()));
        let words = std::iter::once(self.program.as_os_str()).chain(self.args.iter().map(OsString::as_os_str));
        variables.chain(words.map(|word| quoted(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
    }

    /// Runs it to its end, or to `limit`, at which it is stopped and the run fails.
    ///
    /// # Errors
    /// If it does not start, fails, or takes too long.
    pub fn run(&self, processors: usize, limit: Duration) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        let before = Ticks::now();
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start `{}`", self.line()))?;
        let stdout = child.stdout.take().map(|pipe| read(pipe, begun));
        let stderr = child.stderr.take().map(|pipe| read(pipe, begun));
        let mut peak_rss_bytes = None;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if begun.elapsed() > limit {
                stop(&mut child);
                bail!("`{}` was stopped after {} s", self.line(), limit.as_secs());
            }
            peak_rss_bytes = peak_of(child.id()).max(peak_rss_bytes);
            std::thread::sleep(GLANCE);
        };
        let seconds = begun.elapsed().as_secs_f64();
        let after = Ticks::now();
        let (stdout, first) = joined(stdout);
        let (stderr, _) = joined(stderr);
        if !status.success() {
            let lines: Vec<&str> = stderr.lines().rev().take(5).collect();
            let end: Vec<&str> = lines.into_iter().rev().collect();
            bail!("`{}` failed ({status}): {}", self.line(), end.join(" | "));
        }
        let others = before.zip(after).and_then(|(before, after)| after.others_since(before, processors));
        Ok(Run { stdout, seconds, first_byte_s: first.map(|d| d.as_secs_f64()), peak_rss_bytes, others })
    }
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '?', '*', '$', '"']) { format!("'{word}'") } else { word.to_owned() }
}

type Reader = JoinHandle<(Vec<u8>, Option<Duration>)>;

/// Reads `pipe` to its end and notes when the first byte came.
fn read(mut pipe: impl Read + Send + 'static, begun: Instant) -> Reader {
    std::thread::spawn(move || {
        let (mut bytes, mut first) = (Vec::new(), None);
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            first.get_or_insert_with(|| begun.elapsed());
            bytes.extend_from_slice(&piece[..count]);
        }
        (bytes, first)
    })
}

fn joined(reader: Option<Reader>) -> (String, Option<Duration>) {
    let (bytes, first) = reader.and_then(|thread| thread.join().ok()).unwrap_or_default();
    (String::from_utf8_lossy(&bytes).into_owned(), first)
}

fn stop(child: &mut Child) {
    // It may just have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Most resident memory that process `id` had so far.
fn peak_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    field(&status, "VmHWM").and_then(kibibytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Spec {
        Spec::new(Path::new("sh")).arg("-c").arg(script)
    }

    #[test]
    fn a_run_is_described() {
        let run = shell("sleep 0.2; echo $GREETING; sleep 0.2; echo done").env("GREETING", "hello");
        let run = run.run(1, Duration::from_secs(60)).expect("sh runs");
        assert_eq!(run.stdout, "hello\ndone\n");
        let first = run.first_byte_s.expect("something was printed");
        assert!(first >= 0.2 && run.seconds >= first + 0.2, "{run:?}");
        if cfg!(target_os = "linux") {
            assert!(run.peak_rss_bytes.is_some_and(|bytes| bytes > 100_000) && run.others.is_some(), "{run:?}");
        }
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = shell("echo why >&2; exit 3").run(1, Duration::from_secs(60)).expect_err("it fails").to_string();
        assert!(error.starts_with("`sh -c 'echo why >&2; exit 3'` failed") && error.ends_with("): why"), "{error}");
    }

    #[test]
    fn what_never_ends_is_stopped() {
        let error = Spec::new(Path::new("sleep")).words("600").run(1, Duration::from_millis(100));
        assert_eq!(error.expect_err("it is stopped").to_string(), "`sleep 600` was stopped after 0 s");
    }
}
