//! `bench` of a speech-to-speech system of scripted stages, its misbehaviours, budgets, searches and sweeps: on the simulated
//! clock, where every figure is known beforehand.

mod common;

use std::path::Path;

use common::{corpus, outcome, vbench};
use serde_json::{Value, json};

fn bench(folder: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let mut all = vec!["bench", "-q", "--json"];
    if !arguments.contains(&"--replay") {
        // A folder takes one run.
        let _ = std::fs::remove_dir_all(folder.join("bench"));
        all.extend(["--suite", "suite.toml", "--out", "bench"]);
    }
    all.extend(arguments);
    let (code, out, errors) = outcome(&vbench(folder, &all));
    (code, serde_json::from_str(&out).unwrap_or_default(), errors)
}

/// Clips of one second with 5, 6, 7 and 8 words.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, r#"["clean"]"#, "fake:echo");
    folder
}

/// Mean and maximum of a metric.
fn times(json: &Value, metric: &str) -> (f64, f64) {
    let results = json["results"].as_array().expect("results");
    let found = results.iter().find(|r| r["metric"] == metric).unwrap_or_else(|| panic!("no {metric} in {json}"));
    (found["mean"].as_f64().expect("a mean"), found["max"].as_f64().expect("a maximum"))
}

fn close(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() < 1e-6, "{what}: {found}, scripted {wanted}");
}

