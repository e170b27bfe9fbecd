//! Whether a series rises or falls from beginning to end.

use crate::error::{StatsError, check_finite};
use crate::quantile::type7;
use crate::special::normal_sf;

/// Mann and Kendall's test of a series against "no trend", with Theil and Sen's slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that rise less pairs that fall.
    pub s: i64,
    /// Standard normal statistic, corrected for ties and continuity; 0 where all values are equal.
    pub z: f64,
    /// Probability of so large a rise without a trend.
    pub p_rise: f64,
    /// Probability of so large a fall without a trend.
    pub p_fall: f64,
    /// Median of the slopes of all pairs, per step.
    pub slope: f64,
    /// The line of that slope through the medians, at the first step.
    pub first: f64,
    /// And at the last.
    pub last: f64,
}

/// Tests a series of at least 8 values, taken as independent (Mann, Econometrica 13, 1945; Kendall, Rank Correlation Methods,
/// 1975; normal approximation with Kendall's variance for ties and a continuity correction; slope of Sen, JASA 63, 1968).
///
/// # Errors
/// Fewer than 8 values, values that are not finite.
pub fn mann_kendall(values: &[f64]) -> Result<MannKendall, StatsError> {
    let n = values.len();
    if n < 8 {
        return Err(StatsError::TooFew { what: "values", found: n, needed: 8 });
    }
    check_finite(values.iter().copied())?;
    let mut s = 0i64;
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate().skip(i + 1) {
            s += i64::from(b > a) - i64::from(b < a);
            slopes.push((b - a) / (j - i) as f64);
        }
    }
    let spread = |m: f64| m * (m - 1.0) * (2.0 * m + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|tie| spread(tie.len() as f64)).sum();
    let variance = (spread(n as f64) - ties) / 18.0;
    let towards = |step: f64| if variance > 0.0 { (s as f64 + step) / libm::sqrt(variance) } else { 0.0 };
    let slope = type7(&slopes, 0.5)?;
    let middle = type7(values, 0.5)?;
    let half = 0.5 * (n - 1) as f64;
    Ok(MannKendall {
        s,
        z: towards(-(s.signum() as f64)),
        p_rise: normal_sf(towards(-1.0)),
        p_fall: normal_sf(-towards(1.0)),
        slope,
        first: middle - slope * half,
        last: middle + slope * half,
    })
}
