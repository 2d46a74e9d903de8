//! What is chosen on each class of machine, from the profiles of the hardware crate.

use std::fmt::Write as _;
use std::path::Path;

use catalog::fit::{KvElement, devices};
use catalog::{Backends, Choice, InstalledModel, Trials, choose};
use expect_test::{Expect, expect};
use hardware::HardwareProfile;

use crate::models::installed;

const CONTEXT_LEN: usize = 8192;
/// As it will be: our own path on NVIDIA cards.
const CUDA: Backends = Backends { cuda: true, metal: false, cuda_kv: KvElement::F16 };
/// As it can be built on a Mac: the plain path on Apple's graphics processor.
const METAL: Backends = Backends { cuda: false, metal: true, cuda_kv: KvElement::F16 };

/// The classes, by the names of their profiles.
const MACHINES: [&str; 19] = [
    "chromebook-celeron-4gb",
    "desktop-8gb-nothing",
    "desktop-arc-a770-16gb",
    "desktop-gtx-1650-4gb",
    "desktop-rtx-3060-12gb",
    "desktop-rx-6600-8gb",
    "desktop-two-nvidia",
    "laptop-16gb-hybrid",
    "laptop-8gb-no-gpu",
    "laptop-mx350-2gb",
    "laptop-rtx-3050-6gb",
    "laptop-rtx-4060-8gb",
    "laptop-ryzen-7840u-16gb",
    "macbook-air-m2-8gb",
    "macbook-pro-m3-pro-18gb",
    "nvidia-h100-server",
    "old-laptop-4gb",
    "raspberry-pi-5-8gb",
    "virtual-machine-8gb",
];

fn machines() -> impl Iterator<Item = (&'static str, HardwareProfile)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hardware/tests/profiles");
    MACHINES.into_iter().map(move |name| {
        let json = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        (name, HardwareProfile::from_json(&json).unwrap())
    })
}

fn choice(models: &[InstalledModel], profile: &HardwareProfile, backends: Backends) -> Choice {
    let candidates: Vec<_> = models.iter().flat_map(|model| model.candidates(profile, CONTEXT_LEN, backends)).collect();
    choose(&candidates, None, &Trials::none())
}

/// One line for each machine: what is chosen of `names`, then what keeps better ones from it.
fn check(names: &[&str], backends: Backends, expected: &Expect) {
    let models = installed(names);
    let mut table = String::new();
    for (machine, profile) in machines() {
        let choice = choice(&models, &profile, backends);
        let (id, device) = match &choice.candidate {
            Some(chosen) => (chosen.id.as_str(), chosen.device.name()),
            None => ("none", "-"),
        };
        let could = choice.rejected.iter().filter(|one| one.candidate.need.total() <= one.candidate.usable_at_most);
        let _ = writeln!(
            table,
            "{machine}: {id} on {device}, {} passed over, {} could fit",
            choice.rejected.len(),
            could.count()
        );
    }
    expected.assert_eq(&table);
}

const BOTH: [&str; 2] = ["e2b-qat-q4_0", "e4b-qat-q4_0"];

