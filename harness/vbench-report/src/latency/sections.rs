//! The sections of a bench's page, in order.

use vbench_load::{
    BenchSummary, CheckState, Distribution, EARLY_STOPPING_CONFIDENCE, LEVEL, PERCENTILES, Scenario, Tail, TailValue,
    Verdict,
};

use super::figures;
use super::{BenchReport, bound, latency_name, scenario_words, time};
use crate::document::{Cell, Document, Section, State, Table, Tile, fact};
use crate::format::{self, ABSENT, count, visible};

pub(super) fn document(report: &BenchReport<'_>) -> Document {
    let s = report.view.summary;
    let (verdict, sentence) = verdict(report);
    let mut sections = vec![latency(report)];
    sections.extend(super::parts::parts(report));
    sections.extend([validity(report), methods(report), provenance(report)]);
    Document {
        title: visible(report.view.model),
        meta: vec![fact("scenario", s.plan.scenario.name()), fact("seed", s.plan.seed.to_string())],
        verdict,
        sentence,
        warnings: warnings(report),
        which: vec![fact("sent", scenario_words(s.plan.scenario)), fact("a latency spans", report.view.boundary)],
        tiles: tiles(s),
        counts: counts(report),
        sections,
    }
}

/// What the run says as a whole.
pub(super) fn verdict(report: &BenchReport<'_>) -> (State, String) {
    let s = report.view.summary;
    let c = s.counts;
    if let Some(reason) = &s.voided {
        return (State::bad("void"), format!("This run does not count: {}.", visible(reason)));
    }
    let answered = format!("{} of {} requests were answered", count(c.answered as u64), count(c.requests as u64));
    let of = |verdict| report.view.budgets.iter().filter(move |b| b.verdict == verdict).count();
    let (all, failed, open) = (report.view.budgets.len(), of(Verdict::Fail), of(Verdict::Inconclusive));
    let budgets = match (failed, open) {
        _ if all == 0 => String::new(),
        (0, 0) => format!(" All {all} budgets are kept."),
        (0, _) => format!(" {open} of {all} budgets cannot be decided."),
        _ => format!(" {failed} of {all} budgets are not kept."),
    };
    if c.answered < c.requests {
        let text = format!("{answered}; the others count as at least {}.{budgets}", time(s.plan.timeout as f64));
        return (State::bad("incomplete"), text);
    }
    if let Some(search) = report.view.search.filter(|s| s.best_hz.is_none()) {
        let goal = format!("p{} of at most {} ms", search.goal.percentile, search.goal.limit_ms);
        let text = format!("No rate is confirmed for {goal}: {}.{budgets}", visible(&search.ended));
        return (State::bad("no rate holds"), text);
    }
    let doubtful: Vec<&str> = report.checks.iter().filter(|c| c.state == CheckState::Failed).map(|c| c.name).collect();
    if !doubtful.is_empty() {
        let text = format!("{answered}, but this does not hold: {}.{budgets}", doubtful.join("; "));
        return (State::bad("doubtful"), text);
    }
    let state = match (all, failed, open) {
        (0, ..) => State::good("valid"),
        (_, 0, 0) => State::good("pass"),
        (_, 0, _) => State::open("inconclusive"),
        _ => State::bad("over budget"),
    };
    let rate = report.view.search.and_then(|s| {
        let (p, limit, best) = (s.goal.percentile, s.goal.limit_ms, s.best_hz?);
        Some(format!(" p{p} stays within {limit} ms up to {best:.2} requests a second, confirmed by a longer run."))
    });
    (state, format!("The instrument was on time and {answered}.{}{budgets}", rate.unwrap_or_default()))
}

fn warnings(report: &BenchReport<'_>) -> Vec<crate::view::Fact> {
    let s = report.view.summary;
    let mut all = Vec::new();
    if let Some(reason) = &s.voided {
        all.push(fact("Void", reason));
    }
    let c = s.counts;
    if c.answered < c.requests {
        let share = if c.requests > 0 { c.answered as f64 / c.requests as f64 } else { 0.0 };
        all.push(fact(
            format!("Coverage {} %", format::coverage_percent(share)),
            format!(
                "{} failed, {} without an answer in time, {} answered before they were asked. Percentiles count requests \
                 without an answer as at least {}.",
                count(c.failed as u64),
                count(c.timed_out as u64),
                count(c.impossible as u64),
                time(s.plan.timeout as f64)
            ),
        ));
    }
    all
}

