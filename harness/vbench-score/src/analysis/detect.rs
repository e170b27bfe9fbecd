//! Repetition and hallucination detectors: findings with evidence, not a verdict.
//!
//! - **Insertion run**: at least [`Thresholds::insertion_run`] hypothesis words in a row without a counterpart.
//! - **Loop**: the same one to [`Thresholds::loop_period`] words again and again, at least
//!   [`Thresholds::loop_words`] words and three whole repeats long, and at least
//!   [`Thresholds::loop_excess`] whole repeats more than the longest such run of the same words in the reference
//!   (counted as one repeat where it has no run). A speaker who says "no no no no" is no loop. Words are the
//!   same up to where the period is entered: "a b a b a" repeats "a b" and "b a" alike.
//! - **Text on silence**: any word where the reference is empty.
//!
//! A pair without word errors has no finding.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::align::AlignOp;
use crate::error_rate::PairScore;
use crate::tokens::FoldHasher;

/// Evidence shows at most so many words of a finding.
pub const EVIDENCE_WORDS: usize = 12;

/// When the detectors fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Inserted words in a row. Default 4: shorter runs are common in ordinary errors (a number or name split up).
    pub insertion_run: usize,
    /// Longest repeated unit in words. Default 10.
    pub loop_period: usize,
    /// Shortest loop in words. Default 4, so that "very very very" is none.
    pub loop_words: usize,
    /// Whole repeats beyond what the reference repeats. Default 2.
    pub loop_excess: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { insertion_run: 4, loop_period: 10, loop_words: 4, loop_excess: 2 }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// Many inserted words in a row.
    InsertionRun,
    /// The same words again and again, more often than in the reference.
    Loop {
        /// Words of the repeated unit.
        period: usize,
        /// Whole repeats.
        repeats: usize,
    },
    /// Words where nothing was said.
    TextOnSilence,
}

impl FindingKind {
    /// The name that results carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InsertionRun => "insertion-run",
            Self::Loop { .. } => "loop",
            Self::TextOnSilence => "text-on-silence",
        }
    }
}

/// One finding with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Utterance.
    pub id: String,
    /// What it is.
    pub kind: FindingKind,
    /// First hypothesis word, from 0.
    pub position: usize,
    /// Length in hypothesis words.
    pub length: usize,
    /// The words, at most [`EVIDENCE_WORDS`] of them, then `…`.
    pub text: String,
}

/// Runs every detector on one pair: text on silence or insertion runs by position, then loops by period and position.
#[must_use]
pub fn detect(thresholds: &Thresholds, id: &str, score: &PairScore) -> Vec<Finding> {
    let words = &score.hypothesis_tokens;
    let mut found = Vec::new();
    if score.exact || words.is_empty() {
        return found;
    }
    let mut report = |kind, position, length| {
        found.push(Finding { id: id.to_owned(), kind, position, length, text: evidence(words, position, length) });
    };
    if score.reference_tokens.is_empty() {
        report(FindingKind::TextOnSilence, 0, words.len());
    } else {
        for (position, length) in insertion_runs(&score.word_alignment, thresholds.insertion_run.max(1)) {
            report(FindingKind::InsertionRun, position, length);
        }
    }
    for period in 1..=thresholds.loop_period {
        loops(thresholds, period, &score.reference_tokens, words, &mut report);
    }
    found
}

fn evidence(words: &[String], position: usize, length: usize) -> String {
    let shown = length.min(EVIDENCE_WORDS);
    let mut text = words[position..position + shown].join(" ");
    if shown < length {
        text.push_str(" …");
    }
    text
}

/// Stretches of at least `least` insertions: first hypothesis word, length.
fn insertion_runs(ops: &[AlignOp], least: usize) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut current: Option<(usize, usize)> = None;
    for &op in ops {
        current = match (op, current) {
            (AlignOp::Ins { .. }, Some((position, length))) => Some((position, length + 1)),
            (AlignOp::Ins { hypothesis }, None) => Some((hypothesis as usize, 1)),
            (_, run) => {
                runs.extend(run.filter(|(_, length)| *length >= least));
                None
            }
        };
    }
    runs.extend(current.filter(|(_, length)| *length >= least));
    runs
}

/// Maximal stretches where every word equals the one `period` before it, at least two repeats long: first word, length.
fn periodic_runs(words: &[String], period: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = period;
    std::iter::from_fn(move || {
        while at < words.len() {
            let start = at;
            while at < words.len() && words[at] == words[at - period] {
                at += 1;
            }
            let same = at - start;
            at += 1;
            if same >= period {
                return Some((start - period, same + period));
            }
        }
        None
    })
}

/// Loops of one period; units that repeat within themselves belong to a shorter period and are left to it.
fn loops(
    thresholds: &Thresholds,
    period: usize,
    reference: &[String],
    words: &[String],
    report: &mut impl FnMut(FindingKind, usize, usize),
) {
    let mut in_reference: Option<HashMap<Vec<&str>, usize, BuildHasherDefault<FoldHasher>>> = None;
    for (position, length) in periodic_runs(words, period) {
        let repeats = length / period;
        if repeats < 3 || length < thresholds.loop_words {
            continue;
        }
        let Some(unit) = primitive_rotation(&words[position..position + period]) else { continue };
        let said = in_reference.get_or_insert_with(|| {
            let mut longest = HashMap::default();
            for (at, length) in periodic_runs(reference, period) {
                if let Some(unit) = primitive_rotation(&reference[at..at + period]) {
                    let entry = longest.entry(unit).or_insert(0);
                    *entry = length.max(*entry);
                }
            }
            longest
        });
        let said = said.get(&unit).map_or(1, |length| length / period);
        if repeats >= said + thresholds.loop_excess {
            report(FindingKind::Loop { period, repeats }, position, length);
        }
    }
}

/// The rotation of a unit that comes first in order, the same wherever a loop is entered; `None` for a unit that is
/// itself a repetition (two rotations are then equal).
fn primitive_rotation(unit: &[String]) -> Option<Vec<&str>> {
    let n = unit.len();
    if (1..n).any(|shift| n.is_multiple_of(shift) && (0..n).all(|i| unit[i] == unit[(i + shift) % n])) {
        return None;
    }
    (0..n).map(|shift| (0..n).map(|i| unit[(i + shift) % n].as_str()).collect::<Vec<_>>()).min()
}
