//! Schema `vbench/score/1`, written as it is made: a million utterances need no tree in memory.
//!
//! ```text
//! {"schema": "vbench/score/1", "seed", "pairing": {"pairs", "policy", "missing": {"count", "first"}, "extra": {…}, "times"?},
//!  "results": [{"stratum": {"by", "value"}, "normalizer", "weights",
//!    "words": {"hits", "substitutions", "deletions", "insertions", "reference", "total_min", "wer": Estimate, "wer_macro"?,
//!              "mer"?, "wil"?, "wip"?, "word_accuracy"?, "hallucinated"},
//!    "chars": {"unit", "hits", …, "total_min", "cer": Estimate, "cer_macro"?, "pairs_left_out"?},
//!    "sentences": {"total", "wrong", "empty_references", "ser": Estimate},
//!    "note"?, "utterances"?: [{"id", "words": {…}, "chars": {…}}]}],
//!  "analysis"?: {"confusions": {"substitutions", "deletions", "insertions"}, "by_part", "by_class", "by_length", "by_speaker",
//!                "findings", "keywords"?, "weighted"?, "phonemes"?}}
//! ```
//!
//! Rates are fractions. `total_min` is the Levenshtein distance, the least number of errors any alignment has. MER, WIL, WIP
//! and accuracy are over the pairs with a reference, as the rates are.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vbench_compare::TextSummary;
use vbench_core::ErrorCounts;
use vbench_score::analysis::{Analysis, KeywordCounts, WeightedCounts};
use vbench_score::formats::IdList;
use vbench_score::phoneme::PhonemeConfusions;
use vbench_score::{mer, wil, wip};

use super::{AnalysisReport, MultiReport, NormalizerResult, Pairing, ScoreReport, UtteranceCounts};
use crate::json::{counts, estimate_json, insert_number};

/// Schema of [`write_score_json`].
pub const SCHEMA: &str = "vbench/score/1";

/// Writes the report as one JSON object and a line feed.
///
/// # Errors
///
/// What the writer says.
pub fn write_score_json(report: &ScoreReport, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "{{\"schema\":\"{SCHEMA}\",\"seed\":{},\"pairing\":{},\"results\":[",
        report.seed,
        pairing(&report.pairing)
    )?;
    let mut separator = "";
    for result in &report.results {
        for (index, stratum) in result.strata.iter().enumerate() {
            writeln!(out, "{separator}")?;
            separator = ",";
            let mut fields = stratum_json(report, result, stratum).to_string();
            if index == 0 && !result.utterances.is_empty() {
                fields.pop();
                write!(out, "{fields},\"utterances\":[")?;
                utterances(report, &result.utterances, out)?;
                write!(out, "]}}")?;
            } else {
                write!(out, "{fields}")?;
            }
        }
    }
    write!(out, "\n]")?;
    if let Some(analysis) = &report.analysis {
        write!(out, ",\"analysis\":{}", analysis_json(analysis))?;
    }
    writeln!(out, "}}")
}

fn pairing(pairing: &Pairing) -> Value {
    let list = |ids: &IdList| json!({"count": ids.count, "first": ids.first});
    let mut out = json!({
        "pairs": pairing.pairs,
        "policy": pairing.policy,
        "missing": list(&pairing.missing),
        "extra": list(&pairing.extra),
    });
    if let Some(times) = &pairing.times {
        out["times"] = json!({
            "ignored_segments": times.ignored_segments,
            "ignored_words": times.ignored_words,
            "words_between": times.words_between,
        });
    }
    out
}

