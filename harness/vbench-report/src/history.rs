//! Many runs over time: one page, the same as Markdown and JSON, and its figures.
//!
//! Runs are grouped by what makes their numbers comparable (suite, normaliser, alignment weights, seed) and shown branch by
//! branch. Times stand in the block that [`BLOCK_BEGIN`] opens.

mod terminal;

use minijinja::value::Serde;
use minijinja::{Value, context};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, json};
use vbench_compare::{Change, ChangePoints};
use vbench_core::Estimate;

use crate::bench_history::{self, BenchHistory};
use crate::error::ReportError;
use crate::figures::{Figure, MAX_SERIES, finish, point_of, subtitle_of, themed};
use crate::format::{self, NumberStyle, count, p_in_words, visible};
use crate::html::{self, BLOCK_BEGIN, BLOCK_END};
use crate::json::{estimate_json, insert_number};
use crate::markdown::{MAX_CHARS, inline};
use crate::page::{Media, Page, PageKind};
use crate::palette::Palette;
use crate::timeline::{TimelineChange, TimelinePlot, TimelinePoint, TimelineSeries};
use crate::view::text;

pub use terminal::history_text;

/// Schema of [`history_json`].
pub const HISTORY_SCHEMA: &str = "vbench/history/1";

/// Runs in one figure; of more the last ones are drawn, and the table has all.
const DRAWN_RUNS: usize = 120;
/// Figures of single conditions in one page.
const CONDITION_FIGURES: usize = 24;
/// Rows of a table of runs in Markdown.
const MARKDOWN_RUNS: usize = 60;

/// What a history page is made of: values only, all computed elsewhere.
#[derive(Debug, Clone, Default)]
pub struct HistoryInput {
    /// Runs that can be compared with each other, group by group.
    pub groups: Vec<HistoryGroup>,
    /// Latency of bench runs.
    pub benches: Vec<BenchHistory>,
    /// Folders that could not be read: (name, why).
    pub unreadable: Vec<(String, String)>,
}

/// Runs of one suite, normaliser, alignment weights and seed.
#[derive(Debug, Clone)]
pub struct HistoryGroup {
    /// Suite name.
    pub suite: String,
    /// Normaliser id.
    pub normalizer: String,
    /// Alignment weights.
    pub weights: String,
    /// Seed.
    pub seed: u64,
    /// Branch by branch, the one with most runs first.
    pub branches: Vec<BranchHistory>,
}

/// Runs of one branch.
#[derive(Debug, Clone)]
pub struct BranchHistory {
    /// Branch name; `unknown` where runs do not tell.
    pub branch: String,
    /// In order of time.
    pub runs: Vec<HistoryRun>,
    /// Accuracy: metric by metric, the headline first; within it all cells first, then condition by condition; within
    /// that model by model.
    pub accuracy: Vec<HistorySeries>,
    /// Real-time factor, model by model.
    pub times: Vec<HistorySeries>,
    /// What each run's models were, in the order of [`BranchHistory::runs`].
    pub models: Vec<Vec<HistoryModel>>,
}

/// What a model of a run was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryModel {
    /// Its name.
    pub name: String,
    /// Its specification, e.g. `whisper:tiny.en`; empty where the run does not tell.
    pub spec: String,
    /// SHA-256 of its weights, where it has some.
    pub weights_sha256: Option<String>,
}

impl HistoryModel {
    /// `whisper:tiny.en, weights 0123456789ab`.
    fn words(&self) -> String {
        let weights: Option<String> = self.weights_sha256.as_ref().map(|h| h.chars().take(12).collect());
        let weights = weights.map_or_else(String::new, |h| format!(", weights {h}"));
        visible(&format!("{}{weights}", if self.spec.is_empty() { "not recorded" } else { &self.spec }))
    }
}

impl BranchHistory {
    fn model(&self, run: usize, name: &str) -> Option<&HistoryModel> {
        self.models.get(run)?.iter().find(|m| m.name == name)
    }

