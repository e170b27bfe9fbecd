//! A normaliser that loses no letter of any script.
//!
//! In order: NFKC; lower case (full mappings; of the further foldings only final sigma to sigma and sharp s to `ss` are
//! made, so Cherokee and a few ligature-like letters stay apart from full case folding); then by general category:
//! letters, numbers, spacing and non-spacing marks stay (vowel signs, viramas, nuktas, harakat), decimal digits become
//! ASCII, punctuation and symbols become spaces, format characters (joiners, direction marks, byte-order mark),
//! enclosing marks and controls that are not white space go; spaces are squeezed and cut at the ends.

use unicode_normalization::{UnicodeNormalization, is_nfkc};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::scan::{digit_value, is_space, lower};

pub(super) fn normalize(raw: &str) -> String {
    if raw.is_ascii() {
        return map(&raw.to_ascii_lowercase());
    }
    let mut text = once(raw);
    // Dropping a character can bring a letter and a mark together that compose or fold further; each round can only
    // compose or drop, so this ends. Two rounds are the rule.
    loop {
        let next = once(&text);
        if next == text {
            return text;
        }
        text = next;
    }
}

fn once(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    let mapped = map(&lower(&composed));
    if is_nfkc(&mapped) { mapped } else { mapped.nfkc().collect() }
}

fn map(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        match class(c) {
            Class::Gone => {}
            Class::Space => space = !out.is_empty(),
            kept => {
                if space {
                    out.push(' ');
                    space = false;
                }
                match kept {
                    Class::Digit(value) => out.push(char::from(b'0' + value)),
                    _ if c == 'ς' => out.push('σ'),
                    _ if c == 'ß' => out.push_str("ss"),
                    _ => out.push(c),
                }
            }
        }
    }
    out
}

enum Class {
    Kept,
    Digit(u8),
    Space,
    Gone,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Kept,
            _ if c.is_ascii_punctuation() || is_space(c) => Class::Space,
            _ => Class::Gone,
        };
    }
    if is_space(c) {
        return Class::Space;
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
            Class::Space
        }
        GeneralCategoryGroup::Other => Class::Gone,
    }
}
