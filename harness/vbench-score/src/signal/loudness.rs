//! Integrated loudness by ITU-R BS.1770-4.

use super::{Reading, Undefined};

/// Blocks below this are not counted, LUFS.
const ABSOLUTE_GATE: f64 = -70.0;
/// Blocks this far below the mean of those left are not counted, LU.
const RELATIVE_GATE: f64 = -10.0;
/// Steps of 100 ms in a block of 400 ms.
const STEPS: usize = 4;
/// The pre-filter's corner must lie well inside the band.
const LOWEST_RATE_HZ: u32 = 8_000;

/// Integrated loudness of one channel in LUFS (a full-scale sine of 997 Hz reads -3.01).
///
/// ITU-R BS.1770-4: K-weighting, blocks of 400 ms every 100 ms, gated at -70 LUFS and then at 10 LU below the mean of
/// the rest; an incomplete last block is not used. The filter's coefficients, which the standard tables at 48 kHz,
/// follow at other rates from the analogue prototypes behind them (De Man 2014) and equal the table at 48 kHz.
/// The transform bends the shelf where the rate is low: the sine of 997 Hz reads -2.97 at 16 kHz.
///
/// # Errors
///
/// Less than 400 ms, a rate below 8 kHz, nothing above the gate, or a sample that is not finite.
pub fn loudness_lufs(samples: &[f64], rate_hz: u32) -> Reading {
    if rate_hz < LOWEST_RATE_HZ {
        return Err(Undefined::RateTooLow { rate_hz, needed_hz: LOWEST_RATE_HZ });
    }
    let steps = step_energies(samples, rate_hz);
    if steps.len() < STEPS {
        return Err(Undefined::TooShort { samples: samples.len(), needed: (4 * rate_hz as usize).div_ceil(10) });
    }
    let blocks: Vec<f64> = steps
        .windows(STEPS)
        .map(|w| w.iter().map(|(energy, _)| energy).sum::<f64>() / w.iter().map(|(_, n)| *n as f64).sum::<f64>())
        .collect();
    if blocks.iter().any(|z| !z.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    let mean_above = |power: f64| {
        let (sum, count) = blocks.iter().filter(|z| **z > power).fold((0.0, 0.0), |(s, n), z| (s + z, n + 1.0));
        (count > 0.0).then_some(sum / count)
    };
    let absolute = libm::pow(10.0, (ABSOLUTE_GATE - OFFSET_DB) / 10.0);
    let first = mean_above(absolute).ok_or(Undefined::BelowGate)?;
    let relative = first * libm::pow(10.0, RELATIVE_GATE / 10.0);
    let power = mean_above(relative.max(absolute)).ok_or(Undefined::BelowGate)?;
    Ok(OFFSET_DB + 10.0 * libm::log10(power))
}

/// Undoes the filter's gain at 997 Hz, dB.
const OFFSET_DB: f64 = -0.691;

/// Energy and number of the K-weighted samples of each complete step of 100 ms.
fn step_energies(samples: &[f64], rate_hz: u32) -> Vec<(f64, usize)> {
    let (shelf, high_pass) = k_weighting(f64::from(rate_hz));
    let (mut first, mut second) = (Memory::default(), Memory::default());
    let boundary = |step: u64| (step * u64::from(rate_hz) / 10) as usize;
    let mut energies = Vec::with_capacity(samples.len() / boundary(1) + 1);
    let mut step = 0;
    while boundary(step + 1) <= samples.len() {
        let part = &samples[boundary(step)..boundary(step + 1)];
        let mut energy = 0.0;
        for x in part {
            let y = second.run(&high_pass, first.run(&shelf, *x));
            energy += y * y;
        }
        energies.push((energy, part.len()));
        step += 1;
    }
    energies
}

/// A second-order section with `a0 = 1`.
#[derive(Debug, Clone, Copy)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
}

/// State of a section in transposed direct form II.
#[derive(Debug, Default, Clone, Copy)]
struct Memory(f64, f64);

impl Memory {
    fn run(&mut self, filter: &Biquad, x: f64) -> f64 {
        let y = filter.b[0] * x + self.0;
        self.0 = filter.b[1] * x - filter.a[0] * y + self.1;
        self.1 = filter.b[2] * x - filter.a[1] * y;
        y
    }
}

/// The two stages: a shelf of 4 dB for the head, and a high-pass.
fn k_weighting(rate: f64) -> (Biquad, Biquad) {
    const SHELF: (f64, f64, f64) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
    const SHELF_MIDDLE_EXPONENT: f64 = 0.499_666_774_154_541_6;
    const HIGH_PASS: (f64, f64) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
    let (hz, gain_db, q) = SHELF;
    let k = libm::tan(core::f64::consts::PI * hz / rate);
    let high = libm::pow(10.0, gain_db / 20.0);
    let middle = libm::pow(high, SHELF_MIDDLE_EXPONENT);
    let a0 = 1.0 + k / q + k * k;
    let shelf = Biquad {
        b: [(high + middle * k / q + k * k) / a0, 2.0 * (k * k - high) / a0, (high - middle * k / q + k * k) / a0],
        a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
    };
    let (hz, q) = HIGH_PASS;
    let k = libm::tan(core::f64::consts::PI * hz / rate);
    let a0 = 1.0 + k / q + k * k;
    let high_pass = Biquad { b: [1.0, -2.0, 1.0], a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0] };
    (shelf, high_pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_equal_the_table_of_the_standard() {
        // ITU-R BS.1770-4, tables 1 and 2, 48 kHz.
        let (shelf, high_pass) = k_weighting(48_000.0);
        let got = [shelf.b[0], shelf.b[1], shelf.b[2], shelf.a[0], shelf.a[1], high_pass.a[0], high_pass.a[1]];
        let table = [
            1.535_124_859_586_97,
            -2.691_696_189_406_38,
            1.198_392_810_852_85,
            -1.690_659_293_182_41,
            0.732_480_774_215_85,
            -1.990_047_454_833_98,
            0.990_072_250_366_21,
        ];
        for (got, want) in got.iter().zip(table) {
            assert!((got - want).abs() < 1e-12, "{got} and {want}");
        }
    }
}
