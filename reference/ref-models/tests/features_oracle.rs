//! Front ends against librosa and kaldi-native-fbank. Case kinds covered: `whisper_logmel80`, `whisper_logmel128`. The other kinds of the
//! file are counted by name, so that a new kind cannot go unnoticed.

#![expect(clippy::unwrap_used, reason = "part of tests")]

use ref_models::features::MelFrontEnd;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Kinds of the file that no code of this crate computes yet.
const NOT_IMPLEMENTED: [&str; 5] =
    ["kaldi_fbank80", "kaldi_fbank80_nosnip_unit", "kaldi_mfcc13", "mel64_htk_power", "mfcc13_librosa"];

fn oracle() -> Value {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles");
    let folder = std::env::var_os("VBENCH_ORACLES").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = folder.join("features.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The signal of a formula, computed in double precision and rounded once, checked against the values in the file.
fn signal(s: &Value) -> Vec<f32> {
    let f = |key: &str| s[key].as_f64().unwrap();
    let (n, fs) = (s["N"].as_u64().unwrap() as usize, f("fs"));
    let turn = 2.0 * std::f64::consts::PI;
    let mut state = s["seed"].as_u64().unwrap_or(0);
    let mut noise = || {
        state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
        state as f64 / (1u64 << 31) as f64 - 1.0
    };
    let x: Vec<f64> = (0..n)
        .map(|i| {
            let t = i as f64 / fs;
            match s["kind"].as_str().unwrap() {
                "two_tone_chirp" => {
                    let sweep = f("f0") * t + 0.5 * (f("f1") - f("f0")) / (n as f64 / fs) * t * t;
                    f("a1") * (turn * sweep).sin() + f("a2") * (turn * f("f2") * t).sin()
                }
                "lcg_noise" => f("amp") * noise(),
                "impulse_train" if i as u64 % s["period"].as_u64().unwrap() == s["offset"].as_u64().unwrap() => {
                    f("amp")
                }
                "impulse_train" => 0.0,
                "am_harmonics" => {
                    let harmonic = |h: u64| f("a") / h as f64 * (turn * h as f64 * f("f0") * t).sin();
                    (0.5 - 0.5 * (turn * f("fm") * t).cos()) * (1..=s["H"].as_u64().unwrap()).map(harmonic).sum::<f64>()
                }
                other => panic!("unknown signal {other}"),
            }
        })
        .collect();
    let check = &s["check_float64"];
    let squares: f64 = x.iter().map(|v| v * v).sum();
    assert!((squares - check["sum_sq"].as_f64().unwrap()).abs() < 1e-9 * squares, "signal {}", s["kind"]);
    x.into_iter().map(|v| v as f32).collect()
}

fn compare(case: &Value, signals: &[Value]) -> Result<(), String> {
    let f = |key: &str| case[key].as_f64().unwrap();
    let bins = case["bins"].as_u64().unwrap() as usize;
    let pcm = signal(&signals[case["signal"].as_u64().unwrap() as usize]);
    let mel = MelFrontEnd::new(bins).log_mel(&pcm, 0).map_err(|e| e.to_string())?;
    if mel.frames() as u64 != case["frames"].as_u64().unwrap() {
        return Err(format!("{} frames", mel.frames()));
    }
    let n = mel.values.len() as f64;
    let mean = mel.values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let std = (mel.values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n).sqrt();
    if (mean - f("mean")).abs() > f("tol_mean_std") || (std - f("std")).abs() > f("tol_mean_std") {
        return Err(format!("mean {mean}, std {std}"));
    }
    let indices = case["frame_index"].as_array().unwrap();
    for (index, values) in indices.iter().zip(case["values"].as_array().unwrap()) {
        let got = mel.frame(index.as_u64().unwrap() as usize);
        for (band, (got, want)) in got.iter().zip(values.as_array().unwrap()).enumerate() {
            let difference = (f64::from(*got) - want.as_f64().unwrap()).abs();
            if difference > f("tol") {
                return Err(format!("frame {index} band {band}: {got} for {want}"));
            }
        }
    }
    Ok(())
}

#[test]
fn oracle_whisper_log_mel_80_and_128() {
    let oracle = oracle();
    let signals = oracle["signals"].as_array().unwrap();
    let mut failures = Vec::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for case in oracle["cases"].as_array().unwrap() {
        let kind = case["feature"].as_str().unwrap();
        *kinds.entry(kind).or_default() += 1;
        if matches!(kind, "whisper_logmel80" | "whisper_logmel128") {
            if let Err(e) = compare(case, signals) {
                failures.push(format!("{}: {e}", case["id"]));
            }
        } else {
            assert!(NOT_IMPLEMENTED.contains(&kind), "new kind of case {kind}");
        }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(
        (kinds["whisper_logmel80"], kinds["whisper_logmel128"]),
        (4, 4),
        "every case of both kinds was looked at"
    );
}

#[test]
fn bad_audio_is_refused() {
    let front_end = MelFrontEnd::new(80);
    assert!(front_end.log_mel(&[], 0).is_err());
    assert!(front_end.log_mel(&[0.0; 200], 0).is_err());
    assert_eq!(front_end.log_mel(&[0.0; 201], 0).unwrap().frames(), 1);
    let mut pcm = vec![0.0; 1000];
    pcm[321] = f32::NAN;
    assert!(front_end.log_mel(&pcm, 0).unwrap_err().to_string().contains("sample 321"));
}

/// Padding is the same as zero samples at the end, whatever the number of threads.
#[test]
fn padding_and_threads_change_nothing() {
    let pcm: Vec<f32> = (0..50_000).map(|i| ((i * i % 977) as f32 / 977.0 - 0.5) * 0.3).collect();
    let front_end = MelFrontEnd::new(80);
    let padded: Vec<f32> = pcm.iter().copied().chain(std::iter::repeat_n(0.0, 700)).collect();
    let a = front_end.log_mel(&pcm, 700).unwrap();
    assert_eq!(a, front_end.log_mel(&padded, 0).unwrap());
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(a, pool.install(|| front_end.log_mel(&pcm, 700)).unwrap());
    }
}
