//! Opening: the lock, the check, moving a damaged file aside, migrations, and what an unclean end left behind.

use crate::error::{self, Kind};
use crate::{Error, KEEP_DELETED_DAYS, Result, Shared, Store, now_ms};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The database's name in the data folder.
const DATABASE: &str = "aula.db";
/// Files up to this size are checked at every start (it takes milliseconds), larger ones only after an unclean end.
const ALWAYS_CHECK_BYTES: u64 = 16 << 20;

/// An open store, and what happened on the way.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where the damaged database lies, if one was found.
    pub set_aside: Option<PathBuf>,
    /// Answers that the last run left unfinished; they are `interrupted` now, with their text.
    pub interrupted: u64,
}

/// The lock file of a data folder. Its text says whether the last run ended cleanly.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Mutex<File>,
}

impl Lock {
    /// Locks `folder` for this process; also tells whether the run before ended without [`Lock::release`].
    fn take(folder: &Path) -> Result<(Self, bool)> {
        let path = folder.join("aula.lock");
        let failed = |source| Error::Lock { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut text = String::new();
        // A lock file with other bytes in it says nothing, so the careful way is taken.
        let unclean = file.read_to_string(&mut text).is_err() || text.starts_with("open");
        write_state(&mut file, "open\n").map_err(failed)?;
        Ok((Self { file: Mutex::new(file) }, unclean))
    }

    /// Notes a clean end. Best effort: without the note the next start checks the database, that is all.
    fn release(&self) {
        if let Ok(mut file) = self.file.lock()
            && let Err(e) = write_state(&mut file, "closed\n")
        {
            tracing::warn!(error = %e, "could not note the clean end");
        }
    }
}

fn write_state(file: &mut File, state: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(state.as_bytes())
}

impl Store {
    /// Opens the database of `folder`, making both where they do not exist.
    ///
    /// A damaged database is moved aside (`aula.damaged-<time>.db`) and a new one begun. Answers that were being
    /// written when the program died are marked `interrupted`. Conversations and creations deleted more than
    /// [`KEEP_DELETED_DAYS`] ago are removed.
    ///
    /// # Errors
    /// When the folder cannot be written, another process has it open, or a newer version wrote the database.
    pub async fn open(folder: &Path) -> Result<Opened> {
        std::fs::create_dir_all(folder).map_err(|source| Error::CreateFolder { path: folder.to_owned(), source })?;
        let (lock, unclean) = Lock::take(folder)?;
        let database = folder.join(DATABASE);
        let size = std::fs::metadata(&database).map_or(0, |m| m.len());
        let check = size > 0 && (unclean || size <= ALWAYS_CHECK_BYTES);

        let (pool, set_aside) = match connect(&database, check).await {
            Ok(pool) => (pool, None),
            Err(Error::Damaged { source, .. }) => {
                let aside = set_aside(&database)?;
                tracing::error!(error = %source, kept = %aside.display(), "the database was damaged; a new one is begun");
                (connect(&database, false).await?, Some(aside))
            }
            Err(other) => return Err(other),
        };
        let store = Self {
            pool,
            shared: Arc::new(Shared { folder: folder.to_owned(), database, lock, suspect: AtomicBool::new(false) }),
        };
        let interrupted = store.tidy_up().await?;
        Ok(Opened { store, set_aside, interrupted })
    }

    /// Waits for what is being written and closes the database; afterwards nothing works any more.
    pub async fn close(&self) {
        self.pool.close().await;
        if !self.shared.suspect.load(Ordering::Relaxed) {
            self.shared.lock.release();
        }
    }

    /// Reads the whole database and tells what is wrong with it; empty when nothing is.
    ///
    /// # Errors
    /// When the check itself could not run.
    pub async fn problems(&self) -> Result<Vec<String>> {
        problems(&self.pool, "PRAGMA integrity_check").await.map_err(error::during("check the database"))
    }

