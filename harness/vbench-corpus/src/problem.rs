//! What is wrong with a corpus, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Problems that are listed; more are only counted.
pub const MAX_PROBLEMS: usize = 20;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Line, or row of a table without lines, from 1; 0 is the whole file.
    pub line: usize,
}

impl Place {
    /// The whole of a file.
    #[must_use]
    pub fn whole(file: &Path) -> Self {
        Self { file: file.into(), line: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}", self.file.display()),
        }
    }
}

/// One problem with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: ProblemKind,
}

/// What is wrong with a line, a file or a recording.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemKind {
    /// A file or folder that the operating system does not give.
    #[error("cannot read: {what}")]
    Unreadable {
        /// The reason.
        what: String,
    },
    /// More than is read.
    #[error("more than the limit of {limit} {unit}")]
    TooMuch {
        /// What is counted.
        unit: &'static str,
        /// Most that is read.
        limit: u64,
    },
    /// A folder that contains itself through a symbolic link.
    #[error("a symbolic link leads back to a folder above it")]
    Loop,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8 at byte {byte} of the line{}", if *.utf16 { " (it looks like UTF-16: convert it)" } else { "" })]
    InvalidUtf8 {
        /// Byte in the line, from 1.
        byte: usize,
        /// The file begins with the byte order mark of UTF-16.
        utf16: bool,
    },
    /// Not JSON.
    #[error("not JSON: {what}")]
    Json {
        /// What the parser says.
        what: String,
    },
    /// Something of another shape.
    #[error("expected {expected}, found {actual}")]
    Shape {
        /// What the format wants.
        expected: String,
        /// What stands there.
        actual: String,
    },
    /// An object without a key, or a table without a column.
    #[error("no `{key}`; there are: {known}")]
    Missing {
        /// The key or column.
        key: String,
        /// What is there.
        known: String,
    },
    /// Two columns of one name.
    #[error("two columns are named `{column}`")]
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
    /// A line with too few or too many fields.
    #[error("{actual} fields, expected {expected}")]
    Fields {
        /// What the format wants.
        expected: String,
        /// Fields of the line.
        actual: usize,
    },
    /// A time that is not a number of seconds of at least 0.
    #[error("`{field}` must be a number of seconds of at least 0, found `{actual}`")]
    Seconds {
        /// The field.
        field: &'static str,
        /// What it holds.
        actual: String,
    },
    /// A duration that is not above 0.
    #[error("the duration must be above 0 s, found {actual} s")]
    Duration {
        /// What was found.
        actual: f64,
    },
    /// No id.
    #[error("the id is empty")]
    EmptyId,
    /// Line breaks or other control characters in an id.
    #[error("the id {id:?} holds control characters")]
    ControlInId {
        /// The id.
        id: String,
    },
    /// An id that stood before.
    #[error("duplicate id `{id}`: also at {first}")]
    DuplicateId {
        /// The id.
        id: String,
        /// Where it stood first.
        first: String,
    },
    /// A sha256 that is none.
    #[error("a sha256 has 64 hex digits, found `{actual}`")]
    Sha256 {
        /// What stands there.
        actual: String,
    },
    /// No such recording.
    #[error("no audio `{audio}`; looked in {looked}")]
    MissingAudio {
        /// As the corpus names it.
        audio: String,
        /// The folders that were looked at.
        looked: String,
    },
    /// A path that leads out of the folders that may be read.
    #[error("`{audio}` lies outside of {inside}; name the folder that holds it with --audio-root")]
    OutsideRoot {
        /// As the corpus names it.
        audio: String,
        /// The folders that may be read.
        inside: String,
    },
    /// Two recordings of one name.
    #[error("`{stem}` may be {first} or {second}; name one folder with --audio-root")]
    AmbiguousAudio {
        /// As the corpus names it.
        stem: String,
        /// One of them.
        first: String,
        /// Another one.
        second: String,
    },
    /// A recording that cannot be decoded.
    #[error("audio {audio}: {what}")]
    BadAudio {
        /// The file.
        audio: String,
        /// What the decoder says.
        what: String,
    },
    /// A stretch beyond the end of its recording.
    #[error("ends at {end_s} s, but {audio} has {available_s:.3} s")]
    PastTheEnd {
        /// End of the stretch.
        end_s: f64,
        /// The file.
        audio: String,
        /// Duration of the recording.
        available_s: f64,
    },
    /// A channel of a recording with several.
    #[error(
        "asks for channel {channel} of {audio}, which has {channels}: vbench hears the mean of all channels; write each channel to a file of its own"
    )]
    Channel {
        /// As written.
        channel: String,
        /// The file.
        audio: String,
        /// How many it has.
        channels: u32,
    },
    /// A command instead of a file.
    #[error("`{command}` is a command: vbench runs none; write its output to files and name those")]
    Pipe {
        /// As written.
        command: String,
    },
    /// Something that a manifest cannot hold or vbench does not do.
    #[error("{what} is not supported: {instead}")]
    Unsupported {
        /// What was found.
        what: String,
        /// What to do.
        instead: String,
    },
    /// A name that another file should explain.
    #[error("`{name}` is not in {other}")]
    NotIn {
        /// The name.
        name: String,
        /// The file that lacks it.
        other: String,
    },
    /// No tier of this name, or none chosen among several.
    #[error("{what}; tiers: {known}")]
    Tier {
        /// What is missing.
        what: String,
        /// The tiers of the file.
        known: String,
    },
    /// Nothing to import.
    #[error("no utterances: expected {expected}")]
    Nothing {
        /// What the format wants.
        expected: &'static str,
    },
}

/// Everything wrong with a corpus; [`MAX_PROBLEMS`] of it listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The first ones.
    pub list: Vec<Problem>,
    /// How many there are in all.
    pub total: u64,
}

impl Problems {
    /// Notes one.
    pub fn push(&mut self, place: Place, kind: ProblemKind) {
        self.total += 1;
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { place, kind });
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} problem{}:", self.total, if self.total == 1 { "" } else { "s" })?;
        for Problem { place, kind } in &self.list {
            write!(f, "\n  {place}: {kind}")?;
        }
        match self.total.saturating_sub(self.list.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Why a corpus was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The corpus itself.
    #[error("nothing imported: {0}")]
    Problems(Problems),
    /// The format was not given and cannot be told.
    #[error("{}: {what}", path.display())]
    Undecided {
        /// The corpus.
        path: std::path::PathBuf,
        /// What fits, and what to do.
        what: String,
    },
    /// The manifest or extracted audio could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
}
