//! Too little, too alike or not a number: every public function answers with a reason or a NaN, never with a figure.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use vbench_core::ResamplingUnit;
use vbench_core::keyed::keyed_rng;
use vbench_stats::linear::linearise;
use vbench_stats::mapsswe::{Segment, mapsswe};
use vbench_stats::multiple::{benjamini_hochberg, holm};
use vbench_stats::paired::PairedSums;
use vbench_stats::proportion::{clopper_pearson, wilson};
use vbench_stats::quantile::{samples_needed, type7};
use vbench_stats::secondary::{Zeros, mcnemar, paired_t, sign_test, wilcoxon_approximate, wilcoxon_exact};
use vbench_stats::{
    Bootstrap, Clusters, MAX_RESAMPLES, Method, PairedClusters, Plan, PowerAssumptions, StatsError, compare_paired,
    detectable_difference_observed, expanded_level, quantile_interval, ratio_estimate, sign_flip, speakers_needed,
    special,
};

const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn why<T: std::fmt::Debug>(answer: Result<T, StatsError>) -> String {
    answer.unwrap_err().to_string()
}

fn rng() -> impl rand::Rng {
    keyed_rng(0, "bad-input", "", "")
}

#[test]
fn one_of_anything_is_not_enough() {
    let data = Clusters { unit: ResamplingUnit::Speaker, sums: vec![(3.0, 60.0)], utterances: 1, speakers: Some(1) };
    let estimate = ratio_estimate(&data, &Plan::new(0), "");
    assert_eq!((estimate.value, estimate.interval.unwrap_err().as_str()), (0.05, "1 speaker, at least 6 needed"));
    let pair = PairedClusters {
        unit: ResamplingUnit::Utterance,
        sums: vec![PairedSums { a: 1.0, b: 2.0, den: 9.0 }],
        utterances: 1,
        speakers: None,
    };
    let got = compare_paired(&pair, &Plan::new(0), "");
    assert_eq!(got.difference.interval.unwrap_err(), "1 utterance, at least 6 needed");
    assert_eq!(why(got.test), "1 utterance, at least 6 needed");
    assert!(got.improvement.is_none() && got.detectable.is_none());
    assert_eq!(why(Bootstrap::ratio(&[(1.0, 2.0)], 99, &mut rng())), "1 cluster, at least 2 needed");
    assert_eq!(why(Bootstrap::mean(&[1.0], 99, &mut rng())), "1 cluster, at least 2 needed");
    assert_eq!(why(Bootstrap::quantile(&[vec![1.0]], 0.5, 99, &mut rng())), "1 cluster, at least 2 needed");
    assert_eq!(why(linearise(&[(1.0, 2.0)])), "1 cluster, at least 2 needed");
    assert_eq!(why(paired_t(&[1.0])), "1 pair, at least 2 needed");
    assert_eq!(why(mapsswe(&[Segment { first: 1, second: 0 }])), "1 segment, at least 2 needed");
    assert_eq!(why(expanded_level(0.95, 1)), "1 cluster, at least 2 needed");
    let power = PowerAssumptions::default();
    assert_eq!(why(detectable_difference_observed(&[(1.0, 2.0)], &power)), "1 cluster, at least 6 needed");
    assert_eq!(why(speakers_needed(&[(1.0, 2.0)], 0.0, 0.1, &power)), "1 cluster, at least 6 needed");
}

#[test]
fn nothing_at_all_is_named() {
    assert!(Bootstrap::ratio(&[], 99, &mut rng()).is_err());
    assert!(Bootstrap::mean(&[], 99, &mut rng()).is_err());
    assert_eq!(why(Bootstrap::quantile(&[vec![], vec![]], 0.5, 99, &mut rng())), "0 values, at least 1 needed");
    assert_eq!(why(sign_flip(&[], 99, &mut rng())), "0 differences, at least 1 needed");
    assert_eq!(why(sign_test(&[])), "0 pairs, at least 1 needed");
    assert_eq!(why(wilcoxon_exact(&[])), "0 pairs, at least 1 needed");
    assert!(wilcoxon_approximate(&[], Zeros::Drop, false).is_err());
    assert!(paired_t(&[]).is_err() && mapsswe(&[]).is_err() && linearise(&[]).is_err());
    assert!(type7(&[], 0.5).is_err() && quantile_interval(&[], 0.5, 0.95).is_err());
    assert!(wilson(0, 0, 0.95).is_err() && clopper_pearson(0, 0, 0.95).is_err());
    assert_eq!((holm(&[]), benjamini_hochberg(&[])), (Ok(vec![]), Ok(vec![])));
    let none = mcnemar(0, 0);
    assert_eq!((none.p_exact, none.corrected, none.plain), (1.0, None, None));
}

