//! Bench runs over time: which can be compared, and where their latency shifted.

use std::collections::BTreeMap;
use std::path::Path;

use vbench_core::keyed::keyed_rng;
use vbench_load::{PERCENTILES, Tail, TailValue};
use vbench_report::{BenchHistory, HistoryRun, LatencyShift, scenario_words};
use vbench_stats::{Shift, level_shifts};

use super::bench::BARGE_IN_FACT;
use super::history::{UNKNOWN, folder_name, report_link};
use crate::commands::bench_page::BenchRun;
use crate::commands::comparison_page::text;
use crate::failure::Failure;

/// Percentiles that are shown over time.
const SHOWN: [f64; 3] = [50.0, 95.0, 99.0];
/// Level at which a shift is said, and random orders of the runs.
const ALPHA: f64 = 0.05;
const ORDERS: usize = 9_999;

/// One bench run, with what its history needs.
pub struct OneBench {
    /// Model, setting, machine, branch.
    key: (String, String, String, String),
    run: HistoryRun,
    tails: Vec<Option<Tail>>,
    voided: bool,
}

impl OneBench {
    /// Reads a bench run.
    pub fn read(path: &Path, out: &Path) -> Result<Self, Failure> {
        let bench = BenchRun::read(path)?;
        let (s, made) = (bench.summary(), bench.told("run"));
        let facts = bench.told("facts");
        let of = |name: &str| text(&facts[name]).unwrap_or_else(|| "?".into());
        let clips: String = of("clips_sha256").chars().take(12).collect();
        let mut setting = format!(
            "{}; suite {}, {} clips {clips}, condition {}, workers {}",
            scenario_words(s.plan.scenario),
            of("suite"),
            of("clips"),
            of("condition"),
            of("workers")
        );
        for name in ["threads", "batch", "sweep-length", BARGE_IN_FACT] {
            if let Some(value) = text(&facts[name]) {
                setting += &format!(", {name} {value}");
            }
        }
        let machine = &made["machine"];
        let machine = match text(&machine["cpu"]) {
            Some(cpu) => format!("{cpu}, {} cores", machine["cores"]),
            None => UNKNOWN.to_string(),
        };
        let voided = s.voided.is_some();
        let tail = |p: &f64| {
            let place = PERCENTILES.iter().position(|q| q == p)?;
            s.latency.tails[place].clone().ok().filter(|_| !voided)
        };
        Ok(Self {
            key: (
                text(bench.told("model")).unwrap_or_default(),
                setting,
                machine,
                text(&made["git_branch"]).unwrap_or_else(|| UNKNOWN.into()),
            ),
            run: HistoryRun {
                name: folder_name(path),
                created: text(&made["created"]).unwrap_or_default(),
                commit: text(&made["git_commit"]),
                done: s.counts.answered,
                planned: s.counts.requests,
                report: report_link(path, out),
            },
            tails: SHOWN.iter().map(tail).collect(),
            voided,
        })
    }
}

/// Runs that can be compared, those with most runs first.
pub fn bench_histories(benches: Vec<OneBench>) -> Vec<BenchHistory> {
    let mut sorted: BTreeMap<_, Vec<OneBench>> = BTreeMap::new();
    for bench in benches {
        sorted.entry(bench.key.clone()).or_default().push(bench);
    }
    let mut all: Vec<BenchHistory> = sorted.into_iter().map(|(key, runs)| of_key(key, runs)).collect();
    all.sort_by_key(|b| std::cmp::Reverse(b.runs.len()));
    all
}

fn of_key(
    (model, setting, machine, branch): (String, String, String, String),
    mut runs: Vec<OneBench>,
) -> BenchHistory {
    runs.sort_by(|a, b| (&a.run.created, &a.run.name).cmp(&(&b.run.created, &b.run.name)));
    let median = |run: &OneBench| match run.tails[0].as_ref()?.value {
        TailValue::At(ns) if ns > 0.0 => Some(ns.ln()),
        _ => None,
    };
    let used: Vec<usize> = (0..runs.len()).filter(|i| median(&runs[*i]).is_some()).collect();
    let values: Vec<f64> = runs.iter().filter_map(median).collect();
    let key = format!("{model} {setting} {branch}");
    let found = level_shifts(&values, ALPHA, ORDERS, &mut keyed_rng(0, "bench-history", "", &key));
    let shift = |s: &Shift| LatencyShift { run: used[s.at], before: s.before.exp(), after: s.after.exp(), p: s.p };
    let shifts = found.map(|list| list.iter().map(shift).collect());
    BenchHistory {
        model,
        setting,
        machine,
        branch,
        percentiles: SHOWN.iter().enumerate().map(|(i, p)| (*p, runs.iter().map(|r| r.tails[i]).collect())).collect(),
        voided: runs.iter().map(|r| r.voided).collect(),
        runs: runs.into_iter().map(|r| r.run).collect(),
        shifts: shifts.map_err(|e| {
            format!("{} run(s) with a p50, at least {} are needed ({e})", used.len(), vbench_stats::shift::MIN_STRETCH)
        }),
        used: used.len(),
    }
}
