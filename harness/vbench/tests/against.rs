//! `bench A --against B`: what is slower is found and confirmed, what is equal passes, noise decides nothing.

mod common;

use std::path::Path;

use common::{corpus, outcome, vbench};
use serde_json::Value;

fn against(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let few: &[&str] = if arguments.contains(&"--min-duration-s") { &[] } else { &["--min-duration-s", "0"] };
    let suite = ["--suite", "suite.toml", "-q", "--min-count", "24"];
    outcome(&vbench(folder, &[&["bench"], arguments, &suite, few].concat()))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, r#"["clean"]"#, "fake:echo");
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

#[test]
fn ten_percent_slower_is_found_confirmed_and_published() {
    let folder = folder();
    let (code, out, errors) =
        against(folder.path(), &["fake:echo,delay_ms=40", "--against", "fake:echo,delay_ms=44", "--out", "ab"]);
    assert_eq!(code, 10, "{errors}");
    assert!(out.contains("REGRESSED") && out.contains("6 pairs of fresh processes say the same"), "{out}");
    let json: Value = serde_json::from_str(&read(folder.path(), "ab/against.json")).expect("JSON");
    assert_eq!((&json["schema"], &json["verdict"]), (&"vbench/bench-against/1".into(), &"regressed".into()));
    for (result, name) in
        json["results"].as_array().expect("results").iter().zip(["ratio", "noise_floor", "ratio_fresh_processes"])
    {
        assert_eq!(result["metric"], name);
        let wanted = if name == "noise_floor" { 1.0 } else { 1.1 };
        assert!((result["value"].as_f64().expect("a number") - wanted).abs() < 1e-9, "{result}");
        assert!(result["lo"].is_f64() && result["hi"].is_f64() && result["seed"].is_u64(), "{result}");
    }
    // Each fresh process left an ordinary bench run, A and B by turns.
    for run in ["01-a", "01-b", "06-a", "06-b"] {
        let run = read(folder.path(), &format!("ab/fresh/{run}/bench.json"));
        assert!(run.contains("vbench/bench/1"), "{run}");
    }
    // The same report is made of what lies in the folder.
    let (page, first) = (read(folder.path(), "ab/report.html"), read(folder.path(), "ab/against.json"));
    let (code, again, errors) =
        outcome(&vbench(folder.path(), &["report", "ab", "--format", "html,md,json,junit,png,svg", "--json"]));
    assert_eq!(code, 10, "{errors}");
    assert_eq!(read(folder.path(), "ab/report.html"), page);
    assert_eq!(
        serde_json::from_str::<Value>(&again).expect("JSON"),
        serde_json::from_str::<Value>(&first).expect("JSON")
    );
    for name in ["noise-floor", "ratio-by-pair", "ratio-by-clip", "latency-cdf"] {
        for format in ["png", "svg"] {
            let path = folder.path().join(format!("ab/figures/{name}.{format}"));
            assert!(path.metadata().is_ok_and(|m| m.len() > 2_000), "{}", path.display());
        }
        assert!(read(folder.path(), "ab/report.md").contains(&format!("figures/{name}.svg")));
    }
    let junit = read(folder.path(), "ab/junit.xml");
    assert!(junit.contains("type=\"regressed\"") && junit.contains("failures=\"1\""), "{junit}");
}

#[test]
fn equal_models_pass_and_faster_ones_too() {
    let folder = folder();
    let (code, out, errors) = against(
        folder.path(),
        &["fake:echo,delay_ms=40", "--against", "fake:echo,delay_ms=40", "--out", "ab", "--json"],
    );
    assert_eq!(code, 0, "{errors}");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&json["verdict"], &json["turns"], &json["clips"]), (&"pass".into(), &24.into(), &12.into()));
    assert!(!folder.path().join("ab/fresh").exists(), "nothing was claimed");
    let jitter = ["fake-pipeline:jitter=0.05", "--against", "fake-pipeline:jitter=0.05", "--out", "j"];
    let (code, out, errors) = against(folder.path(), &jitter);
    assert!(code == 0 && out.contains("PASS"), "{out} {errors}");
    let (code, out, _) =
        against(folder.path(), &["fake:echo,delay_ms=40", "--against", "fake:echo,delay_ms=20", "--out", "faster"]);
    assert!(code == 0 && out.contains("-50.0"), "{out}");
}

