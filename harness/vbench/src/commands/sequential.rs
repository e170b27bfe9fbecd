//! The sequential gate behind `vbench run --sequential`: what is declared before the first cell, and the look after every
//! cluster.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};
use vbench_compare::gate::plural;
use vbench_compare::place;
use vbench_compare::sequential::PlannedBaseline;
use vbench_compare::{GateReport, Machines, Pair, SequentialGate, Side, pair};
use vbench_core::{Cell, ExitCode, ResamplingUnit};
use vbench_stats::SequentialVerdict;
use vbench_stats::assign_units;
use vbench_stats::sequential::cluster_order;
use vbench_store::folder::{SEQUENTIAL_SCHEMA, write_derived};
use vbench_store::{Row, RunRecord, TimingLine};
use vbench_suite::Suite;

use super::gate::{Question, Told, baselines, invalid, opponent, rules_for, rules_in, verdict, write_verdict};
use super::golden::existing_golden;
use crate::cli::{BaselineArguments, ScoringArguments};
use crate::failure::Failure;
use crate::record::DeclaredGate;
use crate::render::rules_of;
use crate::score::Rules;
use crate::side::{LoadedRun, common_cells, common_rules, machines};

/// The clusters of a plan in the order in which they are run.
pub struct Clusters {
    /// What a cluster is.
    pub unit: ResamplingUnit,
    /// Cells behind the last of each cluster, as positions in the plan.
    pub ends: Vec<usize>,
}

/// What `--sequential` fixes before anything runs, for run.json.
pub fn declared(gate: &BaselineArguments, suite: &Suite) -> Result<DeclaredGate, Failure> {
    let baseline = gate.baseline.clone().unwrap_or_default();
    let folders = if baseline == "golden" {
        suite.models.iter().map(|m| existing_golden(&gate.golden, &suite.name, &m.name)).collect::<Result<_, _>>()?
    } else {
        vec![LoadedRun::read(Path::new(&baseline))?.path]
    };
    let hash = |folder: &std::path::PathBuf| {
        vbench_fetch::digest::sha256_file(&folder.join("rows.jsonl")).map(|(hash, _)| hash).map_err(Failure::from)
    };
    let rules = gate.rules.as_deref().map_or_else(|| Ok(suite.gates.clone()), rules_in)?;
    Ok(DeclaredGate {
        baseline_sha256: folders.iter().map(hash).collect::<Result<_, _>>()?,
        baseline,
        rules: gate.rules.clone(),
        declared: rules.iter().map(ToString::to_string).collect(),
        golden: gate.golden.clone(),
    })
}

/// The gate that a run was declared with, whatever the command line says about it now but for the policy.
pub fn resumed(now: &BaselineArguments, declared: &DeclaredGate) -> Result<BaselineArguments, Failure> {
    let other = now.baseline.as_ref().is_some_and(|b| *b != declared.baseline)
        || now.rules.is_some() && now.rules != declared.rules;
    if other {
        let text = format!(
            "the run's sequential gate was declared against {} before the first cell: its baseline and rules cannot be changed",
            declared.baseline
        );
        return Err(Failure::new(ExitCode::Usage, text));
    }
    Ok(BaselineArguments {
        baseline: Some(declared.baseline.clone()),
        rules: declared.rules.clone(),
        inconclusive: now.inconclusive,
        golden: declared.golden.clone(),
    })
}

/// Sorts a plan by clusters in their keyed random order; within a cluster the order stays.
pub fn order_by_clusters(suite: &Suite, cells: &mut Vec<Cell>) -> Clusters {
    let several = suite.corpora.len() > 1;
    let within = |corpus: &str, label: &Option<String>| {
        label.as_ref().map(|l| if several { format!("{corpus}/{l}") } else { l.clone() })
    };
    let named: Vec<(String, Option<String>, Option<String>)> = cells
        .iter()
        .map(|cell| {
            let u = &suite.utterances[cell.utterance];
            (format!("{}/{}", u.corpus, u.id), within(&u.corpus, &u.speaker), within(&u.corpus, &u.session))
        })
        .collect();
    let (unit, of, count) = assign_units(named.iter().map(|(u, a, b)| (u.as_str(), a.as_deref(), b.as_deref())));
    let mut position = vec![0; count];
    for (place, cluster) in cluster_order(count, suite.seed, &suite.name).into_iter().enumerate() {
        position[cluster] = place;
    }
    let mut placed: Vec<(usize, Cell)> = of.iter().map(|c| position[*c]).zip(std::mem::take(cells)).collect();
    placed.sort_by_key(|(place, _)| *place);
    let mut ends = vec![0; count];
    for (index, (place, _)) in placed.iter().enumerate() {
        ends[*place] = index + 1;
    }
    cells.extend(placed.into_iter().map(|(_, cell)| cell));
    Clusters { unit, ends }
}

