//! GSM full rate, 13 kbit/s at 8 kHz: frames of 160 samples (20 ms) in 260 bits.
//!
//! Written from ETSI EN 300 961 (GSM 06.10, 3GPP TS 46.010), whose integer arithmetic defines every bit; numbers in
//! brackets are its sections. `gsm/short_term.rs` has the linear prediction, `gsm/excitation.rs` the long-term
//! prediction and the regular pulses, this file the frame, its packing and the filters at either end.

mod excitation;
mod short_term;

use excitation::{LongTerm, Pulses};
use short_term::{AnalysisFilter, Interpolator, SynthesisFilter, reflections_of};

/// Samples of a frame.
pub const FRAME: usize = 160;
/// Bytes of a frame as in RFC 3551: a signature of four bits and the 260 bits.
pub const FRAME_BYTES: usize = 33;
/// Samples of a sub-frame.
const SUB: usize = 40;
/// Bits of the eight log-area ratios.
const LAR_BITS: [u32; 8] = [6, 6, 5, 5, 4, 4, 3, 3];
/// First four bits of a packed frame (RFC 3551).
const SIGNATURE: u32 = 0xD;
/// Pre-emphasis and de-emphasis: 0.86.
const EMPHASIS: i32 = 28_180;

/// The parameters of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Frame {
    /// Coded log-area ratios.
    lars: [i32; 8],
    subs: [SubFrame; 4],
}

/// The parameters of 40 samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct SubFrame {
    /// Lag of the long-term predictor, 40 to 120 samples, and its coded gain.
    lag: i32,
    gain: i32,
    pulses: Pulses,
}

/// Encodes 16-bit samples at 8 kHz (of which the codec hears the upper 13 bits) to frames of [`FRAME_BYTES`]; the last
/// frame is filled up with silence.
#[must_use]
pub fn encode(samples: &[i16]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let mut bytes = Vec::with_capacity(samples.len().div_ceil(FRAME) * FRAME_BYTES);
    let mut block = [0i16; FRAME];
    for part in samples.chunks(FRAME) {
        block[..part.len()].copy_from_slice(part);
        block[part.len()..].fill(0);
        bytes.extend_from_slice(&encoder.frame(&block).pack());
    }
    bytes
}

/// Decodes frames of [`FRAME_BYTES`] to 160 samples each; bytes after the last whole frame are left out.
///
/// Every bit pattern is a valid frame; the signature is not looked at.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<i16> {
    let mut decoder = Decoder::default();
    let mut samples = Vec::with_capacity(bytes.len() / FRAME_BYTES * FRAME);
    for packed in bytes.as_chunks::<FRAME_BYTES>().0 {
        samples.extend_from_slice(&decoder.frame(&Frame::unpack(packed)));
    }
    samples
}

#[derive(Default)]
struct Encoder {
    preprocess: Preprocess,
    interpolator: Interpolator,
    analysis: AnalysisFilter,
    long_term: LongTerm,
}

impl Encoder {
    fn frame(&mut self, samples: &[i16; FRAME]) -> Frame {
        let mut signal = self.preprocess.run(samples);
        let lars = short_term::analyse(&mut signal);
        self.interpolator.each(&lars, |range, ratios| self.analysis.run(&reflections_of(ratios), &mut signal[range]));
        let mut frame = Frame { lars, ..Frame::default() };
        for (sub, residual) in frame.subs.iter_mut().zip(signal.as_chunks::<SUB>().0) {
            *sub = self.long_term.encode(residual);
        }
        frame
    }
}

#[derive(Default)]
struct Decoder {
    interpolator: Interpolator,
    synthesis: SynthesisFilter,
    long_term: LongTerm,
    /// The last de-emphasised sample.
    last: i32,
}

impl Decoder {
    fn frame(&mut self, frame: &Frame) -> [i16; FRAME] {
        let mut signal = [0i32; FRAME];
        for (sub, block) in frame.subs.iter().zip(signal.as_chunks_mut::<SUB>().0) {
            *block = self.long_term.decode(sub);
        }
        self.interpolator.each(&frame.lars, |range, ratios| {
            self.synthesis.run(&reflections_of(ratios), &mut signal[range]);
        });
        // De-emphasis and truncation to 13 bits (5.3.5 to 5.3.7).
        signal.map(|x| {
            self.last = add(x, mult_r(self.last, EMPHASIS));
            (add(self.last, self.last) & !7) as i16
        })
    }
}

/// Offset compensation and pre-emphasis (5.2.1 to 5.2.3).
#[derive(Default)]
struct Preprocess {
    last_input: i32,
    /// State of the offset filter, 32 bits.
    offset: i32,
    last_output: i32,
}