#[test]
fn noise_larger_than_the_effect_is_inconclusive() {
    let folder = folder();
    let noisy = ["fake-pipeline:jitter=1", "--against", "fake-pipeline:jitter=1,asr_ms=100", "--out", "ab"];
    let (code, out, errors) = against(folder.path(), &noisy);
    assert!(code == 11 && out.contains("INCONCLUSIVE"), "{code} {out} {errors}");
    assert!(read(folder.path(), "ab/report.html").contains("inconclusive"));
}

#[test]
fn a_slower_stage_is_found_while_speech_is_fed_as_it_is_spoken() {
    let folder = folder();
    let paced = ["--scenario", "paced", "--chunk-ms", "100", "--out", "ab"];
    let models = ["fake-pipeline:", "--against", "fake-pipeline:llm_ms=240"];
    let (code, out, errors) = against(folder.path(), &[&models[..], &paced].concat());
    assert!(code == 10 && out.contains("fresh processes say the same"), "{code} {out} {errors}");
}

#[test]
fn a_lane_that_does_not_answer_makes_the_session_incomplete() {
    let folder = folder();
    let (code, out, errors) = against(
        folder.path(),
        &["fake:echo", "--against", "fake:echo,fail=u3", "--margin-percent", "1000", "--out", "ab"],
    );
    assert_eq!(code, 6, "{out} {errors}");
    assert!(out.contains("2 turns are left out"), "{out}");
    assert!(read(folder.path(), "ab/report.html").contains("Not everything was answered"));
}

#[test]
fn threads_are_an_option_of_a_lane_and_what_cannot_be_compared_is_refused() {
    let folder = folder();
    let threads = ["fake:echo,threads=1", "--against", "fake:echo,threads=2", "--margin-percent", "1000", "--out", "t"];
    let (code, _, errors) = against(folder.path(), &threads);
    assert!(code == 0 || code == 11, "{errors}");
    for (arguments, wanted) in [
        (&["fake:echo", "--against", "fake:echo,delay_ms=4"][..], "simulated clock"),
        (&["fake:echo", "--against", "fake:echo", "--scenario", "server"], "one request at a time"),
        (&["fake:echo", "--against", "fake:echo", "--scenario", "paced", "--streams", "2"], "one talker"),
        (&["fake:echo", "--against", "fake:echo", "--margin-percent", "0"], "--margin-percent"),
        (&["fake:echo", "--against", "fake:echo,threads=x"], "threads=x"),
        (&["fake:echo", "--against", "fake:echo", "--batch", "2"], "--batch"),
        (&["fake:echo", "--against", "whispr:x"], "unknown adapter"),
    ] {
        let (code, _, errors) = against(folder.path(), &[arguments, &["--out", "x"]].concat());
        assert!((code == 2 || code == 3) && errors.contains(wanted), "{arguments:?}: {code} {errors}");
    }
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "t", "--baseline", "t"]));
    assert!(code == 2, "{errors}");
    std::fs::write(folder.path().join("t/against.json"), r#"{"schema":"vbench/bench-against/9"}"#).expect("writes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "t"]));
    assert!(code == 7 && errors.contains("vbench/bench-against/9"), "{errors}");
}

#[test]
fn what_is_compared_is_what_the_user_waits() {
    let folder = folder();
    // The reply ends at the same time, but nothing is heard for half a second longer.
    let late = ["fake-pipeline:", "--against", "fake-pipeline:lead_in_ms=540,audio_ms=60", "--out", "late"];
    let (code, out, errors) = against(folder.path(), &late);
    assert!(code == 10 && out.contains("fresh processes say the same"), "{code} {out} {errors}");
    let json: Value = serde_json::from_str(&read(folder.path(), "late/against.json")).expect("JSON");
    assert!(json["boundary"].as_str().is_some_and(|b| b.contains("first audible sample")), "{}", json["boundary"]);
}

