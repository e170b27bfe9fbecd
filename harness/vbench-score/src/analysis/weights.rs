//! Token-weighted WER: errors on words that matter weigh more.
//!
//! After Nanjo & Kawahara, "A new ASR evaluation measure and minimum Bayes-risk decoding for open-domain speech
//! understanding", ICASSP 2005: a deletion weighs what the reference word weighs, an insertion what the inserted word
//! weighs, a substitution the heavier of its two words; the rate is the weight of the errors over the weight of the
//! reference. Here each substitution pair of the alignment is a segment of its own. With every weight 1 it is the WER.

use std::collections::HashMap;
use std::ops::AddAssign;

use crate::align::AlignOp;
use crate::analysis::op_words;
use crate::error::ScoreError;
use crate::error_rate::PairScore;
use crate::normalise::Normalizer;

/// Sums are whole numbers of this fraction, so that adding up in any order gives the same bits.
const UNITS: f64 = 1e6;
/// Largest weight.
const MAX_WEIGHT: f64 = 1000.0;

/// The weight of each word.
#[derive(Debug, Clone, PartialEq)]
pub struct WordWeights {
    units: HashMap<String, u64>,
    other: u64,
}

impl WordWeights {
    /// Reads a list: one `WORD WEIGHT` a line, white space between; `* WEIGHT` is the weight of every other word, else 1.
    /// Empty lines and lines that begin with `#` are skipped. Words are normalised as the texts are. Weights are from 0
    /// to 1000, kept to a millionth.
    ///
    /// # Errors
    /// [`ScoreError::WordList`] with the line: no weight, a weight out of range, a word that normalising changes into
    /// none or several, a word listed twice.
    pub fn parse(text: &str, normalizer: &Normalizer) -> Result<Self, ScoreError> {
        let mut list = Self { units: HashMap::new(), other: UNITS as u64 };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = |message: String| ScoreError::WordList { line: index + 1, message };
            let (word, weight) = line
                .rsplit_once(char::is_whitespace)
                .ok_or_else(|| problem(format!("{line:?} has no weight; expected WORD WEIGHT")))?;
            let value: f64 =
                weight.parse().map_err(|_| problem(format!("{weight:?} is no number; expected WORD WEIGHT")))?;
            if !(0.0..=MAX_WEIGHT).contains(&value) {
                return Err(problem(format!("weight {weight} is not between 0 and {MAX_WEIGHT}")));
            }
            let units = (value * UNITS).round() as u64;
            if word.trim() == "*" {
                list.other = units;
                continue;
            }
            let normalised = normalizer.normalize(word);
            let mut tokens = normalised.split_whitespace();
            let (Some(token), None) = (tokens.next(), tokens.next()) else {
                return Err(problem(format!("{word:?} is {normalised:?} when normalised, not one word")));
            };
            if list.units.insert(token.to_owned(), units).is_some() {
                return Err(problem(format!("{token:?} has a weight already")));
            }
        }
        Ok(list)
    }

    fn of(&self, word: Option<&str>) -> u64 {
        word.map_or(0, |w| self.units.get(w).copied().unwrap_or(self.other))
    }

    /// Weighted counts of one pair.
    #[must_use]
    pub fn count(&self, score: &PairScore) -> WeightedCounts {
        let mut sums = WeightedCounts::default();
        for &op in &score.word_alignment {
            let (reference, hypothesis) = op_words(op, score);
            let (of_reference, of_hypothesis) = (self.of(reference), self.of(hypothesis));
            sums.reference_units += of_reference;
            match op {
                AlignOp::Hit { .. } => {}
                AlignOp::Sub { .. } => sums.sub_units += of_reference.max(of_hypothesis),
                AlignOp::Del { .. } => sums.del_units += of_reference,
                AlignOp::Ins { .. } => sums.ins_units += of_hypothesis,
            }
        }
        sums
    }
}

/// Summed weights, in millionths so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeightedCounts {
    reference_units: u64,
    sub_units: u64,
    del_units: u64,
    ins_units: u64,
}

impl WeightedCounts {
    /// Weight of all reference words.
    #[must_use]
    pub fn reference(&self) -> f64 {
        self.reference_units as f64 / UNITS
    }

    /// Weight of substitutions.
    #[must_use]
    pub fn substitutions(&self) -> f64 {
        self.sub_units as f64 / UNITS
    }

    /// Weight of deletions.
    #[must_use]
    pub fn deletions(&self) -> f64 {
        self.del_units as f64 / UNITS
    }

    /// Weight of insertions.
    #[must_use]
    pub fn insertions(&self) -> f64 {
        self.ins_units as f64 / UNITS
    }

    /// Weighted error rate as a fraction (may exceed 1); `None` where the reference weighs nothing.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let errors = self.sub_units + self.del_units + self.ins_units;
        (self.reference_units > 0).then(|| errors as f64 / self.reference_units as f64)
    }
}

impl AddAssign for WeightedCounts {
    fn add_assign(&mut self, other: Self) {
        self.reference_units += other.reference_units;
        self.sub_units += other.sub_units;
        self.del_units += other.del_units;
        self.ins_units += other.ins_units;
    }
}
