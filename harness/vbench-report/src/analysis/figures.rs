//! The figures of an analysis: layouts of numbers that are computed elsewhere.

use vbench_compare::analysis::{
    Analysis, ErrorMix, ModelErrors, ModelTimes, NormalizerBand, PhonemeTable, QUANTILES, Rate, Speakers, TradeOff,
    Waterfall,
};

use super::plane::{Dot, PlanePlot, Shape};
use super::rows::{BarRow, Look, RowPlot};
use super::words::{self, TimeScale};
use crate::difference_plot::DifferencePlot;
use crate::figures::MAX_SERIES;
use crate::format::{self, visible};
use crate::heat::{ConfusionMatrix, HeatMap, MAX_LABELS};
use crate::plot::{Area, Canvas, Drawn, NARROW, Plot};

/// At most this many models have figures of their own of a kind.
const MAX_MODELS: usize = 4;
/// At most this many rows, so that hostile input cannot ask for a bitmap of any size.
const MAX_ROWS: usize = 60;
/// At most this many speakers are drawn.
const MAX_SPEAKERS: usize = 400;
/// Labels of a heat map on a phone.
const NARROW_LABELS: usize = 20;
/// Up to this many speakers have large markers with ends on their whiskers.
const LARGE_SPEAKERS: usize = 60;

/// A figure that is not drawn yet.
pub(crate) struct Sketch {
    /// File name without extension.
    pub name: String,
    pub title: String,
    pub description: String,
    plot: Drawing,
}

enum Drawing {
    Rows(RowPlot),
    Plane(PlanePlot),
    /// Wide, then narrow with fewer labels: cells keep a size that can be read.
    Heat(Box<[HeatMap; 2]>),
    Difference(DifferencePlot),
}

/// The map for a width.
fn fitting(maps: &[HeatMap; 2], width: i32) -> &HeatMap {
    &maps[usize::from(width < NARROW)]
}

impl Sketch {
    /// Bars of one width from zero on; `finding` is the subtitle, and every number in words.
    pub(crate) fn histogram(
        name: &str,
        title: &str,
        (subtitle, words): (String, String),
        axis: &str,
        width: f64,
        counts: &[u64],
    ) -> Self {
        let bar = |(i, n): (usize, &u64)| {
            let (from, to) = (width * i as f64, width * (i + 1) as f64);
            Shape::Bar { from, to, height: *n as f64, series: 0 }
        };
        let plot = PlanePlot {
            title: title.to_owned(),
            subtitle,
            words,
            x_axis: axis.to_owned(),
            y_axis: "utterances".to_owned(),
            x_end: width * counts.len() as f64,
            y_end: counts.iter().max().copied().unwrap_or(0) as f64,
            shapes: counts.iter().enumerate().map(bar).collect(),
            ..PlanePlot::default()
        };
        of_plane(name, title.to_owned(), plot)
    }
}

impl Plot for Sketch {
    fn height(&self, width: i32) -> i32 {
        match &self.plot {
            Drawing::Rows(plot) => plot.height(width),
            Drawing::Plane(plot) => plot.height(width),
            Drawing::Heat(maps) => fitting(maps, width).height(width),
            Drawing::Difference(plot) => plot.height(width),
        }
    }

    fn draw<DB: plotters::prelude::DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        match &self.plot {
            Drawing::Rows(plot) => plot.draw(area, canvas),
            Drawing::Plane(plot) => plot.draw(area, canvas),
            Drawing::Heat(maps) => fitting(maps, canvas.width).draw(area, canvas),
            Drawing::Difference(plot) => plot.draw(area, canvas),
        }
    }
}

pub(crate) fn of_rows(name: impl Into<String>, title: String, plot: RowPlot) -> Sketch {
    let description = plot.describe();
    Sketch { name: name.into(), title, description, plot: Drawing::Rows(plot) }
}

pub(crate) fn of_plane(name: impl Into<String>, title: String, plot: PlanePlot) -> Sketch {
    let description = plot.describe();
    Sketch { name: name.into(), title, description, plot: Drawing::Plane(plot) }
}

