//! Tools from the button to the list.

use crate::elsewhere::{Served, answer, flashcards};
use crate::say;
use api::dto::{
    AboutInput, AskRequest, BadgeKind, ErrorCode, ExportFormat, Feature, ItemWork, Place, ProfileKind, ToolEvent,
    ToolInput, Work,
};
use api::scripted::{ScriptedModels, Step};
use api::scripted_servers::example;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use generation::FinishReason;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tutor::tools::{Content, Level, SheetForm, ToolKind};

fn quiz(topic: &str) -> ToolInput {
    ToolInput::Quiz { topic: topic.to_owned(), count: 3, level: Level::Easy }
}

fn map(topic: &str) -> ToolInput {
    ToolInput::MindMap { about: AboutInput::Topic { topic: topic.to_owned() } }
}

fn finished(events: &[ToolEvent]) -> &api::dto::Creation {
    match events.last() {
        Some(ToolEvent::Finished { creation }) => creation,
        other => panic!("not finished: {other:?}"),
    }
}

fn failure(events: &[ToolEvent]) -> (ErrorCode, Option<BadgeKind>) {
    match events.last() {
        Some(ToolEvent::Failed { error, instead }) => (error.code, instead.as_ref().map(|badge| badge.kind)),
        other => panic!("did not fail: {other:?}"),
    }
}

#[tokio::test]
async fn every_tool_makes_something_on_this_computer_and_it_is_kept() {
    let here = Served::new().await;
    here.profile(ProfileKind::Adult).await;
    let topic = "fractions".to_owned();
    let inputs = [
        quiz("fractions"),
        ToolInput::Practice { topic: topic.clone(), level: Level::Hard, used: vec!["2+2".to_owned()] },
        map("fractions"),
        ToolInput::Illustration { about: AboutInput::Topic { topic: topic.clone() } },
        flashcards("fractions"),
        ToolInput::Sheet { topic, grade: 5, count: 3, form: SheetForm::Mixed },
    ];
    for input in inputs {
        let events = here.made(input.clone(), None).await;
        assert!(matches!(&events[0], ToolEvent::Started { badge } if badge.kind == BadgeKind::Demo), "{events:?}");
        let creation = finished(&events);
        assert_eq!(creation.input, input);
        let kept = api::creations::get(&here.app, &creation.summary.id).await.expect("kept");
        assert_eq!(&kept, creation);
    }
    let all = api::creations::list(&here.app).await.expect("list");
    assert_eq!(all.len(), 6);
    assert_eq!(all[0].tool, ToolKind::Sheet, "the latest first");
    assert!(here.servers.requests().is_empty());
    // A learner does not see the exam.
    here.profile(ProfileKind::Learner).await;
    assert_eq!(api::creations::list(&here.app).await.expect("list").len(), 5);
    let error = api::creations::get(&here.app, &all[0].id).await.expect_err("adults only");
    assert_eq!(error.code, ErrorCode::AdultOnly);
}

#[tokio::test]
async fn what_is_no_task_is_refused_before_anything_begins() {
    let here = Served::new().await;
    here.profile(ProfileKind::Adult).await;
    let sheet = |grade, count| ToolInput::Sheet { topic: "water".to_owned(), grade, count, form: SheetForm::Open };
    let missing = AboutInput::Answer { message_id: "nothing".to_owned() };
    for (input, code) in [
        (quiz(" x "), ErrorCode::InvalidRequest),
        (quiz(&"x".repeat(201)), ErrorCode::InvalidRequest),
        (ToolInput::Quiz { topic: "water".to_owned(), count: 4, level: Level::Easy }, ErrorCode::InvalidRequest),
        (sheet(0, 3), ErrorCode::InvalidRequest),
        (sheet(13, 3), ErrorCode::InvalidRequest),
        (sheet(5, 4), ErrorCode::InvalidRequest),
        (ToolInput::MindMap { about: missing }, ErrorCode::NotFound),
        (ToolInput::Reading { image_id: "image-9".to_owned(), handwriting: true }, ErrorCode::EngineOff),
    ] {
        let error = api::tools::start(&here.app, input.clone(), None, |_| true).await.expect_err("refused");
        assert_eq!(error.code, code, "{input:?}");
    }
    let error =
        api::tools::start(&here.app, quiz("water"), Some(BadgeKind::Cloud), |_| true).await.expect_err("not offered");
    assert_eq!(error.code, ErrorCode::EngineOff);
    assert!(here.models.requests().is_empty());
    here.profile(ProfileKind::Learner).await;
    let error = api::tools::start(&here.app, sheet(5, 3), None, |_| true).await.expect_err("adults only");
    assert_eq!(error.code, ErrorCode::AdultOnly);
}

