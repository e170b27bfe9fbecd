//! SHA-256 of files, each computed once: an hour's recording with hundreds of stretches is not read hundreds of times.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use vbench_audio::DecodeError;

/// What shows that a file is another one than before.
type State = (u64, Option<SystemTime>);
/// The hash, or why the file could not be read.
type Slot = Arc<OnceLock<Result<String, (std::io::ErrorKind, String)>>>;

/// Hashes of files as they are: one that changes its size or time is read again.
#[derive(Debug, Default)]
pub struct FileHashes {
    known: Mutex<HashMap<PathBuf, (State, Slot)>>,
}

impl FileHashes {
    /// SHA-256 of a file, 64 lower-case hex digits.
    ///
    /// # Errors
    /// [`DecodeError::Read`].
    pub fn sha256(&self, path: &Path) -> Result<String, DecodeError> {
        let failed = |source| DecodeError::Read { path: path.to_owned(), source };
        let facts = require_file(path)?;
        let state = (facts.len(), facts.modified().ok());
        let slot = {
            // A poisoned lock only means that another worker panicked; the table itself is always whole.
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(path) {
                Some((then, slot)) if *then == state => Arc::clone(slot),
                _ => {
                    let slot = Slot::default();
                    known.insert(path.to_owned(), (state, Arc::clone(&slot)));
                    slot
                }
            }
        };
        let hash = slot.get_or_init(|| read(path).map_err(|e| (e.kind(), e.to_string())));
        hash.clone().map_err(|(kind, text)| failed(std::io::Error::new(kind, text)))
    }
}

/// Facts of a recording. What is neither file nor folder is refused: a pipe waits for its writer, a device may never end.
///
/// # Errors
/// [`DecodeError::Read`].
pub fn require_file(path: &Path) -> Result<std::fs::Metadata, DecodeError> {
    let failed = |source| DecodeError::Read { path: path.to_owned(), source };
    let facts = std::fs::metadata(path).map_err(failed)?;
    if facts.is_file() || facts.is_dir() {
        Ok(facts)
    } else {
        Err(failed(std::io::Error::other("a pipe or a device, no file")))
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 18];
    loop {
        match file.read(&mut block)? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::hash::sha256_hex;

    /// A pipe without a writer would be waited for, and a device read for ever.
    #[cfg(unix)]
    #[test]
    fn a_device_is_no_recording() {
        let refused = FileHashes::default().sha256(Path::new("/dev/zero")).expect_err("no file");
        assert!(refused.to_string().contains("a pipe or a device"), "{refused}");
        assert!(require_file(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn a_file_that_changes_has_another_hash() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        let hashes = FileHashes::default();
        assert!(matches!(hashes.sha256(&path), Err(DecodeError::Read { .. })));
        for content in [&b"one"[..], b"twelve"] {
            std::fs::write(&path, content).expect("writes");
            assert_eq!(hashes.sha256(&path).expect("hashes"), sha256_hex(content));
            assert_eq!(hashes.sha256(&path).expect("hashes"), sha256_hex(content));
        }
        assert!(matches!(hashes.sha256(folder.path()), Err(DecodeError::Read { .. })), "a folder");
    }
}
