//! NVIDIA's cards, as the management library in NVIDIA's driver reports them.

use nvml_wrapper::{Device, Nvml, error::NvmlError};

use super::{ComputeCapability, Gpu, GpuKind, GpuMemory, Source, Vendor, pci_id};

/// All cards that NVIDIA's driver serves; none without that driver.
pub(super) fn cards() -> Result<Vec<Gpu>, String> {
    let nvml = match Nvml::init() {
        Ok(nvml) => nvml,
        Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound) => return Ok(Vec::new()),
        // The driver's files are there, and no card that it knows.
        Err(NvmlError::DriverNotLoaded) => return Ok(Vec::new()),
        Err(error) => return Err(format!("NVIDIA's library did not start: {error}")),
    };
    let driver = nvml.sys_driver_version().ok();
    let count = nvml.device_count().map_err(|error| format!("NVIDIA's library did not count the cards: {error}"))?;
    // A card that is broken or belongs to somebody else does not hide the others.
    let cards = (0..count).filter_map(|idx| Some(card(&nvml.device_by_index(idx).ok()?, driver.clone())));
    Ok(cards.collect())
}

fn card(device: &Device, driver: Option<String>) -> Gpu {
    let memory = match device.memory_info() {
        Ok(memory) => GpuMemory::Dedicated { total: memory.total, free: Some(memory.free) },
        // Old drivers do not know the question, and chips that share main memory have no answer.
        Err(_) => GpuMemory::Unknown,
    };
    let pci = device.pci_info().ok();
    Gpu {
        name: device.name().unwrap_or_else(|_| Vendor::Nvidia.name().to_owned()),
        vendor: Vendor::Nvidia,
        kind: if memory == GpuMemory::Unknown { GpuKind::Unknown } else { GpuKind::Discrete },
        pci_id: pci.as_ref().map(|pci| pci_id(pci.pci_device_id & 0xffff, pci.pci_device_id >> 16)),
        // A graphics card is function 0 of its place; function 1 is its sound.
        pci_bus: pci.as_ref().map(|pci| format!("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device)),
        driver,
        memory,
        compute_capability: device.cuda_compute_capability().ok().and_then(|capability| {
            let (major, minor) = (capability.major.try_into().ok()?, capability.minor.try_into().ok()?);
            Some(ComputeCapability { major, minor })
        }),
        source: Source::Nvml,
    }
}
