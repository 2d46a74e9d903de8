//! Where a model can compute on this computer, and how much memory it may use there.

use gemma4::DeviceKind;
use hardware::gpu::GpuMemory;
use hardware::{Gpu, HardwareProfile, Vendor};
use serde::{Deserialize, Serialize};

use super::HEADROOM_BYTES;

pub use hardware::gpu::choice::VRAM_RESERVE_BYTES;

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
    /// Two bytes, sliding layers with room for a pass behind the window: the fast path on the processor.
    F16Rings,
    /// Four bytes, with room behind the window: the plain path on graphics cards.
    F32,
}

impl KvElement {
    /// Bytes of one number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F16 | Self::F16Rings => 2,
            Self::F32 => 4,
        }
    }
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

impl DeviceMemory {
    /// A graphics card with `total` bytes of its own, of which `free` are free now where that is known: a reserve stays
    /// for the screen, and nothing is taken from other programs.
    pub fn of_card(device: Device, total: u64, free: Option<u64>, kv: KvElement) -> Self {
        let usable_at_most = total.saturating_sub(VRAM_RESERVE_BYTES);
        let usable = free.map_or(usable_at_most, |free| free.min(usable_at_most));
        Self { device, usable, usable_at_most, kv }
    }
}

/// A card that was found and on which no model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UnusedCard {
    /// Its place in the list of cards of the hardware profile.
    pub index: usize,
    /// Why not.
    pub why: WhyUnused,
}

/// Why no model runs on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyUnused {
    /// This build has nothing that computes on it.
    NoBackend,
    /// It shares the main memory, where the processor is as good.
    SharedMemory,
    /// Its memory could not be read.
    UnknownMemory,
}

impl WhyUnused {
    /// One sentence in English.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoBackend => "Card found, not used by this version.",
            Self::SharedMemory => "Card found, not used: it has no memory of its own.",
            Self::UnknownMemory => "Card found, not used: it does not tell how much memory it has.",
        }
    }
}

/// Where a model can compute on the computer that `profile` describes, best first: the cards by usable memory, then the
/// processor; and the cards where none can. Each card stands for itself: two cards are two devices, not one large one.
pub fn devices(profile: &HardwareProfile, backends: Backends) -> (Vec<DeviceMemory>, Vec<UnusedCard>) {
    let (mut usable, mut unused) = (Vec::new(), Vec::new());
    for (index, gpu) in profile.gpus.iter().enumerate() {
        match on_gpu(index, gpu, profile, backends) {
            Ok(memory) => usable.push(memory),
            Err(why) => unused.push(UnusedCard { index, why }),
        }
    }
    usable.sort_by_key(|memory| std::cmp::Reverse(memory.usable));
    usable.push(cpu(profile));
    (usable, unused)
}

/// The rules for cards: memory of its own less a reserve, and no more than is free; on Apple silicon what the system
/// recommends, and no more than main memory has. Any other memory that is shared with the processor does not count.
fn on_gpu(index: usize, gpu: &Gpu, profile: &HardwareProfile, backends: Backends) -> Result<DeviceMemory, WhyUnused> {
    let device = Device::Gpu { index, name: gpu.name.clone() };
    match (gpu.vendor, gpu.memory) {
        (Vendor::Nvidia, memory) if backends.cuda => match memory {
            GpuMemory::Dedicated { total, free } => Ok(DeviceMemory::of_card(device, total, free, backends.cuda_kv)),
            GpuMemory::Unified { .. } => Err(WhyUnused::SharedMemory),
            GpuMemory::Unknown => Err(WhyUnused::UnknownMemory),
        },
        (Vendor::Apple, GpuMemory::Unified { working_set }) if backends.metal => {
            let recommended = working_set.ok_or(WhyUnused::UnknownMemory)?;
            Ok(DeviceMemory {
                device,
                usable: recommended.min(usable_on_cpu(profile)),
                usable_at_most: recommended.min(usable_on_cpu_at_most(profile)),
                kv: KvElement::F32,
            })
        }
        _ => Err(WhyUnused::NoBackend),
    }
}

/// The processor of the computer that `profile` describes.
pub fn cpu(profile: &HardwareProfile) -> DeviceMemory {
    DeviceMemory {
        device: Device::Cpu,
        usable: usable_on_cpu(profile),
        usable_at_most: usable_on_cpu_at_most(profile),
        kv: KvElement::F16Rings,
    }
}

/// What a model on this machine's processor may use.
pub fn usable_on_cpu(profile: &HardwareProfile) -> u64 {
    profile.ram_free.saturating_sub(HEADROOM_BYTES)
}

fn usable_on_cpu_at_most(profile: &HardwareProfile) -> u64 {
    profile.ram_total.saturating_sub(HEADROOM_BYTES)
}

#[cfg(test)]
mod tests {
    use hardware::gpu::{GpuKind, Source};

    use super::*;

    const MB: u64 = 1_000_000;
    const ALL: Backends = Backends { cuda: true, metal: true, cuda_kv: KvElement::F16 };

