//! Numbers that only grow, and the latest connections to the network.

use crate::records::{self, Connection};
use crate::{Result, Store, now_ms};

/// So many connections are kept one by one.
pub const KEEP_CONNECTIONS: u32 = 200;

impl Store {
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

    /// Counts a connection to `host` in the counter `name`, and keeps it among the latest [`KEEP_CONNECTIONS`].
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn count_connection(&self, learner: &str, name: &str, host: &str) -> Result<()> {
        let failed = self.during("count a connection");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO counter (learner_id, name, value) VALUES (?1, ?2, 1)
             ON CONFLICT (learner_id, name) DO UPDATE SET value = value + 1",
        )
        .bind(learner)
        .bind(name)
        .execute(&mut *tx)
        .await
        .map_err(&failed)?;
        sqlx::query("INSERT INTO connection (learner_id, at, host) VALUES (?1, ?2, ?3)")
            .bind(learner)
            .bind(now_ms())
            .bind(host)
            .execute(&mut *tx)
            .await
            .map_err(&failed)?;
        sqlx::query(
            "DELETE FROM connection WHERE learner_id = ?1 AND seq <= (
                 SELECT seq FROM connection WHERE learner_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2
             )",
        )
        .bind(learner)
        .bind(KEEP_CONNECTIONS)
        .execute(&mut *tx)
        .await
        .map_err(&failed)?;
        tx.commit().await.map_err(&failed)
    }

    /// The latest connections of `learner`, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn connections(&self, learner: &str) -> Result<Vec<Connection>> {
        let failed = self.during("read the record of connections");
        let rows = sqlx::query("SELECT at, host FROM connection WHERE learner_id = ?1 ORDER BY seq DESC")
            .bind(learner)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter().map(records::connection).collect::<sqlx::Result<_>>().map_err(&failed)
    }
}
