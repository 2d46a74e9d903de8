//! How fast products with packed weights are, beside what this machine can do: its integer dot products and its reads.
//!
//! `cargo run --release -p kernels --example matmul_speed -- [kernels=NAME] [formats=Q4_0,Q6_K] [rows=1,4,64] [threads=1,4]
//! [shapes=WIDTHxROWS,…] [seconds=0.2]`
//!
//! For every shape, format and number of rows: operations a second (a multiplication and an addition count as two) and
//! their share of the measured peak of the same threads, bytes of weights a second and their share of a plain read of as
//! large a buffer. Peak, read and product are measured in turns, and the best of each counts.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "the peak is measured with vector instructions"))]

use std::{
    collections::HashMap,
    hint::black_box,
    time::{Duration, Instant},
};

use kernels::{Activations, Compute, Format, Kernels, Matrix, Needs, Pool, Product, select::sample};

/// Shapes `(width, rows)` of Gemma 4 E2B: gate and up, down, query and attention output, the head.
const SHAPES: &str = "1536x12288,12288x1536,1536x6144,6144x1536,1536x2048,2048x1536";
const HEAD: &str = "1536x262144";
/// Weights are taken in turns from copies of so many bytes together, so that no cache holds them.
const RESIDENT: usize = 400 << 20;

