//! Conditions applied to clips, with receipts.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use vbench_core::hash::sha256_samples;
use vbench_core::keyed::keyed_rng;
use vbench_core::{
    Codec, Condition, Degradation, Folder, LevelBasis, Noise, NoiseKind, PacketLoss, Receipt, Room, StepReceipt,
};

use crate::decode::panic_message;
use crate::error::DegradeError;
use crate::noise::Realisation;
use crate::sources::Recordings;
use crate::spectrum::LongTermSpectrum;
use crate::{RATE_HZ, channel, codec, loss, noise, response, reverb};
use vbench_dsp::{SpeechLevel, active_speech_level, rms_dbfs};

/// Largest sample of the 16-bit grid.
pub const MAX_SAMPLE: f64 = 32_767.0 / 32_768.0;

/// What a degradation depends on besides the clip and the condition.
#[derive(Clone, Copy)]
pub struct DegradeContext<'a> {
    /// Seed of the run.
    pub seed: u64,
    /// `corpus/id` of the utterance: random draws are keyed by it.
    pub utterance: &'a str,
    /// Long-term spectrum of the utterance's corpus, for speech-shaped noise.
    pub corpus_spectrum: Option<&'a LongTermSpectrum>,
    /// The utterance's corpus, for babble.
    pub recordings: Option<&'a dyn Recordings>,
}

impl core::fmt::Debug for DegradeContext<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut debug = f.debug_struct("DegradeContext");
        debug.field("seed", &self.seed).field("utterance", &self.utterance).finish_non_exhaustive()
    }
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
    noise: Mutex<Option<(NoiseKey, Arc<Realisation>)>>,
}

/// All that a noise realisation depends on.
#[derive(Debug, Clone, PartialEq)]
struct NoiseKey {
    kind: NoiseKind,
    len: usize,
    seed: u64,
    utterance: String,
    key: String,
    spectrum: String,
    recordings: String,
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

