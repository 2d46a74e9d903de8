//! `aula doctor`

use std::fs;

use serde_json::json;

use crate::support::{Machine, golden, golden_arg};

#[test]
fn the_report_adds_up() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    machine.json(["models", "import", "--json", &golden_arg("tiny-e4b-Q4_K_M.gguf")]);
    fs::write(machine.models_dir().join("broken.gguf"), "not a model").expect("a file");
    let report = machine.json(["doctor", "--json"]);

    let profile = &report["profile"];
    let (total, free) = (profile["ram_total"].as_u64().expect("bytes"), profile["ram_free"].as_u64().expect("bytes"));
    assert!(free > 0 && free <= total, "{profile}");
    assert!(profile["cpu"]["logical_cores"].as_u64().is_some_and(|cores| cores >= 1), "{profile}");
    assert!(profile["cpu"]["simd"].is_string(), "{profile}");
    assert!(profile["gpus"].is_array() && profile["probe_notes"].is_array(), "{profile}");

    let kernels = report["kernels"]["sets"].as_object().expect("operations");
    assert!(kernels.len() == 13 && kernels.values().all(serde_json::Value::is_string), "{report}");

    let candidates = report["candidates"].as_array().expect("a list");
    assert_eq!(candidates.len(), 2, "{report}");
    for candidate in candidates {
        let part = |name: &str| candidate["need"][name].as_u64().expect("bytes");
        let needed = part("weights") + part("kv_cache") + part("scratch");
        assert_eq!(candidate["needed_bytes"], needed, "{candidate}");
        assert_eq!(candidate["usable_bytes"], free.saturating_sub(1_000_000_000), "{candidate}");
        assert_eq!(candidate["device"], "CPU");
        assert_eq!(candidate["fits"], needed + 1_000_000_000 <= free, "{candidate}");
    }
    assert_eq!(report["choice"]["name"], "tiny-e4b", "{report}");
    assert_eq!(report["choice"]["needs_trial"], true, "{report}");
    assert!(candidates.iter().all(|one| one["trial"].is_null()), "{report}");
    let devices = report["devices"].as_array().expect("a list");
    assert_eq!(devices.last().map(|device| &device["name"]), Some(&json!("CPU")), "{report}");
    assert!(report["offers"].as_array().is_some_and(|offers| !offers.is_empty()), "{report}");
    assert_eq!(report["choice"]["reason"], "largest_that_fits");
    assert_eq!(report["unusable"][0]["file"], "broken.gguf");
    assert!(report["unusable"][0]["hint"].is_string());
}

#[test]
fn a_longer_context_needs_more() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let needed = |context: &str| {
        let report = machine.json(["doctor", "--json", "--context", context]);
        assert_eq!(report["context_len"].to_string(), context);
        report["candidates"][0]["needed_bytes"].as_u64().expect("bytes")
    };
    assert!(needed("8192") > needed("512"));
}

#[test]
fn for_people_it_says_what_is_used_and_why() {
    let nothing = Machine::new();
    let text = nothing.run(["doctor"]).stdout;
    assert!(text.starts_with("Processor  "), "{text}");
    assert!(
        text.contains("  none installed\n\nModels to download\n")
            && text.ends_with("\nUsed: none. No model is installed.\n"),
        "{text}"
    );
    assert_eq!(nothing.json(["doctor", "--json"])["choice"]["id"], json!(null));

    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let text = machine.run(["doctor"]).stdout;
    assert!(text.contains("  tiny-e2b Q4_0  CPU  needs 4.7 MB  of "), "{text}");
    assert!(text.ends_with("Used: tiny-e2b on CPU. It is the largest installed model that fits.\n"), "{text}");
}
