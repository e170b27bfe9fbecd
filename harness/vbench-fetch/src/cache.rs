//! The cache folder: where fetched models and corpora lie, who may write, and which files are known to be verified.
//!
//! ```text
//! <root>/models/<name>/...          verified files, and .verified
//! <root>/lexicons/<name>/...        the same for pronouncing dictionaries
//! <root>/corpora/<name>/...         manifest.jsonl, audio/, LICENCE.txt, README.txt
//! <root>/locks/<kind>-<name>.lock   held (flock) while something is pulled
//! <root>/tmp/<kind>-<name>.<pid>/   a pull in progress
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::{FetchError, Progress};

/// File in a model folder that lists what was verified, so that a run need not hash it again.
pub const STAMP: &str = ".verified";

/// The cache folder.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

/// The cache folder by convention: `VBENCH_CACHE`, else `XDG_CACHE_HOME/vbench`, else the platform's cache folder below
/// the home folder. `var` looks up an environment variable; empty values count as unset.
#[must_use]
pub fn root_from(var: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let get = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = get("VBENCH_CACHE") {
        return Some(path);
    }
    if let Some(path) = get("XDG_CACHE_HOME").filter(|p| p.is_absolute()) {
        return Some(path.join("vbench"));
    }
    if cfg!(windows) {
        return get("LOCALAPPDATA").map(|p| p.join("vbench"));
    }
    let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    get("HOME").map(|home| home.join(below).join("vbench"))
}

impl Cache {
    /// Opens the cache at `root` (see [`root_from`]), creating the folder.
    ///
    /// # Errors
    ///
    /// No folder given, or it cannot be created.
    pub fn open(root: Option<PathBuf>) -> Result<Self, FetchError> {
        let root = root.ok_or(FetchError::NoCacheFolder)?;
        create_dir(&root)?;
        Ok(Self { root })
    }

    /// The cache folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folder of a model's files.
    #[must_use]
    pub fn model_dir(&self, name: &str) -> PathBuf {
        self.root.join("models").join(name)
    }

    /// Folder of a pronouncing dictionary's files.
    #[must_use]
    pub fn lexicon_dir(&self, name: &str) -> PathBuf {
        self.root.join("lexicons").join(name)
    }

    /// Folder of a corpus.
    #[must_use]
    pub fn corpus_dir(&self, name: &str) -> PathBuf {
        self.root.join("corpora").join(name)
    }

