//! English words to phonemes: dictionary, letter-to-sound rules and their agreement, numbers.

use vbench_score::phoneme::{Dictionary, Origin, Phoneme, Pronouncer, letter_to_sound};
use vbench_score::{ScoreError, levenshtein};

/// 1,500 entries that the rules were not written for.
const HELD_OUT: &str = include_str!("data/cmudict-held-out.dict");

fn arpabet(phonemes: &[Phoneme]) -> String {
    phonemes.iter().map(|p| p.entry().arpabet.unwrap_or("?")).collect::<Vec<_>>().join(" ")
}

/// Phoneme error rate and share of words without error of the rules, against the first pronunciation of each word.
fn agreement(text: &str) -> (f64, f64, usize) {
    let dictionary = Dictionary::parse("test", text).expect("the entries are valid");
    let ids = |phonemes: &[Phoneme]| phonemes.iter().map(|p| p.index() as u32).collect::<Vec<_>>();
    let (mut errors, mut phonemes, mut exact, mut words) = (0, 0, 0, 0);
    for word in text.lines().filter_map(|l| l.split(' ').next()) {
        let Some(expected) = dictionary.get(word) else { continue };
        let distance = levenshtein(&ids(expected), &ids(&letter_to_sound(word)));
        errors += distance;
        phonemes += expected.len() as u64;
        exact += usize::from(distance == 0);
        words += 1;
    }
    (errors as f64 / phonemes as f64, exact as f64 / words as f64, words)
}

#[test]
fn the_rules_agree_with_held_out_entries_of_the_dictionary() {
    let (rate, exact, words) = agreement(HELD_OUT);
    println!(
        "letter-to-sound: {:.2} % phoneme error rate, {:.1} % of {words} words exact",
        100.0 * rate,
        100.0 * exact
    );
    assert_eq!(words, 1500);
    // The measured figures, to a hundredth: a change of the rules changes them here.
    assert_eq!(format!("{rate:.4} {exact:.4}"), "0.1542 0.4320");
}

#[test]
fn the_dictionary_comes_first_and_its_absence_is_said() {
    let text = "anna AE1 N AH0\nanna(2) AA1 N AH0\nread R EH1 D # past tense\nread(2) R IY1 D\nread R IY1 D\n";
    let dictionary = Dictionary::parse("small", text).unwrap();
    assert_eq!(dictionary.len(), 2);
    assert_eq!(arpabet(dictionary.get("read").unwrap()), "R EH D");
    let with = Pronouncer::for_language("en", Some(dictionary));
    let without = Pronouncer::for_language("en", None);
    assert_eq!(with.describe(), "dictionary: small (2 words), letter-to-sound for other words");
    assert_eq!(without.describe(), "dictionary: absent, letter-to-sound only");
    assert!(with.has_dictionary() && !without.has_dictionary());
    let origin = |p: &Pronouncer, word: &str| p.pronounce(word).unwrap().origin;
    assert_eq!(origin(&with, "Anna"), Origin::Dictionary);
    assert_eq!(origin(&with, "anna’s"), Origin::Dictionary);
    assert_eq!(origin(&with, "anna-read"), Origin::Dictionary);
    assert_eq!(origin(&with, "anna-reads"), Origin::LetterToSound);
    assert_eq!(origin(&without, "anna"), Origin::LetterToSound);
    assert_eq!(arpabet(&with.pronounce("anna's").unwrap().phonemes), "AE N AH Z");
}

#[test]
fn bad_dictionaries_name_their_line() {
    for (text, line) in [("a AH0\nb\n", 2), ("a AH0\n\nb QQ1\n", 3), ("", 0), (&format!("a{}", " B".repeat(256)), 1)] {
        match Dictionary::parse("d", text) {
            Err(ScoreError::Dictionary { line: at, .. }) => assert_eq!(at, line, "{text:.20}"),
            other => panic!("{text:.20}: {other:?}"),
        }
    }
}

#[test]
fn words_by_rule() {
    for (word, expected) in [
        ("cat", "K AE T"),
        ("cake", "K EY K"),
        ("nation", "N EY SH AH N"),
        ("knight", "N AY T"),
        ("BBC", "B IY B IY S IY"),
        ("w", "D AH B AH L Y UW"),
        ("a", "AH"),
        ("don't", "D OW N T"),
        ("", ""),
        ("123", ""),
    ] {
        assert_eq!(arpabet(&letter_to_sound(word)), expected, "{word}");
    }
    for accented in ["naïve", "nai\u{308}ve"] {
        assert_eq!(letter_to_sound(accented), letter_to_sound("naive"));
    }
}

#[test]
fn numbers_and_signs_are_read_as_words() {
    let pronouncer = Pronouncer::for_language("en", None);
    let sounds = |word: &str| pronouncer.pronounce(word).map(|p| arpabet(&p.phonemes));
    let words = |words: &str| words.split(' ').map(|w| sounds(w).unwrap()).collect::<Vec<_>>().join(" ");
    for (written, read) in [
        ("42", "forty two"),
        ("1,000", "one thousand"),
        ("3.5", "three point five"),
        ("22nd", "twenty second"),
        ("$20", "twenty dollars"),
        ("5%", "five percent"),
        ("at&t", "at and t"),
        ("4x", "four x"),
        ("10-15", "ten fifteen"),
        ("\"hello,\"", "hello"),
    ] {
        assert_eq!(sounds(written).unwrap(), words(read), "{written}");
    }
    assert_eq!(sounds("80s").unwrap(), format!("{} Z", words("eighty")));
    for silent in ["...", "", "—", "$"] {
        assert_eq!(sounds(silent), None, "{silent}");
    }
    assert_eq!(sounds("日本"), None);
}

#[test]
fn languages_without_rules_are_not_guessed() {
    let french = Pronouncer::for_language("fr-FR", None);
    assert_eq!(french.pronounce("bonjour"), None);
    assert_eq!(french.pronounce("42"), None);
    assert_eq!(french.describe(), "no pronunciation rules for `fr` in Latin letters");
    let telugu = Pronouncer::for_language("te-IN", None);
    assert_eq!(telugu.pronounce("bus").unwrap().origin, Origin::LetterToSound);
    assert!(telugu.describe().starts_with("grapheme tables; words in Latin letters: dictionary: absent"));
}
