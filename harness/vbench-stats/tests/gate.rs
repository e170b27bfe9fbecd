//! The gate's test: against the plain sign-flip test, its interval, monotony, invariance, error rates, degenerate data.

use proptest::prelude::*;
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_stats::gate::{Decision, clusters_to_decide, gate_test};
use vbench_stats::{StatsError, sign_flip};

const ALPHA: f64 = 0.05;
const DRAWS: usize = 9_999;

fn rng() -> impl Rng {
    keyed_rng(1, "gate", "", "")
}

fn decide(clusters: &[(f64, f64)], margin: f64) -> Decision {
    let test = gate_test(clusters, margin, ALPHA, DRAWS, &mut rng()).expect("a test");
    test.decide(test.p_regressed, test.p_pass, ALPHA)
}

/// Changes of whole errors over whole words.
fn clusters(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((-6i32..=6, 20u32..200), sizes)
        .prop_map(|v| v.into_iter().map(|(d, w)| (f64::from(d), f64::from(w))).collect())
}

proptest! {
    #[test]
    fn p_values_are_those_of_the_plain_sign_flip_test(data in clusters(6..15), margin in -0.05f64..0.05) {
        let ours = gate_test(&data, margin, ALPHA, DRAWS, &mut rng()).expect("a test");
        let shifted: Vec<f64> = data.iter().map(|(d, w)| d - margin * w).collect();
        let plain = sign_flip(&shifted, DRAWS, &mut rng()).expect("a test");
        prop_assert!((ours.p_regressed - plain.p_greater).abs() < 1e-12, "{ours:?} {plain:?}");
        prop_assert!((ours.p_pass - plain.p_less).abs() < 1e-12, "{ours:?} {plain:?}");
    }

    #[test]
    fn p_values_are_monotone_in_the_margin(data in clusters(6..30), a in -0.1f64..0.1, b in -0.1f64..0.1) {
        let (low, high) = (a.min(b), a.max(b));
        let at = |m| gate_test(&data, m, ALPHA, DRAWS, &mut rng()).expect("a test");
        let (low, high) = (at(low), at(high));
        prop_assert!(low.p_regressed <= high.p_regressed, "a wider margin never makes a regression clearer");
        prop_assert!(low.p_pass >= high.p_pass, "nor a pass less clear");
        prop_assert_eq!((low.lo, low.hi), (high.lo, high.hi), "the interval does not depend on the margin");
    }

    #[test]
    fn the_order_of_clusters_changes_no_bit(data in clusters(6..30), turn in 0usize..30, margin in -0.05f64..0.05) {
        let mut turned = data.clone();
        let by = turn % data.len();
        turned.rotate_left(by);
        turned.swap(0, data.len() - 1);
        let test = |d: &[(f64, f64)]| gate_test(d, margin, ALPHA, DRAWS, &mut rng()).expect("a test");
        prop_assert_eq!(test(&data), test(&turned));
    }

    #[test]
    fn the_interval_says_what_the_tests_say(data in clusters(6..30), margin in -0.08f64..0.08) {
        let test = gate_test(&data, margin, ALPHA, DRAWS, &mut rng()).expect("a test");
        prop_assert!((test.level - 0.9).abs() < 1e-12);
        prop_assert!(test.lo <= test.observed + 1e-12 && test.observed <= test.hi + 1e-12, "{test:?}");
        prop_assert_eq!(test.p_regressed <= ALPHA, margin < test.lo - 1e-9, "{:?}", test);
        prop_assert_eq!(test.p_pass <= ALPHA, margin > test.hi + 1e-9, "{:?}", test);
    }

    #[test]
    fn just_beside_the_ends_of_the_interval_the_decision_flips(data in clusters(6..30)) {
        let test = gate_test(&data, 0.0, ALPHA, DRAWS, &mut rng()).expect("a test");
        prop_assume!(!test.identical);
        prop_assert_eq!(decide(&data, test.lo - 1e-9), Decision::Regressed);
        prop_assert_eq!(decide(&data, test.hi + 1e-9), Decision::Pass);
        if test.lo < test.hi {
            prop_assert_eq!(decide(&data, test.lo), Decision::Inconclusive);
            prop_assert_eq!(decide(&data, test.hi), Decision::Inconclusive);
        }
    }
}

