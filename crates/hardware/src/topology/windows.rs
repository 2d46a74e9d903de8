//! Windows' list of cores.

#![cfg_attr(windows, expect(unsafe_code, reason = "Windows writes its list into a buffer of ours"))]

use super::Topology;

/// Bytes of a record before the masks: relationship and size, then flags, efficiency class, 20 reserved, count of groups.
const HEAD: usize = 32;

/// Bytes of a mask: 64 bits, the number of its group, 6 reserved.
const MASK: usize = 16;

/// Logical processors of a group.
const GROUP: usize = 64;

/// One core: its logical processors and its class. The higher the class, the faster the core.
type Record = (Vec<usize>, u8);

/// The cores in `list`, which is what `GetLogicalProcessorInformationEx` writes about cores on a 64-bit system; none if it
/// is damaged.
fn parse(list: &[u8]) -> Option<Vec<Record>> {
    let mut cores = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let size = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
        let record = rest.get(..size).filter(|record| record.len() >= HEAD)?;
        rest = &rest[size..];
        let relation = u32::from_le_bytes(record[..4].try_into().ok()?);
        if relation != 0 {
            continue;
        }
        let groups = usize::from(u16::from_le_bytes(record[30..32].try_into().ok()?));
        let mut cpus = Vec::new();
        for mask in record.get(HEAD..HEAD + groups * MASK)?.chunks_exact(MASK) {
            let bits = u64::from_le_bytes(mask[..8].try_into().ok()?);
            let group = usize::from(u16::from_le_bytes(mask[8..10].try_into().ok()?));
            cpus.extend((0..GROUP).filter(|bit| bits >> bit & 1 == 1).map(|bit| group * GROUP + bit));
        }
        cores.push((cpus, record[9]));
    }
    Some(cores)
}

/// The cores in `cores` of which this process may use a logical processor; `mask` is what it may use of the first group, 0
/// if that is not known.
fn topology(cores: Vec<Record>, mask: u64, at_once: usize) -> Topology {
    let may = |cpu: &usize| mask == 0 || *cpu >= GROUP || mask >> cpu & 1 == 1;
    let cores = cores.into_iter().map(|(cpus, class)| (cpus.into_iter().filter(may).collect::<Vec<_>>(), class));
    let cores: Vec<Record> = cores.filter(|(cpus, _)| !cpus.is_empty()).collect();
    let fastest = cores.iter().map(|(_, class)| *class).max().unwrap_or(0);
    Topology::of(cores, |class| class == fastest, at_once)
}

#[cfg(windows)]
pub(super) fn ask(at_once: usize) -> Option<Topology> {
    use windows::Win32::System::{
        SystemInformation::{
            GetLogicalProcessorInformationEx, RelationProcessorCore, SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX,
        },
        Threading::{GetCurrentProcess, GetProcessAffinityMask},
    };
    let mut size = 0_u32;
    // SAFETY: without a buffer only the size is written, to a variable that outlives the call. It answers with an error
    // that says that there was no room.
    drop(unsafe { GetLogicalProcessorInformationEx(RelationProcessorCore, None, &raw mut size) });
    // Records hold 64-bit numbers, so the buffer consists of such.
    let mut buffer = vec![0_u64; (size as usize).div_ceil(8)];
    let room = buffer.as_mut_ptr().cast::<SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>();
    // SAFETY: `room` points to at least `size` bytes that are aligned for the records; no more than `size` are written.
    unsafe { GetLogicalProcessorInformationEx(RelationProcessorCore, Some(room), &raw mut size) }.ok()?;
    let list: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).take(size as usize).collect();
    let (mut mask, mut system) = (0_usize, 0_usize);
    // SAFETY: the handle is the process's own pseudo handle, and both variables outlive the call.
    let asked = unsafe { GetProcessAffinityMask(GetCurrentProcess(), &raw mut mask, &raw mut system) };
    let mask = if asked.is_ok() { mask as u64 } else { 0 };
    Some(topology(parse(&list)?, mask, at_once))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{ThreadPlan, compute_threads};

    /// A record as Windows writes it for a core.
    fn core(class: u8, mask: u64) -> Vec<u8> {
        let mut record = Vec::new();
        record.extend(0_u32.to_le_bytes());
        record.extend(48_u32.to_le_bytes());
        record.extend([u8::from(mask.count_ones() > 1), class]);
        record.extend([0; 20]);
        record.extend(1_u16.to_le_bytes());
        record.extend(mask.to_le_bytes());
        record.extend([0; 8]);
        record
    }

    #[test]
    fn a_hybrid_processor() {
        let mut list: Vec<u8> = (0..2).flat_map(|n| core(1, 0b11 << (2 * n))).collect();
        list.extend((4..12).flat_map(|n| core(0, 1 << n)));
        let cores = parse(&list).expect("whole");
        let all = topology(cores.clone(), 0xfff, 12);
        assert_eq!(compute_threads(&all, false), ThreadPlan { threads: 4, cpus: Some(vec![0, 1, 2, 3, 4, 5]) });
        // A process kept to the slow cores has nothing else.
        let slow = topology(cores, 0xff0, 8);
        assert_eq!(compute_threads(&slow, false), ThreadPlan { threads: 8, cpus: None });
    }

    #[test]
    fn cores_that_are_alike() {
        let list: Vec<u8> = (0..4).flat_map(|n| core(0, 0b11 << (2 * n))).collect();
        let all = topology(parse(&list).expect("whole"), 0, 8);
        assert_eq!(compute_threads(&all, false), ThreadPlan { threads: 4, cpus: None });
    }

    #[test]
    fn other_records_are_passed_over() {
        let mut list = core(0, 1);
        let mut package = core(0, 1);
        package[0] = 3;
        list.extend(package);
        assert_eq!(parse(&list), Some(vec![(vec![0], 0)]));
    }

    #[test]
    fn a_damaged_list_is_not_believed() {
        let list = core(0, 1);
        for len in 1..list.len() {
            assert_eq!(parse(&list[..len]), None, "{len}");
        }
        let mut endless = list.clone();
        endless[4..8].copy_from_slice(&0_u32.to_le_bytes());
        assert_eq!(parse(&endless), None);
        let mut many = list;
        many[30] = 200;
        assert_eq!(parse(&many), None);
    }
}
