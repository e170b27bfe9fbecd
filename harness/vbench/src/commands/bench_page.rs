//! `vbench report BENCH_RUN`: a bench run as report.html, .md, .csv, junit.xml, figures/ and a summary.

use std::path::Path;

use serde_json::{Value, json};
use vbench_core::{Budgets, ExitCode};
use vbench_load::{
    Allocations, Band, BenchSummary, BudgetVerdict, Check, Goal, INTERRUPTED, LEVEL, LoadSearch, Ns, Picture,
    Resources, SweepSummary, Trace, TraceError, Trial, Verdict, bands, checks, judge_budgets, picture, read_trace,
    search_check, summarize, summarize_sweep, too_short,
};
use vbench_report::{
    BenchReport, BenchView, bench_annotations, bench_figures, bench_html, bench_json, bench_junit, bench_markdown,
    bench_text, requests_csv,
};
use vbench_store::folder::write_derived;

use super::bench::budget_gate::declared;
pub use super::bench::budget_gate::is_bench;
use super::bench::settings::MAX_LATENESS_MS;
use crate::cli::{RenderArguments, ReportArguments, ReportFormat};
use crate::commands::comparison_page::{not_rendered, write_figures};
use crate::failure::{Failure, note, say};
use crate::outputs::{append_step_summary, without_commands, without_machine_paths};
use crate::render;

/// Schema of `bench.json`.
const SCHEMA: &str = "vbench/bench/1";

