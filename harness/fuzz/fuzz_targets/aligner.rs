//! Any pair of texts, split at the first line break, under both weightings; the counts must add up.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_score::{Normalizer, Weights, score_pair};

fuzz_target!(|text: &str| {
    let (reference, hypothesis) = text.split_once('\n').unwrap_or((text, ""));
    for weights in [Weights::Sclite, Weights::Levenshtein] {
        let Ok(pair) = score_pair(reference, hypothesis, &Normalizer::None, weights) else { return };
        assert!(pair.words_min_errors <= pair.words.errors());
        assert_eq!(pair.words.reference(), pair.reference_tokens.len() as u64);
    }
});
