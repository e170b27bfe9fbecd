//! Two systems on the same clusters: difference, interval, sign-flip test, probability of improvement.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use vbench_core::keyed::keyed_rng;
use vbench_core::{Estimate, ResamplingUnit};

use crate::bootstrap::Bootstrap;
use crate::clusters::{MIN_UNITS, assign};
use crate::error::{StatsError, check_finite};
use crate::interval::{Ends, Plan, estimate, plural, same_rate, wider};
use crate::power::{PowerAssumptions, detectable_difference_observed};

/// Up to this many clusters every sign pattern is counted.
pub const EXACT_CLUSTERS: usize = 20;

/// Sign patterns drawn beyond [`EXACT_CLUSTERS`].
pub const DEFAULT_FLIPS: usize = 99_999;

/// One cell that both systems have an outcome for. Both share the reference, and so the denominator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedObservation<'a> {
    /// Identity of the utterance (`corpus/id`).
    pub utterance: &'a str,
    /// Who spoke, if known.
    pub speaker: Option<&'a str>,
    /// Recording session, if known.
    pub session: Option<&'a str>,
    /// Numerator of the first system, e.g. its word errors.
    pub a: f64,
    /// Numerator of the second system.
    pub b: f64,
    /// Shared denominator, e.g. reference words.
    pub den: f64,
}

/// Sums over one resampling unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PairedSums {
    /// Numerator of the first system.
    pub a: f64,
    /// Numerator of the second system.
    pub b: f64,
    /// Shared denominator.
    pub den: f64,
}

/// Paired sums per resampling unit.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedClusters {
    /// What a cluster is.
    pub unit: ResamplingUnit,
    /// Sums of each cluster.
    pub sums: Vec<PairedSums>,
    /// Distinct utterances.
    pub utterances: usize,
    /// Distinct speakers, when every observation names one.
    pub speakers: Option<usize>,
}

/// Sums paired observations per resampling unit, by the same rule as [`crate::choose_unit`].
#[must_use]
pub fn choose_paired_unit(observations: &[PairedObservation<'_>]) -> PairedClusters {
    let assignment = assign(observations.iter().map(|o| (o.utterance, o.speaker, o.session)));
    let mut sums = vec![PairedSums::default(); assignment.clusters];
    for (observation, &cluster) in observations.iter().zip(&assignment.cluster_of) {
        sums[cluster].a += observation.a;
        sums[cluster].b += observation.b;
        sums[cluster].den += observation.den;
    }
    PairedClusters { unit: assignment.unit, sums, utterances: assignment.utterances, speakers: assignment.speakers }
}

/// Second system against first.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedComparison {
    /// Ratio of sums of the first system; NaN without a denominator.
    pub a: f64,
    /// Ratio of sums of the second system.
    pub b: f64,
    /// `b - a` with its interval.
    pub difference: Estimate,
    /// Cluster sign-flip test of "no difference", if it can be done.
    pub test: Result<SignFlip, StatsError>,
    /// Share of bootstrap replicates in which the second system has the smaller ratio.
    pub improvement: Option<Improvement>,
    /// Smallest absolute difference that this many clusters with this spread detect (80 %, two-sided 0.05).
    pub detectable: Option<f64>,
    /// Every cluster has the same sums in both systems.
    pub identical: bool,
}

/// Probability of improvement (Bisani & Ney, ICASSP 2004).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Improvement {
    /// Replicates with `b < a`.
    pub strict: f64,
    /// The same, with half of the ties.
    pub half_ties: f64,
}

