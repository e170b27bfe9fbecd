//! A bench as text and JSON.
//!
//! ```text
//! json.rs    bench.json
//! tables.rs  what a terminal shows beside the table of times
//! ```

mod json;
mod tables;

use vbench_load::{
    Band, BenchSummary, BudgetVerdict, EARLY_STOPPING_CONFIDENCE, LEVEL, LoadError, LoadSearch, Ns, PERCENTILES,
    Resources, Scenario, SweepSummary, Tail, TailValue, too_short,
};

use crate::format;
use crate::grid::Grid;

pub use json::{bench_json, budgets_json};
pub(crate) use json::{distribution, percentile};
pub use tables::budgets_text;

/// A bench with what is to be said about it.
#[derive(Debug, Clone)]
pub struct BenchView<'a> {
    /// The numbers.
    pub summary: &'a BenchSummary,
    /// The model's specification.
    pub model: &'a str,
    /// What a latency spans, in words.
    pub boundary: &'a str,
    /// Opening the model, ns; absent on a simulated clock.
    pub open: Option<Ns>,
    /// The first request ever, before any warm-up, ns.
    pub cold: Option<Ns>,
    /// Requests before the measured ones.
    pub warm_up: usize,
    /// Budgets judged.
    pub budgets: &'a [BudgetVerdict],
    /// Waits by experience band.
    pub bands: &'a [Band],
    /// The search for the largest rate, if one was made.
    pub search: Option<&'a LoadSearch>,
    /// What was varied from clip to clip, if anything.
    pub sweep: Option<&'a SweepSummary>,
    /// What was used beside time; absent on a simulated clock.
    pub resources: Option<&'a Resources>,
    /// Facts on how it was made: (name, value).
    pub facts: &'a [(String, String)],
}

/// The bench for a terminal.
#[must_use]
pub fn bench_text(view: &BenchView<'_>) -> String {
    let s = view.summary;
    let c = s.counts;
    let mut out = format!("{}, scenario {}{}\n", view.model, s.plan.scenario.name(), settings(s.plan.scenario));
    if let Some(reason) = &s.voided {
        out += &format!("VOID: {reason}\n");
    }
    if let Some(why) = too_short(s) {
        out += &format!("TOO SHORT: {why}\n");
    }
    let share = if c.requests > 0 { c.answered as f64 / c.requests as f64 } else { 0.0 };
    out += &format!(
        "answered {} of {} ({} %)",
        format::count(c.answered as u64),
        format::count(c.requests as u64),
        format::coverage_percent(share)
    );
    for (n, what) in [
        (c.failed, "failed"),
        (c.timed_out, "without an answer in time"),
        (c.impossible, "answered before they were asked"),
        (c.answered_twice, "answered twice"),
        (c.clock_went_back, "with stamps that run backwards"),
        (c.clock_ahead, "stamped ahead of their time"),
        (c.strays, "replies to nobody"),
    ] {
        if n > 0 {
            out += &format!(", {} {what}", format::count(n as u64));
        }
    }
    if let Some(why) = s.why_failed() {
        out += &format!("\nfailed {}", format::visible(&why));
    }
    out += "\n\n";
    out += &times(view).plain();
    out.push('\n');
    out += &rates(view);
    out += &tables::more(view);
    out
}

