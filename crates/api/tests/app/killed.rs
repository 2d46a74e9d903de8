//! The program is killed in the middle of an answer, thirty times: at most one second of text is lost, the database is
//! never damaged.
//!
//! The child is this test program itself, running only [`child`]. It answers a question and reports each piece of text
//! at the moment it is produced, with its own clock; the parent kills it and looks at what was saved. Only the child's
//! clock counts, so that a busy machine makes no difference.

use crate::{say, start};
use api::dto::{AskRequest, ChatEvent, MessageState};
use api::scripted::{ScriptedModels, Step};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "AULA_TEST_KILLED_CHILD_FOLDER";
const ROUNDS: u32 = 30;
/// What may be lost.
const MOST_LOST: Duration = Duration::from_secs(1);
/// Nobody waits longer for a child.
const PATIENCE: Duration = Duration::from_secs(120);

/// The text that a child writes: numbered words, so that a gap would show.
fn word(n: usize) -> String {
    format!("word{n} ")
}

/// Runs in the child process only.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut script = say(&[]);
    for n in 0..2000 {
        script.extend([Step::Say(word(n)), Step::Wait(Duration::from_millis(4))]);
    }
    let models = ScriptedModels::new(move |_| script.clone());
    let folder = TempFolder(folder.into());
    let app = folder.start(&models).await;
    let began = Instant::now();
    let produced = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::Arc::new(tokio::sync::Notify::new());
    let finished = done.clone();
    let sink = move |event: ChatEvent| {
        match event {
            ChatEvent::Token { text } => {
                let total = produced.fetch_add(text.len(), std::sync::atomic::Ordering::SeqCst) + text.len();
                report(began.elapsed(), total);
            }
            ChatEvent::Finished { .. } | ChatEvent::Failed { .. } => finished.notify_one(),
            _ => {}
        }
        true
    };
    let request = AskRequest { conversation_id: None, text: "Count".into() };
    api::chat::ask(&app, request, sink).await.expect("asked");
    done.notified().await;
}

struct TempFolder(std::path::PathBuf);

impl TempFolder {
    async fn start(&self, models: &ScriptedModels) -> api::App {
        let places = api::places::Places { data_dir: self.0.clone(), demo_model: None, shared_models_dir: None };
        api::App::start(api::AppOptions {
            data_dir: self.0.clone(),
            models: std::sync::Arc::new(models.clone()),
            locale: None,
            transfers: std::sync::Arc::new(api::LocalTransfers::new(&places)),
            picker: std::sync::Arc::new(api::NoPicker),
            elsewhere: api::Elsewhere::alone(),
        })
        .await
    }
}

fn report(at: Duration, total: usize) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the parent is done with this child.
    let _ = writeln!(out, "\nproduced {} {total}", at.as_micros());
    let _ = out.flush();
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["killed::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("child")
}

/// `produced <microseconds> <bytes>`.
fn parse(line: &str) -> Option<(Duration, usize)> {
    let mut words = line.strip_prefix("produced ")?.split(' ');
    let at = Duration::from_micros(words.next()?.parse().ok()?);
    Some((at, words.next()?.parse().ok()?))
}

/// Lets a child write for `time` by its own clock and kills it; returns all that it reported.
fn run_and_kill(folder: &Path, time: Duration) -> Vec<(Duration, usize)> {
    let mut child = spawn(folder);
    let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let began = Instant::now();
    let mut reports: Vec<(Duration, usize)> = Vec::new();
    let mut killed = false;
    for line in lines {
        let Ok(line) = line else { break };
        reports.extend(parse(&line));
        let now = reports.last().map_or(Duration::ZERO, |(at, _)| *at);
        if !killed && (now >= time || began.elapsed() > PATIENCE) {
            killed = true;
            child.kill().expect("SIGKILL");
        }
    }
    child.wait().expect("gone");
    assert!(killed, "the child ended by itself after {reports:?}");
    reports
}

#[tokio::test]
async fn thirty_kills_lose_at_most_a_second_and_damage_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let whole: String = (0..2000).map(word).collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64 ^ u64::from(std::process::id());
    let mut worst = 0;
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let time = Duration::from_millis(random % 2500);
        let path = folder.path().to_owned();
        let reports =
            tokio::task::spawn_blocking(move || run_and_kill(&path, time)).await.expect("the child was watched");
        let (end, produced) = *reports.last().expect("the child wrote something");
        let a_second_before = end.saturating_sub(MOST_LOST);
        let must_be_there = reports.iter().rev().find(|(at, _)| *at <= a_second_before).map_or(0, |(_, total)| *total);

        let models = ScriptedModels::new(|_| say(&["unused"]));
        let app = start(&folder, &models).await;
        let info = api::app_info::info(&app).await.expect("the store opens");
        assert!(!info.store_was_damaged, "round {round}: damaged");
        let list = api::conversations::list(&app).await.expect("list");
        assert_eq!(list.len() as u32, round + 1, "every question is there");
        let last = api::conversations::get(&app, &list[0].id).await.expect("conversation");
        let answer = &last.messages[1];
        assert_eq!(answer.state, MessageState::Interrupted, "round {round}");
        assert!(whole.starts_with(&answer.text), "round {round}: a gap in the text");
        assert!(
            answer.text.len() >= must_be_there,
            "round {round}: {} of {produced} bytes saved, {must_be_there} were produced a second before the end",
            answer.text.len()
        );
        worst = worst.max(produced.saturating_sub(answer.text.len()));
        app.close().await;
    }
    println!("most text lost: {worst} bytes");

    let opened = store::Store::open(folder.path()).await.expect("open");
    assert_eq!(opened.store.problems().await.expect("check"), Vec::<String>::new());
}
