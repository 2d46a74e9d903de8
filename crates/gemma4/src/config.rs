//! What a file says the model is.

/// Hyper-parameters (being written).
#[derive(Debug, Clone)]
pub struct Config {}
