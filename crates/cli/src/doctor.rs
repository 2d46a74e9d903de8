//! `aula doctor`

use std::fmt::Write as _;

use api::doctor::{CandidateReport, Circumstances, Report};
use api::engines::Overview;
use api::places::Places;
use serde::Serialize;

use crate::args::Doctor;
use crate::output::{Failure, columns, note, print_all, print_json, size};
use crate::preferred::preferred;

/// Examines this computer and prints what was found.
pub async fn run(args: Doctor) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let preferred = preferred(&places).await;
    let here = Circumstances::here(&places, args.context, preferred.as_deref());
    let report = api::doctor::examine(&catalog, here)?;
    let elsewhere = match api::engines::overview(&places).await {
        Ok(overview) => Some(overview),
        Err(error) => {
            let failure = Failure::from(error);
            note(&format!("note: who answers elsewhere could not be read from Settings ({})", failure.message()));
            None
        }
    };
    if args.json {
        print_json(&WithElsewhere { report: &report, elsewhere: &elsewhere })
    } else {
        print_all(&render(&report, elsewhere.as_ref()))
    }
}

/// The report with what is set up on other computers; null where that could not be read.
#[derive(Serialize)]
struct WithElsewhere<'a> {
    #[serde(flatten)]
    report: &'a Report,
    elsewhere: &'a Option<Overview>,
}

/// The report for people: the computer, what is installed, what could be, and last what is used and why.
fn render(report: &Report, elsewhere: Option<&Overview>) -> String {
    let mut text = computer(report);
    let _ = writeln!(text, "\nModels at a context length of {} tokens", report.context_len);
    text.push_str(&installed(report));
    text.push_str("\nModels to download\n");
    text.push_str(&offers(report));
    if let Some(overview) = elsewhere {
        text.push_str("\nOn other computers\n");
        text.push_str(&others(overview));
    }
    text.push_str(&choice(report));
    text
}

/// Cloud Boost and the school's server, without anything secret.
fn others(overview: &Overview) -> String {
    let switched = |on: bool| if on { "on" } else { "off" };
    let key = if overview.cloud_key_in_keychain { "key in the keychain" } else { "no key in the keychain" };
    let agreed = if overview.cloud_agreed { "agreed" } else { "nobody agreed yet" };
    let school = match &overview.school_host {
        None => "no address".to_owned(),
        Some(host) => format!("{host}, {}", overview.school_model.as_deref().unwrap_or("no model chosen")),
    };
    let managed = if overview.school_managed { ", set by aula.toml" } else { "" };
    columns(&[
        vec!["  Cloud Boost".to_owned(), format!("{}, {key}, {agreed}", switched(overview.cloud_on))],
        vec!["  School server".to_owned(), format!("{}, {school}{managed}", switched(overview.school_on))],
    ])
}

