//! The result of a run, ready to be formatted.

use vbench_core::{ErrorCounts, Estimate};

use crate::composite::{LatencyReadings, OverallScore, SeverityCurve};
use crate::signal::SignalSummary;

/// Counts and estimates of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Suite name.
    pub suite: String,
    /// Id of the normaliser, with version, e.g. `whisper-en/1`.
    pub normalizer: String,
    /// Alignment weights, `sclite` or `levenshtein`.
    pub weights: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// Which metric the suite puts first: `wer` or `cer`.
    pub primary: String,
    /// What became of the planned cells.
    pub coverage: Coverage,
    /// Corpora that the suite names and that are not there: their cells are not among the planned ones.
    pub absent: Vec<String>,
    /// Per model: first `all`, then every stratum in the order the suite declares.
    pub strata: Vec<StratumSummary>,
    /// Per model and condition other than the first: paired difference to the suite's first condition.
    pub deltas: Vec<ConditionDelta>,
    /// Per model and family of conditions with at least two levels: WER over the parameter that varies.
    pub curves: Vec<SeverityCurve>,
    /// Per model, where the suite declares weights.
    pub overall: Vec<OverallScore>,
    /// Per timed model, where the suite declares a latency budget.
    pub latency: Vec<LatencyReadings>,
    /// Per condition, then metric of the signal: how far the audio is from its clean input. The same for every model.
    pub signal: Vec<SignalSummary>,
    /// Cells without a hypothesis, in plan order.
    pub failures: Vec<Failure>,
}

/// planned = done + failed + skipped + outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Cells the selection asked for.
    pub planned: usize,
    /// Cells with a hypothesis.
    pub done: usize,
    /// Cells that failed, with a reason.
    pub failed: usize,
    /// Cells that could not be tried, with a reason.
    pub skipped: usize,
    /// Cells without any outcome (the run was interrupted, or stopped early).
    pub outstanding: usize,
    /// The outstanding cells were left out on purpose: the sequential gate was decided.
    pub stopped_early: bool,
}

impl Coverage {
    /// Share of planned cells with a hypothesis, 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.planned == 0 { 0.0 } else { self.done as f64 / self.planned as f64 }
    }
}

/// A subset named by a property, with its own estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct StratumSummary {
    /// Model name.
    pub model: String,
    /// Property: `all`, `condition`, `snr`, `speaker`, `length`, `duration`, or a tag name such as `accent`.
    pub by: String,
    /// Its value, e.g. `noise-5db`, `5 dB`, `us`; empty for `all`.
    pub value: String,
    /// Cells planned in this stratum.
    pub planned: usize,
    /// Cells scored.
    pub scored: usize,
    /// Cells failed or skipped.
    pub failed: usize,
    /// Summed word counts.
    pub words: ErrorCounts,
    /// Summed smallest possible word errors (Levenshtein).
    pub words_min_errors: u64,
    /// Insertions against empty references: hallucinated words, outside every rate.
    pub hallucinated_words: u64,
    /// Summed character counts.
    pub chars: ErrorCounts,
    /// Word error rate as a fraction: ratio of sums.
    pub wer: Estimate,
    /// What the interval is conditional on when the resampling unit is not the speaker, e.g. `conditional on these 4
    /// speakers`; shown beside the estimates.
    pub note: Option<String>,
    /// Mean of utterance WERs as a fraction; never the headline.
    pub wer_macro: Option<f64>,
    /// Character error rate as a fraction: ratio of sums.
    pub cer: Estimate,
    /// Share of utterances with at least one word error.
    pub sentence_error_rate: Option<f64>,
    /// Achieved SNR in dB, mean; absent where no noise was added.
    pub snr_db: Option<Estimate>,
    /// Real-time factor, sum of processing over sum of audio; absent when nothing was timed.
    pub rtf: Option<Estimate>,
    /// Seconds of audio.
    pub audio_s: f64,
    /// Seconds of processing of the timed cells.
    pub processing_s: f64,
}

/// Paired difference of a condition to the suite's first condition, same utterances and model.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionDelta {
    /// Model name.
    pub model: String,
    /// The condition that the difference is taken from (the suite's first).
    pub from: String,
    /// The condition compared.
    pub to: String,
    /// WER(to) - WER(from) as a fraction, over the shared utterances.
    pub wer_difference: Estimate,
    /// Two-sided p of the cluster sign-flip test, when estimable.
    pub p_value: Option<f64>,
    /// Utterances shared.
    pub utterances: usize,
}

/// A cell without a hypothesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Cell key.
    pub cell: String,
    /// `failed` or `skipped`.
    pub outcome: String,
    /// Class of the reason, [`vbench_core::ReasonKind::name`].
    pub kind: String,
    /// The whole story.
    pub text: String,
}
