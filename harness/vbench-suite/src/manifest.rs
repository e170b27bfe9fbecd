//! JSONL manifest -> utterances.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use vbench_core::Utterance;

use crate::problem::{Problem, ProblemClass};

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
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut utterances = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut problems = Vec::new();
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, raw) in text.lines().enumerate() {
        if raw.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let mut problem = |key: &str, message: String| {
            problems.push(Problem {
                file: path.to_path_buf(),
                line: number,
                key: key.to_string(),
                message,
                class: ProblemClass::Data,
            });
        };
        let line: Line = match serde_json::from_str(raw) {
            Ok(line) => line,
            Err(e) => {
                problem("", format!("expected one JSON object {{\"id\", \"audio\", \"text\", …}}: {e}"));
                continue;
            }
        };
        check_line(&line, &mut problem);
        if let Some(first) = seen.insert(line.id.clone(), number) {
            problem(&line.id, format!("duplicate id: already used on line {first}"));
        }
        utterances.push(Utterance {
            id: line.id,
            corpus: corpus.to_string(),
            audio: folder.join(&line.audio),
            text: line.text,
            speaker: line.speaker,
            session: line.session,
            language: line.language,
            start_s: line.start_s,
            duration_s: line.duration_s,
            sha256: line.sha256.map(|h| h.to_ascii_lowercase()),
            tags: line.tags,
        });
    }
    if utterances.is_empty() && problems.is_empty() {
        problems.push(Problem {
            file: path.to_path_buf(),
            line: 0,
            key: String::new(),
            message: "no utterances: expected one JSON object a line".into(),
            class: ProblemClass::Data,
        });
    }
    if problems.is_empty() { Ok(utterances) } else { Err(problems) }
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
    if line.start_s.is_some_and(|s| !s.is_finite() || s < 0.0) {
        problem(&line.id, format!("`start_s` must be at least 0, found {:?}", line.start_s));
    }
    if line.duration_s.is_some_and(|d| !d.is_finite() || d <= 0.0) {
        problem(&line.id, format!("`duration_s` must be above 0, found {:?}", line.duration_s));
    }
    if let Some(hash) = &line.sha256
        && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        problem(&line.id, format!("`sha256` must be 64 hex digits, found `{hash}`"));
    }
}
