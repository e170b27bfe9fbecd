//! Two models by turns: text, schema `vbench/bench-against/1`, the page, Markdown, JUnit and figures.

use serde_json::{Value, json};
use vbench_compare::Finding;
use vbench_load::{AB_ALPHA, AbPicture, AbSummary, AbVerdict, Distribution, Lane, PERCENTILES, Ratio, Scenario};
use vbench_stats::StatsError;

use crate::analysis::plane::{Dot, PlanePlot, Shape};
use crate::analysis::{Sketch, TimeScale, of_differences, of_plane};
use crate::difference_plot::{DifferencePlot, DifferenceRow};
use crate::document::{Cell, Document, Section, State, Table, Tile, fact};
use crate::error::ReportError;
use crate::figures::Figure;
use crate::format::{self, ABSENT, count, p_in_words, visible};
use crate::grid::Grid;
use crate::junit::{TestCase, TestSuite, Verdict, junit_xml};
use crate::latency::figures::{distribution, of_ns};
use crate::latency::{scenario_words, time};
use crate::page::PageKind;
use crate::palette::Palette;
use crate::plot::Point;

/// Schema of [`against_json`].
pub const AGAINST_SCHEMA: &str = "vbench/bench-against/1";

/// What the report of an A/B session is made of: values only, all computed elsewhere.
#[derive(Debug, Clone)]
pub struct AgainstReport<'a> {
    /// Specification of A.
    pub a: &'a str,
    /// Specification of B.
    pub b: &'a str,
    /// What was sent when.
    pub scenario: Scenario,
    /// The numbers of the session.
    pub summary: &'a AbSummary,
    /// The numbers of the figures.
    pub picture: &'a AbPicture,
    /// What fresh processes said, where the session claimed a regression.
    pub fresh: Option<&'a Result<Ratio, StatsError>>,
    /// Why the session does not count.
    pub voided: Option<&'a str>,
    /// Why it ended before it was to.
    pub too_short: Option<String>,
    /// How late requests were sent: the instrument's own error.
    pub lateness: &'a Distribution,
    /// The last word.
    pub verdict: AbVerdict,
    /// Why.
    pub reason: &'a str,
    /// What a latency spans, in words.
    pub boundary: &'a str,
    /// Clips, the clusters of the test.
    pub clips: usize,
    /// Seed of the order.
    pub seed: u64,
    /// How it was made: (name, value), without paths of the machine.
    pub provenance: &'a [(String, String)],
}

fn percent(factor: f64) -> String {
    format::NumberStyle { scale: 100.0, decimals: 1, signed: true }.number(factor - 1.0)
}

fn ends(r: &Ratio) -> String {
    if r.lo > 0.0 && r.hi.is_finite() {
        format!("[{}, {}]", percent(r.lo), percent(r.hi))
    } else {
        "no interval".into()
    }
}

/// A ratio in words: `+10.2 % [+8.1, +12.4]`.
fn ratio_words(ratio: &Result<Ratio, StatsError>) -> String {
    match ratio {
        Ok(r) => format!("{} % {}", percent(r.value), ends(r)),
        Err(e) => format!("{ABSENT} ({e})"),
    }
}

/// `5 %`.
fn margin(s: &AbSummary) -> String {
    format!("{} %", crate::latency::short(100.0 * s.margin))
}

/// The session's ratios with their names, the noise floor first.
fn ratios<'a>(report: &AgainstReport<'a>) -> Vec<(&'static str, &'a Result<Ratio, StatsError>)> {
    let mut all = vec![("A against itself", &report.summary.floor), ("B against A", &report.summary.ratio)];
    all.extend(report.fresh.map(|f| ("B against A, fresh", f)));
    all
}

fn state(verdict: AbVerdict) -> State {
    match verdict {
        AbVerdict::Pass => State::good("pass"),
        AbVerdict::Regressed => State::bad("regressed"),
        AbVerdict::Inconclusive => State::open("inconclusive"),
    }
}

