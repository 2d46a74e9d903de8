//! The rows of the table: what is run for each of them, and what it has to reach.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::child::Spec;
use super::peer::Peer;
use super::reading::Reading;

/// Tokens decoded in one run, and in one that is held up.
const DECODED: usize = 32;
const DECODED_BUSY: usize = 8;
/// Processors taken away in the rows that say so.
const HOGS: usize = 2;
/// A short tutoring prompt, in tokens.
const TUTORING_PROMPT: usize = 300;
/// Context length at which memory is compared.
const CONTEXT: usize = 4096;
/// A question of a few tokens.
const QUESTION: &str = "Hola";

/// What is measured with what.
pub struct Setting {
    /// Our program.
    pub aula: PathBuf,
    /// Folder for our program's caches.
    pub data: PathBuf,
    /// The peer that the bar speaks of.
    pub peer: Peer,
    /// Another build of it, reported beside.
    pub beside: Option<Peer>,
    /// The model file.
    pub model: PathBuf,
    /// What it is.
    pub facts: Facts,
    /// Threads.
    pub threads: usize,
}

/// What our program says of the model file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Bytes of weights that each token reads.
    pub bytes_per_token: u64,
}

/// What a row's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// More is better.
    TokensPerSecond,
    /// Less is better.
    Seconds,
    /// Less is better.
    Bytes,
    /// The time of a pass of several rows over that of one; less is better.
    Times,
}

/// What a row has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// The ratio is at least this.
    RatioAtLeast(f64),
    /// The number is at most this, in the row's unit.
    AtMost(f64),
}

/// One program to run, and its number.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What is run.
    pub spec: Spec,
    /// Where its number stands.
    pub reading: Reading,
    /// Processors that are kept busy meanwhile.
    pub hogs: usize,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// For `--only`, and the first column.
    pub name: String,
    /// What the numbers are.
    pub unit: Unit,
    /// Ours.
    pub ours: Subject,
    /// What ours is divided by, and its name: the peer, or ours in other circumstances.
    pub against: Option<(&'static str, Subject)>,
    /// The other build of the peer.
    pub beside: Option<Subject>,
    /// What it has to reach.
    pub bar: Option<Bar>,
    /// Threads of the probe whose bandwidth this row's tokens are a share of.
    pub share_of: Option<usize>,
}

impl Row {
    /// Whether `wanted` names this row or the first words of its name. Nothing wanted is everything.
    pub fn is_wanted(&self, wanted: &[String]) -> bool {
        let begins =
            |part: &String| self.name.strip_prefix(part.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('-'));
        wanted.is_empty() || wanted.iter().any(begins)
    }
}

/// All rows, in the order of the table.
pub fn rows(setting: &Setting) -> Vec<Row> {
    let Setting { threads, .. } = *setting;
    let make = Maker { setting };
    let (e2b, q4_0) = (setting.facts.name.contains("E2B"), setting.facts.quantization == "Q4_0");
    let prefill_bar = if e2b { 3.5 } else { 2.2 };
    let memory_bar = if e2b { 1.7e9 } else { 3.3e9 };

    let mut rows = vec![
        make.prefill(512, threads).bar(Bar::RatioAtLeast(prefill_bar)),
        make.prefill(2048, threads).bar_if(e2b && q4_0, Bar::RatioAtLeast(prefill_bar)),
        make.decode(128, threads).bar(Bar::RatioAtLeast(1.1)),
        make.decode(CONTEXT, threads).bar(Bar::RatioAtLeast(1.1)),
    ];
    for count in [1, 2, 4] {
        if count < threads {
            rows.push(make.prefill(512, count).named(format!("threads-{count}-prefill-512")));
            let row = make.decode(128, count).named(format!("threads-{count}-decode-128"));
            rows.push(row.bar_if(count == 1 && e2b && q4_0, Bar::RatioAtLeast(1.4)));
        }
    }
    rows.extend([
        make.verify(4).bar(Bar::AtMost(1.25)),
        make.verify(5),
        make.busy_against_idle().bar(Bar::RatioAtLeast(0.5)),
        make.busy_against_peer(),
        make.start().bar(Bar::AtMost(0.5)),
        make.memory().bar(Bar::AtMost(memory_bar)),
        make.first_token_cold(),
        make.first_token_warm(),
        make.narrow("prefill", &make.prefill(512, threads)).bar(Bar::RatioAtLeast(0.6)),
        make.narrow("decode", &make.decode(128, threads)).bar(Bar::RatioAtLeast(0.6)),
    ]);
    rows
}

impl Row {
    fn named(mut self, name: String) -> Self {
        self.name = name;
        self
    }

    fn bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    fn bar_if(self, condition: bool, bar: Bar) -> Self {
        if condition { self.bar(bar) } else { self }
    }
}

