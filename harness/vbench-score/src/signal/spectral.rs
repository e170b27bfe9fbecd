//! Distances between short-time spectra.

use vbench_dsp::{FRAME_LANES, FrameLanes, frame_powers, hann_periodic};

use super::{Pair, Reading, Undefined};

/// Transform and window of the log-spectral distance, samples.
const LSD_WINDOW: usize = 512;
/// Added to every power before the logarithm of the log-spectral distance.
const LSD_FLOOR: f64 = 1e-10;
/// Bands of the mel distance, as in Whisper's front end.
const MELS: usize = 80;
/// Upper edge of the mel bands, Hz; half the rate where that is lower.
const MEL_TOP_HZ: f64 = 8_000.0;
/// Band powers below this share of a full-scale sine's count as this: -90 dB, above the noise of 16 bits in a band.
const MEL_FLOOR: f64 = 1e-9;
/// `10 / ln 10`.
const DB_PER_NEPER: f64 = 10.0 * core::f64::consts::LOG10_E;

/// Log-spectral distance in dB, 0 or more: the mean over frames of the root mean square over bins of the difference of
/// the power spectra in dB. Frames of 512 samples every 128 at any rate, periodic Hann window, no padding;
/// `10 log10(P + 1e-10)` with `P` the unnormalised power.
///
/// # Errors
///
/// Fewer than 512 samples.
pub fn lsd_db(pair: &Pair<'_>) -> Reading {
    let mut lsd = LogSpectral::default();
    for_frames(pair, LSD_WINDOW, |px, py, count| lsd.add(px, py, count))?;
    Ok(lsd.value())
}

/// Mel-spectral distance in dB, 0 or more: the mean over frames and 80 bands of the absolute difference of the band
/// powers in dB, each limited from below to -90 dB relative to a full-scale sine.
///
/// Triangular bands on Slaney's mel scale from 0 to 8,000 Hz (or half the rate), the scale of Whisper's front end.
/// Periodic Hann windows of the power of two samples next above 30 ms (512 at 16 kHz), a quarter of that apart, no
/// padding.
///
/// # Errors
///
/// Less than one window.
pub fn mel_distance_db(pair: &Pair<'_>) -> Reading {
    let mut mel = MelDistance::new(pair.rate_hz);
    for_frames(pair, mel.window, |px, py, count| mel.add(px, py, count))?;
    Ok(mel.value())
}

/// [`lsd_db`] and [`mel_distance_db`], with one pass over the spectra where the windows agree.
pub(super) fn both(pair: &Pair<'_>) -> (Reading, Reading) {
    if mel_window(pair.rate_hz) != LSD_WINDOW {
        return (lsd_db(pair), mel_distance_db(pair));
    }
    let (mut lsd, mut mel) = (LogSpectral::default(), MelDistance::new(pair.rate_hz));
    let done = for_frames(pair, LSD_WINDOW, |px, py, count| {
        lsd.add(px, py, count);
        mel.add(px, py, count);
    });
    (done.map(|()| lsd.value()), done.map(|()| mel.value()))
}

/// Calls `each` with the powers of reference and degraded signal of a few frames, and their number.
fn for_frames(
    pair: &Pair<'_>,
    window: usize,
    each: impl FnMut(&[FrameLanes], &[FrameLanes], usize),
) -> Result<(), Undefined> {
    if pair.len() < window {
        return Err(Undefined::TooShort { samples: pair.len(), needed: window });
    }
    let hop = window / 4;
    let frames = (pair.len() - window) / hop + 1;
    let weights = hann_periodic(window);
    frame_powers((pair.reference, pair.degraded), (&weights, hop, frames), (window, window / 2 + 1), each);
    Ok(())
}

#[derive(Default)]
struct LogSpectral {
    sum: f64,
    frames: f64,
}

impl LogSpectral {
    fn add(&mut self, px: &[FrameLanes], py: &[FrameLanes], count: usize) {
        let mut squares = [0.0; FRAME_LANES];
        for (x, y) in px.iter().zip(py) {
            for ((sum, x), y) in squares.iter_mut().zip(x).zip(y) {
                let d = libm::log((x + LSD_FLOOR) / (y + LSD_FLOOR));
                *sum += d * d;
            }
        }
        for sum in &squares[..count] {
            self.sum += DB_PER_NEPER * libm::sqrt(sum / px.len() as f64);
        }
        self.frames += count as f64;
    }

