//! Inventory, phoneme alignment and the confusion matrix.

use proptest::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::phoneme::{
    COST_UNITS, Dictionary, GAP_COST, Phoneme, PhonemeConfusions, Pronouncer, PronunciationCache, Step, align,
};
use vbench_score::{Normalizer, Weights, score_pair};

fn p(ipa: &str) -> Phoneme {
    Phoneme::from_ipa(ipa).expect("a symbol of the inventory")
}

fn sounds(text: &str) -> Vec<Phoneme> {
    text.split_whitespace().map(p).collect()
}

/// `b>p`, `->s`, `t>-`.
fn shown(steps: &[Step]) -> String {
    let symbol = |p: &Option<Phoneme>| p.map_or("-", Phoneme::ipa);
    steps.iter().map(|(r, h)| format!("{}>{}", symbol(r), symbol(h))).collect::<Vec<_>>().join(" ")
}

#[test]
fn costs_are_shares_of_differing_features() {
    let cost = |a: &str, b: &str| f64::from(p(a).cost(p(b))) / f64::from(COST_UNITS);
    assert_eq!(cost("p", "b"), 0.25, "voicing");
    assert_eq!(cost("p", "t"), 0.25, "place");
    assert_eq!(cost("p", "m"), 0.5, "manner and voicing");
    assert_eq!(cost("p", "z"), 0.75);
    assert_eq!(cost("p", "bʱ"), 0.5, "voicing and breath");
    assert_eq!(cost("i", "iː"), 0.2, "length");
    assert_eq!(cost("i", "u"), 0.4, "backness and rounding");
    assert_eq!(cost("p", "i"), 1.0);
    for a in Phoneme::all() {
        assert_eq!(a.cost(a), 0);
        for b in Phoneme::all().filter(|b| *b != a) {
            // Two phonemes with the same features could not be told apart.
            assert!(a.cost(b) > 0, "{} {}", a.ipa(), b.ipa());
            assert_eq!(a.cost(b), b.cost(a));
            assert_eq!(a.cost(b) == COST_UNITS, shares_nothing(a, b), "{} {}", a.ipa(), b.ipa());
            assert_ne!(a.ipa(), b.ipa());
        }
    }
    assert_eq!(Phoneme::all().filter(|p| p.entry().arpabet.is_some()).count(), 39);
}

fn shares_nothing(a: Phoneme, b: Phoneme) -> bool {
    use vbench_score::phoneme::Features::{Consonant, Vowel};
    match (a.entry().features, b.entry().features) {
        (
            Consonant { place, manner, voiced, aspirated },
            Consonant { place: p2, manner: m2, voiced: v2, aspirated: a2 },
        ) => place != p2 && manner != m2 && voiced != v2 && aspirated != a2,
        (
            Vowel { height, backness, rounded, long, glide },
            Vowel { height: h2, backness: b2, rounded: r2, long: l2, glide: g2 },
        ) => height != h2 && backness != b2 && rounded != r2 && long != l2 && glide != g2,
        _ => true,
    }
}

#[test]
fn alignment_follows_the_features() {
    for (reference, hypothesis, expected) in [
        ("k æ t", "b æ t", "k>b æ>æ t>t"),
        // Either could match; the insertion is taken first from the end.
        ("æ t", "t æ", "æ>- t>t ->æ"),
        ("s t ɑ p", "s ɑ p", "s>s t>- ɑ>ɑ p>p"),
        // d is nearer to t than s is.
        ("s t", "d", "s>- t>d"),
        ("t s", "d", "t>d s>-"),
        // A vowel is never opposite a consonant.
        ("æ", "t", "æ>- ->t"),
        // Ties: the later reference phoneme takes the match.
        ("t t", "t", "t>- t>t"),
        ("t", "t t", "->t t>t"),
        ("", "t", "->t"),
        ("", "", ""),
    ] {
        assert_eq!(
            shown(&align(&sounds(reference), &sounds(hypothesis)).unwrap()),
            expected,
            "{reference} | {hypothesis}"
        );
    }
    let long = vec![p("t"); 3000];
    assert_eq!(align(&long, &long), None, "too long to be aligned");
}

