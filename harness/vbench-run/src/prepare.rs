//! Utterance + condition -> the samples that the model hears, with the receipt.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rayon::prelude::*;
use vbench_audio::{
    Clip, DecodeError, DecodeOptions, DegradeContext, DegradeError, LongTermSpectrum, Recordings, folder_files,
};
use vbench_core::hash::{sha256_hex, sha256_samples};
use vbench_core::{
    Cell, Condition, Degradation, Folder, NoiseKind, Outcome, Preprocess, Reason, ReasonKind, Receipt, SignalMetric,
    StepReceipt, Utterance,
};
use vbench_score::signal::{Pair, pair_metric};

use crate::cache::{AudioCache, CacheKey, CachedPcm};
use crate::corpus::CorpusAudio;
use crate::hashes::{FileHashes, require_file};
use crate::preprocess::{identity, preprocess};

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

/// The audio of a cell, as the cache holds it or made.
#[derive(Debug)]
pub enum Heard {
    /// From the cache.
    Kept {
        /// 16-bit samples.
        pcm: CachedPcm,
        /// What was done to them.
        receipt: Receipt,
        /// How long reading took, in nanoseconds.
        read_ns: u64,
    },
    /// Decoded and degraded.
    Made(Prepared),
}

/// Reads, verifies, decodes and degrades real files.
pub struct AudioPreparer<'a> {
    utterances: &'a [Utterance],
    conditions: &'a [Condition],
    /// All utterances of each corpus, selected or not: the spectrum must not depend on the selection.
    corpora: HashMap<&'a str, CorpusAudio<'a>>,
    seed: u64,
    recent: Mutex<Vec<((usize, bool), Recent)>>,
    cache: Option<&'a AudioCache>,
    metrics: Vec<&'static SignalMetric>,
    /// By condition: identity of the folders that it draws from, looked at once.
    folders: Vec<OnceLock<String>>,
    /// Of recordings of which only stretches are read.
    hashes: FileHashes,
    /// Done to every recording before conditions.
    preprocess: Preprocess,
}

/// A file that was verified; decoded when that is first needed.
struct Loaded {
    /// SHA-256 of the file, and the stretch of it.
    input: String,
    /// The file, unless only a stretch of it is wanted.
    bytes: Mutex<Option<Vec<u8>>>,
    clip: OnceLock<Result<Arc<Read>, Reason>>,
    preprocess: Preprocess,
}

/// A recording as conditions take it.
struct Read {
    clip: Clip,
    /// SHA-256 of the samples before preprocessing.
    input_sha256: String,
    /// What preprocessing did.
    steps: Vec<StepReceipt>,
}

type Recent = Arc<OnceLock<Result<Arc<Loaded>, Reason>>>;

/// Utterances kept: neighbouring cells share theirs, whichever worker runs them.
const RECENT_MAX: usize = 16;

impl<'a> AudioPreparer<'a> {
    /// A preparer over a suite's tables; `corpora` are (name, all utterances).
    pub fn new(
        utterances: &'a [Utterance],
        conditions: &'a [Condition],
        corpora: impl IntoIterator<Item = (&'a str, &'a [Utterance])>,
        seed: u64,
    ) -> Self {
        let corpora = corpora.into_iter().map(|(name, all)| (name, CorpusAudio::new(name, all))).collect();
        let folders = conditions.iter().map(|_| OnceLock::new()).collect();
        let (recent, metrics) = (Mutex::new(Vec::new()), Vec::new());
        let hashes = FileHashes::default();
        let preprocess = Preprocess::default();
        Self { utterances, conditions, corpora, seed, recent, cache: None, metrics, folders, hashes, preprocess }
    }

    /// Keeps degraded audio, and takes from there what is the same.
    #[must_use]
    pub fn with_cache(mut self, cache: Option<&'a AudioCache>) -> Self {
        self.cache = cache;
        self
    }

    /// Measures what degradations do to the clips: the receipts hold these metrics of the output against the input.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Vec<&'static SignalMetric>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Does this to every recording before conditions.
    #[must_use]
    pub const fn with_preprocess(mut self, preprocess: Preprocess) -> Self {
        self.preprocess = preprocess;
        self
    }

