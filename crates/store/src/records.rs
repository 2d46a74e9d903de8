//! What the database holds, as plain records.

use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Declares an enum that is stored as one of a few words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The word in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// Who speaks.
    Role {
        /// The person who asks.
        Student = "student",
        /// The one who answers.
        Tutor = "tutor",
    }
}

words! {
    /// How far a message got.
    MessageState {
        /// It is being written.
        Streaming = "streaming",
        /// It is whole.
        Complete = "complete",
        /// Somebody stopped it.
        Stopped = "stopped",
        /// A limit cut it.
        Cut = "cut",
        /// Its writer, or the program, broke off.
        Interrupted = "interrupted",
    }
}

words! {
    /// Which kind of engine wrote an answer.
    EngineKind {
        /// The model on this computer.
        Local = "local",
        /// The demo model.
        Demo = "demo",
        /// Cloud Boost.
        Cloud = "cloud",
        /// The school's server.
        School = "school",
    }
}

words! {
    /// Whose profile it is: some things are offered to adults only.
    LearnerKind {
        /// An adult.
        Adult = "adult",
        /// A learner.
        Learner = "learner",
    }
}

/// A person who uses Aula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learner {
    /// Opaque id.
    pub id: String,
    /// Name; may be empty.
    pub name: String,
    /// Adult or learner.
    pub kind: LearnerKind,
    /// Whether a PIN is asked for.
    pub has_pin: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// One connection to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The other computer's name.
    pub host: String,
}

/// A conversation without its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationLine {
    /// Opaque id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// Who wrote an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineName {
    /// Which kind.
    pub kind: EngineKind,
    /// The model's name.
    pub model: String,
    /// The device's name.
    pub device: String,
}

/// What was counted and timed while an answer was written; seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Of these, taken from the KV cache.
    pub reused_tokens: u32,
    /// Tokens generated.
    pub completion_tokens: u32,
    /// The sampler's seed.
    pub seed: u64,
    /// Waiting for the engine.
    pub queue_s: f64,
    /// Prefill.
    pub prefill_s: f64,
    /// From the engine's beginning to the first token.
    pub ttft_s: f64,
    /// From the first token to the last.
    pub decode_s: f64,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Opaque id.
    pub id: String,
    /// The conversation it belongs to.
    pub conversation_id: String,
    /// The turn before; none for the first.
    pub parent_id: Option<String>,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
    /// How far it got.
    pub state: MessageState,
    /// Who wrote it.
    pub engine: Option<EngineName>,
    /// Numbers of a finished answer.
    pub measured: Option<Measured>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When it ended; none while it is being written.
    pub finished_at: Option<i64>,
    /// All versions of this turn in order of creation, this one included.
    pub version_ids: Vec<String>,
}

/// A conversation with the turns of its active branch, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its line in the list.
    pub line: ConversationLine,
    /// Turns.
    pub messages: Vec<Message>,
}

/// A question and its answer to be, just saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The conversation, perhaps a new one.
    pub conversation_id: String,
    /// The answer, empty and `streaming`.
    pub answer_id: String,
}

/// What a tool made, to be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCreation {
    /// The tool's name.
    pub tool: String,
    /// Its title.
    pub title: String,
    /// What was asked for.
    pub input: Value,
    /// What came.
    pub content: Value,
    /// What a person did with it: nothing yet, in the caller's form.
    pub work: Value,
    /// How far a person got, 0 to 1; none where that means nothing.
    pub progress: Option<f64>,
    /// Who made it.
    pub engine: EngineName,
}

/// What a tool made, as its line in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct CreationLine {
    /// Opaque id.
    pub id: String,
    /// The tool's name.
    pub tool: String,
    /// Its title.
    pub title: String,
    /// How far a person got, 0 to 1.
    pub progress: Option<f64>,
    /// Who made it.
    pub engine: EngineName,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When a person last did something with it.
    pub updated_at: i64,
}

/// What a tool made, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Creation {
    /// Its line in the list.
    pub line: CreationLine,
    /// What was asked for.
    pub input: Value,
    /// What came.
    pub content: Value,
    /// What a person did with it; null where that can no longer be read.
    pub work: Value,
}

