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
    /// Two-sided p of the sign-flip test, adjusted over the metric's strata (Benjamini-Hochberg); absent where the test
    /// is not estimable.
    pub p_adjusted: Option<f64>,
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
}

impl Finding {
    /// All findings.
    pub const ALL: [Self; 4] = [Self::Improved, Self::Regressed, Self::Undecided, Self::Identical];

    /// The word shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Regressed => "regressed",
            Self::Undecided => "undecided",
            Self::Identical => "identical",
        }
    }
}

impl StratumComparison {
    /// What is found at the two-sided level [`ALPHA`]: by the p of the test for `all`, which is one question asked in
    /// advance, by the adjusted p for every other stratum. For metrics of which less is better.
    #[must_use]
    pub fn finding(&self) -> Finding {
        if self.paired.identical {
            return Finding::Identical;
        }
        let own = self.paired.test.as_ref().ok().map(|t| t.p_two_sided);
        let p = if self.by == "all" { own } else { self.p_adjusted };
        match p {
            Some(p) if p <= ALPHA && self.paired.difference.value < 0.0 => Finding::Improved,
            Some(p) if p <= ALPHA && self.paired.difference.value > 0.0 => Finding::Regressed,
            _ => Finding::Undecided,
        }
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
    let mut strata: Vec<StratumComparison> =
        work.into_par_iter().filter_map(|(metric, group)| stratum(&plan, metric, group)).collect();
    for metric in &head.metrics {
        adjust(strata.iter_mut().filter(|s| s.metric == *metric));
    }
    Comparison {
        shared: pairing.pairs.len(),
        strata,
        left_out: pairing.left_out.clone(),
        explained: explain(&pairing.pairs, &head.conditions),
        secondary: head.secondary.then(|| secondary_tests(&pairing.pairs)),
        head,
    }
}

struct Group<'a> {
    by: String,
    value: String,
    pairs: Vec<Pair<'a>>,
}

/// `all`, then each stratum in the order the suite declares; conditions in suite order.
fn groups<'a>(pairs: &[Pair<'a>], head: &CompareHead) -> Vec<Group<'a>> {
    let mut groups = vec![Group { by: "all".into(), value: String::new(), pairs: pairs.to_vec() }];
    for by in &head.strata {
        let mut mine: Vec<Group<'a>> = Vec::new();
        let mut at: HashMap<String, usize> = HashMap::new();
        for pair in pairs {
            let Some(value) = value_of(&pair.b.scored, by) else { continue };
            let index = *at.entry(value).or_insert_with_key(|value| {
                mine.push(Group { by: by.clone(), value: value.clone(), pairs: Vec::new() });
                mine.len() - 1
            });
            mine[index].pairs.push(*pair);
        }
        if by == "condition" {
            mine.sort_by_key(|g| head.conditions.iter().position(|c| *c == g.value).unwrap_or(usize::MAX));
        }
        groups.append(&mut mine);
    }
    groups
}

fn stratum(plan: &Plan, metric: GateMetric, group: &Group<'_>) -> Option<StratumComparison> {
    let names: Vec<String> =
        group.pairs.iter().map(|p| format!("{}/{}", p.b.scored.corpus, p.b.scored.utterance)).collect();
    let observations: Vec<PairedObservation<'_>> =
        group.pairs.iter().zip(&names).filter_map(|(pair, name)| observe(metric, pair, name)).collect();
    if observations.is_empty() {
        return None;
    }
    let clusters = choose_paired_unit(&observations);
    let mut paired = compare_paired(&clusters, plan, &format!("{}-difference", metric.name()));
    // No spread at all says nothing about what could be detected.
    paired.detectable = paired.detectable.filter(|d| *d > 0.0);
    Some(StratumComparison {
        metric,
        by: group.by.clone(),
        value: group.value.clone(),
        cells: observations.len(),
        paired,
        unit: clusters.unit,
        clusters: clusters.sums.len(),
        note: note(&clusters),
        p_adjusted: None,
    })
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

fn adjust<'s>(strata: impl Iterator<Item = &'s mut StratumComparison>) {
    let mut tested: Vec<&mut StratumComparison> = strata.filter(|s| s.paired.test.is_ok()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|s| s.paired.test.as_ref().ok().map(|t| t.p_two_sided)).collect();
    if let Ok(adjusted) = benjamini_hochberg(&p) {
        for (stratum, p) in tested.iter_mut().zip(adjusted) {
            stratum.p_adjusted = Some(p);
        }
    }
}

/// Metrics that some shared cell of two sides has, of those asked for.
#[must_use]
pub fn present_metrics(asked: &[GateMetric], a: &Side, b: &Side) -> Vec<GateMetric> {
    let has = |side: &Side, metric| side.cells.iter().any(|c| contribution(&c.scored, metric).is_some());
    asked.iter().copied().filter(|m| has(a, *m) && has(b, *m)).collect()
}
