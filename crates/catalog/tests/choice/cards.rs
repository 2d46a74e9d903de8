//! Cards of 4, 6, 8 and 12 GB and every published quantization.

use catalog::fit::{Device, DeviceMemory, KvElement};
use catalog::{Candidate, InstalledModel, Reason, Rejection, Trials, choose};

use crate::models::{all_names, installed};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const CONTEXT_LEN: usize = 8192;

/// A card as it is sold, the screen and the driver holding some of it.
fn card(gib: u64) -> DeviceMemory {
    let device = Device::Gpu { index: 0, name: format!("{gib} GB card") };
    DeviceMemory::of_card(device, gib * GIB, Some(gib * GIB - 300 * MIB), KvElement::F16)
}

fn mib(bytes: u64) -> f64 {
    (bytes as f64 / MIB as f64 * 10.0).round() / 10.0
}

/// The processor of a computer on which nothing fits.
fn no_processor() -> DeviceMemory {
    DeviceMemory { device: Device::Cpu, usable: 0, usable_at_most: 0, kv: KvElement::F32 }
}

fn candidates(models: &[InstalledModel], devices: &[DeviceMemory]) -> Vec<Candidate> {
    let on = |model: &InstalledModel| devices.iter().map(|one| model.candidate_on(one.clone(), CONTEXT_LEN)).collect();
    models.iter().flat_map(|model| -> Vec<Candidate> { on(model) }).collect()
}

/// Megabytes of 2^20 bytes that each file puts on a card, and on which cards it fits.
#[test]
fn bytes_needed_and_the_cards_they_fit() {
    let expected = [
        // name, weights in MiB, KV cache in MiB, fits 4, 6, 8, 12 GB
        ("e2b-qat-q4_0", 1341.8, 54.0, [true, true, true, true]),
        ("e2b-q4_k_m", 1405.2, 54.0, [true, true, true, true]),
        ("e2b-unsloth-q4_k_m", 1396.4, 54.0, [true, true, true, true]),
        ("e2b-q8_0", 2323.1, 54.0, [true, true, true, true]),
        ("e4b-qat-q4_0", 2696.0, 148.0, [false, true, true, true]),
        ("e4b-q4_k_m", 2834.9, 148.0, [false, true, true, true]),
        ("e4b-unsloth-q4_k_m", 2850.4, 148.0, [false, true, true, true]),
        ("e4b-q8_0", 4732.3, 148.0, [false, false, true, true]),
    ];
    for model in installed(&all_names()) {
        let need = model.inspection.memory_need_with(CONTEXT_LEN, KvElement::F16);
        let fits = [4, 6, 8, 12].map(|gib| model.candidate_on(card(gib), CONTEXT_LEN).fits());
        let found = (model.id.as_str(), mib(need.weights), mib(need.kv_cache), fits);
        assert!(expected.contains(&found), "{found:?}, scratch {}", mib(need.scratch));
    }
}

#[test]
fn usable_bytes_of_each_card() {
    for (gib, usable_mb) in [(4, 2794), (6, 4942), (8, 7089), (12, 11_384)] {
        assert_eq!(card(gib).usable / 1_000_000, usable_mb, "{gib} GB");
    }
    // A game that is open takes what it takes.
    let busy = DeviceMemory::of_card(card(6).device, 6 * GIB, Some(2 * GIB), KvElement::F16);
    assert_eq!((busy.usable, busy.usable_at_most), (2 * GIB, 6 * GIB - 1_500_000_000));
}

/// What is chosen on a card when these files are installed.
fn check(names: &[&str], expected: [(u64, Option<&str>); 4]) {
    let models = installed(names);
    for (gib, id) in expected {
        let candidates = candidates(&models, &[card(gib), no_processor()]);
        let choice = choose(&candidates, None, &Trials::none());
        let chosen = choice.candidate.as_ref().map(|one| (one.id.as_str(), one.device.is_gpu()));
        assert_eq!(chosen, id.map(|id| (id, true)), "{gib} GB, {names:?}");
        assert_eq!(choice.reason, if id.is_some() { Reason::LargestThatFits } else { Reason::NothingFits });
        assert_eq!(choice.needs_trial, id.is_some());
    }
}

