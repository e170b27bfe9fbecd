//! `bench A --against B`: what is slower is found and confirmed, what is equal passes, noise decides nothing.

mod common;

use std::path::Path;

use common::{corpus, outcome, vbench};
use serde_json::Value;

fn against(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let few = ["--suite", "suite.toml", "-q", "--min-duration-s", "0", "--min-count", "24"];
    outcome(&vbench(folder, &[&["bench"], arguments, &few].concat()))
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
