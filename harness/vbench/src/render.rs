//! Summary + rows -> report files. Everything here is derived from the run folder and can be made again.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::Value;
use vbench_compare::{Coverage, Failure as FailedCell, OverallWeight, Summary, SummaryHead, summarize};
use vbench_core::{ExitCode, Severity, SignalMetric};
use vbench_report::{AlignedToken, Analysed, ReportInput, TokenOp, WorstCell};
use vbench_score::{AlignOp, Normalizer, PairScore, Weights};
use vbench_store::{Row, RunRecord};

use crate::analysis;
use crate::cells::cell_list;
use crate::cli::{RenderArguments, ReportFormat};
use crate::clips::{self, Audio};
use crate::failure::{Failure, say};
use crate::outputs::{self, without_machine_paths};
use crate::score::{Rules, Scored, score_rows, score_texts};

/// How many of the hardest cells the report shows.
const WORST: usize = 10;

/// What rendering made.
pub struct Outputs {
    /// Scores and summary.
    pub derived: Derived,
    /// Workflow annotations for standard output, where they were asked for.
    pub annotations: Option<String>,
    /// How the time splits, in words.
    pub time_split: String,
}

/// What today's rules make of a run's rows.
pub struct Derived {
    rules: Rules,
    scored: Scored,
    /// Counts and estimates.
    pub summary: Summary,
    score_s: f64,
    aggregate_s: f64,
}

/// Scores and aggregates.
pub fn derive(record: &RunRecord) -> Result<Derived, Failure> {
    let began = Instant::now();
    let rules = rules_of(&record.record)?;
    let scored = score_rows(record, &rules)?;
    let score_s = began.elapsed().as_secs_f64();
    let summary = summary_of(record, &rules, &scored);
    let aggregate_s = began.elapsed().as_secs_f64() - score_s;
    Ok(Derived { rules, scored, summary, score_s, aggregate_s })
}

/// Scores, aggregates and writes the formats asked for into `out`.
pub fn render(
    run: &Path,
    out: &Path,
    record: &RunRecord,
    audio: Option<&Audio<'_>>,
    run_s: Option<f64>,
    options: &RenderArguments,
) -> Result<Outputs, Failure> {
    let derived = derive(record)?;
    let began = Instant::now();
    let mut time = TimeSplit::of(record, run_s, derived.score_s, derived.aggregate_s);
    let mut worst = worst_cells(record, &derived, WORST, true)?;
    let (pictures, (analysis, cells)) = rayon::join(
        || clips::attach(&mut worst, audio, options),
        || {
            let analysis = analysis::analyse(record, &derived.rules, &derived.scored, &derived.summary);
            (analysis, cell_list(record, &derived.rules, &derived.scored))
        },
    );
    let input = ReportInput {
        summary: &derived.summary,
        conditions: condition_sentences(&record.record),
        worst: worst.into_iter().map(|(_, cell)| cell).collect(),
        analysis: Some(Analysed { analysis: &analysis, pictures }),
        cells: cells?,
        gate: outputs::stored_gate(run),
        identity: known(identity(&record.record, &derived.rules)),
        provenance: known(provenance(run, &record.record, &time)),
    };
    let started = record.record["created"].as_str().unwrap_or_default();
    let annotations = outputs::write(out, &input, started, options)?;
    time.report_s = began.elapsed().as_secs_f64();
    Ok(Outputs { time_split: time.sentence(), annotations, derived })
}

/// The summary as JSON text.
fn json(summary: &Summary) -> String {
    format!("{:#}", vbench_report::summary_json(summary))
}

/// Refuses what cannot go together, before anything is run.
pub fn check(options: &RenderArguments, json: bool) -> Result<(), Failure> {
    if json && options.wants(ReportFormat::Github) {
        let text = "--json and --format github both write to standard output; --format json,github writes summary.json";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    Ok(())
}

/// The file of a report to open first.
#[must_use]
pub fn entry(options: &RenderArguments) -> &'static str {
    use ReportFormat::{Csv, Github, Html, Json, Junit, Md, Png, Svg};
    let files = [
        (Html, "report.html"),
        (Md, "report.md"),
        (Json, "summary.json"),
        (Csv, "report.csv"),
        (Junit, "junit.xml"),
        (Png, "figures"),
        (Svg, "figures"),
        (Github, "step-summary.md"),
    ];
    files.iter().find(|(format, _)| options.wants(*format)).map_or("", |(_, file)| file)
}

/// The summary on standard output: JSON or a table, and the annotations behind it.
pub fn say_summary(outputs: &Outputs, as_json: bool) {
    let summary = &outputs.derived.summary;
    match &outputs.annotations {
        _ if as_json => say(json(summary)),
        None => say(table(summary)),
        Some(annotations) => {
            say(outputs::without_commands(&table(summary)));
            if !annotations.is_empty() {
                say(annotations.trim_end());
            }
        }
    }
}