/// Compares two systems on shared clusters.
///
/// The interval follows the rules of [`crate::ratio_estimate`] for `sum(b - a) / sum(den)`, without a floor at 0;
/// `key` names the stratum and metric.
#[must_use]
pub fn compare_paired(clusters: &PairedClusters, plan: &Plan, key: &str) -> PairedComparison {
    let used: Vec<PairedSums> =
        clusters.sums.iter().copied().filter(|s| (s.a, s.b, s.den) != (0.0, 0.0, 0.0)).collect();
    let deltas: Vec<(f64, f64)> = used.iter().map(|s| (s.b - s.a, s.den)).collect();
    let total = |f: fn(&PairedSums) -> f64| used.iter().map(f).sum::<f64>();
    let den = total(|s| s.den);
    let rate = |num: f64| if den > 0.0 { num / den } else { f64::NAN };
    let differences: Vec<f64> = deltas.iter().map(|d| d.0).collect();
    let test = if used.len() < MIN_UNITS {
        Err(StatsError::TooFew { what: plural(clusters.unit), found: used.len(), needed: MIN_UNITS })
    } else {
        sign_flip(&differences, DEFAULT_FLIPS, &mut keyed_rng(plan.seed, "sign-flip", "", key))
    };
    let mut drawn = None;
    let difference = difference(clusters, &deltas, plan, key, &mut drawn);
    PairedComparison {
        a: rate(total(|s| s.a)),
        b: rate(total(|s| s.b)),
        difference,
        test,
        improvement: improvement(&deltas, plan, key, drawn),
        detectable: detectable_difference_observed(&deltas, &PowerAssumptions::default()).ok(),
        identical: !used.is_empty() && used.iter().all(|s| s.a == s.b),
    }
}

fn difference(
    clusters: &PairedClusters,
    deltas: &[(f64, f64)],
    plan: &Plan,
    key: &str,
    drawn: &mut Option<Bootstrap>,
) -> Estimate {
    let (num, den) = crate::linear::sums(deltas);
    let value = if den > 0.0 { num / den } else { f64::NAN };
    let units = plural(clusters.unit);
    let mut ends = || -> Result<Ends, StatsError> {
        check_finite(deltas.iter().flat_map(|d| [d.0, d.1]))?;
        if den <= 0.0 {
            return Err(StatsError::NoDenominator { sum: den });
        }
        if deltas.len() < MIN_UNITS {
            return Err(StatsError::TooFew { what: units, found: deltas.len(), needed: MIN_UNITS });
        }
        if deltas.iter().all(|d| d.0 == 0.0) {
            return Err(StatsError::NoSpread(format!("identical on all {} {units}", deltas.len())));
        }
        if same_rate(deltas) {
            let text = format!("the same difference on all {} {units}: no spread to infer from", deltas.len());
            return Err(StatsError::NoSpread(text));
        }
        wider(deltas, plan, key, drawn)
    };
    estimate(value, ends(), plan, (clusters.unit, deltas.len(), clusters.utterances))
}

fn improvement(deltas: &[(f64, f64)], plan: &Plan, key: &str, drawn: Option<Bootstrap>) -> Option<Improvement> {
    if deltas.len() < MIN_UNITS {
        return None;
    }
    // The interval's replicates, where it drew any; the same key, hence the same ones, where it did not.
    let draw = || Bootstrap::ratio(deltas, plan.resamples, &mut keyed_rng(plan.seed, "bootstrap", "", key)).ok();
    let bootstrap = drawn.or_else(draw)?;
    let (strict, half_ties) = bootstrap.share_below(0.0);
    Some(Improvement { strict, half_ties })
}

/// Result of a sign-flip permutation test on the sum of differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// Observed sum of the differences.
    pub observed: f64,
    /// Share of sign patterns with a sum at least as far from 0.
    pub p_two_sided: f64,
    /// Share of sign patterns with a sum at least as large: small when the differences are positive.
    pub p_greater: f64,
    /// Share of sign patterns with a sum at most as large: small when the differences are negative.
    pub p_less: f64,
    /// Patterns drawn, or `None` when all were counted.
    pub draws: Option<usize>,
}

/// Cluster-level sign-flip permutation test: under "no difference" each cluster's difference is as likely to have the
/// other sign (Fisher 1935; the two-system form is "approximate randomisation" in Noreen 1989).
///
/// Exact up to [`EXACT_CLUSTERS`] clusters with a difference (those without cannot change the sum); beyond, `flips`
/// random patterns, the observed one counted among them (Phipson & Smyth 2010), so p is never 0. Sums within 1e-12
/// (relative to the sum of magnitudes) count as ties.
///
/// # Errors
/// No differences, values that are not finite, no flips where they are needed.
pub fn sign_flip(differences: &[f64], flips: usize, rng: &mut impl Rng) -> Result<SignFlip, StatsError> {
    check_finite(differences.iter().copied())?;
    if differences.is_empty() {
        return Err(StatsError::TooFew { what: "differences", found: 0, needed: 1 });
    }
    let moving: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let observed: f64 = moving.iter().sum();
    let slack = 1e-12 * moving.iter().map(|d| d.abs()).sum::<f64>();
    if moving.len() <= EXACT_CLUSTERS {
        return Ok(exact(&moving, observed, slack));
    }
    if flips == 0 {
        return Err(StatsError::TooFew { what: "flips", found: 0, needed: 1 });
    }
    Ok(monte_carlo(&moving, observed, slack, flips, rng))
}

