//! The only place that opens a connection: closed by default, opened for one named purpose at a time, and counted.
//!
//! * [`Gate`] – whether the network may be used, and the record of every connection that was opened
//! * [`Permit`] – the right to use it for one purpose, as long as the value lives
//! * [`Client`] – HTTP through the gate: ranges, posts, redirects, time limits, a cap on bytes per second
//! * [`Patience`] – how long a request waits, how slow and how large its answer may be
//!
//! Without a live [`Permit`] nothing leaves this computer: a request fails before a name is looked up, a connection
//! that is being opened is refused, and the body of an answer stops.

mod address;
mod client;
mod connector;
mod error;
mod gate;
mod limit;
mod nearby;
mod patience;
mod request;
mod response;

pub use address::{host_for, host_of};
pub use client::{Client, Options};
pub use error::Error;
pub use gate::{Connection, Gate, Permit, Purpose};
pub use limit::Limit;
pub use patience::Patience;
pub use request::{Header, Method, Redirects, Request};
pub use response::{ContentRange, Response};
