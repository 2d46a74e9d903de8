//! The commands by name, with their arguments as JSON: the window's list, once more.

use api::App;
use api::dto::{AskRequest, ErrorCode, IpcError, ProfileInput, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;

/// How a command answers.
pub enum Answer {
    /// With one value.
    Value(Value),
    /// With a value and then events, one JSON text each.
    Stream(Value, mpsc::UnboundedReceiver<String>),
}

/// Calls the command `name`; `None` where there is no such command.
pub async fn call(app: &App, name: &str, args: &Value) -> Option<Result<Answer, IpcError>> {
    Some(dispatch(app, name, args).await?.map_err(|mut error| {
        // One line, whatever a message holds.
        error.message = error.message.replace('\n', " ");
        error
    }))
}

async fn dispatch(app: &App, name: &str, args: &Value) -> Option<Result<Answer, IpcError>> {
    let answer = match name {
        "app_info" => plain(api::app_info::info(app).await),
        "page_ready" => plain(api::app_info::page_ready(app).await),
        "setup_get" => plain(api::setup::get(app).await),
        "setup_finish" => plain(api::setup::finish(app).await),
        "profile_set" => match arg::<ProfileInput>(args, "input") {
            Ok(input) => plain(api::profile::set(app, input).await),
            Err(error) => Err(error),
        },
        "profile_unlock" => match arg(args, "pin") {
            Ok(pin) => plain(api::profile::unlock(app, pin).await),
            Err(error) => Err(error),
        },
        "hardware_get" => plain(api::computer::get(app).await),
        "settings_get" => plain(api::settings::get(app).await),
        "settings_set" => match arg::<Settings>(args, "settings") {
            Ok(settings) => plain(api::settings::set(app, settings).await),
            Err(error) => Err(error),
        },
        "models_list" => plain(api::models::list(app).await),
        "model_select" => match arg(args, "id") {
            Ok(id) => plain(api::models::select(app, id).await),
            Err(error) => Err(error),
        },
        "model_watch" => {
            let (sink, events) = channel();
            stream(api::models::watch(app, sink).await, events)
        }
        "model_remove" | "storage_get" | "network_get" | "sources_list" | "source_pick" | "offers_list" => {
            models_in_and_out(app, name, args).await
        }
        "transfers_watch" | "transfer_import" | "transfer_download" | "transfer_export" | "transfer_pause"
        | "transfer_resume" | "transfer_cancel" => transfer(app, name, args).await,
        "conversation_list"
        | "conversation_get"
        | "conversation_rename"
        | "conversation_delete"
        | "conversation_restore" => conversation(app, name, args).await,
        "chat_ask"
        | "chat_regenerate"
        | "chat_edit"
        | "chat_show_version"
        | "chat_cancel"
        | "chat_second_answer"
        | "chat_second_preview" => chat(app, name, args).await,
        "features_get" | "tool_preview" | "tool_start" | "tool_cancel" | "image_take" | "image_pick" => {
            tool(app, name, args).await
        }
        "creation_list" | "creation_get" | "creation_work" | "creation_delete" | "creation_restore"
        | "creation_drawing" | "creation_export" => creation(app, name, args).await,
        "engines_get" | "engines_set" | "cloud_key_set" | "cloud_key_remove" | "cloud_agree" | "cloud_test"
        | "school_set" | "school_test" | "school_model" => engines(app, name, args).await,
        _ => return None,
    };
    Some(answer)
}

async fn models_in_and_out(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::transfers as t;
    match name {
        "model_remove" => plain(t::remove(app, arg(args, "id")?).await),
        "storage_get" => plain(t::storage(app).await),
        "network_get" => plain(api::network_state::get(app).await),
        "sources_list" => plain(t::sources(app).await),
        "source_pick" => plain(t::pick_source(app, arg(args, "kind")?).await),
        _ => plain(t::offers(app).await),
    }
}

async fn transfer(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::transfers as t;
    match name {
        "transfers_watch" => {
            let (sink, events) = channel();
            stream(t::watch(app, sink).await, events)
        }
        "transfer_import" => plain(t::import(app, arg(args, "sourceId")?, arg(args, "modelId")?).await),
        "transfer_download" => plain(t::download(app, arg(args, "offerId")?).await),
        "transfer_export" => plain(t::export(app, arg(args, "modelId")?).await),
        "transfer_pause" => plain(t::pause(app, arg(args, "id")?).await),
        "transfer_resume" => plain(t::resume(app, arg(args, "id")?).await),
        _ => plain(t::cancel(app, arg(args, "id")?).await),
    }
}

async fn conversation(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::conversations as c;
    if name == "conversation_list" {
        return plain(c::list(app).await);
    }
    let id: String = arg(args, "id")?;
    match name {
        "conversation_get" => plain(c::get(app, &id).await),
        "conversation_rename" => plain(c::rename(app, &id, &arg::<String>(args, "title")?).await),
        "conversation_delete" => plain(c::delete(app, &id).await),
        _ => plain(c::restore(app, &id).await),
    }
}

async fn chat(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::chat as c;
    let (sink, events) = channel();
    match name {
        "chat_ask" => stream(c::ask(app, arg::<AskRequest>(args, "request")?, sink).await, events),
        "chat_regenerate" => stream(c::regenerate(app, &arg::<String>(args, "answerId")?, sink).await, events),
        "chat_edit" => {
            let (id, text): (String, String) = (arg(args, "messageId")?, arg(args, "text")?);
            stream(c::edit(app, &id, text, sink).await, events)
        }
        "chat_second_answer" => stream(c::second_answer(app, &arg::<String>(args, "answerId")?, sink).await, events),
        "chat_second_preview" => plain(c::second_preview(app, &arg::<String>(args, "answerId")?).await),
        "chat_show_version" => plain(c::show_version(app, &arg::<String>(args, "messageId")?).await),
        _ => plain(c::cancel(app, &arg::<String>(args, "requestId")?).await),
    }
}

async fn tool(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::tools as t;
    match name {
        "features_get" => plain(t::features(app).await),
        "tool_preview" => plain(t::preview(app, arg(args, "input")?, arg(args, "engine")?).await),
        "tool_start" => {
            let (sink, events) = channel();
            stream(t::start(app, arg(args, "input")?, arg(args, "engine")?, sink).await, events)
        }
        "tool_cancel" => plain(t::cancel(app, &arg::<String>(args, "requestId")?).await),
        "image_take" => plain(api::images::take(app, arg(args, "base64")?).await),
        _ => plain(api::images::pick(app).await),
    }
}

async fn creation(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::creations as c;
    if name == "creation_list" {
        return plain(c::list(app).await);
    }
    let id: String = arg(args, "id")?;
    match name {
        "creation_get" => plain(c::get(app, &id).await),
        "creation_work" => plain(c::work(app, &id, arg(args, "work")?).await),
        "creation_delete" => plain(c::delete(app, &id).await),
        "creation_restore" => plain(c::restore(app, &id).await),
        "creation_drawing" => plain(c::drawing(app, &id).await),
        _ => plain(c::export(app, &id, arg(args, "format")?).await),
    }
}

async fn engines(app: &App, name: &str, args: &Value) -> Result<Answer, IpcError> {
    use api::engines as e;
    match name {
        "engines_get" => plain(e::get(app).await),
        "engines_set" => plain(e::set(app, arg(args, "input")?).await),
        "cloud_key_set" => plain(e::cloud_key_set(app, arg(args, "key")?).await),
        "cloud_key_remove" => plain(e::cloud_key_remove(app).await),
        "cloud_agree" => plain(e::cloud_agree(app, arg(args, "agree")?).await),
        "cloud_test" => plain(e::cloud_test(app).await),
        "school_set" => plain(e::school_set(app, arg(args, "input")?).await),
        "school_test" => plain(e::school_test(app).await),
        _ => plain(e::school_model(app, arg(args, "id")?).await),
    }
}

/// A sink that writes events as JSON texts; gone when the browser closes the connection.
fn channel<T: Serialize>() -> (impl api::Sink<T>, mpsc::UnboundedReceiver<String>) {
    let (sender, events) = mpsc::unbounded_channel();
    let sink = move |event: T| serde_json::to_string(&event).is_ok_and(|line| sender.send(line).is_ok());
    (sink, events)
}

fn plain<T: Serialize>(result: Result<T, IpcError>) -> Result<Answer, IpcError> {
    Ok(Answer::Value(json(&result?)?))
}

fn stream<T: Serialize>(
    result: Result<T, IpcError>,
    events: mpsc::UnboundedReceiver<String>,
) -> Result<Answer, IpcError> {
    Ok(Answer::Stream(json(&result?)?, events))
}

fn json(value: &impl Serialize) -> Result<Value, IpcError> {
    serde_json::to_value(value).map_err(|error| refused(ErrorCode::Internal, error.to_string()))
}

/// The argument `name`; a missing one reads as null.
fn arg<T: DeserializeOwned>(args: &Value, name: &str) -> Result<T, IpcError> {
    T::deserialize(args.get(name).unwrap_or(&Value::Null))
        .map_err(|error| refused(ErrorCode::InvalidRequest, format!("argument `{name}`: {error}")))
}

fn refused(code: ErrorCode, message: String) -> IpcError {
    IpcError { code, message, hint: None, request_id: None }
}
