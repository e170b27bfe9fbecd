//! `bench`: what the simulated clock makes exact, traces, and plans that cannot be followed.

mod common;

use std::path::Path;

use common::{corpus, outcome, vbench};
use serde_json::Value;

fn bench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let suite: &[&str] = if arguments.contains(&"--replay") { &[] } else { &["--suite", "suite.toml"] };
    outcome(&vbench(folder, &[&["bench", "-q"], suite, arguments].concat()))
}

fn numbers(folder: &Path, arguments: &[&str]) -> Value {
    // A folder takes one run.
    let _ = std::fs::remove_dir_all(folder.join("bench"));
    let (code, out, errors) = bench(folder, &[arguments, &["--json", "--out", "bench"]].concat());
    assert_eq!(code, 0, "{errors}");
    serde_json::from_str(&out).expect("JSON")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, r#"["clean"]"#, "fake:echo");
    folder
}

#[test]
fn one_request_at_a_time_takes_what_the_model_takes() {
    let folder = folder();
    let json = numbers(folder.path(), &["fake:echo,delay_ms=40", "--min-count", "400"]);
    assert_eq!((&json["schema"], &json["closed_loop"]), (&"vbench/bench/1".into(), &true.into()));
    let latency = &json["results"][0];
    assert_eq!((&latency["mean"], &latency["max"]), (&40.0.into(), &40.0.into()));
    for (percentile, wanted) in
        latency["percentiles"].as_array().expect("percentiles").iter().zip([50.0, 90.0, 95.0, 99.0])
    {
        assert_eq!((&percentile["percentile"], &percentile["value"]), (&wanted.into(), &40.0.into()));
    }
    // At least 10 s and at least 400: both.
    assert_eq!(json["counts"]["requests"], 400);
    assert!((json["wall_s"].as_f64().expect("a number") - 16.0).abs() < 1e-9);
    assert!((json["answered_per_s"].as_f64().expect("a number") - 25.0).abs() < 1e-9);
}

/// Pollaczek and Khinchine: with Poisson arrivals and a fixed service time s at utilisation r the mean wait is r s / (2 (1 - r)).
#[test]
fn a_server_queues_as_theory_says() {
    let folder = folder();
    let json = numbers(
        folder.path(),
        &["fake:echo,delay_ms=40", "--scenario", "server", "--rate", "15", "--min-duration-s", "20000"],
    );
    let mean = json["results"][0]["mean"].as_f64().expect("a number");
    let wanted = 40.0 + 0.6 * 40.0 / (2.0 * 0.4);
    assert!((mean / wanted - 1.0).abs() < 0.02, "mean {mean}, theory {wanted}");
    assert!(json["voided"].is_null() && json["rtf"].is_null());
}

#[test]
fn a_replay_gives_the_same_numbers_and_one_seed_the_same_trace() {
    let folder = folder();
    let scenario =
        ["fake:echo,delay_ms=7", "--scenario", "paced", "--streams", "3", "--chunk-ms", "30", "--min-duration-s", "60"];
    let first = numbers(folder.path(), &scenario);
    let trace = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    let requests = trace("bench/requests.jsonl");
    let (code, out, errors) = bench(folder.path(), &["--replay", "bench/requests.jsonl", "--json"]);
    assert_eq!(code, 0, "{errors}");
    let again: Value = serde_json::from_str(&out).expect("JSON");
    for key in ["results", "counts", "rtfx", "offered_per_s", "wall_s", "scenario"] {
        assert_eq!(first[key], again[key], "{key}");
    }
    // Made at another time, and otherwise the same.
    let (mut first, mut second) = (first, numbers(folder.path(), &scenario));
    (first["run"], second["run"]) = (Value::Null, Value::Null);
    assert_eq!(second, first);
    assert_eq!(trace("bench/requests.jsonl"), requests);
    let browser: Value = serde_json::from_str(&trace("bench/trace.json")).expect("JSON");
    assert!(browser["traceEvents"].as_array().is_some_and(|e| e.len() >= requests.lines().count() - 1));
    std::fs::write(folder.path().join("newer.jsonl"), requests.replace("trace/1", "trace/9")).expect("writes");
    let (code, _, errors) = bench(folder.path(), &["--replay", "newer.jsonl"]);
    assert_eq!(code, 7, "{errors}");
    let (code, _, errors) = bench(folder.path(), &["--replay", "absent.jsonl"]);
    assert!(code == 9 && errors.contains("absent.jsonl"), "{code} {errors}");
}

