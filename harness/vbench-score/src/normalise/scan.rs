//! Character classes as Python's `str` and `re` define them, and passes shared by normalisers.
//!
//! The reference tools are Python, whose `\w`, `\s` and `\d` differ from other regular-expression engines: a combining
//! mark is not `\w`, and the control characters U+001C to U+001F are `\s`.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::draft::{Draft, Edit};

/// `\w`: letters, numbers and the underscore.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

/// `\s`.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `\d`: decimal digits of any script.
pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.general_category() == GeneralCategory::DecimalNumber)
}

/// Value of a decimal digit of any script.
///
/// Unicode lays out the decimal digits of a script as ten consecutive code points, so the value is the distance to the
/// nearest start of such a run; the mathematical digits (five runs without a gap) start at U+1D7CE.
pub(super) fn digit_value(c: char) -> Option<u32> {
    if let Some(value) = c.to_digit(10) {
        return Some(value);
    }
    if !is_digit(c) {
        return None;
    }
    let mut run = 0;
    let mut code = c as u32;
    while let Some(before) = code.checked_sub(1).and_then(char::from_u32) {
        if !is_digit(before) {
            break;
        }
        code -= 1;
        run += 1;
    }
    Some(run % 10)
}

/// Words between white space, as `str.split()`.
pub(super) fn split_words(text: &str) -> impl Iterator<Item = &str> {
    word_ranges(text).map(|(start, end)| &text[start..end])
}

/// Byte ranges of the words between white space.
pub(super) fn word_ranges(text: &str) -> impl Iterator<Item = (usize, usize)> {
    Spans::new(text, |b| !(b == b' ' || (9..=13).contains(&b) || (28..=31).contains(&b)), |c| !is_space(c))
}

/// Byte ranges of the maximal runs of `\w`.
pub(super) fn runs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    Spans::new(text, |b| b.is_ascii_alphanumeric() || b == b'_', is_word)
}

/// Byte ranges of the maximal runs of ASCII digits.
pub(super) fn digit_runs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    Spans::new(text, |b| b.is_ascii_digit(), |_| false)
}

/// Where the bytes of a class stand.
pub(super) fn positions(text: &str, class: impl Fn(u8) -> bool) -> impl Iterator<Item = usize> {
    let mut next = 0;
    let mut hits = 0u64;
    let mut block = 0;
    std::iter::from_fn(move || {
        while hits == 0 {
            let rest = text.as_bytes().get(next..).filter(|rest| !rest.is_empty())?;
            hits = members(&rest[..rest.len().min(64)], &class);
            block = next;
            next += 64;
        }
        let at = block + hits.trailing_zeros() as usize;
        hits &= hits - 1;
        Some(at)
    })
}

/// Which of at most 64 bytes are in a class, as bits.
#[inline]
fn members(bytes: &[u8], class: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0u8; 64];
    for (flag, byte) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(class(*byte));
    }
    let mut bits = 0;
    for (i, eight) in flags.chunks_exact(8).enumerate() {
        // The product brings the low bits of the eight bytes together at the top.
        let eight = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        bits |= (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

/// Maximal stretches of characters of a class.
///
/// Bytes are classified 64 at a time without a branch for each; then there is one step for each end of a stretch.
struct Spans<'a, A, C> {
    text: &'a str,
    ascii: A,
    other: C,
    /// Where the block begins whose ends are in `ends`, and where the next one does.
    block: usize,
    next: usize,
    /// Bit i: the byte at `block + i` is in the class and the one before is not, or the other way round.
    ends: u64,
    /// The class of the byte before `next`.
    inside: bool,
}

impl<'a, A: Fn(u8) -> bool, C: Fn(char) -> bool> Spans<'a, A, C> {
    fn new(text: &'a str, ascii: A, other: C) -> Self {
        Self { text, ascii, other, block: 0, next: 0, ends: 0, inside: false }
    }

    #[inline]
    fn next_end(&mut self) -> Option<usize> {
        while self.ends == 0 {
            if self.next == self.text.len() {
                return None;
            }
            self.read_block();
        }
        let at = self.block + self.ends.trailing_zeros() as usize;
        self.ends &= self.ends - 1;
        Some(at)
    }

    fn read_block(&mut self) {
        self.block = self.next;
        let rest = &self.text.as_bytes()[self.block..];
        let bytes = &rest[..rest.len().min(64)];
        self.next += bytes.len();
        let members = if bytes.is_ascii() { members(bytes, &self.ascii) } else { self.members_beyond_ascii(bytes) };
        self.ends = members ^ (members << 1 | u64::from(self.inside));
        if bytes.len() < 64 {
            self.ends &= (1 << bytes.len()) - 1;
        }
        self.inside = members >> (bytes.len() - 1) & 1 == 1;
    }

    fn members_beyond_ascii(&self, bytes: &[u8]) -> u64 {
        let mut members = 0;
        let mut inside = self.inside;
        for (i, byte) in bytes.iter().enumerate() {
            // The bytes inside a character are of its class.
            if byte.is_ascii() {
                inside = (self.ascii)(*byte);
            } else if let Some(c) = self.text.get(self.block + i..).and_then(|s| s.chars().next()) {
                inside = (self.other)(c);
            }
            members |= u64::from(inside) << i;
        }
        members
    }
}

impl<A: Fn(u8) -> bool, C: Fn(char) -> bool> Iterator for Spans<'_, A, C> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.next_end()?;
        Some((start, self.next_end().unwrap_or(self.text.len())))
    }
}

