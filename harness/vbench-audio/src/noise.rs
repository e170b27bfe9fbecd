//! Additive noise: Gaussian samples, their spectrum, and their level against active speech.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_core::{Folder, NoiseKind};

use crate::babble::babble;
use crate::degrade::{DegradeContext, Grid, MAX_SAMPLE, quantise};
use crate::error::DegradeError;
use crate::noise_colour;
use crate::sources::{draw_file, excerpt};
use crate::spectrum::LongTermSpectrum;

/// Largest accepted |SNR|, dB.
const MAX_SNR_DB: f64 = 100.0;
/// Largest difference between the asked and the achieved SNR, dB.
const SNR_TOLERANCE_DB: f64 = 0.05;

/// What the noise step did.
#[derive(Debug)]
pub(crate) struct NoiseResult {
    pub(crate) samples: Vec<f32>,
    /// Active speech level minus the RMS level of what was added, both after the common gain.
    pub(crate) achieved_snr_db: f64,
    /// RMS level of what was added, dB relative to full scale.
    pub(crate) noise_dbfs: f64,
    /// Gain on speech and noise together, dB; 0 unless the sum would have clipped.
    pub(crate) gain_db: f64,
}

/// The unscaled noise of one utterance: the same for every level.
#[derive(Debug, Default)]
pub(crate) struct Realisation {
    /// As many as the clip has.
    pub(crate) samples: Vec<f64>,
    /// For the receipt.
    pub(crate) achieved: Vec<(String, f64)>,
    /// For the receipt.
    pub(crate) facts: Vec<(String, String)>,
}

/// Draws the noise of one utterance, `len` samples; `key` is the condition without its level.
///
/// # Errors
/// [`DegradeError::NoSpectrum`], [`DegradeError::Babble`], [`DegradeError::Folder`].
pub(crate) fn realisation(
    kind: &NoiseKind,
    len: usize,
    key: &str,
    context: &DegradeContext<'_>,
) -> Result<Realisation, DegradeError> {
    let mut rng = keyed_rng(context.seed, "noise", context.utterance, key);
    let plain = |samples| Ok(Realisation { samples, ..Realisation::default() });
    match kind {
        NoiseKind::White => {
            let mut white = vec![0.0f32; len];
            gaussian(&mut rng, &mut white);
            plain(white.iter().map(|x| f64::from(*x)).collect())
        }
        NoiseKind::SpeechShaped => {
            let spectrum = context.corpus_spectrum.ok_or(DegradeError::NoSpectrum)?;
            let mut white = vec![0.0f32; len + LongTermSpectrum::extra_samples()];
            gaussian(&mut rng, &mut white);
            let facts = vec![("spectrum_sha256".to_owned(), spectrum.sha256().to_owned())];
            Ok(Realisation { samples: spectrum.shape(&white), achieved: Vec::new(), facts })
        }
        NoiseKind::Babble { talkers } => babble(*talkers, len, &mut rng, context),
        NoiseKind::Folder(folder) => recorded(folder, len, &mut rng),
        NoiseKind::Pink => plain(noise_colour::pink(&mut rng, len)),
        NoiseKind::Brown => plain(noise_colour::brown(&mut rng, len)),
        NoiseKind::Hum { hz } => plain(noise_colour::hum(*hz, &mut rng, len)),
    }
}

/// Tries to find an excerpt with sound in it.
const MAX_SILENT: usize = 20;

/// An excerpt of a recording drawn from a folder.
fn recorded(folder: &Folder, len: usize, rng: &mut ChaCha8Rng) -> Result<Realisation, DegradeError> {
    let mut silent = String::new();
    for _ in 0..MAX_SILENT {
        let source = draw_file(folder, rng)?;
        let (samples, at) = excerpt(&source.samples, len, rng);
        if samples.iter().any(|x| *x != 0.0) {
            let achieved = vec![("noise_offset_s".to_owned(), at as f64 / f64::from(crate::RATE_HZ))];
            let (name, sha256) = (source.name.clone(), source.sha256.clone());
            let facts = vec![("noise_file".to_owned(), name), ("noise_sha256".to_owned(), sha256)];
            return Ok(Realisation { samples, achieved, facts });
        }
        silent.clone_from(&source.name);
    }
    let message = format!("{silent}: silent, as were the {MAX_SILENT} excerpts drawn before");
    Err(DegradeError::Folder { folder: folder.written.clone(), message })
}

