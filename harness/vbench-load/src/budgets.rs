//! Budgets judged, and how a wait feels.

use vbench_core::{Budget, BudgetSubject, Budgets};
use vbench_stats::multiple::holm;
use vbench_stats::proportion::wilson;
use vbench_stats::special::{binomial_cdf, binomial_sf};

use crate::engine::Bench;
use crate::error::LoadError;
use crate::ledger::Ledger;
use crate::port::Ns;
use crate::summary::LEVEL;
use crate::tail::{Tail, tail};
use crate::timeline::Timeline;

/// One-sided error probability of a verdict, over all budgets together (Holm).
pub const BUDGET_ALPHA: f64 = 0.05;

/// Whether a budget is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// "The percentile lies above the limit" is rejected.
    Pass,
    /// "The percentile lies within the limit" is rejected, or there is nothing to judge.
    Fail,
    /// Neither.
    Inconclusive,
}

impl Verdict {
    /// As in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// A budget and what a bench says to it.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetVerdict {
    /// As declared.
    pub budget: Budget,
    /// Turns that it looks at.
    pub n: usize,
    /// Of them over the limit, unanswered ones among them.
    pub over: usize,
    /// The percentile with its interval.
    pub observed: Result<Tail, LoadError>,
    /// Probability of so few over the limit if the percentile lay above it, after Holm.
    pub p_pass: f64,
    /// Probability of so many over the limit if the percentile lay within it, after Holm.
    pub p_fail: f64,
    /// The decision.
    pub verdict: Verdict,
    /// Requests for which none over the limit would pass; absent where there are enough.
    pub needed: Option<usize>,
}

/// Judges every budget: of `n` turns at most a share of 1 - percentile may lie over the limit, an exact binomial test both
/// ways (the dual of the order-statistic interval), Holm over all budgets. A budget that no turn speaks to fails.
#[must_use]
pub fn judge_budgets(bench: &Bench, limit: Ns, budgets: &Budgets) -> Vec<BudgetVerdict> {
    let judged: Vec<(Vec<Ns>, usize)> = budgets.limits.iter().map(|b| times_of(&bench.timelines, &b.subject)).collect();
    let counted: Vec<(u64, u64)> = budgets.limits.iter().zip(&judged).map(|(b, of)| over(b, of)).collect();
    let p = |both: fn(u64, u64, f64) -> f64| -> Vec<f64> {
        let one = |(b, (n, over)): (&Budget, &(u64, u64))| both(*over, *n, 1.0 - b.percentile / 100.0).clamp(0.0, 1.0);
        let raw: Vec<f64> = budgets.limits.iter().zip(&counted).map(one).collect();
        holm(&raw).unwrap_or(raw)
    };
    let at_most = p(|over, n, share| if n == 0 { 1.0 } else { binomial_cdf(over, n, share) });
    let at_least = p(|over, n, share| if n == 0 || over == 0 { 1.0 } else { binomial_sf(over - 1, n, share) });
    let verdict = |i: usize| match counted[i].0 {
        0 => Verdict::Fail,
        _ if at_least[i] <= BUDGET_ALPHA => Verdict::Fail,
        _ if at_most[i] <= BUDGET_ALPHA => Verdict::Pass,
        _ => Verdict::Inconclusive,
    };
    let all = budgets.limits.len() as f64;
    budgets
        .limits
        .iter()
        .enumerate()
        .map(|(i, budget)| {
            let (known, censored) = &judged[i];
            let enough = (libm::log(BUDGET_ALPHA / all) / libm::log(budget.percentile / 100.0)).ceil() as usize;
            BudgetVerdict {
                budget: budget.clone(),
                n: counted[i].0 as usize,
                over: counted[i].1 as usize,
                observed: tail(known, *censored, limit, budget.percentile, LEVEL),
                p_pass: at_most[i],
                p_fail: at_least[i],
                verdict: verdict(i),
                needed: (known.len() + censored < enough).then_some(enough),
            }
        })
        .collect()
}

