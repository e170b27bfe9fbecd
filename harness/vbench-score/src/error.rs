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
}
