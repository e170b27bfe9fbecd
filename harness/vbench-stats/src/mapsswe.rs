//! Matched-pairs sentence-segment word error test.

use crate::error::StatsError;
use crate::special::normal_sf;

/// What one system did with one reference word, and the words it inserted before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordOutcome {
    /// Words inserted before this reference word.
    pub inserted_before: u32,
    /// The word was substituted or deleted.
    pub wrong: bool,
}

/// One system's outcome on one utterance, in reference order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UtteranceOutcome {
    /// One entry for each reference word.
    pub words: Vec<WordOutcome>,
    /// Words inserted after the last reference word.
    pub inserted_at_end: u32,
}

/// Errors of both systems in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Segment {
    /// Errors of the first system.
    pub first: u32,
    /// Errors of the second system.
    pub second: u32,
}

/// Result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapsswe {
    /// Number of segments; the normal approximation wants at least about 50.
    pub segments: usize,
    /// Mean of first minus second errors a segment.
    pub mean: f64,
    /// Standard deviation (n - 1) of that difference.
    pub sd: f64,
    /// `mean / (sd / sqrt(segments))`.
    pub z: f64,
    /// Two-sided normal p.
    pub p_two_sided: f64,
}

/// Reference words right in both systems that close a segment.
const CLOSING_WORDS: u32 = 2;

/// Segments of one utterance: one opens at any error of either system and closes after two consecutive reference words
/// that both have right, without an insertion before, between or after the first of them; the end closes it too.
///
/// # Errors
/// Outcomes over different numbers of reference words.
pub fn segments(first: &UtteranceOutcome, second: &UtteranceOutcome) -> Result<Vec<Segment>, StatsError> {
    if first.words.len() != second.words.len() {
        return Err(StatsError::LengthMismatch { left: first.words.len(), right: second.words.len() });
    }
    let mut done = Vec::new();
    let mut open: Option<Segment> = None;
    let mut right_in_a_row = 0;
    let err = |open: &mut Option<Segment>, a: u32, b: u32, run: &mut u32| {
        if a + b > 0 {
            let segment = open.get_or_insert_default();
            segment.first += a;
            segment.second += b;
            *run = 0;
        }
    };
    for (a, b) in first.words.iter().zip(&second.words) {
        err(&mut open, a.inserted_before, b.inserted_before, &mut right_in_a_row);
        err(&mut open, u32::from(a.wrong), u32::from(b.wrong), &mut right_in_a_row);
        if !a.wrong && !b.wrong {
            right_in_a_row += 1;
            if right_in_a_row >= CLOSING_WORDS {
                done.extend(open.take());
            }
        }
    }
    err(&mut open, first.inserted_at_end, second.inserted_at_end, &mut right_in_a_row);
    done.extend(open);
    Ok(done)
}

/// The test on the segments of all utterances (Gillick & Cox, ICASSP 1989).
///
/// # Errors
/// Fewer than two segments, or no spread.
pub fn mapsswe(segments: &[Segment]) -> Result<Mapsswe, StatsError> {
    let n = segments.len();
    if n < 2 {
        return Err(StatsError::TooFew { what: "segments", found: n, needed: 2 });
    }
    let differences: Vec<f64> = segments.iter().map(|s| f64::from(s.first) - f64::from(s.second)).collect();
    let mean = differences.iter().sum::<f64>() / n as f64;
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    if squares == 0.0 {
        return Err(StatsError::NoSpread(format!("all {n} segments have the same difference")));
    }
    let sd = libm::sqrt(squares / (n - 1) as f64);
    let z = mean / (sd / libm::sqrt(n as f64));
    Ok(Mapsswe { segments: n, mean, sd, z, p_two_sided: 2.0 * normal_sf(z.abs()) })
}
