//! Segments to streams: grouped by session and speaker, in order of time, words as numbers, times for words.
//!
//! Times are whole nanoseconds, and parts of segments are computed without rounding on the way, so that times that touch on
//! paper touch here: whether `0.1 + 5` equals `5.1` must not decide about an error. (MeetEval computes in decimals when it
//! reads files.)

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::Segment;
use crate::error::ScoreError;
use crate::tokens::{FoldHasher, words};

/// The words of one speaker in one session.
#[derive(Debug, Default)]
pub struct Stream<'a> {
    pub(super) speaker: &'a str,
    /// Equal words, equal numbers, on both sides of the session.
    pub(super) words: Vec<u32>,
    /// As many as words; empty for cpWER.
    pub(super) times: Vec<Interval>,
}

/// An open interval of time in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub start: i64,
    pub end: i64,
}

/// Latest time and, negated, earliest, in seconds: 63 years.
const FARTHEST_S: f64 = 2e9;
/// A collar that covers everything; times with it stay far inside `i64`.
const WIDEST_NS: i64 = 1 << 62;

/// Seconds of at most [`FARTHEST_S`] to whole nanoseconds.
fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// Both sides of one session.
pub(super) struct Session<'a> {
    pub name: &'a str,
    pub reference: Vec<Stream<'a>>,
    pub hypothesis: Vec<Stream<'a>>,
}

impl Session<'_> {
    pub fn limit(&self, what: &'static str, actual: u64, limit: u64) -> Result<(), ScoreError> {
        if actual <= limit {
            return Ok(());
        }
        Err(ScoreError::SessionTooLarge { session: self.name.to_owned(), what, actual, limit })
    }
}

/// What the times of a side's words are: how a segment's time is divided among its words, then widened.
#[derive(Clone, Copy)]
enum WordTimes {
    /// None: cpWER.
    Absent,
    /// The word's part of the segment: the reference of tcpWER.
    Part,
    /// The middle of the part and this many nanoseconds on both sides: the hypothesis of tcpWER.
    Around(i64),
}

type Numbers<'a> = HashMap<&'a str, u32, BuildHasherDefault<FoldHasher>>;

/// All sessions in order of first appearance, those of the reference first. With a collar words get times.
pub(super) fn sessions<'a>(
    reference: &[Segment<'a>],
    hypothesis: &[Segment<'a>],
    collar: Option<f64>,
) -> Result<Vec<Session<'a>>, ScoreError> {
    check_times("reference", reference, collar.is_some())?;
    check_times("hypothesis", hypothesis, collar.is_some())?;
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, [Vec<Segment<'a>>; 2])> = Vec::new();
    for (side, segments) in [reference, hypothesis].into_iter().enumerate() {
        for segment in segments {
            let at = *places.entry(segment.session).or_insert_with(|| {
                groups.push((segment.session, Default::default()));
                groups.len() - 1
            });
            groups[at].1[side].push(*segment);
        }
    }
    let (part, around) = match collar {
        Some(collar) => (WordTimes::Part, WordTimes::Around(nanoseconds(collar).min(WIDEST_NS))),
        None => (WordTimes::Absent, WordTimes::Absent),
    };
    Ok(groups
        .into_iter()
        .map(|(name, [r, h])| {
            let mut numbers = Numbers::default();
            let reference = streams(r, part, &mut numbers);
            Session { name, reference, hypothesis: streams(h, around, &mut numbers) }
        })
        .collect())
}

fn check_times(side: &'static str, segments: &[Segment<'_>], needed: bool) -> Result<(), ScoreError> {
    for (index, segment) in segments.iter().enumerate() {
        let given = || [segment.start_s, segment.end_s].into_iter().flatten();
        let problem = match (segment.start_s, segment.end_s) {
            _ if !given().all(f64::is_finite) => "is not finite",
            _ if given().any(|t| t.abs() > FARTHEST_S) => "is more than 2e9 s from 0",
            (Some(start), Some(end)) if end < start => "ends before it starts",
            (Some(_), Some(_)) => continue,
            _ if needed => "is missing, and the time-constrained rate needs it",
            _ => continue,
        };
        let text = |time: Option<f64>| time.map_or_else(|| "none".into(), |t| t.to_string());
        return Err(ScoreError::SegmentTime {
            side,
            index,
            session: segment.session.to_owned(),
            speaker: segment.speaker.to_owned(),
            time: format!("{} to {}", text(segment.start_s), text(segment.end_s)),
            problem,
        });
    }
    Ok(())
}

fn streams<'a>(mut segments: Vec<Segment<'a>>, times: WordTimes, numbers: &mut Numbers<'a>) -> Vec<Stream<'a>> {
    if segments.iter().all(|s| s.start_s.is_some() && s.end_s.is_some()) {
        segments.sort_by(|a, b| a.start_s.partial_cmp(&b.start_s).unwrap_or(std::cmp::Ordering::Equal));
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut streams: Vec<Stream<'a>> = Vec::new();
    for segment in segments {
        // A segment without words still makes its speaker known.
        let at = *places.entry(segment.speaker).or_insert_with(|| {
            streams.push(Stream { speaker: segment.speaker, ..Stream::default() });
            streams.len() - 1
        });
        for word in words(segment.words) {
            let next = numbers.len() as u32;
            streams[at].words.push(*numbers.entry(word).or_insert(next));
        }
        word_times(&segment, times, &mut streams[at].times);
    }
    streams
}

/// Divides a segment among its words in proportion to their code points.
fn word_times(segment: &Segment<'_>, times: WordTimes, out: &mut Vec<Interval>) {
    let (Some(start), Some(end)) = (segment.start_s, segment.end_s) else { return };
    let (start, end) = (nanoseconds(start), nanoseconds(end));
    let lengths = || words(segment.words).map(|w| w.chars().count() as i128);
    let characters: i128 = lengths().sum();
    // Rounded down once, from the exact value: equal values stay equal and no order is turned round.
    let at = |halves: i128| start + (i128::from(end - start) * halves / (2 * characters)) as i64;
    let mut before = 0;
    for length in lengths() {
        let after = before + length;
        out.push(match times {
            WordTimes::Absent => return,
            WordTimes::Part => Interval { start: at(2 * before), end: at(2 * after) },
            WordTimes::Around(collar) => {
                let middle = at(before + after);
                Interval { start: middle - collar, end: middle + collar }
            }
        });
        before = after;
    }
}
