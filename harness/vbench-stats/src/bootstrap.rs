//! Bootstrap over clusters or blocks: percentile, basic and BCa intervals.
//!
//! Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 14; the conventions for ties and for
//! the end points (linear interpolation between order statistics) are those of `scipy.stats.bootstrap`.

use rand::Rng;
use rayon::prelude::*;

use crate::blocks::Blocks;
use crate::draw::{Scheme, Units, Words};
use crate::error::{StatsError, check_share};
use crate::quantile::type7_sorted;
use crate::special::{normal_cdf, normal_quantile};
use crate::statistic::{PooledQuantile, RatioOfSums, Statistic};
use crate::weighted::WeightedRatios;

/// Resamples of an interval unless asked otherwise.
///
/// At 4,999 one end of a 95 % interval moves by about 4 % of a standard error between seeds (2 % of the half width),
/// and (B + 1) times 2.5 % is a whole number.
pub const DEFAULT_RESAMPLES: usize = 4_999;

/// Most resamples of one interval: 80 MB of replicates.
pub const MAX_RESAMPLES: usize = 10_000_000;

/// Resamples drawn from one sub-generator. Part of the definition of the result: changing it changes the draws.
const CHUNK: usize = 64;

/// Below this many draws in all, threads cost more than they bring.
const PARALLEL_DRAWS: usize = 1 << 20;

/// How an interval is made from the replicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Quantiles of the replicates.
    Percentile,
    /// Quantiles mirrored at the observed value (reverse percentile).
    Basic,
    /// Bias-corrected and accelerated, acceleration by the cluster jackknife.
    Bca,
}

impl Method {
    /// The name that estimates carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Basic => "basic",
            Self::Bca => "bca",
        }
    }
}

/// Replicates of a statistic under resampling of whole clusters, or of blocks of utterances.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    observed: f64,
    /// Ascending; resamples in which the statistic is not defined are left out.
    replicates: Vec<f64>,
    /// Cluster (or block) jackknife acceleration; `None` when every leave-one-out value is the same.
    acceleration: Option<f64>,
}

impl Bootstrap {
    /// Ratio of sums, e.g. errors over words: one `(numerator, denominator)` pair a cluster.
    ///
    /// # Errors
    /// Fewer than two clusters, values that are not finite, a denominator that sums to zero or less, resamples outside
    /// 1 to [`MAX_RESAMPLES`].
    pub fn ratio(clusters: &[(f64, f64)], resamples: usize, rng: &mut impl Rng) -> Result<Self, StatsError> {
        let statistic = RatioOfSums::new(clusters)?;
        Self::run(&statistic, &Units { count: clusters.len() }, resamples, rng)
    }

