//! The processor: name, cores, and which vector instructions it has.

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// One machine's processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// The maker's name for it; empty where the system does not tell.
    pub model: String,
    /// Cores that compute independently.
    pub physical_cores: usize,
    /// Threads that those cores run at once.
    pub logical_cores: usize,
    /// The widest set of vector instructions that matters for quantized matrix products.
    pub simd: SimdLevel,
}

/// Vector instructions that matter here, from none to most, within one family of processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimdLevel {
    /// None that is used here.
    Scalar,
    /// x86: 128 bits.
    Sse42,
    /// x86: 256 bits, with fused multiply-add and half-precision conversion.
    Avx2,
    /// x86: AVX2 with 8-bit dot products.
    AvxVnni,
    /// x86: 512 bits, foundation with byte and word operations.
    Avx512,
    /// x86: AVX-512 with 8-bit dot products.
    Avx512Vnni,
    /// ARM: 128 bits.
    Neon,
    /// ARM: NEON with 8-bit dot products.
    NeonDotprod,
    /// ARM: NEON with 8-bit matrix products.
    NeonI8mm,
}

impl SimdLevel {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "none",
            Self::Sse42 => "SSE 4.2",
            Self::Avx2 => "AVX2",
            Self::AvxVnni => "AVX2 + VNNI",
            Self::Avx512 => "AVX-512",
            Self::Avx512Vnni => "AVX-512 + VNNI",
            Self::Neon => "NEON",
            Self::NeonDotprod => "NEON + dot products",
            Self::NeonI8mm => "NEON + matrix products",
        }
    }

    /// The level of a processor that has the features for which `has` answers true (names as in Rust's feature detection).
    fn of(has: impl Fn(&str) -> bool) -> Self {
        let all = |names: &[&str]| names.iter().all(|name| has(name));
        if all(&["neon"]) {
            return match (has("i8mm"), has("dotprod")) {
                (true, _) => Self::NeonI8mm,
                (false, true) => Self::NeonDotprod,
                (false, false) => Self::Neon,
            };
        }
        // Every real processor with a later set has the earlier ones; a virtual machine may hide some, and code for
        // the later set relies on the earlier.
        if !all(&["sse4.2"]) {
            return Self::Scalar;
        }
        if !all(&["avx2", "fma", "f16c"]) {
            return Self::Sse42;
        }
        if all(&["avx512f", "avx512bw", "avx512vl"]) {
            return if has("avx512vnni") { Self::Avx512Vnni } else { Self::Avx512 };
        }
        if has("avxvnni") { Self::AvxVnni } else { Self::Avx2 }
    }

    /// The level of the processor that runs this program.
    pub fn probe() -> Self {
        Self::of(has_feature)
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn has_feature(name: &str) -> bool {
    match name {
        "sse4.2" => std::is_x86_feature_detected!("sse4.2"),
        "avx2" => std::is_x86_feature_detected!("avx2"),
        "fma" => std::is_x86_feature_detected!("fma"),
        "f16c" => std::is_x86_feature_detected!("f16c"),
        "avx512f" => std::is_x86_feature_detected!("avx512f"),
        "avx512bw" => std::is_x86_feature_detected!("avx512bw"),
        "avx512vl" => std::is_x86_feature_detected!("avx512vl"),
        "avx512vnni" => std::is_x86_feature_detected!("avx512vnni"),
        "avxvnni" => std::is_x86_feature_detected!("avxvnni"),
        _ => false,
    }
}

#[cfg(target_arch = "aarch64")]
fn has_feature(name: &str) -> bool {
    match name {
        "neon" => std::arch::is_aarch64_feature_detected!("neon"),
        "dotprod" => std::arch::is_aarch64_feature_detected!("dotprod"),
        "i8mm" => std::arch::is_aarch64_feature_detected!("i8mm"),
        _ => false,
    }
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
fn has_feature(_name: &str) -> bool {
    false
}

impl Cpu {
    /// Looks at this machine's processor.
    pub fn probe() -> Self {
        let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
        let logical_cores = std::thread::available_parallelism().map_or(1, usize::from);
        let physical_cores = System::physical_core_count().unwrap_or(logical_cores).clamp(1, logical_cores);
        let first = system.as_ref().ok().and_then(|system| system.cpus().first());
        let model = first.map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
        Self { model, physical_cores, logical_cores, simd: SimdLevel::probe() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(features: &str, expected: SimdLevel) {
        let list: Vec<&str> = features.split_whitespace().collect();
        assert_eq!(SimdLevel::of(|name| list.contains(&name)), expected, "{features}");
    }

    #[test]
    fn levels_of_known_processors() {
        check("", SimdLevel::Scalar);
        check("sse4.2", SimdLevel::Sse42);
        // Ivy Bridge: AVX and f16c, no AVX2.
        check("sse4.2 f16c", SimdLevel::Sse42);
        // Haswell to Comet Lake, Zen 1 to 3.
        check("sse4.2 avx2 fma f16c", SimdLevel::Avx2);
        // Alder Lake and later laptops.
        check("sse4.2 avx2 fma f16c avxvnni", SimdLevel::AvxVnni);
        // Skylake-X.
        check("sse4.2 avx2 fma f16c avx512f avx512bw avx512vl", SimdLevel::Avx512);
        // Ice Lake, Zen 4.
        check("sse4.2 avx2 fma f16c avx512f avx512bw avx512vl avx512vnni", SimdLevel::Avx512Vnni);
        // Raspberry Pi 4, Raspberry Pi 5, Apple M2.
        check("neon", SimdLevel::Neon);
        check("neon dotprod", SimdLevel::NeonDotprod);
        check("neon dotprod i8mm", SimdLevel::NeonI8mm);
    }

    #[test]
    fn a_virtual_machine_that_hides_avx2_is_not_trusted_with_more() {
        check("sse4.2 avx512f avx512bw avx512vl avx512vnni", SimdLevel::Sse42);
        check("avx2 fma f16c", SimdLevel::Scalar);
    }
}
