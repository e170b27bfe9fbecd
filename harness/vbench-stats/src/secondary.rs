//! Secondary paired tests, printed for the record: paired t, Wilcoxon signed rank, sign test, McNemar.
//!
//! On utterances they assume that utterances are independent, which speech of one speaker is not: with a between-speaker
//! interaction they reject far too often. The deciding test is [`crate::sign_flip`] over clusters.

use crate::error::{StatsError, check_finite, check_share};
use crate::special::{binomial_cdf, binomial_sf, chi2_sf, normal_sf, t_quantile, t_sf};

/// Paired t-test of `mean(x - y) = 0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// `mean / (sd / sqrt(n))`.
    pub statistic: f64,
    /// Degrees of freedom, n - 1.
    pub df: f64,
    /// Mean of the differences.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
    /// Two-sided p.
    pub p_two_sided: f64,
    /// p of the alternative "mean below 0".
    pub p_less: f64,
    /// p of the alternative "mean above 0".
    pub p_greater: f64,
}

impl PairedT {
    /// Two-sided interval of the mean difference.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<(f64, f64), StatsError> {
        check_share("level", level)?;
        let half = t_quantile(0.5 + 0.5 * level, self.df) * self.standard_error;
        Ok((self.mean - half, self.mean + half))
    }
}

/// Student's paired t-test on differences.
///
/// # Errors
/// Fewer than two differences, values that are not finite, no spread.
pub fn paired_t(differences: &[f64]) -> Result<PairedT, StatsError> {
    check_finite(differences.iter().copied())?;
    if differences.len() < 2 {
        return Err(StatsError::TooFew { what: "pairs", found: differences.len(), needed: 2 });
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    // Rounding alone leaves about 1e-16 of the mean on each term.
    if squares <= n * (1e-14 * mean) * (1e-14 * mean) {
        return Err(StatsError::NoSpread(format!("all {n} differences are the same")));
    }
    let standard_error = libm::sqrt(squares / (n - 1.0) / n);
    let (statistic, df) = (mean / standard_error, n - 1.0);
    Ok(PairedT {
        statistic,
        df,
        mean,
        standard_error,
        p_two_sided: 2.0 * t_sf(statistic.abs(), df),
        p_less: t_sf(-statistic, df),
        p_greater: t_sf(statistic, df),
    })
}

/// What Wilcoxon's test does with differences of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// Leave them out (Wilcoxon 1945).
    Drop,
    /// Rank them, then leave their ranks out (Pratt 1959).
    Pratt,
    /// Rank them and give half of their ranks to each side.
    Split,
}

/// Result of Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// Smaller of the two rank sums.
    pub statistic: f64,
    /// Standardised statistic of the normal approximation; `None` for the exact test.
    pub z: Option<f64>,
    /// Two-sided p.
    pub p: f64,
}

struct Ranks {
    plus: f64,
    minus: f64,
    /// `sum(t^3 - t)` over groups of tied magnitudes that count.
    ties: f64,
    /// Ranked items, and zeros among them.
    n: usize,
    zeros: usize,
}

fn ranks(differences: &[f64], zeros: Zeros) -> Ranks {
    let keep = |d: &&f64| zeros != Zeros::Drop || **d != 0.0;
    let mut sorted: Vec<f64> = differences.iter().filter(keep).copied().collect();
    sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut out = Ranks { plus: 0.0, minus: 0.0, ties: 0.0, n: sorted.len(), zeros: 0 };
    let mut start = 0;
    for group in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let t = group.len() as f64;
        let rank = start as f64 + 0.5 * (t + 1.0);
        start += group.len();
        if group[0] == 0.0 {
            out.zeros = group.len();
            if zeros == Zeros::Split {
                out.plus += 0.5 * t * rank;
                out.minus += 0.5 * t * rank;
            } else {
                // Pratt: the zeros' ranks count for neither side, nor do their ties.
                continue;
            }
        } else {
            for d in group {
                *(if *d > 0.0 { &mut out.plus } else { &mut out.minus }) += rank;
            }
        }
        out.ties += t * t * t - t;
    }
    out
}

/// Wilcoxon's signed-rank test, normal approximation with tie-corrected variance; `correction` moves the statistic by
/// 0.5 towards its mean. Conventions of `scipy.stats.wilcoxon`.
///
/// # Errors
/// Values that are not finite, no difference other than zero.
pub fn wilcoxon_approximate(differences: &[f64], zeros: Zeros, correction: bool) -> Result<Wilcoxon, StatsError> {
    check_finite(differences.iter().copied())?;
    let r = ranks(differences, zeros);
    if r.n == r.zeros {
        return Err(StatsError::NoSpread("every difference is zero".to_owned()));
    }
    let n = r.n as f64;
    let z = r.zeros as f64;
    let mut mean = n * (n + 1.0) / 4.0;
    let mut variance = n * (n + 1.0) * (2.0 * n + 1.0);
    if zeros == Zeros::Pratt {
        mean -= z * (z + 1.0) / 4.0;
        variance -= z * (z + 1.0) * (2.0 * z + 1.0);
    }
    let deviation = libm::sqrt((variance - 0.5 * r.ties) / 24.0);
    let statistic = r.plus.min(r.minus);
    let shift = if correction { 0.5 } else { 0.0 };
    let towards_mean = if statistic < mean { shift } else { 0.0 };
    let z = (statistic - mean + towards_mean) / deviation;
    Ok(Wilcoxon { statistic, z: Some(z), p: (2.0 * normal_sf(z.abs())).min(1.0) })
}

