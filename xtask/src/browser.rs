//! What drives Chromium in the tests of HTML pages: two pinned npm packages in `target/browser`.
//!
//! The browser itself, Node.js and npm are Debian packages ([`crate::peers`] installs them where that may be done).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{command, on_path};
use crate::root;

/// Oldest Node.js that the pinned playwright-core runs on.
const NODE_MAJOR: u32 = 20;

/// Makes `target/browser` hold exactly the packages of `xtask/browser/package-lock.json`.
///
/// # Errors
///
/// What is missing, by name, or what npm said.
pub fn provision() -> Result<PathBuf, String> {
    let missing: Vec<&str> = ["chromium", "node", "npm"].into_iter().filter(|program| !on_path(program)).collect();
    if !missing.is_empty() {
        return Err(format!("{} not found on PATH", missing.join(", ")));
    }
    let version = Command::new("node").arg("--version").output().map_err(|e| e.to_string())?.stdout;
    let version = String::from_utf8_lossy(&version).trim().to_string();
    if major(&version).is_none_or(|major| major < NODE_MAJOR) {
        return Err(format!("node is {version}, at least {NODE_MAJOR} is needed"));
    }
    let (from, folder) = (root().join("xtask/browser"), root().join("target/browser"));
    let lock = read(&from.join("package-lock.json"))?;
    let stamp = folder.join("stamp.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == lock) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::write(folder.join(name), read(&from.join(name))?).map_err(|e| format!("{name}: {e}"))?;
    }
    command(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&folder),
    )?;
    std::fs::write(&stamp, lock).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(folder)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_pinned_exactly_and_the_lock_names_no_host() {
        let package = read(&root().join("xtask/browser/package.json")).expect("the manifest");
        for name in ["axe-core", "playwright-core"] {
            let (_, after) = package.split_once(&format!("\"{name}\": \"")).expect("is declared");
            assert!(after.starts_with(|c: char| c.is_ascii_digit()), "{name} is pinned to one version");
        }
        let lock = read(&root().join("xtask/browser/package-lock.json")).expect("the lock file");
        assert!(!lock.contains("\"resolved\"") && lock.matches("\"integrity\"").count() == 2);
    }

    #[test]
    fn node_versions_are_understood() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
        assert_eq!(major(""), None);
    }
}
