//! A key and a token are planted and everything is done with them that can be done, failures included. Afterwards every
//! place where they could have ended up is searched: files, logs, what went to the page, addresses, child processes.

use crate::elsewhere::{Served, flashcards, start};
use api::Elsewhere;
use api::dto::{AskRequest, Place, ProfileInput, ProfileKind, SchoolInput, ToolInput};
use api::elsewhere::NoSecrets;
use api::scripted::ScriptedModels;
use api::scripted_servers::{MODEL, ScriptedServers};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// With signs that every encoding writes otherwise.
const KEY: &str = "AQ.canary-KEY+7/f1=%&\"<9>0123456789abcdef";
const TOKEN: &str = "canary-TOKEN+8/e2=%&\"<7>fedcba9876543210";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The ways in which a secret may be written.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent = |upper: bool| -> String {
        let hex = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    char::from(byte).to_string()
                } else {
                    hex(byte)
                }
            })
            .collect()
    };
    let json = serde_json::to_string(secret).expect("JSON");
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
        percent(true),
        percent(false),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "),
        // The part that no encoding changes.
        secret[secret.len() - 16..].to_owned(),
    ];
    // Base64 of it alone, and of it behind one or two other bytes, whose inner part is the same whatever stands around.
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE] {
        for before in ["", "x", "xx"] {
            let text = engine.encode(format!("{before}{secret}"));
            forms.push(text[4..text.len() - 4].to_owned());
        }
    }
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    forms.into_iter().map(String::into_bytes).chain([utf16]).collect()
}

/// Where a secret was found.
fn found(place: &str, bytes: &[u8]) -> Vec<String> {
    let mut hits = Vec::new();
    for secret in [KEY, TOKEN] {
        for form in forms(secret) {
            if memchr::memmem::find(bytes, &form).is_some() {
                hits.push(format!("{place}: {}", String::from_utf8_lossy(&form)));
            }
        }
    }
    hits
}

fn in_files(folder: &Path, hits: &mut Vec<String>, seen: &mut usize) {
    for entry in std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry")) {
        let path = entry.path();
        hits.extend(found(&path.display().to_string(), path.to_string_lossy().as_bytes()));
        if path.is_dir() {
            in_files(&path, hits, seen);
        } else if let Ok(bytes) = std::fs::read(&path) {
            *seen += 1;
            hits.extend(found(&path.display().to_string(), &bytes));
        }
    }
}

/// What went to the page.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<String>>>);

impl Page {
    fn saw(&self, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("JSON");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn took<T: Serialize, E: Serialize + std::fmt::Debug>(&self, result: &Result<T, E>) {
        match result {
            Ok(value) => self.saw(value),
            Err(error) => {
                self.saw(error);
                self.saw(&format!("{error:?}"));
            }
        }
    }
}

/// What this process and its children were started with. Elsewhere than on Linux nothing can be seen of it.
fn processes() -> Vec<u8> {
    let mut all = Vec::new();
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)).unwrap_or_default().to_owned();
        if parent == own || entry.file_name().to_string_lossy() == own {
            for name in ["cmdline", "environ"] {
                all.extend(std::fs::read(entry.path().join(name)).unwrap_or_default());
            }
        }
    }
    all
}

async fn make(here: &Served, page: &Page, input: ToolInput) {
    let preview = api::tools::preview(&here.app, input.clone(), None).await;
    page.took(&preview);
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let begun = api::tools::start(&here.app, input, None, move |event| sender.send(event).is_ok()).await;
    page.took(&begun);
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(60), events.recv()).await {
        page.saw(&event);
        page.saw(&format!("{event:?}"));
    }
}

/// Set for the process in which everything is done.
const INSIDE: &str = "AULA_CANARY_INSIDE";

/// Everything is done in a process of its own: its log is then nobody else's, and what it prints when it crashes is seen.
#[test]
fn no_key_or_token_is_ever_anywhere_but_in_the_header() {
    if std::env::var_os(INSIDE).is_some() {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new("trace"))
            .with_writer(log.clone())
            .init();
        let runtime = tokio::runtime::Runtime::new().expect("runtime");
        let hits = runtime.block_on(everything(&log));
        assert!(hits.is_empty(), "{}", hits.join("\n").replace(KEY, "KEY").replace(TOKEN, "TOKEN"));
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(program)
        .args(["--exact", "canary::no_key_or_token_is_ever_anywhere_but_in_the_header", "--nocapture"])
        .env(INSIDE, "1")
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("a second process");
    let printed = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&printed);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(text.contains("a crash with everything in it"), "what a crash prints is searched");
    assert_eq!(found("what was printed", &printed), Vec::<String>::new());
}

