//! Words taken for others, left out and put in; phonemes likewise.

use rayon::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::analysis::{Confusions, CountedWord};
use vbench_score::corpus::PairCounter;
use vbench_score::phoneme::{PhonemeConfusions, PronunciationCache};
use vbench_score::tokens::words;
use vbench_score::{CharUnit, Normalizer, PairScore};

use super::{AnalysedCell, AnalysisRules};
use crate::scored::ScoredCell;

/// So many of each kind are listed.
pub const TOP_CONFUSIONS: usize = 10;

/// Languages whose words have phonemes: ISO 639 codes as `vbench_score::phoneme::Pronouncer::for_language` knows them.
pub const SPOKEN_LANGUAGES: [&str; 6] = ["en", "hi", "mr", "ne", "sa", "te"];

/// Cells aligned by one thread before the next takes some.
const CHUNK: usize = 256;

/// The most frequent word errors of a model. Totals are those of the summary's counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Confused {
    /// Word counts of all cells that could be aligned.
    pub counts: ErrorCounts,
    /// Substitution pairs by falling count, then in code point order.
    pub substitutions: Vec<ConfusedPair>,
    /// Deleted words likewise.
    pub deletions: Vec<ConfusedWord>,
    /// Inserted words likewise.
    pub insertions: Vec<ConfusedWord>,
}

/// A substitution pair.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusedPair {
    /// Normalised reference word.
    pub reference: String,
    /// What was heard instead.
    pub hypothesis: String,
    /// How often.
    pub count: u64,
    /// Share of all substitutions, 0 to 1.
    pub share: f64,
}

/// A deleted or inserted word.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusedWord {
    /// Normalised word.
    pub word: String,
    /// How often.
    pub count: u64,
    /// Share of all deletions (or insertions), 0 to 1.
    pub share: f64,
}

/// Phoneme confusions of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhonemeTable {
    /// Language of the utterances it is of.
    pub language: String,
    /// What the phonemes rest on, in words.
    pub basis: String,
    /// IPA symbols of rows and columns, n of them.
    pub labels: Vec<String>,
    /// Counts row by row, (n + 1) x (n + 1): rows are the reference, the last column holds deletions, the last row insertions.
    pub counts: Vec<u64>,
    /// All phonemes together.
    pub total: ErrorCounts,
    /// Stretches of wrong words that were aligned by sound.
    pub stretches: u64,
    /// Of these, how many sound the same on both sides.
    pub same_sound: u64,
    /// Stretches left out: a word that no rule pronounces, or too long.
    pub left_out: u64,
    /// Cells in this language.
    pub cells: usize,
    /// Cells in other languages or none: in no count.
    pub other_cells: usize,
}

/// The language with phonemes that most cells are in (ties go to the order of [`SPOKEN_LANGUAGES`]), by the tag `language`.
///
/// # Errors
///
/// In words: no cell, no language named, none with phonemes.
pub fn phoneme_language(cells: &[ScoredCell]) -> Result<&'static str, String> {
    let count = |language: &str| cells.iter().filter(|c| language_of(c) == Some(language)).count();
    let (mut best, mut most) = ("", 0);
    for language in SPOKEN_LANGUAGES {
        let n = count(language);
        if n > most {
            (best, most) = (language, n);
        }
    }
    if most > 0 {
        return Ok(best);
    }
    let mut named: Vec<&str> = cells.iter().filter_map(language_of).collect();
    named.sort_unstable();
    named.dedup();
    let known = SPOKEN_LANGUAGES.join(", ");
    Err(match (cells.is_empty(), named.is_empty()) {
        (true, _) => "nothing was scored".to_owned(),
        (_, true) => format!("no utterance names its language, and words have phonemes only in {known}"),
        _ => format!("there are no phonemes for {} (only for {known})", named.join(", ")),
    })
}

/// Primary subtag of the language of a cell.
fn language_of(cell: &ScoredCell) -> Option<&str> {
    cell.tags.get("language").and_then(|tag| tag.split(['-', '_']).next()).filter(|l| !l.is_empty())
}

