//! A row of named fields as an utterance: CSV, TSV, JSON lines, Parquet.

use std::collections::BTreeMap;

use crate::entry::{AudioName, Entry, length, seconds};
use crate::problem::{Place, ProblemKind};

/// Longest value that becomes a tag, bytes: tags make strata, they are no place for prose.
pub const MAX_TAG_BYTES: usize = 200;

/// What a column can be, with the names under which it is looked for, the likeliest first.
const KNOWN: [(&str, &[&str]); 10] = [
    ("id", &["id", "utt_id", "uttid", "utterance_id", "segment_id"]),
    ("audio", &["audio", "audio_filepath", "file_name", "path", "file", "filename", "wav"]),
    ("text", &["text", "transcription", "transcript", "sentence", "normalized_text", "label"]),
    ("speaker", &["speaker", "speaker_id", "client_id", "spk_id", "spk"]),
    ("session", &["session", "session_id", "chapter_id", "recording_id"]),
    ("language", &["language", "lang", "locale"]),
    ("start_s", &["start_s", "start", "start_time", "offset", "begin_time"]),
    ("end_s", &["end_s", "end", "end_time"]),
    ("duration_s", &["duration_s", "duration"]),
    ("sha256", &["sha256"]),
];
/// Columns that are neither what an utterance has nor worth a stratum.
const DROPPED: [&str; 4] = ["pred_text", "sentence_id", "segment", "sampling_rate"];

/// Which column holds what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    named: BTreeMap<&'static str, String>,
}

impl Columns {
    /// What can be named.
    pub const KEYS: [&str; 10] =
        ["id", "audio", "text", "speaker", "session", "language", "start_s", "end_s", "duration_s", "sha256"];

    /// Says that `column` holds `key`; `false` when there is no such key.
    pub fn name(&mut self, key: &str, column: &str) -> bool {
        match KNOWN.iter().find(|(known, _)| *known == key) {
            Some((known, _)) => self.named.insert(known, column.to_owned()).is_none(),
            None => false,
        }
    }

    /// The columns that were named: they must be there.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.named.values().map(String::as_str)
    }

    fn candidates<'c>(&'c self, key: &str) -> impl Iterator<Item = &'c str> {
        let named = self.named.get(key).map(String::as_str);
        let known = KNOWN.iter().find(|(known, _)| *known == key).map_or(&[][..], |(_, names)| names);
        let known = if named.is_some() { &[][..] } else { known };
        named.into_iter().chain(known.iter().copied())
    }

    /// The column among `columns` that holds `key`.
    #[must_use]
    pub fn find<'c>(&'c self, key: &str, columns: &[&str]) -> Option<&'c str> {
        self.candidates(key).find(|c| columns.contains(c))
    }
}

/// An utterance from the fields of a row; `fields` come without empty ones.
///
/// # Errors
/// No column of audio or text, or a time that is none. `text` alone may be empty: its column must then be among `columns`.
pub fn entry(
    fields: &[(&str, String)],
    columns: &[&str],
    wanted: &Columns,
    place: Place,
) -> Result<Entry, ProblemKind> {
    let mut used: Vec<&str> = DROPPED.to_vec();
    let mut take = |key: &'static str| {
        let column = wanted.find(key, columns)?;
        // A label serves as text and as stratum.
        if column != "label" {
            used.push(column);
        }
        fields.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone())
    };
    let missing = |key: &str| ProblemKind::Missing {
        key: wanted.candidates(key).next().unwrap_or(key).to_owned(),
        known: crate::source::shown(&columns.join(", ")),
    };
    let audio = take("audio").ok_or_else(|| missing("audio"))?;
    let text = take("text");
    if text.is_none() && wanted.find("text", columns).is_none() {
        return Err(missing("text"));
    }
    let id = take("id");
    let mut entry = Entry::new(id.unwrap_or_default(), AudioName::Path(audio), text.unwrap_or_default(), place);
    entry.speaker = take("speaker");
    entry.session = take("session");
    entry.language = take("language");
    entry.sha256 = take("sha256");
    entry.start_s = take("start_s").map(|s| seconds("start_s", &s)).transpose()?;
    let end_s = take("end_s").map(|s| seconds("end_s", &s)).transpose()?;
    let duration_s = take("duration_s").map(|s| seconds("duration_s", &s)).transpose()?;
    entry.duration_s = match (duration_s, end_s) {
        (Some(duration_s), _) => Some(duration_s),
        (None, Some(end_s)) => Some(length(entry.start_s.unwrap_or(0.0), end_s)?),
        (None, None) => None,
    };
    if end_s.is_some() && entry.start_s.is_none() {
        entry.start_s = Some(0.0);
    }
    for (name, value) in fields.iter().filter(|(name, _)| !used.contains(name)) {
        add_tag(&mut entry, name, value);
    }
    Ok(entry)
}

/// Adds a tag under a name that suites can select by; `sex` and `gender` become `f` or `m`.
pub fn add_tag(entry: &mut Entry, name: &str, value: &str) {
    let name = name.trim().to_ascii_lowercase().replace([' ', '.', '-'], "_");
    if name.is_empty() || value.len() > MAX_TAG_BYTES || value.chars().any(char::is_control) {
        return;
    }
    if ["gender", "sex"].contains(&name.as_str()) {
        entry.tag("gender", &gender(value));
    } else {
        entry.tag(&name, value);
    }
}

/// `f` or `m` where the text begins so, else the text in lower case.
#[must_use]
pub fn gender(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "f" | "female" | "female_feminine" | "woman" => "f".into(),
        "m" | "male" | "male_masculine" | "man" => "m".into(),
        _ => text,
    }
}
