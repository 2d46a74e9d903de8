//! Learners, and numbers that only grow.

use crate::records::{self, Learner};
use crate::{Result, Store, now_ms};

impl Store {
    /// The learner who uses this computer; made at the first call, as a learner without a name.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn default_learner(&self) -> Result<Learner> {
        sqlx::query(
            "INSERT INTO learner (id, name, kind, created_at)
             SELECT lower(hex(randomblob(16))), '', 'learner', ?1 WHERE NOT EXISTS (SELECT 1 FROM learner)",
        )
        .bind(now_ms())
        .execute(&self.pool)
        .await
        .map_err(self.during("create the first profile"))?;
        let row = sqlx::query("SELECT id, name, kind, created_at FROM learner ORDER BY created_at, id LIMIT 1")
            .fetch_one(&self.pool)
            .await
            .map_err(self.during("read the profile"))?;
        records::learner(&row).map_err(self.during("read the profile"))
    }

    /// Adds `by` to the counter `name` of `learner`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn count(&self, learner: &str, name: &str, by: u32) -> Result<()> {
        sqlx::query(
            "INSERT INTO counter (learner_id, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (learner_id, name) DO UPDATE SET value = value + excluded.value",
        )
        .bind(learner)
        .bind(name)
        .bind(by)
        .execute(&self.pool)
        .await
        .map_err(self.during("count"))?;
        Ok(())
    }

    /// The counter `name` over all learners.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counted(&self, name: &str) -> Result<u64> {
        let sum: i64 = sqlx::query_scalar("SELECT coalesce(sum(value), 0) FROM counter WHERE name = ?1")
            .bind(name)
            .fetch_one(&self.pool)
            .await
            .map_err(self.during("read a counter"))?;
        Ok(u64::try_from(sum).unwrap_or(0))
    }
}
