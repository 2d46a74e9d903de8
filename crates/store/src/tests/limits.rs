//! A full disk, a folder that cannot be written, and how text waits to be saved.

use super::{Bench, complete, explain};
use crate::open::connect_with;
use crate::{Error, SAVE_AFTER_BYTES, SAVE_EVERY, Store};
use errors::{ErrorCode, Explain};
use expect_test::expect;
use sqlx::sqlite::SqliteConnectOptions;
use std::time::Instant;

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_saved_is_lost() {
    let bench = Bench::new().await;
    let asked = bench.store.ask(&bench.learner.id, None, "t", "q").await.expect("ask");
    let pages: u32 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&bench.store.pool).await.expect("pages");
    // The same file through connections that may not make it larger than it is: SQLite answers as on a full disk.
    let database = bench.folder.path().join("aula.db");
    let options = SqliteConnectOptions::new().filename(&database).pragma("max_page_count", (pages + 1).to_string());
    let full = Store { pool: connect_with(&database, options, false).await.expect("pool"), ..bench.store.clone() };

    let mut writer = full.writer(&asked.answer_id);
    let _ = writer.push("short");
    writer.save().await.expect("it still fits");
    let _ = writer.push(&"long ".repeat(20_000));
    let error = writer.save().await.expect_err("full");
    expect!["disk_full | could not save the answer: the disk is full | Free some space on the disk and try again."]
        .assert_eq(&explain(&error, bench.folder.path()));
    assert!(writer.end(complete()).await.is_err());

    // What was saved stands, and the file is sound.
    let message = bench.store.message(&bench.learner.id, &asked.answer_id).await.expect("message");
    assert_eq!(message.text, "short");
    assert_eq!(bench.store.problems().await.expect("check"), Vec::<String>::new());

    // With space again, what waited is saved.
    let mut again = bench.store.writer(&asked.answer_id);
    let _ = again.push(" and whole");
    again.end(complete()).await.expect("end");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("file"), "").expect("file");
    let error = Store::open(&folder.path().join("file/aula")).await.expect_err("no folder");
    expect!["io | could not create the folder `<folder>/file/aula` | Check that you may write to this folder, or choose another with AULA_DATA_DIR."]
        .assert_eq(&explain(&error, folder.path()));
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_not_called_damaged() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::create_dir(folder.path().join("aula.db")).expect("a folder in its place");
    let error = Store::open(folder.path()).await.expect_err("no file");
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
    assert_eq!(error.code(), ErrorCode::Io);
    assert!(folder.path().join("aula.db").is_dir(), "it was moved");
}

#[tokio::test]
async fn a_read_only_database_is_said() {
    let bench = Bench::new().await;
    let database = bench.folder.path().join("aula.db");
    let options = SqliteConnectOptions::new().filename(&database).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("pool");
    let read_only = Store { pool, ..bench.store.clone() };
    let error = read_only.ask(&bench.learner.id, None, "t", "q").await.expect_err("read only");
    expect!["io | could not save the question: the data folder may only be read | Check that you may write to this folder, or choose another with AULA_DATA_DIR."]
        .assert_eq(&explain(&error, bench.folder.path()));
}

#[tokio::test]
async fn the_first_piece_is_saved_at_once_and_later_text_waits() {
    let bench = Bench::new().await;
    let asked = bench.store.ask(&bench.learner.id, None, "t", "q").await.expect("ask");
    let mut writer = bench.store.writer(&asked.answer_id);
    assert_eq!(writer.due(), None);
    assert!(!writer.push(""));
    assert_eq!(writer.due(), None, "nothing waits");
    assert!(writer.push("first"));
    writer.save().await.expect("save");
    let before = Instant::now();
    assert!(!writer.push("a"));
    let due = writer.due().expect("due");
    assert!(due >= before + SAVE_EVERY && due <= Instant::now() + SAVE_EVERY);
    assert!(!writer.push("b"));
    assert_eq!(writer.due(), Some(due), "the piece that waits longest counts");
    assert!(writer.push(&"c".repeat(SAVE_AFTER_BYTES)));
    writer.save().await.expect("save");
    assert_eq!(writer.due(), None);
}
