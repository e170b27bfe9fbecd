//! `vbench run` from end to end with the fake model: table, report, same bytes, coverage.

mod common;

use common::{CONDITIONS, corpus, outcome, rows, vbench};

#[test]
fn a_run_prints_every_stratum_and_leaves_its_files() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, CONDITIONS, "fake:drop=4,delay_ms=100");
    let (code, table, errors) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "--quiet"]));
    assert_eq!(code, 0, "{errors}");
    insta::assert_snapshot!("table", table);
    let run = folder.path().join("run");
    for file in ["run.json", "rows.jsonl", "timings.jsonl", "report.html", "report.md", "summary.json"] {
        assert!(run.join(file).metadata().is_ok_and(|m| m.len() > 0), "{file}");
    }
    for figure in ["wer-by-condition.png", "rtf-by-condition.png"] {
        let bytes = std::fs::read(run.join("figures").join(figure)).expect(figure);
        assert!(bytes.starts_with(b"\x89PNG"), "{figure}");
    }
    assert_eq!(rows(&run).lines().count(), 72);
}

#[test]
fn json_counts_are_those_of_the_fake_model() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, r#"["clean"]"#, "fake:drop=4,delay_ms=100");
    let (code, json, _) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "--quiet", "--json"]));
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON on standard output");
    assert_eq!(json["schema"], "vbench/run/1");
    let all = json["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|r| r["stratum"]["by"] == "all" || r["stratum"] == "all");
    let all = all.expect("the stratum `all`").to_string();
    // Utterances of 5 to 8 words, three each: every fourth word is dropped, so 1 + 1 + 1 + 2 of 26 words, three times.
    for needle in ["\"deletions\":15", "\"substitutions\":0", "\"insertions\":0", "\"reference\":78"] {
        assert!(all.contains(needle), "{needle} in {all}");
    }
}

#[test]
fn rows_and_report_are_the_same_bytes_again_and_with_any_number_of_jobs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 8, CONDITIONS, "fake:drop=3");
    let mut seen: Vec<(String, String)> = Vec::new();
    for (name, jobs) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "5")] {
        let arguments = ["run", "suite.toml", "--out", name, "--quiet", "--jobs", jobs];
        assert_eq!(outcome(&vbench(folder.path(), &arguments)).0, 0);
        let run = folder.path().join(name);
        let html = std::fs::read_to_string(run.join("report.html")).expect("report");
        let begin = html.find(vbench_report::BLOCK_BEGIN).expect("the block begins");
        let end = html.find(vbench_report::BLOCK_END).expect("the block ends");
        seen.push((rows(&run), format!("{}{}", &html[..begin], &html[end..])));
    }
    for other in &seen[1..] {
        assert!(other.0 == seen[0].0, "rows differ");
        assert!(other.1 == seen[0].1, "reports differ outside the block of timings and provenance");
    }
}

#[test]
fn another_seed_changes_noise_but_not_the_clean_rows() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean", "noise-5db"]"#, "fake:echo");
    for (name, seed) in [("a", "1"), ("b", "2")] {
        assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", name, "-q", "--seed", seed])).0, 0);
    }
    let (a, b) = (rows(&folder.path().join("a")), rows(&folder.path().join("b")));
    for (left, right) in a.lines().zip(b.lines()) {
        assert_eq!(left == right, left.contains("/clean/"), "{left}\n{right}");
    }
}

