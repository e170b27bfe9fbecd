//! The experiments: how often intervals hold and tests are wrong, on corpora of which the truth is known.
//!
//! Each set has a generator of its own, keyed by the experiment and its number: the shares do not depend on threads.

use rayon::prelude::*;
use vbench_core::ResamplingUnit;
use vbench_core::keyed::keyed_rng;
use vbench_stats::linear::linearise;
use vbench_stats::secondary::paired_t;
use vbench_stats::sequential::cluster_order;
use vbench_stats::{
    Bootstrap, Clusters, Method, Plan, Sequential, SequentialVerdict, Spending, ratio_estimate, sign_flip,
};

use super::population::{Population, Utterance};

/// Seed of every experiment.
pub const SEED: u64 = 20_260_101;
/// Significance level of the two-sided tests, and one-sided level of each verdict of the gate.
pub const ALPHA: f64 = 0.05;

/// A share of `sets` simulated corpora.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share {
    /// Corpora in which it happened.
    pub count: usize,
    /// Corpora simulated.
    pub sets: usize,
}

impl Share {
    /// The share.
    pub fn value(self) -> f64 {
        self.count as f64 / self.sets as f64
    }

    /// Its own Monte-Carlo standard error.
    pub fn standard_error(self) -> f64 {
        (self.value() * (1.0 - self.value()) / self.sets as f64).sqrt()
    }
}

fn share_of<const N: usize>(outcomes: &[[bool; N]]) -> [Share; N] {
    std::array::from_fn(|k| Share { count: outcomes.iter().filter(|o| o[k]).count(), sets: outcomes.len() })
}

/// Sums of (numerator, denominator) by speaker.
fn by_speaker(corpus: &[Utterance], num: impl Fn(&Utterance) -> f64) -> Vec<(f64, f64)> {
    let speakers = corpus.last().map_or(0, |u| u.speaker + 1);
    let mut sums = vec![(0.0, 0.0); speakers];
    for utterance in corpus {
        sums[utterance.speaker].0 += num(utterance);
        sums[utterance.speaker].1 += utterance.words;
    }
    sums
}

fn inside((lo, hi): (f64, f64), x: f64) -> bool {
    lo <= x && x <= hi
}

/// Methods of [`coverage`], the default first.
pub const INTERVALS: [&str; 5] = ["default", "plain BCa", "percentile", "t(S-1)", "utterance bootstrap"];

/// How often each 95 % interval of the error rate holds the true one.
pub fn coverage(population: &Population, name: &str, sets: usize) -> [Share; 5] {
    let outcomes: Vec<[bool; 5]> = (0..sets)
        .into_par_iter()
        .map(|set| {
            let mut rng = keyed_rng(SEED, "coverage", &set.to_string(), name);
            let corpus = population.draw(&mut rng);
            let sums = by_speaker(&corpus, |u| u.a);
            let truth = population.error_rate;
            let holds = |ends: Option<(f64, f64)>| ends.is_some_and(|ends| inside(ends, truth));
            let data = clusters(sums.clone(), corpus.len());
            let default = ratio_estimate(&data, &Plan::new(set as u64), name).ends();
            let speakers = Bootstrap::ratio(&sums, 1_999, &mut rng).ok();
            let plain = |method| speakers.as_ref().and_then(|b| b.interval(method, 0.95).ok());
            let linear = linearise(&sums).and_then(|l| l.interval(0.95)).ok();
            let pairs: Vec<(f64, f64)> = corpus.iter().map(|u| (u.a, u.words)).collect();
            let utterances = Bootstrap::ratio(&pairs, 999, &mut rng);
            let utterances = utterances.and_then(|b| b.interval(Method::Percentile, 0.95)).ok();
            [
                holds(default),
                holds(plain(Method::Bca)),
                holds(plain(Method::Percentile)),
                holds(linear),
                holds(utterances),
            ]
        })
        .collect();
    share_of(&outcomes)
}

fn clusters(sums: Vec<(f64, f64)>, utterances: usize) -> Clusters {
    let speakers = Some(sums.len());
    Clusters { unit: ResamplingUnit::Speaker, sums, utterances, speakers }
}

/// Tests of [`false_positives`], the default first.
pub const TESTS: [&str; 4] = [
    "speaker sign-flip (default)",
    "default interval of the difference",
    "utterance bootstrap",
    "paired t on utterances",
];