    /// A cell's recording, with the suite's preprocessing unless its condition leaves that out.
    fn loaded(&self, cell: &Cell) -> Result<Arc<Loaded>, Reason> {
        let as_it_is = self.conditions[cell.condition].is_unprocessed();
        let key = (cell.utterance, as_it_is);
        let slot = {
            // A poisoned lock only means that another worker panicked; the list itself is always whole.
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            match recent.iter().find(|(k, _)| *k == key) {
                Some((_, slot)) => Arc::clone(slot),
                None => {
                    let slot = Recent::default();
                    if recent.len() >= RECENT_MAX {
                        recent.remove(0);
                    }
                    recent.push((key, Arc::clone(&slot)));
                    slot
                }
            }
        };
        let preprocess = if as_it_is { Preprocess::default() } else { self.preprocess };
        let read = || Loaded::read(&self.utterances[cell.utterance], &self.hashes, preprocess).map(Arc::new);
        slot.get_or_init(read).clone()
    }

    /// Measures the spectra of all corpora now. Needed before `prepare` is called from tasks of the rayon pool: a task that
    /// waits for a measurement inside the pool could be handed another one that waits for the same measurement.
    pub fn measure_spectra(&self) {
        if self.conditions.iter().any(needs_spectrum) {
            for corpus in self.corpora.values() {
                corpus.spectrum(self.cache);
            }
        }
        if self.conditions.iter().any(needs_recordings) {
            for corpus in self.corpora.values() {
                corpus.identity();
            }
        }
    }

    /// SHA-256 of a corpus' long-term spectrum as it is now, the one that receipts of noise hold.
    #[must_use]
    pub fn spectrum_sha256(&self, corpus: &str) -> Option<String> {
        self.corpora.get(corpus)?.spectrum(self.cache).map(|s| s.sha256().to_owned())
    }

    /// The audio of a cell as the cache holds it, or made.
    ///
    /// # Errors
    /// As [`Prepare::prepare`].
    pub fn heard(&self, cell: &Cell) -> Result<Heard, Box<Outcome>> {
        let utterance = &self.utterances[cell.utterance];
        let condition = &self.conditions[cell.condition];
        let sources = self.sources(cell);
        let start = Instant::now();
        let loaded = self.loaded(cell).map_err(|reason| Box::new(Outcome::Failed(reason)))?;
        if let Some((pcm, receipt)) = self.with_key(&loaded, utterance, condition, &sources, AudioCache::get).flatten()
        {
            return Ok(Heard::Kept { pcm, receipt, read_ns: elapsed_ns(start) });
        }
        self.make(cell, &loaded, &sources, start).map(Heard::Made)
    }

    /// What a condition draws on besides the utterance.
    fn sources(&self, cell: &Cell) -> Sources<'_> {
        let condition = &self.conditions[cell.condition];
        let corpus = self.corpora.get(self.utterances[cell.utterance].corpus.as_str());
        let spectrum = corpus.filter(|_| needs_spectrum(condition)).and_then(|c| c.spectrum(self.cache));
        let corpus = corpus.filter(|_| needs_recordings(condition));
        let mut identity = String::new();
        // Only the cache asks, and looking at every file of a folder of noise for every cell would cost more than it saves.
        if self.cache.is_some() {
            let folders = || condition.steps.iter().filter_map(Degradation::folder).map(folder_identity).collect();
            identity.push_str(self.folders[cell.condition].get_or_init(folders));
            identity.push_str(corpus.map_or("", |c| c.identity()));
        }
        Sources { spectrum, corpus, identity }
    }

    /// Decodes, degrades and measures, and keeps what came of it.
    fn make(
        &self,
        cell: &Cell,
        loaded: &Loaded,
        sources: &Sources<'_>,
        start: Instant,
    ) -> Result<Prepared, Box<Outcome>> {
        let utterance = &self.utterances[cell.utterance];
        let condition = &self.conditions[cell.condition];
        let read = loaded.clip(utterance).map_err(|reason| Box::new(Outcome::Failed(reason)))?;
        let clip = &read.clip;
        let decode_ns = elapsed_ns(start);
        let name = name_of(utterance);
        let context = DegradeContext {
            seed: self.seed,
            utterance: &name,
            corpus_spectrum: sources.spectrum.as_deref(),
            recordings: sources.corpus.map(|c| c as &dyn Recordings),
        };
        let (samples, mut receipt) = clip.degrade(condition, &context).map_err(|e| {
            let text = format!("condition {}: {e}", condition.name);
            Box::new(match e {
                DegradeError::NoEncoder { .. } => Outcome::Skipped(Reason { kind: ReasonKind::NoEncoder, text }),
                _ => Outcome::Failed(Reason { kind: ReasonKind::Degrade, text }),
            })
        })?;
        if !condition.steps.is_empty() {
            receipt.signal = measure(&self.metrics, clip.samples(), &samples);
        }
        receipt.steps.splice(0..0, read.steps.iter().cloned());
        receipt.input_sha256.clone_from(&read.input_sha256);
        self.with_key(loaded, utterance, condition, sources, |cache, key| cache.put(key, &samples, &receipt));
        let encoder = condition.steps.iter().any(|s| matches!(s, Degradation::Codec(_)));
        Ok(Prepared { samples: Arc::new(samples), receipt, decode_ns, encoder })
    }

    fn with_key<T>(
        &self,
        loaded: &Loaded,
        utterance: &Utterance,
        condition: &Condition,
        sources: &Sources<'_>,
        f: impl FnOnce(&AudioCache, &CacheKey<'_>) -> T,
    ) -> Option<T> {
        let cache = self.cache?;
        let key = CacheKey {
            input: &loaded.input,
            recipe: &condition.recipe(),
            seed: self.seed,
            utterance: &name_of(utterance),
            spectrum: sources.spectrum.as_deref().map_or("", LongTermSpectrum::sha256),
            recordings: &sources.identity,
            metrics: &self.metrics.iter().map(|m| m.name).collect::<Vec<_>>().join(" "),
        };
        Some(f(cache, &key))
    }
}

