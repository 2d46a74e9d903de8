//! The written profiles: each reads back unchanged, and each gives the card and the usable bytes that it should.

use std::{collections::BTreeMap, path::Path};

use hardware::{GpuKind, GpuMemory, HardwareProfile, Vendor, usable_vram};

/// All profiles by name, with their text.
fn profiles() -> BTreeMap<String, (HardwareProfile, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    let mut profiles = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the profiles are part of the source") {
        let path = entry.expect("a folder entry").path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let json = std::fs::read_to_string(&path).expect("a readable profile");
        let profile = HardwareProfile::from_json(&json).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        profiles.insert(name.to_owned(), (profile, json));
    }
    profiles
}

/// Machine, the card that is picked, and the bytes that a model may use on it.
const EXPECTED: &[(&str, Option<(&str, u64)>)] = &[
    ("chromebook-celeron-4gb", None),
    ("desktop-8gb-nothing", None),
    ("desktop-arc-a770-16gb", Some(("Intel(R) Arc(tm) A770 Graphics (DG2)", 15_323_955_200))),
    ("desktop-gtx-1650-4gb", Some(("NVIDIA GeForce GTX 1650", 2_794_967_296))),
    ("desktop-rtx-3060-12gb", Some(("NVIDIA GeForce RTX 3060", 11_384_901_888))),
    ("desktop-rx-6600-8gb", Some(("AMD Radeon RX 6600", 7_044_419_840))),
    // The larger one is busy with something else.
    ("desktop-two-nvidia", Some(("NVIDIA GeForce GTX 1080 Ti", 10_311_160_064))),
    ("laptop-16gb-hybrid", Some(("NVIDIA GeForce RTX 3050 Laptop GPU", 2_794_967_296))),
    ("laptop-8gb-no-gpu", None),
    ("laptop-mx350-2gb", Some(("NVIDIA GeForce MX350", 647_483_648))),
    ("laptop-rtx-3050-6gb", Some(("NVIDIA GeForce RTX 3050 6GB Laptop GPU", 4_942_450_944))),
    ("laptop-rtx-4060-8gb", Some(("NVIDIA GeForce RTX 4060 Laptop GPU", 7_085_740_288))),
    ("laptop-ryzen-7840u-16gb", None),
    ("macbook-air-m2-8gb", None),
    ("macbook-pro-m3-pro-18gb", None),
    ("nvidia-h100-server", Some(("NVIDIA H100 80GB HBM3", 84_020_809_984))),
    ("old-laptop-4gb", None),
    ("raspberry-pi-5-8gb", None),
    ("virtual-machine-8gb", None),
];

#[test]
fn each_machine_gives_the_card_and_the_bytes_that_it_should() {
    let profiles = profiles();
    let names: Vec<_> = profiles.keys().map(String::as_str).collect();
    let expected: Vec<_> = EXPECTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "one line for each profile");
    for (name, expected) in EXPECTED {
        let best = profiles[*name].0.best_gpu();
        let found = best.map(|gpu| (gpu.name.as_str(), usable_vram(gpu).expect("it has memory of its own")));
        assert_eq!(found, *expected, "{name}");
    }
}

#[test]
fn written_profiles_read_back_unchanged() {
    for (name, (profile, json)) in profiles() {
        let again = serde_json::to_string_pretty(&profile).expect("plain data") + "\n";
        assert_eq!(again, json, "{name}");
    }
}

#[test]
fn on_laptops_with_two_graphics_processors_the_card_is_picked() {
    for name in ["laptop-16gb-hybrid", "laptop-mx350-2gb", "laptop-rtx-3050-6gb", "laptop-rtx-4060-8gb"] {
        let (profile, _) = &profiles()[name];
        let kinds: Vec<_> = profile.gpus.iter().map(|gpu| gpu.kind).collect();
        assert_eq!(kinds, [GpuKind::Discrete, GpuKind::Integrated], "{name}");
        // The order in which the system lists them does not matter.
        let mut turned = profile.clone();
        turned.gpus.reverse();
        assert_eq!(turned.best_gpu(), profile.best_gpu(), "{name}");
        assert_eq!(profile.best_gpu().map(|gpu| gpu.kind), Some(GpuKind::Discrete), "{name}");
    }
}

#[test]
fn shared_memory_is_never_counted_as_a_cards_own() {
    let mut shared = 0;
    for (name, (profile, _)) in profiles() {
        for gpu in profile.gpus.iter().filter(|gpu| gpu.kind == GpuKind::Integrated) {
            assert!(matches!(gpu.memory, GpuMemory::Unified { .. }), "{name}: {gpu:?}");
            assert_eq!(usable_vram(gpu), None, "{name}: {gpu:?}");
            shared += 1;
        }
    }
    assert!(shared >= 8, "only {shared} such processors were found");
}

#[test]
fn apples_machines_say_what_the_system_recommends() {
    for (name, expected) in [("macbook-air-m2-8gb", 5_726_633_984), ("macbook-pro-m3-pro-18gb", 12_884_901_888)] {
        let gpu = &profiles()[name].0.gpus[0];
        assert_eq!(gpu.vendor, Vendor::Apple, "{name}");
        assert_eq!(gpu.memory, GpuMemory::Unified { working_set: Some(expected) }, "{name}");
    }
}
