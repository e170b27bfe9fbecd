//! Noises of a given colour: pink, brown and mains hum. All have unit power over the clip.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use vbench_dsp::Convolver;

use crate::RATE_HZ;
use crate::channel::from_magnitude;
use crate::noise::{gaussian, unit};

/// Below this, pink and brown noise are flat: what lies beneath is hardly heard, yet would hold most of the power.
const CORNER_HZ: f64 = 50.0;
/// Taps of the colouring filters, on a grid of as many points and one: the corner is resolved to 8 Hz.
const TAPS: usize = 4095;
const GRID: usize = 4096;

/// Highest harmonic of hum, Hz.
const HUM_TOP_HZ: f64 = 2000.0;
/// Even harmonics relative to odd ones: transformers saturate alike in both half waves, which makes odd harmonics.
const EVEN_SHARE: f64 = 0.25;
/// How far the mains frequency wanders to either side, relative to itself, and how often it does so, Hz.
const WANDER: f64 = 2e-4;
const WANDER_HZ: f64 = 0.1;
/// Points of one period of hum: linear interpolation between them errs by less than -75 dB of the highest harmonic.
const PERIOD: usize = 8192;

/// Gaussian noise falling by 3 dB an octave from 50 Hz to 8 kHz, flat below.
pub(crate) fn pink(rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    static FILTER: OnceLock<Convolver> = OnceLock::new();
    coloured(rng, len, FILTER.get_or_init(|| colouring(0.5)))
}

/// Gaussian noise falling by 6 dB an octave from 50 Hz to 8 kHz, flat below. Half of its power lies below about 50 Hz.
pub(crate) fn brown(rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    static FILTER: OnceLock<Convolver> = OnceLock::new();
    coloured(rng, len, FILTER.get_or_init(|| colouring(1.0)))
}

/// Mains hum of fundamental `hz` (above 0): harmonics up to 2 kHz, the `h`-th with amplitude `1 / h` where `h` is odd and
/// a quarter of that where it is even, each with a phase drawn from `rng`. The frequency wanders by 0.02 % with a period
/// of ten seconds.
pub(crate) fn hum(hz: f64, rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    const TAU: f64 = 2.0 * core::f64::consts::PI;
    let harmonics = libm::floor(HUM_TOP_HZ / hz).clamp(1.0, 100.0) as u32;
    // One period of the sum, with its first point again at the end.
    let mut period = vec![0.0; PERIOD + 1];
    for h in (1..=harmonics).map(f64::from) {
        let amplitude = if h % 2.0 == 0.0 { EVEN_SHARE / h } else { 1.0 / h };
        let phase = unit(rng);
        for (i, slot) in period.iter_mut().enumerate() {
            *slot += amplitude * libm::sin(TAU * (h * (i % PERIOD) as f64 / PERIOD as f64 + phase));
        }
    }
    let (start, wander_start) = (unit(rng), unit(rng));
    let mut samples: Vec<f64> = (0..len)
        .map(|i| {
            let t = i as f64 / f64::from(RATE_HZ);
            // Integral of hz (1 + WANDER sin(2 pi WANDER_HZ t + …)).
            let swing = libm::cos(TAU * (WANDER_HZ * t + wander_start)) * WANDER / (TAU * WANDER_HZ);
            let turns = hz * (t - swing) + start + 1.0;
            let place = (turns - libm::floor(turns)) * PERIOD as f64;
            let index = (place as usize).min(PERIOD - 1);
            period[index] + (place - index as f64) * (period[index + 1] - period[index])
        })
        .collect();
    to_unit_power(&mut samples);
    samples
}

/// Filter with gain `(f / 50 Hz)^-slope`.
fn colouring(slope: f64) -> Convolver {
    let bin_hz = f64::from(RATE_HZ) / GRID as f64;
    Convolver::new(&from_magnitude(GRID, TAPS, |k| libm::pow((k as f64 * bin_hz / CORNER_HZ).max(1.0), -slope)))
}

fn coloured(rng: &mut ChaCha8Rng, len: usize, filter: &Convolver) -> Vec<f64> {
    // The filter is filled before the first sample, so that the start is as loud as the rest.
    let mut white = vec![0.0f32; len + TAPS - 1];
    gaussian(rng, &mut white);
    let mut samples = filter.convolve(&white, TAPS - 1, len);
    to_unit_power(&mut samples);
    samples
}

