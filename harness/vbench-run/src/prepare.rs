//! Utterance + condition -> the samples that the model hears, with the receipt.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rayon::prelude::*;
use vbench_audio::{
    Clip, DecodeError, DecodeOptions, DegradeContext, DegradeError, LongTermSpectrum, SpectrumAccumulator,
};
use vbench_core::hash::sha256_hex;
use vbench_core::{Cell, Codec, Condition, Degradation, NoiseKind, Outcome, Reason, ReasonKind, Receipt, Utterance};

/// Makes the audio of a cell. A trait so that the engine can be tested without audio files.
pub trait Prepare: Sync {
    /// The samples and their receipt.
    ///
    /// # Errors
    ///
    /// The outcome that the cell gets instead: failed or skipped, with the reason.
    fn prepare(&self, cell: &Cell) -> Result<Prepared, Box<Outcome>>;
}

/// Audio ready for a model.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Mono samples at 16 kHz.
    pub samples: Arc<Vec<f32>>,
    /// What was done to them.
    pub receipt: Receipt,
    /// How much of the preparation was reading and decoding, in nanoseconds.
    pub decode_ns: u64,
    /// Whether a codec's encoder took part: its time is not the harness's own.
    pub encoder: bool,
}

/// Reads, verifies, decodes and degrades real files.
pub struct AudioPreparer<'a> {
    utterances: &'a [Utterance],
    conditions: &'a [Condition],
    /// All utterances of each corpus, selected or not: the spectrum must not depend on the selection.
    corpora: HashMap<&'a str, CorpusAudio<'a>>,
    seed: u64,
    recent: Mutex<Vec<(usize, Decoded)>>,
}

/// A corpus with its spectrum, measured when it is first needed.
struct CorpusAudio<'a> {
    all: &'a [Utterance],
    spectrum: OnceLock<Option<Arc<LongTermSpectrum>>>,
}

type Decoded = Arc<OnceLock<Result<Arc<Clip>, Reason>>>;

/// Decoded utterances kept: neighbouring cells share theirs, whichever worker runs them.
const RECENT_MAX: usize = 16;

impl<'a> AudioPreparer<'a> {
    /// A preparer over a suite's tables; `corpora` are (name, all utterances).
    pub fn new(
        utterances: &'a [Utterance],
        conditions: &'a [Condition],
        corpora: impl IntoIterator<Item = (&'a str, &'a [Utterance])>,
        seed: u64,
    ) -> Self {
        let corpora =
            corpora.into_iter().map(|(name, all)| (name, CorpusAudio { all, spectrum: OnceLock::new() })).collect();
        Self { utterances, conditions, corpora, seed, recent: Mutex::new(Vec::new()) }
    }

    fn decoded(&self, index: usize) -> Result<Arc<Clip>, Reason> {
        let slot = {
            // A poisoned lock only means that another worker panicked; the list itself is always whole.
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            match recent.iter().find(|(i, _)| *i == index) {
                Some((_, slot)) => Arc::clone(slot),
                None => {
                    let slot = Decoded::default();
                    if recent.len() >= RECENT_MAX {
                        recent.remove(0);
                    }
                    recent.push((index, Arc::clone(&slot)));
                    slot
                }
            }
        };
        slot.get_or_init(|| {
            let utterance = &self.utterances[index];
            let bad = |e: DegradeError| Reason {
                kind: ReasonKind::BadAudio,
                text: format!("{}: {e}", utterance.audio.display()),
            };
            Clip::new(read_utterance(utterance)?).map(Arc::new).map_err(bad)
        })
        .clone()
    }

    /// Measures the spectra of all corpora now. Needed before `prepare` is called from tasks of the rayon pool: a task that
    /// waits for a measurement inside the pool could be handed another one that waits for the same measurement.
    pub fn measure_spectra(&self) {
        if self.conditions.iter().any(needs_spectrum) {
            for corpus in self.corpora.keys() {
                self.spectrum(corpus);
            }
        }
    }

    /// SHA-256 of a corpus' long-term spectrum as it is now, the one that receipts of noise hold.
    #[must_use]
    pub fn spectrum_sha256(&self, corpus: &str) -> Option<String> {
        self.spectrum(corpus).map(|s| s.sha256().to_owned())
    }

    /// The long-term spectrum of a corpus; `None` when none of its files can be read.
    fn spectrum(&self, corpus: &str) -> Option<Arc<LongTermSpectrum>> {
        let CorpusAudio { all, spectrum } = self.corpora.get(corpus)?;
        spectrum
            .get_or_init(|| {
                // Utterances in parallel; the accumulator sums in the order of their ids, whatever the thread.
                let parts: Vec<SpectrumAccumulator> = all
                    .par_iter()
                    .map(|utterance| {
                        let mut part = SpectrumAccumulator::new();
                        // A file that cannot be read has no spectrum; its own cells fail with the reason.
                        if let Ok(samples) = read_utterance(utterance) {
                            part.add(&utterance.id, &samples);
                        }
                        part
                    })
                    .collect();
                let mut sum = SpectrumAccumulator::new();
                for part in parts {
                    sum.merge(part);
                }
                sum.finish().map(Arc::new)
            })
            .clone()
    }
}

