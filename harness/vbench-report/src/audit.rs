//! Audits of a timed model as text, JUnit XML and JSON (`vbench/audit/1`).
//!
//! ```text
//! {"schema", "model", "suite", "condition", "clips", "seed", "passed",
//!  "results": [{"audit", "verdict": "passed"|"failed"|"inconclusive", "tests", "clips", "limit": {…}, …}]}
//! timed-accuracy, order, names:  "sampled", "differing", "example"?: {"utterance", "accuracy"?, "other"?}, "wer"?, "other_wer"?,
//!                                "difference"?: Estimate
//! repeats:                       "repeat_faster", "first_faster", "p", "level", "median_ratio", "would_fail"?
//! references:                    "same_reference", "wer", "wrong_wer", "rise": Estimate
//! silence:                       "same"
//! ```

use serde_json::{Map, Value, json};
use vbench_compare::audit::{FromSilence, RepeatTimes, SameTexts, WrongReferences};
use vbench_compare::{Audit, AuditFound, AuditVerdict};

use crate::format::{self, POINTS, RATE, count, p_in_words, visible};
use crate::json::{estimate_json, insert_number};
use crate::junit::{TestCase, TestSuite, Verdict, junit_xml};
use crate::terminal::wrapped;

/// Schema of [`audit_json`].
pub const AUDIT_SCHEMA: &str = "vbench/audit/1";

/// Audits with what they are about.
#[derive(Debug, Clone)]
pub struct AuditView<'a> {
    /// In the order in which they are shown.
    pub audits: &'a [Audit],
    /// The model's specification.
    pub model: &'a str,
    /// Suite name.
    pub suite: &'a str,
    /// Condition of the clips.
    pub condition: &'a str,
    /// Clips.
    pub clips: usize,
    /// Seed of orders and intervals.
    pub seed: u64,
    /// Requests without an answer, of all.
    pub unanswered: usize,
    /// When it began, e.g. `2026-11-21T04:00:00Z`.
    pub started: &'a str,
}

fn verdict_name(verdict: AuditVerdict) -> &'static str {
    match verdict {
        AuditVerdict::Passed => "passed",
        AuditVerdict::Failed => "failed",
        AuditVerdict::Inconclusive => "inconclusive",
    }
}

/// What an audit found, in a sentence with its limit.
fn story(audit: &Audit) -> String {
    match &audit.found {
        AuditFound::Texts(f) => texts_story(f),
        AuditFound::Times(f) => times_story(f),
        AuditFound::References(f) => references_story(f),
        AuditFound::Silence(f) if f.clips == 0 => "no clip gave any words: nothing to look for".into(),
        AuditFound::Silence(f) => format!(
            "silence gave the same words as the sound in {} of {} clips (at most {})",
            count(f.same as u64),
            count(f.clips as u64),
            count(f.limit as u64)
        ),
    }
}

fn texts_story(f: &SameTexts) -> String {
    let mut out = match f.differing {
        _ if f.clips == 0 => "no clip to compare".to_owned(),
        0 => format!("the same text in all {} clips", count(f.clips as u64)),
        n => format!("another text in {} of {} clips", count(n as u64), count(f.clips as u64)),
    };
    if let Some((accuracy, other, difference)) = &f.wer {
        out += &format!(
            "; WER {} % against {} % in the accuracy run, {} points (must lie within \u{b1}{})",
            RATE.number(*other),
            RATE.number(*accuracy),
            POINTS.estimate(difference),
            RATE.number(f.max_difference)
        );
    }
    if f.sampled > 0 {
        out += &format!("; {} left out, whose texts are drawn at random", count(f.sampled as u64));
    }
    if let Some((utterance, accuracy, other)) = &f.example {
        let quoted = |t: &Option<String>| {
            t.as_ref().map_or("no answer".to_owned(), |t| format!("\"{}\"", format::shortened(&visible(t), 80)))
        };
        out += &format!("; e.g. {utterance}: {} became {}", quoted(accuracy), quoted(other));
    }
    out
}

fn times_story(f: &RepeatTimes) -> String {
    if f.pairs == 0 {
        return "no clip was heard twice: the first one warms the model up, so there must be two".into();
    }
    let limit = format!("more than {:.0} % and {:.0} us", 100.0 * f.min_saving, f.min_saving_ns as f64 / 1e3);
    let power = match f.would_fail {
        Some(n) => format!("a cache of {} of these clips would have failed", count(n as u64)),
        None => "too few clips for any cache to fail".into(),
    };
    format!(
        "the second hearing was faster by {limit} in {} of {} clips, the first in {}: {} (fails below {}; {power}); median \
         second/first {:.3}",
        count(f.repeat_faster as u64),
        count(f.pairs as u64),
        count(f.first_faster as u64),
        p_in_words(f.p),
        f.level,
        f.median_ratio
    )
}

fn references_story(f: &WrongReferences) -> String {
    if f.clips == 0 {
        return "no clip to compare: nothing else is said in any other".into();
    }
    let mut out = format!(
        "WER {} % against the right references, {} % against wrong ones: {} points in {} clips (must be above {}; fails below 0)",
        RATE.number(f.right),
        RATE.number(f.wrong),
        POINTS.estimate(&f.rise),
        count(f.clips as u64),
        POINTS.number(f.min_rise)
    );
    if f.same_reference > 0 {
        out += &format!("; {} left out, whose wrong reference says the same", count(f.same_reference as u64));
    }
    out
}