    /// Applies `condition`. The result has the clip's length unless a step changes the tempo.
    ///
    /// The clean condition returns the clip unchanged. Otherwise every step hands on samples of the 16-bit grid
    /// (multiples of 2^-15, rounded half to even), so that receipts' hashes are stable. Noise and reverberation never
    /// clip: a common gain below 0 dB is applied where needed and recorded. Elsewhere samples beyond full scale are
    /// clamped and counted.
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
            let Stepped { samples: output, achieved, facts } = self.apply(step, input, key, context)?;
            samples = Some(output);
            steps.push(StepReceipt { recipe: step.recipe(), achieved, facts });
        }
        let output = samples.unwrap_or_else(|| self.samples.clone());
        let receipt = Receipt {
            input_sha256: self.sha256.clone(),
            recipe: condition.recipe(),
            // Clean audio draws nothing: its row is the same under every seed.
            seed: (!steps.is_empty()).then_some(context.seed),
            utterance: if steps.is_empty() { String::new() } else { context.utterance.to_owned() },
            output_sha256: if steps.is_empty() { self.sha256.clone() } else { sha256_samples(&output) },
            samples: output.len() as u64,
            active_level_dbfs: self.level.map(|l| l.active_dbfs),
            steps,
            signal: Vec::new(),
        };
        Ok((output, receipt))
    }

    fn apply(
        &self,
        step: &Degradation,
        input: &[f32],
        key: String,
        context: &DegradeContext<'_>,
    ) -> Result<Stepped, DegradeError> {
        let rng = |purpose| keyed_rng(context.seed, purpose, context.utterance, &key);
        match step {
            Degradation::Noise(noise) => self.add_noise(input, noise, key, context),
            Degradation::Reverb(room) => add_reverb(input, room, &key, context),
            Degradation::Response(folder) => add_response(input, folder, &key, context),
            Degradation::Codec(codec) => round_trip(input, codec, &mut rng("loss")),
            Degradation::Loss(loss) => lose_packets(loss, input, &mut rng("loss")),
            Degradation::DropOuts { .. }
            | Degradation::Clip { .. }
            | Degradation::Gain { .. }
            | Degradation::Dc { .. }
            | Degradation::Band { .. }
            | Degradation::RateMismatch { .. }
            | Degradation::Speed { .. }
            | Degradation::Tempo { .. }
            | Degradation::Pitch { .. }
            | Degradation::Microphone(_)
            | Degradation::Agc { .. } => through_channel(step, input, &mut rng("channel")),
        }
    }

    fn add_noise(
        &self,
        input: &[f32],
        wanted: &Noise,
        key: String,
        context: &DegradeContext<'_>,
    ) -> Result<Stepped, DegradeError> {
        // The level of what this step hears: the clip's own for the first one.
        let first = core::ptr::eq(input, self.samples.as_slice());
        let level = match wanted.level {
            LevelBasis::Rms => Some(rms_dbfs(input)).filter(|l| l.is_finite()),
            LevelBasis::Active if first => self.level.map(|l| l.active_dbfs),
            LevelBasis::Active => active_speech_level(input, RATE_HZ).map(|l| l.active_dbfs),
        };
        let noise = self.realisation(&wanted.kind, input.len(), key, context)?;
        let result = noise::add(input, level, &noise.samples, wanted.snr_db)?;
        let mut stepped = Stepped { samples: result.samples, achieved: Vec::new(), facts: noise.facts.clone() };
        stepped.push("achieved_snr_db", result.achieved_snr_db);
        stepped.push("noise_dbfs", result.noise_dbfs);
        stepped.push("gain_db", result.gain_db);
        stepped.achieved.extend(noise.achieved.iter().cloned());
        Ok(stepped)
    }

    /// The noise for this clip, drawn or remembered.
    fn realisation(
        &self,
        kind: &NoiseKind,
        len: usize,
        key: String,
        context: &DegradeContext<'_>,
    ) -> Result<Arc<Realisation>, DegradeError> {
        let wanted = NoiseKey {
            kind: kind.clone(),
            len,
            seed: context.seed,
            utterance: context.utterance.to_owned(),
            key,
            spectrum: context.corpus_spectrum.map(|s| s.sha256().to_owned()).unwrap_or_default(),
            recordings: context.recordings.map(|r| r.identity().to_owned()).unwrap_or_default(),
        };
        let memo = || self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, noise)) = &*memo()
            && *known == wanted
        {
            return Ok(Arc::clone(noise));
        }
        let noise = Arc::new(noise::realisation(kind, len, &wanted.key, context)?);
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

/// What a step handed on: samples of the 16-bit grid, and its part of the receipt.
#[derive(Debug, Default)]
struct Stepped {
    samples: Vec<f32>,
    achieved: Vec<(String, f64)>,
    facts: Vec<(String, String)>,
}

impl Stepped {
    fn push(&mut self, name: &str, value: f64) {
        self.achieved.push((name.to_owned(), value));
    }
}

fn round_trip(input: &[f32], codec: &Codec, rng: &mut ChaCha8Rng) -> Result<Stepped, DegradeError> {
    // Encoders take what a 16-bit device delivers; a float file may exceed full scale without bound.
    let beyond = input.iter().filter(|x| x.abs() > 1.0).count();
    let bounded: Cow<'_, [f32]> =
        if beyond == 0 { input.into() } else { input.iter().map(|x| x.clamp(-1.0, 1.0)).collect() };
    let result =
        catch_unwind(AssertUnwindSafe(|| codec::round_trip(codec, &bounded, rng))).unwrap_or_else(|panic| {
            Err(DegradeError::Codec { codec: codec::name(codec), message: panic_message(&*panic) })
        })?;
    let mut stepped = on_the_grid(&result.samples);
    stepped.achieved = vec![
        ("kbps".to_owned(), result.kbps),
        ("delay_removed_samples".to_owned(), result.delay_removed as f64),
        ("clipped_samples".to_owned(), beyond as f64 + stepped.achieved[0].1),
    ];
    stepped.achieved.extend(result.achieved);
    stepped.facts = vec![("encoder".to_owned(), result.encoder), ("decoder".to_owned(), result.decoder)];
    stepped.facts.extend(result.facts);
    Ok(stepped)
}

