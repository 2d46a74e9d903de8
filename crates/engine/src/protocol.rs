//! What a worker and its parent say to each other: JSON values in length-prefixed frames.
//!
//! A frame is the four bytes `AULA`, the payload's length as a little-endian `u32`, and the payload. The marker tells
//! a frame from anything printed by accident; the length is bounded and nothing is allocated on its word alone.

use std::{
    io::{self, Read, Write},
    path::PathBuf,
};

use generation::{GenerateError, GenerateRequest, TokenEvent};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    device::DeviceChoice,
    error::Error,
    trial::{TrialLimits, TrialReport},
    validation::MAX_TEXT_BYTES,
};

/// Raised whenever a message changes.
pub const PROTOCOL: u32 = 4;
/// Version, profile and a digest of the sources: parent and worker must agree.
pub const BUILD_ID: &str = env!("AULA_BUILD_ID");
/// Largest payload. JSON writes a control character in six bytes, so the largest conversation fits.
pub const MAX_FRAME_BYTES: usize = 6 * MAX_TEXT_BYTES + (1 << 20);

const MARKER: [u8; 4] = *b"AULA";

/// Who speaks: first message in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the speaker.
    pub protocol: u32,
    /// [`BUILD_ID`] of the speaker.
    pub build_id: String,
}

impl Hello {
    /// This process.
    pub fn ours() -> Self {
        Self { protocol: PROTOCOL, build_id: BUILD_ID.to_owned() }
    }

    /// # Errors
    /// [`Error::WorkerMismatch`] unless `theirs` is what this process would say.
    pub fn check(&self, theirs: &Self) -> Result<(), Error> {
        let name = |hello: &Self| format!("{}, protocol {}", hello.build_id, hello.protocol);
        if self == theirs { Ok(()) } else { Err(Error::WorkerMismatch { ours: name(self), theirs: name(theirs) }) }
    }
}

/// A model to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRequest {
    /// The GGUF file.
    pub path: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Most positions of prompt and reply together.
    pub context_len: usize,
    /// Folder for files that make the next start faster.
    pub cache_dir: PathBuf,
    /// Folders for packed weights, in the order in which they are looked for and written.
    pub packed_dirs: Vec<PathBuf>,
    /// Whether tokens are guessed ahead.
    pub speculate: bool,
}

/// What a person chose about this computer. Until it is told, a worker does neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// Recent conversations are kept ready on disk.
    pub keep_ready: bool,
    /// Fewer cores compute while the computer runs on its battery.
    pub battery_saver: bool,
}

/// What the worker found out about the model it opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Who answers: name, badge and device.
    pub engine: generation::EngineInfo,
    /// The GGUF file.
    pub path: PathBuf,
    /// Most positions of prompt and reply together.
    pub context_len: usize,
    /// Wall time of opening it, in seconds.
    pub load_s: f64,
    /// Which implementation computes, e.g. `plain`.
    pub kernels: String,
    /// CPU threads in use.
    pub threads: usize,
    /// Size of the vocabulary.
    pub vocab: usize,
    /// The worker's resident memory after opening, in bytes; `None` where the system does not say.
    pub rss_bytes: Option<u64>,
}

/// From the parent to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// The first message.
    Hello(Hello),
    /// Open this model, or change the context length of the one that is open.
    Load {
        /// Comes back in the report.
        id: u64,
        /// What to open.
        load: LoadRequest,
    },
    /// Write an answer. One at a time: the next is sent after the last has ended.
    Generate {
        /// Comes back in every report.
        id: u64,
        /// What to answer.
        request: GenerateRequest,
    },
    /// Stop the answer `id`.
    Cancel {
        /// Which.
        id: u64,
    },
    /// Measure how fast the open model writes.
    Trial {
        /// Comes back in the report.
        id: u64,
        /// How long it may take.
        limits: TrialLimits,
    },
    /// Somebody is waiting: end the trial `id` as soon as it can say something.
    EndTrial {
        /// Which.
        id: u64,
    },
    /// What may be done besides answering, from now on.
    Choices(Choices),
    /// Nothing of this conversation is kept any more.
    Forget {
        /// Its name.
        conversation: String,
    },
    /// Are you there?
    Ping {
        /// Comes back in the report.
        id: u64,
    },
    /// End the process.
    Shutdown,
}