pub(crate) fn of_differences(name: impl Into<String>, plot: DifferencePlot) -> Sketch {
    let description = plot.describe();
    Sketch { name: name.into(), title: plot.title.clone(), description, plot: Drawing::Difference(plot) }
}

/// `name`, `name-2`, …: model names are not file names.
fn numbered(name: &str, i: usize) -> String {
    if i == 0 { name.to_owned() } else { format!("{name}-{}", i + 1) }
}

/// The title of a model's figure for those who do not see it; the drawn one must fit on a phone.
fn title_of(title: &str, model: &str, several: bool) -> String {
    if several { format!("{title}: {}", visible(model)) } else { title.to_owned() }
}

/// A subtitle that begins with the model where there are several.
fn of_model(subtitle: &str, model: &str, several: bool) -> String {
    if several { format!("Model {}. {subtitle}", visible(model)) } else { subtitle.to_owned() }
}

fn rate_axis(rate: Rate) -> String {
    format!("{} (%), lower is better", rate.metric().to_uppercase())
}

/// Every figure, in the order of the page.
pub(crate) fn sketches(analysis: &Analysis) -> Vec<Sketch> {
    let mut all = Vec::new();
    all.extend(mix(analysis));
    all.extend(bands(analysis));
    all.extend(speakers(analysis));
    all.extend(phonemes(analysis));
    all.extend(percentiles(analysis));
    all.extend(histograms(analysis));
    all.extend(distribution(analysis));
    all.extend(trade_off(analysis));
    all.extend(waterfalls(analysis));
    all
}

/// Label of a row: the condition, with the model where there are several.
fn row_label(value: &str, model: &str, several: bool) -> String {
    let value = if value.is_empty() { "all".to_owned() } else { visible(value) };
    if several { format!("{value}, {}", visible(model)) } else { value }
}

/// Strata of all models, one condition's models next to each other.
fn interleaved<'a, T>(
    models: &'a [ModelErrors],
    of: impl Fn(&'a ModelErrors) -> &'a [T],
    value: impl Fn(&'a T) -> &'a str,
) -> Vec<(&'a str, &'a T)> {
    let mut values: Vec<&str> = Vec::new();
    for item in models.iter().flat_map(&of) {
        if !values.contains(&value(item)) {
            values.push(value(item));
        }
    }
    let of_value = |wanted: &'a str| {
        let find = |m: &'a ModelErrors| Some((m.model.as_str(), of(m).iter().find(|item| value(item) == wanted)?));
        models.iter().take(MAX_SERIES).filter_map(find).collect::<Vec<_>>()
    };
    let mut rows: Vec<(&str, &T)> = values.into_iter().flat_map(of_value).collect();
    rows.truncate(MAX_ROWS);
    rows
}

/// Which errors: substituted, deleted, inserted.
pub(crate) fn mix(analysis: &Analysis) -> Option<Sketch> {
    let several = analysis.errors.len() > 1;
    let rows = interleaved(&analysis.errors, |m| &m.mix, |x: &ErrorMix| &x.value);
    if rows.is_empty() {
        return None;
    }
    let number = |v: f64| format::RATE.number(v);
    let bar = |(model, mix): &(&str, &ErrorMix)| {
        let label = row_label(&mix.value, model, several);
        let Some(s) = mix.shares else {
            return BarRow { label, text: "no reference words".to_owned(), ..BarRow::default() };
        };
        let ends = [0.0, s.sub, s.sub + s.del, s.total()].map(|v| v * 100.0);
        let bars = (0..3).map(|i| (ends[i], ends[i + 1], i)).collect();
        let parts = [s.sub, s.del, s.ins].map(number).join(" + ");
        BarRow { label, bars, text: format!("{} = {parts}", number(s.total())), ..BarRow::default() }
    };
    let legend = ["substituted", "deleted", "inserted"];
    let plot = RowPlot {
        title: format!("{} in its three parts", analysis.rate.metric().to_uppercase()),
        subtitle: format!(
            "{} The numbers are the whole = substituted + deleted + inserted, each in % of the reference {}.",
            words::mix_finding(analysis),
            words::tokens(analysis.rate),
        ),
        axis: rate_axis(analysis.rate),
        legend: legend.iter().enumerate().map(|(i, name)| ((*name).to_owned(), Look::Bar(i))).collect(),
        rows: rows.iter().map(bar).collect(),
    };
    Some(of_rows("errors-by-condition", plot.title.clone(), plot))
}

