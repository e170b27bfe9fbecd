//! Peer programs for tests that compare with them live, and random input for them.
//!
//! `cargo xtask test` provides the programs; where one is missing a test says `skipped: needs …`, which xtask counts and
//! CI treats as a failure.
#![expect(clippy::print_stderr, reason = "skips are told where tests print")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use rand::Rng;
use serde_json::Value;
use vbench_core::keyed::keyed_rng;

/// Python that has a package, or a counted skip.
pub fn python_with(package: &str) -> Option<PathBuf> {
    let imports = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", &format!("import {package}")]).output();
        output.is_ok_and(|o| o.status.success())
    };
    let found = std::env::var_os("VBENCH_PEER_PYTHON").map(PathBuf::from).filter(imports);
    if found.is_none() {
        skipped(
            &format!("comparison with {package}"),
            &format!("Python with {package} (cargo xtask test installs it)"),
        );
    }
    found
}

/// Notes a skipped test where `cargo xtask test` counts it; with CI=true that is a failure there.
pub fn skipped(test: &str, needs: &str) {
    eprintln!("skipped: needs {needs} ({test})");
    if let Some(log) = std::env::var_os("VBENCH_SKIP_LOG") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
        file.and_then(|mut f| writeln!(f, "skipped: needs {needs} ({test})")).expect("the skip log can be written");
    }
}

/// Runs a Python script that reads JSON from the file named by its argument and prints JSON.
pub fn run_python(python: &PathBuf, script: &str, input: &Value) -> Value {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("input.json");
    std::fs::write(&path, input.to_string()).expect("writes the input");
    let output = Command::new(python).arg("-c").arg(script).arg(&path).output().expect("the peers' Python starts");
    assert!(output.status.success(), "the peer failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON from the peer")
}

/// Words that repeat often, of several scripts and lengths, without letters that change length or meaning in lower case.
pub const VOCABULARY: [&str; 20] = [
    "a",
    "the",
    "no",
    "seven",
    "window",
    "open",
    "oh",
    "and",
    "re-entry",
    "it's",
    "నమస్కారం",
    "ఇది",
    "ఒక",
    "పరీక్ష",
    "да",
    "нет",
    "привет",
    "окно",
    "ü",
    "señor",
];

/// Keyed random numbers with the few draws that the tests need.
pub struct Draw(Box<dyn FnMut() -> u32>);

impl Draw {
    pub fn new(purpose: &str, case: usize) -> Self {
        let mut rng = keyed_rng(20_260, purpose, &case.to_string(), "");
        Self(Box::new(move || rng.next_u32()))
    }

    /// 0 to n - 1.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from((self.0)()) * n as u64) >> 32) as usize
    }

    /// True in one of n draws.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// `length` words out of the first `kinds` of the vocabulary, starting anywhere.
    pub fn words(&mut self, length: usize, kinds: usize) -> Vec<&'static str> {
        (0..length).map(|_| VOCABULARY[self.below(kinds)]).collect()
    }

    /// The words with about one in `rarity` changed, dropped, doubled or replaced.
    pub fn disturbed(&mut self, words: &[&'static str], kinds: usize, rarity: usize) -> Vec<&'static str> {
        let mut out = Vec::new();
        for word in words {
            match self.below(4 * rarity) {
                0 => {}
                1 => out.extend([*word, *word]),
                2 => out.push(VOCABULARY[self.below(kinds)]),
                3 => out.extend([VOCABULARY[self.below(kinds)], *word]),
                _ => out.push(word),
            }
        }
        out
    }
}
