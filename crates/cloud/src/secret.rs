//! A key or token: in memory only, shown nowhere, taken out of whatever a server says.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Pieces of a secret at least this long are taken out of texts too: servers quote keys in part.
const PIECE_BYTES: usize = 12;
/// What stands where a secret was.
const MARK: &str = "…";

/// A key or token. Clones share one memory, which is overwritten with zeros when the last goes; `Debug` prints `…`.
#[derive(Clone)]
pub struct Secret {
    text: Arc<Zeroizing<String>>,
}

impl Secret {
    /// Keeps `text` without the white space around it, which comes along when a key is pasted.
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self { text: Arc::new(Zeroizing::new(text.trim().to_owned())) }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The secret itself: for the header of a request and for the system's keychain, nothing else.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// `text` without the secret: not as it is, not URL-encoded, not as JSON writes it, and not in pieces of 12 bytes.
    pub fn redact(&self, text: &str) -> String {
        let mut hidden = vec![false; text.len()];
        for form in self.forms() {
            mark(text.as_bytes(), form.as_bytes(), &mut hidden);
        }
        let mut shown = String::with_capacity(text.len());
        let mut in_mark = false;
        for (at, character) in text.char_indices() {
            let hide = hidden[at..at + character.len_utf8()].iter().any(|byte| *byte);
            if !hide {
                shown.push(character);
            } else if !in_mark {
                shown.push_str(MARK);
            }
            in_mark = hide;
        }
        shown
    }

    /// The ways in which the secret is written. Each is overwritten with zeros after use.
    fn forms(&self) -> Vec<Zeroizing<String>> {
        let json = serde_json::to_string(self.reveal()).map(Zeroizing::new).unwrap_or_default();
        let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
        let slashes = Zeroizing::new(inner.replace('/', "\\/"));
        let form = Zeroizing::new(percent_encoded(self.reveal(), true)).replace("%20", "+");
        let mut forms = vec![
            Zeroizing::new(self.reveal().to_owned()),
            Zeroizing::new(inner.to_owned()),
            slashes,
            Zeroizing::new(percent_encoded(self.reveal(), true)),
            Zeroizing::new(percent_encoded(self.reveal(), false)),
            Zeroizing::new(form),
        ];
        forms.retain(|form| !form.is_empty());
        forms
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

/// Marks in `hidden` every byte of `text` that belongs to a piece of `form`.
fn mark(text: &[u8], form: &[u8], hidden: &mut [bool]) {
    let piece = form.len().min(PIECE_BYTES);
    if piece == 0 || text.len() < piece {
        return;
    }
    let pieces: std::collections::HashSet<&[u8]> = form.windows(piece).collect();
    for (at, window) in text.windows(piece).enumerate() {
        if pieces.contains(window) {
            hidden[at..at + piece].fill(true);
        }
    }
}

/// `text` as it stands in a URL: everything but letters, digits and `-._~` as `%XX`.
fn percent_encoded(text: &str, upper: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else if upper {
            encoded.push_str(&format!("%{byte:02X}"));
        } else {
            encoded.push_str(&format!("%{byte:02x}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AQ.Ab8R+/x=\"\\ñ_0123456789";

    #[test]
    fn every_way_of_writing_it_is_taken_out() {
        let secret = Secret::new(format!("  {KEY}\n"));
        assert_eq!(secret.reveal(), KEY);
        let json = serde_json::to_string(KEY).expect("JSON");
        let writings = [
            KEY.to_owned(),
            json.clone(),
            json.replace('/', "\\/"),
            percent_encoded(KEY, true),
            percent_encoded(KEY, false),
        ];
        for writing in writings {
            let shown = secret.redact(&format!("before {writing} after, and again {writing}"));
            assert!(!shown.contains("0123456789") && !shown.contains("Ab8R"), "{writing}: {shown}");
            assert!(shown.starts_with("before ") && shown.contains(" after, and again "), "{shown}");
        }
        assert_eq!(format!("{secret:?}"), "…");
    }

    #[test]
    fn a_piece_of_it_is_taken_out_too() {
        let secret = Secret::new("AQ.abcdefghijklmnopqrstuvwxyz");
        assert_eq!(secret.redact("key AQ.abcdefghijk… is wrong"), "key …… is wrong");
        assert_eq!(secret.redact("ends in opqrstuvwxyz"), "ends in …");
        assert_eq!(secret.redact("abc is no secret, ñandú neither"), "abc is no secret, ñandú neither");
    }

    #[test]
    fn a_short_token_is_taken_out_whole_and_an_empty_one_changes_nothing() {
        assert_eq!(Secret::new("aula").redact("token aula, aulas"), "token …, …s");
        assert_eq!(Secret::new(" ").redact("as it was"), "as it was");
        assert!(Secret::new(" ").is_empty());
    }
}
