//! Another answer by a larger model, when a person asks for it.

use crate::elsewhere::Served;
use api::dto::{AskRequest, BadgeKind, ErrorCode, Feature, MessageState, Place, ProfileKind};
use serde_json::Value;

/// Asks and waits; the answer's id.
async fn asked(here: &Served, text: &str) -> (String, String) {
    let (sink, mut events) = crate::sink();
    let request = AskRequest { conversation_id: None, text: text.to_owned() };
    let ticket = api::chat::ask(&here.app, request, sink).await.expect("asked");
    events.finished().await;
    (ticket.conversation.summary.id, ticket.answer_id)
}

#[tokio::test]
async fn it_does_not_exist_until_an_adult_chose_who_writes_it() {
    let here = Served::new().await;
    let (_, answer) = asked(&here, "2+2?").await;
    assert!(here.feature(Feature::SecondAnswer).await.hidden);
    assert!(api::chat::second_answer(&here.app, &answer, |_| true).await.is_err());
    assert!(api::chat::second_preview(&here.app, &answer).await.is_err());
}

#[tokio::test]
async fn another_version_is_written_elsewhere_from_what_the_preview_showed() {
    for school in [false, true] {
        let here = Served::new().await;
        let (conversation, answer) = asked(&here, "What is half a cake?").await;
        let here = if school { here.with_school("a-token").await } else { here.with_cloud("a-key").await };
        let before = here.servers.requests().len();
        let preview = api::chat::second_preview(&here.app, &answer).await.expect("shown");
        assert_eq!(here.servers.requests().len(), before);
        let (sink, mut events) = crate::sink();
        let ticket = api::chat::second_answer(&here.app, &answer, sink).await.expect("begun");
        let second = events.finished().await;
        assert_eq!(second.text, "Half of a cake is $\\frac{1}{2}$ of it.");
        assert_eq!((second.state, second.badge.as_ref()), (MessageState::Complete, Some(&preview.badge)));
        assert_eq!(second.version_ids, [answer.clone(), ticket.answer_id]);
        let first = api::chat::show_version(&here.app, &answer).await.expect("the first one");
        assert_eq!(first.messages[1].text, "4", "it stayed");
        assert_eq!(first.messages[1].badge.as_ref().map(|badge| badge.kind), Some(BadgeKind::Demo));
        let sent = here.servers.requests().pop().expect("sent");
        for text in &preview.texts {
            let quoted = Value::from(text.text.clone()).to_string();
            assert!(sent.body.contains(&quoted), "{quoted} in {}", sent.body);
        }
        assert!(!sent.body.contains(&conversation), "which conversation it is stays here");
    }
}

#[tokio::test]
async fn a_failure_keeps_what_came_and_nobody_else_writes() {
    let here = Served::new().await;
    let (_, answer) = asked(&here, "What happens when it vanishes? vanish").await;
    let here = here.with_school("a-token").await;
    let asked_here = here.models.requests().len();
    let (sink, mut events) = crate::sink();
    api::chat::second_answer(&here.app, &answer, sink).await.expect("begun");
    let last = events.all().await.pop();
    let Some(api::dto::ChatEvent::Failed { error, message }) = last else { panic!("{last:?}") };
    assert_eq!(error.code, ErrorCode::Truncated);
    let whole = "Half of a cake is $\\frac{1}{2}$ of it.";
    assert!(whole.starts_with(&message.text) && !message.text.is_empty() && message.text != whole, "{}", message.text);
    assert_eq!(message.state, MessageState::Interrupted);
    assert_eq!(here.models.requests().len(), asked_here);
}

#[tokio::test]
async fn a_learner_asks_the_school_and_never_the_cloud() {
    let here = Served::new().await.with_cloud("a-key").await;
    here.profile(ProfileKind::Learner).await;
    let (_, answer) = asked(&here, "2+2?").await;
    let error = api::chat::second_answer(&here.app, &answer, |_| true).await.expect_err("adults only");
    assert_eq!(error.code, ErrorCode::AdultOnly);
    assert!(here.servers.requests().is_empty());
    let here = here.with_school("a-token").await;
    here.set(true, true, Place::School).await;
    here.profile(ProfileKind::Learner).await;
    let (sink, mut events) = crate::sink();
    api::chat::second_answer(&here.app, &answer, sink).await.expect("begun");
    assert_eq!(events.finished().await.badge.map(|badge| badge.kind), Some(BadgeKind::School));
}