/// The rate under every normaliser.
pub(crate) fn bands(analysis: &Analysis) -> Option<Sketch> {
    let several = analysis.errors.len() > 1;
    let rows = interleaved(&analysis.errors, |m| &m.bands, |x: &NormalizerBand| &x.value);
    let names = rows.first().map(|(_, band)| &band.rows)?;
    let legend = names.iter().enumerate().map(|(i, row)| {
        let used = if row.used { ", used in this report" } else { "" };
        (format!("{}{used}", visible(&row.normalizer)), Look::Marker(i))
    });
    let percent = |v: f64| v * 100.0;
    let bar = |(model, band): &(&str, &NormalizerBand)| {
        let marker = |(i, row): (usize, &vbench_compare::analysis::BandRow)| {
            row.rate.value.is_finite().then(|| (percent(row.rate.value), i, row.used))
        };
        BarRow {
            label: row_label(&band.value, model, several),
            band: band.range.map(|(lo, hi)| (percent(lo), percent(hi))),
            markers: band.rows.iter().enumerate().filter_map(marker).collect(),
            text: words::range(band),
            ..BarRow::default()
        }
    };
    let plot = RowPlot {
        title: format!("{} under every normaliser", analysis.rate.metric().to_uppercase()),
        subtitle: format!(
            "{} Grey: from the lowest to the highest. Filled marker: the normaliser used in this report.",
            words::band_finding(analysis)
        ),
        axis: rate_axis(analysis.rate),
        legend: legend.collect(),
        rows: rows.iter().map(bar).collect(),
    };
    Some(of_rows("normalizer-band", plot.title.clone(), plot))
}

/// Every speaker, the best on the left.
pub(crate) fn speakers(analysis: &Analysis) -> Vec<Sketch> {
    let several = analysis.errors.len() > 1;
    let drawn = analysis.errors.iter().filter(|m| m.speakers.rows.len() > 1).take(MAX_MODELS);
    let sketch = |(i, m): (usize, &ModelErrors)| {
        let plot = speaker_plot(analysis, m, several);
        of_plane(numbered("error-by-speaker", i), title_of(&plot.title, &m.model, several), plot)
    };
    drawn.enumerate().map(sketch).collect()
}

fn speaker_plot(analysis: &Analysis, m: &ModelErrors, several: bool) -> PlanePlot {
    let Speakers { rows, worst, .. } = &m.speakers;
    // Worst first in the analysis: what is left out here is the best.
    let shown = &rows[..rows.len().min(MAX_SPEAKERS)];
    let small = shown.len() > LARGE_SPEAKERS;
    let dot = |(i, row): (usize, &vbench_compare::analysis::SpeakerRow)| {
        let interval = format::usable_interval(&row.rate).ok();
        Shape::Point(Dot {
            x: (shown.len() - i) as f64 - 0.5,
            y: row.rate.value * 100.0,
            y_interval: interval.map(|e| (e.lo.max(0.0) * 100.0, e.hi * 100.0)),
            series: usize::from(row.worst),
            filled: interval.is_some(),
            small,
            ..Dot::default()
        })
    };
    let mut shapes: Vec<Shape> = shown.iter().enumerate().map(dot).rev().collect();
    let all = m.mix.first().and_then(|all| all.shares).map(|s| s.total());
    let mut marks = String::from("One marker a speaker, the best on the left.");
    if let Ok(tenth) = worst {
        let height = tenth.rate.value * 100.0;
        shapes.push(Shape::Level { height, text: words::worst_tenth_short(tenth), series: 1 });
        marks.push_str(" Squares in orange: the worst tenth.");
    } else if let Some(all) = all {
        let text = format!("all speakers together: {} %", format::RATE.number(all));
        shapes.push(Shape::Level { height: all * 100.0, text, series: 0 });
    }
    let top = shown.iter().flat_map(|r| [Some(r.rate.value), r.rate.ends().map(|e| e.1)]).flatten();
    let levels = words::levels(&mut shown.iter().map(|r| &r.rate));
    PlanePlot {
        title: format!("{} of every speaker", analysis.rate.metric().to_uppercase()),
        subtitle: of_model(&format!("{} {marks}{levels}", words::speaker_finding(m)), &m.model, several),
        words: words::speaker_list(m),
        x_axis: format!("{} speakers, from lowest to highest error rate", format::count(shown.len() as u64)),
        y_axis: rate_axis(analysis.rate),
        x_end: shown.len() as f64,
        y_end: top.filter(|v| v.is_finite()).fold(0.0, f64::max) * 100.0,
        bare_x: true,
        shapes,
        ..PlanePlot::default()
    }
}

