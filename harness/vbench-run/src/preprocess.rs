//! The declared preprocessing of a suite, applied to one clip; every step leaves a receipt.
//!
//! Trimming keeps samples as they are; what resampling and levelling make lies on the 16-bit grid.

use std::sync::LazyLock;

use vbench_audio::{MAX_SAMPLE, RATE_HZ, to_grid};
use vbench_core::hash::sha256_hex;
use vbench_core::{Levelling, Preprocess, StepReceipt};
use vbench_score::signal::{Undefined, loudness_lufs};

/// Frames of the trimming, samples: 20 ms.
const FRAME: usize = RATE_HZ as usize / 50;
/// Kept before the first and behind the last frame with sound, frames: 100 ms.
const MARGIN: usize = 5;

/// What tells preprocessed audio of one recording apart, for the audio cache: the steps and the code behind them that is not in
/// [`vbench_audio::CODE_VERSION`].
pub fn identity(steps: &Preprocess) -> String {
    static CODE: LazyLock<String> = LazyLock::new(|| {
        let loudness = include_str!("../../vbench-score/src/signal/loudness.rs");
        sha256_hex(format!("{}{loudness}", include_str!("preprocess.rs")).as_bytes())
    });
    format!("{} {}", steps.recipe(), *CODE)
}

/// Samples at 16 kHz after preprocessing, and what each step did.
///
/// # Errors
/// In words: a clip too short for a loudness (400 ms). Silence, and what is below the gate of -70 LUFS, stays as loud as it is.
pub fn preprocess(steps: &Preprocess, mut samples: Vec<f32>) -> Result<(Vec<f32>, Vec<StepReceipt>), String> {
    let mut achieved = Vec::new();
    if let Some(hz) = steps.resample_hz {
        let clipped;
        (samples, clipped) = through_rate(&samples, hz);
        achieved.push(vec![("clipped_samples".to_owned(), clipped as f64)]);
    }
    if let Some(db) = steps.trim_db {
        let (from, to) = sounding(&samples, db);
        let seconds = |n: usize| n as f64 / f64::from(RATE_HZ);
        let cut =
            vec![("cut_start_s".to_owned(), seconds(from)), ("cut_end_s".to_owned(), seconds(samples.len() - to))];
        samples.truncate(to);
        samples.drain(..from);
        achieved.push(cut);
    }
    if let Some(level) = steps.level {
        let (gain_db, held_back_db) = gain(level, &samples)?;
        let gain = libm::pow(10.0, gain_db / 20.0);
        let louder: Vec<f64> = samples.iter().map(|s| gain * f64::from(*s)).collect();
        samples = to_grid(&louder).0;
        achieved.push(vec![("gain_db".to_owned(), gain_db), ("held_back_db".to_owned(), held_back_db)]);
    }
    let receipt = |(recipe, achieved): (String, _)| StepReceipt {
        recipe: format!("preprocess: {recipe}"),
        achieved,
        facts: Vec::new(),
    };
    Ok((samples, steps.steps().into_iter().zip(achieved).map(receipt).collect()))
}

/// To another rate and back, as long as before.
fn through_rate(samples: &[f32], hz: u32) -> (Vec<f32>, u64) {
    let mut back = vbench_dsp::resample(&vbench_dsp::resample(samples, RATE_HZ, hz), hz, RATE_HZ);
    back.resize(samples.len(), 0.0);
    to_grid(&back.iter().map(|s| f64::from(*s)).collect::<Vec<_>>())
}

/// First sample, and the one behind the last, of the part that is kept; all of silence.
fn sounding(samples: &[f32], below_db: f64) -> (usize, usize) {
    let energy = |f: &[f32]| f.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / f.len() as f64;
    let energies: Vec<f64> = samples.chunks(FRAME).map(energy).collect();
    let limit = energies.iter().copied().fold(0.0, f64::max) * libm::pow(10.0, -below_db / 10.0);
    let loud = |e: &f64| *e > 0.0 && *e >= limit;
    match (energies.iter().position(loud), energies.iter().rposition(loud)) {
        (Some(first), Some(last)) => {
            (first.saturating_sub(MARGIN) * FRAME, ((last + 1 + MARGIN) * FRAME).min(samples.len()))
        }
        _ => (0, samples.len()),
    }
}

