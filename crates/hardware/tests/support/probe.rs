//! A program that is asked for cards and answers, or behaves as a broken driver does.
//!
//! Arguments: a folder for a file named after the source and the process id, the mode, the source.

use std::{io::Write, thread, time::Duration};

fn main() {
    // The real probe, when asked the real way.
    hardware::run_probe_if_asked();

    let mut args = std::env::args().skip(1);
    let folder = args.next().expect("a folder");
    let mode = args.next().expect("a mode");
    let source = args.next().expect("a source");
    let name = std::path::Path::new(&folder).join(format!("{source}.{}", std::process::id()));
    std::fs::write(name, "").expect("a file");
    let card = r#"{"Ok":[{"name":"a card","vendor":"amd","kind":"discrete","pci_id":"1002:73ff","pci_bus":null,
        "driver":null,"memory":{"kind":"dedicated","total":8000000000,"free":7000000000},"compute_capability":null,
        "source":"drm"}]}"#
        .replace('\n', " ");
    // Only one source misbehaves; the others answer as usual.
    match (mode.as_str(), source.as_str()) {
        ("hang", "nvml") => sleep(),
        ("crash", "nvml") => std::process::abort(),
        ("garbage", "nvml") => println!("\u{1b}[31m{{\"Ok\": 7}}\nnot an answer"),
        ("nothing", "nvml") => {}
        ("error", "nvml") => println!(r#"{{"Err":"the driver is older than the card"}}"#),
        ("endless", "nvml") => loop {
            // Ends when nobody reads any more.
            if std::io::stdout().write_all(&[b'x'; 4096]).is_err() {
                return;
            }
        },
        (_, "drm") => {
            println!("a driver says hello\n{card}");
            if mode == "hang-at-exit" {
                sleep();
            }
        }
        _ => println!(r#"{{"Ok":[]}}"#),
    }
}

fn sleep() {
    thread::sleep(Duration::from_secs(3600));
}
