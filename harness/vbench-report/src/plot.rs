//! A dot-and-whisker plot with one row per category, drawn by one function on any plotters backend.
//!
//! Rows are horizontal, so twelve long names stay readable; the axis starts at zero; an estimate without an interval
//! is an open marker without whiskers, and the row says so.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::palette::Palette;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DotPlot {
    /// Headline.
    pub title: String,
    /// One line below it: what a dot and a whisker are.
    pub subtitle: String,
    /// Quantity and unit of the horizontal axis.
    pub axis: String,
    /// Model names; a legend is drawn when there is more than one.
    pub series: Vec<String>,
    /// Top to bottom.
    pub rows: Vec<Row>,
}

/// One category.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Category name.
    pub label: String,
    /// One point per series, in series order.
    pub points: Vec<Point>,
}

/// One estimate in axis units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// The value; absent when there is none.
    pub value: Option<f64>,
    /// Both ends of the interval; absent when not estimable.
    pub interval: Option<(f64, f64)>,
    /// The same in words, written beside the whisker.
    pub text: String,
}

/// Canvas of one rendering.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Canvas {
    /// Width in layout units (CSS pixels in the SVG).
    pub width: i32,
    /// Device pixels per layout unit.
    pub scale: i32,
    /// How much lower than its anchor a vertically centred text must be put, in em: the backends disagree on what the
    /// centre of a line is.
    pub text_drop: f64,
    /// Colours.
    pub palette: Palette,
}

/// Font family; registered with the drawing library and a generic name that every SVG viewer knows.
pub(crate) const FAMILY: &str = "sans-serif";
/// The SVG backend divides sizes by this factor.
const SIZE_TO_EM: f64 = 1.24;
pub(crate) const TITLE_PX: f64 = 17.0;
pub(crate) const TEXT_PX: f64 = 13.0;
pub(crate) const SMALL_PX: f64 = 12.0;
pub(crate) const MARGIN: i32 = 14;
pub(crate) const LINE: i32 = 19;
/// Below this width the values stand over the whiskers instead of in a column of their own.
pub(crate) const NARROW: i32 = 520;
/// From the label of a narrow row down to its first whisker; the values stand between.
const NARROW_LANE_MIDDLE: i32 = 26;

pub(crate) type Area<DB> = DrawingArea<DB, Shift>;
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// What can be drawn on any backend.
pub(crate) trait Plot {
    /// Height in layout units for a width.
    fn height(&self, width: i32) -> i32;

    /// Draws the whole figure.
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB>;
}

impl Plot for DotPlot {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        self.draw_all(area, canvas)
    }
}

/// Places of things, in layout units.
struct Layout {
    narrow: bool,
    subtitle: Vec<String>,
    legend: Vec<Vec<usize>>,
    plot_left: i32,
    plot_right: i32,
    plot_top: i32,
    row_height: i32,
    lane: i32,
    plot_bottom: i32,
    height: i32,
}

impl Layout {
    /// Where grid lines run from top to bottom: through, or on narrow figures behind the whiskers only, so that they
    /// do not cross the words between them.
    fn grid_stretches(&self, rows: usize, lanes: usize) -> Vec<(i32, i32)> {
        if !self.narrow {
            return vec![(self.plot_top, self.plot_bottom + 5)];
        }
        (0..rows as i32)
            .flat_map(|row| (0..lanes as i32).map(move |lane| (row, lane)))
            .map(|(row, lane)| {
                let y = self.plot_top + self.row_height * row + LINE + NARROW_LANE_MIDDLE + self.lane * lane;
                (y - 8, y + 9)
            })
            .chain([(self.plot_bottom, self.plot_bottom + 5)])
            .collect()
    }
}

