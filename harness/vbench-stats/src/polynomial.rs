//! A polynomial of low degree through points, with intervals that do not assume equal spread.

use crate::error::{StatsError, check_finite, check_share};
use crate::special::t_quantile;

/// Highest degree.
pub const MAX_DEGREE: usize = 3;

/// A fitted polynomial.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Coefficients of `1, x, x^2, …`.
    pub terms: Vec<Term>,
    /// Level of their intervals.
    pub level: f64,
    /// Points.
    pub n: usize,
    /// Share of the squared deviations from the mean that the curve explains; absent where there are none.
    pub r2: Option<f64>,
}

/// One coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Least-squares value.
    pub value: f64,
    /// Standard error, HC3.
    pub standard_error: f64,
    /// Lower end, `t(n - degree - 1)`.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Fit {
    /// The curve at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.terms.iter().rev().fold(0.0, |sum, term| sum * x + term.value)
    }
}

/// Least squares with heteroscedasticity-consistent standard errors HC3: residuals over one minus their leverage
/// (MacKinnon & White, Journal of Econometrics 29, 1985), because times of long inputs spread more than those of short ones.
///
/// # Errors
/// `x` and `y` of different lengths, values that are not finite, a degree above [`MAX_DEGREE`], fewer than `degree + 1`
/// different `x`, no point more than coefficients, a point that alone decides a coefficient, a level outside (0, 1).
pub fn fit(x: &[f64], y: &[f64], degree: usize, level: f64) -> Result<Fit, StatsError> {
    check_share("level", level)?;
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch { left: x.len(), right: y.len() });
    }
    if degree > MAX_DEGREE {
        return Err(StatsError::OutOfRange { name: "degree", value: degree as f64, range: "0 to 3" });
    }
    check_finite(x.iter().chain(y).copied())?;
    let mut different = x.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    if different.len() < degree + 1 {
        return Err(StatsError::TooFew { what: "different values", found: different.len(), needed: degree + 1 });
    }
    if x.len() < degree + 2 {
        return Err(StatsError::TooFew { what: "points", found: x.len(), needed: degree + 2 });
    }
    // On x over its largest magnitude the normal equations of so low a degree keep their digits.
    let scale = x.iter().fold(0.0f64, |most, x| most.max(x.abs())).max(f64::MIN_POSITIVE);
    let rows: Vec<Vec<f64>> = x.iter().map(|x| powers(x / scale, degree)).collect();
    let inverse = inverse(&gram(&rows, |_| 1.0))?;
    let moments: Vec<f64> = (0..=degree).map(|j| rows.iter().zip(y).map(|(row, y)| row[j] * y).sum()).collect();
    let scaled: Vec<f64> = inverse.iter().map(|row| dot(row, &moments)).collect();
    let residuals: Vec<f64> = rows.iter().zip(y).map(|(row, y)| y - dot(row, &scaled)).collect();
    let mut weights = Vec::with_capacity(rows.len());
    for (row, residual) in rows.iter().zip(&residuals) {
        let leverage: f64 = row.iter().zip(&inverse).map(|(r, line)| r * dot(line, row)).sum();
        if leverage > 1.0 - 1e-9 {
            return Err(StatsError::NoSpread("one point alone decides a coefficient: more points are needed".into()));
        }
        let shrunk = residual / (1.0 - leverage);
        weights.push(shrunk * shrunk);
    }
    let meat = gram(&rows, |i| weights[i]);
    let t = t_quantile(0.5 + 0.5 * level, (x.len() - degree - 1) as f64);
    let mut terms = Vec::with_capacity(degree + 1);
    let mut unit = 1.0;
    for (value, line) in scaled.iter().zip(&inverse) {
        let variance: f64 = line.iter().zip(&meat).map(|(l, row)| l * dot(row, line)).sum();
        let standard_error = libm::sqrt(variance.max(0.0)) / unit;
        let value = value / unit;
        terms.push(Term { value, standard_error, lo: value - t * standard_error, hi: value + t * standard_error });
        unit *= scale;
    }
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let total: f64 = y.iter().map(|y| (y - mean) * (y - mean)).sum();
    let left: f64 = residuals.iter().map(|r| r * r).sum();
    Ok(Fit { terms, level, n: x.len(), r2: (total > 0.0).then(|| 1.0 - left / total) })
}

fn powers(x: f64, degree: usize) -> Vec<f64> {
    std::iter::successors(Some(1.0), |p| Some(p * x)).take(degree + 1).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Sum over rows of weight times the outer product.
fn gram(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
    let size = rows.first().map_or(0, Vec::len);
    let entry = |j: usize, k: usize| rows.iter().enumerate().map(|(i, row)| weight(i) * row[j] * row[k]).sum();
    (0..size).map(|j| (0..size).map(|k| entry(j, k)).collect()).collect()
}

/// Gauss and Jordan with partial pivoting.
fn inverse(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, StatsError> {
    let size = matrix.len();
    let one = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
    let mut rows: Vec<Vec<f64>> = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| row.iter().copied().chain((0..size).map(|j| one(i, j))).collect())
        .collect();
    for column in 0..size {
        let best = (column..size).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, best.unwrap_or(column));
        let pivot = rows[column][column];
        if pivot.abs() < 1e-14 {
            return Err(StatsError::NoSpread("the values of x lie too close together for this degree".into()));
        }
        rows[column].iter_mut().for_each(|v| *v /= pivot);
        let pivot_row = rows[column].clone();
        for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column];
            debug_assert!(i < size);
            row.iter_mut().zip(&pivot_row).for_each(|(v, p)| *v -= factor * p);
        }
    }
    Ok(rows.into_iter().map(|row| row[size..].to_vec()).collect())
}
