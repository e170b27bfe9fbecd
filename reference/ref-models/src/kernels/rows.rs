//! Row operations: sums, softmax, layer normalisation, GELU.

use super::lanes::{Lanes, dispatch, exp, gelu_lanes};

/// Widest register, for buffers on the stack.
const WIDEST: usize = 16;

/// Adds the lanes in a fixed order.
#[inline(always)]
unsafe fn sum_lanes<V: Lanes>(v: V) -> f32 {
    let mut buf = [0.0f32; WIDEST];
    unsafe { v.store(buf.as_mut_ptr()) };
    let mut n = V::N;
    while n > 1 {
        n /= 2;
        for i in 0..n {
            buf[i] += buf[i + n];
        }
    }
    buf[0]
}

#[inline(always)]
unsafe fn max_lanes<V: Lanes>(v: V) -> f32 {
    let mut buf = [f32::NEG_INFINITY; WIDEST];
    unsafe { v.store(buf.as_mut_ptr()) };
    buf[..V::N].iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Loads the last, incomplete register of a slice, the rest being `fill`.
#[inline(always)]
unsafe fn load_tail<V: Lanes>(x: &[f32], fill: f32) -> V {
    let mut buf = [fill; WIDEST];
    buf[..x.len()].copy_from_slice(x);
    unsafe { V::load(buf.as_ptr()) }
}

#[inline(always)]
unsafe fn store_tail<V: Lanes>(v: V, out: &mut [f32]) {
    let mut buf = [0.0f32; WIDEST];
    unsafe { v.store(buf.as_mut_ptr()) };
    let n = out.len();
    out.copy_from_slice(&buf[..n]);
}

/// Folds every register of `$x` into `$acc`; the last, incomplete one is filled up with `$fill`. A macro, because a closure
/// would not be compiled with the instructions of the function around it.
macro_rules! fold {
    ($V:ident, $x:expr, fill $fill:expr, |$acc:ident, $v:ident| $body:expr) => {{
        let x: &[f32] = $x;
        let whole = x.len() - x.len() % $V::N;
        let mut i = 0;
        while i < whole {
            let $v = $V::load(x.as_ptr().add(i));
            $acc = $body;
            i += $V::N;
        }
        if whole < x.len() {
            let $v = load_tail::<$V>(&x[whole..], $fill);
            $acc = $body;
        }
    }};
}

/// Replaces every register of `$x`.
macro_rules! map_in_place {
    ($V:ident, $x:expr, |$v:ident| $body:expr) => {{
        let x: &mut [f32] = $x;
        let whole = x.len() - x.len() % $V::N;
        let mut i = 0;
        while i < whole {
            let p = x.as_mut_ptr().add(i);
            let $v = $V::load(p);
            $body.store(p);
            i += $V::N;
        }
        if whole < x.len() {
            let $v = load_tail::<$V>(&x[whole..], 0.0);
            store_tail($body, &mut x[whole..]);
        }
    }};
}

#[inline(always)]
unsafe fn dot_body<V: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let whole = n - n % V::N;
    unsafe {
        let mut acc = V::splat(0.0);
        for i in (0..whole).step_by(V::N) {
            acc = V::load(a.as_ptr().add(i)).fma(V::load(b.as_ptr().add(i)), acc);
        }
        if whole < n {
            acc = load_tail::<V>(&a[whole..], 0.0).fma(load_tail(&b[whole..], 0.0), acc);
        }
        sum_lanes(acc)
    }
}
dispatch! {
    /// Inner product of two slices of the same length (the shorter length counts).
    pub fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body
}

#[inline(always)]
unsafe fn axpy_body<V: Lanes>(scale: f32, x: &[f32], y: &mut [f32]) {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &mut y[..n]);
    let whole = n - n % V::N;
    unsafe {
        let s = V::splat(scale);
        for i in (0..whole).step_by(V::N) {
            let p = y.as_mut_ptr().add(i);
            V::load(x.as_ptr().add(i)).fma(s, V::load(p)).store(p);
        }
        if whole < n {
            let v = load_tail::<V>(&x[whole..], 0.0).fma(s, load_tail(&y[whole..], 0.0));
            store_tail(v, &mut y[whole..]);
        }
    }
}
dispatch! {
    /// `y += scale * x`, over the shorter length.
    pub fn axpy(scale: f32, x: &[f32], y: &mut [f32]) = axpy_body
}

