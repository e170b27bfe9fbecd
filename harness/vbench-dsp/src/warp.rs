//! Band-limited resampling by any real ratio: the time axis stretched or compressed.
//!
//! The kernel is that of [`crate::Resampler`] (pass band to 90 % of the lower Nyquist frequency, stop band from 100 %),
//! tabulated at 256 positions between two samples with linear interpolation between them. The error of a tone is below
//! -95 dB everywhere in the pass band and below -100 dB in its lower half.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::resample::{CUTOFF, HALF_WIDTH, windowed_sinc};

/// Positions between two samples at which the widest-band kernel is tabulated; a kernel that is `k` times as wide needs
/// `k` times fewer.
const PHASES: f64 = 256.0;
/// Partial sums of an output sample.
const LANES: usize = 8;

/// The signal `x` read at positions `0, step, 2 step, …`: `out_len` samples, `x` being zero outside.
///
/// A `step` above 1 shortens and raises the pitch; what would lie above the new Nyquist frequency is removed. The step
/// must be positive and finite, else the result is silence. No delay: position 0 is sample 0.
#[must_use]
pub fn resample_by(x: &[f64], step: f64, out_len: usize) -> Vec<f64> {
    if !(step.is_finite() && step > 0.0) {
        return vec![0.0; out_len];
    }
    let bank = Bank::shared(CUTOFF * (1.0 / step).min(1.0));
    // Zeros on both sides make every filter position an inner one.
    let mut padded = vec![0.0; x.len() + 3 * bank.reach];
    padded[bank.reach..bank.reach + x.len()].copy_from_slice(x);
    (0..out_len)
        .map(|m| {
            let position = m as f64 * step;
            // Truncation is the floor: positions are not negative.
            let base = position as usize;
            if base >= x.len() + bank.reach {
                return 0.0;
            }
            bank.at(&padded[base + 1..base + 1 + 2 * bank.reach], position - base as f64)
        })
        .collect()
}

/// The kernel at equally spaced positions between two samples, both ends included.
#[derive(Debug)]
struct Bank {
    /// Input samples on either side of an output sample; a multiple of half the lanes.
    reach: usize,
    phases: usize,
    /// `phases + 1` rows of `2 * reach` coefficients.
    rows: Vec<f64>,
}

impl Bank {
    /// `scale`: zero crossings of the kernel per input sample.
    fn new(scale: f64) -> Self {
        let reach = (libm::ceil(HALF_WIDTH / scale) as usize).next_multiple_of(LANES / 2);
        let phases = libm::ceil(PHASES * scale / CUTOFF).max(8.0) as usize;
        let mut rows = Vec::with_capacity((phases + 1) * 2 * reach);
        for phase in 0..=phases {
            let fraction = phase as f64 / phases as f64;
            let start = rows.len();
            rows.extend(
                (0..2 * reach).map(|tap| windowed_sinc((tap as f64 - (reach as f64 - 1.0) - fraction) * scale)),
            );
            // Unit gain at zero frequency at every position.
            let sum: f64 = rows[start..].iter().sum();
            for c in &mut rows[start..] {
                *c /= sum;
            }
        }
        Self { reach, phases, rows }
    }

    /// The kernel from the process-wide store: tabulating costs more than a short clip.
    fn shared(scale: f64) -> Arc<Self> {
        static BANKS: LazyLock<Mutex<HashMap<u64, Arc<Bank>>>> = LazyLock::new(Mutex::default);
        const MAX_BANKS: usize = 16;
        let mut banks = BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bank) = banks.get(&scale.to_bits()) {
            return Arc::clone(bank);
        }
        let bank = Arc::new(Self::new(scale));
        if banks.len() < MAX_BANKS {
            banks.insert(scale.to_bits(), Arc::clone(&bank));
        }
        bank
    }

    /// The signal between the two middle samples of `window`, `fraction` of the way.
    fn at(&self, window: &[f64], fraction: f64) -> f64 {
        let place = fraction * self.phases as f64;
        let row = (place as usize).min(self.phases - 1);
        let share = place - row as f64;
        let taps = 2 * self.reach;
        let (a, b) = self.rows[row * taps..(row + 2) * taps].split_at(taps);
        // Fixed lanes: the order of additions never depends on the machine.
        let mut sums = [0.0f64; LANES];
        for ((x, a), b) in window.chunks_exact(LANES).zip(a.chunks_exact(LANES)).zip(b.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sums[lane] += x[lane] * (a[lane] + share * (b[lane] - a[lane]));
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAU: f64 = 2.0 * core::f64::consts::PI;

    /// A tone of `turns` cycles a sample.
    fn tone(turns: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| 0.5 * libm::sin(TAU * turns * i as f64)).collect()
    }

    #[test]
    fn tones_are_read_at_the_right_place() {
        for step in [0.25, 0.9, 1.0 / 1.1, 0.999_99, 1.000_01, 1.02, 1.1, core::f64::consts::SQRT_2, 4.0, 12.0] {
            for share in [0.01, 0.2, 0.5, 0.89] {
                let turns = 0.5 * share * (1.0f64 / step).min(1.0);
                let n = if step > 2.0 { 40_000 } else { 8_000 };
                let out_len = libm::round(n as f64 / step) as usize;
                let y = resample_by(&tone(turns, n), step, out_len);
                let margin = out_len / 4;
                let worst = (margin..out_len - margin)
                    .map(|m| (y[m] - 0.5 * libm::sin(TAU * turns * step * m as f64)).abs())
                    .fold(0.0, f64::max);
                let error_db = 20.0 * libm::log10(worst / 0.5);
                let limit = if share > 0.5 { -95.0 } else { -100.0 };
                assert!(error_db < limit, "step {step}, {turns} cycles a sample: {error_db:.1} dB");
            }
        }
    }

    #[test]
    fn what_lies_above_the_new_nyquist_is_removed() {
        for step in [1.02f64, 1.1, 2.0, 4.0] {
            for share in [1.0, 1.01, 1.5] {
                let turns = (0.5 * share / step).min(0.499);
                if turns * step < 0.5 {
                    continue;
                }
                let y = resample_by(&tone(turns, 20_000), step, (20_000.0 / step) as usize);
                let peak = y[y.len() / 4..3 * y.len() / 4].iter().fold(0.0, |m: f64, v| m.max(v.abs()));
                let rejection = 20.0 * libm::log10(peak.max(1e-30) / 0.5);
                assert!(rejection < -90.0, "step {step}, {turns} cycles a sample: {rejection:.1} dB");
            }
        }
    }

    #[test]
    fn short_signals_and_bad_steps() {
        for n in [0, 1, 2, 10] {
            for step in [1.0 / 48.0, 0.7, 1.0, 3.0, 48.0] {
                let y = resample_by(&vec![0.1; n], step, 7);
                assert!(y.len() == 7 && y.iter().all(|v| v.is_finite()), "{n} samples, step {step}");
            }
        }
        for step in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(resample_by(&[1.0; 5], step, 3), [0.0; 3]);
        }
    }
}
