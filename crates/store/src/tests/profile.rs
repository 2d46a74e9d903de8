//! The learner, their PIN's hash, the record of connections, and a database of the version before.

use super::Bench;
use crate::open::MIGRATIONS;
use crate::{Error, KEEP_CONNECTIONS, LearnerKind, Store};
use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

#[tokio::test]
async fn a_learner_gets_a_name_a_kind_and_a_pin() {
    let bench = Bench::new().await;
    let id = &bench.learner.id;
    assert_eq!((bench.learner.name.as_str(), bench.learner.has_pin), ("", false));
    let saved = bench.store.set_learner(id, "Ana", LearnerKind::Adult).await.expect("saved");
    assert_eq!((saved.name.as_str(), saved.kind), ("Ana", LearnerKind::Adult));
    bench.store.set_pin_hash(id, Some("$argon2id$…")).await.expect("saved");
    assert_eq!(bench.store.pin_hash(id).await.expect("read").as_deref(), Some("$argon2id$…"));
    let learner = bench.store.default_learner().await.expect("learner");
    assert!(learner.has_pin && learner.name == "Ana" && learner.id == *id);
    bench.store.set_pin_hash(id, None).await.expect("removed");
    assert!(!bench.store.default_learner().await.expect("learner").has_pin);

    let unknown = "nobody";
    assert!(matches!(bench.store.set_learner(unknown, "", LearnerKind::Adult).await, Err(Error::NotFound { .. })));
    assert!(matches!(bench.store.pin_hash(unknown).await, Err(Error::NotFound { .. })));
    assert!(matches!(bench.store.set_pin_hash(unknown, None).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn all_connections_are_counted_and_the_latest_are_kept() {
    let bench = Bench::new().await;
    let id = &bench.learner.id;
    let n = KEEP_CONNECTIONS + 3;
    for at in 0..n {
        bench.store.count_connection(id, "connections", &format!("h{at}")).await.expect("counted");
    }
    assert_eq!(bench.store.counted("connections").await.expect("count"), u64::from(n));
    let kept = bench.store.connections(id).await.expect("record");
    assert_eq!(kept.len(), KEEP_CONNECTIONS as usize);
    assert_eq!((kept[0].host.as_str(), kept.last().map(|line| line.host.as_str())), ("h202", Some("h3")));
    assert!(kept.iter().all(|line| line.at > 0));
}

/// A database as the first version wrote it, with a conversation where `asked`.
async fn of_the_first_version(folder: &std::path::Path, asked: bool) {
    let options = SqliteConnectOptions::new().filename(folder.join("aula.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.expect("pool");
    let first = MIGRATIONS.iter().filter(|one| one.version == 1).cloned().collect();
    Migrator::with_migrations(first).run(&pool).await.expect("the first layout");
    let mut statements = vec!["INSERT INTO learner VALUES ('l1', 'Ana', 'adult', 5)"];
    if asked {
        statements.extend([
            "INSERT INTO conversation VALUES ('c1', 'l1', 'Fractions', NULL, 6, 7, NULL)",
            "INSERT INTO message (id, learner_id, conversation_id, role, text, state, created_at)
             VALUES ('m1', 'l1', 'c1', 'student', '1/2?', 'complete', 6)",
            "UPDATE conversation SET active_leaf = 'm1'",
            "INSERT INTO setting VALUES ('l1', 'theme', '\"dark\"')",
            "INSERT INTO counter VALUES ('l1', 'connections', 3)",
        ]);
    }
    for statement in statements {
        sqlx::query(statement).execute(&pool).await.expect("a row");
    }
    pool.close().await;
}

#[tokio::test]
async fn a_database_of_the_first_version_keeps_everything_and_has_its_first_run_behind_it() {
    let folder = tempfile::tempdir().expect("folder");
    of_the_first_version(folder.path(), true).await;
    let store = Store::open(folder.path()).await.expect("open").store;
    let learner = store.default_learner().await.expect("learner");
    assert_eq!((learner.id.as_str(), learner.name.as_str(), learner.has_pin), ("l1", "Ana", false));
    let branch = store.branch("l1", "c1").await.expect("conversation");
    assert_eq!((branch.line.title.as_str(), branch.messages[0].text.as_str()), ("Fractions", "1/2?"));
    assert_eq!(store.counted("connections").await.expect("count"), 3);
    let settings = store.settings("l1").await.expect("settings");
    assert_eq!(settings.get("theme"), Some(&Value::from("dark")));
    assert_eq!(settings.get("setupDone"), Some(&Value::Bool(true)));
    assert_eq!(store.problems().await.expect("check"), Vec::<String>::new());
}

#[tokio::test]
async fn who_never_asked_anything_still_has_the_first_run_before_them() {
    let folder = tempfile::tempdir().expect("folder");
    of_the_first_version(folder.path(), false).await;
    let store = Store::open(folder.path()).await.expect("open").store;
    assert_eq!(store.settings("l1").await.expect("settings").get("setupDone"), None);
}
