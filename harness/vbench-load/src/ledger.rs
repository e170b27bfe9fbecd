//! Where the time of a turn went.

use crate::port::Ns;

/// A stretch of work that a model reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// `vad`, `asr`, `llm`, `tts`, `transport`, …
    pub name: String,
    /// Who does it: the model, the harness, an encoder.
    pub owner: String,
    /// When it began.
    pub t0: Ns,
    /// When it ended.
    pub t1: Ns,
}

/// What a stage added to what the user waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The stage's name; `unaccounted` for time in which none ran.
    pub name: String,
    /// The stage's owner; empty for `unaccounted`.
    pub owner: String,
    /// Nanoseconds of the wait that are charged to it.
    pub ns: Ns,
}

/// The wait of one turn, in parts that sum to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// By first appearance.
    pub contributions: Vec<Contribution>,
    /// What the user waited.
    pub total: Ns,
}

/// A report of stages that cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Ends before it begins.
    #[error("stage `{name}` ends {by} ns before it begins")]
    Backwards {
        /// Which.
        name: String,
        /// By how much.
        by: Ns,
    },
    /// Works on what was not there yet.
    #[error("stage `{name}` begins {by} ns before the request was due")]
    TooEarly {
        /// Which.
        name: String,
        /// By how much.
        by: Ns,
    },
    /// Begins after the user has the answer.
    #[error("stage `{name}` begins {by} ns after the answer")]
    TooLate {
        /// Which.
        name: String,
        /// By how much.
        by: Ns,
    },
    /// Works on what its predecessor has not begun to make.
    #[error("stage `{name}` begins {by} ns before `{before}`, whose output it needs")]
    OutOfOrder {
        /// Which.
        name: String,
        /// The stage that must begin first.
        before: String,
        /// By how much.
        by: Ns,
    },
}

/// Charges every instant between `due` and `end` to the stage that began last among those that run then: in a pipeline that
/// streams, the user waits for the newest stage, whatever the older ones still do. Instants in which none runs are
/// `unaccounted`. `order` lists names that must begin one after the other, where they occur.
///
/// # Errors
/// [`LedgerError`]: the first impossibility.
pub fn ledger(due: Ns, end: Ns, stages: &[Stage], order: &[&str]) -> Result<Ledger, LedgerError> {
    check(due, end, stages, order)?;
    Ok(charge(due, end, stages))
}

/// The parts of [`ledger`], of stages that may begin before `due` or after `end`: what lies outside is charged to nobody.
pub(crate) fn charge(due: Ns, end: Ns, stages: &[Stage]) -> Ledger {
    let mut cuts: Vec<Ns> = stages.iter().flat_map(|s| [s.t0, s.t1]).chain([due, end]).collect();
    cuts.retain(|t| (due..=end).contains(t));
    cuts.sort_unstable();
    cuts.dedup();
    let mut contributions: Vec<Contribution> = Vec::new();
    for span in cuts.windows(2) {
        let (from, to) = (span[0], span[1]);
        // Of two that begin together the one reported later counts as the newer.
        let newest = stages.iter().filter(|s| s.t0 <= from && s.t1 >= to).max_by_key(|s| s.t0);
        let (name, owner) = newest.map_or(("unaccounted", ""), |s| (&s.name, &s.owner));
        match contributions.iter_mut().find(|c| c.name == name && c.owner == owner) {
            Some(c) => c.ns += to - from,
            None => contributions.push(Contribution { name: name.into(), owner: owner.into(), ns: to - from }),
        }
    }
    Ledger { contributions, total: end.saturating_sub(due) }
}

pub(crate) fn check(due: Ns, end: Ns, stages: &[Stage], order: &[&str]) -> Result<(), LedgerError> {
    for stage in stages {
        let name = stage.name.clone();
        if stage.t1 < stage.t0 {
            return Err(LedgerError::Backwards { name, by: stage.t0 - stage.t1 });
        }
        if stage.t0 < due {
            return Err(LedgerError::TooEarly { name, by: due - stage.t0 });
        }
        if stage.t0 > end {
            return Err(LedgerError::TooLate { name, by: stage.t0 - end });
        }
    }
    let first = |name: &str| stages.iter().filter(|s| s.name == name).map(|s| s.t0).min();
    let begun: Vec<(&str, Ns)> = order.iter().filter_map(|name| Some((*name, first(name)?))).collect();
    for pair in begun.windows(2) {
        let ((before, earlier), (name, later)) = (pair[0], pair[1]);
        if later < earlier {
            return Err(LedgerError::OutOfOrder { name: name.into(), before: before.into(), by: earlier - later });
        }
    }
    Ok(())
}
