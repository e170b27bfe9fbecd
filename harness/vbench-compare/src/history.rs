//! One metric over many runs: where it changed.
//!
//! Binary segmentation over the runs of one model in order of time. For every boundary of a stretch of runs, each cluster
//! (speaker, session or utterance, by the rule of every comparison) has one difference: its errors after the boundary less
//! those before, as means over runs. The cluster sign-flip test (`vbench_stats::sign_flip`) gives the boundary its p. The
//! boundary with the smallest p (of several, the one with the largest jump, weighted by the lengths of both sides) is a
//! change point when p times the number of boundaries of the whole history, the first step of Holm's adjustment, is at
//! most [`ALPHA`]; both sides are then looked at in the same way.
//!
//! The test takes clusters as independent. That holds for what a model hears and writes; it does not hold for times, where a
//! busy machine slows every cluster at once, so times have no change points.

use std::collections::HashMap;

use vbench_core::keyed::keyed_rng;
use vbench_core::{Estimate, ResamplingUnit};
use vbench_stats::{MIN_UNITS, PairedClusters, Plan, assign_units, compare_paired, sign_flip};

use crate::comparison::ALPHA;
use crate::pair::SideCell;

/// Fewest sign patterns drawn where not all are counted.
const MIN_FLIPS: usize = 9_999;

/// A run takes part with at least this share of the cells of the fullest run.
const MIN_SHARE: f64 = 0.5;

/// An error rate with a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistoryMetric {
    /// Word error rate.
    Wer,
    /// Character error rate.
    Cer,
}

impl HistoryMetric {
    /// `wer` or `cer`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wer => "wer",
            Self::Cer => "cer",
        }
    }
}

/// A cell of one run, as far as its history needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HistoryCell {
    utterance: String,
    condition: String,
    speaker: Option<String>,
    session: Option<String>,
    /// Reference text and hash of the audio: other content under the same name is another cell.
    content: (String, String),
    words: (u64, u64),
    chars: (u64, u64),
}

/// The cells of one model in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunCells(Vec<HistoryCell>);

impl RunCells {
    /// Keeps what a history needs of scored cells; cells without a reference have no rate and are left out.
    #[must_use]
    pub fn new(cells: &[SideCell]) -> Self {
        let spoken = cells.iter().filter(|c| c.scored.words.reference() > 0);
        let kept = spoken.map(|c| HistoryCell {
            utterance: format!("{}/{}", c.scored.corpus, c.scored.utterance),
            condition: c.scored.condition.clone(),
            speaker: c.scored.speaker.clone(),
            session: c.scored.session.clone(),
            content: (c.reference.clone(), c.audio_sha256.clone()),
            words: (c.scored.words.errors(), c.scored.words.reference()),
            chars: (c.scored.chars.errors(), c.scored.chars.reference()),
        });
        Self(kept.collect())
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A boundary between two runs where the metric changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Index of the first run behind it, among the runs given.
    pub run: usize,
    /// Mean rate of the runs since the change before this one (or the beginning), over the shared cells; a fraction.
    pub before: f64,
    /// Mean rate of the runs up to the next change (or the end).
    pub after: f64,
    /// `after - before` with its paired interval.
    pub difference: Estimate,
    /// Two-sided p of the sign-flip test, times the number of boundaries of the history; at most [`ALPHA`].
    pub p_adjusted: f64,
}

/// Changes of one metric over runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoints {
    /// In order of time.
    pub changes: Vec<Change>,
    /// Runs looked at, as indices.
    pub used: Vec<usize>,
    /// Runs with too few cells to take part.
    pub left_out: Vec<usize>,
    /// Cells that all runs looked at have with the same reference and audio.
    pub cells: usize,
    /// What a cluster is, and how many there are; absent when no cell is shared.
    pub clusters: Option<(ResamplingUnit, usize)>,
    /// Why no change could be looked for.
    pub reason: Option<String>,
}

