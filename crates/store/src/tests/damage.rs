//! Files that are damaged, cut short, newer, or in use; programs that died.

use super::{Bench, explain, show};
use crate::{Opened, Store};
use expect_test::expect;
use std::path::{Path, PathBuf};

/// A closed database with a few hundred rows, and the folder that holds it.
async fn closed(clean: bool) -> (tempfile::TempDir, PathBuf) {
    let bench = Bench::new().await;
    let (id, _) = bench.exchange(None, "q", &"a long answer. ".repeat(500)).await;
    for n in 0..20 {
        bench.exchange(Some(&id), &format!("q{n}"), &"text ".repeat(300)).await;
    }
    bench.store.close().await;
    let folder = bench.folder;
    drop(bench.store);
    if !clean {
        std::fs::write(folder.path().join("aula.lock"), "open\n").expect("lock file");
    }
    let database = folder.path().join("aula.db");
    (folder, database)
}

fn set_aside_files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "db"))
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("aula.damaged-")))
        .collect();
    found.sort();
    found
}

/// Opens a damaged file: it lies aside byte for byte, and the new store works.
async fn is_set_aside(folder: &Path, damaged: &[u8]) {
    let Opened { store, set_aside, .. } = Store::open(folder).await.expect("a new store");
    let aside = set_aside.expect("the damaged one is set aside");
    assert_eq!(set_aside_files(folder), std::slice::from_ref(&aside));
    assert!(std::fs::read(&aside).expect("aside") == damaged, "the damaged file was changed");
    let learner = store.default_learner().await.expect("learner");
    assert!(store.conversations(&learner.id).await.expect("list").is_empty());
    store.ask(&learner.id, None, "t", "q").await.expect("ask");
    assert_eq!(store.problems().await.expect("check"), Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_header_is_set_aside() {
    let (folder, database) = closed(true).await;
    let mut bytes = std::fs::read(&database).expect("read");
    bytes[..64].fill(0x5a);
    std::fs::write(&database, &bytes).expect("write");
    is_set_aside(folder.path(), &bytes).await;
}

#[tokio::test]
async fn damaged_pages_are_found_after_a_clean_end_too() {
    for clean in [true, false] {
        let (folder, database) = closed(clean).await;
        let mut bytes = std::fs::read(&database).expect("read");
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 2048].fill(0xff);
        std::fs::write(&database, &bytes).expect("write");
        is_set_aside(folder.path(), &bytes).await;
    }
}

#[tokio::test]
async fn a_file_cut_short_is_set_aside() {
    let (folder, database) = closed(true).await;
    let mut bytes = std::fs::read(&database).expect("read");
    bytes.truncate(bytes.len() / 3);
    std::fs::write(&database, &bytes).expect("write");
    is_set_aside(folder.path(), &bytes).await;
}

#[tokio::test]
async fn text_that_is_no_database_is_set_aside() {
    let folder = tempfile::tempdir().expect("folder");
    let text =
        b"this is a shopping list, and it is longer than a header of one hundred bytes would have to be to count";
    std::fs::write(folder.path().join("aula.db"), text).expect("write");
    is_set_aside(folder.path(), text).await;
}

#[tokio::test]
async fn a_sound_file_stays_where_it_is() {
    for clean in [true, false] {
        let (folder, _) = closed(clean).await;
        let Opened { store, set_aside, interrupted } = Store::open(folder.path()).await.expect("open");
        assert_eq!((set_aside, interrupted), (None, 0));
        let learner = store.default_learner().await.expect("learner");
        assert_eq!(store.conversations(&learner.id).await.expect("list").len(), 1);
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_and_not_touched() {
    let (folder, database) = closed(true).await;
    {
        let Opened { store, .. } = Store::open(folder.path()).await.expect("open");
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', 1, x'00', 0)",
        )
        .execute(&store.pool)
        .await
        .expect("insert");
        store.close().await;
    }
    let before = std::fs::read(&database).expect("read");
    let error = Store::open(folder.path()).await.expect_err("newer");
    expect!["store_newer | a newer version of Aula wrote the database `<folder>/aula.db`: it has step 9999, this version knows 3 | Install the newer version of Aula; this one has changed nothing."]
        .assert_eq(&explain(&error, folder.path()));
    assert!(std::fs::read(&database).expect("read") == before, "the newer database was changed");
    assert!(set_aside_files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_folder_is_open_once() {
    let bench = Bench::new().await;
    let folder = bench.folder.path().to_owned();
    let error = Store::open(&folder).await.expect_err("in use");
    expect!["already_open | Aula is already open with the data in `<folder>` | Close the other Aula window first."]
        .assert_eq(&explain(&error, &folder));
}

#[tokio::test]
async fn an_unfinished_answer_is_interrupted_with_its_text() {
    let bench = Bench::new().await;
    let asked = bench.store.ask(&bench.learner.id, None, "title", "q").await.expect("ask");
    let mut writer = bench.store.writer(&asked.answer_id);
    let _ = writer.push("half an ans");
    writer.save().await.expect("save");
    let _ = writer.push("wer that nobody saved");
    drop(writer);
    let (folder, learner) = (bench.folder, bench.learner);
    // No `close`: as if the process had been killed.
    bench.store.pool.close().await;
    drop(bench.store);
    let Opened { store, interrupted, set_aside } = Store::open(folder.path()).await.expect("open");
    assert_eq!((interrupted, set_aside), (1, None));
    let branch = store.branch(&learner.id, &asked.conversation_id).await.expect("branch");
    expect![[r#"
        # title
        student complete 1/1 q
        tutor interrupted 1/1 half an ans
    "#]]
    .assert_eq(&show(&branch));
}
