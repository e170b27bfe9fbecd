//! One scored stretch of a recording.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A manifest line after checking: the audio path is absolute or relative to the current directory, and exists
/// unless the corpus as a whole is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Utterance {
    /// Unique within its corpus.
    pub id: String,
    /// Name of the corpus, from the suite.
    pub corpus: String,
    /// Audio file.
    pub audio: PathBuf,
    /// What was said; empty for silence or noise.
    pub text: String,
    /// Speaker, when known: the preferred resampling unit.
    pub speaker: Option<String>,
    /// Recording session, when known: the second choice of resampling unit.
    pub session: Option<String>,
    /// BCP 47 language tag, e.g. `en`, `te`.
    pub language: Option<String>,
    /// Start of the utterance within the file, in seconds.
    pub start_s: Option<f64>,
    /// Length of the utterance, in seconds.
    pub duration_s: Option<f64>,
    /// SHA-256 of the audio file, lower-case hex; verified when the file is read.
    pub sha256: Option<String>,
    /// Free properties for strata, e.g. `accent`, `domain`.
    pub tags: BTreeMap<String, String>,
}
