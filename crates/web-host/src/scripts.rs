//! Scripted answers for states that a real model shows rarely. Words in the question choose the script.

use api::scripted::{QUICK, ScriptedModels, Step, Trying, out_of_memory, queue_full, worker_crashed};
use api::scripted_servers::example;
use generation::{FinishReason, GenerateRequest};
use std::time::Duration;

/// The script for a request.
pub fn answer(request: &GenerateRequest) -> Vec<Step> {
    let question = request.messages.last().map_or("", |message| message.content.as_str());
    let pause = Step::Wait(Duration::from_millis(40));
    if question.contains("fail") {
        return vec![Step::Fail(queue_full())];
    }
    let mut steps = Vec::new();
    if let Some(structure) = &request.structure {
        return making(&example(structure).to_string(), question);
    }
    if question.contains("queue") {
        for position in [2, 1, 0] {
            steps.extend([Step::Queued(position), Step::Wait(Duration::from_millis(800))]);
        }
    }
    steps.extend([Step::Started, Step::Prefill(20, 40), pause.clone(), Step::Prefill(40, 40)]);
    let endless = question.contains("endless");
    for n in 0..if endless { 20_000 } else { 12 } {
        steps.extend([Step::Say(format!("word {n}, $\\frac{{1}}{{{}}}$. ", n + 2)), pause.clone()]);
        if n == 4 && question.contains("crash") {
            steps.push(Step::Fail(worker_crashed()));
        }
    }
    if question.contains("doze") {
        steps.push(Step::Rest { for_memory: question.contains("memory") });
    }
    steps
}

/// A tool's result, piece by piece: "cut" reaches the limit, "crash" loses the model in the middle, "endless" never ends,
/// "queue" waits first, "broken" is none.
fn making(text: &str, question: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    if question.contains("queue") {
        steps.extend([Step::Queued(1), Step::Wait(Duration::from_millis(800)), Step::Queued(0)]);
    }
    steps.extend([Step::Started, Step::Prefill(20, 40), Step::Prefill(40, 40)]);
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters.chunks(40).map(|piece| piece.iter().collect()).collect();
    for (n, piece) in pieces.iter().enumerate() {
        steps.extend([Step::Say(piece.clone()), Step::Wait(Duration::from_millis(20))]);
        if n == pieces.len() / 2 {
            if question.contains("cut") {
                steps.push(Step::Finish(FinishReason::MaxTokens));
            } else if question.contains("crash") {
                steps.push(Step::Fail(worker_crashed()));
            } else if question.contains("broken") {
                steps.push(Step::Finish(FinishReason::Stop));
            } else if question.contains("endless") {
                steps.push(Step::Wait(Duration::from_secs(600)));
            }
        }
    }
    steps
}

/// The demo model and these: the first is the largest, ids with `slow` and `starved` in them fail their trials so, and
/// each trial takes `trial`.
pub fn models(ids: &[String], trial: Duration) -> ScriptedModels {
    let models = ScriptedModels::new(answer);
    let all: Vec<&str> = std::iter::once("demo").chain(ids.iter().map(String::as_str)).collect();
    models.install(&all);
    models.trials(Trying::Measures(trial, QUICK));
    for (n, id) in (0..).zip(ids) {
        models.effective_parameters(id, 4_000_000_000 - n);
        if id.contains("slow") {
            models.trial(id, Trying::Measures(trial, 1.5));
        } else if id.contains("starved") {
            models.trial(id, Trying::Fails(out_of_memory()));
        }
    }
    models
}
