//! Random generators keyed by what they are for, so that order, threads and shards change nothing.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// ChaCha8 keyed by SHA-256 of (seed, purpose, utterance, condition without its level).
///
/// The parts are joined by U+001F, so no two different tuples share a key. `purpose` is a fixed word of the caller
/// (`noise`, `reverb`, `bootstrap`), `utterance` is `corpus/id` or empty, `condition` is
/// [`crate::Condition::key_without_level`] or a stratum's name.
#[must_use]
pub fn keyed_rng(seed: u64, purpose: &str, utterance: &str, condition: &str) -> ChaCha8Rng {
    let text = format!("{seed}\u{1f}{purpose}\u{1f}{utterance}\u{1f}{condition}");
    ChaCha8Rng::from_seed(Sha256::digest(text.as_bytes()).into())
}
