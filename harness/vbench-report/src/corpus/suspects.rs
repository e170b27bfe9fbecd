//! Suspicious references: text, JSON and page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use vbench_compare::{AgreedEdit, HeardByAll, ModelWithout, Suspect, Suspects};
use vbench_core::Estimate;

use super::page::{DataPage, Section, TableRow};
use crate::error::ReportError;
use crate::format::{self, RATE, count, visible};
use crate::input::AudioClip;
use crate::json::estimate_json;
use crate::page::PageKind;

/// Utterances in text.
const TEXT_ROWS: usize = 20;

/// What a report of suspicious references is made of.
#[derive(Debug, Clone)]
pub struct SuspectsInput<'a> {
    /// What the models say.
    pub suspects: &'a Suspects,
    /// The utterances, as [`Suspect::index`] counts them.
    pub utterances: &'a [HeardByAll<'a>],
    /// Id of the normaliser.
    pub normalizer: &'a str,
    /// The runs, as given.
    pub runs: &'a [String],
    /// Recordings, by utterance.
    pub clips: &'a BTreeMap<usize, AudioClip>,
}

fn edit(e: &AgreedEdit) -> String {
    let or = |text: &str| if text.is_empty() { "(nothing)".to_owned() } else { visible(text) };
    format!("{} → {}", or(&e.reference), or(&e.models))
}

fn edits(s: &Suspect) -> String {
    s.edits.iter().map(edit).collect::<Vec<_>>().join("; ")
}

/// A rate with its interval and what was resampled.
fn rate(e: &Estimate) -> String {
    let unit = |i| format!(", {}", format::unit(i));
    RATE.estimate(e) + &format::usable_interval(e).map_or_else(|_| String::new(), unit)
}

/// What intervals are at and conditional on; nothing where there is none.
fn intervals(s: &Suspects) -> Option<String> {
    let estimates = s.models.iter().flat_map(|m| [&m.with, &m.without]);
    let found: Vec<_> = estimates.filter_map(|e| format::usable_interval(e).ok()).collect();
    let first = found.first()?;
    let conditional = found.iter().find_map(|i| format::conditional(i.unit, None));
    let conditional = conditional.map_or_else(String::new, |c| format!(", {c}"));
    Some(format!(
        "Intervals at {} over resampled units, named with their number{conditional}.",
        format::level(first.level)
    ))
}

/// The ranking as text, and WER with and without.
#[must_use]
pub fn suspects_text(input: &SuspectsInput<'_>) -> String {
    let s = input.suspects;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{} of {} utterances are suspicious ({} of {} reference words); normaliser {}",
        count(s.list.len() as u64),
        count(s.utterances as u64),
        count(s.suspect_words),
        count(s.reference_words),
        input.normalizer
    );
    for suspect in s.list.iter().take(TEXT_ROWS) {
        let u = &input.utterances[suspect.index];
        let _ = writeln!(out, "\n{:.3}  {}: {}", suspect.score, visible(u.id), edits(suspect));
        let _ = writeln!(out, "       reference  {}", visible(u.reference));
        for (model, hypothesis) in s.models.iter().zip(&u.hypotheses) {
            let _ = writeln!(out, "       {:<9}  {}", visible(&model.model), visible(hypothesis));
        }
    }
    if s.list.len() > TEXT_ROWS {
        let _ = writeln!(out, "\nand {} more (--json, --html)", count((s.list.len() - TEXT_ROWS) as u64));
    }
    let _ = writeln!(out, "\nWER %       with all utterances, and without the suspicious ones");
    for m in &s.models {
        let _ = writeln!(out, "{:<10}  {}   {}", visible(&m.model), rate(&m.with), rate(&m.without));
    }
    if let Some(text) = intervals(s) {
        let _ = writeln!(out, "{text}");
    }
    out.push_str("score: mean agreement of the models with each other minus their mean agreement with the reference");
    out
}

