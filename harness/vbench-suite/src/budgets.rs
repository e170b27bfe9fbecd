//! Latency budgets as TOML: the `[budgets]` of a suite.
//!
//! ```toml
//! [budgets]
//! percentile = 95                # where a limit names none
//! end_to_end = 500               # ms; also first_partial, final_text, barge_in
//! stages = { vad = 50, asr = 150, llm = { ms = 120, percentile = 99 } }
//! bands = [150, 300, 500]        # edges of the experience bands, ms
//! ```

use std::path::Path;

use serde_json::{Value, json};
use toml_edit::{Document, Item};
use vbench_core::{Budget, BudgetSubject, Budgets};

use crate::problem::{Problems, SuiteError};
use crate::reader::TableReader;

/// Largest limit, ms.
const MOST_MS: f64 = 600_000.0;
/// Most bands' edges.
const MOST_EDGES: usize = 10;
/// Percentile of limits that name none.
const PERCENTILE: f64 = 95.0;

/// Parses the `[budgets]` of a file of which nothing else is read, such as a suite.
///
/// # Errors
///
/// All problems of the table, each with line and key; a file without one.
pub fn parse_budgets(path: &Path, text: &str) -> Result<Budgets, SuiteError> {
    let mut problems = Problems::new(path, text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(e) => {
            problems.add(e.span().map(|s| s.start), "", format!("not valid TOML: {}", e.message()));
            return Err(SuiteError(problems.list));
        }
    };
    let mut root = TableReader::new(document.as_table(), "", None);
    let budgets = read_budgets(&mut root, &mut problems);
    if budgets.is_none() && problems.list.is_empty() {
        problems.add(None, "budgets", "there is no `[budgets]` in this file");
    }
    if problems.list.is_empty() { Ok(budgets.unwrap_or_default()) } else { Err(SuiteError(problems.list)) }
}

/// The `[budgets]` of a table; `None` where there is none.
pub(crate) fn read_budgets(root: &mut TableReader, problems: &mut Problems) -> Option<Budgets> {
    let mut table = root.table(problems, "budgets")?;
    let percentile = table.number(problems, "percentile").unwrap_or(PERCENTILE);
    if !(percentile > 0.0 && percentile < 100.0) {
        table.problem(problems, "percentile", format!("expected above 0 and below 100, found {percentile}"));
    }
    let mut limits = Vec::new();
    for subject in BudgetSubject::WHOLE {
        let key = match subject {
            BudgetSubject::EndToEnd => "end_to_end",
            BudgetSubject::FirstPartial => "first_partial",
            BudgetSubject::FinalText => "final_text",
            BudgetSubject::BargeIn | BudgetSubject::Stage(_) => "barge_in",
        };
        if let Some(item) = table.item(key) {
            let (path, offset) = (table.key_path(key), table.offset_of(key));
            limits.extend(read_limit(item, &path, offset, (subject, percentile), problems));
        }
    }
    if let Some(stages) = table.table(problems, "stages") {
        for (name, item, offset) in stages.items() {
            let path = stages.key_path(name);
            let subject = BudgetSubject::Stage(name.to_owned());
            limits.extend(read_limit(item, &path, offset, (subject, percentile), problems));
        }
    }
    let bands_ms = table.numbers(problems, "bands").unwrap_or_else(|| Budgets::BANDS_MS.to_vec());
    let rising = bands_ms.windows(2).all(|pair| pair[0] < pair[1]);
    let in_range = bands_ms.iter().all(|ms| *ms > 0.0 && *ms <= MOST_MS);
    if bands_ms.is_empty() || bands_ms.len() > MOST_EDGES || !rising || !in_range {
        let text =
            format!("expected 1 to {MOST_EDGES} ascending edges above 0, at most {MOST_MS} ms, found {bands_ms:?}");
        table.problem(problems, "bands", text);
    }
    if limits.is_empty() && problems.list.is_empty() {
        table.problem(problems, "end_to_end", "no limit: budgets need at least one, such as `end_to_end = 500` (ms)");
    }
    table.finish(problems);
    Some(Budgets { limits, bands_ms })
}

fn read_limit(
    item: &Item,
    path: &str,
    offset: Option<usize>,
    (subject, percentile): (BudgetSubject, f64),
    problems: &mut Problems,
) -> Option<Budget> {
    let (limit_ms, percentile) = match item.as_table_like() {
        Some(table) => {
            let mut table = TableReader::new(table, path, offset);
            let ms = table.number(problems, "ms");
            if !table.has("ms") {
                table.problem(problems, "ms", "required key is missing: milliseconds");
            }
            let own = table.number(problems, "percentile").unwrap_or(percentile);
            table.finish(problems);
            (ms?, own)
        }
        None => match item.as_float().or_else(|| item.as_integer().map(|i| i as f64)) {
            Some(ms) => (ms, percentile),
            None => {
                problems.add(offset, path, "expected milliseconds, or { ms = 150, percentile = 99 }");
                return None;
            }
        },
    };
    if !(limit_ms > 0.0 && limit_ms <= MOST_MS) {
        problems.add(offset, path, format!("expected above 0, at most {MOST_MS} ms, found {limit_ms}"));
        return None;
    }
    if !(percentile > 0.0 && percentile < 100.0) {
        problems.add(offset, path, format!("expected a percentile above 0 and below 100, found {percentile}"));
        return None;
    }
    Some(Budget { subject, limit_ms, percentile })
}

