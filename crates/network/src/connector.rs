//! Where connections are opened: the last check of the gate, and the count.
//!
//! Counting here, below the pool, makes the count true: a request over a connection that is still open adds nothing,
//! a retry that connects again does, and so does each host that a request is sent on to.

use std::error::Error as StdError;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::{Layer, Service};

use crate::gate::{Gate, Purpose};
use crate::nearby;

/// Longest wait for the address behind a name. It is shorter than every wait for a connection, so that whoever waits in
/// vain for a name is told so.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(8);

type BoxError = Box<dyn StdError + Send + Sync>;

/// What the connector answers when the gate closed meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("the network is closed")]
pub(crate) struct GateClosed;

/// What the name lookup answers when it finds no address that may be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupFailed {
    #[error("the name could not be looked up")]
    Unknown(#[source] std::io::Error),
    #[error("nobody answered who has the name")]
    TimedOut,
    #[error("the name leads out of this network, and the connection would be unprotected")]
    LeadsAway,
}

/// Puts [`Counted`] around a connector.
#[derive(Clone)]
pub(crate) struct CountLayer {
    pub gate: Gate,
    pub host: Arc<str>,
    pub purpose: Purpose,
}

impl<S> Layer<S> for CountLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, to: self.clone() }
    }
}

/// A connector that asks the gate and counts.
#[derive(Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    to: CountLayer,
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if !self.to.gate.is_open(self.to.purpose) {
            return Box::pin(std::future::ready(Err(GateClosed.into())));
        }
        let attempt = Attempt { to: Some(self.to.clone()) };
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let result = connecting.await;
            attempt.ended(&result);
            result
        })
    }
}

/// A connection that is being opened. Given up half-way it is counted: nobody knows how far it came.
struct Attempt {
    to: Option<CountLayer>,
}

impl Attempt {
    fn ended<T>(mut self, result: &Result<T, BoxError>) {
        // A handshake that failed took place over a connection; a name or port that did not answer gave none.
        let opened = match result {
            Ok(_) => true,
            Err(error) => is_handshake_failure(error.as_ref()),
        };
        if !opened {
            self.to = None;
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(to) = &self.to {
            to.gate.record(&to.host, to.purpose);
        }
    }
}

/// Whether a secure connection failed after the plain one stood.
pub(crate) fn is_handshake_failure(error: &(dyn StdError + 'static)) -> bool {
    any_cause(error, |cause| cause.is::<rustls::Error>())
}

/// Whether the gate closed while a connection was opened.
pub(crate) fn is_gate_closed(error: &(dyn StdError + 'static)) -> bool {
    any_cause(error, |cause| cause.is::<GateClosed>())
}

/// Whether the name could not be looked up, or is none that any computer can have.
pub(crate) fn is_lookup_failure(error: &(dyn StdError + 'static)) -> bool {
    any_cause(error, |cause| cause.is::<LookupFailed>() || cause.is::<rustls::pki_types::InvalidDnsNameError>())
}

/// Whether `test` holds for `error` or anything below it; an `io::Error` hides its cause in itself.
fn any_cause(error: &(dyn StdError + 'static), test: impl Fn(&(dyn StdError + 'static)) -> bool + Copy) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        let hidden = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if test(cause) || hidden.is_some_and(|hidden| any_cause(hidden, test)) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The system's name lookup behind the gate.
pub(crate) struct Names {
    pub gate: Gate,
    pub purpose: Purpose,
    /// Whether only addresses of this computer and of its own network will do: nothing protects the connection, and
    /// whoever answers for a name decides where it leads.
    pub only_near: bool,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        if !self.gate.is_open(self.purpose) {
            return Box::pin(std::future::ready(Err(GateClosed.into())));
        }
        self.gate.record_lookup();
        let only_near = self.only_near;
        Box::pin(async move {
            let looking = tokio::net::lookup_host((name.as_str(), 0));
            let found = tokio::time::timeout(LOOKUP_TIMEOUT, looking).await.map_err(|_| LookupFailed::TimedOut)?;
            let found = found.map_err(LookupFailed::Unknown)?;
            let found = usable(found, only_near)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What of the addresses behind a name may be connected to.
fn usable(found: impl Iterator<Item = SocketAddr>, only_near: bool) -> Result<Vec<SocketAddr>, LookupFailed> {
    let usable: Vec<_> = found.filter(|address| !only_near || nearby::address(address.ip().to_canonical())).collect();
    if usable.is_empty() { Err(LookupFailed::LeadsAway) } else { Ok(usable) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_protection_leads_nowhere_but_near() {
        let near: SocketAddr = "192.168.1.7:0".parse().expect("an address");
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:0".parse().expect("an address");
        let far: SocketAddr = "203.0.113.9:0".parse().expect("an address");
        let all = [far, near, mapped];
        assert_eq!(usable(all.into_iter(), false).expect("all"), all);
        assert_eq!(usable(all.into_iter(), true).expect("some"), [near, mapped]);
        let error = usable([far].into_iter(), true).expect_err("none");
        assert!(is_lookup_failure(&error), "it counts as a name that was not found");
    }
}
