//! Every row of what the service answers when it does not answer.

use errors::{ErrorCode, Explain};
use serde_json::json;

use super::*;

const KEY: &str = "AQ.Ab8canarycanarycanary0123456789";

fn refused(status: u16, error: Value) -> Error {
    let key = Secret::new(KEY);
    let context = Context { host: "host", status, retry_after: None, key: &key };
    read(&context, json!({"error": error}).to_string().as_bytes())
}

fn code(status: u16, message: &str, word: &str, reason: &str) -> ErrorCode {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]);
    refused(status, json!({"code": status, "message": message, "status": word, "details": details})).code()
}

#[test]
fn every_row_has_its_code() {
    let rows = [
        (400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", "", ErrorCode::KeyRejected),
        (400, "", "INVALID_ARGUMENT", "API_KEY_INVALID", ErrorCode::KeyRejected),
        (400, "API key expired. Please renew the API key.", "INVALID_ARGUMENT", "", ErrorCode::KeyRejected),
        (403, "Your API key was reported as leaked.", "PERMISSION_DENIED", "", ErrorCode::KeyRejected),
        (400, "Request contains an invalid argument.", "INVALID_ARGUMENT", "", ErrorCode::ServerRefused),
        (400, "User location is not supported for the API use.", "FAILED_PRECONDITION", "", ErrorCode::RegionBlocked),
        (400, "Gemini API free tier is not available.", "FAILED_PRECONDITION", "", ErrorCode::RegionBlocked),
        (400, "The input token count (300000) exceeds the maximum", "INVALID_ARGUMENT", "", ErrorCode::PromptTooLong),
        (401, "Request had invalid credentials.", "UNAUTHENTICATED", "", ErrorCode::KeyRejected),
        (401, "", "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", ErrorCode::KeyRestricted),
        (401, "", "UNAUTHENTICATED", "API_KEY_SERVICE_BLOCKED", ErrorCode::KeyRestricted),
        (403, "", "PERMISSION_DENIED", "API_KEY_HTTP_REFERRER_BLOCKED", ErrorCode::KeyRestricted),
        (403, "", "PERMISSION_DENIED", "SERVICE_DISABLED", ErrorCode::KeyRestricted),
        (404, "models/x is not found", "NOT_FOUND", "", ErrorCode::ModelNotServed),
        (413, "", "", "", ErrorCode::PromptTooLong),
        (429, "", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", ErrorCode::QuotaExceeded),
        (499, "The operation was cancelled.", "CANCELLED", "", ErrorCode::Truncated),
        (500, "An internal error has occurred.", "INTERNAL", "", ErrorCode::ServerBusy),
        (503, "high demand", "UNAVAILABLE", "", ErrorCode::ServerBusy),
        (504, "", "DEADLINE_EXCEEDED", "", ErrorCode::ServerBusy),
        (418, "", "", "", ErrorCode::ServerRefused),
    ];
    for (status, message, word, reason, expected) in rows {
        assert_eq!(code(status, message, word, reason), expected, "{status} {message} {word} {reason}");
        let wrapped =
            json!([{"error": {"code": status, "message": message, "status": word, "details": [{"reason": reason}]}}]);
        let key = Secret::new(KEY);
        let context = Context { host: "host", status, retry_after: None, key: &key };
        let error = read(&context, wrapped.to_string().as_bytes());
        assert_eq!(error.code(), expected, "{wrapped}");
        assert!(error.hint().is_some(), "{status} {message}");
    }
}

#[test]
fn a_quota_says_how_long_and_whether_ever() {
    let quota = |details: Value, message: &str| match refused(
        429,
        json!({"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}),
    ) {
        Error::Refused { problem: Problem::Quota { never }, retry_after, .. } => {
            (never, retry_after.map(|pause| pause.as_secs_f64()))
        }
        other => panic!("{other:?}"),
    };
    let violation = |id: &str, value: &str| json!({"violations": [{"quotaId": id, "quotaValue": value}]});
    let retry = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "59s"});
    assert_eq!(quota(json!([violation("GenerateRequestsPerMinute", "15"), retry]), "x"), (false, Some(59.0)));
    assert_eq!(quota(json!([]), "… Please retry in 45.85s."), (false, Some(45.85)));
    assert_eq!(quota(json!([]), "Please retry in 1m2.5s."), (false, Some(62.5)));
    assert_eq!(quota(json!([]), "Please retry in 850ms."), (false, Some(0.85)));
    assert_eq!(quota(json!([]), "Resource has been exhausted (e.g. check quota)."), (false, None));
    assert_eq!(quota(json!([{"retryDelay": {"seconds": "7"}}]), ""), (false, Some(7.0)));
    // Tomorrow is no countdown.
    assert_eq!(quota(json!([violation("GenerateRequestsPerDayPerProject", "1500"), retry]), "x"), (false, None));
    assert!(quota(json!([violation("PerMinute", "0"), retry]), "x").0);
    assert!(quota(json!([]), "* Quota exceeded for metric: y, limit: 0, model: gemini-3-pro\nPlease retry in 4s.").0);
    assert!(quota(json!([]), "limit: 0").0);
    assert!(!quota(json!([]), "limit: 05, limit: 0.5").0);
    let metadata = json!([{"metadata": {"quota_limit_value": "0", "quota_limit": "PerMinutePerRegion"}}]);
    assert!(quota(metadata, "x").0);
}

#[test]
fn what_to_leave_out_is_told_apart() {
    let problem = |message: &str| match refused(400, json!({"code": 400, "message": message})) {
        Error::Refused { problem, .. } => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(problem("Thinking budget is not supported for this model."), Problem::NoThinking);
    assert_eq!(problem("Thinking level is not supported for this model."), Problem::NoThinking);
    assert_eq!(problem("JSON mode is not enabled for models/gemma-4-31b-it"), Problem::NoForm);
    let unknown = "Invalid JSON payload received. Unknown name \"title\" at 'generation_config.response_schema'";
    assert_eq!(problem(unknown), Problem::NoForm);
    assert_eq!(problem("Request contains an invalid argument."), Problem::Other);
}

#[test]
fn the_key_is_nowhere_wherever_the_service_puts_it() {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": format!("Invalid API key: {KEY}")},
                         {"reason": KEY, "metadata": {KEY: KEY}}]);
    for error in [
        json!({"code": 400, "message": format!("Invalid API key: {KEY}"), "status": KEY, "details": details}),
        json!({"code": 400, "message": "$grpcMessage", "details": details}),
        json!({"message": KEY}),
    ] {
        let error = refused(400, error);
        let texts = [error.to_string(), format!("{error:?}"), format!("{error:#?}"), errors::chain(&error)];
        for text in texts {
            assert!(!text.contains("canary"), "{text}");
        }
    }
    let key = Secret::new(KEY);
    let context = Context { host: "host", status: 502, retry_after: None, key: &key };
    let error = read(&context, format!("upstream said {KEY}").as_bytes());
    assert_eq!(error.to_string(), "host refused (502): upstream said …");
    let error = read(&context, format!("<html>{KEY}</html>").as_bytes());
    assert_eq!(error.to_string(), "host refused (502)");
}
