//! Asking the sources, each in a process of its own.
//!
//! Graphics drivers are other people's code that runs inside whoever asks them; a broken one crashes, hangs or writes
//! nonsense. So each source is asked by a second copy of this program, started with a hidden argument, that prints one line
//! of JSON. It has [`PROBE_LIMIT`]; after that it is killed. Whatever goes wrong becomes a [`ProbeNote`].

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Gpu, GpuMemory, Source, drm, merge};

/// The hidden first argument that makes an executable of this project ask one source; the second names the source.
pub const PROBE_ARG: &str = "__aula_probe_gpu";

/// How long one source may take.
pub const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// A process that nobody collected ends itself after this: longer than anybody waits for it.
const ORPHAN_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that a line of an answer can have; what is longer is nonsense.
const LINE_LIMIT: u64 = 1 << 20;

/// Whether this executable begins with [`run_probe_if_asked`], so that a second copy of it can ask a source.
static KNOWS_THE_ARGUMENT: AtomicBool = AtomicBool::new(false);

/// What a source said, or why it said nothing.
type Answer = Result<Vec<Gpu>, String>;

/// Why a source told nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeNote {
    /// The source.
    pub source: Source,
    /// What went wrong, for people.
    pub what: String,
}

/// The cards of a machine and what could not be found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probed {
    /// Each card once.
    pub gpus: Vec<Gpu>,
    /// At most one for each source.
    pub notes: Vec<ProbeNote>,
}

/// How to start a process that asks a source. The executable's `main` must begin with [`run_probe_if_asked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCommand {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments before the name of the source; the first is [`PROBE_ARG`].
    pub args: Vec<OsString>,
}

impl ProbeCommand {
    /// `program`, asked with the hidden argument.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec![PROBE_ARG.into()] }
    }
}

/// Asks the source that the hidden argument names, prints the answer and ends the process. Returns at once if the argument
/// is not there. Must run first in `main`: what comes before it would happen in every probe too.
pub fn run_probe_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_none_or(|arg| arg != PROBE_ARG) {
        KNOWS_THE_ARGUMENT.store(true, Ordering::Relaxed);
        return;
    }
    // The parent kills what takes too long. This is for the case that the parent itself is gone.
    let watch = thread::Builder::new().spawn(|| {
        thread::sleep(ORPHAN_LIMIT);
        std::process::abort();
    });
    let source = args.next().and_then(|name| Source::named(name.to_str()?));
    let (Some(source), Ok(_)) = (source, watch) else { std::process::exit(2) };
    let said = answer_line(&source.ask()).and_then(|line| {
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    });
    std::process::exit(if said.is_ok() { 0 } else { 1 })
}

/// What a probing process prints for `answer`: a line of JSON.
fn answer_line(answer: &Answer) -> io::Result<String> {
    // A line end first, in case a driver has printed something of its own.
    Ok(format!("\n{}\n", serde_json::to_string(answer)?))
}

/// Asks all sources of this system at once by means of `command`. Takes [`PROBE_LIMIT`] at the longest.
pub fn probe_with(command: &ProbeCommand) -> Probed {
    ask_all(command, Source::HERE)
}

/// The cards of this machine. Cards do not change while the app runs, so the sources are asked once in the life of
/// this process; the bytes that are free are those of that time.
///
/// Where this executable does not know the hidden argument, as in a test, only Linux's files are read.
pub fn probe_once() -> &'static Probed {
    static PROBED: OnceLock<Probed> = OnceLock::new();
    PROBED.get_or_init(|| match own_command() {
        Some(command) => probe_with(&command),
        None => Probed { gpus: drm::cards(), notes: Vec::new() },
    })
}

/// This executable, if it knows the hidden argument and the system can name it.
pub(crate) fn own_command() -> Option<ProbeCommand> {
    let known = KNOWS_THE_ARGUMENT.load(Ordering::Relaxed);
    known.then(std::env::current_exe)?.ok().map(ProbeCommand::new)
}

/// Asks how much memory of their own the cards of `gpus` have free now, by means of `command`. Only the sources that know
/// it are asked; a card whose source does not answer keeps what it had.
pub(crate) fn refresh_free(gpus: &mut [Gpu], command: &ProbeCommand) -> Vec<ProbeNote> {
    let has_own = |gpu: &Gpu| matches!(gpu.memory, GpuMemory::Dedicated { .. });
    let asked: Vec<Source> = match gpus.iter().filter(|gpu| has_own(gpu)).map(|gpu| gpu.source).min() {
        // A better source may have left the memory to a worse one, never the other way round.
        Some(best) => Source::HERE.iter().copied().filter(|source| *source >= best).collect(),
        None => return Vec::new(),
    };
    let now = ask_all(command, &asked);
    take_free(gpus, &now.gpus);
    now.notes
}

/// Takes over the free bytes of the cards in `now` that are in `gpus`.
fn take_free(gpus: &mut [Gpu], now: &[Gpu]) {
    let mut left: Vec<&Gpu> = now.iter().collect();
    for gpu in gpus {
        let GpuMemory::Dedicated { total, free } = &mut gpu.memory else { continue };
        // The sources list their cards in the same order each time, which tells equal cards apart.
        let same = left
            .iter()
            .position(|other| other.pci_bus == gpu.pci_bus && other.pci_id == gpu.pci_id && other.name == gpu.name);
        let Some(idx) = same else { continue };
        if let GpuMemory::Dedicated { free: Some(now), .. } = left.remove(idx).memory {
            *free = Some(now.min(*total));
        }
    }
}

