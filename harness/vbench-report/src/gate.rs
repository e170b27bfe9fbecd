//! A gate's verdict as text, Markdown, JUnit XML, GitHub annotations and JSON (`vbench/gate/1`); its self-test and its
//! noise floor as text.
//!
//! ```text
//! {"schema", "outcome", "run", "baseline"?, "suite", "alpha", "seed", "notes": […],
//!  "results": [{"rule", "metric", "stratum", "model", "limit": {KEY: TEXT}, "outcome", "reason", "baseline"?, "value"?,
//!               "tested"?: Estimate, "clusters"?, "unit"?, "cells"?, "p_regressed"?, "p_pass"?, "p_regressed_adjusted"?,
//!               "p_pass_adjusted"?, "identical"?, "detectable"?, "more_units"?, "done"?, "planned"?}]}
//! ```

use serde_json::{Map, Value, json};
use vbench_compare::gate::{Evidence, MoreUnits, Tested, plural};
use vbench_compare::selftest::Dose;
use vbench_compare::{GateReport, Judged, NoiseFloor, Outcome, Planted};
use vbench_core::{GateMetric, Limit, Rule, RuleStratum};

use crate::comparison::{styles, title};
use crate::format::{self, ABSENT, NumberStyle, count, p_value, usable_interval, visible};
use crate::github::{data, property};
use crate::grid::Grid;
use crate::json::{estimate_json, insert_number};
use crate::junit::{TestCase, TestSuite, Verdict, junit_xml};
use crate::markdown::inline;
use crate::terminal::wrap;

/// Schema of [`gate_json`].
pub const GATE_SCHEMA: &str = "vbench/gate/1";

/// A verdict with what it is about.
#[derive(Debug, Clone)]
pub struct GateView<'a> {
    /// The verdict.
    pub report: &'a GateReport,
    /// The run, e.g. `runs/head`.
    pub run: String,
    /// The baseline, if there is one.
    pub baseline: Option<String>,
    /// Suite name.
    pub suite: String,
    /// When the run began, e.g. `2026-11-21T04:00:00Z`.
    pub started: String,
}

const NOTES: &str = "value: of this run over the cells judged. change or value: what is held against the limit, with \
    the 90 % interval that matches the test (cluster sign-flip, inverted). p: of \"the limit is kept\" (small: regressed) and \
    of \"the limit is broken\" (small: pass), adjusted over the rules (Holm); one-sided 0.05.";

fn stratum(rule: &Rule) -> String {
    match &rule.stratum {
        RuleStratum::All => "all".into(),
        RuleStratum::One { by, value } => format!("{by}={value}"),
        RuleStratum::Each { by } => format!("{by}=*"),
    }
}

/// `WER: at most +0.5 points`, `RTF: at most 0.3`.
fn limit(rule: &Rule) -> String {
    let (_, text) = rule.limit_text();
    let name = rule.metric.name().to_uppercase();
    let machine = if rule.same_machine { " on the same machine" } else { "" };
    let text = match (rule.limit, rule.metric.larger_is_better()) {
        (Limit::Budget(_), false) => format!("at most {text}"),
        (Limit::Budget(_), true) => format!("at least {text}"),
        (Limit::Change(_), false) => format!("at most +{text}"),
        (Limit::Change(_), true) => format!("at most -{text}"),
    };
    let name = if rule.metric == GateMetric::Coverage { "coverage".to_owned() } else { name };
    format!("{name} {text}{machine}")
}

fn several_models(report: &GateReport) -> bool {
    report.rules.windows(2).any(|w| w[0].model != w[1].model)
}

fn grid(report: &GateReport) -> Grid {
    let several = several_models(report);
    let mut grid = Grid::new(&[
        ("outcome", false),
        ("rule", false),
        ("stratum", false),
        ("baseline", true),
        ("value", true),
        ("change or value [90 %]", true),
        ("p regr.", true),
        ("p pass", true),
        ("units", false),
    ]);
    for j in &report.rules {
        let place = if several { format!("{}, {}", j.model, stratum(&j.rule)) } else { stratum(&j.rule) };
        let mut row = vec![j.outcome.name().to_uppercase(), limit(&j.rule), place];
        row.extend(numbers(j));
        grid.push(row);
    }
    grid
}

