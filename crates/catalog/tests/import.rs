//! Copying models in, and what goes wrong on the way: kills, pulled-out sticks, full and read-only disks, wrong bytes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use catalog::incoming::{Begun, unfinished};
use catalog::{Catalog, Control, Error, ImportOptions, Progress, Record, Step};
use errors::{ErrorCode, Explain};

const PART: u64 = 32 << 10;

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let variant = name.rsplit_once('-').expect("VARIANT-TYPE.gguf").0;
    folder.join(variant).join(name)
}

fn options() -> ImportOptions {
    ImportOptions { part_bytes: PART, ..ImportOptions::default() }
}

/// A stick with one model on it, and a models folder.
struct World {
    root: tempfile::TempDir,
    source: PathBuf,
    bytes: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let stick = root.path().join("stick");
        fs::create_dir(&stick).expect("a folder");
        let source = stick.join("tiny.gguf");
        fs::copy(golden("tiny-e4b-Q4_K_M.gguf"), &source).expect("a copy");
        let bytes = fs::read(&source).expect("readable");
        Self { root, source, bytes }
    }

    fn catalog(&self) -> Catalog {
        Catalog::new(self.root.path().join("models"), None)
    }

    fn import(&self, control: &Control) -> Result<catalog::Imported, Error> {
        self.catalog().import_with(&self.source, &options(), control)
    }

    /// Copies until `parts` parts are there, then pauses.
    fn import_some(&self, parts: usize) {
        let paused = self.import(&pausing_at(parts)).expect_err("paused");
        assert!(matches!(paused, Error::Paused), "{paused:?}");
    }

    fn parts_done(&self) -> usize {
        unfinished(self.catalog().folder()).first().map_or(0, |one| one.parts_done)
    }

    fn assert_installed(&self) {
        let listing = self.catalog().list().expect("a folder");
        assert!(listing.unusable.is_empty(), "{listing:?}");
        let [model] = listing.models.as_slice() else { panic!("{listing:?}") };
        assert_eq!(fs::read(&model.path).expect("readable"), self.bytes);
        let verified = self.catalog().verify(&model.id, &Control::default()).expect("as recorded");
        assert!(verified.recorded);
        assert!(unfinished(self.catalog().folder()).is_empty());
    }

    fn assert_nothing_listed(&self) {
        let listing = self.catalog().list().expect("a folder");
        assert!(listing.models.is_empty() && listing.unusable.is_empty(), "{listing:?}");
    }
}

/// A handle that pauses once `parts` parts are recorded.
fn pausing_at(parts: usize) -> Control {
    acting_at(parts, |control| control.pause())
}

fn acting_at(parts: usize, act: impl Fn(&Control) + Send + Sync + 'static) -> Control {
    let slot: std::sync::Arc<Mutex<Option<Control>>> = std::sync::Arc::default();
    let inner = std::sync::Arc::clone(&slot);
    let control = Control::watched(move |now: Progress| {
        if now.step == Step::Copying
            && now.parts_done >= parts
            && let Some(control) = inner.lock().expect("no panic").as_ref()
        {
            act(control);
        }
    });
    *slot.lock().expect("no panic") = Some(control.clone());
    control
}

#[test]
fn a_paused_import_goes_on_and_a_cancelled_one_leaves_nothing() {
    let world = World::new();
    world.import_some(5);
    world.assert_nothing_listed();
    let before = world.parts_done();
    assert!((5..12).contains(&before), "{before}");
    let first = std::sync::Arc::new(Mutex::new(None));
    let seen = std::sync::Arc::clone(&first);
    let control = Control::watched(move |now: Progress| {
        if now.step == Step::Copying {
            seen.lock().expect("no panic").get_or_insert(now);
        }
    });
    let imported = world.import(&control).expect("imported");
    assert_eq!(imported.begun, Begun::Resumed);
    let first = first.lock().expect("no panic").expect("something was left to copy");
    assert_eq!((first.parts_done, first.done_bytes), (before, before as u64 * PART), "nothing was copied again");
    world.assert_installed();

    let world = World::new();
    let cancelled = world.import(&acting_at(3, Control::cancel)).expect_err("cancelled");
    assert!(matches!(cancelled, Error::Cancelled), "{cancelled:?}");
    assert!(unfinished(world.catalog().folder()).is_empty());
    world.assert_nothing_listed();
    assert_eq!(world.import(&Control::default()).expect("imported").begun, Begun::Fresh);
}

#[test]
fn a_stick_that_is_pulled_out_and_put_back() {
    let world = World::new();
    let (stick, away) = (world.source.parent().expect("a folder").to_owned(), world.root.path().join("away"));
    world.import_some(5);
    fs::rename(&stick, &away).expect("pulled out");
    let gone = world.import(&Control::default()).expect_err("gone");
    assert_eq!(gone.code(), ErrorCode::SourceGone, "{gone:?}");
    assert!(gone.hint().is_some_and(|hint| hint.contains("goes on where it stopped")), "{gone:?}");
    assert!(world.parts_done() >= 5, "what was copied is kept");
    world.assert_nothing_listed();

    // It is mounted somewhere else when it is put back.
    let elsewhere = world.root.path().join("elsewhere");
    fs::rename(&away, &elsewhere).expect("put back");
    let imported = world.catalog().import_with(&elsewhere.join("tiny.gguf"), &options(), &Control::default());
    assert_eq!(imported.expect("imported").begun, Begun::Resumed);
    world.assert_installed();
    // A path that never was is not a stick that is gone.
    let absent = world.catalog().import(&stick.join("tiny.gguf"), &Control::default()).expect_err("absent");
    assert_eq!(absent.code(), ErrorCode::ModelMissing, "{absent:?}");
}

