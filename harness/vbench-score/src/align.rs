//! Token alignment with stated weights and a stated order of ties.
//!
//! **Order of ties.** Among alignments of equal cost the one is taken that a back-trace from the end finds when it
//! prefers, at every cell, the diagonal (hit or substitution), then the insertion, then the deletion. With the weights
//! 0/3/3/4 this gives the same operations, one by one, as `sctk sclite` 2.10.
//!
//! **Speed.** Only a band of the table around the diagonal can hold an optimal alignment: with Levenshtein distance d
//! the optimum costs at most `d * substitution`, so it has at most `d * substitution / insertion` insertions and
//! deletions together, and their difference is fixed by the lengths. Cells outside the band cost more than the optimum,
//! so leaving them out changes neither the optimum nor any tie on it. A common end is cut off first: with the diagonal
//! preferred, the back-trace takes those hits anyway. (A common beginning is not: ties may lie across it.)
//!
//! **Memory.** Two bits a cell of the band; where that exceeds [`TRACE_BYTES`], rows of costs are kept at intervals and
//! the trace is computed again piece by piece from the end, with the same result.

use vbench_core::ErrorCounts;

use crate::distance::levenshtein;
use crate::error::ScoreError;

/// Costs of the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Weights {
    /// Hit 0, insertion 3, deletion 3, substitution 4, as in sclite. The number of errors may exceed the Levenshtein
    /// distance, which is therefore kept beside it.
    #[default]
    Sclite,
    /// Every error 1: the number of errors is the Levenshtein distance.
    Levenshtein,
}

impl Weights {
    /// The name that results carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sclite => "sclite",
            Self::Levenshtein => "levenshtein",
        }
    }

    /// The inverse of [`Weights::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sclite, Self::Levenshtein].into_iter().find(|w| w.name() == name)
    }

    const fn substitution(self) -> u32 {
        match self {
            Self::Sclite => 4,
            Self::Levenshtein => 1,
        }
    }

    /// Cost of an insertion and of a deletion.
    const fn gap(self) -> u32 {
        match self {
            Self::Sclite => 3,
            Self::Levenshtein => 1,
        }
    }

    /// Weighted cost of an alignment.
    #[must_use]
    pub fn cost(self, counts: &ErrorCounts) -> u64 {
        u64::from(self.substitution()) * counts.sub + u64::from(self.gap()) * (counts.del + counts.ins)
    }
}

/// One operation, with positions in the two token sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlignOp {
    /// Equal tokens.
    Hit {
        /// Position in the reference.
        reference: u32,
        /// Position in the hypothesis.
        hypothesis: u32,
    },
    /// Different tokens opposite each other.
    Sub {
        /// Position in the reference.
        reference: u32,
        /// Position in the hypothesis.
        hypothesis: u32,
    },
    /// A reference token without counterpart.
    Del {
        /// Position in the reference.
        reference: u32,
    },
    /// A hypothesis token without counterpart.
    Ins {
        /// Position in the hypothesis.
        hypothesis: u32,
    },
}

/// An alignment of two token sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment {
    /// Operations in order.
    pub ops: Vec<AlignOp>,
    /// Their numbers.
    pub counts: ErrorCounts,
    /// Levenshtein distance: the least number of errors any alignment has.
    pub total_min: u64,
}

/// Bytes of trace held at once.
pub const TRACE_BYTES: usize = 64 << 20;

/// Largest number of cells in the band: a pair of 100,000 unrelated tokens each stays below it.
pub const MAX_CELLS: u64 = 1 << 35;

/// Aligns two token sequences; equal numbers are equal tokens.
///
/// # Errors
/// [`ScoreError::TooLong`] when the band has more than [`MAX_CELLS`] cells.
pub fn align(reference: &[u32], hypothesis: &[u32], weights: Weights) -> Result<Alignment, ScoreError> {
    align_within(reference, hypothesis, weights, TRACE_BYTES)
}

