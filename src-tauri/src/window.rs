//! The one window: it shows our page and nothing else, ever.

use api::App;
use std::path::Path;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{Runtime, Url, WebviewWindowBuilder};

/// Opens the window that the configuration describes.
pub(crate) fn open<R: Runtime>(handle: &tauri::App<R>, app: &App, data: &Path) -> tauri::Result<()> {
    let Some(config) = handle.config().app.windows.first().cloned() else { return Ok(()) };
    let development = handle.config().build.dev_url.clone().filter(|_| tauri::is_dev());
    let app = app.clone();
    WebviewWindowBuilder::from_config(handle.handle(), &config)?
        // What the web view caches lies with the rest of this person's files.
        .data_directory(data.to_owned())
        .on_navigation(move |url| {
            let ours = is_ours(url, development.as_ref());
            if !ours {
                tracing::warn!(scheme = url.scheme(), "the page tried to go elsewhere");
            }
            ours
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |_, load| {
            if load.event() == PageLoadEvent::Started {
                app.page_started();
            }
        })
        .build()?;
    Ok(())
}

/// Shows the window above the others and gives it the keyboard; false where it is closed already.
#[cfg(unix)]
pub(crate) fn bring_to_front<R: Runtime>(handle: &tauri::AppHandle<R>) -> bool {
    use tauri::Manager;
    let Some(window) = handle.webview_windows().into_values().next() else { return false };
    window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()).is_ok()
}

/// Whether `url` is a part of our page: `tauri://localhost`, on Windows `http://tauri.localhost`, or the development
/// server's.
fn is_ours(url: &Url, development: Option<&Url>) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => url.port().is_none(),
        _ => development.is_some_and(|page| page.origin() == url.origin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, development: Option<&str>, expected: bool) {
        let parse = |text: &str| Url::parse(text).expect("a URL");
        assert_eq!(is_ours(&parse(url), development.map(parse).as_ref()), expected, "{url}");
    }

    #[test]
    fn only_our_page_may_be_shown() {
        for ours in ["tauri://localhost/", "tauri://localhost/index.html#x", "http://tauri.localhost/"] {
            check(ours, None, true);
        }
        for foreign in [
            "https://example.org/",
            "http://localhost/",
            "http://tauri.localhost.example.org/",
            "http://tauri.localhost:8080/",
            "tauri://elsewhere/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "http://127.0.0.1:1420/",
        ] {
            check(foreign, None, false);
        }
    }

    #[test]
    fn the_development_server_counts_in_development_only() {
        let server = Some("http://127.0.0.1:1420/");
        check("http://127.0.0.1:1420/src/main.ts", server, true);
        check("http://127.0.0.1:1421/", server, false);
        check("https://example.org/", server, false);
    }
}
