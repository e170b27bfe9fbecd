//! What the signal metrics must do whatever the signal: invariances, known answers, undefined answers, same bits.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use proptest::prelude::*;
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::signal::{
    CLIP_METRICS, Pair, PairMetrics, Reading, SIGNAL_METRICS, SignalError, Undefined, clipped_share, crest_db, dc,
    delay, estoi, flat_runs, loudness_lufs, lsd_db, measure, mel_distance_db, pair_metrics, peak_dbfs, rms_dbfs,
    sdr_db, segsnr_db, si_sdr_db, si_sdr_zero_mean_db, signal_metrics, snr_db, stoi,
};

const RATE: u32 = 16_000;
const TAU: f64 = 2.0 * std::f64::consts::PI;

/// Noise in -1..1.
fn noise(key: u64, n: usize) -> Vec<f64> {
    let mut rng = keyed_rng(key, "signal properties", "", "");
    (0..n).map(|_| f64::from(rng.next_u32()) / 2_147_483_648.0 - 1.0).collect()
}

/// Noise under a syllable-like envelope.
fn speech(key: u64, n: usize) -> Vec<f64> {
    let gate = |i: usize| (TAU * 4.0 * i as f64 / f64::from(RATE)).sin().max(0.01);
    noise(key, n).iter().enumerate().map(|(i, v)| 0.3 * v * gate(i)).collect()
}

fn mixed(x: &[f64], e: &[f64], gain: f64) -> Vec<f64> {
    x.iter().zip(e).map(|(x, e)| x + gain * e).collect()
}

fn scaled(x: &[f64], gain: f64) -> Vec<f64> {
    x.iter().map(|v| v * gain).collect()
}

fn energy(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum()
}

fn single(x: &[f64]) -> Vec<f32> {
    x.iter().map(|v| *v as f32).collect()
}

fn pair<'a>(x: &'a [f64], y: &'a [f64]) -> Pair<'a> {
    Pair::new(x, y, RATE).unwrap()
}

