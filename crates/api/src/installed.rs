//! The models that are really installed.
