//! The summary table for the terminal: plain aligned text that fits the width.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use vbench_compare::{StratumSummary, Summary};
use vbench_core::Estimate;

use crate::composite;
use crate::format::{self, ABSENT, NumberStyle, visible};
use crate::signal;
use crate::strata;
use crate::view::stopped_early;

/// How much room the numbers take; tried from roomy to tight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Density {
    /// Decimals of rates in percent.
    rate_decimals: usize,
    /// Decimals of levels in dB.
    level_decimals: usize,
    /// Spaces between columns.
    pub(crate) gap: u16,
    /// Intervals stand below their values.
    pub(crate) stacked: bool,
}

pub(crate) const DENSITIES: [Density; 4] = [
    Density { rate_decimals: 2, level_decimals: 1, gap: 2, stacked: false },
    Density { rate_decimals: 1, level_decimals: 1, gap: 1, stacked: false },
    Density { rate_decimals: 2, level_decimals: 1, gap: 2, stacked: true },
    Density { rate_decimals: 1, level_decimals: 1, gap: 1, stacked: true },
];

/// Longest stratum or model name shown, in characters.
const NAME_LIMIT: usize = 28;

/// The summary as a table of at most `width` columns where that is possible (from about 90 on), with ANSI colours
/// when `colour` is set.
///
/// Per stratum: words, WER, CER, S/D/I, achieved SNR and RTF, each with its interval, and the resampling unit with
/// the number of units. The denser layouts show rates with one decimal or put intervals on a second line. An interval
/// that is not estimable is `[n/a]`, with a numbered reason below the table. The last line is the coverage.
#[must_use]
pub fn terminal_table(summary: &Summary, width: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut layout = Layout::new(summary, DENSITIES[0]);
    for density in DENSITIES {
        layout = Layout::new(summary, density);
        if layout.width() <= width {
            break;
        }
    }
    let mut out = format!(
        "{}  normaliser {}, alignment weights {}, seed {}\n\n",
        paint.bold(&visible(&summary.suite)),
        visible(&summary.normalizer),
        visible(&summary.weights),
        summary.seed
    );
    for (line, role) in &layout.lines {
        out.push_str(&match role {
            Role::Header => paint.bold(line),
            Role::Group => paint.cyan(line),
            Role::Plain => line.clone(),
        });
        out.push('\n');
    }
    out.push('\n');
    let composites: Vec<String> =
        composite::findings(summary).into_iter().chain(composite::latencies(summary)).collect();
    for line in composites.iter().flat_map(|line| wrapped(line, width)) {
        out.push_str(&line);
        out.push('\n');
    }
    if !composites.is_empty() {
        out.push('\n');
    }
    for line in layout.notes.iter().flat_map(|note| wrapped(note, width)) {
        out.push_str(&paint.dim(&line));
        out.push('\n');
    }
    let signal = signal::terminal(summary, width, paint);
    if !signal.is_empty() {
        out.push_str(&format!("\n{signal}\n"));
    }
    out.push_str(&coverage_line(summary, paint));
    out.push('\n');
    out
}

/// What a line is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Header,
    Group,
    Plain,
}

/// The table's lines and the notes below it.
struct Layout {
    lines: Vec<(String, Role)>,
    notes: Vec<String>,
}

impl Layout {
    fn width(&self) -> usize {
        self.lines.iter().map(|(line, _)| display_width(line)).max().unwrap_or(0)
    }

