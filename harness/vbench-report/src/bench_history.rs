//! Latency of bench runs over time: a part of the history's page, Markdown and JSON.

use minijinja::{Value, context};
use serde_json::json;
use vbench_load::{Tail, TailValue};

use crate::error::ReportError;
use crate::figures::{Figure, finish, themed};
use crate::format::{self, ABSENT, count, p_in_words, visible};
use crate::history::{HistoryRun, commit, day, minute};
use crate::html;
use crate::latency::{bound, time};
use crate::markdown::inline;
use crate::palette::Palette;
use crate::plot::Point;
use crate::timeline::{TimelineChange, TimelinePlot, TimelinePoint, TimelineSeries};
use crate::view::text;

/// Runs in one figure; of more the last ones are drawn, and the table has all.
const DRAWN_RUNS: usize = 120;
/// Rows of a table in Markdown.
const MARKDOWN_RUNS: usize = 60;

/// Bench runs that can be compared: one model, scenario, condition, machine and branch.
#[derive(Debug, Clone)]
pub struct BenchHistory {
    /// The model's specification.
    pub model: String,
    /// Scenario with its settings, condition, number of clips.
    pub setting: String,
    /// Processor and cores.
    pub machine: String,
    /// Branch name; `unknown` where runs do not tell.
    pub branch: String,
    /// In order of time; requests answered and sent.
    pub runs: Vec<HistoryRun>,
    /// Percentiles of the latency: (99 for p99, run by run; nothing for a void run and where requests were too few).
    pub percentiles: Vec<(f64, Vec<Option<Tail>>)>,
    /// Runs that do not count.
    pub voided: Vec<bool>,
    /// Runs looked at for shifts of the first percentile.
    pub used: usize,
    /// Shifts of the first percentile; or why none could be looked for.
    pub shifts: Result<Vec<LatencyShift>, String>,
}

/// A shift of a percentile between two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyShift {
    /// Index of the first run behind it.
    pub run: usize,
    /// Geometric mean of the runs since the shift before, ns.
    pub before: f64,
    /// Of those up to the next one, ns.
    pub after: f64,
    /// p of the permutation test.
    pub p: f64,
}

fn value(tail: &Tail) -> f64 {
    match tail.value {
        TailValue::At(ns) | TailValue::AtLeast(ns) => ns,
    }
}

fn change_words(before: f64, after: f64) -> String {
    let style = format::NumberStyle { scale: 100.0, decimals: 1, signed: true };
    format!("{} %", style.number(after / before - 1.0))
}

fn plot(b: &BenchHistory) -> TimelinePlot {
    let from = b.runs.len().saturating_sub(DRAWN_RUNS);
    let end = b.percentiles.iter().flat_map(|(_, points)| &points[from..]).flatten().map(value).fold(0.0, f64::max);
    let scale = crate::analysis::TimeScale::covering(end * 1e-9);
    let of = |ns: f64| scale.of_s(ns * 1e-9);
    let point = |t: &Tail| {
        let interval = match (t.lo, t.hi) {
            (TailValue::At(lo), TailValue::At(hi)) => Some((of(lo), of(hi))),
            _ => None,
        };
        let text = format!("{} [{}, {}]", bound(t.value), bound(t.lo), bound(t.hi));
        TimelinePoint { point: Point { value: Some(of(value(t))), interval, text }, partial: false }
    };
    let change = |s: &LatencyShift| TimelineChange {
        run: s.run.saturating_sub(from),
        worse: s.after > s.before,
        text: change_words(s.before, s.after),
    };
    let line = |(i, (p, points)): (usize, &(f64, Vec<Option<Tail>>))| TimelineSeries {
        name: format!("p{p}"),
        points: points[from..].iter().map(|p| p.as_ref().map(point)).collect(),
        changes: b.shifts.iter().flatten().filter(|s| i == 0 && s.run > from).map(change).collect(),
    };
    TimelinePlot {
        title: "Latency over time".into(),
        subtitle: "Runs in order of time, evenly spaced. Whisker: 95 % order-statistic interval over requests. Dashed line: a \
                   shift of p50, up is slower."
            .into(),
        axis: format!("latency ({}), lower is faster", scale.unit()),
        runs: b.runs[from..].iter().map(|r| (day(&r.created), commit(r))).collect(),
        series: b.percentiles.iter().enumerate().map(line).collect(),
    }
}

