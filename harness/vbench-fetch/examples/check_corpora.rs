//! Builds every registered corpus from package files and checks the figures that the documentation states.
//!
//! `cargo run --release -p vbench-fetch --example check_corpora -- FOLDER_WITH_DEBS [TEXTS.jsonl]`
//!
//! Decoding is replaced by silence of the right length (G.722 has two samples a byte), so this checks packages,
//! transcripts, counts and durations, not sound. TEXTS.jsonl holds `{"id", "text"}` lines to compare texts with.

use std::error::Error;
use std::path::Path;

use vbench_fetch::transcript::without_ellipsis;
use vbench_fetch::{Cache, Clients, Registry, corpus_status, pull_corpus};

/// Corpus, utterances, seconds, utterances of two words or more: counted once by a separate Python script.
const EXPECTED: [(&str, usize, f64, usize); 5] = [
    ("asterisk-en", 540, 1441.4, 307),
    ("asterisk-es", 476, 1728.1, 261),
    ("asterisk-fr", 506, 1389.2, 296),
    ("asterisk-it", 557, 1253.8, 328),
    ("asterisk-ru", 544, 1398.6, 309),
];

#[expect(clippy::print_stdout, reason = "an example reports to its user")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let debs = args.next().ok_or("usage: check_corpora FOLDER_WITH_DEBS [TEXTS.jsonl]")?;
    let root = std::env::temp_dir().join(format!("vbench-check-corpora-{}", std::process::id()));
    let cache = Cache::open(Some(root.clone()))?;
    let registry = Registry::embedded()?;
    let mut wrong = 0;
    for (name, utterances, seconds, two_words) in EXPECTED {
        let entry = registry.corpus(name)?;
        let from: Vec<_> = entry.packages.iter().map(|p| Path::new(&debs).join(&p.file)).collect();
        let silence = |g722: &[u8]| vec![0.0; 2 * g722.len()];
        let report = pull_corpus(entry, &from, &cache, &Clients::default(), &silence, &mut |_| {})?;
        let manifest = std::fs::read_to_string(cache.corpus_dir(name).join("manifest.jsonl"))?;
        let two = manifest.matches("\"two_words\":\"yes\"").count();
        let subset = manifest.matches("\"subset60\":\"yes\"").count();
        println!("{report:?} two_words {two} subset60 {subset}");
        let right = report.utterances == utterances
            && (report.seconds - seconds).abs() < 0.1
            && two == two_words
            && subset == entry.subset60.len()
            && corpus_status(entry, &cache) == Some(report);
        if !right {
            println!("  expected {utterances} utterances, {seconds} s, {two_words} of two words");
            wrong += 1;
        }
    }
    if let Some(texts) = args.next() {
        wrong += compare_texts(Path::new(&texts), &cache)?;
    }
    std::fs::remove_dir_all(&root)?;
    if wrong > 0 { Err(format!("{wrong} differences").into()) } else { Ok(()) }
}

#[expect(clippy::print_stdout, reason = "an example reports to its user")]
fn compare_texts(path: &Path, cache: &Cache) -> Result<usize, Box<dyn Error>> {
    let mut ours = std::collections::HashMap::new();
    let manifest = cache.corpus_dir("asterisk-en").join("manifest.jsonl");
    for line in std::fs::read_to_string(manifest)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        ours.insert(line["id"].as_str().unwrap_or_default().to_string(), line);
    }
    let (mut same, mut wrong) = (0, 0);
    for line in std::fs::read_to_string(path)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let id = line["id"].as_str().unwrap_or_default();
        let text = without_ellipsis(line["text"].as_str().unwrap_or_default());
        let mine = ours.get(id);
        let duration = mine.and_then(|m| m["duration_s"].as_f64()).unwrap_or(f64::NAN);
        let expected = line["duration_s"].as_f64().unwrap_or(f64::NAN);
        if mine.is_some_and(|m| m["text"] == text) && (duration - expected).abs() < 0.005 {
            same += 1;
        } else {
            println!("{id}: {mine:?}, expected {text:?} {expected} s");
            wrong += 1;
        }
    }
    println!("{same} texts and durations as in {}", path.display());
    Ok(wrong)
}
