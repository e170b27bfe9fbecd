//! How much later one signal is than another.

use vbench_dsp::correlate;

use super::{Pair, Undefined};

/// Where the cross-correlation of two signals is largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// Samples by which the degraded signal is late; negative where it is early.
    pub samples: i64,
    /// The same with the place of the maximum interpolated by a parabola, within half a sample of `samples`.
    pub interpolated: f64,
    /// Normalised correlation `<x, y> / (|x| |y|)` over the part that both cover at that lag, -1 to 1.
    pub correlation: f64,
}

/// Delay of the degraded signal: the lag within `-max_lag..=max_lag` with the largest `sum x[n] y[n + lag]`, the lag
/// nearest to zero where several are equal. Lags beyond the length are not tried. An inverted signal has no positive peak at its delay:
/// undo the sign first.
///
/// # Errors
///
/// A silent signal, or signals that do not overlap with a positive correlation at any lag.
pub fn delay(pair: &Pair<'_>, max_lag: usize) -> Result<Delay, Undefined> {
    pair.both_sound()?;
    let reach = max_lag.min(pair.len() - 1);
    let correlation = correlate(pair.reference, pair.degraded, -(reach as isize), 2 * reach + 1);
    let mut best = reach;
    for step in 1..=reach {
        for at in [reach + step, reach - step] {
            if correlation[at] > correlation[best] {
                best = at;
            }
        }
    }
    let samples = best as i64 - reach as i64;
    let interpolated = samples as f64 + parabola_offset(&correlation, best);
    let correlation = normalised(pair, samples).ok_or(Undefined::NoCommonPart)?;
    Ok(Delay { samples, interpolated, correlation })
}

/// Distance of the maximum of the parabola through a peak and its neighbours from the peak.
fn parabola_offset(values: &[f64], peak: usize) -> f64 {
    let (Some(before), Some(after)) = (peak.checked_sub(1).and_then(|i| values.get(i)), values.get(peak + 1)) else {
        return 0.0;
    };
    let curvature = before - 2.0 * values[peak] + after;
    if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
}

fn normalised(pair: &Pair<'_>, lag: i64) -> Option<f64> {
    let shift = lag.unsigned_abs() as usize;
    let (x, y) =
        if lag < 0 { (&pair.reference[shift..], pair.degraded) } else { (pair.reference, &pair.degraded[shift..]) };
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (libm::sqrt(xx) * libm::sqrt(yy))).clamp(-1.0, 1.0))
}
