//! Figures of a run: WER (and CER, where the suite puts it first) and real-time factor by condition, WER over the
//! parameter of every family of conditions.
//!
//! One drawing function makes every format: SVG for pages and papers, PNG for viewers that know no SVG, and an SVG
//! whose colours are CSS variables for the report page, which thereby follows the reader's light or dark preference.

use std::sync::OnceLock;

use plotters::prelude::*;
use rayon::prelude::*;
use vbench_compare::{StratumSummary, Summary};
use vbench_core::Estimate;

use crate::analysis::analysis_figures;
use crate::curve;
use crate::error::ReportError;
use crate::format::{self, NumberStyle, visible};
use crate::input::ReportInput;
use crate::palette::{self, Palette};
use crate::plot::{Canvas, DotPlot, FAMILY, Plot, Point, Row};
use crate::strata::{self, Group};

/// A figure in both formats, light colours.
#[derive(Debug, Clone)]
pub struct Figure {
    /// File name without extension, e.g. `wer-by-condition`.
    pub name: String,
    /// PNG, 1600 pixels wide, opaque.
    pub png: Vec<u8>,
    /// Stand-alone SVG, 800 units wide, with `<title>` and `<desc>`.
    pub svg: String,
    /// What the figure shows, in words with every number.
    pub description: String,
}

/// Layout width of stand-alone figures and of figures on wide pages.
const WIDE: i32 = 800;
/// Layout width of figures on phones.
const NARROW: i32 = 360;
/// PNG pixels per layout unit.
const PNG_SCALE: u32 = 2;
/// Each PNG pixel averages this many drawn pixels squared, which smooths what the bitmap backend does not.
const SUPERSAMPLING: u32 = 2;
/// Corrections of vertically centred text, in em, found by eye.
const SVG_TEXT_DROP: f64 = 0.08;
const BITMAP_TEXT_DROP: f64 = 0.2;
/// A figure has at most this many rows and models, so that hostile input cannot ask for a bitmap of any size.
pub(crate) const MAX_ROWS: usize = 60;
pub(crate) const MAX_SERIES: usize = 8;

/// What a figure plots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// Word error rate.
    Wer,
    /// Character error rate.
    Cer,
    /// Real-time factor.
    Rtf,
}

impl Metric {
    pub(crate) fn figure_name(self) -> &'static str {
        match self {
            Self::Wer => "wer-by-condition",
            Self::Cer => "cer-by-condition",
            Self::Rtf => "rtf-by-condition",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Wer => "Word error rate by condition",
            Self::Cer => "Character error rate by condition",
            Self::Rtf => "Real-time factor by condition",
        }
    }

    fn axis(self) -> &'static str {
        match self {
            Self::Wer => "WER (%), lower is better",
            Self::Cer => "CER (%), lower is better",
            Self::Rtf => "RTF (processing time / audio duration), lower is faster",
        }
    }

    fn style(self) -> NumberStyle {
        match self {
            Self::Wer | Self::Cer => format::RATE,
            Self::Rtf => format::FACTOR,
        }
    }

    fn estimate(self, stratum: &StratumSummary) -> Option<&Estimate> {
        match self {
            Self::Wer => Some(&stratum.wer),
            Self::Cer => Some(&stratum.cer),
            Self::Rtf => stratum.rtf.as_ref(),
        }
    }
}

/// The accuracy figures of a summary, the suite's first metric first.
pub(crate) fn accuracy_metrics(summary: &Summary) -> &'static [Metric] {
    if summary.primary == "cer" { &[Metric::Cer, Metric::Wer] } else { &[Metric::Wer] }
}

/// PNG and SVG of every figure in the light palette.
///
/// # Errors
///
/// [`ReportError::Font`], [`ReportError::Draw`] or [`ReportError::Png`]: the build's font or memory, never the data.
pub fn figures(input: &ReportInput<'_>) -> Result<Vec<Figure>, ReportError> {
    figures_in(input, palette::LIGHT)
}