/// What a condition draws on besides the utterance.
struct Sources<'a> {
    spectrum: Option<Arc<LongTermSpectrum>>,
    corpus: Option<&'a CorpusAudio<'a>>,
    /// Of corpus and folders, for the cache.
    identity: String,
}

/// `corpus/id`: random draws are keyed by it.
fn name_of(utterance: &Utterance) -> String {
    format!("{}/{}", utterance.corpus, utterance.id)
}

fn needs_spectrum(condition: &Condition) -> bool {
    condition.steps.iter().any(|s| matches!(s, Degradation::Noise(n) if n.kind == NoiseKind::SpeechShaped))
}

fn needs_recordings(condition: &Condition) -> bool {
    condition.steps.iter().any(|s| matches!(s, Degradation::Noise(n) if matches!(n.kind, NoiseKind::Babble { .. })))
}

/// Names, sizes and times of a folder's files: what tells that a draw from it would be another one.
fn folder_identity(folder: &Folder) -> String {
    let files = folder_files(folder).map(|f| f.to_vec()).unwrap_or_default();
    let facts = |name: &String| {
        let facts = std::fs::metadata(folder.path.join(name)).ok();
        let time = facts.as_ref().and_then(|f| f.modified().ok());
        format!("{name} {} {time:?}\n", facts.map_or(0, |f| f.len()))
    };
    sha256_hex(files.iter().map(facts).collect::<String>().as_bytes())
}

impl Prepare for AudioPreparer<'_> {
    fn prepare(&self, cell: &Cell) -> Result<Prepared, Box<Outcome>> {
        Ok(match self.heard(cell)? {
            Heard::Made(prepared) => prepared,
            Heard::Kept { pcm, receipt, read_ns } => {
                Prepared { samples: Arc::new(pcm.samples()), receipt, decode_ns: read_ns, encoder: false }
            }
        })
    }
}

/// The metrics that are defined for a pair; a step that changes the tempo leaves nothing to compare sample by sample.
fn measure(metrics: &[&'static SignalMetric], clean: &[f32], degraded: &[f32]) -> Vec<(String, f64)> {
    let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|v| f64::from(*v)).collect() };
    if metrics.is_empty() || clean.len() != degraded.len() {
        return Vec::new();
    }
    let (clean, degraded) = (wide(clean), wide(degraded));
    let Ok(pair) = Pair::new(&clean, &degraded, vbench_audio::RATE_HZ) else { return Vec::new() };
    let reading = |m: &&SignalMetric| Some((m.name.to_owned(), pair_metric(&pair, m.name)?.ok()?));
    metrics.iter().filter_map(reading).filter(|(_, value)| value.is_finite()).collect()
}

