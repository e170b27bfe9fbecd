//! Sections of a bench's page that are there when the run has something to say on them.

use vbench_load::{
    Band, BudgetVerdict, Distribution, Holds, LoadSearch, Parameter, Resources, StageSummary, SweepSummary, Tail,
    TailValue, Verdict,
};

use super::figures::{of_ns, tail_words, value_of};
use super::sections::percentile_table;
use super::{BenchReport, bound, time};
use crate::analysis::plane::{Dot, PlanePlot, Shape};
use crate::analysis::rows::{BarRow, Look, RowPlot};
use crate::analysis::{Sketch, TimeScale, of_plane, of_rows};
use crate::document::{Cell, Section, State, Table, fact};
use crate::format::{self, ABSENT, count, visible};

const SECOND: f64 = 1e-9;

/// Those that there are, in order.
pub(super) fn parts(report: &BenchReport<'_>) -> Vec<Section> {
    let v = report.view;
    let s = v.summary;
    let mut all = Vec::new();
    if !v.budgets.is_empty() || (s.sound.is_some() && !v.bands.is_empty()) {
        all.push(budgets(v.budgets, v.bands));
    }
    all.extend(s.stages.as_ref().filter(|s| !s.stages.is_empty()).map(stages));
    if s.first_partial.is_some() || s.sound.is_some() || s.barge_in.is_some() {
        all.push(streaming(report));
    }
    all.extend(v.search.map(load));
    all.extend(v.sweep.map(sweep));
    all.extend(v.resources.map(resources));
    all
}

/// `end to end, p95 of at most 500 ms`.
pub(super) fn budget_name(b: &BudgetVerdict) -> String {
    format!("{}, p{} of at most {} ms", visible(b.budget.subject.name()), b.budget.percentile, b.budget.limit_ms)
}

/// What a run says to a budget.
pub(super) fn budget_words(b: &BudgetVerdict) -> String {
    if b.n == 0 {
        return "no turn speaks to it".into();
    }
    let needed = b.needed.map_or(String::new(), |n| format!("; {} requests are needed", count(n as u64)));
    format!("{}; {} of {} over{needed}", tail_words(&b.observed), count(b.over as u64), count(b.n as u64))
}

fn state(verdict: Verdict) -> State {
    match verdict {
        Verdict::Pass => State::good("pass"),
        Verdict::Fail => State::bad("fail"),
        Verdict::Inconclusive => State::open("inconclusive"),
    }
}

fn budgets(budgets: &[BudgetVerdict], bands: &[Band]) -> Section {
    let mut table = Table::new(
        "Budgets",
        &["budget", "verdict", ">percentile", ">limit", ">observed", ">over", ">p, kept", ">p, not kept"],
    );
    for b in budgets {
        let observed = match &b.observed {
            Ok(t) => Cell::strong(bound(t.value), Some(format!("[{}, {}]", bound(t.lo), bound(t.hi)))),
            Err(_) => Cell::strong(ABSENT, Some(tail_words(&b.observed))),
        };
        let needed = b.needed.map(|n| format!("needs {} requests", count(n as u64)));
        table.rows.push(vec![
            Cell::plain(b.budget.subject.name()),
            Cell { note: needed.filter(|_| b.verdict == Verdict::Inconclusive), ..Cell::state(state(b.verdict)) },
            Cell::plain(format!("p{}", b.budget.percentile)),
            Cell::plain(format!("{} ms", b.budget.limit_ms)),
            observed,
            Cell::plain(format!("{} of {}", count(b.over as u64), count(b.n as u64))),
            Cell::plain(format::p_value(b.p_pass)),
            Cell::plain(format::p_value(b.p_fail)),
        ]);
    }
    let mut tables = Vec::new();
    if !budgets.is_empty() {
        tables.push(table);
    }
    if !bands.is_empty() {
        let mut table = Table::new("Turns by how long the user waited", &["wait", ">turns", ">share, %"]);
        for b in bands {
            let ends = format!("[{}, {}]", format::RATE.number(b.lo), format::RATE.number(b.hi));
            table.rows.push(vec![
                Cell::plain(band_name(b)),
                Cell::plain(count(b.turns as u64)),
                Cell::strong(format::RATE.number(b.share), Some(ends)),
            ]);
        }
        tables.push(table);
    }
    let mut lead = Vec::new();
    if !budgets.is_empty() {
        lead.push(
            "A budget is kept when it can be ruled out, at 5 % over all budgets together, that more turns than its percentile \
             allows lie over the limit; it is not kept when the opposite can be ruled out. Turns without an answer are over."
                .to_owned(),
        );
    }
    Section {
        id: "budgets",
        short: "Budgets",
        title: if budgets.is_empty() { "How long users waited".into() } else { "Budgets".into() },
        lead,
        figures: budget_figure(budgets).into_iter().chain(band_figure(bands)).collect(),
        tables,
        ..Section::default()
    }
}

