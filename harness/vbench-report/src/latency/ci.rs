//! A bench for machines: JUnit, annotations of a workflow, requests as CSV.

use vbench_load::{Bench, CheckState, Ns, Outcome, Timeline};

use super::sections::verdict;
use super::{BenchReport, figures, parts};
use crate::csv::{harmless, quoted};
use crate::github::{data, property};
use crate::junit::{TestCase, TestSuite, Verdict, junit_xml};

/// Columns of [`requests_csv`], in order; times in milliseconds.
pub const REQUEST_COLUMNS: [&str; 14] = [
    "id",
    "clip",
    "due_ms",
    "sent_ms",
    "speech_end_ms",
    "outcome",
    "latency_ms",
    "lateness_ms",
    "first_partial_ms",
    "final_text_ms",
    "first_audible_ms",
    "wait_ms",
    "underruns",
    "reason",
];

/// The run as JUnit XML: a test case per check, and one per budget. `started` as in [`crate::run_junit`].
#[must_use]
pub fn bench_junit(report: &BenchReport<'_>, started: &str) -> String {
    let model = report.view.model;
    let class = format!("vbench.bench.{}", model.replace('.', "_"));
    let case = |name: &str, state: CheckState, text: &str| TestCase {
        class: class.clone(),
        name: name.to_owned(),
        seconds: 0.0,
        verdict: match state {
            CheckState::Passed => Verdict::Passed,
            CheckState::Undecided => Verdict::Skipped(text.to_owned()),
            CheckState::Failed => Verdict::Failed { kind: "bench", message: text.to_owned(), text: String::new() },
        },
    };
    let s = report.view.summary;
    let out: String = figures::distributions(s)
        .iter()
        .flat_map(|(name, d)| {
            let tails = vbench_load::PERCENTILES.iter().zip(&d.tails);
            tails.map(move |(p, t)| format!("{name}, p{p}: {}\n", figures::tail_words(t)))
        })
        .collect();
    let mut cases: Vec<TestCase> = report.checks.iter().map(|c| case(c.name, c.state, &c.text)).collect();
    for b in report.view.budgets {
        let (name, text) = (format!("budget: {}", parts::budget_name(b)), parts::budget_words(b));
        cases.push(TestCase {
            class: class.clone(),
            name,
            seconds: 0.0,
            verdict: match b.verdict {
                vbench_load::Verdict::Pass => Verdict::Passed,
                verdict => Verdict::Failed { kind: verdict.name(), message: text, text: String::new() },
            },
        });
    }
    let suite = TestSuite {
        package: "vbench.bench".into(),
        name: format!("{model}, {}", s.plan.scenario.name()),
        cases,
        properties: vec![("scenario", s.plan.scenario.name().to_owned()), ("seed", s.plan.seed.to_string())],
        out,
    };
    junit_xml(&[suite], started)
}

/// Workflow commands: a notice with the headline, errors for failed checks, warnings for undecided ones.
#[must_use]
pub fn bench_annotations(report: &BenchReport<'_>) -> String {
    let model = report.view.model;
    let line = |kind: &str, title: String, text: &str| format!("::{kind} title={}::{}\n", property(&title), data(text));
    let mut out = String::new();
    for c in report.checks {
        let kind = match c.state {
            CheckState::Passed => continue,
            CheckState::Failed => "error",
            CheckState::Undecided => "warning",
        };
        out += &line(kind, format!("vbench bench {model}: {}", c.name), &c.text);
    }
    for b in report.view.budgets {
        let kind = match b.verdict {
            vbench_load::Verdict::Pass => continue,
            vbench_load::Verdict::Fail => "error",
            vbench_load::Verdict::Inconclusive => "warning",
        };
        out += &line(kind, format!("vbench budget: {}", parts::budget_name(b)), &parts::budget_words(b));
    }
    let (state, sentence) = verdict(report);
    let p50 = report.view.summary.latency.tails.first().map_or_else(String::new, figures::tail_words);
    let kind = match state.class {
        "improved" => "notice",
        "undecided" => "warning",
        _ => "error",
    };
    out + &line(kind, format!("vbench bench {model}: {}", state.word), &format!("{sentence} p50 {p50}"))
}

/// Every request as CSV (RFC 4180) with a head line; lines end with CR LF.
#[must_use]
pub fn requests_csv(bench: &Bench) -> String {
    let mut out = REQUEST_COLUMNS.join(",") + "\r\n";
    for t in &bench.timelines {
        out += &row(t).join(",");
        out += "\r\n";
    }
    out
}

fn row(t: &Timeline) -> Vec<String> {
    let ms = |ns: Ns| format!("{}", ns as f64 / 1e6);
    let maybe = |ns: Option<Ns>| ns.map_or_else(String::new, ms);
    let (outcome, reason) = match &t.outcome {
        Outcome::Open => ("open", ""),
        Outcome::Answered { .. } => ("answered", ""),
        Outcome::Failed { reason, .. } => ("failed", reason.as_str()),
        Outcome::TimedOut { .. } => ("timed-out", ""),
        Outcome::Impossible { .. } => ("impossible", ""),
    };
    let playback = t.playback();
    vec![
        t.id.to_string(),
        t.sample.to_string(),
        ms(t.due),
        ms(t.sent),
        maybe(t.speech_end),
        outcome.to_owned(),
        maybe(t.latency()),
        ms(t.lateness()),
        maybe(t.first_partial()),
        maybe(t.final_text()),
        maybe(playback.and_then(|p| p.first_audible)),
        maybe(t.wait()),
        playback.map_or_else(String::new, |p| p.underruns.to_string()),
        quoted(&harmless(reason)),
    ]
}
