//! sclite's `trn`: `word word … (id)`.
//!
//! The id stands in the last parentheses. The speaker is what comes before the first `-` of the id, or where there is none
//! before the first `_`: that is what sclite 2.10 does with `-i spu_id`. An id without either has no speaker.

use std::borrow::Cow;

use super::lines::records;
use super::problem::{FormatError, ProblemKind, Problems};
use super::{Side, Transcript};
use crate::lattice::Lattice;

/// Utterances in their order. Blank lines and comments (`;;`) are skipped.
pub(super) fn read<'a>(file: &str, text: &'a str, side: Side) -> Result<Vec<Transcript<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut list = Vec::new();
    for (line, content) in records(text) {
        match utterance(content, side) {
            Ok(transcript) => list.push(Transcript { line, ..transcript }),
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(list)
}

fn utterance(content: &str, side: Side) -> Result<Transcript<'_>, ProblemKind> {
    let expected = "(id) at the end of the line";
    let inside = content.trim_end().strip_suffix(')').and_then(|head| head.rsplit_once('('));
    let (text, id) = inside.filter(|(_, id)| !id.is_empty()).ok_or(ProblemKind::NoId { expected })?;
    let (text, lattice) = marked_up(text.trim_matches([' ', '\t']), side)?;
    Ok(Transcript {
        id: Cow::Borrowed(id),
        text,
        lattice,
        speaker: speaker(id).map(Cow::Borrowed),
        ..Transcript::default()
    })
}

/// The plain reading of a text and, in a reference with markup, all readings.
pub(super) fn marked_up(text: &str, side: Side) -> Result<(Cow<'_, str>, Option<Box<Lattice<'_>>>), ProblemKind> {
    let lattice = match side {
        Side::Reference => Lattice::parse(text)?,
        Side::Hypothesis => None,
    };
    Ok(match lattice {
        None => (Cow::Borrowed(text), None),
        Some(lattice) => (Cow::Owned(lattice.plain()), Some(Box::new(lattice))),
    })
}

fn speaker(id: &str) -> Option<&str> {
    id.split_once('-').or_else(|| id.split_once('_')).map(|(speaker, _)| speaker).filter(|s| !s.is_empty())
}
