//! SHA-256 as lower-case hex.

use sha2::{Digest, Sha256};

/// SHA-256 of bytes, 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// SHA-256 of parts, one after the other.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    to_hex(&hasher.finalize())
}

/// SHA-256 of samples as little-endian IEEE 754 single precision.
#[must_use]
pub fn sha256_samples(samples: &[f32]) -> String {
    let mut hasher = Sha256::new();
    let mut block = Vec::with_capacity(4 * 4096);
    for chunk in samples.chunks(4096) {
        block.clear();
        for s in chunk {
            block.extend_from_slice(&s.to_le_bytes());
        }
        hasher.update(&block);
    }
    to_hex(&hasher.finalize())
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut s, b| {
        // Writing to a string cannot fail.
        let _ = write!(s, "{b:02x}");
        s
    })
}
