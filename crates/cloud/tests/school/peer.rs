//! A server on this computer that says what a test tells it to, in the pieces that the test wants, and writes down what it
//! was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub authorization: Option<String>,
    pub body: Value,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// Pieces of the body, each one piece on the wire.
    pub pieces: Vec<Vec<u8>>,
    pub pause: Duration,
    pub end: End,
}

/// What comes after the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The body's end.
    Whole,
    /// The connection goes without an end of the body.
    Cut,
    /// Nothing, and the connection stays.
    Silence,
    /// Not even a head comes.
    NoHead,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, pieces: vec![body.into()], pause: Duration::ZERO, end: End::Whole }
    }

    pub fn json(body: &Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    pub fn events(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/event-stream", body)
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::new(status, "application/json", body)
    }

    pub fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The body cut at these places.
    pub fn cut_at(mut self, places: &[usize]) -> Self {
        let body = self.pieces.concat();
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in places {
            pieces.push(body[from..*place].to_vec());
            from = *place;
        }
        pieces.push(body[from..].to_vec());
        self.pieces = pieces;
        self
    }
}

type Answer = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// The server. It ends when it is dropped.
pub struct Peer {
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
    /// Connections that are open.
    open: AtomicUsize,
}

impl Peer {
    /// `answer` gets what is asked and how many chats were asked for before.
    pub async fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { answer: Box::new(answer), asked: Mutex::default(), open: AtomicUsize::new(0) });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, task }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything that was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked().clone()
    }

    /// The chats that were asked for.
    pub fn chats(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with("/chat/completions")).collect()
    }

    /// Waits until nobody is connected.
    pub async fn everybody_gone(&self) {
        for _ in 0..200 {
            if self.shared.open.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("somebody is still connected");
    }

    /// Waits until so many requests have come.
    pub async fn was_asked(&self, times: usize) {
        for _ in 0..500 {
            if self.shared.asked().len() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody asked");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        shared.open.fetch_add(1, Ordering::SeqCst);
        connections.spawn(async move {
            // A client that goes away is what many tests do.
            let _ = serve(stream, &shared).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(asked) = read(&mut stream).await? {
        let reply = {
            let mut all = shared.asked();
            let before = all.iter().filter(|asked| asked.path.ends_with("/chat/completions")).count();
            all.push(asked.clone());
            drop(all);
            (shared.answer)(&asked, before)
        };
        if !write(&mut stream, &reply).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<bool> {
    if reply.end == End::NoHead {
        until_gone(stream).await;
        return Ok(false);
    }
    let mut head = format!("HTTP/1.1 {} X\r\ntransfer-encoding: chunked\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    for piece in reply.pieces.iter().filter(|piece| !piece.is_empty()) {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).await?;
        if !reply.pause.is_zero() {
            tokio::time::sleep(reply.pause).await;
        }
    }
    match reply.end {
        End::Whole => stream.write_all(b"0\r\n\r\n").await.map(|()| true),
        End::Silence => {
            until_gone(stream).await;
            Ok(false)
        }
        End::Cut | End::NoHead => Ok(false),
    }
}

/// Waits until the other side closes.
async fn until_gone(stream: &mut TcpStream) {
    while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {}
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let mut first = head.split(' ').map(str::to_owned);
    Ok(Some(Asked {
        method: first.next().unwrap_or_default(),
        path: first.next().unwrap_or_default(),
        authorization: header("authorization"),
        body: serde_json::from_slice(&bytes[head_end..head_end + length]).unwrap_or_default(),
    }))
}