/// Most differences for which [`wilcoxon_exact`] counts the null distribution.
pub const WILCOXON_EXACT_LIMIT: usize = 1_000;

/// Wilcoxon's signed-rank test with the exact null distribution; needs differences without zeros and ties.
///
/// # Errors
/// Values that are not finite, none at all, zeros or ties, more than [`WILCOXON_EXACT_LIMIT`].
pub fn wilcoxon_exact(differences: &[f64]) -> Result<Wilcoxon, StatsError> {
    check_finite(differences.iter().copied())?;
    let n = differences.len();
    if n == 0 {
        return Err(StatsError::TooFew { what: "pairs", found: 0, needed: 1 });
    }
    if n > WILCOXON_EXACT_LIMIT {
        return Err(StatsError::OutOfRange { name: "pairs", value: n as f64, range: "1 to 1,000 for the exact test" });
    }
    let r = ranks(differences, Zeros::Split);
    if r.ties != 0.0 || r.zeros != 0 {
        return Err(StatsError::NoSpread("the exact test has no zeros or ties".to_owned()));
    }
    // Distribution of the positive rank sum: each rank is in it or not, with probability one half.
    let top = n * (n + 1) / 2;
    let mut probability = vec![0.0; top + 1];
    probability[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=rank * (rank + 1) / 2).rev() {
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let statistic = r.plus.min(r.minus);
    let tail: f64 = probability[..=statistic as usize].iter().sum();
    Ok(Wilcoxon { statistic, z: None, p: (2.0 * tail).min(1.0) })
}

/// Result of a sign test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignTest {
    /// Differences above zero.
    pub positive: u64,
    /// Differences below zero.
    pub negative: u64,
    /// Differences of zero, which the test leaves out.
    pub zero: u64,
    /// Two-sided binomial p.
    pub p_two_sided: f64,
    /// p of "positive more than half of the time".
    pub p_greater: f64,
}

/// Exact sign test on differences; p is 1 when all are zero.
///
/// # Errors
/// No differences, values that are not finite.
pub fn sign_test(differences: &[f64]) -> Result<SignTest, StatsError> {
    check_finite(differences.iter().copied())?;
    if differences.is_empty() {
        return Err(StatsError::TooFew { what: "pairs", found: 0, needed: 1 });
    }
    let count = |f: fn(&f64) -> bool| differences.iter().filter(|d| f(d)).count() as u64;
    let (positive, negative, zero) = (count(|d| *d > 0.0), count(|d| *d < 0.0), count(|d| *d == 0.0));
    let n = positive + negative;
    let p_greater = if positive == 0 { 1.0 } else { binomial_sf(positive - 1, n, 0.5) };
    Ok(SignTest { positive, negative, zero, p_two_sided: two_sided_half(positive, n), p_greater })
}

/// Two-sided binomial p of `k` in `n` at one half.
fn two_sided_half(k: u64, n: u64) -> f64 {
    if n == 0 { 1.0 } else { (2.0 * binomial_cdf(k.min(n - k), n, 0.5)).min(1.0) }
}

/// Result of McNemar's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Two-sided exact binomial p.
    pub p_exact: f64,
    /// Chi-square statistic with continuity correction, and its p; `None` without discordant pairs.
    pub corrected: Option<(f64, f64)>,
    /// Chi-square statistic without correction, and its p.
    pub plain: Option<(f64, f64)>,
}

/// McNemar's test on sentences that only the first (`only_first`) or only the second system has right.
///
/// McNemar, Psychometrika 12 (1947). The continuity-corrected numerator is `(|b - c| - 1)^2` as in statsmodels, also
/// where `b = c`. Without discordant pairs the exact p is 1 and there is no chi-square.
#[must_use]
pub fn mcnemar(only_first: u64, only_second: u64) -> McNemar {
    let n = only_first.saturating_add(only_second);
    let gap = only_first.abs_diff(only_second) as f64;
    let chi2 = |numerator: f64| {
        (n > 0).then(|| {
            let statistic = numerator * numerator / n as f64;
            (statistic, chi2_sf(statistic, 1.0))
        })
    };
    McNemar { p_exact: two_sided_half(only_first, n), corrected: chi2(gap - 1.0), plain: chi2(gap) }
}