fn times(view: &BenchView<'_>) -> Grid {
    let s = view.summary;
    let columns: Vec<(&'static str, bool)> = [
        ("ms", false),
        ("n", true),
        ("mean", true),
        ("p50", true),
        ("p90", true),
        ("p95", true),
        ("p99", true),
        ("max", true),
    ]
    .to_vec();
    let mut grid = Grid::new(&columns);
    let name =
        if s.plan.scenario.is_closed_loop() { "service time (closed loop)" } else { "latency from the time due" };
    let name = if matches!(s.plan.scenario, Scenario::Paced { .. }) { "latency from the end of speech" } else { name };
    let rows = [
        (name, Some(&s.latency)),
        ("first partial text", s.first_partial.as_ref()),
        ("final text", s.final_text.as_ref()),
        ("first token of the reply", s.first_token.as_ref()),
        ("first audible sample", s.first_audible.as_ref()),
        ("end to end: what the user waited", s.sound.map(|_| &s.end_to_end)),
        ("barge-in to silence", s.barge_in.as_ref().map(|b| &b.stop)),
        ("sent late (the instrument)", Some(&s.lateness)),
    ];
    for (name, distribution) in rows.into_iter().filter_map(|(name, d)| Some((name, d?))) {
        let mut row = vec![name.to_owned(), format::count(distribution.n as u64)];
        row.push(distribution.mean.map_or_else(|| format::ABSENT.to_owned(), ms));
        row.extend(distribution.tails.iter().map(tail_text));
        let max = distribution.max.map_or_else(|| format::ABSENT.to_owned(), |ns| ms(ns as f64));
        row.push(if distribution.censored > 0 { format!("≥ {}", ms(s.plan.timeout as f64)) } else { max });
        grid.push(row);
    }
    grid
}

fn rates(view: &BenchView<'_>) -> String {
    let s = view.summary;
    let mut out = String::new();
    let mut line = |name: &str, value: String| out += &format!("{name:<24}{value}\n");
    if let Some(hz) = s.offered_hz {
        line("offered", format!("{hz:.2} requests/s"));
    }
    line("answered", format!("{:.2} requests/s, {:.2} s of audio a second (RTFx)", s.answered_hz, s.rtfx));
    if let Some(rtf) = s.rtf {
        line("real-time factor", format!("{rtf:.4} (sum of times over sum of audio)"));
    }
    if let Some(flicker) = s.flicker {
        line("flicker", format!("{flicker:.3} words taken back for each word of the answers"));
    }
    if let Some(ns) = view.open {
        line("opening the model", format!("{} ms", ms(ns as f64)));
    }
    if let Some(ns) = view.cold {
        line("first request (cold)", format!("{} ms, then {} to warm up", ms(ns as f64), view.warm_up));
    }
    line("boundary", view.boundary.to_owned());
    let early: Vec<String> = PERCENTILES
        .iter()
        .zip(&s.latency.early_stopping)
        .filter_map(|(p, ns)| Some(format!("p{p} {} ms", ms((*ns)? as f64))))
        .collect();
    if !early.is_empty() {
        let confidence = 100.0 * EARLY_STOPPING_CONFIDENCE;
        line(
            "early stopping",
            format!("{} (with {confidence:.0} % confidence not more, MLPerf's rule)", early.join(", ")),
        );
    }
    line("intervals", format!("{} %, order statistics over requests", 100.0 * LEVEL));
    out
}

fn settings(scenario: Scenario) -> String {
    match scenario {
        Scenario::SingleStream | Scenario::Offline => String::new(),
        Scenario::MultiStream { streams } => format!(", {streams} streams"),
        Scenario::Server { rate_hz } => format!(", Poisson arrivals at {rate_hz} a second"),
        Scenario::Paced { chunk, streams } => format!(", {streams} streams in chunks of {} ms", ms(chunk as f64)),
    }
}

/// Milliseconds with four figures or so.
fn ms(ns: f64) -> String {
    let value = ns / 1e6;
    match value.abs() {
        v if v < 0.0995 => format!("{value:.4}"),
        v if v < 9.995 => format!("{value:.3}"),
        v if v < 999.5 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn value_text(value: TailValue) -> String {
    match value {
        TailValue::At(ns) => ms(ns),
        TailValue::AtLeast(ns) => format!("≥ {}", ms(ns)),
    }
}

fn tail_text(tail: &Result<Tail, LoadError>) -> String {
    match tail {
        Ok(t) => format!("{} [{}, {}]", value_text(t.value), value_text(t.lo), value_text(t.hi)),
        Err(LoadError::TooFew { needed, .. }) => format!("needs {needed}"),
        Err(_) => format::ABSENT.to_owned(),
    }
}
