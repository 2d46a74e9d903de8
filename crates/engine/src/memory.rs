//! Memory as the system counts it: this process's, and the computer's.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::pressure::MemoryState;

/// The computer's main memory now; in a container, its share. `None` where the system does not say.
pub fn of_the_computer() -> Option<MemoryState> {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let found = System::new_with_specifics(what).ok()?;
    let (mut total, mut available) = (found.total_memory(), found.available_memory());
    if let Some(group) = found.cgroup_limits() {
        // What the group holds beyond its programs' memory is file cache, which the system gives back when asked.
        total = total.min(group.total_memory);
        available = available.min(total.saturating_sub(group.rss));
    }
    (total > 0).then(|| MemoryState { total, available, stalled: system::stalled() })
}

/// Resident memory of this process in bytes; `None` where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    system::resident_bytes()
}

/// Most resident memory that this process ever had, in bytes. Where the system keeps no such record it is the
/// present value.
pub fn peak_resident_bytes() -> Option<u64> {
    system::peak_resident_bytes()
}

/// How often the system has killed a program for lack of memory since it was started; `None` where it does not say.
pub(crate) fn kills() -> Option<u64> {
    system::kills()
}

#[cfg(target_os = "linux")]
mod system {
    pub(super) fn resident_bytes() -> Option<u64> {
        status("VmRSS:")
    }

    pub(super) fn peak_resident_bytes() -> Option<u64> {
        status("VmHWM:")
    }

    /// The first number of `some avg10=1.23 avg60=…`.
    pub(super) fn stalled() -> Option<f32> {
        let text = std::fs::read_to_string("/proc/pressure/memory").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("some avg10="))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// How often the system has killed a program for lack of memory since it was started.
    pub(super) fn kills() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/vmstat").ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
    }

    /// A line of `/proc/self/status`, which counts in KiB.
    fn status(key: &str) -> Option<u64> {
        let text = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

    pub(super) fn resident_bytes() -> Option<u64> {
        let pid = Pid::from_u32(std::process::id());
        let mut system = System::new().ok()?;
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            ProcessRefreshKind::nothing().with_memory(),
        );
        system.process(pid).map(sysinfo::Process::memory)
    }

    pub(super) fn peak_resident_bytes() -> Option<u64> {
        resident_bytes()
    }

    pub(super) fn stalled() -> Option<f32> {
        None
    }

    pub(super) fn kills() -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_computer_has_memory_and_says_how_often_it_ran_out() {
        let state = super::of_the_computer().expect("Linux says");
        assert!(state.total > 256 << 20 && state.available <= state.total, "{state:?}");
        assert!(state.stalled.is_none_or(|percent| (0.0..=100.0).contains(&percent)), "{state:?}");
        assert!(super::kills().is_some());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_is_at_least_the_present() {
        let present = super::resident_bytes().expect("Linux says");
        let peak = super::peak_resident_bytes().expect("Linux says");
        assert!(present > 0 && peak >= present / 2, "{present} now, {peak} at most");
    }
}
