//! Opens a model as the app does, tries it, and prints what was measured:
//! `cargo run --package engine --example trial -- FILE [CONTEXT_LEN]`.

use std::process::ExitCode;

use engine::{DeviceChoice, Engine, EngineOptions, ModelStatus};

fn main() -> ExitCode {
    engine::run_worker_if_asked();
    let mut arguments = std::env::args().skip(1);
    let Some(model) = arguments.next() else {
        eprintln!("usage: trial FILE [CONTEXT_LEN]");
        return ExitCode::from(2);
    };
    let context_len = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(4096);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let engine = Engine::start(EngineOptions {
            model: Some(model.into()),
            device: DeviceChoice::Cpu,
            context_len,
            ..EngineOptions::default()
        });
        let outcome = engine.trial().await;
        if let ModelStatus::Ready(facts) = &*engine.status().borrow() {
            println!("{} opened in {:.2} s, {} threads", facts.engine.model, facts.load_s, facts.threads);
        }
        let code = match outcome {
            Ok(report) => {
                println!("{report:#?}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        };
        engine.shutdown().await;
        code
    })
}
