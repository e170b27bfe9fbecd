//! What the fuzz targets share.

pub mod corpus;
pub mod formats;

use std::path::Path;

/// Calls `read` with a folder that holds one file, `name`, of these bytes: for readers that take a path.
///
/// # Panics
/// The temporary folder cannot be written: the run is worthless then.
pub fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join(name), bytes).expect("room for the input");
    read(dir.path());
}

/// The object with its checksum, as the store writes it: random bytes would not get past the checksum.
#[must_use]
pub fn with_checksum(object: &str) -> String {
    let crc = crc32c::crc32c(object.as_bytes());
    format!("{},\"crc\":{crc}}}", object.strip_suffix('}').unwrap_or(object))
}
