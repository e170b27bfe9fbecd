//! One scored cell.

use std::collections::BTreeMap;

use vbench_core::{ErrorCounts, Severity};

/// Everything aggregation needs to know of one cell that has a hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredCell {
    /// `corpus/utterance/condition/model`.
    pub cell: String,
    /// Utterance id, unique within `corpus`.
    pub utterance: String,
    /// Corpus name.
    pub corpus: String,
    /// Condition name.
    pub condition: String,
    /// Model name.
    pub model: String,
    /// Speaker, when known.
    pub speaker: Option<String>,
    /// Session, when known.
    pub session: Option<String>,
    /// The utterance's tags.
    pub tags: BTreeMap<String, String>,
    /// Target SNR of the condition in dB, when it adds noise.
    pub target_snr_db: Option<f64>,
    /// Place of the condition on a severity curve.
    pub severity: Option<Severity>,
    /// Achieved SNR in dB, from the receipt.
    pub achieved_snr_db: Option<f64>,
    /// Metrics of what the model heard against its clean input, by name (`vbench_core::SIGNAL_METRICS`), from the receipt;
    /// one that is not defined for this clip is absent.
    pub signal: Vec<(String, f64)>,
    /// Reference words after normalising; known without a hypothesis too.
    pub reference_words: u64,
    /// Word counts of the alignment.
    pub words: ErrorCounts,
    /// Smallest possible number of word errors (Levenshtein).
    pub words_min_errors: u64,
    /// Character counts of the alignment.
    pub chars: ErrorCounts,
    /// Length of the audio in seconds.
    pub audio_s: f64,
    /// Time the model took in seconds, when this cell was timed.
    pub processing_s: Option<f64>,
    /// Whether the output came after the suite's latency budget, counted from the end of the audio; an offline model's
    /// output comes its processing time after that end. Absent without a budget or a timing.
    pub late: Option<bool>,
}
