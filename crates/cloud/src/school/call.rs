//! One call: a body out, an answer in, piece by piece.

use std::time::{Duration, Instant};

use generation::{TokenEvent, WaitReason};
use network::{Patience, Purpose, Request, Response};
use serde_json::Value;
use tokio::sync::mpsc;

use super::School;
use super::failure::{self, Refusal};
use super::reading::{self, Counts, Finish, Read};
use super::waiting::{Waits, chance};
use crate::answer::Visible;
use crate::error::{Error, shown};
use crate::loops::{Form, Loops};
use crate::sse;

/// Of a refusal's body so much is read.
const MOST_REFUSAL_BYTES: usize = 16 << 10;
/// Of a body so much is kept to see whether it is a page for people.
const HEAD_BYTES: usize = 256;
/// After its end an answer is read on so long, for the counts that may follow.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// Whoever hears of an answer while it grows.
#[derive(Debug)]
pub struct Listener {
    events: mpsc::Sender<TokenEvent>,
    /// When the first and the latest piece came.
    pub first: Option<Instant>,
    /// See `first`.
    pub last: Option<Instant>,
    /// Counts of the latest call.
    pub counts: Counts,
    /// Whether any of the answer was shown.
    pub shown: bool,
}

impl Listener {
    /// Tells `events`.
    pub fn new(events: mpsc::Sender<TokenEvent>) -> Self {
        Self { events, first: None, last: None, counts: Counts::default(), shown: false }
    }

    /// Tells of `event`. Nobody listening is no failure: then the generation is cancelled from elsewhere.
    pub async fn tell(&self, event: TokenEvent) {
        let _ = self.events.send(event).await;
    }

    /// More of the answer.
    pub async fn token(&mut self, text: String) {
        if !text.is_empty() {
            self.shown = true;
            self.tell(TokenEvent::Token { text }).await;
        }
    }

    /// So much has come; only the latest number matters, so one that finds no room is dropped.
    fn receiving(&self, characters: usize) {
        let _ = self.events.try_send(TokenEvent::Receiving { characters });
    }

    fn heard(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
    }
}

/// A whole answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// Everything that stood in the content; of a chat it has been told already.
    pub content: String,
    /// Everything that the server says are thoughts.
    pub thoughts: String,
    /// Whether it was cut by a limit.
    pub is_cut: bool,
    /// Whether there was anything to read in it.
    pub is_empty: bool,
}

/// An answer that is growing.
struct Growing {
    form: Form,
    visible: Visible,
    in_content: Loops,
    in_thoughts: Loops,
    content: String,
    thoughts: String,
    characters: usize,
    finish: Option<Finish>,
    is_done: bool,
    /// Whether anything of an answer came, be it empty.
    any: bool,
}

