//! Linear-phase filters, their delay removed: band limits and the responses of microphones.

use vbench_core::Microphone;
use vbench_dsp::{Complex, Convolver, Fft, bessel_i0};

use super::{Changed, within};
use crate::RATE_HZ;
use crate::error::DegradeError;

/// Attenuation that the band filter is designed for, dB: 60 with a margin.
const STOP_DB: f64 = 66.0;
/// Width of the transition from pass to stop band, Hz, half of it on either side of the edge.
const TRANSITION_HZ: f64 = 100.0;
/// Where an edge lies so close to 0, 8000 Hz or the other one that the transition must be narrower, no narrower than
/// this: 6,600 taps.
const LEAST_TRANSITION_HZ: f64 = 10.0;
/// Taps of a microphone's filter: responses are resolved to about 30 Hz.
const MICROPHONE_TAPS: usize = 1023;
/// Frequencies at which a microphone's response is sampled.
const GRID: usize = 4096;

/// Band limits by a Kaiser-windowed ideal band pass: half the amplitude (-6 dB) at the edges, at least 60 dB down 50 Hz
/// beyond them, flat within 0.01 dB 50 Hz inside. Edges closer than 100 Hz to each other, or than 50 Hz to 0 or
/// 8000 Hz, have steeper slopes so that this still holds at the edge itself; within 5 Hz of the ends it no longer does.
///
/// An edge at 0 or at 8000 Hz is no limit; both together are the identity.
pub(crate) fn band(samples: &[f32], low_hz: f64, high_hz: f64) -> Result<Changed, DegradeError> {
    within("low_hz", low_hz, 0.0..=7500.0, "0 to 7500 Hz")?;
    within("high_hz", high_hz, 100.0..=8000.0, "100 to 8000 Hz")?;
    within("high_hz", high_hz, low_hz + 50.0..=8000.0, "at least 50 Hz above low_hz")?;
    let nyquist = f64::from(RATE_HZ) / 2.0;
    if low_hz <= 0.0 && high_hz >= nyquist {
        return Ok(Changed::unchanged(samples));
    }
    let low_room = if low_hz > 0.0 { 2.0 * low_hz } else { f64::INFINITY };
    let high_room = if high_hz < nyquist { 2.0 * (nyquist - high_hz) } else { f64::INFINITY };
    let transition_hz = TRANSITION_HZ.min(high_hz - low_hz).min(low_room).min(high_room).max(LEAST_TRANSITION_HZ);
    Ok(Changed::new(filter(samples, &band_pass(low_hz, high_hz, transition_hz))))
}

/// Odd, symmetric filter.
fn band_pass(low_hz: f64, high_hz: f64, transition_hz: f64) -> Vec<f64> {
    let rate = f64::from(RATE_HZ);
    let width = 2.0 * core::f64::consts::PI * transition_hz / rate;
    // Kaiser's formulas for the length and the window.
    let half = libm::ceil((STOP_DB - 7.95) / (2.285 * width) / 2.0);
    let beta = 0.1102 * (STOP_DB - 8.7);
    let (low, high) = (2.0 * low_hz / rate, 2.0 * high_hz / rate);
    // An ideal low pass at `edge` times the Nyquist frequency.
    let ideal = |edge: f64, lag: f64| {
        let angle = core::f64::consts::PI * lag;
        if lag == 0.0 { edge } else { libm::sin(edge * angle) / angle }
    };
    (0..=2 * half as usize)
        .map(|i| {
            let lag = i as f64 - half;
            let share = lag / (half + 1.0);
            let window = bessel_i0(beta * (1.0 - share * share).sqrt()) / bessel_i0(beta);
            // An upper edge at the Nyquist frequency must be the unit impulse exactly.
            let upper = if high >= 1.0 { f64::from(u8::from(lag == 0.0)) } else { ideal(high, lag) };
            window * (upper - ideal(low, lag))
        })
        .collect()
}

