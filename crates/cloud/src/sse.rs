//! Server-sent events: bytes in, events out.
//!
//! By the standard (<https://html.spec.whatwg.org/multipage/server-sent-events.html>) with one addition. Services report
//! an error in the middle of a stream as plain JSON, over several lines and without `data:`; a decoder by the letter
//! drops such lines, and a cut answer looks whole. Here they come out as [`Item::Bare`]. No field name begins with a
//! brace or a bracket, so nothing else is lost.
//!
//! Lines end at CR, LF or CRLF and nowhere else: U+2028 and U+0085 may stand raw inside a JSON string. Bytes are
//! gathered until a line is whole, so a character may be cut anywhere.

/// Longest line, event or bare object unless somebody chose otherwise.
pub const DEFAULT_MOST_BYTES: usize = 4 << 20;

/// What a stream of events holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event by the standard.
    Event(Event),
    /// JSON that stood in the stream without `data:`: an error, or a whole answer of a server that does not stream.
    Bare(String),
}

/// An event. `id` and `retry` are for connecting again, which an answer of a model does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind, `message` where none is given.
    pub kind: String,
    /// Its data, lines joined by `\n`. Some services end their stream with `[DONE]` here.
    pub data: String,
}

/// A line, an event or a bare object grew over the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {most_bytes} bytes")]
pub struct TooLarge {
    /// The cap.
    pub most_bytes: usize,
}

/// Decodes one stream.
#[derive(Debug)]
pub struct Decoder {
    most_bytes: usize,
    /// The line that is not yet whole.
    line: Vec<u8>,
    /// The last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
    /// No line has been read: a byte-order mark may come first.
    at_start: bool,
    kind: String,
    /// Data lines, each with its `\n`; none where no data line has come.
    data: Option<String>,
    bare: Option<Bare>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DEFAULT_MOST_BYTES)
    }
}

impl Decoder {
    /// A decoder that holds at most about twice `most_bytes`.
    pub fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            kind: String::new(),
            data: None,
            bare: None,
        }
    }

    /// Takes the next bytes, cut anywhere; returns what became whole.
    ///
    /// # Errors
    /// If a line, an event or a bare object is larger than the cap.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Item>, TooLarge> {
        let mut items = Vec::new();
        for byte in bytes {
            let follows_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if follows_cr => {}
                b'\r' | b'\n' => self.end_line(&mut items)?,
                _ => {
                    if self.line.len() == self.most_bytes {
                        return Err(TooLarge { most_bytes: self.most_bytes });
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(items)
    }

    /// The stream is over. What was not ended by a blank line comes out all the same, although the standard drops it:
    /// some servers leave the last line end out, and whoever reads the JSON sees whether it is whole.
    ///
    /// # Errors
    /// If the last event is larger than the cap.
    pub fn finish(mut self) -> Result<Vec<Item>, TooLarge> {
        let mut items = Vec::new();
        if !self.line.is_empty() {
            self.end_line(&mut items)?;
        }
        if let Some(bare) = self.bare.take() {
            items.push(Item::Bare(bare.text));
        }
        self.dispatch(&mut items);
        Ok(items)
    }

    fn end_line(&mut self, items: &mut Vec<Item>) -> Result<(), TooLarge> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line: &str = &text;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if self.bare.is_some() || line.trim_start().starts_with(['{', '[']) {
            return self.bare_line(line, items);
        }
        if line.is_empty() {
            self.dispatch(items);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                let data = self.data.get_or_insert_default();
                data.push_str(value);
                data.push('\n');
                if data.len() > self.most_bytes {
                    return Err(TooLarge { most_bytes: self.most_bytes });
                }
            }
            // Comments, `id`, `retry` and whatever else.
            _ => {}
        }
        Ok(())
    }

    /// A blank line: the event is whole. Without data there is none.
    fn dispatch(&mut self, items: &mut Vec<Item>) {
        let kind = std::mem::take(&mut self.kind);
        let Some(mut data) = self.data.take() else { return };
        data.pop();
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        items.push(Item::Event(Event { kind, data }));
    }

    fn bare_line(&mut self, line: &str, items: &mut Vec<Item>) -> Result<(), TooLarge> {
        // What was gathered before stands: an error may follow an event that lacks its blank line.
        if self.bare.is_none() {
            self.dispatch(items);
        }
        let mut bare = self.bare.take().unwrap_or_default();
        for character in line.chars() {
            if bare.take(character) {
                items.push(Item::Bare(std::mem::take(&mut bare).text));
            }
        }
        if bare.depth == 0 {
            return Ok(());
        }
        bare.end_line();
        if bare.text.len() > self.most_bytes {
            return Err(TooLarge { most_bytes: self.most_bytes });
        }
        self.bare = Some(bare);
        Ok(())
    }
}

/// JSON that is being gathered, until its brackets are balanced.
#[derive(Debug, Default)]
struct Bare {
    text: String,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Bare {
    /// Takes a character; returns whether the value is whole with it. Between values nothing is kept.
    fn take(&mut self, character: char) -> bool {
        if self.depth == 0 && !matches!(character, '{' | '[') {
            return false;
        }
        self.text.push(character);
        if self.in_string {
            match character {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match character {
            '"' => self.in_string = true,
            '{' | '[' => self.depth += 1,
            '}' | ']' => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    /// No string of JSON goes on in the next line: whatever was open is damaged, and its brackets count again.
    fn end_line(&mut self) {
        self.in_string = false;
        self.escaped = false;
        self.text.push('\n');
    }
}
