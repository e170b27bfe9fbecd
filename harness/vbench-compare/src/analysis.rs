//! Where the errors and the time of a run come from: what stands beside the summary in a report.
//!
//! ```text
//! analysis/mix.rs         substitutions, deletions and insertions by condition
//! analysis/band.rs        the error rate under every named normaliser
//! analysis/speakers.rs    the error rate of every speaker, and of the worst tenth together
//! analysis/confusions.rs  words taken for others, left out, put in; phonemes likewise
//! analysis/times.rs       percentiles, histogram and distribution of the time per utterance; accuracy against time
//! analysis/stages.rs      mean time by stage, one after the other
//! ```
//!
//! Everything under [`Analysis::errors`] depends on rows and rules alone; everything else on timings too.

mod band;
mod confusions;
mod mix;
mod speakers;
mod stages;
mod times;

use rayon::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::phoneme::Pronouncer;
use vbench_score::{Normalizer, Weights};
use vbench_stats::Plan;

use crate::aggregate::counted;
use crate::scored::ScoredCell;

pub use band::{BandRow, NormalizerBand};
pub use confusions::{
    Confused, ConfusedPair, ConfusedWord, PhonemeTable, SPOKEN_LANGUAGES, TOP_CONFUSIONS, phoneme_language,
};
pub use mix::{ErrorMix, ErrorShares};
pub use speakers::{MAX_INTERVALS, SpeakerRow, Speakers, WorstTenth};
pub use stages::{StageMean, StageTime, Waterfall};
pub use times::{Histogram, ModelTimes, Percentile, QUANTILES, TradeOff};

/// The error rate that an analysis is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rate {
    /// Word error rate.
    #[default]
    Words,
    /// Character error rate.
    Characters,
}

impl Rate {
    /// `wer` or `cer`, as suites name it.
    #[must_use]
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Words => "wer",
            Self::Characters => "cer",
        }
    }

    /// The rate that a suite puts first.
    #[must_use]
    pub fn of_primary(primary: &str) -> Self {
        if primary == "cer" { Self::Characters } else { Self::Words }
    }

    /// The counts of a cell.
    #[must_use]
    pub fn counts(self, cell: &ScoredCell) -> ErrorCounts {
        match self {
            Self::Words => cell.words,
            Self::Characters => cell.chars,
        }
    }

    /// Errors over reference tokens of a cell; nothing for an empty reference.
    fn contribution(self, cell: &ScoredCell) -> Option<(f64, f64)> {
        counted(&self.counts(cell))
    }
}

/// A scored cell with what an analysis needs beside its counts.
#[derive(Debug, Clone)]
pub struct AnalysedCell<'a> {
    /// The score.
    pub cell: &'a ScoredCell,
    /// Raw reference text.
    pub reference: &'a str,
    /// Raw hypothesis text.
    pub hypothesis: &'a str,
    /// Stages of its first repeat, in the order of `timings.jsonl`; empty where it was not timed.
    pub stages: Vec<StageTime<'a>>,
}

/// What an analysis goes by.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisRules<'a> {
    /// Seed of every random draw.
    pub seed: u64,
    /// The error rate that is analysed: the suite's first.
    pub rate: Rate,
    /// Conditions of the suite in order.
    pub conditions: &'a [String],
    /// Normaliser of the run.
    pub normalizer: &'a Normalizer,
    /// Alignment weights of the run.
    pub weights: Weights,
    /// How words sound, with the language of the utterances it is for; or why there are no phonemes.
    pub pronouncer: Result<(&'a str, &'a Pronouncer), &'a str>,
}

/// Where errors and time come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The error rate that everything here is of, confusions apart, which are of words.
    pub rate: Rate,
    /// One a model, in the order of first appearance.
    pub errors: Vec<ModelErrors>,
    /// One a model that was timed, in the same order.
    pub times: Vec<ModelTimes>,
    /// Error rate against time, one a timed model.
    pub trade_offs: Vec<TradeOff>,
}

/// Where the errors of one model come from.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelErrors {
    /// Model name.
    pub model: String,
    /// The whole run, then every condition where there are several.
    pub mix: Vec<ErrorMix>,
    /// The same strata.
    pub bands: Vec<NormalizerBand>,
    /// Speaker by speaker.
    pub speakers: Speakers,
    /// Words.
    pub confused: Confused,
    /// Phonemes, or why there are none.
    pub phonemes: Result<PhonemeTable, String>,
}

/// Analyses the cells that have a hypothesis. Deterministic, whatever the number of threads.
#[must_use]
pub fn analyse(cells: &[AnalysedCell<'_>], rules: &AnalysisRules<'_>) -> Analysis {
    let plan = Plan::new(rules.seed);
    let mut models: Vec<(&str, Vec<usize>)> = Vec::new();
    for (i, cell) in cells.iter().enumerate() {
        match models.iter_mut().find(|(name, _)| *name == cell.cell.model) {
            Some((_, members)) => members.push(i),
            None => models.push((&cell.cell.model, vec![i])),
        }
    }
    let recounted = band::recount(cells, rules);
    let of_model = |(model, members): &(&str, Vec<usize>)| {
        let mine: Vec<&AnalysedCell<'_>> = members.iter().map(|i| &cells[*i]).collect();
        let scored: Vec<&ScoredCell> = mine.iter().map(|c| c.cell).collect();
        let groups = by_condition(&scored, rules.conditions);
        let ((bands, speakers), (confused, phonemes)) = rayon::join(
            || {
                let indices = |places: &[usize]| places.iter().map(|p| members[*p]).collect::<Vec<usize>>();
                let strata: Vec<_> = groups.iter().map(|(by, value, places)| (*by, value, indices(places))).collect();
                let bands = strata.par_iter().map(|s| band::band(&plan, cells, &recounted, s, rules)).collect();
                (bands, speakers::speakers(&plan, &scored, rules.rate))
            },
            || confusions::confusions(&mine, rules),
        );
        let mix = groups.iter().map(|(by, value, places)| mix::mix(by, value, &scored, places, rules.rate)).collect();
        ModelErrors { model: (*model).into(), mix, bands, speakers, confused, phonemes }
    };
    let errors = models.iter().map(of_model).collect();
    let timed: Vec<(&str, Vec<&AnalysedCell<'_>>)> =
        models.iter().map(|(model, members)| (*model, members.iter().map(|i| &cells[*i]).collect())).collect();
    let times = times::times(&plan, &timed);
    let trade_offs = times::trade_offs(&plan, &timed, &times, rules.rate);
    Analysis { rate: rules.rate, errors, times, trade_offs }
}

/// Property, value and the places of the cells: everything, then, where there are several, each condition in the suite's order; conditions that
/// the suite does not name come last, in the order of first appearance.
fn by_condition<'a>(cells: &[&'a ScoredCell], order: &[String]) -> Vec<(&'static str, &'a str, Vec<usize>)> {
    let mut groups: Vec<(&'static str, &str, Vec<usize>)> = Vec::new();
    for (i, cell) in cells.iter().enumerate() {
        match groups.iter_mut().find(|(_, value, _)| *value == cell.condition) {
            Some((_, _, places)) => places.push(i),
            None => groups.push(("condition", &cell.condition, vec![i])),
        }
    }
    groups.sort_by_key(|(_, value, _)| order.iter().position(|c| c == value).unwrap_or(order.len()));
    if groups.len() == 1 {
        // The condition is the whole.
        groups.clear();
    }
    groups.insert(0, ("all", "", (0..cells.len()).collect()));
    groups
}
