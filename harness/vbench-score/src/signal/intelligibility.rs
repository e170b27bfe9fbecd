//! Short-time objective intelligibility, plain (STOI) and extended (ESTOI).
//!
//! Taal, Hendriks, Heusdens and Jensen 2011; Jensen and Taal 2016; framing and resampling as in pystoi 0.4.1. Both need
//! the same third-octave envelopes, which cost most, so they are computed together.

use std::borrow::Cow;

use vbench_dsp::{FRAME_LANES, FrameLanes, Polyphase, frame_powers, resample};

use super::{Pair, Reading, Undefined};

/// Rate of the computation, Hz.
const RATE_HZ: u32 = 10_000;
/// Frame length and hop in samples at that rate: 25.6 and 12.8 ms.
const FRAME: usize = 256;
const HOP: usize = 128;
const TRANSFORM: usize = 512;
/// Third-octave bands, the lowest around 150 Hz, and lanes that hold them; the spare lane stays zero.
const BANDS: usize = 15;
const LANES: usize = 16;
const LOWEST_HZ: f64 = 150.0;
/// Frames of a segment, 384 ms.
const SEGMENT: usize = 30;
/// Frames this far below the loudest one are dropped: 40 dB as a ratio of amplitudes.
const DYNAMIC_RANGE: f64 = 100.0;
/// Keeps norms of empty bands from dividing by zero; pystoi's constant.
const EPS: f64 = f64::EPSILON;
/// Mean power below which a signal is silent: -200 dB, where `EPS` would begin to show.
const SILENCE: f64 = 1e-20;
/// Lower rates have nothing in the upper bands.
const LOWEST_RATE_HZ: u32 = 8_000;

type Envelope = [f64; LANES];

/// STOI, about 0 to 1, higher is more intelligible (negative values are possible).
///
/// # Errors
///
/// A silent signal, a rate below 8 kHz, or fewer than 30 frames of 12.8 ms within 40 dB of the loudest one.
pub fn stoi(pair: &Pair<'_>) -> Reading {
    Ok(stoi_of(&envelopes(pair)?))
}

/// ESTOI, about 0 to 1, higher is more intelligible; unlike STOI it responds to fluctuating maskers.
///
/// # Errors
///
/// As [`stoi`].
pub fn estoi(pair: &Pair<'_>) -> Reading {
    Ok(estoi_of(&envelopes(pair)?))
}

/// Both for little more than the price of one.
pub(super) fn both(pair: &Pair<'_>) -> (Reading, Reading) {
    match envelopes(pair) {
        Ok(bands) => (Ok(stoi_of(&bands)), Ok(estoi_of(&bands))),
        Err(reason) => (Err(reason), Err(reason)),
    }
}

/// Third-octave envelopes of the reference and the degraded signal, a row a frame.
struct Envelopes {
    x: Vec<Envelope>,
    y: Vec<Envelope>,
}

fn envelopes(pair: &Pair<'_>) -> Result<Envelopes, Undefined> {
    let faint = SILENCE * pair.len() as f64;
    if pair.reference_energy <= faint {
        return Err(Undefined::SilentReference);
    }
    if pair.degraded_energy <= faint {
        return Err(Undefined::SilentDegraded);
    }
    if pair.rate_hz < LOWEST_RATE_HZ {
        return Err(Undefined::RateTooLow { rate_hz: pair.rate_hz, needed_hz: LOWEST_RATE_HZ });
    }
    let (x, y) = at_10_khz(pair);
    let (x, y) = without_silence(&x, &y);
    let frames = (x.len() / HOP).saturating_sub(FRAME / HOP);
    if frames < SEGMENT {
        return Err(Undefined::TooLittleSpeech { frames });
    }
    let window = hann();
    let edges = band_edges();
    let bins = edges[BANDS - 1].1;
    let mut bands = Envelopes { x: Vec::with_capacity(frames), y: Vec::with_capacity(frames) };
    frame_powers((&x, &y), (&window, HOP, frames), (TRANSFORM, bins), |px, py, count| {
        bands.x.extend_from_slice(&band_norms(px, &edges)[..count]);
        bands.y.extend_from_slice(&band_norms(py, &edges)[..count]);
    });
    Ok(bands)
}

