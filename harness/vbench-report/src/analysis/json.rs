//! The analysis as JSON: the object `analysis` of `summary.json`.
//!
//! ```text
//! {"metric": "wer" | "cer",
//!  "models": [{"model",
//!    "errors": [{"stratum": {"by", "value"}, "cells", "counts": {…}, "hallucinated", "shares"?: {"sub", "del", "ins"}}],
//!    "normalizers": [{"stratum", "normalizer", "used", "counts", "left_out", "estimate", "note"?}],
//!    "speakers": {"rows": [{"speaker", "cells", "counts", "estimate", "worst"}], "unknown_cells", "silent",
//!                 "worst_tenth": {"speakers", "estimate", "others", "note"?} | {"reason"}},
//!    "confusions": {"counts", "substitutions": [{"reference", "hypothesis", "count", "share"}],
//!                   "deletions": [{"word", "count", "share"}], "insertions": […]},
//!    "phonemes": {"language", "basis", "labels", "counts", "total", "stretches", "same_sound", "left_out", "cells",
//!                 "other_cells"} | {"reason"}}],
//!  "times": [{"model", "timed", "untimed", "min_s", "max_s", "percentiles": [{"q", "value_s", "lo_s"?, "hi_s"?, "level",
//!             "unit", "method", "n", "needed"}], "histogram": {"bin_s", "counts", "beyond"}, "cdf": [[seconds, share]], "rtf",
//!             "stages": {"cells", "total_s", "stages": [{"name", "owner", "from_s", "mean_s", "share", "cells"}]}}],
//!  "trade_offs": [{"model", "estimate", "median_s", "dominated_by": […]}]}
//! ```
//!
//! Rates and shares are fractions, times seconds. Strata are `all` and the conditions. `shares` are parts of the error rate
//! and add up to it. An end of a percentile's interval is absent where too few utterances were timed.

use serde_json::{Map, Value, json};
use vbench_compare::analysis::{
    Analysis, BandRow, ConfusedWord, ErrorMix, ModelErrors, ModelTimes, NormalizerBand, Percentile, Speakers, TradeOff,
};

use super::words;
use crate::json::{counts, estimate_json, insert_number};

/// The analysis as a JSON value, keys in a fixed order.
#[must_use]
pub fn analysis_json(analysis: &Analysis) -> Value {
    json!({
        "metric": analysis.rate.metric(),
        "models": analysis.errors.iter().map(model).collect::<Vec<Value>>(),
        "times": analysis.times.iter().map(times).collect::<Vec<Value>>(),
        "trade_offs": analysis.trade_offs.iter().map(trade_off).collect::<Vec<Value>>(),
    })
}

fn model(m: &ModelErrors) -> Value {
    let word = |w: &ConfusedWord| json!({"word": w.word, "count": w.count, "share": w.share});
    let c = &m.confused;
    let pairs = c
        .substitutions
        .iter()
        .map(|p| json!({"reference": p.reference, "hypothesis": p.hypothesis, "count": p.count, "share": p.share}));
    json!({
        "model": m.model,
        "errors": m.mix.iter().map(mix).collect::<Vec<Value>>(),
        "normalizers": m.bands.iter().flat_map(|b| b.rows.iter().map(move |r| band(b, r))).collect::<Vec<Value>>(),
        "speakers": speakers(&m.speakers),
        "confusions": {
            "counts": counts(&c.counts),
            "substitutions": pairs.collect::<Vec<Value>>(),
            "deletions": c.deletions.iter().map(word).collect::<Vec<Value>>(),
            "insertions": c.insertions.iter().map(word).collect::<Vec<Value>>(),
        },
        "phonemes": match &m.phonemes {
            Err(reason) => json!({"reason": reason}),
            Ok(t) => json!({
                "language": t.language, "basis": t.basis, "labels": t.labels, "counts": t.counts,
                "total": counts(&t.total), "stretches": t.stretches, "same_sound": t.same_sound,
                "left_out": t.left_out, "cells": t.cells, "other_cells": t.other_cells,
            }),
        },
    })
}

