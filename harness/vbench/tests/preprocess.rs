//! `[preprocess]` of a suite: done, recorded, undone by the condition `unprocessed`, and compared.

mod common;

use std::path::{Path, PathBuf};

use common::{clip, corpus, outcome, rows, vbench, write_wav};
use serde_json::Value;

const STEPS: [&str; 3] = ["preprocess: resample(hz=8000)", "preprocess: trim(db=30)", "preprocess: loudness(lufs=-20)"];

/// Six utterances of a second of speech between two halves of silence.
fn padded(folder: &Path, conditions: &str, spec: &str, table: &str) -> PathBuf {
    let suite = corpus(folder, 6, conditions, spec);
    for i in 0..6 {
        let samples: Vec<i16> = [0; 8000].into_iter().chain(clip(i)).chain([0; 8000]).collect();
        write_wav(&folder.join(format!("u{i}.wav")), &samples);
    }
    with_table(folder, &suite, "suite.toml", table)
}

fn with_table(folder: &Path, suite: &Path, name: &str, table: &str) -> PathBuf {
    let text = std::fs::read_to_string(suite).expect("the suite");
    let text = text.split("[preprocess]").next().unwrap_or_default();
    std::fs::write(folder.join(name), format!("{text}{table}")).expect("writes");
    folder.join(name)
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, errors) = outcome(&vbench(folder, arguments));
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    out
}

fn parsed(run: &Path) -> Vec<Value> {
    rows(run).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn of_condition<'r>(rows: &'r [Value], condition: &str) -> Vec<&'r Value> {
    rows.iter().filter(|r| r["condition"] == condition).map(|r| &r["receipt"]).collect()
}

const TABLE: &str = "[preprocess]\nresample_hz = 8000\ntrim_db = 30\nloudness_lufs = -20\n";

#[test]
fn what_is_declared_is_done_before_conditions_and_recorded() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let f = folder.path();
    padded(f, r#"["clean", "unprocessed", "noise-5db"]"#, "fake:echo,drop=3", TABLE);
    ok(f, &["run", "suite.toml", "--out", "cold", "-q"]);
    let rows_of_run = parsed(&f.join("cold"));
    let (clean, plain, noisy) = (
        of_condition(&rows_of_run, "clean"),
        of_condition(&rows_of_run, "unprocessed"),
        of_condition(&rows_of_run, "noise-5db"),
    );
    for i in 0..6 {
        let recipes = |r: &Value| -> Vec<String> {
            let steps = r["steps"].as_array().expect("steps");
            steps.iter().map(|s| s["recipe"].as_str().expect("a recipe").to_owned()).collect()
        };
        assert_eq!(recipes(clean[i]), STEPS);
        assert_eq!(recipes(noisy[i]), [&STEPS[..], &["noise(kind=speech-shaped, snr_db=5)"]].concat());
        assert!(recipes(plain[i]).is_empty());
        let samples = |r: &Value| r["samples"].as_u64().expect("a count");
        // A second of speech and at most a tenth of a second and a frame at both ends.
        assert_eq!(samples(plain[i]), 32_000);
        assert!((8000..=16_000 + 2 * 1920).contains(&samples(clean[i])), "{}", clean[i]);
        assert_eq!(samples(noisy[i]), samples(clean[i]));
        let cut = &clean[i]["steps"][1]["achieved"];
        let cut_s = cut["cut_start_s"].as_f64().expect("told") + cut["cut_end_s"].as_f64().expect("told");
        assert_eq!((cut_s * 16_000.0).round() as u64, 32_000 - samples(clean[i]));
        assert_eq!(clean[i]["input_sha256"], plain[i]["input_sha256"], "the same recording");
        assert_eq!(plain[i]["output_sha256"], plain[i]["input_sha256"]);
        assert_ne!(clean[i]["output_sha256"], clean[i]["input_sha256"]);
    }
    ok(f, &["run", "suite.toml", "--out", "warm", "-q"]);
    ok(f, &["run", "suite.toml", "--out", "none", "-q", "--audio-cache-gib", "0"]);
    assert_eq!(rows(&f.join("warm")), rows(&f.join("cold")), "the cache changed a row");
    assert_eq!(rows(&f.join("none")), rows(&f.join("cold")), "the cache changed a row");
    for cell in ["c/u0/clean", "c/u1/noise-5db/m", "c/u2/unprocessed"] {
        ok(f, &["reproduce", "cold", cell]);
    }
    let page = std::fs::read_to_string(f.join("cold/report.html")).expect("the report");
    assert!(page.contains("<audio") && !page.contains("No audio"), "players play what the model heard");
    assert!(page.contains("preprocessing of every recording") && page.contains("trim(db=30)"), "named");
    assert!(
        page.contains("The recording as it is, without the suite&#x27;s preprocessing."),
        "each condition in words"
    );
    // Another limit for trimming is other audio, whatever the cache holds.
    with_table(f, &f.join("suite.toml"), "less.toml", &TABLE.replace("30", "15"));
    ok(f, &["run", "less.toml", "--out", "less", "-q"]);
    let less = parsed(&f.join("less"));
    assert_eq!(of_condition(&less, "unprocessed"), plain);
    assert_ne!(of_condition(&less, "clean")[0]["samples"], clean[0]["samples"]);
    with_table(f, &f.join("suite.toml"), "suite.toml", &TABLE.replace("30", "15"));
    let (code, _, errors) = outcome(&vbench(f, &["run", "--resume", "cold", "-q"]));
    assert!(code == 3 && errors.contains("suite.preprocess"), "{code} {errors}");
}