#[test]
fn no_spread_gives_no_interval_and_no_detectable_difference() {
    // A tenth is no binary fraction: the sums carry rounding errors, which must not pass for spread.
    for value in [0.1, 7.0] {
        let equal = vec![value; 30];
        assert!(matches!(paired_t(&equal), Err(StatsError::NoSpread(_))), "{value}");
        let boot = Bootstrap::mean(&equal, 99, &mut rng()).unwrap();
        assert_eq!(boot.acceleration(), None);
        assert!(boot.interval(Method::Bca, 0.95).is_err(), "{value}");
        let same_rate: Vec<(f64, f64)> = (1..=30).map(|i| (value * f64::from(i), f64::from(i))).collect();
        let power = PowerAssumptions::default();
        assert!(matches!(detectable_difference_observed(&same_rate, &power), Err(StatsError::NoSpread(_))));
        assert!(matches!(speakers_needed(&same_rate, 0.0, 0.1, &power), Err(StatsError::NoSpread(_))));
        let data = Clusters { unit: ResamplingUnit::Session, sums: same_rate, utterances: 30, speakers: None };
        let reason = ratio_estimate(&data, &Plan::new(0), "").interval.unwrap_err();
        assert_eq!(reason, "all 30 sessions have the same value: no spread to infer from");
    }
    let whole = Bootstrap::mean(&[7.0; 30], 99, &mut rng()).unwrap();
    for method in [Method::Percentile, Method::Basic, Method::Bca] {
        assert!(matches!(whole.interval(method, 0.95), Err(StatsError::NoSpread(_))), "{method:?}");
    }
    assert!(matches!(mapsswe(&[Segment { first: 2, second: 1 }; 60]), Err(StatsError::NoSpread(_))));
    assert!(matches!(wilcoxon_approximate(&[0.0; 9], Zeros::Pratt, true), Err(StatsError::NoSpread(_))));
}

#[test]
fn equal_pairs_are_identical_and_not_significant() {
    let sums = vec![PairedSums { a: 4.0, b: 4.0, den: 80.0 }; 40];
    let pair = PairedClusters { unit: ResamplingUnit::Speaker, sums, utterances: 400, speakers: Some(40) };
    let got = compare_paired(&pair, &Plan::new(0), "");
    assert!(got.identical && got.detectable.is_none());
    assert_eq!((got.difference.value, got.test.unwrap().p_two_sided), (0.0, 1.0));
    assert_eq!(got.difference.interval.unwrap_err(), "identical on all 40 speakers");
    let zeros = sign_test(&[0.0; 12]).unwrap();
    assert_eq!((zeros.zero, zeros.p_two_sided), (12, 1.0));
    assert_eq!(sign_flip(&[0.0; 50], 0, &mut rng()).unwrap().p_greater, 1.0);
}

#[test]
fn values_that_are_no_numbers_are_refused_by_their_position() {
    for bad in BAD {
        let mut values: Vec<f64> = (0..12).map(f64::from).collect();
        values[3] = bad;
        let pairs: Vec<(f64, f64)> = values.iter().map(|v| (*v, 10.0)).collect();
        let swapped: Vec<(f64, f64)> = values.iter().map(|v| (1.0, *v)).collect();
        let text = format!("value {bad} at position 3 is not a finite number");
        assert_eq!(
            why(Bootstrap::mean(&values, 99, &mut rng())),
            format!("value {bad} at position 6 is not a finite number")
        );
        for pairs in [&pairs, &swapped] {
            assert!(Bootstrap::ratio(pairs, 99, &mut rng()).is_err());
            assert!(linearise(pairs).is_err());
            assert!(detectable_difference_observed(pairs, &PowerAssumptions::default()).is_err());
            assert!(speakers_needed(pairs, 0.0, 0.1, &PowerAssumptions::default()).is_err());
            let sums = pairs.clone();
            let data = Clusters { unit: ResamplingUnit::Speaker, sums, utterances: 12, speakers: None };
            assert!(ratio_estimate(&data, &Plan::new(0), "").interval.is_err());
        }
        assert_eq!(why(Bootstrap::quantile(&[values.clone(), vec![1.0]], 0.5, 99, &mut rng())), text);
        assert_eq!(why(sign_flip(&values, 99, &mut rng())), text);
        assert_eq!(why(paired_t(&values)), text);
        assert_eq!(why(sign_test(&values)), text);
        assert_eq!(why(wilcoxon_exact(&values)), text);
        assert_eq!(why(wilcoxon_approximate(&values, Zeros::Split, false)), text);
        assert_eq!(why(type7(&values, 0.5)), text);
        assert_eq!(why(quantile_interval(&values, 0.5, 0.95)), text);
        assert!(holm(&[0.1, bad]).is_err() && benjamini_hochberg(&[bad, 0.2]).is_err());
    }
}

