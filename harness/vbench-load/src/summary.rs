//! A bench in numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use vbench_core::BudgetSubject;

use crate::budgets::{times_of, with_waiting};
use crate::engine::Bench;
use crate::error::LoadError;
use crate::port::Ns;
use crate::scenario::{Plan, Scenario};
use crate::stages::{StageSummary, summarize_stages};
use crate::tail::{Tail, early_stopping_allowance, tail};
use crate::timeline::{Fault, Outcome, Timeline};
use crate::trend::{Backlog, Trend, backlog, trend};

/// Percentiles that every bench shows.
pub const PERCENTILES: [f64; 4] = [50.0, 90.0, 95.0, 99.0];
/// Level of their intervals.
pub const LEVEL: f64 = 0.95;
/// Confidence of early stopping, as in MLPerf inference.
pub const EARLY_STOPPING_CONFIDENCE: f64 = 0.99;

/// Characters that are shown of the reason why a request failed.
const REASON_CHARS: usize = 200;

/// What a bench found.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchSummary {
    /// As planned.
    pub plan: Plan,
    /// How requests ended.
    pub counts: Counts,
    /// Why requests failed and how often, the most frequent reason first.
    pub failures: Vec<(String, usize)>,
    /// Latency of answered requests, unanswered ones censored: at least the limit.
    pub latency: Distribution,
    /// From due to the first partial text, of the requests that had one.
    pub first_partial: Option<Distribution>,
    /// From the end of speech to the first audible sample, where there is sound; whoever never heard anything is censored.
    pub first_audible: Option<Distribution>,
    /// What the user waited: to the first audible sample of a reply with sound, else as the latency. Whoever never heard
    /// anything is censored.
    pub end_to_end: Distribution,
    /// From the end of speech to the text that would not change any more, of the requests that settled it before the answer.
    pub final_text: Option<Distribution>,
    /// From the end of speech to the first piece of a reply's text, of the requests that had one.
    pub first_token: Option<Distribution>,
    /// How the sound of replies came.
    pub sound: Option<Sound>,
    /// What happened when the user spoke again.
    pub barge_in: Option<BargeIn>,
    /// Where the waits went, for models that report stages.
    pub stages: Option<StageSummary>,
    /// Whether the model gets slower over the run; absent for few requests and where all were due at once.
    pub trend: Option<Trend>,
    /// Of an open loop: whether requests pile up; absent for few requests.
    pub backlog: Option<Backlog>,
    /// How late requests (or chunks) were sent: the instrument's own error.
    pub lateness: Distribution,
    /// Words retracted for each word of the answers; absent without partial texts.
    pub flicker: Option<f64>,
    /// Requests due within a second, over the time in which they were issued; absent for fewer than two.
    pub offered_hz: Option<f64>,
    /// Answers a second, until the last request ended.
    pub answered_hz: f64,
    /// Sum of latencies over sum of audio, for closed loops of one stream: the real-time factor.
    pub rtf: Option<f64>,
    /// Seconds of audio answered a second of wall time, all streams together.
    pub rtfx: f64,
    /// Time from the first request to the end of the last, ns.
    pub wall: Ns,
    /// Time from the first request to when the last was due, ns.
    pub issued: Ns,
    /// Why the run does not count.
    pub voided: Option<String>,
}

impl BenchSummary {
    /// The most frequent reason why requests failed, in a line; absent where none did.
    #[must_use]
    pub fn why_failed(&self) -> Option<String> {
        let (reason, n) = self.failures.first()?;
        let line: String = reason.lines().next().unwrap_or_default().chars().take(REASON_CHARS).collect();
        let others = match self.failures.len() - 1 {
            0 => String::new(),
            n => format!("; {n} other reasons"),
        };
        Some(format!("{n} times: {line}{others}"))
    }
}

/// How the sound of replies came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Answered requests with sound.
    pub replies: usize,
    /// Of them with nothing audible.
    pub silent: usize,
    /// Of them in which the sound ran out before more came.
    pub with_underruns: usize,
    /// How often it ran out, in all.
    pub underruns: usize,
    /// How long it was out, in all, ns.
    pub gap: Ns,
}

/// What happened when the user spoke again.
#[derive(Debug, Clone, PartialEq)]
pub struct BargeIn {
    /// From there to the end of the reply's sound; of replies that were not broken off only known to be longer.
    pub stop: Distribution,
    /// Replies that were said to the end all the same, or whose turn had no answer.
    pub ignored: usize,
}

