//! Settings: one JSON value per key and learner.

use crate::{Result, Store};
use serde_json::Value;
use sqlx::Row;
use std::collections::BTreeMap;

impl Store {
    /// All settings of `learner`. A value that is not JSON is left out, as if it had never been set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn settings(&self, learner: &str) -> Result<BTreeMap<String, Value>> {
        let rows = sqlx::query("SELECT key, value FROM setting WHERE learner_id = ?1")
            .bind(learner)
            .fetch_all(&self.pool)
            .await
            .map_err(self.during("read the settings"))?;
        let mut settings = BTreeMap::new();
        for row in rows {
            let key: String = row.try_get("key").map_err(self.during("read the settings"))?;
            let value: String = row.try_get("value").map_err(self.during("read the settings"))?;
            match serde_json::from_str(&value) {
                Ok(value) => {
                    settings.insert(key, value);
                }
                Err(e) => tracing::warn!(key, error = %e, "a setting is not JSON and is ignored"),
            }
        }
        Ok(settings)
    }

    /// Sets every key of `settings` for `learner`, all or none; other keys stay.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_settings(&self, learner: &str, settings: &BTreeMap<String, Value>) -> Result<()> {
        let failed = self.during("save the settings");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        for (key, value) in settings {
            sqlx::query(
                "INSERT INTO setting (learner_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (learner_id, key) DO UPDATE SET value = excluded.value",
            )
            .bind(learner)
            .bind(key)
            .bind(value.to_string())
            .execute(&mut *tx)
            .await
            .map_err(&failed)?;
        }
        tx.commit().await.map_err(&failed)
    }
}
