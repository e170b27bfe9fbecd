//! ITU-T G.711: mu-law and A-law, 8 bits for each 16-bit sample.
//!
//! Both laws are floating-point numbers of three exponent and four mantissa bits, so single precision does the work: a
//! magnitude converted to `f32` has the code in its upper bits. All integers involved are exact, nothing branches, and
//! the loops run at the speed of memory.
//!
//! 16-bit samples stand for the recommendation's 14-bit (mu-law) and 13-bit (A-law) values shifted left: encoding takes
//! the upper bits by an arithmetic shift, as Python's `audioop` does, and decoding gives 16-bit values.

/// Bits of `f32` below the four upper mantissa bits.
const SHIFT: u32 = 19;
/// Exponent of a power of two and four mantissa bits, as the upper bits of an `f32`.
const fn upper_bits(power: i32) -> i32 {
    (127 + power) << 4
}
/// The mantissa bit below the code's: the middle of a quantisation interval.
const MIDDLE: u32 = 1 << (SHIFT - 1);
/// Added to mu-law magnitudes, so that all eight segments double.
const MU_BIAS: i32 = 33;

/// Mu-law codes of 16-bit samples, 64 kbit/s at 8 kHz.
#[must_use]
pub fn encode_mulaw(samples: &[i16]) -> Vec<u8> {
    each(samples, mulaw_code)
}

/// 16-bit samples of mu-law codes.
#[must_use]
pub fn decode_mulaw(codes: &[u8]) -> Vec<i16> {
    each(codes, mulaw_sample)
}

/// A-law codes of 16-bit samples, 64 kbit/s at 8 kHz.
#[must_use]
pub fn encode_alaw(samples: &[i16]) -> Vec<u8> {
    each(samples, alaw_code)
}

/// 16-bit samples of A-law codes.
#[must_use]
pub fn decode_alaw(codes: &[u8]) -> Vec<i16> {
    each(codes, alaw_sample)
}

/// `f` of every value, in the widest registers there are: whole numbers come out the same in all of them.
fn each<A: Copy, B>(values: &[A], f: impl Fn(A) -> B) -> Vec<B> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { each_avx2(values, f) };
    }
    values.iter().map(|v| f(*v)).collect()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn each_avx2<A: Copy, B>(values: &[A], f: impl Fn(A) -> B) -> Vec<B> {
    values.iter().map(|v| f(*v)).collect()
}

/// A whole number of 0 to 8191 from `f32`: `as` would check for NaN and overflow, sample by sample.
#[inline(always)]
fn integer(x: f32) -> i32 {
    const UNIT_IS_LAST_BIT: f32 = 8_388_608.0;
    ((x + UNIT_IS_LAST_BIT).to_bits() & 0x7F_FFFF) as i32
}

#[inline(always)]
fn mulaw_code(sample: i16) -> u8 {
    let value = i32::from(sample) >> 2;
    let biased = value.abs().min(8158) + MU_BIAS;
    let code = ((biased as f32).to_bits() >> SHIFT) as i32 - upper_bits(5);
    let sign = if value < 0 { 0x7F } else { 0xFF };
    (code ^ sign) as u8
}

#[inline(always)]
fn mulaw_sample(code: u8) -> i16 {
    let code = i32::from(!code);
    let bits = ((code & 0x7F) + upper_bits(5)) as u32;
    let magnitude = (integer(f32::from_bits((bits << SHIFT) | MIDDLE)) - MU_BIAS) << 2;
    (if code & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

#[inline(always)]
fn alaw_code(sample: i16) -> u8 {
    let value = i32::from(sample) >> 3;
    // One's complement for negative values: -1 is the innermost negative interval.
    let magnitude = value ^ (value >> 31);
    // The two innermost segments have one step size.
    let inner = magnitude >> 1;
    let outer = ((magnitude as f32).to_bits() >> SHIFT) as i32 - upper_bits(4);
    let code = if magnitude < 32 { inner } else { outer };
    let sign = if value < 0 { 0x55 } else { 0xD5 };
    (code ^ sign) as u8
}

#[inline(always)]
fn alaw_sample(code: u8) -> i16 {
    let code = i32::from(code ^ 0x55);
    let low = code & 0x7F;
    let inner = 2 * low + 1;
    let outer = integer(f32::from_bits((((low + upper_bits(4)) as u32) << SHIFT) | MIDDLE));
    let magnitude = (if low < 16 { inner } else { outer }) << 3;
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_decoding_and_quantisation_is_monotonic() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        for (encode, decode, coarsest) in [
            (encode_mulaw as fn(&[i16]) -> Vec<u8>, decode_mulaw as fn(&[u8]) -> Vec<i16>, 32_767 - 32_124 + 1),
            (encode_alaw, decode_alaw, 32_767 - 32_256 + 1),
        ] {
            let back = decode(&encode(&all));
            assert!(back.windows(2).all(|w| w[0] <= w[1]));
            let worst = all.iter().zip(&back).map(|(x, y)| (i32::from(*x) - i32::from(*y)).abs()).max();
            assert_eq!(worst, Some(coarsest));
            // A decoded value is coded as itself: a second pass through the codec changes nothing.
            assert_eq!(decode(&encode(&back)), back);
        }
    }
}
