//! Metrics of the signal: one row a condition, one column a metric; the view for pages and the table for the terminal.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use serde::Serialize;
use vbench_compare::{SignalSummary, Summary};
use vbench_core::{Estimate, SignalMetric};

use crate::format::{self, NumberStyle, visible};
use crate::strata;
use crate::terminal::{DENSITIES, Density, Paint, clipped, display_width, number, units, wrapped};
use crate::view::{self, Number};

/// Heading in every output.
pub(crate) const TITLE: &str = "Signal against its clean input, by condition";

/// A metric as a column.
struct Column<'a> {
    name: &'a str,
    metric: Option<&'static SignalMetric>,
}

impl Column<'_> {
    fn label(&self) -> String {
        self.metric.map_or_else(|| visible(self.name), |m| m.label.to_owned())
    }

    /// `STOI`, `SI-SDR dB`.
    fn heading(&self) -> String {
        let unit = self.metric.map_or("", |m| m.unit);
        format!("{} {unit}", self.label()).trim_end().to_owned()
    }

    /// Changes, of which neither more nor less is better, carry their sign.
    fn style(&self) -> NumberStyle {
        let signed = self.metric.is_some_and(|m| m.higher_is_better.is_none());
        NumberStyle { scale: 1.0, decimals: self.metric.map_or(3, |m| m.decimals), signed }
    }
}

/// A condition with one entry a column.
struct Row<'a> {
    condition: &'a str,
    cells: Vec<Option<&'a SignalSummary>>,
}

impl Row<'_> {
    /// The column whose unit stands for the row: the first one with an interval, else the first one.
    fn leading(&self) -> usize {
        let known = |s: &Option<&SignalSummary>| s.is_some_and(|s| format::usable_interval(&s.mean).is_ok());
        self.cells.iter().position(known).unwrap_or(0)
    }
}

/// Columns and rows in the order of the summary.
fn layout(summary: &Summary) -> (Vec<Column<'_>>, Vec<Row<'_>>) {
    let (mut names, mut conditions) = (Vec::new(), Vec::new());
    for s in &summary.signal {
        strata::push_new(&mut names, s.metric.as_str());
        strata::push_new(&mut conditions, s.condition.as_str());
    }
    let find =
        |condition: &str, name: &str| summary.signal.iter().find(|s| s.condition == condition && s.metric == name);
    let rows = conditions
        .into_iter()
        .map(|condition| Row { condition, cells: names.iter().map(|name| find(condition, name)).collect() })
        .collect();
    let columns = names.into_iter().map(|name| Column { name, metric: SignalMetric::named(name) }).collect();
    (columns, rows)
}