/// Known times and how many are only known to exceed the time limit of a request.
pub(crate) fn times_of(timelines: &[Timeline], subject: &BudgetSubject) -> (Vec<Ns>, usize) {
    match subject {
        BudgetSubject::EndToEnd => {
            let known: Vec<Ns> = timelines.iter().filter_map(Timeline::wait).collect();
            let rest = timelines.len() - known.len();
            (known, rest)
        }
        BudgetSubject::FirstPartial => with_waiting(timelines, &Timeline::first_partial),
        BudgetSubject::FinalText => with_waiting(timelines, &Timeline::final_text),
        BudgetSubject::BargeIn => {
            let stops = timelines.iter().filter_map(Timeline::barge_in);
            let known: Vec<Ns> = stops.clone().flatten().collect();
            let ignored = stops.count() - known.len();
            (known, ignored)
        }
        BudgetSubject::Stage(name) => {
            let measured = |t: &Timeline| match name.as_str() {
                "harness" | "unaccounted" => true,
                "queue" => !t.stages.is_empty(),
                "lead-in" => !t.audio.is_empty(),
                _ => t.stages.iter().any(|s| s.name == *name),
            };
            if !timelines.iter().any(measured) {
                return (Vec::new(), 0);
            }
            let ledgers = timelines.iter().filter_map(|t| t.ledger()?.ok());
            let of_it = |ledger: Ledger| ledger.contributions.iter().filter(|c| c.name == *name).map(|c| c.ns).sum();
            let known: Vec<Ns> = ledgers.map(of_it).collect();
            // Without an answer, or with stages that cannot be true.
            let rest = timelines.len() - known.len();
            (known, rest)
        }
    }
}

/// Times that are known, and how many turns might still have shown theirs had one waited longer: those without an answer, and
/// replies of silence.
pub(crate) fn with_waiting(timelines: &[Timeline], of: &dyn Fn(&Timeline) -> Option<Ns>) -> (Vec<Ns>, usize) {
    let known: Vec<Ns> = timelines.iter().filter_map(of).collect();
    let waiting = timelines.iter().filter(|t| t.wait().is_none() && of(t).is_none()).count();
    if known.is_empty() { (known, 0) } else { (known, waiting) }
}

fn over(budget: &Budget, (known, censored): &(Vec<Ns>, usize)) -> (u64, u64) {
    let limit = budget.limit_ms * 1e6;
    let over = known.iter().filter(|ns| **ns as f64 > limit).count() + censored;
    ((known.len() + censored) as u64, over as u64)
}

/// A band of waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// At least this, ms.
    pub from_ms: f64,
    /// Less than this, ms; absent for the last, which holds the unanswered too.
    pub to_ms: Option<f64>,
    /// Turns.
    pub turns: usize,
    /// Their share of all.
    pub share: f64,
    /// Wilson's interval at [`LEVEL`].
    pub lo: f64,
    /// Its upper end.
    pub hi: f64,
}

/// Counts end-to-end waits by bands with these edges (ascending, ms).
#[must_use]
pub fn bands(bench: &Bench, edges_ms: &[f64]) -> Vec<Band> {
    let (known, censored) = times_of(&bench.timelines, &BudgetSubject::EndToEnd);
    let all = known.len() + censored;
    let mut counts = vec![0usize; edges_ms.len() + 1];
    for ns in &known {
        counts[edges_ms.iter().take_while(|edge| *ns as f64 >= **edge * 1e6).count()] += 1;
    }
    counts[edges_ms.len()] += censored;
    let band = |(i, turns): (usize, &usize)| {
        let (lo, hi) = wilson(*turns as u64, all as u64, LEVEL).unwrap_or((0.0, 1.0));
        let from_ms = if i == 0 { 0.0 } else { edges_ms[i - 1] };
        let share = if all > 0 { *turns as f64 / all as f64 } else { 0.0 };
        Band { from_ms, to_ms: edges_ms.get(i).copied(), turns: *turns, share, lo, hi }
    };
    counts.iter().enumerate().map(band).collect()
}