/// Which sound was taken for which.
pub(crate) fn phonemes(analysis: &Analysis) -> Vec<Sketch> {
    let several = analysis.errors.len() > 1;
    let tables = analysis.errors.iter().filter_map(|m| Some((m, m.phonemes.as_ref().ok()?)));
    let sketch = |(i, (m, table)): (usize, (&ModelErrors, &PhonemeTable))| {
        let matrix = ConfusionMatrix {
            title: "Which sound was taken for which".to_owned(),
            subtitle: of_model(&words::phoneme_finding(table), &m.model, several),
            labels: table.labels.clone(),
            counts: table.counts.clone(),
        };
        let maps = [MAX_LABELS, NARROW_LABELS].map(|limit| HeatMap::new(&matrix, limit));
        let title = title_of(&matrix.title, &m.model, several);
        let name = numbered("phoneme-confusion", i);
        Sketch { name, title, description: maps[0].describe(), plot: Drawing::Heat(Box::new(maps)) }
    };
    tables.filter(|(_, t)| t.total.errors() > 0).take(MAX_MODELS).enumerate().map(sketch).collect()
}

/// Percentiles with their intervals, model by model.
pub(crate) fn percentiles(analysis: &Analysis) -> Option<Sketch> {
    let scale = TimeScale::of(analysis)?;
    let several = analysis.times.len() > 1;
    let row = |model: &ModelTimes, i: usize, p: &vbench_compare::analysis::Percentile| {
        let (lo, hi) = words::ends(&p.time_s);
        let label = format!("p{}", words::percent_of(p.q));
        BarRow {
            label: if several { format!("{label}, {}", visible(&model.model)) } else { label },
            whisker: (hi.is_some() && lo.is_some())
                .then(|| (scale.of_s(lo.unwrap_or(0.0)), scale.of_s(hi.unwrap_or(0.0)))),
            markers: vec![(scale.of_s(p.time_s.value), i, hi.is_some() && lo.is_some())],
            text: words::percentile(p),
            ..BarRow::default()
        }
    };
    let models = || analysis.times.iter().take(MAX_SERIES).enumerate();
    let rows =
        (0..QUANTILES.len()).flat_map(|q| models().filter_map(move |(i, m)| Some(row(m, i, m.percentiles.get(q)?))));
    let plot = RowPlot {
        title: "Time per utterance: percentiles".to_owned(),
        subtitle: format!(
            "{} Whisker: 95 % order-statistic interval, the times taken as independent. Open marker: too few utterances for one.",
            words::time_finding(analysis)
        ),
        axis: format!("time per utterance ({}), lower is faster", scale.unit()),
        rows: rows.take(MAX_ROWS).collect(),
        ..RowPlot::default()
    };
    Some(of_rows("latency-percentiles", plot.title.clone(), plot))
}

