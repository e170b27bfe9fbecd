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
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + stretch(&text[at..], |byte| SPACE_BYTE[usize::from(byte)], is_space);
        at = start + stretch(&text[start..], |byte| !SPACE_BYTE[usize::from(byte)], |c| !is_space(c));
        (at > start).then_some((start, at))
    })
}

/// Bytes from the beginning for which a class holds; ASCII is looked up by byte.
#[inline]
fn stretch(text: &str, ascii: impl Fn(u8) -> bool, other: impl Fn(char) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() {
            if !ascii(byte) {
                break;
            }
            at += 1;
        } else {
            match text[at..].chars().next() {
                Some(c) if other(c) => at += c.len_utf8(),
                _ => break,
            }
        }
    }
    at
}

/// Maximal runs of `\w`, as byte ranges.
pub(super) struct Runs<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Runs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

const WORD_BYTE: [bool; 128] = {
    let mut table = [false; 128];
    let mut i = 0;
    while i < 128 {
        table[i] = (i as u8).is_ascii_alphanumeric() || i as u8 == b'_';
        i += 1;
    }
    table
};

const SPACE_BYTE: [bool; 128] = {
    let mut table = [false; 128];
    let mut i = 0;
    while i < 128 {
        table[i] = matches!(i as u8, 0x09..=0x0d | 0x1c..=0x20);
        i += 1;
    }
    table
};

impl Iterator for Runs<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let outside = |byte: u8| !WORD_BYTE[usize::from(byte)];
        let start = self.at + stretch(&self.text[self.at..], outside, |c| !is_word(c));
        let end = start + stretch(&self.text[start..], |byte| WORD_BYTE[usize::from(byte)], is_word);
        self.at = end;
        (end > start).then_some((start, end))
    }
}

/// Lower case, full mappings, final sigma by context.
pub(super) fn lower(draft: &mut Draft<'_>) {
    let text = draft.text();
    let lowered = if !text.is_ascii() {
        text.to_lowercase()
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        text.to_ascii_lowercase()
    } else {
        return;
    };
    draft.set_word_by_word("lower case", lowered);
}

/// Removes `<...>`, `[...]` (either closing sign ends either) and `(...)` with at least one character inside.
pub(super) fn remove_enclosed(draft: &mut Draft<'_>) {
    if draft.text().contains(['<', '[']) {
        draft.pass("bracketed text", |edit| remove_between(edit, &['<', '['], &['>', ']'], 0));
    }
    if draft.text().contains('(') {
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
    let mut before = 0;
    text.bytes().all(|byte| {
        let fine = byte.is_ascii() && if byte == b' ' { before != b' ' } else { !SPACE_BYTE[usize::from(byte)] };
        before = byte;
        fine
    })
}

fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_space = false;
    for c in text.chars() {
        let space = is_space(c);
        if !space {
            out.push(c);
        } else if !in_space {
            out.push(' ');
        }
        in_space = space;
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
            space_ascii_punctuation(edit, start, end, &[false; 128]);
            continue;
        }
        mapped.clear();
        mapped.extend(text[start..end].nfkc().map(|c| if is_mark_symbol_or_punctuation(c) { ' ' } else { c }));
        if mapped != text[start..end] {
            edit.replace(start, end, &mapped);
        }
    }
}

fn space_ascii_punctuation(edit: &mut Edit<'_>, start: usize, end: usize, keep: &[bool; 128]) {
    for (i, byte) in edit.text()[start..end].bytes().enumerate() {
        if byte.is_ascii_punctuation() && !keep[usize::from(byte)] {
            edit.replace(start + i, start + i + 1, " ");
        }
    }
}

/// NFKD, without non-spacing marks and with a few letters spelled out; a space for every other mark, symbol and
/// punctuation except those in `keep`.
pub(super) fn remove_symbols_and_diacritics(edit: &mut Edit<'_>, keep: &[char]) {
    let mut kept = [false; 128];
    for c in keep.iter().filter(|c| c.is_ascii()) {
        kept[*c as usize] = true;
    }
    let text = edit.text();
    let mut mapped = String::new();
    let mut at = 0;
    // ASCII decomposes to itself and nothing is reordered across it, so stretches can be taken one by one.
    while at < text.len() {
        let other = text[at..].bytes().position(|b| !b.is_ascii()).map_or(text.len(), |i| at + i);
        space_ascii_punctuation(edit, at, other, &kept);
        at = text[other..].bytes().position(|b| b.is_ascii()).map_or(text.len(), |i| other + i);
        mapped.clear();
        for c in text[other..at].nfkd() {
            if keep.contains(&c) {
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
