//! The report as text, ready for a page: every number formatted, every name made visible, nothing escaped yet.
//!
//! HTML and Markdown lay out the same view. It comes in two halves: [`Findings`] depends on rows, scores and
//! statistics alone and is the same bytes for two runs with one seed; [`Timings`] holds everything else.

use serde::Serialize;
use serde_json::Value;
use vbench_compare::{ConditionDelta, StratumSummary, Summary};
use vbench_core::Estimate;

use crate::composite;
use crate::format::{self, ABSENT, NumberStyle, visible};
use crate::input::{AlignedToken, CellRow, ReportInput, TokenOp, WorstCell};
use crate::signal::{self, SignalView};
use crate::strata::{self, Group};

/// What two runs with one seed have in common.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub suite: String,
    pub normalizer: String,
    pub weights: String,
    pub seed: u64,
    pub cer_first: bool,
    pub several_models: bool,
    pub coverage: Coverage,
    pub verdict: Option<Verdict>,
    pub headlines: Vec<Headline>,
    /// Sentences on areas and overall scores.
    pub composites: Vec<String>,
    pub tables: Vec<StrataTable>,
    pub deltas: Vec<Delta>,
    pub signal: Option<SignalView>,
    pub worst: Vec<Worst>,
    pub failures: Vec<FailureView>,
    pub methods: Vec<String>,
    pub conditions: Vec<Fact>,
    pub identity: Vec<Fact>,
}

/// What differs from run to run.
#[derive(Debug, Serialize)]
pub(crate) struct Timings {
    pub several_models: bool,
    /// Sentences on WER under the latency budget.
    pub latencies: Vec<String>,
    pub tables: Vec<RtfTable>,
    /// Rules of the gate with what they rest on: rule, model, outcome, reason.
    pub judged: Vec<[String; 4]>,
    pub provenance: Vec<Fact>,
}

/// What the gate said, without a number: those of times differ from run to run.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// `pass`, `regressed`, `inconclusive` or `skipped`.
    pub outcome: String,
    pub sentence: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    pub percent: String,
    pub complete: bool,
    pub planned: String,
    pub done: String,
    pub failed: String,
    pub skipped: String,
    pub outstanding: String,
    /// Why cells have no outcome, where that is known.
    pub why: &'static str,
    /// Corpora that are not present, comma-separated; empty when all are.
    pub absent: String,
}

/// The whole run of one model.
#[derive(Debug, Serialize)]
pub(crate) struct Headline {
    pub model: String,
    pub wer: Number,
    pub cer: Number,
    pub words: String,
    pub scored: String,
    pub sdi: String,
    pub wer_macro: String,
    pub sentence_errors: String,
    pub hallucinated: String,
}

/// An estimate as text.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Number {
    pub value: String,
    /// `[5.12, 11.20]`, absent when not estimable.
    pub interval: Option<String>,
    /// `95 %`.
    pub level: Option<String>,
    /// `speaker (18)`.
    pub unit: Option<String>,
    pub method: Option<String>,
    /// Why there is no interval.
    pub reason: Option<String>,
    /// Warnings: conditional on speakers, method other than the two usual ones.
    pub notes: Vec<String>,
    /// The interval as a small picture.
    pub whisker: Option<Whisker>,
}