/// A word that is not in the list: the file was written by something else.
fn unknown_word(column: &str, word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{word}` is not a known {column}").into())
}

/// Reads a row of `message`; its versions are filled in by the caller.
pub(crate) fn message(row: &SqliteRow) -> sqlx::Result<Message> {
    let role: &str = row.try_get("role")?;
    let state: &str = row.try_get("state")?;
    let kind: Option<&str> = row.try_get("engine_kind")?;
    let engine = match kind {
        None => None,
        Some(word) => Some(EngineName {
            kind: EngineKind::from_word(word).ok_or_else(|| unknown_word("engine_kind", word))?,
            model: row.try_get::<Option<String>, _>("engine_model")?.unwrap_or_default(),
            device: row.try_get::<Option<String>, _>("engine_device")?.unwrap_or_default(),
        }),
    };
    let measured = match row.try_get::<Option<u32>, _>("completion_tokens")? {
        None => None,
        Some(completion_tokens) => Some(Measured {
            prompt_tokens: row.try_get("prompt_tokens")?,
            reused_tokens: row.try_get("reused_tokens")?,
            completion_tokens,
            seed: row.try_get::<i64, _>("seed")?.cast_unsigned(),
            queue_s: row.try_get("queue_s")?,
            prefill_s: row.try_get("prefill_s")?,
            ttft_s: row.try_get("ttft_s")?,
            decode_s: row.try_get("decode_s")?,
        }),
    };
    let id: String = row.try_get("id")?;
    Ok(Message {
        version_ids: vec![id.clone()],
        id,
        conversation_id: row.try_get("conversation_id")?,
        parent_id: row.try_get("parent_id")?,
        role: Role::from_word(role).ok_or_else(|| unknown_word("role", role))?,
        text: row.try_get("text")?,
        state: MessageState::from_word(state).ok_or_else(|| unknown_word("state", state))?,
        engine,
        measured,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

/// Reads a row of `learner`.
pub(crate) fn learner(row: &SqliteRow) -> sqlx::Result<Learner> {
    let kind: &str = row.try_get("kind")?;
    Ok(Learner {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        kind: LearnerKind::from_word(kind).ok_or_else(|| unknown_word("kind", kind))?,
        has_pin: row.try_get::<Option<&str>, _>("pin_hash")?.is_some(),
        created_at: row.try_get("created_at")?,
    })
}

/// Reads a row of `connection`.
pub(crate) fn connection(row: &SqliteRow) -> sqlx::Result<Connection> {
    Ok(Connection { at: row.try_get("at")?, host: row.try_get("host")? })
}

/// Reads a row of `conversation`.
pub(crate) fn line(row: &SqliteRow) -> sqlx::Result<ConversationLine> {
    Ok(ConversationLine {
        id: row.try_get("id")?,
        title: row.try_get("title")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// Reads a row of `creation` without its JSON.
pub(crate) fn creation_line(row: &SqliteRow) -> sqlx::Result<CreationLine> {
    let kind: &str = row.try_get("engine_kind")?;
    Ok(CreationLine {
        id: row.try_get("id")?,
        tool: row.try_get("tool")?,
        title: row.try_get("title")?,
        progress: row.try_get("progress")?,
        engine: EngineName {
            kind: EngineKind::from_word(kind).ok_or_else(|| unknown_word("engine_kind", kind))?,
            model: row.try_get("engine_model")?,
            device: row.try_get("engine_device")?,
        },
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// Reads a row of `creation`. Damaged work is not worth losing the content for: it comes back as null.
pub(crate) fn creation(row: &SqliteRow) -> sqlx::Result<Creation> {
    let json = |column: &str| -> sqlx::Result<Value> {
        let text: &str = row.try_get(column)?;
        serde_json::from_str(text).map_err(|e| sqlx::Error::Decode(format!("`{column}` is not JSON: {e}").into()))
    };
    let line = creation_line(row)?;
    let work = json("work").unwrap_or_else(|e| {
        tracing::warn!(id = line.id, error = %e, "what was done with it cannot be read");
        Value::Null
    });
    Ok(Creation { input: json("input")?, content: json("content")?, work, line })
}
