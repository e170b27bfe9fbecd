//! A comparison as terminal text, as Markdown and as JSON (`vbench/compare/1`).
//!
//! ```text
//! {"schema", "a", "b", "suite", "normalizer", "weights", "seed", "forced"?, "preprocessing"?, "shared", "left_out": {WHY: [PLACE…]},
//!  "verdict": {"finding", "text"},
//!  "results": [{"stratum": {"by", "value"}, "metric", "cells", "a", "b", "difference": Estimate, "p_value"?,
//!               "p_adjusted"?, "probability_of_improvement"?: {"strict", "half_ties"}, "detectable"?, "identical",
//!               "finding", "unit", "clusters", "note"?}],
//!  "families": {METRIC: tests that p is adjusted over}, "times_not_judged"?: why,
//!  "explained": {"words", "errors_a", "errors_b", "splits": {BY: [{"value", "errors_a", "errors_b", "contribution"}]},
//!                "utterances": {"fixed", "broken", "same"}, "carriers": […]},
//!  "secondary"?: [{"name", "over", "statistic"?, "value"?, "p_value"?, "reason"?}]}
//! ```

use serde_json::{Map, Value, json};
use vbench_compare::explain::{Carrier, Split};
use vbench_compare::secondary::SecondaryTest;
use vbench_compare::{Comparison, Explained, Finding, LeftOut, StratumComparison};
use vbench_core::{GateMetric, GateUnit};

use crate::comparison_page::verdict;
use crate::format::{self, ABSENT, NumberStyle, count, p_value, usable_interval, visible};
use crate::grid::Grid;
use crate::json::{estimate_json, insert_number};
use crate::markdown::inline;
use crate::strata::{keep_largest, push_new};
use crate::terminal::{Paint, TERMINAL_ROWS, wrapped};

/// Schema of [`comparison_json`].
pub const COMPARE_SCHEMA: &str = "vbench/compare/1";

/// Left-out cells named per reason.
const NAMED: usize = 5;
/// Speakers shown in the split.
const SPEAKERS: usize = 10;
/// Longest transcript in plain text, in characters.
const TEXT: usize = 160;

/// Value and difference of a metric.
pub(crate) fn styles(metric: GateMetric) -> (NumberStyle, NumberStyle) {
    match metric.unit() {
        GateUnit::Percent => (format::RATE, format::POINTS),
        GateUnit::Factor => (format::FACTOR, NumberStyle { signed: true, ..format::FACTOR }),
        GateUnit::Decibel => (format::DECIBEL, NumberStyle { signed: true, ..format::DECIBEL }),
    }
}

/// `WER %`, `RTF`, `SNR dB`.
pub(crate) fn title(metric: GateMetric) -> String {
    let name = metric.name().replace('_', " ").to_uppercase();
    match metric.unit() {
        GateUnit::Percent => format!("{name} %"),
        GateUnit::Factor => name,
        GateUnit::Decibel => format!("{name} dB"),
    }
}

fn stratum_name(s: &StratumComparison) -> String {
    if s.by == "all" { "all".into() } else { format!("{}={}", s.by, s.value) }
}

/// What the numbers mean; shown under the first table.
pub(crate) const NOTES: &str = "difference: B - A over the shared cells, in points for rates, with its 95 % interval. \
    p: cluster sign-flip test of no difference, which decides. \
    P(B better): share of bootstrap replicates, half of the ties. \
    detectable: the smallest true difference that these units would show (80 %, two-sided 0.05).";

/// What p is adjusted over, what is not judged, and where interval and test disagree.
pub(crate) fn rules(c: &Comparison) -> Vec<String> {
    let size = |(metric, n): &(GateMetric, usize)| {
        let tests = if *n == 1 { "test" } else { "tests" };
        format!("{}: {n} {tests}", metric.name().to_uppercase())
    };
    let sizes: Vec<String> = c.families.iter().filter(|(_, n)| *n > 0).map(size).collect();
    let mut rules = Vec::new();
    if !sizes.is_empty() {
        rules.push(format!(
            "p adjusted: Benjamini-Hochberg over the strata of one metric, single speakers among them ({}). Strata with the \
             same cells are one test; the whole is one question asked in advance and keeps its p.",
            sizes.join(", ")
        ));
    }
    if let Some(why) = c.head.times_not_judged.as_ref().filter(|_| c.head.metrics.contains(&GateMetric::Rtf)) {
        rules.push(format!("Differences of RTF are not judged: {why}."));
    }
    if c.strata.iter().any(StratumComparison::interval_disagrees) {
        rules.push(
            "An interval that excludes 0 beside an undecided finding: the sign-flip test decides, the interval is \
             approximate, most of all with few units."
                .into(),
        );
    }
    rules
}

