//! Transcripts in the formats that people have, and their pairing. Pure: bytes in, borrowed text out.
//!
//! ```text
//! lines.rs      bytes to text (UTF-8, byte order mark), lines
//! problem.rs    what is wrong with an input, with line numbers
//! text.rs       plain lines; Kaldi text
//! delimited.rs  CSV and TSV with named columns
//! record.rs     a row of named fields, from JSON or from a table
//! jsonl.rs      JSON objects a line: pairs or one side
//! seglst.rs     SegLST, the segment list of multi-speaker scoring
//! trn.rs        sclite's trn
//! stm.rs        sclite's stm, and ctm words assigned to its segments by time
//! pairing.rs    one reference with one hypothesis, and what lacks its partner
//! ```
//!
//! **Bytes.** Every format is UTF-8. A byte order mark at the beginning is skipped, a carriage return at the end of a line
//! is dropped, a NUL is a character like any other. Anything that is not UTF-8 is refused with line and byte.
//!
//! **Markup.** `{a / b}` alternates and `(word)` optional words are read in the references of `trn` and `stm` and
//! nowhere else: in every other format, and in every hypothesis, a brace is a brace. See [`crate::lattice`].
//!
//! ```
//! use vbench_score::formats::{Columns, Format, MissingPolicy, Source, load};
//!
//! let reference = Source { file: "ref.txt", bytes: b"turn left\nstop\n", format: Format::Text };
//! let hypothesis = Source { file: "hyp.txt", bytes: b"turn left\r\nshop\r\n", format: Format::Text };
//! let paired = load(&reference, &hypothesis, &Columns::default(), MissingPolicy::Error)?;
//! assert_eq!(paired.pairs.len(), 2);
//! assert_eq!(paired.pairs[1].reference.plain(), "stop");
//! assert_eq!(paired.pairs[1].hypothesis, "shop");
//! # Ok::<(), vbench_score::formats::FormatError>(())
//! ```

mod delimited;
mod jsonl;
mod lines;
mod pairing;
mod problem;
mod record;
mod seglst;
mod stm;
mod text;
mod trn;

use std::borrow::Cow;

pub use pairing::{IdList, MissingPolicy, Pair, Paired, Reference, TimeTally, pair};
pub use problem::{FormatError, MAX_PROBLEMS, Problem, ProblemKind};

use crate::lattice::Lattice;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One utterance a line; line i of one file belongs to line i of the other. Ids are the line numbers.
    Text,
    /// `id word word …` a line, as in the file `text` of a Kaldi data folder.
    Kaldi,
    /// One JSON object a line: `id`, `ref`, `hyp` (pairs) or `id`, `text` (one side); further keys are tags.
    Jsonl,
    /// Comma-separated values (RFC 4180) with a header line; columns are named by [`Columns`], the others are tags.
    Csv,
    /// Tab-separated values with a header line; no quoting.
    Tsv,
    /// sclite's `trn`: `word word … (id)`.
    Trn,
    /// sclite's `stm`: `file channel speaker start end <label> word word …`.
    Stm,
    /// sclite's `ctm`: `file channel start duration word confidence`, one word a line; only against an `stm`.
    Ctm,
    /// SegLST: a JSON list of `session_id`, `speaker`, `start_time`, `end_time`, `words`.
    Seglst,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] =
        [Self::Text, Self::Kaldi, Self::Jsonl, Self::Csv, Self::Tsv, Self::Trn, Self::Stm, Self::Ctm, Self::Seglst];

    /// The name that `--format` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Kaldi => "kaldi",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Trn => "trn",
            Self::Stm => "stm",
            Self::Ctm => "ctm",
            Self::Seglst => "seglst",
        }
    }

    /// The inverse of [`Format::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// The format that a file's name shows: its ending in any case (`.txt`, `.jsonl`, `.csv`, `.tsv`, `.trn`, `.stm`,
    /// `.ctm`; `.json` is SegLST), or the whole name `text` (Kaldi). `None` where the name shows nothing.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        if name == "text" {
            return Some(Self::Kaldi);
        }
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Text),
            "json" => Some(Self::Seglst),
            ending @ ("jsonl" | "csv" | "tsv" | "trn" | "stm" | "ctm") => Self::from_name(ending),
            _ => None,
        }
    }
}

/// Which side of a comparison a file holds. Markup is read in references only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What was said.
    Reference,
    /// What the model said.
    Hypothesis,
}

/// A file that was read by the caller.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name, for messages.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How it is written.
    pub format: Format,
}

/// Names of the columns of CSV and TSV, and of the keys of JSONL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns<'c> {
    /// Utterance id; where a file of pairs lacks it, ids are row numbers.
    pub id: &'c str,
    /// Reference, in a file of pairs.
    pub reference: &'c str,
    /// Hypothesis, in a file of pairs.
    pub hypothesis: &'c str,
    /// Text, in a file of one side.
    pub text: &'c str,
    /// Speaker; may be absent.
    pub speaker: &'c str,
    /// Session; may be absent.
    pub session: &'c str,
}

impl Default for Columns<'_> {
    /// `id`, `ref`, `hyp`, `text`, `speaker`, `session`.
    fn default() -> Self {
        Self { id: "id", reference: "ref", hypothesis: "hyp", text: "text", speaker: "speaker", session: "session" }
    }
}

