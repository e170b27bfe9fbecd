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
//! **Memory.** A byte a cell of the band; where that exceeds [`TRACE_BYTES`], anti-diagonals of costs are kept at intervals
//! and the trace is computed again piece by piece from the end, with the same result.

use vbench_core::ErrorCounts;

use crate::distance::levenshtein;
use crate::error::ScoreError;
#[cfg(target_arch = "x86_64")]
use crate::lanes;

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
    align_with(reference, hypothesis, weights, &mut Scratch::default())
}

/// As [`align`], in memory that alignments share.
///
/// # Errors
/// As [`align`].
pub fn align_with(
    reference: &[u32],
    hypothesis: &[u32],
    weights: Weights,
    scratch: &mut Scratch,
) -> Result<Alignment, ScoreError> {
    align_within(reference, hypothesis, weights, TRACE_BYTES, scratch)
}

/// Numbers of the operations that [`align`] finds, and the Levenshtein distance, without the operations.
///
/// Here a common beginning is cut off as well. Ties across it change where insertions and deletions stand, not how many
/// there are: a path enters the common part of length p at (p, j) or (i, p), where the optimum costs exactly `j - p`
/// insertions or `i - p` deletions, so every optimal rest has those and p hits.
///
/// # Errors
/// As [`align`].
pub fn align_counts(
    reference: &[u32],
    hypothesis: &[u32],
    weights: Weights,
    scratch: &mut Scratch,
) -> Result<(ErrorCounts, u64), ScoreError> {
    let head = reference.iter().zip(hypothesis).take_while(|(r, h)| r == h).count();
    let (r, h) = (&reference[head..], &hypothesis[head..]);
    let tail = r.iter().rev().zip(h.iter().rev()).take_while(|(r, h)| r == h).count();
    let (r, h) = (&r[..r.len() - tail], &h[..h.len() - tail]);
    let mut counts = ErrorCounts { hits: (head + tail) as u64, ..ErrorCounts::ZERO };
    let total_min = levenshtein(r, h);
    match (r.len() as u64, h.len() as u64) {
        (0, inserted) => counts.ins = inserted,
        (deleted, 0) => counts.del = deleted,
        (1, 1) => counts.sub = 1,
        _ => {
            let band = Band::new(r, h, weights, total_min)?;
            band.trace_back(TRACE_BYTES, scratch, &mut |op| count(&mut counts, op));
        }
    }
    Ok((counts, total_min))
}

/// Memory that alignments can share.
#[derive(Debug, Default)]
pub struct Scratch {
    narrow: Costs<i16>,
    wide: Costs<i32>,
    trace: Vec<u8>,
    #[cfg(target_arch = "x86_64")]
    lanes: lanes::Buffers,
}

fn count(counts: &mut ErrorCounts, op: AlignOp) {
    *match op {
        AlignOp::Hit { .. } => &mut counts.hits,
        AlignOp::Sub { .. } => &mut counts.sub,
        AlignOp::Del { .. } => &mut counts.del,
        AlignOp::Ins { .. } => &mut counts.ins,
    } += 1;
}

fn align_within(
    reference: &[u32],
    hypothesis: &[u32],
    weights: Weights,
    trace_bytes: usize,
    scratch: &mut Scratch,
) -> Result<Alignment, ScoreError> {
    let tail = reference.iter().rev().zip(hypothesis.iter().rev()).take_while(|(r, h)| r == h).count();
    let (r, h) = (&reference[..reference.len() - tail], &hypothesis[..hypothesis.len() - tail]);
    let total_min = levenshtein(r, h);
    let mut ops = Vec::with_capacity(reference.len().max(hypothesis.len()) + total_min as usize);
    if total_min > 0 {
        let band = Band::new(r, h, weights, total_min)?;
        band.trace_back(trace_bytes, scratch, &mut |op| ops.push(op));
        ops.reverse();
    }
    let (r0, h0) = (r.len() as u32, h.len() as u32);
    ops.extend((0..tail as u32).map(|i| AlignOp::Hit { reference: r0 + i, hypothesis: h0 + i }));
    let mut counts = ErrorCounts::ZERO;
    for op in &ops {
        count(&mut counts, *op);
    }
    Ok(Alignment { ops, counts, total_min })
}

// Costs are held times SCALE; what is added with a step carries the operation in the low bits, so that the least of three
// sums is also the one that ties prefer: the diagonal (0), the insertion, the deletion.
const INSERTION: u8 = 1;
const DELETION: u8 = 2;
const SCALE: usize = 4;

/// Cells computed at once. An anti-diagonal is rounded up to a multiple; what is computed beyond its end is never read.
const LANES: usize = 8;

