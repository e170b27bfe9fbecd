//! Short-term prediction: autocorrelation, reflection coefficients as log-area ratios, the lattice filters.

use core::ops::Range;

use super::{FRAME, add, mult, mult_r, norm, saturate};

/// Quantiser of the log-area ratios (table 4.1): slope, offset, least and greatest code, and inverse slope.
const A: [i32; 8] = [20_480, 20_480, 20_480, 20_480, 13_964, 15_360, 8_534, 9_036];
const B: [i32; 8] = [0, 0, 2_048, -2_560, 94, -1_792, -341, -1_144];
const MIN: [i32; 8] = [-32, -32, -16, -16, -8, -8, -4, -4];
const MAX: [i32; 8] = [31, 31, 15, 15, 7, 7, 3, 3];
const INVERSE_A: [i32; 8] = [13_107, 13_107, 13_107, 13_107, 19_223, 17_476, 31_454, 29_708];

/// Coded log-area ratios of a frame (5.2.4 to 5.2.7). The signal loses the bits that scaling against overflow costs.
pub(super) fn analyse(signal: &mut [i32; FRAME]) -> [i32; 8] {
    let reflections = schur(&autocorrelation(signal));
    core::array::from_fn(|i| {
        let r = reflections[i];
        let magnitude = r.abs().min(32_767);
        let ratio = match magnitude {
            ..22_118 => magnitude >> 1,
            22_118..31_130 => magnitude - 11_059,
            _ => (magnitude - 26_112) << 2,
        };
        let ratio = if r < 0 { -ratio } else { ratio };
        let code = add(add(mult(A[i], ratio), B[i]), 256) >> 9;
        code.clamp(MIN[i], MAX[i]) - MIN[i]
    })
}

/// Lags 0 to 8 (5.2.4).
fn autocorrelation(signal: &mut [i32; FRAME]) -> [i32; 9] {
    let peak = signal.iter().map(|x| x.abs().min(32_767)).max().unwrap_or(0);
    let scale = if peak == 0 { 0 } else { 4 - norm(peak << 16) as i32 };
    if scale > 0 {
        let factor = 16_384 >> (scale - 1);
        signal.iter_mut().for_each(|x| *x = mult_r(*x, factor));
    }
    let sums = core::array::from_fn(|lag| 2 * signal[lag..].iter().zip(signal.iter()).map(|(a, b)| a * b).sum::<i32>());
    if scale > 0 {
        signal.iter_mut().for_each(|x| *x <<= scale);
    }
    sums
}

/// Reflection coefficients by the Schur recursion (5.2.5).
fn schur(sums: &[i32; 9]) -> [i32; 8] {
    let mut reflections = [0; 8];
    if sums[0] == 0 {
        return reflections;
    }
    let shift = norm(sums[0]);
    let mut p: [i32; 9] = sums.map(|sum| sum << shift >> 16);
    let mut k = p;
    for (n, reflection) in reflections.iter_mut().enumerate() {
        let magnitude = p[1].abs().min(32_767);
        if p[0] < magnitude {
            break;
        }
        let quotient = divide(magnitude, p[0]);
        let r = if p[1] > 0 { -quotient } else { quotient };
        *reflection = r;
        p[0] = add(p[0], mult_r(p[1], r));
        for m in 1..8 - n {
            let next = p[m + 1];
            p[m] = add(next, mult_r(k[m], r));
            k[m] = add(k[m], mult_r(next, r));
        }
    }
    reflections
}

/// `a / b` as a 15-bit fraction, for `0 <= a <= b`.
fn divide(a: i32, b: i32) -> i32 {
    if a == 0 { 0 } else { ((a << 15) / b).min(32_767) }
}

/// Log-area ratios of the last frame, to glide from.
#[derive(Default)]
pub(super) struct Interpolator {
    last: [i32; 8],
}

impl Interpolator {
    /// Decodes log-area ratios (5.2.8) and calls `run` for the four stretches of a frame (5.2.9.1).
    pub(super) fn each(&mut self, codes: &[i32; 8], mut run: impl FnMut(Range<usize>, &[i32; 8])) {
        let now: [i32; 8] = core::array::from_fn(|i| {
            let scaled = mult_r(INVERSE_A[i], saturate(((codes[i] + MIN[i]) << 10) - 2 * B[i]));
            add(scaled, scaled)
        });
        let mix = |weigh: fn(i32, i32) -> i32| core::array::from_fn(|i| weigh(self.last[i], now[i]));
        run(0..13, &mix(|last, now| add(add(last >> 2, now >> 2), last >> 1)));
        run(13..27, &mix(|last, now| add(last >> 1, now >> 1)));
        run(27..40, &mix(|last, now| add(add(last >> 2, now >> 2), now >> 1)));
        run(40..FRAME, &now);
        self.last = now;
    }
}

/// Log-area ratios to reflection coefficients (5.2.9.2).
pub(super) fn reflections_of(ratios: &[i32; 8]) -> [i32; 8] {
    ratios.map(|ratio| {
        let magnitude = ratio.abs().min(32_767);
        let r = match magnitude {
            ..11_059 => magnitude << 1,
            11_059..20_070 => magnitude + 11_059,
            _ => add(magnitude >> 2, 26_112),
        };
        if ratio < 0 { -r } else { r }
    })
}

/// The lattice that turns speech into its residual (5.2.10).
#[derive(Default)]
pub(super) struct AnalysisFilter {
    state: [i32; 8],
}

impl AnalysisFilter {
    pub(super) fn run(&mut self, reflections: &[i32; 8], signal: &mut [i32]) {
        for x in signal {
            let (mut forward, mut backward) = (*x, *x);
            for (r, state) in reflections.iter().zip(&mut self.state) {
                let next = add(*state, mult_r(*r, forward));
                forward = add(forward, mult_r(*r, *state));
                *state = backward;
                backward = next;
            }
            *x = forward;
        }
    }
}

/// The lattice that turns the residual into speech (5.3.4).
#[derive(Default)]
pub(super) struct SynthesisFilter {
    state: [i32; 9],
}

impl SynthesisFilter {
    pub(super) fn run(&mut self, reflections: &[i32; 8], signal: &mut [i32]) {
        for x in signal {
            let mut y = *x;
            for i in (0..8).rev() {
                y = saturate(y - mult_r(reflections[i], self.state[i]));
                self.state[i + 1] = add(self.state[i], mult_r(reflections[i], y));
            }
            self.state[0] = y;
            *x = y;
        }
    }
}