fn close(got: Reading, want: f64, tolerance: f64) -> bool {
    got.is_ok_and(|got| (got - want).abs() <= tolerance)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn snr_is_the_one_mixed(key in 0u64..1_000_000, db in -20.0..60.0f64, n in 100usize..20_000) {
        let (x, e) = (speech(key, n), noise(key + 1, n));
        let gain = (energy(&x) / energy(&e) * 10f64.powf(-db / 10.0)).sqrt();
        let got = snr_db(&pair(&x, &mixed(&x, &e, gain)));
        prop_assert!(close(got, db, 1e-6), "{got:?} for {db}");
    }

    #[test]
    fn gain_does_not_change_si_sdr_or_stoi(key in 0u64..1_000_000, gain in 0.01..50.0f64, level in 0.001..1.0f64) {
        let x = speech(key, 24_000);
        let y = mixed(&x, &noise(key + 1, x.len()), level);
        let louder = scaled(&y, gain);
        for metric in [si_sdr_db, si_sdr_zero_mean_db, sdr_db, stoi, estoi] {
            let (a, b) = (metric(&pair(&x, &y)).unwrap(), metric(&pair(&x, &louder)).unwrap());
            prop_assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
    }

    #[test]
    fn offsets_do_not_change_zero_mean_si_sdr(key in 0u64..1_000_000, offset in -1.0..1.0f64) {
        let x = speech(key, 8_000);
        let y = mixed(&x, &noise(key + 1, x.len()), 0.1);
        let moved: Vec<f64> = y.iter().map(|v| v + offset).collect();
        let (a, b) = (si_sdr_zero_mean_db(&pair(&x, &y)).unwrap(), si_sdr_zero_mean_db(&pair(&x, &moved)).unwrap());
        prop_assert!((a - b).abs() < 1e-6, "{a} and {b}");
    }

    #[test]
    fn sdr_forgives_a_filter_and_is_never_below_si_sdr(key in 0u64..1_000_000, taps in 1usize..512) {
        let x = speech(key, 16_000);
        let h = noise(key + 1, taps);
        // The tail that the filter adds must fit: silence at the end of the reference.
        let x: Vec<f64> = x.iter().enumerate().map(|(i, v)| if i < 15_000 { *v } else { 0.0 }).collect();
        let y: Vec<f64> = (0..x.len()).map(|n| (0..taps.min(n + 1)).map(|k| h[k] * x[n - k]).sum()).collect();
        prop_assert!(sdr_db(&pair(&x, &y)).unwrap() > 80.0);
        let noisy = mixed(&y, &noise(key + 2, y.len()), 0.1);
        let noisy = pair(&x, &noisy);
        prop_assert!(sdr_db(&noisy).unwrap() >= si_sdr_db(&noisy).unwrap());
    }

    #[test]
    fn delay_finds_a_shift(key in 0u64..1_000_000, shift in -7_999i64..8_000, gain in 0.1..2.0f64) {
        let n = 30_000;
        let x = speech(key, n);
        let e = noise(key + 1, n);
        let at = |i: usize| usize::try_from(i as i64 - shift).ok().and_then(|i| x.get(i)).copied().unwrap_or(0.0);
        let y: Vec<f64> = (0..n).map(|i| gain * at(i) + 0.001 * e[i]).collect();
        let found = delay(&pair(&x, &y), 8_000).unwrap();
        prop_assert_eq!(found.samples, shift);
        prop_assert!((found.interpolated - shift as f64).abs() <= 0.5);
        prop_assert!(found.correlation > 0.95 && found.correlation <= 1.0, "{}", found.correlation);
        prop_assert_eq!(pair_metrics(&single(&x), &single(&y), RATE).unwrap().delay_samples, Ok(shift as f64));
    }

    #[test]
    fn loudness_follows_gain(key in 0u64..1_000_000, db in -20.0..20.0f64) {
        let x = speech(key, 32_000);
        let y = scaled(&x, 10f64.powf(db / 20.0));
        let difference = loudness_lufs(&y, RATE).unwrap() - loudness_lufs(&x, RATE).unwrap();
        prop_assert!((difference - db).abs() < 1e-6, "{difference} for {db}");
        prop_assert!(close(measure(&pair(&x, &y)).loudness_difference_lu, db, 1e-6));
    }

    #[test]
    fn distances_are_zero_for_the_same_and_symmetric(key in 0u64..1_000_000, level in 0.001..1.0f64) {
        let x = speech(key, 6_000);
        let y = mixed(&x, &noise(key + 1, x.len()), level);
        for metric in [lsd_db, mel_distance_db] {
            prop_assert!(close(metric(&pair(&x, &x)), 0.0, 1e-9));
            let (a, b) = (metric(&pair(&x, &y)).unwrap(), metric(&pair(&y, &x)).unwrap());
            prop_assert!(a > 0.0 && (a - b).abs() < 1e-9, "{a} and {b}");
        }
    }

    #[test]
    fn nothing_is_ever_nan(key in 0u64..1_000_000, n in 0usize..9_000, rate in 1u32..100_000, scale in -38i32..38, from in 0usize..9_000) {
        // Faint and huge samples, with silence in front.
        let factor = 10f64.powi(scale);
        let make = |key| -> Vec<f32> {
            noise(key, n).iter().enumerate().map(|(i, v)| if i < from { 0.0 } else { (v * factor) as f32 }).collect()
        };
        let (x, y) = (make(key), make(key + 1));
        for (metric, reading) in pair_metrics(&x, &y, rate).unwrap().readings() {
            prop_assert!(reading.is_err() || reading.is_ok_and(|v| !v.is_nan()), "{}", metric.name);
        }
        for (metric, reading) in signal_metrics(&x, rate).unwrap().readings() {
            prop_assert!(reading.is_err() || reading.is_ok_and(|v| !v.is_nan()), "{}", metric.name);
        }
    }
}

#[test]
fn identical_signals() {
    let x = speech(1, 24_000);
    let m = measure(&pair(&x, &x));
    for infinite in [m.snr_db, m.si_sdr_db, m.si_sdr_zero_mean_db, m.sdr_db] {
        assert_eq!(infinite, Ok(f64::INFINITY));
    }
    assert_eq!((m.segsnr_db, m.delay_samples), (Ok(35.0), Ok(0.0)));
    assert!(close(m.lsd_db, 0.0, 1e-12) && close(m.mel_distance_db, 0.0, 1e-12));
    for one in [m.stoi, m.estoi, m.correlation] {
        assert!(close(one, 1.0, 1e-9), "{one:?}");
    }
    assert_eq!(m.loudness_difference_lu, Ok(0.0));
    // A multiple is as good as the same to the scale-invariant ones.
    let third = scaled(&x, 1.0 / 3.0);
    assert_eq!(si_sdr_db(&pair(&x, &third)), Ok(f64::INFINITY));
    assert_eq!(sdr_db(&pair(&x, &third)), Ok(f64::INFINITY));
}

#[test]
fn noise_lowers_intelligibility_step_by_step() {
    let x = speech(3, 40_000);
    let e = noise(4, x.len());
    let values: Vec<[f64; 2]> = [0.001, 0.03, 0.1, 0.3, 1.0]
        .iter()
        .map(|level| mixed(&x, &e, *level))
        .map(|y| [stoi(&pair(&x, &y)).unwrap(), estoi(&pair(&x, &y)).unwrap()])
        .collect();
    for step in values.windows(2) {
        assert!(step[0][0] > step[1][0] && step[0][1] > step[1][1], "{values:?}");
    }
}

#[test]
fn orthogonal_signals_have_no_target() {
    assert_eq!(si_sdr_db(&pair(&[1.0, 0.0], &[0.0, 1.0])), Ok(f64::NEG_INFINITY));
}

#[test]
fn silence_and_short_clips_say_why() {
    let (silence, x) = (vec![0.0; 24_000], speech(5, 24_000));
    let all = |m: &PairMetrics, why: Undefined, but: &[&str]| {
        for (metric, reading) in m.readings() {
            assert!(but.contains(&metric.name) || reading == Err(why), "{}: {reading:?}", metric.name);
        }
    };
    let still_defined = ["lsd_db", "mel_distance_db", "loudness_difference_lu"];
    let m = measure(&pair(&silence, &x));
    all(&m, Undefined::SilentReference, &still_defined);
    assert_eq!(m.loudness_difference_lu, Err(Undefined::BelowGate));
    assert!(m.lsd_db.unwrap() > 0.0 && m.mel_distance_db.unwrap() > 0.0);
    let m = measure(&pair(&x, &silence));
    all(&m, Undefined::SilentDegraded, &["snr_db", "segsnr_db", "lsd_db", "mel_distance_db", "loudness_difference_lu"]);
    assert_eq!((m.snr_db, m.loudness_difference_lu), (Ok(0.0), Err(Undefined::BelowGate)));

    let m = pair_metrics(&[], &[], RATE).unwrap();
    assert!(m.readings().iter().all(|(_, reading)| reading.is_err()));
    let short = &x[..500];
    let m = measure(&pair(short, short));
    assert_eq!(m.lsd_db, Err(Undefined::TooShort { samples: 500, needed: 512 }));
    assert_eq!(m.mel_distance_db, m.lsd_db);
    assert_eq!(m.stoi, Err(Undefined::TooLittleSpeech { frames: 0 }));
    assert_eq!(m.loudness_difference_lu, Err(Undefined::TooShort { samples: 500, needed: 6_400 }));
    assert_eq!(segsnr_db(&pair(&x[..599], &x[..599])), Err(Undefined::TooShort { samples: 599, needed: 600 }));
    assert_eq!(segsnr_db(&pair(&x[..600], &x[..600])), Ok(35.0));
    // A constant carries no signal once the mean is gone.
    assert_eq!(si_sdr_zero_mean_db(&pair(&[0.1; 99], &x[..99])), Err(Undefined::SilentReference));
    let low = Pair::new(&x, &x, 4_000).unwrap();
    assert_eq!(stoi(&low), Err(Undefined::RateTooLow { rate_hz: 4_000, needed_hz: 8_000 }));
    assert_eq!(stoi(&low).unwrap_err().to_string(), "a rate of 4000 Hz, at least 8000 Hz is needed");
    assert_eq!(delay(&pair(&[1.0, 0.0], &[-1.0, 0.0]), 1), Err(Undefined::NoCommonPart));
}

#[test]
fn the_shortest_clip_with_stoi() {
    // 30 frames of 128 samples at 10 kHz, one more that silence removal does not see, and one that the transform does not.
    let x = noise(6, 10_000);
    let cut = |n: usize| stoi(&Pair::new(&x[..n], &x[..n], 10_000).unwrap());
    assert!(close(cut(256 + 30 * 128 + 1), 1.0, 1e-9));
    assert_eq!(cut(256 + 30 * 128), Err(Undefined::TooLittleSpeech { frames: 29 }));
}

#[test]
fn bad_input_is_named() {
    let mut x = vec![0.5f32; 100];
    let y = x.clone();
    let lengths = pair_metrics(&x, &y[1..], RATE).unwrap_err();
    assert_eq!(lengths, SignalError::Lengths { reference: 100, degraded: 99 });
    assert!(lengths.to_string().contains("100") && lengths.to_string().contains("99"));
    assert_eq!(pair_metrics(&x, &y, 0).unwrap_err(), SignalError::Rate { rate_hz: 0 });
    assert!(pair_metrics(&x, &y, 2_000_000).is_err());
    for (bad, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        x[17] = bad;
        let text = pair_metrics(&x, &y, RATE).unwrap_err().to_string();
        assert_eq!(text, format!("sample 17 of the reference is {shown}"));
        let text = pair_metrics(&y, &x, RATE).unwrap_err().to_string();
        assert_eq!(text, format!("sample 17 of the degraded signal is {shown}"));
        let text = signal_metrics(&x, RATE).unwrap_err().to_string();
        assert_eq!(text, format!("sample 17 of the signal is {shown}"));
        assert_eq!(dc(&x), Err(Undefined::NotFinite));
    }
    assert_eq!(loudness_lufs(&[f64::NAN; 9_000], RATE), Err(Undefined::NotFinite));
}

#[test]
fn a_full_scale_tone_reads_minus_3_01() {
    // The bilinear transform bends the shelf where the rate is low.
    for (rate, tolerance) in [(8_000u32, 0.15), (16_000, 0.05), (44_100, 0.005), (48_000, 0.005), (96_000, 0.02)] {
        let tone: Vec<f64> = (0..4 * rate).map(|i| (TAU * 997.0 * f64::from(i) / f64::from(rate)).sin()).collect();
        let loudness = loudness_lufs(&tone, rate).unwrap();
        assert!((loudness + 3.01).abs() < tolerance, "{rate} Hz: {loudness}");
        let m = signal_metrics(&single(&tone), rate).unwrap();
        assert!(close(m.rms_dbfs, -3.010_3, 1e-3) && close(m.crest_db, 3.010_3, 1e-2), "{m:?}");
        assert!(close(m.peak_dbfs, 0.0, 1e-2), "{m:?}");
    }
}

#[test]
fn gates_drop_silence_and_quiet_parts() {
    // Loud, 30 dB lower, and digital silence: only the loud part counts, up to the blocks across the borders.
    let tone = |i: u32| (TAU * 997.0 * f64::from(i) / 48_000.0).sin();
    let loud: Vec<f64> = (0..48_000 * 6).map(tone).collect();
    let mut gated = loud.clone();
    gated.extend((0..48_000 * 6).map(|i| 0.03 * tone(i)));
    gated.extend(vec![0.0; 48_000 * 6]);
    let difference = loudness_lufs(&gated, 48_000).unwrap() - loudness_lufs(&loud, 48_000).unwrap();
    assert!(difference.abs() < 0.15, "{difference}");
    assert_eq!(loudness_lufs(&scaled(&loud, 1e-4), 48_000), Err(Undefined::BelowGate));
}

#[test]
fn levels_and_clipping() {
    let x = [0.5f32, -0.25, 0.0, 0.25];
    assert!(close(peak_dbfs(&x), -6.020_6, 1e-4));
    assert!(close(rms_dbfs(&x), 10.0 * (0.375f64 / 4.0).log10(), 1e-9));
    assert_eq!(dc(&x), Ok(0.125));
    assert_eq!((clipped_share(&x), flat_runs(&x)), (Ok(0.0), Ok(0.0)));
    // Both 16-bit extremes and overshoots are at full scale, two steps inside is not.
    let step = 1.0 / 32_768.0;
    assert_eq!(clipped_share(&[1.0 - step, -1.0, 1.0, 1.5, 1.0 - 2.0 * step, -1.0 + 2.0 * step, 0.0, 0.0]), Ok(0.5));
    // Runs of 3 and 4 at the extremes; one of 2 and one inside do not count.
    let flat = [0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.4, 0.4, -0.3, -0.3, -0.3, -0.3, 0.0];
    assert_eq!(flat_runs(&flat), Ok(2.0));
    let silence = [0.0f32; 50];
    assert_eq!((peak_dbfs(&silence), rms_dbfs(&silence)), (Ok(f64::NEG_INFINITY), Ok(f64::NEG_INFINITY)));
    assert_eq!((crest_db(&silence), flat_runs(&silence)), (Err(Undefined::Silent), Ok(0.0)));
    assert_eq!(crest_db(&[0.3; 40]).map(|db| db < 1e-6), Ok(true));
    assert_eq!(dc(&[]), Err(Undefined::TooShort { samples: 0, needed: 1 }));
}

#[test]
fn names_are_unique_and_described() {
    let mut names: Vec<&str> = SIGNAL_METRICS.iter().chain(CLIP_METRICS).map(|m| m.name).collect();
    assert!(SIGNAL_METRICS.iter().chain(CLIP_METRICS).all(|m| m.description.ends_with('.')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SIGNAL_METRICS.len() + CLIP_METRICS.len());
    let stoi = SIGNAL_METRICS.iter().find(|m| m.name == "stoi").unwrap();
    assert_eq!(stoi.higher_is_better, Some(true));
}

#[test]
fn threads_and_order_do_not_change_a_bit() {
    let clips: Vec<(Vec<f32>, Vec<f32>)> = (0..6)
        .map(|key| {
            let x = speech(key, 9_000 + 777 * key as usize);
            (single(&x), single(&mixed(&x, &noise(key + 50, x.len()), 0.1)))
        })
        .collect();
    let bits = |(x, y): &(Vec<f32>, Vec<f32>)| -> Vec<Result<u64, Undefined>> {
        let pair = pair_metrics(x, y, RATE).unwrap().readings().map(|(_, reading)| reading.map(f64::to_bits));
        let one = signal_metrics(y, RATE).unwrap().readings().map(|(_, reading)| reading.map(f64::to_bits));
        pair.into_iter().chain(one).collect()
    };
    let alone: Vec<_> = clips.iter().map(bits).collect();
    for threads in [2, 8] {
        let mut together: Vec<(usize, _)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let clips = &clips;
                    scope.spawn(move || {
                        (worker..clips.len()).step_by(threads).rev().map(|i| (i, bits(&clips[i]))).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        together.sort_by_key(|(i, _)| *i);
        assert!(together.into_iter().map(|(_, bits)| bits).eq(alone.iter().cloned()), "{threads} threads");
    }
}