fn main() {
    let options: HashMap<String, String> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let option = |name: &str, default: &str| options.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let kernels = match options.get("kernels") {
        Some(name) => Kernels::forced(name).unwrap_or_else(|error| panic!("{error}")),
        None => Kernels::detect(),
    };
    let formats = option("formats", "Q4_0,Q6_K,Q4_K");
    let seconds: f64 = number(&option("seconds", "0.2"));
    for threads in option("threads", "1,4").split(',').map(number::<usize>) {
        for format in formats.split(',').map(format_called) {
            let default = if format == Format::Q6K { HEAD } else { SHAPES };
            for shape in option("shapes", default).split(',') {
                let (width, n_rows) = shape.split_once('x').unwrap_or_else(|| panic!("{shape} is no WIDTHxROWS"));
                let (width, n_rows) = (number(width), number(n_rows));
                let compute = Compute::new(Pool::new(threads), kernels);
                let mut bench = Bench::new(&compute, threads, format, n_rows, width, seconds);
                for rows in option("rows", "1,2,4,5,8,64,512").split(',').map(number::<usize>) {
                    bench.run(rows);
                }
            }
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn format_called(name: &str) -> Format {
    Format::ALL
        .into_iter()
        .find(|format| format.name().eq_ignore_ascii_case(name))
        .unwrap_or_else(|| panic!("no format {name}"))
}

/// One matrix, several times in memory.
struct Bench<'a> {
    compute: &'a Compute,
    threads: usize,
    format: Format,
    n_rows: usize,
    width: usize,
    seconds: f64,
    copies: Vec<Vec<u8>>,
    begun: Instant,
}

impl<'a> Bench<'a> {
    fn new(compute: &'a Compute, threads: usize, format: Format, n_rows: usize, width: usize, seconds: f64) -> Self {
        let one = sample::weights(format, n_rows, width, 1);
        let copies = vec![one.clone(); (RESIDENT / one.len()).max(1)];
        Self { compute, threads, format, n_rows, width, seconds, copies, begun: Instant::now() }
    }

    fn run(&mut self, rows: usize) {
        let mut x = Activations::new(Needs::of([self.format]));
        let values = sample::Numbers::new(2).values(rows * self.width, 1.0);
        self.compute.quantize(&values, self.width, &mut x);
        let mut out = vec![0f32; rows * self.n_rows];
        let bytes = self.copies[0].len();
        let n_copies = self.copies.len();
        let (mut product, mut read, mut peak) = (f64::MAX, f64::MAX, 0f64);
        let mut turn = 0;
        let until = Instant::now() + Duration::from_secs_f64(self.seconds);
        while Instant::now() < until || turn < 3 {
            let weights = &self.copies[turn % n_copies];
            let weights =
                Matrix::new(self.format, self.n_rows, self.width, weights).expect("as many bytes as it takes");
            let start = self.clock();
            self.compute.products(&x, &mut [Product { weights, out: &mut out }]);
            product = product.min(self.clock() - start);
            black_box(&out);
            if turn % 4 == 0 {
                let other = &self.copies[(turn + n_copies / 2) % n_copies];
                let start = self.clock();
                self.read(other);
                read = read.min(self.clock() - start);
                peak = peak.max(self.peak());
            }
            turn += 1;
        }
        let operations = 2.0 * (rows * self.n_rows * self.width) as f64;
        println!(
            "{:<12} {:<5} {:>6}x{:<6} threads {} rows {:>3}: {:8.3} ms {:7.1} GOP/s = {:4.1} % of {:6.0}; {:5.1} GB/s = {:5.1} % of {:4.1}",
            self.compute.kernels().name(),
            self.format.name(),
            self.width,
            self.n_rows,
            self.threads,
            rows,
            product * 1e3,
            operations / product * 1e-9,
            100.0 * operations / product / peak,
            peak * 1e-9,
            bytes as f64 / product * 1e-9,
            100.0 * read / product,
            bytes as f64 / read * 1e-9,
        );
    }

    /// Seconds: of this thread on its core if it is alone, so that other processes do not count; otherwise of the clock on
    /// the wall.
    fn clock(&self) -> f64 {
        #[cfg(target_os = "linux")]
        if self.threads == 1 {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            return time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
        }
        self.begun.elapsed().as_secs_f64()
    }

    /// Reads all of `bytes` once, in pieces of the size that products take.
    fn read(&self, bytes: &[u8]) {
        let pieces: Vec<&[u8]> = bytes.chunks(96 << 10).collect();
        self.compute.pool().run(pieces.len(), &|item| {
            black_box(sum(pieces[item]));
        });
    }

    /// Operations a second of the instruction that products of bytes are made of.
    fn peak(&self) -> f64 {
        const TURNS: usize = 100_000;
        let start = self.clock();
        self.compute.pool().run(self.threads, &|_| {
            black_box(dot_products(TURNS));
        });
        (self.threads * TURNS) as f64 * operations_a_turn() / (self.clock() - start)
    }
}

#[cfg(target_arch = "x86_64")]
use x86_64::{dot_products, operations_a_turn, sum};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::{arch::x86_64::*, hint::black_box};

    use kernels::x86_64::matmul::{Avx2, Avx512Vnni};

    /// Independent sums, more than the latency of the instruction asks for.
    const CHAINS: usize = 12;

    pub fn sum(bytes: &[u8]) -> u64 {
        assert!(Avx2::new().is_some(), "this measures with AVX2");
        // SAFETY: the processor has AVX2.
        unsafe { sum_avx2(bytes) }
    }

    #[target_feature(enable = "avx2")]
    unsafe fn sum_avx2(bytes: &[u8]) -> u64 {
        let mut sums = [_mm256_setzero_si256(); 4];
        let (_, values, _) = {
            // SAFETY: any bytes are a vector of integers.
            unsafe { bytes.align_to::<__m256i>() }
        };
        for (index, values) in values.chunks_exact(4).enumerate() {
            // Ahead across the ends of pages, as products do.
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(128).cast());
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(130).cast());
            let _ = index;
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = _mm256_add_epi64(*sum, *value);
            }
        }
        let all = _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
        _mm256_extract_epi64::<0>(all) as u64
    }

    /// Operations of one turn of [`dot_products`].
    pub fn operations_a_turn() -> f64 {
        let lanes = if Avx512Vnni::new().is_some() { 64 } else { 32 };
        (2 * lanes * CHAINS) as f64
    }

    /// `turns` times independent dot products of bytes, the widest there are; with AVX2 alone, of the two instructions
    /// that take their place only the first.
    pub fn dot_products(turns: usize) -> i32 {
        if Avx512Vnni::new().is_some() {
            // SAFETY: the processor has AVX-512 VNNI.
            unsafe { dot_products_512(turns) }
        } else {
            // SAFETY: the processor has AVX2, which `sum` has asserted.
            unsafe { dot_products_256(turns) }
        }
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn dot_products_512(turns: usize) -> i32 {
        let (a, b) = (black_box(_mm512_set1_epi8(3)), black_box(_mm512_set1_epi8(5)));
        let mut sums = [_mm512_setzero_si512(); CHAINS];
        for _ in 0..turns {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, a, b);
            }
            sums = keep(sums);
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_epi32(sum)).fold(0, i32::wrapping_add)
    }

    /// Hides from the compiler that all sums are the same.
    #[target_feature(enable = "avx512f")]
    fn keep(mut sums: [__m512i; CHAINS]) -> [__m512i; CHAINS] {
        for sum in &mut sums {
            // SAFETY: nothing happens to the register.
            unsafe {
                std::arch::asm!("/* {0} */", inout(zmm_reg) * sum, options(pure, nomem, nostack, preserves_flags))
            };
        }
        sums
    }

    #[target_feature(enable = "avx2")]
    unsafe fn dot_products_256(turns: usize) -> i32 {
        let (a, b) = (black_box(_mm256_set1_epi8(3)), black_box(_mm256_set1_epi8(5)));
        let mut sums = [_mm256_setzero_si256(); CHAINS];
        for _ in 0..turns {
            for sum in &mut sums {
                // SAFETY: nothing happens to the registers but what the instruction does to the first.
                unsafe {
                    std::arch::asm!(
                        "vpmaddubsw {0}, {1}, {2}",
                        inlateout(ymm_reg) *sum, in(ymm_reg) a, in(ymm_reg) b,
                        options(pure, nomem, nostack, preserves_flags)
                    );
                }
            }
        }
        sums.into_iter().map(|sum| _mm256_extract_epi32::<0>(sum)).fold(0, i32::wrapping_add)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks_exact(8).map(|eight| eight.iter().map(|&byte| u64::from(byte)).sum::<u64>()).sum()
}

/// The peak is known on x86-64 only.
#[cfg(not(target_arch = "x86_64"))]
fn operations_a_turn() -> f64 {
    f64::NAN
}

#[cfg(not(target_arch = "x86_64"))]
fn dot_products(_: usize) -> i32 {
    0
}
