//! The summary table for the terminal: plain aligned text that fits the width.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use unicode_width::UnicodeWidthStr as _;
use vbench_compare::{StratumSummary, Summary};
use vbench_core::{Estimate, UNPROCESSED};

use crate::composite;
use crate::format::{self, ABSENT, NumberStyle, POINTS, visible};
use crate::signal;
use crate::strata;
use crate::view::{lower_first, stopped_early};

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

/// What does not fit at any density is left out: first the columns that the reader can do without, then ends of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    snr: bool,
    rtf: bool,
    /// The one of WER and CER that is not the suite's first.
    second_rate: bool,
    /// Longest name, in columns.
    name: usize,
}

const ALL_COLUMNS: Columns = Columns { snr: true, rtf: true, second_rate: true, name: NAME_LIMIT };
const FEWER_COLUMNS: [Columns; 4] = [
    Columns { snr: false, ..ALL_COLUMNS },
    Columns { snr: false, rtf: false, ..ALL_COLUMNS },
    Columns { snr: false, rtf: false, name: 16, ..ALL_COLUMNS },
    Columns { snr: false, rtf: false, second_rate: false, name: 16 },
];

/// Longest stratum or model name shown, in columns.
const NAME_LIMIT: usize = 28;
/// Most strata named for their missing cells.
const INCOMPLETE_SHOWN: usize = 5;
/// Rows of one property: more would scroll everything else away.
pub(crate) const TERMINAL_ROWS: usize = 50;

/// The summary as a table of at most `width` columns where that is possible (from 80 on), with ANSI colours when
/// `colour` is set: strata with cells that have no score are yellow, the coverage green or red.
///
/// Per stratum: words, WER, CER, S/D/I, achieved SNR and RTF, each with its interval, and the resampling unit with
/// the number of units. The denser layouts show rates with one decimal or put intervals on a second line; where that is
/// not enough columns are left out, which a line below says. An interval that is not estimable is `[n/a]`, with a
/// numbered reason below the table. The last line is the coverage.
#[must_use]
pub fn terminal_table(summary: &Summary, width: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    let dense = DENSITIES.map(|density| (density, ALL_COLUMNS)).into_iter();
    let fewer = FEWER_COLUMNS.map(|columns| (DENSITIES[DENSITIES.len() - 1], columns));
    let mut layout = Layout::new(summary, DENSITIES[0], ALL_COLUMNS);
    for (density, columns) in dense.chain(fewer) {
        layout = Layout::new(summary, density, columns);
        if layout.width() <= width {
            break;
        }
    }
    let rules = format!(
        "{}  normaliser {}, alignment weights {}, seed {}",
        visible(&summary.suite),
        visible(&summary.normalizer),
        visible(&summary.weights),
        summary.seed
    );
    let mut out = String::new();
    for (i, line) in wrapped(&rules, width).iter().enumerate() {
        out.push_str(&if i == 0 { with_bold_suite(line, summary, paint) } else { line.clone() });
        out.push('\n');
    }
    out.push('\n');
    for (line, role) in &layout.lines {
        out.push_str(&match role {
            Role::Header => paint.bold(line),
            Role::Group => paint.cyan(line),
            Role::Incomplete => paint.yellow(line),
            Role::Plain => line.clone(),
        });
        out.push('\n');
    }
    out.push('\n');
    let composites: Vec<String> = composite::findings(summary)
        .into_iter()
        .chain(composite::latencies(summary))
        .chain(preprocessing(summary))
        .collect();
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
    out.push_str(&coverage_lines(summary, width, paint));
    out
}

/// What preprocessing does to the WER of each model, where the suite's first condition can be compared with the recording as it is.
fn preprocessing(summary: &Summary) -> impl Iterator<Item = String> {
    summary.deltas.iter().filter(|d| d.to == UNPROCESSED || d.from == UNPROCESSED).map(|d| {
        let unit = format::usable_interval(&d.wer_difference)
            .map_or_else(|_| String::new(), |i| format!(", {}", format::unit(i)));
        let p = d.p_value.map_or_else(String::new, |p| format!(", {}", format::p_in_words(p)));
        let (to, from, model) = (visible(&d.to), visible(&d.from), visible(&d.model));
        format!("preprocessing, {model}: WER {to} - {from}, points: {}{unit}{p}", POINTS.estimate(&d.wer_difference))
    })
}

/// The name of the suite in bold, where the line still begins with it.
fn with_bold_suite(line: &str, summary: &Summary, paint: Paint) -> String {
    let suite = visible(&summary.suite);
    line.strip_prefix(&suite).map_or_else(|| line.to_owned(), |rest| format!("{}{rest}", paint.bold(&suite)))
}

