//! The real `aula`, run as a person or a script runs it, on tiny model files.

mod ask;
mod chat;
mod doctor;
mod lab;
mod make;
mod models;
mod pull;
mod settings;
mod setup;
mod support;
mod usage;