#[tokio::test]
async fn an_answer_of_the_tutor_becomes_a_mind_map() {
    let models = ScriptedModels::new(|request| match &request.structure {
        Some(_) => answer(request),
        None => say(&["Plants turn light into sugar."]),
    });
    let here = Served::with(models, |elsewhere| elsewhere).await;
    let request = AskRequest { conversation_id: None, text: "What do plants do?".to_owned() };
    let (sink, mut events) = crate::sink();
    let ticket = api::chat::ask(&here.app, request, sink).await.expect("asked");
    events.finished().await;
    let input = ToolInput::MindMap { about: AboutInput::Answer { message_id: ticket.answer_id } };
    let made = here.made(input, None).await;
    let drawing = api::creations::drawing(&here.app, &finished(&made).summary.id).await.expect("drawn");
    assert!(drawing.mermaid.is_some_and(|text| text.starts_with("mindmap")));
    let asked = here.models.requests().pop().expect("asked");
    assert!(asked.messages.last().is_some_and(|last| last.content.contains("Plants turn light into sugar.")));
    assert!(asked.conversation.is_none());
}

#[tokio::test]
async fn a_result_that_contradicts_itself_is_made_anew_at_most_twice() {
    for (bad, good_at_last) in [(2, true), (3, false)] {
        let tries = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tries);
        let models = ScriptedModels::new(move |request| {
            let structure = request.structure.as_ref().expect("a tool");
            let mut value = example(structure);
            if count.fetch_add(1, Ordering::SeqCst) < bad {
                let first = value["questions"][0]["options"][0].clone();
                value["questions"][0]["options"][1] = first;
            }
            say(&[&value.to_string()])
        });
        let here = Served::with(models, |elsewhere| elsewhere).await;
        let events = here.made(quiz("fractions"), None).await;
        if good_at_last {
            finished(&events);
        } else {
            assert_eq!(failure(&events), (ErrorCode::BadAnswer, None));
        }
        assert_eq!(tries.load(Ordering::SeqCst), 3);
        let seeds: Vec<_> = here.models.requests().iter().map(|request| request.sampling.seed).collect();
        assert_eq!(seeds, [None; 3], "each draws its own");
    }
}

#[tokio::test]
async fn a_cut_result_is_never_shown() {
    for reason in [FinishReason::MaxTokens, FinishReason::ContextFull] {
        let models = ScriptedModels::new(move |request| {
            let text = request.structure.as_ref().map(example).expect("a tool").to_string();
            vec![Step::Started, Step::Say(text), Step::Finish(reason)]
        });
        let here = Served::with(models, |elsewhere| elsewhere).await;
        let events = here.made(quiz("fractions"), None).await;
        assert_eq!(failure(&events).0, ErrorCode::ResultCut);
        assert!(api::creations::list(&here.app).await.expect("list").is_empty());
    }
}

#[tokio::test]
async fn one_tool_at_a_time_and_a_cancelled_one_leaves_nothing() {
    let models =
        ScriptedModels::new(|_| vec![Step::Started, Step::Say("{".to_owned()), Step::Wait(Duration::from_secs(600))]);
    let here = Served::with(models, |elsewhere| elsewhere).await;
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let ticket = api::tools::start(&here.app, quiz("fractions"), None, move |event| sender.send(event).is_ok())
        .await
        .expect("begun");
    assert!(matches!(events.recv().await, Some(ToolEvent::Started { .. })));
    let error = api::tools::start(&here.app, map("water"), None, |_| true).await.expect_err("one at a time");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    api::tools::cancel(&here.app, &ticket.request_id).await.expect("cancelled");
    let mut last = None;
    while let Some(event) = events.recv().await {
        last = Some(event);
    }
    assert_eq!(last, Some(ToolEvent::Cancelled));
    assert!(api::creations::list(&here.app).await.expect("list").is_empty());

    // A page that is loaded anew, and the end of the app, stop it as well.
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    api::tools::start(&here.app, quiz("fractions"), None, move |event| sender.send(event).is_ok())
        .await
        .expect("begun");
    here.app.page_started();
    while let Some(event) = events.recv().await {
        last = Some(event);
    }
    assert_eq!(last, Some(ToolEvent::Cancelled));
    api::tools::start(&here.app, quiz("fractions"), None, |_| true).await.expect("free again");
    here.app.close().await;
}

