//! Which engine does what: one table from features and what is available to a decision, never a silent substitute.
//!
//! [`decide`] is pure. Whoever calls it knows the settings, the keys, the servers and the model; this crate knows what
//! follows from them.

mod decide;
mod facts;

pub use decide::{Decision, Unavailable, Unlock, decide, instead};
pub use facts::{Cloud, Feature, Group, Network, OnDevice, Person, Place, School, Situation};