fn elapsed_ns(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Loaded {
    /// Reads a file and verifies its hash. Of a recording that is cut into stretches every stretch reads its own part, and
    /// the hash is that of the file as it was when the first one was read.
    fn read(utterance: &Utterance, hashes: &FileHashes, preprocess: Preprocess) -> Result<Self, Reason> {
        let path: &Path = &utterance.audio;
        let limit = DecodeOptions::default().max_bytes;
        let unreadable = |e: DecodeError| match &e {
            DecodeError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Reason { kind: ReasonKind::MissingAudio, text: e.to_string() }
            }
            DecodeError::Read { .. } => Reason { kind: ReasonKind::BadAudio, text: e.to_string() },
            _ => bad_audio(path, e),
        };
        require_file(path).map_err(unreadable)?;
        let (actual, bytes) = if utterance.start_s.is_some() {
            (hashes.sha256(path).map_err(unreadable)?, None)
        } else {
            let bytes = vbench_audio::read_file(path, limit).map_err(unreadable)?;
            (sha256_hex(&bytes), Some(bytes))
        };
        if let Some(expected) = utterance.sha256.as_ref().filter(|expected| **expected != actual) {
            let text = format!("{}: sha256 is {actual}, the manifest says {expected}", path.display());
            return Err(Reason { kind: ReasonKind::HashMismatch, text });
        }
        // The stated duration even where it cuts nothing: a file that contradicts it is refused.
        let mut input = format!("{actual} {:?} {:?}", utterance.start_s, utterance.duration_s);
        if !preprocess.is_none() {
            input += &format!(" {}", identity(&preprocess));
        }
        Ok(Self { input, bytes: Mutex::new(bytes), clip: OnceLock::new(), preprocess })
    }

    /// Decodes it to mono 16 kHz and cuts out the utterance.
    fn samples(&self, utterance: &Utterance) -> Result<Vec<f32>, Reason> {
        // Needed once: the clip is kept instead.
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (start_s, duration_s) = (utterance.start_s, cut_duration(utterance));
        let options = DecodeOptions { start_s, duration_s, ..DecodeOptions::default() };
        let decoded = match bytes {
            Some(bytes) => vbench_audio::decode_bytes(&bytes, &options),
            None => vbench_audio::decode_file(&utterance.audio, &options),
        };
        let decoded = decoded.map_err(|e| bad_audio(&utterance.audio, e))?;
        check_duration(utterance, decoded.samples.len()).map_err(|text| bad_audio(&utterance.audio, text))?;
        Ok(decoded.samples)
    }

    fn clip(&self, utterance: &Utterance) -> Result<Arc<Read>, Reason> {
        let make = || {
            let clip = |samples| Clip::new(samples).map_err(|e| bad_audio(&utterance.audio, e));
            let samples = self.samples(utterance)?;
            if self.preprocess.is_none() {
                let clip = clip(samples)?;
                let input_sha256 = clip.sha256().to_owned();
                return Ok(Arc::new(Read { clip, input_sha256, steps: Vec::new() }));
            }
            let input_sha256 = sha256_samples(&samples);
            let failed = |text| Reason { kind: ReasonKind::Degrade, text };
            let (samples, steps) = preprocess(&self.preprocess, samples).map_err(failed)?;
            Ok(Arc::new(Read { clip: clip(samples)?, input_sha256, steps }))
        };
        self.clip.get_or_init(make).clone()
    }
}

fn bad_audio(path: &Path, what: impl std::fmt::Display) -> Reason {
    Reason { kind: ReasonKind::BadAudio, text: format!("{}: {what}", path.display()) }
}

/// Hashes every recording that the manifests do not pin, so that the run record holds what was really played and a
/// resumed run notices another file. A file that cannot be read stays unpinned: its cells fail with the reason.
pub fn pin_audio<'a>(utterances: impl Iterator<Item = &'a mut Utterance>) {
    let unpinned: Vec<&mut Utterance> = utterances.filter(|u| u.sha256.is_none()).collect();
    let mut paths: Vec<PathBuf> = unpinned.iter().map(|u| u.audio.clone()).collect();
    paths.sort();
    paths.dedup();
    let all = FileHashes::default();
    let hash = |path: &PathBuf| Some((path.clone(), all.sha256(path).ok()?));
    let hashes: HashMap<PathBuf, String> = paths.par_iter().filter_map(hash).collect();
    for utterance in unpinned {
        utterance.sha256 = hashes.get(&utterance.audio).cloned();
    }
}

/// Reads an utterance's file, verifies its hash, decodes it to mono 16 kHz and cuts out the utterance. Of utterances that
/// are stretches of one recording, `hashes` keeps that from being read whole for each.
///
/// # Errors
///
/// A typed reason that names the file, the position, what was expected and what was found.
pub fn read_utterance(utterance: &Utterance, hashes: &FileHashes) -> Result<Vec<f32>, Reason> {
    Loaded::read(utterance, hashes, Preprocess::default())?.samples(utterance)
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
