//! `aula ask`

use std::io::IsTerminal as _;

use api::terminal::{
    Completion, EngineInfo, FinishReason, GenerateError, Generation, Message, Role, TokenEvent, Usage,
};
use serde::Serialize;

use crate::args::{Ask, Lang};
use crate::interrupts::Interrupts;
use crate::output::{Failure, OutputError, note, output_failure, print, print_answer, print_json};
use crate::session::{Session, badge};

/// The object that `--json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    text: String,
    token_ids: Vec<u32>,
    finish_reason: FinishReason,
    engine: EngineInfo,
    usage: Usage,
    timings: AnswerTimings,
}

/// Wall times in seconds and rates in tokens a second; a rate is null where too little was done to tell.
#[derive(Debug, Serialize)]
struct AnswerTimings {
    load_s: f64,
    queue_s: f64,
    prefill_s: f64,
    ttft_s: f64,
    decode_s: f64,
    prefill_tps: Option<f64>,
    decode_tps: Option<f64>,
}

/// Asks one question.
pub async fn run(args: Ask) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen();
    let session = tokio::select! {
        session = Session::open(&args.engine) => session?,
        // Nothing has been said yet: the model's process ends with this one.
        () = interrupts.next() => return Ok(()),
    };
    let answered = answer(&session, &args, &mut interrupts).await;
    let load_s = session.facts.load_s;
    session.terminal.close().await;
    let (text, completion) = answered?;
    if args.json {
        return print_json(&describe(text, completion, load_s));
    }
    if let Some(line) = remark(&completion, Lang::or_system(args.engine.lang)) {
        note(line);
    }
    if std::io::stderr().is_terminal() {
        let rate = completion.timings.decode_tokens_per_second(&completion.usage);
        let rate = rate.map(|rate| format!(" {rate:.1} tokens/s")).unwrap_or_default();
        note(&format!("{}{rate}", badge(&completion.engine)));
    }
    Ok(())
}

async fn answer(session: &Session, args: &Ask, interrupts: &mut Interrupts) -> Result<(String, Completion), Failure> {
    let request = session.request("ask", &[Message::new(Role::User, &args.question)]);
    let mut generation = session.terminal.generate(request)?;
    let show = |text: &str| if args.json { Ok(()) } else { print_answer(text) };
    let Written { text, end } = follow(&mut generation, interrupts, show).await?;
    if !args.json && !text.is_empty() {
        // A reader that is gone needs no line end.
        let _ = print("\n");
    }
    Ok((text, end?))
}

/// What came of a generation.
pub struct Written {
    /// The text, as far as it got.
    pub text: String,
    /// How it ended.
    pub end: Result<Completion, GenerateError>,
}

/// Follows `generation` to its end and hands each piece of text to `show`. Ctrl-C stops it, and so does an output that
/// nobody reads any more.
///
/// # Errors
/// If the output cannot be written.
pub async fn follow(
    generation: &mut Generation,
    interrupts: &mut Interrupts,
    show: impl Fn(&str) -> Result<(), OutputError>,
) -> Result<Written, Failure> {
    let mut text = String::new();
    let mut unwritable = None;
    let end = loop {
        let event = tokio::select! {
            event = generation.next() => event,
            () = interrupts.next() => {
                generation.cancel();
                continue;
            }
        };
        match event {
            Some(TokenEvent::Token { text: piece }) => {
                match show(&piece) {
                    Ok(()) => {}
                    Err(OutputError::Closed) => generation.cancel(),
                    Err(OutputError::Failed(error)) => {
                        generation.cancel();
                        unwritable = Some(error);
                    }
                }
                text.push_str(&piece);
            }
            Some(TokenEvent::Finished(completion)) => break Ok(completion),
            Some(TokenEvent::Failed(error)) => break Err(error),
            Some(
                TokenEvent::Queued { .. }
                | TokenEvent::Started { .. }
                | TokenEvent::Prefill { .. }
                | TokenEvent::Waiting { .. }
                | TokenEvent::Receiving { .. },
            ) => {}
            // The channel ends with one of the two above; anything else is a defect.
            None => return Err(Failure::new("the answer ended without saying why", "Please report this defect")),
        }
    };
    match unwritable {
        Some(error) => Err(output_failure(&error)),
        None => Ok(Written { text, end }),
    }
}

/// What a person should know about how an answer ended.
pub fn remark(completion: &Completion, lang: Lang) -> Option<&'static str> {
    let texts = lang.texts();
    match completion.finish_reason {
        FinishReason::Stop => None,
        FinishReason::MaxTokens => Some(texts.cut),
        FinishReason::ContextFull => Some(texts.context_full),
        FinishReason::Cancelled => Some(texts.stopped),
    }
}

fn describe(text: String, completion: Completion, load_s: f64) -> Answer {
    let Completion { finish_reason, usage, timings, token_ids, engine } = completion;
    let prefill_tps = (usage.prefilled_tokens > 0 && timings.prefill_s > 0.0)
        .then(|| usage.prefilled_tokens as f64 / timings.prefill_s);
    let timings = AnswerTimings {
        load_s,
        prefill_tps,
        decode_tps: timings.decode_tokens_per_second(&usage),
        queue_s: timings.queue_s,
        prefill_s: timings.prefill_s,
        ttft_s: timings.ttft_s,
        decode_s: timings.decode_s,
    };
    Answer { text, token_ids, finish_reason, engine, usage, timings }
}
