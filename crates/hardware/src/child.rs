//! Short programs of the system that are asked for one thing.

use std::{
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long one may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes that are read of what it says.
const MOST: u64 = 1 << 16;

/// What `command` prints, whether it succeeds or not; none if it cannot be started, prints no text, or takes longer than
/// [`LIMIT`]. It does not outlive the call.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let out = child.stdout.take()?;
    let (say, said) = mpsc::channel();
    let reader = thread::Builder::new().spawn(move || {
        let mut text = String::new();
        // Nobody listens any more if it took too long.
        say.send(out.take(MOST).read_to_string(&mut text).ok().map(|_| text)).ok();
    });
    let text = reader.ok().and_then(|_| said.recv_timeout(LIMIT).ok().flatten());
    // Either fails only for a process that has ended.
    child.kill().ok();
    child.wait().ok();
    text
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_prints() {
        assert_eq!(output(Command::new("echo").arg("hello")).as_deref(), Some("hello\n"));
        assert_eq!(output(Command::new("sh").args(["-c", "echo some; exit 1"])).as_deref(), Some("some\n"));
        assert_eq!(output(&mut Command::new("/nowhere/program")), None);
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        assert_eq!(output(Command::new("sleep").arg("1000")), None);
    }
}
