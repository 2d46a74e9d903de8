//! Which card a model would run on, and how much of its memory it may use.

use super::{Gpu, GpuMemory};

/// Memory of a card left to the screen, other programs and the driver: 1.5 GB.
pub const VRAM_RESERVE_BYTES: u64 = 1_500_000_000;

/// Bytes of a card's own memory that a model may use: what is left beside [`VRAM_RESERVE_BYTES`], and no more than was
/// free when it was asked. None where it has no memory of its own or does not tell how much.
pub fn usable_vram(gpu: &Gpu) -> Option<u64> {
    match gpu.memory {
        GpuMemory::Dedicated { total, free } => {
            let at_most = total.saturating_sub(VRAM_RESERVE_BYTES);
            Some(free.map_or(at_most, |free| free.min(at_most)))
        }
        GpuMemory::Unified { .. } | GpuMemory::Unknown => None,
    }
}

/// The card with the most usable memory of its own, the first of equals. On a laptop with two graphics processors that is
/// never the one inside the processor, which has no memory of its own.
pub fn best_gpu(gpus: &[Gpu]) -> Option<&Gpu> {
    let mut best: Option<(u64, &Gpu)> = None;
    for gpu in gpus {
        let Some(usable) = usable_vram(gpu) else { continue };
        if best.is_none_or(|(most, _)| usable > most) {
            best = Some((usable, gpu));
        }
    }
    best.map(|(_, gpu)| gpu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{GpuKind, Source, Vendor};

    const MB: u64 = 1_000_000;

    fn card(name: &str, memory: GpuMemory) -> Gpu {
        Gpu {
            name: name.to_owned(),
            vendor: Vendor::Nvidia,
            kind: GpuKind::Discrete,
            pci_id: None,
            pci_bus: None,
            driver: None,
            memory,
            compute_capability: None,
            source: Source::Nvml,
        }
    }

    fn own(total_mb: u64, free_mb: Option<u64>) -> GpuMemory {
        GpuMemory::Dedicated { total: total_mb * MB, free: free_mb.map(|free| free * MB) }
    }

    #[test]
    fn a_reserve_stays_and_other_programs_keep_theirs() {
        for (memory, expected_mb) in [
            (own(6000, Some(5800)), Some(4500)),
            (own(6000, Some(4400)), Some(4400)),
            (own(6000, Some(0)), Some(0)),
            (own(6000, None), Some(4500)),
            (own(1000, Some(900)), Some(0)),
            (GpuMemory::Unified { working_set: Some(12_000 * MB) }, None),
            (GpuMemory::Unknown, None),
        ] {
            assert_eq!(usable_vram(&card("", memory)), expected_mb.map(|mb| mb * MB), "{memory:?}");
        }
    }

    fn check(cards: &[(&str, GpuMemory)], expected: Option<&str>) {
        let cards: Vec<_> = cards.iter().map(|(name, memory)| card(name, *memory)).collect();
        assert_eq!(best_gpu(&cards).map(|gpu| gpu.name.as_str()), expected, "{cards:?}");
    }

    #[test]
    fn the_card_with_the_most_usable_memory_of_its_own_is_picked() {
        let unified = GpuMemory::Unified { working_set: None };
        check(&[], None);
        check(&[("inside", unified)], None);
        check(&[("silent", GpuMemory::Unknown)], None);
        check(&[("inside", unified), ("card", own(6000, Some(5800)))], Some("card"));
        check(&[("small", own(6000, None)), ("large", own(12_000, None))], Some("large"));
        // A large card that another program has filled is smaller now.
        check(&[("busy", own(24_000, Some(900))), ("idle", own(8000, Some(7800)))], Some("idle"));
        check(&[("first", own(8000, None)), ("second", own(8000, None))], Some("first"));
        check(
            &[("huge", GpuMemory::Unified { working_set: Some(96_000 * MB) }), ("2 GB", own(2000, None))],
            Some("2 GB"),
        );
    }
}