/// How many utterances took how long.
pub(crate) fn histograms(analysis: &Analysis) -> Vec<Sketch> {
    let Some(scale) = TimeScale::of(analysis) else { return Vec::new() };
    let several = analysis.times.len() > 1;
    let largest = analysis.times.iter().flat_map(|t| &t.histogram.counts).max().copied().unwrap_or(0);
    let sketch = |(i, t): (usize, &ModelTimes)| {
        let h = &t.histogram;
        let bar = |(bin, count): (usize, &u64)| Shape::Bar {
            from: scale.of_s(h.bin_s * bin as f64),
            to: scale.of_s(h.bin_s * (bin + 1) as f64),
            height: *count as f64,
            series: i,
        };
        let plot = PlanePlot {
            title: "How many took how long".to_owned(),
            subtitle: of_model(&words::histogram_finding(t), &t.model, several),
            words: words::histogram_list(t),
            x_axis: format!("time per utterance ({})", scale.unit()),
            y_axis: "cells".to_owned(),
            x_end: scale.of_s(h.bin_s * h.counts.len() as f64),
            y_end: largest as f64,
            shapes: h.counts.iter().enumerate().map(bar).collect(),
            ..PlanePlot::default()
        };
        of_plane(numbered("latency-histogram", i), title_of(&plot.title, &t.model, several), plot)
    };
    analysis.times.iter().take(MAX_MODELS).enumerate().map(sketch).collect()
}

/// Which share was done by when.
pub(crate) fn distribution(analysis: &Analysis) -> Option<Sketch> {
    let scale = TimeScale::of(analysis)?;
    let models = &analysis.times[..analysis.times.len().min(MAX_SERIES)];
    let end = models.iter().map(|t| t.histogram.bin_s * t.histogram.counts.len() as f64).fold(0.0, f64::max);
    let line = |(i, t): (usize, &ModelTimes)| {
        let mut points = vec![(scale.of_s(t.range_s.0), 0.0)];
        for (seconds, share) in t.cdf.iter().filter(|p| p.0 <= end) {
            // A step: nothing happens between two times.
            let before = points.last().map_or(0.0, |p| p.1);
            points.extend([(scale.of_s(*seconds), before), (scale.of_s(*seconds), share * 100.0)]);
        }
        let last = points.last().map_or(0.0, |p| p.1);
        points.push((scale.of_s(end), last));
        Shape::Line { points, series: i }
    };
    let mut subtitle = words::time_finding(analysis);
    if models.iter().any(|t| t.cdf.last().is_some_and(|p| p.0 > end)) {
        subtitle += " A line that ends below 100 % goes on beyond the axis.";
    }
    let plot = PlanePlot {
        title: "Which share was done by when".to_owned(),
        subtitle,
        words: words::distribution_list(models),
        x_axis: format!("time per utterance ({})", scale.unit()),
        y_axis: "share of cells (%)".to_owned(),
        x_end: scale.of_s(end),
        y_end: 100.0,
        series: models.iter().map(|t| visible(&t.model)).collect(),
        shapes: models.iter().enumerate().map(line).collect(),
        ..PlanePlot::default()
    };
    Some(of_plane("latency-cdf", plot.title.clone(), plot))
}

