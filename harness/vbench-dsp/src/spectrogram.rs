//! A spectrogram for looking at.

use crate::fft::{Complex, Fft};

/// Samples of a frame.
const FRAME: usize = 512;

/// Power over time and frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrogram {
    /// Columns, the first at time 0.
    pub columns: usize,
    /// Bands of equal width from 0 Hz to half of the rate, lowest first.
    pub bands: usize,
    /// Level of each cell, dB relative to a full-scale sine, column by column; at least -120.
    pub db: Vec<f32>,
    /// Length of the signal, s.
    pub seconds: f64,
    /// Upper edge of the last band, Hz.
    pub max_hz: f64,
}

/// Mean power of Hann-windowed frames of 512 samples in `columns` x `bands` cells (at least one each, at most 256 bands).
#[must_use]
pub fn spectrogram(samples: &[f32], rate_hz: u32, columns: usize, bands: usize) -> Spectrogram {
    let (columns, bands) = (columns.max(1), bands.clamp(1, FRAME / 2));
    let fft = Fft::shared(FRAME);
    let window: Vec<f64> =
        (0..FRAME).map(|i| 0.5 - 0.5 * libm::cos(2.0 * core::f64::consts::PI * i as f64 / FRAME as f64)).collect();
    // A full-scale sine in one bin: (sum of the window / 2) squared.
    let full: f64 = libm::pow(window.iter().sum::<f64>() / 2.0, 2.0);
    let (mut data, mut scratch) = (Complex::zeros(FRAME), Complex::default());
    let mut db = Vec::with_capacity(columns * bands);
    for column in 0..columns {
        let from = column * samples.len() / columns;
        let to = ((column + 1) * samples.len() / columns).max(from + 1);
        let mut power = vec![0.0; bands];
        let mut frames = 0.0;
        for centre in (from..to).step_by(FRAME / 4) {
            for (i, w) in window.iter().enumerate() {
                let at = (centre + i).checked_sub(FRAME / 2);
                data.re[i] = w * at.and_then(|at| samples.get(at)).map_or(0.0, |x| f64::from(*x));
                data.im[i] = 0.0;
            }
            fft.forward(&mut data, &mut scratch);
            for k in 0..FRAME / 2 {
                power[k * bands / (FRAME / 2)] += data.re[k] * data.re[k] + data.im[k] * data.im[k];
            }
            frames += 1.0;
        }
        db.extend(power.iter().map(|p| (10.0 * libm::log10(p / frames / full)).max(-120.0) as f32));
    }
    let seconds = samples.len() as f64 / f64::from(rate_hz.max(1));
    Spectrogram { columns, bands, db, seconds, max_hz: f64::from(rate_hz) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_where_it_sounds() {
        // Silence for half a second, then a full-scale sine of 2,000 Hz.
        let tone = |i: usize| libm::sin(2.0 * core::f64::consts::PI * 2000.0 * i as f64 / 16_000.0) as f32;
        let samples: Vec<f32> = (0..16_000).map(|i| if i < 8_000 { 0.0 } else { tone(i) }).collect();
        let s = spectrogram(&samples, 16_000, 20, 64);
        let cell = |column: usize, band: usize| s.db[column * 64 + band];
        assert!(cell(5, 16) <= -119.0, "{}", cell(5, 16));
        // A band of two bins holds the main lobe but for what falls to its neighbour.
        assert!((cell(15, 16) + cell(15, 15)) > -20.0 && cell(15, 16) > -2.0 && cell(15, 16) < 2.0, "{}", cell(15, 16));
        assert!(cell(15, 40) < -60.0);
        assert_eq!((s.seconds, s.max_hz, s.db.len()), (1.0, 8000.0, 20 * 64));
        assert_eq!(spectrogram(&[], 16_000, 3, 2).db, [-120.0; 6]);
    }
}