#[test]
fn a_file_that_is_cut_short_while_it_is_copied_is_named() {
    let world = World::new();
    let source = world.source.clone();
    let half = world.bytes.len() as u64 / 2;
    let cut = move |_: &Control| {
        let file = fs::OpenOptions::new().write(true).open(&source).expect("writable");
        file.set_len(half).expect("cut");
    };
    let changed = world.import(&acting_at(2, cut)).expect_err("cut short");
    assert!(matches!(changed, Error::SourceChanged { .. }), "{changed:?}");
    world.assert_nothing_listed();
}

#[test]
fn a_source_that_changed_is_copied_anew() {
    // Another time of writing.
    let world = World::new();
    world.import_some(5);
    let file = fs::OpenOptions::new().append(true).open(&world.source).expect("writable");
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).expect("set");
    assert_eq!(world.import(&Control::default()).expect("imported").begun, Begun::Restarted);
    world.assert_installed();

    // The same time, another first part.
    let mut world = World::new();
    world.import_some(5);
    let before = fs::metadata(&world.source).and_then(|facts| facts.modified()).expect("a time");
    world.bytes = fs::read(golden("tiny-e4b-BF16.gguf")).expect("readable");
    world.bytes.truncate(fs::metadata(&world.source).expect("a file").len() as usize);
    fs::write(&world.source, &world.bytes).expect("written");
    fs::OpenOptions::new().append(true).open(&world.source).and_then(|file| file.set_modified(before)).expect("set");
    let refused = world.import(&Control::default()).expect_err("a model that is cut short");
    assert_eq!(refused.code(), ErrorCode::ModelFileDamaged, "{refused:?}");
    world.assert_nothing_listed();
    assert!(unfinished(world.catalog().folder()).is_empty(), "a wrong file leaves nothing");
}

#[test]
fn bytes_that_are_not_what_a_checksum_says_are_refused() {
    let world = World::new();
    let wrong = ImportOptions { sha256: Some("0".repeat(64)), ..options() };
    let refused = world.catalog().import_with(&world.source, &wrong, &Control::default()).expect_err("wrong");
    assert_eq!(refused.code(), ErrorCode::TransferCorrupt, "{refused:?}");
    world.assert_nothing_listed();
    assert!(unfinished(world.catalog().folder()).is_empty());
}

#[test]
fn two_imports_of_one_model_exclude_each_other() {
    let world = World::new();
    let catalog = world.catalog();
    let source = world.source.clone();
    let refused = std::sync::Arc::new(Mutex::new(None));
    let seen = std::sync::Arc::clone(&refused);
    let meanwhile = move |_: &Control| {
        let mut seen = seen.lock().expect("no panic");
        seen.get_or_insert_with(|| catalog.import_with(&source, &options(), &Control::default()).map(|_| ()));
    };
    world.import(&acting_at(1, meanwhile)).expect("the first goes on");
    let refused = refused.lock().expect("no panic").take();
    assert!(matches!(refused, Some(Err(Error::Busy))), "{refused:?}");
    world.assert_installed();
}

#[test]
fn a_record_speaks_for_its_file_only_while_it_is_there() {
    let world = World::new();
    let model = world.import(&Control::default()).expect("imported").model;
    let record = Record::of_model(&model.path).expect("a record");
    assert_eq!((record.bytes, record.quantization.as_str()), (world.bytes.len() as u64, "Q4_K_M"));
    assert_eq!(record.part_sha256.len() as u64, record.bytes.div_ceil(PART));

    let mut spoilt = world.bytes.clone();
    *spoilt.last_mut().expect("bytes") ^= 1;
    fs::write(&model.path, &spoilt).expect("written");
    let damaged = world.catalog().verify(&model.id, &Control::default()).expect_err("damaged");
    assert_eq!(damaged.code(), ErrorCode::TransferCorrupt, "{damaged:?}");
    assert!(damaged.to_string().contains("1 of"), "{damaged}");

    world.catalog().remove(&model.id).expect("removed");
    let left: Vec<_> = fs::read_dir(world.catalog().folder()).expect("a folder").flatten().collect();
    assert!(left.iter().all(|entry| entry.file_name().to_string_lossy().starts_with('.')), "{left:?}");
    // A file that somebody put there by hand has no record.
    fs::write(&model.path, &world.bytes).expect("written");
    let verified = world.catalog().verify(&model.id, &Control::default()).expect("readable");
    assert_eq!((verified.recorded, verified.sha256), (false, record.sha256));
}

const KILLED: &str = "AULA_TEST_KILLED_IMPORT";

