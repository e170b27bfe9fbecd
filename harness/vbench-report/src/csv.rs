//! A run's results as CSV (RFC 4180): one row per stratum and metric.
//!
//! The rows are the `results` of [`crate::summary_json`] in their order, so that both formats hold the same numbers.
//! Numbers have full precision and the units of the JSON (rates are fractions). An absent number is an empty field.
//! Text that a spreadsheet would take for a formula gets an apostrophe in front; control characters are made visible,
//! so no field holds a line break.

use serde_json::Value;
use vbench_compare::Summary;

use crate::format::visible;
use crate::json::summary_json;

/// The columns, in order.
pub const CSV_COLUMNS: [&str; 28] = [
    "suite",
    "model",
    "by",
    "stratum",
    "metric",
    "from",
    "normalizer",
    "weights",
    "value",
    "lo",
    "hi",
    "level",
    "method",
    "unit",
    "clusters",
    "n",
    "seed",
    "p_value",
    "planned",
    "scored",
    "failed",
    "utterances",
    "reference",
    "substitutions",
    "deletions",
    "insertions",
    "reason",
    "note",
];

/// Columns that an estimate fills.
const ESTIMATE: [&str; 10] = ["value", "lo", "hi", "level", "method", "unit", "clusters", "n", "seed", "reason"];
/// Columns that the counts fill.
const COUNTS: [&str; 8] =
    ["planned", "scored", "failed", "utterances", "reference", "substitutions", "deletions", "insertions"];

/// The results of a run as CSV with a head line; lines end with CR LF.
#[must_use]
pub fn run_csv(summary: &Summary) -> String {
    let document = summary_json(summary);
    let mut out = CSV_COLUMNS.join(",") + "\r\n";
    for result in document["results"].as_array().into_iter().flatten() {
        let fields: Vec<String> = CSV_COLUMNS
            .iter()
            .map(|column| match *column {
                "suite" => field(&document["suite"]),
                "by" => field(&result["stratum"]["by"]),
                "stratum" => field(&result["stratum"]["value"]),
                c if ESTIMATE.contains(&c) => field(&result["estimate"][c]),
                c if COUNTS.contains(&c) => field(&result["counts"][c]),
                c => field(&result[c]),
            })
            .collect();
        out += &fields.join(",");
        out += "\r\n";
    }
    out
}

/// A value as one field.
fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(&harmless(text)),
        // Numbers and truth values need no quotes and cannot be formulas.
        other => other.to_string(),
    }
}

/// Text that no spreadsheet takes for a formula.
pub(crate) fn harmless(text: &str) -> String {
    let begins_like_a_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = visible(text);
    if begins_like_a_formula { format!("'{text}") } else { text }
}

pub(crate) fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_needed_and_never_formulas() {
        let text = |t: &str| field(&Value::from(t));
        assert_eq!(text("noise-5db"), "noise-5db");
        assert_eq!(text("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(text(" padded"), "\" padded\"");
        assert_eq!(text("two\r\nlines"), "two  lines");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(text(formula).trim_start_matches('"').starts_with('\''), "{formula:?}: {}", text(formula));
        }
        assert_eq!(field(&Value::from(-0.25)), "-0.25");
        assert_eq!(field(&Value::Null), "");
    }
}
