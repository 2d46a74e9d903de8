//! Many laptops and one school server: `cargo xtask load ADDRESS MODEL [LAPTOPS] [SECONDS]`; a token stands in `AULA_SCHOOL_TOKEN`.
//!
//! Each laptop is a client of its own with pauses to think; every third request asks for a result of a given form.

use std::time::{Duration, Instant};

use cloud::{School, SchoolOptions, Secret, ServerKind};
use generation::{GenerateRequest, Generator, Message, Role, Structure, TokenEvent};
use network::{Client, Gate, Options};
use serde_json::json;

/// What one laptop saw.
#[derive(Default)]
struct Seen {
    served: usize,
    waits: usize,
    failures: Vec<String>,
    /// Seconds to the first sign of an answer, and to its end.
    first: Vec<f64>,
    whole: Vec<f64>,
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(model)) = (words.next(), words.next()) else {
        eprintln!("usage: load ADDRESS MODEL [LAPTOPS] [SECONDS]");
        std::process::exit(2);
    };
    let laptops: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(40);
    let seconds: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(60);
    let until = Instant::now() + Duration::from_secs(seconds);
    let runs: Vec<_> =
        (0..laptops).map(|number| tokio::spawn(laptop(number, address.clone(), model.clone(), until))).collect();
    let mut seen = Vec::new();
    for run in runs {
        match run.await {
            Ok(one) => seen.push(one),
            Err(error) => eprintln!("a laptop broke: {error}"),
        }
    }
    report(&seen, seconds);
}

async fn laptop(number: usize, address: String, model: String, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let options = SchoolOptions::new(address, model, ServerKind::LlamaServer);
    let token = std::env::var("AULA_SCHOOL_TOKEN").ok().map(Secret::new);
    let school = match School::new(Client::new(Gate::new(), Options::default()), options, token) {
        Ok(school) => school,
        Err(error) => {
            seen.failures.push(error.to_string());
            return seen;
        }
    };
    let mut turn = number;
    // Nobody begins at the same moment.
    tokio::time::sleep(Duration::from_millis(37 * number as u64)).await;
    while Instant::now() < until {
        ask(&school, request(turn), &mut seen).await;
        turn += 1;
        let thinking = 500 + (turn as u64 * 7919 + number as u64 * 104_729) % 2500;
        tokio::time::sleep(Duration::from_millis(thinking)).await;
    }
    seen
}

fn request(turn: usize) -> GenerateRequest {
    let message = Message::new(Role::User, "¿Qué es una fracción?");
    let mut request = GenerateRequest::new("load", vec![message]);
    request.max_tokens = 200;
    if turn.is_multiple_of(3) {
        let schema = json!({"type": "object", "properties": {"sum": {"type": "integer", "minimum": 0, "maximum": 99}},
                            "required": ["sum"], "additionalProperties": false});
        request.structure = Some(Structure { name: "sum".to_owned(), schema });
    }
    request
}

async fn ask(school: &School, request: GenerateRequest, seen: &mut Seen) {
    let began = Instant::now();
    let mut first = None;
    let mut generation = match school.generate(request) {
        Ok(generation) => generation,
        Err(error) => return seen.failures.push(error.code.as_str().to_owned()),
    };
    while let Some(event) = generation.next().await {
        match event {
            TokenEvent::Waiting { .. } => seen.waits += 1,
            TokenEvent::Token { .. } | TokenEvent::Receiving { .. } => {
                first.get_or_insert(began.elapsed().as_secs_f64());
            }
            TokenEvent::Finished(_) => {
                seen.served += 1;
                seen.whole.push(began.elapsed().as_secs_f64());
                seen.first.extend(first);
            }
            TokenEvent::Failed(error) => seen.failures.push(error.code.as_str().to_owned()),
            _ => {}
        }
    }
}

fn report(seen: &[Seen], seconds: u64) {
    let served: Vec<usize> = seen.iter().map(|one| one.served).collect();
    let total: usize = served.iter().sum();
    let waits: usize = seen.iter().map(|one| one.waits).sum();
    let failures: Vec<&String> = seen.iter().flat_map(|one| &one.failures).collect();
    println!("{} laptops, {seconds} s: {total} answers, {waits} waits, {} failures", seen.len(), failures.len());
    let mut kinds: Vec<&String> = failures.clone();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        println!("  {kind}: {}", failures.iter().filter(|failure| **failure == kind).count());
    }
    let (least, most) = (served.iter().min().copied().unwrap_or(0), served.iter().max().copied().unwrap_or(0));
    let squares: usize = served.iter().map(|one| one * one).sum();
    // Jain's index: 1 where everybody got the same.
    let jain = if squares == 0 { 0.0 } else { (total * total) as f64 / (served.len() * squares) as f64 };
    println!("answers of each laptop: {least} to {most}, Jain index {jain:.3}");
    println!("| seconds | p50 | p90 | p99 | most |\n|---|---|---|---|---|");
    for (name, all) in [
        ("to the first piece", seen.iter().flat_map(|one| one.first.clone()).collect::<Vec<_>>()),
        ("to the end", seen.iter().flat_map(|one| one.whole.clone()).collect()),
    ] {
        let mut all = all;
        all.sort_by(f64::total_cmp);
        let at = |share: f64| {
            all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1))).copied().unwrap_or(0.0)
        };
        println!("| {name} | {:.2} | {:.2} | {:.2} | {:.2} |", at(0.5), at(0.9), at(0.99), at(1.0));
    }
}