/// From the worker to its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The first message.
    Hello(Hello),
    /// The model is open.
    Loaded {
        /// Of the command.
        id: u64,
        /// What was opened.
        facts: ModelFacts,
    },
    /// The model could not be opened.
    LoadFailed {
        /// Of the command.
        id: u64,
        /// Why.
        error: GenerateError,
    },
    /// Something happened in answer `id`; `Finished` and `Failed` end it.
    Event {
        /// Of the command.
        id: u64,
        /// What happened.
        event: TokenEvent,
    },
    /// A trial has ended.
    Trial {
        /// Of the command.
        id: u64,
        /// What was measured, or why nothing could be.
        outcome: Result<TrialReport, GenerateError>,
    },
    /// I am here.
    Pong {
        /// Of the command.
        id: u64,
        /// Counts layers and tokens computed: unchanged while busy means stuck.
        progress: u64,
        /// Resident memory in bytes; `None` where the system does not say.
        rss_bytes: Option<u64>,
    },
}

/// A frame that holds `message`.
///
/// # Errors
/// [`Error::Protocol`] if it cannot be written as JSON or is larger than [`MAX_FRAME_BYTES`].
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut frame = MARKER.to_vec();
    frame.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut frame, message).map_err(|error| Error::Protocol { what: error.to_string() })?;
    let len = frame.len() - 8;
    match u32::try_from(len) {
        Ok(short) if len <= MAX_FRAME_BYTES => frame[4..8].copy_from_slice(&short.to_le_bytes()),
        _ => return Err(Error::Protocol { what: format!("a message of {len} bytes; the limit is {MAX_FRAME_BYTES}") }),
    }
    Ok(frame)
}

/// Writes `message` as one frame and flushes it.
///
/// # Errors
/// Those of [`encode`], and [`Error::Pipe`].
pub fn write(to: &mut impl Write, message: &impl Serialize) -> Result<(), Error> {
    let frame = encode(message)?;
    to.write_all(&frame).and_then(|()| to.flush()).map_err(Error::Pipe)
}

