//! Whether an answer fits the question, and its bytes.

use std::ops::Deref;

use network::Response;

use crate::hub::Error;

/// The body of an answer that fits.
#[derive(Debug)]
pub struct Body {
    response: Response,
    /// Position in the file of the next byte.
    at: u64,
    /// Position behind the last byte.
    end: u64,
}

impl Body {
    /// Compares the head of `response` with what was asked: the bytes from `at` up to `end` of a file of `total_bytes`,
    /// which had the entity tag `known` there before.
    pub fn new(response: Response, at: u64, end: u64, total_bytes: u64, known: Option<&str>) -> Result<Self, Error> {
        let host = response.host().to_owned();
        let answer = |problem: String| Error::Answer { host: host.clone(), problem };
        if !matches!(response.status(), 200 | 206) {
            return Err(refusal(&response));
        }
        let same_version = match (known, response.header("etag")) {
            (Some(known), Some(now)) if known != now => return Err(Error::Changed { host }),
            (known, now) => known.is_some() && now.is_some(),
        };
        let other_size = |size: u64| {
            if same_version {
                answer(format!("it calls a file of {total_bytes} bytes one of {size}"))
            } else {
                Error::Changed { host: host.clone() }
            }
        };
        let (start, end) = if response.status() == 200 {
            match response.content_length() {
                Some(length) if length != total_bytes => return Err(other_size(length)),
                _ => (0, total_bytes),
            }
        } else {
            let range = response.content_range().ok_or_else(|| answer("a range that makes no sense".to_owned()))?;
            if let Some(total) = range.total.filter(|total| *total != total_bytes) {
                return Err(other_size(total));
            }
            if range.start != at || range.end >= end {
                return Err(answer(format!("bytes {} to {} instead of {at} to {}", range.start, range.end, end - 1)));
            }
            let length = range.end + 1 - range.start;
            if let Some(announced) = response.content_length().filter(|announced| *announced != length) {
                return Err(answer(format!("{announced} bytes are announced for a range of {length}")));
            }
            (range.start, range.end + 1)
        };
        if start < at {
            tracing::warn!(host, at, "the server ignores ranges: what is there already comes again and is skipped");
        }
        Ok(Self { response, at: start, end })
    }

    /// Whether the byte at `position` is still to come.
    pub fn reaches(&self, position: u64) -> bool {
        (self.at..self.end).contains(&position)
    }

    /// The next bytes from `wanted` on, with the body for those behind them; bytes before `wanted` are thrown away, and
    /// then there may be none. Nothing at the body's end.
    pub async fn next(
        mut self,
        wanted: u64,
    ) -> Result<Option<(Option<impl Deref<Target = [u8]> + use<>>, Self)>, Error> {
        let Some(bytes) = self.response.chunk().await? else {
            if self.at < self.end {
                let problem = format!("{} bytes are missing at the end", self.end - self.at);
                return Err(Error::Answer { host: self.response.host().to_owned(), problem });
            }
            return Ok(None);
        };
        let start = self.at;
        self.at += bytes.len() as u64;
        let skip = usize::try_from(wanted.saturating_sub(start)).unwrap_or(usize::MAX);
        let useful = (skip < bytes.len()).then(|| From { bytes, skip });
        Ok(Some((useful, self)))
    }
}

/// Bytes without the first few.
struct From<B> {
    bytes: B,
    skip: usize,
}

impl<B: Deref<Target = [u8]>> Deref for From<B> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.skip..]
    }
}

/// What a status that brings no file means.
pub fn refusal(response: &Response) -> Error {
    let (host, status) = (response.host().to_owned(), response.status());
    match status {
        408 | 425 | 429 | 500..=599 => Error::Busy { host, status, retry_after: response.retry_after() },
        416 => Error::Answer { host, problem: "it says that the model is shorter (status 416)".to_owned() },
        400..=499 => Error::Refused { host, status },
        _ => Error::Answer { host, problem: format!("status {status}") },
    }
}