/// The session for a terminal.
#[must_use]
pub fn against_text(report: &AgainstReport<'_>) -> String {
    let s = report.summary;
    let verdict = if report.voided.is_some() { "void" } else { report.verdict.name() };
    let mut out = format!(
        "A {}\nB {}\n{}\n\n{}: {}\n\n",
        visible(report.a),
        visible(report.b),
        scenario_words(report.scenario),
        verdict.to_uppercase(),
        visible(report.reason)
    );
    if let Some(why) = &report.too_short {
        out += &format!("TOO SHORT: {}\n\n", visible(why));
    }
    let mut grid = Grid::new(&[
        ("takes longer, %", false),
        ("ratio", true),
        ("90 % interval", true),
        ("p slower", true),
        ("p within", true),
        ("clusters", true),
    ]);
    for (name, ratio) in ratios(report) {
        grid.push(match ratio {
            Ok(r) => vec![
                name.into(),
                percent(r.value),
                ends(r),
                format::p_value(r.p_slower),
                format::p_value(r.p_within),
                count(r.clusters as u64),
            ],
            Err(e) => vec![name.into(), ABSENT.into(), e.to_string(), String::new(), String::new(), String::new()],
        });
    }
    out += &grid.plain();
    out.push('\n');
    let mut grid = Grid::new(&[
        ("lane", false),
        ("n", true),
        ("mean", true),
        ("p50", true),
        ("p90", true),
        ("p95", true),
        ("p99", true),
    ]);
    for (lane, d) in lanes(report) {
        let mut row = vec![lane.to_owned(), count(d.n as u64)];
        row.push(d.mean.map_or_else(|| ABSENT.into(), time));
        row.extend(d.tails.iter().map(short));
        grid.push(row);
    }
    out += &grid.plain();
    out += &format!("\n{}\n", turns_words(s));
    out
}

fn short(tail: &Result<vbench_load::Tail, vbench_load::LoadError>) -> String {
    match tail {
        Ok(t) => crate::latency::bound(t.value),
        Err(vbench_load::LoadError::TooFew { needed, .. }) => format!("needs {needed}"),
        Err(_) => ABSENT.into(),
    }
}

/// `; each clip went through 2 or 3 of the six orders`.
fn orders_words(s: &AbSummary) -> String {
    match s.orders() {
        None => String::new(),
        Some((fewest, most)) if fewest == most => format!("; each clip went through {fewest} of the six orders"),
        Some((fewest, most)) if fewest + 1 == most => {
            format!("; each clip went through {fewest} or {most} of the six orders")
        }
        Some((fewest, most)) => format!("; each clip went through {fewest} to {most} of the six orders"),
    }
}

/// Distributions of a session: by lane, and the instrument's own.
fn lanes<'a>(report: &AgainstReport<'a>) -> Vec<(&'static str, &'a Distribution)> {
    let lanes = Lane::ALL.iter().map(|l| l.name()).zip(&report.summary.lanes);
    lanes.chain([("sent late (the instrument)", report.lateness)]).collect()
}

fn turns_words(s: &AbSummary) -> String {
    let left = match s.begun - s.turns.len() {
        0 => String::new(),
        1 => "; 1 turn is left out, a lane did not answer".to_owned(),
        lost => format!("; {} turns are left out, a lane did not answer", count(lost as u64)),
    };
    format!("{} turns of three{left}; margin {}", count(s.turns.len() as u64), margin(s))
}

