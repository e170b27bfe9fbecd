//! The interval rules of `formats.md`, degenerate data, and the coverage of the default interval.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use proptest::prelude::*;
use rand::Rng;
use vbench_core::ResamplingUnit;
use vbench_core::keyed::keyed_rng;
use vbench_stats::interval::{EXPANDED, LINEARISED, NO_ERRORS, WIDER};
use vbench_stats::linear::linearise;
use vbench_stats::{
    BlockScheme, Blocks, Bootstrap, Clusters, Method, Observation, Plan, choose_unit, expanded_level, ratio_estimate,
    special,
};

fn clusters(unit: ResamplingUnit, sums: Vec<(f64, f64)>) -> Clusters {
    let utterances = sums.len() * 5;
    Clusters { unit, sums, utterances, speakers: None }
}

/// Observations of `speakers` x `sessions` x 4 utterances, with names as wanted.
fn observations(speakers: usize, sessions: usize, named: (bool, bool)) -> Vec<[String; 3]> {
    let mut out = Vec::new();
    for s in 0..speakers {
        for t in 0..sessions {
            for u in 0..4 {
                let speaker = if named.0 { format!("spk{s}") } else { String::new() };
                let session = if named.1 { format!("ses{s}-{t}") } else { String::new() };
                out.push([format!("c/{s}-{t}-{u}"), speaker, session]);
            }
        }
    }
    out
}

