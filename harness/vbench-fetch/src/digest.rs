//! SHA-256 of files and streams.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::FetchError;

const BLOCK: usize = 1 << 18;

/// SHA-256 of a file as 64 lower-case hex digits, and its size in bytes.
///
/// # Errors
///
/// The file cannot be read.
pub fn sha256_file(path: &Path) -> Result<(String, u64), FetchError> {
    let mut file = File::open(path).map_err(|e| FetchError::io("read", path, e))?;
    let mut hasher = Hasher::new();
    let mut block = vec![0; BLOCK];
    loop {
        let n = file.read(&mut block).map_err(|e| FetchError::io("read", path, e))?;
        if n == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&block[..n]);
    }
}

/// A running SHA-256 that also counts bytes.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: Sha256,
    bytes: u64,
}

impl Hasher {
    /// An empty hash.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hash as 64 lower-case hex digits, and the number of bytes.
    #[must_use]
    pub fn finish(self) -> (String, u64) {
        let mut hex = String::with_capacity(64);
        for byte in self.state.finalize() {
            for digit in [byte >> 4, byte & 15] {
                hex.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        (hex, self.bytes)
    }
}

/// What stopped [`copy_limited`].
pub(crate) enum CopyError {
    /// The source failed.
    Read(std::io::Error),
    /// The destination failed.
    Write(std::io::Error),
    /// More than the limit arrived; nothing past it was written.
    Limit,
}

/// Copies a stream, hashing it, and stops with an error as soon as the hash has seen more than `limit` bytes.
/// `each` is told the bytes hashed so far after every block.
pub(crate) fn copy_limited(
    from: &mut dyn Read,
    to: &mut dyn Write,
    hasher: &mut Hasher,
    limit: u64,
    each: &mut dyn FnMut(u64),
) -> Result<(), CopyError> {
    let mut block = vec![0; BLOCK];
    loop {
        let n = match from.read(&mut block) {
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(CopyError::Read(e)),
        };
        if n == 0 {
            return Ok(());
        }
        if hasher.bytes() + n as u64 > limit {
            return Err(CopyError::Limit);
        }
        to.write_all(&block[..n]).map_err(CopyError::Write)?;
        hasher.update(&block[..n]);
        each(hasher.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vector() {
        let mut h = Hasher::new();
        h.update(b"ab");
        h.update(b"c");
        let (hex, bytes) = h.finish();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(bytes, 3);
        assert_eq!(hex, vbench_core::hash::sha256_hex(b"abc"));
    }

    #[test]
    fn copy_stops_at_the_limit_without_writing_past_it() {
        let mut out = Vec::new();
        let mut endless = std::io::repeat(7);
        let got = copy_limited(&mut endless, &mut out, &mut Hasher::new(), 1_000_000, &mut |_| {});
        assert!(matches!(got, Err(CopyError::Limit)));
        assert!(out.len() <= 1_000_000);
    }
}
