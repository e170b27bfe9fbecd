//! What is drawn of a bench.

use vbench_load::{BenchSummary, Curve, Distribution, Ns, PERCENTILES, Picture, Tail, TailValue};

use super::{bound, latency_name, time};
use crate::analysis::plane::{Dot, PlanePlot, Shape};
use crate::analysis::rows::{BarRow, Look, RowPlot};
use crate::analysis::{Sketch, TimeScale, of_plane, of_rows};
use crate::format::{self, count};

const SECOND: f64 = 1e-9;

/// Axis units of a time scale.
pub(crate) fn of_ns(scale: TimeScale, ns: f64) -> f64 {
    scale.of_s(ns * SECOND)
}

pub(crate) fn value_of(value: TailValue) -> f64 {
    match value {
        TailValue::At(ns) | TailValue::AtLeast(ns) => ns,
    }
}

fn known(value: TailValue) -> Option<f64> {
    match value {
        TailValue::At(ns) => Some(ns),
        TailValue::AtLeast(_) => None,
    }
}

/// A percentile in words, or why there is none.
pub(crate) fn tail_words(tail: &Result<Tail, vbench_load::LoadError>) -> String {
    match tail {
        Ok(t) => format!("{} [{}, {}]", bound(t.value), bound(t.lo), bound(t.hi)),
        Err(vbench_load::LoadError::TooFew { needed, found, .. }) => {
            format!("needs {} requests, there are {}", count(*needed as u64), count(*found as u64))
        }
        Err(e) => e.to_string(),
    }
}

/// The distributions that are drawn: few enough to be told apart. What the user waited leads where there is sound; where none
/// is, the latency is the wait.
fn drawn(summary: &BenchSummary) -> Vec<(&'static str, &Distribution)> {
    let mut all = if summary.sound.is_some() {
        vec![("end to end", &summary.end_to_end)]
    } else {
        vec![(latency_name(summary.plan.scenario), &summary.latency)]
    };
    all.extend(summary.first_partial.as_ref().map(|d| ("first partial text", d)));
    all.extend(summary.final_text.as_ref().map(|d| ("final text", d)));
    all.extend(summary.first_token.as_ref().map(|d| ("first token of the reply", d)));
    all
}

/// The curves of the same.
pub(crate) fn drawn_curves<'a>(summary: &BenchSummary, picture: &'a Picture) -> Vec<(String, &'a Curve)> {
    let names: Vec<&str> = drawn(summary).iter().skip(1).map(|(name, _)| *name).collect();
    let first = if summary.sound.is_some() { "end to end" } else { "latency" };
    let find = |name: &&str| picture.curves.iter().find(|c| c.name == *name);
    [first].iter().chain(&names).filter_map(find).map(|c| (c.name.to_owned(), c)).collect()
}

/// The distributions of a run with their names.
pub(crate) fn distributions(summary: &BenchSummary) -> Vec<(&'static str, &Distribution)> {
    let mut all = vec![(latency_name(summary.plan.scenario), &summary.latency)];
    all.extend(summary.first_partial.as_ref().map(|d| ("first partial text", d)));
    all.extend(summary.final_text.as_ref().map(|d| ("final text", d)));
    all.extend(summary.first_token.as_ref().map(|d| ("first token of the reply", d)));
    all.extend(summary.first_audible.as_ref().map(|d| ("first audible sample", d)));
    all.extend(summary.sound.map(|_| ("end to end", &summary.end_to_end)));
    all
}