#[test]
fn one_run_shows_all_that_a_user_sees_hears_and_waits_for() {
    let folder = folder();
    let paced =
        ["--scenario", "paced", "--streams", "2", "--chunk-ms", "50", "--min-count", "100", "--min-duration-s", "0"];
    let (code, json, errors) =
        bench(folder.path(), &[&["fake-pipeline:flicker=2", "--barge-in-ms", "200"][..], &paced].concat());
    assert_eq!(code, 0, "{errors}");
    for (metric, wanted) in [
        // A word for every 250 ms of sound, 5 ms of work behind the chunk that completes it.
        ("first_partial_ms", 255.0),
        ("final_text_ms", 110.0),
        ("first_token_ms", 230.0),
        ("first_audible_ms", 385.0),
        ("end_to_end_ms", 385.0),
        ("barge_in_stop_ms", 80.0),
        // The user speaks again 200 ms into the sound, and 80 ms later the turn is over.
        ("latency_ms", 665.0),
        ("lateness_ms", 0.0),
    ] {
        let (mean, max) = times(&json, metric);
        close(mean, wanted, metric);
        close(max, wanted, metric);
    }
    // Every second partial text takes a word back: 2, 3, 3 and 4 of 5, 6, 7 and 8.
    close(json["flicker"].as_f64().expect("flicker"), 12.0 / 26.0, "flicker");
    assert_eq!(json["barge_in"], json!({"stopped": 100, "ignored": 0}));
    assert_eq!((&json["sound"]["replies"], &json["sound"]["underruns"]), (&100.into(), &0.into()));
    let stages: Vec<(&str, f64)> = json["stages"]["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .map(|s| (s["name"].as_str().expect("a name"), s["contribution"]["mean"].as_f64().expect("a mean")))
        .collect();
    let wanted = [("vad", 20.0), ("asr", 90.0), ("llm", 120.0), ("tts", 100.0), ("transport", 15.0), ("lead-in", 40.0)];
    assert_eq!(stages, wanted);
    assert_eq!((&json["stages"]["turns"], &json["stages"]["impossible"]), (&100.into(), &0.into()));
    // A turn with sound ends later than its final text.
    assert!(json["boundary"].as_str().is_some_and(|b| b.contains("to the end of the turn")), "{}", json["boundary"]);
    let page = std::fs::read_to_string(folder.path().join("bench/report.html")).expect("a page");
    assert!(page.contains("latency counts from the end of speech to the end of the turn"));
    // All of it again from the trace.
    let (_, again, _) = bench(folder.path(), &["--replay", "bench/requests.jsonl"]);
    for key in ["results", "flicker", "barge_in", "sound", "stages", "bands", "trend", "counts"] {
        assert_eq!(again[key], json[key], "{key}");
    }
    // Too slow a voice: six stretches of 100 ms, one every 130.
    let (_, json, _) = bench(folder.path(), &[&["fake-pipeline:pace_ms=130"][..], &paced].concat());
    assert_eq!((&json["sound"]["with_underruns"], &json["sound"]["underruns"]), (&100.into(), &500.into()));
    close(json["sound"]["gap_ms"].as_f64().expect("a gap"), 15_000.0, "gap");
    // One that does not listen.
    let (_, json, _) =
        bench(folder.path(), &[&["fake-pipeline:stop_ms=never", "--barge-in-ms", "200"][..], &paced].concat());
    assert_eq!(json["barge_in"], json!({"stopped": 0, "ignored": 100}));
}

#[test]
fn every_scenario_drives_a_streaming_model_on_either_clock() {
    let folder = folder();
    let quick = "vad_ms=1,asr_ms=4,llm_ms=4,tts_ms=4,transport_ms=1,lead_in_ms=2,audio_ms=20,stretch_ms=10,pace_ms=2,token_ms=1,\
                 partial_ms=1";
    for scenario in ["single-stream", "multi-stream", "server", "offline", "paced"] {
        for clock in ["simulated", "real"] {
            let spec = format!("fake-pipeline:{quick},clock={clock}");
            let (code, json, errors) = bench(
                folder.path(),
                &[
                    &spec,
                    "--scenario",
                    scenario,
                    "--rate",
                    "40",
                    "--streams",
                    "2",
                    "--min-count",
                    "6",
                    "--max-count",
                    "6",
                    "--min-duration-s",
                    "0",
                    "--max-lateness-ms",
                    "5000",
                    "--warm-up",
                    "1",
                ],
            );
            assert_eq!(code, 0, "{scenario} {clock}: {errors}");
            assert_eq!(json["counts"]["answered"], 6, "{scenario} {clock}");
            let (mean, _) = times(&json, "end_to_end_ms");
            assert!(mean >= 16.0 - 1e-6, "{scenario} {clock}: {mean}");
            assert!(times(&json, "first_partial_ms").0 > 0.0, "{scenario} {clock}");
            assert_eq!(json["stages"]["impossible"], 0, "{scenario} {clock}: {}", json["stages"]);
            assert_eq!(json["resources"].is_null(), clock == "simulated");
        }
    }
}

#[test]
fn every_misbehaviour_has_its_outcome_and_the_bench_goes_on() {
    let folder = folder();
    for (fault, key, answered, code) in [
        ("hang", "timed_out", 64, 6),
        ("never", "timed_out", 64, 6),
        ("other", "strays", 64, 6),
        ("early", "impossible", 64, 6),
        ("crash", "failed", 64, 6),
        ("twice", "answered_twice", 80, 0),
        ("jump", "clock_ahead", 80, 0),
    ] {
        for scenario in ["multi-stream", "paced"] {
            let spec = format!("fake-pipeline:{fault}=5");
            let (found, json, errors) = bench(
                folder.path(),
                &[
                    &spec,
                    "--scenario",
                    scenario,
                    "--streams",
                    "2",
                    "--min-count",
                    "80",
                    "--max-count",
                    "80",
                    "--timeout-s",
                    "3",
                    "--min-duration-s",
                    "0",
                ],
            );
            assert_eq!(found, code, "{fault} {scenario}: {errors}");
            let counts = &json["counts"];
            assert_eq!(
                (&counts["requests"], &counts["answered"]),
                (&80.into(), &answered.into()),
                "{fault} {scenario}"
            );
            assert_eq!(counts[key], 16, "{fault} {scenario}: {counts}");
            // A fifth without an answer: the 90th percentile is at least the limit, and said so.
            let p90 = &json["results"][0]["percentiles"][1]["value"];
            if answered < 80 {
                assert_eq!(p90, &json!({"at_least": 3000.0}), "{fault} {scenario}");
                assert_eq!(json["results"][0]["censored"], 16, "{fault} {scenario}");
            } else {
                assert!(p90.as_f64().is_some_and(|ms| ms < 1_500.0), "{fault} {scenario}: {p90}");
            }
        }
    }
}

#[test]
fn a_stream_that_hangs_or_crashes_on_the_real_clock_is_given_up() {
    let folder = folder();
    let quick = "clock=real,vad_ms=0,asr_ms=1,llm_ms=1,tts_ms=1,audio_ms=0,tokens=1";
    for (fault, key) in [("hang", "timed_out"), ("never", "timed_out"), ("crash", "failed")] {
        let spec = format!("fake-pipeline:{quick},{fault}=3");
        let few = ["--min-count", "6", "--max-count", "6", "--timeout-s", "0.5", "--min-duration-s", "0"];
        let (code, json, errors) = bench(folder.path(), &[&[spec.as_str()][..], &few].concat());
        assert_eq!(code, 6, "{fault}: {errors}");
        assert_eq!((&json["counts"][key], &json["counts"]["answered"]), (&2.into(), &4.into()), "{fault}");
        // The warm-up survives it too: its third request is one of these.
        assert_eq!(json["warm_up"], 3);
    }
}

#[test]
fn a_model_that_slows_down_with_time_is_found() {
    let folder = folder();
    let run = ["--min-count", "400", "--min-duration-s", "0"];
    let (_, json, _) = bench(folder.path(), &[&["fake-pipeline:jitter=0.2,slower=0.001"][..], &run].concat());
    assert_eq!(json["trend"]["slows_down"], true, "{}", json["trend"]);
    assert!(json["trend"]["rise"].as_f64().is_some_and(|rise| (0.25..0.5).contains(&rise)), "{}", json["trend"]);
    let (_, json, _) = bench(folder.path(), &[&["fake-pipeline:jitter=0.2"][..], &run].concat());
    assert_eq!(json["trend"]["slows_down"], false, "{}", json["trend"]);
}

fn with_budgets(folder: &Path, budgets: &str) {
    let suite = std::fs::read_to_string(folder.join("suite.toml")).expect("the suite");
    let suite = suite.split("\n[budgets]").next().unwrap_or_default();
    std::fs::write(folder.join("suite.toml"), format!("{suite}\n[budgets]\n{budgets}\n")).expect("writes");
}

#[test]
fn budgets_decide_the_exit_code_and_the_gate_says_the_same() {
    let folder = folder();
    let good = "end_to_end = 500\nstages = { vad = 50, asr = 150, llm = { ms = 130, percentile = 99 }, tts = 200 }";
    for (budgets, count, code, verdict) in [
        (good, "600", 0, "pass"),
        ("end_to_end = 300", "100", 10, "fail"),
        ("end_to_end = 500", "20", 11, "inconclusive"),
        ("end_to_end = 500\nstages = { nosuch = 9 }", "100", 10, "fail"),
        ("end_to_end = 500\nbarge_in = 100", "100", 10, "fail"),
    ] {
        with_budgets(folder.path(), budgets);
        let (found, json, errors) =
            bench(folder.path(), &["fake-pipeline:", "--min-count", count, "--min-duration-s", "0"]);
        assert_eq!(found, code, "{budgets}: {errors}");
        let verdicts = json["budgets"].as_array().expect("budgets");
        assert!(verdicts.iter().any(|b| b["verdict"] == verdict), "{budgets}: {verdicts:?}");
        let (gated, out, errors) = outcome(&vbench(folder.path(), &["gate", "bench", "--format", "json"]));
        let out: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((gated, &out["verdict"]), (code, &verdict.into()), "{budgets}: {errors}");
        assert_eq!(out["budgets"], json["budgets"]);
    }
    // Other budgets for the same run, and a policy.
    std::fs::write(folder.path().join("strict.toml"), "[budgets]\nend_to_end = 386\n").expect("writes");
    let gate = |more: &[&str]| outcome(&vbench(folder.path(), &[&["gate", "bench"], more].concat()));
    let (code, out, _) = gate(&["--rules", "strict.toml"]);
    assert!(code == 0 && out.starts_with("pass"), "{out}");
    with_budgets(folder.path(), "end_to_end = 500");
    bench(folder.path(), &["fake-pipeline:", "--min-count", "20", "--min-duration-s", "0"]);
    assert_eq!(gate(&["--inconclusive", "pass"]).0, 0);
    assert_eq!(gate(&["--baseline", "bench"]).0, 2);
    // The budgets of a turn that ship.
    let shipped = common::root().join("suites/budgets/turns.toml");
    let shipped = shipped.to_str().expect("a path");
    let many = ["fake-pipeline:jitter=0.2", "--min-count", "300", "--min-duration-s", "0", "--budgets", shipped];
    let (code, json, errors) = bench(folder.path(), &many);
    assert_eq!((code, json["budgets"].as_array().map(Vec::len)), (0, Some(6)), "{errors}");
    with_budgets(folder.path(), "end_to_end = 0");
    let (code, _, errors) = bench(folder.path(), &["fake-pipeline:"]);
    assert!(code == 3 && errors.contains("budgets.end_to_end: expected above 0"), "{code} {errors}");
}

#[test]
fn a_search_finds_the_rate_and_keeps_its_trials() {
    let folder = folder();
    let server = ["fake:echo,delay_ms=10", "--scenario", "server", "--min-count", "1000"];
    let (code, json, errors) = bench(folder.path(), &[&server[..], &["--search", "p95=40ms", "--rate", "5"]].concat());
    assert_eq!(code, 0, "{errors}");
    let best = json["search"]["best_per_s"].as_f64().expect("a rate");
    // A server that takes 10 ms: beyond 100/s never, and 40/s surely.
    assert!(best > 40.0 && best < 100.0, "{best}");
    let trials = json["search"]["trials"].as_array().expect("trials");
    assert!(
        trials.iter().any(|t| t["verdict"] == "does not hold") && trials.last().is_some_and(|t| t["confirms"] == true)
    );
    for (i, trial) in trials.iter().enumerate() {
        let path = format!("bench/trial-{:02}.jsonl", i + 1);
        let (_, again, errors) = bench(folder.path(), &["--replay", &path]);
        assert_eq!(again["results"][0]["percentiles"], trial["latency"]["percentiles"], "{path}: {errors}");
    }
    let (code, json, _) = bench(folder.path(), &[&server[..], &["--search", "p95=5ms"]].concat());
    assert!(code == 10 && json["search"]["best_per_s"].is_null(), "{code} {}", json["search"]["ended"]);
    for (arguments, wanted) in [
        (&["fake:echo", "--search", "p99=5ms"][..], "add --scenario server"),
        (&["fake:echo", "--scenario", "server", "--search", "p98=5ms"], "p98 is none of"),
        (&["fake:echo", "--scenario", "server", "--search", "fast"], "such as p99=500ms"),
        (&["fake:echo", "--scenario", "server", "--search", "p99=0ms"], "such as p99=500ms"),
        (&["fake:echo", "--scenario", "server", "--search", "p99=90000ms"], "longer than an answer is awaited"),
    ] {
        let (code, _, errors) = bench(folder.path(), arguments);
        assert!(code == 2 && errors.contains(wanted), "{arguments:?}: {code} {errors}");
    }
}

#[test]
fn sweeps_find_the_cost_that_was_scripted() {
    let folder = folder();
    let few = ["--min-count", "120", "--min-duration-s", "0"];
    let lengths = ["fake:echo,delay_ms=40,per_s_ms=12", "--sweep-length", "0.5,1,2,5,10"];
    let (code, json, errors) = bench(folder.path(), &[&lengths[..], &few].concat());
    assert_eq!(code, 0, "{errors}");
    let points = json["sweep"]["points"].as_array().expect("points");
    let found: Vec<(f64, f64)> = points
        .iter()
        .map(|p| (p["value"].as_f64().expect("a value"), p["latency"]["mean"].as_f64().expect("a mean")))
        .collect();
    assert_eq!(found, [(0.5, 46.0), (1.0, 52.0), (2.0, 64.0), (5.0, 100.0), (10.0, 160.0)]);
    let terms = json["sweep"]["cost"]["terms"].as_array().expect("terms");
    assert_eq!((terms.len(), &json["sweep"]["cost"]["square"]), (2, &false.into()));
    close(terms[0]["value"].as_f64().expect("a"), 40.0, "a");
    close(terms[1]["value"].as_f64().expect("b"), 12.0, "b");
    let (_, json, _) =
        bench(folder.path(), &[&["fake:echo,delay_ms=40,per_s_ms=12,per_s2_ms=3"], &lengths[1..], &few].concat());
    close(json["sweep"]["cost"]["terms"][2]["value"].as_f64().expect("c"), 3.0, "c");
    // Two lengths are too few for a curve, and it says so.
    let (_, json, _) = bench(folder.path(), &[&["fake:echo,delay_ms=4", "--sweep-length", "1"], &few[..]].concat());
    assert!(
        json["sweep"]["cost"]["reason"].as_str().is_some_and(|r| r.contains("at least 2 needed")),
        "{}",
        json["sweep"]
    );
    for (spec, of_eight, told) in [
        ("fake:echo,delay_ms=40,batch_ms=5", 75.0, "the model's own"),
        ("fake:echo,delay_ms=40", 320.0, "a loop: the model has no batching of its own"),
    ] {
        let (_, json, _) = bench(folder.path(), &[&[spec, "--batch", "1,2,8"], &few[..]].concat());
        let last = &json["sweep"]["points"][2];
        assert_eq!((&last["value"], &last["latency"]["mean"]), (&8.0.into(), &of_eight.into()), "{spec}");
        assert_eq!(last["audio_s"], 8.0);
        assert_eq!(json["facts"]["batching"], told);
    }
    let (code, json, errors) =
        bench(folder.path(), &[&["fake:echo", "--threads", "1,2", "--warm-up", "0"], &few[..]].concat());
    assert_eq!((code, &json["sweep"]["parameter"]), (0, &"threads".into()), "{errors}");
    assert_eq!(json["sweep"]["points"].as_array().map(Vec::len), Some(2));
    let used = &json["resources"];
    assert!(used["threads"].as_f64().is_some_and(|n| n >= 4.0), "{used}");
    assert!(used["rss_peak_mib"].as_f64().is_some_and(|mib| mib > 1.0) && used["cpu_s"].is_number(), "{used}");
    assert!(used["allocations"]["per_request"].as_f64().is_some_and(|n| n >= 1.0), "{used}");
    for (arguments, wanted) in [
        (&["fake:echo", "--sweep-length", "0"][..], "--sweep-length: expected above 0"),
        (&["fake:echo", "--batch", "0"], "--batch: expected 1 to 1024"),
        (&["fake:echo", "--threads", "0"], "--threads: expected 1 to 1024"),
        (&["fake-pipeline:", "--batch", "2"], "for models of whole clips"),
        (&["fake:echo", "--barge-in-ms", "5"], "for models that stream"),
        (&["fake-pipeline:", "--barge-in-ms=-5"], "expected 0 to 600000 ms"),
        (&["fake:echo", "--batch", "2", "--threads", "2"], "cannot be used with"),
    ] {
        let (code, _, errors) = bench(folder.path(), arguments);
        assert!(code == 2 && errors.contains(wanted), "{arguments:?}: {code} {errors}");
    }
}

#[test]
fn a_streaming_model_transcribes_whole_clips_in_a_run() {
    let folder = folder();
    common::run(folder.path(), "run", "fake-pipeline:asr_ms=30", &[]);
    let rows = common::rows(&folder.path().join("run"));
    assert_eq!(rows.lines().filter(|l| l.contains("\"outcome\":\"ok\"")).count(), 4, "{rows}");
}
