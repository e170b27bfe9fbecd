//! What the figures of a bench show, as numbers: the reports draw them and compute none.

use crate::budgets::with_waiting;
use crate::engine::Bench;
use crate::port::Ns;
use crate::timeline::{Outcome, Timeline};

/// Bins of a histogram, about.
const BINS: u64 = 40;
/// Points of a distribution curve, at most.
const CURVE_POINTS: usize = 240;
/// Windows of the course over time, at most, and requests that each has about, at least.
const WINDOWS: usize = 60;
const IN_WINDOW: usize = 8;

/// The figures of a bench.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// How many requests took how long; absent where none was answered.
    pub histogram: Option<Histogram>,
    /// Shares of requests by time: latency, then what else there is.
    pub curves: Vec<Curve>,
    /// Latency over the time of the run.
    pub course: Course,
}

/// Counts of latencies in bins of one width, a round one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first bin begins.
    pub from: Ns,
    /// Width of a bin.
    pub bin: Ns,
    /// Requests bin by bin.
    pub counts: Vec<u64>,
    /// Requests without an answer: beyond every bin.
    pub unanswered: u64,
}

/// A distribution function.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// `latency`, `first partial text`, `end to end`, …
    pub name: &'static str,
    /// How many.
    pub n: usize,
    /// Times in order, each with the share of all that are at most as long. Ends below 1 where some had no answer.
    pub points: Vec<(Ns, f64)>,
}

/// Latency by the time at which requests were due.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Windows with about as many requests each, in order of time.
    pub windows: Vec<Window>,
    /// The median of the first quarter of the answered requests and that of the last, ns; absent under eight.
    pub quarters: Option<(f64, f64)>,
}

/// A stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When its first request was due, since the first of all.
    pub from: Ns,
    /// When its last one was.
    pub to: Ns,
    /// Requests in it.
    pub n: usize,
    /// Of them without an answer.
    pub unanswered: usize,
    /// Shortest, median and longest latency; absent where none was answered.
    pub latency: Option<(Ns, f64, Ns)>,
}

/// A time of a turn.
type OfTurn<'a> = &'a dyn Fn(&Timeline) -> Option<Ns>;

/// Draws up the figures.
#[must_use]
pub fn picture(bench: &Bench) -> Picture {
    let t = &bench.timelines;
    let latency: Vec<Ns> = t.iter().filter_map(Timeline::latency).collect();
    let unanswered = t.len() - latency.len();
    let mut curves = vec![distribution_curve("latency", &latency, unanswered)];
    let settles = t.iter().any(|t| t.settled.is_some());
    let sound = t.iter().any(|t| !t.audio.is_empty());
    let kinds: [(&'static str, OfTurn<'_>); 5] = [
        ("first partial text", &Timeline::first_partial),
        ("final text", &|t| if settles { t.final_text() } else { None }),
        ("first token of the reply", &Timeline::first_token),
        ("first audible sample", &Timeline::first_audible),
        ("end to end", &|t| if sound { t.wait() } else { None }),
    ];
    for (name, of) in kinds {
        let (times, waiting) = with_waiting(t, of);
        if !times.is_empty() {
            curves.push(distribution_curve(name, &times, waiting));
        }
    }
    Picture { histogram: histogram(&latency, unanswered), curves, course: course(t) }
}

/// The distribution function of known times and of `unanswered` ones that are longer than all of them.
#[must_use]
pub fn distribution_curve(name: &'static str, times: &[Ns], unanswered: usize) -> Curve {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() + unanswered;
    let last = sorted.len().saturating_sub(1);
    let steps = last.clamp(1, CURVE_POINTS - 1);
    let mut points: Vec<(Ns, f64)> = Vec::new();
    for step in 0..=steps {
        let rank = last * step / steps;
        if let Some(time) = sorted.get(rank) {
            let point = (*time, (rank + 1) as f64 / n as f64);
            match points.last_mut() {
                // Of equal times the highest share holds.
                Some(previous) if previous.0 == point.0 => *previous = point,
                _ => points.push(point),
            }
        }
    }
    Curve { name, n, points }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_up(least: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for m in [1, 2, 5] {
            if let Some(width) = unit.checked_mul(m).filter(|w| *w >= least) {
                return width;
            }
        }
        match unit.checked_mul(10) {
            Some(next) => unit = next,
            None => return least,
        }
    }
}

fn histogram(latency: &[Ns], unanswered: usize) -> Option<Histogram> {
    let (min, max) = (*latency.iter().min()?, *latency.iter().max()?);
    // Zero belongs to the axis unless it would cost more than half of it.
    let begin = if min >= max / 2 { min } else { 0 };
    // A bin is never finer than a thousandth of what it holds.
    let bin = round_up(((max - begin) / BINS).max(max / 1_000).max(1));
    let from = begin / bin * bin;
    let mut counts = vec![0; ((max - from) / bin) as usize + 1];
    for ns in latency {
        counts[((ns - from) / bin) as usize] += 1;
    }
    Some(Histogram { from, bin, counts, unanswered: unanswered as u64 })
}

