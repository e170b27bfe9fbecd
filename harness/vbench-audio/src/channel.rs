//! What a channel other than a codec does to speech: levels, gaps, filters, time scales, gain control.
//!
//! ```text
//! channel/level.rs     gain, offset, clipping
//! channel/gaps.rs      drop-outs
//! channel/filter.rs    band limits, microphones
//! channel/time.rs      rate mismatch, speed, tempo, pitch
//! channel/wsola.rs     the overlap-add beneath tempo and pitch
//! channel/agc.rs       automatic gain control
//! ```
//!
//! All steps are without delay and, but for those that change the time scale, keep the length. A step of strength zero
//! hands its input on bit by bit.

mod agc;
mod filter;
mod gaps;
mod level;
mod time;
mod wsola;

use core::ops::RangeInclusive;

use rand_chacha::ChaCha8Rng;
use vbench_core::Degradation;

use crate::error::DegradeError;

pub(crate) use filter::from_magnitude;

/// What a channel step did; samples are not yet rounded to the 16-bit grid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changed {
    pub(crate) samples: Vec<f64>,
    /// Achieved values with their units in the name. Values that a clip does not have (the level of silence in dB) are
    /// left out: every number is finite.
    pub(crate) achieved: Vec<(String, f64)>,
    pub(crate) facts: Vec<(String, String)>,
}

impl Changed {
    fn new(samples: Vec<f64>) -> Self {
        Self { samples, achieved: Vec::new(), facts: Vec::new() }
    }

    fn unchanged(samples: &[f32]) -> Self {
        Self::new(widen(samples))
    }

    fn with(mut self, name: &str, value: f64) -> Self {
        if value.is_finite() {
            self.achieved.push((name.to_owned(), value));
        }
        self
    }
}

/// Applies one channel step to a clip (mono, 16 kHz, finite). Only drop-outs draw from `rng`.
///
/// Achieved values by step: `gaps`, `gap_share` (drop-outs); `clip_level_dbfs`, `clipped_share`; `gain_db`; `dc`;
/// `time_scale`, output over input length (rate mismatch, speed, tempo, pitch); `pitch_ratio` (pitch); `gain_min_db`,
/// `gain_max_db`, `level_dbfs` (AGC).
///
/// # Errors
/// [`DegradeError::Parameter`] for a parameter outside its range or not a number.
///
/// # Panics
/// For a step that is none of the channel's.
pub(crate) fn apply(step: &Degradation, samples: &[f32], rng: &mut ChaCha8Rng) -> Result<Changed, DegradeError> {
    match *step {
        Degradation::DropOuts { per_minute, mean_ms } => gaps::drop_outs(samples, per_minute, mean_ms, rng),
        Degradation::Clip { below_peak_db } => level::clip(samples, below_peak_db),
        Degradation::Gain { db } => level::gain(samples, db),
        Degradation::Dc { offset } => level::dc(samples, offset),
        Degradation::Band { low_hz, high_hz } => filter::band(samples, low_hz, high_hz),
        Degradation::RateMismatch { recorded_hz, declared_hz } => {
            time::rate_mismatch(samples, recorded_hz, declared_hz)
        }
        Degradation::Speed { factor } => time::speed(samples, factor),
        Degradation::Tempo { factor } => time::tempo(samples, factor),
        Degradation::Pitch { semitones } => time::pitch(samples, semitones),
        Degradation::Microphone(kind) => Ok(filter::microphone(samples, kind)),
        Degradation::Agc { target_dbfs, max_gain_db, attack_ms, release_ms } => {
            agc::control(samples, &agc::Settings { target_dbfs, max_gain_db, attack_ms, release_ms })
        }
        Degradation::Noise(_)
        | Degradation::Reverb(_)
        | Degradation::Response(_)
        | Degradation::Codec(_)
        | Degradation::Loss(_) => unreachable!("{} is none of the channel's steps", step.recipe()),
    }
}

/// Refuses a parameter outside `range`; a NaN lies outside every range.
fn within(
    parameter: &'static str,
    actual: f64,
    range: RangeInclusive<f64>,
    expected: &'static str,
) -> Result<(), DegradeError> {
    if range.contains(&actual) { Ok(()) } else { Err(DegradeError::Parameter { parameter, actual, expected }) }
}

fn widen(samples: &[f32]) -> Vec<f64> {
    samples.iter().map(|x| f64::from(*x)).collect()
}

