//! `cargo xtask corpus`: public JSON Schemas with valid and invalid documents, against the grammars and against the validator.
//!
//! Known layouts: the JSON-Schema-Test-Suite (draft 2020-12), the masks' part of jsonschemabench, and any folder of schemas.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use engine::lab::{Grammars, Verdict};
use generation::{Misfit, Structure};
use serde_json::{Value, json};

use crate::numbers::{demo_model, share, table};

/// Reasons for refusals that are printed.
const MOST_REASONS: usize = 25;
/// Stack of a thread: other people's schemas are deep.
const STACK_BYTES: usize = 256 << 20;

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// A checkout of JSON-Schema-Test-Suite or of jsonschemabench, or a folder of schemas.
    folder: PathBuf,
    /// The model file whose vocabulary is used; the demo model without it.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print every disagreement.
    #[arg(long)]
    verbose: bool,
}

/// A schema with its documents.
struct Case {
    /// Part of the corpus.
    group: String,
    name: String,
    schema: Value,
    /// Documents, and whether they are valid.
    documents: Vec<(Value, bool)>,
}

/// Counts of one part of a corpus.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Counts {
    schemas: usize,
    refused: usize,
    /// Valid documents of schemas that were not refused: accepted as they stand, or in the schema's order, or rejected.
    accepted: usize,
    reordered: usize,
    wrongly_rejected: usize,
    /// Invalid ones.
    rejected: usize,
    wrongly_accepted: usize,
    /// All documents, refused schemas' too, on which the validator and the corpus differ; and schemas it cannot use.
    validator_differs: usize,
    validator_refuses: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        let Self { schemas, refused, accepted, reordered, wrongly_rejected, rejected, wrongly_accepted, .. } = other;
        self.schemas += schemas;
        self.refused += refused;
        self.accepted += accepted;
        self.reordered += reordered;
        self.wrongly_rejected += wrongly_rejected;
        self.rejected += rejected;
        self.wrongly_accepted += wrongly_accepted;
        self.validator_differs += other.validator_differs;
        self.validator_refuses += other.validator_refuses;
    }
}

/// What one schema gave.
struct Outcome {
    group: String,
    counts: Counts,
    refusal: Option<String>,
    notes: Vec<String>,
}

/// Runs it and prints a table.
///
/// # Errors
/// If the folder holds no schemas, or the model's vocabulary cannot be read.
pub fn run(options: &Options) -> Result<()> {
    let cases = cases(&options.folder)?;
    if cases.is_empty() {
        bail!("`{}` holds no schemas", options.folder.display());
    }
    let outcomes = judge_all(&cases, &options.model.clone().unwrap_or_else(demo_model))?;
    print(&outcomes, options.verbose);
    Ok(())
}