/// Reads one frame; `None` at a clean end of the stream.
///
/// # Errors
/// [`Error::Protocol`] for bytes that are not a frame, [`Error::Pipe`] for a broken or cut stream.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, Error> {
    let mut header = Vec::with_capacity(8);
    from.by_ref().take(8).read_to_end(&mut header).map_err(Error::Pipe)?;
    if header.is_empty() {
        return Ok(None);
    }
    if !header.starts_with(&MARKER[..header.len().min(4)]) {
        return Err(Error::Protocol { what: format!("{:?} instead of a message", String::from_utf8_lossy(&header)) });
    }
    let Some(len) = header.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes) else {
        return Err(Error::Pipe(io::ErrorKind::UnexpectedEof.into()));
    };
    let len = len as usize;
    if len > MAX_FRAME_BYTES {
        return Err(Error::Protocol { what: format!("a message of {len} bytes; the limit is {MAX_FRAME_BYTES}") });
    }
    // `take` grows the buffer with what arrives, not with what was announced.
    let mut payload = Vec::new();
    from.by_ref().take(len as u64).read_to_end(&mut payload).map_err(Error::Pipe)?;
    if payload.len() < len {
        return Err(Error::Pipe(io::ErrorKind::UnexpectedEof.into()));
    }
    serde_json::from_slice(&payload).map(Some).map_err(|error| Error::Protocol { what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use generation::{FinishReason, Message, Role, Sampling};

    use super::*;

    #[test]
    fn messages_survive_the_way() {
        let mut request = GenerateRequest::new("r", vec![Message::new(Role::User, "¿Cuánto es ½ + ¼? 🙂\u{0}")]);
        request.sampling = Sampling { temperature: 0.7, top_p: 0.95, top_k: 64, seed: Some(u64::MAX) };
        let commands = [
            Command::Hello(Hello::ours()),
            Command::Generate { id: 1, request },
            Command::Cancel { id: 1 },
            Command::Trial { id: 2, limits: TrialLimits::default() },
            Command::EndTrial { id: 2 },
            Command::Choices(Choices { keep_ready: true, battery_saver: false }),
            Command::Forget { conversation: "c".into() },
            Command::Ping { id: 9 },
            Command::Shutdown,
        ];
        let mut bytes = Vec::new();
        for command in &commands {
            write(&mut bytes, command).expect("a vector takes everything");
        }
        let mut from = bytes.as_slice();
        for command in commands {
            assert_eq!(read::<Command>(&mut from).expect("sound"), Some(command));
        }
        assert_eq!(read::<Command>(&mut from).expect("clean end"), None);
    }

    #[test]
    fn an_event_survives_the_way() {
        let error = GenerateError { code: errors::ErrorCode::Internal, message: "m".into(), hint: None };
        for event in [
            TokenEvent::Token { text: "π".into() },
            TokenEvent::Prefill { done: 1, total: 2 },
            TokenEvent::Failed(error),
            TokenEvent::Finished(generation::Completion {
                finish_reason: FinishReason::Stop,
                usage: generation::Usage { seed: u64::MAX, ..Default::default() },
                timings: generation::Timings { ttft_s: 0.1, ..Default::default() },
                token_ids: vec![1, 2],
                engine: crate::engine::no_engine(),
            }),
        ] {
            let report = Report::Event { id: 3, event };
            let frame = encode(&report).expect("small");
            assert_eq!(read::<Report>(&mut frame.as_slice()).expect("sound"), Some(report));
        }
    }

    #[test]
    fn a_trial_survives_the_way() {
        let error = GenerateError { code: errors::ErrorCode::OutOfMemory, message: "m".into(), hint: None };
        let report = TrialReport { decode_tokens_per_second: Some(7.25), decode_tokens: 48, ..Default::default() };
        for outcome in [Ok(report), Err(error)] {
            let report = Report::Trial { id: 3, outcome };
            let frame = encode(&report).expect("small");
            assert_eq!(read::<Report>(&mut frame.as_slice()).expect("sound"), Some(report));
        }
    }

    #[test]
    fn what_is_not_a_frame_is_an_error() {
        let mut oversized = MARKER.to_vec();
        oversized.extend_from_slice(&u32::MAX.to_le_bytes());
        let sound = encode(&Command::Shutdown).expect("small");
        let cases: [(&[u8], &str); 5] = [
            (b"hello from a library\n", "\"hello fr\" instead of a message"),
            (b"x", "\"x\" instead of a message"),
            (&oversized, "a message of 4294967295 bytes"),
            (&sound[..6], "connection to the model process broke"),
            (&sound[..sound.len() - 1], "connection to the model process broke"),
        ];
        for (bytes, expected) in cases {
            let error = read::<Command>(&mut &bytes[..]).expect_err("not a frame");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let mut unknown = encode(&"what").expect("small");
        unknown.extend_from_slice(b"rest");
        assert!(matches!(read::<Command>(&mut unknown.as_slice()), Err(Error::Protocol { .. })));
    }

    #[test]
    fn too_large_a_message_is_not_sent() {
        let error = encode(&"a".repeat(MAX_FRAME_BYTES)).expect_err("too large");
        assert!(error.to_string().contains("the limit is"));
    }

    #[test]
    fn another_build_is_told_apart() {
        assert!(Hello::ours().check(&Hello::ours()).is_ok());
        let theirs = Hello { protocol: PROTOCOL, build_id: "0.0.1-release-0".into() };
        let error = Hello::ours().check(&theirs).expect_err("another build");
        assert!(error.to_string().contains("0.0.1-release-0"));
    }
}