fn median(sorted: &[Ns]) -> Option<f64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((*low as f64).midpoint(*high as f64))
}

fn course(timelines: &[Timeline]) -> Course {
    // Requests are issued in order of time, but for ties.
    let first = timelines.first().map_or(0, |t| t.due);
    let count = (timelines.len() / IN_WINDOW).clamp(1, WINDOWS);
    let window = |i: usize| {
        let part = &timelines[timelines.len() * i / count..timelines.len() * (i + 1) / count];
        let mut known: Vec<Ns> = part.iter().filter_map(Timeline::latency).collect();
        known.sort_unstable();
        let ends = known.first().zip(known.last());
        Some(Window {
            from: part.first()?.due.saturating_sub(first),
            to: part.last()?.due.saturating_sub(first),
            n: part.len(),
            unanswered: part.iter().filter(|t| !matches!(t.outcome, Outcome::Answered { .. })).count(),
            latency: ends.zip(median(&known)).map(|((lo, hi), m)| (*lo, m, *hi)),
        })
    };
    let answered: Vec<Ns> = timelines.iter().filter_map(Timeline::latency).collect();
    let quarter = |part: &[Ns]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        median(&sorted)
    };
    let n = answered.len();
    let quarters = (n >= 8).then(|| quarter(&answered[..n / 4]).zip(quarter(&answered[n - n / 4..]))).flatten();
    Course { windows: (0..count).filter_map(window).collect(), quarters }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(latencies: &[Option<Ns>]) -> Bench {
        let one = |(i, latency): (usize, &Option<Ns>)| {
            let due = 1_000 * i as Ns;
            let mut t = Timeline::new(i as u64, 0, due, due);
            t.outcome = match latency {
                Some(ns) => Outcome::Answered { at: due + ns, text: String::new() },
                None => Outcome::TimedOut { after: 5_000 },
            };
            t
        };
        Bench { timelines: latencies.iter().enumerate().map(one).collect(), strays: Vec::new(), ended: 0 }
    }

    #[test]
    fn histograms_hold_every_request_in_round_bins() {
        let all: Vec<Option<Ns>> = (0..1_000).map(|i| (i % 50 != 0).then_some(100 + i)).collect();
        let p = picture(&bench(&all));
        let h = p.histogram.expect("answers");
        assert_eq!((h.from, h.bin, h.unanswered), (0, 50, 20));
        assert_eq!(h.counts.iter().sum::<u64>(), 980);
        assert_eq!((h.counts[1], h.counts[2]), (0, 49));
        let narrow = picture(&bench(&[Some(4_000), Some(4_100)])).histogram.expect("answers");
        assert_eq!((narrow.from, narrow.bin), (4_000, 5));
        assert_eq!(picture(&bench(&[None])).histogram, None);
        assert_eq!(picture(&bench(&[Some(0)])).histogram.expect("one").counts, [1]);
    }

    #[test]
    fn curves_end_at_the_share_that_was_answered() {
        let all: Vec<Option<Ns>> = (1..=1_000).map(|i| (i <= 980).then_some(i)).collect();
        let curve = &picture(&bench(&all)).curves[0];
        assert_eq!((curve.n, curve.points.last()), (1_000, Some(&(980, 0.98))));
        assert!(curve.points.len() <= 240 && curve.points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        assert!(curve.points.iter().all(|(ns, share)| (*ns as f64 / 1_000.0 - share).abs() < 1e-12));
        assert_eq!(distribution_curve("latency", &[7, 7, 7], 1).points, [(7, 0.75)]);
        assert!(distribution_curve("latency", &[], 3).points.is_empty());
    }

    #[test]
    fn the_course_follows_the_run() {
        let all: Vec<Option<Ns>> = (0..800).map(|i| (i != 5).then_some(if i < 400 { 10 } else { 30 })).collect();
        let course = picture(&bench(&all)).course;
        assert_eq!(course.windows.len(), 60);
        assert_eq!(course.windows.iter().map(|w| w.n).sum::<usize>(), 800);
        assert_eq!((course.windows[0].unanswered, course.windows[0].latency), (1, Some((10, 10.0, 10))));
        assert_eq!((course.windows[0].from, course.windows[59].to), (0, 799_000));
        assert_eq!(course.quarters, Some((10.0, 30.0)));
        assert_eq!(picture(&bench(&[])).course, Course::default());
    }
}
