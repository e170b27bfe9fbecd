//! Members out of a wheel (a zip file), hashed while they are written.

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path};

use zip::ZipArchive;

use crate::FetchError;
use crate::digest::{CopyError, Hasher, copy_limited};

/// A wheel with more entries is refused.
pub const MAX_ENTRIES: usize = 100_000;

/// An open wheel whose entry names have been checked.
pub struct Wheel {
    archive: ZipArchive<File>,
    name: String,
}

impl Wheel {
    /// Opens a wheel and refuses it when any entry would lead outside its folder, whether wanted or not.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no zip, has over [`MAX_ENTRIES`] entries or an unsafe name.
    pub fn open(path: &Path) -> Result<Self, FetchError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let file = File::open(path).map_err(|e| FetchError::io("read", path, e))?;
        let archive = ZipArchive::new(file).map_err(|e| FetchError::archive(&name, e))?;
        if archive.len() > MAX_ENTRIES {
            let what = format!("{} entries", archive.len());
            return Err(FetchError::TooLarge { archive: name, what, limit: MAX_ENTRIES as u64 });
        }
        for entry in archive.file_names_raw() {
            if !is_safe(entry) {
                return Err(FetchError::UnsafePath {
                    archive: name,
                    entry: String::from_utf8_lossy(entry).escape_debug().to_string(),
                });
            }
        }
        Ok(Self { archive, name })
    }

    /// Writes a member to `to`, adding its bytes to `hasher`, which may hold earlier parts of the same file. Stops
    /// with an error when the hasher would pass `limit` bytes, whatever size the archive declares.
    ///
    /// # Errors
    ///
    /// No such member, damaged data, too many bytes, or `to` (named by `path`) cannot be written.
    pub fn extract(
        &mut self,
        member: &str,
        to: &mut dyn Write,
        path: &Path,
        hasher: &mut Hasher,
        limit: u64,
    ) -> Result<(), FetchError> {
        let archive = self.name.clone();
        let mut entry = match self.archive.by_name(member) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::FileNotFound) => {
                return Err(FetchError::MissingMember { archive, member: member.to_string() });
            }
            Err(e) => return Err(FetchError::archive(&archive, format!("{member}: {e}"))),
        };
        if !entry.is_file() {
            return Err(FetchError::archive(&archive, format!("{member} is not a plain file")));
        }
        copy_limited(&mut entry, to, hasher, limit, &mut |_| {}).map_err(|e| match e {
            CopyError::Read(e) => FetchError::archive(&archive, format!("{member}: {e}")),
            CopyError::Write(e) => FetchError::io("write", path, e),
            CopyError::Limit => FetchError::TooLarge { archive, what: format!("{member} in bytes"), limit },
        })
    }
}

/// Whether an archive's entry name stays within its folder on every system: no absolute path, no `..`, no drive, no
/// backslash, no control character.
pub(crate) fn is_safe(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    !name.is_empty()
        && !name.chars().any(|c| c.is_control() || c == '\\')
        && name.split('/').next().is_some_and(|first| !first.contains(':'))
        && Path::new(name).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_outside() {
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:/x", "a\0b", "a\nb"] {
            assert!(!is_safe(bad.as_bytes()), "{bad:?}");
        }
        assert!(!is_safe(b"\xff"));
        for good in ["a", "a/b.bin", "./a/b", "a..b/c", "voix/\u{e9}t\u{e9}"] {
            assert!(is_safe(good.as_bytes()), "{good:?}");
        }
    }
}