    /// What became of a model between a run and the last one before it that has the model, in words; nothing where it is
    /// the same.
    fn changed_model(&self, run: usize, name: &str) -> Option<String> {
        let after = self.model(run, name)?;
        let before = (0..run).rev().find_map(|r| self.model(r, name))?;
        let same = before.spec == after.spec && before.weights_sha256 == after.weights_sha256;
        (!same).then(|| format!("{} → {}", before.words(), after.words()))
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct HistoryRun {
    /// Its folder's name.
    pub name: String,
    /// When it began, `2026-11-21T04:00:00Z`.
    pub created: String,
    /// Commit, when recorded.
    pub commit: Option<String>,
    /// Cells with a hypothesis, and cells planned.
    pub done: usize,
    /// Cells planned.
    pub planned: usize,
    /// Where its report lies, relative to the page, when it lies beside it.
    pub report: Option<String>,
}

/// One metric of one model over the runs of a branch.
#[derive(Debug, Clone)]
pub struct HistorySeries {
    /// Model name.
    pub model: String,
    /// `WER`, `CER` or `RTF`.
    pub metric: &'static str,
    /// One condition, or all.
    pub condition: Option<String>,
    /// Per run; nothing where the run has no such model or condition.
    pub points: Vec<Option<HistoryPoint>>,
    /// Where it changed; nothing for times, which are not tested.
    pub changes: Option<ChangePoints>,
}

/// One run in a series.
#[derive(Debug, Clone)]
pub struct HistoryPoint {
    /// The value with its interval.
    pub estimate: Estimate,
    /// Scored cells.
    pub cells: usize,
}

impl HistorySeries {
    fn style(&self) -> NumberStyle {
        if self.metric == "RTF" { format::FACTOR } else { format::RATE }
    }

    /// Whether a run has fewer cells than the fullest one.
    fn partial(&self, point: &HistoryPoint) -> bool {
        self.points.iter().flatten().any(|p| p.cells > point.cells)
    }
}

#[derive(Debug, Serialize)]
struct GroupView {
    title: String,
    suite: String,
    normalizer: String,
    weights: String,
    seed: u64,
    branches: Vec<BranchView>,
}

#[derive(Debug, Serialize)]
struct BranchView {
    id: String,
    branch: String,
    runs_total: String,
    models: Vec<String>,
    /// What each model is, stretch of runs by stretch.
    specs: Vec<String>,
    metric: String,
    changes: Vec<ChangeView>,
    remarks: Vec<String>,
    rows: Vec<RunView>,
    times: Vec<RunView>,
}

#[derive(Debug, Serialize)]
struct ChangeView {
    worse: bool,
    what: String,
    run: String,
    commit: String,
    before: String,
    after: String,
    difference: String,
    interval: String,
    p: String,
    /// What became of the model there.
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct RunView {
    name: String,
    report: Option<String>,
    created: String,
    commit: String,
    cells: String,
    incomplete: bool,
    /// Per model: value and interval.
    values: Vec<(String, String)>,
    changed: bool,
}

/// `2026-11-21 04:00` of a time stamp.
pub(crate) fn minute(created: &str) -> String {
    let text = visible(created);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) if text.is_ascii() => format!("{day} {time}"),
        _ => format::shortened(&text, 24),
    }
}

/// `11-21` of a time stamp, for an axis.
pub(crate) fn day(created: &str) -> String {
    let text = visible(created);
    if text.is_ascii() { text.get(5..10).unwrap_or(&text).to_owned() } else { String::new() }
}

/// The labels of runs on an axis: the day, with the hour where two runs share a day.
fn days(runs: &[HistoryRun]) -> Vec<String> {
    let days: Vec<String> = runs.iter().map(|r| day(&r.created)).collect();
    let shared = days.windows(2).any(|pair| pair[0] == pair[1] && !pair[0].is_empty());
    let hour = |run: &HistoryRun| minute(&run.created).get(5..).map_or_else(|| day(&run.created), str::to_owned);
    if shared { runs.iter().map(hour).collect() } else { days }
}

pub(crate) fn commit(run: &HistoryRun) -> String {
    run.commit.as_deref().map_or_else(|| "–".to_owned(), |c| visible(c).chars().take(8).collect())
}

fn change_view(branch: &BranchHistory, series: &HistorySeries, change: &Change) -> ChangeView {
    let run = &branch.runs[change.run];
    let of = series.condition.as_deref().map_or_else(String::new, |c| format!(", {}", visible(c)));
    let interval = format::usable_interval(&change.difference);
    ChangeView {
        worse: change.difference.value > 0.0,
        what: format!("{} of {}{of}", series.metric, visible(&series.model)),
        run: format!("{}, {}", text(&run.name), minute(&run.created)),
        commit: commit(run),
        before: format::RATE.number(change.before),
        after: format::RATE.number(change.after),
        difference: format::POINTS.number(change.difference.value),
        interval: interval.map_or_else(visible, |i| format::POINTS.interval(i.lo, i.hi)),
        p: p_in_words(change.p_adjusted),
        model: branch.changed_model(change.run, &series.model),
    }
}

/// What the models of a branch are: once where a model stayed the same, else at every run that changed it.
fn specs(branch: &BranchHistory) -> Vec<String> {
    let mut specs = Vec::new();
    for series in headline(branch) {
        let name = &series.model;
        let first = (0..branch.runs.len()).find_map(|r| Some((r, branch.model(r, name)?)));
        let Some((at, first)) = first else { continue };
        specs.push(format!("{}: {}.", visible(name), first.words()));
        for run in at + 1..branch.runs.len() {
            if let Some(change) = branch.changed_model(run, name) {
                specs.push(format!("{}: {change} since {}.", visible(name), text(&branch.runs[run].name)));
            }
        }
    }
    specs
}

fn series_changes(series: &HistorySeries) -> &[Change] {
    series.changes.as_ref().map_or(&[], |c| &c.changes)
}

/// The headline metric over all cells.
fn headline(branch: &BranchHistory) -> Vec<&HistorySeries> {
    let first = branch.accuracy.first().map(|s| s.metric);
    branch.accuracy.iter().filter(|s| Some(s.metric) == first && s.condition.is_none()).collect()
}

fn remarks(branch: &BranchHistory) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for series in headline(branch) {
        let Some(found) = &series.changes else { continue };
        let model = visible(&series.model);
        if let Some(reason) = &found.reason {
            list.push(format!("{model}: no changes are looked for: {reason}."));
        } else if let Some((unit, n)) = found.clusters {
            let s = |n: usize| if n == 1 { "" } else { "s" };
            let some = match found.changes.len() {
                0 => "no change of all cells together is found".to_owned(),
                n => format!("{n} change{} of all cells together {} found", s(n), if n == 1 { "is" } else { "are" }),
            };
            list.push(format!(
                "{model}: {some} in {} runs, over {} cell{} that all of them share, {n} {unit}{}.",
                found.used.len(),
                count(found.cells as u64),
                s(found.cells),
                s(n)
            ));
        }
        let conditions = changed_conditions(branch, series);
        if !conditions.is_empty() {
            list.push(format!("{model}: single conditions changed: {}.", conditions.join(", ")));
        }
        if !found.left_out.is_empty() {
            let n = found.left_out.len();
            let (runs, take) = if n == 1 { ("run", "takes") } else { ("runs", "take") };
            list.push(format!("{model}: {n} {runs} with too few cells {take} no part."));
        }
    }
    list
}

