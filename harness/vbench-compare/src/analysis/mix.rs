//! Substitutions, deletions and insertions by condition.

use vbench_core::ErrorCounts;

use super::Rate;
use crate::scored::ScoredCell;

/// Which errors a stratum consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorMix {
    /// `all` or `condition`.
    pub by: String,
    /// Name of the condition; empty for `all`.
    pub value: String,
    /// Cells scored.
    pub cells: usize,
    /// Counts of every cell, those with an empty reference included: the same as in the summary's stratum.
    pub counts: ErrorCounts,
    /// Insertions against empty references, which are in no rate.
    pub hallucinated: u64,
    /// The parts of the error rate; nothing without reference tokens.
    pub shares: Option<ErrorShares>,
}

/// An error rate in three parts, each a fraction of the reference tokens. Their sum is the error rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorShares {
    /// Substituted.
    pub sub: f64,
    /// Deleted.
    pub del: f64,
    /// Inserted.
    pub ins: f64,
}

impl ErrorShares {
    /// The error rate.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.sub + self.del + self.ins
    }
}

pub(super) fn mix(by: &str, value: &str, cells: &[&ScoredCell], places: &[usize], rate: Rate) -> ErrorMix {
    let all = || places.iter().map(|p| rate.counts(cells[*p]));
    let counts: ErrorCounts = all().sum();
    let hallucinated: u64 = all().filter(|c| c.reference() == 0).map(|c| c.ins).sum();
    let reference = counts.reference() as f64;
    let shares = (counts.reference() > 0).then(|| ErrorShares {
        sub: counts.sub as f64 / reference,
        del: counts.del as f64 / reference,
        ins: (counts.ins - hallucinated) as f64 / reference,
    });
    ErrorMix { by: by.into(), value: value.into(), cells: places.len(), counts, hallucinated, shares }
}
