//! The gate with looks in between: clusters arrive one by one and the run may stop as soon as every rule that limits a
//! change is decided by [`vbench_stats::Sequential`].
//!
//! What is tested is fixed before the first cell runs: the clusters that each rule will see are those of the plan that
//! the baseline has cells of, and each of the gate's statistical rules gets alpha divided by their number. Budgets and
//! coverage have no looks: they are judged at the end on the cells that were run.

use vbench_core::{GateMetric, Limit, ResamplingUnit, Rule, RuleStratum};
use vbench_stats::sequential::Decision;
use vbench_stats::{MIN_UNITS, Sequential, SequentialVerdict};

use crate::gate::{
    ALPHA, Evidence, GateError, GateReport, Judged, Machines, Outcome, belongs, expand_over, margin, plural,
};
use crate::metric::contribution;
use crate::pair::{Pair, Side};
use crate::scored::ScoredCell;

/// A model's baseline, split along the clusters of the plan in the order in which they are run.
#[derive(Debug, Clone, Copy)]
pub struct PlannedBaseline<'a> {
    /// The model of the run.
    pub model: &'a str,
    /// The baseline's cells among those planned, one side a cluster.
    pub clusters: &'a [Side],
}

/// One rule on one stratum of one model, looked at after every cluster from the sixth on.
#[derive(Debug, Clone, PartialEq)]
pub struct SequentialRule {
    /// The rule; `property=*` is replaced by the stratum.
    pub rule: Rule,
    /// Model of the run.
    pub model: String,
    /// The declared test; `None` with fewer than 6 planned clusters: never decided early, judged at the end.
    pub plan: Option<Sequential>,
    /// What the latest look said; the look that decided stays.
    pub decision: Option<Decision>,
    /// Clusters at each look made.
    pub looks: Vec<usize>,
    /// Which clusters of the plan the rule sees.
    expected: Vec<bool>,
    /// Difference (larger is worse) and denominator of each cluster there so far.
    sums: Vec<(f64, f64)>,
}

impl SequentialRule {
    /// Whether a look has passed or failed it.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.decision.is_some_and(|d| matches!(d.verdict, SequentialVerdict::Pass | SequentialVerdict::Regressed))
    }

    fn arrive(&mut self, pairs: &[Pair<'_>]) -> Result<(), GateError> {
        let sign = if self.rule.metric.larger_is_better() { -1.0 } else { 1.0 };
        let mut sum = (0.0, 0.0);
        for pair in pairs.iter().filter(|p| belongs(&p.b.scored, &self.rule.stratum)) {
            let metric = self.rule.metric;
            let (Some((a, den)), Some((b, _))) =
                (contribution(&pair.a.scored, metric), contribution(&pair.b.scored, metric))
            else {
                continue;
            };
            sum = (sum.0 + sign * (b - a), sum.1 + den);
        }
        self.sums.push(sum);
        if let (Some(plan), false) = (&self.plan, self.is_decided()) {
            self.decision = Some(plan.look(&self.sums)?);
            if self.sums.len() >= plan.first {
                self.looks.push(self.sums.len());
            }
        }
        Ok(())
    }
}

/// A gate in progress.
#[derive(Debug, Clone, PartialEq)]
pub struct SequentialGate {
    /// What a cluster is.
    pub unit: ResamplingUnit,
    /// Clusters of the plan.
    pub planned: usize,
    /// Clusters that are there.
    pub arrived: usize,
    /// Statistical rules of the gate, budgets among them: what alpha is divided by.
    pub family: usize,
    /// Every change rule.
    pub rules: Vec<SequentialRule>,
    /// Strata of the other rules that no cell has arrived for yet: without any they could not be judged.
    waiting: Vec<(String, RuleStratum)>,
}