/// A time apart from its unit.
pub(crate) fn apart(text: &str) -> (String, String) {
    match text.rsplit_once(' ') {
        Some((value, unit)) if !unit.is_empty() => (value.to_owned(), unit.to_owned()),
        _ => (text.to_owned(), String::new()),
    }
}

fn tile_of(name: String, d: &Distribution, percentile: f64) -> Option<Tile> {
    let tail = PERCENTILES.iter().zip(&d.tails).find(|(p, _)| **p == percentile)?.1;
    let note = format!("{} requests", count(d.n as u64));
    Some(match tail {
        Ok(t) => {
            let (value, unit) = apart(&bound(t.value));
            let range = format!("{} interval [{}, {}]", format::level(t.level), bound(t.lo), bound(t.hi));
            Tile { name, value, unit, range, note }
        }
        Err(_) => Tile { name, value: ABSENT.into(), unit: String::new(), range: figures::tail_words(tail), note },
    })
}

fn tiles(s: &BenchSummary) -> Vec<Tile> {
    let name = latency_name(s.plan.scenario);
    let mut all: Vec<Tile> =
        [50.0, 99.0].iter().filter_map(|p| tile_of(format!("{name}, p{p}"), &s.latency, *p)).collect();
    if s.sound.is_some() {
        all = [50.0, 99.0].iter().filter_map(|p| tile_of(format!("end to end, p{p}"), &s.end_to_end, *p)).collect();
    }
    all.extend(s.first_partial.as_ref().and_then(|d| tile_of("first partial text, p50".into(), d, 50.0)));
    all
}

fn counts(report: &BenchReport<'_>) -> Vec<crate::view::Fact> {
    let s = report.view.summary;
    let ns = |ns: Option<vbench_load::Ns>| ns.map(|ns| time(ns as f64));
    let mut all = Vec::new();
    let mut add = |name: &str, value: Option<String>| all.extend(value.map(|v| fact(name, v)));
    add("offered", s.offered_hz.map(|hz| format!("{hz:.2} requests/s")));
    add("answered", Some(format!("{:.2} requests/s", s.answered_hz)));
    add("speed (RTFx, audio s per s)", Some(format!("{:.2}", s.rtfx)));
    add("real-time factor", s.rtf.map(|rtf| format!("{rtf:.4}")));
    add("largest rate that holds", report.view.search.and_then(|s| Some(format!("{:.2} requests/s", s.best_hz?))));
    add("mean latency", s.latency.mean.map(time));
    add("longest known", s.latency.max.map(|ns| time(ns as f64)));
    add("opening the model", ns(report.view.open));
    add("first request (cold)", ns(report.view.cold));
    add("duration", Some(time(s.wall as f64)));
    all
}

pub(super) fn percentile_table(rows: &[(&str, &Distribution)]) -> Table {
    let mut table = Table::new(
        "Percentiles with their intervals",
        &["time", ">n", ">mean", ">p50", ">p90", ">p95", ">p99", ">longest"],
    );
    for (name, d) in rows {
        let cell = |tail: &Result<Tail, vbench_load::LoadError>| match tail {
            Ok(t) => Cell::strong(bound(t.value), Some(format!("[{}, {}]", bound(t.lo), bound(t.hi)))),
            Err(vbench_load::LoadError::TooFew { needed, .. }) => {
                Cell::strong(ABSENT, Some(format!("needs {}", count(*needed as u64))))
            }
            Err(e) => Cell::strong(ABSENT, Some(visible(&e.to_string()))),
        };
        let unanswered = (d.censored > 0).then(|| format!("{} without an answer", count(d.censored as u64)));
        let mut row = vec![Cell::plain(name), Cell { note: unanswered, ..Cell::plain(count(d.n as u64)) }];
        row.push(Cell::plain(d.mean.map_or_else(|| ABSENT.into(), time)));
        row.extend(d.tails.iter().map(cell));
        row.push(Cell::plain(d.max.map_or_else(|| ABSENT.into(), |ns| time(ns as f64))));
        table.rows.push(row);
    }
    table
}

