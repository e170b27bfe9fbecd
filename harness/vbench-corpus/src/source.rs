//! The bytes of a file as text and lines.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::problem::{MAX_PROBLEMS, Place, ProblemKind, Problems};

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Its path, for places and as the start of relative paths in it.
    pub file: Arc<Path>,
    /// Its bytes, decompressed.
    pub bytes: &'a [u8],
}

impl<'a> Source<'a> {
    /// A file and its bytes.
    #[must_use]
    pub fn new(file: &Path, bytes: &'a [u8]) -> Self {
        Self { file: file.into(), bytes }
    }

    /// A line of it.
    #[must_use]
    pub fn place(&self, line: usize) -> Place {
        Place { file: Arc::clone(&self.file), line }
    }

    /// Its text without a byte order mark; every broken line is noted.
    pub fn text(&self, problems: &mut Problems) -> Option<&'a str> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.bytes);
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(text);
        }
        let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        let mut listed = 0;
        for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
            if let Err(e) = std::str::from_utf8(line) {
                problems.push(self.place(index + 1), ProblemKind::InvalidUtf8 { byte: e.valid_up_to() + 1, utf16 });
                listed += 1;
                if utf16 || listed > MAX_PROBLEMS {
                    break;
                }
            }
        }
        None
    }

    /// As [`Source::text`], with UTF-16 recognised by its byte order mark: Praat writes it.
    pub fn text_or_utf16(&self, problems: &mut Problems) -> Option<Cow<'a, str>> {
        let unit = match self.bytes {
            [0xff, 0xfe, ..] => u16::from_le_bytes,
            [0xfe, 0xff, ..] => u16::from_be_bytes,
            _ => return self.text(problems).map(Cow::Borrowed),
        };
        let units = self.bytes[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        if text.is_err() {
            problems.push(self.place(0), ProblemKind::Unreadable { what: "broken UTF-16".into() });
        }
        text.ok().map(Cow::Owned)
    }

    /// Lines that are not blank, with their numbers, without their ends.
    pub fn lines(&self, problems: &mut Problems) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let text = self.text(problems).unwrap_or_default();
        text.lines().enumerate().map(|(i, l)| (i + 1, l)).filter(|(_, l)| !l.trim().is_empty())
    }
}

/// The first characters of something, for messages.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
