//! What a drawing promises, whatever a model wrote.

mod illustrations;
mod mermaid;
mod mind_maps;
mod strange;
mod texts;
