//! Running `aula` with a data folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use tempfile::TempDir;

/// One person's computer: an empty data folder, no demo model, English.
pub struct Machine {
    root: TempDir,
    pub demo: Option<PathBuf>,
}

/// What a run of `aula` gave.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Machine {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a folder"), demo: None }
    }

    /// With `model` as the demo model.
    pub fn with_demo(model: &Path) -> Self {
        Self { demo: Some(model.to_owned()), ..Self::new() }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn models_dir(&self) -> PathBuf {
        self.data_dir().join("models")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// `aula` with these arguments, ready to be started.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aula"));
        let no_demo = self.root.path().join("no-demo.gguf");
        command
            .args(args)
            .current_dir(self.root.path())
            .env("AULA_DATA_DIR", self.data_dir())
            .env("AULA_DEMO_MODEL", self.demo.as_ref().unwrap_or(&no_demo))
            .env("LC_ALL", "en_GB.UTF-8")
            .env_remove("AULA_LOG")
            .stdin(Stdio::null());
        command
    }

    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).output().expect("aula starts"))
    }

    /// Runs a command that must succeed and print one JSON value.
    pub fn json<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        self.run(args).json()
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A failed operation: exit code 1, nothing on stdout, exactly one line `error: …` and one line `hint: …`.
    /// Returns the two lines without the folder names that differ from run to run.
    pub fn failure(&self, machine: &Machine) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("error: ") && lines[1].starts_with("hint: "), "{self:?}");
        let golden = golden_folder().display().to_string();
        self.stderr.replace(&machine.root().display().to_string(), "<root>").replace(&golden, "<golden>")
    }
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").canonicalize().expect("the golden files")
}

/// A golden file: `tiny-e2b-Q4_0.gguf` and `tiny-e2b-reference.safetensors` lie in `tiny-e2b`, others at the top.
pub fn golden(name: &str) -> PathBuf {
    for variant in ["tiny-e2b", "tiny-e4b"] {
        if let Some(rest) = name.strip_prefix(variant) {
            let file = if name.ends_with(".gguf") { name } else { rest.trim_start_matches('-') };
            return golden_folder().join(variant).join(file);
        }
    }
    golden_folder().join(name)
}

/// `golden` as an argument.
pub fn golden_arg(name: &str) -> String {
    golden(name).display().to_string()
}

/// Numbers with a shape.
#[derive(Debug)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    /// The F32 or I32 tensor `key`. Ids are far below 2²⁴, so f32 holds them exactly.
    pub fn read(file: &SafeTensors, key: &str) -> Self {
        let view = file.tensor(key).unwrap_or_else(|error| panic!("{key}: {error}"));
        let words = view.data().chunks_exact(4).map(|word| word.try_into().expect("four bytes"));
        let values = match view.dtype() {
            Dtype::F32 => words.map(f32::from_le_bytes).collect(),
            Dtype::I32 => words.map(|word| i32::from_le_bytes(word) as f32).collect(),
            other => panic!("{key} is {other:?}"),
        };
        Self { shape: view.shape().to_vec(), values }
    }

    /// The values as token ids.
    pub fn ids(&self) -> Vec<u32> {
        self.values.iter().map(|value| *value as u32).collect()
    }
}

/// Token ids as an argument.
pub fn join(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Ctrl-C for process `pid`. One that has ended by itself cannot be interrupted; the caller sees which it was.
#[cfg(target_os = "linux")]
pub fn interrupt(pid: u32) {
    let kill = Command::new("kill").args(["-INT", &pid.to_string()]).stderr(Stdio::null()).status();
    kill.expect("kill is there");
}
