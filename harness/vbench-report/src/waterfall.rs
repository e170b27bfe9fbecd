//! A difference taken apart: steps from the first side's WER to the second's.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use vbench_compare::Step;

use crate::axis::Span;
use crate::difference_plot::RowLayout;
use crate::format;
use crate::palette::Palette;
use crate::plot::{Area, Canvas, Drawn, LINE, MARGIN, Pen, Plot, SMALL_PX, TEXT_PX, fitted, fitted_name, text_width};

/// Steps that sum to the difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WaterfallPlot {
    pub title: String,
    pub subtitle: String,
    /// WER of both sides as fractions.
    pub ends: (f64, f64),
    pub steps: Vec<Step>,
}

/// What is written beside a row.
struct RowText {
    label: String,
    value: String,
}

impl WaterfallPlot {
    fn texts(&self) -> Vec<RowText> {
        let rate = |v: f64| format!("{} %", format::RATE.number(v));
        let mut texts = vec![RowText { label: "A".into(), value: rate(self.ends.0) }];
        texts.extend(self.steps.iter().map(|s| RowText {
            label: format::visible(&s.value),
            value: format!(
                "{} ({} {})",
                format::POINTS.number(s.to - s.from),
                signed(s.change),
                if s.change.abs() == 1 { "error" } else { "errors" }
            ),
        }));
        texts.push(RowText { label: "B".into(), value: rate(self.ends.1) });
        texts
    }

    fn layout(&self, width: i32) -> RowLayout {
        let texts = self.texts();
        let widest = |px: f64, of: fn(&RowText) -> &str| texts.iter().map(|t| text_width(of(t), px)).max().unwrap_or(0);
        let widest = (widest(TEXT_PX, |t| &t.label), widest(SMALL_PX, |t| &t.value));
        RowLayout::new(width, &self.subtitle, widest, 14, (2 * LINE + 10, 26), |row| row * texts.len() as i32)
    }

    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let rows: Vec<String> = self.texts().iter().map(|t| format!("{}: {}.", t.label, t.value)).collect();
        format!("{} {}", self.subtitle, rows.join(" "))
    }

    fn draw_rows<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &RowLayout, span: Span, c: &Palette) -> Drawn<DB> {
        let x = |v: f64| span.place(100.0 * v, l.left, l.right);
        let y = |i: usize| l.top + l.row * i as i32 + if l.narrow { LINE + 14 } else { l.row / 2 };
        for (i, step) in self.steps.iter().enumerate() {
            let (from, to, middle) = (x(step.from), x(step.to), y(i + 1));
            pen.line((from, y(i)), (from, middle), 1, c.muted)?;
            let ink = if step.change > 0 { c.series(1) } else { c.series(0) };
            let towards = if step.change > 0 { 1 } else { -1 };
            let size = ((to - from).abs() / 2).clamp(3, 8);
            let neck = to - towards * size;
            pen.rect((from.min(neck), middle - 4), (from.max(neck), middle + 4), ink)?;
            pen.arrow((towards, 0), (to - towards * size, middle), size, ink)?;
        }
        let last = self.steps.len();
        pen.line((x(self.ends.1), y(last)), (x(self.ends.1), y(last + 1)), 1, c.muted)?;
        pen.marker(3, (x(self.ends.0), y(0)), c.ink, true, c.background)?;
        pen.marker(3, (x(self.ends.1), y(last + 1)), c.ink, true, c.background)
    }

    fn draw_texts<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &RowLayout, canvas: Canvas) -> Drawn<DB> {
        let c = canvas.palette;
        for (i, text) in self.texts().iter().enumerate() {
            let top = l.top + l.row * i as i32;
            if l.narrow {
                let y = top + LINE / 2;
                // Lines of the grid and from bar to bar end at the words.
                let ground = if i % 2 == 0 { c.band } else { c.background };
                pen.rect((MARGIN / 2, top + 1), (canvas.width - MARGIN / 2, top + LINE + 1), ground)?;
                let label = fitted_name(&text.label, TEXT_PX, canvas.width * 55 / 100);
                pen.text(&label, (MARGIN, y), TEXT_PX, c.ink, HPos::Left)?;
                let room = canvas.width - 2 * MARGIN - text_width(&label, TEXT_PX) - 8;
                pen.text(
                    &fitted(&text.value, SMALL_PX, room),
                    (canvas.width - MARGIN, y),
                    SMALL_PX,
                    c.ink,
                    HPos::Right,
                )?;
            } else {
                let y = top + l.row / 2;
                let label = fitted_name(&text.label, TEXT_PX, l.left - MARGIN - 18);
                pen.text(&label, (l.left - 14, y), TEXT_PX, c.ink, HPos::Right)?;
                let value = fitted(&text.value, SMALL_PX, canvas.width - MARGIN - l.right - 18);
                pen.text(&value, (l.right + 18, y), SMALL_PX, c.ink, HPos::Left)?;
            }
        }
        Ok(())
    }
}

/// A whole number with its sign.
pub(crate) fn signed(change: i64) -> String {
    if change > 0 { format!("+{change}") } else { change.to_string() }
}

impl Plot for WaterfallPlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let (l, c) = (self.layout(canvas.width), canvas.palette);
        let pen = Pen::new(area, canvas);
        area.fill(&c.background)?;
        pen.heading(&self.title, &l.subtitle, c)?;
        let values = self.steps.iter().flat_map(|s| [s.from, s.to]).chain([self.ends.0, self.ends.1]);
        let span = Span::covering(values.map(|v| 100.0 * v), if l.narrow { 4 } else { 7 });
        for i in (0..self.steps.len() as i32 + 2).step_by(2) {
            let top = l.top + l.row * i;
            pen.rect((MARGIN / 2, top), (canvas.width - MARGIN / 2, top + l.row), c.band)?;
        }
        for value in span.values() {
            let x = span.place(value, l.left, l.right);
            pen.line((x, l.top), (x, l.bottom + 5), 1, c.grid)?;
            pen.text(&span.label(value), (x, l.bottom + 15), SMALL_PX, c.muted, HPos::Center)?;
        }
        let axis = "WER (%); the axis need not begin at 0";
        pen.axis_title(axis, (l.left, l.right), l.bottom, c.ink)?;
        self.draw_rows(&pen, &l, span, &c)?;
        self.draw_texts(&pen, &l, canvas)
    }
}
