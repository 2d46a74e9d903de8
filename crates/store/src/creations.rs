//! What the tools made: saved whole, with what a person did with it.

use crate::records::{self, Creation, CreationLine, NewCreation};
use crate::{Error, Result, Store, now_ms};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;

impl Store {
    /// Saves what a tool made for `learner`; nobody has worked with it yet.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn create_creation(&self, learner: &str, new: &NewCreation) -> Result<Creation> {
        let failed = self.during("save what was made");
        let row = sqlx::query(
            "INSERT INTO creation (id, learner_id, tool, title, input, content, work, progress, engine_kind, engine_model,
                 engine_device, created_at, updated_at)
             VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) RETURNING *",
        )
        .bind(learner)
        .bind(&new.tool)
        .bind(&new.title)
        .bind(new.input.to_string())
        .bind(new.content.to_string())
        .bind(new.work.to_string())
        .bind(new.progress)
        .bind(new.engine.kind.as_str())
        .bind(&new.engine.model)
        .bind(&new.engine.device)
        .bind(now_ms())
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        self.sync_to_disk().await?;
        records::creation(&row).map_err(&failed)
    }

    /// What was made for `learner` and is not deleted, newest first. A row that this version cannot read is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn creations(&self, learner: &str) -> Result<Vec<CreationLine>> {
        let rows = sqlx::query(
            "SELECT id, tool, title, progress, engine_kind, engine_model, engine_device, created_at, updated_at
             FROM creation WHERE learner_id = ?1 AND deleted_at IS NULL ORDER BY seq DESC",
        )
        .bind(learner)
        .fetch_all(&self.pool)
        .await
        .map_err(self.during("list what was made"))?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in &rows {
            match records::creation_line(row) {
                Ok(line) => lines.push(line),
                Err(e) => tracing::warn!(error = %e, "something that was made cannot be read and is left out"),
            }
        }
        Ok(lines)
    }

    /// One thing that was made, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such thing, deleted ones included; [`Error::Query`] where what it holds is
    /// not JSON.
    pub async fn creation(&self, learner: &str, id: &str) -> Result<Creation> {
        let failed = self.during("read what was made");
        let row = sqlx::query("SELECT * FROM creation WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL")
            .bind(id)
            .bind(learner)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        records::creation(&found(row, id)?).map_err(&failed)
    }

    /// Keeps `work` as what a person did with the creation `id`, and `progress` (0 to 1) as how far they got.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such thing.
    pub async fn set_work(&self, learner: &str, id: &str, work: &Value, progress: Option<f64>) -> Result<Creation> {
        let failed = self.during("save what you did");
        let row = sqlx::query(
            "UPDATE creation SET work = ?3, progress = ?4, updated_at = ?5
             WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL RETURNING *",
        )
        .bind(id)
        .bind(learner)
        .bind(work.to_string())
        .bind(progress)
        .bind(now_ms())
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        records::creation(&found(row, id)?).map_err(&failed)
    }

    /// Deletes the creation `id`; [`Store::restore_creation`] brings it back until it is purged.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such thing.
    pub async fn delete_creation(&self, learner: &str, id: &str) -> Result<()> {
        let row = sqlx::query(
            "UPDATE creation SET deleted_at = ?3 WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL RETURNING id",
        )
        .bind(id)
        .bind(learner)
        .bind(now_ms())
        .fetch_optional(&self.pool)
        .await
        .map_err(self.during("delete what was made"))?;
        found(row, id).map(drop)
    }

    /// Brings the deleted creation `id` back; one that is not deleted stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such thing, or it was purged.
    pub async fn restore_creation(&self, learner: &str, id: &str) -> Result<CreationLine> {
        let failed = self.during("restore what was made");
        let row = sqlx::query("UPDATE creation SET deleted_at = NULL WHERE id = ?1 AND learner_id = ?2 RETURNING *")
            .bind(id)
            .bind(learner)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        records::creation_line(&found(row, id)?).map_err(&failed)
    }
}

fn found(row: Option<SqliteRow>, id: &str) -> Result<SqliteRow> {
    row.ok_or_else(|| Error::NotFound { what: "creation", id: id.to_owned() })
}
