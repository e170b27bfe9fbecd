//! Differences around zero: a dot and a whisker per stratum, the finding by colour and by shape.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use vbench_compare::Finding;

use crate::axis::Span;
use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, Point, SMALL_PX, TEXT_PX, Whisker, fitted, fitted_name,
    text_width, wrap,
};

/// From the top of a narrow row down to its whisker.
const WHISKER_DROP: i32 = LINE + 18;

/// Differences of one metric, second side less first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DifferencePlot {
    pub title: String,
    pub subtitle: String,
    pub axis: String,
    pub rows: Vec<DifferenceRow>,
}

/// A stratum, or the heading of a group of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DifferenceRow {
    pub label: String,
    /// Nothing for a heading.
    pub point: Option<(Point, Finding)>,
}

/// The colour of a finding: blue is better, vermilion is worse.
pub(crate) const fn colour(finding: Finding, palette: &Palette) -> RGBColor {
    match finding {
        Finding::Improved => palette.series(0),
        Finding::Regressed => palette.series(1),
        Finding::Undecided | Finding::Identical | Finding::NotJudged => palette.muted,
    }
}

/// The mark of a finding on a horizontal axis of which less is better.
fn mark<DB: DrawingBackend>(pen: &Pen<'_, DB>, finding: Finding, at: (i32, i32), palette: &Palette) -> Drawn<DB> {
    let ink = colour(finding, palette);
    match finding {
        Finding::Improved => pen.arrow((-1, 0), at, 7, ink),
        Finding::Regressed => pen.arrow((1, 0), at, 7, ink),
        Finding::Undecided => pen.marker(0, at, ink, false, palette.background),
        Finding::NotJudged => pen.marker(1, at, ink, false, palette.background),
        Finding::Identical => pen.rect((at.0 - 6, at.1 - 2), (at.0 + 6, at.1 + 3), ink),
    }
}

/// Rows with a label on the left and words on the right of the drawing; narrow ones have both above it.
pub(crate) struct RowLayout {
    pub narrow: bool,
    pub subtitle: Vec<String>,
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub row: i32,
    pub bottom: i32,
    pub height: i32,
}

impl RowLayout {
    /// `widest`: the widest label and the widest words; `above`: what stands between subtitle and rows; `row`: the height of one
    /// on a narrow and on a wide figure; `rows`: the height of all, from that of one.
    pub(crate) fn new(
        width: i32,
        subtitle: &str,
        widest: (i32, i32),
        above: i32,
        row: (i32, i32),
        rows: impl Fn(i32) -> i32,
    ) -> Self {
        let narrow = width < NARROW;
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(subtitle, SMALL_PX, inner);
        let (labels, words) = (widest.0.min(inner * 3 / 10), widest.1.min(inner * 35 / 100));
        let (left, right) = if narrow {
            (MARGIN + 10, width - MARGIN - 10)
        } else {
            (MARGIN + labels + 18, width - MARGIN - words - 20)
        };
        let row = if narrow { row.0 } else { row.1 };
        let top = MARGIN + 26 + LINE * subtitle.len() as i32 + above;
        let bottom = top + rows(row);
        Self { narrow, subtitle, left, right, top, row, bottom, height: bottom + 24 + LINE + MARGIN }
    }
}

impl DifferencePlot {
    fn layout(&self, width: i32) -> RowLayout {
        let widest = |px: f64, texts: Vec<&str>| texts.into_iter().map(|t| text_width(t, px)).max().unwrap_or(0);
        let labels = widest(TEXT_PX, self.rows.iter().map(|r| r.label.as_str()).collect());
        let points = self.rows.iter().filter_map(|r| r.point.as_ref());
        let words = widest(SMALL_PX, points.map(|(p, _)| p.text.as_str()).collect());
        let legend = LINE * legend_rows(&self.findings(), width).len() as i32 + 30;
        let rows = |row| self.rows.iter().map(|r| Self::row_height(r, row)).sum::<i32>().max(row);
        RowLayout::new(width, &self.subtitle, (labels, words), legend, (2 * LINE + 18, 28), rows)
    }

    /// What the legend names: the four findings, or that nothing is judged.
    fn findings(&self) -> Vec<Finding> {
        let judged = !self.rows.iter().filter_map(|r| r.point.as_ref()).any(|(_, f)| *f == Finding::NotJudged);
        Finding::ALL.into_iter().filter(|f| (*f == Finding::NotJudged) != judged).collect()
    }

    fn row_height(row: &DifferenceRow, full: i32) -> i32 {
        if row.point.is_some() { full } else { 26 }
    }

    /// Where the lines of the grid run: through, or on narrow figures behind the whiskers only, clear of the words.
    fn grid_stretches(&self, l: &RowLayout) -> Vec<(i32, i32)> {
        if !l.narrow {
            return vec![(l.top - 6, l.bottom + 5)];
        }
        let mut top = l.top;
        let mut stretches = vec![(l.bottom, l.bottom + 5)];
        for row in &self.rows {
            if row.point.is_some() {
                stretches.push((top + WHISKER_DROP - 9, top + WHISKER_DROP + 10));
            }
            top += Self::row_height(row, l.row);
        }
        stretches
    }

    fn span(&self, narrow: bool) -> Span {
        let points = self.rows.iter().filter_map(|r| r.point.as_ref());
        let values = points.flat_map(|(p, _)| [p.value, p.interval.map(|i| i.0), p.interval.map(|i| i.1)]).flatten();
        Span::covering(values.chain([0.0]), if narrow { 4 } else { 7 })
    }

