//! Whisper's EnglishTextNormalizer.
//!
//! The peer is a list of regular expressions applied one after the other. Here each pass is a scanner that looks only
//! where its pattern could match; the order of passes is the peer's, because later ones see what earlier ones wrote.

use super::numbers;
use super::scan::{
    Edit, Runs, apply, is_digit, is_space, is_word, lower, remove_enclosed, remove_symbols_and_diacritics,
    squeeze_spaces,
};
use super::spelling;

/// Signs that survive until numbers have been read.
const NUMERIC_SIGNS: [char; 6] = ['.', '%', '$', '¢', '€', '£'];

pub(super) fn normalize(raw: &str) -> String {
    let mut text = lower(raw);
    remove_enclosed(&mut text);
    apply(&mut text, remove_fillers);
    if text.contains('\'') {
        apply(&mut text, attach_apostrophes);
    }
    apply(&mut text, expand_words);
    if text.contains('\'') {
        apply(&mut text, expand_perfect_tenses);
        apply(&mut text, expand_negations);
        apply(&mut text, expand_contractions);
    }
    if text.contains(',') {
        apply(&mut text, join_digit_groups);
    }
    if text.contains('.') {
        apply(&mut text, remove_full_stops);
    }
    let text = remove_symbols_and_diacritics(&text, &NUMERIC_SIGNS);
    let mut text = spelling::american(&numbers::to_digits(&text));
    if text.contains(NUMERIC_SIGNS) {
        text = space_stray_prefixes(&text);
        text = space_stray_percents(&text);
    }
    apply(&mut text, squeeze_spaces);
    text
}

/// Takes out hesitations that stand alone.
fn remove_fillers(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (start, end) in Runs::new(text) {
        if (2..=3).contains(&(end - start)) && matches!(&text[start..end], "hmm" | "mm" | "mhm" | "mmm" | "uh" | "um") {
            edit.replace(start, end, "");
        }
    }
    edit.finish()
}

/// No white space before an apostrophe.
fn attach_apostrophes(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (at, _) in text.match_indices('\'') {
        let kept = text[..at].trim_end_matches(is_space).len().max(edit.done_to());
        if kept < at {
            edit.replace(kept, at, "");
        }
    }
    edit.finish()
}

/// Whole words: contractions with a form of their own, and titles.
fn expand_words(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    let mut previous: Option<(usize, usize)> = None;
    for (start, end) in Runs::new(text) {
        let word = &text[start..end];
        // A contraction is two runs with an apostrophe between them and nothing else.
        let joined = previous.filter(|p| p.1 + 1 == start && text.as_bytes()[p.1] == b'\'' && p.0 >= edit.done_to());
        let contraction = joined.and_then(|p| Some((p.0, contraction(&text[p.0..p.1], word)?)));
        if let Some((from, full)) = contraction {
            edit.replace(from, end, full);
        } else if let Some(full) = title_or_slang(word) {
            edit.replace(start, end, full);
        }
        previous = Some((start, end));
    }
    edit.finish()
}

fn contraction(before: &str, after: &str) -> Option<&'static str> {
    Some(match (before, after) {
        ("won", "t") => "will not",
        ("can", "t") => "can not",
        ("let", "s") => "let us",
        ("ain", "t") => "aint",
        ("y", "all") => "you all",
        ("i", "ma") => "i am going to",
        ("ma", "am") => "madam",
        _ => return None,
    })
}

fn title_or_slang(word: &str) -> Option<&'static str> {
    Some(match word.len() {
        2 => match word {
            "mr" => "mister ",
            "st" => "saint ",
            "dr" => "doctor ",
            "lt" => "lieutenant ",
            "jr" => "junior ",
            "sr" => "senior ",
            _ => return None,
        },
        3 => match word {
            "mrs" => "missus ",
            "gov" => "governor ",
            "ald" => "alderman ",
            "gen" => "general ",
            "sen" => "senator ",
            "rep" => "representative ",
            "rev" => "reverend ",
            "hon" => "honorable ",
            "col" => "colonel ",
            "esq" => "esquire ",
            _ => return None,
        },
        4 => match word {
            "imma" => "i am going to",
            "prof" => "professor ",
            "capt" => "captain ",
            "pres" => "president ",
            "asst" => "assistant ",
            _ => return None,
        },
        5 => match word {
            "wanna" => "want to",
            "gotta" => "got to",
            "gonna" => "going to",
            "assoc" => "associate ",
            _ => return None,
        },
        6 => match word {
            "woulda" => "would have",
            "coulda" => "could have",
            _ => return None,
        },
        7 if word == "shoulda" => "should have",
        _ => return None,
    })
}

