//! Shows that a gate can fail: plants regressions around each rule, and measures what no regression at all looks like.

use rand::Rng;
use vbench_core::keyed::{keyed_rng, shuffle};
use vbench_core::{GateMetric, Limit, Rule};
use vbench_stats::quantile::type7;
use vbench_stats::{Observation, choose_unit, gate_test};

use crate::gate::{
    ALPHA, Case, DRAWS, GateError, GateInput, Machines, Outcome, case, coverage, covered, expand, margin, plural,
    test_case,
};

/// What was planted, and what the rule said.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// The rule.
    pub rule: Rule,
    /// Model.
    pub model: String,
    /// What was planted: `word errors on all 18 speakers`.
    pub what: String,
    /// What the rule says without anything planted.
    pub unplanted: Outcome,
    /// The largest planted regression that is not yet called one, and what is said of it.
    pub below: Option<Dose>,
    /// The smallest that is: what this suite can catch.
    pub above: Option<Dose>,
    /// Why the rule could not be made to flip; empty where it did.
    pub problem: String,
}

/// An amount planted.
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// In words: `7 word errors`, `2,310 ms on each of 144 cells`, `1 cell lost`.
    pub amount: String,
    /// What it does to the metric: a fraction, a factor, dB, or a share of cells.
    pub effect: f64,
    /// What the rule says.
    pub outcome: Outcome,
}

impl Planted {
    /// Regressed with the smallest dose, not regressed just below it.
    #[must_use]
    pub fn flips(&self) -> bool {
        let says = |dose: &Option<Dose>, regressed: bool| {
            dose.as_ref().is_some_and(|d| (d.outcome == Outcome::Regressed) == regressed)
        };
        says(&self.above, true) && says(&self.below, false)
    }
}

