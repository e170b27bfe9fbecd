//! Rules against a run and its baseline: pass, regressed or inconclusive, each with its evidence.
//!
//! Budgets and changes are judged by the gate's test ([`vbench_stats::gate_test`]); Holm over the rules of one gate is
//! applied in both directions. Coverage is counted. A rule that finds nothing to judge is an error, never a pass.

use std::collections::BTreeSet;

use vbench_core::keyed::keyed_rng;
use vbench_core::{Estimate, GateMetric, Interval, Limit, ResamplingUnit, Rule, RuleStratum};
use vbench_stats::multiple::holm;
use vbench_stats::{
    Decision, GateTest, MIN_UNITS, Observation, PowerAssumptions, choose_unit, clusters_to_decide,
    detectable_difference_observed, gate_test,
};

use crate::metric::contribution;
use crate::pair::{Pair, Side};
use crate::scored::ScoredCell;
use crate::strata::value_of;

/// One-sided level of each rule's test, before Holm.
pub const ALPHA: f64 = 0.05;
/// Random sets beyond 20 clusters.
pub const DRAWS: usize = 99_999;
/// Chance of a decision that "how many more" and "smallest change found" are stated for.
pub const POWER: f64 = 0.8;

/// What a rule, or the whole gate, comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Shown to keep its limit.
    Pass,
    /// Shown to break its limit.
    Regressed,
    /// The data show neither.
    Inconclusive,
    /// Not judged, as the rule itself provides.
    Skipped,
}

impl Outcome {
    /// The name shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
            Self::Skipped => "skipped",
        }
    }
}

/// How many more units would decide a rule, if the change and its spread stay as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoreUnits {
    /// This many more (80 % chance).
    Some(usize),
    /// More than anybody has: what was seen is as good as on the limit.
    OutOfReach,
    /// Cannot be said: fewer than two units.
    Unknown,
}

/// The numbers behind a statistical rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Value of the baseline over the cells judged; absent for a budget.
    pub baseline: Option<f64>,
    /// Value of the run over the cells judged.
    pub value: f64,
    /// What is held against the limit, the change or the value itself, with the 90 % interval that matches the test.
    pub estimate: Estimate,
    /// What was resampled.
    pub unit: ResamplingUnit,
    /// How many of it.
    pub clusters: usize,
    /// Cells judged.
    pub cells: usize,
    /// p of "the limit is kept" and p of "the limit is broken"; absent where not estimable.
    pub p: Option<(f64, f64)>,
    /// The same, adjusted over the rules of the gate (Holm).
    pub p_adjusted: Option<(f64, f64)>,
    /// Every unit is equal in both.
    pub identical: bool,
    /// Smallest distance beyond the limit that this many units with this spread would show (80 %).
    pub detectable: Option<f64>,
    /// How many more units would decide; only where inconclusive.
    pub more_units: Option<MoreUnits>,
}

/// What a rule was judged by.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// A test.
    Tested(Box<Tested>),
    /// Cells counted: with a hypothesis, and planned.
    Counted {
        /// Cells with a hypothesis.
        done: usize,
        /// Cells planned.
        planned: usize,
    },
    /// Nothing.
    None,
}

/// One rule on one stratum of one model, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The rule; `property=*` is replaced by the stratum judged.
    pub rule: Rule,
    /// Model.
    pub model: String,
    /// What it comes to.
    pub outcome: Outcome,
    /// The numbers.
    pub evidence: Evidence,
    /// Why, in a sentence.
    pub reason: String,
}

/// A gate, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReport {
    /// Every rule in order.
    pub rules: Vec<Judged>,
    /// Level of each test before Holm.
    pub alpha: f64,
    /// Seed of the random draws.
    pub seed: u64,
    /// What a reader must know, e.g. cells left out.
    pub notes: Vec<String>,
}

