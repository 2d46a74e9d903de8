//! What can go wrong while kernels are chosen.

/// What can go wrong while kernels are chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `AULA_KERNELS` asks for instructions that this processor does not have, or for a name that nobody knows.
    #[error("AULA_KERNELS asks for `{asked}`, but this machine has only {}", .available.join(", "))]
    Unavailable {
        /// What was asked for.
        asked: String,
        /// What there is, the best first.
        available: Vec<&'static str>,
    },
}
