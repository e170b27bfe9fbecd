//! The smallest difference between two systems that a paired comparison would detect.

use crate::clusters::MIN_UNITS;
use crate::error::{StatsError, check_finite, check_share};
use crate::linear::linearise;
use crate::special::t_quantile;

/// What is assumed about two systems before either has run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerAssumptions {
    /// Word error rate of both systems, a fraction.
    pub error_rate: f64,
    /// Share of each system's errors that the other one does not make.
    pub unshared: f64,
    /// Variance of the difference over what independent words would give; at least 1.
    pub over_dispersion: f64,
    /// Chance of detecting a difference of that size.
    pub power: f64,
    /// Significance level.
    pub alpha: f64,
    /// Two-sided test (any change) instead of one-sided (worse only).
    pub two_sided: bool,
}

impl Default for PowerAssumptions {
    /// WER 5 %, 40 % unshared errors, over-dispersion 1.5, power 80 %, two-sided alpha 0.05.
    fn default() -> Self {
        Self { error_rate: 0.05, unshared: 0.4, over_dispersion: 1.5, power: 0.8, alpha: 0.05, two_sided: true }
    }
}

/// Smallest absolute difference of error rates (a fraction) that a paired comparison over `words` reference words in
/// `clusters` clusters detects, before any run.
///
/// A word counts +1 or -1 where only one system errs, so the difference of rates has variance
/// `over_dispersion * 2 * unshared * error_rate / words`; the result is `(t_alpha + t_power)` standard errors with
/// `clusters - 1` degrees of freedom. With many clusters and a one-sided alpha of 0.05 the default assumptions give
/// 1.36, 0.96, 0.61 and 0.27 points at 2,000, 4,000, 10,000 and 52,576 words.
///
/// # Errors
/// Fewer than 6 clusters, no words, an assumption outside its range.
pub fn detectable_difference(words: f64, clusters: usize, assumptions: &PowerAssumptions) -> Result<f64, StatsError> {
    let a = assumptions;
    check_share("error_rate", a.error_rate)?;
    if !(a.unshared > 0.0 && a.unshared <= 1.0) {
        return Err(StatsError::OutOfRange { name: "unshared", value: a.unshared, range: "above 0, at most 1" });
    }
    if !(a.over_dispersion >= 1.0 && a.over_dispersion.is_finite()) {
        return Err(StatsError::OutOfRange { name: "over_dispersion", value: a.over_dispersion, range: "1 or more" });
    }
    if !(words > 0.0 && words.is_finite()) {
        return Err(StatsError::NoDenominator { sum: words });
    }
    let variance = a.over_dispersion * 2.0 * a.unshared * a.error_rate / words;
    Ok(standard_errors(clusters, a)? * libm::sqrt(variance))
}

/// As [`detectable_difference`], from the spread seen: one `(difference of errors, words)` pair a cluster. Only
/// `power`, `alpha` and `two_sided` of the assumptions are used.
///
/// # Errors
/// Fewer than 6 clusters, values that are not finite, no words.
pub fn detectable_difference_observed(
    clusters: &[(f64, f64)],
    assumptions: &PowerAssumptions,
) -> Result<f64, StatsError> {
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]))?;
    Ok(standard_errors(clusters.len(), assumptions)? * linearise(clusters)?.standard_error)
}

/// Distance between "no difference" and a difference found with the wanted power, in standard errors.
fn standard_errors(clusters: usize, a: &PowerAssumptions) -> Result<f64, StatsError> {
    check_share("alpha", a.alpha)?;
    check_share("power", a.power)?;
    if clusters < MIN_UNITS {
        return Err(StatsError::TooFew { what: "clusters", found: clusters, needed: MIN_UNITS });
    }
    let df = (clusters - 1) as f64;
    let alpha = if a.two_sided { 0.5 * a.alpha } else { a.alpha };
    Ok(t_quantile(1.0 - alpha, df) + t_quantile(a.power, df))
}
