//! What a check found: text, JSON and page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use vbench_core::Utterance;
use vbench_corpus::check::{Checked, Code, Finding, Hit, Limits, Severity};
use vbench_corpus::describe::Description;

use super::page::{DataPage, Section, TableRow, histogram};
use crate::error::ReportError;
use crate::format::{count, shortened, visible};
use crate::input::AudioClip;
use crate::page::PageKind;

/// Examples of a finding in text, and in JSON and on the page.
const TEXT_EXAMPLES: usize = 3;
const EXAMPLES: usize = 10;

/// Longest id and longest text that are shown whole, characters.
const LONGEST_ID: usize = 120;
const LONGEST_TEXT: usize = 300;

/// A line of a manifest that is not an utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Index of the manifest.
    pub manifest: usize,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// What a report of a check is made of.
#[derive(Debug, Clone)]
pub struct CheckInput<'a> {
    /// The manifests, as given.
    pub manifests: &'a [String],
    /// Every utterance, with the index of its manifest and its line.
    pub utterances: &'a [(&'a Utterance, usize, usize)],
    /// Lines that are none; hits of [`Code::LineInvalid`] name them.
    pub bad_lines: &'a [BadLine],
    /// The findings.
    pub checked: &'a Checked,
    /// From where on.
    pub limits: &'a Limits,
    /// Recordings were listened to.
    pub listened: bool,
    /// What the corpus holds.
    pub description: &'a Description,
    /// Recordings of examples, by utterance.
    pub clips: &'a BTreeMap<usize, AudioClip>,
}

/// One utterance or line with a finding, as text.
struct Example<'a> {
    id: String,
    manifest: &'a str,
    line: usize,
    detail: &'a str,
    text: &'a str,
    play: Option<String>,
}

impl CheckInput<'_> {
    fn example<'e>(&'e self, code: Code, hit: &'e Hit) -> Example<'e> {
        if code == Code::LineInvalid {
            let bad = &self.bad_lines[hit.item];
            let (manifest, id) = (&self.manifests[bad.manifest], format!("line {}", bad.line));
            return Example { id, manifest, line: bad.line, detail: &bad.message, text: "", play: None };
        }
        let (u, manifest, line) = self.utterances[hit.item];
        let manifest = &self.manifests[manifest];
        let play = format!("vbench data play {} {}", quoted(manifest), quoted(&u.id));
        Example { id: u.id.clone(), manifest, line, detail: &hit.detail, text: &u.text, play: Some(play) }
    }

    /// The items whose recordings a page plays: the first examples of every finding.
    #[must_use]
    pub fn wanted_clips(checked: &Checked, each: usize) -> Vec<usize> {
        let of = |f: &Finding| f.hits.iter().take(each).map(|h| h.item).collect::<Vec<_>>();
        let about_sound = |f: &&Finding| f.code != Code::LineInvalid && f.code != Code::AudioUnreadable;
        let mut items: Vec<usize> = checked.findings.iter().filter(about_sound).flat_map(of).collect();
        items.sort_unstable();
        items.dedup();
        items
    }
}

/// Whether a command line with this id can be shown whole.
fn short_id(input: &CheckInput<'_>, hit: &Hit) -> bool {
    input.utterances[hit.item].0.id.chars().count() <= LONGEST_ID
}

/// An id, cut where it would fill the screen.
fn shown(id: &str) -> String {
    visible(&shortened(id, LONGEST_ID))
}

/// A word of a command line.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', "'\\''"))
}

fn hours(seconds: f64) -> String {
    if seconds >= 3600.0 { format!("{:.2} h", seconds / 3600.0) } else { format!("{:.1} min", seconds / 60.0) }
}

/// `1 speaker`, `12 speakers`.
fn many(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n as u64), if n == 1 { "" } else { "s" })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// `12 errors, 3 warnings, 1 info`.
fn totals(checked: &Checked) -> String {
    let of = |s: Severity| {
        let n = checked.count(s);
        format!("{} {}{}", count(n as u64), s.name(), if n == 1 || s == Severity::Info { "" } else { "s" })
    };
    Severity::ALL.map(of).join(", ")
}