fn name(i: usize) -> String {
    format!("history-latency-{}", i + 1)
}

/// PNG and SVG of every figure.
pub(crate) fn figures(benches: &[BenchHistory], palette: Palette) -> Result<Vec<Figure>, ReportError> {
    let one = |(i, b): (usize, &BenchHistory)| {
        let plot = plot(b);
        finish(&plot, &name(i), &plot.title, plot.describe(), palette)
    };
    benches.iter().enumerate().map(one).collect()
}

/// Sentences on shifts, then on what was left out.
fn sentences(b: &BenchHistory) -> (Vec<(bool, String)>, Vec<String>) {
    let mut remarks = Vec::new();
    let changes = match &b.shifts {
        Err(why) => {
            remarks.push(format!("No shifts are looked for: {}.", visible(why)));
            Vec::new()
        }
        Ok(list) => {
            if list.is_empty() {
                remarks.push(format!("No shift of p50 is found in {} runs.", count(b.used as u64)));
            }
            let one = |s: &LatencyShift| {
                let sentence = format!(
                    "p50 {} → {}, {}, {}, since {} (commit {})",
                    time(s.before),
                    time(s.after),
                    change_words(s.before, s.after),
                    p_in_words(s.p),
                    text(&b.runs[s.run].name),
                    commit(&b.runs[s.run])
                );
                (s.after > s.before, sentence)
            };
            list.iter().map(one).collect()
        }
    };
    let voided = b.voided.iter().filter(|v| **v).count();
    if voided > 0 {
        remarks.push(format!("{} void runs are in the table only.", count(voided as u64)));
    }
    (changes, remarks)
}

fn cells(b: &BenchHistory, run: usize) -> Vec<(String, String)> {
    let one = |(_, points): &(f64, Vec<Option<Tail>>)| match &points[run] {
        Some(t) => (bound(t.value), format!("[{}, {}]", bound(t.lo), bound(t.hi))),
        None => (if b.voided[run] { "void".into() } else { ABSENT.into() }, String::new()),
    };
    b.percentiles.iter().map(one).collect()
}

/// What the page shows of them.
pub(crate) fn page_values(benches: &[BenchHistory]) -> Result<Vec<Value>, ReportError> {
    let one = |(i, b): (usize, &BenchHistory)| -> Result<Value, ReportError> {
        let plot = plot(b);
        let figure = html::plot(&plot.title, &themed(&plot, &name(i), &plot.title, &plot.describe())?);
        let (changes, remarks) = sentences(b);
        let row = |run: usize| {
            let r = &b.runs[run];
            context! {
                name => text(&r.name), report => r.report.clone(), created => minute(&r.created), commit => commit(r),
                values => cells(b, run), incomplete => r.done != r.planned,
                requests => if r.done == r.planned { count(r.done as u64) } else { format!("{} of {}", count(r.done as u64), count(r.planned as u64)) },
            }
        };
        Ok(context! {
            id => name(i), model => visible(&b.model), setting => visible(&b.setting), machine => visible(&b.machine),
            branch => visible(&b.branch), figure => figure, remarks => remarks,
            changes => changes.into_iter().map(|(worse, sentence)| context! { worse, sentence }).collect::<Vec<_>>(),
            percentiles => b.percentiles.iter().map(|(p, _)| format!("p{p}")).collect::<Vec<_>>(),
            // The latest run is what people look for.
            rows => (0..b.runs.len()).rev().map(row).collect::<Vec<_>>(),
        })
    };
    benches.iter().enumerate().map(one).collect()
}

