//! Counts of the best alignment of two streams, computed in windows of the table and in memory linear in the words.
//!
//! Every error costs 1. Among alignments with the fewest errors the one is counted that a back-trace from the end finds
//! when it prefers, at every cell, the insertion, then the deletion, then the diagonal (hit or substitution). This is the
//! order of Kaldi's `compute-wer`, kaldialign and MeetEval, and not that of `crate::align`.
//!
//! No trace is kept. The choice at a cell depends on nothing behind it, so each cell carries the substitutions of its own
//! path beside its cost; with the lengths, these two give all four counts.
//!
//! **Windows.** Row by row only the columns `lo..hi` are computed. cpWER takes the band around the diagonal that
//! holds every optimal alignment, known from the Levenshtein distance. tcpWER takes the hypothesis words that may
//! overlap: the words left of the window have ended before this and all later reference words start, so a path there
//! can only delete; those right of it start after this and all earlier ones have ended, so it can only insert.
//! No cost changes, and no count: at the left edge a deletion is taken where an insertion could have tied, but the row
//! above, where the path then arrives, takes that insertion.

use vbench_core::ErrorCounts;

use super::streams::{Interval, Stream};

/// Columns that are computed for a row: hypothesis words `lo..hi`. Both ends never decrease from row to row.
#[derive(Clone, Copy)]
struct Window {
    lo: usize,
    hi: usize,
}

/// Counts of two streams without regard to time; `distance` is their Levenshtein distance.
pub(super) fn plain_counts(reference: &Stream<'_>, hypothesis: &Stream<'_>, distance: u64) -> ErrorCounts {
    let (r, h) = (&reference.words, &hypothesis.words);
    count(r, h, band(r.len(), h.len(), distance), |_, _| true)
}

/// Cells that [`plain_counts`] computes.
pub(super) fn band_cells(reference: &Stream<'_>, hypothesis: &Stream<'_>, distance: u64) -> u64 {
    band(reference.words.len(), hypothesis.words.len(), distance).map(|w| (w.hi - w.lo) as u64).sum()
}

/// Counts of two streams whose words may only stand opposite each other where their times overlap.
pub(super) fn timed_counts(reference: &Stream<'_>, hypothesis: &Stream<'_>) -> ErrorCounts {
    let (r, h) = (&reference.times, &hypothesis.times);
    let overlap = |i: usize, j: usize| r[i].start < h[j].end && r[i].end > h[j].start;
    count(&reference.words, &hypothesis.words, time_windows(r, h).into_iter(), overlap)
}

/// Cells that [`timed_counts`] computes.
pub(super) fn timed_cells(reference: &Stream<'_>, hypothesis: &Stream<'_>) -> u64 {
    time_windows(&reference.times, &hypothesis.times).iter().map(|w| (w.hi - w.lo) as u64).sum()
}

/// The band around the diagonal that holds all alignments with `distance` errors.
fn band(n: usize, m: usize, distance: u64) -> impl Iterator<Item = Window> {
    let d = distance as usize;
    // Insertions and deletions differ by m - n and are at most d together.
    let deletions = (d + n).saturating_sub(m) / 2;
    let insertions = (d + m).saturating_sub(n) / 2;
    (0..n).map(move |i| Window { lo: i.saturating_sub(deletions).min(m), hi: (i + 1 + insertions).min(m) })
}

/// The window of every reference word, for times in any order.
fn time_windows(reference: &[Interval], hypothesis: &[Interval]) -> Vec<Window> {
    let m = hypothesis.len();
    // Start of this and all later words.
    let from_here = |times: &[Interval]| {
        let mut least = i64::MAX;
        let mut starts: Vec<i64> = times
            .iter()
            .rev()
            .map(|t| {
                least = least.min(t.start);
                least
            })
            .collect();
        starts.reverse();
        starts
    };
    let (reference_starts, hypothesis_starts) = (from_here(reference), from_here(hypothesis));
    let (mut lo, mut hi) = (0, 0);
    let window = |(word, start): (&Interval, &i64)| {
        while lo < m && hypothesis[lo].end <= *start {
            lo += 1;
        }
        while hi < m && hypothesis_starts[hi] < word.end {
            hi += 1;
        }
        hi = hi.max(lo);
        Window { lo, hi }
    };
    reference.iter().zip(&reference_starts).map(window).collect()
}

/// A cell packs its cost, the preference of the step that led to it, and the substitutions on its path, so that the
/// least number is the step to take.
type Cell = u64;
/// One error. Costs take 31 bits, as do substitutions: sides have at most `MAX_WORDS` words.
const ERROR: Cell = 1 << 33;
/// Preference of a step: the lower, the better. Cleared in a stored cell.
const INSERTION: Cell = 0;
const DELETION: Cell = 1 << 31;
const DIAGONAL: Cell = 2 << 31;
const PREFERENCE: Cell = 3 << 31;
const SUBSTITUTIONS: Cell = DELETION - 1;
/// No path; above every cost.
const NEVER: Cell = 1 << 63;

