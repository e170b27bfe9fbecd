//! Gain, offset and clipping.

use super::{Changed, amplitude, widen, within};
use crate::degrade::MAX_SAMPLE;
use crate::error::DegradeError;

/// A gain in dB. The 16-bit grid saturates what then exceeds full scale, and counts it.
pub(crate) fn gain(samples: &[f32], db: f64) -> Result<Changed, DegradeError> {
    within("db", db, -80.0..=80.0, "-80 to 80 dB")?;
    // 10^0 is exactly 1, so 0 dB is the identity.
    let factor = amplitude(db);
    Ok(Changed::new(samples.iter().map(|x| factor * f64::from(*x)).collect()).with("gain_db", db))
}

/// A constant added. `dc` is the mean of what full scale leaves of the output.
pub(crate) fn dc(samples: &[f32], offset: f64) -> Result<Changed, DegradeError> {
    within("offset", offset, -0.5..=0.5, "-0.5 to 0.5 of full scale")?;
    let changed: Vec<f64> = samples.iter().map(|x| f64::from(*x) + offset).collect();
    let sum: f64 = changed.iter().map(|y| y.clamp(-1.0, MAX_SAMPLE)).sum();
    let mean = sum / changed.len().max(1) as f64;
    Ok(Changed::new(changed).with("dc", mean))
}

/// Hard clipping below the clip's own peak. Silence has no level, so its receipt has none.
pub(crate) fn clip(samples: &[f32], below_peak_db: f64) -> Result<Changed, DegradeError> {
    within("below_peak_db", below_peak_db, 0.0..=60.0, "0 to 60 dB")?;
    let x = widen(samples);
    let peak = x.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let level = peak * amplitude(-below_peak_db);
    let clipped = x.iter().filter(|v| v.abs() > level).count();
    let share = clipped as f64 / x.len().max(1) as f64;
    let changed = x.iter().map(|v| v.clamp(-level, level)).collect();
    Ok(Changed::new(changed).with("clip_level_dbfs", 20.0 * libm::log10(level)).with("clipped_share", share))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of a 100 Hz sine of the given peak.
    fn sine(peak: f64) -> Vec<f32> {
        (0..8_000).map(|i| (peak * libm::sin(2.0 * core::f64::consts::PI * f64::from(i) / 160.0)) as f32).collect()
    }

    #[test]
    fn gain_multiplies() {
        let got = gain(&[0.25, -0.5, 1.0], 6.0).unwrap();
        let factor = 1.995_262_314_968_879_5;
        for (y, x) in got.samples.iter().zip([0.25, -0.5, 1.0]) {
            assert!((y - factor * x).abs() < 1e-15, "{y}");
        }
        assert_eq!(got.achieved, [("gain_db".to_owned(), 6.0)]);
        let x = sine(0.7);
        assert_eq!(gain(&x, 0.0).unwrap().samples, widen(&x));
    }

    #[test]
    fn the_offset_is_measured_after_saturation() {
        let got = dc(&sine(0.3), 0.1).unwrap();
        assert!((got.achieved[0].1 - 0.1).abs() < 1e-9, "{:?}", got.achieved);
        assert!((got.samples[40] - 0.4).abs() < 1e-7);
        // A quarter of the clip lies at 0.9 and saturates: it gains less than 0.3.
        let saturated = dc(&[0.9, 0.0, 0.0, 0.0], 0.3).unwrap();
        assert!((saturated.achieved[0].1 - (MAX_SAMPLE + 0.9) / 4.0).abs() < 1e-12, "{:?}", saturated.achieved);
    }

    #[test]
    fn clipping_level_and_share_of_a_sine() {
        let got = clip(&sine(0.5), 6.020_599_913_279_624).unwrap();
        let peak = got.samples.iter().map(|v| v.abs()).fold(0.0, f64::max);
        assert!((peak - 0.25).abs() < 1e-7, "{peak}");
        assert!((got.achieved[0].1 - 20.0 * libm::log10(0.25)).abs() < 1e-5, "{:?}", got.achieved);
        // A sine exceeds half of its peak for two thirds of the time: 53 of the 80 samples of a half period.
        assert!((got.achieved[1].1 - 2.0 / 3.0).abs() < 0.01, "{:?}", got.achieved);
        let none = clip(&sine(0.5), 0.0).unwrap();
        assert_eq!((none.samples, none.achieved[1].1), (widen(&sine(0.5)), 0.0));
        let silence = clip(&[0.0; 9], 10.0).unwrap();
        assert_eq!(silence.achieved, [("clipped_share".to_owned(), 0.0)]);
    }
}
