//! Corpora as `vbench data check|play|suspects|split|sample|describe` read and write them.
//!
//! ```text
//! corpus/check.rs      findings, cleaned manifests, one utterance to hear
//! corpus/suspects.rs   references that models agree against
//! corpus/divide.rs     splits and samples
//! corpus/describe.rs   what a corpus holds
//! ```

mod check;
mod describe;
mod divide;
mod suspects;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use vbench_audio::DecodeOptions;
use vbench_core::{ExitCode, Utterance};
use vbench_corpus::check::{Heard, Item, Sound};
use vbench_report::AudioClip;
use vbench_report::corpus::BadLine;
use vbench_run::{FileHashes, require_file};
use vbench_suite::manifest::read_lines;

use crate::cli::CacheArguments;
use crate::failure::Failure;
use crate::open::cache_folder;

pub use check::{check, play};
pub use describe::describe;
pub use divide::{sample, split};
pub use suspects::suspects;

/// Longest manifest that is read, bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 30;
/// Longest stretch of a recording that goes into a page, seconds.
const CLIP_S: f64 = 12.0;

/// The lines of one or more manifests.
struct Corpora {
    /// As given, or where a suite found them.
    manifests: Vec<PathBuf>,
    /// What they are called: as given, or the names of corpora in the cache.
    names: Vec<String>,
    /// Their texts.
    texts: Vec<String>,
    /// Every utterance.
    utterances: Vec<Utterance>,
    /// Manifest and line of each.
    places: Vec<(usize, usize)>,
    /// Lines that are none.
    bad: Vec<BadLine>,
    /// The split of each utterance, where there are several.
    splits: Vec<Option<String>>,
}

impl Corpora {
    /// Manifests, corpora of the cache by name, and suites (`*.toml`). Several manifests are splits of one corpus; corpora of a suite
    /// are corpora of their own, whose utterances may name their split in a tag.
    fn read(paths: &[PathBuf], cache: &CacheArguments) -> Result<Self, Failure> {
        let folder = cache_folder(cache)?;
        let mut sources: Vec<(String, PathBuf)> = Vec::new();
        for path in paths {
            if path.extension().is_some_and(|e| e == "toml") {
                let suite = crate::commands::data::load_with_corpora(path, &folder, true)?;
                sources.extend(suite.corpora.into_iter().map(|c| (c.name, c.manifest)));
            } else {
                sources.push((String::new(), manifest_of(path, &folder)));
            }
        }
        let mut seen = HashSet::new();
        if let Some((_, twice)) = sources.iter().find(|(_, path)| !seen.insert(real(path))) {
            return Err(Failure::new(ExitCode::Usage, format!("{} is named twice", twice.display())));
        }
        let several = sources.iter().filter(|(corpus, _)| corpus.is_empty()).count() > 1;
        let mut names = Vec::new();
        let (manifests, mut utterances, mut places, mut bad, mut splits, mut texts) =
            (sources.iter().map(|s| s.1.clone()).collect(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (i, (corpus, path)) in sources.iter().enumerate() {
            let text = read_text(path)?;
            let read = read_lines(corpus, path, &text);
            let message =
                |key: &str, message: String| if key.is_empty() { message } else { format!("{key}: {message}") };
            let problems = read.problems.into_iter();
            bad.extend(problems.map(|p| BadLine { manifest: i, line: p.line, message: message(&p.key, p.message) }));
            let own = name_of(path, &folder);
            for (line, utterance) in read.lines {
                let tag = utterance.tags.get("split").cloned();
                splits.push(tag.or_else(|| (several && corpus.is_empty()).then(|| own.clone())));
                places.push((i, line));
                utterances.push(utterance);
            }
            texts.push(text);
            names.push(own);
        }
        if utterances.is_empty() && bad.is_empty() {
            let text = format!("{}: no utterances: expected one JSON object a line", names.join(", "));
            return Err(Failure::new(ExitCode::InputInvalid, text));
        }
        Ok(Self { manifests, names, texts, utterances, places, bad, splits })
    }

    /// As [`Corpora::read`], refused where a line is none or an id stands twice.
    fn read_good(path: &Path, cache: &CacheArguments) -> Result<Self, Failure> {
        let mut corpora = Self::read(&[path.to_owned()], cache)?;
        let mut seen = HashMap::new();
        for (u, (manifest, line)) in corpora.utterances.iter().zip(&corpora.places) {
            if let Some(first) = seen.insert((&u.corpus, &u.id), *line) {
                let message = format!("{}: duplicate id: already used on line {first}", u.id);
                corpora.bad.push(BadLine { manifest: *manifest, line: *line, message });
            }
        }
        if corpora.bad.is_empty() {
            return Ok(corpora);
        }
        let listed: Vec<String> = corpora
            .bad
            .iter()
            .take(20)
            .map(|b| format!("  {}:{}: {}", corpora.manifests[b.manifest].display(), b.line, b.message))
            .collect();
        let text = format!("{} lines cannot be used:\n{}", corpora.bad.len(), listed.join("\n"));
        Err(Failure::new(ExitCode::InputInvalid, text))
    }

    /// Refuses to write over a manifest that was read.
    fn spare(&self, out: &Path) -> Result<(), Failure> {
        let own = self.manifests.iter().any(|m| real(m) == real(out));
        let text = || format!("{} is a manifest that is read: write another file", out.display());
        if own { Err(Failure::new(ExitCode::Usage, text())) } else { Ok(()) }
    }

    fn items(&self) -> Vec<Item<'_>> {
        let both = self.utterances.iter().zip(&self.splits);
        both.map(|(utterance, split)| Item { utterance, split: split.as_deref() }).collect()
    }

    /// The lines of utterances as they stand in their manifests, for a manifest in `folder`: recordings are named by
    /// absolute paths where it is another folder.
    fn lines(&self, items: &[usize], folder: &Path) -> Result<String, Failure> {
        let all: Vec<Vec<&str>> =
            self.texts.iter().map(|t| t.strip_prefix('\u{feff}').unwrap_or(t).lines().collect()).collect();
        let parent = |p: &Path| p.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let to = real(folder);
        let same: Vec<bool> = self.manifests.iter().map(|m| real(&parent(m)) == to).collect();
        let mut out = String::new();
        for item in items {
            let (manifest, line) = self.places[*item];
            let raw = all[manifest][line - 1].trim();
            if same[manifest] {
                out.push_str(raw);
            } else {
                let invalid = |e| Failure::new(ExitCode::Internal, format!("line {line}: {e}"));
                let mut value: Value = serde_json::from_str(raw).map_err(invalid)?;
                let audio = &self.utterances[*item].audio;
                let audio = std::path::absolute(audio).unwrap_or_else(|_| audio.clone());
                let name = audio.strip_prefix(&to).unwrap_or(&audio);
                value["audio"] = name.to_string_lossy().into_owned().into();
                out.push_str(&value.to_string());
            }
            out.push('\n');
        }
        Ok(out)
    }
}

/// Links resolved, where there is something.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A manifest, or the one of a corpus in the cache.
fn manifest_of(path: &Path, cache: &Path) -> PathBuf {
    let in_cache = cache.join("corpora").join(path).join("manifest.jsonl");
    if !path.exists() && path.components().count() == 1 && in_cache.exists() { in_cache } else { path.to_owned() }
}

/// A manifest as people call it, and as `data play` takes it.
fn name_of(path: &Path, cache: &Path) -> String {
    let in_cache = path.strip_prefix(cache.join("corpora")).ok().filter(|p| p.ends_with("manifest.jsonl"));
    let name = in_cache.and_then(Path::parent).filter(|p| p.components().count() == 1);
    name.unwrap_or(path).display().to_string()
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = vbench_audio::read_file(path, MAX_MANIFEST_BYTES)
        .map_err(|e| Failure::new(ExitCode::InputInvalid, format!("{}: {e}", path.display())))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        Failure::new(ExitCode::InputInvalid, format!("{}:{line}: not UTF-8 at byte {at} of the file", path.display()))
    })
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(name);
    let done = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    if done.is_err() {
        drop(std::fs::remove_file(&partial));
    }
    done.map_err(failed)
}

