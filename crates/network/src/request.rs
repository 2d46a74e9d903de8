//! What is asked for.

use std::fmt;

use crate::patience::Patience;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The file.
    Get,
    /// Only what would be said about it.
    Head,
    /// An answer to what is sent along.
    Post,
}

/// What is done when the request is sent on. Requests of a purpose that sends words are never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Follow, at most five times.
    Follow,
    /// Hand over the answer that sends it on.
    Show,
}

/// One more header of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name in lower case.
    pub name: &'static str,
    /// Its value.
    pub value: &'a str,
    /// Whether the value may appear nowhere but on the wire.
    pub is_secret: bool,
}

impl<'a> Header<'a> {
    /// A header that anybody may see.
    pub fn plain(name: &'static str, value: &'a str) -> Self {
        Self { name, value, is_secret: false }
    }

    /// A header whose value is a secret.
    pub fn secret(name: &'static str, value: &'a str) -> Self {
        Self { name, value, is_secret: true }
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, if self.is_secret { "…" } else { self.value })
    }
}

/// One request.
#[derive(Clone)]
pub struct Request<'a> {
    /// The address.
    pub address: &'a str,
    /// What is asked for.
    pub method: Method,
    /// First and last byte, inclusive.
    pub range: Option<(u64, u64)>,
    /// The entity tag for which the range is meant; of another version the whole file comes.
    pub if_range: Option<&'a str>,
    /// A secret for the computer that is asked, never for one that it sends the request on to.
    pub authorization: Option<&'a str>,
    /// More headers, for the computer that is asked and no other.
    pub headers: Vec<Header<'a>>,
    /// What is sent along: JSON.
    pub body: Option<&'a [u8]>,
    /// What is done when the request is sent on.
    pub redirects: Redirects,
    /// How long is waited, and how slow and large the answer may be; by default that of a download.
    pub patience: Option<Patience>,
}

impl<'a> Request<'a> {
    /// Asks for the file at `address`.
    pub fn get(address: &'a str) -> Self {
        Self {
            address,
            method: Method::Get,
            range: None,
            if_range: None,
            authorization: None,
            headers: Vec::new(),
            body: None,
            redirects: Redirects::Follow,
            patience: None,
        }
    }

    /// Asks what the computer at `address` itself says about the file.
    pub fn head(address: &'a str) -> Self {
        Self { method: Method::Head, redirects: Redirects::Show, ..Self::get(address) }
    }

    /// Sends `body`, which is JSON, to the computer at `address` and to no other.
    pub fn post_json(address: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: Method::Post,
            body: Some(body),
            redirects: Redirects::Show,
            patience: Some(Patience::ANSWER),
            ..Self::get(address)
        }
    }

    /// Only the bytes from `start` to `end`, inclusive.
    pub fn range(self, start: u64, end: u64) -> Self {
        Self { range: Some((start, end)), ..self }
    }

    /// Only if the file is still the one with this entity tag.
    pub fn if_range(self, etag: Option<&'a str>) -> Self {
        Self { if_range: etag, ..self }
    }

    /// With one more header.
    pub fn header(mut self, header: Header<'a>) -> Self {
        self.headers.push(header);
        self
    }

    /// With this patience.
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience: Some(patience), ..self }
    }
}

/// Neither secrets nor what is sent along is shown.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("address", &self.address.split('?').next())
            .field("range", &self.range)
            .field("headers", &self.headers)
            .field("authorization", &self.authorization.map(|_| "…"))
            .field("body_bytes", &self.body.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_shows() {
        let request = Request {
            authorization: Some("Bearer canary"),
            ..Request::post_json("https://host/path?key=canary", b"canary")
                .header(Header::secret("x-goog-api-key", "canary"))
                .header(Header::plain("accept", "text/event-stream"))
        };
        let text = format!("{request:?}");
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("accept: text/event-stream"), "{text}");
    }
}
