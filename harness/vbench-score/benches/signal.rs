//! Time of the signal metrics over the length of the signal, at 16 kHz.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::signal::{
    Pair, delay, estoi, loudness_lufs, lsd_db, mel_distance_db, pair_metrics, sdr_db, segsnr_db, si_sdr_db,
    signal_metrics, stoi,
};

const RATE_HZ: u32 = 16_000;

/// Harmonics under a syllable-like envelope, and the same with noise.
fn clip(seconds: u32) -> (Vec<f32>, Vec<f32>) {
    let mut rng = keyed_rng(424_242, "bench", "signal", "");
    let clean: Vec<f32> = (0..seconds * RATE_HZ)
        .map(|i| {
            let t = i as f32 / RATE_HZ as f32;
            let voice: f32 = (1..20).map(|h| (std::f32::consts::TAU * 130.0 * h as f32 * t).sin() / h as f32).sum();
            0.2 * voice * (std::f32::consts::TAU * 3.0 * t).sin().max(0.0)
        })
        .collect();
    let noisy = clean.iter().map(|x| x + 0.05 * (rng.next_u32() as f32 / 2_147_483_648.0 - 1.0)).collect();
    (clean, noisy)
}

fn signal(c: &mut Criterion) {
    let mut group = c.benchmark_group("signal");
    group.sample_size(20);
    for seconds in [1, 4, 30] {
        let (clean, noisy) = clip(seconds);
        group.throughput(Throughput::Elements(u64::from(seconds * RATE_HZ)));
        group.bench_function(BenchmarkId::new("pair_metrics", seconds), |b| {
            b.iter(|| pair_metrics(black_box(&clean), black_box(&noisy), RATE_HZ));
        });
        group.bench_function(BenchmarkId::new("signal_metrics", seconds), |b| {
            b.iter(|| signal_metrics(black_box(&noisy), RATE_HZ));
        });
        let wide = |s: &[f32]| s.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        let (x, y) = (wide(&clean), wide(&noisy));
        let pair = Pair::new(&x, &y, RATE_HZ).expect("a pair of equal length");
        group.bench_function(BenchmarkId::new("loudness_lufs", seconds), |b| b.iter(|| loudness_lufs(&x, RATE_HZ)));
        group.bench_function(BenchmarkId::new("delay", seconds), |b| b.iter(|| delay(&pair, 8_000)));
        for (name, metric) in [
            ("segsnr_db", segsnr_db as fn(&Pair<'_>) -> _),
            ("si_sdr_db", si_sdr_db),
            ("sdr_db", sdr_db),
            ("lsd_db", lsd_db),
            ("mel_distance_db", mel_distance_db),
            ("stoi", stoi),
            ("estoi", estoi),
        ] {
            group.bench_function(BenchmarkId::new(name, seconds), |b| b.iter(|| metric(black_box(&pair))));
        }
    }
    group.finish();
}

criterion_group!(benches, signal);
criterion_main!(benches);
