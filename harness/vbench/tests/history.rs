//! `vbench report FOLDER`: many runs over time, with the fake model.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{command, corpus, outcome, run, vbench};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db"]"#;

fn edit(run: &Path, change: impl FnOnce(&mut Value)) {
    let path = run.join("run.json");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("reads")).expect("JSON");
    change(&mut record);
    std::fs::write(path, record.to_string()).expect("writes");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("creates");
    for name in ["run.json", "rows.jsonl", "timings.jsonl", "report.html"] {
        std::fs::copy(from.join(name), to.join(name)).expect("copies");
    }
}

/// Copies of two runs as a history: `pattern` says which, run by run.
fn history_of(folder: &Path, pattern: &[&str], branch: Option<&str>) {
    for (i, source) in pattern.iter().enumerate() {
        let to = folder.join(format!("runs/{}-{i:02}", branch.unwrap_or("x")));
        copy(&folder.join(source), &to);
        edit(&to, |record| {
            record["created"] = format!("2026-01-{:02}T10:00:00Z", i + 1).into();
            record["git_commit"] = format!("{:040x}", 0x9e37_79b9_7f4a_7c15_u128.pow(2) / (i as u128 + 2)).into();
            record.as_object_mut().expect("an object").remove("git_branch");
            if let Some(branch) = branch {
                record["git_branch"] = branch.into();
            }
        });
    }
}

fn sources(folder: &Path) {
    corpus(folder, 24, CONDITIONS, "fake:echo");
    run(folder, "good", "fake:drop=5,delay_ms=50", &[]);
    run(folder, "bad", "fake:drop=3,delay_ms=50", &[]);
}

/// The page with slashes as they are meant.
fn links(html: &str) -> String {
    html.replace("&#x2f;", "/")
}

fn outside_block(text: &str) -> String {
    let (before, rest) = text.split_once("<!-- begin timings and provenance -->").expect("the block begins");
    format!("{before}{}", rest.split_once("<!-- end timings and provenance -->").expect("the block ends").1)
}

#[test]
fn changes_branches_and_unreadable_runs_are_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    sources(folder.path());
    history_of(folder.path(), &["good", "good", "good", "bad", "bad", "good", "good"], Some("main"));
    history_of(folder.path(), &["good", "bad"], None);
    let broken = folder.path().join("runs/broken<b>");
    std::fs::create_dir_all(&broken).expect("creates");
    std::fs::write(broken.join("run.json"), r#"{"schema":"vbench/run-record/9"}"#).expect("writes");
    std::fs::create_dir_all(folder.path().join("runs/notes")).expect("creates");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "runs"]));
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("not read: broken<b>"), "{errors}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("runs").join(name)).expect("reads");
    let (html, markdown) = (read("history.html"), read("history.md"));
    insta::assert_snapshot!("history_markdown", outside_block(&markdown));
    let json: Value = serde_json::from_str(&read("history.json")).expect("JSON");
    let branches = json["groups"][0]["branches"].as_array().expect("branches");
    assert_eq!(branches.iter().map(|b| b["branch"].as_str().expect("text")).collect::<Vec<_>>(), ["main", "unknown"]);
    let series = &branches[0]["series"][0];
    assert_eq!((&series["metric"], &series["points"][0]["estimate"]["unit"]), (&"wer".into(), &"speaker".into()));
    let at: Vec<u64> =
        series["changes"].as_array().expect("changes").iter().filter_map(|c| c["run"].as_u64()).collect();
    assert_eq!(at, [3, 5], "{series:#}");
    assert!(links(&html).contains("href=\"./main-03/report.html\"") && html.contains("broken&lt;b&gt;"));
    assert!(!outside_block(&html).contains("RTF (") && html.contains("RTF ("));
    assert!(folder.path().join("runs/figures/history-1-wer.png").exists());
    let (code, _, _) = outcome(&vbench(folder.path(), &["report", "runs"]));
    assert_eq!((code, read("history.html") == html), (0, true), "the same runs give the same bytes");
}

#[test]
fn runs_of_other_seeds_and_normalisers_are_never_mixed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    sources(folder.path());
    history_of(folder.path(), &["good", "good", "bad"], Some("main"));
    edit(&folder.path().join("runs/main-01"), |record| record["suite"]["seed"] = 99.into());
    edit(&folder.path().join("runs/main-02"), |record| record["suite"]["normalizer"] = "basic".into());
    let runs = ["runs/main-00", "runs/main-01", "runs/main-02"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &[&["report"], &runs[..]].concat()));
    assert!(code == 2 && errors.contains("--out"), "{code} {errors}");
    let (code, out, errors) =
        outcome(&vbench(folder.path(), &[&["report", "--json", "--out", "h"], &runs[..]].concat()));
    assert_eq!(code, 0, "{errors}");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["groups"].as_array().map(Vec::len), Some(3), "{json:#}");
    let html = std::fs::read_to_string(folder.path().join("h/history.html")).expect("reads");
    assert!(links(&html).contains("href=\"../runs/main-00/report.html\""), "beside the page");
}

