//! An HTTP server that does wrong what a server can do wrong, and counts what it sent.
//!
//! Plain TCP on 127.0.0.1 with HTTP/1.1 written by hand, because no library lets its user lie about a length. A test
//! says what goes wrong with which request; afterwards it asks what was asked for and which bytes were sent twice.

mod fault;
mod record;
mod reply;

pub use fault::Fault;
pub use record::{Asked, Record};

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct FaultyServer {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub content: Arc<Vec<u8>>,
    pub etag: Option<String>,
    /// What the hub says the file's hash is, in `X-Linked-Etag`; also as `X-Linked-Size` its size.
    pub hub_hash: Option<String>,
    /// What goes wrong with the next requests for the file, one each.
    pub next: VecDeque<Fault>,
    /// What goes wrong with all others.
    pub otherwise: Fault,
    pub record: Record,
}

impl FaultyServer {
    /// Serves `content` under every path, on a port of its own.
    ///
    /// # Panics
    /// If the system has no port.
    pub async fn start(content: Vec<u8>) -> Self {
        let listener = match TcpListener::bind(("127.0.0.1", 0)).await {
            Ok(listener) => listener,
            Err(error) => panic!("no port: {error}"),
        };
        let port = match listener.local_addr() {
            Ok(address) => address.port(),
            Err(error) => panic!("no address: {error}"),
        };
        let state = State {
            content: Arc::new(content),
            etag: Some("\"first\"".to_owned()),
            hub_hash: None,
            next: VecDeque::new(),
            otherwise: Fault::None,
            record: Record::default(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, task }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same server under another name, as another host: `http://localhost:PORT`.
    pub fn other_name(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// What goes wrong with the next requests for the file, one after the other, after those said before.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().next.extend(faults);
    }

    /// What goes wrong with every request that [`Self::next`] says nothing about.
    pub fn always(&self, fault: Fault) {
        self.shared.lock().otherwise = fault;
    }

    /// What the hub says about the file: its hash, or nothing.
    pub fn hub_says(&self, hash: Option<&str>) {
        self.shared.lock().hub_hash = hash.map(str::to_owned);
    }

    /// Another version of the file, with its entity tag.
    pub fn replace(&self, content: Vec<u8>, etag: Option<&str>) {
        let mut state = self.shared.lock();
        state.content = Arc::new(content);
        state.etag = etag.map(str::to_owned);
    }

    /// What was asked and sent until now.
    pub fn record(&self) -> Record {
        self.shared.lock().record.clone()
    }
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let connection = {
            let mut state = shared.lock();
            state.record.connections += 1;
            state.record.connections
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A client that goes away is what many tests do.
            let _ = serve(stream, connection, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Answers requests on one connection until either side ends it.
async fn serve(stream: TcpStream, connection: u64, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read_request(&mut stream, connection).await? {
        if !reply::answer(stream.get_mut(), shared, asked).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn read_request(stream: &mut BufReader<TcpStream>, connection: u64) -> io::Result<Option<Asked>> {
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
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut asked = Asked {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        range: None,
        if_range: None,
        authorization: None,
        host: String::new(),
        connection,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim().to_owned();
        match name.to_ascii_lowercase().as_str() {
            "range" => asked.range = record::parse_range(&value),
            "if-range" => asked.if_range = Some(value),
            "authorization" => asked.authorization = Some(value),
            "host" => asked.host = value,
            _ => {}
        }
    }
    Ok(Some(asked))
}
