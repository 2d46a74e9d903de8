//! Copying models to another disk and from there to another computer.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use catalog::incoming::unfinished;
use catalog::sources::{Judge, PlaceKind};
use catalog::{Backends, Catalog, Control, Error, ExportOptions, ImportOptions, Progress, Record, Step, inspect};
use errors::{ErrorCode, Explain};
use hardware::HardwareProfile;

const PART: u64 = 32 << 10;

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let variant = name.rsplit_once('-').expect("VARIANT-TYPE.gguf").0;
    folder.join(variant).join(name)
}

/// A computer with one model, and an empty stick.
struct World {
    root: tempfile::TempDir,
    catalog: Catalog,
    id: String,
    bytes: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("stick")).expect("a folder");
        let catalog = Catalog::new(root.path().join("models"), None);
        let source = golden("tiny-e4b-Q4_K_M.gguf");
        let options = ImportOptions { part_bytes: PART, ..ImportOptions::default() };
        let id = catalog.import_with(&source, &options, &Control::default()).expect("imported").model.id;
        Self { bytes: fs::read(&source).expect("readable"), root, catalog, id }
    }

    fn stick(&self) -> PathBuf {
        self.root.path().join("stick")
    }

    fn export(&self, control: &Control) -> Result<catalog::Exported, Error> {
        self.catalog.export_with(&self.id, &self.stick(), &split(), control)
    }

    /// Imports what is at `path` on another computer and compares it.
    fn import_elsewhere(&self, path: &Path) {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let other = Catalog::new(elsewhere.path().to_owned(), None);
        let model = other.import(path, &Control::default()).expect("imported").model;
        assert_eq!(fs::read(&model.path).expect("readable"), self.bytes);
        let (mine, theirs) = (self.record(), Record::of_model(&model.path).expect("a record"));
        assert_eq!(mine.sha256, theirs.sha256);
        assert!(theirs.pieces.is_empty());
        assert!(other.verify(&model.id, &Control::default()).expect("as recorded").recorded);
    }

    fn record(&self) -> Record {
        Record::of_model(&self.catalog.find(&self.id).expect("installed").path).expect("a record")
    }

    fn on_the_stick(&self) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.stick().join("AULA")).into_iter().flatten().flatten() {
            names.push(entry.file_name().into_string().expect("text"));
        }
        names.sort();
        names
    }
}

/// As for a disk whose files must stay under half a megabyte.
fn split() -> ExportOptions {
    ExportOptions { file_limit: Some(500_000), ..ExportOptions::default() }
}

/// A handle that does something once, at the first report that `when` accepts.
fn once(
    when: impl Fn(&Progress) -> bool + Send + Sync + 'static,
    act: impl FnOnce(&Control) + Send + 'static,
) -> Control {
    let slot: Arc<Mutex<Option<Control>>> = Arc::default();
    let inner = Arc::clone(&slot);
    let act = Mutex::new(Some(act));
    let control = Control::watched(move |now| {
        if when(&now)
            && let Some(act) = act.lock().expect("no panic").take()
        {
            act(inner.lock().expect("no panic").as_ref().expect("set before it is used"));
        }
    });
    *slot.lock().expect("no panic") = Some(control.clone());
    control
}

#[test]
fn a_model_goes_to_a_stick_in_one_file_and_comes_in_elsewhere() {
    let world = World::new();
    let done = world.catalog.export(&world.id, &world.stick(), &Control::default()).expect("exported");
    let manifest = format!("aula-model-{}.toml", world.id);
    assert_eq!(world.on_the_stick(), [manifest.as_str(), "tiny-e4b-Q4_K_M.gguf"]);
    assert_eq!(done.record, world.record());
    // By its manifest, by its file, by the folder, by the stick.
    world.import_elsewhere(&done.manifest);
    world.import_elsewhere(&world.stick().join("AULA/tiny-e4b-Q4_K_M.gguf"));
    world.import_elsewhere(&world.stick().join("AULA"));
    world.import_elsewhere(&world.stick());
    // Once more, into the same folder by its own name: nothing is there twice.
    world.catalog.export(&world.id, &world.stick().join("AULA"), &Control::default()).expect("exported");
    assert_eq!(world.on_the_stick(), [manifest.as_str(), "tiny-e4b-Q4_K_M.gguf"]);
}

