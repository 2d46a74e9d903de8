//! HTTP through the gate.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{self, HeaderMap};
use reqwest::redirect::Policy;

use crate::address::{self, host};
use crate::connector::{CountLayer, Names, is_gate_closed, is_handshake_failure};
use crate::error::Error;
use crate::gate::{Gate, Purpose};
use crate::limit::Limit;
use crate::response::Response;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 5;

/// How connections behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// Longest wait for a connection, the handshake included.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes.
    pub stall_timeout: Duration,
    /// Whether the system's proxy is used; addresses on this computer never go through one.
    pub system_proxy: bool,
    /// Cap on bytes per second for all downloads together.
    pub bytes_per_second: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(20),
            system_proxy: true,
            bytes_per_second: None,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The file.
    Get,
    /// Only what would be said about it.
    Head,
}

/// What is done when the request is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Follow, at most five times.
    Follow,
    /// Hand over the answer that sends it on.
    Show,
}

/// One request.
#[derive(Debug, Clone)]
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
    /// What is done when the request is sent on.
    pub redirects: Redirects,
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
            redirects: Redirects::Follow,
        }
    }

    /// Asks what the computer at `address` itself says about the file.
    pub fn head(address: &'a str) -> Self {
        Self { method: Method::Head, redirects: Redirects::Show, ..Self::get(address) }
    }

    /// Only the bytes from `start` to `end`, inclusive.
    pub fn range(self, start: u64, end: u64) -> Self {
        Self { range: Some((start, end)), ..self }
    }

    /// Only if the file is still the one with this entity tag.
    pub fn if_range(self, etag: Option<&'a str>) -> Self {
        Self { if_range: etag, ..self }
    }
}

/// HTTP through one gate. Clones share the gate and the cap.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub gate: Gate,
    pub options: Options,
    pub limit: Limit,
}

impl Client {
    /// A client that connects through `gate` and nowhere else. Nothing happens until the first request.
    pub fn new(gate: Gate, options: Options) -> Self {
        let limit = Limit::new(options.bytes_per_second);
        Self { shared: Arc::new(Shared { gate, options, limit }) }
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// The cap on bytes per second, which may be changed at any time.
    pub fn limit(&self) -> &Limit {
        &self.shared.limit
    }

    /// Sends `request` and returns as soon as the answer's head is there. Statuses are no errors here.
    ///
    /// # Errors
    /// If the gate is closed to `purpose`, the address or a redirect is refused, or no answer comes.
    pub async fn send(&self, purpose: Purpose, request: &Request<'_>) -> Result<Response, Error> {
        self.shared.gate.check(purpose)?;
        let mut url = address::parse(request.address)?;
        let mut hops: Vec<HeaderMap> = Vec::new();
        loop {
            let authorization = request.authorization.filter(|_| hops.is_empty());
            let inner = self.send_once(purpose, &url, request, authorization).await?;
            if request.redirects == Redirects::Show || !is_redirect(inner.status().as_u16()) {
                return Ok(Response { host: host(&url), inner, hops, purpose, client: Arc::clone(&self.shared) });
            }
            if hops.len() == MAX_REDIRECTS {
                return Err(Error::Redirect { host: host(&url), problem: "too many times" });
            }
            let location = inner.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let next = address::redirected(&url, location)?;
            hops.push(inner.headers().clone());
            url = next;
        }
    }

    async fn send_once(
        &self,
        purpose: Purpose,
        url: &Url,
        request: &Request<'_>,
        authorization: Option<&str>,
    ) -> Result<reqwest::Response, Error> {
        let Shared { gate, options, .. } = &*self.shared;
        let client = gate.client(purpose, &address::origin(url), || self.build(purpose, url))?;
        let mut outgoing = match request.method {
            Method::Get => client.get(url.clone()),
            Method::Head => client.head(url.clone()),
        };
        // Nothing may be compressed on the way: ranges and lengths are those of the file itself.
        outgoing = outgoing.header(header::ACCEPT_ENCODING, "identity");
        if let Some((start, end)) = request.range {
            outgoing = outgoing.header(header::RANGE, format!("bytes={start}-{end}"));
            if let Some(etag) = request.if_range {
                outgoing = outgoing.header(header::IF_RANGE, etag);
            }
        }
        if let Some(secret) = authorization {
            outgoing = outgoing.header(header::AUTHORIZATION, secret);
        }
        let patience = options.connect_timeout + options.stall_timeout;
        match tokio::time::timeout(patience, outgoing.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(cause)) => Err(self.failed(purpose, url, cause.without_url())),
            Err(_) => Err(Error::Stalled { host: host(url), seconds: patience.as_secs() }),
        }
    }

    fn failed(&self, purpose: Purpose, url: &Url, cause: reqwest::Error) -> Error {
        let host = host(url);
        if is_gate_closed(&cause) {
            Error::Closed { purpose }
        } else if is_handshake_failure(&cause) {
            Error::Untrusted { host, cause }
        } else if cause.is_connect() {
            Error::Connect { host, cause }
        } else {
            Error::Broken { host, cause }
        }
    }

    /// One pool of connections for one host, so that each connection is counted under its own name.
    fn build(&self, purpose: Purpose, url: &Url) -> Result<reqwest::Client, Error> {
        install_cryptography();
        let Shared { gate, options, .. } = &*self.shared;
        let to = CountLayer { gate: gate.clone(), host: host(url).into(), purpose };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Aula/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            // Repeating is decided by whoever keeps the record of what is there already.
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(1)
            .connect_timeout(options.connect_timeout)
            .dns_resolver(Arc::new(Names { gate: gate.clone(), purpose }))
            .connector_layer(to);
        if !options.system_proxy || url.scheme() == "http" {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|cause| Error::Setup { cause })
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Chooses ring for this process, once, unless somebody chose before.
fn install_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("another cryptography provider was chosen before");
        }
    });
}
