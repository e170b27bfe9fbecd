//! Steps that change the time axis.

use vbench_dsp::resample_by;

use super::{Changed, widen, within, wsola};
use crate::error::DegradeError;

/// Recorded at one rate, played as if at another: the clip lasts `recorded / declared` times as long and sounds
/// `declared / recorded` times as high.
pub(crate) fn rate_mismatch(samples: &[f32], recorded_hz: f64, declared_hz: f64) -> Result<Changed, DegradeError> {
    within("recorded_hz", recorded_hz, 4_000.0..=192_000.0, "4000 to 192000 Hz")?;
    within("declared_hz", declared_hz, 4_000.0..=192_000.0, "4000 to 192000 Hz")?;
    Ok(played_faster(samples, declared_hz / recorded_hz))
}

/// Faster or slower by resampling: tempo and pitch.
pub(crate) fn speed(samples: &[f32], factor: f64) -> Result<Changed, DegradeError> {
    within("factor", factor, 0.25..=4.0, "0.25 to 4")?;
    Ok(played_faster(samples, factor))
}

/// Faster or slower with the pitch kept.
pub(crate) fn tempo(samples: &[f32], factor: f64) -> Result<Changed, DegradeError> {
    within("factor", factor, 0.25..=4.0, "0.25 to 4")?;
    let x = widen(samples);
    let out_len = scaled_len(x.len(), factor);
    let changed = if is_one(factor) { x } else { wsola::stretch(&x, factor, out_len) };
    Ok(scaled(changed, samples.len()))
}

/// Higher or lower with length and tempo kept: the tempo changed one way, the speed the other. What a higher pitch
/// moves above 8 kHz is lost.
pub(crate) fn pitch(samples: &[f32], semitones: f64) -> Result<Changed, DegradeError> {
    within("semitones", semitones, -24.0..=24.0, "-24 to 24 semitones")?;
    let ratio = libm::pow(2.0, semitones / 12.0);
    let x = widen(samples);
    let changed = if is_one(ratio) {
        x
    } else {
        let longer = wsola::stretch(&x, 1.0 / ratio, scaled_len(x.len(), 1.0 / ratio));
        resample_by(&longer, ratio, x.len())
    };
    Ok(scaled(changed, samples.len()).with("pitch_ratio", ratio))
}

fn played_faster(samples: &[f32], factor: f64) -> Changed {
    let x = widen(samples);
    let out_len = scaled_len(x.len(), factor);
    let changed = if is_one(factor) { x } else { resample_by(&x, factor, out_len) };
    scaled(changed, samples.len())
}

/// Exactly one: the identity, whatever the filters would do.
fn is_one(factor: f64) -> bool {
    factor.to_bits() == 1.0f64.to_bits()
}

/// `round(n / factor)`, halves away from zero; at least one sample, since a clip is never empty.
fn scaled_len(n: usize, factor: f64) -> usize {
    (libm::round(n as f64 / factor) as usize).max(n.min(1))
}

