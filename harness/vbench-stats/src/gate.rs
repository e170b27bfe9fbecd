//! The gate's test: the cluster sign-flip test inverted at a margin, in both directions, with its matching interval.
//!
//! For clusters with a change `d` (e.g. errors of B minus errors of A) over `w` words, the statistic at a margin `m` is
//! `sum(d - m w)`. Flipping the signs of a set F of clusters gives a sum at least as large exactly where
//! `sum_F d <= m sum_F w`, so the share of sign patterns that are as extreme is the share of sets whose own ratio
//! `sum_F d / sum_F w` is at most `m`. The ratios of all sets (typical values: Hartigan, JASA 64, 1969) therefore give
//! the p-values at every margin and, as order statistics, the interval; both say the same by construction.

use rand::Rng;

use crate::clusters::MIN_UNITS;
use crate::error::{StatsError, check_finite, check_share};
use crate::linear::linearise;
use crate::paired::EXACT_CLUSTERS;
use crate::special::t_quantile;

/// Ratios within this much of the margin, relative to the largest of them, are ties: they speak against rejection.
const TIE: f64 = 1e-12;

/// What the test says at a level, before any adjustment for several rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// "No worse than the margin" is rejected.
    Regressed,
    /// "Worse than the margin" is rejected.
    Pass,
    /// Every cluster is equal: nothing changed, so nothing got worse.
    Identical,
    /// Neither is rejected.
    Inconclusive,
}

/// Both one-sided tests at one margin, and the interval that decides the same at every margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateTest {
    /// Ratio of sums over all clusters.
    pub observed: f64,
    /// The margin tested.
    pub margin: f64,
    /// p of "no worse than the margin": small when the change lies above it.
    pub p_regressed: f64,
    /// p of "worse than the margin": small when the change lies below it.
    pub p_pass: f64,
    /// Lower end of the interval; minus infinity where so few clusters exclude nothing.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
    /// Level of the interval, `1 - 2 alpha`.
    pub level: f64,
    /// Every cluster has a change of 0.
    pub identical: bool,
    /// Sets drawn, or `None` when all were counted.
    pub draws: Option<usize>,
}

impl GateTest {
    /// The outcome at a level, from p-values that the caller may have adjusted for several rules (Holm).
    #[must_use]
    pub fn decide(&self, p_regressed: f64, p_pass: f64, alpha: f64) -> Decision {
        if self.identical {
            Decision::Identical
        } else if p_regressed <= alpha {
            Decision::Regressed
        } else if p_pass <= alpha {
            Decision::Pass
        } else {
            Decision::Inconclusive
        }
    }
}

/// Tests clusters of `(change, denominator)` at a margin, both ways, each one-sided at `alpha`.
///
/// A change above 0 is for the worse; the margin is in units of change per denominator (a fraction for error rates).
/// Up to [`EXACT_CLUSTERS`] clusters all sets are counted; beyond, `draws` random ones are, the observed pattern among
/// them (Phipson & Smyth 2010), so that p is never 0. The result does not depend on the order of the clusters.
/// Clusters with neither change nor denominator carry nothing and are not counted.
///
/// # Errors
/// Fewer than 6 clusters, values or a margin that are not finite, a cluster without a positive denominator, alpha
/// outside (0, 0.5), no draws where they are needed.
pub fn gate_test(
    clusters: &[(f64, f64)],
    margin: f64,
    alpha: f64,
    draws: usize,
    rng: &mut impl Rng,
) -> Result<GateTest, StatsError> {
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]).chain([margin]))?;
    check_share("alpha", 2.0 * alpha)?;
    let mut used: Vec<(f64, f64)> = clusters.iter().copied().filter(|c| *c != (0.0, 0.0)).collect();
    if let Some(bad) = used.iter().find(|c| c.1 <= 0.0) {
        return Err(StatsError::OutOfRange { name: "denominator", value: bad.1, range: "numbers above 0" });
    }
    if used.len() < MIN_UNITS {
        return Err(StatsError::TooFew { what: "clusters", found: used.len(), needed: MIN_UNITS });
    }
    used.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (change, denominator) = crate::linear::sums(&used);
    let exact = used.len() <= EXACT_CLUSTERS;
    if !exact && draws == 0 {
        return Err(StatsError::TooFew { what: "draws", found: 0, needed: 1 });
    }
    let mut ratios = if exact { all_sets(&used) } else { random_sets(&used, draws, rng) };
    // The pattern without any flip belongs to the reference set and is as extreme as itself, whatever the margin.
    let total = if exact { ratios.len() + 1 } else { draws + 1 };
    let always = total - ratios.len();
    let scale = used.iter().map(|c| (c.0 / c.1).abs()).fold(margin.abs(), f64::max);
    let slack = TIE * scale;
    let share = |count: usize| (always + count) as f64 / total as f64;
    let p_regressed = share(ratios.iter().filter(|r| **r <= margin + slack).count());
    let p_pass = share(ratios.iter().filter(|r| **r >= margin - slack).count());
    let (lo, hi) = ends(&mut ratios, (alpha * total as f64).floor() as usize, always);
    Ok(GateTest {
        observed: change / denominator,
        margin,
        p_regressed,
        p_pass,
        lo,
        hi,
        level: 1.0 - 2.0 * alpha,
        identical: used.iter().all(|c| c.0 == 0.0),
        draws: (!exact).then_some(draws),
    })
}

