//! A normaliser that loses no letter of any script.
//!
//! In order: NFKC; full case folding (`CaseFolding.txt` of Unicode, status C and F); then by general category: letters,
//! numbers, spacing and non-spacing marks stay (vowel signs, viramas, nuktas, harakat), decimal digits become ASCII,
//! punctuation and symbols become spaces, format characters (joiners, direction marks, byte-order mark), enclosing
//! marks and controls that are not white space go. This is repeated until nothing changes, because dropping a character
//! may bring a letter and a mark together that compose: normalising twice equals once. Spaces are squeezed and cut at
//! the ends.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::draft::{Draft, Edit, Rule};
use super::scan::{compositions, digit_value, is_space, join_words};

pub(super) fn normalize(draft: &mut Draft<'_>, remove_harakat: bool) {
    // Each round can only compose, fold or drop, so this ends. One round is the rule for scripts without case.
    loop {
        if is_nfkc_quick(draft.text().chars()) != IsNormalized::Yes {
            draft.pass("compatibility form", compose);
        }
        let folded = fold(draft);
        let mut dropped = false;
        draft.pass("punctuation", |edit| dropped = by_category(edit, remove_harakat));
        // Signs that became spaces or ASCII digits compose with nothing.
        if draft.text().is_ascii() || !(folded || dropped) {
            break;
        }
    }
    let joined = join_words(draft.text());
    draft.set_spacing(joined);
}

fn compose(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut composed = String::new();
    for (start, end, ascii) in compositions(text) {
        if ascii {
            continue;
        }
        composed.clear();
        composed.extend(text[start..end].nfkc());
        if composed != text[start..end] {
            edit.replace(start, end, &composed);
        }
    }
}

/// Full case folding of NFKC text. Returns whether anything changed.
fn fold(draft: &mut Draft<'_>) -> bool {
    let text = draft.text();
    if text.chars().all(is_folded) {
        return false;
    }
    let mut folded = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii() { folded.push(c.to_ascii_lowercase()) } else { push_folded(&mut folded, c) }
    }
    draft.set_word_by_word("case folding", folded);
    true
}

fn is_folded(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !c.is_ascii_uppercase(),
        // Scripts without case: most of what lies between Hebrew and Myanmar, and East Asia.
        '\u{590}'..='\u{109f}' | '\u{2e80}'..='\u{a63f}' | '\u{ac00}'..='\u{d7ff}' => true,
        _ => {
            let mut folded = String::new();
            push_folded(&mut folded, c);
            folded.chars().eq([c])
        }
    }
}

/// Where folding is not lower-casing. Characters with a compatibility form are not met after NFKC.
fn push_folded(out: &mut String, c: char) {
    /// For U+1C80 to U+1C88.
    const CYRILLIC: [char; 9] = ['в', 'д', 'о', 'с', 'т', 'т', 'ъ', 'ѣ', 'ꙋ'];
    let moved = |base: u32, first: char| char::from_u32(base + (c as u32 - first as u32)).unwrap_or(c);
    match c {
        'ß' | 'ẞ' => out.push_str("ss"),
        'ς' => out.push('σ'),
        '\u{345}' => out.push('ι'),
        // Cherokee folds to the capitals, which are older.
        '\u{13a0}'..='\u{13f5}' => out.push(c),
        '\u{13f8}'..='\u{13fd}' => out.push(moved(0x13f0, '\u{13f8}')),
        '\u{ab70}'..='\u{abbf}' => out.push(moved(0x13a0, '\u{ab70}')),
        '\u{1c80}'..='\u{1c88}' => out.push(CYRILLIC[c as usize - 0x1c80]),
        // Greek with an iota below or beside: the iota becomes a letter.
        '\u{1f80}'..='\u{1ffc}' => {
            let decomposed: Vec<char> = c.to_lowercase().nfd().collect();
            if decomposed.contains(&'\u{345}') {
                out.extend(decomposed.iter().filter(|d| **d != '\u{345}').copied().nfc());
                out.push('ι');
            } else {
                out.extend(c.to_lowercase());
            }
        }
        _ => out.extend(c.to_lowercase()),
    }
}

/// Returns whether a character was dropped without anything in its place.
fn by_category(edit: &mut Edit<'_>, remove_harakat: bool) -> bool {
    let mut dropped = false;
    for (at, c) in edit.text().char_indices() {
        let end = at + c.len_utf8();
        match class(c) {
            Class::Kept if remove_harakat && is_harakat(c) => {
                edit.replace_as(Rule::Named("harakat"), at, end, "");
                dropped = true;
            }
            Class::Kept => {}
            Class::Digit(value) => {
                edit.replace_as(Rule::Named("digit"), at, end, char::from(b'0' + value).encode_utf8(&mut [0; 4]));
            }
            Class::Sign => edit.replace(at, end, " "),
            Class::Gone => {
                edit.replace_as(Rule::Named("invisible character"), at, end, "");
                dropped = true;
            }
        }
    }
    dropped
}

enum Class {
    /// Letters, marks, numbers; white space, which is squeezed at the end.
    Kept,
    /// A decimal digit that is not ASCII.
    Digit(u8),
    Sign,
    Gone,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return match c {
            ' ' | 'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Kept,
            _ if c.is_ascii_punctuation() => Class::Sign,
            _ if is_space(c) => Class::Kept,
            _ => Class::Gone,
        };
    }
    if is_space(c) {
        return Class::Kept;
    }
    match c.general_category() {
        GeneralCategory::EnclosingMark => return Class::Gone,
        GeneralCategory::DecimalNumber => {
            return digit_value(c).map_or(Class::Kept, |value| Class::Digit(value as u8));
        }
        _ => {}
    }
    match c.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number | GeneralCategoryGroup::Mark => Class::Kept,
        GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Separator => {
            Class::Sign
        }
        GeneralCategoryGroup::Other => Class::Gone,
    }
}

/// Arabic vowel and reading marks: those non-spacing marks of the Arabic blocks that are no part of a letter (madda and
/// the two hamzas, U+0653 to U+0655, are).
fn is_harakat(c: char) -> bool {
    let arabic = matches!(c,
        '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{652}' | '\u{656}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}'
        | '\u{897}'..='\u{89f}' | '\u{8ca}'..='\u{8ff}');
    arabic && c.general_category() == GeneralCategory::NonspacingMark
}