/// The table as text for pages.
#[derive(Debug, Serialize)]
pub(crate) struct SignalView {
    pub title: &'static str,
    pub columns: Vec<SignalColumn>,
    pub rows: Vec<SignalRow>,
    /// Why numbers have no interval, `n/a 1: …`.
    pub reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SignalColumn {
    pub heading: String,
    /// One sentence, empty for a metric that this program does not know.
    pub description: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct SignalRow {
    pub condition: String,
    pub utterances: String,
    pub cells: Vec<Option<SignalCell>>,
    /// The number whose unit stands for the row; absent where none has an interval.
    pub unit: Option<Number>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SignalCell {
    pub number: Number,
    /// Which reason for having no interval, a unit other than the row's, for how many utterances there is no value.
    pub remarks: Vec<String>,
}

/// The table, where there is anything to show.
pub(crate) fn view(summary: &Summary) -> Option<SignalView> {
    let (columns, rows) = layout(summary);
    let column =
        |c: &Column<'_>| SignalColumn { heading: c.heading(), description: c.metric.map_or("", |m| m.description) };
    let mut reasons = Vec::new();
    let rows: Vec<SignalRow> = rows.iter().map(|row| row_view(row, &columns, &mut reasons)).collect();
    let numbered = reasons.iter().enumerate().map(|(i, reason)| format!("n/a {}: {reason}", i + 1));
    let reasons = numbered.collect();
    let columns: Vec<SignalColumn> = columns.iter().map(column).collect();
    (!columns.is_empty()).then_some(SignalView { title: TITLE, columns, rows, reasons })
}

fn row_view(row: &Row<'_>, columns: &[Column<'_>], reasons: &mut Vec<String>) -> SignalRow {
    let as_text = |s: &SignalSummary, c: &Column<'_>| view::number(&s.mean, c.style(), s.note.as_deref(), None);
    let numbers: Vec<Option<Number>> = row.cells.iter().zip(columns).map(|(s, c)| s.map(|s| as_text(s, c))).collect();
    let unit = numbers.get(row.leading()).cloned().flatten().filter(|n| n.unit.is_some());
    let mut cell = |(s, number): (&Option<&SignalSummary>, Option<Number>)| {
        let (s, number) = ((*s)?, number?);
        let mut remarks = Vec::new();
        if let Some(reason) = &number.reason {
            strata::push_new(reasons, reason.clone());
            let place = reasons.iter().position(|r| r == reason).map_or(0, |i| i + 1);
            remarks.push(format!("n/a {place}"));
        } else if number.unit != unit.as_ref().and_then(|u| u.unit.clone()) {
            remarks.extend(number.unit.iter().chain(&number.notes).cloned());
        }
        if s.undefined > 0 && s.undefined < s.utterances {
            remarks.push(format!("not defined for {}", format::count(s.undefined as u64)));
        }
        Some(SignalCell { number, remarks })
    };
    let cells = row.cells.iter().zip(numbers).map(&mut cell).collect();
    let utterances = row.cells.iter().flatten().map(|s| s.utterances).max().unwrap_or(0);
    SignalRow { condition: visible(row.condition), utterances: format::count(utterances as u64), cells, unit }
}

/// What the columns are, for the section on methods; empty without metrics.
pub(crate) fn methods(summary: &Summary) -> Option<String> {
    let (columns, _) = layout(summary);
    let described = |c: &Column<'_>| Some(format!("{}: {}", c.label(), c.metric?.description));
    let sentences: Vec<String> = columns.iter().filter_map(described).collect();
    (!columns.is_empty()).then(|| {
        format!(
            "Signal metrics: what the model heard against its clean input, mean over the utterances of a condition, each \
             once, whatever the number of models; those for which a metric is not defined are counted and left out. {}",
            sentences.join(" ")
        )
    })
}

/// The table for the terminal with its notes, at most `width` columns wide where that is possible: a table that is too
/// wide in every density comes in parts of fewer metrics. Empty without metrics.
pub(crate) fn terminal(summary: &Summary, width: usize, paint: Paint) -> String {
    let (columns, rows) = layout(summary);
    if columns.is_empty() {
        return String::new();
    }
    let mut reasons = Vec::new();
    let all: Vec<usize> = (0..columns.len()).collect();
    let drawn = |part: &[usize], density: Density, reasons: &mut Vec<String>| {
        Drawn::new(&columns, &rows, part, density, reasons)
    };
    let whole = DENSITIES.iter().find(|d| drawn(&all, **d, &mut Vec::new()).width() <= width);
    let density = whole.copied().unwrap_or(DENSITIES[1]);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for column in all {
        let fits = |part: &Vec<usize>| {
            let with = [part.as_slice(), &[column]].concat();
            whole.is_some() || drawn(&with, density, &mut Vec::new()).width() <= width
        };
        match parts.last_mut().filter(|part| fits(part)) {
            Some(part) => part.push(column),
            None => parts.push(vec![column]),
        }
    }
    let mut out = format!("{}\n", paint.cyan(TITLE));
    for part in &parts {
        let table = drawn(part, density, &mut reasons);
        for (i, line) in table.lines.iter().enumerate() {
            out.push_str(&if i < table.header_lines { paint.bold(line) } else { line.clone() });
            out.push('\n');
        }
        out.push('\n');
    }
    for line in notes(&columns, &rows, &reasons).iter().flat_map(|note| wrapped(note, width)) {
        out.push_str(&paint.dim(&line));
        out.push('\n');
    }
    out
}

/// One part of the table as lines.
struct Drawn {
    lines: Vec<String>,
    header_lines: usize,
}

impl Drawn {
    fn new(
        columns: &[Column<'_>],
        rows: &[Row<'_>],
        part: &[usize],
        density: Density,
        reasons: &mut Vec<String>,
    ) -> Self {
        let between = if density.stacked { '\n' } else { ' ' };
        let intervals = rows.iter().flat_map(|r| r.cells.iter().flatten().map(|s| &s.mean));
        let level = strata::common_level(intervals).unwrap_or_else(|| "interval".to_owned());
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        let mut header = vec![Cell::new("condition")];
        header.extend(part.iter().map(|i| Cell::new(format!("{}{between}[{level}]", columns[*i].heading()))));
        header.push(Cell::new(format!("resampled{between}unit")));
        let last = header.len() - 1;
        table.set_header(header);
        for row in rows {
            let value = |i: &usize| {
                let mean: Option<&Estimate> = row.cells[*i].map(|s| &s.mean);
                number(mean, columns[*i].style(), density, reasons)
            };
            let mut cells = vec![clipped(row.condition)];
            cells.extend(part.iter().map(value));
            let shown = part.iter().position(|i| *i == row.leading()).unwrap_or(0);
            let mut named: Vec<(String, Option<&Estimate>)> =
                part.iter().map(|i| (columns[*i].label(), row.cells[*i].map(|s| &s.mean))).collect();
            named.rotate_left(shown);
            cells.push(units(&named, density));
            table.add_row(cells);
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if i == last { 0 } else { density.gap }));
            let text = i == 0 || i == last;
            column.set_cell_alignment(if text { CellAlignment::Left } else { CellAlignment::Right });
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned()).collect();
        Self { lines, header_lines: if density.stacked { 2 } else { 1 } }
    }

    fn width(&self) -> usize {
        self.lines.iter().map(|line| display_width(line)).max().unwrap_or(0)
    }
}

fn notes(columns: &[Column<'_>], rows: &[Row<'_>], reasons: &[String]) -> Vec<String> {
    let mut notes =
        vec!["Mean over the utterances of a condition, each once, whatever the number of models.".to_owned()];
    let cells = || rows.iter().flat_map(|r| r.cells.iter().zip(columns).map(move |(s, c)| (r, (*s), c)));
    let conditional = cells()
        .filter_map(|(_, s, _)| format::usable_interval(&s?.mean).ok())
        .any(|i| format::conditional(i.unit, None).is_some());
    if conditional {
        notes.push("* the interval is conditional on the speakers of the condition".to_owned());
    }
    notes.extend(reasons.iter().enumerate().map(|(i, reason)| format!("n/a {}: {reason}", i + 1)));
    let missing = |(row, s, column): (&Row<'_>, Option<&SignalSummary>, &Column<'_>)| {
        let s = s.filter(|s| s.undefined > 0 && s.undefined < s.utterances)?;
        let (few, all) = (format::count(s.undefined as u64), format::count(s.utterances as u64));
        Some(format!("{} for {few} of {all} in {}", column.label(), clipped(row.condition)))
    };
    let missing: Vec<String> = cells().filter_map(missing).collect();
    if !missing.is_empty() {
        notes.push(format!("not defined and left out, of the utterances: {}", missing.join(", ")));
    }
    notes
}
