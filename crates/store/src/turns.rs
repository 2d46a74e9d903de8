//! Turns: asking, answering again, editing, and showing another version. Nothing is ever overwritten.

use crate::records::{self, Asked, Message, Role};
use crate::{Error, Result, Store, now_ms};
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

/// A message as far as the tree goes.
struct Node {
    conversation_id: String,
    parent_id: Option<String>,
    role: String,
}

impl Store {
    /// Saves the question `text` at the end of a conversation's active branch, and an empty answer after it, in one
    /// transaction. Without `conversation` a new one named `title` begins; an existing one without a title takes it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where `learner` has no such conversation.
    pub async fn ask(&self, learner: &str, conversation: Option<&str>, title: &str, text: &str) -> Result<Asked> {
        let failed = self.during("save the question");
        let mut tx = self.begin().await?;
        let now = now_ms();
        let (conversation_id, parent): (String, Option<String>) = match conversation {
            None => {
                let id = sqlx::query_scalar(
                    "INSERT INTO conversation (id, learner_id, title, created_at, updated_at)
                     VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?3) RETURNING id",
                )
                .bind(learner)
                .bind(title)
                .bind(now)
                .fetch_one(&mut *tx)
                .await
                .map_err(&failed)?;
                (id, None)
            }
            Some(id) => {
                let row = sqlx::query(
                    "UPDATE conversation SET title = CASE title WHEN '' THEN ?3 ELSE title END
                     WHERE id = ?1 AND learner_id = ?2 AND deleted_at IS NULL RETURNING active_leaf",
                )
                .bind(id)
                .bind(learner)
                .bind(title)
                .fetch_optional(&mut *tx)
                .await
                .map_err(&failed)?
                .ok_or_else(|| Error::NotFound { what: "conversation", id: id.to_owned() })?;
                (id.to_owned(), row.try_get("active_leaf").map_err(&failed)?)
            }
        };
        let question = insert(&mut tx, learner, &conversation_id, parent.as_deref(), Role::Student, text)
            .await
            .map_err(&failed)?;
        let answer_id = answer_after(&mut tx, learner, &conversation_id, &question).await.map_err(&failed)?;
        self.commit(tx, "save the question").await?;
        Ok(Asked { conversation_id, answer_id })
    }

    /// Begins another answer to the question that `answer_id` answers.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message, [`Error::WrongRole`] for a question.
    pub async fn answer_again(&self, learner: &str, answer_id: &str) -> Result<Asked> {
        let failed = self.during("save the answer");
        let mut tx = self.begin().await?;
        let node = self.node(&mut tx, learner, answer_id).await?;
        let wrong = || Error::WrongRole { id: answer_id.to_owned(), wanted: "an answer" };
        if node.role != Role::Tutor.as_str() {
            return Err(wrong());
        }
        let question = node.parent_id.ok_or_else(wrong)?;
        let answer_id = answer_after(&mut tx, learner, &node.conversation_id, &question).await.map_err(&failed)?;
        self.commit(tx, "save the answer").await?;
        Ok(Asked { conversation_id: node.conversation_id, answer_id })
    }

    /// Saves `text` as another version of the question `message_id`, and an empty answer after it. The earlier
    /// version keeps everything that followed it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message, [`Error::WrongRole`] for an answer.
    pub async fn edit(&self, learner: &str, message_id: &str, text: &str) -> Result<Asked> {
        let failed = self.during("save the question");
        let mut tx = self.begin().await?;
        let node = self.node(&mut tx, learner, message_id).await?;
        if node.role != Role::Student.as_str() {
            return Err(Error::WrongRole { id: message_id.to_owned(), wanted: "a question" });
        }
        let conversation_id = node.conversation_id;
        let question = insert(&mut tx, learner, &conversation_id, node.parent_id.as_deref(), Role::Student, text)
            .await
            .map_err(&failed)?;
        let answer_id = answer_after(&mut tx, learner, &conversation_id, &question).await.map_err(&failed)?;
        self.commit(tx, "save the question").await?;
        Ok(Asked { conversation_id, answer_id })
    }

    /// Makes the branch through `message_id` the active one: its ancestors, and after it always the latest version.
    /// Returns the conversation's id.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message.
    pub async fn show_version(&self, learner: &str, message_id: &str) -> Result<String> {
        let failed = self.during("show the version");
        let mut tx = self.begin().await?;
        let node = self.node(&mut tx, learner, message_id).await?;
        let leaf: String = sqlx::query_scalar(
            "WITH RECURSIVE down (id, depth) AS (
                 SELECT ?1, 0
                 UNION ALL
                 SELECT (SELECT id FROM message WHERE parent_id = down.id ORDER BY seq DESC LIMIT 1), depth + 1
                 FROM down WHERE down.id IS NOT NULL
             )
             SELECT id FROM down WHERE id IS NOT NULL ORDER BY depth DESC LIMIT 1",
        )
        .bind(message_id)
        .fetch_one(&mut *tx)
        .await
        .map_err(&failed)?;
        sqlx::query("UPDATE conversation SET active_leaf = ?2 WHERE id = ?1")
            .bind(&node.conversation_id)
            .bind(leaf)
            .execute(&mut *tx)
            .await
            .map_err(&failed)?;
        tx.commit().await.map_err(&failed)?;
        Ok(node.conversation_id)
    }

    /// The conversation that holds `message_id`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message.
    pub async fn conversation_of(&self, learner: &str, message_id: &str) -> Result<String> {
        let mut connection = self.pool.acquire().await.map_err(self.during("read the message"))?;
        Ok(self.node(&mut connection, learner, message_id).await?.conversation_id)
    }

    /// The message `id`, with its versions.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message.
    pub async fn message(&self, learner: &str, id: &str) -> Result<Message> {
        let failed = self.during("read the message");
        let row = sqlx::query("SELECT * FROM message WHERE id = ?1 AND learner_id = ?2")
            .bind(id)
            .bind(learner)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?
            .ok_or_else(|| Error::NotFound { what: "message", id: id.to_owned() })?;
        let mut message = records::message(&row).map_err(&failed)?;
        message.version_ids =
            sqlx::query_scalar("SELECT id FROM message WHERE conversation_id = ?1 AND parent_id IS ?2 ORDER BY seq")
                .bind(&message.conversation_id)
                .bind(&message.parent_id)
                .fetch_all(&self.pool)
                .await
                .map_err(&failed)?;
        Ok(message)
    }

    /// A transaction that may write from its first statement on, so that it never has to be tried again.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(self.during("begin to write"))
    }

    /// Commits and forces the result to the disk: a power cut does not take a question back.
    async fn commit(&self, tx: Transaction<'static, Sqlite>, operation: &'static str) -> Result<()> {
        tx.commit().await.map_err(self.during(operation))?;
        self.sync_to_disk().await
    }

    async fn node(&self, connection: &mut SqliteConnection, learner: &str, id: &str) -> Result<Node> {
        let failed = self.during("read the message");
        let row = sqlx::query(
            "SELECT m.conversation_id, m.parent_id, m.role FROM message m
             JOIN conversation c ON c.id = m.conversation_id
             WHERE m.id = ?1 AND m.learner_id = ?2 AND c.deleted_at IS NULL",
        )
        .bind(id)
        .bind(learner)
        .fetch_optional(connection)
        .await
        .map_err(&failed)?
        .ok_or_else(|| Error::NotFound { what: "message", id: id.to_owned() })?;
        let read = || -> sqlx::Result<Node> {
            Ok(Node {
                conversation_id: row.try_get("conversation_id")?,
                parent_id: row.try_get("parent_id")?,
                role: row.try_get("role")?,
            })
        };
        read().map_err(&failed)
    }
}

