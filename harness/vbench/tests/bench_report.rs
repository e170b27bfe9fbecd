//! Reports of bench runs: every format from what lies in the folder, and the history of their latency.

mod common;

use std::path::Path;

use common::{corpus, outcome, vbench};
use serde_json::Value;

fn bench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    outcome(&vbench(folder, &[&["bench", "--suite", "suite.toml", "-q"], arguments].concat()))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:echo");
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

/// The page with its escapes undone, as far as the tests look for them.
fn page(folder: &Path, run: &str) -> String {
    read(folder, &format!("{run}/report.html")).replace("&#x2f;", "/")
}

const PIPELINE: [&str; 9] = [
    "fake-pipeline:jitter=0.2,flicker=3",
    "--scenario",
    "paced",
    "--chunk-ms",
    "100",
    "--barge-in-ms",
    "200",
    "--min-count",
    "400",
];

#[test]
fn every_format_of_a_bench_is_made_of_its_folder() {
    let folder = folder();
    let budgets = "[budgets]\npercentile = 90\nend_to_end = 500\nstages = { asr = 150, llm = 60 }\n";
    std::fs::write(folder.path().join("budgets.toml"), budgets).expect("writes");
    let (code, _, errors) =
        bench(folder.path(), &[&PIPELINE[..], &["--budgets", "budgets.toml", "--out", "b"]].concat());
    assert_eq!(code, 10, "{errors}");
    let first = page(folder.path(), "b");
    for wanted in [
        "over budget",
        "1 of 3 budgets",
        "stage-waterfall",
        "latency-cdf",
        "latency-over-time",
        "Flicker",
        "Barge-in",
        "How long users waited",
    ] {
        assert!(first.contains(wanted), "{wanted}");
    }
    let all = "html,md,json,csv,junit,png,svg,github";
    let (code, out, errors) = outcome(&vbench(folder.path(), &["report", "b", "--format", all]));
    assert_eq!(code, 10, "the outcome is the run's: {errors}");
    assert_eq!(page(folder.path(), "b"), first, "the same bytes from the folder alone");
    assert!(out.contains("::error title=vbench budget%3A llm"), "{out}");
    let junit = read(folder.path(), "b/junit.xml");
    assert!(
        junit.contains("name=\"budget: llm, p90 of at most 60 ms\"") && junit.contains("failures=\"1\""),
        "{junit}"
    );
    let (markdown, summary) = (read(folder.path(), "b/report.md"), read(folder.path(), "b/step-summary.md"));
    assert!(markdown.contains("figures/stage-waterfall.svg") && !summary.contains("figures/"), "{summary}");
    let mut figures: Vec<String> = std::fs::read_dir(folder.path().join("b/figures"))
        .expect("figures")
        .map(|f| f.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    figures.sort();
    let names = [
        "budgets",
        "latency-cdf",
        "latency-histogram",
        "latency-over-time",
        "latency-percentiles",
        "stage-waterfall",
        "waits",
    ];
    let wanted: Vec<String> = names.iter().flat_map(|n| [format!("{n}.png"), format!("{n}.svg")]).collect();
    assert_eq!(figures, wanted);
    let csv = read(folder.path(), "b/requests.csv");
    let lines: Vec<Vec<&str>> = csv.lines().map(|l| l.trim_end().split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0][6], lines[1][5]), (401, "latency_ms", "answered"));
    // The numbers of today's rules are those that the run wrote.
    let (mut a, mut b): (Value, Value) = (
        serde_json::from_str(&read(folder.path(), "b/bench.json")).expect("JSON"),
        serde_json::from_str(&read(folder.path(), "b/summary.json")).expect("JSON"),
    );
    assert!(b["checks"].as_array().is_some_and(|c| c.len() >= 8), "{}", b["checks"]);
    b.as_object_mut().expect("an object").remove("checks");
    assert_eq!(a.as_object_mut().map(|a| a.len()), b.as_object().map(serde_json::Map::len));
    assert_eq!(a, b);
}

#[test]
fn a_search_and_sweeps_have_their_figures() {
    let folder = folder();
    let search = ["fake:echo,delay_ms=40", "--scenario", "server", "--rate", "10", "--search", "p95=200ms"];
    let (code, _, errors) = bench(folder.path(), &[&search[..], &["--min-duration-s", "20", "--out", "s"]].concat());
    assert_eq!(code, 0, "{errors}");
    let html = page(folder.path(), "s");
    assert!(html.contains("Latency under load") && html.contains("largest rate that holds"));
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "s"]));
    assert_eq!((code, page(folder.path(), "s") == html), (0, true), "{errors}");
    for (arguments, wanted) in [
        (["--sweep-length", "0.25,0.5,1"], "Time by length of the audio"),
        (["--batch", "1,2,4"], "Time by size of the batch"),
    ] {
        let _ = std::fs::remove_dir_all(folder.path().join("w"));
        let (code, _, errors) = bench(
            folder.path(),
            &[&["fake:echo,delay_ms=40", "--min-duration-s", "0", "--min-count", "200", "--out", "w"][..], &arguments]
                .concat(),
        );
        assert_eq!(code, 0, "{errors}");
        let html = page(folder.path(), "w");
        assert!(html.contains(wanted), "{wanted}");
        let (_, _, errors) = outcome(&vbench(folder.path(), &["report", "w"]));
        assert!(page(folder.path(), "w") == html, "{errors}");
    }
}