/// Percentiles with their intervals.
pub(crate) fn percentiles(summary: &BenchSummary) -> Sketch {
    let all = drawn(summary);
    let several = all.len() > 1;
    let tails = || all.iter().flat_map(|(_, d)| d.tails.iter().flatten());
    let end = tails().map(|t| value_of(t.hi)).chain(all.iter().filter_map(|(_, d)| Some(d.max? as f64)));
    let scale = TimeScale::covering(end.fold(0.0, f64::max) * SECOND);
    let short = |name: &str| name.split(" (").next().unwrap_or_default().replace("latency from ", "from ");
    let row = |i: usize, name: &str, p: f64, tail: &Result<Tail, _>| {
        let tail_ref = tail.as_ref().ok();
        let ends = tail_ref.and_then(|t| Some((known(t.lo)?, value_of(t.hi))));
        BarRow {
            label: if several { format!("p{p} {}", short(name)) } else { format!("p{p}") },
            whisker: ends.map(|(lo, hi)| (of_ns(scale, lo), of_ns(scale, hi))),
            markers: tail_ref
                .map(|t| (of_ns(scale, value_of(t.value)), i, known(t.value).is_some() && known(t.hi).is_some()))
                .into_iter()
                .collect(),
            text: tail_words(tail),
            ..BarRow::default()
        }
    };
    let rows = all
        .iter()
        .enumerate()
        .flat_map(|(i, (name, d))| PERCENTILES.iter().zip(&d.tails).map(move |(p, t)| row(i, name, *p, t)));
    let plot = RowPlot {
        title: "Percentiles".to_owned(),
        subtitle:
            "Whisker: 95 % order-statistic interval over requests. Open marker: a request without an answer is at or \
                   above it, so that the value is only bounded from below."
                .to_owned(),
        axis: format!("time ({}), lower is faster", scale.unit()),
        legend: if several {
            all.iter().enumerate().map(|(i, (name, _))| ((*name).to_owned(), Look::Marker(i))).collect()
        } else {
            Vec::new()
        },
        rows: rows.collect(),
    };
    of_rows("latency-percentiles", plot.title.clone(), plot)
}

/// How many requests took how long.
pub(crate) fn histogram(picture: &Picture) -> Option<Sketch> {
    let h = picture.histogram.as_ref()?;
    let end = h.from + h.bin * h.counts.len() as Ns;
    let scale = TimeScale::covering(end as f64 * SECOND);
    let at = |bin: usize| of_ns(scale, (h.from + h.bin * bin as Ns) as f64);
    let bar = |(bin, n): (usize, &u64)| Shape::Bar { from: at(bin), to: at(bin + 1), height: *n as f64, series: 0 };
    let unanswered = if h.unanswered > 0 {
        format!(" {} requests had no answer and lie beyond.", count(h.unanswered))
    } else {
        String::new()
    };
    let words = h.counts.iter().enumerate().filter(|(_, n)| **n > 0).take(60);
    let words: Vec<String> =
        words.map(|(bin, n)| format!("from {}: {n}", time((h.from + h.bin * bin as Ns) as f64))).collect();
    let plot = PlanePlot {
        title: "How many took how long".to_owned(),
        subtitle: format!("Bins of {}.{unanswered}", time(h.bin as f64)),
        words: format!("{}.", words.join("; ")),
        x_axis: format!("latency ({})", scale.unit()),
        y_axis: "requests".to_owned(),
        x_from: of_ns(scale, h.from as f64),
        x_end: of_ns(scale, end as f64),
        y_end: h.counts.iter().max().copied().unwrap_or(0) as f64,
        shapes: h.counts.iter().enumerate().map(bar).collect(),
        ..PlanePlot::default()
    };
    Some(of_plane("latency-histogram", plot.title.clone(), plot))
}

