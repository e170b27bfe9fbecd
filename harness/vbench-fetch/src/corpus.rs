//! Corpora of recorded prompts: Debian packages in, 16 kHz WAV and a manifest out.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::{Cache, Temporary};
use crate::client::{Clients, apt_download, only_file};
use crate::deb::{Limits, Packed, read_deb};
use crate::digest::sha256_file;
use crate::model::check_file;
use crate::registry::{CorpusEntry, DebPackage};
use crate::transcript::{self, Prompt, Transcript};
use crate::{FetchError, Progress};

/// Sample rate of the decoded recordings.
pub const SAMPLE_RATE: u32 = 16_000;
/// Record of what a corpus folder was made from.
const RECORD: &str = "corpus.json";
/// Version of the way a folder is made; another one is made again.
const RECIPE: u32 = 1;
const MAX_TRANSCRIPT: u64 = 1 << 22;

/// Decodes G.722 at 64 kbit/s to samples at 16 kHz in [-1, 1].
pub type Decode<'a> = &'a dyn Fn(&[u8]) -> Vec<f32>;

/// What a pull made, or found made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusReport {
    /// The corpus.
    pub name: String,
    /// Utterances in the manifest.
    pub utterances: usize,
    /// Their length in seconds.
    pub seconds: f64,
    /// Transcript lines left out because the text is or holds a remark, not only speech.
    pub skipped_remarks: usize,
    /// Transcript lines without a text, repeated, or not readable.
    pub skipped_lines: usize,
    /// Transcript lines without a recording, or with an empty one.
    pub without_audio: usize,
    /// Recordings without a transcript line.
    pub without_text: usize,
    /// SHA-256 of `manifest.jsonl`.
    pub manifest_sha256: String,
    recipe: u32,
    packages: BTreeMap<String, String>,
}

/// What lies in the cache for this corpus, when it is what the registry says now.
#[must_use]
pub fn corpus_status(entry: &CorpusEntry, cache: &Cache) -> Option<CorpusReport> {
    let folder = cache.corpus_dir(&entry.name);
    let report: CorpusReport = serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()?;
    let (manifest, _) = sha256_file(&folder.join("manifest.jsonl")).ok()?;
    let current = report.recipe == RECIPE && report.packages == pins(entry) && report.manifest_sha256 == manifest;
    current.then_some(report)
}

fn pins(entry: &CorpusEntry) -> BTreeMap<String, String> {
    entry.packages.iter().map(|p| (p.file.clone(), p.sha256.clone())).collect()
}

/// Makes sure that a corpus is in the cache: `manifest.jsonl`, `audio/*.wav`, `LICENCE.txt`, `README.txt` in
/// [`Cache::corpus_dir`].
///
/// Packages come from `from` where a file with the pinned sha256 is named there, else from `apt-get download`.
/// A corpus that is there is left alone (unless `from` names a file that is none of its packages).
///
/// # Errors
///
/// [`FetchError::NotPinned`] for a file in `from` with another sha256, [`FetchError::CorpusUnavailable`] when a package
/// cannot be had, and errors of damaged packages and of the disk.
pub fn pull_corpus(
    entry: &CorpusEntry,
    from: &[PathBuf],
    cache: &Cache,
    clients: &Clients,
    decode: Decode<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<CorpusReport, FetchError> {
    let given = match_given(entry, from)?;
    if let Some(report) = corpus_status(entry, cache) {
        return Ok(report);
    }
    let key = format!("corpus-{}", entry.name);
    let lock = cache.lock(&key, progress)?;
    if let Some(report) = corpus_status(entry, cache) {
        return Ok(report);
    }
    let temporary = cache.temporary(&key, &lock)?;
    let mut files = Vec::new();
    for package in &entry.packages {
        let path = match given.get(package.name.as_str()) {
            Some(path) => path.clone(),
            None => download(entry, package, clients, &temporary, progress)?,
        };
        progress(Progress::Verifying { file: &package.file });
        files.extend(read_deb(&path, &Limits::default(), &mut |p| wanted(entry, p))?);
    }
    let folder = temporary.folder("files")?;
    let report = build(entry, files, &folder, decode, progress)?;
    temporary.install(&folder, &cache.corpus_dir(&entry.name))?;
    Ok(report)
}

/// Which pinned package each given file is, by its hash.
fn match_given<'a>(entry: &'a CorpusEntry, from: &[PathBuf]) -> Result<HashMap<&'a str, PathBuf>, FetchError> {
    let mut given = HashMap::new();
    for path in from {
        let (actual, _) = sha256_file(path)?;
        let Some(package) = entry.packages.iter().find(|p| p.sha256 == actual) else {
            return Err(FetchError::NotPinned {
                path: path.clone(),
                actual,
                pinned: pins(entry).into_iter().collect(),
            });
        };
        given.insert(package.name.as_str(), path.clone());
    }
    Ok(given)
}

