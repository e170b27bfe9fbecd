//! What a corpus holds: text, data card, JSON and page.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vbench_corpus::describe::{Description, Histogram, Part};

use super::page::{DataPage, Section, TableRow, histogram};
use crate::error::ReportError;
use crate::format::{count, visible};
use crate::grid::Grid;
use crate::page::PageKind;

/// Rows of a table of parts.
const MAX_PARTS: usize = 30;

/// What a description is written from.
#[derive(Debug, Clone)]
pub struct DescribeInput<'a> {
    /// Name of the corpus.
    pub name: &'a str,
    /// The numbers.
    pub description: &'a Description,
    /// Phonemes of the texts with their counts, and those of the inventory that do not occur; absent where the language has no
    /// pronunciations here.
    pub phonemes: Option<&'a PhonemeCoverage>,
}

/// Which phonemes the texts hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PhonemeCoverage {
    /// Where pronunciations come from.
    pub source: String,
    /// Phonemes with their counts, the most frequent first.
    pub counts: Vec<(String, u64)>,
    /// Phonemes of the inventory that no word holds.
    pub absent: Vec<String>,
    /// Words with a pronunciation.
    pub words: u64,
    /// Words without one.
    pub unknown_words: u64,
}

fn hours(seconds: f64) -> String {
    format!("{:.2} h", seconds / 3600.0)
}

fn named(name: &str) -> String {
    if name.is_empty() { "not stated".to_owned() } else { name.to_owned() }
}

fn joined(parts: &[Part]) -> String {
    let shown: Vec<String> =
        parts.iter().take(8).map(|p| format!("{} ({})", named(&p.name), count(p.utterances as u64))).collect();
    let more = parts.len().saturating_sub(8);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Name and value of what a corpus holds.
fn facts(input: &DescribeInput<'_>) -> Vec<(&'static str, String)> {
    let d = input.description;
    let mut facts = vec![
        ("utterances", count(d.utterances as u64)),
        ("audio", format!("{} in {} recordings", hours(d.seconds), count(d.recordings as u64))),
    ];
    if d.timed < d.utterances {
        facts.push(("without a known duration", count((d.utterances - d.timed) as u64)));
    }
    if d.without_text > 0 {
        facts.push(("without text", count(d.without_text as u64)));
    }
    facts.push(("speakers", count(d.speakers.len() as u64)));
    facts.push(("sessions", count(d.sessions as u64)));
    facts.push(("languages", joined(&d.languages)));
    facts.push(("licences", joined(&d.licences)));
    facts.push((
        "words",
        format!("{}, {} different, {} of them once", count(d.words), count(d.vocabulary as u64), count(d.once as u64)),
    ));
    facts.push(("characters", format!("{} different", count(d.characters.len() as u64))));
    if !d.rates_hz.is_empty() {
        let rates: Vec<String> = d.rates_hz.iter().map(|(hz, n)| format!("{hz} Hz ({})", count(*n as u64))).collect();
        facts.push(("sample rates", rates.join(", ")));
    }
    if let Some(p) = input.phonemes {
        let absent = if p.absent.is_empty() { "none".to_owned() } else { p.absent.join(" ") };
        let text = format!(
            "{} different, absent: {absent}; {} words unknown to {}",
            p.counts.len(),
            count(p.unknown_words),
            p.source
        );
        facts.push(("phonemes", text));
    }
    facts
}

fn spread(h: &Histogram) -> String {
    format!("{:.1} ({:.1} to {:.1})", h.median, h.least, h.most)
}

/// The description as text.
#[must_use]
pub fn describe_text(input: &DescribeInput<'_>) -> String {
    let facts = facts(input).into_iter().map(|(name, value)| (name.to_owned(), value));
    let medians = input.description.histograms.iter().map(|h| {
        let axis = h.axis.split(" (").next().unwrap_or(h.axis);
        (format!("{axis}, median"), spread(h))
    });
    let tags = input.description.tags.iter().map(|(tag, parts)| (tag.clone(), joined(parts)));
    let lines: Vec<(String, String)> = facts.chain(medians).chain(tags).collect();
    let short = lines.iter().map(|(name, _)| name.chars().count()).filter(|n| *n <= 50);
    let width = short.max().unwrap_or(0);
    let mut out = format!("{}\n", visible(input.name));
    for (name, value) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:<width$}  {}", visible(&name), visible(&value));
    }
    out.trim_end().to_owned()
}

fn part_rows(parts: &[Part]) -> Vec<Vec<String>> {
    let row = |p: &Part| vec![named(&p.name), count(p.utterances as u64), format!("{:.1}", p.seconds / 60.0)];
    parts.iter().take(MAX_PARTS).map(row).collect()
}