/// Magnitude responses as (Hz, dB) points: our own idealisations, no measurement of a product. Between points the gain
/// in dB is linear over the logarithm of the frequency; outside it stays.
fn response(kind: Microphone) -> &'static [(f64, f64)] {
    match kind {
        // In the spirit of the modified intermediate reference system, sending (ITU-T P.830, annex D): a band of 300 to
        // 3400 Hz that rises towards 3 kHz.
        Microphone::Handset => &[
            (50.0, -50.0),
            (100.0, -32.0),
            (200.0, -14.0),
            (300.0, -5.0),
            (500.0, -1.5),
            (1000.0, 0.0),
            (2000.0, 2.5),
            (3000.0, 5.0),
            (3400.0, 2.0),
            (4000.0, -20.0),
            (5000.0, -50.0),
            (8000.0, -60.0),
        ],
        // A capsule in a thin case: no bass, a resonance of the port at 5 kHz.
        Microphone::Laptop => &[
            (50.0, -30.0),
            (100.0, -16.0),
            (200.0, -4.0),
            (400.0, -1.0),
            (1000.0, 0.0),
            (3000.0, 1.5),
            (5000.0, 8.0),
            (6500.0, 1.0),
            (8000.0, -5.0),
        ],
        // A pressure-gradient capsule beside the mouth: proximity effect below 300 Hz, a foam cap above 6 kHz.
        Microphone::Headset => &[
            (40.0, 2.0),
            (80.0, 6.0),
            (150.0, 5.0),
            (300.0, 1.5),
            (600.0, 0.0),
            (4000.0, 0.0),
            (6000.0, -1.5),
            (7000.0, -7.0),
            (8000.0, -14.0),
        ],
        // 12 dB an octave above 1 kHz.
        Microphone::Muffled => &[(1000.0, 0.0), (2000.0, -12.0), (4000.0, -24.0), (8000.0, -36.0)],
    }
}

/// The points of a response at one frequency, dB.
fn response_db(points: &[(f64, f64)], hz: f64) -> f64 {
    let above = points.partition_point(|(f, _)| *f <= hz);
    match (above.checked_sub(1).and_then(|i| points.get(i)), points.get(above)) {
        (Some((f0, d0)), Some((f1, d1))) => d0 + (d1 - d0) * libm::log(hz / f0) / libm::log(f1 / f0),
        (Some((_, only)), None) | (None, Some((_, only))) => *only,
        (None, None) => 0.0,
    }
}

/// The response of a kind of microphone, by frequency sampling under a Hann window.
pub(crate) fn microphone(samples: &[f32], kind: Microphone) -> Changed {
    let points = response(kind);
    let bin_hz = f64::from(RATE_HZ) / GRID as f64;
    let taps = from_magnitude(GRID, MICROPHONE_TAPS, |k| super::amplitude(response_db(points, k as f64 * bin_hz)));
    Changed::new(filter(samples, &taps))
}

/// Linear-phase filter of an odd number of `taps` whose gain at `k / grid` of the rate is `magnitude(k)`, for `k` up to
/// `grid / 2`, smoothed over about two bins of a transform of `taps` points.
pub(crate) fn from_magnitude(grid: usize, taps: usize, magnitude: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut data = Complex::zeros(grid);
    for k in 0..=grid / 2 {
        let gain = magnitude(k) / grid as f64;
        data.re[k] = gain;
        data.re[(grid - k) % grid] = gain;
    }
    Fft::shared(grid).inverse_unscaled(&mut data, &mut Complex::default());
    let half = taps / 2;
    (0..taps)
        .map(|i| {
            let lag = i as f64 - half as f64;
            let window = 0.5 + 0.5 * libm::cos(core::f64::consts::PI * lag / (half + 1) as f64);
            data.re[(i + grid - half) % grid] * window
        })
        .collect()
}