/// Looks for changes of a metric over the runs of one model, given in order of time; over one condition, or all.
#[must_use]
pub fn change_points(
    runs: &[Option<&RunCells>],
    metric: HistoryMetric,
    condition: Option<&str>,
    seed: u64,
) -> ChangePoints {
    let wanted = |c: &&HistoryCell| condition.is_none_or(|name| c.condition == name);
    let cells: Vec<Vec<&HistoryCell>> =
        runs.iter().map(|run| run.iter().flat_map(|r| &r.0).filter(wanted).collect()).collect();
    let fullest = cells.iter().map(Vec::len).max().unwrap_or(0);
    let enough = |i: &usize| cells[*i].len() as f64 >= MIN_SHARE * fullest as f64 && !cells[*i].is_empty();
    let (used, left_out): (Vec<usize>, Vec<usize>) =
        (0..runs.len()).filter(|i| !cells[*i].is_empty()).partition(enough);
    let mut found =
        ChangePoints { changes: Vec::new(), cells: 0, clusters: None, reason: None, used: used.clone(), left_out };
    if used.len() < 2 {
        found.reason = Some("a change needs at least two runs of the same cells".into());
        return found;
    }
    let Some(series) = Series::of(&used.iter().map(|i| cells[*i].as_slice()).collect::<Vec<_>>(), metric) else {
        found.reason = Some("no cell has the same reference and the same audio in all runs".into());
        return found;
    };
    found.cells = series.cells;
    found.clusters = Some((series.unit, series.den.len()));
    let boundaries = used.len() - 1;
    let smallest = 2.0 * 0.5f64.powi(i32::try_from(series.den.len()).unwrap_or(i32::MAX)) * boundaries as f64;
    if series.den.len() < MIN_UNITS || smallest > ALPHA {
        let (n, unit) = (series.den.len(), series.unit);
        found.reason = Some(match boundaries {
            1 => format!("{n} {unit} clusters are too few to show a change at one boundary"),
            _ => format!("{n} {unit} clusters are too few to show a change at one of {boundaries} boundaries"),
        });
        return found;
    }
    let search = Search { series: &series, metric, seed, boundaries };
    let mut at: Vec<(usize, f64)> = Vec::new();
    search.segment(0, used.len(), &mut at);
    at.sort_unstable_by_key(|(boundary, _)| *boundary);
    found.changes = search.changes(&at, &used);
    found
}

/// Sums per cluster and run.
struct Series {
    unit: ResamplingUnit,
    cells: usize,
    utterances: usize,
    /// Reference tokens of each cluster: the same in every run.
    den: Vec<f64>,
    /// Errors of each run, then cluster.
    errors: Vec<Vec<f64>>,
}

impl Series {
    /// The cells that all runs share; nothing when there are none.
    fn of(runs: &[&[&HistoryCell]], metric: HistoryMetric) -> Option<Self> {
        type Key<'a> = (&'a str, &'a str, &'a (String, String));
        fn key(c: &HistoryCell) -> Key<'_> {
            (&c.utterance, &c.condition, &c.content)
        }
        let counts = |c: &HistoryCell| match metric {
            HistoryMetric::Wer => c.words,
            HistoryMetric::Cer => c.chars,
        };
        let (first, others) = runs.split_first()?;
        let maps: Vec<HashMap<Key<'_>, (u64, u64)>> =
            others.iter().map(|cells| cells.iter().map(|c| (key(c), counts(c))).collect()).collect();
        let same = |c: &&&HistoryCell| maps.iter().all(|m| m.get(&key(c)).is_some_and(|n| n.1 == counts(c).1));
        let shared: Vec<&HistoryCell> = first.iter().filter(same).copied().collect();
        if shared.is_empty() {
            return None;
        }
        let names = || shared.iter().map(|c| (c.utterance.as_str(), c.speaker.as_deref(), c.session.as_deref()));
        let (unit, cluster_of, clusters) = assign_units(names());
        let (mut den, mut errors) = (vec![0.0; clusters], vec![vec![0.0; clusters]; runs.len()]);
        for (cell, &cluster) in shared.iter().zip(&cluster_of) {
            den[cluster] += counts(cell).1 as f64;
            errors[0][cluster] += counts(cell).0 as f64;
            for (run, map) in maps.iter().enumerate() {
                errors[run + 1][cluster] += map.get(&key(cell)).map_or(0.0, |n| n.0 as f64);
            }
        }
        let mut utterances: Vec<&str> = shared.iter().map(|c| c.utterance.as_str()).collect();
        utterances.sort_unstable();
        utterances.dedup();
        Some(Self { unit, cells: shared.len(), utterances: utterances.len(), den, errors })
    }

    /// Mean errors of each cluster over a stretch of runs.
    fn mean(&self, from: usize, to: usize) -> Vec<f64> {
        let runs = (to - from) as f64;
        (0..self.den.len()).map(|c| self.errors[from..to].iter().map(|run| run[c]).sum::<f64>() / runs).collect()
    }
}