/// Not a test by itself: the process that the next test kills. It notes every part that it begins to copy.
#[test]
fn the_import_that_is_killed() {
    let Some(root) = std::env::var_os(KILLED).map(PathBuf::from) else { return };
    let log = Mutex::new(fs::OpenOptions::new().append(true).create(true).open(root.join("log")).expect("a log"));
    let control = Control::watched(move |now: Progress| {
        if now.step == Step::Copying {
            let part = now.done_bytes / PART;
            writeln!(log.lock().expect("no panic"), "{part}").expect("written");
        }
    });
    let catalog = Catalog::new(root.join("models"), None);
    match catalog.import_with(&root.join("stick/tiny.gguf"), &options(), &control) {
        // The process before was killed between giving the model its name and ending.
        Err(Error::AlreadyInstalled { same_content: true, .. }) => {}
        other => drop(other.expect("imported")),
    }
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[cfg(unix)]
#[test]
fn fifty_kills_never_leave_half_a_model_and_cost_little() {
    let mut random = Random(42);
    let mut world = World::new();
    let start_child = |world: &World| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "the_import_that_is_killed", "--test-threads=1"]).env(KILLED, world.root.path());
        command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("a process")
    };
    let started =
        |world: &World| fs::read_to_string(world.root.path().join("log")).map_or(0, |log| log.lines().count());
    let (mut kills, mut copied, mut models) = (0, 0_usize, 0_usize);
    let n_parts = world.bytes.len().div_ceil(PART as usize);
    while kills < 50 {
        let before = started(&world);
        let mut child = start_child(&world);
        // Some kills come before the first byte; most while parts are copied.
        let wanted = random.below(n_parts as u64 / 2) as usize;
        let pause = Duration::from_micros(random.below(3000));
        let deadline = Instant::now() + Duration::from_secs(20);
        let over = loop {
            if let Some(status) = child.try_wait().expect("a process") {
                assert!(status.success(), "an import that is not killed does not fail");
                break true;
            }
            if started(&world) >= before + wanted || Instant::now() > deadline {
                std::thread::sleep(pause);
                child.kill().expect("killed");
                break child.wait().expect("a process").success();
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        if over {
            copied += started(&world);
            models += 1;
            world.assert_installed();
            world = World::new();
        } else {
            kills += 1;
            let listing = world.catalog().list().expect("a folder");
            assert!(listing.unusable.is_empty(), "{listing:?}");
            for model in &listing.models {
                assert_eq!(fs::read(&model.path).expect("readable"), world.bytes, "visible means whole");
            }
        }
    }
    match world.import(&Control::default()) {
        // The last kill came after the model had its name.
        Err(Error::AlreadyInstalled { same_content: true, .. }) => {}
        other => assert!(other.is_ok(), "{other:?}"),
    }
    world.assert_installed();
    copied += started(&world);
    // Parts are read ahead of writing: four wait, one is read, one is written.
    assert!(
        copied <= (models + 1) * n_parts + kills * 7,
        "{copied} parts for {models} models of {n_parts}, {kills} kills"
    );
    println!("{kills} kills, {models} models finished on the way, {copied} parts read for {n_parts} a model");
}

/// A small disk in memory; `None`, said on stderr, where this system or this user cannot make one.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&at).expect("a folder");
        // Straight to stderr: what a passing test prints is hidden.
        let say = |why: &str| drop(writeln!(std::io::stderr(), "not run: no disk could be mounted: {why}"));
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(at)),
            Ok(output) => {
                say(String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                say(&error.to_string());
                None
            }
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_keeps_what_was_copied() {
    let world = World::new();
    let models = world.root.path().join("models");
    let Some(_disk) = SmallDisk::mount(models.clone(), "size=80m") else { return };
    let filler = models.join("filler");
    let fill = move |_: &Control| {
        if !filler.exists() {
            let mut file = fs::File::create(&filler).expect("a file");
            while file.write_all(&[1; 4096]).is_ok() {}
        }
    };
    let full = world.import(&acting_at(4, fill)).expect_err("full");
    assert_eq!(full.code(), ErrorCode::DiskFull, "{full:?}");
    assert!(full.hint().is_some_and(|hint| hint.contains("what was copied is kept")), "{full:?}");
    assert!(world.parts_done() >= 4);
    world.assert_nothing_listed();
    // Said before the first byte, as long as there is no room.
    let still = world.import(&Control::default()).expect_err("no room");
    assert_eq!(still.code(), ErrorCode::DiskFull, "{still:?}");
    fs::remove_file(models.join("filler")).expect("removed");
    assert_eq!(world.import(&Control::default()).expect("imported").begun, Begun::Resumed);
    world.assert_installed();
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_may_only_be_read_is_named() {
    let world = World::new();
    let Some(_disk) = SmallDisk::mount(world.root.path().join("models"), "ro,size=80m") else { return };
    let refused = world.import(&Control::default()).expect_err("read-only");
    assert!(matches!(&refused, Error::Folder { .. }), "{refused:?}");
    assert!(refused.hint().is_some_and(|hint| hint.contains("may be written")), "{refused:?}");
    world.assert_nothing_listed();
}
