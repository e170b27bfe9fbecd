//! Long-term prediction, and its residual as 13 regular pulses for 40 samples.

use super::{SUB, SubFrame, add, mult, mult_r, norm, saturate};

/// Decision levels and values of the long-term gain (table 4.3).
const GAIN_LEVELS: [i32; 3] = [6_554, 16_384, 26_214];
const GAINS: [i32; 4] = [3_277, 11_469, 21_299, 32_767];
/// Impulse response of the weighting filter (table 4.4).
const WEIGHTING: [i32; 11] = [-134, -374, 0, 2_054, 5_741, 8_192, 5_741, 2_054, 0, -374, -134];
/// Inverses of the block maximum's mantissa (table 4.5), and the mantissa (table 4.6).
const INVERSE_MANTISSA: [i32; 8] = [29_128, 26_215, 23_832, 21_846, 20_165, 18_725, 17_476, 16_384];
const MANTISSA: [i32; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// Longest lag of the long-term predictor.
const HISTORY: usize = 120;

/// Pulses of a sub-frame, every third sample from `grid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pulses {
    /// 0 to 3.
    pub(super) grid: i32,
    /// Coded block maximum, 6 bits.
    pub(super) peak: i32,
    /// Coded amplitudes, 3 bits each.
    pub(super) codes: [i32; 13],
}

/// The reconstructed residual that encoder and decoder predict from.
pub(super) struct LongTerm {
    past: [i32; HISTORY],
    /// Last lag within its range: a decoder keeps it where a frame has none.
    lag: usize,
}

impl Default for LongTerm {
    fn default() -> Self {
        Self { past: [0; HISTORY], lag: 40 }
    }
}

impl LongTerm {
    pub(super) fn encode(&mut self, residual: &[i32; SUB]) -> SubFrame {
        let (lag, gain) = self.search(residual);
        let predicted: [i32; SUB] = self.predict(lag, gain);
        let rest: [i32; SUB] = core::array::from_fn(|k| saturate(residual[k] - predicted[k]));
        let pulses = Pulses::of(&rest);
        self.push(&pulses.decode(), &predicted);
        SubFrame { lag: lag as i32, gain: gain as i32, pulses }
    }

    pub(super) fn decode(&mut self, sub: &SubFrame) -> [i32; SUB] {
        if (40..=HISTORY as i32).contains(&sub.lag) {
            self.lag = sub.lag as usize;
        }
        let predicted = self.predict(self.lag, sub.gain as usize);
        self.push(&sub.pulses.decode(), &predicted)
    }

    /// Lag and coded gain (5.2.11).
    fn search(&self, residual: &[i32; SUB]) -> (usize, usize) {
        let peak = residual.iter().map(|x| x.abs().min(32_767)).max().unwrap_or(0);
        let scale = if peak == 0 { 0 } else { 6u32.saturating_sub(norm(peak << 16)) };
        let scaled = residual.map(|x| x >> scale);
        let (mut best, mut most) = (40, 0);
        for lag in 40..=HISTORY {
            let past = &self.past[HISTORY - lag..HISTORY - lag + SUB];
            let cross: i32 = scaled.iter().zip(past).map(|(a, b)| a * b).sum();
            if cross > most {
                (best, most) = (lag, cross);
            }
        }
        let cross = (2 * most) >> (6 - scale);
        let past = &self.past[HISTORY - best..HISTORY - best + SUB];
        let power = 2 * past.iter().map(|x| (x >> 3) * (x >> 3)).sum::<i32>();
        if cross <= 0 {
            return (best, 0);
        }
        if cross >= power {
            return (best, 3);
        }
        let shift = norm(power);
        let (r, s) = (cross << shift >> 16, power << shift >> 16);
        (best, GAIN_LEVELS.iter().position(|level| r <= mult(s, *level)).unwrap_or(3))
    }

    fn predict(&self, lag: usize, gain: usize) -> [i32; SUB] {
        core::array::from_fn(|k| mult_r(GAINS[gain], self.past[HISTORY - lag + k]))
    }

    /// Adds prediction and pulses and remembers the sum (5.2.18, 5.3.2).
    fn push(&mut self, pulses: &[i32; SUB], predicted: &[i32; SUB]) -> [i32; SUB] {
        let sum = core::array::from_fn(|k| add(pulses[k], predicted[k]));
        self.past.copy_within(SUB.., 0);
        self.past[HISTORY - SUB..].copy_from_slice(&sum);
        sum
    }
}

impl Pulses {
    /// Weighting, choice of the grid, adaptive quantisation (5.2.13 to 5.2.15).
    fn of(rest: &[i32; SUB]) -> Self {
        let weighted = weigh(rest);
        let (mut grid, mut most) = (0, 0);
        for m in 0..4 {
            let energy = 2 * (0..13).map(|i| weighted[m + 3 * i] >> 2).map(|x| x * x).sum::<i32>();
            if energy > most {
                (grid, most) = (m, energy);
            }
        }
        let chosen: [i32; 13] = core::array::from_fn(|i| weighted[grid + 3 * i]);
        let max = chosen.iter().map(|x| x.abs().min(32_767)).max().unwrap_or(0);
        // Bits of the maximum above the ninth, at most six.
        let magnitude = (32 - (max >> 9).leading_zeros() as i32).min(6);
        let peak = add(max >> (magnitude + 5), magnitude << 3);
        let (exponent, mantissa) = split(peak);
        let codes = chosen.map(|x| {
            // The recommendation shifts within 16 bits.
            let scaled = i32::from((x << (6 - exponent)) as i16);
            (mult(scaled, INVERSE_MANTISSA[mantissa]) >> 12) + 4
        });
        Self { grid: grid as i32, peak, codes }
    }

    /// Inverse quantisation and placement on the grid (5.2.16, 5.2.17).
    fn decode(&self) -> [i32; SUB] {
        let (exponent, mantissa) = split(self.peak);
        let shift = 6 - exponent;
        let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
        let mut pulses = [0; SUB];
        for (i, code) in self.codes.iter().enumerate() {
            let scaled = mult_r(MANTISSA[mantissa], (2 * code - 7) << 12);
            pulses[self.grid as usize + 3 * i] = add(scaled, half) >> shift;
        }
        pulses
    }
}

/// The weighting filter, centred (5.2.13).
fn weigh(rest: &[i32; SUB]) -> [i32; SUB] {
    let mut padded = [0; SUB + 10];
    padded[5..5 + SUB].copy_from_slice(rest);
    core::array::from_fn(|k| {
        let sum: i32 = padded[k..k + 11].iter().zip(WEIGHTING).map(|(x, h)| x * h).sum();
        saturate((sum + 4_096) >> 13)
    })
}

/// Exponent and mantissa of a coded block maximum (5.2.15).
fn split(peak: i32) -> (i32, usize) {
    let exponent = if peak > 15 { (peak >> 3) - 1 } else { 0 };
    let mantissa = peak - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    // Small maxima: shift left with ones coming in until the leading bit is the fourth.
    let shift = 3 - (31 - mantissa.leading_zeros() as i32);
    let filled = mantissa << shift | ((1 << shift) - 1);
    (exponent - shift, (filled - 8) as usize)
}
