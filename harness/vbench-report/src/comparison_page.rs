//! Two runs side by side: one page, the same as Markdown and JSON, and its figures.
//!
//! Times and provenance stand in the block that [`BLOCK_BEGIN`] opens, as on the page of a run.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;
use vbench_compare::explain::{Carrier, Split};
use vbench_compare::{Comparison, Finding, Moved, StratumComparison, StratumSummary, Summary, waterfall};
use vbench_core::GateMetric;

use crate::comparison::{
    NOTES, comparison_json, explained_head, hallucinated, left_out, split_grid, split_title, splits, styles, title,
};
use crate::difference_plot::{DifferencePlot, DifferenceRow};
use crate::error::ReportError;
use crate::figures::{self, Figure, MAX_ROWS, finish, point_of, themed};
use crate::format::{self, ABSENT, count, p_in_words, p_value, shortened, visible};
use crate::html::{self, BLOCK_BEGIN, BLOCK_END};
use crate::input::{AlignedToken, AudioClip};
use crate::json::estimate_json;
use crate::markdown::{MAX_CHARS, inline};
use crate::page::{Media, Page, PageKind};
use crate::palette::Palette;
use crate::strata::push_new;
use crate::view::{self, Fact, Number, Token};
use crate::waterfall::{WaterfallPlot, signed};

/// Schema of [`comparison_page_json`].
pub const COMPARISON_PAGE_SCHEMA: &str = "vbench/comparison/1";

/// Steps of a waterfall before the others are one step.
const STEPS: usize = 14;
/// Strata of one property in Markdown.
const MARKDOWN_STRATA: usize = 40;
/// Longest transcript in Markdown, in characters.
const MARKDOWN_TEXT: usize = 160;

/// What a comparison page is made of: values only, all computed elsewhere.
#[derive(Debug, Clone)]
pub struct ComparisonInput<'a> {
    /// Differences, intervals, tests.
    pub comparison: &'a Comparison,
    /// The baseline.
    pub a: ComparedSide<'a>,
    /// What is compared with it.
    pub b: ComparedSide<'a>,
    /// Utterances that moved, and what each adds.
    pub moved: &'a Moved,
    /// The first of [`Moved::broken`], to be looked at.
    pub broken: Vec<MovedCell>,
    /// The first of [`Moved::fixed`].
    pub fixed: Vec<MovedCell>,
    /// One sentence per condition in suite order: (name, description).
    pub conditions: Vec<(String, String)>,
}

/// One side.
#[derive(Debug, Clone)]
pub struct ComparedSide<'a> {
    /// Short name for headings: the model, or the run where both models have one name.
    pub name: String,
    /// Counts and estimates over the shared cells.
    pub summary: &'a Summary,
    /// Cells with a hypothesis, of this model.
    pub done: usize,
    /// Failed and skipped cells of this model.
    pub failed: usize,
    /// Planned cells of the whole run without any outcome.
    pub outstanding: usize,
    /// Facts that do not change between two runs with one seed: (name, value).
    pub identity: Vec<(String, String)>,
    /// Facts that do.
    pub provenance: Vec<(String, String)>,
}

/// An utterance that moved, in the condition where it moved most.
#[derive(Debug, Clone)]
pub struct MovedCell {
    /// Errors over all shared conditions, texts of the condition shown.
    pub carrier: Carrier,
    /// Errors of both sides in the condition shown.
    pub errors: (u64, u64),
    /// The reference against the first side's hypothesis.
    pub alignment_a: Vec<AlignedToken>,
    /// The reference against the second side's.
    pub alignment_b: Vec<AlignedToken>,
    /// What the first side heard.
    pub audio_a: Option<AudioClip>,
    /// What the second side heard; absent where it is the same audio.
    pub audio_b: Option<AudioClip>,
    /// Why a player is missing, where that is known.
    pub audio_note: Option<String>,
    /// Whether both heard the same bytes.
    pub same_audio: bool,
}

#[derive(Debug, Serialize)]
struct View {
    a: SideView,
    b: SideView,
    suite: String,
    normalizer: String,
    weights: String,
    seed: u64,
    shared: String,
    finding: &'static str,
    verdict: String,
    /// What was forced, in words.
    forced: Vec<String>,
    headlines: Vec<HeadlineView>,
    tables: Vec<TableView>,
    notes: Vec<String>,
    left_out: Vec<String>,
    left_out_total: String,
    explained: String,
    broken_total: String,
    fixed_total: String,
    broken: Vec<MovedView>,
    fixed: Vec<MovedView>,
    secondary: Vec<[String; 4]>,
    identity: Vec<PairedFact>,
    conditions: Vec<Fact>,
}

