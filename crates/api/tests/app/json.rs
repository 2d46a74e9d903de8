//! The exact JSON of what crosses to the page. A change here changes the page's contract.

use api::dto::{
    AppInfo, Badge, BadgeKind, ChatEvent, ErrorCode, IpcError, Message, MessageState, ModelStatus, Settings, Speaker,
};
use expect_test::{Expect, expect};
use serde::Serialize;

fn check(value: &impl Serialize, expected: Expect) {
    expected.assert_eq(&serde_json::to_string(value).expect("json"));
}

fn badge() -> Badge {
    Badge { kind: BadgeKind::Local, model: "Gemma 4 E2B".into(), device: "CPU".into() }
}

fn message() -> Message {
    Message {
        id: "m2".into(),
        speaker: Speaker::Tutor,
        text: "4".into(),
        state: MessageState::Complete,
        badge: Some(badge()),
        tokens_per_second: Some(7.5),
        seconds: None,
        created_at: 1_700_000_000_000.0,
        version_ids: vec!["m2".into()],
    }
}

fn error() -> IpcError {
    IpcError {
        code: ErrorCode::QueueFull,
        message: "32 questions are waiting".into(),
        hint: Some("Wait.".into()),
        request_id: Some("ask-1".into()),
    }
}

#[test]
fn events() {
    check(&ChatEvent::Queued { position: 2 }, expect![[r#"{"event":"queued","position":2}"#]]);
    check(
        &ChatEvent::Started { badge: badge() },
        expect![[r#"{"event":"started","badge":{"kind":"local","model":"Gemma 4 E2B","device":"CPU"}}"#]],
    );
    check(&ChatEvent::Prefill { done: 1, total: 2 }, expect![[r#"{"event":"prefill","done":1,"total":2}"#]]);
    check(&ChatEvent::Token { text: "¿".into() }, expect![[r#"{"event":"token","text":"¿"}"#]]);
    check(
        &ChatEvent::Finished { message: message() },
        expect![[
            r#"{"event":"finished","message":{"id":"m2","speaker":"tutor","text":"4","state":"complete","badge":{"kind":"local","model":"Gemma 4 E2B","device":"CPU"},"tokensPerSecond":7.5,"seconds":null,"createdAt":1700000000000.0,"versionIds":["m2"]}}"#
        ]],
    );
    let short = Message { badge: None, tokens_per_second: None, state: MessageState::Interrupted, ..message() };
    check(
        &ChatEvent::Failed { error: error(), message: short },
        expect![[
            r#"{"event":"failed","error":{"code":"queue_full","message":"32 questions are waiting","hint":"Wait.","requestId":"ask-1"},"message":{"id":"m2","speaker":"tutor","text":"4","state":"interrupted","badge":null,"tokensPerSecond":null,"seconds":null,"createdAt":1700000000000.0,"versionIds":["m2"]}}"#
        ]],
    );
}

#[test]
fn model_states() {
    check(&ModelStatus::Absent, expect![[r#"{"state":"absent"}"#]]);
    check(&ModelStatus::Loading, expect![[r#"{"state":"loading"}"#]]);
    check(
        &ModelStatus::Ready { badge: badge(), context_len: 4096, load_seconds: 1.5, choice: None },
        expect![[
            r#"{"state":"ready","badge":{"kind":"local","model":"Gemma 4 E2B","device":"CPU"},"contextLen":4096,"loadSeconds":1.5,"choice":null}"#
        ]],
    );
    check(
        &ModelStatus::Failed { error: IpcError { request_id: None, ..error() } },
        expect![[
            r#"{"state":"failed","error":{"code":"queue_full","message":"32 questions are waiting","hint":"Wait.","requestId":null}}"#
        ]],
    );
}

#[test]
fn facts() {
    check(
        &AppInfo { version: "0.1.0".into(), connections: 0, store_was_damaged: false },
        expect![[r#"{"version":"0.1.0","connections":0,"storeWasDamaged":false}"#]],
    );
}

#[test]
fn every_error_code_reads_as_in_the_vocabulary() {
    use errors::ErrorCode as Theirs;
    for code in [
        Theirs::ModelFileDamaged,
        Theirs::ModelUnsupported,
        Theirs::ModelMissing,
        Theirs::OutOfMemory,
        Theirs::ModelLoading,
        Theirs::WorkerCrashed,
        Theirs::WorkerHung,
        Theirs::QueueFull,
        Theirs::PromptTooLong,
        Theirs::InvalidRequest,
        Theirs::DeviceUnavailable,
        Theirs::NotFound,
        Theirs::StoreDamaged,
        Theirs::DiskFull,
        Theirs::Io,
        Theirs::Internal,
    ] {
        let ours = serde_json::to_value(ErrorCode::from(code)).expect("json");
        assert_eq!(ours, code.as_str());
    }
}

#[test]
fn settings_read_back_what_they_write() {
    let json = r#"{"language":"es","theme":"contrast","textSize":"m","reduceMotion":true,"contextLen":4096,"maxReplyTokens":1024,"modelId":null,"idleUnloadMinutes":10,"downloadLimitKb":0,"batterySaver":true,"keepReady":false}"#;
    let settings: Settings = serde_json::from_str(json).expect("settings");
    assert_eq!(serde_json::to_string(&settings).expect("json"), json);
}