/// The columns of a table of strata; what is left out first where they do not fit.
const COLUMNS: [(&str, bool); 10] = [
    ("stratum", false),
    ("cells", true),
    ("A", true),
    ("B", true),
    ("difference [95 %]", true),
    ("p", true),
    ("p adjusted", true),
    ("P(B better)", true),
    ("detectable", true),
    ("unit", false),
];
const LEAVE_OUT: [usize; 5] = [7, 8, 9, 1, 6];

fn grid(rows: &[&StratumComparison], reasons: &mut Vec<String>) -> Grid {
    let mut grid = Grid::new(&COLUMNS);
    for s in rows {
        let (value, change) = styles(s.metric);
        let p = &s.paired;
        let judged = |text: Option<String>| text.filter(|_| s.judged).unwrap_or_else(|| ABSENT.into());
        let difference = match usable_interval(&p.difference) {
            Ok(i) => format!("{} {}", change.number(p.difference.value), change.interval(i.lo, i.hi)),
            Err(_) if p.identical => "identical".into(),
            Err(reason) => {
                let at = reasons.iter().position(|r| r == reason).unwrap_or_else(|| {
                    reasons.push(reason.to_owned());
                    reasons.len() - 1
                });
                format!("{} [{ABSENT} {}]", change.number(p.difference.value), at + 1)
            }
        };
        let unit = format!("{} ({}){}", s.unit, count(s.clusters as u64), if s.note.is_some() { "*" } else { "" });
        grid.push(vec![
            stratum_name(s),
            count(s.cells as u64),
            value.number(p.a),
            value.number(p.b),
            difference,
            judged(p.test.as_ref().ok().map(|t| p_value(t.p_two_sided))),
            judged(s.p_adjusted.map(p_value)),
            judged(p.improvement.map(|i| format!("{:.2}", i.half_ties))),
            judged(p.detectable.map(|d| NumberStyle { signed: false, ..change }.number(d))),
            unit,
        ]);
    }
    grid
}

fn tables(c: &Comparison, reasons: &mut Vec<String>) -> Vec<(String, Grid)> {
    // Behind the headline metric overall and by condition are enough for the eye; the JSON has every stratum.
    let shown = |s: &&StratumComparison, first: bool| first || s.by == "all" || s.by == "condition";
    let mut tables = Vec::new();
    for (i, metric) in c.head.metrics.iter().enumerate() {
        let mut rows: Vec<&StratumComparison> =
            c.strata.iter().filter(|s| s.metric == *metric && shown(s, i == 0)).collect();
        keep_largest(&mut rows, TERMINAL_ROWS, moved_by);
        tables.push((title(*metric), grid(&rows, reasons)));
    }
    tables
}

/// How far a stratum moved, by which the strata are chosen where there are too many; those of all cells and of a condition
/// always stay.
pub(crate) fn moved_by(s: &&StratumComparison) -> f64 {
    if s.by == "all" || s.by == "condition" { f64::INFINITY } else { s.paired.difference.value.abs() }
}

pub(crate) fn left_out(l: &LeftOut) -> Vec<String> {
    let named = |cells: &[String]| {
        let shown = cells.iter().take(NAMED).map(|c| visible(c)).collect::<Vec<_>>().join(", ");
        if cells.len() > NAMED { format!("{shown}, … ({} more)", cells.len() - NAMED) } else { shown }
    };
    let groups = l.groups("A", "B");
    let some = groups.iter().filter(|(_, cells)| !cells.is_empty());
    some.map(|(why, cells)| format!("left out, {why}: {} ({})", cells.len(), named(cells))).collect()
}

/// None where no utterance changed.
pub(crate) fn splits(e: &Explained) -> &[Split] {
    if e.fixed + e.broken == 0 { &[] } else { &e.splits }
}

pub(crate) fn split_grid(split: &Split) -> Grid {
    let mut grid =
        Grid::new(&[("part", false), ("errors A", true), ("errors B", true), ("change", true), ("points", true)]);
    let limit = if split.by == "speaker" { SPEAKERS } else { usize::MAX };
    for s in split.shares.iter().take(limit) {
        grid.push(vec![
            s.value.clone(),
            count(s.errors_a),
            count(s.errors_b),
            signed(s.change()),
            format::POINTS.number(s.contribution),
        ]);
    }
    grid
}