/// The session as JSON. Ratios are factors, times in milliseconds.
#[must_use]
pub fn against_json(report: &AgainstReport<'_>) -> Value {
    let s = report.summary;
    let finite = |v: f64| v.is_finite().then_some(v);
    let ratio = |name: &str, unit: &str, r: &Result<Ratio, StatsError>| match r {
        Ok(r) => json!({
            "metric": name, "value": r.value, "lo": (r.lo > 0.0).then_some(r.lo), "hi": finite(r.hi), "level": r.level,
            "method": "sign-flip", "unit": unit, "clusters": r.clusters, "n": r.pairs, "seed": report.seed,
            "p_slower": r.p_slower, "p_within": r.p_within, "clusters_needed": r.clusters_needed,
        }),
        Err(e) => json!({"metric": name, "value": null, "reason": e.to_string()}),
    };
    let mut results = vec![ratio("ratio", "clip", &s.ratio), ratio("noise_floor", "clip", &s.floor)];
    results.extend(report.fresh.map(|f| ratio("ratio_fresh_processes", "pair of processes", f)));
    let lane = |(lane, d): (&Lane, &Distribution)| {
        let percentiles: Vec<Value> =
            PERCENTILES.iter().zip(&d.tails).map(|(p, t)| crate::bench::percentile(*p, t)).collect();
        json!({"lane": lane.name(), "n": d.n, "unanswered": d.censored, "mean_ms": d.mean.map(|ns| ns / 1e6), "percentiles": percentiles})
    };
    json!({
        "schema": AGAINST_SCHEMA,
        "a": report.a,
        "b": report.b,
        "scenario": report.scenario.name(),
        "boundary": report.boundary,
        "verdict": report.verdict.name(),
        "reason": report.reason,
        "voided": report.voided,
        "too_short": report.too_short,
        "lateness": crate::bench::distribution(report.lateness),
        "margin": s.margin,
        "alpha": AB_ALPHA,
        "clips": report.clips,
        "turns": s.turns.len(),
        "turns_begun": s.begun,
        "seed": report.seed,
        "lanes": Lane::ALL.iter().zip(&s.lanes).map(lane).collect::<Vec<_>>(),
        "results": results,
    })
}

/// The session as one HTML file.
///
/// # Errors
///
/// A broken build, never the data.
pub fn against_html(report: &AgainstReport<'_>) -> Result<String, ReportError> {
    document(report).html(PageKind::Against)
}

/// The session as Markdown, with figures for a folder or without.
#[must_use]
pub fn against_markdown(report: &AgainstReport<'_>, figures: bool) -> String {
    document(report).markdown(figures)
}

/// PNG and SVG of every figure in a palette of [`crate::palette`].
///
/// # Errors
///
/// A broken build, never the data.
pub fn against_figures(report: &AgainstReport<'_>, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    document(report).figures(palette)
}

/// The session as JUnit XML: a case for the verdict, and for coverage, lateness and length.
#[must_use]
pub fn against_junit(report: &AgainstReport<'_>, started: &str) -> String {
    let class = format!("vbench.bench.{}", report.b.replace('.', "_"));
    let failed = |kind, message: String| Verdict::Failed { kind, message, text: String::new() };
    let verdict = match report.verdict {
        AbVerdict::Pass => Verdict::Passed,
        AbVerdict::Regressed => failed("regressed", report.reason.to_owned()),
        AbVerdict::Inconclusive => failed("inconclusive", report.reason.to_owned()),
    };
    let unanswered: usize = report.summary.lanes.iter().map(|l| l.censored).sum();
    let answered = if unanswered == 0 {
        Verdict::Passed
    } else {
        failed("coverage", format!("{unanswered} requests without an answer"))
    };
    let judged = |kind, bad: Option<&str>| bad.map_or(Verdict::Passed, |text| failed(kind, text.to_owned()));
    let on_time = judged("void", report.voided);
    let long_enough = judged("bench", report.too_short.as_deref());
    let case = |name: &str, verdict| TestCase { class: class.clone(), name: name.into(), seconds: 0.0, verdict };
    let suite = TestSuite {
        package: "vbench.bench".into(),
        name: format!("{} against {}", report.a, report.b),
        cases: vec![
            case("not slower than the margin", verdict),
            case("every request was answered", answered),
            case("the instrument was on time", on_time),
            case("long enough", long_enough),
        ],
        properties: vec![("a", report.a.to_owned()), ("b", report.b.to_owned())],
        out: against_text(report),
    };
    junit_xml(&[suite], started)
}

