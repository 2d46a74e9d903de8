//! Several sources see the same card; here it becomes one.

use super::{Gpu, GpuKind, GpuMemory, Source, Vendor};

/// All cards of `answers`, each once. What the better source says stays; what it does not know comes from the next.
pub(super) fn merge(answers: impl IntoIterator<Item = Vec<Gpu>>) -> Vec<Gpu> {
    let mut seen: Vec<Gpu> = answers.into_iter().flatten().collect();
    seen.sort_by_key(|gpu| gpu.source);
    let mut cards: Vec<(Gpu, Vec<Source>)> = Vec::new();
    for gpu in seen {
        // One that agrees about the place on the bus is the same for certain; otherwise one of the same product that this
        // source has not named yet, because two equal cards are two.
        let place = cards.iter().position(|(card, _)| same_place(card, &gpu)).or_else(|| {
            cards.iter().position(|(card, sources)| same_product(card, &gpu) && !sources.contains(&gpu.source))
        });
        match place {
            Some(idx) => {
                let (card, sources) = &mut cards[idx];
                sources.push(gpu.source);
                fill_gaps(card, gpu);
            }
            None => {
                let source = gpu.source;
                cards.push((gpu, vec![source]));
            }
        }
    }
    cards.into_iter().map(|(card, _)| card).collect()
}

/// Whether both are at the same place on the bus.
fn same_place(a: &Gpu, b: &Gpu) -> bool {
    a.pci_bus.is_some() && a.pci_bus == b.pci_bus
}

/// Whether both are the same product, and the place of at least one is not known.
fn same_product(a: &Gpu, b: &Gpu) -> bool {
    let places_differ = a.pci_bus.is_some() && b.pci_bus.is_some();
    let products = match (&a.pci_id, &b.pci_id) {
        (Some(a), Some(b)) => a == b,
        _ => a.vendor == b.vendor && a.vendor != Vendor::Other && a.name == b.name,
    };
    products && !places_differ
}

fn fill_gaps(card: &mut Gpu, other: Gpu) {
    card.pci_id = card.pci_id.take().or(other.pci_id);
    card.pci_bus = card.pci_bus.take().or(other.pci_bus);
    card.driver = card.driver.take().or(other.driver);
    card.compute_capability = card.compute_capability.or(other.compute_capability);
    if card.kind == GpuKind::Unknown {
        card.kind = other.kind;
    }
    card.memory = match (card.memory, other.memory) {
        (GpuMemory::Unknown, other) => other,
        (GpuMemory::Dedicated { total, free: None }, GpuMemory::Dedicated { free: Some(free), .. }) => {
            GpuMemory::Dedicated { total, free: Some(free.min(total)) }
        }
        (GpuMemory::Unified { working_set: None }, GpuMemory::Unified { working_set }) => {
            GpuMemory::Unified { working_set }
        }
        (known, _) => known,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::ComputeCapability;

    fn gpu(source: Source, name: &str, pci_id: Option<&str>, pci_bus: Option<&str>) -> Gpu {
        Gpu {
            name: name.to_owned(),
            vendor: Vendor::Nvidia,
            kind: GpuKind::Unknown,
            pci_id: pci_id.map(str::to_owned),
            pci_bus: pci_bus.map(str::to_owned),
            driver: None,
            memory: GpuMemory::Unknown,
            compute_capability: None,
            source,
        }
    }

    fn names(cards: &[Gpu]) -> Vec<(&str, Source)> {
        cards.iter().map(|card| (card.name.as_str(), card.source)).collect()
    }

    const BUS: Option<&str> = Some("0000:01:00.0");
    const OTHER_BUS: Option<&str> = Some("0000:41:00.0");
    const ID: Option<&str> = Some("10de:25a2");

    #[test]
    fn a_card_that_three_sources_see_is_one_and_the_best_source_wins() {
        let merged = merge([
            vec![Gpu { kind: GpuKind::Discrete, driver: Some("nvidia".into()), ..gpu(Source::Drm, "drm", ID, BUS) }],
            vec![Gpu {
                memory: GpuMemory::Dedicated { total: 6100, free: Some(5900) },
                ..gpu(Source::Vulkan, "vulkan", ID, BUS)
            }],
            vec![Gpu {
                memory: GpuMemory::Dedicated { total: 6000, free: Some(5000) },
                compute_capability: Some(ComputeCapability { major: 8, minor: 6 }),
                ..gpu(Source::Nvml, "nvml", ID, BUS)
            }],
        ]);
        let expected = Gpu {
            kind: GpuKind::Discrete,
            driver: Some("nvidia".into()),
            memory: GpuMemory::Dedicated { total: 6000, free: Some(5000) },
            compute_capability: Some(ComputeCapability { major: 8, minor: 6 }),
            ..gpu(Source::Nvml, "nvml", ID, BUS)
        };
        assert_eq!(merged, [expected]);
    }

    #[test]
    fn what_the_best_source_cannot_read_comes_from_the_next() {
        let own = |total, free| GpuMemory::Dedicated { total, free };
        for (best, next, expected) in [
            (GpuMemory::Unknown, own(6000, Some(5000)), own(6000, Some(5000))),
            (own(6000, None), own(8000, Some(7000)), own(6000, Some(6000))),
            (own(6000, Some(1)), own(8000, Some(7000)), own(6000, Some(1))),
            // A part of main memory that the firmware set aside is still main memory.
            (GpuMemory::Unified { working_set: None }, own(512, Some(500)), GpuMemory::Unified { working_set: None }),
        ] {
            let merged = merge([
                vec![Gpu { memory: best, ..gpu(Source::Vulkan, "a", ID, BUS) }],
                vec![Gpu { memory: next, ..gpu(Source::Drm, "a", ID, BUS) }],
            ]);
            assert_eq!(merged.iter().map(|card| card.memory).collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn two_equal_cards_stay_two() {
        let by_place = merge([
            vec![gpu(Source::Nvml, "one", ID, BUS), gpu(Source::Nvml, "two", ID, OTHER_BUS)],
            vec![gpu(Source::Drm, "two", ID, OTHER_BUS), gpu(Source::Drm, "one", ID, BUS)],
        ]);
        assert_eq!(names(&by_place), [("one", Source::Nvml), ("two", Source::Nvml)]);
        // Windows does not say where a card sits.
        let by_product = merge([
            vec![gpu(Source::Nvml, "one", ID, BUS), gpu(Source::Nvml, "two", ID, OTHER_BUS)],
            vec![gpu(Source::Dxgi, "a", ID, None), gpu(Source::Dxgi, "b", ID, None)],
        ]);
        assert_eq!(names(&by_product), [("one", Source::Nvml), ("two", Source::Nvml)]);
    }

    #[test]
    fn two_drivers_for_one_card_do_not_make_two_cards() {
        let merged = merge([vec![gpu(Source::Vulkan, "a", ID, BUS), gpu(Source::Vulkan, "b", ID, BUS)]]);
        assert_eq!(names(&merged), [("a", Source::Vulkan)]);
    }

    #[test]
    fn different_cards_stay_apart() {
        let intel = Gpu { vendor: Vendor::Intel, ..gpu(Source::Dxgi, "inside", Some("8086:46a6"), None) };
        let merged = merge([vec![intel], vec![gpu(Source::Nvml, "card", ID, BUS)]]);
        assert_eq!(names(&merged), [("card", Source::Nvml), ("inside", Source::Dxgi)]);
    }
}
