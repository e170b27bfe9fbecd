//! Counts by word class: numbers, names, function words, other. Rules, not a tagger; they are stated here in full.
//!
//! A word is compared without the punctuation at its ends, without `'s` or `'` at the end of a longer word, in lower
//! case. The first class that fits is taken:
//!
//! 1. **number**: it holds a digit of any script, or is a number word of the language (cardinals and ordinals; "one"
//!    and "second" count, whatever they mean in the sentence);
//! 2. **name**: the raw reference of the utterance holds it with a capital letter inside a sentence ([`names_in`]).
//!    Sentence-initial names, names in text without case and names in German, where every noun has a capital, are out of
//!    reach: German (`de`, `lb`) has no name class;
//! 3. **function word**: it is in the language's list (English is shipped);
//! 4. **other**.
//!
//! Hits, substitutions and deletions belong to the class of the reference word, insertions to that of the inserted word
//! (a name when the same utterance has it as one).

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use vbench_core::ErrorCounts;

use crate::align::AlignOp;
use crate::analysis::{count_op, op_words};
use crate::error_rate::PairScore;
use crate::tokens::FoldHasher;

type WordSet = HashSet<String, BuildHasherDefault<FoldHasher>>;

/// English function words: determiners, pronouns, prepositions, conjunctions, auxiliaries, particles. The closed classes
/// as grammars of English list them (Quirk et al., "A Comprehensive Grammar of the English Language", 1985, 2.34-2.35),
/// with contractions in written form and as `whisper-en` leaves them.
const ENGLISH_FUNCTION_WORDS: &str = "
    a an the this that these those each every either neither some any no all both half such what which whose enough
    much many more most few fewer fewest little less least several other another
    i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us
    our ours ourselves they them their theirs themselves who whom whoever whatever whichever someone somebody something
    anyone anybody anything everyone everybody everything nobody nothing none there
    about above across after against along amid among around as at before behind below beneath beside besides between
    beyond by despite down during except for from in inside into like near of off on onto out outside over past per
    since through throughout till to toward towards under until up upon via with within without
    and but or nor so yet if because although though unless while whereas whether than when where why how once
    am is are was were be been being have has had having do does did doing done can could may might must shall should
    will would ought
    not too very just only also then here now
    i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll
    he'll she'll it'll we'll they'll isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't can't cannot
    couldn't won't wouldn't shan't shouldn't mustn't let's that's there's here's what's who's";

/// English number words, cardinal and ordinal.
const ENGLISH_NUMBERS: &str = "
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million
    millions billion billions trillion trillions dozen dozens
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth
    ninetieth hundredth thousandth millionth billionth";

/// Class of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WordClass {
    /// A number, in digits or words.
    Number,
    /// A name, by the capital letter in the raw reference.
    Name,
    /// A function word of the language's list.
    Function,
    /// Any other word.
    Other,
}

impl WordClass {
    /// Every class in order.
    pub const ALL: [Self; 4] = [Self::Number, Self::Name, Self::Function, Self::Other];

    /// The name that results carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Name => "name",
            Self::Function => "function",
            Self::Other => "other",
        }
    }
}

/// Word lists of a language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordClasses {
    functions: WordSet,
    numbers: WordSet,
    capitals_are_no_names: bool,
}

impl WordClasses {
    /// The shipped lists for a BCP 47 tag: English; for any other language empty lists, so that function words are
    /// counted as other words ([`WordClasses::has_function_words`] tells) and numbers known by their digits only.
    #[must_use]
    pub fn for_language(tag: &str) -> Self {
        match tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Self::from_lists(ENGLISH_FUNCTION_WORDS.split_whitespace(), ENGLISH_NUMBERS.split_whitespace()),
            "de" | "lb" => Self { capitals_are_no_names: true, ..Self::default() },
            _ => Self::default(),
        }
    }

    /// Own lists, in any case.
    pub fn from_lists<'a>(
        functions: impl IntoIterator<Item = &'a str>,
        numbers: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            functions: functions.into_iter().map(str::to_lowercase).collect(),
            numbers: numbers.into_iter().map(str::to_lowercase).collect(),
            capitals_are_no_names: false,
        }
    }

    /// Whether there is a list of function words; without one that class stays empty.
    #[must_use]
    pub fn has_function_words(&self) -> bool {
        !self.functions.is_empty()
    }

    /// The names that a raw reference tells: [`names_in`], and none in a language whose capitals tell nothing.
    #[must_use]
    pub fn names(&self, raw: &str) -> Vec<String> {
        if self.capitals_are_no_names { Vec::new() } else { names_in(raw) }
    }

    /// The class of a word, given the names of its utterance as [`names_in`] returns them.
    #[must_use]
    pub fn class(&self, word: &str, names: &[String]) -> WordClass {
        if word.chars().any(char::is_numeric) {
            return WordClass::Number;
        }
        // Most words are bare and in lower case already: no copy for them.
        let trimmed = bare(word);
        let lowered;
        let key = if trimmed.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'') {
            trimmed
        } else {
            lowered = trimmed.to_lowercase();
            &lowered
        };
        let stem = without_possessive(key);
        if self.numbers.contains(key) {
            WordClass::Number
        } else if names.iter().any(|name| name == stem) {
            WordClass::Name
        } else if self.functions.contains(key) {
            WordClass::Function
        } else {
            WordClass::Other
        }
    }
}

