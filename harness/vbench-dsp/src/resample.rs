//! Band-limited rational resampling with a Kaiser-windowed sinc.
//!
//! The pass band reaches 90 % of the lower of the two Nyquist frequencies, the stop band starts at 100 % of it and is
//! attenuated by 100 dB or more. The filter is linear-phase and its delay is removed, so sample `m` of the output lies
//! at time `m / to_hz`. Plain scalar code in double precision with functions of the `libm` crate: the same bytes on
//! every x86-64 machine.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::quad::Quad;

/// Zero crossings of the sinc on either side of its centre. Kaiser's formula for 105 dB over a transition of 10 % of
/// Nyquist asks for 68.
pub(crate) const HALF_WIDTH: f64 = 72.0;
/// Centre of the transition band relative to the lower Nyquist frequency.
pub(crate) const CUTOFF: f64 = 0.95;
/// Kaiser's beta for 110 dB: 0.1102 (110 - 8.7).
const KAISER_BETA: f64 = 11.16;
/// Filters up to this many coefficients are tabulated exactly, phase by phase; rarer ratios are interpolated.
const MAX_EXACT_COEFFICIENTS: u64 = 1 << 19;
/// Table points per zero crossing of the interpolated kernel; linear interpolation errs by less than -130 dB.
const TABLE_DENSITY: usize = 4096;

/// Resamples mono audio from `from_hz` to `to_hz` (both above zero); equal rates copy.
///
/// The output has `round(n * to_hz / from_hz)` samples; outside the input the signal is taken as zero.
#[must_use]
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    if from_hz == to_hz || from_hz == 0 || to_hz == 0 {
        return samples.to_vec();
    }
    Resampler::shared(from_hz, to_hz).run(samples)
}

/// Planned conversions by (from, to).
type Plans = HashMap<(u32, u32), Arc<Resampler>>;

/// A planned resampler for one pair of rates.
#[derive(Debug)]
pub struct Resampler {
    /// `to / gcd` output samples for every `from / gcd` input samples.
    up: u64,
    down: u64,
    /// Input samples on either side of an output sample that the filter covers.
    reach: usize,
    kernel: Kernel,
}

#[derive(Debug)]
enum Kernel {
    /// `taps` coefficients for each of `up` phases, in the order of the input.
    Phases { coefficients: Vec<f64> },
    /// One side of the kernel, `TABLE_DENSITY` points per zero crossing; `scale` zero crossings per input sample.
    Table { points: Vec<f64>, scale: f64 },
}

