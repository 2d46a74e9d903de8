//! Wrong usage: exit code 2, before anything is done. Help and version: exit code 0.

use crate::support::Machine;

#[test]
fn wrong_usage_ends_with_2_and_does_nothing() {
    let machine = Machine::new();
    for line in [
        "",
        "sing",
        "ask",
        "ask hola --device npu",
        "ask hola --max-tokens 0",
        "ask hola --top-p 2",
        "logits --model m.gguf --out o.safetensors",
        "logits --model m.gguf --tokens 1,two --out o.safetensors",
        "bench",
        "models",
        "models pull",
        "setup",
        "setup --language es",
        "setup --language fr --adult",
        "setup --language es --adult --learner",
        "doctor --yaml",
    ] {
        let ran = machine.run(line.split_whitespace());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}: {ran:?}");
        assert!(ran.stderr.contains("Usage:") || ran.stderr.contains("error:"), "{line}: {ran:?}");
    }
    assert!(!machine.root().join("data").exists());
}

#[test]
fn help_and_version_are_no_errors() {
    let machine = Machine::new();
    let help = machine.run(["--help"]);
    assert_eq!(help.code, Some(0));
    for command in ["ask", "chat", "doctor", "models", "profile", "setup", "bench", "logits", "tokenize"] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is missing in {}", help.stdout);
    }
    let version = machine.run(["--version"]);
    assert_eq!((version.code, version.stdout), (Some(0), format!("aula {}\n", env!("CARGO_PKG_VERSION"))));
}
