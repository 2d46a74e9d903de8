//! Learners: who uses this computer.

use crate::records::{self, Learner, LearnerKind};
use crate::{Error, Result, Store, now_ms};

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
        let row = sqlx::query("SELECT * FROM learner ORDER BY created_at, id LIMIT 1")
            .fetch_one(&self.pool)
            .await
            .map_err(self.during("read the profile"))?;
        records::learner(&row).map_err(self.during("read the profile"))
    }

    /// Gives `learner` this name and kind.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such learner.
    pub async fn set_learner(&self, learner: &str, name: &str, kind: LearnerKind) -> Result<Learner> {
        let failed = self.during("save the profile");
        let row = sqlx::query("UPDATE learner SET name = ?2, kind = ?3 WHERE id = ?1 RETURNING *")
            .bind(learner)
            .bind(name)
            .bind(kind.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?
            .ok_or_else(|| no_learner(learner))?;
        records::learner(&row).map_err(&failed)
    }

    /// The hash of the PIN of `learner`; `None` where none is asked for.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such learner.
    pub async fn pin_hash(&self, learner: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT pin_hash FROM learner WHERE id = ?1")
            .bind(learner)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.during("read the profile"))?
            .ok_or_else(|| no_learner(learner))
    }

    /// Keeps `hash` as that of the PIN of `learner`; `None` asks for no PIN any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such learner.
    pub async fn set_pin_hash(&self, learner: &str, hash: Option<&str>) -> Result<()> {
        let done = sqlx::query("UPDATE learner SET pin_hash = ?2 WHERE id = ?1")
            .bind(learner)
            .bind(hash)
            .execute(&self.pool)
            .await
            .map_err(self.during("save the PIN"))?;
        if done.rows_affected() == 0 { Err(no_learner(learner)) } else { Ok(()) }
    }
}

fn no_learner(id: &str) -> Error {
    Error::NotFound { what: "profile", id: id.to_owned() }
}
