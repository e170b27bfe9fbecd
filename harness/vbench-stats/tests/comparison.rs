//! Paired comparison, power, quantile intervals: rules, known figures, degenerate data.

use rand::Rng;
use vbench_core::ResamplingUnit;
use vbench_core::keyed::keyed_rng;
use vbench_stats::paired::{EXACT_CLUSTERS, PairedSums};
use vbench_stats::quantile::{LowerEnd, samples_needed};
use vbench_stats::{
    PairedClusters, PairedObservation, Plan, PowerAssumptions, UpperEnd, choose_paired_unit, compare_paired,
    detectable_difference, detectable_difference_observed, quantile_interval, sign_flip, speakers_needed,
};

/// Each speaker has 100 words; the second system makes `shift` more errors on each, plus a wobble of mean 0.
fn pair(speakers: usize, shift: f64) -> PairedClusters {
    let sums = (0..speakers)
        .map(|i| {
            let wobble = [-1.0, 1.0, 0.0, 2.0, -2.0][i % 5];
            PairedSums { a: 10.0, b: 10.0 + shift + wobble, den: 100.0 }
        })
        .collect();
    PairedClusters { unit: ResamplingUnit::Speaker, sums, utterances: speakers * 10, speakers: Some(speakers) }
}

#[test]
fn a_clear_change_for_the_worse_is_seen_on_every_line() {
    for speakers in [10, 40] {
        let got = compare_paired(&pair(speakers, 4.0), &Plan::new(1), "wer");
        let (lo, hi) = got.difference.ends().unwrap();
        assert!((got.difference.value - 0.04).abs() < 1e-12 && (got.a, got.b) == (0.1, 0.14));
        assert!(lo > 0.0 && hi < 0.08, "{lo} {hi}");
        let test = got.test.unwrap();
        assert_eq!(test.draws.is_none(), speakers <= EXACT_CLUSTERS);
        assert!(test.p_two_sided < 0.01 && test.p_greater < 0.01 && test.p_less > 0.99);
        let improvement = got.improvement.unwrap();
        assert_eq!((improvement.strict, improvement.half_ties), (0.0, 0.0));
        assert!(got.detectable.unwrap() < 0.04 && !got.identical);
    }
}

#[test]
fn no_change_on_average_is_not_a_finding() {
    let got = compare_paired(&pair(40, 0.0), &Plan::new(1), "wer");
    let (lo, hi) = got.difference.ends().unwrap();
    assert!(lo < 0.0 && hi > 0.0, "the lower end of a difference is not cut at 0");
    assert!(got.test.unwrap().p_two_sided > 0.9);
    let improvement = got.improvement.unwrap();
    assert!(improvement.strict < improvement.half_ties && (improvement.half_ties - 0.5).abs() < 0.05);
}

#[test]
fn degenerate_pairs_are_named() {
    let mut same = pair(12, 0.0);
    same.sums.iter_mut().for_each(|s| s.b = s.a);
    let got = compare_paired(&same, &Plan::new(1), "");
    assert!(got.identical);
    assert_eq!(got.difference.interval.unwrap_err(), "identical on all 12 speakers");
    assert_eq!(got.test.unwrap().p_two_sided, 1.0);

    let mut shifted = pair(12, 0.0);
    shifted.sums.iter_mut().for_each(|s| s.b = s.a + 1.0);
    let got = compare_paired(&shifted, &Plan::new(1), "");
    assert!(!got.identical && got.difference.interval.unwrap_err().contains("same difference"));
    // Two of 4,096 patterns are as extreme.
    assert_eq!(got.test.unwrap().p_two_sided, 2.0 / 4_096.0);

    let got = compare_paired(&pair(1, 0.0), &Plan::new(1), "");
    assert_eq!(got.difference.interval.unwrap_err(), "1 speaker, at least 6 needed");
    assert!(got.test.is_err() && got.improvement.is_none() && got.detectable.is_none());

    let empty = PairedClusters { unit: ResamplingUnit::Speaker, sums: vec![], utterances: 0, speakers: None };
    let got = compare_paired(&empty, &Plan::new(1), "");
    assert!(got.a.is_nan() && got.difference.interval.is_err() && !got.identical);

    let mut bad = pair(9, 1.0);
    bad.sums[2].b = f64::INFINITY;
    let got = compare_paired(&bad, &Plan::new(1), "");
    assert!(got.difference.interval.is_err() && got.test.is_err());
}

#[test]
fn paired_sums_follow_the_rule_of_the_unit() {
    let names: Vec<(String, String)> = (0..24).map(|i| (format!("s{}", i % 8), format!("u{i}"))).collect();
    let list: Vec<PairedObservation<'_>> = names
        .iter()
        .map(|(s, u)| PairedObservation { utterance: u, speaker: Some(s), session: None, a: 1.0, b: 2.0, den: 10.0 })
        .collect();
    let got = choose_paired_unit(&list);
    assert_eq!(got.unit, ResamplingUnit::Speaker);
    assert_eq!(got.sums, vec![PairedSums { a: 3.0, b: 6.0, den: 30.0 }; 8]);
}

