//! Scripted answers for states that a real model shows rarely. Words in the question choose the script.

use api::scripted::{Step, queue_full, worker_crashed};
use generation::GenerateRequest;
use std::time::Duration;

/// The script for a request.
pub fn answer(request: &GenerateRequest) -> Vec<Step> {
    let question = request.messages.last().map_or("", |message| message.content.as_str());
    let pause = Step::Wait(Duration::from_millis(40));
    if question.contains("fail") {
        return vec![Step::Fail(queue_full())];
    }
    let mut steps = Vec::new();
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
    steps
}
