//! The kernels' tests for another processor than this one: cross-compiled for 64-bit ARM and run by QEMU, which has the
//! instructions that the machines of most people who work on this lack.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::{Program, find_in_path};
use crate::tools::Version;
use crate::workspace::{self, Metadata};

/// What the tests are compiled for.
const TARGET: &str = "aarch64-unknown-linux-gnu";
/// ARM targets that the kernels compile for; whichever is installed serves to check the types.
const TARGETS: &[&str] = &[TARGET, "aarch64-apple-darwin", "aarch64-pc-windows-msvc"];
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATORS: &[&str] = &["qemu-aarch64", "qemu-aarch64-static"];
/// Debian's compiler, whose standard library exists for other architectures as a package.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A processor that QEMU knows, the instruction set that must be chosen on it, and which tests tell it from the others.
struct Processor {
    name: &'static str,
    kernels: &'static str,
    suites: &'static [&'static str],
    filter: &'static [&'static str],
}

/// The pool's tests are left out, since how threads meet under an emulator says nothing about a machine, and packing's,
/// which has no instructions of its own.
const PROCESSORS: &[Processor] = &[
    Processor {
        name: "max",
        kernels: "neon_i8mm",
        suites: &["--lib", "--test", "attention", "--test", "matmul", "--test", "rows"],
        filter: &["--skip", "pool::", "--skip", "pack::"],
    },
    Processor {
        name: "neoverse-n1",
        kernels: "neon_dotprod",
        suites: &["--lib", "--test", "matmul"],
        filter: &["--skip", "pool::", "--skip", "pack::", "--skip", "scalar::"],
    },
    Processor { name: "cortex-a72", kernels: "scalar", suites: &["--lib"], filter: &["select::"] },
];

/// The tools that were found.
pub struct Emulation {
    rustc: PathBuf,
    emulator: PathBuf,
}

impl Emulation {
    /// The tools, or in one sentence why it cannot be done here.
    pub fn find() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("programs of another architecture are emulated on Linux only".to_owned());
        }
        if cfg!(target_arch = "aarch64") {
            return Err("this is an ARM processor, which runs the tests as they are".to_owned());
        }
        let rustc = [PathBuf::from("rustc"), PathBuf::from(DEBIAN_RUSTC)].into_iter().find(|rustc| compiles(rustc));
        let emulator = EMULATORS.iter().find_map(|name| find_in_path(name));
        let mut missing = Vec::new();
        if rustc.is_none() {
            missing.push(
                "a Rust compiler with the standard library for ARM (`rustup target add aarch64-unknown-linux-gnu`, \
                 or on Debian rustc-web and libstd-rust-web-dev:arm64)",
            );
        }
        if find_in_path(LINKER).is_none() {
            missing.push("a linker for ARM (on Debian gcc-aarch64-linux-gnu)");
        }
        if emulator.is_none() {
            missing.push("QEMU for ARM programs (on Debian qemu-user)");
        }
        match (rustc, emulator) {
            (Some(rustc), Some(emulator)) if missing.is_empty() => Ok(Self { rustc, emulator }),
            _ => Err(format!("missing: {}", missing.join("; "))),
        }
    }

    /// The test runs, one for each emulated processor.
    pub fn programs(&self, root: &Path) -> Result<Vec<Program>> {
        let target_dir = Metadata::load(root, None)?.target_directory.join("emulate");
        Ok(PROCESSORS.iter().map(|processor| self.program(processor, root, &target_dir)).collect())
    }

    fn program(&self, processor: &Processor, root: &Path, target_dir: &Path) -> Program {
        let variable = |end: &str| format!("CARGO_TARGET_{}_{end}", TARGET.to_uppercase().replace('-', "_"));
        Program::cargo()
            .args(["test", "--locked", "--no-fail-fast", "--package", "kernels"])
            .args(processor.suites)
            .args(["--target", TARGET, "--target-dir"])
            .arg(target_dir)
            .arg("--")
            .args(processor.filter)
            .dir(root)
            .env("RUSTC", &self.rustc)
            .env(&variable("LINKER"), LINKER)
            // Nothing of the other architecture has to be installed, and its C library never meets the emulator.
            .env(&variable("RUSTFLAGS"), "-C target-feature=+crt-static")
            .env(&variable("RUNNER"), format!("{} -cpu {}", self.emulator.display(), processor.name))
            // A test compares it with what is chosen, so that no run passes for want of instructions.
            .env("AULA_KERNELS", processor.kernels)
    }
}

/// ARM targets whose standard library the compiler that cargo uses has.
pub fn installed_targets() -> Vec<&'static str> {
    TARGETS.iter().copied().filter(|target| has_std(Path::new("rustc"), target)).collect()
}

/// Whether `rustc` is new enough and compiles for [`TARGET`].
fn compiles(rustc: &Path) -> bool {
    let version = Program::at(rustc).arg("--version").output().ok().and_then(|text| Version::find(&text));
    version >= Version::find(env!("CARGO_PKG_RUST_VERSION")) && has_std(rustc, TARGET)
}

fn has_std(rustc: &Path, target: &str) -> bool {
    let Ok(folder) = Program::at(rustc).args(["--print", "target-libdir", "--target", target]).output() else {
        return false;
    };
    let files = std::fs::read_dir(folder.trim()).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libstd-"))
}

/// `cargo xtask emulate`.
pub fn run() -> Result<()> {
    let root = workspace::root();
    match Emulation::find() {
        Ok(emulation) => emulation.programs(&root)?.into_iter().try_for_each(Program::run),
        Err(why) => bail!("the kernels' tests cannot be emulated here: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_without_the_target_is_not_taken() {
        assert!(!has_std(Path::new("rustc"), "no-such-target"));
        assert!(!compiles(Path::new("no-such-compiler-of-aula")));
    }

    #[test]
    fn every_instruction_set_has_its_processor() {
        let sets: Vec<_> = PROCESSORS.iter().map(|processor| processor.kernels).collect();
        assert_eq!(sets, ["neon_i8mm", "neon_dotprod", "scalar"]);
        let emulation = Emulation { rustc: "rustc".into(), emulator: "/usr/bin/qemu-aarch64".into() };
        let line = emulation.program(&PROCESSORS[2], Path::new("."), Path::new("there")).line().to_owned();
        assert_eq!(
            line,
            "cargo test --locked --no-fail-fast --package kernels --lib --target aarch64-unknown-linux-gnu \
             --target-dir there -- select::"
        );
    }
}
