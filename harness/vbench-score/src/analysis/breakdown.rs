//! Counts by part of the utterance and by reference length.

use vbench_core::ErrorCounts;

use crate::align::AlignOp;
use crate::analysis::count_op;
use crate::error_rate::PairScore;

/// A third of an utterance, by reference words.
///
/// Word `i` of `n` (from 0) lies in the third that holds its middle, `(i + 0.5) / n`: a single word is in the middle, two
/// are beginning and end. An insertion belongs to the part of the reference word before it; at the very start, to the
/// beginning (of a single word: to the middle, where that word is).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// First third.
    Begin,
    /// Second third.
    Middle,
    /// Last third.
    End,
    /// The reference is empty; everything here is an insertion.
    EmptyReference,
}

impl Part {
    /// Every part in order.
    pub const ALL: [Self; 4] = [Self::Begin, Self::Middle, Self::End, Self::EmptyReference];

    /// The name that results carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Middle => "middle",
            Self::End => "end",
            Self::EmptyReference => "empty-reference",
        }
    }

    /// The part of reference word `word` (from 0) of `of` words.
    #[must_use]
    pub fn of_word(word: usize, of: usize) -> Self {
        if of == 0 {
            return Self::EmptyReference;
        }
        // floor(3 (i + 1/2) / n) in whole numbers.
        match (6 * word as u64 + 3) / (2 * of as u64) {
            0 => Self::Begin,
            1 => Self::Middle,
            _ => Self::End,
        }
    }
}

/// Counts by [`Part`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByPart {
    counts: [ErrorCounts; Part::ALL.len()],
}

impl ByPart {
    /// Each part with its counts, in order.
    pub fn rows(&self) -> impl Iterator<Item = (Part, ErrorCounts)> {
        Part::ALL.into_iter().zip(self.counts)
    }

    pub(super) fn add(&mut self, score: &PairScore) {
        let of = score.reference_tokens.len();
        let mut last = 0;
        for &op in &score.word_alignment {
            if let AlignOp::Hit { reference, .. } | AlignOp::Sub { reference, .. } | AlignOp::Del { reference } = op {
                last = reference as usize;
            }
            count_op(op, &mut self.counts[Part::of_word(last, of) as usize]);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
    }
}

/// Smallest number of reference words of each length bin: 0, 1, 2-5, 6-10, 11-20, 21-40, 41 and more.
pub const LENGTH_BINS: [u64; 7] = [0, 1, 2, 6, 11, 21, 41];

/// Counts by number of reference words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByLength {
    bins: [(u64, ErrorCounts); LENGTH_BINS.len()],
}

impl ByLength {
    /// Each bin in order: its name (`2-5`, `41+`), its utterances, their counts.
    pub fn rows(&self) -> impl Iterator<Item = (String, u64, ErrorCounts)> {
        self.bins.iter().enumerate().map(|(bin, &(utterances, counts))| {
            let from = LENGTH_BINS[bin];
            let name = match LENGTH_BINS.get(bin + 1) {
                None => format!("{from}+"),
                Some(next) if next - 1 == from => from.to_string(),
                Some(next) => format!("{from}-{}", next - 1),
            };
            (name, utterances, counts)
        })
    }

    pub(super) fn add(&mut self, counts: ErrorCounts) {
        let bin = LENGTH_BINS.partition_point(|from| *from <= counts.reference()) - 1;
        self.bins[bin].0 += 1;
        self.bins[bin].1 += counts;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.bins.iter_mut().zip(other.bins) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
    }
}
