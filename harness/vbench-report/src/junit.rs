//! A run as JUnit XML: what CI systems show beside other tests.
//!
//! One test suite `run` with the coverage, one for each property and model with a test case per stratum, and one with
//! a case for each gate rule where the run was judged. A case fails when cells of its stratum have no score; the
//! numbers stand in the suite's `system-out`. The files keep to what Apache Ant's schema and that of the Jenkins xUnit
//! plugin have in common: attributes, order and number of elements (`tests/formats.rs` checks the rules).

use std::fmt::Write as _;

use serde_json::Value;
use vbench_compare::{StratumSummary, Summary};

use crate::format::{self, count, visible};
use crate::strata;
use crate::view::stopped_early;

/// Most reasons of failed cells in the text of one failure.
const REASONS: usize = 50;
/// For runs that do not say when they began: the schema wants a time.
const NO_TIME: &str = "1970-01-01T00:00:00";

/// A test suite with its cases.
pub(crate) struct TestSuite {
    pub package: String,
    pub name: String,
    pub cases: Vec<TestCase>,
    /// Names and values of the suite's properties.
    pub properties: Vec<(&'static str, String)>,
    /// What the cases measured.
    pub out: String,
}

/// One test case.
pub(crate) struct TestCase {
    pub class: String,
    pub name: String,
    pub seconds: f64,
    pub verdict: Verdict,
}

/// How a case ended.
pub(crate) enum Verdict {
    Passed,
    Skipped(String),
    Failed { kind: &'static str, message: String, text: String },
}

/// The run as JUnit XML. `started` is the run's UTC time such as `2026-11-21T04:00:00Z`; `gate` a document of schema
/// `vbench/gate/1`, where the run was judged: there an inconclusive rule is a failure of its own type.
#[must_use]
pub fn run_junit(summary: &Summary, started: &str, gate: Option<&Value>) -> String {
    let mut suites = vec![coverage_suite(summary)];
    for group in strata::groups(summary) {
        for model in strata::models(summary) {
            let rows: Vec<&StratumSummary> = group.rows.iter().filter(|s| s.model == model).copied().collect();
            if !rows.is_empty() {
                suites.push(strata_suite(summary, group.by, model, &rows));
            }
        }
    }
    suites.extend(gate.map(|document| gate_suite(summary, document)));
    junit_xml(&suites, started)
}

fn coverage_suite(summary: &Summary) -> TestSuite {
    let c = &summary.coverage;
    let class = class(&summary.suite, "run", None);
    let sentence = format!(
        "{} of {} planned cells done; {} failed, {} skipped, {} without outcome{}",
        count(c.done as u64),
        count(c.planned as u64),
        count(c.failed as u64),
        count(c.skipped as u64),
        count(c.outstanding as u64),
        stopped_early(summary)
    );
    let complete = c.planned > 0 && (c.done == c.planned || (c.stopped_early && c.failed + c.skipped == 0));
    let reasons: String = summary
        .failures
        .iter()
        .take(REASONS)
        .map(|f| format!("{}: {}: {}: {}\n", f.cell, f.outcome, f.kind, format::shortened(&f.text, 400)))
        .collect();
    let verdict = if complete { Verdict::Passed } else { failed("coverage", sentence.clone(), reasons) };
    let mut cases = vec![TestCase { class: class.clone(), name: "coverage".into(), seconds: 0.0, verdict }];
    for corpus in &summary.absent {
        let message = format!("corpus {corpus} is not present: its cells were not planned");
        let name = format!("corpus {corpus}");
        cases.push(TestCase {
            class: class.clone(),
            name,
            seconds: 0.0,
            verdict: failed("absent", message, String::new()),
        });
    }
    TestSuite {
        package: package(&summary.suite),
        name: "run".into(),
        cases,
        properties: vec![
            ("normalizer", summary.normalizer.clone()),
            ("weights", summary.weights.clone()),
            ("seed", summary.seed.to_string()),
        ],
        out: sentence + "\n",
    }
}

fn failed(kind: &'static str, message: String, text: String) -> Verdict {
    Verdict::Failed { kind, message, text }
}

fn strata_suite(summary: &Summary, by: &str, model: &str, rows: &[&StratumSummary]) -> TestSuite {
    let class = class(&summary.suite, model, Some(by));
    let mut out = String::new();
    let cases = rows
        .iter()
        .map(|s| {
            let name = if s.by == "all" { "all cells" } else { s.value.as_str() };
            let numbers = numbers(s);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{name}: {numbers}");
            let seconds = if s.processing_s.is_finite() { s.processing_s.max(0.0) } else { 0.0 };
            TestCase { class: class.clone(), name: name.to_owned(), seconds, verdict: verdict(s, &numbers) }
        })
        .collect();
    let properties = vec![("model", model.to_owned()), ("stratum", by.to_owned())];
    TestSuite { package: package(&summary.suite), name: format!("{model} by {by}"), cases, properties, out }
}

fn verdict(s: &StratumSummary, numbers: &str) -> Verdict {
    if s.scored == s.planned && s.planned > 0 {
        return Verdict::Passed;
    }
    let message = format!(
        "{} of {} cells have a score; {} failed",
        count(s.scored as u64),
        count(s.planned as u64),
        count(s.failed as u64)
    );
    failed("coverage", message, format!("of the scored cells: {numbers}\n"))
}

fn numbers(s: &StratumSummary) -> String {
    let with_unit = |name: &str, sign: &str, e: &vbench_core::Estimate, style: format::NumberStyle| {
        let of = format::usable_interval(e).map_or_else(
            |_| String::new(),
            |i| format!(" ({} interval, resampling {})", format::level(i.level), format::unit(i)),
        );
        format!("{name}{sign} {}{of}", style.estimate(e))
    };
    let mut parts = vec![
        with_unit("WER", " %", &s.wer, format::RATE),
        format!("S/D/I {}/{}/{} of {} words", s.words.sub, s.words.del, s.words.ins, s.words.reference()),
        with_unit("CER", " %", &s.cer, format::RATE),
    ];
    parts.extend(s.snr_db.as_ref().map(|e| with_unit("SNR", " dB", e, format::DECIBEL)));
    parts.extend(s.rtf.as_ref().map(|e| with_unit("RTF", "", e, format::FACTOR)));
    parts.push(format!("{} of {} cells", s.scored, s.planned));
    parts.join("; ")
}

/// The rules of a judged run.
fn gate_suite(summary: &Summary, document: &Value) -> TestSuite {
    let mut out = String::new();
    let cases = document["results"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|result| {
            let text = |key: &str| result[key].as_str().unwrap_or_default();
            let _ = writeln!(out, "{} ({}): {}: {}", text("rule"), text("model"), text("outcome"), text("reason"));
            let message = || format!("{}: {}", text("outcome"), text("reason"));
            let verdict = match text("outcome") {
                "pass" => Verdict::Passed,
                "regressed" => failed("regressed", message(), String::new()),
                "inconclusive" => failed("inconclusive", message(), String::new()),
                _ => Verdict::Skipped(message()),
            };
            let class = class(&summary.suite, text("model"), Some("gate"));
            TestCase { class, name: text("rule").to_owned(), seconds: 0.0, verdict }
        })
        .collect();
    let baseline = document["baseline"].as_str().unwrap_or("none").to_owned();
    let properties = vec![("baseline", baseline)];
    TestSuite { package: package(&summary.suite), name: "gate".into(), cases, properties, out }
}

/// Dots divide packages in the viewers: those of a name become underscores.
fn package(suite: &str) -> String {
    format!("vbench.{}", suite.replace('.', "_"))
}

fn class(suite: &str, model: &str, by: Option<&str>) -> String {
    let mut out = format!("{}.{}", package(suite), model.replace('.', "_"));
    if let Some(by) = by {
        out += &format!(".{}", by.replace('.', "_"));
    }
    out
}

/// The document.
pub(crate) fn junit_xml(suites: &[TestSuite], started: &str) -> String {
    let time = timestamp(started);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, suite) in suites.iter().enumerate() {
        push_suite(&mut out, id, suite, &time);
    }
    out + "</testsuites>\n"
}

fn push_suite(out: &mut String, id: usize, suite: &TestSuite, time: &str) {
    let of = |wanted: fn(&Verdict) -> bool| suite.cases.iter().filter(|c| wanted(&c.verdict)).count();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "  <testsuite id=\"{id}\" package=\"{}\" name=\"{}\" timestamp=\"{time}\" hostname=\"localhost\" tests=\"{}\" \
         failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3}\">\n    <properties>",
        token(&suite.package),
        token(&suite.name),
        suite.cases.len(),
        of(|v| matches!(v, Verdict::Failed { .. })),
        of(|v| matches!(v, Verdict::Skipped(_))),
        suite.cases.iter().map(|c| c.seconds).fold(0.0, |a, b| a + b)
    );
    for (name, value) in &suite.properties {
        let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", xml(value));
    }
    out.push_str("    </properties>\n");
    for case in &suite.cases {
        let _ = write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            token(&case.class),
            token(&case.name),
            case.seconds
        );
        let _ = match &case.verdict {
            Verdict::Passed => writeln!(out, "/>"),
            Verdict::Skipped(message) => {
                writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", xml(message))
            }
            Verdict::Failed { kind, message, text } => writeln!(
                out,
                ">\n      <failure type=\"{kind}\" message=\"{}\">{}</failure>\n    </testcase>",
                xml(message),
                xml_lines(text)
            ),
        };
    }
    let _ = writeln!(out, "    <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>", xml_lines(&suite.out));
}

