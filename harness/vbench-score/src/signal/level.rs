//! Peak, power, DC and clipping of one signal.

use super::{Reading, Undefined};

/// The largest value of 16-bit audio; samples from here on, either side, are at full scale.
const FULL_SCALE: f32 = 32_767.0 / 32_768.0;
/// Equal extreme samples in a row that make a flat top.
const FLAT_RUN: usize = 3;

/// Largest absolute sample in dB relative to full scale (1.0); negative infinity for silence.
///
/// # Errors
///
/// No samples, or one that is not finite.
pub fn peak_dbfs(samples: &[f32]) -> Reading {
    measurable(samples)?;
    let peak = peak(samples);
    Ok(if peak > 0.0 { 20.0 * libm::log10(peak) } else { f64::NEG_INFINITY })
}

/// Root mean square in dB relative to full scale: a full-scale sine reads -3.01, silence negative infinity.
///
/// # Errors
///
/// No samples, or one that is not finite.
pub fn rms_dbfs(samples: &[f32]) -> Reading {
    measurable(samples)?;
    Ok(vbench_dsp::rms_dbfs(samples))
}

/// Peak over root mean square in dB, 0 or more: 3.01 for a sine.
///
/// # Errors
///
/// No samples, silence, or a sample that is not finite.
pub fn crest_db(samples: &[f32]) -> Reading {
    let (peak, rms) = (peak_dbfs(samples)?, rms_dbfs(samples)?);
    // Rounding must not put a constant below zero.
    if peak.is_finite() && rms.is_finite() { Ok((peak - rms).max(0.0)) } else { Err(Undefined::Silent) }
}

/// Mean of the samples, -1 to 1.
///
/// # Errors
///
/// No samples, or one that is not finite.
pub fn dc(samples: &[f32]) -> Reading {
    measurable(samples)?;
    Ok(samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len() as f64)
}

/// Share of samples at full scale, 0 to 1: at 1.0 or -1.0, beyond, or at most one 16-bit step inside.
///
/// # Errors
///
/// No samples, or one that is not finite.
pub fn clipped_share(samples: &[f32]) -> Reading {
    measurable(samples)?;
    let clipped = samples.iter().filter(|x| x.abs() >= FULL_SCALE).count();
    Ok(clipped as f64 / samples.len() as f64)
}

/// Runs of three or more equal samples at the signal's highest or lowest value: clipping at any level. A sine whose
/// peaks are unharmed has none; coarse quantisation and square waves have some. Silence has none.
///
/// # Errors
///
/// No samples, or one that is not finite.
pub fn flat_runs(samples: &[f32]) -> Reading {
    measurable(samples)?;
    let (low, high) = samples.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let extreme = |x: f32| x != 0.0 && (x == low || x == high);
    let runs = samples.chunk_by(|a, b| a == b).filter(|run| run.len() >= FLAT_RUN && extreme(run[0])).count();
    Ok(runs as f64)
}

fn peak(samples: &[f32]) -> f64 {
    samples.iter().fold(0.0f64, |m, x| m.max(f64::from(x.abs())))
}

fn measurable(samples: &[f32]) -> Result<(), Undefined> {
    if samples.is_empty() {
        Err(Undefined::TooShort { samples: 0, needed: 1 })
    } else if samples.iter().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(Undefined::NotFinite)
    }
}