/// Whether a `\w` run cannot go on at `at`.
fn ends_at(text: &str, at: usize) -> bool {
    !text[at..].chars().next().is_some_and(is_word)
}

/// `'s been` is "has", `'d been` is "had"; `'s done` is ambiguous and stays.
fn expand_perfect_tenses(text: &str) -> Option<String> {
    const TENSES: [(&str, &str); 6] = [
        ("'d been", " had been"),
        ("'s been", " has been"),
        ("'d gone", " had gone"),
        ("'s gone", " has gone"),
        ("'d done", " had done"),
        ("'s got", " has got"),
    ];
    let mut edit = Edit::new(text);
    for (at, _) in text.match_indices('\'') {
        let found = TENSES.iter().find(|(from, _)| text[at..].starts_with(from) && ends_at(text, at + from.len()));
        if let Some((from, to)) = found {
            edit.replace(at, at + from.len(), to);
        }
    }
    edit.finish()
}

/// `n't`. Before the other contractions, which may only then end at a word boundary.
fn expand_negations(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (at, found) in text.match_indices("n't") {
        if ends_at(text, at + found.len()) {
            edit.replace(at, at + found.len(), " not");
        }
    }
    edit.finish()
}

fn expand_contractions(text: &str) -> Option<String> {
    const ENDINGS: [(&str, &str); 7] = [
        ("'re", " are"),
        ("'s", " is"),
        ("'d", " would"),
        ("'ll", " will"),
        ("'t", " not"),
        ("'ve", " have"),
        ("'m", " am"),
    ];
    let mut edit = Edit::new(text);
    for (at, _) in text.match_indices('\'') {
        let found = ENDINGS.iter().find(|(from, _)| text[at..].starts_with(from) && ends_at(text, at + from.len()));
        if let Some((from, to)) = found {
            edit.replace(at, at + from.len(), to);
        }
    }
    edit.finish()
}

/// Commas between digits go. A digit belongs to one match only, so `1,2,3` keeps its second comma.
fn join_digit_groups(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    let mut free_from = 0;
    for (at, _) in text.match_indices(',') {
        let before = text[free_from..at].chars().next_back().is_some_and(is_digit);
        let after = text[at + 1..].chars().next().filter(|c| is_digit(*c));
        if let (true, Some(after)) = (before, after) {
            edit.replace(at, at + 1, "");
            free_from = at + 1 + after.len_utf8();
        }
    }
    edit.finish()
}

/// A full stop without a digit after it becomes a space; the character after it belongs to the match.
fn remove_full_stops(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    let mut free_from = 0;
    for (at, _) in text.match_indices('.') {
        if at < free_from {
            continue;
        }
        match text[at + 1..].chars().next() {
            Some(c) if c.is_ascii_digit() => {}
            after => {
                edit.replace(at, at + 1, " ");
                free_from = at + 1 + after.map_or(0, char::len_utf8);
            }
        }
    }
    edit.finish()
}

/// `.`, `$`, `¢`, `€`, `£` without a digit after them become a space.
fn space_stray_prefixes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let stray = c != '%' && NUMERIC_SIGNS.contains(&c);
        match chars.next_if(|next| stray && !next.is_ascii_digit()) {
            Some(next) => out.extend([' ', next]),
            None => out.push(c),
        }
    }
    out
}

/// `%` without a digit before it becomes a space.
fn space_stray_percents(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if !c.is_ascii_digit() && chars.next_if_eq(&'%').is_some() {
            out.push(' ');
        }
    }
    out
}
