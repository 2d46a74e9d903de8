//! Windows' own account of its supply.

#![expect(unsafe_code, reason = "Windows writes its answer into a structure of ours")]

use windows::Win32::System::Power::{GetSystemPowerStatus, SYSTEM_POWER_STATUS};

pub(super) fn ask() -> Option<bool> {
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: the structure outlives the call, which writes nothing else.
    unsafe { GetSystemPowerStatus(&raw mut status) }.ok()?;
    match status.ACLineStatus {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}
