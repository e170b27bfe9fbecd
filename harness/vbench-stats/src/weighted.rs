//! A weighted sum of ratios over the same clusters: an area under a curve of rates, a score over several strata.
//!
//! Strata share speakers, so their rates are not independent: whole clusters are resampled, each with its sums in every
//! stratum, and the weighted sum is taken of each resample.

use vbench_core::keyed::keyed_rng;
use vbench_core::{Estimate, ResamplingUnit};

use crate::bootstrap::Bootstrap;
use crate::clusters::{Clusters, MIN_UNITS, Observation, assign};
use crate::error::{StatsError, check_finite};
use crate::interval::{Ends, NO_ERRORS, Plan, estimate, from_drawn, plural, ratio_estimate};
use crate::proportion::clopper_pearson;
use crate::special::t_quantile;

/// Sums of numerators and denominators per resampling unit and stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct StrataClusters {
    /// What a cluster is.
    pub unit: ResamplingUnit,
    /// Number of strata, S.
    pub strata: usize,
    /// Numerator and denominator: S pairs of the first cluster, S of the second, and so on.
    pub sums: Vec<(f64, f64)>,
    /// Distinct utterances.
    pub utterances: usize,
    /// Distinct speakers, when every observation names one.
    pub speakers: Option<usize>,
}

