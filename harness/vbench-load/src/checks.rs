//! What can be doubted about a bench, judged.

use crate::error::LoadError;
use crate::port::Ns;
use crate::scenario::Scenario;
use crate::search::LoadSearch;
use crate::summary::BenchSummary;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// Nothing to doubt.
    Passed,
    /// The numbers do not say what they seem to.
    Failed,
    /// The run was too short to tell.
    Undecided,
}

impl CheckState {
    /// `passed`, `failed` or `undecided`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is looked at.
    pub name: &'static str,
    /// How it ended.
    pub state: CheckState,
    /// What was found, in words.
    pub text: String,
}

/// Looks for what makes a run doubtful: an instrument that was late, requests without an answer, answers that contradict the
/// clock or come twice, stages that cannot be true, a model that slows down, a queue that grows, a run that ended before it was
/// to, too few requests for the percentiles.
#[must_use]
pub fn checks(summary: &BenchSummary) -> Vec<Check> {
    let c = summary.counts;
    let judged = |name, good: bool, text: String| {
        let state = if good { CheckState::Passed } else { CheckState::Failed };
        Check { name, state, text }
    };
    let none_of = |name, n: usize, what: &str| judged(name, n == 0, format!("{n} {what}"));
    let valid = summary.voided.clone();
    let mut all = vec![
        judged("the instrument was on time", valid.is_none(), valid.unwrap_or_else(|| "the run is valid".into())),
        judged(
            "every request was answered",
            c.requests > 0 && c.answered == c.requests,
            format!(
                "{} of {} answered; {} failed, {} without an answer in time{}",
                c.answered,
                c.requests,
                c.failed,
                c.timed_out,
                summary.why_failed().map_or(String::new(), |why| format!("; {why}"))
            ),
        ),
        none_of("no answer before its question", c.impossible, "answered before they were asked"),
        none_of("one answer each", c.answered_twice, "answers beyond the first"),
        none_of("stamps run forwards", c.clock_went_back, "stamps that run backwards"),
        none_of("no stamp from the future", c.clock_ahead, "stamps ahead of their time"),
        none_of("no reply to nobody", c.strays, "replies to requests that were never made"),
    ];
    if let Some(stages) = &summary.stages {
        let first = stages.first_impossible.as_ref().map_or(String::new(), |(id, e)| format!(", the first {id}: {e}"));
        let text = format!("{} of {} turns{first}", stages.impossible, stages.turns + stages.impossible);
        all.push(judged("stages that can be true", stages.impossible == 0, format!("impossible in {text}")));
    }
    if let Some(trend) = &summary.trend {
        let text = format!(
            "times change by {:+.1} % from the beginning of the run to its end (p {:.4}, one-sided, Mann and Kendall)",
            100.0 * trend.rise,
            trend.p_rise
        );
        all.push(judged("as fast at the end as at the beginning", !trend.slows_down, text));
    }
    if let Some(backlog) = summary.backlog {
        let text = format!(
            "requests in flight when another arrived: mostly at most {} in the first half of the run, never under {} in the \
             second",
            backlog.usual, backlog.least
        );
        all.push(judged("the queue does not grow", !backlog.grows(), text));
    }
    let cut = too_short(summary);
    all.push(judged("long enough", cut.is_none(), cut.unwrap_or_else(|| lasted(summary))));
    let short: Vec<String> =
        summary.latency.tails.iter().filter_map(|t| t.as_ref().err()).map(LoadError::to_string).collect();
    let state = if short.is_empty() { CheckState::Passed } else { CheckState::Undecided };
    let text = if short.is_empty() { format!("{} requests", c.requests) } else { short.join("; ") };
    all.push(Check { name: "enough requests for every percentile", state, text });
    all
}

/// How long requests were sent: a queue that is still being answered behind them is no load.
fn load_time(summary: &BenchSummary) -> Ns {
    if matches!(summary.plan.scenario, Scenario::Server { .. }) { summary.issued } else { summary.wall }
}

fn lasted(summary: &BenchSummary) -> String {
    let seconds = |ns: Ns| format!("{:.3} s", ns as f64 * 1e-9);
    let plan = &summary.plan;
    let (long, least) = (seconds(load_time(summary)), seconds(plan.min_duration));
    format!("{} requests in {long}; at least {} in {least} were asked for", summary.counts.requests, plan.min_count)
}

/// Why a run ended before both its least duration and its least count were reached; absent where they were.
#[must_use]
pub fn too_short(summary: &BenchSummary) -> Option<String> {
    let plan = &summary.plan;
    let requests = summary.counts.requests;
    let capped = requests >= plan.max_count;
    // The first arrival behind the end is never seen, and may well be some gaps behind the last.
    let gaps = match plan.scenario {
        Scenario::Server { rate_hz } if !capped && rate_hz > 0.0 => (20e9 / rate_hz) as Ns,
        _ => 0,
    };
    let short = requests < plan.min_count || load_time(summary).saturating_add(gaps) < plan.min_duration;
    let why = if capped { format!("--max-count {} ended it", plan.max_count) } else { "it was interrupted".to_owned() };
    short.then(|| format!("{}: {why}", lasted(summary)))
}

/// Whether a search found a rate, as a check of the run.
#[must_use]
pub fn search_check(search: &LoadSearch) -> Check {
    let goal = format!("p{} of at most {} ms", search.goal.percentile, search.goal.limit_ms);
    let (state, found) = match search.best_hz {
        Some(hz) => (CheckState::Passed, format!("up to {hz:.3} requests a second")),
        None => (CheckState::Failed, "at no rate that was confirmed".to_owned()),
    };
    Check { name: "a rate holds", state, text: format!("{goal} {found}: {}", search.ended) }
}
