//! A metric over runs in order of time: dots with whiskers, one line per model, changes marked.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::axis::Span;
use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, Point, SMALL_PX, TEXT_PX, Whisker, draw_legend, legend_lines,
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

    /// The axis, which says so where it does not begin at 0.
    fn axis_text(&self) -> String {
        let from = if self.span().ends().0 > 0.0 { "; does not begin at 0" } else { "" };
        format!("{}{from}", self.axis)
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
        pen.text(&self.axis_text(), (MARGIN, l.lanes - LINE), SMALL_PX, c.ink, HPos::Left)?;
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
                pen.whisker_up((low, high), x, Whisker { width: if crowded { 1 } else { 2 }, cap: 3 }, colour)?;
            }
            pen.marker(index, at(run, v), colour, !p.partial && p.point.interval.is_some(), c.background)?;
        }
        Ok(())
    }

    /// Where the arrows of a series stand, from left to right.
    fn arrows(&self, l: &Layout, series: &TimelineSeries) -> Vec<i32> {
        let between = |c: &TimelineChange| (self.x(l, c.run.saturating_sub(1)) + self.x(l, c.run)) / 2;
        series.changes.iter().map(between).collect()
    }

    fn draw_changes<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, l: &Layout, c: &Palette) -> Drawn<DB> {
        let mut y = l.lanes + LINE / 2;
        for (index, series) in self.series.iter().enumerate().filter(|(_, s)| !s.changes.is_empty()) {
            let places = self.arrows(l, series);
            let widest = series.changes.iter().map(|c| text_width(&c.text, SMALL_PX)).max().unwrap_or(0);
            for (i, (change, &x)) in series.changes.iter().zip(&places).enumerate() {
                for top in (y..l.bottom).step_by(8) {
                    pen.line((x, top), (x, (top + 4).min(l.bottom)), 1, c.series(index))?;
                }
                // Ink, not a colour: colours are models.
                let way = if change.worse { (0, -1) } else { (0, 1) };
                pen.rect((x - 8, y - 8), (x + 8, y + 9), c.background)?;
                pen.arrow(way, (x, y), 7, c.ink)?;
                if let Some(left) = label_place(l, &places, i, widest) {
                    pen.rect((left - 2, y - 8), (left + widest + 2, y + 9), c.background)?;
                    pen.text(&change.text, (left, y), SMALL_PX, c.ink, HPos::Left)?;
                }
            }
            y += LINE;
        }
        Ok(())
    }

    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{} {}.", self.subtitle, self.axis_text());
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

/// Where the words of an arrow begin: right of it, or left of it behind the last one where nothing else is written; nowhere
/// where a neighbour or the page's edge would cut them.
fn label_place(l: &Layout, arrows: &[i32], i: usize, width: i32) -> Option<i32> {
    let x = arrows[i];
    let edge = arrows.get(i + 1).map_or(l.right + 10, |next| next - 12);
    if x + 12 + width <= edge {
        return Some(x + 12);
    }
    // The words of the arrow before stand right of it, if anywhere.
    let free = if i == 0 { l.left } else { arrows[i - 1] + 12 + width + 8 };
    (i + 1 == arrows.len() && x - 12 - width >= free).then_some(x - 12 - width)
}

impl Plot for TimelinePlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let (l, c) = (self.layout(canvas.width), canvas.palette);
        let pen = Pen::new(area, canvas);
        area.fill(&c.background)?;
        let y = pen.heading(&self.title, &l.subtitle, c)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(values: &[f64], changes: &[usize]) -> TimelinePlot {
        let point = |v: &f64| {
            let point = Point { value: Some(*v), interval: None, text: String::new() };
            Some(TimelinePoint { point, partial: false })
        };
        let change = |run: &usize| TimelineChange { run: *run, worse: true, text: "+11.54 points".into() };
        TimelinePlot {
            title: "t".into(),
            subtitle: String::new(),
            axis: "WER (%)".into(),
            runs: values.iter().map(|_| ("01-01".into(), "0123abcd".into())).collect(),
            series: vec![TimelineSeries {
                name: "m".into(),
                points: values.iter().map(point).collect(),
                changes: changes.iter().map(change).collect(),
            }],
        }
    }

    #[test]
    fn words_of_changes_are_cut_by_no_arrow_and_no_edge() {
        crate::figures::register_fonts().expect("the embedded font is valid");
        let width = text_width("+11.54 points", SMALL_PX);
        let mut written = 0;
        for (runs, changes) in [(7, vec![3, 5]), (20, vec![3, 4, 19]), (9, vec![8]), (60, vec![20, 21, 22, 59])] {
            let plot = plot(&vec![5.0; runs], &changes);
            for canvas in [360, 800] {
                let l = plot.layout(canvas);
                let arrows = plot.arrows(&l, &plot.series[0]);
                let labels: Vec<Option<i32>> = (0..arrows.len()).map(|i| label_place(&l, &arrows, i, width)).collect();
                let places: Vec<i32> = labels.into_iter().flatten().collect();
                written += places.len();
                for left in &places {
                    assert!(*left >= 0 && left + width <= canvas, "{left} on {canvas}");
                    assert!(
                        arrows.iter().all(|x| x + 8 <= *left - 2 || x - 8 >= left + width + 2),
                        "{left}: {arrows:?}"
                    );
                }
                assert!(places.windows(2).all(|p| p[0] + width <= p[1]), "{places:?}");
            }
        }
        assert!(written >= 8, "{written} of 20 are written");
    }

    #[test]
    fn an_axis_that_does_not_begin_at_zero_says_so() {
        assert!(plot(&[50.0, 51.0], &[]).axis_text().ends_with("does not begin at 0"));
        assert_eq!(plot(&[5.0, 0.5], &[]).axis_text(), "WER (%)");
    }
}
