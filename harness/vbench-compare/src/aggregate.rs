//! Counts and estimates per stratum.

use std::collections::HashMap;

use rayon::prelude::*;
use vbench_core::{ErrorCounts, Estimate};
use vbench_stats::{
    Observation, PairedObservation, Plan, choose_paired_unit, choose_unit, compare_paired, ratio_estimate,
};

use crate::composite::{OverallWeight, latency_readings, overall_score, severity_curves};
use crate::scored::ScoredCell;
use crate::signal::signal_summaries;
use crate::strata::{group, rank_of};
use crate::summary::{ConditionDelta, Coverage, Failure, StratumSummary, Summary};

/// What a summary says about itself beside its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryHead {
    /// Suite name.
    pub suite: String,
    /// Normaliser id.
    pub normalizer: String,
    /// Alignment weights.
    pub weights: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// Headline metric, `wer` or `cer`.
    pub primary: String,
    /// Corpora that the suite names and that are not there.
    pub absent: Vec<String>,
    /// Conditions of the suite in order; the first is what the others are compared with.
    pub conditions: Vec<String>,
    /// Names of the metrics of the signal that the suite asks for, in order.
    pub signal_metrics: Vec<String>,
    /// Properties to stratify by, in order.
    pub strata: Vec<String>,
    /// Strata and weights of the declared overall score; empty where none is declared.
    pub overall: Vec<OverallWeight>,
    /// Declared latency budget in milliseconds beyond the end of the audio.
    pub latency_budget_ms: Option<f64>,
}

/// Aggregates scored cells: per model `all`, then every stratum, then the paired differences to the first condition, the
/// severity curves, the overall score and the readings under a latency budget. Metrics of the signal stand beside them, by
/// condition alone.
///
/// `unscored` are the cells without a hypothesis, with the same properties; their counts are not read.
#[must_use]
pub fn summarize(
    head: SummaryHead,
    scored: &[ScoredCell],
    unscored: &[ScoredCell],
    failures: Vec<Failure>,
    coverage: Coverage,
) -> Summary {
    let plan = Plan::new(head.seed);
    let mut strata = Vec::new();
    let mut deltas = Vec::new();
    let (mut curves, mut overall, mut latency) = (Vec::new(), Vec::new(), Vec::new());
    for model in models(scored, unscored) {
        let mine: Vec<&ScoredCell> = scored.iter().filter(|c| c.model == model).collect();
        let lost: Vec<&ScoredCell> = unscored.iter().filter(|c| c.model == model).collect();
        strata.push(stratum(&plan, &model, "all", "", &mine, lost.len()));
        for by in &head.strata {
            // Strata are named by every planned cell, so that one whose cells all failed still has its line.
            let everyone: Vec<&ScoredCell> = mine.iter().chain(&lost).copied().collect();
            let mut groups = group(&everyone, by);
            if by == "condition" {
                groups.sort_by_key(|(value, _)| head.conditions.iter().position(|c| c == value));
            }
            groups.sort_by_key(|(value, _)| rank_of(by, value));
            let members: HashMap<String, Vec<&ScoredCell>> = group(&mine, by).into_iter().collect();
            let failed: HashMap<String, Vec<&ScoredCell>> = group(&lost, by).into_iter().collect();
            let one = |(value, _): &(String, _)| {
                let failed = failed.get(value).map_or(0, Vec::len);
                stratum(&plan, &model, by, value, members.get(value).map_or(&[], Vec::as_slice), failed)
            };
            strata.par_extend(groups.par_iter().map(one));
        }
        deltas.extend(condition_deltas(&plan, &model, &mine, &head.conditions));
        curves.extend(severity_curves(&plan, &model, &mine, &head.conditions));
        overall.extend(overall_score(&plan, &model, &mine, &head.overall));
        latency.extend(latency_readings(&plan, &model, &mine, head.latency_budget_ms));
    }
    let signal = signal_summaries(&plan, &head.conditions, &head.signal_metrics, scored, unscored);
    Summary {
        suite: head.suite,
        normalizer: head.normalizer,
        weights: head.weights,
        seed: head.seed,
        primary: head.primary,
        coverage,
        absent: head.absent,
        strata,
        deltas,
        curves,
        overall,
        latency,
        signal,
        failures,
    }
}

fn models(scored: &[ScoredCell], unscored: &[ScoredCell]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cell in scored.iter().chain(unscored) {
        if !names.contains(&cell.model) {
            names.push(cell.model.clone());
        }
    }
    names
}