fn signed(change: i64) -> String {
    if change > 0 { format!("+{change}") } else { change.to_string() }
}

pub(crate) fn split_title(split: &Split) -> String {
    let more = split.shares.len().saturating_sub(SPEAKERS);
    if split.by == "speaker" && more > 0 {
        format!("by speaker ({SPEAKERS} with the largest change; {more} more)")
    } else {
        format!("by {}", split.by)
    }
}

pub(crate) fn explained_head(e: &Explained) -> String {
    if e.fixed + e.broken == 0 {
        let (errors, utterances) = (count(e.errors_a), count(e.same as u64));
        return format!(
            "No utterance has more or fewer errors ({errors} in {utterances} utterances): nothing to explain."
        );
    }
    format!(
        "Where the difference comes from: {} word errors over {} words ({} -> {}); every split sums to it exactly. \
         Utterances: {} fixed, {} broken, {} with as many errors.",
        signed(e.change()),
        count(e.words),
        count(e.errors_a),
        count(e.errors_b),
        e.fixed,
        e.broken,
        e.same
    )
}

fn carrier_head(c: &Carrier) -> String {
    let verdict = if c.change() > 0 { "broken" } else { "fixed" };
    let (change, over) = (signed(c.change()), over_conditions(c.cells));
    format!("{verdict} {change}: {} -> {} errors{over}, {}", c.errors_a, c.errors_b, c.utterance)
}

/// ` over 2 conditions`: the errors of an utterance are sums, its texts are of one condition.
pub(crate) fn over_conditions(cells: usize) -> String {
    if cells > 1 { format!(" over {cells} conditions") } else { String::new() }
}

/// `1 shared cell`, `2 shared cells`.
pub(crate) fn cells_in_words(what: &str, n: usize) -> String {
    format!("{} {what}cell{}", count(n as u64), if n == 1 { "" } else { "s" })
}

fn secondary_grid(tests: &[SecondaryTest]) -> Grid {
    let mut grid = Grid::new(&[("test", false), ("over", false), ("statistic", true), ("p", true)]);
    for t in tests {
        let (statistic, p) = match &t.result {
            Ok((name, value, p)) => (format!("{name} = {}", trimmed(*value)), p_value(*p)),
            Err(why) => (why.to_string(), ABSENT.into()),
        };
        grid.push(vec![t.name.clone(), t.over.clone(), statistic, p]);
    }
    grid
}

