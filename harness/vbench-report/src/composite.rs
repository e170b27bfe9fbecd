//! Areas, overall scores and latency readings as sentences, the same for the terminal, Markdown and the page.

use vbench_compare::{LatencyReadings, OverallScore, SeverityCurve, Summary};
use vbench_core::Estimate;

use crate::curve::MAX_FIGURES;
use crate::family::{Family, families};
use crate::format::{self, visible};
use crate::strata;

/// Sentences that two runs with one seed share: areas under severity curves, then overall scores.
pub(crate) fn findings(summary: &Summary) -> Vec<String> {
    let several = strata::models(summary).len() > 1;
    let families = families(summary);
    let area_of = |c| families.iter().find(|f| f.has(c)).map(|f| area(f, c, several));
    let mut sentences: Vec<String> = summary.curves.iter().filter_map(area_of).collect();
    if families.len() > MAX_FIGURES {
        let all = format::count(families.len() as u64);
        sentences.push(format!("figures show the first {MAX_FIGURES} of {all} families; summary.json has every curve"));
    }
    sentences.extend(summary.overall.iter().map(|o| overall(o, several)));
    sentences
}

/// Sentences that depend on timings: WER under the latency budget, in its three readings.
pub(crate) fn latencies(summary: &Summary) -> Vec<String> {
    let several = strata::models(summary).len() > 1;
    summary.latency.iter().map(|l| latency(l, several)).collect()
}

fn area(family: &Family<'_>, curve: &SeverityCurve, several: bool) -> String {
    let level = |p: Option<&vbench_compare::CurvePoint>| p.map_or(f64::NAN, |p| p.value);
    let range = family.axis.range(level(curve.points.first()), level(curve.points.last()));
    let name = family.name.as_ref().map_or_else(String::new, |name| format!(", {name}"));
    let value = in_words(&curve.area, curve.note.as_deref());
    format!("area under WER over {range}{name}{}: {value}", of_model(&curve.model, several))
}

fn overall(score: &OverallScore, several: bool) -> String {
    let total: f64 = score.weights.iter().map(|w| w.weight).sum();
    let share = |weight: f64| format!("{} %", format::RATE.with_decimals(0).number(weight / total));
    let parts: Vec<String> =
        score.weights.iter().map(|w| format!("{}={} {}", visible(&w.by), visible(&w.value), share(w.weight))).collect();
    let value = in_words(&score.wer, score.note.as_deref());
    format!("overall WER{} ({}): {value}", of_model(&score.model, several), parts.join(", "))
}

fn latency(l: &LatencyReadings, several: bool) -> String {
    let untimed =
        if l.untimed == 0 { String::new() } else { format!(" ({} more not timed)", format::count(l.untimed as u64)) };
    format!(
        "within {} ms of the end of the audio{}: {} of {} timed cells{untimed}; WER on time only {}, late as empty {}, \
         full {}",
        l.budget_ms,
        of_model(&l.model, several),
        short(&l.on_time),
        format::count(l.timed as u64),
        short(&l.wer_on_time),
        short(&l.wer_late_empty),
        in_words(&l.wer, l.note.as_deref()),
    )
}

fn of_model(model: &str, several: bool) -> String {
    if several { format!(", {}", visible(model)) } else { String::new() }
}

/// `7.90 % [5.12, 11.20]`, or the value with the reason why there is no interval.
fn short(estimate: &Estimate) -> String {
    let value = format::RATE.number(estimate.value);
    match format::usable_interval(estimate) {
        Ok(i) => format!("{value} % {}", format::RATE.interval(i.lo, i.hi)),
        Err(reason) if estimate.value.is_finite() => format!("{value} % (no interval: {})", visible(reason)),
        Err(reason) => format!("{} ({})", format::ABSENT, visible(reason)),
    }
}

/// The same with level, resampling unit and what the interval is conditional on.
fn in_words(estimate: &Estimate, note: Option<&str>) -> String {
    let text = short(estimate);
    let Ok(i) = format::usable_interval(estimate) else { return text };
    let conditional = format::conditional(i.unit, note).map_or_else(String::new, |n| format!(", {n}"));
    format!("{text} ({} interval, resampling {}{conditional})", format::level(i.level), format::unit(i))
}