/// One model of the run and its baseline, cluster by cluster.
struct Opponent {
    base: usize,
    rules: Rules,
    clusters: Vec<Side>,
}

/// A sequential gate at work.
pub struct Looks {
    /// The tests.
    pub gate: SequentialGate,
    /// Cells behind the last of each cluster.
    pub ends: Vec<usize>,
    /// The run without rows.
    run: LoadedRun,
    bases: Vec<LoadedRun>,
    opponents: Vec<Opponent>,
}

impl Looks {
    /// Loads and scores the baseline, and fixes the tests.
    pub fn declare(
        path: &Path,
        record: &Value,
        cells: &[Cell],
        clusters: Clusters,
        baseline: &BaselineArguments,
    ) -> Result<Self, Failure> {
        let rules = rules_of(record)?;
        let record = RunRecord { record: record.clone(), rows: Vec::new(), timings: HashMap::new() };
        let run = LoadedRun { path: path.to_path_buf(), record, rules };
        let scoring = ScoringArguments::default();
        let question = Question { baseline, model: None, baseline_model: None, scoring: &scoring };
        let models = run.models();
        let bases = baselines(&run, &question, &models)?;
        let mut opponents = Vec::new();
        let mut same = Machines::Same;
        for (index, model) in models.iter().enumerate() {
            let at = index.min(bases.len() - 1);
            let base = &bases[at];
            let (rules, _) = common_rules(base, &run, &scoring)?;
            let side = base.side(&opponent(base, model, None, models.len())?, &rules)?;
            if let differ @ Machines::Differ(_) = machines(base, &run) {
                same = differ;
            }
            opponents.push(Opponent { base: at, rules, clusters: split(side, model, cells, &clusters.ends) });
        }
        let planned: Vec<PlannedBaseline<'_>> =
            models.iter().zip(&opponents).map(|(model, o)| PlannedBaseline { model, clusters: &o.clusters }).collect();
        let rules = rules_for(&run, baseline.rules.as_deref())?;
        let gate = SequentialGate::declare(&rules, &planned, &same, clusters.unit, run.seed()).map_err(invalid)?;
        Ok(Self { gate, ends: clusters.ends, run, bases, opponents })
    }

