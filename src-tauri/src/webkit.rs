//! WebKitGTK's blank window: prevented where that is known to work, noticed and restarted once where it is not.
//!
//! On many Linux machines (NVIDIA, some Wayland sessions) the DMABUF renderer leaves the window blank, so it is turned
//! off before GTK starts. If the page still does not report its first paint, the program starts itself again without
//! accelerated compositing. Variables are set by starting the program anew in the same process: setting them in a
//! running process is not safe, and GTK reads them only once.

use api::App;
use std::time::Duration;

/// Turns WebKit's DMABUF renderer off.
const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Turns WebKit's accelerated compositing off.
const NO_COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
/// Set by the restart, so that there is only one.
const SAFE_MODE: &str = "AULA_SAFE_MODE";
/// The page must have painted within this time. Slow disks need many seconds for WebKit's first start.
const PATIENCE: Duration = Duration::from_secs(25);

/// The variables to start anew with, if any; `set` tells whether a variable is set, to whatever.
fn missing(set: impl Fn(&str) -> bool) -> Option<[(&'static str, &'static str); 1]> {
    (cfg!(target_os = "linux") && !set(NO_DMABUF)).then_some([(NO_DMABUF, "1")])
}

/// The variables of the safe mode; `None` where it is in force already or would change nothing.
fn safe_mode(set: impl Fn(&str) -> bool) -> Option<[(&'static str, &'static str); 2]> {
    (cfg!(target_os = "linux") && !set(SAFE_MODE)).then_some([(NO_COMPOSITING, "1"), (SAFE_MODE, "1")])
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// Makes sure that the variables are set before GTK starts. Does not return where the program is started anew.
pub(crate) fn prepare() {
    if let Some(variables) = missing(is_set) {
        start_anew(&variables);
    }
}

/// Waits for the page's first paint; without one, closes what must be closed and starts in safe mode.
pub(crate) async fn watch_first_paint(app: App) {
    let mut paints = app.page_paints();
    let painted = tokio::time::timeout(PATIENCE, paints.wait_for(|paints| *paints > 0)).await.is_ok();
    if painted {
        tracing::info!("the page has painted");
        return;
    }
    tracing::error!("the page has not painted in {} s", PATIENCE.as_secs());
    // In development the page's server may not be there yet.
    if !tauri::is_dev()
        && let Some(variables) = safe_mode(is_set)
    {
        tracing::error!("starting again without accelerated graphics");
        app.close().await;
        start_anew(&variables);
    }
}

/// Replaces this process by the same program with these variables. Returns only if that fails.
#[cfg(unix)]
fn start_anew(variables: &[(&str, &str)]) {
    use std::os::unix::process::CommandExt;
    let Ok(program) = std::env::current_exe() else { return };
    let error =
        std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(variables.iter().copied()).exec();
    // Then it goes on as it is: most machines paint anyway.
    tracing::warn!(%error, "could not start anew");
}

#[cfg(not(unix))]
fn start_anew(_variables: &[(&str, &str)]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_set_is_left_alone() {
        assert_eq!(missing(|_| false), Some([("WEBKIT_DISABLE_DMABUF_RENDERER", "1")]));
        assert_eq!(missing(|name| name == NO_DMABUF), None);
    }

    #[test]
    fn safe_mode_is_tried_once() {
        let variables = safe_mode(|_| false).expect("a first time");
        assert_eq!(safe_mode(|name| variables.iter().any(|(set, _)| *set == name)), None);
    }
}
