//! The reference Whisper through the binary, with real weights and real speech.
//!
//! Weights come from `vbench models pull` into the usual cache. The human prompts come from Debian packages; where they
//! cannot be had the tests say `skipped: needs …`, which `cargo xtask test` counts.

#![expect(clippy::print_stderr, reason = "the texts that differ are listed with --nocapture")]

mod common;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use common::{outcome, root, rows, skipped};
use serde_json::Value;

/// vbench in the repository with the usual cache.
fn vbench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vbench")).current_dir(root()).args(arguments).output().expect("vbench starts")
}

fn passes(arguments: &[&str]) -> String {
    let (code, out, errors) = outcome(&vbench(arguments));
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    out
}

/// Pulls a corpus once; false where its packages cannot be had (exit code 5).
fn corpus_present(name: &str) -> bool {
    let (code, _, errors) = outcome(&vbench(&["data", "pull", name]));
    assert!(code == 0 || code == 5, "{errors}");
    code == 0
}

fn hypotheses(run: &std::path::Path) -> Vec<(String, String, Value)> {
    let parse = |line: &str| -> Value { serde_json::from_str(line).expect("a row") };
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    rows(run).lines().map(parse).map(|r| (text(&r["utt"]), text(&r["hyp"]), r["output"].clone())).collect()
}

/// One whole smoke run, shared by the tests below.
fn smoke() -> &'static (PathBuf, String) {
    static SMOKE: OnceLock<(PathBuf, String)> = OnceLock::new();
    SMOKE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("temporary folder").keep();
        let run = folder.join("run");
        passes(&["run", "suites/smoke.toml", "--out", run.to_str().expect("UTF-8"), "-q"]);
        let text = rows(&run);
        (run, text)
    })
}

#[test]
fn smoke_suite_with_whisper_has_full_coverage_and_few_errors() {
    let (run, _) = smoke();
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("summary.json")).expect("summary")).expect("JSON");
    let clean = summary["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|r| r["metric"] == "wer" && r["stratum"]["by"] == "condition" && r["stratum"]["value"] == "clean")
        .expect("WER of the clean stratum");
    let wer = clean["estimate"]["value"].as_f64().expect("a value");
    assert!((0.0..=0.15).contains(&wer), "clean WER {wer}");
}

#[test]
fn two_jobs_give_the_bytes_of_one() {
    let (run, whole) = smoke();
    let other = run.with_file_name("jobs2");
    passes(&["run", "suites/smoke.toml", "--out", other.to_str().expect("UTF-8"), "-q", "--jobs", "2"]);
    assert!(rows(&other) == *whole, "rows differ between 1 and 2 jobs");
}

#[test]
fn five_kills_change_no_byte() {
    let (run, whole) = smoke();
    let other = run.with_file_name("killed");
    let out = other.to_str().expect("UTF-8");
    for kill in 0..5u64 {
        let fresh: &[&str] = &["run", "suites/smoke.toml", "--out", out, "-q"];
        let resume: &[&str] = &["run", "--resume", out, "-q"];
        let arguments = if other.join("run.json").exists() { resume } else { fresh };
        let mut child = Command::new(env!("CARGO_BIN_EXE_vbench"))
            .current_dir(root())
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(700 + 613 * kill));
        child.kill().expect("kill -9");
        child.wait().expect("is reaped");
    }
    passes(&["run", "--resume", out, "-q"]);
    assert!(rows(&other) == *whole, "rows differ after five kills");
}

/// 60 human prompts: (id, reference, faster-whisper tiny.en's text, base's text), recorded with faster-whisper 1.2.1.
fn human60() -> Vec<(String, String, String, String)> {
    let path = std::env::var_os("VBENCH_ORACLES").map_or_else(|| root().join("golden/oracles"), PathBuf::from);
    let text = std::fs::read_to_string(path.join("human60.jsonl")).expect("human60.jsonl");
    let field = |v: &Value, name: &str| v[name].as_str().unwrap_or_default().trim().to_string();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line"))
        .map(|v| {
            let of = |name: &str| field(&v, name);
            (of("id"), of("text"), of("faster_whisper_tiny_en"), of("faster_whisper_base"))
        })
        .collect()
}

/// Runs the 60 prompts through a model without fallback and compares with the recorded texts; lists what differs.
fn parity(model: &str, recorded: impl Fn(&(String, String, String, String)) -> &String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = folder.path().join("run");
    let spec = format!("w=whisper:{model},fallback=off,language=en");
    let out = run.to_str().expect("UTF-8");
    passes(&["run", "suites/human.toml", "--select", "subset60=yes", "--model", &spec, "--out", out, "-q"]);
    let ours = hypotheses(&run);
    let cases = human60();
    assert_eq!((ours.len(), cases.len()), (60, 60));
    let differing: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let (_, hyp, _) = ours.iter().find(|o| o.0 == case.0).expect("every prompt was run");
            let theirs = recorded(case);
            (hyp.trim() != theirs).then(|| format!("{}:\n  ours   {hyp}\n  theirs {theirs}", case.0))
        })
        .collect();
    eprintln!("{model}: {} of 60 prompts equal faster-whisper's text\n{}", 60 - differing.len(), differing.join("\n"));
    assert!(differing.len() <= 3, "{} of 60 differ", differing.len());
}

#[test]
fn oracle_faster_whisper_text_of_60_human_prompts_tiny_en() {
    if corpus_present("asterisk-en") {
        parity("whisper-tiny.en", |c| &c.2);
    } else {
        skipped("oracle tiny.en", "the Debian packages of asterisk-en");
    }
}

#[test]
fn oracle_faster_whisper_text_of_60_human_prompts_base() {
    if corpus_present("asterisk-en") {
        parity("whisper-base", |c| &c.3);
    } else {
        skipped("oracle base", "the Debian packages of asterisk-en");
    }
}

#[test]
fn base_detects_the_language_of_spanish_french_italian_and_russian_prompts() {
    for language in ["es", "fr", "it", "ru"] {
        let name = format!("asterisk-{language}");
        if !corpus_present(&name) {
            skipped("language detection", &format!("the Debian packages of {name}"));
            continue;
        }
        let folder = tempfile::tempdir().expect("temporary folder");
        let suite = format!(
            "schema = 1\nname = \"lid\"\ntask = \"asr\"\nseed = 1\nconditions = [\"clean\"]\nstrata = []\n\
             [[corpora]]\nname = \"c\"\npull = \"{name}\"\nselect = {{ two_words = \"yes\" }}\n\
             [[models]]\nname = \"w\"\nspec = \"whisper:whisper-base,language=auto\"\n"
        );
        let path = folder.path().join("lid.toml");
        std::fs::write(&path, suite).expect("writes");
        let run = folder.path().join("run");
        let out = run.to_str().expect("UTF-8");
        passes(&["run", path.to_str().expect("UTF-8"), "--limit", "5", "--out", out, "-q"]);
        let detected: Vec<String> =
            hypotheses(&run).iter().map(|h| h.2["language"].as_str().unwrap_or_default().to_string()).collect();
        let right = detected.iter().filter(|d| *d == language).count();
        assert!(right >= 4, "{language}: detected {detected:?}");
    }
}