/// The description as a data card in Markdown, with places for what no program can know.
#[must_use]
pub fn data_card(input: &DescribeInput<'_>) -> String {
    let d = input.description;
    let mut grid = Grid::new(&[("", false), ("", false)]);
    for (name, value) in facts(input) {
        grid.push(vec![name.to_owned(), value]);
    }
    let mut out = format!("# {}\n\n## What it holds\n\n{}", crate::markdown::inline(input.name), grid.markdown());
    if !d.histograms.is_empty() {
        let mut grid = Grid::new(&[("distribution", false), ("median", true), ("least", true), ("most", true)]);
        for h in &d.histograms {
            let n = |v: f64| format!("{v:.1}");
            grid.push(vec![h.axis.to_owned(), n(h.median), n(h.least), n(h.most)]);
        }
        let _ = write!(out, "\n## Distributions\n\n{}", grid.markdown());
    }
    for (tag, parts) in &d.tags {
        let mut grid = Grid::new(&[("value", false), ("utterances", true), ("minutes", true)]);
        part_rows(parts).into_iter().for_each(|row| grid.push(row));
        let _ = write!(out, "\n## {}\n\n{}", crate::markdown::inline(tag), grid.markdown());
    }
    out += "\n## What only people know\n\nWho recorded it, and why; how speakers were chosen and what they agreed to; how it was transcribed and checked; what it \
            must not be used for.\n";
    out
}

/// Schema `vbench/data-describe/1`.
#[must_use]
pub fn describe_json(input: &DescribeInput<'_>) -> Value {
    let d = input.description;
    let parts = |parts: &[Part]| {
        let part = |p: &Part| json!({"name": p.name, "utterances": p.utterances, "seconds": p.seconds});
        parts.iter().map(part).collect::<Vec<_>>()
    };
    let histogram = |h: &Histogram| json!({"name": h.name, "axis": h.axis, "width": h.width, "counts": h.counts, "min": h.least, "median": h.median, "max": h.most});
    let mut value = json!({
        "schema": "vbench/data-describe/1",
        "name": input.name,
        "utterances": d.utterances,
        "timed": d.timed,
        "seconds": d.seconds,
        "without_text": d.without_text,
        "recordings": d.recordings,
        "words": d.words,
        "vocabulary": d.vocabulary,
        "once": d.once,
        "frequent_words": d.frequent,
        "characters": d.characters.iter().map(|(c, n)| json!([c.to_string(), n])).collect::<Vec<_>>(),
        "speakers": parts(&d.speakers),
        "sessions": d.sessions,
        "languages": parts(&d.languages),
        "licences": parts(&d.licences),
        "tags": d.tags.iter().map(|(t, p)| (t.clone(), Value::from(parts(p)))).collect::<serde_json::Map<_, _>>(),
        "sample_rates_hz": d.rates_hz.iter().map(|(hz, n)| json!([hz, n])).collect::<Vec<_>>(),
        "distributions": d.histograms.iter().map(histogram).collect::<Vec<_>>(),
    });
    if let Some(p) = input.phonemes {
        value["phonemes"] = json!({
            "source": p.source, "counts": p.counts, "absent": p.absent, "words": p.words, "unknown_words": p.unknown_words,
        });
    }
    value
}

/// The description as one page with figures.
///
/// # Errors
///
/// As [`crate::render_html`].
pub fn describe_html(input: &DescribeInput<'_>) -> Result<String, ReportError> {
    let d = input.description;
    let table = |id: &str, title: &str, parts: &[Part]| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        columns: vec![("value", false), ("utterances", true), ("minutes", true)],
        rows: part_rows(parts).into_iter().map(|cells| TableRow { cells, clip: None }).collect(),
        ..Section::default()
    };
    let counts = |id: &str, title: &str, first: &'static str, list: Vec<(String, u64)>| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        columns: vec![(first, false), ("count", true)],
        rows: list.into_iter().map(|(name, n)| TableRow { cells: vec![name, count(n)], clip: None }).collect(),
        ..Section::default()
    };
    let mut sections = vec![
        Section {
            id: "holds".into(),
            title: "What it holds".into(),
            columns: vec![("property", false), ("value", false)],
            rows: facts(input)
                .into_iter()
                .map(|(name, value)| TableRow { cells: vec![name.to_owned(), value], clip: None })
                .collect(),
            ..Section::default()
        },
        Section {
            id: "distributions".into(),
            title: "Distributions".into(),
            figures: d.histograms.iter().map(histogram).collect(),
            ..Section::default()
        },
        table("speakers", "Speakers", &d.speakers),
        table("languages", "Languages", &d.languages),
        table("licences", "Licences", &d.licences),
    ];
    for (i, (tag, parts)) in d.tags.iter().enumerate() {
        sections.push(table(&format!("tag-{i}"), tag, parts));
    }
    sections.push(counts("words", "Most frequent words", "word", d.frequent.clone()));
    let letters = d.characters.iter().take(60).map(|(c, n)| (c.to_string(), *n)).collect();
    sections.push(counts("characters", "Characters", "character", letters));
    if let Some(p) = input.phonemes {
        sections.push(counts("phonemes", "Phonemes", "phoneme", p.counts.clone()));
    }
    let facts = vec![
        ("utterances".to_owned(), count(d.utterances as u64)),
        ("audio".to_owned(), hours(d.seconds)),
        ("speakers".to_owned(), count(d.speakers.len() as u64)),
    ];
    DataPage { kind: PageKind::Corpus, title: input.name.to_owned(), facts, sections }.render()
}