    /// Takes the exclusive right to pull `name`, waiting for another process if need be. The lock is the operating
    /// system's (`flock`): it goes when its holder ends, however it ends, so there are no stale locks.
    pub(crate) fn lock(&self, name: &str, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Lock, FetchError> {
        let folder = self.root.join("locks");
        create_dir(&folder)?;
        let path = folder.join(format!("{name}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| FetchError::io("create", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress(Progress::Waiting { name });
                file.lock().map_err(|e| FetchError::io("lock", &path, e))?;
            }
            // A file system without locks (some network mounts): the rename at the end is still atomic.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(FetchError::io("lock", &path, e)),
        }
        Ok(Lock { _file: file })
    }

    /// A fresh temporary folder for a pull of `name`; removed when dropped. The caller holds the lock, so whatever an
    /// earlier, killed pull of the same name left behind is removed first.
    pub(crate) fn temporary(&self, name: &str, _lock: &Lock) -> Result<Temporary, FetchError> {
        let folder = self.root.join("tmp");
        create_dir(&folder)?;
        let prefix = format!("{name}.");
        let entries = fs::read_dir(&folder).map_err(|e| FetchError::io("read", &folder, e))?;
        for entry in entries.flatten() {
            let left = entry.file_name();
            let suffix = left.to_str().and_then(|n| n.strip_prefix(&prefix));
            // Only `<name>.<digits>`: another model's name may begin with this one's.
            if suffix.is_some_and(|s| s.bytes().all(|b| b.is_ascii_digit())) {
                remove_tree(&entry.path())?;
            }
        }
        let path = folder.join(format!("{name}.{}", std::process::id()));
        create_dir(&path)?;
        Ok(Temporary { path })
    }
}

/// The right to pull one thing; given back when dropped.
pub(crate) struct Lock {
    _file: File,
}

/// A temporary folder inside the cache (so that a rename out of it is atomic).
pub(crate) struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// A new folder below this one.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, FetchError> {
        let path = self.path.join(name);
        remove_tree(&path)?;
        create_dir(&path)?;
        Ok(path)
    }

    /// Puts the finished `folder` in the place of `target`, which is moved aside first when it exists.
    pub(crate) fn install(&self, folder: &Path, target: &Path) -> Result<(), FetchError> {
        if let Some(parent) = target.parent() {
            create_dir(parent)?;
        }
        let old = self.path.join("replaced");
        if target.exists() {
            fs::rename(target, &old).map_err(|e| FetchError::io("rename", target, e))?;
        }
        fs::rename(folder, target).map_err(|e| FetchError::io("rename", folder, e))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Best effort: the next pull of the same name removes what stays.
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(crate) fn create_dir(path: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(path).map_err(|e| FetchError::io("create", path, e))
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), FetchError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(FetchError::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// What is known of one verified file: when size and time of change are still these, so are the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size: u64,
    changed_ns: u64,
    sha256: String,
}

impl Stamp {
    pub(crate) fn of(path: &Path, sha256: &str) -> Result<Self, FetchError> {
        let meta = fs::metadata(path).map_err(|e| FetchError::io("read", path, e))?;
        let changed = meta.modified().map_err(|e| FetchError::io("read", path, e))?;
        let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Ok(Self { size: meta.len(), changed_ns, sha256: sha256.to_string() })
    }
}

/// The stamps of a folder by file name; empty when there are none or they cannot be read (then files are hashed).
pub(crate) fn read_stamps(folder: &Path) -> BTreeMap<String, Stamp> {
    fs::read(folder.join(STAMP)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Writes the stamps of a folder. A folder that cannot be written (a shared, read-only cache) is no error: the files
/// are then hashed each time.
pub(crate) fn write_stamps(folder: &Path, stamps: &BTreeMap<String, Stamp>) {
    let part = folder.join(format!("{STAMP}.{}", std::process::id()));
    let Ok(bytes) = serde_json::to_vec(stamps) else {
        return;
    };
    if fs::write(&part, bytes).is_ok() && fs::rename(&part, folder.join(STAMP)).is_err() {
        let _ = fs::remove_file(&part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| pairs.iter().find(|p| p.0 == name).map(|p| p.1.into())
    }

    #[test]
    fn root_prefers_the_explicit_variable() {
        let env = vars(&[("VBENCH_CACHE", "/c"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(root_from(&env), Some(PathBuf::from("/c")));
        let env = vars(&[("VBENCH_CACHE", ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(root_from(&env), Some(PathBuf::from("/x/vbench")));
        assert_eq!(root_from(&|_| None), None);
        assert!(matches!(Cache::open(None), Err(FetchError::NoCacheFolder)));
    }

    #[test]
    fn leftovers_of_the_same_name_are_cleared_and_others_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(dir.path().to_path_buf())).unwrap();
        for left in ["model-a.1", "model-a.22", "model-a.b.1"] {
            fs::create_dir_all(dir.path().join("tmp").join(left).join("deep")).unwrap();
        }
        let lock = cache.lock("model-a", &mut |_| {}).unwrap();
        let temporary = cache.temporary("model-a", &lock).unwrap();
        let names = |p: &Path| -> Vec<String> {
            let mut all: Vec<_> =
                fs::read_dir(p).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            all.sort();
            all
        };
        let own = format!("model-a.{}", std::process::id());
        let mut expected = vec![own, "model-a.b.1".to_string()];
        expected.sort();
        assert_eq!(names(&dir.path().join("tmp")), expected);
        drop(temporary);
        assert_eq!(names(&dir.path().join("tmp")), ["model-a.b.1"]);
    }

    #[test]
    fn a_second_puller_waits() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(dir.path().to_path_buf())).unwrap();
        let first = cache.lock("x", &mut |_| panic!("nobody to wait for")).unwrap();
        let waiter = {
            let cache = cache.clone();
            let (tx, rx) = std::sync::mpsc::channel();
            let thread = std::thread::spawn(move || {
                cache.lock("x", &mut |p| tx.send(matches!(p, Progress::Waiting { name: "x" })).unwrap()).map(drop)
            });
            assert!(rx.recv().unwrap());
            thread
        };
        assert!(!waiter.is_finished());
        drop(first);
        waiter.join().unwrap().unwrap();
    }
}