/// `y += x`, over the shorter length.
pub fn add_assign(y: &mut [f32], x: &[f32]) {
    axpy(1.0, x, y);
}

#[inline(always)]
unsafe fn max_body<V: Lanes>(x: &[f32]) -> f32 {
    const LOWEST: f32 = f32::NEG_INFINITY;
    unsafe {
        let mut top = V::splat(LOWEST);
        fold!(V, x, fill LOWEST, |top, v| top.max(v));
        max_lanes(top)
    }
}
dispatch! {
    /// Largest value; minus infinity for an empty slice. NaN gives no defined result.
    pub fn max(x: &[f32]) -> f32 = max_body
}

#[inline(always)]
unsafe fn exp_sum_body<V: Lanes>(x: &[f32], shift: f32) -> f64 {
    // Blocks keep the single precision sums short enough for 1e-7 on a vocabulary of 50 thousand.
    let mut total = 0.0;
    for block in x.chunks(1024) {
        let sum = unsafe {
            let s = V::splat(shift);
            let mut sum = V::splat(0.0);
            fold!(V, block, fill f32::NEG_INFINITY, |sum, v| sum.add(exp(v.sub(s))));
            sum_lanes(sum)
        };
        total += f64::from(sum);
    }
    total
}
dispatch! {
    /// Sum of `exp(x - shift)`. With `shift` the maximum, minus infinity counts as (almost) nothing: 1.6e-38 each.
    pub fn exp_sum(x: &[f32], shift: f32) -> f64 = exp_sum_body
}

#[inline(always)]
unsafe fn softmax_body<V: Lanes>(x: &mut [f32], scale: f32) {
    unsafe {
        let top = max_body::<V>(x);
        let (s, t) = (V::splat(scale), V::splat(-top * scale));
        let mut sum = V::splat(0.0);
        let whole = x.len() - x.len() % V::N;
        for i in (0..whole).step_by(V::N) {
            let p = x.as_mut_ptr().add(i);
            let e = exp(V::load(p).fma(s, t));
            sum = sum.add(e);
            e.store(p);
        }
        let mut total = sum_lanes(sum);
        for v in &mut x[whole..] {
            let e = exp(V::splat(v.mul_add(scale, -top * scale)));
            store_tail(e, std::slice::from_mut(v));
            total += *v;
        }
        let inv = V::splat(1.0 / total);
        map_in_place!(V, x, |v| v.mul(inv));
    }
}
dispatch! {
    /// Softmax of `scale * x` in place, for a positive `scale`. Every element must be finite.
    pub fn softmax(x: &mut [f32], scale: f32) = softmax_body
}

#[inline(always)]
unsafe fn layer_norm_body<V: Lanes>(x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    const EPSILON: f32 = 1e-5;
    let n = out.len();
    let (x, weight, bias) = (&x[..n], &weight[..n], &bias[..n]);
    let whole = n - n % V::N;
    unsafe {
        let mut sum = V::splat(0.0);
        fold!(V, x, fill 0.0, |sum, v| sum.add(v));
        let mean = sum_lanes(sum) / n as f32;
        let m = V::splat(mean);
        let mut squares = V::splat(0.0);
        // The tail is filled with the mean itself, which adds nothing.
        fold!(V, x, fill mean, |squares, v| v.sub(m).fma(v.sub(m), squares));
        let variance = sum_lanes(squares) / n as f32;
        let inv = 1.0 / (variance + EPSILON).sqrt();
        let s = V::splat(inv);
        for i in (0..whole).step_by(V::N) {
            let v = V::load(x.as_ptr().add(i)).sub(m).mul(s);
            v.fma(V::load(weight.as_ptr().add(i)), V::load(bias.as_ptr().add(i))).store(out.as_mut_ptr().add(i));
        }
        for i in whole..n {
            out[i] = (x[i] - mean) * inv * weight[i] + bias[i];
        }
    }
}
dispatch! {
    /// Layer normalisation of one row with epsilon 1e-5 (variance over n). All slices must be at least `out.len()` long.
    pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) = layer_norm_body
}

