//! What this computer is made of: processor, memory, graphics cards.
//!
//! [`HardwareProfile::probe`] looks; everything else in the project works on the plain data it returns, so that a
//! profile written down in JSON can stand in for a machine that is not at hand.
//! Those in `tests/profiles` are machine classes written from data sheets, not measurements.
//!
//! Graphics cards: this version computes on the processor only. On Linux the cards are named from `/sys/class/drm` so that
//! a person sees that theirs was found; their memory is not probed. [`gpu::probe`] is the place where real probes go.

pub mod cpu;
pub mod gpu;

mod memory;

pub use cpu::{Cpu, SimdLevel};
pub use gpu::{Gpu, Vendor};
use serde::{Deserialize, Serialize};

/// What is known about one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareProfile {
    /// The processor.
    pub cpu: Cpu,
    /// Memory that programs can have in all, in bytes; a container's limit where there is one.
    pub ram_total: u64,
    /// Memory that could be had now without swapping, in bytes.
    pub ram_free: u64,
    /// Graphics cards that were found, by name only.
    pub gpus: Vec<Gpu>,
    /// What the list of cards does not say, for people.
    pub gpu_note: String,
}

impl HardwareProfile {
    /// Looks at this machine. Takes some milliseconds; never fails: what cannot be read is zero or empty.
    pub fn probe() -> Self {
        let memory = memory::probe();
        Self {
            cpu: Cpu::probe(),
            ram_total: memory.total,
            ram_free: memory.free,
            gpus: gpu::probe(),
            gpu_note: gpu::NOTE.to_owned(),
        }
    }

    /// A profile written down in JSON, for tests of what is decided from it.
    ///
    /// # Errors
    /// If `json` is not a profile.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_processor_and_memory() {
        let profile = HardwareProfile::probe();
        assert!(profile.cpu.logical_cores >= 1, "{profile:?}");
        assert!(profile.cpu.physical_cores >= 1, "{profile:?}");
        assert!(profile.cpu.physical_cores <= profile.cpu.logical_cores, "{profile:?}");
        assert!(profile.ram_total > 256 << 20, "{profile:?}");
        assert!(profile.ram_free > 0 && profile.ram_free <= profile.ram_total, "{profile:?}");
    }

    #[test]
    fn written_profiles_read_back_unchanged() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/profiles");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).expect("the profiles are part of the source") {
            let path = entry.expect("a folder entry").path();
            let json = std::fs::read_to_string(&path).expect("a readable profile");
            let profile = HardwareProfile::from_json(&json).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let again = serde_json::to_string_pretty(&profile).expect("plain data") + "\n";
            assert_eq!(again, json, "{}", path.display());
            read += 1;
        }
        assert!(read >= 3, "only {read} profiles were found");
    }
}
