//! Block bootstrap: known variances, sessions kept apart, correlated utterances, block length.

use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_stats::{BlockScheme, Blocks, Bootstrap, Method, StatsError, block_length, special};

fn normal(rng: &mut impl Rng) -> f64 {
    special::normal_quantile((f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0)
}

/// Sessions of an autoregressive process of first order with mean 0 and variance 1.
fn correlated(sessions: &[usize], rho: f64, rng: &mut impl Rng) -> Vec<f64> {
    let mut values = Vec::new();
    for n in sessions {
        let mut state = normal(rng);
        for _ in 0..*n {
            values.push(state);
            state = rho * state + (1.0 - rho * rho).sqrt() * normal(rng);
        }
    }
    values
}

#[test]
fn blocks_of_one_utterance_are_the_utterance_bootstrap() {
    let values = correlated(&[300], 0.5, &mut keyed_rng(1, "blocks", "", ""));
    let blocks = |scheme| Blocks::new(&[300], 1, scheme).unwrap();
    let plain = Bootstrap::mean(&values, 500, &mut keyed_rng(2, "blocks", "", "")).unwrap();
    for scheme in [BlockScheme::Circular, BlockScheme::Moving] {
        let drawn = Bootstrap::block_mean(&values, &blocks(scheme), 500, &mut keyed_rng(2, "blocks", "", "")).unwrap();
        assert_eq!(drawn, plain, "{scheme:?}");
    }
    let units: Vec<Vec<f64>> = values.iter().map(|v| vec![*v]).collect();
    let plain = Bootstrap::quantile(&units, 0.9, 200, &mut keyed_rng(3, "blocks", "", "")).unwrap();
    let circular = blocks(BlockScheme::Circular);
    let drawn = Bootstrap::block_quantile(&values, 0.9, &circular, 200, &mut keyed_rng(3, "blocks", "", ""));
    assert_eq!(drawn.unwrap(), plain);
}

#[test]
fn spread_of_block_means_is_the_one_that_the_blocks_have() {
    // A resample of 240 is 12 blocks of 20: the variance of its mean is that of a block mean over 12.
    let values = correlated(&[240], 0.7, &mut keyed_rng(4, "blocks", "", ""));
    for (scheme, starts) in [(BlockScheme::Circular, 240), (BlockScheme::Moving, 221)] {
        let means: Vec<f64> = (0..starts).map(|s| (s..s + 20).map(|i| values[i % 240]).sum::<f64>() / 20.0).collect();
        let mean = means.iter().sum::<f64>() / f64::from(starts as u32);
        let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / f64::from(starts as u32);
        let blocks = Blocks::new(&[240], 20, scheme).unwrap();
        let boot = Bootstrap::block_mean(&values, &blocks, 20_000, &mut keyed_rng(5, "blocks", "", "")).unwrap();
        let expected = (variance / 12.0).sqrt();
        assert!((boot.standard_error() / expected - 1.0).abs() < 0.03, "{scheme:?} {}", boot.standard_error());
        let centre = boot.replicates().iter().sum::<f64>() / 20_000.0;
        assert!((centre - mean).abs() < 4.0 * expected / 20_000.0_f64.sqrt(), "{scheme:?} {centre} {mean}");
    }
}

#[test]
fn blocks_stay_inside_their_session() {
    // Each session is constant, so a resample that keeps sessions apart and whole cannot vary.
    let sizes = [25, 7, 40, 3];
    let values: Vec<f64> = sizes.iter().zip([1.0, 5.0, 2.0, 9.0]).flat_map(|(n, v)| vec![v; *n]).collect();
    for scheme in [BlockScheme::Circular, BlockScheme::Moving] {
        let blocks = Blocks::new(&sizes, 8, scheme).unwrap();
        assert_eq!((blocks.utterances(), blocks.length()), (75, 8));
        let boot = Bootstrap::block_mean(&values, &blocks, 200, &mut keyed_rng(6, "blocks", "", "")).unwrap();
        assert!(boot.replicates().iter().all(|v| *v == boot.observed()), "{scheme:?}");
        for method in [Method::Percentile, Method::Basic, Method::Bca] {
            assert!(matches!(boot.interval(method, 0.95), Err(StatsError::NoSpread(_))), "no interval of no width");
        }
    }
}

#[test]
fn correlated_utterances_need_blocks() {
    // 200 sets of two sessions with lag-one correlation 0.7; the standard error of a share of 90 % is 2.1 points.
    let sizes = [150, 250];
    let (sets, mut plain, mut blocked) = (200, 0, 0);
    for set in 0..sets {
        let mut rng = keyed_rng(7, "blocks", &set.to_string(), "");
        let values = correlated(&sizes, 0.7, &mut rng);
        let pairs: Vec<(f64, f64)> = values.iter().map(|v| (*v, 1.0)).collect();
        let length = block_length(&pairs, &sizes).unwrap();
        let blocks = Blocks::new(&sizes, length, BlockScheme::Circular).unwrap();
        let holds = |b: Bootstrap| {
            let (lo, hi) = b.interval(Method::Bca, 0.95).unwrap();
            i32::from(lo <= 0.0 && 0.0 <= hi)
        };
        blocked += holds(Bootstrap::block_ratio(&pairs, &blocks, 499, &mut rng).unwrap());
        plain += holds(Bootstrap::ratio(&pairs, 499, &mut rng).unwrap());
    }
    println!("coverage of 95 %: blocks {blocked} of {sets}, utterances {plain}");
    assert!(blocked >= 170, "blocks: {blocked} of {sets}");
    assert!(plain <= 150, "utterances: {plain} of {sets}");
}

/// A fixed series that any program can make again.
fn series(n: usize, rho: f64) -> Vec<(f64, f64)> {
    let mut state: u64 = 12_345;
    let mut value = 0.0;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value = rho * value + (state >> 40) as f64 / 16_777_216.0 - 0.5;
            (value, 1.0)
        })
        .collect()
}

