//! JSONL manifest -> utterances.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use vbench_core::Utterance;

use crate::problem::{Problem, ProblemClass};

/// Longest recording, seconds: 115 days.
const MOST_SECONDS: f64 = 1e7;

/// A manifest line as written (format version 1). Unknown keys are ignored: manifests come from many tools.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    audio: String,
    text: String,
    speaker: Option<String>,
    session: Option<String>,
    language: Option<String>,
    start_s: Option<f64>,
    duration_s: Option<f64>,
    sha256: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Parses a manifest. Audio paths are resolved against the manifest's folder and not opened.
///
/// # Errors
///
/// Every bad line, with its number: not JSON, missing key, wrong type, repeated id, impossible times, a sha256 that
/// is not 64 hex digits. A manifest without a single utterance is an error too.
pub fn parse_manifest(corpus: &str, path: &Path, text: &str) -> Result<Vec<Utterance>, Vec<Problem>> {
    let ManifestLines { lines, mut problems } = read_lines(corpus, path, text);
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (number, utterance) in &lines {
        if let Some(first) = seen.insert(&utterance.id, *number) {
            let message = format!("duplicate id: already used on line {first}");
            problems.push(data_problem(path, *number, &utterance.id, message));
        }
    }
    problems.sort_by_key(|p| p.line);
    if lines.is_empty() && problems.is_empty() {
        let message = "no utterances: expected one JSON object a line".into();
        problems.push(data_problem(path, 0, "", message));
    }
    if problems.is_empty() { Ok(lines.into_iter().map(|(_, u)| u).collect()) } else { Err(problems) }
}

/// What the lines of a manifest hold, good and bad.
#[derive(Debug, Default)]
pub struct ManifestLines {
    /// Every utterance with its line, from 1; ids may repeat.
    pub lines: Vec<(usize, Utterance)>,
    /// What is wrong with other lines.
    pub problems: Vec<Problem>,
}

/// Parses the lines of a manifest one by one: a bad line is told and the others are kept.
#[must_use]
pub fn read_lines(corpus: &str, path: &Path, text: &str) -> ManifestLines {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut read = ManifestLines::default();
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, raw) in text.lines().enumerate() {
        if raw.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let line: Line = match serde_json::from_str(raw) {
            Ok(line) => line,
            Err(e) => {
                let message = format!("expected one JSON object {{\"id\", \"audio\", \"text\", …}}: {e}");
                read.problems.push(data_problem(path, number, "", message));
                continue;
            }
        };
        let before = read.problems.len();
        check_line(&line, &mut |key, message| read.problems.push(data_problem(path, number, key, message)));
        if read.problems.len() == before {
            read.lines.push((number, line.utterance(corpus, folder)));
        }
    }
    read
}

fn data_problem(path: &Path, line: usize, key: &str, message: String) -> Problem {
    Problem { file: path.to_path_buf(), line, key: key.to_string(), message, class: ProblemClass::Data }
}

impl Line {
    fn utterance(self, corpus: &str, folder: &Path) -> Utterance {
        Utterance {
            id: self.id,
            corpus: corpus.to_string(),
            audio: folder.join(&self.audio),
            text: self.text,
            speaker: self.speaker,
            session: self.session,
            language: self.language,
            start_s: self.start_s,
            duration_s: self.duration_s,
            sha256: self.sha256.map(|h| h.to_ascii_lowercase()),
            tags: self.tags,
        }
    }
}

fn check_line(line: &Line, problem: &mut impl FnMut(&str, String)) {
    if line.id.trim().is_empty() {
        problem("id", "must not be empty".into());
    }
    if line.id.chars().any(char::is_control) {
        problem(&line.id, "an id must not hold control characters".into());
    }
    if line.audio.trim().is_empty() {
        problem(&line.id, "`audio` must not be empty".into());
    }
    if let Some(s) = line.start_s.filter(|s| !(0.0..=MOST_SECONDS).contains(s)) {
        problem(&line.id, format!("`start_s` must be at least 0 and at most {MOST_SECONDS}, found {s:?}"));
    }
    if let Some(s) = line.duration_s.filter(|s| !(*s > 0.0 && *s <= MOST_SECONDS)) {
        problem(&line.id, format!("`duration_s` must be above 0 and at most {MOST_SECONDS}, found {s:?}"));
    }
    if let Some(hash) = &line.sha256
        && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        problem(&line.id, format!("`sha256` must be 64 hex digits, found `{hash}`"));
    }
}
