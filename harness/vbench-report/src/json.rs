//! The summary as JSON, schema `vbench/run/1`.
//!
//! Keys stand in a fixed order. A number that does not exist is absent, never `NaN` or `null`. Rates are fractions,
//! levels dB, durations seconds. Text is raw: JSON strings need no other escaping.
//!
//! ```text
//! {"schema", "suite", "normalizer", "weights", "seed", "primary",
//!  "coverage": {"planned", "done", "failed", "skipped", "outstanding", "fraction", "stopped_early"?},
//!  "results": [{"model"?, "stratum": {"by", "value"}, "metric", "normalizer"?, "weights"?, "counts": {…}, "estimate",
//!               "note"?}],
//!  "failures": [{"cell", "outcome", "kind", "text"}], "analysis"?}
//! ```
//!
//! Metrics of a model as a whole, under strata of their own: `wer_area` (by `curve`, value as in the name of the figure
//! behind `wer-by-`, e.g. `snr`) of one `family` of conditions over the `parameter` that varies in it, with `points` of
//! `{"value", "snr_db"?, "scored", "estimate"}`, where `value` is the parameter's and stands again as `snr_db` if it is
//! that; `wer` by `overall`, value `declared`, with its strata and their weights under `of`; and by `latency`, value the
//! budget such as `200 ms`: `wer_on_time` (beside `on_time`, the share of timed cells, as an estimate), `wer_late_empty`
//! and `wer`, each over the timed cells.
//!
//! Metrics of the signal against its clean input, by condition, stand without a `model` (it is the same audio for all):
//! `metric` is a name of `vbench_core::SIGNAL_METRICS`, whose unit its name tells, the estimate is the mean over utterances,
//! `counts` are `{"utterances", "undefined"}`.
//!
//! Metrics: `wer`, `wer_macro`, `cer`, `ser` (share of utterances with a word error), `achieved_snr_db`, `rtf`, and
//! `wer_difference` with `from`, `p_value`. `note` tells what an interval is conditional on. An estimate is
//! `{"value", "lo", "hi", "level", "method", "unit", "clusters", "n", "seed"}` or `{"value", "reason"}`.

use serde_json::{Map, Value, json};
use vbench_compare::{
    ConditionDelta, CurvePoint, LatencyReadings, OverallScore, SeverityCurve, SignalSummary, StratumSummary, Summary,
};
use vbench_core::{ErrorCounts, Estimate};

use crate::analysis::analysis_json;
use crate::family::{Family, families};
use crate::format::{conditional, usable_interval};
use crate::input::ReportInput;

/// Schema of [`summary_json`].
pub const SCHEMA: &str = "vbench/run/1";

/// The summary as a JSON value, keys in a fixed order.
#[must_use]
pub fn summary_json(summary: &Summary) -> Value {
    let c = &summary.coverage;
    let families = families(summary);
    let results: Vec<Value> = summary
        .strata
        .iter()
        .flat_map(|stratum| stratum_results(summary, stratum))
        .chain(summary.deltas.iter().map(|delta| delta_result(summary, delta)))
        .chain(summary.curves.iter().map(|curve| area_result(summary, &families, curve)))
        .chain(summary.signal.iter().map(signal_result))
        .chain(summary.overall.iter().map(|score| overall_result(summary, score)))
        .chain(summary.latency.iter().flat_map(|readings| latency_results(summary, readings)))
        .collect();
    let failures: Vec<Value> = summary
        .failures
        .iter()
        .map(|f| json!({"cell": f.cell, "outcome": f.outcome, "kind": f.kind, "text": f.text}))
        .collect();
    let mut out = json!({
        "schema": SCHEMA,
        "suite": summary.suite,
        "normalizer": summary.normalizer,
        "weights": summary.weights,
        "seed": summary.seed,
        "primary": summary.primary,
        "absent_corpora": summary.absent,
        "coverage": {
            "planned": c.planned,
            "done": c.done,
            "failed": c.failed,
            "skipped": c.skipped,
            "outstanding": c.outstanding,
            "fraction": c.fraction(),
        },
        "results": results,
        "failures": failures,
    });
    if c.stopped_early {
        out["coverage"]["stopped_early"] = true.into();
    }
    out
}

/// The summary with the analysis beside it, where there is one: what `summary.json` holds.
#[must_use]
pub fn run_json(input: &ReportInput<'_>) -> Value {
    let mut out = summary_json(input.summary);
    if let Some(analysed) = &input.analysis {
        out["analysis"] = analysis_json(analysed.analysis);
    }
    out
}