impl Subject {
    fn new(spec: Spec, reading: Reading) -> Self {
        Self { spec, reading, hogs: 0 }
    }

    fn beside_hogs(mut self) -> Self {
        self.hogs = HOGS;
        self
    }
}

struct Maker<'a> {
    setting: &'a Setting,
}

impl Maker<'_> {
    /// `aula bench` on the model, each measurement once.
    fn ours(&self, threads: usize, words: &str) -> Spec {
        let Setting { aula, data, model, .. } = self.setting;
        let spec =
            Spec::new(aula).words("bench --model").arg(model).words(&format!("--threads {threads} --reps 1 --json"));
        spec.words(words).env("AULA_DATA_DIR", data)
    }

    /// `aula ask`, as a person would.
    fn ask(&self, words: &str) -> Spec {
        let Setting { aula, data, model, .. } = self.setting;
        let spec = Spec::new(aula).words("ask --model").arg(model).words("--no-system --temperature=0");
        spec.words(words).arg(QUESTION).env("AULA_DATA_DIR", data)
    }

    /// llama-bench on the model, each measurement once after its own warm-up.
    fn theirs(&self, peer: &Peer, threads: usize, words: &str) -> Spec {
        let spec = Spec::new(&peer.bench).arg("-m").arg(&self.setting.model);
        spec.words(&format!("-t {threads} -r 1 -o json")).words(words)
    }

    fn row(&self, name: String, unit: Unit, ours: Subject) -> Row {
        Row { name, unit, ours, against: None, beside: None, bar: None, share_of: None }
    }

    /// A row of tokens a second, against the peer.
    fn speed(&self, name: String, threads: usize, ours: (&str, &'static str), theirs: &str) -> Row {
        let peer = |peer: &Peer| Subject::new(self.theirs(peer, threads, theirs), Reading::Json("/0/avg_ts"));
        let row =
            self.row(name, Unit::TokensPerSecond, Subject::new(self.ours(threads, ours.0), Reading::Json(ours.1)));
        Row { against: Some(("peer", peer(&self.setting.peer))), beside: self.setting.beside.as_ref().map(peer), ..row }
    }

    fn prefill(&self, tokens: usize, threads: usize) -> Row {
        let ours = format!("--prompt-tokens {tokens} --decode-tokens 0");
        let theirs = format!("-p {tokens} -n 0");
        self.speed(format!("prefill-{tokens}"), threads, (&ours, "/prefill_tps/median"), &theirs)
    }

    fn decode(&self, depth: usize, threads: usize) -> Row {
        let ours = format!("--prompt-tokens 0 --decode-tokens {DECODED} --depth {depth}");
        let theirs = format!("-p 0 -n {DECODED} -d {depth}");
        let row = self.speed(format!("decode-{depth}"), threads, (&ours, "/decode_tps/median"), &theirs);
        Row { share_of: Some(threads), ..row }
    }

    /// A pass of `rows` rows against a pass of one.
    fn verify(&self, rows: usize) -> Row {
        let words = format!("--prompt-tokens 0 --decode-tokens 0 --depth 128 --verify {rows}");
        let ours = Subject::new(self.ours(self.setting.threads, &words), Reading::Json("/verify/ratio/median"));
        // The nearest that the peer measures: one token for each of so many conversations.
        let theirs = self.setting.peer.batched.as_deref().map(|program| {
            let spec = Spec::new(program).arg("-m").arg(&self.setting.model).words(&format!(
                "-t {} -c 2048 -npp 128 -ntg 16 -npl 1,{rows} -pps --output-format jsonl",
                self.setting.threads
            ));
            ("peer", Subject::new(spec, Reading::BatchedCost))
        });
        Row { against: theirs, ..self.row(format!("verify-{rows}"), Unit::Times, ours) }
    }

    fn busy(&self) -> Subject {
        let words = format!("--prompt-tokens 0 --decode-tokens {DECODED} --depth 128");
        Subject::new(self.ours(self.setting.threads, &words), Reading::Json("/decode_tps/median")).beside_hogs()
    }

    fn busy_against_idle(&self) -> Row {
        let idle = Subject { hogs: 0, ..self.busy() };
        Row { against: Some(("idle", idle)), ..self.row("busy".to_owned(), Unit::TokensPerSecond, self.busy()) }
    }

    fn busy_against_peer(&self) -> Row {
        let spec = self.theirs(&self.setting.peer, self.setting.threads, &format!("-p 0 -n {DECODED_BUSY}"));
        let theirs = Subject::new(spec, Reading::Json("/0/avg_ts")).beside_hogs();
        Row { against: Some(("peer", theirs)), ..self.row("busy-peer".to_owned(), Unit::TokensPerSecond, self.busy()) }
    }

    /// From the start of the program to the first token.
    fn start(&self) -> Row {
        let ours = Subject::new(self.ask("--max-tokens 8"), Reading::FirstByte);
        let theirs =
            self.completion(&["--no-warmup", "-n", "8"]).map(|spec| ("peer", Subject::new(spec, Reading::FirstByte)));
        Row { against: theirs, ..self.row("start".to_owned(), Unit::Seconds, ours) }
    }

    fn memory(&self) -> Row {
        let words = format!("--prompt-tokens 0 --decode-tokens 16 --depth {}", CONTEXT - 16);
        let ours = Subject::new(self.ours(self.setting.threads, &words), Reading::PeakMemory);
        let context = CONTEXT.to_string();
        let theirs = self.completion(&["-c", &context, "-n", "8"]);
        let theirs = theirs.map(|spec| ("peer", Subject::new(spec, Reading::PeakMemory)));
        Row { against: theirs, ..self.row("memory".to_owned(), Unit::Bytes, ours) }
    }

    fn completion(&self, words: &[&str]) -> Option<Spec> {
        let program: &Path = self.setting.peer.completion.as_deref()?;
        let threads = self.setting.threads;
        let spec =
            Spec::new(program).arg("-m").arg(&self.setting.model).words(&format!("-t {threads} -no-cnv --temp 0"));
        let spec = spec.words("--no-display-prompt -p").arg(QUESTION);
        Some(words.iter().fold(spec, Spec::arg))
    }

    fn turns(&self, pointer: &'static str) -> Subject {
        let words = format!("--prompt-tokens {TUTORING_PROMPT} --decode-tokens 0 --turns");
        Subject::new(self.ours(self.setting.threads, &words), Reading::Json(pointer))
    }

    /// Time to the first token of a tutoring prompt. The peer's time is without drawing the token.
    fn first_token_cold(&self) -> Row {
        let words = format!("-p {TUTORING_PROMPT} -n 0");
        let theirs = self.theirs(&self.setting.peer, self.setting.threads, &words);
        let theirs = Subject::new(theirs, Reading::Nanoseconds("/0/avg_ns"));
        let row = self.row("first-token-cold".to_owned(), Unit::Seconds, self.turns("/turns/cold_s/median"));
        Row { against: Some(("peer", theirs)), ..row }
    }

    fn first_token_warm(&self) -> Row {
        self.row("first-token-warm".to_owned(), Unit::Seconds, self.turns("/turns/warm_s/median"))
    }

    /// The AVX2 kernels against those that this processor gets by itself.
    fn narrow(&self, what: &str, wide: &Row) -> Row {
        let mut ours = wide.ours.clone();
        ours.spec = ours.spec.env("AULA_KERNELS", "avx2");
        Row {
            against: Some(("own", wide.ours.clone())),
            ..self.row(format!("avx2-{what}"), Unit::TokensPerSecond, ours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        let peer = Peer {
            bench: "llama-bench".into(),
            completion: Some("llama-completion".into()),
            batched: None,
            about: String::new(),
        };
        Setting {
            aula: "aula".into(),
            data: "data".into(),
            peer: peer.clone(),
            beside: None,
            model: "a model.gguf".into(),
            facts: Facts { name: "Gemma 4 E2B".to_owned(), quantization: "Q4_0".to_owned(), bytes_per_token: 1 },
            threads: 4,
        }
    }

    #[test]
    fn each_row_has_a_name_of_its_own() {
        let names: Vec<String> = rows(&setting()).into_iter().map(|row| row.name).collect();
        let mut different = names.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn rows_are_chosen_by_the_first_words_of_their_names() {
        let chosen = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            let rows = rows(&setting()).into_iter().filter(|row| row.is_wanted(&wanted));
            rows.map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&["decode-128"]), ["decode-128"]);
        assert_eq!(chosen(&["threads-1"]), ["threads-1-prefill-512", "threads-1-decode-128"]);
        assert_eq!(chosen(&["memory", "busy"]), ["busy", "busy-peer", "memory"]);
        assert_eq!(chosen(&["dec"]), [""; 0]);
        assert_eq!(chosen(&[]).len(), rows(&setting()).len());
    }

    #[test]
    fn both_sides_do_the_same_work() {
        let rows = rows(&setting());
        let row = rows.iter().find(|row| row.name == "decode-4096").expect("a row");
        assert_eq!(
            row.ours.spec.line(),
            "AULA_DATA_DIR=data aula bench --model 'a model.gguf' --threads 4 --reps 1 --json --prompt-tokens 0 --decode-tokens 32 --depth 4096"
        );
        let (name, theirs) = row.against.as_ref().expect("the peer");
        let line = "llama-bench -m 'a model.gguf' -t 4 -r 1 -o json -p 0 -n 32 -d 4096";
        assert_eq!((*name, theirs.spec.line().as_str()), ("peer", line));
        assert_eq!(row.bar, Some(Bar::RatioAtLeast(1.1)));
    }
}
