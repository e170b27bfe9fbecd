//! The long-term power spectrum of a corpus' active speech, the shape of its speech-shaped noise.

use std::collections::BTreeMap;

use vbench_core::hash::sha256_hex;

use crate::RATE_HZ;
use vbench_dsp::{Complex, Convolver, Fft, active_speech_level};

/// Frame of the Welch estimate, samples (32 ms at 16 kHz).
const FRAME: usize = 512;
/// Step between frames, samples.
const HOP: usize = 256;
/// A frame counts as active speech when its level is at most this far below the utterance's active level, dB: the
/// margin of ITU-T P.56.
const ACTIVE_MARGIN_DB: f64 = 15.9;
/// Taps of the noise filter: odd, linear phase.
const FILTER_TAPS: usize = 511;

/// Collects utterances; the result does not depend on the order in which they come, nor on threads.
#[derive(Debug, Clone, Default)]
pub struct SpectrumAccumulator {
    utterances: BTreeMap<String, Vec<f64>>,
}

impl SpectrumAccumulator {
    /// Starts empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an utterance (mono, 16 kHz) under its id; a second call with the same id replaces the first. Silence adds
    /// nothing. Every utterance's spectrum is taken relative to its own active level, so loud recordings weigh no
    /// more than faint ones, and long ones weigh by their number of active frames.
    pub fn add(&mut self, id: &str, samples: &[f32]) {
        if let Some(power) = active_spectrum(samples) {
            self.utterances.insert(id.to_owned(), power);
        }
    }

    /// Takes over what another accumulator collected.
    pub fn merge(&mut self, other: Self) {
        self.utterances.extend(other.utterances);
    }

    /// The spectrum, summed in the order of the ids; `None` when no utterance had active speech.
    #[must_use]
    pub fn finish(&self) -> Option<LongTermSpectrum> {
        let mut sum = vec![0.0; FRAME / 2 + 1];
        for power in self.utterances.values() {
            for (s, p) in sum.iter_mut().zip(power) {
                *s += p;
            }
        }
        LongTermSpectrum::from_power(&sum)
    }
}

/// Power of a corpus' active speech in 257 bands, 31.25 Hz apart from 0 to 8 kHz; sums to 1.
#[derive(Debug)]
pub struct LongTermSpectrum {
    power: Vec<f64>,
    sha256: String,
    /// Filter that gives white noise of unit variance this spectrum and unit variance.
    filter: Convolver,
}

impl LongTermSpectrum {
    /// From 257 band powers in any unit (as [`Self::power`] returns them); `None` when the count differs, a value is
    /// negative or not finite, or all are zero.
    #[must_use]
    pub fn from_power(power: &[f64]) -> Option<Self> {
        let total: f64 = power.iter().sum();
        let valid = power.len() == FRAME / 2 + 1 && power.iter().all(|p| p.is_finite() && *p >= 0.0);
        if !valid || total <= 0.0 || !total.is_finite() {
            return None;
        }
        // A spectrum that is already normalised passes unchanged, so that a stored one gives the same bytes.
        let power: Vec<f64> =
            if (total - 1.0).abs() < 1e-9 { power.to_vec() } else { power.iter().map(|p| p / total).collect() };
        let filter = Convolver::new(&shaping_filter(&power));
        let bytes: Vec<u8> = power.iter().flat_map(|p| p.to_le_bytes()).collect();
        Some(Self { power, sha256: sha256_hex(&bytes), filter })
    }

    /// The 257 band powers, 0 to 8 kHz, summing to 1: what a run record stores.
    #[must_use]
    pub fn power(&self) -> &[f64] {
        &self.power
    }

    /// SHA-256 of the band powers as little-endian f64: the spectrum's identity in a run record.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Shapes white noise; `white` must be longer than the result by [`Self::extra_samples`].
    pub(crate) fn shape(&self, white: &[f32]) -> Vec<f64> {
        self.filter.convolve(white, FILTER_TAPS - 1, white.len().saturating_sub(FILTER_TAPS - 1))
    }

    /// Samples of white noise needed before the first shaped one, so that the start is as loud as the rest.
    pub(crate) fn extra_samples() -> usize {
        FILTER_TAPS - 1
    }
}

/// Sum over active frames of the Hann-windowed power spectrum, relative to the active level.
fn active_spectrum(samples: &[f32]) -> Option<Vec<f64>> {
    let level = active_speech_level(samples, RATE_HZ)?;
    let floor = libm::pow(10.0, (level.active_dbfs - ACTIVE_MARGIN_DB) / 10.0);
    let scale = libm::pow(10.0, -level.active_dbfs / 10.0);
    let fft = Fft::shared(FRAME);
    let window: Vec<f64> =
        (0..FRAME).map(|i| 0.5 - 0.5 * libm::cos(2.0 * core::f64::consts::PI * i as f64 / FRAME as f64)).collect();
    let mut power = vec![0.0; FRAME / 2 + 1];
    let (mut data, mut scratch) = (Complex::zeros(FRAME), Complex::default());
    let mut any = false;
    let mut at = 0;
    while at + FRAME <= samples.len() {
        let frame = &samples[at..at + FRAME];
        let energy: f64 = frame.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        if energy / FRAME as f64 >= floor {
            any = true;
            for (i, (x, w)) in frame.iter().zip(&window).enumerate() {
                data.re[i] = f64::from(*x) * w;
                data.im[i] = 0.0;
            }
            fft.forward(&mut data, &mut scratch);
            for (k, p) in power.iter_mut().enumerate() {
                *p += scale * (data.re[k] * data.re[k] + data.im[k] * data.im[k]);
            }
        }
        at += HOP;
    }
    any.then_some(power)
}

