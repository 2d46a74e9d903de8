//! `aula chat`, fed by a pipe.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use crate::support::{Machine, Ran, golden_arg};

/// Talks with a tiny model; answers are at most four tokens, always the likeliest.
fn chat(machine: &Machine, input: &str, more: &[&str]) -> Ran {
    let model = golden_arg("tiny-e2b-Q4_0.gguf");
    let line = ["chat", "--model", &model, "--max-tokens", "4", "--temperature", "0"];
    let mut command = machine.command(line.iter().chain(more));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("aula starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("aula reads");
    Ran::of(child.wait_with_output().expect("aula ends"))
}

/// What stands between the welcome and the goodbye.
fn conversation(ran: &Ran) -> &str {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let (head, rest) = ran.stdout.split_once("an answer.\n").expect("the welcome");
    assert!(head.starts_with("[Local · tiny-e2b · CPU]\n"), "{head}");
    rest.strip_suffix("\nSee you soon.\n").expect("the goodbye")
}

#[test]
fn questions_are_answered_in_turn_until_the_input_ends() {
    let machine = Machine::new();
    let one = chat(&machine, "What is a fraction?\n", &[]);
    let first = conversation(&one);
    assert!(!first.trim().is_empty());
    let two = chat(&machine, "What is a fraction?\n\nAnd a half?\n", &[]);
    let both = conversation(&two);
    assert!(both.starts_with(first) && both.len() > first.len(), "{first:?} {both:?}");
    // Without a line end the last line is a question all the same; CR LF is a line end.
    assert_eq!(conversation(&chat(&machine, "What is a fraction?", &[])), first);
    assert_eq!(conversation(&chat(&machine, "What is a fraction?\r\n", &[])), first);
}

#[test]
fn a_new_conversation_knows_nothing_of_the_old() {
    let machine = Machine::new();
    let alone = chat(&machine, "And a half?\n", &[]);
    let after = chat(&machine, "What is a fraction?\n/new\nAnd a half?\n", &[]);
    let (_, second) = conversation(&after).split_once("New conversation.\n").expect("it is said");
    assert_eq!(second, conversation(&alone));
}

#[test]
fn it_ends_when_asked_to_in_any_language() {
    let machine = Machine::new();
    for command in ["/exit", "/salir", "/sair"] {
        assert_eq!(conversation(&chat(&machine, &format!("{command}\nWhat is a fraction?\n"), &[])), "", "{command}");
    }
    assert_eq!(conversation(&chat(&machine, "", &[])), "");
}

#[test]
fn it_speaks_three_languages() {
    let machine = Machine::new();
    for (lang, words) in
        [("es", ["Escribe tu pregunta.", "Hasta pronto."]), ("pt", ["Escreva a sua pergunta.", "Até logo."])]
    {
        let ran = chat(&machine, "/exit\n", &["--lang", lang]);
        assert!(words.iter().all(|word| ran.stdout.contains(word)), "{ran:?}");
    }
}

#[test]
fn a_question_that_does_not_fit_is_refused_and_the_talk_goes_on() {
    let machine = Machine::new();
    let input = format!("{}\nshort\n", "word ".repeat(600));
    let ran = chat(&machine, &input, &["--context", "400", "--no-system"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("the context length is 400"), "{ran:?}");
    let alone = chat(&machine, "short\n", &["--context", "400", "--no-system"]);
    assert_eq!(ran.stdout, alone.stdout);
}

/// A talk that goes on until the test ends it: answers may be as long as they like.
#[cfg(target_os = "linux")]
fn long_talk(machine: &Machine, seed: u64) -> (Child, BufReader<std::process::ChildStdout>) {
    let (model, seed) = (golden_arg("tiny-e2b-Q4_0.gguf"), seed.to_string());
    let line = ["chat", "--no-system", "--max-tokens", "100000", "--context", "131072"];
    let mut command = machine.command(line.iter().chain(&["--seed", &seed, "--model", &model]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("aula starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut welcome = String::new();
    while !welcome.ends_with("an answer.\n") {
        assert_ne!(stdout.read_line(&mut welcome).expect("text"), 0, "{welcome}");
    }
    (child, stdout)
}

/// Reads what is left; answers may hold anything.
#[cfg(target_os = "linux")]
fn rest(mut stdout: BufReader<std::process::ChildStdout>) -> String {
    let mut bytes = Vec::new();
    stdout.read_to_end(&mut bytes).expect("readable");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_stops_the_answer_and_not_the_talk() {
    let machine = Machine::new();
    // A sampled answer may end by itself before it is stopped; one of several is caught in the middle.
    for seed in 0..20 {
        let (mut child, mut stdout) = long_talk(&machine, seed);
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(b"Tell me everything.\n").expect("aula reads");
        stdout.read_exact(&mut [0]).expect("the answer begins");
        crate::support::interrupt(child.id());
        stdin.write_all(b"/exit\n").expect("aula reads");
        let rest = rest(stdout);
        assert_eq!(child.wait().expect("aula ends").code(), Some(0), "{rest}");
        assert!(rest.ends_with("\nSee you soon.\n"), "{rest}");
        if rest.contains("[answer stopped]\n") {
            return;
        }
    }
    panic!("no answer was caught in the middle");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_twice_at_the_prompt_ends_the_talk() {
    let machine = Machine::new();
    let (mut child, mut stdout) = long_talk(&machine, 1);
    crate::support::interrupt(child.id());
    let mut said = String::new();
    while !said.contains("Press Ctrl-C again or type /exit to end.") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).expect("it is said how to end");
        said.push(char::from(byte[0]));
    }
    crate::support::interrupt(child.id());
    let rest = rest(stdout);
    // Its stdin is still open: nothing but the second Ctrl-C ended it.
    assert_eq!((child.wait().expect("aula ends").code(), rest.as_str()), (Some(0), "\nSee you soon.\n"));
}
