//! Active speech level by ITU-T P.56, method B.

/// Time constant of the envelope's two exponential averages, s.
const TIME_CONSTANT_S: f64 = 0.03;
/// Hangover after the envelope falls below a threshold, s.
const HANGOVER_S: f64 = 0.2;
/// Margin between the active level and the threshold of activity, dB.
const MARGIN_DB: f64 = 15.9;
/// Thresholds lie at 2^-15, 2^-14, …, 2^-1 of full scale, as in a 16-bit speech voltmeter.
const THRESHOLDS: usize = 15;

/// What a speech voltmeter reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechLevel {
    /// Active speech level, dB relative to full scale (a constant of 1.0 is 0 dB; a full-scale sine is -3.01 dB).
    pub active_dbfs: f64,
    /// Share of the time during which speech is active, 0 to 1; the hangover counts as activity.
    pub activity: f64,
    /// Long-term level over the whole signal, dB relative to full scale.
    pub long_term_dbfs: f64,
}

/// Active speech level of mono samples in -1..1 at `rate_hz`; `None` when nothing is active: no samples, silence, or
/// a signal so faint that the threshold would lie below the lowest one (2^-15 of full scale).
///
/// ITU-T P.56 (12/2011), method B: the envelope is the twice averaged absolute value (30 ms), activity at each of 15
/// thresholds includes a hangover of 200 ms, and the level is read where it exceeds the threshold by 15.9 dB,
/// interpolated linearly in dB. The hangover makes activity of gated speech longer than the gate, by the standard's
/// intent: pauses below 200 ms belong to speech.
#[must_use]
pub fn active_speech_level(samples: &[f32], rate_hz: u32) -> Option<SpeechLevel> {
    if samples.is_empty() || rate_hz == 0 {
        return None;
    }
    let rate = f64::from(rate_hz);
    let (counts, energy) = activity_counts(samples, rate);
    if energy <= 0.0 || !energy.is_finite() {
        return None;
    }
    let n = samples.len() as f64;
    let long_term_dbfs = 10.0 * libm::log10(energy / n);
    let threshold_db = |j: usize| 20.0 * libm::log10(2.0) * (j as f64 - THRESHOLDS as f64);
    let level_db = |j: usize| 10.0 * libm::log10(energy / counts[j] as f64);
    let mut previous: Option<(f64, f64)> = None;
    for (j, &count) in counts.iter().enumerate() {
        let (level, threshold) = if count == 0 {
            // Nothing reaches this threshold: the crossing lies between the previous one and here, and the level
            // that the standard extrapolates to is the previous one.
            let (level, _) = previous?;
            (level, threshold_db(j))
        } else {
            (level_db(j), threshold_db(j))
        };
        let margin = level - threshold;
        if margin <= MARGIN_DB {
            let (level_before, margin_before) = previous?;
            let share = (margin_before - MARGIN_DB) / (margin_before - margin);
            let active_dbfs = level_before + share * (level - level_before);
            let activity = libm::pow(10.0, (long_term_dbfs - active_dbfs) / 10.0).min(1.0);
            return Some(SpeechLevel { active_dbfs, activity, long_term_dbfs });
        }
        previous = Some((level, margin));
    }
    // The margin still exceeds 15.9 dB at half of full scale: the level would have to exceed +9.9 dB.
    None
}

/// Samples active at each threshold (with hangover), lowest threshold first, and the sum of squares.
fn activity_counts(samples: &[f32], rate: f64) -> ([u64; THRESHOLDS], f64) {
    let g = libm::exp(-1.0 / (rate * TIME_CONSTANT_S));
    let hangover = libm::ceil(rate * HANGOVER_S) as u64;
    let (mut p, mut q, mut energy) = (0.0f64, 0.0f64, 0.0f64);
    // The thresholds are nested, so one number says which are exceeded; work is needed only when it changes.
    let mut reached = 0usize;
    let mut fell_at = [None::<u64>; THRESHOLDS];
    let mut active = [0u64; THRESHOLDS];
    let mut rose_at = [0u64; THRESHOLDS];
    for (i, &x) in samples.iter().enumerate() {
        let x = f64::from(x);
        energy += x * x;
        p = g * p + (1.0 - g) * x.abs();
        q = g * q + (1.0 - g) * p;
        let now = thresholds_reached(q);
        if now != reached {
            let i = i as u64;
            for j in reached..now {
                active[j] += fell_at[j].map_or(0, |fell| (i - fell).min(hangover));
                rose_at[j] = i;
            }
            for j in now..reached {
                active[j] += i - rose_at[j];
                fell_at[j] = Some(i);
            }
            reached = now;
        }
    }
    let n = samples.len() as u64;
    for j in 0..THRESHOLDS {
        active[j] += if j < reached { n - rose_at[j] } else { fell_at[j].map_or(0, |fell| (n - fell).min(hangover)) };
    }
    (active, energy)
}

