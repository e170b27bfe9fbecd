//! A bench in which one thing is varied from clip to clip: length, batch size, threads.
//!
//! The variants lie in one pool and are sent in keyed random order, so that whatever changes with time meets all of them
//! alike.

use vbench_stats::polynomial::{Fit, fit};

use crate::engine::Bench;
use crate::port::Ns;
use crate::scenario::Plan;
use crate::summary::Distribution;
use crate::timeline::Timeline;

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Seconds of audio.
    Length,
    /// Clips in a call.
    Batch,
    /// Threads of the model.
    Threads,
}

impl Parameter {
    const ALL: [Self; 3] = [Self::Length, Self::Batch, Self::Threads];

    /// The name in traces and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Batch => "batch",
            Self::Threads => "threads",
        }
    }

    /// The unit of its values.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Length => "s",
            Self::Batch => "clips",
            Self::Threads => "threads",
        }
    }

    /// The inverse of [`Parameter::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// What was varied, clip by clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// What.
    pub parameter: Parameter,
    /// Its value for each clip of the pool.
    pub values: Vec<f64>,
}

/// A sweep in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepSummary {
    /// What was varied.
    pub parameter: Parameter,
    /// By value, ascending.
    pub points: Vec<SweepPoint>,
    /// Milliseconds over seconds of audio (length sweeps), or why there is no curve.
    pub cost: Option<Result<CostCurve, String>>,
}

/// One value of the parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepPoint {
    /// The parameter's value.
    pub value: f64,
    /// Times of its requests; with batches of the whole batch.
    pub latency: Distribution,
    /// Sum of latencies over sum of audio, of answered requests.
    pub rtf: Option<f64>,
    /// Seconds of audio in a request, mean.
    pub audio_s: f64,
}

/// Time as a polynomial of the audio's length: `a + b n`, or `a + b n + c n^2`, in milliseconds with `n` in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct CostCurve {
    /// The curve that is reported.
    pub fit: Fit,
    /// Whether the square was kept: its interval excludes 0 and without it the curve would miss by more than
    /// [`SQUARE_PAYS`] of its largest value somewhere.
    pub square: bool,
    /// Clips that it is fitted to, each by its mean time.
    pub clips: usize,
}

/// Share of the largest fitted time that the square must change somewhere to be kept.
pub const SQUARE_PAYS: f64 = 0.01;

/// Puts a sweep into numbers; `audio` are the lengths of the pool's clips.
#[must_use]
pub fn summarize_sweep(bench: &Bench, plan: &Plan, audio: &[Ns], sweep: &Sweep, level: f64) -> SweepSummary {
    let mut values = sweep.values.clone();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let point = |value: &f64| {
        let of_it: Vec<&Timeline> = bench.timelines.iter().filter(|t| sweep.values[t.sample] == *value).collect();
        let known: Vec<Ns> = of_it.iter().filter_map(|t| t.latency()).collect();
        let heard: Ns = of_it.iter().filter(|t| t.latency().is_some()).map(|t| audio[t.sample]).sum();
        let spent: Ns = known.iter().sum();
        let all: Ns = of_it.iter().map(|t| audio[t.sample]).sum();
        let censored = of_it.len() - known.len();
        SweepPoint {
            value: *value,
            latency: Distribution::of(known, censored, plan.timeout),
            rtf: (heard > 0).then(|| spent as f64 / heard as f64),
            audio_s: all as f64 * 1e-9 / of_it.len().max(1) as f64,
        }
    };
    let points = values.iter().map(point).collect();
    let cost = (sweep.parameter == Parameter::Length).then(|| cost_curve(bench, audio, level));
    SweepSummary { parameter: sweep.parameter, points, cost }
}

/// Fits time over length to the mean times of the clips; a clip with an unanswered request is left out.
///
/// # Errors
/// Too few clips or lengths, in words.
pub fn cost_curve(bench: &Bench, audio: &[Ns], level: f64) -> Result<CostCurve, String> {
    let mut sums = vec![(0.0, 0usize, true); audio.len()];
    for t in &bench.timelines {
        let sum = &mut sums[t.sample];
        match t.latency() {
            Some(ns) => (sum.0, sum.1) = (sum.0 + ns as f64 * 1e-6, sum.1 + 1),
            None => sum.2 = false,
        }
    }
    let clips = sums.iter().zip(audio).filter(|((_, n, whole), _)| *n > 0 && *whole);
    let (x, y): (Vec<f64>, Vec<f64>) = clips.map(|((sum, n, _), ns)| (*ns as f64 * 1e-9, sum / *n as f64)).unzip();
    let words = |e: vbench_stats::StatsError| e.to_string();
    let straight = fit(&x, &y, 1, level).map_err(words)?;
    let clips = x.len();
    let curved = fit(&x, &y, 2, level).ok().filter(|curved| {
        let square = curved.terms[2];
        let most = x.iter().fold(0.0f64, |most, x| most.max(curved.at(*x).abs()));
        let apart = x.iter().fold(0.0f64, |worst, x| worst.max((curved.at(*x) - straight.at(*x)).abs()));
        (square.lo > 0.0 || square.hi < 0.0) && apart > SQUARE_PAYS * most
    });
    let square = curved.is_some();
    Ok(CostCurve { fit: curved.unwrap_or(straight), square, clips })
}
