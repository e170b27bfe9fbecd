//! Phoneme confusions over a word alignment.
//!
//! A word that is a hit counts its phonemes as correct. A stretch of words between hits, where the word alignment marks
//! everything as wrong, is aligned phoneme by phoneme: all its reference words against all its hypothesis words, so
//! "recognise speech" can face "wreck a nice beach". A stretch with a word that no rule pronounces, or one too long to be
//! aligned, is left out and counted: half a stretch would say something false.

use std::ops::AddAssign;

use vbench_core::ErrorCounts;

use super::align::align;
use super::inventory::{INVENTORY, Phoneme};
use super::{Origin, PronunciationCache};
use crate::align::AlignOp;
use crate::error_rate::PairScore;

/// Words of both sides by how they were turned into phonemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordSources {
    /// By the dictionary.
    pub dictionary: u64,
    /// By a grapheme table.
    pub grapheme_table: u64,
    /// By letter-to-sound rules, at least in part.
    pub letter_to_sound: u64,
    /// By nothing: no rule reads them, they are in no count of phonemes.
    pub unpronounced: u64,
}

impl AddAssign for WordSources {
    fn add_assign(&mut self, other: Self) {
        self.dictionary += other.dictionary;
        self.grapheme_table += other.grapheme_table;
        self.letter_to_sound += other.letter_to_sound;
        self.unpronounced += other.unpronounced;
    }
}

/// One phoneme taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedConfusion {
    /// In the reference.
    pub reference: Phoneme,
    /// In the hypothesis.
    pub hypothesis: Phoneme,
    /// How often.
    pub count: u64,
}

/// One phoneme left out or put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedPhoneme {
    /// The phoneme.
    pub phoneme: Phoneme,
    /// How often.
    pub count: u64,
}

/// Rows and columns of the table: every phoneme, and "nothing".
const SIDE: usize = INVENTORY.len() + 1;
const NOTHING: usize = INVENTORY.len();

/// The confusion matrix of a corpus. [`PhonemeConfusions::default`] is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhonemeConfusions {
    /// Row: reference; column: hypothesis; the last of each is "nothing".
    table: Vec<u64>,
    /// Reference and hypothesis words by source.
    pub words: WordSources,
    /// Stretches of wrong words that were aligned.
    pub stretches: u64,
    /// Of these, how many sound the same on both sides: other spelling, no other phoneme.
    pub same_sound: u64,
    /// Stretches left out: a word that no rule pronounces, or too long.
    pub left_out: u64,
}

impl Default for PhonemeConfusions {
    fn default() -> Self {
        Self { table: vec![0; SIDE * SIDE], words: WordSources::default(), stretches: 0, same_sound: 0, left_out: 0 }
    }
}

impl PhonemeConfusions {
    /// Adds one scored pair. The caches must be of one pronouncer for every pair.
    pub fn add(&mut self, cache: &mut PronunciationCache<'_>, score: &PairScore) {
        for word in score.reference_tokens.iter().chain(&score.hypothesis_tokens) {
            cache.learn(word);
            match cache.get(word).map(|p| p.origin) {
                Some(Origin::Dictionary) => self.words.dictionary += 1,
                Some(Origin::GraphemeTable) => self.words.grapheme_table += 1,
                Some(Origin::LetterToSound) => self.words.letter_to_sound += 1,
                None => self.words.unpronounced += 1,
            }
        }
        let (mut reference, mut hypothesis): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for &op in &score.word_alignment {
            let (r, h) = crate::analysis::op_words(op, score);
            if matches!(op, AlignOp::Hit { .. }) {
                self.add_stretch(cache, &mut reference, &mut hypothesis);
                for phoneme in r.and_then(|word| cache.get(word)).iter().flat_map(|p| &p.phonemes) {
                    self.count(Some(*phoneme), Some(*phoneme));
                }
            } else {
                reference.extend(r);
                hypothesis.extend(h);
            }
        }
        self.add_stretch(cache, &mut reference, &mut hypothesis);
    }

    /// Aligns a stretch of wrong words and empties it.
    fn add_stretch(&mut self, cache: &PronunciationCache<'_>, reference: &mut Vec<&str>, hypothesis: &mut Vec<&str>) {
        let (reference, hypothesis) = (std::mem::take(reference), std::mem::take(hypothesis));
        if reference.is_empty() && hypothesis.is_empty() {
            return;
        }
        let sounds = |words: &[&str]| {
            let mut phonemes = Vec::new();
            for word in words {
                phonemes.extend(&cache.get(word)?.phonemes);
            }
            Some(phonemes)
        };
        let aligned = sounds(&reference)
            .zip(sounds(&hypothesis))
            .and_then(|(reference, hypothesis)| align(&reference, &hypothesis));
        let Some(steps) = aligned else {
            self.left_out += 1;
            return;
        };
        self.stretches += 1;
        self.same_sound += u64::from(steps.iter().all(|(r, h)| r == h));
        for (r, h) in steps {
            self.count(r, h);
        }
    }

