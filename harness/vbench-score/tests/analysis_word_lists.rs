//! Keyword and token-weighted WER from word lists.

use vbench_core::ErrorCounts;
use vbench_score::analysis::{Analysis, KeywordTable, Keywords, Rules, Utterance, WordWeights};
use vbench_score::{Normalizer, ScoreError, Weights, score_pair};

fn analysed(rules: &Rules, normalizer: &Normalizer, pairs: &[(&str, &str)]) -> Analysis {
    let mut analysis = Analysis::default();
    for (reference, hypothesis) in pairs {
        let score = score_pair(reference, hypothesis, normalizer, Weights::Sclite).expect("short pairs can be aligned");
        analysis.add(rules, &Utterance { id: "u", speaker: None, raw_reference: None, score: &score });
    }
    analysis
}

fn keywords(list: &str, pairs: &[(&str, &str)]) -> KeywordTable {
    let rules = Rules {
        keywords: Some(Keywords::parse(list, &Normalizer::None).expect("the list is valid")),
        ..Rules::default()
    };
    analysed(&rules, &Normalizer::None, pairs).keywords
}

#[test]
fn one_word_keywords() {
    let table = keywords(
        "left\nright",
        &[("turn left now", "turn left now"), ("turn left", "turn right"), ("go", "go left"), ("x", "y")],
    );
    assert_eq!((table.total.reference, table.total.hypothesis, table.total.found), (2, 3, 1));
    assert_eq!(table.total.recall(), Some(0.5));
    assert_eq!(table.total.precision(), Some(1.0 / 3.0));
    assert_eq!(table.total.f1(), Some(0.4));
    // Words of keywords: a hit, a substitution of "left", an inserted "left"; "right" for "left" is that substitution.
    assert_eq!(table.words, ErrorCounts { hits: 1, sub: 1, del: 0, ins: 1 });
    assert_eq!(table.by_keyword["left"].recall(), Some(0.5));
    assert_eq!(table.by_keyword["right"].recall(), None);
    assert_eq!(table.by_keyword["right"].precision(), Some(0.0));
    assert_eq!(keywords("left", &[("a", "b")]).total.f1(), None);
}

#[test]
fn keywords_of_several_words_must_be_whole_and_in_place() {
    let list = "new york\nyork city\nyork";
    let table = keywords(list, &[("in new york city", "in new york city")]);
    assert_eq!((table.total.reference, table.total.found), (3, 3), "keywords overlap");
    assert_eq!(table.words.hits, 3, "each word once");
    // A word in between breaks the phrase though all its words are hits.
    let table = keywords("new york", &[("new york", "new old york")]);
    assert_eq!((table.total.reference, table.total.hypothesis, table.total.found), (1, 0, 0));
    assert_eq!(table.words, ErrorCounts { hits: 2, sub: 0, del: 0, ins: 0 });
    // An occurrence elsewhere is a false alarm beside a miss.
    let table = keywords("stop", &[("stop a b c d", "a b c d stop")]);
    assert_eq!((table.total.reference, table.total.hypothesis, table.total.found), (1, 1, 0));
    assert_eq!(table.words, ErrorCounts { hits: 0, sub: 0, del: 1, ins: 1 });
    // A keyword may overlap itself.
    assert_eq!(keywords("no no", &[("no no no", "no no no")]).total.found, 2);
}

#[test]
fn keywords_are_normalised_like_the_texts() {
    let list = Keywords::parse("\u{feff}# names\n\n  New York! \nnew york\n", &Normalizer::WhisperEn).unwrap();
    assert_eq!(list.len(), 1);
    let rules = Rules { keywords: Some(list), ..Rules::default() };
    let table = analysed(&rules, &Normalizer::WhisperEn, &[("I love New York.", "i love new york")]).keywords;
    assert_eq!(table.by_keyword["new york"].found, 1);
    for (text, line) in [("a\n(laughs)\n", 2), ("# only a remark\n", 0), ("", 0)] {
        match Keywords::parse(text, &Normalizer::WhisperEn) {
            Err(ScoreError::WordList { line: at, .. }) => assert_eq!(at, line, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn weights_of_errors() {
    let list = "left 3\nnot 10\n# others\n* 0.5\nthe 0";
    let rules = Rules { weights: Some(WordWeights::parse(list, &Normalizer::None).unwrap()), ..Rules::default() };
    // left > not: the heavier of both; "the" left out: nothing; "now" left out: 0.5; "go" put in: 0.5.
    let weighted =
        analysed(&rules, &Normalizer::None, &[("turn left", "turn not"), ("the now x", "x"), ("x", "x go")]).weighted;
    assert_eq!(weighted.substitutions(), 10.0);
    assert_eq!(weighted.deletions(), 0.5);
    assert_eq!(weighted.insertions(), 0.5);
    assert_eq!(weighted.reference(), 0.5 + 3.0 + 0.0 + 0.5 + 0.5 + 0.5);
    assert_eq!(weighted.rate(), Some(11.0 / 5.0));
    assert_eq!(analysed(&rules, &Normalizer::None, &[("the", "x")]).weighted.rate(), None);
}

#[test]
fn bad_weights_name_their_line() {
    for (text, part) in [
        ("a 1\nb", "line 2: \"b\" has no weight"),
        ("a one", "line 1: \"one\" is no number"),
        ("a -1", "line 1: weight -1 is not between 0 and 1000"),
        ("a 1001", "is not between"),
        ("a NaN", "is not between"),
        ("a inf", "is not between"),
        ("two words 1", "not one word"),
        ("! 1", "not one word"),
        ("\n\nA 1\na 2", "line 4: \"a\" has a weight already"),
    ] {
        let message =
            WordWeights::parse(text, &Normalizer::ScriptSafe { remove_harakat: false }).unwrap_err().to_string();
        assert!(message.contains(part), "{text:?}: {message}");
    }
}
