//! Settings as the page reads and writes them.

use crate::{Bench, say};
use api::dto::{ErrorCode, Language, Settings, TextSize, Theme};
use api::scripted::ScriptedModels;

#[tokio::test]
async fn defaults_then_what_was_set_also_after_a_restart() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let first = api::settings::get(&bench.app).await.expect("get");
    let expected = Settings {
        language: Language::En,
        theme: Theme::System,
        text_size: TextSize::S,
        reduce_motion: false,
        context_len: 4096,
        max_reply_tokens: 1024,
        model_id: None,
        idle_unload_minutes: 10,
        download_limit_kb: 0,
        battery_saver: true,
        keep_ready: false,
    };
    assert_eq!(first, expected);
    let chosen = Settings { language: Language::Pt, theme: Theme::Dark, max_reply_tokens: 64, ..first };
    assert_eq!(api::settings::set(&bench.app, chosen.clone()).await.expect("set"), chosen);
    let bench = bench.restarted().await;
    assert_eq!(api::settings::get(&bench.app).await.expect("get"), chosen);

    // They take effect with the next question.
    bench.answered(None, "q").await;
    let request = &bench.models.requests()[0];
    assert_eq!(request.max_tokens, 64);
    assert!(request.messages[0].content.starts_with("Você é Aula"));
}

#[tokio::test]
async fn settings_out_of_range_are_refused_whole() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let good = api::settings::get(&bench.app).await.expect("get");
    let bad = [
        Settings { context_len: 100, ..good.clone() },
        Settings { idle_unload_minutes: 241, ..good.clone() },
        Settings { download_limit_kb: 1_000_001, ..good.clone() },
        Settings { max_reply_tokens: 4096, theme: Theme::Dark, ..good.clone() },
    ];
    for bad in bad {
        let error = api::settings::set(&bench.app, bad).await.expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
    let unknown = Settings { model_id: Some("nothing".into()), ..good.clone() };
    assert_eq!(api::settings::set(&bench.app, unknown).await.expect_err("refused").code, ErrorCode::NotFound);
    assert_eq!(api::settings::get(&bench.app).await.expect("get"), good);
}

#[tokio::test]
async fn the_model_is_opened_anew_only_where_that_is_needed() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    let bench = Bench::with(models).await;
    bench.answered(None, "q").await;
    let settings = api::settings::get(&bench.app).await.expect("get");
    let dark = Settings { theme: Theme::Dark, max_reply_tokens: 100, ..settings };
    api::settings::set(&bench.app, dark.clone()).await.expect("set");
    assert_eq!(bench.models.opened().len(), 1);
    api::settings::set(&bench.app, Settings { context_len: 8192, ..dark }).await.expect("set");
    assert_eq!(bench.models.opened(), [("demo".to_owned(), 4096), ("demo".to_owned(), 8192)]);
    bench.answered(None, "q").await;
}

#[tokio::test]
async fn a_chosen_model_that_was_removed_blocks_nothing() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.install(&["demo", "e2b"]);
    let bench = Bench::with(models).await;
    api::models::select(&bench.app, Some("e2b".into())).await.expect("select");
    bench.models.install(&["demo"]);
    let bench = bench.restarted().await;
    let settings = api::settings::get(&bench.app).await.expect("get");
    assert_eq!(settings.model_id.as_deref(), Some("e2b"));
    api::settings::set(&bench.app, Settings { theme: Theme::Dark, ..settings }).await.expect("set");
    bench.answered(None, "q").await;
    assert_eq!(bench.models.opened().last().map(|(id, _)| id.as_str()), Some("demo"));
}
