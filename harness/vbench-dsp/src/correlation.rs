//! Cross-correlation over a range of lags by block FFT.

use crate::fft::{Complex, Fft};

/// `r[i] = sum over n of x[n] * y[n + first_lag + i]` for `i` in `0..lags`, with both signals zero outside.
///
/// Blocks of `x` meet the stretch of `y` that they can reach, and the spectra of all blocks are added before the one
/// inverse transform: the cost grows with the length and hardly with the lags, and memory only with the lags.
#[must_use]
pub fn correlate(x: &[f64], y: &[f64], first_lag: isize, lags: usize) -> Vec<f64> {
    if x.is_empty() || lags == 0 {
        return vec![0.0; lags];
    }
    let len = (2 * lags).next_power_of_two().max(4096).min((x.len() + lags).next_power_of_two());
    let block = len - lags + 1;
    let fft = Fft::shared(len);
    let (mut data, mut scratch) = (Complex::zeros(len), Complex::zeros(len));
    let mut sum = Complex::zeros(len);
    for start in (0..x.len()).step_by(block) {
        let end = (start + block).min(x.len());
        data.re[..end - start].copy_from_slice(&x[start..end]);
        data.re[end - start..].fill(0.0);
        load(&mut data.im, y, start as isize + first_lag);
        fft.forward(&mut data, &mut scratch);
        for k in 0..=len / 2 {
            let m = (len - k) % len;
            let (xr, xi) = (data.re[k] + data.re[m], data.im[k] - data.im[m]);
            let (yr, yi) = (data.im[k] + data.im[m], data.re[m] - data.re[k]);
            sum.re[k] += xr * yr + xi * yi;
            sum.im[k] += xr * yi - xi * yr;
        }
    }
    for k in len / 2 + 1..len {
        sum.re[k] = sum.re[len - k];
        sum.im[k] = -sum.im[len - k];
    }
    fft.inverse_unscaled(&mut sum, &mut scratch);
    let scale = 0.25 / len as f64;
    sum.re.truncate(lags);
    for r in &mut sum.re {
        *r *= scale;
    }
    sum.re
}

/// Fills `slot` with `y[from..]`, zero where `y` has no sample.
fn load(slot: &mut [f64], y: &[f64], from: isize) {
    let before = from.min(0).unsigned_abs().min(slot.len());
    let first = (from.max(0) as usize).min(y.len());
    let count = (slot.len() - before).min(y.len() - first);
    slot[..before].fill(0.0);
    slot[before..before + count].copy_from_slice(&y[first..first + count]);
    slot[before + count..].fill(0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_defining_sum() {
        let signal = |n: usize, a: f64| -> Vec<f64> { (0..n).map(|i| libm::sin(a * i as f64 * i as f64)).collect() };
        for (nx, ny, first, lags) in
            [(1, 1, 0, 1), (7, 3, -5, 12), (9_000, 9_000, -40, 81), (5_000, 20_000, 100, 3_000), (300, 10, -900, 2_000)]
        {
            let (x, y) = (signal(nx, 0.37), signal(ny, 0.11));
            let got = correlate(&x, &y, first, lags);
            for (i, r) in got.iter().enumerate().step_by(lags / 30 + 1) {
                let want: f64 = (0..nx as isize)
                    .filter_map(|n| {
                        usize::try_from(n + first + i as isize).ok().and_then(|m| y.get(m)).map(|v| v * x[n as usize])
                    })
                    .sum();
                assert!((r - want).abs() < 1e-9, "{nx} {ny} {first} at {i}: {r} and {want}");
            }
        }
        assert_eq!(correlate(&[], &[1.0], 0, 2), [0.0, 0.0]);
        assert!(correlate(&[1.0], &[1.0], 0, 0).is_empty());
    }
}