/// PNG and SVG of every figure in a palette of [`crate::palette`].
///
/// # Errors
///
/// As [`figures`].
pub fn figures_in(input: &ReportInput<'_>, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    let metrics: Vec<Metric> = accuracy_metrics(input.summary).iter().copied().chain([Metric::Rtf]).collect();
    let dots = || {
        let drawn = |&metric: &Metric| {
            let plot = dot_plot(input.summary, metric);
            finish(&plot, metric.figure_name(), &plot.title, describe(&plot), palette)
        };
        metrics.par_iter().map(drawn).collect::<Result<Vec<_>, _>>()
    };
    let curves = || {
        let plots = curve::curve_plots(input.summary);
        let drawn = |plot: &curve::CurvePlot| finish(plot, &plot.name, &plot.title, plot.describe(), palette);
        plots.par_iter().map(drawn).collect::<Result<Vec<_>, _>>()
    };
    let analysed = || input.analysis.as_ref().map_or(Ok(Vec::new()), |a| analysis_figures(a.analysis, palette));
    let (dots, (curves, analysed)) = rayon::join(dots, || rayon::join(curves, analysed));
    Ok([dots?, curves?, analysed?].into_iter().flatten().collect())
}

/// PNG and SVG of one plot.
pub(crate) fn finish(
    plot: &impl Plot,
    name: &str,
    title: &str,
    description: String,
    palette: Palette,
) -> Result<Figure, ReportError> {
    let svg = draw_svg(plot, name, Canvas { width: WIDE, scale: 1, text_drop: SVG_TEXT_DROP, palette })?;
    let svg = with_text_alternative(&svg, name, title, &description);
    let png = draw_png(plot, name, palette, WIDE, PNG_SCALE)?;
    Ok(Figure { name: name.to_owned(), png, svg, description })
}

/// The same figure for the page, wide and narrow, colours as CSS variables.
///
/// # Errors
///
/// As [`figures`].
pub(crate) fn inline_svg(summary: &Summary, metric: Metric) -> Result<(String, String), ReportError> {
    let plot = dot_plot(summary, metric);
    themed(&plot, metric.figure_name(), &plot.title, &describe(&plot))
}

/// A figure of the page: its title, and the drawing wide and narrow.
pub(crate) struct InlineCurve {
    pub title: String,
    pub svgs: (String, String),
}

/// The figures of severity curves for the page.
///
/// # Errors
///
/// As [`figures`].
pub(crate) fn inline_curves(summary: &Summary) -> Result<Vec<InlineCurve>, ReportError> {
    let one = |plot: curve::CurvePlot| {
        let svgs = themed(&plot, &plot.name, &plot.title, &plot.describe())?;
        Ok(InlineCurve { title: plot.title, svgs })
    };
    curve::curve_plots(summary).into_iter().map(one).collect()
}

/// One plot, wide and narrow, colours as CSS variables.
pub(crate) fn themed(
    plot: &impl Plot,
    name: &str,
    title: &str,
    description: &str,
) -> Result<(String, String), ReportError> {
    let of_width = |width: i32, suffix: &str| {
        let svg = draw_svg(plot, name, Canvas { width, scale: 1, text_drop: SVG_TEXT_DROP, palette: palette::LIGHT })?;
        let svg = palette::LIGHT.variables().iter().fold(svg, |svg, (variable, colour)| {
            // Attribute values only: text has its quotes escaped, so no label can contain this.
            svg.replace(&format!("\"{}\"", palette::hex(*colour)), &format!("\"var({variable})\""))
        });
        Ok(with_text_alternative(&svg, &format!("{name}-{suffix}"), title, description))
    };
    Ok((of_width(WIDE, "wide")?, of_width(NARROW, "narrow")?))
}

