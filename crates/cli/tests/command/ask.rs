//! `aula ask`

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::support::{Machine, Ran, Tensor, golden, golden_arg, join};

const MODEL: &str = "tiny-e2b-Q8_0.gguf";

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().expect("ids").iter().map(|id| id.as_u64().expect("an id") as u32).collect()
}

fn ask(machine: &Machine, more: &[&str]) -> Ran {
    let model = golden_arg(MODEL);
    machine.run(["ask", "--model", &model, "What is the capital of France?"].iter().chain(more))
}

#[test]
fn a_greedy_answer_is_what_the_logits_say() {
    let machine = Machine::new();
    let line = ["--json", "--no-system", "--temperature", "0", "--max-tokens", "40"];
    let answer = ask(&machine, &line).json();
    let answered = ids(&answer["token_ids"]);

    // The prompt as `tokenize` renders it, and every next token as `logits` finds it, through the other code path.
    let model = golden_arg(MODEL);
    let question = "What is the capital of France?";
    let prompt = ids(&machine.json(["tokenize", "--chat", "--model", &model, question]));
    let fed: Vec<u32> = prompt.iter().chain(&answered[..answered.len() - 1]).copied().collect();
    let tokens = join(&fed);
    machine.run(["logits", "--model", &model, "--tokens", &tokens, "--out", "out.safetensors"]);
    let bytes = std::fs::read(machine.root().join("out.safetensors")).expect("the output");
    let logits = Tensor::read(&SafeTensors::deserialize(&bytes).expect("a safetensors file"), "logits");
    let rows = logits.values.chunks(logits.shape[1]).skip(prompt.len() - 1);
    for (index, (row, id)) in rows.zip(&answered).enumerate() {
        let best = row.iter().copied().fold(f32::MIN, f32::max);
        // Chunks of another length may round otherwise: a near-tie may fall either way.
        assert!(best - row[*id as usize] < 0.02, "token {index} is {id}, {} below the best", best - row[*id as usize]);
    }

    let usage = &answer["usage"];
    assert_eq!(usage["prompt_tokens"], prompt.len());
    assert_eq!(usage["prefilled_tokens"], prompt.len());
    assert_eq!(usage["completion_tokens"], answered.len());
    let ended = [1, 106, 50].contains(answered.last().expect("tokens"));
    assert_eq!(answer["finish_reason"], if ended { "stop" } else { "max_tokens" });
    assert!(ended || answered.len() == 40);
    assert_eq!(answer["engine"]["kind"], "local");
    assert_eq!(answer["engine"]["device"], "CPU");
    for key in ["load_s", "ttft_s", "prefill_s", "prefill_tps", "decode_tps"] {
        assert!(answer["timings"][key].as_f64().is_some_and(|value| value > 0.0), "{key}: {answer}");
    }
    assert_eq!(ids(&ask(&machine, &line).json()["token_ids"]), answered, "greedy is greedy");
}

#[test]
fn the_streamed_text_is_the_text() {
    let machine = Machine::new();
    let line = ["--seed", "7", "--max-tokens", "30"];
    let streamed = ask(&machine, &line);
    assert_eq!(streamed.code, Some(0), "{streamed:?}");
    let answer = ask(&machine, &[&line[..], &["--json"]].concat()).json();
    let text = answer["text"].as_str().expect("text");
    let expected = if text.is_empty() { String::new() } else { format!("{text}\n") };
    assert_eq!(streamed.stdout, expected);
    if answer["finish_reason"] == "max_tokens" {
        assert_eq!(streamed.stderr, "[the answer reached its length limit]\n");
    }
}

#[test]
fn a_seed_repeats_an_answer_and_is_reported() {
    let machine = Machine::new();
    let sampled = |more: &[&str]| ask(&machine, &[&["--json", "--max-tokens", "16"], more].concat()).json();
    let first = sampled(&[]);
    let seed = first["usage"]["seed"].to_string();
    assert_eq!(sampled(&["--seed", &seed])["token_ids"], first["token_ids"]);
    // Among the 576 tokens of a random model 16 draws do not meet twice.
    assert_ne!(sampled(&["--seed", "1"])["token_ids"], sampled(&["--seed", "2"])["token_ids"]);
}