impl Resampler {
    /// Plans a conversion. Both rates must be above zero; a zero counts as one.
    #[must_use]
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        let (from, to) = (u64::from(from_hz.max(1)), u64::from(to_hz.max(1)));
        let divisor = gcd(from, to);
        let (up, down) = (to / divisor, from / divisor);
        // Zero crossings per input sample: the kernel widens by from / to when the rate falls.
        let scale = CUTOFF * (to as f64 / from as f64).min(1.0);
        let reach = libm::ceil(HALF_WIDTH / scale) as usize;
        let taps = 2 * reach;
        let kernel = if up * taps as u64 <= MAX_EXACT_COEFFICIENTS {
            Kernel::Phases { coefficients: phase_bank(up, reach, scale) }
        } else {
            let last = HALF_WIDTH as usize * TABLE_DENSITY;
            // Two points beyond the end, so that interpolation at the edge stays inside.
            let points = (0..last + 2).map(|i| scale * windowed_sinc(i as f64 / TABLE_DENSITY as f64)).collect();
            Kernel::Table { points, scale }
        };
        Self { up, down, reach, kernel }
    }

    /// A planned conversion from the process-wide store: planning costs more than a short clip.
    #[must_use]
    pub fn shared(from_hz: u32, to_hz: u32) -> Arc<Self> {
        static PLANS: LazyLock<Mutex<Plans>> = LazyLock::new(Mutex::default);
        // Hostile files may declare any rate; the store never grows past the few that real corpora use.
        const MAX_PLANS: usize = 16;
        let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&(from_hz, to_hz)) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(Self::new(from_hz, to_hz));
        if plans.len() < MAX_PLANS {
            plans.insert((from_hz, to_hz), Arc::clone(&plan));
        }
        plan
    }

    /// Number of output samples for `n` input samples: `round(n * to / from)`, halves rounded up.
    #[must_use]
    pub fn output_len(&self, n: usize) -> usize {
        ((n as u128 * u128::from(self.up) * 2 + u128::from(self.down)) / (2 * u128::from(self.down))) as usize
    }

    /// Resamples one clip.
    #[must_use]
    pub fn run(&self, samples: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0f32; self.output_len(samples.len())];
        match &self.kernel {
            Kernel::Phases { coefficients, .. } => self.by_phases(samples, &mut out, coefficients),
            Kernel::Table { points, scale } => self.by_table(samples, &mut out, points, *scale),
        }
        out
    }

    /// A stretch of whole periods at a time (`up` outputs, `down` inputs each), so that what is read stays in the cache.
    fn by_phases(&self, samples: &[f32], out: &mut [f32], coefficients: &[f64]) {
        let (up, down, taps) = (self.up as usize, self.down as usize, 2 * self.reach);
        let periods = (STRETCH / down).max(TOGETHER).next_multiple_of(TOGETHER);
        let mut window = vec![0.0f64; periods * down + taps];
        for (index, out) in out.chunks_mut(periods * up).enumerate() {
            // Output 0 of the stretch lies between samples reach - 1 and reach of the window.
            let first = (index * periods * down) as isize - (self.reach as isize - 1);
            fill_window(&mut window, samples, first);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has what the function was compiled for.
                unsafe { self.stretch_avx2(&window, out, coefficients) };
                continue;
            }
            self.stretch::<[f64; 4]>(&window, out, coefficients);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn stretch_avx2(&self, window: &[f64], out: &mut [f32], coefficients: &[f64]) {
        self.stretch::<core::arch::x86_64::__m256d>(window, out, coefficients);
    }

    /// Outputs of one phase in neighbouring periods are made together: their coefficients are read once.
    #[inline(always)]
    fn stretch<Q: Quad>(&self, window: &[f64], out: &mut [f32], coefficients: &[f64]) {
        let (up, down, taps) = (self.up as usize, self.down as usize, 2 * self.reach);
        for (index, out) in out.chunks_mut(TOGETHER * up).enumerate() {
            let (mut base, mut phase) = (index * TOGETHER * down, 0);
            for place in 0..up.min(out.len()) {
                let bank = &coefficients[phase * taps..(phase + 1) * taps];
                let inputs: [&[f64]; TOGETHER] =
                    core::array::from_fn(|j| &window[base + j * down..base + j * down + taps]);
                let sums = dots::<Q, TOGETHER>(bank, inputs);
                for (slot, sum) in out[place..].iter_mut().step_by(up).zip(sums) {
                    *slot = sum as f32;
                }
                phase += down;
                base += phase / up;
                phase %= up;
            }
        }
    }

    /// Rarer ratios: the kernel is interpolated for every output.
    fn by_table(&self, samples: &[f32], out: &mut [f32], points: &[f64], scale: f64) {
        let mut window = vec![0.0f64; 2 * self.reach];
        let last = (points.len() - 2) as f64;
        for (m, slot) in out.iter_mut().enumerate() {
            let place = m as u128 * u128::from(self.down);
            let (base, phase) = ((place / u128::from(self.up)) as isize, (place % u128::from(self.up)) as f64);
            let fraction = phase / self.up as f64;
            fill_window(&mut window, samples, base - (self.reach as isize - 1));
            let mut sum = 0.0;
            for (i, x) in window.iter().enumerate() {
                let offset = i as f64 - (self.reach as f64 - 1.0) - fraction;
                let place = offset.abs() * scale * TABLE_DENSITY as f64;
                if place < last {
                    let index = place as usize;
                    let share = place - index as f64;
                    sum += x * (points[index] + share * (points[index + 1] - points[index]));
                }
            }
            *slot = sum as f32;
        }
    }
}

/// Input samples that are worked on at a time, about.
const STRETCH: usize = 4096;
/// Periods whose outputs are made together.
const TOGETHER: usize = 4;

/// Fills `window` with `samples[first..]`, zero where there is no sample.
fn fill_window(window: &mut [f64], samples: &[f32], first: isize) {
    let before = usize::try_from(-first).unwrap_or(0).min(window.len());
    let source = samples.get(usize::try_from(first).unwrap_or(0)..).unwrap_or_default();
    let there = source.len().min(window.len() - before);
    window[..before].fill(0.0);
    for (slot, x) in window[before..].iter_mut().zip(source) {
        *slot = f64::from(*x);
    }
    window[before + there..].fill(0.0);
}

fn phase_bank(up: u64, reach: usize, scale: f64) -> Vec<f64> {
    let taps = 2 * reach;
    let mut coefficients = Vec::with_capacity(up as usize * taps);
    for phase in 0..up {
        let fraction = phase as f64 / up as f64;
        let start = coefficients.len();
        for tap in 0..taps {
            let offset = tap as f64 - (reach as f64 - 1.0) - fraction;
            coefficients.push(scale * windowed_sinc(offset * scale));
        }
        // Unit gain at zero frequency in every phase: without it the phases' ripple would be a faint tone.
        let sum: f64 = coefficients[start..].iter().sum();
        for c in &mut coefficients[start..] {
            *c /= sum;
        }
    }
    coefficients
}

