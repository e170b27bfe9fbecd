//! The reference Whisper through the binary, with real weights and real speech.
//!
//! Weights come from `vbench models pull` into the usual cache. The human prompts come from Debian packages; where they
//! cannot be had the tests say `skipped: needs …`, which `cargo xtask test` counts.

#![expect(clippy::print_stderr, reason = "the texts that differ are listed with --nocapture")]

mod common;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use common::{outcome, root, rows, skipped};
use serde_json::Value;

/// vbench in the repository with the usual cache.
fn vbench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vbench")).current_dir(root()).args(arguments).output().expect("vbench starts")
}

fn passes(arguments: &[&str]) -> String {
    let (code, out, errors) = outcome(&vbench(arguments));
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    out
}

/// Pulls a corpus once; false where its packages cannot be had (exit code 5).
fn corpus_present(name: &str) -> bool {
    let (code, _, errors) = outcome(&vbench(&["data", "pull", name]));
    assert!(code == 0 || code == 5, "{errors}");
    code == 0
}

fn hypotheses(run: &std::path::Path) -> Vec<(String, String, Value)> {
    let parse = |line: &str| -> Value { serde_json::from_str(line).expect("a row") };
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    rows(run).lines().map(parse).map(|r| (text(&r["utt"]), text(&r["hyp"]), r["output"].clone())).collect()
}

/// One whole smoke run, shared by the tests below.
fn smoke() -> &'static (PathBuf, String) {
    static SMOKE: OnceLock<(PathBuf, String)> = OnceLock::new();
    SMOKE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("temporary folder").keep();
        let run = folder.join("run");
        passes(&["run", "suites/smoke.toml", "--out", run.to_str().expect("UTF-8"), "-q"]);
        let text = rows(&run);
        (run, text)
    })
}

#[test]
fn smoke_suite_with_whisper_has_full_coverage_and_few_errors() {
    let (run, _) = smoke();
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("summary.json")).expect("summary")).expect("JSON");
    let clean = summary["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|r| r["metric"] == "wer" && r["stratum"]["by"] == "condition" && r["stratum"]["value"] == "clean")
        .expect("WER of the clean stratum");
    let wer = clean["estimate"]["value"].as_f64().expect("a value");
    assert!((0.0..=0.15).contains(&wer), "clean WER {wer}");
}

#[test]
fn two_jobs_give_the_bytes_of_one() {
    let (run, whole) = smoke();
    let other = run.with_file_name("jobs2");
    passes(&["run", "suites/smoke.toml", "--out", other.to_str().expect("UTF-8"), "-q", "--jobs", "2"]);
    assert!(rows(&other) == *whole, "rows differ between 1 and 2 jobs");
}

#[test]
fn five_kills_change_no_byte() {
    let (run, whole) = smoke();
    let other = run.with_file_name("killed");
    let out = other.to_str().expect("UTF-8");
    for kill in 0..5u64 {
        let fresh: &[&str] = &["run", "suites/smoke.toml", "--out", out, "-q"];
        let resume: &[&str] = &["run", "--resume", out, "-q"];
        let arguments = if other.join("run.json").exists() { resume } else { fresh };
        let mut child = Command::new(env!("CARGO_BIN_EXE_vbench"))
            .current_dir(root())
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(700 + 613 * kill));
        child.kill().expect("kill -9");
        child.wait().expect("is reaped");
    }
    passes(&["run", "--resume", out, "-q"]);
    assert!(rows(&other) == *whole, "rows differ after five kills");
}

/// 60 human prompts: (id, reference, faster-whisper tiny.en's text, base's text), recorded with faster-whisper 1.2.1.
fn human60() -> Vec<(String, String, String, String)> {
    let path = std::env::var_os("VBENCH_ORACLES").map_or_else(|| root().join("golden/oracles"), PathBuf::from);
    let text = std::fs::read_to_string(path.join("human60.jsonl")).expect("human60.jsonl");
    let field = |v: &Value, name: &str| v[name].as_str().unwrap_or_default().trim().to_string();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line"))
        .map(|v| {
            let of = |name: &str| field(&v, name);
            (of("id"), of("text"), of("faster_whisper_tiny_en"), of("faster_whisper_base"))
        })
        .collect()
}