/// One result per metric that the stratum has.
fn stratum_results(summary: &Summary, s: &StratumSummary) -> Vec<Value> {
    let mut words = counts(&s.words);
    words.insert("total_min".into(), s.words_min_errors.into());
    words.insert("hallucinated_words".into(), s.hallucinated_words.into());
    let utterances = cells(s);
    let point = |value: f64| Estimate::not_estimable(value, "no interval is computed for this metric");
    let mut results = vec![result(summary, s, "wer", Some(words), &s.wer)];
    if let Some(value) = s.wer_macro {
        results.push(result(summary, s, "wer_macro", Some(utterances.clone()), &point(value)));
    }
    results.push(result(summary, s, "cer", Some(counts(&s.chars)), &s.cer));
    if let Some(value) = s.sentence_error_rate {
        results.push(result(summary, s, "ser", Some(utterances), &point(value)));
    }
    if let Some(snr) = &s.snr_db {
        results.push(result(summary, s, "achieved_snr_db", None, snr));
    }
    if let Some(rtf) = &s.rtf {
        let mut seconds = Map::new();
        insert_number(&mut seconds, "audio_s", s.audio_s);
        insert_number(&mut seconds, "processing_s", s.processing_s);
        results.push(result(summary, s, "rtf", Some(seconds), rtf));
    }
    results
}

/// `own_counts` are those of the metric, put behind the cell counts. Levels and times know no normaliser.
fn result(
    summary: &Summary,
    s: &StratumSummary,
    metric: &str,
    own_counts: Option<Map<String, Value>>,
    estimate: &Estimate,
) -> Value {
    let mut out = Map::new();
    out.insert("model".into(), s.model.clone().into());
    out.insert("stratum".into(), json!({"by": s.by, "value": s.value}));
    out.insert("metric".into(), metric.into());
    if !matches!(metric, "achieved_snr_db" | "rtf") {
        out.insert("normalizer".into(), summary.normalizer.clone().into());
        out.insert("weights".into(), summary.weights.clone().into());
    }
    let mut all = cells(s);
    all.extend(own_counts.unwrap_or_default());
    out.insert("counts".into(), all.into());
    out.insert("estimate".into(), estimate_json(estimate));
    let unit = usable_interval(estimate).ok().map(|i| i.unit);
    if let Some(note) = unit.and_then(|unit| conditional(unit, s.note.as_deref())) {
        out.insert("note".into(), note.into());
    }
    out.into()
}

fn delta_result(summary: &Summary, d: &ConditionDelta) -> Value {
    let mut out = Map::new();
    out.insert("model".into(), d.model.clone().into());
    out.insert("stratum".into(), json!({"by": "condition", "value": d.to}));
    out.insert("metric".into(), "wer_difference".into());
    out.insert("from".into(), d.from.clone().into());
    out.insert("normalizer".into(), summary.normalizer.clone().into());
    out.insert("weights".into(), summary.weights.clone().into());
    out.insert("counts".into(), json!({"utterances": d.utterances}));
    out.insert("estimate".into(), estimate_json(&d.wer_difference));
    if let Some(p) = d.p_value {
        insert_number(&mut out, "p_value", p);
    }
    out.into()
}