/// Numbers that costs are computed in: the narrower, the more at once.
trait Cost: Copy + Ord {
    /// Tokens are compared in numbers of the same size.
    type Token: Copy + PartialEq + Default;
    /// A cost that no path has; adding two gaps to it does not overflow.
    const FAR: Self;
    fn of(value: usize) -> Self;
    /// Cells beyond the end may overflow.
    fn plus(self, other: Self) -> Self;
    fn token(token: u32) -> Self::Token;
    /// Without the operation.
    fn cost(self) -> Self;
    fn operation(self) -> u8;
}

impl Cost for i16 {
    type Token = u16;
    const FAR: Self = (Self::MAX / 2) & !3;
    fn of(value: usize) -> Self {
        value as Self
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn token(token: u32) -> u16 {
        token as u16
    }
    fn cost(self) -> Self {
        self & !3
    }
    fn operation(self) -> u8 {
        (self & 3) as u8
    }
}

impl Cost for i32 {
    type Token = u32;
    const FAR: Self = (Self::MAX / 2) & !3;
    fn of(value: usize) -> Self {
        value as Self
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn token(token: u32) -> u32 {
        token
    }
    fn cost(self) -> Self {
        self & !3
    }
    fn operation(self) -> u8 {
        (self & 3) as u8
    }
}

/// Three neighbouring anti-diagonals of costs, by reference position plus one, and the tokens.
#[derive(Debug)]
struct Costs<C: Cost> {
    before: Vec<C>,
    last: Vec<C>,
    next: Vec<C>,
    /// Pairs of anti-diagonals kept at the beginnings of pieces.
    kept: Vec<C>,
    reference: Vec<C::Token>,
    /// Backwards: along an anti-diagonal both tokens then run forwards.
    hypothesis: Vec<C::Token>,
}

impl<C: Cost> Default for Costs<C> {
    fn default() -> Self {
        let (before, last, next, kept) = Default::default();
        Self { before, last, next, kept, reference: Vec::new(), hypothesis: Vec::new() }
    }
}

impl<C: Cost> Costs<C> {
    fn start(&mut self, reference: &[u32], hypothesis: &[u32]) {
        for row in [&mut self.before, &mut self.last, &mut self.next] {
            row.clear();
            row.resize(reference.len() + 3 + LANES, C::FAR);
        }
        self.last[1] = C::of(0);
        self.kept.clear();
        let padding = || std::iter::repeat_n(C::Token::default(), LANES);
        self.reference.clear();
        self.reference.extend(reference.iter().map(|t| C::token(*t)).chain(padding()));
        self.hypothesis.clear();
        self.hypothesis.extend(hypothesis.iter().rev().map(|t| C::token(*t)).chain(padding()));
    }
}

/// The part of the table around the diagonal, walked by anti-diagonals: the cells of one do not depend on each other, so
/// that the compiler computes many at once.
struct Band<'a> {
    reference: &'a [u32],
    hypothesis: &'a [u32],
    substitution: usize,
    gap: usize,
    /// Most deletions that an optimal path can have more than insertions.
    left: usize,
    /// Most insertions that it can have more than deletions.
    right: usize,
}

impl<'a> Band<'a> {
    fn new(reference: &'a [u32], hypothesis: &'a [u32], weights: Weights, distance: u64) -> Result<Self, ScoreError> {
        let (n, m) = (reference.len(), hypothesis.len());
        let (substitution, gap) = (weights.substitution() as usize, weights.gap() as usize);
        // An upper bound of the cost: d errors at the price of a substitution. (A gap is cheaper.)
        let gaps = distance as usize * substitution / gap;
        let left = ((gaps + n).saturating_sub(m) / 2).min(n);
        let right = ((gaps + m).saturating_sub(n) / 2).min(m);
        let cells = (n as u64 + 1) * (left + right + 1) as u64;
        if cells > MAX_CELLS {
            return Err(ScoreError::TooLong { reference: n, hypothesis: m, cells, limit: MAX_CELLS });
        }
        Ok(Self { reference, hypothesis, substitution, gap, left, right })
    }

    /// First and last reference position on anti-diagonal `s`.
    fn ends(&self, s: usize) -> (usize, usize) {
        let (n, m) = (self.reference.len(), self.hypothesis.len());
        let low = s.saturating_sub(m).max(s.saturating_sub(self.right).div_ceil(2));
        let high = n.min(s).min((s + self.left) / 2);
        (low, high)
    }

