//! One (utterance, condition, model), what came of it and how long it took.

use crate::receipt::Receipt;

/// Indices into the suite's utterances, conditions and models, plus the stable key that rows carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// `corpus/utterance/condition/model`: unique in a run, the same in every run of the suite.
    pub key: String,
    /// Index of the utterance in the suite.
    pub utterance: usize,
    /// Index of the condition in the suite.
    pub condition: usize,
    /// Index of the model in the suite.
    pub model: usize,
}

/// What a recogniser said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hypothesis {
    /// Raw text, never normalised here.
    pub text: String,
    /// Detected or requested language, when the model tells.
    pub language: Option<String>,
    /// Highest temperature tried in any window, when the model samples: above 0 the fallback stepped in.
    pub temperature: Option<f64>,
    /// Timed pieces of the text.
    pub segments: Vec<Segment>,
}

/// A timed piece of a hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Start in seconds from the beginning of the utterance.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
    /// Raw text.
    pub text: String,
}

/// What came of a cell. A failure is data with a reason, never a dropped row.
#[expect(clippy::large_enum_variant, reason = "one of a cell, moved a few times; most are the large one")]
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model answered.
    Ok {
        /// What it said.
        hypothesis: Hypothesis,
        /// What was done to the audio first.
        receipt: Receipt,
    },
    /// The audio could not be read or degraded, or the model failed.
    Failed(Reason),
    /// The cell could not be tried for a reason known beforehand (no encoder, corpus not present).
    Skipped(Reason),
}

impl Outcome {
    /// Why there is no hypothesis; empty where there is one.
    #[must_use]
    pub fn reason_text(&self) -> &str {
        match self {
            Self::Failed(reason) | Self::Skipped(reason) => &reason.text,
            Self::Ok { .. } => "",
        }
    }
}

/// Why a cell has no hypothesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Class of the failure, for counting.
    pub kind: ReasonKind,
    /// The whole story: path, position, expected and actual.
    pub text: String,
}

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonKind {
    /// The audio file is missing.
    MissingAudio,
    /// The audio file cannot be decoded, is empty, or holds values that are not numbers.
    BadAudio,
    /// The audio file's sha256 differs from the manifest's.
    HashMismatch,
    /// A degradation could not be applied.
    Degrade,
    /// No encoder in this build.
    NoEncoder,
    /// The model returned an error.
    Model,
    /// A panic was caught inside the cell.
    Panic,
}

impl ReasonKind {
    /// The name that rows carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingAudio => "missing_audio",
            Self::BadAudio => "bad_audio",
            Self::HashMismatch => "hash_mismatch",
            Self::Degrade => "degrade",
            Self::NoEncoder => "no_encoder",
            Self::Model => "model",
            Self::Panic => "panic",
        }
    }

    /// The inverse of [`ReasonKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::MissingAudio,
            Self::BadAudio,
            Self::HashMismatch,
            Self::Degrade,
            Self::NoEncoder,
            Self::Model,
            Self::Panic,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// Clock readings of one cell, integer nanoseconds of one monotonic clock since the run began.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellTiming {
    /// When the cell was due.
    pub t_sched: u64,
    /// When the model was called.
    pub t_sent: u64,
    /// When the first output arrived (streaming models).
    pub t_first: Option<u64>,
    /// When the final output was complete.
    pub t_final: u64,
    /// Length of the audio handed to the model, in seconds.
    pub audio_s: f64,
    /// Owned, non-overlapping stretches of the time.
    pub stages: Vec<Stage>,
}

/// A stretch of a cell's time with an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// `decode`, `degrade`, `model`.
    pub name: String,
    /// `harness`, `encoder` or `model`.
    pub owner: String,
    /// Start, nanoseconds.
    pub t0: u64,
    /// End, nanoseconds.
    pub t1: u64,
}

impl CellTiming {
    /// Time the model took, in seconds.
    #[must_use]
    pub fn processing_s(&self) -> f64 {
        self.t_final.saturating_sub(self.t_sent) as f64 * 1e-9
    }
}