/// Adds `noise` so that the speech's level (dB relative to full scale; active, or RMS) exceeds the noise's RMS level by
/// `snr_db`.
///
/// The result lies on the 16-bit grid. The SNR is that of what was really added: output minus the (scaled) speech,
/// rounding included. Speech so faint that rounding matters gets its noise scaled again until the SNR is met.
///
/// # Errors
/// [`DegradeError::NoActiveSpeech`], [`DegradeError::Parameter`], [`DegradeError::SnrNotReached`].
pub(crate) fn add(
    speech: &[f32],
    level_dbfs: Option<f64>,
    noise: &[f64],
    snr_db: f64,
) -> Result<NoiseResult, DegradeError> {
    if snr_db.is_nan() || snr_db.abs() > MAX_SNR_DB {
        return Err(DegradeError::Parameter { parameter: "snr_db", actual: snr_db, expected: "-100 to 100 dB" });
    }
    let level_dbfs = level_dbfs.ok_or(DegradeError::NoActiveSpeech { snr_db })?;
    let noise_power = noise.iter().map(|x| x * x).sum::<f64>() / noise.len() as f64;
    let wanted_rms = libm::pow(10.0, (level_dbfs - snr_db) / 20.0);
    let mut scale = wanted_rms / libm::sqrt(noise_power);
    let mut result = mix(speech, level_dbfs, noise, scale);
    for _ in 0..6 {
        let error_db = result.achieved_snr_db - snr_db;
        if error_db.abs() <= 0.2 * SNR_TOLERANCE_DB || !error_db.is_finite() {
            break;
        }
        scale *= libm::pow(10.0, error_db / 20.0);
        result = mix(speech, level_dbfs, noise, scale);
    }
    if (result.achieved_snr_db - snr_db).abs() <= SNR_TOLERANCE_DB {
        Ok(result)
    } else {
        Err(DegradeError::SnrNotReached { target_db: snr_db, achieved_db: result.achieved_snr_db })
    }
}

fn mix(speech: &[f32], level_dbfs: f64, noise: &[f64], scale: f64) -> NoiseResult {
    let peak = speech.iter().zip(noise).map(|(x, n)| (f64::from(*x) + scale * n).abs()).fold(0.0, f64::max);
    let gain = if peak > MAX_SAMPLE { MAX_SAMPLE / peak } else { 1.0 };
    let mut grid = Grid::default();
    let mut power = 0.0;
    let samples: Vec<f32> = speech
        .iter()
        .zip(noise)
        .map(|(x, n)| {
            let clean = gain * f64::from(*x);
            let y = quantise(clean + gain * scale * n, &mut grid);
            let added = f64::from(y) - clean;
            power += added * added;
            y
        })
        .collect();
    let gain_db = 20.0 * libm::log10(gain);
    let noise_dbfs = 10.0 * libm::log10(power / speech.len() as f64);
    NoiseResult { samples, achieved_snr_db: level_dbfs + gain_db - noise_dbfs, noise_dbfs, gain_db }
}

/// Layers of the ziggurat and its base: right end of the base strip, area of every strip (Marsaglia and Tsang, The
/// Ziggurat Method for Generating Random Variables, J. Stat. Softw. 5(8), 2000, with 256 layers).
const LAYERS: usize = 256;
const BASE_X: f64 = 3.654_152_885_361_009;
const STRIP_AREA: f64 = 0.004_928_673_233_974_655;

struct Ziggurat {
    x: [f64; LAYERS + 1],
    density: [f64; LAYERS + 1],
}

impl Ziggurat {
    fn shared() -> &'static Self {
        static TABLES: OnceLock<Ziggurat> = OnceLock::new();
        TABLES.get_or_init(|| {
            let density_at = |x: f64| libm::exp(-0.5 * x * x);
            let mut x = [0.0; LAYERS + 1];
            x[0] = STRIP_AREA / density_at(BASE_X);
            x[1] = BASE_X;
            for i in 2..LAYERS {
                x[i] = libm::sqrt(-2.0 * libm::log(STRIP_AREA / x[i - 1] + density_at(x[i - 1])));
            }
            Self { x, density: x.map(density_at) }
        })
    }

    fn sample(&self, rng: &mut ChaCha8Rng) -> f64 {
        loop {
            let bits = rng.next_u64();
            let layer = (bits & 0xFF) as usize;
            // The upper 53 bits as a number in -1..1.
            let u = ((bits >> 11) as i64 - (1 << 52)) as f64 / (1u64 << 52) as f64;
            let x = u * self.x[layer];
            if x.abs() < self.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                return self.tail(rng, u < 0.0);
            }
            let (low, high) = (self.density[layer], self.density[layer + 1]);
            if low + (high - low) * unit(rng) < libm::exp(-0.5 * x * x) {
                return x;
            }
        }
    }

    /// Beyond the base strip: Marsaglia's exact method for the normal tail.
    fn tail(&self, rng: &mut ChaCha8Rng, negative: bool) -> f64 {
        loop {
            let x = -libm::log(unit(rng)) / BASE_X;
            let y = -libm::log(unit(rng));
            if 2.0 * y >= x * x {
                return if negative { -(BASE_X + x) } else { BASE_X + x };
            }
        }
    }
}

