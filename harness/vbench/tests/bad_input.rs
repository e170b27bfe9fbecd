//! Every kind of bad input ends in a message with its place and the documented exit code.

mod common;

use std::path::Path;

use common::{clip, corpus, outcome, rows, vbench, write_wav};

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("reads");
    assert!(text.contains(from), "{from} is in {text}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("writes");
}

/// Runs the little suite after a change and returns exit code and everything printed.
fn run_after(change: impl FnOnce(&Path)) -> (i32, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:echo");
    change(folder.path());
    let (code, out, errors) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run"]));
    if code == 6 {
        assert_eq!(rows(&folder.path().join("run")).lines().count(), 6, "the run goes on past a bad utterance");
    }
    (code, out + &errors)
}

/// A change to the little suite, the exit code it must lead to, and what the message must name.
type Case = (&'static str, fn(&Path), i32, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "missing suite",
        |f| std::fs::remove_file(f.join("suite.toml")).expect("removes"),
        3,
        &["suite.toml", "cannot read"],
    ),
    ("not TOML", |f| edit(&f.join("suite.toml"), "seed = 7", "seed = = 7"), 3, &["suite.toml:4", "not valid TOML"]),
    (
        "unknown key",
        |f| edit(&f.join("suite.toml"), "seed = 7", "seed = 7\nnormaliser = \"basic\""),
        3,
        &["suite.toml:5", "normaliser", "did you mean `normalizer`"],
    ),
    (
        "wrong type",
        |f| edit(&f.join("suite.toml"), "seed = 7", "seed = \"7\""),
        3,
        &["suite.toml:4", "seed", "expected an integer", "string"],
    ),
    (
        "two problems at once",
        |f| {
            edit(&f.join("suite.toml"), "seed = 7", "seed = -1");
            edit(&f.join("suite.toml"), "task = \"asr\"", "task = \"asrr\"");
        },
        3,
        &["2 problems", "suite.toml:3", "suite.toml:4"],
    ),
    (
        "duplicate name",
        |f| edit(&f.join("suite.toml"), "[[models]]", "[[models]]\nname = \"m\"\nspec = \"fake:echo\"\n\n[[models]]"),
        3,
        &["models", "duplicate name `m`"],
    ),
    (
        "unknown condition",
        |f| edit(&f.join("suite.toml"), "\"clean\"", "\"noise-5bd\""),
        3,
        &["did you mean `noise-5db`"],
    ),
    (
        "unknown stratum",
        |f| edit(&f.join("suite.toml"), "\"accent\"", "\"acent\""),
        3,
        &["no utterance has the tag `acent`"],
    ),
    (
        "overall score over unknown strata",
        |f| {
            let text =
                "[overall]\nweights = { \"condition=clean\" = 1, \"condition=noise-9db\" = 1, \"mood=sad\" = 1 }\n";
            edit(&f.join("suite.toml"), "[[corpora]]", &format!("{text}\n[[corpora]]"));
        },
        3,
        &[
            "suite.toml:9: overall.weights.condition=noise-9db: no stratum",
            "known values: clean",
            "suite.toml:9: overall.weights.mood=sad: no utterance has the property `mood`",
        ],
    ),
    (
        "weight of 0 and negative latency budget",
        |f| {
            let text = "[overall]\nweights = { \"condition=clean\" = 0 }\n[latency]\nbudget_ms = -200\n";
            edit(&f.join("suite.toml"), "[[corpora]]", &format!("{text}\n[[corpora]]"));
        },
        3,
        &["suite.toml:9: overall.weights.condition=clean: a weight", "suite.toml:11: latency.budget_ms: expected 0 to"],
    ),
    ("unknown adapter", |f| edit(&f.join("suite.toml"), "fake:echo", "fade:echo"), 3, &["unknown adapter `fade`"]),
    (
        "missing manifest",
        |f| std::fs::remove_file(f.join("manifest.jsonl")).expect("removes"),
        3,
        &["suite.toml:9", "manifest.jsonl"],
    ),
    (
        "manifest line that is not JSON",
        |f| edit(&f.join("manifest.jsonl"), "{\"id\":\"u2\"", "{id:\"u2\""),
        9,
        &["manifest.jsonl:3", "expected one JSON object"],
    ),
    (
        "duplicate id",
        |f| edit(&f.join("manifest.jsonl"), "\"u2\"", "\"u1\""),
        9,
        &["manifest.jsonl:3", "already used on line 2"],
    ),
    (
        "missing audio",
        |f| std::fs::remove_file(f.join("u2.wav")).expect("removes"),
        6,
        &["c/u2/clean/m", "missing_audio", "u2.wav"],
    ),
    (
        "empty file",
        |f| std::fs::write(f.join("u2.wav"), b"").expect("writes"),
        6,
        &["c/u2/clean/m", "bad_audio", "u2.wav"],
    ),
    ("no samples", |f| write_wav(&f.join("u2.wav"), &[]), 6, &["bad_audio", "0 samples"]),
    (
        "a 44-byte WAV that declares 4 GB",
        |f| {
            let mut header = std::fs::read(f.join("u2.wav")).expect("reads")[..44].to_vec();
            header[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
            std::fs::write(f.join("u2.wav"), header).expect("writes");
        },
        6,
        &["bad_audio", "u2.wav"],
    ),
    (
        "NaN samples",
        |f| {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: 16_000,
                bits_per_sample: 32,
                sample_format: hound::SampleFormat::Float,
            };
            let mut writer = hound::WavWriter::create(f.join("u2.wav"), spec).expect("creates");
            for s in [0.0f32, 0.5, f32::NAN, 0.1] {
                writer.write_sample(s).expect("writes");
            }
            writer.finalize().expect("finalises");
        },
        6,
        &["bad_audio", "sample 2 is NaN"],
    ),
    (
        "wrong sha256",
        |f| {
            edit(
                &f.join("manifest.jsonl"),
                "\"speaker\":\"s1\"",
                &format!("\"sha256\":\"{}\",\"speaker\":\"s1\"", "0".repeat(64)),
            )
        },
        6,
        &["hash_mismatch", "the manifest says 0000"],
    ),
    ("unwritable output", |f| std::fs::write(f.join("run"), b"a file").expect("writes"), 8, &["cannot write", "run"]),
];