fn budget_figure(budgets: &[BudgetVerdict]) -> Option<Sketch> {
    let seen = |t: &Tail| [value_of(t.value), value_of(t.hi)].into_iter().fold(0.0, f64::max);
    let end = budgets.iter().flat_map(|b| [Some(b.budget.limit_ms * 1e6), b.observed.as_ref().ok().map(seen)]);
    let scale = TimeScale::covering(end.flatten().fold(0.0, f64::max) * SECOND);
    if budgets.is_empty() {
        return None;
    }
    let series = |verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 4,
    };
    let row = |b: &BudgetVerdict| {
        let tail = b.observed.as_ref().ok();
        let bounded = |t: &&Tail| matches!((t.lo, t.hi), (TailValue::At(_), TailValue::At(_)));
        BarRow {
            label: format!("{} p{}", visible(b.budget.subject.name()), b.budget.percentile),
            band: Some((0.0, of_ns(scale, b.budget.limit_ms * 1e6))),
            whisker: tail.filter(bounded).map(|t| (of_ns(scale, value_of(t.lo)), of_ns(scale, value_of(t.hi)))),
            markers: tail
                .map(|t| (of_ns(scale, value_of(t.value)), series(b.verdict), bounded(&t)))
                .into_iter()
                .collect(),
            text: format!(
                "{}: {} of {} ms",
                b.verdict.name(),
                tail.map_or(ABSENT.into(), |t| bound(t.value)),
                b.budget.limit_ms
            ),
            ..BarRow::default()
        }
    };
    let plot = RowPlot {
        title: "Budgets: what was observed, and what is allowed".into(),
        subtitle: "Grey: the budget. Marker: the percentile it is about, with its 95 % interval; open where a request without \
                   an answer is at or above it."
            .into(),
        axis: format!("time ({})", scale.unit()),
        legend: [("kept", 0), ("not kept", 1), ("cannot be decided", 4)]
            .iter()
            .map(|(name, i)| ((*name).to_owned(), Look::Marker(*i)))
            .collect(),
        rows: budgets.iter().map(row).collect(),
    };
    Some(of_rows("budgets", plot.title.clone(), plot))
}

fn band_name(b: &Band) -> String {
    match b.to_ms {
        Some(to) if b.from_ms <= 0.0 => format!("under {to} ms"),
        Some(to) => format!("{} to {to} ms", b.from_ms),
        None => format!("{} ms or more, or no answer", b.from_ms),
    }
}

fn band_figure(bands: &[Band]) -> Option<Sketch> {
    if bands.is_empty() {
        return None;
    }
    let row = |(i, b): (usize, &Band)| BarRow {
        label: band_name(b),
        bars: vec![(0.0, 100.0 * b.share, if i + 1 == bands.len() { 1 } else { 0 })],
        whisker: Some((100.0 * b.lo, 100.0 * b.hi)),
        text: format!(
            "{} % [{}, {}]",
            format::RATE.with_decimals(1).number(b.share),
            format::RATE.with_decimals(1).number(b.lo),
            format::RATE.with_decimals(1).number(b.hi)
        ),
        ..BarRow::default()
    };
    let plot = RowPlot {
        title: "How long users waited".into(),
        subtitle:
            "Share of turns by the wait to the first audible sample of the reply, else to the answer. Whisker: 95 % \
                   interval (Wilson)."
                .into(),
        axis: "share of turns (%)".into(),
        rows: bands.iter().enumerate().map(row).collect(),
        ..RowPlot::default()
    };
    Some(of_rows("waits", plot.title.clone(), plot))
}