fn numbers(j: &Judged) -> [String; 6] {
    let none = || "-".to_owned();
    match &j.evidence {
        Evidence::None => [none(), none(), none(), none(), none(), none()],
        Evidence::Counted { done, planned } => [
            none(),
            format!("{} of {}", count(*done as u64), count(*planned as u64)),
            none(),
            none(),
            none(),
            format!("cell ({})", count(*planned as u64)),
        ],
        Evidence::Tested(t) => {
            let (value, change) = styles(j.rule.metric);
            let style = if t.baseline.is_some() { change } else { value };
            let tested = match usable_interval(&t.estimate) {
                Ok(i) => format!("{} {}", style.number(t.estimate.value), style.interval(i.lo, i.hi)),
                Err(_) if t.identical => "identical".into(),
                Err(_) => format!("{} [{ABSENT}]", style.number(t.estimate.value)),
            };
            [
                t.baseline.map_or_else(none, |b| value.number(b)),
                value.number(t.value),
                tested,
                t.p_adjusted.map_or_else(none, |p| p_value(p.0)),
                t.p_adjusted.map_or_else(none, |p| p_value(p.1)),
                format!("{} ({})", t.unit, count(t.clusters as u64)),
            ]
        }
    }
}

/// Why, what could have been seen, and what would decide: one sentence each.
fn story(j: &Judged) -> String {
    let mut parts = vec![j.reason.clone()];
    if let Evidence::Tested(t) = &j.evidence {
        let (_, change) = styles(j.rule.metric);
        let plain = NumberStyle { signed: false, ..change };
        let unit_of = if title(j.rule.metric).ends_with('%') { " points" } else { "" };
        if let Some(d) = t.detectable {
            let what = if t.baseline.is_some() { "change" } else { "value" };
            let beyond = plain.number(d);
            parts.push(format!("a true {what} {beyond}{unit_of} beyond the limit would be caught 4 times in 5"));
        }
        parts.extend(more(t));
    }
    parts.join("; ")
}

fn more(t: &Tested) -> Option<String> {
    Some(match t.more_units? {
        MoreUnits::Some(n) => format!("about {} more {} would decide", count(n as u64), plural(t.unit, n)),
        MoreUnits::OutOfReach => {
            format!("no number of {} would decide: what was seen is as good as on the limit", plural(t.unit, 2))
        }
        MoreUnits::Unknown => format!("more {} are needed", plural(t.unit, 2)),
    })
}

fn head(view: &GateView<'_>) -> Vec<String> {
    let against = view.baseline.as_ref().map_or(String::new(), |b| format!(" against {}", visible(b)));
    vec![
        format!("gate {}: {}{against}", view.report.outcome().name().to_uppercase(), visible(&view.run)),
        format!("suite {}, {}, seed {}", visible(&view.suite), rules(view.report.rules.len()), view.report.seed),
    ]
}

fn rules(n: usize) -> String {
    if n == 1 { "1 rule".into() } else { format!("{n} rules") }
}

/// The verdict as plain text; the first line says the outcome.
#[must_use]
pub fn gate_text(view: &GateView<'_>) -> String {
    let mut out = format!("{}\n\n{}\n", head(view).join("\n"), grid(view.report).plain());
    for j in &view.report.rules {
        out += &wrap(&format!("{} ({}): {}", limit(&j.rule), stratum(&j.rule), visible(&story(j))));
    }
    out += &format!("\n{}", wrap(NOTES));
    for note in &view.report.notes {
        out += &wrap(&format!("note: {}", visible(note)));
    }
    out
}

/// The verdict as Markdown, for a comment or a step summary.
#[must_use]
pub fn gate_markdown(view: &GateView<'_>) -> String {
    let sign = match view.report.outcome() {
        Outcome::Pass => "✅",
        Outcome::Regressed => "❌",
        Outcome::Inconclusive | Outcome::Skipped => "⚠️",
    };
    let head = head(view);
    let mut out =
        format!("## {sign} {}\n\n{}\n\n{}\n", inline(&head[0]), inline(&head[1]), grid(view.report).markdown());
    for j in &view.report.rules {
        let what = format!("{} ({})", limit(&j.rule), stratum(&j.rule));
        out += &format!("- **{}** {}\n", inline(&visible(&what)), inline(&visible(&story(j))));
    }
    for note in &view.report.notes {
        out += &format!("- note: {}\n", inline(&visible(note)));
    }
    out + &format!("\n<sub>{}</sub>\n", inline(NOTES))
}

