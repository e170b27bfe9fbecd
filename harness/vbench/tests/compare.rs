//! `vbench compare` from end to end with the fake model.

mod common;

use std::path::Path;

use common::{corpus, outcome, rows, run, vbench};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db"]"#;

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, errors) = outcome(&vbench(folder, &[arguments, &["--json"]].concat()));
    assert_eq!(code, 0, "{errors}");
    serde_json::from_str(&out).expect("JSON")
}

fn result<'v>(json: &'v Value, metric: &str, by: &str, value: &str) -> &'v Value {
    let is = |r: &&Value| r["metric"] == metric && r["stratum"]["by"] == by && r["stratum"]["value"] == value;
    json["results"].as_array().expect("results").iter().find(is).unwrap_or_else(|| panic!("{metric} {by}={value}"))
}

/// 24 utterances by 12 speakers: 156 words a condition. Dropping every fourth word errs twice on the six utterances of
/// eight words, dropping every fifth errs once; otherwise both err once.
fn two_runs(folder: &Path) {
    corpus(folder, 24, CONDITIONS, "fake:echo");
    run(folder, "a", "fake:drop=4,delay_ms=100", &[]);
    run(folder, "b", "fake:drop=5,delay_ms=80", &[]);
}

#[test]
fn the_table_shows_difference_interval_test_and_what_explains_it() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let (code, text, errors) = outcome(&vbench(folder.path(), &["compare", "a", "b", "--secondary"]));
    assert_eq!(code, 0, "{errors}");
    insta::assert_snapshot!("comparison", text);
    let (code, text, _) = outcome(&vbench(folder.path(), &["compare", "a", "b", "--markdown"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!("comparison_markdown", text);
}

#[test]
fn the_numbers_are_those_of_the_fake_models() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let json = json(folder.path(), &["compare", "a", "b"]);
    assert_eq!(json["schema"], "vbench/compare/1");
    assert_eq!(json["shared"], 48);
    let all = result(&json, "wer", "all", "");
    assert!((all["difference"]["value"].as_f64().expect("a number") + 12.0 / 312.0).abs() < 1e-12, "{all}");
    assert_eq!(all["difference"]["unit"], "speaker");
    assert_eq!(all["difference"]["clusters"], 12);
    // Six of twelve speakers differ, all one way: two of 64 sign patterns are as far out.
    assert!((all["p_value"].as_f64().expect("p") - 2.0 / 64.0).abs() < 1e-12);
    assert!(all["p_adjusted"].as_f64().expect("adjusted") >= all["p_value"].as_f64().expect("p"));
    assert!(all["probability_of_improvement"]["strict"].as_f64().expect("a share") > 0.95);
    let rtf = result(&json, "rtf", "all", "");
    assert!((rtf["difference"]["value"].as_f64().expect("a number") + 0.02).abs() < 1e-9, "80 ms less 100 ms a second");
}

#[test]
fn times_of_separate_runs_are_shown_and_not_judged() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let json = json(folder.path(), &["compare", "a", "b"]);
    let rtf = result(&json, "rtf", "all", "");
    assert_eq!((&rtf["finding"], rtf["difference"]["value"].is_number()), (&"not judged".into(), true));
    assert!(rtf.get("p_value").is_none() && rtf.get("p_adjusted").is_none(), "{rtf}");
    assert_eq!(result(&json, "wer", "all", "")["finding"], "improved");
    let why = json["times_not_judged"].as_str().expect("why");
    assert!(why.starts_with("separate runs, and a busy machine cannot be told"), "{why}");
    for arguments in [&["compare", "a", "b"][..], &["compare", "a", "b", "--markdown"]] {
        let (_, text, _) = outcome(&vbench(folder.path(), arguments));
        let text = text.replace('\n', " ");
        assert!(text.contains("Differences of RTF are not judged: separate runs"), "{text}");
        assert!(!text.contains("0.0005"), "no p of a time: {text}");
    }
    // One model behind the other in one run is no better.
    run(folder.path(), "both", "fake:drop=4", &["--model", "n=fake:drop=5"]);
    let (code, text, _) = outcome(&vbench(folder.path(), &["compare", "both", "--a", "m", "--b", "n"]));
    assert!(code == 0 && text.contains("one model ran after the other"), "{text}");
}

