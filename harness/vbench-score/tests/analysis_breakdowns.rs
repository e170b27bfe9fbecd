//! Breakdowns of scored pairs: small cases by hand, and what must hold for every corpus.

use proptest::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::analysis::{
    Analysis, Keywords, Part, Rules, Utterance, WordClass, WordClasses, WordWeights, names_in,
};
use vbench_score::{Normalizer, PairScore, Weights, score_pair};

fn score(reference: &str, hypothesis: &str) -> PairScore {
    score_pair(reference, hypothesis, &Normalizer::None, Weights::Sclite).expect("short pairs can be aligned")
}

fn counts(hits: u64, sub: u64, del: u64, ins: u64) -> ErrorCounts {
    ErrorCounts { hits, sub, del, ins }
}

fn analysed(pairs: &[(&str, &str)], rules: &Rules) -> Analysis {
    let mut analysis = Analysis::default();
    for (reference, hypothesis) in pairs {
        let score = score(reference, hypothesis);
        let utterance = Utterance { id: "u", speaker: None, raw_reference: Some(reference), score: &score };
        analysis.add(rules, &utterance);
    }
    analysis
}

fn part(analysis: &Analysis, part: Part) -> ErrorCounts {
    analysis.by_part.rows().find(|(p, _)| *p == part).expect("every part has a row").1
}

fn class(analysis: &Analysis, class: WordClass) -> ErrorCounts {
    analysis.by_class.rows().find(|(c, _)| *c == class).expect("every class has a row").1
}

#[test]
fn confusions_come_by_count_then_text() {
    let pairs = [("a b c", "x b y"), ("a b c b q b", "x b y b b"), ("z", "z w w"), ("e", "f"), ("d", "f"), ("p", "")];
    let analysis = analysed(&pairs, &Rules::default());
    let pairs = |top| {
        let top = analysis.confusions.substitutions(top);
        top.iter().map(|p| format!("{}>{} {}", p.reference, p.hypothesis, p.count)).collect::<Vec<_>>()
    };
    assert_eq!(pairs(9), ["a>x 2", "c>y 2", "d>f 1", "e>f 1"]);
    assert_eq!(pairs(1), ["a>x 2"]);
    let words = |list: Vec<vbench_score::analysis::CountedWord<'_>>| {
        list.iter().map(|w| format!("{} {}", w.word, w.count)).collect::<Vec<_>>()
    };
    assert_eq!(words(analysis.confusions.deletions(9)), ["p 1", "q 1"]);
    assert_eq!(words(analysis.confusions.insertions(9)), ["w 2"]);
}

#[test]
fn thirds_of_an_utterance() {
    let parts = |n: usize| (0..n).map(|i| Part::of_word(i, n).name().chars().next().unwrap()).collect::<String>();
    assert_eq!(["m", "be", "bme", "bmme", "bbmee", "bbmmee", "bbmmmee"], [1, 2, 3, 4, 5, 6, 7].map(parts).as_slice());
    // An insertion at the start belongs to the beginning, one between to the word before it, one at the end to the end.
    let analysis = analysed(&[("a b c", "w w a b c z"), ("", "y"), ("a b c", "a v w")], &Rules::default());
    assert_eq!(part(&analysis, Part::Begin), counts(2, 0, 0, 2));
    assert_eq!(part(&analysis, Part::End), counts(1, 1, 0, 1));
    assert_eq!(part(&analysis, Part::Middle), counts(1, 1, 0, 0));
    assert_eq!(part(&analysis, Part::EmptyReference), counts(0, 0, 0, 1));
}

#[test]
fn length_bins_have_names_and_bounds() {
    let line = |n: usize| vec!["a"; n].join(" ");
    let lengths = [0, 1, 2, 5, 6, 10, 11, 20, 21, 40, 41, 500];
    let lines: Vec<String> = lengths.iter().map(|n| line(*n)).collect();
    let pairs: Vec<(&str, &str)> = lines.iter().map(|l| (l.as_str(), "b")).collect();
    let analysis = analysed(&pairs, &Rules::default());
    let rows: Vec<(String, u64, u64)> =
        analysis.by_length.rows().map(|(name, utterances, c)| (name, utterances, c.reference())).collect();
    let expected =
        [("0", 1, 0), ("1", 1, 1), ("2-5", 2, 7), ("6-10", 2, 16), ("11-20", 2, 31), ("21-40", 2, 61), ("41+", 2, 541)];
    assert_eq!(rows, expected.map(|(name, utterances, words)| (name.to_owned(), utterances, words)));
}