#[test]
fn the_choice_on_each_card() {
    let e2b = "e2b-qat-q4_0";
    let e4b = "e4b-qat-q4_0";
    check(&all_names(), [(4, Some(e2b)), (6, Some(e4b)), (8, Some(e4b)), (12, Some(e4b))]);
    // What was trained for four bits comes first, then what needs least.
    check(&["e2b-q8_0", "e2b-q4_k_m"], [4, 6, 8, 12].map(|gib| (gib, Some("e2b-q4_k_m"))));
    check(&["e2b-q4_k_m", "e2b-unsloth-q4_k_m"], [4, 6, 8, 12].map(|gib| (gib, Some("e2b-unsloth-q4_k_m"))));
    let (small, large) = (Some("e2b-q4_k_m"), Some("e4b-q8_0"));
    check(&["e2b-q4_k_m", "e4b-q8_0"], [(4, small), (6, small), (8, large), (12, large)]);
    check(&["e4b-q8_0"], [(4, None), (6, None), (8, Some("e4b-q8_0")), (12, Some("e4b-q8_0"))]);
    check(&["e4b-qat-q4_0", "e4b-q8_0"], [(4, None), (6, Some(e4b)), (8, Some(e4b)), (12, Some(e4b))]);
}

#[test]
fn the_larger_variant_on_the_processor_beats_the_smaller_on_the_card() {
    let models = installed(&["e2b-qat-q4_0", "e4b-qat-q4_0"]);
    let cpu = DeviceMemory { usable: 8 * GIB, usable_at_most: 14 * GIB, ..no_processor() };
    let choice = choose(&candidates(&models, &[card(4), cpu]), None, &Trials::none());
    let chosen = choice.candidate.unwrap();
    assert_eq!((chosen.id.as_str(), chosen.device), ("e4b-qat-q4_0", Device::Cpu));
    assert_eq!(choice.rejected.len(), 1, "{:?}", choice.rejected);
    assert!(matches!(choice.rejected[0].why, Rejection::TooLarge { could_fit: false, .. }), "{:?}", choice.rejected);
}

#[test]
fn of_two_cards_the_one_with_most_memory_and_never_both() {
    let second = |gib: u64| {
        let device = Device::Gpu { index: 1, name: "second".to_owned() };
        DeviceMemory::of_card(device, gib * GIB, None, KvElement::F16)
    };
    let models = installed(&["e2b-qat-q4_0", "e4b-q8_0"]);
    let choice = |devices: &[DeviceMemory]| {
        let chosen = choose(&candidates(&models, devices), None, &Trials::none()).candidate.unwrap();
        (chosen.id, chosen.device.name().to_owned())
    };
    assert_eq!(choice(&[card(4), second(8), no_processor()]), ("e4b-q8_0".to_owned(), "second".to_owned()));
    assert_eq!(choice(&[card(12), second(8), no_processor()]), ("e4b-q8_0".to_owned(), "12 GB card".to_owned()));
    // 6 and 4 GB together would hold it; one of them does not.
    assert_eq!(choice(&[card(4), second(6), no_processor()]), ("e2b-qat-q4_0".to_owned(), "second".to_owned()));
}

#[test]
fn only_files_trained_for_four_bits_are_taken_for_such() {
    let qat: Vec<_> = installed(&all_names()).into_iter().filter(|one| one.inspection.qat).map(|one| one.id).collect();
    assert_eq!(qat, ["e2b-qat-q4_0", "e4b-qat-q4_0"]);
}

#[test]
fn all_files_of_a_variant_have_the_same_rank() {
    let mut parameters: Vec<_> =
        installed(&all_names()).iter().map(|one| one.inspection.effective_parameters).collect();
    parameters.dedup();
    // All parameters less the per-layer table, unused keys and values, and the constants of the rotary embedding.
    let e2b = 4_647_450_147 - 2_348_810_240 - 18_880_512 - 256;
    let e4b = 7_518_069_290 - 2_818_572_288 - 55_055_616 - 256;
    assert_eq!(parameters, [e2b, e4b]);
}
