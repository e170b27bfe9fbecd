//! Strata, severity curve, overall score and latency readings on made-up cells.

use std::collections::BTreeMap;

use vbench_compare::{Coverage, ScoredCell, Summary, SummaryHead, summarize};
use vbench_core::ErrorCounts;

/// Ten reference words unless `words` says otherwise, `errors` of them substituted.
fn cell(speaker: usize, utterance: usize, condition: &str, words: u64, errors: u64) -> ScoredCell {
    let target = condition.strip_prefix("noise-").and_then(|c| c.strip_suffix("db")).and_then(|d| d.parse().ok());
    let counts = ErrorCounts { hits: words - errors, sub: errors, del: 0, ins: 0 };
    ScoredCell {
        cell: format!("c/s{speaker}u{utterance}/{condition}/m"),
        utterance: format!("s{speaker}u{utterance}"),
        corpus: "c".into(),
        condition: condition.into(),
        model: "m".into(),
        speaker: Some(format!("s{speaker:02}")),
        session: None,
        tags: BTreeMap::from([("language".to_owned(), if speaker % 2 == 0 { "en" } else { "te" }.to_owned())]),
        target_snr_db: target,
        achieved_snr_db: target,
        reference_words: words,
        words: counts,
        words_min_errors: counts.errors(),
        chars: counts,
        audio_s: 0.4 * words as f64,
        processing_s: Some(0.1),
    }
}

fn head(strata: &[&str]) -> SummaryHead {
    SummaryHead {
        suite: "s".into(),
        normalizer: "n/1".into(),
        weights: "sclite".into(),
        seed: 7,
        primary: "wer".into(),
        absent: Vec::new(),
        conditions: ["clean", "noise-20db", "noise-10db", "noise-5db"].map(String::from).to_vec(),
        strata: strata.iter().map(|s| (*s).to_owned()).collect(),
    }
}

fn summary(head: SummaryHead, cells: &[ScoredCell]) -> Summary {
    let n = cells.len();
    summarize(head, cells, &[], Vec::new(), Coverage { planned: n, done: n, ..Coverage::default() })
}

#[test]
fn strata_by_language_length_and_duration_hold_every_cell_once_in_the_order_of_the_bins() {
    let cells: Vec<ScoredCell> = (0..8)
        .flat_map(|s| [45, 3, 12, 7].map(|words| cell(s, words as usize, "clean", words, s as u64 % 3)))
        .collect();
    let summary = summary(head(&["language", "length", "duration"]), &cells);
    let of = |by: &str| -> Vec<(&str, usize)> {
        summary.strata.iter().filter(|s| s.by == by).map(|s| (s.value.as_str(), s.scored)).collect()
    };
    assert_eq!(of("language"), [("en", 16), ("te", 16)]);
    assert_eq!(of("length"), [("1-5 words", 8), ("6-10 words", 8), ("11-20 words", 8), ("over 40 words", 8)]);
    assert_eq!(of("duration"), [("up to 2 s", 8), ("2-5 s", 16), ("10-20 s", 8)]);
}

#[test]
fn a_tag_named_length_wins_over_the_bins_and_failed_cells_keep_their_stratum() {
    let mut tagged = cell(0, 0, "clean", 10, 0);
    tagged.tags.insert("length".into(), "short".into());
    let mut lost = cell(1, 1, "clean", 30, 0);
    lost.words = ErrorCounts::ZERO;
    let coverage = Coverage { planned: 2, done: 1, failed: 1, ..Coverage::default() };
    let summary = summarize(head(&["length"]), &[tagged], &[lost], Vec::new(), coverage);
    let strata: Vec<_> =
        summary.strata.iter().filter(|s| s.by == "length").map(|s| (s.value.as_str(), s.scored, s.failed)).collect();
    assert!(strata.contains(&("short", 1, 0)) && strata.contains(&("21-40 words", 0, 1)), "{strata:?}");
}