impl GateReport {
    /// Regressed if any rule is; else inconclusive if any rule is, or if none was judged; else pass.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let any = |outcome| self.rules.iter().any(|r| r.outcome == outcome);
        if any(Outcome::Regressed) {
            Outcome::Regressed
        } else if any(Outcome::Inconclusive) || !any(Outcome::Pass) {
            Outcome::Inconclusive
        } else {
            Outcome::Pass
        }
    }
}

/// Whether run and baseline come from the same class of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Machines {
    /// They do.
    Same,
    /// They do not, or it is not known: in words.
    Differ(String),
}

/// One model of a run, with the baseline's cells beside its own.
#[derive(Debug, Clone)]
pub struct GateInput<'a> {
    /// The run.
    pub run: &'a Side,
    /// Cells that the baseline shares; `None` without a baseline.
    pub pairs: Option<Vec<Pair<'a>>>,
}

/// Why a gate cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    /// Rules that found nothing, each in a sentence.
    #[error("{} of the gate cannot be judged:\n{}", rules(.0.len()), .0.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
    Unmatched(Vec<String>),
    /// No rules.
    #[error("the gate has no rules")]
    NoRules,
    /// Nothing that looks in between could decide.
    #[error("a sequential gate needs a rule that limits a change against the baseline, e.g. wer max_increase")]
    NothingSequential,
    /// A sequential test that cannot be made.
    #[error("the sequential gate cannot be judged: {0}")]
    Sequential(#[from] vbench_stats::StatsError),
}

fn rules(n: usize) -> String {
    if n == 1 { "a rule".into() } else { format!("{n} rules") }
}

/// One unit of observation of a rule: what is held against the limit, larger being worse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen<'a> {
    pub(crate) name: String,
    pub(crate) cell: &'a ScoredCell,
    /// Value of the baseline, 0 for a budget.
    pub(crate) a: f64,
    /// Value of the run.
    pub(crate) b: f64,
    pub(crate) den: f64,
}

/// A statistical rule on one stratum, ready to be tested.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    pub(crate) rule: Rule,
    pub(crate) model: String,
    pub(crate) seen: Vec<Seen<'a>>,
}

