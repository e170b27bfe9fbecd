//! Whether a model slows down, or a queue grows, while it is being measured.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use vbench_stats::quantile::type7;
use vbench_stats::trend::mann_kendall;

use crate::port::Ns;
use crate::scenario::Scenario;
use crate::timeline::{Outcome, Timeline};

/// Equal stretches that a run is cut into, in the order of issue.
pub const TREND_BLOCKS: usize = 20;
/// A rise is said to be one when its probability without a trend is at most this …
pub const TREND_LEVEL: f64 = 0.01;
/// … and waits rise by at least this share from the first block to the last.
pub const TREND_RISE: f64 = 0.05;

/// Waits over the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Median wait of each block over the run's median; clips that came twice or more are compared with themselves.
    pub blocks: Vec<f64>,
    /// Change from the first block to the last as a share of the first, by Theil and Sen's line.
    pub rise: f64,
    /// Probability of such a rise without a trend (Mann and Kendall, one-sided, blocks taken as independent).
    pub p_rise: f64,
    /// Both limits are passed: the longer it runs the slower it gets.
    pub slows_down: bool,
}

/// Requests in flight when another one arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// In the first half of the run three quarters had at most so many before them.
    pub usual: usize,
    /// The fewest of the second half.
    pub least: usize,
}

impl Backlog {
    /// The queue never got as short again as it usually was: answers come slower than requests. Waits themselves cannot be
    /// tested for a trend here, for each of them holds those before it.
    #[must_use]
    pub fn grows(self) -> bool {
        self.least > self.usual
    }
}

/// The backlog of requests that arrive whatever the answers do. Absent for fewer than forty.
pub(crate) fn backlog(timelines: &[Timeline]) -> Option<Backlog> {
    if timelines.len() < 2 * TREND_BLOCKS {
        return None;
    }
    let mut ends: BinaryHeap<Reverse<Ns>> = BinaryHeap::new();
    let mut found = Vec::with_capacity(timelines.len());
    for t in timelines {
        while ends.peek().is_some_and(|Reverse(end)| *end <= t.due) {
            ends.pop();
        }
        found.push(ends.len());
        ends.push(Reverse(match &t.outcome {
            Outcome::Open => Ns::MAX,
            Outcome::Answered { at, .. } | Outcome::Failed { at, .. } => *at,
            Outcome::TimedOut { after } => t.due.saturating_add(*after),
            Outcome::Impossible { .. } => t.due,
        }));
    }
    let (first, second) = found.split_at_mut(timelines.len() / 2);
    first.sort_unstable();
    Some(Backlog { usual: first[first.len() * 3 / 4], least: second.iter().min().copied()? })
}

/// Looks for a rise in the waits of a run; unanswered requests count with the limit. Where arrivals do not wait for answers
/// a queue makes neighbours alike: there it is the time from the model's beginning that counts, of the answered ones. Absent
/// for fewer than two requests a block.
pub(crate) fn trend(timelines: &[Timeline], scenario: Scenario, limit: Ns) -> Option<Trend> {
    let time = |t: &Timeline| match scenario {
        // Where everything is due at once every wait holds those before it.
        Scenario::Offline => None,
        Scenario::Server { .. } => Some((t.due + t.wait()?).saturating_sub(t.begun()?)),
        _ => Some(t.wait().unwrap_or(limit)),
    };
    let (timelines, waits): (Vec<&Timeline>, Vec<f64>) =
        timelines.iter().filter_map(|t| Some((t, time(t)?.max(1) as f64))).unzip();
    if timelines.len() < 2 * TREND_BLOCKS {
        return None;
    }
    // Clips differ in length: each is compared with its own median where all of them came again.
    let mut of_clip: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (t, wait) in timelines.iter().zip(&waits) {
        of_clip.entry(t.sample).or_default().push(*wait);
    }
    let again = of_clip.values().all(|waits| waits.len() > 1);
    let whole = type7(&waits, 0.5).ok()?;
    let usual = |sample: usize| if again { type7(&of_clip[&sample], 0.5).unwrap_or(whole) } else { whole };
    let usual: BTreeMap<usize, f64> = of_clip.keys().map(|sample| (*sample, usual(*sample))).collect();
    let ratios: Vec<f64> = timelines.iter().zip(&waits).map(|(t, wait)| wait / usual[&t.sample]).collect();
    let cut = |i: usize| i * ratios.len() / TREND_BLOCKS;
    let blocks: Vec<f64> =
        (0..TREND_BLOCKS).map(|i| type7(&ratios[cut(i)..cut(i + 1)], 0.5)).collect::<Result<_, _>>().ok()?;
    let found = mann_kendall(&blocks).ok()?;
    let rise = if found.first > 0.0 { found.last / found.first - 1.0 } else { f64::from(u8::MAX) };
    let slows_down = found.p_rise <= TREND_LEVEL && rise >= TREND_RISE;
    Some(Trend { blocks, rise, p_rise: found.p_rise, slows_down })
}
