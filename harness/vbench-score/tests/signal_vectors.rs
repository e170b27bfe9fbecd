//! Loudness, STOI, mel distance and delay at six rates against pyloudnorm 0.2.0, pystoi 0.4.1, librosa and scipy
//! (`golden/vectors/signal_metrics.json`, with the script that wrote it).
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use serde_json::Value;
use vbench_score::signal::{Pair, loudness_lufs, measure};

const TAU: f64 = 2.0 * std::f64::consts::PI;
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden");

/// The formula `x` of the file.
fn formula(rate: f64, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            let t = i as f64 / rate;
            0.3 * (0.5 - 0.5 * (TAU * 3.1 * t).cos())
                * ((TAU * 220.0 * t + 2.0 * (TAU * 0.9 * t).sin()).sin()
                    + 0.5 * (TAU * 1_370.0 * t + 3.0 * (TAU * 1.7 * t).sin()).sin()
                    + 0.25 * (TAU * 2_930.0 * t).sin())
        })
        .collect()
}

fn stored(name: &str, n: usize) -> Vec<f64> {
    let bytes = std::fs::read(format!("{GOLDEN}/oracles/{name}")).unwrap();
    bytes[44..].chunks_exact(2).take(n).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect()
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("{name} in {case}"))
}

fn degraded(x: &[f64], case: &Value) -> Vec<f64> {
    let (gain, level, shift) = (number(case, "gain"), number(case, "noise"), case["shift"].as_i64().unwrap());
    let mut state = case["seed"].as_u64().unwrap();
    let y: Vec<f64> = x
        .iter()
        .map(|x| {
            state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
            gain * x + level * (state as f64 / 2_147_483_648.0 - 1.0)
        })
        .collect();
    let at = |i: usize| usize::try_from(i as i64 - shift).ok().and_then(|i| y.get(i)).copied().unwrap_or(0.0);
    (0..x.len()).map(at).collect()
}

#[test]
fn every_case_of_signal_metrics_json() {
    let path = format!("{GOLDEN}/vectors/signal_metrics.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let mut failures = Vec::new();
    for case in cases {
        let (rate, n) = (number(case, "fs") as u32, number(case, "samples") as usize);
        let x = case["file"].as_str().map_or_else(|| formula(f64::from(rate), n), |name| stored(name, n));
        let y = degraded(&x, case);
        let energy = |s: &[f64]| s.iter().map(|v| v * v).sum::<f64>();
        let metrics = measure(&Pair::new(&x, &y, rate).unwrap());
        let (loud_x, loud_y) = (loudness_lufs(&x, rate).unwrap(), loudness_lufs(&y, rate).unwrap());
        assert_eq!(metrics.loudness_difference_lu, Ok(loud_y - loud_x));
        let (sum_x, sum_y) = (number(case, "sum_sq_x"), number(case, "sum_sq_y"));
        for (name, got, tolerance) in [
            ("sum_sq_x", energy(&x), 1e-9 * sum_x),
            ("sum_sq_y", energy(&y), 1e-9 * sum_y),
            ("loudness_x_lufs", loud_x, 1e-4),
            ("loudness_y_lufs", loud_y, 1e-4),
            ("stoi", metrics.stoi.unwrap(), 1e-6),
            ("estoi", metrics.estoi.unwrap(), 1e-6),
            ("mel_distance_db", metrics.mel_distance_db.unwrap(), 1e-6),
            ("delay_samples", metrics.delay_samples.unwrap(), 0.0),
        ] {
            let want = number(case, name);
            if got.is_nan() || (got - want).abs() > tolerance {
                failures.push(format!("{} ({rate} Hz): {name} {got}, expected {want}", case["id"]));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