/// The draws are keyed by the metric alone: two strata with the same cells (`noise-5db` and `5 dB`) get the same interval.
fn stratum(plan: &Plan, model: &str, by: &str, value: &str, cells: &[&ScoredCell], failed: usize) -> StratumSummary {
    let ratio = |metric: &str, of: &dyn Fn(&ScoredCell) -> Option<(f64, f64)>| estimate(plan, metric, cells, of);
    let (wer, note) = ratio("wer", &|c| counted(&c.words));
    let (cer, _) = ratio("cer", &|c| counted(&c.chars));
    let with_snr = cells.iter().any(|c| c.achieved_snr_db.is_some());
    let timed = cells.iter().any(|c| c.processing_s.is_some());
    let rates: Vec<f64> = cells.iter().filter_map(|c| c.words.rate()).collect();
    let with_reference = cells.iter().filter(|c| c.words.reference() > 0);
    let wrong = with_reference.filter(|c| c.words.errors() > 0).count();
    StratumSummary {
        model: model.into(),
        by: by.into(),
        value: value.into(),
        planned: cells.len() + failed,
        scored: cells.len(),
        failed,
        words: cells.iter().map(|c| c.words).sum(),
        words_min_errors: cells.iter().map(|c| c.words_min_errors).sum(),
        hallucinated_words: cells.iter().filter(|c| c.words.reference() == 0).map(|c| c.words.ins).sum(),
        chars: cells.iter().map(|c| c.chars).sum(),
        wer,
        note,
        wer_macro: mean(&rates),
        cer,
        sentence_error_rate: (!rates.is_empty()).then(|| wrong as f64 / rates.len() as f64),
        snr_db: with_snr.then(|| ratio("snr", &|c| c.achieved_snr_db.map(|snr| (snr, 1.0))).0),
        rtf: timed.then(|| ratio("rtf", &|c| c.processing_s.map(|p| (p, c.audio_s))).0),
        audio_s: cells.iter().map(|c| c.audio_s).sum(),
        processing_s: cells.iter().filter_map(|c| c.processing_s).sum(),
    }
}

/// Errors over reference tokens; nothing for an empty reference, which has no rate.
pub(crate) fn counted(counts: &ErrorCounts) -> Option<(f64, f64)> {
    (counts.reference() > 0).then(|| (counts.errors() as f64, counts.reference() as f64))
}

pub(crate) fn estimate(
    plan: &Plan,
    key: &str,
    cells: &[&ScoredCell],
    of: &dyn Fn(&ScoredCell) -> Option<(f64, f64)>,
) -> (Estimate, Option<String>) {
    let names: Vec<String> = cells.iter().map(|c| format!("{}/{}", c.corpus, c.utterance)).collect();
    let observations: Vec<Observation> = cells
        .iter()
        .zip(&names)
        .filter_map(|(c, name)| {
            let (num, den) = of(c)?;
            Some(Observation {
                utterance: name,
                speaker: c.speaker.as_deref(),
                session: c.session.as_deref(),
                num,
                den,
            })
        })
        .collect();
    let clusters = choose_unit(&observations);
    (ratio_estimate(&clusters, plan, key), clusters.note())
}

/// WER of every later condition against the first one, on the utterances that both have.
fn condition_deltas(plan: &Plan, model: &str, cells: &[&ScoredCell], order: &[String]) -> Vec<ConditionDelta> {
    let groups = group(cells, "condition");
    let Some((from, others)) = order.split_first() else { return Vec::new() };
    let members = |name: &String| groups.iter().find(|(value, _)| value == name).map(|(_, members)| members);
    let Some(base) = members(from) else { return Vec::new() };
    let base: HashMap<(&str, &str), &ScoredCell> =
        base.iter().map(|c| ((c.corpus.as_str(), c.utterance.as_str()), *c)).collect();
    let delta = |to: &String| Some(condition_delta(plan, model, (from, &base), (to, members(to)?)));
    others.par_iter().filter_map(delta).collect()
}

fn condition_delta(
    plan: &Plan,
    model: &str,
    (from, base): (&str, &HashMap<(&str, &str), &ScoredCell>),
    (to, members): (&str, &[&ScoredCell]),
) -> ConditionDelta {
    let pairs: Vec<(String, &ScoredCell, &ScoredCell)> = members
        .iter()
        .filter_map(|b| {
            let a = base.get(&(b.corpus.as_str(), b.utterance.as_str()))?;
            Some((format!("{}/{}", b.corpus, b.utterance), *a, *b))
        })
        .collect();
    let observations: Vec<PairedObservation> = pairs
        .iter()
        .filter(|(_, a, _)| a.words.reference() > 0)
        .map(|(name, a, b)| PairedObservation {
            utterance: name,
            speaker: a.speaker.as_deref(),
            session: a.session.as_deref(),
            a: a.words.errors() as f64,
            b: b.words.errors() as f64,
            den: a.words.reference() as f64,
        })
        .collect();
    let comparison = compare_paired(&choose_paired_unit(&observations), plan, "wer-difference");
    ConditionDelta {
        model: model.into(),
        from: from.into(),
        to: to.into(),
        wer_difference: comparison.difference,
        p_value: comparison.test.ok().map(|t| t.p_two_sided),
        utterances: observations.len(),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