impl DotPlot {
    fn layout(&self, width: i32) -> Layout {
        let narrow = width < NARROW;
        let inner = width - 2 * MARGIN;
        let subtitle = wrap(&self.subtitle, SMALL_PX, inner);
        let legend = legend_lines(&self.series, inner);
        let label_limit = if narrow { inner } else { inner * 3 / 10 };
        let label_width = self.rows.iter().map(|r| text_width(&r.label, TEXT_PX)).max().unwrap_or(0).min(label_limit);
        let value_width =
            self.rows.iter().flat_map(|r| &r.points).map(|p| text_width(&p.text, SMALL_PX)).max().unwrap_or(0);
        let plot_top = MARGIN + 26 + LINE * (subtitle.len() + legend.len()) as i32 + 12;
        let lanes = self.series.len().max(1) as i32;
        // A narrow row has its label, then per model a text line and a whisker line.
        let (lane, row_height) = if narrow { (34, LINE + 34 * lanes + 6) } else { (20, (20 * lanes + 8).max(30)) };
        let plot_bottom = plot_top + row_height * self.rows.len().max(1) as i32;
        let (plot_left, plot_right) = if narrow {
            (MARGIN + 4, width - MARGIN - 10)
        } else {
            let value_width = value_width.min(inner * 35 / 100);
            (MARGIN + label_width + 14, width - MARGIN - value_width - 16)
        };
        let height = plot_bottom + 24 + LINE + MARGIN;
        Layout { narrow, subtitle, legend, plot_left, plot_right, plot_top, row_height, lane, plot_bottom, height }
    }

    /// The largest value or interval end.
    fn extent(&self) -> f64 {
        self.rows
            .iter()
            .flat_map(|r| &r.points)
            .flat_map(|p| [p.value, p.interval.map(|(_, hi)| hi)])
            .flatten()
            .filter(|v| v.is_finite())
            .fold(0.0, f64::max)
    }

    /// Draws the whole figure.
    fn draw_all<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let layout = self.layout(canvas.width);
        let pen = Pen::new(area, canvas);
        let colours = canvas.palette;
        area.fill(&colours.background)?;
        let y = pen.heading(&self.title, &layout.subtitle, colours)?;
        draw_legend(&pen, &self.series, &layout.legend, y, colours)?;
        if self.rows.is_empty() {
            let middle = (layout.plot_top + layout.plot_bottom) / 2;
            return pen.text("Nothing was measured.", (MARGIN, middle), TEXT_PX, colours.ink, HPos::Left);
        }
        let steps = if layout.narrow { 4 } else { 6 };
        let ticks = Ticks::covering(self.extent(), steps);
        let x = |value: f64| ticks.place(value, layout.plot_left, layout.plot_right);
        for (i, _) in self.rows.iter().enumerate().filter(|(i, _)| i % 2 == 0) {
            let top = layout.plot_top + layout.row_height * i as i32;
            pen.rect((MARGIN / 2, top), (canvas.width - MARGIN / 2, top + layout.row_height), colours.band)?;
        }
        self.draw_axis(&pen, &layout, &ticks, &x, colours)?;
        for (i, row) in self.rows.iter().enumerate() {
            draw_row(&pen, &layout, row, layout.plot_top + layout.row_height * i as i32, canvas, &x)?;
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
            let at = x(value);
            for (from, to) in layout.grid_stretches(self.rows.len(), self.series.len()) {
                pen.line((at, from), (at, to), 1, if value == 0.0 { colours.muted } else { colours.grid })?;
            }
            pen.text(&ticks.label(value), (at, layout.plot_bottom + 15), SMALL_PX, colours.muted, HPos::Center)?;
        }
        pen.axis_title(&self.axis, (layout.plot_left, layout.plot_right), layout.plot_bottom, colours.ink)
    }
}

/// Series indices per legend line; empty for one series.
pub(crate) fn legend_lines(series: &[String], width: i32) -> Vec<Vec<usize>> {
    let mut lines: Vec<Vec<usize>> = Vec::new();
    if series.len() < 2 {
        return lines;
    }
    let mut used = 0;
    for (i, name) in series.iter().enumerate() {
        let need = legend_width(name);
        match lines.last_mut() {
            Some(line) if used + need <= width => {
                line.push(i);
                used += need;
            }
            _ => {
                lines.push(vec![i]);
                used = need;
            }
        }
    }
    lines
}

