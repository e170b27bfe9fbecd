//! `vbench golden`: accept, diff, check; the goldens that ship.

mod common;

use std::path::Path;
use std::process::Command;

use common::{corpus, outcome, root, run, vbench};
use serde_json::Value;

/// Hypotheses of six utterances; `texts` replaces some of them.
fn hypotheses(folder: &Path, texts: &[(usize, &str)]) -> String {
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("manifest");
    let lines: Vec<String> = manifest
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let value: Value = serde_json::from_str(line).expect("a line");
            let text = value["text"].as_str().expect("text");
            let text = texts.iter().find(|t| t.0 == i).map_or(text, |t| t.1);
            serde_json::json!({"id": value["id"], "hyp": text}).to_string()
        })
        .collect();
    std::fs::write(folder.join("hyp.jsonl"), lines.join("\n")).expect("writes");
    "hypotheses:hyp.jsonl".into()
}

/// Utterance 0 is "open the third window and".
fn folder_with_golden() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:echo");
    let spec = hypotheses(folder.path(), &[(0, "open a third window and"), (1, "the third window and")]);
    run(folder.path(), "first", &spec, &[]);
    let (code, out, errors) = outcome(&vbench(folder.path(), &["golden", "accept", "first"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("accepted 6 transcripts into golden/runs/tiny/m"), "{out}");
    folder
}

fn golden_text_of(folder: &Path, utterance: &str) -> String {
    let rows = std::fs::read_to_string(folder.join("golden/runs/tiny/m/rows.jsonl")).expect("rows");
    let row = rows.lines().find(|l| l.contains(&format!("\"utt\":\"{utterance}\""))).expect("the utterance");
    serde_json::from_str::<Value>(row).expect("a row")["hyp"].as_str().expect("text").to_string()
}

#[test]
fn an_identical_rerun_passes_and_the_golden_scores_the_same_again() {
    let folder = folder_with_golden();
    let (code, out, errors) = outcome(&vbench(folder.path(), &["golden", "check", "first"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("identical") && out.contains("golden check of tiny, m: passed"), "{out}");
    let (code, out, _) = outcome(&vbench(folder.path(), &["golden", "check", "--suites", "."]));
    assert_eq!(code, 0);
    assert_eq!(out.trim(), "tiny, m: 6 transcripts scored again: every metric as accepted");
}

#[test]
fn differences_are_classed_and_only_broken_ones_fail() {
    let folder = folder_with_golden();
    let path = folder.path();
    // 0: other words, one error as before; 1: fixed; 2: equal after normalising; 3: broken.
    let harmless = [(0, "open the bird window and"), (2, "Third window and call Maria, at seven!")];
    let spec = hypotheses(path, &harmless);
    run(path, "harmless", &spec, &[]);
    let (code, out, errors) = outcome(&vbench(path, &["golden", "check", "harmless"]));
    assert_eq!(code, 0, "{errors}\n{out}");
    insta::assert_snapshot!("harmless", out);
    let spec = hypotheses(path, &[harmless[0], harmless[1], (3, "window and call")]);
    run(path, "broken", &spec, &[]);
    let (code, out, _) = outcome(&vbench(path, &["golden", "check", "broken"]));
    assert_eq!(code, 10);
    assert!(out.contains("broken c/u3/clean (0 -> ") && out.contains("FAILED"), "{out}");
    assert_eq!(outcome(&vbench(path, &["golden", "diff", "broken"])).0, 0, "diff only shows");
}

#[test]
fn differences_are_accepted_by_class() {
    let folder = folder_with_golden();
    let path = folder.path();
    let spec = hypotheses(path, &[(0, "open the bird window and"), (3, "window and call")]);
    run(path, "next", &spec, &[]);
    let (code, out, errors) = outcome(&vbench(path, &["golden", "accept", "next", "--class", "fixed"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("2 differences are not accepted"), "{out}");
    assert_eq!(golden_text_of(path, "u0"), "open a third window and", "neutral was not accepted");
    assert_eq!(golden_text_of(path, "u1"), "the third window and call Maria", "fixed was");
    assert_ne!(golden_text_of(path, "u3"), "window and call", "broken was not");
    let all = ["golden", "accept", "next", "--class", "equal,neutral,fixed,broken"];
    assert_eq!(outcome(&vbench(path, &all)).0, 0);
    assert_eq!(golden_text_of(path, "u3"), "window and call");
    assert_eq!(outcome(&vbench(path, &["golden", "check", "next"])).0, 0);
    let (code, _, errors) = outcome(&vbench(path, &["golden", "accept", "next", "--class", "brokn"]));
    assert!(code == 2 && errors.contains("identical, equal, neutral, fixed, broken"), "{errors}");
}

#[test]
fn a_lost_transcript_is_broken_and_a_smaller_selection_is_not() {
    let folder = folder_with_golden();
    let path = folder.path();
    let spec = hypotheses(path, &[(0, "open a third window and"), (1, "the third window and")]);
    run(path, "some", &spec, &["--limit", "3"]);
    let (code, out, errors) = outcome(&vbench(path, &["golden", "check", "some"]));
    assert_eq!(code, 0, "{errors}\n{out}");
    assert!(out.contains("not in the run      3"), "{out}");
    std::fs::write(path.join("hyp.jsonl"), r#"{"id":"u0","hyp":"open a third window and"}"#).expect("writes");
    run(path, "lost", &spec, &[]);
    let (code, out, _) = outcome(&vbench(path, &["golden", "check", "lost"]));
    assert_eq!(code, 10);
    assert!(out.contains("now       (no transcript)"), "{out}");
}

#[test]
fn new_cells_and_changed_references_fail_until_accepted() {
    let folder = folder_with_golden();
    let path = folder.path();
    let manifest = std::fs::read_to_string(path.join("manifest.jsonl")).expect("manifest");
    let changed =
        manifest.replacen("open the third", "close the third", 1).replacen("\"id\":\"u5\"", "\"id\":\"u9\"", 1);
    std::fs::write(path.join("manifest.jsonl"), changed).expect("writes");
    run(path, "next", "fake:echo", &[]);
    let (code, out, _) = outcome(&vbench(path, &["golden", "check", "next"]));
    assert_eq!(code, 10, "{out}");
    assert!(out.contains("new") && out.contains("other reference"), "{out}");
    assert_eq!(outcome(&vbench(path, &["golden", "accept", "next"])).0, 0);
    assert_eq!(outcome(&vbench(path, &["golden", "check", "next"])).0, 0);
    // The old cell is still there, and listed rather than dropped.
    let (_, out, _) = outcome(&vbench(path, &["golden", "check", "--suites", "."]));
    assert!(out.contains("unreferenced: 1 cells that the suite does not plan any more"), "{out}");
}

#[test]
fn drift_of_a_metric_fails_within_the_tolerance_of_the_file() {
    let folder = folder_with_golden();
    let path = folder.path().join("golden/runs/tiny/m/golden.json");
    let change = |edit: &dyn Fn(&mut Value)| {
        let mut golden: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("golden")).expect("JSON");
        edit(&mut golden["metrics"][0]);
        std::fs::write(&path, golden.to_string()).expect("writes");
    };
    let check = || outcome(&vbench(folder.path(), &["golden", "check", "--suites", "."]));
    change(&|m| {
        assert!(m["origin"].as_str().is_some_and(|o| o.len() > 10), "a tolerance has an origin: {m}");
        m["value"] = (m["value"].as_f64().expect("a value") + 0.01).into();
    });
    let (code, out, _) = check();
    assert!(code == 10 && out.contains("wer of all: accepted 0."), "{out}");
    change(&|m| m["tolerance"] = 0.02.into());
    assert_eq!(check().0, 0);
    // A tolerance that a person set survives the next acceptance.
    assert_eq!(outcome(&vbench(folder.path(), &["golden", "accept", "first"])).0, 0);
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("golden")).expect("JSON");
    assert_eq!(stored["metrics"][0]["tolerance"], 0.02);
}

#[test]
fn goldens_that_nothing_refers_to_are_listed() {
    let folder = folder_with_golden();
    let (code, out, _) = outcome(&vbench(folder.path(), &["golden", "check", "--suites", "nowhere"]));
    assert!(code == 0 && out.contains("unreferenced: no suite `tiny` in nowhere"), "{out}");
    let suite = std::fs::read_to_string(folder.path().join("suite.toml")).expect("suite");
    std::fs::write(folder.path().join("suite.toml"), suite.replace("name = \"m\"", "name = \"other\""))
        .expect("writes");
    let (code, out, _) = outcome(&vbench(folder.path(), &["golden", "check", "--suites", "."]));
    assert!(code == 0 && out.contains("unreferenced: suite `tiny` names no model `m`"), "{out}");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["golden", "check", "--golden", "nowhere"]));
    assert_eq!(code, 7, "{errors}");
}

#[test]
fn other_audio_than_the_goldens_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["noise-5db"]"#, "fake:echo");
    run(folder.path(), "a", "fake:echo", &[]);
    run(folder.path(), "b", "fake:echo", &["--seed", "8"]);
    assert_eq!(outcome(&vbench(folder.path(), &["golden", "accept", "a"])).0, 0);
    let (code, _, errors) = outcome(&vbench(folder.path(), &["golden", "check", "b"]));
    assert!(code == 9 && errors.contains("different audio in 6 cells") && errors.contains("--force"), "{errors}");
    assert_eq!(outcome(&vbench(folder.path(), &["golden", "check", "b", "--force"])).0, 0);
    let (code, _, errors) = outcome(&vbench(folder.path(), &["golden", "check", "a", "--golden", "nowhere"]));
    assert!(code == 5 && errors.contains("make one: vbench golden accept RUN"), "{errors}");
}

#[test]
fn a_golden_holds_nothing_of_the_machines_file_system_and_is_a_baseline() {
    let folder = folder_with_golden();
    let path = folder.path();
    let record = std::fs::read_to_string(path.join("golden/runs/tiny/m/run.json")).expect("run.json");
    let here = path.to_string_lossy().into_owned();
    for absent in ["command", "suite_path", here.as_str()] {
        assert!(!record.contains(absent), "{absent} in {record}");
    }
    std::fs::write(path.join("gate.toml"), "schema = 1\n[[gates]]\nmetric = \"wer\"\nmax_increase = \"1 points\"\n")
        .expect("writes");
    let arguments = ["gate", "first", "--baseline", "golden", "--rules", "gate.toml"];
    let (code, out, errors) = outcome(&vbench(path, &arguments));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("identical on all 6 utterances"), "{out}");
}

fn in_repository(arguments: &[&str]) -> (i32, String, String) {
    outcome(&Command::new(env!("CARGO_BIN_EXE_vbench")).current_dir(root()).args(arguments).output().expect("starts"))
}

#[test]
fn the_goldens_that_ship_score_as_accepted() {
    let (code, out, errors) = in_repository(&["golden", "check"]);
    assert_eq!(code, 0, "{out}{errors}");
    for golden in ["all, whisper-tiny.en: 576 transcripts", "smoke, whisper-tiny.en: 16 transcripts"] {
        assert!(out.contains(golden), "{out}");
    }
    assert!(!out.contains("unreferenced") && !out.contains("without golden"), "{out}");
}

#[test]
fn the_smoke_suite_runs_live_against_its_golden() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = folder.path().join("smoke");
    let run = run.to_str().expect("UTF-8");
    let (code, _, errors) = in_repository(&["run", "suites/smoke.toml", "--out", run, "-q"]);
    assert_eq!(code, 0, "{errors}");
    let (code, out, errors) = in_repository(&["golden", "check", run]);
    assert_eq!(code, 0, "{out}{errors}");
}
