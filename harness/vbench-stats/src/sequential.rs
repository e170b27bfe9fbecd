//! The gate's test with looks in between: stop as soon as the verdict is decided, without more false verdicts.
//!
//! Looking at a fixed-sample test after every cluster and stopping at the first p below alpha is wrong far more often
//! than alpha says. Here alpha is spent over the looks (Lan & DeMets, Biometrika 70, 1983) and the boundaries come from
//! the sign-flip distribution itself: `paths` random sign patterns are carried along from look to look beside the
//! observed one, and at each look the most extreme paths that still go on are stopped, as many as the alpha spent so
//! far allows. The observed path is one of `paths + 1` that are alike when each cluster's excess over the margin is as
//! likely to have either sign, so it is stopped with a chance of at most alpha, whatever the looks and whatever the
//! spread: exact for finite samples, no normal approximation and no estimate of variance. (At a margin other than zero
//! the symmetry is an approximation, as it is for the fixed-sample test.)
//!
//! Why not a confidence sequence: those that hold for an unlimited number of looks pay for looks that a suite of 18 to
//! 72 speakers does not have. `reports/statistics.md` has the figures beside the fixed-sample test.

use rand::Rng;
use vbench_core::keyed::keyed_rng;

use crate::clusters::MIN_UNITS;
use crate::error::{StatsError, check_finite, check_share};
use crate::special::{normal_quantile, normal_sf};

/// Sign patterns carried along unless asked otherwise.
pub const DEFAULT_PATHS: usize = 9_999;

/// Most sign patterns: 16 MB of sums.
pub const MAX_PATHS: usize = 1_000_000;

/// How alpha is spent; t is the share of the planned clusters that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spending {
    /// `2 (1 - Phi(z(1 - alpha / 2) / sqrt(t)))`, like O'Brien and Fleming's boundary: next to nothing early, so the
    /// last look has almost the power of the fixed-sample test. The default.
    ObrienFleming,
    /// `alpha ln(1 + (e - 1) t)`, like Pocock's boundary: about evenly, so it stops earlier and decides less often.
    Pocock,
}

impl Spending {
    /// One-sided error allowed up to the share `t` of the planned clusters, from 0 at `t` = 0 to `alpha` at 1.
    ///
    /// # Errors
    /// Alpha outside (0, 1), a share outside [0, 1].
    pub fn spent(self, alpha: f64, t: f64) -> Result<f64, StatsError> {
        check_share("alpha", alpha)?;
        if !(0.0..=1.0).contains(&t) {
            return Err(StatsError::OutOfRange { name: "share of the planned clusters", value: t, range: "0 to 1" });
        }
        if t == 0.0 || t == 1.0 {
            return Ok(alpha * t);
        }
        Ok(match self {
            Self::Pocock => alpha * libm::log1p((core::f64::consts::E - 1.0) * t),
            Self::ObrienFleming => 2.0 * normal_sf(normal_quantile(1.0 - 0.5 * alpha) / libm::sqrt(t)),
        })
    }
}

/// A declared sequential non-inferiority test. Everything is fixed before the first cluster arrives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequential {
    /// Clusters that there will be at the end.
    pub planned: usize,
    /// Clusters at the first look, at least 6.
    pub first: usize,
    /// Clusters from look to look, at least 1. The last look is always at `planned`.
    pub every: usize,
    /// The difference of rates (second minus first system, a fraction) that is still acceptable.
    pub margin: f64,
    /// One-sided error of each of the two verdicts. For several rules of one gate divide it by their number.
    pub alpha: f64,
    /// How alpha is spent over the looks.
    pub spending: Spending,
    /// Sign patterns; the smallest alpha that can be spent at a look is 1 / (paths + 1).
    pub paths: usize,
    /// Seed of the sign patterns.
    pub seed: u64,
}

/// What is known after some clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SequentialVerdict {
    /// Not decided yet: run more clusters.
    Continue,
    /// "Worse than the margin" is rejected, or all planned clusters are equal in both systems.
    Pass,
    /// "No worse than the margin" is rejected.
    Regressed,
    /// All planned clusters are there and neither is rejected.
    Inconclusive,
}

/// A verdict and where it fell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: SequentialVerdict,
    /// Clusters at the look that decided; otherwise at the last look, 0 before the first.
    pub clusters: usize,
    /// Alpha spent up to there on each side.
    pub spent: f64,
}

impl Sequential {
    /// A look after every cluster from the sixth on, one-sided alpha 0.05, O'Brien-Fleming spending,
    /// [`DEFAULT_PATHS`].
    #[must_use]
    pub fn new(planned: usize, margin: f64, seed: u64) -> Self {
        Self {
            planned,
            first: MIN_UNITS,
            every: 1,
            margin,
            alpha: 0.05,
            spending: Spending::ObrienFleming,
            paths: DEFAULT_PATHS,
            seed,
        }
    }