/// Runs the 60 prompts through a model without fallback and compares with the recorded texts; lists what differs.
fn parity(model: &str, recorded: impl Fn(&(String, String, String, String)) -> &String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = folder.path().join("run");
    let spec = format!("w=whisper:{model},fallback=off,language=en");
    let out = run.to_str().expect("UTF-8");
    passes(&["run", "suites/human.toml", "--select", "subset60=yes", "--model", &spec, "--out", out, "-q"]);
    let ours = hypotheses(&run);
    let cases = human60();
    assert_eq!((ours.len(), cases.len()), (60, 60));
    let differing: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let (_, hyp, _) = ours.iter().find(|o| o.0 == case.0).expect("every prompt was run");
            let theirs = recorded(case);
            (hyp.trim() != theirs).then(|| format!("{}:\n  ours   {hyp}\n  theirs {theirs}", case.0))
        })
        .collect();
    eprintln!("{model}: {} of 60 prompts equal faster-whisper's text\n{}", 60 - differing.len(), differing.join("\n"));
    assert!(differing.len() <= 3, "{} of 60 differ", differing.len());
}

#[test]
fn oracle_faster_whisper_text_of_60_human_prompts_tiny_en() {
    if corpus_present("asterisk-en") {
        parity("whisper-tiny.en", |c| &c.2);
    } else {
        skipped("oracle tiny.en", "the Debian packages of asterisk-en");
    }
}

#[test]
fn oracle_faster_whisper_text_of_60_human_prompts_base() {
    if corpus_present("asterisk-en") {
        parity("whisper-base", |c| &c.3);
    } else {
        skipped("oracle base", "the Debian packages of asterisk-en");
    }
}

#[test]
fn base_detects_the_language_of_spanish_french_italian_and_russian_prompts() {
    for language in ["es", "fr", "it", "ru"] {
        let name = format!("asterisk-{language}");
        if !corpus_present(&name) {
            skipped("language detection", &format!("the Debian packages of {name}"));
            continue;
        }
        let folder = tempfile::tempdir().expect("temporary folder");
        let suite = format!(
            "schema = 1\nname = \"lid\"\ntask = \"asr\"\nseed = 1\nconditions = [\"clean\"]\nstrata = []\n\
             [[corpora]]\nname = \"c\"\npull = \"{name}\"\nselect = {{ two_words = \"yes\" }}\n\
             [[models]]\nname = \"w\"\nspec = \"whisper:whisper-base,language=auto\"\n"
        );
        let path = folder.path().join("lid.toml");
        std::fs::write(&path, suite).expect("writes");
        let run = folder.path().join("run");
        let out = run.to_str().expect("UTF-8");
        passes(&["run", path.to_str().expect("UTF-8"), "--limit", "5", "--out", out, "-q"]);
        let detected: Vec<String> =
            hypotheses(&run).iter().map(|h| h.2["language"].as_str().unwrap_or_default().to_string()).collect();
        let right = detected.iter().filter(|d| *d == language).count();
        assert!(right >= 4, "{language}: detected {detected:?}");
    }
}

/// WER over a run's rows with the Whisper normaliser, as a fraction.
fn wer(pairs: impl Iterator<Item = (String, String)>) -> f64 {
    let counts: vbench_core::ErrorCounts = pairs
        .map(|(reference, hyp)| {
            let (normalizer, weights) = (vbench_score::Normalizer::WhisperEn, vbench_score::Weights::Sclite);
            vbench_score::score_pair(&reference, &hyp, &normalizer, weights).expect("short texts").words
        })
        .sum();
    counts.rate().expect("words")
}