#[test]
fn parameters_outside_their_range_are_refused() {
    let pairs: Vec<(f64, f64)> = (0..12).map(|i| (f64::from(i), 10.0)).collect();
    let boot = Bootstrap::ratio(&pairs, 99, &mut rng()).unwrap();
    let t = paired_t(&[1.0, 2.0, 4.0]).unwrap();
    let linear = linearise(&pairs).unwrap();
    for level in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
        assert!(boot.interval(Method::Percentile, level).is_err(), "{level}");
        assert!(t.interval(level).is_err() && linear.interval(level).is_err(), "{level}");
        assert!(expanded_level(level, 20).is_err() && wilson(1, 2, level).is_err(), "{level}");
        assert!(clopper_pearson(1, 2, level).is_err() && quantile_interval(&[1.0], 0.5, level).is_err(), "{level}");
        assert!(samples_needed(level, 0.95).is_err() && samples_needed(0.5, level).is_err(), "{level}");
        let bad = PowerAssumptions { power: level, ..PowerAssumptions::default() };
        assert!(speakers_needed(&pairs, 0.0, 9.0, &bad).is_err(), "{level}");
    }
    for resamples in [0, MAX_RESAMPLES + 1, usize::MAX] {
        assert!(why(Bootstrap::ratio(&pairs, resamples, &mut rng())).contains("outside 1 to 10,000,000"));
    }
    assert!(Bootstrap::quantile(&[vec![1.0], vec![2.0]], 1.1, 9, &mut rng()).is_err());
    assert!(type7(&[1.0], f64::NAN).is_err());
    assert!(wilson(3, 2, 0.95).is_err() && clopper_pearson(3, 2, 0.95).is_err());
    assert!(why(sign_flip(&[1.0; 21], 0, &mut rng())).contains("0 flips"));
    assert!(why(wilcoxon_exact(&vec![1.0; 1_001])).contains("1,000"));
}

#[test]
fn distribution_functions_answer_nan_outside_their_range() {
    for bad in [f64::NAN, 0.0, -2.0, f64::INFINITY] {
        assert!(special::beta_cdf(bad, 2.0, 0.5).is_nan() && special::beta_cdf(2.0, bad, 0.5).is_nan(), "{bad}");
        assert!(special::beta_quantile(bad, 2.0, 0.5).is_nan(), "{bad}");
        assert!(special::t_sf(1.0, bad).is_nan() && special::t_cdf(1.0, bad).is_nan(), "{bad}");
        assert!(special::t_quantile(0.7, bad).is_nan(), "{bad}");
    }
    for bad in [f64::NAN, -0.1, 1.1] {
        assert!(special::binomial_cdf(1, 3, bad).is_nan() && special::binomial_sf(1, 3, bad).is_nan(), "{bad}");
    }
    assert!(special::t_sf(f64::NAN, 3.0).is_nan() && special::beta_cdf(2.0, 3.0, f64::NAN).is_nan());
    assert!(special::normal_cdf(f64::NAN).is_nan() && special::normal_sf(f64::NAN).is_nan());
    assert_eq!((special::t_sf(f64::INFINITY, 3.0), special::t_sf(f64::NEG_INFINITY, 3.0)), (0.0, 1.0));
    assert_eq!((special::binomial_cdf(1, 3, 0.0), special::binomial_cdf(1, 3, 1.0)), (1.0, 0.0));
}
