//! Graphics cards, by name only.
//!
//! This version never computes on a card. What follows is enough to tell a person that theirs was seen; memory,
//! driver and the difference between integrated and discrete cards belong to probes that are still to be written, each of
//! which returns more [`Gpu`]s from [`probe`].

use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the list of cards does not say.
pub const NOTE: &str = "Graphics cards are not probed by this version: it computes on the processor.";

/// One graphics card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Who made the chip.
    pub vendor: Vendor,
    /// PCI ids as `vendor:device` in hexadecimal, e.g. `10de:25a2`.
    pub pci_id: String,
    /// Whether this version can compute on it.
    pub used: bool,
}

/// Makers of graphics chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// AMD.
    Amd,
    /// Intel.
    Intel,
    /// NVIDIA.
    Nvidia,
    /// Any other, virtual machines' cards included.
    Other,
}

impl Vendor {
    /// The maker with this PCI vendor id.
    pub fn from_pci(id: u16) -> Self {
        match id {
            0x1002 | 0x1022 => Self::Amd,
            0x8086 => Self::Intel,
            0x10de => Self::Nvidia,
            _ => Self::Other,
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd => "AMD",
            Self::Intel => "Intel",
            Self::Nvidia => "NVIDIA",
            Self::Other => "unknown maker",
        }
    }
}

/// The cards of this machine, in the system's order; empty where the system does not show them as files.
pub fn probe() -> Vec<Gpu> {
    probe_drm(Path::new("/sys/class/drm"))
}

/// Reads Linux's `/sys/class/drm`: one folder `cardN` for each card (and `cardN-HDMI-1` for each connector, which is not one).
fn probe_drm(folder: &Path) -> Vec<Gpu> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut cards: Vec<(u32, Gpu)> = entries
        .flatten()
        .filter_map(|entry| {
            let index = entry.file_name().to_str()?.strip_prefix("card")?.parse().ok()?;
            let device = entry.path().join("device");
            let vendor = read_hex(&device.join("vendor"))?;
            let product = read_hex(&device.join("device"))?;
            let pci_id = format!("{vendor:04x}:{product:04x}");
            Some((index, Gpu { vendor: Vendor::from_pci(vendor), pci_id, used: false }))
        })
        .collect();
    cards.sort_by_key(|(index, _)| *index);
    cards.into_iter().map(|(_, card)| card).collect()
}

/// A file that holds `0x10de` and a newline.
fn read_hex(path: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(path).ok()?;
    u16::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(root: &Path, name: &str, ids: Option<(&str, &str)>) {
        let device = root.join(name).join("device");
        std::fs::create_dir_all(&device).expect("a folder");
        if let Some((vendor, product)) = ids {
            std::fs::write(device.join("vendor"), vendor).expect("a file");
            std::fs::write(device.join("device"), product).expect("a file");
        }
    }

    #[test]
    fn a_hybrid_laptop_shows_both_cards_and_no_connector() {
        let root = tempfile::tempdir().expect("a folder");
        card(root.path(), "card1", Some(("0x10de\n", "0x25a2\n")));
        card(root.path(), "card0", Some(("0x8086\n", "0x46a6\n")));
        card(root.path(), "card0-eDP-1", Some(("0x8086\n", "0x46a6\n")));
        card(root.path(), "renderD128", Some(("0x8086\n", "0x46a6\n")));
        let found = probe_drm(root.path());
        let ids: Vec<_> = found.iter().map(|gpu| (gpu.vendor, gpu.pci_id.as_str(), gpu.used)).collect();
        assert_eq!(ids, [(Vendor::Intel, "8086:46a6", false), (Vendor::Nvidia, "10de:25a2", false)]);
    }

    #[test]
    fn cards_without_pci_ids_and_missing_folders_are_passed_over() {
        let root = tempfile::tempdir().expect("a folder");
        card(root.path(), "card0", None);
        card(root.path(), "card1", Some(("virtio", "0x1050")));
        assert_eq!(probe_drm(root.path()), []);
        assert_eq!(probe_drm(&root.path().join("absent")), []);
    }
}