#[test]
fn known_figures_of_six_clusters() {
    // Six speakers of 100 words, each one error worse: every set has the ratio 0.01, two of 64 patterns count twice.
    let worse = vec![(1.0, 100.0); 6];
    let at = |m| gate_test(&worse, m, ALPHA, DRAWS, &mut rng()).expect("a test");
    assert_eq!((at(0.005).p_regressed, at(0.005).p_pass), (1.0 / 64.0, 1.0));
    assert_eq!((at(0.02).p_regressed, at(0.02).p_pass), (1.0, 1.0 / 64.0));
    // On the margin exactly, although 1/100 and 0.01 were computed differently: a tie speaks against both.
    assert_eq!((at(0.01).p_regressed, at(0.01).p_pass), (1.0, 1.0));
    assert_eq!((at(0.0).lo, at(0.0).hi), (0.01, 0.01));
    // One clear speaker out of six is no proof.
    let mut one = vec![(0.0, 100.0); 6];
    one[3].0 = 30.0;
    assert_eq!(decide(&one, 0.005), Decision::Inconclusive);
}

#[test]
fn identical_passes_at_any_margin_and_nothing_else_passes_by_default() {
    let same = vec![(0.0, 50.0); 8];
    assert_eq!(decide(&same, 0.0), Decision::Identical);
    assert_eq!(decide(&same, 0.005), Decision::Identical);
    let few = gate_test(&same[..5], 0.005, ALPHA, DRAWS, &mut rng());
    assert_eq!(few.expect_err("five").to_string(), "5 clusters, at least 6 needed");
    let one = gate_test(&same[..1], 0.005, ALPHA, DRAWS, &mut rng());
    assert_eq!(one.expect_err("one").to_string(), "1 cluster, at least 6 needed");
    // A cluster without anything in it does not count.
    let mut hollow = vec![(0.0, 0.0); 6];
    hollow.extend([(1.0, 10.0); 5]);
    assert!(matches!(
        gate_test(&hollow, 0.0, ALPHA, DRAWS, &mut rng()),
        Err(StatsError::TooFew { found: 5, needed: 6, .. })
    ));
}

#[test]
fn bad_numbers_are_refused() {
    let good = vec![(1.0, 10.0); 7];
    let with = |c: (f64, f64)| {
        let mut data = good.clone();
        data[2] = c;
        gate_test(&data, 0.0, ALPHA, DRAWS, &mut rng())
    };
    assert!(matches!(with((f64::NAN, 1.0)), Err(StatsError::NotFinite { index: 4, .. })));
    assert!(matches!(with((1.0, f64::INFINITY)), Err(StatsError::NotFinite { index: 5, .. })));
    assert!(matches!(with((1.0, 0.0)), Err(StatsError::OutOfRange { .. })));
    assert!(matches!(with((1.0, -3.0)), Err(StatsError::OutOfRange { .. })));
    assert!(gate_test(&good, f64::NAN, ALPHA, DRAWS, &mut rng()).is_err());
    for alpha in [0.0, 0.5, 1.0, f64::NAN] {
        assert!(gate_test(&good, 0.0, alpha, DRAWS, &mut rng()).is_err(), "{alpha}");
    }
    let many = vec![(1.0, 10.0); 21];
    assert!(matches!(gate_test(&many, 0.0, ALPHA, 0, &mut rng()), Err(StatsError::TooFew { what: "draws", .. })));
    // So small an alpha that no pattern of six clusters reaches it: the interval has no ends, nothing is decided.
    let test = gate_test(&good[..6], 5.0, 0.001, DRAWS, &mut rng()).expect("a test");
    assert_eq!((test.lo, test.hi), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(test.decide(test.p_regressed, test.p_pass, 0.001), Decision::Inconclusive);
}

#[test]
fn drawn_sets_agree_with_counted_ones() {
    // 20 clusters are counted, 21 drawn; the 21st changes next to nothing.
    let mut data: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i % 7) - 2.0, 60.0 + f64::from(i))).collect();
    let counted = gate_test(&data, 0.005, ALPHA, 99_999, &mut rng()).expect("a test");
    data.push((0.0, 1e-6));
    let drawn = gate_test(&data, 0.005, ALPHA, 99_999, &mut rng()).expect("a test");
    assert_eq!((counted.draws, drawn.draws), (None, Some(99_999)));
    assert!((counted.p_regressed - drawn.p_regressed).abs() < 0.005, "{counted:?} {drawn:?}");
    assert!((counted.lo - drawn.lo).abs() < 3e-4 && (counted.hi - drawn.hi).abs() < 3e-4, "{counted:?} {drawn:?}");
}

