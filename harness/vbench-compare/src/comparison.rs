//! Two sides, stratum by stratum: differences with intervals, the deciding test, and what explains them.

use std::collections::HashMap;

use rayon::prelude::*;
use vbench_core::{GateMetric, ResamplingUnit};
use vbench_stats::multiple::benjamini_hochberg;
use vbench_stats::{
    Clusters, PairedClusters, PairedComparison, PairedObservation, Plan, choose_paired_unit, compare_paired,
};

use crate::explain::{Explained, explain};
use crate::metric::contribution;
use crate::pair::{LeftOut, Pair, Pairing, Side};
use crate::scored::ScoredCell;
use crate::secondary::{SecondaryTest, secondary_tests};
use crate::strata::value_of;

/// What a comparison says about itself, and what it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareHead {
    /// Name of the first side, the baseline, e.g. `runs/a: tiny`.
    pub a: String,
    /// Name of the second side.
    pub b: String,
    /// Suite name.
    pub suite: String,
    /// Normaliser id, of both sides.
    pub normalizer: String,
    /// Alignment weights, of both sides.
    pub weights: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// Metrics in order, the headline first: error rates and RTF, of which less is better.
    pub metrics: Vec<GateMetric>,
    /// Conditions in order.
    pub conditions: Vec<String>,
    /// Properties to stratify by, in order.
    pub strata: Vec<String>,
    /// Whether to run the secondary tests.
    pub secondary: bool,
    /// What was allowed to differ although it should not, in words.
    pub forced: Vec<String>,
    /// How the suites preprocess the same recordings, where they declare it differently, in words: the models heard other
    /// audio, and that is what is compared.
    pub preprocessing: Option<String>,
    /// Why differences of times are shown and not judged, as after `not judged: `; absent where the models took turns in
    /// one session.
    pub times_not_judged: Option<String>,
}

/// One stratum and metric of both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct StratumComparison {
    /// Metric.
    pub metric: GateMetric,
    /// Property: `all`, `condition`, …
    pub by: String,
    /// Its value; empty for `all`.
    pub value: String,
    /// Shared cells with this metric.
    pub cells: usize,
    /// Ratios of both, difference, interval, test, probability of improvement, detectable difference.
    pub paired: PairedComparison,
    /// What was resampled.
    pub unit: ResamplingUnit,
    /// How many of it.
    pub clusters: usize,
    /// What the interval is conditional on when the resampling unit is not the speaker.
    pub note: Option<String>,
    /// Two-sided p of the sign-flip test, adjusted over the metric's family (Benjamini-Hochberg, [`Comparison::families`]);
    /// for the whole, and strata with the same cells, the p itself. Absent where the test is not estimable.
    pub p_adjusted: Option<f64>,
    /// Whether a finding may be made: times of separate runs are shown without one.
    pub judged: bool,
}

/// Two-sided level at which a difference counts as found.
pub const ALPHA: f64 = 0.05;

/// What a comparison of one stratum shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The second side is better.
    Improved,
    /// The second side is worse.
    Regressed,
    /// Neither could be shown, or the test is not estimable.
    Undecided,
    /// Every cluster has the same sums on both sides.
    Identical,
    /// Not looked at: [`CompareHead::times_not_judged`] says why.
    NotJudged,
}

impl Finding {
    /// All findings.
    pub const ALL: [Self; 5] = [Self::Improved, Self::Regressed, Self::Undecided, Self::Identical, Self::NotJudged];

    /// The word shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Regressed => "regressed",
            Self::Undecided => "undecided",
            Self::Identical => "identical",
            Self::NotJudged => "not judged",
        }
    }
}

impl StratumComparison {
    /// What is found at the two-sided level [`ALPHA`] by the adjusted p, which for `all`, one question asked in advance, is
    /// the p of the test. For metrics of which less is better.
    #[must_use]
    pub fn finding(&self) -> Finding {
        if !self.judged {
            return Finding::NotJudged;
        }
        if self.paired.identical {
            return Finding::Identical;
        }
        match self.p_adjusted {
            Some(p) if p <= ALPHA && self.paired.difference.value < 0.0 => Finding::Improved,
            Some(p) if p <= ALPHA && self.paired.difference.value > 0.0 => Finding::Regressed,
            _ => Finding::Undecided,
        }
    }