impl BargeIn {
    /// Replies that were broken off.
    #[must_use]
    pub fn stopped(&self) -> usize {
        self.stop.n - self.ignored
    }
}

/// How requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub requests: usize,
    /// With an answer in time.
    pub answered: usize,
    /// Given up by the system.
    pub failed: usize,
    /// Without an answer in time.
    pub timed_out: usize,
    /// With a reply stamped before the request.
    pub impossible: usize,
    /// Answers beyond the first.
    pub answered_twice: usize,
    /// Replies whose stamps ran backwards.
    pub clock_went_back: usize,
    /// Replies stamped ahead of their time.
    pub clock_ahead: usize,
    /// Replies to requests that were never made.
    pub strays: usize,
}

/// Times in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// How many.
    pub n: usize,
    /// Of them only known to be at least the limit.
    pub censored: usize,
    /// Mean of those that are known, ns; absent for none.
    pub mean: Option<f64>,
    /// Largest that is known, ns.
    pub max: Option<Ns>,
    /// [`PERCENTILES`], or why there is none.
    pub tails: Vec<Result<Tail, LoadError>>,
    /// MLPerf's early-stopping estimate of each percentile, ns: with 99 % confidence not more than that share of requests is
    /// slower. Absent where requests are too few or the estimate would be a censored one.
    pub early_stopping: Vec<Option<Ns>>,
}

impl Distribution {
    /// Of known times and `censored` that exceeded `limit`.
    #[must_use]
    pub fn of(mut known: Vec<Ns>, censored: usize, limit: Ns) -> Self {
        known.sort_unstable();
        let n = known.len() + censored;
        let mean = (!known.is_empty()).then(|| known.iter().map(|t| *t as f64).sum::<f64>() / known.len() as f64);
        let early = |percentile: f64| {
            // The estimate itself counts as exceeding, so that one fewer lies above it.
            let above = early_stopping_allowance(n as u64, percentile, EARLY_STOPPING_CONFIDENCE)?.checked_sub(1)?;
            known.get(n - 1 - above as usize).copied()
        };
        Self {
            n,
            censored,
            mean,
            max: known.last().copied(),
            tails: PERCENTILES.iter().map(|p| tail(&known, censored, limit, *p, LEVEL)).collect(),
            early_stopping: PERCENTILES.iter().map(|p| early(*p)).collect(),
        }
    }
}

/// Puts a bench over clips of the lengths `audio` into numbers. It is void when the 99th percentile of the instrument's own
/// lateness exceeds `max_lateness` in a scenario that sends by the clock.
#[must_use]
pub fn summarize(bench: &Bench, plan: &Plan, audio: &[Ns], max_lateness: Ns) -> BenchSummary {
    let t = &bench.timelines;
    let counts = count(bench);
    let unanswered = counts.requests - counts.answered;
    let begin = t.first().map_or(0, |t| t.due);
    let wall = bench.ended.saturating_sub(begin);
    let per_second = |n: f64| if wall > 0 { n / (wall as f64 * 1e-9) } else { 0.0 };
    let answered_audio: Ns = t.iter().filter(|t| t.latency().is_some()).map(|t| audio[t.sample]).sum();
    let of = |(times, censored): (Vec<Ns>, usize)| {
        (!times.is_empty()).then(|| Distribution::of(times, censored, plan.timeout))
    };
    let waits = times_of(t, &BudgetSubject::EndToEnd);
    let settles = t.iter().any(|t| t.settled.is_some());
    let lateness = match plan.scenario {
        Scenario::Paced { .. } => t.iter().flat_map(|t| t.chunk_lateness.iter().copied()).collect(),
        _ => t.iter().map(Timeline::lateness).collect(),
    };
    let latencies: Vec<Ns> = t.iter().filter_map(Timeline::latency).collect();
    let rtf = (matches!(plan.scenario, Scenario::SingleStream) && answered_audio > 0)
        .then(|| latencies.iter().sum::<Ns>() as f64 / answered_audio as f64);
    let flicker: Vec<_> = t.iter().filter(|t| !t.partials.is_empty()).filter_map(Timeline::flicker).collect();
    let words: usize = flicker.iter().map(|f| f.final_words).sum();
    let issued = t.last().map_or(0, |t| t.due).saturating_sub(begin);
    let issued_for = issued as f64 * 1e-9;
    let open = matches!(plan.scenario, Scenario::Server { .. });
    let lateness = Distribution::of(lateness, 0, Ns::MAX);
    BenchSummary {
        plan: *plan,
        counts,
        failures: failures(t),
        latency: Distribution::of(latencies, unanswered, plan.timeout),
        first_partial: of(times_of(t, &BudgetSubject::FirstPartial)),
        first_audible: of(with_waiting(t, &Timeline::first_audible)),
        end_to_end: Distribution::of(waits.0, waits.1, plan.timeout),
        final_text: settles.then(|| of(times_of(t, &BudgetSubject::FinalText))).flatten(),
        first_token: of(with_waiting(t, &Timeline::first_token)),
        sound: sound(t),
        barge_in: barge_in(t, plan.timeout),
        stages: summarize_stages(t, plan.timeout),
        trend: trend(t, plan.scenario, plan.timeout),
        backlog: if open { backlog(t) } else { None },
        flicker: (words > 0).then(|| flicker.iter().map(|f| f.retracted).sum::<usize>() as f64 / words as f64),
        offered_hz: (issued_for > 0.0).then(|| (t.len() - 1) as f64 / issued_for),
        answered_hz: per_second(counts.answered as f64),
        rtf,
        rtfx: per_second(answered_audio as f64 * 1e-9),
        wall,
        issued,
        voided: voided(plan, bench, &lateness, max_lateness),
        lateness,
    }
}

