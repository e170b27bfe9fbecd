//! `bench`: runs that end too early, options that cannot be meant, folders that are taken, searches that find nothing.

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{corpus, outcome, vbench};
use serde_json::Value;

fn bench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    outcome(&vbench(folder, &[&["bench", "--suite", "suite.toml", "-q"], arguments].concat()))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, r#"["clean"]"#, "fake:echo");
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&read(folder, name)).expect("JSON")
}

/// The check of a summary.json by its name.
fn check<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let all = summary["checks"].as_array().expect("checks");
    all.iter().find(|c| c["check"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}"))
}

#[test]
fn a_search_makes_as_many_requests_as_its_percentile_needs() {
    let folder = folder();
    let server = ["fake:echo,delay_ms=40", "--scenario", "server", "--json"];
    for (goal, needed, out) in [("p95=2000ms", 72, "p95"), ("p99=500ms", 368, "p99")] {
        let (code, text, errors) = bench(folder.path(), &[&server[..], &["--search", goal, "--out", out]].concat());
        assert_eq!(code, 0, "{errors}");
        let found: Value = serde_json::from_str(&text).expect("JSON");
        assert!(
            found["search"]["best_per_s"].as_f64().is_some_and(|hz| hz > 10.0 && hz < 25.0 * 1.05),
            "{}",
            found["search"]
        );
        let trials = found["search"]["trials"].as_array().expect("trials");
        assert!(trials.iter().all(|t| t["requests"].as_u64().is_some_and(|n| n >= needed)), "{trials:?}");
    }
    for (option, count) in [("--min-count", "71"), ("--max-count", "70")] {
        let (code, _, errors) =
            bench(folder.path(), &[&server[..], &["--search", "p95=2000ms", option, count, "--out", "x"]].concat());
        assert!(code == 2 && errors.contains("p95 needs 72") && errors.contains(option), "{code} {errors}");
    }
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    let folder = folder();
    for (arguments, wanted) in [
        (&["--max-lateness-ms", "nan"][..], "--max-lateness-ms"),
        (&["--max-lateness-ms=-5"], "--max-lateness-ms"),
        (&["--min-duration-s", "nan", "--min-count", "9"], "--min-duration-s"),
        (&["--min-duration-s=-5", "--min-count", "9"], "--min-duration-s"),
        (&["--min-duration-s", "inf"], "--min-duration-s"),
        (&["--timeout-s", "nan"], "--timeout-s"),
        (&["--timeout-s", "inf"], "--timeout-s"),
        // Nothing says when it would be enough.
        (&["--min-duration-s", "0"], "--min-count"),
        (&["--min-duration-s", "0", "--min-count", "0"], "--min-count"),
    ] {
        let (code, _, errors) = bench(folder.path(), &[&["fake:echo", "--out", "x"][..], arguments].concat());
        assert!(code == 2 && errors.contains(wanted), "{arguments:?}: {code} {errors}");
        assert!(!folder.path().join("x").exists(), "{arguments:?}");
    }
}

#[test]
fn a_run_that_the_greatest_count_ends_is_not_long_enough() {
    let folder = folder();
    let formats = ["--format", "html,json,junit"];
    for (arguments, out) in [
        (&["fake:echo,delay_ms=1", "--max-count", "1000"][..], "single"),
        (&["fake:echo,delay_ms=1", "--scenario", "server", "--rate", "100", "--max-count", "200"], "server"),
    ] {
        let (code, text, errors) = bench(folder.path(), &[arguments, &formats, &["--out", out]].concat());
        assert_eq!(code, 0, "{errors}");
        assert!(text.contains("TOO SHORT") && text.contains("--max-count"), "{text}");
        let found = json(folder.path(), &format!("{out}/summary.json"));
        assert_eq!(check(&found, "long enough")["state"], "failed", "{out}");
        let junit = read(folder.path(), &format!("{out}/junit.xml"));
        let case = junit.split("<testcase").find(|c| c.contains("long enough")).expect("a case");
        assert!(case.contains("<failure"), "{case}");
        assert!(read(folder.path(), &format!("{out}/report.html")).contains("doubtful"), "{out}");
    }
    let all = ["fake:echo,delay_ms=1", "--max-count", "10000", "--out", "enough"];
    let (_, text, _) = bench(folder.path(), &[&all[..], &formats].concat());
    assert!(!text.contains("TOO SHORT"), "{text}");
    assert_eq!(check(&json(folder.path(), "enough/summary.json"), "long enough")["state"], "passed");
}