fn stratum_json(report: &ScoreReport, result: &NormalizerResult, s: &TextSummary) -> Value {
    let rated = s.rated_words();
    let mut words = counts(&s.words);
    words.insert("total_min".into(), s.words_min_errors.into());
    words.insert("hallucinated".into(), s.hallucinated_words.into());
    words.insert("wer".into(), estimate_json(&s.wer));
    insert_number(&mut words, "wer_macro", s.wer_macro.unwrap_or(f64::NAN));
    if rated.reference() > 0 {
        insert_number(&mut words, "mer", mer(&rated));
        insert_number(&mut words, "wil", wil(&rated));
        insert_number(&mut words, "wip", wip(&rated));
        insert_number(&mut words, "word_accuracy", rated.rate().map_or(f64::NAN, |r| 1.0 - r));
    }
    let mut chars = Map::new();
    chars.insert("unit".into(), report.char_unit.into());
    chars.extend(counts(&s.chars));
    chars.insert("total_min".into(), s.chars_min_errors.into());
    chars.insert("cer".into(), estimate_json(&s.cer));
    insert_number(&mut chars, "cer_macro", s.cer_macro.unwrap_or(f64::NAN));
    if s.chars_left_out > 0 {
        chars.insert("pairs_left_out".into(), s.chars_left_out.into());
    }
    let mut out = json!({
        "stratum": {"by": s.by, "value": s.value},
        "normalizer": result.normalizer,
        "weights": report.weights,
        "words": words,
        "chars": chars,
        "sentences": {
            "total": s.sentences(),
            "wrong": s.sentences_wrong,
            "empty_references": s.empty_references,
            "ser": estimate_json(&s.ser),
        },
    });
    if let Some(note) = &s.note {
        out["note"] = note.clone().into();
    }
    out
}

fn utterances(report: &ScoreReport, list: &[UtteranceCounts], out: &mut impl Write) -> io::Result<()> {
    let side = |c: &ErrorCounts, total_min: u64| {
        format!(
            "\"hits\":{},\"substitutions\":{},\"deletions\":{},\"insertions\":{},\"reference\":{},\"total_min\":{total_min}",
            c.hits,
            c.sub,
            c.del,
            c.ins,
            c.reference()
        )
    };
    for (index, u) in list.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        let id = Value::from(u.id.as_str());
        let (words, chars) = (side(&u.words, u.words_min_errors), side(&u.chars, u.chars_min_errors));
        let unit = report.char_unit;
        write!(out, "{separator}\n{{\"id\":{id},\"words\":{{{words}}},\"chars\":{{\"unit\":\"{unit}\",{chars}}}}}")?;
    }
    Ok(())
}

fn with_rate(c: &ErrorCounts) -> Map<String, Value> {
    let mut out = counts(c);
    insert_number(&mut out, "rate", c.rate().unwrap_or(f64::NAN));
    out
}

fn analysis_json(report: &AnalysisReport) -> Value {
    let a = &report.analysis;
    let mut out = Map::new();
    out.insert("confusions".into(), confusions(a, report.top));
    if report.whole {
        out.insert("by_part".into(), named(a.by_part.rows().map(|(part, c)| (part.name().to_owned(), c))));
        out.insert("by_class".into(), named(a.by_class.rows().map(|(class, c)| (class.name().to_owned(), c))));
        let lengths = a.by_length.rows().map(|(name, utterances, c)| {
            let mut row = with_rate(&c);
            row.insert("utterances".into(), utterances.into());
            row.insert("name".into(), name.into());
            Value::from(row)
        });
        out.insert("by_length".into(), lengths.collect());
        let speakers = a.by_speaker.iter().filter_map(|(speaker, c)| Some((speaker.clone()?, *c)));
        out.insert("by_speaker".into(), named(speakers));
        let findings = a.findings.iter().map(
            |f| json!({"id": f.id, "kind": f.kind.name(), "position": f.position, "length": f.length, "text": f.text}),
        );
        out.insert("findings".into(), findings.collect());
    }
    if !a.keywords.by_keyword.is_empty() {
        let rows: Vec<Value> = a
            .keywords
            .by_keyword
            .iter()
            .map(|(keyword, c)| {
                let mut row = keyword_counts(c);
                row.insert("keyword".into(), keyword.clone().into());
                row.into()
            })
            .collect();
        let mut table = keyword_counts(&a.keywords.total);
        table.insert("words".into(), with_rate(&a.keywords.words).into());
        table.insert("by_keyword".into(), rows.into());
        out.insert("keywords".into(), table.into());
    }
    if a.weighted != WeightedCounts::default() {
        let w = &a.weighted;
        out.insert(
            "weighted".into(),
            json!({"reference": w.reference(), "substitutions": w.substitutions(), "deletions": w.deletions(),
                   "insertions": w.insertions(), "rate": w.rate()}),
        );
    }
    if let Some((phonemes, basis)) = &report.phonemes {
        out.insert("phonemes".into(), phonemes_json(phonemes, basis));
    }
    out.into()
}

