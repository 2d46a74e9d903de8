//! The processor's cores: which logical processors share one, which are the fast ones, and how many threads should compute.
//!
//! Two threads of one core do not compute faster than one, and on processors whose cores differ the slow ones hold up the
//! others. So as many threads compute as there are fast cores.

use std::thread::available_parallelism;

#[cfg(any(target_os = "linux", target_os = "android", test))]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod macos;
#[cfg(any(windows, test))]
mod windows;

/// Where there are fewer fast cores than these, slow ones help.
const ENOUGH: usize = 4;

/// One physical core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// Its logical processors on which this program may run, in ascending order, numbered as the system numbers them.
    pub cpus: Vec<usize>,
    /// Whether it is one of the fast cores; where all are alike, all are.
    pub performance: bool,
}

/// The cores on which this program may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Each core once, ordered by its first logical processor; never empty.
    pub cores: Vec<Core>,
    /// Threads that the system lets run at once: logical processors, or what a container's quota leaves of them.
    pub at_once: usize,
    /// Whether a thread can be told on which logical processors to stay.
    pub can_bind: bool,
}

/// How many threads compute, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadPlan {
    /// Threads, the one that drives the others included; at least one.
    pub threads: usize,
    /// The logical processors on which they should stay, in ascending order; none: wherever the system puts them.
    pub cpus: Option<Vec<usize>>,
}

impl Topology {
    /// Looks at this machine, from within the limits that this process has. Takes some milliseconds at most, two seconds on a
    /// Mac that does not answer. Never fails: cores that cannot be told apart count as alike, each with one thread.
    pub fn probe() -> Self {
        let at_once = available_parallelism().map_or(1, usize::from);
        let found = Self::ask(at_once);
        found.filter(|topology| !topology.cores.is_empty()).unwrap_or_else(|| Self::alike(at_once))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn ask(at_once: usize) -> Option<Self> {
        let allowed = linux::allowed(&std::fs::read_to_string("/proc/self/status").ok()?)?;
        linux::read(std::path::Path::new("/sys"), &allowed, at_once)
    }

    #[cfg(windows)]
    fn ask(at_once: usize) -> Option<Self> {
        windows::ask(at_once)
    }

    #[cfg(target_os = "macos")]
    fn ask(at_once: usize) -> Option<Self> {
        macos::ask(at_once)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", windows, target_os = "macos")))]
    fn ask(_at_once: usize) -> Option<Self> {
        None
    }

    /// `n` cores of which nothing is known.
    fn alike(n: usize) -> Self {
        let cores = (0..n.max(1)).map(|cpu| Core { cpus: vec![cpu], performance: true }).collect();
        Self { cores, at_once: n.max(1), can_bind: false }
    }

    /// Cores from `(logical processors, rank)`; those of the rank for which `is_fast` are fast. If none is, all are.
    fn of<R: Copy>(mut cores: Vec<(Vec<usize>, R)>, is_fast: impl Fn(R) -> bool, at_once: usize) -> Self {
        cores.sort_by_key(|(cpus, _)| cpus.first().copied());
        let none = !cores.iter().any(|(_, rank)| is_fast(*rank));
        let cores =
            cores.into_iter().map(|(cpus, rank)| Core { cpus, performance: none || is_fast(rank) }).collect::<Vec<_>>();
        Self { cores, at_once: at_once.max(1), can_bind: true }
    }
}

/// How many threads should compute on `topology`: one on each fast core; on slow ones too where there are fewer than four
/// fast ones, until there are four. Never more than the system lets run at once. On `battery_saver` half of them, rounded up,
/// but two where there are two. They are told where to stay only if some cores are left out because they are slow.
pub fn compute_threads(topology: &Topology, battery_saver: bool) -> ThreadPlan {
    let (fast, slow): (Vec<&Core>, Vec<&Core>) = topology.cores.iter().partition(|core| core.performance);
    let help = ENOUGH.saturating_sub(fast.len()).min(slow.len());
    let left_out = slow.len() - help;
    let chosen: Vec<&Core> = fast.into_iter().chain(slow.into_iter().take(help)).collect();
    let cpus = (left_out > 0 && topology.can_bind).then(|| {
        let mut cpus: Vec<usize> = chosen.iter().flat_map(|core| core.cpus.iter().copied()).collect();
        cpus.sort_unstable();
        cpus
    });
    let all = chosen.len().min(topology.at_once).max(1);
    let threads = if battery_saver { all.div_ceil(2).max(all.min(2)) } else { all };
    ThreadPlan { threads, cpus }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `fast` cores of two threads, then `slow` ones of one.
    fn hybrid(fast: usize, slow: usize) -> Topology {
        let core = |cpus: Vec<usize>, performance| Core { cpus, performance };
        let mut cores: Vec<Core> = (0..fast).map(|n| core(vec![2 * n, 2 * n + 1], true)).collect();
        cores.extend((0..slow).map(|n| core(vec![2 * fast + n], false)));
        Topology { cores, at_once: 2 * fast + slow, can_bind: true }
    }

    fn check(topology: &Topology, threads: usize, saving: usize, cpus: Option<Vec<usize>>) {
        assert_eq!(compute_threads(topology, false), ThreadPlan { threads, cpus: cpus.clone() });
        assert_eq!(compute_threads(topology, true), ThreadPlan { threads: saving, cpus });
    }

    #[test]
    fn one_thread_for_each_core_where_all_are_alike() {
        check(&hybrid(1, 0), 1, 1, None);
        check(&hybrid(2, 0), 2, 2, None);
        check(&hybrid(3, 0), 3, 2, None);
        check(&hybrid(4, 0), 4, 2, None);
        check(&hybrid(8, 0), 8, 4, None);
    }

    #[test]
    fn fast_cores_are_enough_from_four_on() {
        check(&hybrid(6, 4), 6, 3, Some((0..12).collect()));
        check(&hybrid(4, 8), 4, 2, Some((0..8).collect()));
    }

    #[test]
    fn slow_cores_help_where_there_are_few_fast_ones() {
        check(&hybrid(2, 8), 4, 2, Some((0..6).collect()));
        check(&hybrid(1, 2), 3, 2, None);
    }

    #[test]
    fn a_quota_counts_where_it_is_lower() {
        check(&Topology { at_once: 3, ..hybrid(8, 0) }, 3, 2, None);
        check(&Topology { at_once: 1, ..hybrid(8, 0) }, 1, 1, None);
    }

    #[test]
    fn who_cannot_bind_is_not_told_to() {
        check(&Topology { can_bind: false, ..hybrid(4, 4) }, 4, 2, None);
    }

    #[test]
    fn this_machine_has_a_core() {
        let topology = Topology::probe();
        assert!(!topology.cores.is_empty() && topology.cores.iter().all(|core| !core.cpus.is_empty()), "{topology:?}");
        let mut cpus: Vec<usize> = topology.cores.iter().flat_map(|core| core.cpus.clone()).collect();
        let all = cpus.len();
        cpus.sort_unstable();
        cpus.dedup();
        assert_eq!(cpus.len(), all, "no logical processor is in two cores: {topology:?}");
        let plan = compute_threads(&topology, false);
        assert!((1..=topology.at_once).contains(&plan.threads), "{plan:?}");
    }
}
