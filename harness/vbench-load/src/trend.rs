//! Whether a model slows down while it is being measured.

use std::collections::BTreeMap;

use vbench_stats::quantile::type7;
use vbench_stats::trend::mann_kendall;

use crate::port::Ns;
use crate::timeline::Timeline;

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

/// Looks for a rise in the waits of a run; unanswered requests count with the limit. Absent for fewer than two requests a
/// block.
pub(crate) fn trend(timelines: &[Timeline], limit: Ns) -> Option<Trend> {
    if timelines.len() < 2 * TREND_BLOCKS {
        return None;
    }
    let waits: Vec<f64> = timelines.iter().map(|t| t.wait().unwrap_or(limit).max(1) as f64).collect();
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