#[test]
fn a_failed_cell_is_a_row_with_a_reason_and_exit_code_6_unless_allowed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:fail=/u3/");
    let (code, table, errors) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run"]));
    assert_eq!(code, 6, "{errors}");
    assert!(errors.contains("c/u3/clean/m") && errors.contains("told to fail"), "{errors}");
    assert!(table.contains("5 of 6"), "coverage below 100 % is printed: {table}");
    assert!(rows(&folder.path().join("run")).contains(r#""outcome":"failed","reason":{"kind":"model""#));
    let allowed = ["run", "suite.toml", "--out", "run2", "-q", "--allow-failed", "1"];
    assert_eq!(outcome(&vbench(folder.path(), &allowed)).0, 0);
    // Failed rows stay on --resume unless they are to be tried again.
    let again = outcome(&vbench(folder.path(), &["run", "--resume", "run", "-q"]));
    assert_eq!(again.0, 6);
    let retried = outcome(&vbench(folder.path(), &["run", "--resume", "run", "--retry-failed", "-q"]));
    assert_eq!(retried.0, 6, "the fake still fails");
    assert_eq!(rows(&folder.path().join("run")).lines().count(), 6, "one row a cell after the retry");
}

#[test]
fn hypotheses_made_elsewhere_are_scored_and_a_missing_one_is_a_failed_cell() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "hypotheses:hyp.jsonl");
    let lines: Vec<String> = (0..5).map(|i| format!(r#"{{"id":"u{i}","hyp":"open the window"}}"#)).collect();
    std::fs::write(folder.path().join("hyp.jsonl"), lines.join("\n")).expect("writes");
    let (code, table, errors) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run"]));
    assert_eq!(code, 6);
    assert!(errors.contains("no hypothesis for utterance `u5`"), "{errors}");
    assert!(!table.contains("RTF 0.000"), "an unknown time is not a time: {table}");
}

#[test]
fn a_report_made_again_later_is_the_same_outside_its_block() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, CONDITIONS, "fake:drop=3");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 0);
    let first = std::fs::read_to_string(folder.path().join("run/report.html")).expect("report");
    assert_eq!(outcome(&vbench(folder.path(), &["report", "run", "--out", "again"])).0, 0);
    let second = std::fs::read_to_string(folder.path().join("again/report.html")).expect("report");
    let outside = |html: &str| html.split(vbench_report::BLOCK_BEGIN).next().map(str::to_string);
    assert_eq!(outside(&first), outside(&second));
}

#[test]
fn a_failed_clean_cell_does_not_move_the_baseline_of_the_differences() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 8, r#"["clean", "noise-20db", "noise-5db"]"#, "fake:drop=3,fail=/u0/clean");
    let (code, json, _) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q", "--json"]));
    assert_eq!(code, 6);
    assert!(json.contains(r#""from": "clean""#) && !json.contains(r#""from": "noise-20db""#), "{json}");
}

#[test]
fn a_retry_keeps_the_bytes_of_every_other_row() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 8, r#"["clean", "noise-20db", "noise-5db"]"#, "fake:drop=3,fail=/u0/clean");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 6);
    let before = rows(&folder.path().join("run"));
    assert_eq!(outcome(&vbench(folder.path(), &["run", "--resume", "run", "--retry-failed", "-q"])).0, 6);
    assert!(rows(&folder.path().join("run")) == before, "rows changed");
}

#[test]
fn the_report_is_made_with_eight_threads_too() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 24, r#"["noise-20db", "noise-5db"]"#, "fake:drop=3");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 0);
    for _ in 0..4 {
        let mut child = common::command(folder.path(), &["report", "run"])
            .env("RAYON_NUM_THREADS", "8")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while child.try_wait().expect("can be asked").is_none() {
            assert!(std::time::Instant::now() < deadline, "the report hangs");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn a_resumed_run_notices_a_recording_that_was_swapped_although_the_manifest_has_no_hash() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:fail=/u3/");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 6);
    let record = std::fs::read_to_string(folder.path().join("run/run.json")).expect("run.json");
    assert!(
        !record.contains(r#""u3",null"#) && !record.contains(r#""u3", null"#),
        "unpinned audio is hashed at the start"
    );
    std::fs::copy(folder.path().join("u2.wav"), folder.path().join("u1.wav")).expect("copies");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["run", "--resume", "run", "--retry-failed", "-q"]));
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("audio of c/u1"), "{errors}");
}