#[test]
fn a_folder_that_holds_a_run_is_not_written_to() {
    let folder = folder();
    let f = folder.path();
    let quick = ["--min-count", "8", "--min-duration-s", "0", "--out"];
    let one = |out: &str| bench(f, &[&["fake:echo,delay_ms=4"][..], &quick, &[out]].concat());
    let two = |out: &str| {
        bench(f, &[&["fake:echo,delay_ms=4", "--against", "fake:echo,delay_ms=4"][..], &quick, &[out]].concat())
    };
    common::run(f, "run", "fake:echo", &[]);
    assert_eq!((one("one").0, two("two").0), (0, 11));
    for taken in ["run", "one", "two"] {
        let before: Vec<String> = ["run.json", "bench.json", "against.json", "report.html"]
            .iter()
            .map(|name| std::fs::read_to_string(f.join(taken).join(name)).unwrap_or_default())
            .collect();
        for (code, _, errors) in [one(taken), two(taken)] {
            assert!(code == 8 && errors.contains("choose another --out"), "{taken}: {code} {errors}");
        }
        for (name, before) in ["run.json", "bench.json", "against.json", "report.html"].iter().zip(before) {
            let now = std::fs::read_to_string(f.join(taken).join(name)).unwrap_or_default();
            assert!(now == before, "{taken}/{name} changed");
        }
    }
    // A search that was cut off leaves its trials.
    std::fs::create_dir(f.join("cut")).expect("creates");
    std::fs::write(f.join("cut/trial-01.jsonl"), "").expect("writes");
    assert_eq!(one("cut").0, 8);
    // What is not a run may stand there.
    std::fs::create_dir(f.join("notes")).expect("creates");
    std::fs::write(f.join("notes/README"), "mine").expect("writes");
    assert_eq!(one("notes").0, 0);
    let (code, _, errors) = outcome(&vbench(f, &["run", "suite.toml", "--out", "one", "-q"]));
    assert!(code == 8 && errors.contains("choose another --out"), "{code} {errors}");
}

#[test]
fn a_search_that_finds_nothing_says_so_everywhere() {
    let folder = folder();
    let search = ["fake:echo,delay_ms=10", "--scenario", "server", "--search", "p95=5ms", "--out", "s"];
    let (code, _, errors) = bench(folder.path(), &[&search[..], &["--format", "html,json,junit"]].concat());
    assert_eq!(code, 10, "{errors}");
    let page = read(folder.path(), "s/report.html").replace("&#x2f;", "/");
    assert!(page.contains("No rate is confirmed") && page.contains("1/4096"), "the page does not say it");
    assert_eq!(check(&json(folder.path(), "s/summary.json"), "a rate holds")["state"], "failed");
    let junit = read(folder.path(), "s/junit.xml");
    let case = junit.split("<testcase").find(|c| c.contains("a rate holds")).expect("a case");
    assert!(case.contains("<failure"), "{case}");
    let search = ["fake:echo,delay_ms=10", "--scenario", "server", "--search", "p95=500ms", "--out", "t"];
    let (code, _, errors) = bench(folder.path(), &[&search[..], &["--format", "html,json,junit"]].concat());
    assert_eq!(code, 0, "{errors}");
    assert_eq!(check(&json(folder.path(), "t/summary.json"), "a rate holds")["state"], "passed");
    assert!(read(folder.path(), "t/report.html").contains("requests a second, confirmed"));
}

#[test]
fn a_void_run_replays_as_void_and_what_a_replay_ignores_is_refused() {
    let folder = folder();
    let server = ["--scenario", "server", "--rate", "200", "--min-duration-s", "0", "--min-count", "64", "--out", "v"];
    let (code, _, errors) = bench(folder.path(), &[&["fake:echo", "--max-lateness-ms", "0"][..], &server].concat());
    assert_eq!(code, 6, "{errors}");
    let replay =
        |more: &[&str]| outcome(&vbench(folder.path(), &[&["bench", "--replay", "v/requests.jsonl"], more].concat()));
    let (code, text, errors) = replay(&[]);
    assert!(code == 6 && text.contains("VOID"), "{code} {text} {errors}");
    let (code, text, errors) = replay(&["--json"]);
    let again: Value = serde_json::from_str(&text).expect("JSON");
    assert!(code == 6 && again["max_lateness_ms"] == 0.0 && again["voided"].is_string(), "{again} {errors}");
    // Another bound may be asked for.
    assert_eq!(replay(&["--max-lateness-ms", "60000"]).0, 0);
    for ignored in [
        &["--out", "x"][..],
        &["--format", "md"],
        &["--scenario", "server"],
        &["--search", "p50=5ms"],
        &["--rate", "3"],
        &["--suite", "suite.toml"],
        &["--seed", "1"],
        &["--workers", "1"],
    ] {
        let (code, _, errors) = replay(ignored);
        assert!(code == 2 && errors.contains("cannot be used with"), "{ignored:?}: {code} {errors}");
    }
}

