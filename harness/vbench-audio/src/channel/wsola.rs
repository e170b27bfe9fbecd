//! Waveform-similarity overlap-add: the tempo changed, the pitch kept.
//!
//! W. Verhelst and M. Roelands, An overlap-add technique based on waveform similarity (WSOLA) for high quality
//! time-scale modification of speech, ICASSP 1993: frames are taken from the input near where the new time axis wants
//! them, each moved by at most 12 ms to where it continues the frame before it best, and added under a window whose
//! shifted copies sum to one.

use core::ops::RangeInclusive;

use vbench_dsp::{Complex, Fft};

/// Half a frame, and the step between frames in the output, samples (16 ms).
const HOP: usize = 256;
const FRAME: usize = 2 * HOP;
/// A frame may be moved this far, samples (12 ms): in all one period of a voice of 42 Hz.
const REACH: usize = 192;
/// What a frame is searched in.
const REGION: usize = FRAME + 2 * REACH;
/// The next power of two above `REGION`, so that the circular correlation has no wrapped lag among those searched.
const TRANSFORM: usize = 1024;
/// A lag must be better by this much to be preferred to one nearer to zero: rounding decides nothing.
const TIE: f64 = 1e-9;

/// Input samples for every output sample: `advance`, above 0. The result has `out_len` samples and starts where the
/// input starts.
pub(crate) fn stretch(x: &[f64], advance: f64, out_len: usize) -> Vec<f64> {
    // Frames are centred on multiples of the step, in the output and (times `advance`) in the input; zeros on both
    // sides hold those that reach beyond.
    let frames = out_len.div_ceil(HOP) + 1;
    let lead = HOP + REACH;
    let furthest = libm::ceil(frames as f64 * HOP as f64 * advance) as usize + REACH + HOP;
    let mut padded = vec![0.0; lead + x.len().max(furthest) + lead + HOP];
    padded[lead..lead + x.len()].copy_from_slice(x);
    let window: Vec<f64> =
        (0..FRAME).map(|i| 0.5 - 0.5 * libm::cos(2.0 * core::f64::consts::PI * i as f64 / FRAME as f64)).collect();
    let mut search = Search::new();
    let mut y = vec![0.0; frames * HOP + HOP];
    // Start of the frame that would continue the last one exactly.
    let mut natural = None;
    for j in 0..frames {
        // In `padded`, a frame around input position `p` starts at `lead + p - HOP`.
        let wanted = lead - HOP + libm::round(j as f64 * HOP as f64 * advance) as usize;
        let start = match natural {
            None => wanted,
            Some(natural) => {
                // What is heard of a frame lies inside the input: its ends would be clicks.
                let heard = FRAME.min(out_len - (j - 1) * HOP);
                let last = lead + x.len().saturating_sub(heard);
                let wanted = wanted.clamp(lead, last);
                let first = wanted - REACH;
                let lags = lead.saturating_sub(first)..=(last - first).min(2 * REACH);
                let (region, template) = (&padded[first..first + REGION], &padded[natural..natural + FRAME]);
                first + search.best_lag(region, template, lags)
            }
        };
        for ((out, w), v) in y[j * HOP..].iter_mut().zip(&window).zip(&padded[start..start + FRAME]) {
            *out += w * v;
        }
        natural = Some(start + HOP);
    }
    // The first half frame lies before the output's start.
    y.drain(..HOP);
    y.truncate(out_len);
    y
}

/// Normalised cross-correlation by FFT, with its buffers.
struct Search {
    fft: &'static Fft,
    data: Complex,
    scratch: Complex,
    /// Energy of the region before each sample.
    energy: Vec<f64>,
}

impl Search {
    fn new() -> Self {
        let (fft, data) = (Fft::shared(TRANSFORM), Complex::zeros(TRANSFORM));
        Self { fft, data, scratch: Complex::default(), energy: vec![0.0; REGION + 1] }
    }

