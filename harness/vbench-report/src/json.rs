//! The summary as JSON, schema `vbench/run/1`.
//!
//! Keys stand in a fixed order. A number that does not exist is absent, never `NaN` or `null`. Rates are fractions,
//! levels dB, durations seconds. Text is raw: JSON strings need no other escaping.
//!
//! ```text
//! {"schema", "suite", "normalizer", "weights", "seed", "primary",
//!  "coverage": {"planned", "done", "failed", "skipped", "outstanding", "fraction", "stopped_early"?},
//!  "results": [{"model", "stratum": {"by", "value"}, "metric", "normalizer"?, "weights"?, "counts": {…}, "estimate",
//!               "note"?}],
//!  "failures": [{"cell", "outcome", "kind", "text"}]}
//! ```
//!
//! Metrics: `wer`, `wer_macro`, `cer`, `ser` (share of utterances with a word error), `achieved_snr_db`, `rtf`, and
//! `wer_difference` with `from`, `p_value`. `note` tells what an interval is conditional on. An estimate is
//! `{"value", "lo", "hi", "level", "method", "unit", "clusters", "n", "seed"}` or `{"value", "reason"}`.

use serde_json::{Map, Value, json};
use vbench_compare::{ConditionDelta, StratumSummary, Summary};
use vbench_core::{ErrorCounts, Estimate};

use crate::format::{conditional, usable_interval};

/// Schema of [`summary_json`].
pub const SCHEMA: &str = "vbench/run/1";

/// The summary as a JSON value, keys in a fixed order.
#[must_use]
pub fn summary_json(summary: &Summary) -> Value {
    let c = &summary.coverage;
    let results: Vec<Value> = summary
        .strata
        .iter()
        .flat_map(|stratum| stratum_results(summary, stratum))
        .chain(summary.deltas.iter().map(|delta| delta_result(summary, delta)))
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

pub(crate) fn estimate_json(estimate: &Estimate) -> Value {
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
