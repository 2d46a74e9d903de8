//! How fast attention and the operations on single rows are, beside what this processor can multiply and add.
//!
//! `cargo run --release -p kernels --example attention_speed -- [THREADS] [PART OF A LINE]`
//!
//! The peak is measured between any two measurements, so that the shares hold on a machine whose clock changes. With one
//! thread what counts is time on the processor, where the system tells it: other programs take none of that.
#![allow(unsafe_code, reason = "vector instructions of one kind in a row, to see how fast they are")]

use std::{env, hint::black_box, time::Instant};

use kernels::{
    Activations, Attend, AttentionScratch, Compute, Kernels, KvLayer, Needs, PerLayerScales, Pool,
    select::sample::Numbers,
};

/// Query heads of both models.
const HEADS: usize = 8;
const EPS: f32 = 1e-6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = env::args().nth(1).map_or(Ok(1), |n| n.parse())?;
    let kernels = Kernels::from_env()?;
    println!("{threads} threads, rows by {}, attention by {}", kernels.rows().name(), kernels.attention().name());
    let compute = Compute::new(Pool::new(threads), kernels);
    let only = env::args().nth(2).unwrap_or_default();
    attention(&compute, &only);
    if only.is_empty() {
        rows(&compute);
    }
    Ok(())
}

fn attention(compute: &Compute, only: &str) {
    println!("\n{:34} {:>10} {:>9} {:>9} {:>9}", "attention of one layer", "time µs", "GFLOP/s", "of peak", "GB/s");
    for (name, kv_heads) in [("E2B", 1), ("E4B", 2)] {
        for (d, window) in [(256, Some(512)), (512, None)] {
            let most = 4096 + 512;
            let mut layer = KvLayer::new(kv_heads, d, most);
            let mut numbers = Numbers::new(1);
            let keys = numbers.values(most * kv_heads * d, 1.0);
            compute.store(&mut layer, 0, &keys, &keys);
            let q = numbers.values(512 * HEADS * d, 0.3);
            for (rows, depth) in [(1, 512), (1, 4096), (5, 512), (5, 4096), (512, 0), (512, 2048)] {
                let name = format!("{name}, {rows} rows of {HEADS} × {d} at {depth}");
                if !name.contains(only) {
                    continue;
                }
                let attend = Attend { q: &q[..rows * HEADS * d], heads: HEADS, first: depth, window };
                let mut scratch = AttentionScratch::default();
                let mut out = Activations::new(Needs { quantized: true, exact: false });
                let mut task = || compute.attend(&attend, &layer, &mut scratch, &mut out);
                let (time, share) = beside_peak(compute.pool(), &mut task, |time| flops(&attend, d, rows) / time);
                let flops = flops(&attend, d, rows);
                let seen = window.map_or(depth + rows, |window| (window - 1 + rows).min(depth + rows));
                println!(
                    "{:34} {:>10.1} {:>9.1} {:>8.0}% {:>9.1}",
                    name,
                    time * 1e6,
                    flops / time * 1e-9,
                    share * 100.0,
                    KvLayer::size_bytes(kv_heads, d, seen) as f64 / time * 1e-9
                );
            }
        }
    }
}

/// Multiplications and additions for all that the rows see.
fn flops(attend: &Attend<'_>, d: usize, rows: usize) -> f64 {
    let keys: usize =
        (attend.first..attend.first + rows).map(|at| attend.window.map_or(at + 1, |w| w.min(at + 1))).sum();
    (4 * keys * HEADS * d) as f64
}

