//! `degrade`, `reproduce`, `measure`, `conditions`, and the cache of degraded audio.

mod common;

use std::path::Path;

use common::{corpus, outcome, root, rows, run, vbench, write_wav};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db", "babble-5db", "reverb", "telephone", "opus-16k-loss5"]"#;

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a JSONL file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, errors) = outcome(&vbench(folder, arguments));
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    out
}

fn fails(folder: &Path, arguments: &[&str], expected_code: i32, expected: &str) {
    let (code, _, errors) = outcome(&vbench(folder, arguments));
    assert_eq!(code, expected_code, "{arguments:?}: {errors}");
    assert!(errors.contains(expected), "{arguments:?}: {errors}");
}

#[test]
fn a_folder_becomes_a_corpus_with_receipts_that_a_suite_can_run() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, r#"["clean"]"#, "fake:echo");
    ok(folder.path(), &["degrade", "manifest.jsonl", "--condition", "noise-5db,telephone", "--out", "degraded"]);
    let manifest = lines(&folder.path().join("degraded/manifest.jsonl"));
    assert_eq!(manifest.len(), 8);
    let line = &manifest[0];
    assert_eq!(line["id"], "u0.noise-5db");
    assert_eq!((&line["speaker"], &line["tags"]["condition"]), (&"s0".into(), &"noise-5db".into()));
    assert_eq!(line["tags"]["accent"], "us");
    assert_eq!(line["receipt"]["recipe"], "noise(kind=speech-shaped, snr_db=5)");
    assert!(
        (line["receipt"]["steps"][0]["achieved"]["achieved_snr_db"].as_f64().expect("a number") - 5.0).abs() < 0.05
    );
    let suite = std::fs::read_to_string(folder.path().join("suite.toml")).expect("suite");
    let suite = suite.replace("\"manifest.jsonl\"", "\"degraded/manifest.jsonl\"");
    std::fs::write(folder.path().join("again.toml"), suite).expect("writes");
    ok(folder.path(), &["run", "again.toml", "--out", "run", "-q"]);
    assert_eq!(rows(&folder.path().join("run")).lines().count(), 8);
}

#[test]
fn degrade_makes_what_a_run_hears_whatever_the_jobs_and_the_cache() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, CONDITIONS, "fake:echo");
    run(folder.path(), "cold", "fake:echo", &[]);
    run(folder.path(), "warm", "fake:echo", &["--jobs", "2"]);
    run(folder.path(), "none", "fake:echo", &["--audio-cache-gib", "0"]);
    let cold = rows(&folder.path().join("cold"));
    assert_eq!(cold, rows(&folder.path().join("warm")), "the cache changed a row");
    assert_eq!(cold, rows(&folder.path().join("none")), "the cache changed a row");
    let conditions = "clean,noise-5db,babble-5db,reverb,telephone,opus-16k-loss5";
    let common = ["degrade", "manifest.jsonl", "--condition", conditions, "--corpus", "c", "--seed", "7"];
    let manifests: Vec<String> = [("1", "0"), ("8", "0"), ("2", "1")]
        .iter()
        .map(|(jobs, gib)| {
            let out = format!("out-{jobs}-{gib}");
            ok(folder.path(), &[&common[..], &["--out", &out, "--jobs", jobs, "--audio-cache-gib", gib]].concat());
            std::fs::read_to_string(folder.path().join(out).join("manifest.jsonl")).expect("manifest")
        })
        .collect();
    assert!(manifests.iter().all(|m| *m == manifests[0]), "jobs or cache changed the manifest");
    for line in lines(&folder.path().join("out-1-0/manifest.jsonl")) {
        let (utterance, condition) = line["id"].as_str().expect("an id").split_once('.').expect("id.condition");
        let row = cold
            .lines()
            .map(|row| serde_json::from_str::<Value>(row).expect("a row"))
            .find(|row| row["utt"] == *utterance && row["condition"] == *condition)
            .expect("the row of the clip");
        assert_eq!(row["receipt"], line["receipt"], "{utterance} {condition}");
        let wav = folder.path().join("out-1-0").join(line["audio"].as_str().expect("a path"));
        let reader = hound::WavReader::open(wav).expect("a WAV file");
        assert_eq!(u64::from(reader.duration()), line["receipt"]["samples"].as_u64().expect("a number"));
    }
}

