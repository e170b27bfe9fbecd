//! The error rate of every speaker, and of the worst tenth together.

use std::collections::BTreeMap;

use rayon::prelude::*;
use vbench_core::{ErrorCounts, Estimate};
use vbench_stats::Plan;

use super::Rate;
use crate::aggregate::estimate;
use crate::scored::ScoredCell;

/// At most this many speakers, the worst ones, get an interval: each costs a bootstrap of its own.
pub const MAX_INTERVALS: usize = 100;

/// Fewer speakers than this have no worst tenth.
const MIN_SPEAKERS: usize = 10;

/// Error rates by speaker.
#[derive(Debug, Clone, PartialEq)]
pub struct Speakers {
    /// Speakers with reference tokens, the highest rate first, then by name.
    pub rows: Vec<SpeakerRow>,
    /// The worst tenth together, or why there is none.
    pub worst: Result<WorstTenth, String>,
    /// Cells whose speaker is not known: in no row.
    pub unknown: usize,
    /// Speakers without any reference token: in no row.
    pub silent: usize,
}

/// One speaker.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeakerRow {
    /// Name.
    pub speaker: String,
    /// Cells scored.
    pub cells: usize,
    /// Summed counts.
    pub counts: ErrorCounts,
    /// Error rate as a fraction.
    pub rate: Estimate,
    /// One of the worst tenth.
    pub worst: bool,
}

/// The tenth of the speakers (rounded up) with the highest rates.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstTenth {
    /// How many.
    pub speakers: usize,
    /// Their error rate together: ratio of sums. They were picked for being worst in this very run, so that other
    /// recordings of them will, on average, be less bad.
    pub rate: Estimate,
    /// What the interval is conditional on.
    pub note: Option<String>,
    /// The rate of the other speakers together.
    pub others: Estimate,
}

pub(super) fn speakers(plan: &Plan, cells: &[&ScoredCell], rate: Rate) -> Speakers {
    let mut of_speaker: BTreeMap<&str, Vec<&ScoredCell>> = BTreeMap::new();
    for cell in cells {
        if let Some(speaker) = &cell.speaker {
            of_speaker.entry(speaker).or_default().push(cell);
        }
    }
    let unknown = cells.iter().filter(|c| c.speaker.is_none()).count();
    let all = of_speaker.len();
    let point = |members: &[&ScoredCell]| {
        let (num, den) =
            members.iter().filter_map(|c| rate.contribution(c)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        (den > 0.0).then(|| num / den)
    };
    let mut ranked: Vec<(&str, Vec<&ScoredCell>, f64)> =
        of_speaker.into_iter().filter_map(|(name, members)| point(&members).map(|p| (name, members, p))).collect();
    // Stable: equal rates stay in the order of the names.
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let worst = if ranked.len() >= MIN_SPEAKERS { ranked.len().div_ceil(10) } else { 0 };
    let pooled = |part: &[(&str, Vec<&ScoredCell>, f64)]| {
        let members: Vec<&ScoredCell> = part.iter().flat_map(|(_, members, _)| members.iter().copied()).collect();
        estimate(plan, rate.metric(), &members, &|c| rate.contribution(c))
    };
    let worst_tenth = if worst == 0 {
        Err(match ranked.len() {
            0 => "no utterance names its speaker".to_owned(),
            1 => "there is one speaker".to_owned(),
            n => format!("there are {n} speakers, and a tenth of them needs at least {MIN_SPEAKERS}"),
        })
    } else {
        let (estimate, note) = pooled(&ranked[..worst]);
        Ok(WorstTenth { speakers: worst, rate: estimate, note, others: pooled(&ranked[worst..]).0 })
    };
    let row = |(i, (speaker, members, value)): (usize, &(&str, Vec<&ScoredCell>, f64))| SpeakerRow {
        speaker: (*speaker).to_owned(),
        cells: members.len(),
        counts: members.iter().map(|c| rate.counts(c)).sum(),
        rate: if i < MAX_INTERVALS {
            estimate(plan, rate.metric(), members, &|c| rate.contribution(c)).0
        } else {
            Estimate::not_estimable(*value, format!("not computed: only the worst {MAX_INTERVALS} speakers have one"))
        },
        worst: i < worst,
    };
    let silent = all - ranked.len();
    let rows = ranked.par_iter().enumerate().map(row).collect();
    Speakers { rows, worst: worst_tenth, unknown, silent }
}
