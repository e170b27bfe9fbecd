//! English words to phonemes: the dictionary, and rules for words that it lacks.

use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use super::inventory::Phoneme;
use super::numbers;
use super::{Dictionary, Origin};

/// The rules; their format stands at the head of the file.
const RULES: &str = include_str!("../../data/letter_to_sound_en.txt");

/// Endings that the class `S` of the rules matches, up to the edge of the word.
const ENDINGS: [&[u8]; 12] =
    [b"e", b"es", b"ed", b"er", b"ers", b"ing", b"ings", b"ely", b"ement", b"ements", b"eness", b"eless"];

/// Names of the letters a to z.
const LETTER_NAMES: [&str; 26] = [
    "EY",
    "B IY",
    "S IY",
    "D IY",
    "IY",
    "EH F",
    "JH IY",
    "EY CH",
    "AY",
    "JH EY",
    "K EY",
    "EH L",
    "EH M",
    "EH N",
    "OW",
    "P IY",
    "K Y UW",
    "AA R",
    "EH S",
    "T IY",
    "Y UW",
    "V IY",
    "D AH B AH L Y UW",
    "EH K S",
    "W AY",
    "Z IY",
];

struct Rule {
    left: &'static [u8],
    letters: &'static [u8],
    right: &'static [u8],
    phonemes: Vec<Phoneme>,
}

/// The rules by first letter.
fn rules() -> &'static [Vec<Rule>; 26] {
    static PARSED: OnceLock<[Vec<Rule>; 26]> = OnceLock::new();
    PARSED.get_or_init(|| {
        let mut by_letter: [Vec<Rule>; 26] = Default::default();
        for line in RULES.lines().filter(|l| !l.starts_with('#')) {
            let mut fields = line.split('|').map(str::trim);
            let (Some(left), Some(letters), Some(right), Some(phonemes)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let rule = Rule {
                left: left.as_bytes(),
                letters: letters.as_bytes(),
                right: right.as_bytes(),
                phonemes: arpabet(phonemes),
            };
            if let Some(first) = letters.bytes().next().filter(u8::is_ascii_lowercase) {
                by_letter[usize::from(first - b'a')].push(rule);
            }
        }
        by_letter
    })
}

/// Phonemes of a line of ARPAbet names; what is no name is left out.
fn arpabet(names: &str) -> Vec<Phoneme> {
    names.split_whitespace().filter_map(Phoneme::from_arpabet).collect()
}

fn is_vowel_letter(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

fn fits(letter: u8, pattern: u8) -> bool {
    match pattern {
        b'V' => is_vowel_letter(letter),
        b'C' => letter.is_ascii_lowercase() && !is_vowel_letter(letter),
        b'E' => matches!(letter, b'e' | b'i' | b'y'),
        literal => letter == literal,
    }
}

impl Rule {
    /// Whether the rule applies at `at` of a word with `_` at both ends.
    fn applies(&self, word: &[u8], at: usize) -> bool {
        word[at..].starts_with(self.letters)
            && at >= self.left.len()
            && self.left.iter().rev().zip(word[..at].iter().rev()).all(|(p, l)| fits(*l, *p))
            && self.right_fits(&word[at + self.letters.len()..])
    }

    fn right_fits(&self, mut after: &[u8]) -> bool {
        for &pattern in self.right {
            if pattern == b'S' {
                return after.strip_suffix(b"_").is_some_and(|rest| ENDINGS.contains(&rest));
            }
            match after.split_first() {
                Some((&letter, rest)) if fits(letter, pattern) => after = rest,
                _ => return false,
            }
        }
        true
    }
}

/// Phonemes of a word by the rules alone. Accents are taken off; what is no Latin letter then is skipped. A word without
/// a vowel letter, and a single letter other than "a" and "i", is spelt out.
#[must_use]
pub fn letter_to_sound(word: &str) -> Vec<Phoneme> {
    let letters: Vec<u8> =
        word.nfd().filter(|c| c.is_ascii_alphabetic()).map(|c| (c as u8).to_ascii_lowercase()).collect();
    if letters.len() == 1 && letters != b"a" || !letters.iter().any(|l| is_vowel_letter(*l)) {
        return letters.iter().flat_map(|l| arpabet(LETTER_NAMES[usize::from(l - b'a')])).collect();
    }
    let mut word = vec![b'_'];
    word.extend(&letters);
    word.push(b'_');
    let mut phonemes = Vec::with_capacity(letters.len());
    let mut at = 1;
    while at + 1 < word.len() {
        let rule = rules()[usize::from(word[at] - b'a')].iter().find(|rule| rule.applies(&word, at));
        match rule {
            Some(rule) => {
                phonemes.extend(&rule.phonemes);
                at += rule.letters.len();
            }
            None => at += 1,
        }
    }
    phonemes
}

/// One word of Latin letters, apostrophes and accents, in lower case.
pub(super) fn word(dictionary: Option<&Dictionary>, word: &str) -> (Vec<Phoneme>, Origin) {
    let look_up = |word: &str| dictionary.and_then(|d| d.get(word)).map(<[Phoneme]>::to_vec);
    if let Some(phonemes) = look_up(word) {
        return (phonemes, Origin::Dictionary);
    }
    if let Some(stem) = word.strip_suffix("'s").filter(|stem| !stem.is_empty()) {
        let (mut phonemes, origin) = self::word(dictionary, stem);
        phonemes.extend(plural(phonemes.last().copied()));
        return (phonemes, origin);
    }
    let bare = word.trim_matches('\'');
    match look_up(bare).filter(|_| bare != word) {
        Some(phonemes) => (phonemes, Origin::Dictionary),
        None => (letter_to_sound(word), Origin::LetterToSound),
    }
}

/// The ending -s after a phoneme: after a sibilant with a vowel, after a voiceless consonant without voice.
fn plural(last: Option<Phoneme>) -> Vec<Phoneme> {
    let last = last.and_then(|p| p.entry().arpabet).unwrap_or_default();
    arpabet(match last {
        "S" | "Z" | "SH" | "ZH" | "CH" | "JH" => "IH Z",
        "P" | "T" | "K" | "F" | "TH" => "S",
        _ => "Z",
    })
}

/// A number in ASCII digits as it is read: see [`numbers::words`].
pub(super) fn number(dictionary: Option<&Dictionary>, digits: &str, ending: &str) -> (Vec<Phoneme>, Origin) {
    let mut phonemes = Vec::new();
    let mut origin = Origin::Dictionary;
    for part in numbers::words(digits, matches!(ending, "st" | "nd" | "rd" | "th")) {
        let (more, from) = word(dictionary, &part);
        phonemes.extend(more);
        origin = origin.worse(from);
    }
    if matches!(ending, "s" | "'s") {
        phonemes.extend(plural(phonemes.last().copied()));
    }
    (phonemes, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_as_it_is_written() {
        let lines: Vec<&str> = RULES.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(rules().iter().map(Vec::len).sum::<usize>(), lines.len());
        for line in lines {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            assert_eq!(fields.len(), 4, "{line}");
            assert!(!fields[1].is_empty() && fields[1].bytes().all(|b| b.is_ascii_lowercase()), "{line}");
            assert_eq!(arpabet(fields[3]).len(), fields[3].split_whitespace().count(), "{line}");
            for side in [fields[0], fields[2]] {
                assert!(side.bytes().all(|b| b.is_ascii_lowercase() || b"VCE_S".contains(&b)), "{line}");
            }
            assert!(!fields[0].contains('S') && !fields[2].trim_end_matches('S').contains('S'), "{line}");
        }
    }
}
