//! Two runs side by side: one page, the same as Markdown and JSON, and its figures.
//!
//! Times and provenance stand in the block that [`BLOCK_BEGIN`] opens, as on the page of a run.

mod markdown;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;
use vbench_compare::explain::{Carrier, Split};
use vbench_compare::{Comparison, Finding, Moved, StratumComparison, StratumSummary, Summary, waterfall};
use vbench_core::GateMetric;

use crate::analysis::{self, SoundPicture, analysis_json};
use crate::cells;
use crate::comparison::{
    NOTES, cells_in_words, comparison_json, explained_head, hallucinated, left_out, moved_by, over_conditions, rules,
    splits, styles, title,
};
use crate::difference_plot::{DifferencePlot, DifferenceRow};
use crate::error::ReportError;
use crate::figures::{self, Figure, MAX_ROWS, Metric, finish, point_of, themed};
use crate::format::{self, ABSENT, count, p_in_words, p_value, visible};
use crate::html::{self, BLOCK_BEGIN, BLOCK_END};
use crate::input::{AlignedToken, AudioClip, ReportInput};
use crate::json::estimate_json;
use crate::page::{Media, Page, PageKind};
use crate::palette::Palette;
use crate::strata::{keep_largest, push_new};
use crate::view::{self, Fact, Number, TABLE_ROWS, Token};
use crate::waterfall::{WaterfallPlot, signed};

pub use markdown::comparison_page_markdown;

/// Schema of [`comparison_page_json`].
pub const COMPARISON_PAGE_SCHEMA: &str = "vbench/comparison/1";

/// Steps of a waterfall before the others are one step.
const STEPS: usize = 14;
/// Utterances listed behind the fold of those that moved; the list of every utterance has all.
const LISTED: usize = 200;

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
    /// The shared cells as one run of two models, `A: …` and `B: …`: what the page of a run shows, side by side.
    pub together: ReportInput<'a>,
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
    /// The first sound as a picture.
    pub picture_a: Option<SoundPicture>,
    /// The second.
    pub picture_b: Option<SoundPicture>,
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
    /// The first [`LISTED`] of each, and how many more there are.
    all_broken: Vec<ListedView>,
    all_fixed: Vec<ListedView>,
    secondary: Vec<[String; 4]>,
    identity: Vec<PairedFact>,
    conditions: Vec<Fact>,
}

/// An utterance that moved, in a line.
#[derive(Debug, Serialize)]
struct ListedView {
    utterance: String,
    speaker: String,
    change: String,
    errors: String,
}

