//! Linux's `/sys/class/drm`: which cards there are, and on AMD's also how much memory. No library, no driver is called,
//! so this source always answers.

use std::path::Path;

use super::{Gpu, GpuKind, GpuMemory, Source, Vendor, pci, pci_id};

/// The cards of this machine in the system's order; empty where the system does not show them as files.
pub(super) fn cards() -> Vec<Gpu> {
    read_folder(Path::new("/sys/class/drm"))
}

/// One folder `cardN` for each card (and `cardN-HDMI-1` for each connector, which is not one).
fn read_folder(folder: &Path) -> Vec<Gpu> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut cards: Vec<(u32, Gpu)> = entries
        .flatten()
        .filter_map(|entry| {
            let index = entry.file_name().to_str()?.strip_prefix("card")?.parse().ok()?;
            Some((index, card(&entry.path().join("device"))?))
        })
        .collect();
    cards.sort_by_key(|(index, _)| *index);
    cards.into_iter().map(|(_, card)| card).collect()
}

/// The card whose files are in `device`; none if it is not on a PCI bus.
fn card(device: &Path) -> Option<Gpu> {
    let maker = read_hex(&device.join("vendor"))?;
    let product = read_hex(&device.join("device"))?;
    let vendor = Vendor::from_pci(maker.into());
    let events = std::fs::read_to_string(device.join("uevent")).unwrap_or_default();
    let event = |name: &str| {
        let value = events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim().to_ascii_lowercase())
    };
    let pci_bus = event("PCI_SLOT_NAME");
    let (kind, memory) = kind_and_memory(maker, pci_bus.as_deref(), device);
    let id = pci_id(maker.into(), product.into());
    let name = match pci::name(maker, product) {
        Some(name) if vendor == Vendor::Other => name,
        Some(name) => format!("{} {name}", vendor.name()),
        None => format!("{} graphics {id}", vendor.name()),
    };
    Some(Gpu {
        name,
        vendor,
        kind,
        pci_id: Some(id),
        pci_bus,
        driver: event("DRIVER"),
        memory,
        compute_capability: None,
        source: Source::Drm,
    })
}

fn kind_and_memory(maker: u16, pci_bus: Option<&str>, device: &Path) -> (GpuKind, GpuMemory) {
    match (Vendor::from_pci(maker.into()), maker) {
        (Vendor::Amd, _) => amd(device),
        // Intel's integrated graphics have had this place since there are any.
        (Vendor::Intel, _) if pci_bus == Some("0000:00:02.0") => {
            (GpuKind::Integrated, GpuMemory::Unified { working_set: None })
        }
        (Vendor::Intel, _) if pci_bus.is_some() => (GpuKind::Discrete, GpuMemory::Unknown),
        // NVIDIA's integrated processors are not on a PCI bus.
        (Vendor::Nvidia, _) => (GpuKind::Discrete, GpuMemory::Unknown),
        // Bochs, Cirrus, Hyper-V, VMware, virtio, QXL, VirtualBox.
        (_, 0x1234 | 0x1013 | 0x1414 | 0x15ad | 0x1af4 | 0x1b36 | 0x80ee) => (GpuKind::Virtual, GpuMemory::Unknown),
        _ => (GpuKind::Unknown, GpuMemory::Unknown),
    }
}

/// The driver reports the part of main memory that the firmware set aside for an integrated processor in the same files
/// as a card's own memory. Only a card knows who made its memory chips; where that is not told, nothing is claimed.
fn amd(device: &Path) -> (GpuKind, GpuMemory) {
    let maker = std::fs::read_to_string(device.join("mem_info_vram_vendor")).unwrap_or_default();
    if matches!(maker.trim(), "" | "unknown") {
        return (GpuKind::Unknown, GpuMemory::Unknown);
    }
    let memory = match read_number(&device.join("mem_info_vram_total")) {
        Some(total) => {
            let used = read_number(&device.join("mem_info_vram_used"));
            GpuMemory::Dedicated { total, free: used.map(|used| total.saturating_sub(used)) }
        }
        None => GpuMemory::Unknown,
    };
    (GpuKind::Discrete, memory)
}