/// The findings as text, the worst severity first.
#[must_use]
pub fn check_text(input: &CheckInput<'_>) -> String {
    let d = input.description;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{}, {}, {}; {}",
        many(d.utterances, "utterance"),
        hours(d.seconds),
        many(d.speakers.len(), "speaker"),
        if input.listened { "text, metadata and sound" } else { "text and metadata only" }
    );
    for severity in Severity::ALL {
        for f in input.checked.findings.iter().filter(|f| f.code.severity() == severity) {
            let limit = if f.limit.is_empty() { String::new() } else { format!(" ({})", f.limit) };
            let _ = writeln!(
                out,
                "\n{:<8}{:<24}{:>9}  {}{limit}",
                severity.name(),
                f.code.name(),
                count(f.hits.len() as u64),
                f.code.sentence()
            );
            for hit in f.hits.iter().take(TEXT_EXAMPLES) {
                let e = input.example(f.code, hit);
                let detail = if e.detail.is_empty() {
                    String::new()
                } else {
                    format!(": {}", visible(&shortened(e.detail, LONGEST_TEXT)))
                };
                let _ = writeln!(out, "          {} ({}:{}){detail}", shown(&e.id), visible(e.manifest), e.line);
            }
            if f.hits.len() > TEXT_EXAMPLES {
                let _ = writeln!(out, "          and {} more", count((f.hits.len() - TEXT_EXAMPLES) as u64));
            }
        }
    }
    for note in &input.checked.not_checked {
        let _ = writeln!(out, "\nnot checked: {}", visible(note));
    }
    let _ = write!(out, "\n{}", totals(input.checked));
    let hits = |f: &Finding| {
        let hit = f.hits.first().filter(|_| f.code != Code::LineInvalid)?;
        short_id(input, hit).then(|| (f.code, hit.clone()))
    };
    if let Some((code, hit)) = input.checked.findings.iter().find_map(hits) {
        let play = input.example(code, &hit).play.unwrap_or_default();
        let _ = write!(out, "; hear one: {play}");
    }
    out
}

/// The findings, schema `vbench/data-check/1`.
#[must_use]
pub fn check_json(input: &CheckInput<'_>) -> Value {
    let c = input.checked;
    let example = |code: Code, hit: &Hit| {
        let e = input.example(code, hit);
        let mut value = json!({"id": e.id, "manifest": e.manifest, "line": e.line, "detail": e.detail});
        if let Some(play) = e.play {
            value["play"] = play.into();
        }
        value
    };
    let result = |f: &Finding| {
        json!({
            "code": f.code.name(),
            "severity": f.code.severity().name(),
            "meaning": f.code.sentence(),
            "count": f.hits.len(),
            "limit": f.limit,
            "examples": f.hits.iter().take(EXAMPLES).map(|h| example(f.code, h)).collect::<Vec<_>>(),
        })
    };
    let rates = c.rates.iter().map(|r| {
        json!({"language": r.language, "utterances": r.utterances, "median_per_s": r.median, "log_deviation": r.deviation})
    });
    let limits: serde_json::Map<String, Value> = input
        .limits
        .list()
        .into_iter()
        .map(|(name, value, unit)| (name.to_owned(), json!({"value": value, "unit": unit})))
        .collect();
    json!({
        "schema": "vbench/data-check/1",
        "manifests": input.manifests,
        "utterances": input.utterances.len(),
        "seconds": input.description.seconds,
        "speakers": input.description.speakers.len(),
        "listened": input.listened,
        "errors": c.count(Severity::Error),
        "warnings": c.count(Severity::Warning),
        "infos": c.count(Severity::Info),
        "results": c.findings.iter().map(result).collect::<Vec<_>>(),
        "speaking_rates": rates.collect::<Vec<_>>(),
        "not_checked": c.not_checked,
        "limits": limits,
    })
}

/// The findings as one page with figures and players.
///
/// # Errors
///
/// As [`crate::render_html`].
pub fn check_html(input: &CheckInput<'_>) -> Result<String, ReportError> {
    let d = input.description;
    let mut sections = vec![overview(input)];
    for severity in Severity::ALL {
        let of = input.checked.findings.iter().filter(|f| f.code.severity() == severity);
        sections.extend(of.map(|f| finding(input, f)));
    }
    sections.push(Section {
        id: "distributions".into(),
        title: "Distributions".into(),
        figures: d.histograms.iter().map(histogram).collect(),
        ..Section::default()
    });
    sections.push(methods(input));
    let facts = vec![
        ("utterances".to_owned(), count(d.utterances as u64)),
        ("audio".to_owned(), hours(d.seconds)),
        ("speakers".to_owned(), count(d.speakers.len() as u64)),
        ("checked".to_owned(), if input.listened { "text, metadata, sound" } else { "text, metadata" }.to_owned()),
    ];
    DataPage { kind: PageKind::Check, title: input.manifests.join(", "), facts, sections }.render()
}

