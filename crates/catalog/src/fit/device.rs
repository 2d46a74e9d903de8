//! Where a model can compute on this computer, and how much memory it may use there.

use gemma4::DeviceKind;
use hardware::{Gpu, HardwareProfile, Vendor};
use serde::{Deserialize, Serialize};

use super::HEADROOM_BYTES;

/// Memory of a graphics card left to the screen, other programs and the driver: 1.5 GB.
pub const VRAM_RESERVE_BYTES: u64 = 1_500_000_000;

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

impl KvElement {
    /// Bytes of one number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F16 => 2,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnusedCard {
    /// Its name for people.
    pub name: String,
    /// Why not.
    pub why: WhyUnused,
}

impl UnusedCard {
    /// One sentence in English.
    pub fn sentence(&self) -> String {
        let name = &self.name;
        match self.why {
            WhyUnused::NoBackend => format!("{name}: card found, not used by this version."),
            WhyUnused::SharedMemory => format!("{name}: card found, not used: it has no memory of its own."),
            WhyUnused::UnknownMemory => format!("{name}: card found, not used: it does not tell how much memory it has."),
        }
    }
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

/// What of a card decides whether a model runs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GpuFacts {
    name: String,
    /// What it speaks to programs.
    interface: Interface,
    /// Whether it shares the main memory.
    unified: bool,
    /// Its own memory in bytes, where that is known.
    dedicated_total: Option<u64>,
    /// What is free of it now, where that is known.
    dedicated_free: Option<u64>,
    /// Bytes that the system recommends to use at most, on Apple silicon.
    working_set: Option<u64>,
}

/// How programs reach a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    Cuda,
    #[cfg_attr(not(test), expect(dead_code, reason = "the probes do not see Apple's graphics processors yet"))]
    Metal,
    Other,
}

/// Where a model can compute on the computer that `profile` describes, graphics cards first; and the cards where none
/// can. Each card stands for itself: two cards are two devices, not one large one.
pub fn devices(profile: &HardwareProfile, backends: Backends) -> (Vec<DeviceMemory>, Vec<UnusedCard>) {
    let (mut usable, mut unused) = (Vec::new(), Vec::new());
    for (index, gpu) in profile.gpus.iter().enumerate() {
        let facts = facts(gpu);
        match on_gpu(index, &facts, profile, backends) {
            Ok(memory) => usable.push(memory),
            Err(why) => unused.push(UnusedCard { name: facts.name, why }),
        }
    }
    usable.push(cpu(profile));
    (usable, unused)
}

/// The one place that reads the probes' view of a card.
fn facts(gpu: &Gpu) -> GpuFacts {
    GpuFacts {
        name: format!("{} {}", gpu.vendor.name(), gpu.pci_id),
        interface: if gpu.vendor == Vendor::Nvidia { Interface::Cuda } else { Interface::Other },
        unified: false,
        dedicated_total: None,
        dedicated_free: None,
        working_set: None,
    }
}

/// The rules for cards: memory of its own less a reserve, and no more than is free; on Apple silicon what the system
/// recommends, and no more than main memory has. Any other memory that is shared with the processor does not count.
fn on_gpu(
    index: usize,
    gpu: &GpuFacts,
    profile: &HardwareProfile,
    backends: Backends,
) -> Result<DeviceMemory, WhyUnused> {
    let device = Device::Gpu { index, name: gpu.name.clone() };
    match gpu.interface {
        Interface::Metal if backends.metal && gpu.unified => {
            let recommended = gpu.working_set.ok_or(WhyUnused::UnknownMemory)?;
            Ok(DeviceMemory {
                device,
                usable: recommended.min(usable_on_cpu(profile)),
                usable_at_most: recommended.min(usable_on_cpu_at_most(profile)),
                kv: KvElement::F32,
            })
        }
        Interface::Cuda if backends.cuda && gpu.unified => Err(WhyUnused::SharedMemory),
        Interface::Cuda if backends.cuda => {
            let total = gpu.dedicated_total.ok_or(WhyUnused::UnknownMemory)?;
            Ok(DeviceMemory::of_card(device, total, gpu.dedicated_free, backends.cuda_kv))
        }
        Interface::Cuda | Interface::Metal | Interface::Other => Err(WhyUnused::NoBackend),
    }
}

