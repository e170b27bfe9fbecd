//! Times alignment and normalisation inside one process, for `reports/performance_scoring.py`.
//!
//! usage: `scoring_speed REF.txt HYP.txt ROUNDS`; prints one JSON object with seconds of every round.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::time::Instant;

use vbench_core::ErrorCounts;
use vbench_score::{CharUnit, Normalizer, PairCounter, Weights};

fn seconds(rounds: usize, mut work: impl FnMut() -> u64) -> (Vec<f64>, u64) {
    let mut result = 0;
    let times = (0..rounds)
        .map(|_| {
            let begin = Instant::now();
            result = work();
            begin.elapsed().as_secs_f64()
        })
        .collect();
    (times, result)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [reference, hypothesis, rounds] = arguments.as_slice() else {
        return Err("usage: scoring_speed REF.txt HYP.txt ROUNDS".into());
    };
    let (reference, hypothesis) = (std::fs::read_to_string(reference)?, std::fs::read_to_string(hypothesis)?);
    let pairs: Vec<(&str, &str)> = reference.lines().zip(hypothesis.lines()).collect();
    let rounds = rounds.parse()?;
    // Words with every operation, as jiwer.process_words gives them.
    let (words_s, errors) = seconds(rounds, || {
        let normalizer = Normalizer::None;
        let mut counter = PairCounter::new(&normalizer, Weights::Levenshtein, CharUnit::Grapheme);
        let aligned = pairs.iter().filter_map(|(r, h)| counter.align_words(r, h).ok());
        aligned.map(|alignment| alignment.counts).sum::<ErrorCounts>().errors()
    });
    let (counts_s, _) = seconds(rounds, || {
        let normalizer = Normalizer::None;
        let mut counter = PairCounter::new(&normalizer, Weights::Sclite, CharUnit::Grapheme);
        pairs.iter().filter_map(|(r, h)| counter.count(r, h).ok()).map(|c| c.words.errors() + c.chars.errors()).sum()
    });
    let (normalize_s, letters) = seconds(rounds, || {
        let some = pairs.iter().take(4_000);
        some.map(|(r, _)| Normalizer::WhisperEn.normalize(r).chars().count() as u64).sum()
    });
    println!(
        "{{\"words_s\":{words_s:?},\"errors\":{errors},\"counts_s\":{counts_s:?},\"normalize_4000_s\":{normalize_s:?},\
         \"letters\":{letters}}}"
    );
    Ok(())
}
