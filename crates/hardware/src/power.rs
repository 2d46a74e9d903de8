//! Whether the computer runs on its battery.

#[cfg(any(target_os = "linux", target_os = "android", test))]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod macos;
#[cfg(windows)]
mod windows;

/// Whether the computer runs on its battery now; a computer without one does not. None where the system does not tell.
/// Cheap enough to be asked every few seconds: some small files on Linux, one call on Windows, a short process on a Mac that
/// has two seconds.
pub fn on_battery() -> Option<bool> {
    ask()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask() -> Option<bool> {
    linux::read(std::path::Path::new("/sys/class/power_supply"))
}

#[cfg(windows)]
fn ask() -> Option<bool> {
    windows::ask()
}

#[cfg(target_os = "macos")]
fn ask() -> Option<bool> {
    let mut command = std::process::Command::new("/usr/bin/pmset");
    command.args(["-g", "batt"]);
    macos::parse(&crate::child::output(&mut command)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", windows, target_os = "macos")))]
fn ask() -> Option<bool> {
    None
}