fn computer(report: &Report) -> String {
    let profile = &report.profile;
    let cpu = &profile.cpu;
    let name = if cpu.model.is_empty() { "unknown" } else { &cpu.model };
    let cores = format!("{} cores, {} threads, {}", cpu.physical_cores, cpu.logical_cores, cpu.simd.name());
    let memory = format!("{}, {} free", size(profile.ram_total), size(profile.ram_free));
    let mut facts = vec![("Processor", format!("{name} ({cores})")), ("Memory", memory)];
    facts.insert(1, ("Kernels", report.kernels.sentence()));
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

#[cfg(test)]
mod tests {
    use api::doctor::{Backends, Catalog, KernelsReport, KvElement, Trials};
    use expect_test::{Expect, expect};
    use test_support::synth::{Mix, Size, Spec, write_sparse};

    use super::*;

    /// The report of a machine whose profile is at hand, with both variants installed.
    fn check(machine: &str, backends: Backends, expected: &Expect) {
        let profiles = concat!(env!("CARGO_MANIFEST_DIR"), "/../hardware/tests/profiles");
        let json = std::fs::read_to_string(format!("{profiles}/{machine}.json")).expect("a profile");
        let folder = test_support::temp_folder();
        for (name, size) in [("e2b", Size::E2b), ("e4b", Size::E4b)] {
            let path = folder.path().join(format!("{name}.gguf"));
            write_sparse(&path, Spec::new(size, Mix::GoogleQatQ4_0)).expect("a file");
        }
        let here = Circumstances {
            profile: serde_json::from_str(&json).expect("a profile"),
            backends,
            context_len: 4096,
            preferred: None,
            trials: Trials::none(),
        };
        let mut report = api::doctor::examine(&Catalog::new(folder.path().to_owned(), None), here).expect("a report");
        // Which models are offered is another test's business.
        report.offers.truncate(2);
        // They are this machine's, not the profile's.
        report.kernels = KernelsReport { sets: [("Q4_0", "avx2"), ("rows", "avx2")].into(), error: None };
        expected.assert_eq(&render(&report, None));
    }

    #[test]
    fn a_laptop_whose_card_is_not_used() {
        check(
            "laptop-rtx-3050-6gb",
            Backends::CPU_ONLY,
            &expect![[r#"
                Processor  13th Gen Intel(R) Core(TM) i5-13420H (8 cores, 12 threads, AVX2 + VNNI)
                Kernels    avx2
                Memory     16.78 GB, 11.03 GB free
                Graphics   NVIDIA GeForce RTX 3050 6GB Laptop GPU (6.44 GB, 6.22 GB free): Card found, not used by this version.
                Graphics   Intel(R) UHD Graphics: Card found, not used by this version.

                Models at a context length of 4096 tokens
                  Gemma 4 E4B Q4_0  CPU  needs 3.17 GB  of 10.03 GB usable  fits  (weights 2.83 GB, KV cache 111.7 MB, scratch 233.6 MB)
                  Gemma 4 E2B Q4_0  CPU  needs 1.58 GB  of 10.03 GB usable  fits  (weights 1.41 GB, KV cache 38.5 MB, scratch 130.2 MB)

                Models to download
                  Gemma 4 E2B Q4_0  google  3.35 GB  fits this computer (CPU)  gemma-4-e2b-google-q4_0
                  Gemma 4 E4B Q4_0  google  5.15 GB  fits this computer (CPU)  gemma-4-e4b-google-q4_0

                It was not tried here yet; the first start tries it for a few seconds.
                Used: Gemma 4 E4B on CPU. It is the largest installed model that fits.
            "#]],
        );
    }

    #[test]
    fn a_laptop_whose_card_is_used() {
        let cuda = Backends { cuda: true, metal: false, cuda_kv: KvElement::F16 };
        check(
            "laptop-rtx-3050-6gb",
            cuda,
            &expect![[r#"
                Processor  13th Gen Intel(R) Core(TM) i5-13420H (8 cores, 12 threads, AVX2 + VNNI)
                Kernels    avx2
                Memory     16.78 GB, 11.03 GB free
                Graphics   NVIDIA GeForce RTX 3050 6GB Laptop GPU (6.44 GB, 6.22 GB free): Models can run on it.
                Graphics   Intel(R) UHD Graphics: Card found, not used by this version.

                Models at a context length of 4096 tokens
                  Gemma 4 E4B Q4_0  NVIDIA GeForce RTX 3050 6GB Laptop GPU  needs 3.22 GB  of 4.94 GB usable   fits  (weights 2.83 GB, KV cache 88.1 MB, scratch 305.7 MB)
                  Gemma 4 E4B Q4_0  CPU                                     needs 3.17 GB  of 10.03 GB usable  fits  (weights 2.83 GB, KV cache 111.7 MB, scratch 233.6 MB)
                  Gemma 4 E2B Q4_0  NVIDIA GeForce RTX 3050 6GB Laptop GPU  needs 1.65 GB  of 4.94 GB usable   fits  (weights 1.41 GB, KV cache 31.5 MB, scratch 216.3 MB)
                  Gemma 4 E2B Q4_0  CPU                                     needs 1.58 GB  of 10.03 GB usable  fits  (weights 1.41 GB, KV cache 38.5 MB, scratch 130.2 MB)

                Models to download
                  Gemma 4 E2B Q4_0  google  3.35 GB  fits this computer (NVIDIA GeForce RTX 3050 6GB Laptop GPU)  gemma-4-e2b-google-q4_0
                  Gemma 4 E4B Q4_0  google  5.15 GB  fits this computer (NVIDIA GeForce RTX 3050 6GB Laptop GPU)  gemma-4-e4b-google-q4_0

                It was not tried here yet; the first start tries it for a few seconds.
                Used: Gemma 4 E4B on NVIDIA GeForce RTX 3050 6GB Laptop GPU. It is the largest installed model that fits.
            "#]],
        );
    }

    #[test]
    fn an_old_laptop_on_which_nothing_fits() {
        check(
            "old-laptop-4gb",
            Backends::CPU_ONLY,
            &expect![[r#"
                Processor  Intel(R) Core(TM) i3-3110M CPU @ 2.40GHz (2 cores, 4 threads, SSE 4.2)
                Kernels    avx2
                Memory     4.09 GB, 2.25 GB free
                Graphics   Intel graphics 8086:0166: Card found, not used by this version.

                Models at a context length of 4096 tokens
                  Gemma 4 E4B Q4_0  CPU  needs 3.17 GB  of 1.25 GB usable  does not fit  (weights 2.83 GB, KV cache 111.7 MB, scratch 233.6 MB)
                  Gemma 4 E2B Q4_0  CPU  needs 1.58 GB  of 1.25 GB usable  does not fit  (weights 1.41 GB, KV cache 38.5 MB, scratch 130.2 MB)

                Models to download
                  Gemma 4 E2B Q4_0  google  3.35 GB  fits this computer when other programs are closed  gemma-4-e2b-google-q4_0
                  Gemma 4 E4B Q4_0  google  5.15 GB  too large for this computer                        gemma-4-e4b-google-q4_0

                Not used: Gemma 4 E4B needs 3.17 GB on CPU, which never has more than 3.09 GB for it: this computer has too little memory there.
                Not used: Gemma 4 E2B needs 1.58 GB on CPU, and 1.25 GB may be used now: close other programs.
                Used: none. No installed model can be used here now; close other programs or install a smaller model.
            "#]],
        );
    }
}