/// Five of eight speakers are better by a word of ten: p = 2 / 32 by the test, and a Student interval without 0.
#[test]
fn an_interval_without_zero_beside_an_undecided_test_is_explained() {
    let folder = tempfile::tempdir().expect("temporary folder");
    pairs(folder.path(), "a.jsonl", |i| usize::from(i < 16 && i % 2 == 0 && i / 2 < 5));
    pairs(folder.path(), "b.jsonl", |_| 0);
    for name in ["a.jsonl", "b.jsonl"] {
        let path = folder.path().join(name);
        let text = std::fs::read_to_string(&path).expect("reads");
        std::fs::write(&path, text.lines().take(16).collect::<Vec<_>>().join("\n")).expect("writes");
    }
    let json = json(folder.path(), &["compare", "a.jsonl", "b.jsonl"]);
    let all = result(&json, "wer", "all", "");
    assert!(all["difference"]["hi"].as_f64().expect("an end") < 0.0 && all["p_value"] == 0.0625, "{all}");
    let why = "The interval excludes 0 and still nothing is shown: the sign-flip test over 8 speakers decides";
    assert!(json["verdict"]["text"].as_str().is_some_and(|t| t.contains(why)), "{}", json["verdict"]);
    let (_, text, _) = outcome(&vbench(folder.path(), &["compare", "a.jsonl", "b.jsonl"]));
    assert!(text.replace('\n', " ").contains(why), "{text}");
}

#[test]
fn tables_fit_eighty_columns() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    run(folder.path(), "a-run-with-a-long-name", "fake:drop=3", &[]);
    let mut command = common::command(folder.path(), &["compare", "a", "a-run-with-a-long-name", "--secondary"]);
    let (code, text, errors) = outcome(&command.env("COLUMNS", "80").output().expect("runs"));
    assert_eq!(code, 0, "{errors}");
    let wide: Vec<&str> = text.lines().filter(|l| l.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    assert!(text.contains("condition=noise-5db") && text.contains("no room for"), "{text}");
}

#[test]
fn two_suites_are_both_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let path = folder.path().join("a/run.json");
    let record = std::fs::read_to_string(&path).expect("reads");
    let mut record: Value = serde_json::from_str(&record).expect("JSON");
    record["suite"]["name"] = "older".into();
    std::fs::write(&path, record.to_string()).expect("writes");
    let json = json(folder.path(), &["compare", "a", "b"]);
    assert_eq!(json["suite"], "older (A) and tiny (B)");
}

#[test]
fn every_split_sums_to_the_difference_exactly() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let json = json(folder.path(), &["compare", "a", "b"]);
    let explained = &json["explained"];
    let number = |v: &Value| v.as_i64().expect("a count");
    let change = number(&explained["errors_b"]) - number(&explained["errors_a"]);
    assert_eq!((change, number(&explained["words"])), (-12, 312));
    for by in ["condition", "error_type", "word_class", "speaker"] {
        let shares = explained["splits"][by].as_array().unwrap_or_else(|| panic!("{by}"));
        let sum: i64 = shares.iter().map(|s| number(&s["errors_b"]) - number(&s["errors_a"])).sum();
        assert_eq!(sum, change, "{by}");
        let points: f64 = shares.iter().map(|s| s["contribution"].as_f64().expect("a number")).sum();
        assert!((points - change as f64 / 312.0).abs() < 1e-12, "{by}");
    }
    let deletions =
        explained["splits"]["error_type"].as_array().expect("kinds").iter().find(|s| s["value"] == "deletions");
    assert_eq!(deletions.map(|d| number(&d["errors_b"]) - number(&d["errors_a"])), Some(-12), "the fake only drops");
    assert_eq!(explained["utterances"], serde_json::json!({"fixed": 6, "broken": 0, "same": 18}));
    let carriers = explained["carriers"].as_array().expect("carriers");
    assert_eq!(carriers.len(), 6, "only those that changed");
    assert!(carriers.iter().all(|c| c["cells"] == 2 && c["errors_a"] == 4 && c["errors_b"] == 2), "{carriers:?}");
}

#[test]
fn cells_of_one_run_only_and_failed_ones_are_left_out_and_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 24, CONDITIONS, "fake:echo");
    run(folder.path(), "a", "fake:drop=4", &["--select", "condition=clean"]);
    run(folder.path(), "b", "fake:drop=4,fail=/u3/", &[]);
    let (code, text, errors) = outcome(&vbench(folder.path(), &["compare", "a", "b"]));
    assert_eq!(code, 0, "{errors}");
    assert!(text.contains("23 shared cells"), "{text}");
    let one = ["compare", "a", "b", "--json"];
    let families = &serde_json::from_str::<Value>(&outcome(&vbench(folder.path(), &one)).1).expect("JSON")["families"];
    assert_eq!(families["cer"], 2, "two accents; the one shared condition has the cells of the whole");
    assert!(text.contains("left out, only in B: 23 (c/u0/noise-5db, "), "{text}");
    assert!(text.contains("left out, no hypothesis in B: 2 (c/u3/clean, c/u3/noise-5db)"), "{text}");
    assert!(text.contains("identical  1.0000") && text.contains("nothing to explain"), "{text}");
}