#[test]
fn what_a_model_is_stands_there_and_a_run_counts_once() {
    let folder = tempfile::tempdir().expect("temporary folder");
    sources(folder.path());
    history_of(folder.path(), &["good", "good", "bad", "bad"], Some("main"));
    history_of(folder.path(), &["good", "good"], Some("topic"));
    for i in 0..4 {
        edit(&folder.path().join(format!("runs/main-{i:02}")), |record| {
            record["models"][0]["weights_sha256"] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"][i / 2].into();
            record["created"] = format!("2026-01-01T{:02}:30:00Z", 8 + i).into();
        });
    }
    // One more cell planned than done.
    edit(&folder.path().join("runs/main-03"), |record| record["planned"] = 49.into());
    let twice = ["report", "runs", "runs/main-00", "runs/../runs/main-01", "--out", "h"];
    let mut command = command(folder.path(), &twice);
    let (code, text, errors) = outcome(&command.env("COLUMNS", "80").output().expect("runs"));
    assert_eq!(code, 0, "{errors}");
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("h/history.json")).expect("reads"))
            .expect("JSON");
    let branches = json["groups"][0]["branches"].as_array().expect("branches");
    assert_eq!(branches.iter().map(|b| b["runs"].as_array().map_or(0, Vec::len)).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(branches[0]["runs"][0]["models"][0]["spec"], "fake:drop=5,delay_ms=50");
    let html = std::fs::read_to_string(folder.path().join("h/history.html")).expect("reads");
    let html = links(&html).replace("&#x27;", "'");
    let change = "the model changed: <bdi>fake:drop=5,delay_ms=50, weights aaaaaaaaaaaa → fake:drop=3,delay_ms=50, weights bbbbbbbbbbbb";
    assert!(html.contains(change), "the change point names it");
    assert!(html.contains("fewer cells than planned") && html.contains("48 of 49"), "a partial run is told");
    assert!(html.contains("\n01-01 11:30\n"), "runs of one day show the hour");
    assert_eq!(html.matches("<section class=\"branch\"").count(), 2);
    assert_eq!(html.matches(" data-branch=\"topic\"").count(), 2, "its section and its times");
    let figures = html.matches("class=\"figure-wide\"").count();
    let written = std::fs::read_dir(folder.path().join("h/figures")).expect("figures").count();
    assert_eq!(written, 2 * figures, "PNG and SVG of every figure");
    // The terminal has a table of its own.
    let wide: Vec<&str> = text.lines().filter(|l| l.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    assert!(!text.contains("![") && !text.contains("<!--") && !text.contains('|'), "{text}");
    assert!(text.contains("main-03 (change)") || text.contains("main-02 (change)"), "{text}");
    assert!(text.contains("15.38") && text.contains("RTF of m"), "{text}");
    let markdown = std::fs::read_to_string(folder.path().join("h/history.md")).expect("reads");
    assert!(markdown.contains("![WER over time, branch main](figures/history-1-wer.svg)"), "{markdown}");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "runs", "--out", "j", "--format", "md"]));
    assert!(code == 0 && errors.contains("j/history.md"), "{errors}");
    assert!(!std::fs::read_to_string(folder.path().join("j/history.md")).expect("reads").contains("]("));
}

#[test]
fn a_folder_without_runs_is_an_error_in_words() {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::create_dir_all(folder.path().join("empty/notes")).expect("creates");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "empty"]));
    assert!(code == 4 && errors.contains("no run in empty"), "{code} {errors}");
    std::fs::write(folder.path().join("empty/notes/run.json"), "{").expect("writes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "empty"]));
    assert!(code == 7 && errors.contains("no run can be read"), "{code} {errors}");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "nowhere"]));
    assert!(code == 7 && errors.contains("nowhere"), "{code} {errors}");
}

#[test]
fn fifty_runs_are_quick() {
    let folder = tempfile::tempdir().expect("temporary folder");
    sources(folder.path());
    let pattern: Vec<&str> = (0..50).map(|i| if (20..35).contains(&i) { "bad" } else { "good" }).collect();
    history_of(folder.path(), &pattern[..28], Some("main"));
    let began = Instant::now();
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "runs"]));
    assert_eq!(code, 0, "{errors}");
    let of_28 = began.elapsed();
    for (i, source) in pattern.iter().enumerate().skip(28) {
        let to = folder.path().join(format!("runs/main-{i:02}"));
        copy(&folder.path().join(source), &to);
        edit(&to, |record| {
            record["created"] = format!("2026-02-{:02}T10:00:00Z", i - 27).into();
            record["git_branch"] = "main".into();
        });
    }
    let began = Instant::now();
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "runs", "--out", "out"]));
    assert_eq!(code, 0, "{errors}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?} after {of_28:?}", began.elapsed());
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("out/history.json")).expect("reads"))
            .expect("JSON");
    let changes = json["groups"][0]["branches"][0]["series"][0]["changes"].as_array().expect("changes");
    assert_eq!(changes.iter().filter_map(|c| c["run"].as_u64()).collect::<Vec<_>>(), [20, 35]);
}

#[test]
fn a_run_remembers_its_branch_where_there_is_one() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, CONDITIONS, "fake:echo");
    let branch_of = |name: &str, environment: &[(&str, &str)]| -> Value {
        let mut run = command(folder.path(), &["run", "suite.toml", "--out", name, "-q"]);
        run.env("GIT_CEILING_DIRECTORIES", folder.path().parent().expect("a parent"));
        run.env_remove("GITHUB_HEAD_REF").env_remove("GITHUB_REF_NAME").envs(environment.iter().copied());
        let (code, _, errors) = outcome(&run.output().expect("vbench starts"));
        assert_eq!(code, 0, "{errors}");
        let text = std::fs::read_to_string(folder.path().join(name).join("run.json")).expect("reads");
        serde_json::from_str::<Value>(&text).expect("JSON")["git_branch"].clone()
    };
    assert_eq!(branch_of("none", &[]), Value::Null);
    assert_eq!(branch_of("ci", &[("GITHUB_HEAD_REF", ""), ("GITHUB_REF_NAME", "release")]), "release");
    let made = Command::new("git").args(["init", "-q", "-b", "topic/x"]).current_dir(folder.path()).status();
    assert!(made.is_ok_and(|s| s.success()), "git is there");
    assert_eq!(branch_of("branch", &[("GITHUB_REF_NAME", "other")]), "topic/x");
}