fn document(report: &AgainstReport<'_>) -> Document {
    let s = report.summary;
    let unanswered: usize = s.lanes.iter().map(|l| l.censored).sum();
    let mut warnings: Vec<_> = report.voided.map(|reason| fact("Void", reason)).into_iter().collect();
    warnings.extend(report.too_short.as_ref().map(|why| fact("Too short", why)));
    if unanswered > 0 {
        let text = format!("{} requests had no answer: their turns are left out.", count(unanswered as u64));
        warnings.push(fact("Not everything was answered", text));
    }
    Document {
        title: format!("{} against {}", visible(report.b), visible(report.a)),
        meta: vec![
            fact("scenario", report.scenario.name()),
            fact("margin", margin(s)),
            fact("clips", count(report.clips as u64)),
            fact("seed", report.seed.to_string()),
        ],
        verdict: if report.voided.is_some() { State::bad("void") } else { state(report.verdict) },
        sentence: format!("{}.", visible(report.reason)),
        warnings,
        which: vec![fact("A, the baseline", report.a), fact("B", report.b)],
        tiles: tiles(report),
        counts: Lane::ALL
            .iter()
            .zip(&s.lanes)
            .map(|(lane, d)| fact(format!("{}, p50", lane.name()), d.tails.first().map_or_else(String::new, short)))
            .chain([fact("turns", count(s.turns.len() as u64))])
            .collect(),
        sections: vec![effect(report), times(report), methods(report), provenance(report)],
    }
}

fn tiles(report: &AgainstReport<'_>) -> Vec<Tile> {
    let tile = |name: &str, ratio: &Result<Ratio, StatsError>, unit: &str| match ratio {
        Ok(r) => Tile {
            name: name.into(),
            value: percent(r.value),
            unit: "%".into(),
            range: format!("{} interval {}", format::level(r.level), ends(r)),
            note: format!("{} {unit}, {} pairs", count(r.clusters as u64), count(r.pairs as u64)),
        },
        Err(e) => Tile {
            name: name.into(),
            value: ABSENT.into(),
            unit: String::new(),
            range: e.to_string(),
            note: String::new(),
        },
    };
    let mut all = vec![
        tile("B takes longer than A by", &report.summary.ratio, "clips"),
        tile("A differs from itself by (noise floor)", &report.summary.floor, "clips"),
    ];
    all.extend(report.fresh.map(|f| tile("in fresh processes", f, "pairs of processes")));
    all
}

/// How a ratio is coloured: by its interval against 1, which the noise floor is not about.
fn finding(ratio: &Ratio) -> Finding {
    match (ratio.lo, ratio.hi) {
        (lo, _) if lo > 1.0 => Finding::Regressed,
        (_, hi) if hi < 1.0 => Finding::Improved,
        (lo, hi) if lo == 1.0 && hi == 1.0 => Finding::Identical,
        _ => Finding::Undecided,
    }
}