#[test]
fn with_the_processor_alone() {
    check(
        &BOTH,
        Backends::CPU_ONLY,
        &expect![[r#"
        chromebook-celeron-4gb: none on -, 2 passed over, 1 could fit
        desktop-8gb-nothing: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-arc-a770-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-gtx-1650-4gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-rtx-3060-12gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-rx-6600-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-two-nvidia: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-16gb-hybrid: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-8gb-no-gpu: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-mx350-2gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-rtx-3050-6gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-rtx-4060-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-ryzen-7840u-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        macbook-air-m2-8gb: e2b-qat-q4_0 on CPU, 1 passed over, 1 could fit
        macbook-pro-m3-pro-18gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        nvidia-h100-server: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        old-laptop-4gb: none on -, 2 passed over, 1 could fit
        raspberry-pi-5-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        virtual-machine-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
    "#]],
    );
}

#[test]
fn with_nvidia_cards() {
    check(
        &BOTH,
        CUDA,
        &expect![[r#"
        chromebook-celeron-4gb: none on -, 2 passed over, 1 could fit
        desktop-8gb-nothing: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-arc-a770-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-gtx-1650-4gb: e4b-qat-q4_0 on CPU, 1 passed over, 0 could fit
        desktop-rtx-3060-12gb: e4b-qat-q4_0 on NVIDIA GeForce RTX 3060, 0 passed over, 0 could fit
        desktop-rx-6600-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-two-nvidia: e4b-qat-q4_0 on NVIDIA GeForce GTX 1080 Ti, 0 passed over, 0 could fit
        laptop-16gb-hybrid: e4b-qat-q4_0 on CPU, 1 passed over, 0 could fit
        laptop-8gb-no-gpu: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-mx350-2gb: e4b-qat-q4_0 on CPU, 1 passed over, 0 could fit
        laptop-rtx-3050-6gb: e4b-qat-q4_0 on NVIDIA GeForce RTX 3050 6GB Laptop GPU, 0 passed over, 0 could fit
        laptop-rtx-4060-8gb: e4b-qat-q4_0 on NVIDIA GeForce RTX 4060 Laptop GPU, 0 passed over, 0 could fit
        laptop-ryzen-7840u-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        macbook-air-m2-8gb: e2b-qat-q4_0 on CPU, 1 passed over, 1 could fit
        macbook-pro-m3-pro-18gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        nvidia-h100-server: e4b-qat-q4_0 on NVIDIA H100 80GB HBM3, 0 passed over, 0 could fit
        old-laptop-4gb: none on -, 2 passed over, 1 could fit
        raspberry-pi-5-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        virtual-machine-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
    "#]],
    );
}

#[test]
fn with_apples_graphics_processor() {
    check(
        &BOTH,
        METAL,
        &expect![[r#"
        chromebook-celeron-4gb: none on -, 2 passed over, 1 could fit
        desktop-8gb-nothing: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-arc-a770-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-gtx-1650-4gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-rtx-3060-12gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-rx-6600-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        desktop-two-nvidia: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-16gb-hybrid: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-8gb-no-gpu: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-mx350-2gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-rtx-3050-6gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-rtx-4060-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        laptop-ryzen-7840u-16gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        macbook-air-m2-8gb: e2b-qat-q4_0 on Apple M2, 2 passed over, 2 could fit
        macbook-pro-m3-pro-18gb: e4b-qat-q4_0 on Apple M3 Pro, 0 passed over, 0 could fit
        nvidia-h100-server: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        old-laptop-4gb: none on -, 2 passed over, 1 could fit
        raspberry-pi-5-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
        virtual-machine-8gb: e4b-qat-q4_0 on CPU, 0 passed over, 0 could fit
    "#]],
    );
}

#[test]
fn where_only_the_eight_bit_file_of_the_large_variant_is_installed() {
    check(
        &["e4b-q8_0"],
        CUDA,
        &expect![[r#"
        chromebook-celeron-4gb: none on -, 1 passed over, 0 could fit
        desktop-8gb-nothing: none on -, 1 passed over, 1 could fit
        desktop-arc-a770-16gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
        desktop-gtx-1650-4gb: none on -, 2 passed over, 1 could fit
        desktop-rtx-3060-12gb: e4b-q8_0 on NVIDIA GeForce RTX 3060, 0 passed over, 0 could fit
        desktop-rx-6600-8gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
        desktop-two-nvidia: e4b-q8_0 on NVIDIA GeForce GTX 1080 Ti, 0 passed over, 0 could fit
        laptop-16gb-hybrid: e4b-q8_0 on CPU, 1 passed over, 0 could fit
        laptop-8gb-no-gpu: none on -, 1 passed over, 1 could fit
        laptop-mx350-2gb: none on -, 2 passed over, 1 could fit
        laptop-rtx-3050-6gb: e4b-q8_0 on CPU, 1 passed over, 0 could fit
        laptop-rtx-4060-8gb: e4b-q8_0 on NVIDIA GeForce RTX 4060 Laptop GPU, 0 passed over, 0 could fit
        laptop-ryzen-7840u-16gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
        macbook-air-m2-8gb: none on -, 1 passed over, 1 could fit
        macbook-pro-m3-pro-18gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
        nvidia-h100-server: e4b-q8_0 on NVIDIA H100 80GB HBM3, 0 passed over, 0 could fit
        old-laptop-4gb: none on -, 1 passed over, 0 could fit
        raspberry-pi-5-8gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
        virtual-machine-8gb: e4b-q8_0 on CPU, 0 passed over, 0 could fit
    "#]],
    );
}

/// Bytes of each device, and the verdict on cards that are not used.
#[test]
fn devices_and_unused_cards_of_each_machine() {
    let mut table = String::new();
    for (machine, profile) in machines() {
        let (found, unused) = devices(&profile, CUDA);
        let found = found.iter().map(|one| format!("{} {} MB", one.device.name(), one.usable / 1_000_000));
        let _ = writeln!(table, "{machine}: {}", found.collect::<Vec<_>>().join(", "));
        for card in unused {
            let _ = writeln!(table, "  {}: {}", profile.gpus[card.index].name, card.why.sentence());
        }
    }
    expect![[r#"
        chromebook-celeron-4gb: CPU 932 MB
          Intel(R) UHD Graphics 600 (GLK 2): Card found, not used by this version.
        desktop-8gb-nothing: CPU 4906 MB
        desktop-arc-a770-16gb: CPU 11025 MB
          Intel(R) Arc(tm) A770 Graphics (DG2): Card found, not used by this version.
        desktop-gtx-1650-4gb: NVIDIA GeForce GTX 1650 2794 MB, CPU 4261 MB
        desktop-rtx-3060-12gb: NVIDIA GeForce RTX 3060 11384 MB, CPU 23696 MB
        desktop-rx-6600-8gb: CPU 11348 MB
          AMD Radeon RX 6600: Card found, not used by this version.
        desktop-two-nvidia: NVIDIA GeForce GTX 1080 Ti 10311 MB, NVIDIA GeForce RTX 3090 6312 MB, CPU 54834 MB
        laptop-16gb-hybrid: NVIDIA GeForce RTX 3050 Laptop GPU 2794 MB, CPU 10274 MB
          Intel(R) UHD Graphics: Card found, not used by this version.
        laptop-8gb-no-gpu: CPU 3939 MB
          Intel(R) Xe Graphics (TGL GT2): Card found, not used by this version.
        laptop-mx350-2gb: NVIDIA GeForce MX350 647 MB, CPU 3724 MB
          Intel(R) UHD Graphics (ICL GT1): Card found, not used by this version.
        laptop-rtx-3050-6gb: NVIDIA GeForce RTX 3050 6GB Laptop GPU 4942 MB, CPU 10032 MB
          Intel(R) UHD Graphics: Card found, not used by this version.
        laptop-rtx-4060-8gb: NVIDIA GeForce RTX 4060 Laptop GPU 7085 MB, CPU 9737 MB
          AMD Radeon 780M Graphics: Card found, not used by this version.
        laptop-ryzen-7840u-16gb: CPU 10166 MB
          AMD Radeon 780M Graphics (RADV PHOENIX): Card found, not used by this version.
        macbook-air-m2-8gb: CPU 2435 MB
          Apple M2: Card found, not used by this version.
        macbook-pro-m3-pro-18gb: CPU 9307 MB
          Apple M3 Pro: Card found, not used by this version.
        nvidia-h100-server: NVIDIA H100 80GB HBM3 84020 MB, CPU 133630 MB
        old-laptop-4gb: CPU 1254 MB
          Intel graphics 8086:0166: Card found, not used by this version.
        raspberry-pi-5-8gb: CPU 6516 MB
          V3D 7.1.7.0: Card found, not used by this version.
        virtual-machine-8gb: CPU 6301 MB
          Virtio 1.0 GPU: Card found, not used by this version.
    "#]]
    .assert_eq(&table);
}
