//! Percentiles of latencies, some of which are only known to be long.

use vbench_stats::quantile::{LowerEnd, UpperEnd, quantile_interval, samples_needed};
use vbench_stats::special::binomial_cdf;

use crate::error::LoadError;
use crate::port::Ns;

/// A value, or the knowledge that it is at least so large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TailValue {
    /// Observed, ns.
    At(f64),
    /// A request without an answer within the limit has this rank: not less than this, ns.
    AtLeast(f64),
}

/// A percentile with its distribution-free interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// 99 for p99.
    pub percentile: f64,
    /// Type-7 value.
    pub value: TailValue,
    /// Lower end.
    pub lo: TailValue,
    /// Upper end.
    pub hi: TailValue,
    /// Level of the interval.
    pub level: f64,
    /// Requests.
    pub n: usize,
    /// Of them without an answer: they count as at least the limit.
    pub censored: usize,
}

/// Requests without which the interval of a percentile (0 to 100, exclusive) has no upper end: 72 for p95 at 95 %.
#[must_use]
pub fn requests_needed(percentile: f64, level: f64) -> usize {
    let q = percentile / 100.0;
    // The lower end of a low percentile needs as many as the upper end of its mirror image.
    samples_needed(q.max(1.0 - q), level).unwrap_or(usize::MAX)
}

/// Percentile `percentile` (0 to 100, exclusive) of the latencies of answered requests and of `censored` requests that had no
/// answer within `limit`, with the order-statistic interval at `level`.
///
/// # Errors
/// [`LoadError::TooFew`] where the interval would have no upper end: 36 requests for p90, 72 for p95, 368 for p99 at 95 %.
/// [`LoadError::OutOfRange`] for a percentile or level that is none.
pub fn tail(answered: &[Ns], censored: usize, limit: Ns, percentile: f64, level: f64) -> Result<Tail, LoadError> {
    let q = percentile / 100.0;
    if !(q > 0.0 && q < 1.0) {
        return Err(LoadError::OutOfRange { name: "percentile", value: percentile, range: "above 0, below 100" });
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(LoadError::OutOfRange { name: "level", value: level, range: "above 0, below 1" });
    }
    let found = answered.len() + censored;
    let needed = requests_needed(percentile, level);
    if found < needed {
        return Err(LoadError::TooFew { percentile, needed, found });
    }
    // An answer that took longer than the limit is none: it was not awaited.
    let bound = answered.iter().copied().max().unwrap_or(0).max(limit) as f64;
    let mut values: Vec<f64> = answered.iter().map(|ns| *ns as f64).collect();
    values.resize(found, bound);
    let interval = quantile_interval(&values, q, level).map_err(|_| LoadError::TooFew { percentile, needed, found })?;
    // With `censored` largest values unknown, whatever ranks among them is only bounded.
    let seen = |value: f64, rank_is_censored: bool| {
        if rank_is_censored { TailValue::AtLeast(value) } else { TailValue::At(value) }
    };
    let touches = |value: f64| censored > 0 && value >= bound;
    let first_censored = answered.len() as f64;
    let point_touches = censored > 0 && (found as f64 - 1.0) * q > first_censored - 1.0;
    let (lo, hi) = (
        match interval.lo {
            LowerEnd::Value(v) | LowerEnd::AtMostMinimum(v) => seen(v, touches(v)),
        },
        match interval.hi {
            UpperEnd::Value(v) => seen(v, touches(v)),
            UpperEnd::AtLeastMaximum(v) => TailValue::AtLeast(v),
        },
    );
    Ok(Tail { percentile, value: seen(interval.value, point_touches), lo, hi, level, n: found, censored })
}

/// MLPerf's early stopping: how many of `n` requests may exceed a bound while it can still be said, with `confidence`, that
/// `percentile` % of all requests stay within it; `None` when `n` is too small for any statement.
///
/// The largest `t` with `P(Binomial(n, 1 - percentile / 100) <= t) <= 1 - confidence`. Source: MLCommons inference, LoadGen's
/// `early_stopping` with a tolerance of zero.
#[must_use]
pub fn early_stopping_allowance(n: u64, percentile: f64, confidence: f64) -> Option<u64> {
    let holds = |t: u64| binomial_cdf(t, n, 1.0 - percentile / 100.0) <= 1.0 - confidence;
    if n == 0 || !holds(0) {
        return None;
    }
    let (mut low, mut high) = (0, n);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    Some(low)
}

/// The least number of requests for which `allowance` may exceed the bound.
#[must_use]
pub fn early_stopping_needed(allowance: u64, percentile: f64, confidence: f64) -> u64 {
    let enough = |n: u64| early_stopping_allowance(n, percentile, confidence).is_some_and(|t| t >= allowance);
    let mut high = allowance + 1;
    while !enough(high) {
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Queries processed and queries that "would be discarded" at the 90th percentile, from summaries that submitters of
    /// MLPerf inference published (LoadGen, confidence 99 %), and the least numbers of queries of its rules. A summary names one
    /// query fewer than may exceed the bound: the one that becomes the estimate counts as exceeding it.
    #[test]
    fn early_stopping_equals_the_published_counts() {
        for (n, discarded) in [(2048, 172), (2116, 178), (2145, 181), (7469, 685), (4_776_846, 476_158)] {
            assert_eq!(early_stopping_allowance(n, 90.0, 0.99), Some(discarded + 1), "{n} queries");
        }
        for (percentile, none, one) in [(90.0, 44, 64), (95.0, 90, 130), (97.0, 152, 219), (99.0, 459, 662)] {
            assert_eq!(early_stopping_needed(0, percentile, 0.99), none, "p{percentile}");
            assert_eq!(early_stopping_needed(1, percentile, 0.99), one, "p{percentile}");
            assert_eq!(early_stopping_allowance(none - 1, percentile, 0.99), None);
        }
    }

    #[test]
    fn censored_requests_bound_the_tail_from_below() {
        let answered: Vec<Ns> = (1..=980).collect();
        let p = |percentile| tail(&answered, 20, 5_000, percentile, 0.95).unwrap();
        // Rank 980 of 1000 is the last that is known.
        assert!(matches!(p(90.0).value, TailValue::At(v) if (v - 900.1).abs() < 0.11), "{:?}", p(90.0));
        assert_eq!(p(99.0).value, TailValue::AtLeast(5_000.0));
        assert!(matches!(p(99.0).hi, TailValue::AtLeast(_)));
        assert!(matches!(p(97.5).value, TailValue::At(_)), "{:?}", p(97.5));
        assert_eq!((p(99.0).n, p(99.0).censored), (1000, 20));
    }

    #[test]
    fn too_few_requests_are_refused_with_the_number_that_is_needed() {
        let answered: Vec<Ns> = (0..20).collect();
        let error = tail(&answered, 0, 1_000, 99.0, 0.95).unwrap_err();
        assert_eq!(error, LoadError::TooFew { percentile: 99.0, needed: 368, found: 20 });
        assert!(error.to_string().contains("run longer"), "{error}");
        assert!(tail(&answered, 0, 1_000, 100.0, 0.95).is_err());
        assert!(tail(&[], 0, 1_000, 50.0, 0.95).is_err());
    }
}
