//! Horizontal bars, one row a thing: parts stacked from zero, stretches one after the other, or a band with markers.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, SMALL_PX, TEXT_PX, Ticks, Whisker, fitted, legend_lines,
    legend_width, text_width, wrap,
};

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RowPlot {
    /// Headline.
    pub title: String,
    /// What the figure finds, then what its marks mean.
    pub subtitle: String,
    /// Quantity and unit of the horizontal axis.
    pub axis: String,
    /// Name and look of what the colours stand for.
    pub legend: Vec<(String, Look)>,
    /// Top to bottom.
    pub rows: Vec<BarRow>,
}

/// How something is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A bar in the colour of a series.
    Bar(usize),
    /// The marker of a series.
    Marker(usize),
}

/// One row in axis units.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct BarRow {
    /// What it is of.
    pub label: String,
    /// Stretches with the series whose colour they have.
    pub bars: Vec<(f64, f64, usize)>,
    /// A grey stretch behind everything.
    pub band: Option<(f64, f64)>,
    /// Values with the series whose marker they have, and whether it is filled.
    pub markers: Vec<(f64, usize, bool)>,
    /// An interval over the bars.
    pub whisker: Option<(f64, f64)>,
    /// The numbers in words.
    pub text: String,
}

/// Height of a row, of one with several markers, and of a bar.
const ROW: i32 = 30;
const MARKED_ROW: i32 = 38;
const BAR: i32 = 14;
/// Between the markers of a row, which may lie on each other.
const DODGE: i32 = 6;
/// Narrow rows have a line for the label, one for the numbers, and the bar.
const NARROW_ROW: i32 = 62;
const NARROW_BAR_MIDDLE: i32 = 46;

struct Layout {
    narrow: bool,
    subtitle: Vec<String>,
    legend: Vec<Vec<usize>>,
    left: i32,
    right: i32,
    top: i32,
    row: i32,
    /// From the top of a row to the middle of its bar.
    middle: i32,
    bottom: i32,
}

