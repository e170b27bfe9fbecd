//! Every cell of a run as compact data for the page's list of utterances.
//!
//! One column per property, each an array over the cells in plan order. What repeats (utterances, speakers, conditions,
//! models, references, recipes, …) stands once in a dictionary, and the column holds places in it. An alignment is a
//! run-length code such as `4=S2=ID` with the words heard at its S and I; its other words are those of the reference,
//! which stand once per reference text. `templates/report.js` reads this; both ends are in this crate, so the form has
//! no version.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::ReportError;
use crate::format::{self, visible};
use crate::input::{AlignedToken, CellRow, ReportInput, TokenOp};
use crate::page::DataBlock;

/// Id of the data block.
pub(crate) const CELLS_BLOCK: &str = "cell-data";
/// Longest reference or hypothesis in the list, in characters.
pub(crate) const TEXT_LIMIT: usize = 2_000;
/// Most columns of an alignment in the list.
const COLUMN_LIMIT: usize = 400;
/// Longest word of an alignment, in characters.
const TOKEN_LIMIT: usize = 100;
/// Bytes of transcripts and alignments in the list. With 10,000 cells the columns take another megabyte, so the page
/// stays under 5 MB. Texts beyond it are left out, those of the cells with the fewest errors first.
pub(crate) const TEXT_BUDGET: usize = 3_000_000;

/// A place in a dictionary.
#[derive(Default)]
struct Dictionary<'a> {
    places: HashMap<&'a str, usize>,
    entries: Vec<&'a str>,
}

impl<'a> Dictionary<'a> {
    fn place(&mut self, text: &'a str) -> usize {
        let Self { places, entries } = self;
        *places.entry(text).or_insert_with(|| {
            entries.push(text);
            entries.len() - 1
        })
    }

    fn shown(&self) -> Vec<String> {
        self.entries.iter().map(|text| format::shortened(&visible(text), 400)).collect()
    }
}

/// The hypothesis of a cell as the page holds it.
#[derive(Serialize)]
#[serde(untagged)]
enum Heard {
    /// No hypothesis: `null`.
    Nothing,
    /// The same text as the reference: `0`.
    Same(u8),
    /// Another text.
    Text(String),
}

/// Texts of the cells, within the budget.
#[derive(Default)]
struct Texts<'a> {
    references: Vec<String>,
    /// Normalised words of each reference, joined by spaces; empty until a cell with an error needs them.
    words: Vec<String>,
    places: HashMap<&'a str, usize>,
    /// Per cell: place of its reference, `-1` where the texts are left out.
    reference: Vec<i64>,
    heard: Vec<Heard>,
    code: Vec<String>,
    heard_words: Vec<String>,
    spent: usize,
    left_out: usize,
}

/// The block of all cells; absent when there are none.
pub(crate) fn block(input: &ReportInput<'_>) -> Result<Option<DataBlock>, ReportError> {
    let rows = &input.cells.rows;
    if rows.is_empty() {
        return Ok(None);
    }
    let texts = texts(rows, TEXT_BUDGET);
    let count = |pick: fn(&CellRow) -> Option<u64>| -> Value { rows.iter().map(pick).collect() };
    let value = json!({
        "cells": rows.len(),
        "leftOut": texts.left_out,
        "limit": TEXT_LIMIT,
        "names": named(rows),
        "strata": strata(input),
        "worst": worst(input),
        "errors": count(|r| r.words.map(|w| w.errors())),
        "sub": count(|r| r.words.map(|w| w.sub)),
        "del": count(|r| r.words.map(|w| w.del)),
        "ins": count(|r| r.words.map(|w| w.ins)),
        "words": count(|r| r.words.map(|w| w.reference())),
        "wer": rows.iter().map(percent).collect::<Vec<_>>(),
        "references": texts.references,
        "referenceWords": texts.words,
        "reference": texts.reference,
        "heard": texts.heard,
        "code": texts.code,
        "heardWords": texts.heard_words,
    });
    DataBlock::new(CELLS_BLOCK, &value).map(Some)
}

/// The rate in percent with the digits that tables show.
fn percent(row: &CellRow) -> Option<f64> {
    row.wer.filter(|w| w.is_finite()).map(|w| (w * 1e4).round() / 100.0)
}