/// What a line is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Header,
    Group,
    /// A stratum with cells that have no score.
    Incomplete,
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

    fn new<'a>(summary: &'a Summary, density: Density, shown: Columns) -> Self {
        let several_models = strata::models(summary).len() > 1;
        let (mut reasons, mut left_out): (Vec<String>, Vec<String>) = Default::default();
        let mut table = Table::new();
        let estimates = |s: &'a StratumSummary| [Some(&s.wer), Some(&s.cer), s.snr_db.as_ref(), s.rtf.as_ref()];
        let level = strata::common_level(summary.strata.iter().flat_map(estimates).flatten());
        let shape = Shape { several_models, density, shown, cer_first: summary.primary == "cer" };
        let header = header(shape, level.as_deref());
        let header_lines = if density.stacked { 2 } else { 1 };
        let columns = header.len();
        table.load_style(TableStyle::new());
        table.set_header(header);
        let mut roles = vec![Role::Header; header_lines];
        for group in strata::hardest_groups(summary, TERMINAL_ROWS) {
            if group.by != "all" {
                roles.push(Role::Group);
                let title = clipped(&group.title());
                table.add_row(
                    std::iter::once(title).chain(std::iter::repeat_n(String::new(), columns - 1)).collect::<Vec<_>>(),
                );
            }
            for row in &group.rows {
                let cells = cells(row, shape, &mut reasons);
                // A cell knows its lines; a row takes as many as its highest.
                let role = if row.scored == row.planned { Role::Plain } else { Role::Incomplete };
                let height = cells.iter().map(|c| c.lines().count()).max().unwrap_or(1);
                roles.extend(std::iter::repeat_n(role, height));
                table.add_row(cells);
            }
            if group.left_out > 0 {
                left_out.push(format!("{} more {}", format::count(group.left_out as u64), lower_first(&group.title())));
            }
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            let last = i + 1 == columns;
            column.set_padding((0, if last { 0 } else { density.gap }));
            let text = i == 0 || (several_models && i == 1) || last;
            column.set_cell_alignment(if text { CellAlignment::Left } else { CellAlignment::Right });
        }
        let mut notes = notes(summary, shape, &reasons);
        if !left_out.is_empty() {
            notes.push(format!("lower error rates are left out: {} (summary.json has them)", left_out.join(", ")));
        }
        let mut lines = Vec::new();
        for (line, role) in table.lines().zip(roles) {
            if role == Role::Group {
                lines.push((String::new(), Role::Plain));
            }
            lines.push((line.trim_end().to_owned(), role));
        }
        Self { lines, notes }
    }
}

/// What decides the columns of a table.
#[derive(Debug, Clone, Copy)]
struct Shape {
    several_models: bool,
    density: Density,
    shown: Columns,
    cer_first: bool,
}

impl Shape {
    fn wer(self) -> bool {
        self.shown.second_rate || !self.cer_first
    }

    fn cer(self) -> bool {
        self.shown.second_rate || self.cer_first
    }

    /// Headings of columns that there is no room for.
    fn left_out(self) -> Vec<&'static str> {
        let columns = [(self.wer(), "WER"), (self.cer(), "CER"), (self.shown.snr, "SNR"), (self.shown.rtf, "RTF")];
        columns.into_iter().filter(|(shown, _)| !shown).map(|(_, name)| name).collect()
    }
}

fn header(shape: Shape, level: Option<&str>) -> Vec<Cell> {
    let stacked = shape.density.stacked;
    let bracket = level.map_or_else(|| "[interval]".to_owned(), |level| format!("[{level}]"));
    let metric = |name: &str| {
        let between = if stacked { '\n' } else { ' ' };
        Cell::new(format!("{name}{between}{bracket}")).set_alignment(CellAlignment::Right)
    };
    let right = |name: &str| Cell::new(name).set_alignment(CellAlignment::Right);
    let mut cells = vec![Cell::new("stratum")];
    cells.extend(shape.several_models.then(|| Cell::new("model")));
    cells.push(right("words"));
    cells.extend(shape.wer().then(|| metric("WER %")));
    cells.extend(shape.cer().then(|| metric("CER %")));
    cells.push(right("S/D/I"));
    cells.extend(shape.shown.snr.then(|| metric("SNR dB")));
    cells.extend(shape.shown.rtf.then(|| metric("RTF")));
    cells.push(Cell::new(if stacked { "resampled\nunit" } else { "resampled unit" }));
    cells
}

