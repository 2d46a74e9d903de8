use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::*;

const PART: u64 = 64 << 10;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny-e2b/tiny-e2b-Q4_0.gguf")
}

struct World {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), bytes: fs::read(golden()).expect("a model") }
    }

    fn plan(&self) -> Plan {
        Plan::new(Kind::Import, About::default(), "m.gguf", self.bytes.len() as u64, PART)
    }

    fn begin(&self, plan: Plan) -> (Incoming, Begun) {
        Incoming::begin_or_resume(self.folder.path(), "key", plan).expect("begun")
    }

    fn write(&self, incoming: &Incoming, index: usize) -> Result<(), Error> {
        let range = incoming.plan().part_range(index);
        let mut from = Cursor::new(&self.bytes[range.start as usize..range.end as usize]);
        incoming.write_part(index, &mut from, &Control::default(), |cause| panic!("{cause}"))
    }

    fn finish(&self, incoming: Incoming) -> Result<(PathBuf, Record), Error> {
        incoming.finish(Whole::default(), Path::new("the source"), &Control::default())
    }

    fn visible(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    fn area(&self) -> PathBuf {
        self.folder.path().join(AREAS).join("key")
    }
}

#[test]
fn parts_in_any_order_become_a_model_with_its_record() {
    let world = World::new();
    let (incoming, begun) = world.begin(world.plan());
    assert_eq!(begun, Begun::Fresh);
    let n = incoming.plan().n_parts();
    assert!(n > 4, "{n}");
    for index in (0..n).rev() {
        assert_eq!(incoming.missing_parts(), (0..=index).collect::<Vec<_>>());
        assert_eq!(world.visible(), [""; 0]);
        world.write(&incoming, index).expect("written");
    }
    assert!(incoming.has_header());
    let (path, record) = world.finish(incoming).expect("finished");
    assert_eq!(fs::read(&path).expect("readable"), world.bytes);
    assert_eq!(world.visible(), ["m.gguf", "m.gguf.aula.toml"]);
    assert_eq!(record.sha256, sha256_hex(&world.bytes));
    assert_eq!(record.quantization, "Q4_0");
    assert_eq!(record.part_sha256.len(), n);
    assert_eq!(record.part_sha256[1], sha256_hex(&world.bytes[PART as usize..2 * PART as usize]));
    assert_eq!(Record::read(&record::record_path(&path)).expect("a record"), record);
    assert!(!world.area().exists());
}

#[test]
fn a_later_start_goes_on_and_another_plan_begins_anew() {
    let world = World::new();
    let (incoming, _) = world.begin(world.plan());
    for index in [0, 2] {
        world.write(&incoming, index).expect("written");
    }
    assert!(matches!(Incoming::begin_or_resume(world.folder.path(), "key", world.plan()), Err(Error::Busy)));
    assert!(matches!(discard(world.folder.path(), "key"), Err(Error::Busy)));
    drop(incoming);
    let [left] = &unfinished(world.folder.path())[..] else { panic!("one is unfinished") };
    assert_eq!((left.key.as_str(), left.parts_done, left.done_bytes), ("key", 2, 2 * PART));

    let mut elsewhere = world.plan();
    elsewhere.source = serde_json::json!("another mirror");
    let (incoming, begun) = world.begin(elsewhere);
    assert_eq!(begun, Begun::Resumed);
    let whole = incoming.verify_recorded(&Control::default()).expect("verified");
    assert_eq!(whole.next_part(), 1);
    assert_eq!(&incoming.missing_parts()[..2], [1, 3]);
    drop(incoming);

    let mut changed = world.plan();
    changed.version = Some("later".to_owned());
    let (incoming, begun) = world.begin(changed);
    assert_eq!(begun, Begun::Restarted);
    assert_eq!(incoming.missing_parts().len(), incoming.plan().n_parts());
    incoming.abandon().expect("abandoned");
    assert!(!world.area().exists());
    assert!(unfinished(world.folder.path()).is_empty());
}

#[test]
fn a_recorded_part_that_changed_on_the_disk_is_fetched_again() {
    let world = World::new();
    let (incoming, _) = world.begin(world.plan());
    for index in 0..4 {
        world.write(&incoming, index).expect("written");
    }
    drop(incoming);
    let mut data = fs::read(world.area().join(DATA)).expect("readable");
    data[PART as usize + 5] ^= 1;
    fs::write(world.area().join(DATA), &data).expect("written");
    let (incoming, _) = world.begin(world.plan());
    let whole = incoming.verify_recorded(&Control::default()).expect("verified");
    assert_eq!(whole.next_part(), 1);
    assert_eq!(incoming.missing_parts()[0], 1);
    for index in incoming.missing_parts() {
        world.write(&incoming, index).expect("written");
    }
    let (_, record) = incoming.finish(whole, Path::new("the source"), &Control::default()).expect("finished");
    assert_eq!(record.sha256, sha256_hex(&world.bytes));
}

