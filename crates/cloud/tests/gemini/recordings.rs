//! Recordings that others made.
