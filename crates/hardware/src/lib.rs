//! What this computer is made of: processor, memory, graphics cards.
//!
//! [`HardwareProfile::probe`] looks; everything else in the project works on the plain data it returns, so that a
//! profile written down in JSON can stand in for a machine that is not at hand.
//! `tests/profiles` holds such profiles; its README says which are recorded and which are written from data sheets.
//!
//! Graphics drivers are not trusted: every source of facts about cards is asked in a process of its own that has two
//! seconds ([`gpu::probe`]). Programs whose `main` begins with [`run_probe_if_asked`] can be such a process.

pub mod cpu;
pub mod gpu;
pub mod power;
pub mod topology;

#[cfg(any(target_os = "macos", test))]
mod child;
mod memory;
pub mod network;
#[cfg(test)]
mod test_tree;

pub use cpu::{Cpu, SimdLevel};
pub use gpu::{
    ComputeCapability, Gpu, GpuKind, GpuMemory, Source, Vendor,
    choice::{VRAM_RESERVE_BYTES, usable_vram},
    probe::{ProbeCommand, ProbeNote, run_probe_if_asked},
};
use serde::{Deserialize, Serialize};
pub use topology::{ThreadPlan, Topology, compute_threads};

/// What is known about one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareProfile {
    /// The processor.
    pub cpu: Cpu,
    /// Memory that programs can have in all, in bytes; a container's limit where there is one.
    pub ram_total: u64,
    /// Memory that could be had now without swapping, in bytes.
    pub ram_free: u64,
    /// Graphics cards that were found, each once.
    pub gpus: Vec<Gpu>,
    /// Sources of facts about cards that failed, and how.
    pub probe_notes: Vec<ProbeNote>,
}

impl HardwareProfile {
    /// Looks at this machine. Never fails: what cannot be read is zero or empty.
    ///
    /// Main memory is read anew each time. Cards are asked for once in the life of the process, which takes two seconds at
    /// the longest; what is free on them is from then, until [`Self::refresh_free`].
    pub fn probe() -> Self {
        let probed = gpu::probe::probe_once();
        Self::with_cards(probed.gpus.clone(), probed.notes.clone())
    }

    /// Looks at this machine and asks for the cards by means of `command`, each time anew.
    pub fn probe_with(command: &ProbeCommand) -> Self {
        let probed = gpu::probe::probe_with(command);
        Self::with_cards(probed.gpus, probed.notes)
    }

    fn with_cards(gpus: Vec<Gpu>, probe_notes: Vec<ProbeNote>) -> Self {
        let memory = memory::probe();
        Self { cpu: Cpu::probe(), ram_total: memory.total, ram_free: memory.free, gpus, probe_notes }
    }

    /// Reads again how much memory is free, in the computer and on its cards. A card that does not answer keeps what it had;
    /// `probe_notes` then says why. Takes two seconds at the longest, and next to nothing without a card that has
    /// memory of its own.
    pub fn refresh_free(&mut self) {
        match gpu::probe::own_command() {
            Some(command) => self.refresh_free_with(&command),
            None => self.ram_free = memory::probe().free,
        }
    }

    /// As [`Self::refresh_free`], asking the cards by means of `command`.
    pub fn refresh_free_with(&mut self, command: &ProbeCommand) {
        let notes = gpu::probe::refresh_free(&mut self.gpus, command);
        self.probe_notes.retain(|old| notes.iter().all(|new| new.source != old.source));
        self.probe_notes.extend(notes);
        self.ram_free = memory::probe().free;
    }

    /// The card with the most usable memory of its own, see [`usable_vram`]; none if no card has any.
    pub fn best_gpu(&self) -> Option<&Gpu> {
        gpu::choice::best_gpu(&self.gpus)
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
}
