//! What remembered trials change, and how they are remembered.

use std::fs;
use std::path::PathBuf;

use catalog::{
    Candidate, Choice, Device, MIN_TOKENS_PER_SECOND, MemoryNeed, Outcome, Reason, Rejection, Trials, choose,
};

const GB: u64 = 1_000_000_000;

/// A model of this many billion parameters on a card or the processor, with room for it.
fn candidate(id: &str, billions: u64, on_card: bool) -> Candidate {
    let device = if on_card { Device::Gpu { index: 0, name: "a card".to_owned() } } else { Device::Cpu };
    Candidate {
        id: id.to_owned(),
        name: id.to_uppercase(),
        quantization: "Q4_0".to_owned(),
        qat: true,
        demo: id == "demo",
        effective_parameters: billions,
        file: catalog::FileStamp { name: format!("{id}.gguf"), bytes: billions, modified: 7 },
        device,
        context_len: 4096,
        need: MemoryNeed { weights: billions * GB, kv_cache: 0, scratch: 0 },
        usable: 5 * GB,
        usable_at_most: 6 * GB,
    }
}

/// Both variants on a card and on the processor, and the demo model.
fn laptop() -> [Candidate; 5] {
    [
        candidate("demo", 0, false),
        candidate("e2b", 2, false),
        candidate("e2b", 2, true),
        candidate("e4b", 4, false),
        candidate("e4b", 4, true),
    ]
}

fn find(id: &str, on_card: bool) -> Candidate {
    laptop().into_iter().find(|one| one.id == id && one.device.is_gpu() == on_card).unwrap()
}

/// The choice on the laptop after these trials.
fn after(tried: &[(&str, bool, Outcome)], preferred: Option<&str>) -> Choice {
    let mut trials = Trials::none();
    for (id, on_card, outcome) in tried {
        trials.record(&find(id, *on_card), outcome.clone()).unwrap();
    }
    choose(&laptop(), preferred, &trials)
}

fn check(choice: &Choice, expected: (&str, bool, Reason, bool), passed_over: &[(&str, bool)]) {
    let chosen = choice.candidate.as_ref().unwrap();
    let found = (chosen.id.as_str(), chosen.device.is_gpu(), choice.reason, choice.needs_trial);
    assert_eq!(found, expected, "{choice:#?}");
    let rejected = choice.rejected.iter().map(|one| (one.candidate.id.as_str(), one.candidate.device.is_gpu()));
    assert_eq!(rejected.collect::<Vec<_>>(), passed_over, "{choice:#?}");
}

fn failed() -> Outcome {
    Outcome::Failed { message: "the driver is too old".to_owned() }
}

const SLOW: Outcome = Outcome::TooSlow { tokens_per_second: 1.5 };

#[test]
fn from_the_card_to_the_processor_to_the_smaller_model() {
    use Outcome::OutOfMemory as Out;
    let best = after(&[], None);
    check(&best, ("e4b", true, Reason::LargestThatFits, true), &[]);
    let confirmed = after(&[("e4b", true, Outcome::measured(30.0))], None);
    check(&confirmed, ("e4b", true, Reason::LargestThatFits, false), &[]);

    let mut tried = vec![("e4b", true, Out)];
    check(&after(&tried, None), ("e4b", false, Reason::NextAfterTrial, true), &[("e4b", true)]);
    tried.push(("e4b", false, SLOW));
    check(&after(&tried, None), ("e2b", true, Reason::NextAfterTrial, true), &[("e4b", true), ("e4b", false)]);
    tried.push(("e2b", true, failed()));
    let three = [("e4b", true), ("e4b", false), ("e2b", true)];
    check(&after(&tried, None), ("e2b", false, Reason::NextAfterTrial, true), &three);
    tried.push(("e2b", false, Outcome::measured(6.0)));
    let last = after(&tried, None);
    check(&last, ("e2b", false, Reason::NextAfterTrial, false), &three);

    let sentences: Vec<_> = last.rejected.iter().map(|one| one.sentence()).collect();
    assert_eq!(
        sentences,
        [
            "E4B ran out of memory on a card when it was tried.",
            "E4B wrote 1.5 tokens a second on CPU when it was tried.",
            "E2B failed on a card when it was tried: the driver is too old.",
        ]
    );
}

#[test]
fn where_all_are_slow_the_fastest_answers_and_not_the_demo() {
    let slow = |tokens_per_second| Outcome::TooSlow { tokens_per_second };
    let tried = [
        ("e4b", true, Outcome::OutOfMemory),
        ("e4b", false, slow(0.8)),
        ("e2b", true, failed()),
        ("e2b", false, slow(2.1)),
    ];
    let all = after(&tried, None);
    check(&all, ("e2b", false, Reason::FastestOfSlow, false), &[("e4b", true), ("e4b", false), ("e2b", true)]);
    assert_eq!(all.reason.sentence(), "Every installed model writes slowly here; it is the fastest of them.");
    // Equally slow: the larger one.
    let tried =
        [("e4b", true, slow(2.0)), ("e4b", false, slow(1.0)), ("e2b", true, slow(2.0)), ("e2b", false, slow(2.0))];
    let larger = after(&tried, None);
    check(&larger, ("e4b", true, Reason::FastestOfSlow, false), &[("e4b", false), ("e2b", true), ("e2b", false)]);
}