impl Preprocess {
    fn run(&mut self, samples: &[i16; FRAME]) -> [i32; FRAME] {
        samples.map(|x| {
            let x = i32::from(x) >> 3 << 2;
            let step = x - self.last_input;
            self.last_input = x;
            // A recursive filter with its pole at 32735 / 32768, in extended precision.
            let (high, low) = (self.offset >> 15, self.offset & 0x7FFF);
            let fed = (step << 15).saturating_add(mult_r(low, 32_735));
            self.offset = (high * 32_735).saturating_add(fed);
            let flat = self.offset.saturating_add(16_384) >> 15;
            let emphasised = add(mult_r(self.last_output, -EMPHASIS), flat);
            self.last_output = flat;
            emphasised
        })
    }
}

impl Frame {
    fn pack(&self) -> [u8; FRAME_BYTES] {
        let mut writer = Bits { bytes: [0; FRAME_BYTES], at: 0 };
        writer.put(SIGNATURE, 4);
        for (lar, bits) in self.lars.iter().zip(LAR_BITS) {
            writer.put(*lar as u32, bits);
        }
        for sub in &self.subs {
            writer.put(sub.lag as u32, 7);
            writer.put(sub.gain as u32, 2);
            writer.put(sub.pulses.grid as u32, 2);
            writer.put(sub.pulses.peak as u32, 6);
            for code in sub.pulses.codes {
                writer.put(code as u32, 3);
            }
        }
        writer.bytes
    }

    fn unpack(packed: &[u8; FRAME_BYTES]) -> Self {
        let mut reader = Bits { bytes: *packed, at: 4 };
        let mut frame = Self::default();
        for (lar, bits) in frame.lars.iter_mut().zip(LAR_BITS) {
            *lar = reader.take(bits);
        }
        for sub in &mut frame.subs {
            sub.lag = reader.take(7);
            sub.gain = reader.take(2);
            sub.pulses.grid = reader.take(2);
            sub.pulses.peak = reader.take(6);
            for code in &mut sub.pulses.codes {
                *code = reader.take(3);
            }
        }
        frame
    }
}

/// Bits of a frame, the most significant of a byte first.
struct Bits {
    bytes: [u8; FRAME_BYTES],
    at: usize,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.bytes[self.at / 8] |= ((value >> bit & 1) as u8) << (7 - self.at % 8);
            self.at += 1;
        }
    }

    fn take(&mut self, bits: u32) -> i32 {
        (0..bits).fold(0, |value, _| {
            let bit = self.bytes[self.at / 8] >> (7 - self.at % 8) & 1;
            self.at += 1;
            value << 1 | i32::from(bit)
        })
    }
}

/// Saturation to 16 bits.
fn saturate(x: i32) -> i32 {
    x.clamp(-32_768, 32_767)
}

fn add(a: i32, b: i32) -> i32 {
    saturate(a + b)
}

/// Product of two 16-bit fractions, truncated.
fn mult(a: i32, b: i32) -> i32 {
    saturate((a * b) >> 15)
}

/// Product of two 16-bit fractions, rounded.
fn mult_r(a: i32, b: i32) -> i32 {
    saturate((a * b + 16_384) >> 15)
}

/// Left shifts that bring a 32-bit number above zero into the upper half of its range.
fn norm(x: i32) -> u32 {
    x.leading_zeros() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bits_decode_and_pack_again() {
        let mut state = 1u32;
        let mut bytes = Vec::new();
        for _ in 0..200 * FRAME_BYTES {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((state >> 24) as u8);
        }
        for packed in bytes.as_chunks_mut::<FRAME_BYTES>().0 {
            packed[0] = packed[0] & 0x0F | 0xD0;
            assert_eq!(Frame::unpack(packed).pack(), *packed);
        }
        let decoded = decode(&bytes);
        assert_eq!(decoded.len(), 200 * FRAME);
        // 13 bits, left-justified; noise parameters make noise.
        assert!(decoded.iter().all(|x| x & 7 == 0) && decoded.iter().any(|x| *x > 1000));
    }

    #[test]
    fn extremes_stay_in_range() {
        for pattern in [[i16::MIN, i16::MAX], [i16::MAX, i16::MAX], [i16::MIN, i16::MIN], [0, 0], [1, -1]] {
            let input: Vec<i16> = pattern.iter().copied().cycle().take(1000).collect();
            assert_eq!(decode(&encode(&input)).len(), 1120);
            let slow: Vec<i16> = (0..1000).map(|i| pattern[i / 25 % 2]).collect();
            assert_eq!(decode(&encode(&slow)).len(), 1120);
        }
    }
}