impl SequentialGate {
    /// Fixes the tests before anything is run.
    ///
    /// # Errors
    /// Change rules that the baseline has no cells for among those planned; no change rule at all.
    pub fn declare(
        rules: &[Rule],
        baselines: &[PlannedBaseline<'_>],
        machines: &Machines,
        unit: ResamplingUnit,
        seed: u64,
    ) -> Result<Self, GateError> {
        let mut gate = Self {
            unit,
            planned: baselines.first().map_or(0, |b| b.clusters.len()),
            arrived: 0,
            family: 0,
            rules: Vec::new(),
            waiting: Vec::new(),
        };
        let mut problems = Vec::new();
        let skipped = |r: &Rule| r.same_machine && matches!(machines, Machines::Differ(_));
        for baseline in baselines {
            for rule in rules.iter().filter(|r| !skipped(r)) {
                match gate.add(rule, baseline) {
                    Ok(()) => {}
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if !problems.is_empty() {
            return Err(GateError::Unmatched(problems));
        }
        if gate.rules.is_empty() {
            return Err(GateError::NothingSequential);
        }
        let alpha = ALPHA / gate.family as f64;
        for rule in &mut gate.rules {
            let planned = rule.expected.iter().filter(|e| **e).count();
            let plan = Sequential { alpha, ..Sequential::new(planned, margin(&rule.rule), seed) };
            rule.plan = (planned >= MIN_UNITS).then_some(plan);
        }
        Ok(gate)
    }

    fn add(&mut self, rule: &Rule, baseline: &PlannedBaseline<'_>) -> Result<(), String> {
        let cells = || baseline.clusters.iter().flat_map(|side| side.cells.iter().map(|c| &c.scored));
        let expanded = expand_over(rule, baseline.model, cells);
        if !matches!(rule.limit, Limit::Change(_)) {
            // What the baseline does not have, the run may have.
            let strata = expanded.unwrap_or_else(|_| vec![rule.clone()]);
            self.family += if rule.metric == GateMetric::Coverage { 0 } else { strata.len() };
            self.waiting.extend(strata.into_iter().map(|r| (baseline.model.to_string(), r.stratum)));
            return Ok(());
        }
        for rule in expanded? {
            let counts = |cell: &ScoredCell| {
                belongs(cell, &rule.stratum) && contribution(cell, rule.metric).is_some_and(|(_, den)| den > 0.0)
            };
            let sees = |side: &Side| side.cells.iter().any(|c| counts(&c.scored));
            let expected: Vec<bool> = baseline.clusters.iter().map(sees).collect();
            if !expected.contains(&true) {
                let metric = rule.metric.name();
                return Err(format!("{rule}: no planned cell of the baseline has a value of {metric}"));
            }
            self.family += 1;
            self.rules.push(SequentialRule {
                rule,
                model: baseline.model.to_string(),
                plan: None,
                decision: None,
                looks: Vec::new(),
                expected,
                sums: Vec::new(),
            });
        }
        Ok(())
    }

    /// The next cluster of the plan is there: for every model its cells, with those of the baseline beside them.
    ///
    /// # Errors
    /// Values that are not finite; more clusters than planned.
    pub fn arrive(&mut self, models: &[(&Side, Vec<Pair<'_>>)]) -> Result<(), GateError> {
        let at = self.arrived;
        self.arrived += 1;
        for (side, pairs) in models {
            let mine = self.rules.iter_mut().filter(|r| r.model == side.model);
            for rule in mine.filter(|r| r.expected.get(at) == Some(&true)) {
                rule.arrive(pairs)?;
            }
            let there = |stratum: &RuleStratum| side.cells.iter().any(|c| belongs(&c.scored, stratum));
            self.waiting.retain(|(model, stratum)| *model != side.model || !there(stratum));
        }
        Ok(())
    }

    /// Whether nothing more needs to be run: every change rule is decided, and every other rule has cells to judge.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.waiting.is_empty() && self.rules.iter().all(SequentialRule::is_decided)
    }

    /// Puts the sequential verdicts into the gate's report on the cells that were run. The fixed-sample p-values of the
    /// change rules do not hold after looks and are taken out; those of the other rules are adjusted by Bonferroni over
    /// the whole gate, so that all its false verdicts together stay within alpha.
    #[must_use]
    pub fn judge(&self, mut report: GateReport) -> GateReport {
        let tested = report.rules.iter().filter(|j| matches!(j.evidence, Evidence::Tested(_))).count();
        let family = self.family.max(tested) as f64;
        for judged in &mut report.rules {
            let mine = self.rules.iter().find(|r| r.rule == judged.rule && r.model == judged.model);
            match mine.and_then(|rule| Some((rule.plan.as_ref()?, rule.decision?))) {
                Some((plan, decision)) => self.put(judged, plan, decision),
                None => adjust(judged, family),
            }
        }
        report
    }

    fn put(&self, judged: &mut Judged, plan: &Sequential, decision: Decision) {
        let Evidence::Tested(tested) = &mut judged.evidence else { return };
        (tested.p, tested.p_adjusted, tested.detectable) = (None, None, None);
        let units = plural(self.unit, plan.planned);
        let look = format!("at the look after {} of {} {units}", decision.clusters, plan.planned);
        (judged.outcome, judged.reason) = match decision.verdict {
            SequentialVerdict::Pass => (Outcome::Pass, format!("the change is within the limit, {look}")),
            SequentialVerdict::Regressed => (Outcome::Regressed, format!("the change is beyond the limit, {look}")),
            SequentialVerdict::Continue | SequentialVerdict::Inconclusive => {
                (Outcome::Inconclusive, format!("no look has decided, the last after {} {units}", decision.clusters))
            }
        };
        if judged.outcome != Outcome::Inconclusive {
            tested.more_units = None;
        }
    }
}

/// Bonferroni instead of Holm: the other rules of the family were not decided by p-values.
fn adjust(judged: &mut Judged, family: f64) {
    let Evidence::Tested(tested) = &mut judged.evidence else { return };
    let Some(p) = tested.p else { return };
    let adjusted = ((p.0 * family).min(1.0), (p.1 * family).min(1.0));
    tested.p_adjusted = Some(adjusted);
    let lost = match judged.outcome {
        Outcome::Pass => adjusted.1 > ALPHA && !tested.identical,
        Outcome::Regressed => adjusted.0 > ALPHA,
        Outcome::Inconclusive | Outcome::Skipped => false,
    };
    if lost {
        judged.outcome = Outcome::Inconclusive;
        judged.reason = "decided alone, but not once adjusted for the number of rules".into();
    }
}
