//! 10,000 random pairs against the installed sclite (counts of every pair) and jiwer (errors of every pair, totals).

mod peer_tools;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use peer_tools::{Draw, python_with, run_python, skipped};
use serde_json::json;
use vbench_core::ErrorCounts;
use vbench_score::{CharUnit, Normalizer, Weights, score_pair_with};

const PAIRS: usize = 10_000;

/// Pairs of all kinds: near and far, short and longer, few and many distinct words, either side empty.
fn pairs() -> Vec<(String, String)> {
    (0..PAIRS)
        .map(|case| {
            let mut draw = Draw::new("peer pairs", case);
            let kinds = [2, 3, 6, 20][draw.below(4)];
            let length = if draw.once_in(40) { 0 } else { 1 + draw.below([6, 15, 40][case % 3]) };
            let reference = draw.words(length, kinds);
            let hypothesis = match draw.below(8) {
                0 => {
                    let length = draw.below(length + 6);
                    draw.words(length, kinds)
                }
                n => draw.disturbed(&reference, kinds, n),
            };
            (reference.join(" "), hypothesis.join(" "))
        })
        .collect()
}

fn counts(pair: &(String, String), weights: Weights) -> ErrorCounts {
    score_pair_with(&pair.0, &pair.1, &Normalizer::None, weights, CharUnit::Grapheme).expect("short pairs").words
}

#[test]
fn counts_of_10000_random_pairs_equal_sclite() {
    if Command::new("sctk").output().is_err() {
        return skipped("sclite", "sctk (Debian package)");
    }
    let pairs = pairs();
    let folder = tempfile::tempdir().expect("temporary folder");
    let (mut reference, mut hypothesis) = (String::new(), String::new());
    for (i, (r, h)) in pairs.iter().enumerate() {
        // One speaker for 100 utterances; ids sort in the order of the pairs.
        let id = format!("s{:03}-u{i:05}", i / 100);
        let _ = writeln!(reference, "{r} ({id})");
        let _ = writeln!(hypothesis, "{h} ({id})");
    }
    std::fs::write(folder.path().join("ref.trn"), reference).expect("writes");
    std::fs::write(folder.path().join("hyp.trn"), hypothesis).expect("writes");
    let output = Command::new("sctk")
        .current_dir(folder.path())
        .args(["sclite", "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "spu_id"])
        .args(["-s", "-e", "utf-8", "-f", "0", "-o", "pralign", "stdout"])
        .output()
        .expect("sclite starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let theirs = parse_pralign(&text);
    assert_eq!(theirs.len(), PAIRS, "utterances in the output of sclite: {}", String::from_utf8_lossy(&output.stderr));
    let differing: Vec<String> = pairs
        .iter()
        .enumerate()
        .filter_map(|(i, pair)| {
            let ours = counts(pair, Weights::Sclite);
            (theirs[&i] != ours).then(|| format!("{pair:?}: {ours:?}, sclite {:?}", theirs[&i]))
        })
        .collect();
    assert!(differing.is_empty(), "{} pairs differ:\n{}", differing.len(), differing.join("\n"));
}

/// Counts by utterance number from lines `id: (s000-u00000)` and `Scores: (#C #S #D #I) 1 0 0 0`.
fn parse_pralign(text: &str) -> BTreeMap<usize, ErrorCounts> {
    let mut found = BTreeMap::new();
    let mut number = None;
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("id: (") {
            number = id.trim_end().trim_end_matches(')').rsplit_once('u').and_then(|(_, n)| n.parse().ok());
        } else if let Some(scores) = line.strip_prefix("Scores: (#C #S #D #I) ") {
            let n: Vec<u64> = scores.split_whitespace().map(|v| v.parse().expect("a count")).collect();
            let counts = ErrorCounts { hits: n[0], sub: n[1], del: n[2], ins: n[3] };
            found.insert(number.take().expect("an id before the scores"), counts);
        }
    }
    found
}

const JIWER: &str = r#"
import json, sys, jiwer
pairs = json.load(open(sys.argv[1], encoding="utf-8"))
out = jiwer.process_words([r for r, _ in pairs], [h for _, h in pairs])
def errors(chunks):
    total = 0
    for c in chunks:
        if c.type != "equal":
            total += max(c.ref_end_idx - c.ref_start_idx, c.hyp_end_idx - c.hyp_start_idx)
    return total
print(json.dumps({
    "errors": [errors(chunks) for chunks in out.alignments],
    "reference": out.hits + out.substitutions + out.deletions,
    "hypothesis": out.hits + out.substitutions + out.insertions,
    "wer": out.wer,
}))
"#;

#[test]
fn errors_of_10000_random_pairs_equal_jiwer() {
    let Some(python) = python_with("jiwer") else { return };
    let pairs = pairs();
    let theirs = run_python(&python, JIWER, &json!(pairs));
    let ours: Vec<ErrorCounts> = pairs.iter().map(|p| counts(p, Weights::Levenshtein)).collect();
    let peer = theirs["errors"].as_array().expect("errors");
    assert_eq!(peer.len(), PAIRS);
    let differing: Vec<String> = ours
        .iter()
        .zip(peer)
        .zip(&pairs)
        .filter(|((ours, theirs), _)| Some(ours.errors()) != theirs.as_u64())
        .map(|((ours, theirs), pair)| format!("{pair:?}: {ours:?}, jiwer {theirs}"))
        .collect();
    assert!(differing.is_empty(), "{} pairs differ:\n{}", differing.len(), differing.join("\n"));
    let total: ErrorCounts = ours.into_iter().sum();
    assert_eq!(Some(total.reference()), theirs["reference"].as_u64());
    assert_eq!(Some(total.hypothesis()), theirs["hypothesis"].as_u64());
    assert_eq!(total.rate(), theirs["wer"].as_f64());
}
