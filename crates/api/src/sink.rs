//! Where events go: a window's channel, an HTTP body, a test's list.

/// Takes events, in order, until nobody listens any more.
pub trait Sink<T>: Send + Sync + 'static {
    /// Delivers `event`; `false` when the other side is gone, after which nothing more should be sent.
    fn send(&self, event: T) -> bool;
}

impl<T, F> Sink<T> for F
where
    F: Fn(T) -> bool + Send + Sync + 'static,
{
    fn send(&self, event: T) -> bool {
        self(event)
    }
}