#[test]
fn the_clean_stratum_of_60_prompts_has_the_recorded_word_error_rate() {
    if !corpus_present("asterisk-en") {
        return skipped("WER of 60 prompts", "the Debian packages of asterisk-en");
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = folder.path().join("run");
    let out = run.to_str().expect("UTF-8");
    let json = passes(&["run", "suites/human.toml", "--select", "subset60=yes", "--out", out, "-q", "--json"]);
    let summary: Value = serde_json::from_str(&json).expect("JSON");
    let results = summary["results"].as_array().expect("results");
    let all = results.iter().find(|r| r["metric"] == "wer" && r["stratum"]["by"] == "all").expect("WER over all");
    let value = 100.0 * all["estimate"]["value"].as_f64().expect("a value");
    assert!((value - 2.67).abs() <= 1.0, "WER {value:.2} %, recorded with faster-whisper: 2.67 %");
}

/// Prompts longer than one window, beside the live peer.
#[test]
fn oracle_three_prompts_over_30_s_are_within_2_points_of_faster_whisper() {
    let Some(python) = std::env::var_os("VBENCH_PEER_PYTHON") else {
        return skipped("prompts over 30 s", "faster-whisper (cargo xtask test provisions it)");
    };
    if !corpus_present("asterisk-en") {
        return skipped("prompts over 30 s", "the Debian packages of asterisk-en");
    }
    let ids = ["demo-instruct", "priv-callee-options", "demo-congrats"];
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("ids.txt"), ids.join("\n")).expect("writes");
    for model in ["whisper-tiny.en", "whisper-base"] {
        let run = folder.path().join(model);
        let spec = format!("w=whisper:{model},fallback=off,language=en");
        let select = ids.map(|id| format!("id={id}")).join(",");
        let out = run.to_str().expect("UTF-8");
        passes(&["run", "suites/human.toml", "--select", &select, "--model", &spec, "--out", out, "-q"]);
        let ours: Vec<(String, Value)> = rows(&run)
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).expect("a row"))
            .map(|r| (r["utt"].as_str().expect("an id").to_string(), r))
            .collect();
        let cache = vbench_fetch::cache::root_from(&|name| std::env::var_os(name)).expect("a cache");
        let peer = Command::new(&python)
            .arg(root().join("reference/ref-models/parity/faster_whisper.py"))
            .arg("--model")
            .arg(cache.join("models").join(model))
            .arg("--audio-dir")
            .arg(cache.join("corpora/asterisk-en/audio"))
            .arg("--ids")
            .arg(folder.path().join("ids.txt"))
            .args(["--language", "en"])
            .output()
            .expect("python starts");
        assert!(peer.status.success(), "{}", String::from_utf8_lossy(&peer.stderr));
        let theirs: Vec<Value> = String::from_utf8_lossy(&peer.stdout)
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).expect("a line"))
            .filter(|v| !v["id"].is_null())
            .collect();
        assert_eq!((ours.len(), theirs.len()), (3, 3));
        let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
        let reference = |id: &str| text(&ours.iter().find(|o| o.0 == id).expect("was run").1["ref"]);
        let our_wer = wer(ours.iter().map(|(_, r)| (text(&r["ref"]), text(&r["hyp"]))));
        let their_wer = wer(theirs.iter().map(|v| (reference(&text(&v["id"])), text(&v["text"]))));
        eprintln!("{model}: {:.2} % beside {:.2} % of faster-whisper", 100.0 * our_wer, 100.0 * their_wer);
        assert!((our_wer - their_wer).abs() <= 0.02, "{model}: {our_wer} beside {their_wer}");
    }
}

/// A chord gated twice a second: base repeats itself on it at temperature 0.
#[test]
fn an_input_on_which_base_loops_is_decoded_again_at_a_higher_temperature() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let sample = |n: u32| {
        let t = f64::from(n) / 16_000.0;
        let tone = |hz: f64| 0.15 * (std::f64::consts::TAU * hz * t).sin();
        let open = (std::f64::consts::TAU * 2.0 * t).sin() > 0.0;
        ((tone(220.0) + tone(277.0) + tone(330.0)) * f64::from(u8::from(open)) * 32_767.0) as i16
    };
    common::write_wav(&folder.path().join("loop.wav"), &(0..28 * 16_000).map(sample).collect::<Vec<i16>>());
    let line = r#"{"id":"loop","audio":"loop.wav","text":"","language":"en"}"#;
    std::fs::write(folder.path().join("m.jsonl"), line).expect("writes");
    let suite = "schema = 1\nname = \"loop\"\ntask = \"asr\"\nseed = 1\nconditions = [\"clean\"]\nstrata = []\n\
                 [[corpora]]\nname = \"c\"\nmanifest = \"m.jsonl\"\n\
                 [[models]]\nname = \"off\"\nspec = \"whisper:whisper-base,fallback=off,language=en\"\n\
                 [[models]]\nname = \"on\"\nspec = \"whisper:whisper-base,language=en\"\n";
    let path = folder.path().join("suite.toml");
    std::fs::write(&path, suite).expect("writes");
    let run = folder.path().join("run");
    passes(&["run", path.to_str().expect("UTF-8"), "--out", run.to_str().expect("UTF-8"), "-q"]);
    let found = hypotheses(&run);
    let [(_, looped, off), (_, mended, on)] = found.as_slice() else { panic!("two rows: {found:?}") };
    let most_repeated = |text: &str| {
        let mut seen = std::collections::HashMap::new();
        for word in text.split_whitespace() {
            *seen.entry(word).or_insert(0usize) += 1;
        }
        seen.into_values().max().unwrap_or(0)
    };
    assert_eq!(off["temperature"], 0.0, "{off}");
    assert!(most_repeated(looped) >= 8, "without fallback the text repeats itself: {looped}");
    assert!(on["temperature"].as_f64().is_some_and(|t| t > 0.0), "the fallback raised the temperature: {on}");
    assert!(most_repeated(mended) < most_repeated(looped), "{mended}");
}
