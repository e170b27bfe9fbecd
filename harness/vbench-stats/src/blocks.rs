//! Blocks of consecutive utterances: what the block bootstrap draws instead of single utterances.
//!
//! Utterances of one session follow each other in time, and errors come in runs (a noisy stretch, a topic). Resampling
//! single utterances breaks the runs and gives intervals that are too narrow; resampling blocks keeps what is inside a
//! block together (Künsch, Annals of Statistics 17, 1989; for word errors Liu & Peng, arXiv 1912.09508).
//!
//! The sessions themselves are not resampled: the interval holds for these sessions. With six sessions or speakers and
//! more, resample those (`crate::Bootstrap::ratio` over clusters) and let the blocks be.

use std::ops::Range;

use crate::clusters::MIN_UNITS;
use crate::draw::Words;
use crate::error::{StatsError, check_finite};
use crate::linear::sums;

/// Where a block may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockScheme {
    /// Anywhere; a block that passes the session's end continues at its beginning (Politis & Romano 1992). Every
    /// utterance is equally likely, so the replicates are centred on the observed mean: take this one.
    Circular,
    /// Only where the whole block fits (Künsch 1989). Utterances near the two ends of a session are drawn less often.
    Moving,
}

/// Sessions cut into blocks of one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    sessions: Vec<Range<usize>>,
    /// 0, 1, 2, ...: what a block is a stretch of.
    positions: Vec<u32>,
    length: u32,
    scheme: BlockScheme,
}

impl Blocks {
    /// Sessions of the given numbers of utterances, one after the other in time order, and blocks of `length`
    /// utterances (a session that is no longer than a block is always drawn whole).
    ///
    /// # Errors
    /// Fewer than 6 whole blocks in the sessions that are longer than a block: as for every other resampling unit
    /// nothing can be inferred from so few. A length of 0; more than 2^32 - 1 utterances.
    pub fn new(session_sizes: &[usize], length: usize, scheme: BlockScheme) -> Result<Self, StatsError> {
        let total: usize = session_sizes.iter().fold(0, |sum, n| sum.saturating_add(*n));
        if total >= u32::MAX as usize {
            return Err(StatsError::OutOfRange { name: "utterances", value: total as f64, range: "below 2^32 - 1" });
        }
        if length == 0 {
            return Err(StatsError::OutOfRange { name: "block length", value: 0.0, range: "1 or more" });
        }
        let found = session_sizes.iter().filter(|n| **n > length).map(|n| n / length).sum();
        if found < MIN_UNITS {
            return Err(StatsError::TooFew { what: "blocks", found, needed: MIN_UNITS });
        }
        let mut start = 0;
        let sessions = session_sizes
            .iter()
            .map(|n| {
                let session = start..start + n;
                start = session.end;
                session
            })
            .collect();
        Ok(Self { sessions, positions: (0..total as u32).collect(), length: length as u32, scheme })
    }

    /// Utterances in all sessions.
    #[must_use]
    pub fn utterances(&self) -> usize {
        self.positions.len()
    }

    /// Block length in utterances.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length as usize
    }

    /// One resample: for each session as many utterances as it has, the last block cut to fit.
    pub(crate) fn draw_blocks(&self, words: &mut Words, take: &mut impl FnMut(&[u32])) {
        for session in &self.sessions {
            let n = session.len() as u32;
            if n <= self.length {
                take(&self.positions[session.clone()]);
                continue;
            }
            let starts = match self.scheme {
                BlockScheme::Circular => n,
                BlockScheme::Moving => n - self.length + 1,
            };
            let mut missing = n;
            while missing > 0 {
                let count = missing.min(self.length);
                let first = words.below(starts);
                let inside = count.min(n - first) as usize;
                let begin = session.start + first as usize;
                take(&self.positions[begin..begin + inside]);
                take(&self.positions[session.start..session.start + count as usize - inside]);
                missing -= count;
            }
        }
    }

    /// What the jackknife behind the acceleration leaves out: consecutive blocks that do not overlap.
    pub(crate) fn apart(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let length = self.length as usize;
        self.sessions.iter().filter(move |s| s.len() > length).flat_map(move |s| {
            let end = s.end;
            s.clone().step_by(length).map(move |first| first..(first + length).min(end))
        })
    }
}

