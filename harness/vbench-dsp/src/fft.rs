//! A small deterministic FFT and overlap-save convolution in double precision.
//!
//! Plain scalar code with twiddles from the `libm` crate: the same bytes on every x86-64 machine, unlike an FFT that
//! picks its kernels by the CPU at run time.

use std::sync::OnceLock;

/// A complex FFT of a power-of-two length: Stockham autosort, radix 4 with one radix-2 pass where needed.
#[derive(Debug)]
pub struct Fft {
    len: usize,
    /// `exp(-2 pi i k / len)` for `k` in `0..len`.
    twiddle_re: Vec<f64>,
    twiddle_im: Vec<f64>,
}

/// Split real and imaginary parts.
#[derive(Debug, Default, Clone)]
pub struct Complex {
    /// Real parts.
    pub re: Vec<f64>,
    /// Imaginary parts.
    pub im: Vec<f64>,
}

impl Complex {
    /// All zero.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self { re: vec![0.0; len], im: vec![0.0; len] }
    }
}

impl Fft {
    /// Plans a transform; `len` must be a power of two.
    #[must_use]
    pub fn new(len: usize) -> Self {
        debug_assert!(len.is_power_of_two());
        let step = -2.0 * core::f64::consts::PI / len as f64;
        let twiddle_re = (0..len).map(|k| libm::cos(step * k as f64)).collect();
        let twiddle_im = (0..len).map(|k| libm::sin(step * k as f64)).collect();
        Self { len, twiddle_re, twiddle_im }
    }

    /// The plan for `len`, kept for the life of the process: twiddles cost more than a transform.
    #[must_use]
    pub fn shared(len: usize) -> &'static Self {
        static PLANS: [OnceLock<Fft>; usize::BITS as usize] = [const { OnceLock::new() }; usize::BITS as usize];
        PLANS[len.trailing_zeros() as usize].get_or_init(|| Self::new(len))
    }

    /// Length of the transform.
    fn len(&self) -> usize {
        self.len
    }

    /// Forward transform in place; `scratch` is resized to fit.
    pub fn forward(&self, data: &mut Complex, scratch: &mut Complex) {
        scratch.re.resize(self.len, 0.0);
        scratch.im.resize(self.len, 0.0);
        let (mut remaining, mut stride) = (self.len, 1);
        while remaining > 1 {
            if remaining == 2 {
                pass2(data, scratch, stride);
                remaining = 1;
                stride *= 2;
            } else {
                self.pass4(data, scratch, remaining, stride);
                remaining /= 4;
                stride *= 4;
            }
            core::mem::swap(data, scratch);
        }
    }

    /// Inverse transform in place, without the factor 1 / len.
    pub fn inverse_unscaled(&self, data: &mut Complex, scratch: &mut Complex) {
        core::mem::swap(&mut data.re, &mut data.im);
        self.forward(data, scratch);
        core::mem::swap(&mut data.re, &mut data.im);
    }

    fn pass4(&self, x: &Complex, y: &mut Complex, n: usize, s: usize) {
        let quarter = n / 4;
        for p in 0..quarter {
            let w = |k: usize| (self.twiddle_re[k * p * s], self.twiddle_im[k * p * s]);
            let (w1, w2, w3) = (w(1), w(2), w(3));
            let part = |k: usize| s * (p + k * quarter)..s * (p + k * quarter) + s;
            let (ar, ai) = (&x.re[part(0)], &x.im[part(0)]);
            let (br, bi) = (&x.re[part(1)], &x.im[part(1)]);
            let (cr, ci) = (&x.re[part(2)], &x.im[part(2)]);
            let (dr, di) = (&x.re[part(3)], &x.im[part(3)]);
            let out = 4 * p * s..4 * (p + 1) * s;
            let (y0r, rest) = y.re[out.clone()].split_at_mut(s);
            let (y1r, rest) = rest.split_at_mut(s);
            let (y2r, y3r) = rest.split_at_mut(s);
            let (y0i, rest) = y.im[out].split_at_mut(s);
            let (y1i, rest) = rest.split_at_mut(s);
            let (y2i, y3i) = rest.split_at_mut(s);
            for q in 0..s {
                let (apc_r, apc_i) = (ar[q] + cr[q], ai[q] + ci[q]);
                let (amc_r, amc_i) = (ar[q] - cr[q], ai[q] - ci[q]);
                let (bpd_r, bpd_i) = (br[q] + dr[q], bi[q] + di[q]);
                // i (b - d)
                let (jr, ji) = (di[q] - bi[q], br[q] - dr[q]);
                y0r[q] = apc_r + bpd_r;
                y0i[q] = apc_i + bpd_i;
                let (r, i) = (amc_r - jr, amc_i - ji);
                y1r[q] = w1.0 * r - w1.1 * i;
                y1i[q] = w1.0 * i + w1.1 * r;
                let (r, i) = (apc_r - bpd_r, apc_i - bpd_i);
                y2r[q] = w2.0 * r - w2.1 * i;
                y2i[q] = w2.0 * i + w2.1 * r;
                let (r, i) = (amc_r + jr, amc_i + ji);
                y3r[q] = w3.0 * r - w3.1 * i;
                y3i[q] = w3.0 * i + w3.1 * r;
            }
        }
    }
}