fn align_within(
    reference: &[u32],
    hypothesis: &[u32],
    weights: Weights,
    trace_bytes: usize,
) -> Result<Alignment, ScoreError> {
    let tail = reference.iter().rev().zip(hypothesis.iter().rev()).take_while(|(r, h)| r == h).count();
    let (r, h) = (&reference[..reference.len() - tail], &hypothesis[..hypothesis.len() - tail]);
    let total_min = levenshtein(r, h);
    let mut ops = Vec::with_capacity(reference.len().max(hypothesis.len()) + total_min as usize);
    if total_min > 0 {
        let band = Band::new(r, h, weights, total_min)?;
        band.trace_back(trace_bytes, &mut ops);
        ops.reverse();
    }
    let (r0, h0) = (r.len() as u32, h.len() as u32);
    ops.extend((0..tail as u32).map(|i| AlignOp::Hit { reference: r0 + i, hypothesis: h0 + i }));
    let mut counts = ErrorCounts::ZERO;
    for op in &ops {
        *match op {
            AlignOp::Hit { .. } => &mut counts.hits,
            AlignOp::Sub { .. } => &mut counts.sub,
            AlignOp::Del { .. } => &mut counts.del,
            AlignOp::Ins { .. } => &mut counts.ins,
        } += 1;
    }
    Ok(Alignment { ops, counts, total_min })
}

const DIAGONAL: u64 = 0;
const INSERTION: u64 = 1;
const DELETION: u64 = 2;

/// A cost that no path has; adding to it does not overflow.
const FAR: u32 = u32::MAX / 2;

/// Cells of a trace word.
const PER_WORD: usize = 32;

/// The table around the diagonal. Row i is reference position i; its column k is hypothesis position `i + k - left`.
struct Band<'a> {
    reference: &'a [u32],
    hypothesis: &'a [u32],
    substitution: u32,
    gap: u32,
    /// Columns left of the diagonal: most deletions an optimal path can have.
    left: usize,
    width: usize,
}

impl<'a> Band<'a> {
    fn new(reference: &'a [u32], hypothesis: &'a [u32], weights: Weights, distance: u64) -> Result<Self, ScoreError> {
        let (n, m) = (reference.len(), hypothesis.len());
        let (substitution, gap) = (weights.substitution(), weights.gap());
        // An upper bound of the cost: d errors at the price of a substitution. (A gap is cheaper.)
        let gaps = (distance * u64::from(substitution) / u64::from(gap)) as usize;
        let left = (gaps + n).saturating_sub(m) / 2;
        let right = (gaps + m).saturating_sub(n) / 2;
        let (left, right) = (left.min(n), right.min(m));
        let width = left + right + 1;
        let cells = (n as u64 + 1) * width as u64;
        if cells > MAX_CELLS {
            return Err(ScoreError::TooLong { reference: n, hypothesis: m, cells, limit: MAX_CELLS });
        }
        Ok(Self { reference, hypothesis, substitution, gap, left, width })
    }

    fn words_per_row(&self) -> usize {
        self.width.div_ceil(PER_WORD)
    }

    /// Costs of row 0, one beyond the band at the end.
    fn first_row(&self) -> Vec<u32> {
        let mut row = vec![FAR; self.width + 1];
        for (j, cost) in row[self.left..self.width].iter_mut().enumerate() {
            *cost = j as u32 * self.gap;
        }
        row
    }

