//! The PIN: its form, and its hash.

use crate::failure::{Refusal, Reply};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};

/// A PIN has so many digits.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// Refuses what is neither a PIN nor empty, which removes it.
pub(super) fn check_form(pin: &str) -> Reply<()> {
    let right = pin.is_empty() || (DIGITS.contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit()));
    if right { Ok(()) } else { Err(Refusal::PinForm { least: *DIGITS.start(), most: *DIGITS.end() }.into()) }
}

/// The hash of `pin` as a PHC string, with a salt of its own.
pub(super) async fn hash(pin: String) -> Reply<String> {
    slowly(move || {
        let hash = Argon2::default().hash_password(pin.as_bytes()).map_err(|error| broken("hash a PIN", &error))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `hash` is that of `pin`.
pub(super) async fn matches(pin: String, hash: String) -> Reply<bool> {
    slowly(move || {
        let hash = PasswordHash::new(&hash).map_err(|error| broken("read the hash of a PIN", &error))?;
        Ok(Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
    })
    .await
}

/// A hash is slow on purpose: some dozen milliseconds and 19 MiB.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Reply<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Refusal::TaskDied { what: "comparing the PIN" }.into()),
    }
}

fn broken(what: &'static str, error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "could not {what}");
    Refusal::TaskDied { what: "comparing the PIN" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_to_eight_digits() {
        for (pin, right) in [
            ("", true),
            ("1234", true),
            ("12345678", true),
            ("123", false),
            ("123456789", false),
            ("12a4", false),
            ("１２３４", false),
        ] {
            assert_eq!(check_form(pin).is_ok(), right, "{pin}");
        }
    }

    #[tokio::test]
    async fn a_hash_knows_its_pin_and_hides_it() {
        let hash = hash("4711".into()).await.expect("hash");
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(!hash.contains("4711"));
        assert_ne!(hash, super::hash("4711".into()).await.expect("hash"), "each has its own salt");
        assert!(matches("4711".into(), hash.clone()).await.expect("compare"));
        assert!(!matches("4712".into(), hash).await.expect("compare"));
        assert!(matches("4711".into(), "nonsense".into()).await.is_err());
    }
}
