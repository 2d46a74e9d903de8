//! A tiny model, a server that has it, and an empty models folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use catalog::download::{Download, Policy, Signal};
use catalog::incoming::Hasher;
use catalog::manifest::{HashSource, Manifest, Memory, Variant};
use catalog::{Catalog, Control, Error, Record, hub};
use errors::{ErrorCode, Explain};
use network::{Client, Gate, Options, Purpose};
use test_support::TempDir;
use test_support::faulty_server::FaultyServer;
use test_support::synth::{Mix, Size, Spec, write_model};

pub const PART_BYTES: u64 = 64 << 10;

/// A sound model file of a few megabytes.
pub fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| written(1))
}

/// Another sound model of the same length.
pub fn other_model() -> Vec<u8> {
    let other = written(2);
    assert_eq!(other.len(), model().len());
    assert_ne!(other, model());
    other
}

fn written(seed: u64) -> Vec<u8> {
    let folder = test_support::temp_folder();
    let path = folder.path().join("m.gguf");
    write_model(&path, Spec { seed, ..Spec::new(Size::Tiny, Mix::GoogleQatQ4_0) }).expect("written");
    fs::read(path).expect("readable")
}

pub fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

/// A manifest whose checksum is published.
pub fn published(bytes: &[u8]) -> Manifest {
    Manifest { bytes_exact: true, hash: HashSource::Published, sha256: Some(sha256(bytes)), ..hub_checked(bytes) }
}

/// A manifest whose checksum is what the hub says.
pub fn hub_checked(bytes: &[u8]) -> Manifest {
    Manifest {
        id: "tiny".to_owned(),
        name: "Tiny".to_owned(),
        variant: Variant::E2B,
        quantization: "Q4_0".to_owned(),
        qat: true,
        publisher: "somebody".to_owned(),
        license: "Apache-2.0".to_owned(),
        repository: "somebody/tiny-gguf".to_owned(),
        revision: "main".to_owned(),
        file: "tiny.gguf".to_owned(),
        bytes: bytes.len() as u64,
        bytes_exact: false,
        hash: HashSource::Hub,
        sha256: None,
        memory: Memory { per_token_bytes: 1, per_layer_table_bytes: 1 },
    }
}

pub fn policy() -> Policy {
    Policy {
        part_bytes: PART_BYTES,
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(10),
        quick_tries: 1,
    }
}

pub fn client(bytes_per_second: Option<u64>) -> Client {
    let options = Options {
        stall_timeout: Duration::from_millis(400),
        connect_timeout: Duration::from_secs(5),
        system_proxy: false,
        bytes_per_second,
    };
    Client::new(Gate::new(), options)
}

/// Everything that a download takes.
pub struct Scene {
    pub server: FaultyServer,
    pub models: TempDir,
    pub download: Download,
    /// Codes of what was waited for.
    pub waited_for: Mutex<Vec<ErrorCode>>,
}

impl Scene {
    /// A server with the model, whose checksum is published.
    pub async fn new() -> Self {
        Self::with(FaultyServer::start(model().to_vec()).await, published(model()))
    }

    pub fn with(server: FaultyServer, manifest: Manifest) -> Self {
        let models = test_support::temp_folder();
        let download = Download {
            client: client(None),
            manifest,
            addresses: vec![server.address()],
            folder: models.path().to_owned(),
            policy: policy(),
        };
        Self { server, models, download, waited_for: Mutex::default() }
    }

    /// Downloads with the network open.
    pub async fn run(&self) -> Result<(PathBuf, Record), Error> {
        self.run_with(&Control::default(), |_| {}).await
    }

    pub async fn run_with(
        &self,
        control: &Control,
        also: impl Fn(&hub::Error) + Send + Sync,
    ) -> Result<(PathBuf, Record), Error> {
        let _permit = self.download.client.gate().open(Purpose::ModelDownload);
        let observer = |signal: Signal<'_>| {
            if let Signal::Waiting(error) = signal {
                self.waited_for.lock().expect("not poisoned").push(error.code());
                also(error);
            }
        };
        // A download that never ends is a failed test, not a hanging one.
        let patience = Duration::from_secs(60);
        tokio::time::timeout(patience, self.download.run(control, &observer)).await.expect("it ends")
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::new(Catalog::new(self.models.path().to_owned(), None))
    }

    pub fn data(&self) -> PathBuf {
        self.models.path().join(".incoming/download-tiny/data")
    }

    pub fn waited_for(&self) -> Vec<ErrorCode> {
        self.waited_for.lock().expect("not poisoned").clone()
    }

    /// The model is installed, whole, and nothing else is left.
    pub fn assert_installed(&self, content: &[u8]) {
        assert_installed(self.models.path(), content);
        assert!(!self.data().exists(), "leftovers");
    }

    /// No model is offered.
    pub fn assert_nothing_installed(&self) {
        assert!(self.catalog().list().expect("a folder").models.is_empty());
        assert!(!self.models.path().join("tiny.gguf").exists());
    }
}

pub fn assert_installed(models: &Path, content: &[u8]) {
    let listing = Catalog::new(models.to_owned(), None).list().expect("a folder");
    assert_eq!((listing.models.len(), listing.unusable.len()), (1, 0));
    assert!(fs::read(&listing.models[0].path).expect("readable") == content, "the file is another one");
}

/// A handle that pauses when so many parts are there.
pub fn pause_after(parts: usize) -> Control {
    let slot: Arc<OnceLock<Control>> = Arc::default();
    let own = Arc::clone(&slot);
    let control = Control::watched(move |progress| {
        if let Some(control) = own.get()
            && progress.parts_done >= parts
        {
            control.pause();
        }
    });
    slot.set(control.clone()).expect("set once");
    control
}
