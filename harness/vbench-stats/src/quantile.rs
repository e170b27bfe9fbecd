//! Sample quantiles and their distribution-free intervals.

use crate::error::{StatsError, check_finite, check_share};
use crate::special::{binomial_cdf, binomial_sf};

/// Type-7 quantile (Hyndman & Fan, The American Statistician 50, 1996): `h = (n-1) q`, linear interpolation.
///
/// # Errors
/// No values, values that are not finite, `q` outside [0, 1].
pub fn type7(values: &[f64], q: f64) -> Result<f64, StatsError> {
    let sorted = sorted(values)?;
    if !(0.0..=1.0).contains(&q) {
        return Err(StatsError::OutOfRange { name: "q", value: q, range: "0 to 1" });
    }
    Ok(type7_sorted(&sorted, q))
}

/// As [`type7`] for ascending values; NaN for none.
pub(crate) fn type7_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let h = last as f64 * q.clamp(0.0, 1.0);
    let below = libm::floor(h);
    let i = (below as usize).min(last);
    let next = (i + 1).min(last);
    sorted[i] + (h - below) * (sorted[next] - sorted[i])
}

fn sorted(values: &[f64]) -> Result<Vec<f64>, StatsError> {
    if values.is_empty() {
        return Err(StatsError::TooFew { what: "values", found: 0, needed: 1 });
    }
    check_finite(values.iter().copied())?;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// Upper end of an order-statistic interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpperEnd {
    /// An observed value.
    Value(f64),
    /// Too few samples for an upper bound: all that can be said is "at least the maximum", given here.
    AtLeastMaximum(f64),
}

/// Lower end of an order-statistic interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LowerEnd {
    /// An observed value.
    Value(f64),
    /// Too few samples for a lower bound: "at most the minimum", given here.
    AtMostMinimum(f64),
}

/// A quantile with its two-sided, distribution-free interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    /// Type-7 point value.
    pub value: f64,
    /// Lower end.
    pub lo: LowerEnd,
    /// Upper end.
    pub hi: UpperEnd,
    /// Requested level.
    pub level: f64,
    /// Number of samples.
    pub n: usize,
    /// Samples that an upper end needs.
    pub needed: usize,
}

/// Order-statistic interval of quantile `q` in (0, 1) at `level`, at most `(1 - level) / 2` in each tail.
///
/// The ends are observed values: the r-th smallest is below the true quantile with a binomial probability, whatever
/// the distribution (David & Nagaraja, Order Statistics, 3rd ed., section 7.1). Assumes independent samples.
///
/// # Errors
/// No values, values that are not finite, `q` or `level` outside (0, 1).
pub fn quantile_interval(values: &[f64], q: f64, level: f64) -> Result<QuantileInterval, StatsError> {
    check_share("q", q)?;
    check_share("level", level)?;
    let sorted = sorted(values)?;
    let n = sorted.len();
    let tail = 0.5 * (1.0 - level);
    // X_(r) lies above the quantile with P(Bin(n, q) <= r - 1): the lower end is the largest r that keeps it in the tail.
    let lower_rank = last_true(n, |r| binomial_cdf(r as u64 - 1, n as u64, q) <= tail);
    // X_(r) lies below the quantile with P(Bin(n, q) >= r): the upper end is the smallest r that keeps it in the tail.
    let too_low = last_true(n, |r| binomial_sf(r as u64 - 1, n as u64, q) > tail);
    let lo = if lower_rank == 0 { LowerEnd::AtMostMinimum(sorted[0]) } else { LowerEnd::Value(sorted[lower_rank - 1]) };
    let hi = if too_low == n { UpperEnd::AtLeastMaximum(sorted[n - 1]) } else { UpperEnd::Value(sorted[too_low]) };
    let needed = samples_needed(q, level)?;
    Ok(QuantileInterval { value: type7_sorted(&sorted, q), lo, hi, level, n, needed })
}

/// Largest rank from 1 to n for which a condition that holds for the small ones holds; 0 for none.
fn last_true(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut lo, mut hi) = (0, n + 1);
    while hi - lo > 1 {
        let mid = lo + (hi - lo) / 2;
        if holds(mid) { lo = mid } else { hi = mid }
    }
    lo
}

/// Samples needed before the two-sided interval of quantile `q` has an upper end: `ln((1-level)/2) / ln(q)` rounded
/// up; 36 for p90, 72 for p95, 368 for p99 at 95 %.
///
/// # Errors
/// `q` or `level` outside (0, 1).
pub fn samples_needed(q: f64, level: f64) -> Result<usize, StatsError> {
    check_share("q", q)?;
    check_share("level", level)?;
    Ok(libm::ceil(libm::log(0.5 * (1.0 - level)) / libm::log(q)) as usize)
}
