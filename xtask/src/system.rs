//! The system's own libraries and programs: what is missing, and how it gets there.
//!
//! What is missing is found by asking for the thing itself (a command, a pkg-config module), which works on
//! every distribution; how to install it is known for Debian and its relatives.

use std::io::{IsTerminal, Write};

use anyhow::{Result, bail};

use crate::process::{Program, find_in_path};

/// Something the system has to provide.
pub struct Need {
    /// How to tell that it is there.
    sign: Sign,
    /// The package on Debian and Ubuntu.
    debian: &'static str,
    /// The package on Fedora.
    fedora: &'static str,
    /// What it serves for.
    purpose: &'static str,
}

enum Sign {
    /// One of these commands is in `PATH`.
    Command(&'static [&'static str]),
    /// pkg-config knows this module.
    Module(&'static str),
    /// fontconfig knows at least one font.
    Font,
}

/// Names under which Chromium or a relative is installed, in order of preference.
pub const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

const WINDOW: &[Need] = &[
    Need { sign: Sign::Command(&["cc"]), debian: "gcc", fedora: "gcc", purpose: "compiling SQLite" },
    Need {
        sign: Sign::Command(&["pkg-config"]),
        debian: "pkg-config",
        fedora: "pkgconf",
        purpose: "finding libraries",
    },
    Need {
        sign: Sign::Module("webkit2gtk-4.1"),
        debian: "libwebkit2gtk-4.1-dev",
        fedora: "webkit2gtk4.1-devel",
        purpose: "the window",
    },
];

const TESTS: &[Need] = &[
    Need {
        sign: Sign::Command(&["Xvfb"]),
        debian: "xvfb",
        fedora: "xorg-x11-server-Xvfb",
        purpose: "a screen for tests",
    },
    Need {
        sign: Sign::Command(&["WebKitWebDriver"]),
        debian: "webkit2gtk-driver",
        fedora: "webkit2gtk-driver",
        purpose: "driving the real window",
    },
    Need { sign: Sign::Command(CHROMIUM), debian: "chromium", fedora: "chromium", purpose: "testing the page" },
    Need {
        sign: Sign::Font,
        debian: "fonts-liberation",
        fedora: "liberation-sans-fonts",
        purpose: "text outside the page's own fonts",
    },
];

/// The network cut for a test, and every call that could use it written down.
const OFFLINE: &[Need] = &[
    Need { sign: Sign::Command(&["strace"]), debian: "strace", fedora: "strace", purpose: "watching for look-ups" },
    Need {
        sign: Sign::Command(&["unshare"]),
        debian: "util-linux",
        fedora: "util-linux",
        purpose: "cutting the network",
    },
    Need { sign: Sign::Command(&["ip"]), debian: "iproute2", fedora: "iproute", purpose: "loopback without a network" },
];

const PACK: &[Need] = &[Need {
    sign: Sign::Command(&["objdump"]),
    debian: "binutils",
    fedora: "binutils",
    purpose: "reading which C library is needed",
}];

const CHECK_PACKAGE: &[Need] = &[
    Need {
        sign: Sign::Command(&["debootstrap"]),
        debian: "debootstrap",
        fedora: "debootstrap",
        purpose: "an empty Debian",
    },
    Need { sign: Sign::Command(&["rpm"]), debian: "rpm", fedora: "rpm", purpose: "looking into the .rpm" },
    Need {
        sign: Sign::Command(&["Xvfb"]),
        debian: "xvfb",
        fedora: "xorg-x11-server-Xvfb",
        purpose: "a screen for the window",
    },
];

/// What a command of ours is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Build and start the window.
    Run,
    /// Run every test.
    Test,
    /// Build the packages.
    Pack,
    /// Build the packages and try them.
    CheckPackage,
}

