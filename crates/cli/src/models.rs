//! `aula models …`

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;

use api::installed_models::{Inspected, List, Progress};
use api::places::Places;
use serde::Serialize;

use crate::args::Models;
use crate::output::{Failure, columns, print_all, print_json, size, status_line};
use crate::preferred::preferred;

/// Runs one of the commands.
pub async fn run(command: Models) -> Result<(), Failure> {
    match command {
        Models::List { json } => list(json).await,
        Models::Inspect { file, context, json } => {
            let found = api::installed_models::inspect(&file, &api::doctor::probe(), context)?;
            if json { print_json(&found) } else { print_all(&render_inspected(&found)) }
        }
        Models::Import { path, json } => import(&path, json),
        Models::Remove { id, json } => remove(&id, json),
    }
}

async fn list(json: bool) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let preferred = preferred(&places).await;
    let context_len = api::lab::DEFAULT_CONTEXT_LEN;
    let list = api::installed_models::list(&catalog, &api::doctor::probe(), context_len, preferred.as_deref())?;
    if json { print_json(&list) } else { print_all(&render_list(&list)) }
}

fn render_list(list: &List) -> String {
    let mut rows = vec![["ID", "MODEL", "QUANTIZATION", "SIZE", "FITS", "USED", "FILE"].map(str::to_owned).to_vec()];
    let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
    for model in &list.models {
        let fits = if model.fits { "yes" } else { "no" };
        rows.push(vec![
            model.id.clone(),
            model.name.clone(),
            model.quantization.clone(),
            size(model.file_bytes),
            fits.to_owned(),
            yes(model.active),
            model.file.clone(),
        ]);
    }
    let mut text = if list.models.is_empty() { "No model is installed.\n".to_owned() } else { columns(&rows) };
    if !list.unusable.is_empty() {
        text.push_str("\nFiles that cannot be used:\n");
    }
    for file in &list.unusable {
        let _ = writeln!(text, "{}  {}", file.id, file.error);
    }
    text
}

fn render_inspected(found: &Inspected) -> String {
    let demo = if found.demo { " (demo model)" } else { "" };
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("Model", format!("{}{demo}", found.name)),
        row("Quantization", found.quantization.clone()),
        row("File", size(found.file_bytes)),
        row("Parameters", format!("{} without the per-layer table", count(found.effective_parameters))),
        row("Per-layer table", format!("{}, read from the disk as needed", size(found.per_layer_table_bytes))),
        row("Layers", format!("{} of width {}", found.n_layers, found.hidden_size)),
        row("Vocabulary", format!("{} tokens", found.vocab_size)),
        row("Made for", format!("{} tokens of context", found.max_context_len)),
    ];
    for (dtype, of_type) in &found.tensor_types {
        rows.push(row("Tensors", format!("{} in {dtype}, {}", of_type.tensors, size(of_type.bytes))));
    }
    let need = &found.need;
    let parts = format!(
        "weights {}, KV cache {} at {} tokens, scratch {}",
        size(need.weights),
        size(need.kv_cache),
        found.context_len,
        size(need.scratch)
    );
    rows.push(row("Needs", format!("{} of memory ({parts})", size(found.needed_bytes))));
    let fits = if found.fits { "it fits" } else { "it does not fit" };
    rows.push(row("Usable", format!("{} on this computer now: {fits}", size(found.usable_bytes))));
    columns(&rows)
}

/// A large number for people.
fn count(number: u64) -> String {
    match number {
        0..1_000_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.2} billion", number as f64 / 1e9),
    }
}

fn import(source: &Path, json: bool) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let shows_progress = !json && std::io::stderr().is_terminal();
    let mut shown = None;
    let step = |now: Progress| {
        let percent = (100 * now.done_bytes).checked_div(now.total_bytes).unwrap_or(100);
        if shows_progress && shown != Some(percent) {
            shown = Some(percent);
            status_line(&format!("Copying: {percent} %"));
        }
        true
    };
    let imported = api::installed_models::import(&catalog, source, step);
    if shows_progress {
        status_line("");
    }
    let imported = imported?;
    if json {
        return print_json(&imported);
    }
    let what = format!("{} {}, {}", imported.name, imported.quantization, size(imported.file_bytes));
    print_all(&format!("Installed {what}, as {}\n", imported.id))
}

/// What was removed.
#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a str,
}

fn remove(id: &str, json: bool) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    api::installed_models::remove(&api::installed_models::catalog(&places), id)?;
    if json { print_json(&Removed { removed: id }) } else { print_all(&format!("Removed {id}\n")) }
}
