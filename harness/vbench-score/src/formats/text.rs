//! Plain lines, and Kaldi's `text`.

use std::borrow::Cow;

use super::lines::{lines, next_field};
use super::pairing::{Pair, Paired, Reference};
use super::problem::{FormatError, ProblemKind, Problems};
use super::{Transcript, Transcripts};

/// Every line is an utterance, empty ones too; its number is its id.
pub(super) fn read_text(text: &str) -> Vec<Transcript<'_>> {
    lines(text)
        .map(|(line, text)| Transcript {
            id: Cow::Owned(line.to_string()),
            text: Cow::Borrowed(text),
            line,
            ..Transcript::default()
        })
        .collect()
}

/// Line i with line i.
pub(super) fn pair_lines<'a>(
    references: Transcripts<'a>,
    hypotheses: Transcripts<'a>,
) -> Result<Paired<'a>, FormatError> {
    let (reference, hypothesis) = (references.list.len(), hypotheses.list.len());
    if reference != hypothesis {
        let first_unmatched = reference.min(hypothesis) + 1;
        let kind = ProblemKind::UnequalLines { other: hypotheses.file, reference, hypothesis, first_unmatched };
        return Err(FormatError::one(&references.file, 0, kind));
    }
    let pairs = references.list.into_iter().zip(hypotheses.list).map(|(r, h)| Pair {
        id: r.id,
        reference: Reference::Plain(r.text),
        hypothesis: h.text,
        speaker: None,
        session: None,
        tags: Vec::new(),
        line: r.line,
    });
    Ok(Paired { pairs: pairs.collect(), ..Paired::default() })
}

/// `id word word …`; an utterance may have no words. Blank lines are skipped.
pub(super) fn read_kaldi<'a>(file: &str, text: &'a str) -> Result<Vec<Transcript<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut list = Vec::new();
    for (line, content) in lines(text) {
        let mut rest = content;
        match next_field(&mut rest) {
            Some(id) if content.starts_with(id) => list.push(Transcript {
                id: Cow::Borrowed(id),
                text: Cow::Borrowed(rest.trim_start_matches([' ', '\t'])),
                line,
                ..Transcript::default()
            }),
            Some(_) => problems.push(line, ProblemKind::NoId { expected: "an id at the very beginning of the line" }),
            None => {}
        }
    }
    problems.or(list)
}
