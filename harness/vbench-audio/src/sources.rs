//! Recordings that a degradation draws from: other utterances of the corpus, and users' folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::Folder;
use vbench_core::hash::sha256_hex;

use crate::decode::{DecodeOptions, decode_bytes, read_file};
use crate::degrade::Clip;
use crate::error::DegradeError;

/// The recordings of a corpus, for babble.
pub trait Recordings: Sync {
    /// All utterances, in the order of the manifest, selected or not.
    fn list(&self) -> &[Recording];

    /// The audio of one, by its place in [`Recordings::list`].
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn clip(&self, index: usize) -> Result<Arc<Clip>, String>;

    /// What the draws depend on besides their keys: a hash over all names and recordings.
    fn identity(&self) -> &str;
}

/// One recording of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// `corpus/id`.
    pub name: String,
    /// Who speaks, where known.
    pub speaker: Option<String>,
}

/// Extensions of audio files, in lower case; the content decides about the format.
const EXTENSIONS: [&str; 7] = ["wav", "flac", "mp3", "ogg", "oga", "opus", "wave"];
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 16;
/// Most files of a folder.
const MAX_FILES: usize = 1_000_000;
/// Decoded samples that are kept for the next draw, of all folders together.
const MAX_KEPT_SAMPLES: usize = 32 << 20;

/// A decoded file of a folder.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path below the folder, with `/`.
    pub(crate) name: String,
    /// SHA-256 of the file.
    pub(crate) sha256: String,
    /// Mono, 16 kHz; the first channel.
    pub(crate) samples: Vec<f32>,
}

/// Lists and decoded files, for the life of the process.
#[derive(Default)]
struct Kept {
    lists: HashMap<PathBuf, Arc<Vec<String>>>,
    files: Vec<(PathBuf, Arc<Source>)>,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The audio files of a folder tree, as paths below it, sorted.
///
/// Of a folder with `ch01`, `ch02`, … (the layout of DEMAND: one scene by 16 microphones) only `ch01` counts.
///
/// # Errors
/// [`DegradeError::Folder`]: cannot be read, or holds no audio file.
pub fn folder_files(folder: &Folder) -> Result<Arc<Vec<String>>, DegradeError> {
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(list) = kept().lists.get(&folder.path) {
        return Ok(Arc::clone(list));
    }
    let failed = |message: String| DegradeError::Folder { folder: folder.written.clone(), message };
    let mut names = audio_files(&folder.path).map_err(failed)?;
    names.retain(|name| !is_other_channel(name.rsplit('/').next().unwrap_or_default()));
    if names.is_empty() {
        return Err(failed(format!("no audio file ({}) in it", EXTENSIONS.join(", "))));
    }
    let list = Arc::new(names);
    kept().lists.insert(folder.path.clone(), Arc::clone(&list));
    Ok(list)
}

/// All audio files of a folder tree, by their extension, as paths below it with `/`, sorted.
///
/// # Errors
/// In words: what cannot be read, or how a limit is exceeded.
pub fn audio_files(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    walk(folder, "", 0, &mut names)?;
    names.sort();
    Ok(names)
}

fn walk(folder: &Path, below: &str, depth: usize, names: &mut Vec<String>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    if depth > MAX_DEPTH {
        return Err(format!("{}: more than {MAX_DEPTH} folders deep", folder.display()));
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(format!("{}: a file name is not UTF-8", entry.path().display()));
        };
        if name.starts_with('.') {
            continue;
        }
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        // Links to folders could lead in circles; the depth bounds them.
        if entry.path().is_dir() {
            walk(&entry.path(), &path, depth + 1, names)?;
        } else if is_audio(&name) {
            names.push(path);
        }
        if names.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} audio files"));
        }
    }
    Ok(())
}