/// Schema `vbench/data-suspects/1`.
#[must_use]
pub fn suspects_json(input: &SuspectsInput<'_>) -> Value {
    let s = input.suspects;
    let result = |suspect: &Suspect| {
        let u = &input.utterances[suspect.index];
        let edit = |e: &AgreedEdit| json!({"reference": e.reference, "models": e.models});
        json!({
            "id": u.id,
            "score": suspect.score,
            "agreement": suspect.agreement,
            "with_reference": suspect.with_reference,
            "edits": suspect.edits.iter().map(edit).collect::<Vec<_>>(),
            "reference": u.reference,
            "hypotheses": u.hypotheses,
        })
    };
    let model = |m: &ModelWithout| {
        json!({
            "model": m.model,
            "errors": m.errors,
            "errors_in_suspects": m.errors_in_suspects,
            "wer": estimate_json(&m.with),
            "wer_without": estimate_json(&m.without),
        })
    };
    json!({
        "schema": "vbench/data-suspects/1",
        "runs": input.runs,
        "normalizer": input.normalizer,
        "utterances": s.utterances,
        "reference_words": s.reference_words,
        "suspect_words": s.suspect_words,
        "models": s.models.iter().map(model).collect::<Vec<_>>(),
        "results": s.list.iter().map(result).collect::<Vec<_>>(),
    })
}

/// The ranking as one page with players.
///
/// # Errors
///
/// As [`crate::render_html`].
pub fn suspects_html(input: &SuspectsInput<'_>) -> Result<String, ReportError> {
    let s = input.suspects;
    let row = |suspect: &Suspect| {
        let u = &input.utterances[suspect.index];
        let heard: Vec<String> =
            s.models.iter().zip(&u.hypotheses).map(|(m, h)| format!("{}: {}", visible(&m.model), visible(h))).collect();
        TableRow {
            cells: vec![
                u.id.to_owned(),
                format!("{:.3}", suspect.score),
                edits(suspect),
                u.reference.to_owned(),
                heard.join(" / "),
            ],
            clip: input.clips.get(&suspect.index),
        }
    };
    let list = Section {
        id: "suspects".into(),
        title: "Suspicious references".into(),
        lead: vec![
            "All models have the same words, and the reference has others. Listen, then mend the reference or leave it.".into(),
            "The score is the mean agreement of the models with each other minus their mean agreement with the reference; agreement is one \
             minus word errors over the longer text's words, after normalising."
                .into(),
        ],
        columns: vec![("utterance", false), ("score", true), ("reference → models", false), ("reference", false), ("heard", false)],
        rows: s.list.iter().take(500).map(row).collect(),
        ..Section::default()
    };
    let of_model = |m: &ModelWithout| TableRow {
        cells: vec![m.model.clone(), rate(&m.with), rate(&m.without), count(m.errors), count(m.errors_in_suspects)],
        clip: None,
    };
    let rates = Section {
        id: "wer".into(),
        title: "WER with and without them".into(),
        lead: [
            "Without: the suspicious utterances left out as a whole. They are chosen by the models' own errors, so the rate without them is \
             too low where a reference was right; it is a bound, not a result to publish."
                .to_owned(),
        ]
        .into_iter()
        .chain(intervals(s))
        .collect(),
        columns: vec![
            ("model", false),
            ("WER %, all", false),
            ("WER %, without", false),
            ("word errors", true),
            ("of them in suspicious utterances", true),
        ],
        rows: s.models.iter().map(of_model).collect(),
        ..Section::default()
    };
    let facts = vec![
        ("runs".to_owned(), input.runs.join(", ")),
        ("utterances".to_owned(), count(s.utterances as u64)),
        ("suspicious".to_owned(), count(s.list.len() as u64)),
        ("normaliser".to_owned(), input.normalizer.to_owned()),
    ];
    let title = "Suspicious references".to_owned();
    DataPage { kind: PageKind::Check, title, facts, sections: vec![list, rates] }.render()
}