/// One test case a rule, as JUnit XML. `fail_inconclusive` makes an inconclusive rule a failure, else it is skipped.
#[must_use]
pub fn gate_junit(view: &GateView<'_>, fail_inconclusive: bool) -> String {
    let mut out = String::new();
    let mut cases = Vec::new();
    for j in &view.report.rules {
        let name = format!("{} ({})", limit(&j.rule), stratum(&j.rule));
        let [baseline, value, tested, p_regressed, p_pass, units] = numbers(j);
        out += &format!(
            "{name}, {}: baseline {baseline}; value {value}; tested {tested}; p regressed {p_regressed}; p pass {p_pass}; {units}\n",
            j.model
        );
        let (message, text) = (story(j), String::new());
        let verdict = match j.outcome {
            Outcome::Pass => Verdict::Passed,
            Outcome::Regressed => Verdict::Failed { kind: "regressed", message, text },
            Outcome::Inconclusive if fail_inconclusive => Verdict::Failed { kind: "inconclusive", message, text },
            Outcome::Inconclusive | Outcome::Skipped => Verdict::Skipped(format!("{}: {message}", j.outcome.name())),
        };
        let class = format!("vbench.gate.{}", j.model.replace('.', "_"));
        cases.push(TestCase { class, name, seconds: 0.0, verdict });
    }
    let properties = vec![("baseline", view.baseline.clone().unwrap_or_else(|| "none".into()))];
    let name = format!("gate {}", view.suite);
    junit_xml(&[TestSuite { package: "vbench".into(), name, cases, properties, out }], &view.started)
}

/// Workflow commands: `::error` for what regressed, `::warning` for what is inconclusive (an error where
/// `fail_inconclusive`), `::notice` for what was skipped. One line each; nothing where all passed.
#[must_use]
pub fn gate_annotations(view: &GateView<'_>, fail_inconclusive: bool) -> String {
    let mut out = String::new();
    for j in &view.report.rules {
        let command = match j.outcome {
            Outcome::Pass => continue,
            Outcome::Regressed => "error",
            Outcome::Inconclusive if fail_inconclusive => "error",
            Outcome::Inconclusive => "warning",
            Outcome::Skipped => "notice",
        };
        let numbers = numbers(j);
        let title = format!("vbench gate: {} ({})", limit(&j.rule), stratum(&j.rule));
        let text = format!("{}: {} ({})", j.outcome.name(), numbers[2], story(j));
        out += &format!("::{command} title={}::{}\n", property(&title), data(&text));
    }
    out
}

/// The verdict as JSON.
#[must_use]
pub fn gate_json(view: &GateView<'_>) -> Value {
    let mut out = json!({"schema": GATE_SCHEMA, "outcome": view.report.outcome().name(), "run": view.run});
    if let Some(baseline) = &view.baseline {
        out["baseline"] = baseline.clone().into();
    }
    out["suite"] = view.suite.clone().into();
    out["alpha"] = view.report.alpha.into();
    out["seed"] = view.report.seed.into();
    out["notes"] = json!(view.report.notes);
    out["results"] = view.report.rules.iter().map(judged_json).collect();
    out
}

fn judged_json(j: &Judged) -> Value {
    let (key, text) = j.rule.limit_text();
    let mut out = Map::new();
    out.insert("rule".into(), j.rule.to_string().into());
    out.insert("metric".into(), j.rule.metric.name().into());
    out.insert("stratum".into(), j.rule.stratum.to_string().into());
    out.insert("model".into(), j.model.clone().into());
    out.insert("limit".into(), json!({key: text}));
    out.insert("outcome".into(), j.outcome.name().into());
    out.insert("reason".into(), j.reason.clone().into());
    match &j.evidence {
        Evidence::None => {}
        Evidence::Counted { done, planned } => {
            out.insert("done".into(), (*done).into());
            out.insert("planned".into(), (*planned).into());
        }
        Evidence::Tested(t) => tested_json(&mut out, t),
    }
    out.into()
}