/// `YYYY-MM-DDTHH:MM:SS` of a UTC time; a fixed one where the text is none.
fn timestamp(started: &str) -> String {
    let time = started.get(..19).unwrap_or_default();
    let fits = time.len() == 19
        && time
            .bytes()
            .zip(NO_TIME.bytes())
            .all(|(c, form)| if form.is_ascii_digit() { c.is_ascii_digit() } else { c == form });
    if fits { time.to_owned() } else { NO_TIME.to_owned() }
}

/// An attribute that must not be empty.
fn token(text: &str) -> String {
    if text.trim().is_empty() { "(none)".to_owned() } else { xml(text) }
}

/// Text with its line breaks.
fn xml_lines(text: &str) -> String {
    text.split('\n').map(xml).collect::<Vec<_>>().join("\n")
}

/// Text and attribute values of XML 1.0; what XML cannot hold is made visible or replaced.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Not a character of XML 1.0.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_time_or_the_epoch() {
        assert_eq!(timestamp("2026-11-21T04:00:00Z"), "2026-11-21T04:00:00");
        for bad in ["", "2026-11-21", "2026-11-21 04:00:00Z", "\"><x a=\"2026-11-21T", "２026-11-21T04:00:00"] {
            assert_eq!(timestamp(bad), NO_TIME, "{bad}");
        }
    }
}