/// Inserts a message and returns its id.
async fn insert(
    tx: &mut Transaction<'static, Sqlite>,
    learner: &str,
    conversation: &str,
    parent: Option<&str>,
    role: Role,
    text: &str,
) -> sqlx::Result<String> {
    let now = now_ms();
    let (state, finished_at) = match role {
        Role::Student => ("complete", Some(now)),
        Role::Tutor => ("streaming", None),
    };
    sqlx::query_scalar(
        "INSERT INTO message (id, learner_id, conversation_id, parent_id, role, text, state, created_at, finished_at)
         VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id",
    )
    .bind(learner)
    .bind(conversation)
    .bind(parent)
    .bind(role.as_str())
    .bind(text)
    .bind(state)
    .bind(now)
    .bind(finished_at)
    .fetch_one(&mut **tx)
    .await
}

/// Inserts an empty answer to `question` and makes it the end of the active branch.
async fn answer_after(
    tx: &mut Transaction<'static, Sqlite>,
    learner: &str,
    conversation: &str,
    question: &str,
) -> sqlx::Result<String> {
    let answer = insert(tx, learner, conversation, Some(question), Role::Tutor, "").await?;
    sqlx::query("UPDATE conversation SET active_leaf = ?2, updated_at = ?3 WHERE id = ?1")
        .bind(conversation)
        .bind(&answer)
        .bind(now_ms())
        .execute(&mut **tx)
        .await?;
    Ok(answer)
}
