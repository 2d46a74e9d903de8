//! What stands on paper, and what does not.

mod samples;

mod lists;
mod markdown;
mod pdf;