fn sound(timelines: &[Timeline]) -> Option<Sound> {
    let answered = timelines.iter().filter(|t| t.latency().is_some());
    let plays: Vec<_> = answered.filter_map(Timeline::playback).collect();
    (!plays.is_empty()).then(|| Sound {
        replies: plays.len(),
        silent: plays.iter().filter(|p| p.first_audible.is_none()).count(),
        with_underruns: plays.iter().filter(|p| p.underruns > 0).count(),
        underruns: plays.iter().map(|p| p.underruns).sum(),
        gap: plays.iter().map(|p| p.gap).sum(),
    })
}

fn barge_in(timelines: &[Timeline], limit: Ns) -> Option<BargeIn> {
    let (stops, ignored) = times_of(timelines, &BudgetSubject::BargeIn);
    (stops.len() + ignored > 0).then(|| BargeIn { stop: Distribution::of(stops, ignored, limit), ignored })
}

fn count(bench: &Bench) -> Counts {
    let mut c = Counts { requests: bench.timelines.len(), strays: bench.strays.len(), ..Counts::default() };
    for t in &bench.timelines {
        match t.outcome {
            Outcome::Answered { .. } => c.answered += 1,
            Outcome::Failed { .. } => c.failed += 1,
            Outcome::TimedOut { .. } | Outcome::Open => c.timed_out += 1,
            Outcome::Impossible { .. } => c.impossible += 1,
        }
        for fault in &t.faults {
            match fault {
                Fault::AnsweredTwice { .. } => c.answered_twice += 1,
                Fault::ClockWentBack { .. } => c.clock_went_back += 1,
                Fault::ClockAhead { .. } => c.clock_ahead += 1,
                Fault::Late { .. } | Fault::AfterTheEnd { .. } => {}
            }
        }
    }
    c
}

fn failures(timelines: &[Timeline]) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for t in timelines {
        if let Outcome::Failed { reason, .. } = &t.outcome {
            *counted.entry(reason).or_default() += 1;
        }
    }
    let mut all: Vec<(String, usize)> = counted.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect();
    all.sort_by_key(|(_, n)| Reverse(*n));
    all
}

fn voided(plan: &Plan, bench: &Bench, lateness: &Distribution, max_lateness: Ns) -> Option<String> {
    if bench.timelines.is_empty() {
        return Some("no request was issued".into());
    }
    if !matches!(plan.scenario, Scenario::Server { .. } | Scenario::Paced { .. }) {
        return None;
    }
    // All of them are known: the plain percentile says how this run went, whatever the interval.
    let mut all: Vec<Ns> = match plan.scenario {
        Scenario::Paced { .. } => bench.timelines.iter().flat_map(|t| t.chunk_lateness.iter().copied()).collect(),
        _ => bench.timelines.iter().map(Timeline::lateness).collect(),
    };
    all.sort_unstable();
    let p99 = *all.get((all.len().max(1) - 1) * 99 / 100)?;
    (p99 > max_lateness).then(|| {
        format!(
            "the instrument sent too late: p99 of its lateness is {:.3} ms (of {} sends), the limit is {:.3} ms; \
             use fewer streams or a lower rate, or leave the machine more room",
            p99 as f64 * 1e-6,
            lateness.n,
            max_lateness as f64 * 1e-6
        )
    })
}
