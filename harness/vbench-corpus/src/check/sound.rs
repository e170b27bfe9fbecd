//! What is measured in one recording.

use vbench_dsp::active_speech_level;

use super::fingerprint::Fingerprint;

/// Frames of the noise estimate, seconds.
const FRAME_S: f64 = 0.02;
/// Share of the quietest frames whose level is taken for the noise.
const QUIET_SHARE: f64 = 0.1;
/// Lowest noise level that is told apart, dBFS: about one step of 16 bits.
pub const NOISE_FLOOR_DBFS: f64 = -96.0;
/// Samples in a row at the largest value that count as clipped.
const FLAT_RUN: usize = 3;
/// A largest value below this share of full scale is no clipping but the last bit of faint audio.
const FLAT_PEAK: f32 = 0.01;

/// Measures of one utterance's recording at the recording's own rate, channels averaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Sample rate of the file, Hz.
    pub rate_hz: u32,
    /// Channels of the file.
    pub channels: u32,
    /// Duration, seconds.
    pub seconds: f64,
    /// Largest absolute sample, full scale is 1.
    pub peak: f64,
    /// Share of samples in runs of three or more at the largest value, 0 to 1.
    pub clipped: f64,
    /// Mean of the samples, full scale is 1.
    pub dc: f64,
    /// Active speech level by ITU-T P.56, dBFS; absent where nothing is active.
    pub level_dbfs: Option<f64>,
    /// Activity factor by ITU-T P.56, 0 to 1.
    pub activity: f64,
    /// Estimated level of the noise, dBFS: the tenth percentile of the levels of frames of 20 ms, at least -96.
    pub noise_dbfs: f64,
    /// SHA-256 of the samples, hex.
    pub samples_sha256: String,
    /// For near-duplicates.
    pub fingerprint: Fingerprint,
}

impl Sound {
    /// Measures mono samples at `rate_hz` of a file with `channels`; `at_16k` are the same samples at 16 kHz.
    #[must_use]
    pub fn measure(samples: &[f32], (rate_hz, channels): (u32, u32), at_16k: &[f32]) -> Self {
        let n = samples.len().max(1) as f64;
        let peak = samples.iter().fold(0.0f32, |p, s| p.max(s.abs()));
        let dc = samples.iter().map(|s| f64::from(*s)).sum::<f64>() / n;
        let level = active_speech_level(samples, rate_hz);
        Self {
            rate_hz,
            channels,
            seconds: samples.len() as f64 / f64::from(rate_hz.max(1)),
            peak: f64::from(peak),
            clipped: flat(samples, peak) as f64 / n,
            dc,
            level_dbfs: level.map(|l| l.active_dbfs),
            activity: level.map_or(0.0, |l| l.activity),
            noise_dbfs: noise_dbfs(samples, rate_hz, dc),
            samples_sha256: vbench_core::hash::sha256_samples(samples),
            fingerprint: Fingerprint::of(at_16k),
        }
    }

    /// Estimated signal-to-noise ratio, dB: active speech level over the level of the quietest tenth. Too small for
    /// speech without pauses, unknown to noise that comes with the speech only.
    #[must_use]
    pub fn snr_db(&self) -> Option<f64> {
        self.level_dbfs.map(|level| level - self.noise_dbfs)
    }
}

/// Samples in runs of [`FLAT_RUN`] or more that all have the largest value, to one part in ten thousand.
fn flat(samples: &[f32], peak: f32) -> usize {
    if peak < FLAT_PEAK {
        return 0;
    }
    let limit = peak * (1.0 - 1e-4);
    let top = |s: &f32| if *s >= limit { 1i8 } else { -i8::from(*s <= -limit) };
    let runs = samples.chunk_by(|a, b| top(a) == top(b));
    runs.filter(|run| top(&run[0]) != 0 && run.len() >= FLAT_RUN).map(<[f32]>::len).sum()
}

fn noise_dbfs(samples: &[f32], rate_hz: u32, dc: f64) -> f64 {
    let frame = ((f64::from(rate_hz) * FRAME_S) as usize).max(1);
    let power = |f: &[f32]| f.iter().map(|s| (f64::from(*s) - dc).powi(2)).sum::<f64>() / f.len() as f64;
    let mut powers: Vec<f64> = samples.chunks_exact(frame).map(power).collect();
    if powers.is_empty() {
        return NOISE_FLOOR_DBFS;
    }
    let at = ((powers.len() - 1) as f64 * QUIET_SHARE).round() as usize;
    let (_, quiet, _) = powers.select_nth_unstable_by(at, f64::total_cmp);
    if *quiet > 0.0 { (10.0 * libm::log10(*quiet)).max(NOISE_FLOOR_DBFS) } else { NOISE_FLOOR_DBFS }
}