#[derive(Debug, Serialize)]
struct TimingsView {
    tables: Vec<TableView>,
    provenance: Vec<PairedFact>,
}

#[derive(Debug, Serialize)]
struct SideView {
    label: String,
    name: String,
    coverage: String,
    complete: bool,
}

#[derive(Debug, Serialize)]
struct HeadlineView {
    name: &'static str,
    a: Number,
    b: Number,
    difference: String,
    interval: Option<String>,
    reason: Option<String>,
    finding: &'static str,
    p: String,
    p_words: String,
}

#[derive(Debug, Serialize)]
struct TableView {
    id: String,
    title: String,
    unit: &'static str,
    rows: Vec<RowView>,
}

#[derive(Debug, Serialize)]
struct RowView {
    by: String,
    value: String,
    cells: String,
    a: String,
    b: String,
    difference: String,
    interval: Option<String>,
    reason: Option<String>,
    p: String,
    p_adjusted: String,
    improvement: String,
    detectable: String,
    finding: &'static str,
    unit: String,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct MovedView {
    rank: usize,
    utterance: String,
    speaker: String,
    condition: String,
    change: String,
    cells: usize,
    errors_a: u64,
    errors_b: u64,
    shown_a: u64,
    shown_b: u64,
    reference: String,
    sides: Vec<SideText>,
}

#[derive(Debug, Serialize)]
struct SideText {
    side: &'static str,
    errors: u64,
    hypothesis: String,
    alignment: Vec<Token>,
    tokens_left_out: Option<String>,
}

/// One fact of both sides.
#[derive(Debug, Serialize)]
struct PairedFact {
    name: String,
    a: String,
    b: String,
    same: bool,
}

/// The headline metric over all shared cells.
fn headline(c: &Comparison) -> Option<&StratumComparison> {
    c.strata.iter().find(|s| s.by == "all" && s.metric != GateMetric::Rtf)
}

/// What the comparison says, in one or two sentences.
pub(crate) fn verdict(c: &Comparison) -> (Finding, String) {
    let Some(all) = headline(c) else {
        return (Finding::Undecided, "No shared cell has a reference: there is nothing to compare.".into());
    };
    let (value, change) = styles(all.metric);
    let name = all.metric.name().to_uppercase();
    let units = format!("{} {}", count(all.clusters as u64), plural(all));
    let from_to = format!("from {} % to {} %", value.number(all.paired.a), value.number(all.paired.b));
    let interval = format::usable_interval(&all.paired.difference);
    let between = interval.map_or_else(
        |_| String::new(),
        |i| format!(" ({} interval {})", format::level(i.level), change.interval(i.lo, i.hi)),
    );
    let p = p_words(all);
    let size = format!("{} points{between}", change.number(all.paired.difference.value));
    let finding = all.finding();
    let text = match (finding, interval) {
        (Finding::Identical, _) => {
            format!(
                "Both make the same errors: {name} is {} % for both, and equal for every one of {units}.",
                value.number(all.paired.a)
            )
        }
        (Finding::Improved, _) => {
            format!("B is better: {name} goes {from_to}, {size}; {p} over {units}.")
        }
        (Finding::Regressed, _) => {
            format!("B is worse: {name} goes {from_to}, {size}; {p} over {units}.")
        }
        (Finding::Undecided, Err(reason)) => {
            format!("Cannot be decided: {name} goes {from_to}, {size}, and there is no interval: {}.", visible(reason))
        }
        (Finding::Undecided, Ok(_)) => {
            let detectable = all.paired.detectable.map_or_else(String::new, |d| {
                format!(
                    " A true difference of {} points would show four times out of five with these {units}.",
                    format::RATE.number(d)
                )
            });
            format!("No difference is shown: {name} goes {from_to}, {size}; {p} over {units}.{detectable}")
        }
    };
    (finding, text)
}

fn p_words(s: &StratumComparison) -> String {
    s.paired.test.as_ref().map_or_else(|_| "no test".to_owned(), |t| p_in_words(t.p_two_sided))
}

fn plural(s: &StratumComparison) -> String {
    format!("{}{}", s.unit, if s.clusters == 1 { "" } else { "s" })
}

fn all_of(summary: &Summary) -> Option<&StratumSummary> {
    summary.strata.iter().find(|s| s.by == "all")
}

fn headlines(input: &ComparisonInput<'_>) -> Vec<HeadlineView> {
    let all = |m: &GateMetric| input.comparison.strata.iter().find(|s| s.by == "all" && s.metric == *m);
    let accuracy = |m: &GateMetric| match m {
        GateMetric::Wer => Some("word error rate"),
        GateMetric::Cer => Some("character error rate"),
        _ => None,
    };
    let one = |metric: &GateMetric| {
        let (name, s) = (accuracy(metric)?, all(metric)?);
        let side = |side: &ComparedSide<'_>| {
            let of = all_of(side.summary)?;
            let estimate = if *metric == GateMetric::Wer { &of.wer } else { &of.cer };
            Some(view::number(estimate, format::RATE, of.note.as_deref(), None))
        };
        let row = row(s);
        Some(HeadlineView {
            name,
            a: side(&input.a)?,
            b: side(&input.b)?,
            difference: row.difference,
            interval: row.interval,
            reason: row.reason,
            finding: row.finding,
            p: row.p,
            p_words: p_words(s),
        })
    };
    input.comparison.head.metrics.iter().filter_map(one).collect()
}

