//! A metric over runs in order of time: dots with whiskers, one line per model, changes marked.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::axis::Span;
use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, Point, SMALL_PX, TEXT_PX, draw_legend, fitted, legend_lines,
    text_width, wrap,
};

/// A metric over runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelinePlot {
    pub title: String,
    pub subtitle: String,
    pub axis: String,
    /// Per run: day and commit.
    pub runs: Vec<(String, String)>,
    pub series: Vec<TimelineSeries>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelineSeries {
    pub name: String,
    /// Per run; nothing where the run has no such model.
    pub points: Vec<Option<TimelinePoint>>,
    pub changes: Vec<TimelineChange>,
}

/// One run of one model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelinePoint {
    pub point: Point,
    /// Fewer cells than the others: drawn open, not joined by the line.
    pub partial: bool,
}

/// A change before a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelineChange {
    pub run: usize,
    /// Whether it went up, which is worse.
    pub worse: bool,
    pub text: String,
}

struct Layout {
    subtitle: Vec<String>,
    legend: Vec<Vec<usize>>,
    left: i32,
    right: i32,
    /// Where the lanes of the changes begin, one per model that has some.
    lanes: i32,
    top: i32,
    bottom: i32,
    height: i32,
}

impl TimelinePlot {
    fn names(&self) -> Vec<String> {
        self.series.iter().map(|s| s.name.clone()).collect()
    }

    fn span(&self) -> Span {
        let points = || self.series.iter().flat_map(|s| &s.points).flatten();
        let values =
            points().flat_map(|p| [p.point.value, p.point.interval.map(|i| i.0), p.point.interval.map(|i| i.1)]);
        let values: Vec<f64> = values.flatten().filter(|v| v.is_finite()).collect();
        let (lo, hi) = values.iter().fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
        // Zero belongs to the axis unless it would cost more than half of it.
        let zero = (lo < 0.5 * hi).then_some(0.0);
        Span::covering(values.into_iter().chain(zero), 6)
    }

    fn layout(&self, width: i32) -> Layout {
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(&self.subtitle, SMALL_PX, inner);
        let legend = legend_lines(&self.names(), inner);
        let span = self.span();
        let labels = span.values().map(|v| text_width(&span.label(v), SMALL_PX)).max().unwrap_or(0);
        let changed = self.series.iter().filter(|s| !s.changes.is_empty()).count() as i32;
        let lanes = MARGIN + 26 + LINE * (subtitle.len() + legend.len()) as i32 + 14 + LINE;
        let top = lanes + LINE * changed + 6;
        let bottom = top + if width < NARROW { 190 } else { 240 };
        let (left, right) = (MARGIN + labels + 14, width - MARGIN - 12);
        Layout { subtitle, legend, left, right, lanes, top, bottom, height: bottom + 12 + 2 * LINE + MARGIN }
    }

    fn x(&self, l: &Layout, run: usize) -> i32 {
        let (n, width) = (self.runs.len().max(1) as i32, l.right - l.left);
        l.left + width * (2 * run as i32 + 1) / (2 * n)
    }