/// The least cost by trying everything.
fn least_cost(a: &[Phoneme], b: &[Phoneme]) -> u32 {
    match (a.split_last(), b.split_last()) {
        (None, _) | (_, None) => GAP_COST * (a.len() + b.len()) as u32,
        (Some((x, a1)), Some((y, b1))) => {
            (least_cost(a1, b1) + x.cost(*y)).min(least_cost(a1, b) + GAP_COST).min(least_cost(a, b1) + GAP_COST)
        }
    }
}

const DICTIONARY: &str = "pin P IH N\nbin B IH N\nbig B IH G\nthe DH AH\ntheir DH EH R\nthere DH EH R\nspin S P IH N\n";

fn confusions(language: &str, pairs: &[(&str, &str)]) -> PhonemeConfusions {
    let pronouncer = Pronouncer::for_language(
        language,
        Some(Dictionary::parse("small", DICTIONARY).expect("the entries are valid")),
    );
    let mut cache = PronunciationCache::new(&pronouncer);
    let mut all = PhonemeConfusions::default();
    for (reference, hypothesis) in pairs {
        let score =
            score_pair(reference, hypothesis, &Normalizer::None, Weights::Sclite).expect("short pairs can be aligned");
        all.add(&mut cache, &score);
    }
    all
}

#[test]
fn hits_and_wrong_stretches_are_counted() {
    let all =
        confusions("en", &[("the big pin", "the big bin"), ("their pin", "there spin"), ("big", ""), ("", "pin")]);
    assert_eq!(all.of(p("p"), p("b")), 1);
    assert_eq!(all.inserted(p("s")), 1);
    assert_eq!(all.deleted(p("ɡ")), 1);
    assert_eq!(all.of(p("ð"), p("ð")), 2);
    let top = all.substitutions(9);
    assert_eq!((top.len(), top[0].reference.ipa(), top[0].hypothesis.ipa()), (1, "p", "b"));
    assert_eq!(all.insertions(1)[0].phoneme, p("p").min(p("ɪ")).min(p("n")).min(p("s")));
    assert_eq!(all.deletions(9).iter().map(|c| c.count).sum::<u64>(), 3);
    // the big: 5 hits; pin/bin: 2 + 1 substitution; their pin/there spin: 6 + 1 insertion; big: 3 deletions; pin: 3.
    assert_eq!(all.counts(), ErrorCounts { hits: 13, sub: 1, del: 3, ins: 4 });
    assert_eq!(all.counts_of(p("p")), ErrorCounts { hits: 1, sub: 1, del: 0, ins: 1 });
    assert_eq!((all.stretches, all.same_sound, all.left_out), (4, 0, 0));
    assert_eq!(all.words.dictionary, 12);
    assert_eq!(all.phonemes().iter().map(|p| p.ipa()).collect::<String>(), "pbɡðsnɹɪɛə");
}

#[test]
fn homophones_are_no_phoneme_error() {
    let all = confusions("en", &[("the their pin", "the there pin")]);
    assert!(all.is_empty());
    assert_eq!((all.stretches, all.same_sound), (1, 1));
}

#[test]
fn what_cannot_be_pronounced_is_left_out_and_counted() {
    let all = confusions("en", &[("big 日本 pin the", "big pin pin the"), ("big 日本", "big 日本"), ("pin", "bin")]);
    assert_eq!((all.stretches, all.left_out), (1, 1));
    assert_eq!(all.words.unpronounced, 3);
    assert_eq!(all.counts().sub, 1);
    let french = confusions("fr", &[("big pin", "big bin")]);
    assert_eq!((french.words.unpronounced, french.left_out, french.counts()), (4, 1, ErrorCounts::ZERO));
    // A stretch too long to be aligned.
    let (r, h) = (vec!["pin"; 2000].join(" "), vec!["big"; 2000].join(" "));
    assert_eq!(confusions("en", &[(&r, &h)]).left_out, 1);
}

