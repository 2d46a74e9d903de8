//! The client against a real llama-server with the demo model. It runs where `AULA_LLAMA_SERVER` names the program
//! (`cargo xtask live` builds it and does so) and says so where it does not.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cloud::{School, SchoolOptions, Secret, ServerKind};
use errors::ErrorCode;
use generation::{FinishReason, GenerateRequest, Generator, Message, Role, TokenEvent};
use network::{Client, Gate, Options};
use tutor::Language;
use tutor::tools::{About, Level, SheetForm, Task};

const TOKEN: &str = "live-token-4711";

/// A llama-server that ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the program and waits until its model is open.
    async fn start(program: &Path) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address").port();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo/aula-demo.gguf");
        let child = Command::new(program)
            .arg("--model")
            .arg(model)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--api-key", TOKEN, "--alias", "aula-demo"])
            .args(["--ctx-size", "16384", "--parallel", "2", "--threads", "2", "--slots"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("llama-server starts");
        let server = Self { child, address: format!("127.0.0.1:{port}") };
        for _ in 0..300 {
            if server.school(TOKEN, ServerKind::Other).models().await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("llama-server does not answer");
    }

    fn school(&self, token: &str, kind: ServerKind) -> School {
        let options = SchoolOptions::new(&self.address, "aula-demo", kind);
        let client = Client::new(Gate::new(), Options::default());
        School::new(client, options, Some(Secret::new(token))).expect("an address nearby")
    }
}

/// The text of an answer and how it ended.
async fn answer(school: &School, request: GenerateRequest) -> (String, Result<FinishReason, ErrorCode>) {
    let mut generation = school.generate(request).expect("admitted");
    let mut text = String::new();
    while let Some(event) = generation.next().await {
        match event {
            TokenEvent::Token { text: more } => text.push_str(&more),
            TokenEvent::Finished(completion) => return (text, Ok(completion.finish_reason)),
            TokenEvent::Failed(error) => return (text, Err(error.code)),
            _ => {}
        }
    }
    panic!("no end");
}

fn question(text: &str) -> GenerateRequest {
    GenerateRequest::new("live", vec![Message::new(Role::User, text)])
}

fn tasks() -> Vec<Task> {
    let topic = || "las fracciones".to_owned();
    vec![
        Task::Quiz { topic: topic(), count: 3, level: Level::Easy },
        Task::Practice { topic: topic(), level: Level::Easy, used: Vec::new() },
        Task::MindMap { about: About::Topic(topic()) },
        Task::Illustration { about: About::Topic(topic()) },
        Task::Flashcards { topic: topic(), count: 5 },
        Task::Sheet { topic: topic(), grade: 5, count: 3, form: SheetForm::Mixed },
        Task::Reading { handwriting: false },
    ]
}

#[tokio::test]
async fn a_real_llama_server() {
    let Some(program) = std::env::var_os("AULA_LLAMA_SERVER").map(PathBuf::from) else {
        eprintln!("AULA_LLAMA_SERVER names no llama-server: nothing was asked of a real one");
        return;
    };
    let server = Server::start(&program).await;
    let school = server.school(TOKEN, ServerKind::LlamaServer);

    let found = server.school(TOKEN, ServerKind::Other).discover().await.expect("a server");
    assert_eq!((found.kind, found.vision), (ServerKind::LlamaServer, Some(false)));
    assert_eq!((found.model.as_deref(), found.models[0].context_len), (Some("aula-demo"), Some(8192)));

    school.try_reply().await.expect("a token");
    let (text, end) = answer(&school, question("¿Qué es una fracción?")).await;
    eprintln!("chat: {end:?} {text}");
    assert!(!text.is_empty() && end.is_ok(), "{end:?}");

    for task in tasks() {
        let structure = task.structure();
        let mut request = GenerateRequest::new("live", task.messages(Language::Es));
        request.max_tokens = task.max_tokens();
        request.structure = Some(structure.clone());
        let (text, end) = answer(&school, request).await;
        eprintln!("{}: {end:?}, {} characters, {:?}", structure.name, text.chars().count(), school.rung());
        match end {
            Ok(reason) => {
                assert_eq!(reason, FinishReason::Stop);
                structure.read(&text).expect("what is handed over is valid");
            }
            // The demo model is tiny: it may fail, but only cleanly, and with nothing shown.
            Err(code) => {
                let clean =
                    [ErrorCode::ResultCut, ErrorCode::BadAnswer, ErrorCode::AnswerLooped, ErrorCode::PromptTooLong];
                assert!(clean.contains(&code) && text.is_empty(), "{}: {code:?}", structure.name);
            }
        }
    }

    let stranger = server.school("wrong", ServerKind::LlamaServer);
    assert_eq!(answer(&stranger, question("Hola")).await.1, Err(ErrorCode::KeyRejected));
    assert_eq!(answer(&school, question(&"palabra ".repeat(20_000))).await.1, Err(ErrorCode::PromptTooLong));

    let mut generation = school.generate(question("Cuenta un cuento muy largo.")).expect("admitted");
    while !matches!(generation.next().await, Some(TokenEvent::Token { .. } | TokenEvent::Finished(_))) {}
    generation.cancel();
    while generation.next().await.is_some() {}
    // Both slots are free again: two more answers come at once.
    let (one, two) = tokio::join!(answer(&school, question("Hola")), answer(&school, question("Hola")));
    assert!(one.1.is_ok() && two.1.is_ok(), "{one:?} {two:?}");
}