#[test]
fn wrong_bytes_are_refused_with_and_without_checksums_of_parts() {
    let world = World::new();
    let n = world.plan().n_parts();
    let mut plan = world.plan();
    plan.part_sha256 = vec![sha256_hex(b"something else"); n];
    let (incoming, _) = world.begin(plan);
    let error = world.write(&incoming, 0).expect_err("the checksum differs");
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert_eq!(incoming.missing_parts().len(), n);
    drop(incoming);

    let mut plan = world.plan();
    plan.sha256 = Some(sha256_hex(b"something else"));
    let (incoming, _) = world.begin(plan);
    let unfinished = incoming.clone();
    assert!(matches!(world.finish(unfinished), Err(Error::Corrupt { .. })), "parts are missing");
    for index in 0..n {
        world.write(&incoming, index).expect("written");
    }
    let error = world.finish(incoming).expect_err("the whole differs");
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(!world.area().exists(), "nobody knows which part is wrong");
    assert_eq!(world.visible(), [""; 0]);
}

#[test]
fn a_part_takes_exactly_its_bytes() {
    let world = World::new();
    let (incoming, _) = world.begin(world.plan());
    assert!(incoming.part(incoming.plan().n_parts()).is_err());
    let mut part = incoming.part(0).expect("a part");
    part.write(&world.bytes[..10]).expect("written");
    assert_eq!((part.written_bytes(), part.missing_bytes()), (10, PART - 10));
    assert!(matches!(part.complete(), Err(Error::Corrupt { .. })));
    let mut part = incoming.part(0).expect("a part");
    assert!(matches!(part.write(&world.bytes[..PART as usize + 1]), Err(Error::Corrupt { .. })));
}

#[test]
fn what_is_no_model_never_gets_a_name() {
    let mut world = World::new();
    world.bytes = vec![7; 100_000];
    let (incoming, _) = world.begin(world.plan());
    for index in 0..incoming.plan().n_parts() {
        world.write(&incoming, index).expect("written");
    }
    let error = world.finish(incoming).expect_err("no model");
    assert!(errors::chain(&error).contains("`the source`"), "{error}");
    assert_eq!(world.visible(), [""; 0]);
}

#[test]
fn a_taken_name_is_never_written_over() {
    let world = World::new();
    fs::write(world.folder.path().join("m.gguf"), "mine").expect("written");
    let (incoming, _) = world.begin(world.plan());
    for index in 0..incoming.plan().n_parts() {
        world.write(&incoming, index).expect("written");
    }
    let error = world.finish(incoming).expect_err("taken");
    assert!(matches!(error, Error::AlreadyInstalled { .. }), "{error:?}");
    assert_eq!(fs::read(world.folder.path().join("m.gguf")).expect("readable"), b"mine");
}

#[test]
fn pausing_keeps_and_a_kill_after_naming_is_cleaned_up() {
    let world = World::new();
    let (incoming, _) = world.begin(world.plan());
    let control = Control::default();
    control.pause();
    let paused = incoming.write_part(0, &mut Cursor::new(&world.bytes), &control, |cause| panic!("{cause}"));
    assert!(matches!(paused, Err(Error::Paused)), "{paused:?}");
    for index in 0..incoming.plan().n_parts() {
        world.write(&incoming, index).expect("written");
    }
    drop(incoming);
    // As a program leaves it that is killed between naming the model and deleting the area.
    fs::hard_link(world.area().join(DATA), world.folder.path().join("m.gguf")).expect("linked");
    let (incoming, begun) = world.begin(world.plan());
    assert_eq!(begun, Begun::Resumed);
    world.finish(incoming).expect("finished");
    assert_eq!(world.visible(), ["m.gguf", "m.gguf.aula.toml"]);

    let (incoming, _) = world.begin(world.plan());
    drop(incoming);
    fs::remove_file(world.area().join(DATA)).expect("removed");
    assert!(unfinished(world.folder.path()).is_empty(), "the model is there: nothing is left to do");
    assert!(!world.area().exists());
}

#[test]
fn keys_are_folder_names_or_checksums() {
    assert_eq!(area_name("e2b-q4_0"), "e2b-q4_0");
    for key in ["", "../x", "a b", "Ü", "a.lock", &"x".repeat(65)] {
        let name = area_name(key);
        assert!(name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{key}: {name}");
        assert_eq!(area_name(&name), name, "a name stands for itself");
    }
}
