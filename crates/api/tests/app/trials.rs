//! The model that is chosen is tried, the next one is taken where it does not do, and no question is lost meanwhile.

use crate::{Bench, say};
use api::dto::{ChoiceReason, ChoiceReport, DeviceKind, MessageState, ModelStatus, RejectReason, Settings};
use api::scripted::{Loading, QUICK, ScriptedModels, Step, Trying, out_of_memory, worker_crashed};
use std::time::Duration;
use tokio::sync::mpsc;

const HOUR: Duration = Duration::from_secs(3600);

/// The demo model and these, the first of which is the largest.
fn models(ids: &[&str]) -> ScriptedModels {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.install(&[&["demo"], ids].concat());
    for (n, id) in ids.iter().enumerate() {
        models.effective_parameters(id, 4_000_000_000 - n as u64);
    }
    models
}

/// Every state up to the first of which `wanted` holds.
async fn states(bench: &Bench, wanted: impl Fn(&ModelStatus) -> bool) -> Vec<ModelStatus> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    api::models::watch(&bench.app, move |status| sender.send(status).is_ok()).await.expect("watch");
    let seen = async {
        let mut all = Vec::new();
        while let Some(status) = receiver.recv().await {
            all.push(status);
            if all.last().is_some_and(&wanted) {
                return all;
            }
        }
        panic!("the watch ended");
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the state within a minute")
}

fn choice(status: &ModelStatus) -> Option<&ChoiceReport> {
    match status {
        ModelStatus::Ready { choice, .. } => choice.as_ref(),
        _ => None,
    }
}

/// Waits until a model is settled upon; returns why it was.
async fn settled(bench: &Bench) -> ChoiceReport {
    let all = states(bench, |status| choice(status).is_some()).await;
    all.last().and_then(choice).expect("waited for it").clone()
}

#[tokio::test]
async fn a_model_is_tried_once_and_its_pace_is_remembered() {
    let models = models(&["e4b"]);
    models.trial("e4b", Trying::Measures(Duration::from_millis(50), 9.5));
    let bench = Bench::with(models).await;
    let report = settled(&bench).await;
    assert_eq!((report.model_id.as_str(), report.reason), ("e4b", ChoiceReason::LargestThatFits));
    assert_eq!((report.tokens_per_second, report.device), (Some(9.5), DeviceKind::Cpu));
    assert_eq!((report.cores, report.rejected.len()), (4, 0));
    assert_eq!((report.needed_bytes, report.usable_bytes), (2e9, 2e9));
    let bench = bench.restarted().await;
    assert_eq!(settled(&bench).await, report);
    assert_eq!(bench.models.tried(), ["e4b"], "once for both starts");
}

#[tokio::test]
async fn the_page_sees_what_is_being_tried() {
    let models = models(&["e4b"]);
    models.trial("e4b", Trying::Forever);
    let bench = Bench::with(models).await;
    let trying = ModelStatus::Trying { model: "Scripted e4b".into(), device: "CPU".into() };
    states(&bench, |status| *status == trying).await;
    let list = api::models::list(&bench.app).await.expect("list");
    assert!(list.iter().any(|model| model.active && model.id == "e4b"));
    // A trial that could say nothing decides nothing, and is made again at the next start.
    bench.answered(None, "2+2?").await;
    assert_eq!(settled(&bench).await.tokens_per_second, None);
    bench.models.trial("e4b", Trying::Measures(Duration::ZERO, 7.0));
    let bench = bench.restarted().await;
    assert_eq!(settled(&bench).await.tokens_per_second, Some(7.0));
}