/// `sinc(x)` under a Kaiser window of half-width `HALF_WIDTH`, `x` in zero crossings.
pub(crate) fn windowed_sinc(x: f64) -> f64 {
    let r = x / HALF_WIDTH;
    if r.abs() >= 1.0 {
        return 0.0;
    }
    let window = bessel_i0(KAISER_BETA * libm::sqrt(1.0 - r * r)) / bessel_i0(KAISER_BETA);
    let angle = core::f64::consts::PI * x;
    if x == 0.0 { window } else { window * libm::sin(angle) / angle }
}

/// Modified Bessel function of the first kind, order 0, by its power series: Kaiser windows are made of it.
#[must_use]
pub fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Dot products of one `a` with several `b`, each in the order of [`dot`].
#[inline(always)]
fn dots<Q: Quad, const N: usize>(a: &[f64], b: [&[f64]; N]) -> [f64; N] {
    let (a_chunks, a_tail) = a.as_chunks::<8>();
    let halves = |chunk: &[f64; 8]| {
        let (quads, _) = chunk.as_chunks::<4>();
        (Q::load(&quads[0]), Q::load(&quads[1]))
    };
    let b_chunks = b.map(|b| &b.as_chunks::<8>().0[..a_chunks.len()]);
    let mut sums = [(Q::load(&[0.0; 4]), Q::load(&[0.0; 4])); N];
    for (i, x) in a_chunks.iter().enumerate() {
        let x = halves(x);
        for (sum, b) in sums.iter_mut().zip(b_chunks) {
            let y = halves(&b[i]);
            *sum = (sum.0.add(x.0.mul(y.0)), sum.1.add(x.1.mul(y.1)));
        }
    }
    core::array::from_fn(|j| {
        let tail: f64 = a_tail.iter().zip(b[j].as_chunks::<8>().1).map(|(x, y)| x * y).sum();
        let ([a, b, c, d], [e, f, g, h]) = (sums[j].0.store(), sums[j].1.store());
        ((a + b) + (c + d)) + ((e + f) + (g + h)) + tail
    })
}

/// Dot product in eight fixed lanes: the order of additions never depends on the machine.
#[inline(always)]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let ((a_chunks, a_tail), (b_chunks, b_tail)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + tail
}

pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAU: f64 = 2.0 * core::f64::consts::PI;

    fn tone(rate: f64, hz: f64, n: usize) -> Vec<f32> {
        (0..n).map(|i| (0.5 * libm::sin(TAU * hz * i as f64 / rate)) as f32).collect()
    }

    /// Largest difference to the ideal tone in the middle of the output, dB relative to the tone's peak.
    fn error_db(from: u32, to: u32, hz: f64, n: usize) -> f64 {
        let y = resample(&tone(f64::from(from), hz, n), from, to);
        let margin = y.len() / 4;
        let worst = (margin..y.len() - margin)
            .map(|m| (f64::from(y[m]) - 0.5 * libm::sin(TAU * hz * m as f64 / f64::from(to))).abs())
            .fold(0.0, f64::max);
        20.0 * libm::log10(worst / 0.5)
    }

    #[test]
    fn pass_band_tones_keep_amplitude_and_phase() {
        // -100 dB of error bounds the ripple to 0.0001 dB and the delay to a thousandth of a sample at once.
        for from in [8_000u32, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000, 44_099, 15_999] {
            let edge = 0.45 * f64::from(from.min(16_000));
            for hz in [50.0, 440.0, 1_000.0, 3_333.0, edge].into_iter().filter(|hz| *hz <= edge) {
                let error = error_db(from, 16_000, hz, from as usize / 4);
                assert!(error < -100.0, "{from} Hz, tone {hz} Hz: {error:.1} dB");
            }
        }
    }

    #[test]
    fn tones_above_the_new_nyquist_are_rejected() {
        for from in [22_050u32, 32_000, 44_100, 48_000, 96_000, 44_099] {
            for hz in [8_000.0, 8_300.0, 9_000.0, 10_500.0, 0.49 * f64::from(from)] {
                let y = resample(&tone(f64::from(from), hz, from as usize / 4), from, 16_000);
                let margin = y.len() / 4;
                let peak = y[margin..y.len() - margin].iter().fold(0.0f32, |m, v| m.max(v.abs()));
                let rejection = 20.0 * libm::log10(f64::from(peak) / 0.5);
                assert!(rejection < -100.0, "{from} Hz, tone {hz} Hz: {rejection:.1} dB");
            }
        }
    }

    #[test]
    fn upsampling_leaves_no_image() {
        // An 8 kHz tone of 3 kHz has its image at 5 kHz.
        let y = resample(&tone(8_000.0, 3_000.0, 8_000), 8_000, 16_000);
        let (mut re, mut im) = (0.0, 0.0);
        for (i, v) in y.iter().enumerate().skip(4_000).take(8_000) {
            let angle = TAU * 5_000.0 * i as f64 / 16_000.0;
            re += f64::from(*v) * libm::cos(angle);
            im += f64::from(*v) * libm::sin(angle);
        }
        let image = 20.0 * libm::log10(libm::hypot(re, im) / 4_000.0 / 0.5);
        assert!(image < -100.0, "image at {image:.1} dB");
    }

    #[test]
    fn a_sweep_keeps_its_shape() {
        // Linear chirp 100 Hz to 7 kHz at 44.1 kHz, compared with the same chirp sampled at 16 kHz.
        let chirp = |t: f64| 0.5 * libm::sin(TAU * (100.0 * t + 0.5 * 6_900.0 * t * t));
        let x: Vec<f32> = (0..44_100).map(|i| chirp(f64::from(i) / 44_100.0) as f32).collect();
        let y = resample(&x, 44_100, 16_000);
        for (m, v) in y.iter().enumerate().skip(400).take(15_200) {
            let error = (f64::from(*v) - chirp(m as f64 / 16_000.0)).abs();
            assert!(error < 2e-5, "sample {m}: {error}");
        }
    }

    #[test]
    fn length_is_rounded_and_equal_rates_copy() {
        for (n, from, to, want) in [
            (44_100, 44_100, 16_000, 16_000),
            (1, 44_100, 16_000, 0),
            (2, 44_100, 16_000, 1),
            (3, 32_000, 16_000, 2),
            (0, 44_100, 16_000, 0),
            (5, 8_000, 16_000, 10),
            (101, 48_000, 16_000, 34),
        ] {
            assert_eq!(resample(&vec![0.1; n], from, to).len(), want, "{n} samples {from} -> {to}");
        }
        let x = tone(16_000.0, 100.0, 50);
        assert_eq!(resample(&x, 16_000, 16_000), x);
    }

    #[test]
    fn wide_registers_give_the_same_bits() {
        let plan = Resampler::new(44_100, 16_000);
        let x = tone(44_100.0, 1_234.5, 20_000);
        let mut plain = vec![0.0f32; plan.output_len(x.len())];
        let Kernel::Phases { coefficients } = &plan.kernel else { panic!("a tabulated ratio") };
        let taps = &(2 * plan.reach);
        let padded: Vec<f64> = (0..x.len() + 2 * taps)
            .map(|i| i.checked_sub(plan.reach - 1).and_then(|i| x.get(i)).map_or(0.0, |v| f64::from(*v)))
            .collect();
        for (m, slot) in plain.iter_mut().enumerate() {
            let (base, phase) = (m * 441 / 160, m * 441 % 160);
            *slot = dot(&coefficients[phase * taps..][..*taps], &padded[base..base + taps]) as f32;
        }
        assert_eq!(plan.run(&x), plain, "one by one");
        let window: Vec<f64> = (0..2 * taps + 3).map(|i| libm::sin(i as f64 * 1.7)).collect();
        let inputs = [0, 1, 2, 3].map(|i| &window[i..i + taps]);
        let wanted = inputs.map(|w| dot(&coefficients[..*taps], w).to_bits());
        assert_eq!(dots::<[f64; 4], 4>(&coefficients[..*taps], inputs).map(f64::to_bits), wanted, "portable");
    }

    #[test]
    fn table_and_phases_agree() {
        let plan = Resampler::new(48_000, 16_000);
        let scale = CUTOFF / 3.0;
        let last = HALF_WIDTH as usize * TABLE_DENSITY;
        let points = (0..last + 2).map(|i| scale * windowed_sinc(i as f64 / TABLE_DENSITY as f64)).collect();
        let table = Resampler { kernel: Kernel::Table { points, scale }, ..Resampler::new(48_000, 16_000) };
        let x = tone(48_000.0, 1_234.5, 4_800);
        for (a, b) in plan.run(&x).iter().zip(table.run(&x)) {
            assert!((a - b).abs() < 2e-7, "{a} and {b}");
        }
    }
}