#[test]
fn exact_sign_flips_equal_counting_every_pattern() {
    let mut rng = keyed_rng(3, "flips", "", "");
    for n in 1..=14usize {
        // Whole numbers, so that ties happen.
        let d: Vec<f64> = (0..n).map(|_| f64::from(rng.next_u32() % 7) - 2.0).collect();
        let observed: f64 = d.iter().sum();
        let (mut far, mut greater, mut less) = (0, 0, 0);
        for pattern in 0..1u32 << n {
            let sum: f64 = d.iter().enumerate().map(|(i, v)| if pattern >> i & 1 == 1 { -v } else { *v }).sum();
            far += u32::from(sum.abs() >= observed.abs());
            greater += u32::from(sum >= observed);
            less += u32::from(sum <= observed);
        }
        let share = |count: u32| f64::from(count) / f64::from(1u32 << n);
        let got = sign_flip(&d, 1, &mut rng).unwrap();
        assert_eq!((got.p_two_sided, got.p_greater, got.p_less), (share(far), share(greater), share(less)), "{d:?}");
    }
}

#[test]
fn drawn_sign_flips_agree_with_the_normal_limit() {
    let mut rng = keyed_rng(4, "flips", "", "");
    let d: Vec<f64> = (0..200).map(|_| f64::from(rng.next_u32() % 21) - 9.5).collect();
    let got = sign_flip(&d, 99_999, &mut rng).unwrap();
    let z = got.observed / d.iter().map(|v| v * v).sum::<f64>().sqrt();
    let normal = 2.0 * vbench_stats::special::normal_sf(z.abs());
    assert_eq!(got.draws, Some(99_999));
    assert!((got.p_two_sided - normal).abs() < 0.01, "{} {normal}", got.p_two_sided);
}

#[test]
fn sign_flip_test_rejects_a_true_null_about_as_often_as_it_says() {
    // Systems differ by speaker but not on average: 600 sets, standard error 0.9 points at 5 %.
    let mut rng = keyed_rng(5, "level", "", "");
    let sets = 600;
    let rejected = (0..sets)
        .filter(|_| {
            let d: Vec<f64> = (0..12).map(|_| f64::from(rng.next_u32() % 2_001) - 1_000.0).collect();
            sign_flip(&d, 1, &mut keyed_rng(0, "", "", "")).unwrap().p_two_sided <= 0.05
        })
        .count();
    let share = rejected as f64 / f64::from(sets);
    assert!((0.02..=0.08).contains(&share), "{share}");
}

#[test]
fn detectable_difference_has_the_published_figures() {
    let one_sided = PowerAssumptions { two_sided: false, ..PowerAssumptions::default() };
    for (words, points) in [(2_000.0, 1.36), (4_000.0, 0.96), (10_000.0, 0.61), (52_576.0, 0.27)] {
        let got = 100.0 * detectable_difference(words, 1_000_000, &one_sided).unwrap();
        assert!((got - points).abs() < 0.005, "{words} words: {got}, published {points}");
    }
    let many = detectable_difference(2_000.0, 1_000_000, &PowerAssumptions::default()).unwrap();
    let few = detectable_difference(2_000.0, 8, &PowerAssumptions::default()).unwrap();
    assert!((100.0 * many - 1.534).abs() < 0.001, "two-sided {many}");
    assert!(few > many, "few clusters detect less");
    assert!(detectable_difference(2_000.0, 5, &one_sided).is_err());
    assert!(detectable_difference(0.0, 50, &one_sided).is_err());
    assert!(detectable_difference(10.0, 50, &PowerAssumptions { error_rate: 0.0, ..one_sided }).is_err());
}

