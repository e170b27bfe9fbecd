//! Linearised (delta-method, Taylor) interval of a ratio of sums over clusters, with t(S-1).

use crate::error::{StatsError, check_finite, check_share};
use crate::special::t_quantile;

/// A ratio of sums and its linearised standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linearised {
    /// `sum(num) / sum(den)`.
    pub ratio: f64,
    /// Standard error over clusters.
    pub standard_error: f64,
    /// Number of clusters, S.
    pub clusters: usize,
}

/// Linearises the ratio of sums of `(numerator, denominator)` pairs, one pair a cluster.
///
/// Variance `S/(S-1) * sum((num_i - R den_i)^2) / sum(den)^2`: the between-cluster estimator of survey sampling
/// (Cochran, Sampling Techniques, 3rd ed. 1977, section 6.4 without finite-population correction).
///
/// # Errors
/// Fewer than two clusters, values that are not finite, denominators that sum to zero or less.
pub fn linearise(clusters: &[(f64, f64)]) -> Result<Linearised, StatsError> {
    if clusters.len() < 2 {
        return Err(StatsError::TooFew { what: "clusters", found: clusters.len(), needed: 2 });
    }
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]))?;
    let (num, den) = sums(clusters);
    if den <= 0.0 {
        return Err(StatsError::NoDenominator { sum: den });
    }
    let ratio = num / den;
    let squares: f64 = clusters
        .iter()
        .map(|(n, d)| {
            let residual = n - ratio * d;
            residual * residual
        })
        .sum();
    let s = clusters.len() as f64;
    let standard_error = libm::sqrt(s / (s - 1.0) * squares) / den;
    Ok(Linearised { ratio, standard_error, clusters: clusters.len() })
}

impl Linearised {
    /// Two-sided interval `R -+ t(S-1) * se` at `level`, not clipped.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<(f64, f64), StatsError> {
        check_share("level", level)?;
        let t = t_quantile(0.5 + 0.5 * level, (self.clusters - 1) as f64);
        Ok((self.ratio - t * self.standard_error, self.ratio + t * self.standard_error))
    }
}

/// Sums of both members.
pub(crate) fn sums(clusters: &[(f64, f64)]) -> (f64, f64) {
    clusters.iter().fold((0.0, 0.0), |(n, d), c| (n + c.0, d + c.1))
}
