//! The error rate under every named normaliser: how much of a number is the choice of normaliser.

use std::collections::HashMap;

use rayon::prelude::*;
use vbench_core::{ErrorCounts, Estimate};
use vbench_score::corpus::PairCounter;
use vbench_score::{CharUnit, Normalizer};
use vbench_stats::{Clusters, Observed, Plan, choose_units, ratio_estimate};

use super::{AnalysedCell, AnalysisRules, Rate};
use crate::aggregate::counted;
use crate::scored::ScoredCell;

/// A stratum under every normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalizerBand {
    /// `all` or `condition`.
    pub by: String,
    /// Name of the condition; empty for `all`.
    pub value: String,
    /// One a normaliser: that of the run first where it is none of the named four, then `none`, `basic`, `whisper-en`,
    /// `script-safe`.
    pub rows: Vec<BandRow>,
    /// Lowest and highest rate; absent without reference tokens.
    pub range: Option<(f64, f64)>,
}

/// A stratum under one normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct BandRow {
    /// Id with version.
    pub normalizer: String,
    /// This is the run's own.
    pub used: bool,
    /// Counts under this normaliser.
    pub counts: ErrorCounts,
    /// Cells whose texts are too long to be aligned under this normaliser: in no count.
    pub left_out: usize,
    /// Error rate, a fraction: of the run's own normaliser the same estimate as in the summary.
    pub rate: Estimate,
    /// What the interval is conditional on.
    pub note: Option<String>,
}

/// The named normalisers that every run can be scored with.
const NAMED: [Normalizer; 4] = [
    Normalizer::None,
    Normalizer::Basic { split_letters: false, remove_diacritics: false },
    Normalizer::WhisperEn,
    Normalizer::ScriptSafe { remove_harakat: false },
];

/// Pairs counted by one thread before the next takes some.
const CHUNK: usize = 256;

/// Every cell's counts under one normaliser.
pub(super) struct Recount {
    id: String,
    used: bool,
    /// One a cell; nothing where the texts are too long to be aligned.
    counts: Vec<Option<ErrorCounts>>,
}

/// Counts all cells under all normalisers. Equal pairs of texts, which degradations leave many of, are counted once.
pub(super) fn recount(cells: &[AnalysedCell<'_>], rules: &AnalysisRules<'_>) -> Vec<Recount> {
    let mut place_of: HashMap<(&str, &str), usize> = HashMap::with_capacity(cells.len());
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(cells.len());
    let places: Vec<usize> = cells
        .iter()
        .map(|c| {
            *place_of.entry((c.reference, c.hypothesis)).or_insert_with(|| {
                pairs.push((c.reference, c.hypothesis));
                pairs.len() - 1
            })
        })
        .collect();
    let own = (!NAMED.contains(rules.normalizer)).then(|| rules.normalizer.clone());
    let of_normalizer = |normalizer: Normalizer| {
        let used = normalizer == *rules.normalizer;
        let counts = if used {
            cells.iter().map(|c| Some(rules.rate.counts(c.cell))).collect()
        } else {
            let of_pairs = count(&pairs, &normalizer, rules);
            places.iter().map(|p| of_pairs[*p]).collect()
        };
        Recount { id: normalizer.id().to_owned(), used, counts }
    };
    own.into_iter().chain(NAMED).map(of_normalizer).collect()
}

fn count(pairs: &[(&str, &str)], normalizer: &Normalizer, rules: &AnalysisRules<'_>) -> Vec<Option<ErrorCounts>> {
    let chunk = |chunk: &[(&str, &str)]| -> Vec<Option<ErrorCounts>> {
        let mut counter = PairCounter::new(normalizer, rules.weights, CharUnit::Grapheme);
        let mut of_pair = |(reference, hypothesis): &(&str, &str)| match rules.rate {
            Rate::Words => counter.align_words(reference, hypothesis).ok().map(|a| a.counts),
            Rate::Characters => counter.count(reference, hypothesis).ok().map(|c| c.chars),
        };
        chunk.iter().map(&mut of_pair).collect()
    };
    pairs.par_chunks(CHUNK).flat_map_iter(chunk).collect()
}

/// The named ones and the run's own.
const MOST: usize = NAMED.len() + 1;

/// A cell with its place among all.
#[derive(Clone, Copy)]
struct Piece<'a> {
    name: &'a str,
    cell: &'a ScoredCell,
    index: usize,
}

impl Observed for Piece<'_> {
    fn keys(&self) -> (&str, Option<&str>, Option<&str>) {
        (self.name, self.cell.speaker.as_deref(), self.cell.session.as_deref())
    }
}

/// The band of a stratum, given as property, value and the cells' indices.
pub(super) fn band(
    plan: &Plan,
    cells: &[AnalysedCell<'_>],
    recounted: &[Recount],
    (by, value, members): &(&str, &&str, Vec<usize>),
    rules: &AnalysisRules<'_>,
) -> NormalizerBand {
    let names: Vec<String> =
        members.iter().map(|i| format!("{}/{}", cells[*i].cell.corpus, cells[*i].cell.utterance)).collect();
    let pieces: Vec<Piece<'_>> =
        members.iter().zip(&names).map(|(i, name)| Piece { name, cell: cells[*i].cell, index: *i }).collect();
    let rated = |r: &Recount, p: &Piece<'_>| r.counts[p.index].as_ref().and_then(counted);
    let same = |p: &Piece<'_>| recounted.iter().all(|r| rated(r, p).is_some() == rated(&recounted[0], p).is_some());
    // Sorting names costs more than sums: where all normalisers leave words in the same cells, the units are assigned once.
    let clusters: Vec<Clusters> = if pieces.iter().all(same) {
        let kept: Vec<Piece<'_>> = pieces.iter().copied().filter(|p| rated(&recounted[0], p).is_some()).collect();
        let of =
            |p: &Piece<'_>| std::array::from_fn(|i| recounted.get(i).and_then(|r| rated(r, p)).unwrap_or_default());
        choose_units::<MOST, _>(&kept, of).into_iter().take(recounted.len()).collect()
    } else {
        let alone = |r: &Recount| {
            let kept: Vec<Piece<'_>> = pieces.iter().copied().filter(|p| rated(r, p).is_some()).collect();
            let [clusters] = choose_units(&kept, |p| [rated(r, p).unwrap_or_default()]);
            clusters
        };
        recounted.iter().map(alone).collect()
    };
    let row = |(recount, clusters): (&Recount, &Clusters)| {
        let of_members = || members.iter().map(|i| recount.counts[*i]);
        BandRow {
            normalizer: recount.id.clone(),
            used: recount.used,
            counts: of_members().flatten().sum(),
            left_out: of_members().filter(Option::is_none).count(),
            rate: ratio_estimate(clusters, plan, rules.rate.metric()),
            note: clusters.note(),
        }
    };
    let rows: Vec<BandRow> = recounted.iter().zip(&clusters).map(row).collect();
    let rates = rows.iter().map(|r| r.rate.value).filter(|v| v.is_finite());
    let range =
        rates.fold(None, |range: Option<(f64, f64)>, v| Some(range.map_or((v, v), |(lo, hi)| (lo.min(v), hi.max(v)))));
    NormalizerBand { by: (*by).into(), value: (**value).into(), rows, range }
}