/// Which share was answered by when. The names of the curves stand in the legend.
pub(crate) fn distribution(name: &str, title: &str, curves: &[(String, &Curve)]) -> Option<Sketch> {
    let ends = || curves.iter().flat_map(|(_, c)| [c.points.first(), c.points.last()]).flatten().map(|p| p.0 as f64);
    let end = ends().fold(0.0, f64::max);
    if end == 0.0 {
        return None;
    }
    let begin = ends().fold(f64::INFINITY, f64::min);
    let scale = TimeScale::covering(end * SECOND);
    let line = |(i, (_, c)): (usize, &(String, &Curve))| {
        let mut points = Vec::new();
        let mut below = 0.0;
        for (ns, share) in &c.points {
            // A step: nothing happens between two times.
            points.extend([(of_ns(scale, *ns as f64), 100.0 * below), (of_ns(scale, *ns as f64), 100.0 * share)]);
            below = *share;
        }
        Shape::Line { points, series: i }
    };
    let short_of = |(name, c): &(String, &Curve)| {
        let reached = c.points.last().map_or(0.0, |p| p.1);
        (reached < 1.0).then(|| {
            let share = format::coverage_percent(reached);
            format!(" {name} ends at {share} %: the others had no answer.")
        })
    };
    let at = |c: &Curve, share: f64| c.points.iter().find(|p| p.1 >= share).map(|p| time(p.0 as f64));
    let words = curves.iter().map(|(name, c)| {
        let of: Vec<String> =
            [0.1, 0.5, 0.9, 0.99].iter().filter_map(|s| Some(format!("{} % by {}", 100.0 * s, at(c, *s)?))).collect();
        format!("{name}, {} in all: {}.", count(c.n as u64), of.join(", "))
    });
    let plot = PlanePlot {
        title: title.to_owned(),
        subtitle: format!(
            "The higher and the further left, the faster.{}",
            curves.iter().filter_map(short_of).collect::<String>()
        ),
        words: words.collect::<Vec<_>>().join(" "),
        x_axis: format!("time ({})", scale.unit()),
        y_axis: "share of requests (%)".to_owned(),
        x_from: if begin > 0.5 * end { of_ns(scale, begin) } else { 0.0 },
        x_end: of_ns(scale, end),
        y_end: 100.0,
        series: curves.iter().map(|(name, _)| name.clone()).collect(),
        shapes: curves.iter().enumerate().map(line).collect(),
        ..PlanePlot::default()
    };
    Some(of_plane(name, plot.title.clone(), plot))
}

/// Latency over the time of the run.
pub(crate) fn course(picture: &Picture) -> Option<Sketch> {
    let windows = &picture.course.windows;
    let end = windows.iter().filter_map(|w| w.latency).map(|l| l.2 as f64).fold(0.0, f64::max);
    if end == 0.0 || windows.len() < 2 {
        return None;
    }
    let whole = windows.iter().map(|w| w.to).max().unwrap_or(0) as f64;
    let (scale, across) = (TimeScale::covering(end * SECOND), TimeScale::covering(whole * SECOND));
    let middle = |w: &vbench_load::Window| of_ns(across, (w.from as f64).midpoint(w.to as f64));
    let known = || windows.iter().filter_map(|w| Some((w, w.latency?)));
    let dot = |(w, (lo, m, hi)): (&vbench_load::Window, (Ns, f64, Ns))| {
        Shape::Point(Dot {
            x: middle(w),
            y: of_ns(scale, m),
            y_interval: Some((of_ns(scale, lo as f64), of_ns(scale, hi as f64))),
            series: 0,
            filled: true,
            small: true,
            ..Dot::default()
        })
    };
    let mut shapes: Vec<Shape> = known().map(dot).collect();
    shapes.push(Shape::Line { points: known().map(|(w, l)| (middle(w), of_ns(scale, l.1))).collect(), series: 0 });
    // Unanswered requests stand at the top, where nothing longer was seen.
    let lost = windows.iter().filter(|w| w.unanswered > 0);
    shapes.extend(
        lost.clone().map(|w| {
            Shape::Point(Dot { x: middle(w), y: of_ns(scale, end), series: 1, filled: true, ..Dot::default() })
        }),
    );
    let unanswered: usize = lost.map(|w| w.unanswered).sum();
    let mut subtitle =
        "Each mark: the median of a stretch of requests; its line from the shortest to the longest.".to_owned();
    if unanswered > 0 {
        subtitle +=
            &format!(" Squares at the top: stretches with requests without an answer ({}).", count(unanswered as u64));
    }
    let quarters = picture.course.quarters.map_or_else(String::new, |(first, last)| {
        format!("Median of the first quarter {}, of the last {}.", time(first), time(last))
    });
    let plot = PlanePlot {
        title: "Latency over the time of the run".to_owned(),
        subtitle,
        words: quarters,
        x_axis: format!("time since the first request ({})", across.unit()),
        y_axis: format!("latency ({})", scale.unit()),
        x_end: of_ns(across, whole),
        y_end: of_ns(scale, end),
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane("latency-over-time", plot.title.clone(), plot))
}