/// Columns of names: `{name: {values: [text], at: [place]}}`.
fn named(rows: &[CellRow]) -> Value {
    let mut columns = serde_json::Map::new();
    let mut add = |name: &str, pick: fn(&CellRow) -> &str| {
        let mut dictionary = Dictionary::default();
        let at: Vec<usize> = rows.iter().map(|row| dictionary.place(pick(row))).collect();
        columns.insert(name.to_owned(), json!({ "values": dictionary.shown(), "at": at }));
    };
    add("utterance", |r| &r.utterance);
    add("speaker", |r| &r.speaker);
    add("condition", |r| &r.condition);
    add("model", |r| &r.model);
    add("outcome", |r| &r.outcome);
    add("reason", |r| &r.reason);
    add("recipe", |r| &r.recipe);
    add("achieved", |r| &r.achieved);
    // Only keys that are not made of the three names.
    add("key", |r| {
        let rest = r.cell.strip_prefix(r.utterance.as_str()).and_then(|c| c.strip_prefix('/'));
        let rest = rest.and_then(|c| c.strip_prefix(r.condition.as_str())).and_then(|c| c.strip_prefix('/'));
        if rest == Some(r.model.as_str()) { "" } else { &r.cell }
    });
    Value::Object(columns)
}

/// Membership in the strata that no column of names tells: `{property: {values, at}}`, `-1` for none.
fn strata(input: &ReportInput<'_>) -> Value {
    let mut columns = serde_json::Map::new();
    for (i, property) in input.cells.properties.iter().enumerate() {
        if matches!(property.as_str(), "condition" | "speaker") {
            continue;
        }
        let mut dictionary = Dictionary::default();
        let at: Vec<i64> = input
            .cells
            .rows
            .iter()
            .map(|row| row.strata.get(i).and_then(Option::as_deref).map_or(-1, |v| dictionary.place(v) as i64))
            .collect();
        columns.insert(visible(property), json!({ "values": dictionary.shown(), "at": at }));
    }
    Value::Object(columns)
}

/// Rank among the worst utterances by place of the cell.
fn worst(input: &ReportInput<'_>) -> Value {
    let ranks: HashMap<&str, usize> = input.worst.iter().enumerate().map(|(i, w)| (w.cell.as_str(), i + 1)).collect();
    let listed = input.cells.rows.iter().enumerate();
    let pairs = listed.filter_map(|(i, row)| Some((i.to_string(), json!(ranks.get(row.cell.as_str())?))));
    Value::Object(pairs.collect())
}

fn texts(rows: &[CellRow], budget: usize) -> Texts<'_> {
    let errors = |i: &usize| rows[*i].words.map_or(u64::MAX, |w| w.errors());
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(errors(i)), *i));
    let mut kept: Vec<Option<(Heard, String, String)>> = rows.iter().map(|_| None).collect();
    let mut texts = Texts { reference: vec![-1; rows.len()], ..Texts::default() };
    for i in order {
        kept[i] = texts.keep(i, &rows[i], budget);
    }
    for text in kept {
        let (heard, code, words) = text.unwrap_or((Heard::Nothing, String::new(), String::new()));
        texts.heard.push(heard);
        texts.code.push(code);
        texts.heard_words.push(words);
    }
    texts
}

impl<'a> Texts<'a> {
    /// Adds the texts of a cell; `None` when they would exceed the budget.
    fn keep(&mut self, i: usize, row: &'a CellRow, budget: usize) -> Option<(Heard, String, String)> {
        let known = self.places.get(row.reference.as_str()).copied();
        let reference = if known.is_some() { String::new() } else { shown(&row.reference) };
        let words = match known {
            Some(at) if !self.words[at].is_empty() => String::new(),
            _ => reference_words(&row.alignment),
        };
        let heard = match &row.hypothesis {
            None => Heard::Nothing,
            Some(h) if *h == row.reference => Heard::Same(0),
            Some(h) => Heard::Text(shown(h)),
        };
        let (code, heard_words) = encoded(&row.alignment);
        let hypothesis = if let Heard::Text(text) = &heard { text.len() } else { 0 };
        let cost = reference.len() + words.len() + hypothesis + code.len() + heard_words.len();
        if self.spent + cost > budget {
            self.left_out += 1;
            return None;
        }
        self.spent += cost;
        let at = known.unwrap_or_else(|| {
            self.places.insert(&row.reference, self.references.len());
            self.references.push(reference);
            self.words.push(String::new());
            self.references.len() - 1
        });
        if !words.is_empty() {
            self.words[at] = words;
        }
        self.reference[i] = at as i64;
        Some((heard, code, heard_words))
    }
}

fn shown(text: &str) -> String {
    format::shortened(&visible(text), TEXT_LIMIT)
}

/// A word without spaces, so that words can be joined by them.
fn word(token: &str) -> String {
    format::shortened(&visible(token), TOKEN_LIMIT).replace(' ', "\u{a0}")
}