#[tokio::test]
async fn a_context_that_is_too_short_is_said_before_anything_begins() {
    let here = Served::new().await;
    let settings = api::settings::get(&here.app).await.expect("settings");
    let short = api::dto::Settings { context_len: 512, max_reply_tokens: 256, ..settings };
    api::settings::set(&here.app, short).await.expect("set");
    let ten = ToolInput::Quiz { topic: "fractions".to_owned(), count: 10, level: Level::Easy };
    let error = api::tools::start(&here.app, ten, None, |_| true).await.expect_err("too short");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    assert!(error.hint.is_some_and(|hint| hint.contains("context length")));
}

#[tokio::test]
async fn cloud_boost_and_the_school_get_exactly_what_the_preview_shows() {
    for school in [false, true] {
        let here = Served::new().await;
        let here = if school { here.with_school("a-token").await } else { here.with_cloud("a-key").await };
        let before = here.servers.requests().len();
        let input = quiz("Fractions with <<<signs>>> and \"quotes\"");
        let preview = api::tools::preview(&here.app, input.clone(), None).await.expect("shown");
        assert_eq!(preview.host.as_deref(), Some("127.0.0.1"));
        assert_eq!(here.servers.requests().len(), before, "a preview sends nothing");
        let events = here.made(input, None).await;
        assert_eq!(finished(&events).summary.badge, preview.badge);
        let sent = here.servers.requests().split_off(before);
        assert_eq!(sent.len(), 1, "{sent:?}");
        let body: Value = serde_json::from_str(&sent[0].body).expect("JSON");
        let shown: Vec<(String, String)> = preview.texts.into_iter().map(|text| (text.role, text.text)).collect();
        assert_eq!(texts(&body, school), shown);
        assert!(api::network_state::get(&here.app).await.expect("network").connections > 0);
    }
}

/// Role and text of each message of a request's body.
fn texts(body: &Value, school: bool) -> Vec<(String, String)> {
    let text = |parts: &Value| {
        parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect::<String>()
    };
    if school {
        let messages = body["messages"].as_array().expect("messages");
        return messages
            .iter()
            .map(|message| {
                let content = message["content"].as_str().map_or_else(|| text(&message["content"]), str::to_owned);
                (message["role"].as_str().expect("a role").to_owned(), content)
            })
            .collect();
    }
    let mut all = vec![("system".to_owned(), text(&body["systemInstruction"]["parts"]))];
    for content in body["contents"].as_array().expect("contents") {
        let role = if content["role"] == "model" { "assistant" } else { "user" };
        all.push((role.to_owned(), text(&content["parts"])));
    }
    all
}

#[tokio::test]
async fn a_picture_is_sent_as_it_was_shown_and_nothing_else_of_it() {
    for school in [false, true] {
        let here = Served::new().await;
        let here = if school { here.with_school("a-token").await } else { here.with_cloud("a-key").await };
        let picture = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, 7]));
        let path = here.folder.path().join("photo.png");
        picture.save(&path).expect("written");
        let image = api::images::pick(&here.app).await.expect("read").expect("picked");
        let input = ToolInput::Reading { image_id: image.id.clone(), handwriting: true };
        let preview = api::tools::preview(&here.app, input.clone(), None).await.expect("shown");
        assert_eq!(preview.image.as_ref(), Some(&image));
        let events = here.made(input, None).await;
        assert!(matches!(finished(&events).content, Content::Reading(_)));
        let shown = image.preview.split_once(";base64,").expect("data").1.to_owned();
        let sent = here.texts_sent().pop().expect("sent");
        assert!(sent.contains(&shown), "the very bytes that were shown");
        assert_eq!(STANDARD.decode(&shown).expect("base64").len(), image.bytes as usize);
    }
}