fn latency(report: &BenchReport<'_>) -> Section {
    let (s, p) = (report.view.summary, report.picture);
    let mut rows = vec![(latency_name(s.plan.scenario), &s.latency)];
    rows.extend(s.sound.map(|_| ("end to end: what the user waited", &s.end_to_end)));
    rows.push(("sent late (the instrument)", &s.lateness));
    let mut remarks = Vec::new();
    let early: Vec<String> = PERCENTILES
        .iter()
        .zip(&s.latency.early_stopping)
        .filter_map(|(p, ns)| Some(format!("p{p} {}", time((*ns)? as f64))))
        .collect();
    if !early.is_empty() {
        let confidence = 100.0 * EARLY_STOPPING_CONFIDENCE;
        remarks.push(format!(
            "MLPerf's early-stopping estimates: {} (with {confidence:.0} % confidence no larger share is slower).",
            early.join(", ")
        ));
    }
    if let Some((first, last)) = p.course.quarters {
        remarks.push(format!(
            "Over the run: median of the first quarter of the answers {}, of the last {}.",
            time(first),
            time(last)
        ));
    }
    let curves = figures::drawn_curves(s, p);
    let mut drawn = vec![figures::percentiles(s)];
    drawn.extend(figures::distribution("latency-cdf", "Which share was answered by when", &curves));
    drawn.extend(figures::histogram(p));
    drawn.extend(figures::course(p));
    Section {
        id: "latency",
        short: "Latency",
        title: "Latency".into(),
        lead: vec![lead(s.plan.scenario, s.sound.is_some())],
        figures: drawn,
        tables: vec![percentile_table(&rows)],
        remarks,
        ..Section::default()
    }
}

fn lead(scenario: Scenario, sound: bool) -> String {
    match scenario {
        Scenario::SingleStream | Scenario::MultiStream { .. } => {
            "The next request is sent when the last is answered (closed loop): these are service times, and a stall delays \
             requests that are never counted."
        }
        Scenario::Server { .. } | Scenario::Offline => {
            "Latency counts from the time at which a request was due, not from when it was sent: a stall is charged to every \
             request that it delayed."
        }
        Scenario::Paced { .. } if sound => {
            "Audio is fed as it is spoken; latency counts from the end of speech to the end of the turn, end to end to the first \
             audible sample of the reply."
        }
        Scenario::Paced { .. } => {
            "Audio is fed as it is spoken; latency counts from the end of speech to the final text."
        }
    }
    .into()
}

fn validity(report: &BenchReport<'_>) -> Section {
    let mut table = Table::new("Checks of the run", &["check", "finding", "what was found"]);
    for check in report.checks {
        let state = match check.state {
            CheckState::Passed => State::good("passed"),
            CheckState::Failed => State::bad("failed"),
            CheckState::Undecided => State::open("undecided"),
        };
        table.rows.push(vec![Cell::plain(check.name), Cell::state(state), Cell::plain(&check.text)]);
    }
    Section {
        id: "validity",
        short: "Validity",
        title: "Does this run count?".into(),
        tables: vec![table],
        ..Section::default()
    }
}

fn methods(report: &BenchReport<'_>) -> Section {
    let s = report.view.summary;
    let level = format::level(LEVEL);
    let mut remarks = vec![
        format!(
            "Percentiles have distribution-free {level} intervals (order statistics over requests); where these would have no \
             upper end, the percentile is not shown."
        ),
        format!(
            "Requests without an answer within {} are counted as at least that long; a percentile that falls on one of them is \
             bounded from below (≥).",
            time(s.plan.timeout as f64)
        ),
        "One monotonic clock, nanoseconds since the run began. The instrument's own lateness is measured for every send; where \
         the 99th percentile exceeds its limit in a scenario that sends by the clock, the run is void."
            .into(),
    ];
    remarks.push(
        "RTFx: seconds of audio answered a second of wall time. Real-time factor: sum of latencies over sum of audio, for one \
         stream only."
            .into(),
    );
    if matches!(s.latency.tails.last(), Some(Ok(Tail { value: TailValue::AtLeast(_), .. }))) {
        remarks.push("p99 is only known from below: more than one in a hundred requests had no answer.".into());
    }
    Section {
        id: "methods",
        short: "Methods",
        title: "How these numbers were made".into(),
        remarks,
        ..Section::default()
    }
}

fn provenance(report: &BenchReport<'_>) -> Section {
    let mut facts: Vec<_> = report.provenance.iter().map(|(name, value)| fact(name, value)).collect();
    facts.extend(report.view.facts.iter().map(|(name, value)| fact(name, value)));
    Section {
        id: "provenance",
        short: "Provenance",
        title: "Provenance".into(),
        lead: vec!["The command makes the run again; the trace beside it (requests.jsonl) has every request.".into()],
        facts,
        ..Section::default()
    }
}
