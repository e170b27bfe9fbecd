//! Pages about corpora: sections with facts, figures, tables and players.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use vbench_corpus::describe::Histogram;

use crate::analysis::Sketch;
use crate::error::ReportError;
use crate::figures::themed;
use crate::format::visible;
use crate::html::{player, plot};
use crate::input::AudioClip;
use crate::page::{Media, Page, PageKind};

/// A page.
pub(super) struct DataPage<'a> {
    pub kind: PageKind,
    pub title: String,
    /// Name and value, under the title.
    pub facts: Vec<(String, String)>,
    pub sections: Vec<Section<'a>>,
}

/// A heading with what stands beneath it.
#[derive(Default)]
pub(super) struct Section<'a> {
    pub id: String,
    pub title: String,
    /// `error`, `warning`, `info` or nothing.
    pub mark: &'static str,
    pub lead: Vec<String>,
    pub figures: Vec<Sketch>,
    /// Titles of columns and whether they hold numbers; rows of as many cells, each with a recording or without.
    pub columns: Vec<(&'static str, bool)>,
    pub rows: Vec<TableRow<'a>>,
}

/// A row of a table.
pub(super) struct TableRow<'a> {
    pub cells: Vec<String>,
    /// The recording, where the table has players.
    pub clip: Option<&'a AudioClip>,
}

#[derive(Serialize)]
struct Column {
    title: &'static str,
    number: bool,
}

impl DataPage<'_> {
    pub(super) fn render(self) -> Result<String, ReportError> {
        let facts: Vec<Value> = self
            .facts
            .iter()
            .map(|(name, value)| context! { name => visible(name), value => visible(value) })
            .collect();
        let sections: Vec<Value> = self.sections.iter().map(section).collect::<Result<_, _>>()?;
        let context = context! { facts => facts, sections => sections };
        Page { kind: self.kind, title: visible(&self.title), media: Media::Embedded, data: Vec::new(), context }
            .render()
    }
}

fn section(s: &Section<'_>) -> Result<Value, ReportError> {
    let figures: Vec<Value> = s
        .figures
        .iter()
        .map(|f| Ok(plot(&f.title, &themed(f, &f.name, &f.title, &f.description)?)))
        .collect::<Result<_, ReportError>>()?;
    let players = s.rows.iter().any(|r| r.clip.is_some());
    let row = |r: &TableRow<'_>| {
        let cells: Vec<String> = r.cells.iter().map(|c| visible(c)).collect();
        let audio = r.clip.map_or_else(|| Value::from(()), |clip| player(Some(clip), None));
        context! { cells => cells, audio => audio }
    };
    let columns: Vec<Column> = s.columns.iter().map(|(title, number)| Column { title, number: *number }).collect();
    let lead: Vec<String> = s.lead.iter().map(|l| visible(l)).collect();
    Ok(context! {
        id => &s.id,
        title => visible(&s.title),
        mark => s.mark,
        lead => lead,
        figures => figures,
        players => players,
        columns => Value::from(Serde(columns)),
        rows => s.rows.iter().map(row).collect::<Vec<Value>>(),
    })
}

/// The figure of a distribution.
pub(super) fn histogram(h: &Histogram) -> Sketch {
    let (first, second) = h.axis.split_once('(').unwrap_or((h.axis, ""));
    let unit = second.trim_end_matches(')');
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let title = match h.name {
        "duration" => "How long utterances are",
        "words" => "How many words they have",
        "rate" => "How fast people speak",
        "level" => "How loud speech is",
        "snr" => "How much louder than the noise",
        _ => first,
    };
    let number = |v: f64| if v.abs() >= 100.0 { format!("{v:.0}") } else { format!("{v:.1}") };
    let mut subtitle = format!(
        "Half are above {}{unit}, the range is {} to {}{unit}.",
        number(h.median),
        number(h.least),
        number(h.most)
    );
    if h.most >= h.width * h.counts.len() as f64 {
        subtitle.push_str(" The last bar holds all above it.");
    }
    let bars = h.counts.iter().enumerate().filter(|(_, n)| **n > 0);
    let words = bars
        .map(|(i, n)| format!("{} to {}: {n}", number(h.width * i as f64), number(h.width * (i + 1) as f64)))
        .collect::<Vec<_>>()
        .join("; ");
    Sketch::histogram(h.name, title, (subtitle, words), h.axis, h.width, &h.counts)
}
