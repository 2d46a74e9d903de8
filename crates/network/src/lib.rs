//! The only place that opens a connection: closed by default, opened for one named purpose at a time, and counted.

use serde::{Deserialize, Serialize};

/// What a connection is for. The network is closed to every purpose until a person opens it for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Downloading a model that a person chose.
    ModelDownload,
}
