//! `aula logits`, `aula tokenize`, `aula bench`, against what reference implementations answer.

use std::fs;

use expect_test::expect;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::support::{Machine, Tensor, golden, golden_arg, join};

/// The tensor `key` of a reference file.
fn reference(file: &str, key: &str) -> Tensor {
    let bytes = fs::read(golden(file)).expect("a golden file");
    Tensor::read(&SafeTensors::deserialize(&bytes).expect("a safetensors file"), key)
}

/// Runs `aula logits` and reads what it wrote.
fn logits(model: &str, tokens: &[u32], options: &[&str]) -> Tensor {
    let machine = Machine::new();
    let out = machine.root().join("out.safetensors");
    let (model, tokens) = (golden_arg(model), join(tokens));
    let args = ["logits", "--model", &model, "--tokens", &tokens, "--out", "out.safetensors"];
    let ran = machine.run(args.iter().chain(options));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let bytes = fs::read(out).expect("the output");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    assert_eq!(file.names(), ["logits"]);
    let logits = Tensor::read(&file, "logits");
    assert!(ran.stdout.contains(&format!("({}, {})", logits.shape[0], logits.shape[1])), "{ran:?}");
    logits
}

/// How far logits may be from the reference where keys and values are kept in f16; see the tests of `gemma4`.
const F16_KEYS_AND_VALUES: f32 = 0.02;

/// The last rows of `found` must be `expected` within `limit`.
fn check_last_rows(found: &Tensor, expected: &Tensor, limit: f32) {
    assert_eq!(found.shape[1], expected.shape[1]);
    let tail = &found.values[found.values.len() - expected.values.len()..];
    let worst = tail.iter().zip(&expected.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= limit, "{worst} > {limit}");
}

fn long_prompt(variant: &str) -> Vec<u32> {
    reference(&format!("{variant}-reference.safetensors"), "prompt.long.input_ids").ids()
}

#[test]
fn logits_of_a_prompt_match_the_reference() {
    for (variant, model) in [("tiny-e2b", "tiny-e2b-F16.gguf"), ("tiny-e4b", "tiny-e4b-BF16.gguf")] {
        let ids = long_prompt(variant);
        let expected = reference(&format!("{variant}-reference.safetensors"), "prompt.long.logits_last40");
        let all = logits(model, &ids, &[]);
        assert_eq!(all.shape, [ids.len(), 576]);
        check_last_rows(&all, &expected, F16_KEYS_AND_VALUES);
        let plain = logits(model, &ids, &["--reference", "--device", "cpu"]);
        check_last_rows(&plain, &expected, 2e-4);
    }
}

#[test]
fn logits_token_by_token_match_the_reference() {
    let ids = long_prompt("tiny-e2b");
    let expected = reference("tiny-e2b-reference.safetensors", "prompt.long.decode_logits_last16");
    let all = logits("tiny-e2b-F16.gguf", &ids, &["--mode", "decode"]);
    assert_eq!(all.shape, [ids.len(), 576]);
    check_last_rows(&all, &expected, F16_KEYS_AND_VALUES);
    let plain = logits("tiny-e2b-F16.gguf", &ids, &["--mode", "decode", "--reference"]);
    check_last_rows(&plain, &expected, 2e-4);
}

#[test]
fn the_last_row_alone_is_the_last_of_all() {
    let ids = long_prompt("tiny-e4b");
    let all = logits("tiny-e4b-Q4_K_M.gguf", &ids, &[]);
    for mode in ["prefill", "decode"] {
        let last = logits("tiny-e4b-Q4_K_M.gguf", &ids, &["--last", "--mode", mode]);
        assert_eq!(last.shape, [1, 576]);
        let row = Tensor { shape: vec![1, 576], values: all.values[all.values.len() - 576..].to_vec() };
        check_last_rows(&last, &row, 0.05);
    }
}

#[test]
fn what_cannot_be_computed_is_said() {
    let machine = Machine::new();
    let model = golden_arg("tiny-e2b-Q4_0.gguf");
    let run = |tokens: &str, out: &str, more: &[&str]| {
        let args = ["logits", "--model", &model, "--tokens", tokens, "--out", out];
        machine.run(args.iter().chain(more)).failure(&machine)
    };
    let foreign = run("2,576", "out.safetensors", &[]);
    assert!(foreign.contains("token id 576 is not in the vocabulary of 576"), "{foreign}");
    let nowhere = run("2", "absent/out.safetensors", &[]);
    assert!(nowhere.starts_with("error: could not write `absent/out.safetensors`"), "{nowhere}");
    let card = run("2", "out.safetensors", &["--device", "cuda"]);
    assert!(card.contains("cannot use cuda: this build of the program has no support for it"), "{card}");
    assert!(card.contains("hint: Run on the CPU (`--device cpu`)"), "{card}");
    let left: Vec<_> = fs::read_dir(machine.root()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, [""; 0], "nothing half-written stays");
}

