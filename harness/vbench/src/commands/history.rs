//! `vbench report RUN RUN…` or `vbench report FOLDER`: many runs over time.

use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use vbench_compare::history::{HistoryMetric, RunCells, change_points};
use vbench_compare::{Coverage, ScoredCell, StratumSummary, SummaryHead, summarize};
use vbench_core::ExitCode;
use vbench_report::{
    BranchHistory, HistoryGroup, HistoryInput, HistoryModel, HistoryPoint, HistoryRun, HistorySeries, history_figures,
    history_html, history_json, history_markdown, history_text,
};
use vbench_store::folder::write_derived;

use crate::cli::{ReportArguments, ReportFormat};
use crate::commands::bench_history::{OneBench, bench_histories};
use crate::commands::bench_page;
use crate::commands::compare::text_width;
use crate::commands::comparison_page::{self, text};
use crate::failure::{Failure, note, say};
use crate::outputs::without_machine_paths;
use crate::side::LoadedRun;

/// The branch of runs that do not tell theirs.
pub(super) const UNKNOWN: &str = "unknown";

/// Whether a folder is no run itself and may hold some.
pub fn holds_runs(path: &Path) -> bool {
    path.is_dir() && !["run.json", "bench.json", "against.json"].iter().any(|name| path.join(name).exists())
}

/// Writes history.html, .md, .json and figures/.
pub fn history(paths: &[PathBuf], arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    comparison_page::check(arguments, "a history")?;
    let out = match (&arguments.out, paths) {
        (Some(out), _) => out,
        (None, [folder]) => folder,
        (None, _) => return Err(Failure::new(ExitCode::Usage, "several runs: say where to write with --out DIR")),
    };
    let folders = run_folders(paths)?;
    let read: Vec<Result<Read, (String, Failure)>> =
        folders.par_iter().map(|path| Read::of(path, out).map_err(|e| (folder_name(path), e))).collect();
    let (mut runs, mut benches, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for run in read {
        match run {
            Ok(Read::Run(run)) => runs.push(*run),
            Ok(Read::Bench(bench)) => benches.push(*bench),
            Err((name, failure)) => unreadable.push((name, without_machine_paths(&failure.message))),
        }
    }
    if runs.is_empty() && benches.is_empty() {
        let list: Vec<String> = unreadable.iter().map(|(name, why)| format!("  {name}: {why}")).collect();
        return Err(Failure::new(ExitCode::StoreUnreadable, format!("no run can be read:\n{}", list.join("\n"))));
    }
    for (name, why) in &unreadable {
        note(format_args!("not read: {name}: {why}"));
    }
    let input = HistoryInput { groups: groups(runs), benches: bench_histories(benches), unreadable };
    let json = format!("{:#}", history_json(&input));
    let wants = |format| arguments.render.wants(format);
    if wants(ReportFormat::Html) {
        write_derived(out, "history.html", history_html(&input).map_err(comparison_page::not_rendered)?.as_bytes())?;
    }
    if wants(ReportFormat::Md) {
        let markdown = history_markdown(&input, comparison_page::linked_figures(&arguments.render));
        write_derived(out, "history.md", markdown.as_bytes())?;
    }
    if wants(ReportFormat::Json) {
        write_derived(out, "history.json", json.as_bytes())?;
    }
    comparison_page::write_figures(out, &arguments.render, || history_figures(&input, arguments.render.palette()))?;
    say(if arguments.json { json } else { history_text(&input, text_width()) });
    comparison_page::tell_where(out, "history", &arguments.render);
    Ok(ExitCode::Passed)
}

/// What a folder holds.
enum Read {
    Run(Box<OneRun>),
    Bench(Box<OneBench>),
}

impl Read {
    fn of(path: &Path, out: &Path) -> Result<Self, Failure> {
        if bench_page::is_bench(path) {
            return OneBench::read(path, out).map(|bench| Self::Bench(Box::new(bench)));
        }
        OneRun::read(path, out).map(|run| Self::Run(Box::new(run)))
    }
}

/// The folders of runs among `paths`: a run itself, else the folders in it that have a `run.json` or a `bench.json`.
fn run_folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if !holds_runs(path) {
            found.push(path.clone());
            continue;
        }
        let unreadable = |e| Failure::new(ExitCode::StoreUnreadable, format!("cannot read {}: {e}", path.display()));
        let entries = std::fs::read_dir(path).map_err(unreadable)?;
        let entries: Vec<PathBuf> =
            entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(unreadable)?;
        let mut inside: Vec<PathBuf> =
            entries.into_iter().filter(|e| e.join("run.json").exists() || bench_page::is_bench(e)).collect();
        inside.sort();
        found.append(&mut inside);
    }
    if found.is_empty() {
        let list: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let text = format!("no run in {}: a run is a folder with a run.json or a bench.json", list.join(", "));
        return Err(Failure::new(ExitCode::NothingSelected, text));
    }
    // A run given twice, by itself and in its folder, is one run.
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(found)
}