fn effect(report: &AgainstReport<'_>) -> Section {
    let s = report.summary;
    let row = |(name, ratio): (&str, &Result<Ratio, StatsError>)| {
        let point = ratio.as_ref().ok().map(|r| {
            let interval = (r.lo > 0.0 && r.hi.is_finite()).then_some((100.0 * (r.lo - 1.0), 100.0 * (r.hi - 1.0)));
            (Point { value: Some(100.0 * (r.value - 1.0)), interval, text: ratio_words(ratio) }, finding(r))
        });
        DifferenceRow { label: name.to_owned(), point }
    };
    let differences = DifferencePlot {
        title: "B against A, beside A against itself".into(),
        subtitle: format!(
            "Geometric mean of the ratios of pairs, less one. Whisker: 90 % interval. B may take {} longer.",
            margin(s)
        ),
        axis: "takes longer than A (%)".into(),
        rows: ratios(report).into_iter().map(row).collect(),
    };
    let mut table = Table::new(
        "Ratios with their intervals and tests",
        &["what", ">takes longer, %", ">p, not slower", ">p, not within", ">pairs", ">clusters"],
    );
    for (name, ratio) in ratios(report) {
        table.rows.push(match ratio {
            Ok(r) => vec![
                Cell::plain(name),
                Cell::strong(percent(r.value), Some(ends(r))),
                Cell::plain(format::p_value(r.p_slower)),
                Cell::plain(format::p_value(r.p_within)),
                Cell::plain(count(r.pairs as u64)),
                Cell::plain(count(r.clusters as u64)),
            ],
            Err(e) => {
                let mut row = vec![Cell::plain(name), Cell::strong(ABSENT, Some(e.to_string()))];
                row.resize_with(table.columns.len(), Cell::default);
                row
            }
        });
    }
    let mut figures = vec![of_differences("noise-floor", differences)];
    figures.extend(pairs(report));
    figures.extend(clips(report));
    Section {
        id: "effect",
        short: "Effect",
        title: "How much longer B takes".into(),
        lead: vec![
            "Every clip is answered by A, by B and by A again, one right after the other, in orders that change from turn to turn. \
             What A and A again differ by is the noise floor: no difference within it is said."
                .into(),
        ],
        figures,
        tables: vec![table],
        ..Section::default()
    }
}

/// The ratio of every pair over the session.
fn pairs(report: &AgainstReport<'_>) -> Option<Sketch> {
    let p = report.picture;
    let whole = p.pairs.last()?.0 as f64;
    let across = TimeScale::covering(whole * 1e-9);
    let (lo, hi) = p.shown;
    let dot = |at: u64, ratio: f64, series: usize| {
        Shape::Point(Dot {
            x: of_ns(across, at as f64),
            y: ratio,
            series,
            small: true,
            filled: series == 1,
            ..Dot::default()
        })
    };
    let most = 1.0 + report.summary.margin;
    let mut shapes = vec![Shape::Band { from: 1.0 / most, to: most }];
    shapes.extend(p.pairs.iter().map(|(at, _, control)| dot(*at, *control, 0)));
    shapes.extend(p.pairs.iter().map(|(at, b, _)| dot(*at, *b, 1)));
    shapes.push(Shape::Line { points: vec![(0.0, 1.0), (of_ns(across, whole), 1.0)], series: 4 });
    let plot = PlanePlot {
        title: "The ratio of every pair".into(),
        subtitle: format!(
            "Grey: within the margin of {}. Pairs beyond the figure stand at its edge.",
            margin(report.summary)
        ),
        words: format!("{} pairs are shown.", count(p.pairs.len() as u64)),
        x_axis: format!("time of the session ({})", across.unit()),
        y_axis: "time over A's time for the same clip".into(),
        x_end: of_ns(across, whole),
        y_from: lo,
        y_end: hi,
        series: vec!["A again over A".into(), "B over A".into()],
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane("ratio-by-pair", plot.title.clone(), plot))
}

