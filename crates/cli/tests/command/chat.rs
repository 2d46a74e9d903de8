//! `aula chat`, fed by a pipe.

use std::io::Write as _;
use std::process::Stdio;

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
