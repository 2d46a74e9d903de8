//! What this computer is made of, for the page.

use crate::App;
use crate::dto::{GpuSummary, HardwareSummary, IpcError};
use crate::failure::Refusal;
use catalog::{Backends, Device};
use hardware::{Gpu, GpuMemory, HardwareProfile};

/// Processor, memory and graphics cards. Answers while the profile is locked: it tells nothing about a person.
///
/// # Errors
/// Only by a defect.
pub async fn get(_app: &App) -> Result<HardwareSummary, IpcError> {
    match tokio::task::spawn_blocking(HardwareProfile::probe).await {
        Ok(profile) => Ok(summary(&profile)),
        Err(_) => Err(Refusal::TaskDied { what: "looking at this computer" }.into()),
    }
}

fn summary(profile: &HardwareProfile) -> HardwareSummary {
    HardwareSummary {
        cpu: profile.cpu.model.clone(),
        cores: crate::convert::count(profile.cpu.physical_cores),
        ram_bytes: profile.ram_total as f64,
        ram_free_bytes: profile.ram_free as f64,
        gpus: profile.gpus.iter().enumerate().map(|(index, gpu)| card(profile, index, gpu)).collect(),
    }
}

fn card(profile: &HardwareProfile, index: usize, gpu: &Gpu) -> GpuSummary {
    let dedicated_bytes = match gpu.memory {
        GpuMemory::Dedicated { total, .. } => Some(total as f64),
        GpuMemory::Unified { .. } | GpuMemory::Unknown => None,
    };
    let (devices, _) = catalog::fit::devices(profile, Backends::of_this_build());
    let used = devices.iter().any(|one| matches!(one.device, Device::Gpu { index: at, .. } if at == index));
    GpuSummary { name: gpu.name.clone(), dedicated_bytes, used }
}