/// Word and phoneme confusions. Only wrong cells are aligned again, and where there are phonemes those of their language.
pub(super) fn confusions(
    cells: &[&AnalysedCell<'_>],
    rules: &AnalysisRules<'_>,
) -> (Confused, Result<PhonemeTable, String>) {
    let spoken = |c: &ScoredCell| rules.pronouncer.is_ok_and(|(language, _)| language_of(c) == Some(language));
    let part = |chunk: &[&AnalysedCell<'_>]| {
        let mut sums = (Confusions::default(), PhonemeConfusions::default(), ErrorCounts::ZERO);
        let mut cache = rules.pronouncer.ok().map(|(_, pronouncer)| PronunciationCache::new(pronouncer));
        let mut counter = PairCounter::new(&Normalizer::None, rules.weights, CharUnit::Grapheme);
        for cell in chunk {
            let sounds = spoken(cell.cell);
            if cell.cell.words.errors() == 0 && !sounds {
                sums.2 += cell.cell.words;
                continue;
            }
            let Some(score) = align(&mut counter, cell, rules.normalizer) else { continue };
            sums.2 += score.words;
            sums.0.add(&score);
            if let (true, Some(cache)) = (sounds, &mut cache) {
                sums.1.add(cache, &score);
            }
        }
        sums
    };
    let parts: Vec<_> = cells.par_chunks(CHUNK).map(part).collect();
    let (mut words, mut phonemes, mut counts) =
        (Confusions::default(), PhonemeConfusions::default(), ErrorCounts::ZERO);
    for (w, p, c) in parts {
        words.merge(w);
        phonemes.merge(&p);
        counts += c;
    }
    let of_language = cells.iter().filter(|c| spoken(c.cell)).count();
    let phonemes = rules.pronouncer.map_err(str::to_owned).and_then(|(language, pronouncer)| {
        if of_language == 0 {
            return Err(format!("no cell of this model is in {language}"));
        }
        let (cells, others) = (of_language, cells.len() - of_language);
        Ok(table(&phonemes, language, pronouncer.describe(), (cells, others)))
    });
    (listed(&words, counts), phonemes)
}

/// The word alignment of a cell with its tokens, characters left out; nothing for texts too long to be aligned.
fn align(counter: &mut PairCounter<'_>, cell: &AnalysedCell<'_>, normalizer: &Normalizer) -> Option<PairScore> {
    let (reference, hypothesis) = (normalizer.normalize(cell.reference), normalizer.normalize(cell.hypothesis));
    let aligned = counter.align_words(&reference, &hypothesis).ok()?;
    Some(PairScore {
        exact: aligned.total_min == 0,
        words: aligned.counts,
        words_min_errors: aligned.total_min,
        chars: ErrorCounts::ZERO,
        chars_min_errors: 0,
        char_unit: CharUnit::Grapheme,
        word_alignment: aligned.ops,
        reference_tokens: words(&reference).map(str::to_owned).collect(),
        hypothesis_tokens: words(&hypothesis).map(str::to_owned).collect(),
    })
}

fn listed(words: &Confusions, counts: ErrorCounts) -> Confused {
    let share = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let word = |w: CountedWord<'_>, of: u64| ConfusedWord {
        word: w.word.to_owned(),
        count: w.count,
        share: share(w.count, of),
    };
    let pairs = words.substitutions(TOP_CONFUSIONS).into_iter().map(|p| ConfusedPair {
        reference: p.reference.to_owned(),
        hypothesis: p.hypothesis.to_owned(),
        count: p.count,
        share: share(p.count, counts.sub),
    });
    Confused {
        counts,
        substitutions: pairs.collect(),
        deletions: words.deletions(TOP_CONFUSIONS).into_iter().map(|w| word(w, counts.del)).collect(),
        insertions: words.insertions(TOP_CONFUSIONS).into_iter().map(|w| word(w, counts.ins)).collect(),
    }
}

fn table(
    confusions: &PhonemeConfusions,
    language: &str,
    basis: String,
    (cells, other_cells): (usize, usize),
) -> PhonemeTable {
    let phonemes = confusions.phonemes();
    let mut counts = Vec::with_capacity((phonemes.len() + 1) * (phonemes.len() + 1));
    for reference in &phonemes {
        counts.extend(phonemes.iter().map(|hypothesis| confusions.of(*reference, *hypothesis)));
        counts.push(confusions.deleted(*reference));
    }
    counts.extend(phonemes.iter().map(|hypothesis| confusions.inserted(*hypothesis)));
    counts.push(0);
    PhonemeTable {
        language: language.to_owned(),
        basis,
        labels: phonemes.iter().map(|p| p.ipa().to_owned()).collect(),
        counts,
        total: confusions.counts(),
        stretches: confusions.stretches,
        same_sound: confusions.same_sound,
        left_out: confusions.left_out,
        cells,
        other_cells,
    }
}
