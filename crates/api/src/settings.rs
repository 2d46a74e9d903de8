//! Settings: read with defaults, checked, saved; a change of model or context length opens the model anew.

use crate::App;
use crate::dto::{IpcError, Language, Settings, TextSize, Theme};
use crate::failure::{Refusal, Reply, explain};
use generation::{DEFAULT_CONTEXT_LEN, DEFAULT_MAX_TOKENS};
use serde_json::Value;
use std::collections::BTreeMap;

/// The context length may be this.
pub const CONTEXT_LEN: std::ops::RangeInclusive<u32> = 512..=32_768;
/// The reply cap may be this.
pub const REPLY_TOKENS: std::ops::RangeInclusive<u32> = 16..=8_192;
/// The model may stay in memory unused for so many minutes.
pub const IDLE_MINUTES: std::ops::RangeInclusive<u32> = 0..=240;
/// Downloads may be held to so many kilobytes a second.
pub const DOWNLOAD_LIMIT_KB: std::ops::RangeInclusive<u32> = 0..=1_000_000;

/// The settings in force. While the profile is locked only how the page looks is told; everything else is as nobody had chosen it.
///
/// # Errors
/// When the store cannot be read.
pub async fn get(app: &App) -> Result<Settings, IpcError> {
    let settings = load(app).await?;
    if app.admit().is_ok() {
        return Ok(settings);
    }
    let Settings { language, theme, text_size, reduce_motion, .. } = settings;
    Ok(Settings { language, theme, text_size, reduce_motion, ..defaults(app.locale()) })
}

/// All settings, for a command that a locked profile refuses.
pub(crate) async fn get_all(app: &App) -> Reply<Settings> {
    app.admit()?;
    load(app).await
}

/// Checks and saves all settings; returns them as saved. The model is opened anew where that is needed.
///
/// # Errors
/// When a value is out of range or names a model that is not installed, or the store cannot be written.
pub async fn set(app: &App, settings: Settings) -> Result<Settings, IpcError> {
    app.admit()?;
    check(&settings)?;
    let before = load(app).await?;
    // Only a new choice is checked: a model that was removed since must not block changing the theme.
    if let Some(id) = settings.model_id.as_deref().filter(|_| settings.model_id != before.model_id)
        && !app.installed(settings.context_len).await?.iter().any(|model| model.candidate.id == id)
    {
        return Err(Refusal::NoSuchModel { id: id.to_owned() }.into());
    }
    save(app, &settings).await?;
    app.apply_to_models(&settings);
    app.transfers().limit(settings.download_limit_kb);
    if (settings.context_len, &settings.model_id) != (before.context_len, &before.model_id) {
        app.reopen_model().await;
    }
    Ok(settings)
}

/// The settings of a person who chose nothing yet; `locale` is the system's, e.g. `pt_BR.UTF-8`.
pub(crate) fn defaults(locale: Option<&str>) -> Settings {
    let language = match locale.unwrap_or_default().get(..2) {
        Some("en") => Language::En,
        Some("pt") => Language::Pt,
        _ => Language::Es,
    };
    Settings {
        language,
        theme: Theme::System,
        text_size: TextSize::S,
        reduce_motion: false,
        context_len: crate::convert::count(DEFAULT_CONTEXT_LEN),
        max_reply_tokens: crate::convert::count(DEFAULT_MAX_TOKENS),
        model_id: None,
        idle_unload_minutes: 10,
        download_limit_kb: 0,
        battery_saver: true,
        keep_ready: false,
    }
}

/// The settings for the app itself, which opens its model while the profile is still locked.
pub(crate) async fn load(app: &App) -> Reply<Settings> {
    let open = app.locked_store()?;
    let stored = open.store.settings(&open.learner).await?;
    overlay(defaults(app.locale()), stored)
}

pub(crate) async fn save(app: &App, settings: &Settings) -> Reply<()> {
    let open = app.store()?;
    let Value::Object(fields) = as_json(settings)? else {
        return Err(Refusal::TaskDied { what: "writing the settings" }.into());
    };
    let fields: BTreeMap<String, Value> = fields.into_iter().collect();
    Ok(open.store.set_settings(&open.learner, &fields).await?)
}

