//! macOS' list of graphics processors.

#![expect(unsafe_code, reason = "Metal needs a framework to be linked, which is an unsafe declaration")]

use objc2_metal::{MTLCopyAllDevices, MTLDevice};

use super::{Gpu, GpuKind, GpuMemory, Source, Vendor};

// SAFETY: declares no function; programs without a window must link this framework for Metal to list its devices.
#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {}

/// All graphics processors that Metal can use.
pub(super) fn cards() -> Vec<Gpu> {
    let devices = MTLCopyAllDevices();
    let read = |idx| {
        let device = devices.objectAtIndex(idx);
        card(device.name().to_string(), device.recommendedMaxWorkingSetSize(), device.hasUnifiedMemory())
    };
    (0..devices.count()).map(read).collect()
}

/// `most` is the number of bytes that the system recommends to use at most.
fn card(name: String, most: u64, unified: bool) -> Gpu {
    let (kind, memory) = if unified {
        (GpuKind::Integrated, GpuMemory::Unified { working_set: (most > 0).then_some(most) })
    } else {
        // For a card in an Intel Mac this is close to what the card has; Metal tells nothing nearer.
        let memory = if most > 0 { GpuMemory::Dedicated { total: most, free: None } } else { GpuMemory::Unknown };
        (GpuKind::Discrete, memory)
    };
    Gpu {
        vendor: vendor(&name),
        name,
        kind,
        pci_id: None,
        pci_bus: None,
        driver: None,
        memory,
        compute_capability: None,
        source: Source::Metal,
    }
}

/// Metal tells the maker in the name only.
fn vendor(name: &str) -> Vendor {
    let starts = |maker| name.starts_with(maker);
    match () {
        () if starts("Apple") => Vendor::Apple,
        () if starts("AMD") || starts("ATI") => Vendor::Amd,
        () if starts("Intel") => Vendor::Intel,
        () if starts("NVIDIA") => Vendor::Nvidia,
        () => Vendor::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_are_known_by_the_names_of_their_products() {
        assert_eq!(vendor("Apple M2"), Vendor::Apple);
        assert_eq!(vendor("AMD Radeon Pro 5500M"), Vendor::Amd);
        assert_eq!(vendor("Intel(R) UHD Graphics 630"), Vendor::Intel);
        assert_eq!(vendor("llvmpipe"), Vendor::Other);
    }
}