/// Budgets as run records hold them.
#[must_use]
pub fn budgets_to_json(budgets: &Budgets) -> Value {
    let limit = |b: &Budget| {
        let stage = matches!(b.subject, BudgetSubject::Stage(_));
        json!({"subject": b.subject.key(), "stage": stage, "limit_ms": b.limit_ms, "percentile": b.percentile})
    };
    json!({"limits": budgets.limits.iter().map(limit).collect::<Vec<_>>(), "bands_ms": budgets.bands_ms})
}

/// The inverse of [`budgets_to_json`].
///
/// # Errors
///
/// What is wrong, in words.
pub fn budgets_from_json(value: &Value) -> Result<Budgets, String> {
    let numbers = |v: &Value| v.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    let limit = |v: &Value| {
        let name = v["subject"].as_str()?;
        let whole = BudgetSubject::WHOLE.into_iter().find(|s| s.key() == name);
        let subject = if v["stage"].as_bool()? { BudgetSubject::Stage(name.to_owned()) } else { whole? };
        Some(Budget { subject, limit_ms: v["limit_ms"].as_f64()?, percentile: v["percentile"].as_f64()? })
    };
    let limits = value["limits"].as_array().and_then(|l| l.iter().map(limit).collect::<Option<Vec<_>>>());
    Ok(Budgets {
        limits: limits.ok_or("`limits`: expected a list of {subject, stage, limit_ms, percentile}")?,
        bands_ms: numbers(&value["bands_ms"]).ok_or("`bands_ms`: expected a list of numbers")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Budgets, String> {
        parse_budgets(Path::new("s.toml"), body).map_err(|e| e.to_string())
    }

    #[test]
    fn budgets_are_read_and_survive_the_record() {
        let text = "schema = 1\n[budgets]\nend_to_end = 500\nbarge_in = { ms = 200, percentile = 90 }\n\
                    stages = { vad = 50, llm = { ms = 120.5, percentile = 99 } }\nbands = [100, 200]\n";
        let budgets = parse(text).expect("budgets");
        let shown: Vec<(&str, f64, f64)> =
            budgets.limits.iter().map(|b| (b.subject.key(), b.limit_ms, b.percentile)).collect();
        let wanted =
            [("end_to_end", 500.0, 95.0), ("barge_in", 200.0, 90.0), ("vad", 50.0, 95.0), ("llm", 120.5, 99.0)];
        assert_eq!(shown, wanted);
        assert_eq!(budgets.bands_ms, [100.0, 200.0]);
        assert_eq!(budgets_from_json(&budgets_to_json(&budgets)).as_ref(), Ok(&budgets));
        // A stage may be called what a whole turn's limit is called.
        let same = parse("[budgets]\nend_to_end = 9\nstages = { end_to_end = 5 }\n").expect("budgets");
        assert_eq!(budgets_from_json(&budgets_to_json(&same)).as_ref(), Ok(&same));
        assert_eq!(same.bands_ms, Budgets::BANDS_MS);
    }

    #[test]
    fn bad_budgets_name_line_and_key() {
        for (body, wanted) in [
            ("x = 1", "budgets: there is no `[budgets]`"),
            ("[budgets]", "no limit"),
            ("[budgets]\nend_to_end = 0", "s.toml:2: budgets.end_to_end: expected above 0"),
            ("[budgets]\nend_to_end = \"fast\"", "s.toml:2: budgets.end_to_end: expected milliseconds"),
            ("[budgets]\nend_to_end = nan", "s.toml:2: budgets.end_to_end: expected above 0"),
            ("[budgets]\nend_to_end = { percentile = 9 }", "s.toml:2: budgets.end_to_end.ms: required key is missing"),
            ("[budgets]\nend_to_end = { ms = 9, p = 9 }", "budgets.end_to_end.p: unknown key"),
            (
                "[budgets]\nend_to_end = 9\npercentile = 100",
                "s.toml:3: budgets.percentile: expected above 0 and below 100",
            ),
            ("[budgets]\nend_to_end = { ms = 9, percentile = 0 }", "a percentile above 0 and below 100, found 0"),
            ("[budgets]\nend_to_end = 9\nbands = [3, 2]", "s.toml:3: budgets.bands: expected 1 to 10 ascending"),
            ("[budgets]\nend_to_end = 9\nbands = []", "s.toml:3: budgets.bands: expected 1 to 10 ascending"),
            ("[budgets]\nend_to_ned = 9", "unknown key; did you mean `end_to_end`?"),
            ("[budgets]\n[budgets.stages]\nvad = -1", "s.toml:3: budgets.stages.vad: expected above 0"),
        ] {
            let found = parse(body).expect_err(body);
            assert!(found.contains(wanted), "{body}\n-> {found}");
        }
    }
}
