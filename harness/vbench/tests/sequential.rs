//! `vbench run --baseline … --sequential` from end to end: early stops, the way to the end, resume, refusals.

mod common;

use std::path::Path;

use common::{corpus, outcome, rows, vbench};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db"]"#;

const RULES: &str = r#"schema = 1

[[gates]]
metric = "wer"
max_increase = "5 points"

[[gates]]
metric = "rtf"
max = 0.3

[[gates]]
metric = "coverage"
min = "100 %"
"#;

/// 48 utterances by 24 speakers in two conditions, and a baseline without errors.
fn folder_with_baseline() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 48, CONDITIONS, "fake:echo");
    std::fs::write(folder.path().join("gate.toml"), RULES).expect("writes");
    let arguments = ["run", "suite.toml", "--out", "base", "-q", "--model", "m=fake:echo,delay_ms=100"];
    assert_eq!(outcome(&vbench(folder.path(), &arguments)).0, 0);
    folder
}

fn sequential(folder: &Path, out: &str, spec: &str, more: &[&str]) -> (i32, String, String) {
    let model = format!("m={spec}");
    let mut arguments = vec!["run", "suite.toml", "--out", out, "-q", "--model", &model];
    arguments.extend(["--baseline", "base", "--rules", "gate.toml", "--sequential"]);
    arguments.extend(more);
    outcome(&vbench(folder, &arguments))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn count(run: &Path) -> usize {
    rows(run).lines().count()
}

/// Hypotheses without error but for the utterances of speakers that are `wrong`, which lose their last word.
fn hypotheses(folder: &Path, wrong: impl Fn(usize) -> bool) -> String {
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("manifest");
    let line = |(i, line): (usize, &str)| {
        let value: Value = serde_json::from_str(line).expect("a line");
        let mut words: Vec<&str> = value["text"].as_str().expect("text").split(' ').collect();
        if wrong(i / 2) {
            words.pop();
        }
        serde_json::json!({"id": value["id"], "hyp": words.join(" ")}).to_string()
    };
    let lines: Vec<String> = manifest.lines().enumerate().map(line).collect();
    std::fs::write(folder.join("hyp.jsonl"), lines.join("\n")).expect("writes");
    "hypotheses:hyp.jsonl".into()
}

#[test]
fn a_clear_pass_stops_early_and_says_so_everywhere() {
    let folder = folder_with_baseline();
    let (code, out, errors) = sequential(folder.path(), "run", "fake:echo,delay_ms=100", &[]);
    assert_eq!(code, 0, "{errors}");
    let run = folder.path().join("run");
    let done = count(&run);
    let end = json(&run.join("sequential.json"));
    assert!(done < 96 && end["stopped_early"] == true && end["rows"] == done, "{end}");
    assert_eq!(end["saved"], 96 - done);
    assert_eq!(done, 4 * end["clusters"].as_u64().expect("a number") as usize, "whole speakers: {end}");
    let note = format!("{done} of 96 cells run, {} saved", 96 - done);
    assert!(errors.contains("gate PASS") && !errors.contains("interrupted"), "{errors}");
    let gate = json(&run.join("gate.json"));
    assert!(gate["notes"][0].as_str().is_some_and(|n| n.ends_with(&note)), "{gate}");
    assert_eq!(gate["results"][0]["outcome"], "pass");
    assert!(gate["results"][0].get("p_pass").is_none(), "a fixed-sample p does not hold after looks: {gate}");
    assert_eq!((&gate["results"][2]["done"], &gate["results"][2]["planned"]), (&done.into(), &done.into()));
    // Coverage is honest: planned = done + outstanding, with why.
    let summary = json(&run.join("summary.json"));
    let coverage = &summary["coverage"];
    assert_eq!((&coverage["planned"], &coverage["outstanding"]), (&96.into(), &(96 - done).into()));
    assert_eq!(coverage["stopped_early"], true);
    for text in [
        &out,
        &std::fs::read_to_string(run.join("report.html")).expect("report.html"),
        &std::fs::read_to_string(run.join("report.md")).expect("report.md"),
    ] {
        assert!(text.contains("stopped early by the sequential gate"), "{text}");
    }
    assert_eq!(outcome(&vbench(folder.path(), &["report", "run"])).0, 0, "not incomplete: stopped on purpose");
    let (_, text, _) = outcome(&vbench(folder.path(), &["gate", "run", "--baseline", "base", "--rules", "gate.toml"]));
    assert!(text.replace('\n', " ").contains("do not know of its looks"), "{text}");
}

#[test]
fn a_clear_regression_stops_early_with_10() {
    let folder = folder_with_baseline();
    let (code, _, errors) = sequential(folder.path(), "run", "fake:drop=3,delay_ms=100", &[]);
    assert_eq!(code, 10, "{errors}");
    let end = json(&folder.path().join("run/sequential.json"));
    assert!(end["stopped_early"] == true && end["rules"][0]["verdict"] == "regressed", "{end}");
    // The smallest p of n clusters is 2^-n; alpha is 0.05 over the two statistical rules.
    assert!(end["rules"][0]["decided_after"].as_u64().is_some_and(|n| (6..24).contains(&n)), "{end}");
    assert_eq!(end["rules"][0]["alpha"], 0.025);
}

#[test]
fn an_undecided_gate_runs_to_the_end_and_says_what_the_fixed_gate_says() {
    let folder = folder_with_baseline();
    // A third of the speakers lose a word of six: the rise lies near the limit of 5 points.
    let spec = hypotheses(folder.path(), |speaker| speaker % 3 == 0);
    // Stored transcripts have no times, so there is no RTF to judge.
    let rules = "schema = 1\n[[gates]]\nmetric = \"wer\"\nmax_increase = \"5 points\"\n";
    std::fs::write(folder.path().join("gate.toml"), rules).expect("writes");
    let (code, _, errors) = sequential(folder.path(), "run", &spec, &[]);
    let end = json(&folder.path().join("run/sequential.json"));
    assert_eq!((count(&folder.path().join("run")), &end["stopped_early"]), (96, &false.into()), "{end}");
    assert_eq!(end["rules"][0]["looks"].as_array().map(Vec::len), Some(19), "after 6 to 24 speakers: {end}");
    assert_eq!(code, 11, "{errors}");
    let fixed = outcome(&vbench(
        folder.path(),
        &["gate", "run", "--baseline", "base", "--rules", "gate.toml", "--format", "json"],
    ));
    let fixed: Value = serde_json::from_str(&fixed.1).expect("JSON");
    let looked = json(&folder.path().join("run/gate.json"));
    let (a, b) = (&looked["results"][0], &fixed["results"][0]);
    assert_eq!((&a["outcome"], &a["value"], &a["tested"]), (&b["outcome"], &b["value"], &b["tested"]));
    assert_eq!(looked["outcome"], fixed["outcome"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_another_order() {
    let folder = folder_with_baseline();
    let path = folder.path();
    for (out, jobs) in [("one", "1"), ("two", "3")] {
        assert_eq!(sequential(path, out, "fake:drop=3,delay_ms=100", &["--jobs", jobs]).0, 10);
    }
    assert_eq!(rows(&path.join("one")), rows(&path.join("two")));
    let end = |run: &str| std::fs::read_to_string(path.join(run).join("sequential.json")).expect("a file");
    assert_eq!(end("one"), end("two"));
    // Clean speech has no draws: other seeds give the same audio in another order.
    let arguments = ["run", "suite.toml", "--out", "clean", "-q", "--select", "condition=clean"];
    assert_eq!(outcome(&vbench(path, &arguments)).0, 0);
    let order = |out: &str, seed: &str| {
        let arguments = [
            "run",
            "suite.toml",
            "--out",
            out,
            "-q",
            "--select",
            "condition=clean",
            "--seed",
            seed,
            "--baseline",
            "clean",
            "--rules",
            "gate.toml",
            "--sequential",
        ];
        let (code, _, errors) = outcome(&vbench(path, &arguments));
        assert_eq!(code, 0, "{errors}");
        let first: Value = serde_json::Deserializer::from_str(&rows(&path.join(out)))
            .into_iter()
            .next()
            .expect("a row")
            .expect("JSON");
        first["cell"].clone()
    };
    let firsts: std::collections::BTreeSet<String> =
        ["1", "2", "3", "4"].map(|seed| order(&format!("s{seed}"), seed).to_string()).into_iter().collect();
    assert!(firsts.len() > 1, "{firsts:?}");
}

#[test]
fn an_interrupted_run_resumes_to_the_same_end_and_a_stopped_one_stays_stopped() {
    let folder = folder_with_baseline();
    let path = folder.path();
    let spec = "fake:drop=3,delay_ms=100";
    assert_eq!(sequential(path, "whole", spec, &[]).0, 10);
    assert_eq!(sequential(path, "cut", spec, &[]).0, 10);
    // What a kill in the middle of the third speaker leaves.
    let kept: String = rows(&path.join("cut")).lines().take(10).flat_map(|l| [l, "\n"]).collect();
    std::fs::write(path.join("cut/rows.jsonl"), kept).expect("writes");
    std::fs::remove_file(path.join("cut/sequential.json")).expect("is there");
    assert_eq!(outcome(&vbench(path, &["report", "cut"])).0, 6, "interrupted, not stopped");
    let resume = |more: &[&str]| outcome(&vbench(path, &[&["run", "--resume", "cut", "-q"], more].concat()));
    assert_eq!(resume(&[]).0, 10, "the stored baseline and rules are used");
    assert_eq!(rows(&path.join("cut")), rows(&path.join("whole")));
    assert_eq!(json(&path.join("cut/sequential.json")), json(&path.join("whole/sequential.json")));
    assert_eq!(resume(&[]).0, 10);
    assert_eq!(rows(&path.join("cut")), rows(&path.join("whole")), "decided: nothing more is run");
    let (code, _, errors) = resume(&["--baseline", "clean"]);
    assert!(code == 2 && errors.contains("cannot be changed"), "{errors}");
    std::fs::write(path.join("gate.toml"), RULES.replace("5 points", "6 points")).expect("writes");
    let (code, _, errors) = resume(&[]);
    assert!(code == 3 && errors.contains("rules of the sequential gate changed"), "{errors}");
}

#[test]
fn what_cannot_be_decided_by_looks_is_refused_or_runs_to_the_end() {
    let folder = folder_with_baseline();
    let path = folder.path();
    let (code, _, errors) = outcome(&vbench(path, &["run", "suite.toml", "--sequential"]));
    assert!(code == 2 && errors.contains("--baseline"), "{errors}");
    let budget = "schema = 1\n[[gates]]\nmetric = \"wer\"\nmax = \"30 %\"\n";
    std::fs::write(path.join("gate.toml"), budget).expect("writes");
    let (code, _, errors) = sequential(path, "budget", "fake:echo", &[]);
    assert!(code == 3 && errors.contains("needs a rule that limits a change"), "{errors}");
    assert!(!path.join("budget").exists(), "refused before anything was written");
    // Ten utterances by five speakers: utterances are the clusters; of four utterances no look can be made.
    std::fs::write(path.join("gate.toml"), RULES).expect("writes");
    let (code, _, errors) = sequential(path, "few", "fake:echo,delay_ms=100", &["--limit", "4"]);
    let end = json(&path.join("few/sequential.json"));
    assert!(
        code == 11 && end["stopped_early"] == false && end["rules"][0]["looks"] == serde_json::json!([]),
        "{errors}{end}"
    );
    assert!(
        errors.contains("identical on all 4 utterances") && errors.contains("too few to look in between"),
        "{errors}"
    );
}
