//! One reference text: what is odd about it.

use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::code::Code;
use super::limits::Limits;
use super::script::{Script, scripts_of};

/// Longest piece of a text that a finding shows, characters.
const EXCERPT: usize = 60;

/// What is found in one text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextFinding {
    /// What.
    pub code: Code,
    /// Larger is worse.
    pub badness: f64,
    /// The place.
    pub detail: String,
}

/// Checks a text in a language (BCP 47; without one the script is not checked).
#[must_use]
pub fn check_text(text: &str, language: Option<&str>, limits: &Limits) -> Vec<TextFinding> {
    let mut found = Vec::new();
    let mut note = |code, badness: f64, detail: String| found.push(TextFinding { code, badness, detail });
    if text.trim().is_empty() {
        if text.chars().any(char::is_control) {
            note(Code::TextControl, 1.0, characters(text, char::is_control));
        }
        note(Code::TextEmpty, 1.0, String::new());
        return found;
    }
    if !text.chars().any(char::is_alphanumeric) {
        note(Code::TextWithoutWords, 1.0, excerpt(text, 0));
    }
    single_characters(text, &mut note);
    if !text.is_ascii() {
        if is_nfc_quick(text.chars()) != IsNormalized::Yes && !unicode_normalization::is_nfc(text) {
            note(Code::TextNotNfc, 1.0, excerpt(text, 0));
        }
        if let Some(at) = wrong_decoding(text) {
            note(Code::TextBroken, 1.0, excerpt(text, at));
        }
    }
    scripts(text, language, &mut note);
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    if digits > 0 {
        note(Code::TextNumbers, digits as f64, excerpt(text, text.find(char::is_numeric).unwrap_or(0)));
    }
    if let Some(at) = markup(text) {
        note(Code::TextMarkup, 1.0, excerpt(text, at));
    }
    let (times, what) = repeats(text);
    if times as f64 > limits.max_repeats {
        note(Code::TextRepeated, times as f64, format!("{times} times `{}`", excerpt(&what, 0)));
    }
    if spacing(text) {
        note(Code::TextSpacing, 1.0, String::new());
    }
    found
}

/// Characters that should not be there, by kind.
fn single_characters(text: &str, note: &mut impl FnMut(Code, f64, String)) {
    let mut add = |code, of: fn(char) -> bool| {
        let count = text.chars().filter(|c| of(*c)).count();
        if count > 0 {
            note(code, count as f64, characters(text, of));
        }
    };
    add(Code::TextControl, char::is_control);
    if text.is_ascii() {
        return;
    }
    add(Code::TextBroken, |c| c == '\u{fffd}' || is_private(c));
    add(Code::TextBidi, is_bidi_mark);
    let joins = text.chars().any(|c| Script::of(c).is_some_and(uses_joiners));
    if joins {
        add(Code::TextInvisible, |c| is_invisible(c) && !is_joiner(c));
    } else {
        add(Code::TextInvisible, is_invisible);
    }
}

/// Private use and noncharacters.
fn is_private(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF | 0xFDD0..=0xFDEF) || code & 0xFFFE == 0xFFFE
}

