//! Linux's files under `/sys/devices`. Lists of logical processors are written like `0-3,8,10-11`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::Topology;

/// Share of the greatest capacity from which on a core is fast: the middle cores of three kinds are.
const FAST_CAPACITY: f64 = 0.6;

/// Share of the greatest frequency from which on a core is fast: two fast cores of one processor differ by less.
const FAST_FREQUENCY: f64 = 0.75;

/// The logical processors on which a process may run, from its file `/proc/self/status`.
pub(super) fn allowed(status: &str) -> Option<BTreeSet<usize>> {
    parse_list(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?)
}

/// The cores under `sys` that have a logical processor in `allowed`; none where the files do not tell.
pub(super) fn read(sys: &Path, allowed: &BTreeSet<usize>, at_once: usize) -> Option<Topology> {
    let folder = sys.join("devices/system/cpu");
    let mut cpus = read_list(&folder.join("online"))?;
    cpus.retain(|cpu| allowed.contains(cpu));
    let mut cores: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &cpu in &cpus {
        let topology = folder.join(format!("cpu{cpu}/topology"));
        let siblings =
            ["core_cpus_list", "thread_siblings_list"].iter().find_map(|name| read_list(&topology.join(name)));
        // The first of all threads of a core names it, whether it is allowed or not.
        let first = siblings.and_then(|all| all.first().copied()).unwrap_or(cpu);
        cores.entry(first).or_default().push(cpu);
    }
    let ranks = ranks(sys, &cpus);
    let rank =
        |cpus: &[usize]| cpus.iter().filter_map(|cpu| ranks.get(cpu)).fold(0.0_f64, |most, rank| most.max(*rank));
    let cores = cores.into_values().map(|cpus| (rank(&cpus), cpus)).map(|(rank, cpus)| (cpus, rank)).collect();
    Some(Topology::of(cores, |rank| rank >= 1.0, at_once))
}

/// For each logical processor a number that is 1 or more for those of fast cores; empty where all seem alike.
fn ranks(sys: &Path, cpus: &BTreeSet<usize>) -> BTreeMap<usize, f64> {
    // Intel's hybrid processors have one list of logical processors for each kind of core.
    if let Some(fast) = read_list(&sys.join("devices/cpu_core/cpus")) {
        return cpus.iter().map(|cpu| (*cpu, f64::from(u8::from(fast.contains(cpu))))).collect();
    }
    let relative = |file: &str, fast: f64| {
        let number = |cpu: &usize| {
            let text = fs::read_to_string(sys.join(format!("devices/system/cpu/cpu{cpu}/{file}"))).ok()?;
            Some((*cpu, text.trim().parse::<f64>().ok()?))
        };
        let numbers: Option<BTreeMap<usize, f64>> = cpus.iter().map(number).collect();
        let numbers = numbers?;
        let most = numbers.values().copied().fold(0.0, f64::max);
        Some(numbers.into_iter().map(|(cpu, n)| (cpu, n / (fast * most))).collect())
    };
    relative("cpu_capacity", FAST_CAPACITY)
        .or_else(|| relative("cpufreq/cpuinfo_max_freq", FAST_FREQUENCY))
        .unwrap_or_default()
}

fn read_list(file: &Path) -> Option<BTreeSet<usize>> {
    parse_list(&fs::read_to_string(file).ok()?)
}