/// The processor of the computer that `profile` describes.
pub fn cpu(profile: &HardwareProfile) -> DeviceMemory {
    DeviceMemory {
        device: Device::Cpu,
        usable: usable_on_cpu(profile),
        usable_at_most: usable_on_cpu_at_most(profile),
        kv: KvElement::F32,
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
    use super::*;

    const MB: u64 = 1_000_000;
    const ALL: Backends = Backends { cuda: true, metal: true, cuda_kv: KvElement::F16 };

    fn computer(ram_total_mb: u64, ram_free_mb: u64) -> HardwareProfile {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../hardware/tests/profiles");
        let json = std::fs::read_to_string(format!("{folder}/laptop-8gb-no-gpu.json")).expect("a profile");
        let any = HardwareProfile::from_json(&json).expect("a profile");
        HardwareProfile { ram_total: ram_total_mb * MB, ram_free: ram_free_mb * MB, ..any }
    }

    fn nvidia(total_mb: u64, free_mb: u64) -> GpuFacts {
        GpuFacts {
            name: "a card".to_owned(),
            interface: Interface::Cuda,
            unified: false,
            dedicated_total: Some(total_mb * MB),
            dedicated_free: Some(free_mb * MB),
            working_set: None,
        }
    }

    fn check(gpu: &GpuFacts, backends: Backends, expected_mb: Result<(u64, u64), WhyUnused>) {
        let found = on_gpu(0, gpu, &computer(8000, 5000), backends);
        let bytes = found.map(|memory| (memory.usable / MB, memory.usable_at_most / MB));
        assert_eq!(bytes, expected_mb, "{gpu:?} {backends:?}");
    }

    #[test]
    fn a_card_gives_its_own_memory_less_a_reserve_and_no_more_than_is_free() {
        check(&nvidia(6000, 5800), ALL, Ok((4500, 4500)));
        check(&nvidia(6000, 4400), ALL, Ok((4400, 4500)));
        check(&nvidia(6000, 0), ALL, Ok((0, 4500)));
        check(&nvidia(1000, 900), ALL, Ok((0, 0)));
        check(&GpuFacts { dedicated_free: None, ..nvidia(6000, 0) }, ALL, Ok((4500, 4500)));
        check(&GpuFacts { dedicated_total: None, ..nvidia(0, 900) }, ALL, Err(WhyUnused::UnknownMemory));
    }

    #[test]
    fn a_card_without_a_backend_is_named_and_not_used() {
        check(&nvidia(6000, 5800), Backends::CPU_ONLY, Err(WhyUnused::NoBackend));
        check(&nvidia(6000, 5800), Backends { metal: true, ..Backends::CPU_ONLY }, Err(WhyUnused::NoBackend));
        check(&GpuFacts { interface: Interface::Other, ..nvidia(24_000, 23_000) }, ALL, Err(WhyUnused::NoBackend));
    }

    #[test]
    fn shared_memory_is_no_video_memory_but_apple_has_a_rule() {
        check(&GpuFacts { unified: true, ..nvidia(6000, 5800) }, ALL, Err(WhyUnused::SharedMemory));
        let apple = |working_set_mb| GpuFacts {
            interface: Interface::Metal,
            unified: true,
            dedicated_total: None,
            dedicated_free: None,
            working_set: Some(working_set_mb * MB),
            ..nvidia(0, 0)
        };
        check(&apple(5300), ALL, Ok((4000, 5300)));
        check(&apple(3000), ALL, Ok((3000, 3000)));
        check(&apple(9000), ALL, Ok((4000, 7000)));
        check(&apple(5300), Backends { metal: false, ..ALL }, Err(WhyUnused::NoBackend));
        check(&GpuFacts { working_set: None, ..apple(0) }, ALL, Err(WhyUnused::UnknownMemory));
        // An Intel Mac's card has memory of its own, and nobody has tried it.
        check(&GpuFacts { unified: false, ..apple(3000) }, ALL, Err(WhyUnused::NoBackend));
    }

    #[test]
    fn the_processor_is_always_the_last_device() {
        let (devices, unused) = devices(&computer(8000, 5000), Backends::CPU_ONLY);
        let last = devices.last().map(|memory| (&memory.device, memory.usable / MB, memory.usable_at_most / MB));
        assert_eq!(last, Some((&Device::Cpu, 4000, 7000)));
        assert_eq!(unused.len(), 1, "{unused:?}");
        assert!(unused[0].sentence().ends_with("card found, not used by this version."), "{unused:?}");
    }
}