/// Rounds to the 16-bit grid and counts what it clamps.
fn on_the_grid<T: Copy + Into<f64>>(samples: &[T]) -> Stepped {
    let mut grid = Grid::default();
    let samples = samples.iter().map(|x| quantise((*x).into(), &mut grid)).collect();
    Stepped { samples, achieved: vec![("clipped_samples".to_owned(), grid.clipped as f64)], facts: Vec::new() }
}

/// Samples on the 16-bit grid, as every step of a condition hands them on, and how many had to be clamped to it.
#[must_use]
pub fn to_grid(samples: &[f64]) -> (Vec<f32>, u64) {
    let mut grid = Grid::default();
    (samples.iter().map(|x| quantise(*x, &mut grid)).collect(), grid.clipped)
}

fn lose_packets(loss: &PacketLoss, input: &[f32], rng: &mut ChaCha8Rng) -> Result<Stepped, DegradeError> {
    let (samples, mut achieved) = loss::lose(loss, input, rng)?;
    let mut stepped = on_the_grid(&samples);
    achieved.append(&mut stepped.achieved);
    Ok(Stepped { achieved, ..stepped })
}

fn add_reverb(input: &[f32], room: &Room, key: &str, context: &DegradeContext<'_>) -> Result<Stepped, DegradeError> {
    let response = reverb::draw(room, context.seed, context.utterance, key)?;
    let mut stepped = reverberated(&response.apply(input), &response.measures);
    for (who, position) in [("source", response.source_m), ("microphone", response.microphone_m)] {
        for (axis, metres) in ["x", "y", "z"].iter().zip(position) {
            stepped.push(&format!("{who}_{axis}_m"), metres);
        }
    }
    Ok(stepped)
}

fn add_response(
    input: &[f32],
    folder: &Folder,
    key: &str,
    context: &DegradeContext<'_>,
) -> Result<Stepped, DegradeError> {
    let response = response::draw(folder, context.seed, context.utterance, key)?;
    let mut stepped = reverberated(&response.apply(input), &response.measures);
    stepped.push("delay_removed_samples", response.direct as f64);
    stepped.facts.push(("response_file".to_owned(), response.name));
    stepped.facts.push(("response_sha256".to_owned(), response.sha256));
    Ok(stepped)
}

fn through_channel(step: &Degradation, input: &[f32], rng: &mut ChaCha8Rng) -> Result<Stepped, DegradeError> {
    let mut changed = channel::apply(step, input, rng)?;
    let mut stepped = on_the_grid(&changed.samples);
    changed.achieved.append(&mut stepped.achieved);
    Ok(Stepped { samples: stepped.samples, achieved: changed.achieved, facts: changed.facts })
}

fn reverberated(wet: &[f64], measures: &reverb::Measures) -> Stepped {
    let (samples, gain_db) = quantise_without_clipping(wet);
    let mut stepped = Stepped { samples, ..Stepped::default() };
    if let Some(t30_s) = measures.t30_s {
        stepped.push("t30_s", t30_s);
    }
    stepped.push("drr_db", measures.drr_db);
    stepped.push("c50_db", measures.c50_db);
    stepped.push("gain_db", gain_db);
    stepped
}

/// Scales down if a sample would exceed the 16-bit grid, then rounds; the samples and the gain in dB.
fn quantise_without_clipping(x: &[f64]) -> (Vec<f32>, f64) {
    let peak = peak(x);
    let gain = if peak > MAX_SAMPLE { MAX_SAMPLE / peak } else { 1.0 };
    let mut grid = Grid::default();
    (x.iter().map(|v| quantise(gain * v, &mut grid)).collect(), 20.0 * libm::log10(gain))
}

/// Largest magnitude, in eight lanes: one after the other the comparisons would wait for each other.
fn peak(x: &[f64]) -> f64 {
    let (chunks, rest) = x.as_chunks::<8>();
    let larger = |a: f64, v: f64| if v.abs() > a { v.abs() } else { a };
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        lanes = core::array::from_fn(|i| larger(lanes[i], chunk[i]));
    }
    lanes.iter().chain(rest).fold(0.0, |a, v| larger(a, *v))
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