/// A fixed list of words with what each stands for, found by the first two letters and the last.
///
/// Words of small ASCII letters only; any other is not in the list. At most 65,535 of them.
pub(super) struct WordTable<V> {
    /// For each key, one more than the place of its first entry; 0 without entries.
    first: Vec<u16>,
    /// Sorted by key.
    entries: Vec<(u16, String, V)>,
}

impl<V: Copy> WordTable<V> {
    pub(super) fn of<W: Into<String>>(words: impl IntoIterator<Item = (W, V)>) -> Self {
        let keyed = |(word, value): (W, V)| {
            let word: String = word.into();
            Some((Self::key(&word)?, word, value))
        };
        let mut entries: Vec<_> = words.into_iter().filter_map(keyed).collect();
        entries.sort_by_key(|(key, ..)| *key);
        let mut first = vec![0; 26 * 26 * 26];
        for (place, (key, ..)) in (1..=u16::MAX).zip(&entries).rev() {
            first[usize::from(*key)] = place;
        }
        Self { first, entries }
    }

    #[inline]
    fn key(word: &str) -> Option<u16> {
        let bytes = word.as_bytes();
        let letter = |byte: &u8| u16::from(byte.wrapping_sub(b'a'));
        // A word of one letter has it three times.
        let (first, last) = (bytes.first()?, bytes.last()?);
        let (first, second, last) = (letter(first), letter(bytes.get(1).unwrap_or(first)), letter(last));
        (first < 26 && second < 26 && last < 26).then_some((first * 26 + second) * 26 + last)
    }

    #[inline]
    pub(super) fn get(&self, word: &str) -> Option<V> {
        let key = Self::key(word)?;
        let place = usize::from(self.first[usize::from(key)]).checked_sub(1)?;
        let same_key = self.entries[place..].iter().take_while(|(k, ..)| *k == key);
        same_key.filter(|(_, w, _)| w == word).map(|(_, _, value)| *value).next()
    }

    #[cfg(test)]
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, V)> {
        self.entries.iter().map(|(_, word, value)| (word.as_str(), *value))
    }
}

