//! Automatic gain control.

use super::{Changed, amplitude, within};
use crate::RATE_HZ;
use crate::degrade::MAX_SAMPLE;
use crate::error::DegradeError;

/// Least gain, dB.
const MIN_GAIN_DB: f64 = -40.0;
/// The short-term level may exceed the long-term one by this much before it takes over, dB. Syllables stand out of
/// running speech by about that: with less margin the gain would follow every syllable and settle below the target.
const MARGIN_DB: f64 = 6.0;
/// Added to every power (-400 dB): keeps silence from decaying into subnormal numbers, which are slow.
const FLOOR: f64 = 1e-40;

/// Settings of an AGC.
pub(crate) struct Settings {
    pub(crate) target_dbfs: f64,
    pub(crate) max_gain_db: f64,
    pub(crate) attack_ms: f64,
    pub(crate) release_ms: f64,
}

/// A feed-forward AGC: the gain at every sample is the target over a level read from the past, within -40 dB and the
/// greatest gain.
///
/// The level is a mean power with exponential memory of `release_ms`. A second one with a memory of `attack_ms` runs
/// beside it and, where it exceeds the first by more than 6 dB, lifts it to 6 dB below itself. So a sudden loud sound is
/// pulled down to 6 dB above the target in about `attack_ms` and to the target in `release_ms`, a sudden quiet one is
/// raised in a few `release_ms`, and running speech settles at the target. Where attack is slower than release,
/// the level rises with the attack. The start is at unity gain; pauses raise the gain, as in simple devices.
///
/// `level_dbfs` is the RMS of the output after saturation.
pub(crate) fn control(samples: &[f32], settings: &Settings) -> Result<Changed, DegradeError> {
    within("target_dbfs", settings.target_dbfs, -60.0..=-3.0, "-60 to -3 dB")?;
    within("max_gain_db", settings.max_gain_db, 0.0..=60.0, "0 to 60 dB")?;
    within("attack_ms", settings.attack_ms, 0.1..=10_000.0, "0.1 to 10000 ms")?;
    within("release_ms", settings.release_ms, 1.0..=60_000.0, "1 to 60000 ms")?;
    let approach = |ms: f64| -libm::expm1(-1000.0 / (f64::from(RATE_HZ) * ms));
    let attack = approach(settings.attack_ms);
    let (release, rise) = (approach(settings.release_ms), approach(settings.release_ms.max(settings.attack_ms)));
    let target = amplitude(2.0 * settings.target_dbfs);
    let (least, most) = (amplitude(MIN_GAIN_DB), amplitude(settings.max_gain_db));
    let margin = amplitude(-2.0 * MARGIN_DB);
    let (mut short, mut long) = (0.0, target);
    let (mut lowest, mut highest, mut energy) = (f64::INFINITY, 0.0f64, 0.0);
    let changed: Vec<f64> = samples
        .iter()
        .map(|x| {
            let x = f64::from(*x);
            let power = x * x + FLOOR;
            short += attack * (power - short);
            long += if power > long { rise } else { release } * (power - long);
            long = long.max(margin * short);
            let gain = (target / long).sqrt().clamp(least, most);
            lowest = lowest.min(gain);
            highest = highest.max(gain);
            let y = gain * x;
            let kept = y.clamp(-1.0, MAX_SAMPLE);
            energy += kept * kept;
            y
        })
        .collect();
    let level_dbfs = 10.0 * libm::log10(energy / samples.len().max(1) as f64);
    Ok(Changed::new(changed)
        .with("gain_min_db", 20.0 * libm::log10(lowest))
        .with("gain_max_db", 20.0 * libm::log10(highest))
        .with("level_dbfs", level_dbfs))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Settings = Settings { target_dbfs: -23.0, max_gain_db: 30.0, attack_ms: 10.0, release_ms: 500.0 };

    /// A 500 Hz tone whose level steps through (seconds, dBFS).
    fn steps(parts: &[(f64, f64)]) -> Vec<f32> {
        let levels = parts.iter().flat_map(|(s, db)| core::iter::repeat_n(*db, (s * 16_000.0) as usize));
        levels
            .enumerate()
            .map(|(i, db)| {
                let sine = libm::sin(2.0 * core::f64::consts::PI * 500.0 * i as f64 / 16_000.0);
                (amplitude(db + 3.010_299_956_639_812) * sine) as f32
            })
            .collect()
    }

    /// Level of the 4 ms from `second` on.
    fn level_at(y: &[f64], second: f64) -> f64 {
        let from = (second * 16_000.0) as usize;
        10.0 * libm::log10(y[from..from + 64].iter().map(|v| v * v).sum::<f64>() / 64.0)
    }

    #[test]
    fn steady_levels_settle_at_the_target() {
        for (level, want) in [(-45.0, -23.0), (-23.0, -23.0), (-10.0, -23.0), (-60.0, -30.0)] {
            let y = control(&steps(&[(5.0, level)]), &DEFAULT).unwrap().samples;
            assert!((level_at(&y, 4.9) - want).abs() < 0.1, "{level}: {}", level_at(&y, 4.9));
        }
        let loud = Settings { target_dbfs: -60.0, ..DEFAULT };
        let y = control(&steps(&[(5.0, -4.0)]), &loud).unwrap().samples;
        assert!((level_at(&y, 4.9) + 44.0).abs() < 0.1, "the gain goes no lower than -40 dB: {}", level_at(&y, 4.9));
    }

    #[test]
    fn a_burst_is_pulled_down_within_three_attack_times() {
        let x = steps(&[(4.0, -45.0), (2.0, -10.0)]);
        let y = control(&x, &DEFAULT).unwrap().samples;
        let at = |ms: f64| level_at(&y, 4.0 + ms / 1000.0);
        assert!(at(0.0) > -9.0, "the gain of before meets the first milliseconds: {}", at(0.0));
        assert!(at(30.0) < -16.5, "after three attack times: {}", at(30.0));
        assert!((at(1_500.0) + 23.0).abs() < 0.5, "after three release times: {}", at(1_500.0));
        // With a slower attack the same takes longer.
        let slow = control(&x, &Settings { attack_ms: 200.0, ..DEFAULT }).unwrap().samples;
        assert!(level_at(&slow, 4.03) > at(30.0) + 3.0, "{} and {}", level_at(&slow, 4.03), at(30.0));
    }

    #[test]
    fn the_gain_rises_with_the_release() {
        let x = steps(&[(4.0, -23.0), (3.0, -43.0)]);
        let at = |release_ms: f64, second: f64| {
            level_at(&control(&x, &Settings { release_ms, ..DEFAULT }).unwrap().samples, 4.0 + second)
        };
        // The level read falls as exp(-t / release): by 8.7 dB in two release times.
        assert!((at(500.0, 1.0) + 43.0 - 8.5).abs() < 0.6, "{}", at(500.0, 1.0));
        assert!((at(100.0, 1.0) + 23.0).abs() < 0.2, "{}", at(100.0, 1.0));
        assert!(at(500.0, 0.05) < at(100.0, 0.05) - 1.0);
    }

    #[test]
    fn the_receipt_holds_the_range_of_the_gain() {
        let got = control(&steps(&[(4.0, -45.0), (1.0, -10.0)]), &DEFAULT).unwrap();
        let names: Vec<&str> = got.achieved.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["gain_min_db", "gain_max_db", "level_dbfs"]);
        assert!((got.achieved[1].1 - 22.0).abs() < 0.3, "{:?}", got.achieved);
        assert!((-14.0..-10.0).contains(&got.achieved[0].1), "{:?}", got.achieved);
        let silence = control(&[0.0; 100], &DEFAULT).unwrap();
        assert_eq!(silence.achieved.len(), 2, "silence has no level: {:?}", silence.achieved);
    }
}
