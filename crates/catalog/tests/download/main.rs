//! Downloads against a server that does wrong what a server can do wrong.

mod disk;
mod faults;
mod kills;
mod support;
mod transfers;
mod versions;