/// Convolution with an odd symmetric filter, its delay removed, of equal length.
fn filter(samples: &[f32], taps: &[f64]) -> Vec<f64> {
    Convolver::new(taps).convolve(samples, taps.len() / 2, samples.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAU: f64 = 2.0 * core::f64::consts::PI;

    fn tone(hz: f64) -> Vec<f32> {
        (0..16_000).map(|i| (0.5 * libm::sin(TAU * hz * f64::from(i) / 16_000.0)) as f32).collect()
    }

    /// Gain of a tone in the middle of the clip, dB, and what is left beside the scaled input, relative to it.
    fn gain_db(change: &dyn Fn(&[f32]) -> Vec<f64>, hz: f64) -> f64 {
        let x = tone(hz);
        let y = change(&x);
        assert_eq!(y.len(), x.len());
        let (mut cross, mut power) = (0.0, 0.0);
        for (a, b) in x.iter().zip(&y).skip(4_000).take(8_000) {
            cross += f64::from(*a) * b;
            power += f64::from(*a) * f64::from(*a);
        }
        // The projection on the input itself: a delay or a phase shift would show as a loss.
        20.0 * libm::log10((cross / power).abs().max(1e-12))
    }

    #[test]
    fn band_edges_pass_and_stop() {
        for (low, high) in [(300.0, 3400.0), (0.0, 4000.0), (80.0, 8000.0), (1000.0, 1100.0), (50.0, 7000.0)] {
            let pass = |x: &[f32]| band(x, low, high).unwrap().samples;
            for (edge, outwards) in [(low, -1.0), (high, 1.0)] {
                if edge <= 0.0 || edge >= 8000.0 {
                    continue;
                }
                let at_edge = gain_db(&pass, edge);
                assert!((at_edge + 6.02).abs() < 0.1, "{low} to {high}: {at_edge} dB at {edge}");
                for far in [50.0, 60.0, 100.0, 500.0] {
                    let hz = edge + outwards * far;
                    if (5.0..7995.0).contains(&hz) {
                        assert!(gain_db(&pass, hz) < -60.0, "{low} to {high}: {} dB at {hz}", gain_db(&pass, hz));
                    }
                    let inside = edge - outwards * far;
                    if inside > low + 49.0 && inside < high - 49.0 {
                        let got = gain_db(&pass, inside);
                        assert!(got.abs() < 0.01, "{low} to {high}: {got} dB at {inside}");
                    }
                }
            }
        }
        let narrow = |x: &[f32]| band(x, 20.0, 8000.0).unwrap().samples;
        assert!((gain_db(&narrow, 20.0) + 6.02).abs() < 0.1, "{}", gain_db(&narrow, 20.0));
        assert!(gain_db(&narrow, 45.0).abs() < 0.01);
        // A constant is removed by every lower edge.
        let flat = band(&[0.5; 16_000], 80.0, 8000.0).unwrap().samples;
        assert!(flat[8_000].abs() < 5e-4, "{}", flat[8_000]);
    }

    #[test]
    fn no_limits_are_the_identity() {
        let x = tone(333.0);
        assert_eq!(band(&x, 0.0, 8000.0).unwrap().samples, super::super::widen(&x));
    }

    #[test]
    fn microphones_follow_their_points() {
        // Independent of the table's interpolation: the values that the table's documentation promises.
        let cases: [(Microphone, &[(f64, f64)]); 4] = [
            (Microphone::Handset, &[(200.0, -14.0), (300.0, -5.0), (1000.0, 0.0), (2000.0, 2.5), (3000.0, 5.0)]),
            (Microphone::Laptop, &[(100.0, -16.0), (200.0, -4.0), (1000.0, 0.0), (5000.0, 8.0), (6500.0, 1.0)]),
            (Microphone::Headset, &[(80.0, 6.0), (150.0, 5.0), (300.0, 1.5), (2000.0, 0.0), (7000.0, -7.0)]),
            (Microphone::Muffled, &[(200.0, 0.0), (700.0, 0.0), (1414.2, -6.0), (2000.0, -12.0), (4000.0, -24.0)]),
        ];
        for (kind, points) in cases {
            for (hz, want) in points {
                let got = gain_db(&|x| microphone(x, kind).samples, *hz);
                assert!((got - want).abs() < 0.5, "{kind:?} at {hz} Hz: {got} dB, expected {want}");
            }
        }
        // The telephone band ends.
        for (hz, most) in [(60.0, -40.0), (4500.0, -30.0), (6000.0, -48.0)] {
            let got = gain_db(&|x| microphone(x, Microphone::Handset).samples, hz);
            assert!(got < most, "handset at {hz} Hz: {got} dB");
        }
        let steep = gain_db(&|x| microphone(x, Microphone::Muffled).samples, 7_000.0);
        assert!((steep + 33.7).abs() < 0.5, "muffled at 7 kHz: {steep} dB");
    }
}
