//! Words of a whole corpus as small integers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::tokens::{FoldHasher, words};

/// Words kept before the vocabulary is started again: memory stays bounded whatever the corpus holds.
const WORDS_MAX: u32 = 1 << 20;

/// Equal words, equal numbers, for as long as nobody calls [`Vocabulary::make_room`].
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Words of at most 15 bytes, which are most: compared as one number.
    short: HashMap<Short, u32, BuildHasherDefault<FoldHasher>>,
    long: HashMap<Box<str>, u32, BuildHasherDefault<FoldHasher>>,
    next: u32,
}

/// The bytes of a word, and their number in the highest byte.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Short(u128);

/// Bytes that fit beside their number.
const SHORT_BYTES: usize = 15;

impl Hash for Short {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.0);
    }
}

impl Short {
    fn new(word: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes[..word.len()].copy_from_slice(word);
        bytes[15] = word.len() as u8;
        Self(u128::from_le_bytes(bytes))
    }
}

impl Vocabulary {
    /// Forgets everything when there are too many words. Only between pairs.
    pub(crate) fn make_room(&mut self) {
        if self.next > WORDS_MAX {
            *self = Self::default();
        }
    }

    /// The numbers of a text's words, into a buffer that is emptied first.
    pub(crate) fn number(&mut self, text: &str, numbers: &mut Vec<u32>) {
        numbers.clear();
        if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            self.number_plain(text.as_bytes(), numbers);
        } else {
            numbers.extend(words(text).map(|word| self.of(word)));
        }
    }

    /// Printable ASCII: words end at spaces only, and 16 bytes at once are searched for one.
    fn number_plain(&mut self, text: &[u8], numbers: &mut Vec<u32>) {
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            if *first == b' ' {
                rest = behind;
                continue;
            }
            let length = match rest.first_chunk::<16>() {
                Some(bytes) => {
                    let bytes = u128::from_le_bytes(*bytes);
                    let length = first_space(bytes);
                    if length <= SHORT_BYTES {
                        let word = bytes & ((1 << (8 * length)) - 1) | (length as u128) << 120;
                        numbers.push(self.of_short(Short(word)));
                        rest = &rest[length..];
                        continue;
                    }
                    length + rest[length..].iter().take_while(|b| **b != b' ').count()
                }
                None => rest.iter().take_while(|b| **b != b' ').count(),
            };
            let (word, behind) = rest.split_at(length);
            numbers.push(match std::str::from_utf8(word) {
                Ok(word) => self.of(word),
                // Printable ASCII is UTF-8; nothing is lost if it were not.
                Err(_) => self.of(&String::from_utf8_lossy(word)),
            });
            rest = behind;
        }
    }

    fn of(&mut self, word: &str) -> u32 {
        if word.len() <= SHORT_BYTES {
            return self.of_short(Short::new(word.as_bytes()));
        }
        if let Some(id) = self.long.get(word) {
            return *id;
        }
        self.long.insert(word.into(), self.next);
        self.next += 1;
        self.next - 1
    }

    fn of_short(&mut self, word: Short) -> u32 {
        let id = *self.short.entry(word).or_insert(self.next);
        self.next += u32::from(id == self.next);
        id
    }
}

/// Number of bytes before the first space, 16 when there is none.
fn first_space(bytes: u128) -> usize {
    const ONES: u128 = u128::MAX / 255;
    let zero_at_space = bytes ^ (ONES * b' ' as u128);
    // The lowest marked byte is the first zero; marks above it may be false.
    let marked = zero_at_space.wrapping_sub(ONES) & !zero_at_space & (ONES << 7);
    (marked.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_where_words_are() {
        let texts = [
            "a bb a  ccc fourteen-bytes fifteen-bytes-x sixteen-bytes-xy seventeen-bytes-x sixteen-bytes-xy",
            " leading and trailing ",
            "",
            "   ",
            "naïve a\u{a0}b café a",
            "tab\tseparated words\nlines a-much-longer-word-than-any-other-of-them a-much-longer-word-than-any-other-of-them",
            "x a-much-longer-word-than-any-other-of-themx",
            "\0 \0\0 a\0 a",
        ];
        let mut vocabulary = Vocabulary::default();
        let mut seen: HashMap<String, u32> = HashMap::new();
        for text in texts {
            let mut numbers = vec![7];
            vocabulary.number(text, &mut numbers);
            let expected: Vec<&str> = words(text).collect();
            assert_eq!(numbers.len(), expected.len(), "{text:?}");
            for (word, number) in expected.iter().zip(numbers) {
                assert_eq!(*seen.entry((*word).to_owned()).or_insert(number), number, "{word:?}");
            }
        }
        let distinct: std::collections::HashSet<u32> = seen.values().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "different words, different numbers");
    }
}