    fn count(&mut self, reference: Option<Phoneme>, hypothesis: Option<Phoneme>) {
        self.table[cell(reference, hypothesis)] += 1;
    }

    /// Adds the confusions of another part of the corpus.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.table.iter_mut().zip(&other.table) {
            *mine += theirs;
        }
        self.words += other.words;
        self.stretches += other.stretches;
        self.same_sound += other.same_sound;
        self.left_out += other.left_out;
    }

    /// How often `reference` stands opposite `hypothesis`; the same phoneme twice gives its correct ones.
    #[must_use]
    pub fn of(&self, reference: Phoneme, hypothesis: Phoneme) -> u64 {
        self.table[cell(Some(reference), Some(hypothesis))]
    }

    /// How often a reference phoneme was left out.
    #[must_use]
    pub fn deleted(&self, phoneme: Phoneme) -> u64 {
        self.table[cell(Some(phoneme), None)]
    }

    /// How often a phoneme was put in.
    #[must_use]
    pub fn inserted(&self, phoneme: Phoneme) -> u64 {
        self.table[cell(None, Some(phoneme))]
    }

    /// Counts of one reference phoneme; its insertions are under `ins`.
    #[must_use]
    pub fn counts_of(&self, phoneme: Phoneme) -> ErrorCounts {
        let hits = self.of(phoneme, phoneme);
        let sub = Phoneme::all().map(|h| self.of(phoneme, h)).sum::<u64>() - hits;
        ErrorCounts { hits, sub, del: self.deleted(phoneme), ins: self.inserted(phoneme) }
    }

    /// Counts of all phonemes; their rate is a phoneme error rate given the word alignment.
    #[must_use]
    pub fn counts(&self) -> ErrorCounts {
        Phoneme::all().map(|p| self.counts_of(p)).sum()
    }

    /// No phoneme was ever wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts().errors() == 0
    }

    /// Phonemes that occur on either side, in the order of the inventory: the labels of the matrix.
    #[must_use]
    pub fn phonemes(&self) -> Vec<Phoneme> {
        Phoneme::all()
            .filter(|p| {
                self.inserted(*p) + self.deleted(*p) > 0 || Phoneme::all().any(|q| self.of(*p, q) + self.of(q, *p) > 0)
            })
            .collect()
    }

    /// The `top` most frequent substitutions: by falling count, then in the order of the inventory.
    #[must_use]
    pub fn substitutions(&self, top: usize) -> Vec<CountedConfusion> {
        let mut all: Vec<CountedConfusion> = Phoneme::all()
            .flat_map(|reference| Phoneme::all().map(move |hypothesis| (reference, hypothesis)))
            .filter(|(reference, hypothesis)| reference != hypothesis)
            .map(|(reference, hypothesis)| CountedConfusion {
                reference,
                hypothesis,
                count: self.of(reference, hypothesis),
            })
            .filter(|c| c.count > 0)
            .collect();
        all.sort_by_key(|c| std::cmp::Reverse(c.count));
        all.truncate(top);
        all
    }

    /// The `top` most frequent deletions: by falling count, then in the order of the inventory.
    #[must_use]
    pub fn deletions(&self, top: usize) -> Vec<CountedPhoneme> {
        most_frequent(top, |p| self.deleted(p))
    }

    /// The `top` most frequent insertions: by falling count, then in the order of the inventory.
    #[must_use]
    pub fn insertions(&self, top: usize) -> Vec<CountedPhoneme> {
        most_frequent(top, |p| self.inserted(p))
    }
}

fn most_frequent(top: usize, count: impl Fn(Phoneme) -> u64) -> Vec<CountedPhoneme> {
    let mut all: Vec<CountedPhoneme> = Phoneme::all()
        .map(|phoneme| CountedPhoneme { phoneme, count: count(phoneme) })
        .filter(|c| c.count > 0)
        .collect();
    all.sort_by_key(|c| std::cmp::Reverse(c.count));
    all.truncate(top);
    all
}

fn cell(reference: Option<Phoneme>, hypothesis: Option<Phoneme>) -> usize {
    let at = |p: Option<Phoneme>| p.map_or(NOTHING, Phoneme::index);
    at(reference) * SIDE + at(hypothesis)
}
