//! The sequential gate: decisions stay, errors stay below alpha, spending is as published.

use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_stats::SequentialVerdict::{Continue, Inconclusive, Pass, Regressed};
use vbench_stats::sequential::{MAX_PATHS, cluster_order};
use vbench_stats::{Sequential, Spending, sign_flip};

/// `n` clusters of 100 words whose differences of errors are `shift` plus whole numbers from -5 to 5.
fn clusters(n: usize, shift: f64, set: &str) -> Vec<(f64, f64)> {
    let mut rng = keyed_rng(1, "sequential-test", set, "");
    (0..n).map(|_| (shift + f64::from(rng.next_u32() % 11) - 5.0, 100.0)).collect()
}

#[test]
fn clear_cases_are_decided_early_and_in_the_right_direction() {
    for spending in [Spending::Pocock, Spending::ObrienFleming] {
        let plan = Sequential { spending, ..Sequential::new(40, 0.01, 1) };
        let worse = plan.look(&clusters(40, 6.0, "worse")).unwrap();
        assert_eq!(worse.verdict, Regressed);
        assert!(worse.clusters < 20, "{worse:?}");
        let better = plan.look(&clusters(40, -6.0, "better")).unwrap();
        assert_eq!(better.verdict, Pass);
        assert!(better.clusters < 20 && better.spent < 0.05, "{better:?}");
    }
    // On the margin nothing is decided.
    let plan = Sequential::new(40, 0.01, 1);
    let open = plan.look(&clusters(40, 1.0, "open")).unwrap();
    assert_eq!((open.verdict, open.clusters), (Inconclusive, 40));
    assert!((open.spent - 0.05).abs() < 1e-15);
}

#[test]
fn a_decision_stays_when_clusters_follow() {
    let plan = Sequential { every: 3, spending: Spending::Pocock, ..Sequential::new(30, 0.0, 2) };
    let mut decided = 0;
    for set in 0..40 {
        let data = clusters(30, 2.0, &set.to_string());
        let last = plan.look(&data).unwrap();
        for n in 0..=30 {
            let now = plan.look(&data[..n]).unwrap();
            if n < last.clusters {
                assert_eq!(now.verdict, Continue, "set {set}, {n} clusters");
                assert_eq!(now.clusters, if n < 6 { 0 } else { 6 + (n - 6) / 3 * 3 });
            } else {
                assert_eq!(now, last, "set {set}, {n} clusters");
            }
        }
        decided += usize::from(last.verdict == Regressed && last.clusters < 30);
    }
    assert!(decided > 20, "{decided} of 40 before the end");
}

#[test]
fn false_verdicts_stay_below_alpha_where_peeking_does_not() {
    // Exactly at the margin, 2,000 sets: the standard error of a share of 5 % is 0.5 points.
    let sets = 2_000;
    let (mut regressed, mut passed, mut peeking) = (0, 0, 0);
    for set in 0..sets {
        let data = clusters(24, 2.0, &format!("level {set}"));
        let plan = Sequential { paths: 999, ..Sequential::new(24, 0.02, set) };
        match plan.look(&data).unwrap().verdict {
            Regressed => regressed += 1,
            Pass => passed += 1,
            Continue | Inconclusive => {}
        }
        let excess: Vec<f64> = data.iter().map(|c| c.0 - 2.0).collect();
        peeking += u32::from(
            (6..=24).any(|n| sign_flip(&excess[..n], 199, &mut keyed_rng(set, "", "", "")).unwrap().p_greater <= 0.05),
        );
    }
    println!("at the margin, {sets} sets: regressed {regressed}, pass {passed}; peeking regressed {peeking}");
    assert!((50..=125).contains(&regressed) && (50..=125).contains(&passed));
    assert!(peeking > 200, "a fixed test looked at all the time: {peeking} of {sets}");
}