pub(crate) fn draw_legend<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    series: &[String],
    lines: &[Vec<usize>],
    top: i32,
    colours: Palette,
) -> Drawn<DB> {
    let mut y = top + 2;
    for line in lines {
        let mut x = MARGIN;
        for &i in line {
            pen.line((x, y), (x + 22, y), 2, colours.series(i))?;
            pen.marker(i, (x + 11, y), colours.series(i), true, colours.background)?;
            pen.text(&series[i], (x + 28, y), SMALL_PX, colours.ink, HPos::Left)?;
            x += legend_width(&series[i]);
        }
        y += LINE;
    }
    Ok(())
}

fn draw_row<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    layout: &Layout,
    row: &Row,
    top: i32,
    canvas: Canvas,
    x: &impl Fn(f64) -> i32,
) -> Drawn<DB> {
    let colours = canvas.palette;
    let lanes_height = layout.lane * row.points.len().max(1) as i32;
    let first = if layout.narrow {
        let label = fitted(&row.label, TEXT_PX, layout.plot_right - MARGIN);
        pen.bold(&label, MARGIN, top + LINE / 2 + 3, TEXT_PX, colours.ink)?;
        top + LINE + NARROW_LANE_MIDDLE
    } else {
        let label = fitted(&row.label, TEXT_PX, layout.plot_left - MARGIN - 14);
        pen.text(&label, (layout.plot_left - 12, top + layout.row_height / 2), TEXT_PX, colours.ink, HPos::Right)?;
        top + (layout.row_height - lanes_height) / 2 + layout.lane / 2
    };
    for (i, point) in row.points.iter().enumerate() {
        let y = first + layout.lane * i as i32;
        let colour = colours.series(i);
        if let Some((lo, hi)) = point.interval {
            pen.whisker_across((x(lo.max(0.0)), x(hi)), y, Whisker::FULL, colour)?;
        }
        if let Some(value) = point.value {
            pen.marker(i, (x(value), y), colour, point.interval.is_some(), colours.background)?;
        }
        let (at, limit) = if layout.narrow {
            ((MARGIN, y - 15), canvas.width - 2 * MARGIN)
        } else {
            ((layout.plot_right + 16, y), canvas.width - MARGIN - layout.plot_right - 16)
        };
        pen.text(&fitted(&point.text, SMALL_PX, limit), at, SMALL_PX, colours.ink, HPos::Left)?;
    }
    Ok(())
}

/// How thick a whisker is, and half the length of its caps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whisker {
    pub width: i32,
    pub cap: i32,
}

impl Whisker {
    /// Where there is room.
    pub(crate) const FULL: Self = Self { width: 2, cap: 5 };
}

/// Drawing in layout units.
pub(crate) struct Pen<'a, DB: DrawingBackend> {
    area: &'a Area<DB>,
    scale: i32,
    text_drop: f64,
}

impl<'a, DB: DrawingBackend> Pen<'a, DB> {
    pub(crate) fn new(area: &'a Area<DB>, canvas: Canvas) -> Self {
        Self { area, scale: canvas.scale, text_drop: canvas.text_drop }
    }

    /// Width of the figure in layout units.
    fn width(&self) -> i32 {
        self.area.dim_in_pixel().0 as i32 / self.scale.max(1)
    }

    fn at(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (x * self.scale, y * self.scale)
    }

    pub(crate) fn line(&self, from: (i32, i32), to: (i32, i32), width: i32, colour: RGBColor) -> Drawn<DB> {
        let style = colour.stroke_width((width * self.scale).unsigned_abs());
        self.area.draw(&PathElement::new(vec![self.at(from), self.at(to)], style))
    }