    /// Scores the next cluster's rows and looks.
    pub fn arrive(&mut self, rows: Vec<Row>, timings: HashMap<String, TimingLine>) -> Result<(), Failure> {
        let cluster = self.gate.arrived;
        (self.run.record.rows, self.run.record.timings) = (rows, timings);
        let models = self.run.models();
        let scoring = ScoringArguments::default();
        let sides: Vec<Side> =
            models.iter().zip(&self.opponents).map(|(m, o)| self.run.side(m, &o.rules)).collect::<Result<_, _>>()?;
        let mut arrived: Vec<(&Side, Vec<Pair<'_>>)> = Vec::new();
        for (side, opponent) in sides.iter().zip(&self.opponents) {
            let before = &opponent.clusters[cluster];
            let pairing = pair(before, side);
            if !(pairing.left_out.reference_differs.is_empty() && pairing.audio_differs.is_empty()) {
                let base = &self.bases[opponent.base];
                common_cells((base, before), (&self.run, side), &scoring, &mut Vec::new(), false)?;
            }
            arrived.push((side, pairing.pairs));
        }
        self.gate.arrive(&arrived).map_err(invalid)
    }
}

/// The baseline's cells among those planned, cluster by cluster.
fn split(side: Side, model: &str, cells: &[Cell], ends: &[usize]) -> Vec<Side> {
    let behind = format!("/{model}");
    let mut cluster_of: HashMap<&str, usize> = HashMap::new();
    let mut cluster = 0;
    for (index, cell) in cells.iter().enumerate() {
        while index >= ends[cluster] {
            cluster += 1;
        }
        cluster_of.extend(cell.key.strip_suffix(&behind).map(|place| (place, cluster)));
    }
    let mut clusters = vec![Side { model: side.model, ..Side::default() }; ends.len()];
    for cell in side.cells {
        if let Some(at) = cluster_of.get(cell.place().as_str()) {
            clusters[*at].cells.push(cell);
        }
    }
    for cell in side.unscored {
        if let Some(at) = cluster_of.get(place(&cell).as_str()) {
            clusters[*at].unscored.push(cell);
        }
    }
    clusters
}

/// How a sequential run has ended, for `sequential.json`.
pub fn record_end(gate: &SequentialGate, planned: usize, rows: usize) -> Value {
    let name = |verdict: SequentialVerdict| match verdict {
        SequentialVerdict::Continue => "undecided",
        SequentialVerdict::Pass => "pass",
        SequentialVerdict::Regressed => "regressed",
        SequentialVerdict::Inconclusive => "inconclusive",
    };
    let rules: Vec<Value> = gate
        .rules
        .iter()
        .map(|r| {
            json!({
                "rule": r.rule.to_string(),
                "model": r.model,
                "planned": r.plan.map(|p| p.planned),
                "alpha": r.plan.map(|p| p.alpha),
                "looks": r.looks,
                "decided_after": r.decision.filter(|_| r.is_decided()).map(|d| d.clusters),
                "verdict": r.decision.map(|d| name(d.verdict)),
            })
        })
        .collect();
    json!({
        "schema": SEQUENTIAL_SCHEMA,
        "stopped_early": rows < planned,
        "rows": rows,
        "planned": planned,
        "saved": planned - rows,
        "unit": gate.unit.to_string(),
        "clusters": gate.arrived,
        "clusters_planned": gate.planned,
        "spending": "obrien-fleming",
        "rules": rules,
    })
}

/// The gate behind a sequential run: the verdict on what was run, with the looks' decisions.
pub fn after_run(path: &Path, baseline: &BaselineArguments, gate: &SequentialGate) -> Result<Told, Failure> {
    let mut run = LoadedRun::read(path)?;
    let scoring = ScoringArguments::default();
    let question = Question { baseline, model: None, baseline_model: None, scoring: &scoring };
    let planned = run.record.record["planned"].as_u64().map_or(run.record.rows.len(), |n| n as usize);
    if run.record.stopped_early() {
        // Coverage is that of the cells that the gate let run; how many it saved stands in the notes.
        run.record.record["planned"] = run.record.rows.len().into();
    }
    let mut report = gate.judge(verdict(&run, &question)?);
    report.notes.splice(0..0, notes(gate, &report, planned, run.record.rows.len()));
    write_verdict(&run, &report, &question)
}

fn notes(gate: &SequentialGate, report: &GateReport, planned: usize, run: usize) -> Vec<String> {
    let units = plural(gate.unit, gate.planned);
    let first = if run < planned {
        format!(
            "stopped early by the sequential gate after {} of {} {units}: {run} of {planned} cells run, {} saved",
            gate.arrived,
            gate.planned,
            planned - run
        )
    } else {
        format!("the sequential gate ran to the end: all {planned} cells, {} {units}", gate.planned)
    };
    let mut notes = vec![first];
    for rule in &gate.rules {
        let looks = match rule.looks.as_slice() {
            [] => "no look".to_string(),
            [one] => format!("one look, after {one} {units}"),
            [first, .., last] => format!("{} looks, after {first} to {last} {units}", rule.looks.len()),
        };
        let alpha = rule.plan.map_or_else(
            || "too few to look in between, judged at the end".to_string(),
            |p| format!("one-sided alpha {:.4} spent over {} {units}", p.alpha, p.planned),
        );
        notes.push(format!("{} ({}): {looks}; {alpha}", rule.rule, rule.model));
    }
    let others = report.rules.iter().any(|j| !gate.rules.iter().any(|r| r.rule == j.rule && r.model == j.model));
    if others {
        notes.push("budgets and coverage have no looks: they are judged on the cells that were run".into());
    }
    notes.push("intervals are those of a fixed sample: after looks they are a description, not the test".into());
    notes
}

/// Leaves `sequential.json` in the run folder.
pub fn write_end(path: &Path, end: &Value) -> Result<(), Failure> {
    write_derived(path, vbench_store::folder::SEQUENTIAL_FILE, format!("{end:#}\n").as_bytes())?;
    Ok(())
}