fn chosen(rows: &[[String; 3]]) -> Clusters {
    let some = |s: &'static str| (!s.is_empty()).then_some(s);
    let rows: Vec<[&'static str; 3]> =
        rows.iter().map(|r| r.clone().map(|s| -> &'static str { Box::leak(s.into_boxed_str()) })).collect();
    let list: Vec<Observation<'_>> = rows
        .iter()
        .map(|r| Observation { utterance: r[0], speaker: some(r[1]), session: some(r[2]), num: 1.0, den: 10.0 })
        .collect();
    choose_unit(&list)
}

#[test]
fn unit_is_speaker_then_session_then_utterance() {
    let speaker = chosen(&observations(6, 2, (true, true)));
    assert_eq!((speaker.unit, speaker.sums.len(), speaker.utterances), (ResamplingUnit::Speaker, 6, 48));
    assert_eq!(speaker.note(), None);
    assert_eq!(speaker.sums, vec![(8.0, 80.0); 6]);

    let session = chosen(&observations(3, 2, (true, true)));
    assert_eq!((session.unit, session.sums.len()), (ResamplingUnit::Session, 6));
    assert_eq!(session.note().as_deref(), Some("conditional on these 3 speakers"));

    let utterance = chosen(&observations(2, 2, (true, true)));
    assert_eq!((utterance.unit, utterance.sums.len()), (ResamplingUnit::Utterance, 16));
    assert_eq!(utterance.note().as_deref(), Some("conditional on these 2 speakers"));

    let unknown = chosen(&observations(8, 1, (false, false)));
    assert_eq!((unknown.unit, unknown.speakers), (ResamplingUnit::Utterance, None));
    assert!(unknown.note().unwrap().contains("not known"));
}

#[test]
fn one_observation_without_speaker_rules_the_speaker_out() {
    let mut rows = observations(8, 1, (true, false));
    rows[0][1].clear();
    assert_eq!(chosen(&rows).unit, ResamplingUnit::Utterance);
}

#[test]
fn one_utterance_under_several_conditions_is_one_unit() {
    let mut rows = observations(1, 1, (false, false));
    rows.extend(rows.clone());
    let got = chosen(&rows);
    assert_eq!((got.utterances, got.sums.clone()), (4, vec![(2.0, 20.0); 4]));
}

fn spread(n: usize) -> Vec<(f64, f64)> {
    (0..n).map(|i| ((i % 5) as f64, 50.0 + (i % 7) as f64)).collect()
}

#[test]
fn method_depends_on_the_number_of_clusters() {
    let plan = Plan::new(7);
    for (n, method) in [(6, WIDER), (19, WIDER), (20, EXPANDED), (60, EXPANDED)] {
        let data = clusters(ResamplingUnit::Speaker, spread(n));
        let estimate = ratio_estimate(&data, &plan, "stratum");
        let interval = estimate.interval.clone().unwrap();
        assert_eq!(interval.method, method, "{n} clusters");
        assert_eq!((interval.clusters, interval.n, interval.seed, interval.level), (n, 5 * n, 7, 0.95));
        assert!(interval.lo >= 0.0 && interval.lo < estimate.value && estimate.value < interval.hi);
        let mut rng = keyed_rng(7, "bootstrap", "", "stratum");
        let level = if n < 20 { 0.95 } else { expanded_level(0.95, n).unwrap() };
        let bca = Bootstrap::ratio(&data.sums, plan.resamples, &mut rng).unwrap().interval(Method::Bca, level).unwrap();
        let t = linearise(&data.sums).unwrap().interval(0.95).unwrap();
        let expected = if n >= 20 || bca.1 - bca.0 > t.1 - t.0 { bca } else { (t.0.max(0.0), t.1) };
        assert_eq!((interval.lo, interval.hi), expected, "{n} clusters");
    }
}

#[test]
fn expanded_level_makes_up_for_few_clusters() {
    // By hand from tables of t: 2 Phi(sqrt(S / (S - 1)) t(S - 1, 0.975)) - 1.
    for (clusters, level) in [(10, 0.982_900), (20, 0.968_239), (40, 0.959_490), (10_000, 0.950_041)] {
        let got = expanded_level(0.95, clusters).unwrap();
        assert!((got - level).abs() < 1e-5, "{clusters} clusters: {got}, expected {level}");
    }
    let t = linearise(&spread(40)).unwrap().interval(0.95).unwrap();
    let estimate = ratio_estimate(&clusters(ResamplingUnit::Speaker, spread(40)), &Plan::new(1), "");
    let (lo, hi) = estimate.ends().unwrap();
    assert!(((hi - lo) / (t.1 - t.0) - 1.0).abs() < 0.05, "as wide as t(S-1): {} {}", hi - lo, t.1 - t.0);
}

#[test]
fn fewer_than_six_units_are_not_estimable_but_keep_their_value() {
    let estimate = ratio_estimate(&clusters(ResamplingUnit::Speaker, spread(5)), &Plan::new(0), "");
    assert_eq!(estimate.value, 10.0 / 260.0);
    assert_eq!(estimate.interval.unwrap_err(), "5 speakers, at least 6 needed");
}

#[test]
fn no_errors_anywhere_give_an_upper_bound_and_not_a_zero_width() {
    let estimate = ratio_estimate(&clusters(ResamplingUnit::Speaker, vec![(0.0, 40.0); 12]), &Plan::new(0), "");
    let interval = estimate.interval.unwrap();
    // 1 - 0.025^(1/12)
    assert!((interval.hi - (1.0 - 0.025_f64.powf(1.0 / 12.0))).abs() < 1e-9);
    assert_eq!((estimate.value, interval.lo, interval.method.as_str()), (0.0, 0.0, NO_ERRORS));
}

#[test]
fn degenerate_data_give_a_reason_and_no_number() {
    let reason = |sums: Vec<(f64, f64)>| {
        ratio_estimate(&clusters(ResamplingUnit::Speaker, sums), &Plan::new(0), "").interval.unwrap_err()
    };
    assert!(reason((1..=9).map(|i| (f64::from(i), f64::from(10 * i))).collect()).contains("same value"));
    assert!(reason(vec![(3.0, 0.0); 8]).contains("denominators sum to 0"));
    assert!(reason(vec![]).contains("denominators sum to 0"));
    let mut bad = spread(9);
    bad[3].0 = f64::NAN;
    assert!(reason(bad).contains("not a finite number"));
    // Clusters without anything in them are not counted.
    let mut padded = spread(5);
    padded.extend([(0.0, 0.0); 10]);
    assert_eq!(reason(padded), "5 speakers, at least 6 needed");
    let plan = Plan { level: 1.0, ..Plan::new(0) };
    assert!(ratio_estimate(&clusters(ResamplingUnit::Speaker, spread(9)), &plan, "").interval.is_err());
}

#[test]
fn where_bca_does_not_exist_the_linearised_interval_stands_in() {
    // One cluster far out among few: no resample may lie on both sides after rounding to a tie-free half; force it by
    // asking for a single resample.
    let plan = Plan { resamples: 1, ..Plan::new(3) };
    let data = clusters(ResamplingUnit::Speaker, spread(30));
    let interval = ratio_estimate(&data, &plan, "").interval.unwrap();
    let t = linearise(&data.sums).unwrap().interval(0.95).unwrap();
    assert_eq!((interval.method.as_str(), interval.lo, interval.hi), (LINEARISED, t.0, t.1));
}

/// Replicates of every kind of resampling, in bits.
fn replicates_with(threads: usize) -> Vec<Vec<u64>> {
    // Above the size at which work is shared out.
    let counts = spread(1_500);
    let fractions: Vec<(f64, f64)> = counts.iter().map(|c| (c.0 + 0.25, c.1 + 0.5)).collect();
    let many_kinds: Vec<(f64, f64)> = (0..1_500).map(|i| (f64::from(i % 97), f64::from(300 + i))).collect();
    let values: Vec<f64> = fractions.iter().map(|f| f.0 / f.1).collect();
    let units: Vec<Vec<f64>> = values.iter().map(|v| vec![*v]).collect();
    let blocks = Blocks::new(&[700, 800], 9, BlockScheme::Circular).unwrap();
    let rng = || keyed_rng(5, "bootstrap", "", "");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let all = pool.install(|| {
        [
            Bootstrap::ratio(&counts, 999, &mut rng()),
            Bootstrap::ratio(&fractions, 999, &mut rng()),
            Bootstrap::ratio(&many_kinds, 999, &mut rng()),
            Bootstrap::quantile(&units, 0.9, 999, &mut rng()),
            Bootstrap::block_ratio(&counts, &blocks, 999, &mut rng()),
            Bootstrap::block_quantile(&values, 0.5, &blocks, 999, &mut rng()),
        ]
    });
    all.map(|b| b.unwrap().replicates().iter().map(|v| v.to_bits()).collect()).into()
}

#[test]
fn replicates_do_not_depend_on_the_number_of_threads() {
    let one = replicates_with(1);
    assert!(one.iter().all(|r| r.len() == 999 && r.first() != r.last()));
    assert_eq!(one, replicates_with(2));
    assert_eq!(one, replicates_with(8));
}

#[test]
fn whole_numbers_and_fractions_are_drawn_alike() {
    // Halved numbers cannot be packed, and few kinds are not drawn one by one: three ways to the same distribution.
    let many_kinds: Vec<(f64, f64)> = (0..900).map(|i| (f64::from(i % 7), f64::from(20 + i))).collect();
    let run = |pairs: &[(f64, f64)]| Bootstrap::ratio(pairs, 500, &mut keyed_rng(1, "bootstrap", "", "")).unwrap();
    let halved = |pairs: &[(f64, f64)]| pairs.iter().map(|p| (0.5 * p.0, 0.5 * p.1)).collect::<Vec<_>>();
    assert_eq!(run(&many_kinds), run(&halved(&many_kinds)), "packed sums are exact");
    let negative: Vec<(f64, f64)> = many_kinds.iter().map(|p| (p.0 - 3.0, p.1)).collect();
    assert_eq!(run(&negative), run(&halved(&negative)), "so are sums of differences");
    let few_kinds = spread(900);
    let resamples = 20_000;
    let run = |pairs: &[(f64, f64)]| Bootstrap::ratio(pairs, resamples, &mut keyed_rng(2, "b", "", "")).unwrap();
    let (quick, slow) = (run(&few_kinds), run(&halved(&few_kinds)));
    assert_ne!(quick, slow, "other draws");
    let error = slow.standard_error();
    assert!((quick.standard_error() / error - 1.0).abs() < 0.03, "{} {error}", quick.standard_error());
    for p in [0.025, 0.5, 0.975] {
        let at = |b: &Bootstrap| b.replicates()[(p * resamples as f64) as usize];
        // Four standard errors of the difference of two such order statistics.
        let tolerance = 4.0 * 2.0_f64.sqrt() * error * if p == 0.5 { 1.25 } else { 2.7 } / (resamples as f64).sqrt();
        assert!((at(&quick) - at(&slow)).abs() < tolerance, "{p}: {} {}", at(&quick), at(&slow));
    }
}

#[test]
fn quantile_bootstrap_agrees_with_resampling_by_hand() {
    let values = vec![vec![1.0, 9.0], vec![4.0], vec![2.0, 2.5, 7.0], vec![6.0], vec![3.0, 8.0], vec![5.0]];
    let boot = Bootstrap::quantile(&values, 0.5, 4_000, &mut keyed_rng(1, "bootstrap", "", "q")).unwrap();
    let pooled: Vec<f64> = values.iter().flatten().copied().collect();
    assert_eq!(boot.observed(), vbench_stats::quantile::type7(&pooled, 0.5).unwrap());
    let mut rng = keyed_rng(2, "by-hand", "", "");
    let mut by_hand: Vec<f64> = (0..4_000)
        .map(|_| {
            let drawn: Vec<f64> = (0..6).flat_map(|_| values[(rng.next_u32() % 6) as usize].iter().copied()).collect();
            vbench_stats::quantile::type7(&drawn, 0.5).unwrap()
        })
        .collect();
    by_hand.sort_by(f64::total_cmp);
    let ends = boot.interval(Method::Percentile, 0.9).unwrap();
    assert!((ends.0 - by_hand[200]).abs() <= 0.5 && (ends.1 - by_hand[3_799]).abs() <= 0.5, "{ends:?}");
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    assert!((mean(boot.replicates()) - mean(&by_hand)).abs() < 0.15);
}

/// A standard normal draw.
fn normal(rng: &mut impl Rng) -> f64 {
    special::normal_quantile((f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0)
}

/// Share of simulated sets whose interval covers the true rate: `speakers` x `utterances` of 12 words each, speaker
/// rates log-normal around 5 % with the given log-sd.
fn coverage(sets: usize, speakers: usize, utterances: usize, log_sd: f64) -> f64 {
    let mut rng = keyed_rng(11, "coverage", &format!("{speakers}x{utterances}"), "");
    let truth = 0.05;
    let covered = (0..sets)
        .filter(|set| {
            let sums = (0..speakers)
                .map(|_| {
                    let rate = (truth * (log_sd * normal(&mut rng) - 0.5 * log_sd * log_sd).exp()).min(1.0);
                    let words = 12 * utterances;
                    let errors = (0..words).filter(|_| f64::from(rng.next_u32()) < rate * 4_294_967_296.0).count();
                    (errors as f64, words as f64)
                })
                .collect();
            let data =
                Clusters { unit: ResamplingUnit::Speaker, sums, utterances: speakers * utterances, speakers: None };
            let plan = Plan { resamples: 999, ..Plan::new(*set as u64) };
            let (lo, hi) = ratio_estimate(&data, &plan, "coverage").ends().unwrap();
            lo <= truth && truth <= hi
        })
        .count();
    covered as f64 / sets as f64
}

#[test]
fn default_interval_covers_the_truth_about_as_often_as_it_says() {
    // 1,000 sets: the standard error of a share is 0.8 points. `reports/statistics.md` has the figures of 4,000 sets.
    let many = coverage(1_000, 40, 65, 0.5);
    let few = coverage(1_000, 10, 65, 0.5);
    println!("coverage of 95 %: 40 speakers {many:.3}, 10 speakers {few:.3}");
    assert!((0.905..=0.975).contains(&many), "40 speakers: {many}");
    assert!((0.90..=0.975).contains(&few), "10 speakers: {few}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn estimate_does_not_depend_on_the_order_of_observations(
        rows in prop::collection::vec((0usize..9, 0usize..40, 0u32..6, 1u32..30), 1..80),
        seed in any::<u64>(),
    ) {
        let names: Vec<(String, String)> = rows.iter().map(|r| (format!("s{}", r.0), format!("u{}-{}", r.0, r.1))).collect();
        let list: Vec<Observation<'_>> = rows.iter().zip(&names).map(|(r, (speaker, utterance))| Observation {
            utterance, speaker: Some(speaker), session: None, num: f64::from(r.2), den: f64::from(r.3),
        }).collect();
        let plan = Plan { resamples: 199, ..Plan::new(seed) };
        let forward = ratio_estimate(&choose_unit(&list), &plan, "k");
        let reversed: Vec<_> = list.iter().rev().copied().collect();
        prop_assert_eq!(&forward, &ratio_estimate(&choose_unit(&reversed), &plan, "k"));
        if let Some((lo, hi)) = forward.ends() {
            prop_assert!(lo >= 0.0 && lo <= hi);
        }
    }

    #[test]
    fn every_interval_scales_with_its_data(
        data in prop::collection::vec((0u32..50, 1u32..100), 8..40), scale in 1u32..9, seed in any::<u64>(),
    ) {
        let pairs: Vec<(f64, f64)> = data.iter().map(|d| (f64::from(d.0), f64::from(d.1))).collect();
        let larger: Vec<(f64, f64)> = pairs.iter().map(|p| (p.0 * f64::from(scale), p.1)).collect();
        let boot = |p: &[(f64, f64)]| Bootstrap::ratio(p, 199, &mut keyed_rng(seed, "b", "", "")).unwrap();
        let (one, many) = (boot(&pairs), boot(&larger));
        for method in [Method::Percentile, Method::Basic, Method::Bca] {
            let (Ok(a), Ok(b)) = (one.interval(method, 0.9), many.interval(method, 0.9)) else { continue };
            let near = |x: f64, y: f64| (x * f64::from(scale) - y).abs() <= 1e-9 * (1.0 + y.abs());
            prop_assert!(near(a.0, b.0) && near(a.1, b.1), "{:?} {:?} {:?}", method, a, b);
        }
    }
}
