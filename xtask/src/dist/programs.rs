//! What the built programs are and need.

use std::path::Path;

use anyhow::{Context, Result};

use crate::process::Program;

/// The target that this computer's own programs are built for, such as `x86_64-unknown-linux-gnu`.
pub fn host() -> Result<String> {
    let about = Program::new("rustc").arg("-vV").output()?;
    let line = about.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not tell its host")
}

/// The oldest GNU C library that has everything these programs use, such as `2.34`.
pub fn needed_glibc(programs: &[&Path]) -> Result<String> {
    let mut newest = (0, 0);
    for program in programs {
        let symbols = Program::new("objdump").arg("-T").arg(program).output()?;
        newest = newest.max(newest_glibc(&symbols));
    }
    anyhow::ensure!(newest > (0, 0), "the programs name no version of the C library");
    Ok(format!("{}.{}", newest.0, newest.1))
}

/// The newest version among the symbols that `objdump -T` lists.
fn newest_glibc(symbols: &str) -> (u32, u32) {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let mut parts = rest.split(|c: char| !c.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    });
    versions.max().unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_and_numbers_are_compared_as_numbers() {
        let symbols = "0000 DF *UND* 0000 (GLIBC_2.2.5) free\n\
                       0000 DF *UND* 0000 (GLIBC_2.34) pthread_create\n\
                       0000 DF *UND* 0000 (GLIBC_2.9)  pipe2\n\
                       0000 DF *UND* 0000 (GCC_3.0) _Unwind_Resume\n";
        assert_eq!(newest_glibc(symbols), (2, 34));
        assert_eq!(newest_glibc("nothing"), (0, 0));
    }
}
