//! The display: reached before anything else is opened, and missed in words instead of a crash.
//!
//! GTK gives up at once where nobody listens, but waits for ever for a display that accepts the connection and never
//! answers. So it is asked under a watch.

use std::fmt;

/// Why there can be no window, in the words of the person who started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoDisplay {
    /// The display's name, as the environment gives it; empty where it names none.
    name: String,
    locale: Option<String>,
}

impl fmt::Display for NoDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, locale } = self;
        match (locale.as_deref().unwrap_or_default().get(..2), name.as_str()) {
            (Some("en"), "") => write!(f, "Aula found no display for its window.")?,
            (Some("en"), name) => write!(f, "Aula cannot open its window: the display {name} does not answer.")?,
            (Some("pt"), "") => write!(f, "A Aula não encontrou uma tela para a sua janela.")?,
            (Some("pt"), name) => write!(f, "A Aula não consegue abrir a sua janela: a tela {name} não responde.")?,
            (_, "") => write!(f, "Aula no encontró una pantalla para su ventana.")?,
            (_, name) => write!(f, "Aula no puede abrir su ventana: la pantalla {name} no responde.")?,
        }
        match locale.as_deref().unwrap_or_default().get(..2) {
            Some("en") => write!(f, " In this terminal the same tutor is called: aula chat"),
            Some("pt") => write!(f, " Neste terminal o mesmo tutor se chama: aula chat"),
            _ => write!(f, " En esta terminal el mismo tutor se llama: aula chat"),
        }
    }
}

/// Connects to the display. Where it stays silent, this says so and ends the program: the thread that asks cannot be
/// called back, and nothing else has been opened yet.
#[cfg(target_os = "linux")]
pub(crate) fn connect(locale: Option<&str>) -> Result<(), NoDisplay> {
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::time::Duration;

    /// A display on this computer answers in milliseconds; one at the other end of a bad line, in seconds.
    const PATIENCE: Duration = Duration::from_secs(10);

    let failure = NoDisplay { name: name(|key| std::env::var(key).ok()), locale: locale.map(str::to_owned) };
    let (answered, watch) = mpsc::channel::<()>();
    let silent = failure.clone();
    std::thread::spawn(move || {
        if let Err(RecvTimeoutError::Timeout) = watch.recv_timeout(PATIENCE) {
            eprintln!("{silent}");
            std::process::exit(1);
        }
    });
    let opened = gtk::init();
    drop(answered);
    opened.map_err(|_| failure)
}

/// Elsewhere a window needs no server.
#[cfg(not(target_os = "linux"))]
pub(crate) fn connect(_locale: Option<&str>) -> Result<(), NoDisplay> {
    Ok(())
}

/// The display that GTK tries last and blames: X11's, otherwise Wayland's.
#[cfg(any(target_os = "linux", test))]
fn name(variable: impl Fn(&str) -> Option<String>) -> String {
    let set = |key| variable(key).filter(|value| !value.is_empty());
    set("DISPLAY").or_else(|| set("WAYLAND_DISPLAY")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_in_each_language_and_the_way_out() {
        let say = |name: &str, locale: Option<&str>| {
            NoDisplay { name: name.to_owned(), locale: locale.map(str::to_owned) }.to_string()
        };
        for (locale, words) in [
            (Some("es_CO.UTF-8"), ["la pantalla :77 no responde", "no encontró"]),
            (Some("en_GB.UTF-8"), ["the display :77 does not answer", "found no display"]),
            (Some("pt_BR.UTF-8"), ["a tela :77 não responde", "não encontrou"]),
            (None, ["la pantalla :77 no responde", "no encontró"]),
        ] {
            assert!(say(":77", locale).contains(words[0]), "{locale:?}: {}", say(":77", locale));
            assert!(say("", locale).contains(words[1]), "{locale:?}: {}", say("", locale));
            for name in [":77", ""] {
                assert!(say(name, locale).ends_with("aula chat"));
            }
        }
    }

    #[test]
    fn the_display_that_is_blamed() {
        let of = |pairs: &[(&str, &str)]| {
            name(|key| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("DISPLAY", ":0"), ("WAYLAND_DISPLAY", "wayland-0")]), ":0");
        assert_eq!(of(&[("DISPLAY", ""), ("WAYLAND_DISPLAY", "wayland-0")]), "wayland-0");
        assert_eq!(of(&[]), "");
    }
}