fn trimmed(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

pub(crate) fn hallucinated(c: &Comparison) -> Option<String> {
    let (a, b) = c.explained.hallucinated;
    (a + b > 0).then(|| format!("hallucinated words where nothing was said, outside every rate: {a} -> {b}"))
}

fn facts(c: &Comparison) -> String {
    format!(
        "suite {}, normaliser {}, alignment weights {}, seed {}, {}",
        visible(&c.head.suite),
        c.head.normalizer,
        c.head.weights,
        c.head.seed,
        cells_in_words("shared ", c.shared)
    )
}

/// The tables, with as many columns as fit; what was left out.
fn fitting_tables(c: &Comparison, reasons: &mut Vec<String>, width: usize) -> (String, Vec<&'static str>) {
    let (mut out, mut left_out) = (String::new(), Vec::new());
    for (title, grid) in tables(c, reasons) {
        let (text, missing) = grid.fitted(width, &LEAVE_OUT);
        out += &format!("\n{title}\n{text}");
        for column in missing {
            push_new(&mut left_out, column);
        }
    }
    (out, left_out)
}

/// The comparison as text of at most `width` columns where that is possible (from 80 on); about 130 show everything. With
/// `colour` the verdict has one.
#[must_use]
pub fn comparison_text(c: &Comparison, width: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut reasons = Vec::new();
    let wrap = |text: &str| -> String { wrapped(text, width.min(120)).iter().map(|l| format!("{l}\n")).collect() };
    let mut out = format!("A  {}\nB  {}\n{}", visible(&c.head.a), visible(&c.head.b), wrap(&facts(c)));
    for forced in &c.head.forced {
        out += &wrap(&format!("FORCED: {}", visible(forced)));
    }
    if let Some(text) = &c.head.preprocessing {
        out += &wrap(&format!("PREPROCESSING: {}", visible(text)));
    }
    let (finding, words) = verdict(c);
    let coloured = |line: &str| match finding {
        Finding::Improved => paint.green(line),
        Finding::Regressed => paint.red(line),
        _ => paint.bold(line),
    };
    out += &format!("\n{}", wrap(&words).lines().map(|line| coloured(line) + "\n").collect::<String>());
    let (tables, missing) = fitting_tables(c, &mut reasons, width);
    out += &format!("{tables}\n{}", wrap(NOTES));
    if !missing.is_empty() {
        out += &wrap(&format!("no room for {} at this width: --json has them", missing.join(", ")));
    }
    for rule in rules(c) {
        out += &wrap(&rule);
    }
    for note in notes(c) {
        out += &wrap(&note);
    }
    for (i, reason) in reasons.iter().enumerate() {
        out += &wrap(&format!("{ABSENT} {}: {reason}", i + 1));
    }
    for line in left_out(&c.left_out).into_iter().chain(hallucinated(c)) {
        out += &wrap(&line);
    }
    if let Some(tests) = &c.secondary {
        out += &format!(
            "\n{}{}",
            wrap("Secondary tests over all shared cells, which they take as independent"),
            secondary_grid(tests).fitted(width, &[1]).0
        );
    }
    out += &format!("\n{}", wrap(&explained_head(&c.explained)));
    for split in splits(&c.explained) {
        out += &format!("\n{}\n{}", split_title(split), split_grid(split).fitted(width, &[]).0);
    }
    if !c.explained.carriers.is_empty() {
        out += "\nThe utterances that carry most of it\n";
    }
    for carrier in &c.explained.carriers {
        let text = |t: &str| format::shortened(&visible(t), TEXT.min(width.saturating_sub(10)));
        let head = format!("{} ({}; texts of {})", carrier_head(carrier), carrier.speaker, carrier.condition);
        out += &format!(
            "  {}\n    said  {}\n    A     {}\n    B     {}\n",
            wrapped(&visible(&head), width.saturating_sub(2)).join("\n  "),
            text(&carrier.reference),
            text(&carrier.hypothesis_a),
            text(&carrier.hypothesis_b)
        );
    }
    out
}

/// What the stars mean: the note of the whole, else a general sentence.
fn notes(c: &Comparison) -> Vec<String> {
    let of_all = c.strata.iter().find(|s| s.by == "all").and_then(|s| s.note.clone());
    let general = || "the interval is conditional on the speakers of the stratum".to_owned();
    let any = c.strata.iter().any(|s| s.note.is_some());
    any.then(|| format!("* {}", of_all.unwrap_or_else(general))).into_iter().collect()
}

/// The comparison as Markdown for a pull-request comment.
#[must_use]
pub fn comparison_markdown(c: &Comparison) -> String {
    let mut reasons = Vec::new();
    let mut out = format!(
        "# Comparison\n\nA: {}  \nB: {}  \n{}\n",
        inline(&visible(&c.head.a)),
        inline(&visible(&c.head.b)),
        inline(&facts(c))
    );
    for forced in &c.head.forced {
        out += &format!("\n> **Forced:** {}\n", inline(&visible(forced)));
    }
    if let Some(text) = &c.head.preprocessing {
        out += &format!("\n> **Preprocessing:** {}\n", inline(&visible(text)));
    }
    out += &format!("\n**{}**\n", inline(&verdict(c).1));
    for (title, grid) in tables(c, &mut reasons) {
        out += &format!("\n## {title}\n\n{}", grid.markdown());
    }
    let mut lines = vec![NOTES.to_owned()];
    lines.extend(rules(c));
    lines.extend(notes(c));
    lines.extend(reasons.iter().enumerate().map(|(i, reason)| format!("{ABSENT} {}: {reason}", i + 1)));
    lines.extend(left_out(&c.left_out));
    lines.extend(hallucinated(c));
    out.push('\n');
    for line in lines {
        out += &format!("- {}\n", inline(&line));
    }
    if let Some(tests) = &c.secondary {
        out += &format!("\n## Secondary tests (cells taken as independent)\n\n{}", secondary_grid(tests).markdown());
    }
    out += &format!("\n## Explained\n\n{}\n", inline(&explained_head(&c.explained)));
    for split in splits(&c.explained) {
        out += &format!("\n### {}\n\n{}", inline(&split_title(split)), split_grid(split).markdown());
    }
    if !c.explained.carriers.is_empty() {
        out += "\n### The utterances that carry most of it\n\n";
        let mut grid =
            Grid::new(&[("change", false), ("texts of", false), ("said", false), ("A", false), ("B", false)]);
        for c in &c.explained.carriers {
            grid.push(vec![
                carrier_head(c),
                c.condition.clone(),
                c.reference.clone(),
                c.hypothesis_a.clone(),
                c.hypothesis_b.clone(),
            ]);
        }
        out += &grid.markdown();
    }
    out
}

/// The comparison as JSON.
#[must_use]
pub fn comparison_json(c: &Comparison) -> Value {
    let left: Map<String, Value> =
        c.left_out.groups("a", "b").into_iter().map(|(why, cells)| (why.replace(' ', "_"), json!(cells))).collect();
    let mut out = json!({
        "schema": COMPARE_SCHEMA,
        "a": c.head.a,
        "b": c.head.b,
        "suite": c.head.suite,
        "normalizer": c.head.normalizer,
        "weights": c.head.weights,
        "seed": c.head.seed,
    });
    if !c.head.forced.is_empty() {
        out["forced"] = json!(c.head.forced);
    }
    if let Some(text) = &c.head.preprocessing {
        out["preprocessing"] = text.as_str().into();
    }
    out["shared"] = c.shared.into();
    out["left_out"] = left.into();
    let (finding, text) = verdict(c);
    out["verdict"] = json!({"finding": finding.name(), "text": text});
    let families = c.families.iter().map(|(metric, n)| (metric.name().to_owned(), Value::from(*n)));
    out["families"] = families.collect::<Map<String, Value>>().into();
    if let Some(why) = &c.head.times_not_judged {
        out["times_not_judged"] = why.clone().into();
    }
    out["results"] = c.strata.iter().map(result_json).collect();
    out["explained"] = explained_json(&c.explained);
    if let Some(tests) = &c.secondary {
        out["secondary"] = tests.iter().map(secondary_json).collect();
    }
    out
}

fn result_json(s: &StratumComparison) -> Value {
    let mut out = Map::new();
    out.insert("stratum".into(), json!({"by": s.by, "value": s.value}));
    out.insert("metric".into(), s.metric.name().into());
    out.insert("cells".into(), s.cells.into());
    insert_number(&mut out, "a", s.paired.a);
    insert_number(&mut out, "b", s.paired.b);
    out.insert("difference".into(), estimate_json(&s.paired.difference));
    out.insert("finding".into(), s.finding().name().into());
    if let Some(test) = s.paired.test.as_ref().ok().filter(|_| s.judged) {
        insert_number(&mut out, "p_value", test.p_two_sided);
    }
    if let Some(p) = s.p_adjusted {
        insert_number(&mut out, "p_adjusted", p);
    }
    if let Some(i) = s.paired.improvement.filter(|_| s.judged) {
        out.insert("probability_of_improvement".into(), json!({"strict": i.strict, "half_ties": i.half_ties}));
    }
    if let Some(d) = s.paired.detectable.filter(|_| s.judged) {
        insert_number(&mut out, "detectable", d);
    }
    out.insert("identical".into(), s.paired.identical.into());
    out.insert("unit".into(), s.unit.to_string().into());
    out.insert("clusters".into(), s.clusters.into());
    if let Some(note) = &s.note {
        out.insert("note".into(), note.clone().into());
    }
    out.into()
}

fn explained_json(e: &Explained) -> Value {
    let splits: Map<String, Value> = e
        .splits
        .iter()
        .map(|split| {
            let shares = split.shares.iter().map(|s| {
                json!({
                    "value": s.value, "errors_a": s.errors_a, "errors_b": s.errors_b, "contribution": s.contribution,
                })
            });
            (split.by.replace(' ', "_"), shares.collect())
        })
        .collect();
    let carriers = e.carriers.iter().map(|c| {
        json!({
            "utterance": c.utterance, "speaker": c.speaker, "cells": c.cells, "errors_a": c.errors_a,
            "errors_b": c.errors_b, "condition": c.condition, "reference": c.reference,
            "hypothesis_a": c.hypothesis_a, "hypothesis_b": c.hypothesis_b,
        })
    });
    json!({
        "words": e.words,
        "errors_a": e.errors_a,
        "errors_b": e.errors_b,
        "splits": splits,
        "utterances": {"fixed": e.fixed, "broken": e.broken, "same": e.same},
        "hallucinated_words": {"a": e.hallucinated.0, "b": e.hallucinated.1},
        "carriers": carriers.collect::<Value>(),
    })
}

fn secondary_json(t: &SecondaryTest) -> Value {
    match &t.result {
        Ok((statistic, value, p)) => {
            json!({"name": t.name, "over": t.over, "statistic": statistic, "value": value, "p_value": p})
        }
        Err(why) => json!({"name": t.name, "over": t.over, "reason": why.to_string()}),
    }
}