    /// Weighted sum of ratios of sums, each over the same clusters.
    pub(crate) fn weighted(
        statistic: &WeightedRatios<'_>,
        resamples: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, StatsError> {
        Self::run(statistic, &Units { count: statistic.clusters() }, resamples, rng)
    }

    /// Mean of one value a cluster.
    ///
    /// # Errors
    /// As for [`Bootstrap::ratio`].
    pub fn mean(values: &[f64], resamples: usize, rng: &mut impl Rng) -> Result<Self, StatsError> {
        Self::ratio(&with_ones(values), resamples, rng)
    }

    /// Type-7 quantile `q` of all values, resampled by cluster: `clusters[i]` holds the values of cluster i.
    ///
    /// # Errors
    /// Fewer than two clusters, no values, values that are not finite, `q` outside [0, 1], resamples outside 1 to
    /// [`MAX_RESAMPLES`].
    pub fn quantile(clusters: &[Vec<f64>], q: f64, resamples: usize, rng: &mut impl Rng) -> Result<Self, StatsError> {
        let statistic = PooledQuantile::new(clusters.iter().map(Vec::as_slice), q)?;
        Self::run(&statistic, &Units { count: clusters.len() }, resamples, rng)
    }

    /// Ratio of sums over utterances in time order, resampled by blocks: one pair an utterance, session by session as
    /// given to [`Blocks::new`]. [`crate::block_length`] proposes a length.
    ///
    /// # Errors
    /// As for [`Bootstrap::ratio`]; another number of utterances than the blocks have.
    pub fn block_ratio(
        utterances: &[(f64, f64)],
        blocks: &Blocks,
        resamples: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, StatsError> {
        same_length(utterances.len(), blocks)?;
        Self::run(&RatioOfSums::new(utterances)?, blocks, resamples, rng)
    }

    /// Mean of one value an utterance, resampled by blocks.
    ///
    /// # Errors
    /// As for [`Bootstrap::block_ratio`].
    pub fn block_mean(
        values: &[f64],
        blocks: &Blocks,
        resamples: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, StatsError> {
        Self::block_ratio(&with_ones(values), blocks, resamples, rng)
    }

    /// Type-7 quantile `q` of one value an utterance, resampled by blocks.
    ///
    /// # Errors
    /// As for [`Bootstrap::quantile`]; another number of utterances than the blocks have.
    pub fn block_quantile(
        values: &[f64],
        q: f64,
        blocks: &Blocks,
        resamples: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, StatsError> {
        same_length(values.len(), blocks)?;
        Self::run(&PooledQuantile::new(values.chunks(1), q)?, blocks, resamples, rng)
    }

    fn run<S: Statistic>(
        statistic: &S,
        scheme: &impl Scheme,
        resamples: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, StatsError> {
        scheme.check()?;
        if resamples == 0 || resamples > MAX_RESAMPLES {
            let range = "1 to 10,000,000";
            return Err(StatsError::OutOfRange { name: "resamples", value: resamples as f64, range });
        }
        // One seed a chunk, drawn before any work starts: the result is the same for every number of threads.
        let seeds: Vec<[u8; 32]> = (0..resamples.div_ceil(CHUNK))
            .map(|_| {
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                seed
            })
            .collect();
        let chunk = |(c, seed): (usize, &[u8; 32])| -> Vec<f64> {
            let mut words = Words::new(*seed);
            let mut sums = statistic.start();
            let count = CHUNK.min(resamples - c * CHUNK);
            (0..count)
                .filter_map(|_| {
                    scheme.draw(&mut words, statistic, &mut sums);
                    statistic.finish(&mut sums)
                })
                .collect()
        };
        let mut replicates: Vec<f64> = if resamples.saturating_mul(scheme.draws()) < PARALLEL_DRAWS {
            seeds.iter().enumerate().flat_map(chunk).collect()
        } else {
            seeds.par_iter().enumerate().flat_map_iter(chunk).collect()
        };
        replicates.sort_unstable_by(f64::total_cmp);
        if replicates.len() * 2 < resamples {
            let what = "resamples with a positive denominator";
            return Err(StatsError::TooFew { what, found: replicates.len(), needed: resamples.div_ceil(2) });
        }
        let left_out: Vec<f64> = scheme.parts().filter_map(|part| statistic.without(part)).collect();
        Ok(Self { observed: statistic.observed(), replicates, acceleration: acceleration(&left_out) })
    }

    /// The statistic on the clusters as observed.
    #[must_use]
    pub fn observed(&self) -> f64 {
        self.observed
    }

    /// The replicates, ascending.
    #[must_use]
    pub fn replicates(&self) -> &[f64] {
        &self.replicates
    }

    /// Cluster jackknife acceleration of BCa, `sum(u^3) / (6 sum(u^2)^1.5)` with `u = mean - leave-one-out value`;
    /// `None` without spread.
    #[must_use]
    pub fn acceleration(&self) -> Option<f64> {
        self.acceleration
    }

    /// Standard deviation of the replicates (n - 1).
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let n = self.replicates.len() as f64;
        let mean = self.replicates.iter().sum::<f64>() / n;
        let squares: f64 = self.replicates.iter().map(|v| (v - mean) * (v - mean)).sum();
        libm::sqrt(squares / (n - 1.0))
    }

    /// Shares of replicates below `x`: strictly, and with half of those that tie.
    #[must_use]
    pub fn share_below(&self, x: f64) -> (f64, f64) {
        let n = self.replicates.len() as f64;
        let below = self.replicates.partition_point(|v| *v < x) as f64;
        let up_to = self.replicates.partition_point(|v| *v <= x) as f64;
        (below / n, 0.5 * (below + up_to) / n)
    }

    /// Two-sided interval at `level`.
    ///
    /// # Errors
    /// A level outside (0, 1); replicates without spread; for BCa, replicates all on one side of the observed value.
    pub fn interval(&self, method: Method, level: f64) -> Result<(f64, f64), StatsError> {
        check_share("level", level)?;
        if self.replicates.first() == self.replicates.last() {
            return Err(StatsError::NoSpread("every resample has the same value".to_owned()));
        }
        let alpha = 0.5 * (1.0 - level);
        let at = |p: f64| type7_sorted(&self.replicates, p);
        match method {
            Method::Percentile => Ok((at(alpha), at(1.0 - alpha))),
            Method::Basic => Ok((2.0 * self.observed - at(1.0 - alpha), 2.0 * self.observed - at(alpha))),
            Method::Bca => {
                let (lo, hi) = self.bca_levels(alpha)?;
                Ok((at(lo), at(hi)))
            }
        }
    }

    fn bca_levels(&self, alpha: f64) -> Result<(f64, f64), StatsError> {
        let no_spread = |text: &str| StatsError::NoSpread(text.to_owned());
        let a = self.acceleration.ok_or_else(|| no_spread("every cluster carries the same value"))?;
        let z0 = normal_quantile(self.share_below(self.observed).1);
        if !z0.is_finite() {
            return Err(no_spread("all resamples lie on one side of the observed value"));
        }
        let adjusted = |z: f64| {
            let shifted = z0 + z;
            normal_cdf(z0 + shifted / (1.0 - a * shifted))
        };
        let z = normal_quantile(alpha);
        Ok((adjusted(z), adjusted(-z)))
    }
}

/// Cluster jackknife acceleration, or `None` without spread.
fn acceleration(leave_one_out: &[f64]) -> Option<f64> {
    let n = leave_one_out.len() as f64;
    let mean = leave_one_out.iter().sum::<f64>() / n;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in leave_one_out {
        let u = mean - value;
        squares += u * u;
        cubes += u * u * u;
    }
    // Rounding alone leaves about 1e-16 of the mean on each term.
    let rounding = n * (1e-14 * mean) * (1e-14 * mean);
    (squares > rounding).then(|| cubes / (6.0 * squares * libm::sqrt(squares)))
}

fn with_ones(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().map(|v| (*v, 1.0)).collect()
}

fn same_length(left: usize, blocks: &Blocks) -> Result<(), StatsError> {
    let right = blocks.utterances();
    if left == right { Ok(()) } else { Err(StatsError::LengthMismatch { left, right }) }
}