/// Registers the embedded font once per process; without it text cannot be drawn.
pub(crate) fn register_fonts() -> Result<(), ReportError> {
    static REGISTERED: OnceLock<Option<&'static str>> = OnceLock::new();
    let refused = REGISTERED.get_or_init(|| {
        let faces = [
            ("DejaVu Sans", FontStyle::Normal, dejavu::sans::regular()),
            ("DejaVu Sans Bold", FontStyle::Bold, dejavu::sans::bold()),
        ];
        faces
            .into_iter()
            .find_map(|(face, style, bytes)| plotters::style::register_font(FAMILY, style, bytes).err().map(|_| face))
    });
    refused.map_or(Ok(()), |face| Err(ReportError::Font { face }))
}

/// Values by condition; falls back to the whole run when the suite declares no condition strata.
fn dot_plot(summary: &Summary, metric: Metric) -> DotPlot {
    let groups = strata::groups(summary);
    let group = groups.iter().find(|g| g.by == "condition").or_else(|| groups.first());
    let models: Vec<&str> = strata::models(summary).into_iter().take(MAX_SERIES).collect();
    let (rows, left_out) = group.map_or((Vec::new(), 0), |group| rows(group, &models, metric));
    let mut subtitle = subtitle(group, metric);
    if left_out > 0 {
        subtitle.push_str(&format!(" {left_out} more rows are in the table."));
    }
    if strata::models(summary).len() > MAX_SERIES {
        subtitle.push_str(&format!(" The first {MAX_SERIES} models; the others are in the table."));
    }
    DotPlot {
        title: metric.title().to_owned(),
        subtitle,
        axis: metric.axis().to_owned(),
        series: models.iter().map(|m| visible(m)).collect(),
        rows,
    }
}

fn rows(group: &Group<'_>, models: &[&str], metric: Metric) -> (Vec<Row>, usize) {
    let values = group.values();
    let rows = values.iter().take(MAX_ROWS).map(|value| {
        let label = if value.is_empty() { "all".to_owned() } else { visible(value) };
        let points = models.iter().map(|model| point(group.find(model, value), metric)).collect();
        Row { label, points }
    });
    (rows.collect(), values.len().saturating_sub(MAX_ROWS))
}

fn point(stratum: Option<&StratumSummary>, metric: Metric) -> Point {
    let Some(estimate) = stratum.and_then(|s| metric.estimate(s)) else {
        return Point { value: None, interval: None, text: "not measured".to_owned() };
    };
    point_of(estimate, metric.style())
}

/// An estimate in axis units, and in words.
pub(crate) fn point_of(estimate: &Estimate, style: NumberStyle) -> Point {
    let value = (estimate.value * style.scale).is_finite().then_some(estimate.value * style.scale);
    match format::usable_interval(estimate) {
        Ok(i) => Point {
            value,
            interval: Some((i.lo * style.scale, i.hi * style.scale)),
            text: format!("{} {}", style.number(estimate.value), style.interval(i.lo, i.hi)),
        },
        Err(_) if value.is_some() => {
            Point { value, interval: None, text: format!("{} (no interval)", style.number(estimate.value)) }
        }
        Err(_) => Point { value, interval: None, text: format!("{} (no value)", format::ABSENT) },
    }
}

/// What a dot and a whisker are, with level and resampling units.
fn subtitle(group: Option<&Group<'_>>, metric: Metric) -> String {
    let estimates: Vec<&Estimate> =
        group.map(|g| g.rows.iter().filter_map(|s| metric.estimate(s)).collect()).unwrap_or_default();
    subtitle_of(&estimates)
}

/// The same for any estimates.
pub(crate) fn subtitle_of(estimates: &[&Estimate]) -> String {
    let (mut levels, mut units) = (Vec::new(), Vec::new());
    for interval in estimates.iter().filter_map(|e| format::usable_interval(e).ok()) {
        strata::push_new(&mut levels, format::level(interval.level));
        strata::push_new(&mut units, interval.unit.to_string());
    }
    let missing = estimates.iter().any(|e| format::usable_interval(e).is_err());
    let mut text = if levels.is_empty() {
        "Markers are point estimates; no interval is estimable.".to_owned()
    } else {
        format!(
            "Marker: ratio of sums. Whisker: {} interval, resampling unit {}.",
            levels.join(" or "),
            units.join(" or ")
        )
    };
    if missing && !levels.is_empty() {
        text.push_str(" Open marker: interval not estimable.");
    }
    text
}

