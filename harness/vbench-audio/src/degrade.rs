//! Conditions applied to clips, with receipts.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use vbench_core::hash::sha256_samples;
use vbench_core::{Codec, Condition, Degradation, NoiseKind, Receipt, Room, StepReceipt};

use crate::decode::panic_message;
use crate::error::DegradeError;
use crate::spectrum::LongTermSpectrum;
use crate::{RATE_HZ, codec, noise, reverb};
use vbench_dsp::{SpeechLevel, active_speech_level};

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

/// A clip with what every condition needs of it, computed once: its hash, its active level, and the last noise drawn for
/// it, since one realisation serves all levels.
///
/// Use one `Clip` for all conditions of an utterance; [`degrade`] is the same for a single condition.
#[derive(Debug)]
pub struct Clip {
    samples: Vec<f32>,
    sha256: String,
    level: Option<SpeechLevel>,
    noise: Mutex<Option<(NoiseKey, Arc<Vec<f64>>)>>,
}

/// All that a noise realisation depends on, but the clip's length.
#[derive(Debug, Clone, PartialEq)]
struct NoiseKey {
    kind: NoiseKind,
    seed: u64,
    utterance: String,
    key: String,
    spectrum: String,
}

impl Clip {
    /// Takes mono samples at 16 kHz, nominally -1..1.
    ///
    /// # Errors
    /// [`DegradeError::Empty`], [`DegradeError::NonFinite`].
    pub fn new(samples: Vec<f32>) -> Result<Self, DegradeError> {
        if samples.is_empty() {
            return Err(DegradeError::Empty);
        }
        if let Some(index) = samples.iter().position(|x| !x.is_finite()) {
            return Err(DegradeError::NonFinite { index, value: samples[index] });
        }
        let (sha256, level) = (sha256_samples(&samples), active_speech_level(&samples, RATE_HZ));
        Ok(Self { samples, sha256, level, noise: Mutex::new(None) })
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// SHA-256 of the samples as little-endian f32.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Active speech level, `None` for silence.
    #[must_use]
    pub fn level(&self) -> Option<SpeechLevel> {
        self.level
    }

    /// Applies `condition`; the result has the clip's length.
    ///
    /// The clean condition returns the clip unchanged. Otherwise every step hands on samples of the 16-bit grid
    /// (multiples of 2^-15, rounded half to even), so that receipts' hashes are stable. Noise and reverberation never
    /// clip: a common gain below 0 dB is applied where needed and recorded. Codec input and output beyond full scale
    /// are clamped, and the clamped samples are counted.
    ///
    /// The same clip, condition, seed and utterance give the same bytes, whatever the thread and the order.
    ///
    /// # Errors
    /// [`DegradeError`]; in particular silence has no SNR ([`DegradeError::NoActiveSpeech`]) and a build without an
    /// encoder says so ([`DegradeError::NoEncoder`]), never passing clean audio on.
    pub fn degrade(
        &self,
        condition: &Condition,
        context: &DegradeContext<'_>,
    ) -> Result<(Vec<f32>, Receipt), DegradeError> {
        let key = condition.key_without_level();
        let mut samples: Option<Vec<f32>> = None;
        let mut steps = Vec::with_capacity(condition.steps.len());
        for (index, step) in condition.steps.iter().enumerate() {
            let input = samples.as_deref().unwrap_or(&self.samples);
            // Two steps of one kind in a chain must not draw the same numbers.
            let key = if index == 0 { key.clone() } else { format!("{key}#{index}") };
            let (output, receipt) = match step {
                Degradation::Noise { kind, snr_db } => self.add_noise(input, *kind, *snr_db, key, context)?,
                Degradation::Reverb(room) => add_reverb(input, room, &key, context)?,
                Degradation::Codec(codec) => round_trip(input, *codec)?,
            };
            samples = Some(output);
            steps.push(StepReceipt { recipe: step.recipe(), ..receipt });
        }
        let receipt = Receipt {
            input_sha256: self.sha256.clone(),
            recipe: condition.recipe(),
            output_sha256: samples.as_deref().map_or_else(|| self.sha256.clone(), sha256_samples),
            samples: self.samples.len() as u64,
            active_level_dbfs: self.level.map(|l| l.active_dbfs),
            steps,
        };
        Ok((samples.unwrap_or_else(|| self.samples.clone()), receipt))
    }

    fn add_noise(
        &self,
        input: &[f32],
        kind: NoiseKind,
        snr_db: f64,
        key: String,
        context: &DegradeContext<'_>,
    ) -> Result<(Vec<f32>, StepReceipt), DegradeError> {
        // The level of what this step hears: the clip's own for the first one.
        let first = core::ptr::eq(input, self.samples.as_slice());
        let level = if first { self.level } else { active_speech_level(input, RATE_HZ) };
        let noise = self.realisation(kind, key, context)?;
        let result = noise::add(input, level, &noise, snr_db)?;
        let mut receipt = Achieved::default();
        receipt.push("achieved_snr_db", result.achieved_snr_db);
        receipt.push("noise_dbfs", result.noise_dbfs);
        receipt.push("gain_db", result.gain_db);
        let mut step = receipt.into_step();
        if let (NoiseKind::SpeechShaped, Some(spectrum)) = (kind, context.corpus_spectrum) {
            step.facts.push(("spectrum_sha256".to_owned(), spectrum.sha256().to_owned()));
        }
        Ok((result.samples, step))
    }

    /// The noise for this clip, drawn or remembered.
    fn realisation(
        &self,
        kind: NoiseKind,
        key: String,
        context: &DegradeContext<'_>,
    ) -> Result<Arc<Vec<f64>>, DegradeError> {
        let wanted = NoiseKey {
            kind,
            seed: context.seed,
            utterance: context.utterance.to_owned(),
            key,
            spectrum: context.corpus_spectrum.map(|s| s.sha256().to_owned()).unwrap_or_default(),
        };
        let memo = || self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, noise)) = &*memo()
            && *known == wanted
        {
            return Ok(Arc::clone(noise));
        }
        let (len, spectrum) = (self.samples.len(), context.corpus_spectrum);
        let noise = Arc::new(noise::realisation(kind, len, wanted.seed, &wanted.utterance, &wanted.key, spectrum)?);
        *memo() = Some((wanted, Arc::clone(&noise)));
        Ok(noise)
    }
}

