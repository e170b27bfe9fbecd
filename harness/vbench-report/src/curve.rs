//! WER over the parameter of a family of conditions, one line per model with whiskers, drawn by one function on any
//! plotters backend. Values ascend to the right, whichever end is the harder one.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use vbench_compare::Summary;
use vbench_core::Estimate;

use crate::family::{Family, families};
use crate::figures::{MAX_SERIES, point_of, subtitle_of};
use crate::format::{self, visible};
use crate::palette::Palette;
use crate::plot::{
    Area, Canvas, Drawn, LINE, MARGIN, NARROW, Pen, Plot, Point, SMALL_PX, Ticks, Whisker, draw_legend, legend_lines,
    text_width, wrap,
};

const VERTICAL_AXIS: &str = "WER (%), lower is better";
/// Room for the labels of the vertical axis.
const LABELS: i32 = 44;
/// From the frame to the first and the last level.
const PADDING: i32 = 26;
/// Distance between the whiskers of two models at one level.
const DODGE: i32 = 7;
/// At most this many levels are drawn.
const MAX_LEVELS: usize = 40;
/// At most this many curves are drawn, so that hostile input cannot ask for any number of bitmaps.
pub(crate) const MAX_FIGURES: usize = 12;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CurvePlot {
    /// File name of the figure without extension.
    pub name: String,
    /// Headline.
    pub title: String,
    subtitle: String,
    /// Text below the horizontal axis.
    axis: String,
    /// Every level once, ascending.
    levels: Vec<Level>,
    series: Vec<Series>,
    names: Vec<String>,
}

/// A place on the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
struct Level {
    value: f64,
    /// Below the axis, without the unit.
    label: String,
    /// In words, with the unit.
    text: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Series {
    /// Value of the parameter, ascending, and the WER in percent.
    points: Vec<(f64, Point)>,
}

/// Places of things, in layout units.
struct Layout {
    subtitle: Vec<String>,
    legend: Vec<Vec<usize>>,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

/// The figures of a summary, one for each of the first [`MAX_FIGURES`] families.
pub(crate) fn curve_plots(summary: &Summary) -> Vec<CurvePlot> {
    families(summary).iter().take(MAX_FIGURES).map(curve_plot).collect()
}

fn curve_plot(family: &Family<'_>) -> CurvePlot {
    let curves = &family.curves[..family.curves.len().min(MAX_SERIES)];
    let estimates: Vec<&Estimate> = curves.iter().flat_map(|c| c.points.iter().map(|p| &p.wer)).collect();
    let mut subtitle = subtitle_of(&estimates);
    let areas: Vec<String> = curves.iter().map(|c| point_of(&c.area, format::RATE).text).collect();
    let names = match (curves, areas.as_slice()) {
        ([one], [area]) => {
            subtitle.push_str(&format!(" Area under the curve: {area} %."));
            vec![visible(&one.model)]
        }
        _ => curves.iter().zip(&areas).map(|(c, area)| format!("{}: area {area} %", visible(&c.model))).collect(),
    };
    if family.curves.len() > MAX_SERIES {
        subtitle.push_str(&format!(" The first {MAX_SERIES} models; the others are in the table."));
    }
    let series: Vec<Series> = curves
        .iter()
        .map(|c| Series {
            points: c.points.iter().take(MAX_LEVELS).map(|p| (p.value, point_of(&p.wer, format::RATE))).collect(),
        })
        .collect();
    let mut values: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.0)).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let axis = &family.axis;
    let level = |value: f64| Level { value, label: axis.number(value), text: axis.value(value) };
    let levels = values.into_iter().map(level).collect();
    let (name, title) = (family.figure_name(), family.title());
    CurvePlot { name, title, subtitle, axis: axis.title(), levels, series, names }
}