impl RowPlot {
    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{}. {}.", self.subtitle.trim_end_matches('.'), self.axis);
        for row in &self.rows {
            text.push_str(&format!(" {}: {}.", row.label, row.text));
        }
        text
    }

    fn layout(&self, width: i32) -> Layout {
        let narrow = width < NARROW;
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(&self.subtitle, SMALL_PX, inner);
        let names: Vec<String> = self.legend.iter().map(|(name, _)| name.clone()).collect();
        let legend = legend_lines(&names, inner);
        let widest =
            |texts: &mut dyn Iterator<Item = &String>, px: f64| texts.map(|t| text_width(t, px)).max().unwrap_or(0);
        let (left, right) = if narrow {
            (MARGIN + 4, width - MARGIN - 10)
        } else {
            let label = widest(&mut self.rows.iter().map(|r| &r.label), TEXT_PX).min(inner * 3 / 10);
            let text = widest(&mut self.rows.iter().map(|r| &r.text), SMALL_PX).min(inner * 38 / 100);
            (MARGIN + label + 14, width - MARGIN - text - 16)
        };
        let top = MARGIN + 26 + LINE * (subtitle.len() + legend.len()) as i32 + 12;
        let marked = self.rows.iter().any(|r| r.markers.len() > 1);
        let row = match (narrow, marked) {
            (true, false) => NARROW_ROW,
            (true, true) => NARROW_ROW + MARKED_ROW - ROW + DODGE,
            (false, true) => MARKED_ROW,
            (false, false) => ROW,
        };
        // Markers beside each other must not touch the words above.
        let aside = if marked { DODGE } else { 0 };
        let middle = if narrow { NARROW_BAR_MIDDLE + aside } else { row / 2 };
        let bottom = top + row * self.rows.len().max(1) as i32;
        Layout { narrow, subtitle, legend, left, right, top, row, middle, bottom }
    }

    fn extent(&self) -> f64 {
        let ends = self.rows.iter().flat_map(|r| {
            let bars = r.bars.iter().map(|b| b.1);
            let stretches = [r.band, r.whisker].into_iter().flatten().map(|(_, hi)| hi);
            bars.chain(stretches).chain(r.markers.iter().map(|m| m.0))
        });
        ends.filter(|v| v.is_finite()).fold(0.0, f64::max)
    }

    fn draw_legend<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        lines: &[Vec<usize>],
        top: i32,
        colours: Palette,
    ) -> Drawn<DB> {
        let mut y = top + 2;
        for line in lines {
            let mut x = MARGIN;
            for (name, look) in line.iter().map(|i| &self.legend[*i]) {
                match look {
                    Look::Bar(i) => pen.rect((x, y - 6), (x + 22, y + 6), colours.series(*i))?,
                    Look::Marker(i) => pen.marker(*i, (x + 11, y), colours.series(*i), true, colours.background)?,
                }
                pen.text(name, (x + 28, y), SMALL_PX, colours.ink, HPos::Left)?;
                x += legend_width(name);
            }
            y += LINE;
        }
        Ok(())
    }

    fn draw_axis<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        ticks: &Ticks,
        x: &impl Fn(f64) -> i32,
        colours: Palette,
    ) -> Drawn<DB> {
        for value in ticks.values() {
            let (at, colour) = (x(value), if value == 0.0 { colours.muted } else { colours.grid });
            if layout.narrow {
                // Not through the words above the bars.
                for row in 0..self.rows.len() as i32 {
                    let y = layout.top + layout.row * row + layout.middle;
                    pen.line((at, y - 10), (at, y + 11), 1, colour)?;
                }
                pen.line((at, layout.bottom), (at, layout.bottom + 5), 1, colour)?;
            } else {
                pen.line((at, layout.top), (at, layout.bottom + 5), 1, colour)?;
            }
            pen.text(&ticks.label(value), (at, layout.bottom + 15), SMALL_PX, colours.muted, HPos::Center)?;
        }
        pen.axis_title(&self.axis, (layout.left, layout.right), layout.bottom, colours.ink)
    }

    fn draw_row<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        (row, top): (&BarRow, i32),
        x: &impl Fn(f64) -> i32,
        canvas: Canvas,
    ) -> Drawn<DB> {
        let colours = canvas.palette;
        let middle = top + layout.middle;
        if let Some((lo, hi)) = row.band {
            pen.rect((x(lo), middle - BAR / 2), (x(hi).max(x(lo) + 2), middle + BAR / 2), colours.grid)?;
        }
        for (from, to, series) in &row.bars {
            if to > from {
                // At least a pixel, so that what is there is seen.
                let right = x(*to).max(x(*from) + 1);
                pen.rect((x(*from), middle - BAR / 2), (right, middle + BAR / 2), colours.series(*series))?;
                if right - x(*from) > 4 {
                    // A seam: neighbours differ by more than colour.
                    pen.rect((right - 1, middle - BAR / 2), (right, middle + BAR / 2), colours.background)?;
                }
            }
        }
        if let Some((lo, hi)) = row.whisker {
            pen.whisker_across((x(lo.max(0.0)), x(hi)), middle, Whisker::FULL, colours.ink)?;
        }
        for (i, (value, series, filled)) in row.markers.iter().enumerate() {
            let aside = DODGE * i as i32 - DODGE * (row.markers.len() as i32 - 1) / 2;
            pen.marker(*series, (x(*value), middle + aside), colours.series(*series), *filled, colours.background)?;
        }
        if layout.narrow {
            let limit = canvas.width - 2 * MARGIN;
            pen.bold(&fitted(&row.label, TEXT_PX, limit), MARGIN, top + 12, TEXT_PX, colours.ink)?;
            return pen.text(
                &fitted(&row.text, SMALL_PX, limit),
                (MARGIN, top + 29),
                SMALL_PX,
                colours.ink,
                HPos::Left,
            );
        }
        let label = fitted(&row.label, TEXT_PX, layout.left - MARGIN - 14);
        pen.text(&label, (layout.left - 12, middle), TEXT_PX, colours.ink, HPos::Right)?;
        let limit = canvas.width - MARGIN - layout.right - 16;
        pen.text(&fitted(&row.text, SMALL_PX, limit), (layout.right + 16, middle), SMALL_PX, colours.ink, HPos::Left)
    }
}

impl Plot for RowPlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).bottom + 24 + LINE + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let layout = self.layout(canvas.width);
        let (pen, colours) = (Pen::new(area, canvas), canvas.palette);
        area.fill(&colours.background)?;
        let y = pen.heading(&self.title, &layout.subtitle, colours)?;
        self.draw_legend(&pen, &layout.legend, y, colours)?;
        if self.rows.is_empty() {
            let middle = (layout.top + layout.bottom) / 2;
            return pen.text("Nothing was measured.", (MARGIN, middle), TEXT_PX, colours.ink, HPos::Left);
        }
        let ticks = Ticks::covering(self.extent(), if layout.narrow { 4 } else { 6 });
        let x = |value: f64| ticks.place(value, layout.left, layout.right);
        for i in (0..self.rows.len() as i32).step_by(2) {
            let top = layout.top + layout.row * i;
            pen.rect((MARGIN / 2, top), (canvas.width - MARGIN / 2, top + layout.row), colours.band)?;
        }
        self.draw_axis(&pen, &layout, &ticks, &x, colours)?;
        for (i, row) in self.rows.iter().enumerate() {
            self.draw_row(&pen, &layout, (row, layout.top + layout.row * i as i32), &x, canvas)?;
        }
        Ok(())
    }
}