fn row(s: &StratumComparison) -> RowView {
    let (value, change) = styles(s.metric);
    let p = &s.paired;
    let interval = format::usable_interval(&p.difference);
    RowView {
        by: visible(&s.by),
        value: if s.by == "all" { "all".into() } else { visible(&s.value) },
        cells: count(s.cells as u64),
        a: value.number(p.a),
        b: value.number(p.b),
        difference: change.number(p.difference.value),
        interval: interval.ok().map(|i| change.interval(i.lo, i.hi)),
        reason: interval.err().map(visible),
        p: p.test.as_ref().map_or_else(|_| ABSENT.into(), |t| p_value(t.p_two_sided)),
        p_adjusted: s.p_adjusted.map_or_else(|| ABSENT.into(), p_value),
        improvement: p.improvement.map_or_else(|| ABSENT.into(), |i| format!("{:.2}", i.half_ties)),
        detectable: p
            .detectable
            .map_or_else(|| ABSENT.into(), |d| format::NumberStyle { signed: false, ..change }.number(d)),
        finding: s.finding().name(),
        unit: format!("{} ({})", s.unit, count(s.clusters as u64)),
        note: s.note.as_deref().map(visible),
    }
}

fn tables(c: &Comparison, times: bool) -> Vec<TableView> {
    let metrics = c.head.metrics.iter().filter(|m| (**m == GateMetric::Rtf) == times);
    let table = |metric: &GateMetric| TableView {
        id: format!("strata-{}", metric.name()),
        title: title(*metric),
        unit: if times { "" } else { ", points" },
        rows: c.strata.iter().filter(|s| s.metric == *metric).map(row).collect(),
    };
    metrics.map(table).collect()
}

fn side_view(label: &str, side: &ComparedSide<'_>) -> SideView {
    let complete = side.failed == 0 && side.outstanding == 0;
    let mut coverage = format!("{} cells have a hypothesis", count(side.done as u64));
    if side.failed > 0 {
        coverage += &format!(", {} failed or were skipped", count(side.failed as u64));
    }
    if side.outstanding > 0 {
        coverage += &format!(
            ", {} planned cells of its run have no outcome: it was interrupted",
            count(side.outstanding as u64)
        );
    }
    SideView { label: visible(label), name: visible(&side.name), coverage, complete }
}

fn moved_view(cell: &MovedCell, rank: usize) -> MovedView {
    let c = &cell.carrier;
    let side = |side, errors, hypothesis: &str, alignment: &[AlignedToken]| {
        let (alignment, tokens_left_out) = view::tokens(alignment);
        SideText { side, errors, hypothesis: view::text(hypothesis), alignment, tokens_left_out }
    };
    MovedView {
        rank,
        utterance: view::text(&c.utterance),
        speaker: visible(&c.speaker),
        condition: visible(&c.condition),
        change: signed(c.change()),
        cells: c.cells,
        errors_a: c.errors_a,
        errors_b: c.errors_b,
        shown_a: cell.errors.0,
        shown_b: cell.errors.1,
        reference: view::text(&c.reference),
        sides: vec![
            side("A", cell.errors.0, &c.hypothesis_a, &cell.alignment_a),
            side("B", cell.errors.1, &c.hypothesis_b, &cell.alignment_b),
        ],
    }
}

