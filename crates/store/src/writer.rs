//! Saving an answer while it is being written.

use crate::open::with_suffix;
use crate::records::{EngineName, Measured, MessageState};
use crate::{Error, Result, Store, now_ms};
use std::fs::OpenOptions;
use std::time::{Duration, Instant};

/// Text waits at most this long before it is saved.
pub const SAVE_EVERY: Duration = Duration::from_millis(250);
/// So many waiting bytes are saved at once.
pub const SAVE_AFTER_BYTES: usize = 512;
/// What is saved is forced to the disk this often, for the case of a power cut.
const SYNC_EVERY: Duration = Duration::from_millis(750);

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// Its last state; never `streaming`.
    pub state: MessageState,
    /// The engine's word for why, for later reading.
    pub finish_reason: Option<&'static str>,
    /// Its numbers, where there are any.
    pub measured: Option<Measured>,
}

/// Collects the text of one answer and saves it in short transactions.
///
/// The owner pushes pieces, waits no longer than [`AnswerWriter::due`], calls [`AnswerWriter::save`] then, and ends
/// with [`AnswerWriter::end`]. Text pushed and not yet saved is lost when the process is killed; nothing else is.
#[derive(Debug)]
pub struct AnswerWriter {
    store: Store,
    answer_id: String,
    pending: String,
    pending_since: Option<Instant>,
    /// Something was saved already.
    begun: bool,
    synced: Instant,
}

impl Store {
    /// A writer for the answer `answer_id`, which is `streaming`.
    pub fn writer(&self, answer_id: &str) -> AnswerWriter {
        AnswerWriter {
            store: self.clone(),
            answer_id: answer_id.to_owned(),
            pending: String::new(),
            pending_since: None,
            begun: false,
            synced: Instant::now(),
        }
    }

    /// Notes who writes the answer `answer_id`.
    ///
    /// # Errors
    /// [`Error::AnswerEnded`] when it is not being written.
    pub async fn set_engine(&self, answer_id: &str, engine: &EngineName) -> Result<()> {
        let done = sqlx::query(
            "UPDATE message SET engine_kind = ?2, engine_model = ?3, engine_device = ?4
             WHERE id = ?1 AND state = 'streaming'",
        )
        .bind(answer_id)
        .bind(engine.kind.as_str())
        .bind(&engine.model)
        .bind(&engine.device)
        .execute(&self.pool)
        .await
        .map_err(self.during("save who answers"))?;
        ended_unless(done.rows_affected(), answer_id)
    }

    /// Forces the write-ahead log to the disk. With `synchronous=NORMAL` SQLite itself does so only at checkpoints,
    /// which is safe for the file but would let a power cut take back the last minutes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) async fn sync_to_disk(&self) -> Result<()> {
        let log = with_suffix(&self.shared.database, "-wal");
        let path = log.clone();
        let synced = tokio::task::spawn_blocking(move || match OpenOptions::new().write(true).open(&log) {
            Ok(file) => file.sync_data(),
            // Checkpointed and removed: everything is in the database file, synced by SQLite.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        })
        .await;
        match synced {
            Ok(result) => result.map_err(|source| Error::Sync { path, source }),
            Err(e) => Err(Error::Sync { path, source: std::io::Error::other(e) }),
        }
    }
}

impl AnswerWriter {
    /// Takes a piece of text; `true` when it should be saved now: the first piece, so that no answer of which a person
    /// saw a word comes back empty, and when much waits.
    #[must_use]
    pub fn push(&mut self, text: &str) -> bool {
        if !text.is_empty() {
            self.pending.push_str(text);
            self.pending_since.get_or_insert_with(Instant::now);
        }
        !self.pending.is_empty() && (!self.begun || self.pending.len() >= SAVE_AFTER_BYTES)
    }

    /// When [`AnswerWriter::save`] should be called; `None` while nothing waits.
    pub fn due(&self) -> Option<Instant> {
        self.pending_since.map(|since| since + SAVE_EVERY)
    }

    /// Saves what waits. On failure it still waits, and may be tried again.
    ///
    /// # Errors
    /// When the database cannot be written, or the answer has ended.
    pub async fn save(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let done = sqlx::query("UPDATE message SET text = text || ?2 WHERE id = ?1 AND state = 'streaming'")
            .bind(&self.answer_id)
            .bind(&self.pending)
            .execute(&self.store.pool)
            .await
            .map_err(self.store.during("save the answer"))?;
        ended_unless(done.rows_affected(), &self.answer_id)?;
        self.pending.clear();
        self.pending_since = None;
        self.begun = true;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.store.sync_to_disk().await?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Saves what waits and how the answer ended, in one transaction.
    ///
    /// # Errors
    /// When the database cannot be written, or the answer has ended already.
    pub async fn end(&mut self, ending: Ending) -> Result<()> {
        let failed = self.store.during("save the answer");
        let now = now_ms();
        let measured = ending.measured;
        let mut tx = self.store.begin().await?;
        let done = sqlx::query(
            "UPDATE message SET text = text || ?2, state = ?3, finish_reason = ?4, prompt_tokens = ?5,
                 reused_tokens = ?6, completion_tokens = ?7, seed = ?8, queue_s = ?9, prefill_s = ?10, ttft_s = ?11,
                 decode_s = ?12, finished_at = ?13
             WHERE id = ?1 AND state = 'streaming'",
        )
        .bind(&self.answer_id)
        .bind(&self.pending)
        .bind(ending.state.as_str())
        .bind(ending.finish_reason)
        .bind(measured.map(|m| m.prompt_tokens))
        .bind(measured.map(|m| m.reused_tokens))
        .bind(measured.map(|m| m.completion_tokens))
        .bind(measured.map(|m| m.seed.cast_signed()))
        .bind(measured.map(|m| m.queue_s))
        .bind(measured.map(|m| m.prefill_s))
        .bind(measured.map(|m| m.ttft_s))
        .bind(measured.map(|m| m.decode_s))
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(&failed)?;
        ended_unless(done.rows_affected(), &self.answer_id)?;
        sqlx::query(
            "UPDATE conversation SET updated_at = ?2 WHERE id = (SELECT conversation_id FROM message WHERE id = ?1)",
        )
        .bind(&self.answer_id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(&failed)?;
        tx.commit().await.map_err(&failed)?;
        self.pending.clear();
        self.pending_since = None;
        self.store.sync_to_disk().await
    }
}

fn ended_unless(rows: u64, answer_id: &str) -> Result<()> {
    if rows == 0 { Err(Error::AnswerEnded { id: answer_id.to_owned() }) } else { Ok(()) }
}