/// Applies one condition to a clip (mono, 16 kHz): [`Clip::new`] and [`Clip::degrade`] in one.
///
/// # Errors
/// As those two.
pub fn degrade(
    clean: &[f32],
    condition: &Condition,
    context: &DegradeContext<'_>,
) -> Result<(Vec<f32>, Receipt), DegradeError> {
    Clip::new(clean.to_vec())?.degrade(condition, context)
}

/// Collects a step's achieved values.
#[derive(Default)]
struct Achieved(Vec<(String, f64)>);

impl Achieved {
    fn push(&mut self, name: &str, value: f64) {
        self.0.push((name.to_owned(), value));
    }

    /// A receipt whose recipe the caller fills in.
    fn into_step(self) -> StepReceipt {
        StepReceipt { recipe: String::new(), achieved: self.0, facts: Vec::new() }
    }
}

fn round_trip(input: &[f32], codec: Codec) -> Result<(Vec<f32>, StepReceipt), DegradeError> {
    // Encoders take what a 16-bit device delivers; a float file may exceed full scale without bound.
    let beyond = input.iter().filter(|x| x.abs() > 1.0).count();
    let bounded: Cow<'_, [f32]> =
        if beyond == 0 { input.into() } else { input.iter().map(|x| x.clamp(-1.0, 1.0)).collect() };
    let name = match codec {
        Codec::Mp3 { .. } => "MP3",
        Codec::Opus { .. } => "Opus",
    };
    let result = catch_unwind(AssertUnwindSafe(|| match codec {
        Codec::Mp3 { kbps } => codec::mp3::round_trip(&bounded, kbps),
        Codec::Opus { kbps } => codec::opus::round_trip(&bounded, kbps),
    }))
    .unwrap_or_else(|panic| Err(DegradeError::Codec { codec: name, message: panic_message(&*panic) }))?;
    let mut grid = Grid::default();
    let samples: Vec<f32> = result.samples.iter().map(|x| quantise(f64::from(*x), &mut grid)).collect();
    let mut receipt = Achieved::default();
    receipt.push("kbps", result.kbps);
    receipt.push("delay_removed_samples", result.delay_removed as f64);
    receipt.push("clipped_samples", beyond as f64 + grid.clipped as f64);
    let mut step = receipt.into_step();
    step.facts.push(("encoder".to_owned(), result.encoder));
    step.facts.push(("decoder".to_owned(), result.decoder));
    Ok((samples, step))
}

fn add_reverb(
    input: &[f32],
    room: &Room,
    key: &str,
    context: &DegradeContext<'_>,
) -> Result<(Vec<f32>, StepReceipt), DegradeError> {
    let response = reverb::draw(room, context.seed, context.utterance, key)?;
    let wet = response.apply(input);
    let (samples, gain_db) = quantise_without_clipping(&wet);
    let mut receipt = Achieved::default();
    if let Some(t30_s) = response.measures.t30_s {
        receipt.push("t30_s", t30_s);
    }
    receipt.push("drr_db", response.measures.drr_db);
    receipt.push("c50_db", response.measures.c50_db);
    receipt.push("gain_db", gain_db);
    for (who, position) in [("source", response.source_m), ("microphone", response.microphone_m)] {
        for (axis, metres) in ["x", "y", "z"].iter().zip(position) {
            receipt.push(&format!("{who}_{axis}_m"), metres);
        }
    }
    Ok((samples, receipt.into_step()))
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
