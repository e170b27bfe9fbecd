//! What a report is made of: values only, all computed elsewhere.

use serde_json::Value;
use vbench_compare::Summary;
use vbench_core::ErrorCounts;

use crate::analysis::Analysed;

/// Everything a report shows.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// Counts and estimates.
    pub summary: &'a Summary,
    /// One sentence per condition in suite order: (name, description).
    pub conditions: Vec<(String, String)>,
    /// The utterances with the most word errors, worst first, at most ten.
    pub worst: Vec<WorstCell>,
    /// Where errors and time come from, with pictures of the worst utterances; absent where nobody computed it.
    pub analysis: Option<Analysed<'a>>,
    /// Every cell of the run, for the list that a reader sorts, filters and opens. May be empty.
    pub cells: CellList,
    /// What the gate said of the run: a document of schema `vbench/gate/1`, where it was judged.
    pub gate: Option<Value>,
    /// Facts that do not change between two runs with one seed on one machine: suite file and hash, manifests,
    /// model hashes, seeds, normaliser, versions: (name, value).
    pub identity: Vec<(String, String)>,
    /// Facts that do change: run id, date, machine, wall time, how the time splits, the command: (name, value).
    /// They and every figure and table of timings stand in the block marked "timings and provenance".
    pub provenance: Vec<(String, String)>,
}

/// One of the hardest cells, with everything needed to judge it by ear and eye.
#[derive(Debug, Clone)]
pub struct WorstCell {
    /// Cell key.
    pub cell: String,
    /// Speaker or `-`.
    pub speaker: String,
    /// Condition name.
    pub condition: String,
    /// Model name.
    pub model: String,
    /// Word errors / reference words as shown counts.
    pub errors: u64,
    /// Reference words.
    pub reference_words: u64,
    /// Raw reference text.
    pub reference: String,
    /// Raw hypothesis text.
    pub hypothesis: String,
    /// Alignment of the normalised words.
    pub alignment: Vec<AlignedToken>,
    /// What the model heard, for the player.
    pub audio: Option<AudioClip>,
    /// Why there is no player, where that is known: audio was not asked for, the budget is spent, the recording is gone.
    pub audio_note: Option<String>,
    /// Receipt facts: (name, value).
    pub receipt: Vec<(String, String)>,
}

/// The cells of a run and the properties by which they are grouped.
#[derive(Debug, Clone, Default)]
pub struct CellList {
    /// Properties of the strata, e.g. `condition`, `snr`, `accent`, in the order of [`CellRow::strata`].
    pub properties: Vec<String>,
    /// The cells in plan order.
    pub rows: Vec<CellRow>,
}

/// One cell: what was said, what was heard, what became of it.
#[derive(Debug, Clone, Default)]
pub struct CellRow {
    /// Cell key; usually `utterance/condition/model`.
    pub cell: String,
    /// `corpus/id`.
    pub utterance: String,
    /// Speaker or `-`.
    pub speaker: String,
    /// Condition name.
    pub condition: String,
    /// Model name.
    pub model: String,
    /// The cell's value of every property of [`CellList::properties`]; absent where it is in none of its strata.
    pub strata: Vec<Option<String>>,
    /// `ok`, `failed` or `skipped`.
    pub outcome: String,
    /// Why there is no hypothesis; empty where there is one.
    pub reason: String,
    /// Word errors, where there is a hypothesis.
    pub words: Option<ErrorCounts>,
    /// Word error rate as a ratio; absent for an empty reference or without hypothesis.
    pub wer: Option<f64>,
    /// Raw reference text.
    pub reference: String,
    /// Raw hypothesis text.
    pub hypothesis: Option<String>,
    /// Alignment of the normalised words; empty where there is no error.
    pub alignment: Vec<AlignedToken>,
    /// What was done to the audio, in a few words that cells of one condition share, e.g. the recipe.
    pub recipe: String,
    /// What the audio came out as, e.g. achieved SNR and length: a few words.
    pub achieved: String,
}

/// One column of an alignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignedToken {
    /// What happened.
    pub op: TokenOp,
    /// Reference token, absent for an insertion.
    pub reference: Option<String>,
    /// Hypothesis token, absent for a deletion.
    pub hypothesis: Option<String>,
}

/// Alignment operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOp {
    /// Equal tokens.
    Hit,
    /// Different tokens.
    Substitution,
    /// Reference token without a counterpart.
    Deletion,
    /// Hypothesis token without a counterpart.
    Insertion,
}

/// Audio to embed or to link.
#[derive(Debug, Clone)]
pub struct AudioClip {
    /// MIME type, e.g. `audio/ogg; codecs=opus`.
    pub mime: String,
    /// The encoded bytes.
    pub bytes: Vec<u8>,
    /// Where the clip lies beside the page, e.g. `audio/001.opus`; `None`: it is embedded.
    pub href: Option<String>,
}