#[test]
fn a_repaired_recording_may_be_retried_unless_the_noise_of_the_run_was_measured_without_it() {
    for (conditions, expected) in [(r#"["clean"]"#, 0), (r#"["clean", "noise-5db"]"#, 3)] {
        let folder = tempfile::tempdir().expect("temporary folder");
        corpus(folder.path(), 6, conditions, "fake:echo");
        let audio = folder.path().join("u3.wav");
        let aside = folder.path().join("aside");
        std::fs::rename(&audio, &aside).expect("renames");
        assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 6);
        std::fs::rename(&aside, &audio).expect("renames");
        let (code, _, errors) = outcome(&vbench(folder.path(), &["run", "--resume", "run", "--retry-failed", "-q"]));
        assert_eq!(code, expected, "{conditions}: {errors}");
        assert_eq!(errors.contains("spectrum"), expected == 3, "{errors}");
    }
}

#[test]
fn a_plan_has_times_and_detectable_differences_without_durations_or_six_speakers() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 8, r#"["clean"]"#, "whisper:whisper-base");
    let (code, table, errors) = outcome(&vbench(folder.path(), &["suite", "plan", "suite.toml"]));
    assert_eq!(code, 0, "{errors}");
    assert!(table.contains("points (") && !table.contains("n/a"), "{table}");
    assert!(!table.contains("0.0 min"), "audio is estimated from the recordings: {table}");
}

/// A suite that declares an overall score and a latency budget, through 3 noise levels.
#[test]
fn areas_overall_scores_and_latency_readings_are_in_the_outputs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = corpus(folder.path(), 12, r#"["clean", "noise-20db", "noise-10db", "noise-5db"]"#, "fake:echo");
    let text = std::fs::read_to_string(&path).expect("reads");
    let declared =
        "[overall]\nweights = { \"condition=clean\" = 1, \"snr=5 dB\" = 3 }\n\n[latency]\nbudget_ms = 60000\n\n";
    let strata = "strata = [\"condition\", \"language\", \"length\", \"duration\"]";
    let text = text.replacen("[[corpora]]", &format!("{declared}[[corpora]]"), 1);
    let text = text.replacen("strata = [\"condition\", \"snr\", \"accent\", \"speaker\"]", strata, 1);
    std::fs::write(&path, text).expect("writes");
    let (code, table, errors) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run"]));
    assert_eq!(code, 0, "{errors}");
    for line in [
        "area under WER over 5..20 dB: ",
        "overall WER (condition=clean 25 %, snr=5 dB 75 %): ",
        "within 60000 ms of the end of the audio: 100.00 % [",
        "  1-5 words ",
        "  up to 2 s ",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join("run").join(name)).expect(name);
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).expect("JSON");
    let result = |by: &str, metric: &str| {
        let results = summary["results"].as_array().expect("results").iter();
        let found = results.filter(|r| r["stratum"]["by"] == by && r["metric"] == metric).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{by} {metric}");
        found[0].clone()
    };
    // Everything is on time: the three readings are one.
    let full = result("all", "wer")["estimate"].clone();
    for metric in ["wer", "wer_on_time", "wer_late_empty"] {
        assert_eq!(result("latency", metric)["estimate"], full, "{metric}");
    }
    assert_eq!(result("latency", "wer_on_time")["on_time"]["value"], 1.0);
    assert_eq!(result("curve", "wer_area")["points"].as_array().map(Vec::len), Some(3));
    assert_eq!(result("overall", "wer")["of"][1]["weight"], 3.0);
    assert!(
        folder.path().join("run/figures/wer-by-snr.png").exists() && read("report.html").contains("wer-by-snr-wide")
    );
    assert!(read("report.md").contains("area under WER over 5..20 dB"));
    // Nothing is on time within 0 ms: every word counts as deleted, and a gate on that sees it.
    let text = std::fs::read_to_string(&path).expect("reads").replacen("budget_ms = 60000", "budget_ms = 0", 1);
    std::fs::write(&path, text).expect("writes");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "late", "-q"])).0, 0);
    let late: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("late/summary.json")).expect("reads"))
            .expect("JSON");
    let empty = late["results"].as_array().expect("results").iter().find(|r| r["metric"] == "wer_late_empty");
    assert_eq!(empty.map(|r| r["estimate"]["value"].clone()), Some(serde_json::json!(1.0)));
}
