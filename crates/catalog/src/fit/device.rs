//! Where a model can compute on this computer, and how much memory it may use there.

use gemma4::DeviceKind;
use hardware::HardwareProfile;
use serde::{Deserialize, Serialize};

use super::HEADROOM_BYTES;

/// Where a model computes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    Cpu,
    /// One graphics card; a model never spreads over two.
    Gpu {
        /// Its place in the list of cards of the hardware profile.
        index: usize,
        /// Its name for people.
        name: String,
    },
}

impl Device {
    /// Name for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu { name, .. } => name,
        }
    }

    /// Whether it is a graphics card.
    pub fn is_gpu(&self) -> bool {
        matches!(self, Self::Gpu { .. })
    }
}

/// How a number of the KV cache is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KvElement {
    /// Two bytes, sliding layers at exactly their window: our own path on graphics cards.
    F16,
    /// Four bytes, with room behind the window: the plain path, on every device.
    F32,
}

/// What this build can compute on besides the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Backends {
    /// NVIDIA cards.
    pub cuda: bool,
    /// Apple's graphics processor. Always the plain path.
    pub metal: bool,
    /// The KV cache of the CUDA path.
    pub cuda_kv: KvElement,
}

impl Backends {
    /// The processor alone.
    pub const CPU_ONLY: Self = Self { cuda: false, metal: false, cuda_kv: KvElement::F32 };

    /// What this program was built with: candle's devices below the plain path.
    pub fn of_this_build() -> Self {
        Self {
            cuda: DeviceKind::Cuda.in_this_build(),
            metal: DeviceKind::Metal.in_this_build(),
            cuda_kv: KvElement::F32,
        }
    }
}

/// Memory of one device that a model may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceMemory {
    /// The device.
    pub device: Device,
    /// Bytes that may be used now.
    pub usable: u64,
    /// Bytes that could be used if nothing else ran: what needs more never fits here.
    pub usable_at_most: u64,
    /// How the KV cache is stored there.
    pub kv: KvElement,
}

/// The processor of the computer that `profile` describes.
pub fn cpu(profile: &HardwareProfile) -> DeviceMemory {
    DeviceMemory {
        device: Device::Cpu,
        usable: usable_on_cpu(profile),
        usable_at_most: profile.ram_total.saturating_sub(HEADROOM_BYTES),
        kv: KvElement::F32,
    }
}

/// What a model on this machine's processor may use.
pub fn usable_on_cpu(profile: &HardwareProfile) -> u64 {
    profile.ram_free.saturating_sub(HEADROOM_BYTES)
}