#[test]
fn bad_input_has_its_message_and_exit_code() {
    let mut wrong = Vec::new();
    for (name, change, expected, needles) in CASES {
        let (code, text) = run_after(*change);
        if code != *expected {
            wrong.push(format!("{name}: exit {code}, expected {expected}\n{text}"));
        }
        wrong.extend(needles.iter().filter(|n| !text.contains(*n)).map(|n| format!("{name}: `{n}` is not in\n{text}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn truncated_files_are_failed_cells() {
    let corpus_audio = common::root().join("suites/corpora/voices-en/audio");
    let flac = std::fs::read(corpus_audio.join("flite-slt-1.flac")).expect("a shipped clip");
    let (code, text) = run_after(|f| {
        std::fs::write(f.join("u2.wav"), &flac[..flac.len() / 2]).expect("writes");
    });
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("FLAC") && text.contains("bad_audio"), "{text}");
}

#[test]
fn usage_selection_and_stores() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:echo");
    let check = |arguments: &[&str], expected: i32, needle: &str| {
        let (code, out, errors) = outcome(&vbench(folder.path(), arguments));
        assert_eq!(code, expected, "{arguments:?}: {errors}");
        assert!((out + &errors).contains(needle), "{arguments:?}: `{needle}` not in {errors}");
    };
    check(&["run"], 2, "needs a suite");
    check(&["run", "suite.toml", "--job", "2"], 2, "--job");
    check(&["run", "suite.toml", "--select", "clean"], 2, "property=value");
    check(&["run", "suite.toml", "--select", "condition=noisy"], 4, "condition takes: clean");
    check(&["run", "--resume", "nowhere"], 7, "not a run folder");
    check(&["run", "suite.toml", "--model", "x"], 2, "NAME=SPEC");
    check(&["run", "suite.toml", "--model", "w=whisper:no-such-model"], 5, "no-such-model");
    check(&["suite", "check", "suite.toml"], 0, "ok");
    write_wav(&folder.path().join("u1.wav"), &clip(1)[..0]);
    check(&["suite", "check", "suite.toml"], 9, "u1.wav");
    check(&["suite", "plan", "suite.toml"], 0, "smallest difference");
    check(&["run", "suite.toml", "--out", "r", "-q", "--allow-failed", "1"], 0, "");
    check(&["run", "suite.toml", "--out", "r", "-q"], 8, "already exists");
    let rows = folder.path().join("r/rows.jsonl");
    let text = std::fs::read_to_string(&rows).expect("rows").replacen("window", "winnow", 1);
    std::fs::write(&rows, text).expect("writes");
    check(&["report", "r"], 7, "CRC-32C");
}