fn area_result(summary: &Summary, families: &[Family<'_>], c: &SeverityCurve) -> Value {
    let point = |p: &CurvePoint| {
        let mut out = Map::new();
        insert_number(&mut out, "value", p.value);
        if c.parameter == "snr_db" {
            insert_number(&mut out, "snr_db", p.value);
        }
        out.insert("scored".into(), p.scored.into());
        out.insert("estimate".into(), estimate_json(&p.wer));
        Value::from(out)
    };
    let points: Vec<Value> = c.points.iter().map(point).collect();
    let id = families.iter().find(|f| f.has(c)).map_or("", |f| f.id.as_str());
    let counts = json!({"levels": c.points.len(), "scored": c.points.iter().map(|p| p.scored).sum::<usize>()});
    let mut out = composite(summary, &c.model, ("curve", id), "wer_area", (counts, &c.area, c.note.as_deref()));
    out.insert("family".into(), c.family.clone().into());
    out.insert("parameter".into(), c.parameter.clone().into());
    out.insert("points".into(), points.into());
    out.into()
}

/// A metric of the signal has no model: the audio is the same for all of them.
fn signal_result(s: &SignalSummary) -> Value {
    let mut out = Map::new();
    out.insert("stratum".into(), json!({"by": "condition", "value": s.condition}));
    out.insert("metric".into(), s.metric.clone().into());
    out.insert("counts".into(), json!({"utterances": s.utterances, "undefined": s.undefined}));
    out.insert("estimate".into(), estimate_json(&s.mean));
    let unit = usable_interval(&s.mean).ok().map(|i| i.unit);
    if let Some(note) = unit.and_then(|unit| conditional(unit, s.note.as_deref())) {
        out.insert("note".into(), note.into());
    }
    out.into()
}

fn overall_result(summary: &Summary, s: &OverallScore) -> Value {
    let counts = json!({"strata": s.weights.len()});
    let mut out = composite(summary, &s.model, ("overall", "declared"), "wer", (counts, &s.wer, s.note.as_deref()));
    let weights = s.weights.iter().map(|w| json!({"by": w.by, "value": w.value, "weight": w.weight}));
    out.insert("of".into(), weights.collect());
    out.into()
}

/// The three readings under a latency budget.
fn latency_results(summary: &Summary, l: &LatencyReadings) -> [Value; 3] {
    let budget = format!("{} ms", l.budget_ms);
    let cells = json!({"timed": l.timed, "untimed": l.untimed, "late": l.late, "on_time": l.timed - l.late});
    let reading = |metric: &str, own: Map<String, Value>, estimate: &Estimate| {
        let mut counts = cells.as_object().cloned().unwrap_or_default();
        counts.extend(own);
        composite(summary, &l.model, ("latency", &budget), metric, (counts.into(), estimate, l.note.as_deref()))
    };
    let mut on_time = reading("wer_on_time", counts(&l.on_time_words), &l.wer_on_time);
    on_time.insert("on_time".into(), estimate_json(&l.on_time));
    let late_empty =
        Map::from_iter([("errors".into(), l.late_empty_errors.into()), ("reference".into(), l.reference_words.into())]);
    let late_empty = reading("wer_late_empty", late_empty, &l.wer_late_empty);
    let full = Map::from_iter([("reference".into(), l.reference_words.into())]);
    [on_time.into(), late_empty.into(), reading("wer", full, &l.wer).into()]
}

/// A result that is not one of the suite's strata.
fn composite(
    summary: &Summary,
    model: &str,
    (by, value): (&str, &str),
    metric: &str,
    (counts, estimate, note): (Value, &Estimate, Option<&str>),
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("model".into(), model.into());
    out.insert("stratum".into(), json!({"by": by, "value": value}));
    out.insert("metric".into(), metric.into());
    out.insert("normalizer".into(), summary.normalizer.clone().into());
    out.insert("weights".into(), summary.weights.clone().into());
    out.insert("counts".into(), counts);
    out.insert("estimate".into(), estimate_json(estimate));
    let unit = usable_interval(estimate).ok().map(|i| i.unit);
    if let Some(note) = unit.and_then(|unit| conditional(unit, note)) {
        out.insert("note".into(), note.into());
    }
    out
}

fn cells(s: &StratumSummary) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("planned".into(), s.planned.into());
    out.insert("scored".into(), s.scored.into());
    out.insert("failed".into(), s.failed.into());
    out
}

pub(crate) fn counts(c: &ErrorCounts) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("hits".into(), c.hits.into());
    out.insert("substitutions".into(), c.sub.into());
    out.insert("deletions".into(), c.del.into());
    out.insert("insertions".into(), c.ins.into());
    out.insert("reference".into(), c.reference().into());
    out
}

/// An estimate as JSON: `{"value", "lo", "hi", "level", "method", "unit", "clusters", "n", "seed"}`, or `{"value",
/// "reason"}` where it has no interval.
#[must_use]
pub fn estimate_json(estimate: &Estimate) -> Value {
    let mut out = Map::new();
    insert_number(&mut out, "value", estimate.value);
    match usable_interval(estimate) {
        Ok(i) => {
            insert_number(&mut out, "lo", i.lo);
            insert_number(&mut out, "hi", i.hi);
            insert_number(&mut out, "level", i.level);
            out.insert("method".into(), i.method.clone().into());
            out.insert("unit".into(), i.unit.to_string().into());
            out.insert("clusters".into(), i.clusters.into());
            out.insert("n".into(), i.n.into());
            out.insert("seed".into(), i.seed.into());
        }
        Err(reason) => {
            out.insert("reason".into(), reason.into());
        }
    }
    out.into()
}

/// Leaves out what is not finite.
pub(crate) fn insert_number(out: &mut Map<String, Value>, key: &str, value: f64) {
    if value.is_finite() {
        out.insert(key.into(), value.into());
    }
}