#[test]
fn a_model_that_is_too_large_for_the_disk_is_split_and_joined() {
    let world = World::new();
    let done = world.export(&Control::default()).expect("exported");
    let pieces = world.bytes.len().div_ceil(500_000 / PART as usize * PART as usize);
    assert!(pieces >= 3, "{pieces}");
    assert_eq!(done.record.pieces.len(), pieces);
    for piece in &done.record.pieces {
        let found = fs::metadata(world.stick().join("AULA").join(&piece.file)).expect("a piece").len();
        assert!(found == piece.bytes && found <= 500_000, "{piece:?} {found}");
    }
    assert_eq!(world.on_the_stick().len(), pieces + 1);
    world.import_elsewhere(&done.manifest);
    world.import_elsewhere(&world.stick());
    world.import_elsewhere(&world.stick().join("AULA/tiny-e4b-Q4_K_M.gguf.002"));

    // A piece that is missing, too short or damaged is named; nothing is installed.
    let piece = world.stick().join("AULA/tiny-e4b-Q4_K_M.gguf.002");
    let whole = fs::read(&piece).expect("readable");
    let refused = |expected: ErrorCode| {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let other = Catalog::new(elsewhere.path().to_owned(), None);
        let error = other.import(&done.manifest, &Control::default()).expect_err("refused");
        assert_eq!(error.code(), expected, "{error:?}");
        assert!(other.list().expect("a folder").models.is_empty());
    };
    fs::write(&piece, &whole[1..]).expect("written");
    refused(ErrorCode::TransferCorrupt);
    let mut spoilt = whole.clone();
    spoilt[77] ^= 1;
    fs::write(&piece, &spoilt).expect("written");
    refused(ErrorCode::TransferCorrupt);
    fs::remove_file(&piece).expect("removed");
    refused(ErrorCode::ModelMissing);
    fs::write(&piece, &whole).expect("written");
    fs::remove_file(&done.manifest).expect("removed");
    let elsewhere = Catalog::new(world.root.path().join("elsewhere"), None);
    let alone = elsewhere.import(&piece, &Control::default()).expect_err("a piece alone");
    assert!(matches!(alone, Error::BadRecord { .. }), "{alone:?}");
}

#[test]
fn a_stopped_export_is_not_offered_and_goes_on() {
    let world = World::new();
    let far = |now: &Progress| now.step == Step::Copying && now.done_bytes > 700_000;
    let paused = world.export(&once(far, |control| control.pause())).expect_err("paused");
    assert!(matches!(paused, Error::Paused), "{paused:?}");
    let left = world.on_the_stick();
    assert!(left.iter().any(|name| name.ends_with(".gguf.002.partial")), "{left:?}");
    let elsewhere = Catalog::new(world.root.path().join("elsewhere"), None);
    let half = elsewhere.import(&world.stick(), &Control::default()).expect_err("half an export");
    assert!(matches!(half, Error::NoModelInFolder { .. }), "{half:?}");

    let copied = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&copied);
    let control = Control::watched(move |now: Progress| {
        if now.step == Step::Copying {
            seen.lock().expect("no panic").push(now.done_bytes);
        }
    });
    let done = world.export(&control).expect("exported");
    let first = copied.lock().expect("no panic")[0];
    assert!((700_000 - PART..=700_000 + PART).contains(&first), "what was there is not written again: {first}");
    world.import_elsewhere(&done.manifest);

    let world = World::new();
    let cancelled = world.export(&once(far, Control::cancel)).expect_err("cancelled");
    assert!(matches!(cancelled, Error::Cancelled), "{cancelled:?}");
    assert!(world.on_the_stick().iter().all(|name| !name.ends_with(".partial")), "{:?}", world.on_the_stick());
}