#[test]
fn fresh_processes_are_loaded_as_the_session_was() {
    let folder = folder();
    let paced = ["--scenario", "paced", "--chunk-ms", "100", "--barge-in-ms", "200", "--max-lateness-ms", "7"];
    let models = ["fake-pipeline:", "--against", "fake-pipeline:llm_ms=240", "--out", "ab"];
    let (code, out, errors) = against(folder.path(), &[&models[..], &paced].concat());
    assert!(code == 10 && out.contains("fresh processes say the same"), "{code} {out} {errors}");
    let head = |name: &str| -> Value {
        let text = read(folder.path(), &format!("ab/{name}requests.jsonl"));
        serde_json::from_str(text.lines().next().expect("a head")).expect("JSON")
    };
    let session = head("");
    for run in ["fresh/01-a/", "fresh/01-b/", "fresh/06-b/"] {
        let fresh = head(run);
        for key in ["scenario", "streams", "chunk_ns", "barge_in_ns", "max_lateness_ns", "timeout_ns", "seed"] {
            assert!(
                !session[key].is_null() && fresh[key] == session[key],
                "{run} {key}: {} {}",
                fresh[key],
                session[key]
            );
        }
    }
    for ignored in [["--workers", "2"], ["--rate", "2"], ["--budgets", "b.toml"]] {
        let (code, _, errors) = against(folder.path(), &[&models[..3], &ignored, &["--out", "x"]].concat());
        assert!(code == 2 && errors.contains("cannot be used with"), "{ignored:?}: {code} {errors}");
    }
}

#[test]
fn a_session_in_which_the_instrument_was_late_is_void() {
    let folder = folder();
    let real = "fake-pipeline:clock=real";
    let (code, out, errors) = outcome(&vbench(
        folder.path(),
        &[
            &[
                "bench",
                real,
                "--against",
                real,
                "--suite",
                "suite.toml",
                "-q",
                "--min-duration-s",
                "0",
                "--min-count",
                "1",
            ][..],
            &["--limit", "1", "--warm-up", "0", "--scenario", "paced", "--chunk-ms", "100", "--max-lateness-ms", "0"],
            &["--out", "void"],
        ]
        .concat(),
    ));
    assert!(code == 6 && out.contains("VOID: the instrument sent too late"), "{code} {out} {errors}");
    let json: Value = serde_json::from_str(&read(folder.path(), "void/against.json")).expect("JSON");
    assert!(json["voided"].is_string() && json["max_lateness_ms"] == 0.0, "{json}");
    assert_eq!(json["verdict"], "inconclusive");
    assert!(json["lateness"]["max"].as_f64().is_some_and(|ms| ms > 0.0), "{}", json["lateness"]);
    assert!(read(folder.path(), "void/report.html").contains("<b>Void</b>"));
    let (code, out, errors) = outcome(&vbench(folder.path(), &["report", "void", "--format", "junit"]));
    assert!(code == 6 && out.contains("VOID"), "{code} {out} {errors}");
    let junit = read(folder.path(), "void/junit.xml");
    let case = junit.split("<testcase").find(|c| c.contains("the instrument was on time")).expect("a case");
    assert!(case.contains("<failure"), "{case}");
}

#[test]
fn a_session_ends_with_a_whole_turn_and_says_how_many_orders_there_were() {
    let folder = folder();
    let equal = ["fake:echo,delay_ms=40", "--against", "fake:echo,delay_ms=40"];
    // 76 requests would be enough; the turn that was begun is ended.
    let (code, out, errors) =
        against(folder.path(), &[&equal[..], &["--min-duration-s", "3.02", "--out", "ab"]].concat());
    assert!(code == 0 && !out.contains("left out") && out.contains("26 turns"), "{code} {out} {errors}");
    let page = read(folder.path(), "ab/report.html");
    assert!(page.contains("2 or 3 of the six orders") && !page.contains("all six orders"), "what is said of orders");
    // Never more requests than this: nothing is done where a session needs more.
    for count in ["10", "71"] {
        let (code, _, errors) = against(folder.path(), &[&equal[..], &["--max-count", count, "--out", "few"]].concat());
        assert!(code == 2 && errors.contains("--max-count") && errors.contains("72"), "{count}: {code} {errors}");
    }
    let most = ["--min-duration-s", "100", "--max-count", "80", "--out", "most"];
    let (code, out, errors) = against(folder.path(), &[&equal[..], &most].concat());
    assert!(code == 0 && out.contains("26 turns") && out.contains("TOO SHORT"), "{code} {out} {errors}");
}