/// What a decoder layer of E2B does to one row between its products, on the caller's thread.
fn rows(compute: &Compute) {
    let (width, d, gate) = (1536, 256, 256);
    let mut numbers = Numbers::new(2);
    let (mut x, y, w) = (numbers.values(width, 1.0), numbers.values(width, 1.0), numbers.values(width, 1.0));
    let (mut q, mut k, v) = (numbers.values(HEADS * d, 1.0), numbers.values(d, 1.0), numbers.values(d, 1.0));
    let angles = numbers.values(d / 2, 3.0);
    let (cos, sin): (Vec<f32>, Vec<f32>) = angles.iter().map(|angle| (angle.cos(), angle.sin())).unzip();
    // Norms are repeated in place: any other weight would bring some elements below the normal numbers.
    let ones = vec![1.0; d];
    let p = numbers.values(gate, 1.0);
    let mut logits = numbers.values(262_144, 40.0);
    let mut context = numbers.values(35 * gate, 1.0);
    let table = context.clone();
    let mut out = Activations::new(Needs { quantized: true, exact: false });
    let mut layer = KvLayer::new(1, d, 1024);
    println!("\n{:54} {:>9}", "one row of E2B", "ns");
    let mut total = 0.0;
    let mut show = |name: &str, times: f64, task: &mut dyn FnMut()| {
        let time = fastest(task) * 1e9;
        total += times * time;
        println!("{name:54} {time:>9.0}");
    };
    show("norm of 1536, quantized", 0.0, &mut || compute.norm(&x, &w, EPS, &mut out));
    show("norms and turns of 8 heads of 256", 1.0, &mut || {
        compute.norm_heads(&mut q, HEADS, d, Some(&ones), EPS, Some((&cos, &sin)));
    });
    show("norm and turn of a key, norm of a value", 1.0, &mut || {
        compute.norm_heads(&mut k, 1, d, Some(&ones), EPS, Some((&cos, &sin)));
        compute.norm_heads(&mut q[..d], 1, d, None, EPS, None);
    });
    let mut position = 0;
    show("a key and a value stored", 1.0, &mut || {
        compute.store(&mut layer, position, &k, &v);
        position += 1;
    });
    show("norm added to the stream of 1536, and its norm quantized", 2.0, &mut || {
        compute.add_norm(&mut x, &y, &w, EPS, 0.5, Some((&w, &mut out)));
    });
    show("norm added to the stream of 1536", 1.0, &mut || compute.add_norm(&mut x, &y, &w, EPS, 0.5, None));
    show("quantization of 1536", 1.0, &mut || compute.quantize(&y, width, &mut out));
    show("gate of 256", 1.0, &mut || compute.gate_by(&q[..gate], gate, &p, gate, &mut out));
    println!("{:54} {total:>9.0}", "a layer: two of the fused, one of the others but the first");
    let show = |name: &str, task: &mut dyn FnMut()| println!("{name:54} {:>9.0}", fastest(task) * 1e9);
    let scales = PerLayerScales { before: 0.026, eps: EPS, table: 16.0, gain: 0.707 };
    show("inputs of 35 layers", &mut || compute.per_layer(&mut context, 35, &table, 35 * gate, &w[..gate], scales));
    let kernel = compute.kernels().rows();
    show("softcap of 262144 logits, one thread", &mut || kernel.softcap(&mut logits, 30.0));
    let (gates, ups) = (numbers.values(12_288, 2.0), numbers.values(12_288, 2.0));
    let mut gated = vec![0.0; gates.len()];
    show("gelu · up of 12288, one thread", &mut || kernel.gelu_mul(&gates, &ups, &mut gated));
    let wide = numbers.values(12_288, 1.0);
    show("quantization of 12288", &mut || compute.quantize(&wide, 12_288, &mut out));
}

/// Seconds of the fastest of many runs.
fn fastest(task: &mut dyn FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 150 {
        let runs = 50;
        let start = Instant::now();
        for _ in 0..runs {
            task();
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(runs));
    }
    best
}

/// The median of the times of `task`, and of the share of the peak that its speed was, with the peak taken before and
/// after each run.
fn beside_peak(pool: &Pool, task: &mut dyn FnMut(), speed: impl Fn(f64) -> f64) -> (f64, f64) {
    task();
    let start = Instant::now();
    task();
    let runs = (0.002 / start.elapsed().as_secs_f64()).clamp(1.0, 1000.0) as usize;
    let (mut times, mut shares) = (Vec::new(), Vec::new());
    let mut before = peak(pool);
    for _ in 0..15 {
        let (start, on_core) = (Instant::now(), time_on_core());
        for _ in 0..runs {
            task();
        }
        let elapsed = start.elapsed().as_secs_f64();
        let time = match (on_core, time_on_core()) {
            (Some(start), Some(end)) if pool.active() == 1 && end - start > LEAST_ON_CORE => end - start,
            _ => elapsed,
        };
        let time = time / runs as f64;
        let after = peak(pool);
        times.push(time);
        shares.push(speed(time) / f64::midpoint(before, after));
        before = after;
    }
    (median(times), median(shares))
}

/// The system's account of time on a core is a few milliseconds late.
const LEAST_ON_CORE: f64 = 0.01;

/// Seconds that this thread has been on a core, on Linux.
fn time_on_core() -> Option<f64> {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = account.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Operations in a second of all threads together, when they do nothing but fused multiply-add in registers.
fn peak(pool: &Pool) -> f64 {
    const STEPS: usize = 4_000;
    let items = 4 * pool.active();
    // The best of a few: what other programs take away is not the processor's.
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        pool.run(items, &|_| multiply_add(STEPS));
        best = best.min(start.elapsed().as_secs_f64());
    }
    (items * STEPS * CHAINS * 16 * 2) as f64 / best
}

/// Sums of sixteen lanes that do not wait for each other.
const CHAINS: usize = 12;

/// `steps` steps of [`CHAINS`] chains of 16 lanes.
fn multiply_add(steps: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;

        #[target_feature(enable = "avx512f")]
        fn wide(steps: usize) {
            let (a, b) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.5)));
            let mut sums = [a; CHAINS];
            for _ in 0..steps {
                for sum in &mut sums {
                    *sum = _mm512_fmadd_ps(*sum, a, b);
                }
            }
            black_box(sums);
        }
        #[target_feature(enable = "avx2,fma")]
        fn narrow(steps: usize) {
            let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.5)));
            let mut sums = [a; CHAINS];
            // Twice as many steps of half as many lanes.
            for _ in 0..2 * steps {
                for sum in &mut sums {
                    *sum = _mm256_fmadd_ps(*sum, a, b);
                }
            }
            black_box(sums);
        }
        let forced = env::var("AULA_KERNELS").is_ok_and(|set| !set.starts_with("avx512"));
        if is_x86_feature_detected!("avx512f") && !forced {
            // SAFETY: the processor has the instructions.
            return unsafe { wide(steps) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { narrow(steps) };
        }
    }
    let (a, b) = (black_box(0.999f32), black_box(0.5f32));
    let mut sums = [a; CHAINS * 16];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = sum.mul_add(a, b);
        }
    }
    black_box(sums);
}
