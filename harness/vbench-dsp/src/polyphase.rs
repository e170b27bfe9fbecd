//! Rational resampling with a given symmetric filter.

use crate::resample::{bessel_i0, dot, gcd};

/// A polyphase resampler in double precision.
#[derive(Debug)]
pub struct Polyphase {
    up: usize,
    down: usize,
    /// Input samples on either side of an output sample that the filter covers.
    reach: usize,
    /// Coefficients of a phase: `2 reach + 1`, then zeros up to a multiple of eight.
    taps: usize,
    /// `taps` coefficients for each of `up` phases, in the order of the input.
    phases: Vec<f64>,
}

impl Polyphase {
    /// Resampling by `up / down` (both above zero) with a filter of odd length that runs at `up` times the input's
    /// rate: `y[m] = sum over k of filter[half + m down - k up] x[k]` with `half = (filter.len() - 1) / 2`.
    #[must_use]
    pub fn new(up: usize, down: usize, filter: &[f64]) -> Self {
        let half = filter.len() / 2;
        let reach = half / up + 1;
        let taps = (2 * reach + 1).next_multiple_of(8);
        let mut phases = vec![0.0; up * taps];
        for (phase, row) in phases.chunks_exact_mut(taps).enumerate() {
            for (tap, slot) in row.iter_mut().enumerate() {
                // Input sample `tap - reach` relative to the one at or before the output.
                let at = (half + phase + reach * up).checked_sub(tap * up);
                *slot = at.and_then(|i| filter.get(i)).copied().unwrap_or(0.0);
            }
        }
        Self { up, down, reach, taps, phases }
    }

    /// The filter of Octave's `resample`: a Kaiser-windowed sinc for 60 dB, cut off at the lower Nyquist frequency,
    /// with a roll-off of a tenth of it (signal package, also used by pystoi 0.4.1). `None` when a rate is zero or
    /// the filter would exceed a million coefficients: rates above 44.1 kHz without a small ratio.
    #[must_use]
    pub fn octave(from_hz: u32, to_hz: u32) -> Option<Self> {
        const REJECTION_DB: f64 = 60.0;
        const MAX_TAPS: f64 = 1_048_576.0;
        let divisor = gcd(u64::from(from_hz), u64::from(to_hz));
        if from_hz == 0 || to_hz == 0 {
            return None;
        }
        let (up, down) = (u64::from(to_hz) / divisor, u64::from(from_hz) / divisor);
        let cutoff = 0.5 / up.max(down) as f64;
        let half = libm::ceil((REJECTION_DB - 8.0) / (28.714 * cutoff / 10.0));
        if 2.0 * half + 1.0 > MAX_TAPS {
            return None;
        }
        let beta = 0.1102 * (REJECTION_DB - 8.7);
        let side: Vec<f64> = (0..=half as usize)
            .map(|t| {
                let angle = 2.0 * cutoff * core::f64::consts::PI * t as f64;
                let sinc = if t == 0 { 1.0 } else { libm::sin(angle) / angle };
                let r = t as f64 / half;
                sinc * bessel_i0(beta * libm::sqrt(1.0 - r * r))
            })
            .collect();
        let mut filter: Vec<f64> = side[1..].iter().rev().chain(&side).copied().collect();
        let gain = up as f64 / filter.iter().sum::<f64>();
        for h in &mut filter {
            *h *= gain;
        }
        Some(Self::new(up as usize, down as usize, &filter))
    }

    /// Resamples `x`, taken as zero outside; `ceil(n up / down)` samples come out.
    #[must_use]
    pub fn run(&self, x: &[f64]) -> Vec<f64> {
        // Zeros on both sides make every filter position an inner one.
        let mut padded = vec![0.0; x.len() + self.reach + self.taps];
        padded[self.reach..self.reach + x.len()].copy_from_slice(x);
        let taps = self.taps;
        let (mut base, mut phase) = (0, 0);
        let (step, rest) = (self.down / self.up, self.down % self.up);
        (0..(x.len() * self.up).div_ceil(self.down))
            .map(|_| {
                let y = dot(&self.phases[phase * taps..(phase + 1) * taps], &padded[base..base + taps]);
                base += step;
                phase += rest;
                if phase >= self.up {
                    phase -= self.up;
                    base += 1;
                }
                y
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_defining_sum() {
        let filter: Vec<f64> = (0..21).map(|i| libm::cos(0.7 * f64::from(i))).collect();
        let x: Vec<f64> = (0..40).map(|i| libm::sin(1.3 * f64::from(i))).collect();
        for (up, down) in [(1, 1), (5, 8), (3, 2), (1, 4), (7, 1)] {
            let y = Polyphase::new(up, down, &filter).run(&x);
            assert_eq!(y.len(), (40 * up).div_ceil(down));
            for (m, got) in y.iter().enumerate() {
                let want: f64 = (0..40)
                    .filter_map(|k| (10 + m * down).checked_sub(k * up).and_then(|i| filter.get(i)).map(|h| h * x[k]))
                    .sum();
                assert!((got - want).abs() < 1e-12, "{up}/{down} at {m}");
            }
        }
    }

    #[test]
    fn the_octave_filter_keeps_a_tone_and_its_place() {
        let tone = |rate: f64, i: usize| libm::sin(2.0 * core::f64::consts::PI * 900.0 * i as f64 / rate);
        for from in [8_000u32, 16_000, 22_050, 44_100, 48_000] {
            let x: Vec<f64> = (0..from as usize / 2).map(|i| tone(f64::from(from), i)).collect();
            let y = Polyphase::octave(from, 10_000).unwrap().run(&x);
            let worst = (1_000..4_000).map(|m| (y[m] - tone(10_000.0, m)).abs()).fold(0.0, f64::max);
            assert!(worst < 2e-3, "{from} Hz: {worst}");
        }
        assert!(Polyphase::octave(0, 10_000).is_none());
        assert!(Polyphase::octave(191_999, 10_000).is_none());
    }
}