#[test]
fn spending_is_as_published() {
    // Lan & DeMets (1983): alpha 0.025 at half of the information, 0.0015 and 0.0155.
    let spent = |spending: Spending, t| spending.spent(0.025, t).unwrap();
    assert!((spent(Spending::ObrienFleming, 0.5) - 0.001_525).abs() < 1e-6);
    assert!((spent(Spending::Pocock, 0.5) - 0.015_503).abs() < 1e-6);
    for spending in [Spending::Pocock, Spending::ObrienFleming] {
        assert_eq!((spent(spending, 0.0), spent(spending, 1.0)), (0.0, 0.025));
        assert!((1..100).all(|i| spent(spending, f64::from(i) / 100.0) <= spent(spending, f64::from(i + 1) / 100.0)));
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(spending.spent(0.05, bad).is_err());
        }
        assert!(spending.spent(0.0, 0.5).is_err());
    }
}

#[test]
fn identical_systems_pass_at_the_end_and_one_difference_does_not() {
    let mut data = vec![(0.0, 50.0); 12];
    let plan = Sequential::new(12, 0.0, 3);
    assert_eq!(plan.look(&data[..11]).unwrap().verdict, Continue);
    assert_eq!(plan.look(&data).unwrap().verdict, Pass);
    data[4].0 = 1.0;
    assert_eq!(plan.look(&data).unwrap().verdict, Inconclusive);
    // With a margin above zero equal systems need not wait for the end.
    let plan_with_margin = Sequential { spending: Spending::Pocock, ..Sequential::new(12, 0.02, 3) };
    let early = plan_with_margin.look(&[(0.0, 50.0); 12]).unwrap();
    assert!(early.verdict == Pass && early.clusters < 12, "{early:?}");
    // Clusters without words say nothing.
    assert_eq!(plan.look(&[(0.0, 0.0); 12]).unwrap().verdict, Inconclusive);
}

#[test]
fn bad_plans_and_data_are_named() {
    let good = Sequential::new(12, 0.0, 1);
    let why = |plan: Sequential, data: &[(f64, f64)]| plan.look(data).unwrap_err().to_string();
    assert_eq!(why(Sequential { planned: 1, ..good }, &[]), "1 planned cluster, at least 6 needed");
    assert!(why(Sequential { first: 5, ..good }, &[]).starts_with("first look = 5"));
    assert!(why(Sequential { first: 13, ..good }, &[]).starts_with("first look = 13"));
    assert!(why(Sequential { every: 0, ..good }, &[]).starts_with("step between looks = 0"));
    assert!(why(Sequential { paths: 0, ..good }, &[]).starts_with("paths = 0"));
    assert!(why(Sequential { paths: MAX_PATHS + 1, ..good }, &[]).starts_with("paths = 1000001"));
    assert!(why(Sequential { alpha: 0.0, ..good }, &[]).starts_with("alpha = 0"));
    assert!(why(Sequential { margin: f64::NAN, ..good }, &[]).contains("not a finite number"));
    assert!(why(good, &[(1.0, 10.0); 13]).starts_with("clusters = 13"));
    assert!(why(good, &[(f64::NAN, 10.0)]).contains("not a finite number"));
    assert_eq!(good.look(&[]).unwrap().verdict, Continue);
}

#[test]
fn clusters_come_in_a_keyed_order() {
    let order = cluster_order(50, 1, "suite");
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    assert_eq!(order, cluster_order(50, 1, "suite"));
    assert_ne!(order, cluster_order(50, 2, "suite"));
    assert_ne!(order, cluster_order(50, 1, "other"));
    assert_eq!((cluster_order(0, 1, ""), cluster_order(1, 1, "")), (vec![], vec![0]));
    // Every position is equally likely: 3,000 orders of 3, the standard error of a third is 0.9 points.
    let mut first = [0; 3];
    (0..3_000).for_each(|seed| first[cluster_order(3, seed, "")[0]] += 1);
    assert!(first.iter().all(|n| (900..=1_100).contains(n)), "{first:?}");
}
