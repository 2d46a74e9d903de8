//! The executable that the tests of this crate start: a worker around a scripted model, or around
//! Gemma's for files that end in `.gguf`; and, as `parent MODEL`, a program that holds an engine until it is killed.

mod scripted;

use std::{io::Write, sync::Arc, time::Duration};

use engine::{
    Engine, EngineOptions, Error, GemmaLoader, LoadRequest, Loaded, Loader, ModelFacts, ModelStatus, OpenModel,
    codec::{Codec, Recall, TextStream, Vocabulary},
};
use gemma4::Sequence;
use generation::{EngineInfo, EngineKind, GenerateRequest, Generator, Message, Role};
use scripted::{ANSWER, ScriptedSequence, TURN_END, TURN_START, VOCAB};

const BOS: u32 = 256;

fn main() {
    engine::run_worker_if_asked_with(ScriptedLoader);
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("parent"), Some(model)) => parent(model),
        _ => {
            eprintln!("this program is started by tests only");
            std::process::exit(2);
        }
    }
}

/// Starts an engine, says its worker's process id, and writes an endless answer.
fn parent(model: String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { std::process::exit(1) };
    runtime.block_on(async {
        let engine = Engine::start(EngineOptions { model: Some(model.into()), ..EngineOptions::default() });
        let mut status = engine.status();
        let ready = status.wait_for(|status| matches!(status, ModelStatus::Ready(_))).await.is_ok();
        let pid = engine.worker().borrow().pid;
        let (true, Some(pid)) = (ready, pid) else { std::process::exit(1) };
        println!("{pid}");
        let said = std::io::stdout().flush();
        let question = Message::new(Role::User, "len=100000 delay=20");
        let answer = engine.generate(GenerateRequest::new("endless", vec![question]));
        let (Ok(()), Ok(mut answer)) = (said, answer) else { std::process::exit(1) };
        while answer.next().await.is_some() {}
    });
}

/// Opens scripted models: a path that ends in `missing` fails, one in `crash` aborts the process, one in `hungry` asks for
/// more memory than there is, and `paced-N` takes N milliseconds for each token.
pub struct ScriptedLoader;

impl Loader for ScriptedLoader {
    fn load(&self, request: &LoadRequest) -> Result<Loaded, Error> {
        if request.path.extension().is_some_and(|extension| extension == "gguf") {
            let loader = if std::env::args().nth(2).as_deref() == Some("starved") {
                GemmaLoader { free_bytes: || Some(1_000_000) }
            } else {
                GemmaLoader::default()
            };
            return loader.load(request);
        }
        let name = request.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            "crash" => std::process::abort(),
            "hungry" => match std::alloc::Layout::from_size_align(1 << 50, 8) {
                Ok(layout) => std::alloc::handle_alloc_error(layout),
                Err(_) => return Err(Error::ModelMissing),
            },
            "missing" => return Err(Error::ModelMissing),
            "slow" => std::thread::sleep(Duration::from_millis(300)),
            _ => {}
        }
        let pace =
            name.strip_prefix("paced-").and_then(|ms| ms.parse().ok()).map_or(Duration::ZERO, Duration::from_millis);
        Ok(Loaded {
            model: Box::new(ScriptedModel { pace }),
            codec: Box::new(ByteCodec),
            facts: ModelFacts {
                engine: EngineInfo { kind: EngineKind::Demo, model: name, device: "scripted".into() },
                path: request.path.clone(),
                context_len: 0,
                load_s: 0.0,
                kernels: "scripted".into(),
                threads: 1,
                vocab: VOCAB,
                rss_bytes: None,
            },
        })
    }
}

struct ScriptedModel {
    pace: Duration,
}

impl OpenModel for ScriptedModel {
    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error> {
        Ok(Box::new(ScriptedSequence::new(context_len).paced(self.pace)))
    }

    fn chunk_limit(&self) -> usize {
        64
    }

    fn set_threads(&self, threads: usize) {
        assert!(threads > 0);
    }

    fn fingerprint(&self) -> Option<[u8; 32]> {
        Some([7; 32])
    }
}

/// Bytes are tokens.
pub struct ByteCodec;

impl Codec for ByteCodec {
    fn render(&self, messages: &[Message], recall: Recall<'_>) -> Result<Vec<u32>, Error> {
        let mut tokens = vec![BOS];
        for message in messages {
            tokens.push(if message.role == Role::Assistant { ANSWER } else { TURN_START });
            let recalled = if message.role == Role::Assistant { recall(&message.content) } else { None };
            tokens.extend(recalled.unwrap_or_else(|| message.content.trim().bytes().map(u32::from).collect()));
            tokens.push(TURN_END);
        }
        tokens.push(ANSWER);
        Ok(tokens)
    }

    fn turn_start(&self) -> u32 {
        TURN_START
    }

    fn is_stop(&self, token: u32) -> bool {
        token == TURN_END
    }

    fn vocabulary(&self) -> Arc<dyn Vocabulary> {
        Arc::new(Bytes)
    }

    fn stream(&self) -> Box<dyn TextStream + '_> {
        Box::new(ByteStream { held: Vec::new() })
    }
}

struct Bytes;

impl Vocabulary for Bytes {
    fn size(&self) -> usize {
        VOCAB
    }

    fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        u8::try_from(token).ok().map(|byte| vec![byte])
    }

    fn ends(&self) -> Vec<u32> {
        vec![TURN_END]
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        Ok(text.bytes().map(u32::from).collect())
    }
}

struct ByteStream {
    held: Vec<u8>,
}

impl TextStream for ByteStream {
    fn push(&mut self, token: u32) -> String {
        self.held.extend(u8::try_from(token).ok());
        match std::str::from_utf8(&self.held) {
            Ok(text) => {
                let text = text.to_owned();
                self.held.clear();
                text
            }
            Err(_) => String::new(),
        }
    }

    fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
}