fn tested_json(out: &mut Map<String, Value>, t: &Tested) {
    if let Some(baseline) = t.baseline {
        insert_number(out, "baseline", baseline);
    }
    insert_number(out, "value", t.value);
    out.insert("tested".into(), estimate_json(&t.estimate));
    out.insert("clusters".into(), t.clusters.into());
    out.insert("unit".into(), t.unit.to_string().into());
    out.insert("cells".into(), t.cells.into());
    let mut pair = |name: [&str; 2], p: Option<(f64, f64)>| {
        if let Some((regressed, pass)) = p {
            insert_number(out, name[0], regressed);
            insert_number(out, name[1], pass);
        }
    };
    pair(["p_regressed", "p_pass"], t.p);
    pair(["p_regressed_adjusted", "p_pass_adjusted"], t.p_adjusted);
    out.insert("identical".into(), t.identical.into());
    if let Some(d) = t.detectable {
        insert_number(out, "detectable", d);
    }
    match t.more_units {
        Some(MoreUnits::Some(n)) => {
            out.insert("more_units".into(), n.into());
        }
        Some(MoreUnits::OutOfReach) => {
            out.insert("more_units".into(), "out of reach".into());
        }
        Some(MoreUnits::Unknown) | None => {}
    }
}

/// The self-test as plain text.
#[must_use]
pub fn selftest_text(planted: &[Planted]) -> String {
    let mut grid = Grid::new(&[
        ("rule", false),
        ("planted", false),
        ("nothing", false),
        ("just below", false),
        ("smallest caught", false),
        ("effect", true),
        ("flips", false),
    ]);
    for p in planted {
        let dose = |d: &Option<Dose>| {
            d.as_ref().map_or_else(|| "-".to_owned(), |d| format!("{}: {}", d.amount, d.outcome.name()))
        };
        let (_, change) = styles(p.rule.metric);
        let unit =
            if p.rule.metric == GateMetric::Coverage || title(p.rule.metric).ends_with('%') { " points" } else { "" };
        grid.push(vec![
            format!("{} {}", limit(&p.rule), stratum(&p.rule)),
            p.what.clone(),
            p.unplanted.name().into(),
            dose(&p.below),
            dose(&p.above),
            p.above.as_ref().map_or_else(|| "-".into(), |d| format!("{}{unit}", change.number(d.effect))),
            if p.flips() { "yes".into() } else { format!("no: {}", p.problem) },
        ]);
    }
    format!(
        "Self-test: regressions planted around each rule (changes into the baseline, budgets into the run)\n\n{}\n{}",
        grid.plain(),
        wrap(
            "just below: the largest planted amount that is not called a regression. smallest caught: what this suite can \
             catch at the least, planted like that. effect: what that does to the metric."
        )
    )
}

/// The noise floor as plain text.
#[must_use]
pub fn noise_floor_text(floors: &[NoiseFloor]) -> String {
    let mut grid = Grid::new(&[
        ("rule", false),
        ("relabelled", false),
        ("as they are", true),
        ("95 % within", true),
        ("flat alarms", true),
        ("gate alarms", true),
    ]);
    for f in floors {
        let (_, change) = styles(f.rule.metric);
        let plain = NumberStyle { signed: false, ..change };
        let share = |x: f64| format!("{} %", format::RATE.with_decimals(1).number(x));
        grid.push(vec![
            format!("{} {}", limit(&f.rule), stratum(&f.rule)),
            f.units.clone(),
            if f.identical { "identical".into() } else { change.number(f.observed) },
            format!("±{}", plain.number(f.floor)),
            share(f.flat_alarms),
            share(f.gate_alarms),
        ]);
    }
    format!(
        "A/A: what two runs without a true difference look like, by tossing unit by unit which run its numbers come \
         from\n\n{}\n{}",
        grid.plain(),
        wrap(
            "flat alarms: how often a plain \"fail when the difference exceeds the margin\" would call a regression that is \
             none. gate alarms: the same for this gate's test (one rule alone; at most 5 % is promised)."
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::junit::xml;

    #[test]
    fn hostile_names_stay_text_in_xml_and_in_workflow_commands() {
        assert_eq!(xml("a<b>&\"'\u{0}\u{ffff}"), "a&lt;b&gt;&amp;&quot;&apos;⟨U+0000⟩\u{fffd}");
        assert_eq!(data("50 %\n::error::x"), "50 %25 ::error::x");
        assert_eq!(property("a,b:c\r\n"), "a%2Cb%3Ac  ");
    }
}