#[test]
fn other_normalisers_references_or_audio_are_refused_unless_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    corpus(path, 12, CONDITIONS, "fake:echo");
    run(path, "a", "fake:drop=4", &[]);
    run(path, "seed", "fake:drop=4", &["--seed", "8"]);
    let record = path.join("a/run.json");
    // Another normaliser.
    run(path, "basic", "fake:drop=4", &[]);
    let text = std::fs::read_to_string(&record).expect("run.json").replace("\"whisper-en\"", "\"basic\"");
    std::fs::write(path.join("basic/run.json"), text).expect("writes");
    let (code, _, errors) = outcome(&vbench(path, &["compare", "basic", "a"]));
    assert_eq!(code, 9, "{errors}");
    assert!(
        errors.contains("normalisers differ") && errors.contains("--normalizer NAME") && errors.contains("--force"),
        "{errors}"
    );
    let (code, text, _) = outcome(&vbench(path, &["compare", "basic", "a", "--force"]));
    assert!(
        code == 0 && text.contains("FORCED: normalisers differ") && text.contains("normaliser whisper-en"),
        "{text}"
    );
    let (code, text, _) = outcome(&vbench(path, &["compare", "basic", "a", "--normalizer", "none"]));
    assert!(code == 0 && text.contains("normaliser none") && !text.contains("FORCED"), "{text}");
    // Another seed: other noise.
    let (code, _, errors) = outcome(&vbench(path, &["compare", "a", "seed"]));
    assert_eq!(code, 9, "{errors}");
    assert!(errors.contains("different audio in 12 cells") && errors.contains("seeds differ, 7 and 8"), "{errors}");
    let (code, text, _) = outcome(&vbench(path, &["compare", "a", "seed", "--force"]));
    assert!(code == 0 && text.contains("FORCED: the models heard different audio"), "{text}");
    // Another reference.
    let manifest = std::fs::read_to_string(path.join("manifest.jsonl")).expect("manifest");
    std::fs::write(path.join("manifest.jsonl"), manifest.replacen("open the third", "close the third", 1))
        .expect("writes");
    run(path, "other", "fake:drop=4", &[]);
    let (code, _, errors) = outcome(&vbench(path, &["compare", "a", "other"]));
    assert_eq!(code, 9, "{errors}");
    assert!(errors.contains("reference texts differ in 2 cells (c/u0/clean, c/u0/noise-5db)"), "{errors}");
    let (code, text, _) = outcome(&vbench(path, &["compare", "a", "other", "--force"]));
    assert!(
        code == 0 && text.contains("22 shared cells") && text.contains("left out, the reference texts differ: 2"),
        "{text}"
    );
}

#[test]
fn two_models_of_one_run_are_compared_by_name() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, r#"["clean"]"#, "fake:echo");
    run(folder.path(), "ab", "fake:drop=4", &["--model", "n=fake:drop=5"]);
    let json = json(folder.path(), &["compare", "ab", "--a", "m", "--b", "n"]);
    assert_eq!(json["shared"], 12);
    assert_eq!(json["explained"]["errors_a"], 15);
    for (arguments, needle) in [
        (vec!["compare", "ab"], "name two of its models with --a NAME --b NAME"),
        (vec!["compare", "ab", "--a", "m", "--b", "o"], "ab has no model `o`; it has: m, n"),
        (vec!["compare", "ab", "ab"], "ab has several models (m, n): name one with --a-model"),
        (vec!["compare"], "give two runs"),
        (vec!["compare", "ab", "ab", "--a", "m", "--b", "n"], "--a-model and --b-model"),
    ] {
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, 2, "{arguments:?}: {errors}");
        assert!(errors.contains(needle), "{arguments:?}: {errors}");
    }
    let (code, _, errors) = outcome(&vbench(folder.path(), &["compare", "ab", "nowhere", "--a-model", "m"]));
    assert_eq!(code, 7, "{errors}");
}