#[test]
fn requests_without_an_answer_bound_the_tail_and_end_the_bench_with_6() {
    let folder = folder();
    // Twice what one worker can do: sooner or later everybody waits longer than a second.
    let overload = ["fake:echo,delay_ms=100", "--scenario", "server", "--rate", "20", "--timeout-s", "1", "--out"];
    let (code, out, errors) = bench(folder.path(), &[&overload[..], &["b", "--json"]].concat());
    assert_eq!(code, 6, "{errors}");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let counts = &json["counts"];
    assert!(counts["timed_out"].as_u64().is_some_and(|n| n > 0), "{counts}");
    assert_eq!(json["results"][0]["percentiles"][1]["value"], serde_json::json!({"at_least": 1000.0}));
    let (_, text, _) = bench(folder.path(), &[&overload[..], &["text"]].concat());
    assert!(text.contains("without an answer in time") && text.contains("≥ 1000"), "{text}");
}

#[test]
fn a_model_that_fails_is_counted_and_the_bench_goes_on() {
    let folder = folder();
    let few = ["--min-count", "8", "--min-duration-s", "0", "--out", "b"];
    let (code, out, errors) = bench(folder.path(), &[&["fake:echo,fail=u1"][..], &few, &["--json"]].concat());
    assert_eq!(code, 6, "{errors}");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&json["counts"]["requests"], &json["counts"]["failed"]), (&8.into(), &2.into()));
}

#[test]
fn why_requests_failed_is_said_on_terminal_page_and_junit() {
    let folder = folder();
    let few =
        ["fake:echo,fail=u1", "--min-count", "8", "--min-duration-s", "0", "--out", "b", "--format", "html,junit"];
    let (code, text, errors) = bench(folder.path(), &few);
    assert_eq!(code, 6, "{errors}");
    let document = std::fs::read_to_string(folder.path().join("b/bench.json")).expect("reads");
    let json: Value = serde_json::from_str(&document).expect("JSON");
    let failures = json["failures"].as_array().expect("failures");
    assert_eq!((failures.len(), &failures[0]["count"]), (1, &2.into()), "{failures:?}");
    let reason = failures[0]["reason"].as_str().filter(|r| !r.is_empty()).expect("a reason");
    let wanted = format!("2 times: {reason}");
    assert!(text.contains(&wanted), "{wanted}: {text}");
    // What pages escape stands behind the first words.
    let begins: String = wanted.chars().take_while(|c| *c != '`').collect();
    assert!(begins.len() > 12, "{begins}");
    for name in ["report.html", "junit.xml"] {
        let file = std::fs::read_to_string(folder.path().join("b").join(name)).expect("reads");
        assert!(file.contains(&begins), "{begins} in {name}");
    }
    let (code, _, errors) = bench(folder.path(), &["--replay", "b/requests.jsonl"]);
    assert_eq!(code, 6, "{errors}");
}

#[test]
fn transcripts_made_elsewhere_cannot_be_timed() {
    let folder = folder();
    std::fs::write(folder.path().join("h.jsonl"), "{\"id\":\"u0\",\"hyp\":\"one\"}\n").expect("writes");
    let (code, _, errors) = bench(folder.path(), &["hypotheses:h.jsonl", "--out", "b"]);
    assert!(code == 2 && errors.contains("made elsewhere"), "{code} {errors}");
    assert!(!folder.path().join("b").exists());
}

#[test]
fn plans_that_cannot_be_followed_are_refused_before_anything_is_done() {
    let folder = folder();
    for (arguments, wanted) in [
        (&["fake:echo", "--scenario", "server", "--rate", "0"][..], "the rate, requests/s is 0"),
        (&["fake:echo", "--min-count", "0"], "the least number of requests is 0"),
        (&["fake:echo", "--timeout-s", "0"], "the time limit of a request, s is 0"),
        (&["fake:echo", "--scenario", "paced", "--chunk-ms", "50000"], "longer than the shortest clip"),
        (&["fake:echo", "--scenario", "multi-stream", "--streams", "0"], "the number of streams is 0"),
    ] {
        let (code, _, errors) = bench(folder.path(), arguments);
        assert!(code == 2 && errors.contains(wanted), "{arguments:?}: {code} {errors}");
    }
    let (code, _, errors) = bench(folder.path(), &["fake:echo", "--condition", "nosuch"]);
    assert!(code != 0 && errors.contains("nosuch"), "{errors}");
    let (code, _, errors) = bench(folder.path(), &["whispr:x"]);
    assert!(code == 2 || code == 3, "{code} {errors}");
}
