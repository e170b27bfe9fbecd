//! Invariants of ARCHITECTURE.md that lints cannot see.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file, in lines.
const FILE_LINES_MAX: usize = 800;
/// Longest function, in lines.
const FUNCTION_LINES_MAX: usize = 85;

/// All violations, each with its place.
#[must_use]
pub fn check(root: &Path) -> Vec<String> {
    let files = tracked(root);
    let mut problems = Vec::new();
    arrows(root, &mut problems);
    dependencies_have_reasons(root, &mut problems);
    one_feature_set(root, &mut problems);
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else { continue };
        let name = file.to_string_lossy();
        no_places_of_this_world(&name, &text, &mut problems);
        if name.ends_with(".rs") {
            sizes(&name, &text, &mut problems);
            names(&name, &text, &mut problems);
            purity(&name, &text, &mut problems);
        }
        if name.ends_with("Cargo.toml") && name != "Cargo.toml" {
            versions_in_the_workspace_table(&name, &text, &mut problems);
        }
    }
    problems
}

fn tracked(root: &Path) -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

/// Crates a crate depends on, by the keys of its `[dependencies]`.
fn dependencies(root: &Path, crate_path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root.join(crate_path).join("Cargo.toml")).unwrap_or_default();
    let mut inside = false;
    let mut names = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && let Some((key, _)) = line.split_once(['.', '=', ' ']) {
            names.push(key.trim().to_string());
        }
    }
    names
}

/// Arrows point down only: nouns <- tools <- engines <- outputs <- binary; the specimen is joined by the binary alone.
fn arrows(root: &Path, problems: &mut Vec<String>) {
    let layers: [&[&str]; 5] = [
        &["vbench-core", "vbench-dsp"],
        &[
            "vbench-stats",
            "vbench-audio",
            "vbench-score",
            "vbench-suite",
            "vbench-corpus",
            "vbench-fetch",
            "vbench-model",
            "vbench-store",
        ],
        &["vbench-run", "vbench-load", "vbench-compare"],
        &["vbench-report"],
        &["vbench"],
    ];
    for (level, crates) in layers.iter().enumerate() {
        for name in *crates {
            let used = dependencies(root, &format!("harness/{name}"));
            for above in layers[level..].concat().iter().filter(|a| *a != name) {
                if used.iter().any(|u| u == above) {
                    problems.push(format!("harness/{name}: depends on {above}, which is not below it"));
                }
            }
            if *name != "vbench" && used.iter().any(|u| u.starts_with("ref-")) {
                problems.push(format!("harness/{name}: the instrument must not depend on the specimen (reference/)"));
            }
        }
    }
    if dependencies(root, "reference/ref-models").iter().any(|u| u.starts_with("vbench")) {
        problems.push("reference/ref-models: depends on a harness crate".into());
    }
}

/// Every dependency has its reason in ARCHITECTURE.md.
/// The README's run command and the tests must want the same features of every crate they share: else candle, which takes
/// minutes, is compiled twice.
fn one_feature_set(root: &Path, problems: &mut Vec<String>) {
    let tree = |arguments: &[&str]| -> Option<BTreeSet<String>> {
        let common = ["tree", "--offline", "-f", "{p} {f}", "--prefix", "none"];
        let out = Command::new("cargo").current_dir(root).args(common).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        out.status.success().then(|| text.lines().map(|l| l.replace(" (*)", "").trim_end().to_owned()).collect())
    };
    let (run, tests) = (tree(&["-p", "vbench", "-e", "normal,build"]), tree(&["--workspace", "-e", "all"]));
    let (Some(run), Some(tests)) = (run, tests) else {
        problems.push("cargo tree failed: the features of the run and of the tests cannot be compared".into());
        return;
    };
    for package in run.difference(&tests) {
        problems.push(format!("Cargo.toml: `cargo run` builds `{package}`, the tests build it with other features"));
    }
}