async fn everything(log: &Log) -> Vec<String> {
    let page = Page::default();
    let here = Served::with(ScriptedModels::new(crate::elsewhere::answer), |elsewhere| elsewhere).await;
    let (sink, mut events) = crate::sink();
    let request = AskRequest { conversation_id: None, text: "What is half a cake?".to_owned() };
    let ticket = api::chat::ask(&here.app, request, sink).await.expect("asked");
    events.finished().await;
    let here = here.with_cloud(KEY).await;
    let input = SchoolInput { address: here.servers.address(), token: Some(TOKEN.to_owned()) };
    page.saw(&format!("{input:?}"));
    page.took(&api::engines::school_set(&here.app, input).await);
    page.took(&api::engines::cloud_test(&here.app).await);
    page.took(&api::engines::school_test(&here.app).await);
    page.took(&api::engines::get(&here.app).await);
    let mut bodies = 0;
    for place in [Place::Cloud, Place::School] {
        page.saw(&here.set(true, true, place).await);
        page.took(&api::tools::features(&here.app).await);
        for words in ["", "revoked", "region", "quota", "exhausted", "blocked", "cut", "portal", "broken", "vanish"] {
            make(&here, &page, flashcards(&format!("fractions {words}"))).await;
        }
        page.took(&api::chat::second_preview(&here.app, &ticket.answer_id).await);
        let (sink, mut events) = crate::sink();
        page.took(&api::chat::second_answer(&here.app, &ticket.answer_id, sink).await);
        for event in events.all().await {
            page.saw(&event);
        }
        page.took(&api::chat::show_version(&here.app, &ticket.answer_id).await);
        bodies += here.servers.requests().len();
    }
    assert!(bodies > 20, "{bodies} requests were made");
    page.took(&api::network_state::get(&here.app).await);
    page.took(&api::creations::list(&here.app).await);
    // Keys and tokens that are refused, and a name for them in the wrong field.
    let bad = format!("wrong-{KEY}").replace('"', "");
    page.took(&api::engines::cloud_key_set(&here.app, format!("{KEY} {KEY}")).await);
    page.took(&api::engines::cloud_key_set(&here.app, bad).await);
    page.took(&api::engines::cloud_test(&here.app).await);
    let address = format!("http://{TOKEN}@127.0.0.1:1");
    page.took(&api::engines::school_set(&here.app, SchoolInput { address, token: None }).await);
    page.saw(&format!("{:?} {:?}", here.app, here.secrets));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        std::panic::panic_any(format!("a crash with everything in it: {:?} {:?}", here.app, here.secrets));
    }));
    page.saw(&panic.expect_err("a panic").downcast_ref::<String>().cloned().unwrap_or_default());

    let mut hits = found("processes", &processes());
    // While it is open: the write-ahead log is still beside the database.
    let mut files = 0;
    in_files(here.folder.path(), &mut hits, &mut files);
    page.took(&api::engines::cloud_key_remove(&here.app).await);
    here.app.close().await;
    in_files(here.folder.path(), &mut hits, &mut files);
    assert!(files > 2, "{files} files were searched");
    without_a_keychain(&here, &page).await;
    in_files(here.folder.path(), &mut hits, &mut files);

    let logged = log.text();
    let opened = b"network opened".as_slice();
    assert!(logged.windows(opened.len()).any(|window| window == opened), "the log is searched");
    hits.extend(found("log", &logged));
    for text in page.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        hits.extend(found(&format!("page: {}", text.chars().take(200).collect::<String>()), text.as_bytes()));
    }
    let mut in_headers = 0;
    for request in here.servers.requests() {
        hits.extend(found(&format!("address {}", request.target), request.target.as_bytes()));
        hits.extend(found(&format!("body of {}", request.target), request.body.as_bytes()));
        for (name, value) in &request.headers {
            let secret = name == "x-goog-api-key" || name == "authorization";
            in_headers += usize::from(secret && (value.contains(KEY) || value.contains(TOKEN)));
            if !secret {
                hits.extend(found(&format!("header {name} of {}", request.target), value.as_bytes()));
            }
            let gemini = request.target.starts_with("/v1beta/");
            let other = if gemini { TOKEN } else { KEY };
            assert!(!value.contains(other), "a secret went to the wrong service");
        }
    }
    assert!(in_headers > 10, "the search finds what is there: {in_headers}");
    hits
}

/// The same where keys are kept in memory only.
async fn without_a_keychain(here: &Served, page: &Page) {
    let servers = ScriptedServers::start(0, Duration::ZERO).await.expect("a port");
    let elsewhere = Elsewhere::with_secrets(Arc::new(NoSecrets)).with_cloud_at(servers.address(), MODEL);
    let folder = tempfile::tempdir_in(here.folder.path()).expect("folder");
    let app = start(&folder, &here.models, elsewhere).await;
    let adult = ProfileInput { name: String::new(), kind: ProfileKind::Adult, pin: None, old_pin: None };
    page.took(&api::profile::set(&app, adult).await);
    page.took(&api::engines::cloud_key_set(&app, KEY.to_owned()).await);
    page.took(&api::engines::cloud_agree(&app, true).await);
    page.took(&api::engines::cloud_test(&app).await);
    page.took(&api::engines::get(&app).await);
    assert!(servers.requests().iter().any(|request| request.header("x-goog-api-key") == Some(KEY)));
    app.close().await;
    // It is searched, and goes with the folder around it.
    let _ = folder.keep();
}

#[test]
fn the_search_finds_every_way_of_writing_them() {
    for secret in [KEY, TOKEN] {
        for form in forms(secret) {
            let text = [b"before ".as_slice(), &form, b" after"].concat();
            assert!(!found("here", &text).is_empty());
        }
        for before in ["", "a", "ab", "abc"] {
            let around = STANDARD.encode(format!("{before}{secret}behind it"));
            assert!(!found("here", around.as_bytes()).is_empty(), "{around}");
        }
    }
    assert!(found("here", b"nothing of the kind").is_empty());
}