/// `clean (better since run-7)`: the conditions in which the model of a headline series changed, each with its last change.
fn changed_conditions(branch: &BranchHistory, headline: &HistorySeries) -> Vec<String> {
    let same = |s: &&HistorySeries| s.metric == headline.metric && s.model == headline.model;
    let one = |s: &HistorySeries| {
        let (condition, last) = (s.condition.as_ref()?, series_changes(s).last()?);
        let way = if last.difference.value > 0.0 { "worse" } else { "better" };
        Some(format!("{} ({way} since {})", visible(condition), text(&branch.runs[last.run].name)))
    };
    branch.accuracy.iter().filter(same).filter_map(one).collect()
}

fn run_views(branch: &BranchHistory, series: &[&HistorySeries]) -> Vec<RunView> {
    let value = |s: &HistorySeries, i: usize| {
        s.points[i].as_ref().map_or_else(
            || ("–".to_owned(), String::new()),
            |p| {
                let interval = format::usable_interval(&p.estimate);
                let shown = interval.map_or_else(|_| "no interval".to_owned(), |i| s.style().interval(i.lo, i.hi));
                (s.style().number(p.estimate.value), shown)
            },
        )
    };
    let one = |(i, run): (usize, &HistoryRun)| RunView {
        name: text(&run.name),
        report: run.report.clone(),
        created: minute(&run.created),
        commit: commit(run),
        cells: if run.done == run.planned {
            count(run.done as u64)
        } else {
            format!("{} of {}", count(run.done as u64), count(run.planned as u64))
        },
        incomplete: run.done != run.planned,
        values: series.iter().map(|s| value(s, i)).collect(),
        changed: series.iter().any(|s| series_changes(s).iter().any(|c| c.run == i)),
    };
    let mut rows: Vec<RunView> = branch.runs.iter().enumerate().map(one).collect();
    // The latest run is what people look for.
    rows.reverse();
    rows
}