    pub(crate) fn rect(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn<DB> {
        self.area.draw(&Rectangle::new([self.at(from), self.at(to)], colour.filled()))
    }

    /// A rectangle through which what is behind shows: `share` of its own colour, 0 to 1.
    pub(crate) fn tint(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor, share: f64) -> Drawn<DB> {
        self.area.draw(&Rectangle::new([self.at(from), self.at(to)], colour.mix(share).filled()))
    }

    pub(crate) fn text(&self, text: &str, at: (i32, i32), px: f64, colour: RGBColor, side: HPos) -> Drawn<DB> {
        self.styled(text, at, px, colour, side, FontStyle::Normal)
    }

    /// Title and subtitle; where the next line stands.
    pub(crate) fn heading(
        &self,
        title: &str,
        subtitle: &[String],
        colours: Palette,
    ) -> Result<i32, DrawingAreaErrorKind<DB::ErrorType>> {
        let lines = title_lines(title, self.width() - 2 * MARGIN);
        let (px, line) = if lines.len() > 1 { (SMALL_PX, 15) } else { (title_px(title, self.width() - 2 * MARGIN), 0) };
        for (i, text) in lines.iter().enumerate() {
            let drop = if lines.len() > 1 { 3 + line * i as i32 } else { 10 };
            self.bold(text, MARGIN, MARGIN + drop, px, colours.ink)?;
        }
        let mut y = MARGIN + 10 + 24;
        for line in subtitle {
            self.text(line, (MARGIN, y), SMALL_PX, colours.muted, HPos::Left)?;
            y += LINE;
        }
        Ok(y)
    }

    pub(crate) fn bold(&self, text: &str, x: i32, y: i32, px: f64, colour: RGBColor) -> Drawn<DB> {
        self.styled(text, (x, y), px, colour, HPos::Left, FontStyle::Bold)
    }

    fn styled(
        &self,
        text: &str,
        at: (i32, i32),
        px: f64,
        colour: RGBColor,
        side: HPos,
        weight: FontStyle,
    ) -> Drawn<DB> {
        // `FontDesc::style` would keep the glyphs of the regular face; only the constructor looks the face up.
        let font = FontDesc::from((FAMILY, px * SIZE_TO_EM * f64::from(self.scale), weight));
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(side, VPos::Center));
        let (x, y) = self.at(at);
        let drop = (px * self.text_drop * f64::from(self.scale)).round() as i32;
        self.area.draw_text(text, &style, (x, y + drop))
    }

    /// A whisker with caps from `lo` to `hi` across the figure at height `at`.
    pub(crate) fn whisker_across(&self, ends: (i32, i32), at: i32, look: Whisker, colour: RGBColor) -> Drawn<DB> {
        self.whisker(ends, look, colour, |along, aside| (along, at + aside))
    }

    /// The same up the figure at `at` from the left.
    pub(crate) fn whisker_up(&self, ends: (i32, i32), at: i32, look: Whisker, colour: RGBColor) -> Drawn<DB> {
        self.whisker(ends, look, colour, |along, aside| (at + aside, along))
    }

    fn whisker(
        &self,
        (lo, hi): (i32, i32),
        Whisker { width, cap }: Whisker,
        colour: RGBColor,
        place: impl Fn(i32, i32) -> (i32, i32),
    ) -> Drawn<DB> {
        self.line(place(lo, 0), place(hi, 0), width, colour)?;
        let mut caps = [lo, hi].into_iter().filter(|_| cap > 0);
        caps.try_for_each(|end| self.line(place(end, -cap), place(end, cap), width, colour))
    }

    /// The title of the horizontal axis, below its labels.
    pub(crate) fn axis_title(&self, text: &str, (left, right): (i32, i32), bottom: i32, ink: RGBColor) -> Drawn<DB> {
        self.text(text, ((left + right) / 2, bottom + 24 + LINE / 2 + 2), SMALL_PX, ink, HPos::Center)
    }

    /// The marker of a series: shape and colour both tell it. Open (background inside) when there is no interval.
    pub(crate) fn marker(
        &self,
        series: usize,
        at: (i32, i32),
        colour: RGBColor,
        filled: bool,
        inside: RGBColor,
    ) -> Drawn<DB> {
        self.shape(series, at, 6, colour)?;
        if filled { Ok(()) } else { self.shape(series, at, 4, inside) }
    }

