//! `aula doctor`

use std::fmt::Write as _;

use api::doctor::Report;
use api::places::Places;

use crate::args::Doctor;
use crate::output::{Failure, columns, print_all, print_json, size};
use crate::preferred::preferred;

/// Examines this computer and prints what was found.
pub async fn run(args: Doctor) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let preferred = preferred(&places).await;
    let report = api::doctor::examine(&catalog, api::doctor::probe(), args.context, preferred.as_deref())?;
    if args.json { print_json(&report) } else { print_all(&render(&report)) }
}

/// The report for people.
fn render(report: &Report) -> String {
    let profile = &report.profile;
    let cpu = &profile.cpu;
    let name = if cpu.model.is_empty() { "unknown" } else { &cpu.model };
    let cores = format!("{} cores, {} threads, {}", cpu.physical_cores, cpu.logical_cores, cpu.simd.name());
    let memory = format!("{}, {} free", size(profile.ram_total), size(profile.ram_free));
    let mut facts = vec![vec!["Processor".to_owned(), format!("{name} ({cores})")], vec!["Memory".to_owned(), memory]];
    for gpu in &profile.gpus {
        let what = format!("{} card {}: found, not used by this version", gpu.vendor.name(), gpu.pci_id);
        facts.push(vec!["Graphics".to_owned(), what]);
    }
    if profile.gpus.is_empty() {
        facts.push(vec!["Graphics".to_owned(), profile.gpu_note.clone()]);
    }
    let mut text = columns(&facts);
    let _ = writeln!(text, "\nModels at a context length of {} tokens", report.context_len);
    let rows: Vec<_> = report
        .candidates
        .iter()
        .map(|candidate| {
            vec![
                format!("  {} {}", candidate.name, candidate.quantization),
                candidate.device.clone(),
                format!("needs {}", size(candidate.needed_bytes)),
                format!("of {} usable", size(candidate.usable_bytes)),
                if candidate.fits { "fits" } else { "does not fit" }.to_owned(),
            ]
        })
        .collect();
    text.push_str(&if rows.is_empty() { "  none installed\n".to_owned() } else { columns(&rows) });
    for file in &report.unusable {
        let _ = writeln!(text, "  {}: {}", file.file, file.error);
    }
    let choice = &report.choice;
    let _ = match (&choice.name, &choice.device) {
        (Some(name), Some(device)) => writeln!(text, "\nUsed: {name} on {device}. {}", choice.sentence),
        _ => writeln!(text, "\nUsed: none. {}", choice.sentence),
    };
    text
}
