//! What this computer is made of, for the page.

use crate::App;
use crate::dto::{GpuSummary, HardwareSummary, IpcError};
use crate::failure::Refusal;
use hardware::HardwareProfile;

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
        gpus: profile
            .gpus
            .iter()
            .map(|gpu| GpuSummary { name: gpu.vendor.name().to_owned(), dedicated_bytes: None, used: gpu.used })
            .collect(),
    }
}