impl CurvePlot {
    /// Every number in words.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{}. {VERTICAL_AXIS}.", self.subtitle.trim_end_matches('.'));
        for (series, name) in self.series.iter().zip(&self.names) {
            let model = if self.names.len() > 1 { format!(", {name}") } else { String::new() };
            for (value, point) in &series.points {
                let level = self.levels.iter().find(|l| l.value == *value).map_or("", |l| l.text.as_str());
                text.push_str(&format!(" {level}{model}: {}.", point.text));
            }
        }
        text
    }

    fn layout(&self, width: i32) -> Layout {
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(&self.subtitle, SMALL_PX, inner);
        let legend = legend_lines(&self.names, inner);
        // Headline, subtitle, legend, then the title of the vertical axis.
        let top = MARGIN + 26 + LINE * (subtitle.len() + legend.len()) as i32 + 12 + LINE;
        let height = if width < NARROW { 220 } else { 280 };
        Layout { subtitle, legend, left: MARGIN + LABELS, right: width - MARGIN - 6, top, bottom: top + height }
    }

    /// The largest value or interval end.
    fn extent(&self) -> f64 {
        let points = self.series.iter().flat_map(|s| &s.points).map(|(_, p)| p);
        points
            .flat_map(|p| [p.value, p.interval.map(|(_, hi)| hi)])
            .flatten()
            .filter(|v| v.is_finite())
            .fold(0.0, f64::max)
    }

    fn draw_axes<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        ticks: &Ticks,
        (x, y): (&impl Fn(f64) -> i32, &impl Fn(f64) -> i32),
        colours: Palette,
    ) -> Drawn<DB> {
        pen.text(VERTICAL_AXIS, (MARGIN, layout.top - LINE), SMALL_PX, colours.ink, HPos::Left)?;
        for value in ticks.values() {
            let at = y(value);
            let colour = if value == 0.0 { colours.muted } else { colours.grid };
            pen.line((layout.left, at), (layout.right, at), 1, colour)?;
            pen.text(&ticks.label(value), (layout.left - 8, at), SMALL_PX, colours.muted, HPos::Right)?;
        }
        let mut free_from = layout.left - PADDING;
        for Level { value, label, .. } in &self.levels {
            let at = x(*value);
            let half = text_width(label, SMALL_PX) / 2;
            pen.line((at, layout.bottom), (at, layout.bottom + 5), 1, colours.muted)?;
            if at - half > free_from {
                pen.text(label, (at, layout.bottom + 15), SMALL_PX, colours.muted, HPos::Center)?;
                free_from = at + half + 4;
            }
        }
        pen.axis_title(&self.axis, (layout.left, layout.right), layout.bottom, colours.ink)
    }
}

impl Plot for CurvePlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).bottom + 24 + LINE + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let layout = self.layout(canvas.width);
        let (pen, colours) = (Pen::new(area, canvas), canvas.palette);
        area.fill(&colours.background)?;
        let line_y = pen.heading(&self.title, &layout.subtitle, colours)?;
        draw_legend(&pen, &self.names, &layout.legend, line_y, colours)?;
        let ticks = Ticks::covering(self.extent(), 6);
        let (first, last) = (self.levels.first().map_or(0.0, |l| l.value), self.levels.last().map_or(1.0, |l| l.value));
        let (from, to) = (layout.left + PADDING, layout.right - PADDING);
        let x = |level: f64| from + (f64::from(to - from) * (level - first) / (last - first)).round() as i32;
        let y = |value: f64| ticks.place(value, layout.bottom, layout.top);
        self.draw_axes(&pen, &layout, &ticks, (&x, &y), colours)?;
        let middle = DODGE * (self.series.len() as i32 - 1) / 2;
        for (i, series) in self.series.iter().enumerate() {
            let (colour, aside) = (colours.series(i), DODGE * i as i32 - middle);
            let place = |(level, point): &(f64, Point)| Some((x(*level) + aside, y(point.value?)));
            for pair in series.points.windows(2) {
                if let (Some(a), Some(b)) = (place(&pair[0]), place(&pair[1])) {
                    pen.line(a, b, 2, colour)?;
                }
            }
            for (level, point) in &series.points {
                let at = x(*level) + aside;
                if let Some((lo, hi)) = point.interval {
                    pen.whisker_up((y(lo.max(0.0)), y(hi)), at, Whisker::FULL, colour)?;
                }
                if let Some(value) = point.value {
                    pen.marker(i, (at, y(value)), colour, point.interval.is_some(), colours.background)?;
                }
            }
        }
        Ok(())
    }
}