fn branch_view(branch: &BranchHistory, id: String) -> BranchView {
    let main = headline(branch);
    let all = branch.accuracy.iter().filter(|s| s.condition.is_none());
    let changes = all.flat_map(|s| series_changes(s).iter().map(|c| change_view(branch, s, c))).collect();
    BranchView {
        id,
        branch: visible(&branch.branch),
        runs_total: count(branch.runs.len() as u64),
        models: main.iter().map(|s| visible(&s.model)).collect(),
        specs: specs(branch),
        metric: main.first().map_or_else(String::new, |s| s.metric.to_owned()),
        changes,
        remarks: remarks(branch),
        rows: run_views(branch, &main),
        times: if branch.times.is_empty() {
            Vec::new()
        } else {
            run_views(branch, &branch.times.iter().collect::<Vec<_>>())
        },
    }
}

fn group_title(group: &HistoryGroup) -> String {
    visible(&group.suite)
}

fn views(input: &HistoryInput) -> Vec<GroupView> {
    let mut id = 0;
    let mut next = || {
        id += 1;
        format!("history-{id}")
    };
    let view = |group: &HistoryGroup| GroupView {
        title: group_title(group),
        suite: visible(&group.suite),
        normalizer: visible(&group.normalizer),
        weights: visible(&group.weights),
        seed: group.seed,
        branches: group.branches.iter().map(|b| branch_view(b, next())).collect(),
    };
    input.groups.iter().map(view).collect()
}

/// A figure of one metric and condition of a branch, with its file name.
struct Drawing {
    name: String,
    condition: Option<String>,
    plot: TimelinePlot,
}

impl Drawing {
    fn inline(&self) -> Result<Value, ReportError> {
        let p = &self.plot;
        Ok(html::plot(&p.title, &themed(p, &self.name, &p.title, &p.describe())?))
    }
}

