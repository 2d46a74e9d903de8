//! Conversations: list, read, rename, delete and undo.

use crate::records::{self, Branch, ConversationLine, Message};
use crate::{Error, Result, Store, now_ms};
use sqlx::Row;
use std::collections::HashMap;

impl Store {
    /// The conversations of `learner` that are not deleted, latest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn conversations(&self, learner: &str) -> Result<Vec<ConversationLine>> {
        let failed = self.during("list the conversations");
        let rows = sqlx::query(
            "SELECT id, title, updated_at FROM conversation
             WHERE learner_id = ?1 AND deleted_at IS NULL ORDER BY updated_at DESC, rowid DESC",
        )
        .bind(learner)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter().map(records::line).collect::<sqlx::Result<_>>().map_err(&failed)
    }

    /// The conversation `id` with the turns of its active branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such conversation, deleted ones included.
    pub async fn branch(&self, learner: &str, id: &str) -> Result<Branch> {
        let failed = self.during("read the conversation");
        // One transaction: what is read belongs together, whatever is written meanwhile.
        let mut tx = self.pool.begin().await.map_err(&failed)?;
        let row = sqlx::query(
            "SELECT id, title, updated_at, active_leaf FROM conversation
             WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL",
        )
        .bind(id)
        .bind(learner)
        .fetch_optional(&mut *tx)
        .await
        .map_err(&failed)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
        let line = records::line(&row).map_err(&failed)?;
        let leaf: Option<String> = row.try_get("active_leaf").map_err(&failed)?;

        // Every message's id, in order of creation, under its parent: the versions of a turn are siblings.
        let rows = sqlx::query("SELECT id, parent_id FROM message WHERE conversation_id = ?1 ORDER BY seq")
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(&failed)?;
        let mut children: HashMap<Option<String>, Vec<String>> = HashMap::new();
        for row in &rows {
            let parent: Option<String> = row.try_get("parent_id").map_err(&failed)?;
            children.entry(parent).or_default().push(row.try_get("id").map_err(&failed)?);
        }

        let rows = sqlx::query(
            "WITH RECURSIVE branch (id, parent_id, depth) AS (
                 SELECT id, parent_id, 0 FROM message WHERE id = ?1
                 UNION ALL
                 SELECT m.id, m.parent_id, depth + 1 FROM message m JOIN branch b ON m.id = b.parent_id
             )
             SELECT m.* FROM branch b JOIN message m ON m.id = b.id ORDER BY b.depth DESC",
        )
        .bind(leaf)
        .fetch_all(&mut *tx)
        .await
        .map_err(&failed)?;
        tx.commit().await.map_err(&failed)?;
        let mut messages =
            rows.iter().map(records::message).collect::<sqlx::Result<Vec<Message>>>().map_err(&failed)?;
        for message in &mut messages {
            if let Some(versions) = children.get(&message.parent_id) {
                message.version_ids.clone_from(versions);
            }
        }
        Ok(Branch { line, messages })
    }

    /// Gives the conversation `id` another title.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such conversation.
    pub async fn rename(&self, learner: &str, id: &str, title: &str) -> Result<ConversationLine> {
        let failed = self.during("rename the conversation");
        let row = sqlx::query(
            "UPDATE conversation SET title = ?3 WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL
             RETURNING id, title, updated_at",
        )
        .bind(id)
        .bind(learner)
        .bind(title)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
        records::line(&row).map_err(&failed)
    }

    /// Deletes the conversation `id`; [`Store::restore`] brings it back until it is purged.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such conversation.
    pub async fn delete(&self, learner: &str, id: &str) -> Result<()> {
        let done = sqlx::query(
            "UPDATE conversation SET deleted_at = ?3 WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL",
        )
        .bind(id)
        .bind(learner)
        .bind(now_ms())
        .execute(&self.pool)
        .await
        .map_err(self.during("delete the conversation"))?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound { what: "conversation", id: id.to_owned() });
        }
        Ok(())
    }

    /// Brings the deleted conversation `id` back; one that is not deleted stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such conversation, or it was purged.
    pub async fn restore(&self, learner: &str, id: &str) -> Result<ConversationLine> {
        let failed = self.during("restore the conversation");
        let row = sqlx::query(
            "UPDATE conversation SET deleted_at = NULL WHERE id = ?1 AND learner_id = ?2
             RETURNING id, title, updated_at",
        )
        .bind(id)
        .bind(learner)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?
        .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
        records::line(&row).map_err(&failed)
    }
}
