//! This process's memory, as the system counts it.

/// Resident memory of this process in bytes; `None` where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    system::resident_bytes()
}

/// Most resident memory that this process ever had, in bytes. Where the system keeps no such record it is the
/// present value.
pub fn peak_resident_bytes() -> Option<u64> {
    system::peak_resident_bytes()
}

#[cfg(target_os = "linux")]
mod system {
    pub(super) fn resident_bytes() -> Option<u64> {
        status("VmRSS:")
    }

    pub(super) fn peak_resident_bytes() -> Option<u64> {
        status("VmHWM:")
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
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_is_at_least_the_present() {
        let present = super::resident_bytes().expect("Linux says");
        let peak = super::peak_resident_bytes().expect("Linux says");
        assert!(present > 0 && peak >= present / 2, "{present} now, {peak} at most");
    }
}
