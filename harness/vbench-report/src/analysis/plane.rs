//! Things on two axes, from zero unless told otherwise: bars of a histogram, lines, points with intervals both ways.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::axis::Span;
use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, SMALL_PX, Whisker, draw_legend, fitted, legend_lines,
    text_width, wrap,
};

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PlanePlot {
    /// Headline.
    pub title: String,
    /// What the figure finds, then what its marks mean.
    pub subtitle: String,
    /// Every number in words, behind the subtitle.
    pub words: String,
    /// Quantity and unit below the horizontal axis.
    pub x_axis: String,
    /// Quantity and unit above the vertical axis.
    pub y_axis: String,
    /// Where the axes begin, at the latest: at round numbers up to there.
    pub x_from: f64,
    /// The vertical one.
    pub y_from: f64,
    /// Ends of the axes; marks are at round numbers up to there.
    pub x_end: f64,
    /// The vertical one.
    pub y_end: f64,
    /// Models (or kinds), for the legend.
    pub series: Vec<String>,
    /// No labels at the marks of the horizontal axis, where they would say nothing.
    pub bare_x: bool,
    /// Back to front.
    pub shapes: Vec<Shape>,
}

/// One thing in axis units, in the colour of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// From (x, 0) to (x, y).
    Bar { from: f64, to: f64, height: f64, series: usize },
    /// Straight from point to point.
    Line { points: Vec<(f64, f64)>, series: usize },
    /// A marker with whiskers and, beside it, a name.
    Point(Dot),
    /// A line across at a height, with words at its left end.
    Level { height: f64, text: String, series: usize },
    /// From edge to edge between two heights, in grey, behind what follows.
    Band { from: f64, to: f64 },
}

/// A marked point.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Dot {
    pub x: f64,
    pub y: f64,
    pub x_interval: Option<(f64, f64)>,
    pub y_interval: Option<(f64, f64)>,
    pub series: usize,
    /// Open where there is no interval.
    pub filled: bool,
    /// A small one, where there are many.
    pub small: bool,
    pub label: String,
}

const LABELS: i32 = 44;

struct Layout {
    subtitle: Vec<String>,
    legend: Vec<Vec<usize>>,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl PlanePlot {
    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let subtitle = self.subtitle.trim_end_matches('.');
        format!("{subtitle}. Across: {}. Up: {}. {}", self.x_axis, self.y_axis, self.words)
    }

    fn layout(&self, width: i32) -> Layout {
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(&self.subtitle, SMALL_PX, inner);
        let legend = legend_lines(&self.series, inner);
        let top = MARGIN + 26 + LINE * (subtitle.len() + legend.len()) as i32 + 12 + LINE;
        let height = if width < NARROW { 200 } else { 260 };
        Layout { subtitle, legend, left: MARGIN + LABELS, right: width - MARGIN - 14, top, bottom: top + height }
    }

    fn draw_axes<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        (across, up): (Span, Span),
        (x, y): (&impl Fn(f64) -> i32, &impl Fn(f64) -> i32),
        colours: Palette,
    ) -> Drawn<DB> {
        pen.text(&self.y_axis, (MARGIN, layout.top - LINE), SMALL_PX, colours.ink, HPos::Left)?;
        for value in up.values() {
            let colour = if value == 0.0 { colours.muted } else { colours.grid };
            pen.line((layout.left, y(value)), (layout.right, y(value)), 1, colour)?;
            pen.text(&up.label(value), (layout.left - 8, y(value)), SMALL_PX, colours.muted, HPos::Right)?;
        }
        for value in across.values().filter(|_| !self.bare_x) {
            pen.line((x(value), layout.bottom), (x(value), layout.bottom + 5), 1, colours.muted)?;
            pen.text(&across.label(value), (x(value), layout.bottom + 15), SMALL_PX, colours.muted, HPos::Center)?;
        }
        pen.axis_title(&self.x_axis, (layout.left, layout.right), layout.bottom, colours.ink)
    }

    fn draw_shape<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        shape: &Shape,
        (x, y): (&impl Fn(f64) -> i32, &impl Fn(f64) -> i32),
        colours: Palette,
    ) -> Drawn<DB> {
        match shape {
            Shape::Bar { from, to, height, series } if *height > 0.0 => {
                // A gap between bars; a pixel high at least.
                let (left, right) = (x(*from), (x(*to) - 1).max(x(*from) + 1));
                pen.rect((left, y(*height).min(layout.bottom - 1)), (right, layout.bottom), colours.series(*series))
            }
            Shape::Bar { .. } => Ok(()),
            Shape::Line { points, series } => {
                for pair in points.windows(2) {
                    pen.line((x(pair[0].0), y(pair[0].1)), (x(pair[1].0), y(pair[1].1)), 2, colours.series(*series))?;
                }
                Ok(())
            }
            Shape::Point(dot) => draw_dot(pen, layout, dot, (x, y), colours),
            Shape::Band { from, to } => pen.tint((layout.left, y(*to)), (layout.right, y(*from)), colours.grid, 0.45),
            Shape::Level { height, text, series } => {
                let at = y(*height);
                let mut from = layout.left;
                while from < layout.right {
                    pen.line((from, at), ((from + 6).min(layout.right), at), 1, colours.series(*series))?;
                    from += 11;
                }
                let place = (layout.left + 8, if at < layout.top + 12 { at + 10 } else { at - 9 });
                pen.text(&fitted(text, SMALL_PX, layout.right - layout.left), place, SMALL_PX, colours.ink, HPos::Left)
            }
        }
    }
}

