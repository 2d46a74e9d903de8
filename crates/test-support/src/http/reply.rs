//! What is sent, step by step.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One step of a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These bytes, at once.
    Bytes(Vec<u8>),
    /// Nothing for so long.
    Pause(Duration),
    /// Nothing any more; the connection stays until the other side goes.
    Stall,
    /// One byte at a time, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// So many bytes of blanks, without keeping them in memory first.
    Flood(u64),
    /// The connection is reset.
    Reset,
    /// The connection is closed in order.
    Close,
}

/// What a request gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    steps: Vec<Step>,
}

impl Reply {
    /// Steps and nothing else: the head of the answer is part of them.
    pub fn raw(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect() }
    }

    /// A whole answer of known length.
    pub fn whole(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::raw([Step::Bytes([head.as_bytes(), body].concat())])
    }

    /// A whole answer in JSON.
    pub fn json(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::whole(status, "application/json; charset=UTF-8", body)
    }

    /// The head of a stream of events, in the chunked transfer coding; pieces follow.
    pub fn stream() -> Self {
        let head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        Self::raw([Step::Bytes(head.as_bytes().to_vec())])
    }

    /// A whole stream of events in these pieces; each is one chunk, so the other side gets it as one.
    pub fn streamed<T: AsRef<[u8]>>(pieces: impl IntoIterator<Item = T>) -> Self {
        pieces.into_iter().fold(Self::stream(), |reply, piece| reply.piece(piece)).end()
    }

    /// With one more header, before all others. Only for answers whose head is the first step.
    pub fn with_header(mut self, header: &str) -> Self {
        if let Some(Step::Bytes(head)) = self.steps.first_mut() {
            let at = head.windows(2).position(|pair| pair == b"\r\n").map_or(head.len(), |at| at + 2);
            head.splice(at..at, format!("{header}\r\n").into_bytes());
        }
        self
    }

    /// One more chunk of a stream; an empty one is left out, because it would end the stream.
    pub fn piece(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return self;
        }
        let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.step(Step::Bytes(framed))
    }

    /// The end of a stream, as it should be.
    pub fn end(self) -> Self {
        self.step(Step::Bytes(b"0\r\n\r\n".to_vec()))
    }

    /// One more step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends it; returns whether the connection goes on.
    pub(super) async fn send(&self, stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
        for step in &self.steps {
            match step {
                Step::Bytes(bytes) => stream.get_mut().write_all(bytes).await?,
                Step::Pause(pause) => stay(stream, Some(*pause)).await?,
                Step::Stall => stay(stream, None).await?,
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        stream.get_mut().write_all(&[*byte]).await?;
                        stay(stream, Some(*pause)).await?;
                    }
                }
                Step::Flood(bytes) => {
                    let block = [b' '; 1 << 16];
                    let mut left = *bytes;
                    while left > 0 {
                        let now = left.min(block.len() as u64);
                        stream.get_mut().write_all(&block[..usize::try_from(now).unwrap_or(0)]).await?;
                        left -= now;
                    }
                }
                Step::Reset => {
                    stream.get_ref().set_zero_linger()?;
                    return Ok(false);
                }
                Step::Close => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Says nothing for `pause`, or for good; ends early when the other side goes.
async fn stay(stream: &mut BufReader<TcpStream>, pause: Option<Duration>) -> io::Result<()> {
    let gone = async {
        let mut byte = [0];
        // Nobody sends more than one request at a time, so whatever comes is the end.
        stream.read(&mut byte).await
    };
    let Some(pause) = pause else {
        gone.await?;
        return Err(io::ErrorKind::ConnectionAborted.into());
    };
    match tokio::time::timeout(pause, gone).await {
        Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        Err(_) => Ok(()),
    }
}