    fn new<'a>(summary: &'a Summary, density: Density) -> Self {
        let several_models = strata::models(summary).len() > 1;
        let mut reasons: Vec<String> = Vec::new();
        let mut table = Table::new();
        let estimates = |s: &'a StratumSummary| [Some(&s.wer), Some(&s.cer), s.snr_db.as_ref(), s.rtf.as_ref()];
        let level = strata::common_level(summary.strata.iter().flat_map(estimates).flatten());
        let header = header(several_models, density, level.as_deref());
        let header_lines = if density.stacked { 2 } else { 1 };
        let columns = header.len();
        table.load_style(TableStyle::new());
        table.set_header(header);
        let mut groups = Vec::new();
        for group in strata::groups(summary) {
            if group.by != "all" {
                let title = group.title();
                table.add_row(
                    std::iter::once(title.clone())
                        .chain(std::iter::repeat_n(String::new(), columns - 1))
                        .collect::<Vec<_>>(),
                );
                groups.push(title);
            }
            for row in &group.rows {
                table.add_row(cells(row, several_models, density, &mut reasons));
            }
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            let last = i + 1 == columns;
            column.set_padding((0, if last { 0 } else { density.gap }));
            let text = i == 0 || (several_models && i == 1) || last;
            column.set_cell_alignment(if text { CellAlignment::Left } else { CellAlignment::Right });
        }
        let mut next_group = groups.into_iter().peekable();
        let mut lines = Vec::new();
        for (i, line) in table.lines().enumerate() {
            let line = line.trim_end().to_owned();
            let role = if i < header_lines {
                Role::Header
            } else if next_group.next_if(|title| *title == line).is_some() {
                lines.push((String::new(), Role::Plain));
                Role::Group
            } else {
                Role::Plain
            };
            lines.push((line, role));
        }
        Self { lines, notes: notes(summary, &reasons) }
    }
}

fn header(several_models: bool, density: Density, level: Option<&str>) -> Vec<Cell> {
    let bracket = level.map_or_else(|| "[interval]".to_owned(), |level| format!("[{level}]"));
    let metric = |name: &str| {
        let between = if density.stacked { '\n' } else { ' ' };
        Cell::new(format!("{name}{between}{bracket}")).set_alignment(CellAlignment::Right)
    };
    let mut cells = vec![Cell::new("stratum")];
    if several_models {
        cells.push(Cell::new("model"));
    }
    cells.push(Cell::new("words").set_alignment(CellAlignment::Right));
    cells.push(metric("WER %"));
    cells.push(metric("CER %"));
    cells.push(Cell::new("S/D/I").set_alignment(CellAlignment::Right));
    cells.push(metric("SNR dB"));
    cells.push(metric("RTF"));
    cells.push(Cell::new(if density.stacked { "resampled\nunit" } else { "resampled unit" }));
    cells
}

fn cells(s: &StratumSummary, several_models: bool, density: Density, reasons: &mut Vec<String>) -> Vec<Cell> {
    let name = if s.by == "all" { "all".to_owned() } else { format!("  {}", clipped(&s.value)) };
    let mut cells = vec![Cell::new(name)];
    if several_models {
        cells.push(Cell::new(clipped(&s.model)));
    }
    let rate = format::RATE.with_decimals(density.rate_decimals);
    let level = format::DECIBEL.with_decimals(density.level_decimals);
    cells.push(Cell::new(format::count(s.words.reference())));
    cells.push(Cell::new(number(Some(&s.wer), rate, density, reasons)));
    cells.push(Cell::new(number(Some(&s.cer), rate, density, reasons)));
    cells.push(Cell::new(format!("{}/{}/{}", s.words.sub, s.words.del, s.words.ins)));
    cells.push(Cell::new(number(s.snr_db.as_ref(), level, density, reasons)));
    cells.push(Cell::new(number(s.rtf.as_ref(), format::FACTOR, density, reasons)));
    let estimates = [("WER", Some(&s.wer)), ("CER", Some(&s.cer)), ("SNR", s.snr_db.as_ref()), ("RTF", s.rtf.as_ref())];
    cells.push(Cell::new(units(&estimates, density)));
    cells
}

/// `7.90 [5.12, 11.20]`, `7.90 [n/a 1]` with reason 1 below the table, `-` where the metric does not apply.
pub(crate) fn number(
    estimate: Option<&Estimate>,
    style: NumberStyle,
    density: Density,
    reasons: &mut Vec<String>,
) -> String {
    let Some(estimate) = estimate else {
        return "-".to_owned();
    };
    let value = style.number(estimate.value);
    let between = if density.stacked { '\n' } else { ' ' };
    match format::usable_interval(estimate) {
        Ok(i) => format!("{value}{between}{}", style.interval(i.lo, i.hi)),
        Err(reason) => {
            let reason = visible(reason);
            strata::push_new(reasons, reason.clone());
            let number = reasons.iter().position(|r| *r == reason).map_or(0, |i| i + 1);
            format!("{value}{between}[{ABSENT} {number}]")
        }
    }
}

