//! What a job of the pool costs, and what is left of its speed while other processes keep cores busy.
//!
//! `cargo run --release -p kernels --example pool_cost -- [THREADS] [HOGS]`

use std::{
    hint::black_box,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use kernels::Pool;

/// A token of a small model: so many jobs of so many items, with some serial work after each job.
const JOBS: usize = 250;
const ITEMS: usize = 40;
const ITEM: Duration = Duration::from_micros(8);
const SERIAL: Duration = Duration::from_micros(2);

/// Work that takes the same number of instructions each time: a clock would count the time off the core as done.
fn churn(rounds: u64) {
    let mut x = 1_u64;
    for round in 0..rounds {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round));
    }
}

/// Rounds of [`churn`] in `time` on an undisturbed core.
fn rounds_in(time: Duration) -> u64 {
    const SAMPLE: u64 = 20_000;
    let fastest = (0..50).map(|_| {
        let begun = Instant::now();
        churn(SAMPLE);
        begun.elapsed()
    });
    let fastest = fastest.min().unwrap_or(Duration::from_micros(1)).as_secs_f64();
    (SAMPLE as f64 * time.as_secs_f64() / fastest) as u64
}

/// Tokens in a second, over `time`.
fn tokens(pool: &Pool, time: Duration, item: u64, serial: u64) -> f64 {
    let begun = Instant::now();
    let mut tokens = 0;
    while begun.elapsed() < time {
        for _ in 0..JOBS {
            pool.run(ITEMS, &|_| churn(item));
            churn(serial);
        }
        tokens += 1;
    }
    f64::from(tokens) / begun.elapsed().as_secs_f64()
}

/// Nanoseconds for a job of `n_items` empty items, all threads awake: the median of many batches.
fn empty_job(pool: &Pool, n_items: usize) -> f64 {
    const BATCH: usize = 1000;
    let mut batches: Vec<f64> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..BATCH {
                pool.run(n_items, &|item| {
                    black_box(item);
                });
            }
            begun.elapsed().as_nanos() as f64 / BATCH as f64
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[batches.len() / 2]
}

/// Processes that compute until they are dropped.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start(n: usize) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let hogs = (0..n).map(|_| Command::new(&program).arg("hog").spawn()).collect::<Result<_, _>>()?;
        thread::sleep(Duration::from_millis(300));
        Ok(Self(hogs))
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            // Either fails only for a process that has ended.
            drop(hog.kill());
            drop(hog.wait());
        }
    }
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    if first.as_deref() == Some("hog") {
        loop {
            churn(1 << 20);
        }
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = first.and_then(|n| n.parse().ok()).unwrap_or(cores);
    let hogs = args.next().and_then(|n| n.parse().ok()).unwrap_or(2);

    let pool = Pool::new(threads);
    for n_items in [1, 2, 8, ITEMS] {
        println!("empty job of {n_items} items on {threads} threads: {:.0} ns", empty_job(&pool, n_items));
    }

    let (item, serial) = (rounds_in(ITEM), rounds_in(SERIAL));
    let ideal = 1.0 / (JOBS as f64 * (ITEM.as_secs_f64() * ITEMS as f64 / threads as f64 + SERIAL.as_secs_f64()));
    let mut shares = Vec::new();
    for round in 0..3 {
        let idle = tokens(&pool, Duration::from_millis(1500), item, serial);
        let busy = {
            let _hogs = Hogs::start(hogs)?;
            tokens(&pool, Duration::from_secs(2), item, serial)
        };
        shares.push(busy / idle);
        println!(
            "round {round}: idle {idle:.1} tokens/s ({:.0} % of the arithmetic), with {hogs} busy processes {busy:.1}: {:.0} %",
            100.0 * idle / ideal,
            100.0 * busy / idle
        );
    }
    shares.sort_by(f64::total_cmp);
    println!("median share with {hogs} busy processes: {:.0} %", 100.0 * shares[shares.len() / 2]);
    Ok(())
}