/// A standard normal draw: twelve uniform ones, summed.
fn normal(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| f64::from(rng.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
}

/// Share of 600 data sets with each outcome: speakers of 60 to 140 words whose true change lies around `truth`.
fn rates(speakers: usize, truth: f64, margin: f64) -> (f64, f64) {
    let sets = 600;
    let (mut regressed, mut pass) = (0, 0);
    for set in 0..sets {
        let mut draw = keyed_rng(set, "sets", "", "");
        let data: Vec<(f64, f64)> = (0..speakers)
            .map(|_| {
                let words = (60 + draw.next_u32() % 81) as f64;
                let rate = truth + 0.02 * normal(&mut draw);
                (rate * words, words)
            })
            .collect();
        let test = gate_test(&data, margin, ALPHA, 999, &mut draw).expect("a test");
        match test.decide(test.p_regressed, test.p_pass, ALPHA) {
            Decision::Regressed => regressed += 1,
            Decision::Pass => pass += 1,
            Decision::Identical | Decision::Inconclusive => {}
        }
    }
    (f64::from(regressed) / sets as f64, f64::from(pass) / sets as f64)
}

#[test]
fn on_the_margin_each_error_happens_about_once_in_twenty_times() {
    for speakers in [8, 14, 40] {
        let (regressed, pass) = rates(speakers, 0.005, 0.005);
        for rate in [regressed, pass] {
            assert!((0.025..=0.075).contains(&rate), "{speakers} speakers: regressed {regressed}, pass {pass}");
        }
    }
}

#[test]
fn off_the_margin_the_right_answer_wins() {
    let (regressed, pass) = rates(14, 0.03, 0.005);
    assert!(regressed > 0.95 && pass == 0.0, "{regressed} {pass}");
    let (regressed, pass) = rates(14, -0.02, 0.005);
    assert!(regressed == 0.0 && pass > 0.95, "{regressed} {pass}");
}

#[test]
fn the_number_of_clusters_that_would_decide_does_decide() {
    let spread: Vec<(f64, f64)> = (0..10).map(|i| ([3.0, -1.0, 2.0, 0.0, 1.0][i % 5], 100.0)).collect();
    assert_eq!(decide(&spread, 0.005), Decision::Inconclusive);
    let needed = clusters_to_decide(&spread, 0.005, ALPHA, 0.8).expect("a number").expect("one that is not too large");
    assert!((20..200).contains(&needed), "{needed}");
    let more: Vec<(f64, f64)> = spread.iter().copied().cycle().take(needed).collect();
    assert_eq!(decide(&more, 0.005), Decision::Regressed);
    // Nearer to the margin it takes more; on it no number does; without spread six do.
    assert!(clusters_to_decide(&spread, 0.008, ALPHA, 0.8).expect("a number").expect("a number") > needed);
    assert_eq!(clusters_to_decide(&spread, 0.01, ALPHA, 0.8), Ok(None));
    assert_eq!(clusters_to_decide(&[(1.0, 10.0); 4], 0.0, ALPHA, 0.8), Ok(Some(6)));
}
