//! Keyword WER, and recall, precision and F1 of keywords by occurrence.
//!
//! A keyword is one word or several in a row. Each keyword is looked for on its own, at every position, so keywords may
//! overlap. An occurrence in the reference is **found** when every word of it is a hit and the hypothesis has these words
//! in a row: an occurrence elsewhere in the hypothesis does not make up for it.
//!
//! Keyword WER is the error rate over the reference words that belong to any keyword, each counted once; inserted words
//! count when they belong to a keyword of the hypothesis.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use vbench_core::ErrorCounts;

use crate::align::AlignOp;
use crate::analysis::count_op;
use crate::error::ScoreError;
use crate::error_rate::PairScore;
use crate::normalise::Normalizer;
use crate::tokens::FoldHasher;

/// A list of keywords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keywords {
    phrases: Vec<Vec<String>>,
    /// Phrases by first word.
    starts: HashMap<String, Vec<usize>, BuildHasherDefault<FoldHasher>>,
}

impl Keywords {
    /// Reads a list: one keyword of one or more words a line. Empty lines and lines that begin with `#` are skipped.
    /// Keywords are normalised as the texts are; two lines with the same words are one keyword.
    ///
    /// # Errors
    /// [`ScoreError::WordList`] for a line of which normalising leaves nothing (with its number), and for a list without
    /// any keyword.
    pub fn parse(text: &str, normalizer: &Normalizer) -> Result<Self, ScoreError> {
        let mut list = Self { phrases: Vec::new(), starts: HashMap::default() };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let phrase: Vec<String> = normalizer.normalize(line).split_whitespace().map(str::to_owned).collect();
            let Some(first) = phrase.first() else {
                let message = format!("nothing is left of {line:?} when normalised");
                return Err(ScoreError::WordList { line: index + 1, message });
            };
            let starting = list.starts.entry(first.clone()).or_default();
            if starting.iter().all(|&i| list.phrases[i] != phrase) {
                starting.push(list.phrases.len());
                list.phrases.push(phrase);
            }
        }
        if list.phrases.is_empty() {
            return Err(ScoreError::WordList { line: 0, message: "the list holds no keyword".to_owned() });
        }
        Ok(list)
    }

    /// Number of keywords.
    #[must_use]
    pub fn len(&self) -> usize {
        self.phrases.len()
    }

    /// Never: [`Keywords::parse`] refuses an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Every occurrence: position of its first word, keyword.
    fn occurrences<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = (usize, &'a [String])> {
        words.iter().enumerate().flat_map(move |(at, word)| {
            let starting = self.starts.get(word).map(Vec::as_slice).unwrap_or_default();
            let phrases = starting.iter().map(|&i| self.phrases[i].as_slice());
            phrases.filter(move |phrase| words[at..].starts_with(phrase)).map(move |phrase| (at, phrase))
        })
    }
}

/// Occurrences of keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeywordCounts {
    /// Occurrences in references.
    pub reference: u64,
    /// Occurrences in hypotheses.
    pub hypothesis: u64,
    /// Reference occurrences that the hypothesis has at the aligned place.
    pub found: u64,
}

impl KeywordCounts {
    /// Found over reference occurrences; `None` without any.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.found as f64 / self.reference as f64)
    }

    /// Found over hypothesis occurrences; `None` without any.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        (self.hypothesis > 0).then(|| self.found as f64 / self.hypothesis as f64)
    }

    /// Harmonic mean of both, `2 found / (reference + hypothesis)`; `None` where neither side has any.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        let both = self.reference + self.hypothesis;
        (both > 0).then(|| 2.0 * self.found as f64 / both as f64)
    }

    fn add(&mut self, other: Self) {
        self.reference += other.reference;
        self.hypothesis += other.hypothesis;
        self.found += other.found;
    }
}

/// What became of the keywords.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeywordTable {
    /// Counts over words that belong to keywords: keyword WER is their rate.
    pub words: ErrorCounts,
    /// Occurrences of all keywords.
    pub total: KeywordCounts,
    /// Occurrences by keyword (words joined by a space); only those that occur.
    pub by_keyword: BTreeMap<String, KeywordCounts>,
}

impl KeywordTable {
    pub(super) fn add(&mut self, keywords: &Keywords, score: &PairScore) {
        let (reference, hypothesis) = (&score.reference_tokens, &score.hypothesis_tokens);
        let in_reference: Vec<_> = keywords.occurrences(reference).collect();
        let in_hypothesis: Vec<_> = keywords.occurrences(hypothesis).collect();
        if in_reference.is_empty() && in_hypothesis.is_empty() {
            return;
        }
        // Where each reference word was hit.
        let mut image = vec![None; reference.len()];
        for &op in &score.word_alignment {
            if let AlignOp::Hit { reference, hypothesis } = op {
                image[reference as usize] = Some(hypothesis as usize);
            }
        }
        for (at, phrase) in &in_reference {
            let found = image[*at].is_some_and(|to| (0..phrase.len()).all(|i| image[at + i] == Some(to + i)));
            self.count(phrase, KeywordCounts { reference: 1, hypothesis: 0, found: u64::from(found) });
        }
        for (_, phrase) in &in_hypothesis {
            self.count(phrase, KeywordCounts { reference: 0, hypothesis: 1, found: 0 });
        }
        let key_reference = covered(&in_reference, reference.len());
        let key_hypothesis = covered(&in_hypothesis, hypothesis.len());
        for &op in &score.word_alignment {
            let counts = match op {
                AlignOp::Hit { reference, .. } | AlignOp::Sub { reference, .. } | AlignOp::Del { reference } => {
                    key_reference[reference as usize]
                }
                AlignOp::Ins { hypothesis } => key_hypothesis[hypothesis as usize],
            };
            if counts {
                count_op(op, &mut self.words);
            }
        }
    }

    fn count(&mut self, phrase: &[String], counts: KeywordCounts) {
        self.total.add(counts);
        self.by_keyword.entry(phrase.join(" ")).or_default().add(counts);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.words += other.words;
        self.total.add(other.total);
        for (keyword, counts) in other.by_keyword {
            self.by_keyword.entry(keyword).or_default().add(counts);
        }
    }
}

/// Which words any occurrence covers.
fn covered(occurrences: &[(usize, &[String])], words: usize) -> Vec<bool> {
    let mut covered = vec![false; words];
    for (at, phrase) in occurrences {
        covered[*at..at + phrase.len()].fill(true);
    }
    covered
}