/// `0-3,8` as numbers; none if it is something else or empty.
fn parse_list(text: &str) -> Option<BTreeSet<usize>> {
    // No machine has so many: a longer list is nonsense.
    const MOST: usize = 1 << 16;
    let mut list = BTreeSet::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        list.extend(first..=last);
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        test_tree,
        topology::{ThreadPlan, compute_threads},
    };

    /// The cores of a machine written down in `tests/machines`, as lists of logical processors: the fast ones, the slow ones.
    fn check(tree: &str, allowed: &str, at_once: usize, fast: &[&[usize]], slow: &[&[usize]]) -> ThreadPlan {
        let root = test_tree::unpack(tree);
        let topology = read(root.path(), &parse_list(allowed).expect("a list"), at_once).expect("a topology");
        let cores = |performance| {
            let those = topology.cores.iter().filter(move |core| core.performance == performance);
            those.map(|core| core.cpus.as_slice()).collect::<Vec<_>>()
        };
        assert_eq!((cores(true).as_slice(), cores(false).as_slice()), (fast, slow));
        compute_threads(&topology, false)
    }

    const INTEL: &str = include_str!("../../tests/machines/intel-i7-12650h.txt");
    const AMD: &str = include_str!("../../tests/machines/amd-ryzen-7-7840u.txt");
    const ARM: &str = include_str!("../../tests/machines/arm-rk3588.txt");
    const VIRTUAL: &str = include_str!("../../tests/machines/virtual-4-cpus.txt");

    #[test]
    fn a_hybrid_intel_processor() {
        let fast: [&[usize]; 6] = [&[0, 1], &[2, 3], &[4, 5], &[6, 7], &[8, 9], &[10, 11]];
        let plan = check(INTEL, "0-15", 16, &fast, &[&[12], &[13], &[14], &[15]]);
        assert_eq!(plan, ThreadPlan { threads: 6, cpus: Some((0..12).collect()) });
    }

    #[test]
    fn a_hybrid_intel_processor_whose_lists_are_hidden_is_told_by_its_frequencies() {
        let hidden: String =
            INTEL.lines().filter(|line| !line.starts_with("devices/cpu_")).map(|l| format!("{l}\n")).collect();
        let fast: [&[usize]; 6] = [&[0, 1], &[2, 3], &[4, 5], &[6, 7], &[8, 9], &[10, 11]];
        check(&hidden, "0-15", 16, &fast, &[&[12], &[13], &[14], &[15]]);
    }

    #[test]
    fn cores_of_two_threads_whose_frequencies_differ_a_little() {
        let fast: [&[usize]; 8] = [&[0, 8], &[1, 9], &[2, 10], &[3, 11], &[4, 12], &[5, 13], &[6, 14], &[7, 15]];
        let plan = check(AMD, "0-15", 16, &fast, &[]);
        assert_eq!(plan, ThreadPlan { threads: 8, cpus: None });
    }

    #[test]
    fn big_and_little() {
        let plan = check(ARM, "0-7", 8, &[&[4], &[5], &[6], &[7]], &[&[0], &[1], &[2], &[3]]);
        assert_eq!(plan, ThreadPlan { threads: 4, cpus: Some(vec![4, 5, 6, 7]) });
    }

    #[test]
    fn a_virtual_machine_tells_nothing_of_speed() {
        let plan = check(VIRTUAL, "0-3", 4, &[&[0], &[1], &[2], &[3]], &[]);
        assert_eq!(plan, ThreadPlan { threads: 4, cpus: None });
    }

    #[test]
    fn a_container_with_some_of_the_processors() {
        // Two whole fast cores, one thread of a third, two slow cores.
        let plan = check(INTEL, "0-3,5,12-13", 7, &[&[0, 1], &[2, 3], &[5]], &[&[12], &[13]]);
        assert_eq!(plan, ThreadPlan { threads: 4, cpus: Some(vec![0, 1, 2, 3, 5, 12]) });
        // Time for two processors only.
        assert_eq!(check(INTEL, "0-3,5,12-13", 2, &[&[0, 1], &[2, 3], &[5]], &[&[12], &[13]]).threads, 2);
        // Slow cores only: then they are all there is.
        let plan = check(INTEL, "13-15", 3, &[&[13], &[14], &[15]], &[]);
        assert_eq!(plan, ThreadPlan { threads: 3, cpus: None });
    }

    #[test]
    fn files_that_are_missing_tell_nothing() {
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(read(empty.path(), &BTreeSet::from([0]), 1), None);
        let bare = test_tree::unpack("devices/system/cpu/online 0-1\n");
        let topology = read(bare.path(), &BTreeSet::from([0, 1]), 2).expect("a topology");
        assert_eq!(topology, Topology { can_bind: true, ..Topology::alike(2) });
    }

    #[test]
    fn lists() {
        let check = |text, expected: Option<&[usize]>| {
            assert_eq!(parse_list(text), expected.map(|list| list.iter().copied().collect()), "{text}");
        };
        check("0\n", Some(&[0]));
        check("0-2,7,9-10", Some(&[0, 1, 2, 7, 9, 10]));
        for nonsense in ["", "a", "3-1", "0-99999999999", "1-", "-1", "1,,2"] {
            check(nonsense, None);
        }
    }

    #[test]
    fn the_processors_a_process_may_use() {
        let status = "Name:\taula\nCpus_allowed:\tff\nCpus_allowed_list:\t0-2,5\nMems_allowed_list:\t0\n";
        assert_eq!(allowed(status), Some(BTreeSet::from([0, 1, 2, 5])));
        assert_eq!(allowed("Name:\taula\n"), None);
    }
}