fn cells(s: &StratumSummary, shape: Shape, reasons: &mut Vec<String>) -> Vec<String> {
    let (density, shown) = (shape.density, shape.shown);
    let name = if s.by == "all" { "all".to_owned() } else { format!("  {}", clipped_to(&s.value, shown.name)) };
    let rate = format::RATE.with_decimals(density.rate_decimals);
    let level = format::DECIBEL.with_decimals(density.level_decimals);
    let columns = [
        (shape.wer(), "WER", Some(&s.wer), rate),
        (shape.cer(), "CER", Some(&s.cer), rate),
        (shown.snr, "SNR", s.snr_db.as_ref(), level),
        (shown.rtf, "RTF", s.rtf.as_ref(), format::FACTOR),
    ];
    let mut numbers = columns
        .iter()
        .filter(|c| c.0)
        .map(|(_, name, estimate, style)| (*name, number(*estimate, *style, density, reasons)))
        .collect::<Vec<_>>();
    let of_sound = numbers.iter().position(|(name, _)| matches!(*name, "SNR" | "RTF")).unwrap_or(numbers.len());
    let behind = numbers.split_off(of_sound);
    let mut cells = vec![name];
    cells.extend(shape.several_models.then(|| clipped_to(&s.model, shown.name)));
    cells.push(format::count(s.words.reference()));
    cells.extend(numbers.into_iter().map(|(_, text)| text));
    cells.push(format!("{}/{}/{}", s.words.sub, s.words.del, s.words.ins));
    cells.extend(behind.into_iter().map(|(_, text)| text));
    let estimates: Vec<(&str, Option<&Estimate>)> = columns.iter().filter(|c| c.0).map(|c| (c.1, c.2)).collect();
    cells.push(units(&estimates, density));
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

fn notes(summary: &Summary, shape: Shape, reasons: &[String]) -> Vec<String> {
    let mut notes = vec![
        "WER and CER are ratios of sums. S/D/I: substituted, deleted, inserted words. SNR: achieved, on active speech. \
         RTF: processing time / audio duration."
            .to_owned(),
    ];
    let left_out = shape.left_out();
    if !left_out.is_empty() {
        notes.push(format!("no room for {} at this width: summary.json has them", left_out.join(", ")));
    }
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

/// The last lines: strata with missing cells, then the coverage.
fn coverage_lines(summary: &Summary, width: usize, paint: Paint) -> String {
    let c = &summary.coverage;
    let percent = format::coverage_percent(c.fraction());
    let mut line = format!(
        "coverage {percent} %: {} of {} cells done",
        format::count(c.done as u64),
        format::count(c.planned as u64)
    );
    let complete = c.done == c.planned && c.planned > 0 && summary.absent.is_empty();
    if !summary.absent.is_empty() {
        let absent: Vec<String> = summary.absent.iter().map(|name| visible(name)).collect();
        line += &format!("; without the corpora that are not present: {}", absent.join(", "));
    } else if !complete {
        let why = stopped_early(summary);
        line += &format!("; {} failed, {} skipped, {} without outcome{why}", c.failed, c.skipped, c.outstanding);
    }
    let mut out = String::new();
    for line in incomplete(summary).iter().flat_map(|line| wrapped(line, width)) {
        out += &format!("{}\n", paint.yellow(&line));
    }
    for line in wrapped(&line, width) {
        out += &if complete { paint.green(&line) } else { paint.red(&line) };
        out.push('\n');
    }
    out
}

/// Strata of which cells have no score, the whole run apart: the coverage is about that.
fn incomplete(summary: &Summary) -> Option<String> {
    let strata: Vec<&StratumSummary> =
        summary.strata.iter().filter(|s| s.by != "all" && s.scored != s.planned).collect();
    let named: Vec<String> = strata
        .iter()
        .take(INCOMPLETE_SHOWN)
        .map(|s| format!("{} {} ({} of {})", clipped(&s.by), clipped(&s.value), s.scored, s.planned))
        .collect();
    let more = strata.len().saturating_sub(INCOMPLETE_SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("scored cells only: {}{more}", named.join(", ")))
}

pub(crate) fn clipped(name: &str) -> String {
    clipped_to(name, NAME_LIMIT)
}

/// A name of at most `limit` columns; a longer one ends in `…`.
pub(crate) fn clipped_to(name: &str, limit: usize) -> String {
    let name = visible(name);
    if display_width(&name) <= limit {
        return name;
    }
    let mut out = String::new();
    for c in name.chars() {
        out.push(c);
        if display_width(&out) + 1 > limit {
            out.pop();
            break;
        }
    }
    out + "…"
}

/// Columns that a line takes on a terminal: two for most East Asian characters, none for combining marks.
pub(crate) fn display_width(line: &str) -> usize {
    line.width()
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

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }
}
