//! What `sysctl` says on a Mac: counts of cores, the fast kind first. Threads cannot be bound there.

use super::Topology;

/// The cores that `text` tells of, lines like `hw.physicalcpu: 8`; none if it does not tell.
fn parse(text: &str, at_once: usize) -> Option<Topology> {
    let number = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.trim().parse::<usize>().ok().filter(|n| (1..=4096).contains(n))
    };
    let all = number("hw.physicalcpu")?;
    // Macs with Intel's processors do not know of kinds.
    let fast = number("hw.perflevel0.physicalcpu").unwrap_or(all).min(all);
    // Numbers as on a system that counts the fast ones first; nobody is bound to them.
    let cores = (0..all).map(|core| (vec![core], core)).collect();
    Some(Topology { can_bind: false, ..Topology::of(cores, |core| core < fast, at_once) })
}

#[cfg(target_os = "macos")]
pub(super) fn ask(at_once: usize) -> Option<Topology> {
    let mut command = std::process::Command::new("/usr/sbin/sysctl");
    command.args(["hw.physicalcpu", "hw.perflevel0.physicalcpu"]);
    parse(&crate::child::output(&mut command)?, at_once)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{ThreadPlan, compute_threads};

    fn check(text: &str, threads: usize) {
        let topology = parse(text, 64).expect("a topology");
        assert_eq!(compute_threads(&topology, false), ThreadPlan { threads, cpus: None });
    }

    #[test]
    fn macs() {
        check("hw.physicalcpu: 8\nhw.perflevel0.physicalcpu: 4\n", 4);
        check("hw.physicalcpu: 11\nhw.perflevel0.physicalcpu: 5\n", 5);
        // Intel's: the second name is unknown there.
        check("hw.physicalcpu: 6\n", 6);
        assert_eq!(parse("", 4), None);
        assert_eq!(parse("hw.physicalcpu: none\n", 4), None);
        assert_eq!(parse("hw.physicalcpu: 0\n", 4), None);
    }
}
