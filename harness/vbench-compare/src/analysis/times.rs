//! The time per utterance: percentiles, histogram, distribution; the error rate against it.

use vbench_core::Estimate;
use vbench_stats::quantile::{samples_needed, type7};
use vbench_stats::{Plan, QuantileInterval, quantile_interval};

use super::stages::{Waterfall, waterfall};
use super::{AnalysedCell, Rate};
use crate::aggregate::estimate;
use crate::scored::ScoredCell;

/// The percentiles of the time per utterance.
pub const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Places at which the distribution is kept: quantiles 0, 1/200, …, 1.
const CDF_STEPS: usize = 200;

/// Fewest and most bins wanted, and how many times the root of the number of utterances lies between.
const BINS: (f64, f64, f64) = (12.0, 60.0, 3.0);

/// The axis ends at the longest time, or at this many times the 90th percentile where that is less: one slow utterance
/// does not hide the others.
const AXIS_P90S: f64 = 2.0;

/// Times of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTimes {
    /// Model name.
    pub model: String,
    /// Cells with a hypothesis and a time.
    pub timed: usize,
    /// Cells with a hypothesis and no time: in no number here.
    pub untimed: usize,
    /// In the order of [`QUANTILES`].
    pub percentiles: Vec<Percentile>,
    /// Shortest and longest time, seconds.
    pub range_s: (f64, f64),
    /// Counts of equal bins, the same bins for every model.
    pub histogram: Histogram,
    /// The distribution: (seconds, share of cells at most as long), ascending.
    pub cdf: Vec<(f64, f64)>,
    /// Real-time factor, sum of processing over sum of audio.
    pub rtf: Estimate,
    /// What its interval is conditional on.
    pub note: Option<String>,
    /// Mean time by stage.
    pub waterfall: Waterfall,
}

/// A percentile of the time per utterance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// 0.5 for the median.
    pub q: f64,
    /// Value and order-statistic interval, seconds, at 95 %, treating the times as independent.
    pub time_s: QuantileInterval,
    /// Utterances needed before the interval has an upper end.
    pub needed: usize,
}

/// Counts by length of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Width of a bin, seconds; the first begins at 0.
    pub bin_s: f64,
    /// Cells in each bin.
    pub counts: Vec<u64>,
    /// Cells longer than the last bin's end.
    pub beyond: u64,
}

/// A model's place between accuracy and time.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeOff {
    /// Model name.
    pub model: String,
    /// Error rate of its timed cells, a fraction.
    pub rate: Estimate,
    /// Median time per utterance, seconds.
    pub median_s: QuantileInterval,
    /// Models at least as accurate and as fast by their point estimates, and better in one: whoever has no need for this
    /// model. Empty on the front.
    pub dominated_by: Vec<String>,
}

fn seconds_of<'a>(cells: &[&'a AnalysedCell<'a>]) -> Vec<(&'a ScoredCell, f64)> {
    let usable = |s: &f64| s.is_finite() && *s >= 0.0;
    cells.iter().filter_map(|c| Some((c.cell, c.cell.processing_s.filter(usable)?))).collect()
}