/// Facts side by side: the n-th fact of a name beside the n-th of that name.
fn paired_facts(a: &[(String, String)], b: &[(String, String)]) -> Vec<PairedFact> {
    let numbered = |list: &[(String, String)]| -> Vec<((String, usize), String)> {
        let nth = |i: usize| list[..i].iter().filter(|(name, _)| *name == list[i].0).count();
        list.iter().enumerate().map(|(i, (name, value))| ((name.clone(), nth(i)), value.clone())).collect()
    };
    let (first, second) = (numbered(a), numbered(b));
    let mut keys: Vec<(String, usize)> = Vec::new();
    for (key, _) in first.iter().chain(&second) {
        push_new(&mut keys, key.clone());
    }
    let value = |list: &[((String, usize), String)], key: &(String, usize)| {
        list.iter().find(|(k, _)| k == key).map_or_else(|| "–".to_owned(), |(_, v)| view::text(v))
    };
    let fact = |key: &(String, usize)| {
        let (a, b) = (value(&first, key), value(&second, key));
        PairedFact { name: visible(&key.0), same: a == b, a, b }
    };
    keys.iter().map(fact).collect()
}

fn secondary(c: &Comparison) -> Vec<[String; 4]> {
    let tests = c.secondary.iter().flatten();
    tests
        .map(|t| match &t.result {
            Ok((name, value, p)) => [t.name.clone(), t.over.clone(), format!("{name} = {value:.3}"), p_value(*p)],
            Err(why) => [t.name.clone(), t.over.clone(), why.to_string(), ABSENT.into()],
        })
        .collect()
}

/// The sentence under a heading that says the same already.
fn explained(c: &Comparison) -> String {
    let text = explained_head(&c.explained);
    text.strip_prefix("Where the difference comes from: ").map_or(text.clone(), str::to_owned)
}

fn notes(c: &Comparison) -> Vec<String> {
    let mut notes = vec![NOTES.to_owned()];
    notes.push(
        "Improved and regressed: the sign-flip test finds a difference at the two-sided level 0.05, for the whole by its own \
         p, for strata by the adjusted one. It is no gate: `vbench gate` judges against a margin."
            .into(),
    );
    notes.extend(hallucinated(c));
    notes
}

fn view(input: &ComparisonInput<'_>) -> View {
    let c = input.comparison;
    let (finding, verdict) = verdict(c);
    let moved = |list: &[MovedCell]| list.iter().enumerate().map(|(i, m)| moved_view(m, i + 1)).collect();
    View {
        a: side_view(&c.head.a, &input.a),
        b: side_view(&c.head.b, &input.b),
        suite: visible(&c.head.suite),
        normalizer: visible(&c.head.normalizer),
        weights: visible(&c.head.weights),
        seed: c.head.seed,
        shared: count(c.shared as u64),
        finding: finding.name(),
        verdict,
        forced: c.head.forced.iter().map(|f| visible(f)).collect(),
        headlines: headlines(input),
        tables: tables(c, false),
        notes: notes(c),
        left_out: left_out(&c.left_out),
        left_out_total: count(c.left_out.total() as u64),
        explained: explained(c),
        broken_total: count(input.moved.broken.len() as u64),
        fixed_total: count(input.moved.fixed.len() as u64),
        broken: moved(&input.broken),
        fixed: moved(&input.fixed),
        secondary: secondary(c),
        identity: paired_facts(&input.a.identity, &input.b.identity),
        conditions: view::facts(&input.conditions),
    }
}

fn timings(input: &ComparisonInput<'_>) -> TimingsView {
    TimingsView {
        tables: tables(input.comparison, true),
        provenance: paired_facts(&input.a.provenance, &input.b.provenance),
    }
}

/// A drawing with its file name.
enum Drawing {
    Difference(String, DifferencePlot),
    Waterfall(String, WaterfallPlot),
}

impl Drawing {
    fn figure(&self, palette: Palette) -> Result<Figure, ReportError> {
        match self {
            Self::Difference(name, plot) => finish(plot, name, &plot.title, plot.describe(), palette),
            Self::Waterfall(name, plot) => finish(plot, name, &plot.title, plot.describe(), palette),
        }
    }

