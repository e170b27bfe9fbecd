//! Intervals of a proportion.

use crate::error::{StatsError, check_share};
use crate::special::{beta_quantile, normal_quantile};

/// Clopper-Pearson ("exact") two-sided interval of `k` successes in `n` independent trials.
///
/// Clopper & Pearson, Biometrika 26 (1934): beta quantiles.
///
/// # Errors
/// No trials, more successes than trials, a level outside (0, 1).
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Result<(f64, f64), StatsError> {
    check(k, n, level)?;
    let tail = 0.5 * (1.0 - level);
    let (failures, successes) = ((n - k) as f64, k as f64);
    let lo = if k == 0 { 0.0 } else { beta_quantile(successes, failures + 1.0, tail) };
    let hi = if k == n { 1.0 } else { beta_quantile(successes + 1.0, failures, 1.0 - tail) };
    Ok((lo, hi))
}

/// Wilson score interval of `k` successes in `n` independent trials, without continuity correction.
///
/// Wilson, JASA 22 (1927).
///
/// # Errors
/// As for [`clopper_pearson`].
pub fn wilson(k: u64, n: u64, level: f64) -> Result<(f64, f64), StatsError> {
    check(k, n, level)?;
    let z = normal_quantile(0.5 + 0.5 * level);
    let (k, n) = (k as f64, n as f64);
    let (p, z2) = (k / n, z * z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * libm::sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
    let lo = if k == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let hi = if k == n { 1.0 } else { (centre + half).min(1.0) };
    Ok((lo, hi))
}

fn check(k: u64, n: u64, level: f64) -> Result<(), StatsError> {
    check_share("level", level)?;
    if n == 0 {
        return Err(StatsError::TooFew { what: "trials", found: 0, needed: 1 });
    }
    if k > n {
        return Err(StatsError::OutOfRange { name: "successes", value: k as f64, range: "0 to the number of trials" });
    }
    Ok(())
}
