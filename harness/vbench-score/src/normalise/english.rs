//! Whisper's EnglishTextNormalizer.
//!
//! The peer is a list of regular expressions applied one after the other. Here each pass is a scanner that looks only
//! where its pattern could match; the order of passes is the peer's, because later ones see what earlier ones wrote.

use std::sync::LazyLock;

use super::draft::{Draft, Edit, Rule};
use super::numbers;
use super::scan::{
    Kinds, WordTable, is_digit, is_space, is_word, join_words, lower, positions, remove_enclosed,
    remove_symbols_and_diacritics, runs, signs, squeeze_spaces,
};

/// Signs that survive until numbers have been read.
fn is_numeric_sign(c: char) -> bool {
    matches!(c, '.' | '%' | '$' | '¢' | '€' | '£')
}

pub(super) fn normalize(draft: &mut Draft<'_>) {
    lower(draft);
    // Until symbols are taken apart, no pass writes a sign that was not there.
    let kinds = Kinds::of(draft.text());
    remove_enclosed(draft, kinds);
    if kinds.has(Kinds::APOSTROPHE) {
        // Without hesitations, an apostrophe may come to stand behind another word. Else they go with the next pass.
        draft.pass("hesitation", remove_fillers);
        draft.pass("apostrophe", attach_apostrophes);
    }
    draft.pass("contraction", expand_words);
    if kinds.has(Kinds::APOSTROPHE) {
        draft.pass("perfect tense", expand_perfect_tenses);
        draft.pass("contraction", expand_negations);
        draft.pass("contraction", expand_contractions);
    }
    if kinds.has(Kinds::COMMA) {
        draft.pass("digit group", join_digit_groups);
    }
    if kinds.has(Kinds::FULL_STOP) {
        draft.pass("full stop", remove_full_stops);
    }
    if kinds.any([Kinds::OTHER_SIGN, Kinds::BEYOND_ASCII]) {
        draft.pass("punctuation and diacritics", |edit| remove_symbols_and_diacritics(edit, is_numeric_sign));
    }
    numbers::separate(draft);
    let joined = join_words(draft.text());
    draft.set_spacing(joined);
    numbers::read(draft);
    let kinds = Kinds::of(draft.text());
    if kinds.any([Kinds::FULL_STOP, Kinds::DOLLAR, Kinds::PERCENT, Kinds::BEYOND_ASCII]) {
        draft.pass("stray sign", space_stray_prefixes);
        draft.pass("stray sign", space_stray_percents);
        let squeezed = squeeze_spaces(draft.text());
        draft.set_spacing(squeezed);
    }
}

/// Words that are replaced wherever they stand alone, and the rule.
static WORDS: LazyLock<WordTable<(&str, &str)>> = LazyLock::new(|| {
    let named = |rule, list: &'static [(&str, &'static str)]| list.iter().map(move |(from, to)| (*from, (rule, *to)));
    let fillers = FILLERS.iter().map(|word| (*word, ("hesitation", "")));
    WordTable::of(fillers.chain(named("contraction", &SLANG)).chain(named("title", &TITLES)))
});

const FILLERS: [&str; 6] = ["hmm", "mm", "mhm", "mmm", "uh", "um"];

const SLANG: [(&str, &str); 7] = [
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("gonna", "going to"),
    ("imma", "i am going to"),
    ("woulda", "would have"),
    ("coulda", "could have"),
    ("shoulda", "should have"),
];

const TITLES: [(&str, &str); 21] = [
    ("mr", "mister "),
    ("mrs", "missus "),
    ("st", "saint "),
    ("dr", "doctor "),
    ("prof", "professor "),
    ("capt", "captain "),
    ("gov", "governor "),
    ("ald", "alderman "),
    ("gen", "general "),
    ("sen", "senator "),
    ("rep", "representative "),
    ("pres", "president "),
    ("rev", "reverend "),
    ("hon", "honorable "),
    ("asst", "assistant "),
    ("assoc", "associate "),
    ("lt", "lieutenant "),
    ("col", "colonel "),
    ("jr", "junior "),
    ("sr", "senior "),
    ("esq", "esquire "),
];

fn remove_fillers(edit: &mut Edit<'_>) {
    let text = edit.text();
    for (start, end) in runs(text) {
        if FILLERS.contains(&&text[start..end]) {
            edit.replace(start, end, "");
        }
    }
}

