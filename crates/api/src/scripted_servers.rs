//! Cloud Boost and a school's server as one small HTTP server on this computer that plays a script: for tests, and for
//! the development host.
//!
//! It speaks both languages: `/v1beta/models…` like the Gemini API, `/v1/…` like vLLM. What it answers to a request of a
//! given form is made from the form ([`example`]); otherwise it writes a few words. Words in the last text of the user
//! choose what goes wrong, see [`WORDS`]. A key or token with `wrong` in it is refused. Every error body quotes the key or
//! token that came, as the real services do. Everything that came is kept ([`ScriptedServers::requests`]).

mod answers;
mod example;

pub use example::example;

use answers::Reply;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What a word in the topic or question makes go wrong.
pub const WORDS: &[(&str, &str)] = &[
    ("revoked", "the key is refused"),
    ("region", "the service is not offered in this country"),
    ("quota", "the allowance is used up for three seconds, then it goes on"),
    ("exhausted", "there is no allowance at all"),
    ("busy", "the server has too much to do, each time"),
    ("blocked", "the service refuses to answer"),
    ("cut", "the result reaches its limit"),
    ("silent", "nothing comes"),
    ("broken", "what comes is no JSON, whatever is tried"),
    ("portal", "a login page comes"),
    ("vanish", "the connection breaks off in the middle"),
    ("slow", "the answer takes three seconds"),
];

/// The model that both offer.
pub const MODEL: &str = "gemma-4-26b-a4b-it";
/// The longest request that is read.
const MOST_BYTES: usize = 64 << 20;

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// The header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The key or token that came with it.
    fn secret(&self) -> &str {
        let bearer = self.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        self.header("x-goog-api-key").or(bearer).unwrap_or_default()
    }
}

/// The server. It ends with this value.
#[derive(Debug)]
pub struct ScriptedServers {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    pause: Duration,
}

impl ScriptedServers {
    /// Serves on a free port, or on `port` of this computer; between two pieces of an answer it waits `pause`.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn start(port: u16, pause: Duration) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { pause, ..Shared::default() });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, serving })
    }

    /// Its address, for Cloud Boost and as the school's server.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ScriptedServers {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A caller who goes away is no failure of the server.
        tokio::spawn(async move { drop(one(stream, &shared).await) });
    }
}

async fn one(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    let seen = {
        let mut received = shared.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.push(request.clone());
        received.len()
    };
    let reply = answers::to(&request, seen, shared);
    write(&mut stream, reply, shared.pause).await
}

async fn write(stream: &mut TcpStream, reply: Reply, pause: Duration) -> std::io::Result<()> {
    if reply.silent {
        // Until the caller gives up.
        let mut rest = [0_u8; 64];
        while stream.read(&mut rest).await? > 0 {}
        return Ok(());
    }
    tokio::time::sleep(reply.after).await;
    let mut head =
        format!("HTTP/1.1 {} Scripted\r\ncontent-type: {}\r\nconnection: close\r\n", reply.status, reply.kind);
    let length: usize = reply.pieces.iter().map(String::len).sum();
    // More is promised than comes where the connection is to break off.
    let promised = if reply.vanishes { length + 100 } else { length };
    head.push_str(&format!("content-length: {promised}\r\n\r\n"));
    stream.write_all(head.as_bytes()).await?;
    for piece in reply.pieces {
        stream.write_all(piece.as_bytes()).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    stream.shutdown().await
}

/// One request; none where the caller went away.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0_u8; 64 << 10];
    let (head, body_from) = loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 || bytes.len() > MOST_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let length: usize = length.unwrap_or(0);
    while bytes.len() < body_from + length.min(MOST_BYTES) {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    let body = String::from_utf8_lossy(&bytes[body_from..]).into_owned();
    Ok(Some(Received { method, target, headers, body }))
}
