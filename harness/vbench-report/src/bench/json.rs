//! `bench.json`, schema `vbench/bench/1`. Times in milliseconds.

use serde_json::{Map, Value, json};
use vbench_load::{
    Allocations, Band, BudgetVerdict, CostCurve, Distribution, EARLY_STOPPING_CONFIDENCE, LoadError, LoadSearch,
    PERCENTILES, Resources, StageSummary, SweepSummary, Tail, TailValue, Trend,
};

use super::BenchView;

/// The bench as JSON.
#[must_use]
pub fn bench_json(view: &BenchView<'_>) -> Value {
    let s = view.summary;
    let c = s.counts;
    let mut results = vec![result("latency_ms", &s.latency), result("end_to_end_ms", &s.end_to_end)];
    for (name, distribution) in [
        ("first_partial_ms", &s.first_partial),
        ("final_text_ms", &s.final_text),
        ("first_token_ms", &s.first_token),
        ("first_audible_ms", &s.first_audible),
    ] {
        results.extend(distribution.as_ref().map(|d| result(name, d)));
    }
    results.extend(s.barge_in.as_ref().map(|b| result("barge_in_stop_ms", &b.stop)));
    results.push(result("lateness_ms", &s.lateness));
    json!({
        "schema": "vbench/bench/1",
        "model": view.model,
        "scenario": s.plan.scenario.name(),
        "closed_loop": s.plan.scenario.is_closed_loop(),
        "boundary": view.boundary,
        "voided": s.voided,
        "counts": {
            "requests": c.requests, "answered": c.answered, "failed": c.failed, "timed_out": c.timed_out,
            "impossible": c.impossible, "answered_twice": c.answered_twice, "clock_went_back": c.clock_went_back,
            "clock_ahead": c.clock_ahead, "strays": c.strays,
        },
        "failures": s.failures.iter().take(10).map(|(reason, n)| json!({"reason": reason, "count": n})).collect::<Vec<_>>(),
        "offered_per_s": s.offered_hz,
        "answered_per_s": s.answered_hz,
        "rtf": s.rtf,
        "rtfx": s.rtfx,
        "flicker": s.flicker,
        "wall_s": s.wall as f64 * 1e-9,
        "open_ms": view.open.map(|ns| to_ms(ns as f64)),
        "cold_ms": view.cold.map(|ns| to_ms(ns as f64)),
        "warm_up": view.warm_up,
        "timeout_ms": to_ms(s.plan.timeout as f64),
        "seed": s.plan.seed,
        "facts": view.facts.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect::<serde_json::Map<_, _>>(),
        "results": results,
        "sound": s.sound.map(|p| json!({
            "replies": p.replies, "silent": p.silent, "with_underruns": p.with_underruns, "underruns": p.underruns,
            "gap_ms": to_ms(p.gap as f64),
        })),
        "barge_in": s.barge_in.as_ref().map(|b| json!({"stopped": b.stopped(), "ignored": b.ignored})),
        "stages": s.stages.as_ref().map(stages),
        "trend": s.trend.as_ref().map(trend),
        "backlog": s.backlog.map(|b| json!({"usual": b.usual, "least": b.least, "grows": b.grows()})),
        "bands": view.bands.iter().map(band).collect::<Vec<_>>(),
        "budgets": budgets_json(view.budgets),
        "search": view.search.map(search),
        "sweep": view.sweep.map(sweep),
        "resources": view.resources.map(resources),
    })
}

fn to_ms(ns: f64) -> f64 {
    ns / 1e6
}

pub(crate) fn percentile(percentile: f64, tail: &Result<Tail, LoadError>) -> Value {
    let bound = |value: TailValue| match value {
        TailValue::At(ns) => json!(to_ms(ns)),
        TailValue::AtLeast(ns) => json!({"at_least": to_ms(ns)}),
    };
    match tail {
        Ok(t) => json!({
            "percentile": percentile, "value": bound(t.value), "lo": bound(t.lo), "hi": bound(t.hi), "level": t.level,
            "method": "order-statistic", "unit": "request", "n": t.n,
        }),
        Err(reason) => json!({"percentile": percentile, "value": null, "reason": reason.to_string()}),
    }
}

/// A distribution under a metric's name.
fn result(metric: &str, d: &Distribution) -> Value {
    let mut out = json!({"metric": metric});
    if let (Value::Object(out), Value::Object(numbers)) = (&mut out, distribution(d)) {
        out.extend(numbers);
    }
    out
}

pub(crate) fn distribution(d: &Distribution) -> Value {
    let early = |(p, ns): (&f64, &Option<u64>)| json!({"percentile": p, "value": ns.map(|ns| to_ms(ns as f64)), "confidence": EARLY_STOPPING_CONFIDENCE});
    json!({
        "unit": "ms", "n": d.n, "censored": d.censored,
        "mean": d.mean.map(to_ms), "max": d.max.map(|ns| to_ms(ns as f64)),
        "percentiles": PERCENTILES.iter().zip(&d.tails).map(|(p, t)| percentile(*p, t)).collect::<Vec<_>>(),
        "early_stopping": PERCENTILES.iter().zip(&d.early_stopping).map(early).collect::<Vec<_>>(),
    })
}