/// The summary as the terminal's table.
fn table(summary: &Summary) -> String {
    use std::io::IsTerminal as _;
    let terminal = std::io::stdout().is_terminal();
    let width = if terminal { terminal_width() } else { 120 };
    vbench_report::terminal_table(summary, width, coloured())
}

/// Whether tables have colours: on a terminal, unless NO_COLOR is set.
pub(crate) fn coloured() -> bool {
    use std::io::IsTerminal as _;
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Columns of the terminal: COLUMNS where that is set, else what the terminal says, 120 where nothing does.
pub(crate) fn terminal_width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    stated.or_else(asked).unwrap_or(120).clamp(60, 200)
}

/// The scoring rules that a run record names.
pub fn rules_of(record: &Value) -> Result<Rules, Failure> {
    let suite = &record["suite"];
    let text = |key: &str| suite[key].as_str().unwrap_or_default();
    let bad = |what: String| Failure::new(ExitCode::StoreUnreadable, format!("run.json: {what}"));
    let normalizer = Normalizer::from_name(text("normalizer")).map_err(|e| bad(e.to_string()))?;
    let weights =
        Weights::from_name(text("weights")).ok_or_else(|| bad(format!("unknown weights `{}`", text("weights"))))?;
    let conditions = suite["conditions"].as_array().into_iter().flatten();
    let target = |c: &Value| Some((c["name"].as_str()?.to_string(), c["target_snr_db"].as_f64()?));
    let severity = |c: &Value| Some((c["name"].as_str()?.to_string(), severity_of(c)?));
    let several_corpora = suite["corpora"].as_array().is_some_and(|c| c.len() > 1);
    let latency_budget_ms = suite["latency"]["budget_ms"].as_f64();
    let target_snr_db = conditions.clone().filter_map(target).collect();
    let severity = conditions.filter_map(severity).collect();
    Ok(Rules { normalizer, weights, target_snr_db, severity, several_corpora, latency_budget_ms })
}

/// Where a condition of a run record lies on a curve. Records from before curves had families tell the target SNR alone.
fn severity_of(condition: &Value) -> Option<Severity> {
    let stated = &condition["severity"];
    if stated.is_null() {
        let value = condition["target_snr_db"].as_f64()?;
        return Some(Severity { family: "noise".into(), parameter: "snr_db".into(), value });
    }
    let text = |key: &str| stated[key].as_str().map(str::to_string);
    Some(Severity { family: text("family")?, parameter: text("parameter")?, value: stated["value"].as_f64()? })
}

