//! Alignment counts as a type that can only be summed, never averaged.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Hits, substitutions, deletions and insertions of one or many alignments.
///
/// Rates are ratios of sums: add counts first, divide once. `reference()` is `hits + sub + del`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ErrorCounts {
    /// Reference tokens matched.
    pub hits: u64,
    /// Substitutions.
    pub sub: u64,
    /// Deletions: reference tokens without a counterpart.
    pub del: u64,
    /// Insertions: hypothesis tokens without a counterpart.
    pub ins: u64,
}

impl ErrorCounts {
    /// No tokens at all: the neutral element of addition.
    pub const ZERO: Self = Self { hits: 0, sub: 0, del: 0, ins: 0 };

    /// Number of reference tokens, `N = H + S + D`.
    #[must_use]
    pub const fn reference(&self) -> u64 {
        self.hits + self.sub + self.del
    }

    /// Number of hypothesis tokens, `H + S + I`.
    #[must_use]
    pub const fn hypothesis(&self) -> u64 {
        self.hits + self.sub + self.ins
    }

    /// Number of errors, `S + D + I`.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.sub + self.del + self.ins
    }

    /// Error rate `(S + D + I) / N` as a fraction (may exceed 1); `None` for an empty reference, whose insertions
    /// are hallucinated words and stay visible in `ins`.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let n = self.reference();
        (n > 0).then(|| self.errors() as f64 / n as f64)
    }
}

impl Add for ErrorCounts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            sub: self.sub + other.sub,
            del: self.del + other.del,
            ins: self.ins + other.ins,
        }
    }
}

impl AddAssign for ErrorCounts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for ErrorCounts {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}
