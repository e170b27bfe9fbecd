//! Numbers made of several strata or readings of one model: severity curves and the areas under them, overall score,
//! latency-constrained WER.

use vbench_core::{ErrorCounts, Estimate, GateMetric, Severity};
use vbench_stats::{Observation, Plan, StrataClusters, weighted_estimate};

use crate::aggregate::{counted, estimate};
use crate::metric::contribution;
use crate::scored::ScoredCell;
use crate::strata::value_of;

/// WER over the parameter that varies within a family of conditions, such as the target SNR of one kind of noise, with
/// the area under it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeverityCurve {
    /// Model name.
    pub model: String,
    /// What the conditions have in common, [`Severity::family`].
    pub family: String,
    /// The parameter that varies, [`Severity::parameter`], e.g. `snr_db`.
    pub parameter: String,
    /// Lowest value first; at least two. Conditions of one family and one value are pooled.
    pub points: Vec<CurvePoint>,
    /// Trapezoid of the WER over the parameter divided by the parameter's range: a fraction, the mean height of the curve.
    /// Its interval resamples whole units with their errors at every level.
    pub area: Estimate,
    /// What the interval is conditional on, as in [`crate::StratumSummary::note`].
    pub note: Option<String>,
}

/// One level of a [`SeverityCurve`].
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// Value of the parameter, in its unit.
    pub value: f64,
    /// Cells scored.
    pub scored: usize,
    /// WER as a fraction, the same estimate as that of a stratum of these cells.
    pub wer: Estimate,
}

/// One stratum of a declared overall score.
#[derive(Debug, Clone, PartialEq)]
pub struct OverallWeight {
    /// Property, e.g. `condition`.
    pub by: String,
    /// Its value, as shown in tables.
    pub value: String,
    /// Weight as declared, above 0; the score divides by the sum of all.
    pub weight: f64,
}

/// Weighted mean of the WERs of declared strata.
#[derive(Debug, Clone, PartialEq)]
pub struct OverallScore {
    /// Model name.
    pub model: String,
    /// Strata and weights as declared.
    pub weights: Vec<OverallWeight>,
    /// The score, a fraction; not estimable when a stratum has no reference words.
    pub wer: Estimate,
    /// What the interval is conditional on.
    pub note: Option<String>,
}

/// Latency-constrained WER at one budget, in its three readings, over the timed cells of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyReadings {
    /// Model name.
    pub model: String,
    /// Budget in milliseconds beyond the end of the audio.
    pub budget_ms: f64,
    /// Cells with a hypothesis and a timing: what the readings are of.
    pub timed: usize,
    /// Cells with a hypothesis and no timing: in none of the readings.
    pub untimed: usize,
    /// Timed cells whose output came after the budget.
    pub late: usize,
    /// Word counts of the cells on time.
    pub on_time_words: ErrorCounts,
    /// Word errors when every late output counts as empty.
    pub late_empty_errors: u64,
    /// Reference words of the timed cells.
    pub reference_words: u64,
    /// Share of timed cells on time, 0 to 1.
    pub on_time: Estimate,
    /// WER of the cells on time alone: says nothing without [`LatencyReadings::on_time`] beside it.
    pub wer_on_time: Estimate,
    /// WER with every late output counted as empty, so that all of its words are deleted: what gates look at.
    pub wer_late_empty: Estimate,
    /// WER of all timed cells, however late.
    pub wer: Estimate,
    /// What the intervals are conditional on.
    pub note: Option<String>,
}

/// The curves of a model, one for each family whose cells have at least two levels, in the order of `conditions`.
pub(crate) fn severity_curves(
    plan: &Plan,
    model: &str,
    cells: &[&ScoredCell],
    conditions: &[String],
) -> Vec<SeverityCurve> {
    let mut families: Vec<(&Severity, Vec<&ScoredCell>)> = Vec::new();
    let mut ordered = cells.to_vec();
    ordered.sort_by_key(|c| conditions.iter().position(|name| *name == c.condition).unwrap_or(conditions.len()));
    for cell in ordered {
        let Some(severity) = cell.severity.as_ref().filter(|s| s.value.is_finite()) else { continue };
        let same = |s: &Severity| s.family == severity.family && s.parameter == severity.parameter;
        match families.iter_mut().find(|(s, _)| same(s)) {
            Some((_, members)) => members.push(cell),
            None => families.push((severity, vec![cell])),
        }
    }
    families.iter().filter_map(|(family, members)| severity_curve(plan, model, family, members)).collect()
}

fn severity_curve(plan: &Plan, model: &str, family: &Severity, cells: &[&ScoredCell]) -> Option<SeverityCurve> {
    let level_of = |c: &ScoredCell| c.severity.as_ref().map(|s| s.value);
    let mut levels: Vec<f64> = cells.iter().filter_map(|c| level_of(c)).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    if levels.len() < 2 {
        return None;
    }
    let of_level = |level: f64| cells.iter().copied().filter(move |c| level_of(c) == Some(level));
    let points = levels.iter().map(|&value| {
        let members: Vec<&ScoredCell> = of_level(value).collect();
        let wer = estimate(plan, "wer", &members, &|c| counted(&c.words)).0;
        CurvePoint { value, scored: members.len(), wer }
    });
    let members: Vec<(usize, &ScoredCell)> =
        levels.iter().enumerate().flat_map(|(i, &l)| of_level(l).map(move |c| (i, c))).collect();
    let parameter = family.parameter.as_str();
    let name = |l: &f64| if parameter == "snr_db" { format!("{l} dB") } else { format!("{parameter} {l}") };
    let names = levels.iter().map(name).collect();
    let (area, note) = weighted(plan, "wer-area", &members, names, &trapezoid(&levels));
    let (model, family, parameter) = (model.into(), family.family.clone(), parameter.into());
    Some(SeverityCurve { model, family, parameter, points: points.collect(), area, note })
}

