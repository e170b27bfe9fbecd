//! `vbench score` from files to table and JSON, in every format, and what it says to bad input.

mod common;

use std::path::Path;

use common::{outcome, vbench};
use serde_json::Value;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("writes");
    }
}

/// Exit code 0 and the standard output.
fn passes(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, errors) = outcome(&vbench(folder, &[&["score"], arguments].concat()));
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    out
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&passes(folder, &[arguments, &["--json"]].concat())).expect("JSON")
}

/// S, D, I and reference words of the first result.
fn sdi(json: &Value) -> [u64; 4] {
    ["substitutions", "deletions", "insertions", "reference"]
        .map(|key| json["results"][0]["words"][key].as_u64().expect(key))
}

const REF: &str =
    "turn left at the light\nstop\ncall Maria now please\nopen the third window\nhello world\nseven eight\n";
const HYP: &str =
    "turn left at a light\nshop\ncall Maria please now\nopen third window\nhello big world\nseven eight\n";

#[test]
fn text_files_give_a_table_with_everything_that_was_asked_for() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), &[("r.txt", REF), ("h.txt", HYP), ("words.txt", "third window\nMaria\nzebra\n")]);
    let arguments = ["--ref", "r.txt", "--hyp", "h.txt", "--normalizer", "none", "--normalizer", "whisper-en"];
    let more = ["--analysis", "--confusions", "3", "--align", "--keywords", "words.txt"];
    insta::assert_snapshot!("score_table", passes(folder.path(), &[&arguments[..], &more[..]].concat()));
}

#[test]
fn json_has_the_documented_shape() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), &[("r.txt", REF), ("h.txt", HYP)]);
    let text =
        passes(folder.path(), &["--ref", "r.txt", "--hyp", "h.txt", "--json", "--per-utterance", "--confusions", "2"]);
    insta::assert_snapshot!("score_json", text);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["schema"], "vbench/score/1");
    assert_eq!(value["results"][0]["utterances"].as_array().expect("utterances").len(), 6);
}

#[test]
fn every_format_gives_the_same_counts() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let lines = |text: &str, f: &dyn Fn(usize, &str) -> String| -> String {
        text.lines().enumerate().map(|(i, l)| f(i, l) + "\n").collect()
    };
    let both = |f: &dyn Fn(usize, &str, &str) -> String| -> String {
        REF.lines().zip(HYP.lines()).enumerate().map(|(i, (r, h))| f(i, r, h) + "\n").collect()
    };
    let kaldi = |i: usize, l: &str| format!("u{i} {l}");
    let trn = |i: usize, l: &str| format!("{l} (s{}_u{i})", i / 2);
    let seglst = |text: &str| {
        let items: Vec<Value> = text
            .lines()
            .enumerate()
            .map(|(i, l)| serde_json::json!({"session_id": format!("m{i}"), "speaker": "a", "start_time": 0, "end_time": 2, "words": l}))
            .collect();
        Value::from(items).to_string()
    };
    let ctm = |i: usize, l: &str| {
        let words: Vec<&str> = l.split(' ').collect();
        let step = 8.0 / words.len() as f64;
        let line = |(w, word): (usize, &&str)| {
            format!("f 1 {:.3} {:.3} {word} 0.9", 10.0 * i as f64 + w as f64 * step, step / 2.0)
        };
        words.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    write(
        folder.path(),
        &[
            ("r.txt", REF),
            ("h.txt", HYP),
            ("r.kaldi", &lines(REF, &kaldi)),
            ("h.kaldi", &lines(HYP, &kaldi)),
            ("r.trn", &lines(REF, &trn)),
            ("h.trn", &lines(HYP, &trn)),
            ("r.stm", &lines(REF, &|i, l| format!("f 1 s{} {}.0 {}.0 {l}", i / 2, 10 * i, 10 * i + 9))),
            ("h.ctm", &lines(HYP, &ctm)),
            ("p.jsonl", &both(&|i, r, h| serde_json::json!({"id": i.to_string(), "ref": r, "hyp": h}).to_string())),
            ("p.csv", &format!("id,truth,output\n{}", both(&|i, r, h| format!("{i},\"{r}\",{h}")))),
            ("p.tsv", &format!("hyp\tid\tref\n{}", both(&|i, r, h| format!("{h}\t{i}\t{r}")))),
        ],
    );
    let expected = [2, 2, 2, 18];
    for arguments in [
        &["--ref", "r.txt", "--hyp", "h.txt"][..],
        &["--ref", "r.kaldi", "--hyp", "h.kaldi", "--format", "kaldi"],
        &["--ref", "r.trn", "--hyp", "h.trn"],
        &["--ref", "r.stm", "--hyp", "h.ctm"],
        &["--pairs", "p.jsonl"],
        &["--pairs", "p.csv", "--column", "ref=truth", "--column", "hyp=output"],
        &["--pairs", "p.tsv"],
    ] {
        assert_eq!(sdi(&json(folder.path(), arguments)), expected, "{arguments:?}");
    }
    write(folder.path(), &[("r.json", &seglst(REF)), ("h.json", &seglst(HYP))]);
    for metric in ["cp", "tcp"] {
        let multi = json(folder.path(), &["--ref", "r.json", "--hyp", "h.json", "--multi", metric, "--collar", "10"]);
        let errors: u64 =
            ["substitutions", "deletions", "insertions"].map(|k| multi["words"][k].as_u64().expect(k)).iter().sum();
        assert_eq!((errors, multi["words"]["reference"].as_u64()), (6, Some(18)), "{metric}");
    }
}