    /// Whether the interval excludes 0 although the test finds nothing: the interval is approximate, the test decides.
    #[must_use]
    pub fn interval_disagrees(&self) -> bool {
        let excludes = self.paired.difference.ends().is_some_and(|(lo, hi)| lo > 0.0 || hi < 0.0);
        excludes && self.finding() == Finding::Undecided && self.paired.test.is_ok()
    }
}

/// Two sides compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was compared and how.
    pub head: CompareHead,
    /// Shared cells.
    pub shared: usize,
    /// Metric by metric: `all` first, then every stratum; single speakers for the headline metric only.
    pub strata: Vec<StratumComparison>,
    /// Tests that p is adjusted over, metric by metric: one for every distinct set of cells among the strata, the whole
    /// apart. Noise conditions and the strata of their SNR have the same cells and are one question, not two.
    pub families: Vec<(GateMetric, usize)>,
    /// Cells not compared.
    pub left_out: LeftOut,
    /// Where the difference of word errors comes from.
    pub explained: Explained,
    /// Secondary tests, when they were asked for.
    pub secondary: Option<Vec<SecondaryTest>>,
}

/// Compares shared cells. The draws are keyed by the metric alone: strata with the same cells get the same interval.
#[must_use]
pub fn compare(head: CompareHead, pairing: &Pairing<'_>) -> Comparison {
    let plan = Plan::new(head.seed);
    let groups = groups(&pairing.pairs, &head);
    // Single speakers are looked at for the headline metric: they are many, and no unit of inference.
    let wanted = |metric: &GateMetric, group: &Group<'_>| group.by != "speaker" || head.metrics.first() == Some(metric);
    let work: Vec<(GateMetric, &Group<'_>)> = head
        .metrics
        .iter()
        .flat_map(|metric| groups.iter().filter(move |g| wanted(metric, g)).map(|group| (*metric, group)))
        .collect();
    let judged = |metric: GateMetric| metric != GateMetric::Rtf || head.times_not_judged.is_none();
    let found: Vec<(Vec<usize>, StratumComparison)> =
        work.into_par_iter().filter_map(|(metric, group)| stratum(&plan, metric, group, judged(metric))).collect();
    let (cells, mut strata): (Vec<Vec<usize>>, Vec<StratumComparison>) = found.into_iter().unzip();
    let family = |metric: &GateMetric| (*metric, adjust(&mut strata, &cells, *metric));
    let families = head.metrics.iter().map(family).collect();
    Comparison {
        shared: pairing.pairs.len(),
        strata,
        families,
        left_out: pairing.left_out.clone(),
        explained: explain(&pairing.pairs, &head.conditions),
        secondary: head.secondary.then(|| secondary_tests(&pairing.pairs)),
        head,
    }
}

struct Group<'a> {
    by: String,
    value: String,
    /// Each pair with its place among all.
    pairs: Vec<(usize, Pair<'a>)>,
}

/// `all`, then each stratum in the order the suite declares; conditions in suite order.
fn groups<'a>(pairs: &[Pair<'a>], head: &CompareHead) -> Vec<Group<'a>> {
    let all = pairs.iter().copied().enumerate().collect();
    let mut groups = vec![Group { by: "all".into(), value: String::new(), pairs: all }];
    for by in &head.strata {
        let mut mine: Vec<Group<'a>> = Vec::new();
        let mut at: HashMap<String, usize> = HashMap::new();
        for (place, pair) in pairs.iter().enumerate() {
            let Some(value) = value_of(&pair.b.scored, by) else { continue };
            let index = *at.entry(value).or_insert_with_key(|value| {
                mine.push(Group { by: by.clone(), value: value.clone(), pairs: Vec::new() });
                mine.len() - 1
            });
            mine[index].pairs.push((place, *pair));
        }
        if by == "condition" {
            mine.sort_by_key(|g| head.conditions.iter().position(|c| *c == g.value).unwrap_or(usize::MAX));
        }
        groups.append(&mut mine);
    }
    groups
}

