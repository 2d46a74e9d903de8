//! Graphics cards: what is known about one, and where the knowledge comes from.
//!
//! Each [`Source`] is asked in a process of its own ([`probe`]), their answers are put together ([`merge`]), and one card
//! is picked ([`choice`]).

use serde::{Deserialize, Serialize};

pub mod choice;
pub mod probe;

mod drm;
#[cfg(windows)]
mod dxgi;
mod merge;
#[cfg(target_os = "macos")]
mod metal;
#[cfg(not(target_os = "macos"))]
mod nvml;
mod pci;
#[cfg(all(unix, not(target_os = "macos")))]
mod vulkan;

/// One graphics card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Name for people.
    pub name: String,
    /// Who made the chip.
    pub vendor: Vendor,
    /// Part of the processor, or a card of its own.
    pub kind: GpuKind,
    /// PCI ids as `vendor:device` in hexadecimal, e.g. `10de:25a2`; none for what is not on a PCI bus.
    pub pci_id: Option<String>,
    /// Place on the PCI bus as `domain:bus:device.function`, e.g. `0000:01:00.0`. Two equal cards differ in it.
    pub pci_bus: Option<String>,
    /// The driver as its source writes it: a version, a name or both.
    pub driver: Option<String>,
    /// The memory it computes in.
    pub memory: GpuMemory,
    /// What an NVIDIA card can compute.
    pub compute_capability: Option<ComputeCapability>,
    /// The best of the sources that saw it.
    pub source: Source,
}

/// Where a graphics processor sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuKind {
    /// In the processor.
    Integrated,
    /// On a card of its own.
    Discrete,
    /// Made up by a virtual machine.
    Virtual,
    /// No source tells.
    Unknown,
}

/// The memory a graphics processor computes in. Memory shared with the processor is never counted as its own,
/// also where the firmware has set a part of it aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GpuMemory {
    /// Memory of its own.
    Dedicated {
        /// Bytes in all.
        total: u64,
        /// Bytes that could be had when it was asked; none where no source tells.
        free: Option<u64>,
    },
    /// The computer's main memory.
    Unified {
        /// Bytes of it that the system recommends to use at most; none where it does not recommend.
        working_set: Option<u64>,
    },
    /// No source tells.
    Unknown,
}

/// NVIDIA's version number of what a card can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ComputeCapability {
    /// The 8 of 8.6.
    pub major: u32,
    /// The 6 of 8.6.
    pub minor: u32,
}

/// Who tells about cards, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// NVIDIA's management library, part of its driver.
    Nvml,
    /// Windows.
    Dxgi,
    /// macOS.
    Metal,
    /// The Vulkan loader and the drivers it finds.
    Vulkan,
    /// Linux's files under `/sys/class/drm`.
    Drm,
}

impl Source {
    /// Those that exist on this system, the best first.
    pub const HERE: &[Self] = if cfg!(windows) {
        &[Self::Nvml, Self::Dxgi]
    } else if cfg!(target_os = "macos") {
        &[Self::Metal]
    } else {
        &[Self::Nvml, Self::Vulkan, Self::Drm]
    };

    /// Name for people, and for the command line of the process that asks it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nvml => "nvml",
            Self::Dxgi => "dxgi",
            Self::Metal => "metal",
            Self::Vulkan => "vulkan",
            Self::Drm => "drm",
        }
    }

    /// The source with this [`Source::name`], if it exists on this system.
    pub fn named(name: &str) -> Option<Self> {
        Self::HERE.iter().copied().find(|source| source.name() == name)
    }

    /// Asks it in this process, which a broken driver may take down. A library that is not installed means no cards.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn ask(self) -> Result<Vec<Gpu>, String> {
        match self {
            #[cfg(not(target_os = "macos"))]
            Self::Nvml => nvml::cards(),
            #[cfg(windows)]
            Self::Dxgi => dxgi::cards(),
            #[cfg(target_os = "macos")]
            Self::Metal => Ok(metal::cards()),
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::Vulkan => vulkan::cards(),
            Self::Drm => Ok(drm::cards()),
            #[allow(unreachable_patterns, reason = "which sources are left differs from system to system")]
            _ => Err("does not exist on this system".to_owned()),
        }
    }
}

/// Makers of graphics chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// AMD.
    Amd,
    /// Apple.
    Apple,
    /// Intel.
    Intel,
    /// NVIDIA.
    Nvidia,
    /// Any other, virtual machines' cards included.
    Other,
}

impl Vendor {
    /// The maker with this PCI vendor id.
    pub fn from_pci(id: u32) -> Self {
        match id {
            0x1002 | 0x1022 => Self::Amd,
            0x106b => Self::Apple,
            0x8086 => Self::Intel,
            0x10de => Self::Nvidia,
            _ => Self::Other,
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd => "AMD",
            Self::Apple => "Apple",
            Self::Intel => "Intel",
            Self::Nvidia => "NVIDIA",
            Self::Other => "unknown maker",
        }
    }
}

/// PCI ids as [`Gpu::pci_id`] writes them.
fn pci_id(vendor: u32, device: u32) -> String {
    format!("{vendor:04x}:{device:04x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_by_their_names() {
        for source in Source::HERE {
            assert_eq!(Source::named(source.name()), Some(*source));
        }
        assert_eq!(Source::named(""), None);
        assert!(Source::HERE.is_sorted(), "the best comes first");
    }
}
