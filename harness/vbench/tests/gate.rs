//! `vbench gate` from end to end: outcomes, exit codes, formats, bad rules, self-test, noise floor.

mod common;

use std::path::Path;

use common::{corpus, outcome, run, vbench};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db"]"#;

const RULES: &str = r#"schema = 1

[[gates]]
metric = "wer"
max_increase = "0.5 points"

[[gates]]
metric = "rtf"
max = 0.3
same_machine = true

[[gates]]
metric = "coverage"
min = "100 %"
"#;

fn rules(folder: &Path, text: &str) {
    std::fs::write(folder.join("gate.toml"), text).expect("writes");
}

fn rule(body: &str) -> String {
    format!("schema = 1\n[[gates]]\n{body}\n")
}

/// 24 utterances by 12 speakers, 5 to 8 words each, and a baseline without errors.
fn folder_with_baseline() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 24, CONDITIONS, "fake:echo");
    run(folder.path(), "base", "fake:echo,delay_ms=100", &[]);
    rules(folder.path(), RULES);
    folder
}

/// Hypotheses without error but for the utterances named, which lose their last word.
fn hypotheses(folder: &Path, wrong: &[usize]) -> String {
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("manifest");
    let lines: Vec<String> = manifest
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let value: Value = serde_json::from_str(line).expect("a line");
            let mut words: Vec<&str> = value["text"].as_str().expect("text").split(' ').collect();
            if wrong.contains(&i) {
                words.pop();
            }
            serde_json::json!({"id": value["id"], "hyp": words.join(" ")}).to_string()
        })
        .collect();
    std::fs::write(folder.join("hyp.jsonl"), lines.join("\n")).expect("writes");
    "hypotheses:hyp.jsonl".into()
}

fn gate(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["gate", "run", "--baseline", "base", "--rules", "gate.toml"];
    arguments.extend(more);
    outcome(&vbench(folder, &arguments))
}

fn json(folder: &Path, more: &[&str]) -> (i32, Value) {
    let (code, out, errors) = gate(folder, &[more, &["--format", "json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {errors}")))
}

#[test]
fn an_identical_rerun_passes_as_identical() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo,delay_ms=100", &[]);
    let (code, text, errors) = gate(folder.path(), &[]);
    assert_eq!(code, 0, "{errors}");
    insta::assert_snapshot!("identical", text);
}

#[test]
fn a_clear_regression_fails_with_its_evidence() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:drop=4,delay_ms=400", &[]);
    let (code, text, errors) = gate(folder.path(), &[]);
    assert_eq!(code, 10, "{errors}");
    insta::assert_snapshot!("regressed", text);
    let (code, json) = json(folder.path(), &[]);
    assert_eq!(
        (code, json["schema"].as_str(), json["outcome"].as_str()),
        (10, Some("vbench/gate/1"), Some("regressed"))
    );
    let wer = &json["results"][0];
    assert_eq!((wer["outcome"].as_str(), wer["clusters"].as_u64()), (Some("regressed"), Some(12)));
    // Every speaker got worse by more than the margin: one of 4,096 sign patterns; Holm over two tested rules doubles it.
    assert!((wer["p_regressed"].as_f64().expect("p") - 1.0 / 4096.0).abs() < 1e-12, "{wer}");
    assert!((wer["p_regressed_adjusted"].as_f64().expect("p") - 2.0 / 4096.0).abs() < 1e-12, "{wer}");
    assert!(wer["tested"]["lo"].as_f64().expect("an end") > 0.005 && wer["tested"]["level"] == 0.9, "{wer}");
    assert_eq!(json["results"][1]["outcome"], "regressed", "an RTF of 0.4 against 0.3: {json}");
    assert_eq!(json["results"][2]["outcome"], "pass");
}

#[test]
fn an_improvement_passes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 24, CONDITIONS, "fake:echo");
    run(folder.path(), "base", "fake:drop=3,delay_ms=100", &[]);
    run(folder.path(), "run", "fake:drop=5,delay_ms=100", &[]);
    rules(folder.path(), RULES);
    let (code, json) = json(folder.path(), &[]);
    assert_eq!((code, json["results"][0]["reason"].as_str()), (0, Some("the change is within the limit")), "{json}");
}

