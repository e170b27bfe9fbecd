//! Devanagari and Telugu words to phonemes.

use vbench_score::phoneme::{Origin, Phoneme, Pronouncer};

fn ipa(language: &str, word: &str) -> Option<String> {
    let said = Pronouncer::for_language(language, None).pronounce(word)?;
    assert_eq!(said.origin, Origin::GraphemeTable, "{word}");
    Some(said.phonemes.iter().map(|p| p.ipa()).collect::<Vec<_>>().join(" "))
}

fn check(language: &str, cases: &[(&str, &str)]) {
    for (word, expected) in cases {
        assert_eq!(ipa(language, word).as_deref(), Some(*expected), "{word}");
    }
}

#[test]
fn telugu_words() {
    check(
        "te",
        &[
            ("తెలుగు", "t̪ e l u ɡ u"),
            ("అమ్మ", "a m m a"),
            ("నమస్కారం", "n a m a s k aː ɾ a m"),
            ("పండు", "p a ɳ ɖ u"),
            ("అంకె", "a ŋ k e"),
            ("సింహం", "s i m ɦ a m"),
            ("ఐదు", "aɪ d̪ u"),
            ("కై", "k aɪ"),
            // The same vowel sign in two parts.
            ("క\u{c46}\u{c56}", "k aɪ"),
            ("కృష్ణ", "k ɾ u ʂ ɳ a"),
            ("దుఃఖం", "d̪ u h kʰ a m"),
            ("భోజనం", "bʱ oː dʒ a n a m"),
            ("ౙ", "dz a"),
            ("క్\u{200c}ష", "k ʂ a"),
            ("బస్సు,", "b a s s u"),
        ],
    );
}

#[test]
fn hindi_words_drop_inherent_vowels() {
    check(
        "hi",
        &[
            ("नमस्ते", "n ə m ə s t̪ eː"),
            ("कमल", "k ə m ə l"),
            ("लड़का", "l ə ɽ k aː"),
            // The letter with its nukta as one code point.
            ("ल\u{95c}का", "l ə ɽ k aː"),
            ("हिन्दी", "ɦ ɪ n d̪ iː"),
            ("हिंदी", "ɦ ɪ n d̪ iː"),
            ("में", "m eː ˜"),
            ("हूँ", "ɦ uː ˜"),
            ("न", "n ə"),
            ("ज़रूर", "z ə ɾ uː ɾ"),
            ("ऋषि", "ɾ ɪ ʂ ɪ"),
            ("सॉफ़्ट", "s ɔ f ʈ"),
            ("राम।", "ɾ aː m"),
            ("समझना", "s ə m ə dʒʱ n aː"),
        ],
    );
    // Sanskrit keeps them, as does a language that is not known to drop them.
    check("sa", &[("राम", "ɾ aː m ə"), ("कमल", "k ə m ə l ə"), ("पितॄन्", "p ɪ t̪ ɾ ɪ n")]);
}

#[test]
fn stretches_of_other_letters_are_read_by_their_own_rules() {
    let telugu = Pronouncer::for_language("te", None);
    let said = telugu.pronounce("busలో").unwrap();
    assert_eq!(said.origin, Origin::LetterToSound);
    assert_eq!(said.phonemes.last().map(|p| p.ipa()), Some("oː"));
    // Digits of the script, letters of a script without table, signs on their own that no letter carries.
    for unread in ["౪౨", "தமிழ்", "\u{93e}", "కதமி"] {
        assert_eq!(ipa("te", unread), None, "{unread}");
    }
}

/// Every letter and sign of the two blocks, alone and in pairs, gives phonemes or nothing; never a panic.
#[test]
fn every_pair_of_signs_is_read_or_refused() {
    let pronouncer = Pronouncer::for_language("hi", None);
    let mut read = 0;
    for base in [0x900u32, 0xc00] {
        for a in base..base + 0x80 {
            for b in base..base + 0x80 {
                let text: String = [a, b].into_iter().filter_map(char::from_u32).collect();
                if let Some(said) = pronouncer.pronounce(&text) {
                    assert!(!said.phonemes.is_empty(), "{text}");
                    assert!(said.phonemes.iter().all(|p| Phoneme::from_ipa(p.ipa()) == Some(*p)));
                    read += 1;
                }
            }
        }
    }
    assert!(read > 4000, "{read}");
}
