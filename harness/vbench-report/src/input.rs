//! What a report is made of: values only, all computed elsewhere.

use vbench_compare::Summary;

/// Everything a report shows.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// Counts and estimates.
    pub summary: &'a Summary,
    /// One sentence per condition in suite order: (name, description).
    pub conditions: Vec<(String, String)>,
    /// The utterances with the most word errors, worst first, at most ten.
    pub worst: Vec<WorstCell>,
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
    /// Receipt facts: (name, value).
    pub receipt: Vec<(String, String)>,
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

/// Audio to embed.
#[derive(Debug, Clone)]
pub struct AudioClip {
    /// MIME type, e.g. `audio/ogg; codecs=opus`.
    pub mime: String,
    /// The encoded bytes.
    pub bytes: Vec<u8>,
}