#[tokio::test]
async fn the_next_one_is_taken_and_the_reasons_are_kept() {
    let models = models(&["slow", "starved", "broken", "good"]);
    models.trial("slow", Trying::Measures(Duration::ZERO, 1.5));
    models.trial("starved", Trying::Fails(out_of_memory()));
    models.trial("broken", Trying::Fails(worker_crashed()));
    let bench = Bench::with(models).await;
    let report = settled(&bench).await;
    assert_eq!((report.model_id.as_str(), report.reason), ("good", ChoiceReason::NextAfterTrial));
    assert_eq!(report.tokens_per_second, Some(QUICK));
    let why: Vec<_> = report.rejected.iter().map(|one| (one.model.as_str(), one.reason.clone())).collect();
    assert_eq!(
        why,
        [
            ("Scripted slow", RejectReason::TooSlow { tokens_per_second: 1.5 }),
            ("Scripted starved", RejectReason::OutOfMemory),
            ("Scripted broken", RejectReason::Failed),
        ]
    );
    // At the next start nothing is tried again.
    let bench = bench.restarted().await;
    assert_eq!(settled(&bench).await, report);
    assert_eq!(bench.models.tried(), ["slow", "starved", "broken", "good"]);
    assert_eq!(bench.models.opened().last().map(|(id, _)| id.clone()).as_deref(), Some("good"));
}

#[tokio::test]
async fn where_nothing_does_the_fastest_or_the_demo_model_answers() {
    let models = models(&["slow", "slower"]);
    models.trial("slow", Trying::Measures(Duration::ZERO, 1.5));
    models.trial("slower", Trying::Measures(Duration::ZERO, 0.5));
    let bench = Bench::with(models).await;
    let report = settled(&bench).await;
    assert_eq!((report.model_id.as_str(), report.reason), ("slow", ChoiceReason::FastestOfSlow));

    let models = self::models(&["broken"]);
    models.trial("broken", Trying::Fails(worker_crashed()));
    let bench = Bench::with(models).await;
    let report = settled(&bench).await;
    assert_eq!((report.model_id.as_str(), report.reason), ("demo", ChoiceReason::NothingElseFits));
    assert_eq!(report.rejected.len(), 1);
    assert_eq!(bench.models.tried(), ["broken"], "the demo model is never tried");
}

#[tokio::test]
async fn questions_asked_meanwhile_are_answered_by_the_model_chosen_in_the_end() {
    let models = models(&["slow", "good"]);
    // Each takes its time to be opened; the trial of the first would take an hour if nobody waited.
    models.loading(Loading::Takes(Duration::from_millis(100)));
    models.trial("slow", Trying::Measures(HOUR, 1.5));
    let bench = Bench::with(models).await;
    let mut all = Vec::new();
    for n in 0..3 {
        all.push(bench.ask(None, &format!("question {n}")).await.1);
    }
    for events in &mut all {
        let message = events.finished().await;
        assert_eq!((message.state, message.text.as_str()), (MessageState::Complete, "4"));
        assert_eq!(message.badge.map(|badge| badge.model).as_deref(), Some("Scripted good"));
    }
    assert_eq!(bench.models.requests().len(), 3);
    assert_eq!(bench.models.tried(), ["slow", "good"]);
}

#[tokio::test]
async fn a_question_asked_while_one_is_tried_can_be_stopped() {
    let models = models(&["e4b"]);
    models.loading(Loading::Never);
    let bench = Bench::with(models).await;
    let (ticket, mut events) = bench.ask(None, "2+2?").await;
    api::chat::cancel(&bench.app, &ticket.request_id).await.expect("cancel");
    assert_eq!(events.finished().await.state, MessageState::Stopped);
    assert!(bench.models.requests().is_empty());
}

#[tokio::test]
async fn what_a_person_chose_is_opened_whatever_its_trial_says() {
    let models = models(&["slow", "good"]);
    models.trial("slow", Trying::Measures(Duration::ZERO, 1.5));
    let bench = Bench::with(models).await;
    assert_eq!(settled(&bench).await.model_id, "good");
    api::models::select(&bench.app, Some("slow".into())).await.expect("select");
    let all = states(&bench, |status| choice(status).is_some_and(|choice| choice.model_id == "slow")).await;
    let report = all.last().and_then(choice).expect("waited for it");
    assert_eq!((report.reason, report.tokens_per_second), (ChoiceReason::Chosen, Some(1.5)));
    let (_, message) = bench.answered(None, "2+2?").await;
    assert_eq!(message.badge.map(|badge| badge.model).as_deref(), Some("Scripted slow"));
    // Also one that was never tried, and fails.
    bench.models.install(&["demo", "good", "broken"]);
    bench.models.trial("broken", Trying::Fails(worker_crashed()));
    api::models::select(&bench.app, Some("broken".into())).await.expect("select");
    states(&bench, |status| choice(status).is_some_and(|choice| choice.model_id == "broken")).await;
}

