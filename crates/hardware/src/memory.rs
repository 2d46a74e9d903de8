//! Main memory, as the system and, in a container, its control group report it.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Bytes of main memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) free: u64,
}

pub(crate) fn probe() -> Memory {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(what) else { return Memory { total: 0, free: 0 } };
    let machine = Memory { total: system.total_memory(), free: system.available_memory() };
    match system.cgroup_limits() {
        Some(group) => limited(machine, group.total_memory, group.rss),
        None => machine,
    }
}

/// `machine` under a container's limit of `limit` bytes, of which its programs hold `resident`.
/// What the group holds beyond that is file cache, which the system gives back when asked.
fn limited(machine: Memory, limit: u64, resident: u64) -> Memory {
    let total = machine.total.min(limit);
    Memory { total, free: machine.free.min(total.saturating_sub(resident)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_container_limit_counts_where_it_is_lower() {
        let machine = Memory { total: 32 * GIB, free: 20 * GIB };
        assert_eq!(limited(machine, 4 * GIB, GIB), Memory { total: 4 * GIB, free: 3 * GIB });
        assert_eq!(limited(machine, u64::MAX, GIB), machine);
        assert_eq!(limited(machine, GIB, 2 * GIB), Memory { total: GIB, free: 0 });
    }

    #[test]
    fn a_busy_machine_counts_where_it_is_lower() {
        let machine = Memory { total: 32 * GIB, free: 2 * GIB };
        assert_eq!(limited(machine, 16 * GIB, GIB), Memory { total: 16 * GIB, free: 2 * GIB });
    }
}
