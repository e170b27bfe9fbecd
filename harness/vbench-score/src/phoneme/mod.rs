//! Words to phonemes, phoneme alignment, phoneme confusions.
//!
//! ```text
//! inventory.rs   phonemes, articulatory features, costs
//! dictionary.rs  a pronouncing dictionary (CMU format)
//! english.rs     dictionary look-up, letter-to-sound rules, numbers.rs
//! indic.rs       Devanagari and Telugu by a table of letters
//! align.rs       alignment by articulatory features
//! confusion.rs   the confusion matrix over a word alignment
//! ```
//!
//! ```
//! use vbench_score::phoneme::{PhonemeConfusions, PronunciationCache, Pronouncer};
//! use vbench_score::{Normalizer, Weights, score_pair};
//!
//! let pronouncer = Pronouncer::for_language("en", None);
//! assert_eq!(pronouncer.describe(), "dictionary: absent, letter-to-sound only");
//! let score = score_pair("a big pin", "a big bin", &Normalizer::None, Weights::Sclite)?;
//! let mut confusions = PhonemeConfusions::default();
//! confusions.add(&mut PronunciationCache::new(&pronouncer), &score);
//! let top = confusions.substitutions(1);
//! assert_eq!((top[0].reference.ipa(), top[0].hypothesis.ipa(), top[0].count), ("p", "b", 1));
//! # Ok::<(), vbench_score::ScoreError>(())
//! ```

mod align;
mod confusion;
mod dictionary;
mod english;
mod indic;
mod inventory;
mod numbers;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::tokens::FoldHasher;

pub use align::{MAX_CELLS, Step, align};
pub use confusion::{CountedConfusion, CountedPhoneme, PhonemeConfusions, WordSources};
pub use dictionary::Dictionary;
pub use english::letter_to_sound;
pub use inventory::{
    Backness, COST_UNITS, Entry, Features, GAP_COST, Glide, Height, INVENTORY, Manner, Phoneme, Place,
};

/// How a word was turned into phonemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// All of it from the pronouncing dictionary.
    Dictionary,
    /// All of it by a table of letters whose spelling tells the sound.
    GraphemeTable,
    /// At least a part by letter-to-sound rules.
    LetterToSound,
}

impl Origin {
    /// The less certain of two.
    fn worse(self, other: Self) -> Self {
        self.max(other)
    }
}

/// A word's phonemes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pronunciation {
    /// In order; at least one.
    pub phonemes: Vec<Phoneme>,
    /// Where they are from.
    pub origin: Origin,
}

/// Which rules Latin letters follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latin {
    English,
    /// A language in Latin letters without rules here.
    Unknown,
}

/// Turns words into phonemes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pronouncer {
    dictionary: Option<Dictionary>,
    latin: Latin,
    language: String,
    drops_vowels: bool,
}