fn stages(s: &StageSummary) -> Section {
    let rows: Vec<(String, &Distribution)> = s.stages.iter().map(|t| (visible(&t.name), &t.times)).collect();
    let named: Vec<(&str, &Distribution)> = rows.iter().map(|(name, d)| (name.as_str(), *d)).collect();
    let mut table = percentile_table(&named);
    table.caption = "What each stage added to the wait".into();
    table.columns[0].title = "stage".into();
    for (row, stage) in table.rows.iter_mut().zip(&s.stages) {
        let share = format::RATE.with_decimals(1).number(stage.share);
        let whose =
            if stage.owner.is_empty() { "nobody's".into() } else { format!("of the {}", visible(&stage.owner)) };
        row[0].note = Some(format!("{whose}, {share} % of all waits"));
    }
    let mut lead = vec![format!(
        "Every instant of a wait is charged to the newest stage that runs then; turn by turn the contributions sum to the wait. \
         {} turns.",
        count(s.turns as u64)
    )];
    if let Some((id, reason)) = &s.first_impossible {
        lead.push(format!(
            "{} turns reported stages that cannot be true and are in no sum; the first is request {id}: {reason}.",
            count(s.impossible as u64)
        ));
    }
    Section {
        id: "stages",
        short: "Stages",
        title: "Where the wait went".into(),
        lead,
        figures: waterfall(s).into_iter().collect(),
        tables: vec![table],
        ..Section::default()
    }
}

/// Mean contributions one after the other: their sum is the mean wait.
fn waterfall(s: &StageSummary) -> Option<Sketch> {
    let means: Vec<f64> = s.stages.iter().map(|t| t.times.mean.unwrap_or(0.0)).collect();
    let total: f64 = means.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let scale = TimeScale::covering(total * SECOND);
    let mut owners: Vec<&str> = Vec::new();
    for stage in &s.stages {
        if !owners.contains(&stage.owner.as_str()) {
            owners.push(&stage.owner);
        }
    }
    let colour = |owner: &str| owners.iter().position(|o| *o == owner).unwrap_or(0);
    let mut from = 0.0;
    let mut rows = Vec::new();
    for (stage, mean) in s.stages.iter().zip(&means) {
        let to = from + mean;
        rows.push(BarRow {
            label: visible(&stage.name),
            bars: vec![(of_ns(scale, from), of_ns(scale, to), colour(&stage.owner))],
            text: format!("{} ({} %)", time(*mean), format::RATE.with_decimals(1).number(stage.share)),
            ..BarRow::default()
        });
        from = to;
    }
    rows.push(BarRow {
        label: "sum".into(),
        band: Some((0.0, of_ns(scale, total))),
        text: time(total),
        ..BarRow::default()
    });
    let owner = |(i, o): (usize, &&str)| {
        let name = if o.is_empty() { "nobody's (waiting)".to_owned() } else { format!("time of the {}", visible(o)) };
        (name, Look::Bar(i))
    };
    let plot = RowPlot {
        title: "The mean wait, stage by stage".into(),
        subtitle: "Each bar begins where the one before ended; together they are what users waited on average.".into(),
        axis: format!("mean time since the user waited ({})", scale.unit()),
        legend: owners.iter().enumerate().map(owner).collect(),
        rows,
    };
    Some(of_rows("stage-waterfall", plot.title.clone(), plot))
}

