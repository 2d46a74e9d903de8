//! Probing processes that hang, crash and talk nonsense. Real processes of a program that behaves like a broken driver.

use hardware::{HardwareProfile, ProbeCommand, Source};

#[test]
fn a_program_that_does_not_exist_is_no_disaster() {
    let profile = HardwareProfile::probe_with(&ProbeCommand::new("/nowhere/at/all"));
    assert_eq!(profile.gpus, []);
    assert_eq!(profile.probe_notes.len(), Source::HERE.len());
    assert!(profile.probe_notes.iter().all(|note| note.what.starts_with("could not be asked")), "{profile:?}");
}

#[test]
fn the_real_probe_answers_for_every_source_of_this_machine() {
    let program = env!("CARGO_BIN_EXE_hardware-probe-fixture");
    let profile = HardwareProfile::probe_with(&ProbeCommand::new(program));
    // Which cards there are differs; a driver of this machine may be slow or broken, but the program understood the question.
    let misunderstood = ["exit code 2", "answered nonsense", "answered nothing", "could not be asked"];
    for note in &profile.probe_notes {
        assert!(!misunderstood.iter().any(|wrong| note.what.contains(wrong)), "{note:?}");
    }
    let drm = std::process::Command::new(program)
        .args([hardware::gpu::probe::PROBE_ARG, "no-such-source"])
        .status()
        .expect("it starts");
    assert_eq!(drm.code(), Some(2), "a source that does not exist");
}

#[test]
fn a_program_that_does_not_know_the_hidden_argument_is_not_started_again() {
    // This test program is one: starting it as a probe would run the tests again.
    let profile = HardwareProfile::probe();
    assert_eq!(profile.probe_notes, []);
    assert!(profile.gpus.iter().all(|gpu| gpu.source == Source::Drm), "{profile:?}");
}

/// What needs Linux's list of processes to be seen.
#[cfg(target_os = "linux")]
mod processes {
    use std::{
        path::Path,
        thread,
        time::{Duration, Instant},
    };

    use hardware::{GpuMemory, HardwareProfile, ProbeCommand, Source};

    /// The program that misbehaves, told to leave the ids of its processes in `folder`.
    fn fixture(folder: &Path, mode: &str) -> ProbeCommand {
        let program = env!("CARGO_BIN_EXE_hardware-probe-fixture").into();
        ProbeCommand { program, args: vec![folder.into(), mode.into()] }
    }

    /// Process ids by source, as the fixture left them.
    fn pids(folder: &Path) -> Vec<(String, u32)> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("text");
        let parts = |name: String| {
            let (source, pid) = name.split_once('.').expect("two parts");
            (source.to_owned(), pid.parse().expect("a number"))
        };
        entries.map(|entry| parts(name(entry.expect("an entry")))).collect()
    }

    /// Whether a process runs; one that has ended and waits to be collected does not.
    fn runs(pid: u32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = status.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
        !matches!(state, None | Some(Some('Z' | 'X')))
    }

    /// What is left of a machine whose NVIDIA library behaves as `mode` says.
    fn check(mode: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = HardwareProfile::probe_with(&fixture(folder.path(), mode));
        // The other sources are heard all the same.
        assert_eq!(profile.gpus.len(), 1, "{mode}: {profile:?}");
        assert_eq!(profile.gpus[0].memory, GpuMemory::Dedicated { total: 8_000_000_000, free: Some(7_000_000_000) });
        let notes: Vec<_> = profile.probe_notes.iter().map(|note| (note.source, note.what.as_str())).collect();
        assert_eq!(notes, expected.map(|what| (Source::Nvml, what)).into_iter().collect::<Vec<_>>(), "{mode}");
        assert!(profile.ram_total > 0 && profile.cpu.logical_cores > 0, "{profile:?}");

        let started = pids(folder.path());
        assert_eq!(started.len(), Source::HERE.len(), "{mode}: one process for each source, {started:?}");
        let patience = Instant::now() + Duration::from_secs(60);
        while started.iter().any(|(_, pid)| runs(*pid)) {
            assert!(Instant::now() < patience, "{mode}: a process is left behind: {started:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_source_that_answers_is_heard() {
        check("well", None);
    }

    #[test]
    fn a_source_that_hangs_is_given_up_and_its_process_ended() {
        check("hang", Some("did not answer within 2 s"));
    }

    #[test]
    fn a_source_that_crashes_takes_only_its_own_process_down() {
        check("crash", Some("crashed (signal 6)"));
    }

    #[test]
    fn nonsense_is_called_nonsense() {
        check("garbage", Some("answered nonsense"));
        check("nothing", Some("answered nothing"));
    }

    #[test]
    fn a_source_that_never_stops_talking_is_given_up() {
        check("endless", Some("did not answer within 2 s"));
    }

    #[test]
    fn a_source_can_say_itself_what_is_wrong() {
        check("error", Some("the driver is older than the card"));
    }

    #[test]
    fn an_answer_counts_also_if_the_process_hangs_while_it_ends() {
        check("hang-at-exit", None);
    }

    #[test]
    fn free_memory_is_asked_again_and_kept_where_nobody_answers() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut profile = HardwareProfile::probe_with(&fixture(folder.path(), "well"));
        let GpuMemory::Dedicated { free, .. } = &mut profile.gpus[0].memory else { panic!("{profile:?}") };
        *free = Some(1);
        profile.refresh_free_with(&ProbeCommand::new("/nowhere/at/all"));
        assert_eq!(profile.gpus[0].memory, GpuMemory::Dedicated { total: 8_000_000_000, free: Some(1) });
        assert_eq!(profile.probe_notes.len(), 1, "only the source that knows is asked: {profile:?}");

        profile.probe_notes.clear();
        profile.refresh_free_with(&fixture(folder.path(), "well"));
        assert_eq!(profile.gpus[0].memory, GpuMemory::Dedicated { total: 8_000_000_000, free: Some(7_000_000_000) });
        assert_eq!(profile.probe_notes, []);
    }
}