fn drawing(branch: &BranchHistory, series: &[&HistorySeries], prefix: &str) -> Option<Drawing> {
    let first = series.first()?;
    let from = branch.runs.len().saturating_sub(DRAWN_RUNS);
    let estimates: Vec<&Estimate> =
        series.iter().flat_map(|s| &s.points[from..]).flatten().map(|p| &p.estimate).collect();
    let mut subtitle = format!("Runs in order of time, evenly spaced. {}", subtitle_of(&estimates));
    let unfinished = |i: usize| branch.runs.get(i).is_some_and(|r| r.done < r.planned);
    let partial = |s: &HistorySeries, i: usize, p: &HistoryPoint| s.partial(p) || unfinished(i);
    let numbered = |s: &&'_ HistorySeries| -> bool {
        (from..s.points.len()).any(|i| s.points[i].as_ref().is_some_and(|p| partial(s, i, p)))
    };
    if series.iter().any(numbered) {
        subtitle += " Open marker: no interval, or fewer cells than planned or than in other runs.";
    }
    if series.iter().any(|s| !series_changes(s).is_empty()) {
        subtitle += " Dashed line: a change, up is worse.";
    }
    if from > 0 {
        subtitle += &format!(" The last {DRAWN_RUNS} runs; the table has all.");
    }
    let style = first.style();
    let point = |s: &HistorySeries, i: usize, p: &HistoryPoint| TimelinePoint {
        point: point_of(&p.estimate, style),
        partial: partial(s, i, p),
    };
    let change = |c: &Change| TimelineChange {
        run: c.run.saturating_sub(from),
        worse: c.difference.value > 0.0,
        text: format!("{} points", format::POINTS.number(c.difference.value)),
    };
    let line = |s: &&HistorySeries| TimelineSeries {
        name: visible(&s.model),
        points: (from..s.points.len()).map(|i| s.points[i].as_ref().map(|p| point(s, i, p))).collect(),
        changes: series_changes(s).iter().filter(|c| c.run > from).map(change).collect(),
    };
    let long = match first.metric {
        "WER" => "Word error rate",
        "CER" => "Character error rate",
        _ => "Real-time factor",
    };
    let of = first.condition.as_deref().map_or_else(String::new, |c| format!(", {}", visible(c)));
    let unit = if first.metric == "RTF" { "lower is faster" } else { "%, lower is better" };
    let slug: String = of.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let part = if slug.is_empty() { String::new() } else { format!("-{slug}") };
    Some(Drawing {
        name: format!("{prefix}-{}{part}", first.metric.to_lowercase()),
        condition: first.condition.clone(),
        plot: TimelinePlot {
            title: format!("{long} over time{of}"),
            subtitle,
            axis: format!("{} ({unit})", first.metric),
            runs: days(&branch.runs[from..]).into_iter().zip(branch.runs[from..].iter().map(commit)).collect(),
            series: series.iter().take(MAX_SERIES).map(line).collect(),
        },
    })
}

/// Figures of a branch: all cells first, then condition by condition, then times.
fn branch_drawings(branch: &BranchHistory, prefix: &str) -> (Vec<Drawing>, Vec<Drawing>) {
    let mut groups: Vec<Vec<&HistorySeries>> = Vec::new();
    for series in &branch.accuracy {
        let same = |g: &&mut Vec<&HistorySeries>| {
            g.first().is_some_and(|s| s.metric == series.metric && s.condition == series.condition)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(series),
            None => groups.push(vec![series]),
        }
    }
    let draw = |(i, group): (usize, &Vec<&HistorySeries>)| {
        // Two condition names may have one slug: the number keeps their files apart.
        let mut drawn = drawing(branch, group, prefix)?;
        if drawn.condition.is_some() {
            drawn.name += &format!("-{i}");
        }
        Some(drawn)
    };
    let accuracy = groups.iter().enumerate().filter_map(draw).collect();
    let times: Vec<&HistorySeries> = branch.times.iter().collect();
    (accuracy, drawing(branch, &times, prefix).into_iter().collect())
}

fn prefixes(input: &HistoryInput) -> Vec<(&BranchHistory, String)> {
    let branches = input.groups.iter().flat_map(|g| &g.branches);
    branches.enumerate().map(|(i, b)| (b, format!("history-{}", i + 1))).collect()
}

