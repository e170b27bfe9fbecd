//! Counts of many pairs, fast: one vocabulary and one set of buffers for all of them.

use vbench_core::ErrorCounts;

use crate::align::{Alignment, Scratch, Weights, align_counts, align_with};
use crate::error::ScoreError;
use crate::error_rate::CharUnit;
use crate::normalise::Normalizer;
use crate::tokens::intern_chars_into;
use crate::vocabulary::Vocabulary;

/// What one pair contributes to error rates, without tokens and alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairCounts {
    /// Word counts.
    pub words: ErrorCounts,
    /// Least number of word errors (Levenshtein distance).
    pub words_min_errors: u64,
    /// Character counts; inner spaces are characters. Zero where the texts have words and their characters are too many to
    /// align (above [`crate::align::MAX_CELLS`]): such a pair is in no character error rate.
    pub chars: ErrorCounts,
    /// Least number of character errors.
    pub chars_min_errors: u64,
}

/// Counts pairs one after the other with the results of [`crate::score_pair_with`]; one for each thread.
#[derive(Debug)]
pub struct PairCounter<'n> {
    normalizer: &'n Normalizer,
    weights: Weights,
    char_unit: CharUnit,
    vocabulary: Vocabulary,
    reference: Vec<u32>,
    hypothesis: Vec<u32>,
    scratch: Scratch,
}

impl<'n> PairCounter<'n> {
    /// A counter with its rules.
    #[must_use]
    pub fn new(normalizer: &'n Normalizer, weights: Weights, char_unit: CharUnit) -> Self {
        Self {
            normalizer,
            weights,
            char_unit,
            vocabulary: Vocabulary::default(),
            reference: Vec::new(),
            hypothesis: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Normalises both texts and aligns their words, with every operation.
    ///
    /// # Errors
    /// [`ScoreError::TooLong`] as [`crate::score_pair`].
    pub fn align_words(&mut self, reference: &str, hypothesis: &str) -> Result<Alignment, ScoreError> {
        let reference = self.normalizer.normalize(reference);
        let hypothesis = self.normalizer.normalize(hypothesis);
        self.vocabulary.make_room();
        self.vocabulary.number(&reference, &mut self.reference);
        self.vocabulary.number(&hypothesis, &mut self.hypothesis);
        align_with(&self.reference, &self.hypothesis, self.weights, &mut self.scratch)
    }

    /// Normalises both texts and counts word and character errors.
    ///
    /// # Errors
    /// [`ScoreError::TooLong`] as [`crate::score_pair`].
    pub fn count(&mut self, reference: &str, hypothesis: &str) -> Result<PairCounts, ScoreError> {
        let reference = self.normalizer.normalize(reference);
        let hypothesis = self.normalizer.normalize(hypothesis);
        self.vocabulary.make_room();
        self.vocabulary.number(&reference, &mut self.reference);
        self.vocabulary.number(&hypothesis, &mut self.hypothesis);
        let (words, words_min_errors) =
            align_counts(&self.reference, &self.hypothesis, self.weights, &mut self.scratch)?;
        let by_grapheme = self.char_unit == CharUnit::Grapheme;
        intern_chars_into(&reference, &hypothesis, by_grapheme, &mut self.reference, &mut self.hypothesis);
        let (chars, chars_min_errors) =
            match align_counts(&self.reference, &self.hypothesis, self.weights, &mut self.scratch) {
                // The words were not too many: the pair keeps its word counts.
                Err(ScoreError::TooLong { .. }) => (ErrorCounts::ZERO, 0),
                counted => counted?,
            };
        Ok(PairCounts { words, words_min_errors, chars, chars_min_errors })
    }
}