fn is_audio(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// `ch02.wav` … `ch16.wav`.
fn is_other_channel(name: &str) -> bool {
    let number = name.strip_prefix("ch").and_then(|rest| rest.get(..2)).and_then(|n| n.parse::<u32>().ok());
    number.is_some_and(|n| n > 1) && name.as_bytes().get(4) == Some(&b'.')
}

/// Draws a file of a folder and decodes it.
///
/// # Errors
/// [`DegradeError::Folder`].
pub(crate) fn draw_file(folder: &Folder, rng: &mut ChaCha8Rng) -> Result<Arc<Source>, DegradeError> {
    let files = folder_files(folder)?;
    let name = &files[below(files.len(), rng)];
    let path = folder.path.join(name);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, source)) = kept().files.iter().find(|(p, _)| *p == path) {
        return Ok(Arc::clone(source));
    }
    let options = DecodeOptions { first_channel: true, ..DecodeOptions::default() };
    let failed = |message: String| DegradeError::Folder {
        folder: folder.written.clone(),
        message: format!("{name}: {message}"),
    };
    let bytes = read_file(&path, options.max_bytes).map_err(|e| failed(e.to_string()))?;
    let samples = decode_bytes(&bytes, &options).map_err(|e| failed(e.to_string()))?.samples;
    let source = Arc::new(Source { name: name.clone(), sha256: sha256_hex(&bytes), samples });
    let mut kept = kept();
    let mut total: usize = kept.files.iter().map(|(_, s)| s.samples.len()).sum::<usize>() + source.samples.len();
    while total > MAX_KEPT_SAMPLES && !kept.files.is_empty() {
        total -= kept.files.remove(0).1.samples.len();
    }
    kept.files.push((path, Arc::clone(&source)));
    Ok(source)
}

/// Uniform in `0..n`, by Lemire's multiplication (the bias is below 2^-64 times n).
pub(crate) fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// Length of a cross-fade, samples (50 ms).
const FADE: usize = 800;

/// `len` samples of a recording from a drawn place on; a shorter one is looped with cross-fades of equal power.
pub(crate) fn excerpt(samples: &[f32], len: usize, rng: &mut ChaCha8Rng) -> (Vec<f64>, usize) {
    let n = samples.len();
    if n >= len {
        let at = below(n - len + 1, rng);
        return (samples[at..at + len].iter().map(|x| f64::from(*x)).collect(), at);
    }
    let at = below(n, rng);
    // Each pass overlaps the end of the one before by the fade; very short files loop without one.
    let fade = FADE.min(n / 4);
    let mut out: Vec<f64> = samples[at..].iter().map(|x| f64::from(*x)).collect();
    while out.len() < len + fade {
        append(&mut out, samples, fade);
    }
    out.truncate(len);
    (out, at)
}

/// Appends a recording, overlapping its start with the end of what is there.
pub(crate) fn append(out: &mut Vec<f64>, samples: &[f32], fade: usize) {
    let fade = fade.min(out.len()).min(samples.len());
    let start = out.len() - fade;
    for i in 0..fade {
        let angle = core::f64::consts::FRAC_PI_2 * (i as f64 + 0.5) / fade as f64;
        out[start + i] = out[start + i] * libm::cos(angle) + f64::from(samples[i]) * libm::sin(angle);
    }
    out.extend(samples[fade..].iter().map(|x| f64::from(*x)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::keyed::keyed_rng;

    #[test]
    fn a_looped_excerpt_has_no_step() {
        // A slow sine that does not close on itself: without a fade the seam would be a step.
        let samples: Vec<f32> = (0..5000).map(|i| libm::sin(f64::from(i) * 0.0021) as f32).collect();
        let (out, at) = excerpt(&samples, 20_000, &mut keyed_rng(1, "t", "", ""));
        assert_eq!(out.len(), 20_000);
        assert_eq!(out[0], f64::from(samples[at]));
        let step = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        assert!(step < 0.01, "{step}");
    }

    #[test]
    fn excerpts_start_anywhere() {
        let samples: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let mut rng = keyed_rng(1, "t", "", "");
        let starts: std::collections::BTreeSet<usize> = (0..500).map(|_| excerpt(&samples, 90, &mut rng).1).collect();
        assert_eq!(starts.into_iter().collect::<Vec<_>>(), (0..=10).collect::<Vec<_>>());
        let (one, _) = excerpt(&[0.5], 7, &mut rng);
        assert_eq!(one, [0.5; 7]);
    }

    #[test]
    fn a_folder_lists_its_audio_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        };
        for name in
            ["b/z.WAV", "a.flac", "readme.txt", "DKITCHEN/ch01.wav", "DKITCHEN/ch02.wav", ".hidden.wav", "ch.wav"]
        {
            make(name);
        }
        let of = |path: PathBuf| folder_files(&Folder { written: "noise".into(), path });
        assert_eq!(*of(folder.path().into()).unwrap(), ["DKITCHEN/ch01.wav", "a.flac", "b/z.WAV", "ch.wav"]);
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        let error = of(folder.path().join("empty")).unwrap_err().to_string();
        assert!(error.contains("folder `noise`: no audio file (wav, flac"), "{error}");
        let error = of(folder.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("cannot read"), "{error}");
    }
}
