//! A run for GitHub Actions: annotations (workflow commands on standard output) and the step summary.

use serde_json::Value;
use vbench_compare::Summary;

use crate::format::{self, count, visible};
use crate::input::ReportInput;
use crate::markdown;
use crate::view::stopped_early;

/// GitHub shows at most ten annotations of a kind for each step; the last one counts the rest.
const SHOWN: usize = 10;
/// Longest reason in an annotation, in characters.
const REASON_CHARS: usize = 300;

/// Workflow commands, one a line: a notice with the headline of each model, errors for cells without an outcome and for
/// rules that regressed (`gate`: a document of schema `vbench/gate/1`, where the run was judged), warnings for absent
/// corpora and inconclusive rules.
#[must_use]
pub fn run_annotations(summary: &Summary, gate: Option<&Value>) -> String {
    let suite = &summary.suite;
    let mut notices = Vec::new();
    for s in summary.strata.iter().filter(|s| s.by == "all") {
        let (name, estimate) = if summary.primary == "cer" { ("CER", &s.cer) } else { ("WER", &s.wer) };
        let of = format::usable_interval(estimate).map_or_else(
            |_| String::new(),
            |i| format!(" ({} interval, resampling {})", format::level(i.level), format::unit(i)),
        );
        let text = format!("{name} % {}{of}", format::RATE.estimate(estimate));
        notices.push((format!("vbench {suite}: {}", s.model), text));
    }
    let (mut errors, mut warnings) = (coverage(summary), Vec::new());
    for corpus in &summary.absent {
        warnings
            .push((format!("vbench {suite}"), format!("corpus {corpus} is not present: its cells were not planned")));
    }
    for result in gate.and_then(|g| g["results"].as_array()).into_iter().flatten() {
        let text = |key: &str| result[key].as_str().unwrap_or_default();
        let line = (
            format!("vbench gate: {} ({})", text("rule"), text("model")),
            format!("{}: {}", text("outcome"), text("reason")),
        );
        match text("outcome") {
            "pass" => {}
            "regressed" => errors.push(line),
            "inconclusive" => warnings.push(line),
            _ => notices.push(line),
        }
    }
    lines("error", errors) + &lines("warning", warnings) + &lines("notice", notices)
}

/// What is missing, then the cells without a hypothesis.
fn coverage(summary: &Summary) -> Vec<(String, String)> {
    let c = &summary.coverage;
    let complete = c.planned > 0 && (c.done == c.planned || (c.stopped_early && c.failed + c.skipped == 0));
    if complete {
        return Vec::new();
    }
    let title = format!("vbench {}: coverage", summary.suite);
    let text = format!(
        "{} of {} cells done; {} failed, {} skipped, {} without outcome{}",
        count(c.done as u64),
        count(c.planned as u64),
        count(c.failed as u64),
        count(c.skipped as u64),
        count(c.outstanding as u64),
        stopped_early(summary)
    );
    let cells = summary.failures.iter().map(|f| {
        let reason = format::shortened(&f.text, REASON_CHARS);
        (format!("vbench {}: {}", f.outcome, f.cell), format!("{}: {reason}", f.kind))
    });
    std::iter::once((title, text)).chain(cells).collect()
}

fn lines(command: &str, entries: Vec<(String, String)>) -> String {
    let left = entries.len().saturating_sub(SHOWN);
    let shown = if left > 0 { SHOWN - 1 } else { SHOWN };
    let mut out: String = entries
        .iter()
        .take(shown)
        .map(|(title, text)| format!("::{command} title={}::{}\n", property(title), data(text)))
        .collect();
    if left > 0 {
        let text = format!("{} more; the report has them all", left + 1);
        out += &format!("::{command} title=vbench::{}\n", data(&text));
    }
    out
}

/// The report as Markdown without figures: a step summary shows no files of the workspace.
#[must_use]
pub fn step_summary(input: &ReportInput<'_>) -> String {
    markdown::render(input, markdown::Figures::Absent)
}

/// Escapes as the runner's command parser undoes it; control characters are made visible.
pub(crate) fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property such as the title.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_command_or_end_its_own() {
        assert_eq!(data("100 %\r\n::error::x"), "100 %25  ::error::x");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
        let entries = |n: usize| (0..n).map(|i| (format!("t{i}"), "x\n::set-env::".to_owned())).collect();
        for n in [0, 1, 10, 11, 500] {
            let text = lines("error", entries(n));
            assert_eq!(text.lines().count(), n.min(10), "{n}");
            assert!(text.lines().all(|l| l.starts_with("::error title=")), "{text}");
        }
        assert!(lines("error", entries(11)).contains("::2 more;"), "{}", lines("error", entries(11)));
    }
}