fn summary_of(record: &RunRecord, rules: &Rules, scored: &Scored) -> Summary {
    let suite = &record.record["suite"];
    let strings = |key: &str| -> Vec<String> {
        suite[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
    };
    let primary = strings("metrics").into_iter().find(|m| m == "wer" || m == "cer").unwrap_or_else(|| "wer".into());
    let head = SummaryHead {
        suite: suite["name"].as_str().unwrap_or_default().into(),
        normalizer: rules.normalizer.id().into(),
        weights: rules.weights.name().into(),
        seed: suite["seed"].as_u64().unwrap_or(0),
        primary,
        absent: strings("absent"),
        conditions: condition_sentences(&record.record).into_iter().map(|(name, _)| name).collect(),
        signal_metrics: strings("metrics").into_iter().filter(|m| SignalMetric::named(m).is_some()).collect(),
        strata: strings("strata"),
        overall: suite["overall"].as_array().into_iter().flatten().filter_map(overall_weight).collect(),
        latency_budget_ms: rules.latency_budget_ms,
    };
    let count = |outcome: &str| record.rows.iter().filter(|r| r.outcome == outcome).count();
    let planned = record.record["planned"].as_u64().map_or(record.rows.len(), |n| n as usize);
    let coverage = Coverage {
        planned,
        done: count("ok"),
        failed: count("failed"),
        skipped: count("skipped"),
        outstanding: planned.saturating_sub(record.rows.len()),
        stopped_early: record.stopped_early(),
    };
    let failures = record.rows.iter().filter(|r| r.outcome != "ok").map(failed_cell).collect();
    summarize(head, &scored.scored, &scored.unscored, failures, coverage)
}

fn overall_weight(entry: &Value) -> Option<OverallWeight> {
    let text = |key: &str| entry[key].as_str().map(str::to_string);
    Some(OverallWeight { by: text("by")?, value: text("value")?, weight: entry["weight"].as_f64()? })
}

fn failed_cell(row: &Row) -> FailedCell {
    let (kind, text) = row.reason.as_ref().map_or_else(Default::default, |r| (r.kind.clone(), r.text.clone()));
    FailedCell { cell: row.cell.clone(), outcome: row.outcome.clone(), kind, text }
}

/// The `count` cells with the most word errors; ties go to the shorter reference, then to the plan's order. At most two of
/// one utterance, so that ten lines show more than one hard sentence. With `every_condition` the hardest cell of each
/// condition and model that has none among them follows, so that every condition can be heard.
pub fn worst_cells<'r>(
    record: &'r RunRecord,
    derived: &Derived,
    count: usize,
    every_condition: bool,
) -> Result<Vec<(&'r Row, WorstCell)>, Failure> {
    let scored = &derived.scored;
    let mut order: Vec<usize> = (0..scored.scored.len()).filter(|i| scored.scored[*i].words.errors() > 0).collect();
    order.sort_by_key(|i| {
        let words = scored.scored[*i].words;
        (std::cmp::Reverse(words.errors()), words.reference(), *i)
    });
    let mut shown: HashMap<(&str, &str), usize> = HashMap::new();
    order.retain(|i| {
        let cell = &scored.scored[*i];
        let seen = shown.entry((&cell.corpus, &cell.utterance)).or_default();
        *seen += 1;
        *seen <= 2
    });
    let rest = order.split_off(count.min(order.len()));
    if every_condition {
        let of = |i: &usize| (scored.scored[*i].model.as_str(), scored.scored[*i].condition.as_str());
        let mut heard: HashSet<(&str, &str)> = order.iter().map(of).collect();
        order.extend(rest.into_iter().filter(|i| heard.insert(of(i))).take(WORST));
    }
    let cells: Vec<Option<(&Row, WorstCell)>> = order
        .par_iter()
        .map(|i| {
            let row = &record.rows[scored.row_index[*i]];
            let speaker = scored.scored[*i].speaker.clone();
            Ok(score_texts(row, &derived.rules)?.map(|score| (row, worst_cell(row, speaker, &score))))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(cells.into_iter().flatten().collect())
}

/// `speaker` as the strata name it, so that a stratum finds its cells.
fn worst_cell(row: &Row, speaker: Option<String>, score: &PairScore) -> WorstCell {
    let mut receipt = Vec::new();
    for step in row.receipt.iter().flat_map(|r| &r.steps) {
        receipt.push(("step".to_string(), step.recipe.clone()));
        receipt.extend(
            step.achieved
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_string))),
        );
    }
    if let Some(r) = &row.receipt {
        receipt.push(("input sha256".into(), r.input_sha256.clone()));
        receipt.push(("output sha256".into(), r.output_sha256.clone()));
    }
    WorstCell {
        cell: row.cell.clone(),
        speaker: speaker.unwrap_or_else(|| "-".into()),
        condition: row.condition.clone(),
        model: row.model.clone(),
        errors: score.words.errors(),
        reference_words: score.words.reference(),
        reference: row.reference.clone(),
        hypothesis: row.hyp.clone().unwrap_or_default(),
        alignment: aligned_tokens(score),
        audio: None,
        audio_note: None,
        receipt,
    }
}

pub(crate) fn aligned_tokens(score: &PairScore) -> Vec<AlignedToken> {
    let left = |i: u32| score.reference_tokens.get(i as usize).cloned();
    let right = |j: u32| score.hypothesis_tokens.get(j as usize).cloned();
    let token = |op: &AlignOp| {
        let (op, reference, hypothesis) = match *op {
            AlignOp::Hit { reference, hypothesis } => (TokenOp::Hit, left(reference), right(hypothesis)),
            AlignOp::Sub { reference, hypothesis } => (TokenOp::Substitution, left(reference), right(hypothesis)),
            AlignOp::Del { reference } => (TokenOp::Deletion, left(reference), None),
            AlignOp::Ins { hypothesis } => (TokenOp::Insertion, None, right(hypothesis)),
        };
        AlignedToken { op, reference, hypothesis }
    };
    score.word_alignment.iter().map(token).collect()
}

/// The conditions of a run record in order: (name, description).
pub fn condition_sentences(record: &Value) -> Vec<(String, String)> {
    let conditions = record["suite"]["conditions"].as_array().into_iter().flatten();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    conditions.map(|c| (text(&c["name"]), text(&c["describe"]))).collect()
}