#[test]
fn a_stick_that_keeps_other_bytes_is_found_out() {
    let world = World::new();
    let partial = world.stick().join("AULA/tiny-e4b-Q4_K_M.gguf.001.partial");
    let lie = move |_: &Control| {
        let mut bytes = fs::read(&partial).expect("readable");
        bytes[300_000] ^= 1;
        fs::write(&partial, bytes).expect("written");
    };
    let found = world.export(&once(|now| now.step == Step::Verifying, lie)).expect_err("other bytes");
    assert_eq!(found.code(), ErrorCode::TransferCorrupt, "{found:?}");
    assert!(found.to_string().contains("does not hold what was written"), "{found}");
    assert!(!world.on_the_stick().iter().any(|name| name.ends_with(".toml")));
    // An honest stick takes it.
    let done = world.export(&Control::default()).expect("exported");
    world.import_elsewhere(&done.manifest);
    // A finished piece that changed later is mended by exporting again.
    let piece = world.stick().join("AULA").join(&done.record.pieces[1].file);
    let mut bytes = fs::read(&piece).expect("readable");
    bytes[5] ^= 1;
    fs::write(&piece, bytes).expect("written");
    let done = world.export(&Control::default()).expect("exported");
    world.import_elsewhere(&done.manifest);
}

#[test]
fn an_installed_file_that_is_damaged_is_not_passed_on() {
    let world = World::new();
    let path = world.catalog.find(&world.id).expect("installed").path;
    let mut bytes = world.bytes.clone();
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&path, bytes).expect("written");
    let refused = world.export(&Control::default()).expect_err("damaged");
    assert_eq!(refused.code(), ErrorCode::TransferCorrupt, "{refused:?}");
    assert!(!world.on_the_stick().iter().any(|name| name.ends_with(".toml")));
}

#[test]
fn a_model_that_was_put_there_by_hand_gets_its_checksums_on_the_way() {
    let world = World::new();
    let path = world.catalog.find(&world.id).expect("installed").path;
    let expected = world.record().sha256;
    fs::remove_file(path.with_file_name("tiny-e4b-Q4_K_M.gguf.aula.toml")).expect("removed");
    let options = ExportOptions { part_bytes: Some(PART), ..split() };
    let done = world.catalog.export_with(&world.id, &world.stick(), &options, &Control::default()).expect("exported");
    assert_eq!(done.record.sha256, expected);
    assert!(done.record.pieces.len() >= 3);
    let other = Catalog::new(world.root.path().join("elsewhere"), None);
    let model = other.import(&done.manifest, &Control::default()).expect("imported").model;
    assert_eq!(fs::read(&model.path).expect("readable"), world.bytes);
}

#[test]
fn a_target_that_cannot_be_used_is_named() {
    let world = World::new();
    let absent = world.root.path().join("absent");
    let error = world.catalog.export(&world.id, &absent, &Control::default()).expect_err("absent");
    assert!(matches!(&error, Error::Folder { path, .. } if *path == absent), "{error:?}");
    let file = world.root.path().join("file");
    fs::write(&file, "").expect("a file");
    let error = world.catalog.export(&world.id, &file, &Control::default()).expect_err("a file");
    assert!(matches!(&error, Error::Folder { .. }), "{error:?}");
    let error = world.catalog.export("nobody", &world.stick(), &Control::default()).expect_err("no such model");
    assert_eq!(error.code(), ErrorCode::NotFound, "{error:?}");
}

fn judge(profile: &HardwareProfile) -> Judge<'_> {
    Judge { profile, context_len: 1024, backends: Backends::of_this_build() }
}

