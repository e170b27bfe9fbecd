//! Levenshtein distance, bit-parallel.
//!
//! Myers, "A fast bit-vector algorithm for approximate string matching based on dynamic programming", JACM 46 (1999),
//! in Hyyro's block form (2003): one 64-bit word holds 64 vertical differences of the table.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::tokens::FoldHasher;

/// Tables live for one pair: a fast hash is safe enough.
type TokenMap<T> = HashMap<u32, T, BuildHasherDefault<FoldHasher>>;

/// Least number of substitutions, deletions and insertions that turns one token sequence into the other.
#[must_use]
pub fn levenshtein(a: &[u32], b: &[u32]) -> u64 {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    match pattern.len() {
        0 => text.len() as u64,
        // One token opposite another: no need to look for it.
        1 if text.len() == 1 => 1,
        1 => text.len() as u64 - u64::from(text.contains(&pattern[0])),
        2..=64 => one_word(pattern, text),
        _ => many_words(pattern, text),
    }
}

fn one_word(pattern: &[u32], text: &[u32]) -> u64 {
    let top = pattern.len() - 1;
    let masks = Masks::new(pattern);
    let mut column = Column { up: u64::MAX, down: 0 };
    let mut distance = pattern.len() as u64;
    for token in text {
        let (up, down) = column.step(masks.of(*token), 1, 0);
        distance += up >> top & 1;
        distance -= down >> top & 1;
    }
    distance
}

/// For each token of a pattern of at most 64, the positions where it stands: open addressing, half full at most.
struct Masks {
    tokens: [u32; Masks::SLOTS],
    /// 0 marks a free slot.
    bits: [u64; Masks::SLOTS],
}

impl Masks {
    const SLOTS: usize = 128;

    fn new(pattern: &[u32]) -> Self {
        let mut masks = Self { tokens: [0; Self::SLOTS], bits: [0; Self::SLOTS] };
        for (i, token) in pattern.iter().enumerate() {
            let slot = masks.slot(*token);
            masks.tokens[slot] = *token;
            masks.bits[slot] |= 1 << i;
        }
        masks
    }

    /// Where the token stands, or the free slot where it would.
    #[inline]
    fn slot(&self, token: u32) -> usize {
        // Fibonacci hashing: the high bits of a product with the golden ratio.
        let mut slot = (token.wrapping_mul(0x9e37_79b9) >> 25) as usize;
        while self.bits[slot] != 0 && self.tokens[slot] != token {
            slot = (slot + 1) % Self::SLOTS;
        }
        slot
    }

    #[inline]
    fn of(&self, token: u32) -> u64 {
        self.bits[self.slot(token)]
    }
}

/// Vertical differences of 64 rows: bit set in `up` for +1, in `down` for -1.
#[derive(Clone, Copy)]
struct Column {
    up: u64,
    down: u64,
}

impl Column {
    /// Advances by one text token. `carry_up` and `carry_down` are the horizontal difference (+1 or -1) of the row
    /// above, 0 or 1 each. Returns the horizontal differences of all rows, before shifting.
    #[inline]
    fn step(&mut self, equal: u64, carry_up: u64, carry_down: u64) -> (u64, u64) {
        let vertical = equal | self.down;
        let equal = equal | carry_down;
        let diagonal = (((equal & self.up).wrapping_add(self.up)) ^ self.up) | equal;
        let plus = self.down | !(diagonal | self.up);
        let minus = self.up & diagonal;
        let shifted_plus = plus << 1 | carry_up;
        let shifted_minus = minus << 1 | carry_down;
        self.up = shifted_minus | !(vertical | shifted_plus);
        self.down = shifted_plus & vertical;
        (plus, minus)
    }
}

fn many_words(pattern: &[u32], text: &[u32]) -> u64 {
    let words = pattern.len().div_ceil(64);
    let highest = pattern.iter().copied().max().unwrap_or(0) as usize;
    if (highest + 1) * words <= DENSE { dense(pattern, text, words, highest) } else { sparse(pattern, text, words) }
}

/// Words of masks that a table indexed by token may have.
const DENSE: usize = 4_096;

fn dense(pattern: &[u32], text: &[u32], words: usize, highest: usize) -> u64 {
    let mut masks = vec![0u64; (highest + 1) * words];
    for (i, token) in pattern.iter().enumerate() {
        masks[*token as usize * words + i / 64] |= 1 << (i % 64);
    }
    let none = vec![0u64; words];
    let mut columns = vec![Column { up: u64::MAX, down: 0 }; words];
    let top = (pattern.len() - 1) % 64;
    let mut distance = pattern.len() as u64;
    for token in text {
        let at = *token as usize;
        let equal = if at <= highest { &masks[at * words..][..words] } else { &none[..] };
        let (mut carry_up, mut carry_down) = (1, 0);
        let last = words - 1;
        for (word, (column, equal)) in columns.iter_mut().zip(equal).enumerate() {
            let (up, down) = column.step(*equal, carry_up, carry_down);
            let row = if word == last { top } else { 63 };
            (carry_up, carry_down) = (up >> row & 1, down >> row & 1);
        }
        distance += carry_up;
        distance -= carry_down;
    }
    distance
}

fn sparse(pattern: &[u32], text: &[u32], words: usize) -> u64 {
    // Per token only the words in which it occurs, in order: memory stays linear in the pattern.
    let mut masks: TokenMap<Vec<(usize, u64)>> = TokenMap::default();
    for (i, token) in pattern.iter().enumerate() {
        let (word, bit) = (i / 64, 1u64 << (i % 64));
        let entry = masks.entry(*token).or_default();
        match entry.last_mut() {
            Some((last, mask)) if *last == word => *mask |= bit,
            _ => entry.push((word, bit)),
        }
    }
    let mut columns = vec![Column { up: u64::MAX, down: 0 }; words];
    let top = (pattern.len() - 1) % 64;
    let mut distance = pattern.len() as u64;
    for token in text {
        let mut occurrences = masks.get(token).map_or(&[][..], Vec::as_slice);
        let (mut carry_up, mut carry_down) = (1, 0);
        let last = columns.len() - 1;
        for (word, column) in columns.iter_mut().enumerate() {
            let equal = match occurrences.split_first() {
                Some(((at, mask), rest)) if *at == word => {
                    occurrences = rest;
                    *mask
                }
                _ => 0,
            };
            let (up, down) = column.step(equal, carry_up, carry_down);
            let row = if word == last { top } else { 63 };
            (carry_up, carry_down) = (up >> row & 1, down >> row & 1);
        }
        distance += carry_up;
        distance -= carry_down;
    }
    distance
}