#[test]
fn an_undecided_gate_says_how_many_more_speakers_it_needs_and_follows_the_policy() {
    let folder = folder_with_baseline();
    let spec = hypotheses(folder.path(), &[2, 9, 16]);
    run(folder.path(), "run", &spec, &[]);
    rules(folder.path(), &rule("metric = \"wer\"\nmax_increase = \"0.5 points\""));
    let (code, text, _) = gate(folder.path(), &[]);
    assert_eq!(code, 11, "{text}");
    insta::assert_snapshot!("inconclusive", text);
    assert_eq!(gate(folder.path(), &["--inconclusive", "fail"]).0, 11);
    let (code, _, errors) = gate(folder.path(), &["--inconclusive", "warn"]);
    assert!(code == 0 && errors.contains("warning: the gate is inconclusive"), "{errors}");
    let (code, _, errors) = gate(folder.path(), &["--inconclusive", "pass"]);
    assert!(code == 0 && errors.is_empty(), "{errors}");
}

#[test]
fn fewer_than_six_units_never_pass_unless_identical() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 5, r#"["clean"]"#, "fake:echo");
    rules(folder.path(), &rule("metric = \"wer\"\nmax_increase = \"50 points\""));
    run(folder.path(), "base", "fake:drop=4", &[]);
    // Better on every utterance, and still five utterances are no proof.
    run(folder.path(), "run", "fake:echo", &[]);
    let (code, json_) = json(folder.path(), &[]);
    assert_eq!(
        (code, json_["results"][0]["reason"].as_str()),
        (11, Some("not estimable: 5 utterances, at least 6 needed"))
    );
    assert!(json_["results"][0].get("p_pass").is_none());
    run(folder.path(), "same", "fake:drop=4", &[]);
    let (code, text, _) =
        outcome(&vbench(folder.path(), &["gate", "same", "--baseline", "base", "--rules", "gate.toml"]));
    assert!(code == 0 && text.contains("identical on all 5 utterances"), "{text}");
}

#[test]
fn lost_cells_fail_the_coverage_rule_overall_and_per_stratum() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:fail=/u3/noise,delay_ms=100", &[]);
    let (code, json_) = json(folder.path(), &[]);
    assert_eq!(code, 10);
    assert_eq!(json_["results"][2]["reason"], "1 of 48 planned cells have no hypothesis");
    assert_eq!(json_["notes"][0], "m: 1 cells are not compared: no hypothesis in this run");
    rules(folder.path(), &rule("metric = \"coverage\"\nmin = \"100 %\"\nstratum = \"condition=clean\""));
    assert_eq!(gate(folder.path(), &[]).0, 0, "the clean cells are all there");
    rules(folder.path(), &rule("metric = \"coverage\"\nmin = \"97 %\""));
    assert_eq!(gate(folder.path(), &[]).0, 0, "47 of 48 are 97.9 %");
    rules(folder.path(), &rule("metric = \"coverage\"\nmin = \"98 %\""));
    assert_eq!(gate(folder.path(), &[]).0, 10);
}

#[test]
fn a_rule_per_value_of_a_property_is_judged_for_each() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo,delay_ms=100", &[]);
    rules(folder.path(), &rule("metric = \"wer\"\nmax = \"30 %\"\nstratum = \"condition=*\""));
    let (code, json_) = json(folder.path(), &[]);
    let strata: Vec<&str> =
        json_["results"].as_array().expect("results").iter().filter_map(|r| r["stratum"].as_str()).collect();
    assert_eq!((code, strata), (0, vec!["condition=clean", "condition=noise-5db"]));
}

#[test]
fn rtf_is_not_judged_on_another_machine_where_the_rule_says_so() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo,delay_ms=400", &[]);
    assert_eq!(gate(folder.path(), &[]).0, 10);
    let path = folder.path().join("base/run.json");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("run.json")).expect("JSON");
    record["machine"]["cores"] = 4096.into();
    std::fs::write(&path, record.to_string()).expect("writes");
    let (code, json_) = json(folder.path(), &[]);
    assert_eq!((code, json_["results"][1]["outcome"].as_str()), (0, Some("skipped")));
    let reason = json_["results"][1]["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("not judged: another machine: the baseline's is") && reason.contains("4096 cores"),
        "{reason}"
    );
    // Nothing judged at all is not a pass.
    rules(folder.path(), &rule("metric = \"rtf\"\nmax = 0.3\nsame_machine = true"));
    assert_eq!(gate(folder.path(), &[]).0, 11);
}

