//! `vbench data check|play|suspects|split|sample|describe` over real files.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use common::{outcome, root, vbench};
use serde_json::Value;

/// The manifest of a corpus that ships, with absolute paths and a licence, changed line by line.
fn manifest(folder: &Path, name: &str, change: impl Fn(usize, &mut Value)) {
    let corpus = root().join("suites/corpora/voices-en");
    let text = std::fs::read_to_string(corpus.join("manifest.jsonl")).expect("it ships");
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let audio = corpus.join(line["audio"].as_str().expect("a path"));
        line["audio"] = audio.to_string_lossy().into_owned().into();
        line["tags"]["licence"] = "CC0-1.0".into();
        change(i, &mut line);
        if line["drop"].is_null() {
            let _ = writeln!(out, "{}", line["raw"].as_str().map_or_else(|| line.to_string(), str::to_owned));
        }
    }
    std::fs::write(folder.join(name), out).expect("writes");
}

fn json(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let (code, out, err) = outcome(&vbench(folder, arguments));
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")))
}

fn count(report: &Value, code: &str) -> u64 {
    let results = report["results"].as_array().expect("results");
    results.iter().find(|r| r["code"] == code).map_or(0, |r| r["count"].as_u64().expect("a count"))
}

#[test]
fn a_corpus_is_checked_with_its_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    manifest(folder.path(), "m.jsonl", |_, _| {});
    let (code, report) = json(folder.path(), &["data", "check", "m.jsonl", "--json", "--html", "p.html"]);
    assert_eq!(report["errors"], 0, "{report:#}");
    assert_eq!((code, report["schema"].as_str()), (0, Some("vbench/data-check/1")));
    assert_eq!(report["listened"], true);
    assert!(count(&report, "text-numbers") > 0, "sentences with digits are there");
    assert_eq!(count(&report, "audio-near-duplicate"), 0);
    let page = std::fs::read_to_string(folder.path().join("p.html")).expect("the page");
    assert!(page.contains("<audio controls") && page.contains("How loud speech is"));
    let text = outcome(&vbench(folder.path(), &["data", "check", "m.jsonl", "--no-audio"]));
    assert_eq!(text.0, 0, "{text:?}");
    insta::assert_snapshot!("check_text", text.1);
}

#[test]
fn what_is_wrong_is_found_and_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |i, line| match i {
        0 => line["raw"] = "{\"id\": 5}".into(),
        1 => line["id"] = "flite-slt-3".into(),
        3 => line["text"] = "a\u{7}bell rings here".into(),
        4 => line["audio"] = "gone.flac".into(),
        5 => line["sha256"] = "0".repeat(64).into(),
        6 => line["text"] = "говорите по-русски пожалуйста".into(),
        _ => {}
    });
    let before = std::fs::read_to_string(f.join("m.jsonl")).expect("the manifest");
    let (code, report) = json(f, &["data", "check", "m.jsonl", "--json", "--fix", "sub/clean.jsonl"]);
    for found in ["line-invalid", "id-duplicate", "text-control", "audio-unreadable", "audio-hash", "text-script"] {
        assert_eq!(count(&report, found), 1, "{found}: {report:#}");
    }
    assert_eq!(code, 0, "all of it is mended");
    assert_eq!(std::fs::read_to_string(f.join("m.jsonl")).expect("the manifest"), before, "the source is as it was");
    let left = std::fs::read_to_string(f.join("sub/clean.jsonl.left-out.jsonl")).expect("the list");
    assert_eq!(left.lines().count(), 6, "{left}");
    assert!(left.contains("\"code\":\"text-control\"") && left.contains("\"line\":1"), "{left}");
    let kept = std::fs::read_to_string(f.join("sub/clean.jsonl")).expect("the clean manifest");
    assert_eq!(kept.lines().count() + 6, before.lines().count());
    let (code, again) = json(f, &["data", "check", "sub/clean.jsonl", "--json", "--no-audio"]);
    assert_eq!((code, &again["errors"]), (0, &Value::from(0)), "{again:#}");
    let (code, ..) = outcome(&vbench(f, &["data", "check", "m.jsonl", "--no-audio"]));
    assert_eq!(code, 9, "errors without --fix");
    for (arguments, expected, message) in [
        (&["data", "check", "m.jsonl", "--fix", "m.jsonl"][..], 2, "another file"),
        (&["data", "check", "m.jsonl", "--fix", "x.jsonl", "--keep", "nothing"], 2, "no finding is called `nothing`"),
        (&["data", "check", "m.jsonl", "--limit", "min-sn=3"], 2, "min-snr"),
        (&["data", "check", "none.jsonl"], 9, "none.jsonl"),
    ] {
        let (code, _, err) = outcome(&vbench(f, arguments));
        assert!(code == expected && err.contains(message), "{arguments:?}: {code} {err}");
    }
    assert!(!f.join("x.jsonl").exists());
}

