//! What is wrong with an input, and where.

use std::fmt;

use super::Format;
use crate::lattice::MarkupError;

/// Problems of a file that are listed; more are only counted.
pub const MAX_PROBLEMS: usize = 20;

/// Input that cannot be used, with its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// The first problems of each file, at most [`MAX_PROBLEMS`], in order of lines.
    pub problems: Vec<Problem>,
    /// How many there are in all.
    pub total: u64,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Line from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a line or a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// A byte that is not UTF-8.
    #[error("not UTF-8 at byte {byte} of the line{}", if *.utf16 { " (it looks like UTF-16: convert it)" } else { "" })]
    InvalidUtf8 {
        /// Byte in the line, from 1.
        byte: usize,
        /// The file begins with the byte order mark of UTF-16.
        utf16: bool,
    },
    /// Two text files of different length.
    #[error(
        "{reference} lines, but {other} has {hypothesis}; line {first_unmatched} of the longer file has no counterpart"
    )]
    UnequalLines {
        /// The hypothesis file.
        other: String,
        /// Lines of the reference file.
        reference: usize,
        /// Lines of the hypothesis file.
        hypothesis: usize,
        /// First line of the longer file without a counterpart.
        first_unmatched: usize,
    },
    /// An id that stood before.
    #[error("id {id:?} stands also in line {first_line}")]
    DuplicateId {
        /// The id.
        id: String,
        /// Where it stood first.
        first_line: usize,
    },
    /// A reference without a hypothesis.
    #[error("no hypothesis for {id:?}")]
    MissingHypothesis {
        /// The reference's id.
        id: String,
    },
    /// A hypothesis without a reference.
    #[error("no reference for {id:?}")]
    ExtraHypothesis {
        /// The hypothesis's id.
        id: String,
    },
    /// A line without id.
    #[error("no utterance id: expected {expected}")]
    NoId {
        /// What the format wants.
        expected: &'static str,
    },
    /// Broken markup of alternates.
    #[error("{0}; where braces are plain characters use --format kaldi or jsonl")]
    Markup(#[from] MarkupError),
    /// A line with too few fields.
    #[error("{actual} fields, expected {expected}")]
    Fields {
        /// What the format wants.
        expected: String,
        /// Fields of the line.
        actual: usize,
    },
    /// A field that is not a number.
    #[error("{field} {actual:?} is not a number of seconds")]
    NotSeconds {
        /// The field.
        field: &'static str,
        /// What it holds.
        actual: String,
    },
    /// A segment that ends before it begins.
    #[error("ends at {end} s, before its begin at {start} s")]
    EndBeforeStart {
        /// Begin as written.
        start: String,
        /// End as written.
        end: String,
    },
    /// A column that the header lacks.
    #[error("no column {column:?}; there are {known}")]
    UnknownColumn {
        /// The column asked for.
        column: String,
        /// The columns of the file.
        known: String,
    },
    /// Two columns of one name.
    #[error("two columns are named {column:?}")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A quotation mark that is never closed.
    #[error("a field opens with a quotation mark that is never closed")]
    OpenQuote,
    /// Text behind a closing quotation mark.
    #[error("text behind the closing quotation mark of a field; a quotation mark inside a field is written twice")]
    TextAfterQuote,
    /// Not JSON.
    #[error("not JSON at column {column}: {what}")]
    Json {
        /// Column in bytes, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// JSON of another shape.
    #[error("expected {expected}, found {actual:?}")]
    JsonShape {
        /// What the format wants.
        expected: &'static str,
        /// What stands there.
        actual: String,
    },
    /// An object without a key that is needed.
    #[error("no key {key:?}; there are {known}")]
    MissingKey {
        /// The key.
        key: String,
        /// The keys of the object.
        known: String,
    },
    /// A key twice in one object.
    #[error("key {key:?} stands twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// An object or table with too many names.
    #[error("more than {limit} names")]
    TooManyKeys {
        /// Names allowed.
        limit: usize,
    },
    /// A value of the wrong type.
    #[error("{key:?} is {actual}, expected {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// What is wanted.
        expected: &'static str,
        /// What is there.
        actual: &'static str,
    },
    /// Alternates in a hypothesis `ctm`.
    #[error("alternates ({word}) in a hypothesis: only references have them")]
    AlternatesInHypothesis {
        /// The word.
        word: String,
    },
    /// A `ctm` has no utterances of its own.
    #[error("a ctm file is scored only against an stm reference")]
    CtmWithoutStm,
    /// Lines without ids against something with ids.
    #[error("plain text has no ids, so it pairs only with plain text, not with {}", .other.name())]
    TextAgainstIds {
        /// The other file's format.
        other: Format,
    },
    /// A format that holds one side only.
    #[error("{} holds one side only: pairs come as jsonl, csv or tsv", .format.name())]
    NotPairs {
        /// The format.
        format: Format,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Problem { file, line, kind }) in self.problems.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            match line {
                0 => write!(f, "{newline}{file}: {kind}")?,
                line => write!(f, "{newline}{file}:{line}: {kind}")?,
            }
        }
        match self.total.saturating_sub(self.problems.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

impl std::error::Error for FormatError {}

impl FormatError {
    /// One problem; line 0 is the whole file.
    pub(super) fn one(file: &str, line: usize, kind: ProblemKind) -> Self {
        Self { problems: vec![Problem { file: file.to_owned(), line, kind }], total: 1 }
    }
}

/// Both values, or the problems of both.
pub(super) fn both<A, B>(a: Result<A, FormatError>, b: Result<B, FormatError>) -> Result<(A, B), FormatError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut a), Err(b)) => {
            a.problems.extend(b.problems);
            a.total += b.total;
            Err(a)
        }
        (Err(e), _) | (_, Err(e)) => Err(e),
    }
}

/// Gathers the problems of a file while it is read on.
#[derive(Debug)]
pub(super) struct Problems<'f> {
    file: &'f str,
    list: Vec<Problem>,
    total: u64,
}

impl<'f> Problems<'f> {
    pub(super) fn of(file: &'f str) -> Self {
        Self { file, list: Vec::new(), total: 0 }
    }

    pub(super) fn push(&mut self, line: usize, kind: ProblemKind) {
        self.total += 1;
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { file: self.file.to_owned(), line, kind });
        }
    }

    /// The value read, or what was wrong.
    pub(super) fn or<T>(self, value: T) -> Result<T, FormatError> {
        if self.total == 0 {
            return Ok(value);
        }
        Err(FormatError { problems: self.list, total: self.total })
    }
}
