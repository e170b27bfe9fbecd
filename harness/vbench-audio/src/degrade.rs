//! Conditions applied to clips, with receipts.

use vbench_core::hash::sha256_samples;
use vbench_core::{Codec, Condition, Degradation, Receipt, Room, StepReceipt};

use crate::error::DegradeError;
use crate::level::{SpeechLevel, active_speech_level};
use crate::spectrum::LongTermSpectrum;
use crate::{RATE_HZ, codec, noise, reverb};

/// Largest sample of the 16-bit grid.
pub(crate) const MAX_SAMPLE: f64 = 32_767.0 / 32_768.0;

/// What a degradation depends on besides the clip and the condition.
#[derive(Debug, Clone, Copy)]
pub struct DegradeContext<'a> {
    /// Seed of the run.
    pub seed: u64,
    /// `corpus/id` of the utterance: random draws are keyed by it.
    pub utterance: &'a str,
    /// Long-term spectrum of the utterance's corpus, for speech-shaped noise.
    pub corpus_spectrum: Option<&'a LongTermSpectrum>,
}

/// Applies `condition` to a clip (mono, 16 kHz); the result has the clip's length.
///
/// The clean condition returns its input unchanged. Otherwise every step hands on samples of the 16-bit grid
/// (multiples of 2^-15, rounded half to even), so that receipts' hashes are stable. Noise and reverberation never
/// clip: a common gain below 0 dB is applied where needed and recorded. Codec output beyond full scale is clamped, and
/// the clamped samples are counted.
///
/// The same clip, condition, seed and utterance give the same bytes on every machine of one architecture and one
/// build, whatever the thread.
///
/// # Errors
/// [`DegradeError`]; in particular silence has no SNR ([`DegradeError::NoActiveSpeech`]) and a build without an encoder
/// says so ([`DegradeError::NoEncoder`]), never passing clean audio on.
pub fn degrade(
    clean: &[f32],
    condition: &Condition,
    context: &DegradeContext<'_>,
) -> Result<(Vec<f32>, Receipt), DegradeError> {
    if clean.is_empty() {
        return Err(DegradeError::Empty);
    }
    if let Some(index) = clean.iter().position(|x| !x.is_finite()) {
        return Err(DegradeError::NonFinite { index, value: clean[index] });
    }
    let level = active_speech_level(clean, RATE_HZ);
    let input_sha256 = sha256_samples(clean);
    let key = condition.key_without_level();
    let mut samples: Option<Vec<f32>> = None;
    let mut steps = Vec::with_capacity(condition.steps.len());
    for step in &condition.steps {
        let input = samples.as_deref().unwrap_or(clean);
        // The level of what this step hears: the clip's own for the first one.
        let step_level = if samples.is_none() { level } else { active_speech_level(input, RATE_HZ) };
        let (output, receipt) = apply(step, input, step_level, &key, context)?;
        samples = Some(output);
        steps.push(receipt);
    }
    let output_sha256 = samples.as_deref().map_or_else(|| input_sha256.clone(), sha256_samples);
    let receipt = Receipt {
        input_sha256,
        recipe: condition.recipe(),
        output_sha256,
        samples: clean.len() as u64,
        active_level_dbfs: level.map(|l| l.active_dbfs),
        steps,
    };
    Ok((samples.unwrap_or_else(|| clean.to_vec()), receipt))
}

fn apply(
    step: &Degradation,
    input: &[f32],
    level: Option<SpeechLevel>,
    key: &str,
    context: &DegradeContext<'_>,
) -> Result<(Vec<f32>, StepReceipt), DegradeError> {
    let mut receipt = StepReceipt { recipe: step.recipe(), achieved: Vec::new(), facts: Vec::new() };
    let mut achieved = |name: &str, value: f64| receipt.achieved.push((name.to_owned(), value));
    let samples = match step {
        Degradation::Noise { kind, snr_db } => {
            let noise =
                noise::realisation(*kind, input.len(), context.seed, context.utterance, key, context.corpus_spectrum)?;
            let result = noise::add(input, level, &noise, *snr_db)?;
            achieved("achieved_snr_db", result.achieved_snr_db);
            achieved("noise_dbfs", result.noise_dbfs);
            achieved("gain_db", result.gain_db);
            result.samples
        }
        Degradation::Reverb(room) => add_reverb(input, room, key, context, &mut achieved)?,
        Degradation::Codec(codec) => {
            let result = match codec {
                Codec::Mp3 { kbps } => codec::mp3::round_trip(input, *kbps)?,
                Codec::Opus { kbps } => codec::opus::round_trip(input, *kbps)?,
            };
            let mut grid = Grid::default();
            let samples: Vec<f32> = result.samples.iter().map(|x| quantise(f64::from(*x), &mut grid)).collect();
            achieved("kbps", result.kbps);
            achieved("delay_removed_samples", result.delay_removed as f64);
            achieved("clipped_samples", grid.clipped as f64);
            receipt.facts.push(("encoder".to_owned(), result.encoder));
            receipt.facts.push(("decoder".to_owned(), result.decoder));
            samples
        }
    };
    Ok((samples, receipt))
}

fn add_reverb(
    input: &[f32],
    room: &Room,
    key: &str,
    context: &DegradeContext<'_>,
    achieved: &mut impl FnMut(&str, f64),
) -> Result<Vec<f32>, DegradeError> {
    let response = reverb::draw(room, context.seed, context.utterance, key)?;
    let wet = response.apply(input);
    let (samples, gain_db) = quantise_without_clipping(&wet);
    achieved("t30_s", response.measures.t30_s.unwrap_or(f64::NAN));
    achieved("drr_db", response.measures.drr_db);
    achieved("c50_db", response.measures.c50_db);
    achieved("gain_db", gain_db);
    for (axis, (s, m)) in ["x", "y", "z"].iter().zip(response.source_m.iter().zip(&response.microphone_m)) {
        achieved(&format!("source_{axis}_m"), *s);
        achieved(&format!("microphone_{axis}_m"), *m);
    }
    Ok(samples)
}

/// Scales down if a sample would exceed the 16-bit grid, then rounds; the samples and the gain in dB.
fn quantise_without_clipping(x: &[f64]) -> (Vec<f32>, f64) {
    let peak = x.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let gain = if peak > MAX_SAMPLE { MAX_SAMPLE / peak } else { 1.0 };
    let mut grid = Grid::default();
    (x.iter().map(|v| quantise(gain * v, &mut grid)).collect(), 20.0 * libm::log10(gain))
}

/// Counts samples that the 16-bit grid had to clamp.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    pub(crate) clipped: u64,
}

/// The nearest multiple of 2^-15 within -1 ..= 1 - 2^-15, halves to even.
pub(crate) fn quantise(x: f64, grid: &mut Grid) -> f32 {
    // Adding and subtracting 1.5 * 2^52 rounds to an integer, halves to even, without a call or a branch.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let scaled = ((x * 32_768.0).clamp(-1e9, 1e9) + ROUND) - ROUND;
    let bounded = scaled.clamp(-32_768.0, 32_767.0);
    grid.clipped += u64::from(bounded != scaled);
    (bounded / 32_768.0) as f32
}
