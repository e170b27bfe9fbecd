//! What must hold for every pair of texts.

use proptest::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::align::{AlignOp, align};
use vbench_score::{CharUnit, Normalizer, Weights, levenshtein, score_pair, score_pair_with};

/// Few distinct tokens, so that ties abound.
fn tokens() -> impl Strategy<Value = Vec<u32>> {
    (1u32..6).prop_flat_map(|kinds| prop::collection::vec(0..kinds, 0..80))
}

/// Words of several scripts, marks, joiners, digits, punctuation, white space.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 .,'$%-]{0,6}",
        "[\u{c00}-\u{c7f}]{0,4}",
        "[\u{900}-\u{97f}]{0,4}",
        "[\u{600}-\u{6ff}]{0,4}",
        "[\u{300}-\u{36f}\u{200b}-\u{200f}\u{345}\u{fb00}-\u{fb06}ßΣσςİ]{0,4}",
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// The textbook table, for comparison.
fn plain_distance(a: &[u32], b: &[u32], substitution: u64, gap: u64) -> u64 {
    let mut row: Vec<u64> = (0..=b.len() as u64).map(|j| j * gap).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i as u64 + 1) * gap;
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + if x == y { 0 } else { substitution }).min(row[j] + gap).min(row[j + 1] + gap);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

/// Operations must walk both sequences without a gap and call equal tokens hits.
fn assert_walks(a: &[u32], b: &[u32], ops: &[AlignOp]) {
    let (mut i, mut j) = (0, 0);
    for op in ops {
        match *op {
            AlignOp::Hit { reference, hypothesis } | AlignOp::Sub { reference, hypothesis } => {
                assert_eq!((reference, hypothesis), (i, j));
                let equal = a[i as usize] == b[j as usize];
                assert_eq!(equal, matches!(op, AlignOp::Hit { .. }));
                i += 1;
                j += 1;
            }
            AlignOp::Del { reference } => {
                assert_eq!(reference, i);
                i += 1;
            }
            AlignOp::Ins { hypothesis } => {
                assert_eq!(hypothesis, j);
                j += 1;
            }
        }
    }
    assert_eq!((i as usize, j as usize), (a.len(), b.len()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alignment_walks_both_sides_at_the_least_cost(a in tokens(), b in tokens()) {
        for (weights, substitution, gap) in [(Weights::Sclite, 4, 3), (Weights::Levenshtein, 1, 1)] {
            let got = align(&a, &b, weights).unwrap();
            assert_walks(&a, &b, &got.ops);
            prop_assert_eq!(weights.cost(&got.counts), plain_distance(&a, &b, substitution, gap));
            prop_assert_eq!(got.total_min, plain_distance(&a, &b, 1, 1));
            prop_assert!(got.counts.errors() >= got.total_min);
            if weights == Weights::Levenshtein {
                prop_assert_eq!(got.counts.errors(), got.total_min);
            }
        }
    }

    #[test]
    fn swapping_sides_keeps_the_cost_and_negates_the_balance(a in tokens(), b in tokens()) {
        let (there, back) = (align(&a, &b, Weights::Sclite).unwrap(), align(&b, &a, Weights::Sclite).unwrap());
        prop_assert_eq!(Weights::Sclite.cost(&there.counts), Weights::Sclite.cost(&back.counts));
        prop_assert_eq!(there.total_min, back.total_min);
        let balance = |c: &ErrorCounts| c.del as i64 - c.ins as i64;
        prop_assert_eq!(balance(&there.counts), -balance(&back.counts));
    }

    #[test]
    fn distance_of_long_sequences(
        kinds in 1u32..4_000,
        seed in prop::collection::vec(any::<u32>(), 0..400),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..40),
    ) {
        // Large numbers too, so that the sparse tables are used.
        let a: Vec<u32> = seed.iter().map(|v| v % kinds * 7_919).collect();
        let mut b = a.clone();
        for (at, value) in edits {
            let at = at.index(b.len() + 1);
            match value % 3 {
                0 => b.insert(at, value % kinds * 7_919),
                1 if at < b.len() => { b.remove(at); }
                _ if at < b.len() => b[at] = value % kinds * 7_919,
                _ => {}
            }
        }
        prop_assert_eq!(levenshtein(&a, &b), plain_distance(&a, &b, 1, 1));
    }

    #[test]
    fn a_text_scores_no_error_against_itself(s in text()) {
        for normalizer in Normalizer::ALL {
            let score = score_pair(&s, &s, &normalizer, Weights::Sclite).unwrap();
            prop_assert!(score.exact);
            prop_assert_eq!(score.words.errors() + score.chars.errors(), 0);
        }
    }

    #[test]
    fn counts_are_those_of_the_token_lists(a in text(), b in text()) {
        for unit in [CharUnit::Grapheme, CharUnit::CodePoint] {
            let s = score_pair_with(&a, &b, &Normalizer::ScriptSafe { remove_harakat: false }, Weights::Sclite, unit).unwrap();
            prop_assert_eq!(s.words.reference(), s.reference_tokens.len() as u64);
            prop_assert_eq!(s.words.hypothesis(), s.hypothesis_tokens.len() as u64);
            prop_assert!(s.words.errors() >= s.words_min_errors);
            prop_assert!(s.chars.errors() >= s.chars_min_errors);
            prop_assert_eq!(s.words.rate().is_none(), s.reference_tokens.is_empty());
        }
    }

    #[test]
    fn counts_add_over_concatenated_corpora(pairs in prop::collection::vec((text(), text()), 0..6), cut in 0usize..6) {
        let count = |part: &[(String, String)]| -> ErrorCounts {
            part.iter().map(|(r, h)| score_pair(r, h, &Normalizer::Basic { split_letters: false, remove_diacritics: true }, Weights::Sclite).unwrap().words).sum()
        };
        let (first, second) = pairs.split_at(cut.min(pairs.len()));
        prop_assert_eq!(count(first) + count(second), count(&pairs));
        let reversed: Vec<_> = pairs.iter().rev().cloned().collect();
        prop_assert_eq!(count(&reversed), count(&pairs));
    }

    #[test]
    fn normalising_twice_equals_once_where_promised(s in text()) {
        for normalizer in [Normalizer::None, Normalizer::ScriptSafe { remove_harakat: false }] {
            let once = normalizer.normalize(&s);
            prop_assert_eq!(normalizer.normalize(&once), once.clone(), "{}", normalizer.id());
        }
    }

    #[test]
    fn any_text_normalises_to_bounded_length(s in any::<String>()) {
        for normalizer in Normalizer::ALL {
            // A ligature of three bytes can stand for 18 letters.
            prop_assert!(normalizer.normalize(&s).len() <= 40 * (s.len() + 1));
        }
    }
}
