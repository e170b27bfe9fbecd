//! Helpers shared by the integration tests.
#![expect(dead_code, reason = "every test binary uses its own part")]

use std::path::PathBuf;

use vbench_audio::{DecodeOptions, Decoded, decode_file};

pub fn testdata(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata")).join(name)
}

pub fn oracles() -> PathBuf {
    std::env::var_os("VBENCH_ORACLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles")), PathBuf::from)
}

pub fn load(name: &str) -> Decoded {
    decode_file(&testdata(name), &DecodeOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// One of the three sentences beside the oracles.
pub fn speech(name: &str) -> Vec<f32> {
    let path = oracles().join("wav").join(name);
    decode_file(&path, &DecodeOptions::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display())).samples
}

/// SNR of `b` against `a` over the common part, dB.
pub fn snr_db(a: &[f32], b: &[f32]) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        signal += f64::from(*x) * f64::from(*x);
        noise += (f64::from(*x) - f64::from(*y)) * (f64::from(*x) - f64::from(*y));
    }
    10.0 * (signal / noise).log10()
}

/// SNR after the best gain on `b`, dB, and the correlation.
pub fn snr_best_gain_db(a: &[f32], b: &[f32]) -> (f64, f64) {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let (aa, ab, bb) = (dot(a, a), dot(a, b), dot(b, b));
    let correlation = ab / (aa * bb).sqrt();
    (-10.0 * (1.0 - correlation * correlation).log10(), correlation)
}

/// Lag in samples within `-max..=max` at which `b` fits `a` best.
pub fn lag(a: &[f32], b: &[f32], max: isize) -> isize {
    let at = |lag: isize| {
        a.iter()
            .enumerate()
            .filter_map(|(i, x)| {
                let j = i as isize + lag;
                usize::try_from(j).ok().and_then(|j| b.get(j)).map(|y| f64::from(*x) * f64::from(*y))
            })
            .sum::<f64>()
    };
    (-max..=max).max_by(|x, y| at(*x).total_cmp(&at(*y))).unwrap_or(0)
}