/// Places on an axis from 0 to 100, as text for SVG attributes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Whisker {
    pub at: String,
    pub ends: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StrataTable {
    pub id: String,
    pub by: String,
    pub title: String,
    /// Rows left out, each with a lower error rate than those that stand here.
    pub left_out: usize,
    pub has_snr: bool,
    pub has_hallucinated: bool,
    pub has_listen: bool,
    /// What a link from a row to its cells names: the property, empty for all cells; absent where no list tells it.
    pub show_by: Option<String>,
    pub rows: Vec<StratumRow>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StratumRow {
    pub value: String,
    pub model: String,
    /// `72`, or `70 of 72` when some have no score.
    pub cells: String,
    pub incomplete: bool,
    pub words: String,
    pub wer: Number,
    pub cer: Number,
    pub cer_unit: Option<String>,
    pub sub: String,
    pub del: String,
    pub ins: String,
    pub min_errors: String,
    pub wer_macro: String,
    pub sentence_errors: String,
    pub hallucinated: String,
    pub snr: Option<Number>,
    pub snr_unit: Option<String>,
    /// Ranks of the worst utterances that belong to this stratum.
    pub listen: Vec<usize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Delta {
    pub model: String,
    pub from: String,
    pub to: String,
    pub difference: Number,
    pub p: String,
    pub utterances: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Worst {
    pub rank: usize,
    pub cell: String,
    pub speaker: String,
    pub condition: String,
    pub model: String,
    pub errors: String,
    pub reference_words: String,
    pub reference: String,
    pub hypothesis: String,
    pub alignment: Vec<Token>,
    /// Alignment columns that are not shown.
    pub tokens_left_out: Option<String>,
    pub receipt: Vec<Fact>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Token {
    /// CSS class and word: `hit`, `substitution`, `deletion`, `insertion`.
    pub kind: &'static str,
    /// `S`, `D`, `I`, empty for a hit.
    pub mark: &'static str,
    pub reference: Option<String>,
    pub hypothesis: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FailureView {
    pub cell: String,
    pub outcome: String,
    pub kind: String,
    pub text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RtfTable {
    pub title: String,
    pub by: String,
    /// Rows left out, as in the table of error rates.
    pub left_out: usize,
    pub rows: Vec<RtfRow>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RtfRow {
    pub value: String,
    pub model: String,
    pub audio_s: String,
    pub processing_s: String,
    pub rtf: Number,
}

/// Longest transcript, reason or fact shown, in characters; the whole text is in `rows.jsonl`.
const TEXT_LIMIT: usize = 4_000;
/// Most alignment columns shown.
const TOKEN_LIMIT: usize = 400;
/// Most failures listed; the coverage counts them all.
const FAILURE_LIMIT: usize = 1_000;
/// Rows of one property on a page: more would take a browser longer to sort than people wait.
pub(crate) const TABLE_ROWS: usize = 200;
/// Utterances to hear that one row links to.
const LINKED: usize = 3;

/// Everything that two runs with one seed share.
pub(crate) fn findings(input: &ReportInput<'_>) -> Findings {
    let s = input.summary;
    let groups = strata::hardest_groups(s, TABLE_ROWS);
    let worst_rows = worst_rows(input);
    Findings {
        suite: visible(&s.suite),
        normalizer: visible(&s.normalizer),
        weights: visible(&s.weights),
        seed: s.seed,
        cer_first: s.primary == "cer",
        several_models: strata::models(s).len() > 1,
        coverage: coverage(s),
        verdict: input.gate.as_ref().map(verdict),
        headlines: s.strata.iter().filter(|x| x.by == "all").map(headline).collect(),
        composites: composite::findings(s),
        tables: groups.iter().enumerate().map(|(i, g)| strata_table(input, &worst_rows, g, i)).collect(),
        deltas: s.deltas.iter().map(delta).collect(),
        signal: signal::view(s),
        worst: input.worst.iter().enumerate().map(|(i, w)| worst(w, i + 1)).collect(),
        failures: s
            .failures
            .iter()
            .take(FAILURE_LIMIT)
            .map(|f| FailureView {
                cell: text(&f.cell),
                outcome: visible(&f.outcome),
                kind: visible(&f.kind),
                text: text(&f.text),
            })
            .collect(),
        methods: methods(s),
        conditions: facts(&input.conditions),
        identity: facts(&input.identity),
    }
}

/// Everything that may differ between two runs with one seed.
pub(crate) fn timings(input: &ReportInput<'_>) -> Timings {
    let s = input.summary;
    let tables = strata::hardest_groups(s, TABLE_ROWS)
        .into_iter()
        .map(|group| RtfTable {
            title: format!("Real-time factor {}", lower_first(&group.title())),
            by: column_name(&group),
            left_out: group.left_out,
            rows: group.rows.iter().filter_map(|row| rtf_row(row)).collect(),
        })
        .filter(|table: &RtfTable| !table.rows.is_empty())
        .collect();
    let (several_models, latencies) = (strata::models(s).len() > 1, composite::latencies(s));
    let judged = input.gate.as_ref().map_or_else(Vec::new, |gate| {
        rules(gate).map(|rule| ["rule", "model", "outcome", "reason"].map(|key| member(rule, key))).collect()
    });
    Timings { several_models, latencies, tables, judged, provenance: facts(&input.provenance) }
}

fn rules(gate: &Value) -> impl Iterator<Item = &Value> {
    gate["results"].as_array().into_iter().flatten()
}

fn member(of: &Value, key: &str) -> String {
    text(of[key].as_str().unwrap_or_default())
}

/// Rules named in the sentence of a verdict.
const NAMED_RULES: usize = 4;

fn verdict(gate: &Value) -> Verdict {
    let outcome = member(gate, "outcome");
    let total = rules(gate).count();
    let rules_are = |n: usize| if n == 1 { "1 rule".to_owned() } else { format!("{n} rules") };
    let against = gate["baseline"].as_str().map_or_else(String::new, |b| {
        // Where it lay on the machine is nobody's business.
        format!(" against {}", visible(b.trim_end_matches('/').rsplit('/').next().unwrap_or(b)))
    });
    let sentence = if outcome == "pass" {
        format!("{} held{against}.", rules_are(total))
    } else {
        let bad: Vec<String> = rules(gate)
            .filter(|rule| rule["outcome"].as_str() != Some("pass"))
            .map(|rule| format!("{} ({}): {}", member(rule, "rule"), member(rule, "model"), member(rule, "outcome")))
            .collect();
        let more = bad.len().saturating_sub(NAMED_RULES);
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        let named = bad.iter().take(NAMED_RULES).cloned().collect::<Vec<_>>().join("; ");
        format!("{} of {} did not hold{against}. {named}{more}.", bad.len(), rules_are(total))
    };
    Verdict { outcome, sentence }
}

/// `Overall` within a sentence: `overall`.
pub(crate) fn lower_first(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Heading of the column that holds a group's values.
fn column_name(group: &Group<'_>) -> String {
    if group.by == "all" { "stratum".to_owned() } else { visible(group.by) }
}

fn rtf_row(s: &StratumSummary) -> Option<RtfRow> {
    let rtf = s.rtf.as_ref()?;
    Some(RtfRow {
        value: row_name(s),
        model: visible(&s.model),
        audio_s: format::SECONDS.number(s.audio_s),
        processing_s: format::SECONDS.number(s.processing_s),
        rtf: number(rtf, format::FACTOR, s.note.as_deref(), None),
    })
}

/// What stands behind the number of cells without outcome when they were left out on purpose.
pub(crate) fn stopped_early(s: &Summary) -> &'static str {
    if s.coverage.stopped_early { " (stopped early by the sequential gate)" } else { "" }
}

fn coverage(s: &Summary) -> Coverage {
    let c = &s.coverage;
    let shown = |n: usize| format::count(n as u64);
    Coverage {
        percent: format::coverage_percent(c.fraction()),
        complete: c.planned > 0 && c.done == c.planned && s.absent.is_empty(),
        planned: shown(c.planned),
        done: shown(c.done),
        failed: shown(c.failed),
        skipped: shown(c.skipped),
        outstanding: shown(c.outstanding),
        why: stopped_early(s),
        absent: visible(&s.absent.join(", ")),
    }
}

fn headline(s: &StratumSummary) -> Headline {
    let note = s.note.as_deref();
    Headline {
        model: visible(&s.model),
        wer: number(&s.wer, format::RATE, note, None),
        cer: number(&s.cer, format::RATE, note, None),
        words: format::count(s.words.reference()),
        scored: format::count(s.scored as u64),
        sdi: format!(
            "{} / {} / {}",
            format::count(s.words.sub),
            format::count(s.words.del),
            format::count(s.words.ins)
        ),
        wer_macro: rate_or_absent(s.wer_macro),
        sentence_errors: rate_or_absent(s.sentence_error_rate),
        hallucinated: format::count(s.hallucinated_words),
    }
}

fn strata_table(
    input: &ReportInput<'_>,
    worst_rows: &[Option<&CellRow>],
    group: &Group<'_>,
    index: usize,
) -> StrataTable {
    let largest = group
        .rows
        .iter()
        .map(|s| s.wer.ends().map_or(s.wer.value, |(_, hi)| hi.max(s.wer.value)))
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let rows: Vec<StratumRow> = group.rows.iter().map(|s| stratum_row(input, worst_rows, s, largest)).collect();
    StrataTable {
        left_out: group.left_out,
        // Names come from suites and tags, so the id is a number.
        id: format!("strata-{index}"),
        by: column_name(group),
        title: group.title(),
        has_snr: rows.iter().any(|r| r.snr.is_some()),
        has_hallucinated: group.rows.iter().any(|s| s.hallucinated_words > 0),
        has_listen: rows.iter().any(|r| !r.listen.is_empty()),
        show_by: show_by(input, group.by),
        rows,
    }
}

fn show_by(input: &ReportInput<'_>, by: &str) -> Option<String> {
    if input.cells.rows.is_empty() {
        return None;
    }
    if by == "all" {
        return Some(String::new());
    }
    input.cells.properties.iter().any(|p| p == by).then(|| visible(by))
}

fn stratum_row(
    input: &ReportInput<'_>,
    worst_rows: &[Option<&CellRow>],
    s: &StratumSummary,
    largest: f64,
) -> StratumRow {
    let note = s.note.as_deref();
    let wer = number(&s.wer, format::RATE, note, Some(largest));
    let cer = number(&s.cer, format::RATE, note, None);
    let snr = s.snr_db.as_ref().map(|e| number(e, format::DECIBEL, note, None));
    let other_unit = |n: &Number| n.unit.clone().filter(|unit| Some(unit) != wer.unit.as_ref());
    let place = input.cells.properties.iter().position(|p| *p == s.by);
    let of_stratum = |(i, w): (usize, &WorstCell)| belongs(w, worst_rows[i], place, s).then_some(i + 1);
    let listen = input.worst.iter().enumerate().filter_map(of_stratum).take(LINKED).collect();
    StratumRow {
        value: row_name(s),
        model: visible(&s.model),
        cells: if s.scored == s.planned {
            format::count(s.scored as u64)
        } else {
            format!("{} of {}", format::count(s.scored as u64), format::count(s.planned as u64))
        },
        incomplete: s.scored != s.planned,
        words: format::count(s.words.reference()),
        cer_unit: other_unit(&cer),
        snr_unit: snr.as_ref().and_then(other_unit),
        wer,
        cer,
        snr,
        sub: format::count(s.words.sub),
        del: format::count(s.words.del),
        ins: format::count(s.words.ins),
        min_errors: format::count(s.words_min_errors),
        wer_macro: rate_or_absent(s.wer_macro),
        sentence_errors: rate_or_absent(s.sentence_error_rate),
        hallucinated: format::count(s.hallucinated_words),
        listen,
    }
}

/// The cells of the worst utterances, which know their strata.
fn worst_rows<'a>(input: &'a ReportInput<'_>) -> Vec<Option<&'a CellRow>> {
    let row = |w: &WorstCell| input.cells.rows.iter().find(|r| r.cell == w.cell);
    input.worst.iter().map(row).collect()
}

/// Whether a listed utterance is known to be in a stratum, whose property has a place among those of the cells.
fn belongs(w: &WorstCell, row: Option<&CellRow>, place: Option<usize>, s: &StratumSummary) -> bool {
    let of_cell = || place.and_then(|p| row?.strata.get(p)?.as_deref()) == Some(&s.value);
    w.model == s.model
        && match s.by.as_str() {
            "condition" => w.condition == s.value,
            "speaker" => w.speaker == s.value,
            _ => of_cell(),
        }
}

fn row_name(s: &StratumSummary) -> String {
    if s.by == "all" { "all cells".to_owned() } else { visible(&s.value) }
}

fn rate_or_absent(rate: Option<f64>) -> String {
    rate.map_or_else(|| ABSENT.to_owned(), |r| format::RATE.number(r))
}

/// `axis` is the value at the right end of the small picture.
pub(crate) fn number(estimate: &Estimate, style: NumberStyle, note: Option<&str>, axis: Option<f64>) -> Number {
    let place = |v: f64, end: f64| format!("{:.1}", (v / end * 100.0).clamp(0.0, 100.0));
    let usable = format::usable_interval(estimate);
    let whisker = axis.filter(|end| *end > 0.0 && estimate.value.is_finite()).map(|end| Whisker {
        at: place(estimate.value, end),
        ends: usable.ok().map(|i| (place(i.lo, end), place(i.hi, end))),
    });
    let mut notes = Vec::new();
    if let Ok(i) = usable {
        notes.extend(format::conditional(i.unit, note));
        if !is_usual(&i.method) {
            notes.push(visible(&i.method));
        }
    }
    Number {
        value: style.number(estimate.value),
        interval: usable.ok().map(|i| style.interval(i.lo, i.hi)),
        level: usable.ok().map(|i| format::level(i.level)),
        unit: usable.ok().map(format::unit),
        method: usable.ok().map(|i| visible(&i.method)),
        reason: usable.err().map(visible),
        notes,
        whisker,
    }
}

/// Methods that go without a remark in a row: the section on methods describes them.
fn is_usual(method: &str) -> bool {
    matches!(method, "bca" | "bca-expanded" | "wider of bca and t(S-1)")
}

fn delta(d: &ConditionDelta) -> Delta {
    Delta {
        model: visible(&d.model),
        from: visible(&d.from),
        to: visible(&d.to),
        difference: number(&d.wer_difference, format::POINTS, None, None),
        p: d.p_value.map_or_else(|| ABSENT.to_owned(), format::p_value),
        utterances: format::count(d.utterances as u64),
    }
}

fn worst(w: &WorstCell, rank: usize) -> Worst {
    let (alignment, tokens_left_out) = tokens(&w.alignment);
    Worst {
        rank,
        cell: text(&w.cell),
        speaker: visible(&w.speaker),
        condition: visible(&w.condition),
        model: visible(&w.model),
        errors: format::count(w.errors),
        reference_words: format::count(w.reference_words),
        reference: text(&w.reference),
        hypothesis: text(&w.hypothesis),
        alignment,
        tokens_left_out,
        receipt: facts(&w.receipt),
    }
}

/// The columns of an alignment that are shown, and how many are not.
pub(crate) fn tokens(alignment: &[AlignedToken]) -> (Vec<Token>, Option<String>) {
    let rest = alignment.len().saturating_sub(TOKEN_LIMIT);
    (alignment.iter().take(TOKEN_LIMIT).map(token).collect(), (rest > 0).then(|| format::count(rest as u64)))
}

fn token(t: &AlignedToken) -> Token {
    let (kind, mark) = match t.op {
        TokenOp::Hit => ("hit", ""),
        TokenOp::Substitution => ("substitution", "S"),
        TokenOp::Deletion => ("deletion", "D"),
        TokenOp::Insertion => ("insertion", "I"),
    };
    let shown = |token: &Option<String>| token.as_deref().map(|t| format::shortened(&visible(t), 200));
    Token { kind, mark, reference: shown(&t.reference), hypothesis: shown(&t.hypothesis) }
}

pub(crate) fn facts(list: &[(String, String)]) -> Vec<Fact> {
    list.iter().map(|(name, value)| Fact { name: visible(name), value: text(value) }).collect()
}

pub(crate) fn text(raw: &str) -> String {
    format::shortened(&visible(raw), TEXT_LIMIT)
}

/// How the numbers were made, one sentence group each, naming only what this run used.
fn methods(s: &Summary) -> Vec<String> {
    let (mut levels, mut names, mut units) = (Vec::new(), Vec::new(), Vec::new());
    let estimates = s.strata.iter().flat_map(|x| [Some(&x.wer), Some(&x.cer), x.snr_db.as_ref()]).flatten();
    let estimates = estimates.chain(s.signal.iter().map(|x| &x.mean));
    for interval in
        estimates.chain(s.deltas.iter().map(|d| &d.wer_difference)).filter_map(|e| format::usable_interval(e).ok())
    {
        strata::push_new(&mut levels, format::level(interval.level));
        strata::push_new(&mut names, visible(&interval.method));
        strata::push_new(&mut units, interval.unit.to_string());
    }
    let mut list = vec![
        format!(
            "Text: reference and hypothesis were normalised by {} and aligned with {} weights{}.",
            visible(&s.normalizer),
            visible(&s.weights),
            if s.weights == "sclite" { " (hit 0, insertion 3, deletion 3, substitution 4)" } else { "" }
        ),
        "Rates: WER and CER are ratios of sums, (S + D + I) / reference words or characters, and may exceed 100 %. \
         The mean of utterance WERs (“utt. mean”) is shown beside them and is never the headline. “Fewest errors” is \
         the plain Levenshtein total of words. An utterance with an empty reference has no rate; words heard in it count as \
         hallucinated and are in no rate."
            .to_owned(),
    ];
    if names.is_empty() {
        list.push("Intervals: none is estimable; every number says why.".to_owned());
    } else {
        list.push(format!(
            "Intervals: {}, by resampling {} with seed {}. Methods: {}. The number in brackets after a unit is how many \
             there were; under 6 units no interval is given.",
            levels.join(" or "),
            units.join(" or "),
            s.seed,
            names.iter().map(|n| method_in_words(n)).collect::<Vec<_>>().join("; ")
        ));
    }
    if units.iter().any(|u| u != "speaker") {
        list.push(
            "An interval whose unit is not the speaker is conditional on the speakers of its stratum: it says nothing \
             about other speakers."
                .to_owned(),
        );
    }
    if !s.deltas.is_empty() {
        list.push(
            "Paired differences: the same utterances under both conditions, resampled together. p: two-sided sign-flip \
             test over the resampling units, one test a row, not adjusted for the number of rows."
                .to_owned(),
        );
    }
    list.extend(composite_methods(s));
    list.extend(signal::methods(s));
    if s.strata.iter().any(|x| x.snr_db.is_some()) {
        list.push(
            "SNR: as achieved after mixing, on the active speech level of ITU-T P.56, mean over the cells with noise."
                .to_owned(),
        );
    }
    list
}

/// How areas and overall scores were made.
fn composite_methods(s: &Summary) -> Vec<String> {
    let mut list = Vec::new();
    if !s.curves.is_empty() {
        list.push(
            "Area under WER over a parameter such as the SNR: trapezoid of the WER over the parameter divided by the \
             parameter's range, the mean height of the curve. One curve holds the conditions that differ in that parameter alone. Its interval resamples whole units with their errors at every level."
                .to_owned(),
        );
    }
    if !s.overall.is_empty() {
        list.push(
            "Overall WER: mean of the WERs of the named strata with the weights that the suite declares. Its interval \
             resamples whole units with their errors in every stratum."
                .to_owned(),
        );
    }
    list
}

/// What a method name of `vbench-stats` stands for.
fn method_in_words(name: &str) -> String {
    match name {
        "bca" => "bca (bias-corrected and accelerated bootstrap over units, jackknife over units)".to_owned(),
        "bca-expanded" => {
            "bca-expanded (bias-corrected and accelerated bootstrap over units, jackknife over units, its \
             level expanded to that of Student's t for the number of units)"
                .to_owned()
        }
        "wider of bca and t(S-1)" => {
            "wider of bca and t(S-1) (under 20 units the wider of the bootstrap and the linearised interval)".to_owned()
        }
        "t(S-1)" => "t(S-1) (linearised ratio with Student's t)".to_owned(),
        "clopper-pearson on units" => {
            "clopper-pearson on units (no unit had an error: exact upper limit for the share of units with one)"
                .to_owned()
        }
        other => other.to_owned(),
    }
}