#[test]
fn what_makes_a_run_doubtful_stands_at_the_top() {
    let folder = folder();
    let server =
        ["--scenario", "server", "--rate", "200", "--min-duration-s", "0", "--min-count", "64", "--out", "void"];
    let (code, _, errors) = bench(folder.path(), &[&["fake:echo", "--max-lateness-ms", "0"][..], &server].concat());
    assert_eq!(code, 6, "{errors}");
    let html = page(folder.path(), "void");
    assert!(html.contains("This run does not count") && html.contains("<b>Void</b>"));
    let few = ["--min-count", "8", "--min-duration-s", "0", "--out", "f"];
    let (code, _, errors) = bench(folder.path(), &[&["fake:echo,fail=u1"][..], &few].concat());
    assert_eq!(code, 6, "{errors}");
    let html = page(folder.path(), "f");
    assert!(html.contains("incomplete") && html.contains("Coverage 87.50 %") && html.contains("needs 368"));
    let misbehaves = [
        "fake-pipeline:other=4,twice=5,jump=6,never=7",
        "--timeout-s",
        "2",
        "--min-count",
        "84",
        "--min-duration-s",
        "0",
        "--out",
        "m",
    ];
    let (code, _, errors) = bench(folder.path(), &misbehaves);
    assert_eq!(code, 6, "{errors}");
    let (_, _, _) = outcome(&vbench(folder.path(), &["report", "m", "--format", "junit,html"]));
    let junit = read(folder.path(), "m/junit.xml");
    for name in ["every request was answered", "one answer each", "no reply to nobody"] {
        let case = junit.split("<testcase").find(|c| c.contains(name)).expect(name);
        assert!(case.contains("<failure"), "{case}");
    }
}

#[test]
fn names_are_text_and_damaged_runs_are_told() {
    let folder = folder();
    let model = "fake:echo,delay_ms=4,fail=<script>alert(1)</script>&\"'::error::x";
    let (code, _, errors) = bench(
        folder.path(),
        &[model, "--min-duration-s", "0", "--min-count", "64", "--out", "b", "--format", "html,md,junit,csv"],
    );
    assert_eq!(code, 0, "{errors}");
    assert!(!page(folder.path(), "b").contains("<script>alert"));
    assert!(!read(folder.path(), "b/report.md").contains("<script>"));
    assert!(!read(folder.path(), "b/junit.xml").contains("<script>"));
    let (code, out, _) = outcome(&vbench(folder.path(), &["report", "b", "--format", "github"]));
    assert_eq!(code, 0);
    let token = out.lines().next().and_then(|l| l.strip_prefix("::stop-commands::")).expect("commands stop");
    let behind = out.split(&format!("::{token}::")).last().expect("annotations");
    assert!(
        behind
            .lines()
            .all(|l| l.is_empty()
                || ["::error title", "::warning title", "::notice title"].iter().any(|c| l.starts_with(c))),
        "{behind}"
    );
    for (file, text, wanted) in [
        ("requests.jsonl", "{}", "requests.jsonl"),
        ("bench.json", r#"{"schema":"vbench/bench/9"}"#, "vbench/bench/9"),
        ("bench.json", "not JSON", "bench.json"),
    ] {
        std::fs::write(folder.path().join("b").join(file), text).expect("writes");
        let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "b"]));
        assert!(code == 7 && errors.contains(wanted), "{file}: {code} {errors}");
    }
    std::fs::remove_file(folder.path().join("b/requests.jsonl")).expect("removes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "b"]));
    assert_eq!(code, 7, "{errors}");
}

fn dated(folder: &Path, run: &str, day: usize) {
    let path = folder.join(run).join("bench.json");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("reads")).expect("JSON");
    document["run"]["created"] = format!("2026-01-{day:02}T10:00:00Z").into();
    document["run"]["git_branch"] = "main".into();
    document["run"]["git_commit"] = format!("{day:040x}").into();
    std::fs::write(path, document.to_string()).expect("writes");
}