#[test]
fn a_rule_that_matches_nothing_fails_and_all_of_them_are_named() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo", &["--select", "condition=clean"]);
    rules(
        folder.path(),
        "schema = 1\n\
         [[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nstratum = \"condition=noise-5db\"\n\
         [[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nstratum = \"acent=us\"\n\
         [[gates]]\nmetric = \"snr\"\nmin = \"5 dB\"\n\
         [[gates]]\nmetric = \"coverage\"\nmin = \"100 %\"\n",
    );
    let (code, out, errors) = gate(folder.path(), &[]);
    assert_eq!(code, 3, "{errors}");
    assert!(out.is_empty());
    for needle in [
        "3 rules of the gate cannot be judged",
        "wer max 8 %, condition=noise-5db: no cell of model m is in this stratum; condition takes: clean",
        "wer max 8 %, acent=us: no cell of model m is in this stratum; no cell has the property `acent`",
        "snr min 5 dB, all: no cell of model m in this stratum has a value of snr",
    ] {
        assert!(errors.contains(needle), "{needle}\n{errors}");
    }
}

#[test]
fn a_stratum_that_lost_every_cell_cannot_be_judged() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:fail=/noise", &[]);
    rules(folder.path(), &rule("metric = \"wer\"\nmax_increase = \"1 points\"\nstratum = \"condition=noise-5db\""));
    let (code, _, errors) = gate(folder.path(), &[]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("no cell of model m in both runs in this stratum has a value of wer"), "{errors}");
}

