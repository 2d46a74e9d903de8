//! Prints this machine's profile as JSON: `cargo run -p hardware --example probe`.
//!
//! `--again` asks for the free memory a second time and prints what it is then.

use std::process::ExitCode;

use hardware::HardwareProfile;

fn main() -> ExitCode {
    hardware::run_probe_if_asked();

    let mut profile = HardwareProfile::probe();
    if std::env::args().any(|arg| arg == "--again") {
        profile.refresh_free();
    }
    match serde_json::to_string_pretty(&profile) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