#[test]
fn the_cache_does_not_hide_a_file_that_contradicts_its_manifest() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write_wav(&folder.path().join("u.wav"), &common::clip(0));
    let manifest = |duration: &str| {
        let line = format!(r#"{{"id":"u","audio":"u.wav","text":"","duration_s":{duration}}}"#);
        std::fs::write(folder.path().join("m.jsonl"), line).expect("writes");
    };
    manifest("1.0");
    ok(folder.path(), &["degrade", "m.jsonl", "--condition", "gsm", "--out", "a"]);
    manifest("3.0");
    fails(folder.path(), &["degrade", "m.jsonl", "--condition", "gsm", "--out", "b"], 9, "the manifest says 3 s");
}

#[test]
fn a_cell_is_reproduced_bit_for_bit_or_the_difference_is_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 4, CONDITIONS, "fake:echo");
    run(folder.path(), "run", "fake:echo", &[]);
    for condition in ["clean", "noise-5db", "babble-5db", "reverb", "telephone", "opus-16k-loss5"] {
        let cell = format!("c/u1/{condition}");
        let out = format!("{condition}.wav");
        let arguments = ["reproduce", "run", &cell, "--out", &out, "--clean", "clean-again.wav", "--json"];
        let (code, text, errors) = outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, 0, "{errors}");
        assert!(errors.contains("identical: every sample"), "{errors}");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&report["identical"], &report["cell"]), (&true.into(), &format!("{cell}/m").into()));
        assert!(folder.path().join(out).exists());
    }
    let samples = |name: &str| -> Vec<i16> {
        let mut reader = hound::WavReader::open(folder.path().join(name)).expect("a WAV file");
        reader.samples::<i16>().map(|s| s.expect("a sample")).collect()
    };
    assert_eq!(samples("clean-again.wav"), samples("u1.wav"));
    fails(folder.path(), &["reproduce", "run", "c/u1/nois-5db"], 4, "no cell `c/u1/nois-5db` in this run; e.g. c/u1/");
    // Another recording under the same name: the manifest has no hash, so only the receipt can tell.
    write_wav(&folder.path().join("u1.wav"), &samples("u2.wav"));
    fails(folder.path(), &["reproduce", "run", "c/u1/reverb"], 10, "input: then ");
    std::fs::remove_file(folder.path().join("u1.wav")).expect("removes");
    fails(folder.path(), &["reproduce", "run", "c/u1/reverb"], 5, "u1.wav");
}

