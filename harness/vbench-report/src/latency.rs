//! A bench run as a page, Markdown, JUnit, CSV, annotations and figures.
//!
//! ```text
//! latency/figures.rs  what is drawn
//! latency/sections.rs the page: verdict, headline numbers, sections in order
//! latency/parts.rs   sections on budgets, stages, streams, load, sweeps, resources
//! latency/ci.rs       JUnit, annotations, CSV of the requests
//! ```
//!
//! Every number is computed by `vbench-load`, from the trace of the run.

mod ci;
pub(crate) mod figures;
mod parts;
mod sections;

use vbench_load::{Check, Ns, Picture, Scenario, TailValue};

use crate::analysis::duration;
use crate::bench::BenchView;
use crate::document::Document;
use crate::error::ReportError;
use crate::figures::Figure;
use crate::page::PageKind;
use crate::palette::Palette;

pub use ci::{REQUEST_COLUMNS, bench_annotations, bench_junit, requests_csv};

/// What the report of a bench is made of: values only, all computed elsewhere.
#[derive(Debug, Clone)]
pub struct BenchReport<'a> {
    /// The numbers of the run.
    pub view: &'a BenchView<'a>,
    /// The numbers of the figures.
    pub picture: &'a Picture,
    /// What can be doubted about the run, judged.
    pub checks: &'a [Check],
    /// How the run was made: (name, value), without paths of the machine.
    pub provenance: &'a [(String, String)],
}

/// The report as one HTML file.
///
/// # Errors
///
/// A broken build, never the data.
pub fn bench_html(report: &BenchReport<'_>) -> Result<String, ReportError> {
    document(report).html(PageKind::Bench)
}

/// The report as Markdown, at most [`crate::markdown::MAX_CHARS`] characters; with figures for a folder, without for a step
/// summary.
#[must_use]
pub fn bench_markdown(report: &BenchReport<'_>, figures: bool) -> String {
    document(report).markdown(figures)
}

/// PNG and SVG of every figure in a palette of [`crate::palette`].
///
/// # Errors
///
/// A broken build, never the data.
pub fn bench_figures(report: &BenchReport<'_>, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    document(report).figures(palette)
}

fn document(report: &BenchReport<'_>) -> Document {
    sections::document(report)
}

/// A time in words.
pub(crate) fn time(ns: f64) -> String {
    duration(ns * 1e-9)
}

/// A bound of a percentile in words.
pub(crate) fn bound(value: TailValue) -> String {
    match value {
        TailValue::At(ns) => time(ns),
        TailValue::AtLeast(ns) => format!("≥ {}", time(ns)),
    }
}

/// What the latency of a scenario is.
pub(crate) fn latency_name(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::SingleStream | Scenario::MultiStream { .. } => "service time (closed loop)",
        Scenario::Paced { .. } => "latency from the end of speech",
        Scenario::Server { .. } | Scenario::Offline => "latency from the time due",
    }
}

/// A scenario with its settings, in words.
#[must_use]
pub fn scenario_words(scenario: Scenario) -> String {
    let ms = |ns: Ns| time(ns as f64);
    match scenario {
        Scenario::SingleStream => "single-stream: one request at a time".into(),
        Scenario::Offline => "offline: everything at once".into(),
        Scenario::MultiStream { streams } => format!("multi-stream: {streams} loops at once"),
        Scenario::Server { rate_hz } => format!("server: Poisson arrivals at {} a second, open loop", short(rate_hz)),
        Scenario::Paced { chunk, streams } => {
            let talkers = if streams == 1 { "one talker".to_owned() } else { format!("{streams} talkers") };
            format!("paced: fed as it is spoken, in chunks of {}, {talkers}", ms(chunk))
        }
    }
}

/// At most three digits behind the point, none that say nothing.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
