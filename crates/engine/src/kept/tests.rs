use std::time::Duration;

use gemma4::Rows;

use super::*;
use crate::scripted::{ScriptedSequence, TURN_START};

const CONTEXT_LEN: usize = 2000;

fn session() -> Session {
    Session::new(Box::new(ScriptedSequence::new(CONTEXT_LEN)), 64)
}

fn text(seed: u32, len: u32) -> Vec<u32> {
    (0..len).map(|index| (index * 7 + seed * 31) % 256).collect()
}

fn read(session: &mut Session, prompt: &[u32]) -> (Vec<f32>, usize) {
    let prefilled = session.prefill(prompt, TURN_START, &|| false, &mut |_, _| {}).expect("fits");
    (session.row(0).to_vec(), prefilled.reused)
}

struct Bench {
    folder: test_support::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: test_support::temp_folder() }
    }

    fn shelf(&self, model: u8, most_bytes: u64) -> Shelf {
        Shelf::new(folder(self.folder.path()), [model; 32], most_bytes)
    }

    /// Names of the files that are there.
    fn names(&self) -> Vec<String> {
        let found = files(&folder(self.folder.path()), &[EXTENSION, PART_EXTENSION]);
        found.iter().map(|(path, _)| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
    }

    /// Keeps a conversation of `len` tokens.
    fn keep(&self, shelf: &mut Shelf, conversation: &str, seed: u32, len: u32) {
        let mut session = session();
        read(&mut session, &text(seed, len));
        shelf.keep(conversation, &session, vec![("yes".into(), vec![1, 2])]);
    }
}

fn found(shelf: &Shelf, conversation: &str) -> Option<Found> {
    shelf.find(conversation, &mut AnswerMemory::default())
}

#[test]
fn a_reopened_conversation_goes_on_as_if_it_had_been_read() {
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, MOST_BYTES);
    bench.keep(&mut shelf, "a", 5, 300);
    let prompt = text(5, 340);
    let (expected, _) = read(&mut session(), &prompt);

    let mut memory = AnswerMemory::default();
    let kept = shelf.find("a", &mut memory).expect("it was kept");
    assert_eq!(memory.recall("yes"), Some(vec![1, 2]), "the answers' tokens come back");
    let mut later = session();
    kept.restore(&mut later, &prompt);
    assert_eq!(later.fed(), &prompt[..300]);
    let (row, reused) = read(&mut later, &prompt);
    assert_eq!((row, reused), (expected, 300));
    // And the way back is there too.
    assert!(later.checkpoints().any(|len| len == 300));
    assert!(found(&shelf, "b").is_none());
    assert!(found(&bench.shelf(2, MOST_BYTES), "a").is_none(), "another model's");
}

#[test]
fn what_saves_little_or_does_not_fit_is_left() {
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, MOST_BYTES);
    bench.keep(&mut shelf, "a", 5, 300);
    // The memory has nearly as much.
    let mut near = session();
    read(&mut near, &text(5, 250));
    found(&shelf, "a").expect("kept").restore(&mut near, &text(5, 340));
    assert_eq!(near.fed().len(), 250);
    // The conversation went another way, or ends there.
    for prompt in [text(6, 340), [text(5, 299), text(6, 90)].concat(), text(5, 300), text(5, 200)] {
        let mut other = session();
        found(&shelf, "a").expect("kept").restore(&mut other, &prompt);
        assert!(other.fed().is_empty());
    }
    assert_eq!(bench.names().len(), 1, "and stays where it is");
}

#[test]
fn whatever_byte_is_damaged_the_file_goes_and_the_prompt_is_read() {
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, MOST_BYTES);
    bench.keep(&mut shelf, "a", 5, 100);
    let path = shelf.path("a");
    let sound = fs::read(&path).expect("it is there");
    let prompt = text(5, 140);
    let (expected, _) = read(&mut session(), &prompt);
    let mut cases: Vec<Vec<u8>> = (0..sound.len())
        .map(|at| {
            let mut damaged = sound.clone();
            damaged[at] ^= 1 << (at % 8);
            damaged
        })
        .collect();
    cases.extend([0, 1, 47, 48, 60, sound.len() - 9, sound.len() - 1].map(|len| sound[..len].to_vec()));
    cases.push([&sound[..], &[0]].concat());
    for (index, damaged) in cases.iter().enumerate() {
        fs::write(&path, damaged).expect("the disk has room");
        let mut later = session();
        if let Some(kept) = found(&shelf, "a") {
            kept.restore(&mut later, &prompt);
        }
        assert!(!path.exists(), "case {index}: it goes");
        assert_eq!(read(&mut later, &prompt), (expected.clone(), 0), "case {index}");
    }
}

#[test]
fn a_state_of_another_length_is_refused() {
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, MOST_BYTES);
    let mut other = session();
    read(&mut other, &text(5, 120));
    let content = Content { tokens: text(5, 100), answers: vec![] };
    let path = shelf.path("a");
    shelf.write(&path, &path.with_extension(PART_EXTENSION), &content, other.sequence()).expect("the disk has room");
    let mut later = session();
    found(&shelf, "a").expect("sound so far").restore(&mut later, &text(5, 140));
    assert!(later.fed().is_empty() && !path.exists());
    // A shorter context cannot take it.
    bench.keep(&mut shelf, "a", 5, 300);
    let mut short = Session::new(Box::new(ScriptedSequence::new(250)), 64);
    let kept = found(&shelf, "a").expect("kept");
    kept.restore(&mut short, &text(5, 340));
    assert!(short.fed().is_empty());
}