fn pass2(x: &Complex, y: &mut Complex, s: usize) {
    for q in 0..s {
        y.re[q] = x.re[q] + x.re[q + s];
        y.im[q] = x.im[q] + x.im[q + s];
        y.re[q + s] = x.re[q] - x.re[q + s];
        y.im[q + s] = x.im[q] - x.im[q + s];
    }
}

/// Convolution with one fixed real filter by overlap-save; two real blocks share one complex transform.
#[derive(Debug)]
pub struct Convolver {
    fft: &'static Fft,
    response: Complex,
    taps: usize,
}

impl Convolver {
    /// Plans the convolution with `filter` (at least one tap).
    #[must_use]
    pub fn new(filter: &[f64]) -> Self {
        let taps = filter.len().max(1);
        // Twice the filter's length and at least 4096 keeps most of each block useful at a size that stays in cache.
        let len = (2 * taps).next_power_of_two().max(4096);
        let fft = Fft::shared(len);
        let mut response = Complex::zeros(len);
        let scale = 1.0 / len as f64;
        for (slot, h) in response.re.iter_mut().zip(filter) {
            *slot = h * scale;
        }
        fft.forward(&mut response, &mut Complex::default());
        Self { fft, response, taps }
    }

    /// `y[i] = sum over k of filter[k] * x[i + offset - k]` for `i` in `0..out_len`, with `x` zero outside.
    #[must_use]
    pub fn convolve(&self, x: &[f32], offset: usize, out_len: usize) -> Vec<f64> {
        let (len, overlap) = (self.fft.len(), self.taps - 1);
        let block = len - overlap;
        let mut y = vec![0.0; out_len];
        let (mut data, mut scratch) = (Complex::zeros(len), Complex::default());
        let mut start = 0;
        while start < out_len {
            load(&mut data.re, x, (start + offset) as isize - overlap as isize);
            load(&mut data.im, x, (start + block + offset) as isize - overlap as isize);
            self.fft.forward(&mut data, &mut scratch);
            for k in 0..len {
                let (hr, hi) = (self.response.re[k], self.response.im[k]);
                let (r, i) = (data.re[k], data.im[k]);
                data.re[k] = r * hr - i * hi;
                data.im[k] = r * hi + i * hr;
            }
            self.fft.inverse_unscaled(&mut data, &mut scratch);
            for (part, from) in [(&data.re, start), (&data.im, start + block)] {
                let from = from.min(out_len);
                let to = (from + block).min(out_len);
                y[from..to].copy_from_slice(&part[overlap..overlap + to - from]);
            }
            start += 2 * block;
        }
        y
    }
}

/// Fills `slot` with `x[from..]`, zero where `x` has no sample.
fn load(slot: &mut [f64], x: &[f32], from: isize) {
    slot.fill(0.0);
    let first = from.max(0);
    let last = (from + slot.len() as isize).min(x.len() as isize);
    if first < last {
        let target = (first - from) as usize;
        for (s, v) in slot[target..].iter_mut().zip(&x[first as usize..last as usize]) {
            *s = f64::from(*v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(n: usize) -> Vec<f64> {
        (0..n).map(|i| libm::sin(0.37 * i as f64) + 0.3 * libm::cos(1.9 * i as f64 * i as f64)).collect()
    }

    #[test]
    fn fft_equals_the_defining_sum() {
        for len in [1, 2, 4, 8, 32, 64, 512] {
            let (a, b) = (signal(len), signal(2 * len));
            let mut data = Complex { re: a.clone(), im: b[len..].to_vec() };
            let input = data.clone();
            let fft = Fft::new(len);
            fft.forward(&mut data, &mut Complex::default());
            for k in 0..len {
                let (mut re, mut im) = (0.0, 0.0);
                for n in 0..len {
                    let angle = -2.0 * core::f64::consts::PI * ((k * n) % len) as f64 / len as f64;
                    let (c, s) = (libm::cos(angle), libm::sin(angle));
                    re += input.re[n] * c - input.im[n] * s;
                    im += input.re[n] * s + input.im[n] * c;
                }
                assert!((re - data.re[k]).abs() < 1e-9 && (im - data.im[k]).abs() < 1e-9, "len {len} bin {k}");
            }
            fft.inverse_unscaled(&mut data, &mut Complex::default());
            for (x, y) in input.re.iter().zip(&data.re) {
                assert!((x - y / len as f64).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn convolver_equals_direct_convolution() {
        for (taps, n, offset) in [(1, 10, 0), (5, 3, 2), (257, 10_000, 128), (3000, 20_001, 0)] {
            let h = signal(taps);
            let x: Vec<f32> = signal(n).iter().map(|v| *v as f32).collect();
            let y = Convolver::new(&h).convolve(&x, offset, n);
            for i in (0..n).step_by(n / 40 + 1) {
                let direct: f64 = (0..taps)
                    .filter_map(|k| (i + offset).checked_sub(k).and_then(|j| x.get(j)).map(|v| h[k] * f64::from(*v)))
                    .sum();
                assert!((direct - y[i]).abs() < 1e-8, "taps {taps} at {i}: {direct} and {}", y[i]);
            }
        }
    }
}