fn needs_spectrum(condition: &Condition) -> bool {
    condition.steps.iter().any(|s| matches!(s, Degradation::Noise { kind: NoiseKind::SpeechShaped, .. }))
}

impl Prepare for AudioPreparer<'_> {
    fn prepare(&self, cell: &Cell) -> Result<Prepared, Box<Outcome>> {
        let utterance = &self.utterances[cell.utterance];
        let condition = &self.conditions[cell.condition];
        let spectrum = if needs_spectrum(condition) { self.spectrum(&utterance.corpus) } else { None };
        let start = Instant::now();
        let clean = self.decoded(cell.utterance).map_err(|reason| Box::new(Outcome::Failed(reason)))?;
        let decode_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let name = format!("{}/{}", utterance.corpus, utterance.id);
        let context = DegradeContext { seed: self.seed, utterance: &name, corpus_spectrum: spectrum.as_deref() };
        let (samples, receipt) = clean.degrade(condition, &context).map_err(|e| {
            let text = e.to_string();
            Box::new(match e {
                DegradeError::NoEncoder { .. } => Outcome::Skipped(Reason { kind: ReasonKind::NoEncoder, text }),
                _ => Outcome::Failed(Reason { kind: ReasonKind::Degrade, text }),
            })
        })?;
        let encoder =
            condition.steps.iter().any(|s| matches!(s, Degradation::Codec(Codec::Mp3 { .. } | Codec::Opus { .. })));
        Ok(Prepared { samples: Arc::new(samples), receipt, decode_ns, encoder })
    }
}

/// Hashes every recording that the manifests do not pin, so that the run record holds what was really played and a
/// resumed run notices another file. A file that cannot be read stays unpinned: its cells fail with the reason.
pub fn pin_audio<'a>(utterances: impl Iterator<Item = &'a mut Utterance>) {
    let unpinned: Vec<&mut Utterance> = utterances.filter(|u| u.sha256.is_none()).collect();
    let mut paths: Vec<PathBuf> = unpinned.iter().map(|u| u.audio.clone()).collect();
    paths.sort();
    paths.dedup();
    let limit = DecodeOptions::default().max_bytes;
    let hash = |path: &PathBuf| Some((path.clone(), sha256_hex(&vbench_audio::read_file(path, limit).ok()?)));
    let hashes: HashMap<PathBuf, String> = paths.par_iter().filter_map(hash).collect();
    for utterance in unpinned {
        utterance.sha256 = hashes.get(&utterance.audio).cloned();
    }
}

/// Reads an utterance's file, verifies its hash, decodes it to mono 16 kHz and cuts out the utterance.
///
/// # Errors
///
/// A typed reason that names the file, the position, what was expected and what was found.
pub fn read_utterance(utterance: &Utterance) -> Result<Vec<f32>, Reason> {
    let path: &Path = &utterance.audio;
    let options =
        DecodeOptions { start_s: utterance.start_s, duration_s: cut_duration(utterance), ..DecodeOptions::default() };
    let bad = |kind, text: String| Reason { kind, text: format!("{}: {text}", path.display()) };
    let bytes = vbench_audio::read_file(path, options.max_bytes).map_err(|e| match &e {
        DecodeError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Reason { kind: ReasonKind::MissingAudio, text: e.to_string() }
        }
        DecodeError::Read { .. } => Reason { kind: ReasonKind::BadAudio, text: e.to_string() },
        _ => bad(ReasonKind::BadAudio, e.to_string()),
    })?;
    if let Some(expected) = &utterance.sha256 {
        let actual = sha256_hex(&bytes);
        if actual != *expected {
            return Err(bad(ReasonKind::HashMismatch, format!("sha256 is {actual}, the manifest says {expected}")));
        }
    }
    let decoded = vbench_audio::decode_bytes(&bytes, &options).map_err(|e| bad(ReasonKind::BadAudio, e.to_string()))?;
    check_duration(utterance, decoded.samples.len())
        .map_err(|text| bad(ReasonKind::BadAudio, text))
        .map(|()| decoded.samples)
}

/// A stated duration without a start describes the whole file; one that is off means the wrong file or a cut one.
fn check_duration(utterance: &Utterance, samples: usize) -> Result<(), String> {
    let actual = samples as f64 / f64::from(vbench_audio::RATE_HZ);
    match (utterance.start_s, utterance.duration_s) {
        (None, Some(stated)) if (stated - actual).abs() > 0.1 + 0.01 * actual => Err(format!(
            "the manifest says {stated} s, the file has {actual:.2} s (a part of a file needs `start_s` as well)"
        )),
        _ => Ok(()),
    }
}

/// Without a start the stated duration describes the whole file and is rounded: it must not cut the last samples off.
fn cut_duration(utterance: &Utterance) -> Option<f64> {
    utterance.start_s.and(utterance.duration_s)
}
