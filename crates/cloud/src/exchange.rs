//! What every conversation with a server has in common: pages for people in the place of answers, and bodies read whole.

use network::Response;

use crate::error::Error;
use crate::teller::Teller;

/// "Network authentication required" (RFC 6585): a login page that says so.
const LOGIN_REQUIRED: u16 = 511;

/// Whether a page for people came instead of an answer. Requests are never sent on, so an answer that wants to is one of
/// the ways in which a network asks its guests to sign in; the other is a page with a good status.
pub(crate) fn is_page_for_people(response: &Response) -> bool {
    let status = response.status();
    let is_html = response.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"));
    matches!(status, 300..=399 | LOGIN_REQUIRED) || (is_html && matches!(status, 200..=299))
}

/// Whether a body is a page for people, whatever its header calls it.
pub(crate) fn looks_like_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// Reads a body to its end and tells `teller` how much has come.
///
/// # Errors
/// If it breaks off, stalls, or is larger than the request's patience allows.
pub(crate) async fn read_all(mut response: Response, teller: Option<&Teller>) -> Result<Vec<u8>, Error> {
    let host = response.host().to_owned();
    let mut body = Vec::new();
    let mut characters = 0;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                // Each character of UTF-8 has one byte that does not go on with another.
                characters += chunk.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
                body.extend_from_slice(&chunk);
            }
            Ok(None) => return Ok(body),
            Err(cause) => return Err(broke_off(&host, cause)),
        }
        if let Some(teller) = teller {
            teller.receiving(characters).await;
        }
    }
}

/// What a failure in the middle of a body means.
pub(crate) fn broke_off(host: &str, cause: network::Error) -> Error {
    match cause {
        network::Error::TooLarge { .. } | network::Error::Closed { .. } => Error::Network(cause),
        cause => Error::Truncated { host: host.to_owned(), cause: Some(cause) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_recognised_by_their_first_words() {
        assert!(looks_like_page(b"\n <!DOCTYPE HTML><title>Sign in</title>"));
        assert!(looks_like_page(b"<html lang=\"es\">"));
        assert!(!looks_like_page(b"{\"text\": \"<html>\"}") && !looks_like_page(b""));
    }
}