/// Envelopes of a few frames at once.
fn band_norms(power: &[FrameLanes], edges: &[(usize, usize); BANDS]) -> [Envelope; FRAME_LANES] {
    let mut out = [[0.0; LANES]; FRAME_LANES];
    for (band, (low, high)) in edges.iter().enumerate() {
        let mut sums = [0.0; FRAME_LANES];
        for row in &power[*low..*high] {
            for (sum, p) in sums.iter_mut().zip(row) {
                *sum += p;
            }
        }
        for (envelope, sum) in out.iter_mut().zip(sums) {
            envelope[band] = libm::sqrt(sum);
        }
    }
    out
}

/// Both signals at 10 kHz by Octave's filter; rates without a small ratio by the general resampler.
fn at_10_khz<'a>(pair: &Pair<'a>) -> (Cow<'a, [f64]>, Cow<'a, [f64]>) {
    if pair.rate_hz == RATE_HZ {
        return (Cow::Borrowed(pair.reference), Cow::Borrowed(pair.degraded));
    }
    if let Some(plan) = Polyphase::octave(pair.rate_hz, RATE_HZ) {
        return (Cow::Owned(plan.run(pair.reference)), Cow::Owned(plan.run(pair.degraded)));
    }
    let general = |s: &[f64]| {
        let single: Vec<f32> = s.iter().map(|v| *v as f32).collect();
        resample(&single, pair.rate_hz, RATE_HZ).into_iter().map(f64::from).collect()
    };
    (Cow::Owned(general(pair.reference)), Cow::Owned(general(pair.degraded)))
}

/// Hann window of 258 points less its two zeros.
fn hann() -> [f64; FRAME] {
    let step = 2.0 * core::f64::consts::PI / (FRAME + 1) as f64;
    core::array::from_fn(|n| 0.5 - 0.5 * libm::cos(step * (n + 1) as f64))
}

/// Drops frames in which the reference is 40 dB below its loudest frame from both signals, and joins what is left by
/// overlap-add.
fn without_silence(x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let window = hann();
    let frames = x.len().saturating_sub(FRAME).div_ceil(HOP);
    let norms: Vec<f64> = (0..frames)
        .map(|frame| {
            let part = &x[frame * HOP..frame * HOP + FRAME];
            EPS + libm::sqrt(part.iter().zip(&window).map(|(s, w)| (s * w) * (s * w)).sum())
        })
        .collect();
    let threshold = norms.iter().fold(0.0f64, |m, v| m.max(*v)) / DYNAMIC_RANGE;
    let kept: Vec<usize> = (0..frames).filter(|frame| norms[*frame] > threshold).collect();
    let join = |signal: &[f64]| {
        let mut out = vec![0.0; if kept.is_empty() { 0 } else { (kept.len() - 1) * HOP + FRAME }];
        for (place, frame) in kept.iter().enumerate() {
            let part = &signal[frame * HOP..frame * HOP + FRAME];
            for ((o, s), w) in out[place * HOP..].iter_mut().zip(part).zip(&window) {
                *o += s * w;
            }
        }
        out
    };
    (join(x), join(y))
}

/// First bin and the bin after the last of every band: the bins nearest to the third-octave edges.
fn band_edges() -> [(usize, usize); BANDS] {
    let nearest = |sixths: f64| {
        let hz = LOWEST_HZ * libm::exp2(sixths / 6.0);
        libm::round(hz * TRANSFORM as f64 / f64::from(RATE_HZ)) as usize
    };
    core::array::from_fn(|band| (nearest(2.0 * band as f64 - 1.0), nearest(2.0 * band as f64 + 1.0)))
}

/// `add` over the frames of a segment, in every band at once.
fn over_frames(x: &[Envelope], y: &[Envelope], add: impl Fn(usize, f64, f64) -> f64) -> Envelope {
    let mut sum = [0.0; LANES];
    for (x, y) in x.iter().zip(y) {
        for band in 0..LANES {
            sum[band] += add(band, x[band], y[band]);
        }
    }
    sum
}