    /// Marks what a dead process left unfinished, and removes what was deleted long ago.
    async fn tidy_up(&self) -> Result<u64> {
        let now = now_ms();
        let interrupted =
            sqlx::query("UPDATE message SET state = 'interrupted', finished_at = ?1 WHERE state = 'streaming'")
                .bind(now)
                .execute(&self.pool)
                .await
                .map_err(self.during("mark interrupted answers"))?
                .rows_affected();
        let long_ago = now - KEEP_DELETED_DAYS * 24 * 60 * 60 * 1000;
        for (statement, operation) in [
            ("DELETE FROM conversation WHERE deleted_at < ?1", "remove old deleted conversations"),
            ("DELETE FROM creation WHERE deleted_at < ?1", "remove old deleted creations"),
        ] {
            sqlx::query(statement).bind(long_ago).execute(&self.pool).await.map_err(self.during(operation))?;
        }
        Ok(interrupted)
    }

    /// Names the operation that failed, and remembers damage for the next start.
    pub(crate) fn during(&self, operation: &'static str) -> impl Fn(sqlx::Error) -> Error + '_ {
        move |source| {
            let error = error::during(operation)(source);
            if matches!(error, Error::Damaged { .. }) {
                self.shared.suspect.store(true, Ordering::Relaxed);
            }
            error
        }
    }
}

/// Opens `database`, checks it if `check`, and brings it to this version's layout.
async fn connect(database: &Path, check: bool) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    connect_with(database, options, check).await
}

/// [`connect`] with connection options chosen by the caller (a test caps the number of pages).
pub(crate) async fn connect_with(database: &Path, options: SqliteConnectOptions, check: bool) -> Result<SqlitePool> {
    let opened = |source: sqlx::Error| match error::kind(&source) {
        Kind::Other => Error::Open { path: database.to_owned(), source },
        _ => error::during("open the database")(source),
    };
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(opened)?;
    let ready = async {
        if check {
            let problems = problems(&pool, "PRAGMA quick_check(5)").await.map_err(opened)?;
            if !problems.is_empty() {
                let source = sqlx::Error::Protocol(problems.join("; "));
                return Err(Error::Damaged { operation: "check the database", source });
            }
        }
        migrate(&pool, database).await
    }
    .await;
    match ready {
        Ok(()) => Ok(pool),
        Err(e) => {
            // On Windows an open file cannot be moved aside.
            pool.close().await;
            Err(e)
        }
    }
}

async fn migrate(pool: &SqlitePool, database: &Path) -> Result<()> {
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    // Looked at before anything is written: a newer version's file stays exactly as it is.
    let applied: Option<i64> =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'")
            .fetch_one(pool)
            .await
            .map_err(error::during("read the layout of the database"))?;
    if applied == Some(1) {
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(pool)
            .await
            .map_err(error::during("read the layout of the database"))?;
        if let Some(found) = found
            && found > known
        {
            return Err(Error::Newer { path: database.to_owned(), found, known });
        }
    }
    MIGRATIONS.run(pool).await.map_err(|source| match source {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) if error::kind(&e) != Kind::Other => {
            error::during("update the database")(e)
        }
        source => Error::Migrate { path: database.to_owned(), source },
    })
}

/// The lines of an integrity pragma, without its `ok`.
async fn problems(pool: &SqlitePool, pragma: &'static str) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::query(pragma).fetch_all(pool).await?;
    let lines = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<sqlx::Result<Vec<_>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Moves `database` and its log files to `aula.damaged-<time>.db*`; returns where the database lies now.
fn set_aside(database: &Path) -> Result<PathBuf> {
    let failed = |source| Error::SetAside { path: database.to_owned(), source };
    let seconds = now_ms() / 1000;
    let aside = (0..)
        .map(
            |n: u32| {
                if n == 0 { format!("aula.damaged-{seconds}.db") } else { format!("aula.damaged-{seconds}-{n}.db") }
            },
        )
        .map(|name| database.with_file_name(name))
        .find(|path| !path.exists())
        .unwrap_or_else(|| database.with_extension("damaged"));
    std::fs::rename(database, &aside).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        match std::fs::rename(with_suffix(database, suffix), with_suffix(&aside, suffix)) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(aside)
}

/// `path` with `suffix` after its whole name, the way SQLite names its companions.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
