//! Substitution pairs, deletions and insertions by count.

use std::collections::BTreeMap;

use crate::align::AlignOp;
use crate::analysis::op_words;
use crate::error_rate::PairScore;

/// How often each reference word was taken for which, was left out, and each hypothesis word was put in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confusions {
    substituted: BTreeMap<String, BTreeMap<String, u64>>,
    deleted: BTreeMap<String, u64>,
    inserted: BTreeMap<String, u64>,
}

/// A substitution pair and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedPair<'a> {
    /// Reference word.
    pub reference: &'a str,
    /// What stands in its place.
    pub hypothesis: &'a str,
    /// How often.
    pub count: u64,
}

/// A deleted or inserted word and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedWord<'a> {
    /// The word.
    pub word: &'a str,
    /// How often.
    pub count: u64,
}

impl Confusions {
    /// Adds one scored pair.
    pub fn add(&mut self, score: &PairScore) {
        for &op in &score.word_alignment {
            if matches!(op, AlignOp::Hit { .. }) {
                continue;
            }
            match op_words(op, score) {
                (Some(reference), Some(hypothesis)) => {
                    if !self.substituted.contains_key(reference) {
                        self.substituted.insert(reference.to_owned(), BTreeMap::new());
                    }
                    if let Some(of) = self.substituted.get_mut(reference) {
                        bump(of, hypothesis);
                    }
                }
                (Some(reference), None) => bump(&mut self.deleted, reference),
                (None, Some(hypothesis)) => bump(&mut self.inserted, hypothesis),
                (None, None) => {}
            }
        }
    }

    /// Adds the confusions of another part of the corpus.
    pub fn merge(&mut self, other: Self) {
        for (reference, of) in other.substituted {
            merge_counts(self.substituted.entry(reference).or_default(), of);
        }
        merge_counts(&mut self.deleted, other.deleted);
        merge_counts(&mut self.inserted, other.inserted);
    }

    /// No error at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.substituted.is_empty() && self.deleted.is_empty() && self.inserted.is_empty()
    }

    /// The `top` most frequent substitution pairs: by falling count, then by reference and hypothesis in code point
    /// order.
    #[must_use]
    pub fn substitutions(&self, top: usize) -> Vec<CountedPair<'_>> {
        let mut pairs: Vec<CountedPair<'_>> = self
            .substituted
            .iter()
            .flat_map(|(reference, of)| {
                of.iter().map(move |(hypothesis, &count)| CountedPair { reference, hypothesis, count })
            })
            .collect();
        // Stable: the maps are in code point order already.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(top);
        pairs
    }

    /// The `top` most frequent deleted words: by falling count, then in code point order.
    #[must_use]
    pub fn deletions(&self, top: usize) -> Vec<CountedWord<'_>> {
        most_frequent(&self.deleted, top)
    }

    /// The `top` most frequent inserted words: by falling count, then in code point order.
    #[must_use]
    pub fn insertions(&self, top: usize) -> Vec<CountedWord<'_>> {
        most_frequent(&self.inserted, top)
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, word: &str) {
    match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => {
            counts.insert(word.to_owned(), 1);
        }
    }
}

fn merge_counts(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (word, count) in from {
        *into.entry(word).or_default() += count;
    }
}

fn most_frequent(counts: &BTreeMap<String, u64>, top: usize) -> Vec<CountedWord<'_>> {
    let mut words: Vec<CountedWord<'_>> = counts.iter().map(|(word, &count)| CountedWord { word, count }).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.count));
    words.truncate(top);
    words
}
