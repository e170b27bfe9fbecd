//! What can go wrong when scoring.

use crate::normalise::RuleProblem;

/// Why a pair cannot be scored, or a normaliser not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The alignment table would be too large.
    #[error(
        "aligning {reference} reference with {hypothesis} hypothesis tokens takes {cells} cells, more than {limit}: \
         split the utterance"
    )]
    TooLong {
        /// Reference tokens.
        reference: usize,
        /// Hypothesis tokens.
        hypothesis: usize,
        /// Cells inside the band.
        cells: u64,
        /// Cells allowed.
        limit: u64,
    },
    /// Input that cannot be read or paired.
    #[error(transparent)]
    Input(#[from] crate::formats::FormatError),
    /// No normaliser has this name.
    #[error("no normaliser named {name:?}; known: {known}")]
    UnknownNormalizer {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// A segment's times cannot be used.
    #[error(
        "{side} segment {index} (counted from 0; session {session:?}, speaker {speaker:?}): its time \
         ({time}) {problem}"
    )]
    SegmentTime {
        /// `reference` or `hypothesis`.
        side: &'static str,
        /// Position in the list given, from 0.
        index: usize,
        /// Session of the segment.
        session: String,
        /// Speaker of the segment.
        speaker: String,
        /// Start and end in seconds as `start to end`; `none` for one that is missing.
        time: String,
        /// What is wrong with them.
        problem: &'static str,
    },
    /// The collar is negative or not a number.
    #[error("a collar of {collar} s: it must be 0 or more")]
    Collar {
        /// The collar given, in seconds.
        collar: String,
    },
    /// A session of several speakers is larger than what is computed.
    #[error("session {session:?} has {actual} {what}, more than {limit}: split it, or check its speaker labels")]
    SessionTooLarge {
        /// Its name.
        session: String,
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        actual: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A list of keywords or word weights is not valid.
    #[error("word list, line {line}: {message}")]
    WordList {
        /// 1-based line; 0 for the whole list.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A pronouncing dictionary is not valid.
    #[error("pronouncing dictionary, line {line}: {message}")]
    Dictionary {
        /// 1-based line; 0 for the whole file.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A rules file has lines that cannot be used.
    #[error("{file}: {} that cannot be used{}", lines(.problems.len()), listed(.problems))]
    Rules {
        /// The file's name as given.
        file: String,
        /// Every such line, in order.
        problems: Vec<RuleProblem>,
    },
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

fn listed(problems: &[RuleProblem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
