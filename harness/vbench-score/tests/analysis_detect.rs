//! Detectors: what fires, what does not, and what they cost on long input.

use proptest::prelude::*;
use vbench_score::analysis::{EVIDENCE_WORDS, Finding, FindingKind, Thresholds, detect};
use vbench_score::{Normalizer, Weights, score_pair};

fn found(reference: &str, hypothesis: &str) -> Vec<Finding> {
    let score =
        score_pair(reference, hypothesis, &Normalizer::None, Weights::Sclite).expect("short pairs can be aligned");
    detect(&Thresholds::default(), "u1", &score)
}

/// Kind, position, length, text of each finding.
fn shown(reference: &str, hypothesis: &str) -> Vec<String> {
    found(reference, hypothesis)
        .iter()
        .map(|f| {
            assert_eq!(f.id, "u1");
            let kind = match f.kind {
                FindingKind::Loop { period, repeats } => format!("{} {repeats}x{period}", f.kind.name()),
                other => other.name().to_owned(),
            };
            format!("{kind} @{}+{}: {}", f.position, f.length, f.text)
        })
        .collect()
}

#[test]
fn insertion_runs_from_four_words_on() {
    assert_eq!(shown("a b", "a x y z b"), [""; 0]);
    assert_eq!(shown("a b", "a w x y z b"), ["insertion-run @1+4: w x y z"]);
    assert_eq!(shown("a", "a t u v w x"), ["insertion-run @1+5: t u v w x"]);
    assert_eq!(shown("a b", "p q r s a w x y z b").len(), 2);
}

#[test]
fn text_on_silence_is_any_word() {
    assert_eq!(shown("", "you"), ["text-on-silence @0+1: you"]);
    assert_eq!(shown("", ""), [""; 0]);
    let long = (0..30).map(|i| i.to_string()).collect::<Vec<_>>().join(" ");
    let all = found("", &long);
    assert_eq!((all.len(), all[0].length), (1, 30));
    assert_eq!(all[0].text, "0 1 2 3 4 5 6 7 8 9 10 11 …");
    assert_eq!(all[0].text.split(' ').count(), EVIDENCE_WORDS + 1);
}

#[test]
fn loops_that_the_reference_lacks() {
    // One word: from four on.
    assert_eq!(shown("so", "so so so"), [""; 0]);
    assert_eq!(shown("so", "so so so so"), ["loop 4x1 @0+4: so so so so"]);
    // Several words: from three whole repeats on; a started repeat is part of the length.
    assert_eq!(shown("go on", "go on go on"), [""; 0]);
    assert_eq!(shown("go on", "go on go on go on go")[..1], ["insertion-run @0+4: go on go on"]);
    assert_eq!(shown("go on", "go on go on go on go")[1..], ["loop 3x2 @0+7: go on go on go on go"]);
    // The unit is not itself a loop, and its rotations are the same unit.
    assert_eq!(shown("a b a b a b", "x b a b a b a b a b a").last().unwrap(), "loop 5x2 @1+10: b a b a b a b a b a");
    assert!(found("a b a b a b a b", "b a b a b a b a b x").iter().all(|f| f.kind.name() != "loop"));
    // Said as often, or all but: no loop.
    for said in ["no no no no no", "no no no no"] {
        assert_eq!(shown(&format!("{said} x"), "no no no no no y"), [""; 0], "{said}");
    }
    assert_eq!(shown("no no no x", "no no no no no y"), ["loop 5x1 @0+5: no no no no no"]);
    let unit = "one two three four five six seven eight nine ten";
    assert_eq!(found(unit, &[unit; 3].join(" ")).last().unwrap().kind, FindingKind::Loop { period: 10, repeats: 3 });
    assert!(
        found(unit, &[&format!("{unit} eleven"); 3].map(String::as_str).join(" ")).len() < 2,
        "period over the limit"
    );
}

#[test]
fn long_input_takes_linear_time() {
    // Two hundred thousand words with thousands of small loops on both sides would take minutes if each were compared
    // with each. Substituted words on both sides keep the alignment itself out of it.
    let loops =
        |tag: &str| (0..25_000).map(|i| format!("{tag}{i} {tag}{i} {tag}{i} {tag}{i}")).collect::<Vec<_>>().join(" ");
    let (reference, hypothesis) = (loops("r"), loops("h"));
    let mut score = score_pair("a", "b", &Normalizer::None, Weights::Sclite).expect("short pairs can be aligned");
    score.reference_tokens = reference.split(' ').map(str::to_owned).collect();
    score.hypothesis_tokens = hypothesis.split(' ').map(str::to_owned).collect();
    let start = std::time::Instant::now();
    assert_eq!(detect(&Thresholds::default(), "u", &score).len(), 25_000);
    assert!(start.elapsed().as_secs_f64() < 5.0, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn findings_lie_inside_the_hypothesis_and_never_on_exact_pairs(
        reference in "([ab] ){0,20}",
        hypothesis in "([abc] ){0,30}",
    ) {
        for f in found(&reference, &hypothesis) {
            let words: Vec<&str> = hypothesis.split_whitespace().collect();
            prop_assert!(f.length > 0 && f.position + f.length <= words.len());
            let evidence: Vec<&str> = f.text.split(' ').filter(|w| *w != "…").collect();
            prop_assert_eq!(evidence.as_slice(), &words[f.position..f.position + f.length.min(EVIDENCE_WORDS)]);
            if let FindingKind::Loop { period, repeats } = f.kind {
                prop_assert_eq!(repeats, f.length / period);
                let stretch = &words[f.position..f.position + f.length];
                prop_assert!((period..stretch.len()).all(|i| stretch[i] == stretch[i - period]));
                prop_assert!(!reference.contains(&stretch.join(" ")));
            }
        }
        prop_assert!(found(&hypothesis, &hypothesis).is_empty());
    }
}
