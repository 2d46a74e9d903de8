//! What the tools made: listed, worked with, deleted, brought back, and read again after everything that can happen to a file.

use super::Bench;
use crate::open::MIGRATIONS;
use crate::{
    Creation, EngineKind, EngineName, Error, KEEP_DELETED_DAYS, LearnerKind, NewCreation, Opened, Store, now_ms,
};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

fn quiz(title: &str) -> NewCreation {
    NewCreation {
        tool: "quiz".to_owned(),
        title: title.to_owned(),
        input: json!({"tool": "quiz", "topic": title, "count": 3}),
        content: json!({"title": {"text": title}, "questions": [{"z": 1, "a": "½ «ñ»"}]}),
        work: json!({"items": [], "at": 0}),
        progress: Some(0.0),
        engine: EngineName {
            kind: EngineKind::School,
            model: "Gemma 4 26B-A4B".to_owned(),
            device: "school".to_owned(),
        },
    }
}

impl Bench {
    async fn made(&self, title: &str) -> Creation {
        self.store.create_creation(&self.learner.id, &quiz(title)).await.expect("saved")
    }

    async fn titles(&self) -> Vec<String> {
        let lines = self.store.creations(&self.learner.id).await.expect("list");
        lines.into_iter().map(|line| line.title).collect()
    }
}

fn is_missing<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::NotFound { what: "creation", .. })), "{result:?}");
}

#[tokio::test]
async fn what_was_made_comes_back_as_it_was() {
    let bench = Bench::new().await;
    let made = bench.made("Fractions").await;
    let wanted = quiz("Fractions");
    assert_eq!((made.line.tool.as_str(), made.line.title.as_str()), ("quiz", "Fractions"));
    assert_eq!((&made.input, &made.content, &made.work), (&wanted.input, &wanted.content, &wanted.work));
    assert_eq!((made.line.progress, &made.line.engine), (Some(0.0), &wanted.engine));
    assert!(made.line.created_at > 0 && made.line.updated_at == made.line.created_at);
    // The order of fields is that in which a model wrote them.
    assert_eq!(made.content.to_string(), wanted.content.to_string());
    assert_eq!(bench.store.creation(&bench.learner.id, &made.line.id).await.expect("read"), made);
    assert_eq!(bench.store.creations(&bench.learner.id).await.expect("list"), [made.line]);
}

#[tokio::test]
async fn the_newest_comes_first_whatever_was_worked_with_last() {
    let bench = Bench::new().await;
    let first = bench.made("one").await;
    bench.made("two").await;
    bench.made("three").await;
    bench.store.set_work(&bench.learner.id, &first.line.id, &json!({"at": 2}), Some(0.5)).await.expect("work");
    assert_eq!(bench.titles().await, ["three", "two", "one"]);
}

#[tokio::test]
async fn work_is_kept_whole_and_the_content_stays() {
    let bench = Bench::new().await;
    let (learner, made) = (bench.learner.id.clone(), bench.made("Fractions").await);
    let work = json!({"items": [{"tries": ["2"], "done": true, "right": true}], "at": 1});
    let after = bench.store.set_work(&learner, &made.line.id, &work, Some(1.0)).await.expect("work");
    assert_eq!((&after.work, after.line.progress), (&work, Some(1.0)));
    assert_eq!((&after.content, &after.input), (&made.content, &made.input));
    assert!(after.line.updated_at >= made.line.updated_at);
    assert_eq!(bench.store.creation(&learner, &made.line.id).await.expect("read"), after);
    let beyond = bench.store.set_work(&learner, &made.line.id, &json!({}), Some(1.5)).await;
    assert!(beyond.is_err(), "progress ends at 1");
    assert_eq!(bench.store.creation(&learner, &made.line.id).await.expect("read"), after);
}

#[tokio::test]
async fn deleting_can_be_undone_until_it_is_purged() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let (kept, gone) = (bench.made("kept").await.line, bench.made("gone").await.line);
    for one in [&kept, &gone] {
        bench.store.delete_creation(&learner, &one.id).await.expect("deleted");
    }
    assert!(bench.titles().await.is_empty());
    is_missing(bench.store.creation(&learner, &kept.id).await);
    is_missing(bench.store.set_work(&learner, &kept.id, &json!({}), None).await);
    is_missing(bench.store.delete_creation(&learner, &kept.id).await);
    for _ in 0..2 {
        assert_eq!(bench.store.restore_creation(&learner, &kept.id).await.expect("back"), kept);
    }
    assert_eq!(bench.titles().await, ["kept"]);

    // Both were deleted long ago, but one was brought back; the third was deleted less long ago.
    let recent = bench.made("recent").await.line;
    let day = 24 * 60 * 60 * 1000;
    for (id, days) in [(&gone.id, KEEP_DELETED_DAYS + 1), (&recent.id, KEEP_DELETED_DAYS - 1)] {
        sqlx::query("UPDATE creation SET deleted_at = ?2 WHERE id = ?1")
            .bind(id)
            .bind(now_ms() - days * day)
            .execute(&bench.store.pool)
            .await
            .expect("back in time");
    }
    bench.store.close().await;
    let folder = bench.folder;
    drop(bench.store);
    let Opened { store, .. } = Store::open(folder.path()).await.expect("open");
    is_missing(store.restore_creation(&learner, &gone.id).await);
    store.restore_creation(&learner, &recent.id).await.expect("it is still there");
    assert_eq!(store.creations(&learner).await.expect("list").len(), 2);
}