#[test]
fn strata_follow_tags_and_speakers_and_add_up() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let line = |i: usize| {
        let (accent, speaker) = (["us", "gb", "in"][i % 3], i % 8);
        let hyp = if i.is_multiple_of(4) { "one too" } else { "one two" };
        format!(
            r#"{{"id":"{i}","ref":"one two","hyp":"{hyp}","speaker":"s{speaker}","accent":"{accent}","tags":{{"room":"r{}"}}}}"#,
            i % 2
        )
    };
    let text: Vec<String> = (0..48).map(line).collect();
    write(folder.path(), &[("p.jsonl", &text.join("\n"))]);
    let value = json(folder.path(), &["--pairs", "p.jsonl", "--by", "accent", "--by", "room", "--by", "speaker"]);
    let results = value["results"].as_array().expect("results");
    assert_eq!(results.len(), 1 + 3 + 2 + 8);
    let words = |by: &str| -> u64 {
        results
            .iter()
            .filter(|r| r["stratum"]["by"] == by)
            .map(|r| r["words"]["reference"].as_u64().expect("words"))
            .sum()
    };
    for by in ["all", "accent", "room", "speaker"] {
        assert_eq!(words(by), 96, "{by}");
    }
    let estimate = &results[0]["words"]["wer"];
    assert_eq!((estimate["unit"].as_str(), estimate["clusters"].as_u64()), (Some("speaker"), Some(8)));
    let (code, _, errors) = outcome(&vbench(folder.path(), &["score", "--pairs", "p.jsonl", "--by", "acent"]));
    assert_eq!(code, 2);
    assert!(errors.contains("accent, room, speaker"), "{errors}");
}

#[test]
fn missing_and_extra_utterances_follow_the_policy_and_are_counted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), &[("r", "a one two\nb three\nc four\n"), ("h", "c four\na one two\nx five\n")]);
    let files = ["--ref", "r", "--hyp", "h", "--format", "kaldi"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &[&["score"], &files[..]].concat()));
    assert_eq!(code, 9);
    assert!(errors.contains("`b`") || errors.contains("b"), "{errors}");
    for (policy, expected) in [("empty", [0, 1, 0, 4]), ("skip", [0, 0, 0, 3])] {
        let value = json(folder.path(), &[&files[..], &["--missing", policy]].concat());
        assert_eq!(sdi(&value), expected, "{policy}");
        assert_eq!(value["pairing"]["missing"]["count"], 1);
        assert_eq!(value["pairing"]["extra"]["first"][0], "x");
    }
}

#[test]
fn bad_input_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let p = folder.path();
    write(
        p,
        &[
            ("r.txt", "a\nb\n"),
            ("h.txt", "a\n"),
            ("d.jsonl", "{\"id\":1,\"ref\":\"a\",\"hyp\":\"a\"}\n{\"id\":1,\"ref\":\"a\",\"hyp\":\"a\"}\n"),
        ],
    );
    write(
        p,
        &[("c.csv", "id,reference,hyp\n1,a,b\n"), ("e.jsonl", ""), ("s.json", r#"[{"session_id":"m","words":"a"}]"#)],
    );
    std::fs::write(p.join("u.txt"), b"fine\nnot \xff fine\n").expect("writes");
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (&["--ref", "r.txt", "--hyp", "h.txt"], 9, &["2", "1", "h.txt"]),
        (&["--ref", "u.txt", "--hyp", "r.txt"], 9, &["u.txt:2", "UTF-8", "byte 5"]),
        (&["--pairs", "d.jsonl"], 9, &["d.jsonl:2", "line 1"]),
        (&["--pairs", "c.csv"], 9, &["reference", "ref"]),
        (&["--pairs", "e.jsonl"], 4, &["no pair"]),
        (&["--pairs", "absent.jsonl"], 9, &["absent.jsonl"]),
        (&["--pairs", "r"], 2, &["--format"]),
        (&["--ref", "r.txt"], 2, &["--hyp"]),
        (&["--ref", "r.txt", "--hyp", "r.txt", "--normalizer", "whisper"], 2, &["whisper-en"]),
        (&["--ref", "s.json", "--hyp", "s.json", "--multi", "cp"], 9, &["speaker"]),
    ];
    for (arguments, expected, needles) in cases {
        let (code, out, errors) = outcome(&vbench(p, &[&["score"], arguments].concat()));
        assert_eq!(code, expected, "{arguments:?}: {errors}");
        assert!(out.is_empty(), "{arguments:?} printed a result: {out}");
        for needle in needles {
            assert!(errors.contains(needle), "{arguments:?}: `{needle}` in: {errors}");
        }
    }
}