fn dependencies_have_reasons(root: &Path, problems: &mut Vec<String>) {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let document = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let table =
        manifest.split("[workspace.dependencies]").nth(1).and_then(|t| t.split("\n[").next()).unwrap_or_default();
    let names: BTreeSet<&str> = table
        .lines()
        .filter(|l| !l.trim_start().starts_with('#') && !l.contains("path = "))
        .filter_map(|l| Some(l.split_once('=')?.0.trim()))
        .collect();
    for name in names {
        if !document.contains(&format!("`{name}`")) {
            problems.push(format!("ARCHITECTURE.md: no reason for the dependency `{name}`"));
        }
    }
}

/// Neither machine paths nor registry hosts belong into the repository. The needles are put together here so that
/// this file does not hold them itself.
fn no_places_of_this_world(name: &str, text: &str, problems: &mut Vec<String>) {
    let needles = [
        ["/work", "/main"].concat(),
        ["/root", "/"].concat(),
        ["pypi", ".org"].concat(),
        ["static.crates", ".io"].concat(),
        ["deb.debian", ".org"].concat(),
        ["registry.npmjs", ".org"].concat(),
    ];
    for needle in needles.iter().filter(|n| text.contains(n.as_str())) {
        if name != "Cargo.lock" {
            problems.push(format!("{name}: holds `{needle}`"));
        }
    }
}

fn sizes(name: &str, text: &str, problems: &mut Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > FILE_LINES_MAX {
        problems.push(format!("{name}: {} lines, at most {FILE_LINES_MAX}", lines.len()));
    }
    // rustfmt puts the closing brace of an item under its first letter: no parser is needed.
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let head = body.trim_start_matches("pub ").trim_start_matches("pub(crate) ").trim_start_matches("const ");
        if !head.trim_start_matches("unsafe ").starts_with("fn ") {
            continue;
        }
        // A function that a trait only declares has no body.
        let opens = lines[start..].iter().find(|l| l.ends_with(['{', ';', '}']));
        if opens.is_some_and(|l| l.ends_with(';')) {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - body.len()]);
        let length = lines[start..].iter().position(|l| *l == close).map_or(0, |n| n + 1);
        if length > FUNCTION_LINES_MAX {
            problems.push(format!("{name}:{}: function of {length} lines, at most {FUNCTION_LINES_MAX}", start + 1));
        }
    }
}

fn names(name: &str, text: &str, problems: &mut Vec<String>) {
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if ["utils", "util", "helpers", "helper", "misc", "imp"].contains(&stem) {
        problems.push(format!("{name}: name the file for its content"));
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        problems.push(format!("{name}: begins without module documentation"));
    }
    // Split for the same reason as above.
    for mark in [["TO", "DO"], ["FIX", "ME"], ["#[ig", "nore"]].map(|m| m.concat()) {
        if text.contains(&mark) {
            problems.push(format!("{name}: holds `{mark}`"));
        }
    }
}

/// core, stats, score and compare do no I/O and read no clock or environment; only the binary prints or exits.
fn purity(name: &str, text: &str, problems: &mut Vec<String>) {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let pure = ["vbench-core", "vbench-stats", "vbench-score", "vbench-compare"];
    if pure.iter().any(|c| name.starts_with(&format!("harness/{c}/src/"))) {
        for word in ["std::fs", "std::env", "std::net", "std::time", "std::process", "Instant::", "SystemTime"] {
            if code.contains(word) {
                problems.push(format!("{name}: a pure crate uses `{word}`"));
            }
        }
    }
    let library = name.starts_with("harness/") && name.contains("/src/") && !name.starts_with("harness/vbench/");
    if library {
        for word in ["process::exit", "println!("] {
            if code.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(word)) {
                problems.push(format!("{name}: only the binary prints or exits (`{word}`)"));
            }
        }
    }
}

fn versions_in_the_workspace_table(name: &str, text: &str, problems: &mut Vec<String>) {
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside && line.contains("version") && !line.contains("workspace") {
            problems.push(format!("{name}: `{line}`: versions stand in the workspace table"));
        }
    }
}
