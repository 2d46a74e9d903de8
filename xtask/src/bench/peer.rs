//! The peer: llama.cpp, built from the source package of its Python binding. Nothing of it belongs to this project.
//!
//! It gets every instruction set that this processor has and a compiler that knows the processor. Only AMX is left out
//! unless asked for: servers have it, laptops do not.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::machine::Machine;
use crate::process::{Program, find_in_path};

/// The source package, whose version names the version of llama.cpp in it.
const PACKAGE: &str = "llama-cpp-python";
const VERSION: &str = "0.3.36";
/// Where llama.cpp lies in it.
const VENDORED: &str = "vendor/llama.cpp";
/// What is built of it.
const BENCH: &str = "llama-bench";
const COMPLETION: &str = "llama-completion";
const BATCHED: &str = "llama-batched-bench";

/// Where the peer comes from.
#[derive(Debug, Clone, Default)]
pub struct Source<'a> {
    /// Its `llama-bench`, built already; its other programs are looked for beside it.
    pub program: Option<&'a Path>,
    /// Its source: the package unpacked, or llama.cpp itself.
    pub source: Option<&'a Path>,
    /// Whether AMX may be used.
    pub with_amx: bool,
}

/// A built peer.
#[derive(Debug, Clone, Serialize)]
pub struct Peer {
    /// Speed of prefill and decoding.
    pub bench: PathBuf,
    /// From the start to a text.
    pub completion: Option<PathBuf>,
    /// Several rows in one pass.
    pub batched: Option<PathBuf>,
    /// How it was built, for the report.
    pub about: String,
}

impl Peer {
    /// Finds or builds it. What was built is kept under `folder` and found again.
    ///
    /// # Errors
    /// If a path is wrong, or the package cannot be had or built.
    pub fn get(source: &Source, machine: &Machine, folder: &Path) -> Result<Self> {
        if let Some(program) = source.program {
            return Self::at(program, "built elsewhere");
        }
        let kind = if source.with_amx { "native" } else { "no-amx" };
        let (build, settings) = (folder.join(format!("build-{kind}")), settings(machine, source.with_amx));
        let about = format!("{PACKAGE} {VERSION}, {}", settings.join(" "));
        let bench = build.join("bin").join(format!("{BENCH}{}", std::env::consts::EXE_SUFFIX));
        if !bench.is_file() {
            let source = match source.source {
                Some(folder) => llama_cpp_in(folder)?,
                None => download(folder)?,
            };
            compile(&source, &build, &settings)?;
        }
        Self::at(&bench, &about)
    }

    fn at(bench: &Path, about: &str) -> Result<Self> {
        if !bench.is_file() {
            bail!("`{}` is not there", bench.display());
        }
        let beside = |name: &str| {
            let path = bench.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            path.is_file().then_some(path)
        };
        Ok(Self {
            bench: bench.to_owned(),
            completion: beside(COMPLETION),
            batched: beside(BATCHED),
            about: about.to_owned(),
        })
    }
}