#[test]
fn bad_rules_and_missing_baselines_are_clear_errors() {
    let folder = folder_with_baseline();
    let path = folder.path();
    run(path, "run", "fake:echo", &[]);
    for (body, needle) in [
        ("metric = \"wrr\"\nmax = \"8 %\"", "unknown metric `wrr`"),
        ("metric = \"wer\"\nmax = 0.08", "a number with its unit such as `8 %`"),
        ("metric = \"wer\"\nmax = \"8 %\"\n[[gates]]\nmetric = \"wer\"\nmax = \"9 %\"", "contradictory"),
        ("metric = \"wer\"\nmax_increase = \"nan points\"", "expected a number"),
    ] {
        rules(path, &rule(body));
        let (code, _, errors) = gate(path, &[]);
        assert_eq!(code, 3, "{body}: {errors}");
        assert!(errors.contains(needle) && errors.contains("gate.toml:"), "{body}: {errors}");
    }
    rules(path, RULES);
    for (arguments, code, needle) in [
        (
            vec!["gate", "run", "--rules", "gate.toml"],
            2,
            "the rule `wer max_increase 0.5 points, all` needs a baseline",
        ),
        (vec!["gate", "run", "--baseline", "base"], 3, "declared no [[gates]]; give rules with --rules FILE"),
        (
            vec!["gate", "run", "--baseline", "golden", "--rules", "gate.toml"],
            5,
            "no golden of suite `tiny`, model `m`",
        ),
        (vec!["gate", "run", "--baseline", "nowhere", "--rules", "gate.toml"], 7, "nowhere"),
        (vec!["gate", "run", "--baseline", "base", "--rules", "nowhere.toml"], 3, "cannot read the rules"),
        (vec!["gate", "run", "--baseline", "base", "--rules", "gate.toml", "--model", "x"], 2, "run has no model `x`"),
    ] {
        let (got, _, errors) = outcome(&vbench(path, &arguments));
        assert_eq!(got, code, "{arguments:?}: {errors}");
        assert!(errors.contains(needle), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_baseline_of_another_version_of_the_suite_is_refused() {
    let folder = folder_with_baseline();
    let path = folder.path();
    let manifest = std::fs::read_to_string(path.join("manifest.jsonl")).expect("manifest");
    std::fs::write(path.join("manifest.jsonl"), manifest.replace("window", "curtain")).expect("writes");
    run(path, "run", "fake:echo,delay_ms=100", &[]);
    let (code, out, errors) = gate(path, &[]);
    assert_eq!(code, 9, "{errors}");
    assert!(out.is_empty() && errors.contains("reference texts differ in") && errors.contains("--force"), "{errors}");
    let (code, text, _) = gate(path, &["--force"]);
    assert!(code == 0 && text.contains("note: forced: reference texts differ"), "{text}");
}

#[test]
fn every_format_tells_the_same_verdict() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:drop=4,delay_ms=100", &[]);
    let (code, markdown, _) = gate(folder.path(), &["--format", "markdown"]);
    assert_eq!(code, 10);
    insta::assert_snapshot!("markdown", markdown);
    let (code, junit, _) = gate(folder.path(), &["--format", "junit"]);
    assert_eq!(code, 10);
    // The time when the run began is the only thing that differs from run to run.
    let (before, time) = junit.split_once("timestamp=\"").expect("a time");
    let (time, after) = time.split_once('"').expect("its end");
    assert_eq!(time.len(), "2026-01-01T10:00:00".len(), "{time}");
    insta::assert_snapshot!("junit", format!("{before}timestamp=\"TIME\"{after}"));
    let summary = folder.path().join("summary.md");
    let arguments = ["gate", "run", "--baseline", "base", "--rules", "gate.toml", "--format", "github"];
    let output =
        common::command(folder.path(), &arguments).env("GITHUB_STEP_SUMMARY", &summary).output().expect("runs");
    let (code, annotations, errors) = outcome(&output);
    assert_eq!(code, 10, "{errors}");
    insta::assert_snapshot!("annotations", annotations);
    assert_eq!(std::fs::read_to_string(summary).expect("the summary").trim(), markdown.trim());
}

#[test]
fn the_selftest_makes_every_rule_flip_and_names_the_smallest_regression_caught() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo,delay_ms=100", &[]);
    let (code, text, errors) = gate(folder.path(), &["--selftest"]);
    assert_eq!(code, 0, "{errors}\n{text}");
    insta::assert_snapshot!("selftest", text);
}

#[test]
fn a_rule_that_cannot_fail_fails_the_selftest() {
    let folder = folder_with_baseline();
    run(folder.path(), "run", "fake:echo,delay_ms=100", &[]);
    for (body, needle) in [
        ("metric = \"coverage\"\nmin = \"0 %\"", "losing every cell does not break this rule"),
        ("metric = \"rtf\"\nmax = 100000000", "no amount is called a regression"),
        ("metric = \"rtf\"\nmax = 0.01", "already regressed without anything planted"),
    ] {
        rules(folder.path(), &rule(body));
        let (code, text, _) = gate(folder.path(), &["--selftest"]);
        assert_eq!(code, 10, "{text}");
        assert!(text.contains(needle), "{body}: {text}");
    }
}

#[test]
fn the_noise_floor_is_measured_and_zero_for_an_identical_rerun() {
    let folder = folder_with_baseline();
    let spec = hypotheses(folder.path(), &[0, 2, 4, 7, 9, 16]);
    run(folder.path(), "run", &spec, &[]);
    rules(folder.path(), &rule("metric = \"wer\"\nmax_increase = \"0.5 points\""));
    let (code, text, errors) = gate(folder.path(), &["--aa"]);
    assert_eq!(code, 0, "{errors}");
    insta::assert_snapshot!("noise_floor", text);
    run(folder.path(), "same", "fake:echo", &[]);
    let (code, text, _) =
        outcome(&vbench(folder.path(), &["gate", "same", "--baseline", "base", "--rules", "gate.toml", "--aa"]));
    assert!(code == 0 && text.contains("identical") && text.contains("±0.00"), "{text}");
}

#[test]
fn run_with_a_baseline_runs_and_gates_in_one_command() {
    let folder = folder_with_baseline();
    let path = folder.path();
    let suite = std::fs::read_to_string(path.join("suite.toml")).expect("suite");
    std::fs::write(path.join("suite.toml"), format!("{suite}\n{}", RULES.replace("schema = 1\n", ""))).expect("writes");
    let arguments =
        |out| ["run", "suite.toml", "--model", "m=fake:drop=4,delay_ms=100", "--baseline", "base", "--out", out, "-q"];
    let (code, table, errors) = outcome(&vbench(path, &arguments("bad")));
    assert_eq!(code, 10, "{errors}");
    assert!(table.contains("coverage 100.00 %") && errors.contains("gate REGRESSED: bad against base"), "{errors}");
    for file in ["gate.json", "gate.md"] {
        assert!(path.join("bad").join(file).metadata().is_ok_and(|m| m.len() > 100), "{file}");
    }
    // The report of the very run says it, not only one that is made later.
    let said = |file: &str| std::fs::read_to_string(path.join("bad").join(file)).expect("a report");
    let (html, markdown) = (said("report.html"), said("report.md"));
    assert!(html.contains("gate: regressed") && html.contains("1 of 3 rules did not hold against base."), "{html}");
    assert!(markdown.contains("> **Gate: regressed.** 1 of 3 rules did not hold against base."), "{markdown}");
    let formats = [&arguments("told")[..], &["--format", "junit,github"]].concat();
    let (code, annotations, _) = outcome(&vbench(path, &formats));
    assert!(code == 10 && annotations.contains("\n::error title=vbench gate"), "{annotations}");
    assert!(std::fs::read_to_string(path.join("told/junit.xml")).expect("junit").contains("type=\"regressed\""));
    let good =
        ["run", "suite.toml", "--model", "m=fake:echo,delay_ms=100", "--baseline", "base", "--out", "good", "-q"];
    let (code, _, errors) = outcome(&vbench(path, &good));
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("gate PASS: good against base"), "{errors}");
    // The rules of the suite were stored with the run: no --rules are needed later.
    let (code, _, errors) = outcome(&vbench(path, &["gate", "good", "--baseline", "base"]));
    assert_eq!(code, 0, "{errors}");
    // The lowest non-zero code wins: an incomplete run stays 6 although the gate says 10.
    let lossy =
        ["run", "suite.toml", "--model", "m=fake:drop=4,fail=/u1/", "--baseline", "base", "--out", "lossy", "-q"];
    assert_eq!(outcome(&vbench(path, &lossy)).0, 6);
}

