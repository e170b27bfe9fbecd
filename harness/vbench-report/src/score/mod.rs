//! What `vbench score` prints: scored pairs of texts as a terminal table and as JSON.
//!
//! ```text
//! json.rs       schema vbench/score/1, written as it is made
//! terminal.rs   tables, breakdowns
//! alignment.rs  pairs with their errors, one word above the other
//! ```

mod alignment;
mod json;
mod terminal;

use vbench_compare::TextSummary;
use vbench_core::ErrorCounts;
use vbench_score::analysis::Analysis;
use vbench_score::formats::{IdList, TimeTally};
use vbench_score::multi::MultiScore;
use vbench_score::phoneme::PhonemeConfusions;

pub use alignment::{AlignedPair, alignment_text};
pub use json::{SCHEMA, write_multi_json, write_score_json};
pub use terminal::{multi_table, score_table};

/// Everything about scored pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreReport {
    /// Alignment weights, `sclite` or `levenshtein`.
    pub weights: String,
    /// What a character is.
    pub char_unit: &'static str,
    /// Seed of every random draw.
    pub seed: u64,
    /// What was paired.
    pub pairing: Pairing,
    /// One for each normaliser, in the order asked for; the first is the one that breakdowns are of.
    pub results: Vec<NormalizerResult>,
    /// Breakdowns, where asked for.
    pub analysis: Option<AnalysisReport>,
}

/// What was paired with what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairing {
    /// Pairs scored.
    pub pairs: usize,
    /// What happens to an utterance without a partner: `error`, `empty` or `skip`.
    pub policy: &'static str,
    /// References without a hypothesis.
    pub missing: IdList,
    /// Hypotheses without a reference.
    pub extra: IdList,
    /// For `stm` with `ctm` only.
    pub times: Option<TimeTally>,
}

/// The scores under one normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalizerResult {
    /// Its id, with version.
    pub normalizer: String,
    /// First everything, then the strata in the order asked for.
    pub strata: Vec<TextSummary>,
    /// Counts of every pair, where asked for.
    pub utterances: Vec<UtteranceCounts>,
}

/// Counts of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UtteranceCounts {
    /// Its id.
    pub id: String,
    /// Word counts.
    pub words: ErrorCounts,
    /// Least number of word errors.
    pub words_min_errors: u64,
    /// Character counts.
    pub chars: ErrorCounts,
    /// Least number of character errors.
    pub chars_min_errors: u64,
}

/// Breakdowns of the errors under the first normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisReport {
    /// All but phonemes.
    pub analysis: Analysis,
    /// How many rows of every list are shown.
    pub top: usize,
    /// Everything, not only the confusions.
    pub whole: bool,
    /// Phoneme confusions, and what the phonemes rest on.
    pub phonemes: Option<(PhonemeConfusions, String)>,
}

/// What several-speaker scoring found, with its name (`cpWER` or `tcpWER`) and collar in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiReport {
    /// `cpWER` or `tcpWER`.
    pub metric: &'static str,
    /// Seconds, for tcpWER.
    pub collar_s: Option<f64>,
    /// Id of the normaliser.
    pub normalizer: String,
    /// Sessions and sums.
    pub score: MultiScore,
}