fn streaming(report: &BenchReport<'_>) -> Section {
    let s = report.view.summary;
    let mut rows: Vec<(&str, &Distribution)> = Vec::new();
    for (name, d) in [
        ("first partial text", &s.first_partial),
        ("final text after the end of speech", &s.final_text),
        ("first token of the reply", &s.first_token),
        ("first audible sample of the reply", &s.first_audible),
    ] {
        rows.extend(d.as_ref().map(|d| (name, d)));
    }
    rows.extend(s.barge_in.as_ref().map(|b| ("barge-in: until the reply stopped", &b.stop)));
    let mut remarks = Vec::new();
    if let Some(flicker) = s.flicker {
        remarks.push(format!("Flicker: {flicker:.3} words taken back for each word of the answers."));
    }
    if let Some(sound) = s.sound {
        remarks.push(format!(
            "Sound: {} of {} replies ran dry, {} times, {} in all; {} replies were silent. Audible is the first sample with \
             energy, not the first byte.",
            count(sound.with_underruns as u64),
            count(sound.replies as u64),
            count(sound.underruns as u64),
            time(sound.gap as f64),
            count(sound.silent as u64)
        ));
    }
    if let Some(b) = &s.barge_in {
        remarks.push(format!(
            "Barge-in: {} replies stopped when the user spoke again, {} did not: they count as without an answer.",
            count(b.stopped() as u64),
            count(b.ignored as u64)
        ));
    }
    Section {
        id: "streaming",
        short: "Streaming",
        title: "What came when".into(),
        lead: vec!["First partial counts from the beginning of speech, the others from its end.".into()],
        tables: vec![percentile_table(&rows)],
        remarks,
        ..Section::default()
    }
}

fn load(s: &LoadSearch) -> Section {
    let mut trials: Vec<_> = s.trials.iter().collect();
    trials.sort_by(|a, b| a.rate_hz.total_cmp(&b.rate_hz));
    let mut table =
        Table::new("Trials by rate", &["rate", "finding", ">requests", ">answered", ">p50", ">p95", ">p99"]);
    for t in &trials {
        let state = match t.holds {
            Holds::Yes => State::good("holds"),
            Holds::No => State::bad("does not hold"),
            Holds::Void => State::open("void"),
        };
        let tails = &t.summary.latency.tails;
        let cell = |tail: &Result<Tail, _>| match tail {
            Ok(t) => Cell::strong(bound(t.value), Some(format!("[{}, {}]", bound(t.lo), bound(t.hi)))),
            Err(_) => Cell::strong(ABSENT, Some(tail_words(tail))),
        };
        table.rows.push(vec![
            Cell { note: t.confirms.then(|| "a longer run".into()), ..Cell::plain(format!("{:.3}/s", t.rate_hz)) },
            Cell::state(state),
            Cell::plain(count(t.summary.counts.requests as u64)),
            Cell::plain(format!("{:.3}/s", t.summary.answered_hz)),
            cell(&tails[0]),
            cell(&tails[2]),
            cell(&tails[3]),
        ]);
    }
    let best =
        s.best_hz.map_or_else(|| "No rate is confirmed".to_owned(), |hz| format!("{hz:.3} requests a second hold"));
    Section {
        id: "load",
        short: "Load",
        title: "Throughput at a bound".into(),
        lead: vec![format!(
            "p{} of the latency may be at most {} ms. {best}: {}. A rate holds when the upper end of the interval lies within the \
             bound and answers keep up with arrivals.",
            s.goal.percentile,
            s.goal.limit_ms,
            visible(&s.ended)
        )],
        figures: load_figure(s).into_iter().collect(),
        tables: vec![table],
        ..Section::default()
    }
}