#[test]
fn where_nothing_runs_the_demo_answers() {
    let out = |id, on_card| (id, on_card, Outcome::OutOfMemory);
    let nothing = after(&[out("e4b", true), out("e4b", false), out("e2b", true), out("e2b", false)], None);
    let all = [("e4b", true), ("e4b", false), ("e2b", true), ("e2b", false)];
    check(&nothing, ("demo", false, Reason::NothingElseFits, false), &all);
}

#[test]
fn what_a_person_chose_is_used_whatever_the_trials_say() {
    let slow = [("e4b", true, SLOW), ("e4b", false, SLOW)];
    check(&after(&slow, Some("e4b")), ("e4b", true, Reason::Chosen, false), &[("e4b", false)]);
    let no_card = [("e4b", true, Outcome::OutOfMemory)];
    check(&after(&no_card, Some("e4b")), ("e4b", false, Reason::Chosen, true), &[("e4b", true)]);
    let neither = [("e4b", true, Outcome::OutOfMemory), ("e4b", false, failed())];
    check(&after(&neither, Some("e4b")), ("e4b", false, Reason::Chosen, false), &[("e4b", true)]);
    check(&after(&[], Some("demo")), ("demo", false, Reason::Chosen, false), &[]);
    check(&after(&[], Some("e2b")), ("e2b", true, Reason::Chosen, true), &[]);
}

#[test]
fn what_a_person_chose_and_does_not_fit_runs_on_the_processor() {
    let large = |on_card| Candidate { usable: GB, usable_at_most: 2 * GB, ..candidate("e4b", 4, on_card) };
    let choice = choose(&[large(true), large(false)], Some("e4b"), &Trials::none());
    check(&choice, ("e4b", false, Reason::ChosenAlthoughTooLarge, true), &[("e4b", true)]);
}

#[test]
fn out_of_memory_counts_until_there_is_more() {
    let mut trials = Trials::none();
    let tried = find("e4b", true);
    trials.record(&tried, Outcome::OutOfMemory).unwrap();
    let chosen_with = |usable: u64| {
        let choice = choose(&[Candidate { usable, usable_at_most: 2 * usable, ..tried.clone() }], None, &trials);
        (choice.candidate.is_some(), choice.needs_trial)
    };
    assert_eq!(chosen_with(5 * GB), (false, false));
    assert_eq!(chosen_with(5 * GB + GB / 4), (false, false), "free memory always changes a little");
    assert_eq!(chosen_with(6 * GB), (true, true));
}

#[test]
fn too_large_now_and_too_large_for_ever_are_different_sentences() {
    let large = |usable_at_most| Candidate { usable: GB, usable_at_most, ..candidate("e4b", 4, false) };
    let why = |at_most| {
        let choice = choose(&[large(at_most)], None, &Trials::none());
        assert_eq!((choice.candidate, choice.reason), (None, Reason::NothingFits));
        choice.rejected[0].clone()
    };
    let (now, ever) = (why(6 * GB), why(2 * GB));
    assert_eq!(now.sentence(), "E4B needs 4.00 GB on CPU, and 1.00 GB may be used now: close other programs.");
    assert_eq!(
        ever.sentence(),
        "E4B needs 4.00 GB on CPU, which never has more than 2.00 GB for it: this computer has too little memory there."
    );
    let json = serde_json::to_value(&now.why).unwrap();
    let expected = serde_json::json!({
        "kind": "too_large", "needed_bytes": 4 * GB, "usable_bytes": GB, "could_fit": true,
    });
    assert_eq!(json, expected);
    assert!(matches!(ever.why, Rejection::TooLarge { could_fit: false, .. }));
}

#[test]
fn three_tokens_a_second_are_enough() {
    assert!(matches!(Outcome::measured(MIN_TOKENS_PER_SECOND), Outcome::Passed { .. }));
    assert!(matches!(Outcome::measured(2.99), Outcome::TooSlow { .. }));
    assert!(matches!(Outcome::measured(f64::NAN), Outcome::TooSlow { .. }));
}

fn file() -> (test_support::TempDir, PathBuf) {
    let folder = test_support::temp_folder();
    let path = folder.path().join("data").join("trials.json");
    (folder, path)
}