    /// Costs of anti-diagonal `s` from the two before it; the operations too when given room for them.
    #[inline]
    fn advance<C: Cost, const TRACE: bool>(&self, s: usize, costs: &mut Costs<C>, trace: &mut [u8]) {
        let m = self.hypothesis.len();
        let (low, high) = self.ends(s);
        let edge = C::of(s * self.gap * SCALE);
        let (mut from, mut to) = (low, high);
        if low == 0 {
            costs.next[1] = edge;
            from = 1;
            if TRACE {
                trace[0] = INSERTION;
            }
        }
        if high == s {
            to = high - 1;
        }
        if from <= to {
            let length = (to + 1 - from).next_multiple_of(LANES);
            let next = costs.next[from + 1..][..length].as_chunks_mut::<LANES>().0;
            let diagonal = costs.before[from..][..length].as_chunks().0;
            let above = costs.last[from..][..length].as_chunks().0;
            let beside = costs.last[from + 1..][..length].as_chunks().0;
            let reference = costs.reference[from - 1..][..length].as_chunks().0;
            let hypothesis = costs.hypothesis[m + from - s..][..length].as_chunks().0;
            let ops = if TRACE { trace[from - low..][..length].as_chunks_mut::<LANES>().0 } else { &mut [][..] };
            for c in 0..length / LANES {
                let packed = self.cells(&diagonal[c], &beside[c], &above[c], &reference[c], &hypothesis[c]);
                for (next, packed) in next[c].iter_mut().zip(&packed) {
                    *next = packed.cost();
                }
                if TRACE {
                    for (op, packed) in ops[c].iter_mut().zip(&packed) {
                        *op = packed.operation();
                    }
                }
            }
        }
        // What was computed beyond the end, or the column before it, must not look like part of the band.
        costs.next[low] = C::FAR;
        costs.next[high + 2] = C::FAR;
        if high == s {
            costs.next[high + 1] = edge;
            if TRACE {
                trace[high - low] = DELETION;
            }
        }
        std::mem::swap(&mut costs.before, &mut costs.last);
        std::mem::swap(&mut costs.last, &mut costs.next);
    }

    #[inline(always)]
    fn cells<C: Cost>(
        &self,
        diagonal: &[C; LANES],
        beside: &[C; LANES],
        above: &[C; LANES],
        reference: &[C::Token; LANES],
        hypothesis: &[C::Token; LANES],
    ) -> [C; LANES] {
        let [free, substituted] = [0, self.substitution * SCALE].map(C::of);
        let [inserted, deleted] = [INSERTION, DELETION].map(|op| C::of(self.gap * SCALE + usize::from(op)));
        let mut packed = [free; LANES];
        for k in 0..LANES {
            let cost = diagonal[k].plus(if reference[k] == hypothesis[k] { free } else { substituted });
            packed[k] = cost.min(beside[k].plus(inserted)).min(above[k].plus(deleted));
        }
        packed
    }

    /// Tells the operations from the end to the beginning.
    fn trace_back(&self, trace_bytes: usize, scratch: &mut Scratch, told: &mut impl FnMut(AlignOp)) {
        // No cost exceeds that of deleting and inserting everything; FAR must stay above it.
        let costs = (self.reference.len() + self.hypothesis.len() + 2) * self.gap * SCALE;
        let tokens = self.reference.iter().chain(self.hypothesis).max();
        #[cfg(target_arch = "x86_64")]
        if lanes::fits(self.left, self.right, costs) && tokens.is_none_or(|t| *t <= lanes::TOKEN_MAX) {
            let (reference, hypothesis, right) = (self.reference, self.hypothesis, self.right);
            let (gap, substitution) = ((self.gap * SCALE) as i16, (self.substitution * SCALE) as i16);
            let narrow = lanes::Narrow { reference, hypothesis, right, gap, substitution };
            let (mut i, mut j) = (reference.len(), hypothesis.len());
            return narrow.trace_back(self.left, &mut scratch.lanes, |op| self.step(op, &mut i, &mut j, told));
        }
        if costs < usize::from(i16::FAR as u16) && tokens.is_none_or(|t| *t <= u32::from(u16::MAX)) {
            self.in_pieces(trace_bytes, &mut scratch.narrow, &mut scratch.trace, told);
        } else {
            self.in_pieces(trace_bytes, &mut scratch.wide, &mut scratch.trace, told);
        }
    }

