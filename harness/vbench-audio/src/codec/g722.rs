//! ITU-T G.722 at 64 kbit/s (mode 1), 16 kHz: wide-band calls, and the format of telephone prompt collections (`.g722`,
//! no header).
//!
//! Written from ITU-T G.722 (09/2012), clauses 4.1.3 (quadrature mirror filter) and 6.2 (block names below); the
//! tables are the standard's. Each octet holds two bits of the upper band (4-8 kHz) over six of the lower band.

/// Multipliers of the log scale factor of the lower band (table 14, W_L).
const WL: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
/// Addresses into `WL` by the four upper bits of the lower band's code (R_L).
const RL42: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
/// Linear scale factors of 32 logarithmic steps (ILB).
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
/// Multipliers of the upper band's log scale factor (W_H) and their addresses (R_H2).
const WH: [i32; 3] = [0, -214, 798];
const RH2: [usize; 4] = [2, 1, 2, 1];
/// Inverse quantisers of 2 bits (upper band), 4 bits (lower band, adaptation) and 6 bits (lower band, output).
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
const QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576,
    -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
    -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
    4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
/// Half of the symmetric 24-tap quadrature mirror filter.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's quantiser (Q6), from the second.
const Q6: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
    1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Decision level of the upper band's quantiser (Q2).
const Q2: i32 = 564;

/// Samples at 16 kHz by which the decoded signal lags: two filters of 24 taps, less the pair that enters at once.
pub const DELAY: usize = 22;

/// Encodes mono 16 kHz audio as G.722 at 64 kbit/s: a byte for each pair of samples; a last odd sample is paired with
/// silence.
#[must_use]
pub fn encode(samples: &[i16]) -> Vec<u8> {
    let mut low = Band::new(32);
    let mut high = Band::new(8);
    // The last samples, newest last.
    let mut history = [0i32; 24];
    let mut bytes = Vec::with_capacity(samples.len().div_ceil(2));
    for pair in samples.chunks(2) {
        history.copy_within(2.., 0);
        history[22] = i32::from(pair[0]);
        history[23] = i32::from(pair.get(1).copied().unwrap_or(0));
        let (even, odd) = filter(&history);
        let code_low = quantise_low(saturate(((even + odd) >> 14) - low.estimate), low.scale);
        low.adapt_low(code_low >> 2);
        let code_high = quantise_high(saturate(((even - odd) >> 14) - high.estimate), high.scale);
        high.adapt_high(code_high, (high.scale * QM2[code_high]) >> 15);
        bytes.push((code_high << 6 | code_low) as u8);
    }
    bytes
}

/// Decodes G.722 at 64 kbit/s to mono 16 kHz: two samples for each byte.
///
/// Every byte sequence is a valid stream, so there is no error; the codec's [`DELAY`] stays.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<i16> {
    let mut low = Band::new(32);
    let mut high = Band::new(8);
    // Interleaved sums and differences of the two bands, newest last.
    let mut history = [0i32; 24];
    let mut out = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        let (code_low, code_high) = (usize::from(byte & 0x3F), usize::from(byte >> 6));
        let r_low = (low.estimate + ((low.scale * QM6[code_low]) >> 15)).clamp(-16_384, 16_383);
        low.adapt_low(code_low >> 2);
        let d_high = (high.scale * QM2[code_high]) >> 15;
        let r_high = (high.estimate + d_high).clamp(-16_384, 16_383);
        high.adapt_high(code_high, d_high);

        history.copy_within(2.., 0);
        history[22] = r_low + r_high;
        history[23] = r_low - r_high;
        let (even, odd) = filter(&history);
        out.extend([even, odd].map(|sample| saturate(sample >> 11) as i16));
    }
    out
}

/// [`decode`] to samples in -1..1, on the 16-bit grid.
#[must_use]
pub fn decode_g722(bytes: &[u8]) -> Vec<f32> {
    super::from_i16(&decode(bytes))
}

/// The two halves of the quadrature mirror filter.
fn filter(history: &[i32; 24]) -> (i32, i32) {
    let (mut even, mut odd) = (0, 0);
    for i in 0..12 {
        odd += history[2 * i] * QMF[i];
        even += history[2 * i + 1] * QMF[11 - i];
    }
    (even, odd)
}

