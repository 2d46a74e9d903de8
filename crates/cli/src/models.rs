//! `aula models …`

use std::fmt::Write as _;
use std::path::PathBuf;

use api::doctor::Circumstances;
use api::installed_models::{Control, Imported, Inspected, List, Offer, PullOptions, Verified};
use api::places::Places;
use serde::Serialize;

use crate::args::Models;
use crate::output::{Failure, columns, print_all, print_json, size};
use crate::preferred::preferred;
use crate::transfer::{self, Show};

/// Runs one of the commands.
pub async fn run(command: Models) -> Result<(), Failure> {
    match command {
        Models::List { json } => list(json).await,
        Models::Inspect { file, context, json } => {
            let found = api::installed_models::inspect(&file, &api::doctor::probe(), context)?;
            if json { print_json(&found) } else { print_all(&render_inspected(&found)) }
        }
        Models::Offers { context, json } => offers(context, json),
        Models::Pull { id, allow_network, endpoint, limit, quiet, json } => {
            if !allow_network {
                let hint = "Allow it for this download with `--allow-network`";
                return Err(Failure::new("the network is closed", hint));
            }
            if !api::installed_models::is_offer(&id) {
                let hint = "See the ids with `aula models offers`";
                return Err(Failure::new(format!("there is no offer `{id}`"), hint));
            }
            pull(id, PullOptions { endpoint, limit_kb: limit }, Show { quiet, json }).await
        }
        Models::Import { path, quiet, json } => import(path, Show { quiet, json }).await,
        Models::Export { id, dir, quiet, json } => export(id, dir, Show { quiet, json }).await,
        Models::Verify { id, quiet, json } => verify(id, Show { quiet, json }).await,
        Models::Remove { id, json } => remove(&id, json),
    }
}

async fn list(json: bool) -> Result<(), Failure> {
    let places = Places::of_this_user()?;
    let catalog = api::installed_models::catalog(&places);
    let preferred = preferred(&places).await;
    let here = Circumstances::here(&places, api::lab::DEFAULT_CONTEXT_LEN, preferred.as_deref());
    let list = api::installed_models::list(&catalog, &here)?;
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

async fn import(source: PathBuf, show: Show) -> Result<(), Failure> {
    let catalog = api::installed_models::catalog(&Places::of_this_user()?);
    let copy = move |control: &Control| api::installed_models::import(&catalog, &source, control);
    let imported = transfer::run(show, copy).await?;
    if show.json { print_json(&imported) } else { print_all(&render_imported(&imported)) }
}

fn offers(context_len: usize, json: bool) -> Result<(), Failure> {
    let offers = api::installed_models::offers(&api::doctor::probe(), context_len);
    if json { print_json(&offers) } else { print_all(&render_offers(&offers)) }
}

fn render_offers(offers: &[Offer]) -> String {
    let mut rows =
        vec![["ID", "MODEL", "QUANTIZATION", "SIZE", "NEEDS", "FITS", "PUBLISHER"].map(str::to_owned).to_vec()];
    for offer in offers {
        rows.push(vec![
            offer.id.clone(),
            offer.name.clone(),
            offer.quantization.clone(),
            size(offer.file_bytes),
            size(offer.needed_bytes),
            if offer.fits { "yes" } else { "no" }.to_owned(),
            offer.publisher.clone(),
        ]);
    }
    columns(&rows)
}

async fn pull(id: String, options: PullOptions, show: Show) -> Result<(), Failure> {
    let catalog = api::installed_models::catalog(&Places::of_this_user()?);
    let runtime = tokio::runtime::Handle::current();
    let work = move |control: &Control| {
        let waiting = |why: Option<String>| {
            if let Some(why) = why {
                transfer::say(show, &format!("Waiting: {why}"));
            }
        };
        runtime.block_on(api::installed_models::pull(&catalog, &id, &options, control, waiting))
    };
    let pulled = transfer::run(show, work).await?;
    if show.json { print_json(&pulled) } else { print_all(&render_imported(&pulled)) }
}

fn render_imported(imported: &Imported) -> String {
    let how = match (imported.resumed, imported.restarted) {
        (true, _) => "An earlier copy was continued.\n",
        (_, true) => "The source had changed since an earlier copy, so it was copied anew.\n",
        _ => "",
    };
    let what = format!("{} {}, {}", imported.name, imported.quantization, size(imported.file_bytes));
    format!("{how}Installed {what}, as {}\n", imported.id)
}

async fn export(id: String, dir: PathBuf, show: Show) -> Result<(), Failure> {
    let catalog = api::installed_models::catalog(&Places::of_this_user()?);
    let copy = move |control: &Control| api::installed_models::export(&catalog, &id, &dir, control);
    let exported = transfer::run(show, copy).await?;
    if show.json {
        return print_json(&exported);
    }
    let what = format!("{} {}, {}", exported.name, exported.quantization, size(exported.file_bytes));
    let files = match exported.files.len() {
        1 => "one file".to_owned(),
        n => format!("{n} files"),
    };
    print_all(&format!("Exported {what}, in {files}, checked; import it with {}\n", exported.manifest.display()))
}

async fn verify(id: String, show: Show) -> Result<(), Failure> {
    let catalog = api::installed_models::catalog(&Places::of_this_user()?);
    let compare = move |control: &Control| api::installed_models::verify(&catalog, &id, control);
    let found = transfer::run(show, compare).await?;
    if show.json {
        return print_json(&found);
    }
    let Verified { id, sha256, recorded } = found;
    print_all(&if recorded {
        format!("{id} is as it was verified: SHA-256 {sha256}\n")
    } else {
        format!("{id} has no recorded checksum to compare with; its SHA-256 is {sha256}\n")
    })
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
