//! A key or token: in memory only, shown nowhere, taken out of whatever a server says.

use std::collections::HashSet;
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

    /// `text` without the secret: not as it is, not URL-encoded, not escaped as in JSON, and not in pieces of 12 bytes.
    pub fn redact(&self, text: &str) -> String {
        let mut hidden = vec![false; text.len()];
        let plain: Vec<Unit> = text.bytes().enumerate().map(|(at, byte)| Unit { byte, at, end: at + 1 }).collect();
        mark(&plain, self.text.as_bytes(), &mut hidden);
        mark(&decoded(text.as_bytes()), self.text.as_bytes(), &mut hidden);
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
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

/// One byte that a text means, and where in the text it is written.
#[derive(Debug, Clone, Copy)]
struct Unit {
    byte: u8,
    at: usize,
    end: usize,
}

/// What `text` means where `%41`, `\u0041`, `\/` and the like are written for what they stand for.
fn decoded(text: &[u8]) -> Vec<Unit> {
    let hex = |from: usize, digits: usize| {
        let digits = std::str::from_utf8(text.get(from..from + digits)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut units = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (character, end) = match (text[at], text.get(at + 1)) {
            (b'%', _) => (hex(at + 1, 2), at + 3),
            (b'\\', Some(b'u')) => (hex(at + 2, 4), at + 6),
            (b'\\', Some(escaped @ (b'/' | b'"' | b'\\'))) => (Some(u32::from(*escaped)), at + 2),
            _ => (None, at + 1),
        };
        let (character, end) = character.map_or((None, at + 1), |character| (Some(character), end));
        match character {
            // `%C3%B1` gives bytes, `\u00f1` a character.
            Some(code) if text[at] == b'\\' => {
                let mut buffer = [0; 4];
                let character = char::from_u32(code).unwrap_or('\u{fffd}');
                units.extend(character.encode_utf8(&mut buffer).bytes().map(|byte| Unit { byte, at, end }));
            }
            Some(code) => units.push(Unit { byte: u8::try_from(code).unwrap_or(0), at, end }),
            None => units.push(Unit { byte: text[at], at, end }),
        }
        at = end;
    }
    units
}

/// Marks in `hidden` every place that belongs to a piece of `secret`.
fn mark(units: &[Unit], secret: &[u8], hidden: &mut [bool]) {
    let piece = secret.len().min(PIECE_BYTES);
    if piece == 0 {
        return;
    }
    let pieces: HashSet<&[u8]> = secret.windows(piece).collect();
    let bytes: Vec<u8> = units.iter().map(|unit| unit.byte).collect();
    for (at, window) in bytes.windows(piece).enumerate() {
        if pieces.contains(window) {
            hidden[units[at].at..units[at + piece - 1].end].fill(true);
        }
    }
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
        let percent = |upper: bool, all: bool| -> String {
            let plain = |byte: &u8| !all && (byte.is_ascii_alphanumeric() || b"-._~".contains(byte));
            let written = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
            KEY.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { written(byte) }).collect()
        };
        let escaped: String = KEY.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
        let writings = [
            KEY.to_owned(),
            json.clone(),
            json.replace('/', "\\/"),
            percent(true, false),
            percent(false, false),
            percent(true, true),
            escaped,
        ];
        for writing in writings {
            let shown = secret.redact(&format!("before {writing} after, and again {writing}"));
            assert!(
                shown.chars().filter(char::is_ascii_digit).count() == 0 && !shown.contains("Ab8R"),
                "{writing}: {shown}"
            );
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