#[test]
fn runs_of_other_settings_are_never_one_history() {
    let folder = folder();
    let f = folder.path();
    std::fs::create_dir(f.join("other")).expect("creates");
    corpus(&f.join("other"), 6, r#"["clean"]"#, "fake:drop=2");
    // The same name and as many clips, other words.
    let texts = read(f, "other/manifest.jsonl").replace("\"text\":\"", "\"text\":\"well ");
    std::fs::write(f.join("other/manifest.jsonl"), texts).expect("writes");
    let whole = "fake:echo,delay_ms=40";
    let talks = "fake-pipeline:";
    let settings: [(&str, &[&str]); 9] = [
        (whole, &[]),
        (whole, &["--workers", "2"]),
        (whole, &["--batch", "2"]),
        (whole, &["--threads", "1"]),
        (whole, &["--sweep-length", "0.5"]),
        (whole, &["--limit", "3"]),
        (whole, &["--suite", "other/suite.toml"]),
        (talks, &[]),
        (talks, &["--barge-in-ms", "200"]),
    ];
    for (i, (model, setting)) in settings.iter().enumerate() {
        for again in 0..2 {
            let (run, seed) = (format!("runs/{i}-{again}"), again.to_string());
            let mut all = vec!["bench", model, "-q", "--min-duration-s", "0", "--min-count", "40"];
            all.extend(["--seed", &seed, "--out", &run]);
            if !setting.contains(&"--suite") {
                all.extend(["--suite", "suite.toml"]);
            }
            all.extend(*setting);
            let (code, _, errors) = outcome(&vbench(f, &all));
            assert_eq!(code, 0, "{setting:?}: {errors}");
            dated(f, &run, 1 + 2 * i + again);
        }
    }
    let (code, _, errors) = outcome(&vbench(f, &["report", "runs"]));
    assert_eq!(code, 0, "{errors}");
    let json: Value = serde_json::from_str(&read(f, "runs/history.json")).expect("JSON");
    let benches = json["benches"].as_array().expect("benches");
    let told: Vec<String> = benches.iter().map(|b| format!("{}: {}", b["setting"], b["runs"])).collect();
    assert_eq!(benches.len(), settings.len(), "{told:#?}");
    assert!(benches.iter().all(|b| b["runs"].as_array().is_some_and(|r| r.len() == 2)), "{told:#?}");
    // A session of two models says the same of its lanes.
    let (code, _, errors) = bench(f, &[whole, "--against", "fake:echo,delay_ms=40", "--out", "ab"]);
    assert_eq!(code, 0, "{errors}");
    let against: Value = serde_json::from_str(&read(f, "ab/against.json")).expect("JSON");
    for lane in ["a", "b"] {
        let facts = &against["facts"][lane];
        assert_eq!(
            (&facts["workers"], &facts["condition"], &facts["clips"]),
            (&"1".into(), &"clean".into(), &"6".into())
        );
        assert!(facts["suite"].is_string() && facts["clips_sha256"].as_str().is_some_and(|s| s.len() == 64), "{facts}");
    }
}

#[test]
fn the_history_shows_latency_and_where_it_shifted() {
    let folder = folder();
    let f = folder.path();
    for day in 1..=12 {
        // A tenth slower from the seventh day on, with other noise every day.
        let spec = if day < 7 { "fake-pipeline:jitter=0.1" } else { "fake-pipeline:jitter=0.1,llm_ms=170" };
        let (run, seed) = (format!("runs/{day:02}"), day.to_string());
        let (code, _, errors) =
            bench(f, &[spec, "--min-duration-s", "0", "--min-count", "80", "--seed", &seed, "--out", &run]);
        assert_eq!(code, 0, "{errors}");
        dated(f, &run, day);
        let path = f.join(&run).join("bench.json");
        std::fs::write(&path, read(f, &format!("{run}/bench.json")).replace(spec, "model")).expect("writes");
    }
    let (code, out, errors) = outcome(&vbench(f, &["report", "runs"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("latency of model, branch main") && out.contains("since 07"), "{out}");
    let json: Value = serde_json::from_str(&read(f, "runs/history.json")).expect("JSON");
    let benches = json["benches"].as_array().expect("benches");
    assert_eq!(benches.len(), 1);
    let shifts = benches[0]["shifts"].as_array().expect("shifts");
    assert!(shifts.len() == 1 && shifts[0]["run"] == 6, "{shifts:?}");
    assert_eq!(benches[0]["percentiles"][0]["points"].as_array().map(Vec::len), Some(12));
    let html = read(f, "runs/history.html").replace("&#x2f;", "/");
    assert!(html.contains("Latency over time") && html.contains("slower") && html.contains("07/report.html"), "{html}");
    assert!(f.join("runs/figures/history-latency-1.svg").exists());
    // Too few runs for a shift: said so.
    for day in 1..=6 {
        std::fs::remove_dir_all(f.join(format!("runs/{day:02}"))).expect("removes");
    }
    let (_, out, _) = outcome(&vbench(f, &["report", "runs"]));
    assert!(out.contains("No shifts are looked for"), "{out}");
}