#[test]
fn outcomes_are_remembered_in_a_file() {
    let (_folder, path) = file();
    let mut trials = Trials::load(&path);
    assert_eq!(trials.of(&find("e4b", true)), None);
    let outcomes = [
        (find("e4b", true), Outcome::OutOfMemory),
        (find("e4b", false), SLOW),
        (find("e2b", true), failed()),
        (find("e2b", false), Outcome::measured(7.25)),
    ];
    for (candidate, outcome) in &outcomes {
        trials.record(candidate, outcome.clone()).unwrap();
    }
    let again = Trials::load(&path);
    for (candidate, outcome) in &outcomes {
        let trial = again.of(candidate).unwrap();
        assert_eq!((&trial.outcome, trial.usable_bytes), (outcome, 5 * GB));
        assert!(trial.time > 1_600_000_000, "{trial:?}");
    }
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, ["trials.json"], "nothing half-written stays");
}

#[test]
fn a_trial_counts_for_its_file_device_and_context_length() {
    let mut trials = Trials::none();
    let tried = find("e4b", false);
    trials.record(&tried, SLOW).unwrap();
    let with = |change: &dyn Fn(&mut Candidate)| {
        let mut other = tried.clone();
        change(&mut other);
        trials.of(&other).is_some()
    };
    assert!(with(&|_| ()));
    assert!(with(&|one| one.usable = GB), "free memory is no part of it");
    assert!(!with(&|one| one.file.modified += 1));
    assert!(!with(&|one| one.file.bytes += 1));
    assert!(!with(&|one| one.file.name = "other.gguf".to_owned()));
    assert!(!with(&|one| one.context_len = 8192));
    assert!(!with(&|one| one.device = find("e4b", true).device));
}

#[test]
fn the_newest_outcome_counts_and_a_replaced_file_leaves_none() {
    let (_folder, path) = file();
    let mut trials = Trials::load(&path);
    let tried = find("e4b", false);
    trials.record(&tried, SLOW).unwrap();
    trials.record(&tried, Outcome::measured(9.0)).unwrap();
    assert_eq!(trials.of(&tried).unwrap().outcome, Outcome::measured(9.0));
    let mut replaced = tried.clone();
    replaced.file.modified += 60;
    trials.record(&replaced, SLOW).unwrap();
    assert_eq!((trials.of(&tried), trials.of(&replaced).map(|one| &one.outcome)), (None, Some(&SLOW)));
    assert_eq!(fs::read_to_string(&path).unwrap().matches("e4b.gguf").count(), 1);
}

#[test]
fn forgetting_a_model_forgets_it_on_every_device() {
    let (_folder, path) = file();
    let mut trials = Trials::load(&path);
    for one in [find("e4b", true), find("e4b", false), find("e2b", false)] {
        trials.record(&one, SLOW).unwrap();
    }
    trials.forget("e4b.gguf").unwrap();
    for trials in [trials, Trials::load(&path)] {
        let known = [find("e4b", true), find("e4b", false), find("e2b", false)].map(|one| trials.of(&one).is_some());
        assert_eq!(known, [false, false, true]);
    }
}

#[test]
fn two_programs_do_not_forget_what_the_other_remembered() {
    let (_folder, path) = file();
    let (mut window, mut terminal) = (Trials::load(&path), Trials::load(&path));
    window.record(&find("e4b", true), SLOW).unwrap();
    terminal.record(&find("e2b", true), SLOW).unwrap();
    let both = Trials::load(&path);
    assert!(both.of(&find("e4b", true)).is_some() && both.of(&find("e2b", true)).is_some());
    assert!(terminal.of(&find("e4b", true)).is_some());
}

#[test]
fn a_damaged_file_is_ignored_and_replaced() {
    let whole = {
        let (_folder, path) = file();
        Trials::load(&path).record(&find("e4b", true), SLOW).unwrap();
        fs::read(&path).unwrap()
    };
    let of_the_future = br#"{"format": 2, "trials": "something else"}"#.to_vec();
    let unknown_format = br#"{"format": 2, "trials": []}"#.to_vec();
    for damaged in
        [b"".to_vec(), whole[..whole.len() / 2].to_vec(), b"\xff\x00".to_vec(), of_the_future, unknown_format]
    {
        let (_folder, path) = file();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &damaged).unwrap();
        let mut trials = Trials::load(&path);
        assert_eq!(trials.of(&find("e4b", true)), None);
        trials.record(&find("e2b", true), SLOW).unwrap();
        assert!(Trials::load(&path).of(&find("e2b", true)).is_some());
    }
}

#[test]
fn what_cannot_be_written_is_still_remembered() {
    let folder = test_support::temp_folder();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let mut trials = Trials::load(&in_the_way.join("trials.json"));
    for one in [find("e4b", true), find("e2b", true)] {
        let error = trials.record(&one, SLOW).unwrap_err();
        assert!(error.to_string().contains("trials.json"), "{error}");
    }
    assert!(trials.of(&find("e4b", true)).is_some() && trials.of(&find("e2b", true)).is_some());
}