    /// Turns the costs of row i - 1 into those of row i (i >= 1); writes 2 bits a cell when given room for them.
    #[inline]
    fn next_row<const TRACE: bool>(&self, i: usize, row: &mut [u32], trace: &mut [u64]) {
        let m = self.hypothesis.len();
        let token = self.reference[i - 1];
        let mut from = self.left.saturating_sub(i);
        let to = (m + self.left + 1).saturating_sub(i).min(self.width);
        let mut previous = FAR;
        if i <= self.left {
            // Hypothesis position 0: only deletions lead here.
            previous = row[from + 1] + self.gap;
            row[from] = previous;
            if TRACE {
                trace[from / PER_WORD] |= DELETION << (2 * (from % PER_WORD));
            }
            from += 1;
        }
        if from >= to {
            return;
        }
        // The cell's column k stands for hypothesis position i + k - left; its token is one before.
        let first = i + from - self.left - 1;
        let tokens = &self.hypothesis[first..first + (to - from)];
        for (k, other) in (from..to).zip(tokens) {
            let mut cost = row[k] + if token == *other { 0 } else { self.substitution };
            let mut op = DIAGONAL;
            let inserted = previous + self.gap;
            if inserted < cost {
                (cost, op) = (inserted, INSERTION);
            }
            let deleted = row[k + 1] + self.gap;
            if deleted < cost {
                (cost, op) = (deleted, DELETION);
            }
            row[k] = cost;
            previous = cost;
            if TRACE {
                trace[k / PER_WORD] |= op << (2 * (k % PER_WORD));
            }
        }
    }

    /// Pushes the operations from the end to the beginning.
    fn trace_back(&self, trace_bytes: usize, ops: &mut Vec<AlignOp>) {
        let n = self.reference.len();
        let per_row = self.words_per_row();
        let fits = (trace_bytes / (8 * per_row)).max(1);
        let rows_per_block = if n <= fits { n.max(1) } else { self.block_rows(fits) };
        let starts: Vec<usize> = (0..n).step_by(rows_per_block).collect();
        let mut row = self.first_row();
        let mut kept = Vec::with_capacity(starts.len());
        for (block, start) in starts.iter().enumerate() {
            kept.push(row.clone());
            if block + 1 < starts.len() {
                for i in start + 1..=start + rows_per_block {
                    self.next_row::<false>(i, &mut row, &mut []);
                }
            }
        }
        let (mut i, mut j) = (n, self.hypothesis.len());
        let mut trace = Vec::new();
        for start in starts.into_iter().rev() {
            let mut row = kept.pop().unwrap_or_default();
            trace.clear();
            trace.resize((i - start) * per_row, 0u64);
            for (r, bits) in trace.chunks_exact_mut(per_row).enumerate() {
                self.next_row::<true>(start + 1 + r, &mut row, bits);
            }
            while i > start {
                let k = j + self.left - i;
                let bits = trace[(i - start - 1) * per_row + k / PER_WORD] >> (2 * (k % PER_WORD)) & 3;
                self.step(bits, &mut i, &mut j, ops);
            }
        }
        while j > 0 {
            self.step(INSERTION, &mut i, &mut j, ops);
        }
    }

    /// Rows of trace a block: what fits, or a little more where the kept rows of costs would weigh more than that
    /// (they take 16 times the bytes of a row of trace).
    fn block_rows(&self, fits: usize) -> usize {
        let balanced = (16 * self.reference.len()).isqrt();
        fits.max(balanced)
    }

    fn step(&self, bits: u64, i: &mut usize, j: &mut usize, ops: &mut Vec<AlignOp>) {
        match bits {
            INSERTION => {
                *j -= 1;
                ops.push(AlignOp::Ins { hypothesis: *j as u32 });
            }
            DELETION => {
                *i -= 1;
                ops.push(AlignOp::Del { reference: *i as u32 });
            }
            _ => {
                *i -= 1;
                *j -= 1;
                let (reference, hypothesis) = (*i as u32, *j as u32);
                ops.push(if self.reference[*i] == self.hypothesis[*j] {
                    AlignOp::Hit { reference, hypothesis }
                } else {
                    AlignOp::Sub { reference, hypothesis }
                });
            }
        }
    }
}