#[test]
fn the_least_recently_used_goes_first() {
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, 3 * 2500);
    let age = |shelf: &Shelf, conversation: &str, seconds: u64| {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        let file = File::options().append(true).open(shelf.path(conversation)).expect("kept");
        file.set_modified(time).expect("a time");
    };
    for (conversation, seconds) in [("a", 300), ("b", 200)] {
        bench.keep(&mut shelf, conversation, 1, 200);
        age(&shelf, conversation, seconds);
    }
    // Reopening counts as a use.
    found(&shelf, "a").expect("kept").restore(&mut session(), &text(1, 240));
    bench.keep(&mut shelf, "c", 1, 200);
    bench.keep(&mut shelf, "d", 1, 200);
    let kept: Vec<bool> = ["a", "b", "c", "d"].map(|name| shelf.path(name).exists()).to_vec();
    assert_eq!(kept, [true, false, true, true]);
    // What is larger than everything is kept alone.
    bench.keep(&mut shelf, "e", 1, 1500);
    assert_eq!(bench.names().len(), 1);
    assert!(shelf.path("e").exists());
}

#[test]
fn forgetting_takes_one_conversation_of_every_model_and_switching_off_takes_all() {
    let bench = Bench::new();
    let (mut one, mut two) = (bench.shelf(1, MOST_BYTES), bench.shelf(2, MOST_BYTES));
    for conversation in ["a", "b/../c"] {
        bench.keep(&mut one, conversation, 1, 100);
        bench.keep(&mut two, conversation, 1, 100);
    }
    let stranger = folder(bench.folder.path()).join("notes.txt");
    fs::write(&stranger, "mine").expect("the disk has room");
    fs::write(one.path("x").with_extension(PART_EXTENSION), "half").expect("the disk has room");
    assert_eq!(bench.names().len(), 5);
    remove(&folder(bench.folder.path()), "a");
    assert!(!one.path("a").exists() && !two.path("a").exists() && one.path("b/../c").exists());
    remove_all(&folder(bench.folder.path()));
    assert!(bench.names().is_empty() && stranger.exists());
}

/// Takes so many bytes, then says that the disk is full.
struct Small(usize);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_kept_and_nothing_breaks() {
    let bench = Bench::new();
    fs::write(folder(bench.folder.path()), "a file where the folder should be").expect("the disk has room");
    let mut shelf = bench.shelf(1, MOST_BYTES);
    bench.keep(&mut shelf, "a", 1, 100);
    assert!(found(&shelf, "a").is_none());

    let content = Content { tokens: text(1, 100), answers: vec![] };
    assert!(content.write(&[1; 32], &mut Small(100)).is_err());
    let mut sequence = ScriptedSequence::new(100);
    let mut logits = gemma4::Logits::default();
    sequence.forward(&text(1, 50), Rows::None, &|| false, &mut logits).expect("fits");
    assert!(matches!(sequence.save(&mut Small(30)), Err(gemma4::Error::KvStateIo(_))));
}

#[test]
fn a_path_that_cannot_save_is_asked_once() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny-e2b/tiny-e2b-F16.gguf");
    let options = gemma4::LoadOptions { plain: true, ..gemma4::LoadOptions::default() };
    let model = gemma4::load::open(&model, &options).expect("a golden file opens");
    let bench = Bench::new();
    let mut shelf = bench.shelf(1, MOST_BYTES);
    let mut session = Session::new(model.sequence(100).expect("small"), 64);
    read(&mut session, &text(1, 50));
    shelf.keep("a", &session, vec![]);
    assert!(!shelf.able && bench.names().is_empty());
}

#[test]
fn the_fast_path_goes_on_as_after_a_fresh_prefill() {
    for name in ["tiny-e2b/tiny-e2b-Q4_0.gguf", "tiny-e4b/tiny-e4b-Q4_K_M.gguf"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
        let model = gemma4::load::open(&path, &gemma4::LoadOptions::default()).expect("a golden file opens");
        let new_session = || Session::new(model.sequence(400).expect("small"), model.chunk_limit());
        let bench = Bench::new();
        let mut shelf = bench.shelf(1, MOST_BYTES);
        let mut session = new_session();
        read(&mut session, &text(3, 200));
        // Part of it written token by token, as an answer is.
        for token in &text(3, 240)[200..] {
            session.decode(*token, &|| false).expect("fits");
        }
        shelf.keep("a", &session, vec![]);
        let prompt = text(3, 300);
        let mut later = new_session();
        found(&shelf, "a").expect("kept").restore(&mut later, &prompt);
        assert_eq!(later.fed().len(), 240, "{name}");
        let (row, reused) = read(&mut later, &prompt);
        assert_eq!((row, reused), (read(&mut new_session(), &prompt).0, 240), "{name}");
    }
}