/// The same for a terminal, a paragraph each: what it is of, what was found, the newest run.
pub(crate) fn paragraphs(benches: &[BenchHistory]) -> Vec<String> {
    let mut all = Vec::new();
    for b in benches {
        all.push(format!("latency of {}, branch {}: {}", visible(&b.model), visible(&b.branch), visible(&b.setting)));
        let (changes, remarks) = sentences(b);
        all.extend(changes.into_iter().map(|(_, s)| s).chain(remarks));
        if let Some(newest) = b.runs.len().checked_sub(1) {
            let named = b.percentiles.iter().map(|(p, _)| p).zip(cells(b, newest));
            let values: Vec<String> = named.map(|(p, (value, interval))| format!("p{p} {value} {interval}")).collect();
            all.push(format!(
                "newest of {}, {}: {}",
                count(b.runs.len() as u64),
                text(&b.runs[newest].name),
                values.join(", ")
            ));
        }
        all.push(String::new());
    }
    all
}

/// The same as Markdown.
pub(crate) fn markdown(benches: &[BenchHistory], figures: Option<&str>) -> String {
    let mut out = String::new();
    for (i, b) in benches.iter().enumerate() {
        out += &format!(
            "\n### Latency of {}, branch {}\n\n{}, {}\n\n",
            inline(&visible(&b.model)),
            inline(&visible(&b.branch)),
            inline(&visible(&b.setting)),
            inline(&visible(&b.machine))
        );
        let (changes, remarks) = sentences(b);
        for sentence in changes.into_iter().map(|(_, s)| s).chain(remarks) {
            out += &format!("- {}\n", inline(&sentence));
        }
        if let Some(extension) = figures {
            let model = inline(&visible(&b.model));
            out += &format!("\n![Latency of {model} over the runs](figures/{}.{extension})\n", name(i));
        }
        out += "\n| run | began | commit | requests |";
        b.percentiles.iter().for_each(|(p, _)| out += &format!(" p{p} |"));
        out += &format!("\n| --- | --- | --- | ---: |{}\n", " ---: |".repeat(b.percentiles.len()));
        for run in (0..b.runs.len()).rev().take(MARKDOWN_RUNS) {
            let r = &b.runs[run];
            out += &format!(
                "| {} | {} | {} | {} |",
                inline(&text(&r.name)),
                minute(&r.created),
                inline(&commit(r)),
                r.done
            );
            for (value, interval) in cells(b, run) {
                out += &format!(" {value} {} |", inline(&interval));
            }
            out.push('\n');
        }
        if b.runs.len() > MARKDOWN_RUNS {
            out += &format!("\n_{} older runs are left out; history.html has them._\n", b.runs.len() - MARKDOWN_RUNS);
        }
    }
    out
}

/// The same as JSON; times in milliseconds.
pub(crate) fn json(b: &BenchHistory) -> serde_json::Value {
    let percentile = |(p, points): &(f64, Vec<Option<Tail>>)| {
        let point = |(run, t): (usize, &Option<Tail>)| {
            let mut out = crate::bench::percentile(*p, &Ok((*t)?));
            out["run"] = run.into();
            Some(out)
        };
        json!({"percentile": p, "points": points.iter().enumerate().filter_map(point).collect::<Vec<_>>()})
    };
    let run = |(r, void): (&HistoryRun, &bool)| json!({"name": r.name, "created": r.created, "commit": r.commit, "answered": r.done, "requests": r.planned, "void": void});
    let shift =
        |s: &LatencyShift| json!({"run": s.run, "before_ms": s.before / 1e6, "after_ms": s.after / 1e6, "p": s.p});
    json!({
        "model": b.model, "setting": b.setting, "machine": b.machine, "branch": b.branch,
        "runs": b.runs.iter().zip(&b.voided).map(run).collect::<Vec<_>>(),
        "percentiles": b.percentiles.iter().map(percentile).collect::<Vec<_>>(),
        "shifts": b.shifts.as_ref().map(|list| list.iter().map(shift).collect::<Vec<_>>()).unwrap_or_default(),
        "reason": b.shifts.as_ref().err(),
    })
}
