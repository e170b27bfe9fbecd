//! `audit`: an honest model passes, and every cheat fails the audit that is meant for it.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use common::{outcome, vbench, write_wav};
use serde_json::Value;

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// `n` clips of four to seven tones, which the test adapters hear as digits: 0.1 s of 400 + 200 k Hz is the digit k.
fn tones(folder: &Path, n: usize) {
    let mut manifest = String::new();
    for i in 0..n {
        let digits: Vec<usize> = (0..4 + i % 4).map(|w| (i * 7 + w * w + w * i) % 10).collect();
        let sample = |digit: usize, t: usize| {
            let hz = 400.0 + 200.0 * digit as f64;
            (16_000.0 * (std::f64::consts::TAU * hz * t as f64 / 16_000.0).sin()) as i16
        };
        let samples: Vec<i16> = digits.iter().flat_map(|d| (0..1_600).map(move |t| sample(*d, t))).collect();
        write_wav(&folder.join(format!("u{i}.wav")), &samples);
        let text = digits.iter().map(|d| DIGITS[*d]).collect::<Vec<_>>().join(" ");
        let _ = writeln!(manifest, r#"{{"id":"u{i}","audio":"u{i}.wav","text":"{text}","language":"en"}}"#);
    }
    std::fs::write(folder.join("manifest.jsonl"), manifest).expect("writes the manifest");
    let suite = "schema = 1\nname = \"tones\"\ntask = \"asr\"\nseed = 7\nnormalizer = \"none\"\nconditions = [\"clean\"]\n\n\
        [[corpora]]\nname = \"c\"\nmanifest = \"manifest.jsonl\"\n\n[[models]]\nname = \"m\"\nspec = \"cheat:none\"\n";
    std::fs::write(folder.join("suite.toml"), suite).expect("writes the suite");
}

fn audit(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    outcome(&vbench(folder, &[&["audit", "--suite", "suite.toml", "-q"], arguments].concat()))
}

fn verdicts(folder: &Path, model: &str) -> (i32, BTreeMap<String, String>, Value) {
    let (code, out, errors) = audit(folder, &[model, "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{errors}"));
    let of =
        |r: &Value| (r["audit"].as_str().expect("a name").into(), r["verdict"].as_str().expect("a verdict").into());
    (code, json["results"].as_array().expect("results").iter().map(of).collect(), json)
}

/// Which audits a model must fail, and nothing else.
fn fails(model: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().expect("temporary folder");
    tones(folder.path(), 24);
    let (code, verdicts, json) = verdicts(folder.path(), model);
    let failed: Vec<&str> = verdicts.iter().filter(|(_, v)| *v == "failed").map(|(n, _)| n.as_str()).collect();
    assert_eq!(failed, wanted, "{json:#}");
    let passed = verdicts.values().filter(|v| *v == "passed").count();
    assert_eq!(
        (passed, verdicts.len(), code),
        (6 - wanted.len(), 6, if wanted.is_empty() { 0 } else { 10 }),
        "{json:#}"
    );
    assert_eq!(json["passed"], wanted.is_empty());
}

#[test]
fn an_honest_model_passes_every_audit() {
    fails("cheat:none", &[]);
}

#[test]
fn a_cache_of_answers_is_seen_in_the_times() {
    fails("cheat:cache", &["repeats"]);
}

/// Under load the clips come in another order too.
#[test]
fn words_carried_over_from_the_last_request_are_seen() {
    fails("cheat:order", &["order", "timed-accuracy"]);
}

/// Wrong references do not show a table of the model's own: names and silence do.
#[test]
fn a_table_of_answers_by_id_is_seen() {
    fails("cheat:lookup", &["names", "silence"]);
}

#[test]
fn speed_that_is_bought_with_accuracy_is_seen() {
    fails("cheat:fast-wrong", &["timed-accuracy"]);
}

/// The echo of the references is what a model does that reads them.
#[test]
fn reading_the_references_is_seen() {
    fails("fake:echo", &["names", "references", "silence"]);
}

#[test]
fn text_and_junit_state_what_was_tested_the_figure_and_the_limit() {
    let folder = tempfile::tempdir().expect("temporary folder");
    tones(folder.path(), 24);
    let (code, text, errors) = audit(folder.path(), &["cheat:fast-wrong"]);
    assert_eq!(code, 10, "{errors}");
    for needle in [
        "FAILED        timed-accuracy",
        "another text in",
        "±0.50",
        "PASSED        repeats",
        "fails below 0.01",
        "must be above +10.00",
        "at most 2",
        "tests: ",
        "5 passed, 1 failed, 0 inconclusive",
    ] {
        assert!(text.contains(needle), "{needle}: {text}");
    }
    let (code, junit, _) = audit(folder.path(), &["cheat:cache", "--format", "junit"]);
    assert_eq!(code, 10);
    assert!(junit.contains("tests=\"6\" failures=\"1\"") && junit.contains("name=\"repeats\""), "{junit}");
}

#[test]
fn few_clips_decide_nothing_and_a_failing_model_leaves_the_audit_incomplete() {
    let folder = tempfile::tempdir().expect("temporary folder");
    tones(folder.path(), 5);
    let (code, verdicts, json) = verdicts(folder.path(), "cheat:none");
    // Times of four clips and references of five cannot decide; texts can.
    assert_eq!((code, verdicts["repeats"].as_str()), (11, "inconclusive"), "{json:#}");
    assert_eq!(verdicts["order"], "passed");
    let (code, _, json) = self::verdicts(folder.path(), "fake:echo,fail=u3");
    assert!(code == 6 && json["unanswered"].as_u64().is_some_and(|n| n > 0), "{code} {json:#}");
}

#[test]
fn one_clip_has_no_other_s_reference() {
    let folder = tempfile::tempdir().expect("temporary folder");
    tones(folder.path(), 3);
    let (code, text, errors) = audit(folder.path(), &["cheat:none", "--limit", "1"]);
    assert_eq!(code, 11, "{errors}");
    assert!(!text.contains("NaN") && text.contains("no clip to compare"), "{text}");
}

#[test]
fn what_cannot_be_audited_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    tones(folder.path(), 3);
    let lines: String = (0..3).map(|i| format!("{{\"id\":\"u{i}\",\"hyp\":\"one\"}}\n")).collect();
    std::fs::write(folder.path().join("h.jsonl"), lines).expect("writes");
    let (code, _, errors) = audit(folder.path(), &["hypotheses:h.jsonl"]);
    assert!(code == 2 && errors.contains("made elsewhere"), "{code} {errors}");
    let (code, _, errors) = audit(folder.path(), &["cheat:sleep"]);
    assert!(code == 3 && errors.contains("fast-wrong"), "{code} {errors}");
    let (code, _, errors) = audit(folder.path(), &["cheat:none", "--timeout-s", "0"]);
    assert!(code == 2 && errors.contains("--timeout-s"), "{code} {errors}");
    let (code, _, errors) = audit(folder.path(), &["cheat:none", "--condition", "nosuch"]);
    assert!(code == 4 && errors.contains("nosuch"), "{code} {errors}");
}