fn texts() -> impl Strategy<Value = Vec<(String, String)>> {
    let word = prop::sample::select(vec!["pin", "bin", "spin", "the", "their", "there", "42", "日本", "zoo", "అమ్మ"]);
    let line = prop::collection::vec(word, 0..8).prop_map(|w| w.join(" "));
    prop::collection::vec((line.clone(), line), 0..8)
}

fn pairs(rows: &[(String, String)]) -> Vec<(&str, &str)> {
    rows.iter().map(|(r, h)| (r.as_str(), h.as_str())).collect()
}

proptest! {
    #[test]
    fn the_alignment_is_one_of_least_cost(
        a in prop::collection::vec(0..80usize, 0..6),
        b in prop::collection::vec(0..80usize, 0..6),
    ) {
        let all: Vec<Phoneme> = Phoneme::all().collect();
        let pick = |ids: &[usize]| ids.iter().map(|i| all[i % all.len()]).collect::<Vec<_>>();
        let (a, b) = (pick(&a), pick(&b));
        let steps = align(&a, &b).expect("short sequences can be aligned");
        let cost: u32 = steps
            .iter()
            .map(|step| match step {
                (Some(r), Some(h)) => r.cost(*h),
                _ => GAP_COST,
            })
            .sum();
        prop_assert_eq!(cost, least_cost(&a, &b));
        prop_assert_eq!(steps.iter().filter_map(|s| s.0).collect::<Vec<_>>(), a);
        prop_assert_eq!(steps.iter().filter_map(|s| s.1).collect::<Vec<_>>(), b);
        let across = |s: &Step| matches!(s, (Some(r), Some(h)) if r.is_vowel() != h.is_vowel());
        prop_assert!(!steps.iter().any(across));
    }

    #[test]
    fn merged_halves_are_the_whole(rows in texts(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(rows.len() + 1);
        let mut merged = confusions("te", &pairs(&rows[..cut]));
        merged.merge(&confusions("te", &pairs(&rows[cut..])));
        prop_assert_eq!(merged, confusions("te", &pairs(&rows)));
    }

    #[test]
    fn perfect_hypotheses_leave_the_diagonal_only(rows in texts()) {
        let same: Vec<(&str, &str)> = rows.iter().map(|(r, _)| (r.as_str(), r.as_str())).collect();
        let all = confusions("te", &same);
        prop_assert!(all.is_empty());
        prop_assert!(all.substitutions(9).is_empty() && all.deletions(9).is_empty() && all.insertions(9).is_empty());
        prop_assert_eq!(all.stretches + all.left_out, 0);
    }

    /// Where every word is pronounced, every phoneme of both sides is in the table once.
    #[test]
    fn every_phoneme_is_counted_once(rows in texts()) {
        let pronouncer = Pronouncer::for_language("te", Some(Dictionary::parse("small", DICTIONARY).expect("the entries are valid")));
        let read = |line: &str| -> Option<u64> {
            line.split_whitespace().map(|w| pronouncer.pronounce(w).map(|p| p.phonemes.len() as u64)).sum()
        };
        let counted: Vec<(&str, &str)> =
            pairs(&rows).into_iter().filter(|(r, h)| read(r).is_some() && read(h).is_some()).collect();
        let counts = confusions("te", &counted).counts();
        prop_assert_eq!(counts.reference(), counted.iter().filter_map(|(r, _)| read(r)).sum::<u64>());
        prop_assert_eq!(counts.hypothesis(), counted.iter().filter_map(|(_, h)| read(h)).sum::<u64>());
    }
}