    /// The decision after the clusters so far, each `(errors of the second minus errors of the first system, words)`,
    /// in the order in which they arrived: [`cluster_order`] of all planned ones, not sorted by anything measured.
    ///
    /// A pure function: every declared look up to here is made again, and the first one that decides counts, so a
    /// decision never changes when more clusters are handed in.
    ///
    /// # Errors
    /// A plan of fewer than 6 clusters, a first look before the sixth or after the last, steps of 0, paths outside 1 to
    /// [`MAX_PATHS`], alpha outside (0, 1); more clusters than planned, values that are not finite.
    pub fn look(&self, clusters: &[(f64, f64)]) -> Result<Decision, StatsError> {
        self.check(clusters)?;
        let mut walk = Walk::new(self);
        let mut latest = Decision { verdict: SequentialVerdict::Continue, clusters: 0, spent: 0.0 };
        for (index, (delta, words)) in clusters.iter().enumerate() {
            walk.step(delta - self.margin * words);
            let seen = index + 1;
            if !self.is_look(seen) {
                continue;
            }
            let spent = self.spending.spent(self.alpha, seen as f64 / self.planned as f64)?;
            latest = Decision { verdict: walk.verdict(spent), clusters: seen, spent };
            if latest.verdict != SequentialVerdict::Continue {
                return Ok(latest);
            }
        }
        if clusters.len() == self.planned {
            let identical = clusters.iter().all(|c| c.0 == 0.0) && clusters.iter().any(|c| c.1 > 0.0);
            latest.verdict = if identical { SequentialVerdict::Pass } else { SequentialVerdict::Inconclusive };
        }
        Ok(latest)
    }

    fn is_look(&self, seen: usize) -> bool {
        seen == self.planned || (seen >= self.first && (seen - self.first).is_multiple_of(self.every))
    }

    fn check(&self, clusters: &[(f64, f64)]) -> Result<(), StatsError> {
        let outside = |name, value: usize, range| Err(StatsError::OutOfRange { name, value: value as f64, range });
        if self.planned < MIN_UNITS {
            return Err(StatsError::TooFew { what: "planned clusters", found: self.planned, needed: MIN_UNITS });
        }
        if !(MIN_UNITS..=self.planned).contains(&self.first) {
            return outside("first look", self.first, "6 to the planned clusters");
        }
        if self.every == 0 {
            return outside("step between looks", 0, "1 or more");
        }
        if !(1..=MAX_PATHS).contains(&self.paths) {
            return outside("paths", self.paths, "1 to 1,000,000");
        }
        if clusters.len() > self.planned {
            return outside("clusters", clusters.len(), "0 to the planned clusters");
        }
        check_share("alpha", self.alpha)?;
        check_finite(clusters.iter().flat_map(|c| [c.0, c.1]).chain([self.margin]))
    }
}

/// The sums of the observed path (the first) and of those with random signs.
struct Walk {
    sums: Vec<f64>,
    magnitude: f64,
    upward: Stopped,
    downward: Stopped,
    rng: rand_chacha::ChaCha8Rng,
    bytes: Vec<u8>,
    scratch: Vec<f64>,
}

/// Paths that one side's boundary has stopped.
struct Stopped {
    is: Vec<bool>,
    count: usize,
}

impl Walk {
    fn new(plan: &Sequential) -> Self {
        let paths = plan.paths + 1;
        let none = || Stopped { is: vec![false; paths], count: 0 };
        Self {
            sums: vec![0.0; paths],
            magnitude: 0.0,
            upward: none(),
            downward: none(),
            rng: keyed_rng(plan.seed, "sequential", "", ""),
            bytes: vec![0; plan.paths.div_ceil(8)],
            scratch: Vec::with_capacity(paths),
        }
    }

    /// One cluster more. The signs of a cluster are the next draws of one stream, so they stay what they are when
    /// clusters follow.
    fn step(&mut self, excess: f64) {
        self.rng.fill_bytes(&mut self.bytes);
        self.magnitude += excess.abs();
        self.sums[0] += excess;
        for (i, sum) in self.sums[1..].iter_mut().enumerate() {
            let flipped = self.bytes[i / 8] >> (i % 8) & 1 == 1;
            *sum += if flipped { -excess } else { excess };
        }
    }

    fn verdict(&mut self, spent: f64) -> SequentialVerdict {
        let allowed = libm::floor(spent * self.sums.len() as f64 * (1.0 + 1e-12)) as usize;
        let slack = 1e-12 * self.magnitude;
        if self.upward.stop(&self.sums, 1.0, allowed, slack, &mut self.scratch) {
            return SequentialVerdict::Regressed;
        }
        if self.downward.stop(&self.sums, -1.0, allowed, slack, &mut self.scratch) {
            return SequentialVerdict::Pass;
        }
        SequentialVerdict::Continue
    }
}

impl Stopped {
    /// Stops the farthest paths in one direction until `allowed` are stopped in all; paths that tie with the first one
    /// that may not be stopped go on. Whether the observed path is now among them.
    fn stop(&mut self, sums: &[f64], direction: f64, allowed: usize, slack: f64, scratch: &mut Vec<f64>) -> bool {
        let more = allowed.saturating_sub(self.count);
        scratch.clear();
        scratch.extend(sums.iter().zip(&self.is).filter(|(_, is)| !**is).map(|(sum, _)| direction * sum));
        if more == 0 || more >= scratch.len() {
            return self.is[0];
        }
        let (_, bound, _) = scratch.select_nth_unstable_by(more, |a, b| b.total_cmp(a));
        let bound = *bound + slack;
        for (is, sum) in self.is.iter_mut().zip(sums) {
            if !*is && direction * sum > bound {
                *is = true;
                self.count += 1;
            }
        }
        self.is[0]
    }
}

/// The keyed random order in which clusters are to be run: positions 0 to `clusters` - 1, each once (Fisher & Yates).
#[must_use]
pub fn cluster_order(clusters: usize, seed: u64, key: &str) -> Vec<usize> {
    let mut rng = keyed_rng(seed, "cluster-order", "", key);
    let mut order: Vec<usize> = (0..clusters).collect();
    for last in (1..clusters).rev() {
        // 64 bits over a range this small: the bias of the multiplication is far below anything that can be seen.
        let chosen = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, chosen as usize);
    }
    order
}