/// The places of the cells that have the metric, and the comparison over them.
fn stratum(
    plan: &Plan,
    metric: GateMetric,
    group: &Group<'_>,
    judged: bool,
) -> Option<(Vec<usize>, StratumComparison)> {
    let names: Vec<String> =
        group.pairs.iter().map(|(_, p)| format!("{}/{}", p.b.scored.corpus, p.b.scored.utterance)).collect();
    let with_metric =
        group.pairs.iter().zip(&names).filter_map(|((place, pair), name)| Some((*place, observe(metric, pair, name)?)));
    let (places, observations): (Vec<usize>, Vec<PairedObservation<'_>>) = with_metric.unzip();
    if observations.is_empty() {
        return None;
    }
    let clusters = choose_paired_unit(&observations);
    let mut paired = compare_paired(&clusters, plan, &format!("{}-difference", metric.name()));
    // No spread at all says nothing about what could be detected.
    paired.detectable = paired.detectable.filter(|d| *d > 0.0);
    let comparison = StratumComparison {
        metric,
        by: group.by.clone(),
        value: group.value.clone(),
        cells: observations.len(),
        paired,
        unit: clusters.unit,
        clusters: clusters.sums.len(),
        note: note(&clusters),
        p_adjusted: None,
        judged,
    };
    Some((places, comparison))
}

/// Both sides share the denominator: references are the same text, the audio is as long.
pub(crate) fn observe<'a>(metric: GateMetric, pair: &Pair<'a>, name: &'a str) -> Option<PairedObservation<'a>> {
    let (a, den) = contribution(&pair.a.scored, metric)?;
    let (b, _) = contribution(&pair.b.scored, metric)?;
    let cell: &ScoredCell = &pair.b.scored;
    Some(PairedObservation {
        utterance: name,
        speaker: cell.speaker.as_deref(),
        session: cell.session.as_deref(),
        a,
        b,
        den,
    })
}

/// The warning that goes with an interval whose unit is not the speaker.
pub(crate) fn note(clusters: &PairedClusters) -> Option<String> {
    let PairedClusters { unit, utterances, speakers, .. } = *clusters;
    Clusters { unit, sums: Vec::new(), utterances, speakers }.note()
}

/// Adjusts p over the strata of a metric and returns how many tests that were. Strata with the same cells are one test; the
/// whole, and strata with its cells, keep their p.
fn adjust(strata: &mut [StratumComparison], cells: &[Vec<usize>], metric: GateMetric) -> usize {
    let own = |s: &StratumComparison| s.paired.test.as_ref().ok().map(|t| t.p_two_sided);
    let mine: Vec<usize> = (0..strata.len()).filter(|i| strata[*i].metric == metric && strata[*i].judged).collect();
    let whole = mine.iter().copied().find(|i| strata[*i].by == "all").map(|i| &cells[i]);
    let (mut places, mut p): (HashMap<&Vec<usize>, usize>, Vec<f64>) = (HashMap::new(), Vec::new());
    for &i in &mine {
        let (true, Some(value)) = (Some(&cells[i]) != whole, own(&strata[i])) else { continue };
        places.entry(&cells[i]).or_insert_with(|| {
            p.push(value);
            p.len() - 1
        });
    }
    let adjusted = benjamini_hochberg(&p).unwrap_or_default();
    for i in mine {
        let of_family = places.get(&cells[i]).and_then(|at| adjusted.get(*at)).copied();
        strata[i].p_adjusted = own(&strata[i]).map(|p| of_family.unwrap_or(p));
    }
    adjusted.len()
}

/// Metrics that some shared cell of two sides has, of those asked for.
#[must_use]
pub fn present_metrics(asked: &[GateMetric], a: &Side, b: &Side) -> Vec<GateMetric> {
    let has = |side: &Side, metric| side.cells.iter().any(|c| contribution(&c.scored, metric).is_some());
    asked.iter().copied().filter(|m| has(a, *m) && has(b, *m)).collect()
}