#[test]
fn its_effect_on_wer_is_a_paired_difference_with_an_interval() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let f = folder.path();
    padded(f, r#"["clean", "unprocessed"]"#, "fake:echo,drop=3", TABLE);
    let report: Value =
        serde_json::from_str(&ok(f, &["run", "suite.toml", "--out", "r", "-q", "--json"])).expect("JSON");
    let results = report["results"].as_array().expect("results");
    let delta = |r: &&Value| r["metric"] == "wer_difference" && r["stratum"]["value"] == "unprocessed";
    let delta = results.iter().find(delta).unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!((&delta["from"], &delta["counts"]["utterances"]), (&"clean".into(), &6.into()), "{delta:#}");
    assert_eq!(delta["estimate"]["value"], 0.0, "this model does not listen");
    let text = ok(f, &["run", "suite.toml", "--out", "t", "-q"]);
    assert!(text.contains("preprocessing, m: WER unprocessed - clean, points: 0.00 (no interval: identical on all 6 utterances), p = 1.0000"), "{text}");
    for condition in ["clean", "unprocessed"] {
        let found = results.iter().any(|r| r["stratum"]["by"] == "condition" && r["stratum"]["value"] == condition);
        assert!(found, "{condition}: {report:#}");
    }
}

#[test]
fn two_runs_that_differ_by_preprocessing_are_compared_and_say_so() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let f = folder.path();
    let conditions = r#"["clean", "noise-5db"]"#;
    let suite = padded(f, conditions, "fake:echo", "");
    with_table(f, &suite, "trim.toml", "[preprocess]\ntrim_db = 30\n");
    ok(f, &["run", "suite.toml", "--out", "a", "-q"]);
    ok(f, &["run", "trim.toml", "--out", "b", "-q", "--model", "m=fake:echo,drop=3"]);
    let text = ok(f, &["compare", "a", "b", "--html", "c.html"]);
    assert!(text.contains("PREPROCESSING: A none, B trim(db=30)") && !text.contains("FORCED"), "{text}");
    let page = std::fs::read_to_string(f.join("c.html")).expect("the page");
    assert!(page.contains("Preprocessing: A none, B trim(db=30)"), "the page says so, too");
    assert!(ok(f, &["compare", "a", "b", "--markdown"]).contains("**Preprocessing:** A none, B trim"));
    let json: Value = serde_json::from_str(&ok(f, &["compare", "a", "b", "--json"])).expect("JSON");
    assert!(
        json["preprocessing"].as_str().is_some_and(|t| t.starts_with("A none, B trim(db=30)")) && json["shared"] == 12
    );
    // A gate judges a change of the model, not of what it hears.
    std::fs::write(f.join("rules.toml"), "schema = 1\n[[gates]]\nmetric = \"wer\"\nmax_increase = \"0.5 points\"\n")
        .expect("writes");
    let (code, _, errors) = outcome(&vbench(f, &["gate", "b", "--baseline", "a", "--rules", "rules.toml"]));
    assert!(
        code == 9 && errors.contains("the suites preprocess recordings differently (A none, B trim(db=30))"),
        "{code} {errors}"
    );
    // Another seed, or another recording, is not excused by it.
    ok(f, &["run", "trim.toml", "--out", "seed", "-q", "--seed", "8"]);
    let (code, _, errors) = outcome(&vbench(f, &["compare", "a", "seed"]));
    assert!(code == 9 && errors.contains("6 cells (c/u0/noise-5db"), "{code} {errors}");
    write_wav(&f.join("u1.wav"), &clip(5));
    ok(f, &["run", "trim.toml", "--out", "other", "-q"]);
    let (code, _, errors) = outcome(&vbench(f, &["compare", "a", "other"]));
    assert!(code == 9 && errors.contains("another recording or recipe"), "{code} {errors}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let f = folder.path();
    let suite = padded(f, r#"["clean", "unprocessed"]"#, "fake:echo", "");
    for (table, expected) in [
        ("", "suite.toml:5: conditions: `unprocessed` leaves out what `[preprocess]` declares"),
        ("[preprocess]\ntrim_db = 5\n", "preprocess.trim_db: expected 10 to 80 dB"),
        ("[preprocess]\npeak_dbfs = -1\nloudness_lufs = -23\n", "preprocess.peak_dbfs: give either"),
        ("[preprocess]\nvad_db = 40\n", "preprocess.vad_db: unknown key"),
    ] {
        with_table(f, &suite, "suite.toml", table);
        let (code, _, errors) = outcome(&vbench(f, &["run", "suite.toml", "--out", "x", "-q"]));
        assert!(code == 3 && errors.contains(expected), "{table}: {code} {errors}");
    }
    assert!(!f.join("x").exists());
    // Too short for a loudness: a failed cell with its reason; the recording as it is has an answer.
    with_table(f, &suite, "suite.toml", "[preprocess]\nloudness_lufs = -23\n");
    write_wav(&f.join("u3.wav"), &clip(3)[..3200]);
    let (code, _, errors) = outcome(&vbench(f, &["run", "suite.toml", "--out", "short", "-q"]));
    assert!(code == 6, "{code} {errors}");
    let rows = parsed(&f.join("short"));
    let failed: Vec<&Value> = rows.iter().filter(|r| r["outcome"] != "ok").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["cell"], "c/u3/clean/m");
    assert_eq!(failed[0]["reason"]["text"], "preprocess: loudness: 3200 samples, 6400 are needed");
}