    /// A triangle that points along (1, 0), (-1, 0), (0, 1) or (0, -1): down is positive.
    pub(crate) fn arrow(&self, (dx, dy): (i32, i32), at: (i32, i32), radius: i32, colour: RGBColor) -> Drawn<DB> {
        let ((x, y), r) = (self.at(at), radius * self.scale);
        let corner = |along: i32, across: i32| (x + dx * along + dy * across, y + dy * along + dx * across);
        self.area.draw(&Polygon::new(vec![corner(r, 0), corner(-r, r), corner(-r, -r)], colour.filled()))
    }

    fn shape(&self, series: usize, at: (i32, i32), radius: i32, colour: RGBColor) -> Drawn<DB> {
        let (x, y) = self.at(at);
        let r = radius * self.scale;
        let polygon = |points: &[(i32, i32)]| {
            let points = points.iter().map(|(dx, dy)| (x + dx, y + dy)).collect::<Vec<_>>();
            self.area.draw(&Polygon::new(points, colour.filled()))
        };
        match series % 4 {
            0 => self.area.draw(&Circle::new((x, y), r, colour.filled())),
            1 => polygon(&[(-r, -r), (r, -r), (r, r), (-r, r)].map(|(a, b)| (a * 5 / 6, b * 5 / 6))),
            2 => polygon(&[(0, -r), (r, r * 5 / 6), (-r, r * 5 / 6)]),
            _ => polygon(&[(0, -r), (r, 0), (0, r), (-r, 0)].map(|(a, b)| (a * 7 / 6, b * 7 / 6))),
        }
    }
}

/// Axis marks at round numbers from zero to at least the largest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ticks {
    step: f64,
    count: usize,
    /// The last mark.
    pub(crate) max: f64,
    decimals: usize,
}

impl Ticks {
    /// About `wanted` marks that cover `extent`; 0 to 1 when there is nothing above zero.
    pub(crate) fn covering(extent: f64, wanted: usize) -> Self {
        let extent = if extent.is_finite() && extent > 0.0 { extent } else { 1.0 };
        let raw = extent / wanted as f64;
        let magnitude = raw.log10().floor();
        let base = 10f64.powf(magnitude);
        // (multiple, digits after the point that the multiple itself needs)
        let (multiple, extra) = [(1.0, 0), (2.0, 0), (2.5, 1), (5.0, 0), (10.0, 0)]
            .into_iter()
            .find(|(m, _)| raw <= m * base * (1.0 + 1e-9))
            .unwrap_or((10.0, 0));
        let step = multiple * base;
        let count = (extent / step - 1e-9).ceil().max(1.0) as usize;
        // `decimals` is bounded: an extent near the smallest double would ask for hundreds of digits.
        let decimals = (extra - magnitude as i32).clamp(0, 12) as usize;
        Self { step, count, max: step * count as f64, decimals }
    }

    /// From one mark to the next.
    pub(crate) const fn step(self) -> f64 {
        self.step
    }

    /// A value's place between `from`, where zero is, and `to`, held to them.
    pub(crate) fn place(self, value: f64, from: i32, to: i32) -> i32 {
        from + ((value / self.max).clamp(0.0, 1.0) * f64::from(to - from)).round() as i32
    }

    pub(crate) fn values(self) -> impl Iterator<Item = f64> {
        (0..=self.count).map(move |i| self.step * i as f64)
    }