#[test]
fn a_sweep_is_of_service_times_only() {
    let folder = folder();
    let few = ["--min-count", "24", "--min-duration-s", "0", "--out"];
    for sweep in [["--sweep-length", "0.5,1"], ["--batch", "1,2"], ["--threads", "1,2"]] {
        for (i, scenario) in [
            &["--scenario", "offline"][..],
            &["--scenario", "multi-stream", "--streams", "2"],
            &["--scenario", "server"],
            &["--scenario", "server", "--search", "p50=500ms"],
        ]
        .into_iter()
        .enumerate()
        {
            let out = format!("{}{i}", sweep[0].trim_start_matches('-'));
            let (code, _, errors) =
                bench(folder.path(), &[&["fake:echo,delay_ms=4"], &sweep[..], scenario, &few, &[&out]].concat());
            assert!(code == 2 && errors.contains("single-stream"), "{sweep:?} {scenario:?}: {code} {errors}");
        }
    }
    // One size is no sweep.
    let (code, _, errors) = bench(
        folder.path(),
        &[&["fake:echo,delay_ms=4", "--batch", "2", "--scenario", "offline"][..], &few, &["b"]].concat(),
    );
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn a_folder_that_cannot_be_made_is_found_before_anything_is_measured() {
    let folder = folder();
    std::fs::write(folder.path().join("ff"), "a file").expect("writes");
    let began = Instant::now();
    for model in [&["fake-pipeline:clock=real"][..], &["fake:echo", "--against", "fake:echo"]] {
        let (code, _, errors) = bench(folder.path(), &[model, &["--out", "ff/x"]].concat());
        assert!(code == 8 && errors.contains("ff/x"), "{code} {errors}");
    }
    // Ten seconds were asked for.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

/// Starts a bench of a minute, interrupts it when its requests are under way, and says how it ended.
#[cfg(unix)]
fn interrupted(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let all = [&["bench", "--suite", "suite.toml", "-q", "--min-duration-s", "60"], arguments].concat();
    let child = common::command(folder, &all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    std::thread::sleep(Duration::from_secs(4));
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    outcome(&child.wait_with_output().expect("ends"))
}

#[cfg(unix)]
#[test]
fn an_interrupted_bench_leaves_what_there_is_as_incomplete() {
    let folder = folder();
    let real = "fake-pipeline:clock=real";
    let began = Instant::now();
    let (code, text, errors) = interrupted(folder.path(), &[real, "--out", "one"]);
    assert!(code == 6 && errors.contains("interrupted"), "{code} {text} {errors}");
    let found = json(folder.path(), "one/bench.json");
    assert!(found["counts"]["answered"].as_u64().is_some_and(|n| n > 0), "{}", found["counts"]);
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "one", "--format", "json"]));
    assert_eq!(code, 6, "{errors}");
    assert_eq!(check(&json(folder.path(), "one/summary.json"), "long enough")["state"], "failed");
    let search = [real, "--scenario", "server", "--search", "p50=5000ms", "--out", "search"];
    let (code, text, errors) = interrupted(folder.path(), &search);
    assert!(code == 6 && text.contains("interrupted"), "{code} {text} {errors}");
    assert!(folder.path().join("search/report.html").exists());
    let (code, text, errors) = interrupted(folder.path(), &[real, "--against", real, "--out", "two"]);
    assert!(code == 6 && errors.contains("interrupted"), "{code} {text} {errors}");
    assert_eq!(json(folder.path(), "two/against.json")["verdict"], "inconclusive");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn commands_for_accuracy_say_what_a_bench_is_for() {
    let folder = folder();
    let f = folder.path();
    let quick = ["--min-count", "8", "--min-duration-s", "0", "--out"];
    bench(f, &[&["fake:echo,delay_ms=4"][..], &quick, &["one"]].concat());
    bench(f, &[&["fake:echo,delay_ms=4", "--against", "fake:echo,delay_ms=4"][..], &quick, &["two"]].concat());
    common::run(f, "run", "fake:echo", &[]);
    for arguments in [
        &["compare", "one", "one"][..],
        &["compare", "run", "one"],
        &["compare", "two", "run"],
        &["compare", "two", "--a", "x", "--b", "y"],
        &["gate", "two"],
    ] {
        let (code, _, errors) = outcome(&vbench(f, arguments));
        assert!(
            code == 2 && errors.contains("vbench bench A --against B") && !errors.contains("run.json"),
            "{arguments:?}: {code} {errors}"
        );
    }
}

#[test]
fn an_audit_of_one_clip_prints_numbers() {
    let folder = folder();
    for format in ["text", "junit", "json"] {
        let (_, out, errors) = outcome(&vbench(
            folder.path(),
            &["audit", "fake:echo", "--suite", "suite.toml", "-q", "--limit", "1", "--format", format],
        ));
        assert!(!out.contains("NaN") && !out.is_empty(), "{out} {errors}");
    }
}