fn read_number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A file that holds `0x10de` and a newline.
fn read_hex(path: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(path).ok()?;
    u16::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, files: &[(&str, &str)]) {
        let device = root.join(name).join("device");
        std::fs::create_dir_all(&device).expect("a folder");
        for (file, text) in files {
            std::fs::write(device.join(file), text).expect("a file");
        }
    }

    #[test]
    fn a_hybrid_laptop_shows_both_cards_and_no_connector() {
        let root = tempfile::tempdir().expect("a folder");
        let nvidia = [
            ("vendor", "0x10de\n"),
            ("device", "0x25a2\n"),
            ("uevent", "DRIVER=nvidia\nPCI_ID=10DE:25A2\nPCI_SLOT_NAME=0000:01:00.0\n"),
        ];
        let intel = [
            ("vendor", "0x8086\n"),
            ("device", "0x46a6\n"),
            ("uevent", "DRIVER=i915\nPCI_ID=8086:46A6\nPCI_SLOT_NAME=0000:00:02.0\n"),
        ];
        write(root.path(), "card1", &nvidia);
        write(root.path(), "card0", &intel);
        write(root.path(), "card0-eDP-1", &intel);
        write(root.path(), "renderD128", &intel);
        let found = read_folder(root.path());
        let facts: Vec<_> = found.iter().map(|gpu| (gpu.vendor, gpu.kind, gpu.memory)).collect();
        let unified = GpuMemory::Unified { working_set: None };
        assert_eq!(
            facts,
            [(Vendor::Intel, GpuKind::Integrated, unified), (Vendor::Nvidia, GpuKind::Discrete, GpuMemory::Unknown)]
        );
        assert_eq!(found[1].pci_id.as_deref(), Some("10de:25a2"));
        assert_eq!(found[1].pci_bus.as_deref(), Some("0000:01:00.0"));
        assert_eq!(found[1].driver.as_deref(), Some("nvidia"));
        assert!(found[1].name.starts_with("NVIDIA "), "{found:?}");
    }

    #[test]
    fn an_amd_card_tells_its_memory_and_an_amd_processor_has_none_of_its_own() {
        let root = tempfile::tempdir().expect("a folder");
        let ids = [("vendor", "0x1002\n"), ("device", "0x73ff\n"), ("uevent", "PCI_SLOT_NAME=0000:03:00.0\n")];
        let amounts = [("mem_info_vram_total", "8573157376\n"), ("mem_info_vram_used", "573157376\n")];
        write(root.path(), "card0", &[&ids[..], &amounts[..], &[("mem_info_vram_vendor", "samsung\n")]].concat());
        write(root.path(), "card1", &[&ids[..], &amounts[..], &[("mem_info_vram_vendor", "unknown\n")]].concat());
        write(root.path(), "card2", &[&ids[..], &amounts[..]].concat());
        write(root.path(), "card3", &[&ids[..], &[("mem_info_vram_vendor", "hynix\n")]].concat());
        let found = read_folder(root.path());
        let facts: Vec<_> = found.iter().map(|gpu| (gpu.kind, gpu.memory)).collect();
        let own = GpuMemory::Dedicated { total: 8_573_157_376, free: Some(8_000_000_000) };
        let silent = (GpuKind::Unknown, GpuMemory::Unknown);
        assert_eq!(facts, [(GpuKind::Discrete, own), silent, silent, (GpuKind::Discrete, GpuMemory::Unknown)]);
    }

    #[test]
    fn virtual_machines_cards_are_called_virtual() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), "card0", &[("vendor", "0x1af4\n"), ("device", "0x1050\n")]);
        let found = read_folder(root.path());
        assert_eq!(found.iter().map(|gpu| gpu.kind).collect::<Vec<_>>(), [GpuKind::Virtual]);
    }

    #[test]
    fn cards_without_pci_ids_and_missing_folders_are_passed_over() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), "card0", &[]);
        write(root.path(), "card1", &[("vendor", "virtio"), ("device", "0x1050")]);
        assert_eq!(read_folder(root.path()), []);
        assert_eq!(read_folder(&root.path().join("absent")), []);
    }
}
