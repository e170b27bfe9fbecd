//! What can be wrong with the numbers handed in.

/// Why a statistic cannot be computed. The text is what a report prints after "not estimable:".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// Fewer units than the method needs.
    #[error("{found} {}, at least {needed} needed", counted(what, *found))]
    TooFew {
        /// What was counted, in the plural: `clusters`, `pairs`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A value is infinite or not a number.
    #[error("value {value} at position {index} is not a finite number")]
    NotFinite {
        /// Position in the input.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The denominators add up to nothing.
    #[error("the denominators sum to {sum}")]
    NoDenominator {
        /// The sum.
        sum: f64,
    },
    /// There is no spread to infer anything from.
    #[error("{0}")]
    NoSpread(String),
    /// A parameter is outside its range.
    #[error("{name} = {value} is outside {range}")]
    OutOfRange {
        /// Parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The allowed range in words.
        range: &'static str,
    },
    /// Two inputs that belong together have different lengths.
    #[error("{left} values against {right}")]
    LengthMismatch {
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
}

/// "1 speaker", "5 speakers".
fn counted(plural: &str, count: usize) -> &str {
    if count == 1 { plural.strip_suffix('s').unwrap_or(plural) } else { plural }
}

/// Refuses values that are not finite.
pub(crate) fn check_finite(values: impl IntoIterator<Item = f64>) -> Result<(), StatsError> {
    for (index, value) in values.into_iter().enumerate() {
        if !value.is_finite() {
            return Err(StatsError::NotFinite { index, value });
        }
    }
    Ok(())
}

/// Refuses a parameter outside the open interval (0, 1).
pub(crate) fn check_share(name: &'static str, value: f64) -> Result<(), StatsError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(StatsError::OutOfRange { name, value, range: "the open interval from 0 to 1" })
    }
}