/// The margins that neither test rejects when at most `allowed` patterns may be as extreme, `always` of which are.
fn ends(ratios: &mut [f64], allowed: usize, always: usize) -> (f64, f64) {
    let Some(position) = allowed.checked_sub(always).filter(|p| *p < ratios.len()) else {
        return (f64::NEG_INFINITY, f64::INFINITY);
    };
    let lo = *ratios.select_nth_unstable_by(position, f64::total_cmp).1;
    let from_top = ratios.len() - 1 - position;
    let hi = *ratios.select_nth_unstable_by(from_top, f64::total_cmp).1;
    (lo, hi)
}

/// Ratios of all sets of clusters but the empty one.
fn all_sets(clusters: &[(f64, f64)]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(1 << clusters.len());
    sums.push((0.0, 0.0));
    for (change, denominator) in clusters {
        for i in 0..sums.len() {
            let (c, d): (f64, f64) = sums[i];
            sums.push((c + change, d + denominator));
        }
    }
    sums[1..].iter().map(|(c, d)| c / d).collect()
}

/// Ratios of random sets; the empty ones are left out.
fn random_sets(clusters: &[(f64, f64)], draws: usize, rng: &mut impl Rng) -> Vec<f64> {
    // One byte of randomness decides about eight clusters through a table of their sums.
    let tables: Vec<[(f64, f64); 256]> = clusters
        .chunks(8)
        .map(|group| {
            std::array::from_fn(|bits| {
                let chosen = group.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
                chosen.fold((0.0, 0.0), |sum, (_, c)| (sum.0 + c.0, sum.1 + c.1))
            })
        })
        .collect();
    let mut bytes = vec![0u8; tables.len()];
    let mut ratios = Vec::with_capacity(draws);
    for _ in 0..draws {
        rng.fill_bytes(&mut bytes);
        let (mut change, mut denominator) = (0.0, 0.0);
        for (table, byte) in tables.iter().zip(&bytes) {
            let (c, d) = table[usize::from(*byte)];
            change += c;
            denominator += d;
        }
        if denominator > 0.0 {
            ratios.push(change / denominator);
        }
    }
    ratios
}

/// Most clusters that [`clusters_to_decide`] names: beyond, the change is as good as on the margin.
pub const MOST_CLUSTERS: usize = 100_000;

/// How many clusters in all would decide at this margin with probability `power`, if the change and its spread between
/// clusters stay as seen: the smallest S with `|change - margin| >= (t_alpha + t_power) * se * sqrt(clusters / S)`.
///
/// `None` where no number up to [`MOST_CLUSTERS`] would.
///
/// # Errors
/// Values that are not finite, fewer than 2 clusters, no denominator, `alpha` or `power` outside (0, 1).
pub fn clusters_to_decide(
    clusters: &[(f64, f64)],
    margin: f64,
    alpha: f64,
    power: f64,
) -> Result<Option<usize>, StatsError> {
    check_finite(clusters.iter().flat_map(|c| [c.0, c.1]).chain([margin]))?;
    check_share("alpha", alpha)?;
    check_share("power", power)?;
    let used: Vec<(f64, f64)> = clusters.iter().copied().filter(|c| *c != (0.0, 0.0)).collect();
    let seen = linearise(&used)?;
    let distance = (seen.ratio - margin).abs();
    let one = seen.standard_error * libm::sqrt(used.len() as f64);
    let decides = |s: usize| {
        let df = (s - 1) as f64;
        let needed = (t_quantile(1.0 - alpha, df) + t_quantile(power, df)) * one / libm::sqrt(s as f64);
        distance > 0.0 && distance >= needed
    };
    if !decides(MOST_CLUSTERS) {
        return Ok(None);
    }
    let (mut no, mut yes) = (MIN_UNITS - 1, MOST_CLUSTERS);
    while yes - no > 1 {
        let middle = no.midpoint(yes);
        if decides(middle) { yes = middle } else { no = middle }
    }
    Ok(Some(yes))
}