fn to_unit_power(samples: &mut [f64]) {
    let power = samples.iter().map(|x| x * x).sum::<f64>() / samples.len().max(1) as f64;
    if power > 0.0 {
        let scale = 1.0 / power.sqrt();
        for x in samples {
            *x *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::keyed::keyed_rng;
    use vbench_dsp::{Complex, Fft};

    const RATE: f64 = 16_000.0;

    /// Mean power density of Hann-windowed frames of `frame` samples, half overlapped, at each bin up to half the rate.
    fn welch(x: &[f64], frame: usize) -> Vec<f64> {
        let mut power = vec![0.0; frame / 2 + 1];
        let (mut data, mut scratch) = (Complex::zeros(frame), Complex::default());
        for start in (0..=x.len() - frame).step_by(frame / 2) {
            data.im.fill(0.0);
            for (i, slot) in data.re.iter_mut().enumerate() {
                let window = 0.5 - 0.5 * libm::cos(2.0 * core::f64::consts::PI * i as f64 / frame as f64);
                *slot = window * x[start + i];
            }
            Fft::shared(frame).forward(&mut data, &mut scratch);
            for (k, p) in power.iter_mut().enumerate() {
                *p += data.re[k] * data.re[k] + data.im[k] * data.im[k];
            }
        }
        power
    }

    /// Mean density in dB between two frequencies.
    fn density_db(power: &[f64], from_hz: f64, to_hz: f64) -> f64 {
        let bin = RATE / (2.0 * (power.len() - 1) as f64);
        let (from, to) = (libm::ceil(from_hz / bin) as usize, libm::floor(to_hz / bin) as usize);
        10.0 * libm::log10(power[from..=to].iter().sum::<f64>() / (to - from + 1) as f64)
    }

    #[test]
    fn octaves_of_pink_and_brown_fall_by_three_and_six_db() {
        let len = 200 * 16_000;
        let mut rng = keyed_rng(5, "test", "", "");
        for (name, noise, power_slope) in [("pink", pink(&mut rng, len), 1.0), ("brown", brown(&mut rng, len), 2.0)] {
            let power = welch(&noise, 8_192);
            // What an octave band from f of a density f^-slope holds, over its width.
            let want = |f: f64| {
                let integral = |f: f64| if power_slope > 1.5 { -1.0 / f } else { libm::log(f) };
                10.0 * libm::log10((integral(2.0 * f) - integral(f)) / f)
            };
            let bands = [62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0];
            let offset = density_db(&power, 1_000.0, 2_000.0) - want(1_000.0);
            for f in bands {
                let error = density_db(&power, f, 2.0 * f) - want(f) - offset;
                assert!(error.abs() < 0.5, "{name}, octave from {f} Hz: {error} dB");
            }
            // Flat below 50 Hz, at the density of 50 Hz.
            let corner = -10.0 * power_slope * libm::log10(CORNER_HZ);
            let low = density_db(&power, 8.0, 35.0) - corner - offset;
            assert!(low.abs() < 0.6, "{name} below 35 Hz: {low} dB");
            assert!((noise.iter().map(|x| x * x).sum::<f64>() / len as f64 - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn coloured_noise_is_gaussian_and_keyed() {
        let draw = |seed| pink(&mut keyed_rng(seed, "test", "", ""), 160_000);
        let x = draw(1);
        assert_eq!(x, draw(1));
        assert_ne!(x, draw(2));
        let kurtosis = x.iter().map(|v| v * v * v * v).sum::<f64>() / x.len() as f64;
        assert!((kurtosis - 3.0).abs() < 0.25, "{kurtosis}");
        // The start is as loud as the rest: mean of squares of the first 8 ms over many draws.
        let start: f64 = (0..200)
            .map(|s| {
                brown(&mut keyed_rng(s, "start", "", ""), 16_000)[..128].iter().map(|v| v * v).sum::<f64>() / 128.0
            })
            .sum::<f64>()
            / 200.0;
        assert!((0.6..1.5).contains(&start), "{start}");
    }

    #[test]
    fn hum_has_its_harmonics_and_nothing_else() {
        for hz in [50.0, 60.0] {
            let x = hum(hz, &mut keyed_rng(9, "test", "", ""), 40 * 16_000);
            let power = welch(&x, 32_768);
            let bin = RATE / 32_768.0;
            // Power of the line at a frequency: its wander and the window spread it over a few bins.
            let line = |f: f64| {
                let centre = libm::round(f / bin) as usize;
                power[centre - 20..=centre + 20].iter().sum::<f64>()
            };
            let harmonics = libm::floor(2_000.0 / hz) as u32;
            let mut total = 0.0;
            for h in 1..=harmonics {
                let amplitude = if h % 2 == 0 { 0.25 } else { 1.0 } / f64::from(h);
                let got = 10.0 * libm::log10(line(hz * f64::from(h)) / line(hz));
                let want = 20.0 * libm::log10(amplitude);
                assert!((got - want).abs() < 0.1, "{hz} Hz, harmonic {h}: {got} dB, expected {want}");
                total += line(hz * f64::from(h));
            }
            let rest = 10.0 * libm::log10((power.iter().sum::<f64>() - total).max(0.0) / total);
            assert!(rest < -60.0, "{hz} Hz: {rest} dB beside the harmonics");
            // Phase of the fundamental, second by second, against a steady tone: its integrated wander.
            let phases: Vec<f64> = x
                .chunks_exact(16_000)
                .map(|second| {
                    let angle = |i: usize| 2.0 * core::f64::consts::PI * hz * i as f64 / RATE;
                    let re: f64 = second.iter().enumerate().map(|(i, v)| v * libm::cos(angle(i))).sum();
                    let im: f64 = second.iter().enumerate().map(|(i, v)| v * libm::sin(angle(i))).sum();
                    libm::atan2(im, re)
                })
                .collect();
            let turned = |i: usize| {
                libm::remainder(phases[i] - phases[0], 2.0 * core::f64::consts::PI) / (2.0 * core::f64::consts::PI)
            };
            let (low, high) = (1..phases.len()).map(turned).fold((0.0f64, 0.0f64), |(l, h), t| (l.min(t), h.max(t)));
            let swing = 2.0 * hz * 2e-4 / (2.0 * core::f64::consts::PI * 0.1);
            assert!((high - low - swing).abs() < 0.1 * swing, "{hz} Hz: {} turns, expected {swing}", high - low);
            assert!((x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64 - 1.0).abs() < 1e-9);
        }
        assert_ne!(
            hum(50.0, &mut keyed_rng(1, "test", "", ""), 1_000),
            hum(50.0, &mut keyed_rng(2, "test", "", ""), 1_000)
        );
    }

    #[test]
    fn short_noises() {
        for len in [0, 1, 2, 100] {
            let mut rng = keyed_rng(1, "test", "", "");
            for noise in [pink(&mut rng, len), brown(&mut rng, len), hum(50.0, &mut rng, len)] {
                assert!(noise.len() == len && noise.iter().all(|x| x.is_finite()));
            }
        }
    }
}