/// What kinds of bytes a text has, so that passes with nothing to do are not begun.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const CAPITAL: Self = Self(1);
    pub(super) const DIGIT: Self = Self(1 << 1);
    pub(super) const ONE: Self = Self(1 << 2);
    /// `<` and `[`.
    pub(super) const BRACKET: Self = Self(1 << 3);
    pub(super) const PARENTHESIS: Self = Self(1 << 4);
    pub(super) const APOSTROPHE: Self = Self(1 << 5);
    pub(super) const COMMA: Self = Self(1 << 6);
    pub(super) const FULL_STOP: Self = Self(1 << 7);
    pub(super) const DOLLAR: Self = Self(1 << 8);
    pub(super) const PERCENT: Self = Self(1 << 9);
    /// ASCII punctuation and symbols but `.`, `$`, `%`.
    pub(super) const OTHER_SIGN: Self = Self(1 << 10);
    /// ASCII white space but U+0020.
    pub(super) const ODD_SPACE: Self = Self(1 << 11);
    pub(super) const BEYOND_ASCII: Self = Self(1 << 12);

    const OF_BYTE: [u16; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let byte = i as u8;
            table[i] = match byte {
                b'A'..=b'Z' => Self::CAPITAL.0,
                b'1' => Self::ONE.0 | Self::DIGIT.0,
                b'0'..=b'9' => Self::DIGIT.0,
                b'.' => Self::FULL_STOP.0,
                b'$' => Self::DOLLAR.0,
                b'%' => Self::PERCENT.0,
                b'<' | b'[' => Self::BRACKET.0 | Self::OTHER_SIGN.0,
                b'(' => Self::PARENTHESIS.0 | Self::OTHER_SIGN.0,
                b'\'' => Self::APOSTROPHE.0 | Self::OTHER_SIGN.0,
                b',' => Self::COMMA.0 | Self::OTHER_SIGN.0,
                0x09..=0x0d | 0x1c..=0x1f => Self::ODD_SPACE.0,
                0x80.. => Self::BEYOND_ASCII.0,
                _ if byte.is_ascii_punctuation() => Self::OTHER_SIGN.0,
                _ => 0,
            };
            i += 1;
        }
        table
    };

    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |kinds, byte| kinds | Self::OF_BYTE[usize::from(byte)]))
    }

    /// Any of these kinds.
    pub(super) fn any<const N: usize>(self, kinds: [Self; N]) -> bool {
        kinds.iter().any(|kind| self.0 & kind.0 != 0)
    }

    /// This kind.
    pub(super) fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// Where signs stand, with their lengths: ASCII ones by byte, and those of `other`, which lie between U+0080 and U+00BF
/// or between U+2000 and U+2FFF.
pub(super) fn signs<'t>(
    text: &'t str,
    ascii: impl Fn(u8) -> bool + 't,
    other: &'static [char],
) -> impl Iterator<Item = (usize, usize)> + 't {
    positions(text, move |b| ascii(b) || b == 0xc2 || b == 0xe2).filter_map(move |at| {
        let c = text[at..].chars().next().filter(|c| c.is_ascii() || other.contains(c))?;
        Some((at, c.len_utf8()))
    })
}

/// Lower case, full mappings, final sigma by context.
pub(super) fn lower(draft: &mut Draft<'_>) {
    let text = draft.text();
    let kinds = Kinds::of(text);
    let lowered = if kinds.has(Kinds::BEYOND_ASCII) {
        text.to_lowercase()
    } else if kinds.has(Kinds::CAPITAL) {
        text.to_ascii_lowercase()
    } else {
        return;
    };
    draft.set_word_by_word("lower case", lowered);
}

/// Removes `<...>`, `[...]` (either closing sign ends either) and `(...)` with at least one character inside.
pub(super) fn remove_enclosed(draft: &mut Draft<'_>, kinds: Kinds) {
    if kinds.has(Kinds::BRACKET) {
        draft.pass("bracketed text", |edit| remove_between(edit, &['<', '['], &['>', ']'], 0));
    }
    if kinds.has(Kinds::PARENTHESIS) {
        draft.pass("bracketed text", |edit| remove_between(edit, &['('], &[')'], 1));
    }
}

fn remove_between(edit: &mut Edit<'_>, open: &[char], close: &[char], least: usize) {
    let text = edit.text();
    let mut at = 0;
    while let Some(start) = text[at..].find(open).map(|i| at + i) {
        // Opening and closing signs are one byte each.
        let inside = start + 1;
        let Some(end) = text[inside..].find(close).map(|i| inside + i) else {
            break;
        };
        if end - inside < least {
            at = inside;
            continue;
        }
        edit.replace(start, end + 1, "");
        at = end + 1;
    }
}

/// One space for each run of white space; `None` when that is so already.
pub(super) fn squeeze_spaces(text: &str) -> Option<String> {
    if is_squeezed(text) { None } else { Some(squeezed(text)) }
}