/// A word without punctuation at its ends.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| {
        c.is_ascii_punctuation() || matches!(c, '“' | '”' | '‘' | '’' | '«' | '»' | '…' | '–' | '—')
    })
}

/// `anna's` and `anna’s` -> `anna`; shorter stems than two letters are left (`it's` is a function word of its own).
fn without_possessive(word: &str) -> &str {
    ["'s", "’s"].iter().find_map(|ending| word.strip_suffix(ending)).filter(|stem| stem.len() >= 2).unwrap_or(word)
}

/// Words of a raw text that stand with a capital first letter inside a sentence, in lower case and without possessive, sorted.
///
/// Inside a sentence: not the first word, and the word before does not end in `.`, `!`, `?`, `:`, `;`, `…` or `।`, nor
/// does this one begin with a quotation mark. "I" and its contractions are no names. A text whose capitals tell nothing
/// has no names: one without lower-case letters, or where more than three quarters of at least four words inside
/// sentences have capitals (headline style). Joined words (`Jean-Luc`) also give their parts.
#[must_use]
pub fn names_in(raw: &str) -> Vec<String> {
    let mut names = Vec::new();
    // Caseless scripts, and lower-case references, end here.
    if !raw.chars().any(char::is_uppercase) || !raw.chars().any(char::is_lowercase) {
        return names;
    }
    let (mut inside, mut capitals) = (0, 0);
    let mut starts_sentence = true;
    for word in raw.split_whitespace() {
        let quoted = word.starts_with(['"', '“', '„', '«', '‘', '(', '¿', '¡']);
        let token = bare(word);
        if !(starts_sentence || quoted || token.is_empty()) {
            let pronoun = token == "I" || token.starts_with("I'") || token.starts_with("I’");
            inside += 1;
            if token.starts_with(char::is_uppercase) && !pronoun {
                capitals += 1;
                let whole = token.to_lowercase();
                let stem = without_possessive(&whole);
                names.extend(stem.split('-').filter(|part| !part.is_empty()).map(str::to_owned));
                names.push(stem.to_owned());
            }
        }
        let closed = word.trim_end_matches(['"', '”', '’', '\'', ')', '»']);
        starts_sentence = closed.ends_with(['.', '!', '?', ':', ';', '…', '।']) && !is_title(token);
    }
    if inside >= 4 && 4 * capitals > 3 * inside {
        names.clear();
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Abbreviated titles: their full stop ends no sentence, and a name follows.
fn is_title(word: &str) -> bool {
    matches!(word, "Mr" | "Mrs" | "Ms" | "Dr" | "Prof" | "St" | "Sr" | "Jr")
}

/// Counts by [`WordClass`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByClass {
    counts: [ErrorCounts; WordClass::ALL.len()],
    with_names: u64,
}

impl ByClass {
    /// Each class with its counts, in order.
    pub fn rows(&self) -> impl Iterator<Item = (WordClass, ErrorCounts)> {
        WordClass::ALL.into_iter().zip(self.counts)
    }

    /// Utterances whose raw reference told at least one name. 0 says that the class of names says nothing: no raw text,
    /// a script without case, or no name in it.
    #[must_use]
    pub fn utterances_with_names(&self) -> u64 {
        self.with_names
    }

    pub(super) fn add(&mut self, classes: &WordClasses, score: &PairScore, raw_reference: Option<&str>) {
        let names = raw_reference.map_or_else(Vec::new, |raw| classes.names(raw));
        self.with_names += u64::from(!names.is_empty());
        for &op in &score.word_alignment {
            let (reference, hypothesis) = op_words(op, score);
            let word = if matches!(op, AlignOp::Ins { .. }) { hypothesis } else { reference };
            let class = word.map_or(WordClass::Other, |w| classes.class(w, &names));
            count_op(op, &mut self.counts[class as usize]);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.with_names += other.with_names;
    }
}
