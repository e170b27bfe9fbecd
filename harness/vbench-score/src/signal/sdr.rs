//! BSS-eval signal-to-distortion ratio: any filter of 512 taps is forgiven.

use vbench_dsp::correlate;

use super::noise_ratio::ratio_db;
use super::{Pair, Reading};

/// Taps of the filter that counts as signal.
const TAPS: usize = 512;
/// Where the prediction error falls below this share of the energy, further delays add rounding only.
const EXHAUSTED: f64 = 1e-13;
/// A residual below this share of the energy cannot be told from zero.
const RESOLUTION: f64 = 1e-12;

/// Signal-to-distortion ratio in dB with one source (BSS eval v3, Vincent et al. 2006): `y` is projected on the 512
/// delayed copies (0 to 511 samples) of `x`, and the ratio is that of the projection to the rest. A filter, echo or
/// delay within 511 samples hence costs nothing, unlike in SI-SDR. Ratios above 120 dB read as infinite.
///
/// # Errors
///
/// A silent signal.
pub fn sdr_db(pair: &Pair<'_>) -> Reading {
    pair.both_sound()?;
    let autocorrelation = correlate(pair.reference, pair.reference, 0, TAPS);
    let cross = correlate(pair.reference, pair.degraded, 0, TAPS);
    let projected = projection_energy(&autocorrelation, &cross);
    let energy = pair.degraded_energy;
    let rest = energy - projected;
    Ok(ratio_db(projected, if rest <= RESOLUTION * energy { 0.0 } else { rest }))
}

/// Energy of the projection on all delays, by Levinson's recursion: each order's backward prediction error is
/// orthogonal to all earlier ones, so the energies add and the sum only grows.
fn projection_energy(r: &[f64], cross: &[f64]) -> f64 {
    let mut predictor = vec![1.0];
    let mut next = Vec::with_capacity(r.len());
    let mut error = r[0];
    let mut energy = cross[0] * cross[0] / error;
    for m in 1..r.len() {
        let reflection = -predictor.iter().enumerate().map(|(i, a)| a * r[m - i]).sum::<f64>() / error;
        next.clear();
        next.extend((0..=m).map(|i| {
            let forward = predictor.get(i).copied().unwrap_or(0.0);
            let backward = if i == 0 { 0.0 } else { predictor[m - i] };
            forward + reflection * backward
        }));
        core::mem::swap(&mut predictor, &mut next);
        error *= 1.0 - reflection * reflection;
        if error.is_nan() || error <= EXHAUSTED * r[0] {
            break;
        }
        let innovation: f64 = predictor.iter().enumerate().map(|(i, a)| a * cross[m - i]).sum();
        energy += innovation * innovation / error;
    }
    energy
}