#[test]
fn words_have_classes() {
    let classes = WordClasses::for_language("en-GB");
    let names = ["paris".to_owned(), "o'hara".to_owned()];
    for (word, expected) in [
        ("42", WordClass::Number),
        ("3rd", WordClass::Number),
        ("४२", WordClass::Number),
        ("Twenty", WordClass::Number),
        ("Paris,", WordClass::Name),
        ("paris's", WordClass::Name),
        ("o'hara", WordClass::Name),
        ("the", WordClass::Function),
        ("The", WordClass::Function),
        ("it's", WordClass::Function),
        ("\"of\"", WordClass::Function),
        ("table", WordClass::Other),
        ("...", WordClass::Other),
    ] {
        assert_eq!(classes.class(word, &names), expected, "{word}");
    }
    let telugu = WordClasses::for_language("te");
    assert!(!telugu.has_function_words() && classes.has_function_words());
    assert_eq!(telugu.class("the", &names), WordClass::Other);
    // A substitution has the class of the reference word, an insertion that of the inserted one.
    let raw = "Yesterday Anna paid the 20 dollars";
    let analysis = analysed(&[(raw, "Yesterday Hannah paid 30 of dollars")], &Rules::for_language("en"));
    assert_eq!(class(&analysis, WordClass::Name), counts(0, 1, 0, 0));
    assert_eq!(class(&analysis, WordClass::Number).reference(), 1);
    assert_eq!(class(&analysis, WordClass::Other), counts(3, 0, 0, 0));
    assert_eq!(analysis.by_class.utterances_with_names(), 1);
    // In German every noun has a capital.
    assert_eq!(analysed(&[(raw, raw)], &Rules::for_language("de")).by_class.utterances_with_names(), 0);
}

#[test]
fn names_are_read_off_capitals_inside_sentences() {
    for (raw, expected) in [
        ("Please call Anna in New York.", "anna new york"),
        ("Then Anna's brother left. He said I'm late, and I agreed", "anna"),
        ("\"Anna\" he said. Bob left", ""),
        ("He asked: \"Where is Bob?\" Nobody knew", "bob"),
        ("I met Mr. Smith and Dr. Jean-Luc Picard today", "dr jean jean-luc luc mr picard smith"),
        ("The Quick Brown Fox Jumps", ""),
        ("PLEASE CALL ANNA", ""),
        ("please call anna", ""),
        ("दिल्ली में Anna से मिले", "anna"),
        ("దిల్లీ లో", ""),
        ("", ""),
    ] {
        assert_eq!(names_in(raw).join(" "), expected, "{raw}");
    }
}

#[test]
fn speakers_are_kept_apart_and_unknown_ones_together() {
    let mut analysis = Analysis::default();
    let rules = Rules::default();
    for (speaker, reference, hypothesis) in
        [(Some("s1"), "a b", "a c"), (None, "a", "a"), (Some("s1"), "a", ""), (None, "b", "")]
    {
        let score = score(reference, hypothesis);
        analysis.add(&rules, &Utterance { id: "u", speaker, raw_reference: None, score: &score });
    }
    let rows: Vec<_> = analysis.by_speaker.iter().map(|(s, c)| (s.as_deref(), *c)).collect();
    assert_eq!(rows, [(None, counts(1, 0, 1, 0)), (Some("s1"), counts(1, 1, 1, 0))]);
}

/// Words that reach every class, repeat, and hold keywords; names by their capitals.
fn line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "the",
        "of",
        "no",
        "one",
        "42",
        "Anna",
        "York",
        "new",
        "turn",
        "left",
        "right",
        "బస్సు",
        "rate",
        "stop.",
    ]);
    prop::collection::vec(word, 0..18).prop_map(|words| words.join(" "))
}

fn corpus() -> impl Strategy<Value = Vec<(String, String, Option<u8>)>> {
    prop::collection::vec((line(), line(), prop::option::of(0u8..3), any::<bool>()), 0..12).prop_map(|rows| {
        rows.into_iter()
            .map(|(reference, hypothesis, speaker, same)| {
                (reference.clone(), if same { reference } else { hypothesis }, speaker)
            })
            .collect()
    })
}

fn full_rules() -> Rules {
    Rules {
        keywords: Some(
            Keywords::parse("new York\nAnna\nturn left\nleft\nno no", &Normalizer::None).expect("the list is valid"),
        ),
        weights: Some(WordWeights::parse("Anna 2.5\nno 0\nleft 3", &Normalizer::None).expect("the list is valid")),
        ..Rules::for_language("en")
    }
}

