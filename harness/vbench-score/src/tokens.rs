//! Words, grapheme clusters, code points, and small integers for them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use unicode_segmentation::UnicodeSegmentation;

/// Words: maximal stretches without Unicode white space.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Extended grapheme clusters (UAX 29) of the text without white space at its ends; inner spaces count.
pub fn graphemes(text: &str) -> impl Iterator<Item = &str> {
    text.trim().graphemes(true)
}

/// Code points of the text without white space at its ends; inner spaces count.
pub fn code_points(text: &str) -> impl Iterator<Item = &str> {
    text.trim().split("").filter(|s| !s.is_empty())
}

/// Both sides as dense integers: equal tokens, equal numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interned {
    /// Reference.
    pub reference: Vec<u32>,
    /// Hypothesis.
    pub hypothesis: Vec<u32>,
}

/// Numbers the tokens of a pair from 0 in order of appearance.
pub fn intern<'a>(reference: impl Iterator<Item = &'a str>, hypothesis: impl Iterator<Item = &'a str>) -> Interned {
    let mut ids: HashMap<&str, u32, BuildHasherDefault<FoldHasher>> =
        HashMap::with_capacity_and_hasher(64, BuildHasherDefault::default());
    let mut number = |token: &'a str| {
        let next = ids.len() as u32;
        *ids.entry(token).or_insert(next)
    };
    Interned { reference: reference.map(&mut number).collect(), hypothesis: hypothesis.map(&mut number).collect() }
}

/// Characters of a pair. ASCII text has one character a byte (CR LF, one cluster, goes the long way).
pub(crate) fn intern_chars(reference: &str, hypothesis: &str, by_grapheme: bool) -> Interned {
    let mut ids = Interned::default();
    intern_chars_into(reference, hypothesis, by_grapheme, &mut ids.reference, &mut ids.hypothesis);
    ids
}

/// As [`intern_chars`], into buffers that are emptied first.
pub(crate) fn intern_chars_into(
    reference: &str,
    hypothesis: &str,
    by_grapheme: bool,
    reference_ids: &mut Vec<u32>,
    hypothesis_ids: &mut Vec<u32>,
) {
    reference_ids.clear();
    hypothesis_ids.clear();
    let plain = |s: &str| s.is_ascii() && !s.as_bytes().contains(&b'\r');
    if plain(reference) && plain(hypothesis) {
        reference_ids.extend(reference.trim().bytes().map(u32::from));
        hypothesis_ids.extend(hypothesis.trim().bytes().map(u32::from));
        return;
    }
    let ids = if by_grapheme {
        intern(graphemes(reference), graphemes(hypothesis))
    } else {
        intern(code_points(reference), code_points(hypothesis))
    };
    reference_ids.extend(ids.reference);
    hypothesis_ids.extend(ids.hypothesis);
}

/// Multiply-and-fold hash for short keys. Fast, and not made to resist crafted collisions: its tables hold fixed words or
/// live for one pair of texts, so a hostile pair slows itself down and nothing else.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FoldHasher(u64);

impl FoldHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        let rest = chunks.remainder();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u128(&mut self, number: u128) {
        self.mix(number as u64);
        self.mix((number >> 64) as u64);
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }
}