    /// The start in `region`, one of `lags` (0 to twice the reach), of the frame most like `template`; the middle where
    /// nothing is alike (silence).
    fn best_lag(&mut self, region: &[f64], template: &[f64], lags: RangeInclusive<usize>) -> usize {
        self.correlate(region, template);
        for (i, x) in region.iter().enumerate() {
            self.energy[i + 1] = self.energy[i] + x * x;
        }
        let template_energy: f64 = template.iter().map(|x| x * x).sum();
        // Faint remainders of rounding must not pass for a good likeness.
        let floor = 1e-9 * (template_energy + self.energy[REGION]);
        if floor <= 0.0 {
            return REACH;
        }
        let likeness = |lag: usize| {
            let energy = self.energy[lag + FRAME] - self.energy[lag] + floor;
            self.data.re[lag] / (energy * (template_energy + floor)).sqrt()
        };
        let (mut best, mut best_likeness) = (REACH, likeness(REACH));
        for away in 1..=REACH {
            for lag in [REACH - away, REACH + away] {
                let here = likeness(lag);
                if lags.contains(&lag) && here > best_likeness + TIE {
                    (best, best_likeness) = (lag, here);
                }
            }
        }
        best
    }

    /// Leaves the correlation at each lag in `data.re`, times a constant that all share.
    fn correlate(&mut self, region: &[f64], template: &[f64]) {
        // Two real signals share one transform: Z = R + i T.
        self.data.re.fill(0.0);
        self.data.im.fill(0.0);
        self.data.re[..REGION].copy_from_slice(region);
        self.data.im[..FRAME].copy_from_slice(template);
        self.fft.forward(&mut self.data, &mut self.scratch);
        let (re, im) = (&mut self.data.re, &mut self.data.im);
        for k in 0..=TRANSFORM / 2 {
            let m = (TRANSFORM - k) % TRANSFORM;
            let (zr, zi, mr, mi) = (re[k], im[k], re[m], im[m]);
            // R = (Z(k) + conj Z(-k)) / 2, T = (Z(k) - conj Z(-k)) / 2i.
            let (rr, ri) = (0.5 * (zr + mr), 0.5 * (zi - mi));
            let (tr, ti) = (0.5 * (zi + mi), 0.5 * (mr - zr));
            // R times conj T, and its mirror image.
            let (cr, ci) = (rr * tr + ri * ti, ri * tr - rr * ti);
            (re[k], im[k]) = (cr, ci);
            (re[m], im[m]) = (cr, -ci);
        }
        self.fft.inverse_unscaled(&mut self.data, &mut self.scratch);
        let scale = 1.0 / TRANSFORM as f64;
        for c in &mut self.data.re[..=2 * REACH] {
            *c *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudo_noise(n: usize) -> Vec<f64> {
        let mut state = 1u64;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
            })
            .collect()
    }

    #[test]
    fn the_correlation_is_the_defining_sum() {
        let x = pseudo_noise(2 * REGION);
        let (region, template) = x.split_at(REGION);
        let mut search = Search::new();
        search.correlate(region, &template[..FRAME]);
        for lag in 0..=2 * REACH {
            let direct: f64 = template[..FRAME].iter().zip(&region[lag..]).map(|(a, b)| a * b).sum();
            assert!((direct - search.data.re[lag]).abs() < 1e-9, "lag {lag}: {direct} and {}", search.data.re[lag]);
        }
    }

    #[test]
    fn a_frame_is_found_where_it_is() {
        let x = pseudo_noise(REGION);
        let mut search = Search::new();
        for lag in [0, 1, 100, REACH, 2 * REACH] {
            // Louder elsewhere: the likeness does not depend on level.
            let region: Vec<f64> =
                x.iter().enumerate().map(|(i, v)| if i >= lag + FRAME { 3.0 * v } else { *v }).collect();
            assert_eq!(search.best_lag(&region, &x[lag..lag + FRAME], 0..=2 * REACH), lag);
        }
        assert_ne!(search.best_lag(&x, &x[100..100 + FRAME], 150..=300), 100, "a lag that is not allowed");
        assert_eq!(search.best_lag(&[0.0; REGION], &[0.0; FRAME], 0..=2 * REACH), REACH);
        assert_eq!(search.best_lag(&[0.25; REGION], &[0.25; FRAME], 0..=2 * REACH), REACH);
    }

    #[test]
    fn the_same_tempo_is_nearly_the_same_signal() {
        let x = pseudo_noise(10_000);
        for (a, b) in x.iter().zip(stretch(&x, 1.0, 10_000)) {
            assert!((a - b).abs() < 1e-12, "{a} and {b}");
        }
    }
}
