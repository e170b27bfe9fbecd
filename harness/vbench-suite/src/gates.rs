//! Gate rules as TOML: the `[[gates]]` of a suite, or a file of its own (`gate.toml`).
//!
//! ```toml
//! schema = 1
//!
//! [[gates]]
//! metric = "wer"                 # wer, wer_late_empty, cer, ser, snr, rtf, coverage
//! stratum = "all"                # or property=value, or property=* for a rule per value
//! max_increase = "0.5 points"    # against the baseline; or max = "8 %"; min and max_decrease where larger is better
//!
//! [[gates]]
//! metric = "rtf"
//! max = 0.3
//! same_machine = true            # judged only where run and baseline come from the same class of machine
//! ```

use std::path::Path;

use serde_json::{Value, json};
use toml_edit::Document;
use vbench_core::rule::{GateMetric, LIMIT_KEYS, Limit, Rule, RuleStratum};

use crate::parse::SCHEMA;
use crate::problem::{Problem, ProblemClass, Problems, SuiteError, closest};
use crate::reader::TableReader;

/// Parses the text of a rules file: `schema` and `[[gates]]`. A suite file is one too; its other keys are not read.
///
/// # Errors
///
/// All problems of the file, each with line and key; a file without any rule.
pub fn parse_rules(path: &Path, text: &str) -> Result<Vec<Rule>, SuiteError> {
    let mut problems = Problems::new(path, text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(e) => {
            problems.add(e.span().map(|s| s.start), "", format!("not valid TOML: {}", e.message()));
            return Err(SuiteError(problems.list));
        }
    };
    let mut root = TableReader::new(document.as_table(), "", None);
    let is_suite = document.as_table().contains_key("task");
    match root.unsigned(&mut problems, "schema") {
        Some(SCHEMA) => {}
        Some(newer) if newer > SCHEMA => {
            root.problem(&mut problems, "schema", format!("this version reads schema {SCHEMA}, found {newer}"));
            if let Some(problem) = problems.list.last_mut() {
                problem.class = ProblemClass::Newer;
            }
        }
        _ => root.problem(&mut problems, "schema", format!("write `schema = {SCHEMA}`")),
    }
    let rules = read_gates(&mut root, &mut problems);
    if rules.is_empty() && problems.list.is_empty() {
        root.problem(&mut problems, "gates", "no rule: a gate needs at least one `[[gates]]`");
    }
    if !is_suite {
        root.finish(&mut problems);
    }
    problems.list.sort_by_key(|p| p.line);
    if problems.list.is_empty() { Ok(rules) } else { Err(SuiteError(problems.list)) }
}

/// The `[[gates]]` of a table. Two limits of one kind on the same metric and stratum contradict each other.
pub(crate) fn read_gates(root: &mut TableReader, problems: &mut Problems) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for mut table in root.tables(problems, "gates") {
        let rule = read_rule(&mut table, problems);
        if let Some(rule) = rule {
            let same = |r: &&Rule| {
                let kinds = matches!(r.limit, Limit::Change(_)) == matches!(rule.limit, Limit::Change(_));
                r.metric == rule.metric && r.stratum == rule.stratum && kinds
            };
            if let Some(other) = rules.iter().find(same) {
                let (key, first) = other.limit_text();
                let (_, second) = rule.limit_text();
                let what = if first == second { "stated twice" } else { "contradictory" };
                let (metric, stratum) = (rule.metric.name(), &rule.stratum);
                let text = format!("{what}: {metric} on {stratum} has {key} {first} and {second}; keep one");
                table.problem(problems, key, text);
            }
            rules.push(rule);
        }
        table.finish(problems);
    }
    rules
}