/// Block length for a ratio of sums over utterances in time order: the rule of Politis & White (Econometric Reviews 23,
/// 2004) as corrected by Patton, Politis & White (28, 2009), for circular blocks.
///
/// The length that minimises the mean squared error of the variance, `(2 G^2 / D)^(1/3) n^(1/3)`, with `G` and `D` from
/// the autocovariances of the residuals `num - R den` under a flat-top window; its width is twice the first lag from
/// which at least five autocorrelations in a row stay below `2 sqrt(log10(n) / n)`. Products reach over no session's
/// end.
/// Rounded up, from 1 (no correlation seen) to the smaller of `3 sqrt(n)` and `n / 3`. For a mean let the denominators
/// be 1; for a quantile let the numerators be 1 where the value is at most the observed quantile, else 0.
///
/// # Errors
/// Fewer than 6 utterances, session sizes that do not add up to the utterances, values that are not finite, no
/// denominator, no spread.
pub fn block_length(utterances: &[(f64, f64)], session_sizes: &[usize]) -> Result<usize, StatsError> {
    let n = utterances.len();
    let right = session_sizes.iter().fold(0usize, |sum, s| sum.saturating_add(*s));
    if n != right {
        return Err(StatsError::LengthMismatch { left: n, right });
    }
    if n < MIN_UNITS {
        return Err(StatsError::TooFew { what: "utterances", found: n, needed: MIN_UNITS });
    }
    check_finite(utterances.iter().flat_map(|u| [u.0, u.1]))?;
    let (num, den) = sums(utterances);
    if den <= 0.0 {
        return Err(StatsError::NoDenominator { sum: den });
    }
    let residuals: Vec<f64> = utterances.iter().map(|u| u.0 - num / den * u.1).collect();
    let size = n as f64;
    let tests = 5.max(libm::log10(size) as usize);
    let lags = libm::ceil(libm::sqrt(size)) as usize + tests;
    let covariance: Vec<f64> = (0..=lags).map(|lag| autocovariance(&residuals, session_sizes, lag)).collect();
    if crate::interval::same_rate(utterances) || covariance[0] <= 0.0 {
        return Err(StatsError::NoSpread(format!("all {n} utterances have the same value")));
    }
    let bound = 2.0 * libm::sqrt(libm::log10(size) / size) * covariance[0];
    let small = |lag: usize| covariance[lag].abs() < bound;
    let first_small = (1..=lags - tests).find(|m| (*m..m + tests).all(small));
    let window = first_small.map_or(lags, |m| 2 * m).min(lags);
    let (mut g, mut spectrum) = (0.0, covariance[0]);
    for (lag, r) in covariance.iter().enumerate().take(window + 1).skip(1) {
        let share = lag as f64 / window as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        g += 2.0 * weight * lag as f64 * r;
        spectrum += 2.0 * weight * r;
    }
    let d = 4.0 / 3.0 * spectrum * spectrum;
    let longest = (3.0 * libm::sqrt(size)).min(size / 3.0);
    let best = if d > 0.0 { libm::cbrt(2.0 * g * g / d * size) } else { longest };
    Ok(libm::ceil(best.clamp(1.0, longest)) as usize)
}

fn autocovariance(residuals: &[f64], session_sizes: &[usize], lag: usize) -> f64 {
    let mut rest = residuals;
    let mut sum = 0.0;
    for size in session_sizes {
        let (session, after) = rest.split_at(*size);
        sum += session.iter().zip(session.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
        rest = after;
    }
    sum / residuals.len() as f64
}