/// The operations as letters: C hit, S substitution, D deletion, I insertion.
#[must_use]
pub fn letters(ops: &[AlignOp]) -> String {
    ops.iter()
        .map(|op| match op {
            AlignOp::Hit { .. } => 'C',
            AlignOp::Sub { .. } => 'S',
            AlignOp::Del { .. } => 'D',
            AlignOp::Ins { .. } => 'I',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use vbench_core::keyed::keyed_rng;

    /// The whole table and the stated order of ties, without band, cut-off or pieces.
    fn plain(a: &[u32], b: &[u32], weights: Weights) -> String {
        let (n, m, gap) = (a.len(), b.len(), weights.gap());
        let pair = |i: usize, j: usize| {
            if a[i - 1] == b[j - 1] { 0 } else { weights.substitution() }
        };
        let mut cost = vec![vec![0u32; m + 1]; n + 1];
        for i in 0..=n {
            for j in 0..=m {
                let mut best = if i + j == 0 { 0 } else { u32::MAX };
                if i > 0 && j > 0 {
                    best = best.min(cost[i - 1][j - 1] + pair(i, j));
                }
                if j > 0 {
                    best = best.min(cost[i][j - 1] + gap);
                }
                if i > 0 {
                    best = best.min(cost[i - 1][j] + gap);
                }
                cost[i][j] = best;
            }
        }
        let (mut i, mut j) = (n, m);
        let mut out = Vec::new();
        while i + j > 0 {
            if i > 0 && j > 0 && cost[i][j] == cost[i - 1][j - 1] + pair(i, j) {
                out.push(if pair(i, j) == 0 { 'C' } else { 'S' });
                (i, j) = (i - 1, j - 1);
            } else if j > 0 && cost[i][j] == cost[i][j - 1] + gap {
                out.push('I');
                j -= 1;
            } else {
                out.push('D');
                i -= 1;
            }
        }
        out.iter().rev().collect()
    }

    #[test]
    fn band_and_pieces_take_the_alignment_of_the_whole_table() {
        for case in 0..3_000 {
            let mut rng = keyed_rng(1, "align", &case.to_string(), "");
            let mut below = |n: u32| rng.next_u32() % n;
            let kinds = [2, 3, 5, 20][below(4) as usize];
            let n = below(60);
            let a: Vec<u32> = (0..n).map(|_| below(kinds)).collect();
            let b: Vec<u32> = if below(2) == 0 {
                let m = below(60);
                (0..m).map(|_| below(kinds)).collect()
            } else {
                a.iter()
                    .flat_map(|t| {
                        [vec![*t], vec![], vec![below(kinds)], vec![*t, *t]][(below(12).min(3)) as usize].clone()
                    })
                    .collect()
            };
            for weights in [Weights::Sclite, Weights::Levenshtein] {
                let expected = plain(&a, &b, weights);
                assert_eq!(letters(&align(&a, &b, weights).unwrap().ops), expected, "{a:?} {b:?}");
                // Room for one row of trace at a time: several pieces.
                let in_pieces = align_within(&a, &b, weights, 8).unwrap();
                assert_eq!(letters(&in_pieces.ops), expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn long_pairs_are_aligned_in_pieces_with_the_same_result() {
        let mut rng = keyed_rng(2, "align", "", "");
        let a: Vec<u32> = (0..3_000).map(|_| rng.next_u32() % 500).collect();
        let b: Vec<u32> = (0..2_500).map(|_| rng.next_u32() % 500).collect();
        let whole = align(&a, &b, Weights::Sclite).unwrap();
        let pieces = align_within(&a, &b, Weights::Sclite, 1 << 16).unwrap();
        assert_eq!(whole, pieces);
        assert!(whole.counts.errors() > 0);
    }

    #[test]
    fn a_table_beyond_the_limit_is_refused_with_its_size() {
        let a: Vec<u32> = (0..200_000).collect();
        let b: Vec<u32> = (200_000..400_000).collect();
        let refused = align(&a, &b, Weights::Sclite).unwrap_err();
        assert!(matches!(refused, ScoreError::TooLong { reference: 200_000, hypothesis: 200_000, .. }), "{refused}");
    }
}
