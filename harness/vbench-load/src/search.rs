//! The largest rate at which a percentile holds.

use crate::scenario::Scenario;
use crate::summary::{BenchSummary, PERCENTILES};
use crate::tail::TailValue;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// One of [`PERCENTILES`].
    pub percentile: f64,
    /// Of the latency, ms.
    pub limit_ms: f64,
}

/// Whether a trial met the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The upper end of the percentile's interval lies within the limit, and answers kept up with arrivals.
    Yes,
    /// It does not hold, or cannot be said: the interval holds the limit, or requests were too few for one.
    No,
    /// The instrument itself was too late: the trial says nothing.
    Void,
}

impl Holds {
    /// As in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "holds",
            Self::No => "does not hold",
            Self::Void => "void",
        }
    }
}

/// One run of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Mean arrivals a second.
    pub rate_hz: f64,
    /// A longer run that is to confirm the end.
    pub confirms: bool,
    /// Its numbers.
    pub summary: BenchSummary,
    /// Whether it met the goal.
    pub holds: Holds,
}

/// A search as it went.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSearch {
    /// What must hold.
    pub goal: Goal,
    /// In the order in which they were run; by rate they are the load curve.
    pub trials: Vec<Trial>,
    /// The largest rate that a longer run confirmed.
    pub best_hz: Option<f64>,
    /// How it ended, in words.
    pub ended: String,
}

/// Answers must come at least at this share of the rate at which requests arrive: else a queue grows that a short run hides.
pub const KEEPS_UP: f64 = 0.9;
/// The search ends when the smallest rate that does not hold is at most this far above the largest that does.
pub const SEARCH_RATIO: f64 = 1.05;
/// Trials at most, confirmations among them.
pub const MOST_TRIALS: usize = 48;
/// How a search ended that somebody interrupted.
pub const INTERRUPTED: &str = "interrupted";
/// How much longer the run is that confirms.
pub const CONFIRM_LONGER: u32 = 4;

impl Goal {
    /// Judges a run. In one that is to confirm the queue must not grow, and the model must not slow down.
    #[must_use]
    pub fn judge(&self, summary: &BenchSummary, confirms: bool) -> Holds {
        if summary.voided.is_some() {
            return Holds::Void;
        }
        let place = PERCENTILES.iter().position(|p| *p == self.percentile);
        let tail = place.and_then(|i| summary.latency.tails[i].as_ref().ok());
        let within = tail.is_some_and(|t| matches!(t.hi, TailValue::At(ns) if ns <= self.limit_ms * 1e6));
        let grows = summary.backlog.is_some_and(|b| b.grows()) || summary.trend.as_ref().is_some_and(|t| t.slows_down);
        if within && keeps_up(summary) && !(confirms && grows) { Holds::Yes } else { Holds::No }
    }
}

/// Whether answers came as fast as requests, but for a tenth.
pub(crate) fn keeps_up(summary: &BenchSummary) -> bool {
    summary.offered_hz.is_none_or(|offered| summary.answered_hz >= KEEPS_UP * offered)
}

/// Searches from `start_hz`: doubles until a rate does not hold, or halves until one does, then halves the gap on a ratio
/// scale, and lets a longer run confirm the end; one that is not confirmed bounds the rest from above. A void trial bounds
/// like one that does not hold. `run(rate, longer)` runs a trial, `longer` times as long as usual; where it has none to show
/// because somebody interrupted it, the search ends.
///
/// # Errors
/// What `run` returns.
pub fn search<E>(
    goal: Goal,
    start_hz: f64,
    run: &mut dyn FnMut(f64, u32) -> Result<Option<BenchSummary>, E>,
) -> Result<LoadSearch, E> {
    let mut trials: Vec<Trial> = Vec::new();
    let mut high: Option<f64> = None;
    let mut rate = start_hz;
    let mut confirms = false;
    let (best_hz, ended) = loop {
        if trials.len() >= MOST_TRIALS {
            break (None, format!("stopped after {MOST_TRIALS} trials without a confirmed rate"));
        }
        let Some(summary) = run(rate, if confirms { CONFIRM_LONGER } else { 1 })? else {
            break (None, INTERRUPTED.to_owned());
        };
        let holds = goal.judge(&summary, confirms);
        trials.push(Trial { rate_hz: rate, confirms, summary, holds });
        match holds {
            Holds::Yes if confirms => {
                let most = if rate < Scenario::MOST_RATE_HZ { "" } else { "; no higher rate can be offered" };
                break (Some(rate), format!("confirmed by a longer run{most}"));
            }
            Holds::Yes => {}
            Holds::No | Holds::Void => high = Some(rate),
        }
        // What held in a short run and not in a longer one has not held.
        let low = held_below(&trials, high.unwrap_or(f64::INFINITY));
        confirms = false;
        rate = match (low, high) {
            (Some(low), None) if low < Scenario::MOST_RATE_HZ => (2.0 * low).min(Scenario::MOST_RATE_HZ),
            (None, Some(high)) => high / 2.0,
            (Some(low), Some(high)) if high / low > SEARCH_RATIO => (low * high).sqrt(),
            (Some(low), _) => {
                confirms = true;
                low
            }
            (None, None) => rate,
        };
        if rate < start_hz / 4096.0 {
            break (None, "no rate holds, down to 1/4096 of the first".to_owned());
        }
    };
    Ok(LoadSearch { goal, trials, best_hz, ended })
}

/// The largest rate below `limit` that held and that no run denied.
fn held_below(trials: &[Trial], limit: f64) -> Option<f64> {
    let denied = |rate: f64| trials.iter().any(|t| t.rate_hz <= rate && t.holds != Holds::Yes);
    let held = trials.iter().filter(|t| t.holds == Holds::Yes && t.rate_hz < limit && !denied(t.rate_hz));
    held.map(|t| t.rate_hz).max_by(f64::total_cmp)
}

impl LoadSearch {
    /// A search read back from its trials.
    #[must_use]
    pub fn of_trials(goal: Goal, trials: Vec<Trial>, ended: String) -> Self {
        let confirmed = trials.iter().filter(|t| t.confirms && t.holds == Holds::Yes).map(|t| t.rate_hz);
        Self { goal, best_hz: confirmed.max_by(f64::total_cmp), trials, ended }
    }
}