#[test]
fn detectable_difference_from_the_spread_is_found_with_the_stated_power() {
    // Differences with a known spread: standard error 1 point over 30 clusters.
    let base: Vec<(f64, f64)> = pair(30, 0.0).sums.iter().map(|s| (s.b - s.a, s.den)).collect();
    let detectable = detectable_difference_observed(&base, &PowerAssumptions::default()).unwrap();
    let sd = 100.0 * detectable / (2.045 + 0.854) * 30.0_f64.sqrt();
    let mut rng = keyed_rng(6, "power", "", "");
    let sets = 400;
    let found = (0..sets)
        .filter(|_| {
            let d: Vec<f64> = (0..30)
                .map(|_| {
                    let u = (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
                    100.0 * detectable + sd * vbench_stats::special::normal_quantile(u)
                })
                .collect();
            sign_flip(&d, 1_999, &mut rng).unwrap().p_two_sided <= 0.05
        })
        .count();
    let power = found as f64 / f64::from(sets);
    assert!((0.72..=0.88).contains(&power), "{power}");
}

#[test]
fn so_many_speakers_decide_with_the_stated_power() {
    let sd: f64 = 0.02;
    let seen: Vec<(f64, f64)> = (0..24).map(|i| (if i % 2 == 0 { 100.0 * sd } else { -100.0 * sd }, 100.0)).collect();
    let assumptions = PowerAssumptions::default();
    let needed = speakers_needed(&seen, 0.0, 0.005, &assumptions).unwrap();
    // By hand: ((z(0.95) + z(0.8)) 0.02 / 0.005)^2 = 98.9, and sqrt(24 / 23) and t for the few there are.
    assert!((100..=107).contains(&needed), "{needed}");
    // The mirror image: as far above the margin as 0 is below it.
    assert_eq!(speakers_needed(&seen, 0.01, 0.005, &assumptions), Ok(needed));
    assert_eq!(speakers_needed(&seen, 0.9, 0.005, &assumptions), Ok(6), "never fewer than an interval needs");
    let at_margin = speakers_needed(&seen, 0.005, 0.005, &assumptions).unwrap_err().to_string();
    assert!(at_margin.contains("takes more than 1000000 speakers"), "{at_margin}");
    // So many speakers, drawn with that spread and no effect, pass the sign-flip test at the margin in 80 %.
    let mut rng = keyed_rng(7, "needed", "", "");
    let sets = 400;
    let passed = (0..sets)
        .filter(|_| {
            let excess: Vec<f64> = (0..needed)
                .map(|_| {
                    let u = (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
                    100.0 * (sd * vbench_stats::special::normal_quantile(u) - 0.005)
                })
                .collect();
            sign_flip(&excess, 1_999, &mut rng).unwrap().p_less <= 0.05
        })
        .count();
    let power = passed as f64 / f64::from(sets);
    assert!((0.74..=0.88).contains(&power), "{power}");
}

#[test]
fn every_chunk_of_flips_is_drawn_anew() {
    // 10,240 flips are ten chunks. Were they alike, p would wander between keys like one of 1,024.
    let d: Vec<f64> = (0..40).map(|i| f64::from(i % 7) - 2.8).collect();
    let found: Vec<f64> =
        (0..100).map(|key| sign_flip(&d, 10_240, &mut keyed_rng(key, "chunks", "", "")).unwrap().p_greater).collect();
    let mean = found.iter().sum::<f64>() / 100.0;
    let sd = (found.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>() / 99.0).sqrt();
    let expected = (mean * (1.0 - mean) / 10_240.0).sqrt();
    assert!((0.75..1.35).contains(&(sd / expected)), "{sd}, expected {expected}");
}

#[test]
fn drawn_sign_flips_do_not_depend_on_the_number_of_threads() {
    // Above the size at which work is shared out.
    let d: Vec<f64> = (0..2_000).map(|i| f64::from(i % 13) - 5.9).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| sign_flip(&d, 20_001, &mut keyed_rng(8, "flips", "", "")).unwrap())
    };
    let one = run(1);
    assert!(one.p_two_sided > 0.0 && one.p_two_sided < 1.0 && one.draws == Some(20_001));
    assert_eq!((one, one), (run(2), run(8)));
}

#[test]
fn quantile_intervals_need_the_known_numbers_of_samples() {
    for (q, needed) in [(0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3_688)] {
        assert_eq!(samples_needed(q, 0.95), Ok(needed));
        let values = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
        let short = quantile_interval(&values(needed - 1), q, 0.95).unwrap();
        assert_eq!(short.hi, UpperEnd::AtLeastMaximum((needed - 2) as f64));
        let enough = quantile_interval(&values(needed), q, 0.95).unwrap();
        assert_eq!(enough.hi, UpperEnd::Value((needed - 1) as f64));
    }
    let median = quantile_interval(&[5.0, 1.0, 3.0, 2.0, 4.0], 0.5, 0.95).unwrap();
    assert_eq!((median.lo, median.hi), (LowerEnd::AtMostMinimum(1.0), UpperEnd::AtLeastMaximum(5.0)));
    assert!(quantile_interval(&[], 0.5, 0.95).is_err());
    assert!(quantile_interval(&[f64::NAN], 0.5, 0.95).is_err());
}

#[test]
fn order_statistic_ranks_are_those_of_the_tables() {
    // Conover, Practical Nonparametric Statistics: median of 20 samples, 95 %: 6th and 15th.
    let values: Vec<f64> = (1..=20).map(f64::from).collect();
    let got = quantile_interval(&values, 0.5, 0.95).unwrap();
    assert_eq!((got.lo, got.hi, got.value), (LowerEnd::Value(6.0), UpperEnd::Value(15.0), 10.5));
}
