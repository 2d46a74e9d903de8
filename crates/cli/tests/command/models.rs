//! `aula models`

use std::fs;

use expect_test::expect;
use serde_json::json;

use crate::support::{Machine, golden, golden_arg};

/// Words in place of what depends on the machine.
fn steady(text: &str) -> String {
    let usable = |line: &str| match line.split_once("on this computer now") {
        Some((_, rest)) => format!("Usable           <memory> on this computer now{rest}"),
        None => line.to_owned(),
    };
    text.lines().map(|line| usable(line) + "\n").collect()
}

#[test]
fn a_model_is_imported_listed_and_removed() {
    let machine = Machine::new();
    expect![[r#"
        No model is installed.
    "#]]
    .assert_eq(&machine.run(["models", "list"]).stdout);
    assert!(!machine.models_dir().exists(), "looking creates nothing");

    let imported = machine.run(["models", "import", &golden_arg("tiny-e4b-Q4_K_M.gguf")]);
    expect![[r#"
        Installed tiny-e4b Q4_K_M, 1.4 MB, as mfac5326df92f3c38
    "#]]
    .assert_eq(&imported.stdout);
    expect![[r#"
        ID                 MODEL     QUANTIZATION  SIZE    FITS  USED  FILE
        mfac5326df92f3c38  tiny-e4b  Q4_K_M        1.4 MB  yes   yes   tiny-e4b-Q4_K_M.gguf
    "#]]
    .assert_eq(&machine.run(["models", "list"]).stdout);
    let copy = fs::read(machine.models_dir().join("tiny-e4b-Q4_K_M.gguf")).expect("the copy");
    assert_eq!(copy, fs::read(golden("tiny-e4b-Q4_K_M.gguf")).expect("the original"));

    let again = machine.run(["models", "import", &golden_arg("tiny-e4b-Q4_K_M.gguf")]);
    expect![[r#"
        error: `tiny-e4b-Q4_K_M.gguf` is already installed
        hint: It is ready to use; nothing was copied
    "#]]
    .assert_eq(&again.failure(&machine));

    let removed = machine.run(["models", "remove", "mfac5326df92f3c38"]);
    assert_eq!(removed.stdout, "Removed mfac5326df92f3c38\n");
    let again = machine.run(["models", "remove", "mfac5326df92f3c38"]);
    expect![[r#"
        error: there is no installed model `mfac5326df92f3c38`
        hint: See the ids with `aula models list`
    "#]]
    .assert_eq(&again.failure(&machine));
    assert!(!machine.models_dir().join("tiny-e4b-Q4_K_M.gguf").exists());
}

#[test]
fn the_round_trip_as_json() {
    let machine = Machine::new();
    let path = golden_arg("tiny-e2b-Q8_0.gguf");
    let file_bytes = fs::metadata(golden("tiny-e2b-Q8_0.gguf")).expect("a file").len();
    let imported = machine.json(["models", "import", "--json", &path]);
    let id = imported["id"].as_str().expect("an id");
    let file = "tiny-e2b-Q8_0.gguf";
    let mut expected =
        json!({"id": id, "name": "tiny-e2b", "quantization": "Q8_0", "file_bytes": file_bytes, "file": file});
    let sha256 = imported["sha256"].as_str().expect("a checksum");
    let mut as_imported = expected.clone();
    as_imported["sha256"] = json!(sha256);
    as_imported["resumed"] = json!(false);
    as_imported["restarted"] = json!(false);
    assert_eq!(imported, as_imported);
    let verified = machine.json(["models", "verify", "--json", id]);
    assert_eq!(verified, json!({"id": id, "sha256": sha256, "recorded": true}));

    let list = machine.json(["models", "list", "--json"]);
    let model = &mut expected;
    for (key, value) in [("demo", false), ("fits", true), ("active", true)] {
        model[key] = json!(value);
    }
    assert_eq!(list, json!({"models": [model], "unusable": []}));
    assert_eq!(machine.json(["models", "remove", "--json", id]), json!({"removed": id}));
    assert_eq!(machine.json(["models", "list", "--json"]), json!({"models": [], "unusable": []}));
}

#[test]
fn the_demo_model_is_listed_and_stays() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let list = machine.json(["models", "list", "--json"]);
    assert_eq!(list["models"][0]["id"], "demo");
    assert_eq!(list["models"][0]["active"], true);
    expect![[r#"
        error: the demo model is part of Aula and cannot be removed
        hint: Only models that were imported can be removed
    "#]]
    .assert_eq(&machine.run(["models", "remove", "demo"]).failure(&machine));
    assert!(golden("tiny-e2b-Q4_0.gguf").exists());
}

#[test]
fn what_a_file_is() {
    let machine = Machine::new();
    let ran = machine.run(["models", "inspect", &golden_arg("tiny-e2b-Q4_0.gguf")]);
    expect![[r#"
        Model            tiny-e2b
        Quantization     Q4_0
        File             828.5 kB
        Parameters       0.8 million without the per-layer table
        Per-layer table  121.0 kB, read from the disk as needed
        Layers           8 of width 128
        Vocabulary       576 tokens
        Made for         131072 tokens of context
        Tensors          68 in F32, 154.9 kB
        Tensors          72 in Q4_0, 433.2 kB
        Tensors          1 in Q6_K, 121.0 kB
        Tensors          1 in Q8_0, 78.3 kB
        Needs            4.7 MB of memory (weights 642.7 kB, KV cache 1.3 MB at 4096 tokens, scratch 2.8 MB)
        Usable           <memory> on this computer now: it fits
    "#]]
    .assert_eq(&steady(&ran.stdout));

    let found = machine.json(["models", "inspect", "--json", &golden_arg("tiny-e2b-Q4_0.gguf")]);
    assert_eq!(found["tensor_types"]["Q4_0"]["tensors"], 72);
    assert_eq!(found["demo"], false);
    let need = &found["need"];
    let sum: u64 = ["weights", "kv_cache", "scratch"].iter().filter_map(|part| need[part].as_u64()).sum();
    assert_eq!(found["needed_bytes"], sum);
    let longer = machine.json(["models", "inspect", "--json", "--context", "8192", &golden_arg("tiny-e2b-Q4_0.gguf")]);
    assert!(longer["need"]["kv_cache"].as_u64() > need["kv_cache"].as_u64());
}

#[test]
fn what_is_no_model_is_named_and_explained() {
    let machine = Machine::new();
    let whole = fs::read(golden("tiny-e2b-Q4_0.gguf")).expect("a file");
    let put = |name: &str, bytes: &[u8]| fs::write(machine.root().join(name), bytes).expect("a file");
    put("cut.gguf", &whole[..whole.len() / 2]);
    put("page.gguf", b"<!DOCTYPE html>");
    put("empty.gguf", b"");
    put("projector.gguf", &test_support::synth::projector());
    let inspect = |name: &str| machine.run(["models", "inspect", name]).failure(&machine);
    expect![[r#"
        error: could not read `absent.gguf`: No such file or directory (os error 2)
        hint: Check the path; if the file is on a USB stick, plug it in again
    "#]]
    .assert_eq(&inspect("absent.gguf"));
    expect![[r#"
        error: `page.gguf` cannot be used: not a GGUF file: it begins with the bytes [3c, 21, 44, 4f]
        hint: Choose a file whose name ends in .gguf; a page or an archive saved in its place will not do
    "#]]
    .assert_eq(&inspect("page.gguf"));
    expect![[r#"
        error: `projector.gguf` cannot be used: not a Gemma 4 language model: the file's architecture is `clip`
        hint: This is the projector for images and sound (mmproj) that belongs to a model; choose the model's own file
    "#]]
    .assert_eq(&inspect("projector.gguf"));
    let cut = inspect("cut.gguf");
    assert!(cut.contains("`cut.gguf` cannot be used: cut short:"), "{cut}");
    assert!(cut.contains("hint: The file is damaged or its download did not finish"), "{cut}");
    let folder = machine.run(["models", "inspect", "."]).failure(&machine);
    assert!(folder.starts_with("error: `.` is not a file\n"), "{folder}");

    // The same refusals when they would be installed; nothing stays behind.
    for name in ["absent.gguf", "page.gguf", "empty.gguf", "projector.gguf", "cut.gguf"] {
        let refused = machine.run(["models", "import", name]).failure(&machine);
        assert!(refused.contains(&format!("`{name}`")), "{refused}");
    }
    let mut left: Vec<_> =
        fs::read_dir(machine.models_dir()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, [".import.lock", ".incoming"]);
    let areas = fs::read_dir(machine.models_dir().join(".incoming")).expect("a folder").flatten();
    assert!(areas.map(|entry| entry.path()).all(|path| path.extension().is_some_and(|ending| ending == "lock")));
}

#[test]
fn a_model_goes_to_a_stick_and_to_another_computer() {
    let machine = Machine::new();
    machine.run(["models", "import", "--quiet", &golden_arg("tiny-e2b-Q4_0.gguf")]);
    let id = machine.json(["models", "list", "--json"])["models"][0]["id"].as_str().expect("an id").to_owned();
    let verified = machine.run(["models", "verify", &id]);
    assert!(verified.stdout.starts_with(&format!("{id} is as it was verified: SHA-256 ")), "{}", verified.stdout);

    let stick = machine.root().join("stick");
    fs::create_dir(&stick).expect("a folder");
    let exported = machine.run(["models", "export", &id, "stick"]);
    let manifest = format!("stick/AULA/aula-model-{id}.toml");
    assert_eq!(
        exported.stdout,
        format!("Exported tiny-e2b Q4_0, 828.5 kB, in one file, checked; import it with {manifest}\n")
    );
    let as_json = machine.json(["models", "export", "--json", &id, "stick"]);
    assert_eq!((&as_json["files"], &as_json["manifest"]), (&json!(["tiny-e2b-Q4_0.gguf"]), &json!(manifest)));

    let other = Machine::new();
    let path = |name: &str| stick.join(name).into_os_string().into_string().expect("text");
    let imported = other.run(["models", "import", &path("")]);
    assert_eq!(imported.stdout, format!("Installed tiny-e2b Q4_0, 828.5 kB, as {id}\n"));
    other.run(["models", "remove", &id]);

    fs::write(path("AULA/tiny-e2b-Q4_0.gguf"), fs::read(golden("tiny-e2b-Q8_0.gguf")).expect("a file"))
        .expect("a file");
    let damaged = other.run(["models", "import", &path("")]).failure(&other);
    assert!(damaged.contains("is damaged: it should have 828"), "{damaged}");
    assert!(
        damaged.contains("hint: Repeat; if it fails again, copy the model from another disk or server"),
        "{damaged}"
    );
    let absent = machine.run(["models", "export", &id, "no-such-stick"]).failure(&machine);
    expect![[r#"
        error: could not use the folder `no-such-stick`: No such file or directory (os error 2)
        hint: Check that `no-such-stick` may be written
    "#]]
    .assert_eq(&absent);
}

#[test]
fn the_network_stays_closed_unless_somebody_allows_it() {
    let machine = Machine::new();
    let offers = machine.json(["models", "offers", "--json"]);
    let id = offers[0]["id"].as_str().expect("an id").to_owned();
    let shown = machine.run(["models", "offers"]);
    assert!(shown.stdout.starts_with("ID "), "{}", shown.stdout);
    assert_eq!(shown.stdout.lines().count(), offers.as_array().expect("a list").len() + 1);
    assert!(shown.stdout.contains(&id));
    expect![[r#"
        error: the network is closed
        hint: Allow it for this download with `--allow-network`
    "#]]
    .assert_eq(&machine.run(["models", "pull", &id]).failure(&machine));
    expect![[r#"
        error: there is no offer `nothing`
        hint: See the ids with `aula models offers`
    "#]]
    .assert_eq(&machine.run(["models", "pull", "nothing", "--allow-network"]).failure(&machine));
    let plain = machine.run(["models", "pull", &id, "--allow-network", "--endpoint", "http://example.org"]);
    let plain = plain.failure(&machine);
    assert!(plain.contains("https"), "only an encrypted connection will do: {plain}");
    assert!(!machine.models_dir().join(".incoming").exists(), "nothing has begun");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let machine = Machine::new();
    fs::write(machine.root().join("data"), "a file where the folder should be").expect("a file");
    let refused = machine.run(["models", "import", &golden_arg("tiny-e2b-Q4_0.gguf")]).failure(&machine);
    assert!(refused.starts_with("error: could not use the folder `<root>/data/models`"), "{refused}");
    assert!(refused.contains("hint: Check that `<root>/data/models` may be written"), "{refused}");
}