#[test]
fn instructions_and_language_reach_the_prompt() {
    let machine = Machine::new();
    let prompt_tokens = |more: &[&str]| {
        let answer = ask(&machine, &[&["--json", "--max-tokens", "1"], more].concat()).json();
        answer["usage"]["prompt_tokens"].as_u64().expect("a count")
    };
    let none = prompt_tokens(&["--no-system"]);
    let own = prompt_tokens(&["--system", "Be brief."]);
    let tutor = ["es", "en", "pt"].map(|lang| prompt_tokens(&["--lang", lang]));
    assert!(none < own && tutor.iter().all(|tutor| own < *tutor), "{none} {own} {tutor:?}");
    assert!(tutor[0] != tutor[1] && tutor[1] != tutor[2], "{tutor:?}");
    assert_eq!(prompt_tokens(&[]), tutor[1], "the environment of the tests is English");
}

#[test]
fn without_a_model_file_the_installed_one_answers_and_then_the_demo() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let model = || machine.json(["ask", "hola", "--json", "--max-tokens", "1"])["engine"]["model"].clone();
    assert_eq!(model(), "tiny-e2b");
    machine.json(["models", "import", "--json", &golden_arg("tiny-e4b-Q4_K_M.gguf")]);
    assert_eq!(model(), "tiny-e4b");

    let nothing = Machine::new();
    let refused = nothing.run(["ask", "hola"]).failure(&nothing);
    assert!(refused.starts_with("error: no model is installed\nhint: Install a model"), "{refused}");
}

#[test]
fn what_does_not_fit_the_context_is_refused() {
    let machine = Machine::new();
    let long = "word ".repeat(400);
    let model = golden_arg(MODEL);
    let run = |more: &[&str]| machine.run(["ask", &long, "--model", &model].iter().chain(more)).failure(&machine);
    let refused = run(&["--context", "300", "--max-tokens", "20"]);
    assert!(refused.contains("the context length is 300"), "{refused}");
    let refused = run(&["--context", "300", "--max-tokens", "400"]);
    assert!(refused.contains("the reply cap is 400 tokens"), "{refused}");
}

#[test]
fn a_card_that_this_build_cannot_use_is_refused() {
    let machine = Machine::new();
    for device in ["cuda", "metal"] {
        let refused = ask(&machine, &["--device", device]).failure(&machine);
        assert!(
            refused.contains(&format!("cannot use {device}: this build of the program has no support")),
            "{refused}"
        );
        assert!(refused.contains("hint: Run on the CPU (`--device cpu`)"), "{refused}");
    }
}

/// A question whose answer may be as long as it likes.
fn long_answer(machine: &Machine) -> std::process::Child {
    let model = golden_arg(MODEL);
    let line = ["--no-system", "--max-tokens", "100000", "--context", "131072", "--seed", "3"];
    let mut command = machine.command(["ask", "--model", &model, "Tell me everything."].iter().chain(&line));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("aula starts")
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_an_answer_cleanly_and_leaves_no_process() {
    let machine = Machine::new();
    // A sampled answer may end by itself before it is interrupted; one of several is caught in the middle.
    for _ in 0..20 {
        let mut child = long_answer(&machine);
        let mut first = [0; 1];
        let began = child.stdout.as_mut().expect("a pipe").read(&mut first).expect("readable");
        let workers = children_of(child.id());
        crate::support::interrupt(child.id());
        let output = child.wait_with_output().expect("aula ends");
        let ran = Ran::of(output);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for worker in &workers {
            assert!(!is_running(*worker), "process {worker} is left over");
        }
        if began == 1 && !workers.is_empty() && ran.stderr == "[answer stopped]\n" {
            return;
        }
    }
    panic!("no answer was caught in the middle");
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let machine = Machine::new();
    let mut child = long_answer(&machine);
    let mut first = [0; 1];
    let _ = child.stdout.as_mut().expect("a pipe").read(&mut first).expect("readable");
    drop(child.stdout.take());
    let workers = children_of(child.id());
    let status = child.wait().expect("aula ends");
    assert_eq!(status.code(), Some(0));
    assert!(workers.iter().all(|worker| !is_running(*worker)));
}

#[cfg(target_os = "linux")]
fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Whether the process runs; one that has ended and waits to be collected does not.
#[cfg(target_os = "linux")]
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

#[test]
fn an_unknown_key_in_the_answer_would_be_noticed() {
    let machine = Machine::new();
    let answer = ask(&machine, &["--json", "--max-tokens", "2"]).json();
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(json!(keys(&answer)), json!(["engine", "finish_reason", "text", "timings", "token_ids", "usage"]));
    assert_eq!(json!(keys(&answer["engine"])), json!(["device", "kind", "model"]));
}