#[derive(Debug, Serialize)]
struct TimingsView {
    /// Why times are not judged.
    not_judged: Option<String>,
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
    /// Strata that moved less than those that stand here.
    left_out: usize,
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
    let why = if all.interval_disagrees() {
        format!(
            " The interval excludes 0 and still nothing is shown: the sign-flip test over {units} decides, and the interval \
             is approximate."
        )
    } else {
        String::new()
    };
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
        (Finding::Undecided | Finding::NotJudged, Err(reason)) => {
            format!("Cannot be decided: {name} goes {from_to}, {size}, and there is no interval: {}.", visible(reason))
        }
        (Finding::Undecided | Finding::NotJudged, Ok(_)) => {
            let detectable = all.paired.detectable.map_or_else(String::new, |d| {
                format!(
                    " A true difference of {} points would show four times out of five with these {units}.",
                    format::RATE.number(d)
                )
            });
            format!("No difference is shown: {name} goes {from_to}, {size}; {p} over {units}.{why}{detectable}")
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
    let judged = |text: Option<String>| text.filter(|_| s.judged).unwrap_or_else(|| ABSENT.into());
    RowView {
        by: visible(&s.by),
        value: if s.by == "all" { "all".into() } else { visible(&s.value) },
        cells: count(s.cells as u64),
        a: value.number(p.a),
        b: value.number(p.b),
        difference: change.number(p.difference.value),
        interval: interval.ok().map(|i| change.interval(i.lo, i.hi)),
        reason: interval.err().map(visible),
        p: judged(p.test.as_ref().ok().map(|t| p_value(t.p_two_sided))),
        p_adjusted: judged(s.p_adjusted.map(p_value)),
        improvement: judged(p.improvement.map(|i| format!("{:.2}", i.half_ties))),
        detectable: judged(p.detectable.map(|d| format::NumberStyle { signed: false, ..change }.number(d))),
        finding: s.finding().name(),
        unit: format!("{} ({})", s.unit, count(s.clusters as u64)),
        note: s.note.as_deref().map(visible),
    }
}

fn tables(c: &Comparison, times: bool) -> Vec<TableView> {
    let metrics = c.head.metrics.iter().filter(|m| (**m == GateMetric::Rtf) == times);
    let table = |metric: &GateMetric| {
        let mut strata: Vec<&StratumComparison> = c.strata.iter().filter(|s| s.metric == *metric).collect();
        let left_out = keep_largest(&mut strata, TABLE_ROWS, moved_by);
        let unit = if times { "" } else { ", points" };
        let rows = strata.into_iter().map(row).collect();
        TableView { id: format!("strata-{}", metric.name()), title: title(*metric), unit, rows, left_out }
    };
    metrics.map(table).collect()
}

fn side_view(label: &str, side: &ComparedSide<'_>) -> SideView {
    let complete = side.failed == 0 && side.outstanding == 0;
    let have = if side.done == 1 { "has" } else { "have" };
    let mut coverage = format!("{} {have} a hypothesis", cells_in_words("", side.done));
    if side.failed > 0 {
        coverage += &format!(", {} failed or were skipped", count(side.failed as u64));
    }
    if side.outstanding > 0 {
        coverage += &format!(
            ", {} of its run {} no outcome: it was interrupted",
            cells_in_words("planned ", side.outstanding),
            if side.outstanding == 1 { "has" } else { "have" }
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

/// What of several facts of one name tells them apart: a corpus or a model by its name, a hash by itself.
fn sub_name(value: &str) -> &str {
    value.split([',', '=']).next().unwrap_or_default().trim()
}

/// Facts side by side. Of several with one name those stand together that are about the same thing; what only one side has
/// stands alone, unless exactly one is left on each side.
fn paired_facts(a: &[(String, String)], b: &[(String, String)]) -> Vec<PairedFact> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in a.iter().chain(b) {
        push_new(&mut names, name.as_str());
    }
    let of = |list: &'_ [(String, String)], name: &str| -> Vec<String> {
        list.iter().filter(|f| f.0 == name).map(|f| f.1.clone()).collect()
    };
    let mut facts = Vec::new();
    for name in names {
        let (first, mut second) = (of(a, name), of(b, name));
        let mut add = |x: Option<&str>, y: Option<&str>| {
            let shown = |v: Option<&str>| v.map_or_else(|| "–".to_owned(), view::text);
            facts.push(PairedFact { name: visible(name), same: x == y, a: shown(x), b: shown(y) });
        };
        let mut alone = Vec::new();
        for x in &first {
            match second.iter().position(|y| sub_name(y) == sub_name(x)) {
                Some(at) => add(Some(x), Some(&second.remove(at))),
                None => alone.push(x.as_str()),
            }
        }
        if let ([x], [y]) = (alone.as_slice(), second.as_slice()) {
            add(Some(x), Some(y));
            continue;
        }
        alone.iter().for_each(|x| add(Some(x), None));
        second.iter().for_each(|y| add(None, Some(y)));
    }
    facts
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
    let preprocessing = c.head.preprocessing.as_ref().map(|text| format!("Preprocessing: {}.", visible(text)));
    let mut notes: Vec<String> = preprocessing.into_iter().chain([NOTES.to_owned()]).collect();
    notes.push(
        "Improved and regressed: the sign-flip test finds a difference at the two-sided level 0.05, for the whole by its own \
         p, for strata by the adjusted one. It is no gate: `vbench gate` judges against a margin."
            .into(),
    );
    notes.extend(rules(c));
    notes.extend(hallucinated(c));
    notes
}

fn listed(all: &[Carrier]) -> Vec<ListedView> {
    let one = |c: &Carrier| ListedView {
        utterance: view::text(&c.utterance),
        speaker: visible(&c.speaker),
        change: signed(c.change()),
        errors: format!("{} → {}{}", c.errors_a, c.errors_b, over_conditions(c.cells)),
    };
    all.iter().take(LISTED).map(one).collect()
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
        shared: cells_in_words("shared ", c.shared),
        finding: finding.name(),
        verdict,
        forced: c.head.forced.iter().map(|f| visible(f)).collect(),
        headlines: headlines(input),
        tables: tables(c, false),
        notes: notes(c),
        left_out: left_out(&c.left_out),
        left_out_total: cells_in_words("", c.left_out.total()),
        explained: explained(c),
        broken_total: count(input.moved.broken.len() as u64),
        fixed_total: count(input.moved.fixed.len() as u64),
        broken: moved(&input.broken),
        fixed: moved(&input.fixed),
        all_broken: listed(&input.moved.broken),
        all_fixed: listed(&input.moved.fixed),
        secondary: secondary(c),
        identity: paired_facts(&input.a.identity, &input.b.identity),
        conditions: view::facts(&input.conditions),
    }
}

fn timings(input: &ComparisonInput<'_>) -> TimingsView {
    TimingsView {
        not_judged: input.comparison.head.times_not_judged.as_ref().map(|why| visible(why)),
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
    if shown.iter().any(|s| !s.judged) {
        subtitle += " Not judged: the models did not take turns.";
    }
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

/// PNG and SVG of every figure of the page: differences, then both sides beside each other.
///
/// # Errors
///
/// A broken build, never the data.
pub fn comparison_figures(input: &ComparisonInput<'_>, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    let d = drawings(input);
    let own = d.differences.iter().chain(&d.waterfalls).chain(&d.times);
    let mut all = own.map(|d| d.figure(palette)).collect::<Result<Vec<Figure>, _>>()?;
    all.extend(figures::figures_in(&input.together, palette)?);
    Ok(all)
}

/// Error rates by condition and their curves, both sides in one figure.
fn rates(together: &ReportInput<'_>) -> Result<Vec<Value>, ReportError> {
    let one = |m: &Metric| -> Result<Value, ReportError> {
        Ok(html::plot(m.title(), &figures::inline_svg(together.summary, *m)?))
    };
    let mut rates = figures::accuracy_metrics(together.summary).iter().map(one).collect::<Result<Vec<_>, _>>()?;
    rates.extend(figures::inline_curves(together.summary)?.iter().map(|c| html::plot(&c.title, &c.svgs)));
    Ok(rates)
}

/// The comparison as one HTML file.
///
/// # Errors
///
/// A broken build, never the data.
pub fn comparison_html(input: &ComparisonInput<'_>) -> Result<String, ReportError> {
    let drawn = drawings(input);
    let inline = |list: &[Drawing]| list.iter().map(Drawing::inline).collect::<Result<Vec<Value>, _>>();
    let players = |list: &[MovedCell]| list.iter().map(players).collect::<Result<Vec<Value>, _>>();
    let together = &input.together;
    let context = context! {
        comparison => Value::from(Serde(view(input))),
        timings => Value::from(Serde(timings(input))),
        differences => inline(&drawn.differences)?,
        waterfalls => inline(&drawn.waterfalls)?,
        time_figures => inline(&drawn.times)?,
        accuracy_figures => rates(together)?,
        rtf_figure => html::plot(Metric::Rtf.title(), &figures::inline_svg(together.summary, Metric::Rtf)?),
        analysis => analysis::page_values(together.analysis.as_ref())?,
        cells_total => count(together.cells.rows.len() as u64),
        broken_audio => players(&input.broken)?,
        fixed_audio => players(&input.fixed)?,
        block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
        block_end => Value::from_safe_string(BLOCK_END.to_owned()),
    };
    let title = format!("{} against {}", visible(&input.b.name), visible(&input.a.name));
    let clips = input.broken.iter().chain(&input.fixed).flat_map(|m| [&m.audio_a, &m.audio_b]).flatten();
    let beside = clips.into_iter().any(|c| c.href.is_some());
    let media = if beside { Media::Folder } else { Media::Embedded };
    let data = cells::block(together)?.into_iter().collect();
    Page { kind: PageKind::Comparison, title, media, data, context }.render()
}

/// One player with its picture where both heard the same bytes, else one for each.
fn players(cell: &MovedCell) -> Result<Value, ReportError> {
    let note = cell.audio_note.as_deref();
    let labelled = |label: &str, clip: Option<&AudioClip>, picture: Option<&SoundPicture>| {
        let sound = analysis::picture(picture)?;
        Ok::<_, ReportError>(context! { label => label, sound => sound, ..html::player(clip, note) })
    };
    let a = (cell.audio_a.as_ref(), cell.picture_a.as_ref());
    let b = (cell.audio_b.as_ref(), cell.picture_b.as_ref());
    let list = if cell.same_audio {
        vec![labelled("What both models heard", a.0.or(b.0), a.1.or(b.1))?]
    } else {
        vec![labelled("What A heard", a.0, a.1)?, labelled("What B heard", b.0, b.1)?]
    };
    Ok(Value::from(list))
}

/// The comparison as JSON: [`comparison_json`], the verdict, both sides with intervals and every utterance that moved.
///
/// ```text
/// {"schema", "verdict": {"finding", "text"}, "sides": {"a": {"name", "done", "failed", "outstanding", "wer", "cer"},
///  "b": …}, "comparison": vbench/compare/1, "broken": [{"utterance", "speaker", "errors_a", "errors_b", "cells"}],
///  "fixed": […], "analysis": as in vbench/run/1, with the models `A: …` and `B: …`}
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
        let one = |c: &Carrier| json!({"utterance": c.utterance, "speaker": c.speaker, "errors_a": c.errors_a, "errors_b": c.errors_b, "cells": c.cells});
        list.iter().map(one).collect()
    };
    let (finding, text) = verdict(input.comparison);
    let mut out = json!({
        "schema": COMPARISON_PAGE_SCHEMA,
        "verdict": {"finding": finding.name(), "text": text},
        "sides": {"a": side(&input.a), "b": side(&input.b)},
        "comparison": comparison_json(input.comparison),
        "broken": moved(&input.moved.broken),
        "fixed": moved(&input.moved.fixed),
    });
    if let Some(analysed) = &input.together.analysis {
        out["analysis"] = analysis_json(analysed.analysis);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_one_name_stand_together_by_what_they_are_about() {
        let list = |facts: &[(&str, &str)]| -> Vec<(String, String)> {
            facts.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let a =
            list(&[("file", "f1"), ("file", "f2"), ("corpus", "x, 3 utterances"), ("corpus", "y, 1"), ("seed", "1")]);
        let b =
            list(&[("file", "f2"), ("file", "f3"), ("corpus", "y, 2"), ("corpus", "x, 3 utterances"), ("seed", "2")]);
        let facts = paired_facts(&a, &b);
        let shown: Vec<(&str, &str, &str)> =
            facts.iter().map(|f| (f.name.as_str(), f.a.as_str(), f.b.as_str())).collect();
        let expected = [
            ("file", "f2", "f2"),
            ("file", "f1", "f3"),
            ("corpus", "x, 3 utterances", "x, 3 utterances"),
            ("corpus", "y, 1", "y, 2"),
            ("seed", "1", "2"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(facts.iter().map(|f| f.same).collect::<Vec<_>>(), [true, false, true, false, false]);
        let more = paired_facts(&a, &list(&[("corpus", "z, 1")]));
        assert!(more.iter().filter(|f| f.name == "corpus").all(|f| f.a == "–" || f.b == "–"), "{more:?}");
    }
}