/// Plants regressions around every rule. Changes are planted into the baseline (so that nothing else differs), budgets
/// into the run.
///
/// Word errors are planted one by one, in turn over the units in a keyed order: once over all of them, and once over the
/// fewest that can prove a regression at all. Delay goes onto one cell in four of every unit, lower SNR onto every cell, lost coverage
/// cell by cell.
///
/// # Errors
/// As [`crate::gate::judge`].
pub fn selftest(
    rules: &[Rule],
    inputs: &[GateInput<'_>],
    machines: &Machines,
    seed: u64,
) -> Result<Vec<Planted>, GateError> {
    if rules.is_empty() || inputs.is_empty() {
        return Err(GateError::NoRules);
    }
    let mut problems = Vec::new();
    let mut work: Vec<(Rule, &GateInput<'_>)> = Vec::new();
    for input in inputs {
        for rule in rules {
            match expand(rule, input) {
                Ok(list) => work.extend(list.into_iter().map(|r| (r, input))),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let skipped = |rule: &Rule| rule.same_machine && matches!(machines, Machines::Differ(_));
    let statistical = |rule: &Rule| rule.metric != GateMetric::Coverage && !skipped(rule);
    let family = work.iter().filter(|(rule, _)| statistical(rule)).count();
    let mut planted = Vec::new();
    for (rule, input) in &work {
        if rule.metric == GateMetric::Coverage {
            planted.push(lose_cells(rule, input));
            continue;
        }
        match case(rule, input) {
            Ok(mut case) => {
                if matches!(rule.limit, Limit::Change(_)) {
                    case.seen.iter_mut().for_each(|s| s.b = s.a);
                }
                let family = family.max(1);
                planted.extend(plants(&case, family, seed).iter().map(|plant| search(&case, plant, family, seed)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(planted) } else { Err(GateError::Unmatched(problems)) }
}

fn lose_cells(rule: &Rule, input: &GateInput<'_>) -> Planted {
    let (done, planned) = coverage(input.run, &rule.stratum);
    let lost = |n: usize| Dose {
        amount: format!("{n} {} lost", if n == 1 { "cell" } else { "cells" }),
        effect: n as f64 / planned.max(1) as f64,
        outcome: covered(rule, done - n, planned).0,
    };
    let first = (1..=done).find(|n| lost(*n).outcome == Outcome::Regressed);
    let unplanted = covered(rule, done, planned).0;
    let problem = match (unplanted, first) {
        (Outcome::Regressed, _) => "already regressed without anything planted",
        (_, None) => "losing every cell does not break this rule",
        _ => "",
    };
    Planted {
        rule: rule.clone(),
        model: input.run.model.clone(),
        what: "cells lost".into(),
        unplanted,
        below: first.map(|n| lost(n - 1)),
        above: first.map(lost),
        problem: problem.into(),
    }
}

/// A way to make things worse in equal steps.
struct Plant {
    what: String,
    /// The observations touched: one step each in turn, or every step on all of them.
    slots: Vec<usize>,
    in_turn: bool,
    /// What one step adds to the numerator.
    step: f64,
    /// Most steps tried.
    most: usize,
    unit: StepUnit,
}

#[derive(Clone, Copy)]
enum StepUnit {
    Errors(&'static str),
    Milliseconds,
    CentiDecibel,
}

fn plants(case: &Case<'_>, family: usize, seed: u64) -> Vec<Plant> {
    let mut rng = keyed_rng(seed, "selftest", "", case.rule.metric.name());
    let metric = case.rule.metric;
    let noun = match metric {
        GateMetric::Cer => "character errors",
        GateMetric::Ser => "wrong utterances",
        _ => "word errors",
    };
    let all: Vec<usize> = (0..case.seen.len()).collect();
    match metric {
        GateMetric::Snr => vec![Plant {
            what: "a lower SNR on every cell".into(),
            slots: all,
            in_turn: false,
            step: 0.01,
            most: 20_000,
            unit: StepUnit::CentiDecibel,
        }],
        GateMetric::Rtf => {
            let (unit, order) = in_turn_over_units(case, &mut rng);
            let slots: Vec<usize> = order.iter().flat_map(|cells| cells[..cells.len().div_ceil(4)].to_vec()).collect();
            vec![Plant {
                what: format!("delay on {} of {} cells, in every {unit}", slots.len(), case.seen.len()),
                slots,
                in_turn: false,
                step: 0.001,
                most: 10_000_000,
                unit: StepUnit::Milliseconds,
            }]
        }
        _ => error_plants(case, noun, &mut rng, family, seed),
    }
}

/// Errors on all units, and on the fewest that can prove a regression.
fn error_plants(case: &Case<'_>, noun: &'static str, rng: &mut impl Rng, family: usize, seed: u64) -> Vec<Plant> {
    let (unit, order) = in_turn_over_units(case, rng);
    let units = order.len();
    let plant = |what: String, take: usize| {
        let longest = order[..take].iter().map(Vec::len).max().unwrap_or(0);
        let slots: Vec<usize> =
            (0..longest).flat_map(|i| order[..take].iter().filter_map(move |u| u.get(i).copied())).collect();
        let words: f64 = slots.iter().map(|s| case.seen[*s].den).sum();
        let most = if case.rule.metric == GateMetric::Ser { slots.len() } else { words as usize };
        Plant { what, slots, in_turn: true, step: 1.0, most, unit: StepUnit::Errors(noun) }
    };
    let all = format!("{noun} on all {units} {}", plural(unit, units));
    let mut plants = vec![plant(all, units)];
    let caught = |take: usize| {
        let full = plant(String::new(), take);
        dose(case, &full, full.most, family, seed).outcome == Outcome::Regressed
    };
    // The more units are touched, the clearer: bisected, since a test over many utterances costs a good part of a second.
    let (mut no, mut yes) = (0, units.saturating_sub(1));
    if yes > 0 && caught(yes) {
        while yes - no > 1 {
            let middle = no.midpoint(yes);
            if caught(middle) { yes = middle } else { no = middle }
        }
        plants.push(plant(format!("{noun} on {yes} of {units} {}, the fewest that do", plural(unit, units)), yes));
    }
    plants
}

/// The observations of every unit, units and observations in a keyed order.
fn in_turn_over_units(case: &Case<'_>, rng: &mut impl Rng) -> (vbench_core::ResamplingUnit, Vec<Vec<usize>>) {
    let observations: Vec<Observation<'_>> = case
        .seen
        .iter()
        .map(|s| Observation {
            utterance: &s.name,
            speaker: s.cell.speaker.as_deref(),
            session: s.cell.session.as_deref(),
            num: 0.0,
            den: s.den,
        })
        .collect();
    let unit = choose_unit(&observations).unit;
    let mut groups: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
    for (i, s) in case.seen.iter().enumerate() {
        let name = match unit {
            vbench_core::ResamplingUnit::Speaker => s.cell.speaker.as_deref(),
            vbench_core::ResamplingUnit::Session => s.cell.session.as_deref(),
            vbench_core::ResamplingUnit::Utterance => Some(s.name.as_str()),
        };
        groups.entry(name.unwrap_or_default()).or_default().push(i);
    }
    let mut order: Vec<Vec<usize>> = groups.into_values().collect();
    shuffle(&mut order, rng);
    order.iter_mut().for_each(|members| shuffle(members, rng));
    (unit, order)
}

/// Bisects between "not called a regression" and "called one".
fn search(case: &Case<'_>, plant: &Plant, family: usize, seed: u64) -> Planted {
    let start = dose(case, plant, 0, family, seed);
    let mut planted = Planted {
        rule: case.rule.clone(),
        model: case.model.clone(),
        what: plant.what.clone(),
        unplanted: start.outcome,
        below: None,
        above: None,
        problem: String::new(),
    };
    if start.outcome == Outcome::Regressed {
        planted.problem = "already regressed without anything planted".into();
        return planted;
    }
    let (mut no, mut yes) = (0, 1.min(plant.most));
    while dose(case, plant, yes, family, seed).outcome != Outcome::Regressed {
        if yes >= plant.most {
            planted.problem = format!("no amount is called a regression; {}", why_never(case, seed));
            return planted;
        }
        no = yes;
        yes = (2 * yes).min(plant.most);
    }
    while yes - no > 1 {
        let middle = no.midpoint(yes);
        if dose(case, plant, middle, family, seed).outcome == Outcome::Regressed { yes = middle } else { no = middle }
    }
    planted.below = Some(dose(case, plant, no, family, seed));
    planted.above = Some(dose(case, plant, yes, family, seed));
    planted
}

fn why_never(case: &Case<'_>, seed: u64) -> String {
    match test_case(case, seed).0.estimate.interval {
        Err(why) if !why.starts_with("identical") => why,
        _ => "too few units are touched to be no accident".into(),
    }
}

/// Plants so many steps and asks the rule, at the level that Holm leaves the first of `family` rules.
fn dose(case: &Case<'_>, plant: &Plant, steps: usize, family: usize, seed: u64) -> Dose {
    let mut changed = case.clone();
    let slots = plant.slots.len().max(1);
    if plant.in_turn {
        for (i, slot) in plant.slots.iter().enumerate() {
            changed.seen[*slot].b += plant.step * (steps / slots + usize::from(i < steps % slots)) as f64;
        }
        if case.rule.metric == GateMetric::Ser {
            // An utterance can be wrong but once.
            changed.seen.iter_mut().for_each(|s| s.b = s.b.min(1.0));
        }
    } else {
        for slot in &plant.slots {
            changed.seen[*slot].b += plant.step * steps as f64;
        }
    }
    let sum = |seen: &[crate::gate::Seen<'_>]| {
        let den: f64 = seen.iter().map(|s| s.den).sum();
        seen.iter().map(|s| s.b).sum::<f64>() / den
    };
    Dose {
        amount: amount(plant, steps),
        effect: sum(&changed.seen) - sum(&case.seen),
        outcome: outcome(&changed, ALPHA / family as f64, seed),
    }
}

fn amount(plant: &Plant, steps: usize) -> String {
    match plant.unit {
        StepUnit::Errors(noun) if steps == 1 => format!("1 {}", noun.strip_suffix('s').unwrap_or(noun)),
        StepUnit::Errors(noun) => format!("{steps} {noun}"),
        StepUnit::Milliseconds => format!("{steps} ms each"),
        StepUnit::CentiDecibel => format!("{:.2} dB each", steps as f64 * 0.01),
    }
}

fn outcome(case: &Case<'_>, alpha: f64, seed: u64) -> Outcome {
    let (tested, test, _) = test_case(case, seed);
    match test {
        _ if tested.identical => Outcome::Pass,
        Some(t) if t.p_regressed <= alpha => Outcome::Regressed,
        Some(t) if t.p_pass <= alpha => Outcome::Pass,
        _ => Outcome::Inconclusive,
    }
}

/// What two runs without a true difference look like, given how these two differ.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseFloor {
    /// The rule whose cells were looked at.
    pub rule: Rule,
    /// Model.
    pub model: String,
    /// What was relabelled, with their number: `18 speakers`.
    pub units: String,
    /// The difference between the two runs as they are, in the metric's direction.
    pub observed: f64,
    /// Every unit is equal: the floor is 0.
    pub identical: bool,
    /// 95 % of relabellings stay within plus or minus this.
    pub floor: f64,
    /// Share of relabellings whose difference exceeds the rule's margin for the worse: how often a flat threshold there
    /// would call a regression that is none.
    pub flat_alarms: f64,
    /// Share of relabellings that the gate's test calls regressed.
    pub gate_alarms: f64,
}

/// Relabellings of the noise floor.
pub const RELABELLINGS: usize = 10_000;
/// Relabellings that the gate's test is asked about: each costs a test.
const TESTED_RELABELLINGS: usize = 100;

/// The noise floor of every rule on a change: which run a unit's numbers come from is decided by the toss of a keyed coin,
/// unit by unit, so that no true difference remains.
///
/// # Errors
/// As [`crate::gate::judge`]; a gate without a rule on a change.
pub fn noise_floor(rules: &[Rule], inputs: &[GateInput<'_>], seed: u64) -> Result<Vec<NoiseFloor>, GateError> {
    let mut problems = Vec::new();
    let mut floors = Vec::new();
    for input in inputs {
        for rule in rules.iter().filter(|r| matches!(r.limit, Limit::Change(_))) {
            let cases = expand(rule, input).and_then(|list| list.iter().map(|r| case(r, input)).collect());
            match cases {
                Ok(cases) => {
                    let cases: Vec<Case<'_>> = cases;
                    floors.extend(cases.iter().map(|c| floor(c, seed)));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    match (problems.is_empty(), floors.is_empty()) {
        (false, _) => Err(GateError::Unmatched(problems)),
        (true, true) => Err(GateError::NoRules),
        (true, false) => Ok(floors),
    }
}

fn floor(case: &Case<'_>, seed: u64) -> NoiseFloor {
    let (tested, _, clusters) = test_case(case, seed);
    let margin = margin(&case.rule);
    let den: f64 = clusters.iter().map(|c| c.1).sum();
    let mut rng = keyed_rng(seed, "aa", "", case.rule.metric.name());
    let mut worst = Vec::with_capacity(RELABELLINGS);
    let (mut over, mut called) = (0usize, 0usize);
    for draw in 0..RELABELLINGS {
        let tossed: Vec<(f64, f64)> =
            clusters.iter().map(|c| if rng.next_u32() & 1 == 1 { (-c.0, c.1) } else { *c }).collect();
        let change = tossed.iter().map(|c| c.0).sum::<f64>() / den;
        worst.push(change.abs());
        over += usize::from(change > margin);
        if draw < TESTED_RELABELLINGS {
            let mut draws = keyed_rng(seed, "aa-test", "", &draw.to_string());
            let test = gate_test(&tossed, margin, ALPHA, DRAWS.min(9_999), &mut draws);
            called += usize::from(test.is_ok_and(|t| t.p_regressed <= ALPHA));
        }
    }
    NoiseFloor {
        rule: case.rule.clone(),
        model: case.model.clone(),
        units: format!("{} {}", clusters.len(), plural(tested.unit, clusters.len())),
        observed: tested.estimate.value,
        identical: tested.identical,
        floor: type7(&worst, 0.95).unwrap_or(f64::NAN),
        flat_alarms: over as f64 / RELABELLINGS as f64,
        gate_alarms: called as f64 / TESTED_RELABELLINGS as f64,
    }
}