/// `Bidi_Control` of the Unicode Character Database, PropList.txt.
fn is_bidi_mark(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Characters without a glyph, but for spaces and marks of direction.
fn is_invisible(c: char) -> bool {
    is_joiner(c)
        || matches!(
            c,
            '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}'
        )
        || matches!(c, '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Scripts whose spelling needs joiners.
fn uses_joiners(script: Script) -> bool {
    use Script::{
        Arabic, Bengali, Devanagari, Gujarati, Gurmukhi, Kannada, Khmer, Malayalam, Mongolian, Myanmar, Oriya, Sinhala,
        Tamil, Telugu,
    };
    matches!(
        script,
        Arabic
            | Bengali
            | Devanagari
            | Gujarati
            | Gurmukhi
            | Kannada
            | Khmer
            | Malayalam
            | Mongolian
            | Myanmar
            | Oriya
            | Sinhala
            | Tamil
            | Telugu
    )
}

/// The byte that Windows-1252 writes a character as, where it is one of 0x80 to 0xFF.
fn windows_1252(c: char) -> Option<u8> {
    // Bytes 0x80 to 0x9F; those that stand for nothing are taken as control characters are.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    if let Some(i) = HIGH.iter().position(|h| *h == c) {
        return u8::try_from(0x80 + i).ok();
    }
    u8::try_from(u32::from(c)).ok().filter(|b| *b >= 0x80)
}

/// Where UTF-8 was read as Windows-1252 (`Ã©` for `é`), as a byte position.
fn wrong_decoding(text: &str) -> Option<usize> {
    let mut twos = 0;
    for (at, lead) in text.char_indices() {
        let mut after = text[at + lead.len_utf8()..].chars();
        let mut continued = || after.next().and_then(windows_1252).filter(|b| (0x80..0xC0).contains(b));
        match u32::from(lead) {
            0xC2 | 0xC3 => {
                let Some(second) = continued() else { continue };
                // «MANHÃ» ends with a quotation mark, and a word begins behind none.
                let closes = matches!(second, 0xBB | 0x94 | 0x92) && !after.next().is_some_and(char::is_alphanumeric);
                if !closes {
                    return Some(at);
                }
            }
            // Cyrillic: every letter is such a pair.
            0xD0 | 0xD1 if continued().is_some() => {
                twos += 1;
                if twos > 1 {
                    return Some(at);
                }
            }
            0xE0..=0xEF if continued().is_some() && continued().is_some() => return Some(at),
            _ => {}
        }
    }
    None
}

/// Letters by script against those that the language is written in.
fn scripts(text: &str, language: Option<&str>, note: &mut impl FnMut(Code, f64, String)) {
    let expected = language.and_then(scripts_of);
    if text.is_ascii() && expected.as_ref().is_none_or(|e| e.contains(&Script::Latin)) {
        return;
    }
    let (mut inside, mut outside, mut foreign, mut mixed) = (0u32, 0u32, None, None);
    for word in text.split_whitespace() {
        let mut of_word: Vec<Script> = word.chars().filter_map(Script::of).collect();
        if let Some(expected) = &expected {
            let fitting = of_word.iter().filter(|s| expected.contains(s)).count() as u32;
            let others = of_word.len() as u32 - fitting;
            (inside, outside) = (inside + fitting, outside + others);
            if others > 0 && fitting == 0 {
                foreign = foreign.or(Some(word));
            }
        }
        of_word.retain(|s| looks_alike(*s));
        of_word.dedup();
        if of_word.len() > 1 {
            mixed = mixed.or(Some(word));
        }
    }
    if outside > inside {
        note(Code::TextScript, f64::from(outside), excerpt(text, 0));
    } else if let Some(word) = foreign {
        note(Code::TextForeign, f64::from(outside), excerpt(word, 0));
    }
    if let Some(word) = mixed {
        note(Code::TextMixedScript, 1.0, excerpt(word, 0));
    }
}

/// Scripts whose letters are taken for one another.
fn looks_alike(script: Script) -> bool {
    matches!(script, Script::Latin | Script::Greek | Script::Cyrillic | Script::Armenian)
}

/// Where something stands that is not said: tags, entities, remarks in brackets, addresses, escapes.
fn markup(text: &str) -> Option<usize> {
    text.char_indices().find(|(at, c)| is_markup(*c, &text[at + c.len_utf8()..])).map(|(at, _)| at)
}

fn is_markup(c: char, rest: &str) -> bool {
    let begins = |name: &str| rest.get(..name.len()).is_some_and(|r| r.eq_ignore_ascii_case(name));
    match c {
        '<' => rest.starts_with(|c: char| c.is_alphabetic() || "/!?".contains(c)) && rest.contains('>'),
        '&' => rest.split_once(';').is_some_and(|(name, _)| {
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.len() <= 8 && name.bytes().all(|b| b.is_ascii_alphanumeric())
        }),
        '[' => rest.contains(']'),
        '{' => rest.contains('}'),
        '(' => rest.contains(')'),
        '\\' => rest.starts_with(['n', 't', 'r', 'u', 'x', '"']),
        '*' | '_' | '#' | '~' | '|' | '=' => true,
        'h' | 'H' => begins("ttp://") || begins("ttps://"),
        'w' | 'W' => begins("ww."),
        _ => false,
    }
}

/// Most times that one word or one letter stands in a row, and which.
fn repeats(text: &str) -> (usize, String) {
    let (mut most, mut what) = (1, "");
    let (mut run, mut before) = (0, "");
    for word in text.split_whitespace() {
        run = if word.eq_ignore_ascii_case(before) { run + 1 } else { 1 };
        before = word;
        if run > most {
            (most, what) = (run, word);
        }
    }
    let mut letter = String::new();
    let (mut run, mut before) = (0, '\0');
    for c in text.chars() {
        run = if c == before && c.is_alphabetic() { run + 1 } else { 1 };
        before = c;
        if run > most {
            (most, letter) = (run, c.to_string());
        }
    }
    (most, if letter.is_empty() { what.to_owned() } else { letter })
}

fn spacing(text: &str) -> bool {
    let ends = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let mut before = ' ';
    ends || text.chars().any(|c| {
        let odd = c.is_whitespace() && !c.is_control() && (c != ' ' || before == ' ');
        before = c;
        odd
    })
}

/// The characters of a kind as code points, at most five.
fn characters(text: &str, of: impl Fn(char) -> bool) -> String {
    let mut seen: Vec<char> = text.chars().filter(|c| of(*c)).collect();
    seen.sort_unstable();
    seen.dedup();
    let names: Vec<String> = seen.iter().take(5).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    names.join(" ")
}

/// A piece of a text around a byte position.
fn excerpt(text: &str, at: usize) -> String {
    let before: Vec<char> = text[..at].chars().rev().take(EXCERPT / 3).collect();
    let cut_before = before.len() < text[..at].chars().count();
    let mut piece: String = if cut_before { "…".into() } else { String::new() };
    piece.extend(before.iter().rev());
    let mut rest = text[at..].chars();
    piece.extend(rest.by_ref().take(EXCERPT - before.len()));
    if rest.next().is_some() {
        piece.push('…');
    }
    piece
}