fn draw_dot<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    layout: &Layout,
    dot: &Dot,
    (x, y): (&impl Fn(f64) -> i32, &impl Fn(f64) -> i32),
    colours: Palette,
) -> Drawn<DB> {
    let (at, colour) = ((x(dot.x), y(dot.y)), colours.series(dot.series));
    let look = if dot.small { Whisker { width: 1, cap: 0 } } else { Whisker::FULL };
    if let Some((lo, hi)) = dot.x_interval {
        pen.whisker_across((x(lo), x(hi)), at.1, look, colour)?;
    }
    if let Some((lo, hi)) = dot.y_interval {
        pen.whisker_up((y(lo), y(hi)), at.0, look, colour)?;
    }
    if dot.small {
        let r = if dot.filled { 3 } else { 2 };
        pen.rect((at.0 - r, at.1 - r), (at.0 + r, at.1 + r), colour)?;
    } else {
        pen.marker(dot.series, at, colour, dot.filled, colours.background)?;
    }
    if dot.label.is_empty() {
        return Ok(());
    }
    // Beside the marker, on the side with room.
    let wide = text_width(&dot.label, SMALL_PX);
    let (place, side) =
        if at.0 + 12 + wide <= layout.right { (at.0 + 11, HPos::Left) } else { (at.0 - 11, HPos::Right) };
    pen.text(&dot.label, (place, at.1 - 11), SMALL_PX, colours.ink, side)
}

impl Plot for PlanePlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).bottom + 24 + LINE + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let layout = self.layout(canvas.width);
        let (pen, colours) = (Pen::new(area, canvas), canvas.palette);
        area.fill(&colours.background)?;
        let line_y = pen.heading(&self.title, &layout.subtitle, colours)?;
        draw_legend(&pen, &self.series, &layout.legend, line_y, colours)?;
        let steps = if canvas.width < NARROW { 4 } else { 8 };
        let span = |from: f64, end: f64, marks: usize| {
            let some = end > from && end.is_finite();
            Span::covering([from, if some { end } else { from + 1.0 }].into_iter(), marks)
        };
        let (across, up) = (span(self.x_from, self.x_end, steps), span(self.y_from, self.y_end, 5));
        // Bare axes end where the data end: no mark needs a round number.
        let x = |value: f64| {
            if self.bare_x && self.x_end > 0.0 {
                let share = (value / self.x_end).clamp(0.0, 1.0);
                layout.left + (share * f64::from(layout.right - layout.left)).round() as i32
            } else {
                across.place(value, layout.left, layout.right)
            }
        };
        let y = |value: f64| up.place(value, layout.bottom, layout.top);
        self.draw_axes(&pen, &layout, (across, up), (&x, &y), colours)?;
        for shape in &self.shapes {
            self.draw_shape(&pen, &layout, shape, (&x, &y), colours)?;
        }
        Ok(())
    }
}
