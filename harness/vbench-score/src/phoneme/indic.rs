//! Devanagari and Telugu words to phonemes by a table of their letters.
//!
//! Both scripts are written syllable by syllable: a consonant letter carries an inherent vowel (Devanagari ə, Telugu a),
//! which a vowel sign replaces and a virama takes away. Their Unicode blocks have one layout (that of ISCII-1991), so one
//! table by offset serves both, with the differences between the languages beside it. Values: Ohala, "Aspects of Hindi
//! Phonology" (1983), Krishnamurti & Gwynn, "A Grammar of Modern Telugu" (1985).
//!
//! - Anusvara is the nasal at the place of the plosive or affricate or nasal that follows; elsewhere m in Telugu, nasalisation in
//!   Devanagari. Candrabindu is nasalisation.
//! - Hindi and Marathi drop inherent vowels: at the end of a word with another vowel, and, from the right, between
//!   vowel-consonant and consonant-vowel (Ohala's rule). Other languages in Devanagari keep them.
//! - Vocalic r is ɾɪ in Devanagari and ɾu in Telugu. Avagraha and joiners are silent.

use unicode_normalization::UnicodeNormalization;

use super::inventory::{Features, Manner, Phoneme, Place};

/// A script that has a table here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Devanagari,
    Telugu,
}

impl Script {
    /// The script of a letter or sign.
    pub(super) fn of(c: char) -> Option<Self> {
        match c {
            // Without the dandas and digits.
            '\u{900}'..='\u{963}' | '\u{970}'..='\u{97f}' => Some(Self::Devanagari),
            '\u{c00}'..='\u{c63}' => Some(Self::Telugu),
            _ => None,
        }
    }

    fn base(self) -> u32 {
        match self {
            Self::Devanagari => 0x900,
            Self::Telugu => 0xc00,
        }
    }
}

/// Consonants from offset 0x15 (ka) to 0x39 (ha).
const CONSONANTS: [&str; 0x25] = [
    "k", "kʰ", "ɡ", "ɡʱ", "ŋ", "tʃ", "tʃʰ", "dʒ", "dʒʱ", "ɲ", "ʈ", "ʈʰ", "ɖ", "ɖʱ", "ɳ", "t̪", "t̪ʰ", "d̪", "d̪ʱ", "n",
    "n", "p", "pʰ", "b", "bʱ", "m", "j", "ɾ", "r", "l", "ɭ", "ɻ", "ʋ", "ʃ", "ʂ", "s", "ɦ",
];

/// Vowels from offset 0x05 (a) to 0x14 (au): letters, and from 0x3e on their signs.
const DEVANAGARI_VOWELS: [&str; 16] =
    ["ə", "aː", "ɪ", "iː", "ʊ", "uː", "ɾɪ", "lɪ", "æ", "e", "eː", "ɛː", "ɔ", "o", "oː", "ɔː"];
const TELUGU_VOWELS: [&str; 16] =
    ["a", "aː", "i", "iː", "u", "uː", "ɾu", "lu", "", "e", "eː", "aɪ", "", "o", "oː", "aʊ"];

/// What a consonant becomes with a nukta.
fn with_nukta(consonant: &str) -> &str {
    match consonant {
        "k" => "q",
        "kʰ" => "x",
        "ɡ" => "ɣ",
        "dʒ" => "z",
        "ɖ" => "ɽ",
        "ɖʱ" => "ɽʱ",
        "pʰ" => "f",
        other => other,
    }
}

/// One segment; inherent vowels may be dropped later, anusvara is resolved by what follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Sound(Phoneme),
    Inherent(Phoneme),
    Anusvara,
}

impl Segment {
    fn is_vowel(self) -> bool {
        match self {
            Self::Sound(p) | Self::Inherent(p) => p.is_vowel(),
            Self::Anusvara => false,
        }
    }
}

/// Phonemes of a stretch of one script; `None` for a sign that the table lacks. `drops_vowels`: Hindi and Marathi.
pub(super) fn phonemes(script: Script, text: &str, drops_vowels: bool) -> Option<Vec<Phoneme>> {
    let mut segments = segments(script, text)?;
    if drops_vowels && script == Script::Devanagari {
        drop_inherent(&mut segments);
    }
    Some(resolve(script, &segments))
}