impl Pronouncer {
    /// For a BCP 47 tag. English words go by the dictionary where one is given, else by letter-to-sound rules. Words in
    /// Devanagari and Telugu go by their tables; in Indian languages (hi, mr, ne, sa, te) words in Latin letters are read as
    /// English. Other languages have no rules: their words are counted as unpronounced, never guessed.
    #[must_use]
    pub fn for_language(tag: &str, dictionary: Option<Dictionary>) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let latin = match language.as_str() {
            "en" | "hi" | "mr" | "ne" | "sa" | "te" => Latin::English,
            _ => Latin::Unknown,
        };
        let drops_vowels = matches!(language.as_str(), "hi" | "mr");
        Self { dictionary, latin, language, drops_vowels }
    }

    /// What the phonemes rest on, in words for a report: it says when the dictionary is absent.
    #[must_use]
    pub fn describe(&self) -> String {
        let english = match &self.dictionary {
            _ if self.latin == Latin::Unknown => {
                return format!("no pronunciation rules for `{}` in Latin letters", self.language);
            }
            Some(d) => format!("dictionary: {} ({} words), letter-to-sound for other words", d.name(), d.len()),
            None => "dictionary: absent, letter-to-sound only".to_owned(),
        };
        if self.language == "en" { english } else { format!("grapheme tables; words in Latin letters: {english}") }
    }

    /// Whether English words can be looked up.
    #[must_use]
    pub fn has_dictionary(&self) -> bool {
        self.dictionary.is_some()
    }

    /// A word's phonemes; `None` where no rule reads it: another script, digits of a language without number words here, or
    /// nothing but punctuation.
    ///
    /// The whole word is looked up first. Else stretches of one script are read one after another; punctuation between
    /// them is silent. In English, digits are read as numbers (`42`, `1,000`, `3.5`, `2nd`, `80s`), `%`, `&`, `+`, `@` and `=`
    /// as words, a currency sign after the number that follows it.
    #[must_use]
    pub fn pronounce(&self, word: &str) -> Option<Pronunciation> {
        let lower = word.to_lowercase().replace('’', "'");
        if self.latin == Latin::English
            && let Some(phonemes) = self.dictionary.as_ref().and_then(|d| d.get(&lower))
        {
            return Some(Pronunciation { phonemes: phonemes.to_vec(), origin: Origin::Dictionary });
        }
        let mut phonemes = Vec::new();
        let mut origin = None;
        let mut currency = None;
        let mut rest = lower.as_str();
        while let Some(first) = rest.chars().next() {
            let (end, part) = match kind(first) {
                Kind::Silent => (first.len_utf8(), None),
                Kind::Other => return None,
                Kind::Indic(script) => {
                    let joined = |c: char| indic::Script::of(c) == Some(script) || matches!(c, '\u{200c}' | '\u{200d}');
                    let end = rest.find(|c| !joined(c)).unwrap_or(rest.len());
                    let sounds = indic::phonemes(script, &rest[..end], self.drops_vowels)?;
                    (end, Some((sounds, Origin::GraphemeTable)))
                }
                _ if self.latin == Latin::Unknown => return None,
                Kind::Latin => {
                    let end = rest.find(|c| kind(c) != Kind::Latin && c != '\'').unwrap_or(rest.len());
                    (end, Some(english::word(self.dictionary.as_ref(), &rest[..end])))
                }
                Kind::Digit => {
                    let end = number_end(rest);
                    let ending_end =
                        end + rest[end..].find(|c| kind(c) != Kind::Latin && c != '\'').unwrap_or(rest.len() - end);
                    let ending = &rest[end..ending_end];
                    let taken = if is_number_ending(ending) { ending_end } else { end };
                    let mut said = english::number(self.dictionary.as_ref(), &rest[..end], &rest[end..taken]);
                    if let Some(unit) = currency.take() {
                        let (more, from) = english::word(self.dictionary.as_ref(), unit);
                        said.0.extend(more);
                        said.1 = said.1.worse(from);
                    }
                    (taken, Some(said))
                }
                Kind::Currency(unit) => {
                    currency = Some(unit);
                    (first.len_utf8(), None)
                }
                Kind::Spoken(name) => (first.len_utf8(), Some(english::word(self.dictionary.as_ref(), name))),
            };
            if let Some((sounds, from)) = part.filter(|(sounds, _)| !sounds.is_empty()) {
                phonemes.extend(sounds);
                origin = Some(origin.map_or(from, |o: Origin| o.worse(from)));
            }
            rest = &rest[end..];
        }
        origin.map(|origin| Pronunciation { phonemes, origin })
    }
}

/// What a character is to the pronouncer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Latin,
    Digit,
    Indic(indic::Script),
    Currency(&'static str),
    Spoken(&'static str),
    Silent,
    Other,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' | '\u{e0}'..='\u{f6}' | '\u{f8}'..='\u{24f}' => Kind::Latin,
        // Accents on their own, as in decomposed text.
        '\u{300}'..='\u{36f}' => Kind::Latin,
        '0'..='9' => Kind::Digit,
        '$' => Kind::Currency("dollars"),
        '£' => Kind::Currency("pounds"),
        '€' => Kind::Currency("euros"),
        '%' => Kind::Spoken("percent"),
        '&' => Kind::Spoken("and"),
        '+' => Kind::Spoken("plus"),
        '=' => Kind::Spoken("equals"),
        '@' => Kind::Spoken("at"),
        _ => match indic::Script::of(c) {
            Some(script) => Kind::Indic(script),
            None if c.is_alphanumeric() => Kind::Other,
            None => Kind::Silent,
        },
    }
}

fn is_number_ending(ending: &str) -> bool {
    matches!(ending, "st" | "nd" | "rd" | "th" | "s" | "'s")
}

/// End of the number that a text begins with: digits, and `,` or `.` between digits, at most one `.`.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut points = 0;
    let mut end = 0;
    while end < bytes.len() {
        let digit_follows = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        match bytes[end] {
            b'0'..=b'9' => {}
            b',' if digit_follows && points == 0 => {}
            b'.' if digit_follows && points == 0 => points = 1,
            _ => break,
        }
        end += 1;
    }
    end
}

/// A pronouncer that remembers every word it has read.
#[derive(Debug, Clone)]
pub struct PronunciationCache<'p> {
    pronouncer: &'p Pronouncer,
    known: HashMap<String, Option<Pronunciation>, BuildHasherDefault<FoldHasher>>,
}

impl<'p> PronunciationCache<'p> {
    /// Empty.
    #[must_use]
    pub fn new(pronouncer: &'p Pronouncer) -> Self {
        Self { pronouncer, known: HashMap::default() }
    }

    /// Reads a word that [`PronunciationCache::get`] shall find.
    fn learn(&mut self, word: &str) {
        if !self.known.contains_key(word) {
            self.known.insert(word.to_owned(), self.pronouncer.pronounce(word));
        }
    }

    fn get(&self, word: &str) -> Option<&Pronunciation> {
        self.known.get(word)?.as_ref()
    }
}