/// How many of the thresholds 2^-15 … 2^-1 the envelope reaches, from its binary exponent.
fn thresholds_reached(envelope: f64) -> usize {
    let exponent = (envelope.to_bits() >> 52) as i64 - 1023;
    (exponent + 1 + THRESHOLDS as i64).clamp(0, THRESHOLDS as i64) as usize
}

/// Root mean square in dB relative to full scale; negative infinity for silence or no samples.
#[must_use]
pub fn rms_dbfs(samples: &[f32]) -> f64 {
    if samples.is_empty() {
        return f64::NEG_INFINITY;
    }
    let energy: f64 = samples.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    if energy > 0.0 { 10.0 * libm::log10(energy / samples.len() as f64) } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gated_tone(rate: u32, period_s: f64, on_s: f64, periods: usize, peak: f64) -> Vec<f32> {
        let period = (period_s * f64::from(rate)) as usize;
        let on = (on_s * f64::from(rate)) as usize;
        (0..period * periods)
            .map(|i| {
                let tone = peak * libm::sin(2.0 * core::f64::consts::PI * 1000.0 * i as f64 / f64::from(rate));
                if i % period < on { tone as f32 } else { 0.0 }
            })
            .collect()
    }

    #[test]
    fn gated_tones_read_their_level_and_activity() {
        // Long gates, so that the hangover's share (0.2 s plus the envelope's fall) is within the bounds.
        for rate in [8_000, 16_000, 44_100] {
            for peak in [0.5, 0.05, 0.004] {
                let want_level = 20.0 * libm::log10(peak) - 3.0103;
                for (on, want_activity) in [(20.0, 0.25), (40.0, 0.5), (80.0, 1.0)] {
                    let x = gated_tone(rate, 80.0, on, 1, peak);
                    let got = active_speech_level(&x, rate).unwrap();
                    assert!(
                        (got.active_dbfs - want_level).abs() < 0.1 && (got.activity - want_activity).abs() < 0.01,
                        "{rate} Hz peak {peak} on {on}: {got:?}, want {want_level}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_hangover_counts_as_activity() {
        // 1 s on, 1 s off. The envelope (two 30 ms averages, each started at 2/pi of the peak) is above the threshold
        // for t = 30 ms * u after the gate, (1 + u) exp(-u) = threshold / plateau; then 200 ms of hangover.
        let (rate, peak) = (16_000, 0.3);
        let got = active_speech_level(&gated_tone(rate, 2.0, 1.0, 30, peak), rate).unwrap();
        let threshold = libm::pow(10.0, (got.active_dbfs - MARGIN_DB) / 20.0);
        let plateau = peak * 2.0 / core::f64::consts::PI;
        let solve = |target: f64| {
            let (mut lo, mut hi) = (0.0, 40.0);
            for _ in 0..100 {
                let u: f64 = 0.5 * (lo + hi);
                if (1.0 + u) * libm::exp(-u) > target { lo = u } else { hi = u }
            }
            lo
        };
        let fall_s = TIME_CONSTANT_S * solve(threshold / plateau);
        let rise_s = TIME_CONSTANT_S * solve(1.0 - threshold / plateau);
        let want_activity = (1.0 + fall_s + HANGOVER_S - rise_s) / 2.0;
        let want_level = 20.0 * libm::log10(peak) - 3.0103 - 10.0 * libm::log10(want_activity / 0.5);
        assert!((got.activity - want_activity).abs() < 0.01, "{got:?}, want {want_activity}");
        assert!((got.active_dbfs - want_level).abs() < 0.1, "{got:?}, want {want_level}");
    }

    #[test]
    fn pauses_shorter_than_the_hangover_are_speech() {
        let got = active_speech_level(&gated_tone(16_000, 0.3, 0.15, 100, 0.3), 16_000).unwrap();
        assert!(got.activity > 0.99, "{got:?}");
    }

    #[test]
    fn silence_has_no_active_level() {
        assert_eq!(active_speech_level(&[], 16_000), None);
        assert_eq!(active_speech_level(&[0.0; 16_000], 16_000), None);
        assert_eq!(active_speech_level(&[1e-7; 16_000], 16_000), None);
        assert_eq!(active_speech_level(&[0.5; 100], 0), None);
        assert_eq!(rms_dbfs(&[0.0; 10]), f64::NEG_INFINITY);
    }

    #[test]
    fn gain_moves_the_level_by_itself() {
        let x = gated_tone(16_000, 3.0, 1.2, 4, 0.2);
        let base = active_speech_level(&x, 16_000).unwrap();
        for gain_db in [-30.0, -12.3, 6.0, 12.0] {
            let g = libm::pow(10.0, gain_db / 20.0) as f32;
            let y: Vec<f32> = x.iter().map(|v| v * g).collect();
            let got = active_speech_level(&y, 16_000).unwrap();
            assert!((got.active_dbfs - base.active_dbfs - gain_db).abs() < 0.05, "{gain_db}: {got:?} {base:?}");
        }
    }
}