#[tokio::test]
async fn a_server_that_fails_says_so_and_only_offers_this_computer() {
    let here = Served::new().await.with_cloud("a-key").await;
    for (word, code) in [
        ("revoked", ErrorCode::KeyRejected),
        ("region", ErrorCode::RegionBlocked),
        ("exhausted", ErrorCode::QuotaExceeded),
        ("blocked", ErrorCode::ContentBlocked),
        ("portal", ErrorCode::CaptivePortal),
        ("cut", ErrorCode::ResultCut),
        ("broken", ErrorCode::BadAnswer),
    ] {
        let events = here.made(quiz(&format!("fractions {word}")), None).await;
        assert_eq!(failure(&events), (code, Some(BadgeKind::Demo)), "{word}: {events:?}");
    }
    assert!(here.models.requests().is_empty(), "nobody else did it");
    let events = here.made(quiz("fractions revoked"), Some(BadgeKind::Local)).await;
    assert_eq!(finished(&events).summary.badge.kind, BadgeKind::Demo);
}

#[tokio::test]
async fn switching_off_stops_what_is_being_written_elsewhere() {
    for way in 0..4 {
        let here = Served::new().await.with_cloud("a-key").await;
        let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
        api::tools::start(&here.app, quiz("silent fractions"), None, move |event| sender.send(event).is_ok())
            .await
            .expect("begun");
        while here.servers.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match way {
            0 => drop(here.set(false, false, Place::Cloud).await),
            1 => drop(api::engines::cloud_key_remove(&here.app).await.expect("removed")),
            2 => drop(api::engines::cloud_agree(&here.app, false).await.expect("withdrawn")),
            _ => here.profile(ProfileKind::Learner).await,
        }
        let mut last = None;
        while let Some(event) = tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("an end") {
            last = Some(event);
        }
        assert_eq!(last, Some(ToolEvent::Cancelled), "{way}");
        assert!(!api::network_state::get(&here.app).await.expect("network").open, "{way}");
    }
}

#[tokio::test]
async fn work_is_saved_deleted_things_come_back_and_files_are_written() {
    let here = Served::new().await;
    here.profile(ProfileKind::Adult).await;
    let id = finished(&here.made(quiz("fractions"), None).await).summary.id.clone();
    let done = ItemWork { tries: vec!["1".to_owned()], done: true, right: Some(true) };
    let work = Work { items: vec![done], at: 1 };
    let saved = api::creations::work(&here.app, &id, work.clone()).await.expect("saved");
    assert_eq!(saved.work, work);
    assert!(saved.summary.progress.is_some_and(|progress| (progress - 1.0 / 3.0).abs() < 1e-9));
    let endless = Work { items: vec![ItemWork::default(); 65], at: 0 };
    assert!(api::creations::work(&here.app, &id, endless).await.is_err());
    api::creations::delete(&here.app, &id).await.expect("deleted");
    assert_eq!(api::creations::get(&here.app, &id).await.expect_err("gone").code, ErrorCode::NotFound);
    api::creations::restore(&here.app, &id).await.expect("back");
    assert!(api::creations::drawing(&here.app, &id).await.is_err(), "a quiz is no drawing");

    let map_id = finished(&here.made(map("water"), None).await).summary.id.clone();
    let sheet = ToolInput::Sheet { topic: "water".to_owned(), grade: 5, count: 3, form: SheetForm::Choice };
    let sheet_id = finished(&here.made(sheet, None).await).summary.id.clone();
    for (id, format, start) in [
        (&id, ExportFormat::Markdown, "#"),
        (&map_id, ExportFormat::Svg, "<"),
        (&map_id, ExportFormat::Png, "\u{fffd}PNG"),
        (&map_id, ExportFormat::Markdown, "#"),
        (&sheet_id, ExportFormat::StudentPdf, "%PDF"),
        (&sheet_id, ExportFormat::TeacherPdf, "%PDF"),
    ] {
        let before = files(&here);
        assert!(api::creations::export(&here.app, id, format).await.expect("written"), "{format:?}");
        let name = files(&here).into_iter().find(|name| !before.contains(name));
        if let Some(name) = name {
            let bytes = std::fs::read(here.folder.path().join(&name)).expect("the file");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.trim_start().starts_with(start), "{name}: {}", text.chars().take(40).collect::<String>());
        }
    }
    assert!(files(&here).iter().all(|name| !name.contains(".part")), "{:?}", files(&here));
    let error = api::creations::export(&here.app, &id, ExportFormat::Svg).await.expect_err("no drawing");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    assert_eq!(here.feature(Feature::Quiz).await.badge.map(|badge| badge.kind), Some(BadgeKind::Demo));
}

fn files(here: &Served) -> Vec<String> {
    let entries = std::fs::read_dir(here.folder.path()).expect("folder").filter_map(Result::ok);
    entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