/// PNG and SVG of every figure of the page, branch by branch.
///
/// # Errors
///
/// A broken build, never the data.
pub fn history_figures(input: &HistoryInput, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    // As many of single conditions as the page has.
    let mut room = CONDITION_FIGURES;
    let drawn = prefixes(input).into_iter().flat_map(|(branch, prefix)| {
        let (accuracy, times) = branch_drawings(branch, &prefix);
        let mut fits = |d: &Drawing| {
            let fits = d.condition.is_none() || room > 0;
            room -= usize::from(fits && d.condition.is_some());
            fits
        };
        let accuracy: Vec<Drawing> = accuracy.into_iter().filter(|d| fits(d)).collect();
        accuracy.into_iter().chain(times).collect::<Vec<_>>()
    });
    let drawn: Vec<Drawing> = drawn.collect();
    let finished = |d: &Drawing| finish(&d.plot, &d.name, &d.plot.title, d.plot.describe(), palette);
    let mut all: Vec<Figure> = drawn.par_iter().map(finished).collect::<Result<_, _>>()?;
    all.extend(bench_history::figures(&input.benches, palette)?);
    Ok(all)
}

/// The history as one HTML file.
///
/// # Errors
///
/// A broken build, never the data.
pub fn history_html(input: &HistoryInput) -> Result<String, ReportError> {
    let (mut main, mut by_condition, mut times) = (Vec::new(), Vec::new(), Vec::new());
    let (mut room, mut left_out) = (CONDITION_FIGURES, 0);
    for (branch, prefix) in prefixes(input) {
        let (accuracy, of_time) = branch_drawings(branch, &prefix);
        let (single, all): (Vec<Drawing>, Vec<Drawing>) = accuracy.into_iter().partition(|d| d.condition.is_some());
        main.push(all.iter().map(Drawing::inline).collect::<Result<Vec<_>, _>>()?);
        times.push(of_time.iter().map(Drawing::inline).collect::<Result<Vec<_>, _>>()?);
        let shown = single.len().min(room);
        (room, left_out) = (room - shown, left_out + single.len() - shown);
        let one = |d: &Drawing| -> Result<Value, ReportError> {
            let name = visible(d.condition.as_deref().unwrap_or_default());
            let changes = d.plot.series.iter().map(|s| s.changes.len()).sum::<usize>();
            Ok(context! { condition => name, figure => d.inline()?, changes => changes })
        };
        by_condition.push(single[..shown].iter().map(one).collect::<Result<Vec<_>, _>>()?);
    }
    let runs: usize = input.groups.iter().flat_map(|g| &g.branches).map(|b| b.runs.len()).sum();
    let runs = runs + input.benches.iter().map(|b| b.runs.len()).sum::<usize>();
    let context = context! {
        groups => Value::from(Serde(views(input))),
        runs_total => count(runs as u64),
        figures => main,
        condition_figures => by_condition,
        condition_figures_left_out => left_out,
        time_figures => times,
        benches => bench_history::page_values(&input.benches)?,
        unreadable => input.unreadable.iter().map(|(n, why)| (text(n), text(why))).collect::<Vec<_>>(),
        methods => METHODS,
        block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
        block_end => Value::from_safe_string(BLOCK_END.to_owned()),
    };
    let title = match input.groups.as_slice() {
        [only] => group_title(only),
        [] => "Latency".to_owned(),
        several => format!("{} kinds of runs", several.len()),
    };
    Page { kind: PageKind::History, title, media: Media::Embedded, data: Vec::new(), context }.render()
}

/// How changes are found; shown on the page and in Markdown.
const METHODS: [&str; 5] = [
    "Runs stand together when suite, normaliser, alignment weights and seed are the same; everything else is a group of its \
     own, and branches are never mixed.",
    "Changes: binary segmentation. At every boundary between two runs each speaker (session, utterance) has one difference, \
     its errors after less before as means over runs, over the cells that all runs have with the same reference and audio. \
     The cluster sign-flip test gives p; the smallest p times the number of boundaries must be at most 0.05; then both sides \
     are looked at again.",
    "The difference of a change is between the stretch of runs up to the neighbouring changes before and behind it, with a \
     paired 95 % interval.",
    "Times of suite runs have no change points: a busy machine slows all speakers at once, which the test cannot tell from a \
     slower model.",
    "Shifts of the latency of bench runs: binary segmentation of the logarithms of p50 with runs as units. At 0.05 the largest \
     step of cumulative sums is compared with that of the runs in random orders; eight runs of one model, setting, machine and \
     branch are the fewest.",
];