    fn draw_axes<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &Layout, span: Span, c: &Palette) -> Drawn<DB> {
        for value in span.values() {
            let y = span.place(value, l.bottom, l.top);
            pen.line((l.left - 4, y), (l.right, y), 1, if value == 0.0 { c.muted } else { c.grid })?;
            pen.text(&span.label(value), (l.left - 9, y), SMALL_PX, c.muted, HPos::Right)?;
        }
        pen.text(&self.axis, (MARGIN, l.lanes - LINE), SMALL_PX, c.ink, HPos::Left)?;
        // As many labels as fit, the last run always among them.
        let widest = self.runs.iter().map(|(d, k)| text_width(d, SMALL_PX).max(text_width(k, SMALL_PX))).max();
        let n = self.runs.len();
        let room = ((l.right - l.left) / (widest.unwrap_or(0) + 10).max(1)).max(1) as usize;
        let every = n.div_ceil(room).max(1);
        for (i, (day, commit)) in self.runs.iter().enumerate() {
            let x = self.x(l, i);
            let labelled = (n - 1 - i).is_multiple_of(every);
            pen.line((x, l.bottom), (x, l.bottom + if labelled { 6 } else { 3 }), 1, c.muted)?;
            if labelled {
                pen.text(day, (x, l.bottom + 16), SMALL_PX, c.muted, HPos::Center)?;
                pen.text(commit, (x, l.bottom + 16 + LINE - 3), SMALL_PX, c.muted, HPos::Center)?;
            }
        }
        Ok(())
    }

    fn draw_series<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        (l, span): (&Layout, Span),
        (index, series): (usize, &TimelineSeries),
        c: &Palette,
    ) -> Drawn<DB> {
        let colour = c.series(index);
        // Models stand side by side at a run, so that their whiskers do not hide each other.
        let step = ((l.right - l.left) / self.runs.len().max(1) as i32 / (2 * self.series.len().max(1) as i32)).min(7);
        let shift = (2 * index as i32 - (self.series.len() as i32 - 1)) * step / 2;
        let at = |run: usize, v: f64| (self.x(l, run) + shift, span.place(v, l.bottom, l.top));
        fn value(p: &Option<TimelinePoint>) -> Option<(f64, &TimelinePoint)> {
            p.as_ref().and_then(|p| Some((p.point.value?, p)))
        }
        let points = series.points.iter().enumerate();
        let whole: Vec<(i32, i32)> = points
            .clone()
            .filter_map(|(run, p)| value(p).filter(|(_, p)| !p.partial).map(|(v, _)| at(run, v)))
            .collect();
        for pair in whole.windows(2) {
            pen.line(pair[0], pair[1], 1, colour)?;
        }
        let crowded = self.runs.len() > 30;
        for (run, point) in points {
            let Some((v, p)) = value(point) else { continue };
            if let Some((lo, hi)) = p.point.interval {
                let ((x, low), (_, high)) = (at(run, lo), at(run, hi));
                pen.line((x, low), (x, high), if crowded { 1 } else { 2 }, colour)?;
                for y in [low, high] {
                    pen.line((x - 3, y), (x + 3, y), if crowded { 1 } else { 2 }, colour)?;
                }
            }
            pen.marker(index, at(run, v), colour, !p.partial && p.point.interval.is_some(), c.background)?;
        }
        Ok(())
    }

    fn draw_changes<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &Layout, c: &Palette) -> Drawn<DB> {
        let mut y = l.lanes + LINE / 2;
        for (index, series) in self.series.iter().enumerate().filter(|(_, s)| !s.changes.is_empty()) {
            let mut free = 0;
            for change in &series.changes {
                let x = (self.x(l, change.run.saturating_sub(1)) + self.x(l, change.run)) / 2;
                for top in (y..l.bottom).step_by(8) {
                    pen.line((x, top), (x, (top + 4).min(l.bottom)), 1, c.series(index))?;
                }
                let (ink, way) = if change.worse { (c.series(1), (0, -1)) } else { (c.series(0), (0, 1)) };
                pen.rect((x - 8, y - 8), (x + 8, y + 9), c.background)?;
                pen.arrow(way, (x, y), 7, ink)?;
                let width = text_width(&change.text, SMALL_PX);
                // Beside the arrow, on the other side where the page ends; left out where two would overlap.
                let left = if x + 12 + width > l.right + 10 { x - 12 - width } else { x + 12 };
                if left >= free && left > 0 {
                    pen.rect((left - 2, y - 8), (left + width + 2, y + 9), c.background)?;
                    pen.text(&change.text, (left, y), SMALL_PX, c.ink, HPos::Left)?;
                    free = left + width + 20;
                }
            }
            y += LINE;
        }
        Ok(())
    }

    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{} {}.", self.subtitle, self.axis);
        for series in &self.series {
            for (run, point) in series.points.iter().enumerate() {
                let Some(p) = point else { continue };
                let (day, commit) = &self.runs[run];
                let partial = if p.partial { ", fewer cells" } else { "" };
                text += &format!(" {}, {day} {commit}: {}{partial}.", series.name, p.point.text);
            }
            for change in &series.changes {
                text += &format!(" Change of {} before {}: {}.", series.name, self.runs[change.run].0, change.text);
            }
        }
        text
    }
}

impl Plot for TimelinePlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let (l, c) = (self.layout(canvas.width), canvas.palette);
        let pen = Pen::new(area, canvas);
        area.fill(&c.background)?;
        let title = fitted(&self.title, TEXT_PX * 1.3, canvas.width - 2 * MARGIN);
        let y = pen.heading(&title, &l.subtitle, c)?;
        draw_legend(&pen, &self.names(), &l.legend, y, c)?;
        if self.runs.is_empty() || self.series.is_empty() {
            return pen.text("Nothing was measured.", (MARGIN, (l.top + l.bottom) / 2), TEXT_PX, c.ink, HPos::Left);
        }
        let span = self.span();
        self.draw_axes(&pen, &l, span, &c)?;
        self.draw_changes(&pen, &l, &c)?;
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(&pen, (&l, span), (index, series), &c)?;
        }
        Ok(())
    }
}