    fn value(&self) -> f64 {
        self.sum / self.frames
    }
}

struct MelDistance {
    window: usize,
    bands: Vec<Band>,
    floor: f64,
    sum: f64,
    frames: f64,
}

/// Weights of consecutive bins from `first` on.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl MelDistance {
    fn new(rate_hz: u32) -> Self {
        let window = mel_window(rate_hz);
        // A full-scale sine has an amplitude of half the sum of the window, which is half its length.
        let full_scale = (window as f64 / 4.0) * (window as f64 / 4.0);
        Self { window, bands: slaney_bands(rate_hz, window), floor: MEL_FLOOR * full_scale, sum: 0.0, frames: 0.0 }
    }

    fn add(&mut self, px: &[FrameLanes], py: &[FrameLanes], count: usize) {
        let mut sums = [0.0; FRAME_LANES];
        for band in &self.bands {
            let (mut x, mut y) = ([0.0; FRAME_LANES], [0.0; FRAME_LANES]);
            let end = band.first + band.weights.len();
            for ((w, a), b) in band.weights.iter().zip(&px[band.first..end]).zip(&py[band.first..end]) {
                for lane in 0..FRAME_LANES {
                    x[lane] += w * a[lane];
                    y[lane] += w * b[lane];
                }
            }
            for lane in 0..count {
                let (x, y) = (x[lane].max(self.floor), y[lane].max(self.floor));
                if x != y {
                    sums[lane] += libm::log(x / y).abs();
                }
            }
        }
        self.sum += sums[..count].iter().sum::<f64>();
        self.frames += count as f64;
    }

    fn value(&self) -> f64 {
        DB_PER_NEPER * self.sum / (self.frames * MELS as f64)
    }
}

/// The power of two samples next above 30 ms.
fn mel_window(rate_hz: u32) -> usize {
    (rate_hz as usize * 3 / 100).next_power_of_two().max(16)
}

/// Triangles of height 1 between neighbouring points of the mel scale. Slaney's division by the bandwidth would cancel
/// in a difference of decibels, so it is left out.
fn slaney_bands(rate_hz: u32, window: usize) -> Vec<Band> {
    let rate = f64::from(rate_hz);
    let top = MEL_TOP_HZ.min(rate / 2.0);
    let step = hz_to_mel(top) / (MELS + 1) as f64;
    let edge = |i: usize| mel_to_hz(step * i as f64);
    let bin_hz = rate / window as f64;
    (0..MELS)
        .map(|band| {
            let (low, centre, high) = (edge(band), edge(band + 1), edge(band + 2));
            let first = libm::ceil(low / bin_hz) as usize;
            let last = (libm::floor(high / bin_hz) as usize).min(window / 2);
            let weights = (first..=last).map(|bin| {
                let hz = bin as f64 * bin_hz;
                ((hz - low) / (centre - low)).min((high - hz) / (high - centre)).max(0.0)
            });
            Band { first, weights: weights.collect() }
        })
        .collect()
}

/// Slaney's scale: linear to 1 kHz, logarithmic above.
fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1_000.0 { hz * 3.0 / 200.0 } else { 15.0 + 27.0 * libm::log(hz / 1_000.0) / libm::log(6.4) }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1_000.0 * libm::exp(libm::log(6.4) * (mel - 15.0) / 27.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_band_has_a_bin_and_the_bands_cover_the_range() {
        for rate in [8_000, 10_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000] {
            let window = mel_window(rate);
            let bands = slaney_bands(rate, window);
            assert_eq!(bands.len(), MELS);
            for (i, band) in bands.iter().enumerate() {
                assert!(band.weights.iter().sum::<f64>() > 0.1, "band {i} at {rate} Hz");
                assert!(band.first + band.weights.len() <= window / 2 + 1, "band {i} at {rate} Hz");
            }
        }
        assert_eq!(mel_window(16_000), LSD_WINDOW);
        assert!((mel_to_hz(hz_to_mel(7_654.0)) - 7_654.0).abs() < 1e-9);
        // librosa: hz_to_mel(8000) = 45.245640471924965
        assert!((hz_to_mel(8_000.0) - 45.245_640_471_924_965).abs() < 1e-12);
    }
}
