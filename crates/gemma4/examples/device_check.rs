//! Compares the plain path on a device with the golden files: `device_check DEVICE [GOLDEN_FOLDER [MODEL…]]`, where
//! DEVICE is `cpu`, `cuda` or `metal`. Prints one line for each file and fails if a limit of `tests/golden/README.md` is
//! broken. Each MODEL, of any size, is compared with the processor's answer.
//!
//! This is how a graphics card is checked, which the tests cannot do: they run on the processor.

use std::{
    collections::HashMap,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use candle_core::{DType, Device, Tensor};
use gemma4::{DeviceKind, LoadOptions, Logits, Model, Rows, load, model::prefill};

/// A golden file, the arrays it is compared with, and how far it may be from them.
struct Case {
    variant: &'static str,
    kind: &'static str,
    arrays: &'static str,
    key: &'static str,
    max: f32,
    mean: f32,
}

const CASES: [Case; 5] = [
    Case::exact("tiny-e2b", "F16"),
    Case::exact("tiny-e4b", "BF16"),
    Case::quantized("tiny-e2b", "Q8_0", "Q8_0.long.logits_last16"),
    Case::quantized("tiny-e2b", "Q4_0", "Q4_0.long.logits_last16"),
    Case::quantized("tiny-e4b", "Q4_K_M", "Q4_K_M.long.logits_last16"),
];

impl Case {
    const fn exact(variant: &'static str, kind: &'static str) -> Self {
        Self { variant, kind, arrays: "reference", key: "prompt.long.logits_last40", max: 2e-4, mean: 2e-5 }
    }

    const fn quantized(variant: &'static str, kind: &'static str, key: &'static str) -> Self {
        Self { variant, kind, arrays: "llamacpp", key, max: 1.2, mean: 0.15 }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", errors::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let device = match args.next().as_deref() {
        Some("cpu") => DeviceKind::Cpu,
        Some("cuda") => DeviceKind::Cuda,
        Some("metal") => DeviceKind::Metal,
        _ => return Err("usage: device_check cpu|cuda|metal [GOLDEN_FOLDER]".into()),
    };
    let folder =
        args.next().map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden"), PathBuf::from);
    let mut all_good = true;
    for case in &CASES {
        all_good &= check(case, &folder.join(case.variant), device)?;
    }
    for path in args {
        all_good &= compare_with_cpu(Path::new(&path), device)?;
    }
    Ok(all_good)
}

/// Prefill and decode of `path` on `device` and on the processor: how far the logits are apart, and the time of a step.
fn compare_with_cpu(path: &Path, device: DeviceKind) -> Result<bool, Box<dyn Error>> {
    const PROMPT: u32 = 40;
    const STEPS: u32 = 32;
    let answer = |device| -> Result<(Vec<f32>, Duration), Box<dyn Error>> {
        let model = load::open(path, &LoadOptions { device, ..LoadOptions::default() })?;
        let token = |i: u32| (i * 7919 + 2) % model.config().vocab_size as u32;
        let mut sequence = model.sequence(128)?;
        let prompt: Vec<u32> = (0..PROMPT).map(token).collect();
        let mut row = Logits::default();
        sequence.forward(&prompt, Rows::Last, &|| false, &mut row)?;
        let mut logits = row.as_slice().to_vec();
        let start = Instant::now();
        for i in PROMPT..PROMPT + STEPS {
            sequence.forward(&[token(i)], Rows::Last, &|| false, &mut row)?;
            logits.extend_from_slice(row.as_slice());
        }
        Ok((logits, start.elapsed() / STEPS))
    };
    let (got, step) = answer(device)?;
    let (expected, cpu_step) = answer(DeviceKind::Cpu)?;
    let d = Distance::between(&got, &expected);
    let size = Distance::between(&expected, &vec![0.0; expected.len()]).mean;
    // Unquantized files agree to 1e-4. In quantized ones both sides round activations to 8 bits, each in its own way, and
    // random weights blow that up layer by layer: to a fifth of the logits' size in E2B, half in E4B. Logits that have
    // nothing to do with each other are apart by more than their size.
    let good = d.mean <= 0.7 * size;
    println!(
        "{}: max {:.2e} mean {:.2e} of logits of mean size {size:.2}; {step:.1?} a token, processor {cpu_step:.1?}; {}",
        path.display(),
        d.max,
        d.mean,
        if good { "ok" } else { "NOT WITHIN LIMITS" }
    );
    Ok(good)
}

/// How far two arrays are apart.
struct Distance {
    max: f32,
    mean: f32,
}

impl Distance {
    fn between(got: &[f32], expected: &[f32]) -> Self {
        let differences = || got.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let max = differences().fold(0.0, |max: f32, d| if d.is_nan() { f32::INFINITY } else { max.max(d) });
        Self { max, mean: (differences().map(f64::from).sum::<f64>() / expected.len() as f64) as f32 }
    }
}

/// Prefill in one piece, in chunks and token by token against the arrays, and 64 greedy tokens where there are some.
fn check(case: &Case, folder: &Path, device: DeviceKind) -> Result<bool, Box<dyn Error>> {
    let Case { variant, kind, .. } = case;
    let model =
        load::open(&folder.join(format!("{variant}-{kind}.gguf")), &LoadOptions { device, ..LoadOptions::default() })?;
    let reference = arrays(&folder.join("reference.safetensors"))?;
    let expected = values(&arrays(&folder.join(format!("{}.safetensors", case.arrays)))?, case.key)?;
    let long = ids(&reference, "prompt.long.input_ids")?;

    let mut good = true;
    let runtime = model.runtime();
    print!("{variant} {kind} on {} ({}):", runtime.device, runtime.kernels);
    for chunk in [long.len(), 16, 7, 1] {
        let mut sequence = model.sequence(256)?;
        let logits = prefill(sequence.as_mut(), &long, chunk, Rows::All, &|| false, &mut |_, _| ())?;
        let got = &logits.as_slice()[logits.as_slice().len() - expected.len()..];
        let Distance { max, mean } = Distance::between(got, &expected);
        good &= max <= case.max && mean <= case.mean;
        print!(" chunk {chunk} max {max:.2e} mean {mean:.2e};");
    }
    if case.arrays == "reference" {
        for prompt in ["short", "chat"] {
            let chosen = ids(&reference, &format!("greedy.{prompt}.new_ids"))?;
            let n_same =
                greedy_agreement(model.as_ref(), &ids(&reference, &format!("prompt.{prompt}.input_ids"))?, &chosen)?;
            good &= n_same == chosen.len();
            print!(" greedy {prompt} {n_same}/{};", chosen.len());
        }
    }
    println!(" {}", if good { "ok" } else { "NOT WITHIN LIMITS" });
    Ok(good)
}

/// How many tokens chosen greedily after `prompt` are those of `expected`, up to the first that is not.
fn greedy_agreement(model: &dyn Model, prompt: &[u32], expected: &[u32]) -> Result<usize, gemma4::Error> {
    let mut sequence = model.sequence(prompt.len() + expected.len())?;
    let mut logits = Logits::default();
    sequence.forward(prompt, Rows::Last, &|| false, &mut logits)?;
    for (n_same, token) in expected.iter().enumerate() {
        let row = logits.last().unwrap_or_default();
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(id, _)| id as u32);
        if best != Some(*token) {
            return Ok(n_same);
        }
        sequence.forward(&[*token], Rows::Last, &|| false, &mut logits)?;
    }
    Ok(expected.len())
}

fn arrays(path: &Path) -> candle_core::Result<HashMap<String, Tensor>> {
    candle_core::safetensors::load(path, &Device::Cpu)
}

fn values(arrays: &HashMap<String, Tensor>, key: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let array = arrays.get(key).ok_or_else(|| format!("no array `{key}`"))?;
    Ok(array.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

fn ids(arrays: &HashMap<String, Tensor>, key: &str) -> Result<Vec<u32>, Box<dyn Error>> {
    Ok(values(arrays, key)?.into_iter().map(|id| id as u32).collect())
}
