//! An HTTP server that sends what a test writes down, byte by byte where it wants to: chunks, pauses, resets.
//!
//! Plain TCP on 127.0.0.1 with HTTP/1.1 written by hand. Each request gets the next [`Reply`]; when none is left, the last
//! one again. Afterwards a test asks what was asked for, and whether every connection is gone.

mod reply;

pub use reply::{Reply, Step};

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// What was sent along.
    pub body: Vec<u8>,
    /// Number of the connection, from 1.
    pub connection: u64,
}

impl HttpRequest {
    /// The value of a header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct HttpServer {
    port: u16,
    shared: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    last: Reply,
    requests: Vec<HttpRequest>,
    connections: u64,
    open: usize,
}

impl HttpServer {
    /// A server that gives `replies`, one for each request, and the last of them ever after.
    ///
    /// # Panics
    /// If the system has no port.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = match TcpListener::bind(("127.0.0.1", 0)).await {
            Ok(listener) => listener,
            Err(error) => panic!("no port: {error}"),
        };
        let port = match listener.local_addr() {
            Ok(address) => address.port(),
            Err(error) => panic!("no address: {error}"),
        };
        let state = State { replies: replies.into_iter().collect(), ..State::default() };
        let shared = Arc::new(Mutex::new(state));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, task }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// More replies, after those said before.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared).replies.extend(replies);
    }

    /// What was asked until now.
    pub fn requests(&self) -> Vec<HttpRequest> {
        lock(&self.shared).requests.clone()
    }

    /// Connections until now.
    pub fn connections(&self) -> u64 {
        lock(&self.shared).connections
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        lock(&self.shared).open
    }

    /// Waits until `test` holds for what was asked; returns whether it came to that within 10 seconds.
    pub async fn until(&self, test: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        while !test(self) {
            if began.elapsed() > Duration::from_secs(10) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<State>>) {
    // Connections end with the server.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = {
            let mut state = lock(&shared);
            state.connections += 1;
            state.open += 1;
            state.connections
        };
        let open = Open { shared: Arc::clone(&shared) };
        connections.spawn(async move {
            // A client that goes away is what many tests do.
            let _ = serve(stream, number, &open.shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Counts a connection as open while it lives.
struct Open {
    shared: Arc<Mutex<State>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.shared).open -= 1;
    }
}

async fn serve(stream: TcpStream, connection: u64, shared: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream, connection).await? {
        let reply = {
            let mut state = lock(shared);
            state.requests.push(request);
            if let Some(reply) = state.replies.pop_front() {
                state.last = reply;
            }
            state.last.clone()
        };
        if !reply.send(&mut stream).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn read_request(stream: &mut BufReader<TcpStream>, connection: u64) -> io::Result<Option<HttpRequest>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
        // Whoever begins with a handshake hears what a server without one says.
        if !head[0].is_ascii_uppercase() {
            stream.get_mut().write_all(b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n").await?;
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut request = HttpRequest {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        connection,
        ..HttpRequest::default()
    };
    for line in lines {
        if let Some((name, value)) = line.split_once(':') {
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await?;
    Ok(Some(request))
}