#[test]
fn leaks_between_manifests_are_found_and_a_split_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "all.jsonl", |_, _| {});
    manifest(f, "train.jsonl", |i, line| line["drop"] = if i % 3 == 0 { true.into() } else { Value::Null });
    manifest(f, "test.jsonl", |i, line| line["drop"] = if i % 3 == 0 { Value::Null } else { true.into() });
    let (code, report) = json(f, &["data", "check", "train.jsonl", "test.jsonl", "--no-audio", "--json"]);
    assert!(code == 9 && count(&report, "speaker-in-two-splits") > 0, "{report:#}");
    let split = ["data", "split", "all.jsonl", "--into", "train=2,test=1", "--out", "d", "--seed", "3"];
    let (code, out, err) = outcome(&vbench(f, &split));
    assert_eq!(code, 0, "{out}{err}");
    let (_, report) = json(f, &["data", "check", "d/train.jsonl", "d/test.jsonl", "--no-audio", "--json"]);
    assert_eq!(count(&report, "speaker-in-two-splits"), 0, "{report:#}");
    let lines = |name: &str| std::fs::read_to_string(f.join(name)).expect("written").lines().count();
    assert_eq!(lines("d/train.jsonl") + lines("d/test.jsonl"), lines("all.jsonl"));
    let (code, out, err) =
        outcome(&vbench(f, &["data", "sample", "all.jsonl", "--n", "12", "--stratify", "accent", "--out", "s.jsonl"]));
    assert!(code == 0 && lines("s.jsonl") == 12, "{out}{err}");
    let (code, _, err) = outcome(&vbench(f, &["data", "sample", "all.jsonl", "--detect", "8", "--out", "p.jsonl"]));
    assert!(code == 0 && err.contains("detect 8 points") && lines("p.jsonl") < lines("all.jsonl"), "{err}");
    let (code, _, err) = outcome(&vbench(f, &["data", "sample", "all.jsonl", "--detect", "0.01", "--out", "q.jsonl"]));
    assert!(code == 9 && !f.join("q.jsonl").exists(), "{err}");
}

#[test]
fn a_corpus_is_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |_, _| {});
    let arguments =
        ["data", "describe", "m.jsonl", "--json", "--html", "d.html", "--card", "card.md", "--name", "voices"];
    let (code, report) = json(f, &arguments);
    assert_eq!((code, report["schema"].as_str()), (0, Some("vbench/data-describe/1")));
    assert_eq!(report["distributions"].as_array().map(Vec::len), Some(5), "{report:#}");
    assert!(report["phonemes"]["counts"].as_array().is_some_and(|c| c.len() > 30), "{}", report["phonemes"]);
    let card = std::fs::read_to_string(f.join("card.md")).expect("the card");
    assert!(card.starts_with("# voices\n") && card.contains("| licences | CC0-1.0 ("), "{card}");
    let page = std::fs::read_to_string(f.join("d.html")).expect("the page");
    assert!(page.contains("How long utterances are") && page.contains("Most frequent words"));
    let out = ["data", "play", "m.jsonl", "flite-slt-1", "--out", "a.wav"];
    assert_eq!(outcome(&vbench(f, &out)).0, 0);
    assert!(f.join("a.wav").metadata().expect("written").len() > 32_000);
    assert_eq!(outcome(&vbench(f, &["data", "play", "m.jsonl", "flite-slt-x"])).0, 4);
}