/// Makes sure that everything for `purpose` is there: installs what is missing on Debian and Ubuntu (as root
/// at once, otherwise after asking), and elsewhere says what to install. Does nothing outside Linux.
pub fn ensure(purpose: Purpose) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing = missing(purpose);
    if missing.is_empty() {
        return Ok(());
    }
    println!("Aula needs these from the system:");
    for need in &missing {
        println!("  {:<24} {}", need.debian, need.purpose);
    }
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_debian(&release) {
        let names: Vec<_> = missing.iter().map(|need| need.fedora).collect();
        bail!(
            "install the packages above (those are Debian's names; on Fedora `sudo dnf install {}`), then start again",
            names.join(" ")
        );
    }
    install(&missing)?;
    let still: Vec<_> = self::missing(purpose).iter().map(|need| need.debian).collect();
    if still.is_empty() { Ok(()) } else { bail!("still missing after the installation: {}", still.join(", ")) }
}

/// The Chromium that tests use: `AULA_CHROMIUM`, or the first in `PATH`.
pub fn chromium() -> Option<std::path::PathBuf> {
    std::env::var_os("AULA_CHROMIUM")
        .map(std::path::PathBuf::from)
        .or_else(|| CHROMIUM.iter().find_map(|name| find_in_path(name)))
}

fn missing(purpose: Purpose) -> Vec<&'static Need> {
    let more: &[&[Need]] = match purpose {
        Purpose::Run => &[],
        Purpose::Test => &[TESTS, OFFLINE],
        Purpose::Pack => &[PACK],
        Purpose::CheckPackage => &[PACK, CHECK_PACKAGE],
    };
    WINDOW.iter().chain(more.iter().copied().flatten()).filter(|need| !need.is_there()).collect()
}

impl Need {
    fn is_there(&self) -> bool {
        match self.sign {
            Sign::Command(CHROMIUM) => chromium().is_some(),
            Sign::Command(names) => names.iter().any(|name| find_in_path(name).is_some()),
            Sign::Module(module) => Program::new("pkg-config").args(["--exists", module]).output().is_ok(),
            Sign::Font => Program::new("fc-list").output().is_ok_and(|list| !list.trim().is_empty()),
        }
    }
}

/// Whether `/etc/os-release` speaks of Debian or a relative.
fn is_debian(release: &str) -> bool {
    release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|id| matches!(id, "debian" | "ubuntu"))
}

/// Whether this runs as root.
pub fn is_root() -> bool {
    Program::new("id").arg("-u").output().is_ok_and(|id| id.trim() == "0")
}

fn install(missing: &[&Need]) -> Result<()> {
    let packages: Vec<_> = missing.iter().map(|need| need.debian).collect();
    let root = is_root();
    let apt = |args: &[&str]| {
        let program = if root { Program::new("apt-get") } else { Program::new("sudo").arg("apt-get") };
        program.args(args).env("DEBIAN_FRONTEND", "noninteractive")
    };
    let update = apt(&["update"]);
    let install = apt(&["install", "-y", "--no-install-recommends"]).args(&packages);
    if !root {
        let commands = format!("  {}\n  {}", update.line(), install.line());
        if !std::io::stdin().is_terminal() {
            bail!("install them with these commands, then start again:\n{commands}");
        }
        println!("These commands install them:\n{commands}");
        if !ask("Run them now? [y/N] ")? {
            bail!("nothing was installed; start again when the packages are there");
        }
    }
    update.run()?;
    install.run()
}

fn ask(question: &str) -> Result<bool> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "s" | "sí" | "si" | "sim"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_debian_and_its_relatives() {
        for (release, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", true),
            ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true),
            ("ID=ubuntu\nID_LIKE=debian\n", true),
            ("ID=fedora\n", false),
            ("NAME=\"not debian\"\nID=arch\n", false),
            ("", false),
        ] {
            assert_eq!(is_debian(release), expected, "{release}");
        }
    }

    #[test]
    fn a_missing_command_or_module_is_noticed() {
        let need = |sign| Need { sign, debian: "", fedora: "", purpose: "" };
        assert!(!need(Sign::Command(&["no-such-command-of-aula"])).is_there());
        assert!(!need(Sign::Module("no-such-module-of-aula")).is_there());
        assert!(need(Sign::Command(&["no-such-command-of-aula", "cargo"])).is_there());
    }
}
