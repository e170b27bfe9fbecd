//! Random generators keyed by what they are for, so that order, threads and shards change nothing.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
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

/// Puts items into random order (Fisher and Yates): the same for the same generator on every machine, which no package
/// promises from version to version.
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
    }
}

/// The numbers below `n` in random order.
pub fn permutation(n: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    shuffle(&mut order, rng);
    order
}