/// Uniform in (0, 1].
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// Fills `out` with independent standard normal samples.
pub(crate) fn gaussian(rng: &mut ChaCha8Rng, out: &mut [f32]) {
    let ziggurat = Ziggurat::shared();
    for slot in out {
        *slot = ziggurat.sample(rng) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_dsp::active_speech_level;

    #[test]
    fn gaussian_has_normal_moments_and_tails() {
        let n = 2_000_000;
        let mut x = vec![0.0f32; n];
        gaussian(&mut keyed_rng(7, "test", "", ""), &mut x);
        let moment = |p: i32| x.iter().map(|v| libm::pow(f64::from(*v), f64::from(p))).sum::<f64>() / n as f64;
        // Five standard errors each: 1, 2, 15, 96 are the variances of x, x^2, x^3, x^4.
        for (p, want, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let bound = 5.0 * libm::sqrt(variance / n as f64);
            assert!((moment(p) - want).abs() < bound, "moment {p}: {}", moment(p));
        }
        for (t, probability) in [(1.0f32, 0.317_310_5), (2.0, 0.045_500_3), (3.0, 0.002_699_8), (3.8, 0.000_144_7)] {
            let share = x.iter().filter(|v| v.abs() > t).count() as f64 / n as f64;
            assert!((share - probability).abs() < 5.0 * libm::sqrt(probability / n as f64), "beyond {t}: {share}");
        }
    }

    #[test]
    fn every_level_is_reached_and_never_clips() {
        let speech: Vec<f32> = (0..48_000)
            .map(|i| if i / 8_000 % 3 == 2 { 0.0 } else { (0.9 * libm::sin(0.11 * f64::from(i))) as f32 })
            .collect();
        for attenuation in [1.0f32, 0.1, 0.001] {
            let x: Vec<f32> = speech.iter().map(|v| v * attenuation).collect();
            let level = active_speech_level(&x, 16_000).map(|l| l.active_dbfs);
            let context = DegradeContext { seed: 1, utterance: "c/u", corpus_spectrum: None, recordings: None };
            let noise = realisation(&NoiseKind::White, x.len(), "noise(white)", &context).unwrap().samples;
            for snr_db in [-20.0, -5.0, 0.0, 5.0, 20.0] {
                let got = add(&x, level, &noise, snr_db).unwrap();
                assert!((got.achieved_snr_db - snr_db).abs() <= 0.05, "{snr_db}: {got:?}", got = got.achieved_snr_db);
                assert!(got.samples.iter().all(|v| v.abs() < 1.0));
                assert!(got.gain_db <= 0.0);
                // Measured again from outside: output minus scaled input.
                let gain = libm::pow(10.0, got.gain_db / 20.0);
                let power: f64 = got
                    .samples
                    .iter()
                    .zip(&x)
                    .map(|(y, x)| (f64::from(*y) - gain * f64::from(*x)) * (f64::from(*y) - gain * f64::from(*x)))
                    .sum::<f64>()
                    / x.len() as f64;
                let scaled: Vec<f32> = x.iter().map(|v| (gain * f64::from(*v)) as f32).collect();
                let measured = active_speech_level(&scaled, 16_000).unwrap().active_dbfs - 10.0 * libm::log10(power);
                assert!((measured - snr_db).abs() < 0.06, "asked {snr_db}, measured {measured}");
            }
        }
    }

    #[test]
    fn silence_and_impossible_levels_are_errors() {
        let noise = vec![1.0; 100];
        assert_eq!(add(&[0.0; 100], None, &noise, 5.0).unwrap_err(), DegradeError::NoActiveSpeech { snr_db: 5.0 });
        let level = Some(-80.0);
        assert!(matches!(add(&[1e-4; 100], level, &noise, 60.0), Err(DegradeError::SnrNotReached { .. })));
        assert!(matches!(add(&[1e-4; 100], level, &noise, f64::NAN), Err(DegradeError::Parameter { .. })));
    }
}
