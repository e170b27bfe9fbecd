//! The smallest difference between two systems that a paired comparison would detect, and how many speakers it takes
//! to decide about a given one.

use crate::clusters::MIN_UNITS;
use crate::error::{StatsError, check_finite, check_share};
use crate::interval::same_rate;
use crate::linear::linearise;
use crate::special::t_quantile;

/// Beyond this many speakers the answer of [`speakers_needed`] is "not decidable".
const MOST_SPEAKERS: usize = 1_000_000;

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
/// Fewer than 6 clusters, values that are not finite, no words, the same difference on every cluster.
pub fn detectable_difference_observed(
    clusters: &[(f64, f64)],
    assumptions: &PowerAssumptions,
) -> Result<f64, StatsError> {
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]))?;
    Ok(standard_errors(clusters.len(), assumptions)? * spread(clusters)?)
}

/// Standard error over the clusters, which must not be alike: a detectable difference of 0 would be a promise that
/// nobody can keep.
fn spread(clusters: &[(f64, f64)]) -> Result<f64, StatsError> {
    let linearised = linearise(clusters)?;
    if same_rate(clusters) {
        let text = format!("all {} clusters have the same value: no spread to infer from", clusters.len());
        return Err(StatsError::NoSpread(text));
    }
    Ok(linearised.standard_error)
}

/// Speakers (clusters) in all that the one-sided non-inferiority test needs to decide with the wanted power, when the
/// true difference of rates is `effect` and new speakers resemble those seen: one `(difference of errors, words)` pair
/// a cluster. Subtract the clusters there are for "how many more".
///
/// Below `margin` the decision is "passes", above it "regressed"; the smallest S with
/// `(t(S-1, 1 - alpha) + t(S-1, power)) * sd / sqrt(S) <= |effect - margin|`, where `sd / sqrt(S)` is the linearised
/// standard error of S such clusters. At least 6. Of the assumptions `power` and `alpha` are used; the test is
/// one-sided whatever `two_sided` says. The observed difference as `effect` says what would decide if it were the
/// truth; 0 says what a change without effect needs to pass.
///
/// # Errors
/// Fewer than 6 clusters, values that are not finite, no words, the same difference on every cluster; an effect at the
/// margin, which no number of speakers decides, or so near it that it takes over a million.
pub fn speakers_needed(
    clusters: &[(f64, f64)],
    effect: f64,
    margin: f64,
    assumptions: &PowerAssumptions,
) -> Result<usize, StatsError> {
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]).chain([effect, margin]))?;
    let one_sided = PowerAssumptions { two_sided: false, ..*assumptions };
    standard_errors(clusters.len(), &one_sided)?;
    let sd = spread(clusters)? * libm::sqrt(clusters.len() as f64);
    let gap = (effect - margin).abs();
    let decides = |s: usize| Ok(standard_errors(s, &one_sided)? * sd <= gap * libm::sqrt(s as f64));
    if !decides(MOST_SPEAKERS)? {
        let text = format!("a true difference {gap} from the margin takes more than {MOST_SPEAKERS} speakers");
        return Err(StatsError::NoSpread(text));
    }
    // More speakers always help, so the smallest number that decides is found by halving.
    let (mut too_few, mut enough) = (MIN_UNITS - 1, MOST_SPEAKERS);
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if decides(middle)? { enough = middle } else { too_few = middle }
    }
    Ok(enough)
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
