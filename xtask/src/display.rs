//! Whether there is a display on this computer that answers: asked before a window is built for it.

use std::time::Duration;

/// A display on this computer answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known of the display.
#[derive(Debug, PartialEq, Eq)]
pub enum Display {
    /// Windows can be shown, or it cannot be told from here.
    There,
    /// The environment names none.
    Unnamed,
    /// The one of this name does not answer.
    Silent(String),
}

/// Asks the display that the environment names. Outside Linux there always is one.
pub fn find() -> Display {
    if !cfg!(target_os = "linux") {
        return Display::There;
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (x11, wayland) = (set("DISPLAY"), set("WAYLAND_DISPLAY"));
    let runtime = set("XDG_RUNTIME_DIR").unwrap_or_default();
    if wayland.as_deref().is_some_and(|name| wayland::answers(&runtime, name)) {
        return Display::There;
    }
    match x11 {
        Some(name) if x11::answers(&name) => Display::There,
        Some(name) => Display::Silent(name),
        None => wayland.map_or(Display::Unnamed, Display::Silent),
    }
}

/// Sends the first words of a protocol; the answer is whether anything comes back in time.
#[cfg(target_os = "linux")]
fn speaks(socket: std::io::Result<std::os::unix::net::UnixStream>, greeting: &[u8]) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut socket) = socket else { return false };
    let limited = socket.set_read_timeout(Some(PATIENCE)).and_then(|()| socket.set_write_timeout(Some(PATIENCE)));
    limited.is_ok() && socket.write_all(greeting).is_ok() && matches!(socket.read(&mut [0]), Ok(1))
}

#[cfg(target_os = "linux")]
mod wayland {
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    /// `wl_display.sync` with the new object 2: every compositor answers that it is done.
    pub fn answers(runtime: &str, name: &str) -> bool {
        let words = [1_u32, 12 << 16, 2];
        let greeting: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        super::speaks(UnixStream::connect(Path::new(runtime).join(name)), &greeting)
    }
}

#[cfg(target_os = "linux")]
mod x11 {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixStream};

    /// Offers protocol 11 without a cookie. A refusal is an answer too: the window brings the cookie.
    pub fn answers(name: &str) -> bool {
        // A display of another computer is left to the window: it is reached over the network.
        let Some(number) = local_number(name) else { return true };
        let path = format!("/tmp/.X11-unix/X{number}");
        let greeting = [b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        // Servers listen under the path, under the same name without a file, or both.
        let unnamed = || SocketAddr::from_abstract_name(&path).and_then(|at| UnixStream::connect_addr(&at));
        super::speaks(UnixStream::connect(&path).or_else(|_| unnamed()), &greeting)
    }

    /// 7 for `:7`, `:7.0` and `unix:7`; none for the display of another computer.
    pub fn local_number(name: &str) -> Option<u32> {
        let (host, number) = name.rsplit_once(':')?;
        if !matches!(host, "" | "unix") {
            return None;
        }
        number.split('.').next()?.parse().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod wayland {
    pub fn answers(_: &str, _: &str) -> bool {
        true
    }
}

#[cfg(not(target_os = "linux"))]
mod x11 {
    pub fn answers(_: &str) -> bool {
        true
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    #[test]
    fn the_number_of_a_display_on_this_computer() {
        for (name, number) in
            [(":0", Some(0)), (":77.1", Some(77)), ("unix:3", Some(3)), ("localhost:10.0", None), ("nonsense", None)]
        {
            assert_eq!(x11::local_number(name), number, "{name}");
        }
    }

    #[test]
    fn a_display_that_answers_and_one_that_is_not_there() {
        let folder = std::env::temp_dir().join(format!("aula-display-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let runtime = folder.to_string_lossy().into_owned();
        let listener = UnixListener::bind(folder.join("wayland-t")).expect("socket");
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            let mut greeting = [0; 12];
            socket.read_exact(&mut greeting).expect("a greeting");
            socket.write_all(&[0; 12]).expect("an answer");
            greeting
        });
        assert!(wayland::answers(&runtime, "wayland-t"));
        let words = server.join().expect("served");
        assert_eq!(&words[4..8], (12_u32 << 16).to_ne_bytes());
        assert!(!wayland::answers(&runtime, "wayland-none"));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_display_that_takes_the_greeting_and_says_nothing_is_silent() {
        let (near, far) = std::os::unix::net::UnixStream::pair().expect("a pair");
        drop(std::thread::spawn(move || {
            // Closed without a word, as by a server that gives up.
            let mut far = far;
            let _ = far.read(&mut [0; 4]);
        }));
        assert!(!speaks(Ok(near), b"hello"));
    }
}