#[test]
fn what_cannot_be_degraded_names_clip_and_condition_and_the_rest_is_made() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let clips = folder.path().join("clips");
    std::fs::create_dir(&clips).expect("creates");
    write_wav(&clips.join("good.wav"), &common::clip(0));
    write_wav(&clips.join("silent.wav"), &[0; 16_000]);
    write_wav(&clips.join("short.wav"), &[1000; 5]);
    std::fs::write(clips.join("broken.wav"), b"RIFF and nothing else").expect("writes");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(clips.join("nan.wav"), spec).expect("creates");
    for x in [0.1f32, f32::NAN, 0.2] {
        writer.write_sample(x).expect("writes");
    }
    writer.finalize().expect("finalises");
    let arguments = ["degrade", "clips", "--condition", "noise-5db,gsm,hall", "--out", "out"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
    assert_eq!(code, 9, "{errors}");
    for expected in [
        "clips/silent/noise-5db: condition noise-5db: no active speech",
        "clips/broken/gsm: ",
        "clips/nan/hall: ",
        "sample 1 is NaN",
        "7 of 15 clips written to out; 8 failed, 0 skipped",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    let made = lines(&folder.path().join("out/manifest.jsonl"));
    let ids: Vec<&str> = made.iter().map(|l| l["id"].as_str().expect("an id")).collect();
    assert!(ids.contains(&"good.hall") && ids.contains(&"silent.gsm") && ids.contains(&"short.gsm"), "{ids:?}");
    let one = |recipe: &'static str| ["degrade", "clips/good.wav", "--recipe", recipe, "--out", "x.wav"];
    for (recipe, code, expected) in [
        (
            "reverb(size_m=30x20x9, rt60_s=0.2, distance_m=2)",
            9,
            "condition custom: a room of 5400 m3 cannot have an RT60 of 0.2 s",
        ),
        ("reverb(size_m=3x3x3, rt60_s=0.3, source_m=1x1x9, microphone_m=1x1x1)", 2, "source_m: lies outside the room"),
        ("opus(kbps=500)", 2, "kbps: expected a whole number of 6 to 64 kbit/s, found `500`"),
        ("mp3(kbps=57)", 2, "step 1: kbps: expected one of [8, 16"),
        ("noise(kind=folder, path=nowhere, snr_db=5)", 9, "folder `nowhere`: cannot read"),
        ("gain(db=NaN)", 2, "db: expected -80 to 80 dB, found `NaN`"),
        ("noise(kind=babble, snr_db=5)", 9, "babble: nobody but the talker in the corpus of 1 utterances"),
    ] {
        fails(folder.path(), &one(recipe), code, expected);
    }
    fails(
        folder.path(),
        &["degrade", "absent", "--condition", "gsm", "--out", "y"],
        9,
        "absent: no such file or folder",
    );
    fails(folder.path(), &["degrade", "clips", "--condition", "gms", "--out", "y"], 2, "did you mean `gsm`?");
    fails(folder.path(), &["degrade", "clips", "--condition", "gsm", "--out", "y.wav"], 2, "is one file, but 5 clips");
    fails(folder.path(), &["degrade", "clips", "--condition", "gsm", "--out", "out"], 8, "is already there");
    fails(
        folder.path(),
        &["degrade", "clips/good.wav", "--condition", "gsm", "--out", "clips/good.wav/x"],
        8,
        "cannot write",
    );
}

#[test]
fn pairs_are_measured_and_what_is_none_is_said() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let oracles = root().join("golden/oracles/wav");
    let oracles = oracles.to_str().expect("a path");
    ok(folder.path(), &["degrade", oracles, "--condition", "noise-10db", "--out", "out"]);
    let out = ok(folder.path(), &["measure", oracles, "out/noise-10db", "--json"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&report["schema"], report["pairs"].as_array().map(Vec::len)), (&"vbench/measure/1".into(), Some(3)));
    let mean = |name: &str| {
        let results = report["results"].as_array().expect("results");
        results.iter().find(|r| r["metric"] == *name).expect("the metric")["estimate"]["value"]
            .as_f64()
            .expect("a number")
    };
    // The SNR is set on the active level, which lies a little above the RMS.
    assert!((mean("snr_db") - 9.8).abs() < 0.3, "{}", mean("snr_db"));
    assert!((0.9..0.96).contains(&mean("stoi")) && mean("delay_samples") == 0.0);
    let table = ok(folder.path(), &["measure", oracles, "out/noise-10db", "--metric", "stoi"]);
    assert!(table.contains("speech_a1") && table.contains("STOI") && !table.contains("SI-SDR"), "{table}");
    fails(folder.path(), &["measure", oracles, "out/noise-10db", "--metric", "stio"], 2, "did you mean `stoi`?");
    let first = format!("{oracles}/speech_a0.wav");
    fails(
        folder.path(),
        &["measure", &first, &format!("{oracles}/speech_a1.wav")],
        9,
        "no pair (at most 0.5 s may differ)",
    );
    fails(folder.path(), &["measure", &first, "absent.wav"], 9, "absent.wav: no such file");
    std::fs::remove_file(folder.path().join("out/noise-10db/speech_a2.wav")).expect("removes");
    fails(folder.path(), &["measure", oracles, "out/noise-10db"], 9, "1 files have no counterpart");
}

#[test]
fn conditions_are_listed_with_recipes_that_read_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let listed: Value = serde_json::from_str(&ok(folder.path(), &["conditions", "--json"])).expect("JSON");
    let conditions = listed["results"].as_array().expect("results");
    assert!(conditions.len() > 40);
    assert!(ok(folder.path(), &["conditions", "gsm"]).contains("GSM full rate"));
    fails(folder.path(), &["conditions", "gms"], 2, "did you mean `gsm`?");
    let documented = std::fs::read_to_string(root().join("docs/conditions.md")).expect("docs/conditions.md");
    for condition in conditions {
        let [name, sentence, recipe] = ["name", "description", "recipe"].map(|k| condition[k].as_str().expect("text"));
        let section = format!("\n## {name}\n\n{sentence}\n\n`{recipe}`\n\n![");
        assert!(documented.contains(&section), "{name} is not documented as it is: run `cargo xtask conditions`");
        assert!(root().join(format!("docs/conditions/{name}.png")).exists(), "{name} has no figure");
    }
}
