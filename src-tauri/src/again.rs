//! A second start of Aula brings the first one's window to the front.
//!
//! The first listens on a socket in the data folder, which only the person who runs it may open; the second knocks there and
//! ends when it is answered. No bus and no network are needed. Where this does not work (a folder whose path is too long
//! for a socket, Windows), the second start says that Aula is already open, as the data's own lock makes sure.

use std::path::{Path, PathBuf};

/// What the first start says once its window is in front.
const SHOWN: u8 = b'!';

/// Where the first start listens.
fn door(data_dir: &Path) -> PathBuf {
    data_dir.join("window.socket")
}

/// Asks an Aula that is open on the same data to show itself, and tells whether it did.
#[cfg(unix)]
pub(crate) fn knock(data_dir: &Path) -> bool {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    /// Whoever does not answer in this time is not asked again: this start goes on.
    const PATIENCE: Duration = Duration::from_secs(2);

    let Ok(mut first) = UnixStream::connect(door(data_dir)) else { return false };
    let mut answer = [0];
    first.set_read_timeout(Some(PATIENCE)).is_ok() && first.read_exact(&mut answer).is_ok() && answer == [SHOWN]
}

#[cfg(not(unix))]
pub(crate) fn knock(_data_dir: &Path) -> bool {
    false
}

/// Answers every knock as long as `show` succeeds. The socket of a start that was killed is replaced.
#[cfg(unix)]
pub(crate) async fn listen(data_dir: PathBuf, show: impl Fn() -> bool) {
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixListener;

    let door = door(&data_dir);
    let _ = std::fs::remove_file(&door);
    let listener = match UnixListener::bind(&door) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, "a second start will not find this window");
            return;
        }
    };
    loop {
        match listener.accept().await {
            // A window that is closing shows nothing, and so says nothing.
            Ok((mut second, _)) if show() => {
                if let Err(error) = second.write_all(&[SHOWN]).await {
                    tracing::warn!(%error, "a second start did not wait");
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a second start was not heard");
                // Out of file handles, for instance: not in a loop without a pause.
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

/// Closes the door behind the last start.
pub(crate) fn leave(data_dir: &Path) {
    let _ = std::fs::remove_file(door(data_dir));
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn knock_at(folder: &Path) -> bool {
        let folder = folder.to_owned();
        tokio::task::spawn_blocking(move || knock(&folder)).await.expect("ended")
    }

    /// Knocks until somebody opens: the listener may not yet be there.
    async fn until_heard(folder: &Path) {
        while !knock_at(folder).await {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn the_first_start_shows_itself_and_a_closing_one_does_not() {
        tauri::async_runtime::block_on(async {
            let folder = tempfile::tempdir().expect("folder");
            assert!(!knock_at(folder.path()).await, "nobody is there");
            // What a killed start leaves behind.
            drop(std::os::unix::net::UnixListener::bind(door(folder.path())).expect("socket"));
            assert!(!knock_at(folder.path()).await, "somebody was there");

            let (shown, left) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(2)));
            let (count, rest) = (Arc::clone(&shown), Arc::clone(&left));
            let show = move || {
                let open = rest.load(Ordering::SeqCst) > 0;
                count.fetch_add(u32::from(open), Ordering::SeqCst);
                open
            };
            let first = tokio::spawn(listen(folder.path().to_owned(), show));
            until_heard(folder.path()).await;
            assert_eq!(shown.load(Ordering::SeqCst), 1);
            assert!(knock_at(folder.path()).await);
            assert_eq!(shown.load(Ordering::SeqCst), 2);
            left.store(0, Ordering::SeqCst);
            assert!(!knock_at(folder.path()).await, "a closing window answered");
            assert_eq!(shown.load(Ordering::SeqCst), 2);

            first.abort();
            leave(folder.path());
            assert!(!door(folder.path()).exists());
        });
    }
}
