//! The way to 8 kHz and back, around the codecs of telephony.

use vbench_dsp::resample;

use super::from_i16;
use crate::RATE_HZ;
use crate::degrade::{Grid, quantise};

/// Sample rate of the telephone network, Hz.
pub(crate) const NARROWBAND_HZ: u32 = 8_000;

/// Through `codec` at 8 kHz on the 16-bit grid; as many samples at 16 kHz as went in, and how many of those at 8 kHz
/// exceeded full scale and were clamped.
///
/// Both conversions are linear-phase with their delay removed. `codec` may return more samples than it was given.
pub(crate) fn through_8_khz(samples: &[f32], codec: impl FnOnce(&[i16]) -> Vec<i16>) -> (Vec<f32>, u64) {
    let mut grid = Grid::default();
    let narrow: Vec<i16> = resample(samples, RATE_HZ, NARROWBAND_HZ).iter().map(|x| to_i16(*x, &mut grid)).collect();
    let mut coded = codec(&narrow);
    coded.truncate(narrow.len());
    let mut wide = resample(&from_i16(&coded), NARROWBAND_HZ, RATE_HZ);
    wide.truncate(samples.len());
    (wide, grid.clipped)
}

/// The nearest 16-bit sample.
pub(crate) fn to_i16(x: f32, grid: &mut Grid) -> i16 {
    (quantise(f64::from(x), grid) * 32_768.0) as i16
}