fn download(
    entry: &CorpusEntry,
    package: &DebPackage,
    clients: &Clients,
    temporary: &Temporary,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, FetchError> {
    let folder = temporary.folder(&package.name)?;
    let source = format!("apt-get download {}={}", package.name, package.version);
    progress(Progress::Source { source: &source });
    apt_download(clients, &package.name, &package.version, package.size, &folder, progress)
        .and_then(|()| only_file(&folder, "deb"))
        .and_then(|path| check_file(&path, &package.file, package.size, &package.sha256).map(|()| path))
        .map_err(|e| FetchError::CorpusUnavailable {
            corpus: entry.name.clone(),
            reason: e.to_string(),
            packages: entry.packages.iter().map(|p| (p.file.clone(), p.version.clone(), p.sha256.clone())).collect(),
        })
}

/// Transcript, recordings and the packages' copyright files.
fn wanted(entry: &CorpusEntry, path: &str) -> bool {
    path == entry.transcript
        || prompt_name(entry, path).is_some()
        || (path.starts_with("usr/share/doc/") && path.ends_with("/copyright"))
}

/// `usr/share/.../digits/1.g722` -> `digits/1`.
fn prompt_name<'p>(entry: &CorpusEntry, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(entry.prompts.as_str())?.strip_prefix('/')?.strip_suffix(".g722")
}

/// Writes the whole corpus folder.
fn build(
    entry: &CorpusEntry,
    files: Vec<Packed>,
    folder: &Path,
    decode: Decode<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<CorpusReport, FetchError> {
    let mut transcript = None;
    let mut recordings = HashMap::new();
    let mut licence = None;
    for (path, bytes) in files {
        if path == entry.transcript {
            transcript = Some(read_transcript(entry, &bytes)?);
        } else if let Some(name) = prompt_name(entry, &path) {
            recordings.insert(name.to_string(), bytes);
        } else {
            licence = Some(bytes);
        }
    }
    let transcript = transcript
        .ok_or_else(|| FetchError::MissingMember { archive: entry.name.clone(), member: entry.transcript.clone() })?;
    let licence = licence.ok_or_else(|| FetchError::MissingMember {
        archive: entry.name.clone(),
        member: "usr/share/doc/*/copyright".to_string(),
    })?;
    let known = |name: &String| {
        transcript.prompts.iter().any(|p| p.name == *name)
            || [&transcript.remarks, &transcript.empty, &transcript.repeated].iter().any(|names| names.contains(name))
    };
    let without_text = recordings.keys().filter(|name| !known(name)).count();
    let (manifest, seconds, without_audio) = write_audio(entry, &transcript, &recordings, folder, decode, progress)?;
    let utterances = transcript.prompts.len() - without_audio;
    if utterances == 0 {
        let message = "no transcript line has a recording".to_string();
        return Err(FetchError::Corpus { corpus: entry.name.clone(), message });
    }
    let report = CorpusReport {
        name: entry.name.clone(),
        utterances,
        seconds,
        skipped_remarks: transcript.remarks.len(),
        skipped_lines: transcript.empty.len() + transcript.repeated.len() + transcript.unreadable.len(),
        without_audio,
        without_text,
        manifest_sha256: vbench_core::hash::sha256_hex(manifest.as_bytes()),
        recipe: RECIPE,
        packages: pins(entry),
    };
    write(&folder.join("manifest.jsonl"), manifest.as_bytes())?;
    write(&folder.join("LICENCE.txt"), &licence)?;
    write(&folder.join("README.txt"), readme(entry, &report).as_bytes())?;
    let record = serde_json::to_vec_pretty(&report)
        .map_err(|e| FetchError::Corpus { corpus: entry.name.clone(), message: e.to_string() })?;
    write(&folder.join(RECORD), &record)?;
    Ok(report)
}

fn read_transcript(entry: &CorpusEntry, gz: &[u8]) -> Result<Transcript, FetchError> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(gz)
        .take(MAX_TRANSCRIPT)
        .read_to_string(&mut text)
        .map_err(|e| FetchError::archive(&entry.transcript, e))?;
    Ok(transcript::parse(&text))
}

