//! Distribution functions, built on the `libm` crate so that every machine gives the same bytes.
//!
//! Tails are computed as such (never as one minus the other side), so small probabilities keep their relative
//! precision. Sources: Abramowitz & Stegun (1964) chapters 6 and 26; the continued fractions for the incomplete beta
//! and gamma functions are A&S 26.5.8 and 6.5.31, evaluated with Lentz's method (Thompson & Barnett 1986).

use core::f64::consts::{PI, SQRT_2};

const MAX_TERMS: usize = 20_000;
const TINY: f64 = 1e-300;

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
///
/// Acklam's rational approximation (relative error 1.15e-9) and one Halley step, which takes it to full precision.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    // Only the lower half is computed: there the distribution function keeps its relative precision.
    if p > 0.5 {
        return -normal_quantile_lower(1.0 - p);
    }
    normal_quantile_lower(p)
}

fn normal_quantile_lower(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |acc, c| acc * x + c);
    let x = if p < 0.024_25 {
        let q = libm::sqrt(-2.0 * libm::log(p));
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    };
    let error = (normal_cdf(x) - p) * libm::sqrt(2.0 * PI) * libm::exp(0.5 * x * x);
    x - error / (1.0 + 0.5 * x * error)
}

fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Regularised incomplete beta function `I_x(a, b)` for `a, b > 0`, `x` in [0, 1].
#[must_use]
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    beta_tails(a, b, x, 1.0 - x).0
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
    if p.is_nan() || !(0.0..=1.0).contains(&p) || a.is_nan() || b.is_nan() {
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

/// Student's t distribution function with `df > 0` degrees of freedom.
#[must_use]
pub fn t_cdf(x: f64, df: f64) -> f64 {
    t_sf(-x, df)
}

/// Upper tail of Student's t, `P(T > x)`.
#[must_use]
pub fn t_sf(x: f64, df: f64) -> f64 {
    let square = x * x;
    let outside = beta_tails(0.5 * df, 0.5, df / (df + square), square / (df + square)).0;
    if x >= 0.0 { 0.5 * outside } else { 1.0 - 0.5 * outside }
}

/// Quantile of Student's t for `p` in [0, 1].
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) || df.is_nan() || df <= 0.0 {
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

/// Upper tail of the chi-square distribution with `df > 0`, `P(X > x)`.
#[must_use]
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    gamma_upper(0.5 * df, 0.5 * x)
}

/// Regularised upper incomplete gamma function `Q(a, x)`.
fn gamma_upper(a: f64, x: f64) -> f64 {
    let front = libm::exp(a * libm::log(x) - x - ln_gamma(a));
    if x < a + 1.0 {
        let mut term = 1.0 / a;
        let mut sum = term;
        for n in 1..MAX_TERMS {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return 1.0 - front * sum;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut h = d;
    for n in 1..MAX_TERMS {
        let n = n as f64;
        let an = -n * (n - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * h
}

/// Binomial probability `P(X = k)` of `n` trials with chance `p`.
#[must_use]
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return f64::from(u8::from(k == certain));
    }
    let (k, n) = (k as f64, n as f64);
    let ln_choose = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    libm::exp(ln_choose + k * libm::log(p) + (n - k) * libm::log1p(-p))
}

/// Binomial distribution function `P(X <= k)`.
#[must_use]
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_tails((n - k) as f64, k as f64 + 1.0, 1.0 - p, p).0
}

/// Binomial upper tail `P(X > k)`.
#[must_use]
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 0.0;
    }
    beta_tails(k as f64 + 1.0, (n - k) as f64, p, 1.0 - p).0
}
