//! Starting other programs: shown before they run, and described in one sentence when they fail.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A program to start, with the line that a person could type instead.
pub struct Program {
    command: Command,
    shown: String,
}

/// How a watched program came to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself with code 0.
    Well,
    /// By itself with another code, or by a signal.
    Badly(String),
    /// It was still running at the limit and was stopped.
    TooLate(Duration),
}

impl Program {
    /// `name` is looked up in `PATH`; npm gets the ending it has on Windows.
    pub fn new(name: &str) -> Self {
        let file = if cfg!(windows) && matches!(name, "npm" | "npx") { format!("{name}.cmd") } else { name.to_owned() };
        Self { command: Command::new(&file), shown: name.to_owned() }
    }

    /// An executable at a known place.
    pub fn at(path: &Path) -> Self {
        Self { command: Command::new(path), shown: path.display().to_string() }
    }

    /// The cargo that started this program.
    pub fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Self { command: Command::new(cargo), shown: "cargo".to_owned() }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let text = arg.as_ref().to_string_lossy().into_owned();
        self.shown.push(' ');
        self.shown.push_str(&if text.contains(' ') || text.is_empty() { format!("'{text}'") } else { text });
        self.command.arg(arg);
        self
    }

    /// Adds several arguments.
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets the folder that it works in.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets an environment variable; not shown.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// The line that a person could type.
    pub fn line(&self) -> &str {
        &self.shown
    }

    /// Runs it to the end on this terminal.
    pub fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        let status = self.command.status().with_context(|| format!("could not start `{}`", self.shown))?;
        match ending(status) {
            Ended::Well => Ok(()),
            Ended::Badly(how) => bail!("`{}` ended with {how}", self.shown),
            Ended::TooLate(_) => unreachable!("a program without a limit"),
        }
    }

    /// Runs it to the end and gives its standard output, or an error when it is missing or fails.
    pub fn output(mut self) -> Result<String> {
        let output =
            self.command.stdin(Stdio::null()).output().with_context(|| format!("could not start `{}`", self.shown))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed: {}", self.shown, errors.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it without input, prints each line of both outputs as it comes and hands it to `on_line`.
    ///
    /// After `limit` it is stopped together with everything it started. On a terminal only the program itself
    /// is stopped, because a process group of its own would no longer hear Ctrl+C.
    pub fn watch(mut self, limit: Duration, on_line: &mut dyn FnMut(&str)) -> Result<Ended> {
        println!("$ {}", self.shown);
        let grouped = !std::io::stdin().is_terminal();
        #[cfg(unix)]
        if grouped {
            use std::os::unix::process::CommandExt as _;
            self.command.process_group(0);
        }
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start `{}`", self.shown))?;
        let lines = lines_of(&mut child);
        let deadline = Instant::now() + limit;
        let mut exited = None;
        loop {
            let now = Instant::now();
            if now >= deadline {
                stop(&mut child, grouped);
                return Ok(Ended::TooLate(limit));
            }
            match lines.recv_timeout((deadline - now).min(Duration::from_millis(500))) {
                Ok(line) => {
                    println!("{line}");
                    on_line(&line);
                }
                // Somebody that it left behind may hold the pipes open: two quiet seconds after its end suffice.
                Err(RecvTimeoutError::Timeout) => match (exited, child.try_wait()?) {
                    (None, Some(_)) => exited = Some(Instant::now()),
                    (Some(at), _) if at.elapsed() > Duration::from_secs(2) => break,
                    _ => {}
                },
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        while exited.is_none() && child.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                stop(&mut child, grouped);
                return Ok(Ended::TooLate(limit));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(ending(child.wait()?))
    }
}

/// Both outputs of `child`, line by line in order of arrival.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let pipes: [Option<Box<dyn std::io::Read + Send>>; 2] =
        [child.stdout.take().map(|pipe| Box::new(pipe) as _), child.stderr.take().map(|pipe| Box::new(pipe) as _)];
    for pipe in pipes.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
                let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn stop(child: &mut Child, grouped: bool) {
    if grouped && cfg!(unix) {
        // The shell's own `kill`: the program of that name is missing on small systems.
        let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL -- -{}", child.id())).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn ending(status: ExitStatus) -> Ended {
    match status.code() {
        Some(0) => Ended::Well,
        Some(code) => Ended::Badly(format!("exit code {code}")),
        None => Ended::Badly("a signal".to_owned()),
    }
}

/// The first file called `name` in `PATH`.
pub fn find_in_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn watch(script: &str, limit: Duration) -> (Ended, Vec<String>) {
        let mut lines = Vec::new();
        let ended = Program::new("sh").arg("-c").arg(script).watch(limit, &mut |line| lines.push(line.to_owned()));
        (ended.expect("sh starts"), lines)
    }

    #[test]
    fn hands_over_every_line_of_both_outputs() {
        let (ended, mut lines) = watch("echo one; echo two >&2; printf three", Duration::from_secs(60));
        lines.sort();
        assert_eq!((ended, lines), (Ended::Well, vec!["one".to_owned(), "three".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn tells_how_it_ended() {
        assert_eq!(watch("exit 3", Duration::from_secs(60)).0, Ended::Badly("exit code 3".to_owned()));
        assert_eq!(watch("kill -KILL $$", Duration::from_secs(60)).0, Ended::Badly("a signal".to_owned()));
    }

    #[test]
    fn stops_what_never_ends() {
        let limit = Duration::from_millis(300);
        assert_eq!(watch("sleep 600", limit).0, Ended::TooLate(limit));
    }

    #[test]
    fn does_not_wait_for_those_left_behind() {
        let (ended, lines) = watch("sleep 40 & echo done; exit 0", Duration::from_secs(30));
        assert_eq!((ended, lines), (Ended::Well, vec!["done".to_owned()]));
    }

    #[test]
    fn the_line_shown_can_be_typed() {
        let program = Program::new("npm").args(["--prefix", "a folder", "ci"]);
        assert_eq!(program.line(), "npm --prefix 'a folder' ci");
    }
}