#[inline(always)]
unsafe fn gelu_body<V: Lanes>(x: &mut [f32]) {
    unsafe { map_in_place!(V, x, |v| gelu_lanes(v)) }
}
dispatch! {
    /// GELU with the error function (not tanh) in place; absolute error under 1e-6.
    pub fn gelu(x: &mut [f32]) = gelu_body
}

#[cfg(test)]
mod tests {
    use super::super::lanes::tests::at_each_level;
    use super::*;

    /// erf in double precision by its Maclaurin series (|x| < 3) or its continued fraction.
    fn erf_f64(x: f64) -> f64 {
        let a = x.abs();
        let value = if a < 3.0 {
            let mut term = a;
            let mut sum = a;
            for n in 1..200 {
                term *= -a * a / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            sum * std::f64::consts::FRAC_2_SQRT_PI
        } else {
            let mut f = 0.0;
            for n in (1..60).rev() {
                f = f64::from(n) / 2.0 / (a + f);
            }
            1.0 - (-a * a).exp() / ((a + f) * std::f64::consts::PI.sqrt())
        };
        value.copysign(x)
    }

    fn gelu_f64(x: f64) -> f64 {
        0.5 * x * (1.0 + erf_f64(x * std::f64::consts::FRAC_1_SQRT_2))
    }

    #[test]
    fn gelu_is_within_a_millionth_everywhere() {
        at_each_level(|level| {
            let xs: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 1000.0).collect();
            let mut y = xs.clone();
            gelu(&mut y);
            let worst = xs
                .iter()
                .zip(&y)
                .map(|(x, y)| (gelu_f64(f64::from(*x)) - f64::from(*y)).abs() / f64::from(x.abs()).max(1.0))
                .fold(0.0, f64::max);
            assert!(worst < 1e-6, "{level:?}: {worst:e}");
        });
    }

    #[test]
    fn softmax_and_exp_sum_follow_the_definition() {
        at_each_level(|level| {
            for n in [1usize, 7, 8, 16, 19, 1500] {
                let x: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.5).collect();
                let scale = 0.125f32;
                let top = f64::from(max(&x));
                assert_eq!(top, f64::from(x.iter().copied().fold(f32::NEG_INFINITY, f32::max)), "{level:?}");
                let exps: Vec<f64> = x.iter().map(|v| ((f64::from(*v) - top) * f64::from(scale)).exp()).collect();
                let total: f64 = exps.iter().sum();
                let mut y = x.clone();
                softmax(&mut y, scale);
                for (got, want) in y.iter().zip(&exps) {
                    assert!((f64::from(*got) / (want / total) - 1.0).abs() < 1e-6, "{level:?} {n}");
                }
                let want: f64 = x.iter().map(|v| (f64::from(*v) - top).exp()).sum();
                assert!((exp_sum(&x, top as f32) / want - 1.0).abs() < 1e-6, "{level:?} {n}");
            }
            let masked = [f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
            assert_eq!(exp_sum(&masked, 0.0), 1.0);
        });
    }

    #[test]
    fn dot_axpy_and_layer_norm_follow_the_definition() {
        at_each_level(|level| {
            for n in [1usize, 5, 16, 33, 384] {
                let x: Vec<f32> = (0..n).map(|i| (i * 29 % 31) as f32 - 15.0).collect();
                let w: Vec<f32> = (0..n).map(|i| (i * 13 % 17) as f32 / 8.0 - 1.0).collect();
                let want: f64 = x.iter().zip(&w).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!((f64::from(dot(&x, &w)) - want).abs() < 1e-3, "{level:?} {n}");
                let mut y = w.clone();
                axpy(0.5, &x, &mut y);
                assert!(y.iter().zip(&x).zip(&w).all(|((y, x), w)| *y == w + 0.5 * x), "{level:?} {n}");
                let mean = x.iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64;
                let variance = x.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n as f64;
                let mut out = vec![0.0; n];
                layer_norm(&x, &w, &x, &mut out);
                for i in 0..n {
                    let want = (f64::from(x[i]) - mean) / (variance + 1e-5).sqrt() * f64::from(w[i]) + f64::from(x[i]);
                    assert!((f64::from(out[i]) - want).abs() < 1e-5, "{level:?} {n}: {} for {want}", out[i]);
                }
            }
        });
    }
}