/// Error rate against time, where there are models to choose from.
pub(crate) fn trade_off(analysis: &Analysis) -> Option<Sketch> {
    let scale = TimeScale::of(analysis)?;
    if analysis.trade_offs.len() < 2 {
        return None;
    }
    let shown = &analysis.trade_offs[..analysis.trade_offs.len().min(MAX_SERIES)];
    let dot = |(i, t): (usize, &TradeOff)| {
        let interval = format::usable_interval(&t.rate).ok();
        let x_interval = match words::ends(&t.median_s) {
            (Some(lo), Some(hi)) => Some((scale.of_s(lo), scale.of_s(hi))),
            _ => None,
        };
        let front = if t.dominated_by.is_empty() { "" } else { " (dominated)" };
        Shape::Point(Dot {
            x: scale.of_s(t.median_s.value),
            y: t.rate.value * 100.0,
            x_interval,
            y_interval: interval.map(|e| (e.lo.max(0.0) * 100.0, e.hi * 100.0)),
            series: i,
            filled: t.dominated_by.is_empty(),
            label: format!("{}{front}", visible(&t.model)),
            ..Dot::default()
        })
    };
    let mut front: Vec<(f64, f64)> = shown
        .iter()
        .filter(|t| t.dominated_by.is_empty())
        .map(|t| (scale.of_s(t.median_s.value), t.rate.value * 100.0))
        .collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for point in front {
        // Between two models there is none: the front goes right, then down.
        if let Some(last) = steps.last().copied() {
            steps.push((point.0, last.1));
        }
        steps.push(point);
    }
    let mut shapes = vec![Shape::Line { points: steps, series: 4 }];
    shapes.extend(shown.iter().enumerate().map(dot));
    let x_end = |t: &TradeOff| scale.of_s(words::ends(&t.median_s).1.unwrap_or(t.median_s.value));
    let y_end = |t: &TradeOff| t.rate.ends().map_or(t.rate.value, |e| e.1.max(t.rate.value)) * 100.0;
    let plot = PlanePlot {
        title: "Accuracy against time".to_owned(),
        subtitle: format!(
            "{} The lower left corner is best. Line: the models that no other one beats. Open marker: one that another beats.",
            words::trade_off_finding(analysis)
        ),
        words: words::trade_off_list(analysis),
        x_axis: format!("median time per utterance ({}), lower is faster", scale.unit()),
        y_axis: rate_axis(analysis.rate),
        x_end: shown.iter().map(x_end).fold(0.0, f64::max),
        y_end: shown.iter().map(y_end).filter(|v| v.is_finite()).fold(0.0, f64::max),
        shapes,
        ..PlanePlot::default()
    };
    Some(of_plane("accuracy-latency", plot.title.clone(), plot))
}

/// Mean time by stage, each beginning where the one before ended.
pub(crate) fn waterfalls(analysis: &Analysis) -> Vec<Sketch> {
    let several = analysis.times.len() > 1;
    let drawn = analysis.times.iter().filter(|t| !t.waterfall.stages.is_empty()).take(MAX_MODELS);
    let sketch = |(i, t): (usize, &ModelTimes)| {
        let plot = waterfall_plot(&t.waterfall, of_model(&words::waterfall_finding(&t.waterfall), &t.model, several));
        of_rows(numbered("stage-waterfall", i), title_of(&plot.title, &t.model, several), plot)
    };
    drawn.enumerate().map(sketch).collect()
}

fn waterfall_plot(waterfall: &Waterfall, subtitle: String) -> RowPlot {
    let scale = TimeScale::covering(waterfall.total_s);
    let mut owners: Vec<&str> = Vec::new();
    for stage in &waterfall.stages {
        if !owners.contains(&stage.owner.as_str()) {
            owners.push(&stage.owner);
        }
    }
    let colour = |owner: &str| owners.iter().position(|o| *o == owner).unwrap_or(0);
    let names = |name: &str| waterfall.stages.iter().filter(|s| s.name == name).count();
    let mut rows: Vec<BarRow> = waterfall
        .stages
        .iter()
        .map(|s| BarRow {
            label: if names(&s.name) > 1 {
                format!("{} ({})", visible(&s.name), visible(&s.owner))
            } else {
                visible(&s.name)
            },
            bars: vec![(scale.of_s(s.from_s), scale.of_s(s.from_s + s.mean.value), colour(&s.owner))],
            text: words::stage(s),
            ..BarRow::default()
        })
        .collect();
    rows.push(BarRow {
        label: "sum".to_owned(),
        band: Some((0.0, scale.of_s(waterfall.total_s))),
        text: words::duration(waterfall.total_s),
        ..BarRow::default()
    });
    let owner = |(i, o): (usize, &&str)| {
        let name = if o.is_empty() { "nobody's (waiting)".to_owned() } else { format!("time of the {}", visible(o)) };
        (name, Look::Bar(i))
    };
    RowPlot {
        title: "Mean time by stage".to_owned(),
        subtitle,
        axis: format!("mean time since the utterance was taken up ({})", scale.unit()),
        legend: owners.iter().enumerate().map(owner).collect(),
        rows,
    }
}
