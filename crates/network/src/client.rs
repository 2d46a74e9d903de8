//! HTTP through the gate.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use crate::address::{self, host};
use crate::connector::{CountLayer, Names, is_gate_closed, is_handshake_failure, is_lookup_failure};
use crate::error::Error;
use crate::gate::{Gate, Purpose};
use crate::limit::Limit;
use crate::patience::{Patience, Watch};
use crate::request::{Method, Redirects, Request};
use crate::response::Response;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 5;
/// Longest wait for a connection over which words are sent: somebody is watching.
const WORDS_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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
        let mut url = address::parse(purpose, request.address)?;
        let patience = request.patience.unwrap_or(Patience::file(self.shared.options.stall_timeout));
        let shows = request.redirects == Redirects::Show || purpose.sends_words();
        let mut hops: Vec<HeaderMap> = Vec::new();
        loop {
            let sending = self.outgoing(purpose, &url, request, hops.is_empty())?;
            let inner = self.send_once(purpose, &url, patience.first_byte, sending).await?;
            if shows || !is_redirect(inner.status().as_u16()) {
                let client = Arc::clone(&self.shared);
                return Ok(Response { host: host(&url), inner, hops, purpose, client, watch: Watch::new(patience) });
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

    /// The request to one computer; secrets only for the `first` one.
    fn outgoing(
        &self,
        purpose: Purpose,
        url: &Url,
        request: &Request<'_>,
        first: bool,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let client = self.shared.gate.client(purpose, &address::origin(url), || self.build(purpose, url))?;
        let mut outgoing = match request.method {
            Method::Get => client.get(url.clone()),
            Method::Head => client.head(url.clone()),
            Method::Post => client.post(url.clone()),
        };
        // Nothing may be compressed on the way: ranges and lengths are those of the file itself.
        outgoing = outgoing.header(header::ACCEPT_ENCODING, "identity");
        if let Some((start, end)) = request.range {
            outgoing = outgoing.header(header::RANGE, format!("bytes={start}-{end}"));
            if let Some(etag) = request.if_range {
                outgoing = outgoing.header(header::IF_RANGE, etag);
            }
        }
        if let Some(body) = request.body {
            outgoing = outgoing.header(header::CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        if first {
            if let Some(secret) = request.authorization {
                outgoing = outgoing.header(header::AUTHORIZATION, value("authorization", secret, true)?);
            }
            for extra in &request.headers {
                outgoing = outgoing.header(extra.name, value(extra.name, extra.value, extra.is_secret)?);
            }
        }
        Ok(outgoing)
    }

    async fn send_once(
        &self,
        purpose: Purpose,
        url: &Url,
        first_byte: Duration,
        outgoing: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Error> {
        let patience = self.connect_timeout(purpose) + first_byte;
        match tokio::time::timeout(patience, outgoing.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(cause)) => Err(self.failed(purpose, url, cause.without_url())),
            Err(_) => Err(Error::Stalled { host: host(url), seconds: patience.as_secs() }),
        }
    }

    fn connect_timeout(&self, purpose: Purpose) -> Duration {
        let chosen = self.shared.options.connect_timeout;
        if purpose.sends_words() { chosen.min(WORDS_CONNECT_TIMEOUT) } else { chosen }
    }

    fn failed(&self, purpose: Purpose, url: &Url, cause: reqwest::Error) -> Error {
        let host = host(url);
        if is_gate_closed(&cause) {
            Error::Closed { purpose }
        } else if is_handshake_failure(&cause) {
            Error::Untrusted { host, purpose, cause }
        } else if is_lookup_failure(&cause) {
            Error::NameNotFound { host, purpose, cause }
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
            .connect_timeout(self.connect_timeout(purpose))
            .dns_resolver(Arc::new(Names { gate: gate.clone(), purpose, only_near: url.scheme() == "http" }))
            .connector_layer(to);
        if !options.system_proxy || url.scheme() == "http" {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|cause| Error::Setup { cause })
    }
}

/// A header's value; one that cannot be sent is not shown, because it may be a secret with a slip in it.
fn value(name: &'static str, text: &str, is_secret: bool) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Header { name })?;
    value.set_sensitive(is_secret);
    Ok(value)
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
