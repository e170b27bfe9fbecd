//! One reference with one hypothesis, by id; what lacks its partner is counted, whatever the policy.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::problem::{FormatError, ProblemKind, Problems, both};
use super::{Tag, Transcript, Transcripts};
use crate::lattice::Lattice;

/// Ids that an [`IdList`] names.
const EXAMPLES: usize = 5;

/// What happens to an utterance without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MissingPolicy {
    /// It is an error, on either side.
    #[default]
    Error,
    /// A reference without a hypothesis is scored as if the model had said nothing; a hypothesis without a reference is
    /// left out, because there is nothing to score it against.
    Empty,
    /// It is left out, on either side.
    Skip,
}

impl MissingPolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Error, Self::Empty, Self::Skip];

    /// The name that `--missing` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Empty => "empty",
            Self::Skip => "skip",
        }
    }

    /// The inverse of [`MissingPolicy::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference<'a> {
    /// One reading.
    Plain(Cow<'a, str>),
    /// Several.
    Lattice(Box<Lattice<'a>>),
}

impl Reference<'_> {
    /// The text; of several readings the first of all alternatives, optional words included.
    #[must_use]
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Lattice(lattice) => Cow::Owned(lattice.plain()),
        }
    }
}

/// A reference with its hypothesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Utterance id.
    pub id: Cow<'a, str>,
    /// What was said.
    pub reference: Reference<'a>,
    /// What the model said.
    pub hypothesis: Cow<'a, str>,
    /// Who speaks: by the reference, else by the hypothesis.
    pub speaker: Option<Cow<'a, str>>,
    /// Recording or meeting: by the reference, else by the hypothesis.
    pub session: Option<Cow<'a, str>>,
    /// Tags of the reference, then those of the hypothesis with other names.
    pub tags: Vec<Tag<'a>>,
    /// Line of the reference, from 1.
    pub line: usize,
}

/// How many ids, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdList {
    /// How many.
    pub count: u64,
    /// The first five.
    pub first: Vec<String>,
}

impl IdList {
    pub(super) fn note(&mut self, id: &str) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            self.first.push(id.to_owned());
        }
    }
}

/// What became of `ctm` words and `stm` segments beside the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeTally {
    /// Segments that are not to be scored (`IGNORE_TIME_SEGMENT_IN_SCORING`).
    pub ignored_segments: u64,
    /// Hypothesis words dropped with them.
    pub ignored_words: u64,
    /// Hypothesis words outside every segment, scored with the next one (at the end: the last), as sclite does.
    pub words_between: u64,
}

/// Pairs in the order of the references, and what has no partner. Equal ids on one side are always an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paired<'a> {
    /// What is scored.
    pub pairs: Vec<Pair<'a>>,
    /// References without a hypothesis: under [`MissingPolicy::Empty`] they are among the pairs. For `stm` with `ctm`:
    /// channels without any word.
    pub missing: IdList,
    /// Hypotheses without a reference, never scored. For `stm` with `ctm`: channels without any segment.
    pub extra: IdList,
    /// For `stm` with `ctm` only.
    pub times: Option<TimeTally>,
}

/// A row of a file that holds both sides. The transcript is the reference.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) transcript: Transcript<'a>,
    pub(super) hypothesis: Option<Cow<'a, str>>,
}

/// Pairs by id.
///
/// # Errors
/// Equal ids on one side, and under [`MissingPolicy::Error`] utterances without a partner.
pub fn pair<'a>(
    references: Transcripts<'a>,
    mut hypotheses: Transcripts<'a>,
    policy: MissingPolicy,
) -> Result<Paired<'a>, FormatError> {
    let (partners, missing, extra) = partners(&references, &hypotheses, policy)?;
    let mut paired = Paired { missing, extra, ..Paired::default() };
    paired.pairs.reserve_exact(references.list.len());
    for (reference, partner) in references.list.into_iter().zip(partners) {
        match partner.map(|h| std::mem::take(&mut hypotheses.list[h as usize])) {
            Some(hypothesis) => paired.pairs.push(join(reference, hypothesis)),
            None if policy == MissingPolicy::Empty => paired.pairs.push(join(reference, Transcript::default())),
            None => {}
        }
    }
    Ok(paired)
}