    fn inline(&self) -> Result<Value, ReportError> {
        Ok(match self {
            Self::Difference(name, plot) => {
                html::plot(&plot.title, &themed(plot, name, &plot.title, &plot.describe())?)
            }
            Self::Waterfall(name, plot) => html::plot(&plot.title, &themed(plot, name, &plot.title, &plot.describe())?),
        })
    }
}

/// Differences of one metric; of every property but the speaker, or of speakers alone.
fn difference_drawing(c: &Comparison, metric: GateMetric, speakers: bool) -> Option<Drawing> {
    let wanted = |s: &&StratumComparison| s.metric == metric && (s.by == "all" || (s.by == "speaker") == speakers);
    let shown: Vec<&StratumComparison> = c.strata.iter().filter(wanted).collect();
    if shown.len() < if speakers { 2 } else { 1 } {
        return None;
    }
    let (_, style) = styles(metric);
    let (mut rows, mut group) = (Vec::new(), String::from("all"));
    for s in shown.iter().take(MAX_ROWS) {
        if s.by != group {
            group.clone_from(&s.by);
            rows.push(DifferenceRow { label: format!("by {}", visible(&s.by)), point: None });
        }
        let label = if s.by == "all" { "all shared cells".into() } else { visible(&s.value) };
        rows.push(DifferenceRow { label, point: Some((point_of(&s.paired.difference, style), s.finding())) });
    }
    let estimates: Vec<_> = shown.iter().map(|s| &s.paired.difference).collect();
    let mut subtitle = figures::subtitle_of(&estimates);
    if shown.len() > MAX_ROWS {
        subtitle += &format!(" {} more are in the table.", shown.len() - MAX_ROWS);
    }
    let of = if speakers { "speaker" } else { "stratum" };
    let quantity = title(metric).replace(" %", "");
    let unit = if metric == GateMetric::Rtf { "" } else { " (percentage points)" };
    let plot = DifferencePlot {
        title: format!("Difference of {quantity} by {of}"),
        subtitle: subtitle
            .replace("Marker: ratio of sums.", "Marker: B less A over the shared cells.")
            .replace("Open marker: interval", "No whisker: interval"),
        axis: format!("{quantity} of B less A{unit}"),
        rows,
    };
    Some(Drawing::Difference(format!("{}-difference-by-{of}", metric.name()), plot))
}

fn waterfall_drawing(input: &ComparisonInput<'_>, split: &Split) -> Option<Drawing> {
    let e = &input.comparison.explained;
    let steps = waterfall(e, split, STEPS);
    let all = input.comparison.strata.iter().find(|s| s.by == "all" && s.metric == GateMetric::Wer)?;
    if steps.is_empty() {
        return None;
    }
    let plot = WaterfallPlot {
        title: format!("Where the difference comes from, by {}", split.by),
        subtitle:
            "Each bar is what one part adds to the difference of WER over all shared words, in points; the bars sum to \
                   it exactly. Right and orange: more errors; left and blue: fewer."
                .into(),
        ends: (all.paired.a, all.paired.b),
        steps,
    };
    Some(Drawing::Waterfall(format!("explained-by-{}", split.by.replace(' ', "-")), plot))
}

struct Drawings {
    differences: Vec<Drawing>,
    waterfalls: Vec<Drawing>,
    times: Vec<Drawing>,
}

fn drawings(input: &ComparisonInput<'_>) -> Drawings {
    let c = input.comparison;
    let accuracy = || c.head.metrics.iter().copied().filter(|m| *m != GateMetric::Rtf);
    let mut differences: Vec<Drawing> =
        accuracy().take(1).flat_map(|m| [false, true].map(|s| difference_drawing(c, m, s))).flatten().collect();
    differences.extend(accuracy().skip(1).filter_map(|m| difference_drawing(c, m, false)));
    let splits = splits(&c.explained).iter().chain([&input.moved.split]);
    Drawings {
        differences,
        waterfalls: splits.filter_map(|s| waterfall_drawing(input, s)).collect(),
        times: difference_drawing(c, GateMetric::Rtf, false).into_iter().collect(),
    }
}

/// PNG and SVG of every figure of the page.
///
/// # Errors
///
/// A broken build, never the data.
pub fn comparison_figures(input: &ComparisonInput<'_>, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    let d = drawings(input);
    d.differences.iter().chain(&d.waterfalls).chain(&d.times).map(|d| d.figure(palette)).collect()
}