fn analyse(rows: &[(String, String, Option<u8>)], from: usize, rules: &Rules, weights: Weights) -> Analysis {
    let mut analysis = Analysis::default();
    for (at, (reference, hypothesis, speaker)) in rows.iter().enumerate() {
        let score = score_pair(reference, hypothesis, &Normalizer::None, weights).expect("short pairs can be aligned");
        let speaker = speaker.map(|s| s.to_string());
        let id = format!("u{}", from + at);
        let raw_reference = Some(reference.as_str());
        analysis.add(rules, &Utterance { id: &id, speaker: speaker.as_deref(), raw_reference, score: &score });
    }
    analysis
}

proptest! {
    #[test]
    fn every_breakdown_adds_up_to_the_corpus(rows in corpus(), sclite in any::<bool>()) {
        let weights = if sclite { Weights::Sclite } else { Weights::Levenshtein };
        let analysis = analyse(&rows, 0, &full_rules(), weights);
        let words = analysis.words;
        prop_assert_eq!(analysis.utterances, rows.len() as u64);
        prop_assert_eq!(analysis.by_part.rows().map(|(_, c)| c).sum::<ErrorCounts>(), words);
        prop_assert_eq!(analysis.by_class.rows().map(|(_, c)| c).sum::<ErrorCounts>(), words);
        prop_assert_eq!(analysis.by_length.rows().map(|(_, _, c)| c).sum::<ErrorCounts>(), words);
        prop_assert_eq!(analysis.by_length.rows().map(|(_, n, _)| n).sum::<u64>(), rows.len() as u64);
        prop_assert_eq!(analysis.by_speaker.values().copied().sum::<ErrorCounts>(), words);
        let confusions = &analysis.confusions;
        prop_assert_eq!(confusions.substitutions(usize::MAX).iter().map(|p| p.count).sum::<u64>(), words.sub);
        prop_assert_eq!(confusions.deletions(usize::MAX).iter().map(|w| w.count).sum::<u64>(), words.del);
        prop_assert_eq!(confusions.insertions(usize::MAX).iter().map(|w| w.count).sum::<u64>(), words.ins);
        let reference: usize = rows.iter().map(|(r, _, _)| r.split_whitespace().count()).sum();
        prop_assert_eq!(words.reference(), reference as u64);
    }

    #[test]
    fn two_halves_merged_are_the_whole(rows in corpus(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(rows.len() + 1);
        let rules = full_rules();
        let mut merged = analyse(&rows[..cut], 0, &rules, Weights::Sclite);
        merged.merge(analyse(&rows[cut..], cut, &rules, Weights::Sclite));
        prop_assert_eq!(merged, analyse(&rows, 0, &rules, Weights::Sclite));
    }

    #[test]
    fn perfect_hypotheses_have_no_confusion_and_no_finding(lines in prop::collection::vec(line(), 0..8)) {
        let rows: Vec<_> = lines.into_iter().map(|l| (l.clone(), l, None)).collect();
        let analysis = analyse(&rows, 0, &full_rules(), Weights::Sclite);
        prop_assert!(analysis.confusions.is_empty());
        prop_assert!(analysis.findings.is_empty());
        prop_assert_eq!(analysis.words.errors(), 0);
        prop_assert_eq!(analysis.keywords.words.errors(), 0);
        prop_assert_eq!(analysis.keywords.total.found, analysis.keywords.total.reference);
        prop_assert_eq!(analysis.keywords.total.found, analysis.keywords.total.hypothesis);
        prop_assert!(analysis.weighted.rate().is_none_or(|r| r == 0.0));
    }

    #[test]
    fn with_every_weight_one_the_weighted_rate_is_the_wer(rows in corpus()) {
        let rules = Rules {
            weights: Some(WordWeights::parse("# none", &Normalizer::None).expect("the list is valid")),
            ..Rules::default()
        };
        let analysis = analyse(&rows, 0, &rules, Weights::Sclite);
        prop_assert_eq!(analysis.weighted.rate(), analysis.words.rate());
        prop_assert_eq!(analysis.weighted.reference(), analysis.words.reference() as f64);
    }

    #[test]
    fn found_keywords_are_on_both_sides(rows in corpus()) {
        let analysis = analyse(&rows, 0, &full_rules(), Weights::Sclite);
        let table = analysis.keywords;
        prop_assert!(table.total.found <= table.total.reference.min(table.total.hypothesis));
        prop_assert_eq!(table.by_keyword.values().map(|k| k.reference).sum::<u64>(), table.total.reference);
        prop_assert_eq!(table.by_keyword.values().map(|k| k.hypothesis).sum::<u64>(), table.total.hypothesis);
        prop_assert!(table.words.reference() <= analysis.words.reference());
        prop_assert!(table.words.errors() <= analysis.words.errors());
    }
}