/// Commands that must fail, with exit code and a piece of the message.
fn fail(folder: &Path, cases: &[(&[&str], i32, &str)]) {
    for (arguments, expected, message) in cases {
        let (code, out, err) = outcome(&vbench(folder, arguments));
        assert!(code == *expected && err.contains(message), "{arguments:?}: {code} {err}");
        assert!(!err.contains("panicked") && !out.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn a_manifest_is_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |_, _| {});
    let before = std::fs::read_to_string(f.join("m.jsonl")).expect("the manifest");
    std::fs::copy(f.join("m.jsonl"), f.join("x.jsonl.left-out.jsonl")).expect("copies");
    fail(
        f,
        &[
            (&["data", "check", "m.jsonl", "--no-audio", "--fix", "./m.jsonl"], 2, "write another file"),
            (&["data", "check", "m.jsonl", "--no-audio", "--html", "m.jsonl"], 2, "write another file"),
            (&["data", "check", "x.jsonl.left-out.jsonl", "--no-audio", "--fix", "x.jsonl"], 2, "write another file"),
            (&["data", "sample", "m.jsonl", "--n", "5", "--out", "m.jsonl"], 2, "write another file"),
            (&["data", "split", "m.jsonl", "--into", "m=1,o=1", "--out", "."], 2, "write another file"),
            (&["data", "describe", "m.jsonl", "--no-audio", "--card", "m.jsonl"], 2, "write another file"),
            (&["data", "check", "m.jsonl", "./m.jsonl", "--no-audio"], 2, "is named twice"),
        ],
    );
    assert_eq!(std::fs::read_to_string(f.join("m.jsonl")).expect("the manifest"), before);
    assert!(!f.join("o.jsonl").exists() && !f.join("x.jsonl").exists());
}

#[test]
fn a_split_that_would_be_empty_writes_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |_, _| {});
    fail(f, &[(&["data", "split", "m.jsonl", "--into", "a=1,b=0.00001", "--out", "d"], 9, "the split `b` is empty")]);
    assert!(!f.join("d").exists());
}

#[test]
fn ids_that_stand_twice_are_neither_divided_nor_sampled() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |i, line| {
        if i == 5 {
            line["id"] = "flite-slt-1".into();
        }
    });
    fail(
        f,
        &[
            (&["data", "sample", "m.jsonl", "--n", "5", "--out", "s.jsonl"], 9, "m.jsonl:6: flite-slt-1: duplicate id"),
            (&["data", "split", "m.jsonl", "--into", "a=1,b=1", "--out", "d"], 9, "already used on line 1"),
        ],
    );
    assert!(!f.join("s.jsonl").exists() && !f.join("d").exists());
}

#[test]
fn bad_wishes_for_a_sample_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    manifest(f, "m.jsonl", |_, _| {});
    fail(
        f,
        &[
            (&["data", "sample", "m.jsonl", "--n", "500", "--out", "s.jsonl"], 9, "72 utterances, 500 were asked for"),
            (&["data", "sample", "m.jsonl", "--detect", "nan", "--out", "s.jsonl"], 2, "above 0 and below 100"),
            (&["data", "sample", "m.jsonl", "--detect", "5", "--power", "1.5", "--out", "s.jsonl"], 2, "below 1"),
            (&["data", "sample", "m.jsonl", "--detect", "5", "--wer", "0", "--out", "s.jsonl"], 2, "above 0"),
            (
                &["data", "sample", "m.jsonl", "--n", "5", "--stratify", "acent", "--out", "s.jsonl"],
                2,
                "no utterance has it; properties here: accent,",
            ),
            (&["data", "check", "m.jsonl", "--fix", "x.jsonl", "--leave-out", "text-nmbers"], 2, "`text-numbers`?"),
        ],
    );
    assert!(!f.join("s.jsonl").exists());
}