fn stages(s: &StageSummary) -> Value {
    let stage = |t: &vbench_load::StageTimes| json!({"name": t.name, "owner": t.owner, "share": t.share, "contribution": distribution(&t.times)});
    json!({
        "turns": s.turns, "impossible": s.impossible,
        "first_impossible": s.first_impossible.as_ref().map(|(id, e)| json!({"id": id, "reason": e.to_string()})),
        "stages": s.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}

fn trend(t: &Trend) -> Value {
    json!({
        "slows_down": t.slows_down, "rise": t.rise, "p_rise": t.p_rise, "blocks": t.blocks,
        "method": "Mann-Kendall over block medians, one-sided; rise by the Theil-Sen line",
    })
}

fn band(b: &Band) -> Value {
    json!({
        "from_ms": b.from_ms, "to_ms": b.to_ms, "turns": b.turns,
        "share": {"value": b.share, "lo": b.lo, "hi": b.hi, "level": vbench_load::LEVEL, "method": "wilson", "unit": "request"},
    })
}

/// Budgets with their verdicts.
#[must_use]
pub fn budgets_json(budgets: &[BudgetVerdict]) -> Value {
    budgets.iter().map(budget).collect()
}

fn budget(b: &BudgetVerdict) -> Value {
    let stage = matches!(b.budget.subject, vbench_core::BudgetSubject::Stage(_));
    json!({
        "subject": b.budget.subject.key(), "stage": stage, "limit_ms": b.budget.limit_ms,
        "percentile": b.budget.percentile, "verdict": b.verdict.name(),
        "n": b.n, "over": b.over, "observed": percentile(b.budget.percentile, &b.observed),
        "p_pass": b.p_pass, "p_fail": b.p_fail, "alpha": vbench_load::BUDGET_ALPHA, "requests_needed": b.needed,
    })
}

fn search(s: &LoadSearch) -> Value {
    let trial = |t: &vbench_load::Trial| {
        json!({
            "rate_per_s": t.rate_hz, "confirms": t.confirms, "verdict": t.holds.name(), "voided": t.summary.voided,
            "requests": t.summary.counts.requests, "answered": t.summary.counts.answered,
            "offered_per_s": t.summary.offered_hz, "answered_per_s": t.summary.answered_hz,
            "latency": distribution(&t.summary.latency),
        })
    };
    json!({
        "percentile": s.goal.percentile, "limit_ms": s.goal.limit_ms, "best_per_s": s.best_hz, "ended": s.ended,
        "trials": s.trials.iter().map(trial).collect::<Vec<_>>(),
    })
}

fn sweep(s: &SweepSummary) -> Value {
    let point = |p: &vbench_load::SweepPoint| json!({"value": p.value, "audio_s": p.audio_s, "rtf": p.rtf, "latency": distribution(&p.latency)});
    json!({
        "parameter": s.parameter.name(), "unit": s.parameter.unit(), "points": s.points.iter().map(point).collect::<Vec<_>>(),
        "cost": s.cost.as_ref().map(|c| match c {
            Ok(curve) => cost(curve),
            Err(reason) => json!({"terms": null, "reason": reason}),
        }),
    })
}

fn cost(c: &CostCurve) -> Value {
    let units = ["ms", "ms/s", "ms/s^2"];
    let term = |(unit, t): (&&str, &vbench_stats::polynomial::Term)| json!({"value": t.value, "lo": t.lo, "hi": t.hi, "level": c.fit.level, "method": "least squares, HC3", "unit": unit});
    json!({
        "terms": units.iter().zip(&c.fit.terms).map(term).collect::<Vec<_>>(),
        "square": c.square, "clips": c.clips, "r2": c.fit.r2,
    })
}

fn resources(r: &Resources) -> Value {
    let counted = |a: Allocations| {
        json!({
            "count": a.count, "bytes": a.bytes, "per_request": a.per_request, "bytes_per_request": a.bytes_per_request,
        })
    };
    let mut out = Map::new();
    out.insert("boundary".into(), r.boundary.as_str().into());
    for (key, value) in [
        ("cpu_s", r.cpu_s),
        ("cpu_ms_per_request", r.cpu_ms_per_request),
        ("cpus", r.cpus),
        ("rss_begin_mib", r.rss_begin_mib),
        ("rss_peak_mib", r.rss_peak_mib),
    ] {
        out.insert(key.into(), json!(value));
    }
    out.insert("threads".into(), json!(r.threads));
    out.insert("allocations".into(), json!(r.allocations.map(counted)));
    Value::Object(out)
}
