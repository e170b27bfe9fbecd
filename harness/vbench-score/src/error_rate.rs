//! Counts of one pair, and rates from counts.

use vbench_core::ErrorCounts;

use crate::align::{AlignOp, Alignment, Weights, align};
use crate::corpus::PairCounts;
use crate::error::ScoreError;
use crate::normalise::Normalizer;
use crate::tokens::{intern, intern_chars, words};

/// What a character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CharUnit {
    /// Extended grapheme cluster (UAX 29): a letter with its marks.
    #[default]
    Grapheme,
    /// Unicode code point, as jiwer counts.
    CodePoint,
}

impl CharUnit {
    /// The name that results carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grapheme => "grapheme",
            Self::CodePoint => "code-point",
        }
    }
}

/// Everything one pair contributes to error rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairScore {
    /// Word counts. An empty reference has no rate: its insertions are hallucinated words.
    pub words: ErrorCounts,
    /// Least number of word errors (Levenshtein distance).
    pub words_min_errors: u64,
    /// Character counts; inner spaces are characters. Zero where the texts have words and their characters are too many to
    /// align: see [`PairCounts::chars`].
    pub chars: ErrorCounts,
    /// Least number of character errors.
    pub chars_min_errors: u64,
    /// What a character is here.
    pub char_unit: CharUnit,
    /// Word alignment; positions are those of the token lists.
    pub word_alignment: Vec<AlignOp>,
    /// Normalised reference words.
    pub reference_tokens: Vec<String>,
    /// Normalised hypothesis words.
    pub hypothesis_tokens: Vec<String>,
    /// The words are the same: no sentence error.
    pub exact: bool,
}

impl PairScore {
    /// The counts alone.
    #[must_use]
    pub fn counts(&self) -> PairCounts {
        PairCounts {
            words: self.words,
            words_min_errors: self.words_min_errors,
            chars: self.chars,
            chars_min_errors: self.chars_min_errors,
        }
    }
}

/// Normalises both texts and counts word errors, and character errors over grapheme clusters.
///
/// # Errors
/// [`ScoreError::TooLong`] for a pair whose alignment is too large (about 100,000 unrelated tokens on each side).
pub fn score_pair(
    reference: &str,
    hypothesis: &str,
    normalizer: &Normalizer,
    weights: Weights,
) -> Result<PairScore, ScoreError> {
    score_pair_with(reference, hypothesis, normalizer, weights, CharUnit::Grapheme)
}

/// As [`score_pair`], with the unit of characters named.
///
/// Words are split at white space. Characters are those of the normalised text without white space at its ends.
///
/// # Errors
/// As [`score_pair`].
pub fn score_pair_with(
    reference: &str,
    hypothesis: &str,
    normalizer: &Normalizer,
    weights: Weights,
    char_unit: CharUnit,
) -> Result<PairScore, ScoreError> {
    let (reference, hypothesis) = (normalizer.normalize(reference), normalizer.normalize(hypothesis));
    let ids = intern(words(&reference), words(&hypothesis));
    let by_word = align(&ids.reference, &ids.hypothesis, weights)?;
    let ids = intern_chars(&reference, &hypothesis, char_unit == CharUnit::Grapheme);
    let by_char = match align(&ids.reference, &ids.hypothesis, weights) {
        Err(ScoreError::TooLong { .. }) => Alignment::default(),
        aligned => aligned?,
    };
    Ok(PairScore {
        exact: by_word.total_min == 0,
        words: by_word.counts,
        words_min_errors: by_word.total_min,
        chars: by_char.counts,
        chars_min_errors: by_char.total_min,
        char_unit,
        word_alignment: by_word.ops,
        reference_tokens: words(&reference).map(str::to_owned).collect(),
        hypothesis_tokens: words(&hypothesis).map(str::to_owned).collect(),
    })
}

/// Match error rate, `(S + D + I) / (H + S + D + I)`; 0 when both sides are empty.
///
/// Morris, Maier & Green, Interspeech 2004, as are [`wil`] and [`wip`].
#[must_use]
pub fn mer(counts: &ErrorCounts) -> f64 {
    let total = counts.hits + counts.errors();
    if total == 0 { 0.0 } else { counts.errors() as f64 / total as f64 }
}

/// Word information preserved, `(H / N) * (H / P)` with N reference and P hypothesis words; 1 when both sides are
/// empty, 0 when only one is.
#[must_use]
pub fn wip(counts: &ErrorCounts) -> f64 {
    match (counts.reference(), counts.hypothesis()) {
        (0, 0) => 1.0,
        (0, _) | (_, 0) => 0.0,
        (n, p) => (counts.hits as f64 / n as f64) * (counts.hits as f64 / p as f64),
    }
}

/// Word information lost, `1 - WIP`.
#[must_use]
pub fn wil(counts: &ErrorCounts) -> f64 {
    1.0 - wip(counts)
}
