//! Distribution functions: `statrs` and `libm`, and own code where neither will do.
//!
//! Statistics must be the same bytes on every machine. `statrs` calls the platform's `exp` and `log` once another crate
//! of the build turns on `num-traits/std` (candle does), so its last bits depend on the machine. Of 20,000 random
//! arguments, statrs 0.19.1 gave other bytes on glibc 2.36 with FMA than without, and than on the `libm` crate, for:
//!
//! | function | FMA or not | other libm | worst relative |
//! |---|---|---|---|
//! | normal quantile | 0 | 339 | 5e-16 |
//! | chi-square upper tail | 2 | 981 | 1e-14 |
//! | normal distribution function | 6 | 795 | 4e-16 |
//! | t upper tail | 9 | 2,306 | 1e-13 |
//! | t quantile | 2 | 1,647 | 6e-13 |
//! | beta quantile | 11 | 5,295 | 1e-13 |
//! | binomial distribution function | 10 | 2,542 | 2e-13 |
//!
//! What `statrs` computes here is therefore rounded to 36 significant bits: then, of 300,000 arguments each, none of the
//! normal quantile, chi-square tail and binomial probability differs between FMA and not; 1, 1 and 34 do between the
//! two libms. The normal distribution function is `libm`'s
//! `erfc`: the same bytes everywhere, and a worst relative error of 1.3e-14 on the oracle cases where `statrs` has
//! 9.3e-11. The t, beta and binomial functions stay own code because `statrs` is also too inaccurate beyond the oracle
//! cases: its incomplete beta function stops after 140 terms (relative error 8e-10 near n = 95,000, 1.7e-4 near
//! n = 800,000) and its quantiles stop early (t: 1.7e-9 at 695, 3.0e-7 at 6,983 degrees of freedom; beta: 8.9e-9 for
//! 3 of 5,400). Reference for those errors is the code below.
//!
//! Tails are computed as such (never as one minus the other side), so small probabilities keep their relative
//! precision. The continued fraction for the incomplete beta function is Abramowitz & Stegun (1964) 26.5.8, evaluated
//! with Lentz's method (Thompson & Barnett 1986).

use core::f64::consts::SQRT_2;

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, Discrete, Normal};

const MAX_TERMS: usize = 20_000;
const TINY: f64 = 1e-300;

/// Significant bits kept of what `statrs` computes (relative error at most 1.5e-11).
const KEPT_BITS: u32 = 36;

/// Rounds to [`KEPT_BITS`] significant bits, ties away from zero; zeros, infinities and NaN unchanged.
fn keep_bits(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let dropped = f64::MANTISSA_DIGITS - KEPT_BITS;
    // A carry out of the fraction raises the exponent, which is the right result.
    f64::from_bits((x.to_bits() + (1 << (dropped - 1))) & !((1 << dropped) - 1))
}

/// Standard normal distribution function, `P(Z <= x)`.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// Standard normal upper tail, `P(Z > x)`.
#[must_use]
pub fn normal_sf(x: f64) -> f64 {
    0.5 * libm::erfc(x / SQRT_2)
}

/// Standard normal quantile for `p` in [0, 1]; infinite at the ends, NaN outside.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    keep_bits(Normal::standard().inverse_cdf(p))
}

fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Regularised incomplete beta function `I_x(a, b)` for finite `a, b > 0`, `x` in [0, 1]; NaN for other `a`, `b`.
#[must_use]
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if !positive(a) || !positive(b) || x.is_nan() {
        return f64::NAN;
    }
    beta_tails(a, b, x, 1.0 - x).0
}

fn positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

/// `(I_x(a, b), 1 - I_x(a, b))` with `y = 1 - x` given apart, so that neither tail loses precision.
fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * libm::log(x) + b * libm::log(y);
    let front = libm::exp(ln_front);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = front * beta_fraction(a, b, x) / a;
        (lower, 1.0 - lower)
    } else {
        let upper = front * beta_fraction(b, a, y) / b;
        (1.0 - upper, upper)
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..MAX_TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// Quantile of the beta distribution: `x` with `I_x(a, b) = p`, for `p` in [0, 1].
#[must_use]
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !positive(a) || !positive(b) {
        return f64::NAN;
    }
    invert_increasing(0.0, 1.0, p, |x| beta_cdf(a, b, x))
}

/// Root of an increasing function by bisection down to neighbouring numbers.
fn invert_increasing(mut lo: f64, mut hi: f64, target: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..2_000 {
        let mid = lo + 0.5 * (hi - lo);
        if mid <= lo || mid >= hi {
            break;
        }
        if f(mid) < target { lo = mid } else { hi = mid }
    }
    lo + 0.5 * (hi - lo)
}

/// Student's t distribution function with finite `df > 0` degrees of freedom; NaN for other `df`.
#[must_use]
pub fn t_cdf(x: f64, df: f64) -> f64 {
    t_sf(-x, df)
}