/// Weights of the trapezoid rule over ascending places, divided by their range: they sum to 1.
fn trapezoid(places: &[f64]) -> Vec<f64> {
    let at = |i: usize| places[i.min(places.len() - 1)];
    let range = at(places.len() - 1) - at(0);
    (0..places.len()).map(|i| (at(i + 1) - at(i.saturating_sub(1))) / (2.0 * range)).collect()
}

/// The declared overall score of a model.
pub(crate) fn overall_score(
    plan: &Plan,
    model: &str,
    cells: &[&ScoredCell],
    weights: &[OverallWeight],
) -> Option<OverallScore> {
    if weights.is_empty() {
        return None;
    }
    let total: f64 = weights.iter().map(|w| w.weight).sum();
    let shares: Vec<f64> = weights.iter().map(|w| w.weight / total).collect();
    let in_stratum = |c: &ScoredCell, w: &OverallWeight| value_of(c, &w.by).as_ref() == Some(&w.value);
    let members: Vec<(usize, &ScoredCell)> = weights
        .iter()
        .enumerate()
        .flat_map(|(i, w)| cells.iter().copied().filter(move |c| in_stratum(c, w)).map(move |c| (i, c)))
        .collect();
    let names = weights.iter().map(|w| format!("{}={}", w.by, w.value)).collect();
    let (wer, note) = weighted(plan, "wer", &members, names, &shares);
    Some(OverallScore { model: model.into(), weights: weights.to_vec(), wer, note })
}

/// Weighted sum of the WERs of strata, given as cells with the index of their stratum.
fn weighted(
    plan: &Plan,
    key: &str,
    members: &[(usize, &ScoredCell)],
    names: Vec<String>,
    weights: &[f64],
) -> (Estimate, Option<String>) {
    let spoken: Vec<(usize, &ScoredCell, (f64, f64))> =
        members.iter().filter_map(|(i, c)| Some((*i, *c, counted(&c.words)?))).collect();
    if let Some((_, name)) = names.iter().enumerate().find(|(i, _)| !spoken.iter().any(|s| s.0 == *i)) {
        return (Estimate::not_estimable(f64::NAN, format!("no reference words were scored in {name}")), None);
    }
    let utterances: Vec<String> = spoken.iter().map(|(_, c, _)| format!("{}/{}", c.corpus, c.utterance)).collect();
    let observations: Vec<(usize, Observation)> = spoken
        .iter()
        .zip(&utterances)
        .map(|((i, c, (num, den)), utterance)| {
            let (speaker, session) = (c.speaker.as_deref(), c.session.as_deref());
            (*i, Observation { utterance, speaker, session, num: *num, den: *den })
        })
        .collect();
    let clusters = StrataClusters::new(weights.len(), &observations);
    (weighted_estimate(&clusters, weights, plan, key), clusters.note())
}

/// The three readings of a model, where its cells were timed and the suite declares a budget.
pub(crate) fn latency_readings(
    plan: &Plan,
    model: &str,
    cells: &[&ScoredCell],
    budget_ms: Option<f64>,
) -> Option<LatencyReadings> {
    let timed: Vec<&ScoredCell> = cells.iter().copied().filter(|c| c.late.is_some()).collect();
    let on_time: Vec<&ScoredCell> = timed.iter().copied().filter(|c| c.late == Some(false)).collect();
    if timed.is_empty() {
        return None;
    }
    let late_empty = |c: &ScoredCell| contribution(c, GateMetric::WerLateEmpty);
    let (late_share, _) = estimate(plan, "late", &timed, &|c| Some((f64::from(u8::from(c.late == Some(true))), 1.0)));
    let (wer, note) = estimate(plan, "wer", &timed, &|c| counted(&c.words));
    Some(LatencyReadings {
        model: model.into(),
        budget_ms: budget_ms?,
        timed: timed.len(),
        untimed: cells.len() - timed.len(),
        late: timed.len() - on_time.len(),
        on_time_words: on_time.iter().map(|c| c.words).sum(),
        late_empty_errors: timed.iter().filter_map(|c| late_empty(c)).map(|(errors, _)| errors as u64).sum(),
        reference_words: timed.iter().map(|c| c.words.reference()).sum(),
        on_time: complement(late_share),
        wer_on_time: estimate(plan, "wer", &on_time, &|c| counted(&c.words)).0,
        wer_late_empty: estimate(plan, "wer", &timed, &late_empty).0,
        wer,
        note,
    })
}

/// One minus a share; the ends change places and stay within 0 to 1.
fn complement(mut share: Estimate) -> Estimate {
    share.value = 1.0 - share.value;
    if let Ok(interval) = &mut share.interval {
        (interval.lo, interval.hi) = ((1.0 - interval.hi).max(0.0), (1.0 - interval.lo).min(1.0));
    }
    share
}

#[cfg(test)]
mod tests {
    use super::trapezoid;

    #[test]
    fn trapezoid_weights_sum_to_one_and_integrate_lines_exactly() {
        for places in [vec![5.0, 20.0], vec![5.0, 10.0, 15.0, 20.0], vec![-10.0, 0.0, 3.0, 30.0]] {
            let weights = trapezoid(&places);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{places:?}");
            // The mean of 2 x + 1 over the range is its value in the middle.
            let mean: f64 = weights.iter().zip(&places).map(|(w, x)| w * (2.0 * x + 1.0)).sum();
            assert!((mean - (places[0] + places[places.len() - 1] + 1.0)).abs() < 1e-9, "{places:?}");
        }
        assert_eq!(trapezoid(&[0.0, 5.0, 20.0]), [0.125, 0.5, 0.375]);
    }
}