/// The history as JSON (`vbench/history/1`).
///
/// ```text
/// {"schema", "groups": [{"suite", "normalizer", "weights", "seed", "branches": [{"branch", "runs": [{"name", "created",
///  "commit"?, "done", "planned", "models": [{"name", "spec", "weights_sha256"?}]}], "series": [{"model", "metric", "condition"?, "points": [{"run", "cells",
///  "estimate": Estimate}], "changes"?: [{"run", "before", "after", "difference": Estimate, "p_adjusted"}],
///  "reason"?}]}]}], "benches": [{"model", "setting", "machine", "branch", "runs": [{"name", "created", "commit", "answered",
///  "requests", "void"}], "percentiles": [{"percentile", "points": [{"run", "value", "lo", "hi", …}]}], "shifts": [{"run",
///  "before_ms", "after_ms", "p"}], "reason"}], "unreadable": [{"name", "reason"}]}
/// ```
#[must_use]
pub fn history_json(input: &HistoryInput) -> serde_json::Value {
    let branch = |b: &BranchHistory| {
        let series: Vec<serde_json::Value> = b.accuracy.iter().chain(&b.times).map(series_json).collect();
        json!({
            "branch": b.branch,
            "runs": b.runs.iter().enumerate().map(|(i, r)| run_json(r, b.models.get(i))).collect::<Vec<_>>(),
            "series": series,
        })
    };
    let group = |g: &HistoryGroup| {
        json!({
            "suite": g.suite,
            "normalizer": g.normalizer,
            "weights": g.weights,
            "seed": g.seed,
            "branches": g.branches.iter().map(branch).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": HISTORY_SCHEMA,
        "groups": input.groups.iter().map(group).collect::<Vec<_>>(),
        "benches": input.benches.iter().map(bench_history::json).collect::<Vec<_>>(),
        "unreadable": input.unreadable.iter().map(|(n, why)| json!({"name": n, "reason": why})).collect::<Vec<_>>(),
    })
}

fn run_json(run: &HistoryRun, models: Option<&Vec<HistoryModel>>) -> serde_json::Value {
    let mut out = json!({"name": run.name, "created": run.created, "done": run.done, "planned": run.planned});
    if let Some(commit) = &run.commit {
        out["commit"] = commit.clone().into();
    }
    let model = |m: &HistoryModel| {
        let mut out = json!({"name": m.name, "spec": m.spec});
        if let Some(hash) = &m.weights_sha256 {
            out["weights_sha256"] = hash.clone().into();
        }
        out
    };
    out["models"] = models.into_iter().flatten().map(model).collect();
    out
}

fn series_json(s: &HistorySeries) -> serde_json::Value {
    let mut out = Map::new();
    out.insert("model".into(), s.model.clone().into());
    out.insert("metric".into(), s.metric.to_lowercase().into());
    if let Some(condition) = &s.condition {
        out.insert("condition".into(), condition.clone().into());
    }
    let points = s.points.iter().enumerate().filter_map(|(run, p)| {
        let p = p.as_ref()?;
        Some(json!({"run": run, "cells": p.cells, "estimate": estimate_json(&p.estimate)}))
    });
    out.insert("points".into(), points.collect());
    if let Some(found) = &s.changes {
        let change = |c: &Change| {
            let mut out = Map::new();
            out.insert("run".into(), c.run.into());
            insert_number(&mut out, "before", c.before);
            insert_number(&mut out, "after", c.after);
            out.insert("difference".into(), estimate_json(&c.difference));
            insert_number(&mut out, "p_adjusted", c.p_adjusted);
            serde_json::Value::from(out)
        };
        out.insert("changes".into(), found.changes.iter().map(change).collect());
        if let Some(reason) = &found.reason {
            out.insert("reason".into(), reason.clone().into());
        }
    }
    out.into()
}

/// The history as Markdown, at most [`MAX_CHARS`] characters. Figures are linked as files of the extension that is written
/// beside it, `svg` or `png`; not at all without one.
#[must_use]
pub fn history_markdown(input: &HistoryInput, figures: Option<&str>) -> String {
    let mut out = String::from("# History\n");
    let mut block = String::from("\n## Timings\n");
    for group in views(input) {
        out += &format!(
            "\n## {}\n\nnormaliser {}, alignment weights {}, seed {}\n",
            inline(&group.suite),
            group.normalizer,
            group.weights,
            group.seed
        );
        for branch in &group.branches {
            out += &format!("\n### branch {}, {}\n\n", inline(&branch.branch), runs_in_words(&branch.runs_total));
            for c in &branch.changes {
                let model =
                    c.model.as_ref().map_or_else(String::new, |m| format!("; the model changed: {}", inline(m)));
                out += &format!(
                    "- **{}** {} -> {} %: {} points {}, {}, since {} (commit {}){model}\n",
                    inline(&c.what),
                    c.before,
                    c.after,
                    c.difference,
                    inline(&c.interval),
                    c.p,
                    inline(&c.run),
                    inline(&c.commit)
                );
            }
            for remark in branch.remarks.iter().chain(&branch.specs) {
                out += &format!("- {}\n", inline(remark));
            }
            if let Some(extension) = figures.filter(|_| !branch.metric.is_empty()) {
                let (metric, name) = (&branch.metric, inline(&branch.branch));
                let file = format!("{}-{}.{extension}", branch.id, metric.to_lowercase());
                out += &format!("\n![{metric} over time, branch {name}](figures/{file})\n");
            }
            out += &markdown_runs(&branch.rows, &branch.models, &format!("{} %", branch.metric));
            if !branch.times.is_empty() {
                block += &format!("\n### {}, branch {}\n", inline(&group.suite), inline(&branch.branch));
                block += &markdown_runs(&branch.times, &branch.models, "RTF");
            }
        }
    }
    block += &bench_history::markdown(&input.benches, figures);
    for (name, why) in &input.unreadable {
        out += &format!("\n- not read: {}: {}\n", inline(&text(name)), inline(&text(why)));
    }
    out += "\n## How changes are found\n\n";
    for method in METHODS {
        out += &format!("- {}\n", inline(method));
    }
    cut(&mut block, MAX_CHARS / 4);
    let room = MAX_CHARS.saturating_sub(block.chars().count() + 200);
    cut(&mut out, room);
    format!("{out}\n{BLOCK_BEGIN}\n{block}\n{BLOCK_END}\n")
}

fn runs_in_words(total: &str) -> String {
    format!("{total} run{}", if total == "1" { "" } else { "s" })
}

fn cut(out: &mut String, room: usize) {
    if let Some((end, _)) = out.char_indices().nth(room) {
        out.truncate(end);
        *out += "\n\n_The rest is cut; history.html has it._\n";
    }
}

fn markdown_runs(rows: &[RunView], models: &[String], metric: &str) -> String {
    let mut out = String::from("\n| run | began | commit | cells |");
    for model in models {
        out += &format!(" {metric}, {} |", inline(model));
    }
    out += &format!("\n| --- | --- | --- | ---: |{}\n", " ---: |".repeat(models.len()));
    for r in rows.iter().take(MARKDOWN_RUNS) {
        out += &format!("| {} | {} | {} | {} |", inline(&r.name), inline(&r.created), inline(&r.commit), r.cells);
        for (value, interval) in &r.values {
            out += &format!(" {value} {interval} |");
        }
        out.push('\n');
    }
    if rows.len() > MARKDOWN_RUNS {
        out += &format!("\n_{} older runs are left out; history.html has them._\n", rows.len() - MARKDOWN_RUNS);
    }
    out
}