#[test]
fn hostile_lines_and_recordings_end_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    let line = |id: &str, audio: &str, more: &str| {
        format!("{{\"id\":\"{id}\",\"audio\":\"{audio}\",\"text\":\"hello there\"{more}}}\n")
    };
    common::write_wav(&f.join("a.wav"), &common::clip(0));
    std::fs::write(f.join("cut.wav"), &std::fs::read(f.join("a.wav")).expect("reads")[..900]).expect("writes");
    let long = "x".repeat(3000);
    let text = [
        line("big", "a.wav", ",\"duration_s\":1e300"),
        line("nan", "a.wav", ",\"duration_s\":NaN"),
        line("before", "a.wav", ",\"start_s\":-3"),
        line("past", "a.wav", ",\"start_s\":70,\"duration_s\":1"),
        line("cut", "cut.wav", ""),
        line("gone", "none.wav", ""),
        line(&long, "folder", ""),
    ];
    std::fs::create_dir(f.join("folder")).expect("a folder");
    std::fs::write(f.join("m.jsonl"), text.concat()).expect("writes");
    let (code, report) = json(f, &["data", "check", "m.jsonl", "--json", "--html", "p.html"]);
    assert_eq!((code, count(&report, "line-invalid"), count(&report, "audio-unreadable")), (9, 3, 4), "{report:#}");
    let message = |i: usize| report["results"][0]["examples"][i]["detail"].as_str().expect("told").to_owned();
    assert!(message(0).contains("at most 10000000, found 1e300") && message(2).contains("found -3.0"), "{report:#}");
    let (_, text, _) = outcome(&vbench(f, &["data", "check", "m.jsonl"]));
    assert!(text.starts_with("4 utterances, 0.0 min, 0 speakers;"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() < 400), "a long id is cut: {text}");
    assert!(std::fs::metadata(f.join("p.html")).expect("the page").len() < 200_000);
}

/// A pipe without a writer would be waited for, and a device read for ever.
#[cfg(unix)]
#[test]
fn a_pipe_or_device_is_no_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    common::corpus(f, 4, r#"["clean"]"#, "fake:echo");
    std::fs::remove_file(f.join("u1.wav")).expect("removes");
    std::fs::remove_file(f.join("u2.wav")).expect("removes");
    std::os::unix::fs::symlink("/dev/zero", f.join("u1.wav")).expect("links");
    let made = std::process::Command::new("mkfifo").arg(f.join("u2.wav")).status();
    let pipes = u64::from(made.is_ok_and(|s| s.success()));
    let (code, report) = json(f, &["data", "check", "manifest.jsonl", "--json"]);
    assert_eq!((code, count(&report, "audio-unreadable")), (9, 2), "{report:#}");
    let (code, out, err) = outcome(&vbench(f, &["run", "suite.toml", "--out", "r", "-q"]));
    assert_eq!(code, 6, "{out}{err}");
    let told = common::rows(&f.join("r")).matches("a pipe or a device, no file").count() as u64;
    assert_eq!(told, 1 + pipes, "{err}");
}