#[tokio::test]
async fn a_model_that_cannot_be_opened_any_more_is_replaced() {
    let models = models(&["e4b", "e2b"]);
    let bench = Bench::with(models).await;
    assert_eq!(settled(&bench).await.model_id, "e4b");
    // It passed its trial, and now there is no memory for it nor for the next one; the demo model opens.
    bench.models.loading_of("e4b", Loading::Fails(out_of_memory()));
    let bench = bench.restarted().await;
    let report = settled(&bench).await;
    assert_eq!((report.model_id.as_str(), report.reason), ("e2b", ChoiceReason::NextAfterTrial));
    assert_eq!(report.rejected.first().map(|one| one.reason.clone()), Some(RejectReason::OutOfMemory));
}

#[tokio::test]
async fn another_choice_ends_the_trial_under_way() {
    let models = models(&["e4b", "e2b"]);
    models.trial("e4b", Trying::Forever);
    let bench = Bench::with(models).await;
    states(&bench, |status| matches!(status, ModelStatus::Trying { .. })).await;
    api::models::select(&bench.app, Some("e2b".into())).await.expect("select");
    assert_eq!(settled(&bench).await.model_id, "e2b");
    bench.app.close().await;
}

#[tokio::test]
async fn a_resting_model_takes_questions_and_comes_back() {
    let bench = Bench::new(|request| {
        let mut steps = say(&["4"]);
        if request.messages.last().is_some_and(|message| message.content == "rest") {
            steps.push(Step::Rest { for_memory: true });
        }
        steps
    })
    .await;
    bench.answered(None, "rest").await;
    let resting = |status: &ModelStatus| matches!(status, ModelStatus::Resting { for_memory: true, .. });
    let all = states(&bench, resting).await;
    let Some(ModelStatus::Resting { badge, .. }) = all.last() else { unreachable!("waited for it") };
    assert_eq!(badge.model, "Scripted demo");
    bench.models.loading(Loading::Takes(Duration::from_millis(100)));
    let (_, answer) = bench.answered(None, "2+2?").await;
    assert_eq!(answer.state, MessageState::Complete);
    settled(&bench).await;
    bench.models.rest(false);
    states(&bench, |status| matches!(status, ModelStatus::Resting { for_memory: false, .. })).await;
}

#[tokio::test]
async fn the_minutes_until_a_model_rests_are_applied_at_the_start_and_when_they_change() {
    let bench = Bench::with(models(&[])).await;
    settled(&bench).await;
    assert_eq!(bench.models.idles_after(), Some(Duration::from_secs(600)));
    let settings = api::settings::get(&bench.app).await.expect("settings");
    api::settings::set(&bench.app, Settings { idle_unload_minutes: 0, ..settings.clone() }).await.expect("set");
    assert_eq!(bench.models.idles_after(), None);
    api::settings::set(&bench.app, Settings { idle_unload_minutes: 3, ..settings }).await.expect("set");
    let bench = bench.restarted().await;
    settled(&bench).await;
    assert_eq!(bench.models.idles_after(), Some(Duration::from_secs(180)));
}

#[tokio::test]
async fn sparing_the_battery_and_keeping_conversations_are_applied_at_the_start_and_when_they_change() {
    let bench = Bench::with(models(&[])).await;
    settled(&bench).await;
    assert_eq!(bench.models.saves_and_keeps(), (true, false));
    let settings = api::settings::get(&bench.app).await.expect("settings");
    let changed = Settings { battery_saver: false, keep_ready: true, ..settings.clone() };
    api::settings::set(&bench.app, changed).await.expect("set");
    assert_eq!(bench.models.saves_and_keeps(), (false, true));
    let bench = bench.restarted().await;
    settled(&bench).await;
    assert_eq!(bench.models.saves_and_keeps(), (false, true));
    api::settings::set(&bench.app, settings).await.expect("set");
    assert_eq!(bench.models.saves_and_keeps(), (true, false));
}