/// Upper tail of Student's t, `P(T > x)`.
#[must_use]
pub fn t_sf(x: f64, df: f64) -> f64 {
    if !positive(df) || x.is_nan() {
        return f64::NAN;
    }
    if x.is_infinite() {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    let square = x * x;
    let outside = beta_tails(0.5 * df, 0.5, df / (df + square), square / (df + square)).0;
    if x >= 0.0 { 0.5 * outside } else { 1.0 - 0.5 * outside }
}

/// Quantile of Student's t for `p` in [0, 1].
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || !positive(df) {
        return f64::NAN;
    }
    if p == 0.5 {
        return 0.0;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    let mut hi = 1.0;
    while t_sf(hi, df) > tail && hi < 1e300 {
        hi *= 2.0;
    }
    sign * invert_increasing(0.0, hi, -tail, |x| -t_sf(x, df))
}

/// Upper tail of the chi-square distribution with finite `df > 0`, `P(X > x)`; NaN for other `df`.
#[must_use]
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    if df.is_infinite() {
        return f64::NAN;
    }
    ChiSquared::new(df).map_or(f64::NAN, |chi2| keep_bits(chi2.sf(x)))
}

/// Binomial probability `P(X = k)` of `n` trials with chance `p` in [0, 1]; NaN for other `p`.
#[must_use]
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    Binomial::new(p, n).map_or(f64::NAN, |binomial| keep_bits(binomial.pmf(k)))
}

/// Binomial distribution function `P(X <= k)`; NaN for `p` outside [0, 1].
#[must_use]
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n {
        return 1.0;
    }
    beta_tails((n - k) as f64, k as f64 + 1.0, 1.0 - p, p).0
}

/// Binomial upper tail `P(X > k)`; NaN for `p` outside [0, 1].
#[must_use]
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n {
        return 0.0;
    }
    beta_tails(k as f64 + 1.0, (n - k) as f64, p, 1.0 - p).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_36_bits_and_what_is_no_number() {
        for x in [0.0, -0.0, 1.0, -0.375, f64::INFINITY, f64::NEG_INFINITY, f64::from_bits(1 << 60)] {
            assert_eq!(keep_bits(x).to_bits(), x.to_bits(), "{x}");
        }
        assert!(keep_bits(f64::NAN).is_nan());
        let step = libm::exp2(-35.0);
        assert_eq!(keep_bits(1.0 + 0.4 * step), 1.0);
        assert_eq!(keep_bits(1.0 + 0.6 * step), 1.0 + step);
        assert_eq!(keep_bits(-1.0 - 0.6 * step), -1.0 - step);
        // The carry goes into the exponent.
        assert_eq!(keep_bits(2.0 - f64::EPSILON), 2.0);
    }

    #[test]
    fn arguments_outside_the_range_give_nan_and_no_panic() {
        for bad in [f64::NAN, -0.1, 1.1, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(normal_quantile(bad).is_nan(), "{bad}");
            assert!(binomial_pmf(1, 2, bad).is_nan(), "{bad}");
            assert!(t_quantile(bad, 3.0).is_nan(), "{bad}");
            assert!(beta_quantile(2.0, 3.0, bad).is_nan(), "{bad}");
        }
        for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            assert!(chi2_sf(1.0, bad).is_nan(), "{bad}");
        }
        assert!(chi2_sf(f64::NAN, 1.0).is_nan());
        assert_eq!((chi2_sf(0.0, 1.0), chi2_sf(f64::INFINITY, 1.0)), (1.0, 0.0));
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(normal_quantile(0.5).to_bits(), 0);
        assert_eq!((binomial_pmf(3, 2, 0.5), binomial_pmf(0, 2, 0.0), binomial_pmf(2, 2, 1.0)), (0.0, 1.0, 1.0));
    }

    /// 1,000 values a function, folded into one number that every machine must find.
    #[test]
    fn the_same_bytes_on_every_machine() {
        let fold = |f: &dyn Fn(f64) -> f64| {
            (1..=1_000).map(|i| f(f64::from(i) / 1_001.0).to_bits()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, bits| {
                (hash ^ bits).wrapping_mul(0x0100_0000_01b3).rotate_left(17)
            })
        };
        let found = [
            fold(&normal_quantile),
            fold(&|u| normal_cdf(12.0 * u - 6.0)),
            fold(&|u| chi2_sf(20.0 * u, 1.0)),
            fold(&|u| t_sf(12.0 * u - 6.0, 9.0)),
            fold(&|u| t_quantile(u, 71.0)),
            fold(&|u| beta_quantile(3.0, 40.0, u)),
            fold(&|u| binomial_cdf(20, 72, u)),
        ];
        let pinned = [
            0xc739_9ec4_1726_e970,
            0x8c61_c326_fa1e_60c6,
            0xd26d_9a40_0f45_4db0,
            0x83e8_2d15_903d_4eaf,
            0xaf9e_43ed_0599_9030,
            0x7880_dd99_005e_a476,
            0x4d5d_fee7_b538_395c,
        ];
        assert_eq!(found, pinned, "{found:#018x?}");
    }
}