/// The unit of the first of some named estimates; units of the others are named where they differ.
pub(crate) fn units<N: AsRef<str>>(estimates: &[(N, Option<&Estimate>)], density: Density) -> String {
    let text = |estimate: &Estimate| {
        format::usable_interval(estimate).ok().map(|i| {
            let mark = if format::conditional(i.unit, None).is_some() { "*" } else { "" };
            format!("{}{mark}", format::unit(i))
        })
    };
    let first = estimates.first().and_then(|(_, estimate)| text((*estimate)?));
    let mut parts: Vec<String> = first.iter().cloned().collect();
    let mut different: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, estimate) in estimates.iter().skip(1) {
        let Some(unit) = estimate.and_then(text) else {
            continue;
        };
        if Some(&unit) == first.as_ref() {
            continue;
        }
        match different.iter_mut().find(|(u, _)| *u == unit) {
            Some((_, names)) => names.push(name.as_ref()),
            None => different.push((unit, vec![name.as_ref()])),
        }
    }
    parts.extend(different.into_iter().map(|(unit, names)| {
        let text = format!("{} {unit}", names.join(", "));
        if density.stacked { text.replace("utterance", "utt.") } else { text }
    }));
    match (parts.is_empty(), density.stacked) {
        (true, _) => ABSENT.to_owned(),
        (false, true) => parts.join("\n"),
        (false, false) => parts.join("; "),
    }
}

fn notes(summary: &Summary, reasons: &[String]) -> Vec<String> {
    let mut notes = vec![
        "WER and CER are ratios of sums. S/D/I: substituted, deleted, inserted words. SNR: achieved, on active speech. \
         RTF: processing time / audio duration."
            .to_owned(),
    ];
    let conditional = summary.strata.iter().any(|s| {
        [Some(&s.wer), Some(&s.cer), s.snr_db.as_ref(), s.rtf.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|e| format::usable_interval(e).ok())
            .any(|i| format::conditional(i.unit, None).is_some())
    });
    if conditional {
        notes.push("* the interval is conditional on the speakers of the stratum".to_owned());
    }
    notes.extend(reasons.iter().enumerate().map(|(i, reason)| format!("n/a {}: {reason}", i + 1)));
    let hallucinated: u64 = summary.strata.iter().filter(|s| s.by == "all").map(|s| s.hallucinated_words).sum();
    if hallucinated > 0 {
        notes.push(format!(
            "{} words were hallucinated where nothing was said; no rate contains them",
            format::count(hallucinated)
        ));
    }
    notes
}

fn coverage_line(summary: &Summary, paint: Paint) -> String {
    let c = &summary.coverage;
    let percent = format::coverage_percent(c.fraction());
    let line = format!(
        "coverage {percent} %: {} of {} cells done",
        format::count(c.done as u64),
        format::count(c.planned as u64)
    );
    if !summary.absent.is_empty() {
        let absent = summary.absent.join(", ");
        return paint.red(&format!("{line}; without the corpora that are not present: {absent}"));
    }
    if c.done == c.planned && c.planned > 0 {
        return paint.green(&line);
    }
    let why = stopped_early(summary);
    paint.red(&format!("{line}; {} failed, {} skipped, {} without outcome{why}", c.failed, c.skipped, c.outstanding))
}

pub(crate) fn clipped(name: &str) -> String {
    let name = visible(name);
    match name.char_indices().nth(NAME_LIMIT) {
        None => name,
        Some(_) => name.chars().take(NAME_LIMIT - 1).chain(std::iter::once('…')).collect(),
    }
}

/// Columns a line takes, counting characters: names are almost always ASCII, and a wrong guess costs one layout step.
pub(crate) fn display_width(line: &str) -> usize {
    line.chars().count()
}

/// Text broken at spaces into lines of at most 120 characters, each with its line break.
pub(crate) fn wrap(text: &str) -> String {
    wrapped(text, 120).iter().map(|line| format!("{line}\n")).collect()
}

/// Breaks at spaces into lines of at most `width` characters.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if display_width(line) + 1 + display_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// ANSI colours, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    pub(crate) fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }
}
