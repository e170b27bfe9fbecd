//! A small deterministic FFT in double precision.
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

    /// Forward transform in place; `scratch` is resized to fit.
    pub fn forward(&self, data: &mut Complex, scratch: &mut Complex) {
        self.forward_interleaved(data, scratch, 1);
    }

    /// `lanes` transforms at once, value `k` of transform `j` at `k * lanes + j`: the same results bit for bit, faster
    /// where transforms are short, because neighbouring values are always treated alike.
    pub fn forward_interleaved(&self, data: &mut Complex, scratch: &mut Complex, lanes: usize) {
        scratch.re.resize(self.len * lanes, 0.0);
        scratch.im.resize(self.len * lanes, 0.0);
        let (mut remaining, mut stride) = (self.len, 1);
        while remaining > 1 {
            if remaining == 2 {
                pass2(data, scratch, stride * lanes);
                remaining = 1;
                stride *= 2;
            } else {
                self.step(data, scratch, remaining, stride, lanes);
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

    fn step(&self, x: &Complex, y: &mut Complex, n: usize, stride: usize, lanes: usize) {
        #[cfg(target_arch = "x86_64")]
        if (stride * lanes).is_multiple_of(4) && std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { self.pass4_avx2(x, y, n, stride, lanes) };
        }
        self.pass4(x, y, n, stride, lanes);
    }

    fn pass4(&self, x: &Complex, y: &mut Complex, n: usize, stride: usize, lanes: usize) {
        let quarter = n / 4;
        let s = stride * lanes;
        for p in 0..quarter {
            let w = |k: usize| (self.twiddle_re[k * p * stride], self.twiddle_im[k * p * stride]);
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

    /// [`Fft::pass4`] for strides that are multiples of four, four values in a register: the same operations in the same
    /// order, none of them fused, hence the same bits.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn pass4_avx2(&self, x: &Complex, y: &mut Complex, n: usize, stride: usize, lanes: usize) {
        use core::arch::x86_64::{
            __m256d, _mm256_add_pd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_set1_pd, _mm256_storeu_pd, _mm256_sub_pd,
        };
        let (quarter, s) = (n / 4, stride * lanes);
        assert!(s.is_multiple_of(4) && [&x.re, &x.im, &y.re, &y.im].iter().all(|v| v.len() >= s * n));
        let load = |v: &[f64], at: usize| -> __m256d {
            debug_assert!(at + 4 <= v.len());
            // SAFETY: `at` is `s (p + k n / 4) + q` with p < n / 4, k < 4 and q + 4 <= s, so at + 4 <= s n <= v.len().
            unsafe { _mm256_loadu_pd(v.as_ptr().add(at)) }
        };
        let store = |v: &mut [f64], at: usize, value: __m256d| {
            debug_assert!(at + 4 <= v.len());
            // SAFETY: `at` is `s (4 p + k) + q` with the same bounds, so at + 4 <= s n <= v.len().
            unsafe { _mm256_storeu_pd(v.as_mut_ptr().add(at), value) }
        };
        for p in 0..quarter {
            let w = |k: usize| {
                let at = k * p * stride;
                (_mm256_set1_pd(self.twiddle_re[at]), _mm256_set1_pd(self.twiddle_im[at]))
            };
            let turns = [w(1), w(2), w(3)];
            for q in (0..s).step_by(4) {
                let from = |k: usize| s * (p + k * quarter) + q;
                let part = |k: usize| (load(&x.re, from(k)), load(&x.im, from(k)));
                let ((ar, ai), (br, bi), (cr, ci), (dr, di)) = (part(0), part(1), part(2), part(3));
                let (apc_r, apc_i) = (_mm256_add_pd(ar, cr), _mm256_add_pd(ai, ci));
                let (amc_r, amc_i) = (_mm256_sub_pd(ar, cr), _mm256_sub_pd(ai, ci));
                let (bpd_r, bpd_i) = (_mm256_add_pd(br, dr), _mm256_add_pd(bi, di));
                let (jr, ji) = (_mm256_sub_pd(di, bi), _mm256_sub_pd(br, dr));
                let to = |k: usize| s * (4 * p + k) + q;
                store(&mut y.re, to(0), _mm256_add_pd(apc_r, bpd_r));
                store(&mut y.im, to(0), _mm256_add_pd(apc_i, bpd_i));
                let rest = [
                    (_mm256_sub_pd(amc_r, jr), _mm256_sub_pd(amc_i, ji)),
                    (_mm256_sub_pd(apc_r, bpd_r), _mm256_sub_pd(apc_i, bpd_i)),
                    (_mm256_add_pd(amc_r, jr), _mm256_add_pd(amc_i, ji)),
                ];
                for (k, ((r, i), (wr, wi))) in (1..).zip(rest.into_iter().zip(turns)) {
                    store(&mut y.re, to(k), _mm256_sub_pd(_mm256_mul_pd(wr, r), _mm256_mul_pd(wi, i)));
                    store(&mut y.im, to(k), _mm256_add_pd(_mm256_mul_pd(wr, i), _mm256_mul_pd(wi, r)));
                }
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
    fn interleaved_transforms_are_the_single_ones() {
        for (len, lanes) in [(8, 3), (512, 4), (1, 2)] {
            let all = signal(2 * len * lanes);
            let mut together = Complex { re: all[..len * lanes].to_vec(), im: all[len * lanes..].to_vec() };
            let input = together.clone();
            Fft::new(len).forward_interleaved(&mut together, &mut Complex::default(), lanes);
            for lane in 0..lanes {
                let pick = |v: &[f64]| v.iter().skip(lane).step_by(lanes).copied().collect::<Vec<_>>();
                let mut alone = Complex { re: pick(&input.re), im: pick(&input.im) };
                Fft::new(len).forward(&mut alone, &mut Complex::default());
                assert_eq!((pick(&together.re), pick(&together.im)), (alone.re, alone.im), "len {len} lane {lane}");
            }
        }
    }
}