impl StrataClusters {
    /// Sums observations, each with the index of its stratum, per resampling unit; the unit is chosen as by
    /// [`crate::choose_unit`] from all observations together. Indices from `strata` on are left out.
    #[must_use]
    pub fn new(strata: usize, observations: &[(usize, Observation<'_>)]) -> Self {
        let used: Vec<&(usize, Observation<'_>)> = observations.iter().filter(|o| o.0 < strata).collect();
        let assignment = assign(used.iter().map(|(_, o)| (o.utterance, o.speaker, o.session)));
        let mut sums = vec![(0.0, 0.0); assignment.clusters * strata];
        for ((stratum, observation), &cluster) in used.iter().zip(&assignment.cluster_of) {
            let sum = &mut sums[cluster * strata + stratum];
            sum.0 += observation.num;
            sum.1 += observation.den;
        }
        let (unit, utterances, speakers) = (assignment.unit, assignment.utterances, assignment.speakers);
        Self { unit, strata, sums, utterances, speakers }
    }

    /// As [`Clusters::note`].
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.with(Vec::new()).note()
    }

    fn with(&self, sums: Vec<(f64, f64)>) -> Clusters {
        Clusters { unit: self.unit, sums, utterances: self.utterances, speakers: self.speakers }
    }
}

/// `sum over strata of weight * sum(num) / sum(den)`, with an interval over clusters.
///
/// The method is the one of [`ratio_estimate`], clause by clause: BCa over clusters at the expanded level from 20
/// clusters on; under that the wider of BCa and t(S-1), linearised in every ratio; t(S-1) alone where BCa does not
/// exist; no error anywhere: 0 to the Clopper-Pearson bound, where the weights sum to at most 1; fewer than 6 units,
/// no spread, a stratum without a denominator: not estimable, with the reason. One stratum of weight 1 is
/// [`ratio_estimate`] itself. Many clusters are drawn as well: there is no analytic form here.
///
/// The lower end is cut at 0 when neither numerator nor weight is negative.
#[must_use]
pub fn weighted_estimate(clusters: &StrataClusters, weights: &[f64], plan: &Plan, key: &str) -> Estimate {
    if weights == [1.0] && clusters.strata == 1 {
        return ratio_estimate(&clusters.with(clusters.sums.clone()), plan, key);
    }
    // A unit that says nothing in any stratum is none.
    let strata = clusters.strata.max(1);
    let used: Vec<(f64, f64)> =
        clusters.sums.chunks(strata).filter(|c| c.iter().any(|p| *p != (0.0, 0.0))).flatten().copied().collect();
    let statistic = match WeightedRatios::new(&used, weights) {
        Ok(statistic) => statistic,
        Err(error) => return Estimate::not_estimable(f64::NAN, error.to_string()),
    };
    let value = statistic.value;
    let ends = interval(&statistic, clusters.unit, plan, key);
    estimate(value, ends, plan, (clusters.unit, statistic.clusters(), clusters.utterances))
}

fn interval(statistic: &WeightedRatios<'_>, unit: ResamplingUnit, plan: &Plan, key: &str) -> Result<Ends, StatsError> {
    let clusters = statistic.clusters();
    if clusters < MIN_UNITS {
        return Err(StatsError::TooFew { what: plural(unit), found: clusters, needed: MIN_UNITS });
    }
    let weights = statistic.weights;
    let positive = weights.iter().all(|w| *w >= 0.0);
    if positive && weights.iter().sum::<f64>() <= 1.0 + 1e-9 && statistic.sums.iter().all(|p| p.0 == 0.0) {
        return Ok((0.0, clopper_pearson(0, clusters as u64, plan.level)?.1, NO_ERRORS));
    }
    let error = statistic.standard_error();
    if error <= 1e-12 * statistic.value.abs() {
        let text = format!("all {clusters} {} have the same value: no spread to infer from", plural(unit));
        return Err(StatsError::NoSpread(text));
    }
    let floor = if positive && statistic.sums.iter().all(|p| p.0 >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
    let mut rng = keyed_rng(plan.seed, "bootstrap", "", key);
    let bootstrap = Bootstrap::weighted(statistic, plan.resamples, &mut rng)?;
    let (lo, hi, method) = from_drawn(&bootstrap, clusters, plan.level, || {
        let half = t_quantile(0.5 + 0.5 * plan.level, (clusters - 1) as f64) * error;
        Ok((statistic.value - half, statistic.value + half))
    })?;
    Ok((lo.max(floor), hi, method))
}

/// The weighted sum of ratios as a statistic that can be resampled.
pub(crate) struct WeightedRatios<'a> {
    /// As many pairs a cluster as there are weights.
    sums: &'a [(f64, f64)],
    weights: &'a [f64],
    totals: Vec<(f64, f64)>,
    value: f64,
}

impl<'a> WeightedRatios<'a> {
    fn new(sums: &'a [(f64, f64)], weights: &'a [f64]) -> Result<Self, StatsError> {
        check_finite(sums.iter().flat_map(|c| [c.0, c.1]).chain(weights.iter().copied()))?;
        if weights.is_empty() || !sums.len().is_multiple_of(weights.len()) {
            return Err(StatsError::LengthMismatch { left: sums.len(), right: weights.len() });
        }
        let mut totals = vec![(0.0, 0.0); weights.len()];
        add(&mut totals, sums, 1.0);
        let value = combined(&totals, weights).ok_or_else(|| {
            let sum = totals.iter().map(|t| t.1).fold(f64::INFINITY, f64::min);
            StatsError::NoDenominator { sum }
        })?;
        Ok(Self { sums, weights, totals, value })
    }

    pub(crate) fn clusters(&self) -> usize {
        self.sums.len() / self.weights.len()
    }

    /// Standard error over clusters, every ratio linearised: the residuals of one cluster add up over the strata before
    /// they are squared, so that strata of the same speakers count as dependent.
    fn standard_error(&self) -> f64 {
        let squares: f64 = self
            .sums
            .chunks(self.weights.len())
            .map(|cluster| {
                let strata = cluster.iter().zip(&self.totals).zip(self.weights);
                let influence: f64 = strata.map(|((c, t), w)| w * (c.0 - t.0 / t.1 * c.1) / t.1).sum();
                influence * influence
            })
            .sum();
        let s = self.clusters() as f64;
        libm::sqrt(s / (s - 1.0) * squares)
    }
}

/// Adds (or, with a factor of -1, takes away) whole clusters.
fn add(totals: &mut [(f64, f64)], clusters: &[(f64, f64)], factor: f64) {
    for cluster in clusters.chunks(totals.len()) {
        for (total, pair) in totals.iter_mut().zip(cluster) {
            total.0 += factor * pair.0;
            total.1 += factor * pair.1;
        }
    }
}

/// The weighted sum, if every ratio is defined.
fn combined(totals: &[(f64, f64)], weights: &[f64]) -> Option<f64> {
    let defined = totals.iter().all(|t| t.1 > 0.0);
    defined.then(|| totals.iter().zip(weights).map(|(t, w)| w * (t.0 / t.1)).sum())
}

impl crate::statistic::Statistic for WeightedRatios<'_> {
    type Sums = Vec<(f64, f64)>;

    fn start(&self) -> Self::Sums {
        vec![(0.0, 0.0); self.weights.len()]
    }

    fn add(&self, sums: &mut Self::Sums, drawn: &[u32]) {
        let strata = self.weights.len();
        for i in drawn {
            let first = *i as usize * strata;
            add(sums, &self.sums[first..first + strata], 1.0);
        }
    }

    fn finish(&self, sums: &mut Self::Sums) -> Option<f64> {
        let value = combined(sums, self.weights);
        sums.fill((0.0, 0.0));
        value
    }

    fn observed(&self) -> f64 {
        self.value
    }

    fn without(&self, left_out: std::ops::Range<usize>) -> Option<f64> {
        let strata = self.weights.len();
        let mut rest = self.totals.clone();
        add(&mut rest, &self.sums[left_out.start * strata..left_out.end * strata], -1.0);
        combined(&rest, self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    /// Strata that share the difficulty of their speakers.
    fn sample(case: u64, clusters: usize, strata: usize) -> StrataClusters {
        let mut rng = keyed_rng(case, "weighted", "", "");
        let sums = (0..clusters)
            .flat_map(|_| {
                let speaker = 0.02 + 0.2 * rng.random::<f64>();
                (0..strata)
                    .map(|k| {
                        let words = 50.0 + (50.0 * rng.random::<f64>()).floor();
                        let rate = speaker * (1.0 + k as f64) * (0.7 + 0.6 * rng.random::<f64>());
                        ((words * rate).round(), words)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        StrataClusters { unit: ResamplingUnit::Speaker, strata, sums, utterances: clusters, speakers: Some(clusters) }
    }

    #[test]
    fn equal_strata_give_the_estimate_of_one_of_them() {
        for clusters in [8, 40] {
            let one = sample(1, clusters, 1);
            let single = weighted_estimate(&one, &[1.0], &Plan::new(3), "wer");
            let direct = ratio_estimate(&one.with(one.sums.clone()), &Plan::new(3), "wer");
            assert_eq!(single, direct);
            let thrice =
                StrataClusters { strata: 3, sums: one.sums.iter().flat_map(|p| [*p; 3]).collect(), ..one.clone() };
            let mean = weighted_estimate(&thrice, &[0.25, 0.5, 0.25], &Plan::new(3), "wer");
            let (a, b) = (mean.interval.expect("spread"), direct.interval.expect("spread"));
            assert!((mean.value - direct.value).abs() < 1e-12);
            assert!((a.lo - b.lo).abs() < 1e-12 && (a.hi - b.hi).abs() < 1e-12, "{a:?} {b:?}");
            assert_eq!((a.method, a.clusters), (b.method, b.clusters));
        }
    }

    #[test]
    fn the_linearised_error_is_that_of_the_bootstrap_and_sees_that_strata_share_speakers() {
        let clusters = sample(2, 60, 4);
        let weights = [0.4, 0.3, 0.2, 0.1];
        let statistic = WeightedRatios::new(&clusters.sums, &weights).expect("a statistic");
        let bootstrap = Bootstrap::weighted(&statistic, 20_000, &mut keyed_rng(2, "w", "", "")).expect("replicates");
        let (drawn, linear) = (bootstrap.standard_error(), statistic.standard_error());
        assert!((drawn / linear - 1.0).abs() < 0.05, "{drawn} {linear}");
        // As if every stratum had speakers of its own: the variances add, and the error would be far too small.
        let apart: f64 = (0..4)
            .map(|k| {
                let one: Vec<(f64, f64)> = clusters.sums.iter().skip(k).step_by(4).copied().collect();
                let error = weights[k] * crate::linear::linearise(&one).expect("spread").standard_error;
                error * error
            })
            .sum();
        assert!(linear > 1.3 * apart.sqrt(), "{linear} {}", apart.sqrt());
    }

    /// 400 corpora of 24 speakers and 3 strata whose true rates are known: the interval holds the truth as often as it says,
    /// give or take three standard errors of the count and the point that BCa is known to lack at this size.
    #[test]
    fn intervals_hold_the_truth() {
        let (weights, corpora) = ([0.2, 0.3, 0.5], 400);
        // Mean of the speaker's rate times that of the factor: 0.12 * (k + 1).
        let truth: f64 = weights.iter().zip([0.12, 0.24, 0.36]).map(|(w, r)| w * r).sum();
        let plan = Plan { resamples: 999, ..Plan::new(5) };
        let held = (0..corpora)
            .filter(|case| {
                let estimate = weighted_estimate(&sample(100 + case, 24, 3), &weights, &plan, "a");
                estimate.ends().is_some_and(|(lo, hi)| lo <= truth && truth <= hi)
            })
            .count();
        assert!((364..=394).contains(&held), "{held} of {corpora}");
    }

    #[test]
    fn nothing_is_made_up() {
        let reason = |clusters: &StrataClusters, weights: &[f64]| {
            weighted_estimate(clusters, weights, &Plan::new(1), "x").interval.err().unwrap_or_default()
        };
        let of = |sums: Vec<(f64, f64)>| StrataClusters { sums, ..sample(1, 1, 2) };
        assert!(reason(&sample(1, 5, 2), &[0.5, 0.5]).contains("5 speakers"));
        assert!(!reason(&of([(1.0, 10.0), (0.0, 0.0)].repeat(9)), &[0.5, 0.5]).is_empty());
        assert!(reason(&of([(1.0, 10.0), (2.0, 10.0)].repeat(9)), &[0.5, 0.5]).contains("same value"));
        assert!(!reason(&of([(f64::NAN, 10.0), (2.0, 10.0)].repeat(9)), &[0.5, 0.5]).is_empty());
        assert!(!reason(&sample(1, 9, 2), &[]).is_empty() && !reason(&of(Vec::new()), &[0.5, 0.5]).is_empty());
        let none = weighted_estimate(&of([(0.0, 10.0), (0.0, 10.0)].repeat(9)), &[0.5, 0.5], &Plan::new(1), "x");
        assert_eq!(none.interval.map(|i| (i.lo, i.method)), Ok((0.0, NO_ERRORS.to_owned())));
    }
}
