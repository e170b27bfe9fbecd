//! The manifest (format version 1): one JSON object a line.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::problem::ImportError;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Unique in the manifest.
    pub id: String,
    /// The recording, absolute.
    pub audio: Arc<Path>,
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
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// Free properties; the licence is one.
    pub tags: BTreeMap<String, String>,
}

/// A line as it is written: keys in this order, nothing for what is not known.
#[derive(Serialize)]
struct Written<'l> {
    id: &'l str,
    audio: &'l str,
    text: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'l str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'l BTreeMap<String, String>,
}

impl<'l> Written<'l> {
    fn of(line: &'l Line, audio: &'l str) -> Self {
        let Line { id, text, speaker, session, language, start_s, duration_s, sha256, tags, .. } = line;
        Self {
            id,
            audio,
            text,
            speaker: speaker.as_deref(),
            session: session.as_deref(),
            language: language.as_deref(),
            start_s: *start_s,
            duration_s: *duration_s,
            sha256: sha256.as_deref(),
            tags,
        }
    }
}

/// Writes a manifest beside its place and renames it: it is there whole or not at all. Recordings beneath its folder are
/// named relative to it, others by their absolute paths.
///
/// # Errors
/// [`ImportError::Write`].
pub fn write(path: &Path, lines: &[Line]) -> Result<(), ImportError> {
    let failed = |source| ImportError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    let partial = Partial(path.with_extension(format!("partial-{}", std::process::id())));
    let file = std::fs::File::create(&partial.0).map_err(failed)?;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
    // Neighbours often share their recording.
    let mut last: Option<(&Arc<Path>, String)> = None;
    for line in lines {
        let audio = match last.take() {
            Some((path, text)) if Arc::ptr_eq(path, &line.audio) => text,
            _ => line.audio.strip_prefix(&folder).unwrap_or(&line.audio).to_string_lossy().into_owned(),
        };
        serde_json::to_writer(&mut out, &Written::of(line, &audio)).map_err(|e| failed(e.into()))?;
        last = Some((&line.audio, audio));
        out.write_all(b"\n").map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    drop(out);
    std::fs::rename(&partial.0, path).map_err(failed)
}

/// A file or folder that is removed unless it was renamed.
pub(crate) struct Partial(pub(crate) PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing left of this name.
        if self.0.is_dir() {
            drop(std::fs::remove_dir_all(&self.0));
        } else {
            drop(std::fs::remove_file(&self.0));
        }
    }
}