#[test]
fn two_checkpoints_take_turns_on_every_cell_of_a_suite() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, CONDITIONS, "fake:echo");
    let arguments = [
        "compare",
        "--suite",
        "suite.toml",
        "--a",
        "fake:drop=4,delay_ms=9",
        "--b",
        "new=fake:drop=5,delay_ms=9",
        "--out",
        "ab",
        "-q",
    ];
    let (code, text, errors) = outcome(&vbench(folder.path(), &arguments));
    assert_eq!(code, 0, "{errors}");
    assert!(text.contains("A  ab: a") && text.contains("B  ab: new") && text.contains("12 shared cells"), "{text}");
    let cells: Vec<String> = rows(&folder.path().join("ab"))
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).expect("a row")["cell"].as_str().expect("a cell").to_string())
        .collect();
    let expected = ["c/u0/clean/a", "c/u0/clean/new", "c/u0/noise-5db/new", "c/u0/noise-5db/a", "c/u1/clean/a"];
    assert_eq!(cells[..5], expected);
    assert_eq!(cells.len(), 24);
    // Turns in one session: times are judged, and the run folder remembers it.
    let again = json(folder.path(), &["compare", "ab", "--a", "a", "--b", "new"]);
    let rtf = result(&again, "rtf", "all", "");
    assert!(again.get("times_not_judged").is_none() && rtf["finding"] != "not judged", "{rtf}");
    // The run folder remembers the order.
    let (code, _, errors) = outcome(&vbench(folder.path(), &["run", "--resume", "ab", "-q"]));
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn one_utterance_or_one_speaker_gives_a_reason_and_no_number() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 2, r#"["clean"]"#, "fake:echo");
    run(folder.path(), "a", "fake:drop=4", &[]);
    run(folder.path(), "b", "fake:drop=2", &[]);
    let json = json(folder.path(), &["compare", "a", "b", "--secondary"]);
    let all = result(&json, "wer", "all", "");
    assert_eq!(all["difference"]["reason"], "2 utterances, at least 6 needed");
    for absent in ["p_value", "p_adjusted", "probability_of_improvement", "detectable"] {
        assert!(all.get(absent).is_none(), "{absent}: {all}");
    }
    assert!(all["difference"].get("lo").is_none());
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let with = |threads: &str| {
        let output = common::command(folder.path(), &["compare", "a", "b", "--json", "--secondary"])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .expect("runs");
        outcome(&output).1
    };
    let one = with("1");
    assert!(one.len() > 1000 && one == with("2") && one == with("8"));
}

/// Pairs of twelve speakers, two utterances each; `errs` says how many of the five words are wrong.
fn pairs(folder: &Path, name: &str, errs: impl Fn(usize) -> usize) {
    let words = ["alpha", "bravo", "charlie", "delta", "echo"];
    let line = |i: usize| {
        let hyp: Vec<&str> = words.iter().enumerate().map(|(w, word)| if w < errs(i) { "x" } else { word }).collect();
        let accent = ["us", "gb"][i % 2];
        serde_json::json!({"id": format!("u{i}"), "ref": words.join(" "), "hyp": hyp.join(" "),
            "speaker": format!("s{}", i / 2), "accent": accent, "take": i.to_string()})
        .to_string()
    };
    let lines: Vec<String> = (0..24).map(line).collect();
    std::fs::write(folder.join(name), lines.join("\n")).expect("writes");
}

#[test]
fn files_of_pairs_compare_like_runs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    pairs(folder.path(), "a.jsonl", |i| i % 2);
    pairs(folder.path(), "b.jsonl", |i| 2 * (i % 2));
    let json = json(folder.path(), &["compare", "a.jsonl", "b.jsonl"]);
    assert_eq!((&json["schema"], &json["shared"]), (&"vbench/compare/1".into(), &24.into()));
    let all = result(&json, "wer", "all", "");
    // 12 and 24 errors of 120 words.
    assert!((all["difference"]["value"].as_f64().expect("a number") - 0.1).abs() < 1e-12, "{all}");
    let gb = result(&json, "wer", "accent", "gb");
    assert!((gb["difference"]["value"].as_f64().expect("a number") - 0.2).abs() < 1e-12, "{gb}");
    let take = json["results"].as_array().expect("results").iter().any(|r| r["stratum"]["by"] == "take");
    assert!(!take, "24 values of 24 pairs are no strata");
    let (code, text, _) = outcome(&vbench(folder.path(), &["compare", "a.jsonl", "b.jsonl"]));
    assert!(code == 0 && text.contains("a.jsonl: a") && text.contains("speaker (12)"), "{text}");
}

#[test]
fn pairs_with_other_references_or_without_a_hypothesis_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    pairs(path, "a.jsonl", |_| 0);
    let text = std::fs::read_to_string(path.join("a.jsonl")).expect("a file");
    let other = text.replacen("\"ref\":\"alpha bravo", "\"ref\":\"alpha beta", 1);
    assert_ne!(text, other);
    std::fs::write(path.join("b.jsonl"), other).expect("writes");
    let (code, _, errors) = outcome(&vbench(path, &["compare", "a.jsonl", "b.jsonl"]));
    assert!(code == 9 && errors.contains("reference texts differ in 1 cell (pairs/u0/none)"), "{code} {errors}");
    std::fs::write(path.join("c.jsonl"), "{\"id\":\"u0\",\"ref\":\"a b\"}\n").expect("writes");
    let (code, _, errors) = outcome(&vbench(path, &["compare", "a.jsonl", "c.jsonl"]));
    assert!(code == 9 && errors.contains("c.jsonl"), "{code} {errors}");
    let (code, _, errors) = outcome(&vbench(path, &["compare", "a.jsonl", "none.jsonl"]));
    assert!(code == 9 && errors.contains("cannot read none.jsonl"), "{code} {errors}");
}