fn judge_all(cases: &[Case], model: &Path) -> Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let grammars = Grammars::open(model)?;
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = judge(&grammars, case)?;
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut workers = Vec::new();
        for _ in 0..threads {
            workers.push(thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)?);
        }
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(_) => bail!("a thread panicked"),
        })
    })?;
    Ok(outcomes.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// One schema and its documents.
fn judge(grammars: &Grammars, case: &Case) -> Result<Outcome> {
    let mut counts = Counts { schemas: 1, ..Counts::default() };
    let mut notes = Vec::new();
    let structure = Structure { name: "corpus".to_owned(), schema: case.schema.clone() };
    for (document, valid) in &case.documents {
        match structure.check(document) {
            Err(Misfit::Schema(why)) => {
                counts.validator_refuses = 1;
                notes.push(format!("{}: the validator cannot use the schema: {why}", case.name));
                break;
            }
            found if found.is_ok() != *valid => {
                counts.validator_differs += 1;
                notes.push(format!("{}: the validator, of {document} (valid: {valid})", case.name));
            }
            _ => {}
        }
    }
    let refusal = match grammars.of(&as_object(&case.schema)) {
        Err(reason) => {
            counts.refused = 1;
            Some(kind_of(&reason))
        }
        Ok(grammar) => {
            let order = property_order(&case.schema);
            for (document, valid) in &case.documents {
                let text = document.to_string();
                let verdict = grammar.judge(&text)?;
                match (valid, verdict) {
                    (true, Verdict::Accepted) => counts.accepted += 1,
                    (true, _) if grammar.judge(&in_order(document, &order).to_string())? == Verdict::Accepted => {
                        counts.reordered += 1;
                    }
                    (true, at) => {
                        counts.wrongly_rejected += 1;
                        notes.push(format!("{}: valid, {at:?}: {text}", case.name));
                    }
                    (false, Verdict::Accepted) => {
                        counts.wrongly_accepted += 1;
                        notes.push(format!("{}: invalid, accepted: {text}", case.name));
                    }
                    (false, _) => counts.rejected += 1,
                }
            }
            None
        }
    };
    Ok(Outcome { group: case.group.clone(), counts, refusal, notes })
}

/// Schemas may be `true` and `false`; grammars are made of objects.
fn as_object(schema: &Value) -> Value {
    match schema {
        Value::Bool(true) => json!({}),
        Value::Bool(false) => json!({ "not": {} }),
        other => other.clone(),
    }
}

/// A refusal without the names and numbers of its schema.
fn kind_of(reason: &str) -> String {
    let mut out = String::new();
    // Where it was found says nothing about why.
    let reason = reason.split(" while processing").next().unwrap_or(reason);
    for (index, part) in reason.split(['"', '`']).enumerate() {
        // Names of keywords say what is missing; anything longer is the schema's own.
        let keyword = part.len() <= 24 && part.chars().all(|c| c.is_ascii_alphanumeric() || "$-:".contains(c));
        out.push_str(if index % 2 == 0 || keyword { part } else { "…" });
    }
    let words: Vec<String> = out
        .split_whitespace()
        .map(|word| {
            let own = word.starts_with('\'') || word.chars().any(|c| c.is_ascii_digit());
            if own { "…".to_owned() } else { word.to_owned() }
        })
        .collect();
    words.join(" ").chars().take(110).collect()
}

/// The names of properties in the order in which the schema says them. A grammar writes them in that order, while a
/// document may have any.
fn property_order(schema: &Value) -> Vec<String> {
    fn walk(schema: &Value, names: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(Value::Object(properties)) = fields.get("properties") {
                    for name in properties.keys() {
                        if !names.contains(name) {
                            names.push(name.clone());
                        }
                    }
                }
                fields.values().for_each(|part| walk(part, names));
            }
            Value::Array(parts) => parts.iter().for_each(|part| walk(part, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    walk(schema, &mut names);
    names
}

fn in_order(document: &Value, order: &[String]) -> Value {
    match document {
        Value::Object(fields) => {
            let place = |name: &str| order.iter().position(|known| known == name).unwrap_or(usize::MAX);
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| place(name));
            Value::Object(fields.into_iter().map(|(name, part)| (name.clone(), in_order(part, order))).collect())
        }
        Value::Array(parts) => Value::Array(parts.iter().map(|part| in_order(part, order)).collect()),
        other => other.clone(),
    }
}

fn print(outcomes: &[Outcome], verbose: bool) {
    let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut total = Counts::default();
    for outcome in outcomes {
        groups.entry(&outcome.group).or_default().add(&outcome.counts);
        total.add(&outcome.counts);
        if let Some(reason) = &outcome.refusal {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let head = [
        "part",
        "schemas",
        "refused",
        "valid accepted",
        "in the schema's order",
        "valid rejected",
        "invalid rejected",
        "invalid accepted",
        "validator differs",
        "validator refuses",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, counts) in groups.into_iter().chain([("all", total.clone())]) {
        let figures = [
            counts.schemas,
            counts.refused,
            counts.accepted,
            counts.reordered,
            counts.wrongly_rejected,
            counts.rejected,
            counts.wrongly_accepted,
            counts.validator_differs,
            counts.validator_refuses,
        ];
        rows.push([vec![name.to_owned()], figures.map(|figure| figure.to_string()).to_vec()].concat());
    }
    print!("{}", table(&rows));
    let valid = total.accepted + total.reordered;
    println!(
        "\nOf the schemas that were not refused ({:.1} %): {:.2} % of the valid documents accepted, {:.2} % of the invalid ones \
         rejected.\n",
        share(total.schemas - total.refused, total.schemas),
        share(valid, valid + total.wrongly_rejected),
        share(total.rejected, total.rejected + total.wrongly_accepted),
    );
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
    let mut rows = vec![["refused because", "schemas"].map(str::to_owned).to_vec()];
    rows.extend(reasons.iter().take(MOST_REASONS).map(|(reason, count)| vec![(*reason).to_owned(), count.to_string()]));
    let rest: usize = reasons.iter().skip(MOST_REASONS).map(|(_, count)| count).sum();
    if rest > 0 {
        rows.push(vec!["others".to_owned(), rest.to_string()]);
    }
    print!("{}", table(&rows));
    if verbose {
        outcomes.iter().flat_map(|outcome| &outcome.notes).for_each(|note| println!("{note}"));
    }
}

/// All schemas below `folder`, or below the part of it that is known to hold them.
fn cases(folder: &Path) -> Result<Vec<Case>> {
    let known = ["tests/draft2020-12", "maskbench/data"].map(|part| folder.join(part));
    let folder = known.into_iter().find(|part| part.is_dir()).unwrap_or_else(|| folder.to_owned());
    let mut files = Vec::new();
    collect(&folder, &mut files).with_context(|| format!("could not read `{}`", folder.display()))?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("could not read `{}`", file.display()))?;
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let parent = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        cases.extend(read(&stem, &parent, &value));
    }
    Ok(cases)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // The suite's optional tests are about choices that an implementation may make either way.
        if path.is_dir() && path.file_name().is_some_and(|name| name != "optional") {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// The schemas of one file: a list of groups with tests, one schema with tests, or a schema alone.
fn read(stem: &str, parent: &str, value: &Value) -> Vec<Case> {
    let documents = |tests: &Value| -> Vec<(Value, bool)> {
        let one = |test: &Value| Some((test.get("data")?.clone(), test.get("valid")?.as_bool()?));
        tests.as_array().into_iter().flatten().filter_map(one).collect()
    };
    match value {
        Value::Array(groups) => groups
            .iter()
            .filter_map(|group| {
                Some(Case {
                    group: stem.to_owned(),
                    name: format!("{stem}: {}", group.get("description").and_then(Value::as_str).unwrap_or("")),
                    schema: group.get("schema")?.clone(),
                    documents: documents(group.get("tests")?),
                })
            })
            .collect(),
        Value::Object(fields) => match (fields.get("schema"), fields.get("tests")) {
            (Some(schema), Some(tests)) => vec![Case {
                group: part_of(stem),
                name: stem.to_owned(),
                schema: schema.clone(),
                documents: documents(tests),
            }],
            _ => vec![Case {
                group: parent.to_owned(),
                name: stem.to_owned(),
                schema: value.clone(),
                documents: Vec::new(),
            }],
        },
        _ => Vec::new(),
    }
}

/// The part of jsonschemabench that a file belongs to: `Github_easy---o10008`, `BFCL_java_12`.
fn part_of(stem: &str) -> String {
    match stem.split_once("---") {
        Some((part, _)) => part.to_owned(),
        None => stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(value: &Value) -> Outcome {
        let cases = read("part---name", "folder", value);
        let mut outcomes = judge_all(&cases, &demo_model()).expect("judged");
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    #[test]
    fn documents_are_counted_as_they_are_judged() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer", "maximum": 9}, "b": {"enum": ["x\n"]}},
                            "required": ["a"], "additionalProperties": false});
        let test = |data: Value, valid: bool| json!({ "data": data, "valid": valid });
        let tests = json!([
            test(json!({"a": 1}), true),
            test(json!({"b": "x\n", "a": 1}), true),
            test(json!({"a": 1.0}), true),
            test(json!({"a": 10}), false),
            test(json!({}), false),
            // The corpus is wrong here: both must be seen to differ from it.
            test(json!({"a": 2}), false),
        ]);
        let outcome = outcome(&json!({"schema": schema, "tests": tests}));
        let expected = Counts {
            schemas: 1,
            accepted: 1,
            reordered: 1,
            wrongly_rejected: 1,
            rejected: 2,
            wrongly_accepted: 1,
            validator_differs: 1,
            ..Counts::default()
        };
        assert_eq!((outcome.counts, outcome.group.as_str()), (expected, "part"));
        assert_eq!(outcome.notes.len(), 3, "{:?}", outcome.notes);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        let schema = json!({"type": "array", "uniqueItems": true, "contains": {"type": "integer"}});
        let refused = outcome(&json!([{"description": "d", "schema": schema, "tests": []}]));
        assert_eq!((refused.counts.refused, refused.group.as_str()), (1, "part---name"));
        assert!(refused.refusal.is_some_and(|reason| !reason.is_empty()));
        assert_eq!(outcome(&json!({"type": "object"})).group, "folder");
    }

    #[test]
    fn names_of_parts_and_reasons_lose_what_is_their_own() {
        assert_eq!(kind_of("Unimplemented keys: [\"uniqueItems\"]"), "Unimplemented keys: [uniqueItems]");
        assert_eq!(part_of("BFCL_java_12"), "BFCL_java");
        assert_eq!(kind_of("bad \"a name of their own here, long\" at 17"), "bad … at …");
    }
}