fn keyword_counts(c: &KeywordCounts) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, n) in [("reference", c.reference), ("hypothesis", c.hypothesis), ("found", c.found)] {
        out.insert(name.into(), n.into());
    }
    for (name, share) in [("recall", c.recall()), ("precision", c.precision()), ("f1", c.f1())] {
        insert_number(&mut out, name, share.unwrap_or(f64::NAN));
    }
    out
}

fn named(rows: impl Iterator<Item = (String, ErrorCounts)>) -> Value {
    rows.map(|(name, c)| {
        let mut row = with_rate(&c);
        row.insert("name".into(), name.into());
        Value::from(row)
    })
    .collect()
}

fn confusions(a: &Analysis, top: usize) -> Value {
    let word = |w: vbench_score::analysis::CountedWord<'_>| json!({"count": w.count, "word": w.word});
    json!({
        "substitutions": a.confusions.substitutions(top).into_iter()
            .map(|p| json!({"count": p.count, "reference": p.reference, "hypothesis": p.hypothesis})).collect::<Vec<_>>(),
        "deletions": a.confusions.deletions(top).into_iter().map(word).collect::<Vec<_>>(),
        "insertions": a.confusions.insertions(top).into_iter().map(word).collect::<Vec<_>>(),
    })
}

fn phonemes_json(p: &PhonemeConfusions, basis: &str) -> Value {
    let shown = p.phonemes();
    let matrix: Vec<Vec<u64>> = shown.iter().map(|r| shown.iter().map(|h| p.of(*r, *h)).collect()).collect();
    let each = |f: &dyn Fn(vbench_score::phoneme::Phoneme) -> u64| shown.iter().map(|x| f(*x)).collect::<Vec<_>>();
    json!({
        "basis": basis,
        "counts": with_rate(&p.counts()),
        "phonemes": shown.iter().map(|x| x.ipa()).collect::<Vec<_>>(),
        "matrix": matrix,
        "deleted": each(&|x| p.deleted(x)),
        "inserted": each(&|x| p.inserted(x)),
    })
}

/// Writes several-speaker scores as JSON, schema `vbench/score-multi/1`.
///
/// # Errors
///
/// What the writer says.
pub fn write_multi_json(report: &MultiReport, out: &mut impl Write) -> io::Result<()> {
    let sessions: Vec<Value> = report
        .score
        .sessions
        .iter()
        .map(|s| {
            let pairs: Vec<Value> = s
                .pairs
                .iter()
                .map(|p| json!({"reference": p.reference, "hypothesis": p.hypothesis, "words": with_rate(&p.counts)}))
                .collect();
            json!({"session": s.session, "words": with_rate(&s.counts), "pairs": pairs, "scored_speakers": s.scored_speakers,
                   "missed_speakers": s.missed_speakers, "false_alarm_speakers": s.false_alarm_speakers})
        })
        .collect();
    let mut all = json!({
        "schema": "vbench/score-multi/1",
        "metric": report.metric,
        "normalizer": report.normalizer,
        "words": with_rate(&report.score.counts),
        "scored_speakers": report.score.scored_speakers,
        "missed_speakers": report.score.missed_speakers,
        "false_alarm_speakers": report.score.false_alarm_speakers,
        "missing_sessions": report.score.missing_sessions,
        "extra_sessions": report.score.extra_sessions,
        "sessions": sessions,
    });
    if let Some(collar) = report.collar_s {
        all["collar_s"] = collar.into();
    }
    writeln!(out, "{all}")
}
