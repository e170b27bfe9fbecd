//! A corpus as a whole: its long-term spectrum, and its recordings as babble.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use vbench_audio::{Clip, LongTermSpectrum, Recording, Recordings, SpectrumAccumulator};
use vbench_core::Utterance;
use vbench_core::hash::sha256_hex;

use crate::cache::AudioCache;
use crate::hashes::FileHashes;
use crate::prepare::read_utterance;

/// Decoded samples kept for babble.
const MAX_KEPT_SAMPLES: usize = 16 << 20;

/// All utterances of a corpus, selected or not; everything measured when it is first needed.
pub(crate) struct CorpusAudio<'a> {
    all: &'a [Utterance],
    list: Vec<Recording>,
    spectrum: OnceLock<Option<Arc<LongTermSpectrum>>>,
    identity: OnceLock<String>,
    kept: Mutex<Vec<(usize, Arc<Clip>)>>,
    hashes: FileHashes,
}

impl<'a> CorpusAudio<'a> {
    pub(crate) fn new(name: &str, all: &'a [Utterance]) -> Self {
        let recording = |u: &Utterance| Recording { name: format!("{name}/{}", u.id), speaker: u.speaker.clone() };
        Self {
            all,
            list: all.iter().map(recording).collect(),
            spectrum: OnceLock::new(),
            identity: OnceLock::new(),
            kept: Mutex::new(Vec::new()),
            hashes: FileHashes::default(),
        }
    }

    /// SHA-256 over the names of all utterances and the files as they are now.
    pub(crate) fn identity(&self) -> &str {
        self.identity.get_or_init(|| {
            let lines: Vec<String> = self
                .all
                .par_iter()
                .map(|u| {
                    let file = self.hashes.sha256(&u.audio).unwrap_or_else(|_| "unreadable".into());
                    format!("{} {file} {:?} {:?} {:?} {:?}\n", u.id, u.sha256, u.speaker, u.start_s, u.duration_s)
                })
                .collect();
            sha256_hex(lines.concat().as_bytes())
        })
    }

    /// The long-term spectrum; `None` when none of the files can be read.
    pub(crate) fn spectrum(&self, cache: Option<&AudioCache>) -> Option<Arc<LongTermSpectrum>> {
        self.spectrum
            .get_or_init(|| {
                let kept = cache.and_then(|c| c.spectrum(self.identity()));
                if let Some(spectrum) = kept.and_then(|power| LongTermSpectrum::from_power(&power)) {
                    return Some(Arc::new(spectrum));
                }
                let spectrum = self.measure_spectrum()?;
                if let Some(cache) = cache {
                    cache.put_spectrum(self.identity(), spectrum.power());
                }
                Some(Arc::new(spectrum))
            })
            .clone()
    }

    fn measure_spectrum(&self) -> Option<LongTermSpectrum> {
        // Utterances in parallel; the accumulator sums in the order of their ids, whatever the thread.
        let parts: Vec<SpectrumAccumulator> = self
            .all
            .par_iter()
            .map(|utterance| {
                let mut part = SpectrumAccumulator::new();
                // A file that cannot be read has no spectrum; its own cells fail with the reason.
                if let Ok(samples) = read_utterance(utterance, &self.hashes) {
                    part.add(&utterance.id, &samples);
                }
                part
            })
            .collect();
        let mut sum = SpectrumAccumulator::new();
        for part in parts {
            sum.merge(part);
        }
        sum.finish()
    }
}

impl Recordings for CorpusAudio<'_> {
    fn list(&self) -> &[Recording] {
        &self.list
    }

    fn clip(&self, index: usize) -> Result<Arc<Clip>, String> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, clip)) = kept().iter().find(|(i, _)| *i == index) {
            return Ok(Arc::clone(clip));
        }
        let samples = read_utterance(&self.all[index], &self.hashes).map_err(|reason| reason.text)?;
        let clip = Arc::new(Clip::new(samples).map_err(|e| e.to_string())?);
        let mut kept = kept();
        let mut total = kept.iter().map(|(_, c)| c.samples().len()).sum::<usize>() + clip.samples().len();
        while total > MAX_KEPT_SAMPLES && !kept.is_empty() {
            total -= kept.remove(0).1.samples().len();
        }
        kept.push((index, Arc::clone(&clip)));
        Ok(clip)
    }

    fn identity(&self) -> &str {
        Self::identity(self)
    }
}