/// How often each test finds a difference at the 5 % level where there is none.
pub fn false_positives(population: &Population, name: &str, sets: usize) -> [Share; 4] {
    let outcomes: Vec<[bool; 4]> = (0..sets)
        .into_par_iter()
        .map(|set| {
            let mut rng = keyed_rng(SEED, "false-positives", &set.to_string(), name);
            let corpus = population.draw(&mut rng);
            let sums = by_speaker(&corpus, |u| u.b - u.a);
            let differences: Vec<f64> = sums.iter().map(|s| s.0).collect();
            let flips = sign_flip(&differences, 9_999, &mut rng);
            let excludes = |ends: Option<(f64, f64)>| ends.is_some_and(|ends| !inside(ends, 0.0));
            let interval = ratio_estimate(&clusters(sums, corpus.len()), &Plan::new(set as u64), name).ends();
            let pairs: Vec<(f64, f64)> = corpus.iter().map(|u| (u.b - u.a, u.words)).collect();
            let utterances = Bootstrap::ratio(&pairs, 999, &mut rng);
            let utterances = utterances.and_then(|b| b.interval(Method::Percentile, 0.95)).ok();
            let rates: Vec<f64> = corpus.iter().map(|u| (u.b - u.a) / u.words).collect();
            [
                flips.is_ok_and(|t| t.p_two_sided <= ALPHA),
                excludes(interval),
                excludes(utterances),
                paired_t(&rates).is_ok_and(|t| t.p_two_sided <= ALPHA),
            ]
        })
        .collect();
    share_of(&outcomes)
}

/// Procedures of [`gate`].
pub const GATES: [&str; 3] =
    ["fixed: one look at the end", "sequential, O'Brien-Fleming (default)", "sequential, Pocock"];

/// What one procedure did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateShares {
    /// Verdict "pass".
    pub pass: Share,
    /// Verdict "regressed".
    pub regressed: Share,
    /// Mean share of the planned speakers that were run.
    pub used: f64,
}

type Outcome = (SequentialVerdict, usize);

/// Verdicts of the non-inferiority gate at `margin`, one-sided [`ALPHA`], on speakers in random order.
pub fn gate(population: &Population, margin: f64, name: &str, sets: usize) -> [GateShares; 3] {
    let outcomes: Vec<[Outcome; 3]> = (0..sets)
        .into_par_iter()
        .map(|set| {
            let arriving = speakers_in_random_order(population, name, set);
            let sequential = |spending| {
                let plan = Sequential { spending, paths: 1_999, ..Sequential::new(arriving.len(), margin, set as u64) };
                plan.look(&arriving).map_or((SequentialVerdict::Inconclusive, 0), |d| (d.verdict, d.clusters))
            };
            [
                (fixed(&arriving, margin, set), arriving.len()),
                sequential(Spending::ObrienFleming),
                sequential(Spending::Pocock),
            ]
        })
        .collect();
    std::array::from_fn(|k| shares(outcomes.iter().map(|o| o[k]), population.speakers, sets))
}

/// What must not be done: the fixed test looked at after every speaker, until it decides.
pub fn peeking(population: &Population, margin: f64, name: &str, sets: usize) -> GateShares {
    let outcomes: Vec<Outcome> = (0..sets)
        .into_par_iter()
        .map(|set| {
            let arriving = speakers_in_random_order(population, name, set);
            (6..=arriving.len())
                .map(|n| (fixed(&arriving[..n], margin, set), n))
                .find(|(verdict, _)| *verdict != SequentialVerdict::Inconclusive)
                .unwrap_or((SequentialVerdict::Inconclusive, arriving.len()))
        })
        .collect();
    shares(outcomes.into_iter(), population.speakers, sets)
}

fn speakers_in_random_order(population: &Population, name: &str, set: usize) -> Vec<(f64, f64)> {
    let corpus = population.draw(&mut keyed_rng(SEED, "gate", &set.to_string(), name));
    let sums = by_speaker(&corpus, |u| u.b - u.a);
    cluster_order(sums.len(), set as u64, name).into_iter().map(|i| sums[i]).collect()
}

fn shares(outcomes: impl Iterator<Item = Outcome> + Clone, speakers: usize, sets: usize) -> GateShares {
    let count = |verdict| Share { count: outcomes.clone().filter(|o| o.0 == verdict).count(), sets };
    let used: usize = outcomes.clone().map(|o| o.1).sum();
    GateShares {
        pass: count(SequentialVerdict::Pass),
        regressed: count(SequentialVerdict::Regressed),
        used: used as f64 / (sets * speakers) as f64,
    }
}

/// The gate's fixed-sample test: the sign-flip test inverted at the margin.
fn fixed(clusters: &[(f64, f64)], margin: f64, set: usize) -> SequentialVerdict {
    let excess: Vec<f64> = clusters.iter().map(|c| c.0 - margin * c.1).collect();
    match sign_flip(&excess, 1_999, &mut keyed_rng(set as u64, "sign-flip", "", "")) {
        Ok(test) if test.p_greater <= ALPHA => SequentialVerdict::Regressed,
        Ok(test) if test.p_less <= ALPHA => SequentialVerdict::Pass,
        _ => SequentialVerdict::Inconclusive,
    }
}
