//! A small corpus, a suite with the fake model, and the real binary.
#![expect(
    dead_code,
    clippy::print_stderr,
    reason = "each test file uses its own part; skips are told where tests print"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub const CONDITIONS: &str = r#"["clean", "noise-20db", "noise-5db", "reverb", "mp3-64k", "opus-16k"]"#;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// Runs vbench with a private cache.
pub fn vbench(cwd: &Path, arguments: &[&str]) -> Output {
    command(cwd, arguments).output().expect("vbench starts")
}

/// The command, for tests that spawn or kill it.
pub fn command(cwd: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vbench"));
    command.current_dir(cwd).args(arguments).env("VBENCH_CACHE", cwd.join("cache")).env_remove("COLUMNS");
    command
}

/// Exit code, standard output, standard error.
pub fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// One second of speech, beginning at another place for every index.
pub fn clip(index: usize) -> Vec<i16> {
    let path = root().join(format!("golden/oracles/wav/speech_a{}.wav", index % 3));
    let mut reader = hound::WavReader::open(path).expect("oracle speech");
    let samples: Vec<i16> = reader.samples::<i16>().map(|s| s.expect("a sample")).collect();
    let start = (index * 1777) % (samples.len() - 24_000);
    samples[start..start + 16_000].to_vec()
}

pub fn write_wav(path: &Path, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("creates");
    for s in samples {
        writer.write_sample(*s).expect("writes");
    }
    writer.finalize().expect("finalises");
}

/// `n` utterances by `n / 2` speakers, and `suite.toml` with the given conditions and model spec.
pub fn corpus(folder: &Path, n: usize, conditions: &str, spec: &str) -> PathBuf {
    let words = ["open", "the", "third", "window", "and", "call", "Maria", "at", "seven", "please"];
    let mut manifest = String::new();
    for i in 0..n {
        write_wav(&folder.join(format!("u{i}.wav")), &clip(i));
        let text: Vec<&str> = (0..5 + i % 4).map(|w| words[(w + i) % words.len()]).collect();
        let (speaker, accent) = (i / 2, ["us", "gb"][i % 2]);
        let _ = writeln!(
            manifest,
            r#"{{"id":"u{i}","audio":"u{i}.wav","text":"{}","speaker":"s{speaker}","language":"en","tags":{{"accent":"{accent}"}}}}"#,
            text.join(" ")
        );
    }
    std::fs::write(folder.join("manifest.jsonl"), manifest).expect("writes the manifest");
    let suite = format!(
        r#"schema = 1
name = "tiny"
task = "asr"
seed = 7
conditions = {conditions}
strata = ["condition", "snr", "accent", "speaker"]

[[corpora]]
name = "c"
manifest = "manifest.jsonl"

[[models]]
name = "m"
spec = "{spec}"
"#
    );
    let path = folder.join("suite.toml");
    std::fs::write(&path, suite).expect("writes the suite");
    path
}

/// Runs the suite of a folder with a model spec into `out`; failed cells are allowed.
pub fn run(folder: &Path, out: &str, spec: &str, more: &[&str]) {
    let model = format!("m={spec}");
    let mut arguments = vec!["run", "suite.toml", "--out", out, "-q", "--model", &model];
    arguments.extend(more);
    let (code, _, errors) = outcome(&vbench(folder, &arguments));
    assert!(code == 0 || code == 6, "{errors}");
}

pub fn rows(run: &Path) -> String {
    std::fs::read_to_string(run.join("rows.jsonl")).expect("rows")
}

/// Notes a skipped test where `cargo xtask test` counts it; with CI=true that is a failure there.
pub fn skipped(test: &str, needs: &str) {
    eprintln!("skipped: needs {needs} ({test})");
    if let Some(log) = std::env::var_os("VBENCH_SKIP_LOG") {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
        file.and_then(|mut f| writeln!(f, "skipped: needs {needs} ({test})")).expect("the skip log can be written");
    }
}
