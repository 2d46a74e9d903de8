//! The desktop app.

// No console window beside Aula's on Windows.
#![cfg_attr(all(not(debug_assertions), target_os = "windows"), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    // Must stay the first line: the model and the look for graphics cards live in this same program, started again with a
    // hidden argument.
    api::run_hidden_task_if_asked();

    aula_desktop_lib::run()
}
