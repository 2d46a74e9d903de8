//! Whether the network may be used, and what was used of it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::error::Error;

/// Connections that are remembered one by one; older ones are only counted.
const REMEMBERED: usize = 200;

/// What a connection is for. The network is closed to every purpose until a person opens it for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Downloading a model that a person chose.
    ModelDownload,
    /// One answer by Cloud Boost that a person asked for, or the test of its key.
    CloudBoost,
    /// One answer by the school's server that a person asked for, or the test of its address.
    SchoolServer,
}

impl Purpose {
    /// Whether questions and secrets are sent to the other computer. Such a request is never sent on to a third one.
    pub fn sends_words(self) -> bool {
        matches!(self, Self::CloudBoost | Self::SchoolServer)
    }
}

/// One connection that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// When.
    pub at: SystemTime,
    /// The other computer, as it was asked for, e.g. `huggingface.co`; behind a proxy still the computer behind it.
    pub host: String,
    /// What for.
    pub purpose: Purpose,
}

type Observer = Box<dyn Fn(&Connection) + Send + Sync>;

/// The one gate to the network. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    observers: Mutex<Vec<Observer>>,
    count: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Live permits for each purpose.
    permits: HashMap<Purpose, usize>,
    recent: VecDeque<Connection>,
    lookups: u64,
    /// Open HTTP clients; their idle connections end when the last permit goes.
    clients: HashMap<(Purpose, String), reqwest::Client>,
}

impl Gate {
    /// A gate that is closed to everything.
    #[expect(clippy::new_without_default, reason = "a gate is made once, by the one who wires the program")]
    pub fn new() -> Self {
        let inner = Inner { state: Mutex::default(), observers: Mutex::default(), count: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Opens the network for `purpose` as long as the permit lives. Called only where a person asked for it.
    pub fn open(&self, purpose: Purpose) -> Permit {
        *self.state().permits.entry(purpose).or_default() += 1;
        tracing::info!(?purpose, "network opened");
        Permit { gate: self.clone(), purpose }
    }

    /// Whether there is a live permit for `purpose`.
    pub fn is_open(&self, purpose: Purpose) -> bool {
        self.state().permits.contains_key(&purpose)
    }

    /// Whether there is a live permit for anything.
    pub fn is_open_at_all(&self) -> bool {
        !self.state().permits.is_empty()
    }

    /// Connections opened since this gate was made.
    pub fn count(&self) -> u64 {
        *self.inner.count.borrow()
    }

    /// Names looked up since this gate was made.
    pub fn lookups(&self) -> u64 {
        self.state().lookups
    }

    /// [`Self::count`], as it changes.
    pub fn connections(&self) -> watch::Receiver<u64> {
        self.inner.count.subscribe()
    }

    /// The latest connections, newest first; at most 200.
    pub fn recent(&self) -> Vec<Connection> {
        self.state().recent.iter().rev().cloned().collect()
    }

    /// Calls `observer` for each connection from now on, at the moment when it was opened. It must not block for long:
    /// the connection waits for it.
    pub fn on_connect(&self, observer: impl Fn(&Connection) + Send + Sync + 'static) {
        self.inner.observers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// # Errors
    /// If there is no live permit for `purpose`.
    pub(crate) fn check(&self, purpose: Purpose) -> Result<(), Error> {
        if self.is_open(purpose) { Ok(()) } else { Err(Error::Closed { purpose }) }
    }

    /// Counts a connection and tells the observers.
    pub(crate) fn record(&self, host: &str, purpose: Purpose) {
        let connection = Connection { at: SystemTime::now(), host: host.to_owned(), purpose };
        tracing::info!(host, ?purpose, "connected");
        {
            let mut state = self.state();
            if state.recent.len() == REMEMBERED {
                state.recent.pop_front();
            }
            state.recent.push_back(connection.clone());
        }
        self.inner.count.send_modify(|count| *count += 1);
        for observer in self.inner.observers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            observer(&connection);
        }
    }

    pub(crate) fn record_lookup(&self) {
        self.state().lookups += 1;
    }

    /// The open client for `origin`, or the one that `build` makes.
    pub(crate) fn client(
        &self,
        purpose: Purpose,
        origin: &str,
        build: impl FnOnce() -> Result<reqwest::Client, Error>,
    ) -> Result<reqwest::Client, Error> {
        let key = (purpose, origin.to_owned());
        if let Some(client) = self.state().clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build()?;
        let mut state = self.state();
        if !state.permits.contains_key(&purpose) {
            return Err(Error::Closed { purpose });
        }
        state.clients.insert(key, client.clone());
        Ok(client)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one step; a thread that panicked elsewhere leaves nothing half-done here.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Gate").field("permits", &state.permits).field("count", &self.count()).finish_non_exhaustive()
    }
}

/// The right to use the network for one purpose, given back when dropped.
#[derive(Debug)]
#[must_use = "the network closes again when this is dropped"]
pub struct Permit {
    gate: Gate,
    purpose: Purpose,
}

impl Permit {
    /// What for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        let left = state.permits.get(&self.purpose).copied().unwrap_or(0).saturating_sub(1);
        if left > 0 {
            state.permits.insert(self.purpose, left);
            return;
        }
        state.permits.remove(&self.purpose);
        // Idle connections end with their client.
        let (closed, open) = state.clients.drain().partition(|((purpose, _), _)| *purpose == self.purpose);
        state.clients = open;
        drop(state);
        drop::<HashMap<_, _>>(closed);
        tracing::info!(purpose = ?self.purpose, "network closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn it_is_closed_until_the_first_permit_and_after_the_last() {
        let gate = Gate::new();
        assert!(!gate.is_open_at_all());
        let one = gate.open(Purpose::ModelDownload);
        let two = gate.clone().open(Purpose::ModelDownload);
        drop(one);
        assert!(gate.is_open(two.purpose()));
        drop(two);
        assert!(matches!(gate.check(Purpose::ModelDownload), Err(Error::Closed { .. })));
    }

    #[test]
    fn every_connection_is_counted_and_the_latest_are_remembered() {
        let gate = Gate::new();
        let seen = Arc::new(AtomicU64::new(0));
        let observer = Arc::clone(&seen);
        gate.on_connect(move |_| {
            observer.fetch_add(1, Ordering::Relaxed);
        });
        for index in 0..250 {
            gate.record(&format!("host-{index}"), Purpose::ModelDownload);
        }
        assert_eq!((gate.count(), seen.load(Ordering::Relaxed)), (250, 250));
        let recent = gate.recent();
        assert_eq!(recent.len(), REMEMBERED);
        assert_eq!((recent[0].host.as_str(), recent[199].host.as_str()), ("host-249", "host-50"));
    }
}
