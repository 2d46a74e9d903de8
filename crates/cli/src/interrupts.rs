//! Ctrl-C as something to wait for.

use tokio::sync::mpsc;

/// Presses of Ctrl-C, none lost between two waits. While one of these exists Ctrl-C does not end the program.
pub struct Interrupts {
    presses: mpsc::UnboundedReceiver<()>,
}

impl Interrupts {
    /// Begins to listen. Call it inside a tokio runtime.
    pub fn listen() -> Self {
        let (to, presses) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // An error means that this system has no Ctrl-C; then nobody ever presses it.
            while tokio::signal::ctrl_c().await.is_ok() && to.send(()).is_ok() {}
        });
        Self { presses }
    }

    /// Waits for the next press.
    pub async fn next(&mut self) {
        if self.presses.recv().await.is_none() {
            std::future::pending().await
        }
    }
}