/// Block QUANTL: six bits for a prediction error.
fn quantise_low(error: i32, scale: i32) -> usize {
    let magnitude = error ^ (error >> 31);
    // The levels rise, so the first above the magnitude is found by halving.
    let interval = Q6.partition_point(|level| magnitude >= (level * scale) >> 12);
    if error >= 0 {
        61 - interval
    } else if interval < 2 {
        63 - interval
    } else {
        33 - interval
    }
}

/// Block QUANTH: two bits for a prediction error.
fn quantise_high(error: i32, scale: i32) -> usize {
    let outer = usize::from(error ^ (error >> 31) >= (Q2 * scale) >> 12);
    if error >= 0 { 3 - outer } else { 1 - outer }
}

fn saturate(x: i32) -> i32 {
    x.clamp(-32_768, 32_767)
}

/// One band's adaptive predictor (two poles, six zeros) and adaptive quantiser.
struct Band {
    /// Prediction of the next sample.
    estimate: i32,
    zero_estimate: i32,
    /// Quantiser scale, linear and logarithmic.
    scale: i32,
    log_scale: i32,
    /// Pole coefficients a1, a2 and zero coefficients b1 … b6.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// Last reconstructed samples, partial reconstructions and quantised differences, newest first.
    reconstructed: [i32; 2],
    partial: [i32; 2],
    differences: [i32; 6],
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            estimate: 0,
            zero_estimate: 0,
            scale,
            log_scale: 0,
            poles: [0; 2],
            zeros: [0; 6],
            reconstructed: [0; 2],
            partial: [0; 2],
            differences: [0; 6],
        }
    }

    /// Blocks INVQAL, LOGSCL, SCALEL and the predictor.
    fn adapt_low(&mut self, code: usize) {
        let difference = (self.scale * QM4[code]) >> 15;
        self.rescale(WL[RL42[code]], 18_432, 8);
        self.predict(difference);
    }

    /// Blocks LOGSCH, SCALEH and the predictor.
    fn adapt_high(&mut self, code: usize, difference: i32) {
        self.rescale(WH[RH2[code]], 22_528, 10);
        self.predict(difference);
    }

    fn rescale(&mut self, step: i32, max: i32, shift: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + step).clamp(0, max);
        let mantissa = ILB[((self.log_scale >> 6) & 31) as usize];
        let exponent = shift - (self.log_scale >> 11);
        self.scale = (if exponent < 0 { mantissa << -exponent } else { mantissa >> exponent }) << 2;
    }

    fn predict(&mut self, difference: i32) {
        // RECONS, PARREC.
        let reconstructed = saturate(self.estimate + difference);
        let partial = saturate(self.zero_estimate + difference);
        let same_sign = |a: i32, b: i32| (a < 0) == (b < 0);
        // UPPOL2.
        let [a1, a2] = self.poles;
        let lean = saturate(a1 << 2);
        let lean = if same_sign(partial, self.partial[0]) { -lean } else { lean }.min(32_767);
        let push = if same_sign(partial, self.partial[1]) { 128 } else { -128 };
        let next_a2 = (push + (lean >> 7) + ((a2 * 32_512) >> 15)).clamp(-12_288, 12_288);
        // UPPOL1.
        let push = if same_sign(partial, self.partial[0]) { 192 } else { -192 };
        let limit = saturate(15_360 - next_a2);
        let next_a1 = saturate(push + ((a1 * 32_640) >> 15)).clamp(-limit, limit);
        // UPZERO.
        let step = if difference == 0 { 0 } else { 128 };
        for (b, old) in self.zeros.iter_mut().zip(&self.differences) {
            let push = if same_sign(difference, *old) { step } else { -step };
            *b = saturate(push + ((*b * 32_640) >> 15));
        }
        // DELAYA.
        self.poles = [next_a1, next_a2];
        self.partial = [partial, self.partial[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.differences.copy_within(0..5, 1);
        self.differences[0] = difference;
        // FILTEP, FILTEZ, PREDIC.
        let pole_estimate =
            saturate(self.poles.iter().zip(&self.reconstructed).map(|(a, r)| (a * saturate(2 * r)) >> 15).sum::<i32>());
        self.zero_estimate =
            saturate(self.zeros.iter().zip(&self.differences).map(|(b, d)| (b * saturate(2 * d)) >> 15).sum::<i32>());
        self.estimate = saturate(pole_estimate + self.zero_estimate);
    }
}