pub(super) fn times(plan: &Plan, models: &[(&str, Vec<&AnalysedCell<'_>>)]) -> Vec<ModelTimes> {
    let all: Vec<Vec<f64>> =
        models.iter().map(|(_, cells)| seconds_of(cells).into_iter().map(|t| t.1).collect()).collect();
    let end = all.iter().filter_map(|times| axis_end(times)).fold(0.0, f64::max);
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    let (bin_s, bins) = bins(end, most);
    let of_model = |((model, cells), times): (&(&str, Vec<&AnalysedCell<'_>>), &Vec<f64>)| {
        let percentile = |q: &f64| {
            let time_s = quantile_interval(times, *q, plan.level).ok()?;
            Some(Percentile { q: *q, time_s, needed: samples_needed(*q, plan.level).ok()? })
        };
        let mut sorted = times.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let range_s = (*sorted.first()?, *sorted.last()?);
        let timed: Vec<&ScoredCell> = seconds_of(cells).into_iter().map(|t| t.0).collect();
        let (rtf, note) = estimate(plan, "rtf", &timed, &|c| c.processing_s.map(|p| (p, c.audio_s)));
        Some(ModelTimes {
            model: (*model).into(),
            timed: times.len(),
            untimed: cells.len() - times.len(),
            percentiles: QUANTILES.iter().filter_map(percentile).collect(),
            range_s,
            histogram: histogram(times, bin_s, bins),
            cdf: cdf(&sorted),
            rtf,
            note,
            waterfall: waterfall(plan, cells),
        })
    };
    models.iter().zip(&all).filter_map(of_model).collect()
}

fn axis_end(times: &[f64]) -> Option<f64> {
    let longest = times.iter().copied().reduce(f64::max)?;
    Some(longest.min(AXIS_P90S * type7(times, 0.9).ok()?))
}

/// Width and number of bins that cover 0 to `end`: 1, 2 or 5 times a power of ten; finer for more `utterances`.
fn bins(end: f64, utterances: usize) -> (f64, usize) {
    let end = if end > 0.0 { end } else { 1e-3 };
    let (fewest, most, roots) = BINS;
    let raw = end / (roots * libm::sqrt(utterances as f64)).clamp(fewest, most);
    let mut width = 1e-9;
    // Times are whole nanoseconds and less than a thousand years.
    'search: for power in -9..=11 {
        for multiple in [1.0, 2.0, 5.0] {
            width = multiple * libm::pow(10.0, f64::from(power));
            if width >= raw * (1.0 - 1e-9) {
                break 'search;
            }
        }
    }
    (width, (libm::floor(end / width) as usize + 1).min(4 * most as usize))
}

fn histogram(times: &[f64], bin_s: f64, bins: usize) -> Histogram {
    let mut counts = vec![0; bins];
    let mut beyond = 0;
    for time in times {
        match counts.get_mut((time / bin_s) as usize) {
            Some(count) => *count += 1,
            None => beyond += 1,
        }
    }
    Histogram { bin_s, counts, beyond }
}

/// Every value of few, else quantiles.
fn cdf(sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let steps = n.min(CDF_STEPS);
    (1..=steps)
        .map(|i| {
            // The i-th of equal steps: the smallest value with at least that share at or below it.
            let rank = (i * n).div_ceil(steps);
            (sorted[rank - 1], rank as f64 / n as f64)
        })
        .collect()
}

pub(super) fn trade_offs(
    plan: &Plan,
    models: &[(&str, Vec<&AnalysedCell<'_>>)],
    times: &[ModelTimes],
    rate: Rate,
) -> Vec<TradeOff> {
    let of_model = |t: &ModelTimes| {
        let (_, cells) = models.iter().find(|(model, _)| *model == t.model)?;
        let timed: Vec<&ScoredCell> = seconds_of(cells).into_iter().map(|t| t.0).collect();
        let median_s = t.percentiles.iter().find(|p| p.q == 0.5)?.time_s;
        let (rate, _) = estimate(plan, rate.metric(), &timed, &|c| rate.contribution(c));
        Some(TradeOff { model: t.model.clone(), rate, median_s, dominated_by: Vec::new() })
    };
    let mut all: Vec<TradeOff> = times.iter().filter_map(of_model).filter(|t| t.rate.value.is_finite()).collect();
    let points: Vec<(String, f64, f64)> =
        all.iter().map(|t| (t.model.clone(), t.rate.value, t.median_s.value)).collect();
    for (i, mine) in all.iter_mut().enumerate() {
        let (_, rate, time) = points[i];
        let beats = |r: f64, t: f64| r <= rate && t <= time && (r < rate || t < time);
        mine.dominated_by = points.iter().filter(|(_, r, t)| beats(*r, *t)).map(|(name, _, _)| name.clone()).collect();
    }
    all
}
