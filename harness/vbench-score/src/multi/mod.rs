//! Error rates of recordings with several speakers: cpWER and time-constrained tcpWER.
//!
//! Both compare *streams*: the words of one speaker of one session, segments in order of their start. Every reference
//! stream is assigned to at most one hypothesis stream so that the number of errors is least; a stream without
//! partner is compared with an empty one. Speaker names only tell streams apart: they need not agree between the sides.
//!
//! - **cpWER** (concatenated minimum-permutation word error rate; Watanabe et al., "CHiME-6 Challenge", 2020) aligns the
//!   words of two streams without regard to time.
//! - **tcpWER** (time-constrained; von Neumann et al., "MeetEval: A Toolkit for Computation of Word Error Rates for Meeting
//!   Transcription Systems", 2023) lets two words stand opposite each other only where their times overlap, so that words far
//!   apart cannot match by chance. Word times come from segment times: a segment is divided among its words in
//!   proportion to their code points; a hypothesis word stands for the middle of its part, widened by the collar on both
//!   sides. Times that only touch do not overlap; they are exact to the nanosecond.
//!
//! Errors, length, assignment and S/D/I are those of MeetEval 0.4.3 with its default settings, on times as it reads them
//! from files (decimals; its binary floating point may take touching times for overlapping ones). Ties of an alignment are
//! broken as there and in Kaldi: back from the end, an insertion before a deletion before a hit or substitution. (The
//! order of [`crate::align()`] is another, so its S/D/I of the same two texts may differ; the total does not.)
//!
//! ```
//! use vbench_score::multi::{Segment, cp_wer, tcp_wer};
//!
//! let segment = |speaker, start, end, words| Segment { session: "s1", speaker, start_s: Some(start), end_s: Some(end), words };
//! let reference = [segment("Ann", 0.0, 2.0, "good morning everybody"), segment("Bob", 2.0, 3.0, "hello Ann")];
//! let hypothesis = [segment("1", 2.1, 3.1, "hello Anne"), segment("2", 60.0, 62.0, "good morning everybody")];
//!
//! let cp = cp_wer(&reference, &hypothesis)?;
//! assert_eq!((cp.counts.errors(), cp.counts.reference()), (1, 5));
//! assert_eq!(cp.sessions[0].pairs[0].hypothesis.as_deref(), Some("2"));
//!
//! // With times, the three words an hour late do not count as recognised.
//! let tcp = tcp_wer(&reference, &hypothesis, 5.0)?;
//! assert_eq!(tcp.counts.errors(), 7);
//! # Ok::<(), vbench_score::ScoreError>(())
//! ```

mod assignment;
mod streams;
mod windowed;

use vbench_core::ErrorCounts;

use crate::distance::levenshtein;
use crate::error::ScoreError;
use assignment::assign;
use streams::{Session, Stream, sessions};

/// Most speakers a side may have in one session. More are a sign of labels that are no speakers (one a segment, say).
pub const MAX_SPEAKERS: usize = 64;
/// Most words a side may have in one session.
pub const MAX_WORDS: u64 = 1 << 24;
/// Most pairs of a reference and a hypothesis word in one session that cpWER compares, 64 at a time: about a million words
/// on each side.
pub const MAX_PAIRS: u64 = 1 << 40;
/// Most cells of the tables of one session that are computed one by one: those inside the time windows (tcpWER), or
/// those around the diagonal of assigned streams (cpWER). Memory is linear in the words whatever their number.
pub const MAX_CELLS: u64 = 1 << 34;

/// What one speaker said in one stretch of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment<'a> {
    /// Recording; nothing is compared across sessions.
    pub session: &'a str,
    /// Speaker, by any name that is the same for all segments of this speaker on this side.
    pub speaker: &'a str,
    /// Start in seconds, -2e9 to 2e9.
    pub start_s: Option<f64>,
    /// End in seconds, not before the start.
    pub end_s: Option<f64>,
    /// Words separated by white space, already normalised; may be empty.
    pub words: &'a str,
}

/// A reference stream and the hypothesis stream assigned to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerPair {
    /// Reference speaker; none for a false-alarm speaker.
    pub reference: Option<String>,
    /// Hypothesis speaker; none for a missed speaker.
    pub hypothesis: Option<String>,
    /// Word counts of the two streams.
    pub counts: ErrorCounts,
}

/// The result of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionScore {
    /// Its name.
    pub session: String,
    /// Assigned streams: reference speakers in order of their first segment, then the hypothesis speakers left over.
    pub pairs: Vec<SpeakerPair>,
    /// Sum over the pairs.
    pub counts: ErrorCounts,
    /// Reference speakers.
    pub scored_speakers: u64,
    /// Reference speakers beyond the number of hypothesis speakers.
    pub missed_speakers: u64,
    /// Hypothesis speakers beyond the number of reference speakers.
    pub false_alarm_speakers: u64,
}

/// The result of all sessions. Rates are ratios of sums: `counts.rate()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultiScore {
    /// Sessions in order of first appearance, those of the reference first.
    pub sessions: Vec<SessionScore>,
    /// Sum over the sessions.
    pub counts: ErrorCounts,
    /// Sum over the sessions.
    pub scored_speakers: u64,
    /// Sum over the sessions.
    pub missed_speakers: u64,
    /// Sum over the sessions.
    pub false_alarm_speakers: u64,
    /// Sessions of the reference without any hypothesis segment: all their words are deletions.
    pub missing_sessions: Vec<String>,
    /// Sessions of the hypothesis without any reference segment: all their words are insertions.
    pub extra_sessions: Vec<String>,
}