#[test]
fn block_length_follows_the_correlation() {
    // Circular length by `arch.bootstrap.optimal_block_length` of arch 8.0.0 on the same series, rounded up.
    let cases = [
        (100, 0.0, 0.07),
        (400, 0.0, 0.13),
        (400, 0.3, 4.473),
        (400, 0.7, 11.257),
        (1_000, 0.5, 14.186),
        (1_000, 0.9, 53.367),
        (2_000, -0.4, 12.976),
    ];
    let found: Vec<usize> = cases.iter().map(|(n, rho, _)| block_length(&series(*n, *rho), &[*n]).unwrap()).collect();
    let expected: Vec<usize> = cases.iter().map(|(.., length): &(_, _, f64)| length.ceil() as usize).collect();
    assert_eq!(found, expected);
    // A rate instead of a mean: the residuals count, so a constant added to it changes nothing.
    let rate: Vec<(f64, f64)> = series(400, 0.7).iter().map(|(v, _)| (v + 3.0, 1.0)).collect();
    assert_eq!(block_length(&rate, &[400]).unwrap(), 12);
}

#[test]
fn bad_blocks_are_named() {
    let new = |sizes: &[usize], length| Blocks::new(sizes, length, BlockScheme::Circular).map(|b| b.length());
    assert_eq!(new(&[100], 0).unwrap_err().to_string(), "block length = 0 is outside 1 or more");
    assert_eq!(new(&[100], 20).unwrap_err().to_string(), "5 blocks, at least 6 needed");
    assert_eq!(new(&[], 3).unwrap_err().to_string(), "0 blocks, at least 6 needed");
    assert_eq!(new(&[7, 7, 7], 7).unwrap_err().to_string(), "0 blocks, at least 6 needed");
    assert!(new(&[usize::MAX, 9], 3).is_err());
    let blocks = Blocks::new(&[30], 5, BlockScheme::Circular).unwrap();
    let rng = || keyed_rng(8, "blocks", "", "");
    assert_eq!(
        Bootstrap::block_mean(&[1.0; 29], &blocks, 9, &mut rng()).unwrap_err(),
        StatsError::LengthMismatch { left: 29, right: 30 }
    );
    let mut values = vec![1.0; 30];
    values[4] = f64::NAN;
    assert!(Bootstrap::block_mean(&values, &blocks, 9, &mut rng()).is_err());
    assert!(Bootstrap::block_quantile(&values, 0.5, &blocks, 9, &mut rng()).is_err());
    assert!(Bootstrap::block_quantile(&[1.0; 30], 1.5, &blocks, 9, &mut rng()).is_err());
    assert!(Bootstrap::block_ratio(&[(1.0, 0.0); 30], &blocks, 9, &mut rng()).is_err());
    assert!(Bootstrap::block_ratio(&[(1.0, 1.0); 30], &blocks, 0, &mut rng()).is_err());

    assert!(block_length(&[(1.0, 1.0); 5], &[5]).is_err());
    assert!(matches!(block_length(&[(1.0, 3.0); 50], &[50]), Err(StatsError::NoSpread(_))));
    assert!(matches!(block_length(&[(1.0, 3.0); 50], &[49]), Err(StatsError::LengthMismatch { .. })));
    assert!(block_length(&[(1.0, 0.0); 50], &[50]).is_err());
    assert!(block_length(&[(f64::INFINITY, 1.0); 50], &[50]).is_err());
}
