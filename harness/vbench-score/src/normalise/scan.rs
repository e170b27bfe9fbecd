//! Character classes as Python's `str` and `re` define them, and passes shared by normalisers.
//!
//! The reference tools are Python, whose `\w`, `\s` and `\d` differ from other regular-expression engines: a combining
//! mark is not `\w`, and the control characters U+001C to U+001F are `\s`.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

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
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + stretch(&text[at..], |byte| SPACE_BYTE[usize::from(byte)], is_space);
        at = start + stretch(&text[start..], |byte| !SPACE_BYTE[usize::from(byte)], |c| !is_space(c));
        (at > start).then(|| &text[start..at])
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

/// Text with replacements, copied in stretches.
pub(super) struct Edit<'a> {
    text: &'a str,
    out: String,
    copied: usize,
}

impl<'a> Edit<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, out: String::new(), copied: 0 }
    }

    /// Puts `with` in the place of bytes `from..to`; ranges come in order.
    pub(super) fn replace(&mut self, from: usize, to: usize, with: &str) {
        if self.copied == 0 {
            self.out.reserve(self.text.len() + 16);
        }
        self.out.push_str(&self.text[self.copied..from]);
        self.out.push_str(with);
        self.copied = to;
    }

    /// End of the last replaced range.
    pub(super) fn done_to(&self) -> usize {
        self.copied
    }

    /// The new text, or `None` when nothing was replaced.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.copied == 0 && self.out.is_empty() {
            return None;
        }
        self.out.push_str(&self.text[self.copied..]);
        Some(self.out)
    }
}

/// Applies a pass that returns `None` for "nothing to do".
pub(super) fn apply(text: &mut String, pass: impl FnOnce(&str) -> Option<String>) {
    if let Some(new) = pass(text) {
        *text = new;
    }
}

/// Lower case, full mappings, final sigma by context.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() }
}

/// Removes `<...>`, `[...]` (either closing sign ends either) and `(...)` with at least one character inside.
pub(super) fn remove_enclosed(text: &mut String) {
    if text.contains(['<', '[']) {
        apply(text, |s| remove_between(s, &['<', '['], &['>', ']'], 0));
    }
    if text.contains('(') {
        apply(text, |s| remove_between(s, &['('], &[')'], 1));
    }
}

fn remove_between(text: &str, open: &[char], close: &[char], least: usize) -> Option<String> {
    let mut edit = Edit::new(text);
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
    edit.finish()
}

/// One space for each run of white space.
pub(super) fn squeeze_spaces(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let single = text.is_ascii()
        && bytes.windows(2).all(|w| w != b"  ")
        && bytes.iter().all(|b| *b == b' ' || !is_space(char::from(*b)));
    if single {
        return None;
    }
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
    Some(out)
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

/// NFKC, then a space for every mark, symbol and punctuation.
pub(super) fn remove_symbols(text: &str) -> String {
    let spaced = |c| {
        if is_mark_symbol_or_punctuation(c) { ' ' } else { c }
    };
    if text.is_ascii() { text.chars().map(spaced).collect() } else { text.nfkc().map(spaced).collect() }
}

/// NFKD, without non-spacing marks and with a few letters spelled out; a space for every other mark, symbol and
/// punctuation except those in `keep`.
pub(super) fn remove_symbols_and_diacritics(text: &str, keep: &[char]) -> String {
    let mut kept = [false; 128];
    for c in keep.iter().filter(|c| c.is_ascii()) {
        kept[*c as usize] = true;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // ASCII decomposes to itself and nothing is reordered across it, so stretches can be taken one by one.
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len());
        let mut copied = 0;
        for (i, byte) in rest[..ascii].bytes().enumerate() {
            if byte.is_ascii_punctuation() && !kept[usize::from(byte)] {
                out.push_str(&rest[copied..i]);
                out.push(' ');
                copied = i + 1;
            }
        }
        out.push_str(&rest[copied..ascii]);
        rest = &rest[ascii..];
        let other = rest.bytes().position(|b| b.is_ascii()).unwrap_or(rest.len());
        for c in rest[..other].nfkd() {
            if keep.contains(&c) {
                out.push(c);
            } else if let Some(letters) = spelled_out(c) {
                out.push_str(letters);
            } else if c.general_category() != GeneralCategory::NonspacingMark {
                out.push(if is_mark_symbol_or_punctuation(c) { ' ' } else { c });
            }
        }
        rest = &rest[other..];
    }
    out
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