fn overview<'a>(input: &CheckInput<'a>) -> Section<'a> {
    let row = |f: &Finding| TableRow {
        cells: vec![
            f.code.name().to_owned(),
            f.code.severity().name().to_owned(),
            count(f.hits.len() as u64),
            f.code.sentence().to_owned(),
            f.limit.clone(),
        ],
        clip: None,
    };
    let by = |s: Severity| input.checked.findings.iter().filter(move |f| f.code.severity() == s).map(row);
    let mut lead = vec![totals(input.checked)];
    if input.checked.findings.is_empty() {
        lead = vec!["Nothing was found.".into()];
    }
    lead.extend(input.checked.not_checked.iter().map(|n| format!("Not checked: {n}.")));
    Section {
        id: "findings".into(),
        title: "Findings".into(),
        lead,
        columns: vec![
            ("finding", false),
            ("severity", false),
            ("utterances", true),
            ("meaning", false),
            ("limit", false),
        ],
        rows: Severity::ALL.into_iter().flat_map(by).collect(),
        ..Section::default()
    }
}

fn finding<'a>(input: &CheckInput<'a>, f: &Finding) -> Section<'a> {
    let found = f.hits.iter().take(EXAMPLES).any(|h| !input.example(f.code, h).detail.is_empty());
    let one = input.manifests.len() == 1;
    let row = |hit: &Hit| {
        let e = input.example(f.code, hit);
        let clip = (f.code != Code::LineInvalid).then(|| input.clips.get(&hit.item)).flatten();
        let place = if one { e.line.to_string() } else { format!("{}:{}", e.manifest, e.line) };
        let detail = found.then(|| shortened(e.detail, LONGEST_TEXT));
        let cells = [shown(&e.id)].into_iter().chain(detail).chain([shortened(e.text, LONGEST_TEXT), place]);
        TableRow { cells: cells.collect(), clip }
    };
    let mut lead = vec![format!("{}.", sentence(f.code.sentence()))];
    if !f.limit.is_empty() {
        lead.push(format!("Limit: {}.", f.limit));
    }
    if f.hits.len() > EXAMPLES {
        lead.push(format!("{EXAMPLES} of {}, the worst first.", count(f.hits.len() as u64)));
    }
    Section {
        id: f.code.name().to_owned(),
        title: f.code.name().to_owned(),
        mark: f.code.severity().name(),
        lead,
        columns: [("utterance", false)]
            .into_iter()
            .chain(found.then_some(("found", false)))
            .chain([("text", false), ("line", one)])
            .collect(),
        rows: f.hits.iter().take(EXAMPLES).map(row).collect(),
        ..Section::default()
    }
}

fn methods<'a>(input: &CheckInput<'_>) -> Section<'a> {
    let mut lead = vec![
        "Speech level and activity: ITU-T P.56, method B, at the recording's own rate. Noise: the tenth percentile of the levels of \
         frames of 20 ms; the ratio is too small for speech without pauses and knows nothing of noise that comes with the speech only."
            .to_owned(),
        "Near-duplicates: bits of energy differences in 33 bands of 300 to 3,000 Hz every 16 ms (after Haitsma and Kalker, 2002), over at \
         least 80 % of both recordings."
            .to_owned(),
    ];
    for r in &input.checked.rates {
        let language = if r.language.is_empty() { "no language named" } else { &r.language };
        lead.push(format!(
            "Speaking rate ({}): median {:.1} letters and digits per second, robust standard deviation of the logarithm {:.2}, {} utterances.",
            visible(language),
            r.median,
            r.deviation,
            count(r.utterances as u64)
        ));
    }
    let row = |(name, value, unit): (&str, f64, &str)| TableRow {
        cells: vec![name.to_owned(), format!("{value}"), unit.to_owned()],
        clip: None,
    };
    Section {
        id: "methods".into(),
        title: "Methods and limits".into(),
        lead,
        columns: vec![("limit", false), ("value", true), ("unit", false)],
        rows: input.limits.list().into_iter().map(row).collect(),
        ..Section::default()
    }
}
