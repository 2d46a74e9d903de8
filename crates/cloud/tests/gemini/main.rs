//! Cloud Boost against servers on this computer that answer as the service does on its good and bad days.

mod bad_days;
mod cancelling;
mod chatting;
mod keys;
mod recordings;
mod results;
mod support;
