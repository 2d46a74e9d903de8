//! The app's shared handles.

/// Everything the commands share; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {}
