//! Alignment with references of several readings, against the enumeration of all readings.

use proptest::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::align::letters;
use vbench_score::lattice::{MarkupError, Piece};
use vbench_score::tokens::{intern, words};
use vbench_score::{AlignOp, CharUnit, Lattice, Normalizer, Weights, align, score_lattice, score_pair_with};

/// Words of few kinds, so that ties abound.
fn word() -> impl Strategy<Value = String> {
    (0u8..3).prop_map(|kind| format!("w{kind}"))
}

fn text(depth: u32) -> BoxedStrategy<String> {
    let part = if depth == 0 {
        prop_oneof![4 => word(), 1 => word().prop_map(|w| format!("({w})"))].boxed()
    } else {
        let alternative = prop_oneof![1 => Just("@".to_owned()), 3 => text(depth - 1)];
        let group = prop::collection::vec(alternative, 2..4).prop_map(|list| format!("{{ {} }}", list.join(" / ")));
        prop_oneof![4 => word(), 1 => word().prop_map(|w| format!("({w})")), 2 => group].boxed()
    };
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(" ")).boxed()
}

fn plain() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..8).prop_map(|parts| parts.join(" "))
}

/// Every reading: its words, and how many optional words it leaves out.
fn readings(pieces: &[Piece<'_>]) -> Vec<(Vec<String>, u64)> {
    let mut all: Vec<(Vec<String>, u64)> = vec![(Vec::new(), 0)];
    for piece in pieces {
        let choices: Vec<(Vec<String>, u64)> = match piece {
            Piece::Words(text) => vec![(words(text).map(str::to_owned).collect(), 0)],
            Piece::Optional(word) => vec![(vec![word.to_string()], 0), (Vec::new(), 1)],
            Piece::Null => vec![(Vec::new(), 0)],
            Piece::Alternates(alternatives) => alternatives.iter().flat_map(|a| readings(a)).collect(),
        };
        all = all
            .iter()
            .flat_map(|(before, left_out)| {
                choices.iter().map(move |(words, more)| ([&before[..], words].concat(), left_out + more))
            })
            .collect();
    }
    all
}

fn aligned(reference: &[String], hypothesis: &str, weights: Weights) -> (ErrorCounts, u64) {
    let ids = intern(reference.iter().map(String::as_str), words(hypothesis));
    let found = align(&ids.reference, &ids.hypothesis, weights).expect("short");
    (found.counts, found.total_min)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_path_is_a_cheapest_reading(reference in text(2), hypothesis in plain()) {
        let lattice = match Lattice::parse(&reference) {
            Ok(Some(lattice)) => lattice,
            other => { prop_assert!(matches!(other, Ok(None)), "{:?}", other); return Ok(()); }
        };
        let all = readings(lattice.pieces());
        prop_assume!(all.len() < 3_000);
        let cost = |weights: Weights, counts: &ErrorCounts, left_out: u64| match weights {
            Weights::Sclite => weights.cost(counts) + 2 * left_out,
            Weights::Levenshtein => counts.errors(),
        };
        let least = all.iter().map(|(words, _)| aligned(words, &hypothesis, Weights::Levenshtein).1).min();
        for weights in [Weights::Sclite, Weights::Levenshtein] {
            let found = lattice.align(&hypothesis, weights).expect("short");
            let mut counts = found.counts;
            counts.hits -= found.forgiven;
            let cheapest = all.iter().map(|(words, n)| cost(weights, &aligned(words, &hypothesis, weights).0, *n)).min();
            prop_assert_eq!(Some(cost(weights, &counts, found.forgiven)), cheapest);
            prop_assert_eq!(Some(found.total_min), least);
            prop_assert!(all.contains(&(found.reference.clone(), found.forgiven)), "{:?} is no reading", found);
            let kinds = letters(&found.ops);
            let count = |letter| kinds.matches(letter).count() as u64;
            prop_assert_eq!(counts, ErrorCounts { hits: count('C'), sub: count('S'), del: count('D'), ins: count('I') });
            let heard: Vec<&str> = words(&hypothesis).collect();
            prop_assert_eq!(counts.hypothesis(), heard.len() as u64);
            for op in &found.ops {
                if let AlignOp::Hit { reference, hypothesis } = *op {
                    prop_assert_eq!(&found.reference[reference as usize], heard[hypothesis as usize]);
                }
            }
        }
    }

    #[test]
    fn a_reading_of_the_reference_has_no_errors(reference in text(2), pick in any::<prop::sample::Index>()) {
        let Ok(Some(lattice)) = Lattice::parse(&reference) else { return Ok(()) };
        let all = readings(lattice.pieces());
        let hypothesis = pick.get(&all).0.join(" ");
        let found = lattice.align(&hypothesis, Weights::Levenshtein).expect("short");
        prop_assert_eq!((found.counts.errors(), found.total_min), (0, 0));
        prop_assert_eq!(lattice.plain(), all[0].0.join(" "), "the first reading is the plain one");
    }

    #[test]
    fn one_reading_in_two_alternatives_scores_as_plain_text(reference in plain(), hypothesis in plain()) {
        prop_assume!(!reference.is_empty());
        let doubled = format!("{{ {reference} / {reference} }}");
        let lattice = Lattice::parse(&doubled).expect("well formed").expect("markup");
        for weights in [Weights::Sclite, Weights::Levenshtein] {
            let unit = CharUnit::Grapheme;
            let score = score_lattice(&lattice, &hypothesis, &Normalizer::None, weights, unit).expect("short");
            let expected = score_pair_with(&reference, &hypothesis, &Normalizer::None, weights, unit).expect("short");
            prop_assert_eq!(score, expected);
        }
    }

    #[test]
    fn any_text_is_markup_or_plain_or_an_error(text in "[a-c{}/@() \u{3000}\u{301}]{0,40}") {
        if let Ok(Some(lattice)) = Lattice::parse(&text) {
            let plain = lattice.plain();
            prop_assert!(lattice.align(&plain, Weights::Sclite).expect("short").counts.errors() == 0, "{}", plain);
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    Lattice::parse(text).unwrap_or_else(|e| panic!("{e}")).map(|l| l.pieces().to_vec()).unwrap_or_default()
}

#[test]
fn markup_is_read_as_sclite_reads_it() {
    let words = |text: &'static str| Piece::Words(text.into());
    let optional = |text: &'static str| Piece::Optional(text.into());
    assert_eq!(
        pieces("i've  been { um/uh /@ }as (%hesitation) far"),
        [
            words("i've  been"),
            Piece::Alternates(vec![vec![words("um")], vec![words("uh")], vec![Piece::Null]]),
            words("as"),
            optional("%hesitation"),
            words("far"),
        ]
    );
    assert_eq!(
        pieces("{a b / { c / d } (e)}"),
        [Piece::Alternates(vec![
            vec![words("a b")],
            vec![Piece::Alternates(vec![vec![words("c")], vec![words("d")]]), optional("e")],
        ])]
    );
    for plain in ["", "a b", "a / b }", "a{b c", "(a b)", "()", "a @b", "(a", ":} 1/2"] {
        assert_eq!(pieces(plain), [], "{plain:?}");
    }
}

#[test]
fn broken_markup_is_refused() {
    for (text, error) in [
        ("{", MarkupError::Unclosed),
        ("a { b / c", MarkupError::Unclosed),
        ("{ a / { b / c }", MarkupError::Unclosed),
        ("{ a }", MarkupError::OneAlternative),
        ("{ }", MarkupError::EmptyAlternative),
        ("{ a / }", MarkupError::EmptyAlternative),
        ("{ / a }", MarkupError::EmptyAlternative),
        ("{ a / b{c }", MarkupError::BraceInWord),
    ] {
        assert_eq!(Lattice::parse(text), Err(error), "{text:?}");
    }
    let nested = |n: usize| format!("{}b{}", "{ a / ".repeat(n), " }".repeat(n));
    assert!(Lattice::parse(&nested(32)).is_ok());
    assert_eq!(Lattice::parse(&nested(33)), Err(MarkupError::TooDeep));
}

#[test]
fn words_are_normalised_between_the_marks() {
    let lattice =
        Lattice::parse("I'm { Twenty-One / um / 21 } (Hmm) (Dollars) OK").expect("well formed").expect("markup");
    let normal = lattice.normalize(&Normalizer::WhisperEn);
    assert_eq!(normal.plain(), "i am 21 dollars ok");
    let score = |hypothesis| {
        let unit = CharUnit::Grapheme;
        score_lattice(&lattice, hypothesis, &Normalizer::WhisperEn, Weights::Sclite, unit).expect("short")
    };
    assert!(score("I am ok").exact, "um is no word after normalising, and dollars may be left out");
    assert_eq!(score("I am 21 okay").words.sub, 1);
    let score = score("i am 21 ok");
    assert_eq!((score.words.hits, score.words.errors(), score.exact), (5, 0, true), "the word left out is a hit");
    assert_eq!(score.reference_tokens, ["i", "am", "21", "ok"]);
}

#[test]
fn optional_words_cost_less_than_deletions_and_more_than_hits() {
    let align = |reference, hypothesis| {
        let lattice = Lattice::parse(reference).expect("well formed").expect("markup");
        let found = lattice.align(hypothesis, Weights::Sclite).expect("short");
        (letters(&found.ops), found.forgiven, found.counts)
    };
    let counts = |hits, sub, del, ins| ErrorCounts { hits, sub, del, ins };
    assert_eq!(align("(a) b", "b"), ("C".into(), 1, counts(2, 0, 0, 0)));
    assert_eq!(align("(a) b", "a b"), ("CC".into(), 0, counts(2, 0, 0, 0)));
    // A substitution (4) is cheaper than leaving out (2) and inserting (3).
    assert_eq!(align("(a) b", "x b"), ("SC".into(), 0, counts(1, 1, 0, 0)));
    // Two words for one: an optional word is left out, the other takes its place.
    assert_eq!(align("(a) (b)", "x"), ("S".into(), 1, counts(1, 1, 0, 0)));
    assert_eq!(align("{ a / @ }", ""), (String::new(), 0, counts(0, 0, 0, 0)));
}

#[test]
fn a_table_that_would_be_too_large_is_refused() {
    let many = "w ".repeat(50_000);
    let reference = format!("{many} (x)");
    let lattice = Lattice::parse(&reference).expect("well formed").expect("markup");
    let refused = lattice.align(&many, Weights::Sclite).expect_err("2.5 billion cells");
    assert!(refused.to_string().contains("50001 reference with 50000 hypothesis tokens"), "{refused}");
}
