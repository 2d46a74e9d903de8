//! What a forward pass spends its time on, for the processor: products with packed weights, attention, norms.
//!
//! * `pool` – the threads that compute

pub mod pool;

pub use pool::Pool;