fn ask_all(command: &ProbeCommand, sources: &[Source]) -> Probed {
    let answers: Vec<(Source, Answer)> = thread::scope(|scope| {
        let asking: Vec<_> = sources.iter().map(|source| (*source, scope.spawn(|| ask(command, *source)))).collect();
        asking
            .into_iter()
            .map(|(source, thread)| (source, thread.join().unwrap_or_else(|_| Err("could not be asked".to_owned()))))
            .collect()
    });
    let mut probed = Probed::default();
    let mut cards = Vec::new();
    for (source, answer) in answers {
        match answer {
            Ok(gpus) => cards.push(gpus),
            Err(what) => probed.notes.push(ProbeNote { source, what }),
        }
    }
    probed.gpus = merge::merge(cards);
    probed
}

/// Asks one source in a process of its own, which is gone or killed when this returns.
fn ask(command: &ProbeCommand, source: Source) -> Answer {
    let until = Instant::now() + PROBE_LIMIT;
    let mut child = start(command, source).map_err(|error| format!("could not be asked: {error}"))?;
    let (lines, said) = mpsc::channel();
    let reader = child.stdout.take().map(|out| thread::Builder::new().spawn(move || read_lines(out, &lines)));
    if !matches!(reader, Some(Ok(_))) {
        end(child);
        return Err("could not be asked: its output cannot be read".to_owned());
    }
    let mut nonsense = false;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match said.recv_timeout(left) {
            // One that never stops talking always has a line ready.
            Ok(_) if left.is_zero() => {
                end(child);
                return Err(too_late());
            }
            Ok(line) => {
                if let Ok(answer) = serde_json::from_slice::<Answer>(&line) {
                    // Some drivers crash or hang while a process ends: what was said whole counts.
                    end(child);
                    return answer;
                }
                nonsense |= !line.trim_ascii().is_empty();
            }
            Err(RecvTimeoutError::Timeout) => {
                end(child);
                return Err(too_late());
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let Some(status) = ended(&mut child, until) else {
        end(child);
        return Err(too_late());
    };
    Err(if !status.success() {
        format!("crashed ({})", describe(status))
    } else if nonsense {
        "answered nonsense".to_owned()
    } else {
        "answered nothing".to_owned()
    })
}

fn too_late() -> String {
    format!("did not answer within {} s", PROBE_LIMIT.as_secs())
}

fn start(command: &ProbeCommand, source: Source) -> io::Result<Child> {
    let mut builder = Command::new(&command.program);
    builder.args(&command.args).arg(source.name());
    builder.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        // Ctrl-C in a terminal belongs to the program in front.
        std::os::unix::process::CommandExt::process_group(&mut builder, 0);
    }
    #[cfg(windows)]
    {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        std::os::windows::process::CommandExt::creation_flags(&mut builder, CREATE_NO_WINDOW);
    }
    builder.spawn()
}

/// Body of the thread that reads what a process says, until it says no more or nobody listens.
fn read_lines(out: impl Read, lines: &mpsc::Sender<Vec<u8>>) {
    let mut out = BufReader::new(out);
    loop {
        let mut line = Vec::new();
        match out.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if lines.send(line).is_err() => return,
            Ok(_) => {}
        }
    }
}

/// The exit status of a process that has closed its output, if it ends in time.
fn ended(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Kills a process and collects it. A process stuck inside a driver cannot be collected until the driver lets go, so
/// nobody waits for that.
fn end(mut child: Child) {
    // An error means that it has ended already.
    let _ = child.kill();
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    // Without a thread it stays uncollected until this process ends, which harms nobody.
    let _ = thread::Builder::new().name("probe-end".into()).spawn(move || child.wait());
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{GpuKind, Vendor};

    fn card(bus: Option<&str>, total: u64, free: Option<u64>) -> Gpu {
        Gpu {
            name: "a card".to_owned(),
            vendor: Vendor::Nvidia,
            kind: GpuKind::Discrete,
            pci_id: Some("10de:25a2".to_owned()),
            pci_bus: bus.map(str::to_owned),
            driver: None,
            memory: GpuMemory::Dedicated { total, free },
            compute_capability: None,
            source: Source::Nvml,
        }
    }

    fn frees(gpus: &[Gpu]) -> Vec<Option<u64>> {
        let free = |gpu: &Gpu| match gpu.memory {
            GpuMemory::Dedicated { free, .. } => free,
            _ => None,
        };
        gpus.iter().map(free).collect()
    }

    #[test]
    fn free_bytes_are_taken_from_the_same_card() {
        let (one, two) = (Some("0000:01:00.0"), Some("0000:41:00.0"));
        let mut gpus = [card(one, 6000, Some(5000)), card(two, 6000, None)];
        take_free(&mut gpus, &[card(two, 6000, Some(222)), card(one, 6000, Some(111))]);
        assert_eq!(frees(&gpus), [Some(111), Some(222)]);
        // One that is not there any more, or is silent, keeps what it had.
        take_free(&mut gpus, &[card(two, 6000, None)]);
        assert_eq!(frees(&gpus), [Some(111), Some(222)]);
        // Equal cards without a place are told apart by their order.
        let mut equal = [card(None, 6000, None), card(None, 6000, None)];
        take_free(&mut equal, &[card(None, 6000, Some(1)), card(None, 6000, Some(2))]);
        assert_eq!(frees(&equal), [Some(1), Some(2)]);
    }

    #[test]
    fn an_answer_survives_what_a_driver_prints_before_it() {
        let answer: Answer = Ok(vec![card(None, 6000, None)]);
        let out = format!("MESA: warning{}", answer_line(&answer).expect("plain data"));
        let read: Vec<Answer> = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(read, [answer]);
    }
}
