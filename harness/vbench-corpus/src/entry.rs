//! What every format is read into.

use std::collections::BTreeMap;

use crate::problem::{Place, ProblemKind, Problems};

/// How a corpus names a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioName {
    /// A path, absolute or relative to the file that names it, to the corpus or to an audio root.
    Path(String),
    /// A file name without its ending, anywhere beneath the corpus or an audio root.
    Stem(String),
}

impl AudioName {
    /// As the corpus writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Path(name) | Self::Stem(name) => name,
        }
    }
}

/// One utterance as a corpus describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Names it within the corpus.
    pub id: String,
    /// Its recording.
    pub audio: AudioName,
    /// What was said.
    pub text: String,
    /// Who speaks.
    pub speaker: Option<String>,
    /// The recording session.
    pub session: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Start in the recording, seconds.
    pub start_s: Option<f64>,
    /// Length, seconds.
    pub duration_s: Option<f64>,
    /// The channel that the corpus asks for.
    pub channel: Option<String>,
    /// SHA-256 of the file, when the corpus tells.
    pub sha256: Option<String>,
    /// Further properties, for strata.
    pub tags: BTreeMap<String, String>,
    /// Where it stands.
    pub place: Place,
}

impl Entry {
    /// An utterance that is a whole recording, of which nothing else is known.
    #[must_use]
    pub fn new(id: impl Into<String>, audio: AudioName, text: impl Into<String>, place: Place) -> Self {
        Self {
            id: id.into(),
            audio,
            text: text.into(),
            speaker: None,
            session: None,
            language: None,
            start_s: None,
            duration_s: None,
            channel: None,
            sha256: None,
            tags: BTreeMap::new(),
            place,
        }
    }

    /// Adds a tag unless it is empty.
    pub fn tag(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.tags.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// What a file or folder was read into.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// Utterances in the corpus' order.
    pub entries: Vec<Entry>,
    /// What is wrong.
    pub problems: Problems,
    /// What was left out on purpose: reason and how often.
    pub left_out: BTreeMap<&'static str, u64>,
}

impl Parsed {
    /// Counts something that is left out on purpose.
    pub fn leave_out(&mut self, reason: &'static str) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Notes a problem.
    pub fn problem(&mut self, place: Place, kind: ProblemKind) {
        self.problems.push(place, kind);
    }
}

/// A number of seconds of at least 0.
///
/// # Errors
/// [`ProblemKind::Seconds`].
pub fn seconds(field: &'static str, text: &str) -> Result<f64, ProblemKind> {
    let bad = || ProblemKind::Seconds { field, actual: text.chars().take(40).collect() };
    text.trim().parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0).ok_or_else(bad)
}

/// A length from begin and end, rounded to nanoseconds so that 2.3 - 1.1 is 1.2.
///
/// # Errors
/// [`ProblemKind::Duration`] when it is not above 0.
pub fn length(start_s: f64, end_s: f64) -> Result<f64, ProblemKind> {
    let length = ((end_s - start_s) * 1e9).round() / 1e9;
    if length > 0.0 { Ok(length) } else { Err(ProblemKind::Duration { actual: length }) }
}

/// A path without its folder and ending.
#[must_use]
pub fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// A relative path without its ending, as an id: what two recordings of one corpus never share.
#[must_use]
pub fn path_id(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let folder = path.len() - path.rsplit('/').next().map_or(0, str::len);
    format!("{}{}", &path[..folder], stem(path))
}
