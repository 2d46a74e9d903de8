//! The system's keychain: Keychain Services, Credential Manager, or the Secret Service of the desktop.

use super::secrets::{SecretError, SecretStore};
use cloud::Secret;
use keyring::{Entry, Error};

/// What the system lists our entries under.
const SERVICE: &str = "aula";

/// The keychain of the person who is logged in. Every call may wait for the system to ask that person.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keychain;

impl SecretStore for Keychain {
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretError> {
        match entry(account)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed("read", &error)),
        }
    }

    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError> {
        entry(account)?.set_password(secret.reveal()).map_err(|error| failed("keep", &error))
    }

    fn remove(&self, account: &str) -> Result<(), SecretError> {
        match entry(account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failed("remove", &error)),
        }
    }
}

fn entry(account: &str) -> Result<Entry, SecretError> {
    if let Err(error) = Entry::store_status() {
        return Err(failed("open", error));
    }
    Entry::new(SERVICE, account).map_err(|error| failed("open", &error))
}

/// What went wrong in a word of ours. The library's own texts may hold what was stored, so they are not passed on.
fn failed(doing: &'static str, error: &Error) -> SecretError {
    let why = match error {
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => "this system has none",
        Error::NoStorageAccess(_) => "it is locked, or may not be used",
        Error::PlatformFailure(_) => "the system refused",
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what is kept there is not ours",
        Error::Ambiguous(_) => "there is more than one entry",
        _ => "the entry is not accepted",
    };
    SecretError { doing, why }
}