/// The audits for a terminal: for each the verdict, what it found, and what it tests.
#[must_use]
pub fn audit_text(view: &AuditView<'_>) -> String {
    let mut out = format!(
        "audit of {}: {} clips of {}, {}, seed {}\n",
        view.model,
        count(view.clips as u64),
        view.suite,
        view.condition,
        view.seed
    );
    if view.unanswered > 0 {
        out += &format!("{} requests had no answer\n", count(view.unanswered as u64));
    }
    for audit in view.audits {
        out += &format!("\n{:<13} {}\n", verdict_name(audit.verdict).to_uppercase(), audit.name.name());
        for text in [format!("found: {}.", story(audit)), format!("tests: {}.", audit.name.tests())] {
            for line in wrapped(&text, 96) {
                out += &format!("    {line}\n");
            }
        }
    }
    let of = |v| view.audits.iter().filter(|a| a.verdict == v).count();
    out += &format!(
        "\n{} passed, {} failed, {} inconclusive\n",
        of(AuditVerdict::Passed),
        of(AuditVerdict::Failed),
        of(AuditVerdict::Inconclusive)
    );
    out
}

/// The audits as JUnit XML: a failed one is a failure, an inconclusive one is skipped.
#[must_use]
pub fn audit_junit(view: &AuditView<'_>) -> String {
    let mut out = String::new();
    let mut cases = Vec::new();
    for audit in view.audits {
        let (name, message) = (audit.name.name(), story(audit));
        out += &format!("{name}: {message}\n");
        let verdict = match audit.verdict {
            AuditVerdict::Passed => Verdict::Passed,
            AuditVerdict::Failed => Verdict::Failed { kind: "audit", message, text: audit.name.tests().into() },
            AuditVerdict::Inconclusive => Verdict::Skipped(format!("inconclusive: {message}")),
        };
        let class = format!("vbench.audit.{}", view.model.replace('.', "_"));
        cases.push(TestCase { class, name: name.into(), seconds: 0.0, verdict });
    }
    let properties = vec![
        ("model", view.model.to_owned()),
        ("condition", view.condition.to_owned()),
        ("seed", view.seed.to_string()),
    ];
    let name = format!("audit {}", view.suite);
    junit_xml(&[TestSuite { package: "vbench".into(), name, cases, properties, out }], view.started)
}

/// The audits as JSON, schema `vbench/audit/1`.
#[must_use]
pub fn audit_json(view: &AuditView<'_>) -> Value {
    let results: Vec<Value> = view.audits.iter().map(result).collect();
    json!({
        "schema": AUDIT_SCHEMA, "model": view.model, "suite": view.suite, "condition": view.condition, "clips": view.clips,
        "seed": view.seed, "unanswered": view.unanswered,
        "passed": view.audits.iter().all(|a| a.verdict == AuditVerdict::Passed),
        "results": results,
    })
}

fn result(audit: &Audit) -> Value {
    let mut map = Map::new();
    map.insert("audit".into(), audit.name.name().into());
    map.insert("verdict".into(), verdict_name(audit.verdict).into());
    map.insert("tests".into(), audit.name.tests().into());
    match &audit.found {
        AuditFound::Texts(f) => texts_json(&mut map, f),
        AuditFound::Times(f) => times_json(&mut map, f),
        AuditFound::References(f) => {
            map.insert("clips".into(), f.clips.into());
            map.insert("limit".into(), json!({"min_rise": f.min_rise}));
            map.insert("same_reference".into(), f.same_reference.into());
            insert_number(&mut map, "wer", f.right);
            insert_number(&mut map, "wrong_wer", f.wrong);
            map.insert("rise".into(), estimate_json(&f.rise));
        }
        AuditFound::Silence(FromSilence { clips, same, limit }) => {
            map.insert("clips".into(), (*clips).into());
            map.insert("limit".into(), json!({"max_same": limit}));
            map.insert("same".into(), (*same).into());
        }
    }
    map.into()
}

fn texts_json(map: &mut Map<String, Value>, f: &SameTexts) {
    map.insert("clips".into(), f.clips.into());
    map.insert("limit".into(), json!({"max_difference": f.max_difference}));
    map.insert("sampled".into(), f.sampled.into());
    map.insert("differing".into(), f.differing.into());
    if let Some((utterance, accuracy, other)) = &f.example {
        let mut example = json!({ "utterance": utterance });
        for (key, text) in [("accuracy", accuracy), ("other", other)] {
            if let Some(text) = text {
                example[key] = text.as_str().into();
            }
        }
        map.insert("example".into(), example);
    }
    if let Some((accuracy, other, difference)) = &f.wer {
        insert_number(map, "wer", *accuracy);
        insert_number(map, "other_wer", *other);
        map.insert("difference".into(), estimate_json(difference));
    }
}

fn times_json(map: &mut Map<String, Value>, f: &RepeatTimes) {
    map.insert("clips".into(), f.pairs.into());
    let saving_ms = f.min_saving_ns as f64 / 1e6;
    map.insert("limit".into(), json!({"min_saving": f.min_saving, "min_saving_ms": saving_ms, "level": f.level}));
    map.insert("repeat_faster".into(), f.repeat_faster.into());
    map.insert("first_faster".into(), f.first_faster.into());
    insert_number(map, "p", f.p);
    insert_number(map, "median_ratio", f.median_ratio);
    if let Some(n) = f.would_fail {
        map.insert("would_fail".into(), n.into());
    }
}