impl School {
    /// Sends `body` and reads the answer to its end. Text for people is told as it comes, of a result only its length.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached, or the answer is none, breaks off or loops.
    pub(super) async fn call(
        &self,
        body: &Value,
        form: Form,
        with_pictures: bool,
        listener: &mut Listener,
    ) -> Result<Answer, Error> {
        let mut response = self.open(body, with_pictures, listener).await?;
        let mut decoder = sse::Decoder::default();
        let mut head = Vec::new();
        let mut growing = Growing::new(form);
        loop {
            let next = match &growing.finish {
                None => response.chunk().await,
                // What is missing now is only counts; a connection that stays open for nothing is left.
                Some(_) => match tokio::time::timeout(AFTERWARDS, response.chunk()).await {
                    Ok(Ok(next)) => Ok(next),
                    Ok(Err(_)) | Err(_) => break,
                },
            };
            let items = match next {
                Ok(Some(bytes)) => {
                    if !growing.any && head.len() < HEAD_BYTES {
                        head.extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES)]);
                        self.refuse_page(&head)?;
                    }
                    decoder.push(&bytes)
                }
                Ok(None) => {
                    let items = decoder.finish().map_err(|_| self.too_large())?;
                    self.take(items, &mut growing, with_pictures, listener).await?;
                    break;
                }
                Err(cause) if growing.any => return Err(self.broken_off(cause)),
                Err(cause) => return Err(cause.into()),
            };
            self.take(items.map_err(|_| self.too_large())?, &mut growing, with_pictures, listener).await?;
            if growing.is_done {
                break;
            }
        }
        self.finished(growing, &head, listener).await
    }

    /// The answer's head; a busy server is asked again after a pause.
    async fn open(&self, body: &Value, with_pictures: bool, listener: &Listener) -> Result<Response, Error> {
        let bytes = body.to_string().into_bytes();
        let address = self.address().at("/v1/chat/completions");
        let bearer = self.bearer();
        let mut request = Request::post_json(&address, &bytes);
        request.authorization = bearer.as_ref().map(|bearer| bearer.as_str());
        request.patience = Some(self.options.patience);
        let mut waits = Waits::new(self.options.most_waiting, self.options.pause);
        let mut is_fresh = true;
        loop {
            let error = match self.client.send(Purpose::SchoolServer, &request).await {
                Ok(response) if (200..300).contains(&response.status()) => return Ok(response),
                Ok(response) => self.refusal(response, with_pictures).await,
                // A connection kept from before may be closed by the server at the moment of asking.
                Err(network::Error::Broken { .. }) if std::mem::take(&mut is_fresh) => continue,
                Err(error) => return Err(error.into()),
            };
            let asks = match &error {
                Error::Refused { retry_after, .. } if error.may_pass() => *retry_after,
                _ => return Err(error),
            };
            let Some(pause) = waits.next(asks, chance()) else { return Err(error) };
            let seconds = u32::try_from(pause.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
            listener.tell(TokenEvent::Waiting { seconds, reason: WaitReason::Busy }).await;
            tokio::time::sleep(pause).await;
        }
    }

    /// What the server refused with.
    pub(super) async fn refusal(&self, mut response: Response, with_pictures: bool) -> Error {
        let mut bytes = Vec::new();
        while bytes.len() < MOST_REFUSAL_BYTES {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                // What came will do.
                Ok(None) | Err(_) => break,
            }
        }
        bytes.truncate(MOST_REFUSAL_BYTES);
        let refusal = Refusal {
            host: self.address().host(),
            status: response.status(),
            body: &String::from_utf8_lossy(&bytes),
            location: response.header("location"),
            retry_after: response.retry_after(),
        };
        failure::error(refusal, &self.options.model, with_pictures, self.token.as_ref())
    }

    /// Takes what came into the answer.
    async fn take(
        &self,
        items: Vec<sse::Item>,
        growing: &mut Growing,
        with_pictures: bool,
        listener: &mut Listener,
    ) -> Result<(), Error> {
        for item in items {
            let (data, is_error) = match item {
                sse::Item::Event(event) => (event.data, event.kind == "error"),
                sse::Item::Bare(text) => (text, false),
            };
            let error = |said| {
                failure::in_stream(self.address().host(), said, &self.options.model, with_pictures, self.token.as_ref())
            };
            match reading::read(&data) {
                Read::Piece(piece) if !is_error => {
                    let is_text = !piece.text.is_empty() || !piece.thoughts.is_empty();
                    growing.any = true;
                    if is_text {
                        listener.heard();
                    }
                    if let Some(counts) = piece.counts {
                        listener.counts = counts;
                    }
                    let token = growing.take(piece)?;
                    match growing.form {
                        Form::Text => listener.token(token).await,
                        Form::Json if is_text => listener.receiving(growing.characters),
                        Form::Json => {}
                    }
                }
                Read::Done => growing.is_done = true,
                Read::Error(said) => return Err(error(&said)),
                // Some servers say only in the event's name that it is an error.
                _ if is_error => return Err(error(&failure::Said { message: data, ..failure::Said::default() })),
                Read::Piece(_) | Read::Other => {}
                Read::Nonsense(what) => return Err(self.nonsense(&what)),
            }
        }
        Ok(())
    }

    async fn finished(&self, mut growing: Growing, head: &[u8], listener: &mut Listener) -> Result<Answer, Error> {
        let rest = std::mem::take(&mut growing.visible).end();
        let host = || self.address().host().to_owned();
        if growing.form == Form::Text {
            listener.token(rest).await;
        }
        match growing.finish {
            Some(Finish::Filtered) => return Err(Error::Blocked { reason: "content_filter".to_owned() }),
            Some(Finish::Aborted(reason)) => {
                let said = failure::Said { message: format!("abort: {reason}"), ..failure::Said::default() };
                return Err(failure::in_stream(self.address().host(), &said, &self.options.model, false, None));
            }
            Some(Finish::Stop | Finish::Length) => {}
            // `[DONE]` after some text is an end, too.
            None if growing.is_done && growing.any => {}
            None if growing.any => return Err(Error::Truncated { host: host(), cause: None }),
            None if head.is_empty() => return Err(Error::Empty { host: host() }),
            None => return Err(self.nonsense(&String::from_utf8_lossy(head))),
        }
        let is_empty = match growing.form {
            Form::Text => !listener.shown,
            Form::Json => growing.content.trim().is_empty() && growing.thoughts.trim().is_empty(),
        };
        let is_cut = growing.finish == Some(Finish::Length);
        Ok(Answer { content: growing.content, thoughts: growing.thoughts, is_cut, is_empty })
    }

    fn refuse_page(&self, head: &[u8]) -> Result<(), Error> {
        if failure::is_page(&String::from_utf8_lossy(head)) {
            return Err(Error::CaptivePortal { host: self.address().host().to_owned() });
        }
        Ok(())
    }

    fn broken_off(&self, cause: network::Error) -> Error {
        match cause {
            // Nobody broke these off: they were not worth reading on.
            network::Error::TooLarge { .. } | network::Error::Closed { .. } => cause.into(),
            cause => Error::Truncated { host: self.address().host().to_owned(), cause: Some(cause) },
        }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { host: self.address().host().to_owned() }
    }

    pub(super) fn nonsense(&self, what: &str) -> Error {
        Error::Nonsense { host: self.address().host().to_owned(), what: shown(self.token.as_ref(), what) }
    }
}

impl Growing {
    fn new(form: Form) -> Self {
        Self {
            form,
            visible: Visible::default(),
            in_content: Loops::new(form),
            in_thoughts: Loops::new(Form::Text),
            content: String::new(),
            thoughts: String::new(),
            characters: 0,
            finish: None,
            is_done: false,
            any: false,
        }
    }

    /// Takes a piece; what of it may be told to people.
    fn take(&mut self, piece: reading::Piece) -> Result<String, Error> {
        self.finish = piece.finish.or(self.finish.take());
        if self.in_content.push(&piece.text) || self.in_thoughts.push(&piece.thoughts) {
            return Err(Error::Looped);
        }
        self.characters += piece.text.chars().count() + piece.thoughts.chars().count();
        let token = match self.form {
            Form::Text => self.visible.push(&piece.text),
            Form::Json => {
                self.content.push_str(&piece.text);
                self.thoughts.push_str(&piece.thoughts);
                String::new()
            }
        };
        Ok(token)
    }
}

/// How long a school's server is waited for: many may stand before it in the queue, which is silent; once it writes, it
/// pauses only while it takes others in.
pub(super) const PATIENCE: Patience = Patience {
    first_byte: Duration::from_secs(150),
    silence: Duration::from_secs(45),
    slowest: Some((90, Duration::from_secs(45))),
    most_bytes: Some(16_000_000),
};