/// The gain in dB that leads to a level, and by how much it stays below so that no sample clips.
fn gain(level: Levelling, samples: &[f32]) -> Result<(f64, f64), String> {
    let peak = samples.iter().fold(0.0f64, |p, s| p.max(f64::from(s.abs())));
    let peak_db = 20.0 * libm::log10(peak);
    let wanted = match level {
        _ if peak == 0.0 => return Ok((0.0, 0.0)),
        Levelling::PeakDbfs(dbfs) => dbfs - peak_db,
        Levelling::LoudnessLufs(wanted) => {
            let wide: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
            match loudness_lufs(&wide, RATE_HZ) {
                Ok(lufs) => wanted - lufs,
                Err(Undefined::Silent | Undefined::BelowGate) => return Ok((0.0, 0.0)),
                Err(why) => return Err(format!("preprocess: loudness: {why}")),
            }
        }
    };
    let room = 20.0 * libm::log10(MAX_SAMPLE) - peak_db;
    Ok((wanted.min(room), (wanted - room).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(peak: f64, seconds: f64) -> Vec<f32> {
        let value = |i: usize| (peak * libm::sin(0.4 * i as f64)) as f32;
        (0..(seconds * 16_000.0) as usize).map(value).collect()
    }

    fn apply(steps: Preprocess, samples: Vec<f32>) -> (Vec<f32>, Vec<StepReceipt>) {
        preprocess(&steps, samples).expect("applies")
    }

    fn peak_of(samples: &[f32]) -> f64 {
        f64::from(samples.iter().fold(0.0f32, |p, s| p.max(s.abs())))
    }

    fn loudness_of(samples: &[f32]) -> f64 {
        loudness_lufs(&samples.iter().map(|s| f64::from(*s)).collect::<Vec<_>>(), RATE_HZ).expect("loud")
    }

    const NONE: Preprocess = Preprocess { resample_hz: None, trim_db: None, level: None };
    const PEAK: Preprocess = Preprocess { level: Some(Levelling::PeakDbfs(-3.0)), ..NONE };
    const LOUDNESS: Preprocess = Preprocess { level: Some(Levelling::LoudnessLufs(-23.0)), ..NONE };

    #[test]
    fn peak_and_loudness_become_what_was_declared() {
        let (loud, receipts) = apply(PEAK, tone(0.1, 2.0));
        assert!((peak_of(&loud) - 0.707_95).abs() < 1e-4, "{}", peak_of(&loud));
        assert_eq!(receipts[0].recipe, "preprocess: peak(dbfs=-3)");
        let (even, _) = apply(LOUDNESS, tone(0.1, 2.0));
        assert!((loudness_of(&even) + 23.0).abs() < 0.01, "{}", loudness_of(&even));
        assert!(even.iter().all(|s| (s * 32_768.0).fract() == 0.0), "on the grid that the audio cache keeps");
        for steps in [PEAK, LOUDNESS] {
            assert_eq!(apply(steps, vec![0.0; 16_000]).0, vec![0.0; 16_000], "silence stays");
        }
        assert!(preprocess(&LOUDNESS, tone(0.1, 0.2)).is_err_and(|e| e.contains("3200 samples, 6400 are needed")));
    }

    #[test]
    fn a_level_is_held_back_before_it_clips() {
        // One loud sample in a faint clip.
        let mut samples = tone(0.001, 2.0);
        samples[7000] = 0.9;
        let (out, receipts) = apply(LOUDNESS, samples);
        let of = |name: &str| receipts[0].achieved.iter().find(|a| a.0 == name).map(|a| a.1).expect("told");
        assert!((peak_of(&out) - MAX_SAMPLE).abs() < 1e-9, "{}", peak_of(&out));
        assert!(of("held_back_db") > 5.0 && (of("gain_db") - 0.915).abs() < 0.01, "{receipts:?}");
        let full = Preprocess { level: Some(Levelling::PeakDbfs(0.0)), ..NONE };
        assert!((peak_of(&apply(full, tone(0.1, 1.0)).0) - MAX_SAMPLE).abs() < 1e-9);
    }

    #[test]
    fn trimming_keeps_a_tenth_of_a_second_around_the_sound() {
        let samples: Vec<f32> = [0.0; 16_000].into_iter().chain(tone(0.3, 1.0)).chain([0.0; 8000]).collect();
        let trim = Preprocess { trim_db: Some(40.0), ..NONE };
        let (cut, receipts) = apply(trim, samples.clone());
        assert_eq!(cut, samples[16_000 - 1600..32_000 + 1600]);
        assert_eq!(receipts[0].achieved, [("cut_start_s".to_owned(), 0.9), ("cut_end_s".to_owned(), 0.4)]);
        assert_eq!(apply(trim, vec![0.0; 1000]).0.len(), 1000);
        assert_eq!(apply(trim, Vec::new()).0.len(), 0);
    }

    #[test]
    fn resampling_takes_the_upper_band_and_keeps_the_length() {
        let high: Vec<f32> = (0..16_001).map(|i| (0.5 * libm::sin(2.6 * f64::from(i))) as f32).collect();
        let (low, _) = apply(Preprocess { resample_hz: Some(8000), ..NONE }, high);
        assert_eq!(low.len(), 16_001);
        let middle = &low[2000..14_000];
        assert!(middle.iter().all(|s| s.abs() < 0.005), "6.6 kHz does not pass");
    }

    #[test]
    fn the_cache_tells_steps_apart() {
        assert_ne!(identity(&PEAK), identity(&LOUDNESS));
        assert_eq!(identity(&PEAK), identity(&PEAK));
    }
}