#[test]
fn one_run_is_no_second_opinion() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    common::corpus(f, 6, r#"["clean"]"#, "fake:echo");
    for out in ["a", "b"] {
        common::run(f, out, "fake:echo", &[]);
    }
    std::fs::create_dir(f.join("other")).expect("a folder");
    common::corpus(&f.join("other"), 2, r#"["clean"]"#, "fake:echo");
    let suite = std::fs::read_to_string(f.join("other/suite.toml")).expect("the suite");
    std::fs::write(f.join("other/suite.toml"), suite.replace("name = \"c\"", "name = \"d\"")).expect("writes");
    common::run(&f.join("other"), "run", "fake:echo", &[]);
    fail(
        f,
        &[
            (&["data", "suspects", "a"], 2, "two models are needed"),
            (&["data", "suspects", "a", "./a"], 2, "is named twice"),
            (&["data", "suspects", "a", "none"], 7, "none/run.json"),
            (&["data", "suspects", "a", "other/run"], 4, "no utterance was heard by every model"),
            (&["data", "suspects", "a", "b", "--condition", "noise"], 2, "has no condition `noise`; it has: clean"),
        ],
    );
    let (code, out, err) = outcome(&vbench(f, &["data", "suspects", "a", "b"]));
    assert!(code == 0 && err.contains("a/m and b/m have the same text everywhere"), "{out}{err}");
    assert!(out.contains("a/m         0.00 [") && out.contains(", utterance (6)"), "{out}");
}

/// Prompts whose transcripts are known to be misspelled ("umute", "Un-indentified or witheld") or spelled in another way than
/// recognisers do ("login", "blacklist", "rerecord").
const TYPOS: [(&str, &str); 6] = [
    ("conf-adminmenu-menu8", "umute"),
    ("unidentified-no-callback", "indentified"),
    ("unidentified-no-callback", "witheld"),
    ("agent-user", "login"),
    ("entr-num-rmv-blklist", "blacklist"),
    ("vm-torerecord", "rerecord"),
];

#[test]
fn wrong_references_of_the_human_prompts_are_found_from_what_two_models_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let f = folder.path();
    let recorded = std::fs::read_to_string(root().join("golden/oracles/human_suspects.jsonl")).expect("it ships");
    let (mut manifest, mut tiny, mut base) = (String::new(), String::new(), String::new());
    common::write_wav(&f.join("a.wav"), &common::clip(0));
    for line in recorded.lines() {
        let l: Value = serde_json::from_str(line).expect("JSON");
        let _ = writeln!(
            manifest,
            "{}",
            serde_json::json!({"id": l["id"], "audio": "a.wav", "text": l["text"], "language": "en"})
        );
        let _ = writeln!(tiny, "{}", serde_json::json!({"id": l["id"], "hyp": l["tiny_en"]}));
        let _ = writeln!(base, "{}", serde_json::json!({"id": l["id"], "hyp": l["base"]}));
    }
    let suite = "schema = 1\nname = \"recorded\"\ntask = \"asr\"\nseed = 7\nconditions = [\"clean\"]\nmetrics = [\"wer\"]\nnormalizer = \"whisper-en\"\n[[corpora]]\nname = \"prompts\"\nmanifest = \"m.jsonl\"\n[[models]]\nname = \"tiny.en\"\nspec = \"hypotheses:tiny.jsonl\"\n[[models]]\nname = \"base\"\nspec = \"hypotheses:base.jsonl\"\n";
    for (name, text) in [("m.jsonl", &*manifest), ("tiny.jsonl", &*tiny), ("base.jsonl", &*base), ("s.toml", suite)] {
        std::fs::write(f.join(name), text).expect("writes");
    }
    let (code, out, err) = outcome(&vbench(f, &["run", "s.toml", "--out", "run", "-q"]));
    assert_eq!(code, 0, "{out}{err}");
    let (code, report) = json(f, &["data", "suspects", "run", "--json", "--html", "s.html"]);
    assert_eq!(code, 0);
    let results = report["results"].as_array().expect("results");
    let names = |id: &str, word: &str| {
        let of = results.iter().filter(|r| r["id"] == format!("prompts/{id}"));
        of.flat_map(|r| r["edits"].as_array().expect("edits")).any(|e| e["reference"].to_string().contains(word))
    };
    let missing: Vec<_> = TYPOS.iter().filter(|(id, word)| !names(id, word)).collect();
    assert!(missing.is_empty(), "not found: {missing:?} in {results:#?}");
    assert!(results.len() <= 9, "few others: {results:#?}");
    for model in report["models"].as_array().expect("models") {
        let value = |key: &str| model[key]["value"].as_f64().expect("a rate");
        assert!(value("wer_without") < 0.55 * value("wer"), "{model:#}");
    }
    let page = std::fs::read_to_string(f.join("s.html")).expect("the page");
    assert!(page.contains("umute → unmute"), "the page names the words");
    insta::assert_snapshot!("suspects_text", outcome(&vbench(f, &["data", "suspects", "run"])).1);
}
