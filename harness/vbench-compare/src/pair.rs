//! Two sides of a comparison: which cells they share, and what was left out.

use std::collections::HashMap;

use vbench_score::analysis::WordClass;
use vbench_stats::mapsswe::UtteranceOutcome;

use crate::scored::ScoredCell;

/// Kinds of word error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Another word.
    Substitution,
    /// A reference word left out.
    Deletion,
    /// A word that was not said.
    Insertion,
}

impl ErrorKind {
    /// All kinds, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Substitution, Self::Deletion, Self::Insertion];

    /// The name shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Substitution => "substitutions",
            Self::Deletion => "deletions",
            Self::Insertion => "insertions",
        }
    }
}

/// Word errors of one cell by kind and class of word: of the reference word, or of the inserted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorTable([[u64; WordClass::ALL.len()]; ErrorKind::ALL.len()]);

impl ErrorTable {
    /// Counts one error.
    pub fn add(&mut self, kind: ErrorKind, class: WordClass) {
        self.0[kind as usize][class as usize] += 1;
    }

    /// Errors of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: ErrorKind) -> u64 {
        self.0[kind as usize].iter().sum()
    }

    /// Errors on a class of words.
    #[must_use]
    pub fn of_class(&self, class: WordClass) -> u64 {
        self.0.iter().map(|row| row[class as usize]).sum()
    }
}

/// A cell with a hypothesis, and what comparing it needs beside its score.
#[derive(Debug, Clone, PartialEq)]
pub struct SideCell {
    /// The score.
    pub scored: ScoredCell,
    /// Raw reference text.
    pub reference: String,
    /// Raw hypothesis text.
    pub hypothesis: String,
    /// Normalised hypothesis, words joined by spaces.
    pub normalized: String,
    /// SHA-256 of what the model heard; empty when not known.
    pub audio_sha256: String,
    /// Word errors by kind and class.
    pub errors: ErrorTable,
    /// Word by word, for the segment test.
    pub outcome: UtteranceOutcome,
}

impl SideCell {
    /// What the cell is apart from its model: `corpus/utterance/condition`.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.scored)
    }
}

/// `corpus/utterance/condition`.
#[must_use]
pub fn place(cell: &ScoredCell) -> String {
    format!("{}/{}/{}", cell.corpus, cell.utterance, cell.condition)
}

/// One model of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    /// Model name.
    pub model: String,
    /// Cells with a hypothesis, in plan order.
    pub cells: Vec<SideCell>,
    /// Failed and skipped cells, with zero counts.
    pub unscored: Vec<ScoredCell>,
    /// Planned cells without any outcome.
    pub outstanding: usize,
}

/// A cell that both sides have a hypothesis for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<'a> {
    /// Of the first side, the baseline.
    pub a: &'a SideCell,
    /// Of the second side.
    pub b: &'a SideCell,
}

/// Cells that are not compared, by why, named `corpus/utterance/condition`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Only the first side has them.
    pub only_a: Vec<String>,
    /// Only the second side has them.
    pub only_b: Vec<String>,
    /// The first side has no hypothesis (failed or skipped).
    pub failed_a: Vec<String>,
    /// The second side has no hypothesis.
    pub failed_b: Vec<String>,
    /// The reference texts differ, so errors are out of different words.
    pub reference_differs: Vec<String>,
}

impl LeftOut {
    /// How many in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.groups("A", "B").iter().map(|(_, cells)| cells.len()).sum()
    }

    /// The groups with why in words; `a` and `b` name the sides.
    #[must_use]
    pub fn groups(&self, a: &str, b: &str) -> Vec<(String, &[String])> {
        vec![
            (format!("only in {a}"), self.only_a.as_slice()),
            (format!("only in {b}"), self.only_b.as_slice()),
            (format!("no hypothesis in {a}"), self.failed_a.as_slice()),
            (format!("no hypothesis in {b}"), self.failed_b.as_slice()),
            ("the reference texts differ".to_owned(), self.reference_differs.as_slice()),
        ]
    }
}

/// Shared cells and the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing<'a> {
    /// Cells to compare, in the order of the second side.
    pub pairs: Vec<Pair<'a>>,
    /// Cells not compared.
    pub left_out: LeftOut,
    /// Compared cells where the models heard different audio (another seed, recipe or recording).
    pub audio_differs: Vec<String>,
}

/// Pairs the cells of two sides by corpus, utterance and condition; the model's name does not matter.
#[must_use]
pub fn pair<'a>(a: &'a Side, b: &'a Side) -> Pairing<'a> {
    let key = |c: &'a ScoredCell| (c.corpus.as_str(), c.utterance.as_str(), c.condition.as_str());
    let first: HashMap<_, &SideCell> = a.cells.iter().map(|c| (key(&c.scored), c)).collect();
    let second: HashMap<_, &SideCell> = b.cells.iter().map(|c| (key(&c.scored), c)).collect();
    let failed_a: HashMap<_, ()> = a.unscored.iter().map(|c| (key(c), ())).collect();
    let failed_b: HashMap<_, ()> = b.unscored.iter().map(|c| (key(c), ())).collect();
    let mut pairing = Pairing { pairs: Vec::new(), left_out: LeftOut::default(), audio_differs: Vec::new() };
    let out = &mut pairing.left_out;
    for cell in &b.cells {
        let at = key(&cell.scored);
        match first.get(&at) {
            None if failed_a.contains_key(&at) => out.failed_a.push(cell.place()),
            None => out.only_b.push(cell.place()),
            Some(other) if other.reference != cell.reference => out.reference_differs.push(cell.place()),
            Some(other) => {
                if other.audio_sha256 != cell.audio_sha256 {
                    pairing.audio_differs.push(cell.place());
                }
                pairing.pairs.push(Pair { a: other, b: cell });
            }
        }
    }
    for cell in a.cells.iter().filter(|c| !second.contains_key(&key(&c.scored))) {
        let failed = failed_b.contains_key(&key(&cell.scored));
        (if failed { &mut out.failed_b } else { &mut out.only_a }).push(cell.place());
    }
    // Cells that failed on both sides, or failed on one and were not planned on the other.
    for cell in a.unscored.iter().filter(|c| !second.contains_key(&key(c))) {
        out.failed_a.push(place(cell));
    }
    for cell in b.unscored.iter().filter(|c| !first.contains_key(&key(c)) && !failed_a.contains_key(&key(c))) {
        out.failed_b.push(place(cell));
    }
    pairing
}