/// Its `llama-server`, built without its page. What was built is kept under `folder` and found again.
///
/// # Errors
/// If the source cannot be had or built.
pub fn server(source: Option<&Path>, folder: &Path) -> Result<PathBuf> {
    let build = folder.join("build-server");
    let program = build.join("bin").join(format!("llama-server{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    let source = match source {
        Some(folder) => llama_cpp_in(folder)?,
        None => download(folder)?,
    };
    let mut settings = settings(&Machine::look(), true);
    settings.retain(|setting| !setting.starts_with("-DLLAMA_BUILD_SERVER"));
    settings
        .extend(["BUILD_SERVER=ON", "BUILD_UI=OFF", "USE_PREBUILT_UI=OFF"].map(|setting| format!("-DLLAMA_{setting}")));
    build_targets(&source, &build, &settings, &["llama-server"])?;
    Ok(program)
}

/// llama.cpp's own folder in `folder`.
fn llama_cpp_in(folder: &Path) -> Result<PathBuf> {
    let candidates = [folder.to_owned(), folder.join(VENDORED)];
    let found = candidates.into_iter().find(|candidate| candidate.join("ggml/CMakeLists.txt").is_file());
    found.with_context(|| format!("`{}` does not hold the source of llama.cpp", folder.display()))
}

/// Gets the source package with the ordinary client of its registry and unpacks it.
fn download(folder: &Path) -> Result<PathBuf> {
    let unpacked = folder.join(format!("{}-{VERSION}", PACKAGE.replace('-', "_")));
    if let Ok(found) = llama_cpp_in(&unpacked) {
        return Ok(found);
    }
    std::fs::create_dir_all(folder).with_context(|| format!("could not create `{}`", folder.display()))?;
    Program::new("pip")
        .args(["download", "--no-binary", PACKAGE, "--no-deps", "--dest"])
        .arg(folder)
        .arg(format!("{PACKAGE}=={VERSION}"))
        .run()
        .context("the peer's source is needed: give it with `--peer-source`, or the built program with `--peer-bin`")?;
    let archive = format!("{}-{VERSION}.tar.gz", PACKAGE.replace('-', "_"));
    Program::new("tar").args(["-xzf", &archive]).dir(folder).run()?;
    llama_cpp_in(&unpacked)
}

fn compile(source: &Path, build: &Path, settings: &[String]) -> Result<()> {
    build_targets(source, build, settings, &[BENCH, COMPLETION, BATCHED])
}

fn build_targets(source: &Path, build: &Path, settings: &[String], targets: &[&str]) -> Result<()> {
    if find_in_path(&format!("cmake{}", std::env::consts::EXE_SUFFIX)).is_none() {
        bail!("cmake is missing: install it (Debian: `apt install cmake`), or give a built program with `--peer-bin`");
    }
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    Program::new("cmake").arg("-S").arg(source).arg("-B").arg(build).args(settings).run()?;
    Program::new("cmake")
        .arg("--build")
        .arg(build)
        .args(["--config", "Release", "--parallel", &jobs, "--target"])
        .args(targets)
        .run()
}

/// Settings for cmake: a release build with everything that makes it fast on this processor.
fn settings(machine: &Machine, with_amx: bool) -> Vec<String> {
    // One program without libraries beside it, and nothing that only downloads or serves.
    let mut settings: Vec<String> = [
        "CMAKE_BUILD_TYPE=Release",
        "BUILD_SHARED_LIBS=OFF",
        "LLAMA_CURL=OFF",
        "LLAMA_OPENSSL=OFF",
        "LLAMA_BUILD_TESTS=OFF",
        "LLAMA_BUILD_EXAMPLES=OFF",
        "LLAMA_BUILD_SERVER=OFF",
        "LLAMA_BUILD_APP=OFF",
        "GGML_OPENMP=ON",
        "GGML_LLAMAFILE=ON",
        "GGML_CCACHE=OFF",
    ]
    .map(|setting| format!("-D{setting}"))
    .to_vec();
    if with_amx || !machine.has("amx_int8") {
        settings.push("-DGGML_NATIVE=ON".to_owned());
        return settings;
    }
    // `native` would take AMX along, so each of the others is named.
    settings.push("-DGGML_NATIVE=OFF".to_owned());
    settings.extend(["C", "CXX"].map(|language| format!("-DCMAKE_{language}_FLAGS=-mtune=native")));
    let avx512 = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];
    for (setting, sets) in [
        ("SSE42", &["sse4_2"][..]),
        ("AVX", &["avx"]),
        ("F16C", &["f16c"]),
        ("FMA", &["fma"]),
        ("BMI2", &["bmi2"]),
        ("AVX2", &["avx2"]),
        ("AVX_VNNI", &["avx_vnni"]),
        ("AVX512", &avx512),
        ("AVX512_VBMI", &["avx512vbmi"]),
        ("AVX512_VNNI", &["avx512_vnni"]),
        ("AVX512_BF16", &["avx512_bf16"]),
    ] {
        let on = if sets.iter().all(|set| machine.has(set)) { "ON" } else { "OFF" };
        settings.push(format!("-DGGML_{setting}={on}"));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(sets: &[&str]) -> Machine {
        Machine {
            processor: String::new(),
            processors: 1,
            memory_bytes: None,
            system: String::new(),
            instruction_sets: sets.iter().map(|&set| set.to_owned()).collect(),
        }
    }

    #[test]
    fn the_peer_gets_what_the_processor_has_but_amx() {
        let laptop = settings(&machine(&["avx2", "avx_vnni"]), false);
        assert!(laptop.contains(&"-DGGML_NATIVE=ON".to_owned()), "{laptop:?}");

        let mut sets = vec!["sse4_2", "avx", "f16c", "fma", "bmi2", "avx2", "avx_vnni", "amx_int8", "avx512_vnni"];
        sets.extend(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]);
        let server = settings(&machine(&sets), false);
        for expected in ["NATIVE=OFF", "AVX_VNNI=ON", "AVX512=ON", "AVX512_VNNI=ON", "AVX512_BF16=OFF"] {
            assert!(server.contains(&format!("-DGGML_{expected}")), "{expected} in {server:?}");
        }
        let with_amx = settings(&machine(&sets), true);
        assert!(with_amx.contains(&"-DGGML_NATIVE=ON".to_owned()), "{with_amx:?}");
    }

    #[test]
    fn a_wrong_path_is_said() {
        let root = crate::workspace::root();
        let program = root.join("none/llama-bench");
        let source = Source { program: Some(&program), ..Source::default() };
        let error = Peer::get(&source, &machine(&[]), &root).expect_err("it is not there").to_string();
        assert_eq!(error, format!("`{}` is not there", program.display()));
        let error = llama_cpp_in(&root).expect_err("this is something else").to_string();
        assert!(error.ends_with("does not hold the source of llama.cpp"), "{error}");
    }
}