/// The ratio of every clip: the clusters of the test.
fn clips(report: &AgainstReport<'_>) -> Option<Sketch> {
    let list = &report.picture.clips;
    let all = || list.iter().flat_map(|(b, c)| [*b, *c]);
    let (lo, hi) = all().fold((f64::INFINITY, 0.0_f64), |(lo, hi), r| (lo.min(r), hi.max(r)));
    if list.is_empty() || list.len() > 200 {
        return None;
    }
    let most = 1.0 + report.summary.margin;
    let mut shapes = vec![Shape::Band { from: 1.0 / most, to: most }];
    for (i, (b, control)) in list.iter().enumerate() {
        let dot = |y: f64, series: usize| {
            Shape::Point(Dot {
                x: i as f64 + 0.5,
                y,
                series,
                filled: series == 1,
                small: list.len() > 60,
                ..Dot::default()
            })
        };
        shapes.extend([dot(*control, 0), dot(*b, 1)]);
    }
    shapes.push(Shape::Line { points: vec![(0.0, 1.0), (list.len() as f64, 1.0)], series: 4 });
    let plot = PlanePlot {
        title: "The ratio of every clip".into(),
        subtitle:
            "Geometric mean over the turns of a clip; the clips are the clusters of the test. Grey: within the margin."
                .into(),
        words: format!("From {lo:.3} to {hi:.3}."),
        x_axis: format!("{} clips, from the smallest ratio to the largest", count(list.len() as u64)),
        y_axis: "time over A's time".into(),
        x_end: list.len() as f64,
        y_from: lo.min(1.0 / most),
        y_end: hi.max(most),
        series: vec!["A again over A".into(), "B over A".into()],
        bare_x: true,
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane("ratio-by-clip", plot.title.clone(), plot))
}

fn times(report: &AgainstReport<'_>) -> Section {
    let mut table = Table::new("Times by lane", &["lane", ">n", ">mean", ">p50", ">p90", ">p95", ">p99", ">longest"]);
    for (lane, d) in lanes(report) {
        let unanswered = (d.censored > 0).then(|| format!("{} without an answer", count(d.censored as u64)));
        let mut row = vec![Cell::plain(lane), Cell { note: unanswered, ..Cell::plain(count(d.n as u64)) }];
        row.push(Cell::plain(d.mean.map_or_else(|| ABSENT.into(), time)));
        row.extend(d.tails.iter().map(|t| {
            let interval =
                t.as_ref().ok().map(|t| format!("[{}, {}]", crate::latency::bound(t.lo), crate::latency::bound(t.hi)));
            Cell::strong(short(t), interval)
        }));
        row.push(Cell::plain(d.max.map_or_else(|| ABSENT.into(), |ns| time(ns as f64))));
        table.rows.push(row);
    }
    let [a, b, control] = &report.picture.curves;
    // In the colours of the pairs: A again is what A is compared with.
    let curves = [("A again".to_owned(), control), ("B".to_owned(), b), ("A".to_owned(), a)];
    Section {
        id: "times",
        short: "Times",
        title: "Times by lane".into(),
        lead: vec![format!("A time spans {}.", visible(report.boundary))],
        figures: distribution("latency-cdf", "Which share was answered by when", &curves).into_iter().collect(),
        tables: vec![table],
        ..Section::default()
    }
}

fn methods(report: &AgainstReport<'_>) -> Section {
    let s = report.summary;
    let mut remarks = vec![
        turns_words(s) + ".",
        format!(
            "Orders come in mirrored pairs: A and B follow each other as ABBA BAAB, so that whatever changes steadily over the \
             session falls on all lanes alike{}.",
            orders_words(s)
        ),
        format!(
            "The logarithms of the ratios of pairs are summed over each clip; the clip sign-flip test, inverted at the margin, \
             decides one-sided at {AB_ALPHA}; the interval shown decides the same. Regressed also needs more than the noise \
             floor, and six pairs of fresh processes that say the same; pass needs a noise floor within the margin."
        ),
    ];
    if let Ok(r) = &s.ratio {
        remarks.push(format!(
            "Not slower than the margin: {}. Slower than the margin: {}.",
            p_in_words(r.p_slower),
            p_in_words(r.p_within)
        ));
    }
    Section { id: "methods", short: "Methods", title: "How this was decided".into(), remarks, ..Section::default() }
}

fn provenance(report: &AgainstReport<'_>) -> Section {
    Section {
        id: "provenance",
        short: "Provenance",
        title: "Provenance".into(),
        lead: vec![
            "The command makes the session again; the trace beside it (requests.jsonl) has every request.".into(),
        ],
        facts: report.provenance.iter().map(|(name, value)| fact(name, value)).collect(),
        ..Section::default()
    }
}