/// Amplitude of a level in dB.
fn amplitude(db: f64) -> f64 {
    libm::pow(10.0, db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::keyed::keyed_rng;

    fn change(step: &Degradation, samples: &[f32]) -> Result<Changed, DegradeError> {
        apply(step, samples, &mut keyed_rng(1, "channel", "c/u", &step.recipe()))
    }

    fn agc(target_dbfs: f64, max_gain_db: f64, attack_ms: f64, release_ms: f64) -> Degradation {
        Degradation::Agc { target_dbfs, max_gain_db, attack_ms, release_ms }
    }

    #[test]
    fn every_parameter_outside_its_range_is_named() {
        use Degradation::*;
        type Make = fn(f64) -> Degradation;
        let cases: [(&str, f64, f64, Make); 17] = [
            ("per_minute", -0.1, 600.1, |v| DropOuts { per_minute: v, mean_ms: 100.0 }),
            ("mean_ms", 0.9, 10_001.0, |v| DropOuts { per_minute: 1.0, mean_ms: v }),
            ("below_peak_db", -0.1, 60.1, |v| Clip { below_peak_db: v }),
            ("db", -80.1, 80.1, |v| Gain { db: v }),
            ("offset", -0.51, 0.51, |v| Dc { offset: v }),
            ("low_hz", -1.0, 7501.0, |v| Band { low_hz: v, high_hz: 8000.0 }),
            ("high_hz", 99.0, 8001.0, |v| Band { low_hz: 0.0, high_hz: v }),
            ("high_hz", 1001.0, 1049.0, |v| Band { low_hz: 1000.0, high_hz: v }),
            ("recorded_hz", 3999.0, 192_001.0, |v| RateMismatch { recorded_hz: v, declared_hz: 16_000.0 }),
            ("declared_hz", 3999.0, 192_001.0, |v| RateMismatch { recorded_hz: 16_000.0, declared_hz: v }),
            ("factor", 0.24, 4.1, |v| Speed { factor: v }),
            ("factor", 0.24, 4.1, |v| Tempo { factor: v }),
            ("semitones", -24.1, 24.1, |v| Pitch { semitones: v }),
            ("target_dbfs", -60.1, -2.9, |v| agc(v, 30.0, 10.0, 500.0)),
            ("max_gain_db", -0.1, 60.1, |v| agc(-23.0, v, 10.0, 500.0)),
            ("attack_ms", 0.09, 10_001.0, |v| agc(-23.0, 30.0, v, 500.0)),
            ("release_ms", 0.9, 60_001.0, |v| agc(-23.0, 30.0, 10.0, v)),
        ];
        for (name, low, high, make) in cases {
            for value in [low, high, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let got = change(&make(value), &[0.1; 50]);
                assert!(
                    matches!(&got, Err(DegradeError::Parameter { parameter, actual, .. })
                        if *parameter == name && (actual.to_bits() == value.to_bits())),
                    "{name} = {value}: {got:?}"
                );
            }
        }
    }

    #[test]
    fn short_clips_and_silence_work_in_every_step() {
        use Degradation::*;
        let steps = [
            DropOuts { per_minute: 600.0, mean_ms: 20.0 },
            Clip { below_peak_db: 12.0 },
            Gain { db: 6.0 },
            Band { low_hz: 300.0, high_hz: 3400.0 },
            RateMismatch { recorded_hz: 16_000.0, declared_hz: 16_320.0 },
            RateMismatch { recorded_hz: 4_000.0, declared_hz: 192_000.0 },
            Speed { factor: 1.1 },
            Tempo { factor: 0.7 },
            Pitch { semitones: -5.0 },
            Microphone(vbench_core::Microphone::Laptop),
            agc(-23.0, 30.0, 10.0, 500.0),
        ];
        for n in [1usize, 2, 10, 100, 5_000] {
            for step in &steps {
                let silent = change(step, &vec![0.0; n]).unwrap();
                assert!(silent.samples.iter().all(|v| *v == 0.0), "{} of silence", step.recipe());
                assert!(silent.achieved.iter().all(|(_, v)| v.is_finite()), "{silent:?}");
                let tone: Vec<f32> = (0..n).map(|i| (0.5 * libm::sin(0.3 * i as f64 + 1.0)) as f32).collect();
                let loud = change(step, &tone).unwrap();
                assert!(!loud.samples.is_empty() && loud.samples.iter().all(|v| v.is_finite()), "{}", step.recipe());
            }
            let offset = change(&Dc { offset: -0.25 }, &vec![0.0; n]).unwrap();
            assert_eq!((offset.samples, offset.achieved), (vec![-0.25; n], vec![("dc".to_owned(), -0.25)]));
        }
    }
}