#[test]
fn token_ids_match_the_reference() {
    let machine = Machine::new();
    let prompts: Value = serde_json::from_slice(&fs::read(golden("prompts.json")).expect("a file")).expect("JSON");
    let model = golden_arg("tiny-e2b-Q4_0.gguf");
    let tokenize = |text: &str, more: &[&str]| machine.json(["tokenize", "--model", &model, text].iter().chain(more));
    for name in ["single", "short", "bytes", "long"] {
        let prompt = &prompts[name];
        assert_eq!(tokenize(prompt["text"].as_str().expect("text"), &[]), prompt["ids"], "{name}");
    }
    // The reference rendered the larger models' template, which closes an empty thought: E2B's ends before its 6 ids.
    let chat = &prompts["chat"];
    let question = chat["messages"][0]["content"].as_str().expect("text");
    let mut expected = chat["ids"].as_array().expect("ids").clone();
    expected.truncate(expected.len() - 6);
    assert_eq!(tokenize(question, &["--chat"]), json!(expected));
    // Control tokens in a person's text are text.
    let spelled = tokenize("<|turn>", &[]);
    assert!(!spelled.as_array().expect("ids").contains(&json!(105)), "{spelled}");
}

#[test]
fn a_measurement_has_its_keys() {
    let machine = Machine::new();
    let model = golden_arg("tiny-e2b-Q4_0.gguf");
    let line = "bench --prompt-tokens 40 --decode-tokens 5 --depth 20 --reps 3 --threads 2 --json --model";
    let report = machine.json(line.split(' ').chain([model.as_str()]));
    let mut keys: Vec<&str> = report.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    expect![[r#"
        [
            "decode_tokens",
            "decode_tps",
            "depth",
            "device",
            "kernels",
            "load_s",
            "model",
            "peak_rss_bytes",
            "peak_vram_bytes",
            "prefill_tps",
            "prompt_tokens",
            "reps",
            "threads",
            "ttft_s",
            "turns",
            "verify",
        ]
    "#]]
    .assert_debug_eq(&keys);
    for key in ["load_s", "ttft_s", "prefill_tps", "decode_tps"] {
        let number = |name: &str| report[key][name].as_f64().unwrap_or_else(|| panic!("{key}.{name} in {report}"));
        assert!(
            number("min") > 0.0 && number("min") <= number("median") && number("median") <= number("max"),
            "{report}"
        );
    }
    assert!(report["peak_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{report}");
    let facts = ["peak_vram_bytes", "device", "threads", "depth"].map(|key| report[key].clone());
    assert_eq!(facts, [json!(null), json!("CPU"), json!(2), json!(20)]);
    assert!(report["kernels"].as_str().is_some_and(|kernels| kernels != "plain"), "{report}");
    assert_eq!((&report["verify"], &report["turns"]), (&json!(null), &json!(null)));

    let line = "bench --reference --prompt-tokens 20 --decode-tokens 0 --verify 3 --turns --reps 1 --json --model";
    let report = machine.json(line.split(' ').chain([model.as_str()]));
    assert_eq!((&report["decode_tps"], &report["verify"]["rows"]), (&json!(null), &json!(3)));
    assert!(report["verify"]["ratio"]["median"].as_f64().is_some_and(|ratio| ratio > 0.0), "{report}");
    assert_eq!((&report["turns"]["cold_tokens"], &report["turns"]["warm_computed"]), (&json!(20), &json!(40)));

    let text = machine.run(["bench", "--model", &model, "--reps", "1"]).stdout;
    assert!(text.contains("Prefill of 128") && text.contains("Decode of 32 at 0"), "{text}");
}

#[test]
fn the_memory_is_measured_without_a_model() {
    let report = Machine::new().json(["bench", "--bandwidth", "--threads", "2", "--json"]);
    assert_eq!(report["threads"], json!(2));
    let rate = |name: &str| report["bytes_per_s"][name].as_f64().unwrap_or_else(|| panic!("{name} in {report}"));
    assert!(0.0 < rate("min") && rate("min") <= rate("median") && rate("median") <= rate("max"), "{report}");
}

#[test]
fn a_file_that_is_no_model_is_refused_everywhere() {
    let machine = Machine::new();
    let whole = fs::read(golden("tiny-e2b-Q4_0.gguf")).expect("a file");
    fs::write(machine.root().join("cut.gguf"), &whole[..whole.len() - 1]).expect("a file");
    for line in [
        "ask --model cut.gguf hola",
        "chat --model cut.gguf",
        "bench --model cut.gguf",
        "logits --model cut.gguf --tokens 2 --out out.safetensors",
        "tokenize --model cut.gguf hola",
    ] {
        let refused = machine.run(line.split(' ')).failure(&machine);
        assert!(refused.starts_with("error: `cut.gguf` cannot be used: cut short:"), "{line}: {refused}");
        let absent = machine.run(line.replace("cut.gguf", "absent.gguf").split(' ')).failure(&machine);
        assert!(absent.starts_with("error: could not read `absent.gguf`"), "{line}: {absent}");
    }
}
