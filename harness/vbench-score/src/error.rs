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
    /// No normaliser has this name.
    #[error("no normaliser named {name:?}; known: {known}")]
    UnknownNormalizer {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
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