/// Listens to recordings, all cores at once.
fn listen(utterances: &[Utterance]) -> Vec<Heard> {
    let hashes = FileHashes::default();
    utterances.par_iter().map(|u| hear(u, &hashes)).collect()
}

fn hear(utterance: &Utterance, hashes: &FileHashes) -> Heard {
    if let Err(e) = require_file(&utterance.audio) {
        return Heard::Unreadable(e.to_string());
    }
    if let Some(expected) = &utterance.sha256 {
        match hashes.sha256(&utterance.audio) {
            Ok(actual) if actual == *expected => {}
            Ok(actual) => return Heard::OtherHash(format!("sha256 is {actual}, the manifest says {expected}")),
            Err(e) => return Heard::Unreadable(e.to_string()),
        }
    }
    let (start_s, duration_s) = (utterance.start_s, utterance.start_s.and(utterance.duration_s));
    let options = DecodeOptions { start_s, duration_s, native_rate: true, ..DecodeOptions::default() };
    match vbench_audio::decode_file(&utterance.audio, &options) {
        Ok(decoded) => {
            let rate = decoded.source_rate_hz;
            let of_file = (rate, decoded.source_channels);
            let sound = if rate == vbench_audio::RATE_HZ {
                Sound::measure(&decoded.samples, of_file, &decoded.samples)
            } else {
                let at_16k = vbench_dsp::resample(&decoded.samples, rate, vbench_audio::RATE_HZ);
                Sound::measure(&decoded.samples, of_file, &at_16k)
            };
            Heard::Sound(Box::new(sound))
        }
        Err(e) => Heard::Unreadable(e.to_string()),
    }
}

/// The first seconds of samples at 16 kHz as Opus; `None` where there is nothing to encode.
fn clip(samples: &[f32]) -> Option<AudioClip> {
    let most = (CLIP_S * f64::from(vbench_audio::RATE_HZ)) as usize;
    let bytes = vbench_audio::encode_ogg_opus(&samples[..samples.len().min(most)]).ok()?;
    Some(AudioClip { mime: "audio/ogg; codecs=opus".into(), bytes, href: None })
}

/// An utterance's recording for a page; `None` where it cannot be had.
fn clip_of(utterance: &Utterance) -> Option<AudioClip> {
    clip(&vbench_run::prepare::read_utterance(utterance, &FileHashes::default()).ok()?)
}