    fn draw_axis<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &RowLayout, span: Span, c: &Palette) -> Drawn<DB> {
        for value in span.values() {
            let x = span.place(value, l.left, l.right);
            let zero = span.label(value) == "0";
            let (width, colour) = if zero { (2, c.muted) } else { (1, c.grid) };
            for (from, to) in self.grid_stretches(l) {
                pen.line((x, from), (x, to), width, colour)?;
            }
            let sign = if value > 0.0 && !zero { "+" } else { "" };
            let label = format!("{sign}{}", span.label(value));
            pen.text(&label, (x, l.bottom + 15), SMALL_PX, c.muted, HPos::Center)?;
        }
        let zero = span.place(0.0, l.left, l.right);
        let (better, worse) = ("B better", "B worse");
        if zero - l.left > text_width(better, SMALL_PX) + 12 {
            pen.text(better, (zero - 8, l.top - 15), SMALL_PX, c.series(0), HPos::Right)?;
        }
        if l.right - zero > text_width(worse, SMALL_PX) + 12 {
            pen.text(worse, (zero + 8, l.top - 15), SMALL_PX, c.series(1), HPos::Left)?;
        }
        let middle = (l.left + l.right) / 2;
        let axis = fitted(&self.axis, SMALL_PX, 2 * (middle - 4).min(l.right + MARGIN + 200 - middle).max(40));
        pen.axis_title(&axis, (l.left, l.right), l.bottom, c.ink)
    }

    fn draw_row<DB: DrawingBackend>(
        pen: &Pen<'_, DB>,
        (l, span): (&RowLayout, Span),
        (row, top): (&DifferenceRow, i32),
        canvas: Canvas,
    ) -> Drawn<DB> {
        let c = &canvas.palette;
        let Some((point, finding)) = &row.point else {
            return pen.bold(&fitted(&row.label, TEXT_PX, canvas.width - 2 * MARGIN), MARGIN, top + 15, TEXT_PX, c.ink);
        };
        let y = if l.narrow {
            let label = fitted_name(&row.label, TEXT_PX, canvas.width * 45 / 100);
            pen.text(&label, (MARGIN, top + LINE / 2 + 3), TEXT_PX, c.ink, HPos::Left)?;
            let room = canvas.width - 2 * MARGIN - text_width(&label, TEXT_PX) - 8;
            let text = fitted(&point.text, SMALL_PX, room);
            pen.text(&text, (canvas.width - MARGIN, top + LINE / 2 + 3), SMALL_PX, c.ink, HPos::Right)?;
            top + WHISKER_DROP
        } else {
            let label = fitted_name(&row.label, TEXT_PX, l.left - MARGIN - 18);
            pen.text(&label, (l.left - 14, top + l.row / 2), TEXT_PX, c.ink, HPos::Right)?;
            let text = fitted(&point.text, SMALL_PX, canvas.width - MARGIN - l.right - 18);
            pen.text(&text, (l.right + 18, top + l.row / 2), SMALL_PX, c.ink, HPos::Left)?;
            top + l.row / 2
        };
        let ink = colour(*finding, c);
        if let Some((lo, hi)) = point.interval {
            let ends = (span.place(lo, l.left, l.right), span.place(hi, l.left, l.right));
            pen.whisker_across(ends, y, Whisker::FULL, ink)?;
        }
        point.value.map_or(Ok(()), |v| mark(pen, *finding, (span.place(v, l.left, l.right), y), c))
    }

    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{} {}.", self.subtitle, self.axis);
        for row in &self.rows {
            match &row.point {
                Some((point, finding)) => text += &format!(" {}: {}, {}.", row.label, point.text, finding.name()),
                None => text += &format!(" {}:", row.label),
            }
        }
        text
    }
}

/// The findings with their marks: as many in a line as fit.
fn legend_rows(findings: &[Finding], width: i32) -> Vec<Vec<(Finding, i32)>> {
    let mut rows: Vec<Vec<(Finding, i32)>> = vec![Vec::new()];
    let mut x = MARGIN + 8;
    for &finding in findings {
        let need = 13 + text_width(finding.name(), SMALL_PX);
        if x + need > width - MARGIN && x > MARGIN + 8 {
            rows.push(Vec::new());
            x = MARGIN + 8;
        }
        if let Some(row) = rows.last_mut() {
            row.push((finding, x));
        }
        x += need + 20;
    }
    rows
}

fn legend<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    findings: &[Finding],
    (top, width): (i32, i32),
    c: &Palette,
) -> Drawn<DB> {
    for (y, row) in (top..).step_by(LINE as usize).zip(legend_rows(findings, width)) {
        for (finding, x) in row {
            mark(pen, finding, (x, y), c)?;
            pen.text(finding.name(), (x + 13, y), SMALL_PX, c.ink, HPos::Left)?;
        }
    }
    Ok(())
}

impl Plot for DifferencePlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let (l, c) = (self.layout(canvas.width), canvas.palette);
        let pen = Pen::new(area, canvas);
        area.fill(&c.background)?;
        let y = pen.heading(&self.title, &l.subtitle, c)?;
        legend(&pen, &self.findings(), (y + 4, canvas.width), &c)?;
        if self.rows.is_empty() {
            return pen.text("Nothing to compare.", (MARGIN, (l.top + l.bottom) / 2), TEXT_PX, c.ink, HPos::Left);
        }
        let span = self.span(l.narrow);
        let mut top = l.top;
        for (i, row) in self.rows.iter().enumerate() {
            if i % 2 == 0 && row.point.is_some() {
                pen.rect((MARGIN / 2, top), (canvas.width - MARGIN / 2, top + l.row), c.band)?;
            }
            top += Self::row_height(row, l.row);
        }
        self.draw_axis(&pen, &l, span, &c)?;
        top = l.top;
        for row in &self.rows {
            Self::draw_row(&pen, (&l, span), (row, top), canvas)?;
            top += Self::row_height(row, l.row);
        }
        Ok(())
    }
}
