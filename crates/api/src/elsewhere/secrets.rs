//! Keys and tokens: kept in the system's keychain where there is one, otherwise in memory until the program ends.

use cloud::Secret;
use errors::{ErrorCode, Explain};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The system may ask the person for a password before it answers; nobody waits longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where secrets are kept beyond the life of the program. Calls may block until a person answered the system.
pub trait SecretStore: Send + Sync + 'static {
    /// The secret of `account`; `None` where there is none.
    ///
    /// # Errors
    /// If there is no keychain, or it refuses.
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretError>;

    /// Keeps `secret` for `account` in the place of what was there.
    ///
    /// # Errors
    /// If there is no keychain, or it refuses.
    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError>;

    /// Removes what is kept for `account`, if anything is.
    ///
    /// # Errors
    /// If there is no keychain, or it refuses.
    fn remove(&self, account: &str) -> Result<(), SecretError>;
}

/// The keychain did not do it. There is nothing of a secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's keychain could not {doing} the key: {why}")]
pub struct SecretError {
    pub(super) doing: &'static str,
    pub(super) why: &'static str,
}

impl Explain for SecretError {
    fn code(&self) -> ErrorCode {
        ErrorCode::Io
    }

    fn hint(&self) -> Option<String> {
        Some("Unlock the system's keychain and try again.".to_owned())
    }
}

/// A system without a keychain.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

const NONE: SecretError = SecretError { doing: "open", why: "this system has none" };

impl SecretStore for NoSecrets {
    fn get(&self, _account: &str) -> Result<Option<Secret>, SecretError> {
        Err(NONE)
    }

    fn set(&self, _account: &str, _secret: &Secret) -> Result<(), SecretError> {
        Err(NONE)
    }

    fn remove(&self, _account: &str) -> Result<(), SecretError> {
        Err(NONE)
    }
}

/// A keychain that lives as long as the program: for tests and development.
#[derive(Debug, Clone, Default)]
pub struct MemorySecrets {
    kept: Arc<Mutex<HashMap<String, Secret>>>,
}

impl SecretStore for MemorySecrets {
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretError> {
        Ok(lock(&self.kept).get(account).cloned())
    }

    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError> {
        lock(&self.kept).insert(account.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), SecretError> {
        lock(&self.kept).remove(account);
        Ok(())
    }
}

/// Where a secret ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Keychain,
    Session,
}

/// The secrets that this run of the program knows, in front of the keychain. What was read once stays in memory, so
/// that the system asks the person at most once.
pub(crate) struct Secrets {
    store: Arc<dyn SecretStore>,
    known: Mutex<HashMap<String, Secret>>,
    /// One call at a time: two would ask the person twice.
    call: Arc<tokio::sync::Mutex<()>>,
    patience: Duration,
}

impl Secrets {
    pub(crate) fn new(store: Arc<dyn SecretStore>) -> Self {
        Self { store, known: Mutex::default(), call: Arc::default(), patience: PATIENCE }
    }

    /// Whether this run knows a secret of `account`.
    pub(crate) fn is_known(&self, account: &str) -> bool {
        lock(&self.known).contains_key(account)
    }

    /// The secret of `account`; `in_keychain` says whether one was put there.
    ///
    /// # Errors
    /// If the keychain refuses, or takes too long.
    pub(crate) async fn get(&self, account: &str, in_keychain: bool) -> Result<Option<Secret>, SecretError> {
        if let Some(known) = lock(&self.known).get(account) {
            return Ok(Some(known.clone()));
        }
        if !in_keychain {
            return Ok(None);
        }
        let name = account.to_owned();
        let found = self.ask("read", move |store| store.get(&name)).await?;
        if let Some(found) = &found {
            lock(&self.known).insert(account.to_owned(), found.clone());
        }
        Ok(found)
    }

    /// Keeps `secret` for `account`: in the keychain, or in memory alone where that is not possible.
    pub(crate) async fn set(&self, account: &str, secret: Secret) -> Kept {
        let (name, kept) = (account.to_owned(), secret.clone());
        let stored = self.ask("keep", move |store| store.set(&name, &kept)).await;
        lock(&self.known).insert(account.to_owned(), secret);
        match stored {
            Ok(()) => Kept::Keychain,
            Err(error) => {
                tracing::info!(%error, "a key is kept until the program ends");
                Kept::Session
            }
        }
    }

    /// Forgets the secret of `account`, and removes it from the keychain where `in_keychain` says that one was put there.
    ///
    /// # Errors
    /// If the keychain refuses: this run forgot it, the keychain did not.
    pub(crate) async fn remove(&self, account: &str, in_keychain: bool) -> Result<(), SecretError> {
        lock(&self.known).remove(account);
        if !in_keychain {
            return Ok(());
        }
        let name = account.to_owned();
        self.ask("remove", move |store| store.remove(&name)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&dyn SecretStore) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let store = Arc::clone(&self.store);
        let turn = Arc::clone(&self.call);
        let answer = async move {
            let turn = turn.lock_owned().await;
            let call = move || {
                let done = call(&*store);
                drop(turn);
                done
            };
            tokio::task::spawn_blocking(call).await.unwrap_or(Err(SecretError { doing, why: "the system broke off" }))
        };
        let late = SecretError { doing, why: "nobody answered the system" };
        tokio::time::timeout(self.patience, answer).await.unwrap_or(Err(late))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A keychain that waits for a person who is not there.
    struct Silent;

    impl SecretStore for Silent {
        fn get(&self, _account: &str) -> Result<Option<Secret>, SecretError> {
            std::thread::sleep(Duration::from_millis(400));
            Ok(None)
        }
        fn set(&self, account: &str, _secret: &Secret) -> Result<(), SecretError> {
            self.get(account).map(drop)
        }
        fn remove(&self, account: &str) -> Result<(), SecretError> {
            self.get(account).map(drop)
        }
    }

    fn secrets(store: impl SecretStore) -> Secrets {
        Secrets { patience: Duration::from_millis(50), ..Secrets::new(Arc::new(store)) }
    }

    #[tokio::test]
    async fn a_keychain_keeps_and_forgets() {
        let keychain = MemorySecrets::default();
        let first = secrets(keychain.clone());
        assert_eq!(first.set("a", Secret::new("key")).await, Kept::Keychain);
        let second = secrets(keychain);
        assert!(second.get("a", false).await.expect("asked").is_none(), "nobody said that one was put there");
        assert_eq!(second.get("a", true).await.expect("asked").expect("kept").reveal(), "key");
        second.remove("a", true).await.expect("removed");
        assert!(!second.is_known("a"));
        assert!(second.get("a", true).await.expect("asked").is_none());
    }

    #[tokio::test]
    async fn without_a_keychain_a_secret_lives_until_the_end() {
        let here = secrets(NoSecrets);
        assert_eq!(here.set("a", Secret::new("key")).await, Kept::Session);
        assert_eq!(here.get("a", false).await.expect("known").expect("kept").reveal(), "key");
        here.remove("a", false).await.expect("forgotten");
        assert!(here.get("a", false).await.expect("asked").is_none());
    }

    #[tokio::test]
    async fn a_keychain_that_does_not_answer_holds_nobody_up() {
        let here = secrets(Silent);
        assert_eq!(here.set("a", Secret::new("key")).await, Kept::Session);
        let error = here.get("b", true).await.expect_err("silent");
        assert_eq!(error.to_string(), "the system's keychain could not read the key: nobody answered the system");
        assert!(here.remove("a", true).await.is_err(), "what is left there is said");
        assert!(!here.is_known("a"));
    }
}