    fn computer(ram_total_mb: u64, ram_free_mb: u64) -> HardwareProfile {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../hardware/tests/profiles");
        let json = std::fs::read_to_string(format!("{folder}/laptop-8gb-no-gpu.json")).expect("a profile");
        let any = HardwareProfile::from_json(&json).expect("a profile");
        HardwareProfile { ram_total: ram_total_mb * MB, ram_free: ram_free_mb * MB, ..any }
    }

    fn gpu(vendor: Vendor, memory: GpuMemory) -> Gpu {
        Gpu {
            name: "a card".to_owned(),
            vendor,
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

    fn shared(working_set_mb: Option<u64>) -> GpuMemory {
        GpuMemory::Unified { working_set: working_set_mb.map(|mb| mb * MB) }
    }

    fn check(gpu: &Gpu, backends: Backends, expected_mb: Result<(u64, u64), WhyUnused>) {
        let found = on_gpu(0, gpu, &computer(8000, 5000), backends);
        let bytes = found.map(|memory| (memory.usable / MB, memory.usable_at_most / MB));
        assert_eq!(bytes, expected_mb, "{gpu:?} {backends:?}");
    }

    #[test]
    fn a_card_gives_its_own_memory_less_a_reserve_and_no_more_than_is_free() {
        let nvidia = |memory| gpu(Vendor::Nvidia, memory);
        check(&nvidia(own(6000, Some(5800))), ALL, Ok((4500, 4500)));
        check(&nvidia(own(6000, Some(4400))), ALL, Ok((4400, 4500)));
        check(&nvidia(own(6000, Some(0))), ALL, Ok((0, 4500)));
        check(&nvidia(own(1000, Some(900))), ALL, Ok((0, 0)));
        check(&nvidia(own(6000, None)), ALL, Ok((4500, 4500)));
        check(&nvidia(GpuMemory::Unknown), ALL, Err(WhyUnused::UnknownMemory));
    }

    #[test]
    fn a_card_without_a_backend_is_named_and_not_used() {
        let nvidia = gpu(Vendor::Nvidia, own(6000, Some(5800)));
        check(&nvidia, Backends::CPU_ONLY, Err(WhyUnused::NoBackend));
        check(&nvidia, Backends { metal: true, ..Backends::CPU_ONLY }, Err(WhyUnused::NoBackend));
        check(&gpu(Vendor::Amd, own(24_000, Some(23_000))), ALL, Err(WhyUnused::NoBackend));
        check(&gpu(Vendor::Intel, shared(None)), ALL, Err(WhyUnused::NoBackend));
    }

    #[test]
    fn the_cards_of_one_computer_agree_with_the_probes_rule() {
        let cards =
            [own(6000, Some(5800)), own(6000, Some(100)), own(12_000, None), own(500, None), GpuMemory::Unknown];
        for memory in cards {
            let card = gpu(Vendor::Nvidia, memory);
            let usable = on_gpu(0, &card, &computer(8000, 5000), ALL).ok().map(|memory| memory.usable);
            assert_eq!(usable, hardware::gpu::choice::usable_vram(&card), "{memory:?}");
        }
    }

    #[test]
    fn shared_memory_is_no_video_memory_but_apple_has_a_rule() {
        check(&gpu(Vendor::Nvidia, shared(Some(60_000))), ALL, Err(WhyUnused::SharedMemory));
        let apple = |memory| gpu(Vendor::Apple, memory);
        check(&apple(shared(Some(5300))), ALL, Ok((4000, 5300)));
        check(&apple(shared(Some(3000))), ALL, Ok((3000, 3000)));
        check(&apple(shared(Some(9000))), ALL, Ok((4000, 7000)));
        check(&apple(shared(Some(5300))), Backends { metal: false, ..ALL }, Err(WhyUnused::NoBackend));
        check(&apple(shared(None)), ALL, Err(WhyUnused::UnknownMemory));
        // Nobody has tried the cards of Intel Macs.
        check(&gpu(Vendor::Amd, own(8000, None)), ALL, Err(WhyUnused::NoBackend));
    }

    #[test]
    fn the_best_device_comes_first_and_the_processor_last() {
        let found = |gpus: &[Gpu], backends| {
            let profile = HardwareProfile { gpus: gpus.to_vec(), ..computer(8000, 5000) };
            let (devices, unused) = devices(&profile, backends);
            let indices = devices.iter().map(|memory| match memory.device {
                Device::Cpu => None,
                Device::Gpu { index, .. } => Some(index),
            });
            (indices.collect::<Vec<_>>(), unused.len())
        };
        let cards = [
            gpu(Vendor::Intel, shared(None)),
            gpu(Vendor::Nvidia, own(6000, None)),
            gpu(Vendor::Nvidia, own(12_000, None)),
        ];
        assert_eq!(found(&cards, Backends::CPU_ONLY), (vec![None], 3));
        assert_eq!(found(&cards, ALL), (vec![Some(2), Some(1), None], 1));
        assert_eq!(found(&[], ALL), (vec![None], 0));
    }
}