/// As `squeeze_spaces`, without white space at the ends: words joined by single spaces.
pub(super) fn join_words(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if is_squeezed(text) && bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ') {
        return None;
    }
    let trimmed = text.trim_matches(is_space);
    Some(if is_squeezed(trimmed) { trimmed.to_owned() } else { squeezed(trimmed) })
}

/// Whether the only white space is single U+0020. May say no for text beyond ASCII that is.
fn is_squeezed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let double = pairs.fold(0, |any, (a, b)| any | (u8::from(*a == b' ') & u8::from(*b == b' ')));
    double == 0 && !Kinds::of(text).any([Kinds::ODD_SPACE, Kinds::BEYOND_ASCII])
}

fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in word_ranges(text) {
        if start > done {
            out.push(' ');
        }
        out.push_str(&text[start..end]);
        done = end;
    }
    if done < text.len() {
        out.push(' ');
    }
    out
}

/// Marks, symbols and punctuation: what Whisper's normalisers turn into spaces.
fn is_mark_symbol_or_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Mark | GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation
    )
}

/// Stretches that can be composed on their own: ASCII text, and text beyond ASCII with the ASCII character before it.
///
/// Every ASCII character begins a new normalisation segment, but may compose with the marks after it.
pub(super) fn compositions(text: &str) -> impl Iterator<Item = (usize, usize, bool)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at == bytes.len() {
            return None;
        }
        let start = at;
        let other = bytes[start..].iter().position(|b| !b.is_ascii()).map_or(bytes.len(), |i| start + i);
        let plain_end = if other == bytes.len() { other } else { other.saturating_sub(1).max(start) };
        if plain_end > start {
            at = plain_end;
            return Some((start, at, true));
        }
        at = bytes[other..].iter().position(u8::is_ascii).map_or(bytes.len(), |i| other + i);
        Some((start, at, false))
    })
}

/// NFKC, then a space for every mark, symbol and punctuation.
pub(super) fn remove_symbols(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut mapped = String::new();
    for (start, end, ascii) in compositions(text) {
        if ascii {
            space_ascii_punctuation(edit, start, end, |_| false);
            continue;
        }
        mapped.clear();
        mapped.extend(text[start..end].nfkc().map(|c| if is_mark_symbol_or_punctuation(c) { ' ' } else { c }));
        if mapped != text[start..end] {
            edit.replace(start, end, &mapped);
        }
    }
}

fn space_ascii_punctuation(edit: &mut Edit<'_>, start: usize, end: usize, keep: impl Fn(u8) -> bool) {
    for at in positions(&edit.text()[start..end], |b| b.is_ascii_punctuation() && !keep(b)) {
        edit.replace(start + at, start + at + 1, " ");
    }
}

/// NFKD, without non-spacing marks and with a few letters spelled out; a space for every other mark, symbol and
/// punctuation except those in `keep`.
pub(super) fn remove_symbols_and_diacritics(edit: &mut Edit<'_>, keep: impl Fn(char) -> bool) {
    let text = edit.text();
    let mut mapped = String::new();
    let mut at = 0;
    // ASCII decomposes to itself and nothing is reordered across it, so stretches can be taken one by one.
    while at < text.len() {
        let other = text[at..].bytes().position(|b| !b.is_ascii()).map_or(text.len(), |i| at + i);
        space_ascii_punctuation(edit, at, other, |b| keep(char::from(b)));
        at = text[other..].bytes().position(|b| b.is_ascii()).map_or(text.len(), |i| other + i);
        mapped.clear();
        for c in text[other..at].nfkd() {
            if keep(c) {
                mapped.push(c);
            } else if let Some(letters) = spelled_out(c) {
                mapped.push_str(letters);
            } else if c.general_category() != GeneralCategory::NonspacingMark {
                mapped.push(if is_mark_symbol_or_punctuation(c) { ' ' } else { c });
            }
        }
        if mapped != text[other..at] {
            edit.replace(other, at, &mapped);
        }
    }
}

/// Letters that NFKD does not take apart.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'æ' => "ae",
        'Æ' => "AE",
        'ß' => "ss",
        'ẞ' => "SS",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' | 'Þ' => "th",
        'ł' => "l",
        'Ł' => "L",
        _ => return None,
    })
}
