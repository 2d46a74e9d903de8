//! What came back.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{self, HeaderMap};

use crate::client::Shared;
use crate::error::Error;
use crate::gate::Purpose;
use crate::patience::Watch;

/// An answer whose body is still to come. Dropping it ends the connection unless the body was read whole.
#[derive(Debug)]
pub struct Response {
    pub(crate) inner: reqwest::Response,
    /// The computers that sent the request on, first one first, with what they said.
    pub(crate) hops: Vec<HeaderMap>,
    pub(crate) host: String,
    pub(crate) purpose: Purpose,
    pub(crate) client: Arc<Shared>,
    pub(crate) watch: Watch,
}

/// What a `Content-Range` header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// First byte.
    pub start: u64,
    /// Last byte, inclusive.
    pub end: u64,
    /// Size of the whole file, where it was told.
    pub total: Option<u64>,
}

impl Response {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// The computer that answered.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address that answered in the end, after every redirect.
    pub fn address(&self) -> &str {
        self.inner.url().as_str()
    }

    /// Whether another address answered than the one that was asked.
    pub fn was_redirected(&self) -> bool {
        !self.hops.is_empty()
    }

    /// A header of the answer, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// A header of the first computer that said it, those that sent the request on included.
    pub fn header_on_the_way(&self, name: &str) -> Option<&str> {
        let all = self.hops.iter().chain(std::iter::once(self.inner.headers()));
        all.filter_map(|headers| headers.get(name)).find_map(|value| value.to_str().ok())
    }

    /// Bytes of the body, as announced.
    pub fn content_length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH.as_str())?.trim().parse().ok()
    }

    /// The range that the body holds; `Some(Err(()))` never: a header that makes no sense is none.
    pub fn content_range(&self) -> Option<ContentRange> {
        content_range(self.header(header::CONTENT_RANGE.as_str())?)
    }

    /// How long the other computer asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.header(header::RETRY_AFTER.as_str())?, SystemTime::now())
    }

    /// The next bytes of the body; none at its end. Waits as long as the cap on bytes per second asks for.
    ///
    /// # Errors
    /// If the connection breaks off, nothing comes for too long, too little or too much comes, or the gate closed.
    pub async fn chunk(&mut self) -> Result<Option<impl Deref<Target = [u8]> + Send + Sync + use<>>, Error> {
        self.client.gate.check(self.purpose)?;
        let stall = self.watch.next_within();
        let chunk = match tokio::time::timeout(stall, self.inner.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(cause)) => {
                return Err(Error::Broken { host: self.host.clone(), cause: cause.without_url() });
            }
            Err(_) => return Err(Error::Stalled { host: self.host.clone(), seconds: stall.as_secs() }),
        };
        if let Some(chunk) = &chunk {
            self.watch.take(chunk.len() as u64, Instant::now(), &self.host)?;
            // The cap is for downloads: an answer that somebody waits for passes.
            if !self.purpose.sends_words() {
                self.client.limit.take(chunk.len()).await;
            }
        }
        Ok(chunk)
    }
}

fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    (start <= end && total.is_none_or(|total| end < total)).then_some(ContentRange { start, end, total })
}

/// Seconds, or a date as RFC 9110 writes it (`Sun, 06 Nov 1994 08:49:37 GMT`).
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut words = text.trim().split([' ', ':']).skip(1);
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names.iter().position(|name| *name == month)? as u64 + 1;
    let mut number = || words.next()?.parse::<u64>().ok();
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    // Days since 1970 in the Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = (365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day).checked_sub(719_469)?;
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60 + second);
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let range = |start, end, total| Some(ContentRange { start, end, total });
        assert_eq!(content_range("bytes 0-0/1"), range(0, 0, Some(1)));
        assert_eq!(content_range("bytes 5-9/*"), range(5, 9, None));
        for bad in ["bytes */10", "bytes 9-5/10", "bytes 0-10/10", "0-1/2", "bytes a-b/c", "bytes 1/2", ""] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(retry_after("120", epoch), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(date, epoch), Some(Duration::from_secs(784_111_777)));
        let later = epoch + Duration::from_secs(784_111_700);
        assert_eq!(retry_after(date, later), Some(Duration::from_secs(77)));
        assert_eq!(retry_after("Thu, 29 Feb 2024 00:00:00 GMT", epoch), Some(Duration::from_secs(1_709_164_800)));
        assert_eq!(retry_after(date, later + Duration::from_secs(100)), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", epoch), None);
    }
}