/// Decodes and writes every recording that has a text; returns the manifest, the seconds, and the number of
/// transcript lines without a recording.
fn write_audio(
    entry: &CorpusEntry,
    transcript: &Transcript,
    recordings: &HashMap<String, Vec<u8>>,
    folder: &Path,
    decode: Decode<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(String, f64, usize), FetchError> {
    let (mut manifest, mut samples, mut without_audio) = (String::new(), 0_usize, 0);
    let total = transcript.prompts.len();
    for (index, prompt) in transcript.prompts.iter().enumerate() {
        progress(Progress::Decoding { done: index, total });
        let pcm = recordings.get(&prompt.name).map(|g722| decode(g722)).unwrap_or_default();
        if pcm.is_empty() {
            without_audio += 1;
            continue;
        }
        let relative = format!("audio/{}.wav", prompt.name);
        let path = folder.join(&relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| FetchError::io("create", parent, e))?;
        }
        let wav = wav_bytes(&pcm).map_err(|e| FetchError::io("write", &path, e))?;
        write(&path, &wav)?;
        samples += pcm.len();
        let line = manifest_line(entry, prompt, &relative, pcm.len(), &wav);
        let json = serde_json::to_string(&line)
            .map_err(|e| FetchError::Corpus { corpus: entry.name.clone(), message: e.to_string() })?;
        manifest.push_str(&json);
        manifest.push('\n');
    }
    progress(Progress::Decoding { done: total, total });
    Ok((manifest, samples as f64 / f64::from(SAMPLE_RATE), without_audio))
}

#[derive(Serialize)]
struct ManifestLine<'a> {
    id: &'a str,
    audio: &'a str,
    text: &'a str,
    speaker: &'a str,
    language: &'a str,
    duration_s: f64,
    sha256: String,
    tags: BTreeMap<&'static str, String>,
}

fn manifest_line<'a>(
    entry: &'a CorpusEntry,
    prompt: &'a Prompt,
    audio: &'a str,
    samples: usize,
    wav: &[u8],
) -> ManifestLine<'a> {
    let seconds = samples as f64 / f64::from(SAMPLE_RATE);
    let words = transcript::words(&prompt.text);
    let mut tags = BTreeMap::from([("prompt_words", words.to_string()), ("licence", entry.licence.clone())]);
    let mut yes = |name, applies: bool| {
        if applies {
            tags.insert(name, "yes".to_string());
        }
    };
    yes("two_words", words >= 2);
    yes("over_30s", seconds > 30.0);
    yes("subset60", entry.subset60.contains(&prompt.name));
    ManifestLine {
        id: &prompt.name,
        audio,
        text: &prompt.text,
        speaker: &entry.speaker,
        language: &entry.language,
        // To the tenth of a millisecond.
        duration_s: (seconds * 1e4).round() / 1e4,
        sha256: vbench_core::hash::sha256_hex(wav),
        tags,
    }
}

/// 16 kHz mono 16-bit WAV.
fn wav_bytes(samples: &[f32]) -> std::io::Result<Vec<u8>> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut out = std::io::Cursor::new(Vec::with_capacity(44 + 2 * samples.len()));
    let io = |e: hound::Error| std::io::Error::other(e);
    let mut writer = hound::WavWriter::new(&mut out, spec).map_err(io)?;
    for &s in samples {
        // 32768 steps a unit, as decoders define it; a NaN becomes 0.
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
        let step = (s * 32768.0).round().clamp(-32768.0, 32767.0) as i16;
        writer.write_sample(step).map_err(io)?;
    }
    writer.finalize().map_err(io)?;
    Ok(out.into_inner())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    fs::write(path, bytes).map_err(|e| FetchError::io("write", path, e))
}

fn readme(entry: &CorpusEntry, report: &CorpusReport) -> String {
    let packages: Vec<String> = entry.packages.iter().map(|p| format!("  {} sha256 {}", p.file, p.sha256)).collect();
    format!(
        "{}\n\nLanguage {}, one speaker ({}). Licence {}; full text in LICENCE.txt.\nAttribution: {}\n\n\
         Made by `vbench data pull` from the Debian packages\n{}\n\nChanges: G.722 decoded to 16 kHz 16-bit WAV; the \
         transcript made into manifest.jsonl. Dots that mark a part of a\nsentence (`...` at either end) are taken off \
         the text. Left out: {} lines whose text is or holds a remark in brackets, {} lines\nempty, repeated or not \
         readable, {} lines without a recording, {} recordings without a line.\n\n{} utterances, {:.1} s. Tags: \
         prompt_words; two_words (two or more); over_30s; subset60 (the accepted comparison subset).\n",
        entry.name,
        entry.language,
        entry.speaker,
        entry.licence,
        entry.attribution,
        packages.join("\n"),
        report.skipped_remarks,
        report.skipped_lines,
        report.without_audio,
        report.without_text,
        report.utterances,
        report.seconds,
    )
}