/// The comparison as one HTML file.
///
/// # Errors
///
/// A broken build, never the data.
pub fn comparison_html(input: &ComparisonInput<'_>) -> Result<String, ReportError> {
    let drawn = drawings(input);
    let inline = |list: &[Drawing]| list.iter().map(Drawing::inline).collect::<Result<Vec<Value>, _>>();
    let players = |list: &[MovedCell]| list.iter().map(players).collect::<Vec<Value>>();
    let context = context! {
        comparison => Value::from(Serde(view(input))),
        timings => Value::from(Serde(timings(input))),
        differences => inline(&drawn.differences)?,
        waterfalls => inline(&drawn.waterfalls)?,
        time_figures => inline(&drawn.times)?,
        broken_audio => players(&input.broken),
        fixed_audio => players(&input.fixed),
        block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
        block_end => Value::from_safe_string(BLOCK_END.to_owned()),
    };
    let title = format!("{} against {}", visible(&input.b.name), visible(&input.a.name));
    let clips = input.broken.iter().chain(&input.fixed).flat_map(|m| [&m.audio_a, &m.audio_b]).flatten();
    let beside = clips.into_iter().any(|c| c.href.is_some());
    let media = if beside { Media::Folder } else { Media::Embedded };
    Page { kind: PageKind::Comparison, title, media, data: Vec::new(), context }.render()
}

/// One player where both heard the same bytes, else one for each.
fn players(cell: &MovedCell) -> Value {
    let note = cell.audio_note.as_deref();
    let labelled = |label: &str, clip: Option<&AudioClip>| context! { label => label, ..html::player(clip, note) };
    if cell.same_audio {
        let clip = cell.audio_a.as_ref().or(cell.audio_b.as_ref());
        Value::from(vec![labelled("What both models heard", clip)])
    } else {
        Value::from(vec![
            labelled("What A heard", cell.audio_a.as_ref()),
            labelled("What B heard", cell.audio_b.as_ref()),
        ])
    }
}

/// The comparison as JSON: [`comparison_json`], the verdict, both sides with intervals and every utterance that moved.
///
/// ```text
/// {"schema", "verdict": {"finding", "text"}, "sides": {"a": {"name", "done", "failed", "outstanding", "wer", "cer"},
///  "b": …}, "comparison": vbench/compare/1, "broken": [{"utterance", "speaker", "errors_a", "errors_b"}], "fixed": […]}
/// ```
#[must_use]
pub fn comparison_page_json(input: &ComparisonInput<'_>) -> serde_json::Value {
    let side = |s: &ComparedSide<'_>| {
        let mut out = json!({"name": s.name, "done": s.done, "failed": s.failed, "outstanding": s.outstanding});
        if let Some(all) = all_of(s.summary) {
            out["wer"] = estimate_json(&all.wer);
            out["cer"] = estimate_json(&all.cer);
        }
        out
    };
    let moved = |list: &[Carrier]| -> serde_json::Value {
        let one = |c: &Carrier| json!({"utterance": c.utterance, "speaker": c.speaker, "errors_a": c.errors_a, "errors_b": c.errors_b});
        list.iter().map(one).collect()
    };
    let (finding, text) = verdict(input.comparison);
    json!({
        "schema": COMPARISON_PAGE_SCHEMA,
        "verdict": {"finding": finding.name(), "text": text},
        "sides": {"a": side(&input.a), "b": side(&input.b)},
        "comparison": comparison_json(input.comparison),
        "broken": moved(&input.moved.broken),
        "fixed": moved(&input.moved.fixed),
    })
}