/// The hypothesis of each reference, and the ids without partner.
fn partners(
    references: &Transcripts<'_>,
    hypotheses: &Transcripts<'_>,
    policy: MissingPolicy,
) -> Result<(Vec<Option<u32>>, IdList, IdList), FormatError> {
    let (mut at_reference, mut at_hypothesis) = (Problems::of(&references.file), Problems::of(&hypotheses.file));
    let mut by_id: HashMap<&str, u32> = HashMap::with_capacity(hypotheses.list.len());
    for (i, transcript) in hypotheses.list.iter().enumerate() {
        match by_id.entry(&transcript.id) {
            Entry::Vacant(entry) => drop(entry.insert(i as u32)),
            Entry::Occupied(first) => {
                let first_line = hypotheses.list[*first.get() as usize].line;
                at_hypothesis
                    .push(transcript.line, ProblemKind::DuplicateId { id: transcript.id.to_string(), first_line });
            }
        }
    }
    // Which reference took a hypothesis, from 1.
    let mut taken = vec![0usize; hypotheses.list.len()];
    let mut alone: HashMap<&str, usize> = HashMap::new();
    let (mut missing, mut extra) = (IdList::default(), IdList::default());
    let mut partners = Vec::with_capacity(references.list.len());
    for (i, transcript) in references.list.iter().enumerate() {
        let id: &str = &transcript.id;
        let partner = by_id.get(id).copied();
        let before = match partner {
            Some(h) => std::mem::replace(&mut taken[h as usize], i + 1),
            None => alone.insert(id, i + 1).unwrap_or_default(),
        };
        if before > 0 {
            let first_line = references.list[before - 1].line;
            at_reference.push(transcript.line, ProblemKind::DuplicateId { id: id.to_owned(), first_line });
        } else if partner.is_none() {
            missing.note(id);
            if policy == MissingPolicy::Error {
                at_reference.push(transcript.line, ProblemKind::MissingHypothesis { id: id.to_owned() });
            }
        }
        partners.push(partner);
    }
    for (i, transcript) in hypotheses.list.iter().enumerate() {
        // A second hypothesis of an id is a problem already.
        if taken[i] > 0 || by_id.get(&*transcript.id) != Some(&(i as u32)) {
            continue;
        }
        extra.note(&transcript.id);
        if policy == MissingPolicy::Error {
            at_hypothesis.push(transcript.line, ProblemKind::ExtraHypothesis { id: transcript.id.to_string() });
        }
    }
    both(at_reference.or(()), at_hypothesis.or(()))?;
    Ok((partners, missing, extra))
}

/// The pairs of a file that holds both sides.
pub(super) fn from_rows<'a>(file: &str, rows: Vec<Row<'a>>, policy: MissingPolicy) -> Result<Paired<'a>, FormatError> {
    let mut problems = Problems::of(file);
    let mut missing = IdList::default();
    let mut lines: HashMap<&str, usize> = HashMap::with_capacity(rows.len());
    for Row { transcript, hypothesis } in &rows {
        let id: &str = &transcript.id;
        match lines.entry(id) {
            Entry::Vacant(entry) => drop(entry.insert(transcript.line)),
            Entry::Occupied(first) => {
                let first_line = *first.get();
                problems.push(transcript.line, ProblemKind::DuplicateId { id: id.to_owned(), first_line });
            }
        }
        if hypothesis.is_none() {
            missing.note(id);
            if policy == MissingPolicy::Error {
                problems.push(transcript.line, ProblemKind::MissingHypothesis { id: id.to_owned() });
            }
        }
    }
    problems.or(())?;
    drop(lines);
    let pairs = rows
        .into_iter()
        .filter(|row| row.hypothesis.is_some() || policy == MissingPolicy::Empty)
        .map(|row| {
            join(row.transcript, Transcript { text: row.hypothesis.unwrap_or_default(), ..Transcript::default() })
        })
        .collect();
    Ok(Paired { pairs, missing, ..Paired::default() })
}

pub(super) fn join<'a>(reference: Transcript<'a>, hypothesis: Transcript<'a>) -> Pair<'a> {
    let mut tags = reference.tags;
    let known = tags.len();
    for tag in hypothesis.tags {
        if !tags[..known].iter().any(|(name, _)| *name == tag.0) {
            tags.push(tag);
        }
    }
    Pair {
        id: reference.id,
        reference: match reference.lattice {
            Some(lattice) => Reference::Lattice(lattice),
            None => Reference::Plain(reference.text),
        },
        hypothesis: hypothesis.text,
        speaker: reference.speaker.or(hypothesis.speaker),
        session: reference.session.or(hypothesis.session),
        tags,
        line: reference.line,
    }
}