    fn in_pieces<C: Cost>(
        &self,
        trace_bytes: usize,
        costs: &mut Costs<C>,
        trace: &mut Vec<u8>,
        told: &mut impl FnMut(AlignOp),
    ) {
        let (n, m) = (self.reference.len(), self.hypothesis.len());
        // Room for whole lanes behind the last cell.
        let width = (self.left + self.right) / 2 + 1 + LANES;
        let piece = self.piece_length(trace_bytes, width, size_of::<C>());
        costs.start(self.reference, self.hypothesis);
        // Pieces are (start, start + piece]; at every start the two anti-diagonals before it are kept.
        let last_piece = (n + m - 1) / piece;
        for start in (0..=last_piece).map(|p| p * piece) {
            self.keep(start, width, costs);
            if start / piece < last_piece {
                for s in start + 1..=start + piece {
                    self.advance::<C, false>(s, costs, &mut []);
                }
            }
        }
        let (mut i, mut j) = (n, m);
        for start in (0..=last_piece).rev().map(|p| p * piece) {
            self.recall(start, start / piece, width, costs);
            trace.resize((i + j - start) * width, 0);
            for s in start + 1..=i + j {
                let at = (s - start - 1) * width;
                self.advance::<C, true>(s, costs, &mut trace[at..at + width]);
            }
            while i + j > start {
                let s = i + j;
                let op = trace[(s - start - 1) * width + i - self.ends(s).0];
                self.step(op, &mut i, &mut j, told);
            }
        }
    }

    /// Anti-diagonals a piece: all, or what fits, or more where the kept costs would weigh more than the trace.
    fn piece_length(&self, trace_bytes: usize, width: usize, cost_bytes: usize) -> usize {
        let all = self.reference.len() + self.hypothesis.len();
        let fits = trace_bytes / width;
        if fits >= all { all } else { fits.max((2 * cost_bytes * all).isqrt()).max(1) }
    }

    /// First kept position of an anti-diagonal, so that `width + 2` costs hold it with its borders.
    fn keep<C: Cost>(&self, s: usize, width: usize, costs: &mut Costs<C>) {
        for (back, row) in [(1, &costs.before), (0, &costs.last)] {
            let low = self.ends(s.saturating_sub(back)).0;
            let end = (low + width + 2).min(row.len());
            costs.kept.extend_from_slice(&row[low..end]);
            costs.kept.extend(std::iter::repeat_n(C::FAR, low + width + 2 - end));
        }
    }

    fn recall<C: Cost>(&self, s: usize, piece: usize, width: usize, costs: &mut Costs<C>) {
        let at = piece * 2 * (width + 2);
        for (k, row) in [&mut costs.before, &mut costs.last].into_iter().enumerate() {
            let low = self.ends(s.saturating_sub(1 - k)).0;
            let end = (low + width + 2).min(row.len());
            let from = at + k * (width + 2);
            row[low..end].copy_from_slice(&costs.kept[from..from + end - low]);
        }
    }

    #[inline]
    fn step(&self, op: u8, i: &mut usize, j: &mut usize, told: &mut impl FnMut(AlignOp)) {
        match op {
            INSERTION => {
                *j -= 1;
                told(AlignOp::Ins { hypothesis: *j as u32 });
            }
            DELETION => {
                *i -= 1;
                told(AlignOp::Del { reference: *i as u32 });
            }
            _ => {
                *i -= 1;
                *j -= 1;
                let (reference, hypothesis) = (*i as u32, *j as u32);
                told(if self.reference[*i] == self.hypothesis[*j] {
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
                let whole = align(&a, &b, weights).unwrap();
                let counted = align_counts(&a, &b, weights, &mut Scratch::default()).unwrap();
                assert_eq!(counted, (whole.counts, whole.total_min), "{a:?} {b:?}");
                assert_eq!(letters(&align(&a, &b, weights).unwrap().ops), expected, "{a:?} {b:?}");
                // The way of wide bands, whole and with room for a few cells of trace at a time.
                for trace_bytes in [TRACE_BYTES, 8] {
                    let mut ops = Vec::new();
                    let band = Band::new(&a, &b, weights, levenshtein(&a, &b)).unwrap();
                    if a.len() + b.len() > 0 {
                        band.in_pieces(trace_bytes, &mut Costs::<i16>::default(), &mut Vec::new(), &mut |op| {
                            ops.push(op)
                        });
                    }
                    ops.reverse();
                    assert_eq!(letters(&ops), expected, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn long_pairs_are_aligned_in_pieces_with_the_same_result() {
        let mut rng = keyed_rng(2, "align", "", "");
        let a: Vec<u32> = (0..3_000).map(|_| rng.next_u32() % 500).collect();
        let b: Vec<u32> = (0..2_500).map(|_| rng.next_u32() % 500).collect();
        let whole = align(&a, &b, Weights::Sclite).unwrap();
        let pieces = align_within(&a, &b, Weights::Sclite, 1 << 16, &mut Scratch::default()).unwrap();
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