/// Writes the report of a bench run; the outcome is that of the run.
pub fn report(run: &Path, arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    if arguments.export.export_worst.is_some() || arguments.baseline.is_some() {
        let text =
            "a bench has no utterances to export and no baseline; `vbench bench A --against B` compares two models";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let out = arguments.out.as_deref().unwrap_or(run);
    let read = BenchRun::read(run)?;
    let annotations = read.write(out, &arguments.render)?;
    let text = if arguments.json { format!("{:#}", read.json()) } else { bench_text(&read.view()) };
    match annotations {
        None => say(text),
        Some(annotations) => {
            say(without_commands(&text));
            say(annotations.trim_end());
        }
    }
    note(format_args!("report: {}", out.join(render::entry(&arguments.render)).display()));
    Ok(read.outcome())
}

/// A bench run with its numbers computed again: from its trace what a trace holds, from its document what it does not.
pub struct BenchRun {
    document: Value,
    trace: Trace,
    summary: BenchSummary,
    picture: Picture,
    budgets: Vec<BudgetVerdict>,
    bands: Vec<Band>,
    search: Option<LoadSearch>,
    sweep: Option<SweepSummary>,
    resources: Option<Resources>,
    facts: Vec<(String, String)>,
    provenance: Vec<(String, String)>,
}

impl BenchRun {
    /// Reads `bench.json`, `requests.jsonl` and the traces of a search's trials.
    pub fn read(run: &Path) -> Result<Self, Failure> {
        let document = read_document(&run.join("bench.json"), SCHEMA)?;
        let trace = read_requests(&run.join("requests.jsonl"))?;
        let search = read_search(run, &document)?;
        Self::of(run, document, trace, search)
    }

    /// Of a run that lies in `run` or will.
    pub fn of(run: &Path, document: Value, trace: Trace, search: Option<LoadSearch>) -> Result<Self, Failure> {
        let limit = max_lateness(&document);
        let budgets = declared(&document).map_err(|what| {
            Failure::new(ExitCode::StoreUnreadable, format!("{}: bench.json: {what}", run.display()))
        })?;
        let edges = if budgets.bands_ms.is_empty() { Budgets::BANDS_MS.to_vec() } else { budgets.bands_ms.clone() };
        let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_string);
        let facts = document["facts"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), plain(v)));
        Ok(Self {
            summary: summarize(&trace.bench, &trace.plan, &trace.audio, limit),
            picture: picture(&trace.bench),
            bands: bands(&trace.bench, &edges),
            budgets: judge_budgets(&trace.bench, trace.plan.timeout, &budgets),
            sweep: trace.sweep.as_ref().map(|s| summarize_sweep(&trace.bench, &trace.plan, &trace.audio, s, LEVEL)),
            resources: resources(&document["resources"]),
            facts: facts.collect(),
            provenance: provenance(run, &document),
            search,
            trace,
            document,
        })
    }

    fn view(&self) -> BenchView<'_> {
        let text = |key: &str| self.document[key].as_str().unwrap_or_default();
        let ns = |key: &str| self.document[key].as_f64().map(|ms| (ms * 1e6) as Ns);
        BenchView {
            summary: &self.summary,
            model: text("model"),
            boundary: text("boundary"),
            open: ns("open_ms"),
            cold: ns("cold_ms"),
            warm_up: self.document["warm_up"].as_u64().unwrap_or(0) as usize,
            budgets: &self.budgets,
            bands: &self.bands,
            search: self.search.as_ref(),
            sweep: self.sweep.as_ref(),
            resources: self.resources.as_ref(),
            facts: &self.facts,
        }
    }

    /// The percentiles of the latency and how many requests there were, for a history.
    pub fn summary(&self) -> &BenchSummary {
        &self.summary
    }

    /// A part of `bench.json`.
    pub fn told(&self, key: &str) -> &Value {
        &self.document[key]
    }

    /// Writes the formats asked for; annotations for standard output, where they are wanted.
    pub fn write(&self, out: &Path, options: &RenderArguments) -> Result<Option<String>, Failure> {
        let (view, checks) = (self.view(), self.checks());
        let report = BenchReport { view: &view, picture: &self.picture, checks: &checks, provenance: &self.provenance };
        self.write_report(&report, out, options)
    }

    fn write_report(
        &self,
        report: &BenchReport<'_>,
        out: &Path,
        options: &RenderArguments,
    ) -> Result<Option<String>, Failure> {
        write_figures(out, options, || bench_figures(report, options.palette()))?;
        if options.wants(ReportFormat::Html) {
            write_derived(out, "report.html", bench_html(report).map_err(not_rendered)?.as_bytes())?;
        }
        let started = self.document["run"]["created"].as_str().unwrap_or_default();
        let texts: [(ReportFormat, &str, &dyn Fn() -> String); 4] = [
            (ReportFormat::Md, "report.md", &|| bench_markdown(report, true)),
            (ReportFormat::Json, "summary.json", &|| format!("{:#}", self.json())),
            (ReportFormat::Csv, "requests.csv", &|| requests_csv(&self.trace.bench)),
            (ReportFormat::Junit, "junit.xml", &|| bench_junit(report, started)),
        ];
        for (format, name, text) in texts {
            if options.wants(format) {
                write_derived(out, name, text().as_bytes())?;
            }
        }
        if !options.wants(ReportFormat::Github) {
            return Ok(None);
        }
        let summary = bench_markdown(report, false);
        if !append_step_summary(&summary)? {
            write_derived(out, "step-summary.md", summary.as_bytes())?;
        }
        Ok(Some(bench_annotations(report)))
    }

    /// The numbers of today's rules with the checks, as `bench.json`.
    fn json(&self) -> Value {
        let mut document = bench_json(&self.view());
        for key in ["max_lateness_ms", "run"] {
            document[key] = self.document[key].clone();
        }
        let check = |c: &Check| json!({"check": c.name, "state": c.state.name(), "text": c.text});
        document["checks"] = self.checks().iter().map(check).collect();
        document
    }

    fn checks(&self) -> Vec<Check> {
        let search = self.search.as_ref().map(search_check);
        checks(&self.summary).into_iter().chain(search).collect()
    }

    /// As the run itself ended.
    fn outcome(&self) -> ExitCode {
        outcome(&self.view())
    }
}

/// The lowest code that applies: incomplete, interrupted or void, a budget or search that failed, a budget that could not be decided.
pub fn outcome(view: &BenchView<'_>) -> ExitCode {
    let s = view.summary;
    let any = |verdict| view.budgets.iter().any(|b| b.verdict == verdict);
    let cut = interrupted(s) || view.search.is_some_and(|s| s.ended == INTERRUPTED);
    if s.voided.is_some() || s.counts.answered < s.counts.requests || cut {
        ExitCode::Incomplete
    } else if any(Verdict::Fail) || view.search.is_some_and(|s| s.best_hz.is_none()) {
        ExitCode::GateFailed
    } else if any(Verdict::Inconclusive) {
        ExitCode::GateInconclusive
    } else {
        ExitCode::Passed
    }
}