pub(super) fn folder_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into()
}

/// One run, with what its history needs and no more.
struct OneRun {
    key: (String, String, String, u64),
    branch: String,
    cer_first: bool,
    run: HistoryRun,
    facts: Vec<HistoryModel>,
    models: Vec<ModelOfRun>,
}

struct ModelOfRun {
    name: String,
    cells: RunCells,
    /// `all`, then condition by condition.
    strata: Vec<StratumSummary>,
}

impl OneRun {
    fn read(path: &Path, out: &Path) -> Result<Self, Failure> {
        let loaded = LoadedRun::read(path)?;
        let record = &loaded.record.record;
        let models = loaded.models().iter().map(|name| ModelOfRun::of(&loaded, name)).collect::<Result<_, _>>()?;
        let done = loaded.record.rows.iter().filter(|r| r.outcome == "ok").count();
        let metrics = loaded.suite_strings("metrics");
        let rules = &loaded.rules;
        Ok(Self {
            key: (
                loaded.suite_name().to_string(),
                rules.normalizer.id().into(),
                rules.weights.name().into(),
                loaded.seed(),
            ),
            branch: text(&record["git_branch"]).unwrap_or_else(|| UNKNOWN.into()),
            cer_first: metrics.into_iter().find(|m| m == "wer" || m == "cer").as_deref() == Some("cer"),
            run: HistoryRun {
                name: folder_name(&loaded.path),
                created: text(&record["created"]).unwrap_or_default(),
                commit: text(&record["git_commit"]),
                done,
                planned: record["planned"].as_u64().map_or(loaded.record.rows.len(), |n| n as usize),
                report: report_link(&loaded.path, out),
            },
            facts: record["models"].as_array().into_iter().flatten().filter_map(model_facts).collect(),
            models,
        })
    }
}

/// Name, specification without the machine's paths, and weights of a model of a run record.
fn model_facts(model: &Value) -> Option<HistoryModel> {
    Some(HistoryModel {
        name: text(&model["name"])?,
        spec: without_machine_paths(&text(&model["spec"]).unwrap_or_default()),
        weights_sha256: text(&model["weights_sha256"]),
    })
}

impl ModelOfRun {
    fn of(loaded: &LoadedRun, name: &str) -> Result<Self, Failure> {
        let side = loaded.side(name, &loaded.rules)?;
        let cells = RunCells::new(&side.cells);
        let scored: Vec<ScoredCell> = side.cells.into_iter().map(|c| c.scored).collect();
        let head = SummaryHead {
            suite: String::new(),
            normalizer: String::new(),
            weights: String::new(),
            seed: loaded.seed(),
            primary: "wer".into(),
            absent: Vec::new(),
            conditions: Vec::new(),
            signal_metrics: Vec::new(),
            strata: vec!["condition".into()],
            overall: Vec::new(),
            latency_budget_ms: None,
        };
        let summary = summarize(head, &scored, &[], Vec::new(), Coverage::default());
        Ok(Self { name: name.to_string(), cells, strata: summary.strata })
    }

    fn stratum(&self, condition: Option<&str>) -> Option<&StratumSummary> {
        self.strata.iter().find(|s| match condition {
            None => s.by == "all",
            Some(name) => s.by == "condition" && s.value == name,
        })
    }
}

/// The report of a run as a link from a page in `out`, when it lies in or beside that folder.
pub(super) fn report_link(run: &Path, out: &Path) -> Option<String> {
    let report = run.join("report.html");
    // The page's folder may not be there yet.
    let out = out.canonicalize().or_else(|_| std::path::absolute(out)).ok()?;
    let report = report.canonicalize().ok()?;
    let (up, rest) = match (report.strip_prefix(&out), out.parent().map(|p| report.strip_prefix(p))) {
        (Ok(inside), _) => (".", inside),
        (Err(_), Some(Ok(beside))) => ("..", beside),
        _ => return None,
    };
    let parts: Option<Vec<String>> = rest
        .components()
        .map(|c| if let Component::Normal(name) = c { name.to_str().map(percent_encoded) } else { None })
        .collect();
    Some(format!("{up}/{}", parts?.join("/")))
}