/// Counts all 2^n patterns by meeting in the middle: sums of each half, sorted, then one pass over both.
fn exact(moving: &[f64], observed: f64, slack: f64) -> SignFlip {
    let (left, right) = moving.split_at(moving.len() / 2);
    let (left, right) = (all_sums(left), all_sums(right));
    let total = left.len() as f64 * right.len() as f64;
    // The patterns come in pairs of opposite sign, so "at most -x" is as frequent as "at least x".
    let at_least = |x: f64| count_pairs_at_least(&left, &right, x) as f64 / total;
    let far = observed.abs() - slack;
    let p_two_sided = if far <= 0.0 { 1.0 } else { 2.0 * at_least(far) };
    SignFlip {
        observed,
        p_two_sided,
        p_greater: at_least(observed - slack),
        p_less: at_least(-observed - slack),
        draws: None,
    }
}

fn all_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums.iter().flat_map(|s| [s - value, s + value]).collect();
    }
    sums.sort_unstable_by(f64::total_cmp);
    sums
}

fn count_pairs_at_least(left: &[f64], right: &[f64], bound: f64) -> u64 {
    let mut first = right.len();
    let mut count = 0;
    for l in left {
        while first > 0 && l + right[first - 1] >= bound {
            first -= 1;
        }
        count += (right.len() - first) as u64;
    }
    count
}

/// Sign patterns drawn from one sub-generator. Part of the definition of the result: changing it changes the draws.
const CHUNK: usize = 1_024;

/// Below this many signs in all, threads cost more than they bring.
const PARALLEL_SIGNS: usize = 1 << 24;

/// Sums at least as far from 0, as large and as small as the observed one.
#[derive(Clone, Copy, Default)]
struct Extreme {
    far: usize,
    greater: usize,
    less: usize,
}

fn monte_carlo(moving: &[f64], observed: f64, slack: f64, flips: usize, rng: &mut impl Rng) -> SignFlip {
    // One byte of randomness decides eight signs through a table of their sums.
    let tables: Vec<[f64; 256]> = moving
        .chunks(8)
        .map(|group| {
            std::array::from_fn(|bits| {
                group.iter().enumerate().map(|(i, d)| if bits >> i & 1 == 1 { -d } else { *d }).sum()
            })
        })
        .collect();
    // One key, and a stream of it for each chunk: the result is the same for every number of threads.
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let chunk = |c: usize| -> Extreme {
        let mut generator = ChaCha8Rng::from_seed(seed);
        generator.set_stream(c as u64);
        let count = CHUNK.min(flips - c * CHUNK);
        let (mut bytes, mut sums) = ([0u8; CHUNK], [0.0; CHUNK]);
        // Table by table, so that one table stays in the nearest cache.
        for table in &tables {
            generator.fill_bytes(&mut bytes);
            for (sum, byte) in sums.iter_mut().zip(&bytes) {
                *sum += table[usize::from(*byte)];
            }
        }
        sums[..count].iter().fold(Extreme::default(), |e, sum| Extreme {
            far: e.far + usize::from(sum.abs() >= observed.abs() - slack),
            greater: e.greater + usize::from(*sum >= observed - slack),
            less: e.less + usize::from(*sum <= observed + slack),
        })
    };
    let both =
        |a: Extreme, b: Extreme| Extreme { far: a.far + b.far, greater: a.greater + b.greater, less: a.less + b.less };
    let chunks = flips.div_ceil(CHUNK);
    let total = if flips.saturating_mul(moving.len()) < PARALLEL_SIGNS {
        (0..chunks).map(chunk).fold(Extreme::default(), both)
    } else {
        (0..chunks).into_par_iter().map(chunk).reduce(Extreme::default, both)
    };
    // The observed pattern counts as one of those drawn.
    let share = |count: usize| (count + 1) as f64 / (flips + 1) as f64;
    SignFlip {
        observed,
        p_two_sided: share(total.far),
        p_greater: share(total.greater),
        p_less: share(total.less),
        draws: Some(flips),
    }
}