#[test]
fn what_lies_in_a_place_is_found_judged_and_explained() {
    let world = World::new();
    let stick = world.stick();
    world.export(&Control::default()).expect("exported");
    fs::create_dir_all(stick.join("models/too deep")).expect("a folder");
    fs::copy(golden("tiny-e2b-Q4_0.gguf"), stick.join("models/other.gguf")).expect("a copy");
    fs::copy(golden("tiny-e2b-Q8_0.gguf"), stick.join("models/too deep/hidden.gguf")).expect("a copy");
    fs::write(stick.join("mmproj.gguf"), test_support::synth::projector()).expect("written");
    fs::write(stick.join("half.gguf"), &world.bytes[..world.bytes.len() / 2]).expect("written");
    fs::write(stick.join("notes.txt"), "no model").expect("written");

    let profile = HardwareProfile { ram_free: 8 << 30, ..HardwareProfile::probe() };
    let place = world.catalog.look_at(PlaceKind::Removable, &stick, judge(&profile)).expect("readable");
    assert_eq!(place.label, "stick");
    let seen: Vec<_> = place.models.iter().map(|model| (model.name.as_str(), model.problem.is_some())).collect();
    assert_eq!(seen.len(), 4, "{seen:?}");
    let find = |name: &str| place.models.iter().find(|model| model.name == name).unwrap_or_else(|| panic!("{seen:?}"));
    let exported = find("tiny-e4b");
    assert!(exported.has_checksums && exported.installed && exported.fits(&profile), "{exported:?}");
    assert_eq!((exported.bytes, exported.quantization.as_str()), (world.bytes.len() as u64, "Q4_K_M"));
    assert_eq!(exported.inspection.as_deref(), Some(&inspect(&golden("tiny-e4b-Q4_K_M.gguf")).expect("a model")));
    let other = find("tiny-e2b");
    assert!(!other.has_checksums && !other.installed && other.fits(&profile), "{other:?}");
    assert_eq!(place.models[0].name, "tiny-e4b", "the larger model that fits comes first");
    let problem = find("mmproj.gguf").problem.as_ref().expect("no language model");
    assert_eq!(problem.code(), ErrorCode::ModelUnsupported);
    assert!(problem.hint().is_some_and(|hint| hint.contains("projector")), "{problem:?}");
    assert_eq!(find("half.gguf").problem.as_ref().map(Explain::code), Some(ErrorCode::ModelFileDamaged));

    let starved = HardwareProfile { ram_free: 0, ..profile.clone() };
    let place = world.catalog.look_at(PlaceKind::Removable, &stick, judge(&starved)).expect("readable");
    assert!(place.models.iter().all(|model| !model.fits(&starved)));
    // What was found is what can be imported.
    let other = place.models.iter().find(|model| model.name == "tiny-e2b").expect("found");
    world.catalog.import(&other.path, &Control::default()).expect("imported");
    let file = world.catalog.look_at(PlaceKind::File, &golden("tiny-e2b-Q4_0.gguf"), judge(&starved)).expect("a file");
    assert!(file.models[0].installed, "under another name, but the same model");
    assert!(
        world
            .catalog
            .look_at(PlaceKind::Folder, &stick.join("absent"), judge(&starved))
            .is_ok_and(|place| { place.models.iter().all(|model| model.problem.is_some()) })
    );
    let left: Vec<_> = fs::read_dir(world.catalog.folder().join(".incoming")).expect("a folder").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("aula-look")), "{left:?}");
    assert!(unfinished(world.catalog.folder()).is_empty());
}

/// A FAT file system in a file, mounted; `None`, with the reason on stderr, where this system cannot do that.
struct FatStick(PathBuf);

impl FatStick {
    fn mount(root: &Path) -> Option<Self> {
        let (image, at) = (root.join("fat.img"), root.join("fat"));
        fs::create_dir(&at).expect("a folder");
        fs::File::create(&image).and_then(|file| file.set_len(96 << 20)).expect("an image");
        for (program, arguments) in [
            ("mkfs.vfat", vec![image.as_os_str()]),
            ("mount", vec!["-o".as_ref(), "loop".as_ref(), image.as_os_str(), at.as_os_str()]),
        ] {
            let why = match Command::new(program).args(arguments).output() {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                Err(error) => error.to_string(),
            };
            // Straight to stderr: what a passing test prints is hidden.
            let _ = writeln!(std::io::stderr(), "not run on a real FAT disk: {program}: {why}");
            return None;
        }
        Some(Self(at))
    }
}

impl Drop for FatStick {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_real_fat_disk_takes_a_model_and_gives_it_back() {
    let world = World::new();
    let Some(stick) = FatStick::mount(world.root.path()) else { return };
    for options in [ExportOptions::default(), split()] {
        let done = world.catalog.export_with(&world.id, &stick.0, &options, &Control::default()).expect("exported");
        world.import_elsewhere(&done.manifest);
        fs::remove_dir_all(stick.0.join("AULA")).expect("removed");
    }
    // FAT has neither links nor times to the nanosecond: the models folder may lie there too.
    let other = Catalog::new(stick.0.join("models"), None);
    let model = other.import(&golden("tiny-e2b-Q4_0.gguf"), &Control::default()).expect("imported").model;
    assert!(other.verify(&model.id, &Control::default()).expect("as recorded").recorded);
}