fn count(
    reference: &[u32],
    hypothesis: &[u32],
    windows: impl Iterator<Item = Window>,
    may_pair: impl Fn(usize, usize) -> bool,
) -> ErrorCounts {
    let (n, m) = (reference.len(), hypothesis.len());
    // row[j]: the first j hypothesis words against the reference words so far. Valid for lo..=reached.
    let mut row: Vec<Cell> = vec![0; m + 1];
    let mut reached = 0;
    for ((i, token), window) in reference.iter().enumerate().zip(windows) {
        let Window { lo, hi } = window;
        while reached < hi {
            row[reached + 1] = row[reached] + ERROR + INSERTION;
            reached += 1;
        }
        let mut diagonal = row[lo];
        let mut left = row[lo] + ERROR;
        row[lo] = left;
        for ((j, other), cell) in (lo..hi).zip(&hypothesis[lo..hi]).zip(&mut row[lo + 1..=hi]) {
            let opposite = match (may_pair(i, j), token == other) {
                (false, _) => NEVER,
                (true, true) => diagonal + DIAGONAL,
                (true, false) => diagonal + ERROR + DIAGONAL + 1,
            };
            diagonal = *cell;
            let gap = (left + ERROR + INSERTION).min(*cell + ERROR + DELETION);
            left = gap.min(opposite) & !PREFERENCE;
            *cell = left;
        }
    }
    let end = row[reached];
    let errors = end / ERROR + (m - reached) as u64;
    let sub = end & SUBSTITUTIONS;
    // errors - sub = del + ins and n - m = del - ins.
    let del = (errors - sub + n as u64 - m as u64) / 2;
    ErrorCounts { hits: n as u64 - sub - del, sub, del, ins: errors - sub - del }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance::levenshtein;
    use rand::Rng;
    use vbench_core::keyed::keyed_rng;

    /// The whole table and a back-trace in the stated order of ties.
    fn plain(r: &[u32], h: &[u32], may_pair: impl Fn(usize, usize) -> bool) -> ErrorCounts {
        let (n, m) = (r.len(), h.len());
        let mut cost = vec![vec![0u64; m + 1]; n + 1];
        let opposite = |cost: &[Vec<u64>], i: usize, j: usize| {
            if may_pair(i - 1, j - 1) { cost[i - 1][j - 1] + u64::from(r[i - 1] != h[j - 1]) } else { u64::MAX }
        };
        for i in 0..=n {
            for j in 0..=m {
                cost[i][j] = match (i, j) {
                    (0, _) => j as u64,
                    (_, 0) => i as u64,
                    _ => (cost[i - 1][j] + 1).min(cost[i][j - 1] + 1).min(opposite(&cost, i, j)),
                };
            }
        }
        let mut counts = ErrorCounts::ZERO;
        let (mut i, mut j) = (n, m);
        while i + j > 0 {
            if j > 0 && (i == 0 || cost[i][j] == cost[i][j - 1] + 1) {
                counts.ins += 1;
                j -= 1;
            } else if i > 0 && (j == 0 || cost[i][j] == cost[i - 1][j] + 1) {
                counts.del += 1;
                i -= 1;
            } else {
                *if r[i - 1] == h[j - 1] { &mut counts.hits } else { &mut counts.sub } += 1;
                (i, j) = (i - 1, j - 1);
            }
        }
        counts
    }

    fn stream(words: Vec<u32>, times: Vec<Interval>) -> Stream<'static> {
        Stream { speaker: "", words, times }
    }

    #[test]
    fn windows_take_the_alignment_of_the_whole_table() {
        for case in 0..4_000 {
            let mut rng = keyed_rng(4, "windowed", &case.to_string(), "");
            let mut below = |n: u32| rng.next_u32() % n;
            let kinds = 1 + below(5);
            let span = [4, 20, 80][below(3) as usize];
            let mut side = || {
                let n = below(25);
                let times = (0..n).map(|_| {
                    let start = i64::from(below(span));
                    Interval { start, end: start + i64::from(below(6)) }
                });
                let times: Vec<Interval> = times.collect();
                stream(times.iter().map(|_| below(kinds)).collect(), times)
            };
            let (mut r, mut h) = (side(), side());
            if case % 2 == 0 {
                r.times.sort_by_key(|t| t.start);
                h.times.sort_by_key(|t| t.start);
            }
            let overlap = |i: usize, j: usize| r.times[i].start < h.times[j].end && r.times[i].end > h.times[j].start;
            let expected = plain(&r.words, &h.words, overlap);
            assert_eq!(timed_counts(&r, &h), expected, "{r:?} {h:?}");
            let distance = levenshtein(&r.words, &h.words);
            assert_eq!(plain_counts(&r, &h, distance), plain(&r.words, &h.words, |_, _| true), "{r:?} {h:?}");
        }
    }

    #[test]
    fn windows_are_narrow() {
        let times: Vec<Interval> = (0..10_000).map(|n| Interval { start: n, end: n + 1 }).collect();
        let words = vec![0; times.len()];
        let (r, h) = (stream(words.clone(), times.clone()), stream(words, times));
        assert!(timed_cells(&r, &h) <= 10_000);
        assert!(band_cells(&r, &h, 3) <= 3 * 10_000);
    }
}