/// Judges every rule on every model.
///
/// # Errors
/// Rules whose stratum or metric no cell has, all of them in one error; no rules at all.
pub fn judge(
    rules: &[Rule],
    inputs: &[GateInput<'_>],
    machines: &Machines,
    seed: u64,
) -> Result<GateReport, GateError> {
    if rules.is_empty() || inputs.is_empty() {
        return Err(GateError::NoRules);
    }
    let mut problems = Vec::new();
    let mut judged = Vec::new();
    for input in inputs {
        for rule in rules {
            match expand(rule, input) {
                Ok(expanded) => judged.extend(expanded.iter().map(|r| first_look(r, input, machines, seed))),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let mut looked = Vec::new();
    for look in judged {
        match look {
            Ok(look) => looked.push(look),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(GateError::Unmatched(problems));
    }
    decide(&mut looked);
    Ok(GateReport { rules: looked.into_iter().map(|l| l.judged).collect(), alpha: ALPHA, seed, notes: Vec::new() })
}

/// The rules for each stratum that a rule stands for.
pub(crate) fn expand(rule: &Rule, input: &GateInput<'_>) -> Result<Vec<Rule>, String> {
    expand_over(rule, &input.run.model, || input.run.cells.iter().map(|c| &c.scored).chain(&input.run.unscored))
}

/// The same over any cells of a model.
pub(crate) fn expand_over<'c, I: Iterator<Item = &'c ScoredCell>>(
    rule: &Rule,
    model: &str,
    cells: impl Fn() -> I,
) -> Result<Vec<Rule>, String> {
    let values = |by: &str| -> BTreeSet<String> { cells().filter_map(|c| value_of(c, by)).collect() };
    match &rule.stratum {
        RuleStratum::All if cells().next().is_none() => Err(format!("{rule}: model {model} has no cells")),
        RuleStratum::All => Ok(vec![rule.clone()]),
        RuleStratum::One { by, value } => {
            let known = values(by);
            if known.contains(value) {
                return Ok(vec![rule.clone()]);
            }
            let known = if known.is_empty() {
                format!("no cell has the property `{by}`")
            } else {
                format!("{by} takes: {}", known.into_iter().collect::<Vec<_>>().join(", "))
            };
            Err(format!("{rule}: no cell of model {model} is in this stratum; {known}"))
        }
        RuleStratum::Each { by } => {
            let known = values(by);
            if known.is_empty() {
                return Err(format!("{rule}: no cell of model {model} has the property `{by}`"));
            }
            let one = |value| Rule { stratum: RuleStratum::One { by: by.clone(), value }, ..rule.clone() };
            Ok(known.into_iter().map(one).collect())
        }
    }
}

pub(crate) fn belongs(cell: &ScoredCell, stratum: &RuleStratum) -> bool {
    match stratum {
        RuleStratum::All => true,
        RuleStratum::One { by, value } => value_of(cell, by).as_ref() == Some(value),
        RuleStratum::Each { by } => value_of(cell, by).is_some(),
    }
}

/// A rule before Holm: skipped, counted, or tested with its p-values.
struct Look {
    judged: Judged,
    test: Option<GateTest>,
    clusters: Vec<(f64, f64)>,
}

fn first_look(rule: &Rule, input: &GateInput<'_>, machines: &Machines, seed: u64) -> Result<Look, String> {
    let look = |outcome, evidence, reason: String| {
        let model = input.run.model.clone();
        let judged = Judged { rule: rule.clone(), model, outcome, evidence, reason };
        Look { judged, test: None, clusters: Vec::new() }
    };
    if let (true, Machines::Differ(how)) = (rule.same_machine, machines) {
        return Ok(look(Outcome::Skipped, Evidence::None, format!("not judged: {how}")));
    }
    if rule.metric == GateMetric::Coverage {
        let (done, planned) = coverage(input.run, &rule.stratum);
        let (outcome, reason) = covered(rule, done, planned);
        return Ok(look(outcome, Evidence::Counted { done, planned }, reason));
    }
    let case = case(rule, input)?;
    let (tested, test, clusters) = test_case(&case, seed);
    let look = look(Outcome::Inconclusive, Evidence::Tested(Box::new(tested)), String::new());
    Ok(Look { test, clusters, ..look })
}

/// Cells of a stratum with a hypothesis, and planned. Outstanding cells count for every stratum: which one they belong
/// to is not stored.
pub(crate) fn coverage(run: &Side, stratum: &RuleStratum) -> (usize, usize) {
    let done = run.cells.iter().filter(|c| belongs(&c.scored, stratum)).count();
    let lost = run.unscored.iter().filter(|c| belongs(c, stratum)).count();
    (done, done + lost + run.outstanding)
}

pub(crate) fn covered(rule: &Rule, done: usize, planned: usize) -> (Outcome, String) {
    let (Limit::Budget(least) | Limit::Change(least)) = rule.limit;
    let enough = planned > 0 && done as f64 >= least * planned as f64 - 1e-9;
    let missing = planned - done;
    let reason = match missing {
        0 => format!("all {planned} planned cells have a hypothesis"),
        n => format!("{n} of {planned} planned cells have no hypothesis"),
    };
    (if enough { Outcome::Pass } else { Outcome::Regressed }, reason)
}

/// What a statistical rule looks at.
pub(crate) fn case<'a>(rule: &Rule, input: &GateInput<'a>) -> Result<Case<'a>, String> {
    let metric = rule.metric;
    let sign = if metric.larger_is_better() { -1.0 } else { 1.0 };
    let model = &input.run.model;
    let name = |cell: &ScoredCell| format!("{}/{}", cell.corpus, cell.utterance);
    let seen: Vec<Seen<'a>> = match rule.limit {
        Limit::Budget(_) => {
            let mine = input.run.cells.iter().map(|c| &c.scored).filter(|c| belongs(c, &rule.stratum));
            let seen = mine.filter_map(|cell| {
                let (num, den) = contribution(cell, metric)?;
                Some(Seen { name: name(cell), cell, a: 0.0, b: sign * num, den })
            });
            seen.collect()
        }
        Limit::Change(_) => {
            let Some(pairs) = &input.pairs else {
                return Err(format!("{rule}: a change needs a baseline"));
            };
            let mine = pairs.iter().filter(|p| belongs(&p.b.scored, &rule.stratum));
            let seen = mine.filter_map(|pair| {
                let (a, den) = contribution(&pair.a.scored, metric)?;
                let (b, _) = contribution(&pair.b.scored, metric)?;
                let cell = &pair.b.scored;
                Some(Seen { name: name(cell), cell, a: sign * a, b: sign * b, den })
            });
            seen.collect()
        }
    };
    if seen.is_empty() {
        let where_ = if matches!(rule.limit, Limit::Change(_)) { "in both runs " } else { "" };
        let metric = metric.name();
        return Err(format!("{rule}: no cell of model {model} {where_}in this stratum has a value of {metric}"));
    }
    Ok(Case { rule: rule.clone(), model: model.clone(), seen })
}

/// Tests one case; without a test it is not estimable, and the estimate says why.
pub(crate) fn test_case(case: &Case<'_>, seed: u64) -> (Tested, Option<GateTest>, Vec<(f64, f64)>) {
    let change = matches!(case.rule.limit, Limit::Change(_));
    let sign = if case.rule.metric.larger_is_better() { -1.0 } else { 1.0 };
    let observations: Vec<Observation<'_>> = case.seen.iter().map(|s| observation(s, s.b - s.a)).collect();
    let clusters = choose_unit(&observations);
    let used: Vec<(f64, f64)> = clusters.sums.iter().copied().filter(|c| *c != (0.0, 0.0)).collect();
    let total = |of: fn(&Seen<'_>) -> f64| case.seen.iter().map(of).sum::<f64>();
    let den = total(|s| s.den);
    let value = sign * total(|s| s.b) / den;
    let baseline = change.then(|| sign * total(|s| s.a) / den);
    let identical = change && case.seen.iter().all(|s| s.a == s.b);
    let margin = margin(&case.rule);
    let mut rng = keyed_rng(seed, "gate", "", case.rule.metric.name());
    let test = gate_test(&used, margin, ALPHA, DRAWS, &mut rng);
    let observed = total(|s| s.b - s.a) / den;
    let interval = match &test {
        _ if identical => Err(format!("identical on all {} {}", used.len(), plural(clusters.unit, used.len()))),
        Ok(t) => {
            // Back from "larger is worse" to the metric's own direction.
            let (lo, hi) = if sign > 0.0 { (t.lo, t.hi) } else { (-t.hi, -t.lo) };
            Ok(Interval {
                lo,
                hi,
                level: t.level,
                method: "sign-flip inverted".into(),
                unit: clusters.unit,
                clusters: used.len(),
                n: clusters.utterances,
                seed,
            })
        }
        Err(_) if used.len() < MIN_UNITS => {
            Err(format!("{} {}, at least {MIN_UNITS} needed", used.len(), plural(clusters.unit, used.len())))
        }
        Err(e) => Err(e.to_string()),
    };
    let tested = Tested {
        baseline,
        value,
        estimate: Estimate { value: sign * observed, interval },
        unit: clusters.unit,
        clusters: used.len(),
        cells: case.seen.len(),
        p: test.as_ref().ok().map(|t| (t.p_regressed, t.p_pass)),
        p_adjusted: None,
        identical,
        detectable: None,
        more_units: None,
    };
    (tested, test.ok(), used)
}

fn observation<'o>(seen: &'o Seen<'_>, num: f64) -> Observation<'o> {
    Observation {
        utterance: &seen.name,
        speaker: seen.cell.speaker.as_deref(),
        session: seen.cell.session.as_deref(),
        num,
        den: seen.den,
    }
}

/// The limit as the margin of the test, where larger is worse.
pub(crate) fn margin(rule: &Rule) -> f64 {
    match rule.limit {
        Limit::Change(value) => value,
        Limit::Budget(value) if rule.metric.larger_is_better() => -value,
        Limit::Budget(value) => value,
    }
}

/// The unit for this many of it.
#[must_use]
pub fn plural(unit: ResamplingUnit, count: usize) -> String {
    if count == 1 { unit.to_string() } else { format!("{unit}s") }
}

/// Holm over all statistical rules, in both directions, then the outcome of each.
fn decide(looked: &mut [Look]) {
    let family = |of: fn((f64, f64)) -> f64| -> Vec<f64> {
        // A rule that could not be tested belongs to the family as well: its hypothesis is not rejected.
        let p = |e: &Evidence| if let Evidence::Tested(t) = e { Some(t.p.map_or(1.0, of)) } else { None };
        holm(&looked.iter().filter_map(|l| p(&l.judged.evidence)).collect::<Vec<_>>()).unwrap_or_default()
    };
    let adjusted: Vec<(f64, f64)> = family(|p| p.0).into_iter().zip(family(|p| p.1)).collect();
    let alpha_each = ALPHA / adjusted.len().max(1) as f64;
    let mut adjusted = adjusted.into_iter();
    for look in looked {
        let Evidence::Tested(t) = &mut look.judged.evidence else { continue };
        let Some(p) = adjusted.next() else { continue };
        let rule = &look.judged.rule;
        let decision = match look.test {
            _ if t.identical => Decision::Identical,
            None => Decision::Inconclusive,
            Some(test) => {
                t.p_adjusted = Some(p);
                match test.decide(p.0, p.1, ALPHA) {
                    // A budget has nothing to be identical with: an error rate of 0 is judged like any other.
                    Decision::Identical if p.1 <= ALPHA => Decision::Pass,
                    Decision::Identical => Decision::Inconclusive,
                    other => other,
                }
            }
        };
        look.judged.outcome = match decision {
            Decision::Regressed => Outcome::Regressed,
            Decision::Pass | Decision::Identical => Outcome::Pass,
            Decision::Inconclusive => Outcome::Inconclusive,
        };
        let one_sided =
            PowerAssumptions { two_sided: false, alpha: alpha_each, power: POWER, ..PowerAssumptions::default() };
        t.detectable = detectable_difference_observed(&look.clusters, &one_sided).ok().filter(|d| *d > 0.0);
        if look.judged.outcome == Outcome::Inconclusive {
            t.more_units = Some(more_units(&look.clusters, margin(rule), alpha_each));
        }
        look.judged.reason = reason_of(rule, t, decision);
    }
}

fn more_units(clusters: &[(f64, f64)], margin: f64, alpha: f64) -> MoreUnits {
    match clusters_to_decide(clusters, margin, alpha, POWER) {
        Err(_) => MoreUnits::Unknown,
        Ok(None) => MoreUnits::OutOfReach,
        Ok(Some(all)) => MoreUnits::Some(all.saturating_sub(clusters.len()).max(1)),
    }
}

fn reason_of(rule: &Rule, t: &Tested, decision: Decision) -> String {
    let what = if t.baseline.is_some() { "the change" } else { "the value" };
    let (better, worse) = match (rule.metric.larger_is_better(), t.baseline.is_some()) {
        (_, true) => ("within", "beyond"),
        (true, false) => ("above", "below"),
        (false, false) => ("below", "above"),
    };
    match decision {
        Decision::Identical => format!("identical on all {} {}", t.clusters, plural(t.unit, t.clusters)),
        Decision::Pass => format!("{what} is {better} the limit"),
        Decision::Regressed => format!("{what} is {worse} the limit"),
        Decision::Inconclusive => match (&t.estimate.interval, t.p, t.p_adjusted) {
            (Err(why), _, _) => format!("not estimable: {why}"),
            (Ok(_), Some(p), Some(_)) if p.0 <= ALPHA || p.1 <= ALPHA => {
                "decided alone, but not once adjusted for the number of rules".into()
            }
            _ => "the limit lies inside the interval".into(),
        },
    }
}
