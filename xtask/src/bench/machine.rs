//! The machine that measures: what it is, and how much of it other programs take meanwhile.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde::Serialize;

/// What the measurements ran on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Logical processors that this program may use.
    pub processors: usize,
    /// Main memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Operating system and kernel.
    pub system: String,
    /// Of the processor's instruction sets, those that kernels are written for.
    pub instruction_sets: Vec<String>,
}

/// Flags of `/proc/cpuinfo` that matter to matrix kernels.
const SETS: &[&str] = &[
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "bmi2",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512vl",
    "avx512vbmi",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
    "asimddp",
    "i8mm",
];

impl Machine {
    /// This one, as far as the system says.
    pub fn look() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let system = Command::new("uname").args(["-s", "-r", "-m"]).stderr(Stdio::null()).output();
        Self {
            processor: field(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH).to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: field(&meminfo, "MemTotal").and_then(kibibytes),
            system: system.map_or_else(
                |_| std::env::consts::OS.to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            ),
            instruction_sets: instruction_sets(&cpuinfo),
        }
    }

    /// Whether the processor has the instruction set, by its name in `/proc/cpuinfo`.
    pub fn has(&self, set: &str) -> bool {
        self.instruction_sets.iter().any(|name| name == set)
    }
}

fn instruction_sets(cpuinfo: &str) -> Vec<String> {
    let flags = field(cpuinfo, "flags").or_else(|| field(cpuinfo, "Features")).unwrap_or_default();
    let found = |set: &&str| flags.split_whitespace().any(|flag| flag == *set);
    SETS.iter().copied().filter(found).map(str::to_owned).collect()
}

/// The first `key: value` of a file under `/proc`.
pub fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// `1234 kB` in bytes.
pub fn kibibytes(value: &str) -> Option<u64> {
    value.split_whitespace().next()?.parse::<u64>().ok().map(|count| count * 1024)
}

/// What the system's clocks of processor time showed at one moment, in ticks since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    /// Of all processors together, busy or not.
    all: u64,
    /// Of all processors together, working. What the host of a virtual machine took for others counts too.
    busy: u64,
    /// Of this program and of those it started and waited for.
    own: u64,
}

impl Ticks {
    /// Now; `None` where the system keeps no such clocks.
    pub fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let own = std::fs::read_to_string("/proc/self/stat").ok()?;
        Self::read(&stat, &own)
    }

    fn read(stat: &str, own: &str) -> Option<Self> {
        // user, nice, system, idle, waiting for a disk, interrupts (two kinds), stolen. Guests are part of `user`.
        let fields: Vec<u64> = stat
            .lines()
            .next()?
            .strip_prefix("cpu ")?
            .split_whitespace()
            .map_while(|f| f.parse().ok())
            .take(8)
            .collect();
        let [_, _, _, idle, waiting, ..] = fields[..] else { return None };
        let all: u64 = fields.iter().sum();
        // After the name, which may hold anything but ends with the last bracket, the 12th to 15th field: user and
        // system time of this program, then of its children.
        let times: Vec<u64> =
            own.rsplit_once(')')?.1.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
        let own = (times.len() == 4).then(|| times.iter().sum())?;
        Some(Self { all, busy: all - idle - waiting, own })
    }

    /// Processors that other programs kept busy, on average since `before`.
    pub fn others_since(self, before: Self, processors: usize) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|&all| all > 0)? as f64;
        let busy = self.busy.saturating_sub(before.busy) as f64;
        let own = self.own.saturating_sub(before.own) as f64;
        Some(((busy - own) / all * processors as f64).max(0.0))
    }
}

/// Threads that keep processors busy until this is dropped, as a browser beside the tutor might.
pub struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    /// Starts `count` of them.
    pub fn start(count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count)
            .map(|_| {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || {
                    let mut state = 1_u64;
                    while !stop.load(Ordering::Relaxed) {
                        for _ in 0..10_000 {
                            state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                        }
                    }
                })
            })
            .collect();
        Self { stop, threads }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It cannot panic, and at the end of a measurement nothing could be done about it.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELF: &str = "77 (x) task) R 1 77 77 0 -1 4194304 1 2 3 4 30 5 60 5 20 0 4 0 100 1000 10";

    #[test]
    fn others_are_what_is_busy_and_not_ours() {
        let before =
            Ticks::read("cpu  100 0 50 800 10 5 5 30 0 0\ncpu0 1 2", SELF).expect("two files as Linux writes them");
        assert_eq!(before, Ticks { all: 1000, busy: 190, own: 100 });
        let later = Ticks { all: 1400, busy: 490, own: 350 };
        // 400 ticks of 4 processors: 100 ticks long, of which 50 were somebody else's.
        assert_eq!(later.others_since(before, 4), Some(0.5));
        assert_eq!(before.others_since(before, 4), None);
        // Rounding of the clocks never makes a negative share.
        assert_eq!(Ticks { own: 900, ..later }.others_since(before, 4), Some(0.0));
    }

    #[test]
    fn what_is_not_such_a_file_is_refused() {
        assert_eq!(Ticks::read("", SELF), None);
        assert_eq!(Ticks::read("cpu  1 2 3\n", SELF), None);
        assert_eq!(Ticks::read("cpu  100 0 50 800 10 5 5 30 0 0", "77 (x) R 1"), None);
    }

    #[test]
    fn instruction_sets_are_whole_words() {
        let found = instruction_sets("processor : 0\nflags\t\t: fpu avx2 avx512_vnni_x avx_vnni amx_int8\n");
        assert_eq!(found, ["avx2", "avx_vnni", "amx_int8"]);
    }

    #[test]
    fn fields_of_the_system() {
        let text = "MemTotal:       24656196 kB\nVmHWM:\t  12 kB\n";
        assert_eq!(field(text, "VmHWM").and_then(kibibytes), Some(12_288));
        assert_eq!(field(text, "Vm"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn hogs_take_processor_time_of_this_program() {
        let before = Ticks::now().expect("Linux says");
        let hogs = Hogs::start(1);
        while Ticks::now().expect("Linux says").own < before.own + 5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(hogs);
    }
}