fn read_rule(table: &mut TableReader, problems: &mut Problems) -> Option<Rule> {
    let metric_name = table.required_string(problems, "metric");
    let metric = GateMetric::from_name(&metric_name);
    if metric.is_none() && !metric_name.is_empty() {
        let known = GateMetric::ALL.map(GateMetric::name);
        let hint = closest(&metric_name, known).map_or(String::new(), |k| format!("; did you mean `{k}`?"));
        let known = known.join(", ");
        table.problem(problems, "metric", format!("unknown metric `{metric_name}`; known: {known}{hint}"));
    }
    let stratum = match table.string(problems, "stratum") {
        None => Some(RuleStratum::All),
        Some(text) => match RuleStratum::parse(&text) {
            Ok(stratum) => Some(stratum),
            Err(message) => {
                table.problem(problems, "stratum", message);
                None
            }
        },
    };
    let same_machine = table.boolean(problems, "same_machine").unwrap_or(false);
    let limits: Vec<(&'static str, String)> =
        LIMIT_KEYS.into_iter().filter_map(|key| Some((key, table.text_or_number(problems, key)?))).collect();
    let [(key, text)] = limits.as_slice() else {
        let found = if limits.is_empty() {
            "none".to_owned()
        } else {
            limits.iter().map(|(k, _)| format!("`{k}`")).collect::<Vec<_>>().join(" and ")
        };
        let text = format!("a rule has exactly one limit ({}), found {found}", LIMIT_KEYS.join(", "));
        table.problem(problems, limits.get(1).map_or("metric", |(key, _)| key), text);
        return None;
    };
    match Rule::parse_limit(metric?, key, text) {
        Ok(limit) => Some(Rule { metric: metric?, stratum: stratum?, limit, same_machine }),
        Err(message) => {
            table.problem(problems, key, message);
            None
        }
    }
}

/// A rule as the run record holds it.
#[must_use]
pub fn rule_to_json(rule: &Rule) -> Value {
    let (key, text) = rule.limit_text();
    let mut out = json!({"metric": rule.metric.name(), "stratum": rule.stratum.to_string(), key: text});
    if rule.same_machine {
        out["same_machine"] = true.into();
    }
    out
}

/// The inverse of [`rule_to_json`].
///
/// # Errors
///
/// What is wrong, in words.
pub fn rule_from_json(value: &Value) -> Result<Rule, String> {
    let text = |key: &str| value[key].as_str();
    let name = text("metric").ok_or("`metric` is missing")?;
    let metric = GateMetric::from_name(name).ok_or_else(|| format!("unknown metric `{name}`"))?;
    let stratum = RuleStratum::parse(text("stratum").unwrap_or("all"))?;
    let limits: Vec<&str> = LIMIT_KEYS.into_iter().filter(|key| text(key).is_some()).collect();
    let [key] = limits.as_slice() else {
        return Err(format!("a rule has exactly one limit, found {}", limits.len()));
    };
    let limit = Rule::parse_limit(metric, key, text(key).unwrap_or_default())?;
    Ok(Rule { metric, stratum, limit, same_machine: value["same_machine"].as_bool().unwrap_or(false) })
}

/// Problems of a path that cannot be read, in the form of all others.
#[must_use]
pub fn unreadable(path: &Path, error: &std::io::Error) -> SuiteError {
    SuiteError(vec![Problem {
        file: path.to_path_buf(),
        line: 0,
        key: String::new(),
        message: format!("cannot read the rules: {error}"),
        class: ProblemClass::Suite,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(body: &str) -> String {
        let text = format!("schema = 1\n{body}");
        parse_rules(Path::new("gate.toml"), &text).expect_err(body).to_string()
    }

    #[test]
    fn rules_are_read_and_survive_the_run_record() {
        let text = r#"schema = 1
[[gates]]
metric = "wer"
max_increase = "0.5 points"

[[gates]]
metric = "wer"
stratum = "condition=*"
max = "30 %"

[[gates]]
metric = "rtf"
max = 0.3
same_machine = true

[[gates]]
metric = "coverage"
min = "100 %"
"#;
        let rules = parse_rules(Path::new("gate.toml"), text).expect("rules");
        let shown: Vec<String> = rules.iter().map(Rule::to_string).collect();
        let expected = [
            "wer max_increase 0.5 points, all",
            "wer max 30 %, condition=*",
            "rtf max 0.3, all, same machine",
            "coverage min 100 %, all",
        ];
        assert_eq!(shown, expected);
        for rule in &rules {
            assert_eq!(rule_from_json(&rule_to_json(rule)).as_ref(), Ok(rule));
        }
    }

    #[test]
    fn every_bad_rule_is_named_with_its_line() {
        for (body, needles) in [
            ("", vec!["no rule"]),
            ("[[gates]]\nmetric = \"wre\"\nmax = \"8 %\"", vec!["gate.toml:3: gates[0].metric", "did you mean `wer`?"]),
            ("[[gates]]\nmetric = \"wer\"\nmax = 0.08", vec!["gate.toml:4: gates[0].max", "`8 %`"]),
            ("[[gates]]\nmetric = \"wer\"\nmin = \"8 %\"", vec!["smaller is better for wer"]),
            ("[[gates]]\nmetric = \"wer\"", vec!["exactly one limit", "found none"]),
            (
                "[[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nmax_increase = \"1 points\"",
                vec!["found `max` and `max_increase`"],
            ),
            ("[[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nstratum = \"clean\"", vec!["`property=value`"]),
            ("[[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\nmargin = 3", vec!["margin: unknown key"]),
            ("gate = 1", vec!["unknown key; did you mean `gates`?"]),
            (
                "[[gates]]\nmetric = \"wer\"\nmax = \"8 %\"\n[[gates]]\nmetric = \"wer\"\nmax = \"9 %\"",
                vec!["gate.toml:7", "contradictory: wer on all has max 8 % and 9 %"],
            ),
        ] {
            let found = problems_of(body);
            for needle in needles {
                assert!(found.contains(needle), "{body}\n-> {found}");
            }
        }
        let newer = parse_rules(Path::new("g"), "schema = 9").expect_err("newer");
        assert_eq!(newer.class(), ProblemClass::Newer);
    }
}
