//! `aula chat`: the tutor in a terminal, line by line. Works with a person and with a pipe.

use std::io::{BufRead as _, IsTerminal as _};

use api::terminal::{GenerateRequest, Message, Role};
use tokio::sync::mpsc;

use crate::args::{Chat, Lang};
use crate::ask::{Written, follow, remark};
use crate::interrupts::Interrupts;
use crate::output::{Failure, OutputError, note, output_failure, print, print_answer};
use crate::session::{Session, badge};
use crate::texts::{Line, read_line};

/// What happened at the prompt.
enum AtPrompt {
    /// A line, without its end.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Nothing more will come.
    End,
}

/// Talks until the student ends it.
pub async fn run(args: Chat) -> Result<(), Failure> {
    let texts = Lang::or_system(args.engine.lang).texts();
    if std::io::stderr().is_terminal() {
        note(texts.loading);
    }
    let mut interrupts = Interrupts::listen();
    let session = tokio::select! {
        session = Session::open(&args.engine) => session?,
        () = interrupts.next() => return Ok(()),
    };
    let talked = talk(&session, Lang::or_system(args.engine.lang), &mut interrupts).await;
    session.terminal.close().await;
    match talked {
        Ok(()) | Err(Stop::Closed) => Ok(()),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

/// Why a conversation cannot go on.
enum Stop {
    /// Nobody reads what is written.
    Closed,
    /// A failure.
    Failed(Failure),
}

impl From<OutputError> for Stop {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self::Closed,
            OutputError::Failed(error) => Self::Failed(output_failure(&error)),
        }
    }
}

async fn talk(session: &Session, lang: Lang, interrupts: &mut Interrupts) -> Result<(), Stop> {
    let texts = lang.texts();
    let is_person = std::io::stdin().is_terminal();
    print(&format!("{}\n", badge(&session.facts.engine)))?;
    if session.facts.engine.kind == api::terminal::EngineKind::Demo {
        print(&format!("{}\n", texts.demo))?;
    }
    print(&format!("{}\n", texts.welcome))?;

    let mut lines = stdin_lines();
    let mut turns: Vec<Message> = Vec::new();
    let mut interrupted_before = false;
    let mut n_questions = 0;
    loop {
        if is_person {
            print(&format!("\n{}", texts.prompt))?;
        }
        let line = match at_prompt(&mut lines, interrupts).await {
            AtPrompt::End => break,
            AtPrompt::Interrupt if interrupted_before => break,
            AtPrompt::Interrupt => {
                interrupted_before = true;
                print(&format!("\n{}", texts.again_to_quit))?;
                continue;
            }
            AtPrompt::Line(line) => line,
        };
        interrupted_before = false;
        match read_line(&line) {
            Line::Empty => {}
            Line::Quit => break,
            Line::New => {
                turns.clear();
                print(&format!("{}\n", texts.new_conversation))?;
            }
            Line::Question(question) => {
                n_questions += 1;
                turns.push(Message::new(Role::User, question));
                let request = session.request(&format!("chat-{n_questions}"), &turns);
                let answered = answer(session, request, lang, interrupts).await?;
                match answered {
                    Some(text) => turns.push(Message::new(Role::Assistant, text)),
                    // Nothing was said: the question is not part of the conversation.
                    None => _ = turns.pop(),
                }
            }
        }
    }
    print(&format!("\n{}\n", texts.goodbye))?;
    Ok(())
}

/// Answers `request`; what was written, or `None` if nothing was.
async fn answer(
    session: &Session,
    request: GenerateRequest,
    lang: Lang,
    interrupts: &mut Interrupts,
) -> Result<Option<String>, Stop> {
    let mut generation = match session.terminal.generate(request) {
        Ok(generation) => generation,
        Err(error) => {
            note(Failure::from(error).lines().trim_end());
            return Ok(None);
        }
    };
    let Written { text, end } = follow(&mut generation, interrupts, print_answer).await.map_err(Stop::Failed)?;
    if !text.is_empty() {
        print("\n")?;
    }
    match end {
        Ok(completion) => {
            if let Some(line) = remark(&completion, lang) {
                print(&format!("{line}\n"))?;
            }
        }
        Err(error) => {
            note(Failure::from(error).lines().trim_end());
            if !text.is_empty() {
                print(&format!("{}\n", lang.texts().interrupted))?;
            }
        }
    }
    Ok((!text.trim().is_empty()).then_some(text))
}

async fn at_prompt(lines: &mut mpsc::Receiver<String>, interrupts: &mut Interrupts) -> AtPrompt {
    tokio::select! {
        line = lines.recv() => line.map_or(AtPrompt::End, AtPrompt::Line),
        () = interrupts.next() => AtPrompt::Interrupt,
    }
}

/// Lines of stdin, read on a thread of their own: a read from a terminal cannot be given up. One line is read ahead, so
/// that a pipe does not fill the memory.
fn stdin_lines() -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut line = Vec::new();
        let mut stdin = std::io::stdin().lock();
        loop {
            line.clear();
            match stdin.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                // Bytes that are not text are shown as such and still asked.
                Ok(_) if to.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() => break,
                Ok(_) => {}
            }
        }
    });
    lines
}
