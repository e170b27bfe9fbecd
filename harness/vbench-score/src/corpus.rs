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
        // Words and characters at both ends that are the same need no number: the counts do not depend on them.
        let plain = is_plain(&reference) && is_plain(&hypothesis);
        let (r, h) = (reference.trim(), hypothesis.trim());
        let ends = if plain { Ends::of(r.as_bytes(), h.as_bytes()) } else { Ends::default() };
        let (word_ends, hits) = ends.of_words(r.as_bytes(), h.as_bytes());
        self.vocabulary.number(word_ends.cut(r), &mut self.reference);
        self.vocabulary.number(word_ends.cut(h), &mut self.hypothesis);
        let (mut words, words_min_errors) =
            align_counts(&self.reference, &self.hypothesis, self.weights, &mut self.scratch)?;
        words.hits += hits;
        if plain {
            return self.count_plain(&ends, r, h, words, words_min_errors);
        }
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

    /// Characters of printable ASCII are its bytes.
    fn count_plain(
        &mut self,
        ends: &Ends,
        reference: &str,
        hypothesis: &str,
        words: ErrorCounts,
        words_min_errors: u64,
    ) -> Result<PairCounts, ScoreError> {
        for (text, ids) in [(reference, &mut self.reference), (hypothesis, &mut self.hypothesis)] {
            ids.clear();
            ids.extend(ends.cut(text).bytes().map(u32::from));
        }
        let (chars, chars_min_errors) =
            match align_counts(&self.reference, &self.hypothesis, self.weights, &mut self.scratch) {
                // The words were not too many: the pair keeps its word counts.
                Err(ScoreError::TooLong { .. }) => (ErrorCounts::ZERO, 0),
                counted => counted
                    .map(|(c, least)| (ErrorCounts { hits: c.hits + (ends.head + ends.tail) as u64, ..c }, least))?,
            };
        Ok(PairCounts { words, words_min_errors, chars, chars_min_errors })
    }
}

/// Printable ASCII: words end at spaces only, a character is a byte.
fn is_plain(text: &str) -> bool {
    // Every byte is looked at: without an early end the compiler takes many at once.
    text.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b))
}

/// Bytes that both texts have in common at the beginning and at the end, without overlap.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    head: usize,
    tail: usize,
}

impl Ends {
    fn of(a: &[u8], b: &[u8]) -> Self {
        let head = common(a.chunks(16).zip(b.chunks(16)), |bytes| {
            let mut padded = [0; 16];
            padded[..bytes.len()].copy_from_slice(bytes);
            u128::from_le_bytes(padded)
        });
        let tail = common(a[head..].rchunks(16).zip(b[head..].rchunks(16)), |bytes| {
            let mut padded = [0; 16];
            padded[16 - bytes.len()..].copy_from_slice(bytes);
            u128::from_be_bytes(padded)
        });
        Self { head, tail }
    }

    /// The same in whole words, with their number: the head ends behind a space, the tail begins with one.
    fn of_words(&self, a: &[u8], b: &[u8]) -> (Self, u64) {
        let head = if self.head == a.len() && self.head == b.len() {
            self.head
        } else {
            a[..self.head].iter().rposition(|c| *c == b' ').map_or(0, |at| at + 1)
        };
        let from = a.len() - self.tail;
        let tail = a[from..].iter().position(|c| *c == b' ').map_or(0, |at| self.tail - at);
        let count = |text: &[u8]| text.split(|c| *c == b' ').filter(|word| !word.is_empty()).count() as u64;
        let hits = count(&a[..head]) + count(&a[a.len() - tail..]);
        (Self { head, tail }, hits)
    }

    fn cut<'t>(&self, text: &'t str) -> &'t str {
        &text[self.head..text.len() - self.tail]
    }
}

/// How many bytes are the same before the first difference, sixteen at a time; `number` puts the first one lowest.
fn common<'t>(pieces: impl Iterator<Item = (&'t [u8], &'t [u8])>, number: impl Fn(&[u8]) -> u128) -> usize {
    let mut same = 0;
    for (a, b) in pieces {
        let length = a.len().min(b.len());
        let first = ((number(a) ^ number(b)).trailing_zeros() / 8) as usize;
        same += first.min(length);
        if first.min(length) < 16 {
            break;
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_rate::score_pair_with;
    use rand::Rng;
    use vbench_core::keyed::keyed_rng;

    #[test]
    fn counts_are_those_of_a_pair_scored_alone() {
        let words = ["a", "ab", "abc", "b", " ", "  ", "naïve", "é", "", "\t", "sixteen-bytes-xy", "ba", "a\u{301}"];
        let normalizers = [Normalizer::None, Normalizer::WhisperEn];
        for case in 0..20_000u32 {
            let mut rng = keyed_rng(3, "corpus", &case.to_string(), "");
            let mut below = |n: u32| (rng.next_u32() % n) as usize;
            // Plain texts most of the time, and neighbours of one another.
            let kinds = if below(4) == 0 { words.len() } else { 6 } as u32;
            let reference: Vec<&str> = (0..below(12)).map(|_| words[below(kinds)]).collect();
            let mut hypothesis = reference.clone();
            for _ in 0..below(4) {
                let at = below(hypothesis.len() as u32 + 1);
                match below(3) {
                    0 => hypothesis.insert(at, words[below(kinds)]),
                    1 if at < hypothesis.len() => drop(hypothesis.remove(at)),
                    _ => hypothesis.truncate(at.max(1)),
                }
            }
            let glue = if below(5) == 0 { "" } else { " " };
            let (r, h) = (reference.join(glue), hypothesis.join(glue));
            for normalizer in &normalizers {
                for weights in [Weights::Sclite, Weights::Levenshtein] {
                    for unit in [CharUnit::Grapheme, CharUnit::CodePoint] {
                        let alone = score_pair_with(&r, &h, normalizer, weights, unit).unwrap().counts();
                        let mut counter = PairCounter::new(normalizer, weights, unit);
                        assert_eq!(counter.count(&r, &h).unwrap(), alone, "{r:?} {h:?} {weights:?}");
                    }
                }
            }
        }
    }
}
