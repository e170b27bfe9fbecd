//! Metrics of the degraded signal against its clean input, per condition: what the strata are, proved on the audio itself.

use vbench_core::{Estimate, SIGNAL_METRICS};
use vbench_stats::Plan;

use crate::aggregate::estimate;
use crate::scored::ScoredCell;

/// One metric of the signal in one condition.
///
/// Of the audio alone, hence without a model: an utterance in a condition sounds the same to every model and counts once.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalSummary {
    /// Condition name.
    pub condition: String,
    /// Name of the metric, as in `vbench_core::SIGNAL_METRICS`.
    pub metric: String,
    /// Mean over the utterances for which it is defined, in the metric's unit. The interval is that of the other estimates:
    /// over the same resampling units, by the same method, with draws keyed by the metric.
    pub mean: Estimate,
    /// What the interval is conditional on, as in [`crate::StratumSummary::note`].
    pub note: Option<String>,
    /// Utterances scored in this condition by any model.
    pub utterances: usize,
    /// Those of them for which the metric is not defined (silence, a clip shorter than its frame, equal signals).
    pub undefined: usize,
}

/// Per condition of the suite that was planned, then per metric: those that the suite asks for, then others that the cells
/// have. Nothing where there are no metrics.
pub(crate) fn signal_summaries(
    plan: &Plan,
    conditions: &[String],
    wanted: &[String],
    scored: &[ScoredCell],
    unscored: &[ScoredCell],
) -> Vec<SignalSummary> {
    let metrics = metrics(wanted, scored);
    if metrics.is_empty() {
        return Vec::new();
    }
    let planned = |name: &&String| scored.iter().chain(unscored).any(|c| c.condition == **name);
    let of_condition = |name: &String| {
        let utterances = utterances(scored.iter().filter(|c| c.condition == *name));
        metrics.iter().map(|metric| summary(plan, name, metric, &utterances)).collect::<Vec<_>>()
    };
    conditions.iter().filter(planned).flat_map(of_condition).collect()
}

/// Names in the order of the columns: as the suite asks, then in the order of [`SIGNAL_METRICS`], then unknown ones by name.
fn metrics(wanted: &[String], scored: &[ScoredCell]) -> Vec<String> {
    let rank = |name: &str| SIGNAL_METRICS.iter().position(|m| m.name == name).unwrap_or(SIGNAL_METRICS.len());
    let mut present: Vec<&String> = scored.iter().flat_map(|c| c.signal.iter().map(|(name, _)| name)).collect();
    present.sort_by_key(|name| (rank(name), *name));
    present.dedup();
    let mut names = wanted.to_vec();
    names.extend(present.into_iter().filter(|name| !wanted.contains(name)).cloned());
    names
}

/// The cells of each utterance, one per model, utterances in the order in which they first appear.
fn utterances<'a>(cells: impl Iterator<Item = &'a ScoredCell>) -> Vec<Vec<&'a ScoredCell>> {
    let mut place = std::collections::HashMap::new();
    let mut utterances: Vec<Vec<&ScoredCell>> = Vec::new();
    for cell in cells {
        let at = *place.entry((cell.corpus.as_str(), cell.utterance.as_str())).or_insert(utterances.len());
        match utterances.get_mut(at) {
            Some(models) => models.push(cell),
            None => utterances.push(vec![cell]),
        }
    }
    utterances
}

fn summary(plan: &Plan, condition: &str, metric: &str, utterances: &[Vec<&ScoredCell>]) -> SignalSummary {
    let value = |c: &ScoredCell| c.signal.iter().find(|(name, v)| name == metric && v.is_finite()).map(|(_, v)| *v);
    let defined: Vec<&ScoredCell> =
        utterances.iter().filter_map(|models| models.iter().copied().find(|c| value(c).is_some())).collect();
    let (mean, note) = match (utterances.len(), defined.len()) {
        (0, _) => (Estimate::not_estimable(f64::NAN, "no utterance was scored"), None),
        (n, 0) => (Estimate::not_estimable(f64::NAN, format!("not defined for any of the {n} utterances")), None),
        // An interval for "no errors" is one of a share, which zero samples of delay are not.
        (_, n) if defined.iter().all(|c| value(c) == Some(0.0)) => {
            let text = format!("all {n} utterances have the same value: no spread to infer from");
            (Estimate::not_estimable(0.0, text), None)
        }
        _ => estimate(plan, metric, &defined, &|c| Some((value(c)?, 1.0))),
    };
    SignalSummary {
        condition: condition.into(),
        metric: metric.into(),
        mean,
        note,
        utterances: utterances.len(),
        undefined: utterances.len() - defined.len(),
    }
}