/// Linear-phase filter whose gain is the square root of the power spectrum, by frequency sampling under a Hann
/// window, scaled to unit energy.
fn shaping_filter(power: &[f64]) -> Vec<f64> {
    let mut data = Complex::zeros(FRAME);
    for (k, p) in power.iter().enumerate() {
        let gain = libm::sqrt(*p);
        data.re[k] = gain;
        data.re[(FRAME - k) % FRAME] = gain;
    }
    Fft::shared(FRAME).inverse_unscaled(&mut data, &mut Complex::default());
    let half = FILTER_TAPS / 2;
    let mut filter: Vec<f64> = (0..FILTER_TAPS)
        .map(|i| {
            let lag = i as f64 - half as f64;
            let window = 0.5 + 0.5 * libm::cos(core::f64::consts::PI * lag / (half + 1) as f64);
            data.re[(i + FRAME - half) % FRAME] * window
        })
        .collect();
    let norm = libm::sqrt(filter.iter().map(|h| h * h).sum());
    for h in &mut filter {
        *h /= norm;
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::gaussian;
    use vbench_core::keyed::keyed_rng;

    /// Noise through a one-pole low pass: a known sloping spectrum.
    fn sloping(seed: u64, n: usize) -> Vec<f32> {
        let mut state = 0.0f32;
        let mut white = vec![0.0; n];
        gaussian(&mut keyed_rng(seed, "test", "", ""), &mut white);
        white
            .iter()
            .map(|x| {
                state = 0.9 * state + 0.02 * x;
                state
            })
            .collect()
    }

    #[test]
    fn the_order_of_utterances_does_not_matter() {
        let clips: Vec<Vec<f32>> = (0..5).map(|i| sloping(i, 16_000 + 999 * i as usize)).collect();
        let mut forward = SpectrumAccumulator::new();
        let mut backward = SpectrumAccumulator::new();
        let mut part = SpectrumAccumulator::new();
        for i in 0..5 {
            forward.add(&format!("u{i}"), &clips[i]);
            let target = if i % 2 == 0 { &mut backward } else { &mut part };
            target.add(&format!("u{}", 4 - i), &clips[4 - i]);
        }
        backward.merge(part);
        assert_eq!(forward.finish().unwrap().power(), backward.finish().unwrap().power());
    }

    #[test]
    fn shaped_noise_has_the_spectrum_it_was_shaped_by() {
        let mut speech = SpectrumAccumulator::new();
        speech.add("a", &sloping(1, 320_000));
        let spectrum = speech.finish().unwrap();
        let mut white = vec![0.0; 640_000 + LongTermSpectrum::extra_samples()];
        gaussian(&mut keyed_rng(2, "test", "", ""), &mut white);
        let noise: Vec<f32> = spectrum.shape(&white).iter().map(|x| (*x * 0.1) as f32).collect();
        let mut shaped = SpectrumAccumulator::new();
        shaped.add("a", &noise);
        let shaped = shaped.finish().unwrap();
        for band in spectrum.power().chunks_exact(8).zip(shaped.power().chunks_exact(8)) {
            let (want, got): (f64, f64) = (band.0.iter().sum(), band.1.iter().sum());
            let difference = 10.0 * libm::log10(got / want);
            assert!(difference.abs() < 0.7, "{difference} dB");
        }
        // The last bands are the quietest, 26 dB below the first: the filter must follow the slope.
        let slope = 10.0 * libm::log10(spectrum.power()[250] / spectrum.power()[4]);
        assert!(slope < -20.0, "{slope}");
    }

    #[test]
    fn a_stored_spectrum_gives_the_same_noise() {
        let mut speech = SpectrumAccumulator::new();
        speech.add("a", &sloping(1, 32_000));
        let spectrum = speech.finish().unwrap();
        let again = LongTermSpectrum::from_power(spectrum.power()).unwrap();
        assert_eq!(spectrum.power(), again.power());
        let white = sloping(3, 5_000);
        assert_eq!(spectrum.shape(&white), again.shape(&white));
    }

    #[test]
    fn silence_and_bad_values_give_no_spectrum() {
        let mut speech = SpectrumAccumulator::new();
        speech.add("a", &[0.0; 16_000]);
        speech.add("b", &[]);
        assert!(speech.finish().is_none());
        assert!(LongTermSpectrum::from_power(&[1.0; 256]).is_none());
        assert!(LongTermSpectrum::from_power(&[0.0; 257]).is_none());
        assert!(LongTermSpectrum::from_power(&[f64::NAN; 257]).is_none());
        assert!(LongTermSpectrum::from_power(&[-1.0; 257]).is_none());
    }
}