    pub(crate) fn label(self, value: f64) -> String {
        let text = format!("{value:.*}", self.decimals);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

pub(crate) fn legend_width(name: &str) -> i32 {
    28 + text_width(name, SMALL_PX) + 22
}

/// Bold letters are wider than those that [`text_width`] measures by no more than this.
const BOLD: f64 = 1.18;

fn bold_width(text: &str, px: f64) -> i32 {
    (f64::from(text_width(text, px)) * BOLD).ceil() as i32
}

/// The size at which a title stands in one line: smaller where it would not fit.
fn title_px(title: &str, width: i32) -> f64 {
    [TITLE_PX, 15.5, 14.0].into_iter().find(|px| bold_width(title, *px) <= width).unwrap_or(TEXT_PX)
}

/// A title in one line, or in two small ones, which take the same room; what does not fit there ends in `…`.
fn title_lines(title: &str, width: i32) -> Vec<String> {
    if bold_width(title, TEXT_PX) <= width {
        return vec![title.to_owned()];
    }
    let inner = (f64::from(width) / BOLD) as i32;
    let mut lines = wrap(title, SMALL_PX, inner);
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(" ");
        lines.push(rest);
    }
    lines.iter().map(|line| fitted(line, SMALL_PX, inner)).collect()
}

/// Width of a text in layout units as DejaVu Sans sets it; other sans-serif faces are narrower.
pub(crate) fn text_width(text: &str, px: f64) -> i32 {
    let font = (FAMILY, px * SIZE_TO_EM).into_font();
    // Only an unregistered font gives an error, and drawing reports that; here a guess is enough.
    font.box_size(text).map_or_else(|_| (text.chars().count() as f64 * px * 0.7) as i32, |(w, _)| w as i32)
}

/// The text if it fits, else its beginning and an ellipsis.
pub(crate) fn fitted(text: &str, px: f64, width: i32) -> String {
    if text_width(text, px) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&format!("{kept}…"), px) > width {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// A name if it fits, else its two ends: names of one kind often begin alike.
pub(crate) fn fitted_name(name: &str, px: f64, width: i32) -> String {
    if text_width(name, px) <= width {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let cut = |kept: usize| -> String {
        let head = chars[..kept.div_ceil(2)].iter();
        head.chain(&['…']).chain(&chars[chars.len() - kept / 2..]).collect()
    };
    (0..chars.len()).rev().map(cut).find(|text| text_width(text, px) <= width).unwrap_or_else(|| "…".to_owned())
}

/// Breaks a text at spaces into lines of at most `width`.
pub(crate) fn wrap(text: &str, px: f64, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), px) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_start_at_zero_and_end_at_a_round_number_above_the_data() {
        for extent in [0.0, 1e-300, 0.003, 0.0421, 0.9, 1.0, 7.3, 10.0, 99.9, 150.0, 1e9] {
            let ticks = Ticks::covering(extent, 6);
            let values: Vec<f64> = ticks.values().collect();
            assert_eq!(values[0], 0.0, "{extent}");
            assert!(ticks.max >= extent * (1.0 - 1e-6), "{extent}: {ticks:?}");
            assert!((2..=8).contains(&values.len()), "{extent}: {values:?}");
            if extent > 1e-6 {
                let labels: std::collections::BTreeSet<String> = values.iter().map(|v| ticks.label(*v)).collect();
                assert_eq!(labels.len(), values.len(), "{extent}: {labels:?}");
            }
        }
        let ticks = Ticks::covering(0.0421, 6);
        assert_eq!(
            ticks.values().map(|v| ticks.label(v)).collect::<Vec<_>>(),
            ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]
        );
    }

    #[test]
    fn titles_are_never_cut_by_the_edge() {
        crate::figures::register_fonts().expect("the embedded font is valid");
        for title in
            ["WER", "Character error rate by condition", "Character error rate over time, noise-babble-far-5db"]
        {
            let lines = title_lines(title, 332);
            let px = if lines.len() > 1 { SMALL_PX } else { title_px(title, 332) };
            assert_eq!(lines.join(" "), title, "nothing is left out");
            assert!(lines.len() <= 2 && lines.iter().all(|l| bold_width(l, px) <= 334), "{lines:?} at {px}");
        }
        assert!(title_lines(&"long words ".repeat(20), 332).iter().all(|l| bold_width(l, SMALL_PX) <= 334));
        assert_eq!(title_px("WER", 332), TITLE_PX);
    }

    #[test]
    fn texts_wrap_and_shorten_to_the_width() {
        crate::figures::register_fonts().expect("the embedded font is valid");
        let lines = wrap("one two three four five six seven", TEXT_PX, 90);
        assert!(lines.len() > 1 && lines.iter().all(|l| text_width(l, TEXT_PX) <= 90), "{lines:?}");
        let cut = fitted(&"wide ".repeat(40), TEXT_PX, 100);
        assert!(cut.ends_with('…') && text_width(&cut, TEXT_PX) <= 100, "{cut}");
        assert_eq!(fitted("clean", TEXT_PX, 100), "clean");
    }
}