/// Every number of a figure in words.
fn describe(plot: &DotPlot) -> String {
    let mut text = format!("{}. {}.", plot.subtitle.trim_end_matches('.'), plot.axis);
    for row in &plot.rows {
        for (i, point) in row.points.iter().enumerate() {
            let model = if plot.series.len() > 1 { format!(", {}", plot.series[i]) } else { String::new() };
            text.push_str(&format!(" {}{model}: {}.", row.label, point.text));
        }
    }
    text
}

fn draw_svg(plot: &impl Plot, name: &str, canvas: Canvas) -> Result<String, ReportError> {
    register_fonts()?;
    let mut svg = String::new();
    let size = (canvas.width.unsigned_abs(), plot.height(canvas.width).unsigned_abs());
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        plot.draw(&area, canvas).and_then(|()| area.present())
    };
    drawn.map_err(|e| ReportError::Draw { figure: name.to_owned(), format: "SVG", message: e.to_string() })?;
    Ok(svg)
}

pub(crate) fn draw_png(
    plot: &impl Plot,
    name: &str,
    palette: Palette,
    width: i32,
    png_scale: u32,
) -> Result<Vec<u8>, ReportError> {
    register_fonts()?;
    let failed = |message: String| ReportError::Draw { figure: name.to_owned(), format: "PNG", message };
    let scale = png_scale * SUPERSAMPLING;
    let layout = width;
    let (width, height) = (layout.unsigned_abs() * scale, plot.height(layout).unsigned_abs() * scale);
    let mut drawn = vec![0u8; width as usize * height as usize * 3];
    {
        let backend: BitMapBackend<'_> =
            BitMapBackend::with_buffer_and_format(&mut drawn, (width, height)).map_err(|e| failed(e.to_string()))?;
        let area = backend.into_drawing_area();
        let canvas = Canvas { width: layout, scale: scale as i32, text_drop: BITMAP_TEXT_DROP, palette };
        plot.draw(&area, canvas).and_then(|()| area.present()).map_err(|e| failed(e.to_string()))?;
    }
    let (width, height) = (width / SUPERSAMPLING, height / SUPERSAMPLING);
    let pixels = averaged(&drawn, width as usize, height as usize);
    encode_png(&pixels, width, height).map_err(|source| ReportError::Png {
        figure: name.to_owned(),
        width,
        height,
        source,
    })
}

/// Box average of `SUPERSAMPLING` x `SUPERSAMPLING` RGB pixels; `width` and `height` are those of the result.
fn averaged(drawn: &[u8], width: usize, height: usize) -> Vec<u8> {
    let n = SUPERSAMPLING as usize;
    let stride = width * n * 3;
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0u32;
                for dy in 0..n {
                    for dx in 0..n {
                        sum += u32::from(drawn[(y * n + dy) * stride + (x * n + dx) * 3 + channel]);
                    }
                }
                // The average of bytes is a byte.
                out.push((sum / (SUPERSAMPLING * SUPERSAMPLING)) as u8);
            }
        }
    }
    out
}

/// PNG of four-bit indices into a palette of at most 16 RGB colours; rows begin at a byte.
pub(crate) fn encode_indexed_png(
    pixels: &[u8],
    palette: Vec<u8>,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(palette);
    encoder.set_filter(png::FilterType::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn encode_png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours repeat exactly: filters, made for photographs, would hide that.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.set_compression(png::Compression::Default);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Adds role, title and description to an SVG of the plotters backend; `id` makes their ids unique in a page.
fn with_text_alternative(svg: &str, id: &str, title: &str, description: &str) -> String {
    let Some((open, rest)) = svg.split_once('>') else {
        return svg.to_owned();
    };
    format!(
        "{open} role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{}</title>\n\
         <desc id=\"{id}-desc\">{}</desc>{rest}",
        escape_xml(title),
        escape_xml(description),
    )
}

/// Escapes the five characters that mean something in XML text and attributes.
fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