#[test]
fn two_unrelated_texts_of_60_000_words_are_scored_without_their_characters() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = |first: usize| (0..60_000).map(|i| format!("w{} ", (first + i * 7_919) % 50_021)).collect::<String>();
    write(folder.path(), &[("r.txt", &text(0)), ("h.txt", &text(31))]);
    let value = json(folder.path(), &["--ref", "r.txt", "--hyp", "h.txt"]);
    let words = &value["results"][0]["words"];
    assert_eq!(words["reference"], 60_000);
    assert!(words["total_min"].as_u64().is_some_and(|errors| errors > 0), "{words}");
    assert_eq!(value["results"][0]["chars"]["pairs_left_out"], 1);
    assert!(value["results"][0]["chars"]["cer"]["value"].is_null(), "no made-up rate");
}

#[test]
fn rules_of_the_user_are_applied_explained_and_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), &[("r.txt", "uh I won't go to N Y C\n"), ("h.txt", "I will not go to NYC\n")]);
    write(folder.path(), &[("house.rules", "uh =>\nwon't => will not\nN Y C => NYC\n")]);
    let files = ["--ref", "r.txt", "--hyp", "h.txt", "--normalizer", "rules:house.rules"];
    insta::assert_snapshot!("score_explain", passes(folder.path(), &[&files[..], &["--explain"]].concat()));
    let value = json(folder.path(), &files);
    assert_eq!(sdi(&value)[..3], [0, 0, 0]);
    let name = value["results"][0]["normalizer"].as_str().expect("a name");
    assert!(name.starts_with("rules:house@") && name.len() == "rules:house@".len() + 8, "{name}");
    write(folder.path(), &[("bad.rules", "one two\n/[/ => x\n")]);
    let bad = ["score", "--ref", "r.txt", "--hyp", "h.txt", "--normalizer", "rules:bad.rules"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &bad));
    assert_eq!(code, 9, "{errors}");
    assert!(errors.contains("bad.rules") && errors.contains('1') && errors.contains('2'), "{errors}");
}

#[test]
fn phonemes_of_telugu_need_no_dictionary_and_say_what_they_rest_on() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), &[("r.txt", "నమస్కారం బాగున్నారా\n"), ("h.txt", "నమస్కారం భాగున్నారా\n")]);
    let arguments = ["--ref", "r.txt", "--hyp", "h.txt", "--phonemes", "--language", "te"];
    let value = json(folder.path(), &arguments);
    let phonemes = &value["analysis"]["phonemes"];
    assert_eq!(phonemes["counts"]["substitutions"], 1, "{phonemes}");
    assert!(phonemes["basis"].as_str().is_some_and(|b| b.contains("grapheme")), "{phonemes}");
    for (file, begins) in [("m.png", &b"\x89PNG"[..]), ("m.svg", b"<")] {
        passes(folder.path(), &[&arguments[..], &["--phoneme-figure", file]].concat());
        let bytes = std::fs::read(folder.path().join(file)).expect("the figure");
        assert!(bytes.starts_with(begins), "{file}");
    }
    let bad = [&["score"], &arguments[..], &["--phoneme-figure", "m.jpeg"]].concat();
    assert_eq!(outcome(&vbench(folder.path(), &bad)).0, 2, "another ending is a usage error");
}

#[test]
fn row_order_does_not_matter_and_corpora_add_up() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let line = |i: usize| {
        format!(
            r#"{{"id":"{i}","ref":"one two three","hyp":"one {} three","speaker":"s{}"}}"#,
            ["two", "too", ""][i % 3],
            i % 7
        )
    };
    let forwards: Vec<String> = (0..60).map(line).collect();
    let backwards: Vec<String> = (0..60).rev().map(line).collect();
    write(folder.path(), &[("f.jsonl", &forwards.join("\n")), ("b.jsonl", &backwards.join("\n"))]);
    write(folder.path(), &[("1.jsonl", &forwards[..25].join("\n")), ("2.jsonl", &forwards[25..].join("\n"))]);
    let of = |file: &str| passes(folder.path(), &["--pairs", file, "--json"]);
    assert_eq!(of("f.jsonl"), of("b.jsonl"), "the same bytes in any order");
    let counts = |file: &str| sdi(&json(folder.path(), &["--pairs", file]));
    let (all, first, second) = (counts("f.jsonl"), counts("1.jsonl"), counts("2.jsonl"));
    assert!((0..4).all(|i| all[i] == first[i] + second[i]), "{all:?} {first:?} {second:?}");
}
