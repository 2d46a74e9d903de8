//! `aula doctor`

use std::fmt::Write as _;

use api::doctor::{CandidateReport, Circumstances, Report};
use api::places::Places;

use crate::args::Doctor;
use crate::output::{Failure, columns, print_all, print_json, size};
use crate::preferred::preferred;

/// Examines this computer and prints what was found.
pub async fn run(args: Doctor) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let preferred = preferred(&places).await;
    let here = Circumstances::here(&places, args.context, preferred.as_deref());
    let report = api::doctor::examine(&catalog, here)?;
    if args.json { print_json(&report) } else { print_all(&render(&report)) }
}

/// The report for people: the computer, what is installed, what could be, and last what is used and why.
fn render(report: &Report) -> String {
    let mut text = computer(report);
    let _ = writeln!(text, "\nModels at a context length of {} tokens", report.context_len);
    text.push_str(&installed(report));
    text.push_str("\nModels to download\n");
    text.push_str(&offers(report));
    text.push_str(&choice(report));
    text
}

fn computer(report: &Report) -> String {
    let profile = &report.profile;
    let cpu = &profile.cpu;
    let name = if cpu.model.is_empty() { "unknown" } else { &cpu.model };
    let cores = format!("{} cores, {} threads, {}", cpu.physical_cores, cpu.logical_cores, cpu.simd.name());
    let memory = format!("{}, {} free", size(profile.ram_total), size(profile.ram_free));
    let mut facts = vec![("Processor", format!("{name} ({cores})")), ("Memory", memory)];
    if report.cards.is_empty() {
        facts.push(("Graphics", "no card was found".to_owned()));
    }
    for card in &report.cards {
        let memory = match (card.dedicated_bytes, card.free_bytes) {
            (Some(total), Some(free)) => format!(" ({}, {} free)", size(total), size(free)),
            (Some(total), None) => format!(" ({})", size(total)),
            (None, _) => String::new(),
        };
        facts.push(("Graphics", format!("{}{memory}: {}", card.name, card.sentence)));
    }
    facts.extend(profile.probe_notes.iter().map(|note| ("Note", format!("{}: {}", note.source.name(), note.what))));
    columns(&facts.into_iter().map(|(what, fact)| vec![what.to_owned(), fact]).collect::<Vec<_>>())
}

fn installed(report: &Report) -> String {
    let row = |candidate: &CandidateReport| {
        let need = &candidate.need;
        let parts = [("weights", need.weights), ("KV cache", need.kv_cache), ("scratch", need.scratch)];
        let parts: Vec<_> = parts.iter().map(|(part, bytes)| format!("{part} {}", size(*bytes))).collect();
        vec![
            format!("  {} {}", candidate.name, candidate.quantization),
            candidate.device.clone(),
            format!("needs {}", size(candidate.needed_bytes)),
            format!("of {} usable", size(candidate.usable_bytes)),
            if candidate.fits { "fits" } else { "does not fit" }.to_owned(),
            format!("({})", parts.join(", ")),
            candidate.trial.as_ref().map(|trial| format!("Tried: {}", trial.sentence)).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = report.candidates.iter().map(row).collect();
    let mut text = if rows.is_empty() { "  none installed\n".to_owned() } else { columns(&rows) };
    for file in &report.unusable {
        let _ = writeln!(text, "  {}: {}", file.file, file.error);
    }
    text
}

fn offers(report: &Report) -> String {
    let rows: Vec<_> = report
        .offers
        .iter()
        .map(|offer| {
            let verdict = match &offer.fits_on {
                Some(device) => format!("fits this computer ({device})"),
                None if offer.could_fit => "fits this computer when other programs are closed".to_owned(),
                None => "too large for this computer".to_owned(),
            };
            let name = format!("  {} {}", offer.name, offer.quantization);
            vec![name, offer.publisher.clone(), size(offer.file_bytes), verdict, offer.id.clone()]
        })
        .collect();
    if rows.is_empty() { "  none\n".to_owned() } else { columns(&rows) }
}

fn choice(report: &Report) -> String {
    let choice = &report.choice;
    let mut text = String::from("\n");
    for rejected in &choice.rejected {
        let _ = writeln!(text, "Not used: {}", rejected.sentence);
    }
    if choice.needs_trial {
        text.push_str("It was not tried here yet; the first start tries it for a few seconds.\n");
    }
    let _ = match (&choice.name, &choice.device) {
        (Some(name), Some(device)) => writeln!(text, "Used: {name} on {device}. {}", choice.sentence),
        _ => writeln!(text, "Used: none. {}", choice.sentence),
    };
    text
}