#[tokio::test]
async fn nobody_reads_or_changes_what_belongs_to_another() {
    let bench = Bench::new().await;
    let made = bench.made("mine").await;
    sqlx::query("INSERT INTO learner (id, name, kind, created_at) VALUES ('other', 'Luis', 'adult', 1)")
        .execute(&bench.store.pool)
        .await
        .expect("another learner");
    let (store, id) = (&bench.store, made.line.id.as_str());
    assert!(store.creations("other").await.expect("list").is_empty());
    is_missing(store.creation("other", id).await);
    is_missing(store.set_work("other", id, &json!({"at": 9}), None).await);
    is_missing(store.delete_creation("other", id).await);
    is_missing(store.restore_creation("other", id).await);
    assert_eq!(store.creation(&bench.learner.id, id).await.expect("untouched"), made);
    assert!(store.create_creation("nobody", &quiz("x")).await.is_err(), "every row belongs to a learner");
    store.set_learner("other", "Luis", LearnerKind::Adult).await.expect("the other learner is real");
}

#[tokio::test]
async fn damaged_work_is_forgotten_and_a_damaged_row_hides_nothing_else() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let (work, content, kind) = (bench.made("work").await, bench.made("content").await, bench.made("kind").await);
    bench.made("sound").await;
    let mut connection = bench.store.pool.acquire().await.expect("connection");
    for (statement, id) in [
        ("UPDATE creation SET work = '{\"items\": [' WHERE id = ?1", &work.line.id),
        ("UPDATE creation SET content = 'no JSON' WHERE id = ?1", &content.line.id),
        ("PRAGMA ignore_check_constraints = 1", &String::new()),
        ("UPDATE creation SET engine_kind = 'abacus' WHERE id = ?1", &kind.line.id),
    ] {
        let query = sqlx::query(statement);
        let query = if id.is_empty() { query } else { query.bind(id) };
        query.execute(&mut *connection).await.expect(statement);
    }
    drop(connection);

    assert_eq!(bench.titles().await, ["sound", "content", "work"]);
    let read = bench.store.creation(&learner, &work.line.id).await.expect("the content is whole");
    assert_eq!((&read.work, &read.content), (&Value::Null, &work.content));
    for id in [&content.line.id, &kind.line.id] {
        let error = bench.store.creation(&learner, id).await.expect_err("it cannot be read");
        assert!(matches!(error, Error::Query { .. }), "{error:?}");
        bench.store.delete_creation(&learner, id).await.expect("it can be deleted");
    }
    // What was done can be done again.
    let again = bench.store.set_work(&learner, &work.line.id, &json!({"at": 1}), None).await.expect("work");
    assert_eq!(again.work, json!({"at": 1}));
}

#[tokio::test]
async fn what_was_saved_outlives_a_program_that_died() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let made = bench.made("Fractions").await;
    let after = bench.store.set_work(&learner, &made.line.id, &json!({"at": 1}), Some(0.5)).await.expect("work");
    // What a killed process leaves: the files as they are now, with the log not yet in the database, copied while they are open.
    let left = tempfile::tempdir().expect("folder");
    for entry in std::fs::read_dir(bench.folder.path()).expect("folder") {
        let entry = entry.expect("entry");
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).expect("copied");
    }
    let log = std::fs::metadata(left.path().join("aula.db-wal")).expect("a log");
    assert!(log.len() > 0, "the test is about what stands in the log");
    let Opened { store, set_aside, .. } = Store::open(left.path()).await.expect("open");
    assert_eq!(set_aside, None);
    assert_eq!(store.creation(&learner, &made.line.id).await.expect("read"), after);
    assert_eq!(store.problems().await.expect("check"), Vec::<String>::new());
}

#[tokio::test]
async fn a_database_of_the_second_version_keeps_everything() {
    let folder = tempfile::tempdir().expect("folder");
    let options = SqliteConnectOptions::new().filename(folder.path().join("aula.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.expect("pool");
    let before = MIGRATIONS.iter().filter(|one| one.version <= 2).cloned().collect();
    Migrator::with_migrations(before).run(&pool).await.expect("the second layout");
    for statement in [
        "INSERT INTO learner (id, name, kind, created_at, pin_hash) VALUES ('l1', 'Ana', 'adult', 5, 'hash')",
        "INSERT INTO conversation VALUES ('c1', 'l1', 'Fractions', NULL, 6, 7, NULL)",
        "INSERT INTO connection (learner_id, at, host) VALUES ('l1', 8, 'example.org')",
    ] {
        sqlx::query(statement).execute(&pool).await.expect("a row");
    }
    pool.close().await;

    let Opened { store, set_aside, .. } = Store::open(folder.path()).await.expect("open");
    assert_eq!(set_aside, None);
    let learner = store.default_learner().await.expect("learner");
    assert!(learner.id == "l1" && learner.has_pin);
    assert_eq!(store.conversations("l1").await.expect("list").len(), 1);
    assert_eq!(store.connections("l1").await.expect("record").len(), 1);
    assert!(store.creations("l1").await.expect("list").is_empty());
    store.create_creation("l1", &quiz("first")).await.expect("saved");
    assert_eq!(store.problems().await.expect("check"), Vec::<String>::new());
}