/// No white space before an apostrophe.
fn attach_apostrophes(edit: &mut Edit<'_>) {
    let text = edit.text();
    for at in positions(text, |b| b == b'\'') {
        let free = edit.done_to();
        let kept = free + text[free..at].trim_end_matches(is_space).len();
        if kept < at {
            edit.replace(kept, at, "");
        }
    }
}

/// Whole words: contractions with a form of their own, titles, hesitations.
fn expand_words(edit: &mut Edit<'_>) {
    let text = edit.text();
    let words = &*WORDS;
    let mut previous: Option<(usize, usize)> = None;
    for (start, end) in runs(text) {
        let word = &text[start..end];
        // A contraction is two runs with an apostrophe between them and nothing else.
        let joined = previous.filter(|p| p.1 + 1 == start && text.as_bytes()[p.1] == b'\'' && p.0 >= edit.done_to());
        previous = Some((start, end));
        if let Some((from, full)) = joined.and_then(|p| Some((p.0, contraction(&text[p.0..p.1], word)?))) {
            edit.replace(from, end, full);
        } else if let Some((rule, full)) = words.get(word) {
            edit.replace_as(Rule::Named(rule), start, end, full);
        }
    }
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

/// Whether a `\w` run cannot go on at `at`.
fn ends_at(text: &str, at: usize) -> bool {
    !text[at..].chars().next().is_some_and(is_word)
}

/// `'s been` is "has", `'d been` is "had"; `'s done` is ambiguous and stays.
fn expand_perfect_tenses(edit: &mut Edit<'_>) {
    const TENSES: [(&str, &str); 6] = [
        ("'d been", " had been"),
        ("'s been", " has been"),
        ("'d gone", " had gone"),
        ("'s gone", " has gone"),
        ("'d done", " had done"),
        ("'s got", " has got"),
    ];
    let text = edit.text();
    for at in positions(text, |b| b == b'\'') {
        let found = TENSES.iter().find(|(from, _)| text[at..].starts_with(from) && ends_at(text, at + from.len()));
        if let Some((from, to)) = found {
            edit.replace(at, at + from.len(), to);
        }
    }
}

/// `n't`. Before the other contractions, which may only then end at a word boundary.
fn expand_negations(edit: &mut Edit<'_>) {
    let text = edit.text();
    for (at, found) in text.match_indices("n't") {
        if ends_at(text, at + found.len()) {
            edit.replace(at, at + found.len(), " not");
        }
    }
}

fn expand_contractions(edit: &mut Edit<'_>) {
    const ENDINGS: [(&str, &str); 7] = [
        ("'re", " are"),
        ("'s", " is"),
        ("'d", " would"),
        ("'ll", " will"),
        ("'t", " not"),
        ("'ve", " have"),
        ("'m", " am"),
    ];
    let text = edit.text();
    for at in positions(text, |b| b == b'\'') {
        let found = ENDINGS.iter().find(|(from, _)| text[at..].starts_with(from) && ends_at(text, at + from.len()));
        if let Some((from, to)) = found {
            edit.replace(at, at + from.len(), to);
        }
    }
}

/// Commas between digits go. A digit belongs to one match only, so `1,2,3` keeps its second comma.
fn join_digit_groups(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut free_from = 0;
    for at in positions(text, |b| b == b',') {
        let before = text[free_from..at].chars().next_back().is_some_and(is_digit);
        let after = text[at + 1..].chars().next().filter(|c| is_digit(*c));
        if let (true, Some(after)) = (before, after) {
            edit.replace(at, at + 1, "");
            free_from = at + 1 + after.len_utf8();
        }
    }
}

/// A full stop without a digit after it becomes a space; the character after it belongs to the match.
fn remove_full_stops(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut free_from = 0;
    for at in positions(text, |b| b == b'.') {
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
}

/// `.`, `$`, `¢`, `€`, `£` without a digit after them become a space; the character after them belongs to the match.
fn space_stray_prefixes(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut free_from = 0;
    for (at, length) in signs(text, |b| b == b'.' || b == b'$', &['¢', '€', '£']) {
        let end = at + length;
        if at < free_from {
            continue;
        }
        if let Some(next) = text[end..].chars().next().filter(|c| !c.is_ascii_digit()) {
            edit.replace(at, end, " ");
            free_from = end + next.len_utf8();
        }
    }
}

/// `%` without a digit before it becomes a space; the character before it belongs to the match.
fn space_stray_percents(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut free_from = 0;
    for at in positions(text, |b| b == b'%') {
        if text[free_from..at].chars().next_back().is_some_and(|c| !c.is_ascii_digit()) {
            edit.replace(at, at + 1, " ");
            free_from = at + 1;
        }
    }
}