/// A name and a value that strata can be made of.
pub type Tag<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One utterance or segment of one side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript<'a> {
    /// Names it; what is paired by.
    pub id: Cow<'a, str>,
    /// Its words. Where there is markup: the first of all alternates, optional words included.
    pub text: Cow<'a, str>,
    /// All readings, where the text has markup.
    pub lattice: Option<Box<Lattice<'a>>>,
    /// Who speaks.
    pub speaker: Option<Cow<'a, str>>,
    /// The recording or meeting that it is part of.
    pub session: Option<Cow<'a, str>>,
    /// Begin in seconds.
    pub start_s: Option<f64>,
    /// End in seconds.
    pub end_s: Option<f64>,
    /// What else is said about it.
    pub tags: Vec<Tag<'a>>,
    /// Line in its file, from 1.
    pub line: usize,
}

/// The transcripts of one file, in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcripts<'a> {
    /// The file's name, for messages.
    pub file: String,
    /// Transcripts.
    pub list: Vec<Transcript<'a>>,
}

/// Reads the transcripts of one side. Equal ids are found when sides are paired, not here: segments of a meeting need none.
///
/// # Errors
/// Everything wrong with the file, up to [`MAX_PROBLEMS`] of them with their lines. A `ctm` is refused: its words become
/// utterances only by an `stm` (see [`load`]).
pub fn read<'a>(source: &Source<'a>, side: Side, columns: &Columns<'_>) -> Result<Transcripts<'a>, FormatError> {
    let text = lines::decode(source.file, source.bytes)?;
    let list = match source.format {
        Format::Text => text::read_text(text),
        Format::Kaldi => text::read_kaldi(source.file, text)?,
        Format::Jsonl => jsonl::read_side(source.file, text, columns)?,
        Format::Csv => delimited::read_side(source.file, text, delimited::Dialect::Csv, columns)?,
        Format::Tsv => delimited::read_side(source.file, text, delimited::Dialect::Tsv, columns)?,
        Format::Trn => trn::read(source.file, text, side)?,
        Format::Stm => stm::read(source.file, text, side)?,
        Format::Ctm => return Err(FormatError::one(source.file, 0, ProblemKind::CtmWithoutStm)),
        Format::Seglst => seglst::read(source.file, text)?,
    };
    Ok(Transcripts { file: source.file.to_owned(), list })
}

/// Reads two files and pairs them: text lines by number, `ctm` words by the times of `stm` segments, all else by id.
///
/// # Errors
/// What is wrong with either file, unequal numbers of text lines, equal ids on one side, and, under
/// [`MissingPolicy::Error`], utterances without a partner.
pub fn load<'a>(
    reference: &Source<'a>,
    hypothesis: &Source<'a>,
    columns: &Columns<'_>,
    policy: MissingPolicy,
) -> Result<Paired<'a>, FormatError> {
    match (reference.format, hypothesis.format) {
        (Format::Stm, Format::Ctm) => stm::load(reference, hypothesis, policy),
        (_, Format::Ctm) => Err(FormatError::one(hypothesis.file, 0, ProblemKind::CtmWithoutStm)),
        (Format::Text, Format::Text) => {
            let (references, hypotheses) = read_both(reference, hypothesis, columns)?;
            text::pair_lines(references, hypotheses)
        }
        (Format::Text, other) | (other, Format::Text) => {
            let file = if reference.format == Format::Text { reference.file } else { hypothesis.file };
            Err(FormatError::one(file, 0, ProblemKind::TextAgainstIds { other }))
        }
        _ => {
            let (references, hypotheses) = read_both(reference, hypothesis, columns)?;
            pair(references, hypotheses, policy)
        }
    }
}

fn read_both<'a>(
    reference: &Source<'a>,
    hypothesis: &Source<'a>,
    columns: &Columns<'_>,
) -> Result<(Transcripts<'a>, Transcripts<'a>), FormatError> {
    problem::both(read(reference, Side::Reference, columns), read(hypothesis, Side::Hypothesis, columns))
}

/// Reads a file that holds both sides: JSONL, CSV or TSV. A row without a hypothesis (key absent or `null`) is a missing
/// hypothesis; an empty one is a model that said nothing.
///
/// # Errors
/// What is wrong with the file, equal ids, and, under [`MissingPolicy::Error`], rows without a hypothesis.
pub fn load_pairs<'a>(
    source: &Source<'a>,
    columns: &Columns<'_>,
    policy: MissingPolicy,
) -> Result<Paired<'a>, FormatError> {
    let text = lines::decode(source.file, source.bytes)?;
    let rows = match source.format {
        Format::Jsonl => jsonl::read_pairs(source.file, text, columns)?,
        Format::Csv => delimited::read_pairs(source.file, text, delimited::Dialect::Csv, columns)?,
        Format::Tsv => delimited::read_pairs(source.file, text, delimited::Dialect::Tsv, columns)?,
        format => return Err(FormatError::one(source.file, 0, ProblemKind::NotPairs { format })),
    };
    pairing::from_rows(source.file, rows, policy)
}