fn mix(m: &ErrorMix) -> Value {
    let mut out = Map::new();
    out.insert("stratum".into(), json!({"by": m.by, "value": m.value}));
    out.insert("cells".into(), m.cells.into());
    out.insert("counts".into(), counts(&m.counts).into());
    out.insert("hallucinated".into(), m.hallucinated.into());
    if let Some(s) = m.shares {
        out.insert("shares".into(), json!({"sub": s.sub, "del": s.del, "ins": s.ins}));
    }
    out.into()
}

fn band(b: &NormalizerBand, r: &BandRow) -> Value {
    let mut out = Map::new();
    out.insert("stratum".into(), json!({"by": b.by, "value": b.value}));
    out.insert("normalizer".into(), r.normalizer.clone().into());
    out.insert("used".into(), r.used.into());
    out.insert("counts".into(), counts(&r.counts).into());
    out.insert("left_out".into(), r.left_out.into());
    out.insert("estimate".into(), estimate_json(&r.rate));
    if let Some(note) = &r.note {
        out.insert("note".into(), note.clone().into());
    }
    out.into()
}

fn speakers(s: &Speakers) -> Value {
    let rows = s.rows.iter().map(|r| {
        json!({"speaker": r.speaker, "cells": r.cells, "counts": counts(&r.counts), "estimate": estimate_json(&r.rate),
               "worst": r.worst})
    });
    let worst = match &s.worst {
        Err(reason) => json!({"reason": reason}),
        Ok(t) => {
            let mut out = json!({"speakers": t.speakers, "estimate": estimate_json(&t.rate),
                                 "others": estimate_json(&t.others)});
            if let Some(note) = &t.note {
                out["note"] = note.clone().into();
            }
            out
        }
    };
    let rows = rows.collect::<Vec<Value>>();
    json!({"rows": rows, "unknown_cells": s.unknown, "silent": s.silent, "worst_tenth": worst})
}

fn times(t: &ModelTimes) -> Value {
    let w = &t.waterfall;
    let stages = w.stages.iter().map(|s| {
        json!({"name": s.name, "owner": s.owner, "from_s": s.from_s, "mean_s": estimate_json(&s.mean), "share": s.share,
               "cells": s.cells})
    });
    json!({
        "model": t.model, "timed": t.timed, "untimed": t.untimed, "min_s": t.range_s.0, "max_s": t.range_s.1,
        "percentiles": t.percentiles.iter().map(percentile).collect::<Vec<Value>>(),
        "histogram": {"bin_s": t.histogram.bin_s, "counts": t.histogram.counts, "beyond": t.histogram.beyond},
        "cdf": t.cdf,
        "rtf": estimate_json(&t.rtf),
        "stages": {"cells": w.cells, "total_s": w.total_s, "stages": stages.collect::<Vec<Value>>()},
    })
}

fn percentile(p: &Percentile) -> Value {
    let mut out = Map::new();
    insert_number(&mut out, "q", p.q);
    insert_number(&mut out, "value_s", p.time_s.value);
    let (lo, hi) = words::ends(&p.time_s);
    for (key, end) in [("lo_s", lo), ("hi_s", hi)] {
        if let Some(end) = end {
            insert_number(&mut out, key, end);
        }
    }
    insert_number(&mut out, "level", p.time_s.level);
    // Cells of one utterance are alike: the interval takes them as separate draws, and says so.
    out.insert("unit".into(), "cell".into());
    out.insert("method".into(), "order statistics".into());
    out.insert("n".into(), p.time_s.n.into());
    out.insert("needed".into(), p.needed.into());
    out.into()
}

fn trade_off(t: &TradeOff) -> Value {
    json!({"model": t.model, "estimate": estimate_json(&t.rate), "median_s": t.median_s.value,
           "dominated_by": t.dominated_by})
}
