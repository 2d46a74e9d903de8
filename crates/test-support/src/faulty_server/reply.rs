//! Answering one request, right or wrong.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::fault::Fault;
use super::record::Asked;
use super::{Shared, State};

/// Bytes handed to the system at once.
const BLOCK_BYTES: usize = 16 << 10;

/// An answer before it is sent.
struct Plan {
    status: u16,
    headers: String,
    /// The run of the file that is the body: first byte and the byte after the last.
    start: u64,
    end: u64,
    /// What the body's length is said to be.
    announced: u64,
}

/// Answers `asked`; returns whether the connection goes on.
pub(super) async fn answer(stream: &mut TcpStream, shared: &Shared, asked: Asked) -> io::Result<bool> {
    let (plan, fault, content) = {
        let mut state = shared.lock();
        state.record.asked.push(asked.clone());
        let is_head = asked.method == "HEAD";
        // A fault is for the file itself, not for the question about it, unless it is meant for all.
        let fault = if is_head { None } else { state.next.pop_front() };
        let fault = fault.unwrap_or_else(|| state.otherwise.clone());
        (plan(&state, &asked, &fault), fault, Arc::clone(&state.content))
    };
    match &fault {
        Fault::HangUp => return Ok(false),
        Fault::Noise => {
            stream.write_all(b"\x16\x03\x01 this is not the protocol you are looking for\r\n\r\n").await?;
            return Ok(false);
        }
        _ => {}
    }
    let head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\n{}\r\n",
        plan.status, plan.announced, plan.headers
    );
    stream.write_all(head.as_bytes()).await?;
    if asked.method == "HEAD" {
        return Ok(true);
    }
    if !matches!(plan.status, 200 | 206) {
        stream.write_all(&vec![b'x'; usize::try_from(plan.announced).unwrap_or(0)]).await?;
        return Ok(true);
    }
    send_body(stream, shared, &plan, &fault, &content).await
}

/// Decides what is said about the body, and which part of the file it is.
fn plan(state: &State, asked: &Asked, fault: &Fault) -> Plan {
    let total = state.content.len() as u64;
    let mut headers = String::new();
    if let Some(etag) = &state.etag {
        let _ = write!(headers, "ETag: {etag}\r\n");
    }
    if let Some(hash) = &state.hub_hash {
        let _ = write!(headers, "X-Linked-Etag: \"{hash}\"\r\nX-Linked-Size: {total}\r\n");
    }
    let refusal = |status, headers| Plan { status, headers, start: 0, end: 0, announced: 7 };
    let redirect = |location: &str, mut headers: String| {
        let _ = write!(headers, "Location: {location}\r\n");
        refusal(302, headers)
    };
    match fault {
        Fault::Status(status) => return refusal(*status, headers),
        Fault::RetryAfter(status, seconds) => {
            let _ = write!(headers, "Retry-After: {seconds}\r\n");
            return refusal(*status, headers);
        }
        Fault::RedirectTo(to) if to.ends_with('/') => {
            return redirect(&format!("{to}{}", asked.path.trim_start_matches('/')), headers);
        }
        Fault::RedirectTo(to) => return redirect(to, headers),
        Fault::RedirectToItself => return redirect(&asked.path, headers),
        Fault::RedirectNowhere => return refusal(302, headers),
        _ => {}
    }
    let same_version = asked.if_range.as_ref().is_none_or(|tag| Some(tag) == state.etag.as_ref());
    let range = asked.range.filter(|_| same_version && *fault != Fault::IgnoreRange);
    let (status, start, end) = match range {
        None => (200, 0, total),
        Some((start, _)) if start >= total => {
            let _ = write!(headers, "Content-Range: bytes */{total}\r\n");
            return refusal(416, headers);
        }
        Some((start, last)) => (206, start, (last + 1).min(total)),
    };
    let (mut start, mut end, mut said_total) = (start, end, total);
    let mut said = (start, end.saturating_sub(1));
    match fault {
        Fault::ShiftedBytes(by) if end + by <= total => (start, end) = (start + by, end + by),
        Fault::ShiftedBytes(by) => (start, end) = (start.saturating_sub(*by), end.saturating_sub(*by)),
        Fault::OtherRange(by) => {
            start = (start + by).min(end);
            said.0 = start;
        }
        Fault::OtherTotal(other) => said_total = *other,
        _ => {}
    }
    if status == 206 {
        let _ = match fault {
            Fault::SenselessRange => write!(headers, "Content-Range: pages 1 to 2\r\n"),
            _ => write!(headers, "Content-Range: bytes {}-{}/{said_total}\r\n", said.0, said.1),
        };
    }
    let length = end - start;
    let announced = match fault {
        Fault::AnnounceMore(more) => length + more,
        Fault::AnnounceLess(less) => length.saturating_sub(*less),
        _ => length,
    };
    Plan { status, headers, start, end, announced }
}

/// Sends the body as far as the fault lets it; returns whether the connection goes on.
async fn send_body(
    stream: &mut TcpStream,
    shared: &Shared,
    plan: &Plan,
    fault: &Fault,
    content: &[u8],
) -> io::Result<bool> {
    let limit = match fault {
        Fault::CutAfter(bytes) | Fault::StallAfter(bytes) | Fault::ResetAfter(bytes) => *bytes,
        _ => u64::MAX,
    };
    let end = plan.end.min(plan.start.saturating_add(limit));
    let (block_bytes, pause) = match fault {
        Fault::Drip(bytes, pause) => (*bytes, *pause),
        _ => (BLOCK_BYTES, Duration::ZERO),
    };
    let mut at = plan.start;
    while at < end {
        let until = end.min(at + block_bytes as u64);
        let mut block = content[index(at)..index(until)].to_vec();
        if let Fault::WrongByte(wrong) = fault
            && (at..until).contains(wrong)
        {
            block[index(wrong - at)] ^= 0x55;
        }
        stream.write_all(&block).await?;
        shared.lock().record.sent.push((at, until - at));
        at = until;
        if !pause.is_zero() {
            stream.flush().await?;
            tokio::time::sleep(pause).await;
        }
    }
    match fault {
        Fault::StallAfter(_) => {
            std::future::pending::<()>().await;
            Ok(false)
        }
        Fault::ResetAfter(_) => {
            // What was sent reaches the other side first; then the connection is gone without a word.
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.set_zero_linger()?;
            Ok(false)
        }
        Fault::CutAfter(_) | Fault::AnnounceMore(_) | Fault::AnnounceLess(_) => Ok(false),
        _ => Ok(true),
    }
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