/// As many as any alignment with this reference can show in its columns.
fn reference_words(alignment: &[AlignedToken]) -> String {
    let words = alignment.iter().filter_map(|t| t.reference.as_deref().map(word)).take(COLUMN_LIMIT);
    words.collect::<Vec<_>>().join(" ")
}

/// The run-length code and the words at its S and I. `12+` at the end: twelve columns are not shown.
fn encoded(alignment: &[AlignedToken]) -> (String, String) {
    let letter = |t: &AlignedToken| match t.op {
        TokenOp::Hit => '=',
        TokenOp::Substitution => 'S',
        TokenOp::Deletion => 'D',
        TokenOp::Insertion => 'I',
    };
    let shown = &alignment[..alignment.len().min(COLUMN_LIMIT)];
    let mut code = String::new();
    let mut push = |run: usize, letter: char| {
        if run > 1 {
            code.push_str(&run.to_string());
        }
        code.push(letter);
    };
    for run in shown.chunk_by(|a, b| a.op == b.op) {
        push(run.len(), letter(&run[0]));
    }
    if alignment.len() > COLUMN_LIMIT {
        // One column more is written out too: a bare `+` would be no number.
        code.push_str(&format!("{}+", alignment.len() - COLUMN_LIMIT));
    }
    let heard = shown.iter().filter(|t| matches!(t.op, TokenOp::Substitution | TokenOp::Insertion));
    let words: Vec<String> = heard.map(|t| t.hypothesis.as_deref().map_or_else(String::new, word)).collect();
    (code, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::ErrorCounts;

    /// `S`, `D`, `I` and `=` as columns of numbered words.
    fn columns(ops: &str) -> Vec<AlignedToken> {
        let column = |(i, op): (usize, char)| {
            let (above, below) = (Some(format!("r{i}")), Some(format!("h{i}")));
            match op {
                'S' => AlignedToken { op: TokenOp::Substitution, reference: above, hypothesis: below },
                'D' => AlignedToken { op: TokenOp::Deletion, reference: above, hypothesis: None },
                'I' => AlignedToken { op: TokenOp::Insertion, reference: None, hypothesis: below },
                _ => AlignedToken { op: TokenOp::Hit, reference: above.clone(), hypothesis: above },
            }
        };
        ops.chars().enumerate().map(column).collect()
    }

    fn row(reference: &str, hypothesis: &str, errors: u64) -> CellRow {
        CellRow {
            reference: reference.into(),
            hypothesis: Some(hypothesis.into()),
            words: Some(ErrorCounts { sub: errors, ..ErrorCounts::ZERO }),
            ..CellRow::default()
        }
    }

    #[test]
    fn alignments_are_run_lengths_and_the_words_heard_at_errors() {
        let ops = columns("====S==IDD");
        assert_eq!(encoded(&ops), ("4=S2=I2D".into(), "h4 h7".into()));
        assert_eq!(reference_words(&ops), "r0 r1 r2 r3 r4 r5 r6 r8 r9");
        assert_eq!(encoded(&[]), (String::new(), String::new()));
        let (code, words) = encoded(&columns(&"S".repeat(COLUMN_LIMIT + 1)));
        assert_eq!((code.as_str(), words.split(' ').count()), ("400S1+", COLUMN_LIMIT));
        assert_eq!(word("two words"), "two\u{a0}words");
    }

    #[test]
    fn texts_beyond_the_budget_are_left_out_fewest_errors_first_and_shared_ones_cost_once() {
        let rows = [row("aaaa", "bbbb", 0), row("cccc", "dddd", 2), row("cccc", "cccc", 1), row("eeee", "ffff", 5)];
        let kept = |budget| {
            let texts = texts(&rows, budget);
            (texts.reference, texts.left_out)
        };
        assert_eq!(kept(1_000), (vec![2, 1, 1, 0], 0));
        // eeee, ffff, cccc, dddd; the third row says nothing new.
        assert_eq!(kept(16), (vec![-1, 1, 1, 0], 1));
        assert_eq!(kept(8), (vec![-1, -1, -1, 0], 3));
        assert_eq!(texts(&rows, 1_000).references, ["eeee", "cccc", "aaaa"]);
    }

    #[test]
    fn a_key_made_of_its_names_is_not_written_again() {
        let made = CellRow {
            cell: "c/u/clean/m".into(),
            utterance: "c/u".into(),
            condition: "clean".into(),
            model: "m".into(),
            ..CellRow::default()
        };
        let other = CellRow { cell: "c/u/clean/m/2".into(), ..made.clone() };
        assert_eq!(named(&[made, other])["key"]["values"], json!(["", "c/u/clean/m/2"]));
    }
}