/// Everything but unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(name: &str) -> String {
    let one = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    name.bytes().map(one).collect()
}

fn groups(runs: Vec<OneRun>) -> Vec<HistoryGroup> {
    let mut sorted: BTreeMap<_, BTreeMap<String, Vec<OneRun>>> = BTreeMap::new();
    for run in runs {
        sorted.entry(run.key.clone()).or_default().entry(run.branch.clone()).or_default().push(run);
    }
    let group = |((suite, normalizer, weights, seed), branches): ((String, String, String, u64), BTreeMap<_, _>)| {
        let mut branches: Vec<BranchHistory> =
            branches.into_iter().map(|(name, runs)| branch(name, runs, seed)).collect();
        branches.sort_by_key(|b| std::cmp::Reverse(b.runs.len()));
        HistoryGroup { suite, normalizer, weights, seed, branches }
    };
    sorted.into_iter().map(group).collect()
}

fn branch(branch: String, mut runs: Vec<OneRun>, seed: u64) -> BranchHistory {
    runs.sort_by(|a, b| (&a.run.created, &a.run.name).cmp(&(&b.run.created, &b.run.name)));
    let (mut models, mut conditions): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    // The latest run first: what is measured today leads.
    for model in runs.iter().rev().flat_map(|r| &r.models) {
        if !models.contains(&model.name) {
            models.push(model.name.clone());
        }
        for stratum in model.strata.iter().filter(|s| s.by == "condition") {
            if !conditions.contains(&stratum.value) {
                conditions.push(stratum.value.clone());
            }
        }
    }
    let mut metrics = [HistoryMetric::Wer, HistoryMetric::Cer];
    if runs.last().is_some_and(|r| r.cer_first) {
        metrics.reverse();
    }
    let mut work: Vec<(HistoryMetric, Option<&str>, &str)> = Vec::new();
    for metric in metrics {
        work.extend(models.iter().map(|m| (metric, None, m.as_str())));
    }
    // Conditions one by one for the headline metric; a single one says no more than the whole.
    for condition in conditions.iter().filter(|_| conditions.len() > 1) {
        work.extend(models.iter().map(|m| (metrics[0], Some(condition.as_str()), m.as_str())));
    }
    let accuracy = work.into_par_iter().map(|(metric, c, model)| series(&runs, metric, c, model, seed)).collect();
    let times = models.iter().map(|m| times(&runs, m)).filter(|s| s.points.iter().any(Option::is_some)).collect();
    let (runs, models) = runs.into_iter().map(|r| (r.run, r.facts)).unzip();
    BranchHistory { branch, accuracy, times, runs, models }
}

fn of_model<'r>(run: &'r OneRun, model: &str) -> Option<&'r ModelOfRun> {
    run.models.iter().find(|m| m.name == model)
}

fn series(runs: &[OneRun], metric: HistoryMetric, condition: Option<&str>, model: &str, seed: u64) -> HistorySeries {
    let cells: Vec<Option<&RunCells>> = runs.iter().map(|r| of_model(r, model).map(|m| &m.cells)).collect();
    let point = |run: &OneRun| {
        let stratum = of_model(run, model)?.stratum(condition).filter(|s| s.scored > 0)?;
        let estimate = match metric {
            HistoryMetric::Wer => &stratum.wer,
            HistoryMetric::Cer => &stratum.cer,
        };
        Some(HistoryPoint { estimate: estimate.clone(), cells: stratum.scored })
    };
    HistorySeries {
        model: model.to_string(),
        metric: match metric {
            HistoryMetric::Wer => "WER",
            HistoryMetric::Cer => "CER",
        },
        condition: condition.map(str::to_string),
        points: runs.iter().map(point).collect(),
        changes: Some(change_points(&cells, metric, condition, seed)),
    }
}

fn times(runs: &[OneRun], model: &str) -> HistorySeries {
    let point = |run: &OneRun| {
        let stratum = of_model(run, model)?.stratum(None)?;
        Some(HistoryPoint { estimate: stratum.rtf.clone()?, cells: stratum.scored })
    };
    HistorySeries {
        model: model.to_string(),
        metric: "RTF",
        condition: None,
        points: runs.iter().map(point).collect(),
        changes: None,
    }
}