/// Concatenated minimum-permutation word error rate.
///
/// Segments are sorted by start where every segment of the side and session has both times; else their order is kept.
///
/// # Errors
/// [`ScoreError::SegmentTime`] for a time that is out of range or an end before its start;
/// [`ScoreError::SessionTooLarge`] above [`MAX_SPEAKERS`], [`MAX_WORDS`], [`MAX_PAIRS`] or [`MAX_CELLS`].
pub fn cp_wer(reference: &[Segment<'_>], hypothesis: &[Segment<'_>]) -> Result<MultiScore, ScoreError> {
    score(reference, hypothesis, None)
}

/// Time-constrained minimum-permutation word error rate with a collar in seconds (>= 0, may be infinite; 5 is usual).
///
/// # Errors
/// [`ScoreError::SegmentTime`] for a missing time, one out of range or an end before its start; [`ScoreError::Collar`] for
/// a negative collar or NaN; [`ScoreError::SessionTooLarge`] above [`MAX_SPEAKERS`], [`MAX_WORDS`] or [`MAX_CELLS`].
pub fn tcp_wer(reference: &[Segment<'_>], hypothesis: &[Segment<'_>], collar_s: f64) -> Result<MultiScore, ScoreError> {
    if collar_s.is_nan() || collar_s < 0.0 {
        return Err(ScoreError::Collar { collar: collar_s.to_string() });
    }
    score(reference, hypothesis, Some(collar_s))
}

fn score(reference: &[Segment<'_>], hypothesis: &[Segment<'_>], collar: Option<f64>) -> Result<MultiScore, ScoreError> {
    let mut total = MultiScore::default();
    for session in sessions(reference, hypothesis, collar)? {
        if session.hypothesis.is_empty() {
            total.missing_sessions.push(session.name.to_owned());
        }
        if session.reference.is_empty() {
            total.extra_sessions.push(session.name.to_owned());
        }
        let one = session_score(&session, collar.is_some())?;
        total.counts += one.counts;
        total.scored_speakers += one.scored_speakers;
        total.missed_speakers += one.missed_speakers;
        total.false_alarm_speakers += one.false_alarm_speakers;
        total.sessions.push(one);
    }
    Ok(total)
}

fn session_score(session: &Session<'_>, timed: bool) -> Result<SessionScore, ScoreError> {
    let (r, h) = (&session.reference, &session.hypothesis);
    check_size(session, timed)?;
    let n = r.len().max(h.len());
    let empty = Stream::default();
    let pair = |row: usize, column: usize| (r.get(row).unwrap_or(&empty), h.get(column).unwrap_or(&empty));
    let cells = (0..n).flat_map(|row| (0..n).map(move |column| (row, column)));
    let (assigned, counts): (Vec<usize>, Vec<ErrorCounts>) = if timed {
        let table: Vec<ErrorCounts> =
            cells.map(|(row, column)| pair(row, column)).map(|(a, b)| windowed::timed_counts(a, b)).collect();
        let costs: Vec<i64> = table.iter().map(|c| c.errors() as i64).collect();
        let assigned = assign(&costs, n);
        let counts = assigned.iter().enumerate().map(|(row, column)| table[row * n + column]).collect();
        (assigned, counts)
    } else {
        let distance = |(row, column)| {
            let (a, b) = pair(row, column);
            levenshtein(&a.words, &b.words) as i64
        };
        let costs: Vec<i64> = cells.map(distance).collect();
        let assigned = assign(&costs, n);
        let of = |(row, column): (usize, &usize)| {
            let (a, b) = pair(row, *column);
            (a, b, costs[row * n + column] as u64)
        };
        let band: u64 = assigned.iter().enumerate().map(of).map(|(a, b, d)| windowed::band_cells(a, b, d)).sum();
        session.limit("cells around the diagonals of assigned streams", band, MAX_CELLS)?;
        let counts = assigned.iter().enumerate().map(of).map(|(a, b, d)| windowed::plain_counts(a, b, d)).collect();
        (assigned, counts)
    };
    let name = |streams: &[Stream<'_>], at: usize| streams.get(at).map(|s| s.speaker.to_owned());
    let pairs: Vec<SpeakerPair> = assigned
        .iter()
        .zip(counts)
        .enumerate()
        .map(|(row, (column, counts))| SpeakerPair { reference: name(r, row), hypothesis: name(h, *column), counts })
        .collect();
    Ok(SessionScore {
        session: session.name.to_owned(),
        counts: pairs.iter().map(|p| p.counts).sum(),
        pairs,
        scored_speakers: r.len() as u64,
        missed_speakers: r.len().saturating_sub(h.len()) as u64,
        false_alarm_speakers: h.len().saturating_sub(r.len()) as u64,
    })
}

/// Refuses before anything is computed.
fn check_size(session: &Session<'_>, timed: bool) -> Result<(), ScoreError> {
    let (r, h) = (&session.reference, &session.hypothesis);
    session.limit("reference speakers", r.len() as u64, MAX_SPEAKERS as u64)?;
    session.limit("hypothesis speakers", h.len() as u64, MAX_SPEAKERS as u64)?;
    let words = |streams: &[Stream<'_>]| streams.iter().map(|s| s.words.len() as u64).sum::<u64>();
    session.limit("reference words", words(r), MAX_WORDS)?;
    session.limit("hypothesis words", words(h), MAX_WORDS)?;
    if timed {
        let cells = r.iter().flat_map(|a| h.iter().map(move |b| windowed::timed_cells(a, b))).sum();
        session.limit("cells inside the time windows", cells, MAX_CELLS)
    } else {
        session.limit("pairs of words", words(r) * words(h), MAX_PAIRS)
    }
}