/// What is the same for two runs with one seed on one machine.
fn identity(record: &Value, rules: &Rules) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_string(), value));
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_string);
    let suite = &record["suite"];
    add("suite", plain(&suite["name"]));
    for hash in suite["files"].as_array().into_iter().flatten() {
        add("suite file sha256", plain(hash));
    }
    for corpus in suite["corpora"].as_array().into_iter().flatten() {
        let (name, n) = (plain(&corpus["name"]), plain(&corpus["utterances"]));
        add("corpus", format!("{name}, {n} utterances, manifest sha256 {}", plain(&corpus["manifest_sha256"])));
    }
    for corpus in suite["absent"].as_array().into_iter().flatten() {
        add("corpus not present", plain(corpus));
    }
    for model in record["models"].as_array().into_iter().flatten() {
        let weights = model["weights_sha256"].as_str().map_or("none".into(), |h| format!("weights sha256 {h}"));
        add(
            "model",
            format!("{} = {}, {weights}", plain(&model["name"]), without_machine_paths(&plain(&model["spec"]))),
        );
    }
    if let Some(steps) = suite["preprocess"].as_str() {
        add("preprocessing of every recording", steps.to_owned());
    }
    add("normaliser", rules.normalizer.id().to_string());
    add("alignment weights", rules.weights.name().to_string());
    add("seed", plain(&suite["seed"]));
    add("vbench", plain(&record["vbench"]));
    add("lock file sha256", plain(&record["lock_sha256"]));
    let gates = suite["gates"].as_array().map_or(0, Vec::len);
    if gates > 0 {
        add("gates", format!("{gates} declared; `vbench gate RUN` judges budgets, with --baseline all of them"));
    }
    facts
}

fn provenance(run: &Path, record: &Value, time: &TimeSplit) -> Vec<(String, String)> {
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_string);
    let command: Vec<String> = record["command"].as_array().into_iter().flatten().map(plain).collect();
    let machine = &record["machine"];
    vec![
        ("run".into(), run.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        ("started".into(), plain(&record["created"])),
        ("command".into(), without_machine_paths(&command.join(" "))),
        ("git commit".into(), plain(&record["git_commit"])),
        (
            "machine".into(),
            format!(
                "{}, {} cores, {}, {}",
                plain(&machine["cpu"]),
                machine["cores"],
                plain(&machine["memory"]),
                plain(&machine["arch"])
            ),
        ),
        ("jobs".into(), plain(&record["jobs"])),
        ("time".into(), time.sentence()),
    ]
}

/// Names and values.
pub type Facts = Vec<(String, String)>;

/// Facts without those that the machine could not tell.
fn known(facts: Facts) -> Facts {
    facts.into_iter().filter(|(_, value)| value != "null").collect()
}

/// Facts of a run for a page of several: what two runs with one seed share, and what they do not.
pub fn facts_of(run: &Path, record: &RunRecord, rules: &Rules) -> (Facts, Facts) {
    let mut provenance = provenance(run, &record.record, &TimeSplit::of(record, None, 0.0, 0.0));
    // How long rendering takes says nothing about the run.
    provenance.retain(|(name, _)| name != "time");
    (known(identity(&record.record, rules)), known(provenance))
}

/// Where the time went, in seconds.
struct TimeSplit {
    cells: usize,
    run_s: Option<f64>,
    decode_s: f64,
    degrade_s: f64,
    encoder_s: f64,
    model_s: f64,
    score_s: f64,
    aggregate_s: f64,
    report_s: f64,
}

impl TimeSplit {
    fn of(record: &RunRecord, run_s: Option<f64>, score_s: f64, aggregate_s: f64) -> Self {
        let sum = |name: &str, owner: &str| -> f64 {
            let stages = record.timings.values().flat_map(|t| &t.stages);
            let mine = stages.filter(|s| s.name == name && s.owner == owner);
            mine.map(|s| s.t1.saturating_sub(s.t0) as f64 * 1e-9).fold(0.0, |a, b| a + b)
        };
        Self {
            cells: record.rows.len(),
            run_s,
            decode_s: sum("decode", "harness"),
            degrade_s: sum("degrade", "harness"),
            encoder_s: sum("degrade", "encoder"),
            model_s: sum("model", "model"),
            score_s,
            aggregate_s,
            report_s: 0.0,
        }
    }

    fn sentence(&self) -> String {
        let own = self.decode_s + self.degrade_s + self.score_s + self.aggregate_s + self.report_s;
        let per_cell = 1e3 * own / self.cells.max(1) as f64;
        let run = self.run_s.map_or_else(String::new, |s| format!("run {s:.1} s; "));
        let report = if self.report_s > 0.0 { format!(", report {:.2} s", self.report_s) } else { String::new() };
        format!(
            "{run}decode {:.2} s, degrade {:.2} s, codecs {:.2} s, model {:.2} s, score {:.3} s, statistics {:.2} s{report}; \
             the harness' own part is {per_cell:.2} ms a cell",
            self.decode_s, self.degrade_s, self.encoder_s, self.model_s, self.score_s, self.aggregate_s
        )
    }
}
