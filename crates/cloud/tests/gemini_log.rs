//! The key: seen in one header, and nowhere else. A test of its own process, because what is logged is the process's.

#[expect(dead_code, reason = "shared with the other tests of Cloud Boost")]
#[path = "gemini/support.rs"]
mod support;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use errors::Explain;
use serde_json::json;
use test_support::http::{Reply, Step};
use tracing_subscriber::fmt::MakeWriter;

use support::{KEY, ask, question, refusal, task, with};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Replies that quote the key in every place there is.
fn quoting() -> Vec<Reply> {
    let encoded: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let detail = |text: &str| {
        json!([{"@type": text, "reason": text, "domain": text, "detail": format!("Invalid API key: {text}"), "metadata": {text: text}},
               {"violations": [{"quotaId": format!("PerMinute{text}"), "quotaValue": "5", "description": text}]}])
    };
    let mut replies = Vec::new();
    for text in [KEY, &encoded] {
        for status in [400, 401, 403, 404, 429, 500, 503] {
            replies.push(refusal(status, text, &format!("The key {text} is wrong"), detail(text)));
        }
        replies.push(refusal(400, "INVALID_ARGUMENT", &format!("{} {text}", "x".repeat(290)), json!([])));
        replies.push(refusal(400, "INVALID_ARGUMENT", &format!("thinking {text} JSON mode"), json!([])));
        replies.push(Reply::whole(500, text, format!("plain {text}")));
        replies
            .push(Reply::whole(302, "text/html", "").with_header(&format!("Location: http://127.0.0.1:1/?key={text}")));
        let error = json!({"error": {"code": 499, "message": text, "details": detail(text)}});
        replies.push(Reply::streamed([format!("{error}\n")]));
        replies.push(Reply::streamed([format!("data: {}\n\n", json!({"promptFeedback": {"blockReason": text}}))]));
        let other = json!({"candidates": [{"finishReason": text, "finishMessage": text}]});
        replies.push(Reply::streamed([format!("data: {other}\n\n")]));
        replies.push(Reply::json(200, other.to_string()));
        replies.push(Reply::json(200, format!("{{\"{text}\": ")));
        replies.push(Reply::raw([Step::Bytes(format!("{text} is no protocol\r\n\r\n").into_bytes()), Step::Close]));
    }
    replies
}

#[tokio::test]
async fn the_key_is_in_no_error_no_debug_output_and_no_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let mut said = String::new();
    for reply in quoting() {
        let (_server, gemini) = with([reply]).await;
        said.push_str(&format!("{gemini:?}"));
        for request in [question(), task()] {
            let seen = ask(&gemini, request).await;
            said.push_str(&format!("{seen:?}"));
        }
        for error in [gemini.models().await.map(drop), gemini.try_reply().await].into_iter().filter_map(Result::err) {
            said.push_str(&format!("{error} {error:?} {error:#?} {} {:?}", errors::chain(&error), error.hint()));
        }
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(log.contains("the service refused"), "the log was listened to: {log}");
    let encoded: String = "canary".bytes().map(|byte| format!("%{byte:02X}")).collect();
    for text in [&said, &log] {
        for trace in ["canary", "Ab8R0123456789", &encoded] {
            let at = text.find(trace);
            assert!(
                at.is_none(),
                "{trace}: {:?}",
                at.map(|at| text[at.saturating_sub(300)..].chars().take(600).collect::<String>())
            );
        }
    }
}