/// Mean correlation of the envelopes of each band and segment, with the degraded one scaled and limited.
fn stoi_of(bands: &Envelopes) -> f64 {
    // Degraded envelopes are limited to a signal-to-distortion ratio of -15 dB.
    let limit = 1.0 + libm::pow(10.0, 15.0 / 20.0);
    let n = SEGMENT as f64;
    let mut total = [0.0; LANES];
    let mut limited = [[0.0; LANES]; SEGMENT];
    for (x, y) in bands.x.windows(SEGMENT).zip(bands.y.windows(SEGMENT)) {
        let xx = over_frames(x, y, |_, x, _| x * x);
        let yy = over_frames(x, y, |_, _, y| y * y);
        let scale: Envelope = core::array::from_fn(|b| libm::sqrt(xx[b]) / (libm::sqrt(yy[b]) + EPS));
        for ((slot, x), y) in limited.iter_mut().zip(x).zip(y) {
            for band in 0..LANES {
                let (scaled, most) = (y[band] * scale[band], x[band] * limit);
                slot[band] = if scaled < most { scaled } else { most };
            }
        }
        let mean_x = over_frames(x, &limited, |_, x, _| x).map(|s| s / n);
        let mean_y = over_frames(x, &limited, |_, _, y| y).map(|s| s / n);
        let xy = over_frames(x, &limited, |b, x, y| (x - mean_x[b]) * (y - mean_y[b]));
        let xx = over_frames(x, &limited, |b, x, _| (x - mean_x[b]) * (x - mean_x[b]));
        let yy = over_frames(x, &limited, |b, _, y| (y - mean_y[b]) * (y - mean_y[b]));
        for band in 0..LANES {
            total[band] += xy[band] / ((libm::sqrt(xx[band]) + EPS) * (libm::sqrt(yy[band]) + EPS));
        }
    }
    let segments = bands.x.len() + 1 - SEGMENT;
    total[..BANDS].iter().sum::<f64>() / (BANDS * segments) as f64
}

/// Mean over segments and frames of the correlation between spectra whose bands were normalised over time first.
fn estoi_of(bands: &Envelopes) -> f64 {
    let mut total = 0.0;
    let (mut rows_x, mut rows_y) = ([[0.0; LANES]; SEGMENT], [[0.0; LANES]; SEGMENT]);
    for (x, y) in bands.x.windows(SEGMENT).zip(bands.y.windows(SEGMENT)) {
        normalised_rows(x, &mut rows_x);
        normalised_rows(y, &mut rows_y);
        total += rows_x.iter().zip(&rows_y).map(|(x, y)| spectrum_correlation(x, y)).sum::<f64>();
    }
    let segments = bands.x.len() + 1 - SEGMENT;
    total / (SEGMENT * segments) as f64
}

/// Every band less its mean over the segment, divided by its norm; a constant band becomes zero.
fn normalised_rows(bands: &[Envelope], out: &mut [Envelope; SEGMENT]) {
    let mean = over_frames(bands, bands, |_, v, _| v).map(|s| s / SEGMENT as f64);
    let energy = over_frames(bands, bands, |_, v, _| v * v);
    let spread = over_frames(bands, bands, |b, v, _| (v - mean[b]) * (v - mean[b]));
    // Below this share a spread is rounding.
    let scale: Envelope =
        core::array::from_fn(|b| if spread[b] > 1e-28 * energy[b] { 1.0 / libm::sqrt(spread[b]) } else { 0.0 });
    for (slot, row) in out.iter_mut().zip(bands) {
        for band in 0..LANES {
            slot[band] = (row[band] - mean[band]) * scale[band];
        }
    }
}

/// Correlation over the bands of one frame; zero where either is constant.
fn spectrum_correlation(x: &Envelope, y: &Envelope) -> f64 {
    let mean = |v: &Envelope| v[..BANDS].iter().sum::<f64>() / BANDS as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x[..BANDS].iter().zip(&y[..BANDS]) {
        let (x, y) = (x - mean_x, y - mean_y);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    if xx > 0.0 && yy > 0.0 { xy / (libm::sqrt(xx) * libm::sqrt(yy)) } else { 0.0 }
}