/// `settings` with every stored value that still makes sense; others keep their default.
fn overlay(settings: Settings, stored: BTreeMap<String, Value>) -> Reply<Settings> {
    let mut json = as_json(&settings)?;
    let mut settings = settings;
    for (key, value) in stored {
        let Some(field) = json.get_mut(&key) else { continue };
        let before = std::mem::replace(field, value);
        match serde_json::from_value::<Settings>(json.clone()) {
            Ok(read) if in_range(&read) => settings = read,
            _ => {
                tracing::warn!(key, "a stored setting makes no sense here and is ignored");
                json[&key] = before;
            }
        }
    }
    // Each number may be right and the pair wrong, if two versions of Aula wrote them.
    if settings.max_reply_tokens >= settings.context_len {
        settings.max_reply_tokens = settings.context_len / 2;
    }
    Ok(settings)
}

fn as_json(settings: &Settings) -> Reply<Value> {
    serde_json::to_value(settings).map_err(|error| {
        tracing::error!(%error, "settings could not be written as JSON");
        explain(&Refusal::TaskDied { what: "writing the settings" }, None)
    })
}

fn in_range(settings: &Settings) -> bool {
    CONTEXT_LEN.contains(&settings.context_len)
        && REPLY_TOKENS.contains(&settings.max_reply_tokens)
        && IDLE_MINUTES.contains(&settings.idle_unload_minutes)
        && DOWNLOAD_LIMIT_KB.contains(&settings.download_limit_kb)
}

fn check(settings: &Settings) -> Result<(), Refusal> {
    let range = |name, value, range: std::ops::RangeInclusive<u32>| {
        let (least, most) = (*range.start(), *range.end());
        if range.contains(&value) { Ok(()) } else { Err(Refusal::OutOfRange { name, least, most }) }
    };
    range("the context length", settings.context_len, CONTEXT_LEN)?;
    range("the reply cap", settings.max_reply_tokens, REPLY_TOKENS)?;
    range("the minutes without a question", settings.idle_unload_minutes, IDLE_MINUTES)?;
    range("the limit for downloads in kilobytes a second", settings.download_limit_kb, DOWNLOAD_LIMIT_KB)?;
    if settings.max_reply_tokens >= settings.context_len {
        return Err(Refusal::ReplyTooLong { reply: settings.max_reply_tokens, context: settings.context_len });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored(values: Value) -> Settings {
        let Value::Object(values) = values else { panic!("an object") };
        overlay(defaults(None), values.into_iter().collect()).expect("settings")
    }

    #[test]
    fn the_system_language_is_the_first_language() {
        for (locale, language) in [
            (Some("en_GB.UTF-8"), Language::En),
            (Some("pt_BR"), Language::Pt),
            (Some("es-CO"), Language::Es),
            (Some("C"), Language::Es),
            (Some("ñandú"), Language::Es),
            (None, Language::Es),
        ] {
            assert_eq!(defaults(locale).language, language, "{locale:?}");
        }
    }

    #[test]
    fn stored_values_that_make_sense_are_taken() {
        let settings = stored(json!({ "theme": "dark", "contextLen": 8192, "modelId": "e2b" }));
        assert_eq!((settings.theme, settings.context_len), (Theme::Dark, 8192));
        assert_eq!(settings.model_id.as_deref(), Some("e2b"));
    }

    #[test]
    fn stored_values_that_do_not_are_ignored_one_by_one() {
        let settings =
            stored(json!({ "theme": "mauve", "contextLen": 9, "maxReplyTokens": "x", "future": 1, "textSize": "l" }));
        assert_eq!(settings, Settings { text_size: TextSize::L, ..defaults(None) });
    }

    #[test]
    fn a_stored_reply_cap_never_reaches_the_context_length() {
        assert_eq!(stored(json!({ "contextLen": 512 })).max_reply_tokens, 256);
    }

    #[test]
    fn limits_are_checked() {
        let with = |context_len, max_reply_tokens| Settings { context_len, max_reply_tokens, ..defaults(None) };
        for (good, context_len, reply) in [
            (true, 512, 511),
            (true, 32_768, 8_192),
            (false, 511, 100),
            (false, 32_769, 100),
            (false, 4096, 15),
            (false, 16_384, 8_193),
            (false, 1024, 1024),
        ] {
            assert_eq!(check(&with(context_len, reply)).is_ok(), good, "{context_len} {reply}");
        }
    }
}