fn segments(script: Script, text: &str) -> Option<Vec<Segment>> {
    let vowels = if script == Script::Devanagari { DEVANAGARI_VOWELS } else { TELUGU_VOWELS };
    let inherent = Phoneme::from_ipa(vowels[0])?;
    let mut out = Vec::new();
    // Composed, so that vowel signs of two parts are one; letters with nukta stay two.
    let mut letters = text.nfc().filter(|c| !matches!(c, '\u{200c}' | '\u{200d}')).peekable();
    while let Some(letter) = letters.next() {
        match u32::from(letter).checked_sub(script.base())? {
            0x00..=0x01 => out.push(Segment::Sound(Phoneme::from_ipa("˜")?)),
            0x02 => out.push(Segment::Anusvara),
            0x03 => out.push(Segment::Sound(Phoneme::from_ipa("h")?)),
            at @ (0x05..=0x14 | 0x60..=0x61) => vowel(vowels, at, &mut out)?,
            at @ (0x15..=0x39 | 0x58..=0x5a) => {
                let mut symbol = match (script, at) {
                    (Script::Telugu, 0x58) => "ts",
                    (Script::Telugu, 0x59) => "dz",
                    (_, 0x58..) => return None,
                    _ => CONSONANTS[at as usize - 0x15],
                };
                let follows = |c: char| u32::from(c).checked_sub(script.base());
                if letters.next_if(|c| follows(*c) == Some(0x3c)).is_some() {
                    symbol = with_nukta(symbol);
                }
                out.push(Segment::Sound(Phoneme::from_ipa(symbol)?));
                match letters.peek().and_then(|c| follows(*c)) {
                    Some(0x4d) => {
                        letters.next();
                    }
                    Some(sign @ (0x3e..=0x4c | 0x62..=0x63)) => {
                        letters.next();
                        let letter = match sign {
                            0x44 => 0x0b, // long vocalic r, as the short one
                            0x62.. => sign - 0x57,
                            _ => sign - 0x38,
                        };
                        vowel(vowels, letter, &mut out)?;
                    }
                    _ => out.push(Segment::Inherent(inherent)),
                }
            }
            0x3d => {}
            _ => return None,
        }
    }
    Some(out)
}

/// The vowel at an offset of the letters (0x05 to 0x14; 0x0b and 0x60, the short and long vocalic r, sound alike, as do
/// 0x0c and 0x61).
fn vowel(vowels: [&str; 16], at: u32, out: &mut Vec<Segment>) -> Option<()> {
    let at = if at >= 0x60 { at - 0x55 } else { at };
    let symbol = vowels[at as usize - 0x05];
    // Vocalic r and l are two sounds.
    let (first, rest) = match symbol.chars().next()? {
        c @ ('ɾ' | 'l') => symbol.split_at(c.len_utf8()),
        _ => (symbol, ""),
    };
    out.push(Segment::Sound(Phoneme::from_ipa(first)?));
    if !rest.is_empty() {
        out.push(Segment::Sound(Phoneme::from_ipa(rest)?));
    }
    Some(())
}

/// Drops inherent vowels as Hindi does.
fn drop_inherent(segments: &mut Vec<Segment>) {
    let others = segments.iter().filter(|s| s.is_vowel()).count();
    if others > 1 && matches!(segments.last(), Some(Segment::Inherent(_))) {
        segments.pop();
    }
    for at in (2..segments.len().saturating_sub(2)).rev() {
        let vowel = |i: usize| segments.get(i).is_some_and(|s| s.is_vowel());
        let consonant = |i: usize| segments.get(i).is_some_and(|s| !s.is_vowel());
        if matches!(segments[at], Segment::Inherent(_))
            && vowel(at - 2)
            && consonant(at - 1)
            && consonant(at + 1)
            && vowel(at + 2)
        {
            segments.remove(at);
        }
    }
}

fn resolve(script: Script, segments: &[Segment]) -> Vec<Phoneme> {
    let nasal = |next: Option<&Segment>| {
        let symbol = match next {
            Some(Segment::Sound(p)) => match p.entry().features {
                Features::Consonant { place, manner: Manner::Plosive | Manner::Affricate | Manner::Nasal, .. } => {
                    match place {
                        Place::Velar | Place::Uvular => Some("ŋ"),
                        Place::Postalveolar | Place::Palatal => Some("ɲ"),
                        Place::Retroflex => Some("ɳ"),
                        Place::Dental | Place::Alveolar => Some("n"),
                        Place::Bilabial => Some("m"),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        };
        symbol.unwrap_or(if script == Script::Telugu { "m" } else { "˜" })
    };
    segments
        .iter()
        .enumerate()
        .filter_map(|(i, segment)| match segment {
            Segment::Sound(p) | Segment::Inherent(p) => Some(*p),
            Segment::Anusvara => Phoneme::from_ipa(nasal(segments.get(i + 1))),
        })
        .collect()
}