#[test]
fn a_gate_that_cannot_be_judged_is_refused_before_the_run() {
    let folder = folder_with_baseline();
    let path = folder.path();
    for (more, code, needle) in [
        (vec!["--baseline", "base"], 3, "no [[gates]]; give rules with --rules FILE"),
        (vec!["--baseline", "nowhere", "--rules", "gate.toml"], 7, "nowhere"),
        (vec!["--baseline", "golden", "--rules", "gate.toml"], 5, "no golden of suite `tiny`, model `m`"),
        (vec!["--baseline", "base", "--rules", "manifest.jsonl"], 3, "not valid TOML"),
    ] {
        let (got, _, errors) =
            outcome(&vbench(path, &[vec!["run", "suite.toml", "--out", "new", "-q"], more].concat()));
        assert_eq!(got, code, "{errors}");
        assert!(errors.contains(needle) && !path.join("new").exists(), "{errors}");
    }
}

#[test]
fn a_suite_whose_rules_name_unknown_strata_is_invalid() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = corpus(folder.path(), 4, r#"["clean"]"#, "fake:echo");
    let suite = std::fs::read_to_string(&path).expect("suite");
    for (stratum, needle) in [
        ("condition=reverb", "no condition `reverb`; known: clean"),
        ("gender=f", "`gender` is not among the suite's strata"),
        ("clean", "expected `all`, `property=value` or `property=*`"),
    ] {
        let text = format!("{suite}\n[[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nstratum = \"{stratum}\"\n");
        std::fs::write(&path, text).expect("writes");
        let (code, out, errors) = outcome(&vbench(folder.path(), &["suite", "check", "suite.toml"]));
        assert_eq!(code, 3, "{out}{errors}");
        assert!(format!("{out}{errors}").contains(needle), "{stratum}: {out}{errors}");
    }
}
