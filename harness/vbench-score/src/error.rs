//! What can go wrong when scoring.

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
    /// No normaliser has this name.
    #[error("no normaliser named {name:?}; known: {known}")]
    UnknownNormalizer {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
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
}