fn scaled(changed: Vec<f64>, before: usize) -> Changed {
    let time_scale = changed.len() as f64 / before.max(1) as f64;
    Changed::new(changed).with("time_scale", time_scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_dsp::{Complex, Fft};

    const TAU: f64 = 2.0 * core::f64::consts::PI;

    fn tone(hz: f64, n: usize) -> Vec<f32> {
        (0..n).map(|i| (0.5 * libm::sin(TAU * hz * i as f64 / 16_000.0)) as f32).collect()
    }

    /// Five harmonics of 200 Hz.
    fn voice(hz: f64, n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| {
                let t = i as f64 / 16_000.0;
                (1..=5)
                    .map(|h| 0.15 / f64::from(h) * libm::sin(TAU * hz * f64::from(h) * t + f64::from(h)))
                    .sum::<f64>() as f32
            })
            .collect()
    }

    /// Frequency of the strongest line of the middle 16384 samples, by a Hann-windowed transform and a parabola
    /// through the logarithms of the peak and its neighbours.
    fn strongest_hz(y: &[f64]) -> f64 {
        const N: usize = 16_384;
        let from = (y.len() - N) / 2;
        let mut data = Complex::zeros(N);
        for (i, v) in y[from..from + N].iter().enumerate() {
            data.re[i] = v * (0.5 - 0.5 * libm::cos(TAU * i as f64 / N as f64));
        }
        Fft::shared(N).forward(&mut data, &mut Complex::default());
        let power = |k: usize| libm::log(data.re[k] * data.re[k] + data.im[k] * data.im[k]);
        let k = (1..N / 2).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap();
        let (a, b, c) = (power(k - 1), power(k), power(k + 1));
        (k as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)) * 16_000.0 / N as f64
    }

    fn steepest(x: &[f64]) -> f64 {
        x.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn speed_moves_a_tone_and_the_length() {
        for (factor, want_hz, want_len) in [(1.1, 484.0, 43_636), (0.9, 396.0, 53_333), (2.0, 880.0, 24_000)] {
            let got = speed(&tone(440.0, 48_000), factor).unwrap();
            assert_eq!(got.samples.len(), want_len, "{factor}");
            let hz = strongest_hz(&got.samples);
            assert!((hz - want_hz).abs() < 0.05, "{factor}: {hz} Hz");
            assert_eq!(got.achieved, [("time_scale".to_owned(), want_len as f64 / 48_000.0)]);
            // Not only the frequency: every sample lies where it should.
            for (m, y) in got.samples.iter().enumerate().skip(500).take(20_000) {
                let want = 0.5 * libm::sin(TAU * want_hz * m as f64 / 16_000.0);
                assert!((y - want).abs() < 1e-4, "{factor}, sample {m}: {y}, expected {want}");
            }
        }
    }

    #[test]
    fn a_file_that_claims_a_higher_rate_is_shorter_and_higher() {
        let got = rate_mismatch(&tone(1_000.0, 48_000), 16_000.0, 16_320.0).unwrap();
        assert_eq!(got.samples.len(), 47_059);
        assert!((strongest_hz(&got.samples) - 1_020.0).abs() < 0.05, "{}", strongest_hz(&got.samples));
        let got = rate_mismatch(&tone(1_000.0, 16_000), 48_000.0, 44_100.0).unwrap();
        assert_eq!(got.samples.len(), 17_415);
        assert!((strongest_hz(&got.samples) - 918.75).abs() < 0.05, "{}", strongest_hz(&got.samples));
    }

    #[test]
    fn tempo_keeps_the_pitch_and_does_not_click() {
        for factor in [0.5, 0.8, 0.9, 1.1, 1.37, 2.0, 4.0] {
            let n = if factor > 1.5 { 96_000 } else { 48_000 };
            for f0 in [90.0, 200.0, 313.0] {
                let x = voice(f0, n);
                let got = tempo(&x, factor).unwrap();
                assert_eq!(got.samples.len(), libm::round(n as f64 / factor) as usize, "{factor}");
                let hz = strongest_hz(&got.samples);
                assert!((hz - f0).abs() < 0.01 * f0, "{factor}: {hz} Hz, expected {f0}");
                // The start has no frame before it; everywhere else the slope is that of the input.
                let bound = 1.02 * steepest(&widen(&x));
                assert!(steepest(&got.samples) <= bound, "{factor}, {f0} Hz: {}", steepest(&got.samples) / bound);
                // The level is kept: frames add in phase.
                let power = |v: &[f64]| v.iter().map(|a| a * a).sum::<f64>() / v.len() as f64;
                let change_db = 10.0 * libm::log10(power(&got.samples) / power(&widen(&x)));
                assert!(change_db.abs() < 0.3, "{factor}, {f0} Hz: {change_db} dB");
            }
        }
    }

    #[test]
    fn tempo_moves_events_to_their_new_time_and_pitch_does_not() {
        // Bursts of 100 ms every second.
        let x: Vec<f32> =
            voice(150.0, 80_000).iter().enumerate().map(|(i, v)| if i % 16_000 < 1_600 { *v } else { 0.0 }).collect();
        let changed = [
            (0.8, tempo(&x, 0.8).unwrap().samples),
            (1.25, tempo(&x, 1.25).unwrap().samples),
            // Another pitch leaves everything in its place.
            (1.0, pitch(&x, 4.0).unwrap().samples),
            (1.0, pitch(&x, -4.0).unwrap().samples),
        ];
        for (factor, y) in changed {
            for second in 1..5 {
                let centre = (f64::from(second) + 0.05) * 16_000.0 / factor;
                // Centre of gravity of the energy within half a second around it.
                let (from, to) = ((centre - 6_000.0) as usize, (centre + 6_000.0) as usize);
                let (mut mass, mut moment) = (0.0, 0.0);
                for (i, v) in y.iter().enumerate().take(to).skip(from) {
                    mass += v * v;
                    moment += i as f64 * v * v;
                }
                assert!((moment / mass - centre).abs() < 320.0, "{factor}, {second} s: {}", moment / mass - centre);
            }
        }
    }

    #[test]
    fn pitch_moves_the_tone_and_keeps_the_length() {
        for semitones in [-12.0, -4.0, -0.5, 0.5, 3.0, 7.0, 12.0] {
            let got = pitch(&voice(200.0, 48_000), semitones).unwrap();
            let ratio = libm::pow(2.0, semitones / 12.0);
            assert_eq!(got.samples.len(), 48_000);
            assert_eq!(got.achieved, [("time_scale".to_owned(), 1.0), ("pitch_ratio".to_owned(), ratio)]);
            let hz = strongest_hz(&got.samples);
            assert!((hz - 200.0 * ratio).abs() < 0.01 * 200.0 * ratio, "{semitones}: {hz} Hz");
        }
    }

    #[test]
    fn no_change_is_the_identity() {
        let x = voice(120.0, 3_000);
        for got in [speed(&x, 1.0), tempo(&x, 1.0), rate_mismatch(&x, 22_050.0, 22_050.0)] {
            let got = got.unwrap();
            assert_eq!((got.samples, got.achieved), (widen(&x), vec![("time_scale".to_owned(), 1.0)]));
        }
        assert_eq!(pitch(&x, 0.0).unwrap().samples, widen(&x));
    }

    #[test]
    fn a_clip_never_becomes_empty() {
        for n in [1, 2, 3] {
            assert_eq!(speed(&vec![0.1; n], 4.0).unwrap().samples.len(), (n as f64 / 4.0).round().max(1.0) as usize);
            assert_eq!(tempo(&vec![0.1; n], 4.0).unwrap().samples.len(), (n as f64 / 4.0).round().max(1.0) as usize);
        }
    }
}