/// Whether it ended before it was to, and not because the greatest number of requests was reached.
pub fn interrupted(summary: &BenchSummary) -> bool {
    too_short(summary).is_some() && summary.counts.requests < summary.plan.max_count
}

/// The bound of lateness that a document tells.
pub fn max_lateness(document: &Value) -> Ns {
    (document["max_lateness_ms"].as_f64().unwrap_or(MAX_LATENESS_MS) * 1e6) as Ns
}

/// A search from its document and the traces of its trials.
fn read_search(run: &Path, document: &Value) -> Result<Option<LoadSearch>, Failure> {
    let told = &document["search"];
    if told.is_null() {
        return Ok(None);
    }
    let bad = || Failure::new(ExitCode::StoreUnreadable, format!("{}: bench.json: search", run.display()));
    let number = |v: &Value| v.as_f64().ok_or_else(bad);
    let goal = Goal { percentile: number(&told["percentile"])?, limit_ms: number(&told["limit_ms"])? };
    let mut trials = Vec::new();
    for (i, t) in told["trials"].as_array().into_iter().flatten().enumerate() {
        let trace = read_requests(&run.join(format!("trial-{:02}.jsonl", i + 1)))?;
        let summary = summarize(&trace.bench, &trace.plan, &trace.audio, max_lateness(document));
        let confirms = t["confirms"].as_bool().unwrap_or(false);
        let holds = goal.judge(&summary, confirms);
        trials.push(Trial { rate_hz: number(&t["rate_per_s"])?, confirms, summary, holds });
    }
    let ended = told["ended"].as_str().unwrap_or_default().to_string();
    Ok(Some(LoadSearch::of_trials(goal, trials, ended)))
}

fn resources(told: &Value) -> Option<Resources> {
    let boundary = told["boundary"].as_str()?.to_string();
    let number = |key: &str| told[key].as_f64();
    let counted = &told["allocations"];
    let allocations = || {
        Some(Allocations {
            count: counted["count"].as_u64()?,
            bytes: counted["bytes"].as_u64()?,
            per_request: counted["per_request"].as_f64()?,
            bytes_per_request: counted["bytes_per_request"].as_f64()?,
        })
    };
    Some(Resources {
        boundary,
        cpu_s: number("cpu_s"),
        cpu_ms_per_request: number("cpu_ms_per_request"),
        cpus: number("cpus"),
        rss_begin_mib: number("rss_begin_mib"),
        rss_peak_mib: number("rss_peak_mib"),
        threads: told["threads"].as_u64(),
        allocations: allocations(),
    })
}

/// A document of a known schema; of a newer one nothing is read.
pub fn read_document(path: &Path, schema: &str) -> Result<Value, Failure> {
    let bad = |e: &dyn std::fmt::Display| Failure::new(ExitCode::StoreUnreadable, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
    let document: Value = serde_json::from_str(&text).map_err(|e| bad(&e))?;
    if document["schema"] != schema {
        return Err(bad(&format!("expected schema {schema}, found {}", document["schema"])));
    }
    Ok(document)
}

/// A trace in a run folder.
pub fn read_requests(path: &Path) -> Result<Trace, Failure> {
    let bad = |e: &dyn std::fmt::Display| Failure::new(ExitCode::StoreUnreadable, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
    read_trace(&text).map_err(|e: TraceError| bad(&e))
}

/// How a run was made, as its document tells.
pub fn provenance(run: &Path, document: &Value) -> Vec<(String, String)> {
    let made = &document["run"];
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_string);
    let command: Vec<String> = made["command"].as_array().into_iter().flatten().map(plain).collect();
    let name = run.canonicalize().ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    let mut facts = vec![("run".to_string(), name.unwrap_or_default())];
    let machine = &made["machine"];
    let cores = format!("{}, {} cores, {}", plain(&machine["cpu"]), machine["cores"], plain(&machine["memory"]));
    for (name, value) in [
        ("started", plain(&made["created"])),
        ("command", without_machine_paths(&command.join(" "))),
        ("vbench", plain(&made["vbench"])),
        ("git commit", plain(&made["git_commit"])),
        ("git branch", plain(&made["git_branch"])),
        ("machine", if machine.is_null() { "null".into() } else { cores }),
    ] {
        if value != "null" && !value.is_empty() {
            facts.push((name.to_string(), value));
        }
    }
    facts
}
