//! `aula models pull` from a server on this computer.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use test_support::faulty_server::{Fault, FaultyServer};
use tokio::runtime::Runtime;

use crate::support::{Machine, golden};

/// An offer whose size and checksum are what the hub says.
const OFFER: &str = "gemma-4-e2b-bartowski-q4_k_m";
/// What is fetched at once.
const PART_BYTES: u64 = 16 << 20;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server with a model of three parts, and an empty computer.
struct Scene {
    machine: Machine,
    server: FaultyServer,
    model: Vec<u8>,
    _runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let mut model = fs::read(golden("tiny-e2b-Q4_0.gguf")).expect("a file");
        // Behind the last tensor anything may follow; this makes it large enough to be fetched in parts.
        let padding = (0_u32..).map(|index| (index % 251) as u8);
        let missing = 2 * PART_BYTES as usize + 300_000 - model.len();
        model.extend(padding.take(missing));
        let server = runtime.block_on(FaultyServer::start(model.clone()));
        server.hub_says(Some(&sha256(&model)));
        Self { machine: Machine::new(), server, model, _runtime: runtime }
    }

    fn args(&self) -> Vec<String> {
        let endpoint = self.server.address();
        ["models", "pull", OFFER, "--allow-network", "--json", "--endpoint", &endpoint].map(str::to_owned).to_vec()
    }

    /// Pulls to the end; returns the JSON.
    fn pull(&self) -> Value {
        let pulled = self.machine.json(self.args());
        let file = self.machine.models_dir().join(format!("{OFFER}.gguf"));
        assert!(fs::read(file).expect("installed") == self.model, "the file is another one");
        let list = self.machine.json(["models", "list", "--json"]);
        assert_eq!((&list["models"][0]["id"], &list["unusable"]), (&pulled["id"], &Value::Array(Vec::new())), "{list}");
        pulled
    }
}

#[test]
fn a_model_is_downloaded_verified_and_installed() {
    let scene = Scene::new();
    let pulled = scene.pull();
    assert_eq!((&pulled["resumed"], &pulled["restarted"]), (&false.into(), &false.into()), "{pulled}");
    assert_eq!(pulled["sha256"], sha256(&scene.model));
    assert_eq!(scene.server.record().sent_bytes(), scene.model.len() as u64, "every byte once");

    let again = scene.machine.run(scene.args()).failure(&scene.machine);
    assert!(again.contains("is already installed"), "{again}");
}

#[test]
fn after_a_cut_the_same_command_goes_on() {
    let scene = Scene::new();
    scene.server.next([Fault::None, Fault::CutAfter(100_000), Fault::Status(404)]);
    let refused = scene.machine.run(scene.args()).failure(&scene.machine);
    assert!(refused.contains("404"), "{refused}");
    assert_eq!(scene.machine.json(["models", "list", "--json"])["models"], Value::Array(Vec::new()));
    assert_eq!(scene.server.record().sent_bytes(), PART_BYTES + 100_000);

    let pulled = scene.pull();
    assert_eq!(pulled["resumed"], true, "{pulled}");
    assert!(scene.server.record().repeated_bytes() <= 100_000, "the part that was there stays");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_pauses_and_the_same_command_goes_on() {
    use std::process::Stdio;

    use crate::support::{Ran, interrupt};

    let scene = Scene::new();
    scene.server.next([Fault::None, Fault::StallAfter(100_000)]);
    let mut command = scene.machine.command(scene.args());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("aula starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while scene.server.record().sent_bytes() < PART_BYTES + 100_000 {
        assert!(Instant::now() < patience, "the download does not begin: {:?}", scene.server.record());
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(child.id());
    let paused = Ran::of(child.wait_with_output().expect("it ends")).failure(&scene.machine);
    assert!(paused.ends_with("hint: Give the same command again to go on where it stopped\n"), "{paused}");

    let pulled = scene.pull();
    assert_eq!(pulled["resumed"], true, "{pulled}");
    assert!(scene.server.record().repeated_bytes() <= 100_000, "the part that was there stays");
}