fn load_figure(s: &LoadSearch) -> Option<Sketch> {
    let mut trials: Vec<_> = s.trials.iter().filter(|t| t.summary.voided.is_none()).collect();
    trials.sort_by(|a, b| a.rate_hz.total_cmp(&b.rate_hz));
    // Beyond a few times the bound an overloaded system says nothing more.
    let end = 3.0 * s.goal.limit_ms * 1e6;
    let scale = TimeScale::covering(end * SECOND);
    let picked = [(0, "p50"), (2, "p95"), (3, "p99")];
    let mut shapes = Vec::new();
    for (series, (place, _)) in picked.iter().enumerate() {
        let known: Vec<_> =
            trials.iter().filter_map(|t| Some((t, t.summary.latency.tails[*place].as_ref().ok()?))).collect();
        shapes.push(Shape::Line {
            points: known.iter().map(|(t, tail)| (t.rate_hz, of_ns(scale, value_of(tail.value)))).collect(),
            series,
        });
        shapes.extend(known.iter().map(|(t, tail)| {
            Shape::Point(Dot {
                x: t.rate_hz,
                y: of_ns(scale, value_of(tail.value)),
                y_interval: Some((of_ns(scale, value_of(tail.lo)), of_ns(scale, value_of(tail.hi)))),
                series,
                filled: t.holds == Holds::Yes,
                ..Dot::default()
            })
        }));
    }
    let text = format!("p{} of at most {} ms", s.goal.percentile, s.goal.limit_ms);
    shapes.push(Shape::Level { height: of_ns(scale, s.goal.limit_ms * 1e6), text, series: 4 });
    let words: Vec<String> = trials
        .iter()
        .map(|t| {
            format!(
                "At {:.3}/s p50 {}, p99 {}.",
                t.rate_hz,
                tail_words(&t.summary.latency.tails[0]),
                tail_words(&t.summary.latency.tails[3])
            )
        })
        .collect();
    let plot = PlanePlot {
        title: "Latency under load".into(),
        subtitle: "Filled: the bound holds at this rate. What lies beyond the figure stands at its upper edge.".into(),
        words: words.join(" "),
        x_axis: "arrivals a second".into(),
        y_axis: format!("latency ({})", scale.unit()),
        x_end: trials.last()?.rate_hz,
        y_end: of_ns(scale, end),
        series: picked.iter().map(|(_, name)| (*name).to_owned()).collect(),
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane("load-curve", plot.title.clone(), plot))
}

fn sweep(s: &SweepSummary) -> Section {
    let mut table = Table::new("Times by value", &["", ">n", ">mean", ">p50", ">p95", ">RTF"]);
    table.columns[0].title = s.parameter.name().into();
    for p in &s.points {
        let cell = |tail: &Result<Tail, _>| match tail {
            Ok(t) => Cell::strong(bound(t.value), Some(format!("[{}, {}]", bound(t.lo), bound(t.hi)))),
            Err(_) => Cell::strong(ABSENT, Some(tail_words(tail))),
        };
        table.rows.push(vec![
            Cell::plain(format!("{} {}", p.value, s.parameter.unit())),
            Cell::plain(count(p.latency.n as u64)),
            Cell::plain(p.latency.mean.map_or_else(|| ABSENT.into(), time)),
            cell(&p.latency.tails[0]),
            cell(&p.latency.tails[2]),
            Cell::plain(p.rtf.map_or_else(|| ABSENT.into(), |rtf| format!("{rtf:.4}"))),
        ]);
    }
    let mut remarks = Vec::new();
    match &s.cost {
        None => {}
        Some(Err(reason)) => remarks.push(format!("No cost curve: {}.", visible(reason))),
        Some(Ok(curve)) => {
            let units = [" ms", " ms for each second of audio", " ms for each second squared"];
            let level = format::level(curve.fit.level);
            let terms: Vec<String> = units
                .iter()
                .zip(&curve.fit.terms)
                .map(|(unit, t)| format!("{:.3} [{:.3}, {:.3}]{unit}", t.value, t.lo, t.hi))
                .collect();
            remarks.push(format!(
                "Time of n seconds of audio: {} ({level} intervals; least squares over {} clips, HC3). {}",
                terms.join(" + "),
                count(curve.clips as u64),
                if curve.square {
                    "The square pays."
                } else {
                    "A square would change it by under one percent, or cannot be told from none."
                }
            ));
        }
    }
    let (id, short, title) = match s.parameter {
        Parameter::Length => ("length", "Length", "Time by length of the audio"),
        Parameter::Batch => ("batch", "Batch", "Time by size of the batch"),
        Parameter::Threads => ("threads", "Threads", "Time by number of threads"),
    };
    Section {
        id,
        short,
        title: title.into(),
        lead: vec![
            "All values are mixed in one run, so that whatever changes with time meets all of them alike.".into(),
        ],
        figures: sweep_figure(s, title).into_iter().collect(),
        tables: vec![table],
        remarks,
        ..Section::default()
    }
}