/// The comparison as Markdown for a pull-request comment, at most [`MAX_CHARS`] characters.
#[must_use]
pub fn comparison_page_markdown(input: &ComparisonInput<'_>) -> String {
    let v = view(input);
    let mut out = format!("# {} against {}\n\n**{}**\n", inline(&v.b.name), inline(&v.a.name), inline(&v.verdict));
    out += &format!(
        "\nA: {} ({})  \nB: {} ({})  \nsuite {}, normaliser {}, alignment weights {}, seed {}, {} shared cells\n",
        inline(&v.a.label),
        v.a.coverage,
        inline(&v.b.label),
        v.b.coverage,
        inline(&v.suite),
        v.normalizer,
        v.weights,
        v.seed,
        v.shared
    );
    for forced in &v.forced {
        out += &format!("\n> **Forced:** {}\n", inline(forced));
    }
    out += "\n| | A | B | B - A | p | |\n| --- | --- | --- | --- | ---: | --- |\n";
    for h in &v.headlines {
        let side = |n: &Number| format!("{} % {}", n.value, n.interval.as_deref().unwrap_or(""));
        let reason = || inline(h.reason.as_deref().unwrap_or(""));
        let interval = h.interval.clone().unwrap_or_else(reason);
        let (a, b) = (side(&h.a), side(&h.b));
        out += &format!("| {} | {a} | {b} | {} {interval} | {} | {} |\n", h.name, h.difference, h.p, h.finding);
    }
    for drawing in &drawings(input).differences {
        if let Drawing::Difference(name, plot) = drawing {
            out += &format!("\n![{}](figures/{name}.svg)\n", inline(&plot.title));
        }
    }
    out += &markdown_tables(&v.tables);
    out.push('\n');
    for line in v.notes.iter().chain(&v.left_out) {
        out += &format!("- {}\n", inline(line));
    }
    out += &markdown_explained(input, &v);
    let mut block = String::from("\n## Timings and provenance\n");
    let t = timings(input);
    block += &markdown_tables(&t.tables);
    block += "\n| | A | B |\n| --- | --- | --- |\n";
    for f in &t.provenance {
        let short = |s: &str| inline(&shortened(s, MARKDOWN_TEXT));
        block += &format!("| {} | {} | {} |\n", inline(&f.name), short(&f.a), short(&f.b));
    }
    let room = MAX_CHARS.saturating_sub(block.chars().count() + 300);
    if let Some((end, _)) = out.char_indices().nth(room) {
        out.truncate(end);
        out += "\n\n_The rest is cut; comparison.html has it._\n";
    }
    format!("{out}\n{BLOCK_BEGIN}\n{block}\n{BLOCK_END}\n")
}

fn markdown_tables(tables: &[TableView]) -> String {
    let mut out = String::new();
    for table in tables {
        out += &format!("\n## {}\n\n", table.title);
        out += "| stratum | cells | A | B | B - A | p | p adjusted | | unit |\n";
        out += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n";
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for r in &table.rows {
            match seen.iter_mut().find(|(by, _)| *by == r.by) {
                Some((_, n)) => *n += 1,
                None => seen.push((&r.by, 1)),
            }
            if seen.iter().any(|(by, n)| *by == r.by && *n > MARKDOWN_STRATA) {
                continue;
            }
            let name = if r.by == "all" { "all".into() } else { format!("{}={}", inline(&r.by), inline(&r.value)) };
            let between = r.interval.clone().unwrap_or_else(|| inline(r.reason.as_deref().unwrap_or("")));
            let numbers =
                format!("{} | {} | {} | {} {between} | {} | {}", r.cells, r.a, r.b, r.difference, r.p, r.p_adjusted);
            out += &format!("| {name} | {numbers} | {} | {} |\n", r.finding, r.unit);
        }
        for (by, n) in seen.iter().filter(|(_, n)| *n > MARKDOWN_STRATA) {
            out += &format!(
                "\n_{} more of {} are left out; comparison.html has them._\n",
                n - MARKDOWN_STRATA,
                inline(by)
            );
        }
    }
    out
}

fn markdown_explained(input: &ComparisonInput<'_>, v: &View) -> String {
    let mut out = format!("\n## Explained\n\n{}\n", inline(&v.explained));
    for split in splits(&input.comparison.explained) {
        out += &format!("\n### {}\n\n{}", inline(&split_title(split)), split_grid(split).markdown());
    }
    for (name, total, list) in [("Broken", &v.broken_total, &v.broken), ("Fixed", &v.fixed_total, &v.fixed)] {
        if list.is_empty() {
            continue;
        }
        out += &format!("\n## {name} utterances\n\n{} of {total}, the largest change first.\n\n", list.len());
        for m in list {
            let text = |t: &str| inline(&shortened(t, MARKDOWN_TEXT));
            out += &format!(
                "- {} errors ({} -> {}), {}, {}  \n  said {}  \n  A {}  \n  B {}\n",
                m.change,
                m.errors_a,
                m.errors_b,
                inline(&m.utterance),
                inline(&m.condition),
                text(&m.reference),
                text(&m.sides[0].hypothesis),
                text(&m.sides[1].hypothesis)
            );
        }
    }
    out
}
