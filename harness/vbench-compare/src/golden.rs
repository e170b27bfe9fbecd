//! Accepted transcripts against today's: how each cell differs.

use crate::pair::{Pair, Pairing, SideCell};

/// How a transcript differs from the accepted one, from harmless to harmful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceClass {
    /// The same text.
    Identical,
    /// The same after normalising.
    Equal,
    /// Other words, as many errors.
    Neutral,
    /// Fewer errors.
    Fixed,
    /// More errors, or no transcript any more.
    Broken,
}

impl DifferenceClass {
    /// All classes in order.
    pub const ALL: [Self; 5] = [Self::Identical, Self::Equal, Self::Neutral, Self::Fixed, Self::Broken];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Equal => "equal",
            Self::Neutral => "neutral",
            Self::Fixed => "fixed",
            Self::Broken => "broken",
        }
    }

    /// The inverse of [`DifferenceClass::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// What it means, in words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Identical => "the same text",
            Self::Equal => "equal after normalising",
            Self::Neutral => "other words, as many errors",
            Self::Fixed => "fewer errors",
            Self::Broken => "more errors, or no transcript",
        }
    }
}

/// One cell of a golden against today.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenDifference {
    /// `corpus/utterance/condition`.
    pub place: String,
    /// How it differs.
    pub class: DifferenceClass,
    /// Raw reference.
    pub reference: String,
    /// Accepted transcript.
    pub accepted: String,
    /// Today's; `None` where there is none.
    pub now: Option<String>,
    /// Word errors of the accepted one and of today's.
    pub errors: (u64, u64),
}

/// A golden (first side) against a run (second side).
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenDiff {
    /// Every cell of the golden that the run has or should have, in the run's order, the lost ones last.
    pub cells: Vec<GoldenDifference>,
    /// Cells that the golden does not hold yet.
    pub new: Vec<String>,
    /// Cells of the golden that the run did not plan: not judged.
    pub unplanned: Vec<String>,
    /// Cells whose reference text changed: to be accepted anew.
    pub reference_differs: Vec<String>,
    /// Compared cells that heard other audio.
    pub audio_differs: Vec<String>,
}

impl GoldenDiff {
    /// Cells of a class.
    #[must_use]
    pub fn count(&self, class: DifferenceClass) -> usize {
        self.cells.iter().filter(|c| c.class == class).count()
    }

    /// No cell broken, none without a golden, no reference changed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.count(DifferenceClass::Broken) == 0 && self.new.is_empty() && self.reference_differs.is_empty()
    }
}

/// The class of one cell.
#[must_use]
pub fn classify(accepted: &SideCell, now: &SideCell) -> DifferenceClass {
    let (before, after) = (accepted.scored.words.errors(), now.scored.words.errors());
    if accepted.hypothesis == now.hypothesis {
        DifferenceClass::Identical
    } else if accepted.normalized == now.normalized {
        DifferenceClass::Equal
    } else {
        match after.cmp(&before) {
            std::cmp::Ordering::Equal => DifferenceClass::Neutral,
            std::cmp::Ordering::Less => DifferenceClass::Fixed,
            std::cmp::Ordering::Greater => DifferenceClass::Broken,
        }
    }
}

/// Classes every cell of a pairing of golden and run. `lost` are the golden's cells that the run planned and has no
/// transcript for.
#[must_use]
pub fn golden_diff(pairing: &Pairing<'_>, lost: &[&SideCell]) -> GoldenDiff {
    let of = |pair: &Pair<'_>| GoldenDifference {
        place: pair.b.place(),
        class: classify(pair.a, pair.b),
        reference: pair.b.reference.clone(),
        accepted: pair.a.hypothesis.clone(),
        now: Some(pair.b.hypothesis.clone()),
        errors: (pair.a.scored.words.errors(), pair.b.scored.words.errors()),
    };
    let gone = |cell: &&SideCell| GoldenDifference {
        place: cell.place(),
        class: DifferenceClass::Broken,
        reference: cell.reference.clone(),
        accepted: cell.hypothesis.clone(),
        now: None,
        errors: (cell.scored.words.errors(), cell.scored.words.reference()),
    };
    GoldenDiff {
        cells: pairing.pairs.iter().map(of).chain(lost.iter().map(gone)).collect(),
        new: pairing.left_out.only_b.clone(),
        unplanned: pairing.left_out.only_a.clone(),
        reference_differs: pairing.left_out.reference_differs.clone(),
        audio_differs: pairing.audio_differs.clone(),
    }
}