fn sweep_figure(s: &SweepSummary, title: &str) -> Option<Sketch> {
    let medians: Vec<_> = s.points.iter().filter_map(|p| Some((p, p.latency.tails[0].as_ref().ok()?))).collect();
    let end = medians.iter().map(|(_, t)| value_of(t.hi)).fold(0.0, f64::max);
    let last = s.points.last()?.value;
    if end == 0.0 {
        return None;
    }
    let scale = TimeScale::covering(end * SECOND);
    let mut shapes = Vec::new();
    if let Some(Ok(curve)) = &s.cost {
        let at = |i: i32| last * f64::from(i) / 40.0;
        let points = (0..=40).map(|i| (at(i), of_ns(scale, (curve.fit.at(at(i)) * 1e6).max(0.0)))).collect();
        shapes.push(Shape::Line { points, series: 1 });
    }
    shapes.extend(medians.iter().map(|(p, t)| {
        Shape::Point(Dot {
            x: p.value,
            y: of_ns(scale, value_of(t.value)),
            y_interval: Some((of_ns(scale, value_of(t.lo)), of_ns(scale, value_of(t.hi)))),
            series: 0,
            filled: matches!(t.value, TailValue::At(_)),
            ..Dot::default()
        })
    }));
    let fitted = if matches!(s.cost, Some(Ok(_))) { " Line: the fitted cost curve." } else { "" };
    let words: Vec<String> = medians
        .iter()
        .map(|(p, t)| {
            format!("{} {}: {} [{}, {}].", p.value, s.parameter.unit(), bound(t.value), bound(t.lo), bound(t.hi))
        })
        .collect();
    let plot = PlanePlot {
        title: title.into(),
        subtitle: format!("Marker: median with its 95 % interval.{fitted}"),
        words: words.join(" "),
        x_axis: match s.parameter {
            Parameter::Length => "length of the audio (s)".into(),
            Parameter::Batch => "clips in a call".into(),
            Parameter::Threads => "threads of the model".into(),
        },
        y_axis: format!("time ({})", scale.unit()),
        x_end: last,
        y_end: of_ns(scale, end),
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane(format!("{}-sweep", s.parameter.name()), plot.title.clone(), plot))
}

fn resources(r: &Resources) -> Section {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| facts.extend(value.map(|v| fact(name, v)));
    add("processor time", r.cpu_s.map(|s| format!("{s:.2} s")));
    add("processor time a request", r.cpu_ms_per_request.map(|ms| time(ms * 1e6)));
    add("processors kept busy", r.cpus.map(|n| format!("{n:.2}")));
    add("memory when it began", r.rss_begin_mib.map(|m| format!("{m:.0} MiB")));
    add("most memory", r.rss_peak_mib.map(|m| format!("{m:.0} MiB")));
    add("threads at the end", r.threads.map(count));
    if let Some(a) = r.allocations {
        add("allocations a request", Some(format!("{:.0}", a.per_request)));
        add("allocated a request", Some(format!("{:.2} MiB", a.bytes_per_request / f64::from(1 << 20))));
    }
    Section {
        id: "resources",
        short: "Resources",
        title: "What it used".into(),
        lead: vec![format!("Counted: {}.", visible(&r.boundary))],
        facts,
        ..Section::default()
    }
}
