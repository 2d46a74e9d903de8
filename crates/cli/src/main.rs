//! The `aula` command.
fn main() {}