struct Search<'a> {
    series: &'a Series,
    metric: HistoryMetric,
    seed: u64,
    boundaries: usize,
}

impl Search<'_> {
    /// Finds the boundaries of `from..to`; recursion ends because both sides are shorter.
    fn segment(&self, from: usize, to: usize, found: &mut Vec<(usize, f64)>) {
        let candidates = (from + 1..to).filter_map(|at| Some((at, self.test(from, at, to)?)));
        let best = candidates.min_by(|(_, x), (_, y)| x.0.total_cmp(&y.0).then(y.1.total_cmp(&x.1)));
        let Some((at, (p, _))) = best else { return };
        let adjusted = (p * self.boundaries as f64).min(1.0);
        if adjusted > ALPHA {
            return;
        }
        found.push((at, adjusted));
        self.segment(from, at, found);
        self.segment(at, to, found);
    }

    /// p of a boundary, and the size of its jump weighted by the lengths of both sides; nothing without a difference.
    fn test(&self, from: usize, at: usize, to: usize) -> Option<(f64, f64)> {
        let (before, after) = (self.series.mean(from, at), self.series.mean(at, to));
        let differences: Vec<f64> = after.iter().zip(&before).map(|(b, a)| b - a).collect();
        if differences.iter().all(|d| *d == 0.0) {
            return None;
        }
        let key = format!("{}-{from}-{at}-{to}", self.metric.name());
        // Enough patterns for a p that stays below the level after the adjustment.
        let flips = MIN_FLIPS.max(400 * self.boundaries);
        let test = sign_flip(&differences, flips, &mut keyed_rng(self.seed, "history", "", &key)).ok()?;
        let (left, right) = ((at - from) as f64, (to - at) as f64);
        Some((test.p_two_sided, test.observed.abs() * (left * right / (left + right)).sqrt()))
    }

    fn changes(&self, at: &[(usize, f64)], used: &[usize]) -> Vec<Change> {
        let end = used.len();
        let one = |(i, (boundary, p_adjusted)): (usize, &(usize, f64))| {
            let from = if i == 0 { 0 } else { at[i - 1].0 };
            let to = at.get(i + 1).map_or(end, |next| next.0);
            let (before, after) = (self.series.mean(from, *boundary), self.series.mean(*boundary, to));
            let sums = before.iter().zip(&after).zip(&self.series.den);
            let clusters = PairedClusters {
                unit: self.series.unit,
                sums: sums.map(|((a, b), den)| vbench_stats::paired::PairedSums { a: *a, b: *b, den: *den }).collect(),
                utterances: self.series.utterances,
                speakers: None,
            };
            let key = format!("history-{}-{from}-{boundary}-{to}", self.metric.name());
            let paired = compare_paired(&clusters, &Plan::new(self.seed), &key);
            Change {
                run: used[*boundary],
                before: paired.a,
                after: paired.b,
                difference: paired.difference,
                p_adjusted: *p_adjusted,
            }
        };
        at.iter().enumerate().map(one).collect()
    }
}
