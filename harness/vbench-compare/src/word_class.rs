//! Word classes for the explained difference: numbers, function words, everything else.
//!
//! Simple rules on normalised English words; words of other languages are `other` unless they hold a digit.

/// What kind of word an error happened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordClass {
    /// Holds a digit, or is a number word.
    Number,
    /// Article, pronoun, preposition, conjunction, auxiliary, particle.
    Function,
    /// Everything else: names, nouns, verbs.
    Other,
}

impl WordClass {
    /// All classes, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Number, Self::Function, Self::Other];

    /// The name shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Function => "function words",
            Self::Other => "other words",
        }
    }
}

const NUMBERS: &str = " zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million \
    billion first second third fourth fifth sixth seventh eighth ninth tenth half quarter double triple ";

const FUNCTION: &str = " a an the this that these those i you he she it we they me him her us them my your his its our \
    their mine yours hers ours theirs myself yourself who whom whose which what where when why how and or but nor so yet \
    if because although though while unless until since than as of in on at by for with about against between into \
    through during before after above below to from up down out off over under again then there here all any both each \
    few more most some such no not only own same too very can will would shall should may might must could do does did \
    have has had having am is are was were be been being let just now ";

/// The class of a normalised word.
#[must_use]
pub fn word_class(word: &str) -> WordClass {
    let listed = |list: &str| {
        !word.contains(' ')
            && list.match_indices(word).any(|(at, _)| {
                list.as_bytes().get(at.wrapping_sub(1)) == Some(&b' ')
                    && list.as_bytes().get(at + word.len()) == Some(&b' ')
            })
    };
    if word.chars().any(|c| c.is_numeric()) || (!word.is_empty() && listed(NUMBERS)) {
        WordClass::Number
    } else if !word.is_empty() && listed(FUNCTION) {
        WordClass::Function
    } else {
        WordClass::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_only() {
        for (word, class) in [
            ("seven", WordClass::Number),
            ("$250", WordClass::Number),
            ("3rd", WordClass::Number),
            ("the", WordClass::Function),
            ("he", WordClass::Function),
            ("eve", WordClass::Other),
            ("ever", WordClass::Other),
            ("maria", WordClass::Other),
            ("", WordClass::Other),
            ("of in", WordClass::Other),
            ("తెలుగు", WordClass::Other),
        ] {
            assert_eq!(word_class(word), class, "{word}");
        }
    }
}
