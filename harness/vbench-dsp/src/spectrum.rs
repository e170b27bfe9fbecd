//! Power spectra of two real signals at the price of one complex transform.

use core::array::from_fn;

use crate::fft::{Complex, Fft};

/// Frames that are transformed together.
pub const FRAME_LANES: usize = 4;

/// One value of each of the frames that are transformed together.
pub type FrameLanes = [f64; FRAME_LANES];

/// Calls `each` with `|X[k]|^2` and `|Y[k]|^2` of the windowed frames of two real signals, a bin a row, up to
/// [`FRAME_LANES`] frames at a time, and with how many of these there are; further lanes hold zeros.
///
/// Frame `i` starts at `i * hop`, is multiplied by `window` and followed by zeros up to `transform` points (a power of
/// two, at least the window's length). `bins` is at most `transform / 2 + 1`. `x` and `y` have one length and reach to
/// the end of the last of `frames` frames.
pub fn frame_powers(
    (x, y): (&[f64], &[f64]),
    (window, hop, frames): (&[f64], usize, usize),
    (transform, bins): (usize, usize),
    mut each: impl FnMut(&[FrameLanes], &[FrameLanes], usize),
) {
    let fft = Fft::shared(transform);
    let (mut data, mut scratch) = (Complex::zeros(transform * FRAME_LANES), Complex::zeros(transform * FRAME_LANES));
    let (mut px, mut py) = (vec![[0.0; FRAME_LANES]; bins], vec![[0.0; FRAME_LANES]; bins]);
    for first in (0..frames).step_by(FRAME_LANES) {
        let count = (frames - first).min(FRAME_LANES);
        load(&mut data.re, x, (window, hop), first, count);
        load(&mut data.im, y, (window, hop), first, count);
        fft.forward_interleaved(&mut data, &mut scratch, FRAME_LANES);
        let (re, im) = (data.re.as_chunks::<FRAME_LANES>().0, data.im.as_chunks::<FRAME_LANES>().0);
        for (k, (px, py)) in px.iter_mut().zip(&mut py).enumerate() {
            // The mirrored bin; 0 is its own mirror.
            let m = (transform - k) % transform;
            let (a, b, c, d) = (&re[k], &im[k], &re[m], &im[m]);
            let power = |u: f64, v: f64| 0.25 * (u * u + v * v);
            *px = from_fn(|l| power(a[l] + c[l], b[l] - d[l]));
            *py = from_fn(|l| power(b[l] + d[l], a[l] - c[l]));
        }
        each(&px, &py, count);
    }
}

/// Fills `slot` with windowed frames, value `n` of frame `first + lane` at `n * FRAME_LANES + lane`.
fn load(slot: &mut [f64], signal: &[f64], (window, hop): (&[f64], usize), first: usize, count: usize) {
    let rows = slot.as_chunks_mut::<FRAME_LANES>().0;
    let frame = |lane: usize| {
        let start = (first + lane.min(count - 1)) * hop;
        &signal[start..start + window.len()]
    };
    let [a, b, c, d]: [&[f64]; FRAME_LANES] = from_fn(frame);
    let used: FrameLanes = from_fn(|lane| if lane < count { 1.0 } else { 0.0 });
    for (n, (row, w)) in rows.iter_mut().zip(window).enumerate() {
        *row = [a[n] * w * used[0], b[n] * w * used[1], c[n] * w * used[2], d[n] * w * used[3]];
    }
    rows[window.len()..].fill([0.0; FRAME_LANES]);
}

/// The periodic Hann window, `0.5 - 0.5 cos(2 pi n / len)`.
#[must_use]
pub fn hann_periodic(len: usize) -> Vec<f64> {
    let step = 2.0 * core::f64::consts::PI / len as f64;
    (0..len).map(|n| 0.5 - 0.5 * libm::cos(step * n as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_equal_the_defining_sum() {
        let x: Vec<f64> = (0..150).map(|i| libm::sin(0.3 * f64::from(i))).collect();
        let y: Vec<f64> = (0..150).map(|i| 3.0 * libm::cos(1.1 * f64::from(i) * f64::from(i))).collect();
        let (window, hop) = (hann_periodic(50), 20);
        let power = |signal: &[f64], k: usize| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, (s, w)) in signal.iter().zip(&window).enumerate() {
                let angle = 2.0 * core::f64::consts::PI * (k * n % 64) as f64 / 64.0;
                re += s * w * libm::cos(angle);
                im += s * w * libm::sin(angle);
            }
            re * re + im * im
        };
        for frames in [0, 1, 4, 6] {
            let mut seen = 0;
            frame_powers((&x, &y), (&window, hop, frames), (64, 33), |px, py, count| {
                for lane in 0..FRAME_LANES {
                    let start = (seen + lane) * hop;
                    for k in 0..33 {
                        let want = |s: &[f64]| if lane < count { power(&s[start..], k) } else { 0.0 };
                        assert!((px[k][lane] - want(&x)).abs() < 1e-10, "frame {} bin {k}", seen + lane);
                        assert!((py[k][lane] - want(&y)).abs() < 1e-10, "frame {} bin {k}", seen + lane);
                    }
                }
                seen += count;
            });
            assert_eq!(seen, frames);
        }
    }
}
